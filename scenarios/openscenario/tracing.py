"""Traces of the executor alone: every entity at every interval, and every transition of the storyboard, as CSV.

The columns are ``time,name,x,y,z,h,speed,s,t,lane_id`` (seconds, metres, radians in [0, 2 pi), m/s; ASAM's frame) and
``time,element,from,transition,to``. ``s``, ``t`` and ``lane_id`` are those of the nearest lane, empty where there is
none.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from foundation.errors import InputError
from scenarios.openscenario.bare_port import BarePort, kinematic_controllers
from scenarios.openscenario.board import Change
from scenarios.openscenario.execution import Execution
from scenarios.openscenario.roads import Track
from scenarios.openscenario.scenario import Scenario
from scenarios.openscenario.world import Entity, World

COLUMNS = ("time", "name", "x", "y", "z", "h", "speed", "s", "t", "lane_id")
EVENT_COLUMNS = ("time", "element", "from", "transition", "to")
STEP_S = 0.01
MAX_TIME_S = 60.0


@dataclass(frozen=True, slots=True)
class Row:
    """One entity at one instant; see the columns of this module."""

    time: float
    name: str
    x: float
    y: float
    z: float
    h: float
    speed: float
    s: float | None
    t: float | None
    lane_id: int | None

    def cells(self) -> tuple[str, ...]:
        """Return the row as it is written."""
        s, t = ("" if v is None else f"{v:.3f}" for v in (self.s, self.t))
        lane = "" if self.lane_id is None else str(self.lane_id)
        place = (f"{self.x:.3f}", f"{self.y:.3f}", f"{self.z:.3f}", f"{self.h:.4f}", f"{self.speed:.3f}")
        return (clock(self.time), self.name, *place, s, t, lane)


def clock(time_s: float) -> str:
    """Return a time with two decimals, or more where the step needs them."""
    return f"{time_s:.2f}" if abs(time_s - round(time_s, 2)) < 1e-9 else f"{time_s:.6f}".rstrip("0")


class Tracer:
    """Runs a scenario without a server and hands out its rows.

    Args:
        scenario: what to run.
        dt_s: seconds between rows.
        step_s: the executor's own step; the largest divisor of ``dt_s`` that is not above it is taken. Conditions are
            looked at once a step, so a finer step than the output's keeps their times independent of ``dt_s``.
        max_time_s: where a scenario that never stops is cut.
        seed: of the scenario's random streams.

    Raises:
        InputError: an interval is not above 0.
    """

    def __init__(
        self,
        scenario: Scenario,
        dt_s: float = 0.05,
        *,
        step_s: float = STEP_S,
        max_time_s: float = MAX_TIME_S,
        seed: int = 0,
    ) -> None:
        for name, value in (("dt", dt_s), ("step", step_s), ("max-time", max_time_s)):
            if not 0.0 < value < math.inf:
                raise InputError(f"{name} must be above 0 and finite, not {value:g}")
        self._every = max(1, math.ceil(dt_s / step_s - 1e-9))
        self._max_time_s = max_time_s
        self.execution = Execution(
            scenario, None, BarePort(), dt_s / self._every, seed, kinematic_controllers(), default_motion=True
        )

    def rows(self) -> Iterator[Row]:
        """Run, once, and yield the rows: every entity that is in the world at time 0 and every interval after it."""
        run = self.execution
        run.start()
        steps = 0
        yield from _rows(run)
        while not run.finished and run.time_s < self._max_time_s - 1e-9:
            run.step()
            steps += 1
            if steps % self._every == 0 and not run.finished:
                yield from _rows(run)
        run.close()

    @property
    def notes(self) -> list[str]:
        """What the run says about itself: controllers that were not there, actions that were refused."""
        return self.execution.world.notes


def _rows(run: Execution) -> Iterator[Row]:
    for name, entity in run.world.entities.items():
        if entity.present:
            yield _row(run, name, entity)


def _row(run: Execution, name: str, entity: Entity) -> Row:
    pose = entity.motion.pose
    track = _track(run.world, entity)
    s, t, lane = (None, None, None) if track is None else (track.s, run.world.roads.t(track), track.lane_id)
    heading = pose.heading % (2.0 * math.pi)
    return Row(run.time_s, name, pose.x, pose.y, pose.z, heading, entity.motion.speed, s, t, lane)


def _track(world: World, entity: Entity) -> Track | None:
    if entity.track is not None:
        return world.roads.nearest_lane(entity.track)
    return world.roads.nearest(entity.motion.pose)


def transitions(changes: Iterable[Change]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield the log as rows of (time, element, from, transition, to). Every element begins in ``initState``."""
    before: dict[int, str] = {}
    for change in changes:
        name = "storyBoard" if change.kind == "storyboard" else change.name
        old = before.get(id(change.element), "initState")
        transition = change.transition or "initToStandbyTransition"
        yield f"{change.time_s:.3f}", name, old, transition, change.state
        before[id(change.element)] = change.state


def write(path: Path, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Write a CSV file, compressed when its name ends in .gz; the same rows give the same bytes.

    Raises:
        InputError: the file cannot be written.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)
    data = text.getvalue().encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=path) from error


def events_path(out: Path) -> Path:
    """Return the file of transitions that belongs to a trace: ``a.csv`` or ``a.csv.gz`` -> ``a.events.csv``."""
    return out.with_name(out.name.removesuffix(".gz").removesuffix(".csv") + ".events.csv")


def trace(scenario: Scenario, out: Path, events: Path | None = None, **options: float) -> Tracer:
    """Run a scenario and write its trace and transitions; return the run. ``options`` are :class:`Tracer`'s."""
    tracer = Tracer(scenario, **options)  # type: ignore[arg-type]
    write(out, COLUMNS, (row.cells() for row in tracer.rows()))
    write(events or events_path(out), EVENT_COLUMNS, transitions(tracer.execution.events))
    return tracer


def settings(pairs: Iterable[str]) -> Mapping[str, str]:
    """Return ``NAME=VALUE`` words as a mapping; InputError for one without ``=``, or named twice."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InputError(f"{pair!r} is not of the form NAME=VALUE")
        if name in found:
            raise InputError(f"parameter {name} is given twice")
        found[name] = value
    return found

"""What a run leaves behind: the records in ``result.json``, ``trajectories.csv`` and ``measures.csv``.

These files are the interface between the process that runs a scenario and everything that looks at it afterwards
(report, JUnit, training). Nothing in a scenario's folder depends on the wall clock or on where it lies, so the same
seed gives the same bytes on any checkout; times of day, durations and places of files are in ``run.json`` and
``timings.csv`` beside ``plan.json``.
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from foundation.errors import InputError

VERDICTS = ("pass", "fail", "inconclusive", "error")


@dataclass(frozen=True)
class Unit:
    """One concrete scenario to run: every parameter fixed, plus a seed.

    Attributes:
        name: unique in the run, usable as a folder name.
        scenario: the ``.xosc`` file: its path, or in a run's records the name under which ``plan.json`` has it.
        parameters: overrides of its ``ParameterDeclarations``, as text.
        seed: the unit's own seed, derived from the run's.
        title: what a person reads in the report.
        label: the logical scenario it is a sample of.
        rig: the name of the sensors it carries; "none" without any.
        base_seed: the run's seed that ``seed`` is derived from.
    """

    name: str
    scenario: str
    parameters: dict[str, str]
    seed: int
    title: str = ""
    label: str = ""
    rig: str = ""
    base_seed: int = 0


@dataclass
class Result:
    """The outcome of one unit, as stored in ``result.json``.

    Metrics that are not defined for this run (no conflict, nobody crossed) are None, never 0 or infinity.

    Attributes:
        metrics: the figures of :mod:`scenarios.evaluation` by name; what tables and comparisons read.
        limit: the limit of the machine (time, memory) that ended it, as it was set; "" when none did.
    """

    unit: Unit
    verdict: str
    reasons: list[str]
    ego: str | None = None
    duration_s: float = 0.0
    frames: int = 0
    end: str = ""
    collisions: list[dict[str, Any]] = field(default_factory=list)
    min_ttc_s: float | None = None
    min_ttc_time_s: float | None = None
    min_distance_m: float | None = None
    min_distance_time_s: float | None = None
    min_distance_to: str | None = None
    pet_s: float | None = None
    criteria: list[dict[str, Any]] = field(default_factory=list)
    previews: list[dict[str, Any]] = field(default_factory=list)
    entities: dict[str, dict[str, Any]] = field(default_factory=dict)
    map_file: str = ""
    metrics: dict[str, float | int | str | None] = field(default_factory=dict)
    limit: str = ""

    def write(self, path: Path) -> None:
        """Write JSON with sorted keys, so equal results are equal bytes."""
        path.write_text(json.dumps(_finite(asdict(self)), indent=2, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Result:
        """Read what :meth:`write` wrote.

        Raises:
            InputError: the file is missing or is not such a record.
        """
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**raw, "unit": Unit(**raw["unit"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(f"is not a result of a run: {error}", file=path) from error


def _finite(value: Any) -> Any:
    """Round floats to a micro-unit and refuse NaN and infinity: JSON has neither."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a result holds a number that is not finite")
        return round(value, 6)
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return value


@dataclass
class Track:
    """One entity's way through a run, ASAM frame: columns of equal length (s, m, rad, m/s)."""

    time: list[float] = field(default_factory=list)
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    z: list[float] = field(default_factory=list)
    heading: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)


TRACK_COLUMNS = ("time", "x", "y", "z", "heading", "speed")


def write_tracks(path: Path, tracks: dict[str, Track]) -> None:
    """Write ``time,name,x,y,z,heading,speed`` rows, in order of time, then of entity."""
    rows = []
    for order, (name, track) in enumerate(tracks.items()):
        for values in zip(*(getattr(track, column) for column in TRACK_COLUMNS), strict=True):
            rows.append((values[0], order, name, values))
    rows.sort(key=lambda row: row[:2])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("time", "name", *TRACK_COLUMNS[1:]))
        for _, _, name, values in rows:
            writer.writerow((f"{values[0]:.3f}", name, *(f"{value:.4f}" for value in values[1:])))


def read_tracks(path: Path) -> dict[str, Track]:
    """Read what :func:`write_tracks` wrote; entities in order of appearance."""
    tracks: dict[str, Track] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            track = tracks.setdefault(row["name"], Track())
            for column in TRACK_COLUMNS:
                getattr(track, column).append(float(row[column]))
    return tracks

"""What a run is worth: the ego's safety, rule and comfort figures, one step after the other, and where it was hit.

:class:`Evaluator` looks at the running world once a step. It leaves verdicts to the scenario's criteria
(:mod:`scenarios.openscenario.outcomes`) and adds what those do not need: curves over time, RSS, exposure, jerk, lanes,
red lights, speed limits, and points of tests that carry them (a parameter called ``ncap_points``).
"""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from scenarios import metrics, safety
from scenarios.opendrive import LaneKey, RoadNetwork, signals, trigger_boxes

if TYPE_CHECKING:
    from scenarios.openscenario.outcomes import Collision, Extreme, Outcome
    from scenarios.openscenario.world import World

Floats = npt.NDArray[np.float64]
Value = float | int | str | None

REACH_M = 100.0
SPEEDING_TOLERANCE_KMH = 1.0
"""Who holds the limit with a controller is a little above it half of the time."""
TRIGGER_AHEAD_M = 3.0
"""CARLA's trigger boxes lie so far before the line at which one stops."""
LEVEL_M = 3.0
"""Stop lines higher or lower than this belong to another level."""
POINTS_PARAMETERS = ("ncap_points", "ncappoints")

SERIES_COLUMNS = (
    "time", "speed", "acceleration", "jerk", "lane_offset", "speed_limit_kmh", "distance", "distance_to", "ttc",
    "ttc_to", "headway", "drac", "rss_margin",
)  # fmt: skip


@dataclass(frozen=True)
class Evaluation:
    """What :meth:`Evaluator.finish` returns.

    Attributes:
        metrics: name (with its unit) -> value; None where it does not exist.
        series: one row a step, columns :data:`SERIES_COLUMNS`; None where a quantity does not exist.
        collisions: plain values for JSON.
    """

    metrics: dict[str, Value]
    series: list[tuple[Value, ...]]
    collisions: list[dict[str, Any]]


@dataclass(frozen=True)
class StopLine:
    """A line across a lane that a light guards, and the direction in which it counts; ASAM's frame."""

    signal: str
    x: float
    y: float
    z: float
    heading: float
    half_width: float

    def crossed(self, before: tuple[float, float], now: tuple[float, float]) -> bool:
        """Return whether a way from one place to another crosses the line in its direction."""
        c, s = math.cos(self.heading), math.sin(self.heading)
        ahead = [c * (p[0] - self.x) + s * (p[1] - self.y) for p in (before, now)]
        if not ahead[0] < 0.0 <= ahead[1]:
            return False
        share = -ahead[0] / (ahead[1] - ahead[0])
        aside = [-s * (p[0] - self.x) + c * (p[1] - self.y) for p in (before, now)]
        return abs(aside[0] + share * (aside[1] - aside[0])) <= self.half_width


def stop_lines(network: RoadNetwork) -> list[StopLine]:
    """Return the lines at which traffic stops for the lights of a network, each once for light and lane."""
    found = []
    for signal in signals(network):
        if not signal.is_light:
            continue
        for box in trigger_boxes(network, signal):
            pose = box.pose
            x = pose.x + TRIGGER_AHEAD_M * math.cos(pose.heading)
            y = pose.y + TRIGGER_AHEAD_M * math.sin(pose.heading)
            # The box is half as wide as its lane.
            found.append(StopLine(signal.id, x, y, pose.z, pose.heading, 2.0 * box.half_width))
    return found


@dataclass
class _Step:
    """The ego at one instant, and the worst of everybody around it."""

    time_s: float
    ego: metrics.Moving
    speed: float
    distance: tuple[float, str] | None = None
    ttc: tuple[float, str] | None = None
    headway: float | None = None
    drac: float | None = None
    rss_margin: float | None = None


@dataclass
class _Lights:
    """Watches the ego's front cross stop lines."""

    lines: Sequence[StopLine]
    run: list[tuple[float, str]] = field(default_factory=list)
    _before: tuple[float, float] | None = None

    def record(self, world: World, ego: metrics.Moving, time_s: float) -> None:
        rect = ego.rect
        c, s = math.cos(rect.heading), math.sin(rect.heading)
        front = (rect.x + 0.5 * rect.length * c, rect.y + 0.5 * rect.length * s)
        before, self._before = self._before, front
        if before is None or math.hypot(front[0] - before[0], front[1] - before[1]) > 10.0:
            return  # teleported
        passed: set[str] = set()
        for line in self.lines:
            if abs(line.x - front[0]) > 20.0 or abs(line.y - front[1]) > 20.0 or abs(line.z - ego.low) > LEVEL_M:
                continue
            if line.signal not in passed and line.crossed(before, front):
                passed.add(line.signal)
                if is_red(world.signal_state(line.signal)):
                    self.run.append((time_s, line.signal))


def is_red(state: str | None) -> bool:
    """Return whether a state tells traffic to stop: red, alone or with yellow just before green.

    Args:
        state: a colour's name, or lamps from red to green as ``on;off;off``.
    """
    if state is None:
        return False
    lamps = [lamp.strip().lower() for lamp in state.split(";")]
    if len(lamps) > 1:
        return lamps[0] in ("on", "true", "1")
    return lamps[0] in ("red", "stop")


class Evaluator:
    """Collects, once a step, what an evaluation is made of.

    Args:
        ego: name of the entity that is judged; "" for nobody.
        world: the running world; states belong to the moment of :meth:`record`.
        parameters: the RSS assumptions.
    """

    def __init__(self, ego: str, world: World, parameters: safety.RssParameters | None = None) -> None:
        self._ego, self._world = ego, world
        self._rss = parameters or safety.RssParameters()
        self._steps: list[_Step] = []
        self._rects: list[dict[str, metrics.Moving]] = []
        self._times: list[float] = []
        self._lights = _Lights(stop_lines(world.roads.network))

    def record(self) -> None:
        """Look at the world as it is now."""
        world = self._world
        moving = {name: e.moving() for name, e in world.entities.items() if e.present}
        self._times.append(world.time_s)
        self._rects.append(moving)
        if self._ego not in moving:
            return
        ego = moving[self._ego]
        step = _Step(world.time_s, ego, world.entities[self._ego].motion.speed)
        for name, other in moving.items():
            if name != self._ego and not self._towed(name):
                self._look(step, ego, other, name)
        self._lights.record(world, ego, world.time_s)
        self._steps.append(step)

    def _towed(self, name: str) -> bool:
        entity = self._world.entities[name]
        while entity.towed_by:
            if entity.towed_by == self._ego:
                return True
            entity = self._world.entities[entity.towed_by]
        return False

    def _look(self, step: _Step, ego: metrics.Moving, other: metrics.Moving, name: str) -> None:
        middles = math.hypot(ego.rect.x - other.rect.x, ego.rect.y - other.rect.y)
        if middles > REACH_M:
            return
        least = middles - ego.rect.reach - other.rect.reach
        if step.distance is None or least < step.distance[0]:
            gap = metrics.distance(ego.rect, other.rect)
            if step.distance is None or gap < step.distance[0]:
                step.distance = gap, name
        closing = metrics.impact_speed(ego, other)
        if closing > 1e-6 and (step.ttc is None or least < step.ttc[0] * closing):
            ttc = metrics.time_to_collision(ego, other)
            if ttc is not None and (step.ttc is None or ttc < step.ttc[0]):
                step.ttc = ttc, name
        in_front = metrics.ahead(ego, other)
        if in_front is not None:
            headway = metrics.time_headway(in_front.gap_m, in_front.own_speed)
            step.headway = _least(step.headway, headway)
            drac = metrics.deceleration_to_avoid(in_front.gap_m, in_front.own_speed, in_front.other_speed)
            if drac is not None and in_front.gap_m > 1e-3:
                step.drac = drac if step.drac is None else max(step.drac, drac)
        if self._world.entities[name].is_vehicle and self._world.entities[self._ego].is_vehicle:
            step.rss_margin = _least(step.rss_margin, rss_between(ego, other, self._rss).margin)

    def finish(self, outcome: Outcome) -> Evaluation:
        """Return the evaluation of everything recorded.

        Args:
            outcome: the executor's, for collisions and extremes.
        """
        collisions = [self._collision(c) for c in outcome.collisions]
        figures: dict[str, Value] = {
            "duration_s": outcome.duration_s,
            "min_ttc_s": _value(outcome.min_ttc),
            "min_headway_s": _value(outcome.min_headway),
            "min_distance_m": _value(outcome.min_distance),
            "max_drac_mps2": _value(outcome.max_drac),
            "pet_s": _value(outcome.pet),
            "criteria_met": sum(c.passed for c in outcome.criteria),
            "criteria": len(outcome.criteria),
        }
        mine = [c for c in collisions if c.get("counterpart")]
        figures["collisions"] = len(mine)
        figures["impact_speed_kmh"] = 3.6 * mine[0]["impact_speed_mps"] if mine else None
        figures["impact_face"] = mine[0]["face"] if mine else None
        figures["risk_of_death"] = max((c["risk_of_death"] for c in mine if "risk_of_death" in c), default=None)
        columns: dict[str, Sequence[Value]] = {}
        if self._steps:
            figures |= self._exposure() | self._motion(columns) | self._lanes(columns)
            figures["red_lights_run"] = len(self._lights.run)
        points = self._points(mine)
        if points is not None:
            figures["ncap_points"], figures["ncap_available"] = points
        return Evaluation(figures, self._series(columns), collisions)

    # ---- parts

    def _step_s(self) -> float:
        return self._world.dt_s

    def _exposure(self) -> dict[str, Value]:
        dt = self._step_s()
        tet, tit = safety.time_exposed([s.ttc[0] if s.ttc else None for s in self._steps], dt)
        margins = [(s.rss_margin, s.time_s) for s in self._steps if s.rss_margin is not None]
        dangerous = [time_s for margin, time_s in margins if margin < 0.0]
        return {
            "tet_s": tet,
            "tit_s2": tit,
            "rss_min_margin_m": min((m for m, _ in margins), default=None),
            "rss_danger_s": len(dangerous) * dt if margins else None,
            "rss_first_danger_s": min(dangerous, default=None),
        }

    def _motion(self, columns: dict[str, Sequence[Value]]) -> dict[str, Value]:
        dt = self._step_s()
        speed = np.array([s.speed for s in self._steps])
        heading = np.array([s.ego.rect.heading for s in self._steps])
        felt = safety.comfort(speed, heading, dt)
        columns["acceleration"], columns["jerk"] = felt.longitudinal.tolist(), felt.jerk_longitudinal.tolist()
        return {
            "max_speed_kmh": 3.6 * float(np.abs(speed).max()),
            "mean_speed_kmh": 3.6 * float(np.abs(speed).mean()),
            "initial_speed_kmh": 3.6 * float(abs(speed[0])),
            "driven_m": self._world.entities[self._ego].traveled_m,
            "max_acceleration_mps2": float(max(0.0, felt.longitudinal.max())),
            "max_deceleration_mps2": float(max(0.0, -felt.longitudinal.min())),
            "max_lateral_acceleration_mps2": float(np.abs(felt.lateral).max()),
            "max_jerk_mps3": float(np.abs(felt.jerk_longitudinal).max()),
            "rms_jerk_mps3": safety.rms(felt.jerk_longitudinal),
            "max_lateral_jerk_mps3": float(np.abs(felt.jerk_lateral).max()),
            "rms_lateral_jerk_mps3": safety.rms(felt.jerk_lateral),
        }

    def _lanes(self, columns: dict[str, Sequence[Value]]) -> dict[str, Value]:
        """Lane keeping and speed limits: the middle of the ego's box on the nearest lane."""
        network, dt = self._world.roads.network, self._step_s()
        rects = [s.ego.rect for s in self._steps]
        lanes = follow_lanes(network, rects)
        offsets = [lane.offset for lane in lanes if lane is not None]
        limits = [None if lane is None else lane.limit_kmh for lane in lanes]
        columns["lane_offset"] = [None if lane is None else lane.offset for lane in lanes]
        columns["speed_limit_kmh"] = limits
        over = [
            excess
            for step, limit in zip(self._steps, limits, strict=True)
            if limit is not None and (excess := 3.6 * abs(step.speed) - limit) > SPEEDING_TOLERANCE_KMH
        ]
        outside = [lane is not None and lane.outside for lane in lanes]
        changes = sum(
            a is not None and b is not None and a.key[:2] == b.key[:2] and a.key.lane_id != b.key.lane_id
            for a, b in itertools.pairwise(lanes)
        )
        return {
            "max_lane_offset_m": max((abs(o) for o in offsets), default=None),
            "rms_lane_offset_m": safety.rms(np.array(offsets)),
            "lane_departures": sum(now and not before for before, now in zip([False, *outside], outside, strict=False)),
            "outside_lane_s": sum(outside) * dt,
            "lane_changes": changes,
            "speeding_s": len(over) * dt if any(limit is not None for limit in limits) else None,
            "max_speeding_kmh": max(over, default=0.0) if any(limit is not None for limit in limits) else None,
        }

    def _collision(self, collision: Collision) -> dict[str, Any]:
        """Return a collision with where it happened and how fast everybody was before it."""
        index = min(range(len(self._times)), key=lambda i: abs(self._times[i] - collision.time_s), default=0)
        now, before = self._rects[index], self._rects[max(index - 1, 0)]
        entry: dict[str, Any] = {
            "time_s": collision.time_s,
            "first": collision.first,
            "second": collision.second,
            "impact_speed_mps": collision.impact_speed,
        }
        first, second = now.get(collision.first), now.get(collision.second)
        if first is None or second is None:
            return entry
        entry["x"], entry["y"] = impact_point(first.rect, second.rect)
        for key, name in (("first_speed_mps", collision.first), ("second_speed_mps", collision.second)):
            moving = before.get(name, now[name])
            entry[key] = math.hypot(*moving.velocity)
        if self._ego in (collision.first, collision.second):
            other = collision.second if collision.first == self._ego else collision.first
            ego = now[self._ego].rect
            forward, left = in_frame(ego, (entry["x"], entry["y"]))
            entry |= {"counterpart": other, "ego_forward_m": forward, "ego_left_m": left}
            entry["face"] = face(ego, forward, left)
            own = before.get(self._ego, now[self._ego])
            theirs = before.get(other, now[other])
            c, s = math.cos(own.rect.heading), math.sin(own.rect.heading)
            entry["ego_closing_mps"] = (own.velocity[0] - theirs.velocity[0]) * c + (
                own.velocity[1] - theirs.velocity[1]
            ) * s
            record = self._world.entities[other].record
            if record.kind == "pedestrian" and entry["face"] == "front":
                entry["risk_of_death"] = safety.risk_of_death(3.6 * math.hypot(*own.velocity))
        return entry

    def _points(self, mine: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
        """Return (points, points available) of a test that carries them."""
        for name, parameter in self._world.parameters.items():
            if name.lower() in POINTS_PARAMETERS and self._steps:
                available = float(parameter.text)
                start = self._steps[0]
                first = next((c for c in mine if "ego_closing_mps" in c), None)
                if first is None:
                    return available, available
                # The counterpart may be on its way too: what is tested is how fast the two approach.
                own = next((s.speed for s in self._steps), start.speed)
                target = self._along(first["counterpart"], first["time_s"])
                test_kmh = 3.6 * (own - target)
                impact_kmh = 3.6 * max(0.0, first["ego_closing_mps"])
                return safety.braking_points(available, test_kmh, impact_kmh), available
        return None

    def _along(self, name: str, time_s: float) -> float:
        """Return the speed of an entity along the ego's heading before a moment, m/s."""
        index = min(range(len(self._times)), key=lambda i: abs(self._times[i] - time_s))
        rects = self._rects[max(index - 1, 0)]
        if name not in rects or self._ego not in rects:
            return 0.0
        heading = rects[self._ego].rect.heading
        velocity = rects[name].velocity
        return velocity[0] * math.cos(heading) + velocity[1] * math.sin(heading)

    def _series(self, columns: Mapping[str, Sequence[Value]]) -> list[tuple[Value, ...]]:
        rows = []
        for i, step in enumerate(self._steps):
            row: dict[str, Value] = {name: values[i] for name, values in columns.items()}
            row |= {"time": step.time_s, "speed": step.speed, "headway": step.headway, "drac": step.drac}
            row["rss_margin"] = step.rss_margin
            if step.distance is not None:
                row["distance"], row["distance_to"] = step.distance
            if step.ttc is not None:
                row["ttc"], row["ttc_to"] = step.ttc
            rows.append(tuple(row.get(name) for name in SERIES_COLUMNS))
        return rows


@dataclass(frozen=True)
class OnLane:
    """A box on the lane that is nearest to its middle.

    Attributes:
        offset: of its middle from the lane's centre, m, positive to the left in the direction of s.
        outside: whether a part of it is beyond the lane's edges (never inside junctions, where lanes overlap).
        limit_kmh: the speed limit there, None where the file gives none.
    """

    key: LaneKey
    offset: float
    outside: bool
    limit_kmh: float | None


def follow_lanes(network: RoadNetwork, rects: Sequence[metrics.Rect]) -> list[OnLane | None]:
    """Return the lane under each of a series of boxes."""
    points = np.array([[r.x, r.y] for r in rects], dtype=np.float64).reshape(-1, 2)
    headings = np.array([r.heading for r in rects], dtype=np.float64)
    found: list[OnLane | None] = []
    for rect, place in zip(rects, network.locate_many(points, headings), strict=True):
        if place is None:
            found.append(None)
            continue
        width = network.lane_width(place.road_id, place.lane_id, place.s)
        turn = rect.heading - network.road_pose(place.road_id, place.s).heading
        half = 0.5 * rect.length * abs(math.sin(turn)) + 0.5 * rect.width * abs(math.cos(turn))
        in_junction = bool(network.roads[place.road_id].junction)
        outside = not in_junction and abs(place.offset) + half > 0.5 * width + 1e-6
        limit = network.speed_limit_kmh(place.road_id, place.s, place.lane_id)
        found.append(OnLane(place.key, place.offset, outside, limit))
    return found


def rss_between(ego: metrics.Moving, other: metrics.Moving, p: safety.RssParameters) -> safety.RssSituation:
    """Return how two vehicles stand to each other, in axes along and across the ego's heading.

    On bends these axes leave the lane; the formulas are meant for gaps that are short against the bend's radius.
    """
    a, b = ego.rect, other.rect
    c, s = math.cos(a.heading), math.sin(a.heading)
    dx, dy = b.x - a.x, b.y - a.y
    turn = b.heading - a.heading
    along = 0.5 * (a.length + b.length * abs(math.cos(turn)) + b.width * abs(math.sin(turn)))
    across = 0.5 * (a.width + b.length * abs(math.sin(turn)) + b.width * abs(math.cos(turn)))
    own = (c * ego.velocity[0] + s * ego.velocity[1], -s * ego.velocity[0] + c * ego.velocity[1])
    theirs = (c * other.velocity[0] + s * other.velocity[1], -s * other.velocity[0] + c * other.velocity[1])
    moves = math.hypot(*theirs) > 0.1
    oncoming = moves and theirs[0] < -0.1 and math.cos(turn) < 0.0
    return safety.rss_situation(c * dx + s * dy, -s * dx + c * dy, own, theirs, (along, across), oncoming, p)


def impact_point(a: metrics.Rect, b: metrics.Rect) -> tuple[float, float]:
    """Return where two boxes meet: the middle of what they share, or the middle between their nearest points."""
    import shapely

    first, second = (shapely.Polygon(r.corners()) for r in (a, b))
    shared = shapely.intersection(first, second)
    if not shared.is_empty:
        return float(shared.centroid.x), float(shared.centroid.y)
    line = shapely.shortest_line(first, second)
    (x0, y0), (x1, y1) = line.coords[0], line.coords[-1]
    return 0.5 * (x0 + x1), 0.5 * (y0 + y1)


def in_frame(rect: metrics.Rect, point: tuple[float, float]) -> tuple[float, float]:
    """Return a point in a box's axes from its middle: forward, left, m."""
    c, s = math.cos(rect.heading), math.sin(rect.heading)
    dx, dy = point[0] - rect.x, point[1] - rect.y
    return c * dx + s * dy, -s * dx + c * dy


def face(rect: metrics.Rect, forward: float, left: float) -> str:
    """Return the side of a box that a point is nearest to: front, rear, left or right."""
    gaps = {
        "front": 0.5 * rect.length - forward,
        "rear": 0.5 * rect.length + forward,
        "left": 0.5 * rect.width - left,
        "right": 0.5 * rect.width + left,
    }
    return min(gaps, key=lambda side: gaps[side])


def write_series(path: Path, series: Sequence[Sequence[Value]]) -> None:
    """Write the curves as CSV; a quantity that does not exist is an empty field."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SERIES_COLUMNS)
        for row in series:
            writer.writerow([_text(value) for value in row])


def read_series(path: Path) -> list[dict[str, Value]]:
    """Read what :func:`write_series` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {k: (v if k.endswith("_to") else float(v)) if v else None for k, v in row.items()}
            for row in csv.DictReader(file)
        ]


def _text(value: Value) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _value(extreme: Extreme | None) -> float | None:
    return None if extreme is None else extreme.value


def _least(old: float | None, new: float | None) -> float | None:
    return old if new is None else new if old is None else min(old, new)

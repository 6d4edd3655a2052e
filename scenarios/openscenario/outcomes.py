"""What happened: collisions, safety metrics of the ego vehicle, criteria, and the verdict with its reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scenarios import metrics
from scenarios.openscenario.criteria import Criterion

if TYPE_CHECKING:
    from scenarios.openscenario.scenario import Scenario
    from scenarios.openscenario.world import Entity, World

NEAR_M = 100.0
"""Pairs farther apart than this are not looked at for metrics."""
MIN_GAP_M = 1e-3


@dataclass(frozen=True, slots=True)
class Collision:
    """The first touch of two entities: when, who, and the magnitude of their relative velocity before it, m/s."""

    time_s: float
    first: str
    second: str
    impact_speed: float


@dataclass(frozen=True, slots=True)
class Extreme:
    """The most critical value of a metric, when it was, and with whom."""

    value: float
    time_s: float
    other: str


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """A criterion, whether it was met, and why (not)."""

    test: str
    demand: str
    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a run so far. Metrics are the ego's with any other entity; None where they never existed.

    Attributes:
        verdict: "pass", "fail", or "incomplete" while the storyboard runs.
        reasons: why it failed; empty when it passed.
        min_ttc, min_headway, min_distance, max_drac: s, s, m, m/s^2. pet: s.
        notes: what the run did differently from what one may expect of the file.
    """

    verdict: str
    reasons: tuple[str, ...]
    ego: str
    duration_s: float
    collisions: tuple[Collision, ...]
    min_ttc: Extreme | None
    min_headway: Extreme | None
    min_distance: Extreme | None
    max_drac: Extreme | None
    pet: Extreme | None
    criteria: tuple[CriterionResult, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return it as plain values for JSON."""
        extremes = {
            name: None
            if (e := getattr(self, name)) is None
            else {"value": e.value, "time_s": e.time_s, "other": e.other}
            for name in ("min_ttc", "min_headway", "min_distance", "max_drac", "pet")
        }
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "ego": self.ego,
            "duration_s": self.duration_s,
            "collisions": [
                {"time_s": c.time_s, "first": c.first, "second": c.second, "impact_speed": c.impact_speed}
                for c in self.collisions
            ],
            **extremes,
            "criteria": [
                {"test": c.test, "demand": c.demand, "passed": c.passed, "reason": c.reason} for c in self.criteria
            ],
            "notes": list(self.notes),
        }


@dataclass(slots=True)
class _Seen:
    """What the criteria need to know about the ego vehicle."""

    top_speed: float = 0.0
    lane_changes: list[float] = field(default_factory=list)
    wrong_way: list[float] = field(default_factory=list)
    off_road: list[float] = field(default_factory=list)
    on_sidewalk: list[float] = field(default_factory=list)
    lane: tuple[str, int] | None = None


class Tracker:
    """Collects, once a step, what an outcome is made of."""

    def __init__(self, scenario: Scenario, world: World) -> None:
        self._scenario, self._world = scenario, world
        self._ego = scenario.ego
        self._collisions: dict[frozenset[str], Collision] = {}
        self._before: dict[str, metrics.Moving] = {}
        self._extremes: dict[str, Extreme] = {}
        self._times: list[float] = []
        self._rects: dict[str, list[metrics.Rect | None]] = {name: [] for name in world.entities}
        self._seen = _Seen()
        self._needs = {c.test for c in scenario.criteria}

    def record(self) -> None:
        """Look at the world as it is now."""
        world = self._world
        moving = {name: e.moving() for name, e in world.entities.items() if e.present}
        self._times.append(world.time_s)
        for name, rects in self._rects.items():
            rects.append(moving[name].rect if name in moving else None)
        for name in moving:
            for other in world.touching(name):
                pair = frozenset((name, other))
                if pair not in self._collisions:
                    first, second = sorted(pair)
                    speed = metrics.impact_speed(
                        self._before.get(first, moving[first]), self._before.get(second, moving[second])
                    )
                    self._collisions[pair] = Collision(world.time_s, first, second, speed)
        if self._ego in moving:
            for name, other_moving in moving.items():
                if name != self._ego and not self._coupled(world.entities[name]):
                    self._measure(moving[self._ego], other_moving, name)
            self._watch(world.entities[self._ego])
        self._before = moving

    @property
    def collisions(self) -> tuple[Collision, ...]:
        """The first touches of all pairs so far, by time and names."""
        return tuple(sorted(self._collisions.values(), key=lambda c: (c.time_s, c.first, c.second)))

    def _coupled(self, entity: Entity) -> bool:
        """Return whether an entity is towed by the ego, directly or further back."""
        while entity.towed_by:
            if entity.towed_by == self._ego:
                return True
            entity = self._world.entities[entity.towed_by]
        return False

    def _measure(self, ego: metrics.Moving, other: metrics.Moving, name: str) -> None:
        middles = math.hypot(ego.rect.x - other.rect.x, ego.rect.y - other.rect.y)
        if middles > NEAR_M:
            return
        # No gap is smaller than this one; what cannot be the smallest so far need not be worked out.
        least = middles - ego.rect.reach - other.rect.reach
        nearest, soonest = self._extremes.get("min_distance"), self._extremes.get("min_ttc")
        gap = math.inf
        if nearest is None or least < nearest.value:
            gap = metrics.distance(ego.rect, other.rect)
            self._keep("min_distance", gap, name)
        closing = metrics.impact_speed(ego, other)
        if closing > 1e-6 and (soonest is None or least < soonest.value * closing):
            ttc = metrics.time_to_collision(ego, other)
            if ttc is not None and (ttc > 0.0 or gap == 0.0 or metrics.overlap(ego.rect, other.rect)):
                self._keep("min_ttc", ttc, name)
        in_front = metrics.ahead(ego, other)
        if in_front is not None:
            headway = metrics.time_headway(in_front.gap_m, in_front.own_speed)
            if headway is not None:
                self._keep("min_headway", headway, name)
            if in_front.gap_m > MIN_GAP_M:
                drac = metrics.deceleration_to_avoid(in_front.gap_m, in_front.own_speed, in_front.other_speed)
                if drac is not None:
                    self._keep("max_drac", drac, name, largest=True)

    def _keep(self, metric: str, value: float, other: str, *, largest: bool = False) -> None:
        old = self._extremes.get(metric)
        if old is None or (value > old.value if largest else value < old.value):
            self._extremes[metric] = Extreme(value, self._world.time_s, other)

    def _watch(self, ego: Entity) -> None:
        """Note what lane, road and speed criteria ask about; only when one of them is there."""
        seen, world = self._seen, self._world
        seen.top_speed = max(seen.top_speed, abs(ego.motion.speed))
        if not self._needs & {"KeepLaneTest", "WrongLaneTest", "OffRoadTest", "OnSidewalkTest"}:
            return
        if ego.is_off_road:
            seen.off_road.append(world.time_s)
        if ego.track is None or ego.is_off_road:
            return
        track = world.roads.nearest_lane(ego.track)
        lane = (track.road_id, track.lane_id)
        if seen.lane is not None and seen.lane[0] == lane[0] and seen.lane != lane:
            seen.lane_changes.append(world.time_s)
        seen.lane = lane
        kind = world.roads.network.lane_type(track.road_id, track.lane_id, track.s)
        if kind == "sidewalk":
            seen.on_sidewalk.append(world.time_s)
        forward = world.roads.network.lane_drives_forward(track.road_id, track.lane_id)
        if kind == "driving" and ego.motion.speed > 0.1 and forward != (track.direction > 0):
            seen.wrong_way.append(world.time_s)

    def _post_encroachment(self) -> Extreme | None:
        best: Extreme | None = None
        for name in self._rects:
            if name == self._ego or self._coupled(self._world.entities[name]) or not self._ego:
                continue
            both = [
                (t, a, b)
                for t, a, b in zip(self._times, self._rects[self._ego], self._rects[name])
                if a is not None and b is not None
            ]
            if len(both) < 2:
                continue
            # Every fifth of a second is enough: boxes are swept between samples.
            step = max(1, round(0.1 / self._world.dt_s))
            thin = both[::step] + ([both[-1]] if (len(both) - 1) % step else [])
            times, ego, other = zip(*thin)
            value = metrics.post_encroachment_time(times, ego, other)
            if value is not None and (best is None or value < best.value):
                best = Extreme(value, times[-1], name)
        return best

    def _check(self, criterion: Criterion) -> CriterionResult:
        seen, value = self._seen, criterion.value
        passed, reason = True, "met"

        def at(times: list[float], what: str) -> tuple[bool, str]:
            return (not times, f"{what} at {times[0]:.2f} s" if times else "met")

        if criterion.test == "CollisionTest":
            hits = [c for c in self._collisions.values() if self._ego in (c.first, c.second)]
            passed, reason = at([c.time_s for c in hits], "collision")
        elif criterion.test == "DrivenDistanceTest":
            driven = self._world.entities[self._ego].traveled_m
            passed, reason = driven >= value, f"drove {driven:.1f} m"
        elif criterion.test == "MaxVelocityTest":
            passed, reason = seen.top_speed <= value + 1e-6, f"at most {seen.top_speed:.2f} m/s"
        elif criterion.test == "KeepLaneTest":
            passed, reason = at(seen.lane_changes, "left its lane")
        elif criterion.test == "WrongLaneTest":
            passed, reason = at(seen.wrong_way, "against the lane's direction")
        elif criterion.test == "OffRoadTest":
            passed, reason = at(seen.off_road, "off the road")
        elif criterion.test == "OnSidewalkTest":
            passed, reason = at(seen.on_sidewalk, "on a pavement")
        else:
            metric = "min_ttc" if criterion.test == "MinimumTimeToCollisionTest" else "min_distance"
            extreme = self._extremes.get(metric)
            if extreme is not None:
                passed = extreme.value >= value
                reason = f"{extreme.value:.2f} with {extreme.other} at {extreme.time_s:.2f} s"
        return CriterionResult(criterion.test, criterion.demand, passed, reason)

    def outcome(self, finished: bool) -> Outcome:
        """Return the outcome as of now.

        The verdict is "fail" when a criterion is not met; without any criteria, when the ego vehicle collides.
        """
        criteria = self._scenario.criteria
        if not criteria and self._ego:
            criteria = (Criterion("CollisionTest", 0.0),)
        results = tuple(self._check(c) for c in criteria)
        reasons = tuple(f"{r.test}: {r.reason} (demanded: {r.demand})" for r in results if not r.passed)
        verdict = "fail" if reasons else ("pass" if finished else "incomplete")
        return Outcome(
            verdict, reasons, self._ego, self._world.time_s,
            self.collisions,
            self._extremes.get("min_ttc"), self._extremes.get("min_headway"), self._extremes.get("min_distance"),
            self._extremes.get("max_drac"), self._post_encroachment(), results, tuple(self._world.notes),
        )  # fmt: skip

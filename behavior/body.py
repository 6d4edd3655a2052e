"""The body of a pedestrian as its skills see it: percept in, intended movement out, and what may hit it.

A behaviour tree's leaves read and write this object; it holds no goals. See :mod:`behavior.skills`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from behavior import gaps
from behavior.beliefs import Traffic
from behavior.gaps import Approach
from behavior.percept import Intention, Percept, Vec2
from behavior.profile import Profile

HALF_BODY_M = 0.25  # half of 0.478 m, SUMO's pedestrian class
KERB_STAND_M = 0.4  # where one stands to watch traffic, before its edge
_HORIZON_S = 2.5  # conflicts farther in the future do not alarm (chosen)
_CLEARANCE_S = 0.2  # a vehicle that misses by less is a conflict
_HURRY_FACTOR = 1.3  # v_max = 1.3 v0, Helbing and Molnar 1995


@dataclass
class Body:
    """State shared between an agent's mind and its skills.

    Attributes:
        percept, dt_s: of the present step.
        traffic: the vehicles believed in.
        intention: what the body will be asked to do; written by the skill that acts.
        planned_across_mps: how fast the current skill moves across the road, for the look-ahead.
        alarm: how the reactive branch answered a conflict in this step: "on", "back", "stand" or "".
        waited_s: time spent at the kerb for the crossing in hand.
        facing_deg: where the body faces when it stands; None for where it faces anyway.
        glance_deg: where the head points for the moment, None for straight ahead.
        holds_side: a crossing or an evasion is under way: the far side stays the far side, also beyond the road.
        threshold_offset_s: this person's deviation from the half-accepted gap, drawn for each approach to a kerb.
    """

    profile: Profile
    rng: np.random.Generator
    traffic: Traffic
    percept: Percept = field(default_factory=lambda: Percept(0.0, 0.0, 0.0))
    dt_s: float = 0.0
    intention: Intention = field(default_factory=Intention)
    planned_across_mps: float = 0.0
    alarm: str = ""
    waited_s: float = 0.0
    facing_deg: float | None = None
    glance_deg: float | None = None
    holds_side: bool = False
    threshold_offset_s: float = 0.0
    _misjudgement: dict[int, float] = field(default_factory=dict)
    _conflict_since: float | None = None
    _across_axis: Vec2 = (0.0, 0.0)
    _coming: tuple[float, float, list[Approach]] | None = None  # (time, along, approaches): one tick's cache

    def begin(self, percept: Percept, dt_s: float) -> None:
        """Start a step: nothing is intended yet."""
        self.percept, self.dt_s, self.alarm = self._oriented(percept), dt_s, ""
        self.intention, self._coming = Intention(), None

    def _oriented(self, percept: Percept) -> Percept:
        """Keep the side a crossing began on until it is over, even when the percept has changed sides."""
        road = percept.carriageway
        if road is None:
            return percept
        across = road.locate(percept.x, percept.y)[1]
        turned = road.across[0] * self._across_axis[0] + road.across[1] * self._across_axis[1] < 0.0
        if turned and (self.holds_side or 0.0 < across < road.width_m):
            return replace(percept, carriageway=road.turned())
        self._across_axis = road.across
        return percept

    # --- where --------------------------------------------------------------------------------------------

    def place(self) -> tuple[float, float]:
        """Return (along, across) on the carriageway; (0, -inf) where there is none."""
        road = self.percept.carriageway
        return road.locate(self.percept.x, self.percept.y) if road else (0.0, -math.inf)

    def on_road(self) -> bool:
        """Return whether the body is where moving traffic drives."""
        road = self.percept.carriageway
        return road is not None and 0.0 < self.place()[1] < road.width_m

    def gaze_deg(self) -> float:
        """Return where the head points, yaw in degrees."""
        return self.percept.yaw_deg if self.glance_deg is None else self.glance_deg

    # --- traffic ------------------------------------------------------------------------------------------

    def coming(self) -> list[Approach]:
        """Return the believed vehicles that come towards the line on which the body stands or walks."""
        road, time_s = self.percept.carriageway, self.percept.time_s
        if road is None:
            return []
        along = self.place()[0]
        if self._coming is None or self._coming[:2] != (time_s, along):
            self._coming = (time_s, along, gaps.approaches(road, along, self.traffic, time_s))
        return self._coming[2]

    def new_crossing(self) -> None:
        """Forget the last crossing: the wait starts at zero and a threshold is drawn."""
        self.waited_s = 0.0
        self.threshold_offset_s = gaps.draw_offset_s(self.rng)
        self._misjudgement.clear()

    def accepts_gap(self, speed_mps: float) -> bool:
        """Return whether the believed gap is long enough for this person to step out at ``speed_mps``."""
        road = self.percept.carriageway
        if road is None:
            return True
        saved = road.width_m / self.profile.crossing_mps - road.width_m / max(speed_mps, 0.1)
        half = gaps.half_accepted_s(road.width_m, self.profile, self.waited_s) - max(saved, 0.0)
        for approach in self.coming():
            if approach.yields:
                continue
            gap = gaps.perceived_gap_s(approach, self.profile, self._factor(approach.id))
            # The logit's lower tail would send one in thirty into the way of a car that is two seconds off. Nobody
            # who looks takes a gap in which he cannot get through the lane; 3 s is the least that was observed.
            through = (approach.lane_far_m - self.place()[1] + HALF_BODY_M) / max(speed_mps, 0.1)
            if gap < max(half + self.threshold_offset_s, min(through, gaps.LEAST_OBSERVED_S)):
                return False
        return True

    def _factor(self, vehicle_id: int) -> float:
        """Return by how much this person misjudges this vehicle's gap: drawn once, log-normal with mean 1."""
        if vehicle_id not in self._misjudgement:
            sigma = math.sqrt(math.log(1.0 + self.profile.gap_noise**2))
            self._misjudgement[vehicle_id] = float(self.rng.lognormal(-0.5 * sigma * sigma, sigma))
        return self._misjudgement[vehicle_id]

    def conflict(self, across_mps: float) -> bool:
        """Return whether a believed vehicle will hit the body when it moves across the road at this speed."""
        across = self.place()[1]
        for approach in self.coming():
            if approach.arrival_s > _HORIZON_S or approach.speed_mps < 0.3:
                continue
            first = max(0.0, approach.arrival_s - _CLEARANCE_S)
            last = approach.arrival_s + 5.0 / approach.speed_mps + _CLEARANCE_S
            positions = across + across_mps * first, across + across_mps * last
            if (
                min(positions) - HALF_BODY_M < approach.lane_far_m
                and max(positions) + HALF_BODY_M > approach.lane_near_m
            ):
                return True
        return False

    def threatened(self) -> bool:
        """Return whether a conflict has been there for as long as this person needs to react."""
        if not self.on_road() or not self.conflict(self.planned_across_mps):
            self._conflict_since = None
            return False
        if self._conflict_since is None:
            self._conflict_since = self.percept.time_s
        return self.percept.time_s - self._conflict_since >= self.profile.reaction_s - 1e-9

    def way_out(self) -> str:
        """Return how to get out of the way: "on" (run across), "stand" or "back", whichever is free.

        When nothing is, the shorter way out of the strip of the vehicle that comes first is taken.
        """
        run = self.profile.run_mps
        for name, speed in (("on", run), ("stand", 0.0), ("back", -self.hurry_mps())):
            if not self.conflict(speed):
                return name
        first = self.coming()[0]
        across = self.place()[1]
        onward = (first.lane_far_m + HALF_BODY_M - across) / run
        backward = (across - first.lane_near_m + HALF_BODY_M) / self.hurry_mps()
        return "on" if onward <= backward else "back"

    def hurry_mps(self) -> float:
        """Return the speed of someone who hurries but does not run."""
        return min(_HURRY_FACTOR * self.profile.crossing_mps, self.profile.run_mps)

    # --- movement -----------------------------------------------------------------------------------------

    def stand(self, label: str) -> None:
        """Intend to stand still."""
        self.planned_across_mps = 0.0
        self.intention = Intention((0.0, 0.0, 0.0), 0.0, self._look_at(), label)

    def walk(self, target: Vec2, speed_mps: float, label: str) -> float:
        """Intend to walk straight to a point; returns the distance to it, metres."""
        dx, dy = target[0] - self.percept.x, target[1] - self.percept.y
        distance = math.hypot(dx, dy)
        if distance < 1e-6:
            self.stand(label)
            return 0.0
        direction = (dx / distance, dy / distance, 0.0)
        # Never more in one step than what is left, or the body swings about its target.
        speed = min(speed_mps, distance / self.dt_s) if self.dt_s > 0.0 else speed_mps
        road = self.percept.carriageway
        self.planned_across_mps = (
            speed * (direction[0] * road.across[0] + direction[1] * road.across[1]) if road else 0.0
        )
        self.intention = Intention(direction, speed, self._look_at(), label)
        return distance

    def _look_at(self) -> tuple[float, float, float] | None:
        facing = self.glance_deg if self.glance_deg is not None else self.facing_deg
        if facing is None:
            return None
        angle = math.radians(facing)
        return (
            self.percept.x + 10.0 * math.cos(angle),
            self.percept.y + 10.0 * math.sin(angle),
            self.percept.z + 0.5 * self.profile.stature_m,
        )

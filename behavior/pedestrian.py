"""A pedestrian who wants to get somewhere: BDI on top, behaviour trees below.

    agent = PedestrianAgent(profile, goal=(12.0, -4.0), rng=generator(seed, "child", "agent"))
    intention = agent.step(percept, dt_s=0.05)

What it does follows from what it believes, and it believes only in what it could see and noticed. The same
agent crosses at a gap, darts out, waits, gives up or jumps back, depending on who it is and what comes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from behavior.bdi import Desire, Do, Goal, Mind, Plan, Status, Steps
from behavior.beliefs import Traffic
from behavior.body import KERB_STAND_M, Body
from behavior.percept import Carriageway, Intention, Percept, Vec2
from behavior.profile import DART_OUT, Profile
from behavior.skills import SkillSet

LOOK_PERIOD_S = 0.1
"""How often somebody takes in the scene; a percept between two looks may have ``seen`` None."""

_DELIBERATION_PERIOD_S = 0.2
_MAX_SKILLS_A_STEP = 4
_ARRIVED_M = 0.5
_DETOUR_AT_FULL_COMPLIANCE_S = 40.0  # what the most careful person walks to reach a zebra (chosen)
_MAX_RETREATS = 3
_LOST_IN_THOUGHT = 0.2  # below this attention the road is entered without a look (chosen)
_ZEBRA_REACH_M = 2.0


class PedestrianAgent:
    """One pedestrian's mind and skills.

    Args:
        profile: who it is.
        goal: where it wants to be, (x, y).
        rng: its own random stream.
        haste: 0 no hurry .. 1: walks as fast as it crosses, and crosses as it hurries.
    """

    def __init__(self, profile: Profile, goal: Vec2, rng: np.random.Generator, *, haste: float = 0.0) -> None:
        if not 0.0 <= haste <= 1.0:
            raise ValueError(f"haste is {haste}, must be within 0..1")
        self.profile = profile
        self.goal = goal
        self.haste = haste
        self.traffic = Traffic(profile)
        self._body = Body(profile, rng, self.traffic)
        self._phase_s = float(rng.uniform(0.0, LOOK_PERIOD_S))
        self._next_look_s = -math.inf
        self._next_deliberation_s = -math.inf
        self._skills = SkillSet(self._body)
        self.mind = Mind(self._plans(), self._desires(), self._skills)
        self._body.new_crossing()

    # --- what the world calls ----------------------------------------------------------------------------

    def wants_to_look(self, time_s: float) -> bool:
        """Return whether the next percept should bring a new look; computing sight lines is what costs most."""
        return time_s >= self._next_look_s - 1e-9

    def step(self, percept: Percept, dt_s: float) -> Intention:
        """Perceive, deliberate when something happened or it is time, and act for one step.

        Args:
            percept: what there is to see and feel now.
            dt_s: the time until the next step.
        """
        body = self._body
        body.begin(percept, dt_s)
        if percept.seen is not None:
            looking = body.glance_deg is not None
            noticed = self.traffic.perceive(percept, body.gaze_deg(), alert=looking)
            for vehicle in noticed:
                self.mind.beliefs.set(f"vehicle {vehicle}", True)
            self._schedule_look(percept.time_s)
        for _ in range(_MAX_SKILLS_A_STEP):
            self._update_beliefs(percept)
            if self.mind.woken or percept.time_s >= self._next_deliberation_s - 1e-9:
                self.mind.deliberate(percept.time_s)
                self._next_deliberation_s = percept.time_s + _DELIBERATION_PERIOD_S
            # A skill that ends leaves time for the next one to begin, so nobody pauses between two of them.
            if self.mind.act(percept.time_s) not in (Status.PASSED, Status.FAILED):
                break
        if body.alarm:
            self.mind.beliefs.set("danger", body.alarm)
        return body.intention

    @property
    def arrived(self) -> bool:
        """Whether the goal is reached."""
        return self._near_goal()

    @property
    def gave_up(self) -> bool:
        """Whether no plan for the goal is left."""
        return self.mind.is_impossible("reach")

    # --- beliefs -----------------------------------------------------------------------------------------

    def _schedule_look(self, time_s: float) -> None:
        # Looks of different people fall on different ticks.
        if self._next_look_s == -math.inf:
            self._next_look_s = time_s + self._phase_s
        while self._next_look_s <= time_s + 1e-9:
            self._next_look_s += LOOK_PERIOD_S

    def _update_beliefs(self, percept: Percept) -> None:
        beliefs = self.mind.beliefs
        beliefs.set("on road", self._body.on_road())
        beliefs.set("light", percept.light)
        beliefs.set("impatient", self._body.waited_s >= self.profile.patience_s)
        for name in [e for e in self._believed_vehicles() if int(e.split()[1]) not in self.traffic]:
            beliefs.set(name, None)

    def _believed_vehicles(self) -> list[str]:
        return self.mind.beliefs.names("vehicle ")

    def _near_goal(self) -> bool:
        percept = self._body.percept
        return math.hypot(self.goal[0] - percept.x, self.goal[1] - percept.y) < _ARRIVED_M

    def _side(self, point: Vec2) -> int:
        """Return -1 on the near side of the carriageway, 1 beyond it, 0 on it (or where there is none)."""
        road = self._body.percept.carriageway
        if road is None:
            return 0
        across = road.locate(*point)[1]
        return -1 if across <= 0.0 else 1 if across >= road.width_m else 0

    def _must_cross(self) -> bool:
        percept = self._body.percept
        if percept.carriageway is None:
            return False
        return self._side((percept.x, percept.y)) != self._side(self.goal)

    # --- desires -----------------------------------------------------------------------------------------

    def _desires(self) -> list[Desire]:
        beliefs: Callable[[str], object] = lambda name: self.mind.beliefs[name]  # noqa: E731
        return [
            Desire(Goal("safe"), lambda: 10.0 if beliefs("danger") else 0.0, lambda: False),
            Desire(Goal("reach", self.goal), lambda: 1.0, self._near_goal),
            Desire(Goal("rest"), lambda: 0.1, lambda: False),
        ]

    # --- plans -------------------------------------------------------------------------------------------

    def _plans(self) -> list[Plan]:
        def always(goal: Goal) -> bool:
            return True

        retries = [
            Plan(f"cross after retreat {n}", "crossed", self._has_retreated(n), self._at_gap, lambda goal: 1.5)
            for n in range(1, _MAX_RETREATS + 1)
        ]
        return [
            Plan("jump aside", "safe", always, self._get_out),
            Plan("stand", "rest", always, self._rest),
            Plan("walk along", "reach", lambda goal: not self._must_cross(), self._walk_along),
            Plan("cross first", "reach", lambda goal: self._must_cross(), self._cross_first),
            Plan("dart out", "crossed", self._is_carried_away, self._dart_out, lambda goal: 3.0),
            Plan("step out unseeing", "crossed", self._is_lost_in_thought, self._step_out, lambda goal: 2.8),
            Plan("at the light", "crossed", self._obeys_light, self._at_light, lambda goal: 2.5),
            Plan("at the zebra", "crossed", self._zebra_is_worth_it, self._at_zebra, lambda goal: 2.0),
            Plan("at a gap", "crossed", self._at_kerb_or_near, self._at_gap, lambda goal: 1.0),
            Plan("accept risk", "crossed", self._takes_risks, self._hurry, lambda goal: 0.5),
            Plan("reroute", "crossed", self._knows_a_zebra, self._at_zebra, lambda goal: 0.2),
            *retries,
        ]

    def _get_out(self, goal: Goal) -> Steps:
        way = self.mind.beliefs["danger"]
        yield Do("get_out", {"way": way})
        if way == "back":
            self.mind.beliefs.note("retreats", (self.mind.beliefs["retreats"] or 0) + 1)
            self._body.new_crossing()
        self.mind.beliefs.set("danger", None)

    def _rest(self, goal: Goal) -> Steps:
        yield Do("stand")

    def _walk_along(self, goal: Goal) -> Steps:
        yield Do("walk_to", {"target": self.goal, "pace": "cross" if self.haste >= 0.5 else "walk"})

    def _cross_first(self, goal: Goal) -> Steps:
        yield Goal("crossed")
        yield Goal("reach", self.goal)

    # Contexts of the plans to cross, and their bodies.

    def _is_carried_away(self, goal: Goal) -> bool:
        return self.profile.impulsiveness >= DART_OUT and not self.mind.beliefs["retreats"]

    def _is_lost_in_thought(self, goal: Goal) -> bool:
        return self.profile.attention < _LOST_IN_THOUGHT and not self.mind.beliefs["retreats"]

    def _obeys_light(self, goal: Goal) -> bool:
        return self._body.percept.light is not None and self.profile.compliance >= 0.5

    def _at_kerb_or_near(self, goal: Goal) -> bool:
        return self._body.percept.light is None or self.profile.compliance < 0.5

    def _takes_risks(self, goal: Goal) -> bool:
        return bool(self.mind.beliefs["impatient"]) and (self.profile.compliance < 0.7 or self.haste >= 0.5)

    def _has_retreated(self, times: int) -> Callable[[Goal], bool]:
        return lambda goal: (self.mind.beliefs["retreats"] or 0) >= times

    def _knows_a_zebra(self, goal: Goal) -> bool:
        return bool(self.mind.beliefs["impatient"]) and self._nearest_zebra() is not None

    def _zebra_is_worth_it(self, goal: Goal) -> bool:
        """Mid-block crossing is chosen when the detour costs more than what this person gives for safety."""
        zebra, road = self._nearest_zebra(), self._body.percept.carriageway
        if zebra is None or road is None:
            return False
        here = self._body.place()[0]
        there = road.locate(*self.goal)[0]
        detour_m = abs(zebra - here) + abs(there - zebra) - abs(there - here)
        worth_s = self.profile.compliance * _DETOUR_AT_FULL_COMPLIANCE_S * (1.0 - 0.5 * self.haste)
        return detour_m / self.profile.walk_mps <= worth_s

    def _nearest_zebra(self) -> float | None:
        """Return the along coordinate nearest to here that lies on a zebra."""
        road = self._body.percept.carriageway
        if road is None or not road.crosswalks:
            return None
        here = self._body.place()[0]
        nearest = min(road.crosswalks, key=lambda zebra: abs(zebra[0] - here))
        middle, half = nearest
        return min(max(here, middle - 0.7 * half), middle + 0.7 * half)

    def _road(self) -> Carriageway:
        road = self._body.percept.carriageway
        assert road is not None, "a plan to cross was chosen where there is no road"
        return road

    def _pace(self) -> str:
        return "hurry" if self.haste >= 0.5 else "cross"

    def _dart_out(self, goal: Goal) -> Steps:
        yield Do("cross", {"pace": "run", "check": False, "target": self.goal})

    def _step_out(self, goal: Goal) -> Steps:
        yield Do("cross", {"pace": "cross", "check": False})

    def _at_gap(self, goal: Goal) -> Steps:
        road, pace = self._road(), self._pace()
        # Facing the goal halfway saves steps; straight over is the shortest time on the road.
        yield Do("walk_to", {"target": road.point(self._body.place()[0], -KERB_STAND_M), "pace": "walk"})
        yield Do("wait_at_kerb", {"pace": pace, "ignore_light": self.profile.compliance < 0.5})
        yield Do("cross", {"pace": pace})

    def _at_zebra(self, goal: Goal) -> Steps:
        road, pace = self._road(), self._pace()
        zebra = self._nearest_zebra()
        if zebra is None:
            return
        self._body.new_crossing()
        pavement = min(road.near_kerb_m, 0.0) - KERB_STAND_M
        if abs(self._body.place()[0] - zebra) > _ZEBRA_REACH_M:
            yield Do("walk_to", {"target": road.point(zebra, min(self._body.place()[1], pavement)), "pace": "walk"})
        yield Do("walk_to", {"target": road.point(zebra, -KERB_STAND_M), "pace": "walk"})
        yield Do("wait_at_kerb", {"pace": pace})
        yield Do("cross", {"pace": pace})

    def _at_light(self, goal: Goal) -> Steps:
        road = self._road()
        yield Do("walk_to", {"target": road.point(self._body.place()[0], -KERB_STAND_M), "pace": "walk"})
        yield Do("wait_at_kerb", {"pace": "cross", "patience_s": math.inf})
        yield Do("stand", {"duration_s": self.profile.start_up_s})
        yield Do("cross", {"pace": "cross"})

    def _hurry(self, goal: Goal) -> Steps:
        yield Do("check_traffic")
        yield Do("wait_at_kerb", {"pace": "run", "patience_s": 2.0 * self.profile.patience_s, "ignore_light": True})
        yield Do("cross", {"pace": "run"})

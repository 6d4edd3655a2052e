"""The BDI kernel, with skills that end as the test says: what an if-else could not do."""

from __future__ import annotations

from typing import Any

from behavior.bdi import Desire, Do, Goal, Mind, Plan, Status


class Hands:
    """Skills whose outcome the test sets; remembers what was asked."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.results: dict[str, Status] = {}
        self.current = ""

    def start(self, skill: str, parameters: dict[str, Any]) -> None:
        self.log.append(skill)
        self.current = skill

    def tick(self) -> Status:
        return self.results.get(self.current, Status.RUNNING)

    def halt(self) -> None:
        self.log.append(f"halt {self.current}")
        self.current = ""


def body(*steps: Do | Goal):  # type: ignore[no-untyped-def]
    def make(goal: Goal):  # type: ignore[no-untyped-def]
        yield from steps

    return make


def yes(goal: Goal) -> bool:
    return True


def cycle(mind: Mind, hands: Hands, times: int = 1) -> None:
    for n in range(times):
        mind.deliberate(float(n))
        mind.act(float(n))


def desire(name: str = "home", utility: float = 1.0) -> Desire:
    return Desire(Goal(name), lambda: utility, lambda: False)


def events(mind: Mind, event: str) -> list[str]:
    return [entry.subject for entry in mind.trace if entry.event == event]


def test_the_next_applicable_plan_follows_a_failure() -> None:
    hands = Hands()
    plans = [
        Plan("bus", "home", yes, body(Do("ride")), lambda goal: 2.0),
        Plan("taxi", "home", lambda goal: False, body(Do("taxi")), lambda goal: 1.5),
        Plan("walk", "home", yes, body(Do("walk")), lambda goal: 1.0),
    ]
    mind = Mind(plans, [desire()], hands)
    hands.results["ride"] = Status.FAILED
    cycle(mind, hands, 3)
    assert hands.log == ["ride", "walk"], "the inapplicable taxi is left out"
    assert events(mind, "-!") == ["home()"]


def test_a_goal_without_plans_left_is_given_up_and_can_be_reconsidered() -> None:
    hands = Hands()
    mind = Mind([Plan("walk", "home", yes, body(Do("walk")))], [desire()], hands)
    hands.results["walk"] = Status.FAILED
    cycle(mind, hands, 3)
    assert mind.is_impossible("home")
    assert mind.intention == ""
    hands.results["walk"] = Status.RUNNING
    mind.reconsider()
    cycle(mind, hands)
    assert mind.intention == "walk > walk"


def test_failure_of_a_subgoal_climbs_to_the_plan_above() -> None:
    hands = Hands()
    plans = [
        Plan("fly", "home", yes, body(Goal("ticket"), Do("fly")), lambda goal: 2.0),
        Plan("walk", "home", yes, body(Do("walk"))),
        Plan("buy", "ticket", yes, body(Do("pay"))),
    ]
    mind = Mind(plans, [desire()], hands)
    hands.results["pay"] = Status.FAILED
    cycle(mind, hands, 4)
    assert hands.log == ["pay", "walk"]


def test_steps_follow_one_another_and_the_goal_is_achieved() -> None:
    hands = Hands()
    mind = Mind([Plan("go", "home", yes, body(Do("a"), Do("b")))], [desire()], hands)
    hands.results = {"a": Status.PASSED, "b": Status.PASSED}
    cycle(mind, hands, 3)
    assert hands.log[:2] == ["a", "b"]
    assert "home()" in events(mind, "achieved")


def test_a_stronger_desire_suspends_and_the_old_one_resumes_with_a_fresh_skill() -> None:
    hands = Hands()
    alarm = {"value": 0.0}
    safe = Desire(Goal("safe"), lambda: alarm["value"], lambda: False)
    plans = [Plan("walk", "home", yes, body(Do("walk"))), Plan("jump", "safe", yes, body(Do("jump")))]
    mind = Mind(plans, [safe, desire()], hands)
    cycle(mind, hands)
    alarm["value"] = 10.0
    cycle(mind, hands)
    assert hands.log == ["walk", "halt walk", "jump"]
    hands.results["jump"] = Status.PASSED
    cycle(mind, hands)
    alarm["value"] = 0.0
    cycle(mind, hands)
    assert hands.log[-1] == "walk"
    assert events(mind, "suspended") == ["home()"]
    assert events(mind, "resumed")[-1] == "home()"


def test_a_slightly_stronger_desire_does_not_take_over() -> None:
    hands = Hands()
    other = {"value": 0.0}
    tea = Desire(Goal("tea"), lambda: other["value"], lambda: False)
    plans = [Plan("walk", "home", yes, body(Do("walk"))), Plan("brew", "tea", yes, body(Do("brew")))]
    mind = Mind(plans, [desire(), tea], hands, hysteresis=1.2)
    cycle(mind, hands)
    other["value"] = 1.15
    cycle(mind, hands)
    assert hands.log == ["walk"]
    other["value"] = 1.25
    cycle(mind, hands)
    assert hands.log[-1] == "brew"


def test_what_is_no_longer_wanted_is_dropped() -> None:
    hands = Hands()
    wish = {"value": 1.0}
    home = Desire(Goal("home"), lambda: wish["value"], lambda: False)
    mind = Mind([Plan("walk", "home", yes, body(Do("walk")))], [home], hands)
    cycle(mind, hands)
    wish["value"] = 0.0
    cycle(mind, hands)
    assert hands.log == ["walk", "halt walk"]
    assert events(mind, "dropped") == ["home()"]


def test_belief_changes_wake_the_mind_and_are_traced_once() -> None:
    mind = Mind([], [], Hands())
    mind.deliberate(0.0)
    mind.beliefs.set("car", True)
    assert mind.woken
    mind.deliberate(0.1)
    mind.beliefs.set("car", True)
    assert not mind.woken
    mind.beliefs.set("car", None)
    assert events(mind, "+b") == ["car"]
    assert events(mind, "-b") == ["car"]


def test_context_is_looked_at_when_the_goal_is_handled_not_before() -> None:
    hands = Hands()
    rain = {"now": False}
    plans = [
        Plan("walk", "home", lambda goal: not rain["now"], body(Do("walk")), lambda goal: 2.0),
        Plan("wait", "home", lambda goal: rain["now"], body(Do("wait"))),
        Plan("first", "day", yes, body(Do("work"), Goal("home"))),
    ]
    mind = Mind(plans, [desire("day")], hands)
    cycle(mind, hands)
    rain["now"] = True
    hands.results["work"] = Status.PASSED
    cycle(mind, hands, 2)
    assert hands.log == ["work", "wait"]


def test_a_plan_that_never_acts_fails_instead_of_hanging() -> None:
    hands = Hands()
    plans = [Plan("loop", "home", yes, body(Goal("home")))]
    mind = Mind(plans, [desire()], hands, max_steps=16)
    cycle(mind, hands, 2)
    assert any("no action" in entry.detail for entry in mind.trace)

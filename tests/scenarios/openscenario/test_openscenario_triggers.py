"""Triggers: edges, delays, groups and states, step by step (science: the traps of the standard's section on conditions)."""

# ruff: noqa: E501 - lines of XML stay whole
from __future__ import annotations

from pathlib import Path

import pytest
from building import (
    act,
    after,
    at,
    by_entity,
    car,
    event,
    execution,
    group,
    maneuver,
    private,
    speed,
    state,
    text,
    times,
    until,
)

from scenarios.openscenario import board
from scenarios.openscenario.conditions import Memory
from scenarios.openscenario.triggers import Condition, RunningTrigger, Trigger

T, F = True, False


class World:
    """Only a clock: what conditions by value need."""

    time_s = 0.0


class Script:
    """A condition that is what the script says, one value a step."""

    def __init__(self, values: list[bool]) -> None:
        self.values, self.calls = values, 0

    def holds(self, world: object, memory: Memory) -> bool:
        self.calls += 1
        return self.values[self.calls - 1]


def run(groups: list[list[tuple[list[bool], str, float]]], dt: float = 1.0) -> tuple[list[bool], list[Script]]:
    scripts: list[Script] = []
    built = []
    for conditions in groups:
        row = []
        for values, edge, delay in conditions:
            scripts.append(Script(values))
            row.append(Condition("c", edge, delay, scripts[-1], None))
        built.append(tuple(row))
    trigger, world, seen = RunningTrigger(Trigger(tuple(built)), empty=False), World(), []
    for step in range(len(groups[0][0][0])):
        world.time_s = step * dt
        seen.append(trigger.evaluate(world).true)  # type: ignore[arg-type]
    return seen, scripts


@pytest.mark.parametrize(
    ("edge", "values", "expected"),
    [
        ("none", [F, T, T, F], [F, T, T, F]),
        ("rising", [F, T, T, F, T], [F, T, F, F, T]),
        ("rising", [T, T, F, T], [F, F, F, T]),
        ("falling", [T, F, F, T, F], [F, T, F, F, T]),
        ("falling", [F, F, T, F], [F, F, F, T]),
        ("risingOrFalling", [T, T, F, T, T], [F, F, T, T, F]),
    ],
)
def test_edges(edge: str, values: list[bool], expected: list[bool]) -> None:
    assert run([[(values, edge, 0.0)]])[0] == expected


@pytest.mark.parametrize(
    ("edge", "delay", "values", "expected"),
    [
        ("none", 2.0, [T, T, F, F, T, T], [F, F, T, T, F, F]),
        ("rising", 2.0, [F, T, T, T, T, T], [F, F, F, T, F, F]),
        ("rising", 1.5, [F, T, T, T, T, T], [F, F, F, T, F, F]),
        ("rising", 10.0, [F, T, T, T, T, T], [F] * 6),
    ],
)
def test_a_delay_shifts_the_value_after_the_edge(
    edge: str, delay: float, values: list[bool], expected: list[bool]
) -> None:
    assert run([[(values, edge, delay)]])[0] == expected


def test_two_delayed_pulses_of_a_group_must_coincide() -> None:
    early, late = [F, T, T, T, T, T], [F, F, F, T, T, T]
    assert not any(run([[(early, "rising", 0.0), (late, "rising", 0.0)]])[0])
    assert run([[(early, "rising", 2.0), (late, "rising", 0.0)]])[0] == [F, F, F, T, F, F]


def test_groups_are_alternatives() -> None:
    assert run([[([F, F, T], "none", 0.0)], [([F, T, F], "none", 0.0)]])[0] == [F, T, T]


def test_every_condition_is_evaluated_in_every_step() -> None:
    _, scripts = run([[([F] * 4, "none", 0.0), ([F, T, F, T], "rising", 0.0)], [([T] * 4, "none", 0.0)]])
    assert [s.calls for s in scripts] == [4, 4, 4]


def test_empty_start_is_true_and_empty_stop_false() -> None:
    for empty in (True, False):
        assert RunningTrigger(None, empty=empty).evaluate(World()).true is empty  # type: ignore[arg-type]
        assert RunningTrigger(Trigger(()), empty=empty).evaluate(World()).true is empty  # type: ignore[arg-type]


def test_a_rising_condition_that_is_true_from_the_start_never_fires(tmp_path: Path) -> None:
    story = act(maneuver(event("never", speed(0.0), group(after(-1.0, edge="rising")))))
    run_ = until(execution(tmp_path, text(story=story)), 2.0)
    assert times(run_, "never", board.START) == []


def test_simulation_time_is_quantised_to_the_step(tmp_path: Path) -> None:
    story = act(maneuver(event("e", speed(0.0), group(after(1.0, edge="rising")))))
    assert times(until(execution(tmp_path, text(story=story), dt=0.05), 2.0), "e", board.START) == [1.05]


def test_conditions_live_from_standby_on(tmp_path: Path) -> None:
    """The act starts at 2 s; a rising edge at 1 s was nobody's, so the event never starts."""
    story = act(maneuver(event("late", speed(0.0), group(after(1.0, edge="rising")))), start=group(after(2.0)))
    run_ = until(execution(tmp_path, text(story=story)), 4.0)
    assert times(run_, "act", board.START) == [2.01]
    assert times(run_, "late", board.START) == []


def test_a_transition_is_seen_exactly_once(tmp_path: Path) -> None:
    story = act(
        maneuver(
            event("sees", speed(3.0), group(state("event", "first", "endTransition")), maximum=5),
            event("first", speed(2.0), group(after(1.0))),
            event("sees-too", speed(4.0), group(state("event", "first", "endTransition")), maximum=5),
        )
    )
    run_ = until(execution(tmp_path, text(story=story)), 3.0)
    assert times(run_, "first", board.END) == [1.01]
    # Visited before the event: seen in the next step; visited after it: in the same.
    assert times(run_, "sees", board.START) == [1.02]
    assert times(run_, "sees-too", board.START) == [1.01]


def test_names_mean_the_nearest_element(tmp_path: Path) -> None:
    inner = maneuver(
        event("go", speed(5.0), group(after(1.0))),
        event("then", speed(6.0), group(state("event", "go", "completeState"))),
        name="a",
    )
    other = maneuver(
        event("go", speed(7.0), group(after(3.0))),
        event("then", speed(8.0), group(state("event", "go", "completeState"))),
        name="b",
    )
    run_ = until(execution(tmp_path, text(story=act(inner, other))), 4.0)
    assert times(run_, "then", board.START) == [1.02, 3.01] or times(run_, "then", board.START) == [1.01, 3.01]


@pytest.mark.parametrize(("rule", "expected"), [("any", 1.01), ("all", 3.02)])
def test_any_and_all_triggering_entities(tmp_path: Path, rule: str, expected: float) -> None:
    """B speeds up at 3.01 s, in an act that is visited after the one that waits for it."""
    faster = '<SpeedCondition value="20" rule="greaterThan"/>'
    story = act(
        maneuver(
            event("a", speed(30.0), group(after(1.0))),
            event("seen", speed(1.0), group(by_entity(faster, "Ego,B", rule=rule))),
        )
    )
    second = act(maneuver(event("b", speed(30.0), group(after(3.0)))), actors="B").replace('name="act"', 'name="two"')
    content = text(
        entities=car("Ego") + car("B"),
        init=private("Ego", at(50.0)) + private("B", at(80.0)),
        story=story.replace('actors="Ego"', "") + second,
    )
    assert times(until(execution(tmp_path, content), 4.0), "seen", board.START) == [expected]


def test_triggering_entities_can_be_the_actors(tmp_path: Path) -> None:
    story = act(
        maneuver(
            event("brake", speed(0.0), group(by_entity('<SpeedCondition value="20" rule="greaterThan"/>', "Ego,B")))
        ),
        actors="",
        select=True,
    )
    content = text(
        entities=car("Ego") + car("B"), init=private("Ego", at(50.0), speed(10.0)) + private("B", at(80.0), speed(25.0)),
        story=story,
    )  # fmt: skip
    run_ = until(execution(tmp_path, content), 1.0)
    assert run_.motions["Ego"].speed == 10.0
    assert run_.motions["B"].speed == 0.0

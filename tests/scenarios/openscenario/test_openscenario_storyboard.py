"""The state machines: priorities, execution counts, domains, stops."""

# ruff: noqa: E501 - lines of XML stay whole
from __future__ import annotations

from pathlib import Path

import pytest
from building import (
    act,
    after,
    at,
    car,
    event,
    execution,
    group,
    lane_change,
    maneuver,
    private,
    speed,
    state,
    text,
    times,
    until,
)

from scenarios.openscenario import board

SLOW = speed(20.0, "linear", "time", 4.0)


def test_a_parent_starts_its_children_in_the_same_step(tmp_path: Path) -> None:
    story = act(maneuver(event("e", speed(5.0), "")), start=group(after(1.0)))
    run = until(execution(tmp_path, text(story=story)), 2.0)
    for name in ("act", "group", "maneuver", "e", "e-0"):
        assert times(run, name, board.START) == [1.01], name
    for name in ("act", "group", "maneuver", "e", "e-0", "story"):
        assert times(run, name, board.END) == [1.01], name


def test_an_act_without_start_trigger_starts_with_its_story(tmp_path: Path) -> None:
    story = act(maneuver(event("e", speed(5.0), None))).replace("<StartTrigger></StartTrigger>", "")
    assert times(until(execution(tmp_path, text(story=story, minor=3)), 0.1), "e", board.START) == [0.0]


def test_override_ends_the_other_events_of_the_maneuver_for_good(tmp_path: Path) -> None:
    story = act(
        maneuver(
            event("long", SLOW, group(after(1.0)), maximum=3),
            event("strong", speed(1.0), group(after(2.0)), priority="override"),
        ),
        maneuver(event("elsewhere", lane_change(-2, 5.0), group(after(1.0))), name="other"),
    )
    run = until(execution(tmp_path, text(story=story)), 5.0)
    assert times(run, "long", board.STOP) == [2.01]
    assert times(run, "long", board.START) == [1.01], "no execution after having been overridden"
    assert times(run, "strong", board.START) == [2.01]
    assert times(run, "elsewhere", board.STOP) == [], "the scope of a priority is the maneuver"


def test_overwrite_is_the_old_name_of_override(tmp_path: Path) -> None:
    story = act(
        maneuver(
            event("long", SLOW, group(after(1.0))),
            event("strong", lane_change(-2, 1.0), group(after(2.0)), "overwrite"),
        )
    )
    assert times(until(execution(tmp_path, text(story=story)), 3.0), "long", board.STOP) == [2.01]


def test_skip_lets_the_event_pass_and_uses_up_an_execution(tmp_path: Path) -> None:
    story = act(
        maneuver(
            event("long", SLOW, group(after(1.0))),
            event("polite", lane_change(-2, 1.0), group(after(2.0, edge="rising")), "skip", maximum=1),
            event("patient", lane_change(-2, 1.0), group(after(2.0)), "skip", maximum=1000),
        )
    )
    run = until(execution(tmp_path, text(story=story)), 7.0)
    assert times(run, "polite", board.SKIP) == [2.01]
    assert times(run, "polite", board.START) == []
    skipped = times(run, "patient", board.SKIP)
    assert skipped[0] == 2.01
    assert len(skipped) == 300, "each step until the long event ended at 5.01 was an execution"
    assert times(run, "patient", board.START)[0] == 5.01


def test_parallel_runs_beside(tmp_path: Path) -> None:
    story = act(
        maneuver(
            event("long", SLOW, group(after(1.0))), event("beside", lane_change(-2, 1.0), group(after(2.0)), "parallel")
        )
    )
    run = until(execution(tmp_path, text(story=story)), 6.0)
    assert times(run, "long", board.END) == [5.01]
    assert times(run, "beside", board.END) == [3.01]


def test_a_new_action_in_the_domain_ends_the_old_one_across_maneuvers(tmp_path: Path) -> None:
    story = act(
        maneuver(event("old", SLOW, group(after(1.0))), name="m1"),
        maneuver(event("new", speed(3.0), group(after(2.0))), name="m2"),
        maneuver(event("side", lane_change(-2, 3.0), group(after(1.5))), name="m3"),
    )
    run = until(execution(tmp_path, text(story=story)), 5.0)
    assert times(run, "old-0", board.STOP) == [2.01] or times(run, "old-0", board.STOP) == [2.02]
    assert run.motions["Ego"].speed == 3.0
    assert times(run, "side-0", board.END) == [4.51], "another domain goes on"


def test_init_actions_with_a_duration_go_on_into_the_story(tmp_path: Path) -> None:
    content = text(
        init=private("Ego", at(50.0), speed(20.0, "linear", "time", 2.0)),
        story=act(maneuver(event("e", lane_change(-2, 1.0), ""))),
    )
    run = execution(tmp_path, content)
    assert run.motions["Ego"].speed == 0.0
    assert until(run, 1.0).motions["Ego"].speed == pytest.approx(10.0)
    assert until(run, 3.0).motions["Ego"].speed == 20.0


def test_maximum_execution_count_counts_starts(tmp_path: Path) -> None:
    story = act(maneuver(event("again", speed(5.0), group(after(1.0)), maximum=3)))
    run = until(execution(tmp_path, text(story=story)), 3.0)
    assert times(run, "again", board.START) == [1.01, 1.02, 1.03]
    assert times(run, "act", board.END) == [1.03]


def test_conditions_begin_afresh_after_an_execution(tmp_path: Path) -> None:
    """A rising edge needs a step before it, so a condition that stays true does not fire again."""
    story = act(maneuver(event("again", speed(5.0), group(after(1.0, edge="rising")), maximum=3)))
    assert times(until(execution(tmp_path, text(story=story)), 3.0), "again", board.START) == [1.01]


def test_a_maneuver_group_repeats(tmp_path: Path) -> None:
    story = act(maneuver(event("e", lane_change(-2, 0.5), "")), maximum=3)
    run = until(execution(tmp_path, text(story=story)), 5.0)
    assert len(times(run, "group", board.START)) == 3
    assert len(times(run, "e", board.START)) == 3


def test_the_acts_stop_trigger_stops_everything_below(tmp_path: Path) -> None:
    story = act(
        maneuver(event("long", SLOW, group(after(1.0))), event("never", speed(1.0), group(after(99.0)))),
        stop=group(after(2.0)),
    )
    run = until(execution(tmp_path, text(story=story)), 4.0)
    for name in ("act", "group", "maneuver", "long", "long-0", "never"):
        assert times(run, name, board.STOP) == [2.01], name
    assert run.motions["Ego"].speed == pytest.approx(12.5, abs=0.03), "effects stay"
    assert times(run, "story", board.END) == [2.01]


def test_the_storyboard_ends_by_its_stop_trigger(tmp_path: Path) -> None:
    run = until(execution(tmp_path, text(story=act(maneuver(event("e", speed(1.0), ""))), stop=group(after(3.0)))), 9.0)
    assert run.finished
    assert run.time_s == pytest.approx(3.01)


def test_a_storyboard_without_stop_trigger_ends_with_its_stories(tmp_path: Path) -> None:
    run = until(execution(tmp_path, text(story=act(maneuver(event("e", SLOW, ""))), stop="")), 9.0)
    assert run.finished
    assert run.time_s == pytest.approx(4.0)


def test_stop_condition_on_a_maneuvers_end_with_delay(tmp_path: Path) -> None:
    content = text(
        story=act(maneuver(event("e", SLOW, ""))),
        stop=group(state("maneuver", "maneuver", "endTransition", edge="rising", delay=1.0)),
    )
    run = until(execution(tmp_path, content), 9.0)
    assert run.time_s == pytest.approx(5.01, abs=0.011)


def test_what_needs_a_place_waits_for_it_in_init(tmp_path: Path) -> None:
    """B is placed relative to Ego but stands before it in the file."""
    relative = '<TeleportAction><Position><RelativeLanePosition entityRef="Ego" dLane="-1" ds="20"/></Position></TeleportAction>'
    content = text(entities=car("B") + car("Ego"), init=private("B", relative) + private("Ego", at(50.0)))
    run = execution(tmp_path, content)
    assert (run.motions["B"].pose.x, run.motions["B"].pose.y) == pytest.approx((70.0, -5.25))

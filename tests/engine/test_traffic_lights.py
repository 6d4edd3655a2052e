"""Traffic lights' cycle: green 10 s, yellow 3 s, all red 2 s, then the junction's next controller."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.geometry import SignalSpec
from engine.traffic_lights import GREEN, RED, YELLOW, TrafficLights


def light(signal_id, group="", controller=""):
    return SignalSpec(signal_id, "traffic.traffic_light", (0, 0, 0), (0, 0, 0), group=group, controller=controller)


@pytest.fixture
def junction():
    """Two controllers of two lights each at junction 5, a stop sign, and a light on its own."""
    return TrafficLights(
        [
            (10, light("a", "5", "c1")),
            (11, light("b", "5", "c2")),
            (12, SignalSpec("s", "traffic.stop", (0, 0, 0), (0, 0, 0))),
            (13, light("c", "5", "c1")),
            (14, light("d", "5", "c2")),
            (15, light("e")),
        ]
    )


def show(lights, *ids):
    return [lights.light_state(i) for i in ids]


def test_controllers_take_turns(junction):
    states = []
    for _ in range(31):  # 30 s is two whole turns
        states.append((junction.light_state(10), junction.light_state(11)))
        assert show(junction, 10) == show(junction, 13)
        assert show(junction, 11) == show(junction, 14)
        junction.step(1.0)
    expected = [(GREEN, RED)] * 10 + [(YELLOW, RED)] * 3 + [(RED, RED)] * 2
    expected += [(RED, GREEN)] * 10 + [(RED, YELLOW)] * 3 + [(RED, RED)] * 2
    assert states[:30] == expected
    assert states[30] == states[0]


def test_a_lone_light_is_red_for_ten_seconds(junction):
    states = []
    for _ in range(23):
        states.append(junction.light_state(15))
        junction.step(1.0)
    assert states == [GREEN] * 10 + [YELLOW] * 3 + [RED] * 10
    assert junction.light_state(15) == GREEN


@given(st.lists(st.floats(0.01, 7.0), min_size=1, max_size=60))
def test_never_two_controllers_go_at_once(steps):
    lights = TrafficLights([(1, light("a", "5", "c1")), (2, light("b", "5", "c2")), (3, light("c", "5", "c3"))])
    for step in steps:
        lights.step(step)
        assert sum(state != RED for state in show(lights, 1, 2, 3)) <= 1


def test_a_step_longer_than_phases_ends_where_small_steps_end():
    signals = [(1, light("a", "5", "c1")), (2, light("b", "5", "c2"))]
    long, short = TrafficLights(signals), TrafficLights(signals)
    long.step(27.5)
    for _ in range(55):
        short.step(0.5)
    assert show(long, 1, 2) == show(short, 1, 2) == [RED, YELLOW]


def test_setting_a_state_changes_the_whole_controller(junction):
    junction.set_state(11, GREEN)
    assert show(junction, 10, 11, 13, 14) == [GREEN, GREEN, GREEN, GREEN]
    junction.step(0.05)
    assert show(junction, 11, 14) == [GREEN, GREEN]


def test_times_are_the_controllers(junction):
    junction.set_time(10, "green_time", 4.0)
    assert junction.state["green_time"][[0, 3]].tolist() == [4.0, 4.0]
    assert junction.state["green_time"][1] == 10.0
    junction.step(4.0)
    assert junction.light_state(13) == YELLOW


def test_freezing_stops_time_and_shows_it(junction):
    junction.freeze(True)
    junction.step(100.0)
    assert junction.light_state(10) == GREEN
    assert junction.state["frozen"][[0, 1, 3, 4, 5]].all()
    junction.freeze(False)
    junction.freeze_group(10, True)
    junction.step(11.0)
    assert show(junction, 10, 15) == [GREEN, YELLOW]


def test_resetting_starts_the_cycle_again(junction):
    junction.step(14.0)
    junction.reset_group(14)
    assert show(junction, 10, 11, 15) == [GREEN, RED, RED]
    junction.reset_all()
    assert junction.light_state(15) == GREEN
    assert junction.state["elapsed_time"][0] == 0.0


def test_groups_poles_and_records(junction):
    assert junction.group_ids(11) == [10, 11, 13, 14]
    assert junction.group_ids(15) == [15]
    assert junction.state["pole_index"].tolist()[:2] == [0, 1]
    assert junction.state["sign_id"].tolist() == [b"a", b"b", b"s", b"c", b"d", b"e"]
    assert 12 not in junction
    junction.step(1.5)
    assert junction.state["elapsed_time"][0] == np.float32(1.5)

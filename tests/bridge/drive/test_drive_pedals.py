"""Pedals and wheel: what keys and pads do to the car, step by step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.drive.gamepad import Pad
from bridge.drive.keys import Hold
from bridge.drive.pedals import KEY_STEER, Driver, Inputs, gear_name, key_steer_limit

STEP_S = 0.05


def drive(driver, inputs, seconds, speed=0.0):
    for _ in range(round(seconds / STEP_S)):
        controls = driver.step(inputs, speed, STEP_S)
    return controls


def test_a_held_key_presses_the_pedal_down_and_a_released_one_lets_it_go():
    driver = Driver()
    first = driver.step(Inputs(frozenset({Hold.THROTTLE})), 0.0, STEP_S)
    assert 0.0 < first.throttle < 0.3
    assert drive(driver, Inputs(frozenset({Hold.THROTTLE})), 0.5).throttle == 1.0
    assert drive(driver, Inputs(), 0.25).throttle == 0.0


def test_steering_right_is_positive_and_comes_back_to_the_middle():
    driver = Driver()
    assert drive(driver, Inputs(frozenset({Hold.RIGHT})), 1.0).steer == pytest.approx(KEY_STEER)
    assert drive(driver, Inputs(), 0.5).steer == 0.0
    assert drive(driver, Inputs(frozenset({Hold.LEFT})), 1.0).steer == pytest.approx(-KEY_STEER)
    assert drive(driver, Inputs(frozenset({Hold.LEFT, Hold.RIGHT})), 1.0).steer == 0.0


def test_keys_turn_the_wheel_less_the_faster_one_drives():
    assert key_steer_limit(0.0) == KEY_STEER
    assert key_steer_limit(14.0) == pytest.approx(KEY_STEER / 2)
    assert key_steer_limit(40.0) < 0.2


def test_the_stronger_of_pad_and_keys_counts():
    controls = Driver().step(Inputs(frozenset({Hold.THROTTLE}), Pad(throttle=0.6, brake=0.3, steer=-0.9)), 0.0, STEP_S)
    assert (controls.throttle, controls.brake, controls.steer) == (0.6, 0.3, -0.9)


@given(
    st.lists(st.sets(st.sampled_from(list(Hold))), max_size=30),
    st.floats(0, 60),
    st.floats(-1, 1),
)
def test_controls_never_leave_their_range(steps, speed, stick):
    driver = Driver()
    for held in steps:
        controls = driver.step(Inputs(frozenset(held), Pad(steer=stick)), speed, STEP_S)
        assert 0.0 <= controls.throttle <= 1.0
        assert 0.0 <= controls.brake <= 1.0
        assert -1.0 <= controls.steer <= 1.0
        assert controls.hand_brake == (Hold.HAND_BRAKE in held)


def test_reverse_and_back():
    driver = Driver()
    assert driver.toggle_reverse() == "reverse"
    assert driver.controls.reverse
    assert driver.toggle_reverse() == "forward"
    assert not driver.controls.reverse


def test_manual_gears_go_from_reverse_over_neutral_to_the_top():
    driver = Driver(max_gear=3)
    assert "M makes them manual" in driver.shift(1)
    driver.toggle_manual(2)
    assert (driver.controls.manual, driver.controls.gear) == (True, 2)
    assert [driver.shift(1), driver.shift(1)] == ["gear 3", "gear 3"]
    said = [driver.shift(-1) for _ in range(5)]
    assert said == ["gear 2", "gear 1", "gear N", "gear R", "gear R"]
    assert driver.controls.reverse
    driver.step(Inputs(), 0.0, STEP_S)
    assert driver.controls.gear == -1  # driving on does not change the lever


def test_a_new_start_lets_everything_go_but_keeps_the_gearbox():
    driver = Driver()
    driver.toggle_manual(1)
    drive(driver, Inputs(frozenset({Hold.THROTTLE, Hold.LEFT})), 1.0)
    driver.reset()
    controls = driver.step(Inputs(), 0.0, STEP_S)
    assert (controls.throttle, controls.steer, controls.manual) == (0.0, 0.0, True)


def test_gears_have_names():
    assert [gear_name(g) for g in (-1, 0, 1, 5)] == ["R", "N", "1", "5"]

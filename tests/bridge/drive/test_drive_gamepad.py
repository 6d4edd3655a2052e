"""Gamepads: mappings, dead zones, devices that come and go."""

import pygame
import pytest

from bridge.drive import gamepad
from bridge.drive.gamepad import PLAYSTATION, WHEEL, XBOX, Axis, Gamepads, Pad
from bridge.drive.keys import Action
from foundation.errors import InputError


def move(pads, axis, value, instance=1):
    return pads.event(pygame.event.Event(pygame.JOYAXISMOTION, instance_id=instance, axis=axis, value=value))


def press(pads, button, instance=1, down=True):
    kind = pygame.JOYBUTTONDOWN if down else pygame.JOYBUTTONUP
    return pads.event(pygame.event.Event(kind, instance_id=instance, button=button))


@pytest.mark.parametrize(
    ("name", "mapping"),
    [
        ("Xbox 360 Controller", XBOX),
        ("PS4 Controller", PLAYSTATION),
        ("Sony Interactive Entertainment DualSense", PLAYSTATION),
        ("Logitech G29 Driving Force Racing Wheel", WHEEL),
        ("No Name Pad", XBOX),
    ],
)
def test_devices_are_known_by_their_names(name, mapping):
    assert gamepad.mapping_for(name) is mapping


def test_a_trigger_that_has_not_moved_presses_nothing():
    pads = Gamepads()
    pads.add(1, "Xbox 360 Controller")
    move(pads, XBOX.steer.axis, 1.0)
    assert pads.pad == Pad(steer=1.0)


def test_triggers_go_from_minus_one_to_one():
    pads = Gamepads()
    pads.add(1, "Xbox 360 Controller")
    move(pads, XBOX.throttle.axis, 1.0)
    assert pads.pad.throttle == 1.0
    move(pads, XBOX.throttle.axis, 0.0)
    assert pads.pad.throttle == pytest.approx(0.5, abs=0.05)
    move(pads, XBOX.throttle.axis, -1.0)
    assert pads.pad.throttle == 0.0


def test_pedals_of_a_wheel_read_backwards():
    pads = Gamepads()
    pads.add(1, "Logitech G29")
    move(pads, WHEEL.brake.axis, -1.0)
    assert pads.pad.brake == 1.0
    assert pads.pad.throttle == 0.0


def test_a_dead_zone_swallows_drift_and_the_rest_stays_continuous():
    axis = Axis(axis=0, dead_zone=0.2)
    assert [axis.read(v) for v in (0.0, 0.1, -0.2, 1.0, -1.0)] == [0.0, 0.0, 0.0, 1.0, -1.0]
    assert axis.read(0.21) == pytest.approx(0.0125)


def test_buttons_act_once_and_the_hand_brake_lasts():
    pads = Gamepads()
    pads.add(1, "Xbox 360 Controller")
    assert press(pads, 1) == (Action.REVERSE, None)
    assert press(pads, 0) == (None, None)
    assert pads.pad.hand_brake
    press(pads, 0, down=False)
    assert not pads.pad.hand_brake


def test_the_hat_acts_when_it_is_pressed_and_not_when_it_is_let_go():
    pads = Gamepads()
    pads.add(1, "Xbox 360 Controller")
    up = pygame.event.Event(pygame.JOYHATMOTION, instance_id=1, hat=0, value=(0, 1))
    middle = pygame.event.Event(pygame.JOYHATMOTION, instance_id=1, hat=0, value=(0, 0))
    assert pads.event(up) == (Action.NEXT_SENSOR, None)
    assert pads.event(middle) == (None, None)


def test_a_pad_that_is_pulled_out_lets_go_of_the_throttle():
    pads = Gamepads()
    pads.add(1, "Xbox 360 Controller")
    move(pads, XBOX.throttle.axis, 1.0)
    action, message = pads.event(pygame.event.Event(pygame.JOYDEVICEREMOVED, instance_id=1))
    assert action is None
    assert "disconnected" in message
    assert pads.pad == Pad()
    assert move(pads, 5, 1.0) == (None, None)  # a late event of a device that has gone


def test_the_device_that_moved_last_drives():
    pads = Gamepads()
    pads.add(1, "Xbox 360 Controller")
    pads.add(2, "Logitech G29")
    move(pads, 0, 1.0, instance=1)
    move(pads, 0, -0.5, instance=2)
    assert pads.pad.steer == -0.5


def test_a_mapping_is_read_from_a_file(tmp_path):
    file = tmp_path / "pad.yaml"
    file.write_text(
        "name: mine\nsteer: {axis: 3}\nthrottle: {axis: 1, rest: 0, full: -1}\n"
        "brake: {axis: 2}\nbuttons: {7: next view}\n"
    )
    pads = Gamepads(gamepad.load(file))
    assert "mine" in pads.add(1, "Xbox 360 Controller")
    move(pads, 1, -1.0)
    assert pads.pad.throttle == 1.0
    assert press(pads, 7) == (Action.NEXT_VIEW, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: a\nsteer: {axis: 0}\nthrottle: {axis: 1}\n", "brake"),
        ("name: a\nsteer: {axis: 0}\nthrottle: {axis: 1}\nbrake: {axis: 2}\nbuttons: {1: fly}\n", "fly"),
        ("name: a\nsteer: {axis: 0, rest: 1, full: 1}\nthrottle: {axis: 1}\nbrake: {axis: 2}\n", "must differ"),
        ("name: a\nsteer: {axis: 0}\nthrottle: {axis: 1}\nbrake: {axis: 2}\nhat: {north: help}\n", "north"),
        ("name: [\n", "YAML"),
        ("name: a\nstear: {axis: 0}\n", "steer|stear"),
    ],
)
def test_a_wrong_mapping_is_one_clear_line(tmp_path, text, says):
    file = tmp_path / "pad.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        gamepad.load(file)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)

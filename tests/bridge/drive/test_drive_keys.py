"""The key table is complete, unambiguous, and keeps CARLA's own keys."""

import pygame
import pytest

from bridge.drive.keys import BINDINGS, Action, Binding, Hold, Keymap, chord, spell
from foundation.errors import RealityError

# What CARLA's manual_control.py documents; a driver who knows it must find the same keys.
CARLA_KEYS = [
    ("w", 0, Hold.THROTTLE), ("s", 0, Hold.BRAKE), ("a", 0, Hold.LEFT), ("d", 0, Hold.RIGHT),
    ("SPACE", 0, Hold.HAND_BRAKE),
    ("q", 0, Action.REVERSE), ("p", 0, Action.AUTOPILOT), ("m", 0, Action.MANUAL), ("COMMA", 0, Action.GEAR_DOWN),
    ("PERIOD", 0, Action.GEAR_UP), ("l", 0, Action.LIGHTS), ("l", pygame.KMOD_LSHIFT, Action.HIGH_BEAM),
    ("z", 0, Action.LEFT_BLINKER), ("x", 0, Action.RIGHT_BLINKER), ("TAB", 0, Action.NEXT_VIEW),
    ("BACKQUOTE", 0, Action.NEXT_SENSOR), ("n", 0, Action.NEXT_SENSOR), ("c", 0, Action.WEATHER),
    ("c", pygame.KMOD_RSHIFT, Action.WEATHER_BACK), ("BACKSPACE", 0, Action.NEXT_VEHICLE), ("r", 0, Action.RECORD),
    ("h", 0, Action.HELP), ("ESCAPE", 0, Action.QUIT), ("q", pygame.KMOD_LCTRL, Action.QUIT),
]  # fmt: skip


@pytest.mark.parametrize(("name", "modifiers", "does"), CARLA_KEYS)
def test_carlas_keys_do_what_they_do_there(name, modifiers, does):
    keymap, key = Keymap(), getattr(pygame, f"K_{name}")
    if isinstance(does, Hold):
        assert keymap.hold(key) is does
        assert keymap.action(key, modifiers) is None
    else:
        assert keymap.action(key, modifiers) is does


def test_everything_one_can_do_has_a_key_and_a_line_of_help():
    bound = {binding.does for binding in BINDINGS}
    assert bound == set(Hold) | set(Action)
    assert all(binding.help and binding.group for binding in BINDINGS)


def test_a_key_that_is_bound_twice_is_an_error():
    twice = (Binding(Action.HELP, ("F1",), "a", "g"), Binding(Action.QUIT, ("F1",), "b", "g"))
    with pytest.raises(ValueError, match="F1"):
        Keymap(twice)


def test_shift_does_not_stop_the_car():
    assert Keymap().hold(pygame.K_w) is Hold.THROTTLE  # whatever modifiers are down
    assert Keymap().action(pygame.K_w, pygame.KMOD_SHIFT) is None


@pytest.mark.parametrize("text", ["", "nokey", "alt+w", "shift+", "F99"])
def test_unknown_keys_are_refused(text):
    with pytest.raises(RealityError, match="no key"):
        chord(text)


def test_keys_are_spelt_for_people():
    assert spell("shift+TAB") == "Shift+Tab"
    assert spell("UP") == "↑"
    assert spell("F12") == "F12"

"""What the keys do: one table that the event loop, the help screen and the documentation are made from.

Where CARLA's own ``manual_control.py`` has a key for something, it is the same key here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import pygame

from foundation.errors import RealityError


class Hold(Enum):
    """What lasts while a key is down."""

    THROTTLE = "throttle"
    BRAKE = "brake"
    LEFT = "left"
    RIGHT = "right"
    HAND_BRAKE = "hand brake"


class Action(Enum):
    """What happens once when a key goes down."""

    REVERSE = "reverse"
    MANUAL = "manual"
    GEAR_UP = "gear up"
    GEAR_DOWN = "gear down"
    AUTOPILOT = "autopilot"
    LIGHTS = "lights"
    HIGH_BEAM = "high beam"
    LEFT_BLINKER = "left blinker"
    RIGHT_BLINKER = "right blinker"
    NEXT_VIEW = "next view"
    PREVIOUS_VIEW = "previous view"
    NEXT_SENSOR = "next sensor"
    PREVIOUS_SENSOR = "previous sensor"
    RGB = "rgb"
    DEPTH = "depth"
    SEMANTIC = "semantic"
    INSTANCE = "instance"
    LIDAR = "lidar"
    LABELS = "labels"
    INSET = "inset"
    WEATHER = "weather"
    WEATHER_BACK = "weather back"
    LATER = "later"
    EARLIER = "earlier"
    CARS = "cars"
    NO_CARS = "no cars"
    PEOPLE = "people"
    NO_PEOPLE = "no people"
    RESPAWN = "respawn"
    NEXT_VEHICLE = "next vehicle"
    PREVIOUS_VEHICLE = "previous vehicle"
    RESTART = "restart"
    NEXT_SAMPLE = "next sample"
    PAUSE = "pause"
    STEP = "step"
    SLOWER = "slower"
    FASTER = "faster"
    RECORD = "record"
    VIDEO = "video"
    SCREENSHOT = "screenshot"
    HUD = "hud"
    HELP = "help"
    FULLSCREEN = "fullscreen"
    QUIT = "quit"


@dataclass(frozen=True)
class Chord:
    """A key, with or without Shift and Ctrl."""

    key: int
    shift: bool = False
    ctrl: bool = False


@dataclass(frozen=True)
class Binding:
    """One row of the table: what, which keys (as text), and what the help screen says of it."""

    does: Hold | Action
    keys: tuple[str, ...]
    help: str
    group: str


PRETTY = {
    "UP": "↑", "DOWN": "↓", "LEFT": "←", "RIGHT": "→", "SPACE": "Space", "TAB": "Tab", "BACKSPACE": "Backspace",
    "COMMA": ",", "PERIOD": ".", "ESCAPE": "Esc", "RETURN": "Enter", "BACKQUOTE": "`", "HOME": "Home",
    "PAUSE": "Pause", "LEFTBRACKET": "[", "RIGHTBRACKET": "]",
}  # fmt: skip

BINDINGS: tuple[Binding, ...] = (
    Binding(Hold.THROTTLE, ("W", "UP"), "throttle", "Drive"),
    Binding(Hold.BRAKE, ("S", "DOWN"), "brake", "Drive"),
    Binding(Hold.LEFT, ("A", "LEFT"), "steer left", "Drive"),
    Binding(Hold.RIGHT, ("D", "RIGHT"), "steer right", "Drive"),
    Binding(Hold.HAND_BRAKE, ("SPACE",), "hand brake", "Drive"),
    Binding(Action.REVERSE, ("Q",), "reverse gear on and off", "Drive"),
    Binding(Action.AUTOPILOT, ("P",), "autopilot on and off", "Drive"),
    Binding(Action.MANUAL, ("M",), "manual gears on and off", "Drive"),
    Binding(Action.GEAR_UP, ("PERIOD",), "gear up", "Drive"),
    Binding(Action.GEAR_DOWN, ("COMMA",), "gear down", "Drive"),
    Binding(Action.LIGHTS, ("L",), "lights: off, position, low beam, fog", "Drive"),
    Binding(Action.HIGH_BEAM, ("shift+L",), "high beam", "Drive"),
    Binding(Action.LEFT_BLINKER, ("Z",), "left blinker", "Drive"),
    Binding(Action.RIGHT_BLINKER, ("X",), "right blinker", "Drive"),
    Binding(Action.NEXT_VIEW, ("TAB",), "next view: chase, hood, bird, rig", "Look"),
    Binding(Action.PREVIOUS_VIEW, ("shift+TAB",), "previous view", "Look"),
    Binding(Action.NEXT_SENSOR, ("N", "BACKQUOTE"), "next sensor", "Look"),
    Binding(Action.PREVIOUS_SENSOR, ("shift+N",), "previous sensor", "Look"),
    Binding(Action.RGB, ("1",), "colour", "Look"),
    Binding(Action.DEPTH, ("2",), "depth", "Look"),
    Binding(Action.SEMANTIC, ("3",), "semantic classes", "Look"),
    Binding(Action.INSTANCE, ("4",), "instances", "Look"),
    Binding(Action.LIDAR, ("5",), "lidar from above", "Look"),
    Binding(Action.LABELS, ("B",), "label overlay on and off", "Look"),
    Binding(Action.INSET, ("I",), "inset: off, lidar, semantic, depth, colour", "Look"),
    Binding(Action.HUD, ("F2",), "instruments: all, few, none", "Look"),
    Binding(Action.FULLSCREEN, ("F11",), "full screen", "Look"),
    Binding(Action.WEATHER, ("C",), "next weather", "World"),
    Binding(Action.WEATHER_BACK, ("shift+C",), "previous weather", "World"),
    Binding(Action.LATER, ("T",), "an hour later", "World"),
    Binding(Action.EARLIER, ("shift+T",), "an hour earlier", "World"),
    Binding(Action.CARS, ("J",), "ten more cars", "World"),
    Binding(Action.NO_CARS, ("shift+J",), "no cars", "World"),
    Binding(Action.PEOPLE, ("K",), "ten more people", "World"),
    Binding(Action.NO_PEOPLE, ("shift+K",), "nobody", "World"),
    Binding(Action.RESPAWN, ("HOME", "RETURN"), "start again at the next place", "World"),
    Binding(Action.NEXT_VEHICLE, ("BACKSPACE",), "next vehicle", "World"),
    Binding(Action.PREVIOUS_VEHICLE, ("shift+BACKSPACE",), "previous vehicle", "World"),
    Binding(Action.RESTART, ("F5",), "scenario: again", "World"),
    Binding(Action.NEXT_SAMPLE, ("F6",), "scenario: next sample", "World"),
    Binding(Action.PAUSE, ("F7", "PAUSE"), "pause", "Time and recording"),
    Binding(Action.STEP, ("F8",), "a single step", "Time and recording"),
    Binding(Action.SLOWER, ("F9", "LEFTBRACKET"), "slower: 1/2, 1/4, 1/8", "Time and recording"),
    Binding(Action.FASTER, ("F10", "RIGHTBRACKET"), "back towards real time", "Time and recording"),
    Binding(Action.RECORD, ("R",), "record a data set with the rig", "Time and recording"),
    Binding(Action.VIDEO, ("V",), "record the window as MP4", "Time and recording"),
    Binding(Action.SCREENSHOT, ("F12",), "screenshot", "Time and recording"),
    Binding(Action.HELP, ("H", "F1"), "this help", "Time and recording"),
    Binding(Action.QUIT, ("ESCAPE", "ctrl+Q"), "close this, or end", "Time and recording"),
)
"""Every key of the program. The order is that of the help screen."""


def chord(text: str) -> Chord:
    """Read ``W``, ``shift+TAB`` or ``ctrl+Q``: the names of pygame's ``K_`` constants.

    Raises:
        RealityError: there is no such key.
    """
    *modifiers, name = text.split("+")
    unknown = [m for m in modifiers if m.lower() not in ("shift", "ctrl")]
    for spelling in (name.upper(), name.lower()):
        key = getattr(pygame, f"K_{spelling}", None)
        if key is not None and not unknown:
            wanted = {m.lower() for m in modifiers}
            return Chord(key, "shift" in wanted, "ctrl" in wanted)
    raise RealityError(f"there is no key {text!r}; keys are called as pygame calls them: w, F5, TAB, shift+c")


def spell(text: str) -> str:
    """Return how a key of the table is written for people: ``Shift+Tab``, ``↑``."""
    return "+".join(
        PRETTY.get(part, part.capitalize() if part in ("shift", "ctrl") else part) for part in text.split("+")
    )


class Keymap:
    """Looks up what a key does."""

    def __init__(self, bindings: Iterable[Binding] = BINDINGS) -> None:
        self._actions: dict[Chord, Action] = {}
        self._holds: dict[int, Hold] = {}
        for binding in bindings:
            for text in binding.keys:
                found = chord(text)
                if isinstance(binding.does, Hold):
                    if found.key in self._holds:
                        raise ValueError(f"{text} is bound twice")
                    self._holds[found.key] = binding.does
                elif found in self._actions:
                    raise ValueError(f"{text} is bound twice")
                else:
                    self._actions[found] = binding.does

    def hold(self, key: int) -> Hold | None:
        """Return what lasts while the key is down, whatever modifiers are held."""
        return self._holds.get(key)

    def action(self, key: int, modifiers: int) -> Action | None:
        """Return what a key that goes down does. Keys that hold something do nothing else."""
        shift, ctrl = bool(modifiers & pygame.KMOD_SHIFT), bool(modifiers & pygame.KMOD_CTRL)
        if not (shift or ctrl) and key in self._holds:
            return None
        return self._actions.get(Chord(key, shift, ctrl))

"""Scripted sessions: the real program, with its keys pressed by a file, for tests and for the pictures of the docs.

A script has one event a line; ``#`` begins a comment. Times are seconds of the session, a frame is ``step`` of it,
so the same script does the same on a slow machine::

    0.0  hold w 4.0        # key, seconds
    1.0  press TAB
    1.5  axis 0 -0.4       # of a gamepad that the script plugs in
    2.0  resize 1280 720
    4.0  screenshot chase.png
    4.5  quit
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pygame

from bridge.drive.keys import Chord, chord
from foundation.errors import InputError, RealityError

SMALLEST, LARGEST = 320, 3840


@dataclass(frozen=True)
class Event:
    """One thing that happens at a time: ``kind`` and its arguments."""

    at_s: float
    kind: str
    key: Chord | None = None
    numbers: tuple[float, ...] = ()
    text: str = ""


def read(path: Path) -> list[Event]:
    """Read a script.

    Raises:
        InputError: the file cannot be read, or a line says something a script cannot; with the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"the script cannot be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError:
        raise InputError("the script is not a text file", file=path) from None
    return parse(text, str(path))


def parse(text: str, name: str = "<text>") -> list[Event]:
    """Return a script's events in order of time; events of one time stay in the file's order."""
    events: list[Event] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        try:
            events += _events(words)
        except (RealityError, ValueError, IndexError) as error:
            reason = str(error) if isinstance(error, RealityError) else "the line is not understood"
            raise InputError(
                reason,
                file=name,
                line=number,
                remedy="a line is: TIME press KEY | hold KEY SECONDS | screenshot FILE.png | resize WIDTH HEIGHT | "
                "axis NUMBER VALUE | button NUMBER | quit",
            ) from None
    if not events:
        raise InputError("the script is empty", file=name)
    events.sort(key=lambda event: event.at_s)
    if events[-1].kind != "quit":
        events.append(Event(events[-1].at_s + 0.1, "quit"))
    return events


def _events(words: Sequence[str]) -> list[Event]:
    at_s, kind, rest = float(words[0]), words[1], words[2:]
    if not 0.0 <= at_s < 86400.0:
        raise ValueError(at_s)
    if kind == "hold":
        key, seconds = chord(rest[0]), float(rest[1])
        if seconds <= 0.0 or len(rest) != 2:
            raise ValueError(rest)
        return [Event(at_s, "down", key), Event(at_s + seconds, "up", key)]
    if kind == "press":
        (text,) = rest
        return [Event(at_s, "down", chord(text)), Event(at_s, "up", chord(text))]
    if kind == "screenshot":
        (file,) = rest
        if not file.endswith(".png") or "/" in file or "\\" in file:
            raise RealityError("a screenshot is the bare name of a .png file; it goes to --out")
        return [Event(at_s, kind, text=file)]
    if kind == "resize":
        width, height = (int(word) for word in rest)
        if not (SMALLEST <= width <= LARGEST and 240 <= height <= LARGEST):
            raise RealityError(f"a window of {width} x {height} is out of range")
        return [Event(at_s, kind, numbers=(width, height))]
    if kind == "axis":
        axis, value = int(rest[0]), float(rest[1])
        if not -1.0 <= value <= 1.0:
            raise RealityError("an axis reads -1 to 1")
        return [Event(at_s, kind, numbers=(axis, value))]
    if kind == "button":
        (button,) = (int(word) for word in rest)
        return [Event(at_s, kind, numbers=(button,))]
    if kind == "quit" and not rest:
        return [Event(at_s, kind)]
    raise RealityError(f"{kind!r} is nothing a script can do")


class Player:
    """Hands out the events of a script as its clock runs."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = list(events)
        self._next = 0

    def due(self, time_s: float) -> list[Event]:
        """Return the events up to a time that were not handed out yet."""
        start = self._next
        while self._next < len(self._events) and self._events[self._next].at_s <= time_s + 1e-9:
            self._next += 1
        return self._events[start : self._next]


def key_event(event: Event) -> pygame.event.Event:
    """Return pygame's event for a key of a script."""
    assert event.key is not None
    modifiers = (pygame.KMOD_LSHIFT if event.key.shift else 0) | (pygame.KMOD_LCTRL if event.key.ctrl else 0)
    kind = pygame.KEYDOWN if event.kind == "down" else pygame.KEYUP
    return pygame.event.Event(kind, key=event.key.key, mod=modifiers, unicode="", scancode=0)

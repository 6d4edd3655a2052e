"""Where everything is on the screen: pure, from the window's size."""

from __future__ import annotations

from dataclasses import dataclass

from pygame import Rect

SMALL_WIDTH, SMALL_HEIGHT = 900, 560
"""Windows smaller than this in one direction get the small layout: fewer lines, not smaller letters."""
LEAST_LETTER_PX = 12


@dataclass(frozen=True)
class Layout:
    """Areas of the instruments, and sizes of letters, in pixels."""

    size: tuple[int, int]
    small: bool
    letter: int
    big: int
    pad: int
    info: Rect
    machine: Rect
    compass: Rect
    dash: Rect
    inset: Rect
    notices: Rect
    recording: Rect

    @property
    def line(self) -> int:
        """Height of a line of text."""
        return round(1.42 * self.letter)


def layout(width: int, height: int) -> Layout:
    """Return the layout of a window."""
    unit = min(width / 1280, height / 720)
    small = width < SMALL_WIDTH or height < SMALL_HEIGHT
    letter = max(LEAST_LETTER_PX, round((14 if small else 15) * max(unit, 0.62 if small else 1.0)))
    pad = 8 if small else max(10, round(12 * unit))
    line = round(1.42 * letter)
    big = round(3.0 * letter)
    side = round(letter * (14.2 if small else 18.5))
    info = Rect(pad, pad, side, line * (5 if small else 7) + pad)
    right = round(letter * (10.5 if small else 15.5))
    machine = Rect(width - pad - right, pad, right, line * (4 if small else 5) + pad)
    between = machine.left - info.right - 2 * pad
    tape = min(round(width * 0.36), between)
    compass = Rect(info.right + pad + (between - tape) // 2, pad, tape, round(2.5 * letter))
    if tape >= round(width * 0.3):
        compass.centerx = min(max(width // 2, info.right + pad + tape // 2), machine.left - pad - tape // 2)
    dash_width, dash_height = round(letter * 26.0), round(letter * 5.4)
    dash = Rect((width - dash_width) // 2, height - pad - dash_height, dash_width, dash_height)
    # Never so high that it reaches the panels at the top.
    inset_width = min(round(width * (0.26 if small else 0.235)), round(0.44 * height))
    inset = Rect(0, 0, inset_width, round(inset_width * 0.75))
    inset.bottomright = (width - pad, height - pad)
    if inset.left < dash.right + pad:
        inset.bottom = dash.top - pad
    recording = Rect(machine.left, machine.bottom + pad, machine.width, 2 * round(1.9 * letter) + 6)
    # Between the panels, so that no message covers an instrument.
    notices = Rect(info.right + pad, compass.bottom + pad, machine.left - info.right - 2 * pad, line * 5)
    return Layout((width, height), small, letter, big, pad, info, machine, compass, dash, inset, notices, recording)

"""Text, panels and colours: what everything on the screen is drawn with."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

import pygame

Color = tuple[int, int, int]
TEXT: Color = (238, 242, 246)
DIM: Color = (164, 174, 186)
FAINT: Color = (98, 108, 120)
ACCENT: Color = (92, 200, 255)
GOOD: Color = (92, 220, 128)
WARN: Color = (255, 190, 70)
ALARM: Color = (255, 84, 84)
PANEL: tuple[int, int, int, int] = (12, 16, 22, 178)
DARK: tuple[int, int, int, int] = (8, 11, 16, 226)
TRACK: Color = (52, 60, 70)
"""The empty part of a bar."""


@lru_cache(maxsize=2)
def _font_file(bold: bool) -> str | None:
    """Return DejaVu Sans, which comes with matplotlib (installed anyway), so all machines show the same letters."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        return None
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    file = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name
    return str(file) if file.is_file() else None


@lru_cache(maxsize=64)
def font(size: int, bold: bool = False) -> pygame.font.Font:
    """Return a font by its height in pixels."""
    return pygame.font.Font(_font_file(bold), size)


@lru_cache(maxsize=512)
def text(words: str, size: int, color: Color = TEXT, bold: bool = False) -> pygame.Surface:
    """Return a line of text, kept for the next time."""
    return font(size, bold).render(words, True, color)


def width_of(words: str, size: int, bold: bool = False) -> int:
    """Return a text's width in pixels."""
    return font(size, bold).size(words)[0]


def fitted(words: str, size: int, width: int, bold: bool = False) -> str:
    """Return the text, its end cut off with an ellipsis if it is wider than there is room."""
    if width_of(words, size, bold) <= width:
        return words
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if width_of(words[:middle].rstrip() + "…", size, bold) <= width:
            low = middle
        else:
            high = middle - 1
    return words[:low].rstrip() + "…" if low else ""


def wrapped(words: str, size: int, width: int, bold: bool = False) -> list[str]:
    """Return the text in lines that fit a width, broken between words."""
    lines, line = [], ""
    for word in words.split():
        longer = f"{line} {word}".strip()
        if line and width_of(longer, size, bold) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines


@lru_cache(maxsize=64)
def panel(width: int, height: int, color: tuple[int, int, int, int] = PANEL, radius: int = 8) -> pygame.Surface:
    """Return a rounded, half transparent panel."""
    surface = pygame.Surface((max(width, 1), max(height, 1)), pygame.SRCALPHA)
    pygame.draw.rect(surface, color, surface.get_rect(), border_radius=radius)
    return surface


def draw_panel(
    screen: pygame.Surface, area: pygame.Rect, color: tuple[int, int, int, int] = PANEL, radius: int = 8
) -> None:
    """Draw a panel."""
    screen.blit(panel(area.width, area.height, color, radius), area)


def put(
    screen: pygame.Surface,
    words: str,
    at: tuple[int, int],
    size: int,
    color: Color = TEXT,
    *,
    bold: bool = False,
    anchor: str = "topleft",
) -> pygame.Rect:
    """Write a line; ``anchor`` names the point of its box that is put ``at``. Returns the box."""
    surface = text(words, size, color, bold)
    area = surface.get_rect()
    setattr(area, anchor, at)
    screen.blit(surface, area)
    return area


def bar(screen: pygame.Surface, area: pygame.Rect, share: float, color: Color, *, upright: bool = False) -> None:
    """Draw a bar that is filled from its left, or from its bottom."""
    radius = min(area.width, area.height) // 2
    pygame.draw.rect(screen, TRACK, area, border_radius=radius)
    share = min(max(share, 0.0), 1.0)
    filled = area.copy()
    if upright:
        filled.height = round(area.height * share)
        filled.bottom = area.bottom
    else:
        filled.width = round(area.width * share)
    if filled.width > 0 and filled.height > 0:
        pygame.draw.rect(screen, color, filled, border_radius=radius)


def centred_bar(screen: pygame.Surface, area: pygame.Rect, value: float, color: Color) -> None:
    """Draw a bar that is filled from its middle to the left (-1) or to the right (1)."""
    radius = area.height // 2
    pygame.draw.rect(screen, TRACK, area, border_radius=radius)
    reach = round(0.5 * area.width * min(abs(value), 1.0))
    if reach:
        left = area.centerx - reach if value < 0 else area.centerx
        pygame.draw.rect(screen, color, pygame.Rect(left, area.top, reach, area.height), border_radius=radius)
    pygame.draw.line(screen, DIM, (area.centerx, area.top - 2), (area.centerx, area.bottom + 1))

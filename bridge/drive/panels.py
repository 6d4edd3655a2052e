"""What covers the picture: help, the verdict of a scenario, loading, and the end."""

from __future__ import annotations

from itertools import groupby

import pygame

from bridge.drive import ui
from bridge.drive.keys import BINDINGS, spell
from bridge.drive.layout import Layout
from bridge.drive.state import Instruments, Verdict

VERDICT_WORDS = {"pass": ("PASSED", ui.GOOD), "fail": ("FAILED", ui.ALARM), "incomplete": ("NOT FINISHED", ui.WARN)}


def draw_help(screen: pygame.Surface, place: Layout) -> None:
    """Draw all keys, by groups, in two columns (one font size smaller where the window is small)."""
    width, height = place.size
    groups = [(name, list(rows)) for name, rows in groupby(BINDINGS, key=lambda binding: binding.group)]
    halves = (groups[:2], groups[2:])
    lines = max(sum(len(rows) + 2 for _, rows in half) for half in halves)
    area = pygame.Rect(0, 0, min(width - 2 * place.pad, 1060), min(height - 2 * place.pad, 760))
    area.center = (width // 2, height // 2)
    screen.blit(ui.panel(width, height, (8, 11, 16, 150), 0), (0, 0))
    ui.draw_panel(screen, area, ui.DARK, 12)
    step = (area.height - 4 * place.pad - round(2.2 * place.letter)) / lines
    size = max(10, min(place.letter + 1, round(step / 1.28)))
    ui.put(screen, "Keys", (area.left + 2 * place.pad, area.top + place.pad), place.letter + 6, ui.ACCENT, bold=True)
    hint = "H or Esc closes   gamepads: docs/driving.md"
    ui.put(screen, hint, (area.right - 2 * place.pad, area.top + place.pad + 4), size, ui.FAINT, anchor="topright")
    column = (area.width - 5 * place.pad) // 2
    for number, half in enumerate(halves):
        x = area.left + 2 * place.pad + number * (column + place.pad)
        y = float(area.top + 2 * place.pad + round(2.2 * place.letter))
        for name, rows in half:
            ui.put(screen, name, (x, round(y)), size, ui.ACCENT, bold=True)
            y += 1.25 * step
            for binding in rows:
                keys = "  ".join(spell(key) for key in binding.keys)
                key_width = round(column * 0.36)
                ui.put(screen, ui.fitted(keys, size, key_width, True), (x, round(y)), size, ui.TEXT, bold=True)
                words = ui.fitted(binding.help, size, column - key_width - 6)
                ui.put(screen, words, (x + key_width + 6, round(y)), size, ui.DIM)
                y += step
            y += 0.7 * step


def draw_verdict(screen: pygame.Surface, place: Layout, verdict: Verdict) -> None:
    """Draw how a scenario ended, why, and what can be done now."""
    width, height = place.size
    size = place.letter + (0 if place.small else 2)
    line = round(1.5 * size)
    inner = min(width - 6 * place.pad, 46 * size)
    rows: list[tuple[str, ui.Color, bool]] = []
    for reason in verdict.reasons:
        rows += [(words, ui.TEXT, False) for words in ui.wrapped(reason, size, inner)]
    for passed, criterion in verdict.criteria:
        color = ui.GOOD if passed else ui.ALARM
        first, *others = ui.wrapped(criterion, size, inner - 2 * size)
        rows.append((f"{'✔' if passed else '✘'}  {first}", color, False))
        rows += [(f"     {words}", color, False) for words in others]
    figures = [ui.fitted(f"{name}:  {value}", size, inner) for name, value in verdict.figures]
    rows += [(figure, ui.DIM, False) for figure in figures]
    keys = "F5 again     F6 next sample     F12 screenshot     Esc ends"
    area = pygame.Rect(0, 0, inner + 4 * place.pad, round(5.2 * size) + line * (len(rows) + 2) + place.pad)
    area.height = min(area.height, height - 2 * place.pad)
    area.center = (width // 2, height // 2)
    words, frame = VERDICT_WORDS.get(verdict.verdict, (verdict.verdict.upper(), ui.WARN))
    ui.draw_panel(screen, area, ui.DARK, 12)
    pygame.draw.rect(screen, frame, area, width=2, border_radius=12)
    ui.put(
        screen,
        ui.fitted(verdict.title, size, inner),
        (area.centerx, area.top + place.pad),
        size,
        ui.DIM,
        anchor="midtop",
    )
    ui.put(
        screen, words, (area.centerx, area.top + place.pad + line), round(2.3 * size), frame, bold=True, anchor="midtop"
    )
    y = area.top + place.pad + line + round(3.2 * size)
    for text, tint, bold in rows:
        if y + line > area.bottom - 2 * line:
            break
        ui.put(screen, text, (area.left + 2 * place.pad, y), size, tint, bold=bold)
        y += line
    ui.put(screen, ui.fitted(keys, size, inner), (area.centerx, area.bottom - place.pad), size, ui.ACCENT, bold=True,
           anchor="midbottom")  # fmt: skip


def draw_start(screen: pygame.Surface, place: Layout, now: Instruments) -> None:
    """Ask the person to begin a scenario."""
    size = place.letter + 3
    lines = [(now.scenario, ui.TEXT, True), (f"you begin at {now.speed_kmh:.0f} km/h", ui.DIM, False),
             ("press a driving key to begin", ui.ACCENT, True)]  # fmt: skip
    area = pygame.Rect(0, 0, max(ui.width_of(words, size, True) for words, _, _ in lines) + 6 * place.pad,
                       round(1.6 * size) * len(lines) + 2 * place.pad)  # fmt: skip
    area.width = min(area.width, place.size[0] - 2 * place.pad)
    area.center = (place.size[0] // 2, round(place.size[1] * 0.36))
    ui.draw_panel(screen, area, ui.DARK, 12)
    y = area.top + place.pad
    for words, color, bold in lines:
        words = ui.fitted(words, size, area.width - 2 * place.pad, bold)
        ui.put(screen, words, (area.centerx, y), size, color, bold=bold, anchor="midtop")
        y += round(1.6 * size)


def draw_message(
    screen: pygame.Surface, place: Layout, title: str, words: str, color: ui.Color, hint: str = ""
) -> None:
    """Draw a message over everything: loading, or an error."""
    size = place.letter + 2
    inner = min(place.size[0] - 6 * place.pad, 52 * size)
    lines = ui.wrapped(words, size, inner)
    height = round(3.4 * size) + round(1.5 * size) * (len(lines) + (1 if hint else 0)) + 2 * place.pad
    area = pygame.Rect(0, 0, inner + 4 * place.pad, height)
    area.center = (place.size[0] // 2, place.size[1] // 2)
    ui.draw_panel(screen, area, ui.DARK, 12)
    ui.put(screen, title, (area.centerx, area.top + place.pad), round(1.6 * size), color, bold=True, anchor="midtop")
    y = area.top + place.pad + round(2.9 * size)
    for line in lines:
        ui.put(screen, line, (area.centerx, y), size, ui.TEXT, anchor="midtop")
        y += round(1.5 * size)
    if hint:
        ui.put(screen, hint, (area.centerx, area.bottom - place.pad), size, ui.DIM, anchor="midbottom")

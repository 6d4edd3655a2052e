"""The states of the storyboard's elements over time, as SVG: who waited, who ran, what ended it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from bridge.report.charts import nice_ticks

WIDTH, ROW, TOP, BOTTOM = 620, 19, 24, 30
LABEL_SHARE = 0.36
MOST_ROWS = 26
COLORS = {
    "story": "#475569", "act": "#7c3aed", "maneuverGroup": "#0891b2", "maneuver": "#0f766e", "event": "#2563eb",
    "action": "#d97706",
}  # fmt: skip
DEPTH = {kind: depth for depth, kind in enumerate(COLORS)}


@dataclass
class Row:
    """One element: (state, from, to) in seconds, and the moments at which it was skipped."""

    kind: str
    name: str
    spans: list[tuple[str, float, float]] = field(default_factory=list)
    skips: list[float] = field(default_factory=list)
    stopped: bool = False


def read_rows(path: Path, end_s: float) -> list[Row]:
    """Return the elements of ``events.csv`` in order of appearance, without what Init does.

    Args:
        path: the file.
        end_s: when the run ended: what still ran then ran until there.
    """
    rows: dict[str, Row] = {}
    state: dict[str, tuple[str, float]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if line["kind"] not in COLORS:
                continue
            key = line.get("path") or f"{line['kind']}:{line['element']}"
            row = rows.setdefault(key, Row(line["kind"], line["element"]))
            now = float(line["time"])
            if key in state:
                name, since = state[key]
                row.spans.append((name, since, now))
            if line["transition"] == "skipTransition":
                row.skips.append(now)
            row.stopped = line["transition"] == "stopTransition"
            state[key] = (line["to"], now)
    for key, (name, since) in state.items():
        if name != "completeState":
            rows[key].spans.append((name, since, end_s))
    return list(rows.values())


def timeline(rows: list[Row], end_s: float, *, mark_s: float | None = None, mark_label: str = "") -> str:
    """Return the SVG, or "" when there is nothing to show.

    Args:
        rows: see :func:`read_rows`.
        end_s: length of the run, s.
        mark_s, mark_label: a moment to mark.
    """
    if not rows or end_s <= 0.0:
        return ""
    shown, left = rows[:MOST_ROWS], len(rows) - MOST_ROWS
    height = TOP + ROW * (len(shown) + (left > 0)) + BOTTOM
    start = WIDTH * LABEL_SHARE
    ticks = nice_ticks(0.0, end_s, 6)
    ticks = [t for t in ticks if t <= end_s + 1e-9] or ticks[:1]

    def x(seconds: float) -> float:
        return start + seconds / end_s * (WIDTH - start - 12)

    parts = [
        f'<svg class="chart timeline" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="storyboard">',
        '<text x="4" y="14" class="title">Storyboard</text>',
    ]
    for tick in ticks:
        parts.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{height - BOTTOM}" class="grid"/>')
        parts.append(f'<text x="{x(tick):.1f}" y="{height - BOTTOM + 14}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<text x="{WIDTH - 12}" y="{height - 3}" text-anchor="end">time, s</text>')
    for i, row in enumerate(shown):
        parts.append(_row(row, TOP + ROW * i, x))
    if left > 0:
        parts.append(f'<text x="4" y="{height - BOTTOM - 5}">and {left} more elements</text>')
    if mark_s is not None:
        parts.append(
            f'<line x1="{x(mark_s):.1f}" x2="{x(mark_s):.1f}" y1="{TOP}" y2="{height - BOTTOM}" class="mark"/>'
        )
        anchor = "end" if mark_s > end_s / 2 else "start"
        offset = -4 if anchor == "end" else 4
        parts.append(
            f'<text x="{x(mark_s) + offset:.1f}" y="{TOP - 4}" text-anchor="{anchor}" class="marklabel">'
            f"{escape(mark_label)}</text>"
        )
    return "".join([*parts, "</svg>"])


def _row(row: Row, y: float, x: Callable[[float], float]) -> str:
    color, middle = COLORS[row.kind], y + ROW / 2
    indent = 4 + 9 * DEPTH[row.kind]
    room = int((WIDTH * LABEL_SHARE - indent - 6) / 6.2)
    name = row.name if len(row.name) <= room else row.name[: max(1, room - 1)] + "…"
    parts = [
        f"<g><title>{escape(_told(row))}</title>",
        f'<text x="{indent}" y="{middle + 4:.1f}" class="label">{escape(name)}</text>',
    ]
    for state, since, until in row.spans:
        if state == "standbyState":
            parts.append(
                f'<line x1="{x(since):.1f}" x2="{x(until):.1f}" y1="{middle:.1f}" y2="{middle:.1f}" '
                f'stroke="{color}" stroke-width="2" stroke-dasharray="2 3" opacity="0.7"/>'
            )
        elif state == "runningState":
            width = max(x(until) - x(since), 3.0)
            parts.append(
                f'<rect x="{x(since):.1f}" y="{y + 4}" width="{width:.1f}" height="{ROW - 8}" rx="2" fill="{color}"/>'
            )
    for moment in row.skips:
        parts.append(f'<text x="{x(moment):.1f}" y="{middle + 4:.1f}" text-anchor="middle">×</text>')
    return "".join([*parts, "</g>"])


def _told(row: Row) -> str:
    spans = "; ".join(
        f"{'waits' if state == 'standbyState' else 'runs'} {since:.2f}-{until:.2f} s"
        for state, since, until in row.spans
        if state in ("standbyState", "runningState")
    )
    skips = f"; skipped {len(row.skips)} times" if row.skips else ""
    return f"{row.kind} {row.name}: {spans}{skips}{'; stopped' if row.stopped else ''}"

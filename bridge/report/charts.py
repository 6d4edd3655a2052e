"""Small inline SVG line charts: speeds and distances over time, readable without a script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

COLORS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f")
WIDTH, HEIGHT = 430, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 24, 34


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return about ``count`` round numbers that cover [low, high] (steps of 1, 2 or 5 times a power of ten)."""
    span = max(high - low, 1e-9)
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw - 1e-12)
    first = math.floor(low / step + 1e-9) * step
    number = math.ceil((high - first) / step - 1e-9)
    return [round(first + i * step, 10) for i in range(number + 1)]


def line_chart(
    title: str,
    series: Mapping[str, tuple[Sequence[float], Sequence[float | None]]],
    *,
    unit: str,
    mark_s: float | None = None,
    mark_label: str = "",
    colors: Mapping[str, str] | None = None,
    level: float | None = None,
) -> str:
    """Return an SVG line chart over time.

    Args:
        title: printed above the plot.
        series: name -> (times in s, values); at most eight colours are told apart. A value None is a gap.
        unit: of the values, printed at the axis.
        mark_s: a moment to mark with a vertical line.
        mark_label: what that moment is.
        colors: by series name; in order of :data:`COLORS` by default.
        level: a value to mark with a horizontal line.
    """
    times = [t for xs, _ in series.values() for t in xs]
    values = [v for _, ys in series.values() for v in ys if v is not None]
    if not times or not values:
        return ""
    x_ticks, y_ticks = (
        nice_ticks(min(times), max(times), 6),
        nice_ticks(min(0.0, *values), max(1.0, level or 0.0, *values), 4),
    )

    def x(t: float) -> float:
        return LEFT + (t - x_ticks[0]) / (x_ticks[-1] - x_ticks[0]) * (WIDTH - LEFT - RIGHT)

    def y(v: float) -> float:
        return HEIGHT - BOTTOM - (v - y_ticks[0]) / (y_ticks[-1] - y_ticks[0]) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">',
        f'<text x="{LEFT}" y="14" class="title">{escape(title)}</text>',
    ]
    for tick in y_ticks:
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in x_ticks:
        parts.append(f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">time, s</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="14" text-anchor="end">{escape(unit)}</text>')
    if level is not None:
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(level):.1f}" y2="{y(level):.1f}" class="level"/>')
    if mark_s is not None:
        parts.append(
            f'<line x1="{x(mark_s):.1f}" x2="{x(mark_s):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" class="mark"/>'
        )
        anchor = "end" if x(mark_s) > WIDTH / 2 else "start"
        offset = -4 if anchor == "end" else 4
        parts.append(
            f'<text x="{x(mark_s) + offset:.1f}" y="{TOP + 10}" text-anchor="{anchor}" class="marklabel">'
            f"{escape(mark_label)}</text>"
        )
    for i, (name, (xs, ys)) in enumerate(series.items()):
        color = colors[name] if colors else COLORS[i % len(COLORS)]
        for piece in _pieces(xs, ys):
            points = " ".join(f"{x(t):.1f},{y(v):.1f}" for t, v in piece)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.8"/>')
    return "".join([*parts, "</svg>"])


def _pieces(times: Sequence[float], values: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    """Cut a curve at its gaps; a single point becomes a short stroke."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for t, v in zip(times, values, strict=True):
        if v is not None:
            pieces[-1].append((t, v))
        elif pieces[-1]:
            pieces.append([])
    return [piece * 2 if len(piece) == 1 else piece for piece in pieces if piece]

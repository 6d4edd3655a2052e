"""Inline SVG: error curves with intervals, maps of errors over two parameters, learning curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Sequential colours of error: light (none) to dark red (everything wrong).
_SCALE = ((255, 247, 236), (253, 212, 158), (252, 141, 89), (215, 48, 31), (127, 0, 0))


def color(share: float) -> str:
    """Return the colour of an error share in [0, 1]."""
    at = min(max(share, 0.0), 1.0) * (len(_SCALE) - 1)
    i = min(int(at), len(_SCALE) - 2)
    red, green, blue = (round(a + (b - a) * (at - i)) for a, b in zip(_SCALE[i], _SCALE[i + 1], strict=True))
    return f"#{red:02x}{green:02x}{blue:02x}"


def ink(share: float) -> str:
    """Return a text colour that is legible on :func:`color`."""
    return "#fff" if share > 0.55 else "#1b2430"


def legend() -> str:
    """Return the colour scale of errors as an SVG strip from 0 to 100 %."""
    steps = 40
    bars = "".join(
        f'<rect x="{i * 4}" y="0" width="4.2" height="12" fill="{color(i / (steps - 1))}"/>' for i in range(steps)
    )
    return (
        f'<svg class="scale" viewBox="0 0 230 14" role="img" aria-label="colour scale of errors">'
        f'<g transform="translate(26,1)">{bars}</g><text x="0" y="11">0 %</text><text x="192" y="11">100 %</text></svg>'
    )


def error_curve(
    title: str, produced: Sequence[float], errors: Sequence[float], bands: Sequence[tuple[float, float]], top: float
) -> str:
    """Return a small chart of one class's error over the number of samples, with its interval as a band.

    Args:
        title: the class.
        produced: samples, one per round.
        errors: in [0, 1]. bands: lower and upper ends of the intervals.
        top: upper end of the axis, the same in every chart that is to be compared.
    """
    width, height, left, right, upper, lower = 236, 132, 34, 10, 24, 24
    low, high = min(produced), max(produced)

    def x(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return left + share * (width - left - right)

    def y(value: float) -> float:
        return height - lower - min(value, top) / top * (height - upper - lower)

    parts = [
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title, quote=True)}">',
        f'<text x="{left}" y="14" class="title">{escape(title)}</text>',
        f'<text x="{width - right}" y="14" text-anchor="end" class="strong">{errors[-1] * 100:.0f} %</text>',
    ]
    for tick in (0.0, top / 2, top):
        parts.append(f'<line x1="{left}" x2="{width - right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" class="grid"/>')
        parts.append(f'<text x="{left - 4}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick * 100:.0f}</text>')
    for value, anchor in ((low, "start"), (high, "end")) if high > low else ((low, "middle"),):
        parts.append(f'<text x="{x(value):.1f}" y="{height - 8}" text-anchor="{anchor}">{value:g}</text>')
    edge = [(p, b[1]) for p, b in zip(produced, bands, strict=True)]
    edge += [(p, b[0]) for p, b in zip(produced, bands, strict=True)][::-1]
    points = " ".join(f"{x(p):.1f},{y(v):.1f}" for p, v in edge)
    if len(produced) > 1:
        parts.append(f'<polygon points="{points}" class="band"/>')
    line = " ".join(f"{x(p):.1f},{y(v):.1f}" for p, v in zip(produced, errors, strict=True))
    parts.append(f'<polyline points="{line}" class="line"/>')
    for p, v, (a, b) in zip(produced, errors, bands, strict=True):
        if len(produced) == 1:
            parts.append(f'<line x1="{x(p):.1f}" x2="{x(p):.1f}" y1="{y(a):.1f}" y2="{y(b):.1f}" class="line"/>')
        parts.append(f'<circle cx="{x(p):.1f}" cy="{y(v):.1f}" r="2.6" class="dot"/>')
    return "".join([*parts, "</svg>"])


def error_map(
    names: tuple[str, str],
    edges: tuple[Sequence[float] | Sequence[str], Sequence[float] | Sequence[str]],
    wrong: Floats,
    count: Floats,
    least: int = 4,
) -> str:
    """Return a map of the error over two parameters.

    Args:
        names: of the horizontal and the vertical parameter, with units.
        edges: of the bins (one more than bins), or the names of choices (as many as bins).
        wrong, count: (rows, columns) errors and samples; row 0 is the lowest bin.
        least: a cell with fewer samples is left grey: nothing can be said.
    """
    rows, columns = count.shape
    words = max((len(edge) for edge in edges[1] if isinstance(edge, str)), default=0)
    left, top, cell_w, cell_h = max(74, 28 + 7 * words), 8, 300 / columns, 190 / rows
    slanted = isinstance(edges[0][0], str) and columns > 4
    width, height = left + 300 + 22, top + 190 + (84 if slanted else 44)
    parts = [f'<svg class="chart map" viewBox="0 0 {width} {height}" role="img">']
    for r in range(rows):
        for c in range(columns):
            x, y = left + c * cell_w, top + (rows - 1 - r) * cell_h
            n, share = int(count[r, c]), wrong[r, c] / max(count[r, c], 1)
            enough = n >= least
            fill = color(share) if enough else "#eceff3"
            says = f"{share * 100:.0f} % of {n}" if n else "no samples"
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{cell_w - 1:.1f}" height="{cell_h - 1:.1f}" fill="{fill}">'
                f"<title>{says}</title></rect>"
            )
            if enough:
                parts.append(
                    f'<text x="{x + cell_w / 2:.1f}" y="{y + cell_h / 2 + 4:.1f}" text-anchor="middle" '
                    f'style="fill:{ink(share)}">{share * 100:.0f}</text>'
                )
    place = (lambda i: (left + i * cell_w + 6, top + 190 + 12)) if slanted else lambda i: (left + i * cell_w, top + 204)
    parts += _axis(edges[0], columns, place, "end" if slanted else "middle", -32 if slanted else 0)
    parts += _axis(edges[1], rows, lambda i: (left - 5, top + 190 - i * cell_h + 4), "end")
    parts.append(
        f'<text x="{left + 150}" y="{height - 6}" text-anchor="middle" class="title">{escape(names[0])}</text>'
    )
    middle = top + 95
    parts.append(
        f'<text x="12" y="{middle}" text-anchor="middle" class="title" transform="rotate(-90 12 {middle})">'
        f"{escape(names[1])}</text>"
    )
    return "".join([*parts, "</svg>"])


def _axis(
    edges: Sequence[float] | Sequence[str],
    bins: int,
    place: Callable[[float], tuple[float, float]],
    anchor: str,
    turn: int = 0,
) -> list[str]:
    out = []
    for i, edge in enumerate(edges):
        at = i if len(edges) > bins else i + 0.5
        x, y = place(at)
        text = edge.replace("_", " ") if isinstance(edge, str) else f"{edge:.3g}"
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turned}>{escape(text)}</text>')
    return out


def learning_curves(curves: Sequence[tuple[str, Sequence[float], Sequence[float]]], unit: str) -> str:
    """Return a chart of several curves over training steps, on a logarithmic vertical axis.

    Args:
        curves: name, steps, values (above 0).
        unit: what the values are.
    """
    from bridge.report.charts import COLORS

    width, height, left, right, top, bottom = 430, 200, 46, 66, 24, 30
    values = [max(v, 1e-4) for _, _, ys in curves for v in ys]
    steps = [s for _, xs, _ in curves for s in xs]
    if not values:
        return ""
    low, high = math.log10(min(values)), math.log10(max(values))
    high = max(high, low + 0.1)

    def x(step: float) -> float:
        return left + step / max(steps) * (width - left - right)

    def y(value: float) -> float:
        return height - bottom - (math.log10(max(value, 1e-4)) - low) / (high - low) * (height - top - bottom)

    parts = [f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="learning curves">']
    parts.append(f'<text x="{left}" y="14" class="title">{escape(unit)}</text>')
    for tick in _log_ticks(low, high):
        parts.append(f'<line x1="{left}" x2="{width - right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" class="grid"/>')
        parts.append(f'<text x="{left - 4}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in (0, max(steps) / 2, max(steps)):
        parts.append(f'<text x="{x(tick):.1f}" y="{height - 14}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<text x="{width - right}" y="{height - 2}" text-anchor="end">step</text>')
    for i, (name, xs, ys) in enumerate(curves):
        stroke = COLORS[i % len(COLORS)]
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in zip(xs, ys, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{stroke}" stroke-width="1.6"/>')
        parts.append(
            f'<text x="{width - right + 6}" y="{top + 8 + 14 * i}" style="fill:{stroke}">{escape(name)}</text>'
        )
    return "".join([*parts, "</svg>"])


def _log_ticks(low: float, high: float) -> list[float]:
    ticks = [m * 10.0**e for e in range(math.floor(low), math.ceil(high) + 1) for m in (1, 2, 5)]
    return [tick for tick in ticks if low - 1e-9 <= math.log10(tick) <= high + 1e-9]

"""Road mark records turned into painted lines: which lines a mark has, and the dashes along them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.opendrive import records
from scenarios.opendrive.cubics import PiecewiseCubic
from scenarios.opendrive.road import RoadGeometry, Section

Floats = npt.NDArray[np.float64]
Intervals = npt.NDArray[np.float64]

_WHITE = (0.93, 0.93, 0.91)
COLORS = {
    "standard": _WHITE,
    "white": _WHITE,
    "yellow": (0.92, 0.75, 0.15),
    "red": (0.72, 0.12, 0.10),
    "blue": (0.10, 0.25, 0.65),
    "green": (0.10, 0.45, 0.20),
    "orange": (0.90, 0.45, 0.10),
    "violet": (0.45, 0.20, 0.55),
    "black": (0.05, 0.05, 0.05),
}
"""sRGB of the colours of road marks (ASAM OpenDRIVE, e_roadMarkColor)."""

WIDTH_M = {"standard": 0.12, "bold": 0.25}
"""Widths where the file gives none: the German guidelines' narrow and broad line (RMS-1)."""

_DASHES_M = {"motorway": (6.0, 12.0), "rural": (4.0, 8.0)}
_DASHES_ELSEWHERE_M = (3.0, 6.0)
_DOTS_M, _DOT_GROUP, _DOT_MODULE_M, DOT_RADIUS_M = 1.1, 4, 14.6, 0.05
_GRASS_WIDTH_M, _CURB_WIDTH_M = 0.3, 0.15
_MAX_DASHES = 200_000


@dataclass(frozen=True, slots=True)
class PaintedLine:
    """One line of a road mark.

    Attributes:
        t_offset: its middle's distance from the lane border in metres, positive to the left.
        width: metres.
        dashes: (N, 2) s at which painted stretches start and end.
        color: the standard's word.
        dots: True if every stretch is a round dot in its middle.
    """

    t_offset: float
    width: float
    dashes: Intervals
    color: str
    dots: bool = False


def lines_of(
    mark: records.RoadMark, road: RoadGeometry, start: float, end: float, *, left_side: bool
) -> list[PaintedLine]:
    """Return the lines of a mark that holds from ``start`` to ``end``.

    Lines given in ``<explicit>`` or ``<type>`` are taken as they are. Without them the type's word decides; the
    first half of "solid broken" is the inner line (on the centre lane the left one).

    Args:
        mark: the record.
        road: the road; its type decides about the dashes of broken lines without a definition.
        start, end: the s between which the mark holds.
        left_side: True for lanes left of the centre lane, whose inner side is their right one.
    """
    if mark.type_ == "none" or end - start < 1e-6:
        return []
    width = mark.width if mark.width is not None and mark.width > 0.0 else WIDTH_M.get(mark.weight, WIDTH_M["standard"])
    if mark.explicit is not None and mark.explicit.lines:
        return [
            PaintedLine(
                line.t_offset,
                line.width or width,
                _clip(np.array([[start + line.s_offset, start + line.s_offset + line.length]]), start, end),
                line.color or mark.color,
            )
            for line in mark.explicit.lines
        ]
    given = [line for kind in mark.types for line in kind.lines]
    if given:
        return [_given_line(line, width, mark.color, start, end) for line in given]
    return _lines_by_word(mark, road, start, end, width, left_side=left_side)


def _given_line(line: records.MarkLine, width: float, color: str, start: float, end: float) -> PaintedLine:
    first = start + line.s_offset
    solid = line.space <= 0.0 or line.length <= 0.0
    dashes = np.array([[first, end]]) if solid else _repeat(first, end, line.length, line.space, first)
    return PaintedLine(line.t_offset, line.width or width, _clip(dashes, start, end), line.color or color)


def _lines_by_word(
    mark: records.RoadMark, road: RoadGeometry, start: float, end: float, width: float, *, left_side: bool
) -> list[PaintedLine]:
    solid = np.array([[start, end]])
    if mark.type_ == "botts dots":
        return [PaintedLine(0.0, 2.0 * DOT_RADIUS_M, _dots(start, end), mark.color, dots=True)]
    if mark.type_ == "grass":
        return [PaintedLine(0.0, mark.width or _GRASS_WIDTH_M, solid, mark.color)]
    if mark.type_ == "curb":
        return [PaintedLine(0.0, mark.width or _CURB_WIDTH_M, solid, mark.color)]
    words = mark.type_.split()
    if not words or any(word not in ("solid", "broken", "edge") for word in words):
        return []  # "custom" without a definition, or a word of a later standard: there is nothing to draw
    length, space = _dash(road, 0.5 * (start + end))
    # Dashes are counted from the road's start, so that they go on evenly over lane sections.
    broken = _clip(_repeat(start, end, length, space, 0.0), start, end)
    if len(words) == 1:
        return [PaintedLine(0.0, width, broken if words[0] == "broken" else solid, mark.color)]
    # Two lines, one line's width apart.
    sides = (-width, width) if left_side else (width, -width)
    return [
        PaintedLine(side, width, broken if word == "broken" else solid, mark.color) for word, side in zip(words, sides)
    ]


def _dash(road: RoadGeometry, s: float) -> tuple[float, float]:
    types = [r for r in road.record.types if r.s <= s]
    word = max(types, key=lambda r: r.s).type_ if types else ""
    return _DASHES_M.get(word, _DASHES_ELSEWHERE_M)


def _repeat(start: float, end: float, length: float, space: float, phase: float) -> Intervals:
    """Return dashes of a pattern anchored at ``phase`` that reach into [start, end]."""
    period = length + space
    if period <= 0.0 or (end - start) / period > _MAX_DASHES:
        return np.array([[start, end]])
    first = np.floor((start - phase) / period)
    count = int(np.ceil((end - start) / period)) + 2
    begins = phase + (first + np.arange(count)) * period
    return np.stack([begins, begins + length], axis=-1)


def _dots(start: float, end: float) -> Intervals:
    modules = np.arange(np.floor(start / _DOT_MODULE_M), np.ceil(end / _DOT_MODULE_M) + 1.0)[:_MAX_DASHES]
    centres = (modules[:, None] * _DOT_MODULE_M + np.arange(_DOT_GROUP) * _DOTS_M).ravel()
    centres = centres[(centres > start + DOT_RADIUS_M) & (centres < end - DOT_RADIUS_M)]
    return np.stack([centres - DOT_RADIUS_M, centres + DOT_RADIUS_M], axis=-1)


def _clip(dashes: Intervals, start: float, end: float) -> Intervals:
    cut = np.clip(dashes, start, end)
    return cut[cut[:, 1] - cut[:, 0] > 1e-3]


def marks_of(section: Section, lane: records.Lane, origin: float) -> list[tuple[records.RoadMark, float, float]]:
    """Return the marks of a lane with the s between which each holds."""
    ordered = sorted(lane.road_marks, key=lambda r: r.s_offset)
    starts = [min(max(origin + r.s_offset, section.start), section.end) for r in ordered]
    found = []
    for i, (record, start) in enumerate(zip(ordered, starts)):
        later = [s for s in starts[i + 1 :] if s > start]
        end = later[0] if later else section.end
        if any(other.s_offset == record.s_offset for other in ordered[i + 1 :]):
            continue  # of two marks at one place the later one holds
        if end - start > 1e-6:
            found.append((record, start, end))
    return found


def sway_of(mark: records.RoadMark, start: float) -> PiecewiseCubic | None:
    """Return the sideways wandering of a mark over s, or None."""
    if not mark.sways:
        return None
    return PiecewiseCubic((start + r.ds, r.a, r.b, r.c, r.d) for r in mark.sways)

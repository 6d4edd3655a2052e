"""Debug shapes of an episode: what clients draw, and for how long it is seen.

As in CARLA 0.9.13 and later a life time of 0 or less lasts until the shapes are cleared; others count down by
simulated time. Unlike there, a shape is always seen in the first frame after it was drawn, however short its life.
Points, lines, arrows and boxes are seen by colour cameras. Texts and HUD shapes are for the server's window alone:
CARLA's sensors do not see them, and here only cameras attached to the spectator do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from engine.protocol.structs import (
    DEBUG_PRIMITIVES,
    DebugArrow,
    DebugBox,
    DebugLine,
    DebugPoint,
    DebugShape,
    DebugString,
    Location,
)
from engine.render.hud import Hud
from engine.render.shapes import SEGMENT_DTYPE, segments
from foundation.errors import RealityError
from foundation.frames import pose_matrices, transform_points

MAX_SEGMENTS = 200_000
"""More lines and points than this are not kept: the oldest go."""
POINT_PX = 100.0
"""A point of size 1 is so many pixels wide at a field of view of 90 degrees."""
_FIRST_HUD = 5
_END_S = 1e-6

Segments = npt.NDArray[np.void]


class _Aging:
    """How long things are still seen; (N,) arrays beside what they belong to."""

    def __init__(self) -> None:
        self.left_s = np.zeros(0)
        self.unseen = np.zeros(0, dtype=bool)

    def add(self, count: int, life_s: float) -> None:
        self.left_s = np.concatenate([self.left_s, np.full(count, life_s if life_s > 0.0 else math.inf)])
        self.unseen = np.concatenate([self.unseen, np.ones(count, dtype=bool)])

    def step(self, delta_s: float) -> npt.NDArray[np.bool_]:
        """Let time pass; return which are still seen."""
        self.left_s = self.left_s - delta_s
        alive = self.unseen | (self.left_s > _END_S)
        self.keep(alive)
        self.unseen[:] = False
        return alive

    def keep(self, which: npt.NDArray[np.bool_]) -> None:
        self.left_s, self.unseen = self.left_s[which], self.unseen[which]


class _Layer:
    """Lines and points that are drawn together."""

    def __init__(self) -> None:
        self.segments = segments(0)
        self._new: list[tuple[Segments, float]] = []
        self._aging = _Aging()

    def __bool__(self) -> bool:
        return bool(self._new) or len(self.segments) > 0

    def add(self, new: Segments, life_s: float) -> None:
        self._new.append((new, life_s))

    def step(self, delta_s: float) -> None:
        if self._new:
            self.segments = np.concatenate([self.segments, *(new for new, _ in self._new)])
            for new, life_s in self._new:
                self._aging.add(len(new), life_s)
            self._new.clear()
            if len(self.segments) > MAX_SEGMENTS:
                self._aging.keep(np.arange(len(self.segments)) >= len(self.segments) - MAX_SEGMENTS)
                self.segments = self.segments[-MAX_SEGMENTS:]
        alive = self._aging.step(delta_s)
        # The same array as long as nothing changes: the renderer then keeps what it has.
        if not alive.all():
            self.segments = self.segments[alive]


class DebugShapes:
    """All shapes of an episode."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._seen, self._hud = _Layer(), _Layer()
        self._texts: list[tuple[tuple[float, float, float], str, tuple[int, int, int], bool]] = []
        self._text_aging = _Aging()

    def __bool__(self) -> bool:
        return bool(self._seen) or bool(self._hud) or bool(self._texts)

    @property
    def segments(self) -> Segments:
        """What colour cameras see, as of the last :meth:`step`."""
        return self._seen.segments

    @property
    def hud(self) -> Hud:
        """What the server's window would show besides."""
        return Hud(tuple(self._texts), self._hud.segments)

    def add(self, shape: DebugShape) -> None:
        """Draw a shape, seen from the next frame on.

        Raises:
            RealityError: it is none of CARLA's primitives, or its numbers are not finite.
        """
        index, body = _primitive(shape)
        color = (shape.color.r, shape.color.g, shape.color.b)
        life_s = shape.life_time if math.isfinite(shape.life_time) else 0.0
        if isinstance(body, DebugString):
            self._texts.append((_place(body.location), body.text, color, body.draw_shadow))
            self._text_aging.add(1, life_s)
            return
        hud = index >= _FIRST_HUD
        new = _segments_of(body, hud)
        new["color"] = color
        if not all(np.isfinite(new[name]).all() for name in ("begin", "end", "width")):
            raise RealityError("draw_debug_shape: a coordinate or size is not finite")
        (self._hud if hud else self._seen).add(new, life_s)

    def step(self, delta_s: float) -> None:
        """Let a frame pass, before it is seen."""
        self._seen.step(delta_s)
        self._hud.step(delta_s)
        alive = self._text_aging.step(delta_s)
        self._texts = [text for text, stays in zip(self._texts, alive) if stays]

    def clear(self) -> None:
        """Take everything away."""
        self._begin()

    def clear_shapes(self) -> None:
        """Take all shapes away, but not the texts."""
        self._seen, self._hud = _Layer(), _Layer()

    def clear_texts(self) -> None:
        """Take all texts away."""
        self._texts, self._text_aging = [], _Aging()


def _primitive(shape: DebugShape) -> tuple[int, object]:
    try:
        index, body = shape.primitive
        if not 0 <= int(index) < len(DEBUG_PRIMITIVES):
            raise ValueError(f"primitive {index}")
        return int(index), msgspec.convert(body, DEBUG_PRIMITIVES[int(index)])
    except (ValueError, TypeError, msgspec.ValidationError) as error:
        raise RealityError(f"draw_debug_shape: no shape of CARLA's: {error}") from error


def _place(location: Location) -> tuple[float, float, float]:
    return location.x, location.y, location.z


def _segments_of(body: object, hud: bool) -> Segments:
    if isinstance(body, DebugPoint):
        return _lines([(_place(body.location), _place(body.location))], body.size * (1.0 if hud else POINT_PX), True)
    if isinstance(body, DebugLine):
        return _lines([(_place(body.begin), _place(body.end))], body.thickness)
    if isinstance(body, DebugArrow):
        return _arrow(body)
    assert isinstance(body, DebugBox)
    # The box's own rotation plays no part, as in CARLA: the shape brings its rotation.
    turn = (body.rotation.pitch, body.rotation.yaw, body.rotation.roll)
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
    extent = (body.box.extent.x, body.box.extent.y, body.box.extent.z)
    corners = transform_points(pose_matrices(_place(body.box.location), turn), signs * extent)
    edges = [(a, b) for a in range(8) for b in (a ^ 1, a ^ 2, a ^ 4) if a < b]
    return _lines([(corners[a], corners[b]) for a, b in edges], body.thickness)


def _arrow(body: DebugArrow) -> Segments:
    """Return the shaft and four barbs that lead from the tip back and outwards."""
    begin, end = np.array(_place(body.line.begin)), np.array(_place(body.line.end))
    ahead = end - begin
    length = float(np.linalg.norm(ahead))
    lines = [(begin, end)]
    if length > 1e-9:
        yaw = math.degrees(math.atan2(ahead[1], ahead[0]))
        pitch = math.degrees(math.atan2(ahead[2], math.hypot(ahead[0], ahead[1])))
        size = body.arrow_size
        barbs = np.array([(length - size, y * size, z * size) for y in (1, -1) for z in (1, -1)])
        lines += [(barb, end) for barb in transform_points(pose_matrices(begin, (pitch, yaw, 0.0)), barbs)]
    return _lines(lines, body.line.thickness)


def _lines(ends: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]], width: float, point: bool = False) -> Segments:
    made = np.zeros(len(ends), dtype=SEGMENT_DTYPE)
    for n, (begin, end) in enumerate(ends):
        made["begin"][n], made["end"][n] = begin, end
    made["width"], made["point"] = max(width, 0.0), point
    return made

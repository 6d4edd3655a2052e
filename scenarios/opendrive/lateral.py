"""The cross-section's form: crossfall of OpenDRIVE 1.4 and shape of 1.5 and later, as heights over (s, t)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scenarios.opendrive.cubics import PiecewiseCubic
from scenarios.opendrive.records import Crossfall, Shape

Floats = npt.NDArray[np.float64]


class CrossSection:
    """Height of the road's surface over the (superelevated) plane of the cross-section.

    Shapes are cubic in t and linear in s between the places where they are given (ASAM OpenDRIVE 1.8, section
    10.5.3); before the first place nothing holds, after the last one it goes on unchanged. A crossfall falls from
    the reference line outwards.

    Args:
        crossfalls: the ``<crossfall>`` records of a road.
        shapes: the ``<shape>`` records of a road.
    """

    __slots__ = ("_left", "_places", "_profiles", "_right", "is_flat", "starts")

    def __init__(self, crossfalls: Sequence[Crossfall], shapes: Sequence[Shape]) -> None:
        self._left = PiecewiseCubic((r.s, r.a, r.b, r.c, r.d) for r in crossfalls if r.side != "right")
        self._right = PiecewiseCubic((r.s, r.a, r.b, r.c, r.d) for r in crossfalls if r.side != "left")
        places = sorted({shape.s for shape in shapes})
        self._places: Floats = np.array(places)
        self._profiles = [_Profile([r for r in shapes if r.s == s]) for s in places]
        self.is_flat = not places and self._left.is_constant and self._right.is_constant
        self.starts: Floats = np.concatenate([self._left.starts, self._right.starts, self._places])

    @property
    def is_curved(self) -> bool:
        """True if the height may bend within a lane, so that a mesh needs columns inside it."""
        return bool(len(self._profiles))

    @property
    def creases(self) -> list[float]:
        """Where the slope over t may jump: t in metres, sorted."""
        return sorted({float(t) for profile in self._profiles for t in profile.starts})

    def height(self, s: Floats, t: Floats) -> tuple[Floats, Floats, Floats]:
        """Return (height, its slope over s, its slope over t) at (s, t); shapes broadcast."""
        s, t = np.broadcast_arrays(np.asarray(s, dtype=np.float64), np.asarray(t, dtype=np.float64))
        zero = np.zeros(s.shape)
        if self.is_flat:
            return zero, zero, zero
        left, right = self._left.jet(s), self._right.jet(s)
        fall = np.where(t >= 0.0, left.value, right.value)
        turn = np.where(t >= 0.0, left.slope, right.slope)
        h = -np.abs(t) * np.tan(fall)
        h_s = -np.abs(t) * turn / np.cos(fall) ** 2
        h_t = -np.sign(t) * np.tan(fall)
        if self._profiles:
            shape, shape_s, shape_t = self._shape(s, t)
            h, h_s, h_t = h + shape, h_s + shape_s, h_t + shape_t
        return h, h_s, h_t

    def _shape(self, s: Floats, t: Floats) -> tuple[Floats, Floats, Floats]:
        heights = np.stack([profile(t)[0] for profile in self._profiles])
        slopes = np.stack([profile(t)[1] for profile in self._profiles])
        before = np.clip(np.searchsorted(self._places, s, side="right") - 1, 0, len(self._places) - 1)
        after = np.minimum(before + 1, len(self._places) - 1)
        span = self._places[after] - self._places[before]
        rest = np.maximum(s - self._places[before], 0.0)
        part = np.divide(rest, span, out=np.zeros(s.shape), where=span > 0.0)

        def pick(values: Floats, index: npt.NDArray[np.intp]) -> Floats:
            return np.take_along_axis(values, index[None], axis=0)[0]

        low, high = pick(heights, before), pick(heights, after)
        given = s >= self._places[0]
        h = np.where(given, low + part * (high - low), 0.0)
        h_s = np.where(given, np.divide(high - low, span, out=np.zeros(s.shape), where=span > 0.0), 0.0)
        h_t = np.where(given, pick(slopes, before) * (1.0 - part) + pick(slopes, after) * part, 0.0)
        return h, h_s, h_t


class _Profile:
    """One cross-section: cubics of t; left of the first one its start value holds."""

    def __init__(self, records: Sequence[Shape]) -> None:
        self._cubic = PiecewiseCubic((r.t, r.a, r.b, r.c, r.d) for r in records)
        self.starts = self._cubic.starts

    def __call__(self, t: Floats) -> tuple[Floats, Floats]:
        inside = np.maximum(t, self.starts[0])
        jet = self._cubic.jet(inside)
        return jet.value, np.where(t < self.starts[0], 0.0, jet.slope)

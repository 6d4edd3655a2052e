"""Piecewise cubic polynomials of s: elevation, superelevation, lane offset, widths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Jet(NamedTuple):
    """A function's value and its first two derivatives, all of one shape."""

    value: Floats
    slope: Floats
    bend: Floats


class PiecewiseCubic:
    """a + b ds + c ds^2 + d ds^3 with ds counted from the start of the piece that holds at s.

    Before the first piece the first one is not extended: the standard says nothing holds there, and ``default``
    is returned. After the last start the last piece goes on for ever.

    Args:
        pieces: (start, a, b, c, d) in any order; of pieces with one start the last given wins.
        default: the value where no piece holds.
    """

    __slots__ = ("_coefficients", "_default", "is_constant", "starts")

    def __init__(self, pieces: Iterable[tuple[float, float, float, float, float]], default: float = 0.0) -> None:
        chosen = {float(piece[0]): tuple(float(v) for v in piece[1:]) for piece in pieces}
        ordered = sorted(chosen.items())
        self.starts: Floats = np.array([start for start, _ in ordered], dtype=np.float64)
        self._coefficients: Floats = np.array([c for _, c in ordered], dtype=np.float64).reshape(-1, 4).T.copy()
        self._default = float(default)
        self.is_constant = not len(ordered) or (
            not np.any(self._coefficients[1:]) and bool(np.all(self._coefficients[0] == self._default))
        )
        """True if the value is ``default`` everywhere, so that callers can skip the work."""

    def __len__(self) -> int:
        return len(self.starts)

    def __call__(self, s: Floats) -> Floats:
        """Return the values at ``s``, of any shape."""
        if self.is_constant:
            return np.full(np.shape(s), self._default)
        index, ds = self._piece(s)
        a, b, c, d = self._coefficients[:, index]
        return self._masked(a + ds * (b + ds * (c + ds * d)), s, self._default)

    def jet(self, s: Floats) -> Jet:
        """Return values, slopes and second derivatives at ``s``, of any shape."""
        if self.is_constant:
            zero = np.zeros(np.shape(s))
            return Jet(np.full(np.shape(s), self._default), zero, zero)
        index, ds = self._piece(s)
        a, b, c, d = self._coefficients[:, index]
        value = self._masked(a + ds * (b + ds * (c + ds * d)), s, self._default)
        slope = self._masked(b + ds * (2.0 * c + ds * 3.0 * d), s, 0.0)
        return Jet(value, slope, self._masked(2.0 * c + 6.0 * d * ds, s, 0.0))

    def lowest(self, end: float) -> tuple[float, float]:
        """Return (the least value up to ``end``, where it is taken), looking at ends and extremes of every piece."""
        best = (np.inf, 0.0)
        for i, start in enumerate(self.starts):
            stop = self.starts[i + 1] if i + 1 < len(self.starts) else end
            span = min(stop, end) - start
            if span < 0.0:
                continue
            a, b, c, d = self._coefficients[:, i]
            candidates = [0.0, span, *(r for r in _real_roots(3.0 * d, 2.0 * c, b) if 0.0 < r < span)]
            for ds in candidates:
                best = min(best, (float(a + ds * (b + ds * (c + ds * d))), float(start + ds)))
        return best

    def _piece(self, s: Floats) -> tuple[npt.NDArray[np.intp] | int, Floats]:
        if len(self.starts) == 1:
            return 0, s - self.starts[0]
        index = np.maximum(np.searchsorted(self.starts, s, side="right") - 1, 0)
        return index, s - self.starts[index]

    def _masked(self, values: Floats, s: Floats, outside: float) -> Floats:
        if self.starts[0] <= 0.0:
            return values
        return np.where(np.asarray(s) < self.starts[0], outside, values)


def _real_roots(a: float, b: float, c: float) -> list[float]:
    """Return the real roots of a x^2 + b x + c."""
    if a == 0.0:
        return [] if b == 0.0 else [-c / b]
    inside = b * b - 4.0 * a * c
    if inside < 0.0:
        return []
    root = inside**0.5
    q = -0.5 * (b + (root if b >= 0 else -root))
    return [q / a] + ([c / q] if q != 0.0 else [])

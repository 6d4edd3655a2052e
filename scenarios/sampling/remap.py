"""Remaps: monotone maps from a parameter's value to [0, 1] in which equal steps change the picture equally.

The map is a piecewise cubic through (value, level) knots with PCHIP slopes (Fritsch and Butland 1984, as scipy has
them), which keeps monotone data monotone. Two things differ from scipy's: at the ends the slope is never 0, since a
density is divided by it, and for periodic parameters the slopes match across the wrap. The inverse is solved to
machine precision instead of being interpolated a second time, so that densities are exact.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

from scenarios.sampling.errors import SpaceError

Floats = npt.NDArray[np.float64]
_ITERATIONS = 64
_END_SLOPE = 0.25
"""Least slope at an end, as a share of the first or last secant's; any in (0, 3] keeps the piece monotone."""


@dataclass(frozen=True)
class Remap:
    """A strictly rising map from values to [0, 1].

    Args:
        knots: values, rising; the first and last are the parameter's limits (of an integer: half a step beyond).
        levels: position of each knot in the remapped unit interval, rising from 0 to 1.
        total: the parameter's total influence T_p (in the metric's unit), None when unknown.
        metric: what was measured ("rmse", "dssim", ...), for the record.
        periodic: whether slopes match across the wrap.
    """

    knots: tuple[float, ...]
    levels: tuple[float, ...]
    total: float | None = None
    metric: str = ""
    periodic: bool = False
    _spline: CubicHermiteSpline = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        knots, levels = (tuple(float(v) for v in values) for values in (self.knots, self.levels))
        object.__setattr__(self, "knots", knots)
        object.__setattr__(self, "levels", levels)
        if len(knots) != len(levels) or len(knots) < 2:
            raise SpaceError(f"a remap has {len(knots)} knots and {len(levels)} levels", key="levels")
        if not all(math.isfinite(v) for v in knots + levels):
            raise SpaceError("a remap holds a number that is not finite", key="knots")
        if any(b <= a for values in (knots, levels) for a, b in itertools.pairwise(values)):
            raise SpaceError("a remap's knots and levels must both rise strictly", key="levels")
        if levels[0] != 0.0 or levels[-1] != 1.0:
            raise SpaceError("a remap's levels must go from 0 to 1", key="levels")
        if self.total is not None and not (math.isfinite(self.total) and self.total >= 0.0):
            raise SpaceError(f"a remap's total influence is {self.total}", key="total")
        slopes = _slopes(np.asarray(knots), np.asarray(levels), self.periodic)
        object.__setattr__(self, "_spline", CubicHermiteSpline(knots, levels, slopes))

    def forward(self, values: npt.ArrayLike) -> Floats:
        """Return positions in [0, 1] of values within the limits."""
        values = np.clip(np.asarray(values, dtype=np.float64), self.knots[0], self.knots[-1])
        return np.clip(self._spline(values), 0.0, 1.0)

    def slope(self, values: npt.ArrayLike) -> Floats:
        """Return df/dvalue, above 0."""
        values = np.clip(np.asarray(values, dtype=np.float64), self.knots[0], self.knots[-1])
        return np.asarray(self._spline(values, 1))

    def inverse(self, levels: npt.ArrayLike) -> Floats:
        """Return the values whose :meth:`forward` is ``levels``, by Newton's method kept inside a bracket."""
        levels = np.clip(np.asarray(levels, dtype=np.float64), 0.0, 1.0)
        knots = np.asarray(self.knots)
        piece = np.clip(np.searchsorted(self.levels, levels, side="right") - 1, 0, len(knots) - 2)
        below, above = knots[piece], knots[piece + 1]
        value = 0.5 * (below + above)
        for _ in range(_ITERATIONS):
            error = self._spline(value) - levels
            below, above = np.where(error <= 0.0, value, below), np.where(error >= 0.0, value, above)
            step = value - error / np.maximum(self._spline(value, 1), 1e-300)
            guess = np.where((step > below) & (step < above), step, 0.5 * (below + above))
            if np.array_equal(guess, value):
                break
            value = guess
        return value

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data that :meth:`from_dict` reads."""
        return {
            "knots": list(self.knots),
            "levels": list(self.levels),
            "total": self.total,
            "metric": self.metric,
            "periodic": self.periodic,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Remap:
        """Return the remap that :meth:`to_dict` wrote; SpaceError when it is none."""
        unknown = sorted(set(data) - {"knots", "levels", "total", "metric", "periodic"})
        if unknown:
            raise SpaceError(f"a remap has no field {unknown[0]!r}", key=unknown[0])
        for name in ("knots", "levels"):
            if name not in data:
                raise SpaceError(f"a remap needs {name!r}", key=name)
        rest: dict[str, Any] = {k: v for k, v in data.items() if k not in ("knots", "levels")}
        return cls(tuple(data["knots"]), tuple(data["levels"]), **rest)


def _slopes(knots: Floats, levels: Floats, periodic: bool) -> Floats:
    if periodic:
        # One period more on either side: the middle slopes then know their neighbours across the wrap.
        period = knots[-1] - knots[0]
        longer = np.concatenate([knots[:-1] - period, knots, knots[1:] + period])
        higher = np.concatenate([levels[:-1] - 1.0, levels, levels[1:] + 1.0])
        return np.asarray(PchipInterpolator(longer, higher)(knots, 1))
    slopes = np.array(PchipInterpolator(knots, levels)(knots, 1))
    secants = np.diff(levels) / np.diff(knots)
    slopes[0] = max(slopes[0], _END_SLOPE * secants[0])
    slopes[-1] = max(slopes[-1], _END_SLOPE * secants[-1])
    return slopes

"""The plan view's curves: line, spiral, arc, poly3, paramPoly3, as pure functions of arrays.

Every curve starts at the origin with heading 0; :class:`PlanView` places them. Sources: ASAM OpenDRIVE 1.8,
section 8 (geometries); the integrals are taken with Gauss-Legendre quadrature, panel by panel, which is exact to
rounding for the curves allowed here (checked against Fresnel integrals of scipy in the tests).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_NODES, _WEIGHTS = 0.5 * (_NODES + 1.0), 0.5 * _WEIGHTS  # on [0, 1]
_PANEL_RAD = 1.0
_TABLE_STEPS = 64


class PlanPoint(NamedTuple):
    """Points of a curve in the plane: metres, radians, curvature in 1/m (positive to the left)."""

    x: Floats
    y: Floats
    heading: Floats
    curvature: Floats


class Curve(Protocol):
    """A curve from the origin along +x, by arc length."""

    def at(self, ds: Floats) -> PlanPoint:
        """Return the points ``ds`` metres along the curve; (N,) in, (N,) out."""
        ...

    @property
    def turn_rad(self) -> float:
        """How much the curve turns at most, in radians."""
        ...


@dataclass(frozen=True, slots=True)
class LineCurve:
    """Straight on."""

    def at(self, ds: Floats) -> PlanPoint:
        """See :class:`Curve`."""
        zero = np.zeros_like(ds)
        return PlanPoint(ds, zero, zero, zero)

    @property
    def turn_rad(self) -> float:
        """See :class:`Curve`."""
        return 0.0


@dataclass(frozen=True, slots=True)
class ArcCurve:
    """A circle's arc of a constant ``curvature`` in 1/m."""

    curvature: float
    length: float

    def at(self, ds: Floats) -> PlanPoint:
        """See :class:`Curve`. Written with sinc, so that curvatures near 0 lose no digits."""
        half = 0.5 * self.curvature * ds
        chord = ds * np.sinc(half / np.pi)
        return PlanPoint(chord * np.cos(half), chord * np.sin(half), 2.0 * half, np.full_like(ds, self.curvature))

    @property
    def turn_rad(self) -> float:
        """See :class:`Curve`."""
        return abs(self.curvature) * self.length


@dataclass(frozen=True, slots=True)
class SpiralCurve:
    """A clothoid: the curvature goes linearly from ``start`` to ``end`` over ``length``."""

    start: float
    end: float
    length: float

    def at(self, ds: Floats) -> PlanPoint:
        """See :class:`Curve`: x + iy is the integral of exp(i heading), heading quadratic in the arc length."""
        rate = (self.end - self.start) / self.length if self.length > 0.0 else 0.0
        panels = max(1, math.ceil(self.turn_rad / _PANEL_RAD))
        # (N, panels, nodes) arc lengths at which the integrand is taken
        u = ds[:, None, None] * ((np.arange(panels)[:, None] + _NODES) / panels)
        angle = u * (self.start + 0.5 * rate * u)
        step = ds / panels
        x = step * (np.cos(angle) @ _WEIGHTS).sum(axis=1)
        y = step * (np.sin(angle) @ _WEIGHTS).sum(axis=1)
        return PlanPoint(x, y, ds * (self.start + 0.5 * rate * ds), self.start + rate * ds)

    @property
    def turn_rad(self) -> float:
        """See :class:`Curve`."""
        return 0.5 * (abs(self.start) + abs(self.end)) * self.length


class CubicPath:
    """A parametric cubic u(p), v(p), run through by its arc length.

    ``poly3`` is u = p; ``paramPoly3`` has both. s is an arc length by definition, so p is found from it, except
    with ``p_is_arc_length`` (``pRange="arcLength"``), where the file says that p is one.

    Args:
        u, v: (4,) coefficients a, b, c, d of each coordinate.
        length: the arc length of the whole path in metres.
        p_end: the parameter at its end; None: where the arc length reaches ``length`` (poly3).
        p_is_arc_length: take p = ds as it is.
    """

    __slots__ = ("_lengths", "_p", "_p_is_arc_length", "_scale", "_u", "_v", "length")

    def __init__(
        self, u: Floats, v: Floats, length: float, p_end: float | None, *, p_is_arc_length: bool = False
    ) -> None:
        self._u, self._v, self.length = u, v, length
        self._p_is_arc_length = p_is_arc_length
        end = length if p_end is None else p_end
        # Where p_end is open, u grows by at most the arc length, so p = length reaches far enough.
        self._p: Floats = np.linspace(0.0, end, _TABLE_STEPS + 1)
        self._lengths = self._arc_lengths()
        self._scale = 1.0
        if p_end is not None and self._lengths[-1] > 0.0:
            # The polynomial's own length and the length given differ by rounding: meet at the end.
            self._scale = self._lengths[-1] / length if length > 0.0 else 1.0

    def at(self, ds: Floats) -> PlanPoint:
        """See :class:`Curve`."""
        p = ds if self._p_is_arc_length else self._parameter(ds)
        u, v = _horner(self._u, p), _horner(self._v, p)
        du, dv = _slope(self._u, p), _slope(self._v, p)
        speed2 = du * du + dv * dv
        bend = du * _bend(self._v, p) - dv * _bend(self._u, p)
        with np.errstate(divide="ignore", invalid="ignore"):
            curvature = np.where(speed2 > 1e-18, bend / np.where(speed2 > 1e-18, speed2, 1.0) ** 1.5, 0.0)
        return PlanPoint(u, v, np.arctan2(dv, du), curvature)

    @property
    def turn_rad(self) -> float:
        """See :class:`Curve`; a planar cubic turns by less than two half circles."""
        return 2.0 * math.pi

    def _arc_lengths(self) -> Floats:
        """Return the arc length from 0 to each table parameter, by quadrature on every interval."""
        steps = np.diff(self._p)
        p = self._p[:-1, None] + steps[:, None] * _NODES
        speed = np.hypot(_slope(self._u, p), _slope(self._v, p))
        return np.concatenate([[0.0], np.cumsum(steps * (speed @ _WEIGHTS))])

    def _parameter(self, ds: Floats) -> Floats:
        """Return p with arc length ``ds``: table look-up, then two Newton steps on the integral."""
        lengths, table, ds = self._lengths, self._p, ds * self._scale
        i = np.clip(np.searchsorted(lengths, ds, side="right") - 1, 0, len(table) - 2)
        low, step = table[i], table[i + 1] - table[i]
        span = lengths[i + 1] - lengths[i]
        rest = ds - lengths[i]
        p = low + step * np.divide(rest, span, out=np.zeros_like(rest), where=span > 0.0)
        for _ in range(2):
            q = low[:, None] + (p - low)[:, None] * _NODES
            run = (p - low) * (np.hypot(_slope(self._u, q), _slope(self._v, q)) @ _WEIGHTS)
            speed = np.hypot(_slope(self._u, p), _slope(self._v, p))
            p = p - np.divide(run - rest, speed, out=np.zeros_like(speed), where=speed > 1e-9)
        return p


def _horner(c: Floats, p: Floats) -> Floats:
    return c[0] + p * (c[1] + p * (c[2] + p * c[3]))


def _slope(c: Floats, p: Floats) -> Floats:
    return c[1] + p * (2.0 * c[2] + p * 3.0 * c[3])


def _bend(c: Floats, p: Floats) -> Floats:
    return 2.0 * c[2] + 6.0 * c[3] * p


@dataclass(frozen=True, slots=True)
class PlacedCurve:
    """A curve with the pose of its start in the world."""

    s: float
    x: float
    y: float
    heading: float
    length: float
    curve: Curve

    def at(self, ds: Floats) -> PlanPoint:
        """Return world points ``ds`` metres after the start, (N,) in and out."""
        local = self.curve.at(ds)
        cosine, sine = math.cos(self.heading), math.sin(self.heading)
        return PlanPoint(
            self.x + cosine * local.x - sine * local.y,
            self.y + sine * local.x + cosine * local.y,
            self.heading + local.heading,
            local.curvature,
        )


class PlanView:
    """The reference line seen from above: placed curves one after the other.

    Args:
        pieces: in order of s, at least one.
        length: the road's length in metres; the last piece is extended or cut to it.
    """

    __slots__ = ("length", "pieces", "starts")

    def __init__(self, pieces: list[PlacedCurve], length: float) -> None:
        self.pieces = tuple(pieces)
        self.length = length
        self.starts: Floats = np.array([piece.s for piece in pieces])

    def at(self, s: Floats) -> PlanPoint:
        """Return the reference line's points at ``s``, (N,) in and out; s is held within [0, length]."""
        s = np.clip(s, 0.0, self.length)
        if len(self.pieces) == 1:
            return self.pieces[0].at(s - self.pieces[0].s)
        index = np.maximum(np.searchsorted(self.starts, s, side="right") - 1, 0)
        first = int(index[0]) if len(index) else 0
        if len(index) and (len(index) == 1 or bool((index == first).all())):
            return self.pieces[first].at(s - self.pieces[first].s)
        out = PlanPoint(*(np.empty(len(s)) for _ in range(4)))
        for number in np.unique(index):
            chosen = index == number
            point = self.pieces[number].at(s[chosen] - self.pieces[number].s)
            for target, value in zip(out, point):
                target[chosen] = value
        return out

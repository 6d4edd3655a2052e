"""Transition dynamics: how a value goes from start to end, exactly.

A *shape* maps progress p in [0, 1] to the fraction of the change that is done. Its ``area`` is the integral of that
from 0 to
p, so the distance covered while a speed changes is exact and independent of the time step.

| shape | fraction f(p) | area | peak slope |
|---|---|---|---|
| linear | p | p^2 / 2 | 1 |
| cubic | p^2 (3 - 2 p) | p^3 - p^4 / 2 | 1.5 |
| sinusoidal | (1 - cos(pi p)) / 2 | p / 2 - sin(pi p) / (2 pi) | pi / 2 |
| step | 1 | p | |

Source: ASAM OpenSCENARIO XML, DynamicsShape; the cubic is the one with zero slope at both ends.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

from scenarios.openscenario.nodes import Node

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shape:
    """A transition shape; ``peak_slope`` of f over p, ``peak_curvature`` of f'' over p (for limits on acceleration)."""

    name: str
    fraction: Callable[[float], float]
    area: Callable[[float], float]
    peak_slope: float
    peak_curvature: float


SHAPES = {
    "linear": Shape("linear", lambda p: p, lambda p: 0.5 * p * p, 1.0, 0.0),
    "cubic": Shape("cubic", lambda p: p * p * (3.0 - 2.0 * p), lambda p: p**3 - 0.5 * p**4, 1.5, 6.0),
    "sinusoidal": Shape(
        "sinusoidal",
        lambda p: 0.5 * (1.0 - math.cos(math.pi * p)),
        lambda p: 0.5 * p - math.sin(math.pi * p) / (2.0 * math.pi),
        0.5 * math.pi,
        0.5 * math.pi**2,
    ),
    "step": Shape("step", lambda p: 1.0, lambda p: p, math.inf, math.inf),
}


@dataclass(frozen=True, slots=True)
class Transition:
    """A change from ``start`` to ``end`` over ``length`` seconds (or metres)."""

    shape: Shape
    start: float
    end: float
    length: float

    def value(self, x: float) -> float:
        """Return the value ``x`` seconds (or metres) after the start; the end value from ``length`` on."""
        if x >= self.length:
            return self.end
        return self.start + (self.end - self.start) * self.shape.fraction(max(x, 0.0) / self.length)

    def integral(self, a: float, b: float) -> float:
        """Return the integral of the value from ``a`` to ``b`` (a <= b, a >= 0)."""
        return self._area(b) - self._area(a)

    def _area(self, x: float) -> float:
        if x >= self.length:
            inside = self.start * self.length + (self.end - self.start) * self.length * self.shape.area(1.0)
            return inside + self.end * (x - self.length)
        return self.start * x + (self.end - self.start) * self.length * self.shape.area(x / self.length)

    def slope(self, x: float) -> float:
        """Return the rate of change at ``x``, by a central difference inside the transition."""
        if self.length <= 0.0 or not 0.0 <= x <= self.length:
            return 0.0
        h = min(1e-5, self.length / 4.0)
        low, high = max(x - h, 0.0), min(x + h, self.length)
        return (self.value(high) - self.value(low)) / (high - low) if self.shape.name != "step" else 0.0


@dataclass(frozen=True, slots=True)
class TransitionDynamics:
    """``TransitionDynamics``: shape, dimension (time, distance, rate) and its value; ``following`` is 1.2's
    followingMode."""

    shape: str
    dimension: str
    value: float
    following: str = "position"

    def length(self, change: float) -> float:
        """Return the length of a transition by ``change``: seconds, or metres when the dimension is distance.

        A time is taken also where nothing is left to change. For ``rate`` the curved shapes take the value as
        their peak rate: a constant rate, which the standard names, exists for the linear shape only.
        """
        shape = SHAPES[self.shape]
        if self.shape == "step":
            return 0.0
        if self.dimension == "time":
            return self.value
        if change == 0.0:
            return 0.0
        if self.dimension == "distance":
            return self.value
        return shape.peak_slope * abs(change) / self.value if self.value > 0.0 else math.inf


def read_dynamics(node: Node) -> TransitionDynamics:
    """Read an element of type TransitionDynamics.

    A negative rate, which the standard forbids and many files contain for braking, is taken by its size: the
    direction of a transition follows from its target.
    """
    shape = node.choice("dynamicsShape", SHAPES)
    dimension = node.choice("dynamicsDimension", ("time", "distance", "rate"))
    value = node.number("value")
    if value < 0.0:
        if dimension != "rate":
            raise node.error(f"value={value:g} must not be negative")
        logger.warning("%s:%d: negative rate %g taken as %g", node.file, node.line, value, -value)
        value = -value
    if dimension == "rate" and value == 0.0 and shape != "step":
        raise node.error("a rate of 0 never reaches the target")
    if dimension == "rate" and shape in ("cubic", "sinusoidal"):
        logger.info("%s:%d: rate of a %s transition is taken as its peak rate", node.file, node.line, shape)
    following = node.choice("followingMode", ("position", "follow"), "position")
    return TransitionDynamics(shape, dimension, value, following)

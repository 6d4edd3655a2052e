"""Nominal distributions of numeric parameters, truncated to the parameter's limits and renormalised there.

A distribution is a value object that knows probabilities of intervals. The limits belong to the parameter, so every
question comes with them. Densities are per unit of the value; :mod:`scenarios.sampling.parameters` takes them to the
unit cube.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from scenarios.sampling.errors import SpaceError

Floats = npt.NDArray[np.float64]

LEAST_MASS = 1e-9
"""Least share of an untruncated distribution that must lie within a parameter's limits."""
_BISECTIONS = 60
_TABLE = 2049


@dataclass(frozen=True)
class Distribution:
    """What all share. Subclasses give :meth:`mass` and :meth:`raw_density` of the untruncated distribution."""

    for_integers_only: ClassVar[bool] = False
    for_periodic_only: ClassVar[bool] = False

    def mass(self, a: npt.ArrayLike, b: npt.ArrayLike, low: float, high: float) -> Floats:
        """Return the untruncated probability of [a, b], elementwise; ``low`` and ``high`` are the limits."""
        raise NotImplementedError

    def raw_density(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        """Return the untruncated density at ``x``, per unit of the value."""
        raise NotImplementedError

    def problem(self, low: float, high: float) -> tuple[str, str, str] | None:
        """Return (field, what is wrong, remedy) for use within these limits; None when it is fine."""
        return None

    def density(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        """Return the density truncated to [low, high]; 0 outside."""
        x = np.asarray(x, dtype=np.float64)
        inside = (x >= low) & (x <= high)
        return np.where(inside, self.raw_density(x, low, high) / self.mass(low, high, low, high), 0.0)

    def cumulative(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        """Return the truncated distribution function."""
        x = np.clip(np.asarray(x, dtype=np.float64), low, high)
        return np.clip(self.mass(low, x, low, high) / self.mass(low, high, low, high), 0.0, 1.0)

    def quantile(self, share: npt.ArrayLike, low: float, high: float) -> Floats:
        """Return the inverse of :meth:`cumulative`, by bisection unless a subclass knows a formula."""
        share = np.asarray(share, dtype=np.float64)
        below, above = np.full(share.shape, low), np.full(share.shape, high)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (below + above)
            left = self.cumulative(middle, low, high) < share
            below, above = np.where(left, middle, below), np.where(left, above, middle)
        return 0.5 * (below + above)

    def integer_masses(self, low: int, high: int) -> Floats:
        """Return (high - low + 1,) probabilities of the integers: those of [k - 1/2, k + 1/2], renormalised."""
        edges = np.arange(low, high + 2) - 0.5
        masses = self.mass(edges[:-1], edges[1:], low - 0.5, high + 0.5)
        return masses / masses.sum()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data that :func:`distribution_from` reads."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {"type": TYPE_NAMES[type(self)]} | {
            name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()
        }


@dataclass(frozen=True)
class Uniform(Distribution):
    """The same density everywhere within the limits."""

    def mass(self, a: npt.ArrayLike, b: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.mass`."""
        return (np.asarray(b, dtype=np.float64) - np.asarray(a, dtype=np.float64)) / (high - low)

    def raw_density(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.raw_density`."""
        return np.full(np.shape(x), 1.0 / (high - low))

    def quantile(self, share: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.quantile`."""
        return low + np.asarray(share, dtype=np.float64) * (high - low)


def _normal_mass(a: Floats, b: Floats) -> Floats:
    """Return the standard normal probability of [a, b], also far out in the right tail."""
    flip = a > 0.0
    return np.where(flip, special.ndtr(-a) - special.ndtr(-b), special.ndtr(b) - special.ndtr(a))


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal with the mean and standard deviation it has before truncation."""

    mean: float
    sd: float

    def mass(self, a: npt.ArrayLike, b: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.mass`."""
        return _normal_mass((np.asarray(a) - self.mean) / self.sd, (np.asarray(b) - self.mean) / self.sd)

    def raw_density(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.raw_density`."""
        z = (np.asarray(x, dtype=np.float64) - self.mean) / self.sd
        return np.exp(-0.5 * z * z) / (self.sd * math.sqrt(2.0 * math.pi))

    def problem(self, low: float, high: float) -> tuple[str, str, str] | None:
        """See :meth:`Distribution.problem`."""
        return _needs_positive("sd", self.sd)


@dataclass(frozen=True)
class LogNormal(Distribution):
    """The logarithm is normal with this mean and standard deviation (before truncation)."""

    mean: float
    sd: float

    def mass(self, a: npt.ArrayLike, b: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.mass`."""
        return _normal_mass(self._standard(a), self._standard(b))

    def _standard(self, x: npt.ArrayLike) -> Floats:
        x = np.asarray(x, dtype=np.float64)
        with np.errstate(divide="ignore"):
            return (np.log(np.maximum(x, 0.0)) - self.mean) / self.sd

    def raw_density(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.raw_density`."""
        x = np.asarray(x, dtype=np.float64)
        positive = np.where(x > 0.0, x, 1.0)
        z = (np.log(positive) - self.mean) / self.sd
        return np.where(x > 0.0, np.exp(-0.5 * z * z) / (positive * self.sd * math.sqrt(2.0 * math.pi)), 0.0)

    def problem(self, low: float, high: float) -> tuple[str, str, str] | None:
        """See :meth:`Distribution.problem`."""
        return _needs_positive("sd", self.sd)


@dataclass(frozen=True)
class LogUniform(Distribution):
    """The logarithm is uniform within the limits, which must be above 0."""

    def mass(self, a: npt.ArrayLike, b: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.mass`."""
        return np.log(np.asarray(b, dtype=np.float64) / np.asarray(a, dtype=np.float64)) / math.log(high / low)

    def raw_density(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.raw_density`."""
        # Asked outside the limits too, where the caller discards the answer.
        return 1.0 / (np.maximum(np.asarray(x, dtype=np.float64), low) * math.log(high / low))

    def quantile(self, share: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.quantile`."""
        return low * np.power(high / low, np.asarray(share, dtype=np.float64))

    def problem(self, low: float, high: float) -> tuple[str, str, str] | None:
        """See :meth:`Distribution.problem`."""
        if low <= 0.0:
            return "low", f"is {low:g}, a loguniform distribution needs limits above 0", "raise low"
        return None


@dataclass(frozen=True)
class Triangular(Distribution):
    """From 0 at the lower limit up to the mode and down to 0 at the upper limit."""

    mode: float

    def mass(self, a: npt.ArrayLike, b: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.mass`."""
        return self._below(b, low, high) - self._below(a, low, high)

    def _below(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        x = np.clip(np.asarray(x, dtype=np.float64), low, high)
        up, down = max(self.mode - low, 1e-300), max(high - self.mode, 1e-300)
        rising, falling = (x - low) ** 2 / ((high - low) * up), 1.0 - (high - x) ** 2 / ((high - low) * down)
        return np.where(x < self.mode, rising, falling)

    def raw_density(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.raw_density`."""
        x = np.asarray(x, dtype=np.float64)
        up, down = max(self.mode - low, 1e-300), max(high - self.mode, 1e-300)
        slope = np.where(x < self.mode, (x - low) / up, (high - x) / down)
        return 2.0 / (high - low) * np.clip(slope, 0.0, 1.0)

    def problem(self, low: float, high: float) -> tuple[str, str, str] | None:
        """See :meth:`Distribution.problem`."""
        if not low <= self.mode <= high:
            return "mode", f"is {self.mode:g}, outside the limits {low:g} to {high:g}", "move it between them"
        return None


@dataclass(frozen=True)
class Histogram(Distribution):
    """Constant within each bin: ``edges`` rising, one weight for each bin between two of them."""

    edges: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", tuple(float(e) for e in self.edges))
        object.__setattr__(self, "weights", tuple(float(w) for w in self.weights))

    def mass(self, a: npt.ArrayLike, b: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.mass`."""
        below = np.concatenate([[0.0], np.cumsum(self.weights)]) / math.fsum(self.weights)
        return np.asarray(np.interp(np.asarray(b), self.edges, below) - np.interp(np.asarray(a), self.edges, below))

    def raw_density(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.raw_density`."""
        x = np.asarray(x, dtype=np.float64)
        edges = np.asarray(self.edges)
        heights = np.asarray(self.weights) / math.fsum(self.weights) / np.diff(edges)
        # The last bin holds its upper edge, every other one belongs to its successor.
        index = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(heights) - 1)
        return np.where((x >= edges[0]) & (x <= edges[-1]), heights[index], 0.0)

    def problem(self, low: float, high: float) -> tuple[str, str, str] | None:
        """See :meth:`Distribution.problem`."""
        if len(self.edges) != len(self.weights) + 1 or not self.weights:
            return (
                "weights",
                f"are {len(self.weights)} for {len(self.edges)} edges",
                "give one weight between two edges",
            )
        if any(b <= a for a, b in itertools.pairwise(self.edges)):
            return "edges", "do not rise", "sort them and drop empty bins"
        return weights_problem(self.weights)


@dataclass(frozen=True)
class VonMises(Distribution):
    """For periodic parameters: the normal distribution of the circle.

    Args:
        mean: in the parameter's unit.
        concentration: kappa; 0 is uniform, the standard deviation is about period / (2 pi sqrt(kappa)) when large.
    """

    mean: float
    concentration: float
    for_periodic_only: ClassVar[bool] = True

    def _angle(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        return (np.asarray(x, dtype=np.float64) - self.mean) * (2.0 * math.pi / (high - low))

    def mass(self, a: npt.ArrayLike, b: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.mass`."""
        first, last = (von_mises_cdf(self._angle(x, low, high), self.concentration) for x in (a, b))
        return last - first

    def quantile(self, share: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.quantile`."""
        start = von_mises_cdf(self._angle(low, low, high), self.concentration)
        total = start + np.asarray(share, dtype=np.float64)
        turns = np.floor(total)
        angle = von_mises_quantile(total - turns, self.concentration) + 2.0 * math.pi * turns
        return np.clip(self.mean + angle * (high - low) / (2.0 * math.pi), low, high)

    def raw_density(self, x: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.raw_density`."""
        angle = self._angle(x, low, high)
        height = np.exp(self.concentration * (np.cos(angle) - 1.0)) / special.i0e(self.concentration)
        return height / (high - low)

    def problem(self, low: float, high: float) -> tuple[str, str, str] | None:
        """See :meth:`Distribution.problem`."""
        if self.concentration < 0.0:
            return "concentration", f"is {self.concentration:g}", "it must not be below 0"
        return None


def von_mises_cdf(angle: npt.ArrayLike, kappa: float) -> Floats:
    """Return the distribution function of the von Mises distribution around 0: 0 at -pi, 1 at pi, 2 a turn later."""
    angle = np.asarray(angle, dtype=np.float64)
    if kappa <= 0.0:
        return angle / (2.0 * math.pi) + 0.5
    turns = np.floor((angle + math.pi) / (2.0 * math.pi))
    held = stats.vonmises.cdf(angle - 2.0 * math.pi * turns, kappa)  # type: ignore[attr-defined]
    return np.asarray(held) + turns


def von_mises_quantile(share: npt.ArrayLike, kappa: float) -> Floats:
    """Return angles in [-pi, pi] whose :func:`von_mises_cdf` is ``share``: Newton from a table, kept in a bracket."""
    share = np.asarray(share, dtype=np.float64)
    if kappa <= 0.0:
        return (share - 0.5) * 2.0 * math.pi
    angles = np.linspace(-math.pi, math.pi, _TABLE)
    table = np.maximum.accumulate(von_mises_cdf(angles[:-1], kappa))
    index = np.clip(np.searchsorted(table, share, side="right") - 1, 0, _TABLE - 2)
    below, above = angles[index], angles[index + 1]
    angle = np.clip(np.interp(share, [*table, 1.0], angles), below, above)
    for _ in range(_BISECTIONS):
        error = von_mises_cdf(np.minimum(angle, math.pi * (1.0 - 1e-16)), kappa) - share
        below, above = np.where(error <= 0.0, angle, below), np.where(error >= 0.0, angle, above)
        height = np.exp(kappa * (np.cos(angle) - 1.0)) / special.i0e(kappa) / (2.0 * math.pi)
        step = angle - error / np.maximum(height, 1e-300)
        guess = np.where((step >= below) & (step <= above), step, 0.5 * (below + above))
        if np.max(np.abs(guess - angle), initial=0.0) < 1e-14:
            break
        angle = guess
    return angle


@dataclass(frozen=True)
class Poisson(Distribution):
    """For integers: Poisson with this mean (before truncation)."""

    mean: float
    for_integers_only: ClassVar[bool] = True

    def mass(self, a: npt.ArrayLike, b: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.mass`."""
        return self._up_to(np.floor(b)) - self._up_to(np.ceil(a) - 1.0)

    def _up_to(self, k: npt.ArrayLike) -> Floats:
        k = np.asarray(k, dtype=np.float64)
        return np.where(k < 0.0, 0.0, special.pdtr(np.maximum(k, 0.0), self.mean))

    def integer_masses(self, low: int, high: int) -> Floats:
        """See :meth:`Distribution.integer_masses`."""
        k = np.arange(low, high + 1)
        logs = special.xlogy(k, self.mean) - self.mean - special.gammaln(k + 1.0)
        masses = np.where(k >= 0, np.exp(logs), 0.0)
        return masses / masses.sum()

    def problem(self, low: float, high: float) -> tuple[str, str, str] | None:
        """See :meth:`Distribution.problem`."""
        if low < 0:
            return "low", f"is {low:g}, a Poisson distribution has no negative values", "raise low to 0"
        return _needs_positive("mean", self.mean)


@dataclass(frozen=True)
class Discrete(Distribution):
    """For integers: one weight for each of low, low + 1, ... high."""

    weights: tuple[float, ...]
    for_integers_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(float(w) for w in self.weights))

    def mass(self, a: npt.ArrayLike, b: npt.ArrayLike, low: float, high: float) -> Floats:
        """See :meth:`Distribution.mass`."""
        below = np.concatenate([[0.0], np.cumsum(self.weights)]) / math.fsum(self.weights)
        first = math.ceil(low)
        index_a = np.clip(np.ceil(a) - first, 0, len(self.weights)).astype(int)
        index_b = np.clip(np.floor(b) - first + 1, 0, len(self.weights)).astype(int)
        return np.asarray(below[index_b] - below[index_a])

    def integer_masses(self, low: int, high: int) -> Floats:
        """See :meth:`Distribution.integer_masses`."""
        weights = np.asarray(self.weights)
        return weights / weights.sum()

    def problem(self, low: float, high: float) -> tuple[str, str, str] | None:
        """See :meth:`Distribution.problem`."""
        count = int(high) - int(low) + 1
        if len(self.weights) != count:
            return "weights", f"are {len(self.weights)} for {count} integers", "give one for each"
        return weights_problem(self.weights)


TYPES: dict[str, type[Distribution]] = {
    "uniform": Uniform,
    "normal": Normal,
    "lognormal": LogNormal,
    "loguniform": LogUniform,
    "triangular": Triangular,
    "histogram": Histogram,
    "vonmises": VonMises,
    "poisson": Poisson,
    "discrete": Discrete,
}
"""Distributions by the name used in files."""
TYPE_NAMES = {cls: name for name, cls in TYPES.items()}


def distribution_from(data: Mapping[str, Any]) -> Distribution:
    """Return the distribution that :meth:`Distribution.to_dict` wrote.

    Raises:
        SpaceError: unknown type, unknown or missing field.
    """
    name = data.get("type")
    if name not in TYPES:
        raise SpaceError(f"there is no distribution {name!r}", remedy="use " + ", ".join(TYPES), key="type")
    cls = TYPES[name]
    wanted = {f.name for f in dataclasses.fields(cls)}
    given = set(data) - {"type"}
    for wrong in sorted(given - wanted):
        known = ", ".join(sorted(wanted)) or "no fields"
        raise SpaceError(f"a {name} distribution has no field {wrong!r}", remedy=f"it has {known}", key=wrong)
    for missing in sorted(wanted - given):
        raise SpaceError(f"a {name} distribution needs {missing!r}", key=missing)
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k != "type"})


def weights_problem(weights: tuple[float, ...]) -> tuple[str, str, str] | None:
    """Return what is wrong with weights, as :meth:`Distribution.problem` does."""
    if any(not math.isfinite(w) or w < 0.0 for w in weights):
        return "weights", "are not all finite and at least 0", "correct them"
    if math.fsum(weights) <= 0.0:
        return "weights", "add up to 0", "give at least one a weight above 0"
    return None


def _needs_positive(field: str, value: float) -> tuple[str, str, str] | None:
    if value <= 0.0:
        return field, f"is {value:g}", "it must be above 0; a parameter that does not vary is fixed instead"
    return None

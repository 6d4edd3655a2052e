"""Product kernels on the remapped unit cube: evaluation, drawing and widths.

Real axes have Gaussians truncated to [0, 1] and renormalised there; periodic ones von Mises densities; enums
Aitchison and Aitken's kernel (the centre's choice with probability 1 - lambda, each other with lambda/(K - 1));
integers the truncated Gaussian's mass on each cell. Every kernel integrates to 1 over the axis, so their mixture is
an exact density. An axis on which the point or the centre does not exist contributes a factor of 1 (uniform).

The logarithm of a product kernel is an inner product of features of the point with features of the centre, so that
all points against all centres are one matrix product.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from scenarios.sampling.distributions import von_mises_quantile
from scenarios.sampling.parameters import Cells, Enum, Periodic
from scenarios.sampling.space import Points, Space

Floats = npt.NDArray[np.float64]

MAX_WIDTH = 0.25
_MIN_LAMBDA = 1e-3
_TINY = 1e-300
_BLOCK = 4_000_000
_MANY_CELLS = 512
_CV_CENTRES = 250
_CV_FACTORS = (0.25, 0.35, 0.5, 0.71, 1.0, 1.41, 2.0)


class KernelMixture:
    """A mixture of product kernels around centres.

    Args:
        space: whose cube it lives on.
        centres: (M,) points, at least one.
        weights: (M,) at least 0, not all 0.
        widths: (d,) standard deviation on the unit axis; for enums lambda, the probability to leave the choice.
    """

    def __init__(self, space: Space, centres: Points, weights: Floats, widths: Floats) -> None:
        self._space, self._centres, self._widths = space, centres, np.asarray(widths, dtype=np.float64)
        self._weights = np.asarray(weights, dtype=np.float64) / np.sum(weights)
        self._features = self._centre_features()

    @property
    def widths(self) -> Floats:
        """(d,) widths."""
        return self._widths

    # ---- evaluation

    def density(self, points: Points) -> Floats:
        """Return the (N,) densities."""
        density = np.empty(len(points))
        rows = max(1, _BLOCK // max(1, len(self._weights)))
        for i in range(0, len(points), rows):
            kernels = self.log_kernels(points.take(slice(i, i + rows)))
            # Peaks are a few dozen in the logarithm, so nothing overflows; what underflows is a density of 0.
            np.exp(kernels, out=kernels)
            density[i : i + rows] = kernels @ self._weights
        return density

    def log_kernels(self, points: Points) -> Floats:
        """Return the (N, M) logarithms of every centre's kernel at every point."""
        logs = self._point_features(points) @ self._features.T
        for axis in self._wide_integer_axes():
            logs += self._wide_integer(points, axis)
        return logs

    def _wide_integer_axes(self) -> list[int]:
        return [
            axis
            for axis, p in enumerate(self._space.parameters)
            if isinstance(p, Cells) and len(p.cell_values()) > _MANY_CELLS
        ]

    def _wide_integer(self, points: Points, axis: int) -> Floats:
        """The same as a table of cells, without holding one of K x K."""
        cells, width = self._space.parameters[axis], self._widths[axis]
        assert isinstance(cells, Cells)
        edges = cells.edges()
        index = cells.index(points.unit[:, axis])
        centre = self._centres.unit[:, axis][None, :]
        a, b = edges[index][:, None], edges[index + 1][:, None]
        mass = _gauss(a, b, centre, width) / _gauss(0.0, 1.0, centre, width)
        both = points.active[:, axis][:, None] & self._centres.active[:, axis][None, :]
        return np.where(both, np.log(np.maximum(mass, _TINY) / (b - a)), 0.0)

    def _point_features(self, points: Points) -> Floats:
        columns: list[Floats] = []
        for axis, parameter in enumerate(self._space.parameters):
            here = points.active[:, axis].astype(np.float64)
            x = points.unit[:, axis]
            if isinstance(parameter, Cells):
                count = len(parameter.cell_values())
                if count <= _MANY_CELLS:
                    columns += list((np.eye(count)[parameter.index(x)] * here[:, None]).T)
            elif isinstance(parameter, Periodic):
                angle = 2.0 * math.pi * x
                columns += [np.cos(angle) * here, np.sin(angle) * here, here]
            else:
                columns += [x * x * here, x * here, here]
        return np.stack(columns, axis=1) if columns else np.zeros((len(points), 0))

    def _centre_features(self) -> Floats:
        columns: list[Floats] = []
        for axis, parameter in enumerate(self._space.parameters):
            here = self._centres.active[:, axis].astype(np.float64)
            c, h = self._centres.unit[:, axis], float(self._widths[axis])
            if isinstance(parameter, Cells):
                if len(parameter.cell_values()) <= _MANY_CELLS:
                    table = _cell_table(parameter, h)
                    columns += list((table[parameter.index(c)] * here[:, None]).T)
            elif isinstance(parameter, Periodic):
                kappa, angle = _concentration(h), 2.0 * math.pi * c
                level = -(kappa + math.log(special.i0e(kappa)))
                columns += [kappa * np.cos(angle) * here, kappa * np.sin(angle) * here, level * here]
            else:
                inside = np.log(_gauss(0.0, 1.0, c, h) * h * math.sqrt(2.0 * math.pi))
                columns += [-0.5 / h**2 * here, c / h**2 * here, (-0.5 * (c / h) ** 2 - inside) * here]
        return np.stack(columns, axis=1) if columns else np.zeros((len(self._centres), 0))

    # ---- drawing

    def draw(self, choice: Floats, shares: Floats) -> Floats:
        """Return (N, d) points of the cube from (N,) and (N, d) uniform numbers."""
        below = np.cumsum(self._weights)
        last = int(np.flatnonzero(self._weights)[-1])
        centre = np.minimum(np.searchsorted(below, choice, side="right"), last)
        units = np.array(shares, dtype=np.float64)
        for axis, parameter in enumerate(self._space.parameters):
            rows = np.flatnonzero(self._centres.active[centre, axis])
            c, u, h = self._centres.unit[centre[rows], axis], shares[rows, axis], float(self._widths[axis])
            if isinstance(parameter, Enum):
                units[rows, axis] = _draw_choice(parameter, c, u, h)
            elif isinstance(parameter, Periodic):
                units[rows, axis] = np.mod(c + von_mises_quantile(u, _concentration(h)) / (2.0 * math.pi), 1.0)
            else:
                units[rows, axis] = _draw_truncated(c, u, h)
        return units


def _concentration(width: float) -> float:
    """Return the von Mises kappa whose circular width is about ``width`` of the period."""
    return 1.0 / (2.0 * math.pi * width) ** 2


def _gauss(a: npt.ArrayLike, b: npt.ArrayLike, centre: Floats, width: float) -> Floats:
    """Return the Gaussian's probability of [a, b]; accurate in both tails."""
    low, high = (np.asarray(a) - centre) / width, (np.asarray(b) - centre) / width
    flip = low > 0.0
    return np.asarray(special.ndtr(np.where(flip, -low, high)) - special.ndtr(np.where(flip, -high, low)))


def _cell_table(cells: Cells, width: float) -> Floats:
    """Return the (K, K) logarithms of the density in each cell (column) around each cell (row)."""
    edges = cells.edges()
    count = len(edges) - 1
    if isinstance(cells, Enum):
        if count == 1:
            return np.zeros((1, 1))
        masses = np.full((count, count), width / (count - 1))
        np.fill_diagonal(masses, 1.0 - width)
    else:
        centre = cells.middles()[:, None]
        masses = _gauss(edges[:-1], edges[1:], centre, width) / _gauss(0.0, 1.0, centre, width)
    return np.log(np.maximum(masses, _TINY) / np.diff(edges))


def _draw_choice(parameter: Enum, c: Floats, u: Floats, leave: float) -> Floats:
    count = len(parameter.choices)
    own = parameter.index(c)
    if count == 1:
        return parameter.middles()[own]
    stays = u >= leave
    # Below `leave`, u is uniform there and names one of the other K - 1 choices.
    step = np.minimum((u / leave * (count - 1)).astype(np.intp), count - 2) + 1
    return parameter.middles()[np.where(stays, own, (own + step) % count)]


def _draw_truncated(c: Floats, u: Floats, h: float) -> Floats:
    low, high = special.ndtr((0.0 - c) / h), special.ndtr((1.0 - c) / h)
    return np.clip(c + h * special.ndtri(low + u * (high - low)), 0.0, 1.0)


# ---- widths


def silverman(space: Space, centres: Points, weights: Floats, least: float) -> Floats:
    """Return (d,) widths by Silverman's rule, between the least noticeable step and 0.25.

    h = sigma (4/(d + 2))^(1/(d + 4)) n^(-1/(d + 4)) with the weighted standard deviation of the centres (circular on
    periodic axes), their effective number n and the number d of numeric axes; enums get lambda = (K - 1)/K
    n^(-2/(d + 4)), the rate of Li and Racine (2003). ``least`` is divided by the axis's metric length: an axis with
    little influence needs a longer step to be noticed.
    """
    n = float(weights.sum() ** 2 / np.sum(weights**2))
    d = max(1, sum(not isinstance(p, Enum) for p in space.parameters))
    factor = (4.0 / (d + 2.0)) ** (1.0 / (d + 4.0)) * n ** (-1.0 / (d + 4.0))
    widths = np.empty(space.dimension)
    for axis, parameter in enumerate(space.parameters):
        if isinstance(parameter, Enum):
            count = len(parameter.choices)
            widths[axis] = max(_MIN_LAMBDA, (count - 1) / count * n ** (-2.0 / (d + 4.0)))
            continue
        here = centres.active[:, axis]
        spread = _spread(centres.unit[here, axis], weights[here], isinstance(parameter, Periodic))
        floor = min(least / max(float(space.metric[axis]), 1e-9), MAX_WIDTH)
        widths[axis] = MAX_WIDTH if spread is None else min(max(spread * factor, floor), MAX_WIDTH)
    return widths


def _spread(x: Floats, weights: Floats, periodic: bool) -> float | None:
    """Return the weighted standard deviation of positions, None when fewer than two carry weight."""
    if np.count_nonzero(weights) < 2:
        return None
    share = weights / weights.sum()
    if periodic:
        length = abs(np.sum(share * np.exp(2j * math.pi * x)))
        return math.sqrt(-2.0 * math.log(max(min(length, 1.0), 1e-12))) / (2.0 * math.pi)
    middle = float(np.sum(share * x))
    return math.sqrt(float(np.sum(share * (x - middle) ** 2)))


def cross_validated(space: Space, centres: Points, weights: Floats, least: float, floor_density: float) -> Floats:
    """Return the widths with the best leave-one-out likelihood: Silverman's times a factor, then axis by axis.

    One factor for all axes is chosen first; then every axis in turn gets the factor of its own that raises the
    likelihood. With one factor alone, many axes along which failures do not differ would widen the kernels of the few
    along which they do.

    The likelihood is that of the defensive mixture, ``floor_density`` (epsilon) uniform, so that a lone centre far
    from all others does not decide alone. Of many centres, 250 evenly picked ones are used.
    """
    start = silverman(space, centres, weights, least)
    if np.count_nonzero(weights) < 3:
        return start
    pick = np.unique(np.linspace(0, len(weights) - 1, min(len(weights), _CV_CENTRES)).astype(np.intp))
    some, share = centres.take(pick), weights[pick]
    if np.count_nonzero(share) < 3:
        return start
    others = share[None, :] * (1.0 - np.eye(len(share)))
    others /= others.sum(axis=1, keepdims=True)

    def likelihood(tried: Floats) -> float:
        kernels = np.exp(KernelMixture(space, some, share, tried).log_kernels(some))
        density = floor_density + (1.0 - floor_density) * np.sum(others * kernels, axis=1)
        return float(np.sum(share * np.log(np.maximum(density, _TINY))))

    best, widths = -math.inf, start
    for factor in _CV_FACTORS:
        tried = _limited(space, start * factor, least)
        if (score := likelihood(tried)) > best + 1e-12:
            best, widths = score, tried
    for axis in range(space.dimension):
        middle = widths.copy()
        for factor in _CV_FACTORS:
            tried = middle.copy()
            tried[axis] *= factor
            tried = _limited(space, tried, least)
            if tried[axis] != middle[axis] and (score := likelihood(tried)) > best + 1e-12:
                best, widths = score, tried
    return widths


def _limited(space: Space, widths: Floats, least: float) -> Floats:
    limited = widths.copy()
    for axis, parameter in enumerate(space.parameters):
        if isinstance(parameter, Enum):
            count = len(parameter.choices)
            limited[axis] = min(max(widths[axis], _MIN_LAMBDA), max((count - 1) / count, _MIN_LAMBDA))
        else:
            floor = min(least / max(float(space.metric[axis]), 1e-9), MAX_WIDTH)
            limited[axis] = min(max(widths[axis], floor), MAX_WIDTH)
    return limited

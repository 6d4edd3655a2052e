"""Influence of parameters on the picture: measured by rendering, turned into remaps, checked on fresh points.

Everything random is frozen per base configuration, so that a picture differs for one reason only. Pictures are made
by whoever calls: ``render(values, seed) -> image``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from foundation.seeds import derive
from scenarios.sampling.errors import SpaceError
from scenarios.sampling.images import METRICS, Image, Metric
from scenarios.sampling.parameters import Cells, Enum, Integer, Parameter, Periodic, Value
from scenarios.sampling.remap import Remap
from scenarios.sampling.samplers.designs import SobolSampler
from scenarios.sampling.space import Space

Floats = npt.NDArray[np.float64]
Request = tuple[dict[str, Value], int]
"""(values, seed) of one picture."""
Render = Callable[[dict[str, Value], int], Image]
RenderAll = Callable[[Iterable[Request]], Iterable[Image]]
"""Renders many pictures, in order; for renderers that work in parallel."""
AnyMetric = str | Metric | Callable[[Image, Image], float]

FLOOR = 0.05
"""Least influence of a step, as a share of the mean: keeps a remap strictly rising where nothing changes."""
MAX_CV, MAX_RATIO = 0.35, 3.0
"""A parameter is well behaved when its binned influence varies no more than this."""
MIN_RANK_CORRELATION = 0.7
_EXPONENTS = (0.5, 2.0)
_COARSE = 0.2
_LINEAR = (0.85, 1.15)
"""Within these, a step exponent counts as 1: distance proportional to the step."""


@dataclass(frozen=True, eq=False)
class Influence:
    """What moving along one parameter does to the picture.

    Attributes:
        parameter: that was varied.
        metric: name of the distance.
        units: (M + 1,) grid in the space's unit scale at the time.
        values: (M + 1,) the parameter's values there; of an enum its choices.
        distances: (K, M) distance of neighbouring grid pictures for each base configuration, noise taken out. Of an
            enum: (K, C, C) distances of every two choices.
        double: (K, M - 1) distances of next-but-one neighbours; empty for enums.
        bases: (K, d) base configurations in the unit cube.
        noise: mean distance of repeated renderings of one configuration with one seed; 0 when nothing moves by itself.
        renders: number of pictures used.
    """

    parameter: Parameter
    metric: str
    units: Floats
    values: tuple[Value, ...]
    distances: Floats
    double: Floats
    bases: Floats
    noise: float
    renders: int

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.parameter.name

    @property
    def profile(self) -> Floats:
        """(M,) mean distance of each step over the base configurations."""
        return np.asarray(self.distances.mean(axis=0))

    @property
    def measured_exponent(self) -> float:
        """How distance grows with the step: d ~ step^a, a = log2(d(2 steps)/d(1 step)).

        1 for RMSE and smooth changes, and for MSE and hard edges. 1/2 for RMSE and hard edges, 2 for MSE and smooth
        changes. Near 0 when a step already replaces everything that can change: the grid is then too coarse.
        """
        if self.double.size == 0 or self.profile.sum() <= 0.0:
            return 1.0
        single = 0.5 * (self.distances[:, :-1] + self.distances[:, 1:])
        return float(np.log2(max(self.double.sum() / single.sum(), 1e-6)))

    @property
    def exponent(self) -> float:
        """The step exponent used: 1 when measured within 0.85 and 1.15, otherwise as measured, from 1/2 to 2."""
        measured = self.measured_exponent
        return 1.0 if _LINEAR[0] <= measured <= _LINEAR[1] else min(max(measured, _EXPONENTS[0]), _EXPONENTS[1])

    @property
    def saturated(self) -> bool:
        """Whether the steps are too long for the picture to tell two of them from one."""
        return self.measured_exponent < 0.3

    @property
    def coarse(self) -> bool:
        """Whether one step holds more than a fifth of all influence, so that the curve within it is a guess.

        Measured once more in the remapped space, all steps are about equal and the curve is known everywhere.
        """
        return not isinstance(self.parameter, Enum) and bool(self.steps.max() > _COARSE * self.steps.sum() > 0.0)

    @property
    def steps(self) -> Floats:
        """(M,) influence of each step in a measure that adds up: mean of d^(1/exponent)."""
        return np.asarray(np.mean(self.distances ** (1.0 / self.exponent), axis=0))

    @property
    def rates(self) -> Floats:
        """(M,) influence per unit of the axis, g_i, not below the floor."""
        rates = self.steps / np.diff(self.units)
        return np.maximum(rates, FLOOR * rates.mean())

    @property
    def total(self) -> float:
        """Total influence T_p in the metric's unit; of an enum the mean distance of two different choices."""
        if isinstance(self.parameter, Enum):
            count = self.distances.shape[1]
            return float(self.profile.sum() / (count * (count - 1))) if count > 1 else 0.0
        return float(self.steps.sum() ** self.exponent)

    @property
    def cv(self) -> float:
        """Coefficient of variation of influence per unit length; infinite when nothing changes at all."""
        binned = self._binned()
        return float(binned.std() / binned.mean()) if binned.mean() > 0.0 else np.inf

    @property
    def ratio(self) -> float:
        """Largest over least influence per unit length."""
        binned = self._binned()
        return float(binned.max() / binned.min()) if binned.min() > 0.0 else np.inf

    @property
    def well_behaved(self) -> bool:
        """Whether influence is even enough: CV at most 0.35 and largest over least at most 3."""
        return self.cv <= MAX_CV and self.ratio <= MAX_RATIO

    def _binned(self) -> Floats:
        if isinstance(self.parameter, Enum):
            count = self.distances.shape[1]
            return np.asarray(self.profile[~np.eye(count, dtype=bool)]) if count > 1 else np.zeros(1)
        return self.profile / np.diff(self.units)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data for reports."""
        return {
            "parameter": self.name,
            "kind": self.parameter.kind,
            "metric": self.metric,
            "units": self.units.tolist(),
            "values": list(self.values),
            "profile": self.profile.tolist(),
            "noise": self.noise,
            "exponent": self.exponent,
            "measured_exponent": self.measured_exponent,
            "saturated": self.saturated,
            "total": self.total,
            "cv": _finite(self.cv),
            "ratio": _finite(self.ratio),
            "well_behaved": self.well_behaved,
            "renders": self.renders,
        }


def measure(
    space: Space,
    render: Render,
    *,
    parameters: Sequence[str] | None = None,
    metric: AnyMetric = "rmse",
    bases: int = 16,
    grid: int = 16,
    repeats: int = 2,
    seed: int = 0,
    role: str = "fit",
    render_all: RenderAll | None = None,
) -> dict[str, Influence]:
    """Return the influence of parameters in one metric; see :func:`measure_many`."""
    many = measure_many(
        space, render, parameters=parameters, metrics=(metric,), bases=bases, grid=grid, repeats=repeats, seed=seed,
        role=role, render_all=render_all,
    )  # fmt: skip
    return next(iter(many.values()))


def measure_many(
    space: Space,
    render: Render,
    *,
    parameters: Sequence[str] | None = None,
    metrics: Sequence[AnyMetric] = ("rmse", "dssim"),
    bases: int = 16,
    grid: int = 16,
    repeats: int = 2,
    seed: int = 0,
    role: str = "fit",
    render_all: RenderAll | None = None,
) -> dict[str, dict[str, Influence]]:
    """Measure the influence of parameters by rendering, in several metrics from the same pictures.

    For each of K base configurations (scrambled Sobol) a parameter runs over a grid that is even in the space's
    current unit scale; neighbouring pictures are compared. All else, the seed included, stays as it is. Of a
    conditional parameter the parents are set so that it exists. Integers with few values are measured at each.

    Args:
        space: parameters with the remaps they have now.
        render: (values, seed) -> picture; the same arguments should give the same picture.
        parameters: names; default all.
        metrics: names in :data:`scenarios.sampling.images.METRICS`, or own functions of two pictures.
        bases: K; the science says at least 16.
        grid: M, number of steps; at least 16, and such that a step moves features by a pixel or more.
        repeats: how often each base configuration is rendered again with the same seed, for the noise floor.
        seed: of the base configurations and of what is random in the pictures.
        role: another role gives other base configurations: "fit" to measure, "check" to test.
        render_all: used instead of ``render`` when given.

    Returns:
        metric's name -> parameter's name -> influence.

    Raises:
        SpaceError: an unknown parameter or metric, numbers too small, or pictures that cannot be compared.
    """
    chosen = [_metric(m) for m in metrics]
    if bases < 2 or grid < 2 or repeats < 1:
        raise SpaceError(
            f"{bases} bases, {grid} grid steps and {repeats} repeats are too few", remedy="take at least 2, 2 and 1"
        )
    names = space.names if parameters is None else tuple(parameters)
    plans = [_Plan(space, space.axis(name), bases, grid, seed, role) for name in names]
    base_plan = _BasePlan(space, bases, repeats, seed, role)
    everything: list[_BasePlan | _Plan] = [base_plan, *plans]
    requests = (request for plan in everything for request in plan.requests())
    pictures = iter(render_all(requests) if render_all is not None else (render(*request) for request in requests))
    noise = base_plan.noise(pictures, chosen)
    found: dict[str, dict[str, Influence]] = {m.name: {} for m in chosen}
    for name, plan in zip(names, plans):
        for m, influence in zip(chosen, plan.influences(pictures, chosen, noise)):
            found[m.name][name] = influence
    return found


def _metric(metric: AnyMetric) -> Metric:
    if isinstance(metric, Metric):
        return metric
    if callable(metric):
        return Metric(getattr(metric, "__name__", "own"), np.asarray, metric)
    if metric not in METRICS:
        raise SpaceError(f"there is no metric {metric!r}", remedy="use " + ", ".join(METRICS))
    return METRICS[metric]


def _base_points(space: Space, bases: int, seed: int, role: str) -> Floats:
    """Return (K, d) raw Sobol points: coordinates of absent parameters too, for when they come into existence."""
    return SobolSampler(space, seed, prefix=f"influence-{role}")._propose(bases)


def _frozen_seed(seed: int, role: str, base: int) -> int:
    return derive(seed, "influence", role, "base", base)


class _BasePlan:
    """Renders each base configuration and repeats it: does the picture move by itself?"""

    def __init__(self, space: Space, bases: int, repeats: int, seed: int, role: str) -> None:
        self._values = space.values_of(space.points(_base_points(space, bases, seed, role)))
        self._repeats, self._seed, self._role = repeats, seed, role

    def requests(self) -> Iterator[Request]:
        for k, values in enumerate(self._values):
            for _ in range(1 + self._repeats):
                yield dict(values), _frozen_seed(self._seed, self._role, k)

    def noise(self, pictures: Iterator[Image], metrics: Sequence[Metric]) -> list[tuple[float, float]]:
        """Return (mean, standard deviation) of repeated pictures' distances, for each metric."""
        found: list[list[float]] = [[] for _ in metrics]
        for _ in self._values:
            first = [m.prepare(image) for image in [_next(pictures)] for m in metrics]
            for _ in range(self._repeats):
                image = _next(pictures)
                for distances, metric, prepared in zip(found, metrics, first):
                    distances.append(metric.distance(prepared, metric.prepare(image)))
        return [(float(np.mean(d)), float(np.std(d))) for d in found]


class _Plan:
    """The pictures of one parameter, and what is made of them."""

    def __init__(self, space: Space, axis: int, bases: int, grid: int, seed: int, role: str) -> None:
        self._space, self._axis, self._seed, self._role = space, axis, seed, role
        self._parameter = space.parameters[axis]
        self._units = _grid(self._parameter, grid)
        self._bases = _base_points(space, bases, seed, role)
        for base in range(bases):
            _make_exist(space, axis, self._bases[base], base)

    def requests(self) -> Iterator[Request]:
        for k, base in enumerate(self._bases):
            rows = np.repeat(base[None, :], len(self._units), axis=0)
            rows[:, self._axis] = self._units
            for values in self._space.values_of(self._space.points(rows)):
                yield values, _frozen_seed(self._seed, self._role, k)

    def influences(
        self, pictures: Iterator[Image], metrics: Sequence[Metric], noise: Sequence[tuple[float, float]]
    ) -> list[Influence]:
        count, every = len(self._units), isinstance(self._parameter, Enum)
        reach = count - 1 if every else 2
        # distance[metric][base, i, lag - 1]: of pictures i and i + lag
        table = np.zeros((len(metrics), len(self._bases), count, reach))
        for k in range(len(self._bases)):
            recent: list[list[Any]] = []
            for i in range(count):
                image = _next(pictures)
                now = [m.prepare(image) for m in metrics]
                for lag, earlier in enumerate(reversed(recent), start=1):
                    for m, metric in enumerate(metrics):
                        table[m, k, i - lag, lag - 1] = metric.distance(earlier[m], now[m])
                recent = [*recent, now][-reach:] if reach else []
        return [
            self._influence(metric, _denoised(metric, table[m], *noise[m]), noise[m][0])
            for m, metric in enumerate(metrics)
        ]

    def _influence(self, metric: Metric, table: Floats, noise: float) -> Influence:
        bases, count, _ = table.shape
        double = np.zeros((bases, 0))
        if isinstance(self._parameter, Enum):
            distances = np.zeros((bases, count, count))
            for i in range(count):
                for j in range(i + 1, count):
                    distances[:, i, j] = distances[:, j, i] = table[:, i, j - i - 1]
        else:
            distances = table[:, : count - 1, 0]
            double = table[:, : max(count - 2, 0), 1]
        values = tuple(self._parameter.decode(self._units))
        renders = bases * count
        return Influence(
            self._parameter, metric.name, self._units, values, distances, double, self._bases, noise, renders
        )


def _denoised(metric: Metric, table: Floats, mean: float, deviation: float) -> Floats:
    """Return distances without noise; what lies within two standard deviations of it counts as nothing."""
    if mean == 0.0:
        return table
    return np.where(table <= mean + 2.0 * deviation, 0.0, metric.without_noise(table, mean))


def _next(pictures: Iterator[Image]) -> Image:
    try:
        return next(pictures)
    except StopIteration:
        raise SpaceError("the renderer gave fewer pictures than were asked for") from None


def _grid(parameter: Parameter, steps: int) -> Floats:
    """Return grid positions on the unit axis; of integers and enums the middles of cells."""
    if isinstance(parameter, Cells):
        middles = parameter.middles()
        if isinstance(parameter, Integer) and len(middles) > steps + 1:
            return np.asarray(middles[np.unique(np.linspace(0, len(middles) - 1, steps + 1).round().astype(int))])
        return np.asarray(middles)
    return np.linspace(0.0, 1.0, steps + 1)


def _make_exist(space: Space, axis: int, unit: Floats, base: int) -> None:
    """Move the parents' coordinates of a base configuration, in place, so that the parameter exists."""
    condition = space.parameters[axis].condition
    if condition is None:
        return
    parent, choices = condition
    cells = space.cells(parent)
    allowed = [i for i, value in enumerate(cells.cell_values()) if value in choices]
    if int(cells.index(unit[space.axis(parent)])) not in allowed:
        unit[space.axis(parent)] = cells.middles()[allowed[base % len(allowed)]]
    _make_exist(space, space.axis(parent), unit, base)


# ---- what follows from it


def remap(influence: Influence) -> Remap:
    """Return the map in which equal steps have equal influence: f(p) = F(p)/F(u) through PCHIP.

    Raises:
        SpaceError: the parameter is an enum, or has no influence at all.
    """
    parameter = influence.parameter
    if isinstance(parameter, Enum):
        raise SpaceError(f"{parameter.name}: an enum has no order to remap", remedy="use its total as a scale")
    if influence.steps.sum() <= 0.0:
        raise SpaceError(
            f"{parameter.name}: the picture does not change with it ({influence.metric} is 0 everywhere)",
            remedy="fix the parameter, or render so that it shows",
            parameter=parameter.name,
        )
    values = np.asarray(influence.values, dtype=np.float64)
    increments = influence.rates * np.diff(influence.units)
    if isinstance(parameter, Integer):
        # Half a value beyond the first and the last: the cells' outer borders.
        slopes = increments / np.diff(values)
        values = np.concatenate([[values[0] - 0.5], values, [values[-1] + 0.5]])
        increments = np.concatenate([[0.5 * slopes[0]], increments, [0.5 * slopes[-1]]])
    levels = np.concatenate([[0.0], np.cumsum(increments)])
    levels /= levels[-1]
    levels[-1] = 1.0
    periodic = isinstance(parameter, Periodic)
    return Remap(tuple(values.tolist()), tuple(levels.tolist()), influence.total, influence.metric, periodic)


def remaps(influences: Mapping[str, Influence]) -> tuple[dict[str, Remap], dict[str, float]]:
    """Return (remaps, scales) for ``space.with_remaps`` and ``space.with_scales``.

    A parameter without any influence keeps its axis as it is, with scale 0; enums get their scale.
    """
    maps = {
        name: remap(found)
        for name, found in influences.items()
        if not isinstance(found.parameter, Enum) and found.steps.sum() > 0.0
    }
    return maps, {name: found.total for name, found in influences.items() if name not in maps}


def improved(space: Space, influences: Mapping[str, Influence]) -> Space:
    """Return the space with the measured remaps and scales in place."""
    maps, scales = remaps(influences)
    return space.with_remaps(maps).with_scales(scales)


def dependence(space: Space, influence: Influence) -> dict[str, float]:
    """Return how far the profile keeps its shape when each other parameter changes.

    The base configurations are split at the median of the other parameter; the value is Spearman's rank correlation
    of the two halves' mean profiles. Below 0.7 the parameter is not separable from that one: no single remap fits.
    A profile that is even in both halves (each varies by less than a tenth) has no shape to lose and counts as 1.
    """
    if isinstance(influence.parameter, Enum) or influence.distances.shape[1] < 3:
        return {}
    found = {}
    for axis, other in enumerate(space.parameters):
        if other.name == influence.name:
            continue
        position = influence.bases[:, axis]
        low = position <= np.median(position)
        if low.all() or not low.any():
            continue
        first, second = influence.distances[low].mean(axis=0), influence.distances[~low].mean(axis=0)
        if max(_variation(first), _variation(second)) < 0.1:
            found[other.name] = 1.0
        elif first.std() == 0.0 or second.std() == 0.0:
            found[other.name] = 0.0
        else:
            found[other.name] = float(stats.spearmanr(first, second).statistic)
    return found


def _variation(profile: Floats) -> float:
    return float(profile.std() / profile.mean()) if profile.mean() > 0.0 else 0.0


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None

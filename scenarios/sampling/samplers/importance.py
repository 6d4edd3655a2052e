"""Importance sampling near misclassified samples: a defensive mixture whose density is known exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from foundation.seeds import generator
from scenarios.sampling.errors import SpaceError
from scenarios.sampling.samplers.base import BaseSampler, register
from scenarios.sampling.samplers.failure_model import FailureModel
from scenarios.sampling.samplers.kernels import KernelMixture, cross_validated, silverman
from scenarios.sampling.samplers.records import Records
from scenarios.sampling.space import Points, Space
from scenarios.sampling.trials import Outcome, Trial

Floats = npt.NDArray[np.float64]
Base = Literal["uniform", "nominal"]
Model = Literal["kde", "knn", "logistic"]
Bandwidth = Literal["cv", "silverman"]
_BLOCK = 4_000_000
_VOLUME_POINTS = 1 << 14
_DRAWS = 32
_MOST_DRAWS = 1 << 16


@register
class ImportanceSampler(BaseSampler):
    """q(x) = epsilon base(x) + (1 - epsilon) sum_i w_i K(x, x_i) / sum w on the remapped unit cube.

    With ``model="kde"`` the x_i are the failures and w_i their losses (1 where the loss is 0). That density alone
    rediscovers where one has sampled; ``model="knn"`` uses failures *and* successes: every judged trial is a centre
    with w_i = r(x_i)/q(x_i), where r = (failures + a)/(k + a + b) among its k nearest neighbours in the scaled,
    remapped space. Divided by the density it was drawn with, the sum approaches the failure rate smoothed by the
    kernel, wherever the trials came from, and its density stays exact.

    ``model="logistic"`` has no kernels: q = epsilon base + (1 - epsilon) r^sharpness base / Z, where r is a logistic
    regression of failure on all parameters (:mod:`scenarios.sampling.samplers.failure_model`). It needs the fewest
    verdicts to aim where there are many parameters. Points are drawn by rejection, exactly; Z, the mean of
    r^sharpness under the base, is taken over 16384 Sobol points: 0.1 to 0.7 % off where it was measured (18 and 22
    parameters, sharpness 1 and 2).

    Without a failure, q is the base. Weights base/q never exceed 1/epsilon.

    Args:
        epsilon: share of the base.
        base: "uniform" on the cube or "nominal" (p0).
        model: "kde", "knn" or "logistic".
        bandwidth: "cv" (leave-one-out likelihood, starting from Silverman's rule) or "silverman".
        least_width: lower bound of a kernel's width on an axis of metric length 1: a just noticeable step.
        neighbours: k of the failure rate.
        prior: (a, b), pseudo-counts of failures and successes; None: one judged trial of the overall failure rate.
        optimism: adds so many standard deviations of the Beta posterior to r (upper confidence bound); knn only.
        sharpness: exponent on the failure rate; above 1 the worst regions get more than their share. Logistic only.
    """

    name = "importance"

    def __init__(
        self,
        space: Space,
        seed: int = 0,
        *,
        epsilon: float = 0.25,
        base: Base = "uniform",
        model: Model = "kde",
        bandwidth: Bandwidth = "cv",
        least_width: float = 0.02,
        neighbours: int = 15,
        prior: tuple[float, float] | None = None,
        optimism: float = 0.0,
        sharpness: float = 1.0,
        prefix: str | None = None,
    ) -> None:
        super().__init__(space, seed, prefix=prefix)
        _check("epsilon", epsilon, 0.0 < epsilon <= 1.0, "above 0 and at most 1")
        _check("least_width", least_width, 0.0 < least_width <= 0.25, "above 0 and at most 0.25")
        _check("neighbours", neighbours, neighbours >= 1, "at least 1")
        _check("optimism", optimism, 0.0 <= optimism < np.inf, "finite and at least 0")
        _check("sharpness", sharpness, 0.0 < sharpness <= 8.0, "above 0 and at most 8")
        _check("sharpness", sharpness, sharpness == 1.0 or model == "logistic", "1, unless the model is logistic")
        fine = prior is None or (len(prior) == 2 and min(prior) > 0.0 and max(prior) < np.inf)
        _check("prior", prior, fine, "two finite numbers above 0")
        for key, value, known in (("base", base, Base), ("model", model, Model), ("bandwidth", bandwidth, Bandwidth)):
            _check(key, value, value in get_args(known), "one of " + ", ".join(get_args(known)))
        self.epsilon, self.base, self.model, self.bandwidth = float(epsilon), base, model, bandwidth
        self.least_width, self.neighbours = float(least_width), int(neighbours)
        self.prior = None if prior is None else (float(prior[0]), float(prior[1]))
        self.optimism, self.sharpness = float(optimism), float(sharpness)
        self.records = Records(space)
        self._built: tuple[int, KernelMixture | _Rates | None] = (-1, None)

    def options(self) -> dict[str, Any]:
        """See :meth:`BaseSampler.options`."""
        names = ("epsilon", "base", "model", "bandwidth", "least_width", "neighbours", "optimism", "sharpness")
        return {name: getattr(self, name) for name in names} | {"prior": self.prior and list(self.prior)}

    # ---- the proposal

    def kernels(self) -> KernelMixture | None:
        """Return the kernels of q; None while no failure is known, and for the logistic model, which has none."""
        part = self._steered()
        return part if isinstance(part, KernelMixture) else None

    def _steered(self) -> KernelMixture | _Rates | None:
        """Return the part of q that is not the base; None while no failure is known."""
        if self._built[0] != self.records.version:
            self._built = (self.records.version, self._build())
        return self._built[1]

    def _build(self) -> KernelMixture | _Rates | None:
        points, q, outcomes = self.records.judged()
        failed = np.array([o.failed for o in outcomes], dtype=bool)
        if not failed.any():
            return None
        if self.model == "logistic":
            return _Rates(self, FailureModel(self.space, points, failed))
        if self.model == "kde":
            centres = points.take(failed)
            weights = np.array([o.loss if o.loss > 0.0 else 1.0 for o in outcomes if o.failed])
        else:
            centres = points
            weights = self._rates(points, failed, points, self.optimism) / q
        if self.bandwidth == "silverman":
            widths = silverman(self.space, centres, weights, self.least_width)
        else:
            widths = cross_validated(self.space, centres, weights, self.least_width, self.epsilon)
        return KernelMixture(self.space, centres, weights, widths)

    def density(self, points: Points) -> Floats:
        """See :meth:`Sampler.density`."""
        base = self.base_density(points)
        steered = self._steered()
        if steered is None:
            return base
        if isinstance(steered, KernelMixture):
            return self.epsilon * base + (1.0 - self.epsilon) * steered.density(points)
        return base * (self.epsilon + (1.0 - self.epsilon) * steered.over_base(points))

    def base_density(self, points: Points) -> Floats:
        """Return the (N,) densities of the base."""
        return np.ones(len(points)) if self.base == "uniform" else self.space.densities(points)

    def _propose(self, n: int) -> Floats:
        shares = self._uniforms(n, self.space.dimension + 1)
        choice, units = shares[:, 0], shares[:, 1:].copy()
        steered = self._steered()
        if steered is None:
            near = np.zeros(n, dtype=bool)
        else:
            near = self._spread(n, "part") >= self.epsilon
        units[~near] = self.from_base(units[~near])
        if isinstance(steered, KernelMixture):
            units[near] = steered.draw(choice[near], units[near])
        elif steered is not None:
            for row in np.flatnonzero(near):
                rng = generator(self.seed, "sampling", self.prefix, "accept", self._count + int(row))
                units[row] = steered.draw(rng)
        return units

    def from_base(self, units: Floats) -> Floats:
        """Return (N, d) points of the base from (N, d) uniform numbers."""
        if self.base == "uniform":
            return units
        columns = [parameter.quantile(units[:, axis]) for axis, parameter in enumerate(self.space.parameters)]
        return np.stack(columns, axis=1) if columns else units

    # ---- failure rates

    def failure_rate(self, points: Points, optimism: float = 0.0) -> Floats:
        """Return the (N,) smoothed failure rates r among the k nearest judged trials; the prior's mean without any."""
        known, _, outcomes = self.records.judged()
        return self._rates(known, np.array([o.failed for o in outcomes], dtype=bool), points, optimism)

    def _rates(self, known: Points, failed: npt.NDArray[np.bool_], points: Points, optimism: float) -> Floats:
        # Without any verdict nothing speaks for failure or success.
        overall = float(failed.mean()) if len(failed) else 0.5
        a, b = (overall, 1.0 - overall) if self.prior is None else self.prior
        k = min(self.neighbours, len(known))
        near = np.zeros(len(points))
        if k:
            # Single precision decides ties between neighbours at most, and halves the time.
            centres, wanted = (self.space.embedding(p).astype(np.float32) for p in (known, points))
            lengths = np.sum(centres * centres, axis=1)
            rows = max(1, _BLOCK // len(known))
            for i in range(0, len(points), rows):
                # Squared distances up to the row's own length, which does not change the order.
                squares = lengths - 2.0 * wanted[i : i + rows] @ centres.T
                nearest = np.argpartition(squares, k - 1, axis=1)[:, :k]
                near[i : i + rows] = failed[nearest].sum(axis=1)
        rate = (near + a) / (k + a + b)
        return np.asarray(rate + optimism * np.sqrt(rate * (1.0 - rate) / (k + a + b + 1.0)))

    # ---- learning and storing

    def _take(self, trial: Trial, outcome: Outcome) -> None:
        if not trial.q > 0.0:
            raise SpaceError(f"trial {trial.id} has the proposal density {trial.q}", remedy="it must be above 0")
        self.records.put(trial, outcome)

    def forget(self) -> None:
        """Drop all verdicts, because they are of a model that is gone."""
        self.records.clear()

    def _memory(self) -> dict[str, Any]:
        return {"records": self.records.to_list()}

    def _remember(self, memory: Mapping[str, Any]) -> None:
        self.records.restore(memory["records"])

    @classmethod
    def _revive(cls, space: Space, options: Mapping[str, Any]) -> dict[str, Any]:
        return dict(options) | {"prior": options["prior"] and tuple(options["prior"])}


class _Rates:
    """The density r^sharpness base / Z of a failure model, and draws from it."""

    def __init__(self, sampler: ImportanceSampler, model: FailureModel) -> None:
        self._sampler, self._model = sampler, model
        rng = generator(sampler.seed, "sampling", sampler.prefix, "volume")
        sobol = qmc.Sobol(sampler.space.dimension, scramble=True, seed=rng).random(_VOLUME_POINTS)
        self.volume = float(self._raised(sampler.from_base(sobol)).mean())

    def _raised(self, units: Floats) -> Floats:
        return np.asarray(self._model.rates(self._sampler.space.points(units)) ** self._sampler.sharpness)

    def over_base(self, points: Points) -> Floats:
        """Return the (N,) densities over the base's."""
        return np.asarray(self._model.rates(points) ** self._sampler.sharpness / self.volume)

    def draw(self, rng: np.random.Generator) -> Floats:
        """Return one (d,) point: the first of a stream of the base's that is kept with probability r^sharpness."""
        for _ in range(_MOST_DRAWS // _DRAWS):
            units = self._sampler.from_base(rng.random((_DRAWS, self._sampler.space.dimension)))
            kept = np.flatnonzero(rng.random(_DRAWS) < self._raised(units))
            if len(kept):
                return np.asarray(units[kept[0]])
        raise SpaceError(
            f"the failure rate to the power of {self._sampler.sharpness:g} is too low: no point in {_MOST_DRAWS} draws",
            remedy="lower sharpness",
        )


def _check(name: str, value: object, fine: bool, wanted: str) -> None:
    if not fine:
        raise SpaceError(f"{name} is {value!r}", remedy=f"it must be {wanted}")

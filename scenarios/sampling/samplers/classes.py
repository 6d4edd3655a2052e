"""Samplers that decide which class to ask for: balanced labels, and confused pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from foundation.seeds import generator
from scenarios.sampling.errors import SpaceError
from scenarios.sampling.parameters import Cells
from scenarios.sampling.samplers.base import BaseSampler, register
from scenarios.sampling.samplers.records import Records
from scenarios.sampling.space import Points, Space
from scenarios.sampling.trials import Outcome, Trial

Floats = npt.NDArray[np.float64]
_VOLUME_POINTS = 4096
_TRIES = 200


class ClassSampler(BaseSampler):
    """Base of samplers that choose a class and draw the rest uniformly: q is the share over the cell's width."""

    def __init__(self, space: Space, seed: int = 0, *, class_parameter: str, prefix: str | None = None) -> None:
        super().__init__(space, seed, prefix=prefix)
        self.class_parameter = class_parameter
        self.classes = space.classes(class_parameter)
        self._axis = space.axis(class_parameter)
        self._cells: Cells = space.cells(class_parameter)
        if self._cells.condition is not None:
            raise SpaceError(
                f"{class_parameter}: the class exists only for some choices of {self._cells.condition[0]}",
                remedy="take a parameter without a condition",
                parameter=class_parameter,
            )

    def shares(self) -> Floats:
        """Return the (K,) shares of the classes asked for."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """See :meth:`BaseSampler.options`."""
        return {"class_parameter": self.class_parameter}

    def density(self, points: Points) -> Floats:
        """See :meth:`Sampler.density`."""
        per_cell = self.shares() / np.diff(self._cells.edges())
        held = per_cell[self._cells.index(points.unit[:, self._axis])]
        return np.where(points.active[:, self._axis], held, 1.0)

    def class_numbers(self, labels: list[str]) -> list[int]:
        """Return the numbers of classes by name."""
        return [self.classes.index(label) for label in labels]


@register
class BalancedSampler(ClassSampler):
    """Deficit control: asks for the classes whose *realised* labels are short.

    A request does not always become a label (the object may be hidden), so a class that is rarely realised is asked
    for more often. Trials not yet recorded count with their chance of becoming a label.

    The shares belong to one batch: a class that is not short gets none. Estimates under p0 therefore need a mixture
    with a sampler that covers the space.

    Args:
        class_parameter: the enum that asks for a class.
        min_distance: cap of near-duplicates: a point of the same class closer than this (in the scaled, remapped
            space) to an earlier one is drawn again. Rejection changes the density: q is then divided by the share of
            the class's volume still allowed, estimated with 4096 Sobol points at the start of the batch (the only
            density here that is not exact, to about one part in a hundred). 0: no cap, exact densities.
    """

    name = "balanced"

    def __init__(
        self,
        space: Space,
        seed: int = 0,
        *,
        class_parameter: str,
        min_distance: float = 0.0,
        prefix: str | None = None,
    ) -> None:
        super().__init__(space, seed, class_parameter=class_parameter, prefix=prefix)
        if not min_distance >= 0.0:
            raise SpaceError(f"min_distance is {min_distance}", remedy="it must be at least 0")
        self.min_distance = float(min_distance)
        self.rejections = 0
        """Draws refused by the cap so far."""
        self._recorded: dict[str, tuple[str, str | None]] = {}
        self._pending: dict[str, str] = {}
        self._points: dict[str, list[tuple[float, ...]]] = {c: [] for c in self.classes}
        self._shares = np.full(len(self.classes), 1.0 / len(self.classes))
        self._allowed = np.ones(len(self.classes))

    def options(self) -> dict[str, Any]:
        """See :meth:`BaseSampler.options`."""
        return super().options() | {"min_distance": self.min_distance}

    def shares(self) -> Floats:
        """Return the shares of the most recent batch; equal ones before the first."""
        return self._shares

    def density(self, points: Points) -> Floats:
        """See :meth:`Sampler.density`."""
        numbers = self._cells.index(points.unit[:, self._axis])
        return super().density(points) / np.where(points.active[:, self._axis], self._allowed[numbers], 1.0)

    # ---- deficits

    def have(self) -> dict[str, int]:
        """Return the number of realised, valid labels of each class."""
        labels = [label for _, label in self._recorded.values()]
        return {c: labels.count(c) for c in self.classes}

    def realised(self) -> dict[str, float]:
        """Return P(label c | request c) of each class: (hits + 1)/(requests + 1), which is 1 before the first."""
        rates = {}
        for c in self.classes:
            labels = [label for request, label in self._recorded.values() if request == c]
            rates[c] = (labels.count(c) + 1.0) / (len(labels) + 1.0)
        return rates

    def requests(self, target: float) -> dict[str, float]:
        """Return how often to ask for each class until ``target`` labels are expected: max(0, target - have)/P."""
        have, rate = self._expected(), self.realised()
        return {c: max(0.0, target - have[c]) / rate[c] for c in self.classes}

    def _expected(self) -> dict[str, float]:
        have, rate = self.have(), self.realised()
        waiting = list(self._pending.values())
        return {c: have[c] + waiting.count(c) * rate[c] for c in self.classes}

    def _allocation(self, n: int) -> npt.NDArray[np.intp]:
        """Return how many of ``n`` trials ask for each class: the requests of the target that n trials can reach."""
        have, rate = self._expected(), self.realised()
        order = sorted(self.classes, key=lambda c: have[c])
        target, cost, used = have[order[0]], 0.0, 0.0
        for i, c in enumerate(order):
            # Raising all classes below to the level of this one costs `used`; stop where n is spent.
            used_here = used + (have[c] - target) * cost
            if used_here > n:
                break
            used, target = used_here, have[c]
            cost += 1.0 / rate[order[i]]
        target += (n - used) / cost
        wanted = np.array([max(0.0, target - have[c]) / rate[c] for c in self.classes])
        whole = np.floor(wanted + 1e-9).astype(np.intp)
        rest = np.argsort(-(wanted - whole), kind="stable")[: n - int(whole.sum())]
        whole[rest] += 1
        return whole

    # ---- proposing

    def _propose(self, n: int) -> Floats:
        counts = self._allocation(n)
        self._shares = counts / n
        places = np.concatenate([(np.arange(c) + 0.5) / c for c in counts if c])
        numbers = np.repeat(np.arange(len(counts)), counts)[np.argsort(places, kind="stable")]
        units = self._uniforms(n, self.space.dimension)
        units[:, self._axis] = self._cells.middles()[numbers]
        if self.min_distance > 0.0:
            self._allowed = np.array([self._free_share(k) if counts[k] else 1.0 for k in range(len(counts))])
            self._keep_apart(units, numbers)
        return units

    def _trials(self, points: Points, q: Floats, numbers: list[int] | None = None) -> list[Trial]:
        trials = super()._trials(points, q, numbers)
        for trial in trials:
            requested = str(trial.values[self.class_parameter])
            self._pending[_key(trial)] = requested
            if self.min_distance > 0.0:
                self._points[requested].append(trial.unit)
        return trials

    def _free_share(self, number: int) -> float:
        """Return the share of a class's volume that is far enough from its earlier points."""
        taken = self._points[self.classes[number]]
        if not taken:
            return 1.0
        rng = generator(self.seed, "sampling", self.prefix, "volume", number)
        trial = qmc.Sobol(self.space.dimension, scramble=True, seed=rng).random(_VOLUME_POINTS)
        trial[:, self._axis] = self._cells.middles()[number]
        free = _nearest(self._places(trial), self._places(np.array(taken))) >= self.min_distance
        if not free.any():
            raise self._full(self.classes[number])
        return float(free.mean())

    def _places(self, units: Floats) -> Floats:
        return self.space.embedding(self.space.points(units))

    def _keep_apart(self, units: Floats, numbers: npt.NDArray[np.intp]) -> None:
        """Draw again, in place, what comes too close to an earlier point of its class, of this batch too."""
        places = self._places(units)
        taken = {c: self._places(np.array(points)) for c, points in self._points.items() if points}
        for row, number in enumerate(numbers):
            label = self.classes[number]
            rng = generator(self.seed, "sampling", self.prefix, "again", self._count + row)
            for _ in range(_TRIES):
                if label not in taken or _nearest(places[row : row + 1], taken[label])[0] >= self.min_distance:
                    break
                self.rejections += 1
                units[row] = rng.random(self.space.dimension)
                units[row, self._axis] = self._cells.middles()[number]
                places[row] = self._places(units[row : row + 1])[0]
            else:
                raise self._full(label)
            taken[label] = np.concatenate([taken[label], places[row : row + 1]]) if label in taken else places[row:][:1]

    def _full(self, label: str) -> SpaceError:
        return SpaceError(
            f"class {label!r} has no room left for points {self.min_distance:g} apart", remedy="lower min_distance"
        )

    # ---- learning and storing

    def _take(self, trial: Trial, outcome: Outcome) -> None:
        key = _key(trial)
        self._pending.pop(key, None)
        requested = str(trial.values[self.class_parameter])
        self._recorded[key] = (requested, outcome.truth if outcome.valid else None)

    def _memory(self) -> dict[str, Any]:
        return {
            "recorded": [[key, *row] for key, row in self._recorded.items()],
            "pending": [[key, c] for key, c in self._pending.items()],
            "points": {c: [list(p) for p in points] for c, points in self._points.items()},
            "shares": self._shares.tolist(),
            "allowed": self._allowed.tolist(),
            "rejections": self.rejections,
        }

    def _remember(self, memory: Mapping[str, Any]) -> None:
        self._recorded = {key: (request, label) for key, request, label in memory["recorded"]}
        self._pending = dict(memory["pending"])
        self._points = {c: [tuple(p) for p in memory["points"][c]] for c in self.classes}
        self._shares, self._allowed = np.array(memory["shares"]), np.array(memory["allowed"])
        self.rejections = int(memory["rejections"])


def _nearest(places: Floats, others: Floats) -> Floats:
    """Return each place's distance to the nearest of the others, (N,)."""
    squares = np.sum(places**2, axis=1)[:, None] + np.sum(others**2, axis=1)[None, :] - 2.0 * places @ others.T
    return np.sqrt(np.maximum(squares.min(axis=1), 0.0))


def _key(trial: Trial) -> str:
    return f"{trial.id}/{trial.seed}"


class Confusions:
    """Counts of (truth, predicted) from recorded verdicts, smoothed, and the scores of confused pairs.

    ``background`` names a further label for detection: its row counts false positives, its column misses.
    """

    def __init__(self, space: Space, classes: tuple[str, ...], background: str | None) -> None:
        self.records = Records(space)
        self.labels = classes if background is None or background in classes else (*classes, background)

    def put(self, trial: Trial, outcome: Outcome) -> None:
        """Take a verdict; SpaceError for a label that is no class."""
        for label in (outcome.truth, outcome.predicted) if outcome.judged else ():
            if label not in self.labels:
                raise SpaceError(
                    f"trial {trial.id}: {label!r} is no class",
                    remedy="classes are " + ", ".join(self.labels) + "; give any other label as background=",
                )
        self.records.put(trial, outcome)

    def counts(self) -> Floats:
        """Return the (L, L) counts, rows truth, columns predicted."""
        index = {label: i for i, label in enumerate(self.labels)}
        counts = np.zeros((len(self.labels), len(self.labels)))
        for outcome in self.records.outcomes():
            if outcome.judged:
                counts[index[outcome.truth], index[str(outcome.predicted)]] += 1.0
        return counts

    def smoothed(self) -> Floats:
        """Return the (L, L) row-stochastic matrix (n_ab + 1/L)/(n_a + 1)."""
        counts = self.counts()
        return (counts + 1.0 / len(counts)) / (counts.sum(axis=1, keepdims=True) + 1.0)

    def scores(self) -> Floats:
        """Return the (L, L) symmetric scores s_ab = C_ab + C_ba, 0 on the diagonal."""
        smooth = self.smoothed()
        scores = smooth + smooth.T
        np.fill_diagonal(scores, 0.0)
        return scores


@register
class ConfusionSampler(ClassSampler):
    """Draws confused pairs of classes in proportion to s^gamma, half of each, and a share of the budget uniformly.

    Verdicts come through :meth:`record`, from validation trials of any sampler. :meth:`forget` drops them when the
    model has changed.

    Args:
        class_parameter: the enum that asks for a class.
        gamma: how strongly scores count; 0 is uniform over pairs.
        uniform_share: of the budget, drawn uniformly (the science says 0.2 to 0.3).
        background: label of misses and false positives; a pair with it asks for the other class.
    """

    name = "confusion"

    def __init__(
        self,
        space: Space,
        seed: int = 0,
        *,
        class_parameter: str,
        gamma: float = 1.0,
        uniform_share: float = 0.25,
        background: str | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(space, seed, class_parameter=class_parameter, prefix=prefix)
        if not (np.isfinite(gamma) and gamma >= 0.0):
            raise SpaceError(f"gamma is {gamma}", remedy="it must be finite and at least 0")
        if not 0.0 <= uniform_share <= 1.0:
            raise SpaceError(f"uniform_share is {uniform_share}", remedy="it must be within 0 and 1")
        self.gamma, self.uniform_share, self.background = float(gamma), float(uniform_share), background
        self.confusions = Confusions(space, self.classes, background)

    def options(self) -> dict[str, Any]:
        """See :meth:`BaseSampler.options`."""
        own = {"gamma": self.gamma, "uniform_share": self.uniform_share, "background": self.background}
        return super().options() | own

    def pair_shares(self) -> dict[tuple[str, str], float]:
        """Return the share of each unordered pair in the part of the budget that is not uniform."""
        labels, scores = self.confusions.labels, self.confusions.scores()
        pairs = [(i, j) for i in range(len(labels)) for j in range(i + 1, len(labels))]
        raised = np.array([scores[i, j] for i, j in pairs]) ** self.gamma
        return {(labels[i], labels[j]): float(s) for (i, j), s in zip(pairs, raised / raised.sum())} if pairs else {}

    def shares(self) -> Floats:
        """See :meth:`ClassSampler.shares`."""
        uniform = np.diff(self._cells.edges())
        pairs = self.pair_shares()
        if not pairs:
            return uniform
        driven = dict.fromkeys(self.classes, 0.0)
        for (a, b), share in pairs.items():
            known = [c for c in (a, b) if c in driven]
            for c in known:
                driven[c] += share / len(known)
        return self.uniform_share * uniform + (1.0 - self.uniform_share) * np.array([driven[c] for c in self.classes])

    def _propose(self, n: int) -> Floats:
        units = self._uniforms(n, self.space.dimension)
        below = np.cumsum(self.shares())
        numbers = np.minimum(np.searchsorted(below, self._spread(n, "class"), side="right"), len(below) - 1)
        units[:, self._axis] = self._cells.middles()[numbers]
        return units

    def _take(self, trial: Trial, outcome: Outcome) -> None:
        self.confusions.put(trial, outcome)

    def forget(self) -> None:
        """Drop all verdicts, because they are of a model that is gone."""
        self.confusions.records.clear()

    def _memory(self) -> dict[str, Any]:
        return {"records": self.confusions.records.to_list()}

    def _remember(self, memory: Mapping[str, Any]) -> None:
        self.confusions.records.restore(memory["records"])

"""Where a model fails, as a smooth function of the parameters: a ridge-penalised logistic regression.

Few verdicts (tens to hundreds) on many parameters (tens) leave most neighbourhoods empty, so that neighbours say
little. A model that adds up what each parameter contributes borrows strength across all of them: choices of enums,
straight lines and parabolas along real and integer axes, and a sine and a cosine on periodic ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scenarios.sampling.parameters import Enum, Periodic
from scenarios.sampling.space import Points, Space

Floats = npt.NDArray[np.float64]
RIDGES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Penalties to choose from: pseudo-information on every coefficient, in units of verdicts."""
FOLDS = 5
_NEWTON_STEPS = 25
_LEAST = 1e-9


def features(space: Space, points: Points) -> Floats:
    """Return (N, F) features of points; a parameter that does not exist at a point contributes zeros.

    Real and integer axes give x = 2 u - 1 and x^2 - 1/3, both of mean 0 under a uniform distribution; periodic ones
    cos and sin; enums one column for each choice.
    """
    columns: list[Floats] = []
    for axis, parameter in enumerate(space.parameters):
        unit, here = points.unit[:, axis], points.active[:, axis, None]
        if isinstance(parameter, Enum):
            block = np.eye(len(parameter.choices))[parameter.index(unit)]
        elif isinstance(parameter, Periodic):
            angle = 2.0 * np.pi * unit
            block = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        else:
            x = 2.0 * unit - 1.0
            block = np.stack([x, x * x - 1.0 / 3.0], axis=1)
        columns.append(np.where(here, block, 0.0))
    return np.concatenate(columns, axis=1) if columns else np.zeros((len(points), 0))


class FailureModel:
    """P(failure | point), fitted to verdicts.

    The penalty is chosen from :data:`RIDGES` by the likelihood of verdicts that were left out, in :data:`FOLDS` folds
    taken round and round, so that the same verdicts always give the same model.

    Args:
        space: of the points.
        points: (N,) judged points.
        failed: (N,) whether the verdict was wrong.
    """

    def __init__(self, space: Space, points: Points, failed: npt.NDArray[np.bool_]) -> None:
        self._space = space
        inputs, truth = features(space, points), failed.astype(np.float64)
        self.ridge = _chosen_ridge(inputs, truth)
        self._weights = _fit(inputs, truth, self.ridge)

    def rates(self, points: Points) -> Floats:
        """Return the (N,) probabilities of failure, within 0 and 1."""
        return _sigmoid(_with_one(features(self._space, points)) @ self._weights)


def _with_one(inputs: Floats) -> Floats:
    return np.concatenate([np.ones((len(inputs), 1)), inputs], axis=1)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -40.0, 40.0))))


def _fit(inputs: Floats, truth: Floats, ridge: float) -> Floats:
    """Return (1 + F,) weights, the intercept first: Newton's method on the penalised log-likelihood.

    The intercept has a penalty of half a verdict towards the overall rate, with one failure and one success added, so
    that verdicts that are all alike give a finite answer.
    """
    count = len(truth)
    overall = (float(truth.sum()) + 1.0) / (count + 2.0)
    anchor = np.zeros(1 + inputs.shape[1])
    anchor[0] = np.log(overall / (1.0 - overall))
    penalty = np.full(len(anchor), ridge)
    penalty[0] = 0.5
    design, weights = _with_one(inputs), anchor.copy()
    for _ in range(_NEWTON_STEPS):
        rate = _sigmoid(design @ weights)
        gradient = design.T @ (rate - truth) + penalty * (weights - anchor)
        curvature = (design * (rate * (1.0 - rate))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if float(np.abs(step).max()) < _LEAST:
            break
    return weights


def _chosen_ridge(inputs: Floats, truth: Floats) -> float:
    """Return the penalty whose models say best what was left out; the strongest of equals."""
    fold = np.arange(len(truth)) % FOLDS
    best, chosen = -np.inf, RIDGES[-1]
    for ridge in reversed(RIDGES):
        total = 0.0
        for k in range(min(FOLDS, len(truth))):
            out = fold == k
            if out.all():
                continue
            rate = _sigmoid(_with_one(inputs[out]) @ _fit(inputs[~out], truth[~out], ridge))
            total += float(np.sum(np.log(np.where(truth[out] > 0.5, rate, 1.0 - rate))))
        if total > best + 1e-9:
            best, chosen = total, ridge
    return chosen

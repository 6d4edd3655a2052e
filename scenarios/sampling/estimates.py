"""Estimates under the nominal distribution from trials of any sampler, and how evenly points fill a space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats
from scipy.spatial import KDTree
from scipy.stats import qmc

from scenarios.sampling.errors import SpaceError
from scenarios.sampling.space import Points, Space
from scenarios.sampling.trials import Trial

Floats = npt.NDArray[np.float64]

LEAST_ESS_SHARE = 0.1
"""Below this share of n an importance-weighted estimate rests on too few trials to be relied on."""


@dataclass(frozen=True)
class Estimate:
    """A mean under p0.

    Attributes:
        value: the estimate.
        low, high: normal interval of the asked level; infinite with fewer than two trials.
        n: number of trials.
        ess: effective number of trials, (sum w)^2 / sum w^2.
    """

    value: float
    low: float
    high: float
    n: int
    ess: float

    @property
    def reliable(self) -> bool:
        """Whether the effective number of trials is at least a tenth of their number."""
        return self.ess >= LEAST_ESS_SHARE * self.n


def weights(trials: Sequence[Trial]) -> Floats:
    """Return the (N,) importance weights p0/q.

    Raises:
        SpaceError: there is no trial, or one has no positive proposal density.
    """
    if not trials:
        raise SpaceError("there are no trials to estimate from")
    for trial in trials:
        if not (trial.q > 0.0 and math.isfinite(trial.q) and trial.p0 >= 0.0 and math.isfinite(trial.p0)):
            raise SpaceError(f"trial {trial.id} has the densities q {trial.q} and p0 {trial.p0}")
    return np.array([t.p0 / t.q for t in trials])


def effective_sample_size(w: npt.ArrayLike) -> float:
    """Return (sum w)^2 / sum w^2 (Kish); 0 when all weights are 0."""
    w = np.asarray(w, dtype=np.float64)
    squares = float(np.sum(w * w))
    return float(np.sum(w)) ** 2 / squares if squares > 0.0 else 0.0


def balance_heuristic(p0: npt.ArrayLike, densities: npt.ArrayLike, counts: npt.ArrayLike) -> Floats:
    """Return (N,) weights p0/(sum_j n_j q_j/n) of trials pooled from several proposals (Veach and Guibas 1995).

    Args:
        p0: (N,) nominal densities of all pooled trials.
        densities: (J, N) density of each proposal at every trial.
        counts: (J,) how many trials came from each; they add up to N.
    """
    p0, densities, counts = (np.asarray(a, dtype=np.float64) for a in (p0, densities, counts))
    if densities.shape != (len(counts), len(p0)) or counts.sum() != len(p0) or not len(p0):
        raise SpaceError(
            f"{densities.shape} densities do not fit {len(counts)} counts of {counts.sum():g} and {len(p0)} trials"
        )
    pooled = counts @ densities / counts.sum()
    if not bool(np.all(pooled > 0.0)):
        raise SpaceError("a trial has density 0 under every proposal it could be from")
    return np.asarray(p0 / pooled)


def mean(
    trials: Sequence[Trial], losses: npt.ArrayLike, *, level: float = 0.95, w: npt.ArrayLike | None = None
) -> Estimate:
    """Return the importance sampling estimate 1/n sum w L of a mean under p0. Unbiased when q covers p0.

    Args:
        trials: from any sampler, each with its q.
        losses: (N,) what is averaged: losses, 0/1 failures ...
        level: of the interval.
        w: (N,) other weights, of :func:`balance_heuristic` for example; default p0/q.
    """
    w, losses = _paired(trials, losses, w)
    products = w * losses
    return _estimate(float(products.mean()), products - products.mean(), w, level)


def self_normalised(
    trials: Sequence[Trial], losses: npt.ArrayLike, *, level: float = 0.95, w: npt.ArrayLike | None = None
) -> Estimate:
    """Return sum w L / sum w: slightly biased, of smaller variance, and within the range of the losses.

    Arguments as of :func:`mean`. The interval is that of the ratio (delta method).
    """
    w, losses = _paired(trials, losses, w)
    if not w.sum() > 0.0:
        raise SpaceError("all importance weights are 0: no trial is possible under p0")
    value = float(np.sum(w * losses) / np.sum(w))
    return _estimate(value, w * (losses - value) / w.mean(), w, level)


def _paired(trials: Sequence[Trial], losses: npt.ArrayLike, w: npt.ArrayLike | None) -> tuple[Floats, Floats]:
    held = weights(trials) if w is None else np.asarray(w, dtype=np.float64)
    values = np.asarray(losses, dtype=np.float64)
    if held.shape != (len(trials),) or values.shape != (len(trials),):
        raise SpaceError(f"{values.shape} losses and {held.shape} weights do not fit {len(trials)} trials")
    if not (np.isfinite(values).all() and np.isfinite(held).all()):
        raise SpaceError("a loss or weight is not finite")
    return held, values


def _estimate(value: float, deviations: Floats, w: Floats, level: float) -> Estimate:
    if not 0.0 < level < 1.0:
        raise SpaceError(f"level is {level}", remedy="it must be between 0 and 1")
    n = len(deviations)
    error = math.sqrt(float(np.sum(deviations**2)) / (n * (n - 1))) if n > 1 else math.inf
    reach = float(special.ndtri(0.5 + 0.5 * level)) * error
    return Estimate(value, value - reach, value + reach, n, effective_sample_size(w))


def clopper_pearson(failures: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact binomial interval of a rate; (0, 1) for n = 0."""
    if not 0 <= failures <= n:
        raise SpaceError(f"{failures} failures in {n} trials")
    if not 0.0 < level < 1.0:
        raise SpaceError(f"level is {level}", remedy="it must be between 0 and 1")
    tail = 0.5 * (1.0 - level)
    low = 0.0 if failures == 0 else float(special.betaincinv(failures, n - failures + 1, tail))
    high = 1.0 if failures == n else float(special.betaincinv(failures + 1, n - failures, 1.0 - tail))
    return low, high


def mcnemar(only_first: int, only_second: int) -> tuple[float, float]:
    """Return (statistic, exact two-sided p) of McNemar's test of pairs.

    Args:
        only_first: pairs in which only the first half failed (b).
        only_second: only the second half (c).

    Returns:
        (b - c)^2/(b + c), and the binomial p-value of b among b + c at 1/2. (0, 1) without discordant pairs.
    """
    total = only_first + only_second
    if total == 0:
        return 0.0, 1.0
    return (only_first - only_second) ** 2 / total, float(stats.binomtest(only_first, total, 0.5).pvalue)


def discrepancy(units: npt.ArrayLike) -> float:
    """Return the centred L2 discrepancy (Hickernell 1998) of (N, d) points of the unit cube; smaller is more even.

    scipy's definition: the square of Hickernell's.
    """
    units = np.asarray(units, dtype=np.float64)
    if units.ndim != 2 or not units.size:
        raise SpaceError(f"points of shape {units.shape} have no discrepancy", remedy="give (N, d)")
    return float(qmc.discrepancy(units, method="CD"))


def nearest_distances(space: Space, points: Points) -> Floats:
    """Return each point's distance to its nearest other one in the remapped, scaled space, (N,)."""
    if len(points) < 2:
        raise SpaceError("nearest distances need at least two points")
    places = space.embedding(points)
    return np.asarray(KDTree(places).query(places, k=2)[0][:, 1])

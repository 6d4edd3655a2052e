import math

import numpy as np
import pytest
from scipy import stats

from scenarios.sampling import Normal, Periodic, Real, SobolSampler, Space, SpaceError, Trial, UniformSampler
from scenarios.sampling.estimates import (
    balance_heuristic,
    clopper_pearson,
    discrepancy,
    effective_sample_size,
    mcnemar,
    mean,
    nearest_distances,
    self_normalised,
    weights,
)

LINE = Space("line", (Real("x", 0, 1, Normal(0.3, 0.2)),))
SQUARE = Space("square", (Real("x", 0, 1), Real("y", 0, 1)))


def trials_of(pairs):
    return [Trial(str(i), {}, (), 0, "t", q, p0) for i, (p0, q) in enumerate(pairs)]


def test_estimates_by_hand():
    trials = trials_of([(1.0, 2.0), (1.0, 0.5), (3.0, 1.0)])
    np.testing.assert_allclose(weights(trials), [0.5, 2, 3])
    losses = [1, 0, 2]
    plain = mean(trials, losses)
    assert plain.value == pytest.approx((0.5 + 0 + 6) / 3)
    reach = stats.norm.ppf(0.975) * np.std([0.5, 0, 6], ddof=1) / math.sqrt(3)
    assert (plain.low, plain.high) == pytest.approx((plain.value - reach, plain.value + reach))
    assert self_normalised(trials, losses).value == pytest.approx(6.5 / 5.5)
    assert plain.ess == pytest.approx(5.5**2 / (0.25 + 4 + 9))
    assert plain.reliable


def test_a_mean_under_p0_from_uniform_draws():
    """E[x] of a truncated normal, from draws that know nothing of it."""
    law = stats.truncnorm(-1.5, 3.5, 0.3, 0.2)
    trials = UniformSampler(LINE, 1).suggest(4000)
    x = [t.values["x"] for t in trials]
    for estimate in (mean(trials, x), self_normalised(trials, x)):
        assert estimate.low < law.mean() < estimate.high
        assert estimate.value == pytest.approx(law.mean(), abs=0.02)
    # The same from the ratio's interval: it is narrower, for the weights' error cancels.
    assert self_normalised(trials, x).high - self_normalised(trials, x).low < mean(trials, x).high - mean(trials, x).low


def test_intervals_hold_what_they_promise():
    law = stats.truncnorm(-1.5, 3.5, 0.3, 0.2)
    hits = 0
    for seed in range(200):
        trials = UniformSampler(LINE, seed).suggest(60)
        estimate = self_normalised(trials, [t.values["x"] for t in trials], level=0.9)
        hits += estimate.low < law.mean() < estimate.high
    assert 0.83 < hits / 200 < 0.96


def test_few_heavy_weights_are_not_reliable():
    trials = trials_of([(1000.0, 1.0)] + [(0.001, 1.0)] * 99)
    assert not mean(trials, [0.0] * 100).reliable
    assert effective_sample_size([1, 1, 1, 1]) == 4
    assert effective_sample_size([0, 0]) == 0


def test_balance_heuristic_by_hand():
    # Two of the first proposal, one of the second.
    found = balance_heuristic([1.0, 1.0, 2.0], [[1, 2, 4], [4, 2, 1]], [2, 1])
    np.testing.assert_allclose(found, [1 / ((2 + 4) / 3), 1 / ((4 + 2) / 3), 2 / ((8 + 1) / 3)])


def test_clopper_pearson_against_known_values():
    # Rule of three, and the binomial test's own exact interval.
    assert clopper_pearson(0, 100)[1] == pytest.approx(1 - 0.025 ** (1 / 100))
    for k, n in ((0, 10), (3, 10), (10, 10), (17, 200)):
        theirs = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
        assert clopper_pearson(k, n) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_mcnemar():
    statistic, p = mcnemar(12, 4)
    assert statistic == 64 / 16
    assert p == pytest.approx(stats.binomtest(4, 16).pvalue)
    assert mcnemar(0, 0) == (0.0, 1.0)


def test_centred_discrepancy_by_its_formula():
    x = np.array([[0.1, 0.7], [0.4, 0.2], [0.9, 0.95]])
    z = np.abs(x - 0.5)
    first = np.mean(np.prod(1 + 0.5 * z - 0.5 * z**2, axis=1))
    second = np.mean(
        [np.prod(1 + 0.5 * z[i] + 0.5 * z[j] - 0.5 * np.abs(x[i] - x[j])) for i in range(3) for j in range(3)]
    )
    assert discrepancy(x) == pytest.approx((13 / 12) ** 2 - 2 * first + second)


def test_sobol_fills_more_evenly_than_chance():
    even, chance = ([t.unit for t in s(SQUARE, 1).suggest(64)] for s in (SobolSampler, UniformSampler))
    assert discrepancy(even) < 0.3 * discrepancy(chance)
    gaps = [nearest_distances(SQUARE, SQUARE.points(np.array(units))).min() for units in (even, chance)]
    assert gaps[0] > gaps[1]


def test_nearest_distances_wrap():
    circle = Space("c", (Periodic("h", 0, 360),))
    found = nearest_distances(circle, circle.points([[0.01], [0.5], [0.99]]))
    assert found[0] == pytest.approx(0.02, rel=1e-2)


def test_wrong_input_is_refused():
    good = trials_of([(1.0, 1.0)])
    for make, words in (
        (lambda: mean([], []), "no trials"),
        (lambda: mean(trials_of([(1.0, 0.0)]), [1.0]), "densities q 0.0"),
        (lambda: mean(trials_of([(math.nan, 1.0)]), [1.0]), "p0 nan"),
        (lambda: mean(good, [1.0, 2.0]), "do not fit"),
        (lambda: mean(good, [math.nan]), "not finite"),
        (lambda: mean(good, [1.0], level=1.5), "level"),
        (lambda: self_normalised(trials_of([(0.0, 1.0)]), [1.0]), "weights are 0"),
        (lambda: balance_heuristic([1.0], [[0.0]], [1]), "density 0"),
        (lambda: balance_heuristic([1.0], [[1.0]], [2]), "do not fit"),
        (lambda: clopper_pearson(5, 3), "5 failures in 3"),
        (lambda: discrepancy([0.1, 0.2]), "shape"),
        (lambda: nearest_distances(SQUARE, SQUARE.points([[0.1, 0.1]])), "two points"),
    ):
        with pytest.raises(SpaceError, match=words):
            make()

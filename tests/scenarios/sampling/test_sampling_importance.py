import math

import numpy as np
import pytest
from sampling_spaces import PLAIN
from scipy import stats

from scenarios.sampling import (
    Enum,
    ImportanceSampler,
    Integer,
    Normal,
    Outcome,
    Periodic,
    Points,
    Real,
    Space,
    SpaceError,
    UniformSampler,
    trial_at,
)
from scenarios.sampling.estimates import mean, self_normalised
from scenarios.sampling.samplers.kernels import KernelMixture, silverman

KINDS = Space(
    "kinds",
    (Real("x", 0, 1), Periodic("h", 0, 1), Enum("c", ("p", "q", "r", "s")), Integer("n", 0, 9), Integer("m", 0, 599)),
)
SQUARE = Space("square", (Real("x", 0, 1), Real("y", 0, 1)))


def factor(axis, at, centre, width):
    """The kernel of one axis alone: all others agree, and their own factor is divided out."""
    unit = np.tile(KINDS.points([[0.5] * 5]).unit, (2, 1))
    unit[0, axis], unit[1, axis] = at, centre
    points = KINDS.points(unit)
    only = np.zeros((2, 5), dtype=bool)
    only[:, axis] = True
    points = Points(points.unit, only)
    widths = np.full(5, 0.1)
    widths[axis] = width
    kernels = KernelMixture(KINDS, points.take(np.array([1])), np.ones(1), widths)
    return float(kernels.density(points.take(np.array([0])))[0])


@pytest.mark.parametrize(("at", "centre", "width"), [(0.2, 0.3, 0.1), (0.0, 0.02, 0.25), (0.95, 0.1, 0.2)])
def test_real_axes_have_truncated_gaussians(at, centre, width):
    expected = stats.truncnorm(-centre / width, (1 - centre) / width, centre, width).pdf(at)
    assert factor(0, at, centre, width) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("at", "centre", "width"), [(0.2, 0.3, 0.1), (0.98, 0.01, 0.02), (0.6, 0.1, 0.25)])
def test_periodic_axes_have_von_mises(at, centre, width):
    kappa = (2 * math.pi * width) ** -2
    expected = 2 * math.pi * stats.vonmises(kappa).pdf(2 * math.pi * (at - centre))
    assert factor(1, at, centre, width) == pytest.approx(expected, rel=1e-9)


def test_enums_have_aitchison_and_aitken():
    assert factor(2, 0.1, 0.1, 0.3) == pytest.approx(0.7 * 4)
    assert factor(2, 0.9, 0.1, 0.3) == pytest.approx(0.1 * 4)


@pytest.mark.parametrize(("axis", "count"), [(3, 10), (4, 600)])
def test_integers_have_the_gaussians_mass_on_their_cell(axis, count):
    centre, at, width = (2 + 0.5) / count, (4 + 0.5) / count, 0.08
    law = stats.truncnorm(-centre / width, (1 - centre) / width, centre, width)
    expected = (law.cdf(5 / count) - law.cdf(4 / count)) * count
    assert factor(axis, at, centre, width) == pytest.approx(expected, rel=1e-9)


def test_silvermans_rule_in_one_dimension():
    line = Space("line", (Real("x", 0, 1),))
    x = np.linspace(0.3, 0.7, 50)
    width = silverman(line, line.points(x[:, None]), np.ones(50), 0.001)[0]
    assert width == pytest.approx(x.std() * (4 / 3) ** 0.2 * 50**-0.2)


def test_widths_stay_within_their_bounds():
    line = Space("line", (Real("x", 0, 1), Real("weak", 0, 1, scale=0.2), Real("strong", 0, 1, scale=1.0)))
    close = line.points(np.full((30, 3), 0.5))
    # A just noticeable step is five times as long where influence is a fifth.
    np.testing.assert_allclose(silverman(line, close, np.ones(30), 0.02), [0.02, 0.1, 0.02])
    lone = line.points(np.full((1, 3), 0.5))
    np.testing.assert_allclose(silverman(line, lone, np.ones(1), 0.02), 0.25)


def near_a_corner(trials):
    return np.array([float(t.values["x"] > 0.9 and t.values["y"] > 0.9) for t in trials])


def with_failures(sampler, n=400, seed=1):
    for t, failed in zip(pool := UniformSampler(sampler.space, seed).suggest(n), near_a_corner(pool)):
        sampler.record(t, Outcome("a", "b" if failed else "a"))
    return sampler


@pytest.mark.parametrize(("model", "least"), [("kde", 0.3), ("knn", 0.1)])
def test_it_goes_where_failures_are_and_weights_stay_bounded(model, least):
    """Four of 400 fail, all in one corner with a hundredth of the area; k-NN blurs it to its 15 neighbours."""
    sampler = with_failures(ImportanceSampler(SQUARE, 2, model=model, epsilon=0.2))
    trials = sampler.suggest(1000)
    assert near_a_corner(trials).mean() > least
    assert max(t.p0 / t.q for t in trials) <= 1 / 0.2 + 1e-9


def test_q_is_the_defensive_mixture():
    sampler = with_failures(ImportanceSampler(SQUARE, 2, epsilon=0.3))
    points = SQUARE.points([[0.1, 0.2], [0.95, 0.93]])
    expected = 0.3 + 0.7 * sampler.kernels().density(points)
    np.testing.assert_allclose(sampler.density(points), expected)


def test_losses_weigh_failures():
    sampler = ImportanceSampler(SQUARE, 2, bandwidth="silverman")
    for i, (x, loss) in enumerate([(0.1, 3.0), (0.9, 1.0)]):
        sampler.record(trial_at(SQUARE, {"x": x, "y": 0.5}, id=str(i), seed=i), Outcome("a", "b", loss))
    left, right = sampler.kernels().density(SQUARE.points([[0.1, 0.5], [0.9, 0.5]]))
    a, b = np.exp(KernelMixture(SQUARE, SQUARE.points([[0.1, 0.5], [0.9, 0.5]]), np.ones(2), sampler.kernels().widths)
                  .log_kernels(SQUARE.points([[0.1, 0.5]])))[0]  # fmt: skip
    assert left == pytest.approx(0.75 * a + 0.25 * b)
    assert left > right


def test_estimates_are_unbiased_and_sharper_than_uniform():
    """The failure probability under a normal exposure is known: P(x > 0.9) P(y > 0.9)."""
    law = Normal(0.5, 0.2)
    space = Space("exposed", (Real("x", 0, 1, law), Real("y", 0, 1, law)))
    tail = float(law.mass(0.9, 1.0, 0, 1) / law.mass(0, 1, 0, 1))
    sampler = with_failures(ImportanceSampler(space, 4))
    estimates, plain = [], []
    for round_ in range(20):
        trials = sampler.suggest(200)
        estimates.append(mean(trials, near_a_corner(trials)).value)
        uniform = UniformSampler(space, 100 + round_).suggest(200)
        plain.append(mean(uniform, near_a_corner(uniform)).value)
    error = np.std(estimates) / math.sqrt(20)
    assert abs(np.mean(estimates) - tail**2) < 4 * error
    assert np.std(estimates) < 0.6 * np.std(plain)
    trials = sampler.suggest(4000)
    assert self_normalised(trials, near_a_corner(trials)).value == pytest.approx(tail**2, rel=0.15)


def test_successes_tell_knn_what_failures_alone_cannot():
    """Sampled ten times as densely on the left; failure rates are 0.1 left and 0.6 right.

    Failures alone then point left, where there are more of them; failure rates point right.
    """
    rng = np.random.default_rng(0)
    kde, knn = ImportanceSampler(SQUARE, 1), ImportanceSampler(SQUARE, 1, model="knn", neighbours=40)
    for i in range(1100):
        left = i % 11 != 0
        x = rng.uniform(0, 0.5) if left else rng.uniform(0.5, 1)
        q = 2 * 10 / 11 if left else 2 / 11
        trial = trial_at(SQUARE, {"x": x, "y": rng.random()}, id=str(i), seed=i)
        trial = type(trial)(**{**trial.__dict__, "q": q})
        failed = rng.random() < (0.1 if left else 0.6)
        for sampler in (kde, knn):
            sampler.record(trial, Outcome("a", "b" if failed else "a"))
    grid = SQUARE.points(np.stack(np.meshgrid(np.linspace(0.02, 0.98, 33), np.linspace(0, 1, 9)), -1).reshape(-1, 2))
    right = grid.unit[:, 0] > 0.5
    for sampler, expected in ((kde, 100 * 0.6 / (1000 * 0.1 + 100 * 0.6)), (knn, 0.6 / 0.7)):
        density = sampler.kernels().density(grid)
        share = density[right].sum() / density.sum()
        assert share == pytest.approx(expected, abs=0.08)
    rate = knn.failure_rate(SQUARE.points([[0.2, 0.5], [0.8, 0.5]]))
    assert rate[0] < 0.3 < 0.45 < rate[1]


def test_failure_rate_by_hand():
    sampler = ImportanceSampler(SQUARE, 0, neighbours=3, prior=(1.0, 2.0))
    for i, (x, failed) in enumerate([(0.1, True), (0.12, True), (0.2, False), (0.9, True)]):
        sampler.record(trial_at(SQUARE, {"x": x, "y": 0.5}, id=str(i), seed=i), Outcome("a", "b" if failed else "a"))
    near = SQUARE.points([[0.11, 0.5]])
    rate = (2 + 1) / (3 + 3)
    assert sampler.failure_rate(near)[0] == pytest.approx(rate)
    assert sampler.failure_rate(near, optimism=2.0)[0] == pytest.approx(rate + 2 * math.sqrt(rate * (1 - rate) / 7))


def test_without_a_failure_it_is_the_base():
    sampler = ImportanceSampler(PLAIN, 0)
    for t in sampler.suggest(20):
        sampler.record(t, Outcome("a", "a"))
    assert {t.q for t in sampler.suggest(20)} == {1.0}


def test_5000_records_do_not_slow_it():
    sampler = with_failures(ImportanceSampler(SQUARE, 2, model="knn"), n=5000)
    assert len(sampler.suggest(1000)) == 1000


@pytest.mark.parametrize(
    "options",
    [
        {"epsilon": 0.0},
        {"epsilon": 1.5},
        {"epsilon": float("nan")},
        {"model": "svm"},
        {"base": "gauss"},
        {"bandwidth": "wide"},
        {"least_width": 0.0},
        {"neighbours": 0},
        {"prior": (0.0, 1.0)},
        {"optimism": -1.0},
        {"sharpness": 0.0},
        {"sharpness": 2.0},  # kernels have no failure rate to raise
    ],
)
def test_wrong_options_are_refused_by_name(options):
    with pytest.raises(SpaceError, match=next(iter(options))):
        ImportanceSampler(PLAIN, 0, **options)

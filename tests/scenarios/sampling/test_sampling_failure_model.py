"""The logistic model of failure, and the sampler that draws by it."""

import numpy as np
import pytest

from foundation.seeds import generator
from scenarios.sampling import Enum, ImportanceSampler, Outcome, Periodic, Real, Space, UniformSampler, restore
from scenarios.sampling.samplers.failure_model import RIDGES, FailureModel, features

# Two parameters matter among many that do not.
WIDE = Space(
    "wide",
    (
        Enum("kind", ("p", "q", "r", "s"), weights=(4.0, 1.0, 1.0, 2.0)),
        Real("far", 0, 30),
        Periodic("sun", 0, 360),
        *(Real(f"idle{i}", 0, 1) for i in range(14)),
        Enum("extra", ("a", "b"), condition=("kind", ("p", "q"))),
    ),
)


def true_rate(trials):
    """A logistic law: kind q fails more, and so does what is far."""
    logits = [-3.0 + 2.5 * (t.values["kind"] == "q") + 2.0 * (t.values["far"] / 15.0 - 1.0) for t in trials]
    return 1.0 / (1.0 + np.exp(-np.array(logits)))


def judged(sampler, count, seed=1):
    trials = UniformSampler(WIDE, seed).suggest(count)
    failed = generator(seed, "verdicts").random(count) < true_rate(trials)
    for trial, wrong in zip(trials, failed, strict=True):
        sampler.record(trial, Outcome("a", "b" if wrong else "a"))
    return trials, failed


def test_features_are_zero_where_a_parameter_does_not_exist():
    points = WIDE.points(np.tile(np.linspace(0.1, 0.9, 4)[:, None], (1, WIDE.dimension)))
    kinds = [WIDE.values(u)["kind"] for u in points.unit]
    extra = features(WIDE, points)[:, -2:]
    np.testing.assert_array_equal(extra.sum(axis=1), [float(k in "pq") for k in kinds])


def test_features_have_mean_zero_on_real_axes():
    space = Space("line", (Real("x", 0, 1),))
    grid = (np.arange(2000) + 0.5) / 2000
    np.testing.assert_allclose(features(space, space.points(grid[:, None])).mean(axis=0), 0.0, atol=1e-6)


def test_few_verdicts_find_the_law_among_idle_parameters():
    """150 verdicts on 18 parameters: the ranks of fresh points agree with the truth."""
    sampler = ImportanceSampler(WIDE, 3, model="logistic")
    trials, failed = judged(sampler, 150)
    model = FailureModel(WIDE, WIDE.points([t.unit for t in trials]), failed)
    fresh = UniformSampler(WIDE, 9).suggest(2000)
    found = model.rates(WIDE.points([t.unit for t in fresh]))
    ranks = [np.argsort(np.argsort(x)) for x in (found, true_rate(fresh))]
    assert np.corrcoef(*ranks)[0, 1] > 0.7
    assert model.ridge in RIDGES


def test_many_verdicts_give_the_rates_themselves():
    trials = UniformSampler(WIDE, 4).suggest(20_000)
    failed = generator(4, "verdicts").random(len(trials)) < true_rate(trials)
    fresh = UniformSampler(WIDE, 9).suggest(500)
    found = FailureModel(WIDE, WIDE.points([t.unit for t in trials]), failed).rates(
        WIDE.points([t.unit for t in fresh])
    )
    assert np.abs(found - true_rate(fresh)).mean() < 0.02


@pytest.mark.parametrize("failed", [np.zeros(20, bool), np.ones(20, bool)])
def test_verdicts_that_are_all_alike_give_finite_rates(failed):
    points = WIDE.points([t.unit for t in UniformSampler(WIDE, 2).suggest(20)])
    rates = FailureModel(WIDE, points, failed).rates(points)
    assert np.all((rates > 0.0) & (rates < 1.0))
    assert (rates.mean() > 0.5) == failed[0]


@pytest.mark.parametrize("base", ["uniform", "nominal"])
def test_the_density_integrates_to_one(base):
    sampler = ImportanceSampler(WIDE, 3, model="logistic", base=base, sharpness=1.7)
    judged(sampler, 200)
    points = WIDE.points(generator(5, "cube").random((200_000, WIDE.dimension)))
    assert sampler.density(points).mean() == pytest.approx(1.0, rel=0.01)


def test_draws_follow_the_density():
    """The share of any region among the draws is the density's integral over it."""
    sampler = ImportanceSampler(WIDE, 3, model="logistic", sharpness=1.5, epsilon=0.2)
    judged(sampler, 200)
    drawn = WIDE.points([t.unit for t in sampler.suggest(3000)])
    cube = WIDE.points(generator(6, "cube").random((200_000, WIDE.dimension)))
    density = sampler.density(cube)
    for axis, low, high in ((0, 0.25, 0.5), (0, 0.0, 0.25), (1, 0.8, 1.0), (1, 0.0, 0.2), (2, 0.0, 0.5), (9, 0.0, 0.3)):
        inside = (cube.unit[:, axis] >= low) & (cube.unit[:, axis] < high)
        expected = float((density * inside).mean())
        share = float(((drawn.unit[:, axis] >= low) & (drawn.unit[:, axis] < high)).mean())
        assert share == pytest.approx(expected, abs=4.0 * np.sqrt(expected * (1 - expected) / 3000) + 0.002)


def test_it_aims_and_weights_stay_bounded():
    sampler = ImportanceSampler(WIDE, 3, model="logistic", epsilon=0.2)
    judged(sampler, 300)
    trials = sampler.suggest(1000)
    plain = UniformSampler(WIDE, 8).suggest(1000)
    assert true_rate(trials).mean() > 1.7 * true_rate(plain).mean()
    uniform = sampler.density(WIDE.points([t.unit for t in trials]))
    assert (1.0 / uniform).max() <= 1.0 / 0.2 + 1e-9


def test_sharper_aims_more():
    means = []
    for sharpness in (0.5, 1.0, 2.0):
        sampler = ImportanceSampler(WIDE, 3, model="logistic", sharpness=sharpness)
        judged(sampler, 300)
        means.append(true_rate(sampler.suggest(800)).mean())
    assert means == sorted(means)


def test_a_stored_state_continues_exactly():
    sampler = ImportanceSampler(WIDE, 3, model="logistic", sharpness=1.5, base="nominal")
    judged(sampler, 60)
    sampler.suggest(5)
    again = restore(WIDE, sampler.state())
    assert [t.to_dict() for t in again.suggest(7)] == [t.to_dict() for t in sampler.suggest(7)]


def test_widths_are_chosen_axis_by_axis():
    """Failures lie on a line in one of many parameters: that axis gets narrow kernels, whatever the others say."""
    space = Space("slab", (Real("tight", 0, 1), *(Real(f"idle{i}", 0, 1) for i in range(10))))
    rng = generator(1, "slab")
    units = np.column_stack([0.5 + 0.01 * rng.standard_normal(60), rng.random((60, 10))])
    sampler = ImportanceSampler(space, 0)
    for i, (unit, trial) in enumerate(zip(units, UniformSampler(space, 1).suggest(60), strict=True)):
        values = space.values(unit)
        sampler.record(type(trial)(f"t{i}", values, tuple(unit), i, "uniform", 1.0, 1.0), Outcome("a", "b"))
    widths = sampler.kernels().widths
    assert widths[0] < 0.05
    assert widths[1:].min() > 2.0 * widths[0]

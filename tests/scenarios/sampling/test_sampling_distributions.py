"""Truncated distributions against scipy's own, written independently of ours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from scenarios.sampling import (
    Discrete,
    Enum,
    Histogram,
    Integer,
    LogNormal,
    LogUniform,
    Normal,
    Periodic,
    Poisson,
    Real,
    SpaceError,
    Triangular,
    Uniform,
    VonMises,
)
from scenarios.sampling.distributions import distribution_from

LOW, HIGH = 1.5, 9.0
SCIPY = {
    "uniform": (Uniform(), stats.uniform(LOW, HIGH - LOW)),
    "normal": (Normal(3.0, 2.0), stats.truncnorm((LOW - 3) / 2, (HIGH - 3) / 2, 3.0, 2.0)),
    "normal far in its tail": (Normal(-9.0, 2.0), stats.truncnorm((LOW + 9) / 2, (HIGH + 9) / 2, -9.0, 2.0)),
    "loguniform": (LogUniform(), stats.loguniform(LOW, HIGH)),
    "triangular": (Triangular(4.0), stats.triang((4.0 - LOW) / (HIGH - LOW), LOW, HIGH - LOW)),
}


@pytest.mark.parametrize("name", SCIPY)
def test_density_and_quantile_are_scipys(name):
    ours, theirs = SCIPY[name]
    x = np.linspace(LOW, HIGH, 101)
    np.testing.assert_allclose(ours.density(x, LOW, HIGH), theirs.pdf(x), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(ours.cumulative(x, LOW, HIGH), theirs.cdf(x), rtol=1e-6, atol=1e-9)
    share = np.linspace(0.01, 0.99, 25)
    np.testing.assert_allclose(ours.quantile(share, LOW, HIGH), theirs.ppf(share), rtol=1e-6)


def test_lognormal_is_scipys_renormalised():
    ours, whole = LogNormal(1.0, 0.7), stats.lognorm(0.7, scale=np.exp(1.0))
    x = np.linspace(LOW, HIGH, 50)
    expected = whole.pdf(x) / (whole.cdf(HIGH) - whole.cdf(LOW))
    np.testing.assert_allclose(ours.density(x, LOW, HIGH), expected, rtol=1e-9)


@pytest.mark.parametrize(
    "distribution",
    [
        Normal(3, 2),
        LogNormal(1, 0.5),
        LogUniform(),
        Triangular(1.5),
        Triangular(9.0),
        Histogram((0, 2, 3, 10), (1, 0, 3)),
        VonMises(8.9, 3.0),
        VonMises(2.0, 0.0),
        Uniform(),
    ],
    ids=repr,
)
def test_truncated_densities_integrate_to_one(distribution):
    total, _ = integrate.quad(lambda x: float(distribution.density(x, LOW, HIGH)), LOW, HIGH, points=[2, 3], limit=200)
    assert total == pytest.approx(1.0, abs=1e-6)


def test_von_mises_is_scipys_on_a_circle_of_360():
    x = np.linspace(0, 360, 73)
    theirs = stats.vonmises(5.0).pdf(np.radians(x - 350.0)) * np.pi / 180.0
    np.testing.assert_allclose(VonMises(350.0, 5.0).density(x, 0.0, 360.0), theirs, rtol=1e-9)


def test_poisson_is_scipys_renormalised():
    masses = Integer("n", 1, 6, Poisson(2.5)).masses()
    expected = stats.poisson(2.5).pmf(np.arange(1, 7))
    np.testing.assert_allclose(masses, expected / expected.sum(), rtol=1e-12)


def test_a_rounded_normal_gives_integers_the_mass_of_their_interval():
    masses = Integer("n", 0, 3, Normal(1.0, 1.0)).masses()
    expected = np.diff(stats.norm(1.0, 1.0).cdf([-0.5, 0.5, 1.5, 2.5, 3.5]))
    np.testing.assert_allclose(masses, expected / expected.sum(), rtol=1e-9)


@settings(deadline=None)
@given(mean=st.floats(-20, 20), sd=st.floats(0.1, 20), share=st.floats(0, 1))
def test_quantile_inverts_cumulative(mean, sd, share):
    law = Normal(mean, sd)
    if law.problem(LOW, HIGH) or law.mass(LOW, HIGH, LOW, HIGH) < 1e-9:
        return
    x = law.quantile(share, LOW, HIGH)
    assert LOW <= x <= HIGH
    assert law.cumulative(x, LOW, HIGH) == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("distribution", [Normal(1, 2), Histogram((0, 1, 2), (1, 2)), Discrete((1, 2)), Uniform()])
def test_storing_keeps_a_distribution(distribution):
    assert distribution_from(distribution.to_dict()) == distribution


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Real("x", 0, 1, Normal(0, 0)), ["x", "sd", "above 0"]),
        (lambda: Real("x", 0, 1, Normal(float("nan"), 1)), ["x", "mean", "nan"]),
        (lambda: Real("x", 0, 1, Normal(50, 1)), ["x", "within 0 to 1"]),
        (lambda: Real("x", 0, 1, LogUniform()), ["x", "low", "above 0"]),
        (lambda: Real("x", 0, 1, Triangular(2)), ["x", "mode", "outside"]),
        (lambda: Real("x", 0, 1, Histogram((0, 1), (0.0,))), ["x", "weights", "add up to 0"]),
        (lambda: Real("x", 0, 1, Histogram((0, 1, 0.5), (1, 1))), ["x", "edges"]),
        (lambda: Real("x", 0, 1, Poisson(2)), ["x", "Poisson", "integer"]),
        (lambda: Real("x", 0, 1, VonMises(0, 1)), ["x", "VonMises", "periodic"]),
        (lambda: Integer("x", 0, 2, Discrete((1, 1))), ["x", "weights", "2 for 3"]),
        (lambda: Integer("x", 0, 2, Discrete((0, 0, 0))), ["x", "weights", "add up to 0"]),
        (lambda: Enum("x", ("a", "b"), (0, 0)), ["x", "weights", "add up to 0"]),
        (lambda: Enum("x", ("a", "b"), (1, -1)), ["x", "weights"]),
        (lambda: Periodic("x", 0, 1, VonMises(0, -1)), ["x", "concentration"]),
    ],
)
def test_what_cannot_be_is_refused_by_name(make, words):
    with pytest.raises(SpaceError) as caught:
        make()
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)

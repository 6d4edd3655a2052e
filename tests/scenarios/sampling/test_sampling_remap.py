import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.interpolate import PchipInterpolator

from scenarios.sampling import LogNormal, Periodic, Real, Remap, SpaceError, VonMises


def integral(function, borders):
    """Gauss and Legendre's rule on each piece."""
    return sum(integrate.fixed_quad(function, a, b, n=40)[0] for a, b in itertools.pairwise(borders))


STEPS = st.lists(st.floats(0.01, 5.0), min_size=3, max_size=12)


def remap_of(widths, heights, **more):
    count = min(len(widths), len(heights))
    knots = np.concatenate([[0.0], np.cumsum(widths[:count])])
    levels = np.concatenate([[0.0], np.cumsum(heights[:count])])
    return Remap(tuple(knots), tuple(levels / levels[-1] * 1.0), **more)


@settings(deadline=None)
@given(STEPS, STEPS, st.lists(st.floats(0, 1), min_size=1, max_size=20), st.booleans())
def test_there_and_back(widths, heights, levels, periodic):
    remap = remap_of(widths, heights, periodic=periodic)
    np.testing.assert_allclose(remap.forward(remap.inverse(levels)), levels, atol=1e-9)


@settings(deadline=None)
@given(STEPS, STEPS)
def test_it_rises_strictly_and_its_slope_is_its_derivative(widths, heights):
    remap = remap_of(widths, heights)
    x = np.linspace(remap.knots[0], remap.knots[-1], 400)
    assert np.all(np.diff(remap.forward(x)) > 0.0)
    assert np.all(remap.slope(x) > 0.0)
    assert integral(remap.slope, remap.knots) == pytest.approx(1.0, abs=1e-9)


def test_between_the_ends_it_is_scipys_pchip():
    remap = remap_of([1, 1, 1, 1], [1, 1.5, 2, 1.8])
    x = np.linspace(0, 4, 41)
    np.testing.assert_allclose(remap.forward(x), PchipInterpolator(remap.knots, remap.levels)(x), atol=1e-12)


def test_the_end_slope_is_never_zero():
    # scipy's one-sided estimate is 0 here, and a density would be infinite.
    knots, levels = (0.0, 1.0, 2.0), (0.0, 0.1, 1.0)
    assert PchipInterpolator(knots, levels)(0.0, 1) == 0.0
    assert Remap(knots, levels).slope(0.0) == pytest.approx(0.025)


def test_slopes_of_a_periodic_remap_meet_at_the_wrap():
    remap = remap_of([1, 1, 1, 1], [1, 3, 2, 4], periodic=True)
    assert remap.slope(0.0) == pytest.approx(float(remap.slope(4.0)))


@pytest.mark.parametrize("kind", [Real, Periodic])
def test_the_density_on_the_remapped_axis_integrates_to_one(kind):
    law = VonMises(3.5, 2.0) if kind is Periodic else LogNormal(0.3, 0.8)
    remap = remap_of([1, 1, 1, 1], [1, 0.2, 3, 1], periodic=kind is Periodic)
    parameter = kind("x", 0.0, 4.0, law, remap)
    borders = [*np.linspace(0, 0.02, 20), *remap.levels[1:]]
    assert integral(parameter.density, borders) == pytest.approx(1.0, abs=2e-5)


def test_the_density_is_that_of_mapped_draws():
    remap = remap_of([1, 1, 1, 1], [1, 0.2, 3, 1])
    parameter = Real("x", 0.0, 4.0, LogNormal(0.3, 0.8), remap)
    values = parameter.distribution.quantile((np.arange(200_000) + 0.5) / 200_000, 0.0, 4.0)
    shares, edges = np.histogram(parameter.encode(values.tolist()), bins=20, range=(0, 1))
    for share, a, b in zip(shares / 200_000, edges, edges[1:]):
        assert share == pytest.approx(integral(parameter.density, (a, b)), abs=3e-4)


@settings(deadline=None)
@given(STEPS, STEPS)
def test_storing_keeps_it(widths, heights):
    remap = remap_of(widths, heights, total=2.5, metric="rmse")
    assert Remap.from_dict(remap.to_dict()) == remap


@pytest.mark.parametrize(
    ("knots", "levels", "word"),
    [
        ((0, 1), (0, 0.9), "from 0 to 1"),
        ((0, 1, 1), (0, 0.5, 1), "rise"),
        ((0, 1, 2), (0, 0.5, 0.5), "rise"),
        ((0, float("nan"), 2), (0, 0.5, 1), "finite"),
        ((0, 1), (0, 0.5, 1), "2 knots and 3 levels"),
    ],
)
def test_what_is_no_map_is_refused(knots, levels, word):
    with pytest.raises(SpaceError, match=word):
        Remap(knots, levels)


def test_a_remap_of_other_limits_is_refused():
    with pytest.raises(SpaceError, match="spans 0 to 4, the parameter 0 to 5"):
        Real("x", 0, 5, remap=remap_of([1, 1, 1, 1], [1, 1, 1, 1]))

"""Influence measured on synthetic pictures whose truth is known."""

import numpy as np
import pytest

from scenarios.sampling import Enum, Integer, Periodic, Real, Remap, Space, SpaceError, audit
from scenarios.sampling.images import METRICS, dssim, mse, rmse
from scenarios.sampling.influence import dependence, improved, measure, measure_many, remap

Y, X = np.mgrid[:64, :64]
NEAR, FAR = 5.0, 20.0
DISTANCE = Space("distance", (Real("r", NEAR, FAR), Real("shift", -6, 6)))
R = np.linspace(NEAR, FAR, 100)


def by_inverse_square(r):
    """The position of distance r when equal steps change equal areas: u = 1/r^2, scaled to [0, 1]."""
    return (NEAR**-2 - r**-2.0) / (NEAR**-2 - FAR**-2)


def brightness(values, seed):
    """A flat picture whose brightness falls as 1/r^2: smooth."""
    return np.full((16, 16), NEAR**2 / values["r"] ** 2)


def disc(values, seed):
    """A white disc whose area falls as 1/r^2, with hard edges."""
    area = 0.5 * 64 * 64 * (NEAR / values["r"]) ** 2
    return (((X - 32 - values["shift"]) ** 2 + (Y - 32) ** 2 < area / np.pi) * 255).astype(np.uint8)


@pytest.mark.parametrize(("render", "tolerance"), [(brightness, 0.004), (disc, 0.02)])
@pytest.mark.parametrize("metric", ["rmse", "mse"])
def test_the_remap_of_distance_is_the_inverse_square(render, tolerance, metric):
    """Whatever the metric: what is made even is the step, not its square or root."""
    found = measure(DISTANCE, render, parameters=["r"], metric=metric, grid=32)["r"]
    exponent = {("rmse", brightness): 1, ("rmse", disc): 0.5, ("mse", brightness): 2, ("mse", disc): 1}[metric, render]
    assert found.measured_exponent == pytest.approx(exponent, abs=0.05)
    np.testing.assert_allclose(remap(found).forward(R), by_inverse_square(R), atol=tolerance)


def test_total_influence_is_the_whole_way():
    found = measure(DISTANCE, brightness, parameters=["r"])["r"]
    assert found.total == pytest.approx(1.0 - (NEAR / FAR) ** 2)
    whole = measure(DISTANCE, disc, parameters=["r"])["r"]
    # Hard edges: the squares add up, so the total is the distance of the two ends.
    ends = rmse(*(disc({"r": r, "shift": 0.0}, 0) for r in (NEAR, FAR)))
    assert whole.total == pytest.approx(ends, rel=0.02)


def test_a_relative_metric_makes_distance_logarithmic():
    """The paper's 1, 2, 4 cm is geometric: constant *relative* influence. The measurement says which one holds."""

    def relative(a, b):
        return abs(np.log(a.mean() / b.mean()))

    found = measure(DISTANCE, brightness, parameters=["r"], metric=relative)["r"]
    expected = np.log(R / NEAR) / np.log(FAR / NEAR)
    np.testing.assert_allclose(remap(found).forward(R), expected, atol=0.004)


@pytest.mark.parametrize("render", [brightness, disc])
def test_before_and_after(render):
    result = audit(DISTANCE.fixed({"shift": 0.0}), render, also=(), check_bases=2, bases=4)
    assert not result.before["r"].well_behaved
    assert result.before["r"].ratio > 3
    assert result.after["r"].well_behaved
    assert result.after["r"].cv < 0.1
    assert result.ok
    assert result.remapped["r"].scale == pytest.approx(result.fitted["rmse"]["r"].total, rel=0.02)


def test_uniform_draws_of_a_remapped_space_change_the_picture_evenly():
    found = measure(DISTANCE, brightness, parameters=["r"])
    space = improved(DISTANCE, found)
    values = [space.values([u, 0.5])["r"] for u in np.linspace(0, 1, 11)]
    np.testing.assert_allclose(np.diff(np.array(values) ** -2.0), (FAR**-2 - NEAR**-2) / 10, rtol=0.05)


def test_the_second_audit_finds_nothing_left_to_do():
    space = improved(DISTANCE, measure(DISTANCE, brightness, parameters=["r"]))
    again = measure(space, brightness, parameters=["r"])["r"]
    np.testing.assert_allclose(remap(again).forward(R), space["r"].remap.forward(R), atol=6e-3)


def test_a_coarse_grid_is_refined():
    """From 5 to 50, 59 % of the change lies in the first of 16 steps."""
    space = Space("far", (Real("r", NEAR, 50.0),))
    r = np.linspace(NEAR, 50, 300)
    truth = (NEAR**-2 - r**-2.0) / (NEAR**-2 - 50**-2.0)

    def error(found):
        return np.abs(found.remapped["r"].remap.forward(r) - truth).max()

    def near(values, seed):
        return disc({**values, "shift": 0.0}, seed)

    options = {"also": (), "bases": 2, "check_bases": 2}
    once, twice = (audit(space, near, refine=refine, **options) for refine in (False, True))
    assert once.fitted["rmse"]["r"].coarse
    assert error(twice) < 0.015 < error(once)
    assert twice.ok


def test_dead_stretches_keep_a_floor():
    def step(values, seed):
        return np.full((8, 8), max(0.0, values["x"] - 0.5))

    found = measure(Space("s", (Real("x", 0, 1),)), step)["x"]
    curve = remap(found)
    # Half of the range is dead: each of its steps has 0.05 of the mean step.
    assert float(curve.forward(0.5)) == pytest.approx(0.05 * 0.5 / (0.05 * 0.5 + 1.0), rel=1e-3)
    assert not found.well_behaved
    assert found.ratio == np.inf


def test_what_the_picture_does_not_show_is_refused():
    found = measure(DISTANCE, brightness, parameters=["shift"])["shift"]
    assert found.total == 0.0
    with pytest.raises(SpaceError, match="shift: the picture does not change"):
        remap(found)
    assert improved(DISTANCE, {"shift": found})["shift"].scale == 0.0


def test_noise_is_found_and_taken_out():
    rng = np.random.default_rng(0)

    def noisy(values, seed):
        return brightness(values, seed).repeat(4, 0).repeat(4, 1) + rng.normal(0, 0.02, (64, 64))

    found = measure(DISTANCE, noisy, parameters=["r"], repeats=3)["r"]
    assert found.noise == pytest.approx(0.02 * np.sqrt(2), rel=0.05)
    np.testing.assert_allclose(remap(found).forward(R), by_inverse_square(R), atol=0.05)
    assert measure(DISTANCE, brightness, parameters=["r"])["r"].noise == 0.0


def test_randomness_is_frozen_within_a_base_and_differs_between_bases():
    seen = {}

    def spy(values, seed):
        seen.setdefault(seed, set()).add(values["shift"])
        return brightness(values, seed)

    measure(DISTANCE, spy, parameters=["r"], bases=4)
    assert len(seen) == 4
    assert all(len(shifts) == 1 for shifts in seen.values())


def test_a_periodic_parameter_closes():
    def lamp(values, seed):
        return np.full((8, 8), 0.5 + 0.4 * np.sin(np.radians(values["sun"])))

    space = Space("s", (Periodic("sun", 0, 360),))
    found = measure(space, lamp, grid=32)["sun"]
    curve = remap(found)
    assert curve.periodic
    # A quarter turn from trough to crest has a quarter of the influence.
    np.testing.assert_allclose(curve.forward([90, 180, 270]), [0.25, 0.5, 0.75], atol=0.005)
    assert improved(space, {"sun": found}).values([1.0])["sun"] == 360.0


@pytest.mark.parametrize("high", [6, 40])
def test_integers_get_cells_by_their_influence(high):
    def blobs(values, seed):
        return np.full((8, 8), values["n"] ** 2 / high**2)

    space = Space("s", (Integer("n", 0, high),))
    found = measure(space, blobs)["n"]
    widths = np.diff(improved(space, {"n": found})["n"].edges())
    if high == 6:
        # Cell k reaches half-way to its neighbours: ((k+1)^2 - (k-1)^2)/2 = 2k.
        np.testing.assert_allclose(widths[2:6] / widths[2], [1, 1.5, 2, 2.5], rtol=0.1)
    assert np.all(np.diff(widths[1:-1]) > 0)
    assert found.exponent == 1.0


def test_enums_are_compared_pairwise():
    space = Space("s", (Enum("c", ("black", "grey", "white")), Real("x", 0, 1)))

    def flat(values, seed):
        return np.full((8, 8), {"black": 0.0, "grey": 0.5, "white": 1.0}[values["c"]])

    found = measure(space, flat, parameters=["c"], bases=2)["c"]
    np.testing.assert_allclose(found.profile, [[0, 0.5, 1], [0.5, 0, 0.5], [1, 0.5, 0]])
    assert found.total == pytest.approx(2 / 3)
    assert improved(space, {"c": found})["c"].scale == pytest.approx(2 / 3)


def test_conditional_parameters_are_measured_where_they_exist():
    space = Space(
        "s",
        (
            Enum("class", ("ped", "car", "bus")),
            Enum("roof", ("none", "box"), condition=("class", ("car", "bus"))),
            Real("height", 0, 1, condition=("roof", ("box",))),
        ),
    )

    def render(values, seed):
        assert values["class"] in ("car", "bus")
        assert values["roof"] == "box"
        return np.full((8, 8), values["height"])

    # The noise test renders the base configurations as they are, so it is left out here.
    def all_of(requests):
        return [render(v, s) if i >= 16 * 3 else np.zeros((8, 8)) for i, (v, s) in enumerate(requests)]

    found = measure(space, render, parameters=["height"], render_all=all_of)["height"]
    assert found.total == pytest.approx(1.0)


def test_a_profile_that_depends_on_another_parameter_is_named():
    space = Space("s", (Real("x", 0, 1), Real("which", 0, 1), Real("other", 0, 1)))

    def bump(values, seed):
        x = values["x"]
        return np.full((8, 8), x**3 if values["which"] > 0.5 else 1 - (1 - x) ** 3)

    found = measure(space, bump, parameters=["x"])["x"]
    correlations = dependence(space, found)
    assert correlations["which"] < -0.7
    assert correlations["other"] > 0.7


def test_several_metrics_share_the_pictures():
    count = 0

    def counting(values, seed):
        nonlocal count
        count += 1
        return disc(values, seed)

    found = measure_many(DISTANCE, counting, parameters=["r"], bases=2, grid=4, repeats=1)
    assert count == 2 * 2 + 2 * 5
    assert set(found) == {"rmse", "dssim"}


def test_rendering_in_bulk_is_the_same():
    one = measure(DISTANCE, disc, bases=3)
    other = measure(DISTANCE, disc, bases=3, render_all=lambda requests: (disc(*request) for request in requests))
    for name in one:
        np.testing.assert_array_equal(one[name].distances, other[name].distances)


def test_errors():
    for make, words in (
        (lambda: measure(DISTANCE, disc, metric="psnr"), "no metric 'psnr'"),
        (lambda: measure(DISTANCE, disc, parameters=["q"]), "no free parameter"),
        (lambda: measure(DISTANCE, disc, bases=1), "too few"),
        (lambda: measure(DISTANCE, disc, render_all=lambda requests: []), "fewer pictures"),
        (lambda: measure(DISTANCE, lambda v, s: np.full((8, 8), np.nan)), "not finite"),
        (lambda: measure(DISTANCE, lambda v, s: np.zeros((8, 8 + (v["r"] > 10)))), "differ in shape"),
        (lambda: measure(DISTANCE, lambda v, s: np.zeros((8, 8)), metric="dssim"), "11 x 11"),
    ):
        with pytest.raises(SpaceError, match=words):
            make()


# ---- distances of pictures


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3)])
def test_dssim_is_scikit_images(shape):
    metrics = pytest.importorskip("skimage.metrics")
    rng = np.random.default_rng(1)
    a = np.cumsum(rng.random(shape), axis=1) % 1.0
    b = np.clip(a + rng.normal(0, 0.1, shape), 0, 1)
    options = {"channel_axis": 2} if len(shape) == 3 else {}
    theirs = metrics.structural_similarity(
        a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0, **options
    )
    assert dssim(a, b) == pytest.approx((1 - theirs) / 2, abs=1e-9)


def test_distances_by_hand():
    black, white = np.zeros((16, 16), np.uint8), np.full((16, 16), 255, np.uint8)
    half = white.copy()
    half[:8] = 0
    assert rmse(black, white) == mse(black, white) == 1.0
    assert mse(black, half) == 0.5
    assert rmse(black, half) == pytest.approx(np.sqrt(0.5))
    # Means 0 and 1, no variance: SSIM = C1/(1 + C1).
    assert dssim(black, white) == pytest.approx((1 - 1e-4 / (1 + 1e-4)) / 2)
    for metric in METRICS.values():
        assert metric.distance(metric.prepare(half), metric.prepare(half)) == 0.0


def test_a_remap_survives_the_audit_of_one_that_has_one_already():
    space = Space("s", (Real("r", NEAR, FAR, remap=Remap((NEAR, 6.0, FAR), (0, 0.5, 1))),))
    found = measure(space, brightness, grid=64)["r"]
    np.testing.assert_allclose(remap(found).forward(R), by_inverse_square(R), atol=0.01)

"""The contract of all samplers, on a space with every kind of parameter."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sampling_spaces import MIXED, PLAIN
from scipy.stats import qmc

from foundation.seeds import generator
from scenarios.sampling import (
    SAMPLERS,
    BalancedSampler,
    ConfusionSampler,
    ImportanceSampler,
    LatinHypercubeSampler,
    MixtureSampler,
    NominalSampler,
    Outcome,
    PairedSampler,
    SobolSampler,
    Space,
    SpaceError,
    StateError,
    Trial,
    UniformSampler,
    restore,
    trial_at,
)


def wide(space, seed, **options):
    """Kernels wide enough that quadrature with a fixed set of points can integrate them."""
    return ImportanceSampler(space, seed, least_width=0.12, **options)


def mixture(space, seed):
    near = wide(space, seed, prefix="near")
    parts = [
        (UniformSampler(space, seed), 0.25),
        (wide(space, seed), 0.25),
        (ConfusionSampler(space, seed, class_parameter="class"), 0.2),
        (PairedSampler(space, seed, varied="class", by_confusion=True, base=near), 0.3),
    ]
    return MixtureSampler(space, seed, parts=parts)


MAKERS = {
    "uniform": UniformSampler,
    "nominal": NominalSampler,
    "latin_hypercube": LatinHypercubeSampler,
    "sobol": SobolSampler,
    "balanced": lambda s, seed: BalancedSampler(s, seed, class_parameter="class"),
    "confusion": lambda s, seed: ConfusionSampler(s, seed, class_parameter="class"),
    "importance": lambda s, seed: wide(s, seed),
    "importance of nominal": lambda s, seed: wide(s, seed, base="nominal", bandwidth="silverman"),
    "importance knn": lambda s, seed: wide(s, seed, model="knn", optimism=0.5),
    "paired": lambda s, seed: PairedSampler(s, seed, varied="class"),
    "paired number": lambda s, seed: PairedSampler(s, seed, varied="distance", base=wide(s, seed, prefix="b")),
    "paired integer": lambda s, seed: PairedSampler(s, seed, varied="people", base=NominalSampler(s, seed)),
    "paired of nominal": lambda s, seed: PairedSampler(s, seed, varied="class", base=NominalSampler(s, seed)),
    "paired confused near failures": lambda s, seed: PairedSampler(
        s, seed, varied="class", by_confusion=True, base=wide(s, seed, prefix="b")
    ),
    "paired of confusion": lambda s, seed: PairedSampler(
        s, seed, varied="class", by_confusion=True, base=ConfusionSampler(s, seed, class_parameter="class")
    ),
    "mixture": mixture,
}
every = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
CUBE = MIXED.points(qmc.Sobol(MIXED.dimension, seed=3).random(2**15))


def verdict(trial):
    """Cyclists far away are taken for pedestrians, a tenth of the rest for something at random."""
    rng = generator(trial.seed, "verdict")
    truth = trial.values["class"]
    wrong = (truth == "cyc" and trial.values["distance"] > 20) or rng.random() < 0.1
    other = "ped" if truth != "ped" else "cyc"
    return Outcome(truth, other if wrong else truth, loss=float(rng.random()), valid=rng.random() > 0.05)


def taught(make, seed=1, batches=3):
    sampler = make(MIXED, seed)
    for _ in range(batches):
        for trial in sampler.suggest(40):
            sampler.record(trial, verdict(trial))
    return sampler


def test_the_registry_has_them_all():
    assert {"uniform", "latin_hypercube", "sobol", "balanced", "confusion", "importance", "paired", "mixture"} <= set(
        SAMPLERS
    )
    # Packages above may register more of their own, when they were imported before.
    own = {name for name, kind in SAMPLERS.items() if kind.__module__.startswith("scenarios.sampling")}
    assert {make(MIXED, 0).name for make in MAKERS.values()} == own


@every
def test_trials_are_points_of_the_space_with_both_densities(make):
    sampler = taught(make)
    trials = sampler.suggest(60)
    assert len({t.id for t in trials}) == 60
    points = MIXED.points([t.unit for t in trials])
    assert MIXED.values_of(points) == [t.values for t in trials]
    np.testing.assert_allclose(MIXED.densities(points), [t.p0 for t in trials])
    np.testing.assert_allclose(sampler.density(points), [t.q for t in trials])
    assert all(Trial.from_dict(json.loads(json.dumps(t.to_dict()))) == t for t in trials)


@every
def test_q_is_a_density(make):
    sampler = taught(make)
    sampler.suggest(100)
    assert sampler.density(CUBE).mean() == pytest.approx(1.0, abs=0.02)


@every
def test_draws_follow_q(make):
    """Means of functions over draws agree with their integrals against q."""
    sampler = taught(make)
    trials = sampler.suggest(1000)
    drawn = MIXED.points([t.unit for t in trials])

    def moments(points):
        u, active = points.unit, points.active
        one_hot = np.eye(3)[MIXED["class"].index(u[:, 0])]
        parts = [u, u[:, 1:4] ** 2, one_hot, one_hot * u[:, 1:2], active[:, 4:], u[:, 1:2] * u[:, 2:3]]
        return np.concatenate(parts, axis=1)

    found = moments(drawn)
    expected = np.mean(moments(CUBE) * sampler.density(CUBE)[:, None], axis=0)
    # Trials of one batch are never more spread than independent ones, but halves of a pair are alike.
    error = found.std(axis=0) * np.sqrt(2.0 / len(trials)) + 0.01
    assert np.all(np.abs(found.mean(axis=0) - expected) < 4.5 * error)


@every
@settings(max_examples=5, suppress_health_check=list(HealthCheck), deadline=None)
@given(batches=st.lists(st.integers(0, 9), max_size=3), more=st.integers(1, 6), seed=st.integers(0, 2**40))
def test_a_restored_sampler_continues_exactly(make, batches, more, seed):
    sampler = make(MIXED, seed)
    for n in batches:
        for trial in sampler.suggest(2 * n):
            sampler.record(trial, verdict(trial))
    pending = sampler.suggest(4)
    stored = json.loads(json.dumps(sampler.state()))
    again = restore(Space.from_dict(json.loads(json.dumps(MIXED.to_dict()))), stored)
    assert again.state() == sampler.state()
    for trial in pending:
        sampler.record(trial, verdict(trial))
        again.record(trial, verdict(trial))
    for _ in range(2):
        ours, theirs = sampler.suggest(2 * more), again.suggest(2 * more)
        assert ours == theirs
        for trial in ours:
            sampler.record(trial, verdict(trial))
            again.record(trial, verdict(trial))
    assert again.state() == sampler.state()


@every
def test_same_seed_same_trials_and_others_differ(make):
    assert make(MIXED, 5).suggest(10) == make(MIXED, 5).suggest(10)
    assert make(MIXED, 5).suggest(10) != make(MIXED, 6).suggest(10)


@every
def test_a_state_from_elsewhere_is_refused(make):
    sampler = make(MIXED, 0)
    state = sampler.state()
    with pytest.raises(StateError, match="another space"):
        type(sampler).restore(MIXED.fixed({"people": 2}), state)
    with pytest.raises(StateError, match="version 99"):
        type(sampler).restore(MIXED, {**state, "version": 99})
    with pytest.raises(StateError, match="damaged"):
        type(sampler).restore(MIXED, {k: v for k, v in state.items() if k != "count"})
    with pytest.raises(StateError, match="not"):
        type(sampler).restore(MIXED, {**state, "sampler": "other"})
    with pytest.raises(StateError):
        restore(MIXED, {"sampler": "unheard of"})


@every
def test_a_trial_of_another_space_is_refused(make):
    foreign = UniformSampler(PLAIN, 0).suggest(1)[0]
    with pytest.raises(SpaceError, match="another space"):
        make(MIXED, 0).record(foreign, Outcome("ped"))


@every
@pytest.mark.parametrize("n", [-1, 2.5, True, "3"])
def test_what_is_no_number_of_trials_is_refused(make, n):
    with pytest.raises(SpaceError, match="no number of trials"):
        make(MIXED, 0).suggest(n)


@every
def test_nothing_asked_nothing_changed(make):
    sampler = make(MIXED, 0)
    before = sampler.state()
    assert sampler.suggest(0) == []
    assert sampler.state() == before


def test_a_space_without_axes_is_sampled_too():
    space = PLAIN.fixed({"class": "a", "x": 0.1, "y": 0.2})
    for cls in (UniformSampler, NominalSampler, LatinHypercubeSampler, SobolSampler, ImportanceSampler):
        trials = cls(space, 0).suggest(3)
        assert [(t.values["x"], t.q, t.p0) for t in trials] == [(0.1, 1.0, 1.0)] * 3


def test_a_latin_hypercube_has_one_trial_in_each_slice():
    units = np.array([t.unit for t in LatinHypercubeSampler(PLAIN, 2).suggest(30)])
    for axis in (1, 2):
        assert sorted((units[:, axis] * 30).astype(int)) == list(range(30))
    assert np.bincount((units[:, 0] * 3).astype(int)).tolist() == [10, 10, 10]


def test_sobol_is_one_sequence_through_all_calls():
    space = Space("s", PLAIN.parameters[1:])
    one, other = SobolSampler(space, 4), SobolSampler(space, 4)
    assert one.suggest(64) == other.suggest(5) + other.suggest(20) + other.suggest(39)
    units = np.array([t.unit for t in SobolSampler(space, 4).suggest(64)])
    # A (0, 6, 2) net: one point in each of 64 boxes of every elementary shape.
    for columns in (1, 2, 4, 8, 16, 32, 64):
        boxes = (units[:, 0] * columns).astype(int) * (64 // columns) + (units[:, 1] * 64 // columns).astype(int)
        assert len(set(boxes)) == 64


def test_nominal_draws_have_the_nominal_distribution():
    trials = NominalSampler(MIXED, 9).suggest(4000)
    assert all(t.q == t.p0 for t in trials)
    classes = [t.values["class"] for t in trials]
    assert classes.count("car") / 4000 == pytest.approx(0.6, abs=0.03)
    assert np.mean([t.values["people"] == 0 for t in trials]) == pytest.approx(
        float(MIXED["people"].masses()[0]), abs=0.03
    )


def test_a_trial_made_by_hand_can_be_recorded():
    values = {"class": "b", "x": 0.25, "y": 0.75}
    trial = trial_at(PLAIN, values, id="case 1", seed=7)
    assert trial.unit == pytest.approx((0.5, 0.25, 0.75))
    sampler = ImportanceSampler(PLAIN, 0)
    sampler.record(trial, Outcome("b", "c"))
    assert sampler.kernels() is not None


def test_a_later_outcome_of_a_trial_replaces_the_earlier():
    sampler = ConfusionSampler(PLAIN, 0, class_parameter="class")
    trial = sampler.suggest(1)[0]
    sampler.record(trial, Outcome("a", "b"))
    sampler.record(trial, Outcome("a", "c"))
    assert sampler.confusions.counts().tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_losses_must_be_numbers():
    for loss in (float("nan"), -1.0, float("inf")):
        with pytest.raises(SpaceError, match="loss"):
            Outcome("a", "b", loss)

import numpy as np
import pytest
from sampling_spaces import MIXED, PLAIN

from scenarios.sampling import (
    BalancedSampler,
    ConfusionSampler,
    ImportanceSampler,
    MixtureSampler,
    NominalSampler,
    Outcome,
    PairedSampler,
    SobolSampler,
    SpaceError,
    UniformSampler,
)


def pairs(trials):
    return list(zip(trials[::2], trials[1::2]))


@pytest.mark.parametrize("varied", ["class", "distance", "heading", "people"])
def test_halves_differ_in_one_parameter_and_what_depends_on_it(varied):
    depends = {"stride", "roof", "box height"} if varied == "class" else set()
    for first, second in pairs(PairedSampler(MIXED, 1, varied=varied).suggest(400)):
        assert first.seed == second.seed
        assert second.parent == first.id
        assert first.parent is None
        assert first.varied == second.varied == varied
        assert first.values[varied] != second.values[varied]
        names = set(first.values) | set(second.values)
        changed = {n for n in names if first.values.get(n) != second.values.get(n)}
        assert changed - depends == {varied}
        # A parameter that exists in both keeps its value.
        for name in depends & set(first.values) & set(second.values):
            assert first.values[name] == second.values[name]


def test_without_conditions_exactly_one_entry_differs():
    for first, second in pairs(PairedSampler(PLAIN, 1, varied="class", base=SobolSampler(PLAIN, 1)).suggest(100)):
        assert {n for n in first.values if first.values[n] != second.values[n]} == {"class"}
        assert first.q == second.q == 1.0


def test_what_only_the_second_half_has_is_drawn():
    strides = [
        second.values["stride"]
        for first, second in pairs(PairedSampler(MIXED, 1, varied="class").suggest(2000))
        if "stride" not in first.values
    ]
    assert len(strides) > 100
    assert np.std(strides) == pytest.approx(np.sqrt(1 / 12), abs=0.03)


def test_every_other_choice_is_as_likely():
    seen = [
        (a.values["class"], b.values["class"]) for a, b in pairs(PairedSampler(PLAIN, 1, varied="class").suggest(6000))
    ]
    for pair in [(a, b) for a in "abc" for b in "abc" if a != b]:
        assert seen.count(pair) / 3000 == pytest.approx(1 / 6, abs=0.03)


def test_confused_classes_are_paired():
    sampler = PairedSampler(PLAIN, 1, varied="class", by_confusion=True)
    for t in UniformSampler(PLAIN, 2).suggest(300):
        truth = t.values["class"]
        sampler.record(t, Outcome(truth, {"a": "b", "b": "a", "c": "c"}[truth]))
    exchange = sampler.exchanges()
    smooth = sampler._confusions.smoothed()
    expected = (smooth[0, 1] + smooth[1, 0]) / (smooth[0, 1] + smooth[1, 0] + smooth[0, 2] + smooth[2, 0])
    assert exchange[0, 1] == pytest.approx(expected)
    assert exchange[0, 1] > 0.95
    assert np.all(np.diag(exchange) == 0.0)
    sampler.forget()
    np.testing.assert_allclose(sampler.exchanges()[0], [0, 0.5, 0.5])


def test_the_density_of_second_halves_by_hand():
    """First halves nominal with class weights 3, 1, 6 of 10: the second is ped in (1 + 6)/20 of the pairs."""
    space = MIXED.fixed({"distance": 10, "heading": 0, "people": 1})
    sampler = PairedSampler(space, 1, varied="class", base=NominalSampler(space, 1))
    trials = sampler.suggest(2)
    points = sampler.space.points(np.random.default_rng(0).random((20000, sampler.space.dimension)))
    ped = sampler.space["class"].index(points.unit[:, 0]) == 0
    second = sampler._second_density(points)
    assert np.mean(second * ped) == pytest.approx((0.1 + 0.6) / 2, abs=0.01)
    assert np.mean(second) == pytest.approx(1.0, abs=0.02)
    assert trials[0].q > 0


def test_what_cannot_be_paired_is_refused():
    for make, words in (
        (lambda: PairedSampler(PLAIN, varied="class").suggest(3), "even number"),
        (lambda: PairedSampler(PLAIN, varied="q"), "no free parameter"),
        (lambda: PairedSampler(MIXED, varied="stride"), "some samples have no pair"),
        (lambda: PairedSampler(PLAIN, varied="x", by_confusion=True), "only classes are confused"),
        (lambda: PairedSampler(PLAIN, varied="class", base=UniformSampler(MIXED)), "another space"),
        (
            lambda: PairedSampler(PLAIN, varied="class", base=BalancedSampler(PLAIN, class_parameter="class")),
            "cannot be the base",
        ),
    ):
        with pytest.raises(SpaceError, match=words):
            make()


# ---- mixtures


def test_a_mixtures_q_is_the_weighted_sum_of_its_parts():
    near = ImportanceSampler(PLAIN, 3)
    confused = ConfusionSampler(PLAIN, 3, class_parameter="class")
    for t in UniformSampler(PLAIN, 2).suggest(200):
        truth = t.values["class"]
        for part in (near, confused):
            part.record(t, Outcome(truth, "b" if truth == "a" and t.values["x"] > 0.7 else truth))
    parts = [(UniformSampler(PLAIN, 3), 1.0), (near, 2.0), (confused, 1.0)]
    trials = MixtureSampler(PLAIN, 3, parts=parts).suggest(100)
    points = PLAIN.points([t.unit for t in trials])
    expected = 0.25 + 0.5 * near.density(points) + 0.25 * confused.density(points)
    np.testing.assert_allclose([t.q for t in trials], expected)
    names = [t.sampler for t in trials]
    assert [names.count(n) for n in ("uniform", "importance", "confusion")] == [25, 50, 25]


def mixture(paired_share):
    parts = [(UniformSampler(PLAIN, 3), 0.6 * (1 - paired_share)), (NominalSampler(PLAIN, 3), 0.4 * (1 - paired_share))]
    return MixtureSampler(PLAIN, 8, parts=[*parts, (PairedSampler(PLAIN, 3, varied="class"), paired_share)])


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10])
def test_shares_hold_in_expectation_for_every_batch_size(n):
    sampler = mixture(0.3)
    batches = [sampler.suggest(n) for _ in range(800 // n)]
    names = [t.sampler for batch in batches for t in batch]
    expected = sampler._shares
    for name, share in zip(("uniform", "nominal", "paired"), expected):
        assert names.count(name) / len(names) == pytest.approx(share, abs=0.06)
    if n >= 2:
        np.testing.assert_allclose(expected, [0.42, 0.28, 0.3])
    else:
        np.testing.assert_allclose(expected, [0.6, 0.4, 0.0])
    assert all(sum(t.sampler == "paired" for t in batch) % 2 == 0 for batch in batches)


def test_a_mixture_passes_outcomes_to_all_parts():
    near, confused = ImportanceSampler(PLAIN, 3), ConfusionSampler(PLAIN, 3, class_parameter="class")
    sampler = MixtureSampler(PLAIN, 3, parts=[(near, 1), (confused, 1)])
    sampler.record(sampler.suggest(1)[0], Outcome("a", "b"))
    assert len(near.records) == len(confused.confusions.records) == 1
    sampler.forget()
    assert len(near.records) == len(confused.confusions.records) == 0


def test_wrong_mixtures_are_refused():
    one = UniformSampler(PLAIN)
    for parts, words in (
        ([(one, 0.0)], "add up to 0"),
        ([(one, 1.0), (UniformSampler(PLAIN), 1.0)], "prefix"),
        ([(one, float("nan"))], "weights"),
        ([(UniformSampler(MIXED), 1.0)], "another space"),
        ([], "add up to 0"),
        ([(MixtureSampler(PLAIN, parts=[(one, 1.0)]), 1.0)], "flatten"),
    ):
        with pytest.raises(SpaceError, match=words):
            MixtureSampler(PLAIN, parts=parts)

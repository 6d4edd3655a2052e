import numpy as np
import pytest
from sampling_spaces import MIXED, PLAIN
from scipy.stats import qmc

from scenarios.sampling import BalancedSampler, ConfusionSampler, Outcome, SpaceError, UniformSampler


def requested(trials):
    return {c: sum(t.values["class"] == c for t in trials) for c in PLAIN.classes("class")}


def test_deficits_by_the_formula():
    sampler = BalancedSampler(PLAIN, 0, class_parameter="class")
    trials = {c: [t for t in UniformSampler(PLAIN, 1).suggest(200) if t.values["class"] == c] for c in "abc"}
    for t in trials["a"][:20]:
        sampler.record(t, Outcome("a"))
    for i, t in enumerate(trials["b"][:19]):
        sampler.record(t, Outcome("b", valid=i < 4))
    assert sampler.have() == {"a": 20, "b": 4, "c": 0}
    assert sampler.realised() == pytest.approx({"a": 1.0, "b": 5 / 20, "c": 1.0})
    # max(0, target - have)/P(label | request)
    assert sampler.requests(10) == pytest.approx({"a": 0.0, "b": 6 * 4, "c": 10})
    # 34 requests are what brings b and c to 10 labels; a has more already.
    assert requested(sampler.suggest(34)) == {"a": 0, "b": 24, "c": 10}


def test_realised_labels_become_equal_although_one_class_is_mostly_hidden():
    sampler = BalancedSampler(PLAIN, 3, class_parameter="class")
    rng = np.random.default_rng(0)
    for _ in range(20):
        for t in sampler.suggest(30):
            c = t.values["class"]
            sampler.record(t, Outcome(c, valid=bool(c != "b" or rng.random() < 0.25)))
    have = sampler.have()
    assert max(have.values()) - min(have.values()) <= 8
    assert sum(have.values()) > 200


def test_what_is_under_way_counts():
    sampler = BalancedSampler(PLAIN, 3, class_parameter="class")
    assert requested(sampler.suggest(3)) == {"a": 1, "b": 1, "c": 1}
    assert requested(sampler.suggest(3)) == {"a": 1, "b": 1, "c": 1}


def test_labels_other_than_asked_for_count_where_they_fall():
    sampler = BalancedSampler(PLAIN, 3, class_parameter="class")
    for t in sampler.suggest(9):
        sampler.record(t, Outcome("a"))
    assert sampler.have() == {"a": 9, "b": 0, "c": 0}
    assert requested(sampler.suggest(8)) == {"a": 0, "b": 4, "c": 4}


def test_the_density_is_the_share_over_the_cell():
    sampler = BalancedSampler(PLAIN, 3, class_parameter="class")
    for t in sampler.suggest(9):
        sampler.record(t, Outcome("a"))
    assert [t.q for t in sampler.suggest(8)] == pytest.approx([1.5] * 8)


def test_near_duplicates_are_drawn_again_and_counted():
    sampler = BalancedSampler(PLAIN, 3, class_parameter="class", min_distance=0.15)
    trials = sampler.suggest(30) + sampler.suggest(30)
    assert sampler.rejections > 0
    for c in "abc":
        own = [t for t in trials if t.values["class"] == c]
        gaps = [PLAIN.distance(a.values, b.values) for i, a in enumerate(own) for b in own[:i]]
        assert min(gaps) >= 0.15
    # The density is that of what is left of the square: integrate it where draws are allowed.
    second = trials[30:]
    cube = PLAIN.points(qmc.Sobol(3, seed=0).random(2**14))
    first = PLAIN.points([t.unit for t in trials[:30]])
    places, taken = PLAIN.embedding(cube), PLAIN.embedding(first)
    free = np.min(np.linalg.norm(places[:, None] - taken[None], axis=2), axis=1) >= 0.15
    assert second[0].q > 1.0
    assert np.mean(sampler.density(cube) * free) == pytest.approx(1.0, abs=0.02)
    with pytest.raises(SpaceError, match="no room left"):
        BalancedSampler(PLAIN, 3, class_parameter="class", min_distance=0.9).suggest(30)


def sampler_with_matrix(matrix, **options):
    sampler = ConfusionSampler(PLAIN, 0, class_parameter="class", **options)
    pool = iter(UniformSampler(PLAIN, 5).suggest(400))
    for a, row in zip(sampler.confusions.labels, matrix):
        for b, count in zip(sampler.confusions.labels, row):
            for _ in range(count):
                sampler.record(next(pool), Outcome(a, b))
    return sampler


def test_confusion_scores_by_hand():
    # a is called b in 5 of 10; b is called a in 2 of 9; c is always right in 4.
    sampler = sampler_with_matrix([[5, 5, 0], [2, 7, 0], [0, 0, 4]])
    smooth = np.array([[5 + 1 / 3, 5 + 1 / 3, 1 / 3], [2 + 1 / 3, 7 + 1 / 3, 1 / 3], [1 / 3, 1 / 3, 4 + 1 / 3]])
    smooth /= np.array([[11], [10], [5]])
    np.testing.assert_allclose(sampler.confusions.smoothed(), smooth)
    s_ab, s_ac, s_bc = smooth[0, 1] + smooth[1, 0], smooth[0, 2] + smooth[2, 0], smooth[1, 2] + smooth[2, 1]
    total = s_ab + s_ac + s_bc
    shares = sampler.pair_shares()
    assert shares == pytest.approx({("a", "b"): s_ab / total, ("a", "c"): s_ac / total, ("b", "c"): s_bc / total})
    expected_a = 0.25 / 3 + 0.75 * 0.5 * (s_ab + s_ac) / total
    assert sampler.shares()[0] == pytest.approx(expected_a)
    trials = sampler.suggest(1000)
    assert requested(trials)["a"] / 1000 == pytest.approx(expected_a, abs=0.005)
    own = [t.q for t in trials if t.values["class"] == "a"]
    assert own == pytest.approx([3 * expected_a] * len(own))


def test_gamma_sharpens_and_zero_is_indifferent():
    matrix = [[5, 5, 0], [2, 7, 0], [0, 0, 4]]
    sharp = sampler_with_matrix(matrix, gamma=3.0).pair_shares()["a", "b"]
    flat = sampler_with_matrix(matrix, gamma=0.0).pair_shares()["a", "b"]
    assert flat == pytest.approx(1 / 3)
    assert sharp > sampler_with_matrix(matrix).pair_shares()["a", "b"] > flat


def test_without_verdicts_it_is_uniform():
    sampler = ConfusionSampler(PLAIN, 0, class_parameter="class")
    np.testing.assert_allclose(sampler.shares(), 1 / 3)


def test_misses_and_false_positives_have_a_label_of_their_own():
    sampler = sampler_with_matrix([[1, 0, 0, 9], [0, 9, 0, 0], [0, 0, 9, 0], [0, 0, 0, 0]], background="background")
    assert sampler.confusions.labels == ("a", "b", "c", "background")
    assert sampler.shares()[0] == max(sampler.shares())
    assert sampler.shares().sum() == pytest.approx(1.0)
    with pytest.raises(SpaceError, match="'dog' is no class"):
        sampler.record(UniformSampler(PLAIN, 8).suggest(1)[0], Outcome("a", "dog"))


def test_forgetting():
    sampler = sampler_with_matrix([[5, 5, 0], [2, 7, 0], [0, 0, 4]])
    sampler.forget()
    np.testing.assert_allclose(sampler.shares(), 1 / 3)


def test_wrong_options_are_refused():
    for make, words in (
        (lambda: BalancedSampler(PLAIN, class_parameter="x"), "no classes"),
        (lambda: BalancedSampler(PLAIN, class_parameter="q"), "no free parameter"),
        (lambda: BalancedSampler(MIXED, class_parameter="roof"), "only for some choices"),
        (lambda: ConfusionSampler(PLAIN, class_parameter="class", gamma=-1), "gamma"),
        (lambda: ConfusionSampler(PLAIN, class_parameter="class", uniform_share=1.5), "uniform_share"),
    ):
        with pytest.raises(SpaceError, match=words):
            make()

import numpy as np
import pytest
from scipy.stats import binomtest

from learning.loop import evaluation, weakness
from learning.loop.evaluation import Rate

CLASSES = ("car", "person", "sign")


def world(rng, count=900, planted=True):
    """Samples of three classes; persons beyond 18 m under a low sun are missed, everything else seldom."""
    truth = rng.integers(0, 3, count)
    distance, altitude, noise = rng.uniform(4, 30, count), rng.uniform(-5, 60, count), rng.normal(0, 1, count)
    kind = rng.choice(["left", "right"], count)
    rate = np.where(truth == 2, 0.15, 0.06)
    if planted:
        rate = np.where((truth == 1) & (distance > 18) & (altitude < 20), 0.7, rate)
    predicted = np.where(rng.random(count) < rate, (truth + 1) % 3, truth)
    columns = [
        weakness.Column("distance", "m", numbers=distance),
        weakness.Column("sun_altitude", "deg", numbers=altitude),
        weakness.Column("noise", numbers=noise),
        weakness.Column("side", choices=kind),
    ]
    return columns, truth, predicted


def test_a_planted_weakness_is_found_and_said_in_words():
    columns, truth, predicted = world(np.random.default_rng(3))
    regions = weakness.find_regions(columns, truth, predicted, CLASSES, seed=0)
    first = regions[0]
    assert first.label == "person"
    assert {c.name for c in first.conditions} == {"distance", "sun_altitude"}
    by_name = {c.name: c for c in first.conditions}
    assert by_name["distance"].low == pytest.approx(18.0, abs=3.0)
    assert by_name["distance"].high is None
    assert by_name["sun_altitude"].high == pytest.approx(20.0, abs=6.0)
    words = first.words()
    assert words.startswith("person with ")
    assert "distance above" in words
    assert "sun altitude below" in words
    assert "taken for sign" in words
    # What is said can be counted again from what is said.
    table = {c.name: c for c in columns}
    inside = np.all([c.holds(table) for c in first.conditions], axis=0) & (truth == 1)
    assert first.rate == Rate(int((truth != predicted)[inside].sum()), int(inside.sum()))


def test_chance_is_seldom_called_a_weakness():
    # One named region in twenty worlds without any is the promise; three would have probability 0.08 at that rate.
    named = sum(
        bool(weakness.find_regions(*world(np.random.default_rng(seed), planted=False), CLASSES, seed=0))
        for seed in range(20)
    )
    assert named <= 3


def test_a_class_that_is_difficult_everywhere_is_no_region():
    rng = np.random.default_rng(1)
    columns, truth, _ = world(rng, planted=False)
    predicted = np.where(rng.random(len(truth)) < np.where(truth == 1, 0.6, 0.02), (truth + 1) % 3, truth)
    assert weakness.find_regions(columns, truth, predicted, CLASSES, seed=0) == []
    matrix = evaluation.confusion_matrix(truth, predicted, 3)
    (sentence,) = evaluation.weak_classes(matrix, CLASSES)
    assert sentence.startswith("person: error ")
    assert "100 % of its errors are taken for sign" in sentence


@pytest.mark.parametrize("errors", [0, 900])
def test_nothing_or_everything_wrong_has_no_regions(errors):
    columns, truth, _ = world(np.random.default_rng(0))
    predicted = truth.copy()
    predicted[:errors] = (truth[:errors] + 1) % 3
    assert weakness.find_regions(columns, truth, predicted, CLASSES, seed=0) == []


def test_parameters_that_exist_only_sometimes_are_no_reason_outside():
    columns, truth, predicted = world(np.random.default_rng(3))
    distance = columns[0].numbers.copy()
    distance[truth == 0] = np.nan
    columns[0] = weakness.Column("distance", "m", numbers=distance)
    condition = weakness.Condition("distance", "m", low=5.0)
    assert not condition.holds({"distance": columns[0]})[truth == 0].any()
    assert weakness.find_regions(columns, truth, predicted, CLASSES, seed=0)[0].label == "person"


@pytest.mark.parametrize(("wrong", "count"), [(0, 10), (5, 10), (3, 200), (50, 50)])
def test_intervals_are_wilsons_as_scipy_has_them(wrong, count):
    theirs = binomtest(wrong, count).proportion_ci(0.95, method="wilson")
    assert Rate(wrong, count).interval == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_confusion_matrix_by_hand():
    truth, predicted = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 2, 0])
    matrix = evaluation.confusion_matrix(truth, predicted, 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [2, 0, 1]]
    assert [r.value for r in evaluation.class_errors(matrix)] == pytest.approx([1 / 2, 0, 2 / 3])
    assert evaluation.mean_error(matrix) == pytest.approx((1 / 2 + 0 + 2 / 3) / 3)
    assert evaluation.mean_error(np.array([[4, 0], [0, 0]])) == 0.0

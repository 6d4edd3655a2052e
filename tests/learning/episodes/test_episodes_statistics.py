"""Rates and means, against published values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.episodes.statistics import mean, rate


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [  # R 4: binom.test(count, total)$conf.int
        (0, 10, 0.0, 0.3084971),
        (5, 10, 0.1870860, 0.8129140),
        (10, 10, 0.6915029, 1.0),
        (7, 20, 0.1539092, 0.5921885),
        (10, 100, 0.04900469, 0.17622260),
    ],
)
def test_interval_is_clopper_and_pearsons(count, total, low, high):
    result = rate([True] * count + [False] * (total - count))
    assert (result.low, result.high) == pytest.approx((low, high), abs=1e-6)
    assert result.value == count / total


@given(st.integers(1, 60), st.floats(0.02, 0.98))
def test_interval_covers_the_true_rate_at_least_as_often_as_it_says(total, truth):
    covered = sum(
        math.comb(total, k) * truth**k * (1 - truth) ** (total - k)
        for k in range(total + 1)
        if rate([True] * k + [False] * (total - k)).low <= truth <= rate([True] * k + [False] * (total - k)).high
    )
    assert covered >= 0.95 - 1e-9


def test_no_episode_has_no_rate():
    empty = rate([])
    assert math.isnan(empty.value)
    assert (empty.low, empty.high) == (0.0, 1.0)
    assert str(empty) == "no episode"


def test_mean_leaves_out_what_does_not_exist():
    result = mean([1.0, None, 3.0, float("nan")])
    assert result.value == 2.0
    assert result.total == 2
    assert result.standard_error == pytest.approx(np.std([1, 3], ddof=1) / np.sqrt(2))


def test_confidence_must_be_a_probability():
    with pytest.raises(ValueError, match=r"1\.5"):
        rate([True], 1.5)

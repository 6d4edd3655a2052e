"""Who people are: populations against the published figures, and properties of controllers."""

from __future__ import annotations

import numpy as np
import pytest

from behavior import AgeClass, aeb_options, pedestrian_options, sample
from foundation.errors import InputError
from foundation.seeds import generator


def population(age: AgeClass, people: int = 3000) -> list:  # type: ignore[type-arg]
    return [sample(age, generator(n, "person")) for n in range(people)]


def test_walking_speeds_of_adults_are_weidmanns() -> None:
    speeds = np.array([p.walk_mps for p in population(AgeClass.ADULT)])
    assert speeds.mean() == pytest.approx(1.34, abs=0.02)
    assert speeds.std() == pytest.approx(0.26, abs=0.02)
    assert speeds.min() >= 0.4
    assert speeds.max() <= 2.2


def test_seniors_walk_as_gates_measured() -> None:
    """Mean 1.16 m/s, 15th percentile 0.92 m/s (Gates et al. 2006)."""
    speeds = np.array([p.walk_mps for p in population(AgeClass.SENIOR)])
    assert speeds.mean() == pytest.approx(1.16, abs=0.02)
    assert np.percentile(speeds, 15) == pytest.approx(0.92, abs=0.03)


def test_crossing_speed_of_the_young_is_knoblauchs() -> None:
    assert np.mean([p.crossing_mps for p in population(AgeClass.ADULT)]) == pytest.approx(1.51, abs=0.03)


def test_the_share_of_distracted_is_thompsons() -> None:
    share = np.mean([p.is_distracted for p in population(AgeClass.ADULT)])
    assert share == pytest.approx(0.298, abs=4 * np.sqrt(0.298 * 0.702 / 3000))


def test_children_run_as_children_do() -> None:
    speeds = np.array([p.run_mps for p in population(AgeClass.CHILD, 500)])
    assert 2.0 <= speeds.min() < speeds.max() <= 3.5


def test_a_given_value_is_kept_and_does_not_shift_the_others() -> None:
    drawn, fixed = sample(AgeClass.CHILD, generator(1, "x")), sample(AgeClass.CHILD, generator(1, "x"), run_mps=2.5)
    assert fixed.run_mps == 2.5
    assert (fixed.walk_mps, fixed.patience_s) == (drawn.walk_mps, drawn.patience_s)
    with pytest.raises(TypeError, match="wings"):
        sample(AgeClass.CHILD, generator(1, "x"), wings=2.0)


def test_properties_make_a_person() -> None:
    options = pedestrian_options(
        {"goalX": "3.5", "goalY": "-2", "age": "child", "runSpeed": "2.8", "impulsiveness": "1", "haste": "0.5"},
        generator(1, "p"),
    )
    assert options.goal_asam == (3.5, -2.0)
    assert options.profile.age is AgeClass.CHILD
    assert (options.profile.run_mps, options.profile.impulsiveness, options.haste) == (2.8, 1.0, 0.5)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"goalX": "1"}, "goalY"),
        ({"goalX": "1", "goalY": "2", "agee": "child"}, "agee"),
        ({"goalX": "1", "goalY": "2", "age": "baby"}, "baby"),
        ({"goalX": "one", "goalY": "2"}, "not a number"),
        ({"goalX": "1", "goalY": "2", "attention": "3"}, "within 0.0..1.0"),
        ({"goalX": "nan", "goalY": "2"}, "within"),
    ],
)
def test_wrong_properties_are_refused(properties: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pedestrian_options(properties, generator(1, "p"))


def test_properties_of_the_braking_driver() -> None:
    options = aeb_options({"brakeTtc": "1.7", "latency": "0.1"})
    assert (options.aeb.brake_ttc_s, options.aeb.latency_s, options.cruise_mps) == (1.7, 0.1, None)
    assert options.idm(12.0).desired_mps == 12.0
    assert aeb_options({"cruiseSpeed": "9"}).idm(12.0).desired_mps == 9.0
    with pytest.raises(InputError, match="brakeTTC"):
        aeb_options({"brakeTTC": "1.7"})

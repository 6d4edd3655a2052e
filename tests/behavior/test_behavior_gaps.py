"""Gap acceptance against the published percentiles it is fitted to, and against how decisions must not behave."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from street_world import ROAD, Street, car

from behavior import AgeClass, PedestrianAgent, Profile, Seen
from behavior.beliefs import Track
from behavior.gaps import acceptance, approaches, draw_offset_s, half_accepted_s, perceived_gap_s
from foundation.seeds import generator

ADULT = Profile()


@pytest.mark.parametrize(
    ("crossing_m", "gap_s", "share"),
    [
        (7.5, 4.0, 0.50),  # Pawar and Patil: critical gap 3.6-4.3 s on two lanes
        (7.5, 5.9, 0.95),  # Zhao et al. 2019
        (11.0, 9.6, 0.95),  # Zhao et al. 2019
    ],
)
def test_published_percentiles(crossing_m: float, gap_s: float, share: float) -> None:
    assert acceptance(gap_s, half_accepted_s(crossing_m, ADULT)) == pytest.approx(share, abs=0.005)


def test_drawn_thresholds_have_the_logits_distribution() -> None:
    """Of 4000 people facing a gap of 5 s on 7.5 m, as many accept as the curve says, within four standard errors."""
    rng = generator(3, "gaps")
    half, people = half_accepted_s(7.5, ADULT), 4000
    share = sum(half + draw_offset_s(rng) <= 5.0 for _ in range(people)) / people
    expected = acceptance(5.0, half)
    assert abs(share - expected) < 4.0 * math.sqrt(expected * (1.0 - expected) / people)


def test_the_old_want_more_and_waiting_wants_less() -> None:
    old = replace(ADULT, age=AgeClass.SENIOR)
    assert half_accepted_s(7.5, old) - half_accepted_s(7.5, ADULT) == pytest.approx(1.0)
    assert half_accepted_s(7.5, ADULT, 20.0) == pytest.approx(3.6)
    assert half_accepted_s(7.5, ADULT, 1e3) == pytest.approx(3.0)


def track(thing: Seen, acceleration: float = 0.0) -> Track:
    return Track(thing, 0.0, acceleration)


def test_arrival_is_from_the_front_of_the_car() -> None:
    (coming,) = approaches(ROAD, 0.0, [track(car(1, 42.25))], 0.0)
    assert coming.distance_m == pytest.approx(40.0)
    assert coming.arrival_s == pytest.approx(4.0)
    assert (coming.lane_near_m, coming.lane_far_m) == pytest.approx((0.65, 2.85))


def test_what_has_passed_or_drives_elsewhere_does_not_come() -> None:
    passed, beside = car(1, -10.0), car(2, 30.0, y=-6.0)
    assert approaches(ROAD, 0.0, [track(passed), track(beside)], 0.0) == []


def test_who_brakes_to_stop_before_the_line_yields() -> None:
    """10 m/s over 30 m: 2 m/s^2 stops in 25 m and yields, 1 m/s^2 needs 50 m and does not, 0.4 is no braking at all."""
    for braking, yields in ((2.0, True), (1.0, False), (0.4, False)):
        (coming,) = approaches(ROAD, 0.0, [track(car(1, 32.25), -braking)], 0.0)
        assert coming.yields is yields


def test_who_judges_by_distance_takes_short_gaps_of_fast_cars() -> None:
    """Lobjois and Cavallo: at higher speed the old accept shorter time gaps, because they go by distance."""
    child = replace(ADULT, distance_judgement=0.5)
    (slow,) = approaches(ROAD, 0.0, [track(car(1, 27.25, vx=-5.0))], 0.0)
    (fast,) = approaches(ROAD, 0.0, [track(car(1, 102.25, vx=-20.0))], 0.0)
    assert slow.arrival_s == pytest.approx(fast.arrival_s)
    assert perceived_gap_s(fast, child, 1.0) > perceived_gap_s(slow, child, 1.0)
    assert perceived_gap_s(fast, ADULT, 1.0) == pytest.approx(perceived_gap_s(slow, ADULT, 1.0))


@pytest.mark.parametrize("arrival_s", [4.0, 5.5])
def test_acceptance_does_not_depend_on_the_frame_rate(arrival_s: float) -> None:
    """The same 40 people decide alike at 10 and at 50 steps a second; drawn per frame, more would go at 50."""
    shares = []
    for dt_s in (0.1, 0.02):
        crossed = 0
        for person in range(40):
            agent = PedestrianAgent(ADULT, (0.0, 8.5), generator(person, "rate"))
            # The car arrives `arrival_s` after the look around is over, about 2.3 s from the start.
            street = Street(agent, [car(1, 10.0 * (arrival_s + 2.3) + 2.25)], y=-0.4, dt_s=dt_s)
            street.run(3.2)
            crossed += street.y > 0.0
        shares.append(crossed)
    assert abs(shares[0] - shares[1]) <= 4
    assert 0 < shares[0] < 40

"""Line of sight and what people notice, on scenes whose answer is plain geometry."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from street_world import car, parked

from behavior import Percept, Profile, Seen, Surroundings, line_of_sight
from behavior.beliefs import Traffic

CHILD_EYE = (0.0, -1.0, 1.0)
ADULT_EYE = (0.0, -1.0, 1.62)


def ids(seen: tuple[Seen, ...]) -> list[int]:
    return [thing.id for thing in seen]


def test_an_open_road_shows_everything_in_range() -> None:
    things = [car(1, 30.0), car(2, 60.0), car(3, 200.0)]
    assert ids(line_of_sight(ADULT_EYE, Surroundings.of(things), range_m=80.0)) == [1, 2]


def test_a_van_hides_the_car_behind_it() -> None:
    """The van stands between; without it the car is seen."""
    approaching = car(1, 30.0)
    van = parked(2, 4.0, -0.5, height=2.5, width=2.2)
    assert ids(line_of_sight(CHILD_EYE, Surroundings.of([approaching, van]))) == [2]
    assert ids(line_of_sight(CHILD_EYE, Surroundings.of([approaching]))) == [1]


def test_eyes_above_a_low_car_see_over_it() -> None:
    """Over a 1.4 m high car 4 m away an adult sees a lorry; a child with eyes at 1.0 m does not see a small car."""
    low = parked(2, 4.0, -1.0, height=1.4, width=3.0)
    lorry = Seen(1, low.kind, 40.0, -1.0, 1.75, -10.0, 0.0, 180.0, 6.0, 2.5, 3.5)
    small = Seen(3, low.kind, 40.0, -1.0, 0.6, -10.0, 0.0, 180.0, 4.0, 1.6, 1.2)
    assert 1 in ids(line_of_sight(ADULT_EYE, Surroundings.of([lorry, low])))
    assert 3 not in ids(line_of_sight(CHILD_EYE, Surroundings.of([small, low])))


def test_walls_hide_and_are_not_reported() -> None:
    wall = Surroundings.static([(5.0, -1.0, 1.5)], [(0.2, 8.0, 3.0)], [0.0])
    assert ids(line_of_sight(ADULT_EYE, Surroundings.of([car(1, 30.0)], wall))) == []


def test_an_observer_neither_sees_nor_hides_itself() -> None:
    me = Seen(7, car(0, 0).kind, 0.0, -1.0, 0.9, 0.0, 0.0, 0.0, 0.5, 0.5, 1.8)
    assert ids(line_of_sight(ADULT_EYE, Surroundings.of([me, car(1, 20.0)]), observer_id=7)) == [1]


@given(
    st.floats(-math.pi, math.pi),
    st.floats(10.0, 60.0),
    st.floats(-180.0, 180.0),
    st.floats(0.3, 0.7),
    st.floats(0.0, 180.0),
)
def test_a_big_wall_between_hides_whatever_the_angles(
    bearing: float, distance: float, yaw: float, share: float, wall_yaw: float
) -> None:
    """A tower of 3 m x 3 m x 10 m on the sight line hides a small box; moved 20 m aside it does not."""
    target = Seen(
        1, car(0, 0).kind, distance * math.cos(bearing), distance * math.sin(bearing), 0.5, 0, 0, yaw, 0.6, 0.6, 1.0
    )
    at = (share * target.x, share * target.y)
    aside = (at[0] - 20.0 * math.sin(bearing), at[1] + 20.0 * math.cos(bearing))
    for place, visible in ((at, []), (aside, [1])):
        tower = Surroundings.static([(*place, 5.0)], [(3.0, 3.0, 10.0)], [wall_yaw])
        assert ids(line_of_sight((0.0, 0.0, 1.6), Surroundings.of([target], tower))) == visible


def percept(time_s: float, *seen: Seen, yaw_deg: float = 0.0) -> Percept:
    return Percept(time_s, 0.0, -1.0, 0.9, yaw_deg, 0.0, seen)


def noticed_after(profile: Profile) -> float:
    traffic = Traffic(profile)
    for step in range(100):
        if traffic.perceive(percept(0.1 * step, car(1, 40.0)), 0.0):
            return 0.1 * step
    return math.inf


def test_the_distracted_notice_later() -> None:
    attentive, phone = noticed_after(Profile(attention=1.0)), noticed_after(Profile(attention=0.1))
    assert attentive <= 0.2
    assert phone >= 0.8


def test_what_is_behind_the_back_is_not_noticed_unless_near() -> None:
    traffic = Traffic(Profile())
    for step in range(20):
        traffic.perceive(percept(0.1 * step, car(1, -40.0)), 0.0)
    assert 1 not in traffic
    for step in range(20, 40):
        traffic.perceive(percept(0.1 * step, car(1, -4.0)), 0.0)
    assert 1 in traffic


def test_memory_goes_on_and_fades() -> None:
    """Out of sight a car is believed to drive on; after 4 s ln 10 = 9.2 s it is forgotten."""
    traffic = Traffic(Profile())
    for step in range(5):
        traffic.perceive(percept(0.1 * step, car(1, 50.0 - step)), 0.0)
    track = traffic.get(1)
    assert track is not None
    assert track.position(2.4)[0] == pytest.approx(46.0 - 20.0)
    for step in range(5, 120):
        traffic.perceive(percept(0.1 * step), 0.0)
        if 1 not in traffic:
            break
    assert 0.1 * step - 0.4 == pytest.approx(4.0 * math.log(10.0), abs=0.15)


def test_braking_is_believed_after_it_was_seen() -> None:
    traffic = Traffic(Profile())
    speed = 10.0
    for step in range(15):
        traffic.perceive(percept(0.1 * step, car(1, 40.0, vx=-speed)), 0.0)
        speed -= 0.3  # 3 m/s^2
    track = traffic.get(1)
    assert track is not None
    assert track.acceleration_mps2 == pytest.approx(-3.0, abs=0.1)

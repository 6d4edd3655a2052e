"""Safety metrics against closed-form cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon

from scenarios import metrics
from scenarios.metrics import Moving, Rect


def moving(
    x: float, y: float, vx: float, vy: float, heading: float = 0.0, length: float = 4.0, width: float = 2.0
) -> Moving:
    return Moving(Rect(x, y, heading, length, width), (vx, vy))


RECTS = st.builds(Rect, st.floats(-6, 6), st.floats(-6, 6), st.floats(-4, 4), st.floats(0.5, 6), st.floats(0.5, 3))


@given(RECTS, RECTS)
def test_distance_and_overlap_agree_with_shapely(a: Rect, b: Rect) -> None:
    truth = Polygon(a.corners()).distance(Polygon(b.corners()))
    assert metrics.distance(a, b) == pytest.approx(truth, abs=1e-6)
    if truth > 1e-6:
        assert not metrics.overlap(a, b)


@settings(max_examples=60)
@given(RECTS, RECTS, st.floats(-8, 8), st.floats(-8, 8))
def test_time_to_collision_is_the_first_touch(a: Rect, b: Rect, vx: float, vy: float) -> None:
    ttc = metrics.time_to_collision(Moving(a, (0.0, 0.0)), Moving(b, (vx, vy)))

    def gap(t: float) -> float:
        return metrics.distance(a, b._replace(x=b.x + vx * t, y=b.y + vy * t))

    if ttc is None:
        assert min(gap(t) for t in np.linspace(0.0, 20.0, 400)) > 0.0
    else:
        assert gap(ttc) < 1e-6
        assert ttc == 0.0 or gap(0.999 * ttc) > 0.0 or math.hypot(vx, vy) * ttc < 1e-3


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (moving(0, 0, 20, 0), moving(54, 0, 10, 0), 5.0),
        (moving(0, 0, 10, 0), moving(54, 0, 20, 0), None),
        (moving(0, 0, 20, 0), moving(54, 3, 10, 0), None),
        (moving(0, 0, 10, 0), moving(30, -20, 0, 10, math.pi / 2), None),
        (moving(0, 0, 10, 0), moving(23, -23, 0, 10, math.pi / 2), 2.0),
        (moving(0, 0, 10, 0), moving(1, 1, 0, 0), 0.0),
    ],
)
def test_time_to_collision(a: Moving, b: Moving, expected: float | None) -> None:
    """Crossing at right angles: corners meet when both have come to 3 m before the crossing point, at 2 s."""
    found = metrics.time_to_collision(a, b)
    assert found == (None if expected is None else pytest.approx(expected))


def test_a_drone_above_the_roof_is_no_collision() -> None:
    a, b = Moving(Rect(0, 0, 0, 4, 2), (0, 0), 0.0, 1.5), Moving(Rect(0, 0, 0, 1, 1), (0, 0), 2.0, 2.5)
    assert not metrics.collide(a, b)
    assert metrics.time_to_collision(a, b) is None


def test_headway_drac_and_what_is_ahead() -> None:
    follower, leader = moving(0, 0, 20, 0), moving(34, 0.5, 10, 0)
    front = metrics.ahead(follower, leader)
    assert front is not None
    assert (front.gap_m, front.own_speed, front.other_speed) == pytest.approx((30.0, 20.0, 10.0))
    assert metrics.time_headway(front.gap_m, front.own_speed) == pytest.approx(1.5)
    assert metrics.deceleration_to_avoid(30.0, 20.0, 10.0) == pytest.approx(100.0 / 60.0)
    assert metrics.deceleration_to_avoid(30.0, 10.0, 20.0) is None
    assert metrics.time_headway(30.0, 0.0) is None
    assert metrics.ahead(leader, follower) is None
    assert metrics.ahead(follower, moving(34, 2.5, 0, 0)) is None


def test_impact_and_closing_speed() -> None:
    a, b = moving(0, 0, 10, 0), moving(10, 0, 0, 5)
    assert metrics.impact_speed(a, b) == pytest.approx(math.sqrt(125.0))
    assert metrics.closing_speed(a, b) == pytest.approx(10.0)


@pytest.mark.parametrize("later", [2.0, 5.0, -4.0])
def test_post_encroachment_time_of_a_crossing(later: float) -> None:
    """Two 4 x 2 m cars cross at 10 m/s: each is in the 2 x 2 m conflict area from -3 m to +3 m of the centre."""
    times = np.arange(0.0, 20.0, 0.01)
    first = [Rect(-100 + 10 * t, 0, 0, 4, 2) for t in times]
    second = [Rect(0, -100 + 10 * (t - later), math.pi / 2, 4, 2) for t in times]
    assert metrics.post_encroachment_time(list(times), first, second) == pytest.approx(abs(later) - 0.6, abs=0.03)


def test_post_encroachment_does_not_exist_without_crossing_or_while_both_are_inside() -> None:
    times = np.arange(0.0, 20.0, 0.05)
    first = [Rect(-100 + 10 * t, 0, 0, 4, 2) for t in times]
    beside = [Rect(-100 + 10 * t, 5, 0, 4, 2) for t in times]
    together = [Rect(0, -100 + 10 * t, math.pi / 2, 4, 2) for t in times]
    assert metrics.post_encroachment_time(list(times), first, beside) is None
    assert metrics.post_encroachment_time(list(times), first, together) is None

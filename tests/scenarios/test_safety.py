"""RSS, exposure, jerk, risk and points: analytic cases and properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import safety
from scenarios.safety import RssParameters

P = RssParameters()
speeds = st.floats(0.0, 60.0)


def test_rss_same_direction_is_the_published_formula():
    # 20 m/s behind 10 m/s, response 1 s: 20 + 1.75 + 23.5^2/8 - 100/16
    assert safety.rss_same_direction(20.0, 10.0, 1.0, P) == pytest.approx(20 + 1.75 + 23.5**2 / 8 - 100 / 16)


@given(speeds, speeds, st.floats(0.0, 20.0))
def test_rss_grows_with_the_follower_and_shrinks_with_the_leader(rear, front, more):
    here = safety.rss_same_direction(rear, front, 1.0, P)
    assert here >= 0.0
    assert safety.rss_same_direction(rear + more, front, 1.0, P) >= here - 1e-9
    assert safety.rss_same_direction(rear, front + more, 1.0, P) <= here + 1e-9
    assert safety.rss_same_direction(rear, front, 1.5, P) >= here


@given(speeds, speeds)
def test_rss_same_direction_is_enough(rear, front):
    """Whoever keeps the distance does not hit a leader that brakes as hard as it can, simulated in small steps."""
    gap, dt = safety.rss_same_direction(rear, front, 1.0, P), 0.01
    for step in range(4000):
        front = max(0.0, front - P.brake_most * dt)
        rear = rear + P.accelerate * dt if step * dt < 1.0 - 1e-9 else max(0.0, rear - P.brake_least * dt)
        gap += (front - rear) * dt
        # Euler's steps are off by half a step of each acceleration.
        assert gap >= -0.5
        if rear == 0.0 and front == 0.0:
            break


def test_rss_opposite_direction_adds_both_ways_of_braking():
    own = 0.5 * (10 + 13.5) * 1.0 + 13.5**2 / (2 * 3.0)
    other = 0.5 * (10 + 17.0) * 2.0 + 17.0**2 / (2 * 4.0)
    assert safety.rss_opposite_direction(10.0, 10.0, P) == pytest.approx(own + other)


def test_rss_lateral_at_rest_and_parting():
    still = safety.rss_lateral(0.0, 0.0, P)
    assert still == pytest.approx(0.1 + 0.5 * 0.2 + 0.2**2 / 1.6 + 0.5 * 0.4 * 2.0 + 0.4**2 / 1.6)
    assert safety.rss_lateral(-2.0, -2.0, P) == pytest.approx(0.1)
    assert safety.rss_lateral(1.0, 0.0, P) > still


@given(st.floats(-80, 80), st.floats(-8, 8), speeds, speeds)
def test_a_situation_is_dangerous_only_when_both_gaps_are_too_small(ahead, aside, own, other):
    found = safety.rss_situation(ahead, aside, (own, 0.0), (other, 0.0), (4.5, 1.8), False)
    both = found.longitudinal_gap < found.longitudinal_safe and found.lateral_gap < found.lateral_safe
    assert found.dangerous == both


def test_somebody_two_lanes_away_is_never_dangerous():
    assert not safety.rss_situation(5.0, 7.0, (30.0, 0.0), (0.0, 0.0), (4.5, 1.8), False).dangerous
    assert safety.rss_situation(10.0, 0.0, (30.0, 0.0), (0.0, 0.0), (4.5, 1.8), False).dangerous


def test_oncoming_traffic_that_has_passed_asks_for_nothing():
    assert safety.rss_situation(-20.0, 0.0, (10.0, 0.0), (-10.0, 0.0), (4.5, 1.8), True).longitudinal_safe == 0.0


def test_time_exposed_counts_only_conflicts():
    tet, tit = safety.time_exposed([None, 4.0, 2.0, 1.0, 0.0], 0.1)
    assert tet == pytest.approx(0.2)
    assert tit == pytest.approx(0.1 * (1.0 + 2.0))


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.sampled_from([0.01, 0.02, 0.05]))
def test_derivatives_of_parabolas_are_exact(a, b, c, dt):
    t = np.arange(0.0, 2.0, dt)
    found = safety.derivative(a + b * t + c * t**2, dt)
    edge = round(0.5 * safety.JERK_WINDOW_S / dt)
    np.testing.assert_allclose(found[edge:-edge], (b + 2 * c * t)[edge:-edge], atol=1e-9)


def test_comfort_on_a_circle_and_while_braking():
    dt = 0.05
    t = np.arange(0.0, 4.0, dt)
    round_ = safety.comfort(np.full_like(t, 10.0), 0.2 * t, dt)
    np.testing.assert_allclose(round_.lateral, 2.0, atol=1e-9)
    np.testing.assert_allclose(round_.longitudinal, 0.0, atol=1e-12)
    np.testing.assert_allclose(round_.jerk_lateral, 0.0, atol=1e-9)
    # v = 20 - 0.5 j t^2 with j = 1.5: acceleration -j t, jerk -j everywhere but at the ends
    braking = safety.comfort(20.0 - 0.75 * t**2, np.zeros_like(t), dt)
    np.testing.assert_allclose(braking.jerk_longitudinal[4:-4], -1.5, atol=1e-9)


def test_a_heading_that_passes_pi_is_no_jump():
    dt = 0.05
    t = np.arange(0.0, 4.0, dt)
    heading = np.remainder(3.0 + 0.2 * t + math.pi, 2 * math.pi) - math.pi
    assert np.abs(safety.comfort(np.full_like(t, 10.0), heading, dt).lateral).max() == pytest.approx(2.0)


def test_too_short_a_run_has_no_jerk():
    assert safety.comfort(np.array([5.0]), np.array([0.0]), 0.05).jerk_longitudinal.tolist() == [0.0]
    assert safety.rms(np.array([])) is None
    assert safety.rms(np.array([3.0, -4.0])) == pytest.approx(math.sqrt(12.5))


@pytest.mark.parametrize(("kmh", "risk"), [(0.0, 0.0010068), (50.0, 0.0832), (76.667, 0.5)])
def test_risk_of_death(kmh, risk):
    assert safety.risk_of_death(kmh) == pytest.approx(risk, rel=2e-3)


def test_points():
    assert safety.braking_points(3.0, 40.0, None) == 3.0
    assert safety.braking_points(3.0, 40.0, 40.0) == 0.0
    assert safety.braking_points(3.0, 40.0, 10.0) == pytest.approx(2.25)
    assert safety.braking_points(3.0, 50.0, 30.0) == 3.0
    assert safety.braking_points(3.0, 50.0, 31.0) == 0.0


@given(st.floats(0, 40), st.floats(0, 60), st.floats(0, 60))
def test_points_never_grow_with_the_impact(test, a, b):
    low, high = sorted((a, b))
    assert 0.0 <= safety.braking_points(1.0, test, high) <= safety.braking_points(1.0, test, low) <= 1.0

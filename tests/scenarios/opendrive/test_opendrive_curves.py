"""The plan view's curves against closed forms and Fresnel integrals."""

from __future__ import annotations

import math

import numpy as np
import opendrive_samples as samples
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import fresnel

import scenarios.opendrive as opendrive
from scenarios.opendrive.cubics import PiecewiseCubic
from scenarios.opendrive.curves import ArcCurve, CubicPath, LineCurve, SpiralCurve

S = np.linspace(0.0, 120.0, 37)


def test_line_goes_straight():
    point = LineCurve().at(S)
    assert np.array_equal(point.x, S)
    assert not point.y.any()
    assert not point.heading.any()


@pytest.mark.parametrize("curvature", [0.02, -0.3, 1e-4, 1e-13])
def test_arc_lies_on_its_circle(curvature):
    point = ArcCurve(curvature, 120.0).at(S)
    # Circle of radius r around (0, r); for tiny curvatures its height is s^2 / 2r.
    assert point.heading == pytest.approx(curvature * S)
    assert point.x == pytest.approx(np.sin(curvature * S) / curvature, abs=1e-9, rel=1e-9)
    assert point.y == pytest.approx(2.0 * np.sin(0.5 * curvature * S) ** 2 / curvature, abs=1e-9)


@pytest.mark.parametrize(("end", "length"), [(0.05, 120.0), (-0.01, 500.0), (0.5, 60.0)])
def test_spiral_from_a_straight_is_fresnels(end, length):
    s = np.linspace(0.0, length, 50)
    point = SpiralCurve(0.0, end, length).at(s)
    # heading = k' s^2 / 2; with a = sqrt(pi / |k'|) the position is a (C(s / a), S(s / a)).
    rate = end / length
    a = math.sqrt(math.pi / abs(rate))
    sine, cosine = fresnel(s / a)
    assert point.x == pytest.approx(a * cosine, abs=1e-9)
    assert point.y == pytest.approx(math.copysign(1.0, rate) * a * sine, abs=1e-9)


@given(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(1.0, 200.0))
@settings(max_examples=25, deadline=None)
def test_spiral_solves_its_differential_equation(start, end, length):
    def slope(s, state):
        return [math.cos(state[2]), math.sin(state[2]), start + (end - start) * s / length]

    solution = solve_ivp(slope, (0.0, length), [0.0, 0.0, 0.0], rtol=1e-10, atol=1e-10, method="DOP853")
    point = SpiralCurve(start, end, length).at(np.array([length]))
    assert (point.x[0], point.y[0], point.heading[0]) == pytest.approx(tuple(solution.y[:, -1]), abs=1e-6)


def test_spiral_of_constant_curvature_is_an_arc():
    spiral, arc = SpiralCurve(0.03, 0.03, 120.0).at(S), ArcCurve(0.03, 120.0).at(S)
    assert spiral.x == pytest.approx(arc.x, abs=1e-10)
    assert spiral.y == pytest.approx(arc.y, abs=1e-10)


def _length(point) -> float:
    return float(np.hypot(np.diff(point.x), np.diff(point.y)).sum())


def test_poly3_is_run_through_by_arc_length():
    v = np.array([0.0, 0.1, 0.01, -1e-4])
    curve = CubicPath(np.array([0.0, 1.0, 0.0, 0.0]), v, 50.0, None)
    fine = curve.at(np.linspace(0.0, 50.0, 20_001))
    assert _length(fine) == pytest.approx(50.0, abs=1e-4)
    half = curve.at(np.linspace(0.0, 25.0, 10_001))
    assert _length(half) == pytest.approx(25.0, abs=1e-4)
    u = fine.x
    assert fine.y == pytest.approx(v[0] + v[1] * u + v[2] * u**2 + v[3] * u**3, abs=1e-9)
    assert np.tan(fine.heading) == pytest.approx(v[1] + 2 * v[2] * u + 3 * v[3] * u**2, abs=1e-9)


def test_normalized_param_poly3_reaches_its_end_at_evenly_spent_length():
    # A parabola u = 10 p, v = 8 p^2, whose arc length has a closed form.
    def length_to(p):
        k = 1.6 * p
        return 10.0 * 0.5 * (p * math.sqrt(1 + k * k) + math.asinh(k) / 1.6)

    curve = CubicPath(np.array([0.0, 10.0, 0.0, 0.0]), np.array([0.0, 0.0, 8.0, 0.0]), length_to(1.0), 1.0)
    for p in (0.0, 0.2, 0.5, 0.9, 1.0):
        point = curve.at(np.array([length_to(p)]))
        assert (point.x[0], point.y[0]) == pytest.approx((10.0 * p, 8.0 * p * p), abs=1e-8)
    curvature = curve.at(np.array([0.0])).curvature[0]
    assert curvature == pytest.approx(2 * 8.0 / 10.0**2)


def test_param_poly3_by_arc_length_takes_s_as_parameter():
    shape = '<paramPoly3 aU="0" bU="1" cU="0" dU="0" aV="0" bV="0" cV="0.01" dV="0" pRange="arcLength"/>'
    plan = samples.geometry(0, 5, 6, math.pi / 2, 20, shape)
    network = opendrive.parse(samples.network(samples.road("1", 20.0, plan)))
    pose = network.road_pose("1", 10.0)
    assert pose[:2] == pytest.approx((5.0 - 1.0, 6.0 + 10.0))


@given(st.lists(st.tuples(*[st.floats(-0.05, 0.05)] * 2, st.floats(5.0, 80.0)), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_road_heading_is_the_direction_of_its_points(spirals):
    """Whatever the chain of spirals: numbers from the pose agree with differences of positions."""
    s, x, y, h, plan = 0.0, 0.0, 0.0, 0.3, ""
    for start, end, length in spirals:
        plan += samples.geometry(s, x, y, h, length, f'<spiral curvStart="{start}" curvEnd="{end}"/>')
        tip = SpiralCurve(start, end, length).at(np.array([length]))
        dx, dy = float(tip.x[0]), float(tip.y[0])
        x, y = x + dx * math.cos(h) - dy * math.sin(h), y + dx * math.sin(h) + dy * math.cos(h)
        h, s = h + float(tip.heading[0]), s + length
    network = opendrive.parse(samples.network(samples.road("1", s, plan)))
    assert not network.diagnostics
    at = np.linspace(0.01, s - 0.02, 23)
    here, there = (network.road_poses("1", at + d, np.zeros(23)) for d in (-1e-4, 1e-4))
    pose = network.road_poses("1", at, np.zeros(23))
    assert np.hypot(there.x - here.x, there.y - here.y) == pytest.approx(2e-4, rel=1e-4)
    direction = np.arctan2(there.y - here.y, there.x - here.x)
    assert np.cos(direction - pose.heading) == pytest.approx(1.0, abs=1e-6)


def test_piecewise_cubic_takes_the_piece_that_holds():
    cubic = PiecewiseCubic([(10.0, 5.0, 1.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.5, 0.0)])
    assert cubic(np.array([0.0, 2.0, 9.999999, 10.0, 12.0])) == pytest.approx([1.0, 3.0, 50.99999, 5.0, 7.0], rel=1e-6)
    jet = cubic.jet(np.array([2.0, 12.0]))
    assert jet.slope == pytest.approx([2.0, 1.0])
    assert jet.bend == pytest.approx([1.0, 0.0])


def test_lowest_finds_an_extreme_between_the_ends():
    # (s - 3)^2 - 1 has its least value -1 at 3.
    assert PiecewiseCubic([(0.0, 8.0, -6.0, 1.0, 0.0)]).lowest(10.0) == pytest.approx((-1.0, 3.0))

"""Transition shapes against their formulas and against numerical integration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.openscenario.dynamics import SHAPES, Transition, TransitionDynamics

CURVED = ("linear", "cubic", "sinusoidal")


@pytest.mark.parametrize(
    ("shape", "quarter", "half"),
    [("linear", 0.25, 0.5), ("cubic", 0.15625, 0.5), ("sinusoidal", 0.5 - math.sqrt(2) / 4, 0.5)],
)
def test_values_of_the_standard(shape: str, quarter: float, half: float) -> None:
    change = Transition(SHAPES[shape], 10.0, 20.0, 8.0)
    assert [change.value(x) for x in (0.0, 2.0, 4.0, 8.0, 9.0)] == pytest.approx(
        [10.0, 10.0 + 10.0 * quarter, 10.0 + 10.0 * half, 20.0, 20.0]
    )


@given(
    st.sampled_from(CURVED),
    st.floats(0, 40),
    st.floats(0, 40),
    st.floats(0.1, 20),
    st.floats(0, 1.5),
    st.floats(0, 1.5),
)
def test_the_integral_is_the_integral(shape: str, start: float, end: float, length: float, a: float, b: float) -> None:
    change = Transition(SHAPES[shape], start, end, length)
    low, high = sorted((a * length, b * length))
    x = np.linspace(low, high, 4001)
    y = np.array([change.value(v) for v in x])
    assert change.integral(low, high) == pytest.approx(float(np.trapezoid(y, x)), abs=2e-4 * max(1.0, length))


@pytest.mark.parametrize("shape", CURVED)
def test_peak_slope_and_curvature(shape: str) -> None:
    change = Transition(SHAPES[shape], 0.0, 1.0, 1.0)
    x = np.linspace(0.0, 1.0, 20001)
    slope = np.gradient([change.value(v) for v in x], x)
    assert slope.max() == pytest.approx(SHAPES[shape].peak_slope, rel=1e-3)
    if shape != "linear":
        curvature = np.gradient(slope, x)[2:-2]
        assert np.abs(curvature).max() == pytest.approx(SHAPES[shape].peak_curvature, rel=2e-3)
    assert change.slope(0.5) == pytest.approx(SHAPES[shape].peak_slope, rel=1e-6)


@pytest.mark.parametrize(("shape", "peak"), [("linear", 1.0), ("cubic", 1.5), ("sinusoidal", math.pi / 2)])
def test_a_rate_is_the_peak_rate(shape: str, peak: float) -> None:
    assert TransitionDynamics(shape, "rate", 4.0).length(-20.0) == pytest.approx(5.0 * peak)


def test_a_step_takes_no_time() -> None:
    assert TransitionDynamics("step", "time", 3.0).length(10.0) == 0.0

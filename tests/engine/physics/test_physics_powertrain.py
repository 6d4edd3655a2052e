"""The drive's formulas against known physics: energy, gear shifts, limits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.blueprints import VEHICLES
from engine.physics.powertrain import RPM, Drive, DriveState, advance, choose_gear, sample_curve
from engine.protocol.structs import GearPhysicsControl, Vector2D, VehiclePhysicsControl

FLAT = VehiclePhysicsControl(
    torque_curve=(Vector2D(0.0, 200.0), Vector2D(6000.0, 200.0)),
    max_rpm=6000.0,
    damping_rate_full_throttle=0.0,
    forward_gears=(GearPhysicsControl(3.0, 0.3, 0.8), GearPhysicsControl(1.5, 0.3, 0.8)),
    final_ratio=4.0,
    gear_switch_time=0.0,
)
MASS, RADIUS = 1000.0, 0.3


def settle(drive: Drive, throttle: float, speed: float, gear: int, seconds: float = 3.0) -> tuple[float, DriveState]:
    """Run at a held speed; return the force and the state."""
    state, force = DriveState(), 0.0
    for _ in range(round(seconds / 0.05)):
        force = advance(drive, state, throttle, gear, speed, MASS, RADIUS, 0.05)
    return force, state


def test_force_is_torque_times_ratio_over_radius() -> None:
    force, _ = settle(Drive.of(FLAT), 1.0, 5.0, 1)
    # Torque reaches the wheels times ratio, final ratio and the box's efficiency of 0.92.
    assert force == pytest.approx(200.0 * 3.0 * 4.0 * 0.92 / 0.3, rel=0.02)


def test_engine_turns_with_the_wheels_but_for_the_clutch_slip() -> None:
    _, state = settle(Drive.of(FLAT), 1.0, 10.0, 1)
    coupled_rpm = 10.0 / 0.3 * 12.0 / RPM
    slip = state.omega / RPM - coupled_rpm
    # 4 % of slip, and what the car gains in one step.
    assert 0.0 < slip < 0.07 * 6000.0


def test_no_power_from_nothing() -> None:
    force, state = settle(Drive.of(FLAT), 0.7, 10.0, 2)
    assert force * 10.0 <= 0.7 * 200.0 * state.omega


def test_neutral_gives_no_force_and_lets_the_engine_rev() -> None:
    force, state = settle(Drive.of(FLAT), 1.0, 10.0, 0)
    assert force == 0.0
    assert state.omega == pytest.approx(6000.0 * RPM, rel=0.1)


def test_reverse_pushes_backwards() -> None:
    force, _ = settle(Drive.of(FLAT), 1.0, -1.0, -1)
    assert force < -1000.0


def test_a_closed_throttle_brakes_mildly() -> None:
    spec = VEHICLES["vehicle.seat.leon"]
    drive = Drive.of(spec.physics)
    state, force = DriveState(), 0.0
    for _ in range(60):
        force = advance(drive, state, 0.0, 4, 50 / 3.6, spec.mass, spec.wheel_radius, 0.05)
    assert -0.6 < force / spec.mass < -0.05


def test_the_rev_limiter_ends_acceleration() -> None:
    top = 6000.0 * RPM / 12.0 * 0.3
    force, _ = settle(Drive.of(FLAT), 1.0, top * 1.02, 1)
    assert force <= 0.0


def gear_at(speeds: np.ndarray, control: VehiclePhysicsControl = FLAT) -> list[int]:
    """Return the automatic's gear while driving through ``speeds``, 0.1 s each."""
    drive, state, gears = Drive.of(control), DriveState(), []
    for speed in speeds.tolist():
        gears.append(choose_gear(drive, state, speed, False, False, 0, RADIUS))
        advance(drive, state, 0.5, gears[-1], speed, MASS, RADIUS, 0.1)
    return gears


def test_the_automatic_shifts_at_the_ratios_of_the_control() -> None:
    speeds = np.linspace(0.0, 20.0, 400)
    gears = gear_at(speeds)
    change = speeds[gears.index(2)]
    assert change == pytest.approx(0.8 * 6000.0 * RPM / 12.0 * 0.3, rel=0.03)
    down = np.linspace(20.0, 0.0, 400)
    back = gear_at(np.concatenate([speeds, down]))[400:]
    assert down[back.index(1)] == pytest.approx(0.3 * 6000.0 * RPM / 6.0 * 0.3, rel=0.03)


def test_badly_spaced_gears_do_not_hunt() -> None:
    gears = (GearPhysicsControl(4.0, 0.5, 0.65), GearPhysicsControl(1.5, 0.5, 0.65))
    control = VehiclePhysicsControl(forward_gears=gears, gear_switch_time=0.0)
    found = gear_at(np.full(300, 9.5), control)
    assert sum(a != b for a, b in itertools.pairwise(found)) <= 1


def test_the_driver_may_choose() -> None:
    drive, state = Drive.of(FLAT), DriveState()
    for wanted in (-1, 0, 1, 2):
        assert choose_gear(drive, state, 3.0, False, True, wanted, RADIUS) == wanted
    assert choose_gear(drive, state, 3.0, True, False, 0, RADIUS) == -1
    assert choose_gear(drive, state, 3.0, False, True, 9, RADIUS) == 2


def test_a_shift_interrupts_the_pull() -> None:
    slow = VehiclePhysicsControl(forward_gears=FLAT.forward_gears, gear_switch_time=0.5)
    drive, state = Drive.of(slow), DriveState()
    for _ in range(40):
        advance(drive, state, 1.0, 1, 5.0, MASS, RADIUS, 0.05)
    forces = [advance(drive, state, 1.0, 2, 5.0, MASS, RADIUS, 0.05) for _ in range(14)]
    assert forces[:10] == [0.0] * 10
    assert forces[11] > 0.0


@settings(deadline=None, max_examples=60)
@given(
    dt=st.floats(0.001, 0.5),
    mass=st.floats(50.0, 40000.0),
    moi=st.floats(0.01, 20.0),
    clutch=st.floats(0.1, 100.0),
    throttle=st.floats(0.0, 1.0),
)
def test_any_step_is_stable(dt: float, mass: float, moi: float, clutch: float, throttle: float) -> None:
    control = VehiclePhysicsControl(moi=moi, clutch_strength=clutch, forward_gears=FLAT.forward_gears)
    drive, state = Drive.of(control), DriveState()
    speed = 0.0
    for _ in range(50):
        gear = choose_gear(drive, state, speed, False, False, 0, RADIUS)
        speed += advance(drive, state, throttle, gear, speed, mass, RADIUS, dt) / mass * dt
        assert math.isfinite(speed)
        assert -1.0 < speed < 150.0
        assert 0.0 <= state.omega <= 5000.0 * RPM


def test_curves_are_flat_beyond_their_ends_and_may_be_unsorted_or_empty() -> None:
    curve = sample_curve((Vector2D(20.0, 2.0), Vector2D(10.0, 1.0)), 40.0, 5)
    assert curve.tolist() == [1.0, 1.0, 2.0, 2.0, 2.0]
    assert sample_curve((), 10.0, 3).tolist() == [1.0, 1.0, 1.0]

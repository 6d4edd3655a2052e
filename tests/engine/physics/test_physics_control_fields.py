"""Every field of a vehicle's physics control and of its wheels': changing it changes the motion the right way."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from physics_worlds import CAR, drive, run, speed, with_car

from engine.physics import Physics
from engine.protocol.structs import Location, Vector2D, Vector3D, VehiclePhysicsControl, WheelPhysicsControl

Measure = Callable[[Physics], float]


def sprint(seconds: float, **control: Any) -> Measure:
    """Speed after so long at full throttle."""

    def measure(physics: Physics) -> float:
        drive(physics, throttle=1.0, **control)
        run(physics, seconds)
        return speed(physics)

    return measure


def lost(start: float, seconds: float, **control: Any) -> Measure:
    """Speed lost in so long, from ``start`` m/s."""

    def measure(physics: Physics) -> float:
        physics.set_velocity(1, (start, 0.0, 0.0))
        drive(physics, **control)
        run(physics, seconds)
        return start - speed(physics)

    return measure


def rpm(seconds: float, before: float = 0.0, **control: Any) -> Measure:
    """Engine speed after so long, having revved freely for ``before`` seconds."""

    def measure(physics: Physics) -> float:
        if before:
            drive(physics, throttle=1.0, manual_gear_shift=True, gear=0)
            run(physics, before)
        drive(physics, **control)
        run(physics, seconds)
        return physics.telemetry(1).engine_rpm

    return measure


def gear(physics: Physics) -> float:
    """Gear after 8 s at full throttle."""
    drive(physics, throttle=1.0)
    run(physics, 8.0)
    return physics.telemetry(1).gear


def yaw_rate(pace: float, steer: float) -> Measure:
    """Steady yaw rate at a held speed, deg/s."""

    def measure(physics: Physics) -> float:
        physics.set_velocity(1, (pace, 0.0, 0.0))
        for _ in range(40):
            drive(physics, throttle=min(1.0, max(0.0, (pace - speed(physics)) * 0.8 + 0.2)), steer=steer)
            physics.step(0.05, 5)
        return physics.angular_velocity(1)[2] / speed(physics)

    return measure


def load_on(*wheels: int) -> Measure:
    """Load on some wheels at rest."""

    def measure(physics: Physics) -> float:
        run(physics, 1.0)
        telemetry = physics.telemetry(1)
        return sum(telemetry.wheels[i].tire_load for i in wheels)

    return measure


def front_load_braking(physics: Physics) -> float:
    """Load on the front wheels in full braking."""
    physics.set_velocity(1, (25.0, 0.0, 0.0))
    drive(physics, brake=1.0)
    run(physics, 1.0)
    return sum(physics.telemetry(1).wheels[i].tire_load for i in (0, 1))


def steer_angle(physics: Physics) -> float:
    """Angle of the front right wheel at rest, degrees."""
    drive(physics, steer=1.0)
    run(physics, 1.0)
    return physics.wheel_steer_angle(1, 1)


def rolled_per_metre(physics: Physics) -> float:
    """Angular speed of a wheel over the speed."""
    physics.set_velocity(1, (10.0, 0.0, 0.0))
    run(physics, 0.5)
    telemetry = physics.telemetry(1)
    return telemetry.wheels[2].omega / telemetry.speed


@dataclass
class Case:
    """A field, its other value, what to measure, and the least and most the measure shall be of what it was."""

    field: str
    value: Any
    measure: Measure
    least: float
    most: float
    where: tuple[int, ...] = (0, 1, 2, 3)


def scaled(curve: tuple[Vector2D, ...], factor: float) -> tuple[Vector2D, ...]:
    return tuple(msgspec.structs.replace(point, y=point.y * factor) for point in curve)


PHYSICS = CAR.physics
REVS = {"throttle": 1.0, "manual_gear_shift": True, "gear": 0}
IDLE = {"throttle": 0.0, "manual_gear_shift": True, "gear": 0}
VEHICLE_CASES = [
    Case("torque_curve", scaled(PHYSICS.torque_curve, 0.5), sprint(2.0), 0.4, 0.65),
    Case("max_rpm", PHYSICS.max_rpm * 0.5, sprint(6.0, manual_gear_shift=True, gear=1), 0.4, 0.6),
    Case("moi", 20.0, rpm(0.3, **REVS), 0.01, 0.5),
    Case("damping_rate_full_throttle", 2.0, sprint(5.0), 0.3, 0.9),
    Case("damping_rate_zero_throttle_clutch_engaged", 0.0, lost(20.0, 2.0), 0.2, 0.9),
    Case("damping_rate_zero_throttle_clutch_disengaged", 0.02, rpm(1.0, before=2.0, **IDLE), 1.05, 3.0),
    Case("use_gear_autobox", False, gear, 0.1, 0.6),
    Case("gear_switch_time", 2.0, sprint(6.0), 0.4, 0.95),
    Case("clutch_strength", 1.0, rpm(0.4, throttle=0.5), 1.3, 10.0),
    Case("final_ratio", PHYSICS.final_ratio * 0.5, sprint(1.0), 0.3, 0.7),
    Case(
        "forward_gears",
        tuple(msgspec.structs.replace(g, ratio=g.ratio * 0.5) for g in PHYSICS.forward_gears),
        sprint(2.0), 0.4, 0.7,
    ),
    Case("mass", CAR.mass * 2.0, sprint(2.0), 0.4, 0.65),
    Case("drag_coefficient", PHYSICS.drag_coefficient * 4.0, lost(40.0, 2.0, manual_gear_shift=True, gear=0), 2.0, 4.5),
    Case("center_of_mass", Location(0.4, 0.0, 0.0), load_on(0, 1), 1.1, 1.6),
    Case("center_of_mass", Location(0.0, 0.2, 0.0), load_on(1, 3), 1.1, 1.6),
    Case("center_of_mass", Location(0.0, 0.0, 0.4), front_load_braking, 1.05, 1.5),
    Case("steering_curve", scaled(PHYSICS.steering_curve, 0.5), yaw_rate(8.0, 0.1), 0.4, 0.6),
]  # fmt: skip
WHEEL_CASES = [
    Case("tire_friction", 0.7, lost(25.0, 1.0, brake=1.0), 0.15, 0.35),
    Case("damping_rate", 20.0, lost(20.0, 2.0, manual_gear_shift=True, gear=0), 1.5, 40.0),
    Case("max_steer_angle", 35.0, steer_angle, 0.49, 0.51, (0, 1)),
    Case("radius", CAR.wheel_radius * 150.0, rolled_per_metre, 0.62, 0.70),
    Case("max_brake_torque", 200.0, lost(25.0, 1.0, brake=1.0), 0.05, 0.6),
    Case("max_handbrake_torque", 100.0, lost(25.0, 1.0, hand_brake=True), 0.02, 0.6, (2, 3)),
    Case("lat_stiff_value", 8.0, yaw_rate(25.0, 0.02), 0.3, 0.95, (0, 1)),
    Case("lat_stiff_value", 13.0, yaw_rate(25.0, 0.02), 1.05, 3.0, (2, 3)),
    Case("lat_stiff_max_load", 8.0, yaw_rate(25.0, 0.02), 0.3, 0.95, (0, 1)),
]


def measured(case: Case, control: VehiclePhysicsControl) -> float:
    physics = with_car(location=(-1900.0, 0.0, 0.0))
    run(physics, 0.5)
    physics.set_physics_control(1, control)
    return case.measure(physics)


def check(case: Case, changed: VehiclePhysicsControl) -> None:
    before, after = measured(case, PHYSICS), measured(case, changed)
    assert math.isfinite(after)
    assert case.least * before <= after <= case.most * before, (case.field, before, after)


@pytest.mark.parametrize("case", VEHICLE_CASES, ids=lambda case: case.field)
def test_a_field_of_the_vehicle_takes_effect(case: Case) -> None:
    check(case, msgspec.structs.replace(PHYSICS, **{case.field: case.value}))


@pytest.mark.parametrize("case", WHEEL_CASES, ids=lambda case: f"{case.field}-{case.where}")
def test_a_field_of_the_wheels_takes_effect(case: Case) -> None:
    wheels = tuple(
        msgspec.structs.replace(wheel, **{case.field: case.value}) if i in case.where else wheel
        for i, wheel in enumerate(PHYSICS.wheels)
    )
    check(case, msgspec.structs.replace(PHYSICS, wheels=wheels))


def test_every_field_has_a_case_or_is_listed_as_without_effect(caplog: pytest.LogCaptureFixture) -> None:
    vain = {"use_sweep_wheel_collision", "long_stiff_value"}
    told = {"position", "wheels"}  # a wheel's place is told by the world, never taken over
    fields = set(VehiclePhysicsControl.__struct_fields__) | set(WheelPhysicsControl.__struct_fields__)
    assert fields - {case.field for case in VEHICLE_CASES + WHEEL_CASES} == vain | told

    physics = with_car()
    wheels = tuple(msgspec.structs.replace(wheel, long_stiff_value=5.0) for wheel in PHYSICS.wheels)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            for change in ({"use_sweep_wheel_collision": True, "wheels": wheels}, {}):
                physics.set_physics_control(1, msgspec.structs.replace(PHYSICS, **change))
    text = [record.getMessage() for record in caplog.records]
    assert len(text) == 2
    assert all(any(name in line for line in text) for name in vain)
    assert physics.physics_control(1).wheels[0].position != Vector3D()

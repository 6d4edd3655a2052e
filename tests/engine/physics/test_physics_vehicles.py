"""Vehicles against the project's vehicle reference (science base, 2.2) and plain mechanics."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from physics_worlds import CAR, DT, SUBSTEPS, drive, on_slope, run, speed, with_car, world

from engine.blueprints import VEHICLES
from engine.physics import Physics
from engine.protocol.structs import Location, VehiclePhysicsControl
from engine.state import ActorTable, Kind
from foundation.errors import RealityError

VAN, BUS, TRUCK = (
    VEHICLES["vehicle.mercedes.sprinter"],
    VEHICLES["vehicle.mitsubishi.fusorosa"],
    VEHICLES["vehicle.carlamotors.european_hgv"],
)
SUV, BIKE, MOTORCYCLE = (
    VEHICLES["vehicle.nissan.patrol"],
    VEHICLES["vehicle.bh.crossbike"],
    VEHICLES["vehicle.kawasaki.ninja"],
)

# spec, (km/h, least s, most s), (km/h, least m, most m), (m/s, least g, most g)
REFERENCE = [
    pytest.param(CAR, (100, 7.5, 10.0), (100, 34, 40), (22, 0.80, 0.95), id="compact"),
    pytest.param(SUV, (100, 7.0, 10.0), (100, 35, 41), (22, 0.70, 0.85), id="suv"),
    pytest.param(VAN, (100, 13.0, 17.0), (100, 40, 48), (22, 0.60, 0.72), id="van"),
    pytest.param(BUS, (50, 8.0, 13.0), (50, 15, 20), (18, 0.45, 0.60), id="bus"),
    pytest.param(TRUCK, (80, 15.0, 60.0), (80, 36, 50), (18, 0.30, 0.45), id="truck"),
    pytest.param(MOTORCYCLE, (100, 3.5, 6.0), (100, 38, 48), (22, 0.80, 1.0), id="motorcycle"),
    # A bicycle goes no faster than where the class figures of the side grip begin (see SLOW_GRIP).
    pytest.param(BIKE, (20, 6.0, 10.0), (20, 3.5, 6.0), None, id="bicycle"),
]


@pytest.mark.parametrize(("spec", "sprint", "stop", "corner"), REFERENCE)
def test_reference_figures(spec, sprint, stop, corner) -> None:
    physics = with_car(spec=spec, location=(-1900.0, 0.0, 0.0))
    run(physics, 0.5)
    drive(physics, throttle=1.0)
    took = next(n * DT for n in range(1, 1600) if not physics.step(DT, SUBSTEPS) and speed(physics) * 3.6 >= sprint[0])
    assert sprint[1] <= took <= sprint[2]

    # At exactly the speed of the reference, in the gear that belongs to it.
    physics.set_velocity(1, (stop[0] / 3.6, 0.0, 0.0))
    begin = physics.transform(1)[0][0]
    drive(physics, brake=1.0)
    run(physics, 8.0)
    assert speed(physics) < 0.01
    assert stop[1] <= physics.transform(1)[0][0] - begin <= stop[2]

    if corner is not None:
        assert corner[1] <= greatest_lateral_g(spec, corner[0]) <= corner[2]


def greatest_lateral_g(spec, pace: float) -> float:
    """Return the greatest steady lateral acceleration while the wheel is turned slowly at a held speed, in g."""
    physics = with_car(spec=spec)
    run(physics, 0.5)
    physics.set_velocity(1, (pace, 0.0, 0.0))
    best = 0.0
    for n in range(240):
        drive(physics, throttle=min(1.0, max(0.0, (pace - speed(physics)) * 0.8 + 0.3)), steer=n / 600)
        physics.step(DT, SUBSTEPS)
        if speed(physics) > 0.9 * pace:
            best = max(best, abs(speed(physics) * math.radians(physics.angular_velocity(1)[2])) / 9.81)
    return best


@pytest.mark.parametrize("spec", [CAR, SUV, VAN, BUS, TRUCK, BIKE, MOTORCYCLE], ids=lambda s: s.body)
def test_nothing_rolls_over_on_a_flat_road(spec) -> None:
    physics = with_car(spec=spec)
    physics.set_velocity(1, (20.0, 0.0, 0.0))
    for steer in (1.0, -1.0, 1.0):
        drive(physics, steer=steer, throttle=0.3)
        for _ in range(30):
            physics.step(DT, SUBSTEPS)
            # Two-wheelers lean into curves as riders do; bodies on four wheels lean out by little.
            assert abs(physics.transform(1)[1][2]) < (46.0 if spec.two_wheeler else 6.0)
            assert abs(physics.transform(1)[0][2]) < 0.1


@pytest.mark.parametrize("name", sorted(VEHICLES))
def test_every_vehicle_drops_half_a_metre_and_rests_on_the_road(name: str) -> None:
    physics = with_car(spec=VEHICLES[name], location=(3.0, 4.0, 0.5), rotation=(0.0, 30.0, 0.0))
    heights = []
    for _ in range(24):
        physics.step(DT, SUBSTEPS)
        heights.append(physics.transform(1)[0][2])
    assert min(heights) > -0.12
    # After its landing it does not bounce, and within 1.2 s it lies still with its origin on the road.
    landed = next(n for n, z in enumerate(heights) if z < 0.0)
    assert max(heights[landed + 1 :]) < 0.03
    assert heights[-1] == pytest.approx(0.0, abs=0.005)
    run(physics, 0.5)
    (x, y, z), (pitch, yaw, roll) = physics.transform(1)
    assert (x, y, z) == pytest.approx((3.0, 4.0, 0.0), abs=0.003)
    assert (pitch, yaw, roll) == pytest.approx((0.0, 30.0, 0.0), abs=0.02)
    assert np.abs(physics.velocity(1)).max() < 2e-3


@pytest.mark.parametrize("slope", [0.05, 0.2])
@pytest.mark.parametrize("yaw", [0.0, 135.0, 90.0])
@pytest.mark.parametrize("control", [{"brake": 1.0}, {"hand_brake": True}], ids=["brake", "handbrake"])
def test_a_parked_car_does_not_creep(slope: float, yaw: float, control: dict) -> None:
    physics = with_car(world(slope=slope), location=(0.0, 0.0, 0.05), rotation=on_slope(slope, yaw))
    drive(physics, **control)
    run(physics, 2.0)
    before = np.array(physics.transform(1)[0])
    run(physics, 5.0)
    after = np.array(physics.transform(1)[0])
    assert np.abs(after - before).max() < 0.001
    assert after[2] - slope * after[0] == pytest.approx(0.0, abs=0.02)


def test_without_brake_a_car_rolls_down_a_slope() -> None:
    physics = with_car(world(slope=0.1), location=(0.0, 0.0, 0.05), rotation=on_slope(0.1, 0.0))
    run(physics, 3.0)
    # g sin(slope) less rolling resistance and engine drag.
    assert -2.9 < physics.velocity(1)[0] < -1.0


def test_a_braked_car_stands_still_without_jitter() -> None:
    physics = with_car()
    physics.set_velocity(1, (8.0, 0.0, 0.0))
    drive(physics, brake=1.0)
    run(physics, 3.0)
    places, turns = [], []
    for _ in range(40):
        physics.step(DT, SUBSTEPS)
        places.append(physics.transform(1)[0])
        turns.append(physics.transform(1)[1])
    assert np.ptp(places, axis=0).max() < 2e-4
    assert np.ptp(turns, axis=0).max() < 2e-3


def test_coasting_slows_a_car_mildly() -> None:
    physics = with_car()
    run(physics, 0.5)
    physics.set_velocity(1, (50 / 3.6, 0.0, 0.0))
    run(physics, 3.0)
    assert 0.2 < (50 / 3.6 - speed(physics)) / 3.0 < 1.5


def test_reverse_drives_backwards_in_gear_minus_one() -> None:
    physics, table = with_car(), ActorTable()
    table.add(1, Kind.VEHICLE)
    drive(physics, throttle=0.5, reverse=True)
    run(physics, 3.0)
    physics.read(table)
    assert physics.velocity(1)[0] < -2.0
    assert table[1]["gear"] == -1
    assert table[1]["reverse"] == 1
    assert table[1]["wheel_spin"] < -3.0


@pytest.mark.parametrize(
    ("spec", "least", "most"),
    [(CAR, 1.0, 4.0), (SUV, 2.0, 4.0), (VAN, 2.0, 5.0), (TRUCK, 3.0, 6.0), (BUS, 3.0, 6.0)],
    ids=lambda value: getattr(value, "body", ""),
)
def test_vehicles_understeer_as_their_class(spec, least: float, most: float) -> None:
    def angle_beyond_geometry(pace: float) -> tuple[float, float]:
        """Return the road wheel's angle beyond that of a rolling bicycle, degrees, and the lateral acceleration, g."""
        physics = with_car(spec=spec)
        run(physics, 0.5)
        physics.set_velocity(1, (pace, 0.0, 0.0))
        for _ in range(60):
            drive(physics, throttle=min(1.0, max(0.0, (pace - speed(physics)) * 0.8 + 0.2)), steer=0.02)
            physics.step(DT, SUBSTEPS)
        turning, v = math.radians(physics.angular_velocity(1)[2]), speed(physics)
        outer, inner = (math.radians(physics.wheel_steer_angle(1, wheel)) for wheel in (0, 1))
        bicycle = math.atan(2.0 / (1.0 / math.tan(outer) + 1.0 / math.tan(inner)))
        return math.degrees(bicycle - spec.wheelbase * turning / v), v * turning / 9.81

    (slow, little), (fast, much) = angle_beyond_geometry(8.0), angle_beyond_geometry(18.0)
    assert much > little > 0.0
    assert least <= (fast - slow) / (much - little) <= most


@pytest.mark.parametrize("spec", [CAR, VAN, MOTORCYCLE, BUS], ids=lambda spec: spec.body)
@pytest.mark.parametrize(("dt", "substeps"), [(0.1, 10), (1 / 30, 4)])
def test_step_length_matters_little(spec, dt: float, substeps: int) -> None:
    def journey(dt: float, substeps: int) -> tuple[np.ndarray, float]:
        """Return where ten seconds of curves, coasting and braking end, and how far they went."""
        physics, way = with_car(spec=spec), 0.0
        for seconds, control in (
            (4, {"throttle": 0.8, "steer": 0.05}),
            (3, {"throttle": 0.5, "steer": -0.05}),
            (2, {"throttle": 0.0}),
            (1, {"brake": 0.4}),
        ):
            drive(physics, **control)
            for _ in range(round(seconds / dt)):
                physics.step(dt, substeps)
                way += speed(physics) * dt
        return np.array(physics.transform(1)[0]), way

    (coarse, _), (fine, way) = journey(dt, substeps), journey(0.01, 1)
    assert way > 30.0
    assert np.linalg.norm(coarse - fine) < 0.02 * way


@pytest.mark.parametrize("spec", [CAR, VAN, MOTORCYCLE, BUS], ids=lambda spec: spec.body)
def test_step_length_matters_little_for_how_far_brakes_take(spec) -> None:
    def stop(dt: float, substeps: int) -> float:
        physics = with_car(spec=spec)
        run(physics, 0.5)
        begin = physics.transform(1)[0][0]
        physics.set_velocity(1, (25.0, 0.0, 0.0))
        drive(physics, brake=1.0)
        run(physics, 10.0, dt, substeps)
        assert speed(physics) < 0.01
        return physics.transform(1)[0][0] - begin

    assert stop(0.1, 10) == pytest.approx(stop(0.01, 1), rel=0.01)


def test_steering_right_turns_right_on_the_circle_of_the_wheels() -> None:
    physics = with_car()
    drive(physics, throttle=0.25, steer=0.3)
    run(physics, 2.0)
    drive(physics, throttle=0.1, steer=0.3)
    physics.step(DT, SUBSTEPS)
    inner, outer = physics.wheel_steer_angle(1, 1), physics.wheel_steer_angle(1, 0)
    assert physics.angular_velocity(1)[2] > 0.0
    assert inner > outer > 0.0
    assert physics.wheel_steer_angle(1, 2) == physics.wheel_steer_angle(1, 3) == 0.0
    # Ackermann: cotangents differ by track over wheelbase. The circle is that of the kinematic model, less understeer.
    cot = 1 / math.tan(math.radians(outer)) - 1 / math.tan(math.radians(inner))
    assert cot == pytest.approx(CAR.track / CAR.wheelbase, rel=1e-3)
    radius = speed(physics) / math.radians(physics.angular_velocity(1)[2])
    kinematic = CAR.wheelbase / math.tan(math.radians(inner)) + CAR.track / 2
    assert kinematic * 0.95 < radius < kinematic * 1.35


def test_steering_follows_the_curve_over_speed() -> None:
    physics = with_car()
    run(physics, 0.5)
    for kmh, factor in ((0.0, 1.0), (20.0, 0.88), (60.0, 0.74)):
        physics.set_velocity(1, (kmh / 3.6, 0.0, 0.0))
        physics.set_angular_velocity(1, (0.0, 0.0, 0.0))
        drive(physics, steer=0.1, throttle=0.2)
        physics.step(0.01, 1)
        for _ in range(30):
            physics.set_velocity(1, (kmh / 3.6, 0.0, 0.0))
            physics.step(0.01, 1)
        largest = max(physics.wheel_steer_angle(1, wheel) for wheel in (0, 1))
        assert largest == pytest.approx(0.1 * 70.0 * factor, rel=0.03)


def test_physics_control_is_what_was_set_with_wheels_in_the_world() -> None:
    physics = with_car(location=(10.0, 20.0, 0.0), rotation=(0.0, 90.0, 0.0))
    control = physics.physics_control(1)
    assert msgspec.structs.replace(control, wheels=()) == msgspec.structs.replace(CAR.physics, wheels=())
    front_left = control.wheels[0].position
    # Heading +y, left is +x; centimetres.
    assert front_left.x / 100 == pytest.approx(10.0 + CAR.track / 2, abs=1e-3)
    assert front_left.y / 100 == pytest.approx(20.0 + CAR.wheelbase / 2, abs=1e-3)
    assert front_left.z / 100 == pytest.approx(CAR.wheel_radius, abs=1e-3)


def test_a_client_changes_the_drive_it_reads() -> None:
    def after_a_second(change: dict) -> float:
        physics = with_car()
        run(physics, 0.5)
        physics.set_physics_control(1, msgspec.structs.replace(physics.physics_control(1), **change))
        drive(physics, throttle=1.0)
        run(physics, 1.2)
        return speed(physics)

    plain = after_a_second({})
    weak = tuple(msgspec.structs.replace(p, y=p.y / 2) for p in CAR.physics.torque_curve)
    assert after_a_second({"torque_curve": weak}) == pytest.approx(plain / 2, rel=0.15)
    assert after_a_second({"mass": CAR.mass * 2}) == pytest.approx(plain / 2, rel=0.15)
    assert 0.3 * plain < after_a_second({"final_ratio": CAR.physics.final_ratio * 0.5}) < 0.6 * plain


def test_ice_lets_a_car_slide() -> None:
    physics = with_car()
    run(physics, 0.5)
    control = physics.physics_control(1)
    ice = tuple(msgspec.structs.replace(wheel, tire_friction=0.35) for wheel in control.wheels)
    physics.set_velocity(1, (15.0, 0.0, 0.0))
    physics.set_physics_control(1, msgspec.structs.replace(control, wheels=ice))
    drive(physics, brake=1.0)
    run(physics, 2.0)
    # A tenth of the grip of dry asphalt (1.1): about 1.1 m/s^2 instead of 10.
    assert (15.0 - speed(physics)) / 2.0 == pytest.approx(1.1, rel=0.25)


def test_a_new_mass_keeps_pose_and_motion() -> None:
    physics = with_car(location=(5.0, 6.0, 0.0), rotation=(0.0, 45.0, 0.0))
    run(physics, 0.5)
    physics.set_velocity(1, (7.0, 7.0, 0.0))
    control = physics.physics_control(1)
    physics.set_physics_control(
        1, msgspec.structs.replace(control, mass=2500.0, center_of_mass=Location(0.2, 0.0, 0.1))
    )
    physics.step(DT, SUBSTEPS)
    assert physics.transform(1)[0] == pytest.approx((5.35, 6.35, 0.0), abs=0.02)
    assert physics.physics_control(1).mass == 2500.0
    run(physics, 1.0)
    assert physics.transform(1)[0][2] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    "change", [{"wheels": ()}, {"mass": 0.0}, {"mass": float("nan")}], ids=["no wheels", "no mass", "nan"]
)
def test_an_impossible_physics_control_is_refused_and_changes_nothing(change: dict) -> None:
    physics = with_car()
    before = physics.physics_control(1)
    with pytest.raises(RealityError, match="seat"):
        physics.set_physics_control(1, msgspec.structs.replace(before, **change))
    assert physics.physics_control(1) == before


def test_an_empty_drive_does_not_harm() -> None:
    physics = Physics(world())
    bare = VehiclePhysicsControl(torque_curve=(), forward_gears=(), steering_curve=(), wheels=CAR.physics.wheels)
    physics.add_vehicle(1, CAR, bare)
    drive(physics, throttle=1.0, steer=0.1)
    run(physics, 1.0)
    assert math.isfinite(speed(physics))


def test_telemetry_says_what_the_car_does() -> None:
    physics = with_car()
    run(physics, 1.0)
    rest = physics.telemetry(1)
    assert sum(wheel.tire_load for wheel in rest.wheels) == pytest.approx(CAR.mass * 9.81, rel=0.01)
    drive(physics, throttle=0.6)
    run(physics, 4.0)
    now = physics.telemetry(1)
    assert now.speed == pytest.approx(speed(physics), rel=0.01)
    assert now.gear >= 1
    assert 500.0 < now.engine_rpm < CAR.physics.max_rpm
    assert now.throttle == pytest.approx(0.6)
    for wheel in now.wheels:
        assert wheel.omega == pytest.approx(now.speed / CAR.wheel_radius, rel=0.02)
        assert wheel.long_force > 0.0
    # Air drag as the control has it: 1/2 rho cd A v^2 with the box's face.
    face = CAR.width * CAR.height
    assert now.drag == pytest.approx(0.5 * 1.2 * CAR.physics.drag_coefficient * face * now.speed**2, rel=0.01)


def test_the_handbrake_stops_by_the_rear_wheels() -> None:
    physics = with_car()
    run(physics, 0.5)
    physics.set_velocity(1, (10.0, 0.0, 0.0))
    drive(physics, hand_brake=True)
    run(physics, 1.0)
    assert 2.0 < 10.0 - speed(physics) < 7.0


def test_hand_brake_control_and_lights_reach_the_table() -> None:
    physics, table = with_car(), ActorTable()
    table.add(1, Kind.VEHICLE)
    drive(physics, throttle=0.25, steer=-0.5, brake=0.75, hand_brake=True)
    physics.step(DT, SUBSTEPS)
    physics.read(table)
    row = table[1]
    assert (row["throttle"], row["steer"], row["brake"], row["hand_brake"]) == (0.25, -0.5, 0.75, 1)
    assert row["wheel_steer"][0] < 0.0


def test_two_wheelers_stand_and_lean_into_the_curve() -> None:
    physics = with_car(spec=MOTORCYCLE)
    run(physics, 1.0)
    assert abs(physics.transform(1)[1][2]) < 0.5
    physics.set_velocity(1, (12.0, 0.0, 0.0))
    drive(physics, throttle=0.3, steer=0.08)
    run(physics, 1.5)
    lean = physics.transform(1)[1][2]
    turning = math.radians(physics.angular_velocity(1)[2])
    assert turning > 0.1
    assert lean == pytest.approx(math.degrees(math.atan(speed(physics) * turning / 9.81)), abs=3.0)


def test_on_the_moon_a_car_stands_as_high() -> None:
    physics = Physics(world(), gravity=1.62)
    physics.add_vehicle(1, CAR, None, (0.0, 0.0, 0.1))
    run(physics, 4.0)
    assert physics.transform(1)[0][2] == pytest.approx(0.0, abs=0.005)

"""The blueprint library against CARLA's published figures and the project's vehicle reference classes."""

import math
import re

import numpy as np
import pytest

from engine.blueprints import LIBRARY, PROPS, SENSORS, VEHICLES, WALKERS, parked_vehicle_prop
from engine.protocol.structs import ActorAttributeType

TIMES_S = {
    # body: (to m/s, at least s, at most s); section 2.2 of the science base, and lighter lorries for the trucks
    "hatchback": (27.8, 6.0, 12.5),
    "sedan": (27.8, 5.5, 10.0),
    "sports": (27.8, 4.5, 9.0),
    "suv": (27.8, 6.0, 10.0),
    "pickup": (27.8, 6.0, 10.0),
    "van": (27.8, 12.0, 17.5),
    "truck": (22.2, 12.0, 60.0),
    "bus": (13.9, 8.0, 13.0),
    "bicycle": (5.56, 4.5, 10.0),
}


def full_throttle_s(spec, target_mps):
    """Seconds from rest, by the torque curve, gears and drag a client reads: no tyres, no clutch."""
    physics = spec.physics
    rpm_of = [p.x for p in physics.torque_curve]
    torque = [p.y for p in physics.torque_curve]
    speed, time, gear, pause, step = 0.0, 0.0, 0, 0.0, 0.01
    while speed < target_mps:
        ratio = physics.forward_gears[gear].ratio * physics.final_ratio
        rpm = speed / spec.wheel_radius * ratio * 30.0 / math.pi
        force = 0.0 if pause > 0.0 else 0.92 * np.interp(rpm, rpm_of, torque) * ratio / spec.wheel_radius
        pause -= step
        last = gear + 1 == len(physics.forward_gears)
        if not last and pause <= 0.0 and rpm > physics.forward_gears[gear].up_ratio * physics.max_rpm:
            gear, pause = gear + 1, physics.gear_switch_time
        force = min(force, 0.6 * 9.81 * spec.mass)
        force -= 0.6 * physics.drag_coefficient * spec.width * spec.height * speed**2 + 0.011 * 9.81 * spec.mass
        speed, time = speed + force / spec.mass * step, time + step
        assert time < 120.0, f"{spec.id} never gets there"
    return time


@pytest.mark.parametrize("spec", [v for v in VEHICLES.values() if v.body in TIMES_S], ids=lambda v: v.id)
def test_acceleration_is_of_the_class(spec):
    target, least, most = TIMES_S[spec.body]
    assert least <= full_throttle_s(spec, target) <= most


@pytest.mark.parametrize("spec", VEHICLES.values(), ids=lambda v: v.id)
def test_brakes_and_wheels_fit_the_class(spec):
    wheels = spec.physics.wheels
    force = sum(w.max_brake_torque / (w.radius / 100.0) for w in wheels)
    low, high = {
        "car": (8.0, 11.0),
        "van": (8.0, 9.5),
        "truck": (5.5, 9.7),
        "bus": (5.5, 7.0),
        "motorcycle": (8.0, 10.0),
        "bicycle": (5.0, 6.0),
    }[spec.base_type]
    assert low <= force / spec.mass <= high
    assert len(wheels) == len(spec.wheel_positions) == 4
    assert wheels[0].max_steer_angle > 0.0
    assert wheels[-1].max_steer_angle == 0.0
    assert wheels[0].max_handbrake_torque == 0.0
    assert wheels[-1].max_handbrake_torque > 0.0


@pytest.mark.parametrize("spec", VEHICLES.values(), ids=lambda v: v.id)
def test_wheels_lie_inside_the_box(spec):
    (cx, _, cz), (ex, ey, ez) = spec.box.center, spec.box.extent
    assert cz == pytest.approx(ez)
    for x, y, z in spec.wheel_positions:
        assert abs(x - cx) + spec.wheel_radius <= ex + 0.02, spec.id
        assert abs(y) <= ey
        assert z == spec.wheel_radius


def test_sizes_are_the_published_ones():
    model3 = VEHICLES["vehicle.tesla.model3"]
    assert (model3.length, model3.width, model3.height, model3.center_x) == (4.792, 2.163, 1.488, 0.03)
    assert len(VEHICLES) == 41
    assert VEHICLES["vehicle.carlamotors.european_hgv"].number_of_wheels == 6
    assert WALKERS["walker.pedestrian.0001"].box.extent == (0.188, 0.188, 0.93)
    assert WALKERS["walker.pedestrian.0009"].box.extent == (0.25, 0.25, 0.55)
    assert {w.id[-4:] for w in WALKERS.values() if w.age == "child"} == {
        "0009", "0010", "0011", "0012", "0013", "0014", "0048", "0049",
    }  # fmt: skip
    cone = PROPS["static.prop.trafficcone01"]
    assert (cone.length, cone.width, cone.height) == (0.88, 0.88, 1.13)
    assert "static.prop.bike helmet" in PROPS


def test_definitions_are_well_formed():
    assert len({d.uid for d in LIBRARY.values()}) == len(LIBRARY)
    for name, definition in LIBRARY.items():
        assert definition.id == name == name.lower()
        assert definition.tags == name.replace(".", ",")
        assert [a.id for a in definition.attributes[:2]] == ["role_name", "ros_name"]
        seen_constant = False
        for attribute in definition.attributes:
            assert attribute.is_modifiable == bool(attribute.recommended_values) or attribute.value == ""
            # Modifiable attributes come first.
            seen_constant |= not attribute.is_modifiable
            assert attribute.is_modifiable != seen_constant
            if attribute.is_modifiable:
                assert attribute.value == attribute.recommended_values[0]
            for value in attribute.recommended_values:
                check_text(attribute.type, value)


def check_text(kind, text):
    if kind == ActorAttributeType.BOOL:
        assert text.lower() in ("true", "false")
    elif kind == ActorAttributeType.INT:
        int(text)
    elif kind == ActorAttributeType.FLOAT:
        assert re.fullmatch(r"|-?\d+(\.\d+)?f?", text)
    elif kind == ActorAttributeType.RGB_COLOR:
        assert all(0 <= int(part) <= 255 for part in text.split(","))


def test_sensor_defaults_are_carlas():
    assert SENSORS["sensor.lidar.ray_cast"].defaults["points_per_second"] == "56000"
    assert SENSORS["sensor.lidar.ray_cast"].defaults["dropoff_general_rate"] == "0.45"
    assert SENSORS["sensor.camera.rgb"].defaults["fov"] == "90.0"
    assert SENSORS["sensor.camera.rgb"].type_index == 13
    assert SENSORS["sensor.other.collision"].attributes == ()
    assert not SENSORS["sensor.other.lane_invasion"].streamed
    assert len(SENSORS) == 19


def test_parked_cars_are_props_shaped_like_vehicles():
    path = "/Game/Carla/Static/Car/4Wheeled/ParkedVehicles/Charger/SM_ChargerParked.SM_ChargerParked"
    assert parked_vehicle_prop(path).vehicle == "vehicle.dodge.charger_2020"
    assert parked_vehicle_prop("vehicle.seat.leon").length == VEHICLES["vehicle.seat.leon"].length
    assert parked_vehicle_prop("/Game/Nothing") is None

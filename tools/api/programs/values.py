"""Programs on the client's plain values: they need no server, but servers' answers are made of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import carla

from tools.api.run import Run, program

_NUMBERS: dict[str, dict[str, Any]] = {
    "GeoLocation": {"latitude": 1.5, "longitude": 2.5, "altitude": 3.5},
    "Color": {"r": 1, "g": 2, "b": 3, "a": 4},
    "FloatColor": {"r": 0.25, "g": 0.5, "b": 0.75, "a": 1.0},
    "OpticalFlowPixel": {"x": 0.5, "y": -0.5},
    "VehicleControl": {
        "throttle": 0.5, "steer": -0.25, "brake": 0.75, "hand_brake": True, "reverse": True,
        "manual_gear_shift": True, "gear": 3,
    },
    "VehicleAckermannControl": {"steer": 0.25, "steer_speed": 0.5, "speed": 4.0, "acceleration": 2.0, "jerk": 1.0},
    "AckermannControllerSettings": {
        "speed_kp": 0.5, "speed_ki": 0.25, "speed_kd": 0.125, "accel_kp": 0.75, "accel_ki": 1.5, "accel_kd": 2.5,
    },
    "WalkerControl": {"direction": carla.Vector3D(0.0, 1.0, 0.0), "speed": 1.5, "jump": True},
    "GearPhysicsControl": {"ratio": 2.0, "down_ratio": 0.25, "up_ratio": 0.75},
    "WheelPhysicsControl": {
        "tire_friction": 2.5, "damping_rate": 0.5, "max_steer_angle": 60.0, "radius": 32.0, "max_brake_torque": 900.0,
        "max_handbrake_torque": 1800.0, "lat_stiff_max_load": 3.0, "lat_stiff_value": 20.0, "long_stiff_value": 1500.0,
        "position": carla.Vector3D(1.0, 2.0, 3.0),
    },
    "WeatherParameters": {
        "cloudiness": 10.0, "precipitation": 20.0, "precipitation_deposits": 30.0, "wind_intensity": 40.0,
        "sun_azimuth_angle": 50.0, "sun_altitude_angle": 60.0, "fog_density": 5.0, "fog_distance": 8.0,
        "fog_falloff": 0.5, "wetness": 15.0, "scattering_intensity": 1.0, "mie_scattering_scale": 0.5,
        "rayleigh_scattering_scale": 0.25, "dust_storm": 12.0,
    },
    "WorldSettings": {
        "synchronous_mode": True, "no_rendering_mode": True, "fixed_delta_seconds": 0.25, "substepping": False,
        "max_substep_delta_time": 0.125, "max_substeps": 4, "max_culling_distance": 50.0,
        "deterministic_ragdolls": False,
        "tile_stream_distance": 1000.0, "actor_active_distance": 500.0, "spectator_as_ego": False,
    },
    "OpendriveGenerationParameters": {
        "vertex_distance": 3.0, "max_road_length": 40.0, "wall_height": 0.5, "additional_width": 0.75,
        "smooth_junctions": False, "enable_mesh_visibility": False, "enable_pedestrian_navigation": False,
    },
    "Timestamp": {"frame": 7, "elapsed_seconds": 1.5, "delta_seconds": 0.25, "platform_timestamp": 9.0},
    "VehicleTelemetryData": {
        "speed": 3.0, "steer": 0.5, "throttle": 0.25, "brake": 0.75, "engine_rpm": 900.0, "gear": 2, "drag": 0.5,
    },
    "WheelTelemetryData": {
        "tire_friction": 1.0, "lat_slip": 0.5, "long_slip": 0.25, "omega": 3.0, "tire_load": 4.0,
        "normalized_tire_load": 1.5, "torque": 6.0, "long_force": 7.0, "lat_force": 8.0, "normalized_long_force": 0.75,
        "normalized_lat_force": 0.125,
    },
    "Osm2OdrSettings": {
        "use_offsets": True, "offset_x": 1.0, "offset_y": 2.0, "default_lane_width": 3.0, "elevation_layer_height": 4.0,
        "center_map": False, "proj_string": "+proj=tmerc", "generate_traffic_lights": True,
        "all_junctions_with_traffic_lights": True,
    },
}  # fmt: skip


@program
def plain_values(run: Run) -> None:
    """Every number of every plain value is written and read back; values compare and print themselves."""
    for name, fields in _NUMBERS.items():
        kind = getattr(carla, name)
        value, other = kind(), kind()
        for field, number in fields.items():
            getattr(value, field)
            setattr(value, field, number)
            assert getattr(value, field) == number, f"{name}.{field}"
        if "__eq__" in vars(kind):
            assert value != other
            assert not value == other  # noqa: SIM201 - both operators are to be seen
        str(value)
    assert carla.Timestamp().frame_count == 0


@program
def vectors(run: Run) -> None:
    """Vectors add, scale, measure and divide."""
    a, b = carla.Vector2D(3.0, 4.0), carla.Vector2D(1.0, 2.0)
    assert a.length() == 5.0
    assert a.squared_length() == 25.0
    assert a.make_unit_vector().length() == 1.0 or math.isclose(a.make_unit_vector().length(), 1.0, rel_tol=1e-6)
    assert (a + b).x == 4.0
    assert (a - b).y == 2.0
    assert (a * 2.0).x == 6.0
    assert (2.0 * a).y == 8.0
    assert (a / 2.0).x == 1.5
    assert run.attempt(lambda: 12.0 / a) is not None
    assert a == carla.Vector2D(3.0, 4.0)
    assert a != b
    a.x, a.y = 5.0, 6.0
    _in_place(a, b)
    str(a)
    c, d = carla.Vector3D(1.0, 2.0, 2.0), carla.Vector3D(0.0, 0.0, 3.0)
    assert c.length() == 3.0
    assert c.squared_length() == 9.0
    assert math.isclose(c.make_unit_vector().length(), 1.0, rel_tol=1e-6)
    assert c.dot(d) == 6.0
    assert c.dot_2d(d) == 0.0
    assert (c.cross(d).x, c.cross(d).y) == (6.0, -3.0)
    assert c.distance_squared(d) == 6.0
    assert c.distance_squared_2d(d) == 5.0
    assert math.isclose(c.distance(d), math.sqrt(6.0), rel_tol=1e-6)
    assert math.isclose(c.distance_2d(d), math.sqrt(5.0), rel_tol=1e-6)
    assert math.isclose(c.get_vector_angle(d), math.acos(2.0 / 3.0), rel_tol=1e-5)
    assert (c + d).z == 5.0
    assert (c - d).z == -1.0
    assert (c * 2.0).y == (2.0 * c).y == 4.0
    assert (c / 2.0).x == 0.5
    assert run.attempt(lambda: 12.0 / c) is not None
    assert abs(carla.Vector3D(-1.0, -2.0, 3.0)).x == 1.0
    assert c == carla.Vector3D(1.0, 2.0, 2.0)
    assert c != d
    c.x, c.y, c.z = 1.0, 1.0, 1.0
    assert (c.x, c.y, c.z) == (1.0, 1.0, 1.0)
    _in_place(c, d)
    str(c)


def _in_place(a: Any, b: Any) -> None:
    a += b
    a -= b
    a *= 2.0
    a.__idiv__(2.0)


@program
def places(run: Run) -> None:
    """Locations, rotations, transforms and boxes agree with each other."""
    here = carla.Location(1.0, 2.0, 3.0)
    assert here.distance(carla.Location(1.0, 2.0, 5.0)) == 2.0
    assert abs(carla.Location(-1.0, 2.0, 3.0)) == here
    assert here != carla.Location(carla.Vector3D(0.0, 0.0, 0.0))
    here.x, here.y, here.z = here.x + 1.0, here.y, here.z
    str(here)
    turn = carla.Rotation(pitch=0.0, yaw=90.0, roll=0.0)
    turn.pitch, turn.yaw, turn.roll = turn.pitch, turn.yaw, turn.roll
    assert math.isclose(turn.get_forward_vector().y, 1.0, abs_tol=1e-6)
    assert math.isclose(turn.get_right_vector().x, -1.0, abs_tol=1e-6)
    assert math.isclose(turn.get_up_vector().z, 1.0, abs_tol=1e-6)
    assert turn == carla.Rotation(0.0, 90.0, 0.0)
    assert turn != carla.Rotation()
    str(turn)
    pose = carla.Transform(carla.Location(10.0, 0.0, 0.0), turn)
    pose.location, pose.rotation = pose.location, pose.rotation
    assert pose.transform(carla.Location(1.0, 0.0, 0.0)).distance(carla.Location(10.0, 1.0, 0.0)) < 1e-5
    assert pose.inverse_transform(carla.Location(10.0, 1.0, 0.0)).distance(carla.Location(1.0, 0.0, 0.0)) < 1e-5
    assert math.isclose(pose.transform_vector(carla.Vector3D(1.0, 0.0, 0.0)).y, 1.0, abs_tol=1e-6)
    assert math.isclose(pose.get_forward_vector().y, 1.0, abs_tol=1e-6)
    pose.get_right_vector(), pose.get_up_vector()
    assert math.isclose(pose.get_matrix()[0][3], 10.0)
    assert math.isclose(pose.get_inverse_matrix()[1][3], 10.0, abs_tol=1e-5)
    assert pose == carla.Transform(carla.Location(10.0, 0.0, 0.0), turn)
    assert pose != carla.Transform()
    str(pose)
    box = carla.BoundingBox(carla.Location(0.0, 0.0, 1.0), carla.Vector3D(2.0, 1.0, 1.0))
    box.location, box.extent, box.rotation = box.location, box.extent, box.rotation
    assert isinstance(box.actor_id, int)
    assert box.contains(carla.Location(11.0, 0.0, 1.0), carla.Transform(carla.Location(10.0, 0.0, 0.0)))
    assert not box.contains(carla.Location(20.0, 0.0, 1.0), pose)
    assert len(box.get_local_vertices()) == len(box.get_world_vertices(pose)) == 8
    assert box == carla.BoundingBox(box.location, box.extent) or box != carla.BoundingBox()
    assert box != carla.BoundingBox()
    str(box)


@program
def lists(run: Run) -> None:
    """The client's typed lists behave like lists."""
    bone = carla.WalkerBoneControlOut()
    str(bone)
    kinds: dict[str, Callable[[], Any]] = {
        "vector_of_vector2D": carla.Vector2D,
        "vector_of_transform": carla.Transform,
        "vector_of_bones": carla.bone_transform,
        "vector_of_bones_out": carla.bone_transform_out,
        "vector_of_gears": carla.GearPhysicsControl,
        "vector_of_wheels": carla.WheelPhysicsControl,
        "vector_of_wheels_telemetry": carla.WheelTelemetryData,
        "vector_of_ints": lambda: 3,
    }
    for name, make in kinds.items():
        items = getattr(carla, name)()
        items.append(make())
        items.extend([make(), make()])
        assert len(items) == 3
        items[1] = items[0]
        del items[2]
        assert len(list(items)) == 2
        run.attempt(lambda items=items, make=make: make() in items)
        run.attempt(lambda items=items: str(items))


@program
def bones_and_gears(run: Run) -> None:
    """What holds lists takes Python lists and tuples."""
    bone = carla.bone_transform()
    bone.name, bone.transform = "crl_neck__C", carla.Transform(carla.Location(z=1.0))
    assert bone.name == "crl_neck__C"
    assert bone.transform.location.z == 1.0
    str(bone)
    out = carla.bone_transform_out()
    out.name = "crl_neck__C"
    for field in ("world", "component", "relative"):
        setattr(out, field, carla.Transform(carla.Location(x=2.0)))
        assert getattr(out, field).location.x == 2.0
    assert out.name == "crl_neck__C"
    assert out != carla.bone_transform_out()
    assert not out == carla.bone_transform_out()  # noqa: SIM201
    str(out)
    given = carla.WalkerBoneControlIn()
    given.bone_transforms = [("crl_neck__C", carla.Transform())]
    assert len(given.bone_transforms) == 1
    str(given)
    control = carla.VehiclePhysicsControl()
    numbers = {
        "max_rpm": 6000.0, "moi": 2.0, "damping_rate_full_throttle": 0.25,
        "damping_rate_zero_throttle_clutch_engaged": 1.5, "damping_rate_zero_throttle_clutch_disengaged": 0.5,
        "use_gear_autobox": False, "gear_switch_time": 0.25, "clutch_strength": 8.0, "final_ratio": 3.5, "mass": 1500.0,
        "drag_coefficient": 0.25, "use_sweep_wheel_collision": True,
    }  # fmt: skip
    for field, number in numbers.items():
        setattr(control, field, number)
        assert getattr(control, field) == number
    control.center_of_mass = carla.Vector3D(0.5, 0.0, -0.25)
    assert control.center_of_mass.x == 0.5
    control.torque_curve = [carla.Vector2D(0.0, 400.0), carla.Vector2D(6000.0, 300.0)]
    control.steering_curve = [carla.Vector2D(0.0, 1.0), carla.Vector2D(100.0, 0.5)]
    control.forward_gears = [carla.GearPhysicsControl(3.0, 0.5, 0.75)]
    control.wheels = [carla.WheelPhysicsControl()] * 4
    assert [len(part) for part in (control.torque_curve, control.steering_curve)] == [2, 2]
    assert [len(part) for part in (control.forward_gears, control.wheels)] == [1, 4]
    assert control != carla.VehiclePhysicsControl()
    assert not control == carla.VehiclePhysicsControl()  # noqa: SIM201
    str(control)
    telemetry = carla.VehicleTelemetryData()
    telemetry.wheels = [carla.WheelTelemetryData()]
    assert len(telemetry.wheels) == 1


@program
def textures_and_lights(run: Run) -> None:
    """Textures hold pixels; a light's state holds its numbers."""
    for kind, color in ((carla.TextureColor, carla.Color(1, 2, 3, 4)), (carla.TextureFloatColor, carla.FloatColor())):
        texture = kind(2, 2)
        texture.set_dimensions(4, 3)
        assert (texture.width, texture.height) == (4, 3)
        texture.set(1, 1, color)
        assert texture.get(1, 1) == color
    state = carla.LightState()
    state.intensity, state.color, state.group, state.active = 5.0, carla.Color(9, 8, 7), carla.LightGroup.Street, True
    assert (state.intensity, state.group, state.active) == (5.0, carla.LightGroup.Street, True)
    assert state.color.r == 9


@program
def presets_and_osm(run: Run) -> None:
    """Weather presets and landmark types are there; OpenStreetMap text becomes OpenDRIVE."""
    for name in vars(carla.WeatherParameters):
        if name[0].isupper():
            assert isinstance(getattr(carla.WeatherParameters, name), carla.WeatherParameters)
            run.recorder.note(f"WeatherParameters.{name}")
    assert carla.WeatherParameters.HardRainNoon.precipitation == 100.0
    for name in vars(carla.LandmarkType):
        if name[0].isupper():
            assert isinstance(getattr(carla.LandmarkType, name), str)
            run.recorder.note(f"LandmarkType.{name}")
    settings = carla.Osm2OdrSettings()
    settings.set_osm_way_types(["residential", "primary"])
    settings.set_traffic_light_excluded_way_types(["motorway_link"])
    settings.center_map = True
    assert "<OpenDRIVE" in carla.Osm2Odr.convert(OSM, settings)


OSM = """<osm version="0.6"><bounds minlat="48.0" minlon="8.0" maxlat="48.01" maxlon="8.01"/>
<node id="1" lat="48.001" lon="8.001" version="1"/><node id="2" lat="48.002" lon="8.003" version="1"/>
<node id="3" lat="48.003" lon="8.006" version="1"/>
<way id="9" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/></way></osm>"""
"""A bent residential street."""

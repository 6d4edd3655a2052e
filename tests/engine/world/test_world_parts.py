"""Parts of the world by themselves: substeps, trigger boxes, attachments, maps, sensor periods."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import rotate, translate
from shapely.geometry import box as rectangle

from engine.geometry import Box, SignalSpec
from engine.protocol.structs import (
    AttachmentType,
    EpisodeSettings,
    Location,
    Rotation,
    Transform,
    VehicleAckermannControl,
)
from engine.state import ActorTable, Kind
from engine.traffic_lights import TrafficLights
from engine.world.ackermann import Driver, Pid
from engine.world.attachments import Attachment, Attachments, matrix_of
from engine.world.commands import angles
from engine.world.maps import MapCatalogue, MapNotFound
from engine.world.regions import Regions
from engine.world.sensing import Mounted
from engine.world.steps import substeps
from engine.world.triggers import Triggers
from foundation.errors import InputError
from foundation.frames import pose_matrices, rotation_matrices


@pytest.mark.parametrize(
    ("delta", "limit", "most", "wanted"),
    [(0.05, 0.01, 10, 5), (0.05, 0.01, 3, 3), (0.1, 0.01, 10, 10), (0.016, 0.01, 10, 2), (0.005, 0.01, 10, 1)],
)
def test_substeps(delta, limit, most, wanted):
    assert substeps(EpisodeSettings(max_substep_delta_time=limit, max_substeps=most), delta) == wanted


def test_substepping_can_be_off_or_nonsense():
    assert substeps(EpisodeSettings(substepping=False), 0.05) == 1
    for limit in (0.0, -1.0, math.nan, math.inf):
        assert substeps(EpisodeSettings(max_substep_delta_time=limit), 0.05) == 1
    assert substeps(EpisodeSettings(max_substeps=-5), 0.05) == 1


coordinate = st.floats(-6.0, 6.0)
half = st.floats(0.3, 3.0)
angle = st.floats(-180.0, 180.0)


@given(coordinate, coordinate, half, half, angle, half, half, angle)
@settings(max_examples=300)
def test_trigger_boxes_overlap_as_polygons_do(x, y, a, b, yaw_a, c, d, yaw_b):
    regions = Regions([(1, Box((0.0, 0.0, 0.0), (c, d, 1.0), (0.0, yaw_b, 0.0)))])
    got = regions.overlaps(np.array([[x, y, 0.5]]), np.array([[a, b, 1.0]]), np.array([yaw_a]))
    first = translate(rotate(rectangle(-a, -b, a, b), yaw_a, origin=(0, 0)), x, y)
    second = rotate(rectangle(-c, -d, c, d), yaw_b, origin=(0, 0))
    common = first.intersection(second).area
    if common > 1e-6 or first.distance(second) > 1e-6:
        assert (len(got[0]) == 1) == (common > 0.0)


def test_trigger_boxes_end_at_their_height():
    regions = Regions([(1, Box((0.0, 0.0, 10.0), (2.0, 2.0, 1.0)))])
    low, high = np.array([[0.0, 0.0, 1.0]]), np.array([[0.0, 0.0, 9.0]])
    assert len(regions.overlaps(low, np.ones((1, 3)), np.zeros(1))[0]) == 0
    assert len(regions.overlaps(high, np.ones((1, 3)), np.zeros(1))[0]) == 1


def test_entering_and_leaving_a_light_and_passing_a_sign():
    light = SignalSpec("7", "traffic.traffic_light", (0, 0, 0), (0, 0, 0), (Box((10, 0, 0), (1.5, 1, 1)),), "1", "c")
    sign = SignalSpec("8", "traffic.speed_limit.60", (0, 0, 0), (0, 0, 0), (Box((30, 0, 0), (1, 1, 1)),), value=60.0)
    placed = [(5, light), (6, sign)]
    lights, table = TrafficLights(placed), ActorTable()
    triggers = Triggers(placed, lights)
    row = table.add(9, Kind.VEHICLE)
    row["light_state"], row["speed_limit"] = 2, 30.0
    lights.set_state(5, 0)

    def at(x):
        row["location"] = (x, 0, 0)
        center, extent = np.array([[x, 0.0, 0.7]]), np.array([[2.0, 0.9, 0.7]])
        triggers.update(table.rows, np.array([0]), center, extent, np.zeros(1))
        return int(row["has_light"]), int(row["light_id"]), int(row["light_state"]), float(row["speed_limit"])

    assert at(5.0) == (0, 0, 2, 30.0)
    assert at(7.0) == (1, 5, 0, 30.0)  # the bumper is in the box
    lights.set_state(5, 1)
    assert at(7.1) == (1, 5, 1, 30.0)
    assert at(13.0) == (1, 5, 1, 30.0)  # the tail still is
    assert at(14.0) == (0, 0, 2, 30.0)
    assert at(28.0) == (0, 0, 2, 60.0)
    assert at(50.0) == (0, 0, 2, 60.0)


# --- attachments ----------------------------------------------------------------------------------------------


@pytest.fixture
def table():
    table = ActorTable()
    parent = table.add(1, Kind.VEHICLE)
    parent["location"], parent["rotation"] = (10.0, 20.0, 0.5), (0.0, 90.0, 0.0)
    parent["velocity"], parent["angular_velocity"] = (0.0, 5.0, 0.0), (0.0, 0.0, 90.0)
    table.add(2, Kind.SENSOR, 1)
    table.add(3, Kind.SENSOR, 2)
    return table


def transform(x=0.0, y=0.0, z=0.0, pitch=0.0, yaw=0.0, roll=0.0):
    return Transform(Location(x, y, z), Rotation(pitch, yaw, roll))


def test_rigid_children_and_grandchildren(table):
    attachments = Attachments()
    attachments.add(Attachment(2, 1, AttachmentType.RIGID, matrix_of(transform(2.0, 1.0, 1.5, yaw=90.0))))
    attachments.add(Attachment(3, 2, AttachmentType.RIGID, matrix_of(transform(1.0))))
    attachments.update(table, 0.05)
    # Forward of the parent is +y, its right is -x.
    np.testing.assert_allclose(table[2]["location"], (9.0, 22.0, 2.0), atol=1e-9)
    assert table[2]["rotation"][1] % 360.0 == pytest.approx(180.0)
    np.testing.assert_allclose(table[3]["location"], (8.0, 22.0, 2.0), atol=1e-9)
    # v + w x r: r = (-1, 2, 1.5), w = pi/2 about z.
    np.testing.assert_allclose(table[2]["velocity"], (-math.pi, 5.0 - math.pi / 2, 0.0), atol=1e-9)


def test_children_of_the_gone_stay_where_they_are(table):
    attachments = Attachments()
    attachments.add(Attachment(2, 1, AttachmentType.RIGID, np.eye(4)))
    attachments.update(table, 0.05)
    attachments.drop(1)
    table.remove(1)
    attachments.update(table, 0.05)
    np.testing.assert_allclose(table[2]["location"], (10.0, 20.0, 0.5))
    assert len(attachments) == 0


@pytest.mark.parametrize(("kind", "lift"), [(AttachmentType.SPRING_ARM, 0.3), (AttachmentType.SPRING_ARM_GHOST, 0.0)])
def test_a_boom_lags_in_yaw_and_ignores_roll(table, kind, lift):
    attachments = Attachments()
    attachments.add(Attachment(2, 1, kind, matrix_of(transform(-6.0, 0.0, 3.0))))
    table[1]["rotation"] = (20.0, 0.0, 30.0)
    attachments.update(table, 0.05)
    np.testing.assert_allclose(table[2]["location"], (4.0, 20.0, 3.5 + lift), atol=1e-9)
    forward = pose_matrices(table[2]["location"], table[2]["rotation"])[:3, 0]
    np.testing.assert_allclose(forward, np.array([6.0, 0.0, -3.0]) / math.hypot(6.0, 3.0), atol=1e-9)
    table[1]["rotation"] = (0.0, 90.0, 0.0)
    attachments.update(table, 0.05)
    swung = math.degrees(math.atan2(*(table[2]["location"] - table[1]["location"])[1::-1])) % 360.0
    assert swung == pytest.approx(180.0 + 90.0 * 0.05 * 8.0)


# --- maps -----------------------------------------------------------------------------------------------------


@dataclass
class Made:
    name: str
    text: str


def catalogue(tmp_path, built):
    folder = tmp_path / "maps"
    folder.mkdir()
    (folder / "Alpha.xodr").write_text("alpha")
    (folder / "Beta.xodr").write_text("beta")
    single = tmp_path / "Alpha.xodr"
    single.write_text("my alpha")

    def build(text, name, seed, generation):
        built.append((name, text, seed))
        if text == "broken":
            raise InputError("broken")
        return Made(name, text)

    return MapCatalogue([folder], [single], seed=4, keep=2, builder=build)


def test_maps_are_found_by_carlas_names(tmp_path):
    built = []
    maps = catalogue(tmp_path, built)
    assert {"Alpha", "Beta", "RealityTown"} <= set(maps.names())
    assert "/Game/Carla/Maps/Beta" in maps.full_names()
    assert maps.load("Alpha").text == "my alpha"  # the file given comes before the folder's
    assert maps.load("/Game/Carla/Maps/Beta").text == "beta"
    assert maps.load("/Game/Carla/Maps/Sub/Beta.Beta").text == "beta"
    for name in ("Gamma", "Maps/Beta", "../Beta", "OpenDriveMap", "/Game/"):
        with pytest.raises(MapNotFound, match=f"^Map '{name}' not found$"):
            maps.load(name)
    assert built == [("Alpha", "my alpha", 4), ("Beta", "beta", 4)]  # and each was built once


def test_a_text_becomes_a_map_unless_it_is_broken(tmp_path):
    built = []
    maps = catalogue(tmp_path, built)
    maps.store_opendrive("first")
    with pytest.raises(InputError):
        maps.store_opendrive("broken")
    assert maps.load("OpenDriveMap").text == "first"
    maps.store_opendrive("second")
    assert maps.load("OpenDriveMap").text == "second"


def test_only_the_last_maps_are_kept(tmp_path):
    built = []
    maps = catalogue(tmp_path, built)
    for name in ("Alpha", "Beta", "RealityStreet", "Beta", "Alpha"):
        maps.load(name)
    assert [name for name, _, _ in built] == ["Alpha", "Beta", "RealityStreet", "Alpha"]


# --- sensors and controllers ----------------------------------------------------------------------------------


class FakeSensor:
    period_s = 0.2
    is_camera = False


def test_periods_are_kept_in_simulated_time():
    mounted, captured = Mounted(FakeSensor(), 2), []
    for frame in range(1, 21):
        now = sum([0.05] * frame)  # with the rounding of a real clock
        if mounted.due(now):
            mounted.captured(now)
            captured.append(frame)
    assert captured == [1, 5, 9, 13, 17]
    assert mounted.due(0.05)  # a new episode: the clock began again


def test_the_ackermann_driver_reaches_its_speed_and_stops():
    gains = (Pid(0.15, 0.0, 0.25), Pid(0.01, 0.0, 0.01))
    driver = Driver(VehicleAckermannControl(steer=0.35, steer_speed=0.5, speed=8.0, acceleration=3.0), *gains)
    speed, steer = 0.0, []
    for _ in range(600):
        control = driver.step(speed, 1.0, 0.05)
        steer.append(control.steer)
        speed = max(0.0, speed + (6.0 * control.throttle - 9.0 * control.brake - 0.05 * speed) * 0.05)
    assert speed == pytest.approx(8.0, abs=0.3)
    assert steer[0] == pytest.approx(0.025)
    assert steer[-1] == pytest.approx(0.35)
    driver.target = VehicleAckermannControl(speed=0.0)
    for _ in range(400):
        control = driver.step(speed, 1.0, 0.05)
        speed = max(0.0, speed + (6.0 * control.throttle - 9.0 * control.brake - 0.05 * speed) * 0.05)
    assert speed < 0.1
    assert (control.brake, control.hand_brake, control.throttle) == (1.0, True, 0.0)


@given(*(st.floats(-1080.0, 1080.0) for _ in range(3)))
def test_rotations_are_given_back_as_unreal_does(pitch, yaw, roll):
    told = angles(Rotation(pitch, yaw, roll))
    assert -90.0 <= told[0] <= 90.0
    assert all(-180.0 < angle <= 180.0 for angle in told[1:])
    before, after = rotation_matrices(np.array([(pitch, yaw, roll), told]))
    np.testing.assert_allclose(after, before, atol=1e-9)

"""Every sensor blueprint, and debug shapes, as the genuine client meets them on a running engine."""

from __future__ import annotations

import contextlib
import queue
import time

import carla
import numpy as np
import pytest
from engine_process import engine

STEP_S = 0.05
TICK_S = 60.0
SIZE = {"image_size_x": 96, "image_size_y": 64}
CLIENT_SIDE = ("sensor.other.lane_invasion", "sensor.other.rss")
BEHIND = carla.Transform(carla.Location(x=-7.0, z=3.0), carla.Rotation(pitch=-12.0))


@pytest.fixture(scope="module")
def server():
    with engine() as process:
        yield process


@pytest.fixture(scope="module")
def client(server):
    client = carla.Client("127.0.0.1", server.port)
    client.set_timeout(120.0)
    return client


@pytest.fixture(scope="module")
def world(client):
    world = client.get_world()
    world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
    return world


@pytest.fixture(scope="module")
def car(world):
    return world.spawn_actor(world.get_blueprint_library().find("vehicle.tesla.model3"), spawn_point(world, 0))


def spawn_point(world, number):
    return world.get_map().get_spawn_points()[number]


@contextlib.contextmanager
def spawned(world, name, parent=None, transform=None, attachment=carla.AttachmentType.Rigid, **attributes):
    blueprint = world.get_blueprint_library().find(name)
    for key, value in attributes.items():
        blueprint.set_attribute(key, str(value))
    actor = world.spawn_actor(blueprint, transform or carla.Transform(), parent, attachment)
    try:
        yield actor
    finally:
        if getattr(actor, "is_listening", bool)():
            actor.stop()
        actor.destroy()


@contextlib.contextmanager
def listening(world, name, parent=None, transform=None, **attributes):
    """Yield (sensor, queue of its readings)."""
    with spawned(world, name, parent, transform, **attributes) as sensor:
        readings = queue.Queue()
        sensor.listen(readings.put)
        yield sensor, readings


def tick(world, count=1):
    frame = 0
    for _ in range(count):
        frame = world.tick(TICK_S)
    return frame


def taken(readings, frame):
    """Return the reading of a frame."""
    while True:
        reading = readings.get(timeout=30.0)
        if reading.frame >= frame:
            assert reading.frame == frame
            return reading


def pixels(image):
    """Return (H, W, 4) BGRA; a copy, for the client frees the picture with its object."""
    return np.array(np.frombuffer(image.raw_data, np.uint8).reshape(image.height, image.width, 4))


def silent(readings, wait_s=0.3):
    time.sleep(wait_s)
    return readings.empty()


# --- blueprints --------------------------------------------------------------------------------------------------


def test_every_sensor_blueprint_spawns_listens_and_stops(world, car):
    names = sorted(b.id for b in world.get_blueprint_library().filter("sensor.*"))
    assert len(names) == 19
    quiet = {"collision", "obstacle", "dvs", "v2x", "v2x_custom", "lane_invasion", "rss"}  # nothing to tell at rest
    for name in names:
        size = SIZE if name.startswith("sensor.camera") else {}
        with spawned(world, name, car, BEHIND, **size) as sensor:
            if name in CLIENT_SIDE and name.endswith("rss"):
                continue  # the wheel is built without RSS: listening to it is an error of the client's
            readings = queue.Queue()
            sensor.listen(readings.put)
            frame = tick(world, 1)
            if name.rsplit(".", 1)[1] not in quiet:
                assert taken(readings, frame).timestamp > 0.0, name
            sensor.stop()
            assert not sensor.is_listening()


def test_colour_and_events_and_cosmos(world, car):
    with (
        listening(world, "sensor.camera.rgb", car, BEHIND, **SIZE) as (_, colours),
        listening(world, "sensor.camera.dvs", car, BEHIND, **SIZE) as (_, events),
        listening(world, "sensor.camera.cosmos_visualization", car, BEHIND, **SIZE) as (_, drawings),
    ):
        tick(world)
        world.set_weather(carla.WeatherParameters.ClearSunset)
        frame = tick(world)
        reading = taken(events, frame)
        found = np.frombuffer(
            reading.raw_data, np.dtype([("x", "<u2"), ("y", "<u2"), ("t", "<i8"), ("positive", "u1")])
        )
        assert len(found) == len(reading) > 100
        assert (reading.width, reading.height) == (96, 64)
        assert found["x"].max() < 96
        assert found["y"].max() < 64
        assert (np.diff(found["t"]) >= 0).all()
        now = reading.timestamp * 1e9
        assert (found["t"] <= now + 1).all()
        assert (found["t"] >= now - STEP_S * 1e9 - 1).all()
        assert pixels(taken(colours, frame)).std() > 10.0
        drawing = pixels(taken(drawings, frame))[..., 2::-1].reshape(-1, 3)
        assert {(56, 103, 221), (255, 0, 0)} <= set(map(tuple, drawing.tolist()))
    world.set_weather(carla.WeatherParameters.ClearNoon)
    tick(world)


def test_optical_flow_of_a_panning_camera(world):
    """A camera that turns right by 1 degree sees everything move left by f tan(1 degree) at the centre."""
    place = spawn_point(world, 0)
    place.location.z += 3.0
    with listening(world, "sensor.camera.optical_flow", None, place, **SIZE) as (sensor, readings):
        tick(world)
        still = taken(readings, tick(world))
        assert not np.frombuffer(still.raw_data, np.float32).any()
        place.rotation.yaw += 1.0
        sensor.set_transform(place)
        moved = taken(readings, tick(world))
        flow = np.array(np.frombuffer(moved.raw_data, np.float32).reshape(64, 96, 2))
        middle = flow[30:34, 46:50].reshape(-1, 2).mean(axis=0)
        assert middle[0] * 48 == pytest.approx(-48.0 * np.tan(np.radians(1.0)), abs=0.05)
        assert abs(middle[1]) * 32 < 0.05
        assert moved[0].x == pytest.approx(float(flow[0, 0, 0]))


# --- listening ---------------------------------------------------------------------------------------------------


def test_stop_and_listen_again_and_two_clients_on_one_sensor(world, car, server):
    other = carla.Client("127.0.0.1", server.port)
    other.set_timeout(120.0)
    with listening(world, "sensor.other.gnss", car) as (sensor, readings):
        first = taken(readings, tick(world))
        mirror = other.get_world().get_actor(sensor.id)
        theirs = queue.Queue()
        mirror.listen(theirs.put)
        frame = tick(world)
        ours = taken(readings, frame)
        copy = taken(theirs, frame)
        assert (copy.latitude, copy.longitude) == (ours.latitude, ours.longitude)
        assert copy.latitude == pytest.approx(first.latitude, abs=1e-4)
        sensor.stop()
        tick(world)
        assert taken(theirs, frame + 1).frame == frame + 1
        assert silent(readings)
        mirror.stop()
        sensor.listen(readings.put)
        frame = tick(world)
        assert taken(readings, frame).frame == frame


def test_no_rendering_mode_silences_cameras_only(world, car):
    with (
        listening(world, "sensor.camera.depth", car, BEHIND, **SIZE) as (_, pictures),
        listening(world, "sensor.other.imu", car) as (_, motions),
    ):
        taken(pictures, tick(world))
        settings = world.get_settings()
        settings.no_rendering_mode = True
        world.apply_settings(settings)
        while not pictures.empty():
            pictures.get()
        frame = tick(world)
        assert taken(motions, frame).frame == frame
        assert silent(pictures)
        settings.no_rendering_mode = False
        world.apply_settings(settings)
        frame = tick(world)
        assert taken(pictures, frame).frame == frame


@pytest.mark.parametrize("kind", ["Rigid", "SpringArm", "SpringArmGhost"])
def test_attachment_types(world, car, kind):
    offset = carla.Transform(carla.Location(x=-6.0, z=3.0))
    with spawned(world, "sensor.camera.rgb", car, offset, getattr(carla.AttachmentType, kind), **SIZE) as sensor:
        tick(world, 2)
        own, parent = sensor.get_transform(), car.get_transform()
        away = own.location - parent.location
        assert away.length() == pytest.approx(6.71, abs=0.4)
        if kind == "Rigid":
            assert own.rotation.pitch == pytest.approx(parent.rotation.pitch, abs=0.1)
        else:
            assert own.rotation.pitch == pytest.approx(-26.6, abs=2.0)  # looks back along its arm


def test_a_lidar_tells_the_sector_of_the_step(world, car):
    top = carla.Transform(carla.Location(z=2.5))
    asked = {"rotation_frequency": 5, "points_per_second": 32000, "range": 50, "dropoff_general_rate": 0.0}
    with listening(world, "sensor.lidar.ray_cast", car, top, **asked) as (_, readings):
        frames = [tick(world) for _ in range(4)]
        scans = [taken(readings, frame) for frame in frames]
    # 5 Hz at 0.05 s: a quarter turn in each step.
    angles = [scan.horizontal_angle for scan in scans]
    assert np.diff(np.unwrap(angles)) == pytest.approx([np.pi / 2] * 3, abs=1e-4)
    for scan, before in zip(scans[1:], angles):
        points = np.array(np.frombuffer(scan.raw_data, np.float32).reshape(-1, 4))
        assert 0 < len(points) <= 32 * round(32000 * STEP_S / 32)
        heading = np.degrees(np.arctan2(points[:, 1], points[:, 0]) - before + np.pi) % 360.0
        assert ((heading < 90.5) | (heading > 359.5)).all()
        assert points[:, 3] == pytest.approx(np.exp(-0.004 * np.linalg.norm(points[:, :3], axis=1)), abs=1e-4)


# --- G-buffers, hidden vehicles, V2X -------------------------------------------------------------------------------


def test_gbuffers(world, car):
    names = carla.GBufferTextureID
    with listening(world, "sensor.camera.rgb", car, BEHIND, **SIZE) as (camera, colours):
        queues = {}
        for number in names.values.values():  # all thirteen, as CARLA's own example asks for them
            queues[number] = queue.Queue()
            camera.listen_to_gbuffer(number, queues[number].put)
            assert camera.is_listening_gbuffer(number)
        frame = tick(world)
        found = {number: pixels(taken(readings, frame)) for number, readings in queues.items()}
        taken(colours, frame)
        assert set(np.unique(found[names.CustomStencil][..., 2])) >= {1, 14}  # road and car
        normals = found[names.GBufferA][..., 2::-1].astype(float) / 127.5 - 1.0
        road = found[names.CustomStencil][..., 2] == 1
        assert np.abs(normals[road] - (0.0, 0.0, 1.0)).max() < 0.1
        assert found[names.GBufferC][road].std() < found[names.SceneColor][road].std() + 50.0
        body = found[names.CustomStencil][..., 2] == 14
        metallic, rough = found[names.GBufferB][..., 2], found[names.GBufferB][..., 0]
        assert metallic[body].min() > metallic[road].max()
        assert rough[body].max() < rough[road].min()
        assert not any(found[number][..., :3].any() for number in (names.GBufferD, names.GBufferE, names.GBufferF))
        openness = found[names.SSAO][..., 0]
        assert np.median(openness[road]) > 240, "planes are open"
        assert openness.min() < 225, "corners are not"
        camera.stop_gbuffer(names.GBufferA)
        camera.enable_gbuffers(False)
        tick(world)
        assert silent(queues[names.GBufferC])
        camera.enable_gbuffers(True)
        frame = tick(world)
        assert taken(queues[names.GBufferC], frame).frame == frame
        assert queues[names.GBufferA].empty()


def test_ignored_vehicles(world, car):
    with listening(world, "sensor.camera.instance_segmentation", car, BEHIND, **SIZE) as (camera, readings):
        seen = pixels(taken(readings, tick(world)))
        assert (seen[..., 1] == car.id).sum() > 100
        camera.set_ignored_vehicles([car.id])
        assert not (pixels(taken(readings, tick(world)))[..., 1] == car.id).any()


def test_v2x(world, car):
    second = world.get_blueprint_library().find("vehicle.audi.tt")
    other = world.spawn_actor(second, spawn_point(world, 1))
    try:
        strong = {"filter_distance": 5000, "receiver_sensitivity": -200}
        with (
            listening(world, "sensor.other.v2x", car, **strong) as (_, awareness),
            spawned(world, "sensor.other.v2x", other),
            listening(world, "sensor.other.v2x_custom", car, **strong) as (_, texts),
            spawned(world, "sensor.other.v2x_custom", other) as sender,
        ):
            sender.send("ice ahead")
            frame = tick(world)
            message = taken(awareness, frame)[0].get()
            inner = message["Message"]
            assert inner["Header"]["Station ID"] == other.id
            assert inner["Message"]["CAM Parameters"]["Basic Container"]["Station Type"] == "Passenger Car"
            text = taken(texts, frame)[0]
            assert "ice ahead" in str(text.get())
            assert -200.0 < text.power < 21.5
            tick(world)
            assert silent(texts)
    finally:
        other.destroy()


# --- debug shapes --------------------------------------------------------------------------------------------------


def test_debug_shapes_are_drawn_expire_and_are_cleared(world):
    place = spawn_point(world, 0)
    place.location.z += 2.0
    ahead = place.get_forward_vector()
    at = place.location + ahead * 4.0
    green = carla.Color(0, 255, 0)
    draw = world.debug
    sharp = {"enable_postprocess_effects": "false"}  # smoothed edges have other colours
    with (
        listening(world, "sensor.camera.rgb", None, place, **SIZE, **sharp) as (_, colours),
        listening(world, "sensor.camera.instance_segmentation", None, place, **SIZE) as (_, labels),
        listening(world, "sensor.camera.depth", None, place, **SIZE) as (_, depths),
    ):

        def look():
            frame = tick(world)
            return [pixels(taken(readings, frame)) for readings in (colours, labels, depths)]

        def marked(picture):
            return int((picture[..., 2::-1] == (0, 255, 0)).all(axis=-1).sum())

        plain = look()
        assert np.array_equal(look()[0], plain[0])
        draw.draw_point(at, 0.2, green, 0.12)
        seen = [look() for _ in range(4)]
        assert [marked(colour) > 100 for colour, _, _ in seen] == [True, True, False, False]
        assert all(np.array_equal(found[n], plain[n]) for found in seen for n in (1, 2))
        assert np.array_equal(seen[-1][0], plain[0])
        up = carla.Location(z=1.0)
        for shape in (
            lambda: draw.draw_line(at - up, at + up, 0.1, green, -1.0),
            lambda: draw.draw_arrow(at - up, at + up, 0.1, 0.3, green, 0.0),
            lambda: draw.draw_box(
                carla.BoundingBox(at, carla.Vector3D(0.5, 0.5, 0.5)), place.rotation, 0.1, green, 0.0
            ),
        ):
            shape()
            assert marked(look()[0]) > 20
            assert marked(look()[0]) > 20  # 0 and -1 stay
            draw.clear_debug_shape()
            assert np.array_equal(look()[0], plain[0])
        # As in CARLA, sensors see neither texts nor HUD shapes.
        draw.draw_string(at, "text", False, green, 0.0)
        draw.draw_hud_line(at - up, at + up, 5.0, green, 0.0)
        assert np.array_equal(look()[0], plain[0])
        spectator = world.get_spectator()
        spectator.set_transform(place)
        with listening(world, "sensor.camera.rgb", spectator, **SIZE, **sharp) as (_, window):
            assert marked(pixels(taken(window, tick(world)))) > 50
            draw.clear_debug_shape()
            draw.clear_debug_string()
            assert marked(pixels(taken(window, tick(world)))) == 0


def test_lens_and_ineffective_attributes(world, server):
    place = spawn_point(world, 0)
    place.location.z += 2.0
    bent = {"lens_circle_multiplier": 4.0, "lens_circle_falloff": 2.0, "lens_x_size": 0.2, "lens_y_size": 0.2}
    with (
        listening(world, "sensor.camera.semantic_segmentation", None, place, **SIZE) as (_, straight),
        listening(world, "sensor.camera.semantic_segmentation", None, place, **SIZE, **bent) as (_, curved),
        spawned(world, "sensor.camera.rgb", None, place, bloom_intensity=3.0),
    ):
        frame = tick(world)
        a, b = pixels(taken(straight, frame)), pixels(taken(curved, frame))
        assert (a != b).any(axis=-1).mean() > 0.01
        assert set(np.unique(b[..., 2])) <= set(np.unique(a[..., 2]))
        assert np.array_equal(a[30:34, 46:50], b[30:34, 46:50])
    assert server.log_text().count("bloom_intensity has no effect here") == 1


def test_a_broken_shape_does_not_stop_the_world(world, client):
    world.debug.draw_point(carla.Location(float("nan"), 0.0, 0.0), 0.1)
    tick(world)
    assert client.get_server_version() == "0.9.16"

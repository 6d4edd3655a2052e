"""Capture and labels through the genuine client on a real server: the embedded engine, or REALITY_CARLA=host:port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import carla
import numpy as np
import pytest

from foundation.errors import DeadlineError, InputError, RealityError
from foundation.frames import invert, transform_points
from foundation.ids import Tag
from sensors import projection, rig
from sensors.capture import attach
from sensors.labels import Labeler, label

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = "REALITY_CARLA" not in os.environ
pytestmark = pytest.mark.timeout(180)

RIG = rig.parse(
    """
name: live
sensors:
  - {name: front, type: camera, width: 480, height: 360, pose: {x: 1.2, z: 1.6},
     outputs: [rgb, depth, semantic, instance], attributes: {gamma: 2.2}}
  - &lidar
    name: roof
    type: lidar
    pose: {z: 2.4}
    attributes: {channels: 32, range: 60, points_per_second: 640000, rotation_frequency: 20, lower_fov: -25,
                 dropoff_general_rate: 0, dropoff_zero_intensity: 0}
  - {name: truth, type: lidar, semantic: true, pose: {z: 2.4},
     attributes: {channels: 32, range: 60, points_per_second: 640000, rotation_frequency: 20, lower_fov: -25}}
  - {name: nose, type: radar, pose: {x: 2.5, z: 0.7}, attributes: {points_per_second: 4000}}
  - {name: imu, type: imu}
  - {name: gnss, type: gnss, period_s: 0.1}
"""
)


@pytest.fixture(scope="module")
def world():
    """A synchronous world of 20 Hz."""
    if not EMBEDDED:
        host, port = os.environ["REALITY_CARLA"].rsplit(":", 1)
        yield from _session(host, int(port))
        return
    server = subprocess.Popen(
        [sys.executable, "-m", "engine", "--port", "0", "--exit-with-stdin"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    watchdog = threading.Timer(60, server.kill)
    watchdog.start()
    try:
        line = next((line for line in server.stdout if "listening on" in line), "")
        watchdog.cancel()
        found = re.search(r"listening on (\S+):(\d+)", line)
        assert found, "the engine did not start"
        yield from _session(found[1], int(found[2]))
    finally:
        watchdog.cancel()
        server.kill()
        server.wait(20)


def _session(host, port):
    client = carla.Client(host, port)
    client.set_timeout(60.0)
    world = client.get_world()
    settings = world.get_settings()
    before = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
    world.apply_settings(settings)
    world.tick()
    yield world
    world.apply_settings(before)


@pytest.fixture(scope="module")
def street(world):
    """The ego with cars, a bicycle, a lorry and people in front of it; (world, ego)."""
    library = world.get_blueprint_library()
    start = sorted(world.get_map().get_spawn_points(), key=lambda p: (p.location.x, p.location.y))[10]
    ahead, right = start.get_forward_vector(), start.get_right_vector()
    ego = world.spawn_actor(library.find("vehicle.tesla.model3"), start)
    actors = [ego]
    for blueprint, forward, aside, yaw, lift in (
        ("vehicle.audi.tt", 9, -3.5, 180, 0.3),
        ("vehicle.lincoln.mkz_2020", 14, 0.3, 0, 0.3),
        ("vehicle.carlamotors.carlacola", 24, -3.4, 170, 0.3),
        ("vehicle.diamondback.century", 12, 2.4, 20, 0.3),
        ("walker.pedestrian.0003", 7, 3.0, 60, 1.2),
        ("walker.pedestrian.0010", 8, 3.6, 200, 1.2),
        ("walker.pedestrian.0020", 17, -2.0, 90, 1.2),
    ):
        where = start.location + ahead * forward + right * aside
        where.z += lift
        actor = world.try_spawn_actor(
            library.find(blueprint), carla.Transform(where, carla.Rotation(yaw=start.rotation.yaw + yaw))
        )
        assert actor is not None, blueprint
        actors.append(actor)
    for _ in range(20):
        world.tick()
    yield world, ego
    for actor in reversed(actors):
        actor.destroy()
    world.tick()


@pytest.fixture(scope="module")
def captured(street):
    """(frame, labels) of one frame of the street."""
    world, ego = street
    labeler = Labeler()
    with attach(world, ego, RIG, seed=3) as capture:
        for _ in range(2):
            frame = capture.frame(world.tick(), timeout_s=60)
            labels = labeler.label(frame)
    return frame, labels


def sensors_in(world):
    world.tick()
    return [actor.type_id for actor in world.get_actors() if actor.type_id.startswith("sensor.")]


def test_a_frame_has_every_sensor_and_the_snapshots_truth(captured):
    frame, labels = captured
    assert set(frame.readings) == {"front", "roof", "truth", "nose", "imu"}  # gnss: every other frame, the first
    front = frame.readings["front"]
    assert front.rgb.shape == (360, 480, 3)
    assert front.depth_m.shape == front.tag.shape == front.instance.shape == (360, 480)
    assert front.rgb.std() > 10
    assert frame.ego.type_id == "vehicle.tesla.model3"
    assert sorted(obj.class_name for obj in labels.objects if obj.distance_m < 30 and obj.state.actor_id) == [
        "bicycle", "car", "car", "pedestrian", "pedestrian", "pedestrian", "truck"
    ]  # fmt: skip
    assert frame.readings["imu"].accelerometer_mps2[2] == pytest.approx(9.81, abs=0.5)


@pytest.mark.skipif(not EMBEDDED, reason="only our engine's instance numbers are actor ids")
def test_the_geometric_match_finds_the_true_actor_of_every_pixel(captured):
    frame, labels = captured
    front, seen = frame.readings["front"], labels.cameras["front"]
    actor_of = {obj.track_id: obj.state.actor_id for obj in labels.objects}
    own = seen.tracks > 0
    found = np.array([actor_of.get(t, 0) for t in range(seen.tracks.max() + 1)])[seen.tracks[own]]
    assert own.sum() > 5000
    assert ((found & 0x7FFF) == front.instance[own])[found > 0].all()
    assert seen.unmatched == ()
    users = np.isin(front.tag, [int(Tag.CAR), int(Tag.PEDESTRIANS), int(Tag.TRUCK), int(Tag.BICYCLE), int(Tag.RIDER)])
    ego_pixels = front.instance == frame.ego_id & 0x7FFF
    assert (own | ego_pixels)[users].all()


def test_boxes_sit_on_their_objects(captured):
    """The tight box of an uncovered vehicle lies in its projected box and fills it up to the box's empty corners."""
    _, labels = captured
    checked = 0
    for view in labels.cameras["front"].objects:
        if not view.visible_px > 200 or view.truncation > 0 or view.occlusion > 0.02:
            continue
        slack = 0.02 * max(view.box_amodal[2] - view.box_amodal[0], view.box_amodal[3] - view.box_amodal[1]) + 2
        left, top, right, bottom = (v - a for v, a in zip(view.box_visible, view.box_amodal))
        limbs = 14 if next(o for o in labels.objects if o.track_id == view.track_id).category is Tag.PEDESTRIANS else 0
        assert left > -slack - limbs
        assert right < slack + limbs
        assert top > -slack
        assert bottom < slack
        assert abs(top) < 0.25 * (view.box_amodal[3] - view.box_amodal[1]) + slack
        checked += 1
    assert checked >= 3


def test_depth_pixels_lie_in_the_3d_box(captured):
    frame, labels = captured
    front, seen = frame.readings["front"], labels.cameras["front"]
    for obj in labels.objects:
        rows, columns = np.nonzero(seen.tracks == obj.track_id)
        if len(rows) < 100:
            continue
        rays = projection.rays(columns + 0.5, rows + 0.5, front.width, front.height, front.focal_px)
        points = transform_points(front.world_from_camera, rays * front.depth_m[rows, columns].astype(float)[:, None])
        local = np.abs(transform_points(invert(obj.state.world_from_box), points)) - obj.state.box_extent
        limit = 0.45 if obj.category is Tag.PEDESTRIANS else 0.05
        assert (local <= limit).all(axis=1).mean() > 0.99, obj.state.type_id


def test_road_pixels_lie_on_the_road(captured, street):
    world, _ = street
    front = captured[0].readings["front"]
    rows, columns = np.nonzero((front.tag == Tag.ROADS) & (front.depth_m < 22))
    assert len(rows) > 1000
    for i in np.linspace(0, len(rows) - 1, 40).astype(int):
        depth = float(front.depth_m[rows[i], columns[i]])
        ray = projection.rays(columns[i] + 0.5, rows[i] + 0.5, front.width, front.height, front.focal_px)
        point = transform_points(front.world_from_camera, (ray * depth)[None])[0]
        ground = world.ground_projection(carla.Location(float(point[0]), float(point[1]), float(point[2]) + 0.05), 1.0)
        assert ground is not None
        assert ground.location.z == pytest.approx(point[2], abs=0.01)


def test_lidar_labels_of_boxes_agree_with_the_engines_truth(captured):
    frame, labels = captured
    plain, truth = frame.readings["roof"], frame.readings["truth"]
    np.testing.assert_allclose(plain.points, truth.points, atol=1e-3)
    boxes, told = labels.lidars["roof"], labels.lidars["truth"]
    objects = told.track_id > 0
    assert objects.sum() > 300
    assert (boxes.track_id == told.track_id)[objects].mean() > 0.97  # mirrors and limbs stick out of boxes
    assert (boxes.track_id[~objects] == 0).mean() > 0.999
    by_track = {obj.track_id: obj for obj in labels.objects}
    for track in np.unique(told.track_id[objects]):
        tags = set(truth.tag[told.track_id == track].tolist())
        assert tags <= set(by_track[track].state.tags)


def test_lidar_points_land_on_pixels_of_their_object(captured):
    frame, labels = captured
    front, truth = frame.readings["front"], frame.readings["truth"]
    world_points = transform_points(truth.world_from_sensor, truth.points)
    points = transform_points(invert(front.world_from_camera), world_points)
    u, v = projection.project(points[points[:, 0] > 1], front.width, front.height, front.focal_px).T
    index = np.flatnonzero(points[:, 0] > 1)
    inside = (u >= 0) & (u < front.width) & (v >= 0) & (v < front.height)
    index, u, v = index[inside], u[inside].astype(int), v[inside].astype(int)
    shown = np.abs(front.depth_m[v, u] - points[index, 0]) < 0.1  # the camera sees the same surface there
    assert shown.sum() > 1000
    tracks = labels.cameras["front"].tracks[v[shown], u[shown]]
    told = labels.lidars["truth"].track_id[index[shown]]
    ego = truth.actor_id[index[shown]] == frame.ego_id
    assert (tracks == told)[~ego].mean() > 0.99
    assert (front.tag[v[shown], u[shown]] == truth.tag[index[shown]])[~ego].mean() > 0.98


def test_slow_sensors_are_due_at_their_own_rate(street):
    world, ego = street
    with attach(world, ego, RIG) as capture:
        had = ["gnss" in capture.frame(world.tick(), 60).readings for _ in range(5)]
    assert had == [True, False, True, False, True]


def test_close_destroys_every_sensor(street):
    world, ego = street
    before = sensors_in(world)
    capture = attach(world, ego, RIG)
    assert len(sensors_in(world)) == len(before) + 9
    capture.close()
    capture.close()
    assert sensors_in(world) == before


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ("{rnge: 30}", "sensor.other.radar has no attribute 'rnge'"),
        ("{range: far}", "refuses range = 'far'"),
    ],
)
def test_attributes_are_checked_against_the_servers_blueprint_and_nothing_stays(street, attributes, words):
    world, ego = street
    before = sensors_in(world)
    text = f"name: w\nsensors:\n - {{name: imu, type: imu}}\n - {{name: r, type: radar, attributes: {attributes}}}"
    wrong = rig.parse(text, "w.yaml")
    with pytest.raises(InputError) as caught:
        attach(world, ego, wrong)
    assert words in str(caught.value)
    name = attributes[1:].split(":")[0]
    assert (caught.value.file, caught.value.element) == ("w.yaml", f"sensors[1].attributes.{name}")
    assert sensors_in(world) == before


def test_a_frame_that_is_gone_is_refused(street):
    world, ego = street
    with attach(world, ego, RIG) as capture:
        old = world.tick()
        world.tick()
        with pytest.raises(RealityError, match=f"frame {old} was asked for, the world shows {old + 1}"):
            capture.frame(old)


def test_a_silent_sensor_is_named_with_those_that_answered(street):
    world, ego = street
    settings = world.get_settings()
    with attach(world, ego, RIG) as capture:
        capture.frame(world.tick(), 60)
        settings.no_rendering_mode = True  # cameras fall silent
        world.apply_settings(settings)
        try:
            frame = world.tick()
            with pytest.raises(DeadlineError) as caught:
                capture.frame(frame, timeout_s=1.0)
        finally:
            settings.no_rendering_mode = False
            world.apply_settings(settings)
    text = str(caught.value)
    assert re.match(rf"front\.rgb: no reading for frame {frame} within 1\.0 s \(last was \d+; ", text)
    assert "imu, nose, roof, truth answered" in text.replace("gnss, ", "")
    assert "Also missing: front.depth, front.semantic, front.instance" in text


def test_labels_are_the_same_for_the_same_frame(captured):
    frame, _ = captured
    first, second = label(frame), label(frame)
    assert (first.cameras["front"].tracks == second.cameras["front"].tracks).all()
    views = [[v.occlusion for v in labels.cameras["front"].objects] for labels in (first, second)]
    assert views[0] == views[1]

"""Recording a world and playing it back, in one process and without sockets."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from engine.protocol.structs import (
    ActorAttributeValue,
    ActorDescription,
    Location,
    Rotation,
    Transform,
    Vector3D,
    VehicleControl,
    WalkerControl,
)
from engine.recorder import Order, Recorder, log_file
from engine.recorder.log_file import Recording
from engine.recorder.records import NO_ACTOR
from engine.state import Kind
from engine.world import commands
from engine.world.maps import MapCatalogue
from engine.world.spawning import spawn
from engine.world.world import World
from foundation.ids import Tag

DT_S = 0.05
UP = Transform(Location(0.0, 0.0, 2.5), Rotation())


class Nobody:
    def listened(self, stream_id):
        return False

    def publish(self, stream_id, message):
        pass


@pytest.fixture(scope="module")
def streets(tmp_path_factory):
    saved = tmp_path_factory.mktemp("saved")
    return World(MapCatalogue(), "RealityStreet", publisher=Nobody(), recorder=Recorder(saved))


@pytest.fixture
def world(streets):
    streets.load("RealityStreet", reset_settings=True)
    streets.recorder.time_factor, streets.recorder.ignore_hero, streets.recorder.ignore_spectator = 1.0, False, True
    return streets


def put(world, blueprint, transform, parent=0, **attributes):
    values = tuple(ActorAttributeValue(name, 4, text) for name, text in attributes.items())
    return spawn(world, ActorDescription(0, blueprint, values), transform, parent).id


def on_road(world, ahead_m=0.0, lift_m=0.3):
    (x, y, z), (pitch, yaw, roll) = world.map.static.spawn_points[0]
    dx, dy = ahead_m * np.cos(np.radians(yaw)), ahead_m * np.sin(np.radians(yaw))
    return Transform(Location(x + dx, y + dy, z + lift_m), Rotation(pitch, yaw, roll))


def poses(world, ids=None):
    rows = world.table.rows
    ids = ids if ids is not None else rows["id"][np.isin(rows["kind"], [Kind.VEHICLE, Kind.WALKER])].tolist()
    return {i: (*world.table[i]["location"], *world.table[i]["rotation"]) for i in ids if i in world.table}


def record(world, ticks, name="a.log", additional=False, during=lambda number: None):
    """Record and return the path and what the world looked like in each frame."""
    path = world.recorder.start(world, name, additional=additional)
    seen = []
    for number in range(ticks):
        during(number)
        world.tick(DT_S)
        seen.append(poses(world))
    world.recorder.stop()
    return path, seen


def clear(world):
    for identity, entry in sorted(world.actors.items()):
        if entry.kind in (Kind.VEHICLE, Kind.WALKER, Kind.PROP, Kind.SENSOR):
            world.destroy(identity)


def farthest(one, other):
    assert set(one) == set(other)
    return max((abs(a - b) for i in one for a, b in zip(one[i][:3], other[i][:3])), default=0.0)


@pytest.fixture
def scene(world):
    """A car that drives, a lorry that stands, somebody who walks."""
    car = put(world, "vehicle.tesla.model3", on_road(world), role_name="hero")
    other = put(world, "vehicle.audi.tt", on_road(world, 25.0))
    walker = put(world, "walker.pedestrian.0004", Transform(Location(0.0, 9.0, 1.2), Rotation()))
    world.tick(DT_S)
    commands.control_vehicle(world, car, VehicleControl(throttle=0.6, steer=0.02))
    commands.control_walker(world, walker, WalkerControl(Vector3D(1.0, 0.0, 0.0), 1.4, False))
    return car, other, walker


# --- what is written ---------------------------------------------------------------------------------------------


def test_a_recording_holds_what_the_world_showed(world, scene):
    car, other, walker = scene
    path, seen = record(world, 12, additional=True)
    with Recording(path) as recording:
        assert recording.info.map_name == "RealityStreet"
        frames = list(recording.frames())
        assert recording.lost_bytes == 0
    assert [frame.number for frame in frames] == list(range(1, 13))
    np.testing.assert_allclose([frame.elapsed_s for frame in frames], np.arange(12) * DT_S)
    np.testing.assert_allclose([frame.duration_s for frame in frames], [DT_S] * 11 + [-1.0])
    assert {item.id for item in frames[0].created} == set(world.actors)
    assert not any(frame.created for frame in frames[1:])
    for frame, shown in zip(frames, seen):
        found = {int(record["id"]): record for record in frame.positions}
        for identity, pose in shown.items():
            np.testing.assert_allclose(found[identity]["location"] / 100.0, pose[:3], atol=1e-4)
            np.testing.assert_allclose(found[identity]["rotation"][[1, 2, 0]], pose[3:], atol=1e-4)
    last = frames[-1]
    assert last.vehicles["throttle"][last.vehicles["id"] == car] == pytest.approx(0.6)
    assert last.walkers["speed"][last.walkers["id"] == walker] == pytest.approx(1.4)
    np.testing.assert_allclose(
        last.kinematics["velocity"][last.kinematics["id"] == car][0], world.table[car]["velocity"], rtol=1e-5
    )
    boxes = {int(box["id"]): box for box in frames[0].boxes}
    np.testing.assert_allclose(boxes[car]["extent"] / 100.0, world.actors[car].box.extent, rtol=1e-6)
    assert [item.id for item in frames[0].physics_controls] == [car, other]
    assert frames[0].physics_controls[0].control.mass == pytest.approx(world.physics.physics_control(car).mass)
    assert len(last.bones) == 1
    assert len(last.bones[0].bones) > 20


def test_who_comes_and_goes_is_written(world, scene):
    car, _, _ = scene
    made = {}

    def during(number):
        if number == 3:
            made["camera"] = put(world, "sensor.camera.rgb", UP, car)
        if number == 5:
            world.destroy(scene[1])
        if number == 6:
            made["prop"] = put(world, "static.prop.trafficcone01", on_road(world, 40.0))

    path, _ = record(world, 8, during=during)
    with Recording(path) as recording:
        frames = list(recording.frames())
    assert [item.id for item in frames[3].created] == [made["camera"]]
    # What hangs on another is written where it is relative to that, as in CARLA.
    np.testing.assert_allclose(frames[3].created[0].location, (0.0, 0.0, 250.0))
    assert frames[3].parented.tolist() == [(made["camera"], car)]
    assert frames[5].deleted.tolist() == [scene[1]]
    assert [item.type_id for item in frames[6].created] == ["static.prop.trafficcone01"]
    assert made["prop"] in frames[7].positions["id"]


def test_physics_controls_and_lights_are_written_when_they_change(world, scene):
    car = scene[0]

    def during(number):
        if number == 2:
            commands.set_light_state(world, car, 1 | 2 | 8)
        if number == 4:
            commands.set_physics_control(world, car, world.physics.physics_control(car))

    path, _ = record(world, 6, additional=True, during=during)
    with Recording(path) as recording:
        frames = list(recording.frames())
    flags = [int(frame.vehicle_lights["flags"][frame.vehicle_lights["id"] == car][0]) for frame in frames]
    assert flags == [0, 0, 11, 11, 11, 11]
    assert [len(frame.physics_controls) for frame in frames] == [2, 0, 0, 0, 1, 0]


def test_collisions_are_written_with_their_heroes(world, scene):
    car, other, _ = scene
    put(world, "sensor.other.collision", Transform(), car)
    commands.set_transform(world, car, on_road(world, 17.0, 0.05))
    commands.set_target_velocity(world, car, Vector3D(*(12.0 * part for part in heading(world))))
    record(world, 25)
    text = world.recorder.collisions("a.log", "h", "v")
    rows = [line.split() for line in text.splitlines() if "vehicle." in line]
    assert rows, text
    assert rows[0][1:] == ["v", "v", str(car), "vehicle.tesla.model3", str(other), "vehicle.audi.tt"]
    assert "vehicle." not in world.recorder.collisions("a.log", "w", "a")
    assert f"Collision id 0 between {car} (hero)  with {other}" in world.recorder.file_info("a.log", show_all=False)


def test_only_collision_sensors_record_collisions(world, scene):
    car, other, _ = scene
    commands.set_transform(world, car, on_road(world, 17.0, 0.05))
    commands.set_target_velocity(world, car, Vector3D(*(12.0 * part for part in heading(world))))
    put(world, "sensor.other.collision", Transform(), other)
    path, _ = record(world, 25)
    with Recording(path) as recording:
        felt = {(int(r["actor_1"]), int(r["actor_2"])) for frame in recording.frames() for r in frame.collisions}
    assert (other, car) in felt
    assert {one for one, _ in felt} == {other}


def heading(world):
    yaw = np.radians(world.map.static.spawn_points[0][1][1])
    return float(np.cos(yaw)), float(np.sin(yaw)), 0.0


def test_things_that_are_no_actors_are_written_as_such(world, scene):
    car = scene[0]
    reach = [
        (np.linalg.norm(thing.model.box.extent), thing)
        for thing in world.map.static.objects
        if thing.tag == Tag.BUILDINGS
    ]
    _, house = max(reach, key=lambda pair: pair[0])
    wall = house.pose[:3, 3] - house.pose[:3, 0] * house.model.box.extent[0]
    commands.set_transform(
        world, car, Transform(Location(float(wall[0]), float(wall[1]), float(wall[2]) + 0.5), Rotation())
    )
    put(world, "sensor.other.collision", Transform(), car)
    path, _ = record(world, 5)
    with Recording(path) as recording:
        others = [
            (int(row["actor_1"]), int(row["actor_2"])) for frame in recording.frames() for row in frame.collisions
        ]
    assert (car, NO_ACTOR) in others
    assert f"{car} vehicle.tesla.model3" in world.recorder.collisions("a.log", "v", "o")


# --- replays -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1.0, 2.0, 4.0, 0.5])
def test_a_replay_agrees_with_the_recording(world, scene, factor):
    _, seen = record(world, 40)
    clear(world)
    world.recorder.set_time_factor(factor)
    text = world.recorder.start_replay(world, "a.log", Order())
    assert f"Replaying from 0 s - 1.95 s (1.95 s) at {factor:.1f}x" in text
    for number in range(int(39 / factor) + 1):
        world.tick(DT_S)
        at = number * factor
        if at == int(at):
            assert farthest(poses(world), seen[int(at)]) < 1e-3, number
    assert world.recorder.replaying == (39 % factor != 0)


def test_between_frames_places_are_interpolated(world, scene):
    car = scene[0]
    _, seen = record(world, 30)
    clear(world)
    world.recorder.set_time_factor(0.25)
    world.recorder.start_replay(world, "a.log", Order(start_s=0.5))
    for number in range(8):
        world.tick(DT_S)
        before, after = np.array(seen[10 + number // 4][car]), np.array(seen[11 + number // 4][car])
        wanted = before + (after - before) * (number % 4) / 4.0
        np.testing.assert_allclose(poses(world)[car][:3], wanted[:3], atol=1e-4)


@pytest.mark.parametrize(
    ("start", "duration", "first", "frames"), [(-0.5, 0.0, 29, 11), (0.5, 0.25, 10, 6), (-99.0, 0.1, 0, 3)]
)
def test_a_replay_begins_and_ends_when_asked(world, scene, start, duration, first, frames):
    _, seen = record(world, 40)
    clear(world)
    world.recorder.start_replay(world, "a.log", Order(start_s=start, duration_s=duration))
    for number in range(frames):
        assert world.recorder.replaying
        world.tick(DT_S)
        assert farthest(poses(world), seen[first + number]) < 1e-3
    assert not world.recorder.replaying


def test_actors_are_reused_or_made_again_under_their_ids(world, scene):
    car, other, walker = scene
    record(world, 10)
    world.destroy(other)
    assert world.recorder.start_replay(world, "a.log", Order()).startswith("Replaying File: ")
    assert world.actors[other].type_id == "vehicle.audi.tt"
    assert {identity for identity, entry in world.actors.items() if entry.kind == Kind.VEHICLE} == {car, other}
    assert not world.actors[car].simulates_physics
    fresh = put(world, "vehicle.mini.cooper_s", on_road(world, 60.0))
    assert fresh > max(car, other, walker)


def test_an_id_that_another_kind_has_is_not_taken(world, scene):
    car = scene[0]
    record(world, 5)
    clear(world)
    world.wanted_id = car
    squatter = put(world, "static.prop.trafficcone01", on_road(world, 80.0))
    assert squatter == car
    world.recorder.start_replay(world, "a.log", Order(follow=car))
    assert world.actors[car].type_id == "static.prop.trafficcone01"
    tesla = [i for i, entry in world.actors.items() if entry.type_id == "vehicle.tesla.model3"]
    assert len(tesla) == 1
    world.tick(DT_S)
    np.testing.assert_allclose(world.table[world.spectator]["location"], world.table[tesla[0]]["location"], atol=1e-6)


def test_at_its_end_vehicles_stand_and_are_physical_again(world, scene):
    car, _, walker = scene
    record(world, 20)
    clear(world)
    world.recorder.start_replay(world, "a.log", Order())
    for _ in range(20):
        world.tick(DT_S)
    assert not world.recorder.replaying
    assert world.actors[car].simulates_physics
    world.tick(DT_S)
    assert np.linalg.norm(world.table[car]["velocity"]) < 0.5
    commands.control_vehicle(world, car, VehicleControl(throttle=1.0))
    before = world.table[car]["location"].copy()
    for _ in range(40):
        world.tick(DT_S)
    assert np.linalg.norm(world.table[car]["location"] - before) > 2.0
    assert abs(world.table[car]["location"][2] - before[2]) < 0.3
    assert world.table[walker]["walk_speed"] == 0.0


def test_the_spectator_follows_with_an_offset(world, scene):
    car = scene[0]
    record(world, 10)
    clear(world)
    offset = Transform(Location(-10.0, 0.0, 5.0), Rotation(-25.0, 0.0, 0.0))
    world.recorder.start_replay(world, "a.log", Order(follow=car, offset=offset))
    world.tick(DT_S)
    behind = world.table[world.spectator]["location"] - world.table[car]["location"]
    assert np.linalg.norm(behind) == pytest.approx(np.hypot(10.0, 5.0), abs=1e-6)
    assert behind @ heading(world) == pytest.approx(-10.0, abs=0.2)
    assert world.table[world.spectator]["rotation"][0] == pytest.approx(-25.0, abs=1.0)


def test_the_spectator_moves_only_when_asked(world, scene):
    def during(number):
        commands.set_transform(world, world.spectator, Transform(Location(5.0 + number, 0.0, 3.0), Rotation()))

    record(world, 10, during=during)
    for ignore in (True, False):
        commands.set_transform(world, world.spectator, Transform(Location(0.0, 0.0, 9.0), Rotation()))
        world.recorder.ignore_spectator = ignore
        text = world.recorder.start_replay(world, "a.log", Order())
        assert ("Ignoring Spectator camera" in text) == ignore
        world.tick(DT_S)
        assert world.table[world.spectator]["location"].tolist() == ([0.0, 0.0, 9.0] if ignore else [5.0, 0.0, 3.0])


def test_a_hero_is_left_alone_when_asked(world, scene):
    car = scene[0]
    record(world, 10)
    world.recorder.ignore_hero = True
    text = world.recorder.start_replay(world, "a.log", Order())
    assert "Ignoring Hero vehicle" in text
    before = world.table[car]["location"].copy()
    world.tick(DT_S)
    assert world.actors[car].simulates_physics
    assert np.linalg.norm(world.table[car]["location"] - before) < 1.0  # it drives on, it does not jump back


def test_sensors_come_back_only_when_asked(world, scene):
    car = scene[0]
    camera = put(world, "sensor.camera.rgb", UP, car, image_size_x="64")
    record(world, 6)
    for wanted in (False, True):
        clear(world)
        world.recorder.start_replay(world, "a.log", Order(sensors=wanted))
        world.tick(DT_S)
        found = [entry for entry in world.actors.values() if entry.kind == Kind.SENSOR]
        assert len(found) == wanted
        world.recorder.stop_replay(world, keep_actors=True)
    assert found[0].attributes["image_size_x"] == "64"
    assert found[0].struct.parent_id == car
    assert found[0].id != camera, "a client knows the old one's stream"
    np.testing.assert_allclose(world.attachments.relative(found[0].id)[:3, 3], (0.0, 0.0, 2.5), atol=1e-6)


def test_stopping_lets_go_who_went_later_unless_actors_are_kept(world, scene):
    other = scene[1]
    record(world, 20, during=lambda number: world.destroy(other) if number == 15 else None)
    for keep in (True, False):
        clear(world)
        world.recorder.start_replay(world, "a.log", Order())
        world.tick(DT_S)
        world.recorder.stop_replay(world, keep_actors=keep)
        assert (other in world.actors) == keep


def test_vehicle_lights_doors_wheels_and_gait_come_back(world, scene):
    car, _, walker = scene

    def during(number):
        if number == 5:
            commands.set_light_state(world, car, 3)
            world.table[car]["doors"] = 0b101

    rows = []

    def look():
        car_row, walker_row = world.table[car], world.table[walker]
        rows.append(
            (
                int(car_row["lights"]),
                int(car_row["doors"]),
                car_row["wheel_steer"].tolist(),
                float(car_row["throttle"]),
                float(walker_row["gait_speed"]),
            )
        )

    world.recorder.start(world, "a.log", additional=False)
    for number in range(20):
        during(number)
        world.tick(DT_S)
        look()
    world.recorder.stop()
    recorded, rows = rows, []
    clear(world)
    world.recorder.start_replay(world, "a.log", Order())
    for _ in range(19):
        world.tick(DT_S)
        look()
    for one, two in zip(recorded[1:], rows[1:]):
        assert one[:2] == two[:2]
        np.testing.assert_allclose(one[2], two[2], atol=1e-3)
        assert one[3] == pytest.approx(two[3])
        assert one[4] == pytest.approx(two[4], abs=0.05)


def test_poses_of_walkers_come_back_with_additional_data(world, scene):
    from engine.world.bones import bone_transforms

    walker = scene[2]
    path, _ = record(world, 15, additional=True)
    with Recording(path) as recording:
        bones = {bone.name: bone for bone in recording.frame(7).bones[0].bones}
    clear(world)
    world.recorder.start_replay(world, "a.log", Order())
    for _ in range(8):
        world.tick(DT_S)
    for bone in bone_transforms(world, walker):
        place = bone.relative.location
        np.testing.assert_allclose(
            (place.x, place.y, place.z), np.array(bones[bone.bone_name].location) / 100.0, atol=1e-4
        )
    world.recorder.stop_replay(world, keep_actors=True)
    assert walker not in world.poses


# --- files -------------------------------------------------------------------------------------------------------


def test_names_are_read_as_in_carla(world, scene, tmp_path):
    assert world.recorder.path("a.log") == str(world.recorder.saved / "a.log")
    for name in (str(tmp_path / "b.log"), "./b.log", "c:b.log", "a\\b.log"):
        assert world.recorder.path(name) == name
    path, _ = record(world, 2, name=str(tmp_path / "b.log"))
    assert path == str(tmp_path / "b.log")
    assert world.recorder.file_info(path, show_all=False).startswith("Version: 1\nMap: RealityStreet\nDate: ")


def test_a_path_that_cannot_be_written_gives_no_name_and_a_log_entry(world, tmp_path, caplog):
    for name in (str(tmp_path / "none" / "a.log"), str(tmp_path), "a\0b"):
        assert world.recorder.start(world, name, additional=False) == ""
        assert not world.recorder.recording
        assert "cannot be written" in caplog.messages[-1]
    assert not list(tmp_path.iterdir())


class FullDisk:
    """A file on a disk that is full after some bytes."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def write(self, data):
        if len(data) > self._room:
            self._file.write(data[: self._room])
            raise OSError(errno.ENOSPC, "No space left on device")
        self._room -= len(data)
        return self._file.write(data)

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_a_full_disk_ends_the_recording_and_leaves_whole_frames_under_another_name(world, scene, monkeypatch, caplog):
    real = open
    monkeypatch.setattr(log_file, "open", lambda *a, **k: FullDisk(real(*a, **k), 12_000), raising=False)
    path, _ = record(world, 40, name="full.log")
    monkeypatch.undo()
    assert "No space left on device" in caplog.text
    assert not (world.recorder.saved / "full.log").exists()
    with Recording(path + log_file.INCOMPLETE) as rest:
        assert rest.lost_bytes == 0
        assert 0 < len(rest.spans) < 40
    assert world.recorder.file_info("full.log", show_all=True) == f"File {path} not found on server\n"


def test_missing_foreign_and_damaged_files_are_told(world, scene, tmp_path):
    missing = str(tmp_path / "missing.log")
    said = f"File {missing} not found on server\n"
    assert world.recorder.start_replay(world, missing, Order()) == f"Replaying File: {missing}\n{said}"
    assert world.recorder.collisions(missing, "a", "a") == world.recorder.actors_blocked(missing, 1, 1) == said
    foreign = tmp_path / "foreign.log"
    for rubbish in (b"", b"\1", b"\0" * 500, b"not a recording"):
        foreign.write_bytes(rubbish)
        assert world.recorder.file_info(str(foreign), show_all=True) == "File is not a CARLA recorder\n"
        assert "File is not a CARLA recorder" in world.recorder.start_replay(world, str(foreign), Order())
    _, seen = record(world, 20)
    data = (world.recorder.saved / "a.log").read_bytes()
    foreign.write_bytes(data[:-100])
    text = world.recorder.file_info(str(foreign), show_all=False)
    assert "Frames: 19\nDuration: 0.9 seconds\nThe file is damaged: " in text
    clear(world)
    assert "The file is damaged" in world.recorder.start_replay(world, str(foreign), Order())
    for number in range(19):
        world.tick(DT_S)
        assert farthest(poses(world), seen[number]) < 1e-3
    assert not world.recorder.replaying


def test_an_episode_ends_recordings_and_replays(world, scene):
    record(world, 5)
    world.recorder.start(world, "b.log", additional=False)
    world.tick(DT_S)
    world.load("", reset_settings=False)
    assert not world.recorder.recording
    with Recording(world.recorder.path("b.log")) as recording:
        assert (len(recording.spans), recording.lost_bytes) == (1, 0)
    world.recorder.start_replay(world, "a.log", Order())
    assert world.recorder.replaying
    world.load("", reset_settings=False)
    assert not world.recorder.replaying
    world.tick(DT_S)


def test_a_recording_of_an_unknown_map_is_refused(world, scene):
    record(world, 3)
    data = (world.recorder.saved / "a.log").read_bytes().replace(b"RealityStreet", b"AbsentStreets")
    (world.recorder.saved / "c.log").write_bytes(data)
    text = world.recorder.start_replay(world, "c.log", Order())
    assert text.endswith("Could not load mapfile AbsentStreets\n")
    assert not world.recorder.replaying


def test_who_stands_is_told_longest_first(world, scene):
    record(world, 60)
    rows = [
        line.split() for line in world.recorder.actors_blocked("a.log", 2.0, 100.0).splitlines() if "vehicle" in line
    ]
    assert [row[2] for row in rows] == ["vehicle.audi.tt"]
    assert rows[0][0] == "0"
    assert rows[0][3] == "3"


def test_negative_time_factors_are_refused(world):
    from foundation.errors import RealityError

    for factor in (-1.0, float("nan"), float("inf")):
        with pytest.raises(RealityError, match="time factor"):
            world.recorder.set_time_factor(factor)

"""What CARLA's server does beyond single calls: order, ids, several clients, errors, layers, poses, doors."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import textwrap

import carla
import msgpack
import numpy as np
import pytest
from engine_process import ROOT, engine

STEP_S = 0.05
Label = carla.CityObjectLabel


class Raw:
    """A client that sends whatever it is told, and reads the whole answer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20.0)
        self._answers = msgpack.Unpacker(strict_map_key=False, unicode_errors="surrogateescape")
        self._number = 0

    def __call__(self, name: str, *arguments: object) -> object:
        self._number += 1
        self._socket.sendall(msgpack.packb([0, self._number, name, [[False], *arguments]]))
        while True:
            for kind, number, error, result in self._answers:
                assert (kind, number, error) == (1, self._number, None)
                return result
            self._answers.feed(self._socket.recv(65536))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    text = (ROOT / "scenarios" / "catalogue" / "maps" / "RealityStreet.xodr").read_text()
    (folder / "Town91.xodr").write_text(text)
    with engine("--map", "RealityStreet", "--maps", str(folder)) as running:
        yield running
        assert "Traceback" not in running.log_text()


@pytest.fixture(scope="module")
def client(server):
    client = carla.Client("127.0.0.1", server.port)
    client.set_timeout(20.0)
    return client


@pytest.fixture
def world(client):
    world = client.get_world()
    if "RealityStreet" not in world.get_map().name:
        world = client.load_world("RealityStreet")
    world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
    yield world
    world = client.get_world()
    world.tick()
    mine = [a.id for a in world.get_actors() if a.type_id.split(".")[0] not in ("traffic", "spectator")]
    client.apply_batch_sync([carla.command.DestroyActor(actor_id) for actor_id in mine], True)


@pytest.fixture
def raw(server):
    return Raw(server.port)


def spawn(world, name, number=0, lift=0.0, parent=None, at=None, **attributes):
    blueprint = world.get_blueprint_library().find(name)
    for key, value in attributes.items():
        blueprint.set_attribute(key, str(value))
    if at is None:
        at = carla.Transform() if parent else world.get_map().get_spawn_points()[number]
        at.location.z += lift
    return world.spawn_actor(blueprint, at, attach_to=parent)


@contextlib.contextmanager
def tags_seen(world, at, size=96):
    """Yield a function that ticks and returns the (H, W) tags that a camera at a pose sees."""
    camera = spawn(world, "sensor.camera.semantic_segmentation", at=at, image_size_x=size, image_size_y=size, fov=60)
    images: queue.Queue = queue.Queue()
    camera.listen(images.put)

    def look():
        frame = world.tick()
        while (image := images.get(timeout=20.0)).frame != frame:
            pass
        return np.frombuffer(bytes(image.raw_data), np.uint8).reshape(size, size, 4)[..., 2].copy()

    try:
        yield look
    finally:
        camera.stop()
        camera.destroy()


# --- errors ----------------------------------------------------------------------------------------------------

NOT_FOUND = "Responding error from function {}: Actor could not be found in the registry.  Actor Id: 4242"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("set_actor_location", [[0.0, 0.0, 0.0]]),
        ("set_actor_transform", [[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]),
        ("set_actor_target_velocity", [[0.0, 0.0, 0.0]]),
        ("add_actor_impulse", [[0.0, 0.0, 0.0]]),
        ("set_actor_simulate_physics", [True]),
        ("set_actor_enable_gravity", [True]),
        ("set_actor_collisions", [True]),
        ("apply_control_to_vehicle", [[0.0, 0.0, 0.0, False, False, False, 0]]),
        ("apply_control_to_walker", [[[1.0, 0.0, 0.0], 1.0, False]]),
        ("get_physics_control", []),
        ("get_telemetry_data", []),
        ("get_bones_transform", []),
        ("set_bones_transform", [[[]]]),
        ("blend_pose", [1.0]),
        ("get_pose_from_animation", []),
        ("open_vehicle_door", [0]),
        ("close_vehicle_door", [6]),
        ("get_vehicle_light_state", []),
        ("set_traffic_light_state", [0]),
        ("set_traffic_light_red_time", [1.0]),
        ("get_group_traffic_lights", []),
        ("get_light_boxes", []),
        ("get_actor_bone_names", []),
        ("get_actor_component_names", []),
        ("enable_gbuffers", [True]),
        ("set_ignored_vehicles", [[]]),
    ],
)
def test_an_unknown_actor_is_named_as_carla_names_it(raw, world, name, arguments):
    (answer,) = raw(name, 4242, *arguments)
    flag, *rest = answer
    assert flag in (True, 0)
    assert rest == [[NOT_FOUND.format(name)]]


def test_the_wrong_kind_of_actor_is_named_as_carla_names_it(raw, world):
    car, walker = spawn(world, "vehicle.audi.a2"), spawn(world, "walker.pedestrian.0001", 2, lift=0.6)
    head = "Responding error from function {}: "
    control = [0.0, 0.0, 0.0, False, False, False, 0]
    for name, actor, arguments, text in (
        ("apply_control_to_vehicle", walker, [control], "Actor is not a Vehicle."),
        ("get_physics_control", walker, [], "Actor is not a Vehicle."),
        ("get_bones_transform", car, [], "Actor is not a Walker."),
        ("blend_pose", car, [1.0], "Actor is not a Walker."),
        ("set_traffic_light_state", car, [0], "Actor is not a traffic light."),
        ("get_actor_component_world_transform", car, ["nothing"], "Component could not be found in this actor."),
    ):
        ((_, [told]),) = raw(name, actor.id, *arguments)
        assert told == head.format(name) + text + f"  Actor Id: {actor.id}"


def test_what_makes_no_sense_here_is_refused_with_a_reason(raw, world):
    car = spawn(world, "vehicle.audi.a2")
    for name, arguments in (
        ("enable_carsim", [car.id, "x.sim"]),
        ("use_carsim_road", [car.id, True]),
        ("enable_chrono_physics", [car.id, 10, 0.01, "", "", "", ""]),
        ("enable_sensor_for_ros", [1]),
        ("show_vehicle_debug_telemetry", [car.id, True]),
    ):
        ((failed, [text]),) = raw(name, *arguments)
        assert failed is True
        assert text.startswith(f"not supported by the embedded engine: {name} (there is no ")
    assert raw("is_sensor_enabled_for_ros", 1) == [[1, False]]
    answers = raw("apply_batch", [[[17, [car.id, True]]], [[20, ["quit"]]]], False)
    assert [answer[0][0] for answer in answers] == [0, 0]
    assert raw("no_such_procedure") == [
        [0, ["not supported by the embedded engine: no_such_procedure (unknown method)"]]
    ]


# --- order and ids ---------------------------------------------------------------------------------------------


def test_calls_before_a_tick_take_effect_in_that_frame_in_order(world):
    car = spawn(world, "vehicle.audi.a2", lift=5.0)
    world.tick()
    car.set_simulate_physics(False)
    for x in (10.0, 20.0, 30.0):
        car.set_location(carla.Location(x, 0.0, 5.0))
    assert car.get_location().x != pytest.approx(30.0)  # getters read the newest snapshot
    world.tick()
    assert car.get_location().x == pytest.approx(30.0)


def test_ids_grow_and_are_never_given_twice(client, world):
    seen = []
    for number in range(6):
        actor = spawn(world, "vehicle.audi.a2", number % 3)
        seen.append(actor.id)
        world.tick()
        assert actor.destroy()
        world.tick()
    assert seen == sorted(set(seen))
    assert world.get_spectator().id < seen[0]


def test_children_outlive_their_parent(world):
    car = spawn(world, "vehicle.audi.a2")
    child = spawn(world, "sensor.other.imu", parent=car)
    world.tick()
    car.destroy()
    world.tick()
    assert child.id in [actor.id for actor in world.get_actors()]
    assert child.destroy()


def test_an_unsticky_control_lasts_one_frame(world):
    car = spawn(world, "vehicle.audi.a2", sticky_control="false")
    car.apply_control(carla.VehicleControl(throttle=0.7))
    world.tick()
    world.tick()
    assert car.get_control().throttle == 0.0


# --- several clients -------------------------------------------------------------------------------------------

VANISHING = """
    import carla, os, signal
    client = carla.Client("127.0.0.1", {port})
    client.set_timeout(20.0)
    world = client.get_world()
    library = world.get_blueprint_library()
    car = world.spawn_actor(library.find("vehicle.audi.a2"), world.get_map().get_spawn_points()[1])
    camera = world.spawn_actor(library.find("sensor.other.gnss"), carla.Transform(), attach_to=car)
    camera.listen(lambda reading: None)
    print(car.id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_client_that_vanishes_leaves_its_actors_and_disturbs_nobody(server, world):
    program = textwrap.dedent(VANISHING).format(port=server.port)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    frames = [world.tick() for _ in range(5)]
    assert frames == list(range(frames[0], frames[0] + 5))
    assert int(done.stdout) in [actor.id for actor in world.get_actors()]


def test_two_clients_tick_share_and_destroy(server, world):
    other = carla.Client("127.0.0.1", server.port)
    other.set_timeout(20.0)
    theirs = other.get_world()
    car = spawn(world, "vehicle.audi.a2")
    first = world.tick()
    second = theirs.tick()
    assert second == first + 1
    seen = theirs.get_actor(car.id)
    assert seen.type_id == car.type_id
    assert seen.destroy()
    world.tick()
    assert car.id not in [actor.id for actor in world.get_actors()]


# --- maps ------------------------------------------------------------------------------------------------------


def test_a_folder_of_roads_is_served_under_carlas_names(client, world):
    names = client.get_available_maps()
    assert {"/Game/Carla/Maps/Town91", "/Game/Carla/Maps/Town91_Opt"} <= set(names)
    for name in ("Town91", "/Game/Carla/Maps/Town91", "Carla/Maps/Town91"):
        if name.startswith("Carla"):
            with pytest.raises(RuntimeError, match=f"^Map '{name}' not found$"):
                client.load_world(name, False)
            continue
        loaded = client.load_world(name, False)
        assert loaded.get_map().name == "Carla/Maps/Town91"
        assert loaded.get_settings().synchronous_mode


def test_layers_are_those_asked_for_and_only_of_layered_maps(client, world):
    layered = client.load_world("RealityStreet_Opt", False, carla.MapLayer.Foliage)
    tags = {item.type for item in layered.get_environment_objects()}
    assert {Label.Roads, Label.Sidewalks, Label.Vegetation} <= tags
    assert Label.Buildings not in tags
    layered.load_map_layer(carla.MapLayer.Buildings)
    houses = layered.get_level_bbs(Label.Buildings)
    assert houses
    top = houses[0].location + carla.Location(z=houses[0].extent.z + 5.0)
    assert layered.ground_projection(top, 300.0).label == Label.Buildings
    layered.unload_map_layer(carla.MapLayer.Buildings)
    below = layered.ground_projection(top, 300.0)
    assert below is None or below.label != Label.Buildings
    whole = client.load_world("RealityStreet", False, carla.MapLayer.NONE)
    assert whole.get_environment_objects(Label.Buildings)
    whole.unload_map_layer(carla.MapLayer.All)
    assert whole.get_environment_objects(Label.Buildings)


def test_a_hidden_house_is_gone_for_cameras_rays_and_bodies(world):
    house = world.get_environment_objects(Label.Buildings)[0]
    box = house.bounding_box
    above = box.location + carla.Location(z=box.extent.z + 30.0)
    with tags_seen(world, carla.Transform(above, carla.Rotation(pitch=-90.0))) as look:
        roof = np.s_[43:53, 43:53]  # neighbours are in the picture, too
        assert (look()[roof] == int(Label.Buildings)).mean() > 0.9
        world.enable_environment_objects({house.id}, False)
        assert (look()[roof] == int(Label.Buildings)).mean() < 0.1
        barrel = spawn(
            world, "vehicle.audi.a2", at=carla.Transform(box.location + carla.Location(z=box.extent.z + 1.0))
        )
        for _ in range(60):
            world.tick()
        assert barrel.get_location().z < box.location.z  # it fell through where the roof was
        barrel.destroy()
        world.enable_environment_objects({house.id}, True)
        assert (look()[roof] == int(Label.Buildings)).mean() > 0.9


@contextlib.contextmanager
def colours_seen(world, transform):
    """Yield a function that ticks and returns the camera's (180, 180, 3) RGB picture."""
    blueprint = world.get_blueprint_library().find("sensor.camera.rgb")
    blueprint.set_attribute("image_size_x", "180")
    blueprint.set_attribute("image_size_y", "180")
    camera = world.spawn_actor(blueprint, transform)
    images = queue.Queue()
    camera.listen(images.put)

    def look():
        frame = world.tick()
        while (image := images.get(timeout=30.0)).frame < frame:
            pass
        return np.frombuffer(image.raw_data, np.uint8).reshape(180, 180, 4)[:, :, 2::-1].astype(float)

    yield look
    camera.destroy()


def quarters(width, height):
    """A texture as clients make them from pictures, the lowest row first: green above left, blue below, else red."""
    texture = carla.TextureColor(width, height)
    for x in range(width):
        for y in range(height):
            above, left = y >= height // 2, x < width // 2
            color = (20, 220, 20) if above and left else (20, 20, 220) if not above else (220, 20, 20)
            texture.set(x, y, carla.Color(*color, 255))
    return texture


def test_a_picture_on_a_house_is_seen_upright_from_all_sides_until_the_map_is_loaded_again(client, world):
    house = max(world.get_environment_objects(Label.Buildings), key=lambda o: o.bounding_box.extent.z)
    box = house.bounding_box
    assert house.name in world.get_names_of_all_objects()
    others = [Label.Buildings, Label.Vegetation, Label.Poles, Label.Static, Label.Fences, Label.Walls]
    world.enable_environment_objects(
        {thing.id for tag in others for thing in world.get_environment_objects(tag)} - {house.id}, False
    )
    diffuse = carla.MaterialParameter.Diffuse
    away = box.extent.x + box.extent.y + 25.0
    for turn in (0.0, 90.0, 180.0, 270.0):
        heading = np.radians(box.rotation.yaw + turn)
        place = box.location + carla.Location(away * np.cos(heading), away * np.sin(heading), 0.0)
        side = box.extent.x if turn in (0.0, 180.0) else box.extent.y
        wide = box.extent.y if turn in (0.0, 180.0) else box.extent.x
        look_from = carla.Transform(place, carla.Rotation(yaw=box.rotation.yaw + turn + 180.0))
        with colours_seen(world, look_from) as look:
            if turn == 0.0:
                assert np.ptp(look()[60:120, 60:120], axis=2).mean() < 60.0
                world.apply_color_texture_to_objects([house.name, "no such thing"], diffuse, quarters(16, 12))
            picture = look()
            px = 90.0 / (away - side)  # pixels a metre on the wall, 90 degrees of view
            dx, dy = 0.5 * wide * px, 0.5 * box.extent.z * px

            def tint(right, down, picture=picture, dx=dx, dy=dy):
                u, v = int(90 + right * dx), int(90 + down * dy)
                patch = picture[v - 8 : v + 9, u - 8 : u + 9].reshape(-1, 3)
                walls = patch[np.ptp(patch, axis=1) > 50.0]  # panes stay as they are
                return int(np.bincount(walls.argmax(axis=1), minlength=3).argmax())

            assert [tint(-1, -1), tint(1, -1), tint(-1, 1), tint(1, 1)] == [1, 0, 2, 2], f"from {turn} degrees"
    reloaded = client.reload_world(False)
    with colours_seen(reloaded, look_from) as look:
        grey = look()[60:120, 60:120]
        assert np.ptp(grey, axis=2).mean() < 60.0


def test_textures_that_nothing_can_take_are_refused(world):
    name = world.get_environment_objects(Label.Buildings)[0].name
    parameter, texture = carla.MaterialParameter, quarters(2, 2)
    with pytest.raises(RuntimeError, match="unable to find Actor to apply the texture"):
        world.apply_color_texture_to_object("no such thing", parameter.Diffuse, texture)
    with pytest.raises(RuntimeError, match="no normal texture slot"):
        world.apply_color_texture_to_object(name, parameter.Normal, texture)
    with pytest.raises(RuntimeError, match="cannot have 0 of them"):
        world.apply_color_texture_to_object(name, parameter.Diffuse, carla.TextureColor(0, 0))
    light = next(n for n in world.get_names_of_all_objects() if n.startswith(("traffic_light", "speed_limit")))
    with pytest.raises(RuntimeError, match="no texture slots"):
        world.apply_color_texture_to_object(light, parameter.Diffuse, texture)
    white = carla.TextureFloatColor(1, 1)
    white.set(0, 0, carla.FloatColor(1.0, 1.0, 1.0, 1.0))
    world.apply_float_color_texture_to_object(name, parameter.Diffuse, white)


def test_level_boxes_enclose_what_carries_the_tag(world):
    car, walker = spawn(world, "vehicle.audi.a2"), spawn(world, "walker.pedestrian.0001", 2, lift=0.6)
    world.tick()
    for actor, tag in ((car, Label.Car), (walker, Label.Pedestrians)):
        boxes = world.get_level_bbs(tag)
        assert min(box.location.distance(actor.get_location()) for box in boxes) < 1.5
    signs = world.get_actors().filter("traffic.speed_limit.*")
    plates = world.get_level_bbs(Label.TrafficSigns)
    assert len(plates) == len(signs) >= 1
    for sign in signs:
        assert min(box.location.distance(sign.get_location()) for box in plates) < 4.0
    everything = world.get_level_bbs(Label.Any)
    assert all(min(box.extent.x, box.extent.y, box.extent.z) >= 0.0 for box in everything)
    assert len(everything) > len(world.get_environment_objects(Label.Any))


# --- poses and doors -------------------------------------------------------------------------------------------


def test_a_custom_pose_is_seen_by_the_camera_as_far_as_it_is_blended(world):
    walker = spawn(world, "walker.pedestrian.0004", 1, lift=0.6)
    for _ in range(20):
        world.tick()
    pose = walker.get_transform()
    ahead = pose.location + 3.0 * pose.get_forward_vector()
    arms = [bone for bone in walker.get_bones().bone_transforms if bone.name in ("crl_arm__L", "crl_arm__R")]
    raised = []
    for bone in arms:
        turn = bone.relative.rotation
        turn.roll += 90.0 if bone.name.endswith("L") else -90.0
        raised.append((bone.name, carla.Transform(bone.relative.location, turn)))
    facing = carla.Transform(carla.Location(ahead.x, ahead.y, ahead.z), carla.Rotation(yaw=pose.rotation.yaw + 180.0))

    def breadth(tags):
        columns = np.flatnonzero((tags == int(Label.Pedestrians)).any(axis=0))
        return int(columns[-1] - columns[0])

    with tags_seen(world, facing) as look:
        plain = breadth(look())
        walker.set_bones(carla.WalkerBoneControlIn(raised))
        assert breadth(look()) == plain
        walker.blend_pose(0.5)
        half = breadth(look())
        walker.show_pose()
        full = breadth(look())
        assert plain + 5 < half < full
        walker.hide_pose()
        assert breadth(look()) == plain


def test_doors_open_for_camera_and_rays_where_a_car_has_some(world, raw):
    car = spawn(world, "vehicle.lincoln.mkz_2020")
    for _ in range(20):
        world.tick()
    pose = car.get_transform()
    beside = pose.transform(carla.Location(x=0.3, y=-2.2, z=3.0))
    with tags_seen(world, carla.Transform(beside, carla.Rotation(pitch=-90.0))) as look:
        shut = (look() == int(Label.Car)).sum()
        car.open_door(carla.VehicleDoor.FL)
        opened = (look() == int(Label.Car)).sum()
        assert opened > shut + 20
        car.close_door(carla.VehicleDoor.All)
        assert (look() == int(Label.Car)).sum() == shut
    assert set(car.get_bone_names()) >= {"door_fl", "door_fr", "door_rl", "door_rr"}
    plain = spawn(world, "vehicle.tesla.model3", 2)
    ((failed, [text]),) = raw("open_vehicle_door", plain.id, 0)
    assert failed
    assert "has no doors that move" in text

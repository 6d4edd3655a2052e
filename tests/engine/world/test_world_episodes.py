"""An episode is a function of what is asked of it: what was simulated before leaves no trace."""

import hashlib
from collections import defaultdict

import pytest

from engine.protocol.snapshot import decode_snapshot
from engine.protocol.streams import WORLD_STREAM
from engine.protocol.structs import (
    ActorAttributeValue,
    ActorDescription,
    Location,
    Rotation,
    Transform,
    Vector3D,
    VehicleControl,
    WalkerControl,
    WeatherParameters,
)
from engine.world import commands
from engine.world.maps import MapCatalogue
from engine.world.spawning import spawn
from engine.world.world import World

DT_S = 0.05


class Recorder:
    """A publisher that digests what every stream carries, without frame numbers and wall clocks."""

    def __init__(self):
        self.begin()

    def begin(self):
        self.digests = defaultdict(hashlib.sha256)
        self.streams = []

    def listened(self, stream_id):
        return True

    def publish(self, stream_id, message):
        if stream_id not in self.streams:
            self.streams.append(stream_id)
        # Stream ids grow for ever, as subscriptions outlive episodes: streams are told apart by their order.
        digest = self.digests[self.streams.index(stream_id)]
        if stream_id == WORLD_STREAM:
            digest.update(decode_snapshot(message[4:])[1].tobytes())
        else:
            digest.update(message[4 + 16 :])  # the header's type and frame number, then time, pose and body

    def result(self):
        return [digest.hexdigest() for _, digest in sorted(self.digests.items())]


def at(point, dx=0.0, dz=0.0, **turn):
    (x, y, z), (pitch, yaw, roll) = point
    return Transform(Location(x + dx, y, z + dz), Rotation(pitch, turn.get("yaw", yaw), roll))


def put(world, blueprint, transform, parent=0, **attributes):
    values = tuple(ActorAttributeValue(name, 0, text) for name, text in attributes.items())
    return spawn(world, ActorDescription(0, blueprint, values), transform, parent).id


def episode(world, blueprint="vehicle.tesla.model3"):
    """Drive, crash into a parked car, and look at it."""
    points = world.map.static.spawn_points
    car = put(world, blueprint, at(points[0]))
    parked = put(world, "vehicle.audi.tt", at(points[0], dx=9.0))
    led = put(world, "vehicle.mini.cooper_s", at(points[1]))
    walker = put(world, "walker.pedestrian.0004", at(points[2]))
    mount = Transform(Location(-6.0, 0.0, 3.0), Rotation(-15.0, 0.0, 0.0))
    size = {"image_size_x": "96", "image_size_y": "64"}
    for sensor in ("sensor.camera.rgb", "sensor.camera.instance_segmentation"):
        put(world, sensor, mount, car, **size)
    put(world, "sensor.lidar.ray_cast", mount, car, points_per_second="20000", noise_stddev="0.1")
    put(world, "sensor.other.imu", mount, car, noise_accel_stddev_x="0.1")
    put(world, "sensor.other.collision", Transform(), car)
    commands.set_simulate_physics(world, led, False)
    yaw = points[0][1][1]
    commands.set_target_velocity(world, car, Vector3D(9.0, 0.0, 0.0) if abs(yaw) < 1.0 else Vector3D())
    commands.control_vehicle(world, car, VehicleControl(throttle=0.8, steer=0.03))
    commands.control_walker(world, walker, WalkerControl(Vector3D(0.6, 0.8, 0.0), 1.4, False))
    for n in range(30):
        commands.set_transform(world, led, at(points[1], dx=0.1 * n))
        world.tick(DT_S)
    assert world.table[parked]["id"] == parked


@pytest.fixture(scope="module")
def catalogue():
    return MapCatalogue()


@pytest.fixture(scope="module")
def world(catalogue):
    return World(catalogue, "RealityStreet", publisher=Recorder(), seed=3)


def test_an_episode_leaves_no_trace_in_the_next(world, catalogue):
    fresh = World(catalogue, "RealityStreet", publisher=Recorder(), seed=3)
    episode(fresh)
    first = fresh.publisher.result()
    assert len(first) == 6, "one of the sensors was silent"
    fresh.views.close()

    # A history: other shapes, hidden houses, weather, frozen lights, actors that came and went, odd steps.
    world.set_weather(WeatherParameters(cloudiness=80.0, precipitation=50.0, sun_altitude_angle=-20.0))
    world.scenery.enable([thing.id for thing in world.map.static.objects[::7]], False)
    world.scenery_changed()
    world.traffic_lights.freeze(True)
    episode(world, "vehicle.carlamotors.firetruck")
    put(world, "static.prop.bench01", at(world.map.static.spawn_points[3]))
    gone = put(world, "vehicle.ford.crown", at(world.map.static.spawn_points[4]))
    world.tick(0.033)
    world.destroy(gone)
    car = next(i for i, entry in world.actors.items() if entry.type_id.startswith("vehicle."))
    commands.set_target_velocity(world, car, Vector3D(3.0, 0.0, 0.0))

    world.load("", reset_settings=False)
    world.publisher.begin()
    episode(world)
    assert world.publisher.result() == first


def test_the_next_episode_is_ready_at_once(world):
    """The shapes of the static world, the renderer and the ray caster are kept."""
    ground, renderer, rays = world.map.ground, world.views.renderer(), world.views.rays()
    world.load("", reset_settings=False)
    assert world.map.ground is ground
    assert world.views.renderer() is renderer
    assert world.views.rays() is rays
    assert world.elapsed_s == 0.0
    assert all(world.actors[i].type_id.startswith(("spectator", "traffic.")) for i in world.actors)


@pytest.mark.parametrize("dt", [2.0**-60, 1e-9, 5e-7])
def test_frames_of_no_length_leave_everything_where_it_is(world, dt):
    """Still pictures are taken so: physics is on, time stands still."""
    world.load("", reset_settings=False)
    points = world.map.static.spawn_points
    car, led = put(world, "vehicle.tesla.model3", at(points[0])), put(world, "vehicle.audi.tt", at(points[1]))
    commands.set_simulate_physics(world, led, False)
    commands.set_target_velocity(world, car, Vector3D(5.0, 0.0, 0.0))
    world.tick(DT_S)
    before = world.table[car]["location"].copy()
    for n in range(3):
        commands.set_transform(world, led, at(points[1], dx=1.0 + n))
        world.tick(dt)
    assert world.table[car]["location"] == pytest.approx(before, abs=1e-5)
    assert world.table[led]["location"][0] == pytest.approx(points[1][0][0] + 3.0)
    world.tick(DT_S)
    assert world.table[car]["location"][0] != pytest.approx(before[0], abs=0.05)

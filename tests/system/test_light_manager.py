"""Street lamps and vehicle lights through the genuine client: switched, seen by cameras, told to other clients."""

from __future__ import annotations

import os
import queue
import subprocess
import sys

import carla
import numpy as np
import pytest
from engine_process import engine

STEP_S = 0.05
MANAGER_PORT = 24980 + os.getpid() % 8
NIGHT = carla.WeatherParameters(sun_altitude_angle=-60.0)
NOON = carla.WeatherParameters(sun_altitude_angle=60.0)
WARM = (255, 217, 160)


@pytest.fixture(scope="module")
def running():
    with engine("--map", "RealityStreet") as process:
        yield process


@pytest.fixture(scope="module")
def client(running):
    client = carla.Client("127.0.0.1", running.port)
    client.set_timeout(60.0)
    return client


@pytest.fixture
def world(client):
    client.get_world().apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
    world = client.reload_world(False)
    world.tick()
    return world


def wait_for(world, condition, ticks=40):
    for _ in range(ticks):
        world.tick()
        if condition():
            return
    pytest.fail(f"did not happen within {ticks} ticks")


class Camera:
    """A camera that gives the picture of the frame just ticked."""

    def __init__(self, world, transform):
        blueprint = world.get_blueprint_library().find("sensor.camera.rgb")
        for name, value in (("image_size_x", 160), ("image_size_y", 120), ("fov", 90)):
            blueprint.set_attribute(name, str(value))
        self._world = world
        self._sensor = world.spawn_actor(blueprint, transform)
        self._images = queue.Queue()
        self._sensor.listen(self._images.put)
        wait_for(world, lambda: not self._images.empty())

    def look(self):
        """Return the (H, W, 3) float RGB picture of a new frame."""
        frame = self._world.tick()
        while True:
            image = self._images.get(timeout=60.0)
            if image.frame >= frame:
                pixels = np.frombuffer(image.raw_data, np.uint8).reshape(image.height, image.width, 4)
                return pixels[:, :, 2::-1].astype(float)

    def until(self, condition, looks=40):
        """Look until a picture is as wanted, and return it: what managers of lights send may come a tick later."""
        for _ in range(looks):
            picture = self.look()
            if condition(picture):
                return picture
        pytest.fail(f"no such picture within {looks} looks")

    def close(self):
        self._sensor.stop()
        self._sensor.destroy()


def under(lamp):
    """Where one sees the road below a lamp, and not the lamp."""
    at = lamp.location
    return carla.Transform(carla.Location(at.x, at.y, at.z - 0.6), carla.Rotation(pitch=-89.0))


def nearest(world, manager):
    spot = world.get_map().get_spawn_points()[0].location
    return min(manager.get_all_lights(carla.LightGroup.Street), key=lambda lamp: lamp.location.distance(spot))


def test_all_lamps_are_street_lamps_with_ids_places_and_colours(world):
    manager = world.get_lightmanager()
    lamps = manager.get_all_lights()
    assert len(lamps) > 5
    assert len({lamp.id for lamp in lamps}) == len(lamps)
    assert len(manager.get_all_lights(carla.LightGroup.Building)) == 0
    for lamp in lamps:
        assert lamp.light_group == carla.LightGroup.Street
        assert 3.0 < lamp.location.z < 20.0
        assert (lamp.color.r, lamp.color.g, lamp.color.b) == WARM
        assert not lamp.is_on
    assert manager.is_active(lamps) == [False] * len(lamps)


def test_dusk_switches_lamps_on_and_dawn_off_unless_the_cycle_is_off(world):
    manager = world.get_lightmanager()

    def lit():
        return sum(manager.is_active(manager.get_all_lights()))

    count = len(manager.get_all_lights())
    world.set_weather(NIGHT)
    wait_for(world, lambda: lit() == count)
    manager.turn_off(manager.get_all_lights()[:3])
    wait_for(world, lambda: lit() == count - 3)
    for _ in range(5):
        world.tick()
    assert lit() == count - 3, "what a client has set stays until dawn"
    world.set_weather(NOON)
    wait_for(world, lambda: lit() == 0)
    manager.set_day_night_cycle(False)
    world.tick()
    world.set_weather(NIGHT)
    for _ in range(5):
        world.tick()
    assert lit() == 0
    manager.set_day_night_cycle(True)
    wait_for(world, lambda: lit() == count)


def test_cameras_see_lamps_switched_coloured_and_dimmed(world):
    manager = world.get_lightmanager()
    world.set_weather(NIGHT)
    wait_for(world, lambda: all(manager.is_active(manager.get_all_lights())))
    lamp = nearest(world, manager)
    camera = Camera(world, under(lamp))
    as_usual = camera.look()
    manager.turn_off(manager.get_all_lights())
    dark = camera.until(lambda picture: picture.mean() < 0.5 * as_usual.mean())
    manager.turn_on([lamp])
    # The other lamps around were a part of it.
    camera.until(lambda picture: np.abs(picture - as_usual).mean() < 0.1 * (as_usual - dark).mean())
    manager.set_color([lamp], carla.Color(0, 0, 255))

    def is_blue(picture):
        red, _, blue = (picture - dark).mean(axis=(0, 1))
        return blue > 3.0 * max(red, 1.0)

    camera.until(is_blue)
    manager.set_color([lamp], carla.Color(*WARM))
    manager.set_intensity([lamp], 1000.0)
    camera.until(lambda picture: dark.mean() < picture.mean() < 0.8 * as_usual.mean() and not is_blue(picture))
    camera.close()
    shade = carla.Location(lamp.location.x - 2.0, lamp.location.y, lamp.location.z - 1.5)
    camera = Camera(world, carla.Transform(shade, carla.Rotation(pitch=37.0)))
    manager.set_intensity([lamp], 5000.0)
    middle = np.s_[52:68, 72:88]
    manager.turn_off([lamp])
    for _ in range(5):
        unlit = camera.look()[middle].max()
    manager.turn_on([lamp])
    camera.until(lambda picture: picture[middle].max() > unlit + 40.0)
    camera.close()


def test_another_client_is_told(world, running):
    mine = world.get_lightmanager()
    other = carla.Client("127.0.0.1", running.port)
    other.set_timeout(60.0)
    theirs = other.get_world().get_lightmanager()
    assert not any(theirs.is_active(theirs.get_all_lights()))
    chosen = mine.get_all_lights()[:2]
    mine.turn_on(chosen)
    mine.set_intensity(chosen, 321.0)
    mine.set_color(chosen, carla.Color(10, 20, 30))
    wait_for(world, lambda: sum(theirs.is_active(theirs.get_all_lights())) == 2)
    seen = [lamp for lamp in theirs.get_all_lights() if lamp.is_on]
    assert {lamp.id for lamp in seen} == {lamp.id for lamp in chosen}
    assert all(lamp.intensity == pytest.approx(321.0) and lamp.color.b == 30 for lamp in seen)
    assert sum(mine.is_active(mine.get_all_lights())) == 2


def test_vehicle_lights_are_seen_at_night(world):
    world.set_weather(NIGHT)
    manager = world.get_lightmanager()
    manager.set_day_night_cycle(False)
    world.tick()
    manager.turn_off(manager.get_all_lights())
    world.tick()
    point = world.get_map().get_spawn_points()[0]
    car = world.spawn_actor(world.get_blueprint_library().find("vehicle.lincoln.mkz_2020"), point)
    ahead, right = point.get_forward_vector(), point.get_right_vector()
    spot = point.location + 9.0 * ahead + 4.0 * right + carla.Location(z=2.5)
    camera = Camera(world, carla.Transform(spot, carla.Rotation(pitch=-35.0, yaw=point.rotation.yaw - 90.0)))
    for _ in range(10):
        world.tick()
    state = carla.VehicleLightState
    pictures = {}
    for name, flags in (("off", state.NONE), ("low", state.LowBeam), ("off again", state.NONE)):
        car.set_light_state(state(flags))
        world.tick()
        pictures[name] = camera.look()
    assert pictures["low"].mean() > 1.5 * pictures["off"].mean() + 2.0, "the road ahead is lit"
    np.testing.assert_allclose(pictures["off again"].mean(), pictures["off"].mean(), rtol=0.1)
    camera.close()
    spot = point.location - 5.0 * ahead - 2.5 * right + carla.Location(z=1.0)
    camera = Camera(world, carla.Transform(spot, carla.Rotation(yaw=point.rotation.yaw + 35.0)))
    for flags in (state.Brake, state.Position, state.LeftBlinker):
        seen = []
        for now in (state.NONE, flags):
            car.set_light_state(state(now))
            # A blinker is dark half of the time.
            looks = [camera.look() for _ in range(16 if flags == state.LeftBlinker else 1)]
            seen.append(max((look[:, :, 0] - look[:, :, 2] > 100.0).sum() for look in looks))
        assert seen[1] >= seen[0] + 3, flags
    camera.close()


MANAGED = """
import sys, carla

client = carla.Client("127.0.0.1", int(sys.argv[1]))
client.set_timeout(60.0)
world = client.get_world()
world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=0.05))
manager = client.get_trafficmanager(int(sys.argv[2]))
manager.set_synchronous_mode(True)
cars = []
for point in world.get_map().get_spawn_points()[:3]:
    car = world.try_spawn_actor(world.get_blueprint_library().find("vehicle.tesla.model3"), point)
    if car is not None:
        cars.append(car)
        manager.update_vehicle_lights(car, True)
        car.set_autopilot(True, int(sys.argv[2]))
weathers = (
    carla.WeatherParameters(sun_altitude_angle=-60.0),
    carla.WeatherParameters(sun_altitude_angle=60.0),
    carla.WeatherParameters(sun_altitude_angle=60.0, precipitation=90.0),
)
for weather, wanted in zip(weathers, (True, False, True)):
    world.set_weather(weather)
    for _ in range(40):
        world.tick()
        beams = [bool(int(car.get_light_state()) & int(carla.VehicleLightState.LowBeam)) for car in cars]
        if all(beam == wanted for beam in beams):
            break
    print(len(cars) > 0, wanted, beams)
manager.shut_down()
"""


def test_the_traffic_managers_vehicle_lights_follow_the_weather(running):
    """In a process of its own: the manager's threads outlive it and have been seen to abort a test's process later."""
    command = [sys.executable, "-c", MANAGED, str(running.port), str(MANAGER_PORT)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    lines = [line for line in said.stdout.splitlines() if line.startswith(("True", "False"))]
    assert len(lines) == 3, said.stderr
    for line, wanted in zip(lines, (True, False, True), strict=True):
        assert line.startswith(f"True {wanted} [")
        assert str(not wanted) not in line.split("[")[1], line

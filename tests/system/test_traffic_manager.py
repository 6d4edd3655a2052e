"""CARLA's own traffic manager drives thirty of our cars for five simulated minutes.

They stop at red lights, touch nothing, and keep to their lanes: at most 0.5 m from the lane's centre wherever the
whole car is out of junctions.
"""

from __future__ import annotations

import contextlib
import math
import random
import threading
from dataclasses import dataclass, field

import carla
import pytest
from engine_process import ROOT, engine

STEP_S = 0.05
TICKS = 6000
CARS = 30
LANE_LIMIT_M = 0.5
CURVE_LIMIT_M = 1.0
"""Just behind a junction, while a car's tail is still in it, its curve is not over yet."""
TOWN01 = ROOT.parent / "shared" / "data" / "carla" / "Town01.xodr"
MAPS = [
    pytest.param("RealityTown", id="RealityTown"),
    pytest.param(
        str(TOWN01), id="Town01", marks=pytest.mark.skipif(not TOWN01.is_file(), reason="Town01.xodr is not at hand")
    ),
]


@dataclass
class Drive:
    """What was seen of the traffic."""

    deviations: list[tuple[float, bool, str]] = field(default_factory=list)
    collisions: set[tuple[int, str]] = field(default_factory=set)
    waits_at_red: int = 0
    ran_red: list[str] = field(default_factory=list)
    driven_m: dict[int, float] = field(default_factory=dict)

    def worst(self, leaving_junction: bool) -> tuple[float, bool, str]:
        """The largest deviation among cars that are (not) just leaving a junction."""
        return max((d for d in self.deviations if d[1] == leaving_junction), default=(0.0, leaving_junction, ""))


def spawn_cars(world, count):
    rng = random.Random(3)
    points = world.get_map().get_spawn_points()
    rng.shuffle(points)
    library = world.get_blueprint_library().filter("vehicle.*")
    cars = sorted((b for b in library if b.get_attribute("base_type").as_str() == "car"), key=lambda b: b.id)
    spawned = []
    for point in points:
        if len(spawned) == count:
            break
        car = world.try_spawn_actor(rng.choice(cars), point)
        if car is not None:
            spawned.append(car)
    assert len(spawned) == count
    return spawned


def watch_collisions(world, cars, drive):
    blueprint = world.get_blueprint_library().find("sensor.other.collision")
    sensors = []

    def note(event):
        # Wheels and bumpers may brush the road's mesh; everything else counts.
        if not event.other_actor.type_id.startswith(("static.road", "static.ground")):
            drive.collisions.add((event.actor.id, event.other_actor.type_id))

    for car in cars:
        sensor = world.spawn_actor(blueprint, carla.Transform(), attach_to=car)
        sensor.listen(note)
        sensors.append(sensor)
    return sensors


def leaving(waypoint) -> bool:
    """Whether a car whose middle is here still has its tail in a junction."""
    return any(before.is_junction for before in waypoint.previous(2.5))


def look(carla_map, car, snapshot, tick, drive, last):
    seen = snapshot.find(car.id)
    pose, velocity = seen.get_transform(), seen.get_velocity()
    speed = math.hypot(velocity.x, velocity.y)
    waypoint = carla_map.get_waypoint(pose.location)
    red = car.is_at_traffic_light() and car.get_traffic_light_state() == carla.TrafficLightState.Red
    before = last.get(car.id)
    if before is not None:
        drive.driven_m[car.id] = drive.driven_m.get(car.id, 0.0) + pose.location.distance(before[0])
        if waypoint.is_junction and not before[1] and red and speed > 1.0:
            drive.ran_red.append(f"tick {tick}: {car.type_id} at {pose.location}")
    if red and speed < 0.1:
        drive.waits_at_red += 1
    last[car.id] = (pose.location, waypoint.is_junction)
    if not waypoint.is_junction:
        right, gap = waypoint.transform.get_right_vector(), pose.location - waypoint.transform.location
        off = abs(gap.x * right.x + gap.y * right.y)
        where = f"tick {tick}: {car.type_id}, road {waypoint.road_id}, s {waypoint.s:.1f}, {speed:.1f} m/s"
        drive.deviations.append((off, leaving(waypoint), where))


@contextlib.contextmanager
def unstuck(manager, progress):
    """Wake the client's traffic manager when it sleeps through a tick.

    ``TrafficManagerLocal::SynchronousTick`` of 0.9.16 sets its flag without the lock its thread waits under, so now
    and then, on a busy machine, the wake-up is lost and ``world.tick()`` waits for ever, whatever the server does.
    Leaving synchronous mode is the one call that wakes the thread again.
    """
    done = threading.Event()

    def watch():
        seen = -1
        while not done.wait(15.0):
            if progress[0] == seen:
                manager.set_synchronous_mode(False)
                manager.set_synchronous_mode(True)
            seen = progress[0]

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join(5.0)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", MAPS)
def test_thirty_cars_drive_five_minutes_under_the_traffic_manager(name):
    drive, last = Drive(), {}
    with engine("--map", name) as server:
        client = carla.Client("127.0.0.1", server.port)
        client.set_timeout(30.0)
        world = client.get_world()
        world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
        manager = client.get_trafficmanager(server.port + 10_000)
        manager.set_synchronous_mode(True)
        manager.set_random_device_seed(1)
        cars = spawn_cars(world, CARS)
        sensors = watch_collisions(world, cars, drive)
        world.tick()
        for car in cars:
            car.set_autopilot(True, server.port + 10_000)
        carla_map = world.get_map()
        progress = [0]
        with unstuck(manager, progress):
            for tick in range(TICKS):
                world.tick(30.0)
                progress[0] = tick
                if tick % 4 == 0:
                    snapshot = world.get_snapshot()
                    for car in cars:
                        look(carla_map, car, snapshot, tick, drive, last)
        resident_mb = server.resident_mb
        for sensor in sensors:
            sensor.stop()
        manager.shut_down()
        assert "Traceback" not in server.log_text()
    lane, curve = drive.worst(False), drive.worst(True)
    print(f"\n{name}: worst off lane {lane}, behind junctions {curve}; waits at red {drive.waits_at_red}, "
          f"driven {sum(drive.driven_m.values()) / CARS:.0f} m a car, engine {resident_mb:.0f} MB")  # fmt: skip
    assert drive.collisions == set()
    assert drive.ran_red == []
    assert lane[0] <= LANE_LIMIT_M, lane
    assert curve[0] <= CURVE_LIMIT_M, curve
    assert drive.waits_at_red > 500
    assert min(drive.driven_m.values()) > 200.0
    assert resident_mb < 700.0

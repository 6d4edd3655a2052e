"""Maps of the composer in the engine: from a folder and as a text, and CARLA's traffic manager drives on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import carla
import pytest
import test_traffic_manager as traffic
from engine_process import ROOT, engine

from scenarios.opendrive.compose import (
    JunctionParameters,
    RoundaboutParameters,
    SmallTownParameters,
    junction,
    roundabout,
    small_town,
)
from scenarios.opendrive.compose.crossings import CrossingArm

CARS, TICKS = 10, 1200
LIMIT_M = 0.5


def arms(*bearings: float) -> tuple[CrossingArm, ...]:
    return tuple(CrossingArm(bearing_deg=bearing) for bearing in bearings)


MAPS = {
    "junction": lambda: junction(JunctionParameters(arms=arms(0, 85, 180, 270))),
    "stop signs": lambda: junction(JunctionParameters(arms=arms(0, 180, 260), control="stop")),
    "roundabout": lambda: roundabout(RoundaboutParameters(arms=arms(0, 100, 190, 280))),
    "town": lambda: small_town(SmallTownParameters(columns=3, rows=3, seed=4)),
}


def beyond(carla_map, car, snapshot, tick) -> tuple[float, str]:
    """Return how far a car's side reaches over the edge of the lane it is on, and where; inside of junctions too."""
    place = snapshot.find(car.id).get_transform().location
    waypoint = carla_map.get_waypoint(place)
    right, gap = waypoint.transform.get_right_vector(), place - waypoint.transform.location
    off = abs(gap.x * right.x + gap.y * right.y)
    where = f"tick {tick}: {car.type_id}, road {waypoint.road_id}, lane {waypoint.lane_id}, s {waypoint.s:.1f}"
    return off + car.bounding_box.extent.y - 0.5 * waypoint.lane_width, where


def drive(name: str, folder: Path) -> dict:
    """Drive ten cars for a minute; what was seen. Runs in a process of its own."""
    seen, last, outside = traffic.Drive(), {}, (0.0, "")
    with engine("--maps", str(folder)) as server:
        client = carla.Client("127.0.0.1", server.port)
        client.set_timeout(60.0)
        if name == "roundabout":
            world = client.generate_opendrive_world(MAPS[name]())
        else:
            world = client.load_world(name)
        world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=traffic.STEP_S))
        carla_map = world.get_map()
        points = carla_map.get_spawn_points()
        manager = client.get_trafficmanager(server.port + 8_000)
        manager.set_synchronous_mode(True)
        manager.set_random_device_seed(1)
        cars = traffic.spawn_cars(world, CARS)
        sensors = traffic.watch_collisions(world, cars, seen)
        world.tick()
        for car in cars:
            car.set_autopilot(True, server.port + 8_000)
        for tick in range(TICKS):
            world.tick(30.0)
            if tick % 100 == 0:
                print(f"tick {tick}", flush=True)
            if tick % 4 == 0:
                snapshot = world.get_snapshot()
                for car in cars:
                    traffic.look(carla_map, car, snapshot, tick, seen, last)
                    outside = max(outside, beyond(carla_map, car, snapshot, tick))
        off_road = [p for p in points if carla_map.get_waypoint(p.location, project_to_road=False) is None]
        outcome = {
            "spawn_points": len(points),
            "off_road": len(off_road),
            "outside": outside,
            "collisions": sorted(seen.collisions),
            "ran_red": seen.ran_red,
            "driven_m": sorted(seen.driven_m.values()),
            "traceback": "Traceback" in server.log_text(),
        }
        for sensor in sensors:
            sensor.stop()
    return outcome


def attempt(name: str, folder: Path) -> dict | None:
    """Run :func:`drive` in a child; None when the client's traffic manager fell asleep (see test_traffic_manager)."""
    (folder / f"{name}.xodr").write_text(MAPS[name]())
    command = [sys.executable, __file__, name, str(folder)]
    path = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, timeout=240.0
        )
    except subprocess.TimeoutExpired:
        return None
    found = [line for line in ended.stdout.splitlines() if line.startswith("{")]
    assert found, ended.stderr[-2000:]
    return json.loads(found[-1])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["junction", "roundabout", "town"])
def test_ten_cars_drive_a_minute_under_the_traffic_manager(name, tmp_path):
    outcome = next((found for found in (attempt(name, tmp_path) for _ in range(2)) if found is not None), None)
    assert outcome is not None, "the client's traffic manager fell asleep twice"
    assert not outcome["traceback"]
    assert outcome["spawn_points"] >= CARS
    assert outcome["off_road"] == 0
    assert outcome["collisions"] == []
    assert outcome["ran_red"] == []
    assert outcome["outside"][0] <= LIMIT_M, outcome["outside"]
    assert sum(outcome["driven_m"]) > 100.0 * CARS, outcome["driven_m"]


if __name__ == "__main__":
    print(json.dumps(drive(sys.argv[1], Path(sys.argv[2]))), flush=True)
    os._exit(0)  # the client joins the traffic manager's thread at exit, which may sleep for ever

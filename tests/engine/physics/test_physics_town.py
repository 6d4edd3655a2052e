"""On CARLA's Town01: vehicles rest where the genuine client's waypoints are."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from physics_worlds import CAR, DT, SUBSTEPS, drive, mesh, placed, speed

from engine.geometry import Box, Model, StaticWorld
from engine.physics import Physics
from foundation.frames import flip_y
from foundation.ids import Tag

TOWN = Path(__file__).resolve().parents[4] / "shared" / "data" / "carla" / "Town01.xodr"

pytestmark = pytest.mark.skipif(not TOWN.exists(), reason="CARLA's Town01 is not there")


@pytest.fixture(scope="module")
def town() -> StaticWorld:
    """Return the road surfaces of Town01 alone."""
    from scenarios.opendrive import read, surfaces

    made = surfaces(read(TOWN))
    objects = []
    for number, surface in enumerate(made, start=1):
        vertices = flip_y(surface.vertices)
        model = Model("lane", (mesh(vertices, surface.triangles, Tag.ROADS),), Box((0, 0, 0), (1, 1, 1)))
        objects.append(placed(number, model, Tag.ROADS))
    return StaticWorld("Town01", "", tuple(objects))


@pytest.fixture(scope="module")
def client_map():
    """Return the genuine client's map; it needs no server."""
    carla = pytest.importorskip("carla")
    return carla.Map("Town01", TOWN.read_text(encoding="utf-8"))


def test_vehicles_rest_at_the_clients_waypoint_heights(town: StaticWorld, client_map) -> None:
    physics = Physics(town)
    waypoints = [w for w in client_map.generate_waypoints(40.0) if str(w.lane_type) == "Driving"][:120]
    assert len(waypoints) > 60
    placed_at = []
    for waypoint in waypoints:
        t = waypoint.transform
        location = (t.location.x, t.location.y, t.location.z + 0.3)
        rotation = (t.rotation.pitch, t.rotation.yaw, t.rotation.roll)
        if physics.overlaps(CAR, location, rotation):
            continue
        physics.add_vehicle(len(placed_at) + 1, CAR, None, location, rotation)
        drive(physics, len(placed_at) + 1, brake=1.0)
        placed_at.append(waypoint)
    assert len(placed_at) > 50
    for _ in range(40):
        physics.step(DT, SUBSTEPS)
    for actor_id, waypoint in enumerate(placed_at, start=1):
        (x, y, z), _ = physics.transform(actor_id)
        height = client_map.get_waypoint(waypoint.transform.location).transform.location.z
        assert z == pytest.approx(height, abs=0.02), f"at ({x:.1f}, {y:.1f})"
        assert speed(physics, actor_id) < 0.01


def test_a_car_driven_along_the_lanes_stays_on_them(town: StaticWorld, client_map) -> None:
    """A plain pursuit driver, at dt 0.05, through ten corners of the town."""
    import carla

    start = client_map.get_waypoint(carla.Location(x=92.0, y=120.0, z=0.0))
    physics = Physics(town)
    t = start.transform
    physics.add_vehicle(1, CAR, None, (t.location.x, t.location.y, t.location.z + 0.1), (0.0, t.rotation.yaw, 0.0))
    away, heights, way = [], [], 0.0
    for _ in range(1600):
        (x, y, z), (_, yaw, _) = physics.transform(1)
        here = client_map.get_waypoint(carla.Location(x=x, y=y, z=z))
        ahead = here.next(max(4.0, 0.7 * speed(physics)))[0].transform.location
        heading = math.radians(yaw)
        side = -(ahead.x - x) * math.sin(heading) + (ahead.y - y) * math.cos(heading)
        angle = math.atan(2.0 * CAR.wheelbase * side / ((ahead.x - x) ** 2 + (ahead.y - y) ** 2))
        corner = abs(math.degrees(angle)) > 3.0
        wanted = 5.0 if corner else 10.0
        pedal = 0.4 * (wanted - speed(physics))
        drive(physics, throttle=max(0.0, min(0.7, pedal)), brake=max(0.0, min(0.6, -pedal)), steer=angle / 1.1)
        physics.step(DT, SUBSTEPS)
        way += speed(physics) * DT
        assert physics.contacts() == []
        at = here.transform
        right = at.get_right_vector()
        if not here.is_junction:
            away.append(abs((x - at.location.x) * right.x + (y - at.location.y) * right.y))
            heights.append(abs(z - at.location.z))
    assert way > 350.0
    assert np.percentile(away, 95) < 0.5
    assert max(heights) < 0.05

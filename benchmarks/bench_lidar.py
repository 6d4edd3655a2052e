"""A lidar sweep of 60,000 rays among 30 vehicles in our town, beside Embree's raw rate on the same static scene.

The peer is Open3D's ``cast_rays`` alone: the static world's triangles, rays ready made, nothing done with the answer.
Ours is the whole sensor: poses and joints of 30 vehicles that move between any two sweeps, rays in the sensor's pose,
static world and vehicles, drop-off of weak returns, encoding; CARLA's default attributes, but for the general drop-off:
all rays are shot. The vehicles, of 30 kinds, stand on the lane points nearest to the sensor.

    python -m benchmarks lidar
"""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import open3d

from engine.blueprints import VEHICLES
from engine.geometry import StaticWorld
from engine.raycast import RayCaster
from engine.scene import actor_model, build_static_world, joint_matrices
from engine.sensors import SENSORS
from engine.state import ActorTable, Kind
from scenarios.opendrive import read
from sensors.models import lidar

MAP = Path(__file__).parents[1] / "scenarios/catalogue/maps/RealityTown.xodr"
CHANNELS, COLUMNS, RANGE_M, DELTA_S = 32, 1875, 100.0, 0.05
SENSOR, VEHICLE_COUNT, ROUNDS = 9, 30, 40


def traffic(static: StaticWorld, caster: RayCaster) -> ActorTable:
    """Place the sensor 2.4 m above the middlemost lane point, and vehicles on the 30 nearest to it."""
    points = [np.array(location) for location, _ in static.spawn_points]
    middle = np.mean(points, axis=0)
    center = min(points, key=lambda p: float(np.linalg.norm(p - middle)))
    nearest = sorted(range(len(points)), key=lambda i: float(np.linalg.norm(points[i] - center)))
    table = ActorTable()
    table.add(SENSOR, Kind.SENSOR)["location"] = center + np.array((0.0, 0.0, 1.9))
    kinds = sorted(VEHICLES)
    for n, i in enumerate(nearest[1 : VEHICLE_COUNT + 1]):
        row = table.add(10 + n, Kind.VEHICLE)
        row["location"], row["rotation"] = points[i] - np.array((0.0, 0.0, 0.5)), static.spawn_points[i][1]
        caster.add_actor(10 + n, actor_model(VEHICLES[kinds[n % len(kinds)]], color=(128, 128, 128)))
    return table


def raw_scene(static: StaticWorld) -> Any:
    """Build the peer's scene from the same triangles."""
    scene, tensor = open3d.t.geometry.RaycastingScene(), open3d.core.Tensor.from_numpy
    for obj in static.objects:
        for mesh in obj.model.meshes:
            if len(mesh.triangles):
                vertices = (mesh.vertices @ obj.pose[:3, :3].T + obj.pose[:3, 3]).astype(np.float32)
                scene.add_triangles(tensor(vertices), tensor(mesh.triangles.astype(np.uint32)))
    return scene


def run() -> list[dict[str, Any]]:
    """Measure; seconds are medians over rounds in which both take turns."""
    static = build_static_world(read(MAP), seed=0, name="RealityTown")
    caster = RayCaster(static, joint_matrices)
    table = traffic(static, caster)
    attributes = {
        "channels": str(CHANNELS), "points_per_second": str(int(CHANNELS * COLUMNS / DELTA_S)), "range": str(RANGE_M),
        "rotation_frequency": str(1 / DELTA_S), "dropoff_general_rate": "0.0",
    }  # fmt: skip
    sensor = SENSORS["sensor.lidar.ray_cast"](attributes, SENSOR)
    context: Any = SimpleNamespace(table=table, rays=caster, delta_s=DELTA_S, frame=1, elapsed_s=0.0)
    peer = raw_scene(static)
    azimuth = lidar.azimuths_deg(0.0, 360.0, COLUMNS, 360.0)
    directions = lidar.directions(lidar.vertical_angles_deg(CHANNELS, 10.0, -30.0), azimuth).reshape(-1, 3)
    rays = np.concatenate([np.broadcast_to(table[SENSOR]["location"], directions.shape), directions], axis=1)
    tensor = open3d.core.Tensor.from_numpy(np.ascontiguousarray(rays, dtype=np.float32))

    def ours() -> None:
        caster.update(table)
        sensor.captures(context)

    times: dict[str, list[float]] = {"ours": [], "raw": []}
    for turn in range(ROUNDS + 3):
        table.rows["location"][1:, 0] += 0.01
        table.rows["wheel_spin"] += 0.03
        for name, job in (("raw", lambda: peer.cast_rays(tensor)), ("ours", ours)):
            began = time.perf_counter()
            job()
            if turn >= 3:
                times[name].append(time.perf_counter() - began)
    rate = {name: CHANNELS * COLUMNS / float(np.median(values)) / 1e6 for name, values in times.items()}
    seen = int((caster.cast(table[SENSOR]["location"], directions, RANGE_M).actor_id > 0).sum())
    return [
        {
            "name": f"lidar sweep of {CHANNELS * COLUMNS} rays, {VEHICLE_COUNT} vehicles ({seen} rays end on them)",
            "value": rate["ours"],
            "unit": "M rays/s",
            "limit_value": rate["raw"],
            "ratio": rate["ours"] / rate["raw"],
            "target": ">= 0.4",
        }
    ]


if __name__ == "__main__":
    for line in run():
        print(line)

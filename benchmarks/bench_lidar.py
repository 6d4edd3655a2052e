"""A 60,000-ray lidar sweep among 30 vehicles, beside Embree's raw rate on the same static scene.

    python benchmarks/bench_lidar.py [--vehicles 30] [--repeat 30]

Prints rays per second of (a) Open3D's ``cast_rays`` alone on the static scene, with rays ready made, and (b) our
whole sweep: making the rays, static scene, vehicles with turning wheels, drop-off and encoding. Target: (b) >= 0.4 (a).
"""

from __future__ import annotations

import argparse
import time
from types import SimpleNamespace

import numpy as np
import open3d

from engine.geometry import Box, Joint, Material, Mesh, Model, StaticObject, StaticWorld
from engine.raycast import RayCaster
from engine.sensors import SENSORS
from engine.state import ActorTable, Kind
from foundation.ids import Tag

CHANNELS, COLUMNS, RANGE_M, DELTA_S = 32, 1875, 100.0, 0.05


def mesh_of(vertices: np.ndarray, triangles: np.ndarray, tag: Tag, joint: str = "") -> Mesh:
    """Wrap bare triangles."""
    n = len(vertices)
    return Mesh(
        vertices.astype(np.float32), triangles.astype(np.int32), np.zeros((n, 3), np.float32),
        np.zeros((n, 2), np.float32), np.zeros((n, 3), np.uint8), Material("any"), tag, joint,
    )  # fmt: skip


def sheet(columns: int, rows: int, point: object) -> tuple[np.ndarray, np.ndarray]:
    """Triangulate a grid whose points are ``point(u, v)``, u and v running over 0..1."""
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    vertices = np.stack(np.broadcast_arrays(*point(u, v)), axis=-1).reshape(-1, 3)  # type: ignore[operator]
    i = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    cells = [np.stack([i, i + 1, i + columns], 1), np.stack([i + 1, i + columns + 1, i + columns], 1)]
    return vertices, np.concatenate(cells)


def town(rng: np.random.Generator) -> StaticWorld:
    """400 m x 400 m of uneven ground in 1.6 m cells and 400 buildings of 2,000 triangles: about 0.9 M triangles."""
    ground = sheet(250, 250, lambda u, v: (400 * u - 200, 400 * v - 200, 0.02 * np.sin(40 * u) * np.cos(40 * v)))
    objects = [static(1, mesh_of(*ground, Tag.ROADS), np.eye(4))]
    wall = sheet(200, 6, lambda u, v: (6 * np.cos(2 * np.pi * u), 6 * np.sin(2 * np.pi * u), 12 * v))
    for n in range(400):
        pose = np.eye(4)
        pose[:2, 3] = (n // 20) * 20 - 190, (n % 20) * 20 - 190 + rng.uniform(-1, 1)
        if np.hypot(*pose[:2, 3]) > 25:
            objects.append(static(n + 2, mesh_of(*wall, Tag.BUILDINGS), pose))
    return StaticWorld("benchmark", "", tuple(objects))


def static(number: int, mesh: Mesh, pose: np.ndarray) -> StaticObject:
    """Place one mesh."""
    return StaticObject(number, str(number), Model(str(number), (mesh,), Box((0, 0, 0), (1, 1, 1))), pose, mesh.tag)


def car() -> Model:
    """An egg of a car, 4.5 m x 1.8 m x 1.4 m with 8,000 triangles, on four wheels of 400."""
    body = sheet(
        80, 52,
        lambda u, v: (2.25 * np.cos(2 * np.pi * u) * np.sin(np.pi * v), 0.9 * np.sin(2 * np.pi * u) * np.sin(np.pi * v),
                      0.85 - 0.7 * np.cos(np.pi * v)),
    )  # fmt: skip
    wheel = sheet(101, 3, lambda u, v: (0.33 * np.cos(2 * np.pi * u), 0.25 * v - 0.12, 0.33 * np.sin(2 * np.pi * u)))
    meshes, joints = [mesh_of(*body, Tag.CAR)], []
    for name, x, y in (("fl", 1.4, -0.8), ("fr", 1.4, 0.8), ("rl", -1.4, -0.8), ("rr", -1.4, 0.8)):
        rest = np.eye(4)
        rest[:3, 3] = x, y, 0.33
        joints.append(Joint(name, "", rest))
        meshes.append(mesh_of(*wheel, Tag.CAR, name))
    return Model("car", tuple(meshes), Box((0, 0, 0.75), (2.25, 0.9, 0.75)), tuple(joints))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vehicles", type=int, default=30)
    parser.add_argument("--repeat", type=int, default=30)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    world = town(rng)
    caster, table = RayCaster(world), ActorTable()
    for n in range(options.vehicles):
        row = table.add(10 + n, Kind.VEHICLE)
        distance, angle = rng.uniform(6, 60), rng.uniform(0, 2 * np.pi)
        row["location"] = distance * np.cos(angle), distance * np.sin(angle), 0.0
        row["rotation"] = 0.0, rng.uniform(-180, 180), 0.0
        caster.add_actor(10 + n, car())
    table.add(9, Kind.SENSOR)["location"] = 0.0, 0.0, 2.0
    attributes = {
        "channels": str(CHANNELS), "points_per_second": str(int(CHANNELS * COLUMNS / DELTA_S)), "range": str(RANGE_M),
        "rotation_frequency": str(1 / DELTA_S), "dropoff_general_rate": "0.0",
    }  # fmt: skip
    sensor = SENSORS["sensor.lidar.ray_cast"](attributes, 9)
    context = SimpleNamespace(table=table, rays=caster, delta_s=DELTA_S, frame=1, elapsed_s=0.0)
    raw_scene, triangles = raw_scene_of(world)
    angles = np.radians(np.linspace(10, -30, CHANNELS)), np.radians(np.arange(COLUMNS) * 360 / COLUMNS - 180)
    elevation, azimuth = (a.ravel() for a in np.meshgrid(*angles, indexing="ij"))
    flat = np.cos(elevation)
    rays = np.stack(
        [0 * flat, 0 * flat, 0 * flat + 2, flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], 1
    )
    tensor = open3d.core.Tensor(np.ascontiguousarray(rays, dtype=np.float32))

    def sweep() -> None:
        caster.update(table)
        body = sensor.capture(context)
        assert body is not None

    print(f"{triangles} static triangles, {options.vehicles} vehicles of 8,000 + 4 x 400, {CHANNELS * COLUMNS} rays")
    raw_s, ours_s = [], []
    for _ in range(options.repeat):  # in turns, so that both meet the same machine
        raw_s.append(timed(lambda: raw_scene.cast_rays(tensor)))
        ours_s.append(timed(sweep))
    on_actors = int((caster.cast(rays[0, :3], rays[:, 3:], RANGE_M).actor_id > 0).sum())
    raw, ours = (CHANNELS * COLUMNS / float(np.median(s)) for s in (raw_s, ours_s))
    print(f"rays that end on a vehicle:              {on_actors}")
    print(f"Embree alone, static scene:              {raw / 1e6:6.2f} M rays/s")
    print(f"our sweep, encoded, with vehicles:       {ours / 1e6:6.2f} M rays/s = {ours / raw:.2f} of it (target 0.40)")


def raw_scene_of(world: StaticWorld) -> tuple[open3d.t.geometry.RaycastingScene, int]:
    """Build the peer's scene from the same triangles."""
    scene, count = open3d.t.geometry.RaycastingScene(), 0
    for obj in world.objects:
        for mesh in obj.model.meshes:
            vertices = (mesh.vertices @ obj.pose[:3, :3].T + obj.pose[:3, 3]).astype(np.float32)
            scene.add_triangles(open3d.core.Tensor(vertices), open3d.core.Tensor(mesh.triangles.astype(np.uint32)))
            count += len(mesh.triangles)
    return scene, count


def timed(action: object) -> float:
    """Return how long one call takes, seconds."""
    began = time.perf_counter()
    action()  # type: ignore[operator]
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

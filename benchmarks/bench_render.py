"""Labelled pictures of our town at 800 x 600, beside plain Panda3D drawing the colours of the same view.

The peer is what a straightforward Panda3D program does: the same triangles in the same cells, vertex colours, one sun
and ambient light in the fixed pipeline, no texture, no shadow, one colour buffer copied to memory. Ours delivers rgb
(textured, shadowed, smoothed), depth, semantic and instance pictures as CARLA encodes them. Vehicles move between any
two pictures, so no shadow is reused that could not be in a drive.

    python -m benchmarks render
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.blueprints import VEHICLES, WALKERS
from engine.geometry import Model, StaticWorld
from engine.render import Renderer, View
from engine.render.actors import model_joints
from engine.render.context import Context, shared_context
from engine.scene import actor_model, build_static_world
from engine.state import ActorTable, Kind
from foundation.frames import pose_matrices
from scenarios.opendrive import read

MAP = Path(__file__).parents[1] / "scenarios/catalogue/maps/RealityTown.xodr"
ALL = frozenset({"rgb", "depth", "semantic", "instance"})
ROUNDS = 15
CELL_M = 64.0
_FLIP = np.diag([1.0, -1.0, 1.0, 1.0])
Matrix = npt.NDArray[np.float64]


class Peer:
    """Plain Panda3D: colour only."""

    def __init__(self, context: Context, static: StaticWorld, models: dict[int, Model], view: View) -> None:
        self._engine = context.engine
        properties = core.FrameBufferProperties()
        properties.set_rgba_bits(8, 8, 8, 8)
        properties.set_depth_bits(24)
        self._buffer = context.make_buffer("peer", view.width, view.height, properties, 30)
        self._texture = core.Texture()
        copy: Any = core.GraphicsOutput.RTM_copy_ram
        plane: Any = core.GraphicsOutput.RTP_color
        self._buffer.add_render_texture(self._texture, copy, plane)
        self._buffer.set_clear_depth_active(True)
        self._buffer.set_clear_color_active(True)
        self._size = view.height, view.width
        self._root = core.NodePath("peer")
        self._add_static(static)
        self._actors = {number: self._add_actor(model) for number, model in models.items()}
        for light, color in (
            (core.DirectionalLight("sun"), (1.0, 1.0, 0.9, 1.0)),
            (core.AmbientLight("sky"), (0.4,) * 4),
        ):
            light.set_color(color)
            self._root.set_light(self._root.attach_new_node(light))
            if isinstance(light, core.DirectionalLight):
                light.set_direction((-1.0, 1.0, -1.0))
        lens = core.PerspectiveLens()
        lens.set_film_size(view.width, view.height)
        lens.set_focal_length(view.focal_px)
        lens.set_near_far(0.2, 4000.0)
        camera = core.Camera("peer", lens)
        camera.set_scene(self._root)
        path = core.NodePath(camera)
        world = view.world_from_camera()
        pose = np.zeros((4, 4))
        for row, column in ((0, 1), (1, 0), (2, 2), (3, 3)):
            pose[row, :3] = world[:3, column] * (1, -1, 1)
        pose[3, 3] = 1.0
        path.set_mat(core.LMatrix4f(*pose.ravel()))
        self._buffer.make_display_region().set_camera(path)

    def _add_static(self, static: StaticWorld) -> None:
        cells: dict[tuple[int, int], list[tuple[Any, ...]]] = defaultdict(list)
        for thing in static.objects:
            for mesh in thing.model.meshes:
                points = mesh.vertices @ thing.pose[:3, :3].T + thing.pose[:3, 3]
                normals = mesh.normals @ thing.pose[:3, :3].T
                at = np.floor(points[mesh.triangles].mean(axis=1)[:, :2] / CELL_M).astype(int)
                for cell in np.unique(at, axis=0):
                    triangles = mesh.triangles[(at == cell).all(axis=1)]
                    used, local = np.unique(triangles, return_inverse=True)
                    color = mesh.colors[used] * np.asarray(mesh.material.color)
                    cells[tuple(cell.tolist())].append((points[used], normals[used], color, local.reshape(-1, 3)))
        for parts in cells.values():
            self._root.attach_new_node(_node(parts))

    def _add_actor(self, model: Model) -> core.NodePath:
        rest = dict(zip(("", *(j.name for j in model.joints)), (np.eye(4), *model_joints(model))))
        parts = []
        for mesh in model.meshes:
            joint = rest[mesh.joint]
            points, normals = mesh.vertices @ joint[:3, :3].T + joint[:3, 3], mesh.normals @ joint[:3, :3].T
            parts.append((points, normals, mesh.colors * np.asarray(mesh.material.color), mesh.triangles))
        return self._root.attach_new_node(_node(parts))

    def draw(self, table: ActorTable) -> npt.NDArray[np.uint8]:
        """Return (H, W, 4) BGRA, top row first."""
        rows = table.rows
        matrices = (_FLIP @ pose_matrices(rows["location"], rows["rotation"]) @ _FLIP).swapaxes(1, 2).reshape(-1, 16)
        for number, matrix in zip(rows["id"].tolist(), matrices.tolist()):
            self._actors[number].set_mat(core.LMatrix4f(*matrix))
        self._buffer.set_active(True)
        self._engine.render_frame()
        self._buffer.set_active(False)
        image: Any = self._texture.get_ram_image()
        return np.ascontiguousarray(np.frombuffer(memoryview(image), np.uint8).reshape(*self._size, 4)[::-1])


def _node(parts: list[tuple[Any, ...]]) -> core.GeomNode:
    rows = np.zeros(sum(len(part[0]) for part in parts), dtype=[("v", "f4", 3), ("n", "f4", 3), ("c", "u1", 4)])
    faces, start = [], 0
    for points, normals, colors, triangles in parts:
        mine = rows[start : start + len(points)]
        mine["v"], mine["n"] = points * (1, -1, 1), normals * (1, -1, 1)
        mine["c"][:, :3], mine["c"][:, 3] = colors, 255
        faces.append(triangles + start)
        start += len(points)
    data = core.GeomVertexData("peer", core.GeomVertexFormat.get_v3n3c4(), core.Geom.UH_static)
    data.unclean_set_num_rows(len(rows))
    data.modify_array(0).modify_handle().copy_data_from(rows)
    indices = np.ascontiguousarray(np.concatenate(faces), dtype=np.uint32)
    primitive = core.GeomTriangles(core.Geom.UH_static)
    primitive.set_index_type(core.Geom.NT_uint32)
    primitive.modify_vertices().unclean_set_num_rows(indices.size)
    primitive.modify_vertices().modify_handle().copy_data_from(indices)
    geom = core.Geom(data)
    geom.add_primitive(primitive)
    node = core.GeomNode("peer")
    node.add_geom(geom)
    return node


def traffic(static: StaticWorld) -> tuple[ActorTable, dict[int, Model], View]:
    """Place 10 vehicles and 6 walkers in front of a camera at the first spawn point."""
    location, rotation = static.spawn_points[0]
    pose = pose_matrices(location, rotation)
    table, models = ActorTable(), {}
    for n in range(16):
        walker = n >= 10
        specs: list[Any] = list((WALKERS if walker else VEHICLES).values())
        spec = specs[(7 * n) % len(specs)]
        ahead, aside = (8.0 + 5.0 * (n - 10), 4.5) if walker else (8.0 + 8.0 * (n // 2), -3.5 * (n % 2))
        height = spec.height / 2.0 if walker else 0.0
        row = table.add(n + 1, Kind.WALKER if walker else Kind.VEHICLE)
        row["location"] = (pose @ (ahead, aside, height - 0.5, 1.0))[:3]
        row["rotation"] = (0.0, rotation[1] + 180.0 * (n % 2), 0.0)
        models[n + 1] = actor_model(spec, seed=n)
    return table, models, View((location[0], location[1], location[2] + 1.2), rotation)


def run() -> list[dict[str, Any]]:
    """Measure; seconds are medians over rounds in which everyone takes turns."""
    static = build_static_world(read(MAP), seed=0, name="RealityTown")
    table, models, view = traffic(static)
    renderer = Renderer(static)
    for number, model in models.items():
        renderer.add_actor(number, model, number)
    peer = Peer(shared_context(), static, models, view)

    def ours(wants: frozenset[str]) -> None:
        renderer.update(table, 0.0)
        renderer.render(view, wants)

    jobs: dict[str, Callable[[], object]] = {
        "all": lambda: ours(ALL),
        "rgb": lambda: ours(frozenset({"rgb"})),
        "labels": lambda: ours(ALL - {"rgb"}),
        "peer": lambda: peer.draw(table),
    }
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(ROUNDS + 2):
        for name, job in jobs.items():
            table.rows["location"][:, 0] += 0.01
            table.rows["gait_phase"] += 0.01
            table.rows["wheel_spin"] += 0.03
            began = time.perf_counter()
            job()
            if turn >= 2:
                times[name].append(time.perf_counter() - began)
    ms = {name: 1e3 * float(np.median(values)) for name, values in times.items()}
    renderer.close()

    def rate(name: str, key: str, limit: str, target: str) -> dict[str, Any]:
        value, raw = 1e3 / ms[key], 1e3 / ms[limit]
        return {"name": name, "value": value, "unit": "1/s", "limit_value": raw, "ratio": value / raw, "target": target}

    four = {"name": "four pictures beside our colour alone, 800x600", "value": ms["all"], "unit": "ms"}
    return [
        rate("rgb + depth + semantic + instance with shadow, 800x600", "all", "peer", ">= 0.5"),
        four | {"limit_value": ms["rgb"], "ratio": ms["all"] / ms["rgb"], "target": "<= 1.5"},
        rate("depth + semantic + instance, 800x600", "labels", "peer", ">= 0.5"),
    ]


if __name__ == "__main__":
    for line in run():
        print(line)

"""Labelled pictures of our town at 800 x 600, beside plain Panda3D drawing the colours of the same view.

The peers are what a straightforward Panda3D program does with the same triangles in the same cells, copying one colour
buffer to memory: "plain" has vertex colours, sun and ambient light in the fixed pipeline, no texture, no shadow; the
other has what our colours have too: light per pixel, texture, the sun's shadow, in one GLSL shader. Ours delivers rgb
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
    """Panda3D, colour only.

    Args:
        shaded: a small GLSL shader: light per pixel, one texture, the sun with a shadow map. Otherwise
            the fixed pipeline: light per vertex, no texture, no shadow.
    """

    def __init__(
        self, context: Context, static: StaticWorld, models: dict[int, Model], view: View, *, shaded: bool = False
    ) -> None:
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
        self._shadow = self._shade(context, view) if shaded else None
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

    def _shade(self, context: Context, view: View) -> core.GraphicsOutput:
        """Light per pixel, with a texture and a shadow map of everything, drawn anew each frame."""
        properties = core.FrameBufferProperties()
        properties.set_depth_bits(24)
        buffer = context.make_buffer("peer shadow", 2048, 2048, properties, 29)
        texture = core.Texture()
        texture.set_format(core.Texture.F_depth_component)
        texture.set_minfilter(core.SamplerState.FT_shadow)
        texture.set_magfilter(core.SamplerState.FT_shadow)
        bind: Any = core.GraphicsOutput.RTM_bind_or_copy
        plane: Any = core.GraphicsOutput.RTP_depth
        buffer.add_render_texture(texture, bind, plane)
        buffer.set_clear_depth_active(True)
        lens = core.OrthographicLens()
        lens.set_film_size(112.0, 112.0)
        lens.set_near_far(-200.0, 200.0)
        camera = core.Camera("peer sun", lens)
        camera.set_scene(self._root)
        sun = core.NodePath(camera)
        sun.set_pos(view.location[0], -view.location[1], view.location[2])
        sun.look_at(sun.get_pos() + core.LVector3(-1.0, 1.0, -1.0))
        buffer.make_display_region().set_camera(sun)
        bias = core.LMatrix4(0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0.5, 0.5, 0.499, 1)
        self._root.set_shader(core.Shader.make(core.Shader.SL_GLSL, _VERTEX, _FRAGMENT))
        self._root.set_shader_input("grain", _grain())
        self._root.set_shader_input("shadow", texture)
        self._root.set_shader_input("to_shadow", _inverse(sun.get_mat()) * lens.get_projection_mat() * bias)
        return buffer

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
        buffers = [buffer for buffer in (self._buffer, self._shadow) if buffer is not None]
        for buffer in buffers:
            buffer.set_active(True)
        self._engine.render_frame()
        for buffer in buffers:
            buffer.set_active(False)
        image: Any = self._texture.get_ram_image()
        return np.ascontiguousarray(np.frombuffer(memoryview(image), np.uint8).reshape(*self._size, 4)[::-1])


def _inverse(matrix: core.LMatrix4) -> core.LMatrix4:
    inverse = core.LMatrix4(matrix)
    inverse.invert_in_place()
    return inverse


_VERTEX = """#version 330
uniform mat4 p3d_ModelViewProjectionMatrix, p3d_ModelMatrix, to_shadow;
in vec4 p3d_Vertex, p3d_Color;
in vec3 p3d_Normal;
out vec3 normal, place, world;
out vec4 color;
void main() {
    vec4 at = p3d_ModelMatrix * p3d_Vertex;
    gl_Position = p3d_ModelViewProjectionMatrix * p3d_Vertex;
    world = at.xyz;
    place = (to_shadow * at).xyz;
    normal = mat3(p3d_ModelMatrix) * p3d_Normal;
    color = p3d_Color;
}
"""
_FRAGMENT = """#version 330
uniform sampler2D grain;
uniform sampler2DShadow shadow;
in vec3 normal, place, world;
in vec4 color;
out vec4 pixel;
void main() {
    float sun = max(dot(normalize(normal), vec3(0.577, -0.577, 0.577)), 0.0) * texture(shadow, place);
    pixel = vec4(color.rgb * texture(grain, world.xy * 0.25).rgb * (0.4 + sun), 1.0);
}
"""


def _grain() -> core.Texture:
    rng = np.random.default_rng(1)
    texture = core.Texture("grain")
    texture.setup_2d_texture(256, 256, core.Texture.T_unsigned_byte, core.Texture.F_rgb8)
    texture.set_ram_image(rng.integers(200, 256, (256, 256, 3), dtype=np.uint8).tobytes())
    texture.set_minfilter(core.SamplerState.FT_linear_mipmap_linear)
    return texture


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
    shaded = Peer(shared_context(), static, models, view, shaded=True)

    def ours(wants: frozenset[str]) -> None:
        renderer.update(table, 0.0)
        renderer.render(view, wants)

    jobs: dict[str, Callable[[], object]] = {
        "all": lambda: ours(ALL),
        "rgb": lambda: ours(frozenset({"rgb"})),
        "labels": lambda: ours(ALL - {"rgb"}),
        "peer": lambda: peer.draw(table),
        "shaded": lambda: shaded.draw(table),
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
        rate("rgb + depth + semantic + instance with shadow beside Panda3D's plain colours", "all", "peer", ">= 0.5"),
        rate("the same beside Panda3D colours with one texture and shadow", "all", "shaded", ">= 0.5"),
        four | {"limit_value": ms["rgb"], "ratio": ms["all"] / ms["rgb"], "target": "<= 1.5"},
        rate("depth + semantic + instance, 800x600", "labels", "peer", ">= 0.5"),
    ]


if __name__ == "__main__":
    for line in run():
        print(line)

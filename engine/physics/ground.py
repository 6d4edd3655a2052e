"""The static world in Bullet: one triangle mesh for everything that collides, and a flat ground below it.

One body, not one per tag or object: every moving body would meet the boxes of all of them in the broad phase at
each substep. The tag of what was touched is found back from the triangle index that Bullet reports.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from panda3d.bullet import (
    BulletRigidBodyNode,
    BulletTriangleMesh,
    BulletTriangleMeshShape,
    BulletWorld,
)
from panda3d.core import (
    BitMask32,
    Geom,
    GeomEnums,
    GeomTriangles,
    GeomVertexData,
    GeomVertexFormat,
)

from engine.geometry import IDENTITY, Model, StaticWorld
from engine.physics.bodies import key_of
from foundation.frames import flip_y, transform_points
from foundation.ids import Tag

Vertices = npt.NDArray[np.float32]
Triangles = npt.NDArray[np.uint32]

SAFETY_DEPTH_M = 1.0
"""How far below the lowest vertex the flat ground lies that keeps things from falling for ever."""
SAFETY_REACH_M, SAFETY_CELL_M = 20_000.0, 1000.0
"""How far the flat ground reaches beyond the world on all sides, and its triangles' size.

It is no infinite plane, which would meet every body and every wheel's ray of the whole world at each substep: a tenth
of Bullet's time with a hundred cars.
"""

MAX_TRIANGLES = 1_000_000
"""Triangles per body. Bullet's quantised tree numbers them with 21 bits."""


def joint_matrix(model: Model, name: str) -> npt.NDArray[np.float64]:
    """Return the (4, 4) model-from-joint matrix at rest; the identity for the root."""
    joints = {joint.name: joint for joint in model.joints}
    matrix = IDENTITY
    while name:
        joint = joints[name]
        matrix, name = joint.rest @ matrix, joint.parent
    return np.asarray(matrix)


def collect(static: StaticWorld) -> tuple[Vertices, Triangles, npt.NDArray[np.uint8]]:
    """Gather all triangles that collide.

    Returns:
        (V, 3) vertices in ASAM's frame, (T, 3) indices, (T,) tags.
    """
    vertices, triangles, tags, base = [], [], [], 0
    for item in static.objects:
        if not item.collides:
            continue
        for mesh in item.model.meshes:
            if not len(mesh.triangles):
                continue
            pose = item.pose @ joint_matrix(item.model, mesh.joint)
            vertices.append(flip_y(transform_points(pose, mesh.vertices)).astype(np.float32))
            triangles.append(np.asarray(mesh.triangles, dtype=np.uint32) + np.uint32(base))
            tags.append(np.full(len(mesh.triangles), int(mesh.tag), dtype=np.uint8))
            base += len(mesh.vertices)
    if not vertices:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint32), np.zeros(0, np.uint8)
    return np.concatenate(vertices), np.concatenate(triangles), np.concatenate(tags)


def _fill(array: Any, values: npt.NDArray[Any]) -> None:
    """Copy values into one of Panda's vertex arrays, which are buffers though their annotations do not say so."""
    memoryview(array).cast("B")[:] = values.tobytes()


def mesh_shape(vertices: Vertices, triangles: Triangles) -> BulletTriangleMeshShape:
    """Return a static triangle mesh shape; the triangle indices Bullet reports are rows of ``triangles``."""
    used, compact = np.unique(triangles, return_inverse=True)
    vertices = np.ascontiguousarray(vertices[used], dtype=np.float32)
    indices = np.ascontiguousarray(compact.reshape(-1), dtype=np.uint32)
    data = GeomVertexData("static", GeomVertexFormat.get_v3(), GeomEnums.UH_static)
    data.unclean_set_num_rows(len(vertices))
    _fill(data.modify_array(0), vertices)
    primitive = GeomTriangles(GeomEnums.UH_static)
    primitive.set_index_type(GeomEnums.NT_uint32)
    primitive.make_indexed()
    array = primitive.modify_vertices()
    array.unclean_set_num_rows(len(indices))
    _fill(array, indices)
    geom = Geom(data)
    geom.add_primitive(primitive)
    mesh = BulletTriangleMesh()
    mesh.add_geom(geom)
    return BulletTriangleMeshShape(mesh, False)


def flat_mesh(low: Vertices, high: Vertices, z: float) -> tuple[Vertices, Triangles]:
    """Return the (V, 3) vertices and (T, 3) triangles of a flat ground from (2,) ``low`` to beyond ``high``."""
    xs, ys = (np.arange(a, b + SAFETY_CELL_M, SAFETY_CELL_M, dtype=np.float64) for a, b in zip(low, high))
    x, y = (a.ravel() for a in np.meshgrid(xs, ys, indexing="ij"))
    row = len(ys)
    first = (np.arange(len(xs) - 1)[:, None] * row + np.arange(row - 1)).ravel()
    triangles = np.concatenate(
        [np.stack([first, first + row + 1, first + 1], -1), np.stack([first, first + row, first + row + 1], -1)]
    )
    return np.stack([x, y, np.full(len(x), z)], -1).astype(np.float32), triangles.astype(np.uint32)


class GroundShapes:
    """What the static bodies of a world are made of. Building it takes time; any number of physics may share it.

    Attributes:
        shapes: of the bodies, each with the (T,) tags of its triangles.
        lowest_m: height of the lowest vertex.
        safety: the flat ground below everything.
        safety_z_m: its height.
    """

    def __init__(self, static: StaticWorld) -> None:
        vertices, triangles, tags = collect(static)
        self.shapes: list[tuple[BulletTriangleMeshShape, npt.NDArray[np.uint8]]] = []
        for start in range(0, len(triangles), MAX_TRIANGLES):
            part = slice(start, start + MAX_TRIANGLES)
            self.shapes.append((mesh_shape(vertices, triangles[part]), tags[part]))
        self.lowest_m = float(vertices[:, 2].min()) if len(vertices) else 0.0
        self.safety_z_m = self.lowest_m - SAFETY_DEPTH_M if len(vertices) else 0.0
        bounds = vertices[:, :2] if len(vertices) else np.zeros((1, 2), np.float32)
        low, high = bounds.min(axis=0) - SAFETY_REACH_M, bounds.max(axis=0) + SAFETY_REACH_M
        self.safety = mesh_shape(*flat_mesh(low, high, self.safety_z_m))


class Ground:
    """The static bodies of a world, attached to it, and what their triangles are."""

    def __init__(self, world: BulletWorld, static: StaticWorld | GroundShapes, mask: BitMask32) -> None:
        made = static if isinstance(static, GroundShapes) else GroundShapes(static)
        self._world, self._mask = world, mask
        self._tags: dict[int, npt.NDArray[np.uint8]] = {}
        self.nodes: list[BulletRigidBodyNode] = []
        self._build(made)

    def replace(self, made: GroundShapes) -> None:
        """Let bodies meet another static world from now on: objects of it have been hidden or shown."""
        for node in self.nodes:
            self._world.remove(node)
        self.nodes.clear()
        self._tags.clear()
        self._build(made)

    def _build(self, made: GroundShapes) -> None:
        for shape, tags in made.shapes:
            node = BulletRigidBodyNode("static")
            node.add_shape(shape)
            self._attach(node, tags)
        self.lowest_m, self.safety_z_m = made.lowest_m, made.safety_z_m
        below = BulletRigidBodyNode("below")
        below.add_shape(made.safety)
        self._attach(below, np.full(1, int(Tag.TERRAIN), np.uint8))

    def _attach(self, node: BulletRigidBodyNode, tags: npt.NDArray[np.uint8]) -> None:
        node.set_into_collide_mask(self._mask)
        node.set_friction(0.9)
        self._world.attach(node)
        self.nodes.append(node)
        self._tags[key_of(node)] = tags

    def __contains__(self, key: int) -> bool:
        return key in self._tags

    def tag(self, key: int, triangle: int) -> Tag:
        """Return the tag of a triangle of the static body whose node has the address ``key``."""
        tags = self._tags[key]
        return Tag(int(tags[triangle])) if 0 <= triangle < len(tags) else Tag(int(tags[0]))

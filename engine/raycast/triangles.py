"""One rigid set of triangles and its Embree scene."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.geometry import Mesh
from foundation.frames import Floats, transform_points

Float32s = npt.NDArray[np.float32]
NOT_HIT = np.uint32(0xFFFFFFFF)
"""Embree's primitive number where a ray hits nothing."""


class Triangles:
    """Triangles with a tag and an owner each, ready to be hit.

    The Embree scene is built at the first cast, because importing Open3D takes over a second and a server
    without ray sensors never needs it. Coordinates are stored in float32 relative to :attr:`center`, so maps far
    from the origin lose no precision.

    Attributes:
        center: (3,) float64, subtracted from every vertex.
        vertices: (V, 3) float32, relative to ``center``.
        triangles: (T, 3) uint32.
        tag: (T + 1,) uint8; the last entry is that of a miss, 0.
        owner: (T + 1,) uint64 id of the static object, 0 for actors and for a miss.
        radius: of the sphere around ``center`` that holds every vertex, metres.
    """

    def __init__(self, parts: Sequence[tuple[Mesh, Floats | None, int]]) -> None:
        """Collect ``(mesh, frame-from-mesh or None for identity, owner id)``."""
        vertices, triangles, tags, owners, count = [], [], [], [], 0
        for mesh, pose, owner in parts:
            points = np.asarray(mesh.vertices, dtype=np.float64)
            if pose is not None:
                points = transform_points(pose, points)
            vertices.append(points)
            triangles.append(mesh.triangles.astype(np.uint32) + np.uint32(count))
            tags.append(np.full(len(mesh.triangles), int(mesh.tag), dtype=np.uint8))
            owners.append(np.full(len(mesh.triangles), owner, dtype=np.uint64))
            count += len(points)
        self._fill(vertices, triangles, tags, owners)

    @classmethod
    def placed(cls, shapes: Sequence[Triangles], offsets: Floats) -> Triangles:
        """Return copies of shapes, the centre of each moved to its (3,) row of ``offsets``, as one set."""
        made = cls([])
        starts = np.cumsum([0, *[len(shape.vertices) for shape in shapes]])
        made._fill(
            [shape.vertices + offset for shape, offset in zip(shapes, offsets)],
            [shape.triangles + np.uint32(start) for shape, start in zip(shapes, starts)],
            [shape.tag[:-1] for shape in shapes],
            [shape.owner[:-1] for shape in shapes],
        )
        return made

    def _fill(
        self,
        vertices: Sequence[Floats],
        triangles: Sequence[npt.NDArray[np.uint32]],
        tags: Sequence[npt.NDArray[np.uint8]],
        owners: Sequence[npt.NDArray[np.uint64]],
    ) -> None:
        points = np.concatenate([np.zeros((0, 3)), *vertices])
        self.center: Floats = (points.min(axis=0) + points.max(axis=0)) / 2 if len(points) else np.zeros(3)
        self.vertices: Float32s = (points - self.center).astype(np.float32)
        self.triangles = np.concatenate([np.zeros((0, 3), dtype=np.uint32), *triangles])
        self.tag = np.concatenate([*tags, np.zeros(1, dtype=np.uint8)])
        self.owner = np.concatenate([*owners, np.zeros(1, dtype=np.uint64)])
        self.radius = float(np.sqrt((self.vertices.astype(np.float64) ** 2).sum(axis=1).max(initial=0.0)))

    def __len__(self) -> int:
        return len(self.triangles)

    @cached_property
    def _scene(self) -> Any:
        import open3d  # over a second: see the class docstring

        scene = open3d.t.geometry.RaycastingScene()
        if len(self):
            tensor = open3d.core.Tensor.from_numpy
            scene.add_triangles(tensor(np.ascontiguousarray(self.vertices)), tensor(self.triangles))
        self._tensor = open3d.core.Tensor.from_numpy
        return scene

    def first(self, rays: Float32s) -> tuple[Float32s, npt.NDArray[np.uint32], Float32s]:
        """Return what the rays hit first.

        Args:
            rays: (N, 6) float32, C-contiguous: origin relative to :attr:`center`, then direction.

        Returns:
            (N,) distance in lengths of the direction, ``inf`` for a miss; (N,) triangle number, ``len(self)`` for a
            miss; (N, 3) normal of the triangle as wound, zeros for a miss.
        """
        if not len(self) or not len(rays):
            n = len(rays)
            return np.full(n, np.inf, np.float32), np.full(n, len(self), np.uint32), np.zeros((n, 3), np.float32)
        scene = self._scene
        answer = scene.cast_rays(self._tensor(rays))
        number = np.minimum(answer["primitive_ids"].numpy(), np.uint32(len(self)))
        return answer["t_hit"].numpy(), number, answer["primitive_normals"].numpy()

    def all_along(self, ray: Float32s) -> tuple[Float32s, npt.NDArray[np.uint32]]:
        """Return (K,) distances and (K,) triangle numbers of every crossing of one (6,) ray, nearest first."""
        if not len(self):
            return np.zeros(0, np.float32), np.zeros(0, np.uint32)
        scene = self._scene
        answer = scene.list_intersections(self._tensor(ray[None]))
        distance, number = answer["t_hit"].numpy(), answer["primitive_ids"].numpy()
        order = np.lexsort((number, distance))
        return distance[order], number[order]

    def corners(self, numbers: npt.NDArray[np.integer] | slice = slice(None)) -> Float32s:
        """Return the (K, 3, 3) corner positions of some triangles, relative to :attr:`center`."""
        return self.vertices[self.triangles[numbers]]

    def normals(self, numbers: npt.NDArray[np.integer]) -> Floats:
        """Return the (K, 3) unit normals of some triangles, as wound."""
        a, b, c = np.moveaxis(self.corners(numbers).astype(np.float64), 1, 0)
        normal = np.cross(b - a, c - a)
        return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)


def shape_key(meshes: Sequence[Mesh]) -> bytes:
    """Return a key that is equal for meshes of equal shape and tags, whatever their looks."""
    digest = hashlib.sha256()
    for mesh in meshes:
        digest.update(np.array([len(mesh.vertices), len(mesh.triangles), int(mesh.tag)], dtype=np.int64).tobytes())
        digest.update(np.ascontiguousarray(mesh.vertices, dtype=np.float32).tobytes())
        digest.update(np.ascontiguousarray(mesh.triangles, dtype=np.int32).tobytes())
    return digest.digest()

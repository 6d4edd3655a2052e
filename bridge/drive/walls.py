"""What a following camera must not look through: boxes of buildings and walls, read once from the map."""

from __future__ import annotations

import math

import carla
import numpy as np

from foundation.frames import Floats, pose_matrices

TAGS = ("Buildings", "Walls")
NEAR_M = 60.0
"""Boxes whose middle is farther away than this and half their size are not looked at."""


class Walls:
    """Boxes of scenery.

    Args:
        world_from_box: (N, 4, 4) poses.
        extents: (N, 3) half sizes, metres.
    """

    def __init__(self, world_from_box: Floats, extents: Floats) -> None:
        self._turn = world_from_box[:, :3, :3]
        self._center = world_from_box[:, :3, 3]
        self._extent = extents
        self._reach = np.linalg.norm(extents, axis=1)

    @classmethod
    def of_world(cls, world: carla.World) -> Walls:
        """Read the boxes of a map."""
        boxes = [box for tag in TAGS for box in world.get_level_bbs(getattr(carla.CityObjectLabel, tag))]
        if not boxes:
            return cls(np.zeros((0, 4, 4)), np.zeros((0, 3)))
        at = [(b.location.x, b.location.y, b.location.z) for b in boxes]
        turn = [(b.rotation.pitch, b.rotation.yaw, b.rotation.roll) for b in boxes]
        return cls(pose_matrices(at, turn), np.array([(b.extent.x, b.extent.y, b.extent.z) for b in boxes]))

    def free_m(self, start: tuple[float, float, float], end: tuple[float, float, float]) -> float:
        """Return how far one gets from start towards end before the first box; infinity when nothing is in the way.

        Boxes that hold the start do not count: whoever stands under a canopy sees out of it.
        """
        origin, way = np.array(start), np.array(end) - np.array(start)
        length = float(np.linalg.norm(way))
        near = np.linalg.norm(self._center - origin, axis=1) < NEAR_M + self._reach
        if not near.any() or length == 0.0:
            return math.inf
        turn, extent = self._turn[near], self._extent[near]
        local = np.einsum("nji,nj->ni", turn, origin - self._center[near])
        ray = np.einsum("nji,j->ni", turn, way)
        with np.errstate(divide="ignore", invalid="ignore"):
            a, b = (-extent - local) / ray, (extent - local) / ray
        # 0/0: the line runs along a face; count it as inside that pair of planes.
        a, b = np.where(np.isnan(a), -np.inf, a), np.where(np.isnan(b), np.inf, b)
        enter, leave = np.minimum(a, b).max(axis=1), np.maximum(a, b).min(axis=1)
        hit = (enter <= leave) & (enter > 0.0) & (enter <= 1.0)
        return float(enter[hit].min()) * length if hit.any() else math.inf

"""A sphere moved along a line against triangles: exact, as the obstacle sensor's sphere sweep needs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.raycast.triangles import Triangles
from foundation.frames import Floats

CELL_M = 8.0
"""Edge of the ground squares that static triangles are binned into for sweeps."""


@dataclass(frozen=True)
class Sweep:
    """What a moving sphere touched first.

    Attributes:
        distance_m: way of the centre until the touch; 0 when it overlaps at the start.
        actor_id: the actor touched, 0 for the static world.
        tag: semantic tag of the surface.
        static_object_id: the static object touched, 0 for an actor.
    """

    distance_m: float
    actor_id: int
    tag: int
    static_object_id: int


def _first_root(b: Floats, c: Floats, a: Floats | float = 1.0) -> Floats:
    """Return the smaller root of a t^2 + 2 b t + c = 0, ``inf`` where there is none ahead (c > 0 is assumed)."""
    square = b * b - a * c
    with np.errstate(divide="ignore", invalid="ignore"):
        root = (-b - np.sqrt(np.maximum(square, 0.0))) / a
    return np.where((square >= 0.0) & (root >= 0.0) & (a > 1e-12), root, np.inf)


def _closest_square(point: Floats, corners: Floats) -> Floats:
    """Return the (T,) squared distances from a (3,) point to (T, 3, 3) triangles."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    square = np.full(len(corners), np.inf)
    for p, q in ((a, b), (b, c), (c, a)):
        edge, to_point = q - p, point - p
        share = np.clip((to_point * edge).sum(1) / np.maximum((edge * edge).sum(1), 1e-30), 0.0, 1.0)
        square = np.minimum(square, ((to_point - share[:, None] * edge) ** 2).sum(1))
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    unit = normal / np.maximum(length, 1e-30)[:, None]
    height = ((point - a) * unit).sum(1)
    above = _inside(point - height[:, None] * unit, a, b, c, unit) & (length > 1e-15)
    return np.where(above, np.minimum(square, height**2), square)


def _inside(points: Floats, a: Floats, b: Floats, c: Floats, normal: Floats) -> npt.NDArray[np.bool_]:
    """Return whether (T, 3) points in the triangles' planes lie inside the triangles."""
    inside = np.ones(len(points), dtype=bool)
    for p, q in ((a, b), (b, c), (c, a)):
        inside &= (np.cross(q - p, points - p) * normal).sum(1) >= 0.0
    return inside


def sweep_sphere(start: Floats, direction: Floats, radius: float, corners: Floats) -> Floats:
    """Return how far a sphere travels until it touches each triangle.

    The swept triangle is its plane moved out by the radius on both sides, a cylinder around each edge and a ball
    around each corner; the sphere's centre is a ray against these (Ericson, Real-Time Collision Detection,
    section 5.5.6).

    Args:
        start: (3,) centre at the start.
        direction: (3,) unit vector.
        radius: of the sphere, > 0.
        corners: (T, 3, 3) triangles.

    Returns:
        (T,) distances of travel, 0 where the sphere overlaps at the start, ``inf`` where it never touches.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    travelled = np.full(len(corners), np.inf)
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    normal = normal / np.maximum(length, 1e-30)[:, None]
    height, speed = ((start - a) * normal).sum(1), normal @ direction
    with np.errstate(divide="ignore", invalid="ignore"):
        touch = (np.sign(height) * radius - height) / speed
    touch = np.where((length > 1e-15) & (np.abs(speed) > 1e-12) & (touch >= 0.0), touch, np.inf)
    at = start + np.where(np.isfinite(touch), touch, 0.0)[:, None] * direction
    foot = at - (((at - a) * normal).sum(1))[:, None] * normal
    travelled = np.where(_inside(foot, a, b, c, normal), touch, travelled)
    for p, q in ((a, b), (b, c), (c, a)):
        travelled = np.minimum(travelled, _against_edge(start, direction, radius, p, q))
        from_corner = start - p
        travelled = np.minimum(travelled, _first_root(from_corner @ direction, (from_corner**2).sum(1) - radius**2))
    return np.where(_closest_square(start, corners) <= radius**2, 0.0, travelled)


def _against_edge(start: Floats, direction: Floats, radius: float, p: Floats, q: Floats) -> Floats:
    """Return the travel until a sphere touches the inside of each segment p-q."""
    edge = q - p
    size = np.linalg.norm(edge, axis=1)
    unit = edge / np.maximum(size, 1e-30)[:, None]
    from_p = start - p
    d_along, m_along = unit @ direction, (from_p * unit).sum(1)
    a = 1.0 - d_along**2
    b = from_p @ direction - m_along * d_along
    c = (from_p**2).sum(1) - m_along**2 - radius**2
    touch = _first_root(b, c, a)
    where = m_along + np.where(np.isfinite(touch), touch, 0.0) * d_along
    return np.where((where >= 0.0) & (where <= size), touch, np.inf)


class NearbyTriangles:
    """Finds the static triangles that a swept sphere may touch, through boxes around ground squares."""

    def __init__(self, triangles: Triangles) -> None:
        self._triangles = triangles

    @cached_property
    def _cells(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats, Floats]:
        """Triangle numbers sorted by square, each square's first entry, and its (low, high) box."""
        corners = self._triangles.corners()
        low, high = corners.min(axis=1), corners.max(axis=1)
        square = np.floor((low[:, :2] + high[:, :2]) / 2 / CELL_M).astype(np.int64)
        order = np.lexsort((square[:, 1], square[:, 0]))
        changes = np.any(np.diff(square[order], axis=0) != 0, axis=1)
        first = np.concatenate([[0], np.flatnonzero(changes) + 1]).astype(np.intp)
        return order, first, np.minimum.reduceat(low[order], first), np.maximum.reduceat(high[order], first)

    def along(self, start: Floats, direction: Floats, radius: float, distance: float) -> npt.NDArray[np.intp]:
        """Return the numbers of the triangles whose box meets the box around the swept sphere."""
        if not len(self._triangles):
            return np.zeros(0, dtype=np.intp)
        end = start + distance * direction
        low, high = np.minimum(start, end) - radius, np.maximum(start, end) + radius
        order, first, cell_low, cell_high = self._cells
        ends = np.append(first[1:], len(order))
        cells = np.flatnonzero(((cell_low <= high) & (cell_high >= low)).all(axis=1))
        numbers = np.concatenate([np.zeros(0, np.intp), *[order[first[i] : ends[i]] for i in cells]])
        corners = self._triangles.corners(numbers)
        return numbers[((corners.min(axis=1) <= high) & (corners.max(axis=1) >= low)).all(axis=1)]

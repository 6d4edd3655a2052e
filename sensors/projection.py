"""Boxes seen by a camera: corners, silhouettes, clipping, and how deep a box lies behind each pixel.

Camera axes are CARLA's: x forward, y right, z up. A point (x, y, z) appears at u = W/2 + f y/x, v = H/2 - f z/x.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foundation.frames import Floats, transform_points

NEAR_M = 0.05
"""Boxes are cut off this close to the camera, before they are projected."""

SIGNS: Floats = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
"""(8, 3) corners of the unit box; corner 4a + 2b + c lies at (+-x, +-y, +-z)."""
EDGES = ((0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7))
"""Pairs of corners that share an edge."""


def corners(frame_from_box: Floats, extent: Floats) -> Floats:
    """Return the (8, 3) corners of a box of half sizes ``extent``."""
    return transform_points(frame_from_box, SIGNS * extent)


def project(points: Floats, width: int, height: int, focal_px: float) -> Floats:
    """Return the (N, 2) pixel positions of (N, 3) points in camera axes; they must lie ahead (x > 0)."""
    u = width / 2 + focal_px * points[:, 1] / points[:, 0]
    v = height / 2 - focal_px * points[:, 2] / points[:, 0]
    return np.stack([u, v], axis=1)


def cut_edges(points: Floats) -> list[tuple[Floats, Floats]]:
    """Return the parts of a box's edges that lie ahead of the near plane, as pairs of points in camera axes."""
    kept = []
    for i, j in EDGES:
        a, b = points[i], points[j]
        if a[0] < NEAR_M and b[0] < NEAR_M:
            continue
        if a[0] < NEAR_M:
            a = b + (a - b) * (b[0] - NEAR_M) / (b[0] - a[0])
        elif b[0] < NEAR_M:
            b = a + (b - a) * (a[0] - NEAR_M) / (a[0] - b[0])
        kept.append((a, b))
    return kept


def silhouette(camera_from_box: Floats, extent: Floats, width: int, height: int, focal_px: float) -> Floats | None:
    """Return the (K, 2) convex outline of a box in pixels, not clipped to the image; None when it lies behind."""
    ends = [end for edge in cut_edges(corners(camera_from_box, extent)) for end in edge]
    if not ends:
        return None
    return convex_hull(project(np.array(ends), width, height, focal_px))


def convex_hull(points: Floats) -> Floats:
    """Return the (K, 2) corners of the convex hull in order (Andrew's monotone chain); K may be 1 or 2."""
    unique = sorted({(float(x), float(y)) for x, y in points})
    if len(unique) < 3:
        return np.array(unique)

    def half(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
        chain: list[tuple[float, float]] = []
        for p in ordered:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], p) <= 0.0:
                chain.pop()
            chain.append(p)
        return chain[:-1]

    return np.array(half(unique) + half(unique[::-1]))


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def area(polygon: Floats) -> float:
    """Return the area of a simple polygon, positive; 0 for fewer than three corners."""
    if len(polygon) < 3:
        return 0.0
    x, y = polygon.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def clip(polygon: Floats, width: float, height: float) -> Floats:
    """Return the part of a convex polygon inside [0, width] x [0, height] (Sutherland-Hodgman); may be empty."""
    for axis, bound, sign in ((0, 0.0, 1), (0, width, -1), (1, 0.0, 1), (1, height, -1)):
        if not len(polygon):
            break
        inside = sign * (polygon[:, axis] - bound)
        kept = []
        for i in range(len(polygon)):
            j = (i + 1) % len(polygon)
            if inside[i] >= 0:
                kept.append(polygon[i])
            if (inside[i] >= 0) != (inside[j] >= 0):
                share = inside[i] / (inside[i] - inside[j])
                kept.append(polygon[i] + share * (polygon[j] - polygon[i]))
        polygon = np.array(kept).reshape(-1, 2)
    return polygon


def covered_pixels(polygon: Floats, width: int, height: int) -> tuple[slice, slice, npt.NDArray[np.bool_]]:
    """Return (rows, columns, mask) of the pixels whose centres lie in a convex polygon.

    ``mask`` covers the window rows x columns of an image of the given size.
    """
    if len(polygon) < 3:
        return slice(0, 0), slice(0, 0), np.zeros((0, 0), dtype=bool)
    low = np.maximum(np.floor(polygon.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(polygon.max(axis=0)), (width, height)).astype(int)
    high = np.maximum(high, low)
    u = np.arange(low[0], high[0]) + 0.5
    v = np.arange(low[1], high[1])[:, None] + 0.5
    mask = np.ones((len(v), len(u)), dtype=bool)
    x, y = polygon.T
    orientation = np.sign(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    for i in range(len(polygon)):
        (ax, ay), (bx, by) = polygon[i], polygon[(i + 1) % len(polygon)]
        mask &= orientation * ((bx - ax) * (v - ay) - (by - ay) * (u - ax)) >= 0.0
    return slice(low[1], high[1]), slice(low[0], high[0]), mask


def rays(u: Floats, v: Floats, width: int, height: int, focal_px: float) -> Floats:
    """Return (..., 3) rays through pixel positions, scaled to x = 1: a point at depth d is d times its ray."""
    y, z = (u - width / 2) / focal_px, (height / 2 - v) / focal_px
    return np.stack(np.broadcast_arrays(np.ones_like(y), y, z), axis=-1)


def depth_range(directions: Floats, camera_from_box: Floats, extent: Floats) -> tuple[Floats, Floats]:
    """Return where (N, 3) rays from the camera enter and leave a box, in multiples of their length.

    With rays scaled to x = 1 these are depths. ``entry > exit`` where a ray misses the box.
    """
    turn, offset = camera_from_box[:3, :3], camera_from_box[:3, 3]
    origin, local = -turn.T @ offset, directions @ turn
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (-extent - origin) / local, (extent - origin) / local
    # 0/0: the ray runs along a face; count it as inside that slab.
    a, b = np.where(np.isnan(a), -np.inf, a), np.where(np.isnan(b), np.inf, b)
    return np.minimum(a, b).max(axis=-1), np.maximum(a, b).min(axis=-1)

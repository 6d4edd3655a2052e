"""Elementary surfaces as triangle arrays: every function returns (T, 3, 3) float64 corners.

Everything here is in a right-handed frame (x forward, y left, z up), metres, with triangles counter-clockwise
seen from outside; :class:`engine.scene.builder.MeshBuilder` flips finished meshes into CARLA's frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import mapbox_earcut
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def grid(points: npt.ArrayLike, closed: bool = False, mask: npt.NDArray[np.bool_] | None = None) -> Floats:
    """Return the quads between the rows and columns of (R, C, 3) points, two triangles each.

    The outside is where (column direction) x (row direction) points. ``closed`` joins the last column to the
    first. ``mask`` (R-1, C-1 or C) keeps only some quads; triangles come in quad order, row by row.
    """
    p = np.asarray(points, dtype=np.float64)
    if closed:
        p = np.concatenate([p, p[:, :1]], axis=1)
    a, b, c, d = p[:-1, :-1], p[:-1, 1:], p[1:, 1:], p[1:, :-1]
    # Split along the shorter diagonal: bent quads then follow the curve instead of cutting across it.
    first = np.linalg.norm(a - c, axis=-1) <= np.linalg.norm(b - d, axis=-1) + 1e-9
    even = np.stack([a, b, c, a, c, d], axis=-2)
    odd = np.stack([a, b, d, b, c, d], axis=-2)
    quads = np.where(first[..., None, None], even, odd)
    if mask is not None:
        quads = quads[mask]
    return quads.reshape(-1, 3, 3)


def mirrored(triangles: Floats) -> Floats:
    """Return the mirror image in the x-z plane, still facing outwards."""
    image = triangles[:, ::-1].copy()
    image[..., 1] *= -1.0
    return image


def both_sides(triangles: Floats) -> Floats:
    """Return the triangles and their mirror image in the x-z plane."""
    return np.concatenate([triangles, mirrored(triangles)])


def two_faced(triangles: Floats) -> Floats:
    """Return the triangles together with their own backs, for thin sheets."""
    return np.concatenate([triangles, triangles[:, ::-1]])


def moved(triangles: Floats, offset: Sequence[float] = (0.0, 0.0, 0.0), yaw_deg: float = 0.0) -> Floats:
    """Return the triangles turned about z (counter-clockwise from above), then shifted."""
    cos, sin = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    return triangles @ turn.T + np.asarray(offset, dtype=np.float64)


def box(center: Sequence[float], size: Sequence[float], taper: tuple[float, float] = (1.0, 1.0)) -> Floats:
    """Return a box; ``taper`` scales the top face in x and y."""
    half = np.asarray(size, dtype=np.float64) / 2.0
    corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float64)
    low = np.column_stack([corner * half[:2], np.full(4, -half[2])])
    high = np.column_stack([corner * half[:2] * np.asarray(taper), np.full(4, half[2])])
    sides = grid(np.stack([low, high]), closed=True)
    top = high[[[0, 1, 2], [0, 2, 3]]]
    bottom = low[[[0, 2, 1], [0, 3, 2]]]
    return np.concatenate([sides, top, bottom]) + np.asarray(center, dtype=np.float64)


def lathe(
    profile: npt.ArrayLike, sides: int = 12, center: Sequence[float] = (0.0, 0.0, 0.0), axis: str = "z"
) -> Floats:
    """Return the (radius, height) profile, listed bottom to top, revolved about an axis through ``center``.

    Points of radius zero close the surface. ``axis`` is "z", or "y" for wheels (height runs along y).
    """
    outline = np.asarray(profile, dtype=np.float64)
    angle = np.linspace(0.0, 2.0 * np.pi, sides, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    flat = outline[:, None, 0, None] * ring
    height = np.broadcast_to(outline[:, None, 1:], (*flat.shape[:2], 1))
    triangles = grid(np.concatenate([flat, height], axis=-1), closed=True)
    if axis == "y":  # a rotation (x, y, z) -> (x, z, -y) keeps the handedness: z becomes y after two flips
        triangles = np.stack([triangles[..., 0], triangles[..., 2], -triangles[..., 1]], axis=-1)
    elif axis == "x":
        triangles = np.stack([triangles[..., 2], triangles[..., 0], triangles[..., 1]], axis=-1)
    return triangles + np.asarray(center, dtype=np.float64)


def ellipsoid(center: npt.ArrayLike, radii: npt.ArrayLike, sides: int = 10, rings: int = 6) -> Floats:
    """Return an ellipsoid with its poles on z."""
    polar = np.linspace(-np.pi / 2.0, np.pi / 2.0, rings + 1)
    unit = lathe(np.column_stack([np.cos(polar).clip(0.0), np.sin(polar)]), sides)
    return unit * np.asarray(radii, dtype=np.float64) + np.asarray(center, dtype=np.float64)


def tube(
    path: npt.ArrayLike,
    radii: npt.ArrayLike,
    sides: int = 8,
    caps: tuple[bool, bool] = (True, True),
    side_hint: Sequence[float] = (0.0, 1.0, 0.0),
) -> Floats:
    """Return a tube of elliptical sections along (N, 3) points.

    Args:
        path: section centres, from start to end.
        radii: (N,) radii, or (N, 2): across ``side_hint`` and perpendicular to it.
        sides: points around a section.
        caps: whether the start and the end are closed.
        side_hint: direction of the first radius, not along the path.
    """
    points = np.asarray(path, dtype=np.float64)
    size = np.asarray(radii, dtype=np.float64)
    size = np.column_stack([size, size]) if size.ndim == 1 else size
    tangent = np.gradient(points, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    hint = np.broadcast_to(np.asarray(side_hint, dtype=np.float64), points.shape)
    parallel = np.abs(np.einsum("ni,ni->n", tangent, hint)) > 0.999 * np.linalg.norm(hint, axis=1)
    hint = np.where(parallel[:, None], np.roll(hint, 1, axis=1), hint)
    across = hint - np.einsum("ni,ni->n", tangent, hint)[:, None] * tangent
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(tangent, across)
    angle = np.linspace(0.0, 2.0 * np.pi, sides, endpoint=False)
    ring = (
        np.cos(angle)[None, :, None] * (across * size[:, :1])[:, None]
        + np.sin(angle)[None, :, None] * (other * size[:, 1:])[:, None]
    )
    sections = points[:, None] + ring
    parts = [grid(sections, closed=True)]
    if caps[0]:
        parts.append(fan(sections[0][::-1], points[0]))
    if caps[1]:
        parts.append(fan(sections[-1], points[-1]))
    return np.concatenate(parts)


def fan(ring: Floats, apex: npt.ArrayLike) -> Floats:
    """Return triangles from each edge of a closed ring to ``apex`` (counter-clockwise ring seen from outside)."""
    following = np.roll(ring, -1, axis=0)
    tip = np.broadcast_to(np.asarray(apex, dtype=np.float64), ring.shape)
    return np.stack([ring, following, tip], axis=1)


def polygon(points: npt.ArrayLike) -> Floats:
    """Return a convex planar polygon, (N, 3) corners counter-clockwise seen from outside."""
    p = np.asarray(points, dtype=np.float64)
    index = [(0, i, i + 1) for i in range(1, len(p) - 1)]
    return p[np.array(index)]


def prism(outline: npt.ArrayLike, low: float, high: float, bottom: bool = True) -> Floats:
    """Return the vertical extrusion of a simple (N, 2) outline, in either winding, between two heights."""
    flat = np.asarray(outline, dtype=np.float64)
    x, y = flat[:, 0], flat[:, 1]
    if np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0.0:
        flat = flat[::-1]
    foot = np.column_stack([flat, np.full(len(flat), low)])
    head = np.column_stack([flat, np.full(len(flat), high)])
    cap = triangulated(flat)
    parts = [grid(np.stack([foot, head]), closed=True), head[cap]]
    if bottom:
        parts.append(foot[cap[:, ::-1]])
    return np.concatenate(parts)


def triangulated(outline: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return (T, 3) indices that fill a simple (N, 2) outline, counter-clockwise seen from above."""
    flat = np.ascontiguousarray(outline, dtype=np.float64)
    index = mapbox_earcut.triangulate_float64(flat, np.array([len(flat)], dtype=np.uint32))
    corners = np.asarray(index, dtype=np.int64).reshape(-1, 3)
    a, b, c = flat[corners[:, 0]], flat[corners[:, 1]], flat[corners[:, 2]]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    corners[area < 0.0] = corners[area < 0.0][:, ::-1]
    return corners


def side_panel(outline: npt.ArrayLike, y_low: float, y_high: float) -> Floats:
    """Return a slab standing in the x-z plane: an (N, 2) outline of x and z, from ``y_low`` to ``y_high``."""
    slab = prism(outline, y_low, y_high)
    # (x, z, y) -> (x, y, z) swaps two axes, which turns the surface inside out; reverse the corners.
    return slab[:, ::-1][..., [0, 2, 1]]

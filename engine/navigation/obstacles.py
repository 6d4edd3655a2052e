"""What stands in people's way on the ground: the footprints of things between ankle and head. ASAM's frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from engine.geometry import Mesh, StaticObject, StaticWorld
from engine.navigation.levels import Heights
from foundation.frames import flip_y, transform_points
from foundation.ids import Tag

Floats = npt.NDArray[np.float64]

ANKLE_M, HEAD_M = 0.3, 1.9
"""Heights above the ground between which something is in the way."""
KEEP_OFF_M = 0.25
"""How far people's middles keep away: a little less than the client's agents are wide."""
SMALL_M = 4.0
"""Things up to this size become one convex footprint."""
PATCH_M = 2.0
"""Triangles of larger things become convex shapes about as large as this."""
GROUND_TAGS = frozenset(
    {Tag.ROADS, Tag.SIDEWALKS, Tag.TERRAIN, Tag.GROUND, Tag.RAIL_TRACK, Tag.ROAD_LINES, Tag.WATER, Tag.BRIDGE}
)


def obstacles(static: StaticWorld, walkable: shapely.Geometry, heights: Heights) -> shapely.Geometry:
    """Return the area in which nobody can walk because something stands there.

    Args:
        walkable: only what touches this is looked at.
        heights: of the ground the things may stand on.
    """
    near = shapely.buffer(walkable, KEEP_OFF_M, quad_segs=1)
    shapely.prepare(near)
    things = [thing for thing in static.objects if thing.collides and thing.tag not in GROUND_TAGS]
    found = []
    if things:
        boxes = np.array([_plan_box(thing) for thing in things])
        touched = shapely.intersects(near, shapely.box(*boxes.T))
        for number in np.flatnonzero(touched):
            found.append(_footprint(things[number], heights))
    if static.signals:
        places = flip_y(np.array([signal.location for signal in static.signals]))[:, :2]
        found.append(shapely.union_all(shapely.buffer(shapely.points(places), 0.15, quad_segs=1)))
    if not found:
        return shapely.Polygon()
    around = shapely.buffer(np.array(found), KEEP_OFF_M, join_style="mitre", mitre_limit=1.5)
    return shapely.union_all(shapely.simplify(around, 0.05))


def _plan_box(thing: StaticObject) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a thing, ASAM's frame."""
    center, extent = np.array(thing.model.box.center), np.array(thing.model.box.extent)
    middle = transform_points(thing.pose, center[None])[0]
    half = np.abs(thing.pose[:2, :3]) @ extent
    return middle[0] - half[0], -middle[1] - half[1], middle[0] + half[0], -middle[1] + half[1]


def _footprint(thing: StaticObject, heights: Heights) -> shapely.Geometry:
    corners = np.concatenate([_triangles(thing, mesh) for mesh in thing.model.meshes if len(mesh.triangles)])
    small = float(np.ptp(corners[:, :, :2].reshape(-1, 2), axis=0).max()) < SMALL_M
    cells = np.zeros(len(corners), dtype=np.int64) if small else _cells(corners[:, :, :2])
    middles = np.stack([np.bincount(cells, corners[:, :, k].mean(axis=1)) for k in (0, 1)], axis=1)
    ground = heights.at(middles / np.bincount(cells)[:, None])[cells]
    above = corners[:, :, 2] - ground[:, None]
    felt = (above.max(axis=1) > ANKLE_M) & (above.min(axis=1) < HEAD_M)
    corners, cells, ground = corners[felt], cells[felt], ground[felt]
    if not len(corners):
        return shapely.Polygon()
    if small:
        # The part of a trunk or a pole below head height, not the crown that its triangles reach up to.
        points = _below_head(corners, ground)
        return shapely.simplify(shapely.convex_hull(shapely.multipoints(points)), 0.05)
    order = np.argsort(cells, kind="stable")
    _, groups = np.unique(cells[order], return_inverse=True)
    points = shapely.points(corners[order][:, :, :2].reshape(-1, 2))
    hulls = shapely.convex_hull(shapely.multipoints(points, indices=np.repeat(groups, 3)))
    return shapely.union_all(hulls, grid_size=0.01)


def _cells(corners: Floats) -> npt.NDArray[np.int64]:
    """Return the number of the convex part that each of (T, 3, 2) triangles belongs to.

    Small ones share one for each cell of a grid, large ones have their own.
    """
    large = np.flatnonzero(np.ptp(corners, axis=1).max(axis=1) > PATCH_M)
    _, cell = np.unique(np.floor(corners.mean(axis=1) / PATCH_M).astype(np.int64), axis=0, return_inverse=True)
    cell = cell.reshape(-1).astype(np.int64)
    cell[large] = cell.max() + 1 + np.arange(len(large))
    _, numbers = np.unique(cell, return_inverse=True)
    return numbers.reshape(-1).astype(np.int64)


def _below_head(corners: Floats, ground: Floats) -> Floats:
    """Return (N, 2) points of triangles' edges between ankle and head."""
    low, high = (ground + ANKLE_M)[:, None], (ground + HEAD_M)[:, None]
    following = np.roll(corners, -1, axis=1)
    z0, z1 = corners[..., 2], following[..., 2]
    rise = np.where(np.abs(z1 - z0) < 1e-9, np.inf, z1 - z0)
    points = [corners[(z0 >= low) & (z0 <= high)]]
    for level in (low, high):
        share = (level - z0) / rise
        cut = (share > 0.0) & (share < 1.0)
        points.append((corners + share[..., None] * (following - corners))[cut])
    found = np.concatenate(points)[:, :2]
    return found if len(found) else corners.reshape(-1, 3)[:, :2]


def _triangles(thing: StaticObject, mesh: Mesh) -> Floats:
    """Return (T, 3, 3) triangles of a mesh in the world; things of the static world rest in their joints."""
    points = mesh.vertices
    joints = {joint.name: joint for joint in thing.model.joints}
    pose, name = thing.pose, mesh.joint
    chain = []
    while name:
        chain.append(joints[name].rest)
        name = joints[name].parent
    for rest in reversed(chain):
        pose = pose @ rest
    return flip_y(transform_points(pose, points))[mesh.triangles]

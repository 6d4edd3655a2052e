"""Regions of the plane to convex polygons that share whole edges.

The borders of all regions are noded together, so that faces on both sides of a border have the same corners on it;
they are simplified together, triangulated, and triangles are joined to convex polygons within their region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from engine.navigation.detour import MOST_CORNERS

Floats = npt.NDArray[np.float64]

GRID_M = 0.001
"""Coordinates are rounded to this: equal corners are equal numbers."""
SIMPLIFY_M = 0.12
"""About how far borders may move to save corners: sharp bends keep a corner about every metre."""
SMALLEST_M2 = 0.02
"""Faces smaller than this are left out."""
_STRAIGHT = 1e-9


@dataclass(frozen=True, eq=False)
class Plan:
    """Convex polygons in the plane; neighbours share both ends of their common edges.

    Attributes:
        places: (V, 2) corners, metres.
        polygons: corner numbers, counter-clockwise.
        classes: (P,) which region each belongs to.
    """

    places: Floats
    polygons: list[tuple[int, ...]]
    classes: npt.NDArray[np.int64]


def partition(regions: Sequence[shapely.Geometry]) -> Plan:
    """Return convex polygons that cover the regions; where they overlap, the first one has its way.

    Args:
        regions: polygons or collections of them; which is which shows in ``Plan.classes``.
    """
    faces, classes = _faces(regions)
    if not len(faces):
        return Plan(np.zeros((0, 2)), [], np.zeros(0, dtype=np.int64))
    faces = _simplified(faces)
    triangles, owners = [], []
    for number in range(len(regions)):
        for polygon in _merged(faces[classes == number]):
            corners = _triangles(polygon)
            triangles.append(corners)
            owners.append(np.full(len(corners), number))
    corners = np.concatenate(triangles)
    keys = np.round(corners.reshape(-1, 2) / GRID_M).astype(np.int64)
    _, first, index = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    places = corners.reshape(-1, 2)[first]
    polygons, kept = join_convex(places, index.reshape(-1, 3), np.concatenate(owners))
    return Plan(places, polygons, kept)


def _faces(regions: Sequence[shapely.Geometry]) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """Return the faces into which all borders together cut the plane, and the first region each lies in."""
    regions = [_polygonal(region) for region in regions]
    borders = [shapely.boundary(region) for region in regions if not region.is_empty]
    if not borders:
        return np.zeros(0, dtype=object), np.zeros(0, dtype=np.int64)
    noded = shapely.union_all(borders, grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    faces = faces[shapely.area(faces) > SMALLEST_M2]
    inside = shapely.point_on_surface(faces)
    classes = np.full(len(faces), -1)
    for number in reversed(range(len(regions))):
        shapely.prepare(regions[number])
        classes[shapely.intersects(regions[number], inside)] = number
    known = classes >= 0
    return faces[known], classes[known]


def _polygonal(region: shapely.Geometry) -> shapely.Geometry:
    """Return the areas of a geometry without the points and lines that overlays leave behind."""
    parts = shapely.get_parts(region)
    areas = [part for part in parts.tolist() if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.multipolygons(shapely.get_parts(np.array(areas, dtype=object))) if areas else shapely.Polygon()


def _simplified(faces: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    simple = shapely.coverage_simplify(faces, SIMPLIFY_M)
    good = shapely.is_valid(simple).all() and not shapely.is_empty(simple).any()
    return np.asarray(simple) if good else faces


def _merged(faces: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return the faces of one region as few polygons; corners on their rims stay."""
    if not len(faces):
        return faces
    parts = shapely.get_parts(shapely.coverage_union_all(faces))
    if not shapely.is_valid(parts).all() or abs(shapely.area(parts).sum() - shapely.area(faces).sum()) > 0.01:
        return faces
    return np.asarray(parts)


def _triangles(polygon: shapely.Geometry) -> Floats:
    """Return (T, 3, 2) triangles of a polygon, counter-clockwise, without corners of their own."""
    parts = shapely.get_parts(shapely.constrained_delaunay_triangles(polygon))
    corners = shapely.get_coordinates(parts).reshape(-1, 4, 2)[:, :3]
    turn = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    corners[turn < 0.0] = corners[turn < 0.0][:, ::-1]
    return np.asarray(corners[np.abs(turn) > 1e-9])


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def join_convex(
    places: Floats, triangles: npt.NDArray[np.int64], classes: npt.NDArray[np.int64]
) -> tuple[list[tuple[int, ...]], npt.NDArray[np.int64]]:
    """Join triangles of one class across their common edges, longest first, while the result stays convex.

    Returns:
        Polygons of at most six corners, and their classes.
    """
    polygons: list[list[int]] = [list(t) for t in triangles.tolist()]
    owner: dict[tuple[int, int], int] = {}
    for number, polygon in enumerate(polygons):
        for a, b in zip(polygon, polygon[1:] + polygon[:1]):
            owner[a, b] = number
    edges = [(a, b) for a, b in owner if a < b and (b, a) in owner]
    edges = [(a, b) for a, b in edges if classes[owner[a, b]] == classes[owner[b, a]]]
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    order = np.argsort(-np.linalg.norm(places[ends[:, 0]] - places[ends[:, 1]], axis=1), kind="stable")
    xy = places.tolist()
    for rank in order.tolist():
        a, b = edges[rank]
        one, other = owner[a, b], owner[b, a]
        if one == other:
            continue
        joined = _joined(polygons[one], polygons[other], a, b, xy)
        if joined is None:
            continue
        for p, q in zip(polygons[other], polygons[other][1:] + polygons[other][:1]):
            owner[p, q] = one
        polygons[one], polygons[other] = joined, []
    left = [number for number, polygon in enumerate(polygons) if polygon]
    return [tuple(polygons[number]) for number in left], classes[left]


def _joined(one: list[int], other: list[int], a: int, b: int, xy: list[list[float]]) -> list[int] | None:
    """Return two polygons joined along the edge a-b of ``one``, None if that is not convex or has too many corners."""
    if len(one) + len(other) - 2 > MOST_CORNERS:
        return None
    i, j = one.index(a), other.index(b)
    # one: ... a b ...; other: ... b a ...: from b round `one` to a, then on round `other` to b.
    ring = one[i + 1 :] + one[: i + 1] + (other[j:] + other[:j])[2:]
    n = len(ring)
    for k in (0, len(one) - 1):
        (px, py), (qx, qy), (rx, ry) = xy[ring[k - 1]], xy[ring[k]], xy[ring[(k + 1) % n]]
        if (qx - px) * (ry - qy) - (qy - py) * (rx - qx) < -_STRAIGHT:
            return None
    return ring

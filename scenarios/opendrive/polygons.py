"""Flat polygons to triangles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]


def merge(points: Floats, faces: npt.NDArray[np.int32]) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Return the mesh with vertices that agree to a tenth of a millimetre made one."""
    _, first, inverse = np.unique(np.round(points, 4), axis=0, return_index=True, return_inverse=True)
    return points[first], inverse.reshape(-1)[faces].astype(np.int32)


def triangulate(shape: shapely.Geometry) -> list[Floats]:
    """Return the (3, 2) triangles of a polygon or a collection, counter-clockwise."""
    found = []
    for polygon in shapely.get_parts(shape):
        if polygon.geom_type != "Polygon" or polygon.area < 1e-6:
            continue
        for triangle in shapely.get_parts(shapely.constrained_delaunay_triangles(polygon)):
            corners = shapely.get_coordinates(triangle)[:3]
            (ax, ay), (bx, by), (cx, cy) = corners
            turn = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            found.append(corners if turn > 0.0 else corners[::-1])
    return found

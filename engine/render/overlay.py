"""Road paint that stays smooth at a distance: every strip widened to a pixel and faded by its true coverage.

A line 12 cm wide is thinner than a pixel from about 40 m on; drawn as it is, it breaks into flickering crumbs that no
filter mends. So paint is drawn twice: its labels and depth from the true outline, and its colour from an outline that
the vertex shader pushes out by most of a pixel. The fragment shader then weighs the colour by how much of the pixel
the strip covers: the area under a box filter, exact for straight strips.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from engine.geometry import Mesh
from engine.render.geometry import VERTEX_DTYPE, Triangles

STRIP_DTYPE = np.dtype(
    [*((name, VERTEX_DTYPE[name]) for name in VERTEX_DTYPE.names or ()), ("strip", "f4", 4), ("along", "f4", 3)]
)
"""A vertex of paint: ``strip`` is its place along and across its strip, and the strip's half length and half width
(metres; zeros for what is no strip); ``along`` the unit direction of the strip, ASAM frame."""

Floats = npt.NDArray[np.float64]
_RIM_M = 2e-3


def paint_strips(mesh: Mesh, part: Triangles) -> Triangles:
    """Return the packed mesh with the extra columns of :data:`STRIP_DTYPE`.

    A connected piece is a strip when its uv runs along it (u) and across it (v), in metres, and all its vertices lie
    on its two rims. Other paint (arrows, dots, letters) is marked as no strip and drawn as it is.
    """
    vertices = np.zeros(len(part.vertices), dtype=STRIP_DTYPE)
    for name in VERTEX_DTYPE.names or ():
        vertices[name] = part.vertices[name]
    whole = Triangles(vertices, part.triangles)
    uv = np.asarray(mesh.uv, dtype=np.float64)
    along, plausible, mirrored = _directions(part, uv)
    uv = uv * np.where(mirrored, -1.0, 1.0)[:, None] ** (0, 1)
    piece = _pieces(part)
    count = int(piece.max()) + 1 if len(piece) else 0
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, piece, uv)
    np.maximum.at(high, piece, uv)
    on_rim = np.minimum(np.abs(uv[:, 1] - low[piece, 1]), np.abs(uv[:, 1] - high[piece, 1])) < _RIM_M
    strip = np.ones(count, dtype=bool)
    np.logical_and.at(strip, piece, on_rim & plausible)
    strip &= ((high - low) > 1e-3).all(axis=1)
    mine = strip[piece]
    half, middle = (high - low) / 2.0, (high + low) / 2.0
    vertices["strip"][mine, :2] = (uv - middle[piece])[mine]
    vertices["strip"][mine, 2:] = half[piece][mine]
    vertices["along"][mine] = along[mine]
    return whole


def _pieces(part: Triangles) -> npt.NDArray[np.intp]:
    """Return the number of the connected piece that each vertex belongs to; corners at one place are connected."""
    places = np.round(part.vertices["vertex"] / 1e-3).astype(np.int64)
    _, corner = np.unique(places, axis=0, return_inverse=True)
    corner = corner.ravel()
    first, second, third = corner[part.triangles].T
    n = int(corner.max()) + 1
    links = coo_array(
        (np.ones(2 * len(first), dtype=np.int8), (np.r_[first, second], np.r_[second, third])), shape=(n, n)
    )
    _, piece = connected_components(links, directed=False)
    return piece[corner]


def _directions(part: Triangles, uv: Floats) -> tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return the direction of growing u at each vertex (V, 3), whether uv is in metres there, and is mirrored there."""
    points = part.vertices["vertex"].astype(np.float64)
    a, b, c = (points[part.triangles[:, k]] for k in range(3))
    ua, ub, uc = (uv[part.triangles[:, k]] for k in range(3))
    edge1, edge2, du1, du2 = b - a, c - a, ub - ua, uc - ua
    area = du1[:, 0] * du2[:, 1] - du1[:, 1] * du2[:, 0]
    safe = np.where(np.abs(area) > 1e-9, area, 1.0)[:, None]
    tangent = (edge1 * du2[:, 1:] - edge2 * du1[:, 1:]) / safe
    length = np.linalg.norm(tangent, axis=1)
    world_area = np.linalg.norm(np.cross(edge1, edge2), axis=1)
    # u follows the reference line, which is longer or shorter than the rim in a bend; v is true.
    metric = (np.abs(area) > 1e-9) & (length > 0.5) & (length < 2.0)
    metric &= (world_area > 0.4 * np.abs(area)) & (world_area < 2.5 * np.abs(area))
    direction = np.zeros_like(points)
    good = np.ones(len(points), dtype=bool)
    for corner in range(3):
        np.add.at(direction, part.triangles[:, corner], tangent * metric[:, None])
        np.logical_and.at(good, part.triangles[:, corner], metric)
    size = np.linalg.norm(direction, axis=1, keepdims=True)
    mirrored = np.zeros(len(points), dtype=bool)
    for corner in range(3):
        np.logical_or.at(mirrored, part.triangles[:, corner], area < 0.0)
    return direction / np.maximum(size, 1e-9), good & (size[:, 0] > 1e-6), mirrored

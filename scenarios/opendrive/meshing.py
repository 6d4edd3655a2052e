"""Where a road's mesh needs rows, and the strips of triangles between lane edges."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foundation.ids import Tag
from scenarios.opendrive.errors import OpenDriveError
from scenarios.opendrive.road import RoadGeometry, Section
from scenarios.opendrive.values import PAVED_TYPES

Floats = npt.NDArray[np.float64]
Triangles = npt.NDArray[np.int32]

MAX_ROWS = 100_000
"""More rows than this for one road mean that its numbers are broken."""
_SHORTEST_M = 0.02
_COLUMN_M = 0.5
_PROBES = np.array([0.25, 0.5, 0.75])


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Triangles of one kind of ground, in ASAM's frame.

    Attributes:
        kind: "lane", "kerb" (the upright faces of raised lanes) or "junction" (fill between connecting roads).
        tag: what it is in label images.
        lane_type: the lane's type as the file writes it; "" for junction fill.
        road_id, section, lane_id: where it belongs; "" and 0 for junction fill.
        junction: id of the junction it belongs to, or "".
        vertices: (V, 3) metres.
        triangles: (T, 3) counter-clockwise seen from above (kerbs: seen from outside the raised lane).
        uv: (V, 2) metres: (s, t) on roads, (x, y) in junctions, so that overlapping roads agree; on kerbs (length
            along, height).
    """

    kind: str
    tag: Tag
    lane_type: str
    road_id: str
    section: int
    lane_id: int
    junction: str
    vertices: Floats
    triangles: Triangles
    uv: Floats


_TAGS = {
    "sidewalk": Tag.SIDEWALKS, "walking": Tag.SIDEWALKS, "curb": Tag.SIDEWALKS,
    "rail": Tag.RAIL_TRACK, "tram": Tag.ROADS,
    "none": Tag.TERRAIN, "verge": Tag.TERRAIN, "median": Tag.TERRAIN,
}  # fmt: skip


def tag_of(lane_type: str) -> Tag:
    """Return the semantic tag of a lane type; types the standard does not know are terrain."""
    if lane_type in PAVED_TYPES:
        return Tag.ROADS
    return _TAGS.get(lane_type, Tag.TERRAIN)


def rows(road: RoadGeometry, section: Section, step_m: float, tolerance_m: float) -> Floats:
    """Return the s of mesh rows of one section, so that flat triangles lie within ``tolerance_m`` of the surface.

    Starts from the places where records begin and halves intervals until the lane edges, and the middles of
    lanes, agree with the true surface at probes between the rows.

    Raises:
        OpenDriveError: the road would need more than ``MAX_ROWS`` rows.
    """
    breaks = road.breaks()
    inside = breaks[(breaks > section.start + 1e-6) & (breaks < section.end - 1e-6)]
    s = np.concatenate([[section.start], inside, [section.end]])
    if (section.end - section.start) / step_m > MAX_ROWS:
        raise too_fine(road)
    s = np.concatenate(
        [np.linspace(a, b, max(1, int(np.ceil((b - a) / step_m))) + 1)[:-1] for a, b in itertools.pairwise(s)]
        + [s[-1:]]
    )
    open_ = np.ones(len(s) - 1, dtype=bool)
    while open_.any():
        low, high = s[:-1][open_], s[1:][open_]
        split = (high - low > 2 * _SHORTEST_M) & (_misfit(road, section, low, high) > tolerance_m)
        if not split.any():
            break
        if len(s) + int(split.sum()) > MAX_ROWS:
            raise too_fine(road)
        parent = np.flatnonzero(open_)[split]
        middle = 0.5 * (low[split] + high[split])
        was_open = np.zeros(len(s) - 1, dtype=bool)
        was_open[parent] = True
        s = np.insert(s, parent + 1, middle)
        open_ = np.repeat(was_open, np.where(was_open, 2, 1))
    return s


def too_fine(road: RoadGeometry) -> OpenDriveError:
    """Return the error of a road that cannot be meshed with a sensible number of rows."""
    return OpenDriveError(
        f"the surface of road '{road.id}' needs more than {MAX_ROWS} rows",
        line=road.record.line,
        element="road",
        remedy="check its length and the coefficients of its profiles",
    )


def _misfit(road: RoadGeometry, section: Section, low: Floats, high: Floats) -> Floats:
    """Return by how many metres flat triangles between rows ``low`` and ``high`` (N,) miss the surface."""
    n = len(low)
    probes = (low[:, None] + (high - low)[:, None] * _PROBES).ravel()
    every = np.concatenate([low, high, probes])
    edges = section.boundaries(every, road.lane_offset(every))
    at = road.stations(every)
    points = road.points(at, edges)  # (edges, 5 N, 3)
    start, end = points[:, :n], points[:, n : 2 * n]
    between = points[:, 2 * n :].reshape(len(edges), n, len(_PROBES), 3)
    chord = end - start
    length = np.maximum(np.linalg.norm(chord, axis=-1, keepdims=True), 1e-9)
    direction = (chord / length)[:, :, None]
    rest = between - start[:, :, None]
    rest = rest - (rest * direction).sum(axis=-1, keepdims=True) * direction
    misfit = np.linalg.norm(rest, axis=-1).max(axis=(0, 2))
    if len(edges) > 1 and not (road.superelevation.is_constant and road.cross_section.is_flat):
        middle = 0.5 * (edges[:-1] + edges[1:])
        centre = np.arange(2 * n + 1, 5 * n, len(_PROBES))
        true = road.points(road.stations(every[centre]), middle[:, centre])
        flat = 0.5 * (start[:-1] + end[1:])  # the diagonal both triangles of a quad share
        misfit = np.maximum(misfit, np.abs(true - flat)[..., 2].max(axis=0))
    return np.where(np.isfinite(misfit), misfit, np.inf)


def columns(road: RoadGeometry, section: Section, lane_id: int, edges: Floats) -> Floats:
    """Return (C, N) t of a lane's mesh columns, right to left: its edges, and more where the section is curved."""
    inner, outer = section.edge_numbers(lane_id)
    right, left = edges[min(inner, outer)], edges[max(inner, outer)]
    if road.cross_section.is_flat:
        return np.stack([right, left])
    count = 1
    if road.cross_section.is_curved:
        count = int(np.clip(np.ceil(np.max(left - right) / _COLUMN_M), 1, 64))
    parts = [right + (left - right) * k / count for k in range(count + 1)]
    parts += [np.clip(np.full_like(right, t), right, left) for t in [0.0, *road.cross_section.creases][:64]]
    return np.sort(np.stack(parts), axis=0)


def grid_triangles(column_count: int, row_count: int) -> Triangles:
    """Return the triangles of a (columns, rows) grid of vertices, counter-clockwise from above.

    Columns go from right to left, rows along s; vertex (c, r) has the number c * rows + r.
    """
    c, r = np.meshgrid(np.arange(column_count - 1), np.arange(row_count - 1), indexing="ij")
    a = (c * row_count + r).ravel()
    b, d = a + 1, a + row_count
    e = d + 1
    return np.concatenate([np.stack([a, b, e], -1), np.stack([a, e, d], -1)]).astype(np.int32)


def without_slivers(vertices: Floats, triangles: Triangles) -> Triangles:
    """Return the triangles that face up and have an area worth speaking of (1 mm^2).

    Triangles face down where a road is wider than its bend's radius: there the strip is folded over itself and the
    ground is covered already.
    """
    a, b, c = (vertices[triangles[:, i], :2] for i in range(3))
    one, other = b - a, c - a
    return triangles[one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0] > 2e-6]


def compact(vertices: Floats, triangles: Triangles, *others: Floats) -> tuple[Floats, Triangles, tuple[Floats, ...]]:
    """Return the mesh without vertices no triangle uses, and ``others`` (per vertex) likewise."""
    used, renumbered = np.unique(triangles, return_inverse=True)
    return vertices[used], renumbered.reshape(-1, 3).astype(np.int32), tuple(values[used] for values in others)


def skirt(
    vertices: Floats, triangles: Triangles, depth: Floats, skip: npt.NDArray[np.bool_]
) -> tuple[Floats, Triangles, Floats]:
    """Return upright faces (vertices, triangles, uv) below the rim of a mesh, seen from outside.

    Args:
        vertices, triangles: the mesh, counter-clockwise from above.
        depth: (V,) how far down the face goes at each vertex; edges with no depth at both ends get none.
        skip: (V,) rim edges with both ends marked get none.
    """
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    key = edges[:, 0] * len(vertices) + edges[:, 1]
    back = edges[:, 1] * len(vertices) + edges[:, 0]
    rim = edges[~np.isin(key, back)]
    a, b = rim[:, 0], rim[:, 1]
    keep = ((depth[a] > 1e-6) | (depth[b] > 1e-6)) & ~(skip[a] & skip[b])
    a, b = a[keep], b[keep]
    n = len(a)
    drop = np.zeros((2 * n, 3))
    drop[:, 2] = np.concatenate([depth[a], depth[b]])
    top = np.concatenate([vertices[a], vertices[b]])
    length = np.linalg.norm(vertices[b] - vertices[a], axis=-1)
    uv = np.zeros((4 * n, 2))
    uv[n : 2 * n, 0] = uv[3 * n :, 0] = length
    uv[: 2 * n, 1] = drop[:, 2]
    i = np.arange(n)
    # The mesh lies left of the rim edge a -> b, so outside is on its right.
    faces = np.concatenate([np.stack([i, i + 2 * n, i + 3 * n], -1), np.stack([i, i + 3 * n, i + n], -1)])
    return np.concatenate([top, top - drop]), faces.astype(np.int32), uv

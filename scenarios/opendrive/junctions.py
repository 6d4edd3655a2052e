"""What happens to surfaces where connecting roads overlap, and where they leave the ground open.

Connecting roads of a junction lie one over the other. Traffic's lanes are kept whole, each exactly as high as the
file says unless they disagree (see ``blending``). Lower ranks (shoulders, then pavements, then verges) are cut where
a higher rank covers them, or a pavement would run across the turning lanes. Holes are closed with the ground around
them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import shapely

from foundation.ids import Tag
from scenarios.opendrive.blending import JunctionGround
from scenarios.opendrive.errors import OpenDriveError
from scenarios.opendrive.meshing import Surface, compact, without_slivers
from scenarios.opendrive.network import RoadNetwork
from scenarios.opendrive.polygons import merge, triangulate
from scenarios.opendrive.values import DRIVING_TYPES, PAVED_TYPES

Floats = npt.NDArray[np.float64]

MAX_EXTENT_M = 3_000.0
"""A connecting road wider than this is a broken one; putting it together with others would take for ever."""
CLOSING_M = 1.0
"""Notches of the driving area narrower than twice this are filled."""
_SNAP_M = 1e-4
_SMALLEST_HOLE_M2 = 1e-4


def resolve(network: RoadNetwork, junction_id: str, lanes: list[Surface]) -> list[Surface]:
    """Return a junction's surfaces: one height, lower ranks cut where higher ones cover them, holes filled.

    Args:
        network: the road network.
        junction_id: the junction.
        lanes: the lane surfaces of all its connecting roads.

    Raises:
        OpenDriveError: the lanes are so tangled that no ground can be made of them.
    """
    widest = max((float(np.ptp(s.vertices[:, :2], axis=0).max()) for s in lanes if len(s.vertices)), default=0.0)
    if widest > MAX_EXTENT_M:
        raise OpenDriveError(
            f"a connecting road of junction '{junction_id}' reaches over {widest:.0f} m",
            file=network.file,
            line=network.junctions[junction_id].line if junction_id in network.junctions else None,
            element="junction",
            remedy=f"junctions of up to {MAX_EXTENT_M:.0f} m are understood; check its roads' geometry",
        )
    try:
        return _resolve(network, junction_id, lanes)
    except shapely.errors.GEOSException as error:
        raise OpenDriveError(
            f"the lanes of junction '{junction_id}' cannot be put together: {str(error).splitlines()[0]}",
            file=network.file,
            element="junction",
            remedy="check the geometry of its connecting roads",
        ) from error


def _resolve(network: RoadNetwork, junction_id: str, lanes: list[Surface]) -> list[Surface]:
    ranks = np.array([_rank(surface) for surface in lanes])
    kept: list[Surface] = []
    covered: shapely.Geometry | None = None
    driven: shapely.Geometry | None = None
    for rank in range(4):
        mine = [lanes[i] for i in np.flatnonzero(ranks == rank)]
        if covered is not None and not covered.is_empty:
            mine = [_cut(surface, covered) for surface in mine]
        mine = [surface for surface in mine if len(surface.triangles)]
        areas = [shapely.union_all(_polygons(surface)) for surface in mine]
        if rank == 0 and (ground := network.junction_ground(junction_id)) is not None:
            mine = [_draped(surface, ground) for surface in mine]
        kept += mine
        # Rounding to a grid keeps the union of many touching lanes free of slits.
        covered = shapely.union_all([*areas, *([covered] if covered is not None else [])], grid_size=_SNAP_M)
        if rank == 0:
            driven = covered
    if driven is None or covered is None or driven.is_empty:
        return kept
    return [*kept, *_fill(junction_id, driven, covered, kept)]


def _draped(surface: Surface, ground: JunctionGround) -> Surface:
    points, faces = ground.drape(surface.vertices, surface.triangles)
    return replace(surface, vertices=points, triangles=faces, uv=points[:, :2].copy())


def _rank(surface: Surface) -> int:
    if surface.lane_type in DRIVING_TYPES:
        return 0
    if surface.lane_type in PAVED_TYPES:
        return 1
    return 2 if surface.tag == Tag.SIDEWALKS else 3


def _polygons(surface: Surface) -> npt.NDArray[np.object_]:
    """Return the triangles of a surface as polygons in the plane."""
    corners = surface.vertices[surface.triangles][:, :, :2]
    return shapely.polygons(np.concatenate([corners, corners[:, :1]], axis=1))


def _cut(surface: Surface, covered: shapely.Geometry) -> Surface:
    """Return a surface without what ``covered`` covers; heights stay those of its own triangles."""
    shapely.prepare(covered)
    polygons = _polygons(surface)
    touched = shapely.intersects(covered, polygons)
    if not touched.any():
        return surface
    inside = shapely.contains(covered, polygons)
    cut = np.flatnonzero(touched & ~inside)
    flats: list[Floats] = []
    owners: list[int] = []
    for number, rest in zip(cut, shapely.difference(polygons[cut], covered)):
        pieces = triangulate(rest)
        flats += pieces
        owners += [int(number)] * len(pieces)
    vertices, triangles = [surface.vertices], [surface.triangles[~touched]]
    if flats:
        places = np.concatenate(flats)
        corners = np.repeat(surface.vertices[surface.triangles[owners]], 3, axis=0)
        vertices.append(np.column_stack([places, _plane_heights(corners, places)]))
        triangles.append(np.arange(len(places), dtype=np.int32).reshape(-1, 3) + len(surface.vertices))
    points, faces = np.concatenate(vertices), np.concatenate(triangles)
    points, faces = merge(points, faces)
    points, faces, _ = compact(points, without_slivers(points, faces))
    return replace(surface, vertices=points, triangles=faces, uv=points[:, :2].copy())


def _plane_heights(corners: Floats, flat: Floats) -> Floats:
    """Return the (N,) heights of the planes through (N, 3, 3) corners at (N, 2) places."""
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    offset = flat - corners[:, 0, :2]
    area = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    flat_enough = np.abs(area) > 1e-12
    area = np.where(flat_enough, area, 1.0)
    u = (offset[:, 0] * other[:, 1] - offset[:, 1] * other[:, 0]) / area
    v = (one[:, 0] * offset[:, 1] - one[:, 1] * offset[:, 0]) / area
    return np.where(flat_enough, corners[:, 0, 2] + u * one[:, 2] + v * other[:, 2], corners[:, :, 2].mean(axis=1))


def _fill(junction_id: str, driven: shapely.Geometry, covered: shapely.Geometry, kept: list[Surface]) -> list[Surface]:
    """Return surfaces over the holes and notches that the lanes of a junction leave open.

    A hole becomes the ground it mostly borders on: road within the driving area, pavement between pavements.
    """
    closed = shapely.buffer(shapely.buffer(driven, CLOSING_M, quad_segs=4), -CLOSING_M, quad_segs=4)
    closed = _without_holes(closed)
    missing = shapely.difference(shapely.union_all([closed, _without_holes(covered)]), covered)
    ground = _Ground(kept)
    found: list[Surface] = []
    for polygon in shapely.get_parts(missing):
        if polygon.geom_type != "Polygon" or polygon.area < _SMALLEST_HOLE_M2:
            continue
        flat = triangulate(polygon)
        if not flat:
            continue
        tag = Tag.ROADS if polygon.representative_point().within(closed) else ground.tag_around(polygon)
        places = np.concatenate(flat)
        points = np.column_stack([places, ground.heights(places, tag)])
        points, faces = merge(points, np.arange(len(places), dtype=np.int32).reshape(-1, 3))
        points, faces, _ = compact(points, without_slivers(points, faces))
        if len(faces):
            uv = points[:, :2].copy()
            found.append(Surface("junction", tag, "", "", 0, 0, junction_id, points, faces, uv))
    return found


class _Ground:
    """The triangles around a hole, to be asked for heights and tags."""

    def __init__(self, kept: list[Surface]) -> None:
        self._corners = np.concatenate([surface.vertices[surface.triangles] for surface in kept])
        self._tags = np.concatenate([np.full(len(surface.triangles), int(surface.tag)) for surface in kept])
        flat = self._corners[:, :, :2]
        self._shapes = shapely.polygons(np.concatenate([flat, flat[:, :1]], axis=1))
        self._trees: dict[int, tuple[shapely.STRtree, npt.NDArray[np.intp]]] = {}

    def tag_around(self, polygon: shapely.Geometry) -> Tag:
        """Return the tag that most of a hole's rim has."""
        rim = shapely.line_interpolate_point(polygon.exterior, np.linspace(0.0, 1.0, 24), normalized=True)
        tree, rows = self._tree(0)
        _, near = tree.query_nearest(rim, all_matches=False)
        tags, counts = np.unique(self._tags[rows[near]], return_counts=True)
        return Tag(int(tags[np.argmax(counts)]))

    def heights(self, places: Floats, tag: Tag) -> Floats:
        """Return heights at (N, 2) places: those of the planes of the nearest triangles with the tag."""
        tree, rows = self._tree(int(tag))
        _, near = tree.query_nearest(shapely.points(places), all_matches=False)
        corners = self._corners[rows[near]]
        # A hole's far side may not be reached by a steep sliver's plane: stay within the triangle's heights.
        low, high = corners[:, :, 2].min(axis=1), corners[:, :, 2].max(axis=1)
        return np.clip(_plane_heights(corners, places), low - 0.02, high + 0.02)

    def _tree(self, tag: int) -> tuple[shapely.STRtree, npt.NDArray[np.intp]]:
        if tag not in self._trees:
            rows = np.flatnonzero(self._tags == tag) if tag else np.arange(len(self._tags))
            self._trees[tag] = (shapely.STRtree(self._shapes[rows]), rows)
        return self._trees[tag]


def _without_holes(shape: shapely.Geometry) -> shapely.Geometry:
    parts = [shapely.polygons(part.exterior) for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return shapely.union_all(parts)

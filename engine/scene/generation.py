"""What ``generate_opendrive_world`` lets a client choose: how roads become meshes, and walls beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from engine.geometry import Generation, StaticObject
from engine.scene import materials as m
from engine.scene.builder import Color
from engine.scene.ground import (
    LAYER_WALLS,
    Floats,
    Patch,
    flat_shaded,
    joined,
    pieces,
    rim_edges,
    static_object,
    surface_outline,
)
from foundation.ids import Tag
from scenarios.opendrive import RoadNetwork, Surface
from scenarios.opendrive.polygons import triangulate

WALL_THICKNESS_M = 0.15
WALL_GREY: Color = (158.0, 156.0, 152.0)
_LEAST_AREA_M2 = 1e-3


def walls(
    network: RoadNetwork, found: Sequence[Surface], chosen: Generation, *, seed: int, world: str
) -> list[StaticObject]:
    """Return walls along the outer edges of all roads outside junctions, as objects of the pieces' length."""
    if chosen.wall_height_m <= 0.0:
        return []
    by_road: dict[str, list[Patch]] = {}
    for surface in found:
        if surface.kind == "lane" and not surface.junction:
            edges = _outer_edges(network, surface)
            if len(edges):
                by_road.setdefault(surface.road_id, []).append(_wall(surface.vertices, edges, chosen.wall_height_m))
    objects = []
    for road_id, patches in by_road.items():
        for number, piece in enumerate(pieces(joined(patches), chosen.max_road_length_m)):
            parts = [(piece, m.CONCRETE, Tag.WALLS)]
            name = f"Wall_Road{road_id}_{number}"
            objects.append(static_object(name, parts, tag=Tag.WALLS, seed=seed, world=world, layer=LAYER_WALLS))
    return objects


def _outer_edges(network: RoadNetwork, surface: Surface) -> npt.NDArray[np.int64]:
    """Return the (E, 2) rim edges of a lane's surface that are the road's own outer edge."""
    road = network.roads[surface.road_id]
    section = road.sections[surface.section]
    ids = section.lane_ids
    if surface.lane_id not in (min(ids), max(ids)):
        return np.zeros((0, 2), dtype=np.int64)
    edges = rim_edges(surface)
    ends = surface.vertices[edges].reshape(-1, 3)
    s, t = network.project_many(surface.road_id, ends[:, :2])
    limits = section.boundaries(s, road.lane_offset(s))
    outer = limits.min(axis=0) if surface.lane_id == min(ids) else limits.max(axis=0)
    on_edge = (np.abs(t - outer) < 0.02).reshape(-1, 2).all(axis=1)
    along = np.abs(np.diff(s.reshape(-1, 2), axis=1)[:, 0]) > 1e-3
    return np.asarray(edges[on_edge & along])


def _wall(vertices: Floats, edges: npt.NDArray[np.int64], height: float) -> Patch:
    """Return walls on (E, 2) edges that have the ground on their left: they stand outside it."""
    a, b = vertices[edges[:, 0]], vertices[edges[:, 1]]
    run = b[:, :2] - a[:, :2]
    length = np.linalg.norm(run, axis=1)
    away = np.zeros_like(a)
    away[:, :2] = np.stack([run[:, 1], -run[:, 0]], axis=1) / np.maximum(length, 1e-9)[:, None] * WALL_THICKNESS_M
    up, down = np.array([0.0, 0.0, height]), np.array([0.0, 0.0, -0.3])
    # Corners of a box: inner foot, inner top, outer top, outer foot, at both ends.
    at_a = [a + down, a + up, a + up + away, a + down + away]
    at_b = [b + down, b + up, b + up + away, b + down + away]
    points = np.stack([*at_a, *at_b], axis=1).reshape(-1, 3)
    quads = [(0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (0, 3, 2, 1), (4, 5, 6, 7)]
    corners = np.array([(q[i], q[j], q[k]) for q in quads for i, j, k in ((0, 2, 1), (0, 3, 2))], dtype=np.int64)
    faces = (8 * np.arange(len(a))[:, None, None] + corners).reshape(-1, 3).astype(np.int32)
    uv = np.zeros((len(a), 8, 2))
    uv[:, 4:, 0] = length[:, None]
    uv[:, [1, 2, 5, 6], 1] = height
    return flat_shaded(points, faces, uv.reshape(-1, 2), WALL_GREY)


def widened(found: Sequence[Surface], width_m: float) -> list[Surface]:
    """Return surfaces with junctions widened where they border on nothing: as road, level with the edge beside it."""
    if width_m <= 0.0:
        return list(found)
    flat = [surface for surface in found if surface.kind != "kerb"]
    outlines = [surface_outline(surface) for surface in flat]
    covered = shapely.union_all(outlines, grid_size=0.001)
    extra = []
    for junction in sorted({surface.junction for surface in flat if surface.junction}):
        mine = [number for number, surface in enumerate(flat) if surface.junction == junction]
        area = shapely.union_all([outlines[number] for number in mine], grid_size=0.001)
        strip = shapely.difference(shapely.buffer(area, width_m, quad_segs=2), covered)
        triangles = triangulate(strip) if strip.area > _LEAST_AREA_M2 else []
        if not triangles:
            continue
        places = np.concatenate(triangles)
        height = _beside([flat[number] for number in mine], places)
        faces = np.arange(len(places), dtype=np.int32).reshape(-1, 3)
        points = np.column_stack([places, height])
        extra.append(Surface("junction", Tag.ROADS, "", "", 0, 0, junction, points, faces, places.copy()))
        covered = shapely.union(covered, strip, grid_size=0.001)
    return [*found, *extra]


def _beside(surfaces: Sequence[Surface], places: Floats) -> Floats:
    """Return the heights at (N, 2) places: those of the nearest points of the surfaces' rims."""
    ends = np.concatenate([surface.vertices[rim_edges(surface)] for surface in surfaces])
    tree = shapely.STRtree(shapely.linestrings(ends[:, :, :2]))
    _, near = tree.query_nearest(shapely.points(places), all_matches=False)
    a, b = ends[near, 0], ends[near, 1]
    run = b[:, :2] - a[:, :2]
    part = np.einsum("ni,ni->n", places - a[:, :2], run) / np.maximum(np.einsum("ni,ni->n", run, run), 1e-12)
    return np.asarray(a[:, 2] + np.clip(part, 0.0, 1.0) * (b[:, 2] - a[:, 2]))

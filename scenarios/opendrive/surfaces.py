"""The ground of a road network as triangle meshes: lanes, kerbs, and what fills junctions."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from foundation.ids import Tag
from scenarios.opendrive import junctions
from scenarios.opendrive.meshing import (
    Surface,
    columns,
    compact,
    grid_triangles,
    rows,
    skirt,
    tag_of,
    without_slivers,
)
from scenarios.opendrive.network import RoadNetwork
from scenarios.opendrive.road import RoadGeometry, Section

Floats = npt.NDArray[np.float64]

KERB_FOOT_M = 0.05
"""Kerb faces reach this far below the road's plane, so that no slit is left where surfaces are cut."""


def surfaces(
    network: RoadNetwork, step_m: float = 10.0, tolerance_m: float = 0.005, *, resolve_junctions: bool = True
) -> list[Surface]:
    """Return the ground of a network.

    All lanes of a section share their rows, so neighbours have identical edges. Lanes of connecting roads are
    kept whole where traffic drives; within a junction everything else is cut where traffic drives over it, and
    what no lane covers is filled.

    Args:
        network: the road network.
        step_m: largest distance of two rows along s.
        tolerance_m: largest distance of the triangles from the true surface.
        resolve_junctions: False leaves the lanes of junctions as the file has them, one over the other.

    Raises:
        OpenDriveError: a road's numbers are so wild that its mesh would have no end.
    """
    found: list[Surface] = []
    by_junction: dict[str, list[Surface]] = {}
    for road in network.roads.values():
        for section in road.sections:
            for surface in _section_surfaces(road, section, step_m, tolerance_m):
                (by_junction.setdefault(road.junction, []) if road.junction else found).append(surface)
    for junction_id in by_junction:
        lanes = by_junction[junction_id]
        found += junctions.resolve(network, junction_id, lanes) if resolve_junctions else lanes
    done: list[Surface] = []
    for surface in found:
        if not len(surface.triangles):
            continue
        done.append(surface)
        if surface.kind == "lane" and (kerb := _kerb(network, surface)) is not None:
            done.append(kerb)
    return done


def _section_surfaces(road: RoadGeometry, section: Section, step_m: float, tolerance_m: float) -> list[Surface]:
    if section.end - section.start < 1e-6 or not section.lanes:
        return []
    s = rows(road, section, step_m, tolerance_m)
    edges = section.boundaries(s, road.lane_offset(s))
    found = []
    for lane in section.lanes:
        t = columns(road, section, lane.id, edges)
        for first, last in _stretches(lane.height_breaks(), s):
            part = slice(first, last + 1)
            found.append(_strip(road, section, lane.id, s[part], t[:, part], edges[:, part]))
    return [surface for surface in found if len(surface.triangles)]


def _stretches(breaks: Floats, s: Floats) -> list[tuple[int, int]]:
    """Return the (first, last) rows between which a lane's height records do not change."""
    cuts = [int(np.argmin(np.abs(s - place))) for place in breaks if s[0] + 1e-6 < place < s[-1] - 1e-6]
    places = sorted({0, *cuts, len(s) - 1})
    return list(itertools.pairwise(places))


def _strip(road: RoadGeometry, section: Section, lane_id: int, s: Floats, t: Floats, edges: Floats) -> Surface:
    """Return one lane's surface between rows ``s`` (N,) with columns ``t`` (C, N)."""
    lane = section.lane(lane_id)
    at = road.stations(s)
    height: Floats | float = 0.0
    if lane.is_raised:
        # A height record holds from its start on; the middle row tells which one this stretch has.
        low, high = lane.heights(np.array([0.5 * (s[0] + s[-1])]))
        inner, outer = section.edge_numbers(lane_id)
        width = edges[outer] - edges[inner]
        part = np.divide(t - edges[inner], width, out=np.zeros_like(t), where=np.abs(width) > 1e-9)
        height = low + np.clip(part, 0.0, 1.0) * (high - low)
    points = road.points(at, t, height).reshape(-1, 3)
    triangles = without_slivers(points, grid_triangles(len(t), len(s)))
    uv = np.stack(np.broadcast_arrays(s, t), axis=-1).reshape(-1, 2)
    if road.junction:
        uv = points[:, :2].copy()
    vertices, triangles, (uv,) = compact(points, triangles, uv)
    return Surface(
        "lane", tag_of(lane.type), lane.type, road.id, section.index, lane_id, road.junction, vertices, triangles, uv
    )


def _kerb(network: RoadNetwork, surface: Surface) -> Surface | None:
    """Return the upright faces of a raised lane, or None if it lies level with the road.

    Faces towards a neighbour of the same height are left out.
    """
    road = network.roads[surface.road_id]
    section = road.sections[surface.section]
    lane = section.lane(surface.lane_id)
    if not lane.is_raised:
        return None
    s, t = _road_coordinates(network, surface)
    height = road.surface_height(s, t, section, surface.lane_id)
    skip = np.zeros(len(s), dtype=bool)
    edges = section.boundaries(s, road.lane_offset(s))
    rank = section.lane_ids.index(surface.lane_id)
    for other_rank, edge in ((rank - 1, rank), (rank + 1, rank + 1)):
        if not 0 <= other_rank < len(section.lanes):
            continue
        other = section.lanes[other_rank]
        level = road.surface_height(s, edges[edge], section, other.id)
        skip |= (np.abs(t - edges[edge]) < 1e-4) & (level >= height - 1e-4)
    depth = np.where(height > 1e-4, height + KERB_FOOT_M, 0.0)
    vertices, triangles, uv = skirt(surface.vertices, surface.triangles, depth, skip)
    if not len(triangles):
        return None
    return replace(surface, kind="kerb", tag=Tag.SIDEWALKS, vertices=vertices, triangles=triangles, uv=uv)


def _road_coordinates(network: RoadNetwork, surface: Surface) -> tuple[Floats, Floats]:
    """Return the (s, t) of a lane surface's vertices."""
    if not surface.junction:
        return surface.uv[:, 0], surface.uv[:, 1]
    return network.project_many(surface.road_id, surface.vertices[:, :2])

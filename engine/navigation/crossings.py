"""Where people cross the road: the file's crosswalks, and places for them where a junction has none. ASAM's frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from engine.scene.streets import kind_of_road
from scenarios.opendrive import PlacedObject, RoadGeometry, RoadNetwork, objects

Floats = npt.NDArray[np.float64]

REACH_M = 3.0
"""How far a crosswalk is drawn out to meet the pavements beyond its ends."""
WIDTH_M = 3.0
"""Width of crossings that the file does not have."""
BACK_M = 1.5
"""Their distance from the end of the road, where the junction begins."""
NEAR_M = 25.0
"""A junction with a crosswalk closer to a road's end than this has crosswalks of its own there."""
WALKED_TYPES = ("sidewalk", "walking")


def crosswalks(network: RoadNetwork) -> list[tuple[shapely.Geometry, float]]:
    """Return the areas of the file's crosswalks and their heights."""
    found = []
    for thing in objects(network):
        if thing.type == "crosswalk":
            area = _plan(thing)
            if area.area > 0.5:
                found.append((area, thing.pose.z))
    return found


def _plan(thing: PlacedObject) -> shapely.Geometry:
    for outline in thing.outlines:
        if len(outline.points) >= 3:
            return shapely.make_valid(shapely.polygons(outline.points[:, :2]))
    u, v = 0.5 * thing.length, 0.5 * thing.width
    cos, sin = np.cos(thing.pose.heading), np.sin(thing.pose.heading)
    local = np.array([(u, v), (-u, v), (-u, -v), (u, -v)])
    corners = local @ np.array([[cos, sin], [-sin, cos]]) + np.array([thing.pose.x, thing.pose.y])
    return shapely.polygons(corners) if u * v > 0.0 else shapely.Polygon()


def drawn_out(crosswalk: shapely.Geometry, goal: shapely.Geometry) -> shapely.Geometry:
    """Return a crosswalk with its ends drawn out so that they meet the areas it leads to.

    People cross along the axis on which both ends find their goal, along its longer side if both axes would do.
    """
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(crosswalk))
    if len(corners) < 5:
        return crosswalk
    sides = [corners[1] - corners[0], corners[2] - corners[1]]
    sides.sort(key=lambda side: -float(np.linalg.norm(side)))
    best, best_rank = crosswalk, 0
    for side in sides:
        step = side / max(float(np.linalg.norm(side)), 1e-9) * REACH_M
        ends = [_swept(crosswalk, sign * step) for sign in (1.0, -1.0)]
        met = [end for end in ends if shapely.area(shapely.intersection(end, goal)) > 0.2]
        if len(met) > best_rank:
            best, best_rank = shapely.union_all([crosswalk, *met], grid_size=0.001), len(met)
    return best


def _swept(area: shapely.Geometry, step: Floats) -> shapely.Geometry:
    hull = shapely.convex_hull(area)
    moved = shapely.transform(hull, lambda points: points + step)
    return shapely.convex_hull(shapely.union(hull, moved))


def missing_crossings(network: RoadNetwork, known: list[shapely.Geometry]) -> list[tuple[shapely.Geometry, float]]:
    """Return crossings, with their heights, for the ends of roads at junctions that have no crosswalk.

    Roads in towns and in the country get them where both sides can be walked on; motorways do not.
    """
    whole = shapely.union_all(known) if known else shapely.Polygon()
    shapely.prepare(whole)
    found = []
    for road in network.roads.values():
        if road.junction or road.length < 3.0 * (BACK_M + WIDTH_M) or kind_of_road(network, road) == "motorway":
            continue
        for at_end in _junction_ends(road):
            s = road.length if at_end else 0.0
            middle = road.points(road.stations(np.array([s])), np.array([0.0]))[0]
            if not whole.is_empty and shapely.dwithin(whole, shapely.Point(middle[:2]), NEAR_M):
                continue
            found.append((_across(road, at_end), float(middle[2])))
    return found


def _junction_ends(road: RoadGeometry) -> list[bool]:
    """Return at which ends a road meets a junction: False its start, True its end."""
    link = road.record.link
    if link is None:
        return []
    ends = ((False, link.predecessor), (True, link.successor))
    return [at_end for at_end, other in ends if other is not None and other.element_type == "junction"]


def _across(road: RoadGeometry, at_end: bool) -> shapely.Geometry:
    """Return a strip across a road near its end, from the middle of one pavement to that of the other.

    Where a side has no pavement, the strip reaches one metre over the edge.
    """
    near, far = BACK_M, BACK_M + WIDTH_M
    s = np.array([road.length - far, road.length - near] if at_end else [near, far])
    section = road.section_at(float(s.mean()))
    edges = section.boundaries(s, road.lane_offset(s))
    reach = []
    for sign in (-1, 1):
        ranks = [n for n, lane in enumerate(section.lanes) if lane.id * sign > 0]
        walked = [n for n in ranks if section.lanes[n].type in WALKED_TYPES]
        if walked:
            rank = max(walked) if sign < 0 else min(walked)
            reach.append(0.5 * (edges[rank] + edges[rank + 1]))
        else:
            reach.append(edges[0] - 1.0 if sign < 0 else edges[-1] + 1.0)
    at = road.stations(s)
    right, left = road.points(at, reach[0])[:, :2], road.points(at, reach[1])[:, :2]
    return shapely.convex_hull(shapely.multipoints(np.concatenate([right, left])))

"""Road paint as meshes on the surface: road marks of lanes, crosswalks, stop lines, parking bays, painted objects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from foundation.ids import Tag
from scenarios.opendrive import meshing, records
from scenarios.opendrive.blending import JunctionGround
from scenarios.opendrive.network import RoadNetwork
from scenarios.opendrive.paint import Marking
from scenarios.opendrive.painted_objects import object_markings
from scenarios.opendrive.road import RoadGeometry, Section
from scenarios.opendrive.road_marks import COLORS, PaintedLine, lines_of, marks_of, sway_of

Floats = npt.NDArray[np.float64]

_TAGS = {"grass": Tag.TERRAIN, "curb": Tag.SIDEWALKS}
_RGB_BY_KIND = {"grass": (0.25, 0.42, 0.16), "curb": (0.62, 0.62, 0.60)}
_DOT_CORNERS = 8


def markings(network: RoadNetwork, step_m: float = 10.0, tolerance_m: float = 0.005) -> list[Marking]:
    """Return everything painted in a network; call with the steps given to ``surfaces``, so both share their rows.

    Marks of type "none", and "custom" without a definition, make nothing.
    """
    found: list[Marking] = []
    for road in network.roads.values():
        mine: list[Marking] = []
        for section in road.sections:
            if section.end - section.start > 1e-6:
                mine += _section_markings(road, section, step_m, tolerance_m)
        if mine and road.junction and (ground := network.junction_ground(road.junction)) is not None:
            mine = [_draped(marking, ground) for marking in mine]
        found += mine
    return found + object_markings(network)


def _draped(marking: Marking, ground: JunctionGround) -> Marking:
    """Return a marking laid on a junction's blended ground."""
    points, faces = ground.drape(marking.vertices, marking.triangles)
    return replace(marking, vertices=points, triangles=faces, uv=points[:, :2].copy())


def _section_markings(road: RoadGeometry, section: Section, step_m: float, tolerance_m: float) -> list[Marking]:
    lanes: list[tuple[records.Lane, float]] = [(lane.record, lane.origin) for lane in section.lanes]
    if section.center is not None:
        lanes.append((section.center, section.start))
    jobs = [
        (lane, mark, start, line)
        for lane, origin in lanes
        for mark, start, end in marks_of(section, lane, origin)
        for line in lines_of(mark, road, start, end, left_side=lane.id > 0)
    ]
    if not jobs:
        return []
    s = meshing.rows(road, section, step_m, tolerance_m)
    edges = section.boundaries(s, road.lane_offset(s))
    found = []
    for lane, mark, start, line in jobs:
        edge = edges[section.edge_numbers(lane.id)[1]]
        sway = sway_of(mark, start)
        middle = edge + line.t_offset + (sway(s) if sway is not None else 0.0)
        height = _height(section, lane.id, s)
        vertices, triangles, uv = (_dots if line.dots else _strips)(road, s, middle, height, line)
        if not len(triangles):
            continue
        color = line.color if line.color in COLORS else "standard"
        rgb, tag = _RGB_BY_KIND.get(mark.type_, COLORS[color]), _TAGS.get(mark.type_, Tag.ROAD_LINES)
        place = (road.id, section.index, lane.id, "")
        found.append(Marking(mark.type_, color, rgb, tag, mark.material, *place, vertices, triangles, uv))
    return found


def _height(section: Section, lane_id: int, s: Floats) -> Floats:
    """Return how high a lane's outer edge lies above the road's plane: the lower of both sides."""
    _, edge = section.edge_numbers(lane_id)
    sides = []
    for rank in (edge - 1, edge):
        if 0 <= rank < len(section.lanes):
            lane = section.lanes[rank]
            low, high = lane.heights(s)
            sides.append(high if section.edge_numbers(lane.id)[1] == edge else low)
    return np.min(sides, axis=0) if sides else np.zeros(len(s))


def _strips(
    road: RoadGeometry, s: Floats, middle: Floats, height: Floats, line: PaintedLine
) -> tuple[Floats, meshing.Triangles, Floats]:
    """Return one mesh of all dashes of a line.

    Both rims are computed at the surface's rows and joined by straight lines, like the surface itself, so that the
    paint lies in it and not in the true, curved surface a few millimetres above or below.
    """
    at = road.stations(s)
    t = np.stack([middle - 0.5 * line.width, middle + 0.5 * line.width])
    rims = road.points(at, t, np.stack([height, height]))
    places, faces, count = [], [], 0
    for begin, end in line.dashes:
        first, last = np.searchsorted(s, begin, side="right"), np.searchsorted(s, end, side="left")
        row = np.concatenate([[begin], s[first:last], [end]])
        n = len(row)
        # Like grid_triangles, with both rims of a row side by side.
        a = count + 2 * np.arange(n - 1)
        faces.append(np.concatenate([np.stack([a, a + 2, a + 3], -1), np.stack([a, a + 3, a + 1], -1)]))
        places.append(row)
        count += 2 * n
    if not places:
        return np.zeros((0, 3)), np.zeros((0, 3), np.int32), np.zeros((0, 2))
    every = np.concatenate(places)
    vertices = np.empty((len(every), 2, 3))
    uv = np.empty((len(every), 2, 2))
    uv[:, :, 0] = every[:, None]
    for side in (0, 1):
        uv[:, side, 1] = (side - 0.5) * line.width
        for axis in range(3):
            vertices[:, side, axis] = np.interp(every, s, rims[side, :, axis])
    points = vertices.reshape(-1, 3)
    return points, meshing.without_slivers(points, np.concatenate(faces).astype(np.int32)), uv.reshape(-1, 2)


def _dots(
    road: RoadGeometry, s: Floats, middle: Floats, height: Floats, line: PaintedLine
) -> tuple[Floats, meshing.Triangles, Floats]:
    """Return one mesh of round dots in the middle of every dash."""
    centre = line.dashes.mean(axis=1)
    angle = np.arange(_DOT_CORNERS) * 2.0 * np.pi / _DOT_CORNERS
    radius = 0.5 * line.width
    along = (centre[:, None] + radius * np.cos(angle)).ravel()
    across = (np.interp(centre, s, middle)[:, None] + radius * np.sin(angle)).ravel()
    level = np.repeat(np.interp(centre, s, height), _DOT_CORNERS)
    vertices = road.points(road.stations(along), across, level)
    fan = np.stack([np.zeros(_DOT_CORNERS - 2), np.arange(1, _DOT_CORNERS - 1), np.arange(2, _DOT_CORNERS)], axis=-1)
    base = np.arange(len(centre))[:, None, None] * _DOT_CORNERS
    triangles = (base + fan).reshape(-1, 3).astype(np.int32)
    return vertices, meshing.without_slivers(vertices, triangles), np.stack([along, across], axis=-1)

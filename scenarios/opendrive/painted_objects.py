"""Objects that are paint: crosswalks as zebra stripes, stop lines, parking bays, ``<markings>`` of objects."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops

from foundation.ids import Tag
from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive.meshing import compact, without_slivers
from scenarios.opendrive.network import RoadNetwork
from scenarios.opendrive.objects import PlacedObject, objects, rotation
from scenarios.opendrive.paint import Marking
from scenarios.opendrive.polygons import merge, triangulate
from scenarios.opendrive.road_marks import COLORS, WIDTH_M

Floats = npt.NDArray[np.float64]

STRIPE_M = 0.5
"""Width of a zebra crossing's stripes and of the gaps between them (Vienna Convention: 0.5 m each)."""
STOP_LINE_M = 0.4
_MAX_STRIPES = 2_000


def object_markings(network: RoadNetwork) -> list[Marking]:
    """Return what objects paint on the ground."""
    found: list[Marking] = []
    for thing in objects(network):
        found += _paint(network, thing)
    return found


def _paint(network: RoadNetwork, thing: PlacedObject) -> list[Marking]:
    words = f"{thing.type} {thing.record.subtype} {thing.name}".lower().replace("_", "").replace(" ", "")
    shapes: list[tuple[str, str, shapely.Geometry]] = []
    if thing.type == "crosswalk":
        shapes.append(("crosswalk", "white", _zebra(thing, ladder="ladder" in words)))
    elif "stopline" in words:
        shapes.append(("stop_line", "white", _band(thing, STOP_LINE_M)))
    elif "solidsingle" in words:
        color = "yellow" if "yellow" in words else "white"
        shapes.append(("line", color, _band(thing, WIDTH_M["standard"])))
    elif "crosshatch" in words or "chevronregion" in words:
        shapes.append(("hatching", "white", _hatching(thing)))
    elif "stencilarrow" in words:
        shapes.append(("arrow", "white", _arrow(network, thing, words)))
    elif thing.type == "parkingSpace" and not thing.record.markings:
        rim = shapely.LinearRing(_ground_plan(thing))
        shapes.append(("parking", "white", shapely.buffer(rim, 0.5 * WIDTH_M["standard"], join_style="mitre")))
    shapes += [("line", mark.color, _marking_shape(thing, mark)) for mark in thing.record.markings]
    found = []
    for kind, color, shape in shapes:
        if (made := _marking(network, thing, kind, color, shape)) is not None:
            found.append(made)
    return found


def _marking(
    network: RoadNetwork, thing: PlacedObject, kind: str, color: str, shape: shapely.Geometry
) -> Marking | None:
    """Return flat shapes as a mesh draped over the ground."""
    flat = triangulate(shapely.segmentize(shape, 2.0)) if not shape.is_empty else []
    if not flat:
        return None
    places = np.concatenate(flat)
    corners, faces = merge(
        np.column_stack([places, np.zeros(len(places))]), np.arange(len(places), dtype=np.int32).reshape(-1, 3)
    )
    corners[:, 2] = network.heights_at(corners[:, :2])
    vertices, triangles, _ = compact(corners, without_slivers(corners, faces))
    word = color if color in COLORS else "white"
    return Marking(
        kind, word, COLORS[word], Tag.ROAD_LINES, "standard", thing.road_id, -1, 0, thing.id,
        vertices, triangles, vertices[:, :2].copy(),
    )  # fmt: skip


def _ground_plan(thing: PlacedObject) -> Floats:
    """Return the (N, 2) corners of an object seen from above: its first outline, or its box."""
    for outline in thing.outlines:
        if len(outline.points) >= 3:
            return outline.points[:, :2]
    u, v = 0.5 * max(thing.length, 1e-3), 0.5 * max(thing.width, 1e-3)
    local = np.array([[u, v, 0.0], [-u, v, 0.0], [-u, -v, 0.0], [u, -v, 0.0]])
    return (local @ rotation(thing.pose).T)[:, :2] + np.array([thing.pose.x, thing.pose.y])


def _area(thing: PlacedObject) -> shapely.Geometry:
    corners = _ground_plan(thing)
    return shapely.make_valid(shapely.polygons(corners)) if len(corners) >= 3 else shapely.Polygon()


def _zebra(thing: PlacedObject, *, ladder: bool) -> shapely.Geometry:
    """Return stripes along the road, side by side in the direction people walk: the area's longer side."""
    area = _area(thing)
    if area.is_empty or area.area < 1e-3:
        return shapely.Polygon()
    origin, walk, across, length, depth = _frame(area)
    count = min(int((length + STRIPE_M) / (2.0 * STRIPE_M)), _MAX_STRIPES)
    margin = 0.5 * (length - (2 * count - 1) * STRIPE_M)
    stripes = [
        _quad(origin, walk, across, margin + 2 * k * STRIPE_M, margin + (2 * k + 1) * STRIPE_M, 0.0, depth)
        for k in range(max(count, 1))
    ]
    if ladder:
        width = 2.0 * WIDTH_M["standard"]
        stripes += [_quad(origin, walk, across, 0.0, length, low, low + width) for low in (0.0, depth - width)]
    return shapely.intersection(shapely.union_all(stripes), area)


def _frame(area: shapely.Geometry) -> tuple[Floats, Floats, Floats, float, float]:
    """Return (corner, long unit vector, short unit vector, long side, short side) of an area's smallest rectangle."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(area))
    if len(corners) < 4:
        return np.zeros(2), np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.0, 0.0
    one, other = corners[1] - corners[0], corners[3] - corners[0]
    if np.linalg.norm(one) < np.linalg.norm(other):
        one, other = other, one
    length, depth = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    return corners[0], one / max(length, 1e-9), other / max(depth, 1e-9), length, depth


def _quad(
    origin: Floats, u: Floats, v: Floats, u_low: float, u_high: float, v_low: float, v_high: float
) -> shapely.Geometry:
    corners = [origin + a * u + b * v for a, b in ((u_low, v_low), (u_high, v_low), (u_high, v_high), (u_low, v_high))]
    return shapely.polygons(np.array(corners))


def _band(thing: PlacedObject, width: float) -> shapely.Geometry:
    """Return a painted band: the object's area, or its outline's line (or long side) with a width."""
    area = _area(thing)
    if area.area > 0.02:
        return area
    for outline in thing.outlines:
        if len(outline.points) >= 2:
            return shapely.buffer(shapely.LineString(outline.points[:, :2]), 0.5 * width, cap_style="flat")
    reach = 0.5 * max(thing.length, thing.width)
    if reach <= 0.0:
        return shapely.Polygon()
    turn = thing.pose.heading + (0.0 if thing.length >= thing.width else 0.5 * math.pi)
    arm = reach * np.array([math.cos(turn), math.sin(turn)])
    centre = np.array([thing.pose.x, thing.pose.y])
    return shapely.buffer(shapely.LineString([centre - arm, centre + arm]), 0.5 * width, cap_style="flat")


def _hatching(thing: PlacedObject) -> shapely.Geometry:
    """Return a blocked area: its rim and slanting stripes, 0.5 m wide, 1 m apart."""
    area = _area(thing)
    if area.is_empty or area.area < 1e-3:
        return shapely.Polygon()
    turn = thing.pose.heading + math.pi / 4.0
    u = np.array([math.cos(turn), math.sin(turn)])
    v = np.array([-u[1], u[0]])
    coordinates = shapely.get_coordinates(area) - np.array([thing.pose.x, thing.pose.y])
    low, high = (coordinates @ u).min(), (coordinates @ u).max()
    left, right = (coordinates @ v).min(), (coordinates @ v).max()
    origin = np.array([thing.pose.x, thing.pose.y])
    starts = np.arange(left, right, 1.5)[:_MAX_STRIPES]
    stripes = [_quad(origin, u, v, low, high, start, start + STRIPE_M) for start in starts]
    rim = shapely.buffer(shapely.boundary(area), WIDTH_M["standard"])
    return shapely.intersection(shapely.union_all([*stripes, rim]), area)


def _arrow(network: RoadNetwork, thing: PlacedObject, words: str) -> shapely.Geometry:
    """Return a lane arrow within the object's box, pointing along the object's direction of traffic.

    The names are RoadRunner's: ...R, ...L and ...S say where the head points, several letters mean several heads.
    """
    letters = words.rsplit("type", 1)[-1].lstrip("0123456789")
    long, wide = max(thing.length, thing.width), min(thing.length, thing.width)
    if long <= 0.0 or wide <= 0.0:
        return shapely.Polygon()
    half, stem = 0.5 * long, 0.09 * long
    parts = [shapely.box(-half, -0.5 * stem, 0.1 * long, 0.5 * stem)]
    if "s" in letters or not letters:
        parts.append(shapely.polygons([(half, 0.0), (0.1 * long, 0.16 * long), (0.1 * long, -0.16 * long)]))
    for letter, side in (("l", 1.0), ("r", -1.0)):
        if letter in letters:
            reach = side * 0.5 * wide
            bend = [(0.02 * long, 0.0), (0.14 * long, 0.0), (0.14 * long, 0.45 * reach), (0.02 * long, 0.45 * reach)]
            head = [
                (0.08 * long - 0.2 * long, 0.45 * reach),
                (0.08 * long + 0.2 * long, 0.45 * reach),
                (0.08 * long, reach),
            ]
            parts += [shapely.make_valid(shapely.polygons(bend)), shapely.polygons(head)]
    # Exporters disagree about the orientation of painted objects; the lane below knows where its traffic goes.
    road = network.roads[thing.road_id]
    section = road.section_at(thing.s)
    edges = road.boundaries(np.array([min(max(thing.s, section.start), section.end)]), section)[:, 0]
    rank = min(max(int(np.searchsorted(edges, thing.t)) - 1, 0), len(section.lanes) - 1)
    forward = not section.lanes or road.drives_forward(section.lanes[rank].id, section.index)
    turn = thing.pose.heading - thing.record.hdg + (0.0 if forward else math.pi)
    c, s = math.cos(turn), math.sin(turn)
    shape = shapely.union_all(parts)
    return shapely.transform(shape, lambda p: p @ np.array([[c, s], [-s, c]]) + np.array([thing.pose.x, thing.pose.y]))


def _marking_shape(thing: PlacedObject, mark: furniture.ObjectMarking) -> shapely.Geometry:
    """Return one ``<marking>`` of an object: a line along a side or between outline corners, dashed if it says so."""
    path = _marking_path(thing, mark)
    if path is None or len(path) < 2:
        return shapely.Polygon()
    line = shapely.LineString(path)
    width = mark.width if mark.width is not None else WIDTH_M.get(mark.weight, WIDTH_M["standard"])
    start, end = max(mark.start_offset, 0.0), line.length - max(mark.stop_offset, 0.0)
    if end <= start or width <= 0.0:
        return shapely.Polygon()
    if mark.line_length <= 0.0 or mark.space_length <= 0.0:
        dashes = [(start, end)]
    else:
        period = mark.line_length + mark.space_length
        begins = start + period * np.arange(min(math.ceil((end - start) / period), _MAX_STRIPES))
        dashes = [(float(b), min(float(b) + mark.line_length, end)) for b in begins]
    strips = [
        shapely.buffer(shapely.ops.substring(line, low, high), 0.5 * width, cap_style="flat") for low, high in dashes
    ]
    return shapely.union_all(strips)


def _marking_path(thing: PlacedObject, mark: furniture.ObjectMarking) -> Floats | None:
    if mark.corners:
        for outline in thing.outlines:
            places = {name: point for name, point in zip(outline.ids, outline.points) if name}
            if all(corner.id in places for corner in mark.corners):
                return np.array([places[corner.id][:2] for corner in mark.corners])
        return None
    u, v = 0.5 * thing.length, 0.5 * thing.width
    sides = {
        "front": [(u, -v), (u, v)],
        "rear": [(-u, -v), (-u, v)],
        "left": [(-u, v), (u, v)],
        "right": [(-u, -v), (u, -v)],
    }
    if mark.side not in sides:
        return None
    local = np.array([(a, b, 0.0) for a, b in sides[mark.side]])
    return (local @ rotation(thing.pose).T)[:, :2] + np.array([thing.pose.x, thing.pose.y])

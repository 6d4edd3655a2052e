"""Building blocks of the composer: reference lines, lanes, signals, objects and the finished text.

scenariogeneration writes the elements. What it cannot do is added here in one place (:meth:`Network.text`):
controllers, a header with a fixed date and real bounds, elevation records, and numbers rounded so that the
last bit of a sine does not decide about the bytes of a file. ASAM frame: x east, y north, radians.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scenariogeneration import xodr

GEO_REFERENCE = "+proj=tmerc +lat_0=49.0 +lon_0=8.4 +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs"
"""Where the maps lie. Any place does; CARLA's client reads lat_0 and lon_0 only."""

HEADER_DATE = "2026-01-01T00:00:00"
"""Fixed: the date in a file says when its contents last changed, and the same parameters give the same file."""

COUNTRY = "DE"
KERB_HEIGHT_M = 0.12
LIGHT_TYPE = "1000001"  # three-aspect traffic light; CARLA's first light type
YIELD_TYPE, SPEED_TYPE = "205", "274"
_DECIMALS, _CUBIC_DECIMALS = 8, 18


@dataclass(frozen=True)
class Pose2:
    """A point of a reference line: metres, heading in radians from x to y."""

    x: float
    y: float
    heading: float

    def moved(self, forward_m: float, left_m: float = 0.0, turn: float = 0.0) -> Pose2:
        """Return the pose reached by going ``forward_m`` and ``left_m`` straight, then turning by ``turn``."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        return Pose2(
            self.x + forward_m * cos - left_m * sin, self.y + forward_m * sin + left_m * cos, self.heading + turn
        )


@dataclass(frozen=True)
class Piece:
    """A stretch of constant curvature: a line when ``curvature`` is 0, else an arc (left turns are positive)."""

    length_m: float
    curvature: float = 0.0

    def end(self, start: Pose2) -> Pose2:
        """Return where this piece ends when it starts at ``start``."""
        if self.curvature == 0.0:
            return start.moved(self.length_m)
        turn, radius = self.curvature * self.length_m, 1.0 / self.curvature
        return start.moved(radius * math.sin(turn), radius * (1.0 - math.cos(turn)), turn)


def arc(radius_m: float, turn: float) -> Piece:
    """Return an arc that turns by ``turn`` radians (left positive) at ``radius_m``."""
    return Piece(radius_m * abs(turn), math.copysign(1.0 / radius_m, turn))


def sway(length_m: float, shift_m: float) -> tuple[Piece, Piece]:
    """Return two equal arcs that move the line sideways by ``shift_m`` (left positive) over ``length_m`` of x.

    Both have the radius r with 2 r sin(a) = length and 2 r (1 - cos(a)) = shift, hence tan(a/2) = shift/length.
    """
    angle = 2.0 * math.atan2(shift_m, length_m)
    radius = length_m / (2.0 * math.sin(abs(angle)))
    return arc(radius, angle), arc(radius, -angle)


def end_of(start: Pose2, pieces: Iterable[Piece]) -> Pose2:
    """Return the end of a chain of pieces."""
    for piece in pieces:
        start = piece.end(start)
    return start


def start_of(end: Pose2, pieces: Sequence[Piece]) -> Pose2:
    """Return where a chain of pieces must start to arrive at ``end``: the chain driven backwards."""
    back = Pose2(end.x, end.y, end.heading + math.pi)
    start = end_of(back, [Piece(piece.length_m, -piece.curvature) for piece in reversed(pieces)])
    return Pose2(start.x, start.y, start.heading - math.pi)


@dataclass(frozen=True)
class LaneSpec:
    """One lane of one section.

    Attributes:
        kind: lane type.
        width: (a, b, c, d) of the width polynomial over the whole section.
        mark: road mark at the outer edge.
        mark_width_m: its width.
        lane_change: what the mark allows, in OpenDRIVE's words (increase: towards the left lanes).
        height_m: height of the lane above the road (pavements).
        predecessor, successor: lane ids it continues; None leaves the link out.
    """

    kind: xodr.LaneType
    width: tuple[float, float, float, float]
    mark: xodr.RoadMarkType = xodr.RoadMarkType.none
    mark_width_m: float = 0.12
    lane_change: xodr.LaneChange = xodr.LaneChange.none
    height_m: float = 0.0
    predecessor: int | None = None
    successor: int | None = None


@dataclass(frozen=True)
class SectionSpec:
    """A lane section: its start, its lanes from the inside out, and (offset, kind) of the centre line's marks."""

    s: float = 0.0
    left: Sequence[LaneSpec] = ()
    right: Sequence[LaneSpec] = ()
    center_marks: Sequence[tuple[float, xodr.RoadMarkType]] = ((0.0, xodr.RoadMarkType.none),)


def taper(length_m: float, start_m: float, end_m: float) -> tuple[float, float, float, float]:
    """Return the cubic that leads a width from ``start_m`` to ``end_m`` with level ends."""
    rise = end_m - start_m
    return start_m, 0.0, 3.0 * rise / length_m**2, -2.0 * rise / length_m**3


class Signal(xodr.Signal):
    """A signal that keeps the id it is given.

    The library counts ids in a class attribute for the life of the process, so a second map would get others.
    """

    def _update_id(self) -> None:
        return


class RoadObject(xodr.Object):
    """An object that keeps the id it is given, for the reason :class:`Signal` does."""

    def _update_id(self) -> None:
        return


@dataclass
class Network:
    """A road network under construction; :meth:`text` finishes it."""

    name: str
    doc: xodr.OpenDrive = field(init=False)
    _controllers: list[tuple[int, str, list[int]]] = field(default_factory=list)
    _junction_controllers: dict[int, list[int]] = field(default_factory=dict)
    _priorities: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    _groups: list[tuple[str, int, list[int]]] = field(default_factory=list)
    _ends: list[Pose2] = field(default_factory=list)
    _next_object_id: int = 0

    def __post_init__(self) -> None:
        self.doc = xodr.OpenDrive(self.name, revMinor="7", geo_reference=GEO_REFERENCE)

    def road(
        self,
        road_id: int,
        start: Pose2,
        pieces: Sequence[Piece],
        sections: Sequence[SectionSpec],
        *,
        kind: xodr.RoadType,
        speed_kmh: float,
        name: str = "",
        junction: int = -1,
        elevations: Sequence[tuple[float, float, float, float, float]] = ((0.0, 0.0, 0.0, 0.0, 0.0),),
    ) -> xodr.Road:
        """Add a road made of ``pieces`` from ``start``; returns it so that links and objects can be added.

        ``elevations`` are (s, a, b, c, d) of the height's cubics.
        """
        plan = xodr.PlanView()
        pose = start
        for piece in pieces:
            self._ends.append(pose)
            shape = xodr.Arc(piece.curvature, length=piece.length_m) if piece.curvature else xodr.Line(piece.length_m)
            plan.add_fixed_geometry(shape, pose.x, pose.y, pose.heading % (2.0 * math.pi))
            pose = piece.end(pose)
        self._ends.append(pose)
        lanes = xodr.Lanes()
        for section in sections:
            lanes.add_lanesection(_lane_section(section))
        road = xodr.Road(road_id, plan, lanes, road_type=junction, name=name or f"road {road_id}")
        for elevation in elevations:
            road.add_elevation(*elevation)
        road.add_type(kind, 0.0, country=COUNTRY, speed=int(speed_kmh), speed_unit="km/h")
        self.doc.add_road(road)
        return road

    def object_id(self) -> str:
        """Return the next free object id."""
        self._next_object_id += 1
        return str(self._next_object_id)

    def controller(self, controller_id: int, name: str, signals: list[int], junction: int) -> None:
        """Add a controller of ``signals`` (one phase) that belongs to ``junction``."""
        self._controllers.append((controller_id, name, signals))
        self._junction_controllers.setdefault(junction, []).append(controller_id)

    def priorities(self, junction: int, pairs: Sequence[tuple[int, int]]) -> None:
        """Say that of each pair of a junction's connecting roads the first has priority over the second."""
        self._priorities.setdefault(junction, []).extend(pairs)

    def roundabout(self, group_id: int, name: str, junctions: list[int]) -> None:
        """Say that ``junctions`` make up a roundabout."""
        self._groups.append((name, group_id, junctions))

    def text(self) -> str:
        """Return the finished OpenDRIVE 1.7 document."""
        root = self.doc.get_element()
        header = root.find("header")
        assert header is not None
        header.set("date", HEADER_DATE)
        header.set("vendor", "Digital Reality")
        for side, value in zip(("north", "south", "east", "west"), self._bounds()):
            header.set(side, str(value))
        self._add_regulation(root)
        for item in root.iter("object"):
            # CARLA's client reads an object's outline only as its child, the older of the two ways 1.7 allows.
            for outlines in item.findall("outlines"):
                item.extend(outlines)
                item.remove(outlines)
        for element in root.iter():
            # A cubic's coefficients are multiplied by cubes of a road's length.
            decimals = _CUBIC_DECIMALS if element.tag == "elevation" else _DECIMALS
            for key, text in element.attrib.items():
                element.set(key, _rounded(text, decimals))
        ET.indent(root, "  ")
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"

    def _bounds(self) -> tuple[float, float, float, float]:
        xs, ys = [p.x for p in self._ends], [p.y for p in self._ends]
        return max(ys), min(ys), max(xs), min(xs)

    def _add_regulation(self, root: ET.Element) -> None:
        # The standard wants controllers after the roads and before the junctions.
        place = next((i for i, child in enumerate(root) if child.tag == "junction"), len(root))
        for offset, (controller_id, name, signals) in enumerate(self._controllers):
            element = ET.Element("controller", {"id": str(controller_id), "name": name, "sequence": str(offset)})
            for signal in signals:
                ET.SubElement(element, "control", {"signalId": str(signal), "type": "0"})
            root.insert(place + offset, element)
        for junction in root.findall("junction"):
            for high, low in self._priorities.get(int(junction.get("id", "-1")), ()):
                ET.SubElement(junction, "priority", {"high": str(high), "low": str(low)})
            for sequence, controller_id in enumerate(self._junction_controllers.get(int(junction.get("id", "-1")), ())):
                ET.SubElement(
                    junction, "controller", {"id": str(controller_id), "type": "0", "sequence": str(sequence)}
                )
        for name, group_id, junctions in self._groups:
            group = ET.SubElement(root, "junctionGroup", {"id": str(group_id), "name": name, "type": "roundabout"})
            for member in junctions:
                ET.SubElement(group, "junctionReference", {"junction": str(member)})


def _rounded(value: str, decimals: int) -> str:
    """Return a decimal number rounded to ``decimals`` without trailing zeros; anything else unchanged."""
    if not any(mark in value for mark in ".e"):
        return value
    try:
        number = round(float(value), decimals)
    except ValueError:
        return value
    if number == int(number):
        return str(int(number))
    return f"{number:.{decimals}f}".rstrip("0")


def _mark(kind: xodr.RoadMarkType, width_m: float, change: xodr.LaneChange, s: float = 0.0) -> xodr.RoadMark:
    color = xodr.RoadMarkColor.standard if kind == xodr.RoadMarkType.curb else xodr.RoadMarkColor.white
    width = None if kind == xodr.RoadMarkType.none else width_m
    mark = xodr.RoadMark(kind, width=width, soffset=s, color=color, laneChange=change)
    mark._line.clear()  # the type alone says it; generated line lists repeat it in a second dialect
    return mark


def _lane(spec: LaneSpec) -> xodr.Lane:
    lane = xodr.Lane(spec.kind, *spec.width)
    lane.add_roadmark(_mark(spec.mark, spec.mark_width_m, spec.lane_change))
    if spec.height_m:
        lane.add_height(spec.height_m)
    if spec.predecessor is not None:
        lane.add_link("predecessor", spec.predecessor)
    if spec.successor is not None:
        lane.add_link("successor", spec.successor)
    return lane


def _lane_section(spec: SectionSpec) -> xodr.LaneSection:
    center = xodr.Lane()
    for offset, kind in spec.center_marks:
        center.add_roadmark(_mark(kind, 0.12, xodr.LaneChange.none, offset))
    section = xodr.LaneSection(spec.s, center)
    for lane in spec.left:
        section.add_left_lane(_lane(lane))
    for lane in spec.right:
        section.add_right_lane(_lane(lane))
    return section


def rectangle(length_m: float, width_m: float) -> xodr.Outline:
    """Return a closed outline centred on its object: ``length_m`` along u, ``width_m`` along v."""
    outline = xodr.Outline(closed=True, outer=True, id=0)
    for u, v in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        outline.add_corner(xodr.CornerLocal(u * length_m, v * width_m, 0.0, 0.0))
    return outline


def crosswalk(network: Network, road: xodr.Road, s: float, width_m: float, length_m: float) -> None:
    """Add a zebra across the road at ``s``: ``length_m`` from kerb to kerb, ``width_m`` along the road."""
    zebra = RoadObject(
        s, 0.0, xodr.ObjectType.crosswalk, subtype="zebra", id=network.object_id(), name="crosswalk",
        hdg=math.pi / 2.0, length=length_m, width=width_m, height=0.0,
    )  # fmt: skip
    zebra.add_outline(rectangle(length_m, width_m))
    road.add_object(zebra)


def stop_line(network: Network, road: xodr.Road, s: float, t_from: float, t_to: float, width_m: float = 0.5) -> None:
    """Add a stop line at ``s`` between two lateral positions."""
    length = abs(t_to - t_from)
    line = RoadObject(
        s, 0.5 * (t_from + t_to), xodr.ObjectType.roadMark, subtype="signalLines", id=network.object_id(),
        name="stop line", hdg=math.pi / 2.0, length=length, width=width_m, height=0.0,
    )  # fmt: skip
    line.add_outline(rectangle(length, width_m))
    road.add_object(line)


def barrier(
    network: Network, road: xodr.Road, s: float, length_m: float, t: tuple[float, float], *, height_m: float = 0.8
) -> None:
    """Add a guard rail along the road: ``t`` at its start and at its end, metres."""
    rail = RoadObject(
        s, t[0], xodr.ObjectType.barrier, subtype="guardRail", id=network.object_id(), name="guard rail",
        length=length_m, width=0.3, height=height_m,
    )  # fmt: skip
    rail.repeat(
        length_m, 0.0, sStart=s, tStart=t[0], tEnd=t[1], heightStart=height_m, heightEnd=height_m,
        zOffsetStart=0.0, zOffsetEnd=0.0, widthStart=0.3, widthEnd=0.3, lengthStart=length_m, lengthEnd=length_m,
    )  # fmt: skip
    road.add_object(rail)


def signal(
    road: xodr.Road, signal_id: int, kind: str, s: float, t: float, *, forward: bool, lanes: tuple[int, int],
    value: float | None = None,
) -> None:  # fmt: skip
    """Add a light or sign for the traffic that drives along s (``forward``) or against it.

    Args:
        kind: German sign number, or 1000001 for a traffic light.
        lanes: first and last lane it is valid for.
        value: speed limit in km/h for sign 274.
    """
    light = kind == LIGHT_TYPE
    made = Signal(
        s, t, COUNTRY, kind, subtype="-1", id=str(signal_id), name="traffic light" if light else f"sign {kind}",
        dynamic=xodr.Dynamic.yes if light else xodr.Dynamic.no,
        value=value, unit=None if value is None else "km/h",
        # Lower edge above the road: 2.1 m is the least for lights on posts (RiLSA), 2.0 m for signs beside a path.
        zOffset=2.1 if light else 2.0,
        # CARLA ignores the orientation here: road heading plus hOffset is where the signal's traffic drives to.
        hOffset=0.0 if forward else math.pi,
        orientation=xodr.Orientation.positive if forward else xodr.Orientation.negative,
        height=0.9 if light else 0.6, width=0.3 if light else 0.6, countryRevision="2017",
    )  # fmt: skip
    made.add_validity(*lanes)
    road.add_signal(made)


def connect(junction: xodr.Junction, incoming: int, connecting: int, links: Iterable[tuple[int, int]]) -> None:
    """Add to ``junction`` the connection from a road onto a connecting road that begins there."""
    connection = xodr.Connection(incoming, connecting, xodr.ContactPoint.start)
    for lane_in, lane_out in links:
        connection.add_lanelink(lane_in, lane_out)
    junction.add_connection(connection)

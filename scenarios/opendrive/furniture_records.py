# ruff: noqa: RUF009  the calls are field declarations; they return dataclasses.field
"""Records of roads, of what stands on and beside them, and of junctions. See ``records`` and ``signal_records``."""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.opendrive.fields import Record, attribute, child, children, wrapped
from scenarios.opendrive.records import LIMIT_M, Cubic, Geometry, Lanes, LateralProfile, RoadLink, RoadType
from scenarios.opendrive.signal_records import (
    ORIENTATION,
    Controller,
    Regulation,
    Signal,
    SignalReference,
    Validity,
    VmsGroup,
)
from scenarios.opendrive.special_records import (
    Boundary,
    CrossPath,
    ElevationGrid,
    ObjectSurface,
    Railroad,
    RoadSection,
    RoadSurface,
    Station,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Record):
    """``<repeat>``: the object again and again (distance > 0) or drawn out (distance 0)."""

    s: float = attribute("s", largest=LIMIT_M)
    length: float = attribute("length", at_least=0.0, largest=LIMIT_M)
    distance: float = attribute("distance", at_least=0.0, largest=LIMIT_M)
    t_start: float = attribute("tStart", largest=LIMIT_M)
    t_end: float = attribute("tEnd", largest=LIMIT_M)
    z_offset_start: float = attribute("zOffsetStart", float, 0.0)
    z_offset_end: float = attribute("zOffsetEnd", float, 0.0)
    height_start: float | None = attribute("heightStart", float, None)
    height_end: float | None = attribute("heightEnd", float, None)
    width_start: float | None = attribute("widthStart", float, None)
    width_end: float | None = attribute("widthEnd", float, None)
    length_start: float | None = attribute("lengthStart", float, None)
    length_end: float | None = attribute("lengthEnd", float, None)
    radius_start: float | None = attribute("radiusStart", float, None)
    radius_end: float | None = attribute("radiusEnd", float, None)
    detach_from_reference_line: bool = attribute("detachFromReferenceLine", bool, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CornerRoad(Record):
    """``<cornerRoad>``: a corner in road coordinates."""

    id: str = attribute("id", str, "")
    s: float = attribute("s", largest=LIMIT_M)
    t: float = attribute("t", largest=LIMIT_M)
    dz: float = attribute("dz", float, 0.0, largest=LIMIT_M)
    height: float = attribute("height", float, 0.0, largest=LIMIT_M)


@dataclass(frozen=True, slots=True, kw_only=True)
class CornerLocal(Record):
    """``<cornerLocal>``: a corner in the object's own frame."""

    id: str = attribute("id", str, "")
    u: float = attribute("u", largest=LIMIT_M)
    v: float = attribute("v", largest=LIMIT_M)
    z: float = attribute("z", float, 0.0, largest=LIMIT_M)
    height: float = attribute("height", float, 0.0, largest=LIMIT_M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline(Record):
    """``<outline>``."""

    id: str = attribute("id", str, "")
    fill_type: str = attribute("fillType", str, "")
    outer: bool = attribute("outer", bool, True)
    closed: bool = attribute("closed", bool, True)
    lane_type: str = attribute("laneType", str, "")
    corners_road: tuple[CornerRoad, ...] = children("cornerRoad", CornerRoad)
    corners_local: tuple[CornerLocal, ...] = children("cornerLocal", CornerLocal)


@dataclass(frozen=True, slots=True, kw_only=True)
class VertexRoad(Record):
    """``<vertexRoad>`` of a polyline: road coordinates."""

    id: str = attribute("id", str, "")
    s: float = attribute("s", float, 0.0, largest=LIMIT_M)
    t: float = attribute("t", float, 0.0, largest=LIMIT_M)
    dz: float = attribute("dz", float, 0.0, largest=LIMIT_M)
    radius: float | None = attribute("radius", float, None, at_least=0.0, largest=LIMIT_M)
    intersection_point: bool = attribute("intersectionPoint", bool, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VertexLocal(Record):
    """``<vertexLocal>`` of a polyline: the object's own frame."""

    id: str = attribute("id", str, "")
    u: float = attribute("u", float, 0.0, largest=LIMIT_M)
    v: float = attribute("v", float, 0.0, largest=LIMIT_M)
    z: float = attribute("z", float, 0.0, largest=LIMIT_M)
    radius: float | None = attribute("radius", float, None, at_least=0.0, largest=LIMIT_M)
    intersection_point: bool = attribute("intersectionPoint", bool, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Polyline(Record):
    """``<polyline>`` of a skeleton."""

    id: str = attribute("id", str, "")
    vertices_road: tuple[VertexRoad, ...] = children("vertexRoad", VertexRoad)
    vertices_local: tuple[VertexLocal, ...] = children("vertexLocal", VertexLocal)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMaterial(Record):
    """``<material>`` of an object."""

    surface: str = attribute("surface", str, "")
    friction: float | None = attribute("friction", float, None)
    roughness: float | None = attribute("roughness", float, None)
    road_mark_color: str = attribute("roadMarkColor", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class CornerReference(Record):
    """``<cornerReference>``."""

    id: str = attribute("id", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMarking(Record):
    """``<marking>``: paint along an object's side or between outline corners."""

    side: str = attribute("side", str, "", choices="front rear left right")
    weight: str = attribute("weight", str, "standard")
    width: float | None = attribute("width", float, None, at_least=0.0, largest=100.0)
    color: str = attribute("color", str, "white")
    z_offset: float = attribute("zOffset", float, 0.0)
    space_length: float = attribute("spaceLength", float, 0.0, at_least=0.0)
    line_length: float = attribute("lineLength", float, 0.0, at_least=0.0)
    start_offset: float = attribute("startOffset", float, 0.0)
    stop_offset: float = attribute("stopOffset", float, 0.0)
    corners: tuple[CornerReference, ...] = children("cornerReference", CornerReference)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectBorder(Record):
    """``<border>`` of an object."""

    width: float = attribute("width", at_least=0.0)
    type_: str = attribute("type", str, "concrete")
    outline_id: str = attribute("outlineId", str, "")
    use_complete_outline: bool = attribute("useCompleteOutline", bool, False)
    corners: tuple[CornerReference, ...] = children("cornerReference", CornerReference)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingMarking(Record):
    """``<marking>`` of a parking space (1.4): the road mark on one of its sides."""

    side: str = attribute("side", str, "", choices="front rear left right")
    type_: str = attribute("type", str, "")
    width: float | None = attribute("width", float, None, at_least=0.0, largest=100.0)
    color: str = attribute("color", str, "standard")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingSpace(Record):
    """``<parkingSpace>``."""

    access: str = attribute("access", str, "all")
    restrictions: str = attribute("restrictions", str, "")
    markings: tuple[ParkingMarking, ...] = children("marking", ParkingMarking)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadObject(Record):
    """``<object>``."""

    id: str = attribute("id", str)
    type_: str = attribute("type", str, "none")
    subtype: str = attribute("subtype", str, "")
    name: str = attribute("name", str, "")
    s: float = attribute("s", largest=LIMIT_M)
    t: float = attribute("t", largest=LIMIT_M)
    z_offset: float = attribute("zOffset", float, 0.0, largest=LIMIT_M)
    hdg: float = attribute("hdg", float, 0.0)
    pitch: float = attribute("pitch", float, 0.0)
    roll: float = attribute("roll", float, 0.0)
    orientation: str = attribute("orientation", str, "none", choices=ORIENTATION)
    length: float = attribute("length", float, 0.0, at_least=0.0, largest=LIMIT_M)
    width: float = attribute("width", float, 0.0, at_least=0.0, largest=LIMIT_M)
    height: float = attribute("height", float, 0.0, largest=LIMIT_M)
    radius: float = attribute("radius", float, 0.0, at_least=0.0, largest=LIMIT_M)
    valid_length: float = attribute("validLength", float, 0.0)
    dynamic: str = attribute("dynamic", str, "no")
    perp_to_road: bool = attribute("perpToRoad", bool, False)
    repeats: tuple[Repeat, ...] = children("repeat", Repeat)
    outline: Outline | None = child("outline", Outline)
    outlines: tuple[Outline, ...] = wrapped("outlines", "outline", Outline)
    skeleton: tuple[Polyline, ...] = wrapped("skeleton", "polyline", Polyline)
    materials: tuple[ObjectMaterial, ...] = children("material", ObjectMaterial)
    validities: tuple[Validity, ...] = children("validity", Validity)
    parking_space: ParkingSpace | None = child("parkingSpace", ParkingSpace)
    markings: tuple[ObjectMarking, ...] = wrapped("markings", "marking", ObjectMarking)
    borders: tuple[ObjectBorder, ...] = wrapped("borders", "border", ObjectBorder)
    surface: ObjectSurface | None = child("surface", ObjectSurface)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectReference(Record):
    """``<objectReference>``."""

    id: str = attribute("id", str)
    s: float = attribute("s", largest=LIMIT_M)
    t: float = attribute("t", largest=LIMIT_M)
    z_offset: float = attribute("zOffset", float, 0.0)
    valid_length: float = attribute("validLength", float, 0.0)
    orientation: str = attribute("orientation", str, "none", choices=ORIENTATION)
    validities: tuple[Validity, ...] = children("validity", Validity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel(Record):
    """``<tunnel>`` or ``<bridge>``: a stretch of the road."""

    id: str = attribute("id", str)
    name: str = attribute("name", str, "")
    type_: str = attribute("type", str, "standard")
    s: float = attribute("s", largest=LIMIT_M)
    length: float = attribute("length", at_least=0.0, largest=LIMIT_M)
    lighting: float = attribute("lighting", float, 0.0)
    daylight: float = attribute("daylight", float, 0.0)
    validities: tuple[Validity, ...] = children("validity", Validity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Road(Record):
    """``<road>``."""

    name: str = attribute("name", str, "")
    length: float = attribute("length", at_least=0.0, largest=LIMIT_M)
    id: str = attribute("id", str)
    junction: str = attribute("junction", str, "-1")
    rule: str = attribute("rule", str, "RHT", choices="RHT LHT", strict=True)
    link: RoadLink | None = child("link", RoadLink)
    types: tuple[RoadType, ...] = children("type", RoadType)
    geometries: tuple[Geometry, ...] = wrapped("planView", "geometry", Geometry, required=True)
    elevations: tuple[Cubic, ...] = wrapped("elevationProfile", "elevation", Cubic)
    lateral: LateralProfile | None = child("lateralProfile", LateralProfile)
    lanes: Lanes | None = child("lanes", Lanes, required=True)
    objects: tuple[RoadObject, ...] = wrapped("objects", "object", RoadObject)
    object_references: tuple[ObjectReference, ...] = wrapped("objects", "objectReference", ObjectReference)
    tunnels: tuple[Tunnel, ...] = wrapped("objects", "tunnel", Tunnel)
    bridges: tuple[Tunnel, ...] = wrapped("objects", "bridge", Tunnel)
    signals: tuple[Signal, ...] = wrapped("signals", "signal", Signal)
    signal_references: tuple[SignalReference, ...] = wrapped("signals", "signalReference", SignalReference)
    surface: RoadSurface | None = child("surface", RoadSurface)
    railroad: Railroad | None = child("railroad", Railroad)


@dataclass(frozen=True, slots=True, kw_only=True)
class JunctionLaneLink(Record):
    """``<laneLink>`` of a connection."""

    from_: int = attribute("from", int)
    to: int = attribute("to", int)
    overlap_zone: float = attribute("overlapZone", float, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualEnd(Record):
    """``<predecessor>`` or ``<successor>`` of a connection of a virtual junction."""

    element_type: str = attribute("elementType", str, "road")
    element_id: str = attribute("elementId", str)
    element_s: float = attribute("elementS", float, 0.0)
    element_dir: str = attribute("elementDir", str, "+", choices="+ -")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(Record):
    """``<connection>``: from an incoming road onto a connecting (or, in direct junctions, linked) road."""

    id: str = attribute("id", str)
    type_: str = attribute("type", str, "default")
    incoming_road: str = attribute("incomingRoad", str, "")
    connecting_road: str = attribute("connectingRoad", str, "")
    linked_road: str = attribute("linkedRoad", str, "")
    contact_point: str = attribute("contactPoint", str, "", choices="start end", strict=True)
    connection_master: str = attribute("connectionMaster", str, "")
    lane_links: tuple[JunctionLaneLink, ...] = children("laneLink", JunctionLaneLink)
    predecessor: VirtualEnd | None = child("predecessor", VirtualEnd)
    successor: VirtualEnd | None = child("successor", VirtualEnd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority(Record):
    """``<priority>`` between two incoming roads."""

    high: str = attribute("high", str, "")
    low: str = attribute("low", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class JunctionController(Record):
    """``<controller>`` of a junction."""

    id: str = attribute("id", str)
    type_: str = attribute("type", str, "")
    sequence: int = attribute("sequence", int, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Junction(Record):
    """``<junction>``."""

    id: str = attribute("id", str)
    name: str = attribute("name", str, "")
    type_: str = attribute("type", str, "default", choices="default virtual direct crossing")
    main_road: str = attribute("mainRoad", str, "")
    s_start: float | None = attribute("sStart", float, None)
    s_end: float | None = attribute("sEnd", float, None)
    orientation: str = attribute("orientation", str, "", choices=ORIENTATION)
    connections: tuple[Connection, ...] = children("connection", Connection)
    priorities: tuple[Priority, ...] = children("priority", Priority)
    controllers: tuple[JunctionController, ...] = children("controller", JunctionController)
    surface: RoadSurface | None = child("surface", RoadSurface)
    cross_paths: tuple[CrossPath, ...] = children("crossPath", CrossPath)
    road_sections: tuple[RoadSection, ...] = children("roadSection", RoadSection)
    geometries: tuple[Geometry, ...] = wrapped("planView", "geometry", Geometry)
    objects: tuple[RoadObject, ...] = wrapped("objects", "object", RoadObject)
    object_references: tuple[ObjectReference, ...] = wrapped("objects", "objectReference", ObjectReference)
    boundary: Boundary | None = child("boundary", Boundary)
    elevation_grid: ElevationGrid | None = child("elevationGrid", ElevationGrid)


@dataclass(frozen=True, slots=True, kw_only=True)
class JunctionReference(Record):
    """``<junctionReference>``."""

    junction: str = attribute("junction", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class JunctionGroup(Record):
    """``<junctionGroup>``, for instance a roundabout."""

    id: str = attribute("id", str)
    name: str = attribute("name", str, "")
    type_: str = attribute("type", str, "")
    references: tuple[JunctionReference, ...] = children("junctionReference", JunctionReference)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderOffset(Record):
    """``<offset>`` of the header: the inertial system's place in the projected one."""

    x: float = attribute("x")
    y: float = attribute("y")
    z: float = attribute("z")
    hdg: float = attribute("hdg")


@dataclass(frozen=True, slots=True, kw_only=True)
class License(Record):
    """``<license>`` of the header (1.7.1 and later)."""

    name: str = attribute("name", str, "")
    resource: str = attribute("resource", str, "")
    spdxid: str = attribute("spdxid", str, "")
    text: str = attribute("text", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header(Record):
    """``<header>``."""

    rev_major: int = attribute("revMajor", int)
    rev_minor: int = attribute("revMinor", int)
    name: str = attribute("name", str, "")
    version: str = attribute("version", str, "")
    date: str = attribute("date", str, "")
    north: float = attribute("north", float, 0.0, largest=1e308)
    south: float = attribute("south", float, 0.0, largest=1e308)
    east: float = attribute("east", float, 0.0, largest=1e308)
    west: float = attribute("west", float, 0.0, largest=1e308)
    vendor: str = attribute("vendor", str, "")
    offset: HeaderOffset | None = child("offset", HeaderOffset)
    license: License | None = child("license", License)
    road_regulations: tuple[Regulation, ...] = wrapped("defaultRegulations", "roadRegulations", Regulation)
    signal_regulations: tuple[Regulation, ...] = wrapped("defaultRegulations", "signalRegulations", Regulation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Record):
    """``<OpenDRIVE>``, the whole file. ``geo_reference`` is the header's text, "" if there is none."""

    header: Header | None = child("header", Header)
    roads: tuple[Road, ...] = children("road", Road)
    controllers: tuple[Controller, ...] = children("controller", Controller)
    junctions: tuple[Junction, ...] = children("junction", Junction)
    junction_groups: tuple[JunctionGroup, ...] = children("junctionGroup", JunctionGroup)
    stations: tuple[Station, ...] = children("station", Station)
    vms_groups: tuple[VmsGroup, ...] = children("vmsGroup", VmsGroup)
    geo_reference: str = ""

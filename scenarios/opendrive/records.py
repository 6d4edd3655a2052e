# ruff: noqa: RUF009  the calls are field declarations; they return dataclasses.field
"""Records that mirror OpenDRIVE's XML elements (1.4 to 1.8): what the file says, and in which line.

Nothing is interpreted here. Angles are radians and lengths metres, as in the file. Names are the standard's,
in snake case; where a Python word is in the way, an underscore follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.opendrive.fields import Record, attribute, child, children, wrapped
from scenarios.opendrive.special_records import CrossSectionSurface

_CONTACT = "start end"
_SIDE_SIGN = "+ - none both"
LIMIT_M = 1e7
"""Largest coordinate or length in metres that a file may contain: a quarter of the Earth's circumference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cubic(Record):
    """A polynomial a + b ds + c ds^2 + d ds^3 that holds from ``s`` on (elevation, superelevation, laneOffset)."""

    s: float = attribute("s", at_least=0.0, largest=LIMIT_M)
    a: float = attribute("a")
    b: float = attribute("b")
    c: float = attribute("c")
    d: float = attribute("d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossfall(Cubic):
    """``<crossfall>`` of OpenDRIVE 1.4: the cross slope of one side in radians, positive falling outwards."""

    side: str = attribute("side", str, "both", choices="left right both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape(Cubic):
    """``<shape>``: height over t within one cross-section; ``t`` is where the polynomial starts."""

    t: float = attribute("t", largest=LIMIT_M)


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetCubic(Record):
    """A polynomial that holds from ``s_offset`` after the lane section's start on (width, border)."""

    s_offset: float = attribute("sOffset", at_least=0.0, largest=LIMIT_M)
    a: float = attribute("a")
    b: float = attribute("b")
    c: float = attribute("c")
    d: float = attribute("d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Record):
    """``<line>``: straight on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spiral(Record):
    """``<spiral>``: curvature changes linearly (clothoid)."""

    curv_start: float = attribute("curvStart")
    curv_end: float = attribute("curvEnd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc(Record):
    """``<arc>``: constant curvature, positive to the left."""

    curvature: float = attribute("curvature")


@dataclass(frozen=True, slots=True, kw_only=True)
class Poly3(Record):
    """``<poly3>``: v(u) in the local frame of the geometry."""

    a: float = attribute("a")
    b: float = attribute("b")
    c: float = attribute("c")
    d: float = attribute("d")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamPoly3(Record):
    """``<paramPoly3>``: u(p), v(p); p is the arc length or runs from 0 to 1."""

    a_u: float = attribute("aU")
    b_u: float = attribute("bU")
    c_u: float = attribute("cU")
    d_u: float = attribute("dU")
    a_v: float = attribute("aV")
    b_v: float = attribute("bV")
    c_v: float = attribute("cV")
    d_v: float = attribute("dV")
    p_range: str = attribute("pRange", str, "normalized", choices="arcLength normalized", strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry(Record):
    """``<geometry>`` of the plan view; exactly one shape is given."""

    s: float = attribute("s", at_least=0.0, largest=LIMIT_M)
    x: float = attribute("x", largest=LIMIT_M)
    y: float = attribute("y", largest=LIMIT_M)
    hdg: float = attribute("hdg", largest=1e6)
    length: float = attribute("length", at_least=0.0, largest=LIMIT_M)
    line_shape: Line | None = child("line", Line)
    spiral: Spiral | None = child("spiral", Spiral)
    arc: Arc | None = child("arc", Arc)
    poly3: Poly3 | None = child("poly3", Poly3)
    param_poly3: ParamPoly3 | None = child("paramPoly3", ParamPoly3)

    @property
    def shapes(self) -> tuple[Record, ...]:
        """The shapes given; a sound file has exactly one."""
        every = (self.line_shape, self.spiral, self.arc, self.poly3, self.param_poly3)
        return tuple(shape for shape in every if shape is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadEnd(Record):
    """``<predecessor>`` or ``<successor>`` of a road."""

    element_type: str = attribute("elementType", str, choices="road junction", strict=True)
    element_id: str = attribute("elementId", str)
    contact_point: str = attribute("contactPoint", str, "", choices=_CONTACT, strict=True)
    element_s: float | None = attribute("elementS", float, None)
    element_dir: str = attribute("elementDir", str, "", choices="+ -")


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbor(Record):
    """``<neighbor>`` of OpenDRIVE 1.4."""

    side: str = attribute("side", str, choices="left right")
    element_id: str = attribute("elementId", str)
    direction: str = attribute("direction", str, choices="same opposite")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadLink(Record):
    """``<link>`` of a road."""

    predecessor: RoadEnd | None = child("predecessor", RoadEnd)
    successor: RoadEnd | None = child("successor", RoadEnd)
    neighbors: tuple[Neighbor, ...] = children("neighbor", Neighbor)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSpeed(Record):
    """``<speed>`` of a road type; ``max_`` is a number, "no limit" or "undefined"."""

    max_: str = attribute("max", str)
    unit: str = attribute("unit", str, "m/s", choices="m/s km/h mph")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadType(Record):
    """``<type>`` of a road from ``s`` on."""

    s: float = attribute("s", at_least=0.0, largest=LIMIT_M)
    type_: str = attribute("type", str)
    country: str = attribute("country", str, "")
    speed: TypeSpeed | None = child("speed", TypeSpeed)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLinkEnd(Record):
    """``<predecessor>`` or ``<successor>`` of a lane."""

    id: int = attribute("id", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLink(Record):
    """``<link>`` of a lane; 1.6 and later allow several successors and predecessors."""

    predecessors: tuple[LaneLinkEnd, ...] = children("predecessor", LaneLinkEnd)
    successors: tuple[LaneLinkEnd, ...] = children("successor", LaneLinkEnd)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLine(Record):
    """``<line>`` of a roadMark's ``<type>`` (repeated) or ``<explicit>`` (once)."""

    # Required by the standard; without it (which the reader notes) there are no dashes.
    length: float = attribute("length", float, 0.0, at_least=0.0, largest=LIMIT_M)
    space: float = attribute("space", float, 0.0, at_least=0.0, largest=LIMIT_M)
    t_offset: float = attribute("tOffset", float, 0.0, largest=LIMIT_M)
    s_offset: float = attribute("sOffset", float, 0.0, largest=LIMIT_M)
    rule: str = attribute("rule", str, "none")
    width: float = attribute("width", float, 0.0, at_least=0.0, largest=100.0)
    color: str = attribute("color", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkType(Record):
    """``<type>`` of a roadMark: its lines, exactly."""

    name: str = attribute("name", str, "")
    width: float = attribute("width", float, 0.0, at_least=0.0, largest=100.0)
    lines: tuple[MarkLine, ...] = children("line", MarkLine)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkExplicit(Record):
    """``<explicit>`` of a roadMark: lines that do not repeat."""

    lines: tuple[MarkLine, ...] = children("line", MarkLine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sway(Record):
    """``<sway>`` of a roadMark: the mark wanders sideways by a polynomial of s."""

    ds: float = attribute("ds", at_least=0.0, largest=LIMIT_M)
    a: float = attribute("a")
    b: float = attribute("b")
    c: float = attribute("c")
    d: float = attribute("d")


ROAD_MARK_TYPES = (
    "none", "solid", "broken", "solid solid", "solid broken", "broken solid", "broken broken", "botts dots",
    "grass", "curb", "custom", "edge",
)  # fmt: skip
"""The road mark types of the standard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadMark(Record):
    """``<roadMark>`` on the outer edge of a lane (on the centre lane: in the middle)."""

    s_offset: float = attribute("sOffset", at_least=0.0, largest=LIMIT_M)
    type_: str = attribute("type", str)
    weight: str = attribute("weight", str, "standard", choices="standard bold")
    color: str = attribute("color", str, "standard")
    material: str = attribute("material", str, "standard")
    width: float | None = attribute("width", float, None, largest=100.0)
    lane_change: str = attribute("laneChange", str, "both", choices="increase decrease both none")
    height: float = attribute("height", float, 0.0, largest=100.0)
    sways: tuple[Sway, ...] = children("sway", Sway)
    types: tuple[MarkType, ...] = children("type", MarkType)
    explicit: MarkExplicit | None = child("explicit", MarkExplicit)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneMaterial(Record):
    """``<material>`` of a lane."""

    s_offset: float = attribute("sOffset", at_least=0.0, largest=LIMIT_M)
    surface: str = attribute("surface", str, "")
    friction: float | None = attribute("friction", float, None)
    roughness: float | None = attribute("roughness", float, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSpeed(Record):
    """``<speed>`` of a lane."""

    s_offset: float = attribute("sOffset", at_least=0.0, largest=LIMIT_M)
    max_: float = attribute("max", at_least=0.0)
    unit: str = attribute("unit", str, "m/s", choices="m/s km/h mph")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRestriction(Record):
    """``<restriction>`` of an access rule (1.7 and later)."""

    type_: str = attribute("type", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneAccess(Record):
    """``<access>`` of a lane."""

    s_offset: float = attribute("sOffset", at_least=0.0, largest=LIMIT_M)
    rule: str = attribute("rule", str, "", choices="allow deny")
    restriction: str = attribute("restriction", str, "")
    restrictions: tuple[AccessRestriction, ...] = children("restriction", AccessRestriction)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneHeight(Record):
    """``<height>`` of a lane above the road's surface, at its inner and outer edge."""

    s_offset: float = attribute("sOffset", at_least=0.0, largest=LIMIT_M)
    inner: float = attribute("inner", largest=100.0)
    outer: float = attribute("outer", largest=100.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRule(Record):
    """``<rule>`` of a lane."""

    s_offset: float = attribute("sOffset", at_least=0.0, largest=LIMIT_M)
    value: str = attribute("value", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneVisibility(Record):
    """``<visibility>`` of OpenDRIVE 1.4."""

    s_offset: float = attribute("sOffset", at_least=0.0, largest=LIMIT_M)
    forward: float = attribute("forward", float, 0.0)
    back: float = attribute("back", float, 0.0)
    left: float = attribute("left", float, 0.0)
    right: float = attribute("right", float, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane(Record):
    """``<lane>``: positive ids lie left of the reference line, negative ones right, 0 is the centre."""

    id: int = attribute("id", int, largest=10_000)
    type_: str = attribute("type", str)
    level: bool = attribute("level", bool, False)
    direction: str = attribute("direction", str, "standard", choices="standard reversed both")
    advisory: str = attribute("advisory", str, "none")
    dynamic_lane_direction: bool = attribute("dynamicLaneDirection", bool, False)
    dynamic_lane_type: bool = attribute("dynamicLaneType", bool, False)
    road_works: bool = attribute("roadWorks", bool, False)
    link: LaneLink | None = child("link", LaneLink)
    widths: tuple[OffsetCubic, ...] = children("width", OffsetCubic)
    borders: tuple[OffsetCubic, ...] = children("border", OffsetCubic)
    road_marks: tuple[RoadMark, ...] = children("roadMark", RoadMark)
    materials: tuple[LaneMaterial, ...] = children("material", LaneMaterial)
    speeds: tuple[LaneSpeed, ...] = children("speed", LaneSpeed)
    accesses: tuple[LaneAccess, ...] = children("access", LaneAccess)
    heights: tuple[LaneHeight, ...] = children("height", LaneHeight)
    rules: tuple[LaneRule, ...] = children("rule", LaneRule)
    visibilities: tuple[LaneVisibility, ...] = children("visibility", LaneVisibility)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSection(Record):
    """``<laneSection>`` from ``s`` to the next one."""

    s: float = attribute("s", at_least=0.0, largest=LIMIT_M)
    single_sided: bool = attribute("singleSide", bool, False)
    left: tuple[Lane, ...] = wrapped("left", "lane", Lane)
    center: tuple[Lane, ...] = wrapped("center", "lane", Lane)
    right: tuple[Lane, ...] = wrapped("right", "lane", Lane)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes(Record):
    """``<lanes>``."""

    offsets: tuple[Cubic, ...] = children("laneOffset", Cubic)
    sections: tuple[LaneSection, ...] = children("laneSection", LaneSection)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateralProfile(Record):
    """``<lateralProfile>``."""

    superelevations: tuple[Cubic, ...] = children("superelevation", Cubic)
    crossfalls: tuple[Crossfall, ...] = children("crossfall", Crossfall)
    shapes: tuple[Shape, ...] = children("shape", Shape)
    cross_section_surface: CrossSectionSurface | None = child("crossSectionSurface", CrossSectionSurface)

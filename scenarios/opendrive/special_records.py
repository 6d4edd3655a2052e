# ruff: noqa: RUF009  the calls are field declarations; they return dataclasses.field
"""Records of what goes beyond plain roads: OpenCRG surfaces, cross-section surfaces, junctions' cross paths, sections,
boundaries and elevation grids (1.8), railways and stations.

They are read and checked, and have no effect on shapes or traffic; :func:`unapplied` says so where that matters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.opendrive.errors import Diagnostic
from scenarios.opendrive.fields import Record, attribute, child, children, wrapped

if TYPE_CHECKING:
    from scenarios.opendrive.furniture_records import Document

_LIMIT_M = 1e7


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadCrg(Record):
    """``<CRG>`` in the ``<surface>`` of a road or junction: measured heights or friction from an OpenCRG file."""

    file: str = attribute("file", str)
    s_start: float = attribute("sStart", float, 0.0, at_least=0.0, largest=_LIMIT_M)
    s_end: float | None = attribute("sEnd", float, None, at_least=0.0, largest=_LIMIT_M)
    orientation: str = attribute("orientation", str, "same", choices="same opposite")
    mode: str = attribute("mode", str, choices="attached attached0 genuine global")
    purpose: str = attribute("purpose", str, "elevation", choices="elevation friction")
    s_offset: float = attribute("sOffset", float, 0.0, largest=_LIMIT_M)
    t_offset: float = attribute("tOffset", float, 0.0, largest=_LIMIT_M)
    z_offset: float = attribute("zOffset", float, 0.0, largest=_LIMIT_M)
    z_scale: float = attribute("zScale", float, 1.0)
    h_offset: float = attribute("hOffset", float, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadSurface(Record):
    """``<surface>`` of a road or junction."""

    crgs: tuple[RoadCrg, ...] = children("CRG", RoadCrg)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCrg(Record):
    """``<CRG>`` in the ``<surface>`` of an object."""

    file: str = attribute("file", str)
    hide_road_surface: bool = attribute("hideRoadSurfaceCRG", bool, True)
    z_scale: float = attribute("zScale", float, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSurface(Record):
    """``<surface>`` of an object."""

    crgs: tuple[ObjectCrg, ...] = children("CRG", ObjectCrg)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripCoefficients(Record):
    """``<coefficients>``: a + b ds + c ds^2 + d ds^3 from ``s`` of the road on."""

    s: float = attribute("s", float, 0.0, at_least=0.0, largest=_LIMIT_M)
    a: float = attribute("a", float, 0.0)
    b: float = attribute("b", float, 0.0)
    c: float = attribute("c", float, 0.0)
    d: float = attribute("d", float, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfaceStrip(Record):
    """``<strip>`` of a cross-section surface: height over t is constant + linear t + quadratic t^2 + cubic t^3."""

    id: int | None = attribute("id", int, None)
    mode: str = attribute("mode", str, "independent", choices="independent relative")
    width: tuple[StripCoefficients, ...] = wrapped("width", "coefficients", StripCoefficients)
    constant: tuple[StripCoefficients, ...] = wrapped("constant", "coefficients", StripCoefficients)
    linear: tuple[StripCoefficients, ...] = wrapped("linear", "coefficients", StripCoefficients)
    quadratic: tuple[StripCoefficients, ...] = wrapped("quadratic", "coefficients", StripCoefficients)
    cubic: tuple[StripCoefficients, ...] = wrapped("cubic", "coefficients", StripCoefficients)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossSectionSurface(Record):
    """``<crossSectionSurface>`` of OpenDRIVE 1.8: the road's lateral shape in up to four strips."""

    t_offset: tuple[StripCoefficients, ...] = wrapped("tOffset", "coefficients", StripCoefficients)
    strips: tuple[SurfaceStrip, ...] = wrapped("surfaceStrips", "strip", SurfaceStrip)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossPathLink(Record):
    """``<startLaneLink>`` or ``<endLaneLink>``: from a lane of the road at that end to one of the crossing road."""

    s: float = attribute("s", float, 0.0, at_least=0.0, largest=_LIMIT_M)
    from_: int | None = attribute("from", int, None)
    to: int | None = attribute("to", int, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossPath(Record):
    """``<crossPath>`` (1.8): where pedestrians or cyclists cross a junction's roads."""

    id: str = attribute("id", str, "")
    crossing_road: str = attribute("crossingRoad", str, "")
    road_at_start: str = attribute("roadAtStart", str, "")
    road_at_end: str = attribute("roadAtEnd", str, "")
    start: CrossPathLink | None = child("startLaneLink", CrossPathLink)
    end: CrossPathLink | None = child("endLaneLink", CrossPathLink)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadSection(Record):
    """``<roadSection>`` (1.8) of a crossing junction: the stretch of one of the roads that cross there."""

    id: str = attribute("id", str, "")
    road_id: str = attribute("roadId", str, "")
    s_start: float | None = attribute("sStart", float, None, at_least=0.0, largest=_LIMIT_M)
    s_end: float | None = attribute("sEnd", float, None, at_least=0.0, largest=_LIMIT_M)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundarySegment(Record):
    """``<segment>`` of a junction's boundary: along a lane's outer edge, or (joint) across a road's end.

    ``s_start``, ``s_end`` and ``contact_point`` are a number or one of begin, end, start.
    """

    type_: str = attribute("type", str, "", choices="lane joint")
    road_id: str = attribute("roadId", str, "")
    boundary_lane: int | None = attribute("boundaryLane", int, None)
    s_start: str = attribute("sStart", str, "")
    s_end: str = attribute("sEnd", str, "")
    contact_point: str = attribute("contactPoint", str, "")
    joint_lane_start: int | None = attribute("jointLaneStart", int, None)
    joint_lane_end: int | None = attribute("jointLaneEnd", int, None)
    transition_length: float | None = attribute("transitionLength", float, None, at_least=0.0, largest=_LIMIT_M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary(Record):
    """``<boundary>`` (1.8) of a junction: its edge, counter-clockwise."""

    segments: tuple[BoundarySegment, ...] = children("segment", BoundarySegment)


@dataclass(frozen=True, slots=True, kw_only=True)
class GridElevation(Record):
    """``<elevation>`` of a grid: heights at one place of the junction's reference line and to its sides."""

    center: str = attribute("center", str, "")
    left: str = attribute("left", str, "")
    right: str = attribute("right", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationGrid(Record):
    """``<elevationGrid>`` (1.8) of a junction: heights on a square grid along its reference line (``planView``)."""

    grid_spacing: str = attribute("gridSpacing", str, "")
    s_start: str = attribute("sStart", str, "")
    elevations: tuple[GridElevation, ...] = children("elevation", GridElevation)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchTrack(Record):
    """``<mainTrack>`` or ``<sideTrack>``: the road (track) that a switch lies on, where, and which way."""

    id: str = attribute("id", str)
    s: float = attribute("s", at_least=0.0, largest=_LIMIT_M)
    dir: str = attribute("dir", str, choices="+ -")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPartner(Record):
    """``<partner>``: the switch at the other end of a side track."""

    id: str = attribute("id", str)
    name: str = attribute("name", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RailroadSwitch(Record):
    """``<switch>`` of a railroad."""

    id: str = attribute("id", str)
    name: str = attribute("name", str, "")
    position: str = attribute("position", str, choices="dynamic straight turn")
    main_track: SwitchTrack | None = child("mainTrack", SwitchTrack, required=True)
    side_track: SwitchTrack | None = child("sideTrack", SwitchTrack, required=True)
    partner: SwitchPartner | None = child("partner", SwitchPartner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Railroad(Record):
    """``<railroad>`` of a road."""

    switches: tuple[RailroadSwitch, ...] = children("switch", RailroadSwitch)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformSegment(Record):
    """``<segment>`` of a platform: the stretch of a track that it lies along."""

    road_id: str = attribute("roadId", str)
    s_start: float = attribute("sStart", at_least=0.0, largest=_LIMIT_M)
    s_end: float = attribute("sEnd", at_least=0.0, largest=_LIMIT_M)
    side: str = attribute("side", str, choices="left right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform(Record):
    """``<platform>`` of a station."""

    id: str = attribute("id", str)
    name: str = attribute("name", str, "")
    segments: tuple[PlatformSegment, ...] = children("segment", PlatformSegment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Station(Record):
    """``<station>``: tram and railway stations, bus stations."""

    id: str = attribute("id", str)
    name: str = attribute("name", str, "")
    type_: str = attribute("type", str, "", choices="small medium large")
    platforms: tuple[Platform, ...] = children("platform", Platform)


def unapplied(document: Document) -> Iterator[Diagnostic]:
    """Yield a diagnostic for every surface that the file describes and the network's shape leaves out."""
    for road in document.roads:
        surfaces: list[RoadSurface | ObjectSurface | None] = [road.surface, *(o.surface for o in road.objects)]
        yield from _crg_notes(surfaces)
        if road.lateral is not None and road.lateral.cross_section_surface is not None:
            line = road.lateral.cross_section_surface.line
            yield Diagnostic(line, "crossSectionSurface", f"road '{road.id}': kept, but heights do not follow it")
    yield from _crg_notes([junction.surface for junction in document.junctions])
    for junction in document.junctions:
        if junction.elevation_grid is not None:
            line = junction.elevation_grid.line
            yield Diagnostic(line, "elevationGrid", f"junction '{junction.id}': kept, but heights do not follow it")


def _crg_notes(surfaces: list[RoadSurface | ObjectSurface | None]) -> Iterator[Diagnostic]:
    for surface in surfaces:
        for crg in surface.crgs if surface is not None else ():
            yield Diagnostic(crg.line, "CRG", f"'{crg.file}' is noted, not applied: the surface stays smooth")

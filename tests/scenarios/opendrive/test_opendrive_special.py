"""OpenCRG, cross-section surfaces, railways and stations as records; places on Earth; units; round trips."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import opendrive_samples as samples
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios import opendrive
from scenarios.opendrive.additional import DataQuality, Include, UserData, additional
from scenarios.opendrive.check.validator import check_text
from scenarios.opendrive.errors import OpenDriveError
from scenarios.opendrive.georeference import GeoReference
from scenarios.opendrive.units import to_si

CRG = (
    '<surface>\n<CRG file="a.crg" sStart="5" sEnd="50" orientation="opposite" mode="attached" tOffset="0.5" '
    'zScale="2"/></surface>'
)
STRIPS = (
    '<crossSectionSurface><tOffset><coefficients s="0" a="0.1"/></tOffset><surfaceStrips>\n'
    '<strip id="-1" mode="relative"><width><coefficients s="0" a="3"/></width><linear><coefficients s="0" a="-0.02"/>'
    '<coefficients s="9" a="-0.03" b="0.001"/></linear></strip></surfaceStrips></crossSectionSurface>'
)
RAILROAD = (
    '<railroad>\n<switch name="W1" id="7" position="dynamic"><mainTrack id="1" s="20" dir="+"/>'
    '<sideTrack id="2" s="0" dir="-"/><partner id="8" name="W2"/></switch></railroad>'
)
STATION = (
    '<station id="s" name="Central" type="small"><platform id="p" name="A">\n'
    '<segment roadId="1" sStart="10" sEnd="60" side="right"/></platform></station>'
)


def test_surfaces_are_noted_with_their_lines_and_not_applied():
    text = samples.network(samples.road(lateral=STRIPS, rest=CRG))
    network = opendrive.parse(text)
    road = network.roads["1"].record
    (crg,) = road.surface.crgs
    assert (crg.file, crg.s_start, crg.s_end, crg.orientation) == ("a.crg", 5.0, 50.0, "opposite")
    assert (crg.t_offset, crg.z_scale, crg.purpose) == (0.5, 2.0, "elevation")
    surface = road.lateral.cross_section_surface
    (strip,) = surface.strips
    assert (strip.id, strip.mode, strip.width[0].a, surface.t_offset[0].a) == (-1, "relative", 3.0, 0.1)
    assert [(c.s, c.a, c.b) for c in strip.linear] == [(0.0, -0.02, 0.0), (9.0, -0.03, 0.001)]
    lines = text.split("\n")
    assert "<CRG" in lines[crg.line - 1]
    assert "<strip" in lines[strip.line - 1]
    assert {(d.line, d.element) for d in network.diagnostics} == {
        (crg.line, "CRG"),
        (surface.line, "crossSectionSurface"),
    }
    assert {f.element for f in check_text(text).findings if f.rule == "reader"} == {"CRG", "crossSectionSurface"}


def test_an_objects_crg():
    item = '<objects><object id="o" s="10" t="0"><surface><CRG file="b.crg" hideRoadSurfaceCRG="false"/></surface>'
    network = opendrive.parse(samples.network(samples.road(rest=item + "</object></objects>")))
    (crg,) = network.roads["1"].record.objects[0].surface.crgs
    assert (crg.file, crg.hide_road_surface, crg.z_scale) == ("b.crg", False, 1.0)
    assert [d.element for d in network.diagnostics] == ["CRG"]


def test_railways_and_stations():
    text = samples.network(samples.road(rest=RAILROAD), STATION)
    network = opendrive.parse(text)
    assert network.diagnostics == ()
    (switch,) = network.roads["1"].record.railroad.switches
    assert (switch.id, switch.name, switch.position, switch.partner.id) == ("7", "W1", "dynamic", "8")
    assert (switch.main_track.id, switch.main_track.s, switch.main_track.dir) == ("1", 20.0, "+")
    assert (switch.side_track.id, switch.side_track.s, switch.side_track.dir) == ("2", 0.0, "-")
    (station,) = network.document.stations
    (segment,) = station.platforms[0].segments
    assert (station.name, station.type_, segment.road_id, segment.s_end, segment.side) == (
        "Central", "small", "1", 60.0, "right",
    )  # fmt: skip
    lines = text.split("\n")
    assert "<switch" in lines[switch.line - 1]
    assert "<segment" in lines[segment.line - 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('<mainTrack id="1" s="20" dir="+"/>', "", "mainTrack"),
        ('sStart="10"', 'sStart="-1"', "sStart"),
        ('sEnd="60"', 'sEnd="nan"', "sEnd"),
    ],
)
def test_broken_ones_are_refused_with_their_line(old, new, message):
    text = samples.network(samples.road(rest=RAILROAD), STATION).replace(old, new)
    with pytest.raises(OpenDriveError, match=message) as caught:
        opendrive.parse(text)
    assert caught.value.line


UTM = "+proj=utm +zone=32 +datum=WGS84"


def test_a_place_on_earth():
    """On a zone's central meridian x is 500 km and the scale 0.9996; a degree of latitude is about 111 km."""
    latitude, longitude = GeoReference(UTM).to_lat_lon(500_000.0, 5_400_000.0)
    assert longitude == pytest.approx(9.0, abs=1e-9)
    assert latitude == pytest.approx(48.75, abs=0.01)
    moved, _ = GeoReference(UTM).to_lat_lon(500_000.0, 5_400_999.6)
    assert (moved - latitude) * 111_200.0 == pytest.approx(1000.0, rel=2e-3)


@given(
    x=st.floats(-2000.0, 2000.0), y=st.floats(-2000.0, 2000.0),
    turn=st.floats(-math.pi, math.pi), dx=st.floats(-1e4, 1e4),
)  # fmt: skip
def test_places_on_earth_come_back(x, y, turn, dx):
    header = f'<offset x="{500_000 + dx}" y="5400000" z="0" hdg="{turn}"/>'
    text = samples.network(samples.road(), geo=UTM)
    network = opendrive.parse(text.replace("</header>", header + "</header>"))
    assert network.document.header.offset.hdg == turn
    latitude, longitude = network.geography.to_lat_lon(x, y)
    assert network.geography.to_map(latitude, longitude) == pytest.approx((x, y), abs=1e-5)
    if x == y == 0.0:
        assert (latitude, longitude) == GeoReference(UTM).to_lat_lon(500_000 + dx, 5_400_000.0)


@pytest.mark.parametrize("geo", ["", "+proj=nonsense"])
def test_maps_without_a_place_on_earth_say_so(geo):
    network = opendrive.parse(samples.network(samples.road(), geo=geo))
    with pytest.raises(OpenDriveError, match="geoReference"):
        _ = network.geography


@pytest.mark.parametrize(
    ("value", "unit", "si"),
    [(3, "ft", 0.9144), (2, "mile", 3218.688), (1.5, "km", 1500.0), (50, "mph", 22.352), (36, "km/h", 10.0),
     (7.5, "t", 7500.0), (12, "%", 0.12), (4, "m", 4.0)],
)  # fmt: skip
def test_units(value, unit, si):
    assert to_si(value, unit) == pytest.approx(si, rel=1e-12)
    signal = (
        f'<signals><signal id="1" s="5" t="-4" dynamic="no" orientation="+" type="265" value="{value}" unit="{unit}"/>'
    )
    network = opendrive.parse(samples.network(samples.road(rest=signal + "</signals>")))
    (placed,) = opendrive.signals(network)
    assert placed.si_value == pytest.approx(si)


def test_unknown_units_are_refused():
    with pytest.raises(ValueError, match="furlong"):
        to_si(1.0, "furlong")


@cache
def real(path: Path) -> opendrive.RoadNetwork:
    return opendrive.read(path)


@pytest.mark.skipif(not samples.REAL_FILES, reason="the real files are not here")
@pytest.mark.parametrize("path", samples.REAL_FILES[:: max(1, len(samples.REAL_FILES) // 8)], ids=lambda p: p.stem)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_lane_to_world_to_lane_to_a_millimetre(path, data):
    """A place of any lane, to the world and back: the position found stands for the same place to 1 mm.

    Where lanes lie on each other (junctions) another lane's name for it is as right.
    """
    network = real(path)
    road_id = data.draw(st.sampled_from(sorted(network.roads)))
    road = network.roads[road_id]
    s = data.draw(st.floats(0.0, 1.0)) * road.length
    section = road.section_at(s)
    lane_id = data.draw(st.sampled_from(section.lane_ids))
    offset = data.draw(st.floats(-0.45, 0.45)) * network.lane_width(road_id, lane_id, s)
    pose = network.lane_pose(road_id, lane_id, s, offset)
    found = network.locate(pose.x, pose.y, pose.z, types=None)
    assert found is not None
    back = network.lane_pose(found.road_id, found.lane_id, found.s, found.offset)
    assert math.dist((pose.x, pose.y), (back.x, back.y)) < 1e-3
    if (found.road_id, found.lane_id) == (road_id, lane_id):
        assert found.s == pytest.approx(s, abs=1e-3)


JUNCTION_18 = (
    '<junction id="J" name="" type="crossing">\n<roadSection id="0" roadId="1" sStart="10" sEnd="20"/>\n'
    '<crossPath id="c" crossingRoad="1" roadAtStart="1" roadAtEnd="1"><startLaneLink s="3" from="1" to="-1"/>\n'
    '<endLaneLink s="4" from="-1" to="1"/></crossPath><planView><geometry s="0" x="0" y="0" hdg="0" length="9">\n'
    '<line/></geometry></planView><objects><object id="o" type="crosswalk" s="1" t="2"/></objects>\n<boundary>'
    '<segment type="lane" roadId="1" boundaryLane="-1" sStart="begin" sEnd="12.5"/>\n<segment type="joint" roadId="1" '
    'contactPoint="end" jointLaneStart="-1" jointLaneEnd="1" transitionLength="2"/></boundary>\n<elevationGrid '
    'gridSpacing="5" sStart="0"><elevation center="1.5" left="1 2" right="3 4"/></elevationGrid></junction>'
)
SIGNAL_18 = (
    '<signals><signal id="s" s="5" t="1" orientation="+" dynamic="yes" type="1" subtype="0">\n'
    '<staticBoard><sign id="a" type="274" subtype="55" dynamic="no" orientation="+" v="0.1" z="0.4" value="50" '
    'unit="km/h"><semantics><speed type="maximum" value="50" unit="km/h"/><warning/></semantics></sign></staticBoard>\n'
    '<vmsBoard displayType="LED" displayWidth="2" displayHeight="1"><displayArea index="0" width="1" height="1"/>'
    "</vmsBoard>\n<semantics><speed><type>minimum</type><value>30</value><unit>mph</unit></speed>"
    '<priority type="stop"/><supplementaryDistance type="for" value="3" unit="km"/></semantics></signal></signals>'
)
SKELETON = (
    '<objects><object id="p" type="pole" s="5" t="5"><skeleton><polyline id="1">\n'
    '<vertexRoad s="5" t="5" dz="0" radius="0.1"/><vertexRoad s="5" t="5" dz="4" intersectionPoint="true"/>'
    '</polyline></skeleton><userData code="k" value="v"><own n="1"/></userData>\n<dataQuality><error xyAbsolute="0.1" '
    'xyRelative="0.2" zAbsolute="0.3" zRelative="0.4"/><rawData date="2024" source="sensor" postProcessing="raw"/>'
    "</dataQuality></object></objects>"
)


def test_what_1_8_added_is_kept_in_records_with_lines():
    text = samples.network(samples.road(rest=SKELETON + SIGNAL_18), JUNCTION_18, '<vmsGroup id="g">\n'
                           '<vmsBoardReference signalId="s" vmsIndex="0" groupIndex="0"/></vmsGroup>')  # fmt: skip
    network = opendrive.parse(text)
    lines = text.split("\n")
    junction = network.junctions["J"]
    (path,) = junction.cross_paths
    assert (path.crossing_road, path.start.s, path.start.from_, path.end.to) == ("1", 3.0, 1, 1)
    assert [(r.road_id, r.s_start, r.s_end) for r in junction.road_sections] == [("1", 10.0, 20.0)]
    assert [(s.type_, s.s_start, s.joint_lane_end) for s in junction.boundary.segments] == [
        ("lane", "begin", None),
        ("joint", "", 1),
    ]
    assert junction.boundary.segments[1].transition_length == 2.0
    assert "<segment" in lines[junction.boundary.segments[1].line - 1]
    assert junction.elevation_grid.elevations[0].left == "1 2"
    assert junction.geometries[0].length == 9.0
    assert junction.objects[0].type_ == "crosswalk"
    (signal,) = network.roads["1"].record.signals
    (sign,) = signal.static_boards[0].signs
    assert (sign.z, sign.semantics.speeds[0].value, len(sign.semantics.warnings)) == (0.4, 50.0, 1)
    assert (signal.vms_boards[0].display_type, signal.vms_boards[0].areas[0].width) == ("LED", 1.0)
    meaning = signal.semantics
    assert (meaning.speeds[0].type_, meaning.speeds[0].value, meaning.speeds[0].unit) == ("minimum", 30.0, "mph")
    assert (meaning.priorities[0].type_, meaning.distances[0].value) == ("stop", 3.0)
    assert network.document.vms_groups[0].boards[0].signal_id == "s"
    (item,) = network.roads["1"].record.objects
    assert [v.dz for v in item.skeleton[0].vertices_road] == [0.0, 4.0]
    assert item.skeleton[0].vertices_road[1].intersection_point
    (data,) = additional(item, UserData)
    assert (data.code, data.value, data.unknown[0].tag, "<userData" in lines[data.line - 1]) == ("k", "v", "own", True)
    (quality,) = additional(item, DataQuality)
    assert (quality.error.z_absolute, quality.raw_data.source) == (0.3, "sensor")
    assert "<dataQuality" in lines[quality.line - 1]
    assert [d.element for d in network.diagnostics] == ["elevationGrid"]


def test_files_to_include_are_reported():
    network = opendrive.parse(samples.network(samples.road(rest='<include file="more.xml"/>')))
    (note,) = network.diagnostics
    assert (note.element, "put the file's content here" in note.message) == ("include", True)
    assert additional(network.roads["1"].record, Include)[0].file == "more.xml"


def test_the_headers_license_and_regulations_are_read():
    header = (
        '<header revMajor="1" revMinor="8"><license name="MPL" spdxid="MPL-2.0"/><defaultRegulations><roadRegulations '
        'type="town"><semantics><speed type="maximum" value="50" unit="km/h"/></semantics></roadRegulations>'
        "</defaultRegulations></header>"
    )
    text = samples.network(samples.road())
    start, end = text.index("<header"), text.index("</header>") + 9 if "</header>" in text else text.index("/>") + 2
    document = opendrive.parse(text[:start] + header + text[end:]).document
    assert document.header.license.spdxid == "MPL-2.0"
    (rule,) = document.header.road_regulations
    assert (rule.type_, rule.semantics.speeds[0].value) == ("town", 50.0)

# ruff: noqa: E501  XML samples read better on one line
"""Paint, objects, signals and the client's text."""

from __future__ import annotations

import math
import re

import numpy as np
import opendrive_samples as samples
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import scenarios.opendrive as opendrive
from foundation.ids import Tag
from scenarios.opendrive.records import ROAD_MARK_TYPES


def marked(mark: str, side: int = -1, types: str = "", **parts) -> opendrive.RoadNetwork:
    lane = samples.lane(side, mark=mark)
    lanes = samples.section(**{"right" if side < 0 else "left": lane})
    return opendrive.parse(samples.network(samples.road(lanes=lanes, types=types, **parts)))


def mark(kind: str, more: str = "", inside: str = "") -> str:
    return f'<roadMark sOffset="0" type="{kind}" {more}>{inside}</roadMark>'


def painted(network: opendrive.RoadNetwork) -> shapely.Geometry:
    """Return the area of all markings, seen from above."""
    triangles = [m.vertices[m.triangles][:, :, :2] for m in opendrive.markings(network)]
    return shapely.union_all(shapely.polygons(np.concatenate(triangles))) if triangles else shapely.Polygon()


def lines_across(network: opendrive.RoadNetwork, x: float) -> list[tuple[float, float]]:
    """Return the (low, high) y of the paint met on the way across the road at x."""
    cut = painted(network).intersection(shapely.LineString([(x, -20), (x, 20)]))
    return sorted((part.bounds[1], part.bounds[3]) for part in shapely.get_parts(cut) if part.length > 1e-6)


def dashes(network: opendrive.RoadNetwork, y: float) -> list[tuple[float, float]]:
    """Return the (low, high) x of the paint met on the way along y."""
    cut = painted(network).intersection(shapely.LineString([(-1, y), (101, y)]))
    return sorted((part.bounds[0], part.bounds[2]) for part in shapely.get_parts(cut) if part.length > 1e-6)


@pytest.mark.parametrize("kind", ROAD_MARK_TYPES)
def test_every_type_of_the_standard_is_drawn_or_known_to_be_nothing(kind):
    found = opendrive.markings(marked(mark(kind)))
    assert bool(found) == (kind not in ("none", "custom"))
    for marking in found:
        assert marking.kind == kind
        expected = {"curb": Tag.SIDEWALKS, "grass": Tag.TERRAIN}.get(kind, Tag.ROAD_LINES)
        assert marking.tag == expected
        a, b, c = (marking.vertices[marking.triangles[:, i]] for i in range(3))
        assert (np.cross(b - a, c - a)[:, 2] > 0.0).all()


def test_a_solid_line_has_its_width_and_colour():
    network = marked(mark("solid", 'width="0.3" color="yellow"'))
    assert lines_across(network, 50.0) == [pytest.approx((-3.65, -3.35))]
    (marking,) = opendrive.markings(network)
    assert marking.color == "yellow"
    assert marking.rgb[2] < marking.rgb[0]


@pytest.mark.parametrize(("weight", "width"), [("standard", 0.12), ("bold", 0.25)])
def test_weight_decides_the_width_where_none_is_given(weight, width):
    (low, high), *_ = lines_across(marked(mark("solid", f'weight="{weight}"')), 50.0)
    assert high - low == pytest.approx(width)


@pytest.mark.parametrize(("road_type", "dash", "gap"), [("motorway", 6, 12), ("rural", 4, 8), ("town", 3, 6)])
def test_broken_lines_follow_the_road_type(road_type, dash, gap):
    network = marked(mark("broken"), types=f'<type s="0" type="{road_type}"/>')
    found = dashes(network, -3.5)
    assert found[:2] == [pytest.approx((0, dash)), pytest.approx((dash + gap, 2 * dash + gap))]
    assert found[-1][1] <= 100.0


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("kind", "inner", "outer"), [("solid broken", 1, 0), ("broken solid", 0, 1)])
def test_double_lines_name_the_inner_one_first(side, kind, inner, outer):
    network = marked(mark(kind, 'width="0.1"'), side=side)
    # At x = 5 a dash pattern of 3 + 6 m has a gap.
    (line,) = lines_across(network, 5.0)
    toward_centre = abs(0.5 * (line[0] + line[1])) < 3.5
    assert toward_centre == bool(inner)
    assert len(lines_across(network, 1.0)) == 2
    assert outer != inner


def test_lines_given_exactly_are_drawn_exactly():
    lines = (
        '<line length="2" space="3" tOffset="0.2" sOffset="1" rule="none" width="0.1" color="red"/>'
        '<line length="5" space="0" tOffset="-0.2" sOffset="0" rule="none" width="0.4"/>'
    )
    network = marked(mark("broken", 'color="white"', f'<type name="broken" width="0.1">{lines}</type>'))
    assert dashes(network, -3.3)[:2] == [pytest.approx((1, 3)), pytest.approx((6, 8))]
    assert lines_across(network, 4.0) == [pytest.approx((-3.9, -3.5))]
    assert {m.color for m in opendrive.markings(network)} == {"red", "white"}


def test_explicit_lines_do_not_repeat():
    lines = (
        '<line length="2" sOffset="10" tOffset="0" width="0.2"/><line length="4" sOffset="20" tOffset="0" width="0.2"/>'
    )
    network = marked(mark("custom", "", f"<explicit>{lines}</explicit>"))
    assert dashes(network, -3.5) == [pytest.approx((10, 12)), pytest.approx((20, 24))]


def test_a_mark_holds_until_the_next():
    second = '<roadMark sOffset="60" type="none"/>'
    network = marked(mark("solid") + second)
    assert dashes(network, -3.5) == [pytest.approx((0, 60))]


def test_sway_moves_the_line():
    network = marked(mark("solid", 'width="0.1"', '<sway ds="0" a="0.5" b="0" c="0" d="0"/>'))
    assert lines_across(network, 30.0) == [pytest.approx((-3.05, -2.95))]


def test_botts_dots_are_small_and_round():
    area = painted(marked(mark("botts dots")))
    dots = shapely.get_parts(area)
    # Groups of four every 14.6 m; the very first would lie half before the road.
    assert len(dots) == 4 * 7 - 1
    for dot in dots:
        assert dot.bounds[2] - dot.bounds[0] == pytest.approx(0.1)
        assert dot.area == pytest.approx(math.pi * 0.05**2, rel=0.11)


def test_paint_lies_in_the_mesh():
    """On a crest, where mesh and true surface differ by millimetres, paint follows the mesh."""
    plan = samples.geometry(0, 0, 0, 0, 100, '<arc curvature="0.01"/>')
    elevation = '<elevation s="0" a="0" b="0.1" c="-0.001" d="0"/>'
    lanes = samples.section(left=samples.lane(1), right=samples.lane(-1), center_mark=mark("broken"))
    network = opendrive.parse(samples.network(samples.road(plan=plan, elevation=elevation, lanes=lanes)))
    ground = np.concatenate([s.vertices[s.triangles] for s in opendrive.surfaces(network, tolerance_m=0.02)])
    tree = shapely.STRtree(shapely.polygons(np.concatenate([ground, ground[:, :1]], axis=1)[:, :, :2]))
    for marking in opendrive.markings(network, tolerance_m=0.02):
        which, triangle = tree.query(shapely.points(marking.vertices[:, :2]), predicate="intersects")
        a, b, c = (ground[triangle, i] for i in range(3))
        normal = np.cross(b - a, c - a)
        places = marking.vertices[which]
        z = a[:, 2] - ((places - a)[:, :2] * normal[:, :2]).sum(axis=1) / normal[:, 2]
        assert np.abs(z - places[:, 2]).max() < 0.002


CROSSWALK = (
    '<objects><object id="z" type="crosswalk" name="{name}" s="50" t="0" hdg="1.5707963267948966" zOffset="0" orientation="none" '
    'length="7" width="4"><outline><cornerLocal u="3.5" v="2" z="0"/><cornerLocal u="-3.5" v="2" z="0"/>'
    '<cornerLocal u="-3.5" v="-2" z="0"/><cornerLocal u="3.5" v="-2" z="0"/><cornerLocal u="3.5" v="2" z="0"/></outline>'
    "</object></objects>"
)


def test_crosswalks_are_stripes_along_the_road():
    network = opendrive.parse(samples.network(samples.road(rest=CROSSWALK.format(name="x"), lanes=bare())))
    stripes = sorted(shapely.get_parts(painted(network)), key=lambda p: p.bounds[1])
    assert len(stripes) == 7
    for number, stripe in enumerate(stripes):
        low_x, low_y, high_x, high_y = stripe.bounds
        assert (low_x, high_x) == pytest.approx((48.0, 52.0))
        assert high_y - low_y == pytest.approx(0.5)
        assert low_y == pytest.approx(-3.25 + number)


def bare() -> str:
    return samples.section(left=samples.lane(1, mark=""), right=samples.lane(-1, mark=""))


@pytest.mark.parametrize(
    ("text", "kind", "box"),
    [
        ('name="StopLine" type="-1" s="20" t="-1.75" hdg="1.5707963" length="3.5" width="0"', "stop_line", (19.8, -3.5, 20.2, 0)),
        ('name="p" type="parkingSpace" s="20" t="-1.75" hdg="0" length="5" width="2"', "parking", (17.44, -2.81, 22.56, -0.69)),
    ],
)  # fmt: skip
def test_painted_objects(text, kind, box):
    network = opendrive.parse(
        samples.network(samples.road(lanes=bare(), rest=f'<objects><object id="1" {text}/></objects>'))
    )
    (marking,) = opendrive.markings(network)
    assert (marking.kind, marking.object_id) == (kind, "1")
    assert painted(network).bounds == pytest.approx(box, abs=0.01)


def test_markings_of_objects_follow_their_sides_and_corners():
    rest = (
        '<objects><object id="1" type="none" s="50" t="0" hdg="0" length="10" width="2"><outlines><outline id="0">'
        '<cornerLocal id="a" u="0" v="0" z="0"/><cornerLocal id="b" u="4" v="0" z="0"/><cornerLocal id="c" u="4" v="1" z="0"/>'
        '</outline></outlines><markings><marking side="left" width="0.2" color="yellow" lineLength="1" spaceLength="1"/>'
        '<marking width="0.2" color="white" lineLength="1" spaceLength="0"><cornerReference id="a"/><cornerReference id="b"/>'
        "</marking></markings></object></objects>"
    )
    network = opendrive.parse(samples.network(samples.road(lanes=bare(), rest=rest)))
    assert dashes(network, 1.0) == [pytest.approx((45 + 2 * i, 46 + 2 * i)) for i in range(5)]
    assert dashes(network, 0.0) == [pytest.approx((50, 54))]


def test_repeated_objects_stand_in_a_row_or_are_drawn_out():
    rest = (
        '<objects><object id="post" type="pole" s="0" t="5" zOffset="0" hdg="0.5" height="1" radius="0.1">'
        '<repeat s="10" length="40" distance="10" tStart="5" tEnd="7" heightStart="1" heightEnd="2" zOffsetStart="0" zOffsetEnd="1"/>'
        '</object><object id="wall" type="barrier" s="0" t="-6" width="0.3" height="1"><repeat s="20" length="30" distance="0" '
        'tStart="-6" tEnd="-8" heightStart="1" heightEnd="3" zOffsetStart="0" zOffsetEnd="0"/></object></objects>'
    )
    placed = opendrive.objects(opendrive.parse(samples.network(samples.road(rest=rest))))
    posts = [o for o in placed if o.id == "post"]
    assert [o.pose[:3] for o in posts] == [pytest.approx((10 + 10 * i, 5 + 0.5 * i, 0.25 * i)) for i in range(5)]
    assert [o.height for o in posts] == pytest.approx([1, 1.25, 1.5, 1.75, 2])
    assert posts[0].pose.heading == pytest.approx(0.5)
    (wall,) = [o for o in placed if o.id == "wall"]
    assert wall.sweep.points[[0, -1]] == pytest.approx(np.array([[20, -6, 0], [50, -8, 0]]))
    assert wall.sweep.height[[0, -1]] == pytest.approx([1, 3])
    assert wall.sweep.width == pytest.approx(0.3)


def test_outlines_in_road_coordinates_bend_with_the_road():
    corners = "".join(
        f'<cornerRoad s="{s}" t="{t}" dz="0.1" height="2"/>' for s, t in ((10, 4), (30, 4), (30, 6), (10, 6))
    )
    rest = f'<objects><object id="b" type="building" s="10" t="4"><outlines><outline id="7">{corners}</outline></outlines></object></objects>'
    plan = samples.geometry(0, 0, 0, 0, 100, '<arc curvature="0.02"/>')
    network = opendrive.parse(samples.network(samples.road(plan=plan, rest=rest)))
    (placed,) = opendrive.objects(network)
    (outline,) = placed.outlines
    for point, (s, t) in zip(outline.points, ((10, 4), (30, 4), (30, 6), (10, 6))):
        # Circle of radius 50 around (0, 50).
        r = 50.0 - t
        assert point == pytest.approx((r * math.sin(s / 50), 50 - r * math.cos(s / 50), 0.1))
    assert outline.heights == pytest.approx(2.0)
    assert outline.id == "7"


SIGNALS = (
    '<signals><signal id="L" name="lamp" s="90" t="-5" zOffset="3" hOffset="0.1" orientation="{way}" dynamic="yes" country="DE" '
    'type="1000001" subtype="-1"/>'
    '<signal id="V" s="40" t="5" zOffset="2" orientation="-" dynamic="no" country="DE" type="274" value="30" unit="mph">'
    '<validity fromLane="1" toLane="1"/></signal></signals>'
)


@pytest.mark.parametrize(("way", "turn", "lanes"), [("+", 0.0, (-1,)), ("-", math.pi, (1,)), ("none", 0.0, (-1, 1))])
def test_signals_face_their_traffic(way, turn, lanes):
    control = '<controller id="c" name=""><control signalId="L" type=""/></controller>'
    network = opendrive.parse(samples.network(samples.road(rest=SIGNALS.format(way=way)), control))
    lamp, limit = opendrive.signals(network)
    assert lamp.pose[:3] == pytest.approx((90, -5, 3))
    assert math.cos(lamp.pose.heading - turn - 0.1) == pytest.approx(1.0)
    assert lamp.client_heading == pytest.approx(0.1)
    assert lamp.places[0].lanes == lanes
    assert (lamp.controllers, lamp.junction, lamp.dynamic, lamp.is_light) == (("c",), "", True, True)
    assert limit.speed_limit_kmh == pytest.approx(30 * 1.609344)
    boxes = {box.lane.lane_id: box for box in opendrive.trigger_boxes(network, lamp)}
    assert tuple(sorted(boxes)) == lanes
    for lane_id, box in boxes.items():
        # 3 m before the signal as its traffic sees it.
        assert box.pose[:3] == pytest.approx((87.0, -1.75, 0.0) if lane_id < 0 else (93.0, 1.75, 0.0))
        assert (box.half_length, box.half_width, box.half_height) == pytest.approx((1.5, 3.5 / 4, 1.0))
        assert math.cos(box.pose.heading) == pytest.approx(1.0 if lane_id < 0 else -1.0)


def test_a_signal_in_a_junction_rules_the_lane_before_it():
    reference = '<signals><signalReference id="L" s="1" t="0" orientation="+"><validity fromLane="-1" toLane="-1"/></signalReference></signals>'
    lamp = '<signals><signal id="L" s="50" t="-5" orientation="+" dynamic="yes" type="1000001"><validity fromLane="0" toLane="0"/></signal></signals>'
    text = samples.crossing()
    place = text.index("</road>", text.index('id="101"'))
    text = text[:place] + reference + text[place:]
    place = text.index("</road>")
    network = opendrive.parse(text[:place] + lamp + text[place:])
    (signal,) = opendrive.signals(network)
    (box,) = opendrive.trigger_boxes(network, signal)
    assert box.lane == opendrive.LaneKey("0", 0, -1)
    assert box.pose[:2] == pytest.approx((-60 + 45 - 3, -1.75))


def test_client_text_marks_every_lane_and_changes_nothing_else():
    unmarked = samples.lane(-1, mark="", extra='<height sOffset="0" inner="0" outer="0"/>')
    text = samples.network(
        samples.road(lanes=samples.section(left=samples.lane(1), right=unmarked)),
        '<!-- <lane id="9" type="driving"/> -->',
        "<userData><![CDATA[<lane>]]></userData>",
    )
    changed = opendrive.client_text(text)
    added = re.findall(r'<roadMark sOffset="0" type="none"[^>]*/>', changed)
    assert len(added) == 2  # the centre lane and lane -1
    assert changed.replace(added[0], "") == text
    # The schema wants width, then roadMark, then height.
    assert re.search(r"<width[^>]*/><roadMark[^>]*/><height", changed)
    assert opendrive.client_text(changed) == changed


def test_client_text_opens_empty_lanes():
    assert 'type="none"' in opendrive.client_text('<lane id="0" type="none"/>')
    assert opendrive.client_text('<lane id="0"/>').endswith("</lane>")
    assert opendrive.client_text('<lane id="0"/>').startswith('<lane id="0">')
    assert opendrive.client_text("<lanes/><laneSection/>") == "<lanes/><laneSection/>"


@given(st.text(alphabet="<>/lane !-[]CDTA\"=' roadMk\n", max_size=200))
@settings(max_examples=100, deadline=None)
def test_client_text_takes_any_text(text):
    assert isinstance(opendrive.client_text(text), str)


@pytest.mark.parametrize(
    ("t", "letter", "ahead", "side"), [(-1.75, "R", 1, -1), (-1.75, "L", 1, 1), (1.75, "R", -1, 1)]
)
def test_lane_arrows_point_where_their_lane_goes(t, letter, ahead, side):
    """Ahead: the stem lies behind the head in the direction of traffic; side: to which y the head points."""
    thing = f'<object id="1" name="Stencil_ArrowType4{letter}" type="-1" orientation="-" s="50" t="{t}" length="4" width="2"/>'
    network = opendrive.parse(samples.network(samples.road(lanes=bare(), rest=f"<objects>{thing}</objects>")))
    (marking,) = opendrive.markings(network)
    assert marking.kind == "arrow"
    low_x, low_y, high_x, high_y = painted(network).bounds
    assert (52.0 - high_x > low_x - 48.0) == (ahead > 0)
    assert ((high_y - t) > (t - low_y)) == (side > 0)

# ruff: noqa: E501  XML samples read better on one line
"""Lanes: widths, borders, offsets, sections, links, left-hand traffic, routes, location, speed limits."""

from __future__ import annotations

import math

import numpy as np
import opendrive_samples as samples
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scenarios.opendrive as opendrive
from scenarios.opendrive import LaneKey, LanePosition
from scenarios.opendrive.curves import SpiralCurve


def one(**parts) -> opendrive.RoadNetwork:
    return opendrive.parse(samples.network(samples.road(**parts)))


def test_lane_centres_lie_between_their_edges():
    lanes = samples.section(
        left=samples.lane(1, width=3.0) + samples.lane(2, width=2.0), right=samples.lane(-1, width=4.0)
    )
    network = one(lanes=lanes)
    assert network.lane_pose("1", 1, 10.0).y == pytest.approx(1.5)
    assert network.lane_pose("1", 2, 10.0).y == pytest.approx(4.0)
    assert network.lane_pose("1", -1, 10.0, offset=0.5).y == pytest.approx(-1.5)
    assert network.lane_width("1", 2, 10.0) == pytest.approx(2.0)
    assert network.lanes_at("1", 10.0) == (-1, 1, 2)


def test_lane_offset_moves_all_lanes():
    network = one(offsets='<laneOffset s="0" a="1" b="0.01" c="0" d="0"/>')
    assert network.lane_pose("1", -1, 20.0).y == pytest.approx(1.2 - 1.75)
    assert network.lane_pose("1", -1, 20.0).heading == pytest.approx(math.atan(0.01))


def test_a_widening_lane_turns_its_centre_line():
    lane = samples.lane(-1).replace('a="3.5" b="0"', 'a="3.5" b="-0.02"')
    pose = one(lanes=samples.section(right=lane)).lane_pose("1", -1, 50.0)
    assert pose.y == pytest.approx(-0.5 * 2.5)
    assert pose.heading == pytest.approx(math.atan(0.01))


def test_borders_are_measured_from_the_centre_lane():
    def bordered(lane_id, t):
        return samples.lane(lane_id).replace('<width sOffset="0" a="3.5"', f'<border sOffset="0" a="{t}"')

    lanes = samples.section(left=bordered(1, 3.0), right=bordered(-1, -3.0) + bordered(-2, -5.0))
    network = one(lanes=lanes, offsets='<laneOffset s="0" a="0.5" b="0" c="0" d="0"/>')
    assert network.lane_pose("1", -2, 5.0).y == pytest.approx(0.5 - 4.0)
    assert network.lane_width("1", -2, 5.0) == pytest.approx(2.0)
    assert network.lane_pose("1", 1, 5.0).y == pytest.approx(2.0)


def test_width_wins_over_border():
    both = samples.lane(-1).replace("<roadMark", '<border sOffset="0" a="-9" b="0" c="0" d="0"/><roadMark', 1)
    assert one(lanes=samples.section(right=both)).lane_width("1", -1, 5.0) == pytest.approx(3.5)


TWO_SECTIONS = samples.section(0, right=samples.lane(-1, link='<successor id="-2"/>')) + samples.section(
    40, right=samples.lane(-1, width=2.0) + samples.lane(-2, width=3.0, link='<predecessor id="-1"/>')
)


def test_lane_sections_have_their_own_lanes():
    network = one(lanes=TWO_SECTIONS)
    assert network.lane_keys() == [LaneKey("1", 0, -1), LaneKey("1", 1, -2), LaneKey("1", 1, -1)]
    assert network.lane_width("1", -1, 39.9) == pytest.approx(3.5)
    assert network.lane_width("1", -1, 40.1) == pytest.approx(2.0)
    assert network.successors(LaneKey("1", 0, -1)) == [LaneKey("1", 1, -2)]
    assert network.predecessors(LaneKey("1", 1, -2)) == [LaneKey("1", 0, -1)]
    assert network.predecessors(LaneKey("1", 1, -1)) == []
    assert network.neighbours(LaneKey("1", 1, -2)) == (LaneKey("1", 1, -1), None)
    points, headings = network.lane_centre(LaneKey("1", 1, -2), 7.0)
    assert points[0] == pytest.approx((40.0, -3.5, 0.0))
    assert points[-1] == pytest.approx((100.0, -3.5, 0.0))
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() <= 7.0
    assert headings == pytest.approx(0.0)


def test_missing_lanes_are_named():
    network = one()
    with pytest.raises(opendrive.OpenDriveError, match=r"no lane -7 .*its lanes there: -1, 1"):
        network.lane_pose("1", -7, 5.0)
    with pytest.raises(opendrive.OpenDriveError, match=r"no road '9' \(roads: 1\)"):
        network.road_pose("9", 5.0)


def test_single_sided_sections_leave_the_other_side_as_it_was():
    second = samples.section(50, right=samples.lane(-1, width=2.0)).replace(
        "<laneSection", '<laneSection singleSide="true"'
    )
    first = samples.section(0, left=samples.lane(1, width=3.0), right=samples.lane(-1))
    network = one(lanes=first + second)
    assert network.lane_width("1", 1, 80.0) == pytest.approx(3.0)
    assert network.lane_width("1", -1, 80.0) == pytest.approx(2.0)


@pytest.mark.parametrize("rule", ["RHT", "LHT"])
def test_traffic_keeps_to_its_side(rule):
    text = samples.network(
        samples.road(
            "a", rule=rule, link=samples.end("successor", "road", "b", "start"),
            lanes=samples.section(left=samples.lane(1, link='<successor id="1"/>'), right=samples.lane(-1, link='<successor id="-1"/>')),
        ),
        samples.road("b", plan=samples.geometry(0, 100, 0, 0, 100), rule=rule, link=samples.end("predecessor", "road", "a", "end")),
    )  # fmt: skip
    network = opendrive.parse(text)
    forward, backward = (-1, 1) if rule == "RHT" else (1, -1)
    assert network.lane_drives_forward("a", forward)
    assert not network.lane_drives_forward("a", backward)
    assert network.successors(LaneKey("a", 0, forward)) == [LaneKey("b", 0, forward)]
    # Only road a's lanes name their links; the other direction follows from it.
    assert network.successors(LaneKey("b", 0, backward)) == [LaneKey("a", 0, backward)]
    headings = {round(math.cos(p.heading)): p.y for p in opendrive.spawn_points(network)}
    assert (headings[1] < 0.0) == (rule == "RHT")


def test_contact_points_turn_roads_round():
    text = samples.network(
        samples.road(
            "a", link=samples.end("successor", "road", "b", "end"),
            lanes=samples.section(left=samples.lane(1, link='<successor id="-1"/>'), right=samples.lane(-1, link='<successor id="1"/>')),
        ),
        samples.road("b", plan=samples.geometry(0, 200, 0, math.pi, 100), link=samples.end("successor", "road", "a", "end")),
    )  # fmt: skip
    network = opendrive.parse(text)
    assert network.successors(LaneKey("a", 0, -1)) == [LaneKey("b", 0, 1)]
    assert network.successors(LaneKey("b", 0, -1)) == [LaneKey("a", 0, 1)]


def test_a_direct_junction_joins_roads_without_connecting_roads():
    ramp = samples.road(
        "ramp", plan=samples.geometry(0, 100, 0, -0.1, 50), length=50.0, lanes=samples.section(right=samples.lane(-1)),
        link=samples.end("predecessor", "junction", "j"),
    )  # fmt: skip
    main = samples.road("main", link=samples.end("successor", "junction", "j"))
    on = samples.road("on", plan=samples.geometry(0, 100, 0, 0, 100), link=samples.end("predecessor", "junction", "j"))
    links = "".join(
        f'<connection id="{i}" incomingRoad="main" linkedRoad="{road}" contactPoint="start"><laneLink from="-1" to="-1"/></connection>'
        for i, road in enumerate(("on", "ramp"))
    )
    network = opendrive.parse(
        samples.network(main, on, ramp, f'<junction id="j" type="direct" name="">{links}</junction>')
    )
    assert network.successors(LaneKey("main", 0, -1)) == [LaneKey("on", 0, -1), LaneKey("ramp", 0, -1)]


def test_a_virtual_junction_branches_off_the_middle_of_a_road():
    leave = '<predecessor elementType="road" elementId="main" elementS="30" elementDir="+"/>'
    drive = samples.road(
        "drive", 10.0, samples.geometry(0, 30, -1.75, -0.5, 10), junction="v", link=leave,
        lanes=samples.section(right=samples.lane(-1, link='<predecessor id="-1"/>')),
    )  # fmt: skip
    junction = '<junction id="v" type="virtual" name="" mainRoad="main" sStart="25" sEnd="40"><connection id="0" type="virtual"/></junction>'
    network = opendrive.parse(samples.network(samples.road("main"), drive, junction))
    assert network.successors(LaneKey("main", 0, -1)) == [LaneKey("drive", 0, -1)]
    assert network.predecessors(LaneKey("drive", 0, -1)) == [LaneKey("main", 0, -1)]


def test_routes_cross_junctions():
    network = opendrive.parse(samples.crossing())
    # From the west: right is south (1), straight on east (2), left north (3).
    for goal, connecting in (("1", "100"), ("2", "101"), ("3", "102")):
        route = network.route(LanePosition("0", 0, -1, 5.0, -1.75, 0.0), LanePosition(goal, 0, 1, 20.0, 1.75, 0.0))
        assert [key.road_id for key in route] == ["0", connecting, goal]
    with pytest.raises(opendrive.OpenDriveError, match="no way from lane 1 of road '0'"):
        network.route(LanePosition("0", 0, 1, 5.0, 1.75, 0.0), LanePosition("2", 0, 1, 20.0, 1.75, 0.0))


def test_routes_change_lanes():
    lanes = samples.section(right=samples.lane(-1) + samples.lane(-2))
    network = one(lanes=lanes)
    start, goal = LanePosition("1", 0, -1, 5.0, 0.0, 0.0), LanePosition("1", 0, -2, 50.0, 0.0, 0.0)
    assert network.route(start, goal) == [LaneKey("1", 0, -1), LaneKey("1", 0, -2)]
    assert network.route(start, start) == [LaneKey("1", 0, -1)]


def winding() -> opendrive.RoadNetwork:
    tip = SpiralCurve(0.0, 0.05, 50.0).at(np.array([50.0]))
    plan = samples.geometry(0, 0, 0, 0, 50, '<spiral curvStart="0" curvEnd="0.05"/>')
    plan += samples.geometry(50, tip.x[0], tip.y[0], 1.25, 100, '<arc curvature="-0.03"/>')
    lanes = samples.section(left=samples.lane(1), right=samples.lane(-1) + samples.lane(-2, "sidewalk", 2.0))
    return one(length=150.0, plan=plan, lanes=lanes, elevation='<elevation s="0" a="1" b="0.04" c="0" d="0"/>')


WINDING = winding()


@given(st.floats(0.0, 150.0), st.sampled_from([1, -1, -2]), st.floats(-0.95, 0.95))
@settings(max_examples=150, deadline=None)
def test_locate_undoes_lane_pose(s, lane_id, part):
    half = 0.5 * WINDING.lane_width("1", lane_id, s)
    pose = WINDING.lane_pose("1", lane_id, s, part * half)
    found = WINDING.locate(pose.x, pose.y, pose.z, types=None)
    assert found is not None
    assert found.lane_id == lane_id
    assert found.s == pytest.approx(s, abs=1e-4)
    assert found.offset == pytest.approx(part * half, abs=1e-4)
    assert WINDING.heights_at(np.array([[pose.x, pose.y]]))[0] == pytest.approx(pose.z, abs=1e-4)


def test_locate_prefers_driving_lanes_outside_of_the_road():
    network = pavement_beside()
    # 1 m beyond the pavement's outer edge: the pavement is nearer, the driving lane not 5 m farther.
    assert network.locate(50.0, -6.5).lane_id == -1
    assert network.locate(50.0, -6.5, types=None).lane_id == -2
    assert network.locate(50.0, -4.5).lane_id == -1
    assert network.locate(50.0, -4.5, types=frozenset({"sidewalk"})).lane_id == -2
    assert network.locate(50.0, -300.0, max_distance_m=50.0) is None
    assert network.locate(math.nan, 0.0) is None


def pavement_beside() -> opendrive.RoadNetwork:
    return one(lanes=samples.section(left=samples.lane(1), right=samples.lane(-1) + samples.lane(-2, "sidewalk", 2.0)))


def test_locate_tells_a_bridge_from_the_road_below():
    over = samples.road(
        "over",
        plan=samples.geometry(0, 50, -50, math.pi / 2, 100),
        elevation='<elevation s="0" a="6" b="0" c="0" d="0"/>',
    )
    network = opendrive.parse(samples.network(samples.road("under"), over))
    assert network.locate(51.0, -1.0, 0.3).road_id == "under"
    assert network.locate(51.0, -1.0, 6.2).road_id == "over"
    assert network.locate(51.0, -1.0, heading=math.pi / 2).road_id == "over"
    assert network.locate(51.0, -1.0, heading=0.0).road_id == "under"


def test_speed_limits_come_from_lanes_then_road_types():
    types = (
        '<type s="0" type="rural"><speed max="100" unit="km/h"/></type><type s="50" type="town"><speed max="30" unit="mph"/></type>'
        '<type s="80" type="motorway"><speed max="no limit"/></type>'
    )
    lane = samples.lane(-1, extra='<speed sOffset="20" max="10" unit="m/s"/>')
    network = one(types=types, lanes=samples.section(left=samples.lane(1), right=lane))
    assert network.speed_limit_kmh("1", 10.0) == pytest.approx(100.0)
    assert network.speed_limit_kmh("1", 60.0) == pytest.approx(30 * 1.609344)
    assert network.speed_limit_kmh("1", 90.0) is None
    assert network.speed_limit_kmh("1", 10.0, -1) == pytest.approx(100.0)
    assert network.speed_limit_kmh("1", 30.0, -1) == pytest.approx(36.0)


@pytest.mark.parametrize(
    ("geo", "origin"),
    [
        ("+proj=tmerc +lat_0=48.5 +lon_0=-11.25 +k=1", (48.5, -11.25)),
        ("+proj=utm +zone=32", (42.0, 2.0)),
        ("", (42.0, 2.0)),
        ("+lat_0=north +lon_0=1", (42.0, 2.0)),
    ],
)
def test_origin_comes_from_the_geo_reference(geo, origin):
    network = opendrive.parse(samples.network(samples.road(), geo=geo))
    assert network.origin_lat_lon == origin
    assert bool(network.diagnostics) == (bool(geo) and origin == (42.0, 2.0))


def test_spawn_points_keep_their_distances():
    network = one(
        length=97.0, lanes=pavement_beside().text and samples.section(left=samples.lane(1), right=samples.lane(-1))
    )
    points = opendrive.spawn_points(network)
    for lane_y in (-1.75, 1.75):
        xs = sorted(p.x for p in points if p.y == pytest.approx(lane_y))
        assert len(xs) >= 3
        assert xs[0] >= 5.0 - 1e-9
        assert xs[-1] <= 92.0 + 1e-9
        assert min(np.diff(xs)) >= 10.0
    assert all(math.cos(p.heading) == pytest.approx(-1.0 if p.y > 0 else 1.0) for p in points)


def test_no_spawn_points_in_junctions_on_pavements_or_narrow_lanes():
    network = opendrive.parse(samples.crossing())
    for pose in opendrive.spawn_points(network):
        position = network.locate(pose.x, pose.y, pose.z, pose.heading, types=None)
        assert not network.roads[position.road_id].junction
        assert network.lane_type(position.road_id, position.lane_id, position.s) == "driving"
    assert opendrive.spawn_points(one(lanes=samples.section(right=samples.lane(-1, width=1.5)))) == []
    assert opendrive.spawn_points(one(length=8.0)) == []


def test_spawn_points_of_roads_that_run_into_one_another_do_not_collide():
    text = samples.network(samples.road("1"), samples.road("2", plan=samples.geometry(0, 0.5, 0, 0, 100)))
    points = opendrive.spawn_points(opendrive.parse(text))
    assert len(points) == len(opendrive.spawn_points(opendrive.parse(samples.network(samples.road("1")))))


@pytest.mark.parametrize("path", samples.REAL_FILES, ids=lambda p: p.stem)
def test_spawn_points_of_real_files_lie_on_their_lanes(path):
    network = opendrive.read(path)
    points = opendrive.spawn_points(network)
    assert points
    places = np.array([p[:3] for p in points])
    found = network.locate_many(places, np.array([p.heading for p in points]))
    for pose, position in zip(points, found):
        assert position is not None
        assert abs(position.offset) < 0.01
        assert not network.roads[position.road_id].junction
        turn = 0.0 if network.lane_drives_forward(position.road_id, position.lane_id) else math.pi
        lane = network.lane_pose(position.road_id, position.lane_id, position.s)
        assert math.cos(pose.heading - lane.heading - turn) == pytest.approx(1.0, abs=1e-6)
        assert pose.z == pytest.approx(lane.z, abs=1e-6)
    nearest = np.linalg.norm(places[:, None] - places, axis=-1) + 1e9 * np.eye(len(places))
    assert nearest.min() >= 2.2


def test_places_near_the_centre_of_a_bend_are_found_again():
    """At about the bend's radius from the reference line all its rows are about equally near."""
    plan = (
        '<geometry s="0" x="0" y="0" hdg="0" length="1"><line/></geometry>'
        '<geometry s="1" x="1" y="0" hdg="0" length="3"><arc curvature="0.25"/></geometry>'
        '<geometry s="4" x="3.726555" y="1.073244" hdg="0.75" length="4"><arc curvature="0.2"/></geometry>'
    )
    network = opendrive.parse(samples.network(samples.road(length=8.0, plan=plan)))
    s, t = (values.ravel() for values in np.meshgrid(np.linspace(0.2, 7.8, 39), np.linspace(-4.0, 3.9, 30)))
    poses = network.road_poses("1", s, t)
    found_s, found_t = network.project_many("1", np.stack([poses.x, poses.y], axis=1))
    again = network.road_poses("1", found_s, found_t)
    assert np.max(np.hypot(again.x - poses.x, again.y - poses.y)) < 1e-4


def test_a_centre_lane_of_another_id_is_the_centre_lane():
    text = samples.network(samples.road())
    changed = text.replace('<lane id="0"', '<lane id="2"', 1)
    assert changed != text
    network = opendrive.parse(changed)
    assert "lane id 2 stands in <center>; taken as 0" in [d.message for d in network.diagnostics]
    assert len(opendrive.markings(network)) == len(opendrive.markings(opendrive.parse(text)))


def test_places_on_banked_shaped_sloping_roads_are_found_again_to_a_tenth_of_a_millimetre():
    lateral = (
        '<superelevation s="0" a="0" b="0.001" c="0" d="0"/><superelevation s="50" a="0.1" b="0" c="0" d="0"/>'
        '<shape s="0" t="-6" a="0" b="0.05" c="0" d="0"/><shape s="0" t="0" a="0.3" b="-0.05" c="0" d="0"/>'
        '<shape s="90" t="-6" a="0.1" b="0" c="0.01" d="0"/>'
    )
    network = opendrive.parse(
        samples.network(
            samples.road(
                plan='<geometry s="0" x="3" y="-4" hdg="0.4" length="100"><arc curvature="0.02"/></geometry>',
                elevation='<elevation s="0" a="5" b="0.05" c="-0.0003" d="1e-6"/>',
                lateral=lateral,
            )
        )
    )
    for key in network.lane_keys():
        s = np.linspace(0.5, 99.5, 34)  # up to the ends the slope shifts places beyond them
        poses = network.lane_poses(key, s, 0.4 * network.lane_widths(key, s))
        found = network.locate_arrays(np.stack([poses.x, poses.y, poses.z], axis=1), types=None)
        np.testing.assert_allclose(found.s, s, atol=1e-4)
        np.testing.assert_allclose(found.offset, 0.4 * network.lane_widths(key, s), atol=1e-4)
        assert (found.lane_id == key.lane_id).all()

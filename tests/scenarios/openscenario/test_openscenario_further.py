"""What scenario files in use rely on beyond the common actions, each against a result computed by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from building import act, after, at, by_value, car, event, execution, group, maneuver, private, read, speed, text, until

from scenarios import opendrive
from scenarios.openscenario import load
from scenarios.openscenario.bare_port import BarePort
from scenarios.openscenario.curves import nurbs, steady
from scenarios.openscenario.distributions import expand
from scenarios.openscenario.errors import OpenScenarioError
from scenarios.openscenario.execution import Execution
from scenarios.openscenario.positions.geo import to_map
from scenarios.openscenario.roads import Leg, Roads, RoutePath, Track

USER = '<UserDefinedAction><CustomCommandAction type="horn">twice</CustomCommandAction></UserDefinedAction>'


def polyline(points: list[tuple[float, float, float]], mode: str, timed: bool = True) -> str:
    vertices = "".join(
        f'<Vertex{f" time={chr(34)}{t}{chr(34)}" if timed else ""}><Position><WorldPosition x="{x}" y="{y}"/>'
        "</Position></Vertex>"
        for x, y, t in points
    )
    return (
        '<RoutingAction><FollowTrajectoryAction><TrajectoryRef><Trajectory name="t" closed="false"><Shape><Polyline>'
        f"{vertices}</Polyline></Shape></Trajectory></TrajectoryRef><TimeReference>"
        '<Timing domainAbsoluteRelative="relative" scale="1" offset="0"/></TimeReference>'
        f'<TrajectoryFollowingMode followingMode="{mode}"/></FollowTrajectoryAction></RoutingAction>'
    )


def test_following_a_timed_polyline_has_no_jumps_of_speed(tmp_path: Path) -> None:
    # 10 m/s, then 5 m in 1 s: v falls from 10 to 0 with 10 m/s^2; at 1.5 s 10 * 0.5 - 5 * 0.25 = 3.75 m are done.
    way = [(100.0, 0.0, 0.0), (110.0, 0.0, 1.0), (115.0, 0.0, 2.0), (115.0, 0.0, 3.0)]
    content = text(init=private("Ego", at(50.0), speed(10.0), polyline(way, "follow")))
    run = until(execution(tmp_path, content), 1.5)
    assert run.motions["Ego"].pose.x == pytest.approx(113.75, abs=1e-6)
    assert until(run, 4.0).motions["Ego"].pose.x == pytest.approx(115.0, abs=1e-6)
    assert run.motions["Ego"].speed == 0.0


def test_where_constant_acceleration_would_turn_round_one_stops_and_waits() -> None:
    # 10 m/s, 2 m in 2 s: braking to 0 over 2 m takes 0.4 s.
    at_time = steady(np.array([0.0, 2.0, 3.0]), np.array([0.0, 2.0, 3.0]), 10.0)
    assert at_time(0.2) == pytest.approx(10 * 0.2 - 0.5 * 25 * 0.04)
    assert at_time(1.0) == pytest.approx(2.0)
    assert at_time(2.5) == pytest.approx(2.25), "from rest: 1 m in 1 s"


def test_control_points_have_their_times_where_they_weigh_most() -> None:
    points = np.array([[0.0, 0.0, 0.0], [10.0, 0.0, 0.0], [20.0, 0.0, 0.0]])
    knots = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    curve = nurbs(3, points, [1.0, 1.0, 1.0], knots, [0.0, 4.0, 5.0], lambda x, y: 0.0)
    # Peaks are looked for at places a metre of the control polygon apart, as the docstring says.
    assert curve.s_at(4.0) == pytest.approx(10.0, abs=0.5), "the middle point of a quadratic weighs most halfway"
    assert curve.s_at(2.0) == pytest.approx(5.0, abs=0.5)
    assert curve.s_at(4.5) == pytest.approx(15.0, abs=0.5)


def test_a_trajectory_without_times_but_with_timing_is_a_path_and_a_note(tmp_path: Path) -> None:
    way = polyline([(100.0, 0.0, 0.0), (200.0, 0.0, 0.0)], "position", timed=False)
    run = until(execution(tmp_path, text(init=private("Ego", at(50.0), speed(5.0), way))), 2.0)
    assert run.motions["Ego"].pose.x == pytest.approx(110.0, abs=1e-6)
    assert any("no times" in note for note in run.world.notes)


def test_a_change_of_sign_on_a_trajectory_brings_one_back(tmp_path: Path) -> None:
    # -10 m/s: forward along the path looking back; +5 m/s^2 for 3 s: 10 * 3 - 22.5 = 7.5 m from the start, then back.
    way = polyline([(100.0, 0.0, 0.0), (200.0, 0.0, 0.0)], "position", timed=False)
    content = text(
        init=private("Ego", at(50.0), speed(-10.0), way),
        story=act(maneuver(event("e", speed(10.0, "linear", "rate", 5.0), group(after(0.0, "greaterOrEqual"))))),
    )
    run = until(execution(tmp_path, content), 3.0)
    assert run.motions["Ego"].pose.x == pytest.approx(107.5, abs=1e-6)
    assert run.motions["Ego"].speed == pytest.approx(5.0, abs=1e-6)


def test_a_relative_speed_is_relative_to_what_the_other_drives_now(tmp_path: Path) -> None:
    target = (
        '<LongitudinalAction><SpeedAction><SpeedActionDynamics dynamicsShape="linear" dynamicsDimension="time" '
        'value="4"/><SpeedActionTarget><RelativeTargetSpeed entityRef="B" value="2" speedTargetValueType="delta" '
        'continuous="false"/></SpeedActionTarget></SpeedAction></LongitudinalAction>'
    )
    content = text(
        entities=car("Ego") + car("B"),
        init=private("Ego", at(50.0), speed(0.0))
        + private("B", at(100.0), speed(0.0), speed(8.0, "linear", "time", 4.0)),
        story=act(maneuver(event("e", target, group(after(0.0, "greaterOrEqual"))))),
    )
    run = until(execution(tmp_path, content), 5.0)
    assert run.motions["Ego"].speed == pytest.approx(10.0, abs=0.05)


def test_without_a_road_network_entities_go_straight_on_a_plane(tmp_path: Path) -> None:
    file = tmp_path / "plane.xosc"
    place = '<TeleportAction><Position><WorldPosition x="1" y="2" h="0"/></Position></TeleportAction>'
    file.write_text(text(init=private("Ego", place, speed(3.0))), encoding="utf-8")
    run = Execution(load(file), None, BarePort(), 0.1)
    run.start()
    for _ in range(20):
        run.step()
    pose = run.motions["Ego"].pose
    assert (pose.x, pose.y, pose.z) == pytest.approx((7.0, 2.0, 0.0))
    file.write_text(text(init=private("Ego", at(1.0))), encoding="utf-8")
    with pytest.raises(OpenScenarioError, match="no road network"):
        Execution(load(file), None, BarePort(), 0.1).start()


def test_commands_reach_their_handler_and_others_are_noted(tmp_path: Path) -> None:
    story = act(
        maneuver(
            event("e", "<GlobalAction></GlobalAction>", group(after(0.5))).replace(
                "<GlobalAction></GlobalAction>", USER
            )
        )
    )
    content = text(init=private("Ego", at(1.0)), story=story)
    run = until(execution(tmp_path, content), 1.0)
    assert any("'horn'" in note for note in run.world.notes)
    heard: list[str] = []
    again = execution(tmp_path, content)
    again.world.commands = {"horn": lambda world, what: heard.append(f"{what} {world.time_s:.2f}")}
    until(again, 1.0)
    assert heard == ["twice 0.51"]


def test_a_user_defined_value_is_false_until_it_is_given(tmp_path: Path) -> None:
    condition = by_value('<UserDefinedValueCondition name="v" value="3" rule="greaterThan"/>')
    run = execution(
        tmp_path, text(init=private("Ego", at(1.0)), story=act(maneuver(event("e", speed(7.0), group(condition)))))
    )
    assert until(run, 0.5).motions["Ego"].speed == 0.0
    run.set_user_value("v", "3.5")
    assert until(run, 0.6).motions["Ego"].speed == 7.0


def test_monitors_are_set_and_unknown_ones_refused(tmp_path: Path) -> None:
    head = '<MonitorDeclarations><MonitorDeclaration name="m" value="false"/></MonitorDeclarations>'
    go = '<GlobalAction><SetMonitorAction monitorRef="{}" value="true"/></GlobalAction>'
    story = act(maneuver(event("e", go.format("m"), group(after(0.5)))))
    run = execution(
        tmp_path,
        text(init=private("Ego", at(1.0)), story=story, minor=3).replace("<RoadNetwork", head + "<RoadNetwork"),
    )
    assert run.monitors == {"m": False}
    assert until(run, 1.0).monitors == {"m": True}
    with pytest.raises(OpenScenarioError, match="monitor 'x' is not declared"):
        read(
            tmp_path,
            text(init=private("Ego", at(1.0)), story=act(maneuver(event("e", go.format("x"), group(after(0.5)))))),
        )


def test_a_place_on_earth_is_found_by_the_maps_projection() -> None:
    road = (
        '<road name="r" length="10" id="1" junction="-1"><planView><geometry s="0" x="0" y="0" hdg="0" length="10">'
        '<line/></geometry></planView><lanes><laneSection s="0"><center><lane id="0" type="none" level="false"/>'
        "</center><right>"
        '<lane id="-1" type="driving" level="false"><width sOffset="0" a="3" b="0" c="0" d="0"/></lane></right>'
        "</laneSection></lanes></road>"
    )
    projection = "+proj=tmerc +lat_0=48 +lon_0=11 +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m"
    for offset, expected in (("", (0.0, 111_200.0)), ('<offset x="100" y="200" z="0" hdg="0"/>', (-100.0, 111_000.0))):
        head = (
            f'<header revMajor="1" revMinor="6"><geoReference><![CDATA[{projection}]]></geoReference>{offset}</header>'
        )
        network = opendrive.parse(f"<OpenDRIVE>{head}{road}</OpenDRIVE>", "geo")
        # One degree of latitude at 48.5 degrees is 111.2 km on this ellipsoid, to 10 m.
        assert to_map(Roads(network), 49.0, 11.0) == pytest.approx(expected, abs=10.0)
        with pytest.raises(ValueError, match="no geoReference"):
            to_map(
                Roads(opendrive.parse(f'<OpenDRIVE><header revMajor="1" revMinor="6"/>{road}</OpenDRIVE>', "x")),
                1.0,
                1.0,
            )


DISTRIBUTION = """<OpenSCENARIO><FileHeader revMajor="1" revMinor="2" date="2024-01-01T00:00:00" description="d"
author="a"/>
<ParameterValueDistribution><ScenarioFile filepath="s.xosc"/>{}</ParameterValueDistribution></OpenSCENARIO>"""
SET = (
    '<Deterministic><DeterministicSingleParameterDistribution parameterName="v"><DistributionRange stepWidth="1">'
    '<Range lowerLimit="{}" upperLimit="{}"/></DistributionRange>'
    "</DeterministicSingleParameterDistribution></Deterministic>"
)
DRAWN = (
    '<Stochastic numberOfTestRuns="30" randomSeed="1"><StochasticDistribution parameterName="v"><UniformDistribution>'
    '<Range lowerLimit="{}" upperLimit="{}"/></UniformDistribution></StochasticDistribution></Stochastic>'
)


@pytest.fixture
def constrained(tmp_path: Path) -> Path:
    limits = (
        '<ParameterDeclaration name="v" parameterType="double" value="3"><ConstraintGroup><ValueConstraint '
        'rule="greaterOrEqual" value="2"/><ValueConstraint rule="lessThan" value="5"/></ConstraintGroup>'
        "</ParameterDeclaration>"
    )
    (tmp_path / "s.xosc").write_text(text(init=private("Ego", at(1.0)), declarations=limits), encoding="utf-8")
    return tmp_path / "d.xosc"


def test_constraint_groups_filter_parameter_sets(constrained: Path) -> None:
    constrained.write_text(DISTRIBUTION.format(SET.format(0, 10)), encoding="utf-8")
    assert [float(c.parameters["v"]) for c in expand(constrained)] == [2.0, 3.0, 4.0]
    constrained.write_text(DISTRIBUTION.format(SET.format(6, 10)), encoding="utf-8")
    with pytest.raises(OpenScenarioError, match="none of 5 parameter sets satisfies the constraints"):
        expand(constrained)


def test_constraint_groups_filter_samples_until_there_are_enough(constrained: Path) -> None:
    constrained.write_text(DISTRIBUTION.format(DRAWN.format(0, 10)), encoding="utf-8")
    values = [float(c.parameters["v"]) for c in expand(constrained)]
    assert len(values) == 30
    assert 2.0 <= min(values) < 2.5 < 4.5 < max(values) < 5.0
    constrained.write_text(DISTRIBUTION.format(DRAWN.format(6, 10)), encoding="utf-8")
    with pytest.raises(OpenScenarioError, match="only 0 of 3000 samples satisfy"):
        expand(constrained)


def fork() -> opendrive.RoadNetwork:
    """Road 1 along x with lanes -1 and -2, 100 m; at its end lane -1 leads to road 2 and lane -2 to road 3."""
    width = '<width sOffset="0" a="3.5" b="0" c="0" d="0"/>'
    lane = '<lane id="{}" type="driving" level="false">{}' + width + "</lane>"
    road = (
        '<road name="" length="100" id="{id}" junction="{junction}"><link>{link}</link><planView><geometry s="0" '
        'x="{x}" y="{y}" hdg="0" length="100"><line/></geometry></planView><lanes><laneSection s="0"><center>'
        '<lane id="0" type="none" level="false"/></center><right>{lanes}</right></laneSection></lanes></road>'
    )
    before = '<predecessor elementType="road" elementId="1" contactPoint="end"/>'
    parts = [
        road.format(
            id=1, junction=-1, x=0, y=0, lanes=lane.format(-1, "") + lane.format(-2, ""),
            link='<successor elementType="junction" elementId="9"/>',
        )
    ]  # fmt: skip
    joints = ""
    for number, source, y in ((2, -1, 0.0), (3, -2, -3.5)):
        link = f'<link><predecessor id="{source}"/></link>'
        parts.append(road.format(id=number, junction=9, x=100, y=y, link=before, lanes=lane.format(-1, link)))
        joints += (
            f'<connection id="{number}" incomingRoad="1" connectingRoad="{number}" contactPoint="start">'
            f'<laneLink from="{source}" to="-1"/></connection>'
        )
    head = '<header revMajor="1" revMinor="6" name="fork"/>'
    return opendrive.parse(
        f'<OpenDRIVE>{head}{"".join(parts)}<junction id="9" name="">{joints}</junction></OpenDRIVE>', "fork"
    )


@pytest.mark.parametrize(("lane", "road", "y"), [(-1, "2", -1.75), (-2, "3", -5.25)])
def test_a_route_does_not_make_anybody_leap_into_another_lane(lane: int, road: str, y: float) -> None:
    """The route goes over road 3. From lane -1 one cannot get there without a lane change, which nobody asked for."""
    roads = Roads(fork())
    route = RoutePath((Leg("1", 0.0, 100.0, 1, 0.0), Leg("3", 0.0, 100.0, 1, 100.0)))
    track, gone = roads.advance(Track("1", lane, 90.0), 20.0, route)
    assert (track.road_id, track.lane_id, gone) == (road, -1, pytest.approx(20.0))
    assert (roads.pose(track).x, roads.pose(track).y) == pytest.approx((110.0, y))

"""Readings of the standard in which files in use agree: relative lane positions, offsets, routes, splines, names."""

# ruff: noqa: E501 - lines of XML stay whole
from __future__ import annotations

import math
from pathlib import Path

import pytest
from building import (
    act,
    after,
    at,
    by_entity,
    car,
    event,
    execution,
    group,
    maneuver,
    private,
    read,
    speed,
    text,
    times,
    until,
)

from scenarios.openscenario import OpenScenarioError, board
from scenarios.openscenario.actions.base import Activity


def lane_offset(target: str, acceleration: float = 3.0, continuous: str = "false") -> str:
    return (
        f'<LateralAction><LaneOffsetAction continuous="{continuous}"><LaneOffsetActionDynamics dynamicsShape="cubic" '
        f'maxLateralAcc="{acceleration}"/><LaneOffsetTarget>{target}</LaneOffsetTarget></LaneOffsetAction></LateralAction>'
    )


def relative(how: str, offset: float = 0.0, lanes: int = 0) -> str:
    return f'<TeleportAction><Position><RelativeLanePosition entityRef="B" dLane="{lanes}" {how} offset="{offset}"/></Position></TeleportAction>'


@pytest.mark.parametrize(
    ("how", "lanes", "offset", "place"),
    [
        # B drives against s on lane 1 at s = 500. ds, and lanes and offset with it, are the road's: left is +t.
        ('ds="20"', 0, 0.5, (520.0, 1.75 + 0.5)),
        ('ds="-20"', 1, 0.0, (480.0, 5.25)),
        # dsLane is the lane's: its traffic goes against s, left is -t.
        ('dsLane="20"', 0, 0.5, (480.0, 1.75 - 0.5)),
        ('dsLane="20"', -1, 0.0, (480.0, 5.25)),
    ],
    ids=["ds", "ds, lane", "dsLane", "dsLane, lane"],
)
def test_relative_lane_positions(
    tmp_path: Path, how: str, lanes: int, offset: float, place: tuple[float, float]
) -> None:
    init = private("B", at(500.0, lane=1)) + private("Ego", relative(how, offset, lanes))
    run = execution(tmp_path, text(entities=car("Ego") + car("B"), init=init))
    pose = run.motions["Ego"].pose
    assert (pose.x, pose.y) == pytest.approx(place, abs=1e-6)


def test_an_offset_of_0_leads_back_from_an_offset_beyond_the_lane(tmp_path: Path) -> None:
    out = event("out", lane_offset('<AbsoluteTargetLaneOffset value="3.1"/>', continuous="true"), group(after(0.5)))
    back = event("back", lane_offset('<AbsoluteTargetLaneOffset value="0"/>'), group(after(5.0)), "override")
    run = execution(tmp_path, text(story=act(maneuver(out, back))))
    assert until(run, 4.9).motions["Ego"].pose.y == pytest.approx(-1.75 + 3.1, abs=1e-6)
    assert until(run, 9.0).motions["Ego"].pose.y == pytest.approx(-1.75, abs=1e-6)


def test_a_relative_offset_is_from_where_the_other_is_to_its_left(tmp_path: Path) -> None:
    init = private("B", at(500.0, lane=1)) + private("Ego", at(50.0), speed(20.0))
    move = event("move", lane_offset('<RelativeTargetLaneOffset entityRef="B" value="-2"/>'), group(after(0.5)))
    run = until(execution(tmp_path, text(entities=car("Ego") + car("B"), init=init, story=act(maneuver(move)))), 9.0)
    assert run.motions["Ego"].pose.y == pytest.approx(1.75 + 2.0, abs=1e-6), "B looks against x: its right is +y"


def test_a_lane_change_in_a_step_takes_nothing_from_the_way_forward(tmp_path: Path) -> None:
    jump = '<LateralAction><LaneChangeAction><LaneChangeActionDynamics dynamicsShape="step" dynamicsDimension="time" value="0"/><LaneChangeTarget><AbsoluteTargetLane value="-2"/></LaneChangeTarget></LaneChangeAction></LateralAction>'
    run = until(execution(tmp_path, text(story=act(maneuver(event("e", jump, group(after(0.5))))))), 2.0)
    assert run.motions["Ego"].pose.x == pytest.approx(70.0, abs=1e-6)
    assert run.motions["Ego"].pose.y == pytest.approx(-5.25)


SPLINE = '<ClothoidSpline{end}><ClothoidSplineSegment curvatureStart="0" curvatureEnd="0" length="10"{one}/><ClothoidSplineSegment curvatureStart="0.1" curvatureEnd="0.1" length="{length}"{two}/></ClothoidSpline>'


def follow(shape: str, timing: str = "<None/>") -> str:
    return (
        f'<RoutingAction><FollowTrajectoryAction><TrajectoryRef><Trajectory name="t" closed="false"><Shape>{shape}</Shape></Trajectory>'
        f'</TrajectoryRef><TimeReference>{timing}</TimeReference><TrajectoryFollowingMode followingMode="position"/></FollowTrajectoryAction></RoutingAction>'
    )


def test_a_spline_without_a_place_begins_where_the_entity_is(tmp_path: Path) -> None:
    shape = SPLINE.format(end="", one="", two="", length=10 * math.pi / 2)
    story = act(maneuver(event("e", follow(shape), group(after(0.995)))))
    run = until(execution(tmp_path, text(init=private("Ego", at(50.0), speed(5.0)), story=story)), 6.14)
    pose = run.motions["Ego"].pose
    assert (pose.x, pose.y) == pytest.approx((75.0, 8.25), abs=0.1), "10 m ahead, then a quarter of a circle of 10 m"
    assert pose.heading == pytest.approx(math.pi / 2, abs=0.02)


def test_a_splines_segments_have_their_times_and_turns(tmp_path: Path) -> None:
    shape = SPLINE.format(
        end=' timeEnd="8"', one=' timeStart="0"', two=' timeStart="5" hOffset="1.5707963267948966"', length=6.0
    )
    timing = '<Timing domainAbsoluteRelative="relative" scale="1" offset="0"/>'
    run = execution(tmp_path, text(story=act(maneuver(event("e", follow(shape, timing), group(after(0.995)))))))
    assert until(run, 1.0 + 2.5).motions["Ego"].pose.x == pytest.approx(60.0 + 5.0, abs=0.1)
    assert run.motions["Ego"].speed == pytest.approx(2.0)
    later = until(run, 1.0 + 5.5).motions["Ego"]
    assert later.pose.heading == pytest.approx(math.pi / 2 + 0.1, abs=0.02)
    assert times(until(run, 9.5), "e", board.END)[0] == pytest.approx(9.0, abs=0.03)


def test_an_angle_to_the_trajectory(tmp_path: Path) -> None:
    shape = SPLINE.format(end="", one="", two="", length=20.0)
    condition = by_entity(
        '<AngleCondition angleType="heading" angle="0" angleTolerance="0.01" coordinateSystem="trajectory"/>'
    )
    story = act(maneuver(event("go", follow(shape), group(after(1.0))), event("seen", speed(1.0), group(condition))))
    run = until(execution(tmp_path, text(story=story)), 2.0)
    assert times(run, "seen", board.START)[0] == pytest.approx(1.01, abs=0.02), "not before there is a trajectory"
    assert Activity().tangent() is None


def test_names_join_texts(tmp_path: Path) -> None:
    declared = '<ParameterDeclaration name="who" parameterType="string" value="Ego"/>'
    story = act(maneuver(event("e", speed(0.0), group(after(1.0))), name="${$who + brakes}"))
    run = until(execution(tmp_path, text(declarations=declared, story=story)), 2.0)
    assert times(run, "Egobrakes", board.START)


def test_a_parameter_declared_twice_has_the_later_value(tmp_path: Path) -> None:
    twice = "".join(f'<ParameterDeclaration name="v" parameterType="double" value="{v}"/>' for v in (3, 7))
    scenario = read(tmp_path, text(declarations=twice, init=private("Ego", at(50.0), speed(5.0))))
    assert scenario.parameters["v"].text == "7"


def test_an_entity_that_is_there_is_not_added_again(tmp_path: Path) -> None:
    add = '<GlobalAction><EntityAction entityRef="Ego"><AddEntityAction><Position><LanePosition roadId="1" laneId="-1" s="10"/></Position></AddEntityAction></EntityAction></GlobalAction>'
    run = until(execution(tmp_path, text(story=act(maneuver(event("e", add, group(after(1.0))))))), 2.0)
    assert run.motions["Ego"].pose.x == pytest.approx(70.0)
    assert any("in the world already" in note for note in run.world.notes)


def test_limits_of_an_override_that_have_no_effect_are_named(tmp_path: Path) -> None:
    def notes(limit: str) -> list[str]:
        wheel = f'<SteeringWheel active="true" value="0.1"{limit}/>'
        told = f"<ControllerAction><OverrideControllerValueAction>{wheel}</OverrideControllerValueAction></ControllerAction>"
        init = private("Ego", at(10.0), told)
        return [note for note in read(tmp_path, text(init=init)).notes if "maxTorque" in note]

    assert len(notes(' maxTorque="3"')) == 1
    assert notes("") == []


def test_a_place_to_reach_beyond_the_road_is_its_end_and_nobody_is_put_there(tmp_path: Path) -> None:
    far = by_entity(
        '<ReachPositionCondition tolerance="1"><Position><LanePosition roadId="1" laneId="-1" s="1200"/></Position></ReachPositionCondition>'
    )
    story = act(maneuver(event("e", speed(0.0), group(far))))
    scenario = read(tmp_path, text(init=private("Ego", at(990.0), speed(5.0)), story=story))
    assert any("beyond the end of road 1" in note for note in scenario.notes)
    with pytest.raises(OpenScenarioError, match=r"1000\.000 m long, s=1200 is not on it"):
        read(tmp_path, text(init=private("Ego", at(1200.0))))

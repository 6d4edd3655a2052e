"""Default motion and actions against closed-form kinematics."""

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
    circle,
    event,
    execution,
    group,
    lane_change,
    maneuver,
    private,
    speed,
    state,
    text,
    times,
    until,
    walker,
)  # fmt: skip

from scenarios.openscenario import Execution, OpenScenarioError, board
from scenarios.openscenario.entities import VehicleRecord


def x_y(run: Execution, name: str = "Ego") -> tuple[float, float]:
    pose = run.motions[name].pose
    return pose.x, pose.y


@pytest.mark.parametrize("shape", ["linear", "cubic", "sinusoidal"])
@pytest.mark.parametrize("dt", [0.01, 0.05, 0.1])
def test_a_change_of_speed_covers_the_mean_speed_whatever_the_step(tmp_path: Path, shape: str, dt: float) -> None:
    content = text(
        init=private("Ego", at(50.0), speed(10.0)), story=act(maneuver(event("e", speed(30.0, shape, "time", 4.0), "")))
    )
    run = until(execution(tmp_path, content, dt=dt), 4.0)
    assert run.motions["Ego"].speed == pytest.approx(30.0)
    assert x_y(run)[0] == pytest.approx(50.0 + 4.0 * 20.0, abs=1e-6)
    assert times(run, "e", board.END) == [4.0]


def test_braking_distance_is_v_squared_over_two_a(tmp_path: Path) -> None:
    content = text(
        init=private("Ego", at(50.0), speed(20.0)),
        story=act(maneuver(event("e", speed(0.0, "linear", "rate", 5.0), ""))),
    )
    run = until(execution(tmp_path, content), 6.0)
    assert x_y(run)[0] == pytest.approx(50.0 + 20.0**2 / 10.0, abs=1e-6)
    assert times(run, "e", board.END) == [4.0]


def test_a_speed_over_a_distance_covers_exactly_the_distance(tmp_path: Path) -> None:
    story = act(maneuver(event("e", speed(20.0, "cubic", "distance", 60.0), "")))
    run = execution(tmp_path, text(init=private("Ego", at(50.0)), story=story))
    while not times(run, "e", board.END):
        run.step()
    assert x_y(run)[0] == pytest.approx(110.0, abs=0.11), "from standstill too; the step is 0.2 m at 20 m/s"


@pytest.mark.parametrize("shape", ["cubic", "sinusoidal", "linear"])
def test_lane_change_keeps_the_speed_along_the_path(tmp_path: Path, shape: str) -> None:
    content = text(
        init=private("Ego", at(50.0), speed(20.0)), story=act(maneuver(event("e", lane_change(-2, 2.0, shape), "")))
    )
    run, path, last = execution(tmp_path, content), 0.0, (50.0, -1.75)
    while run.time_s < 3.0:
        run.step()
        path, last = path + math.dist(last, x_y(run)), x_y(run)
    assert path == pytest.approx(60.0, abs=1e-6)
    assert last[1] == pytest.approx(-5.25, abs=1e-9)
    assert times(run, "e", board.END) == [2.0]


def test_lane_change_at_half_time_is_half_way_with_the_peak_slope(tmp_path: Path) -> None:
    content = text(
        init=private("Ego", at(50.0), speed(20.0)), story=act(maneuver(event("e", lane_change(-2, 2.0), "")))
    )
    pose = until(execution(tmp_path, content), 1.0).motions["Ego"].pose
    assert pose.y == pytest.approx(-3.5, abs=1e-7)
    assert math.sin(pose.heading) * 20.0 == pytest.approx(-math.pi / 2 * 3.5 / 2.0, rel=1e-5)


def test_lane_change_over_a_distance(tmp_path: Path) -> None:
    content = text(
        init=private("Ego", at(50.0), speed(10.0)),
        story=act(maneuver(event("e", lane_change(-2, 50.0, "linear", "distance"), ""))),
    )
    run = until(execution(tmp_path, content), 2.5)
    assert x_y(run)[1] == pytest.approx(-3.5, abs=1e-9)
    assert times(until(run, 6.0), "e", board.END) == [5.0]


def test_lane_change_against_s_goes_to_the_drivers_left(tmp_path: Path) -> None:
    left = (
        '<LateralAction><LaneChangeAction><LaneChangeActionDynamics dynamicsShape="linear" dynamicsDimension="time" value="1"/>'
        '<LaneChangeTarget><RelativeTargetLane entityRef="Ego" value="1"/></LaneChangeTarget></LaneChangeAction></LateralAction>'
    )
    content = text(init=private("Ego", at(500.0, lane=2), speed(10.0)), story=act(maneuver(event("e", left, ""))))
    run = until(execution(tmp_path, content), 2.0)
    assert x_y(run) == pytest.approx((500.0 - math.sqrt(10.0**2 - 3.5**2) - 10.0, 1.75), abs=1e-6)


def test_a_lane_that_does_not_exist_is_an_error_with_a_place(tmp_path: Path) -> None:
    content = text(story=act(maneuver(event("e", lane_change(-3, 1.0), group(after(1.0))))))
    with pytest.raises(OpenScenarioError, match=r"test\.xosc:\d+: <Action>: Ego at 1\.010 s: road 1 has no lane -3"):
        until(execution(tmp_path, content), 2.0)


def test_lane_offset_takes_as_long_as_its_acceleration_allows(tmp_path: Path) -> None:
    offset = (
        '<LateralAction><LaneOffsetAction continuous="false"><LaneOffsetActionDynamics dynamicsShape="sinusoidal" '
        'maxLateralAcc="2"/><LaneOffsetTarget><AbsoluteTargetLaneOffset value="1.0"/></LaneOffsetTarget></LaneOffsetAction>'
        "</LateralAction>"
    )
    run = until(execution(tmp_path, text(story=act(maneuver(event("e", offset, ""))))), 4.0)
    # A sinusoid's largest acceleration is pi^2 A / (2 T^2).
    assert times(run, "e", board.END)[0] == pytest.approx(math.pi * math.sqrt(1.0 / 4.0), abs=0.01)
    assert x_y(run)[1] == pytest.approx(-0.75, abs=1e-9)


@pytest.mark.parametrize("lane", [-2, -1, 1, 2])
def test_on_a_circle_the_speed_is_that_of_the_vehicle_not_of_s(tmp_path: Path, lane: int) -> None:
    start = 20.0 if lane < 0 else 500.0
    content = text(init=private("Ego", at(start, lane=lane), speed(10.0)))
    run = execution(tmp_path, content, circle(100.0))
    radius = 100.0 - {-2: -5.25, -1: -1.75, 1: 1.75, 2: 5.25}[lane]
    before = run.motions["Ego"].pose.heading
    until(run, 5.0)
    pose = run.motions["Ego"].pose
    assert math.hypot(pose.x, pose.y - 100.0) == pytest.approx(radius, abs=1e-6)
    turned = (pose.heading - before + math.pi) % (2 * math.pi) - math.pi
    assert turned == pytest.approx(math.copysign(50.0 / radius, -lane), rel=1e-4)
    acceleration = run.motions["Ego"].acceleration
    assert math.hypot(*acceleration) == pytest.approx(100.0 / radius, rel=1e-3)


def test_at_the_end_of_the_road_the_vehicle_stops(tmp_path: Path) -> None:
    condition = by_entity('<EndOfRoadCondition duration="1.0"/>')
    content = text(
        init=private("Ego", at(990.0), speed(10.0)),
        story=act(maneuver(event("e", lane_change(-2, 0.5), group(condition)))),
    )
    run = until(execution(tmp_path, content), 4.0)
    assert x_y(run)[0] == pytest.approx(1000.0, abs=1e-6)
    assert run.motions["Ego"].speed == 0.0
    assert times(run, "e", board.START)[0] == pytest.approx(2.0, abs=0.03)


def trajectory(points: list[tuple[float, float]], seconds: list[float] | None = None, timing: str = "<None/>") -> str:
    vertices = "".join(
        f'<Vertex{f" time={chr(34)}{seconds[i]}{chr(34)}" if seconds else ""}><Position><WorldPosition x="{x}" y="{y}"/></Position></Vertex>'
        for i, (x, y) in enumerate(points)
    )
    return (
        '<RoutingAction><FollowTrajectoryAction><TrajectoryRef><Trajectory name="t" closed="false"><Shape><Polyline>'
        f"{vertices}</Polyline></Shape></Trajectory></TrajectoryRef><TimeReference>{timing}</TimeReference>"
        '<TrajectoryFollowingMode followingMode="position"/></FollowTrajectoryAction></RoutingAction>'
    )


def test_a_trajectory_without_times_is_followed_at_the_entitys_speed(tmp_path: Path) -> None:
    content = text(
        entities=car("Ego") + walker("W"),
        init=private("Ego", at(50.0)) + private("W", trajectory([(100, -8), (100, 0), (110, 0)]), speed(2.0)),
    )
    run = execution(tmp_path, content)
    assert x_y(run, "W") == pytest.approx((100.0, -8.0))
    assert x_y(until(run, 2.0), "W") == pytest.approx((100.0, -4.0))
    assert run.motions["W"].pose.heading == pytest.approx(math.pi / 2)
    assert x_y(until(run, 6.0), "W") == pytest.approx((104.0, 0.0))
    assert run.motions["W"].pose.heading == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("timing", "at_3"),
    [
        ('<Timing domainAbsoluteRelative="relative" scale="1" offset="0"/>', 102.0),
        ('<Timing domainAbsoluteRelative="absolute" scale="1" offset="0"/>', 103.0),
        ('<Timing domainAbsoluteRelative="relative" scale="2" offset="0"/>', 101.0),
        ('<Timing domainAbsoluteRelative="relative" scale="1" offset="1"/>', 101.0),
    ],
)
def test_a_timed_trajectory_is_followed_at_its_own_times(tmp_path: Path, timing: str, at_3: float) -> None:
    go = trajectory([(100, 0), (104, 0), (124, 0)], [0.0, 4.0, 6.0], timing)
    content = text(
        entities=car("Ego") + car("B"), init=private("Ego", at(50.0)) + private("B", at(10.0), speed(5.0)),
        story=act(maneuver(event("e", go, group(after(1.0, "greaterOrEqual")))), actors="B"),
    )  # fmt: skip
    run = until(execution(tmp_path, content), 3.0)
    assert x_y(run, "B")[0] == pytest.approx(at_3, abs=1e-6)


def test_a_clothoid_trajectory_with_constant_curvature_is_a_circle(tmp_path: Path) -> None:
    shape = (
        '<RoutingAction><FollowTrajectoryAction><TrajectoryRef><Trajectory name="t" closed="false"><Shape>'
        '<Clothoid curvature="0.05" curvaturePrime="0" length="40"><Position><WorldPosition x="100" y="0"/></Position></Clothoid>'
        "</Shape></Trajectory></TrajectoryRef><TimeReference><None/></TimeReference><TrajectoryFollowingMode "
        'followingMode="follow"/></FollowTrajectoryAction></RoutingAction>'
    )
    content = text(init=private("Ego", shape, speed(10.0)))
    pose = until(execution(tmp_path, content), 2.0).motions["Ego"].pose
    assert (pose.x, pose.y) == pytest.approx((100 + 20 * math.sin(1.0), 20 * (1 - math.cos(1.0))), abs=1e-4)
    assert pose.heading == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("final", [None, 5.0, 15.0])
def test_synchronize_meets_the_master(tmp_path: Path, final: float | None) -> None:
    end = "" if final is None else f'<FinalSpeed><AbsoluteSpeed value="{final}"/></FinalSpeed>'
    action = (
        '<SynchronizeAction masterEntityRef="Ego"><TargetPositionMaster><LanePosition roadId="1" laneId="-1" s="200"/>'
        '</TargetPositionMaster><TargetPosition><LanePosition roadId="1" laneId="-2" s="300"/></TargetPosition>'
        f"{end}</SynchronizeAction>"
    )
    content = text(
        entities=car("Ego") + car("B"),
        init=private("Ego", at(100.0), speed(10.0)) + private("B", at(220.0, lane=-2), speed(8.0)),
        story=act(maneuver(event("e", action, "")), actors="B"),
        stop=group(after(20.0)),
    )
    run = until(execution(tmp_path, content, dt=0.05), 10.0)
    assert x_y(run, "Ego")[0] == pytest.approx(200.0)
    assert x_y(run, "B")[0] == pytest.approx(300.0, abs=0.1)
    if final is not None:
        assert run.motions["B"].speed == pytest.approx(final, abs=0.05)
    assert times(until(run, 11.0), "e", board.END)[0] == pytest.approx(10.0, abs=0.06)


@pytest.mark.parametrize("limits", ["", '<DynamicConstraints maxAcceleration="3" maxDeceleration="4" maxSpeed="40"/>'])
@pytest.mark.parametrize("freespace", [True, False])
def test_longitudinal_distance_is_reached_and_kept(tmp_path: Path, limits: str, freespace: bool) -> None:
    action = (
        f'<LongitudinalAction><LongitudinalDistanceAction entityRef="Ego" distance="20" freespace="{str(freespace).lower()}" '
        f'continuous="true">{limits}</LongitudinalDistanceAction></LongitudinalAction>'
    )
    content = text(
        entities=car("Ego") + car("B"),
        init=private("Ego", at(200.0), speed(15.0)) + private("B", at(100.0), speed(20.0), action),
        stop=group(after(60.0)),
    )
    run = until(execution(tmp_path, content, dt=0.05), 40.0)
    gap = x_y(run)[0] - x_y(run, "B")[0] - (5.0 if freespace else 0.0)
    assert gap == pytest.approx(20.0, abs=0.1)
    assert run.motions["B"].speed == pytest.approx(15.0, abs=0.05)


def test_relative_speed_follows_a_continuous_target(tmp_path: Path) -> None:
    follow = (
        '<LongitudinalAction><SpeedAction><SpeedActionDynamics dynamicsShape="step" dynamicsDimension="time" value="0"/>'
        '<SpeedActionTarget><RelativeTargetSpeed entityRef="Ego" value="0.5" speedTargetValueType="factor" continuous="true"/>'
        "</SpeedActionTarget></SpeedAction></LongitudinalAction>"
    )
    content = text(
        entities=car("Ego") + car("B"), init=private("Ego", at(100.0), speed(10.0)) + private("B", at(50.0), follow),
        story=act(maneuver(event("e", speed(30.0, "linear", "time", 2.0), group(after(1.0))))),
    )  # fmt: skip
    run = execution(tmp_path, content)
    assert run.motions["B"].speed == 5.0
    assert until(run, 4.0).motions["B"].speed == pytest.approx(15.0)


def test_a_pedestrian_across_the_road_walks_across_it(tmp_path: Path) -> None:
    across = '<Orientation type="relative" h="1.5707963267948966"/>'
    content = text(
        entities=car("Ego") + walker("W"),
        init=private("Ego", at(50.0)) + private("W", at(80.0, -2, -1.0, across), speed(1.5)),
    )
    run = until(execution(tmp_path, content), 2.0)
    assert x_y(run, "W") == pytest.approx((80.0, -3.25), abs=1e-6)


def test_collision_is_seen_when_boxes_touch(tmp_path: Path) -> None:
    condition = by_entity('<CollisionCondition><EntityRef entityRef="B"/></CollisionCondition>')
    content = text(
        entities=car("Ego") + car("B"), init=private("Ego", at(50.0), speed(10.0)) + private("B", at(75.0)),
        story=act(maneuver(event("hit", speed(0.0), group(condition)))),
    )  # fmt: skip
    run = until(execution(tmp_path, content), 5.0)
    assert times(run, "hit", board.START) == [2.0], "20 m bumper to bumper at 10 m/s"
    hit = run.outcome.collisions[0]
    assert (hit.time_s, hit.first, hit.second, hit.impact_speed) == (2.0, "B", "Ego", 10.0)
    assert run.outcome.verdict == "fail"


def test_a_trailer_follows_its_hitch(tmp_path: Path) -> None:
    coupled = car("Ego").replace(
        "</Vehicle>", '<TrailerHitch dx="-1.2"/><Trailer><TrailerRef entityRef="T"/></Trailer></Vehicle>'
    )
    towed = car("T").replace("</Vehicle>", '<TrailerCoupler dx="4.0"/></Vehicle>')
    content = text(entities=coupled + towed, init=private("Ego", at(50.0), speed(10.0)))
    run = execution(tmp_path, content, circle(50.0))
    assert isinstance(run.world.entities["T"].record, VehicleRecord)
    until(run, 8.0)
    hitch, trailer = run.motions["Ego"].pose.point(-1.2, 0.0), run.motions["T"].pose
    assert math.dist(hitch[:2], trailer.point(4.0, 0.0)[:2]) < 1e-9
    # Steady turning: the axle of a towed trailer runs on the circle with r^2 = r_hitch^2 - coupler^2.
    hitch_radius = math.hypot(51.75, 1.2)
    assert math.hypot(trailer.x, trailer.y - 50.0) == pytest.approx(math.sqrt(hitch_radius**2 - 16.0), abs=0.01)


def test_storyboard_state_of_an_init_action_does_not_matter(tmp_path: Path) -> None:
    story = act(maneuver(event("e", speed(1.0), group(state("event", "e", "standbyState")))))
    assert times(until(execution(tmp_path, text(story=story)), 0.5), "e", board.START) == [0.0]


@pytest.mark.parametrize("lane", [-1, 1])
def test_a_negative_speed_drives_backwards_and_looks_ahead(tmp_path: Path, lane: int) -> None:
    """From 5 m/s to -5 m/s with 5 m/s^2: after 2 s it is where it was, then it goes back."""
    content = text(init=private("Ego", at(500.0, lane=lane), speed(5.0), speed(-5.0, "linear", "rate", 5.0)))
    run = until(execution(tmp_path, content), 2.0)
    heading = run.motions["Ego"].pose.heading
    assert x_y(run)[0] == pytest.approx(500.0, abs=1e-6)
    until(run, 4.0)
    assert x_y(run)[0] == pytest.approx(500.0 + (10.0 if lane > 0 else -10.0), abs=1e-6)
    assert run.motions["Ego"].pose.heading == heading
    assert run.motions["Ego"].velocity[0] == pytest.approx(5.0 if lane > 0 else -5.0)
    assert run.world.entities["Ego"].traveled_m == pytest.approx(15.0)


def test_a_trajectory_is_driven_backwards_with_a_negative_speed(tmp_path: Path) -> None:
    content = text(init=private("Ego", speed(-2.0), trajectory([(100, 0), (90, 0), (90, 10)])))
    run = until(execution(tmp_path, content), 4.0)
    pose = run.motions["Ego"].pose
    assert (pose.x, pose.y, math.cos(pose.heading)) == pytest.approx((92.0, 0.0, 1.0), abs=1e-6)
    assert run.motions["Ego"].velocity[0] == pytest.approx(-2.0)
    assert x_y(until(run, 7.0)) == pytest.approx((90.0, 4.0))

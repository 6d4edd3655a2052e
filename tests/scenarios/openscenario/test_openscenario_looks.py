"""Which way somebody looks along a trajectory, and what follows from it for the direction of travel."""

# ruff: noqa: E501 - lines of XML stay whole
from __future__ import annotations

import math
from pathlib import Path

import numpy as np
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
    speed,
    text,
    times,
    until,
)
from pure_world import PurePort

from scenarios.openscenario import Execution, load
from scenarios.openscenario.curves import polyline
from scenarios.openscenario.looks import CORNER_M, Written

Point = tuple[float, float, float | None]


def follow(
    points: list[Point],
    mode: str = "position",
    timed: list[float] | None = None,
    offset: float = 0.0,
    closed: bool = False,
    lift: list[float] | None = None,
) -> str:
    """FollowTrajectoryAction along points (x, y, heading or None)."""
    vertices = ""
    for i, (x, y, h) in enumerate(points):
        time = "" if timed is None else f' time="{timed[i]}"'
        heading = "" if h is None else f' h="{h!r}"'
        z = "" if lift is None else f' z="{lift[i]}"'
        vertices += f'<Vertex{time}><Position><WorldPosition x="{x}" y="{y}"{z}{heading}/></Position></Vertex>'
    reference = "<None/>" if timed is None else '<Timing domainAbsoluteRelative="relative" scale="1" offset="0"/>'
    return (
        f'<RoutingAction><FollowTrajectoryAction initialDistanceOffset="{offset}"><TrajectoryRef><Trajectory name="t" closed="{str(closed).lower()}"><Shape><Polyline>'
        f"{vertices}</Polyline></Shape></Trajectory></TrajectoryRef><TimeReference>{reference}</TimeReference>"
        f'<TrajectoryFollowingMode followingMode="{mode}"/></FollowTrajectoryAction></RoutingAction>'
    )


def off_road(y: float, *headings: float | None) -> list[Point]:
    """Points 20 m apart along x, beside the road."""
    return [(100.0 + 20.0 * i, y, h) for i, h in enumerate(headings)]


@pytest.mark.parametrize(
    ("headings", "mode", "x", "expected"),
    [
        # In mode follow the heading goes evenly from vertex to vertex.
        ((0.0, 0.4), "follow", 105.0, 0.1),
        # In mode position it belongs to the segment that begins there, and turns within 2 m of the vertices.
        ((0.0, 0.4, 0.4), "position", 110.0, 0.0),
        ((0.0, 0.4, 0.4), "position", 120.0, 0.2),
        ((0.0, 0.4, 0.4), "position", 119.0, 0.1),
        ((0.0, 0.4, 0.4), "position", 121.0, 0.3),
        # The last vertex has no segment of its own: it is reached at it.
        ((0.0, 0.4), "position", 119.0, 0.2),
        # Without a heading one looks along the path.
        ((None, 0.4, None), "position", 130.0, 0.4),
        ((0.4, None, None), "position", 130.0, 0.0),
    ],
)
def test_headings_at_vertices(
    tmp_path: Path, headings: tuple[float | None, ...], mode: str, x: float, expected: float
) -> None:
    init = private("Ego", at(50.0), speed(10.0), follow(off_road(30.0, *headings), mode))
    run = until(execution(tmp_path, text(init=init)), (x - 100.0) / 10.0)
    motion = run.motions["Ego"]
    assert (motion.pose.x, motion.pose.y) == pytest.approx((x, 30.0), abs=1e-6)
    assert math.remainder(motion.pose.heading - expected, 2.0 * math.pi) == pytest.approx(0.0, abs=1e-6)
    assert motion.velocity == pytest.approx((10.0, 0.0, 0.0), abs=1e-6), "one drifts: the velocity is the path's"


def test_pitch_and_roll_at_vertices() -> None:
    looks = polyline(
        np.array([[0.0, 0.0, 0.0], [10.0, 0.0, 0.0]]),
        None,
        lambda x, y: 0.0,
        False,
        [Written(0.1, 0.2, 0.3), Written(0.3, 0.4, 0.5)],
    ).looks
    assert looks is not None
    assert looks.at(5.0, True) == pytest.approx((0.2, 0.3, 0.4))
    assert looks.at(5.0, False) == pytest.approx((0.1, 0.2, 0.3))


def test_headings_turn_the_short_way() -> None:
    points = np.array([[0.0, 0.0, 0.0], [10.0, 0.0, 0.0]])
    looks = polyline(points, None, lambda x, y: 0.0, False, [Written(math.pi - 0.1), Written(0.3 - math.pi)]).looks
    assert looks is not None
    assert looks.at(5.0, True)[0] == pytest.approx(0.1 - math.pi)


def test_of_vertices_in_one_place_the_last_heading_holds() -> None:
    points = np.array([[0.0, 0.0, 0.0], [10.0, 0.0, 0.0], [10.0, 0.0, 0.0], [20.0, 0.0, 0.0]])
    looks = polyline(points, None, lambda x, y: 0.0, False, [Written(), Written(0.5), Written(1.0), Written()]).looks
    assert looks is not None
    assert looks.at(15.0, False)[0] == pytest.approx(1.0)
    assert looks.is_written(15.0)
    assert not looks.is_written(5.0)


def test_half_a_segment_is_the_corner_of_a_short_one() -> None:
    points = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    looks = polyline(points, None, lambda x, y: 0.0, False, [Written(0.0), Written(0.4), Written(0.4)]).looks
    assert looks is not None
    assert CORNER_M > 0.5
    assert [looks.at(s, False)[0] for s in (0.5, 0.75, 1.0, 1.25)] == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_a_path_through_the_air_pitches_the_nose_up(tmp_path: Path) -> None:
    init = private("Ego", at(50.0), speed(10.0), follow(off_road(30.0, None, None), "follow", lift=[0.0, 5.0]))
    run = until(execution(tmp_path, text(init=init)), 1.0)
    assert run.motions["Ego"].pose.pitch == pytest.approx(-math.atan(0.25))


@pytest.mark.parametrize(
    ("value", "heading", "x"),
    [
        # Looking along the path: forwards along it; backwards there is no way to go.
        (10.0, 0.0, 110.0),
        # Looking against it, one goes along it backwards.
        (-10.0, math.pi, 110.0),
        # Without a heading, a negative speed means looking back.
        (-10.0, None, 110.0),
    ],
)
def test_the_speed_counts_where_one_looks(tmp_path: Path, value: float, heading: float | None, x: float) -> None:
    init = private("Ego", at(50.0), speed(value), follow(off_road(30.0, heading, heading, heading)))
    run = until(execution(tmp_path, text(init=init)), 1.0)
    motion = run.motions["Ego"]
    assert (motion.pose.x, motion.speed) == pytest.approx((x, value))
    looks_back = math.cos(motion.pose.heading) < 0.0
    assert looks_back == (value < 0.0)
    assert motion.velocity[0] == pytest.approx(10.0)


def test_looking_against_the_path_with_a_positive_speed_one_is_at_its_start_at_once(tmp_path: Path) -> None:
    drive = event("drive", follow(off_road(30.0, math.pi, math.pi)), group(after(0.5)))
    run = until(execution(tmp_path, text(init=private("Ego", at(50.0), speed(10.0)), story=act(maneuver(drive)))), 1.0)
    assert times(run, "drive", "endTransition") == pytest.approx([0.52], abs=0.011)
    assert run.motions["Ego"].pose.x < 100.0, "it goes on where it looks"


def test_the_property_of_recordings_frees_the_speed_from_the_heading(tmp_path: Path) -> None:
    entity = car("Ego").replace(
        "</Vehicle>", '<Properties><Property name="ignoreHeadingForTrajMotion" value="true"/></Properties></Vehicle>'
    )
    init = private("Ego", at(50.0), speed(10.0), follow(off_road(30.0, math.pi, math.pi)))
    run = until(execution(tmp_path, text(entities=entity, init=init)), 1.0)
    assert run.motions["Ego"].pose.x == pytest.approx(110.0)
    assert abs(run.motions["Ego"].pose.heading) == pytest.approx(math.pi)


def test_timed_and_looking_back_means_a_negative_speed_that_stays(tmp_path: Path) -> None:
    way = off_road(-1.75, math.pi, math.pi)
    init = private("Ego", at(50.0), speed(0.0), follow(way, timed=[0.0, 2.0]))
    run = until(execution(tmp_path, text(init=init)), 1.0)
    assert (run.motions["Ego"].pose.x, run.motions["Ego"].speed) == pytest.approx((110.0, -10.0))
    assert until(run, 3.0).motions["Ego"].pose.x == pytest.approx(130.0), "it backs on along the lane"


def test_the_last_step_of_a_trajectory_is_a_whole_one(tmp_path: Path) -> None:
    # 20 m in 1.996 s: the last 4 ms of the step at 2.0 s are driven beyond the end, at the speed there.
    init = private("Ego", at(50.0), speed(0.0), follow(off_road(-1.75, None, None), timed=[0.0, 1.996]))
    run = until(execution(tmp_path, text(init=init)), 2.0)
    pace = 20.0 / 1.996
    assert (run.motions["Ego"].pose.x, run.motions["Ego"].speed) == pytest.approx((100.0 + 2.0 * pace, pace))
    init = private("Ego", at(50.0), speed(30.1), follow(off_road(-1.75, None, None)))
    run = until(execution(tmp_path, text(init=init)), 0.67)
    assert run.motions["Ego"].pose.x == pytest.approx(100.0 + 0.67 * 30.1)


def test_who_starts_further_on_saves_the_time_up_to_there(tmp_path: Path) -> None:
    init = private(
        "Ego", at(50.0), speed(0.0), follow(off_road(30.0, None, None, None), timed=[0.0, 2.0, 3.0], offset=10.0)
    )
    run = execution(tmp_path, text(init=init))
    assert until(run, 0.5).motions["Ego"].pose.x == pytest.approx(115.0)
    assert until(run, 1.5).motions["Ego"].pose.x == pytest.approx(130.0)


def test_a_closed_trajectory_without_times_has_no_end(tmp_path: Path) -> None:
    square = [(100.0, 30.0, None), (110.0, 30.0, None), (110.0, 40.0, None), (100.0, 40.0, None)]
    drive = event("drive", follow(square, closed=True), group(after(0.0, "greaterOrEqual")))
    run = until(execution(tmp_path, text(init=private("Ego", at(50.0), speed(10.0)), story=act(maneuver(drive)))), 8.5)
    pose = run.motions["Ego"].pose
    assert (pose.x, pose.y) == pytest.approx((105.0, 30.0), abs=0.11)
    assert times(run, "drive", "endTransition") == []


def test_without_roads_a_trajectory_is_the_whole_way(tmp_path: Path) -> None:
    place = '<TeleportAction><Position><WorldPosition x="0" y="0"/></Position></TeleportAction>'
    drive = event("drive", follow([(0.0, 0.0, None), (10.0, 0.0, None)]), group(after(0.0, "greaterOrEqual")))
    again = event("again", speed(5.0), group(after(2.0)))
    slower = event("slower", speed(2.0, "linear", "time", 1.0), group(after(3.0)))
    content = text(init=private("Ego", place, speed(10.0)), story=act(maneuver(drive, again, slower)))
    file = tmp_path / "test.xosc"
    file.write_text(content, encoding="utf-8")
    run = Execution(load(file), None, PurePort(), 0.01)
    run.start()
    until(run, 1.9)
    assert (run.motions["Ego"].pose.x, run.motions["Ego"].speed) == pytest.approx((10.0, 0.0), abs=0.11)
    assert until(run, 3.0).motions["Ego"].speed == pytest.approx(5.0), "who is asked for a speed goes on"
    assert until(run, 6.0).motions["Ego"].speed == pytest.approx(2.0)


def test_conditions_on_lanes_and_roads_see_who_follows_a_trajectory(tmp_path: Path) -> None:
    init = private("Ego", at(100.0), speed(0.0)) + private(
        "B", at(50.0), speed(10.0), follow(off_road(-1.75, None, None, None))
    )
    near = by_entity(
        '<RelativeDistanceCondition entityRef="B" relativeDistanceType="longitudinal" coordinateSystem="road" freespace="false" value="10" rule="greaterThan"/>'
    )
    angle = by_entity(
        '<AngleCondition angle="0" angleTolerance="0.01" angleType="heading" coordinateSystem="lane"/>', "B"
    )
    clear = by_entity(
        '<RelativeClearanceCondition oppositeLanes="false" distanceForward="10" distanceBackward="0" freeSpace="false"><EntityRef entityRef="B"/><RelativeLaneRange from="0" to="0"/></RelativeClearanceCondition>'
    )
    story = act(
        maneuver(
            event("near", speed(0.0), group(near)),
            event("angle", speed(0.0), group(angle)),
            event("clear", speed(0.0), group(clear)),
        )
    )
    run = until(execution(tmp_path, text(entities=car("Ego") + car("B"), init=init, story=story)), 3.0)
    assert times(run, "near", "startTransition") == pytest.approx([1.01], abs=0.011)
    assert times(run, "angle", "startTransition") == [0.0]
    assert times(run, "clear", "startTransition") == pytest.approx([1.01], abs=0.011)


def test_a_relative_lane_position_by_ds_looks_along_the_road(tmp_path: Path) -> None:
    for along, heading in (('ds="10"', 0.0), ('dsLane="10"', math.pi)):
        place = f'<TeleportAction><Position><RelativeLanePosition entityRef="B" dLane="0" {along}/></Position></TeleportAction>'
        init = private("B", at(500.0, lane=1)) + private("Ego", place)
        pose = execution(tmp_path, text(entities=car("Ego") + car("B"), init=init)).motions["Ego"].pose
        assert abs(pose.heading) == pytest.approx(heading, abs=1e-9)

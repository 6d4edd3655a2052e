"""Distances, headway, time to collision and the other conditions against closed-form cases."""

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
    by_value,
    car,
    circle,
    event,
    execution,
    group,
    maneuver,
    private,
    speed,
    text,
    times,
    until,
    walker,
)  # fmt: skip
from pure_world import PurePort

from scenarios.openscenario import board
from scenarios.openscenario.distances import Measure

MOVE = speed(0.0)


def fires(
    tmp_path: Path, condition: str, init: str, entities: str, network: object = None, end: float = 12.0
) -> list[float]:
    content = text(
        entities=entities, init=init, story=act(maneuver(event("e", MOVE, group(condition)))), stop=group(after(end))
    )
    run = until(execution(tmp_path, content, network), end)  # type: ignore[arg-type]
    return times(run, "e", board.START)


TWO = car("Ego") + car("B")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        # Ego at 100 with 20 m/s, B at 200 with 10 m/s in the same lane: the distance is 100 - 10 t.
        (
            'value="20" freespace="false" rule="lessThan" relativeDistanceType="longitudinal" coordinateSystem="road"',
            8.01,
        ),
        (
            'value="20" freespace="true" rule="lessThan" relativeDistanceType="longitudinal" coordinateSystem="lane"',
            7.51,
        ),
        ('value="20" freespace="true" rule="lessThan" relativeDistanceType="euclidianDistance"', 7.51),
        ('value="20" freespace="false" rule="lessThan" relativeDistanceType="cartesianDistance"', 8.01),
        ('value="20" freespace="false" rule="lessOrEqual" relativeDistanceType="longitudinal"', 8.0),
    ],
)
def test_relative_distance(tmp_path: Path, attributes: str, expected: float) -> None:
    condition = by_entity(f'<RelativeDistanceCondition entityRef="B" {attributes}/>')
    init = private("Ego", at(100.0), speed(20.0)) + private("B", at(200.0), speed(10.0))
    assert fires(tmp_path, condition, init, TWO) == [expected]


@pytest.mark.parametrize(("freespace", "expected"), [("false", 6.01), ("true", 5.51)])
def test_time_headway_is_distance_over_own_speed(tmp_path: Path, freespace: str, expected: float) -> None:
    condition = by_entity(
        f'<TimeHeadwayCondition entityRef="B" value="2" freespace="{freespace}" alongRoute="true" rule="lessThan"/>'
    )
    init = private("Ego", at(100.0), speed(20.0)) + private("B", at(200.0), speed(10.0))
    assert fires(tmp_path, condition, init, TWO) == [expected]


def test_time_headway_is_infinite_at_a_standstill_and_falls_without_an_edge(tmp_path: Path) -> None:
    """Above the value from the start on: there is no rising edge when the entity starts to move."""
    inner = '<TimeHeadwayCondition entityRef="B" value="2" freespace="false" alongRoute="true" rule="greaterThan"/>'
    init = private("Ego", at(100.0), speed(20.0, "linear", "time", 4.0)) + private("B", at(200.0), speed(10.0))
    assert fires(tmp_path, by_entity(inner, edge="rising"), init, TWO, end=3.0) == []
    assert fires(tmp_path, by_entity(inner), init, TWO, end=3.0) == [0.0]


def test_time_headway_to_what_is_behind_does_not_exist(tmp_path: Path) -> None:
    condition = by_entity(
        '<TimeHeadwayCondition entityRef="B" value="99" freespace="false" coordinateSystem="road" relativeDistanceType="longitudinal" rule="lessThan"/>'
    )
    init = private("Ego", at(200.0), speed(20.0)) + private("B", at(100.0), speed(10.0))
    assert fires(tmp_path, condition, init, TWO, end=3.0) == []


@pytest.mark.parametrize(("freespace", "expected"), [("false", 6.01), ("true", 5.51)])
def test_time_to_collision_is_distance_over_closing_speed(tmp_path: Path, freespace: str, expected: float) -> None:
    condition = by_entity(
        f'<TimeToCollisionCondition value="4" freespace="{freespace}" rule="lessThan" coordinateSystem="lane" '
        'relativeDistanceType="longitudinal"><TimeToCollisionConditionTarget><EntityRef entityRef="B"/>'
        "</TimeToCollisionConditionTarget></TimeToCollisionCondition>"
    )
    init = private("Ego", at(100.0), speed(20.0)) + private("B", at(200.0), speed(10.0))
    assert fires(tmp_path, condition, init, TWO) == [expected]


def test_time_to_collision_of_the_slower_follower_does_not_exist(tmp_path: Path) -> None:
    condition = by_entity(
        '<TimeToCollisionCondition value="4" freespace="false" rule="greaterThan"><TimeToCollisionConditionTarget>'
        '<EntityRef entityRef="B"/></TimeToCollisionConditionTarget></TimeToCollisionCondition>'
    )
    init = private("Ego", at(100.0), speed(5.0)) + private("B", at(200.0), speed(10.0))
    assert fires(tmp_path, condition, init, TWO, end=3.0) == []


def test_time_to_collision_with_an_oncoming_car_adds_speeds(tmp_path: Path) -> None:
    condition = by_entity(
        '<TimeToCollisionCondition value="2" freespace="false" rule="lessThan" coordinateSystem="road" relativeDistanceType='
        '"longitudinal"><TimeToCollisionConditionTarget><EntityRef entityRef="B"/></TimeToCollisionConditionTarget>'
        "</TimeToCollisionCondition>"
    )
    init = private("Ego", at(100.0), speed(20.0)) + private("B", at(250.0, lane=1), speed(10.0))
    assert fires(tmp_path, condition, init, TWO) == [3.01], "150 m at 30 m/s: 5 s, less 2 s"


def test_time_to_collision_with_a_position(tmp_path: Path) -> None:
    condition = by_entity(
        '<TimeToCollisionCondition value="2" freespace="false" rule="lessThan"><TimeToCollisionConditionTarget><Position>'
        '<LanePosition roadId="1" laneId="-1" s="200"/></Position></TimeToCollisionConditionTarget></TimeToCollisionCondition>'
    )
    assert fires(tmp_path, condition, private("Ego", at(100.0), speed(20.0)), car("Ego")) == [3.01]


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('<SpeedCondition value="15" rule="greaterThan"/>', 2.51),
        ('<SpeedCondition value="15" rule="greaterThan" direction="longitudinal"/>', 2.51),
        ('<AccelerationCondition value="1.9" rule="greaterThan" direction="longitudinal"/>', 0.01),
        ('<TraveledDistanceCondition value="11"/>', 1.0),
        (
            '<ReachPositionCondition tolerance="2"><Position><LanePosition roadId="1" laneId="-1" s="63"/></Position></ReachPositionCondition>',
            1.0,
        ),
        (
            '<DistanceCondition value="2" freespace="false" rule="lessOrEqual"><Position><LanePosition roadId="1" laneId="-1" s="63"/></Position></DistanceCondition>',
            1.0,
        ),
    ],
)
def test_conditions_on_one_accelerating_car(tmp_path: Path, inner: str, expected: float) -> None:
    """From 10 m/s at 50 m with 2 m/s^2: x = 50 + 10 t + t^2."""
    init = private("Ego", at(50.0), speed(10.0), speed(30.0, "linear", "rate", 2.0))
    assert fires(tmp_path, by_entity(inner), init, car("Ego")) == [expected]


def test_stand_still_needs_its_duration(tmp_path: Path) -> None:
    init = private("Ego", at(50.0), speed(10.0), speed(0.0, "linear", "rate", 5.0))
    start = fires(tmp_path, by_entity('<StandStillCondition duration="1.5"/>'), init, car("Ego"))
    assert start[0] == pytest.approx(3.5, abs=0.011)


def test_relative_speed_is_own_minus_reference(tmp_path: Path) -> None:
    condition = by_entity('<RelativeSpeedCondition entityRef="B" value="-4" rule="lessThan"/>')
    init = private("Ego", at(50.0), speed(10.0), speed(0.0, "linear", "rate", 5.0)) + private(
        "B", at(100.0), speed(10.0)
    )
    assert fires(tmp_path, condition, init, TWO) == [0.81]


def test_off_road_counts_from_leaving_it(tmp_path: Path) -> None:
    across = '<Orientation type="relative" h="-1.5707963267948966"/>'
    init = private("Ego", at(50.0)) + private("W", at(80.0, -2, 0.0, across), speed(1.0))
    start = fires(tmp_path, by_entity('<OffroadCondition duration="1"/>', "W"), init, car("Ego") + walker("W"), end=3.0)
    assert start[0] == pytest.approx(1.75 + 1.0, abs=0.03)


def test_distance_along_a_curved_road_is_longer_than_the_straight_line(tmp_path: Path) -> None:
    content = text(entities=TWO, init=private("Ego", at(10.0)) + private("B", at(110.0)))
    world = execution(tmp_path, content, circle(100.0)).world
    ego, other = world.entities["Ego"], world.entities["B"]

    def measured(system: str, kind: str) -> float:
        gap = Measure(system, kind, False).between(world, ego, other)
        assert gap is not None
        return gap.distance

    assert measured("road", "longitudinal") == pytest.approx(100.0)
    assert measured("lane", "longitudinal") == pytest.approx(101.75, rel=1e-4)
    assert measured("entity", "euclidian") == pytest.approx(2 * 101.75 * math.sin(0.5))
    assert measured("entity", "longitudinal") == pytest.approx(101.75 * math.sin(1.0))
    assert measured("entity", "lateral") == pytest.approx(101.75 * (1 - math.cos(1.0)))


def test_parameters_variables_and_time_of_day(tmp_path: Path) -> None:
    noon = (
        '<GlobalAction><EnvironmentAction><Environment name="e"><TimeOfDay animation="true" dateTime="2024-06-01T11:59:58"/>'
        "</Environment></EnvironmentAction></GlobalAction>"
    )
    count = '<GlobalAction><VariableAction variableRef="n"><ModifyAction><Rule><AddValue value="2"/></Rule></ModifyAction></VariableAction></GlobalAction>'
    flag = '<GlobalAction><ParameterAction parameterRef="p"><SetAction value="yes"/></ParameterAction></GlobalAction>'
    story = act(
        maneuver(
            event("count", count, group(after(1.0)), maximum=3),
            event("three", flag, group(by_value('<VariableCondition variableRef="n" value="5" rule="greaterThan"/>'))),
            event(
                "yes", speed(1.0), group(by_value('<ParameterCondition parameterRef="p" value="yes" rule="equalTo"/>'))
            ),
            event(
                "noon",
                speed(2.0),
                group(by_value('<TimeOfDayCondition dateTime="2024-06-01T12:00:00" rule="greaterThan"/>')),
            ),
        )
    )
    content = text(
        init=noon + private("Ego", at(50.0), speed(10.0)), story=story,
        declarations='<ParameterDeclaration name="p" parameterType="string" value="no"/>',
        head='<VariableDeclarations><VariableDeclaration name="n" variableType="int" value="0"/></VariableDeclarations>',
    )  # fmt: skip
    run = until(execution(tmp_path, content), 4.0)
    assert times(run, "count", board.START) == [1.01, 1.02, 1.03]
    assert times(run, "three", board.START) == [1.03]
    assert times(run, "yes", board.START) == [1.03]
    assert times(run, "noon", board.START) == [2.01]


def test_relative_clearance(tmp_path: Path) -> None:
    """Ego closes in with 10 m/s on B, 60 m ahead in the next lane to the right."""
    free = (
        '<RelativeClearanceCondition oppositeLanes="false" distanceForward="30" distanceBackward="10" freeSpace="false">'
        '<RelativeLaneRange from="-1" to="-1"/></RelativeClearanceCondition>'
    )
    content = text(
        entities=TWO, init=private("Ego", at(100.0), speed(20.0)) + private("B", at(160.0, lane=-2), speed(10.0)),
        story=act(maneuver(event("closed", '<VisibilityAction graphics="true" sensors="true" traffic="true"/>', group(by_entity(free, edge="falling"))),
                           event("free", '<VisibilityAction graphics="true" sensors="true" traffic="true"/>', group(by_entity(free, edge="rising"))))),
    )  # fmt: skip
    run = until(execution(tmp_path, content), 9.0)
    assert times(run, "closed", board.START) == [3.0]
    assert times(run, "free", board.START) == [7.01]
    assert isinstance(run.world.port, PurePort)

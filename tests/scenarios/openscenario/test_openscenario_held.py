"""Small mean files that were held against another engine (esmini): what both do, and where ours follows the standard."""

# ruff: noqa: E501 - lines of XML stay whole
from __future__ import annotations

import math
from pathlib import Path

import pytest
from building import (
    act,
    after,
    at,
    car,
    event,
    execution,
    group,
    lane_change,
    maneuver,
    private,
    read,
    speed,
    text,
    times,
    until,
)
from hypothesis import given
from hypothesis import strategies as st

from scenarios import opendrive
from scenarios.openscenario import OpenScenarioError
from scenarios.openscenario.actions.control import CAR_KG
from scenarios.openscenario.actions.synchronize import least_peak
from scenarios.openscenario.roads import Roads, Track


def offset(value: float) -> str:
    return (
        '<LateralAction><LaneOffsetAction continuous="false"><LaneOffsetActionDynamics dynamicsShape="sinusoidal" '
        f'maxLateralAcc="2"/><LaneOffsetTarget><AbsoluteTargetLaneOffset value="{value}"/></LaneOffsetTarget>'
        "</LaneOffsetAction></LateralAction>"
    )


def test_who_is_stopped_on_the_way_to_a_lane_keeps_the_one_they_are_on(tmp_path: Path) -> None:
    # Overridden after 1 of 4 s, the car is 0.5 m on its way to lane -2; an offset is then from the centre of lane -1.
    change = event("change", lane_change(-2, 4.0), group(after(1.0)))
    other = event("other", speed(10.0, "linear", "time", 1.0), group(after(2.0)), "override")
    beside = event("beside", offset(0.6), group(after(4.0)))
    run = until(execution(tmp_path, text(story=act(maneuver(change, other, beside)))), 3.9)
    assert -3.5 < run.motions["Ego"].pose.y < -1.8
    assert run.world.entities["Ego"].track.lane_id == -1  # type: ignore[union-attr]
    assert until(run, 9.0).motions["Ego"].pose.y == pytest.approx(-1.75 + 0.6, abs=1e-6)


@pytest.mark.parametrize(("begin", "side"), [(2.0, -1.75), (4.5, -1.75)])
def test_a_lane_change_taken_over_by_another_does_not_jump(tmp_path: Path, begin: float, side: float) -> None:
    there = event("there", lane_change(-2, 4.0), group(after(1.0)))
    back = event("back", lane_change(-1, 3.0), group(after(begin)))
    run = execution(tmp_path, text(story=act(maneuver(there), maneuver(back, name="second"))))
    last = run.motions["Ego"].pose.y
    while run.time_s < 9.0:
        run.step()
        assert abs(run.motions["Ego"].pose.y - last) < 0.03
        last = run.motions["Ego"].pose.y
    assert last == pytest.approx(side, abs=1e-6)
    assert times(run, "there-0", "stopTransition") == pytest.approx(times(run, "back", "startTransition"), abs=0.011)


@pytest.mark.parametrize(
    ("action", "seconds"),
    [
        (speed(10.0, "linear", "time", 1.5), 1.5),
        (speed(10.0, "linear", "rate", 1.5), 0.0),
        (speed(10.0, "linear", "distance", 15.0), 0.0),
        (lane_change(-1, 2.0), 0.0),
        (lane_change(-1, 20.0, "cubic", "distance"), 0.0),
    ],
)
def test_how_long_it_takes_to_change_nothing(tmp_path: Path, action: str, seconds: float) -> None:
    run = until(execution(tmp_path, text(story=act(maneuver(event("e", action, group(after(1.0))))))), 4.0)
    (start,), (end,) = times(run, "e", "startTransition"), times(run, "e", "endTransition")
    assert end - start == pytest.approx(seconds, abs=0.011)


def override(part: str) -> str:
    return f"<ControllerAction><OverrideControllerValueAction>{part}</OverrideControllerValueAction></ControllerAction>"


@pytest.mark.parametrize(
    ("part", "mass", "pedal"),
    [
        ('<Brake active="true" value="0.4"/>', None, 0.4),
        ('<Brake active="true"><BrakePercent value="0.4"/></Brake>', None, 0.4),
        # 10 m/s^2 is the most of the test's car: half of 2000 kg * 10 m/s^2.
        ('<Brake active="true"><BrakeForce value="10000"/></Brake>', 2000.0, 0.5),
        ('<Brake active="true"><BrakeForce value="6000"/></Brake>', None, 6000.0 / (CAR_KG * 10.0)),
        ('<Brake active="true"><BrakeForce value="1e6"/></Brake>', None, 1.0),
    ],
)
def test_brakes_are_overridden_by_shares_and_by_newtons(
    tmp_path: Path, part: str, mass: float | None, pedal: float
) -> None:
    entity = car("Ego") if mass is None else car("Ego").replace("<Vehicle ", f'<Vehicle mass="{mass}" ')
    init = private("Ego", at(50.0), override(part))
    run = execution(tmp_path, text(entities=entity, init=init))
    assert run.world.entities["Ego"].overrides["Brake"] == pytest.approx(pedal)


def test_a_negative_pedal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenScenarioError, match=r"<Throttle>: a value of -0\.1 is below 0"):
        read(tmp_path, text(init=private("Ego", at(50.0), override('<Throttle active="true" value="-0.1"/>'))))


def fork(first: str, second: str) -> opendrive.RoadNetwork:
    """A straight road that ends in a junction with two connecting roads of the given geometries, 40 m each."""
    lanes = '<lanes><laneSection s="0"><center><lane id="0" type="none"/></center><right><lane id="-1" type="driving"><width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane></right></laneSection></lanes>'

    def way(id_: str, junction: str, x: float, length: float, link: str, shape: str) -> str:
        return (
            f'<road name="" length="{length}" id="{id_}" junction="{junction}"><link>{link}</link><planView>'
            f'<geometry s="0" x="{x}" y="0" hdg="0" length="{length}">{shape}</geometry></planView>{lanes}</road>'
        )

    before = '<predecessor elementType="road" elementId="1" contactPoint="end"/>'
    connections = "".join(
        f'<connection id="{i}" incomingRoad="1" connectingRoad="{i}" contactPoint="start"><laneLink from="-1" to="-1"/></connection>'
        for i in (10, 11)
    )
    return opendrive.parse(
        '<?xml version="1.0"?><OpenDRIVE><header revMajor="1" revMinor="6" name="t"/>'
        + way("1", "-1", 0.0, 100.0, '<successor elementType="junction" elementId="5"/>', "<line/>")
        + way("10", "5", 100.0, 40.0, before, first)
        + way("11", "5", 100.0, 40.0, before, second)
        + f'<junction id="5" name="">{connections}</junction></OpenDRIVE>',
        "fork",
    )


def test_at_a_fork_the_way_whose_end_leads_straight_on_is_taken() -> None:
    # The first bends less over its first 30 m (0.15 against 0.45 rad), but ends by 0.4 rad; the second ends straight.
    late = '<paramPoly3 pRange="arcLength" aU="0" bU="1" cU="0" dU="0" aV="0" bV="0" cV="0" dV="0.0001"/>'
    s_bend = '<paramPoly3 pRange="arcLength" aU="0" bU="1" cU="0" dU="0" aV="0" bV="0" cV="0.009" dV="-0.00015"/>'
    roads = Roads(fork(late, s_bend))
    track, _ = roads.advance(Track("1", -1, 90.0), 20.0)
    assert track.road_id == "11"


@given(st.floats(0.0, 30.0), st.floats(0.1, 30.0), st.floats(0.5, 30.0), st.floats(0.2, 2.0))
def test_two_opposite_accelerations_cover_the_way_in_time(v0: float, v1: float, seconds: float, part: float) -> None:
    metres = part * 0.5 * (v0 + v1) * seconds
    rate, first = least_peak(v0, v1, metres, seconds)
    rest = seconds - first
    assert 0.0 <= first <= seconds
    assert v0 + rate * (first - rest) == pytest.approx(v1, abs=1e-6)
    peak = v0 + rate * first
    assert 0.5 * (v0 + peak) * first + 0.5 * (peak + v1) * rest == pytest.approx(metres, abs=1e-6)


def test_who_synchronises_arrives_with_the_master_and_at_the_final_speed(tmp_path: Path) -> None:
    # B has 90 m at 8 m/s, Ego 120 m from 10 m/s to 12 m/s: k = (2 e + sqrt(4 e^2 + (T D)^2)) / T^2 with e = -3.75 m.
    place = '<{0}><LanePosition roadId="1" laneId="{1}" s="{2}"/></{0}>'
    sync = (
        '<SynchronizeAction masterEntityRef="B">' + place.format("TargetPositionMaster", -2, 190) + place.format("TargetPosition", -1, 170)
        + '<FinalSpeed><AbsoluteSpeed value="12"/></FinalSpeed></SynchronizeAction>'
    )  # fmt: skip
    init = private("Ego", at(50.0), speed(10.0)) + private("B", at(100.0, lane=-2), speed(8.0))
    story = act(maneuver(event("e", sync, group(after(0.0, "greaterOrEqual")))))
    run = until(
        execution(tmp_path, text(entities=car("Ego") + car("B"), init=init, story=story, stop=group(after(20.0)))), 1.0
    )
    missed, total = 120.0 - 11.0 * 11.25, 11.25
    rate = (2.0 * missed - math.sqrt(4.0 * missed**2 + (2.0 * total) ** 2)) / total**2
    assert run.motions["Ego"].speed == pytest.approx(10.0 + rate, abs=0.01)
    until(run, 11.25)
    assert run.motions["B"].pose.x == pytest.approx(190.0, abs=0.01)
    assert (run.motions["Ego"].pose.x, run.motions["Ego"].speed) == pytest.approx((170.0, 12.0), abs=0.1)

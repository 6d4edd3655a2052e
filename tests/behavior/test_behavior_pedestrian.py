"""Pedestrians on a street: what they do follows from what they saw, who they are, and what drivers do."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from street_world import ROAD, Street, car, parked, steady

from behavior import AgeClass, Carriageway, LaneSample, PedestrianAgent, Percept, Profile, Seen, sample
from behavior.percept import TrafficLane
from foundation.seeds import generator

ADULT = Profile()
FAR = (0.0, 8.5)


def walker(
    profile: Profile = ADULT, goal: tuple[float, float] = FAR, seed: int = 1, haste: float = 0.0
) -> PedestrianAgent:
    return PedestrianAgent(profile, goal, generator(seed, "walker"), haste=haste)


def arrived(street: Street) -> bool:
    return street.agent.arrived


def plans(street: Street) -> list[str]:
    return street.events("plan")


def test_same_side_is_walked_to_without_crossing() -> None:
    street = Street(walker(goal=(10.0, -2.0)), []).run(20.0, arrived)
    assert arrived(street)
    assert plans(street) == ["walk along"]
    # 10.05 m at 1.34 m/s
    assert street.time_s == pytest.approx((math.hypot(10.0, 1.0) - 0.5) / 1.34, abs=0.3)


def test_an_empty_road_is_looked_at_and_crossed() -> None:
    street = Street(walker(), []).run(30.0, arrived)
    assert arrived(street)
    assert plans(street)[:2] == ["cross first", "at a gap"]
    assert "wait_at_kerb" in street.events("do")


def test_an_adult_waits_for_a_near_car_and_crosses_after_it() -> None:
    street = Street(walker(), [car(1, 45.0)])
    street.run(30.0, lambda s: s.y > 0.2)
    (vehicle,) = street.things
    assert vehicle.x < -1.0, "the car has passed before the road is entered"
    street.run(30.0, arrived)
    assert arrived(street)
    assert not street.collided


def test_who_stands_behind_a_van_does_not_believe_in_the_car() -> None:
    """The same car, in plain view, is believed in; hidden by a van it is not, and so it does not keep one waiting."""
    van = parked(2, 5.0, -0.75, height=2.6, width=2.0)
    hidden = Street(walker(), [car(1, 40.0, vx=-2.0), van], y=-1.2)
    seen = Street(walker(), [car(1, 40.0, vx=-2.0)], y=-1.2)
    for street in (hidden, seen):
        street.run(0.6)
    assert 1 not in hidden.agent.traffic
    assert 1 in seen.agent.traffic
    assert 2 in hidden.agent.traffic


def test_a_child_darts_out_without_a_look() -> None:
    child = replace(sample(AgeClass.CHILD, generator(4, "child")), impulsiveness=1.0, run_mps=3.0)
    street = Street(walker(child), [car(1, 60.0)])
    street.run(1.0)
    assert plans(street) == ["cross first", "dart out"]
    assert "wait_at_kerb" not in street.events("do")
    assert street.intention.speed_mps == pytest.approx(3.0)
    assert street.y == pytest.approx(-1.0 + 3.0, abs=0.2), "it has run for the whole second"


def test_who_is_lost_in_a_phone_steps_out() -> None:
    street = Street(walker(replace(ADULT, attention=0.1)), []).run(1.5)
    assert "step out unseeing" in plans(street)
    assert street.y > 0.0


def accelerating(rate: float, after_s: float):  # type: ignore[no-untyped-def]
    """Return a motion: cars brake to yield until ``after_s``, then accelerate."""

    def motion(thing: Seen, dt_s: float, street: Street) -> Seen:
        change = -2.5 if street.time_s < after_s else rate
        speed = max(0.0, thing.speed_mps + change * dt_s)
        return steady(replace(thing, vx=-speed), dt_s, street)

    return motion


def test_retreat_when_a_car_that_seemed_to_yield_does_not() -> None:
    """The car brakes, the pedestrian steps out, the car takes off again: back to the kerb, unhurt, and then across."""
    street = Street(walker(seed=5), [car(1, 36.0, y=2.6)], y=-0.4, motion=accelerating(8.0, 3.0))
    street.run(40.0, arrived)
    assert "danger" in street.events("+b")
    assert "jump aside" in plans(street)
    assert "reach(0.0, 8.5)" in street.events("suspended")
    assert not street.collided
    assert arrived(street)


def test_a_yielding_car_is_believed_and_crossed_in_front_of() -> None:
    street = Street(walker(), [car(1, 38.0)], y=-0.4, motion=accelerating(0.0, math.inf))
    street.run(30.0, arrived)
    (vehicle,) = street.things
    assert vehicle.x > 3.0, "the car still waits"
    assert arrived(street)
    assert not street.collided


def stream(gap_m: float) -> list[Seen]:
    return [car(n, 20.0 + gap_m * n) for n in range(60)]


def test_patience_ends_and_the_goal_is_given_up_where_nothing_else_is_possible() -> None:
    careful = replace(ADULT, patience_s=8.0, compliance=0.9)
    street = Street(walker(careful), stream(15.0)).run(20.0)
    assert street.agent.gave_up
    assert street.y < 0.0
    assert "stand" in plans(street)


def test_the_impatient_accept_risk_or_walk_to_the_zebra() -> None:
    impatient = replace(ADULT, patience_s=6.0, compliance=0.1)
    street = Street(walker(impatient), stream(15.0)).run(15.0)
    assert "accept risk" in plans(street)
    assert ROAD is not None
    # The zebra is 120 m of detour: too far at first, but better than risk for who keeps to the rules.
    with_zebra = replace(ROAD, crosswalks=((60.0, 2.0),))
    patient = replace(ADULT, patience_s=6.0, compliance=0.75)
    street = Street(walker(patient), stream(15.0), road=with_zebra).run(20.0)
    assert "reroute" in plans(street)
    assert abs(street.x) > 5.0
    assert street.y < 0.0


def test_the_compliant_take_the_zebra_when_it_is_near() -> None:
    assert ROAD is not None
    zebra = replace(ROAD, crosswalks=((10.0, 2.0),))
    law_abiding = Street(walker(replace(ADULT, compliance=1.0)), [], road=zebra).run(60.0, arrived)
    careless = Street(walker(replace(ADULT, compliance=0.1)), [], road=zebra).run(60.0, arrived)
    assert "at the zebra" in plans(law_abiding)
    assert "at the zebra" not in plans(careless)
    assert arrived(law_abiding)
    assert arrived(careless)


def test_red_is_waited_for_and_green_walked_on() -> None:
    street = Street(walker(), [], light="red").run(8.0)
    assert "at the light" in plans(street)
    assert street.y < 0.0
    street.light = "green"
    street.run(12.0)
    assert street.y > 1.0


def test_whoever_is_barred_fails_and_does_not_pretend() -> None:
    street = Street(walker(goal=(10.0, -1.0)), [], blocked=True).run(10.0)
    assert "walk_to" in street.events("failed")
    assert street.agent.gave_up


def test_the_same_seed_gives_the_same_steps() -> None:
    paths = []
    for _ in range(2):
        street = Street(walker(seed=9), [car(1, 45.0), car(2, -60.0, 5.25, 11.0)])
        path = []
        while street.time_s < 12.0:
            intention = street.step()
            path.append((*intention.direction, intention.speed_mps, street.x, street.y))
        paths.append(path)
    assert paths[0] == paths[1]


def test_crossing_goes_on_when_the_percept_changes_sides() -> None:
    """Whoever builds the percept looks from where the walker is: past the middle the other kerb is the near one."""
    lanes = [
        LaneSample(0.0, 1.75, 180.0, 3.5, "driving"),
        LaneSample(0.0, 5.25, 0.0, 3.5, "driving"),
    ]
    street = Street(walker(), [])
    while street.time_s < 30.0 and not arrived(street):
        street.road = Carriageway.from_lanes(street.x, street.y, lanes)
        street.step()
        assert street.y > -1.2
    assert arrived(street)


def test_who_runs_on_stays_on_the_other_side() -> None:
    """Lost in thought, then startled by a car in the far lane: it runs on and does not come back from over there."""
    lanes = [LaneSample(0.0, 1.75, 180.0, 3.5, "driving"), LaneSample(0.0, 5.25, 0.0, 3.5, "driving")]
    street = Street(walker(replace(ADULT, attention=0.15)), [car(1, -48.0, 5.25, 10.0)])
    farthest = street.y
    while street.time_s < 15.0 and not arrived(street):
        street.road = Carriageway.from_lanes(street.x, street.y, lanes)
        street.step()
        farthest = max(farthest, street.y)
        assert street.y > min(farthest, 7.0) - 0.5
    assert [entry.detail for entry in street.agent.mind.trace if entry.event == "+b" and entry.subject == "danger"] == [
        "on"
    ]
    assert not street.collided
    assert arrived(street)


def test_turning_a_carriageway_twice_changes_nothing() -> None:
    assert ROAD is not None
    again = ROAD.turned().turned()
    assert np.allclose(again.origin, ROAD.origin)
    assert again.lanes == ROAD.lanes
    there = ROAD.turned()
    assert there.locate(3.0, 2.0) == pytest.approx((-ROAD.locate(3.0, 2.0)[0], 7.0 - ROAD.locate(3.0, 2.0)[1]))
    assert there.lanes[0] == TrafficLane(0.0, 3.5, 1)


def test_parking_lanes_lie_outside_the_traffic() -> None:
    road = Carriageway.from_lanes(
        0.0,
        -7.0,
        [
            LaneSample(0.0, -6.0, 0.0, 2.0, "sidewalk"),
            LaneSample(0.0, -4.0, 0.0, 2.0, "parking"),
            LaneSample(0.0, -1.5, 0.0, 3.0, "driving"),
            LaneSample(0.0, 1.5, 180.0, 3.0, "driving"),
        ],
    )
    assert road is not None
    assert road.width_m == pytest.approx(6.0)
    assert road.near_kerb_m == pytest.approx(-2.0)
    assert road.far_kerb_m == pytest.approx(6.0)
    assert road.locate(0.0, -7.0)[1] == pytest.approx(-4.0)
    assert Carriageway.from_lanes(0.0, 0.0, [LaneSample(0.0, 0.0, 0.0, 2.0, "sidewalk")]) is None


def test_a_step_costs_about_a_tenth_of_a_millisecond() -> None:
    """Eight cars in sight, 20 s at 20 Hz; the generous bound leaves room for a busy machine."""
    agent = walker()
    street = Street(agent, stream(15.0)[:8])
    spent, steps = 0.0, 0
    while street.time_s < 20.0:
        percept: Percept = street.percept()
        begin = time.thread_time()
        agent.step(percept, street.dt_s)
        spent += time.thread_time() - begin
        steps += 1
        street.time_s += street.dt_s
    assert spent / steps < 0.4e-3

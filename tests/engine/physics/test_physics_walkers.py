"""Walkers: on the ground, over kerbs, not through walls, hit by cars."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from physics_worlds import ADULT, CAR, CHILD, DT, SUBSTEPS, block, run, speed, with_walker, world

from engine.physics import Physics
from engine.protocol.structs import Vector3D, WalkerControl
from engine.scene.gait import cycle_length_m
from engine.state import ActorTable, Kind
from foundation.ids import Tag


def walk(physics: Physics, x: float, y: float, pace: float, jump: bool = False, actor_id: int = 1) -> None:
    physics.apply_walker_control(actor_id, WalkerControl(Vector3D(x, y, 0.0), pace, jump))


@pytest.mark.parametrize("spec", [ADULT, CHILD], ids=["adult", "child"])
@pytest.mark.parametrize("pace", [0.5, 1.4, 3.0])
def test_a_walker_keeps_speed_direction_and_ground(spec, pace: float) -> None:
    physics = with_walker(spec=spec)
    walk(physics, 0.6, -0.8, pace)
    run(physics, 1.0)
    before = np.array(physics.transform(1)[0])
    run(physics, 4.0)
    after = np.array(physics.transform(1)[0])
    assert (after - before)[:2] == pytest.approx((0.6 * pace * 4.0, -0.8 * pace * 4.0), abs=0.01)
    assert after[2] == pytest.approx(spec.height / 2, abs=0.005)
    assert physics.transform(1)[1] == pytest.approx((0.0, math.degrees(math.atan2(-0.8, 0.6)), 0.0), abs=0.5)


def test_gait_grows_with_the_ground_covered() -> None:
    physics, table = with_walker(), ActorTable()
    table.add(1, Kind.WALKER)
    walk(physics, 1.0, 0.0, 1.4)
    run(physics, 1.0)
    physics.read(table)
    phase = float(table[1]["gait_phase"])
    run(physics, 5.0)
    physics.read(table)
    assert table[1]["gait_speed"] == pytest.approx(1.4, abs=0.01)
    assert float(table[1]["gait_phase"]) - phase == pytest.approx(7.0 / cycle_length_m(ADULT.height, 1.4), rel=0.01)
    assert table[1]["walk_speed"] == pytest.approx(1.4)
    walk(physics, 1.0, 0.0, 0.0)
    run(physics, 1.0)
    physics.read(table)
    phase = float(table[1]["gait_phase"])
    run(physics, 1.0)
    physics.read(table)
    assert float(table[1]["gait_phase"]) == phase


@pytest.mark.parametrize("kerb", [0.10, 0.15, 0.25])
def test_a_walker_steps_over_kerbs(kerb: float) -> None:
    physics = with_walker(world(block(2, (5.0, 0.0, 0.0), (2.0, 5.0, kerb), Tag.SIDEWALKS)))
    walk(physics, 1.0, 0.0, 1.4)
    heights = {}
    for _ in range(140):
        physics.step(DT, SUBSTEPS)
        (x, _, z), _ = physics.transform(1)
        heights[round(x, 2)] = z - ADULT.height / 2
    assert max(heights) > 8.0
    assert all(z == pytest.approx(kerb, abs=0.01) for x, z in heights.items() if 3.6 < x < 6.8)
    assert all(z == pytest.approx(0.0, abs=0.01) for x, z in heights.items() if x < 2.7 or x > 7.5)


def test_a_kerb_is_mounted_without_a_jerk() -> None:
    physics = with_walker(world(block(2, (5.0, 0.0, 0.0), (2.0, 5.0, 0.12), Tag.SIDEWALKS)))
    walk(physics, 1.0, 0.0, 1.4)
    rising, climbing_s = [0.0], 0.0
    for _ in range(80):
        physics.step(DT, SUBSTEPS)
        rising.append(physics.velocity(1)[2])
        climbing_s += DT if abs(rising[-1]) > 0.05 else 0.0
    assert physics.transform(1)[0][2] == pytest.approx(ADULT.height / 2 + 0.12, abs=0.01)
    changes = [abs(b - a) / DT for a, b in pairwise(rising)]
    assert max(changes) < 13.0  # m/s^2; in a single frame it would be 0.12 / DT^2 = 48
    assert 0.1 < climbing_s < 0.35


@pytest.mark.parametrize("height", [0.45, 2.0])
def test_a_wall_stops_a_walker_and_tells_its_tag(height: float) -> None:
    physics = with_walker(world(block(2, (5.0, 0.0, height / 2), (0.1, 5.0, height / 2), Tag.FENCES)))
    walk(physics, 1.0, 0.0, 1.4)
    seen = []
    for _ in range(120):
        physics.step(DT, SUBSTEPS)
        seen += physics.contacts()
    assert physics.transform(1)[0][0] < 4.9 - ADULT.radius + 0.05
    assert {(c.actor_a, c.actor_b, c.tag_b) for c in seen} == {(1, 0, Tag.FENCES)}
    assert all(c.impulse[0] <= 0.0 for c in seen)
    assert min(c.impulse[0] for c in seen) < -1.0


def test_a_walker_slides_along_a_wall() -> None:
    physics = with_walker(world(block(2, (2.0, 0.0, 1.0), (0.1, 50.0, 1.0), Tag.WALLS)))
    walk(physics, math.sqrt(0.5), math.sqrt(0.5), 1.4)
    run(physics, 8.0)
    (x, y, _), _ = physics.transform(1)
    assert x < 1.9
    assert y > 4.0


def test_a_jump_is_a_parabola() -> None:
    physics = with_walker()
    run(physics, 0.5)
    walk(physics, 1.0, 0.0, 0.0, jump=True)
    physics.step(DT, SUBSTEPS)
    walk(physics, 1.0, 0.0, 0.0)
    top, air = 0.0, 0
    for _ in range(40):
        physics.step(DT, SUBSTEPS)
        height = physics.transform(1)[0][2] - ADULT.height / 2
        top, air = max(top, height), air + (height > 0.02)
    # v^2 / 2g and 2 v / g for CARLA's 5 m/s.
    assert top == pytest.approx(5.0**2 / 2 / 9.81, abs=0.06)
    assert air * DT == pytest.approx(2 * 5.0 / 9.81, abs=0.15)
    assert physics.transform(1)[0][2] == pytest.approx(ADULT.height / 2, abs=0.01)


@pytest.mark.parametrize("height", [0.0, 0.93, 3.0])
def test_a_spawned_walker_settles_on_the_ground(height: float) -> None:
    physics = Physics(world())
    physics.add_walker(1, ADULT, (0.0, 0.0, height))
    run(physics, 1.5)
    assert physics.transform(1)[0] == pytest.approx((0.0, 0.0, ADULT.height / 2), abs=0.01)


def test_a_walker_does_not_push_a_parked_car_away() -> None:
    physics = with_walker()
    physics.add_vehicle(2, CAR, None, (5.0, 0.0, 0.0))
    run(physics, 0.5)
    walk(physics, 1.0, 0.0, 1.4)
    run(physics, 6.0)
    assert physics.transform(2)[0][0] == pytest.approx(5.0, abs=0.05)
    assert physics.transform(1)[0][0] < 5.0 - CAR.length / 2 - ADULT.radius + 0.06
    assert [(c.actor_a, c.actor_b) for c in physics.contacts()] == [(1, 2)]


def test_a_car_hits_a_walker_and_feels_a_person() -> None:
    physics = Physics(world())
    physics.add_vehicle(1, CAR, None, (0.0, 0.0, 0.0))
    physics.add_walker(2, ADULT, (10.0, 0.0, ADULT.height / 2))
    run(physics, 0.5)
    physics.set_velocity(1, (10.0, 0.0, 0.0))
    first = None
    for _ in range(40):
        before = speed(physics)
        physics.step(DT, SUBSTEPS)
        if physics.contacts():
            first = physics.contacts()[0]
            break
    assert first is not None
    # Plastic impact: common speed by momentum; the impulse is the walker's momentum then.
    common = before * CAR.mass / (CAR.mass + ADULT.mass)
    assert speed(physics) == pytest.approx(common, rel=0.06)
    assert speed(physics, 2) > 0.85 * common
    assert (first.actor_a, first.actor_b) == (1, 2)
    assert -first.impulse[0] == pytest.approx(ADULT.mass * common, rel=0.15)
    run(physics, 1.0)
    assert physics.transform(2)[0][0] > 12.0


def test_a_walker_led_by_a_crowd_is_put_on_the_ground_and_walks_on_the_spot() -> None:
    physics, table = with_walker(), ActorTable()
    table.add(1, Kind.WALKER)
    physics.set_simulate_physics(1, False)
    physics.set_collisions(1, False)
    for n in range(20):
        physics.set_walker_state(1, (0.07 * n, 2.0, ADULT.height / 2), 30.0, 1.4)
        physics.step(DT, SUBSTEPS)
    physics.read(table)
    assert table[1]["location"].tolist() == [0.07 * 19, 2.0, ADULT.height / 2]
    assert table[1]["rotation"].tolist() == [0.0, 30.0, 0.0]
    assert table[1]["velocity"] == pytest.approx([1.4, 0.0, 0.0])
    assert table[1]["gait_speed"] == pytest.approx(1.4)
    assert table[1]["gait_phase"] == pytest.approx(1.4 / cycle_length_m(ADULT.height, 1.4), rel=0.1)


def test_constant_velocity_moves_a_walker_in_its_own_frame() -> None:
    physics = Physics(world())
    physics.add_walker(1, ADULT, (0.0, 0.0, ADULT.height / 2), (0.0, 90.0, 0.0))
    physics.enable_constant_velocity(1, (1.0, 0.0, 0.0))
    run(physics, 2.0)
    assert physics.transform(1)[0][:2] == pytest.approx((0.0, 2.0), abs=0.02)


def test_a_walker_that_stops_while_turning_stands_still() -> None:
    physics = with_walker()
    walk(physics, -1.0, 0.1, 1.4)
    run(physics, 0.1)
    walk(physics, 1.0, 0.0, 0.0)
    run(physics, 0.5)
    before = physics.transform(1)
    run(physics, 1.0)
    assert physics.transform(1)[1][1] == pytest.approx(before[1][1], abs=0.01)
    assert physics.transform(1)[0] == pytest.approx(before[0], abs=0.001)


def test_feet_that_nobody_sees_follow_the_gait_and_walk_as_far() -> None:
    rows = []
    for seen in (True, False):
        physics, table = with_walker(), ActorTable()
        table.add(1, Kind.WALKER)
        physics.watch_feet(seen)
        for k in range(60):
            walk(physics, math.cos(k / 20), math.sin(k / 20), 1.4)
            run(physics, DT)
        physics.read(table)
        rows.append(table[1].copy())
    assert np.abs(rows[0]["feet"][:, :4]).max() > 0.01
    assert not rows[1]["feet"].any()
    assert (rows[0]["location"] == rows[1]["location"]).all()

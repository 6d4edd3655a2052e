"""What touches what: cars, walls, props, things moved by script; and what may be spawned where."""

from __future__ import annotations

import pytest
from physics_worlds import ADULT, CAR, DT, SUBSTEPS, block, floor, run, speed, with_car, world

from engine.geometry import Box, StaticWorld
from foundation.ids import Tag

BOX = Box((0.0, 0.0, 0.5), (0.5, 0.5, 0.5))


@pytest.mark.parametrize("simulated", [(False, False), (True, False), (False, True), (True, True)])
def test_cars_that_drive_into_one_another_touch(simulated) -> None:
    """Also where a scenario moves both: overlaps without physics are contacts too."""
    physics = with_car()
    physics.add_vehicle(2, CAR, None, (8.0, 0.0, 0.0))
    run(physics, 0.5)
    for actor_id, free in zip((1, 2), simulated):
        physics.set_simulate_physics(actor_id, free)
    if simulated[0]:
        physics.set_velocity(1, (10.0, 0.0, 0.0))
    hit = None
    for n in range(20):
        if not simulated[0]:
            physics.set_transform(1, (0.5 * n, 0.0, 0.0))
        physics.step(DT, SUBSTEPS)
        if physics.contacts():
            hit = physics.contacts()[0]
            break
    assert hit is not None
    assert (hit.actor_a, hit.actor_b, hit.tag_b) == (1, 2, Tag.NONE)
    reduced = CAR.mass / 2
    if not simulated[0] and simulated[1]:
        reduced = CAR.mass  # a car moved by a script is as good as immovable
    if simulated[0] and not simulated[1]:
        reduced = CAR.mass
    assert hit.impulse[0] == pytest.approx(-reduced * 10.0, rel=0.2)
    assert abs(hit.impulse[1]) < 0.05 * abs(hit.impulse[0])
    # Overlapping goes on being reported.
    if not simulated[0] and not simulated[1]:
        physics.step(DT, SUBSTEPS)
        assert [(c.actor_a, c.actor_b) for c in physics.contacts()] == [(1, 2)]


def test_what_moves_by_script_does_not_shoot_others_away() -> None:
    physics = with_car()
    physics.add_vehicle(2, CAR, None, (8.0, 0.0, 0.0))
    physics.set_simulate_physics(1, False)
    for n in range(40):
        physics.set_transform(1, (0.5 * n, 0.0, 0.0))
        physics.step(DT, SUBSTEPS)
        assert speed(physics, 2) < 11.5


def test_a_car_into_a_wall() -> None:
    physics = with_car(world(block(2, (10.0, 0.0, 1.0), (0.2, 5.0, 1.0), Tag.BUILDINGS)))
    run(physics, 0.5)
    physics.set_velocity(1, (12.0, 0.0, 0.0))
    seen = []
    for _ in range(40):
        physics.step(DT, SUBSTEPS)
        seen += physics.contacts()
    # The nose may dip onto the road afterwards.
    assert (seen[0].actor_a, seen[0].actor_b, seen[0].tag_b) == (1, 0, Tag.BUILDINGS)
    total = -sum(c.impulse[0] for c in seen if c.tag_b == Tag.BUILDINGS)
    assert total == pytest.approx(CAR.mass * 12.0, rel=0.15)
    assert physics.transform(1)[0][0] < 10.0 - CAR.length / 2


def test_two_walls_of_one_mesh_body_have_their_own_tags() -> None:
    static = world(
        block(2, (8.0, 0.0, 1.0), (0.2, 5.0, 1.0), Tag.FENCES), block(3, (-8.0, 0.0, 1.0), (0.2, 5.0, 1.0), Tag.POLES)
    )
    for direction, tag in ((1.0, Tag.FENCES), (-1.0, Tag.POLES)):
        physics = with_car(static)
        run(physics, 0.3)
        physics.set_velocity(1, (5.0 * direction, 0.0, 0.0))
        seen = set()
        for _ in range(60):
            physics.step(DT, SUBSTEPS)
            seen |= {c.tag_b for c in physics.contacts()}
        assert seen == {tag}


def test_things_that_do_not_collide_are_not_felt() -> None:
    from dataclasses import replace

    grass = replace(block(2, (10.0, 0.0, 1.0), (0.2, 5.0, 1.0), Tag.VEGETATION), collides=False)
    physics = with_car(StaticWorld("test", "", (floor(), grass)))
    physics.set_velocity(1, (12.0, 0.0, 0.0))
    run(physics, 2.0)
    assert physics.transform(1)[0][0] > 14.0


def test_collisions_can_be_switched_off_and_on() -> None:
    physics = with_car()
    physics.add_vehicle(2, CAR, None, (8.0, 0.0, 0.0))
    run(physics, 0.3)
    physics.set_collisions(2, False)
    physics.set_velocity(1, (10.0, 0.0, 0.0))
    for _ in range(20):
        physics.step(DT, SUBSTEPS)
        assert physics.contacts() == []
    # Its wheels still carry it.
    assert physics.transform(2)[0][2] == pytest.approx(0.0, abs=0.01)
    physics.set_collisions(2, True)
    physics.set_transform(1, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    physics.set_velocity(1, (10.0, 0.0, 0.0))
    seen = []
    for _ in range(20):
        physics.step(DT, SUBSTEPS)
        seen += physics.contacts()
    assert seen


def test_a_car_stops_at_a_fixed_prop_and_knocks_a_loose_one_over() -> None:
    for mass in (0.0, 6.0):
        physics = with_car()
        physics.add_prop(2, BOX, (8.0, 0.0, 0.0), mass=mass)
        run(physics, 0.3)
        physics.set_velocity(1, (10.0, 0.0, 0.0))
        seen = set()
        for _ in range(30):
            physics.step(DT, SUBSTEPS)
            seen |= {(c.actor_a, c.actor_b) for c in physics.contacts()}
        assert seen == {(1, 2)}
        assert (speed(physics) > 7.0) is (mass > 0.0)


def test_spawning_into_something_is_refused_but_not_onto_the_road() -> None:
    static = world(block(2, (30.0, 0.0, 1.0), (1.0, 5.0, 1.0), Tag.BUILDINGS))
    physics = with_car(static)
    run(physics, 0.3)
    assert physics.overlaps(CAR, (1.0, 0.0, 0.5))
    assert physics.overlaps(ADULT, (1.0, 0.0, 0.93))
    assert physics.overlaps(BOX, (1.0, 0.0, 0.0))
    assert physics.overlaps(CAR, (29.0, 0.0, 0.5), (0.0, 45.0, 0.0))
    for free in ((10.0, 0.0, 0.5), (10.0, 0.0, 0.0), (0.0, 3.0, 0.1)):
        assert not physics.overlaps(CAR, free)
        assert not physics.overlaps(ADULT, (free[0], free[1], 0.93))
        assert not physics.overlaps(BOX, free)
    assert not physics.overlaps(CAR, (1.0, 0.0, 0.5), ignore=(1,))
    # Beneath the road it is not free.
    assert physics.overlaps(CAR, (10.0, 0.0, -0.8))
    # A test leaves nothing behind.
    physics.step(DT, SUBSTEPS)
    assert physics.contacts() == []

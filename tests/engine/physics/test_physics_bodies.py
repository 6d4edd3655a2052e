"""Bodies: frames, placing, pushing, switching, leaving; determinism."""

from __future__ import annotations

import gc
import hashlib
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from physics_worlds import ADULT, CAR, DT, SUBSTEPS, block, drive, run, speed, with_car, world

from engine.blueprints import PROPS
from engine.geometry import Box, StaticWorld
from engine.physics import Physics
from engine.physics.bodies import Motion, node_transform, read_nodes
from engine.state import ActorTable, Kind
from foundation.errors import RealityError
from foundation.ids import Tag

BOX = Box((0.0, 0.0, 0.5), (0.5, 0.5, 0.5))
angles = st.floats(-179.0, 179.0)
places = st.floats(-500.0, 500.0)


@settings(deadline=None, max_examples=80)
@given(x=places, y=places, z=st.floats(0, 50), pitch=st.floats(-85, 85), yaw=angles, roll=angles)
def test_poses_go_through_bullet_and_back(x, y, z, pitch, yaw, roll) -> None:
    from panda3d.bullet import BulletRigidBodyNode

    node, offset = BulletRigidBodyNode("a"), (0.3, -0.2, 0.6)
    node.set_transform(node_transform((x, y, z), (pitch, yaw, roll), offset))
    motion = Motion(read_nodes([node]), np.array([offset]))
    assert motion.location[0] == pytest.approx((x, y, z), abs=2e-4)
    difference = (motion.rotation[0] - (pitch, yaw, roll) + 180.0) % 360.0 - 180.0
    assert np.abs(difference).max() < 0.02


def loose(**kwargs) -> Physics:
    """Return a loose box of 10 kg, actor 1, without gravity, far above the ground."""
    physics = Physics(world())
    physics.add_prop(1, BOX, kwargs.get("location", (0.0, 0.0, 100.0)), kwargs.get("rotation", (0, 0, 0)), mass=10.0)
    physics.set_enable_gravity(1, False)
    return physics


def test_velocity_and_spin_are_in_carlas_frame() -> None:
    physics = loose()
    physics.set_velocity(1, (1.0, 2.0, 3.0))
    physics.set_angular_velocity(1, (0.0, 0.0, 90.0))
    run(physics, 1.0)
    location, (_, yaw, _) = physics.transform(1)
    assert location == pytest.approx((1.0, 2.0, 103.0), abs=0.01)
    # Yaw grows from x to y, as does rotation about z.
    assert yaw == pytest.approx(90.0, abs=0.5)
    assert physics.velocity(1) == pytest.approx((1.0, 2.0, 3.0), abs=0.01)
    assert physics.angular_velocity(1) == pytest.approx((0.0, 0.0, 90.0), abs=0.1)


@pytest.mark.parametrize("spin", [(40.0, 0.0, 0.0), (0.0, 40.0, 0.0), (0.0, 0.0, 40.0)])
def test_a_point_moves_with_the_cross_product_of_the_spin(spin) -> None:
    """v = w x r with CARLA's own numbers, as Unreal has it: checked by where a corner really goes."""
    from foundation.frames import rotation_matrices

    physics = loose()
    physics.set_angular_velocity(1, spin)
    physics.step(0.01, 1)
    before = rotation_matrices(physics.transform(1)[1])
    physics.step(0.01, 1)
    after = rotation_matrices(physics.transform(1)[1])
    point = np.array([0.2, 0.5, -0.3])
    moved = (after @ point - before @ point) / 0.01
    assert moved == pytest.approx(np.cross(np.radians(spin), before @ point), abs=0.01)


def test_impulse_force_and_torque() -> None:
    physics = loose()
    physics.add_impulse(1, (10.0, -20.0, 30.0))
    physics.step(DT, SUBSTEPS)
    assert physics.velocity(1) == pytest.approx((1.0, -2.0, 3.0), abs=1e-4)
    physics.add_force(1, (100.0, 0.0, 0.0))
    physics.step(0.1, 10)
    assert physics.velocity(1)[0] == pytest.approx(2.0, abs=1e-3)
    physics.step(0.1, 10)
    assert physics.velocity(1)[0] == pytest.approx(2.0, abs=1e-3)
    # A cube of 1 m and 10 kg has a moment of 10/6 kg m^2.
    physics.add_angular_impulse(1, (0.0, 0.0, 10.0 / 6.0 * 30.0))
    physics.step(DT, SUBSTEPS)
    assert physics.angular_velocity(1)[2] == pytest.approx(30.0, abs=0.1)
    physics.add_torque(1, (0.0, 0.0, 10.0 / 6.0 * 100.0))
    physics.step(0.1, 10)
    assert physics.angular_velocity(1)[2] == pytest.approx(40.0, abs=0.1)


def test_an_impulse_beside_the_centre_turns_a_body() -> None:
    physics = loose()
    # Pushed along x at a point to the right (+y) of the centre: it turns to the left.
    physics.add_impulse(1, (10.0, 0.0, 0.0), (0.0, 0.5, 100.5))
    physics.step(DT, SUBSTEPS)
    assert physics.angular_velocity(1)[2] == pytest.approx(-math.degrees(5.0 / (10.0 / 6.0)), rel=0.01)


def test_acceleration_is_the_difference_of_velocities() -> None:
    physics, table = Physics(world()), ActorTable()
    physics.add_prop(1, BOX, (0.0, 0.0, 50.0), mass=10.0)
    table.add(1, Kind.PROP)
    run(physics, 0.5)
    physics.read(table)
    assert table[1]["acceleration"] == pytest.approx([0.0, 0.0, -9.81], abs=0.01)
    assert table[1]["velocity"][2] == pytest.approx(-4.905, abs=0.01)
    assert table[1]["location"][2] == pytest.approx(50.0 - 9.81 / 2 * 0.25, abs=0.05)


def test_constant_velocity_is_held_in_the_bodys_frame() -> None:
    physics = with_car(rotation=(0.0, 90.0, 0.0))
    physics.enable_constant_velocity(1, (8.0, 0.0, 0.0))
    drive(physics, brake=1.0)
    run(physics, 2.0)
    assert physics.transform(1)[0][1] == pytest.approx(16.0, rel=0.06)
    physics.disable_constant_velocity(1)
    run(physics, 2.0)
    assert speed(physics) < 0.01


def test_teleport_keeps_velocity() -> None:
    physics = with_car()
    run(physics, 0.5)
    physics.set_velocity(1, (10.0, 0.0, 0.0))
    physics.step(DT, SUBSTEPS)
    physics.set_transform(1, (100.0, 50.0, 0.0), (0.0, 90.0, 0.0))
    assert physics.transform(1) == ((100.0, 50.0, 0.0), (0.0, 90.0, 0.0))
    physics.set_transform(1, (100.0, 50.0, 5.0))
    assert physics.transform(1)[1] == (0.0, 90.0, 0.0)
    physics.step(DT, SUBSTEPS)
    assert physics.velocity(1)[0] == pytest.approx(10.0, abs=0.2)


def test_without_physics_a_body_stays_where_it_is_put() -> None:
    physics, table = with_car(location=(0.0, 0.0, 5.0)), ActorTable()
    table.add(1, Kind.VEHICLE)
    physics.set_simulate_physics(1, False)
    pose = (12.3456789, -7.25, 5.5), (3.0, 123.0, -2.0)
    physics.set_transform(1, *pose)
    run(physics, 1.0)
    physics.read(table)
    assert (tuple(table[1]["location"]), tuple(table[1]["rotation"])) == pose
    assert not table[1]["velocity"].any()
    physics.set_simulate_physics(1, True)
    run(physics, 2.0)
    assert physics.transform(1)[0][2] == pytest.approx(0.0, abs=0.02)


def test_velocity_without_physics_comes_from_the_poses_or_is_told() -> None:
    physics = with_car()
    physics.set_simulate_physics(1, False)
    for n in range(1, 5):
        physics.set_transform(1, (0.5 * n, 0.0, 0.0))
        physics.step(DT, SUBSTEPS)
        assert physics.velocity(1) == pytest.approx((10.0, 0.0, 0.0))
    physics.set_velocity(1, (3.0, 4.0, 0.0))
    physics.set_angular_velocity(1, (0.0, 0.0, 12.0))
    physics.step(DT, SUBSTEPS)
    assert physics.velocity(1) == (3.0, 4.0, 0.0)
    assert physics.angular_velocity(1) == (0.0, 0.0, 12.0)
    physics.step(DT, SUBSTEPS)
    assert physics.velocity(1) == (0.0, 0.0, 0.0)
    physics.set_transform(1, (900.0, 0.0, 0.0))
    physics.step(DT, SUBSTEPS)
    assert physics.velocity(1) == (0.0, 0.0, 0.0)


def test_spin_without_physics_comes_from_the_poses() -> None:
    physics = with_car()
    physics.set_simulate_physics(1, False)
    for n in range(1, 80):
        physics.set_transform(1, (0.0, 0.0, 0.0), (0.0, (3.0 * n + 180.0) % 360.0 - 180.0, 0.0))
        physics.step(DT, SUBSTEPS)
        assert physics.angular_velocity(1) == pytest.approx((0.0, 0.0, 60.0), abs=1e-6)


def test_physics_switched_on_again_goes_on_with_the_last_velocity() -> None:
    physics = with_car()
    physics.set_simulate_physics(1, False)
    for n in range(1, 5):
        physics.set_transform(1, (0.5 * n, 0.0, 0.0))
        physics.step(DT, SUBSTEPS)
    physics.set_simulate_physics(1, True)
    run(physics, 0.5)
    assert physics.velocity(1)[0] == pytest.approx(10.0, abs=0.7)
    assert physics.transform(1)[0][0] == pytest.approx(2.0 + 5.0, abs=0.4)


def test_a_prop_stands_until_it_is_let_loose() -> None:
    physics = Physics(world())
    physics.add_prop(1, PROPS["static.prop.trafficcone01"], (0.0, 0.0, 2.0))
    run(physics, 1.0)
    assert physics.transform(1)[0] == (0.0, 0.0, 2.0)
    physics.set_simulate_physics(1, True)
    run(physics, 2.0)
    assert physics.transform(1)[0][2] == pytest.approx(0.0, abs=0.05)
    physics.add_prop(2, BOX, (5.0, 0.0, 2.0))
    physics.set_simulate_physics(2, True)
    run(physics, 1.0)
    assert physics.transform(2)[0] == (5.0, 0.0, 2.0)


def test_nothing_falls_for_ever() -> None:
    physics = Physics(StaticWorld("empty", "", ()))
    physics.add_vehicle(1, CAR, None, (0.0, 0.0, 3.0))
    physics.add_prop(2, BOX, (10.0, 0.0, 3.0), mass=5.0)
    physics.add_walker(3, ADULT, (20.0, 0.0, 3.0))
    run(physics, 4.0)
    for actor_id in (1, 2, 3):
        assert -0.1 < physics.transform(actor_id)[0][2] < 1.1


def test_an_unknown_actor_and_a_wrong_kind_are_told_apart() -> None:
    physics = with_car()
    physics.add_walker(2, ADULT, (20.0, 0.0, 0.93))
    with pytest.raises(KeyError):
        physics.set_transform(77, (0.0, 0.0, 0.0))
    with pytest.raises(RealityError, match="not a vehicle"):
        physics.physics_control(2)
    with pytest.raises(RealityError, match="not a walker"):
        physics.set_walker_state(1, (0.0, 0.0, 0.0), 0.0, 1.0)
    with pytest.raises(ValueError, match="already"):
        physics.add_walker(2, ADULT)
    with pytest.raises(RealityError, match="no wheel 4"):
        physics.wheel_steer_angle(1, 4)


def test_rows_follow_their_actors_when_others_leave() -> None:
    physics, table = Physics(world()), ActorTable()
    for actor_id in range(1, 7):
        physics.add_vehicle(actor_id, CAR, None, (10.0 * actor_id, 0.0, 0.0))
        table.add(actor_id, Kind.VEHICLE)
        drive(physics, actor_id, throttle=0.1 * actor_id)
    run(physics, 0.5)
    for actor_id in (1, 4):
        physics.remove(actor_id)
        table.remove(actor_id)
    run(physics, 1.0)
    physics.read(table)
    for actor_id in (2, 3, 5, 6):
        assert table[actor_id]["location"][0] == pytest.approx(10.0 * actor_id, abs=8.0)
        assert table[actor_id]["throttle"] == pytest.approx(0.1 * actor_id)
    assert len(physics) == 4
    assert 4 not in physics


def test_neighbours_do_not_notice_a_spawn() -> None:
    """A vehicle's brakes must not let go for a frame when another comes or goes."""
    physics = with_car()
    run(physics, 0.5)
    physics.set_velocity(1, (20.0, 0.0, 0.0))
    drive(physics, brake=0.5)
    run(physics, 0.5)
    before = speed(physics)
    physics.step(DT, SUBSTEPS)
    steady = before - speed(physics)
    for actor_id in range(2, 8):
        physics.add_vehicle(actor_id, CAR, None, (0.0, 10.0 * actor_id, 0.0))
        before = speed(physics)
        physics.step(DT, SUBSTEPS)
        assert before - speed(physics) == pytest.approx(steady, rel=0.1)


@pytest.mark.slow
def test_attach_and_remove_a_thousand_times_leaks_nothing() -> None:
    physics = Physics(world())
    process = psutil.Process()

    def churn(count: int) -> None:
        for _ in range(count):
            physics.add_vehicle(1, CAR, None, (0.0, 0.0, 0.2))
            physics.add_walker(2, ADULT, (10.0, 0.0, 0.93))
            physics.add_prop(3, BOX, (20.0, 0.0, 0.0), mass=3.0)
            physics.step(0.01, 1)
            physics.set_simulate_physics(1, False)
            for actor_id in (1, 2, 3):
                physics.remove(actor_id)
        gc.collect()

    churn(100)
    before = process.memory_info().rss
    churn(1000)
    assert process.memory_info().rss - before < 4_000_000
    assert len(physics) == 0
    # Nothing is left in Bullet's world but the scenery.
    bullet = physics._world
    assert (bullet.get_num_vehicles(), bullet.get_num_rigid_bodies()) == (0, 2)
    assert physics.overlaps(CAR, (0.0, 0.0, 0.5)) is False


def test_a_closed_world_is_freed() -> None:
    import weakref

    physics = with_car()
    physics.step(DT, SUBSTEPS)
    physics.close()
    ghost = weakref.ref(physics)
    del physics
    gc.collect()
    assert ghost() is None


SCRIPT = """
import sys; sys.path.insert(0, {here!r})
from test_physics_bodies import journey
print(journey())
"""


def journey() -> str:
    """Return a digest of a crowded minute: cars, walkers and props that meet."""
    physics, table = Physics(world(block(2, (60.0, 0.0, 1.0), (1.0, 30.0, 1.0), Tag.WALLS))), ActorTable()
    for n in range(12):
        physics.add_vehicle(n + 1, CAR, None, (8.0 * (n % 4), 5.0 * (n // 4), 0.3))
        table.add(n + 1, Kind.VEHICLE)
    for n in range(6):
        physics.add_walker(n + 20, ADULT, (40.0 + n, 2.0 * n, 1.2))
        table.add(n + 20, Kind.WALKER)
        physics.add_prop(n + 30, BOX, (45.0, 2.0 * n, 0.0), mass=10.0)
        table.add(n + 30, Kind.PROP)
    digest = hashlib.sha256()
    for frame in range(160):
        for n in range(12):
            drive(physics, n + 1, throttle=0.5, steer=0.02 * ((frame + n) % 7 - 3), brake=0.3 * (frame % 50 > 40))
        physics.step(DT, SUBSTEPS)
        physics.read(table)
        digest.update(table.rows.tobytes())
        digest.update(repr(physics.contacts()).encode())
    return digest.hexdigest()


def test_same_commands_same_bytes() -> None:
    here = Path(__file__).resolve()
    root = here.parents[3]
    command = [sys.executable, "-c", SCRIPT.format(here=str(here.parent))]
    other = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=root, check=True)
    first = journey()
    assert first == journey()
    assert other.stdout.strip() == first


@pytest.mark.parametrize(("dt", "substeps"), [(0.05, 5), (0.037, 3), (1 / 30, 1), (0.5, 10), (0.002, 1)])
def test_a_frame_lasts_exactly_its_time(dt: float, substeps: int) -> None:
    physics = loose()
    physics.set_velocity(1, (10.0, 0.0, 0.0))
    for n in range(1, 101):
        physics.step(dt, substeps)
        assert physics.transform(1)[0][0] == pytest.approx(10.0 * n * dt, abs=1e-3 + 5e-5 * 10.0 * n * dt)


def test_a_step_of_no_time_changes_nothing() -> None:
    physics = loose()
    physics.set_velocity(1, (10.0, 0.0, 0.0))
    physics.step(0.0, 1)
    assert physics.transform(1)[0] == (0.0, 0.0, 100.0)


def test_an_empty_world_steps_and_reads() -> None:
    physics = Physics(world())
    physics.step(DT, SUBSTEPS)
    physics.read(ActorTable())
    assert physics.contacts() == []


@pytest.mark.parametrize("kind", ["car", "box"])
def test_physics_goes_on_from_where_a_body_was_placed_last(kind) -> None:
    """Scenario executors switch physics off, place, and switch it on, all between two frames."""
    physics = with_car() if kind == "car" else loose()
    physics.set_simulate_physics(1, False)
    physics.set_transform(1, (20.0, 5.0, 3.0), (0.0, 90.0, 0.0))
    physics.set_velocity(1, (0.0, 8.0, 0.0))
    physics.set_simulate_physics(1, True)
    table = ActorTable()
    table.add(1, Kind.VEHICLE if kind == "car" else Kind.PROP)
    physics.step(0.01, 1)
    physics.read(table)
    assert table[1]["location"] == pytest.approx((20.0, 5.08, 3.0), abs=0.02)
    assert table[1]["rotation"][1] == pytest.approx(90.0, abs=0.5)
    assert table[1]["velocity"][1] == pytest.approx(8.0, abs=0.1)

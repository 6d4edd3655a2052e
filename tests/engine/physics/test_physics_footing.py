"""Feet stand where they came down, whatever the body does above them: measured on the model as it is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from physics_worlds import ADULT, CHILD, with_walker

from engine.physics.footing import Footing
from engine.protocol.structs import Vector3D, WalkerControl
from engine.scene import actor_model, joint_matrices
from engine.scene.gait import WALKER_JOINTS
from engine.state import ActorTable, Kind
from foundation.frames import pose_matrices

ANKLES = (WALKER_JOINTS.index("ankle_l"), WALKER_JOINTS.index("ankle_r"))
Way = Callable[[float], tuple[float, float, float]]
"""Direction x, y and speed at a time."""


def circle(speed: float, radius: float) -> Way:
    return lambda t: (math.cos(speed * t / radius), math.sin(speed * t / radius), speed)


def corner(angle_deg: float, speed: float) -> Way:
    turn = math.radians(angle_deg)
    return lambda t: (1.0, 0.0, speed) if t % 3.0 < 1.5 else (math.cos(turn), math.sin(turn), speed)


WAYS: dict[str, tuple[object, Way, float]] = {
    "slow": (ADULT, lambda t: (1.0, 0.0, 0.4 if t > 0.4 else 0.0), 0.05),
    "walk": (ADULT, lambda t: (1.0, 0.0, 1.4 if t > 0.4 else 0.0), 0.05),
    "run": (ADULT, lambda t: (1.0, 0.0, 3.0), 0.05),
    "bend": (ADULT, circle(1.4, 3.0), 0.05),
    "tight bend": (ADULT, circle(1.2, 0.8), 0.05),
    "running bend": (ADULT, circle(2.6, 5.0), 0.05),
    "long steps of time": (ADULT, circle(1.2, 1.2), 0.1),
    "short steps of time": (ADULT, circle(1.2, 1.2), 0.02),
    "corners": (ADULT, corner(90.0, 1.4), 0.05),
    "about-turns": (ADULT, corner(180.0, 1.4), 0.05),
    "start and stop": (ADULT, lambda t: (1.0, 0.0, 1.4 if t % 3.0 < 1.7 else 0.0), 0.05),
    "other speeds": (ADULT, lambda t: (1.0, 0.0, 1.2 + 0.8 * math.sin(2.0 * t)), 0.05),
    "child": (CHILD, circle(1.2, 1.2), 0.05),
}


def soles(spec: object, way: Way, dt: float, duration_s: float = 6.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Walk; return (T, 2 feet, heel and ball, 3) places of the soles' pivots, heights above the ground; (T, 2) whether
    a foot carries; (T,) height of the hips."""
    physics, table = with_walker(spec=spec), ActorTable()  # type: ignore[arg-type]
    table.add(1, Kind.WALKER)
    model = actor_model(spec)  # type: ignore[arg-type]
    rig = model.rig.body  # type: ignore[attr-defined]
    pivots = np.array([[-rig.heel, 0.0, -rig.ankle_z, 1.0], [rig.ball, 0.0, -rig.ankle_z, 1.0]])
    footing: Footing = physics._walkers.members[1].footing
    places, carries, hips = [], [], []
    for frame in range(int(duration_s / dt)):
        x, y, speed = way(frame * dt)
        physics.apply_walker_control(1, WalkerControl(Vector3D(x, y, 0.0), speed, False))
        physics.step(dt, 10)
        physics.read(table)
        row = table[1]
        joints = joint_matrices(model, row)
        world = pose_matrices(row["location"], row["rotation"]) @ joints
        at = np.array([(pivots @ world[ankle].T)[:, :3] for ankle in ANKLES])
        at[..., 2] -= row["location"][2] - rig.height / 2.0
        places.append(at)
        carries.append([foot.stands is not None for foot in footing._feet])
        hips.append(joints[0, 2, 3] + rig.height / 2.0)
    return np.array(places), np.array(carries), np.array(hips)


@pytest.mark.parametrize("name", sorted(WAYS))
def test_a_foot_that_carries_does_not_slide(name: str) -> None:
    spec, way, dt = WAYS[name]
    places, carries, hips = soles(spec, way, dt)
    moved = np.linalg.norm(np.diff(places[..., :2], axis=0), axis=-1).min(axis=-1)  # the pivot that moves least
    both = carries[1:] & carries[:-1]
    assert both.mean() > (0.2 if "run" in name else 0.4)
    assert moved[both].max() < 0.002
    # Over its whole stance a foot drifts no farther than it pivots on its ball.
    assert places[..., 2].min() > -0.006
    assert hips.min() > 0.8 * hips.max(), "the body sinks"


def test_a_stopped_walker_draws_up_its_feet() -> None:
    places, carries, _ = soles(ADULT, lambda t: (1.0, 0.0, 1.4 if t < 2.0 else 0.0), 0.05, 5.0)
    assert carries[-1].all()
    left, right = places[-1].mean(axis=1)
    assert abs(left[0] - right[0]) < 0.06
    assert abs(left[1] - right[1]) == pytest.approx(0.094 * ADULT.height, abs=0.03)
    assert (np.abs(places[-1, ..., 2]) < 0.003).all()


def test_a_walker_that_is_put_elsewhere_takes_its_feet_along() -> None:
    physics, table = with_walker(), ActorTable()
    table.add(1, Kind.WALKER)
    for _ in range(10):
        physics.step(0.05, 10)
    physics.set_transform(1, (5.0, 3.0, ADULT.height / 2.0), (0.0, 120.0, 0.0))
    physics.step(0.05, 10)
    physics.read(table)
    assert np.abs(table[1]["feet"][:, :4]).max() < 1e-3


def test_pictures_of_placed_walkers_know_no_history() -> None:
    physics, table = with_walker(), ActorTable()
    table.add(1, Kind.WALKER)
    physics.apply_walker_control(1, WalkerControl(Vector3D(0.0, 1.0, 0.0), 1.4, False))
    for _ in range(13):
        physics.step(0.05, 10)
    physics.step(1e-9)
    physics.read(table)
    assert not table[1]["feet"].any()

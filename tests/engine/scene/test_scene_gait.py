import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.blueprints import WALKERS
from engine.scene import actor_model, cycle_length_m, joint_matrices
from engine.scene.gait import WALKER_JOINTS, Stride, duty_factor, foot_path
from engine.state import ACTOR_DTYPE

ADULT, CHILD = WALKERS["walker.pedestrian.0002"], WALKERS["walker.pedestrian.0009"]
ANKLES = (WALKER_JOINTS.index("ankle_l"), WALKER_JOINTS.index("ankle_r"))


def row(phase, speed):
    made = np.zeros(1, dtype=ACTOR_DTYPE)[0]
    made["gait_phase"], made["gait_speed"] = phase, speed
    return made


def soles_in_world(spec, speed, count=400):
    """Walk one cycle; return (count, 2 feet, heel/ball, 3) world positions of the sole's pivots, and the time step."""
    model = actor_model(spec)
    rig = model.rig.body
    length = cycle_length_m(spec.height, speed)
    pivots = np.array([[-rig.heel, 0.0, -rig.ankle_z, 1.0], [rig.ball, 0.0, -rig.ankle_z, 1.0]])
    found = np.empty((count, 2, 2, 3))
    for i, phase in enumerate(np.linspace(0.0, 1.0, count, endpoint=False)):
        matrices = joint_matrices(model, row(phase, speed))
        for foot, ankle in enumerate(ANKLES):
            found[i, foot] = (pivots @ matrices[ankle].T)[:, :3]
        found[i, ..., 0] += phase * length
        found[i, ..., 2] += spec.height / 2.0
    return found, length / speed / count


@pytest.mark.parametrize("spec", [ADULT, CHILD], ids=["adult", "child"])
@pytest.mark.parametrize("speed", [0.4, 0.9, 1.34, 1.8, 2.6, 3.5])
def test_a_foot_on_the_ground_stands_still(spec, speed):
    soles, dt = soles_in_world(spec, speed)
    duty = duty_factor(spec.height, speed)
    phases = np.linspace(0.0, 1.0, len(soles), endpoint=False)
    for foot, shift in ((0, 0.0), (1, 0.5)):
        stance = ((phases + shift) % 1.0) < duty - 0.01
        velocity = np.linalg.norm(np.diff(soles[:, foot, :, :2], axis=0), axis=-1) / dt
        inside = stance[1:] & stance[:-1] & (np.abs(np.diff((phases + shift) % 1.0)) < 0.5)
        # In every instant of stance one of the pivots, heel or ball, touches the ground without moving.
        touching = np.abs(soles[1:, foot, :, 2]) < 0.005
        still = np.where(touching, velocity, np.inf).min(axis=1)
        assert still[inside].max() < 0.02 * speed, "the supporting foot slides"


@pytest.mark.parametrize("speed", [0.0, 0.5, 1.34, 2.0, 3.0])
def test_feet_never_go_below_the_ground_and_leave_it_to_swing(speed):
    spec = ADULT
    if speed == 0.0:
        matrices = joint_matrices(actor_model(spec), row(0.3, 0.0))
        ankles = matrices[list(ANKLES), 2, 3] + spec.height / 2.0
        assert ankles == pytest.approx([actor_model(spec).rig.body.ankle_z] * 2, abs=0.005)
        assert matrices[list(ANKLES), 0, 3] == pytest.approx([0.0, 0.0], abs=0.01)
        return
    soles, _ = soles_in_world(spec, speed)
    assert soles[..., 2].min() > -0.006
    assert soles[..., 2].max() > 0.03


def test_running_has_a_flight_phase_and_walking_has_none():
    for speed, flies in ((1.34, False), (3.2, True)):
        soles, _ = soles_in_world(ADULT, speed)
        aloft = (soles[..., 2].min(axis=2) > 0.01).all(axis=1)
        assert aloft.any() == flies


def test_hips_stay_over_the_feet_and_legs_keep_their_lengths():
    model = actor_model(ADULT)
    rig = model.rig.body
    hip, knee, ankle = (WALKER_JOINTS.index(name) for name in ("hip_l", "knee_l", "ankle_l"))
    for speed in (0.0, 0.7, 1.34, 3.0):
        for phase in np.linspace(0.0, 1.0, 37):
            at = joint_matrices(model, row(phase, speed))[:, :3, 3]
            assert np.linalg.norm(at[knee] - at[hip]) == pytest.approx(rig.thigh, abs=1e-6)
            assert np.linalg.norm(at[ankle] - at[knee]) == pytest.approx(rig.shin, abs=1e-6)
            assert at[knee][0] >= 0.5 * (at[hip][0] + at[ankle][0]) - 0.02, "knees bend forwards"
            assert 0.80 * rig.hip_z < at[hip][2] + ADULT.height / 2.0 <= rig.hip_z + 1e-9


@settings(deadline=None)
@given(st.floats(0.0, 50.0), st.floats(0.0, 5.0), st.sampled_from(sorted(WALKERS)))
def test_matrices_are_rigid_and_follow_the_table_of_joints(phase, speed, name):
    model = actor_model(WALKERS[name])
    matrices = joint_matrices(model, row(phase, speed))
    assert matrices.shape == (len(model.joints), 4, 4)
    turned = matrices[:, :3, :3]
    assert np.allclose(np.swapaxes(turned, 1, 2) @ turned, np.eye(3), atol=1e-9)
    assert np.allclose(np.linalg.det(turned), 1.0)
    assert np.allclose(matrices[:, 3], [0, 0, 0, 1])


@settings(deadline=None)
@given(st.floats(0.3, 4.0))
def test_the_path_of_a_foot_is_continuous(speed):
    rig = actor_model(ADULT).rig.body
    stride = Stride.at(ADULT.height, speed)
    path = np.array([foot_path(rig, stride, phase) for phase in np.linspace(0.0, 1.0, 801)])
    assert np.abs(np.diff(path[:, :2], axis=0)).max() < 0.03
    assert np.abs(path[0] - path[-1]).max() < 1e-9


def test_stride_lengths_are_human():
    # Boulic 1990 for a hip at 0.97 m; adults at 1.34 m/s take about 1.3 to 1.6 m a cycle.
    assert 1.3 < cycle_length_m(1.75, 1.34) < 1.6
    assert cycle_length_m(1.1, 1.1) < cycle_length_m(1.75, 1.1)
    assert cycle_length_m(1.75, 0.0) == 0.0


def test_children_have_larger_heads_for_their_height():
    def head_share(spec):
        joints = {joint.name: joint for joint in actor_model(spec).joints}
        neck = sum(joints[name].rest[2, 3] for name in ("pelvis", "spine", "neck"))
        return (spec.height / 2.0 - neck) / spec.height

    assert head_share(CHILD) > 1.25 * head_share(ADULT)

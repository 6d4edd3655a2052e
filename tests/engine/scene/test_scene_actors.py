import math

import numpy as np
import pytest

from engine.blueprints import PROPS, VEHICLES, WALKERS, parked_vehicle_prop
from engine.scene import actor_model, joint_matrices, rest_matrices
from engine.scene.props import MAKERS
from engine.scene.signals import signal_model
from engine.state import ACTOR_DTYPE
from foundation.ids import Tag

SLACK_M = 0.02


def row(**values):
    made = np.zeros(1, dtype=ACTOR_DTYPE)[0]
    for name, value in values.items():
        made[name] = value
    return made


def points_at_rest(model):
    at = dict(zip((joint.name for joint in model.joints), rest_matrices(model.joints)))
    parts = []
    for mesh in model.meshes:
        pose = at.get(mesh.joint, np.eye(4))
        parts.append(mesh.vertices @ pose[:3, :3].T + pose[:3, 3])
    return np.concatenate(parts)


def triangle_count(model):
    return sum(len(mesh.triangles) for mesh in model.meshes)


def check_mesh(mesh):
    assert mesh.vertices.dtype == np.float32
    assert mesh.triangles.dtype == np.int32
    assert np.isfinite(mesh.vertices).all()
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1.0, atol=1e-3)
    a, b, c = (mesh.vertices[mesh.triangles[:, i]].astype(np.float64) for i in range(3))
    # After the flip to a right-handed frame faces are counter-clockwise: componentwise they point inwards.
    face = -np.cross(b - a, c - a)
    face /= np.linalg.norm(face, axis=1, keepdims=True)
    shading = mesh.normals[mesh.triangles].mean(axis=1)
    assert (np.einsum("ti,ti->t", face, shading) > 0.0).mean() > 0.999


@pytest.mark.parametrize("name", sorted(VEHICLES))
def test_a_vehicle_has_its_blueprint_size_and_stands_on_its_wheels(name):
    spec = VEHICLES[name]
    model = actor_model(spec)
    points = points_at_rest(model)
    low, high = points.min(axis=0), points.max(axis=0)
    center, extent = np.array(spec.box.center), np.array(spec.box.extent)
    assert np.abs(low - (center - extent)).max() < SLACK_M
    assert np.abs(high - (center + extent)).max() < SLACK_M
    own = np.array(model.box.center), np.array(model.box.extent)
    assert (low >= own[0] - own[1] - 1e-4).all()
    assert (high <= own[0] + own[1] + 1e-4).all()
    assert 1500 <= triangle_count(model) <= 4600
    for mesh in model.meshes:
        check_mesh(mesh)
    assert {mesh.tag for mesh in model.meshes} == set(spec.tags)
    lights = {mesh.material.light for mesh in model.meshes}
    if spec.base_type != "bicycle":
        assert {"low_beam", "brake", "position", "left_blinker", "right_blinker"} <= lights
    if not spec.two_wheeler:
        assert "reverse" in lights
        assert any(mesh.material.name == "glass" for mesh in model.meshes)


@pytest.mark.parametrize("name", sorted(name for name, spec in VEHICLES.items() if not spec.two_wheeler))
def test_wheels_are_where_the_blueprint_puts_them(name):
    spec = VEHICLES[name]
    model = actor_model(spec)
    joints = {joint.name: joint.rest[:3, 3] for joint in model.joints}
    for wheel, (x, y, z) in zip(("wheel_fl", "wheel_fr", "wheel_rl", "wheel_rr"), spec.wheel_positions):
        at = joints[wheel]
        assert at[0] == pytest.approx(x, abs=0.06)
        assert at[2] == pytest.approx(z, abs=0.02)
        # Wide bodies move the wheel out to the arch, never inwards past the track.
        assert np.sign(at[1]) == np.sign(y)
        assert abs(at[1]) <= spec.width / 2.0


def test_wheels_roll_forwards_and_steer_right():
    model = actor_model(VEHICLES["vehicle.seat.leon"])
    names = [joint.name for joint in model.joints]
    still = joint_matrices(model, row())
    assert np.allclose(still, rest_matrices(model.joints))
    rolled = joint_matrices(model, row(wheel_spin=0.1, wheel_steer=(10.0, 10.0, 0.0, 0.0)))
    top = np.array([0.0, 0.0, 1.0])
    rear = rolled[names.index("wheel_rl")][:3, :3]
    assert (rear @ top)[0] == pytest.approx(math.sin(0.1)), "rolling forwards carries the top forwards"
    front = rolled[names.index("wheel_fl")][:3, :3]
    axle = front @ np.array([0.0, 1.0, 0.0])
    forward = np.cross(axle, [0.0, 0.0, 1.0])  # componentwise in CARLA's axes: y x z = x
    assert forward == pytest.approx([math.cos(math.radians(10)), math.sin(math.radians(10)), 0.0], abs=1e-9)


@pytest.mark.parametrize("name", sorted(name for name, spec in VEHICLES.items() if spec.two_wheeler))
def test_turned_bars_stay_within_a_box_that_fits(name):
    spec = VEHICLES[name]
    model = actor_model(spec)
    numbers = {joint.name: i for i, joint in enumerate(model.joints)}
    center, extent = np.array(model.box.center), np.array(model.box.extent)

    def bounds(steer):
        matrices = joint_matrices(model, row(wheel_steer=(steer, 0, 0, 0)))
        points = np.concatenate(
            [
                mesh.vertices @ matrices[numbers[mesh.joint]][:3, :3].T + matrices[numbers[mesh.joint]][:3, 3]
                if mesh.joint
                else mesh.vertices
                for mesh in model.meshes
            ]
        )
        return points.min(axis=0), points.max(axis=0)

    for steer in (-70.0, -45.0, -33.0, -17.0, 0.0, 3.0, 12.0, 28.0, 45.0, 70.0):
        low, high = bounds(steer)
        assert (low > center - extent - 0.002).all()
        assert (high < center + extent + 0.002).all()
    low, high = bounds(0.0)
    assert np.maximum(low - (center - extent), (center + extent) - high).max() < 0.02
    assert 2.0 * extent == pytest.approx((spec.length, spec.width, spec.height), abs=0.02)


@pytest.mark.parametrize("name", sorted(name for name, spec in VEHICLES.items() if spec.two_wheeler))
def test_riders_hold_the_bar_and_turn_the_pedals(name):
    spec = VEHICLES[name]
    model = actor_model(spec)
    index = {joint.name: i for i, joint in enumerate(model.joints)}
    seat, body = model.rig.seat, model.rig.body
    heights = []
    for spin in np.linspace(0.0, 2.0 * np.pi / 0.36, 24):
        matrices = joint_matrices(model, row(wheel_spin=spin, wheel_steer=(8.0, 0, 0, 0)))
        assert np.allclose(np.linalg.det(matrices[:, :3, :3]), 1.0)
        for side, grip in zip("lr", seat.grips):
            elbow = matrices[index[f"elbow_{side}"]]
            hand = elbow[:3, :3] @ [0.0, 0.0, -model.rig.forearm] + elbow[:3, 3]
            fork = matrices[index["fork"]]
            rest = np.array(model.rig.machine.head)
            held = fork[:3, :3] @ (np.array(grip) - rest) + rest
            assert np.linalg.norm(hand - held) < 0.14
            ankle = matrices[index[f"ankle_{side}"]]
            ball = ankle[:3, :3] @ [body.ball, 0.0, -body.ankle_z] + ankle[:3, 3]
            pedal = matrices[index[f"pedal_{side}"]][:3, 3]
            assert np.linalg.norm((ball - pedal)[[0, 2]]) < 0.05
            shin = matrices[index[f"ankle_{side}"]][:3, 3] - matrices[index[f"knee_{side}"]][:3, 3]
            assert np.linalg.norm(shin) == pytest.approx(body.shin, abs=0.12)
        heights.append(matrices[index["pedal_l"]][2, 3])
    if spec.base_type == "bicycle":
        assert np.ptp(heights) == pytest.approx(2.0 * seat.crank_m, rel=0.05)
    tags = {mesh.tag for mesh in model.meshes}
    assert Tag.RIDER in tags


@pytest.mark.parametrize("name", sorted(WALKERS))
def test_a_walker_is_as_tall_as_its_blueprint_and_dressed(name):
    spec = WALKERS[name]
    model = actor_model(spec)
    points = points_at_rest(model)
    assert points[:, 2].min() == pytest.approx(-spec.height / 2.0, abs=1e-3)
    assert points[:, 2].max() == pytest.approx(spec.height / 2.0, abs=1e-3)
    assert np.abs(points[:, :2]).max() < 0.36 * spec.height
    assert {mesh.tag for mesh in model.meshes} == {Tag.PEDESTRIANS}
    assert len({tuple(color) for mesh in model.meshes for color in mesh.colors}) >= 4
    assert triangle_count(model) < 3000
    for mesh in model.meshes:
        check_mesh(mesh)


@pytest.mark.parametrize("name", sorted(PROPS))
def test_a_prop_has_its_exact_size(name):
    spec = PROPS[name]
    model = actor_model(spec)
    assert model.box.center == pytest.approx(spec.box.center, abs=1e-6)
    assert model.box.extent == pytest.approx(spec.box.extent, abs=1e-6)
    points = points_at_rest(model)
    assert np.allclose(points.min(axis=0), np.array(spec.box.center) - spec.box.extent, atol=1e-3)
    for mesh in model.meshes:
        check_mesh(mesh)


def test_every_prop_shape_has_a_maker_and_every_maker_a_prop():
    assert {spec.shape for spec in PROPS.values()} == set(MAKERS)


def test_parked_cars_look_like_their_vehicle():
    spec = parked_vehicle_prop("vehicle.seat.leon")
    assert spec is not None
    parked = actor_model(spec, color=(10, 20, 200))
    car = actor_model(VEHICLES["vehicle.seat.leon"], color=(10, 20, 200))
    assert parked.box == car.box
    assert triangle_count(parked) == triangle_count(car)


def test_paint_is_what_was_asked_for():
    for color in ((200, 10, 20), (0, 0, 0)):
        model = actor_model(VEHICLES["vehicle.audi.a2"], color=color)
        (paint,) = [mesh for mesh in model.meshes if mesh.material.name == "paint"]
        assert (paint.colors == color).all()
    top = actor_model(WALKERS["walker.pedestrian.0004"], color=(1, 250, 3))
    assert any((mesh.colors == (1, 250, 3)).all(axis=1).any() for mesh in top.meshes)


def test_the_same_seed_gives_the_same_bytes_and_another_one_other_clothes():
    from engine.scene.actors import _build

    def bytes_of(seed):
        _build.cache_clear()
        parts = []
        for spec in (VEHICLES["vehicle.audi.tt"], VEHICLES["vehicle.bh.crossbike"], WALKERS["walker.pedestrian.0021"]):
            for mesh in actor_model(spec, seed=seed).meshes:
                parts += [
                    mesh.vertices.tobytes(),
                    mesh.triangles.tobytes(),
                    mesh.normals.tobytes(),
                    mesh.colors.tobytes(),
                ]
        return b"".join(parts)

    assert bytes_of(5) == bytes_of(5)
    assert len({bytes_of(seed) for seed in range(4)}) > 1


@pytest.mark.parametrize(
    "kind", ["traffic.traffic_light", "traffic.stop", "traffic.yield", "traffic.speed_limit.90", "traffic.unknown"]
)
def test_signals_face_right_of_their_forward_axis_and_stand_in_the_ground(kind):
    model = signal_model(kind, 0.0)
    for mesh in model.meshes:
        check_mesh(mesh)
    points = points_at_rest(model)
    assert points[:, 2].min() < -0.1
    assert 2.3 < points[:, 2].max() < 4.0
    faces = [mesh for mesh in model.meshes if mesh.material.light or mesh.material.name == "sign"]
    assert faces
    front = np.concatenate([mesh.vertices[mesh.normals[:, 1] > 0.9] for mesh in faces])
    assert len(front)
    assert front[:, 1].min() > 0.0, "lamps and faces lie on the +y side"
    if kind == "traffic.traffic_light":
        lamps = {mesh.material.light: mesh.vertices[:, 2].mean() for mesh in model.meshes if mesh.material.light}
        assert lamps["red"] > lamps["yellow"] > lamps["green"]


@pytest.mark.parametrize(
    ("face", "colors"),
    [("", {"yellow"}), ("306", {"yellow"}), ("201", {"red"}), ("136", {"red"}), ("215", {"blue"}), ("350", {"blue"})],
)
def test_other_signs_have_the_colours_of_their_group(face, colors):
    model = signal_model("traffic.unknown", 0.0, face)
    for mesh in model.meshes:
        check_mesh(mesh)
    plates = np.concatenate([mesh.colors[:, :3] for mesh in model.meshes if mesh.material.name == "sign"]).astype(float)
    red, green, blue = plates.T
    seen = {
        "red": ((red > 150) & (green < 60)).any(),
        "yellow": ((red > 200) & (green > 150) & (blue < 90)).any(),
        "blue": ((blue > 120) & (red < 60)).any(),
    }
    assert {color for color, there in seen.items() if there} == colors


def test_an_unknown_signal_kind_is_refused():
    with pytest.raises(ValueError, match="no traffic light or sign"):
        signal_model("static.prop.box")


@pytest.mark.parametrize("name", sorted(name for name, spec in VEHICLES.items() if not spec.two_wheeler))
def test_turned_wheels_stay_in_the_bounding_box(name):
    spec = VEHICLES[name]
    model = actor_model(spec)
    names = [joint.name for joint in model.joints]
    for degrees in (-70.0, -25.0, 40.0):
        posed = joint_matrices(model, row(wheel_spin=0.3, wheel_steer=(degrees, degrees, 0.0, 0.0)))
        for mesh in model.meshes:
            if mesh.joint in ("wheel_fl", "wheel_fr"):
                matrix = posed[names.index(mesh.joint)]
                sideways = (mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3])[:, 1]
                assert np.abs(sideways).max() <= spec.width / 2.0 + 1e-3

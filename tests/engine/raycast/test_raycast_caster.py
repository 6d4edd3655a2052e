"""The ray caster against a plain Moeller-Trumbore over all triangles in world coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from engine.geometry import Box, Joint, Material, Mesh, Model, StaticObject, StaticWorld
from engine.raycast import RayCaster
from engine.raycast.cull import BLOCK
from engine.state import ActorTable, Kind
from foundation.frames import invert, pose_matrices, transform_points
from foundation.ids import Tag

CUBE = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float32)
CUBE_TRIANGLES = np.array(
    [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4),
     (1, 5, 7), (1, 7, 3)],
    dtype=np.int32,
)  # fmt: skip


def cube(size, tag, joint="", at=(0, 0, 0)):
    vertices = (CUBE * np.asarray(size) / 2 + np.asarray(at)).astype(np.float32)
    n = len(vertices)
    return Mesh(
        vertices, CUBE_TRIANGLES, vertices * 0, np.zeros((n, 2), np.float32), np.zeros((n, 3), np.uint8),
        Material("any"), tag, joint,
    )  # fmt: skip


def ball(radius, tag, rng, joint=""):
    """A lumpy ball of 200 triangles."""
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 15), np.linspace(0.02, np.pi - 0.02, 9))
    r = radius * (1 + 0.2 * rng.random(u.shape))
    vertices = np.stack([r * np.cos(u) * np.sin(v), r * np.sin(u) * np.sin(v), r * np.cos(v)], -1).reshape(-1, 3)
    i = (np.arange(8)[:, None] * 15 + np.arange(14)).ravel()
    triangles = np.concatenate([np.stack([i, i + 1, i + 15], 1), np.stack([i + 1, i + 16, i + 15], 1)])
    n = len(vertices)
    return Mesh(
        vertices.astype(np.float32), triangles.astype(np.int32), np.zeros((n, 3), np.float32),
        np.zeros((n, 2), np.float32), np.zeros((n, 3), np.uint8), Material("any"), tag, joint,
    )  # fmt: skip


def model(*meshes, joints=()):
    return Model("any", meshes, Box((0, 0, 0), (1, 1, 1)), tuple(joints))


def placed(number, mesh, location, rotation=(0, 0, 0)):
    return StaticObject(number, str(number), model(mesh), pose_matrices(location, rotation), mesh.tag)


def world_of(*objects):
    return StaticWorld("test", "", tuple(objects))


def brute_force(parts, origins, directions, max_range):
    """Return distance, actor, tag, object of the nearest of ``parts``: (mesh, world pose, actor, object)."""
    best = np.full(len(directions), np.inf)
    labels = np.zeros((len(directions), 3), dtype=np.int64)
    normals = np.zeros((len(directions), 3))
    for mesh, pose, actor, obj in parts:
        corners = transform_points(pose, mesh.vertices)[mesh.triangles]
        for a, b, c in corners:
            e1, e2 = b - a, c - a
            p = np.cross(directions, e2)
            det = p @ e1
            with np.errstate(divide="ignore", invalid="ignore"):
                s = origins - a
                u = (s * p).sum(1) / det
                q = np.cross(s, e1)
                v = (directions * q).sum(1) / det
                t = q @ e2 / det
            ok = (np.abs(det) > 1e-12) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0) & (t <= max_range) & (t < best)
            best[ok] = t[ok]
            labels[ok] = actor, int(mesh.tag), obj
            n = np.cross(e1, e2)
            normals[ok] = n / np.linalg.norm(n)
    normals[(normals * directions).sum(1) > 0] *= -1
    return best, labels, normals


def unit_vectors(rng, n):
    d = rng.normal(size=(n, 3))
    return d / np.linalg.norm(d, axis=1, keepdims=True)


@pytest.fixture
def scene():
    """Return (caster, table, world parts): 12 static things and 10 actors of two kinds, one with joints."""
    rng = np.random.default_rng(5)
    static = [placed(1, cube((120, 120, 0.2), Tag.ROADS), (0, 0, -0.1))]
    static += [
        placed(100 + n, cube(rng.uniform(1, 6, 3), Tag.BUILDINGS), rng.uniform(-40, 40, 3) * (1, 1, 0.1))
        for n in range(11)
    ]
    parts = [(mesh, o.pose, 0, o.id) for o in static for mesh in o.model.meshes]
    lift = np.eye(4)
    lift[:3, 3] = 0, 0, 1.2
    squeeze = pose_matrices((0.0, 0.5, 0.8), (10, 20, 30)) @ np.diag([0.5, 0.5, 0.5, 1.0])
    jointed = model(
        ball(0.8, Tag.CAR, rng), ball(0.4, Tag.RIDER, rng, "seat"), ball(0.3, Tag.BICYCLE, rng, "hand"),
        joints=[Joint("seat", "", lift), Joint("hand", "seat", squeeze)],
    )  # fmt: skip
    plain = model(ball(0.6, Tag.PEDESTRIANS, rng), cube((0.2, 0.2, 2), Tag.POLES))
    table, caster = ActorTable(), RayCaster(world_of(*static))
    for n in range(10):
        row = table.add(50 + n, Kind.VEHICLE)
        row["location"], row["rotation"] = rng.uniform(-9, 9, 3) * (1, 1, 0.2), rng.uniform(-180, 180, 3)
        pose = pose_matrices(row["location"], row["rotation"])
        kind = jointed if n % 2 else plain
        caster.add_actor(50 + n, kind)
        frames = {"": pose, "seat": pose @ lift, "hand": pose @ lift @ squeeze}
        parts += [(mesh, frames[mesh.joint], 50 + n, 0) for mesh in kind.meshes]
    caster.update(table)
    return caster, table, parts


def agree(hits, expected, tolerance=2e-4):
    """Compare with the brute force; the rays that graze an edge within the tolerance may go either way."""
    distance, labels, normals = expected
    same = np.isclose(hits.distance_m, distance, rtol=1e-5, atol=tolerance) | (hits.hit == np.isfinite(distance)) & (
        ~hits.hit
    )
    assert same.mean() > 0.999, f"{(~same).sum()} of {len(same)} rays differ"
    assert (hits.actor_id == labels[:, 0])[same].mean() > 0.999
    assert (hits.tag == labels[:, 1])[same].mean() > 0.999
    assert (hits.static_object_id == labels[:, 2])[same].mean() > 0.999
    cosine = (hits.normal * normals).sum(1)[same & hits.hit]
    assert (cosine > 0.999).mean() > 0.998


def test_rays_from_one_point_meet_what_a_plain_intersection_meets(scene):
    caster, _, parts = scene
    directions = unit_vectors(np.random.default_rng(0), 4000)
    origin = np.array([1.0, -2.0, 1.5])
    expected = brute_force(parts, np.broadcast_to(origin, directions.shape), directions, 35.0)
    hits = caster.cast(origin, directions, 35.0)
    agree(hits, expected)
    assert (hits.actor_id > 0).sum() > 100
    assert np.isinf(hits.distance_m).sum() > 100


def test_scan_ordered_rays_meet_the_same(scene):
    caster, _, parts = scene
    azimuth, elevation = np.meshgrid(np.linspace(-np.pi, np.pi, 400, endpoint=False), np.linspace(-0.4, 0.4, 12))
    flat = np.cos(elevation)
    directions = np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], -1).reshape(-1, 3)
    origin = np.array([0.3, 0.2, 1.0])
    agree(
        caster.cast(origin, directions, 60.0),
        brute_force(parts, np.broadcast_to(origin, directions.shape), directions, 60.0),
    )


@pytest.mark.parametrize("count", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3000])
def test_rays_from_many_points_meet_the_same(scene, count):
    caster, _, parts = scene
    rng = np.random.default_rng(count)
    origins, directions = rng.uniform(-25, 25, (count, 3)) * (1, 1, 0.2), unit_vectors(rng, count)
    agree(caster.cast(origins, directions, 30.0), brute_force(parts, origins, directions, 30.0))


def test_ignored_actors_are_passed_through(scene):
    caster, _, parts = scene
    ids = {50, 51, 52, 57}
    directions = unit_vectors(np.random.default_rng(3), 3000)
    origin = np.array([0.0, 0.0, 2.0])
    kept = [part for part in parts if part[2] not in ids]
    hits = caster.cast(origin, directions, 50.0, ignore=ids)
    agree(hits, brute_force(kept, np.broadcast_to(origin, directions.shape), directions, 50.0))
    assert not set(hits.actor_id.tolist()) & ids


def test_an_update_moves_actors_and_builds_nothing(scene):
    caster, table, _ = scene
    toward = np.array([[1.0, 0.0, 0.0]])
    caster.cast((-60, 0, 30), toward, 200.0)
    scenes = [id(sheet.triangles._scene) for sheet in caster._pieces.atlas._sheets]
    table[50]["location"], table[50]["rotation"] = (10, 0, 30), (0, 0, 0)
    caster.update(table)
    hits = caster.cast((-60, 0, 30), toward, 200.0)
    assert hits.actor_id[0] == 50
    assert hits.distance_m[0] == pytest.approx(70 - 0.6, abs=0.15)
    assert [id(sheet.triangles._scene) for sheet in caster._pieces.atlas._sheets] == scenes
    assert len(scenes) == 1


def test_actors_of_one_model_share_their_scenes():
    kind = model(cube((1, 1, 1), Tag.CAR), cube((1, 1, 1), Tag.CAR, "w"), joints=[Joint("w", "", np.eye(4))])
    again = model(cube((1, 1, 1), Tag.CAR))
    caster, table = RayCaster(world_of()), ActorTable()
    for n in range(1, 6):
        table.add(n, Kind.VEHICLE)["location"] = 10 * n, 0, 0
        caster.add_actor(n, kind if n < 4 else again)
    caster.update(table)
    caster.cast((0, 0, 0), np.eye(3), 100.0)
    assert len(caster._pieces.shapes) == 1


def test_joint_matrices_come_from_the_given_function_or_the_caller():
    asked = []

    def swing(kind, row):
        asked.append(int(row["id"]))
        return pose_matrices([(0.0, 0.0, 0.4)], [(0.0, 0.0, 0.0)])

    kind = model(cube((1, 1, 1), Tag.CAR, "w"), joints=[Joint("w", "", np.eye(4))])
    caster, table = RayCaster(world_of(), swing), ActorTable()
    table.add(7, Kind.VEHICLE)
    caster.add_actor(7, kind)
    caster.update(table)
    assert caster.cast((0, 0, 20), [(0, 0, -1)], 50).distance_m[0] == pytest.approx(19.1)
    assert asked == [7]
    caster.update(table, {7: pose_matrices([(0.0, 0.0, 9.0)], [(0.0, 0.0, 0.0)])})
    assert caster.cast((0, 0, 20), [(0, 0, -1)], 50).distance_m[0] == pytest.approx(10.5)
    assert asked == [7]


def test_removed_and_absent_actors_are_not_hit():
    caster, table = RayCaster(world_of()), ActorTable()
    caster.add_actor(1, model(cube((1, 1, 1), Tag.CAR)))
    caster.update(table)
    assert not caster.cast((5, 0, 0), [(-1, 0, 0)], 50).hit.any()
    table.add(1, Kind.PROP)
    caster.update(table)
    assert caster.cast((5, 0, 0), [(-1, 0, 0)], 50).distance_m[0] == pytest.approx(4.5)
    caster.remove(1)
    assert not caster.cast((5, 0, 0), [(-1, 0, 0)], 50).hit.any()
    with pytest.raises(KeyError):
        caster.remove(1)
    caster.add_actor(1, model(cube((1, 1, 1), Tag.CAR)))
    with pytest.raises(ValueError, match="actor 1"):
        caster.add_actor(1, model())


def test_an_empty_world_and_no_rays_are_fine():
    caster = RayCaster(world_of())
    assert not caster.cast((0, 0, 0), np.eye(3), 10).hit.any()
    hits = caster.cast((0, 0, 0), np.zeros((0, 3)), 10)
    assert len(hits) == 0
    assert hits.normal.shape == (0, 3)
    assert len(caster.cast_all((0, 0, 0), (1, 0, 0), 10)) == 0
    assert caster.sweep((0, 0, 0), (1, 0, 0), 0.5, 10) is None


def test_a_map_far_from_the_origin_loses_no_precision():
    far = np.array([600000.0, 5700000.0, 300.0])
    caster, table = RayCaster(world_of(placed(4, cube((2, 2, 2), Tag.WALLS), far + np.array((10, 0, 0))))), ActorTable()
    table.add(1, Kind.VEHICLE)["location"] = far + np.array((0, 20, 0))
    caster.add_actor(1, model(cube((2, 2, 2), Tag.CAR)))
    caster.update(table)
    hits = caster.cast(far, [(1, 0, 0), (0, 1, 0)], 100)
    np.testing.assert_allclose(hits.distance_m, [9.0, 19.0], atol=1e-4)


def test_hidden_objects_are_not_hit_until_shown_again():
    caster = RayCaster(world_of(placed(4, cube((2, 2, 2), Tag.WALLS), (10, 0, 0))))
    caster.set_static_visibility([4, 12345], False)
    assert not caster.cast((0, 0, 0), [(1, 0, 0)], 50).hit[0]
    caster.set_static_visibility([4], True)
    assert caster.cast((0, 0, 0), [(1, 0, 0)], 50).static_object_id[0] == 4


def test_cast_all_lists_each_component_once_and_in_order():
    caster, table = (
        RayCaster(
            world_of(
                placed(9, cube((1, 9, 9), Tag.BUILDINGS), (30, 0, 0)), placed(8, cube((1, 9, 9), Tag.WALLS), (10, 0, 0))
            )
        ),
        ActorTable(),
    )
    table.add(3, Kind.VEHICLE)["location"] = 20, 0, 0
    caster.add_actor(3, model(cube((2, 2, 2), Tag.CAR), cube((1, 1, 1), Tag.RIDER)))
    caster.update(table)
    hits = caster.cast_all((0, 0.1, 0.2), (1, 0, 0), 100)
    np.testing.assert_allclose(hits.distance_m, [9.5, 19.0, 19.5, 29.5], atol=1e-4)
    assert hits.tag.tolist() == [Tag.WALLS, Tag.CAR, Tag.RIDER, Tag.BUILDINGS]
    assert hits.actor_id.tolist() == [0, 3, 3, 0]
    assert hits.static_object_id.tolist() == [8, 0, 0, 9]
    np.testing.assert_allclose(hits.normal, np.tile([-1.0, 0, 0], (4, 1)), atol=1e-6)
    assert caster.cast_all((0, 0, 0), (1, 0, 0), 19.2).tag.tolist() == [Tag.WALLS, Tag.CAR]
    assert caster.cast_all((0, 0, 0), (1, 0, 0), 25, ignore={3}).tag.tolist() == [Tag.WALLS]


def test_project_point_finds_the_first_surface():
    caster = RayCaster(world_of(placed(1, cube((50, 50, 2), Tag.ROADS), (0, 0, -1))))
    location, tag = caster.project_point((3, 4, 10), (0, 0, -2), 20)
    np.testing.assert_allclose(location, (3, 4, 0), atol=1e-5)
    assert tag == Tag.ROADS
    assert caster.project_point((3, 4, 10), (0, 0, -2), 5) is None
    assert caster.project_point((3, 4, 10), (0, 0, 0), 5) is None


def test_the_pose_convention_is_the_frames_modules():
    """A box ahead of an actor that is yawed by +90 degrees lies on world +y (right)."""
    caster, table = RayCaster(world_of()), ActorTable()
    row = table.add(1, Kind.VEHICLE)
    row["location"], row["rotation"] = (5, 0, 0), (0, 90, 0)
    caster.add_actor(1, model(cube((1, 1, 1), Tag.CAR, at=(4, 0, 0))))
    caster.update(table)
    pose = pose_matrices(row["location"], row["rotation"])
    np.testing.assert_allclose(transform_points(pose, [(4, 0, 0)]), [(5, 4, 0)], atol=1e-9)
    np.testing.assert_allclose(invert(pose) @ pose, np.eye(4), atol=1e-9)
    assert caster.cast((5, 0, 0), [(0, 1, 0)], 50).distance_m[0] == pytest.approx(3.5)


def test_many_kinds_added_one_by_one_are_all_found_far_away():
    """Shapes stand side by side in a shared scene; a ray through one must not stop at its neighbours there."""
    rng = np.random.default_rng(8)
    caster, table = RayCaster(world_of()), ActorTable()
    directions = unit_vectors(rng, 40)
    for n in range(40):
        table.add(n + 1, Kind.VEHICLE)["location"] = 400.0 * directions[n]
        caster.add_actor(n + 1, model(cube(rng.uniform(0.3, 6.0, 3), Tag.CAR)))
        caster.update(table)
        hits = caster.cast((0, 0, 0), directions, 1000.0)
        assert hits.actor_id.tolist() == [*range(1, n + 2), *[0] * (39 - n)]
    assert len(caster._pieces.atlas._sheets) <= 6
    parts = []
    for n in range(40):
        (mesh,) = caster._pieces._actors[n + 1].model.meshes
        parts.append((mesh, pose_matrices(table[n + 1]["location"], (0, 0, 0)), n + 1, 0))
    jitter = np.repeat(directions, 50, axis=0) + rng.normal(0, 0.004, (2000, 3))
    jitter /= np.linalg.norm(jitter, axis=1, keepdims=True)
    expected = brute_force(parts, np.zeros_like(jitter), jitter, 1000.0)
    assert 500 < np.isfinite(expected[0]).sum() < 1900
    agree(caster.cast((0, 0, 0), jitter, 1000.0), expected, tolerance=2e-3)


def test_joints_may_turn_freely_without_losing_rays():
    """An arm that points up at rest is turned forward: the sphere around the actor must reach there too."""
    lift = np.eye(4)
    lift[:3, 3] = 0, 0, 1

    def forward(kind, row):
        return pose_matrices([(0, 0, 1)], [(-90, 0, 0)])

    kind = model(cube((0.2, 0.2, 6), Tag.CAR, "arm", at=(0, 0, 3)), joints=[Joint("arm", "", lift)])
    caster, table = RayCaster(world_of(), forward), ActorTable()
    table.add(1, Kind.VEHICLE)
    caster.add_actor(1, kind)
    caster.update(table)
    assert caster.cast((5.9, 0, 9), [(0, 0, -1)], 20).distance_m[0] == pytest.approx(7.9, abs=1e-4)

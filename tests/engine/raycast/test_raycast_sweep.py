"""The swept sphere: known answers, and a fine march with the plain point-triangle distance."""

from __future__ import annotations

import numpy as np
import pytest

from engine.geometry import Box, Material, Mesh, Model, StaticObject, StaticWorld
from engine.raycast import RayCaster
from engine.raycast.sweep import _closest_square, sweep_sphere
from engine.state import ActorTable, Kind
from foundation.ids import Tag

TRIANGLE = np.array([[(5.0, -1.0, 0.0), (5.0, 1.0, 0.0), (5.0, 0.0, 2.0)]])
FORWARD = np.array([1.0, 0.0, 0.0])


def mesh(corners, tag):
    vertices = np.asarray(corners, dtype=np.float32).reshape(-1, 3)
    n = len(vertices)
    triangles = np.arange(n, dtype=np.int32).reshape(-1, 3)
    return Mesh(vertices, triangles, vertices * 0, np.zeros((n, 2), np.float32), np.zeros((n, 3), np.uint8),
                Material("any"), tag)  # fmt: skip


@pytest.mark.parametrize(
    ("start", "radius", "expected"),
    [
        ((0, 0, 0.5), 0.5, 4.5),  # face
        ((0, 0, 0.5), 3.0, 2.0),  # face, large
        ((0, 0, -0.3), 0.5, 5 - 0.4),  # bottom edge: sqrt(0.25 - 0.09)
        ((0, 0, 2.3), 0.5, 5 - 0.4),  # top corner
        ((0, 0, 3.0), 0.5, np.inf),  # passes by
        ((4.8, 0, 0.5), 0.5, 0.0),  # overlaps at the start
        ((6.0, 0, 0.5), 0.5, np.inf),  # behind
    ],
)
def test_known_travels(start, radius, expected):
    travel = sweep_sphere(np.array(start, dtype=float), FORWARD, radius, TRIANGLE)
    assert travel[0] == pytest.approx(expected, abs=1e-9)


def test_travel_agrees_with_a_fine_march():
    rng = np.random.default_rng(2)
    corners = rng.normal(size=(300, 3, 3)) + rng.normal(size=(300, 1, 3)) * (3, 1, 1) + np.array((6, 0, 0))
    start, radius = np.zeros(3), 0.4
    travel = sweep_sphere(start, FORWARD, radius, corners)
    steps = np.arange(0, 16, 0.004)
    near = np.array([_closest_square(start + s * FORWARD, corners) for s in steps]) <= radius**2
    marched = np.where(near.any(axis=0), steps[near.argmax(axis=0)], np.inf)
    hit = np.isfinite(marched)
    assert 50 < hit.sum() < 290
    np.testing.assert_allclose(travel[hit], marched[hit], atol=0.0041)
    grazing = np.isfinite(travel) & ~hit
    assert grazing.sum() <= 2


def test_point_triangle_distance_agrees_with_dense_samples():
    rng = np.random.default_rng(4)
    corners, point = rng.normal(size=(50, 3, 3)), np.array([0.3, -0.2, 0.6])
    u, v = (a.ravel() for a in np.meshgrid(np.linspace(0, 1, 200), np.linspace(0, 1, 200)))
    inside = u + v <= 1
    weights = np.stack([1 - u - v, u, v], 1)[inside]
    sampled = np.linalg.norm(np.einsum("sk,tkx->tsx", weights, corners) - point, axis=2).min(axis=1)
    np.testing.assert_allclose(np.sqrt(_closest_square(point, corners)), sampled, atol=0.03)
    assert (np.sqrt(_closest_square(point, corners)) <= sampled + 1e-9).all()


def test_the_caster_sweeps_static_things_and_actors():
    ground = [(-50, -50, 0), (50, -50, 0), (50, 50, 0), (-50, -50, 0), (50, 50, 0), (-50, 50, 0)]
    wall = [(20, -5, -5), (20, 5, -5), (20, 0, 5)]
    objects = tuple(
        StaticObject(number, "", Model("", (mesh(corners, tag),), Box((0, 0, 0), (1, 1, 1))), np.eye(4), tag)
        for number, corners, tag in ((7, ground, Tag.ROADS), (8, wall, Tag.WALLS))
    )
    caster, table = RayCaster(StaticWorld("", "", objects)), ActorTable()
    row = table.add(3, Kind.VEHICLE)
    row["location"], row["rotation"] = (10, 0, 1), (0, 180, 0)
    caster.add_actor(3, Model("", (mesh(TRIANGLE, Tag.CAR),), Box((0, 0, 0), (1, 1, 1))))
    caster.update(table)
    # Turned by 180 degrees the triangle's plane stands at x = 10 - 5.
    found = caster.sweep((0, 0, 1.5), FORWARD, 0.5, 30)
    assert (found.actor_id, found.tag, found.static_object_id) == (3, Tag.CAR, 0)
    assert found.distance_m == pytest.approx(4.5, abs=1e-4)
    found = caster.sweep((0, 0, 1.5), FORWARD, 0.5, 30, ignore={3})
    assert (found.actor_id, found.tag, found.static_object_id) == (0, Tag.WALLS, 8)
    assert found.distance_m == pytest.approx(19.5, abs=1e-4)
    assert caster.sweep((0, 0, 1.5), FORWARD, 0.5, 30, ignore={3}, static=False) is None
    assert caster.sweep((0, 0, 1.5), FORWARD, 0.5, 4.4) is None
    low = caster.sweep((0, 0, 0.3), FORWARD, 0.5, 30)
    assert (low.distance_m, low.tag) == (0.0, Tag.ROADS)

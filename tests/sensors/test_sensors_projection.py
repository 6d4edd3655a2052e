"""Boxes in the image: against the definition of the pinhole, and against brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.frames import pose_matrices
from sensors import projection

SIZE = (640, 480, 320.0)


def test_right_is_right_and_up_is_up():
    points = np.array([(10.0, 0, 0), (10, 1, 0), (10, 0, 1), (20, 1, 1)])
    np.testing.assert_allclose(projection.project(points, *SIZE), [(320, 240), (352, 240), (320, 208), (336, 224)])


def test_rays_are_the_inverse_of_projection():
    rng = np.random.default_rng(0)
    points = rng.uniform((1, -5, -5), (50, 5, 5), (100, 3))
    u, v = projection.project(points, *SIZE).T
    np.testing.assert_allclose(projection.rays(u, v, *SIZE) * points[:, :1], points, atol=1e-9)


def test_a_box_straight_ahead_has_the_outline_of_its_near_face():
    outline = projection.silhouette(pose_matrices((11, 0, 0), (0, 0, 0)), np.array([1.0, 2, 1]), *SIZE)
    np.testing.assert_allclose(outline.min(axis=0), (320 - 64, 240 - 32))
    np.testing.assert_allclose(outline.max(axis=0), (320 + 64, 240 + 32))
    assert projection.area(outline) == pytest.approx(128 * 64)


def test_a_box_behind_has_no_outline_and_one_beside_is_cut_at_the_camera():
    assert projection.silhouette(pose_matrices((-11, 0, 0), (0, 0, 0)), np.array([1.0, 2, 1]), *SIZE) is None
    beside = projection.silhouette(pose_matrices((0, 3, 0), (0, 0, 0)), np.array([2.0, 1, 1]), *SIZE)
    assert beside[:, 0].min() == pytest.approx(320 + 320 * 2 / 2)  # its far edge: y = 2 at x = 2
    assert beside[:, 0].max() > 10000
    around = projection.silhouette(pose_matrices((0, 0, 0), (0, 0, 0)), np.array([2.0, 1, 1]), *SIZE)
    inside = projection.clip(around, 640, 480)
    assert projection.area(inside) == pytest.approx(640 * 480)


@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=1, max_size=30))
def test_the_hull_is_convex_and_holds_every_point(points):
    points = np.array(points, dtype=float)
    hull = projection.convex_hull(points)
    if len(hull) < 3:
        return
    for i in range(len(hull)):
        a, b = hull[i], hull[(i + 1) % len(hull)]
        cross = (b[0] - a[0]) * (points[:, 1] - a[1]) - (b[1] - a[1]) * (points[:, 0] - a[0])
        assert (cross >= -1e-9).all()


def test_clipping_keeps_the_part_inside():
    square = np.array([(-1.0, -1), (3, -1), (3, 3), (-1, 3)])
    assert projection.area(projection.clip(square, 2, 10)) == pytest.approx(6)
    assert len(projection.clip(square + 100, 2, 10)) == 0
    diamond = np.array([(1.0, -1), (3, 1), (1, 3), (-1, 1)])
    assert projection.area(projection.clip(diamond, 2, 2)) == pytest.approx(4)  # its corners are cut off
    assert projection.area(np.zeros((2, 2))) == 0.0


def test_covered_pixels_are_those_whose_centre_is_inside():
    rows, columns, mask = projection.covered_pixels(np.array([(2.4, 1.4), (5.6, 1.4), (5.6, 3.6), (2.4, 3.6)]), 8, 8)
    full = np.zeros((8, 8), dtype=bool)
    full[rows, columns] = mask
    assert np.argwhere(full).tolist() == [[v, u] for v in (1, 2, 3) for u in (2, 3, 4, 5)]
    assert not projection.covered_pixels(np.array([(1.0, 1.0), (2, 2)]), 8, 8)[2].any()
    triangle = np.array([(-5.0, -5), (20, 4), (3, 30)])
    rows, columns, mask = projection.covered_pixels(triangle, 16, 16)
    assert mask.sum() == pytest.approx(projection.area(projection.clip(triangle, 16, 16)), abs=8)


def test_depth_range_agrees_with_marching():
    rng = np.random.default_rng(3)
    pose, extent = pose_matrices((12, 1, 0.5), (10, 35, -20)), np.array([2.0, 0.9, 0.7])
    directions = np.stack([np.ones(300), rng.uniform(-0.3, 0.4, 300), rng.uniform(-0.2, 0.25, 300)], axis=1)
    entry, leave = projection.depth_range(directions, pose, extent)
    steps = np.arange(8, 16, 0.005)
    local = (directions[:, None] * steps[:, None] - pose[:3, 3]) @ pose[:3, :3]
    inside = (np.abs(local) <= extent).all(axis=2)
    hit = inside.any(axis=1)
    assert 20 < hit.sum() < 280
    np.testing.assert_allclose(entry[hit], steps[inside[hit].argmax(axis=1)], atol=0.006)
    assert (entry[~hit] > leave[~hit] - 0.01).all()


def test_a_ray_along_a_face_is_no_number_trouble():
    entry, leave = projection.depth_range(np.array([[1.0, 0, 0]]), pose_matrices((5, 1, 0), (0, 0, 0)), np.ones(3))
    assert math.isclose(entry[0], 4)
    assert math.isclose(leave[0], 6)

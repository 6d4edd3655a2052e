"""The conversion module against the genuine client's own matrices."""

import carla
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation import frames

angle = st.floats(-180, 180)
coordinate = st.floats(-1e4, 1e4)


@given(st.tuples(st.floats(-89, 89), angle, angle), st.tuples(coordinate, coordinate, coordinate))
def test_matrices_are_the_clients(rotation, location):
    pitch, yaw, roll = rotation
    transform = carla.Transform(carla.Location(*location), carla.Rotation(pitch=pitch, yaw=yaw, roll=roll))
    ours = frames.pose_matrices(location, rotation)
    np.testing.assert_allclose(ours, np.array(transform.get_matrix()), atol=2e-3)
    np.testing.assert_allclose(frames.invert(ours), np.linalg.inv(ours), atol=1e-6)


@given(st.tuples(st.floats(-89, 89), angle, angle))
def test_rotation_survives_the_round_trip_through_its_matrix(rotation):
    back = frames.rotation_of(frames.rotation_matrices(rotation))
    np.testing.assert_allclose(frames.wrap_deg(back - np.array(rotation)), 0.0, atol=1e-6)


@given(st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(-3, 3))
def test_orientation_survives_the_round_trip_between_frames(heading, pitch, roll):
    assert frames.asam_orientation(*frames.carla_rotation(heading, pitch, roll)) == pytest.approx(
        (heading, pitch, roll)
    )


def test_a_left_turn_in_asam_is_a_left_turn_in_carla():
    forward_asam = np.array([np.cos(0.3), np.sin(0.3), 0.0])
    matrix = frames.rotation_matrices(frames.carla_rotation(0.3))
    np.testing.assert_allclose(matrix[:, 0], frames.flip_y(forward_asam), atol=1e-12)


def test_nose_up_stays_nose_up():
    pitch, _, _ = frames.carla_rotation(0.0, pitch_rad=-0.1)
    assert frames.rotation_matrices((pitch, 0.0, 0.0))[2, 0] == pytest.approx(np.sin(0.1))


@given(st.lists(st.tuples(coordinate, coordinate, coordinate), min_size=1))
def test_flipping_twice_is_nothing(points):
    np.testing.assert_array_equal(frames.flip_y(frames.flip_y(points)), np.array(points))


def test_points_move_with_the_matrix():
    matrix = frames.pose_matrices((1.0, 2.0, 3.0), (0.0, 90.0, 0.0))
    np.testing.assert_allclose(frames.transform_points(matrix, [[1.0, 0.0, 0.0]]), [[1.0, 3.0, 3.0]], atol=1e-12)

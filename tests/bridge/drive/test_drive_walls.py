"""Walls behind the car, and lamps on it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.drive.keys import Action
from bridge.drive.lights import Lights
from bridge.drive.walls import Walls
from foundation.frames import pose_matrices


def walls(*boxes):
    at, turn, extent = zip(*boxes)
    return Walls(pose_matrices(at, turn), np.array(extent, dtype=float))


def test_the_way_ends_at_the_nearest_wall():
    two = walls(((-10, 0, 0), (0, 0, 0), (1, 5, 5)), ((-6, 0, 0), (0, 0, 0), (1, 5, 5)))
    assert two.free_m((0, 0, 1), (-20, 0, 1)) == pytest.approx(5.0)
    assert two.free_m((0, 0, 1), (-4, 0, 1)) == math.inf
    assert two.free_m((0, 0, 1), (20, 0, 1)) == math.inf
    assert two.free_m((0, 0, 9), (-20, 0, 9)) == math.inf  # above the roofs


def test_a_turned_wall_is_met_at_its_own_face():
    # A thin wall turned by 45 degrees through (-10, 0): its face is sqrt(2) * half its thickness nearer.
    turned = walls(((-10, 0, 0), (0, 45, 0), (0.5, 20, 5)))
    assert turned.free_m((0, 0, 1), (-20, 0, 1)) == pytest.approx(10.0 - 0.5 * math.sqrt(2.0))


def test_whoever_is_inside_a_box_sees_out_of_it():
    assert walls(((0, 0, 0), (0, 0, 0), (5, 5, 5))).free_m((0, 0, 0), (-20, 0, 0)) == math.inf
    assert Walls(np.zeros((0, 4, 4)), np.zeros((0, 3))).free_m((0, 0, 0), (-20, 0, 0)) == math.inf


@given(st.floats(-180, 180), st.floats(2, 40), st.floats(0.1, 1.5))
def test_the_distance_to_a_wall_across_the_way_is_its_own_in_every_direction(yaw, far, thin):
    c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    wall = walls(((far * c, far * s, 0), (0, yaw, 0), (thin, 3, 3)))
    assert wall.free_m((0, 0, 0), (50 * c, 50 * s, 0)) == pytest.approx(far - thin, abs=1e-6)


def test_lamps_go_round_and_blinkers_put_each_other_out():
    lights = Lights()
    seen = []
    for _ in range(4):
        lights.press(Action.LIGHTS)
        seen.append(lights.names)
    assert seen == [("position",), ("low beam",), ("fog",), ()]
    lights.press(Action.LEFT_BLINKER)
    assert lights.flags == 0x20
    lights.press(Action.RIGHT_BLINKER)
    assert lights.names == ("right",)
    assert lights.flags == 0x10
    lights.press(Action.RIGHT_BLINKER)
    lights.press(Action.HIGH_BEAM)
    assert lights.flags == 0x4
    assert not lights.press(Action.HELP)

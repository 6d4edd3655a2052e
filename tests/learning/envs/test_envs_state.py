import math

import numpy as np
import pytest
from test_envs_scene import an_ego, some_others

from foundation.errors import RealityError
from learning.envs.route import Route
from learning.envs.scene import PEDESTRIAN, Others, Scene
from learning.envs.state import EGO_FIELDS, OTHER_FIELDS, ROUTE_FIELDS, StateLayout


def straight(length=300, width=4.0, limit=20.0, **more) -> Route:
    """A route east along y = 0."""
    count = length + 1
    flat = np.zeros(count)
    values = {
        "points": np.stack([np.arange(count, dtype=float), flat], axis=-1), "heading": flat, "curvature": flat,
        "width": np.full(count, width), "left": np.full(count, 6.0), "right": np.full(count, 3.0),
        "limit": np.full(count, limit), "same_left": np.full(count, 2.0), "same_right": np.full(count, 3.0),
    }  # fmt: skip
    return Route(**{**values, **more})


def test_the_vector_says_what_its_fields_say():
    layout = StateLayout(neighbours=2)
    assert len(layout.names) == len(EGO_FIELDS) + len(ROUTE_FIELDS) + 2 * len(OTHER_FIELDS)
    assert len(set(layout.names)) == len(layout.names)
    ego = an_ego(x=100.0, y=0.5, yaw=math.radians(5.0), vx=10.0, vy=0.0, throttle=0.3, steer=-0.1)
    others = some_others([(120.0, 0.5, 0.0, 4.0, 0.0, 4.2, 1.8), (95.0, -3.0, math.pi, -8.0, 0.0, 12.0, 2.5)])
    others.kind[0] = PEDESTRIAN
    scene = Scene(5.0, ego, others, s=100.0, offset=0.5, heading_error=math.radians(5.0))
    found = layout.decode(layout.observe(scene, straight(), 20.0))
    c, s = math.cos(math.radians(5.0)), math.sin(math.radians(5.0))
    assert found["speed"] == pytest.approx(10.0 * c, rel=1e-5)
    assert found["throttle"] == pytest.approx(0.3)
    assert found["steer"] == pytest.approx(-0.1)
    assert found["offset"] == pytest.approx(0.5)
    assert found["heading_error"] == pytest.approx(math.radians(5.0))
    assert found["road_left"] == pytest.approx(6.5)
    assert found["road_right"] == pytest.approx(2.5)
    assert found["limit"] == pytest.approx(20.0)
    assert found["remaining"] == pytest.approx(200.0)
    assert found["time_left"] == pytest.approx(0.75)
    # The route is to the ego's left: its nose points to the right of it, and it stands to the right of it.
    assert found["route_right_20"] == pytest.approx(-20.0 * s - 0.5 * c, abs=1e-5)
    assert found["route_heading_20"] == pytest.approx(-math.radians(5.0))
    # The nearest comes first: the lorry behind, on the left.
    assert found["other0_present"] == 1.0
    assert found["other0_ahead"] == pytest.approx(-5.0 * c - 3.5 * s, abs=1e-4)
    assert found["other0_right"] == pytest.approx(-3.5 * c + 5.0 * s, abs=1e-4)
    assert found["other0_velocity_ahead"] == pytest.approx(-18.0 * c, abs=1e-4)
    assert found["other0_length"] == pytest.approx(12.0)
    assert found["other0_is_car"] == 1.0
    assert found["other0_cos"] == pytest.approx(-c, abs=1e-5)
    assert found["other1_ahead"] == pytest.approx(20.0 * c, abs=1e-4)
    assert found["other1_is_pedestrian"] == 1.0
    assert found["other1_is_car"] == 0.0


def test_the_hidden_are_left_out_only_when_asked():
    others = some_others([(10.0, 0.0, 0.0, 0.0, 0.0, 4.0, 1.8), (20.0, 0.0, 0.0, 0.0, 0.0, 4.0, 1.8)])
    others.visible[0] = False
    scene = Scene(0.0, an_ego(), others)
    flagged = StateLayout(2)
    seen = flagged.decode(flagged.observe(scene, straight(), 10.0))
    assert (seen["other0_ahead"], seen["other0_visible"]) == (pytest.approx(10.0), 0.0)
    only = StateLayout(2, only_visible=True)
    seen = only.decode(only.observe(scene, straight(), 10.0))
    assert (seen["other0_ahead"], seen["other1_present"]) == (pytest.approx(20.0), 0.0)


def test_everything_stays_within_the_space_whatever_happens():
    ego = an_ego(x=-900.0, vx=300.0, yaw=9.0)
    others = some_others([(-890.0, 40.0, 1.0, -99.0, 200.0, 90.0, 30.0)])
    scene = Scene(99.0, ego, others, s=-900.0, offset=70.0, heading_error=3.0)
    layout = StateLayout(3)
    found = layout.observe(scene, straight(), 10.0)
    assert layout.space.contains(found)
    assert found.dtype == np.float32


def test_nobody_and_no_limit():
    scene = Scene(0.0, an_ego(), Others.none())
    layout = StateLayout(1)
    found = layout.decode(layout.observe(scene, straight(limit=math.nan), 10.0))
    assert found["other0_present"] == 0.0
    assert found["limit"] == pytest.approx(40.0)


def test_a_negative_number_of_neighbours_is_refused():
    with pytest.raises(RealityError, match="neighbours"):
        StateLayout(-1)

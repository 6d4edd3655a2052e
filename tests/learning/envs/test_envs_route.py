"""Routes on the shipped motorway, whose file says where everything is."""

import math

import numpy as np
import pytest

from learning.envs.route import Follower, RouteMaker
from scenarios import catalogue, opendrive
from scenarios.opendrive import LaneKey


@pytest.fixture(scope="module")
def maker() -> RouteMaker:
    return RouteMaker(opendrive.read(catalogue.MAPS["RealityMotorway"]))


def test_lane_of_the_approach(maker):
    # Road "approach A": straight east from x=0, reference line at y=-2.5 (ASAM), three driving lanes of 3.75 m on the
    # right, a shoulder beyond; on the left 1 m of shoulder, then the median. CARLA's y is minus ASAM's.
    route = maker.from_lane(LaneKey("1", 0, -2), 200.0)
    i = route.index(50.0)
    np.testing.assert_allclose(route.points[i], [50.0, 2.5 + 1.5 * 3.75], atol=1e-6)
    assert route.heading[i] == pytest.approx(0.0, abs=1e-9)
    assert route.width[i] == pytest.approx(3.75)
    assert route.left[i] == pytest.approx(1.5 * 3.75 + 1.0)
    assert route.same_left[i] == pytest.approx(1.5 * 3.75 + 1.0)
    assert route.right[i] > 1.5 * 3.75
    assert route.limit[i] == pytest.approx(120.0 / 3.6)
    assert route.length == pytest.approx(200.0, abs=1.0)


def test_route_goes_on_over_junctions(maker):
    # approach, junction, ramp section, junction ...: 500 + 90 + 599 + 90 + 220 + 100 + 250 m of lane -1.
    route = maker.from_lane(LaneKey("1", 0, -1), 5000.0)
    assert route.length == pytest.approx(1849.0, abs=15.0)
    steps = np.hypot(*np.diff(route.points, axis=0).T)
    assert steps.max() < 1.01
    assert np.abs(np.diff(route.heading)).max() < 0.02


def test_from_a_place_and_against_the_map_s_direction(maker):
    # The other carriageway runs west.
    network_lane = maker.from_lane(LaneKey("101", 0, -2), 100.0)
    x, y = network_lane.points[20]
    yaw = float(network_lane.heading[20])
    route = maker.from_place(float(x), float(y), yaw, 60.0)
    assert route.heading[0] == pytest.approx(yaw, abs=1e-6)
    np.testing.assert_allclose(route.points[0], [x, y], atol=0.6)


def test_a_place_far_from_all_roads_is_refused(maker):
    with pytest.raises(ValueError, match="no driving lane"):
        maker.from_place(-4000.0, 9000.0, 0.0, 100.0)


def test_follower_finds_what_a_search_over_all_points_finds(maker):
    route = maker.from_lane(LaneKey("1", 0, -1), 1500.0)
    follower = Follower(route)
    rng = np.random.default_rng(4)
    along = 0.0
    while along < 1400.0:
        i, offset = int(along), float(rng.uniform(-4.0, 4.0))
        heading = float(route.heading[i])
        x = route.points[i, 0] - math.sin(heading) * offset
        y = route.points[i, 1] + math.cos(heading) * offset
        s, aside, direction = follower.place(float(x), float(y))
        nearest = int(np.argmin(np.hypot(route.points[:, 0] - x, route.points[:, 1] - y)))
        assert abs(s - nearest) < 1.0
        assert aside == pytest.approx(offset, abs=0.02)
        assert direction == pytest.approx(heading, abs=0.02)
        along += float(rng.uniform(0.0, 7.0))


def test_before_and_after_its_ends_a_route_goes_on_straight(maker):
    route = maker.from_lane(LaneKey("1", 0, -2), 50.0)
    follower = Follower(route)
    start = route.points[0]
    assert follower.place(float(start[0]) - 3.0, float(start[1]))[0] == pytest.approx(-3.0, abs=1e-6)
    follower.restart(float(route.points[-1, 0]), float(route.points[-1, 1]))
    assert follower.place(float(route.points[-1, 0]) + 2.0, float(start[1]))[0] == pytest.approx(route.length + 2.0)

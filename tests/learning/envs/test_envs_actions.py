import math

import numpy as np
import pytest
from test_envs_scene import an_ego
from test_envs_state import straight

from foundation.errors import RealityError
from learning.envs import actions
from learning.envs.scene import Others, Scene

ROUTE = straight()


def scene(**more) -> Scene:
    place = {k: more.pop(k) for k in ("s", "offset") if k in more}
    return Scene(0.0, an_ego(**more), Others.none(), **place)


def given(kind, action, now=None):
    made = actions.make(kind)
    now = now or scene(s=0.0, vx=10.0)
    made.restart(now, ROUTE)
    made.decide(action, now, ROUTE)
    return made.pedals(now, ROUTE, 0.1)


def test_pedals_of_the_continuous_kinds():
    pedals = given("continuous", np.array([0.5, -0.2], np.float32))
    assert (pedals.throttle, pedals.brake, pedals.steer) == (0.5, 0.0, pytest.approx(-0.2))
    pedals = given("continuous", np.array([-3.0, 2.0]))
    assert (pedals.throttle, pedals.brake, pedals.steer) == (0.0, 1.0, 1.0)
    pedals = given("longitudinal", np.array([-0.25]))
    assert (pedals.throttle, pedals.brake) == (0.0, 0.25)


def test_the_lane_keeper_steers_back():
    # One metre to the right of the centre: to the left, and the other way round.
    assert actions.keep_lane(scene(y=1.0, vx=10.0, offset=1.0), ROUTE) < -0.01
    assert actions.keep_lane(scene(y=-1.0, vx=10.0, offset=-1.0), ROUTE) > 0.01
    assert actions.keep_lane(scene(vx=10.0), ROUTE) == pytest.approx(0.0, abs=1e-9)
    # Already on the line that was asked for.
    assert actions.keep_lane(scene(y=1.0, vx=10.0, offset=1.0), ROUTE, 1.0) == pytest.approx(0.0, abs=1e-9)


def test_a_point_to_the_right_ahead_needs_the_arc_of_pure_pursuit():
    ego = an_ego(wheelbase=3.0)
    # From the rear axle (1.5 m behind the middle): 10 m on, 1 m right; curvature 2 y / d^2.
    found = actions.steer_towards(ego, 8.5, 1.0)
    curvature = 2.0 * 1.0 / (10.0**2 + 1.0)
    assert found == pytest.approx(math.atan(3.0 * curvature) / math.radians(70.0))


def test_a_kinematic_car_on_the_target_kind_reaches_what_was_asked_for():
    # A bicycle model; pedals worth 4 m/s^2 of throttle and 8 of brake.
    made = actions.make("target")
    x = y = yaw = 0.0
    speed = 8.0
    now = scene(vx=speed)
    made.restart(now, ROUTE)
    made.decide(np.array([15.0 / 20.0 - 1.0, 0.5]), now, ROUTE)
    for _ in range(150):
        pedals = made.pedals(now, ROUTE, 0.1)
        speed = max(0.0, speed + (4.0 * pedals.throttle - 8.0 * pedals.brake - 0.02 * speed) * 0.1)
        yaw += speed / 2.8 * math.tan(pedals.steer * actions.MAX_STEER_RAD) * 0.1
        x, y = x + speed * math.cos(yaw) * 0.1, y + speed * math.sin(yaw) * 0.1
        now = scene(x=x, y=y, yaw=yaw, vx=speed * math.cos(yaw), vy=speed * math.sin(yaw), s=x, offset=y)
    assert speed == pytest.approx(15.0, abs=0.4)
    assert y == pytest.approx(1.0, abs=0.1)  # half of half the lane of 4 m


def test_discrete_choices():
    pedals = given("discrete", 0)
    assert (pedals.brake, pedals.steer) == (1.0, -0.05)
    pedals = given("discrete", np.int64(14))
    assert (pedals.throttle, pedals.steer) == (1.0, 0.05)
    assert given("discrete_longitudinal", 3).throttle == 0.4


def test_meta_changes_lanes_where_there_are_some():
    # same_left 2 m, same_right 3 m, lanes of 4 m: there is room for no lane on either side...
    made = actions.make("meta")
    now = scene(vx=10.0)
    made.restart(now, ROUTE)
    made.decide(actions.LANE_RIGHT, now, ROUTE)
    assert made.pedals(now, ROUTE, 0.1).steer == pytest.approx(0.0, abs=1e-9)
    # ... but on a wider road there is.
    wide = straight(same_right=np.full(301, 7.0))
    made.decide(actions.LANE_RIGHT, now, wide)
    assert made.pedals(now, wide, 0.1).steer > 0.005
    made.decide(actions.SLOWER, now, wide)
    assert made.pedals(now, wide, 0.1).brake > 0.5


@pytest.mark.parametrize("kind", ["continuous", "longitudinal", "target"])
def test_what_is_not_finite_is_refused_in_words(kind):
    made = actions.make(kind)
    bad = np.full(made.space.shape, np.nan, np.float32)
    with pytest.raises(RealityError, match=r"not finite.*policy"):
        made.decide(bad, scene(), ROUTE)
    with pytest.raises(RealityError, match="numbers are needed"):
        made.decide(np.zeros(7), scene(), ROUTE)


@pytest.mark.parametrize("action", [15, -1, 1.5, "left", np.array([1, 2])])
def test_what_is_no_choice_is_refused(action):
    with pytest.raises(RealityError, match="none of the 15 choices"):
        actions.make("discrete").decide(action, scene(), ROUTE)


def test_an_unknown_kind_is_refused():
    with pytest.raises(RealityError, match="there are continuous"):
        actions.make("telepathy")

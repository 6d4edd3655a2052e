import hashlib
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from foundation.errors import RealityError
from learning.envs.traffic import TrafficEnv


@pytest.fixture(scope="module")
def env():
    made = gymnasium.make("reality/traffic-v0", vehicles=12, action="meta")
    yield made
    made.close()


def episode(env, seed, choose, **more):
    observation, info = env.reset(seed=seed, **more)
    digest = hashlib.sha256(observation.tobytes())
    for step in range(600):
        observation, _, terminated, truncated, info = env.step(choose(step))
        digest.update(observation.tobytes())
        if terminated or truncated:
            break
    return digest.hexdigest(), info


def test_gymnasium_s_checker_finds_nothing(env):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_the_same_seed_is_the_same_episode(env):
    first, _ = episode(env, 7, lambda k: (1, 0, 1, 2)[(k // 10) % 4])
    episode(env, 8, lambda k: 4)
    again, _ = episode(env, 7, lambda k: (1, 0, 1, 2)[(k // 10) % 4])
    assert first == again


def test_it_begins_as_it_was_asked_to(env):
    _, info = env.reset(seed=1, options={"parameters": {"ego_lane": 2, "ego_speed": 20.0, "vehicles": 5}})
    inner = env.unwrapped
    assert info["parameters"]["vehicles"] == 5
    assert len(inner.scene.others) == 5
    assert inner.scene.ego.speed == 20.0
    assert abs(inner.scene.offset) < 0.1
    env.step(1)
    # Physics has taken over the speed that was asked for.
    assert inner.scene.ego.speed == pytest.approx(20.0, abs=0.7)
    assert inner.scene.time_s == pytest.approx(0.1)


def test_a_change_of_lanes_ends_in_the_next_lane(env):
    env.reset(seed=2, options={"parameters": {"ego_lane": 2, "vehicles": 0}})
    inner = env.unwrapped
    env.step(0)
    for _ in range(70):
        env.step(1)
    assert inner.scene.offset == pytest.approx(-3.75, abs=0.25)
    assert abs(inner.scene.heading_error) < 0.03


def test_a_standing_ego_is_not_driven_into_by_those_behind():
    made = TrafficEnv(vehicles=15, density=25.0, speed_sd=1.0, ego_speed=20.0, ego_lane=1, action="longitudinal")
    try:
        made.reset(seed=3)
        for _ in range(250):
            *_, terminated, truncated, info = made.step(np.array([-0.25], np.float32))
            if terminated or truncated:
                break
        assert made.scene.collision is None or "reason" not in info, info
        assert made.scene.ego.speed < 0.5
    finally:
        made.close()


def test_driving_into_the_car_ahead_is_a_collision(env):
    made = TrafficEnv(vehicles=20, density=20.0, speed_mean=15.0, ego_speed=30.0, ego_lane=1, action="longitudinal")
    try:
        made.reset(seed=5)
        for _ in range(300):
            *_, terminated, truncated, info = made.step(np.array([0.6], np.float32))
            if terminated or truncated:
                break
        assert info["reason"] == "collision"
        assert info["collision"]["other"].startswith("car_")
        assert 5.0 < info["collision"]["impact_mps"] < 30.0
    finally:
        made.close()


def test_arguments_that_cannot_be_used_are_refused(env):
    for arguments, words in (
        ({"vehicles": -1}, "vehicles is -1"),
        ({"vehicles": 2.5}, "whole number"),
        ({"density": float("nan")}, "density"),
        ({"ego_lane": 3}, "ego_lane"),
        ({"sight": "only"}, "sight"),
    ):
        with pytest.raises(RealityError, match=words):
            TrafficEnv(**arguments)
    with pytest.raises(RealityError, match="take fewer"):
        env.reset(options={"parameters": {"vehicles": 150, "density": 5.0}})
    with pytest.raises(RealityError, match="no parameter 'cars'"):
        env.reset(options={"parameters": {"cars": 3}})
    env.reset(seed=0)

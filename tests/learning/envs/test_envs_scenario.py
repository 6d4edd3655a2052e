"""Whole episodes on the embedded engine."""

import hashlib
import os
import signal
import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import psutil
import pytest
from gymnasium.utils.env_checker import check_env

import learning.envs
from foundation.errors import RealityError
from learning.envs.base import Ends, Timing
from learning.envs.engine import EngineError
from learning.envs.scenario import ScenarioEnv
from scenarios import catalogue
from scenarios.openscenario import load


@pytest.fixture(scope="module")
def env():
    made = gymnasium.make("reality/child_runs_out-v0", action="longitudinal")
    yield made
    made.close()


def rollout(env, seed, pedal=0.3, steps=1000, **more):
    """Return the hash of all observations and rewards, and the last info."""
    observation, info = env.reset(seed=seed, **more)
    digest = hashlib.sha256(observation.tobytes())
    for _ in range(steps):
        observation, reward, terminated, truncated, info = env.step(np.array([pedal], np.float32))
        digest.update(observation.tobytes() + np.float64(reward).tobytes())
        if terminated or truncated:
            break
    return digest.hexdigest(), info


def test_every_scenario_of_the_catalogue_is_registered():
    for name in (*catalogue.SCENARIOS, "traffic"):
        assert learning.envs.env_id(name) in gymnasium.registry
    learning.envs.register()


def test_registering_imports_nothing_heavy():
    code = (
        "import sys, learning.envs, gymnasium; assert 'reality/traffic-v0' in gymnasium.registry;"
        "print([m for m in ('carla', 'torch', 'panda3d', 'matplotlib', 'lxml') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_an_environment_that_is_only_looked_at_starts_no_engine():
    made = ScenarioEnv("motorway_cut_in_rain")
    assert made.engine_pid is None
    assert made.observation_space.shape == (len(made.observation.state_layout().names),)
    made.close()


def test_gymnasium_s_checker_finds_nothing(env):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_stable_baselines_checker_finds_nothing(env):
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check_env(env)


def test_the_same_seed_is_the_same_episode_whatever_ran_before(env):
    first, info = rollout(env, 3)
    rollout(env, 4, pedal=-0.5, steps=23)
    again, _ = rollout(env, 3)
    other, _ = rollout(env, 5)
    assert first == again != other
    assert info["reason"] == "collision"


def test_driving_on_hits_the_child_and_braking_does_not(env):
    _, hit = rollout(env, 1)
    assert hit["reason"] == "collision"
    assert hit["collision"]["other"] == "Child"
    assert 8.0 < hit["collision"]["impact_mps"] < 20.0
    assert hit["reward_terms"]["collision"] < -5.0
    assert hit["is_success"] is False
    assert hit["outcome"]["verdict"] == "fail"
    _, stopped = rollout(env, 1, pedal=-0.6)
    assert stopped["reason"] == "storyboard"
    assert stopped["is_success"] is True
    assert stopped["outcome"]["collisions"] == []


def test_the_episode_begins_as_the_parameters_say(env):
    _, info = env.reset(seed=1, options={"parameters": {"EgoSpeedKmh": 36.0, "GapS": 200.0}})
    assert float(info["parameters"]["EgoSpeedKmh"]) == 36.0
    inner = env.unwrapped
    assert inner.scene.ego.speed == pytest.approx(10.0, abs=0.05)
    child = inner.scene.others.names.index("Child")
    assert inner.scene.others.xy[child, 0] == pytest.approx(200.0, abs=0.5)
    # From the file: the ego starts 5.5 s and 4 m before the gap.
    assert inner.scene.ego.x == pytest.approx(200.0 - 55.0 - 4.0 + 1.4, abs=0.5)
    seen = [bool(inner.scene.others.visible[child])]
    for _ in range(60):
        *_, over, cut, _ = env.step(np.array([0.3], np.float32))
        seen.append(bool(inner.scene.others.visible[child]))
        if over or cut:
            break
    # The parked vehicles hide it on the way; whom one hits one sees in the end.
    assert not all(seen)
    assert seen[-1]
    _, info = env.reset(seed=1)
    assert float(info["parameters"]["EgoSpeedKmh"]) != 36.0


def test_unknown_parameters_and_options_are_refused(env):
    with pytest.raises(RealityError, match=r"no parameter 'EgoSped'; it has .*EgoSpeedKmh"):
        env.reset(options={"parameters": {"EgoSped": 3}})
    with pytest.raises(RealityError, match="no option 'params'"):
        env.reset(options={"params": {}})
    env.reset(seed=0)


def test_a_policy_s_nan_is_one_clear_error_and_the_episode_goes_on(env):
    env.reset(seed=0)
    with pytest.raises(RealityError, match="not finite"):
        env.step(np.array([np.nan], np.float32))
    env.step(np.array([0.1], np.float32))


def test_no_step_after_the_end(env):
    rollout(env, 1)
    with pytest.raises(RealityError, match=r"call reset\(\)"):
        env.unwrapped.step(np.array([0.0], np.float32))


def test_a_killed_engine_is_one_clear_error_and_reset_starts_another(env):
    before, _ = rollout(env, 2, steps=10)
    env.reset(seed=2)
    old = env.unwrapped.engine_pid
    os.kill(old, signal.SIGKILL)
    psutil.Process(old).wait(10) if psutil.pid_exists(old) else None
    with pytest.raises(EngineError, match=r"reset\(\) starts a new engine"):
        for _ in range(3):
            env.step(np.array([0.3], np.float32))
    after, _ = rollout(env, 2, steps=10)
    assert env.unwrapped.engine_pid != old
    assert after == before


def test_leaving_the_road_time_limit_goal_and_closing():
    made = ScenarioEnv(
        "child_runs_out", decision_s=0.2, ends=Ends(time_limit_s=4.0), reward={"progress": 1.0, "off_road": 9.0}
    )
    try:
        made.reset(seed=3)
        for _ in range(50):
            *_, terminated, truncated, info = made.step(np.array([0.5, -0.2], np.float32))
            if terminated or truncated:
                break
        assert (info["reason"], terminated) == ("off_road", True)
        assert info["reward_terms"]["off_road"] == -9.0
        assert abs(made.scene.offset) > 3.0
        made.reset(seed=3)
        total, start = 0.0, made.scene.s
        for _ in range(50):
            _, reward, terminated, truncated, info = made.step(np.array([-0.05, 0.0], np.float32))
            total += reward
            if terminated or truncated:
                break
        assert (info["reason"], terminated, truncated) == ("time_limit", False, True)
        assert info["time_s"] == pytest.approx(4.0)
        assert total == pytest.approx(made.scene.s - start)
        pid = made.engine_pid
    finally:
        made.close()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    made.close()


def test_a_named_sampler_is_asked_and_told(monkeypatch):
    made = ScenarioEnv("child_runs_out", action="longitudinal", sampler="sobol", parameters={"GapS": 180})
    told = []
    try:
        _, first = made.reset(seed=4)
        sampler = made._source._sampler
        monkeypatch.setattr(sampler, "record", lambda trial, outcome: told.append((trial, outcome)))
        for _ in range(200):
            *_, terminated, truncated, info = made.step(np.array([0.3], np.float32))
            if terminated or truncated:
                break
        assert [(t.sampler, o.predicted) for t, o in told] == [("sobol", info["reason"])]
        _, second = made.reset()
        _, again = made.reset(seed=4)
        assert first["parameters"] == again["parameters"] != second["parameters"]
        assert first["parameters"]["GapS"] == second["parameters"]["GapS"] == "180"
    finally:
        made.close()


def test_arguments_that_cannot_be_used_are_refused():
    for arguments, words in (
        ({"scenario": "nowhere"}, "neither a file nor"),
        ({"action": "telepathy"}, "no action kind"),
        ({"observation": "smell"}, "no observation kind"),
        ({"observation": {"state": {"neighbors": 3}}}, "observation state"),
        ({"observation": {"lidar": {"channels": 0}}}, "out of its limits"),
        ({"observation": {"camera": {"width": 2}}}, "width"),
        ({"reward": {"progres": 1.0}}, "do you mean 'progress'"),
        ({"decision_s": 0.12}, "no whole number of steps"),
        ({"sight": "some"}, "none of all, flag and only"),
        ({"render_mode": "human"}, "render_mode"),
        ({"render_mode": "rgb_array", "render_view": "drone"}, "neither chase nor hood"),
        ({"sampler": "tarot"}, "no sampler"),
        ({"parameters": {"Nonsense": 1}}, "no parameter"),
    ):
        with pytest.raises(RealityError, match=words):
            ScenarioEnv(**arguments)
    with pytest.raises(RealityError, match="time_limit_s"):
        Ends(time_limit_s=0.0)
    with pytest.raises(RealityError, match="step_s"):
        Timing(step_s=0.5)


def test_the_storyboard_s_other_actors_are_those_of_the_file():
    scenario = load(catalogue.SCENARIOS["motorway_cut_in_rain"].scenario)
    made = ScenarioEnv("motorway_cut_in_rain", action="longitudinal", sight="all")
    try:
        made.reset(seed=1)
        assert set(made.scene.others.names) == set(scenario.entities) - {scenario.ego}
        assert made.scene.ego.speed > 20.0
        names = made.scene.others.names
        start = {name: made.scene.others.xy[i].copy() for i, name in enumerate(names)}
        for _ in range(10):
            made.step(np.array([0.0], np.float32))
        for i, name in enumerate(made.scene.others.names):
            moved = np.hypot(*(made.scene.others.xy[i] - start[name]))
            assert moved == pytest.approx(np.hypot(*made.scene.others.velocity[i]) * 1.0, rel=0.1)
    finally:
        made.close()

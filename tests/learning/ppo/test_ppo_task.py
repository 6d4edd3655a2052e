"""The task's parts without a simulator: sets of parameters, actions, ends, figures."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from foundation.errors import RealityError
from learning.envs.engine import EngineError
from learning.episodes.record import Outcome
from learning.ppo import evaluate, task, train
from scenarios import catalogue
from scenarios.openscenario import expand


def test_sets_are_disjoint_and_share_rows_and_columns():
    held_out = set()
    for row in range(task.CELLS):
        for column in range(task.CELLS):
            values = {
                name: low + (high - low) * (index + 0.5) / task.CELLS
                for index, (name, (low, high)) in zip((row, column), task.AXES.items(), strict=True)
            }
            assert task.cell(values) == (row, column)
            if task.is_held_out(values):
                held_out.add((row, column))
    assert len(held_out) == task.CELLS
    assert {row for row, _ in held_out} == {column for _, column in held_out} == set(range(task.CELLS))


def test_axes_are_those_of_the_distribution():
    drawn = expand(catalogue.SCENARIOS[task.SCENARIO].distribution, 300, seed=3)
    for name, (low, high) in task.AXES.items():
        values = [float(concrete.parameters[name]) for concrete in drawn]
        assert low <= min(values) < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < max(values) <= high
    share = np.mean([task.is_held_out(concrete.parameters) for concrete in drawn])
    assert 0.1 < share < 0.3


class _Driving(gymnasium.Env):
    """Stands for the driving environment: records what it gets."""

    observation_space = gymnasium.spaces.Box(-1, 1, (3,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self):
        self.scene = SimpleNamespace(ego=SimpleNamespace(speed=10.0), s=3.0)
        self.timing = SimpleNamespace(decision_s=0.1)
        self.given, self.options = [], []
        self.answers = [{}]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.options.append((seed, options))
        parameters = {"EgoSpeedKmh": "36.0", **((options or {}).get("parameters") or {})}
        return np.zeros(3, np.float32), {"parameters": parameters}

    def step(self, action):
        self.given.append(float(action[0]))
        info = {"time_s": 1.0, "speed_mps": 10.0, "s_m": 4.0, **self.answers.pop(0)}
        if "error" in info:
            raise EngineError(info["error"])
        return np.zeros(3, np.float32), 1.0, "reason" in info, False, info


@pytest.fixture(autouse=True)
def _any_driving(monkeypatch):
    monkeypatch.setattr(task, "driving", lambda env: env.unwrapped)


def drive(env, action, **answer):
    env.unwrapped.answers = [answer]
    result = env.step(np.array([action], np.float32))
    return env.unwrapped.given[-1], result


def test_action_sets_the_speed_of_the_cruise_control():
    env = task.SetSpeed(_Driving())
    env.reset(seed=1)  # at 10 m/s
    assert drive(env, -1.0)[0] == pytest.approx(-1.0)  # to rest: the full brake
    half = task.FULL - 0.5 * (1.0 + task.FULL)
    assert drive(env, half)[0] == pytest.approx(-1.0)  # 5 m/s too fast
    almost = task.FULL - 0.2 * (1.0 + task.FULL)
    assert -0.9 < drive(env, almost)[0] < -0.1  # 2 m/s too fast
    env.unwrapped.scene.ego.speed = 6.0
    full = [drive(env, action)[0] for action in (task.FULL, 0.0, 1.0)]
    assert full[0] == pytest.approx(1.0)  # 4 m/s too slow
    assert full[1] == pytest.approx(full[0], abs=0.1)
    env.unwrapped.scene.ego.speed = 5.0
    assert 0.0 <= drive(env, half)[0] < 0.6  # holds 5 m/s
    assert math.isnan(drive(env, math.nan)[0])


@pytest.mark.parametrize(
    ("answer", "reason", "reward"),
    [
        ({"reason": "storyboard", "s_m": 3.0 + 85.0}, "goal", 1.0 + task.GOAL_REWARD),  # 5.5 s at 10 m/s and 30 m
        ({"reason": "storyboard", "s_m": 30.0, "speed_mps": 0.0}, "stopped", 1.0),
        (
            {"reason": "storyboard", "s_m": 3.0 + 85.0 - task.PASSING_M / 2, "speed_mps": 3.0},
            "time",
            1.0 + task.GOAL_REWARD / 2,
        ),
        ({"reason": "collision", "s_m": 3.0 + 70.0}, "collision", 1.0),
    ],
)
def test_ends_are_told_apart(answer, reason, reward):
    env = task.Passing(_Driving())
    env.reset(seed=1)
    _, (_, value, _, _, info) = drive(env, 0.0, **answer)
    assert info["reason"] == reason
    assert value == pytest.approx(reward)


def test_the_goals_reward_is_paid_once_however_one_gets_there():
    env = task.Passing(_Driving())
    env.reset(seed=1)
    rewards = [drive(env, 0.0, s_m=3.0 + way)[1][1] for way in (30.0, 61.0, 60.0, 76.0)]
    rewards.append(drive(env, 0.0, s_m=3.0 + 84.5, reason="storyboard")[1][1])
    assert sum(rewards) == pytest.approx(len(rewards) * 1.0 + task.GOAL_REWARD)
    assert rewards[2] == 1.0


@pytest.mark.parametrize("split", ["train", "held_out"])
def test_episodes_of_a_set_have_its_parameters_only(split):
    env = task.Split(_Driving(), split)
    seen = []
    for seed in range(40):
        _, info = env.reset(seed=seed)
        assert task.is_held_out(info["parameters"]) == (split == "held_out")
        seen.append(info["parameters"]["ChildSpeed"])
    assert len(set(seen)) == 40
    assert env.reset(seed=7)[1]["parameters"]["ChildSpeed"] == seen[7]
    assert env.reset(seed=7, options={"parameters": {"Rain": "3"}})[1]["parameters"]["Rain"] == "3"


def test_dead_engine_costs_the_episode_not_the_training():
    env = task.Enduring(_Driving())
    env.reset(seed=1)
    _, (observation, reward, terminated, truncated, info) = drive(env, 0.0, error="the engine has ended")
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["reason"] == "engine"
    assert observation.shape == (3,)


def test_unknown_split_is_refused():
    with pytest.raises(RealityError, match="half"):
        task.make(split="half")


def test_others_extractor_does_not_care_for_the_order_of_rows_nor_for_empty_ones():
    import torch

    from learning.envs.state import StateLayout
    from learning.ppo.network import OWN, ROW, OthersExtractor

    space = StateLayout(4).space
    torch.manual_seed(0)
    net = OthersExtractor(space)
    observation = torch.zeros(1, space.shape[0])
    rows = torch.rand(2, ROW)
    rows[:, 0] = 1.0
    observation[0, OWN : OWN + 2 * ROW] = rows.reshape(-1)
    swapped = observation.clone()
    swapped[0, OWN : OWN + 2 * ROW] = rows.flip(0).reshape(-1)
    assert torch.equal(net(observation), net(swapped))
    garbage = observation.clone()
    garbage[0, OWN + 2 * ROW + 1 : OWN + 3 * ROW] = 0.7  # values of a row that holds nobody
    assert torch.equal(net(observation), net(garbage))
    other = observation.clone()
    other[0, OWN + 1] += 0.2
    assert not torch.equal(net(observation), net(other))


def outcome(**changes):
    values = {
        "episode": 0, "seed": 1, "policy": "p", "reason": "goal", "terminated": True, "collision": False,
        "collision_with": "", "goal": True, "steps": 90, "duration_s": 9.5, "reward": 1.0, "min_ttc_s": 1.0,
        "impact_speed_mps": None, "mean_speed_mps": 85 / 9.5, "distance_m": 85.0,
        "parameters": {"EgoSpeedKmh": 36.0},
    }  # fmt: skip
    return Outcome(**{**values, **changes})


def hit():
    return outcome(
        reason="collision", collision=True, goal=False, distance_m=51.0, duration_s=5.1, mean_speed_mps=10.0,
        impact_speed_mps=8.0,
    )  # fmt: skip


def test_row_is_what_the_episodes_say():
    row = evaluate.row("x", [outcome(), outcome(duration_s=10.5), hit(), hit()])
    assert row.collision.value == 0.5
    assert row.way.value == pytest.approx((1 + 1 + 0.6 + 0.6) / 4)
    assert row.goal_time_s.value == pytest.approx(10.0)
    assert row.goal_delay_s.value == pytest.approx(1.5)  # 85 m at 10 m/s take 8.5 s
    assert row.impact_mps.value == 8.0
    assert "| x | 50.0 % (6.8..93.2) | 50.0 % | 80.0 % |" in evaluate.markdown([row])


def test_verdict_is_the_figures_own():
    untrained = evaluate.row("untrained", [hit()] * 10)
    aeb = evaluate.row("aeb", [outcome()] * 8 + [hit()] * 2)
    good = evaluate.row("trained", [outcome()] * 8 + [hit()] * 2)
    assert "fivefold reached" in evaluate.verdict([untrained, aeb, good])
    assert "progress kept" in evaluate.verdict([untrained, aeb, good])
    worse = evaluate.row("trained", [outcome()] * 7 + [hit()] * 3)
    assert "MISSED" in evaluate.verdict([untrained, aeb, worse])
    standing = [outcome(reason="stopped", goal=False, distance_m=10.0)] * 10
    assert "NOT KEPT" in evaluate.verdict([untrained, aeb, evaluate.row("trained", standing)])
    slow = evaluate.row("trained", [outcome(duration_s=11.9)] * 10)
    assert "NOT KEPT" in evaluate.verdict([untrained, aeb, slow])
    assert evaluate.verdict([untrained, aeb]) == ""


def test_curve_comes_back_from_its_file(tmp_path):
    points = [
        train.Point(1024, 3.5, 18, -12.75, 1.0, 0.0, 11.5, 5.5, 0.36788),
        train.Point(2048, 7, 36, 1, 0, 1, 9, 9, 1),
    ]
    train.write_curve(tmp_path / "curve.csv", points)
    assert train.read_curve(tmp_path / "curve.csv") == points


def test_another_training_in_the_same_place_is_refused(tmp_path):
    options = train.TrainOptions(seed=1)
    train._prepare(options, tmp_path, resume=False)
    with pytest.raises(RealityError, match="--resume"):
        train._prepare(options, tmp_path, resume=False)
    with pytest.raises(RealityError, match="different: seed"):
        train._prepare(replace(options, seed=2), tmp_path, resume=True)
    train._prepare(options, tmp_path, resume=True)
    assert json.loads((tmp_path / "training.json").read_text())["seed"] == 1
    with pytest.raises(RealityError, match="room for one"):
        train._prepare(replace(options, simulator="host:2000"), tmp_path / "other", resume=False)


def test_environment_is_registered_with_its_module():
    import learning.ppo
    from learning.episodes.run import resolve

    spec = resolve(learning.ppo.ENV_NAME, {"split": "held_out"})
    assert spec.entry_point == "learning.ppo.task:make"
    assert spec.kwargs == {"split": "held_out"}

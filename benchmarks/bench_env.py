"""Steps of our environments per second, beside highway-env's ``highway-v0`` with as many vehicles, and resets.

What a step is differs. ``highway-v0`` (its default configuration but for the number of vehicles) decides once a second
and integrates 15 kinematic frames for it. Ours decides every 0.1 s and simulates six substeps of a rigid-body vehicle
on its suspension, in another process, through the genuine client, plus the others' kinematics. So the same figures are
also given as simulated seconds per second of wall time, and with decisions of 1 s on both sides.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

import learning.envs
from benchmarks import peers
from benchmarks.__main__ import INFORMATION, Row

SECONDS = 8.0
ROUNDS = 3
RESETS = 25
SINGLE_TARGET = 700.0
RESET_TARGET_S = 0.1
OTHERS = 40

HIGHWAY = """
import json, sys, time
import gymnasium, highway_env
gymnasium.register_envs(highway_env)
count, seconds = int(sys.argv[1]), float(sys.argv[2])
env = gymnasium.make("highway-v0", config={"vehicles_count": count})
env.reset(seed=0)
steps, episode, spent = 0, 0, 0.0
while spent < seconds:
    began = time.perf_counter()
    *_, terminated, truncated, _ = env.step(1)
    spent += time.perf_counter() - began
    steps += 1
    if terminated or truncated:
        episode += 1
        env.reset(seed=episode)
config = env.unwrapped.config
print(json.dumps({"rate": steps / spent, "decision_s": 1.0 / config["policy_frequency"],
                  "vehicles": len(env.unwrapped.road.vehicles)}))
"""


def step_rate(env: gymnasium.Env[Any, Any], action: Any, seconds: float) -> float:
    """Return steps per second; the time of resets is not counted, as it is not for the peer."""
    env.reset(seed=0)
    steps, episode, spent = 0, 0, 0.0
    while spent < seconds:
        began = time.perf_counter()
        *_, terminated, truncated, _ = env.step(action)
        spent += time.perf_counter() - began
        steps += 1
        if terminated or truncated:
            episode += 1
            env.reset(seed=episode)
    return steps / spent


def reset_times(env: gymnasium.Env[Any, Any]) -> tuple[float, float]:
    """Return median and 95th percentile of resets with new parameters, seconds."""
    env.reset(seed=0)
    times = []
    for _ in range(RESETS):
        began = time.perf_counter()
        env.reset()
        times.append(time.perf_counter() - began)
    return statistics.median(times), float(np.quantile(times, 0.95))


def traffic_rate(others: int, seconds: float, **more: Any) -> float:
    """Return the steps per second of our traffic environment: the ego holds its lane, and its speed roughly."""
    env = gymnasium.make("reality/traffic-v0", vehicles=others, action="meta", **more)
    try:
        return step_rate(env, 1, seconds)
    finally:
        env.close()


def highway_rate(others: int, seconds: float) -> tuple[float, float]:
    """Return steps per second and simulated seconds per step of highway-v0."""
    python = peers.python_of("highway-env", "highway-env")
    found = peers.run(python, HIGHWAY, str(others), str(seconds))
    return float(found["rate"]), float(found["decision_s"])


def best(measure: Callable[[], float]) -> float:
    """Return the median of a few rounds."""
    return statistics.median(measure() for _ in range(ROUNDS))


def run() -> list[Row]:
    """Measure steps with nobody and with 40 others, resets of the catalogue's scenarios, and the peer."""
    learning.envs.register()
    share = SECONDS / ROUNDS
    alone = best(lambda: traffic_rate(0, share))
    crowd = best(lambda: traffic_rate(OTHERS, share))
    rows = [_row("env steps of 0.1 s, one vehicle; 700", alone, "1/s", SINGLE_TARGET, ">= 1")]
    rows += _beside_peer(crowd)
    for name in ("child_runs_out", "motorway_cut_in_rain", "adult_jaywalks_night"):
        env = gymnasium.make(f"reality/{name}-v0", action="longitudinal")
        try:
            middle, high = reset_times(env)
            steps = step_rate(env, np.array([0.1], np.float32), share)
        finally:
            env.close()
        rows += [
            _row(f"reset {name}, median", middle * 1e3, "ms", RESET_TARGET_S * 1e3, "<= 1"),
            _row(f"reset {name}, 95 %", high * 1e3, "ms", RESET_TARGET_S * 1e3, "<= 1"),
            _row(f"steps {name}; real time", steps, "1/s", 10.0, INFORMATION),
        ]
    return rows


def _beside_peer(crowd: float) -> list[Row]:
    name = f"env steps, {OTHERS} others; highway-v0"
    try:
        rate, decision_s = highway_rate(OTHERS, SECONDS)
        single, _ = highway_rate(1, SECONDS / ROUNDS)
    except peers.PeerMissingError as error:
        return [_row(f"{name}; {error}", crowd, "1/s", float("nan"), INFORMATION)]
    long = traffic_rate(OTHERS, SECONDS / ROUNDS, decision_s=1.0)
    return [
        _row(name, crowd, "1/s", rate, ">= 20"),
        _row("the same, simulated seconds", crowd * 0.1, "s/s", rate * decision_s, INFORMATION),
        _row("the same, 1 s a step on both sides", long, "1/s", rate * decision_s, INFORMATION),
        _row("highway-v0 with 1 other; with 40", single, "1/s", rate, INFORMATION),
    ]


def _row(name: str, ours: float, unit: str, limit: float, target: str) -> Row:
    return Row(name=name, value=ours, unit=unit, limit_value=limit, ratio=ours / limit, target=target)

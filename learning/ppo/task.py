"""The task: pass the parked vehicles at the scenario's speed and do not hit the child.

It is ``child_runs_out`` with three things around it:

* a cruise control whose set speed, from rest to the speed the episode begins with, is what the agent decides. A policy
  that has learned nothing so drives about as fast as the scenario does; with bare pedals it would come to rest
  somewhere, and who stands hits nobody;
* ends that tell apart what the storyboard calls its end: ``goal`` (past the child), ``stopped`` (stood for 1.5 s),
  ``time`` (12 s are over);
* two disjoint sets of parameters, one to train on and one that is held out.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError
from foundation.seeds import derive
from learning.envs.actions import Cruise
from learning.envs.base import DrivingEnv
from learning.envs.engine import EngineError
from learning.envs.scenario import ScenarioEnv
from scenarios import catalogue
from scenarios.openscenario import expand

log = logging.getLogger(__name__)

SCENARIO = "child_runs_out"
SPLITS = ("all", "train", "held_out")
CELLS = 5
AXES: Mapping[str, tuple[float, float]] = {"EgoSpeedKmh": (25.0, 55.0), "ChildSpeed": (2.0, 3.5)}
"""The two parameters whose plane is cut into cells, with their limits in the distribution."""
DRAWS = 200
"""One cell in five is held out, so as many draws outside of it are as good as impossible."""

FULL = -0.25
"""Actions from here up set the speed that the episode begins with; -1 sets 0, linear between."""
GOAL_REWARD = 10.0
REWARD: Mapping[str, float] = {"progress": 0.1, "time": 0.1, "collision": 10.0, "comfort": 0.05}
"""A metre is worth 0.1, a second costs 0.1, the child 5 (a touch) to 10 (at 15 m/s); passing it gives 10.

With a dearer child or dearer seconds the training first learns to stop before the gap, which ends the storyboard, and
takes several times as long to leave that again.
"""
PASSING_M = 45.0
"""The goal's reward is paid out evenly over so many metres before it: from shortly before the child's way on.

Paid at the goal alone it is never seen by a policy that has learned to crawl: with some seeds the training ended there.
"""
DECISION_S = 0.2
"""Between two decisions: at 0.1 s the noise of exploration has no time to become another speed."""
GOAL_TOLERANCE_M = 1.0


def make(
    *,
    split: str = "all",
    cruise: bool = True,
    endure: bool = False,
    render_mode: str | None = None,
    **arguments: Any,
) -> gymnasium.Env[Any, Any]:
    """Return the environment.

    Args:
        split: which parameters episodes have: ``all``, ``train`` or ``held_out``.
        cruise: put the cruise control between agent and pedals; without it the action is ``longitudinal``, one pedal
            for throttle and brake, which hand-written drivers use.
        endure: for training: an engine that dies cuts its episode short instead of ending the training.
        render_mode, arguments: of :class:`learning.envs.scenario.ScenarioEnv`.

    Raises:
        RealityError: an argument cannot be used.
    """
    if split not in SPLITS:
        raise RealityError(f"split: {split!r} is none of {', '.join(SPLITS)}")
    arguments.setdefault("decision_s", DECISION_S if cruise else 0.1)
    inner = ScenarioEnv(SCENARIO, action="longitudinal", reward=dict(REWARD), render_mode=render_mode, **arguments)
    env: gymnasium.Env[Any, Any] = Passing(Split(inner, split))
    if cruise:
        env = SetSpeed(env)
    return Enduring(env) if endure else env


def cell(parameters: Mapping[str, Any]) -> tuple[int, int]:
    """Return the cell of the plane of :data:`AXES` that an episode's parameters fall into."""
    at = []
    for name, (low, high) in AXES.items():
        share = (float(parameters[name]) - low) / (high - low)
        at.append(min(max(int(share * CELLS), 0), CELLS - 1))
    return at[0], at[1]


def is_held_out(parameters: Mapping[str, Any]) -> bool:
    """Return whether parameters are kept from training: five cells, one in each row and each column of the plane."""
    row, column = cell(parameters)
    return (row + 2 * column) % CELLS == 0


class Split(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Gives episodes only parameters of one set: draws from the scenario's distribution until one is in it."""

    def __init__(self, env: gymnasium.Env[Any, Any], split: str) -> None:
        super().__init__(env)
        self.split = split
        self._distribution = catalogue.SCENARIOS[SCENARIO].distribution

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; parameters given in ``options`` win over drawn ones."""
        if self.split == "all":
            return self.env.reset(seed=seed, options=options)
        if seed is None:
            seed = int(self.np_random.integers(2**31))
        options = dict(options or {})
        options["parameters"] = {**self._draw(seed), **(options.get("parameters") or {})}
        return self.env.reset(seed=seed, options=options)

    def _draw(self, seed: int) -> dict[str, str]:
        for attempt in range(DRAWS):
            drawn = expand(self._distribution, 1, seed=derive(seed, "split", attempt))[0].parameters
            if is_held_out(drawn) == (self.split == "held_out"):
                return dict(drawn)
        raise RealityError(f"{self._distribution}: {DRAWS} draws gave no parameters of the set {self.split!r}")


class Passing(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Tells how the storyboard ended, and rewards having passed the child."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self._goal_m = 0.0
        self._begun_m = 0.0
        self._paid = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        # The storyboard's own condition of having passed, $_PassedDistance.
        self._goal_m = 5.5 * float(info["parameters"]["EgoSpeedKmh"]) / 3.6 + 30.0
        self._begun_m = driving(self).scene.s
        self._paid = 0.0
        return observation, {**info, "goal_m": self._goal_m}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Act; when the storyboard has ended, say why."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        left_m = self._goal_m - (info["s_m"] - self._begun_m)
        passed = min(max(1.0 - left_m / PASSING_M, 0.0), 1.0)
        if info.get("reason") == "storyboard":
            info = {**info, "reason": self._end(info)}
            if info["reason"] == "goal":
                passed = 1.0
            info["is_success"] = info["reason"] == "goal"
        if passed > self._paid and info.get("reason") != "collision":
            reward = float(reward) + GOAL_REWARD * (passed - self._paid)
            self._paid = passed
        return observation, reward, terminated, truncated, info

    def _end(self, info: Mapping[str, Any]) -> str:
        if info["s_m"] - self._begun_m >= self._goal_m - GOAL_TOLERANCE_M:
            return "goal"
        return "stopped" if abs(info["speed_mps"]) < 0.5 else "time"


class SetSpeed(gymnasium.Wrapper[Any, Any, Any, Any]):
    """The agent's action is one number, the set speed of a cruise control with throttle and brake.

    -1 sets 0, from :data:`FULL` to 1 the speed that the episode began with, linear between. The control brakes the
    harder the more the car is too fast, fully from 4 m/s on. A lane keeper steers.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
        self._cruise, self._begun_mps = Cruise(), 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._cruise, self._begun_mps = Cruise(), driving(self).scene.ego.speed
        return observation, info

    def step(self, action: npt.ArrayLike) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Let the cruise control hold the speed that the action sets."""
        value = float(np.asarray(action, dtype=np.float64).reshape(-1)[0])
        inner = driving(self)
        if math.isnan(value):  # the environment refuses it
            return self.env.step(np.array([value], dtype=np.float32))
        share = min(max((value + 1.0) / (1.0 + FULL), 0.0), 1.0)
        throttle, brake = self._cruise.step(inner.scene.ego.speed, share * self._begun_mps, inner.timing.decision_s)
        return self.env.step(np.array([throttle - brake], dtype=np.float32))


class Enduring(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An engine that dies costs the episode in hand: it is truncated, and the next one gets a new engine."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self._observation: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, with a second try if the engine dies over it."""
        try:
            self._observation, info = self.env.reset(seed=seed, options=options)
        except EngineError as error:
            log.warning("%s; the episode is begun again", error)
            self._observation, info = self.env.reset(seed=seed, options=options)
        return self._observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Act."""
        try:
            self._observation, reward, terminated, truncated, info = self.env.step(action)
        except EngineError as error:
            log.warning("%s; its episode is cut short", error)
            return self._observation, 0.0, False, True, {"reason": "engine", "lost": str(error)}
        return self._observation, reward, terminated, truncated, info


def driving(env: gymnasium.Env[Any, Any]) -> DrivingEnv:
    """Return the driving environment inside of the wrappers."""
    inner = env.unwrapped
    assert isinstance(inner, DrivingEnv)
    return inner

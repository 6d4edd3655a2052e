"""A tiny environment without a simulator, for tests of everything around it, and policies for it."""

import os
import signal
import time
from pathlib import Path

import gymnasium
import numpy as np
from gymnasium import spaces

from foundation.errors import RealityError

ID = "toy/Line-v0"


class ToyEnv(gymnasium.Env):
    """A point on a line walks until it is at 1 (goal) or at -1 (collision).

    Args:
        fault: what happens once, in the third step of an episode whose drift is positive; ``marker`` remembers it.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(self, render_mode=None, fault="", marker="", nested=False, pause_s=0.0):
        self.render_mode, self._fault, self._marker, self._pause_s = render_mode, fault, Path(marker), pause_s
        plain = spaces.Box(-2.0, 2.0, (2,), np.float32)
        self.observation_space = spaces.Dict({"state": plain, "n": spaces.Discrete(100)}) if nested else plain
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self._nested = nested

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.steps = 0.0, 0
        self.drift = float(self.np_random.uniform(-0.1, 0.1))
        return self._observe(), {"parameters": {"Drift": str(self.drift), "Kind": "line"}}

    def step(self, action):
        self.steps += 1
        time.sleep(self._pause_s)
        if self._fault and self.steps == 3 and self.drift > 0 and not self._marker.exists():
            self._marker.touch()
            if self._fault == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise RealityError("the engine has ended with status -9; reset() starts a new engine")
        if self._fault == "always" and self.steps == 3:
            raise RuntimeError("time-out of 20000ms while waiting for the simulator")
        self.x += self.drift + 0.2 * float(action[0])
        reason = "goal" if self.x >= 1 else "collision" if self.x <= -1 else "time_limit" if self.steps >= 30 else ""
        info = {"time_s": 0.1 * self.steps, "speed_mps": abs(self.x)}
        if reason:
            info["reason"] = reason
        if reason == "collision":
            info["collision"] = {"other": "wall", "impact_mps": 2.0}
        truncated = reason == "time_limit"
        return self._observe(), self.x, bool(reason) and not truncated, truncated, info

    def render(self):
        return np.full((60, 80, 3), int(100 + 50 * np.clip(self.x, -2, 2)), np.uint8)

    def _observe(self):
        state = np.array([np.clip(self.x, -2, 2), self.drift], np.float32)
        return {"state": state, "n": np.int64(self.steps)} if self._nested else state


class Forward:
    """Goes ahead, not quite straight."""

    def reset(self, seed):
        self._random = np.random.default_rng(seed)

    def act(self, observation, info):
        return [self._random.uniform(0.2, 1.0)]


class BreaksInThirdStep(Forward):
    """Returns NaN in episodes with a positive drift, in step 2."""

    def act(self, observation, info):
        return [np.nan] if observation[1] > 0 and observation[0] > 0.25 else [0.8]


class Raises(Forward):
    """Has a bug."""

    def act(self, observation, info):
        return observation["nothing"]


gymnasium.register(ID, entry_point=f"{__name__}:ToyEnv")

"""What a policy is, how one is named on the command line, and the ready-made ones.

A policy is any object with these two methods::

    class Mine:
        def reset(self, seed: int) -> None: ...           # before each episode; all randomness must come from the seed
        def act(self, observation, info): ...             # -> an action of the environment's action space

``reality episodes ENV --policy my_module:Mine`` imports ``my_module`` (the current directory is searched too) and makes
one object per process: ``Mine()``, or ``Mine(observation_space, action_space)`` if it takes two arguments.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from foundation.errors import RealityError

if TYPE_CHECKING:
    import gymnasium

READY_MADE = ("random", "idm", "aeb")
SAMPLED = ":sampled"
"""Behind a model's file name: draw actions from its distribution, as in training, instead of taking the mode."""
_TOLERANCE = 1e-5
"""How far a component of an action may lie outside of its limits; rounding to float32 is not a mistake."""


@runtime_checkable
class Policy(Protocol):
    """Chooses actions. The same seed and the same observations must give the same actions."""

    def reset(self, seed: int) -> None:
        """Begin an episode: forget the one before, draw everything random from ``seed``."""
        ...

    def act(self, observation: Any, info: Mapping[str, Any]) -> Any:
        """Return an action of the action space.

        Args:
            observation: what the environment returned last.
            info: the info that came with it.
        """
        ...


class PolicyError(RealityError):
    """A policy failed or returned something that is no action. The message names policy, episode and step."""


class RandomPolicy:
    """Draws every action from the action space, uniformly where it has limits."""

    def __init__(self, action_space: gymnasium.Space[Any]) -> None:
        self._space = action_space

    def reset(self, seed: int) -> None:
        """Seed the space's generator."""
        self._space.seed(seed)

    def act(self, observation: Any, info: Mapping[str, Any]) -> Any:
        """Return a sample."""
        return self._space.sample()


class TrainedPolicy:
    """A model that Stable-Baselines3 saved; takes the mode of its distribution, or draws from it.

    A zip of Stable-Baselines3 can contain pickled objects: load only files that you trust.

    Raises:
        PolicyError: the file is none of Stable-Baselines3's, or its spaces are not those of the environment.
    """

    def __init__(self, path: Path, env: gymnasium.Env[Any, Any], *, deterministic: bool = True) -> None:
        self.path = path
        self._deterministic = deterministic
        self._model = load_model(path)
        for name in ("observation_space", "action_space"):
            theirs, ours = getattr(self._model, name), getattr(env, name)
            if theirs != ours:
                raise PolicyError(
                    f"policy {path}: was trained with the {name.replace('_', ' ')} {theirs}, the environment has {ours}"
                )

    def reset(self, seed: int) -> None:
        """Seed torch if actions are drawn."""
        if not self._deterministic:
            self._model.set_random_seed(seed % 2**32)

    def act(self, observation: Any, info: Mapping[str, Any]) -> Any:
        """Return the model's action, clipped to the action space as the algorithm does it in training."""
        return self._model.predict(observation, deterministic=self._deterministic)[0]


def load_model(path: Path) -> Any:
    """Load a model with the class that wrote it; the file does not name the class, but its fields tell.

    Raises:
        PolicyError: Stable-Baselines3 has not saved it, or with an algorithm we do not know.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            stored = set(json.loads(archive.read("data")))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise PolicyError(f"policy {path}: not a file that Stable-Baselines3 saved ({error})") from None
    import stable_baselines3 as sb3
    import torch

    torch.set_num_threads(1)
    signs = (
        ("clip_range", sb3.PPO),
        ("exploration_initial_eps", sb3.DQN),
        ("target_entropy", sb3.SAC),
        ("target_policy_noise", sb3.TD3),
        ("gae_lambda", sb3.A2C),
    )
    for field, algorithm in signs:
        if field in stored:
            return algorithm.load(path, device="cpu")
    raise PolicyError(f"policy {path}: of none of the algorithms PPO, A2C, DQN, SAC, TD3")


def make(text: str, env: gymnasium.Env[Any, Any]) -> Policy:
    """Return the policy that ``text`` names: random, idm, aeb, module:Class or FILE.zip of Stable-Baselines3.

    Raises:
        PolicyError: there is no such policy, or it cannot be made.
    """
    if text == "random":
        return RandomPolicy(env.action_space)
    if text in ("idm", "aeb"):
        from learning.episodes.drivers import AebPolicy, IdmPolicy

        return (AebPolicy if text == "aeb" else IdmPolicy)(env)
    check_name(text)
    model, sampled = model_file(text)
    if model is not None:
        return TrainedPolicy(model, env, deterministic=not sampled)
    return _own(text, env)


def model_file(text: str) -> tuple[Path | None, bool]:
    """Return (file, whether its actions are drawn) if the policy is a model: FILE.zip or FILE.zip:sampled."""
    name = text.removesuffix(SAMPLED)
    return (Path(name), name != text) if name.endswith(".zip") else (None, False)


def check_name(text: str) -> None:
    """Refuse a policy that cannot exist, before anything is started.

    Raises:
        PolicyError: it is none of the kinds, or the file is missing.
    """
    if text in READY_MADE:
        return
    model, _ = model_file(text)
    if model is not None:
        if not model.is_file():
            raise PolicyError(f"policy {text}: there is no such file")
        return
    module, _, name = text.partition(":")
    if not (module and name.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise PolicyError(f"policy {text}: expected random, idm, aeb, module:Class or FILE.zip of Stable-Baselines3")


def _own(text: str, env: gymnasium.Env[Any, Any]) -> Policy:
    module_name, _, class_name = text.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        factory = getattr(importlib.import_module(module_name), class_name)
    except ModuleNotFoundError as error:
        raise PolicyError(f"policy {text}: {error}") from None
    except AttributeError:
        raise PolicyError(f"policy {text}: the module {module_name} has no {class_name}") from None
    except Exception as error:
        raise PolicyError(f"policy {text}: importing {module_name} raised {_words(error)}") from error
    try:
        required = [
            parameter
            for parameter in inspect.signature(factory).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        ]
        policy = factory(env.observation_space, env.action_space) if len(required) == 2 else factory()
    except Exception as error:
        raise PolicyError(f"policy {text}: making a {class_name} raised {_words(error)}") from error
    if not isinstance(policy, Policy):
        raise PolicyError(f"policy {text}: {class_name} needs the methods reset(seed) and act(observation, info)")
    return policy


def checked(action: Any, space: gymnasium.Space[Any]) -> Any:
    """Return the action in the space's own type.

    Raises:
        ValueError: it is no action of this space; the message says why.
    """
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        if not isinstance(action, Mapping) or set(action) != set(space.spaces):
            raise ValueError(f"expected a dict with the keys {', '.join(space.spaces)}, got {action!r}")
        return {key: checked(action[key], inside) for key, inside in space.spaces.items()}
    try:
        values = np.asarray(action)
        numeric = values.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"returned {action!r}, which is not a number or an array of numbers") from None
    shape = space.shape or ()
    if values.shape != shape:
        raise ValueError(f"returned an action of shape {values.shape}, expected {shape}")
    if not np.isfinite(numeric).all():
        raise ValueError(f"returned {_listed(values)}, which is not finite")
    if isinstance(space, spaces.Box):
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)
        if (numeric < low - _TOLERANCE).any() or (numeric > high + _TOLERANCE).any():
            raise ValueError(f"returned {_listed(values)}, outside of {_listed(space.low)} to {_listed(space.high)}")
        return np.clip(numeric, low, high).astype(space.dtype)
    if isinstance(space, spaces.Discrete):
        whole = int(numeric)
        if whole != numeric or not space.start <= whole < space.start + space.n:
            raise ValueError(f"returned {action!r}, expected a whole number {space.start}..{space.start + space.n - 1}")
        return np.int64(whole)
    cast = values.astype(space.dtype)
    if not space.contains(cast):
        raise ValueError(f"returned {_listed(values)}, which is not in {space}")
    return cast


def _listed(values: Any) -> str:
    return np.array2string(np.asarray(values), precision=4, separator=", ", threshold=8)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

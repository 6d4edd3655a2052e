"""One episode, from reset to its end, with every action checked before the environment gets it."""

from __future__ import annotations

import contextlib
import math
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foundation.errors import RealityError
from foundation.seeds import derive
from learning.episodes.policies import Policy, PolicyError, checked
from learning.episodes.record import Arrays, Episode, Outcome, ParameterValue, flatten

if TYPE_CHECKING:
    import gymnasium

    from learning.episodes.video import Video

SEED_BITS = 31
"""Seeds are below 2^31: what numpy's, torch's and the engine's generators all take."""
KMH = 3.6

Alive = Callable[[float], None]


def episode_seed(seed: int, number: int) -> int:
    """Return the seed of an episode's ``env.reset``; it depends on nothing but these two."""
    return derive(seed, "episode", number) % 2**SEED_BITS


def policy_seed(seed: int, number: int) -> int:
    """Return what the policy's ``reset`` gets; another one than the environment's, so that both draw freely."""
    return derive(seed, "policy", number) % 2**SEED_BITS


def rollout(
    env: gymnasium.Env[Any, Any],
    policy: Policy,
    number: int,
    seed: int,
    *,
    name: str,
    videos: Path | None = None,
    alive: Alive | None = None,
    options: Mapping[str, Any] | None = None,
) -> Episode:
    """Play an episode and return it.

    Args:
        env: one of ours (its ``info`` tells the outcome).
        policy: chooses the actions; reset first.
        number: of the episode; with ``seed`` it decides everything random.
        name: the policy's, for messages and the record.
        videos: write ``<number>.mp4`` there; the environment needs ``render_mode="rgb_array"`` then.
        alive: called after each step with the simulated time.
        options: of ``env.reset``.

    Raises:
        PolicyError: the policy raised, or returned what is no action; the message names policy, episode and step.
        RealityError: the environment failed, or tells no outcome.
    """
    label = f"policy {name}: episode {number}"
    with contextlib.ExitStack() as resources:
        film = _film(env, videos, number, resources)
        own = episode_seed(seed, number)
        observation, info = env.reset(seed=own, options=None if options is None else dict(options))
        parameters = {key: number_or_text(value) for key, value in info.get("parameters", {}).items()}
        with _policys_fault(f"{label}, reset"):
            policy.reset(policy_seed(seed, number))
        steps = _Steps(observation)
        start_m = _place(env)
        ended = False
        while not ended:
            with _policys_fault(f"{label}, step {steps.count}"):
                action = checked(policy.act(observation, info), env.action_space)
            observation, reward, terminated, truncated, info = env.step(action)
            ended = bool(terminated or truncated)
            steps.add(action, observation, float(reward), bool(terminated), bool(truncated))
            if film is not None:
                film.add(env.render(), _line(number, name, steps, info), "collision" in info)  # type: ignore[arg-type]
            if alive is not None:
                alive(float(info.get("time_s", 0.0)))
    outcome = _outcome(env, number, own, name, parameters, steps, info, _place(env) - start_m)
    return steps.episode(outcome)


class _Steps:
    """What is recorded while an episode runs."""

    def __init__(self, observation: Any) -> None:
        self._observations = [flatten(observation)]
        self._actions: list[dict[str, Any]] = []
        self.rewards: list[float] = []
        self._terminations: list[bool] = []
        self._truncations: list[bool] = []
        self.action: Any = None

    @property
    def count(self) -> int:
        return len(self.rewards)

    @property
    def terminated(self) -> bool:
        return self._terminations[-1]

    def add(self, action: Any, observation: Any, reward: float, terminated: bool, truncated: bool) -> None:
        self.action = action
        # Copies: an environment may fill the same array again.
        self._observations.append({key: np.array(value) for key, value in flatten(observation).items()})
        self._actions.append({key: np.array(value) for key, value in flatten(action).items()})
        self.rewards.append(reward)
        self._terminations.append(terminated)
        self._truncations.append(truncated)

    def episode(self, outcome: Outcome) -> Episode:
        return Episode(
            outcome,
            _stacked(self._observations),
            _stacked(self._actions),
            np.array(self.rewards, dtype=np.float64),
            np.array(self._terminations, dtype=np.bool_),
            np.array(self._truncations, dtype=np.bool_),
        )


def _stacked(entries: list[dict[str, Any]]) -> Arrays:
    return {key: np.stack([entry[key] for entry in entries]) for key in entries[0]}


@contextlib.contextmanager
def _policys_fault(where: str) -> Any:
    """Turn whatever a policy raises, or a refused action, into one line that names the place."""
    try:
        yield
    except RealityError:
        raise
    except Exception as error:
        if isinstance(error, ValueError) and error.__traceback__ is not None and _raised_by_check(error):
            raise PolicyError(f"{where}: {error}") from None
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise PolicyError(f"{where}: {type(error).__name__}: {error} ({last.filename}:{last.lineno})") from error


def _raised_by_check(error: ValueError) -> bool:
    """Whether :func:`checked` has raised it: then the action is wrong, and its own file has nothing to tell."""
    return any(frame.name == checked.__name__ for frame in traceback.extract_tb(error.__traceback__))


def _film(
    env: gymnasium.Env[Any, Any], videos: Path | None, number: int, resources: contextlib.ExitStack
) -> Video | None:
    if videos is None:
        return None
    from learning.episodes.video import Video

    timing = getattr(env.unwrapped, "timing", None)
    rate_hz = 1.0 / timing.decision_s if timing is not None else float(env.metadata.get("render_fps", 10))
    return resources.enter_context(Video(videos / f"{number:06d}.mp4", rate_hz))


def _line(number: int, name: str, steps: _Steps, info: Mapping[str, Any]) -> str:
    """The line below a video's picture."""
    values = np.atleast_1d(np.asarray(steps.action)).ravel()[:4]
    action = " ".join(f"{int(v)}" if values.dtype.kind in "iu" else f"{v:+.2f}" for v in values)
    parts = [
        f"{number:06d} {Path(name).name}",
        f"{info.get('time_s', math.nan):5.2f} s",
        f"{KMH * info.get('speed_mps', math.nan):5.1f} km/h",
        f"action {action}",
        f"return {sum(steps.rewards):.2f}",
    ]
    if "reason" in info:
        hit = info.get("collision")
        parts.append(
            f"{info['reason']}: {hit['other']} at {KMH * hit['impact_mps']:.0f} km/h" if hit else info["reason"]
        )
    return "   ".join(parts)


def _place(env: gymnasium.Env[Any, Any]) -> float:
    """Return how far the ego is along its route, metres."""
    scene = getattr(env.unwrapped, "scene", None)
    return float(scene.s) if scene is not None else math.nan


def _outcome(
    env: gymnasium.Env[Any, Any],
    number: int,
    seed: int,
    name: str,
    parameters: dict[str, ParameterValue],
    steps: _Steps,
    info: Mapping[str, Any],
    distance_m: float,
) -> Outcome:
    if "reason" not in info or "time_s" not in info:
        spec = env.spec.id if env.spec is not None else type(env.unwrapped).__name__
        raise RealityError(f"{spec}: its info tells neither why an episode ended (reason) nor when (time_s)")
    hit = info.get("collision")
    duration_s = float(info["time_s"])
    closest = (info.get("outcome") or {}).get("min_ttc")
    return Outcome(
        episode=number,
        seed=seed,
        policy=name,
        reason=str(info["reason"]),
        terminated=steps.terminated,
        collision=hit is not None,
        collision_with="" if hit is None else str(hit["other"]),
        goal=bool(info["reason"] == "goal"),
        steps=steps.count,
        duration_s=duration_s,
        reward=float(sum(steps.rewards)),
        min_ttc_s=None if closest is None else float(closest["value"]),
        impact_speed_mps=None if hit is None else float(hit["impact_mps"]),
        mean_speed_mps=distance_m / duration_s if duration_s > 0.0 else 0.0,
        distance_m=distance_m,
        parameters=parameters,
    )


def number_or_text(value: Any) -> ParameterValue:
    """Return a parameter as the number it is written as, always a float, else as text."""
    if isinstance(value, bool):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)

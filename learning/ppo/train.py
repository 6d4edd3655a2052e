"""The training: PPO of Stable-Baselines3 in some environments at once; a killed one goes on from its checkpoint."""

from __future__ import annotations

import csv
import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

from bridge.simulators import SimulatorSpec
from foundation.errors import RealityError
from foundation.seeds import derive
from learning.ppo.network import OthersExtractor

log = logging.getLogger(__name__)

MODEL, UNTRAINED, CURVE = "model.zip", "untrained.zip", "curve.csv"
CHECKPOINT, STATE = "checkpoint.zip", "checkpoint.json"
RECENT = 100
"""Episodes over which the learning curve is averaged."""


@dataclass(frozen=True)
class TrainOptions:
    """Everything that decides what is learned; stored with the model and compared on resume.

    Attributes:
        steps: decisions in all environments together.
        envs: environments, each with an engine and a process of its own.
        rollout: decisions of each environment between two updates.
        learning_rate: at the beginning; it falls linearly to a tenth.
        log_std: logarithm of the actions' standard deviation before training.
    """

    steps: int = 40_000
    envs: int = 2
    seed: int = 0
    simulator: str = "embedded"
    rollout: int = 128
    batch: int = 64
    epochs: int = 10
    learning_rate: float = 1e-3
    gamma: float = 0.98
    gae_lambda: float = 0.95
    log_std: float = -1.0
    width: int = 32


@dataclass(frozen=True)
class Point:
    """One point of the learning curve: the last :data:`RECENT` training episodes at an update."""

    steps: int
    wall_s: float
    episodes: int
    mean_return: float
    collision_rate: float
    goal_rate: float
    mean_speed_mps: float
    mean_length_s: float
    std: float


def make_env(arguments: dict[str, Any]) -> Callable[[], gymnasium.Env[Any, Any]]:
    """Return the function that makes a training environment, in whichever process."""

    def make() -> gymnasium.Env[Any, Any]:
        from stable_baselines3.common.monitor import Monitor

        from learning.ppo.task import make as make_task

        torch.set_num_threads(1)
        return Monitor(make_task(split="train", endure=True, **arguments))

    return make


def train(
    options: TrainOptions,
    out: Path,
    *,
    resume: bool = False,
    arguments: dict[str, Any] | None = None,
    tell: Callable[[Point], None] | None = None,
) -> Path:
    """Train and return the path of the trained model; untrained model, curve and checkpoints lie beside it.

    Args:
        options: what to learn.
        out: the directory.
        resume: go on from the last checkpoint in it, or return the finished model.
        arguments: of the environment.
        tell: called with each new point of the curve.

    Raises:
        RealityError: the directory holds another training, or a process of the training died.
    """
    _prepare(options, out, resume)
    if (out / MODEL).is_file():
        return out / MODEL
    torch.set_num_threads(1)
    arguments = dict(arguments or {})
    if options.simulator != "embedded":
        arguments["simulator"] = options.simulator
    makers = [make_env(arguments) for _ in range(options.envs)]
    # One environment needs no other process, except that an engine's client must not share it with another one.
    venv: VecEnv = DummyVecEnv(makers) if options.envs == 1 else SubprocVecEnv(makers, start_method="spawn")
    try:
        model, progress = _begin(options, out, venv)
        # The environments' seeds depend on where the training is, so a resumed one does not repeat its episodes.
        venv.seed(derive(options.seed, "train", model.num_timesteps) % 2**31)
        callback = _Curve(options, out, progress, tell)
        model.learn(
            max(1, options.steps - model.num_timesteps), callback=callback, reset_num_timesteps=model.num_timesteps == 0
        )
        callback.checkpoint()
        _save(model, out / MODEL)
    except (EOFError, BrokenPipeError, ConnectionResetError) as error:
        raise RealityError(
            f"a process of the training died ({type(error).__name__}); what was learned up to the last checkpoint is "
            f"in {out}: continue with --resume"
        ) from error
    finally:
        _close(venv)
    return out / MODEL


def _begin(options: TrainOptions, out: Path, venv: VecEnv) -> tuple[PPO, dict[str, Any]]:
    """Return the model, new or from the checkpoint, and what is known of the training so far."""
    state = out / STATE
    if state.is_file():
        model = PPO.load(out / CHECKPOINT, env=venv, device="cpu")
        progress: dict[str, Any] = json.loads(state.read_text(encoding="utf-8"))
        points = progress["points"]
        while points and points[-1]["steps"] > model.num_timesteps:
            points.pop()
        # What is drawn from now on depends on the seed and the place in the training.
        model.set_random_seed(derive(options.seed, "resumed", model.num_timesteps) % 2**31)
        return model, progress
    model = PPO(
        "MlpPolicy",
        venv,
        n_steps=options.rollout,
        batch_size=options.batch,
        n_epochs=options.epochs,
        learning_rate=Falling(options.learning_rate),
        gamma=options.gamma,
        gae_lambda=options.gae_lambda,
        policy_kwargs={
            "features_extractor_class": OthersExtractor,
            "features_extractor_kwargs": {"width": options.width},
            "net_arch": [64],
            "log_std_init": options.log_std,
        },
        seed=options.seed % 2**31,
        device="cpu",
    )
    _save(model, out / UNTRAINED)
    return model, {"points": [], "wall_s": 0.0, "episodes": 0, "recent": []}


@dataclass(frozen=True)
class Falling:
    """A learning rate that falls linearly to a tenth."""

    begin: float

    def __call__(self, remaining: float) -> float:
        """Return the rate while ``remaining`` (1 to 0) of the training is left."""
        return self.begin * (0.1 + 0.9 * remaining)


class _Curve(BaseCallback):
    """Watches the episodes, writes curve and checkpoint after each rollout."""

    def __init__(
        self, options: TrainOptions, out: Path, progress: dict[str, Any], tell: Callable[[Point], None] | None
    ) -> None:
        super().__init__()
        self._options, self._out, self._tell = options, out, tell
        self._points = [Point(**entry) for entry in progress["points"]]
        self._recent: deque[dict[str, float]] = deque(progress["recent"], maxlen=RECENT)
        self._episodes = int(progress["episodes"])
        self._wall_s = float(progress["wall_s"])
        self._begun_s = time.monotonic()

    def _on_step(self) -> bool:
        for done, info in zip(self.locals["dones"], self.locals["infos"], strict=True):
            if not done or info.get("reason") == "engine":
                continue
            self._episodes += 1
            self._recent.append(
                {
                    "return": float(info["episode"]["r"]),
                    "collision": float("collision" in info),
                    "goal": float(info["reason"] == "goal"),
                    "speed": float(info["s_m"]) / max(float(info["time_s"]), 1e-6),
                    "length": float(info["time_s"]),
                }
            )
        return True

    def _on_rollout_start(self) -> None:
        """An update is behind us (or nothing): what is here now can be gone on from."""
        if self.num_timesteps and self._recent:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Add a point to the curve and save everything."""
        assert isinstance(self.model, PPO)
        if self._points and self._points[-1].steps == self.num_timesteps:
            return
        wall_s = self._wall_s + time.monotonic() - self._begun_s
        means = {
            key: float(np.mean([entry[key] for entry in self._recent])) if self._recent else float("nan")
            for key in ("return", "collision", "goal", "speed", "length")
        }
        std = float(np.exp(self.model.policy.log_std.detach().numpy()).mean())
        point = Point(
            self.num_timesteps, round(wall_s, 1), self._episodes, means["return"], means["collision"], means["goal"],
            means["speed"], means["length"], std,
        )  # fmt: skip
        self._points.append(point)
        _save(self.model, self._out / CHECKPOINT)
        state = {
            "points": [asdict(entry) for entry in self._points],
            "wall_s": wall_s,
            "episodes": self._episodes,
            "recent": list(self._recent),
        }
        _write(self._out / STATE, json.dumps(state) + "\n")
        write_curve(self._out / CURVE, self._points)
        if self._tell is not None:
            self._tell(point)


def write_curve(path: Path, points: list[Point]) -> None:
    """Write the learning curve as CSV."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields(Point)])
        writer.writerows([[round(v, 5) for v in asdict(point).values()] for point in points])
    os.replace(partial, path)


def read_curve(path: Path) -> list[Point]:
    """Read a learning curve that :func:`write_curve` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Point(int(row.pop("steps")), float(row.pop("wall_s")), int(row.pop("episodes")), *map(float, row.values()))
            for row in csv.DictReader(file)
        ]


def _prepare(options: TrainOptions, out: Path, resume: bool) -> None:
    if SimulatorSpec.parse(options.simulator).kind == "remote" and options.envs > 1:
        raise RealityError(f"--envs {options.envs}: the server {options.simulator} has room for one; use --envs 1")
    out.mkdir(parents=True, exist_ok=True)
    file = out / "training.json"
    wanted = asdict(options)
    if file.is_file():
        if not resume:
            raise RealityError(f"{out} already holds a training; continue it with --resume or choose another --out")
        earlier = json.loads(file.read_text(encoding="utf-8"))
        differs = sorted(key for key in wanted if earlier.get(key) != wanted[key])
        if differs:
            raise RealityError(f"{out} holds another training (different: {', '.join(differs)}); choose another --out")
        return
    if any(out.iterdir()):
        raise RealityError(f"{out} exists and holds something else; choose another --out")
    _write(file, json.dumps(wanted, indent=1, sort_keys=True) + "\n")


def _save(model: PPO, path: Path) -> None:
    partial = path.with_name(f".{path.stem}-partial.zip")
    model.save(partial)
    os.replace(partial, path)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def _close(venv: VecEnv) -> None:
    try:
        venv.close()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        log.warning("a process of the training had died before it was told to end")

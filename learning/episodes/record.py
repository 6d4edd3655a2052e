"""One finished episode: its arrays, its outcome, and how both lie on disk until the data set is written.

A finished episode is two files, ``000007.npz`` and ``000007.json``. The second one is moved into place last, so an
episode whose JSON is there is complete, whatever happened to the process that wrote it.
"""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]
ParameterValue = float | int | str | bool


@dataclass(frozen=True)
class Outcome:
    """What became of an episode. SI units; a quantity that does not exist is None.

    Attributes:
        episode: number within the data set, from 0.
        seed: what ``env.reset(seed=...)`` got; it decides the scenario's parameters and everything random in it.
        policy: name of the policy, as given on the command line.
        reason: why it ended, in the environment's words.
        terminated: ended by itself (Gymnasium's ``terminated``), not by a limit of time or place.
        collision, collision_with: whether the ego touched anything that counts, and what ("" without one).
        goal: whether the ego came to the end of its way.
        steps, duration_s: length in decisions and in simulated seconds.
        reward: the return, not discounted.
        min_ttc_s: smallest time to collision of the episode.
        impact_speed_mps: relative speed at the (first) collision.
        mean_speed_mps, distance_m: of the ego.
        parameters: the scenario's parameters.
    """

    episode: int
    seed: int
    policy: str
    reason: str
    terminated: bool
    collision: bool
    collision_with: str
    goal: bool
    steps: int
    duration_s: float
    reward: float
    min_ttc_s: float | None
    impact_speed_mps: float | None
    mean_speed_mps: float
    distance_m: float
    parameters: dict[str, ParameterValue]

    def metadata(self) -> dict[str, ParameterValue]:
        """Return the outcome flat, as episode metadata of a data set: ``parameters/<name>`` for the parameters.

        HDF5 has no None: a quantity that does not exist is NaN there.
        """
        flat: dict[str, ParameterValue] = {}
        for key, value in asdict(self).items():
            if key == "parameters":
                flat.update({f"parameters/{name}": entry for name, entry in sorted(value.items())})
            elif key != "episode":  # Minari writes the number as "id"
                flat[key] = math.nan if value is None else value
        return flat


@dataclass(frozen=True, eq=False)
class Episode:
    """The steps of an episode and its outcome.

    Attributes:
        observations: leaf path -> (T + 1, ...) array; the path of a plain observation is "", that of an entry of a
            Dict space its keys joined by "/".
        actions: the same with (T, ...) arrays.
        rewards: (T,) float64. terminations, truncations: (T,) bool.
    """

    outcome: Outcome
    observations: Arrays
    actions: Arrays
    rewards: npt.NDArray[np.float64]
    terminations: npt.NDArray[np.bool_]
    truncations: npt.NDArray[np.bool_]

    def save(self, folder: Path) -> None:
        """Write the episode into ``folder``; half of it is never taken for the whole."""
        name = f"{self.outcome.episode:06d}"
        arrays: Arrays = {
            **{f"observations/{path}": values for path, values in self.observations.items()},
            **{f"actions/{path}": values for path, values in self.actions.items()},
            "rewards": self.rewards,
            "terminations": self.terminations,
            "truncations": self.truncations,
        }
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        _replace(folder / f"{name}.npz", buffer.getvalue())
        _replace(folder / f"{name}.json", (json.dumps(asdict(self.outcome), sort_keys=True) + "\n").encode())

    @classmethod
    def load(cls, folder: Path, number: int) -> Episode:
        """Read an episode that :meth:`save` wrote."""
        with np.load(folder / f"{number:06d}.npz", allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        return cls(
            outcome=load_outcome(folder, number),
            observations=_below("observations/", arrays),
            actions=_below("actions/", arrays),
            rewards=arrays["rewards"],
            terminations=arrays["terminations"],
            truncations=arrays["truncations"],
        )


def load_outcome(folder: Path, number: int) -> Outcome:
    """Read the outcome of a finished episode."""
    return Outcome(**json.loads((folder / f"{number:06d}.json").read_text(encoding="utf-8")))


def finished(folder: Path) -> list[int]:
    """Return the numbers of the complete episodes in a folder, in order."""
    return sorted(int(file.stem) for file in folder.glob("[0-9]*.json"))


def flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of a nested observation or action by their path; a plain value has the path ""."""
    if not isinstance(value, Mapping):
        return {path: value}
    flat: dict[str, Any] = {}
    for key, entry in value.items():
        flat.update(flatten(entry, f"{path}/{key}" if path else str(key)))
    return flat


def nest(leaves: Mapping[str, Any]) -> Any:
    """Return what :func:`flatten` took apart."""
    if set(leaves) == {""}:
        return leaves[""]
    nested: dict[str, Any] = {}
    for path, value in leaves.items():
        *parents, key = path.split("/")
        inside = nested
        for parent in parents:
            inside = inside.setdefault(parent, {})
        inside[key] = value
    return nested


def _below(prefix: str, arrays: Arrays) -> Arrays:
    return {key[len(prefix) :]: values for key, values in arrays.items() if key.startswith(prefix)}


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)

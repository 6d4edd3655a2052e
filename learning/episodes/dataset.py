"""Finished episodes as a Minari data set, written by Minari itself.

``minari.create_dataset_from_buffers`` does the writing. Minari's ``DataCollector`` would do as well, but its buffers
need jax (400 MB) only to append to lists, and one collector sees one environment, while our episodes come from
several processes.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import re
import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.errors import RealityError
from learning.episodes.record import Episode, load_outcome, nest

if TYPE_CHECKING:
    import gymnasium
    from gymnasium.envs.registration import EnvSpec
    from minari import MinariDataset

NAMESPACE = "reality"


def dataset_id(env_name: str, policy_name: str) -> str:
    """Return ``reality/<environment>/<policy>-v0`` with every character that Minari refuses replaced."""
    env = re.sub(r"-v\d+$", "", env_name.removeprefix("reality/"))
    return "/".join((NAMESPACE, _clean(env), f"{_clean(policy_name)}-v0"))


def _clean(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z_]+", "-", name).strip("-") or "unnamed"


def write(
    out: Path,
    name: str,
    episodes: Path,
    numbers: Sequence[int],
    env_spec: EnvSpec,
    observation_space: gymnasium.Space[Any],
    action_space: gymnasium.Space[Any],
    *,
    algorithm: str,
    description: str,
) -> MinariDataset:
    """Write the data set ``name`` below ``out`` and return it as Minari loads it.

    It is made in a hidden folder and moved into place in one step. Images are stored as they are (Minari's default is
    JPEG, which would change the pixels that a policy saw).

    Args:
        out: becomes what ``MINARI_DATASETS_PATH`` has to be.
        episodes: the folder that :meth:`Episode.save` wrote to.
        numbers: which episodes, in order; they are numbered anew from 0.

    Raises:
        RealityError: the data set exists, or the installed Minari would change images.
    """
    import minari

    final = out / name
    if final.exists():
        raise RealityError(f"{final} exists already; remove it or choose another --out")
    work = out / ".minari-partial"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    with _datasets_path(work), warnings.catch_warnings():
        # Minari warns of every field that is left out: author, e-mail, permalink.
        warnings.simplefilter("ignore", UserWarning)
        first, *rest = numbers
        dataset = minari.create_dataset_from_buffers(
            name,
            [_buffer(Episode.load(episodes, first))],
            observation_space=observation_space,
            action_space=action_space,
            algorithm_name=algorithm,
            description=description,
            requirements=["digital-reality"],
            **_lossless(minari.create_dataset_from_buffers),
        )
        # Not as `env`: Minari would make the environment, and with it an engine, to look at its spaces.
        dataset.storage.update_metadata({"env_spec": env_spec.to_json()})
        for number in rest:  # one at a time: a camera's episodes do not fit into memory together
            dataset.storage.update_episodes([_buffer(Episode.load(episodes, number))])
        dataset.storage.update_episode_metadata([load_outcome(episodes, n).metadata() for n in numbers])
    _tidy(dataset.storage.data_path)
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    for file in work.rglob("namespace_metadata.json"):
        (out / file.relative_to(work)).write_bytes(file.read_bytes())
    os.replace(work / name, final)
    shutil.rmtree(work, ignore_errors=True)
    return load(final)


def load(folder: Path) -> MinariDataset:
    """Load a data set from its own folder, the one that contains ``data``."""
    import minari

    return minari.MinariDataset(folder / "data")


def _buffer(episode: Episode) -> Any:
    from minari.data_collector import EpisodeBuffer

    return EpisodeBuffer(
        id=None,
        seed=episode.outcome.seed,
        observations=nest(episode.observations),
        actions=nest(episode.actions),
        rewards=list(episode.rewards),
        terminations=list(episode.terminations),
        truncations=list(episode.truncations),
        infos={},
    )


def _lossless(create: Any) -> dict[str, Any]:
    """Minari 0.5.4 can leave images as they are; older ones store none of our images either way."""
    return {"jpeg_encoding": False} if "jpeg_encoding" in inspect.signature(create).parameters else {}


def _tidy(data: Path) -> None:
    """Make the metadata the same for the same content: keys in order, no folder of this machine."""
    file = data / "metadata.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _datasets_path(path: Path) -> Iterator[None]:
    """Let Minari write below ``path``: it knows no argument for that, only this variable of the environment."""
    before = os.environ.get("MINARI_DATASETS_PATH")
    os.environ["MINARI_DATASETS_PATH"] = str(path)
    try:
        yield
    finally:
        if before is None:
            del os.environ["MINARI_DATASETS_PATH"]
        else:
            os.environ["MINARI_DATASETS_PATH"] = before

"""Training in a process of its own, and judging with what came out of it."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from foundation.errors import RealityError
from learning.loop.config import Config
from learning.loop.files import atomic, write_json
from learning.loop.pool import Entry, Pool
from learning.loop.records import Record


def train(
    folder: Path,
    used: Sequence[Entry],
    pool: Pool,
    classes: Sequence[str],
    config: Config,
    seed: int,
    start: Path | None = None,
) -> None:
    """Train a network on the given samples and leave ``model.pt`` and ``learning.csv`` in ``folder``.

    The same job (samples, settings, seed) that was done before with this pool is not done again.

    Args:
        folder: of the round.
        used: the samples; their pictures are in ``pool``.
        classes: names in the order of the network's outputs.
        config: of the run.
        seed: of this training.
        start: a network to begin with.

    Raises:
        RealityError: the trainer was killed or failed; it goes on from its last checkpoint the next time.
    """
    job = {
        "network": config.network.model_dump(mode="json"),
        "training": config.training.model_dump(mode="json"),
        "classes": list(classes),
        "seed": seed,
        "samples": [entry.key for entry in used],
        "start": hashlib.sha256(start.read_bytes()).hexdigest() if start else None,
    }
    name = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()[:32]
    done = pool.folder / "networks" / name
    if not (done / "model.pt").exists():
        write_json(folder / "job.json", job | {"start": str(start) if start else None})
        images = pool.images([entry.key for entry in used], config.network.input_px)
        labels = np.array([classes.index(entry.label) for entry in used], np.int64)
        with atomic(folder / "job.npz") as scratch, scratch.open("wb") as file:
            np.savez(file, images=images, labels=labels)
        run_trainer(folder)
        (folder / "job.npz").unlink()
        for file_name in ("learning.csv", "model.pt"):
            _copy(folder / file_name, done / file_name)
    else:
        for file_name in ("learning.csv", "model.pt"):
            _copy(done / file_name, folder / file_name)


def _copy(source: Path, target: Path) -> None:
    with atomic(target) as scratch:
        shutil.copyfile(source, scratch)


def run_trainer(folder: Path) -> None:
    """Run the trainer of a round's folder in a process of its own; see :func:`train` for what it raises."""
    command = [sys.executable, "-m", "learning.loop.trainer", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.read().decode(errors="replace")
            process.wait()
        except BaseException:
            process.kill()
            raise
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        raise RealityError(
            f"{folder}: the trainer was killed ({name}); what it learned up to its last checkpoint is kept, "
            "continue with --resume"
        )
    if process.returncode:
        last = said.strip().splitlines()[-1] if said.strip() else f"exit status {process.returncode}"
        raise RealityError(f"{folder}: the trainer failed: {last}; continue with --resume when that is mended")


def judge(model: Path, records: Sequence[Record], pool: Pool, config: Config) -> list[Record]:
    """Return the records with a network's verdicts; samples that are not valid get none."""
    from learning.loop import network

    network.deterministic(config.training.threads)
    net, _, size = network.load(model)
    valid = [i for i, record in enumerate(records) if record.entry.valid]
    images = pool.images([records[i].entry.key for i in valid], size)
    probabilities = network.probabilities(net, images)
    out = [Record(record.trial, record.entry) for record in records]
    for i, row in zip(valid, probabilities, strict=True):
        out[i] = Record(records[i].trial, records[i].entry, tuple(float(p) for p in row))
    return out

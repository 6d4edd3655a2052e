"""Everything that was ever produced, kept once: the same trial is never rendered twice.

A pool is a folder of ordinary PNG files, ``ab/ab12....png`` (the picture; label and validity as text chunks) and
``ab/ab12....mask.png`` (1 bit, where the task has masks), named by a hash of the task, the parameters and the seed. A
file appears under its name only when it is whole, so whoever is killed while producing leaves nothing broken, and the
next run finds everything that was finished. Several runs may share a pool.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from foundation.errors import RealityError
from learning.loop.files import atomic
from learning.loop.task import Producer, Sample, Task
from scenarios.sampling import Trial

Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Entry:
    """What a pool knows of one stored sample without decoding it."""

    key: str
    label: str
    valid: bool
    object_px: int | None
    """Pixels of the labelled object; None where the task has no masks."""


class Pool:
    """The stored samples of one task in one folder.

    Args:
        folder: created when the first sample is stored.
        task: whose samples these are; another space or version of this project gives other names.
        seed: what the task is opened with; part of the names.
    """

    def __init__(self, folder: Path, task: Task, seed: int) -> None:
        self.folder = folder
        self._task = task
        self._entries: dict[str, Entry] = {}
        try:
            release = version("digital-reality")
        except PackageNotFoundError:
            release = "unknown"
        # Remaps and distributions decide where is sampled, not what a point looks like: they are not part of it.
        self._prefix = json.dumps([task.name, task.space.name, list(task.classes), seed, release])

    def key(self, trial: Trial) -> str:
        """Return the name of a trial's sample: a hash of whatever decides its bytes."""
        content = json.dumps([self._prefix, sorted(trial.values.items()), trial.seed], default=_plain)
        return hashlib.sha256(content.encode()).hexdigest()[:32]

    def entry(self, key: str) -> Entry | None:
        """Return what is stored under a key; None if nothing is (a damaged picture counts as nothing)."""
        if key not in self._entries:
            path = self._path(key)
            try:
                with Image.open(path) as picture:
                    picture.load()
                    text = picture.text  # type: ignore[attr-defined]
                    pixels = text.get("object_px", "")
                    self._entries[key] = Entry(
                        key, text["label"], text["valid"] == "1", int(pixels) if pixels else None
                    )
            except (FileNotFoundError, UnidentifiedImageError, KeyError, OSError, SyntaxError):
                return None
        return self._entries[key]

    def image(self, key: str, size: tuple[int, int] | None = None) -> Bytes:
        """Return a stored picture, (H, W, 3); averaged to ``size`` (width, height) if given."""
        with Image.open(self._path(key)) as picture:
            if size is not None and picture.size != size:
                return np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BOX))
            return np.asarray(picture.convert("RGB"))

    def images(self, keys: Sequence[str], size: tuple[int, int]) -> Bytes:
        """Return (N, H, W, 3) pictures averaged to ``size`` (width, height)."""
        out = np.empty((len(keys), size[1], size[0], 3), np.uint8)
        for i, key in enumerate(keys):
            out[i] = self.image(key, size)
        return out

    def mask(self, key: str) -> Bools | None:
        """Return the (H, W) mask of the labelled object, or None where there is none."""
        path = self._path(key, ".mask.png")
        if not path.exists():
            return None
        with Image.open(path) as mask:
            return np.asarray(mask, dtype=bool)

    def store(self, sample: Sample) -> Entry:
        """Store a sample; the picture, written last, is what makes it exist."""
        key = self.key(sample.trial)
        if sample.mask is not None:
            with atomic(self._path(key, ".mask.png")) as scratch:
                Image.fromarray(sample.mask).save(scratch, "PNG")
        pixels = None if sample.mask is None else int(sample.mask.sum())
        text = PngImagePlugin.PngInfo()
        text.add_text("label", sample.label)
        text.add_text("valid", "1" if sample.valid else "0")
        text.add_text("object_px", "" if pixels is None else str(pixels))
        with atomic(self._path(key)) as scratch:
            Image.fromarray(sample.image).save(scratch, "PNG", pnginfo=text, compress_level=4)
        self._entries[key] = Entry(key, sample.label, sample.valid, pixels)
        return self._entries[key]

    def ensure(
        self,
        trials: Sequence[Trial],
        producer: Callable[[], Producer],
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Entry]:
        """Produce whatever is missing and return the entries of all trials, in order.

        Args:
            trials: may repeat; a trial is produced once.
            producer: called, once, only if something is missing.
            progress: called with (done, missing at the beginning).

        Raises:
            RealityError: the producer or the disk failed; what was produced before is stored.
        """
        missing: dict[str, Trial] = {}
        for trial in trials:
            key = self.key(trial)
            if self.entry(key) is None:
                missing.setdefault(key, trial)
        if missing:
            done = 0
            for done, sample in enumerate(producer().produce(list(missing.values())), 1):
                self._check(sample)
                self.store(sample)
                if progress:
                    progress(done, len(missing))
            if done < len(missing):
                raise RealityError(
                    f"task {self._task.name!r} produced {done} of {len(missing)} samples; continue with --resume"
                )
        entries = [self.entry(self.key(trial)) for trial in trials]
        return [entry for entry in entries if entry is not None]

    def _check(self, sample: Sample) -> None:
        task = self._task
        if sample.image.ndim != 3 or sample.image.shape[2] != 3 or sample.image.dtype != np.uint8:
            raise RealityError(
                f"task {task.name!r} produced a picture of shape {sample.image.shape} and type {sample.image.dtype}; "
                "the loop needs (H, W, 3) uint8"
            )
        if sample.valid and sample.label not in task.classes:
            raise RealityError(
                f"task {task.name!r} labelled a sample {sample.label!r}, which is not one of its classes: "
                + ", ".join(task.classes)
            )

    def _path(self, key: str, ending: str = ".png") -> Path:
        return self.folder / key[:2] / f"{key}{ending}"


def _plain(value: Any) -> Any:
    """JSON for numpy scalars."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be part of a trial")

"""One row per sample: its parameters, how it came to be drawn, its label, and what a network made of it."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from learning.loop.files import atomic
from learning.loop.pool import Entry
from learning.loop.weakness import Column
from scenarios.sampling import Enum, Space, Trial

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Record:
    """A sample and the verdict on it.

    Attributes:
        trial: what it was made from.
        entry: what the pool knows of it.
        probabilities: of every class, by the network that judged it; empty when none did.
    """

    trial: Trial
    entry: Entry
    probabilities: tuple[float, ...] = ()

    def predicted(self, classes: Sequence[str]) -> str | None:
        """Return the class the network chose; None when it was not asked."""
        return classes[int(np.argmax(self.probabilities))] if self.probabilities else None

    def loss(self, classes: Sequence[str]) -> float:
        """Return the cross entropy of the true class; 0 when the network was not asked."""
        if not self.probabilities:
            return 0.0
        return -math.log(max(self.probabilities[classes.index(self.entry.label)], 1e-12))


def write_records(path: Path, records: Sequence[Record], space: Space, classes: Sequence[str]) -> None:
    """Write a CSV file, one row per sample; numbers are written so that they read back as the same numbers."""
    names = list(space.names)
    head = ["id", "file", "sampler", "seed", "parent", "varied", "q", "p0", "label", "valid", "object_px"]
    head += ["predicted", "loss", *(f"p({name})" for name in classes), *names]
    with atomic(path) as scratch, scratch.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for record in records:
            trial, entry = record.trial, record.entry
            row: list[Any] = [trial.id, f"{entry.key[:2]}/{entry.key}.png", trial.sampler, trial.seed]
            row += [trial.parent or "", trial.varied or "", repr(float(trial.q)), repr(float(trial.p0))]
            row += [entry.label, int(entry.valid), "" if entry.object_px is None else entry.object_px]
            if record.probabilities:
                row += [record.predicted(classes), repr(record.loss(classes)), *map(repr, record.probabilities)]
            else:
                row += ["", "", *("" for _ in classes)]
            row += [_plain(trial.values.get(name, "")) for name in names]
            writer.writerow(row)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file of :func:`write_records`, as text by column."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def judged(records: Sequence[Record], classes: Sequence[str]) -> tuple[list[Record], Ints, Ints]:
    """Return the records that have a verdict, with the indices of their true and predicted classes."""
    chosen = [record for record in records if record.probabilities]
    truth = np.array([classes.index(record.entry.label) for record in chosen], np.int64)
    predicted = np.array([int(np.argmax(record.probabilities)) for record in chosen], np.int64)
    return chosen, truth, predicted


def columns(trials: Sequence[Trial], space: Space, without: str) -> list[Column]:
    """Return the parameters of trials as columns for the search of weak regions, without one of them (the class)."""
    out = []
    for parameter in space.parameters:
        if parameter.name == without:
            continue
        values = [trial.values.get(parameter.name) for trial in trials]
        if isinstance(parameter, Enum):
            texts = np.array(["" if value is None else str(value) for value in values], np.str_)
            out.append(Column(parameter.name, choices=texts))
        else:
            numbers = np.array([math.nan if value is None else float(value) for value in values], np.float64)
            out.append(Column(parameter.name, parameter.unit or "", numbers=numbers))
    return out


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value

"""Outcomes that a sampler learns from, one for each trial, in the order they first came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from scenarios.sampling.space import Points, Space
from scenarios.sampling.trials import Outcome, Trial

Floats = npt.NDArray[np.float64]


class Records:
    """Trial -> point, its proposal density, outcome. A later outcome of a trial replaces the earlier one.

    A trial is recognised by its id and seed: ids alone repeat between samplers of different runs.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._rows: dict[tuple[str, int], tuple[tuple[float, ...], float, Outcome]] = {}
        self.version = 0
        """Grows with every change, for caches."""

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, trial: Trial, outcome: Outcome) -> None:
        """Take an outcome; of a trial made elsewhere the point is found from its values."""
        unit = trial.unit if trial.space else tuple(self._space.unit(trial.values).tolist())
        self._rows[trial.id, trial.seed] = (unit, trial.q, outcome)
        self.version += 1

    def clear(self) -> None:
        """Forget everything."""
        self._rows.clear()
        self.version += 1

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the outcomes."""
        return (outcome for _, _, outcome in self._rows.values())

    def judged(self) -> tuple[Points, Floats, list[Outcome]]:
        """Return points, proposal densities and outcomes of the trials on which a model has given its verdict."""
        rows = [row for row in self._rows.values() if row[2].judged]
        units = np.array([row[0] for row in rows]).reshape(len(rows), self._space.dimension)
        return self._space.points(units), np.array([row[1] for row in rows]), [row[2] for row in rows]

    def to_list(self) -> list[list[Any]]:
        """Return JSON-ready rows."""
        return [[*key, list(unit), q, outcome.to_dict()] for key, (unit, q, outcome) in self._rows.items()]

    def restore(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take over what :meth:`to_list` returned."""
        self._rows = {
            (str(name), int(seed)): (tuple(unit), float(q), Outcome.from_dict(outcome))
            for name, seed, unit, q, outcome in rows
        }
        self.version += 1

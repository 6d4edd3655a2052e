"""Which two parameters together show best where a network errs, and the maps of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from learning.loop import charts
from learning.loop.task import Task
from scenarios.sampling import Enum

BINS = 6
MOST_CHOICES = 10

Floats = npt.NDArray[np.float64]


def error_maps(
    rows: Sequence[Mapping[str, str]], regions: Sequence[Mapping[str, Any]], task: Task, most: int = 4
) -> list[tuple[str, str]]:
    """Return (title, SVG) maps of the error over pairs of parameters.

    Pairs that named regions use come first; then those whose map explains most of the errors' variation.

    Args:
        rows: judged samples, as text by column.
        regions: of the same samples, as JSON.
        task: whose space names kinds and units.
        most: how many maps.
    """
    rows = [row for row in rows if row["predicted"]]
    if not rows:
        return []
    errors = np.array([row["predicted"] != row["label"] for row in rows], float)
    tried = {p.name: _bins(p, [row[p.name] for row in rows]) for p in task.space.parameters}
    binned = {name: bins for name, bins in tried.items() if bins is not None}
    units = {p.name: f"{p.name.replace('_', ' ')}{f', {p.unit}' if p.unit else ''}" for p in task.space.parameters}
    chosen: list[tuple[str, str]] = []
    for region in regions:
        names = [c["name"] for c in region["conditions"] if c["name"] in binned]
        if len(names) == 1 and region["label"] is not None and task.class_parameter in binned:
            names.append(task.class_parameter)
        if len(names) == 2:
            chosen.append((names[0], names[1]))
    ranked = sorted(itertools.combinations(binned, 2), key=lambda pair: -_explained(binned, pair, errors))
    pairs: list[tuple[str, str]] = []
    for pair in [*chosen, *ranked]:
        if len(pairs) < most and set(pair) not in [set(p) for p in pairs]:
            pairs.append(pair)
    out = []
    for across, up in pairs:
        wrong, count = _table(binned, (across, up), errors)
        title = f"{across.replace('_', ' ')} and {up.replace('_', ' ')}"
        edges = binned[across][1], binned[up][1]
        out.append((title, charts.error_map((units[across], units[up]), edges, wrong, count)))
    return out


Binned = tuple[npt.NDArray[np.int64], list[Any], int]


def _bins(parameter: Any, texts: Sequence[str]) -> Binned | None:
    """Return (bin of every row or -1, edges or names, number of bins); None for what cannot be drawn."""
    if isinstance(parameter, Enum):
        names = [str(choice) for choice in parameter.choices]
        if not 2 <= len(names) <= MOST_CHOICES:
            return None
        return np.array([names.index(text) if text in names else -1 for text in texts]), names, len(names)
    values = np.array([float(text) if text else np.nan for text in texts])
    known = values[~np.isnan(values)]
    if len(np.unique(known)) < BINS:
        return None
    edges = np.unique(np.quantile(known, np.linspace(0.0, 1.0, BINS + 1)))
    which = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return np.where(np.isnan(values), -1, which), [float(edge) for edge in edges], len(edges) - 1


def _table(binned: Mapping[str, Binned], pair: tuple[str, str], errors: Floats) -> tuple[Floats, Floats]:
    """Return (rows, columns) errors and counts; the first parameter runs along the columns."""
    (x, _, columns), (y, _, rows) = binned[pair[0]], binned[pair[1]]
    known = (x >= 0) & (y >= 0)
    wrong, count = np.zeros((rows, columns)), np.zeros((rows, columns))
    np.add.at(wrong, (y[known], x[known]), errors[known])
    np.add.at(count, (y[known], x[known]), 1.0)
    return wrong, count


def _explained(binned: Mapping[str, Binned], pair: tuple[str, str], errors: Floats) -> float:
    """Return the errors' variation between cells beyond what as many cells show by chance."""
    wrong, count = _table(binned, pair, errors)
    total, mean = count.sum(), errors.mean()
    if total == 0 or not 0.0 < mean < 1.0:
        return 0.0
    filled = count > 0
    between = float((count[filled] * (wrong[filled] / count[filled] - mean) ** 2).sum())
    return between / (mean * (1.0 - mean)) - (int(filled.sum()) - 1)

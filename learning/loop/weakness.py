"""Where in the parameter space a network errs, in words: a search over boxes that a person can read.

A region is one or two conditions on parameters ("distance above 18 m and sun altitude below 5 °"), for one class or
for all. Every such box of a fixed grid is tried, so chance alone makes some look bad. What chance does is measured
instead of guessed: the errors are shuffled among the samples of each class a few hundred times, the same search is
made each time, and a region is named only if its score is beaten by few of the best scores of the shuffled searches
(maximum statistic of Westfall and Young 1993: the probability of naming any region where there is none is at most
alpha). Because the shuffling keeps every class's own error, a region says more than that its class is difficult.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.seeds import generator
from learning.loop.evaluation import Rate, percent

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SHUFFLES = 200
ALPHA = 0.05
LEAST_SAMPLES = 12
CUTS = 6
"""A real parameter is cut at so many equally likely places, less one."""
SECOND_CONDITION = 0.85
"""Scores of two conditions count this much: the second one must earn its words."""


@dataclass(frozen=True, eq=False)
class Column:
    """One parameter of all samples.

    Attributes:
        name: as the space calls it.
        unit: printed behind numbers; "" for none.
        numbers: (N,) values, NaN where the parameter does not exist for a sample; None for a choice.
        choices: (N,) values, "" where it does not exist; None for a number.
    """

    name: str
    unit: str = ""
    numbers: Floats | None = None
    choices: npt.NDArray[np.str_] | None = None


@dataclass(frozen=True)
class Condition:
    """``low <= parameter < high``, either end open, or ``parameter == choice``."""

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choice: str | None = None

    def holds(self, columns: Mapping[str, Column]) -> Bools:
        """Return (N,) for which samples the condition holds."""
        column = columns[self.name]
        if self.choice is not None:
            assert column.choices is not None
            return column.choices == self.choice
        assert column.numbers is not None
        inside = ~np.isnan(column.numbers)
        if self.low is not None:
            inside &= column.numbers >= self.low
        if self.high is not None:
            inside &= column.numbers < self.high
        return inside

    def words(self) -> str:
        """Return the condition as a person would say it."""
        name = self.name.replace("_", " ")
        unit = f" {self.unit}" if self.unit else ""
        if self.choice is not None:
            return f"{name} {self.choice}"
        if self.low is None:
            return f"{name} below {self.high:g}{unit}"
        if self.high is None:
            return f"{name} above {self.low:g}{unit}"
        return f"{name} between {self.low:g} and {self.high:g}{unit}"


@dataclass(frozen=True)
class Region:
    """A named weakness.

    Attributes:
        label: the class it is about; None for all classes.
        conditions: all must hold.
        rate: errors among the samples inside.
        overall: the error of the same class (or of all) wherever it is.
        p_value: probability of a region at least as conspicuous anywhere if errors did not depend on parameters.
        mistaken_for: the class most of its errors are taken for, and the share of them.
    """

    label: str | None
    conditions: tuple[Condition, ...]
    rate: Rate
    overall: float
    p_value: float
    mistaken_for: tuple[str, float]

    def words(self) -> str:
        """Return the weakness as one sentence."""
        where = " and ".join(condition.words() for condition in self.conditions)
        low, high = self.rate.interval
        return (
            f"{self.label or 'every class'} with {where}: error {percent(self.rate.value)} "
            f"(95 %: {percent(low)} to {percent(high)}, n={self.rate.count}) against {percent(self.overall)} overall, "
            f"{percent(self.mistaken_for[1])} of them taken for {self.mistaken_for[0]} (p {_p(self.p_value)})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the region as JSON, its sentence included."""
        return {
            "words": self.words(),
            "label": self.label,
            "conditions": [asdict(condition) for condition in self.conditions],
            "rate": self.rate.to_dict(),
            "overall": self.overall,
            "p_value": self.p_value,
            "mistaken_for": list(self.mistaken_for),
        }


def _p(value: float) -> str:
    return f"< {2 / (SHUFFLES + 1):.2g}" if value <= 1 / (SHUFFLES + 1) + 1e-12 else f"= {value:.2g}"


def find_regions(
    columns: Sequence[Column],
    truth: npt.NDArray[np.int64],
    predicted: npt.NDArray[np.int64],
    classes: Sequence[str],
    seed: int,
    most: int = 6,
) -> list[Region]:
    """Search the regions where errors are more frequent than the class explains.

    Args:
        columns: the parameters of N samples (without the class).
        truth, predicted: (N,) indices into ``classes``.
        classes: names.
        seed: of the shuffles.
        most: how many regions to return at most.

    Returns:
        Regions that chance does not explain, the most conspicuous first; none overlaps an earlier one by more than
        half of its errors.
    """
    errors = truth != predicted
    if not errors.any() or errors.all() or len(errors) < 2 * LEAST_SAMPLES:
        return []
    by_name = {column.name: column for column in columns}
    conditions = [condition for column in columns for condition in _conditions(column)]
    if not conditions:
        return []
    holds = np.stack([condition.holds(by_name) for condition in conditions])
    candidates = [(i,) for i in range(len(conditions))] + [
        (i, j) for i in range(len(conditions)) for j in range(i) if conditions[i].name != conditions[j].name
    ]
    inside = np.stack([holds[list(candidate)].all(0) for candidate in candidates]).astype(np.float32)
    worth = np.array([1.0 if len(candidate) == 1 else SECOND_CONDITION for candidate in candidates], np.float32)

    class_rate = np.array([errors[truth == c].mean() if (truth == c).any() else 0.0 for c in range(len(classes))])
    groups: list[tuple[int | None, Bools]] = [(None, np.ones(len(truth), bool))]
    groups += [(c, truth == c) for c in range(len(classes)) if (truth == c).sum() >= 2 * LEAST_SAMPLES]
    shuffled = _shuffled(errors, truth, seed)
    best = np.zeros(SHUFFLES)
    scored: list[tuple[float, int | None, int]] = []
    for label, members in groups:
        expected = class_rate[truth[members]]
        real, chance = _scores(inside[:, members], worth, errors[members], shuffled[:, members], expected)
        best = np.maximum(best, chance)
        scored += [(float(real[k]), label, k) for k in map(int, np.flatnonzero(real > 2.0))]
    scored.sort(key=lambda entry: (-entry[0], len(candidates[entry[2]]), str(entry[1]), entry[2]))

    found: list[Region] = []
    taken: list[Bools] = []
    for score, label, k in scored:
        p_value = (1 + int((best >= score).sum())) / (1 + SHUFFLES)
        if p_value > ALPHA or len(found) >= most:
            break
        members = groups[0][1] if label is None else truth == label
        where = (inside[k] > 0.5) & members
        failures = where & errors
        if any((failures & other).sum() > 0.5 * min(failures.sum(), other.sum()) for other in taken):
            continue
        taken.append(failures)
        mistaken = np.bincount(predicted[failures], minlength=len(classes))
        found.append(
            Region(
                None if label is None else classes[label],
                tuple(conditions[i] for i in candidates[k]),
                Rate(int(failures.sum()), int(where.sum())),
                float(errors[members].mean()),
                p_value,
                (classes[int(mistaken.argmax())], float(mistaken.max() / failures.sum())),
            )
        )
    return found


def _conditions(column: Column) -> list[Condition]:
    """Return the conditions tried on one parameter."""
    if column.choices is not None:
        values = sorted({str(v) for v in column.choices} - {""})
        return [Condition(column.name, choice=value) for value in values] if len(values) > 1 else []
    assert column.numbers is not None
    known = column.numbers[~np.isnan(column.numbers)]
    if not len(known) or known.min() == known.max():
        return []
    span = float(known.max() - known.min())
    cuts = sorted({_round(float(c), span) for c in np.quantile(known, np.arange(1, CUTS) / CUTS)})
    out = [Condition(column.name, column.unit, high=cut) for cut in cuts]
    out += [Condition(column.name, column.unit, low=cut) for cut in cuts]
    # Inner slices of about a third: influence that comes and goes, such as a sun that dazzles from one side.
    out += [Condition(column.name, column.unit, low=a, high=b) for a, b in zip(cuts, cuts[2:], strict=False)]
    return out


def _round(value: float, span: float) -> float:
    """Round to a hundredth of the span or coarser, so that the words are short; the region is exactly what they say."""
    digits = -math.floor(math.log10(span / 20.0))
    return round(value, digits)


def _shuffled(errors: Bools, truth: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.float32]:
    """Return (SHUFFLES, N) errors, shuffled among the samples of each class."""
    rng = generator(seed, "weakness", "shuffles")
    out = np.empty((SHUFFLES, len(errors)), np.float32)
    for label in np.unique(truth):
        members = np.flatnonzero(truth == label)
        for row in out:
            row[members] = errors[rng.permutation(members)]
    return out


def _scores(
    inside: npt.NDArray[np.float32],
    worth: npt.NDArray[np.float32],
    errors: Bools,
    shuffled: npt.NDArray[np.float32],
    expected: Floats,
) -> tuple[Floats, Floats]:
    """Return each candidate's score and the best score of each shuffled search.

    The score is the number of errors inside above what the classes explain, in standard deviations of that number.

    Args:
        inside: (candidates, N) 1 where a sample is in the region.
        worth: (candidates,) factors of the scores.
        errors: (N,); shuffled: (SHUFFLES, N).
        expected: (N,) the error rate of each sample's class.
    """
    size = inside.sum(1)
    mean = inside @ expected.astype(np.float32)
    variance = inside @ (expected * (1.0 - expected)).astype(np.float32)
    # A region that is nearly everything has no chance to stand out: the count's variance shrinks (hypergeometric).
    variance = variance * (1.0 - size / inside.shape[1])
    usable = (size >= LEAST_SAMPLES) & (variance > 0.25)
    scale = worth * np.where(usable, 1.0 / np.sqrt(np.where(usable, variance, 1.0)), 0.0)
    real = (inside @ errors.astype(np.float32) - mean) * scale
    chance = ((inside @ shuffled.T - mean[:, None]) * scale[:, None]).max(0)
    return real.astype(np.float64), chance.astype(np.float64)

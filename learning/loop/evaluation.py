"""Counting right and wrong: confusion matrices, error rates and their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Z95 = 1.959963984540054
"""97.5 % quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Rate:
    """A share of ``count`` with its 95 % Wilson interval (Wilson 1927); NaN-free: an empty rate spans 0 to 1."""

    wrong: int
    count: int

    @property
    def value(self) -> float:
        """The share itself; 0 when nothing was counted."""
        return self.wrong / self.count if self.count else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end of the 95 % interval."""
        if not self.count:
            return 0.0, 1.0
        n, p, z2 = self.count, self.value, Z95 * Z95
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = Z95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def to_dict(self) -> dict[str, float | int | list[float]]:
        """Return the rate as JSON."""
        return {"error": self.value, "low": self.interval[0], "high": self.interval[1], "n": self.count}


def confusion_matrix(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], classes: int
) -> npt.NDArray[np.int64]:
    """Return (classes, classes) counts: row the truth, column the prediction."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (truth, predicted), 1)
    return matrix


def class_errors(matrix: npt.NDArray[np.int64]) -> list[Rate]:
    """Return every class's error: the share of its samples (its row) that was taken for another class."""
    return [Rate(int(row.sum() - row[i]), int(row.sum())) for i, row in enumerate(matrix)]


def mean_error(matrix: npt.NDArray[np.int64]) -> float:
    """Return the mean over classes of their errors, each class counting the same; classes without samples do not."""
    rates = [rate.value for rate in class_errors(matrix) if rate.count]
    return float(np.mean(rates)) if rates else 0.0


def weak_classes(matrix: npt.NDArray[np.int64], classes: Sequence[str]) -> list[str]:
    """Return one sentence per class that is worse than the mean beyond chance, the worst first.

    Worse beyond chance: the lower end of its 95 % interval is above the mean error of all classes.
    """
    mean = mean_error(matrix)
    rates = class_errors(matrix)
    out = []
    for i in sorted(range(len(rates)), key=lambda i: -rates[i].value):
        rate = rates[i]
        low, high = rate.interval
        if not rate.count or low <= mean:
            continue
        others = matrix[i].copy()
        others[i] = 0
        taken = int(others.argmax())
        out.append(
            f"{classes[i]}: error {percent(rate.value)} (95 %: {percent(low)} to {percent(high)}, n={rate.count}) "
            f"against {percent(mean)} on average; {percent(others[taken] / rate.wrong)} of its errors are taken for "
            f"{classes[taken]}"
        )
    return out


def percent(share: float) -> str:
    """Return a share as text: ``7.3 %`` below ten, ``41 %`` above."""
    return f"{share * 100:.1f} %" if 0.0 < share < 0.0995 else f"{share * 100:.0f} %"

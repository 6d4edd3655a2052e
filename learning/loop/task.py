"""What a domain must offer to be improved by the loop. Driving is one; `examples/crack` is another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scenarios.sampling import Space, Trial


@dataclass(frozen=True, eq=False)
class Sample:
    """One produced, labelled picture.

    Attributes:
        trial: the parameters it was made from.
        image: (H, W, 3) uint8.
        label: the class's name, read from the producer's ground truth.
        mask: (H, W) bool, pixels of the labelled object; None where the domain has none.
        valid: False when the object cannot be seen well enough for the label to be fair; such a sample counts as
            produced but is neither trained on nor evaluated.
    """

    trial: Trial
    image: npt.NDArray[np.uint8]
    label: str
    mask: npt.NDArray[np.bool_] | None = None
    valid: bool = True


class Producer(Protocol):
    """Turns trials into samples; owns whatever it needs for that (engines, processes) while it is open."""

    def produce(self, trials: Iterable[Trial]) -> Iterator[Sample]:
        """Yield one sample per trial, in order. The same trial gives the same bytes."""
        ...


class Task(Protocol):
    """A classification task whose pictures can be made on purpose."""

    name: str
    space: Space
    class_parameter: str
    """The enum of :attr:`space` whose choice is the class asked for."""
    classes: tuple[str, ...]
    """Names of the classes in the order of the confusion matrix."""

    def open(self, workers: int, seed: int) -> AbstractContextManager[Producer]:
        """Start producing with so many worker processes."""
        ...

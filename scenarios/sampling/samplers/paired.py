"""Paired (counterfactual) samples: identical in everything, the seed included, but one parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.seeds import derive
from scenarios.sampling.errors import SpaceError
from scenarios.sampling.parameters import Cells
from scenarios.sampling.samplers.base import BaseSampler, check_count, register, restore
from scenarios.sampling.samplers.classes import Confusions
from scenarios.sampling.samplers.designs import UniformSampler
from scenarios.sampling.space import ABSENT, Points, Space
from scenarios.sampling.trials import Outcome, Trial

Floats = npt.NDArray[np.float64]
BASES = ("uniform", "nominal", "latin_hypercube", "sobol", "confusion", "importance")
"""Samplers that first halves may come from."""


@register
class PairedSampler(BaseSampler):
    """Draws a first half from a base sampler and gives the second another value of one parameter, nothing else.

    Both halves come one after the other in the same batch, share the seed and name the parameter; the second names
    the first as its parent. Parameters that exist only for some choices of the varied one keep their value where they
    exist in both halves; one that only the second half has is drawn uniformly.

    q of both halves is the density of a half picked at random: the mean of the base's density and that of the point
    seen as a second half, for which every first half it can come from is counted.

    Args:
        varied: the parameter that differs, usually the class. Of an enum or integer the second half gets another
            choice, of a number an independent uniform position.
        base: where first halves come from; default uniform.
        by_confusion: prefer the choices that the first half's class is confused with, in proportion to s^gamma of
            the recorded verdicts. Otherwise all other choices are equally likely.
        gamma: see ``by_confusion``.
        background: label of misses and false positives in the verdicts; never a second half.
    """

    name = "paired"

    def __init__(
        self,
        space: Space,
        seed: int = 0,
        *,
        varied: str,
        base: BaseSampler | None = None,
        by_confusion: bool = False,
        gamma: float = 1.0,
        background: str | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(space, seed, prefix=prefix)
        parameter = space[varied]
        if parameter.condition is not None:
            raise SpaceError(
                f"{varied}: it exists only for some choices of {parameter.condition[0]}, so some samples have no pair",
                remedy="vary a parameter without a condition",
                parameter=varied,
            )
        self._cells = parameter if isinstance(parameter, Cells) else None
        if self._cells is not None and len(self._cells.cell_values()) < 2:
            raise SpaceError(f"{varied}: with one choice there is no other", parameter=varied)
        if by_confusion and self._cells is None:
            raise SpaceError(f"{varied}: only classes are confused", remedy="vary an enum", parameter=varied)
        if base is not None and base.space != space:
            raise SpaceError("the base sampler of the pairs is of another space")
        if base is not None and base.name not in BASES:
            # Deficits count trials by id, and halves have ids of their own; a mixture may hold such a part.
            raise SpaceError(f"a {base.name} sampler cannot be the base of pairs", remedy="use " + ", ".join(BASES))
        if not (np.isfinite(gamma) and gamma >= 0.0):
            raise SpaceError(f"gamma is {gamma}", remedy="it must be finite and at least 0")
        self.varied, self.by_confusion, self.gamma, self.background = varied, by_confusion, float(gamma), background
        self.base = UniformSampler(space, self.seed, prefix=f"{self.prefix}-base") if base is None else base
        self._axis = space.axis(varied)
        self._confusions = Confusions(space, space.classes(varied), background) if by_confusion else None

    def options(self) -> dict[str, Any]:
        """See :meth:`BaseSampler.options`."""
        return {
            "varied": self.varied,
            "base": self.base.state(),
            "by_confusion": self.by_confusion,
            "gamma": self.gamma,
            "background": self.background,
        }

    @classmethod
    def _revive(cls, space: Space, options: Mapping[str, Any]) -> dict[str, Any]:
        return dict(options) | {"base": restore(space, options["base"])}

    # ---- the choice of the other half

    def exchanges(self) -> Floats:
        """Return the (K, K) probabilities that a first half of a row's choice gets a column's; 0 on the diagonal."""
        assert self._cells is not None
        count = len(self._cells.cell_values())
        weights = np.ones((count, count))
        if self._confusions is not None:
            weights = self._confusions.scores()[:count, :count] ** self.gamma
        np.fill_diagonal(weights, 0.0)
        return weights / weights.sum(axis=1, keepdims=True)

    def _other(self, units: Floats, shares: Floats) -> Floats:
        """Return the (N,) positions of the varied parameter in the second halves."""
        if self._cells is None:
            return shares
        below = np.cumsum(self.exchanges(), axis=1)[self._cells.index(units[:, self._axis])]
        chosen = np.sum(below <= shares[:, None] * below[:, -1:], axis=1)
        return self._cells.middles()[np.minimum(chosen, below.shape[1] - 1)]

    # ---- proposing

    def suggest(self, n: int) -> list[Trial]:
        """Return n/2 pairs, halves side by side.

        Raises:
            SpaceError: n is odd; half a pair is no sample.
        """
        check_count(n)
        if n % 2:
            raise SpaceError(f"{n} trials cannot be pairs", remedy="ask for an even number")
        if n == 0:
            return []
        pairs = n // 2
        first = self.space.points([t.unit for t in self.base.suggest(pairs)])
        shares = self._uniforms(pairs, self.space.dimension + 1)
        units = first.unit.copy()
        units[:, self._axis] = self._other(first.unit, shares[:, 0])
        # Where a parameter did not exist in the first half, the second has its own draw, should it exist there.
        units = np.where(first.active, units, shares[:, 1:])
        second = self.space.points(units)
        both = Points(_interleave(first.unit, second.unit), _interleave(first.active, second.active))
        trials = self._trials(both, self.density(both))
        self._count += pairs
        return trials

    def _trials(self, points: Points, q: Floats, numbers: list[int] | None = None) -> list[Trial]:
        made = super()._trials(points, q)
        trials = []
        for i, trial in enumerate(made):
            number, half = self._count + i // 2, "ab"[i % 2]
            first = f"{self.prefix}-{number:06d}a"
            trials.append(
                replace(
                    trial,
                    id=f"{self.prefix}-{number:06d}{half}",
                    seed=derive(self.seed, "sampling", self.prefix, "trial", number),
                    parent=first if half == "b" else None,
                    varied=self.varied,
                )
            )
        return trials

    # ---- density

    def density(self, points: Points) -> Floats:
        """See :meth:`Sampler.density`: that of a half picked at random."""
        return 0.5 * (self.base.density(points) + self._second_density(points))

    def _second_density(self, points: Points) -> Floats:
        if self._cells is None:
            active = points.active.copy()
            active[:, self._axis] = False
            return self.base.density(Points(points.unit, active))
        widths, exchange = np.diff(self._cells.edges()), self.exchanges()
        own = self._cells.index(points.unit[:, self._axis])
        total = np.zeros(len(points))
        for choice, middle in enumerate(self._cells.middles()):
            unit = points.unit.copy()
            unit[:, self._axis] = middle
            # What only the first half had is integrated out, what only this half has was drawn uniformly: both
            # leave no factor. What both had is the same in both.
            active = self.space.points(np.where(points.active, unit, ABSENT)).active & points.active
            came = self.base.density(Points(unit, active)) * widths[choice] * exchange[choice, own] / widths[own]
            total += np.where(own == choice, 0.0, came)
        return total

    # ---- learning and storing

    def _take(self, trial: Trial, outcome: Outcome) -> None:
        self.base.record(trial, outcome)
        if self._confusions is not None:
            self._confusions.put(trial, outcome)

    def forget(self) -> None:
        """Drop all verdicts, because they are of a model that is gone; also the base's, when it has any."""
        if self._confusions is not None:
            self._confusions.records.clear()
        forget = getattr(self.base, "forget", None)
        if forget is not None:
            forget()

    def _memory(self) -> dict[str, Any]:
        return {"records": None if self._confusions is None else self._confusions.records.to_list()}

    def _remember(self, memory: Mapping[str, Any]) -> None:
        if self._confusions is not None:
            self._confusions.records.restore(memory["records"])


def _interleave(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.stack([first, second], axis=1).reshape(-1, first.shape[1])

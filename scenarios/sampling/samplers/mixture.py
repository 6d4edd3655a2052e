"""Several samplers as one: every trial carries the density of the whole mixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.seeds import generator
from scenarios.sampling.distributions import weights_problem
from scenarios.sampling.errors import SpaceError
from scenarios.sampling.samplers.base import BaseSampler, check_count, register, restore
from scenarios.sampling.samplers.paired import PairedSampler
from scenarios.sampling.space import Points, Space
from scenarios.sampling.trials import Outcome, Trial

Floats = npt.NDArray[np.float64]


@register
class MixtureSampler(BaseSampler):
    """Draws each trial from one of several samplers; q = sum_k weight_k q_k, whichever it came from.

    How many trials of a batch each part gives is rounded at random such that the expectation is exactly the weight:
    estimates with q are unbiased for every batch size. Pairs come in twos; a batch too small for the pairs it might
    draw uses the shares it really has. Outcomes go to all parts.

    Args:
        parts: (sampler, weight); all of this space, prefixes all different, at most one of them paired.
    """

    name = "mixture"

    def __init__(
        self,
        space: Space,
        seed: int = 0,
        *,
        parts: Sequence[tuple[BaseSampler, float]],
        prefix: str | None = None,
    ) -> None:
        super().__init__(space, seed, prefix=prefix)
        self.parts = [part for part, _ in parts]
        weights = tuple(float(weight) for _, weight in parts)
        if problem := weights_problem(weights):
            raise SpaceError(f"the mixture's weights {problem[1]}", remedy=problem[2])
        self.weights = np.array(weights) / sum(weights)
        for part in self.parts:
            if part.space != space:
                raise SpaceError(f"part {part.prefix} of the mixture is of another space")
        prefixes = [part.prefix for part in self.parts]
        for name in prefixes:
            if prefixes.count(name) > 1:
                raise SpaceError(f"two parts of the mixture have the prefix {name!r}", remedy="give prefix= to one")
        self._pairs = [k for k, part in enumerate(self.parts) if isinstance(part, PairedSampler)]
        if len(self._pairs) > 1 or any(isinstance(part, MixtureSampler) for part in self.parts):
            raise SpaceError("a mixture holds at most one paired sampler and no mixture", remedy="flatten it")
        self._shares = self.weights

    def options(self) -> dict[str, Any]:
        """See :meth:`BaseSampler.options`."""
        return {"parts": [[part.state(), weight] for part, weight in zip(self.parts, self.weights.tolist())]}

    @classmethod
    def _revive(cls, space: Space, options: Mapping[str, Any]) -> dict[str, Any]:
        return {"parts": [(restore(space, state), float(weight)) for state, weight in options["parts"]]}

    def suggest(self, n: int) -> list[Trial]:
        """See :meth:`Sampler.suggest`. The trials keep the id and sampler name of the part they are from."""
        check_count(n)
        if n == 0:
            return []
        counts, self._shares = self._allocation(n)
        trials = [trial for part, count in zip(self.parts, counts) for trial in part.suggest(count)]
        self._count += n
        q = self.density(self.space.points([trial.unit for trial in trials]))
        return [replace(trial, q=float(density)) for trial, density in zip(trials, q)]

    def density(self, points: Points) -> Floats:
        """See :meth:`Sampler.density`."""
        total = np.zeros(len(points))
        for share, part in zip(self._shares, self.parts):
            if share > 0.0:
                total += share * part.density(points)
        return total

    def _allocation(self, n: int) -> tuple[list[int], Floats]:
        """Return how many trials each part gives, and the expectation of that as shares of n."""
        rng = generator(self.seed, "sampling", self.prefix, "parts", self._count)
        counts = np.zeros(len(self.parts), dtype=np.intp)
        shares = self.weights.copy()
        singles = [k for k in range(len(self.parts)) if k not in self._pairs and self.weights[k] > 0.0]
        for k in self._pairs:
            wanted = n * float(self.weights[k])
            low = 2 * int((wanted + 1e-9) // 2)
            if not singles:
                if n % 2:
                    raise SpaceError(f"{n} trials cannot be pairs", remedy="ask for an even number")
                counts[k] = n
            elif low + 2 <= n or wanted - low < 1e-9:
                counts[k] = low + (2 if rng.random() < (wanted - low) / 2.0 else 0)
            else:
                counts[k], shares[k] = low, low / n
        rest = n - int(counts.sum())
        if singles:
            share = self.weights[singles] / self.weights[singles].sum()
            # Systematic sampling: one random offset, part k gets the whole numbers its interval holds.
            edges = np.concatenate([[0.0], np.cumsum(share)]) * rest
            edges[-1] = rest
            counts[singles] = np.diff(np.floor(edges + rng.random()).astype(np.intp))
            shares[singles] = share * (1.0 - shares[self._pairs].sum())
        return counts.tolist(), shares

    def _take(self, trial: Trial, outcome: Outcome) -> None:
        for part in self.parts:
            part.record(trial, outcome)

    def forget(self) -> None:
        """Drop the verdicts of all parts that learn from them."""
        for part in self.parts:
            forget = getattr(part, "forget", None)
            if forget is not None:
                forget()

    def _memory(self) -> dict[str, Any]:
        return {"shares": self._shares.tolist()}

    def _remember(self, memory: Mapping[str, Any]) -> None:
        self._shares = np.array(memory["shares"])

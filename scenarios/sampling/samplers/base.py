"""What all samplers share: numbering, seeds, records by trial, and a state that continues exactly.

A trial's random numbers come from a stream addressed by (seed, prefix, number of the trial). The state is therefore
the options, the number of trials so far and the outcomes recorded: no generator is stored, and restoring one repeats
exactly what would have come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError
from foundation.seeds import derive, generator
from scenarios.sampling.errors import SpaceError, StateError
from scenarios.sampling.space import Points, Space
from scenarios.sampling.trials import Outcome, Trial

Floats = npt.NDArray[np.float64]
S = TypeVar("S", bound="BaseSampler")
GOLDEN = (5.0**0.5 - 1.0) / 2.0


@runtime_checkable
class Sampler(Protocol):
    """Proposes points, and is told what became of them.

    Attributes:
        name: in the registry, and in every trial it proposes.
        space: that it samples.
    """

    name: str
    space: Space

    def suggest(self, n: int) -> list[Trial]:
        """Return the next n trials."""
        ...

    def record(self, trial: Trial, outcome: Outcome) -> None:
        """Take note of an outcome, of any trial of this space; a later one of the same trial replaces it."""
        ...

    def density(self, points: Points) -> Floats:
        """Return the (N,) proposal densities of the most recent batch on the remapped unit cube."""
        ...

    def state(self) -> dict[str, Any]:
        """Return JSON-ready data from which ``SAMPLERS[name].restore(space, state)`` continues exactly."""
        ...


SAMPLERS: dict[str, type[BaseSampler]] = {}
"""Samplers by name."""


def register(cls: type[S]) -> type[S]:
    """Enter a sampler into :data:`SAMPLERS`; two of one name are a mistake of ours."""
    if cls.name in SAMPLERS:
        raise ValueError(f"there are two samplers {cls.name!r}")
    SAMPLERS[cls.name] = cls
    return cls


def restore(space: Space, state: Mapping[str, Any]) -> BaseSampler:
    """Return the sampler of any kind that ``state`` was taken from; StateError when it cannot be continued."""
    name = state.get("sampler") if isinstance(state, Mapping) else None
    if name not in SAMPLERS:
        raise StateError(f"the stored state is of an unknown sampler {name!r}")
    return SAMPLERS[name].restore(space, state)


class BaseSampler:
    """Base of all samplers.

    Args:
        space: to sample.
        seed: of the run.
        prefix: beginning of the trials' ids and part of their random streams' address, so that two samplers of one
            kind and seed can be told apart; default: the sampler's name.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1

    def __init__(self, space: Space, seed: int = 0, *, prefix: str | None = None) -> None:
        self.space = space
        self.seed = int(seed)
        self.prefix = self.name if prefix is None else prefix
        self._count = 0

    # ---- what subclasses give

    def _propose(self, n: int) -> Floats:
        """Return (n, d) points of the cube for the trials numbered from ``self._count``."""
        raise NotImplementedError

    def density(self, points: Points) -> Floats:
        """See :meth:`Sampler.density`. Uniform unless a subclass differs."""
        return np.ones(len(points))

    def _take(self, trial: Trial, outcome: Outcome) -> None:
        """Learn from an outcome; samplers that do not learn ignore it."""

    def options(self) -> dict[str, Any]:
        """Return the constructor's further arguments, JSON-ready."""
        return {}

    def _memory(self) -> dict[str, Any]:
        """Return what was learned, JSON-ready."""
        return {}

    def _remember(self, memory: Mapping[str, Any]) -> None:
        """Take over what :meth:`_memory` returned."""

    # ---- the interface

    def suggest(self, n: int) -> list[Trial]:
        """Return the next ``n`` trials; both densities are in them."""
        check_count(n)
        if n == 0:
            return []
        points = self.space.points(self._propose(n))
        trials = self._trials(points, self.density(points))
        self._count += n
        return trials

    def record(self, trial: Trial, outcome: Outcome) -> None:
        """See :meth:`Sampler.record`.

        Raises:
            SpaceError: the trial is of another space.
        """
        if trial.space and trial.space != self.space.fingerprint:
            raise SpaceError(
                f"trial {trial.id} is of another space than sampler {self.prefix} ({trial.space}, not "
                f"{self.space.fingerprint})",
                remedy="rebuild it from its values with trial_at()",
            )
        self._take(trial, outcome)

    def state(self) -> dict[str, Any]:
        """See :meth:`Sampler.state`."""
        return {
            "sampler": self.name,
            "version": self.version,
            "space": self.space.fingerprint,
            "seed": self.seed,
            "prefix": self.prefix,
            "count": self._count,
            "options": self.options(),
            "memory": self._memory(),
        }

    @classmethod
    def restore(cls: type[S], space: Space, state: Mapping[str, Any]) -> S:
        """Return a sampler that continues exactly where ``state`` was taken.

        Raises:
            StateError: the state is of another sampler, version or space, or damaged.
        """
        if not isinstance(state, Mapping) or state.get("sampler") != cls.name:
            found = state.get("sampler") if isinstance(state, Mapping) else type(state).__name__
            raise StateError(f"the stored state is of sampler {found!r}, not {cls.name!r}")
        if state.get("version") != cls.version:
            raise StateError(
                f"the stored state of {cls.name} has version {state.get('version')}, ours is {cls.version}"
            )
        if state.get("space") != space.fingerprint:
            raise StateError(
                f"the stored state of {cls.name} is of another space ({state.get('space')}, not {space.fingerprint}: "
                f"{space.name}); start anew, or restore it with the space it was made for"
            )
        try:
            sampler = cls(space, state["seed"], prefix=state["prefix"], **cls._revive(space, state["options"]))
            sampler._count = int(state["count"])
            sampler._remember(state["memory"])
        except RealityError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise StateError(f"the stored state of {cls.name} is damaged: {error!r}") from error
        return sampler

    @classmethod
    def _revive(cls, space: Space, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return constructor arguments from stored options."""
        return dict(options)

    # ---- tools for subclasses

    def _uniforms(self, n: int, width: int, purpose: str = "point") -> Floats:
        """Return (n, width) uniform numbers, one stream for each trial."""
        first = self._count
        rows = [
            generator(self.seed, "sampling", self.prefix, purpose, i).random(width) for i in range(first, first + n)
        ]
        return np.array(rows).reshape(n, width)

    def _spread(self, n: int, purpose: str) -> Floats:
        """Return (n,) numbers, each uniform by itself, that together fill [0, 1) evenly, across batches too.

        They choose between kinds of trials. Steps of the golden ratio from a random start (Weyl's sequence) keep the
        realised shares close to the wanted ones.
        """
        start = generator(self.seed, "sampling", self.prefix, purpose).random()
        return np.mod(start + GOLDEN * np.arange(self._count, self._count + n), 1.0)

    def _trials(self, points: Points, q: Floats, numbers: list[int] | None = None) -> list[Trial]:
        p0 = self.space.densities(points)
        rows = zip(self.space.values_of(points), points.unit.tolist(), q.tolist(), p0.tolist())
        return [
            Trial(
                id=f"{self.prefix}-{number:06d}",
                values=values,
                unit=tuple(unit),
                seed=derive(self.seed, "sampling", self.prefix, "trial", number),
                sampler=self.name,
                q=own,
                p0=nominal,
                space=self.space.fingerprint,
            )
            for number, (values, unit, own, nominal) in enumerate(rows, start=self._count)
        ]


def check_count(n: int) -> None:
    """Refuse what is no number of trials."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
        raise SpaceError(f"{n!r} is no number of trials", remedy="ask for 0 or more")


def trial_at(space: Space, values: Mapping[str, Any], *, id: str, seed: int, sampler: str = "given") -> Trial:
    """Return a trial at given values, for example one of another space or a hand-made case.

    It was drawn from nothing, so q is taken as the nominal density: it weighs 1 in estimates.
    """
    points = space.points_of([values])
    p0 = float(space.densities(points)[0])
    return Trial(
        id, space.values_of(points)[0], tuple(points.unit[0].tolist()), seed, sampler, p0, p0, space=space.fingerprint
    )

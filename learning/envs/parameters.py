"""Where an episode's parameters come from: the scenario's distribution, a sampler, or whoever calls ``reset``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foundation.errors import RealityError
from foundation.seeds import derive
from scenarios.openscenario import expand, load

SAFE = "safe"


@dataclass(frozen=True)
class Draw:
    """The parameters of one episode.

    Attributes:
        parameters: values as the scenario file would write them.
        seed: of everything else that is random in the episode.
        trial: what the sampler gave; None without one.
    """

    parameters: Mapping[str, str]
    seed: int
    trial: Any = None


class ParameterSource:
    """Draws parameters for one environment.

    Args:
        path: a scenario, or a parameter value distribution of one.
        sampler: None, a name of ``scenarios.sampling.SAMPLERS``, or something with ``suggest`` and ``record``.
        fixed: values for all episodes.

    Raises:
        RealityError: there is no such sampler, or the scenario has no such parameter.
    """

    def __init__(self, path: Path, sampler: Any, fixed: Mapping[str, Any]) -> None:
        self._path = path
        concrete = expand(path, 1, seed=0)
        self.scenario = concrete[0].scenario_path
        self._declared = frozenset(load(self.scenario).parameters)
        self._fixed = self._texts(fixed)
        self._name = sampler if isinstance(sampler, str) else ""
        self._sampler = self._made(0) if self._name else sampler
        if self._sampler is not None and not hasattr(self._sampler, "suggest"):
            raise RealityError(f"sampler: {type(self._sampler).__name__} has no suggest()")

    def _made(self, seed: int) -> Any:
        from scenarios import sampling

        if self._name not in sampling.SAMPLERS:
            raise RealityError(f"there is no sampler {self._name!r}; there are {', '.join(sorted(sampling.SAMPLERS))}")
        return sampling.SAMPLERS[self._name](sampling.scenario_space(self._path), seed)

    def draw(self, seed: int, given: Mapping[str, Any], *, seeded: bool) -> Draw:
        """Return an episode's parameters; ``given`` ones win over fixed ones, those over drawn ones.

        Args:
            seed: of the episode.
            given: values for this episode.
            seeded: whether the caller asked for this seed: then a sampler that was given by its name begins anew with
                it. Else the seed is the trial's own, so that paired trials share theirs.
        """
        over = {**self._fixed, **self._texts(given)}
        if self._sampler is None:
            drawn = expand(self._path, 1, seed=derive(seed, "parameters"))[0]
            return Draw({**drawn.parameters, **over}, seed)
        if seeded and self._name:
            self._sampler = self._made(seed)
        trial = self._sampler.suggest(1)[0]
        return Draw({**self._texts(trial.values), **over}, seed if seeded else int(trial.seed), trial)

    def record(self, draw: Draw, reason: str, collided: bool) -> None:
        """Tell the sampler how the episode of a draw ended; it was to be safe, which collisions and ditches are not."""
        if draw.trial is None or not hasattr(self._sampler, "record"):
            return
        from scenarios.sampling import Outcome

        failure = "collision" if collided else reason if reason == "off_road" else ""
        self._sampler.record(draw.trial, Outcome(SAFE, failure or SAFE, loss=float(bool(failure))))

    def _texts(self, values: Mapping[str, Any]) -> dict[str, str]:
        for name in values:
            if name not in self._declared:
                known = ", ".join(sorted(n for n in self._declared if not n.startswith("_")))
                raise RealityError(f"{self.scenario}: has no parameter {name!r}; it has {known}")
        return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(float(value))
    return str(value)


__all__ = ["Draw", "ParameterSource"]

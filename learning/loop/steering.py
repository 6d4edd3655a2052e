"""What the loop asks of `scenarios.sampling`: first samples, steered samples, and taking note of verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foundation.seeds import derive
from learning.inspection.findings import Findings
from learning.inspection.rule import InspectionSampler
from learning.loop.config import Config
from learning.loop.records import Record
from learning.loop.task import Task
from scenarios.sampling import NominalSampler, Outcome, Space, Trial, apply_remaps, restore, trial_at
from scenarios.sampling.samplers import (
    SAMPLERS,
    BalancedSampler,
    BaseSampler,
    ConfusionSampler,
    ImportanceSampler,
    MixtureSampler,
    PairedSampler,
)


def nominal_trials(space: Space, count: int, seed: int, prefix: str) -> list[Trial]:
    """Return independent draws from the space's own distribution; ``prefix`` begins their ids."""
    return NominalSampler(space, seed, prefix=prefix).suggest(count)


class Steering:
    """The config's sampler at some moment of a run.

    Args:
        task: whose space is sampled.
        config: its sampler and seed.
        state: of :meth:`state`; None at the beginning of a run.
    """

    def __init__(self, task: Task, config: Config, state: Mapping[str, Any] | None) -> None:
        self._task, self._config = task, config
        self.space = remapped(task.space, config.sampler.remaps)
        self._sampler = self._fresh() if state is None else restore(self.space, state)

    def first(self, count: int) -> list[Trial]:
        """Return the first round's samples: nothing is known, so they come from the task's own distribution."""
        return nominal_trials(self._task.space, count, derive(self._config.seed, "first"), "first")

    def suggest(self, count: int) -> list[Trial]:
        """Return further samples, chosen by what was recorded."""
        return self._sampler.suggest(count)

    def record(self, training: Sequence[Record], validation: Sequence[Record]) -> None:
        """Take note of what was realised (training) and of what a network that had not seen it said (validation).

        Training samples that carry a verdict, of a network of before they were trained on, steer like validation.

        Verdicts on earlier networks are forgotten, if the config says so: they are of a model that is gone.
        """
        classes = self._task.classes
        if not self._config.sampler.remember:
            forget = getattr(self._sampler, "forget", None)
            if forget is not None:
                forget()
        for record in (*training, *validation):
            outcome = Outcome(
                truth=record.entry.label,
                predicted=record.predicted(classes),
                loss=record.loss(classes),
                valid=record.entry.valid,
            )
            self._sampler.record(self._here(record.trial), outcome)

    def inform(self, findings: Findings) -> list[str]:
        """Take note of what was found inside the newest network; return what is decided by it, in words."""
        parts = self._sampler.parts if isinstance(self._sampler, MixtureSampler) else [self._sampler]
        return [word for p in parts if isinstance(p, InspectionSampler) for word in p.inform(findings).words]

    def state(self) -> dict[str, Any]:
        """Return JSON from which a run continues exactly."""
        return self._sampler.state()

    def _here(self, trial: Trial) -> Trial:
        """Return the trial as a point of the space that is sampled, which may be remapped."""
        if trial.space == self.space.fingerprint:
            return trial
        return trial_at(self.space, trial.values, id=trial.id, seed=trial.seed, sampler=trial.sampler)

    def _fresh(self) -> BaseSampler:
        shares, seed = self._config.sampler.shares(), derive(self._config.seed, "sampler")
        parts = [(self._part(name, seed), share) for name, share in shares.items()]
        return parts[0][0] if len(parts) == 1 else MixtureSampler(self.space, seed, parts=parts)

    def _part(self, name: str, seed: int) -> BaseSampler:
        chosen, parameter = self._config.sampler, self._task.class_parameter
        if name == "balanced":
            return BalancedSampler(self.space, seed, class_parameter=parameter)
        if name == "confusion":
            # The mixture's other parts cover the space; no further uniform share inside this one.
            return ConfusionSampler(self.space, seed, class_parameter=parameter, gamma=chosen.gamma, uniform_share=0.0)
        if name == "importance":
            return self._importance(seed)
        if name == "paired":
            base = self._importance(seed, "paired-base") if chosen.pairs_near_failures else None
            return PairedSampler(self.space, seed, varied=parameter, base=base, by_confusion=True, gamma=chosen.gamma)
        if name == "inspection":
            return self._inspection(seed)
        return SAMPLERS[name](self.space, seed)

    def _inspection(self, seed: int) -> InspectionSampler:
        chosen = self._config.sampler
        return InspectionSampler(
            self.space,
            seed,
            class_parameter=self._task.class_parameter,
            nuisances=getattr(self._task, "nuisances", ()),
            rules=chosen.inspection_rules,
            epsilon=chosen.eps,
        )

    def _importance(self, seed: int, prefix: str | None = None) -> ImportanceSampler:
        chosen = self._config.sampler
        return ImportanceSampler(
            self.space,
            seed,
            epsilon=chosen.eps,
            base=chosen.importance_base,
            model=chosen.importance_model,
            sharpness=chosen.sharpness,
            prefix=prefix,
        )


def remapped(space: Space, file: Path | None) -> Space:
    """Return the space with the remaps of a file of ``reality space audit``; without a file, the space itself.

    Raises:
        InputError: the file is not one, or its remaps do not fit the space.
    """
    return space if file is None else apply_remaps(space, file)

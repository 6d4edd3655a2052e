"""Does a rule help? The same number of new samples, chosen by the rule or drawn at random, with everything else equal.

For every seed: a first network is trained on ``first`` random samples and inspected with ``validation`` others. Then
each arm gets ``each`` further samples in its own way, a new network is trained on all of them together (the first, the
validation and its own), with the same initial weights, order and number of steps, and judged by one test set that no
arm has seen. Differences are paired by seed.

    python -m learning.inspection.measure --task examples.crack.crack:TASK --seeds 5

``--biased PARAMETER`` makes the first samples as bad as found ones often are: the parameter's value nearly goes with
the class. Pictures and networks are kept in ``--out``; a run that was interrupted goes on there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer
from scipy import special

from foundation.errors import InputError, RealityError
from foundation.seeds import derive, generator
from learning.inspection.findings import Findings
from learning.inspection.rule import InspectionSampler, Rule
from learning.loop.config import Config, Network, Training
from learning.loop.files import write_json
from learning.loop.pool import Pool
from learning.loop.records import Record, judged
from learning.loop.registry import find
from learning.loop.task import Producer, Task
from scenarios.sampling import ImportanceSampler, NominalSampler, Outcome, Trial, UniformSampler, trial_at
from scenarios.sampling.samplers.base import BaseSampler

ARMS = ("nominal", "uniform", "importance", "coverage", "context")
"""Random from the nominal distribution (what all others are compared with); uniform on the cube; near misclassified
validation samples, without looking inside; the two rules of :mod:`learning.inspection.rule`."""
BIAS = 0.9
"""Share of the biased first samples whose parameter's value goes with the class."""


@dataclass(frozen=True)
class Budget:
    """How many samples: of the first training set, for validation, that each arm adds, of the test set."""

    first: int = 250
    validation: int = 150
    each: int = 250
    test: int = 1500


class Comparison:
    """One comparison of arms.

    Args:
        task: with an attribute ``nuisances`` unless ``nuisances`` are given.
        config: network, training and production seed.
        budget: how many samples.
        out: folder of pictures, networks and results.
        nuisances: parameters that the context rule may change.
        biased: enum whose value goes with the class in the first samples.
        workers: processes that make samples.
        say: told in one line what was done.
    """

    def __init__(
        self,
        task: Task,
        config: Config,
        budget: Budget,
        out: Path,
        *,
        nuisances: Sequence[str] | None = None,
        biased: str | None = None,
        workers: int = 1,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.task, self.config, self.budget, self.out = task, config, budget, out
        given = getattr(task, "nuisances", ()) if nuisances is None else nuisances
        self.nuisances = tuple(given)
        self.biased, self._workers, self._say = biased, workers, say or (lambda line: None)
        if biased is not None:
            task.space.cells(biased)
        self.pool = Pool(out / "pool", task, config.production_seed)
        self._open = ExitStack()
        self._producer: Producer | None = None

    def run(self, seeds: Sequence[int], arms: Sequence[str]) -> dict[str, Any]:
        """Return and store in ``results.json``: for every seed and arm the errors of all classes; what was found."""
        self.out.mkdir(parents=True, exist_ok=True)
        with self._open:
            test = self._made(NominalSampler(self.task.space, 20_000, prefix="test").suggest(self.budget.test))
            runs = [self._seed(seed, arms, test) for seed in seeds]
        results = {
            "task": self.task.name,
            "classes": list(self.task.classes),
            "budget": vars(self.budget),
            "biased": self.biased,
            "nuisances": list(self.nuisances),
            "arms": list(arms),
            "runs": runs,
        }
        write_json(self.out / "results.json", results)
        return results

    # ---- one seed

    def _seed(self, seed: int, arms: Sequence[str], test: list[Record]) -> dict[str, Any]:
        space = self.task.space
        first = NominalSampler(space, derive(seed, "measure"), prefix="first").suggest(self.budget.first)
        if self.biased is not None:
            first = [self._bias(trial, seed) for trial in first]
        validation = NominalSampler(space, derive(seed, "measure"), prefix="validation").suggest(self.budget.validation)
        known, seen = self._made(first), self._made(validation)
        model = self._trained(seed, "first", known)
        before = self._errors(model, test)
        findings = self._inspected(model, known, seen, seed)
        self._say(f"seed {seed}: first network {_percent(np.mean(before))}")
        run: dict[str, Any] = {
            "seed": seed,
            "first": before,
            "inside": {one.label: one.inside for one in findings.reliance},
            "arms": {},
        }
        for arm in arms:
            sampler = self._sampler(arm, seed)
            words = self._steer(sampler, model, seen, findings)
            added = self._made(sampler.suggest(self.budget.each))
            errors = self._errors(self._trained(seed, arm, [*known, *seen, *added]), test)
            run["arms"][arm] = {"errors": errors, "valid": sum(one.entry.valid for one in added), "words": words}
            self._say(f"seed {seed}: {arm} {_percent(np.mean(errors))}, worst class {_percent(np.max(errors))}")
        return run

    def _bias(self, trial: Trial, seed: int) -> Trial:
        """Return the trial with the value that goes with its class, nine times in ten."""
        assert self.biased is not None
        space = self.task.space
        choices = space.cells(self.biased).cell_values()
        label = str(trial.values[self.task.class_parameter])
        number = space.classes(self.task.class_parameter).index(label)
        if generator(seed, "measure", "bias", trial.id).random() >= BIAS:
            return trial
        values = {**trial.values, self.biased: choices[number % len(choices)]}
        return trial_at(space, values, id=trial.id, seed=trial.seed)

    def _sampler(self, arm: str, seed: int) -> BaseSampler:
        space, own = self.task.space, derive(seed, "measure", "arm")
        if arm == "nominal":
            return NominalSampler(space, own)
        if arm == "uniform":
            return UniformSampler(space, own)
        if arm == "importance":
            return ImportanceSampler(space, own, base="nominal")
        rules = (cast(Rule, arm),)
        parameter = self.task.class_parameter
        return InspectionSampler(space, own, class_parameter=parameter, nuisances=self.nuisances, rules=rules)

    def _steer(self, sampler: BaseSampler, model: Path, seen: list[Record], findings: Findings) -> list[str]:
        if isinstance(sampler, InspectionSampler):
            return list(sampler.inform(findings).words)
        from learning.loop import jobs

        classes = self.task.classes
        for one in jobs.judge(model, seen, self.pool, self.config):
            label, said = one.entry.label, one.predicted(classes)
            sampler.record(one.trial, Outcome(label, said, one.loss(classes), one.entry.valid))
        return []

    # ---- making, training, judging

    def _made(self, trials: Sequence[Trial]) -> list[Record]:
        entries = self.pool.ensure(trials, self._producing)
        return [Record(trial, entry) for trial, entry in zip(trials, entries, strict=True)]

    def _producing(self) -> Producer:
        if self._producer is None:
            self._producer = self._open.enter_context(self.task.open(self._workers, self.config.production_seed))
        return self._producer

    def _trained(self, seed: int, name: str, records: Sequence[Record]) -> Path:
        from learning.loop import jobs

        folder = self.out / f"seed_{seed:02d}" / name
        folder.mkdir(parents=True, exist_ok=True)
        used = [record.entry for record in records if record.entry.valid]
        # The same seed for every arm: weights, order and augmentation differ in nothing but the samples.
        jobs.train(folder, used, self.pool, self.task.classes, self.config, derive(seed, "measure", "training"))
        return folder / "model.pt"

    def _errors(self, model: Path, test: Sequence[Record]) -> list[float]:
        """Return each class's error, a share of its own samples."""
        from learning.loop import evaluation, jobs

        _, truth, predicted = judged(jobs.judge(model, test, self.pool, self.config), self.task.classes)
        matrix = evaluation.confusion_matrix(truth, predicted, len(self.task.classes))
        rates = evaluation.class_errors(matrix)
        if empty := [name for name, rate in zip(self.task.classes, rates) if not rate.count]:
            raise RealityError(f"the test set has no valid sample of {empty[0]!r}: give a larger --test")
        return [rate.value for rate in rates]

    def _inspected(self, model: Path, known: Sequence[Record], seen: Sequence[Record], seed: int) -> Findings:
        from learning.inspection.stored import inspect_records

        threads = self.config.training.threads
        found = inspect_records(model, seen, known, self.pool, derive(seed, "inspect"), threads)
        found.save(self.out / f"seed_{seed:02d}" / "findings")
        return found


# -- what came out -------------------------------------------------------------------------------------------------


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return mean and 95 % interval (Student's t) of a few paired differences; of one value it is infinite."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("-inf"), float("inf")
    half = float(special.stdtrit(len(values) - 1, 0.975) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def table(results: dict[str, Any]) -> str:
    """Return the results as a Markdown table: errors, and differences to the first arm paired by seed."""
    arms, runs = results["arms"], results["runs"]
    against = arms[0]
    lines = [
        f"| new samples from | mean error | less {against} | worst class | less {against} |",
        "|---|---|---|---|---|",
    ]
    summaries: tuple[Callable[[list[float]], Any], ...] = (np.mean, np.max)
    for arm in arms:
        cells = [arm]
        for summarise in summaries:
            own = [float(summarise(run["arms"][arm]["errors"])) for run in runs]
            base = [float(summarise(run["arms"][against]["errors"])) for run in runs]
            cells.append(_percent(float(np.mean(own))))
            if arm == against:
                cells.append("")
            else:
                mean, low, high = interval([a - b for a, b in zip(own, base)])
                cells.append(f"{100 * mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _percent(share: Any) -> str:
    return f"{100 * float(share):.1f} %"


def main(
    task: Annotated[str, typer.Option(help="A shipped task or module:object.")],
    out: Annotated[Path, typer.Option(help="Folder of pictures, networks and results.json.")] = Path("out/inspection"),
    seeds: Annotated[int, typer.Option(min=1, help="How many repetitions.")] = 5,
    first_seed: Annotated[int, typer.Option(min=0, help="Number of the first repetition.")] = 0,
    arms: Annotated[str, typer.Option(help="Comma-separated; the first is what the others are compared with.")] = (
        "nominal,coverage,context"
    ),
    first: Annotated[int, typer.Option(min=8, help="Training samples of the first network.")] = Budget.first,
    validation: Annotated[int, typer.Option(min=8, help="Samples it is inspected with.")] = Budget.validation,
    each: Annotated[int, typer.Option(min=1, help="Samples that every arm adds.")] = Budget.each,
    test: Annotated[int, typer.Option(min=8, help="Held-out samples.")] = Budget.test,
    biased: Annotated[
        str | None, typer.Option(help="Enum whose value goes with the class in the first samples.")
    ] = None,
    nuisances: Annotated[str | None, typer.Option(help="Comma-separated; the task's own if left out.")] = None,
    input_px: Annotated[str, typer.Option(help="WIDTHxHEIGHT of the network's input.")] = "64x64",
    width: Annotated[int, typer.Option(min=2, help="Channels of the network's first layer.")] = 8,
    steps: Annotated[int, typer.Option(min=1, help="Optimizer steps of every training.")] = 400,
    workers: Annotated[int, typer.Option(min=1, help="Processes that make samples.")] = 1,
) -> None:
    """Measure whether a rule of the inspection helps, at the same number of samples and steps."""
    sys.path.insert(0, str(Path.cwd()))
    chosen = arms.split(",")
    if unknown := [arm for arm in chosen if arm not in ARMS]:
        raise InputError(f"there is no arm {unknown[0]!r}", file="--arms", remedy="known: " + ", ".join(ARMS))
    try:
        wide, high = (int(side) for side in input_px.split("x"))
    except ValueError:
        raise InputError(f"{input_px!r} is not WIDTHxHEIGHT", file="--input-px") from None
    config = Config(task=task, network=Network(input_px=(wide, high), width=width), training=Training(steps=steps))
    comparison = Comparison(
        find(task),
        config,
        Budget(first, validation, each, test),
        out,
        nuisances=None if nuisances is None else nuisances.split(","),
        biased=biased,
        workers=workers,
        say=typer.echo,
    )
    if "context" in chosen and not comparison.nuisances:
        raise InputError("the context rule needs nuisance parameters", file="--arms", remedy="give --nuisances")
    results = comparison.run(range(first_seed, first_seed + seeds), chosen)
    typer.echo(table(results))


if __name__ == "__main__":
    try:
        typer.run(main)
    except RealityError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)

"""The loop itself: plan, produce, train, judge, steer; every step leaves whole files and is skipped when they exist.

A run's folder::

    run.json                      config, versions, classes, space
    pool/                         every picture ever produced (see learning.loop.pool)
    test/plan.json                the held-out trials: drawn once, from the task's own distribution
    round_00/plan.json            training and validation trials, and the sampler's state behind them
    round_00/training.csv         this round's new training samples
    round_00/model.pt, learning.csv
    round_00/validation.csv       verdicts that steer the sampler
    round_00/test.csv             verdicts that nothing but the report reads
    round_00/metrics.json, sampler.json
    report.html

Which number comes from which set: *test* is never seen by samplers or training. *Validation* of round r is drawn
uniformly with seeds of its own, judged by the network of round r, which has not seen it, and given to the sampler;
from round r + 1 on its pictures are training data like any others. *Training* of round r is everything that was
produced before that network was trained. With ``sampler.judge_new`` the new training samples of round r are judged,
too, by the network of round r - 1, before anything is trained on them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from foundation.errors import InputError, RealityError
from foundation.seeds import derive
from learning.loop import evaluation, jobs, weakness
from learning.loop.config import Config
from learning.loop.files import write_json
from learning.loop.pool import Entry, Pool
from learning.loop.records import Record, columns, judged, write_records
from learning.loop.steering import Steering, nominal_trials
from learning.loop.task import Producer, Task
from scenarios.sampling import Trial

log = logging.getLogger(__name__)

FORMAT = 1
PROGRESS_S = 5.0
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a finished run says.

    Attributes:
        rounds: the content of every round's metrics.json, in order.
        report: the page that shows them; None when none was asked for.
    """

    rounds: tuple[dict[str, Any], ...]
    report: Path | None


class Loop:
    """A run of the loop in a folder.

    Args:
        config: what to do.
        task: what to make samples of.
        out: the run's folder.
        workers: processes that produce samples.
        resume: continue a run that is there; without it a folder that holds one is refused.
        pool: a folder of samples shared with other runs; ``out/pool`` by default.
        last_validation: judge the last network by fresh validation samples as well; nothing is steered by them.
        progress: told in one line what is being done.

    Raises:
        InputError: the folder holds another run.
    """

    def __init__(
        self,
        config: Config,
        task: Task,
        out: Path,
        *,
        workers: int = 1,
        resume: bool = False,
        pool: Path | None = None,
        last_validation: bool = True,
        progress: Progress | None = None,
    ) -> None:
        self.config, self.task, self.out, self.workers = config, task, out, workers
        self.pool = Pool(pool or out / "pool", task, config.production_seed)
        self._last_validation = last_validation
        self._open = contextlib.ExitStack()
        self._producer: Producer | None = None
        self._say = progress or (lambda line: log.info("%s", line))
        self._begin(resume)

    def run(self, report: bool = True, inspect: bool = True) -> Outcome:
        """Do whatever is not done yet.

        Args:
            report: write report.html.
            inspect: look into the last network for the report.

        Raises:
            RealityError: the producer, the trainer or the disk failed. Everything finished before is kept.
        """
        with self._working():
            test = self._test_set()
            for number in range(self.config.rounds):
                if not (self._folder(number) / "sampler.json").exists():
                    self._round(number, test)
            rounds = tuple(_read(self._folder(number) / "metrics.json") for number in range(self.config.rounds))
            page = None
            if report:
                from learning.loop.report import write_report

                page = write_report(self.out, self.task, self.pool, inspect=inspect)
            return Outcome(rounds, page)

    def make_test_set(self) -> None:
        """Produce the held-out test set only; runs that share a pool need it once."""
        with self._working():
            self._test_set()

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        with _alone(self.out), contextlib.ExitStack() as self._open:
            self._producer = None
            yield

    # --- the steps -------------------------------------------------------------------------------------------

    def _begin(self, resume: bool) -> None:
        path = self.out / "run.json"
        content = {
            "format": FORMAT,
            "fingerprint": self.config.fingerprint(),
            "config": self.config.model_dump(mode="json"),
            "task": self.task.name,
            "classes": list(self.task.classes),
            "space": self.task.space.to_dict(),
            "versions": {name: version(name) for name in ("digital-reality", "numpy", "torch")},
        }
        if path.exists():
            if not resume:
                raise InputError("holds a run already", file=self.out, remedy="--resume continues it")
            before = _read(path)
            if before["fingerprint"] != content["fingerprint"]:
                changed = ", ".join(_differences(before["config"], content["config"])) or "the config"
                raise InputError(
                    f"holds a run with another config: {changed} changed",
                    file=self.out,
                    remedy="give another --out, or the config it was begun with",
                )
            if before["space"] != content["space"] or before["classes"] != content["classes"]:
                raise InputError(f"holds a run of another version of task {self.task.name!r}", file=self.out)
        write_json(path, content)

    def _test_set(self) -> list[Record]:
        path = self.out / "test" / "plan.json"
        settings = self.config.evaluation
        if not path.exists():
            trials = nominal_trials(self.task.space, settings.samples, derive(settings.seed, "test"), "test")
            write_json(path, [trial.to_dict() for trial in trials])
        trials = [Trial.from_dict(content) for content in _read(path)]
        return self._produce("held-out test set", trials)

    def _round(self, number: int, test: list[Record]) -> None:
        folder = self._folder(number)
        classes = self.task.classes
        plan = self._plan(number)
        trials = [Trial.from_dict(content) for content in plan["training"]]
        # Both sets at once: they are planned, and whatever produces them then waits for no training in between.
        validation_trials = [Trial.from_dict(content) for content in plan["validation"]]
        produced = self._produce(f"round {number}", trials + validation_trials)
        training, validation = produced[: len(trials)], produced[len(trials) :]
        if number and self.config.sampler.judge_new:
            training = jobs.judge(self._folder(number - 1) / "model.pt", training, self.pool, self.config)
        write_records(folder / "training.csv", training, self.task.space, classes)
        used = self._usable(number, training)
        network = self._train(number, used)
        validation = jobs.judge(network, validation, self.pool, self.config)
        test = jobs.judge(network, test, self.pool, self.config)
        write_records(folder / "validation.csv", validation, self.task.space, classes)
        write_records(folder / "test.csv", test, self.task.space, classes)
        steering = Steering(self.task, self.config, plan["sampler"])
        steering.record(training, validation)
        found = self._look_inside(number, network, validation, steering)
        paid_for = sum(self._planned(n) for n in range(number + 1)) - len(validation)
        write_json(
            folder / "metrics.json",
            {
                "round": number,
                "produced": paid_for,
                "trained_on": len(used),
                "test": self._metrics(test, number),
                "validation": self._metrics(validation, number),
                "inspection": found,
            },
        )
        # Written last: a round with this file is finished.
        write_json(folder / "sampler.json", steering.state())
        error = evaluation.mean_error(np.array(_read(folder / "metrics.json")["test"]["matrix"]))
        self._say(f"round {number}: {len(used)} samples, mean test error {evaluation.percent(error)}")

    def _look_inside(self, number: int, network: Path, validation: list[Record], steering: Steering) -> list[str]:
        """Let the inspection steer, if the config gives it a share; return what is decided by it, in words."""
        if self.config.sampler.inspection <= 0.0 or not any(record.entry.valid for record in validation):
            return []
        from learning.inspection.stored import inspect_records

        known = []
        for before in range(number + 1):
            plan = _read(self._folder(before) / "plan.json")
            for content in plan["training"] + (plan["validation"] if before < number else []):
                trial = Trial.from_dict(content)
                if (entry := self.pool.entry(self.pool.key(trial))) is not None:
                    known.append(Record(trial, entry))
        self._say(f"round {number}: looking inside the network")
        seed, threads = derive(self.config.seed, "inspection", number), self.config.training.threads
        findings = inspect_records(network, validation, known, self.pool, seed, threads)
        findings.save(self._folder(number) / "inspection")
        return steering.inform(findings)

    def _plan(self, number: int) -> dict[str, Any]:
        """Return the round's trials and the sampler's state behind them; drawn once, then read."""
        path = self._folder(number) / "plan.json"
        if not path.exists():
            state = _read(self._folder(number - 1) / "sampler.json") if number else None
            steering = Steering(self.task, self.config, state)
            amount = self.config.samples
            training = steering.first(amount.first) if number == 0 else steering.suggest(amount.each)
            last = number == self.config.rounds - 1 and not self._last_validation
            seed = derive(self.config.seed, "validation", number)
            validation = nominal_trials(self.task.space, 0 if last else amount.validation, seed, f"validation-{number}")
            write_json(
                path,
                {
                    "training": [trial.to_dict() for trial in training],
                    "validation": [trial.to_dict() for trial in validation],
                    "sampler": steering.state(),
                },
            )
        return _read(path)

    def _usable(self, number: int, training: Sequence[Record]) -> list[Entry]:
        """Return what the round's network is trained on: valid samples of all rounds so far."""
        entries: list[Entry] = []
        for before in range(number):
            plan = _read(self._folder(before) / "plan.json")
            for content in (*plan["training"], *plan["validation"]):
                entry = self.pool.entry(self.pool.key(Trial.from_dict(content)))
                if entry is None:
                    raise RealityError(f"{self.pool.folder}: a sample of round {before} is missing from the pool")
                entries.append(entry)
        entries += [record.entry for record in training]
        usable = [entry for entry in entries if entry.valid]
        labels = {entry.label for entry in usable}
        if len(labels) < 2:
            raise RealityError(
                f"round {number}: only {len(usable)} of {len(entries)} samples are valid, of {len(labels)} class(es); "
                "there is nothing to tell apart"
            )
        return usable

    def _train(self, number: int, used: list[Entry]) -> Path:
        seed = derive(self.config.seed, "training", number)
        folder = self._folder(number)
        if not (folder / "model.pt").exists():
            self._say(f"round {number}: training on {len(used)} samples, {self.config.training.steps} steps")
            last = number > 0 and self.config.training.begin == "last"
            start = self._folder(number - 1) / "model.pt" if last else None
            jobs.train(folder, used, self.pool, self.task.classes, self.config, seed, start)
        return folder / "model.pt"

    def _produce(self, what: str, trials: list[Trial]) -> list[Record]:
        said = time.monotonic()

        def progress(done: int, missing: int) -> None:
            nonlocal said
            if done == missing or time.monotonic() - said > PROGRESS_S:
                said = time.monotonic()
                self._say(f"{what}: {done} of {missing} produced")

        entries = self.pool.ensure(trials, self._producing, progress)
        return [Record(trial, entry) for trial, entry in zip(trials, entries, strict=True)]

    def _producing(self) -> Producer:
        """Return the task's producer, opened when it is first needed and closed when the run ends."""
        if self._producer is None:
            self._say("starting whatever produces the samples")
            self._producer = self._open.enter_context(self.task.open(self.workers, self.config.production_seed))
        return self._producer

    # --- numbers ---------------------------------------------------------------------------------------------

    def _metrics(self, records: Sequence[Record], number: int) -> dict[str, Any]:
        classes = self.task.classes
        chosen, truth, predicted = judged(records, classes)
        matrix = evaluation.confusion_matrix(truth, predicted, len(classes))
        rates = evaluation.class_errors(matrix)
        table = columns([record.trial for record in chosen], self.task.space, self.task.class_parameter)
        seed = derive(self.config.seed, "regions", number)
        regions = weakness.find_regions(table, truth, predicted, classes, seed)
        counted = [i for i, rate in enumerate(rates) if rate.count]
        worst = max(counted, key=lambda i: rates[i].value) if counted else None
        return {
            "samples": len(records),
            "valid": len(chosen),
            "matrix": matrix.tolist(),
            "classes": {name: rate.to_dict() for name, rate in zip(classes, rates, strict=True)},
            "mean_error": evaluation.mean_error(matrix),
            "worst_class": None if worst is None else classes[worst],
            "weak_classes": evaluation.weak_classes(matrix, classes),
            "weak_regions": [region.to_dict() for region in regions],
        }

    def _planned(self, number: int) -> int:
        plan = _read(self._folder(number) / "plan.json")
        return len(plan["training"]) + len(plan["validation"])

    def _folder(self, number: int) -> Path:
        return self.out / f"round_{number:02d}"


def _differences(before: Any, now: Any, path: str = "") -> list[str]:
    """Return the dotted names of the keys that differ between two configs, rounds left out."""
    if isinstance(before, dict) and isinstance(now, dict):
        names = sorted({*before, *now} - ({"rounds"} if not path else set()))
        return [d for name in names for d in _differences(before.get(name), now.get(name), f"{path}{name}.")]
    return [] if before == now else [path.rstrip(".")]


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Refuse a second process in the same folder; the lock ends with the process, however it ends."""
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RealityError(f"{folder}: another process is working on this run") from None
        yield


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", file=path, remedy="is the run's folder complete?") from None

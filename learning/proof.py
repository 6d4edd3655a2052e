"""Does steering help? Adaptive against plain sampling at the same cost: ``python -m learning.proof --out DIR``.

Both arms are the same loop (:mod:`learning.loop`) with the same config but for the sampler. In every round both
produce equally many samples, train the same network for equally many steps on all that they have, and are judged by
the same held-out pictures. Nothing is free for the adaptive arm:

* the validation samples that steer it count, and the plain arm has as many of them; in both arms they become training
  data as soon as they have been judged;
* samples that come out invalid (nothing to be seen) count, and nobody gets others for them;
* the last network has no validation samples after it: everything that was produced was trained on.

With the same seed both arms begin with the very same first round. The plain arm draws from the task's own
distribution, which is also that of the test set: the best one can do without steering.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from scipy.special import stdtrit

from foundation.errors import RealityError
from learning.loop.config import Config, Sampler, load
from learning.loop.files import atomic, write_json
from learning.loop.improve import Loop
from learning.loop.registry import find
from learning.loop.task import Producer, Sample, Task
from scenarios.sampling import Trial

SHIPPED = Path(__file__).parent / "proof.yaml"
ARMS = ("plain", "adaptive")
WANTED_FALL = 0.25
Floats = npt.NDArray[np.float64]


class SharedTask:
    """A task whose one producer serves several runs at the same time, one request after the other."""

    def __init__(self, task: Task, workers: int, seed: int) -> None:
        self.name, self.space, self.class_parameter = task.name, task.space, task.class_parameter
        self.classes = task.classes
        self._task, self._workers, self._seed = task, workers, seed
        self._stack, self._lock = ExitStack(), threading.Lock()
        self._producer: Producer | None = None

    def __enter__(self) -> SharedTask:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def open(self, workers: int, seed: int) -> AbstractContextManager[Producer]:
        """Hand out the one producer; ``workers`` is what this object was made with."""
        if seed != self._seed:
            raise ValueError(f"opened with seed {seed}, shared with {self._seed}")
        return self._opened()

    @contextmanager
    def _opened(self) -> Iterator[Producer]:
        yield self

    def produce(self, trials: Iterable[Trial]) -> Iterator[Sample]:
        """See :class:`learning.loop.task.Producer`."""
        with self._lock:
            if self._producer is None:
                self._producer = self._stack.enter_context(self._task.open(self._workers, self._seed))
            yield from self._producer.produce(trials)


@dataclass(frozen=True)
class Comparison:
    """A figure of both arms over the seeds.

    Attributes:
        plain, adaptive: (seeds,) errors.
    """

    plain: Floats
    adaptive: Floats

    @property
    def fall(self) -> float:
        """Relative fall of the mean: 0.25 means a quarter less; nan where there was nothing that could fall."""
        return 1.0 - float(self.adaptive.mean() / self.plain.mean()) if self.plain.any() else math.nan

    def fall_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of the relative fall: Student's t on the seeds' log ratios, which are paired."""
        logs = np.log(np.maximum(self.adaptive, 1e-6) / np.maximum(self.plain, 1e-6))
        middle, half = float(logs.mean()), _half(logs, level)
        return 1.0 - math.exp(middle + half), 1.0 - math.exp(middle - half)

    def difference_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of adaptive minus plain: Student's t on the seeds' differences, which are paired."""
        differences = self.adaptive - self.plain
        middle, half = float(differences.mean()), _half(differences, level)
        return middle - half, middle + half

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON."""
        return {
            "plain": self.plain.tolist(),
            "adaptive": self.adaptive.tolist(),
            "fall": self.fall if self.plain.any() else None,
            "fall_95": list(self.fall_interval()) if self.plain.any() else None,
            "difference": float((self.adaptive - self.plain).mean()),
            "difference_95": list(self.difference_interval()),
        }


def _half(values: Floats, level: float) -> float:
    """Return half the width of Student's interval of the mean; infinite for one value."""
    if len(values) < 2:
        return math.inf
    return float(stdtrit(len(values) - 1, 0.5 + level / 2) * values.std(ddof=1) / math.sqrt(len(values)))


@dataclass(frozen=True)
class Verdict:
    """What the proof says.

    Attributes:
        weakest: the class with the highest mean test error in the plain arm.
        weakest_class: its error in both arms.
        worst_of_each: the error of whichever class is the worst of each arm by the mean over the seeds: an arm that
            helps the weakest class at the cost of another is found out here.
        mean: the mean error over classes.
        classes: every class's error.
    """

    weakest: str
    weakest_class: Comparison
    worst_of_each: Comparison
    mean: Comparison
    classes: dict[str, Comparison]

    @property
    def holds(self) -> bool:
        """Whether the weakest class's error fell by a quarter, in either reading, and the mean error did not rise."""
        fell = min(self.weakest_class.fall, self.worst_of_each.fall) >= WANTED_FALL
        return fell and float((self.mean.adaptive - self.mean.plain).mean()) <= 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "holds": self.holds,
            "weakest": self.weakest,
            "weakest_class": self.weakest_class.to_dict(),
            "worst_of_each": self.worst_of_each.to_dict(),
            "mean": self.mean.to_dict(),
            "classes": {name: comparison.to_dict() for name, comparison in self.classes.items()},
        }


def compare(errors: dict[str, Floats], classes: Sequence[str]) -> Verdict:
    """Return the verdict on (seeds, classes) test errors of both arms."""
    plain, adaptive = errors["plain"], errors["adaptive"]
    weakest = int(plain.mean(0).argmax())
    return Verdict(
        classes[weakest],
        Comparison(plain[:, weakest], adaptive[:, weakest]),
        Comparison(plain[:, weakest], adaptive[:, int(adaptive.mean(0).argmax())]),
        Comparison(plain.mean(1), adaptive.mean(1)),
        {name: Comparison(plain[:, i], adaptive[:, i]) for i, name in enumerate(classes)},
    )


def arm_config(config: Config, arm: str, seed: int) -> Config:
    """Return the config of one run: the shipped one, or the same with nothing steering it."""
    changes: dict[str, Any] = {"seed": seed}
    if arm == "plain":
        changes["sampler"] = Sampler(nominal=1.0, uniform=0.0, confusion=0.0, importance=0.0, paired=0.0)
    return config.model_copy(update=changes)


def prove(config: Config, task: Task, out: Path, seeds: Sequence[int], workers: int, trainers: int) -> Verdict:
    """Run both arms for every seed, or continue doing so, and write ``proof.json`` and ``proof.md``.

    Args:
        config: of the adaptive arm.
        task: what to learn.
        out: everything goes there; what is finished there is not done again.
        seeds: one pair of runs each.
        workers: processes that produce samples, for all runs together.
        trainers: runs that are at work at the same time.
    """
    out.mkdir(parents=True, exist_ok=True)
    with SharedTask(task, workers, config.production_seed) as shared:

        def loop(arm: str, seed: int) -> Loop:
            return Loop(
                arm_config(config, arm, seed),
                shared,
                out / f"{arm}_{seed}",
                resume=True,
                pool=out / "pool",
                last_validation=False,
                progress=lambda line: typer.echo(f"{arm} {seed}: {line}"),
            )

        def run(seed: int) -> dict[tuple[str, int], list[dict[str, Any]]]:
            # One arm after the other: the second finds its first round's samples and network made by the first.
            return {(arm, seed): list(loop(arm, seed).run(report=False).rounds) for arm in ARMS}

        loop(ARMS[0], seeds[0]).make_test_set()
        with ThreadPoolExecutor(trainers) as threads:
            rounds = {job: content for found in threads.map(run, seeds) for job, content in found.items()}
    errors = {
        arm: np.array([[_error(rounds[arm, s][-1], c) for c in task.classes] for s in seeds], float) for arm in ARMS
    }
    verdict = compare(errors, task.classes)
    content = verdict.to_dict() | {
        "seeds": list(seeds),
        "config": config.model_dump(mode="json"),
        "test_samples": rounds[ARMS[0], seeds[0]][-1]["test"]["classes"],
        "rounds": {f"{arm}_{seed}": _curve(rounds[arm, seed]) for arm, seed in rounds},
    }
    write_json(out / "proof.json", content)
    with atomic(out / "proof.md") as scratch:
        scratch.write_text(table(verdict, content), encoding="utf-8")
    return verdict


def _error(metrics: dict[str, Any], name: str) -> float:
    return float(metrics["test"]["classes"][name]["error"])


def _curve(rounds: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "produced": metrics["produced"],
            "trained_on": metrics["trained_on"],
            "mean_error": metrics["test"]["mean_error"],
            "classes": {name: rate["error"] for name, rate in metrics["test"]["classes"].items()},
        }
        for metrics in rounds
    ]


def table(verdict: Verdict, content: dict[str, Any]) -> str:
    """Return the figures as Markdown."""

    def row(name: str, c: Comparison) -> str:
        errors = f"| {name} | {c.plain.mean() * 100:.1f} % | {c.adaptive.mean() * 100:.1f} % |"
        if not c.plain.any():
            return f"{errors} | |"
        low, high = c.fall_interval()
        return f"{errors} {c.fall * 100:+.0f} % | {low * 100:+.0f} to {high * 100:+.0f} % |"

    low, high = verdict.mean.difference_interval()
    produced = next(iter(content["rounds"].values()))[-1]["produced"]
    lines = [
        f"{len(content['seeds'])} seeds, {produced} samples produced in each run.",
        "",
        "| test error | plain | adaptive | fall | 95 % interval |",
        "|---|---|---|---|---|",
        row(f"**weakest class ({verdict.weakest})**", verdict.weakest_class),
        row("worst class of each arm", verdict.worst_of_each),
        row("**mean over classes**", verdict.mean),
        *(row(name, c) for name, c in verdict.classes.items()),
        "",
        f"Mean error, adaptive minus plain: {100 * float((verdict.mean.adaptive - verdict.mean.plain).mean()):+.2f} "
        f"points (95 %: {low * 100:+.2f} to {high * 100:+.2f}).",
        "",
        "| seed | weakest, plain | weakest, adaptive | mean, plain | mean, adaptive |",
        "|---|---|---|---|---|",
    ]
    for i, seed in enumerate(content["seeds"]):
        pairs = (verdict.weakest_class, verdict.mean)
        cells = " | ".join(f"{c.plain[i] * 100:.1f} % | {c.adaptive[i] * 100:.1f} %" for c in pairs)
        lines.append(f"| {seed} | {cells} |")
    lines += ["", f"The claim {'holds' if verdict.holds else 'does NOT hold'}."]
    return "\n".join(lines) + "\n"


def main(
    out: Annotated[Path, typer.Option(help="Everything goes there; what is finished there is not done again.")],
    config: Annotated[Path, typer.Option(help="The adaptive arm's config.")] = SHIPPED,
    seeds: Annotated[int, typer.Option(min=1, help="Pairs of runs.")] = 5,
    first_seed: Annotated[int, typer.Option(help="The first of them; the others follow.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes that produce samples.")] = 2,
    trainers: Annotated[int, typer.Option(min=1, help="Runs at the same time.")] = 2,
) -> None:
    """Compare adaptive with plain sampling; exit status 1 when the claim does not hold."""
    try:
        settings = load(config)
        task = find(settings.task, str(config))
        verdict = prove(settings, task, out, range(first_seed, first_seed + seeds), workers, trainers)
    except RealityError as error:
        typer.echo(f"proof: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"\n{(out / 'proof.md').read_text(encoding='utf-8')}\nwritten to {out / 'proof.md'} and proof.json")
    if not verdict.holds:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)

"""``report.html`` of a run of the loop: one self-contained page, built from the run's files alone."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from PIL import Image

from learning.loop import charts, maps
from learning.loop.evaluation import Rate, percent
from learning.loop.files import atomic
from learning.loop.pool import Pool
from learning.loop.records import read_rows
from learning.loop.task import Sample, Task
from scenarios.sampling import Trial

TEMPLATES = Path(__file__).parent / "templates"
THUMBNAIL_PX = 176
WORST = 18
TWINS = 6

Row = dict[str, str]


def write_report(out: Path, task: Task, pool: Pool, inspect: bool = True) -> Path:
    """Write ``report.html`` of whatever rounds are finished and return its path.

    Args:
        out: the run's folder.
        task: the run's task; its space names the parameters.
        pool: where the pictures are.
        inspect: look into the last network as well.
    """
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    rounds = [_Round(folder) for folder in sorted(out.glob("round_*")) if (folder / "sampler.json").exists()]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"percent": percent, "color": charts.color, "ink": charts.ink, "short": _short}
    page = environment.get_template("improve.html.j2").render(
        run=run,
        rounds=rounds,
        last=rounds[-1],
        first=rounds[0],
        verdict=_verdict(rounds),
        curves=_curves(rounds, task.classes),
        cards=[_card(rounds, i, task) for i in range(len(rounds))],
        learning=charts.learning_curves([(f"round {r.number}", *r.learning()) for r in rounds], "training loss"),
        maps=maps.error_maps(rounds[-1].rows("test"), rounds[-1].metrics["test"]["weak_regions"], task),
        legend=charts.legend(),
        worst=_worst(rounds[-1], task, pool),
        twins=_twins(rounds, task, pool),
        inspection=_inspection(out, rounds, task, pool) if inspect else "",
    )
    path = out / "report.html"
    with atomic(path) as scratch:
        scratch.write_text(page, encoding="utf-8")
    return path


class _Round:
    """One finished round's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        self.plan: dict[str, Any] = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        self.number: int = self.metrics["round"]

    def rows(self, name: str) -> list[Row]:
        return read_rows(self.folder / f"{name}.csv")

    def learning(self) -> tuple[list[float], list[float]]:
        with (self.folder / "learning.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [float(r["step"]) for r in rows], [float(r["loss"]) for r in rows]


def _verdict(rounds: Sequence[_Round]) -> list[str]:
    """Return what happened between the first and the last round, in words, from the test set."""
    first, last = rounds[0].metrics, rounds[-1].metrics
    weakest = first["test"]["worst_class"]
    before, after = first["test"]["classes"][weakest], last["test"]["classes"][weakest]
    out = [
        f"Mean test error {percent(first['test']['mean_error'])} after {first['produced']} samples, "
        f"{percent(last['test']['mean_error'])} after {last['produced']}."
    ]
    if len(rounds) > 1:
        out.append(
            f"The weakest class at first, {weakest}: {percent(before['error'])} "
            f"({percent(before['low'])} to {percent(before['high'])}), at last {percent(after['error'])} "
            f"({percent(after['low'])} to {percent(after['high'])})."
        )
        worst = last["test"]["worst_class"]
        if worst != weakest:
            out.append(f"The weakest now: {worst}, {percent(last['test']['classes'][worst]['error'])}.")
    return out


def _curves(rounds: Sequence[_Round], classes: Sequence[str]) -> list[str]:
    produced = [float(r.metrics["produced"]) for r in rounds]
    highest = max(c["high"] for r in rounds for c in r.metrics["test"]["classes"].values() if c["n"])
    top = max(0.1, np.ceil(highest * 10) / 10)
    out = []
    for name in classes:
        rates = [r.metrics["test"]["classes"][name] for r in rounds]
        errors, bands = [c["error"] for c in rates], [(c["low"], c["high"]) for c in rates]
        out.append(charts.error_curve(name, produced, errors, bands, top))
    return out


def _card(rounds: Sequence[_Round], i: int, task: Task) -> dict[str, Any]:
    """Return what the page says of one round."""
    this = rounds[i]
    return {
        "number": this.number,
        "metrics": this.metrics,
        "matrices": [
            (title, _matrix(this.metrics[name]["matrix"]))
            for name, title in (("test", "Held-out test"), ("validation", "Validation"))
            if this.metrics[name]["valid"]
        ],
        "next": _drawn(rounds[i + 1], this, task) if i + 1 < len(rounds) else None,
    }


def _matrix(counts: list[list[int]]) -> list[list[tuple[int, float]]]:
    """Return (count, share of its row) for every cell."""
    return [[(n, n / max(sum(row), 1)) for n in row] for row in counts]


def _drawn(after: _Round, before: _Round, task: Task) -> dict[str, Any]:
    """Say what was sampled for the next round, and what made the sampler do so."""
    trials = [Trial.from_dict(content) for content in after.plan["training"]]
    asked = Counter(str(trial.values[task.class_parameter]) for trial in trials)
    by_sampler = Counter(trial.sampler for trial in trials)
    reasons = []
    matrix = np.array(before.metrics["validation"]["matrix"], float)
    if matrix.sum():
        both = matrix + matrix.T
        np.fill_diagonal(both, 0.0)
        order = [np.unravel_index(k, both.shape) for k in np.argsort(-both, axis=None)]
        pairs = [(int(a), int(b)) for a, b in order if a < b and both[a, b] > 0][:3]
        reasons += [
            f"{task.classes[a]} and {task.classes[b]} were taken for each other {int(both[a, b])} times "
            f"in {int(matrix.sum())} validation samples"
            for a, b in pairs
        ]
    reasons += before.metrics.get("inspection", [])
    wrong = int(matrix.sum() - np.trace(matrix))
    weights = [trial.p0 / trial.q for trial in trials if trial.q > 0.0]
    return {
        "total": len(trials),
        "samplers": sorted(by_sampler.items(), key=lambda item: -item[1]),
        "asked": [(name, asked.get(name, 0), asked.get(name, 0) / len(trials)) for name in task.classes],
        "reasons": reasons,
        "wrong": wrong,
        "twins": sum(trial.parent is not None for trial in trials),
        "weights": (min(weights), max(weights)) if weights else None,
    }


def _picture(pool: Pool, key: str, width: int = THUMBNAIL_PX) -> str:
    image = Image.fromarray(pool.image(key))
    height = max(1, round(image.height * width / image.width))
    stream = io.BytesIO()
    image.resize((width, height), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=84)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def _worst(last: _Round, task: Task, pool: Pool) -> list[dict[str, Any]]:
    """Return the test samples that were wrong with the most conviction, no class more often than a third."""
    rows = sorted((row for row in last.rows("test") if row["predicted"]), key=lambda row: -float(row["loss"]))
    out: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()
    for row in rows:
        if row["predicted"] == row["label"] or seen[row["label"]] >= WORST // 3 or len(out) >= WORST:
            continue
        seen[row["label"]] += 1
        out.append(
            {
                "image": _picture(pool, Path(row["file"]).stem),
                "label": row["label"],
                "predicted": row["predicted"],
                "sure": float(row[f"p({row['predicted']})"]),
                "values": [(n, row[n]) for n in task.space.names if row[n] and n != task.class_parameter],
            }
        )
    return out


def _twins(rounds: Sequence[_Round], task: Task, pool: Pool) -> list[list[dict[str, str]]]:
    """Return pictures of pairs that differ in one parameter, from the last round that drew any."""
    for this in reversed(rounds):
        trials = {content["id"]: Trial.from_dict(content) for content in this.plan["training"]}
        pairs = [(trials[t.parent], t) for t in trials.values() if t.parent in trials]
        found = []
        for pair in pairs:
            entries = [pool.entry(pool.key(trial)) for trial in pair]
            if all(entry is not None and entry.valid for entry in entries):
                found.append([{"image": _picture(pool, e.key), "label": e.label} for e in entries if e])
        if found:
            return found[:TWINS]
    return []


def _inspection(out: Path, rounds: Sequence[_Round], task: Task, pool: Pool) -> str:
    """Return the section on the last network's inside; it is shown samples that it was not trained on."""
    from learning import inspection
    from learning.loop import network

    last = rounds[-1]
    net, classes, size = network.load(last.folder / "model.pt")
    known = [Trial.from_dict(content) for r in rounds for content in r.plan["training"]]
    known += [Trial.from_dict(content) for r in rounds[:-1] for content in r.plan["validation"]]
    test = json.loads((out / "test" / "plan.json").read_text(encoding="utf-8"))
    held_out = [sample for content in test if (sample := _sample(Trial.from_dict(content), pool))]
    training = [sample for trial in known if (sample := _sample(trial, pool))]
    findings = inspection.inspect(net, held_out, classes, training=training, input_px=size)
    return inspection.section(findings, out / "inspection")


def _sample(trial: Trial, pool: Pool) -> Sample | None:
    key = pool.key(trial)
    entry = pool.entry(key)
    if entry is None or not entry.valid:
        return None
    return Sample(trial, pool.image(key), entry.label, pool.mask(key), entry.valid)


def _short(value: Any) -> str:
    try:
        return f"{float(value):.3g}"
    except (TypeError, ValueError):
        return str(value)


def rate(content: dict[str, Any]) -> Rate:
    """Return the rate that a metrics file holds."""
    return Rate(round(content["error"] * content["n"]), content["n"])

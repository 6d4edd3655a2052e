import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shapes_task import CLASSES, Shapes, draw

from foundation.errors import InputError, RealityError
from learning.loop import config, files, jobs, network
from learning.loop.files import StoreError
from learning.loop.improve import Loop
from learning.loop.pool import Pool
from learning.loop.records import read_rows

RUN_TRAINER = jobs.run_trainer  # as it is before conftest.py puts another in its place

CONFIG = config.parse(
    """
task: shapes_task:Shapes
rounds: 2
samples: {first: 60, each: 30, validation: 40}
sampler: {uniform: 1, confusion: 1, importance: 1, paired: 1}
network: {input_px: [32, 24], width: 4}
training: {steps: 25, batch: 16, augmentation: {shift_px: 1}}
evaluation: {samples: 80, seed: 5}
"""
)
# What a run promises to be the same: everything but the report, whose pictures depend on the JPEG library.
SAME = ("*.csv", "plan.json", "metrics.json", "sampler.json", "model.pt")


def files_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def digests(out):
    paths = sorted(p for pattern in SAME for folder in ("test", "round_*") for p in out.glob(f"{folder}/{pattern}"))
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing happened to."""
    out = tmp_path_factory.mktemp("whole") / "run"
    task = Shapes()
    outcome = Loop(CONFIG, task, out).run(inspect=False)
    return out, task, outcome


def knowing_networks(whole, run):
    """Return an empty run's pool that knows the whole run's networks: the tests that use it are not about training."""
    shutil.copytree(whole[0] / "pool" / "networks", run / "pool" / "networks")
    return run


def test_a_run_leaves_standard_files_and_counts_right(whole):
    out, _, outcome = whole
    assert [r["round"] for r in outcome.rounds] == [0, 1]
    assert [r["produced"] for r in outcome.rounds] == [60, 60 + 40 + 30]
    rows = read_rows(out / "round_01" / "test.csv")
    assert len(rows) == 80
    matrix = np.zeros((4, 4), int)
    for row in rows:
        picture = Image.open(out / "pool" / row["file"])
        assert picture.size == (32, 24)
        assert picture.text["label"] == row["label"]
        assert 2.0 <= float(row["radius"]) <= 9.0
        if row["valid"] == "1":
            matrix[CLASSES.index(row["label"]), CLASSES.index(row["predicted"])] += 1
            assert sum(float(row[f"p({name})"]) for name in CLASSES) == pytest.approx(1.0)
        else:
            assert row["predicted"] == ""
    assert outcome.rounds[1]["test"]["matrix"] == matrix.tolist()
    training = read_rows(out / "round_01" / "training.csv")
    assert len(training) == 30
    assert {row["sampler"] for row in training} >= {"confusion", "importance", "paired", "uniform"}
    assert all(float(row["q"]) > 0.0 and float(row["p0"]) > 0.0 for row in training)


def test_new_samples_steer_by_the_verdict_of_the_network_before(whole, tmp_path):
    """With judge_new valid samples of round 1 carry the verdict of round 0's network, and the sampler knows it."""
    run = knowing_networks(whole, tmp_path / "run")
    steered = CONFIG.sampler.model_copy(update={"judge_new": True, "importance_model": "logistic"})
    Loop(CONFIG.model_copy(update={"sampler": steered}), Shapes(), run).run(report=False)
    rows = read_rows(run / "round_01" / "training.csv")
    assert all((row["predicted"] != "") == (row["valid"] == "1") for row in rows)
    net, _, size = network.load(run / "round_00" / "model.pt")
    first = next(row for row in rows if row["valid"] == "1")
    picture = np.asarray(Image.open(run / "pool" / first["file"]).resize(size)).copy()[None]
    assert network.probabilities(net, picture)[0, 0] == pytest.approx(float(first[f"p({CLASSES[0]})"]), abs=1e-6)
    state = files_json(run / "round_01" / "sampler.json")
    importance = next(p for p, _ in state["options"]["parts"] if p["sampler"] == "importance")
    judged = [row for row in importance["memory"]["records"] if row[4]["predicted"] is not None]
    validation = read_rows(run / "round_00" / "validation.csv") + read_rows(run / "round_01" / "validation.csv")
    assert len(judged) == sum(row["predicted"] != "" for row in rows + validation)
    assert all(row["predicted"] == "" for row in read_rows(run / "round_00" / "training.csv"))


def test_no_sample_of_one_set_is_in_another(whole):
    out, _, _ = whole
    sets = {p: {row["file"] for row in read_rows(p)} for p in out.glob("round_*/training.csv")}
    sets |= {p: {row["file"] for row in read_rows(p)} for p in out.glob("round_*/validation.csv")}
    sets[out / "test"] = {row["file"] for row in read_rows(out / "round_00" / "test.csv")}
    assert len(sets) == 5
    assert sum(map(len, sets.values())) == len(set.union(*sets.values()))


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(whole, tmp_path):
    out, _, _ = whole
    again = Loop(CONFIG, Shapes(), tmp_path / "again")
    again.run(report=False)
    assert digests(tmp_path / "again") == digests(out)
    few = CONFIG.training.model_copy(update={"steps": 2})
    other = CONFIG.model_copy(update={"seed": 1, "rounds": 1, "training": few})
    Loop(other, Shapes(), tmp_path / "other").run(report=False)
    assert digests(tmp_path / "other")["round_00/model.pt"] != digests(out)["round_00/model.pt"]
    # The held-out set has a seed of its own: every run is judged by the same pictures.
    assert digests(tmp_path / "other")["test/plan.json"] == digests(out)["test/plan.json"]


def test_nothing_is_produced_twice(whole, tmp_path):
    out, task, _ = whole
    assert task.opened == 1
    again = Shapes()
    Loop(CONFIG, again, tmp_path / "again", pool=out / "pool").run(report=False)
    assert again.opened == 0


def test_a_dead_engine_costs_one_line_and_nothing_else(whole, tmp_path):
    out, _, _ = whole
    run = knowing_networks(whole, tmp_path / "run")
    task = Shapes()
    for die_after in (50, 45, 33, 21):
        task.die_after = die_after
        with pytest.raises(RealityError, match="the engine died"):
            Loop(CONFIG, task, run, resume=True).run(report=False)
    # What was produced before each death is there, and is never produced again.
    assert len([p for p in run.glob("pool/??/*.png") if "mask" not in p.name]) == 80 + 45 + 33 + 21
    task.die_after = None
    Loop(CONFIG, task, run, resume=True).run(report=False)
    assert digests(run) == digests(out)


def test_a_full_disk_costs_one_line_and_nothing_else(whole, tmp_path, monkeypatch):
    out, _, _ = whole
    run = knowing_networks(whole, tmp_path / "run")
    replace, left = os.replace, iter([130, 55, 3, 1, 40, 2])

    def full_after(count):
        def wrapped(source, target):
            nonlocal count
            count -= 1
            if count < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            replace(source, target)

        return wrapped

    for count in left:
        monkeypatch.setattr(files.os, "replace", full_after(count))
        with pytest.raises(StoreError, match=r"No space left on device; .*--resume") as caught:
            Loop(CONFIG, Shapes(), run, resume=True).run(report=False)
        assert "\n" not in str(caught.value)
    monkeypatch.setattr(files.os, "replace", replace)
    assert not list(run.rglob(".*.png.*"))
    Loop(CONFIG, Shapes(), run, resume=True).run(report=False)
    assert digests(run) == digests(out)


def test_a_run_is_not_overwritten_nor_continued_with_another_config(whole):
    out, _, _ = whole
    with pytest.raises(InputError, match="--resume continues it"):
        Loop(CONFIG, Shapes(), out)
    other = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update={"steps": 26})})
    with pytest.raises(InputError, match=r"training\.steps changed"):
        Loop(other, Shapes(), out, resume=True)


def test_more_rounds_continue_a_run(whole, tmp_path):
    out, _, _ = whole
    run = knowing_networks(whole, tmp_path / "run")
    one = CONFIG.model_copy(update={"rounds": 1})
    Loop(one, Shapes(), run).run(report=False)
    Loop(CONFIG, Shapes(), run, resume=True).run(report=False)
    assert digests(run) == digests(out)


def test_two_processes_do_not_work_on_one_run(whole, tmp_path):
    first, second = (Loop(CONFIG, Shapes(), tmp_path / "run", resume=True) for _ in range(2))
    from learning.loop.improve import _alone

    with _alone(first.out), pytest.raises(RealityError, match="another process"):
        second.run(report=False)


def test_a_damaged_picture_is_produced_again(tmp_path):
    task = Shapes()
    from learning.loop.steering import nominal_trials

    trials = nominal_trials(task.space, 3, 0, "t")
    with task.open(1, 0) as producer:
        Pool(tmp_path, task, 0).ensure(trials, lambda: producer)
    pool = Pool(tmp_path, task, 0)
    path = next(tmp_path.glob(f"*/{pool.key(trials[1])}.png"))
    path.write_bytes(path.read_bytes()[:200])
    made = []

    class Counting:
        def produce(self, missing):
            made.extend(missing)
            return map(draw, missing)

    pool.ensure(trials, Counting)
    assert made == [trials[1]]
    assert np.array_equal(pool.image(pool.key(trials[1])), draw(trials[1]).image)
    assert np.array_equal(pool.mask(pool.key(trials[1])), draw(trials[1]).mask)
    assert pool.key(trials[0]) != Pool(tmp_path, task, 1).key(trials[0])


def command(*arguments, **environment):
    here = Path(__file__).parent
    return subprocess.Popen(
        [sys.executable, "-m", "bridge.cli", "improve", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{here.parents[2]}{os.pathsep}{here}"} | environment,
    )


def test_the_command_says_what_is_wrong_with_a_config(tmp_path):
    path = tmp_path / "loop.yaml"
    path.write_text("task: shapes_task:Shapes\nround: 2\n")
    with command(path, "--out", tmp_path / "run") as process:
        _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert error.strip() == f"reality: {path}:2: <round>: unknown key 'round' (did you mean 'rounds'?)"
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_killed_trainer_costs_one_line_and_the_command_goes_on(whole, tmp_path):
    out, _, _ = whole
    run, path = tmp_path / "run", tmp_path / "loop.yaml"
    path.write_text(
        "task: shapes_task:Shapes\nrounds: 2\nsamples: {first: 60, each: 30, validation: 40}\n"
        "sampler: {uniform: 1, confusion: 1, importance: 1, paired: 1}\nnetwork: {input_px: [32, 24], width: 4}\n"
        "training: {steps: 25, batch: 16, augmentation: {shift_px: 1}}\nevaluation: {samples: 80, seed: 5}\n"
    )
    with command(path, "--out", run) as process:
        trainer = _child(process.pid, "learning.loop.trainer", 60)
        os.kill(trainer, signal.SIGKILL)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert re.fullmatch(r"reality: \S+round_00: the trainer was killed \(SIGKILL\); .*--resume\n", error)
    # Now the command itself is killed; its trainer must not live on.
    with command(path, "--out", run, "--resume") as process:
        trainer = _child(process.pid, "learning.loop.trainer", 60)
        process.kill()
        process.communicate(timeout=60)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{trainer}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{trainer}").exists()
    with command(path, "--out", run, "--resume", "--no-inspect") as process:
        said, error = process.communicate(timeout=100)
    assert process.returncode == 0, error
    assert digests(run) == digests(out)
    assert "report.html" in said


def _child(parent, part, deadline_s):
    """Return the process id of a child whose command line contains ``part``."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            for child in task.read_text().split():
                if part in Path(f"/proc/{child}/cmdline").read_text():
                    return int(child)
        time.sleep(0.01)
    raise AssertionError("the trainer was not started")


@pytest.mark.slow
def test_a_failing_trainer_says_why(tmp_path):
    (tmp_path / "job.json").write_text("{}")
    with pytest.raises(RealityError, match="the trainer failed: KeyError: 'network'"):
        RUN_TRAINER(tmp_path)

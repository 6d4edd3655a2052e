"""The inspection inside the loop: a share of the samples follows it, the page says so, and a run can be continued."""

from __future__ import annotations

import json
import shutil

import pytest

from examples.crack.crack import TASK
from learning.inspection import Findings
from learning.inspection.measure import Budget, Comparison, interval, table
from learning.loop import config
from learning.loop.improve import Loop

CONFIG = config.parse(
    """
task: examples.crack.crack:TASK
rounds: 2
samples: {first: 40, each: 20, validation: 30}
sampler: {uniform: 1, confusion: 0, importance: 0, paired: 0, inspection: 3}
network: {input_px: [32, 32], width: 4}
training: {steps: 12, batch: 16}
evaluation: {samples: 30, seed: 5}
"""
)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_steered_by_the_inspection(tmp_path):
    outcome = Loop(CONFIG, TASK, tmp_path / "run").run()
    plan = json.loads((tmp_path / "run" / "round_01" / "plan.json").read_text())
    chosen = [trial for trial in plan["training"] if trial["sampler"] == "inspection"]
    assert len(chosen) == 15
    assert any(trial["q"] != pytest.approx(trial["p0"]) for trial in chosen)  # findings decided something
    words = outcome.rounds[0]["inspection"]
    assert words
    assert outcome.report is not None
    page = outcome.report.read_text()
    assert "What the network looks at" in page
    assert "network" in words[-1]
    assert Findings.load(tmp_path / "run" / "round_00" / "inspection").samples > 0
    # A run that was killed in its last round goes on to the same plan and the same network.
    before = (tmp_path / "run" / "round_01" / "sampler.json").read_bytes()
    shutil.rmtree(tmp_path / "run" / "round_01")
    Loop(CONFIG, TASK, tmp_path / "run", resume=True).run(report=False)
    assert json.loads((tmp_path / "run" / "round_01" / "plan.json").read_text()) == plan
    assert (tmp_path / "run" / "round_01" / "sampler.json").read_bytes() == before


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_comparison_gives_every_arm_the_same(tmp_path):
    budget = Budget(first=40, validation=20, each=16, test=40)
    comparison = Comparison(TASK, CONFIG, budget, tmp_path, biased="background")
    results = comparison.run([3], ["nominal", "context"])
    for run in results["runs"]:
        folder = tmp_path / f"seed_{run['seed']:02d}"
        jobs = {name: json.loads((folder / name / "job.json").read_text()) for name in ("first", *results["arms"])}
        settings = [{k: v for k, v in job.items() if k != "samples"} for job in jobs.values()]
        assert all(one == settings[0] for one in settings)  # network, training and its seed
        shared = set.intersection(*(set(jobs[arm]["samples"]) for arm in results["arms"]))
        assert set(jobs["first"]["samples"]) <= shared
        for arm in results["arms"]:
            assert len(jobs[arm]["samples"]) - len(shared) == run["arms"][arm]["valid"] <= 16
    assert json.loads((tmp_path / "results.json").read_text()) == json.loads(json.dumps(results))
    trials = [comparison._bias(t, 0) for t in comparison._sampler("nominal", 3).suggest(300)]
    classes, places = TASK.classes, TASK.space.cells("background").cell_values()
    together = [t.values["background"] == places[classes.index(t.values["defect"]) % 4] for t in trials]
    assert 0.87 < sum(together) / 300 < 0.97  # 0.9, and a few of the rest by chance


def test_the_table_pairs_by_seed():
    def run(*errors: float) -> dict:
        return {"arms": {name: {"errors": [e, e + 0.1]} for name, e in zip(("nominal", "coverage"), errors)}}

    results = {"arms": ["nominal", "coverage"], "runs": [run(0.1, 0.05), run(0.3, 0.24), run(0.2, 0.16)]}
    last = table(results).splitlines()[-1]
    # Differences -5, -6, -4 points: mean -5, standard error 1/sqrt(3), t(2) = 4.303.
    assert last.startswith("| coverage | 20.0 % | -5.0 (-7.5 to -2.5) | 25.0 % | -5.0 (-7.5 to -2.5) |")
    assert interval([1.0, 3.0])[1] < 0 < interval([1.0, 3.0])[2]
    assert interval([1.0])[1:] == (float("-inf"), float("inf"))

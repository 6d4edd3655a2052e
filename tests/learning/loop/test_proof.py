import json

import numpy as np
import pytest
from scipy import stats
from shapes_task import CLASSES, Shapes

from learning import proof
from learning.loop import config
from learning.loop.records import read_rows

CONFIG = config.parse(
    """
task: shapes_task:Shapes
rounds: 2
samples: {first: 50, each: 30, validation: 20}
sampler: {confusion: 1, importance: 1, paired: 1}
network: {input_px: [32, 24], width: 4}
training: {steps: 10, batch: 16, augmentation: {shift_px: 1}}
evaluation: {samples: 60, seed: 5}
"""
)


def test_the_verdict_by_hand():
    plain = np.array([[0.4, 0.1], [0.6, 0.1]])
    adaptive = np.array([[0.3, 0.1], [0.3, 0.1]])
    verdict = proof.compare({"plain": plain, "adaptive": adaptive}, ("a", "b"))
    assert verdict.weakest == "a"
    assert verdict.weakest_class.fall == pytest.approx(1 - 0.3 / 0.5)
    assert verdict.mean.plain.tolist() == pytest.approx([0.25, 0.35])
    assert verdict.holds
    swapped = proof.compare({"plain": plain, "adaptive": adaptive[:, ::-1]}, ("a", "b"))
    assert swapped.weakest_class.fall == pytest.approx(1 - 0.1 / 0.5)
    # The other class has become as bad as the weakest was not allowed to stay.
    assert swapped.worst_of_each.fall == pytest.approx(1 - 0.3 / 0.5)
    assert not proof.compare({"plain": plain, "adaptive": plain * 0.8}, ("a", "b")).holds
    risen = np.array([[0.3, 0.31], [0.3, 0.31]])  # the weakest class fell, the mean rose
    assert not proof.compare({"plain": plain, "adaptive": risen}, ("a", "b")).holds


def test_intervals_are_students_on_pairs():
    comparison = proof.Comparison(np.array([0.4, 0.5, 0.45, 0.6]), np.array([0.3, 0.35, 0.35, 0.4]))
    theirs = stats.ttest_rel(comparison.adaptive, comparison.plain).confidence_interval(0.95)
    assert comparison.difference_interval() == pytest.approx((theirs.low, theirs.high))
    logs = stats.ttest_1samp(np.log(comparison.adaptive / comparison.plain), 0.0).confidence_interval(0.95)
    assert comparison.fall_interval() == pytest.approx((1 - np.exp(logs.high), 1 - np.exp(logs.low)))


def test_a_class_without_errors_has_no_relative_fall():
    plain = np.array([[0.4, 0.0], [0.6, 0.0]])
    verdict = proof.compare({"plain": plain, "adaptive": plain / 2}, ("a", "easy"))
    figures = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    assert figures["classes"]["easy"]["fall"] is None
    content = {"seeds": [1, 2], "rounds": {"plain_1": [{"produced": 50}]}}
    assert "| easy | 0.0 % | 0.0 % | | |" in proof.table(verdict, content)


@pytest.mark.slow
def test_a_tiny_proof_is_fair_and_reports_what_is_in_the_files(tmp_path):
    task = Shapes()
    verdict = proof.prove(CONFIG, task, tmp_path, seeds=(1, 2), workers=1, trainers=2)
    content = json.loads((tmp_path / "proof.json").read_text())
    assert task.opened == 1
    for seed in (1, 2):
        arms = {arm: tmp_path / f"{arm}_{seed}" for arm in proof.ARMS}
        produced = {a: content["rounds"][f"{a}_{seed}"] for a in proof.ARMS}
        assert [r["produced"] for r in produced["plain"]] == [r["produced"] for r in produced["adaptive"]] == [50, 100]
        # The same first round and the same held-out pictures; different samples afterwards.
        for name in ("round_00/training.csv", "round_00/model.pt", "round_00/test.csv"):
            assert (arms["plain"] / name).read_bytes() == (arms["adaptive"] / name).read_bytes()
        files = {a: {r["file"] for r in read_rows(p / "round_01" / "training.csv")} for a, p in arms.items()}
        assert not files["plain"] & files["adaptive"]
        assert {r["sampler"] for r in read_rows(arms["plain"] / "round_01" / "training.csv")} == {"nominal"}
        for number, arm in enumerate(proof.ARMS):
            rows = [r for r in read_rows(arms[arm] / "round_01" / "test.csv") if r["predicted"]]
            for name in CLASSES:
                own = [r["predicted"] != name for r in rows if r["label"] == name]
                assert content["classes"][name][arm][seed - 1] == pytest.approx(np.mean(own)), number
    assert content["holds"] == verdict.holds
    text = (tmp_path / "proof.md").read_text()
    assert f"weakest class ({verdict.weakest})" in text
    assert ("The claim holds" in text) == verdict.holds
    # What is finished is not done again.
    again = Shapes()
    assert proof.prove(CONFIG, again, tmp_path, seeds=(1, 2), workers=1, trainers=2).to_dict() == verdict.to_dict()
    assert again.opened == 0

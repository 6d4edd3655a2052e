"""The training script end to end, tiny: killed in the middle, resumed, compared."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("stable_baselines3")

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_killed_training_goes_on_and_is_compared(tmp_path):
    out = tmp_path / "ppo"
    arguments = ["--steps", "256", "--envs", "1", "--rollout", "64", "--episodes", "1"]
    arguments += ["--drivers", "untrained,trained"]
    command = [sys.executable, "-m", "learning.ppo", "--out", str(out), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.split()[0] == "128":
                os.kill(process.pid, signal.SIGKILL)
                break
    assert (out / "checkpoint.zip").is_file()
    assert not (out / "model.zip").exists()
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert refused.returncode == 2
    assert refused.stderr.strip().endswith("choose another --out")
    assert len(refused.stderr.strip().splitlines()) == 1
    done = subprocess.run([*command, "--resume"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    with (out / "curve.csv").open(newline="") as file:
        points = [(int(row["steps"]), float(row["wall_s"])) for row in csv.DictReader(file)]
    assert [steps for steps, _ in points] == [64, 128, 192, 256]
    assert points == sorted(points)
    table = (out / "table.md").read_text()
    assert "| untrained |" in table
    assert "| trained |" in table
    for name in ("curve.png", "model.zip", "untrained.zip", "evaluation/trained/episodes.csv"):
        assert (out / name).is_file()

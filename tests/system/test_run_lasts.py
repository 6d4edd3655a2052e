"""A run that is killed loses nothing; one that costs too much is told; an ego plug-in that fails ends its unit only."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tools.kill_run import Killer, differences, run_command

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "tests" / "data" / "broken" / "valid.xosc"
EGOS = """
import time
import carla


class Straight:
    def __init__(self, throttle="0.5"):
        self.throttle = float(throttle)

    def setup(self, context):
        assert context.step_s == 0.05 and context.vehicle.type_id.startswith("vehicle.")

    def run_step(self, seen):
        assert seen.ego.name == "Ego" and len(seen.path) > 10 and seen.frame is None
        return carla.VehicleControl(throttle=self.throttle)


class Raises(Straight):
    def run_step(self, seen):
        if seen.time_s > 0.2:
            raise ZeroDivisionError("my mistake")
        return carla.VehicleControl()


class Ticks:
    def setup(self, context): self.world = context.world
    def run_step(self, seen):
        self.world.tick()
        return carla.VehicleControl()

class Nan(Straight):
    def run_step(self, seen):
        return carla.VehicleControl(steer=float("nan"))


class Hangs(Straight):
    def run_step(self, seen):
        time.sleep(100.0)
"""


def reality(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bridge.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240.0, check=False)


def result(out: Path, unit: str = "valid-000") -> dict:
    return json.loads((out / "scenarios" / unit / "result.json").read_text())


@pytest.mark.slow
def test_killed_again_and_again_a_run_ends_with_the_same_bytes(tmp_path):
    units, workers, kills = 5, 2, 3
    command, alone = (run_command(units, count, 1.0) for count in (workers, 1))
    calm, disturbed = tmp_path / "calm", tmp_path / "disturbed"
    assert subprocess.run([*alone, "--out", str(calm)], cwd=ROOT, capture_output=True, check=False).returncode == 0
    killer = Killer(command, disturbed, units, workers, seed=3)
    assert killer.torture(kills) == 0
    assert len(killer.log) == kills, "it was over before it was killed"
    assert len(killer.finished()) == units
    assert differences(calm, disturbed) == []
    assert differences(calm, calm) == []
    with (disturbed / "timings.csv").open() as file:
        done = [row["unit"] for row in csv.DictReader(file) if row["outcome"] == "done"]
    assert set(done) == set(killer.seen)


@pytest.mark.slow
@pytest.mark.parametrize(("option", "value"), [("--unit-timeout", 0.5), ("--unit-memory", 40)])
def test_a_unit_that_costs_too_much_is_inconclusive_and_leaves_nothing(tmp_path, option, value):
    before = {p.pid for p in psutil.Process().children(recursive=True)}
    done = reality("run", SCENARIO, "--rig", "none", "--out", tmp_path / "out", option, value)
    assert done.returncode == 0, done.stderr
    found = result(tmp_path / "out")
    assert found["verdict"] == "inconclusive"
    assert option in found["reasons"][0]
    assert sorted(p.name for p in (tmp_path / "out" / "scenarios" / "valid-000").iterdir()) == ["result.json"]
    assert not (tmp_path / "out" / ".scratch").exists()
    assert {p.pid for p in psutil.Process().children(recursive=True)} <= before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ego", "words"),
    [
        ("my_egos:Straight?throttle=0.8", None),
        ("my_egos:Raises", "raised ZeroDivisionError: my mistake"),
        ("my_egos:Nan", "returned steer=nan"),
        ("my_egos:Ticks", "ticked the world; only the runner may"),
        ("my_egos:Hangs", "run_step() at 0.00 s did not return within 1 s"),
    ],
)
def test_an_ego_plug_in_drives_or_ends_its_unit_with_one_line(tmp_path, ego, words):
    (tmp_path / "my_egos.py").write_text(EGOS)
    out = tmp_path / "out"
    options = ("--rig", "none", "--max-time", 1.0, "--ego", ego, "--ego-deadline", 1.0)
    done = reality("run", SCENARIO, *options, "--out", out, cwd=tmp_path)
    found = result(out)
    assert "Traceback" not in done.stderr
    if words is None:
        assert done.returncode == 0, done.stderr
        assert found["verdict"] == "inconclusive"
        assert found["metrics"]["max_speed_kmh"] > 37.0, "it accelerated, the scenario would not have"
    else:
        assert done.returncode == 1
        assert found["verdict"] == "error"
        assert words in found["reasons"][0]
        assert len(found["reasons"]) == 1


def test_an_ego_plug_in_that_is_not_there_is_one_line_before_anything_starts(tmp_path):
    for ego in ("no_such_module:Ego", "notaname", "os:"):
        done = reality("run", SCENARIO, "--rig", "none", "--ego", ego, "--out", tmp_path / "out")
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "out").exists()


def test_ctrl_c_is_one_line_and_what_to_do(tmp_path):
    command = [
        sys.executable,
        "-m",
        "bridge.cli",
        "run",
        "child_runs_out",
        "--rig",
        "none",
        "--out",
        str(tmp_path / "x"),
    ]
    run = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        # Whoever runs the tests in the background of a shell ignores Ctrl-C, and so would the child.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    until = time.monotonic() + 100.0
    while not (tmp_path / "x" / "run.json").exists() and time.monotonic() < until:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=100.0)
    assert run.returncode == 130
    assert said.strip().splitlines()[-1].startswith("reality: interrupted; what a run has finished is kept")
    assert "Traceback" not in said

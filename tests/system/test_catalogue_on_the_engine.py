"""Scenarios of the catalogue on the real engine: who is hit, who gets away, and that a blow is never overlooked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.catalogue import SCENARIOS

ROOT = Path(__file__).parents[2]
STAND_BEFORE_IT = ("child_runs_out", "cbnao", "dooring", "red_light_runner", "bend_cut_corner")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    out = tmp_path_factory.mktemp("catalogue") / "out"
    files = [str(SCENARIOS[name].scenario) for name in (*STAND_BEFORE_IT, "ccfhos")]
    command = [sys.executable, "-m", "bridge.cli", "run", *files, "--rig", "none", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240.0, check=False)
    assert done.returncode == 0, done.stderr
    read = (json.loads(path.read_text()) for path in sorted((out / "scenarios").glob("*/result.json")))
    return {result["unit"]["scenario"].rsplit("/", 1)[-1].removesuffix(".xosc"): result for result in read}


@pytest.mark.slow
@pytest.mark.parametrize("name", STAND_BEFORE_IT)
def test_an_ego_that_brakes_gets_away(results, name):
    assert results[name]["verdict"] == "pass", results[name]["reasons"]
    assert results[name]["metrics"]["max_deceleration_mps2"] > 7.0, "it had to brake hard"
    assert results[name]["metrics"]["collisions"] == 0


@pytest.mark.slow
def test_an_ego_that_stands_is_run_into_and_that_is_a_collision(results):
    """The other keeps its path: boxes never overlap at the end of a step, because the ego is thrown off within it."""
    found = results["ccfhos"]
    assert found["verdict"] == "fail"
    assert found["metrics"]["collisions"] == 1
    assert found["metrics"]["impact_speed_kmh"] == pytest.approx(50.0, abs=3.0)
    assert found["metrics"]["impact_face"] == "front"

"""``reality run`` as a user runs it: real processes, the embedded engine, the genuine client."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import psutil
import pytest
from lxml import etree

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "tests" / "data" / "broken" / "valid.xosc"
OURS = {"REALITY_TEST": str(uuid.uuid4())}
"""In the environment of everything that these tests start: other tests run beside them."""
RIG = """name: small
sensors:
  - {name: front, type: camera, anchor: front, pose: {x: 0.05, z: 1.5}, width: 160, height: 120,
     outputs: [rgb, depth, semantic, instance]}
  - {name: lidar, type: lidar, anchor: roof, pose: {z: 0.5},
     attributes: {channels: 8, points_per_second: 40000, rotation_frequency: 20, range: 50}}
  - {name: radar, type: radar, anchor: front, pose: {x: 0.05, z: 0.7}}
  - {name: imu, type: imu}
  - {name: gnss, type: gnss}
"""


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    path = tmp_path_factory.mktemp("rig") / "small.yaml"
    path.write_text(RIG)
    return path


def reality(*arguments: object, timeout_s: float = 240.0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bridge.cli", *map(str, arguments)]
    env = {**os.environ, **OURS}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False, env=env)


def checksums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def engines() -> set[int]:
    """The engines that these tests started, orphans too."""
    found = set()
    for process in psutil.process_iter(["pid", "cmdline"]):
        command = process.info["cmdline"] or []
        if "engine" in command and "--exit-with-stdin" in command and "-m" in command:
            with contextlib.suppress(psutil.Error):
                if process.environ().items() >= OURS.items():
                    found.add(process.info["pid"])
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory, rig):
    out = tmp_path_factory.mktemp("run") / "out"
    done = reality("run", SCENARIO, "--out", out, "--rig", rig, "--seed", 5, "--max-time", 1.0)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.slow
def test_a_run_leaves_labelled_frames_a_report_and_junit(finished):
    unit = finished / "scenarios" / "valid-000"
    result = json.loads((unit / "result.json").read_text())
    assert result["verdict"] == "inconclusive"  # stopped after 1 s, its own stop trigger comes at 3 s
    assert result["frames"] == 20
    manifest = json.loads((unit / "data" / "manifest.json").read_text())
    assert manifest["frames"] == 20
    assert manifest["seed"] == result["unit"]["seed"]
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((unit / "data" / name).read_bytes()).hexdigest() == digest, name
    records = [json.loads(line) for line in (unit / "data" / "labels.jsonl").read_text().splitlines()]
    assert [record["index"] for record in records] == list(range(20))
    assert set(records[0]["sensors"]) == {"front", "lidar", "radar", "imu", "gnss"}
    # The scenario's car drives 10 m/s along the straight first part of its road.
    assert records[-1]["ego"]["speed"] == pytest.approx(10.0, abs=0.05)
    page = (finished / "report.html").read_text()
    assert "valid-000" in page
    assert "http" not in page.replace("http://www.w3.org", ""), "the page must need no network"
    assert etree.parse(str(finished / "junit.xml")).getroot().get("tests") == "1"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(finished, tmp_path, rig):
    again = reality("run", SCENARIO, "--out", tmp_path / "out", "--rig", rig, "--seed", 5, "--max-time", 1.0)
    assert again.returncode == 0, again.stderr
    assert checksums(tmp_path / "out" / "scenarios") == checksums(finished / "scenarios")


@pytest.mark.slow
def test_a_finished_run_is_not_overwritten_but_resumed(finished, rig):
    arguments = ("run", SCENARIO, "--out", finished, "--rig", rig, "--seed", 5, "--max-time", 1.0)
    before = checksums(finished / "scenarios")
    folder = (finished / "scenarios" / "valid-000").stat()
    for again in (arguments, (*arguments, "--resume"), ("run", "--resume", finished)):
        assert reality(*again).returncode == 0
        assert checksums(finished / "scenarios") == before
        assert (finished / "scenarios" / "valid-000").stat().st_ino == folder.st_ino, "run again, not kept"
    other = reality("run", SCENARIO, "--out", finished, "--rig", rig, "--seed", 6, "--max-time", 1.0)
    assert other.returncode == 2
    assert "another run" in other.stderr
    assert "seeds" in other.stderr
    assert "Traceback" not in other.stderr


@pytest.mark.slow
def test_a_killed_server_costs_its_scenario_and_leaves_nothing_behind(tmp_path, rig):
    for name in ("first", "second"):
        (tmp_path / f"{name}.xosc").write_text(
            SCENARIO.read_text().replace("street.xodr", str(SCENARIO.parent / "street.xodr"))
        )
    before = engines()
    killed: list[int] = []

    def kill_the_first() -> None:
        deadline = time.monotonic() + 100.0
        while time.monotonic() < deadline:
            data = tmp_path / "out" / ".scratch"
            if list(data.glob("first-000.*/.data.partial-*/front/rgb/*.png")):
                for pid in engines() - before:
                    killed.append(pid)
                    psutil.Process(pid).kill()
                return
            time.sleep(0.02)

    thread = threading.Thread(target=kill_the_first)
    thread.start()
    command = ("run", tmp_path / "first.xosc", tmp_path / "second.xosc", "--out", tmp_path / "out", "--rig", rig)
    done = reality(*command, "--retries", 0)
    thread.join()
    assert killed, "the test found no server to kill"
    assert done.returncode == 1, done.stderr
    first = json.loads((tmp_path / "out" / "scenarios" / "first-000" / "result.json").read_text())
    second = json.loads((tmp_path / "out" / "scenarios" / "second-000" / "result.json").read_text())
    assert first["verdict"] == "error"
    assert first["reasons"]
    assert second["verdict"] == "pass"
    assert second["end"] == "stop trigger"
    assert not (tmp_path / "out" / "scenarios" / "first-000" / "data").exists(), "no half-written data"
    assert engines() <= before


def test_unusable_input_is_one_line_before_anything_starts(tmp_path):
    broken = SCENARIO.parent / "xosc_06_unknown_action.xosc"
    done = reality("run", broken, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "xosc_06_unknown_action.xosc:40" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_unknown_target_names_what_there_is(tmp_path):
    done = reality("run", "no_such_scenario", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "child_runs_out" in done.stderr

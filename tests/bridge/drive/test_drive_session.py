"""The real program, driven by a script on the embedded engine: it is seen to work from its files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import carla
import numpy as np
import pytest
from PIL import Image

from bridge import simulators

ROOT = Path(__file__).resolve().parents[3]
DEADLINE_S = 400.0
"""Some ten seconds on a quiet machine; it is for machines that do ten other things."""

RIG = """
name: tiny
sensors:
  - {name: front, type: camera, outputs: [rgb, depth, semantic, instance], anchor: front, pose: {x: 0.05, z: 1.5},
     width: 160, height: 120}
"""

TOUR = """
0.0  hold w 2.0
0.2  press B
0.2  press I
0.5  press R
0.5  press V
1.0  screenshot chase.png
1.0  press R
1.1  press V
1.2  press 3
1.4  screenshot classes.png
1.5  press 5
1.7  screenshot lidar.png
1.8  press 1
1.8  press TAB
2.0  screenshot hood.png
2.0  press T
2.0  press P
2.2  resize 640 480
2.4  screenshot small.png
2.5  press F7
2.6  screenshot pause.png
2.8  screenshot pause_later.png
2.9  press F7
3.0  press BACKSPACE
3.3  screenshot next.png
3.4  axis 5 1.0
3.9  screenshot pad.png
4.0  press shift+J
4.0  press shift+K
4.2  quit
"""


def command(*arguments: str) -> list[str]:
    code = "import sys; from bridge.cli import main; sys.argv[0] = 'reality'; main()"
    return [sys.executable, "-c", code, "drive", "--headless", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S)


def script(folder: Path, text: str) -> str:
    path = folder / "script.txt"
    path.write_text(text)
    return str(path)


def picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def state_of(world: carla.World) -> tuple[bool, float | None, float, list[str]]:
    settings, weather = world.get_settings(), world.get_weather()
    others = sorted(a.type_id for a in world.get_actors() if a.type_id.startswith(("vehicle", "walker", "sensor")))
    return settings.synchronous_mode, settings.fixed_delta_seconds, weather.cloudiness, others


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_tour_of_everything_on_a_server_that_is_left_as_it_was(tmp_path):
    rig = tmp_path / "rig.yaml"
    rig.write_text(RIG)
    out = tmp_path / "out"
    with simulators.start("embedded", arguments=("--map", "RealityTown")) as server:
        world = server.connect().get_world()
        weather = world.get_weather()
        weather.cloudiness = 33.0
        world.set_weather(weather)
        before = state_of(world)
        done = run(
            "--simulator", f"127.0.0.1:{server.port}", "--script", script(tmp_path, TOUR), "--out", str(out),
            "--rig", str(rig), "--size", "800x600", "--quality", "0.4", "--cars", "4", "--people", "4", "--fps", "10",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        world.wait_for_tick(10.0)
        assert state_of(world) == before
    assert before[0] is False
    assert "film of" in done.stdout
    assert "data set of" in done.stdout

    shots = {path.stem: picture(path) for path in out.glob("*.png")}
    assert shots["chase"].shape == (600, 800, 3)
    assert shots["small"].shape == (480, 640, 3)
    # CARLA's colour of roads, as the palette has it, fills much of the semantic picture and nothing of the others.
    road = {name: (image == (128, 64, 128)).all(axis=-1).mean() for name, image in shots.items()}
    assert road["classes"] > 0.15
    assert max(share for name, share in road.items() if name != "classes") < 0.01
    assert shots["lidar"].mean() < 40 < shots["chase"].mean()
    assert np.abs(shots["chase"] - shots["hood"]).mean() > 5.0
    # While it is paused nothing moves; afterwards it does.
    assert (shots["pause"] == shots["pause_later"]).mean() > 0.999
    assert (shots["pad"] == shots["next"]).mean() < 0.9

    (data,) = [path for path in out.iterdir() if path.is_dir()]
    manifest = json.loads((data / "manifest.json").read_text())
    records = [json.loads(line) for line in (data / "labels.jsonl").read_text().splitlines()]
    assert manifest["frames"] == len(records) == len(list((data / "front" / "rgb").iterdir())) >= 4
    assert manifest["driver"].startswith("a person")
    with av.open(str(out / "drive-000.mp4")) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert f"film of {frames} frames" in done.stdout
    assert 5 <= frames <= 8


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_scenario_is_driven_to_its_verdict_and_again(tmp_path):
    text = """
    0.2  screenshot start.png
    0.3  hold w 1.0
    1.3  hold SPACE 8.0
    12.0 screenshot verdict.png
    12.1 press F6
    12.4 screenshot next.png
    12.5 quit
    """
    done = run(
        "child_runs_out", "--seed", "3", "--script", script(tmp_path, text), "--out", str(tmp_path / "out"),
        "--size", "640x480", "--quality", "0.25",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shots = {path.stem: picture(path) for path in (tmp_path / "out").glob("*.png")}
    green, red = (92, 220, 128), (255, 84, 84)
    framed = {name: max((image == color).all(axis=-1).sum() for color in (green, red)) for name, image in shots.items()}
    # The verdict's frame is some 1500 pixels of pass or fail; nothing else on the screen has as many of either.
    assert framed["verdict"] > 3 * max(framed["start"], framed["next"], 300)


@contextlib.contextmanager
def driving(tmp_path: Path, *arguments: str):
    """A drive that records, and its embedded engine's process id; both are ended if they do not end."""
    text = "0.0 press R\n0.0 press V\n0.0 hold w 50\n50 quit\n"
    rig = tmp_path / "rig.yaml"
    rig.write_text(RIG)
    process = subprocess.Popen(
        command("--script", script(tmp_path, text), "--out", str(tmp_path / "out"), "--rig", str(rig),
                "--size", "640x480", "--quality", "0.25", *arguments),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
        # Whoever runs the tests in the background of a shell ignores Ctrl-C, and so would the child.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        end = time.monotonic() + DEADLINE_S
        partial = ".drive-000*/front/rgb/00001*.png"
        while not list((tmp_path / "out").glob(partial)):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < end, "nothing was recorded"
            time.sleep(0.1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        threads = Path(f"/proc/{process.pid}/task").glob("*/children")
        engines = [int(child) for file in [children, *threads] for child in file.read_text().split()]
        yield process, engines[0]
    finally:
        process.kill()
        process.wait(10.0)


def recorded(out: Path) -> tuple[int, int]:
    """Frames of the data set and of the film; both complete, and nothing half-written beside them."""
    assert sorted(path.name for path in out.iterdir()) == ["drive-000", "drive-000.mp4"]
    frames = json.loads((out / "drive-000" / "manifest.json").read_text())["frames"]
    with av.open(str(out / "drive-000.mp4")) as container:
        return frames, sum(1 for _ in container.decode(video=0))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_finish_the_recordings_and_end_the_engine(tmp_path, number, status):
    with driving(tmp_path) as (process, engine):
        process.send_signal(number)
        process.communicate(timeout=150.0)
        assert process.returncode == status
        assert not Path(f"/proc/{engine}").exists()
    frames, filmed = recorded(tmp_path / "out")
    assert frames >= 10
    assert filmed >= 10


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_server_that_dies_costs_no_recording_and_is_named_in_one_line(tmp_path):
    with driving(tmp_path) as (process, engine):
        os.kill(engine, signal.SIGKILL)
        out, err = process.communicate(timeout=150.0)
        assert process.returncode == 2
    lines = [line for line in err.splitlines() if line.startswith("reality:")]
    assert lines == ["reality: embedded engine has ended with status -9: it wrote nothing"]
    assert "Traceback" not in err
    assert "data set of" in out
    frames, filmed = recorded(tmp_path / "out")
    assert frames >= 10
    assert filmed >= 10

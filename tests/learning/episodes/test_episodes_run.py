"""Runs in worker processes: the same content from any number of them, nothing lost, nothing half-written."""

import json
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from foundation.errors import RealityError
from learning.episodes import record, run
from learning.episodes.policies import PolicyError
from learning.episodes.record import Episode
from learning.episodes.run import EpisodesOptions, collect

minari = pytest.importorskip("minari")

TOY = "tests.learning.episodes.toy_episodes_env"
ENV = f"{TOY}:toy/Line-v0"


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch):
    """Workers find the toy environment from the project's root."""
    monkeypatch.chdir(Path(__file__).resolve().parents[3])


def options(policy="Forward", episodes=4, **changes):
    text = policy if policy in ("random",) else f"{TOY}:{policy}"
    return EpisodesOptions(ENV, text, episodes, **changes)


def content(folder):
    return {file: (folder / "data" / file).read_bytes() for file in ("main_data.hdf5", "metadata.json")}


def test_same_content_with_one_worker_and_with_two(tmp_path):
    one = collect(options(video=True), tmp_path / "one")
    two = collect(options(video=True), tmp_path / "two", workers=2)
    assert content(one.folder) == content(two.folder)
    for file in ("episodes.csv", "episodes.parquet", *(f"videos/{n:06d}.mp4" for n in range(4))):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert one.summary.goal.count == 4
    assert sorted(p.name for p in (tmp_path / "one").glob(".*")) == []


def test_another_seed_is_other_content(tmp_path):
    a = collect(options("random", 2, seed=1), tmp_path / "a")
    b = collect(options("random", 2, seed=2), tmp_path / "b")
    assert [o.seed for o in a.outcomes] != [o.seed for o in b.outcomes]
    assert content(a.folder) != content(b.folder)


@pytest.mark.parametrize("fault", ["kill", "raise"])
def test_what_a_death_costs_is_one_episode_played_again(tmp_path, fault):
    plain = collect(options(), tmp_path / "plain")
    arguments = {"fault": fault, "marker": str(tmp_path / "marker")}
    broken = collect(options(arguments=arguments), tmp_path / "broken", workers=2)
    assert (tmp_path / "marker").exists()
    assert len(broken.repeated) == 1
    for ours, theirs in zip(minari.MinariDataset(plain.folder / "data"), minari.MinariDataset(broken.folder / "data")):
        np.testing.assert_array_equal(ours.observations, theirs.observations)
        np.testing.assert_array_equal(ours.actions, theirs.actions)


def test_an_episode_that_always_fails_ends_the_run(tmp_path):
    with pytest.raises(RealityError, match=r"episode 0 failed 3 times.*time-out"):
        collect(options(episodes=1, arguments={"fault": "always", "marker": str(tmp_path)}), tmp_path / "out")


def test_nan_names_policy_episode_and_step_and_keeps_what_is_finished(tmp_path):
    drifts = {n: drift_of(n) for n in range(4)}
    first_bad = min(n for n, drift in drifts.items() if drift > 0)
    assert first_bad > 0, "the seed has to give a good episode first"
    with pytest.raises(RealityError, match=rf"BreaksInThirdStep: episode {first_bad}, step \d: returned .*nan"):
        collect(options("BreaksInThirdStep"), tmp_path / "out")
    assert record.finished(tmp_path / "out" / run.EPISODES_FOLDER) == list(range(first_bad))
    assert not list((tmp_path / "out").rglob("*.hdf5"))


def drift_of(number, seed=0):
    from learning.episodes.rollout import episode_seed
    from tests.learning.episodes.toy_episodes_env import ToyEnv

    env = ToyEnv()
    env.reset(seed=episode_seed(seed, number))
    return env.drift


def test_a_bug_in_a_policy_is_told_with_its_place(tmp_path):
    with pytest.raises(RealityError, match=r"Raises: episode 0, step 0: IndexError.*toy_episodes_env\.py:\d+"):
        collect(options("Raises", 1), tmp_path)


def test_resume_plays_only_what_is_missing(tmp_path):
    whole = collect(options(), tmp_path / "whole")
    arrays = {o.episode: o for o in whole.outcomes}
    out = tmp_path / "out"
    spec = run.resolve(ENV, {})
    run._prepare(options(), spec, out, resume=False)
    for number, episode in enumerate(minari.MinariDataset(whole.folder / "data")):
        if number in (0, 2):  # as if the run had been killed when these two were done
            Episode(
                arrays[number], {"": episode.observations}, {"": episode.actions}, episode.rewards,
                episode.terminations, episode.truncations,
            ).save(out / run.EPISODES_FOLDER)  # fmt: skip
    before = (out / run.EPISODES_FOLDER / "000002.npz").stat().st_mtime_ns
    with pytest.raises(RealityError, match="--resume"):
        collect(options(), out)
    with pytest.raises(RealityError, match="different: policy"):
        collect(options("BreaksInThirdStep"), out, resume=True)
    assert (out / run.EPISODES_FOLDER / "000002.npz").stat().st_mtime_ns == before
    resumed = collect(options(), out, resume=True)
    assert content(resumed.folder) == content(whole.folder)
    again = collect(options(), out, resume=True)
    assert again.outcomes == resumed.outcomes


def test_interrupted_run_goes_on(tmp_path):
    """An interrupt in the middle leaves finished episodes and no process; resume gives the same content."""
    slow = {"pause_s": 0.02}
    whole = collect(options(arguments=slow), tmp_path / "whole")
    out = tmp_path / "out"

    class Stop(Exception):
        pass

    folder = out / run.EPISODES_FOLDER

    def progress(*_args, **_kwargs):
        raise Stop

    seen = threading.Event()

    def watch():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (folder.is_dir() and record.finished(folder)):
            time.sleep(0.01)
        seen.set()

    thread = threading.Thread(target=watch)
    thread.start()
    join = threading.Thread.join

    def interrupted(self, timeout=None):
        join(self, timeout)
        if self.name.startswith("worker") and seen.is_set() and timeout is not None:
            raise Stop

    threading.Thread.join = interrupted
    try:
        with pytest.raises(Stop):
            collect(options(arguments=slow), out)
    finally:
        threading.Thread.join = join
        thread.join()
    assert 1 <= len(record.finished(folder)) < 4
    resumed = collect(options(arguments=slow), out, resume=True)
    assert content(resumed.folder) == content(whole.folder)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "--policy", "random"], "no registered environment"),
        (["missing.xosc", "--policy", "random"], "no such file"),
        (["child_runs_out", "--policy", "idn"], "expected random, idm, aeb"),
        (["child_runs_out", "--policy", "random", "--simulator", "xyz"], "expected embedded"),
        (["child_runs_out", "--policy", "random", "--simulator", "h:1", "--workers", "2"], "room for one"),
        (["child_runs_out", "--policy", "random", "--set", "x"], "NAME=VALUE"),
        (["child_runs_out", "--policy", "random", "--set", "colour=3"], "colour"),
        (["child_runs_out", "--policy", "random", "--observation", "smell"], "smell"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, arguments, words):
    import typer

    from learning.episodes import command

    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["episodes", *arguments, "--out", str(out)])
    assert isinstance(result.exception, RealityError)
    assert words in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not out.exists() or [path.name for path in out.iterdir()] == ["logs"]


def test_command_prints_the_figures(tmp_path):
    import typer

    from learning.episodes import command

    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    arguments = [
        "episodes",
        ENV,
        "--policy",
        f"{TOY}:Forward",
        "-n",
        "2",
        "--out",
        str(tmp_path),
        "--set",
        "nested=true",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None, result.exception
    assert "goal reached    100.0 % (15.8..100.0 %, 2 of 2)" in result.output
    assert json.loads((tmp_path / "episodes.json").read_text())["arguments"] == {"nested": True}
    dataset = minari.MinariDataset(tmp_path / "reality/toy-Line/Forward-v0/data")
    assert set(dataset[0].observations) == {"n", "state"}
    assert dataset.recover_environment().observation_space == dataset.observation_space


def test_program_knows_the_command():
    from importlib.metadata import entry_points

    entries = {entry.name: entry.value for entry in entry_points(group="reality.commands")}
    assert entries["episodes"] == "learning.episodes.command:register"
    assert "torch" not in _imported_by_help()


def _imported_by_help():
    import subprocess

    code = "import sys; from learning.episodes import command; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


def test_policy_error_is_a_reality_error():
    assert issubclass(PolicyError, RealityError)


def test_worker_ends_with_whoever_started_it(tmp_path):
    """The run is killed: its worker must not go on playing, nor keep a simulator."""
    import signal
    import subprocess

    import psutil

    code = (
        "from pathlib import Path\n"
        "from learning.episodes.run import EpisodesOptions, collect\n"
        f"collect(EpisodesOptions({ENV!r}, '{TOY}:Forward', 50, arguments={{'pause_s': 0.2}}), Path({str(tmp_path)!r}))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as parent:
        deadline = time.monotonic() + 60
        workers = []
        while time.monotonic() < deadline and not (workers and list(tmp_path.glob("spaces.json"))):
            workers = psutil.Process(parent.pid).children()
            time.sleep(0.05)
        parent.send_signal(signal.SIGKILL)
    assert len(workers) == 1
    psutil.wait_procs(workers, timeout=20)
    assert not workers[0].is_running()
    assert len(record.finished(tmp_path / run.EPISODES_FOLDER)) < 50

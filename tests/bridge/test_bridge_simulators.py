"""Where a simulator comes from: what is accepted, and that nothing hangs or stays behind when it fails."""

import socket
import sys

import pytest

from bridge import simulators
from bridge.simulators import SimulatorError, SimulatorSpec
from foundation.errors import DeadlineError, RealityError


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("embedded", "embedded", ""),
        ("localhost:2000", "remote", "localhost:2000"),
        ("10.0.0.7:4000", "remote", "10.0.0.7:4000"),
        ("binary:/opt/carla/CarlaUE4.sh", "binary", "/opt/carla/CarlaUE4.sh"),
        ("docker:carlasim/carla:0.9.16", "docker", "carlasim/carla:0.9.16"),
    ],
)
def test_the_four_ways_are_understood(text, kind, value):
    assert SimulatorSpec.parse(text) == SimulatorSpec(kind, value)


@pytest.mark.parametrize("text", ["", "unreal", "localhost", "localhost:", ":2000", "host:99999", "binary:", "docker:"])
def test_anything_else_is_refused(text):
    with pytest.raises(RealityError, match="expected embedded, HOST:PORT"):
        SimulatorSpec.parse(text)


def test_a_missing_binary_is_one_clear_error():
    with pytest.raises(SimulatorError, match="no such file"), simulators.start("binary:/nowhere/CarlaUE4.sh"):
        pass


def test_nobody_there_ends_at_the_deadline_and_says_so():
    port = simulators.free_port_pair()
    error = pytest.raises(DeadlineError, match=f"127.0.0.1:{port} within 1 s")
    with simulators.start(f"127.0.0.1:{port}") as simulator, error:
        simulator.connect(deadline_s=1.0)


def test_a_server_that_dies_says_its_last_words(tmp_path):
    process = simulators._Process(
        "trial", [sys.executable, "-c", "import sys; sys.exit('no such map')"], tmp_path / "log", stdout=-1
    )
    with pytest.raises(SimulatorError, match="status 1: no such map"):
        process.wait_for_line("listening", 20.0)
    process.stop()
    process.stop()


def test_a_server_whose_sockets_close_before_it_has_ended_is_waited_for(tmp_path):
    # What the kernel does with a killed server on a busy machine, slowed down: no connection any more, no status yet.
    code = "import os, time; print('ready', flush=True); os.close(1); time.sleep(1); os._exit(3)"
    process = simulators._Process("trial", [sys.executable, "-c", code], tmp_path / "log", stdout=-1)
    process.wait_for_line("ready", 20.0)
    process.check()
    with pytest.raises(SimulatorError, match="status 3"):
        process.check(20.0)
    process.stop()


def test_a_server_that_never_gets_ready_is_stopped(tmp_path):
    process = simulators._Process(
        "trial", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log", stdout=-1
    )
    with pytest.raises(DeadlineError, match="not ready within 1 s"):
        process.wait_for_line("listening", 1.0)
    assert process._popen.poll() is not None


def test_ports_come_in_free_pairs():
    port = simulators.free_port_pair()
    for number in (port, port + 1):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", number))


def test_an_engine_that_starts_too_slowly_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(simulators, "START_DEADLINE_S", 0.05)
    with pytest.raises(DeadlineError, match="not ready within"), simulators.start("embedded"):
        pass

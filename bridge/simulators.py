"""Where the simulator comes from: our embedded engine, a CARLA server somewhere, a CARLA binary, or a container.

All of them end in the same thing, a host and a port that the genuine ``carla`` client connects to; nothing behind
this module knows which one it was. Every process started here is stopped on every path out.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import carla

from foundation.errors import DeadlineError, RealityError

log = logging.getLogger(__name__)

START_DEADLINE_S = 60.0
"""The embedded engine starts in about 2 s; the margin is for a machine that is busy with other work."""
UNREAL_DEADLINE_S = 180.0
STOP_DEADLINE_S = 10.0
CRASH_GRACE_S = 2.0
"""How long after its sockets closed a server that was killed may still count as running, on a busy machine."""


class SimulatorError(RealityError):
    """The simulator could not be started, or has gone away."""


@dataclass(frozen=True)
class SimulatorSpec:
    """What the user asked for with ``--simulator``."""

    kind: str
    value: str = ""

    @classmethod
    def parse(cls, text: str) -> SimulatorSpec:
        """Read ``embedded``, ``HOST:PORT``, ``binary:PATH`` or ``docker:IMAGE``.

        Raises:
            RealityError: the text is none of these.
        """
        if text == "embedded":
            return cls("embedded")
        kind, _, value = text.partition(":")
        if kind in ("binary", "docker") and value:
            return cls(kind, value)
        host, _, port = text.rpartition(":")
        if host and port.isdigit() and 0 < int(port) < 65535:
            return cls("remote", text)
        raise RealityError(f"--simulator {text}: expected embedded, HOST:PORT, binary:PATH or docker:IMAGE")


class Simulator:
    """A running server: its address, and the process behind it if it is ours.

    Use :func:`start`, which closes it on every path out. ``closed`` tells that the end was ours.
    """

    def __init__(self, name: str, host: str, port: int, process: _Process | None = None) -> None:
        self.name = name
        self.host = host
        self.port = port
        self._process = process
        self.closed = False

    @property
    def pid(self) -> int | None:
        """Process id of a server started by us, else None."""
        return self._process.pid if self._process else None

    def connect(self, timeout_s: float = 20.0, deadline_s: float = START_DEADLINE_S) -> carla.Client:
        """Return a genuine client connected to this server.

        Args:
            timeout_s: the client's own deadline for each call.
            deadline_s: how long to keep trying until the server answers.

        Raises:
            SimulatorError: the server's process has ended.
            DeadlineError: nobody answered in time.
        """
        end = time.monotonic() + deadline_s
        # One client for all tries: each holds worker threads and sockets that only its destructor returns.
        client = carla.Client(self.host, self.port)
        client.set_timeout(2.0)
        while True:
            self.check()
            try:
                version = client.get_server_version()
            except RuntimeError as error:
                if time.monotonic() > end:
                    raise DeadlineError(
                        f"{self.name}: no CARLA server answered at {self.host}:{self.port} within {deadline_s:.0f} s; "
                        "is it running, and is the port right?"
                    ) from error
                time.sleep(0.1)
                continue
            if version.split(".")[:2] != ["0", "9"]:
                raise SimulatorError(f"{self.name}: the server is version {version}, the client is 0.9.16")
            client.set_timeout(timeout_s)
            return client

    def check(self, grace_s: float = 0.0) -> None:
        """Raise SimulatorError when the server's process, if it is ours, has ended or ends within ``grace_s``.

        Give `CRASH_GRACE_S` after an error of the client: a dying server's sockets close some time before its process
        counts as ended.
        """
        if self._process is not None:
            self._process.check(grace_s)

    def close(self) -> None:
        """Stop the server if it is ours. May be called twice."""
        self.closed = True
        if self._process is not None:
            self._process.stop()


class _Process:
    """A server process of ours, its log, and how it is told to go."""

    def __init__(self, name: str, command: list[str], log_path: Path | None, **popen: Any) -> None:
        self.name = name
        self._log_path = log_path or Path(tempfile.mkstemp(prefix="reality-server-", suffix=".log")[1])
        self._keep_log = log_path is not None
        self._log: IO[bytes] = self._log_path.open("wb")
        log.debug("starting %s", " ".join(command))
        try:
            # A group of its own: Ctrl-C in the terminal reaches us first, and we stop it in order.
            self._popen = subprocess.Popen(
                command, stderr=self._log, start_new_session=os.name == "posix", bufsize=0, **popen
            )
        except OSError as error:
            self._log.close()
            raise SimulatorError(f"{name}: cannot start {command[0]}: {error.strerror}") from error

    @property
    def pid(self) -> int:
        return self._popen.pid

    def last_words(self, lines: int = 5) -> str:
        """The end of what the server wrote to its log."""
        text = self._log_path.read_text(errors="replace").strip().splitlines()
        return " | ".join(text[-lines:]) or "it wrote nothing"

    def check(self, grace_s: float = 0.0) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._popen.wait(grace_s) if grace_s else self._popen.poll()
            if status is not None:
                raise SimulatorError(f"{self.name} has ended with status {status}: {self.last_words()}")

    def wait_for_line(self, prefix: str, deadline_s: float) -> str:
        """Return the first line on stdout that starts with ``prefix``."""
        found: list[str] = []
        done = threading.Event()
        stdout = self._popen.stdout
        assert stdout is not None

        def read() -> None:
            for raw in stdout:
                if not found and (line := raw.decode(errors="replace").strip()).startswith(prefix):
                    found.append(line)
                    done.set()
            done.set()

        # The thread goes on draining the pipe afterwards, so the server never blocks on it; it ends with it.
        threading.Thread(target=read, name=f"{self.name} stdout", daemon=True).start()
        if not done.wait(deadline_s):
            words = self.last_words()  # stopping removes the log
            self.stop()
            raise DeadlineError(f"{self.name}: not ready within {deadline_s:.0f} s: {words}")
        if not found:
            self.check(STOP_DEADLINE_S)
            raise SimulatorError(f"{self.name}: closed its output before it was ready: {self.last_words()}")
        return found[0]

    def stop(self) -> None:
        if self._popen.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self._popen.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                log.warning("%s did not stop within %.0f s; killing it", self.name, STOP_DEADLINE_S)
                self._signal(signal.SIGKILL)
                self._popen.wait(STOP_DEADLINE_S)
        for stream in (self._popen.stdin, self._popen.stdout):
            if stream is not None:
                stream.close()
        if not self._log.closed:
            self._log.close()
            if not self._keep_log:
                self._log_path.unlink(missing_ok=True)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if os.name == "posix":
                os.killpg(self._popen.pid, number)
            else:
                self._popen.terminate()


def free_port_pair(host: str = "127.0.0.1") -> int:
    """Return a port that is free together with the one after it (the stream port).

    Another program may take it before it is used; whoever starts a server tries again then.
    """
    for _ in range(50):
        with socket.socket() as first:
            first.bind((host, 0))
            port = first.getsockname()[1]
            with socket.socket() as second:
                try:
                    second.bind((host, port + 1))
                except (OSError, OverflowError):
                    continue
                return int(port)
    raise SimulatorError(f"no two neighbouring free ports found on {host}")


@contextlib.contextmanager
def start(
    spec: SimulatorSpec | str = "embedded",
    *,
    seed: int = 0,
    arguments: tuple[str, ...] = (),
    log_path: Path | None = None,
) -> Iterator[Simulator]:
    """Start or find the simulator, and stop it again if it is ours.

    Args:
        spec: see :meth:`SimulatorSpec.parse`.
        seed: the embedded engine's seed (the procedural world, sensor noise).
        arguments: further arguments of ``python -m engine`` (embedded only).
        log_path: where the server's log goes; a temporary file by default, deleted afterwards.

    Raises:
        SimulatorError, DeadlineError: it did not start.
    """
    spec = SimulatorSpec.parse(spec) if isinstance(spec, str) else spec
    starter = {"embedded": _embedded, "remote": _remote, "binary": _binary, "docker": _docker}[spec.kind]
    simulator = starter(spec, seed, arguments, log_path)
    try:
        yield simulator
    finally:
        simulator.close()


def _embedded(spec: SimulatorSpec, seed: int, arguments: tuple[str, ...], log_path: Path | None) -> Simulator:
    failure: RealityError | None = None
    for _ in range(5):  # a port found free may be taken by the time the engine binds it
        port = free_port_pair()
        command = [sys.executable, "-m", "bridge.lifeline", "engine", "--port", str(port)]
        command += ["--seed", str(seed), "--exit-with-stdin"]
        process = _Process(
            "embedded engine", [*command, *arguments], log_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            process.wait_for_line("listening on ", START_DEADLINE_S)
        except SimulatorError as error:
            process.stop()
            failure = error
            if "port" not in str(error):
                break
            continue
        except BaseException:
            process.stop()
            raise
        return Simulator("embedded engine", "127.0.0.1", port, process)
    assert failure is not None
    raise failure


def _remote(spec: SimulatorSpec, seed: int, arguments: tuple[str, ...], log_path: Path | None) -> Simulator:
    host, _, port = spec.value.rpartition(":")
    return Simulator(f"CARLA server {spec.value}", host, int(port))


def _binary(spec: SimulatorSpec, seed: int, arguments: tuple[str, ...], log_path: Path | None) -> Simulator:
    path = Path(spec.value).expanduser()
    if not path.is_file():
        raise SimulatorError(f"--simulator binary:{path}: no such file; give the path of CarlaUE4.sh")
    port = free_port_pair()
    command = [str(path.resolve()), "-RenderOffScreen", "-nosound", f"-carla-rpc-port={port}"]
    process = _Process(f"CARLA binary {path.name}", command, log_path, stdout=subprocess.DEVNULL)
    return _answering(Simulator(f"CARLA binary {path.name}", "127.0.0.1", port, process))


def _docker(spec: SimulatorSpec, seed: int, arguments: tuple[str, ...], log_path: Path | None) -> Simulator:
    if shutil.which("docker") is None:
        raise SimulatorError("--simulator docker: the docker program is not installed")
    port = free_port_pair()
    command = ["docker", "run", "--rm", "--gpus", "all", "-p", f"127.0.0.1:{port}-{port + 1}:{port}-{port + 1}"]
    command += [spec.value, "/bin/bash", "./CarlaUE4.sh", "-RenderOffScreen", "-nosound", f"-carla-rpc-port={port}"]
    process = _Process(f"container {spec.value}", command, log_path, stdout=subprocess.DEVNULL)
    return _answering(Simulator(f"container {spec.value}", "127.0.0.1", port, process))


def _answering(simulator: Simulator) -> Simulator:
    try:
        simulator.connect(deadline_s=UNREAL_DEADLINE_S)
    except BaseException:
        simulator.close()
        raise
    return simulator

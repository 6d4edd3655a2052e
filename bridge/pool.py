"""Worker processes as the run sees them: one job at a time, watched, replaced when lost."""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

log = logging.getLogger(__name__)

SILENCE_DEADLINE_S = 180.0
"""A unit that reports no progress for this long is stopped: starting Unreal is the slowest thing it may do."""
WATCH_PERIOD_S = 0.25
STOP_DEADLINE_S = 10.0

DONE, ERROR, LIMIT, STOPPED = "done", "error", "limit", "stopped"


@dataclass(frozen=True)
class Limits:
    """What one unit may cost; None for as much as it likes.

    Attributes:
        time_s: wall time from the moment a worker gets it, the start of an engine included.
        memory_mb: resident memory of the worker and its engine together, 10^6 bytes.
    """

    time_s: float | None = None
    memory_mb: float | None = None


@dataclass(frozen=True)
class Attempt:
    """How one try at a unit ended.

    Attributes:
        outcome: "done", "error", "limit" (it cost more than it may) or "stopped" (the run ends).
        reason: why it is not done.
        retry: whether another try may help.
        limit: the limit in words, e.g. "unit timeout 5 s".
        wall_s, memory_mb: what it took; the memory is the largest seen.
    """

    outcome: str
    reason: str = ""
    retry: bool = False
    limit: str = ""
    wall_s: float = 0.0
    memory_mb: float = 0.0


class Worker:
    """A place in the pool: a process that is started when it is needed and replaced when it has gone.

    Args:
        number: of the place; part of log files' names.
        logs: folder for the logs.
    """

    def __init__(self, number: int, logs: Path) -> None:
        self._number, self._logs = number, logs
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the worker that is there now."""
        return None if self._process is None else self._process.pid

    def run(self, job: dict[str, Any], limits: Limits, stop: threading.Event, note: Callable[[str], None]) -> Attempt:
        """Give the job to the process and watch it to its end.

        Args:
            job: see :func:`bridge.worker.job_of`, with the key ``log``: the log file's name.
            limits: what it may cost.
            stop: set when the run ends; the process is then killed.
            note: is told what it is doing.
        """
        began = time.monotonic()
        watch = _Watch(limits, began)
        process = self._ready()
        watch.process = psutil.Process(process.pid)
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has died meanwhile: its silence is found below
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
        attempt = self._follow(process, watch, stop, note)
        if attempt.outcome != DONE:
            self.close()
        return Attempt(
            attempt.outcome, attempt.reason, attempt.retry, attempt.limit, time.monotonic() - began, watch.memory_mb
        )

    def _ready(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        with (self._logs / f"worker-{self._number}.log").open("ab") as log_file:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "bridge.lifeline",
                    "--kill",
                    "bridge.worker",
                    str(self._logs),
                    str(self._number),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                text=True,
            )
        self._process, self._lines = process, queue.Queue()
        self._reader = threading.Thread(target=_pump, args=(process.stdout, self._lines), daemon=True)
        self._reader.start()
        return process

    def _follow(
        self, process: subprocess.Popen[str], watch: _Watch, stop: threading.Event, note: Callable[[str], None]
    ) -> Attempt:
        heard = time.monotonic()
        while True:
            try:
                line = self._lines.get(timeout=WATCH_PERIOD_S)
            except queue.Empty:
                line = ""
            if stop.is_set():
                return Attempt(STOPPED, "the run was stopped")
            if (limit := watch.exceeded()) is not None:
                return limit
            if line == "":
                if time.monotonic() - heard > SILENCE_DEADLINE_S:
                    return Attempt(ERROR, f"no progress for {SILENCE_DEADLINE_S:.0f} s", True)
                continue
            heard = time.monotonic()
            if line is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_DEADLINE_S)
                return Attempt(ERROR, f"its process ended with status {process.returncode} before it was done", True)
            try:
                message = json.loads(line)
            except ValueError:
                log.warning("unexpected output of a worker: %r", line)
                continue
            if "error" in message:
                return Attempt(ERROR, str(message["error"]), bool(message.get("retry")))
            if message.get("done"):
                return Attempt(DONE)
            note(str(message.get("note", "")))

    def close(self) -> None:
        """End the process and its engine, whatever they are doing. May be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(process.pid).children(recursive=True)
        # Closing its lifeline makes it kill its engine and go; what is still there afterwards is killed from here.
        for stream in (process.stdin,):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_DEADLINE_S)
        for member in psutil.wait_procs(family, timeout=1.0)[1]:
            with contextlib.suppress(psutil.Error):
                member.kill()
        psutil.wait_procs(family, timeout=STOP_DEADLINE_S)
        if self._reader is not None:
            self._reader.join(5.0)
        if process.stdout is not None:
            process.stdout.close()


class _Watch:
    """What one try has cost so far."""

    def __init__(self, limits: Limits, began: float) -> None:
        self._limits, self._began = limits, began
        self._next = began
        self.process: psutil.Process | None = None
        self.memory_mb = 0.0

    def exceeded(self) -> Attempt | None:
        """Return how the try ends if it has cost more than it may."""
        now, limits = time.monotonic(), self._limits
        if limits.time_s is not None and now - self._began > limits.time_s:
            limit = f"unit timeout {limits.time_s:g} s"
            return Attempt(LIMIT, f"stopped after {limits.time_s:g} s of wall time (--unit-timeout)", False, limit)
        if now >= self._next:
            self._next = now + WATCH_PERIOD_S
            self.memory_mb = max(self.memory_mb, self._resident_mb())
            if limits.memory_mb is not None and self.memory_mb > limits.memory_mb:
                reason = f"needed more than {limits.memory_mb:g} MB of memory (--unit-memory)"
                return Attempt(LIMIT, reason, False, f"unit memory {limits.memory_mb:g} MB")
        return None

    def _resident_mb(self) -> float:
        total = 0.0
        if self.process is None:
            return total
        with contextlib.suppress(psutil.Error):
            for process in (self.process, *self.process.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    total += process.memory_info().rss / 1e6
        return total


def _pump(stream: Any, lines: queue.Queue[str | None]) -> None:
    with contextlib.suppress(ValueError):  # the stream is closed under us when the unit is stopped
        for line in stream:
            lines.put(line)
    lines.put(None)

"""The near end of a worker process: start it, hand it episodes, notice when it falls silent or dies."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from foundation.errors import RealityError
from learning.episodes.worker import Job

SILENCE_DEADLINE_S = 180.0
"""A worker that says nothing for so long is stopped: starting Unreal is the slowest thing it may do."""
STOP_DEADLINE_S = 15.0
_POLL_S = 0.2


class WorkerStopped(Exception):
    """The worker died, fell silent or lost its simulator: the episode in hand is lost, and can be played again."""


class WorkerProcess:
    """One worker.

    Args:
        job: what it plays.
        log_path: gets its standard error; appended, because a worker may have predecessors.
        stop: when set, waiting ends with :class:`WorkerStopped`.

    Raises:
        WorkerStopped: it ended before it was ready.
        RealityError: it cannot do this job at all.
    """

    def __init__(self, job: Job, log_path: Path, stop: threading.Event) -> None:
        self._log_path, self._stop = log_path, stop
        self._log = log_path.open("ab")
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "learning.episodes.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._answers: queue.Queue[str | None] = queue.Queue()
        assert self._popen.stdout is not None
        threading.Thread(target=_pump, args=(self._popen.stdout, self._answers), daemon=True).start()
        try:
            self._send(asdict(job))
            self.spaces: dict[str, str] = self._wait("ready")
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def play(self, number: int) -> dict[str, Any]:
        """Have an episode played and saved; return its outcome."""
        self._send({"episode": number})
        outcome: dict[str, Any] = self._wait("outcome")
        return outcome

    def _send(self, message: dict[str, Any]) -> None:
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its death is noticed, and explained, by who waits for the answer
            self._popen.stdin.write(json.dumps(message) + "\n")
            self._popen.stdin.flush()

    def _wait(self, key: str) -> Any:
        """Return the answer called ``key``."""
        deadline_s = time.monotonic() + SILENCE_DEADLINE_S
        while True:
            try:
                line = self._answers.get(timeout=_POLL_S)
            except queue.Empty:
                if self._stop.is_set():
                    raise WorkerStopped("the run was stopped") from None
                if time.monotonic() > deadline_s:
                    raise WorkerStopped(f"the worker said nothing for {SILENCE_DEADLINE_S:.0f} s") from None
                continue
            if line is None:
                raise WorkerStopped(f"the worker process ended with status {self._status()}; see {self._log_path}")
            deadline_s = time.monotonic() + SILENCE_DEADLINE_S
            message = json.loads(line)
            if "error" in message:
                raise RealityError(message["error"])
            if "failed" in message:
                raise WorkerStopped(message["failed"])
            if key in message:
                return message[key]

    def _status(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(STOP_DEADLINE_S)
        return self._popen.returncode

    def close(self) -> None:
        """End the process; it takes its simulator with it."""
        if self._popen.stdin is not None:
            with contextlib.suppress(OSError):
                self._popen.stdin.close()
        if self._popen.poll() is None:
            if self._stop.is_set():
                self._popen.terminate()
            try:
                self._popen.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait(STOP_DEADLINE_S)
        self._log.close()


def _pump(lines: Iterable[str], answers: queue.Queue[str | None]) -> None:
    for line in lines:
        answers.put(line)
    answers.put(None)

"""Starts ``python -m engine`` as a process of its own, for tests with the genuine client."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
START_DEADLINE_S = 60.0
PORTS = iter(range(21100 + os.getpid() % 100 * 8, 21992, 2))


@dataclass
class EngineProcess:
    """A running engine."""

    process: subprocess.Popen[str]
    port: int
    log: IO[str]

    def log_text(self) -> str:
        """Everything it reported on standard error so far."""
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    @property
    def resident_mb(self) -> float:
        """Its resident memory in megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024.0


def _first_line(process: subprocess.Popen[str]) -> str:
    """Return the first line of the process's output, or "" after the deadline or its end."""
    lines: list[str] = []
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: lines.append(process.stdout.readline()), daemon=True)
    reader.start()
    reader.join(START_DEADLINE_S)
    return lines[0] if lines else ""


@contextlib.contextmanager
def engine(*arguments: str) -> Iterator[EngineProcess]:
    """Run an engine on a free port for the time of the block."""
    with tempfile.TemporaryFile("w+") as log:
        for port in PORTS:
            command = [sys.executable, "-m", "engine", "--port", str(port), "--log-level", "info", *arguments]
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
            running = EngineProcess(process, port, log)
            if _first_line(process).strip() == f"listening on 127.0.0.1:{port}":
                break
            process.kill()
            process.wait(10.0)
            if "in use" not in running.log_text():
                raise AssertionError(f"the engine did not start:\n{running.log_text()}")
        else:
            raise AssertionError("no free port for the engine")
        try:
            yield running
        finally:
            process.terminate()
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10.0)
                raise AssertionError("the engine did not end within 10 s of SIGTERM") from None

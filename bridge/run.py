"""``reality run``: many concrete scenarios, some at a time, and nothing lost whatever ends it.

The plan is written first (:mod:`bridge.planfile`). Each unit is run by a worker process (:mod:`bridge.pool`) into a
folder of its own under ``.scratch``, which is moved into place in one step when the unit is done: a unit is either
there, whole, or not there. So a run that was interrupted, by whatever and at whatever moment, goes on with the units
that are missing and ends with the same bytes as one that was not. One process at a time may work on a run.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import os
import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich.console import Console

from bridge import junit, planfile, tables
from bridge.planfile import RunOptions, RunPlan
from bridge.pool import DONE, LIMIT, STOPPED, Attempt, Limits, Worker
from bridge.progress import Board
from bridge.report import write_report
from bridge.results import Result, Unit
from bridge.simulators import SimulatorSpec
from foundation.errors import InputError, RealityError

log = logging.getLogger(__name__)

SCENARIOS, LOGS, SCRATCH = "scenarios", "logs", ".scratch"
LOCK_DEADLINE_S = 10.0
TIMING_COLUMNS = ("unit", "attempt", "started", "wall_s", "memory_mb", "outcome", "reason")
DEFAULT_RETRIES = 5


@dataclass(frozen=True)
class Effort:
    """How a run is carried out; nothing of it shows in the results, but for units that were too dear.

    Attributes:
        workers: units that run at the same time, each in a process of its own with its own engine.
        retries: how often a unit is tried again whose worker or simulator was lost.
        limits: what a unit may cost.
    """

    workers: int = 1
    retries: int = DEFAULT_RETRIES
    limits: Limits = field(default_factory=Limits)


def run(
    options: RunOptions,
    out: Path,
    effort: Effort | None = None,
    *,
    command: Sequence[str] = (),
    console: Console | None = None,
) -> list[Result]:
    """Run what is asked for, or go on with it where it was interrupted, and return the results in order of the plan.

    Args:
        options: what to run.
        out: the run directory; made, or one of the same run.
        effort: how to run it.
        command: the words of the command, for ``run.json``.
        console: where progress goes; standard error by default.

    Raises:
        RealityError: the directory holds something else or is in use, or an input cannot be used; nothing has been run
            then. Also when the disk is full: what was finished is kept.
    """
    plan = prepare(options, out, command=command)
    return carry_out(plan, out, effort or Effort(), console)


def prepare(options: RunOptions, out: Path, *, command: Sequence[str] = ()) -> RunPlan:
    """Check all inputs and write the plan into ``out``, without running anything; the same options change nothing.

    Raises:
        RealityError: see :func:`run`.
    """
    SimulatorSpec.parse(options.simulator)
    plan = planfile.build(options)
    if not (out / planfile.PLAN_FILE).is_file() and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RealityError(f"{out} exists and holds something else; choose another --out")
    planfile.write(plan, out, command)
    return plan


def resume(out: Path, effort: Effort | None = None, *, console: Console | None = None) -> list[Result]:
    """Go on with the run in ``out``.

    Raises:
        RealityError: there is none, a file of it has changed, or see :func:`run`.
    """
    plan = planfile.read(out)
    planfile.verify(plan, out)
    return carry_out(plan, out, effort or Effort(), console)


def carry_out(plan: RunPlan, out: Path, effort: Effort, console: Console | None = None) -> list[Result]:
    """Run the units of a written plan that have no result yet, then write tables, JUnit XML and the report."""
    with _locked(out):
        for folder in (SCENARIOS, LOGS):
            (out / folder).mkdir(exist_ok=True)
        shutil.rmtree(out / SCRATCH, ignore_errors=True)
        (out / SCRATCH).mkdir()
        kept = _kept(plan, out, effort.limits)
        todo = [unit for unit in plan.units if unit.name not in kept]
        began = time.monotonic()
        try:
            with Board(len(plan.units), len(kept), console) as board:
                _Crew(plan, out, effort, board).work(todo)
        finally:
            shutil.rmtree(out / SCRATCH, ignore_errors=True)
        results = read_results(plan, out)
        timing = {"wall_s": round(time.monotonic() - began, 1), "units_run": len(todo), "workers": effort.workers}
        planfile.write_json(out / "timing.json", timing)
        junit.write(out / "junit.xml", results)
        tables.write(out, results)
        write_report(out)
    return results


def read_results(plan: RunPlan, out: Path) -> list[Result]:
    """Return the results of all units that have one, in order of the plan."""
    files = [out / SCENARIOS / unit.name / "result.json" for unit in plan.units]
    return [Result.read(file) for file in files if file.is_file()]


def _kept(plan: RunPlan, out: Path, limits: Limits) -> set[str]:
    """Return the units that are done; what else lies in their places is thrown away.

    Done is a unit with a verdict. One that ended in an error is tried again, and so is one that was too dear if it may
    cost something else now.
    """
    kept = set()
    now = {f"unit timeout {limits.time_s:g} s" if limits.time_s is not None else ""}
    now.add(f"unit memory {limits.memory_mb:g} MB" if limits.memory_mb is not None else "")
    for unit in plan.units:
        folder = out / SCENARIOS / unit.name
        if not folder.exists():
            continue
        try:
            result = Result.read(folder / "result.json")
        except InputError:
            result = None
        if result is not None and result.unit == unit and result.verdict != "error" and result.limit in {"", *now}:
            kept.add(unit.name)
            continue
        _discard(folder, out)
    return kept


def _discard(folder: Path, out: Path) -> None:
    """Remove a folder so that half of it is never seen in its place."""
    away = out / SCRATCH / f"away-{secrets.token_hex(6)}"
    folder.rename(away)
    shutil.rmtree(away, ignore_errors=True)


class _Crew:
    """The workers of one run and what they share."""

    def __init__(self, plan: RunPlan, out: Path, effort: Effort, board: Board) -> None:
        self._plan, self._out, self._effort, self._board = plan, out, effort, board
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._todo: deque[tuple[Unit, int]] = deque()
        self._failure: BaseException | None = None
        run_file = planfile.RUN_FILE
        try:
            self._ego_folder = str(json.loads((out / run_file).read_text(encoding="utf-8")).get("directory", ""))
        except (OSError, ValueError):
            self._ego_folder = ""

    def work(self, todo: Sequence[Unit]) -> None:
        """Run the units; returns when all have a result, raises what stopped them before."""
        self._todo.extend((unit, 1) for unit in todo)
        count = min(self._effort.workers, len(todo))
        threads = [threading.Thread(target=self._place, args=(i,), name=f"worker-{i}") for i in range(count)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.5)
        except BaseException:
            # Ctrl-C: stop what runs, start no more, keep what is finished.
            self._stop.set()
            for thread in threads:
                thread.join(60.0)
            raise
        if self._failure is not None:
            raise self._failure

    def _place(self, number: int) -> None:
        worker = Worker(number, self._out / LOGS)
        try:
            while not self._stop.is_set():
                with self._lock:
                    if not self._todo:
                        return
                    unit, attempt = self._todo.popleft()
                self._unit(worker, unit, attempt)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits for this one
            with self._lock:
                self._failure = self._failure or error
            self._stop.set()
        finally:
            worker.close()

    def _unit(self, worker: Worker, unit: Unit, attempt: int) -> None:
        scratch = self._out / SCRATCH / f"{unit.name}.{secrets.token_hex(6)}"
        try:
            scratch.mkdir()
            started = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
            log_name = f"{unit.name}.log"
            with self._board.unit(unit.name) as note:
                end = worker.run(self._job(unit, scratch, log_name), self._effort.limits, self._stop, note)
            if end.outcome == STOPPED:
                return
            self._write_timing(unit, attempt, started, end)
            if end.outcome == DONE:
                self._publish(unit, scratch)
            elif end.retry and attempt <= self._effort.retries:
                self._board.say(f"{unit.name}: try {attempt} of {self._effort.retries + 1} failed: {end.reason}")
                with self._lock:
                    self._todo.appendleft((unit, attempt + 1))
            else:
                self._give_up(unit, attempt, end, log_name)
        except OSError as error:
            raise RealityError(
                f"{self._out}: cannot write ({error.strerror}); what is finished is kept, the same command goes on"
            ) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _job(self, unit: Unit, scratch: Path, log_name: str) -> dict[str, Any]:
        return {
            "unit": asdict(unit),
            "options": asdict(self._plan.options),
            "scenario": str(self._plan.scenario_path(unit)),
            "rig": self._plan.rig(unit),
            "folder": str(scratch.resolve()),
            "ego_folder": self._ego_folder,
            "log": log_name,
        }

    def _give_up(self, unit: Unit, attempt: int, end: Attempt, log_name: str) -> None:
        """Put a result in place that says why there is no other."""
        reason = end.reason.replace(str(self._out.resolve()) + os.sep, "")
        reason = reason.replace(str(self._plan.scenario_path(unit).parent) + os.sep, "")
        if attempt > 1:
            reason = f"{reason} (try {attempt} of {self._effort.retries + 1})"
        if end.outcome == LIMIT:
            result = Result(unit=unit, verdict="inconclusive", reasons=[reason], end=end.limit, limit=end.limit)
        else:
            result = Result(unit=unit, verdict="error", reasons=[f"{reason}; see {LOGS}/{log_name}"])
        # A folder of its own: a worker that is being killed may still hold files in the other one.
        scratch = self._out / SCRATCH / f"{unit.name}.{secrets.token_hex(6)}"
        scratch.mkdir()
        result.write(scratch / "result.json")
        self._publish(unit, scratch)
        self._board.say(f"{unit.name}: {reason}")

    def _publish(self, unit: Unit, scratch: Path) -> None:
        """Move a finished unit into its place in one step, and see to it that this survives a power cut."""
        with (scratch / "result.json").open("rb") as file:
            os.fsync(file.fileno())
        scratch.rename(self._out / SCENARIOS / unit.name)
        _sync_folder(self._out / SCENARIOS)
        self._board.done()

    def _write_timing(self, unit: Unit, attempt: int, started: str, end: Attempt) -> None:
        """Append a row to ``timings.csv``; what a kill has cut short stays on a line of its own."""
        path = self._out / "timings.csv"
        line = io.StringIO(newline="")
        row = (unit.name, attempt, started, f"{end.wall_s:.3f}", f"{end.memory_mb:.0f}", end.outcome, end.reason)
        csv.writer(line, lineterminator="\n").writerow(row)
        with self._lock, path.open("ab+") as file:
            head = b"" if file.tell() else (",".join(TIMING_COLUMNS) + "\n").encode()
            if file.tell():
                file.seek(-1, os.SEEK_END)
                head = b"" if file.read(1) == b"\n" else b"\n"
            file.write(head + line.getvalue().encode())


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Hold the run directory; the lock goes with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # not on Windows: there nobody stops two runs in one directory
        yield
        return
    with (out / ".lock").open("w") as file:
        end = time.monotonic() + LOCK_DEADLINE_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > end:
                    raise RealityError(f"{out} is in use by another `reality run`") from None
                time.sleep(0.1)
        yield


__all__ = ["Effort", "Limits", "RunOptions", "carry_out", "prepare", "read_results", "resume", "run"]

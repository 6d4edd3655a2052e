"""``reality run``: many concrete scenarios, some at a time, each in a process of its own.

A unit is run by ``python -m bridge.unit`` with its own simulator. Whatever happens in there, a crash of a native
library included, costs that unit and no other: its half-written folder is thrown away and an error result takes its
place. A finished unit is a folder moved into place in one step, so an interrupted run resumes where it was.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bridge import junit
from bridge.plan import plan
from bridge.report import write_report
from bridge.results import Result, Unit
from bridge.simulators import SimulatorSpec
from foundation.errors import RealityError
from sensors import rig as rigs
from sensors.writers import versions

log = logging.getLogger(__name__)

SILENCE_DEADLINE_S = 180.0
"""A unit that reports no progress for this long is stopped: starting Unreal is the slowest thing it may do."""


@dataclass(frozen=True)
class RunOptions:
    """Everything that decides what a run produces; stored in ``run.json`` and compared on resume."""

    targets: tuple[str, ...]
    samples: int = 1
    seed: int = 0
    rig: str = "default"
    simulator: str = "embedded"
    step_s: float = 0.05
    max_time_s: float = 120.0


def run(
    options: RunOptions, out: Path, *, workers: int = 1, resume: bool = False, console: Console | None = None
) -> list[Result]:
    """Run every unit, write results, JUnit XML and report, and return the results in order of the plan.

    Args:
        options: what to run.
        out: the run directory; created, and only reused with ``resume``.
        workers: how many units run at the same time.
        resume: keep finished units of an earlier, equal run in ``out``.
        console: where progress goes; standard error by default.

    Raises:
        RealityError: the directory is in use by another run, or an input cannot be used; nothing has been run then.
    """
    SimulatorSpec.parse(options.simulator)
    rigs.load(options.rig)
    units = plan(options.targets, options.samples, options.seed)
    for unit in units:
        _check_loads(unit)
    _prepare(options, units, out, resume)
    started = time.monotonic()
    todo = [unit for unit in units if not (out / "scenarios" / unit.name / "result.json").is_file()]
    with _progress(console) as progress:
        total = progress.add_task("scenarios", total=len(units), completed=len(units) - len(todo), note="")
        _run_all(todo, options, out, workers, progress, total)
    results = [Result.read(out / "scenarios" / unit.name / "result.json") for unit in units]
    timing = {"wall_s": round(time.monotonic() - started, 1), "units_run": len(todo)}
    (out / "timing.json").write_text(json.dumps(timing) + "\n", encoding="utf-8")
    junit.write(out / "junit.xml", results)
    write_report(out)
    return results


def _check_loads(unit: Unit) -> None:
    """Refuse a scenario that cannot be run before anything is started."""
    from scenarios.openscenario import load

    load(unit.scenario, unit.parameters)


def _prepare(options: RunOptions, units: Sequence[Unit], out: Path, resume: bool) -> None:
    record: dict[str, Any] = {
        "title": "Digital Reality run: " + ", ".join(options.targets),
        "units": [asdict(unit) for unit in units],
        "versions": versions(),
        **{key: value for key, value in asdict(options).items() if key != "targets"},
        "targets": list(options.targets),
    }
    file = out / "run.json"
    if file.is_file():
        if not resume:
            raise RealityError(f"{out} already holds a run; continue it with --resume or choose another --out")
        earlier = json.loads(file.read_text(encoding="utf-8"))
        differs = sorted(key for key in record if earlier.get(key) != record[key])
        if differs:
            raise RealityError(
                f"{out} holds another run (different: {', '.join(differs)}); choose another --out or remove it"
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RealityError(f"{out} exists and holds something else; choose another --out")
    try:
        (out / "scenarios").mkdir(parents=True, exist_ok=True)
        (out / "logs").mkdir(exist_ok=True)
        file.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise RealityError(f"{out}: cannot create the run directory: {error.strerror}") from error


@contextlib.contextmanager
def _progress(console: Console | None) -> Iterator[Progress]:
    columns = (TextColumn("{task.description:<34}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns, TextColumn("{task.fields[note]}"), console=console or Console(stderr=True), refresh_per_second=4
    ) as progress:
        yield progress


def _run_all(
    units: Sequence[Unit], options: RunOptions, out: Path, workers: int, progress: Progress, total: TaskID
) -> None:
    stop = threading.Event()
    pending: set[Future[None]] = set()
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="unit") as pool:
        try:
            for unit in units:
                pending.add(pool.submit(_run_unit, unit, options, out, progress, stop))
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                    progress.advance(total)
        except BaseException:
            # Ctrl-C or a full disk: stop the units that run, start no more, keep what is finished.
            stop.set()
            for future in pending:
                future.cancel()
            raise


def _run_unit(unit: Unit, options: RunOptions, out: Path, progress: Progress, stop: threading.Event) -> None:
    if stop.is_set():
        return
    final = out / "scenarios" / unit.name
    partial = out / "scenarios" / f".partial-{unit.name}"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(final, ignore_errors=True)
    partial.mkdir()
    job = {"unit": asdict(unit), "options": asdict(options), "directory": str(partial)}
    task = progress.add_task(unit.name, total=None, note="")
    reason = _supervise(job, out / "logs" / f"{unit.name}.log", progress, task, stop)
    progress.remove_task(task)
    if stop.is_set():
        shutil.rmtree(partial, ignore_errors=True)
        return
    if reason is not None:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        Result(unit=unit, verdict="error", reasons=[reason]).write(partial / "result.json")
        progress.console.print(f"[red]{unit.name}: {reason}[/red]", highlight=False)
    partial.rename(final)


def _supervise(
    job: dict[str, Any], log_path: Path, progress: Progress, task: TaskID, stop: threading.Event
) -> str | None:
    """Run one unit's process to its end; return why it failed, or None.

    Its standard output is one JSON object a line: progress, then ``{"done": true}`` or ``{"error": text}``.
    """
    with log_path.open("wb") as log_file:
        process = subprocess.Popen(
            [sys.executable, "-m", "bridge.unit"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log_file,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        lines: queue.Queue[str | None] = queue.Queue()
        reader = threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True)
        reader.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(job) + "\n")
                process.stdin.flush()
            return _follow(process, lines, log_path, progress, task, stop)
        finally:
            # The child stops its simulator when its standard input closes or it is told to terminate.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(20.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10.0)
            reader.join(5.0)
            process.stdout.close()


def _pump(stream: Any, lines: queue.Queue[str | None]) -> None:
    with contextlib.suppress(ValueError):  # the stream is closed under us when the unit is stopped
        for line in stream:
            lines.put(line)
    lines.put(None)


def _follow(
    process: subprocess.Popen[str],
    lines: queue.Queue[str | None],
    log_path: Path,
    progress: Progress,
    task: TaskID,
    stop: threading.Event,
) -> str | None:
    last_heard = time.monotonic()
    finished = False
    while True:
        try:
            line = lines.get(timeout=0.5)
        except queue.Empty:
            if stop.is_set():
                process.terminate()
                return "stopped"
            if time.monotonic() - last_heard > SILENCE_DEADLINE_S:
                process.kill()
                return f"no progress for {SILENCE_DEADLINE_S:.0f} s, stopped; see {log_path}"
            continue
        last_heard = time.monotonic()
        if line is None:
            break
        try:
            message = json.loads(line)
        except ValueError:
            log.warning("unexpected output of a unit: %r", line)
            continue
        if "error" in message:
            return str(message["error"])
        finished = finished or bool(message.get("done"))
        progress.update(task, **{k: message[k] for k in ("completed", "total", "note") if k in message})
    if finished:
        return None
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10.0)
    return f"its process ended with status {process.returncode} before it was finished; see {log_path}"

"""Catalogue throughput: seconds of scenario per second of wall time without cameras, by one worker and by two.

Both runs are of the same units through ``reality run``, each worker with its own engine. The workers' start is left
out, and so is the end, when one worker has nothing left to do: counted is the time in which all of them work. The
limit of two workers is twice the rate of one. A third row tells what the machine itself gives: the same work done by
two processes that have nothing to do with each other, no engine and no disk, only the executor; where that is not
near two, a second core is missing (busy, or the same core's second thread), and no runner can be.

Processor time is told too. Where a worker and its engine work at once, one worker keeps more than one processor
busy: of two processors two workers cannot make more than 2 / that figure. What a second of scenario costs with two
workers beside one is 1 where nothing is done twice and neither caches nor clocks suffer.
"""

from __future__ import annotations

import contextlib
import csv
import json
import multiprocessing
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import psutil
from rich.console import Console

from benchmarks.__main__ import INFORMATION, Row
from bridge import run as runs
from bridge.planfile import RunOptions
from scenarios.catalogue import SCENARIOS
from scenarios.openscenario import Execution, load
from scenarios.openscenario.bare_port import BarePort, kinematic_controllers

NAMES = ("child_runs_out", "adult_jaywalks_night", "motorway_cut_in_rain", "cpna", "ccrs", "alks_cut_in", "u_turn")
SAMPLES, STEP_S = 8, 0.05
TARGET = ">= 1.7"
PLAIN = "cbla"
PLAIN_RUNS = 6


@dataclass(frozen=True)
class Done:
    """One unit of a run: when it began and ended, by the clock, and how long it was in the scenario, all s."""

    began: float
    ended: float
    simulated: float


@dataclass(frozen=True)
class Throughput:
    """What a run has done while all its workers worked.

    Attributes:
        rate: seconds of scenario per second of wall time.
        cores: processors that everything the run has started kept busy, on average.
    """

    rate: float
    cores: float


def units_done(out: Path) -> list[Done]:
    """Return the units of a run in ``out`` that have a result, as their last tries were timed."""
    found = []
    with (out / "timings.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["outcome"] != "done":
                continue
            result = json.loads((out / "scenarios" / row["unit"] / "result.json").read_text(encoding="utf-8"))
            began = datetime.fromisoformat(row["started"]).timestamp()
            found.append(Done(began, began + float(row["wall_s"]), result["frames"] * STEP_S))
    return sorted(found, key=lambda unit: unit.ended)


def steady(units: list[Done], workers: int) -> tuple[float, float]:
    """Return from when to when ``workers`` units were worked on at any time, each worker's first unit left out.

    Raises:
        ValueError: there was no such time.
    """
    if len(units) < 3 * workers:
        raise ValueError(f"{len(units)} units are too few for {workers} workers")
    begins = sorted(unit.began for unit in units)
    first = max(units[:workers], key=lambda unit: unit.ended).ended  # everybody has started an engine
    last = min(unit.ended for unit in units if unit.ended > begins[-1])  # from here on somebody has nothing to do
    if last <= first:
        raise ValueError("the workers have never all worked")
    return first, last


def simulated_s(units: list[Done], first: float, last: float) -> float:
    """Return the seconds of scenario between two moments; a unit that lies between them in part counts in part."""
    shares = ((min(unit.ended, last) - max(unit.began, first)) / (unit.ended - unit.began) for unit in units)
    return sum(max(0.0, share) * unit.simulated for share, unit in zip(shares, units))


class Meter:
    """Processor time of this process and all that come from it, looked at five times a second while it is on.

    Servers that are killed are never waited for by their parents, so the system's own sums miss them.
    """

    def __init__(self) -> None:
        self._used: dict[tuple[int, float], float] = {}
        self._seen: list[tuple[float, float]] = []
        self._off = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._off.set()
        self._thread.join()

    def between(self, first: float, last: float) -> float:
        """Return the seconds used between two moments, as ``time.time()`` tells them."""
        times, totals = zip(*self._seen)
        return float(np.interp(last, times, totals) - np.interp(first, times, totals))

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._off.is_set():
            for process in (me, *me.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    self._used[process.pid, process.create_time()] = sum(process.cpu_times()[:2])
            self._seen.append((time.time(), sum(self._used.values())))
            self._off.wait(0.2)


def throughput(workers: int, folder: Path) -> Throughput:
    """Run the units by so many workers."""
    options = RunOptions(targets=NAMES, samples=SAMPLES, seeds=(1,), rigs=("none",), step_s=STEP_S)
    with Meter() as meter:
        runs.run(options, folder, runs.Effort(workers=workers), console=Console(quiet=True))
    units = units_done(folder)
    first, last = steady(units, workers)
    return Throughput(simulated_s(units, first, last) / (last - first), meter.between(first, last) / (last - first))


def _plain(runs: int) -> None:
    for _ in range(runs):
        scenario = load(SCENARIOS[PLAIN].scenario)
        execution = Execution(scenario, None, BarePort(), STEP_S, 0, kinematic_controllers(), default_motion=True)
        execution.start()
        while not execution.finished:
            execution.step()


def machine_gain() -> float:
    """Return how much more two processes do than one on this machine, of work that is the executor's alone."""
    context = multiprocessing.get_context("spawn")

    def seconds(count: int) -> float:
        with context.Pool(count) as pool:
            pool.map(_plain, [1] * count)  # imports
            began = time.perf_counter()
            pool.map(_plain, [PLAIN_RUNS] * count, chunksize=1)
            return time.perf_counter() - began

    return 2.0 * seconds(1) / seconds(2)


def run() -> list[Row]:
    """Return the rows."""
    with tempfile.TemporaryDirectory() as name:
        one, two = (throughput(workers, Path(name) / f"{workers}") for workers in (1, 2))
    gain = machine_gain()
    unit = "scenario s / wall s"
    return [
        {
            "name": "catalogue without cameras, 1 worker, beside real time", "value": one.rate, "unit": unit,
            "limit_value": 1.0, "ratio": one.rate, "target": INFORMATION,
        },
        {
            "name": "catalogue without cameras, 2 workers, beside 1", "value": two.rate, "unit": unit,
            "limit_value": one.rate, "ratio": two.rate / one.rate, "target": TARGET,
        },
        {
            "name": "processors that 2 workers keep busy, beside 1", "value": two.cores, "unit": "processors",
            "limit_value": one.cores, "ratio": two.cores / one.cores, "target": INFORMATION,
        },
        {
            "name": "processor time for a second of scenario, 2 workers beside 1", "value": two.cores / two.rate,
            "unit": "s", "limit_value": one.cores / one.rate,
            "ratio": two.cores / two.rate / (one.cores / one.rate), "target": INFORMATION,
        },
        {
            "name": "two processes without anything shared, beside 1", "value": gain, "unit": "times",
            "limit_value": 2.0, "ratio": gain / 2.0, "target": INFORMATION,
        },
    ]  # fmt: skip

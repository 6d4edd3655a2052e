"""From ``reality serve`` to the first tick, and the memory the server then holds; the limits are fixed budgets."""

from __future__ import annotations

import statistics
import time

import psutil

from benchmarks.__main__ import Row
from bridge import simulators

START_BUDGET_S = 3.0
MEMORY_BUDGET_MB = 700.0


def _start_once() -> tuple[float, float]:
    began = time.perf_counter()
    with simulators.start("embedded") as simulator:
        world = simulator.connect().get_world()
        settings = world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
        world.apply_settings(settings)
        world.tick(20.0)
        elapsed_s = time.perf_counter() - began
        assert simulator.pid is not None
        memory_mb = psutil.Process(simulator.pid).memory_info().rss / 2**20
        return elapsed_s, memory_mb


def run() -> list[Row]:
    """Start the server three times; report the median time and the largest memory."""
    runs = [_start_once() for _ in range(3)]
    elapsed_s = statistics.median(run[0] for run in runs)
    memory_mb = max(run[1] for run in runs)
    return [
        Row(
            name="start of the server to the first tick",
            value=elapsed_s,
            unit="s",
            limit_value=START_BUDGET_S,
            ratio=elapsed_s / START_BUDGET_S,
            target="<= 1",
        ),
        Row(
            name="resident memory after the first tick",
            value=memory_mb,
            unit="MB",
            limit_value=MEMORY_BUDGET_MB,
            ratio=memory_mb / MEMORY_BUDGET_MB,
            target="<= 1",
        ),
    ]

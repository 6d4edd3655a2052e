"""Labelled low-resolution samples per minute, every parameter changed for each, and the time an audit takes.

Everything is included: processes, engines, the genuine client, labels; two workers for two cores. The limit of the
first figure is what the loop needs; that of the second is what drawing the audit's pictures alone would take at the
first figure's rate.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.__main__ import INFORMATION, Row
from bridge.space import measuring, targets
from bridge.studio import Studio, road_users

WARM, MEASURED = 200, 1000
WORKERS = 2
NEEDED = 600.0
PARAMETER = "distance"


def samples_per_minute() -> tuple[float, float]:
    """Return valid labelled samples per minute, and the seconds from starting the studio to its first still."""
    rng = np.random.default_rng(0)
    space = road_users.SPACE
    scenes = (road_users.scene(space.values(rng.random(space.dimension)), number) for number in range(WARM + MEASURED))
    began = time.monotonic()
    first = started = 0.0
    valid = 0
    with Studio(road_users.MAP_NAME, road_users.CAMERA, workers=WORKERS) as studio:
        for number, still in enumerate(studio.stills(scenes)):
            if number == 0:
                first = time.monotonic() - began
            if number == WARM:
                started = time.monotonic()
                valid = 0
            valid += road_users.label(still).valid
        return valid / (time.monotonic() - started) * 60.0, first


def audit_seconds() -> tuple[float, int]:
    """Return the seconds to audit one parameter at the default options, and how many pictures that takes."""
    target = targets.resolve(targets.ROAD_USERS, ())
    pictures = 0

    def count(progress: measuring.Progress) -> None:
        nonlocal pictures
        pictures = progress.done

    with tempfile.TemporaryDirectory() as folder, target.renderer(WORKERS, 0) as renderer:
        began = time.monotonic()
        measuring.audit(target, (PARAMETER,), measuring.Options(), Path(folder), renderer, count)
        return time.monotonic() - began, pictures


def run() -> list[Row]:
    """Measure both, one after the other."""
    rate, first_s = samples_per_minute()
    seconds, pictures = audit_seconds()
    alone_s = pictures / rate * 60.0
    return [
        _row("labelled 160x120 samples, all parameters changed, 2 workers", rate, "1/min", NEEDED, ">= 1"),
        _row("a studio's first still after its start", first_s, "s", 10.0, INFORMATION),
        _row(f"audit of one parameter, {pictures} pictures, beside drawing them", seconds, "s", alone_s, "<= 2"),
    ]


def _row(name: str, value: float, unit: str, limit: float, target: str) -> Row:
    return Row(name=name, value=value, unit=unit, limit_value=limit, ratio=value / limit, target=target)

"""What the studio and its workers say to each other. (A module of its own: pickles name it, whoever runs as main.)"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.studio.scenes import StillCamera


@dataclass(frozen=True)
class Job:
    """What a worker is for.

    Attributes:
        stage: "module:Class" of what draws the items: ``Class(client, camera)`` with ``shoot(item)`` and ``close()``.
        map_name: the map's name or file. camera: the one camera. seed: of the engine. log_path: where the engine logs.
    """

    stage: str
    map_name: str
    camera: StillCamera
    seed: int
    log_path: Path


@dataclass(frozen=True, eq=False)
class Answer:
    """What became of an item, or why nothing did (``error``: its own fault, another try would not help)."""

    result: Any = None
    error: str | None = None
    engine_pid: int | None = None

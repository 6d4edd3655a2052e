"""What the studio and its workers say to each other. (A module of its own: pickles name it, whoever runs as main.)"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bridge.studio.scenes import Still, StillCamera


@dataclass(frozen=True)
class Job:
    """What a worker is for: the map's name or file, the camera, the engine's seed, and where the engine logs."""

    map_name: str
    camera: StillCamera
    seed: int
    log_path: Path


@dataclass(frozen=True, eq=False)
class Answer:
    """A still, or why there is none (``error``: the scene's own fault, another try would not help)."""

    still: Still | None = None
    error: str | None = None
    engine_pid: int | None = None

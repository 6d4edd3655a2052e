"""What passes from the worker to the window: values that nobody changes afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bridge.drive.pedals import Controls
from foundation.frames import Floats

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Box:
    """A label to draw on a picture, in the picture's pixels.

    Attributes:
        rect: left, top, right, bottom of the visible pixels.
        edges: (N, 2, 2) ends of the 3D box's edges.
    """

    rect: tuple[float, float, float, float]
    edges: Floats
    text: str
    color: tuple[int, int, int]


@dataclass(frozen=True)
class Shot:
    """What one sensor shows: an image, or points to be seen from above.

    Attributes:
        image: (H, W, 3) uint8.
        points: (N, 3) float32 lidar points, sensor axes.  tags: (N,) of a semantic lidar.
        boxes: labels, in the image's pixels.
    """

    title: str
    image: Pixels | None = None
    points: npt.NDArray[np.float32] | None = None
    tags: Pixels | None = None
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Instruments:
    """Everything the instruments show of one frame. Units are in the names; None is "there is none"."""

    frame: int = 0
    time_s: float = 0.0
    speed_kmh: float = 0.0
    limit_kmh: float | None = None
    gear: str = "1"
    rpm: float = 0.0
    controls: Controls = field(default_factory=Controls)
    autopilot: bool = False
    heading_deg: float = 0.0
    ttc_s: float | None = None
    ttc_with: str = ""
    gap_m: float | None = None
    lane: str = ""
    lane_offset_m: float | None = None
    lane_width_m: float | None = None
    place: str = ""
    vehicle: str = ""
    map_name: str = ""
    weather: str = ""
    clock: str = ""
    lights: tuple[str, ...] = ()
    cars: int = 0
    people: int = 0
    server_ms: float = 0.0
    rate_hz: float = 0.0
    real_time: float = 1.0
    speed_factor: float = 1.0
    paused: bool = False
    simulator: str = ""
    view: str = ""
    sensor: str = ""
    detail: str = ""
    labels: int | None = None
    rec_s: float | None = None
    rec_frames: int = 0
    scenario: str = ""
    sample: int = 1
    waiting: bool = False


@dataclass(frozen=True)
class Verdict:
    """How a scenario ended: ``pass``, ``fail`` or ``incomplete``, the reasons, and figures as (name, value)."""

    verdict: str
    title: str
    reasons: tuple[str, ...]
    criteria: tuple[tuple[bool, str], ...]
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Picture:
    """One frame of the session, ready to be drawn."""

    number: int
    main: Shot
    inset: Shot | None
    instruments: Instruments
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Notice:
    """A short message to the person; ``level`` is info, saved (a file is complete), warning or alarm."""

    text: str
    level: str = "info"

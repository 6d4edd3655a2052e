"""What stands in this window? One of twelve kinds, seen by the ego's camera in the town, at 160x120.

The pictures are windows of stills of :mod:`bridge.studio.road_users`, cut out around the road user as a detector would
hand it on: with a margin, not quite centred, and for what is far away no smaller than :data:`LEAST_PX`, so that no
pixel of the camera is lost. Labels and masks come from the same rasterization as the colours. A sample is valid when at
least ``road_users.MIN_PIXELS`` pixels of its road user are visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from bridge.studio import road_users
from foundation.seeds import generator
from learning.loop.task import Producer, Sample
from scenarios.sampling import Space, Trial

if TYPE_CHECKING:
    from bridge.studio import Studio

WINDOW_PX = 48
"""Side of the pictures."""
LEAST_PX = 40
"""Least side of what is cut out of the camera's picture."""
MARGIN = 1.5
"""Side of the window over the longer side of the box."""
JITTER = 0.1
"""How far the box's centre may be off the window's, as a share of the window's side."""

Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


class RoadUsers:
    """The shipped task; see :class:`learning.loop.task.Task`."""

    name: str = "road_users"
    space: Space = road_users.SPACE
    class_parameter: str = "class"
    classes: tuple[str, ...] = road_users.CLASSES

    @contextmanager
    def open(self, workers: int, seed: int) -> Iterator[Producer]:
        """Start a studio with so many engines; ``seed`` is of the town: what grows beside its streets."""
        from bridge.studio import Studio

        with Studio(road_users.MAP_NAME, road_users.CAMERA, workers=workers, seed=seed) as studio:
            yield _Stills(studio)


class _Stills:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def produce(self, trials: Iterable[Trial]) -> Iterator[Sample]:
        """See :class:`learning.loop.task.Producer`."""
        trials = list(trials)
        scenes = (road_users.scene(trial.values, trial.seed, trial.id) for trial in trials)
        for trial, still in zip(trials, self._studio.stills(scenes), strict=True):
            seen = road_users.label(still)
            left, top, side = window(seen.box, still.rgb.shape[:2], trial.seed)
            cut = slice(top, top + side), slice(left, left + side)
            image = Image.fromarray(np.ascontiguousarray(still.rgb[cut]))
            mask = Image.fromarray(np.ascontiguousarray(still.mask(road_users.TARGET)[cut]))
            size = (WINDOW_PX, WINDOW_PX)
            how = Image.Resampling.BOX if side >= WINDOW_PX else Image.Resampling.BILINEAR
            yield Sample(
                trial,
                np.asarray(image.resize(size, how)),
                str(trial.values["class"]),
                np.asarray(mask.resize(size, Image.Resampling.NEAREST)),
                seen.valid,
            )


def window(box: tuple[int, int, int, int] | None, shape: tuple[int, int], seed: int) -> tuple[int, int, int]:
    """Return (left, top, side) of the square window around a box, inside the picture.

    Args:
        box: (left, top, right, bottom), right and bottom exclusive; None gives the middle of the picture.
        shape: (height, width) of the picture.
        seed: of how far the box is off the window's centre.
    """
    height, width = shape
    left, top, right, bottom = box or (width // 2, height // 2, width // 2, height // 2)
    side = min(max(round(MARGIN * max(right - left, bottom - top)), LEAST_PX), height, width)
    off = JITTER * side * generator(seed, "window").uniform(-1.0, 1.0, 2)
    x = round((left + right - side) / 2.0 + off[0])
    y = round((top + bottom - side) / 2.0 + off[1])
    return min(max(x, 0), width - side), min(max(y, 0), height - side), side


TASK = RoadUsers()

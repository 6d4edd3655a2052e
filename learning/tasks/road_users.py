"""Which road user is this? One of seven kinds, seen by the ego's camera in the town, at 160x120.

The pictures are stills of :mod:`bridge.studio.road_users`, labels and masks from the same rasterization. A sample is
valid when at least ``road_users.MIN_PIXELS`` pixels of its road user are visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bridge.studio import road_users
from learning.loop.task import Producer, Sample
from scenarios.sampling import Space, Trial

if TYPE_CHECKING:
    from bridge.studio import Studio


class RoadUsers:
    """The shipped task; see :class:`learning.loop.task.Task`."""

    name: str = "road_users"
    space: Space = road_users.SPACE
    class_parameter: str = "class"
    classes: tuple[str, ...] = road_users.CLASSES
    # What surrounds the road user and is not it: the context rule of the inspection may change these.
    nuisances: tuple[str, ...] = (
        *("place", "along", "clutter", "sun_altitude", "sun_azimuth"),
        *("cloudiness", "wind", "fog", "precipitation", "wetness"),
    )

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
            yield Sample(
                trial,
                still.rgb,
                str(trial.values["class"]),
                still.mask(road_users.TARGET),
                road_users.label(still).valid,
            )


TASK = RoadUsers()

"""Sensors on the ego for observations and pictures: mounted at the episode's start, read at the end of a decision."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import carla
import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError
from sensors import capture
from sensors.readings import CameraReading, Reading
from sensors.rig import AnyMount, Camera, Pose, Rig

log = logging.getLogger(__name__)

SENSOR_DEADLINE_S = 30.0
VIEWS = ("chase", "hood")


def camera_mount(name: str, view: str, size: tuple[int, int], period_s: float) -> Camera:
    """Return a camera behind and above the ego (``chase``) or on its bonnet (``hood``)."""
    if view not in VIEWS:
        raise RealityError(f"render_view: {view!r} is neither chase nor hood")
    width, height = size
    if view == "chase":
        pose = Pose(x=-7.0, z=3.2, pitch=-12.0)
        return Camera(
            name=name, type="camera", anchor="origin", pose=pose, width=width, height=height, fov_deg=80.0,
            period_s=period_s,
        )  # fmt: skip
    return Camera(
        name=name, type="camera", anchor="front", pose=Pose(x=0.05, z=1.4), width=width, height=height, fov_deg=90.0,
        period_s=period_s,
    )  # fmt: skip


class Watch:
    """The mounted sensors of one episode.

    Attributes:
        readings: the newest reading of each mount, by its name.
    """

    def __init__(self, world: carla.World, ego: carla.Actor, mounts: Sequence[AnyMount], seed: int) -> None:
        self._capture = capture.attach(world, ego, Rig(name="environment", sensors=tuple(mounts)), seed)
        self.readings: dict[str, Reading] = {}

    def take(self, frame_id: int) -> None:
        """Read the sensors that were due in the frame just ticked."""
        self.readings.update(self._capture.frame(frame_id, SENSOR_DEADLINE_S).readings)

    def picture(self, name: str) -> npt.NDArray[np.uint8]:
        """Return the newest picture of a camera, (H, W, 3) uint8."""
        reading = self.readings.get(name)
        if not isinstance(reading, CameraReading) or reading.rgb is None:
            raise RealityError(f"camera {name} has taken no picture yet")
        return np.array(reading.rgb)

    def close(self) -> None:
        """Take the sensors down. Never raises: a server that has gone took them with it."""
        self._capture.close()


__all__ = ["VIEWS", "Watch", "camera_mount"]

"""Observations of real sensors on the ego: ``camera`` and ``lidar``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import pydantic

from foundation.errors import RealityError
from learning.envs.route import Route
from learning.envs.scene import Scene
from sensors import rig as rigs
from sensors.readings import CameraReading, LidarReading, Reading
from sensors.rig import AnyMount, Camera, Lidar, Pose, Rig


class CameraObserver:
    """``camera``: the picture of a camera, (H, W, 3) uint8.

    Args:
        width, height, fov_deg: of a camera on the ego's nose, looking ahead.
        pitch_deg: how far it looks up.
        rig, mount: instead of those: a rig file (or one that comes with us) and the name of a camera of it.

    Raises:
        RealityError: an argument cannot be used.
    """

    def __init__(
        self,
        *,
        width: int = 84,
        height: int = 84,
        fov_deg: float = 90.0,
        pitch_deg: float = 0.0,
        rig: str | Path | Rig | None = None,
        mount: str | None = None,
    ) -> None:
        self._camera = _of_rig(rig, mount) if rig is not None else _camera(width, height, fov_deg, pitch_deg)
        self.space: gymnasium.spaces.Box[Any] = gymnasium.spaces.Box(
            0, 255, (self._camera.height, self._camera.width, 3), np.uint8
        )
        self._name = ""

    def mounts(self, name: str, period_s: float, step_s: float) -> Sequence[AnyMount]:
        """Return the camera."""
        self._name = name
        return (self._camera.model_copy(update={"name": name, "outputs": ("rgb",), "period_s": period_s}),)

    def observe(
        self, scene: Scene, route: Route, readings: Mapping[str, Reading], max_time_s: float
    ) -> npt.NDArray[np.uint8]:
        """Return the newest picture."""
        reading = readings.get(self._name)
        if not isinstance(reading, CameraReading) or reading.rgb is None:
            raise RealityError("the camera has taken no picture yet")
        return np.array(reading.rgb)


def _camera(width: int, height: int, fov_deg: float, pitch_deg: float) -> Camera:
    try:
        return Camera(
            name="camera", type="camera", anchor="front", pose=Pose(x=0.05, z=1.4, pitch=pitch_deg), width=width,
            height=height, fov_deg=fov_deg,
        )  # fmt: skip
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise RealityError(f"observation camera: {first['loc'][0]}: {first['msg']}") from None


def _of_rig(source: str | Path | Rig, mount: str | None) -> Camera:
    rig = source if isinstance(source, Rig) else rigs.load(source)
    cameras = {camera.name: camera for camera in rig.cameras}
    if not cameras:
        raise RealityError(f"observation camera: rig {rig.name} has no camera")
    if mount is not None and mount not in cameras:
        raise RealityError(f"observation camera: rig {rig.name} has no camera {mount!r}; it has {', '.join(cameras)}")
    return cameras[mount] if mount is not None else next(iter(cameras.values()))


class LidarObserver:
    """``lidar``: one full turn, as a range image or as points.

    Args:
        channels, columns: rays up and down, and around.
        range_m: of the sensor.
        upper_fov_deg, lower_fov_deg: elevation of the highest and the lowest ray.
        points: 0 for a range image, (channels, columns) float32: distance over range, 1 where nothing came back; the
            top row is the highest ray, the middle column looks ahead. Else how many points: (points, 4) float32, x, y,
            z over range (forward, right, up from the sensor) and intensity, rows of zeros where there are fewer; of
            more every k-th is taken.

    Raises:
        RealityError: an argument cannot be used.
    """

    def __init__(
        self,
        *,
        channels: int = 16,
        columns: int = 180,
        range_m: float = 50.0,
        upper_fov_deg: float = 5.0,
        lower_fov_deg: float = -20.0,
        points: int = 0,
    ) -> None:
        if not 1 <= channels <= 128 or not 8 <= columns <= 4096 or not range_m > 0.0 or points < 0:
            raise RealityError(
                f"observation lidar: channels {channels} (1 .. 128), columns {columns} (8 .. 4096), range_m {range_m} "
                f"(more than 0) or points {points} (0 or more) is out of its limits"
            )
        self._channels, self._columns, self._range_m, self._points = channels, columns, float(range_m), points
        self._fov = (upper_fov_deg, lower_fov_deg)
        self._name = ""
        self.space: gymnasium.spaces.Box[Any] = (
            gymnasium.spaces.Box(-1.0, 1.0, (points, 4), np.float32)
            if points
            else gymnasium.spaces.Box(0.0, 1.0, (channels, columns), np.float32)
        )

    def mounts(self, name: str, period_s: float, step_s: float) -> Sequence[AnyMount]:
        """Return the lidar: on the roof, without noise or drop-off, a full turn in every tick it is read."""
        self._name = name
        settings: dict[str, bool | int | float | str] = {
            "channels": self._channels,
            "range": self._range_m,
            "points_per_second": round(self._channels * self._columns / step_s),
            "rotation_frequency": 1.0 / step_s,
            "upper_fov": self._fov[0],
            "lower_fov": self._fov[1],
            "dropoff_general_rate": 0.0,
            "dropoff_intensity_limit": 0.0,
            "dropoff_zero_intensity": 0.0,
            "noise_stddev": 0.0,
        }
        pose = Pose(z=0.5)
        return (Lidar(name=name, type="lidar", anchor="roof", pose=pose, period_s=period_s, attributes=settings),)

    def observe(
        self, scene: Scene, route: Route, readings: Mapping[str, Reading], max_time_s: float
    ) -> npt.NDArray[np.float32]:
        """Return the newest turn."""
        reading = readings.get(self._name)
        if not isinstance(reading, LidarReading):
            raise RealityError("the lidar has measured nothing yet")
        return self._as_points(reading) if self._points else self._as_image(reading)

    def _as_points(self, reading: LidarReading) -> npt.NDArray[np.float32]:
        rows = np.zeros((self._points, 4), np.float32)
        count = len(reading.points)
        step = max(1, math.ceil(count / self._points))
        chosen = slice(None, None, step)
        kept = reading.points[chosen]
        rows[: len(kept), :3] = np.clip(kept / self._range_m, -1.0, 1.0)
        if reading.intensity is not None:
            rows[: len(kept), 3] = np.clip(reading.intensity[chosen], 0.0, 1.0)
        return rows

    def _as_image(self, reading: LidarReading) -> npt.NDArray[np.float32]:
        image = np.ones((self._channels, self._columns), np.float32)
        points = reading.points
        azimuth = np.arctan2(points[:, 1], points[:, 0])
        # Rays are shot at whole multiples of the column's angle, so a column is what lies around its ray.
        column = (np.rint(azimuth / (2.0 * np.pi) * self._columns).astype(np.intp) + self._columns // 2) % self._columns
        row = np.repeat(np.arange(self._channels), reading.points_per_channel)
        distance = np.sqrt((points.astype(np.float64) ** 2).sum(axis=1)) / self._range_m
        np.minimum.at(image, (row, column), np.clip(distance, 0.0, 1.0))
        return image


__all__ = ["CameraObserver", "LidarObserver"]

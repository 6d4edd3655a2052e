"""``sensor.camera.dvs``: an event camera. Source of the model: CARLA 0.9.16, ``Sensor/DVSCamera.cpp`` (after ESIM)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from engine.sensors.base import SensorContext, boolean, integer, number, register
from engine.sensors.camera import IMAGE_HEADER, Pictures, RgbCamera
from sensors.models import dvs

EVENT = np.dtype([("x", "<u2"), ("y", "<u2"), ("t", "<i8"), ("positive", "u1")])
"""13 bytes an event; t in nanoseconds of the episode."""


@register("sensor.camera.dvs")
class DvsCamera(RgbCamera):
    """Changes of brightness, pixel by pixel, between two pictures of a colour camera. No message without events."""

    type_index = 3

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self._pixels = dvs.EventPixels(
            thresholds=(number(attributes, "positive_threshold", 0.3), number(attributes, "negative_threshold", 0.3)),
            sigmas=(
                number(attributes, "sigma_positive_threshold", 0.0),
                number(attributes, "sigma_negative_threshold", 0.0),
            ),
            refractory_ns=integer(attributes, "refractory_period_ns", 0),
            rng=self.rng,
        )
        self._log = boolean(attributes, "use_log", True)
        self._log_eps = number(attributes, "log_eps", 0.001)
        if self._log and self._log_eps <= 0.0:
            raise ValueError(f"attribute log_eps: {self._log_eps} is not positive")

    def encode(self, pictures: Pictures, context: SensorContext) -> bytes | None:
        """Return the events since the last picture, in order of time; None when there are none."""
        picture = self.seen(pictures, context)
        grey = dvs.grey(picture[..., 2::-1])
        brightness = dvs.log_brightness(grey, self._log_eps) if self._log else grey
        found = self._pixels.step(brightness, round(context.elapsed_s * 1e9))
        if not len(found.t_ns):
            return None
        events: npt.NDArray[np.void] = np.zeros(len(found.t_ns), dtype=EVENT)
        events["x"], events["y"], events["t"], events["positive"] = found.x, found.y, found.t_ns, found.positive
        return IMAGE_HEADER.pack(self.width, self.height, self.fov) + events.tobytes()

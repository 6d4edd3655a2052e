"""``sensor.camera.optical_flow``: how far what is seen at each pixel has moved on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from engine.render.view import Past, View
from engine.sensors.base import Sensor, SensorContext, interval_s, register
from engine.sensors.camera import Camera


@register("sensor.camera.optical_flow")
class OpticalFlow(Camera):
    """Motion since this camera's previous picture, by its own movement and by that of actors and their limbs.

    As in CARLA the picture counts as 2 wide and 2 high, x to the right and y **up**: a pixel (column, row) of this
    picture was at (column - x * width / 2, row + y * height / 2) in the previous one. Values are limited to +-2.
    The first picture after a pause has no predecessor: its motion is 0.
    """

    type_index = 8
    picture: ClassVar[str] = "flow"

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self._past: tuple[float, Past] | None = None

    def view(self, context: SensorContext) -> View:
        """Return the view of this frame, and remember it for the next picture."""
        before = None
        if self._past is not None:
            gap_s = interval_s(self._past[0], context.elapsed_s)
            if 0.0 < gap_s <= max(self.period_s, 0.0) + 1.5 * context.delta_s:
                before = self._past[1]
        self._past = context.elapsed_s, Past(Sensor.pose(self, context), np.array(context.table.rows))
        return super().view_from(context, before)

"""``sensor.camera.cosmos_visualization``: a drawing of the road and who is on it, for world models."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.sensors.base import SensorContext, register
from engine.sensors.camera import Camera, Pictures, image_body
from foundation.ids import Tag

LANE, LINE, BOUNDARY = (56, 103, 221), (98, 183, 249), (200, 36, 35)
COLORS: dict[Tag, tuple[int, int, int]] = {
    Tag.ROADS: LANE,
    Tag.ROAD_LINES: LINE,
    Tag.POLES: (66, 40, 144),
    Tag.TRAFFIC_SIGNS: (131, 175, 155),
    Tag.TRAFFIC_LIGHT: (252, 157, 155),
    Tag.PEDESTRIANS: (0, 255, 0),
    **dict.fromkeys(
        (Tag.CAR, Tag.TRUCK, Tag.BUS, Tag.TRAIN, Tag.MOTORCYCLE, Tag.BICYCLE, Tag.RIDER),
        (255, 0, 0),
    ),
}
"""RGB by tag; everything else is black."""

_TABLE = np.zeros((256, 4), dtype=np.uint8)
_TABLE[:, 3] = 255
for _tag, _color in COLORS.items():
    _TABLE[int(_tag), :3] = _color[::-1]


@register("sensor.camera.cosmos_visualization")
class CosmosCamera(Camera):
    """CARLA's colours of road, lines, road edges, poles, signs, lights, vehicles and people, on black.

    CARLA draws lines and boxes from map and actors; here the surfaces themselves are painted, so that what is hidden
    stays hidden. The rim of the road, where it meets anything that is no road, is drawn as its boundary.
    """

    type_index = 16
    picture = "semantic"

    def encode(self, pictures: Pictures, context: SensorContext) -> bytes | None:
        """Return the picture."""
        tags = self.seen(pictures, context)[..., 2]
        drawing: npt.NDArray[np.uint8] = _TABLE[tags]
        paved = (tags == Tag.ROADS) | (tags == Tag.ROAD_LINES)
        beside = (tags == Tag.SIDEWALKS) | (tags == Tag.TERRAIN) | (tags == Tag.GROUND) | (tags == Tag.GUARD_RAIL)
        rim = np.zeros_like(paved)
        rim[:, 1:] |= beside[:, :-1]
        rim[:, :-1] |= beside[:, 1:]
        rim[1:] |= beside[:-1]
        rim[:-1] |= beside[1:]
        drawing[rim & paved, :3] = BOUNDARY[::-1]
        return image_body(drawing, self.fov)

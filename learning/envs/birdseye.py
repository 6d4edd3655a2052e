"""The observation ``birdseye``: the ego's surroundings from above as layers of an image, the ego looking up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import gymnasium
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from foundation.errors import RealityError
from learning.envs.route import ROAD_TYPES, Route
from learning.envs.scene import PEDESTRIAN, TWO_WHEELER, Scene, in_frame
from scenarios.opendrive import LaneKey, RoadNetwork
from sensors.readings import Reading
from sensors.rig import AnyMount

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

CHANNELS = ("road", "lane_edges", "route", "ego", "vehicles", "vulnerable")
"""Layers, in order: carriageway; edges of its lanes; the route's lane; the ego; cars and things; people and
two-wheelers. Each 255 where there is one, else 0."""
MAX_MAP_PIXELS = 60_000_000
MAP_STEP_M = 2.0
MARGIN_M = 5.0


class Birdseye:
    """Draws the layers.

    Args:
        network: the road network.
        size: height and width in pixels.
        pixels_per_m: scale.
        behind: share of the height that lies behind the ego.
        only_visible: leave out whom the driver cannot see.

    Raises:
        RealityError: an argument cannot be used.
    """

    def __init__(
        self,
        network: RoadNetwork,
        *,
        size: int = 96,
        pixels_per_m: float = 2.0,
        behind: float = 0.25,
        only_visible: bool = False,
    ) -> None:
        if not 16 <= size <= 1024 or not 0.1 <= pixels_per_m <= 20.0 or not 0.0 <= behind <= 1.0:
            raise RealityError(
                f"birdseye: size {size} (16 .. 1024), pixels_per_m {pixels_per_m} (0.1 .. 20) or behind {behind} "
                "(0 .. 1) is out of its limits"
            )
        self.space = gymnasium.spaces.Box(0, 255, (len(CHANNELS), size, size), np.uint8)
        self._size, self._scale, self._only_visible = size, pixels_per_m, only_visible
        self._row = (1.0 - behind) * size  # of the ego's middle
        rows, columns = np.mgrid[0:size, 0:size] + 0.5
        self._ahead = ((self._row - rows) / pixels_per_m).reshape(-1)
        self._right = ((columns - 0.5 * size) / pixels_per_m).reshape(-1)
        self._map = _StaticMap(network, pixels_per_m)

    def mounts(self, name: str, period_s: float, step_s: float) -> Sequence[AnyMount]:
        """Nothing is mounted for it."""
        return ()

    def observe(self, scene: Scene, route: Route, readings: Mapping[str, Reading], max_time_s: float) -> Bytes:
        """Return (6, H, W) uint8."""
        size, ego = self._size, scene.ego
        layers = np.zeros((len(CHANNELS), size, size), np.uint8)
        c, s = np.cos(ego.yaw), np.sin(ego.yaw)
        x = ego.x + c * self._ahead - s * self._right
        y = ego.y + s * self._ahead + c * self._right
        layers[0:2] = self._map.sample(x, y).reshape(2, size, size)
        layers[2] = self._route(scene, route)
        layers[3] = self._boxes(_corners(np.zeros((1, 2)), np.zeros(1), np.array([[ego.length, ego.width]])))
        others = scene.others
        if len(others):
            reach = 1.5 * size / self._scale + 20.0
            near = np.abs(others.xy - (ego.x, ego.y)).max(axis=1) < reach
            if self._only_visible:
                near &= others.visible
            corners = _corners(in_frame(ego, others.xy), others.yaw - ego.yaw, others.size)
            soft = (others.kind == PEDESTRIAN) | (others.kind == TWO_WHEELER)
            layers[4] = self._boxes(corners[near & ~soft])
            layers[5] = self._boxes(corners[near & soft])
        return layers

    def _pixels(self, points: Floats) -> Floats:
        """Return (..., 2) column and row of points ahead of and to the right of the ego."""
        pixels = np.empty_like(points)
        pixels[..., 0] = points[..., 1] * self._scale + 0.5 * self._size
        pixels[..., 1] = self._row - points[..., 0] * self._scale
        return pixels

    def _boxes(self, corners: Floats) -> Bytes:
        picture = Image.new("L", (self._size, self._size))
        if len(corners):
            draw = ImageDraw.Draw(picture)
            for polygon in self._pixels(corners).reshape(-1, 8).tolist():
                draw.polygon(polygon, fill=255)
        return np.asarray(picture)

    def _route(self, scene: Scene, route: Route) -> Bytes:
        reach = int(1.5 * self._size / self._scale) + 2
        here = route.index(scene.s)
        points = in_frame(scene.ego, route.points[max(0, here - reach) : here + reach])
        picture = Image.new("L", (self._size, self._size))
        if len(points) > 1:
            width = max(1, round(float(route.width[here]) * self._scale))
            ImageDraw.Draw(picture).line(self._pixels(points).reshape(-1).tolist(), fill=255, width=width)
        return np.asarray(picture)


def _corners(middle: Floats, yaw: Floats, size: Floats) -> Floats:
    """Return (N, 4, 2) corners of boxes in the ego's frame."""
    forward = np.stack([np.cos(yaw), np.sin(yaw)], axis=-1) * (0.5 * size[:, 0:1])
    right = np.stack([-np.sin(yaw), np.cos(yaw)], axis=-1) * (0.5 * size[:, 1:2])
    return np.stack(
        [middle + forward + right, middle + forward - right, middle - forward - right, middle - forward + right], axis=1
    )


class _StaticMap:
    """Carriageway and lane edges of a whole map, drawn once."""

    def __init__(self, network: RoadNetwork, pixels_per_m: float) -> None:
        edges = [_edges(network, key) for key in network.lane_keys(ROAD_TYPES)]
        every = np.concatenate([np.concatenate(pair) for pair in edges])
        low, high = every.min(axis=0) - MARGIN_M, every.max(axis=0) + MARGIN_M
        extent = high - low
        self._scale = min(pixels_per_m, float(np.sqrt(MAX_MAP_PIXELS / (extent[0] * extent[1]))))
        self._low = low
        shape = (int(extent[0] * self._scale) + 1, int(extent[1] * self._scale) + 1)
        road, lines = Image.new("L", shape), Image.new("L", shape)
        on_road, on_lines = ImageDraw.Draw(road), ImageDraw.Draw(lines)
        for left, right in edges:
            left, right = (left - low) * self._scale, (right - low) * self._scale
            on_road.polygon(np.concatenate([left, right[::-1]]).reshape(-1).tolist(), fill=255)
            for line in (left, right):
                on_lines.line(line.reshape(-1).tolist(), fill=255, width=1)
        self._layers = np.stack([np.asarray(road), np.asarray(lines)])

    def sample(self, x: Floats, y: Floats) -> Bytes:
        """Return (2, N) of the layers at world places; 0 off the map."""
        column = np.floor((x - self._low[0]) * self._scale).astype(np.intp)
        row = np.floor((y - self._low[1]) * self._scale).astype(np.intp)
        _, height, width = self._layers.shape
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        found = self._layers[:, np.where(inside, row, 0), np.where(inside, column, 0)]
        return np.where(inside, found, 0).astype(np.uint8)


def _edges(network: RoadNetwork, key: LaneKey) -> tuple[Floats, Floats]:
    """Return a lane's two edges, (N, 2) each, in CARLA's frame."""
    begin, end = network.lane_range(key)
    s = np.linspace(begin, end, max(2, int(np.ceil((end - begin) / MAP_STEP_M)) + 1))
    half = 0.5 * network.lane_widths(key, s)
    one, two = network.lane_poses(key, s, half), network.lane_poses(key, s, -half)
    return np.stack([one.x, -one.y], axis=-1), np.stack([two.x, -two.y], axis=-1)


__all__ = ["CHANNELS", "Birdseye"]

"""The observation ``state``: a vector of named, scaled numbers in [-1, 1]."""

from __future__ import annotations

import math
from dataclasses import dataclass

import gymnasium
import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError
from learning.envs.route import Route
from learning.envs.scene import CAR, PEDESTRIAN, TWO_WHEELER, Scene, in_frame, turned, wrap

Float32s = npt.NDArray[np.float32]

RANGE_M = 100.0
"""Nobody farther away than this is in the vector."""
SPEED_MPS = 40.0
PREVIEWS_M = (5.0, 10.0, 20.0, 40.0, 80.0)


@dataclass(frozen=True, slots=True)
class Field:
    """One number of the vector: ``value / scale``, clipped to [-1, 1]."""

    name: str
    scale: float
    unit: str
    meaning: str


EGO_FIELDS = (
    Field("speed", SPEED_MPS, "m/s", "along the ego's heading"),
    Field("accel", 10.0, "m/s^2", "forward"),
    Field("lateral_accel", 10.0, "m/s^2", "to the right"),
    Field("yaw_rate", 1.0, "rad/s", "to the right"),
    Field("steer", 1.0, "", "applied last, to the right"),
    Field("throttle", 1.0, "", "applied last"),
    Field("brake", 1.0, "", "applied last"),
    Field("offset", 4.0, "m", "to the right of the route's lane's centre"),
    Field("heading_error", math.pi, "rad", "to the right of the lane's direction"),
    Field("lane_width", 5.0, "m", "of the route's lane"),
    Field("road_left", 20.0, "m", "from the ego's middle to the carriageway's left edge"),
    Field("road_right", 20.0, "m", "from the ego's middle to its right edge"),
    Field("limit", SPEED_MPS, "m/s", "speed limit; 1 where there is none"),
    Field("remaining", 200.0, "m", "of the route"),
    Field("time_left", 1.0, "", "share of the episode's time limit that is left"),
)
ROUTE_FIELDS = tuple(
    field
    for d in PREVIEWS_M
    for field in (
        Field(f"route_right_{d:g}", 20.0, "m", f"how far to the right of the ego its route is {d:g} m on"),
        Field(f"route_heading_{d:g}", math.pi, "rad", "where it leads there, seen from the ego, to the right"),
    )
)
OTHER_FIELDS = (
    Field("present", 1.0, "", "1 if this row holds somebody; the rest of an empty row is 0"),
    Field("ahead", RANGE_M, "m", "from middle to middle, in the ego's frame"),
    Field("right", 20.0, "m", "the same, to the right"),
    Field("velocity_ahead", SPEED_MPS, "m/s", "relative to the ego's, along its heading"),
    Field("velocity_right", 20.0, "m/s", "relative to the ego's, to its right"),
    Field("cos", 1.0, "", "cosine of their heading seen from the ego"),
    Field("sin", 1.0, "", "sine of it, to the right"),
    Field("length", 15.0, "m", ""),
    Field("width", 5.0, "m", ""),
    Field("is_car", 1.0, "", "car, lorry, bus"),
    Field("is_two_wheeler", 1.0, "", "bicycle, motorcycle"),
    Field("is_pedestrian", 1.0, "", ""),
    Field("visible", 1.0, "", "in the driver's line of sight; 1 for all where sight is not asked for"),
)


class StateLayout:
    """The vector: the ego and its route, then the nearest others, the nearest first.

    Args:
        neighbours: how many others have a row.
        only_visible: leave out whom the driver cannot see.
    """

    def __init__(self, neighbours: int = 8, *, only_visible: bool = False) -> None:
        if neighbours < 0:
            raise RealityError(f"state: {neighbours} neighbours cannot be observed")
        self.neighbours = neighbours
        self.only_visible = only_visible
        own = (*EGO_FIELDS, *ROUTE_FIELDS)
        self.fields: tuple[Field, ...] = (
            *own,
            *(Field(f"other{i}_{f.name}", f.scale, f.unit, f.meaning) for i in range(neighbours) for f in OTHER_FIELDS),
        )
        self.names = tuple(f.name for f in self.fields)
        self._own = len(own)
        self._own_scale = np.array([f.scale for f in own])
        self._other_scale = np.array([f.scale for f in OTHER_FIELDS])
        self.space = gymnasium.spaces.Box(-1.0, 1.0, (len(self.fields),), np.float32)

    def observe(self, scene: Scene, route: Route, max_time_s: float) -> Float32s:
        """Return the vector."""
        values = np.zeros(len(self.fields), np.float64)
        values[: self._own] = self._ego(scene, route, max_time_s)
        values[: self._own] /= self._own_scale
        rows = self._others(scene)
        if len(rows):
            rows /= self._other_scale
            values[self._own : self._own + rows.size] = rows.reshape(-1)
        # The scales are chosen so that clipping is rare; it keeps a wild episode from wild inputs.
        return np.minimum(np.maximum(values, -1.0), 1.0).astype(np.float32)

    def decode(self, vector: npt.ArrayLike) -> dict[str, float]:
        """Return the numbers of a vector by name, in their units (clipped ones stay clipped)."""
        numbers = np.asarray(vector, dtype=np.float64)
        return {field.name: float(v) * field.scale for field, v in zip(self.fields, numbers, strict=True)}

    def _ego(self, scene: Scene, route: Route, max_time_s: float) -> list[float]:
        ego, i = scene.ego, route.index(scene.s)
        limit = float(route.limit[i])
        values = [
            ego.speed, ego.accel, ego.lateral_accel, ego.yaw_rate, ego.steer, ego.throttle, ego.brake,
            scene.offset, scene.heading_error, float(route.width[i]),
            float(route.left[i]) + scene.offset, float(route.right[i]) - scene.offset,
            SPEED_MPS if math.isnan(limit) else limit, route.length - scene.s, 1.0 - scene.time_s / max_time_s,
        ]  # fmt: skip
        c, s = math.cos(ego.yaw), math.sin(ego.yaw)
        points, headings = route.points, route.heading
        for distance in PREVIEWS_M:
            at = route.index(scene.s + distance)
            dx, dy = float(points[at, 0]) - ego.x, float(points[at, 1]) - ego.y
            values.append(dy * c - dx * s)
            values.append(wrap(float(headings[at]) - ego.yaw))
        return values

    def _others(self, scene: Scene) -> npt.NDArray[np.float64]:
        """Return (n, fields) of the nearest, in their units."""
        others, ego = scene.others, scene.ego
        if not len(others) or not self.neighbours:
            return np.zeros((0, len(OTHER_FIELDS)))
        squares = ((others.xy - (ego.x, ego.y)) ** 2).sum(axis=1)
        allowed = squares < RANGE_M**2
        if self.only_visible:
            allowed &= others.visible
        order = np.argsort(squares, kind="stable")
        chosen = order[allowed[order]][: self.neighbours]
        rows = np.zeros((len(chosen), len(OTHER_FIELDS)))
        rows[:, 0] = 1.0
        rows[:, 1:3] = in_frame(ego, others.xy[chosen])
        rows[:, 3:5] = turned(ego, others.velocity[chosen] - (ego.vx, ego.vy))
        rows[:, 5] = np.cos(others.yaw[chosen] - ego.yaw)
        rows[:, 6] = np.sin(others.yaw[chosen] - ego.yaw)
        rows[:, 7:9] = others.size[chosen, :2]
        for column, kind in enumerate((CAR, TWO_WHEELER, PEDESTRIAN), start=9):
            rows[:, column] = others.kind[chosen] == kind
        rows[:, 12] = others.visible[chosen]
        return rows


__all__ = ["EGO_FIELDS", "OTHER_FIELDS", "ROUTE_FIELDS", "Field", "StateLayout"]

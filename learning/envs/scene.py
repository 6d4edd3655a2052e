"""What is there at one instant, as arrays: the ego and the others. CARLA's frame, metres, radians, m/s.

Everything that observes, rewards or ends an episode reads a :class:`Scene`; nothing behind it knows which environment
made it. Places are those of the middle of the boxes, on the ground.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CAR, TWO_WHEELER, PEDESTRIAN, THING = range(4)
"""Kinds of road users: a car, lorry or bus; a bicycle or motorcycle; a person; anything else."""


@dataclass(slots=True)
class Ego:
    """The agent's own vehicle.

    Attributes:
        x, y, z: middle of its box on the ground. yaw: radians, positive from x to y (to the right).
        vx, vy: world velocity. speed: along its heading, negative backwards.
        accel, lateral_accel: m/s^2, forward and to the right. yaw_rate: rad/s, positive to the right.
        length, width, height: of its box.
        throttle, brake, steer: what was applied last; steer -1..1, positive to the right.
    """

    x: float
    y: float
    z: float
    yaw: float
    vx: float
    vy: float
    speed: float
    accel: float
    lateral_accel: float
    yaw_rate: float
    length: float
    width: float
    height: float
    wheelbase: float = 2.8
    throttle: float = 0.0
    brake: float = 0.0
    steer: float = 0.0


@dataclass(slots=True)
class Others:
    """Everybody else, in an order that does not change within an episode.

    Attributes:
        names: (N,) for people and logs.
        xy, velocity: (N, 2). z: (N,) the ground under them. yaw: (N,). size: (N, 3) length, width, height.
        kind: (N,) CAR, TWO_WHEELER, PEDESTRIAN or THING.
        visible: (N,) whether the ego's driver has a line of sight to them; all True where nobody asked.
    """

    names: tuple[str, ...]
    xy: Floats
    velocity: Floats
    z: Floats
    yaw: Floats
    size: Floats
    kind: npt.NDArray[np.int64]
    visible: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.names)

    @staticmethod
    def none() -> Others:
        """Nobody."""
        flat = np.zeros(0)
        two = np.zeros((0, 2))
        return Others((), two, two, flat, flat, np.zeros((0, 3)), np.zeros(0, np.int64), np.zeros(0, np.bool_))


@dataclass(slots=True)
class Collision:
    """The first thing the ego has touched, and the magnitude of the relative velocity before, m/s."""

    other: str
    impact_mps: float


@dataclass(slots=True)
class Scene:
    """One instant of an episode.

    Attributes:
        time_s: since the episode's start.
        s, offset, heading_error: the ego on its route: metres along it, metres to the right of its lane's centre,
            radians from the lane's direction.
        collision: set when the ego touches somebody.
        off_road: whether the ego's middle has left the carriageway.
    """

    time_s: float
    ego: Ego
    others: Others
    s: float = 0.0
    offset: float = 0.0
    heading_error: float = 0.0
    collision: Collision | None = None
    off_road: bool = False
    _times: tuple[Others, Floats] | None = None

    def times_to_collision(self) -> Floats:
        """Return :func:`times_to_collision` with everybody, worked out once."""
        if self._times is None or self._times[0] is not self.others:
            self._times = self.others, times_to_collision(self.ego, self.others)
        return self._times[1]


def wrap(angle: float) -> float:
    """Return an angle in radians as one from -pi to pi."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def in_frame(ego: Ego, xy: Floats) -> Floats:
    """Return (N, 2) world points as metres ahead of and to the right of the ego's middle."""
    return turned(ego, xy - (ego.x, ego.y))


def turned(ego: Ego, vectors: Floats) -> Floats:
    """Return (N, 2) world vectors in the ego's axes: forward, right."""
    c, s = math.cos(ego.yaw), math.sin(ego.yaw)
    out = np.empty_like(vectors)
    out[:, 0] = vectors[:, 0] * c + vectors[:, 1] * s
    out[:, 1] = vectors[:, 1] * c - vectors[:, 0] * s
    return out


def times_to_collision(ego: Ego, others: Others, range_m: float = 80.0) -> Floats:
    """Return (N,) seconds until the boxes touch if everybody keeps their velocity; 0 where they do, inf where never.

    The separating axes of moving boxes, as :func:`scenarios.metrics.time_to_collision`, for all others at once.
    Those whose middle is farther away than ``range_m`` along an axis of the world count as never.
    """
    times = np.full(len(others), np.inf)
    if not len(others):
        return times
    delta = others.xy - (ego.x, ego.y)
    near = np.flatnonzero(np.abs(delta).max(axis=1, initial=0.0) < range_m)
    if not near.size:
        return times
    delta, rate = delta[near], others.velocity[near] - (ego.vx, ego.vy)
    length, width, yaw = others.size[near, 0], others.size[near, 1], others.yaw[near]
    # (4, n) unit axes: along and across the ego, along and across each other.
    axes_x, axes_y = np.empty((4, near.size)), np.empty((4, near.size))
    c, s = math.cos(ego.yaw), math.sin(ego.yaw)
    cos, sin = np.cos(yaw), np.sin(yaw)
    axes_x[0], axes_y[0], axes_x[1], axes_y[1] = c, s, -s, c
    axes_x[2], axes_y[2], axes_x[3], axes_y[3] = cos, sin, -sin, cos
    gap, closing = delta[:, 0] * axes_x + delta[:, 1] * axes_y, rate[:, 0] * axes_x + rate[:, 1] * axes_y
    together, across = np.abs(cos * c + sin * s), np.abs(sin * c - cos * s)  # cosine and sine between the headings
    reach = np.empty((4, near.size))
    reach[0] = ego.length + length * together + width * across
    reach[1] = ego.width + length * across + width * together
    reach[2] = length + ego.length * together + ego.width * across
    reach[3] = width + ego.length * across + ego.width * together
    reach *= 0.5
    still = np.abs(closing) < 1e-9
    inside = np.abs(gap) <= reach
    safe = np.where(still, 1.0, closing)
    first, second = (-reach - gap) / safe, (reach - gap) / safe
    low = np.where(still, np.where(inside, 0.0, np.inf), np.minimum(first, second)).max(axis=0)
    high = np.where(still, np.where(inside, np.inf, -np.inf), np.maximum(first, second)).min(axis=0)
    enter = np.maximum(low, 0.0)
    # Boxes that touch, touch now, whatever their velocities say.
    times[near] = np.where(inside.all(axis=0), 0.0, np.where(enter <= high, enter, np.inf))
    return times


__all__ = [
    "CAR",
    "PEDESTRIAN",
    "THING",
    "TWO_WHEELER",
    "Collision",
    "Ego",
    "Others",
    "Scene",
    "in_frame",
    "times_to_collision",
    "turned",
    "wrap",
]

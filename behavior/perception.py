"""Line of sight: which of the things around an observer it can see, with real heights of what stands between.

Boxes are upright and turned by their yaw. Static things (buildings, walls) hide and are not reported; actors
hide each other and are reported when a sight line reaches one of a few points of their box.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from behavior.percept import Kind, Seen

Floats = npt.NDArray[np.float64]

EYE_FRACTION = 0.93
"""Eye height over stature: standing adults 0.93-0.94 (DIN 33402-2); close enough for children."""

# Where sight lines end, in units of the half sizes: the middle and the upper edge's corners, a little inside,
# so that a bonnet alone or a roof alone is enough to notice a car.
_TARGETS = np.array(
    [(0.0, 0.0, 0.4), (0.9, 0.8, 0.0), (0.9, -0.8, 0.0), (-0.9, 0.8, 0.0), (-0.9, -0.8, 0.0), (0.0, 0.0, 0.9)]
)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Everything that can be seen or can hide something, as arrays; made once per tick for all observers.

    Attributes:
        things: the actors, in the order of the first ``len(things)`` boxes.
        centers: (N, 3) box centres. half: (N, 3) half sizes. yaw_rad: (N,).
    """

    things: tuple[Seen, ...]
    centers: Floats
    half: Floats
    yaw_rad: Floats

    @staticmethod
    def of(things: Sequence[Seen], static: Surroundings | None = None) -> Surroundings:
        """Return the surroundings made of ``things`` and the static boxes of another one."""
        rows = np.array(
            [(t.x, t.y, t.z, 0.5 * t.length, 0.5 * t.width, 0.5 * t.height, math.radians(t.yaw_deg)) for t in things]
        ).reshape(-1, 7)
        centers, half, yaw = rows[:, :3], rows[:, 3:6], rows[:, 6]
        if static is not None:
            centers = np.concatenate([centers, static.centers])
            half = np.concatenate([half, static.half])
            yaw = np.concatenate([yaw, static.yaw_rad])
        return Surroundings(tuple(things), centers, half, yaw)

    @staticmethod
    def static(centers: npt.ArrayLike, sizes: npt.ArrayLike, yaw_deg: npt.ArrayLike) -> Surroundings:
        """Return boxes that only hide: (N, 3) centres, (N, 3) full sizes, (N,) yaw in degrees."""
        return Surroundings(
            (),
            np.asarray(centers, dtype=np.float64).reshape(-1, 3),
            0.5 * np.asarray(sizes, dtype=np.float64).reshape(-1, 3),
            np.radians(np.asarray(yaw_deg, dtype=np.float64)).reshape(-1),
        )


def line_of_sight(
    eye: tuple[float, float, float], around: Surroundings, *, observer_id: int = -1, range_m: float = 80.0
) -> tuple[Seen, ...]:
    """Return the things that can be seen from ``eye``, in their order in ``around``.

    Args:
        eye: world position of the eyes, metres.
        observer_id: the thing the eyes belong to: neither seen nor in its own way.
        range_m: nothing farther (in the plane) is seen or hides anything.
    """
    position = np.asarray(eye, dtype=np.float64)
    reach = np.hypot(*(around.centers[:, :2] - position[:2]).T) - np.hypot(around.half[:, 0], around.half[:, 1])
    own = np.zeros(len(around.centers), dtype=bool)
    own[: len(around.things)] = [thing.id == observer_id for thing in around.things]
    kept = np.flatnonzero((reach < range_m) & ~own)
    targets = kept[kept < len(around.things)]
    if targets.size == 0:
        return ()
    points = _world_points(around, targets)  # (T, K, 3)
    hidden = _blocked(position, points, around, kept, targets)
    return tuple(around.things[i] for i in targets[~hidden.all(axis=1)])


def _world_points(around: Surroundings, chosen: npt.NDArray[np.intp]) -> Floats:
    local = _TARGETS[None, :, :] * around.half[chosen][:, None, :]
    cos, sin = np.cos(around.yaw_rad[chosen])[:, None], np.sin(around.yaw_rad[chosen])[:, None]
    world = np.empty_like(local)
    world[..., 0] = cos * local[..., 0] - sin * local[..., 1]
    world[..., 1] = sin * local[..., 0] + cos * local[..., 1]
    world[..., 2] = local[..., 2]
    return world + around.centers[chosen][:, None, :]


def _blocked(
    eye: Floats, points: Floats, around: Surroundings, boxes: npt.NDArray[np.intp], targets: npt.NDArray[np.intp]
) -> npt.NDArray[np.bool_]:
    """Return (T, K): whether the segment from the eye to each point meets another box (slab test in its frame)."""
    cos, sin = np.cos(around.yaw_rad[boxes]), np.sin(around.yaw_rad[boxes])
    half = around.half[boxes].T  # (3, O)
    from_box = (eye - around.centers[boxes]).T  # (3, O)
    rays = (points - eye).reshape(-1, 3, 1)  # (T * K, 3, 1)
    start = (cos * from_box[0] + sin * from_box[1], cos * from_box[1] - sin * from_box[0], from_box[2])
    direction = (cos * rays[:, 0] + sin * rays[:, 1], cos * rays[:, 1] - sin * rays[:, 0], rays[:, 2])
    enter, leave = np.float64(0.0), np.float64(1.0)  # the segment's own ends
    for axis in range(3):
        along = direction[axis]
        inverse = 1.0 / np.where(np.abs(along) < 1e-9, 1e-9, along)
        middle, reach = -start[axis] * inverse, half[axis] * np.abs(inverse)
        enter, leave = np.maximum(enter, middle - reach), np.minimum(leave, middle + reach)
    # A box around the eye itself (someone leaning on a car) does not blind.
    inside = (np.abs(start[0]) <= half[0]) & (np.abs(start[1]) <= half[1]) & (np.abs(start[2]) <= half[2])
    met = ((enter < leave) & ~inside).reshape(len(targets), -1, len(boxes))
    met &= targets[:, None, None] != boxes
    return np.asarray(met.any(axis=-1))


def eye_of(x: float, y: float, ground_z: float, stature_m: float) -> tuple[float, float, float]:
    """Return where the eyes of someone who stands at (x, y, ground_z) are."""
    return x, y, ground_z + EYE_FRACTION * stature_m


def is_traffic(thing: Seen) -> bool:
    """Return whether a pedestrian has to reckon with this thing on the road."""
    return thing.kind in (Kind.VEHICLE, Kind.CYCLIST)

"""Trigger boxes: which vehicles stand in which boxes, seen from above.

A vehicle is in a box when the two rectangles overlap and their heights meet, as in Unreal's overlap events.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.geometry import Box

Floats = npt.NDArray[np.float64]


class Regions:
    """Fixed boxes in the world, each belonging to an owner (an actor id).

    Args:
        boxes: (owner, box) pairs; boxes in world coordinates. Pitch and roll are taken as zero.
    """

    def __init__(self, boxes: Sequence[tuple[int, Box]]) -> None:
        self.owner = np.array([owner for owner, _ in boxes], dtype=np.int64)
        center = np.array([box.center for _, box in boxes], dtype=np.float64).reshape(-1, 3)
        self._extent = np.array([box.extent for _, box in boxes], dtype=np.float64).reshape(-1, 3)
        yaw = np.radians(np.array([box.rotation[1] for _, box in boxes], dtype=np.float64))
        self._center = center
        self._axes = np.stack([np.cos(yaw), np.sin(yaw)], axis=-1).reshape(-1, 2)
        self._radius = np.hypot(self._extent[:, 0], self._extent[:, 1])

    def __len__(self) -> int:
        return len(self.owner)

    def clearance(self, places: Floats, reach: Floats) -> Floats:
        """Return (V,) metres that things may travel without touching a box, from above; negative near one.

        Args:
            places: (V, 3) where they are. reach: (V,) how far from there they extend, whichever way they are turned.
        """
        if not len(self):
            return np.full(len(places), np.inf)
        dx = places[:, None, 0] - self._center[None, :, 0]
        dy = places[:, None, 1] - self._center[None, :, 1]
        return np.asarray((np.hypot(dx, dy) - self._radius).min(axis=1) - reach)

    def overlaps(self, centers: Floats, extents: Floats, yaw_deg: Floats) -> tuple[npt.NDArray, npt.NDArray]:
        """Return (vehicle index, region index) of every overlapping pair, sorted.

        Args:
            centers: (V, 3) centres of the vehicles' boxes, world, metres.
            extents: (V, 3) half sizes.
            yaw_deg: (V,) headings in degrees.
        """
        if not len(self) or not len(centers):
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        dx = centers[:, None, 0] - self._center[None, :, 0]
        dy = centers[:, None, 1] - self._center[None, :, 1]
        reach = np.hypot(extents[:, 0], extents[:, 1])[:, None] + self._radius[None, :]
        near = dx * dx + dy * dy < reach * reach
        near &= np.abs(centers[:, None, 2] - self._center[None, :, 2]) < extents[:, None, 2] + self._extent[None, :, 2]
        vehicle, region = np.nonzero(near)
        if not len(vehicle):
            return vehicle, region
        yaw = np.radians(yaw_deg[vehicle])
        axes = np.stack([np.cos(yaw), np.sin(yaw)], axis=-1)
        between = centers[vehicle, :2] - self._center[region, :2]
        hit = rectangles_overlap(between, axes, extents[vehicle, :2], self._axes[region], self._extent[region, :2])
        return vehicle[hit], region[hit]


def rectangles_overlap(between: Floats, axes_a: Floats, half_a: Floats, axes_b: Floats, half_b: Floats) -> npt.NDArray:
    """Return (N,) bool: whether pairs of rectangles overlap (separating axis theorem in the plane).

    Args:
        between: (N, 2) vector from the centre of b to the centre of a.
        axes_a, axes_b: (N, 2) unit vectors along each rectangle.
        half_a, half_b: (N, 2) half sizes along and across.
    """
    axes = np.empty((len(between), 4, 2))
    axes[:, 0], axes[:, 2] = axes_a, axes_b
    axes[:, 1::2, 0], axes[:, 1::2, 1] = -axes[:, ::2, 1], axes[:, ::2, 0]
    half = np.concatenate([half_a, half_b], axis=1)
    # How far both rectangles reach along each of the four axes, and how far apart their centres lie.
    reach = (np.abs(axes @ axes.swapaxes(1, 2)) @ half[:, :, None])[:, :, 0]
    return np.asarray((np.abs((axes @ between[:, :, None])[:, :, 0]) < reach).all(axis=1))

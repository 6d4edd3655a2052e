"""Values of the running world: poses and states of entities in ASAM's frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where something is: metres, radians, ASAM's frame (z up, heading from x to y, pitch nose down, roll right
    down)."""

    x: float
    y: float
    z: float = 0.0
    heading: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    @property
    def location(self) -> Floats:
        """(3,) x, y, z."""
        return np.array([self.x, self.y, self.z])

    def point(self, forward: float, left: float, up: float = 0.0) -> tuple[float, float, float]:
        """Return the world coordinates of a point given in this pose's frame (all three angles applied)."""
        x, y, z = rotate(forward, left, up, self.heading, self.pitch, self.roll)
        return self.x + x, self.y + y, self.z + z

    def moved(self, x: float, y: float, z: float) -> Pose:
        """Return the same orientation at another place."""
        return replace(self, x=x, y=y, z=z)


@dataclass(frozen=True, slots=True)
class Motion:
    """State of one entity at one instant.

    Attributes:
        pose: its reference point (vehicles: middle of the rear axle, on the ground).
        speed: m/s along its path; negative when it drives backwards.
        velocity: world velocity of the reference point, m/s.
        acceleration: world acceleration, m/s^2.
        yaw_rate: rad/s.
    """

    pose: Pose
    speed: float = 0.0
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    acceleration: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw_rate: float = 0.0


def rotate(
    x: float, y: float, z: float, heading: float, pitch: float = 0.0, roll: float = 0.0
) -> tuple[float, float, float]:
    """Rotate a vector from a body's frame to the world's: roll, then pitch, then heading (ISO 8855, z-y'-x'')."""
    cr, sr, cp, sp = math.cos(roll), math.sin(roll), math.cos(pitch), math.sin(pitch)
    ch, sh = math.cos(heading), math.sin(heading)
    y, z = cr * y - sr * z, sr * y + cr * z
    x, z = cp * x + sp * z, -sp * x + cp * z
    return ch * x - sh * y, sh * x + ch * y, z


def wrap(angle: float) -> float:
    """Wrap an angle to [-pi, pi)."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi

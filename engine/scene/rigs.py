"""How the joints of a model follow a row of the actor table: one small rig for each kind of actor."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.geometry import Model
from engine.scene import gait
from engine.scene.doors import door_matrix

Floats = npt.NDArray[np.float64]


class ActorRig(Protocol):
    """Turns an actor's row into the poses of its model's joints."""

    def matrices(self, row: np.void) -> Floats:
        """Return (J, 4, 4) actor-from-joint matrices."""
        ...


@dataclass(frozen=True)
class StillRig:
    """A model whose joints do not move (or that has none)."""

    rest: Floats = field(default_factory=lambda: np.zeros((0, 4, 4)))

    def matrices(self, row: np.void) -> Floats:
        """Return the rest pose."""
        return self.rest


@dataclass(frozen=True)
class WalkerRig:
    """A person who walks, runs and stands by ``gait_phase`` and ``gait_speed``."""

    body: gait.Rig

    def matrices(self, row: np.void) -> Floats:
        """Return the thirteen joints' matrices."""
        return gait.walker_matrices(self.body, float(row["gait_phase"]), float(row["gait_speed"]), row["feet"].tolist())


@dataclass(frozen=True)
class VehicleRig:
    """Wheels that roll with ``wheel_spin`` and steer with ``wheel_steer``, and doors that are open or not.

    Attributes:
        centers: (J, 3) wheel centres, CARLA frame.
        steer_index: (J,) which of the four steering angles a wheel follows, -1 for none.
        radius_ratio: (J,) how much faster than the reference wheel it turns.
        doors: (J,) number of the door that the joint is the hinge of, -1 for wheels.
        reach: (J,) radius and half width of what turns on a joint, metres.
        half_width: how far to the side anything may stick out, metres; infinite for no limit.
    """

    centers: Floats
    steer_index: tuple[int, ...]
    radius_ratio: tuple[float, ...]
    doors: tuple[int, ...] = ()
    reach: tuple[tuple[float, float], ...] = ()
    half_width: float = math.inf

    def matrices(self, row: np.void) -> Floats:
        """Return the wheels' matrices: steering about z (degrees, positive right), then rolling about y."""
        spin, angles = float(row["wheel_spin"]), row["wheel_steer"]
        found = np.zeros((len(self.centers), 4, 4))
        for i, (index, ratio) in enumerate(zip(self.steer_index, self.radius_ratio)):
            steer = math.radians(float(angles[index])) if index >= 0 else 0.0
            found[i] = wheel_matrix(self.centers[i], steer, spin * ratio)
            if steer and self.reach:
                found[i, 1, 3] = self._tucked(float(self.centers[i, 1]), steer, *self.reach[i])
        for i, door in enumerate(self.doors):
            if door >= 0:
                found[i] = door_matrix(self.centers[i], door, bool(int(row["doors"]) >> door & 1))
        return found

    def _tucked(self, y: float, steer_rad: float, radius: float, half: float) -> float:
        """Return a turned wheel's place to the side: it goes into its arch rather than out of the bounding box."""
        over = abs(y) + radius * abs(math.sin(steer_rad)) + half * math.cos(steer_rad) - self.half_width
        return y - math.copysign(over, y) if over > 0.0 else y


def wheel_matrix(center: npt.ArrayLike, steer_rad: float, spin_rad: float) -> Floats:
    """Return the pose of a wheel: turned right by ``steer_rad``, rolled forwards by ``spin_rad``.

    Rolling forwards carries the wheel's top towards +x, which is a negative pitch in CARLA's convention.
    """
    x, y, z = (float(v) for v in np.asarray(center))
    cy, sy, cs, ss = math.cos(steer_rad), math.sin(steer_rad), math.cos(spin_rad), math.sin(spin_rad)
    return np.array(
        [
            [cy * cs, -sy, cy * ss, x],
            [sy * cs, cy, sy * ss, y],
            [-ss, 0.0, cs, z],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )


@dataclass(frozen=True, slots=True, eq=False)
class ActorModel(Model):
    """A model together with the rig that moves its joints."""

    rig: ActorRig = field(default_factory=StillRig)

"""Doors that open: which cells of a lofted body belong to which door, the hinges, and the dark cabin behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.scene import materials as m
from engine.scene.builder import Color, MeshBuilder
from engine.scene.shapes import Floats, box

if TYPE_CHECKING:
    from engine.scene.cars import Shell

DOOR_JOINTS = ("door_fl", "door_fr", "door_rl", "door_rr")
"""Joints by ``carla.VehicleDoor`` number."""
OPEN_DEG = 62.0
LEAST_LENGTH_M = 0.45
THICKNESS_M = 0.05
LINING: Color = (46.0, 47.0, 50.0)
CABIN: Color = (17.0, 17.0, 19.0)
SEAT: Color = (52.0, 50.0, 50.0)


@dataclass(frozen=True)
class Door:
    """A pair of doors, left and right: the number of the left one, and from where to where it reaches."""

    number: int
    rear: float
    front: float

    def columns(self, x: Floats) -> npt.NDArray[np.bool_]:
        """Return which columns with middles at ``x`` belong to it."""
        return (x > self.rear) & (x < self.front)


def doors_of(shell: Shell) -> tuple[Door, ...]:
    """Return the doors of a body: those between its gaps, front ones first; none where the blueprint has none."""
    if not shell.spec.has_dynamic_doors or shell.spec.body == "bus":
        return ()
    spans = [(a, b) for a, b in zip(shell.gaps, shell.gaps[1:]) if b - a > LEAST_LENGTH_M]
    return tuple(Door(2 * n, rear, front) for n, (rear, front) in enumerate(spans[::-1][:2]))


def add_hinges(builder: MeshBuilder, shell: Shell) -> None:
    """Add the doors' joints, on the front edge of each door."""
    for door in doors_of(shell):
        for side, joint in ((1.0, DOOR_JOINTS[door.number]), (-1.0, DOOR_JOINTS[door.number + 1])):
            builder.joint(joint, (door.front, side * shell.half, 0.0))


def joint_of(door: Door, left: bool) -> str:
    """Return the joint of one of a pair of doors."""
    return DOOR_JOINTS[door.number if left else door.number + 1]


def lining(outside: Floats, left: bool) -> Floats:
    """Return the inner face of a door: its outer (T, 3, 3) triangles, moved in and facing in."""
    inner = outside[:, ::-1].copy()
    inner[..., 1] += -THICKNESS_M if left else THICKNESS_M
    return inner


def add_cabin(builder: MeshBuilder, shell: Shell) -> None:
    """Add what open doors show: a dark cabin, and a seat behind each door."""
    doors = doors_of(shell)
    if not doors:
        return
    rear, front = min(door.rear for door in doors), max(door.front for door in doors)
    belt = float(shell.deck(np.array([(rear + front) / 2.0]))[0])
    sill = float(shell.floor(np.array([(rear + front) / 2.0]))[0]) + 0.10
    width = 2.0 * shell.half * 0.52
    high = shell.height * 0.90 - belt
    builder.add(
        box(((rear + front) / 2.0, 0.0, (sill + belt) / 2.0), (front - rear, width, belt - sill)), m.MATT, CABIN
    )
    if high > 0.1:
        length = max(front - rear - 0.5, 0.3)
        size = (length, min(width, 2.0 * shell.half * shell.style.roof_width * 0.8), high)
        builder.add(box(((rear + front) / 2.0 - 0.1, 0.0, belt + high / 2.0), size), m.MATT, CABIN)
    for door in doors:
        at = door.rear + 0.45 * (door.front - door.rear)
        for side in (1.0, -1.0):
            y = side * (width / 2.0 + 0.06)
            builder.add(box((at, y, sill + 0.22), (0.50, 0.30, 0.16)), m.CLOTH, SEAT)
            builder.add(box((at - 0.24, y, sill + 0.50), (0.14, 0.30, 0.62)), m.CLOTH, SEAT)


def door_matrix(hinge: Floats, number: int, is_open: bool) -> Floats:
    """Return the (4, 4) actor-from-joint of a door, CARLA's frame: its rear edge swings away from the body."""
    angle = math.radians(OPEN_DEG if number % 2 == 0 else -OPEN_DEG) if is_open else 0.0
    cos, sin = math.cos(angle), math.sin(angle)
    x, y, z = (float(part) for part in hinge)
    return np.array([[cos, -sin, 0.0, x], [sin, cos, 0.0, y], [0.0, 0.0, 1.0, z], [0.0, 0.0, 0.0, 1.0]])

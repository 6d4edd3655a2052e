"""Bodies: one Bullet node per actor, and the vectorised way from their transforms to CARLA's arrays.

Inside, the world is ASAM's right-handed frame and a body's own axes are x right, y forward, z up, as
``BulletVehicle`` wants them; a body's origin is its centre of mass. Local vectors of CARLA (forward, right, up)
become body vectors by swapping the first two, world vectors by ``foundation.frames.flip_y``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from panda3d.bullet import BulletRigidBodyNode
from panda3d.core import BitMask32, Datagram, LMatrix4f, Point3, TransformState, Vec3

from engine.state import Kind
from foundation.frames import rotation_matrices, rotation_of

Floats = npt.NDArray[np.float64]
Vector = Sequence[float] | npt.NDArray[np.floating]

# Two bodies meet when their masks share a bit (Panda's rule for Bullet).
SCENERY = 1  # the static world, and all dynamic bodies
ACTORS = 2  # every actor with collisions
SUPPORT = 4  # what a walker may stand on: asked by rays only

STATIC_MASK = BitMask32(SCENERY | SUPPORT)
DYNAMIC_MASK = BitMask32(SCENERY | ACTORS)
KINEMATIC_MASK = BitMask32(ACTORS)
STATIC_ACTOR_MASK = BitMask32(ACTORS | SUPPORT)
NO_MASK = BitMask32(0)
SUPPORT_MASK = BitMask32(SUPPORT)

ROW_FLOATS = 22  # 4 x 4 matrix, linear and angular velocity, as Bullet has them


class Body:
    """One actor in the physics: its node and the switches CARLA has for it."""

    __slots__ = (
        "actor_id",
        "attached",
        "collides",
        "dynamic_mask",
        "gravity",
        "held_velocity",
        "index",
        "kind",
        "mass",
        "movable",
        "node",
        "offset",
        "responds",
        "simulate",
    )

    def __init__(self, actor_id: int, kind: Kind, node: BulletRigidBodyNode, mass: float, offset: Vector) -> None:
        self.actor_id = actor_id
        self.kind = kind
        self.node = node
        self.mass = mass
        self.offset = (float(offset[0]), float(offset[1]), float(offset[2]))
        self.movable = mass > 0.0  # a prop without mass never moves by itself
        self.simulate = self.movable
        self.collides = True
        self.gravity = True
        self.responds = True  # whether other bodies are pushed away by it while kinematic
        self.attached = False
        self.dynamic_mask = DYNAMIC_MASK
        self.held_velocity: tuple[float, float, float] | None = None
        self.index = -1

    @property
    def mask(self) -> BitMask32:
        """The collide mask its switches ask for."""
        if not self.collides:
            return NO_MASK
        if self.simulate:
            return self.dynamic_mask
        return KINEMATIC_MASK if self.movable else STATIC_ACTOR_MASK


def key_of(node: Any) -> int:
    """Return what tells a node from others: its address; Panda's Python objects for it come and go."""
    return int(node.this)


def to_bullet(vector: Vector) -> Vec3:
    """Return a world vector or point of CARLA's frame for Bullet."""
    return Vec3(float(vector[0]), -float(vector[1]), float(vector[2]))


def spin_to_bullet(spin_deg: Vector) -> Vec3:
    """Return an angular quantity in degrees, CARLA's world axes, for Bullet in radians.

    An axial vector changes the signs that a mirrored vector keeps: (x, y, z) becomes (-x, y, -z).
    """
    x, y, z = np.radians(np.asarray(spin_deg, dtype=np.float64)).tolist()
    return Vec3(-x, y, -z)


def local_to_body(vector: Vector) -> Point3:
    """Return a local vector of CARLA's (forward, right, up) in body axes (right, forward, up)."""
    return Point3(float(vector[1]), float(vector[0]), float(vector[2]))


def node_transform(location: Vector, rotation: Vector, offset: Vector) -> TransformState:
    """Return the node transform of a body whose actor stands at a CARLA pose.

    Args:
        location: metres; rotation: pitch, yaw, roll in degrees; offset: centre of mass in the actor's frame.
    """
    turn = rotation_matrices(rotation)
    center = np.asarray(location, dtype=np.float64) + turn @ np.asarray(offset, dtype=np.float64)
    (fx, rx, ux), (fy, ry, uy), (fz, rz, uz) = turn.tolist()
    x, y, z = center.tolist()
    # Panda multiplies row vectors: the rows are the body's right, forward and up axes in ASAM's frame.
    matrix = LMatrix4f(rx, -ry, rz, 0.0, fx, -fy, fz, 0.0, ux, -uy, uz, 0.0, x, -y, z, 1.0)
    return TransformState.make_mat(matrix)


def read_nodes(nodes: Sequence[BulletRigidBodyNode]) -> npt.NDArray[np.float32]:
    """Return (N, 22) raw rows: matrix, linear and angular velocity of every node, in Bullet's frame.

    Panda appends the floats to a datagram in C++: 0.8 us a body, where reading components one by one takes 10.
    """
    datagram = Datagram()
    for node in nodes:
        node.get_transform().get_mat().write_datagram_fixed(datagram)
        node.get_linear_velocity().write_datagram_fixed(datagram)
        node.get_angular_velocity().write_datagram_fixed(datagram)
    return np.frombuffer(datagram.get_message(), dtype="<f4").reshape(len(nodes), ROW_FLOATS)


_TURNS = np.array([1.0, -1.0, 1.0])


class Motion:
    """What raw rows say in CARLA's frame; all (N, 3), views by name."""

    __slots__ = ("angular_velocity", "forward", "location", "right", "rotation", "up", "velocity")

    def __init__(self, raw: npt.NDArray[np.float32], offsets: Floats) -> None:
        rows = raw.astype(np.float64)
        # Columns of the (N, 3, 3) matrix world-from-local are forward, right, up.
        self.right, self.forward, self.up = rows[:, 0:3] * _TURNS, rows[:, 4:7] * _TURNS, rows[:, 8:11] * _TURNS
        arm = self.forward * offsets[:, 0:1] + self.right * offsets[:, 1:2] + self.up * offsets[:, 2:3]
        self.location = rows[:, 12:15] * _TURNS - arm
        spin = rows[:, 19:22] * -_TURNS
        # Velocity of the actor's origin, so that it is the derivative of the location: v + w x (-arm).
        self.velocity = rows[:, 16:19] * _TURNS
        self.velocity[:, 0] -= spin[:, 1] * arm[:, 2] - spin[:, 2] * arm[:, 1]
        self.velocity[:, 1] -= spin[:, 2] * arm[:, 0] - spin[:, 0] * arm[:, 2]
        self.velocity[:, 2] -= spin[:, 0] * arm[:, 1] - spin[:, 1] * arm[:, 0]
        self.angular_velocity = np.degrees(spin)
        matrix = np.stack([self.forward, self.right, self.up], axis=-1)
        self.rotation = rotation_of(matrix)

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
from panda3d.core import BitMask32, Datagram, LMatrix4f, Point3, TransformState, Vec3, load_prc_file_data

from engine.state import Kind
from foundation.frames import rotation_matrices, rotation_of

# Else Panda keeps every pose that a body ever had until a picture is rendered, which may be never: 450 bytes a body and
# substep.
load_prc_file_data("engine.physics", "garbage-collect-states false")

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

SHORTEST_FRAME_S = 1e-6
"""Bullet's single-precision clock cannot tell shorter frames from none."""
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


def node_matrices(location: Floats, turn: Floats, offset: Floats) -> Floats:
    """Return (N, 16) node matrices, Panda's, of bodies whose actors stand at CARLA poses.

    Args:
        location: (N, 3) metres. turn: (N, 3, 3) world-from-actor. offset: (N, 3) centres of mass, actor's frame.
    """
    matrices = np.zeros((len(location), 4, 4))
    # Panda multiplies row vectors: the rows are the body's right, forward and up axes in ASAM's frame.
    matrices[:, 0, :3], matrices[:, 1, :3], matrices[:, 2, :3] = turn[:, :, 1], turn[:, :, 0], turn[:, :, 2]
    matrices[:, 3, :3] = location + np.einsum("nij,nj->ni", turn, offset)
    matrices[:, :, 1] *= -1.0
    matrices[:, 3, 3] = 1.0
    return matrices.reshape(-1, 16)


def node_transform(location: Vector, rotation: Vector, offset: Vector) -> TransformState:
    """Return the node transform of a body whose actor stands at a CARLA pose.

    Args:
        location: metres; rotation: pitch, yaw, roll in degrees; offset: centre of mass in the actor's frame.
    """
    place, turn, center = (np.asarray(value, dtype=np.float64)[None] for value in (location, rotation, offset))
    (numbers,) = node_matrices(place, rotation_matrices(turn), center).tolist()
    return TransformState.make_mat(LMatrix4f(*numbers))


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
_NEXT, _LAST = np.array([1, 2, 0]), np.array([2, 0, 1])


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
        self.velocity -= spin[:, _NEXT] * arm[:, _LAST] - spin[:, _LAST] * arm[:, _NEXT]
        self.angular_velocity = np.degrees(spin)
        matrix = np.empty((len(rows), 3, 3))
        matrix[:, :, 0], matrix[:, :, 1], matrix[:, :, 2] = self.forward, self.right, self.up
        self.rotation = rotation_of(matrix)

    def lead(
        self,
        rows: npt.NDArray[np.intp],
        turns: Floats,
        location: Floats,
        rotation: Floats,
        velocity: Floats,
        angular_velocity: Floats,
    ) -> None:
        """Take the motion of some bodies from elsewhere: (n,) rows, (n, 3, 3) world-from-actor, (n, 3) each."""
        self.location[rows], self.rotation[rows] = location, rotation
        self.forward[rows], self.right[rows], self.up[rows] = turns[:, :, 0], turns[:, :, 1], turns[:, :, 2]
        self.velocity[rows], self.angular_velocity[rows] = velocity, angular_velocity

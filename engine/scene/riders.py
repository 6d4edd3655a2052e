"""Riders: a person's thirteen joints placed on a bicycle or motorcycle, hands on the bar and feet on the pedals.

Frames and signs are CARLA's (y right); angles in radians, pitch positive nose up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.scene.gait import SIDE_JOINTS, Rig
from engine.scene.rigs import wheel_matrix

Floats = npt.NDArray[np.float64]

ARM_JOINTS = {"l": (3, 4), "r": (5, 6)}


@dataclass(frozen=True)
class Seat:
    """Where a rider touches the machine. CARLA frame, metres, machine at rest.

    Attributes:
        hips: hip joints' (x, z).
        lean: forward lean of the back, radians.
        grips: (left, right) hand positions on the bar.
        crank: (x, z) of the crank's axis; without ``crank_m`` the feet rest there.
        crank_m: length of the cranks, 0 for foot rests.
        pedals_per_spin: crank angle for a wheel angle (0.36 is a gear of 2.8).
    """

    hips: tuple[float, float]
    lean: float
    grips: tuple[tuple[float, float, float], tuple[float, float, float]]
    crank: tuple[float, float]
    crank_m: float
    pedals_per_spin: float = 0.36


@dataclass(frozen=True)
class Machine:
    """The moving parts of a two-wheeler: steering axis, wheels. CARLA frame."""

    head: tuple[float, float, float]
    axis: tuple[float, float, float]
    front: tuple[float, float, float]
    rear: tuple[float, float, float]


def about_axis(axis: npt.ArrayLike, angle_rad: float) -> Floats:
    """Return the (3, 3) rotation that turns x towards y (CARLA's yaw) for the axis +z, and so on for others."""
    x, y, z = (float(v) for v in np.asarray(axis))
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    rest = 1.0 - cos
    return np.array(
        [
            [cos + x * x * rest, x * y * rest - z * sin, x * z * rest + y * sin],
            [y * x * rest + z * sin, cos + y * y * rest, y * z * rest - x * sin],
            [z * x * rest - y * sin, z * y * rest + x * sin, cos + z * z * rest],
        ]
    )


def pitched(angle: float) -> Floats:
    """Return the (3, 3) rotation of a pitch, nose up."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, 0.0, -sin], [0.0, 1.0, 0.0], [sin, 0.0, cos]])


def hanging(direction: Floats) -> Floats:
    """Return the rotation that turns a limb hanging along -z into ``direction``, its front staying in front."""
    # Plain numbers: a few of these are worked out for every rider in every frame.
    x, y, z = direction.tolist()
    length = math.sqrt(x * x + y * y + z * z)
    x, y, z = x / length, y / length, z / length
    flat = math.sqrt(1.0 - y * y)
    sx, sy, sz = -y * x / flat, flat, -y * z / flat
    # Front is side x up, and up is -down.
    return np.array([[sz * y - sy * z, sx, -x], [sx * z - sz * x, sy, -y], [sy * x - sx * y, sz, -z]])


def two_bones(root: Floats, goal: Floats, upper: float, lower: float, pole: Floats) -> tuple[Floats, Floats]:
    """Return the directions of two bones from ``root`` to ``goal``, the joint between them towards ``pole``."""
    line = goal - root
    length = math.sqrt(float(line @ line))
    span = min(max(length, abs(upper - lower) + 1e-4), (upper + lower) * 0.9999)
    along = line / length
    across = pole - (pole @ along) * along
    across /= math.sqrt(float(across @ across))
    reach = (upper * upper - lower * lower + span * span) / (2.0 * span)
    height = math.sqrt(max(upper * upper - reach * reach, 0.0))
    middle = along * reach + across * height
    return middle / upper, (along * span - middle) / lower


STEERING_STOP_DEG = 45.0
"""A fork is not seen turned farther than this, whatever the physics control allows."""


@dataclass(frozen=True)
class TwoWheelerRig:
    """Fork, two wheels, crank, pedals and rider; ``names`` says which joints there are, in order.

    Order: fork, wheel_fl, wheel_rl, crank, pedal_l, pedal_r, then the thirteen joints of the rider.
    """

    machine: Machine
    seat: Seat
    body: Rig
    forearm: float

    def matrices(self, row: np.void) -> Floats:
        """Return the joints' actor-from-joint matrices."""
        steer = min(max(float(row["wheel_steer"][0]), -STEERING_STOP_DEG), STEERING_STOP_DEG)
        return self.pose(float(row["wheel_spin"]), math.radians(steer))

    def pose(self, spin: float, steer: float) -> Floats:
        """Return the joints' matrices for a wheel angle and a steering angle (positive right), both in radians."""
        machine, seat = self.machine, self.seat
        found = np.zeros((19, 4, 4))
        found[:, 3, 3] = 1.0
        turn = about_axis(machine.axis, steer)
        head = np.array(machine.head)
        found[0, :3, :3], found[0, :3, 3] = turn, head
        found[1, :3, :3] = turn @ wheel_matrix((0, 0, 0), 0.0, spin)[:3, :3]
        found[1, :3, 3] = head + turn @ (np.array(machine.front) - head)
        found[2] = wheel_matrix(machine.rear, 0.0, spin)
        crank = spin * seat.pedals_per_spin if seat.crank_m else 0.0
        found[3] = wheel_matrix((seat.crank[0], 0.0, seat.crank[1]), 0.0, crank)
        for index, side in ((4, 1.0), (5, -1.0)):
            found[index, :3, :3] = np.eye(3)
            found[index, :3, 3] = self._pedal(crank, side)
        self._rider(found[6:], crank, turn, head)
        return found

    def _pedal(self, crank: float, side: float) -> Floats:
        """Return a pedal's centre: the left one (side 1) points forward at crank angle zero."""
        seat = self.seat
        x = seat.crank[0] + side * seat.crank_m * math.cos(crank)
        z = seat.crank[1] - side * seat.crank_m * math.sin(crank)
        return np.array([x, -side * (abs(self.body.rest[7, 1]) + 0.02), z])

    def _rider(self, found: Floats, crank: float, turn: Floats, head: Floats) -> None:
        body, seat, rest = self.body, self.seat, self.body.rest
        hip_x, hip_z = seat.hips
        base = np.array([hip_x, 0.0, hip_z])
        tilt = pitched(-seat.lean * 0.55)
        found[0, :3, :3], found[0, :3, 3] = tilt, base - tilt @ np.array([0.0, 0.0, rest[7, 2]])
        spine = pitched(-seat.lean)
        found[1, :3, :3], found[1, :3, 3] = spine, found[0, :3, 3] + tilt @ rest[1]
        found[2, :3, :3], found[2, :3, 3] = pitched(-seat.lean * 0.25), found[1, :3, 3] + spine @ rest[2]
        for side, grip in zip(("l", "r"), seat.grips):
            shoulder, elbow = ARM_JOINTS[side]
            root = found[1, :3, 3] + spine @ rest[shoulder]
            goal = head + turn @ (np.array(grip) - head)
            pole = np.array([-0.35, -0.5 if side == "l" else 0.5, -0.8])
            upper_m = float(-rest[elbow][2])
            upper, lower = two_bones(root, goal, upper_m, self.forearm, pole)
            found[shoulder, :3, :3], found[shoulder, :3, 3] = hanging(upper), root
            found[elbow, :3, :3], found[elbow, :3, 3] = hanging(lower), root + upper * upper_m
        for side, sign in (("l", 1.0), ("r", -1.0)):
            hip, knee, ankle = SIDE_JOINTS[side]
            pedal = self._pedal(crank, sign)
            root = np.array([hip_x, rest[hip, 1], hip_z])
            # The ball of the foot is on the pedal; the heel drops a little at the bottom of the stroke.
            foot_pitch = -0.12 - 0.12 * math.sin(crank) * sign if seat.crank_m else 0.10
            goal = pedal + pitched(foot_pitch) @ np.array([-body.ball, 0.0, body.ankle_z + 0.012])
            goal[1] = root[1]
            upper, lower = two_bones(root, goal, body.thigh, body.shin, np.array([1.0, 0.0, 0.35]))
            found[hip, :3, :3], found[hip, :3, 3] = hanging(upper), root
            found[knee, :3, :3], found[knee, :3, 3] = hanging(lower), root + upper * body.thigh
            found[ankle, :3, :3], found[ankle, :3, 3] = pitched(foot_pitch), goal

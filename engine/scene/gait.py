"""How people move: foot paths, leg angles and the matrices of a walker's joints, in CARLA's frame.

Feet come first: during stance a foot's contact point (heel, sole, then ball) stands still on the ground while the
body passes over it, and hips and knees follow by inverse kinematics. So feet do not skate, at any speed, as long
as ``gait_phase`` grows by distance / :func:`cycle_length_m`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from engine.geometry import Joint

Floats = npt.NDArray[np.float64]

WALKER_JOINTS = (
    "pelvis",
    "spine",
    "neck",
    "shoulder_l",
    "elbow_l",
    "shoulder_r",
    "elbow_r",
    "hip_l",
    "knee_l",
    "ankle_l",
    "hip_r",
    "knee_r",
    "ankle_r",
)
SIDE_JOINTS = {"l": (7, 8, 9), "r": (10, 11, 12)}

WALK_TO_RUN = (0.42, 0.62)
"""Froude numbers v^2 / (g leg) between which walking turns into running; people change near 0.5 (Alexander 1989)."""
HEEL_SHARE, RISE_FROM = 0.14, 0.55
"""Shares of stance: until when the foot rolls over the heel, and from when over the ball."""


def hip_share(height_m: float) -> float:
    """Return the hip joint's height as a share of the body's: 0.52 for adults, less for children."""
    return float(np.interp(height_m, [0.9, 1.1, 1.3, 1.7], [0.44, 0.465, 0.49, 0.52]))


def cycle_length_m(height_m: float, speed_mps: float) -> float:
    """Return the ground covered by one gait cycle (two steps): what ``gait_phase`` counts.

    1.346 sqrt(v / leg) leg, after Boulic, Thalmann and Thalmann, "A global human walking model with real-time
    kinematic personification" (1990), with the hip's height as leg length. We keep it for running, where it gives
    stride lengths within the spread of runners. At rest it is zero: divide only when moving.
    """
    leg = hip_share(height_m) * height_m
    return 1.346 * math.sqrt(abs(speed_mps) / leg) * leg


def running_share(height_m: float, speed_mps: float) -> float:
    """Return 0 for walking, 1 for running, between them in the transition."""
    froude = speed_mps**2 / (9.81 * hip_share(height_m) * height_m)
    return min(1.0, max(0.0, (froude - WALK_TO_RUN[0]) / (WALK_TO_RUN[1] - WALK_TO_RUN[0])))


def duty_factor(height_m: float, speed_mps: float) -> float:
    """Return the share of the cycle for which a foot is on the ground.

    Walking: support lasts 0.752 T - 0.143 s of a cycle of T seconds (Boulic 1990), held between 0.58 and 0.70;
    running: 0.36.
    """
    if abs(speed_mps) < 1e-3:
        return 0.70
    period = cycle_length_m(height_m, speed_mps) / abs(speed_mps)
    walking = min(0.70, max(0.58, 0.752 - 0.143 / period))
    share = running_share(height_m, speed_mps)
    return walking + (0.36 - walking) * share


@dataclass(frozen=True)
class Rig:
    """What the gait needs to know of a body: lengths and rest positions, from the model's joints.

    Attributes:
        height: of the body.
        thigh, shin: lengths.
        hip_z, ankle_z: heights above the sole's ground at rest.
        ball, heel: horizontal distances of the sole's pivots from the ankle.
        rest: (13, 3) joint positions in their parents' frames, CARLA axes, in ``WALKER_JOINTS`` order.
        stoop_deg: forward bend of the back (the elderly).
    """

    height: float
    thigh: float
    shin: float
    hip_z: float
    ankle_z: float
    ball: float
    heel: float
    rest: Floats
    stoop_deg: float = 0.0

    @cached_property
    def places(self) -> list[tuple[float, float, float]]:
        """``rest`` as plain floats."""
        return [(float(x), float(y), float(z)) for x, y, z in self.rest]


def make_rig(joints: tuple[Joint, ...], height: float, ball: float, heel: float, stoop_deg: float = 0.0) -> Rig:
    """Return the rig of a walker whose joints are ``WALKER_JOINTS``."""
    rest = np.stack([joint.rest[:3, 3] for joint in joints])
    hip_z = height / 2.0 + rest[0, 2] + rest[7, 2]
    thigh, shin = -rest[8, 2], -rest[9, 2]
    return Rig(height, thigh, shin, hip_z, hip_z - thigh - shin, ball, heel, rest, stoop_deg)


@dataclass(frozen=True)
class Stride:
    """The speed-dependent numbers of a gait: cycle length in metres, duty factor, share of running, and how much of
    a full stride's movements a slow walker makes (0 standing to 1)."""

    length: float
    duty: float
    run: float
    vigour: float

    @staticmethod
    @lru_cache(maxsize=1024)
    def at(height_m: float, speed_mps: float) -> Stride:
        """Return the stride of a body of ``height_m`` at ``speed_mps``; people keep their speed for many steps."""
        length = cycle_length_m(height_m, speed_mps)
        return Stride(
            length,
            duty_factor(height_m, speed_mps),
            running_share(height_m, speed_mps),
            min(1.0, length / (0.75 * height_m)),
        )


def _smooth(share: float) -> float:
    return share * share * (3.0 - 2.0 * share)


def _stance_foot(rig: Rig, stride: Stride, phase: float) -> tuple[float, float, float]:
    """Return the ankle's x and height and the foot's pitch (rad, toe up) at a phase in [0, duty]."""
    share = phase / stride.duty
    plant = stride.length * (0.47 * stride.duty - phase)
    strike = (0.34 - 0.22 * stride.run) * stride.vigour
    rise = (0.80 + 0.10 * stride.run) * stride.vigour
    if share < HEEL_SHARE:
        pitch = strike * (1.0 - _smooth(share / HEEL_SHARE))
        pivot = -rig.heel
    elif share > RISE_FROM:
        along = (share - RISE_FROM) / (1.0 - RISE_FROM)
        pitch = -rise * along * along
        pivot = rig.ball
    else:
        return plant, rig.ankle_z, 0.0
    cos, sin = math.cos(pitch), math.sin(pitch)
    x = plant + pivot - pivot * cos - rig.ankle_z * sin
    return x, rig.ankle_z * cos - pivot * sin, pitch


def foot_path(rig: Rig, stride: Stride, phase: float) -> tuple[float, float, float]:
    """Return (x from the hips, height of the ankle, pitch) of a foot; phase 0 is its heel strike."""
    phase %= 1.0
    if phase <= stride.duty:
        return _stance_foot(rig, stride, phase)
    share = (phase - stride.duty) / (1.0 - stride.duty)
    x1, z1, pitch1 = _stance_foot(rig, stride, stride.duty)
    x0, z0, pitch0 = _stance_foot(rig, stride, 0.0)
    # Cubic Hermite in x whose end velocities are the ground's, so that the foot neither jumps nor drags.
    speed = -stride.length * (1.0 - stride.duty) * 0.6
    s2, s3 = share * share, share * share * share
    x = (2 * s3 - 3 * s2 + 1) * x1 + (s3 - 2 * s2 + share) * speed + (3 * s2 - 2 * s3) * x0 + (s3 - s2) * speed
    lift = (0.018 + 0.11 * stride.run) * rig.height * stride.vigour
    early = math.sin(math.pi * share ** (0.85 - 0.1 * stride.run)) ** 2
    blend = _smooth(share)
    pitch = pitch1 + (pitch0 - pitch1) * blend - 0.25 * stride.vigour * math.sin(math.pi * share) * (1.0 - share)
    return x, z1 + (z0 - z1) * blend + lift * early, pitch


def _pelvis_height(rig: Rig, stride: Stride, phase: float, feet: tuple[tuple[float, float, float], ...]) -> float:
    """Return the hips' height: as high as both legs reach, lower and bouncing when running."""
    reach = (rig.thigh + rig.shin) * (1.0 - 0.004 * stride.vigour)
    height = rig.hip_z - 0.010 * rig.height * stride.vigour
    if stride.run > 0.0:
        bounce = -math.cos(4.0 * math.pi * (phase - stride.duty / 2.0))
        height += stride.run * rig.height * (0.022 * bounce - 0.035)
    for x, z, _ in feet:
        if abs(x) < reach:
            height = min(height, z + math.sqrt(reach * reach - x * x))
    return height


def walker_matrices(rig: Rig, phase: float, speed_mps: float) -> Floats:
    """Return (13, 4, 4) actor-from-joint matrices in ``WALKER_JOINTS`` order.

    Args:
        rig: the body.
        phase: cycles walked; the left heel strikes at whole numbers.
        speed_mps: speed over ground; zero stands.
    """
    stride = Stride.at(rig.height, speed_mps)
    swing = math.cos(2.0 * math.pi * phase)
    feet = (foot_path(rig, stride, phase), foot_path(rig, stride, phase + 0.5))
    hip_z = _pelvis_height(rig, stride, phase, feet) - rig.height / 2.0
    rest = rig.places
    pitches = [0.0] * 13
    xs, zs = [0.0] * 13, [0.0] * 13
    zs[0] = hip_z - rest[7][2]
    for (x, z, foot_pitch), (hip, knee, ankle) in zip(feet, SIDE_JOINTS.values()):
        dx, dz = x, z - rig.height / 2.0 - hip_z
        span = min(math.hypot(dx, dz), (rig.thigh + rig.shin) * 0.99999)
        line = math.atan2(dx, -dz)
        thigh = line + _corner(rig.thigh, span, rig.shin)
        shin = line - _corner(rig.shin, span, rig.thigh)
        zs[hip] = hip_z
        xs[knee], zs[knee] = rig.thigh * math.sin(thigh), hip_z - rig.thigh * math.cos(thigh)
        xs[ankle] = xs[knee] + rig.shin * math.sin(shin)
        zs[ankle] = zs[knee] - rig.shin * math.cos(shin)
        pitches[hip], pitches[knee], pitches[ankle] = thigh, shin, foot_pitch
    vigour, run = stride.vigour, stride.run
    lean = -math.radians(rig.stoop_deg) - vigour * 0.025 - run * 0.14
    arm = vigour * (0.36 + 0.30 * run)
    bend = 0.12 + 0.14 * vigour + 1.25 * run
    pitches[1], pitches[2] = lean, lean * 0.25
    pitches[3], pitches[5] = -arm * swing + 0.02, arm * swing + 0.02
    pitches[4] = pitches[3] + bend + 0.15 * vigour * max(0.0, -swing)
    pitches[6] = pitches[5] + bend + 0.15 * vigour * max(0.0, swing)
    return _assemble(rig, pitches, xs, zs, 0.09 * vigour * swing)


def _corner(side: float, span: float, opposite: float) -> float:
    """Return the angle between ``side`` and ``span`` of a triangle, opposite to the third side."""
    cosine = (side * side + span * span - opposite * opposite) / (2.0 * side * max(span, 1e-6))
    return math.acos(min(1.0, max(-1.0, cosine)))


def _assemble(rig: Rig, pitches: list[float], xs: list[float], zs: list[float], yaw: float) -> Floats:
    """Return the joint matrices from absolute pitches; the upper body hangs on the spine and turns by ``yaw``.

    Plain floats in one list: a few dozen numpy calls on such small arrays would take three times as long.
    """
    rest = rig.places
    y_of = [0.0] * 13
    for joint in (7, 8, 9):
        y_of[joint] = rest[7][1]
    for joint in (10, 11, 12):
        y_of[joint] = rest[10][1]
    cos, sin = [math.cos(p) for p in pitches], [math.sin(p) for p in pitches]
    # Spine: a pitch after a turn about the vertical.
    c, s, cy, sy = cos[1], sin[1], math.cos(yaw), math.sin(yaw)
    spine = (c * cy, -c * sy, -s, sy, cy, 0.0, s * cy, -s * sy, c)
    xs[1], y_of[1], zs[1] = rest[1][0], rest[1][1], zs[0] + rest[1][2]
    for child in (2, 3, 5):
        x, y, z = rest[child]
        xs[child] = xs[1] + spine[0] * x + spine[1] * y + spine[2] * z
        y_of[child] = y_of[1] + spine[3] * x + spine[4] * y + spine[5] * z
        zs[child] = zs[1] + spine[6] * x + spine[7] * y + spine[8] * z
    for child, parent in ((4, 3), (6, 5)):
        x, y, z = rest[child]
        xs[child] = xs[parent] + cos[parent] * x - sin[parent] * z
        y_of[child] = y_of[parent] + y
        zs[child] = zs[parent] + sin[parent] * x + cos[parent] * z
    flat: list[float] = []
    for joint in range(13):
        c, s = cos[joint], sin[joint]
        if joint == 1:
            a = spine
            flat += (a[0], a[1], a[2], xs[1], a[3], a[4], a[5], y_of[1], a[6], a[7], a[8], zs[1], 0.0, 0.0, 0.0, 1.0)
        else:
            flat += (c, 0.0, -s, xs[joint], 0.0, 1.0, 0.0, y_of[joint], s, 0.0, c, zs[joint], 0.0, 0.0, 0.0, 1.0)
    return np.array(flat).reshape(13, 4, 4)

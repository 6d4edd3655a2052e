"""How people move: foot paths, leg angles and the matrices of a walker's joints, in CARLA's frame.

Feet come first: during stance a foot's contact point (heel, sole, then ball) stands still on the ground while the
body passes over it, and hips and knees follow by inverse kinematics. So feet do not skate, at any speed, as long
as ``gait_phase`` grows by distance / :func:`cycle_length_m`. In bends and where the speed changes, ``feet`` says how
far each foot is from there (:mod:`engine.physics.footing`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
HEEL_UNTIL, RISE_FROM = 0.14, 0.55
"""Shares of stance: until when the foot rolls over the heel, and from when over the ball."""
STANCE_AHEAD = 0.47
"""Share of the way under a carrying foot that lies behind where it comes down: feet come down so far ahead."""
BALL_SHARE, HEEL_SHARE = 0.062, 0.034
"""How far the sole's pivots are before and behind the ankle, as shares of the body's height."""
HIP_HALF_SHARE = 0.047
"""How far hips are to the side, as a share of the body's height."""
Feet = Sequence[Sequence[float]]
"""For the left and the right foot: x, y, turn from the gait's place (metres, radians, in the body), lift, standing."""


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


def _stance_foot(rig: Rig, stride: Stride, phase: float) -> tuple[float, float, float, float]:
    """Return the ankle's x and height, the foot's pitch (rad, toe up) at a phase in [0, duty], and which part of x is
    due to that pitch."""
    share = phase / stride.duty
    plant = stride.length * (STANCE_AHEAD * stride.duty - phase)
    strike = (0.34 - 0.22 * stride.run) * stride.vigour
    rise = (0.80 + 0.10 * stride.run) * stride.vigour
    if share < HEEL_UNTIL:
        pitch = strike * (1.0 - _smooth(share / HEEL_UNTIL))
        pivot = -rig.heel
    elif share > RISE_FROM:
        along = (share - RISE_FROM) / (1.0 - RISE_FROM)
        pitch = -rise * along * along
        pivot = rig.ball
    else:
        return plant, rig.ankle_z, 0.0, 0.0
    cos, sin = math.cos(pitch), math.sin(pitch)
    rolled = pivot - pivot * cos - rig.ankle_z * sin
    return plant + rolled, rig.ankle_z * cos - pivot * sin, pitch, rolled


def foot_path(rig: Rig, stride: Stride, phase: float) -> tuple[float, float, float, float]:
    """Return (x from the hips, height of the ankle, pitch, part of x due to the pitch) of a foot; phase 0 is its heel
    strike."""
    phase %= 1.0
    if phase <= stride.duty:
        return _stance_foot(rig, stride, phase)
    share = (phase - stride.duty) / (1.0 - stride.duty)
    x1, z1, pitch1, rolled1 = _stance_foot(rig, stride, stride.duty)
    x0, z0, pitch0, rolled0 = _stance_foot(rig, stride, 0.0)
    # Cubic Hermite in x whose end velocities are the ground's, so that the foot neither jumps nor drags.
    speed = -stride.length * (1.0 - stride.duty) * 0.6
    s2, s3 = share * share, share * share * share
    x = (2 * s3 - 3 * s2 + 1) * x1 + (s3 - 2 * s2 + share) * speed + (3 * s2 - 2 * s3) * x0 + (s3 - s2) * speed
    lift = (0.018 + 0.11 * stride.run) * rig.height * stride.vigour
    # Off the ground at once and down late: a sole that creeps along just above the ground looks like one that slides.
    early = abs(math.sin(math.pi * share ** (0.85 - 0.1 * stride.run))) ** 1.2
    blend = _smooth(share)
    pitch = pitch1 + (pitch0 - pitch1) * blend - 0.25 * stride.vigour * math.sin(math.pi * share) * (1.0 - share)
    return x, z1 + (z0 - z1) * blend + lift * early, pitch, rolled1 + (rolled0 - rolled1) * blend


_Foot = tuple[float, float, float, float, float]
"""Where an ankle is: x, y from under its hip and z above the ground, metres; pitch and turn of the foot, radians."""


def _placed(rig: Rig, stride: Stride, phase: float, told: Sequence[float]) -> _Foot:
    """Return a foot of the gait, moved and turned as told."""
    x, z, pitch, rolled = foot_path(rig, stride, phase)
    dx, dy, turn, lift, still = told
    if still > 0.0:
        x, z = x * (1.0 - still), z + (rig.ankle_z - z) * still
        pitch, rolled = pitch * (1.0 - still), rolled * (1.0 - still)
    if turn == 0.0:
        return x + dx, dy, z + lift, pitch, 0.0
    cos, sin = math.cos(turn), math.sin(turn)
    return x + dx - rolled * (1.0 - cos), dy + rolled * sin, z + lift, pitch, turn


def _pelvis_height(rig: Rig, stride: Stride, phase: float, feet: tuple[_Foot, _Foot]) -> float:
    """Return the hips' height: as high as both legs reach, lower and bouncing when running."""
    reach = (rig.thigh + rig.shin) * (1.0 - 0.004 * stride.vigour)
    height = rig.hip_z - 0.010 * rig.height * stride.vigour
    if stride.run > 0.0:
        bounce = -math.cos(4.0 * math.pi * (phase - stride.duty / 2.0))
        height += stride.run * rig.height * (0.022 * bounce - 0.035)
    for x, y, z, _, _ in feet:
        aside = x * x + y * y
        if aside < reach * reach:
            height = min(height, z + math.sqrt(reach * reach - aside))
    return height


_AS_THE_GAIT_HAS_THEM: Feet = ((0.0,) * 5, (0.0,) * 5)


def walker_matrices(rig: Rig, phase: float, speed_mps: float, told: Feet = _AS_THE_GAIT_HAS_THEM) -> Floats:
    """Return (13, 4, 4) actor-from-joint matrices in ``WALKER_JOINTS`` order.

    Args:
        rig: the body.
        phase: cycles walked; the left heel strikes at whole numbers.
        speed_mps: speed over ground; zero stands.
        told: where the feet really are.
    """
    stride = Stride.at(rig.height, round(speed_mps, 2))
    swing = math.cos(2.0 * math.pi * phase)
    feet = (_placed(rig, stride, phase, told[0]), _placed(rig, stride, phase + 0.5, told[1]))
    hip_z = _pelvis_height(rig, stride, phase, feet) - rig.height / 2.0
    rest = rig.places
    pitches, turns, rolls = [0.0] * 13, [0.0] * 13, [0.0] * 13
    xs, ys, zs = [0.0] * 13, [0.0] * 13, [0.0] * 13
    zs[0] = hip_z - rest[7][2]
    for (x, y, z, foot_pitch, turn), (hip, knee, ankle) in zip(feet, SIDE_JOINTS.values()):
        down = hip_z + rig.height / 2.0 - z
        # The leg bends in a plane that leans to the side by ``roll``; ``fall`` is the height in that plane.
        roll, fall = (math.atan2(y, down), math.hypot(y, down)) if y else (0.0, down)
        span = min(math.hypot(x, fall), (rig.thigh + rig.shin) * 0.99999)
        line = math.atan2(x, fall)
        thigh = line + _corner(rig.thigh, span, rig.shin)
        shin = line - _corner(rig.shin, span, rig.thigh)
        cos, sin = math.cos(roll), math.sin(roll)
        xs[knee], along = rig.thigh * math.sin(thigh), rig.thigh * math.cos(thigh)
        zs[hip], zs[knee] = hip_z, hip_z - cos * along
        ys[hip], ys[knee] = rest[hip][1], rest[hip][1] + sin * along
        along = rig.shin * math.cos(shin)
        xs[ankle], ys[ankle] = xs[knee] + rig.shin * math.sin(shin), ys[knee] + sin * along
        zs[ankle] = zs[knee] - cos * along
        pitches[hip], pitches[knee], pitches[ankle] = thigh, shin, foot_pitch
        rolls[hip] = rolls[knee] = roll
        turns[ankle] = turn
    vigour, run = stride.vigour, stride.run
    lean = -math.radians(rig.stoop_deg) - vigour * 0.025 - run * 0.14
    arm = vigour * (0.36 + 0.30 * run)
    bend = 0.12 + 0.14 * vigour + 1.25 * run
    pitches[1], pitches[2] = lean, lean * 0.25
    pitches[3], pitches[5] = -arm * swing + 0.02, arm * swing + 0.02
    pitches[4] = pitches[3] + bend + 0.15 * vigour * max(0.0, -swing)
    pitches[6] = pitches[5] + bend + 0.15 * vigour * max(0.0, swing)
    turns[1] = 0.09 * vigour * swing
    return _assemble(rig, pitches, turns, rolls, (xs, ys, zs))


def _corner(side: float, span: float, opposite: float) -> float:
    """Return the angle between ``side`` and ``span`` of a triangle, opposite to the third side."""
    cosine = (side * side + span * span - opposite * opposite) / (2.0 * side * max(span, 1e-6))
    return math.acos(min(1.0, max(-1.0, cosine)))


def _turned(c: float, s: float, yaw: float, roll: float) -> tuple[float, ...]:
    """Return a rotation's nine numbers: a pitch (its cosine and sine), then a turn about the vertical or a roll about
    the x axis."""
    if yaw:
        cy, sy = math.cos(yaw), math.sin(yaw)
        return c * cy, -sy, -s * cy, c * sy, cy, -s * sy, s, 0.0, c
    cr, sr = math.cos(roll), math.sin(roll)
    return c, 0.0, -s, -sr * s, cr, -sr * c, cr * s, sr, cr * c


def _assemble(
    rig: Rig, pitches: list[float], turns: list[float], rolls: list[float], at: tuple[list[float], ...]
) -> Floats:
    """Return the joint matrices from absolute angles and the legs' places; the upper body hangs on the spine.

    Plain floats in one list: a few dozen numpy calls on such small arrays would take three times as long.
    """
    rest = rig.places
    xs, ys, zs = at
    cos, sin = [math.cos(p) for p in pitches], [math.sin(p) for p in pitches]
    # Spine: a pitch after a turn about the vertical.
    c, s, cy, sy = cos[1], sin[1], math.cos(turns[1]), math.sin(turns[1])
    spine = (c * cy, -c * sy, -s, sy, cy, 0.0, s * cy, -s * sy, c)
    xs[1], ys[1], zs[1] = rest[1][0], rest[1][1], zs[0] + rest[1][2]
    for child in (2, 3, 5):
        x, y, z = rest[child]
        xs[child] = xs[1] + spine[0] * x + spine[1] * y + spine[2] * z
        ys[child] = ys[1] + spine[3] * x + spine[4] * y + spine[5] * z
        zs[child] = zs[1] + spine[6] * x + spine[7] * y + spine[8] * z
    for child, parent in ((4, 3), (6, 5)):
        x, y, z = rest[child]
        xs[child] = xs[parent] + cos[parent] * x - sin[parent] * z
        ys[child] = ys[parent] + y
        zs[child] = zs[parent] + sin[parent] * x + cos[parent] * z
    flat: list[float] = []
    for joint in range(13):
        if joint == 1 or turns[joint] or rolls[joint]:
            a = spine if joint == 1 else _turned(cos[joint], sin[joint], turns[joint], rolls[joint])
            flat += (*a[0:3], xs[joint], *a[3:6], ys[joint], *a[6:9], zs[joint], 0.0, 0.0, 0.0, 1.0)
        else:
            c, s = cos[joint], sin[joint]
            flat += (c, 0.0, -s, xs[joint], 0.0, 1.0, 0.0, ys[joint], s, 0.0, c, zs[joint], 0.0, 0.0, 0.0, 1.0)
    return np.array(flat).reshape(13, 4, 4)

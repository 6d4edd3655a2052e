"""The one place that flips signs: ASAM's frame, CARLA's frame, and rotations in CARLA's convention.

ASAM (OpenDRIVE, OpenSCENARIO): right-handed, x east, y north, z up, angles in radians, heading positive
from x to y, pitch positive nose down, roll positive right side down.
CARLA (and Unreal): left-handed, x forward (east), y right (south), z up, angles in degrees, yaw positive
from x to y, pitch positive nose up, roll positive right side down.

``scenarios`` works in ASAM's frame; ``engine``, ``sensors``, ``behavior`` and ``bridge`` in CARLA's. Panda3D
and Bullet are right-handed with z up: the engine hands them ASAM's frame, through this module.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SEAM_RAD = 1e-4
"""How far beyond -180 degrees the seam of yaw lies: more than rounding, less than anybody turns on purpose."""
_TURN_RAD = 2.0 * np.pi


def flip_y(points: npt.ArrayLike) -> Floats:
    """Turn (..., 2 or 3) points or vectors of one frame into the other: y changes its sign. Its own inverse."""
    flipped = np.array(points, dtype=np.float64)
    flipped[..., 1] *= -1.0
    return flipped


def carla_rotation(heading_rad: float, pitch_rad: float = 0.0, roll_rad: float = 0.0) -> tuple[float, float, float]:
    """Return CARLA's (pitch, yaw, roll) in degrees for an ASAM orientation in radians."""
    return float(-np.degrees(pitch_rad)), float(-np.degrees(heading_rad)), float(np.degrees(roll_rad))


def asam_orientation(pitch_deg: float, yaw_deg: float, roll_deg: float) -> tuple[float, float, float]:
    """Return ASAM's (heading, pitch, roll) in radians for CARLA's rotation in degrees."""
    return float(-np.radians(yaw_deg)), float(-np.radians(pitch_deg)), float(np.radians(roll_deg))


def wrap_deg(angle_deg: npt.ArrayLike) -> Floats:
    """Wrap angles to [-180, 180) degrees."""
    return (np.asarray(angle_deg, dtype=np.float64) + 180.0) % 360.0 - 180.0


def wrap_rad(angle_rad: npt.ArrayLike) -> Floats:
    """Wrap angles to [-pi, pi) radians."""
    return (np.asarray(angle_rad, dtype=np.float64) + np.pi) % (2.0 * np.pi) - np.pi


def rotation_matrices(rotation_deg: npt.ArrayLike) -> Floats:
    """Return the (..., 3, 3) matrices of (..., 3) CARLA rotations (pitch, yaw, roll) in degrees.

    Columns are the forward, right and up vectors in the parent's frame, as ``carla.Transform.get_matrix``
    gives them (Unreal's order: yaw, then pitch, then roll).
    """
    angles = np.radians(np.asarray(rotation_deg, dtype=np.float64))
    cosine, sine = np.cos(angles), np.sin(angles)
    cp, cy, cr = cosine[..., 0], cosine[..., 1], cosine[..., 2]
    sp, sy, sr = sine[..., 0], sine[..., 1], sine[..., 2]
    matrix = np.empty((*angles.shape[:-1], 3, 3))
    matrix[..., 0, 0] = cp * cy
    matrix[..., 0, 1] = cy * sp * sr - sy * cr
    matrix[..., 0, 2] = -cy * sp * cr - sy * sr
    matrix[..., 1, 0] = cp * sy
    matrix[..., 1, 1] = sy * sp * sr + cy * cr
    matrix[..., 1, 2] = -sy * sp * cr + cy * sr
    matrix[..., 2, 0] = sp
    matrix[..., 2, 1] = -cp * sr
    matrix[..., 2, 2] = cp * cr
    return matrix


def pose_matrices(location: npt.ArrayLike, rotation_deg: npt.ArrayLike) -> Floats:
    """Return the (..., 4, 4) parent-from-local matrices of poses.

    Args:
        location: (..., 3) metres, in the parent's frame.
        rotation_deg: (..., 3) pitch, yaw, roll in degrees.
    """
    location = np.asarray(location, dtype=np.float64)
    matrix = np.zeros((*location.shape[:-1], 4, 4))
    matrix[..., :3, :3] = rotation_matrices(rotation_deg)
    matrix[..., :3, 3] = location
    matrix[..., 3, 3] = 1.0
    return matrix


def rotation_of(matrix: npt.ArrayLike) -> Floats:
    """Return the (..., 3) pitch, yaw, roll in degrees of (..., 3 or 4, 3 or 4) matrices.

    Pitch lies in [-90, 90]. At a pitch of exactly +-90 degrees yaw and roll are not unique; roll is then what
    remains after yaw has been read from the forward vector's limit. Yaw lies in (-180, 180], the seam moved by
    ``SEAM_RAD``: who stands still at 180 degrees does not jump between its two names by rounding.
    """
    m = np.asarray(matrix, dtype=np.float64)
    pitch = np.arctan2(m[..., 2, 0], np.hypot(m[..., 0, 0], m[..., 1, 0]))
    yaw = np.arctan2(m[..., 1, 0], m[..., 0, 0])
    yaw = yaw + _TURN_RAD * (yaw < SEAM_RAD - np.pi)
    # Undo yaw on the right vector; what is left of it in the local y-z plane is roll.
    right_y = -np.sin(yaw) * m[..., 0, 1] + np.cos(yaw) * m[..., 1, 1]
    up_y = -np.sin(yaw) * m[..., 0, 2] + np.cos(yaw) * m[..., 1, 2]
    roll = np.arctan2(up_y, right_y)
    angles = np.empty((*m.shape[:-2], 3))
    angles[..., 0], angles[..., 1], angles[..., 2] = pitch, yaw, roll
    return np.asarray(np.degrees(angles))


def invert(matrix: npt.ArrayLike) -> Floats:
    """Return the inverses of (..., 4, 4) rigid matrices, exactly and without a general solver."""
    m = np.asarray(matrix, dtype=np.float64)
    inverse = np.zeros_like(m)
    turned = np.swapaxes(m[..., :3, :3], -1, -2)
    inverse[..., :3, :3] = turned
    inverse[..., :3, 3] = -np.einsum("...ij,...j->...i", turned, m[..., :3, 3])
    inverse[..., 3, 3] = 1.0
    return inverse


def transform_points(matrix: npt.ArrayLike, points: npt.ArrayLike) -> Floats:
    """Return (N, 3) points moved by one (4, 4) matrix."""
    m = np.asarray(matrix, dtype=np.float64)
    return np.asarray(points, dtype=np.float64) @ m[:3, :3].T + m[:3, 3]

"""CARLA's inertial measurement unit. Source: CARLA 0.9.16, ``Sensor/InertialMeasurementUnit.cpp``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def acceleration_mps2(newest: Floats, middle: Floats, oldest: Floats, h1_s: float, h2_s: float) -> Floats:
    """Return the (3,) second derivative of the parabola through three positions, m/s^2, world axes.

    Args:
        newest, middle, oldest: (3,) sensor positions, metres.
        h1_s: seconds from ``middle`` to ``newest``.
        h2_s: seconds from ``oldest`` to ``middle``.
    """
    return 2.0 * (newest / (h1_s * (h1_s + h2_s)) - middle / (h1_s * h2_s) + oldest / (h2_s * (h1_s + h2_s)))


def specific_force_mps2(acceleration: Floats, gravity_mps2: float, world_from_sensor: Floats) -> Floats:
    """Return what the accelerometer feels, (3,) in sensor axes: acceleration plus gravity upwards (+z at rest)."""
    return world_from_sensor[:3, :3].T @ (acceleration + np.array([0.0, 0.0, gravity_mps2]))


def angular_rate_radps(angular_velocity_degps: Floats, world_from_sensor: Floats) -> Floats:
    """Return what the gyroscope feels, (3,) rad/s in sensor axes, for an angular velocity in deg/s, world axes.

    The original multiplies by the mounting rotation where the documentation ("in the sensor frame") needs its
    inverse; we follow the documentation. Both agree for an IMU mounted without rotation.
    """
    return world_from_sensor[:3, :3].T @ np.radians(angular_velocity_degps)


def compass_rad(world_from_sensor: Floats) -> float:
    """Return the heading in [0, 2 pi): 0 is north, which is world -y; it grows clockwise seen from above."""
    forward = world_from_sensor[:3, 0]
    angle = float(np.arctan2(forward[0], -forward[1]))
    return angle % (2.0 * np.pi)

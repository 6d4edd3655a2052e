"""CARLA's radar: random rays in an elliptical cone, and the speed along each.

Source: CARLA 0.9.16, ``Sensor/Radar.cpp``. Axes are the sensor's: x forward, y right, z up.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def cone_ends_m(
    count: int, horizontal_fov_deg: float, vertical_fov_deg: float, range_m: float, rng: np.random.Generator
) -> Floats:
    """Return the (count, 3) end points of the rays, on the plane x = range, in metres.

    y = tan(h/2) * range * rho * cos(phi), z = tan(v/2) * range * rho * sin(phi), with rho uniform in 0..1 and
    phi uniform in 0..2 pi: the density falls as 1/rho from the axis, as in the original. A ray's length is the
    distance to its end point, so rays off the axis reach a little beyond ``range_m``.
    """
    rho, phi = rng.random(count), rng.uniform(0.0, 2.0 * np.pi, count)
    wide, high = (range_m * np.tan(np.radians(fov / 2)) for fov in (horizontal_fov_deg, vertical_fov_deg))
    return np.stack([np.full(count, range_m), wide * rho * np.cos(phi), high * rho * np.sin(phi)], axis=1)


def azimuth_altitude(directions: Floats) -> tuple[Floats, Floats]:
    """Return (N,) azimuth (positive right) and altitude (positive up), radians, of (N, 3) unit vectors."""
    x, y, z = np.moveaxis(directions, -1, 0)
    return np.arctan2(y, x), np.arcsin(np.clip(z, -1.0, 1.0))


def radial_velocity(target_mps: Floats, sensor_mps: Floats, directions: Floats) -> Floats:
    """Return (N,) speed of the targets along the rays, m/s: negative when they approach.

    Args:
        target_mps: (N, 3) linear velocity of the object hit; its rotation does not count, as in the original.
        sensor_mps: (3,) velocity of the sensor.
        directions: (N, 3) unit vectors from the sensor, in the same axes.
    """
    return np.einsum("ij,ij->i", target_mps - sensor_mps, directions)

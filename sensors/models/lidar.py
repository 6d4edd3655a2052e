"""CARLA's rotating lidar: scan pattern, intensity, drop-off and range noise.

Source of all formulas: CARLA 0.9.16, ``Sensor/RayCastSemanticLidar.cpp`` and ``Sensor/RayCastLidar.cpp``.
Axes are the sensor's: x forward, y right, z up. Angles are degrees, positive azimuth turns right.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def vertical_angles_deg(channels: int, upper_fov_deg: float, lower_fov_deg: float) -> Floats:
    """Return the (channels,) elevations, evenly spaced, the highest first; one channel looks along ``upper``."""
    step = 0.0 if channels == 1 else (upper_fov_deg - lower_fov_deg) / (channels - 1)
    return np.float64(upper_fov_deg) - step * np.arange(channels, dtype=np.float64)


def points_per_channel(points_per_second: float, delta_s: float, channels: int) -> int:
    """Return how many times each laser fires in a step: round-half-up of points_per_second * dt / channels."""
    return int(np.floor(points_per_second * delta_s / channels + 0.5))


def sweep_deg(rotation_frequency_hz: float, horizontal_fov_deg: float, delta_s: float) -> float:
    """Return the angle the head turns in a step. It covers the whole field of view only at frequency = 1/dt."""
    return rotation_frequency_hz * horizontal_fov_deg * delta_s


def azimuths_deg(start_deg: float, swept_deg: float, points: int, horizontal_fov_deg: float) -> Floats:
    """Return the (points,) azimuths of a step, from ``start`` on, wrapped into +- half the field of view."""
    return np.fmod(start_deg + swept_deg / points * np.arange(points), horizontal_fov_deg) - horizontal_fov_deg / 2


def directions(elevation_deg: Floats, azimuth_deg: Floats, rotation: npt.ArrayLike | None = None) -> Float32s:
    """Return the (C, P, 3) float32 unit vectors of C elevations and P azimuths.

    Args:
        elevation_deg: (C,).
        azimuth_deg: (P,).
        rotation: (3, 3) matrix frame-from-sensor of the frame the vectors are wanted in; sensor axes without it.
    """
    forward, right, up = (np.eye(3) if rotation is None else np.asarray(rotation, dtype=np.float64)).T
    elevation, azimuth = np.radians(elevation_deg)[:, None], np.radians(azimuth_deg)[:, None]
    level = (np.cos(azimuth) * forward + np.sin(azimuth) * right).astype(np.float32)
    flat, rise = np.cos(elevation).astype(np.float32), (np.sin(elevation) * up).astype(np.float32)
    rays = np.empty((len(elevation), len(azimuth), 3), dtype=np.float32)
    for axis in range(3):  # component by component: several times as fast as over rows of three
        np.multiply(flat, level[:, axis], out=rays[..., axis])
        rays[..., axis] += rise[:, axis, None]
    return rays


def intensity(distance_m: npt.NDArray[np.floating], attenuation_per_m: float) -> npt.NDArray[np.floating]:
    """Return exp(-a d), CARLA's intensity: one way, without reflectance or angle of incidence."""
    return np.exp(np.multiply(distance_m, -attenuation_per_m, dtype=distance_m.dtype))


def fires(count: int, dropoff_general_rate: float, rng: np.random.Generator) -> Bools:
    """Return which of ``count`` rays are shot at all: each is left out with the given probability."""
    if dropoff_general_rate <= 0.0:
        return np.ones(count, dtype=bool)
    return rng.random(count, dtype=np.float32) >= dropoff_general_rate


def add_range_noise(distance_m: Float32s, stddev_m: float, rng: np.random.Generator) -> Float32s:
    """Return distances moved along their rays by N(0, stddev). Like CARLA's, a result may fall below 0."""
    if stddev_m <= 0.0:
        return distance_m
    noise = rng.standard_normal(distance_m.shape, dtype=np.float32)
    noise *= np.float32(stddev_m)
    return distance_m + noise


def survives(
    received: npt.NDArray[np.floating], intensity_limit: float, zero_intensity: float, rng: np.random.Generator
) -> Bools:
    """Return which hits are reported.

    Args:
        received: (N,) intensity from the true distance.
        intensity_limit: ``dropoff_intensity_limit``: hits above it are always reported.
        zero_intensity: ``dropoff_zero_intensity`` z: probability of losing a hit of intensity 0. Below the limit
            a hit is kept with probability (1 - z) + (z / limit) * intensity.
        rng: the sensor's stream; one number is drawn per hit below the limit.
    """
    kept = received > intensity_limit
    weak = np.flatnonzero(~kept)
    if len(weak):
        slope = zero_intensity / intensity_limit if intensity_limit > 0.0 else 0.0
        chance = (1.0 - zero_intensity) + slope * received[weak]
        kept[weak] = rng.random(len(weak), dtype=np.float32) < chance
    return kept

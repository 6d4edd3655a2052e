"""CARLA's radio between vehicles: how much of a sent power arrives.

Source: CARLA 0.9.16, ``Sensor/V2X/PathLossModel.cpp``, which follows ETSI TR 103 257-1 (WINNER+ channel models and the
shadow fading of its table 6), the two-ray ground model and ITU-R P.526's single knife edge. Powers in dBm, losses in
dB, distances in metres, frequencies in GHz.
"""

from __future__ import annotations

import math
from enum import Enum

LIGHT_MPS = 299792458.0
GROUND_PERMITTIVITY = 1.02
"""Relative permittivity of the ground in the two-ray model, as in CARLA."""


class Path(Enum):
    """What lies between two antennas."""

    FREE = "line of sight"
    VEHICLES = "vehicles only"
    BUILDINGS = "anything else"


FADING_DB = {
    "highway": {Path.FREE: 3.3, Path.VEHICLES: 3.8, Path.BUILDINGS: 6.8},
    "rural": {Path.FREE: 4.25, Path.VEHICLES: 4.55, Path.BUILDINGS: 6.8},
    "urban": {Path.FREE: 5.2, Path.VEHICLES: 5.3, Path.BUILDINGS: 6.8},
}
"""Standard deviation of shadow fading by scenario; ETSI has no rural values, CARLA takes the middle."""


def wavelength_m(frequency_ghz: float) -> float:
    """Return c / f."""
    return LIGHT_MPS / (frequency_ghz * 1e9)


def free_space_db(distance_m: float, frequency_ghz: float) -> float:
    """Return 20 log10(4 pi d / lambda)."""
    return 20.0 * math.log10(4.0 * math.pi * distance_m / wavelength_m(frequency_ghz))


def winner_db(path: Path, scenario: str, distance_m: float, frequency_ghz: float) -> float:
    """Return the loss of the WINNER+ models: behind buildings, on a highway, elsewhere."""
    decades, band = math.log10(distance_m), math.log10(frequency_ghz)
    if path is Path.BUILDINGS:
        return 36.85 + 30.0 * decades + 18.9 * band
    if scenario == "highway":
        return 32.4 + 20.0 * decades + 20.0 * band
    return 38.77 + 16.7 * decades + 18.2 * band


def log_distance_db(distance_m: float, reference_m: float, exponent: float, frequency_ghz: float) -> float:
    """Return the free-space loss at the reference distance plus 10 n log10(d / d_ref)."""
    return free_space_db(reference_m, frequency_ghz) + 10.0 * exponent * math.log10(distance_m / reference_m)


def two_ray_db(distance_m: float, height_a_m: float, height_b_m: float, frequency_ghz: float) -> float:
    """Return the loss when a ray mirrored by the ground arrives as well.

    Args:
        distance_m: between the antennas, in a straight line.
        height_a_m, height_b_m: of the antennas over the ground.
    """
    wave = wavelength_m(frequency_ghz)
    level = math.sqrt(max(distance_m**2 - (height_a_m - height_b_m) ** 2, 1e-9))
    mirrored = math.sqrt(distance_m**2 + 4.0 * height_a_m * height_b_m)
    sine, cosine = (height_a_m + height_b_m) / mirrored, level / mirrored
    root = math.sqrt(GROUND_PERMITTIVITY - cosine**2)
    gamma = (sine - root) / (sine + root)
    phase = 2.0 * math.pi / wave * (distance_m - mirrored)
    gain = math.hypot(1.0 + gamma * math.cos(phase), gamma * math.sin(phase))
    return 20.0 * math.log10(4.0 * math.pi * level / (wave * max(gain, 1e-9)))


def knife_edge_db(to_a_m: float, to_b_m: float, height_m: float, frequency_ghz: float) -> float:
    """Return what an edge of ``height_m`` between the antennas takes away, so far from each.

    As in CARLA the height counts from the ground, not from the line between the antennas.
    """
    if to_a_m <= 0.0 or to_b_m <= 0.0:
        return 0.0
    v = height_m * math.sqrt(2.0 * (to_a_m + to_b_m) / (wavelength_m(frequency_ghz) * to_a_m * to_b_m))
    if v < -0.78:
        return 0.0
    return 6.9 + 20.0 * math.log10(math.sqrt((v - 0.1) ** 2 + 1.0) + v - 0.1)

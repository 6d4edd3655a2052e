"""OpenDRIVE's units into SI, slopes into ratios."""

from __future__ import annotations

SI_FACTORS = {
    "m": 1.0, "km": 1000.0, "ft": 0.3048, "mile": 1609.344,
    "m/s": 1.0, "km/h": 1.0 / 3.6, "mph": 0.44704,
    "kg": 1.0, "t": 1000.0, "%": 0.01,
}  # fmt: skip
"""Unit -> what to multiply with to get metres, metres per second, kilograms or a ratio (the international foot)."""


def to_si(value: float, unit: str) -> float:
    """Return a value in SI units.

    Raises:
        ValueError: the standard does not know the unit.
    """
    if unit not in SI_FACTORS:
        raise ValueError(f"unknown unit {unit!r}; OpenDRIVE knows {', '.join(SI_FACTORS)}")
    return value * SI_FACTORS[unit]

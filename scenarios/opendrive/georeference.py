"""Where on Earth the network's origin lies, from the header's PROJ string."""

from __future__ import annotations

import math

DEFAULT_ORIGIN = (42.0, 2.0)
"""What CARLA's client falls back to where a file gives no origin."""


def origin_of(text: str) -> tuple[tuple[float, float], str]:
    """Return ((latitude, longitude) in degrees of the origin, a note if it is only a guess).

    Like CARLA's client this takes ``+lat_0`` and ``+lon_0`` of the string as the origin; false eastings and the
    projection's distortion are left aside.

    Args:
        text: the geoReference, for instance ``+proj=tmerc +lat_0=48.1 +lon_0=11.6``; may be empty.
    """
    values: dict[str, float] = {}
    for word in text.replace(",", " ").split():
        name, _, value = word.lstrip("+").partition("=")
        if name in ("lat_0", "lon_0"):
            try:
                number = float(value)
            except ValueError:
                continue
            if math.isfinite(number):
                values[name] = number
    latitude, longitude = values.get("lat_0"), values.get("lon_0")
    if latitude is not None and longitude is not None and abs(latitude) <= 90.0 and abs(longitude) <= 360.0:
        return (latitude, longitude), ""
    note = "" if not text else f"no usable lat_0 and lon_0 in '{text[:60]}'; the origin is taken as 42 N, 2 E"
    return DEFAULT_ORIGIN, note

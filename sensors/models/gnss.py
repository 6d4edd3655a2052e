"""CARLA's geographic position: a spherical transverse Mercator projection.

Source: the 0.9.16 client's ``Map.transform_to_geolocation``, measured (agreement 1e-9 degrees over tens of km).
"""

from __future__ import annotations

import math

EARTH_RADIUS_M = 6378137.0
SCALE = 0.9996


def geolocation(
    x_m: float, y_m: float, z_m: float, origin_lat_deg: float, origin_lon_deg: float
) -> tuple[float, float, float]:
    """Return (latitude, longitude) in degrees and altitude in metres of a CARLA location.

    x points east. The client does not negate y in 0.9.16: latitude grows with +y, although maps place north at -y.

    Args:
        x_m, y_m, z_m: location in CARLA's frame.
        origin_lat_deg, origin_lon_deg: ``lat_0`` and ``lon_0`` of the map's georeference.
    """
    east = x_m / (SCALE * EARTH_RADIUS_M)
    north = y_m / (SCALE * EARTH_RADIUS_M) + math.radians(origin_lat_deg)
    latitude = math.asin(math.sin(north) / math.cosh(east))
    longitude = math.radians(origin_lon_deg) + math.atan2(math.sinh(east), math.cos(north))
    return math.degrees(latitude), math.degrees(longitude), z_m

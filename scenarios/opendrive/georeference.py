"""Where on Earth the network's origin lies, from the header's PROJ string."""

from __future__ import annotations

import math
from functools import lru_cache

import pyproj

from scenarios.opendrive.errors import OpenDriveError
from scenarios.opendrive.furniture_records import HeaderOffset

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


class GeoReference:
    """The map's projection, by PROJ: places on Earth (WGS 84, degrees) to the map's metres and back.

    The header's ``<offset>`` turns map coordinates by ``hdg`` and shifts them by (x, y) to get projected ones.

    Args:
        text: the geoReference.
        offset: the header's offset, None if there is none.

    Raises:
        OpenDriveError: there is no text, or PROJ does not understand it.
    """

    def __init__(self, text: str, offset: HeaderOffset | None = None) -> None:
        if not text.strip():
            raise OpenDriveError("the map has no <geoReference>", element="geoReference", remedy="add one")
        try:
            self._projection = _transformer(text.strip())
        except pyproj.exceptions.ProjError as error:
            raise OpenDriveError(f"'{text.strip()[:80]}' is not usable: {error}", element="geoReference") from error
        self._shift = (offset.x, offset.y) if offset is not None else (0.0, 0.0)
        turn = offset.hdg if offset is not None else 0.0
        self._cos, self._sin = math.cos(turn), math.sin(turn)

    def to_lat_lon(self, x: float, y: float) -> tuple[float, float]:
        """Return (latitude, longitude) in degrees of a place of the map (metres).

        Raises:
            OpenDriveError: the place lies outside of the projection.
        """
        east = self._cos * x - self._sin * y + self._shift[0]
        north = self._sin * x + self._cos * y + self._shift[1]
        longitude, latitude = self._projection.transform(east, north, direction="INVERSE")
        return _finite(latitude, longitude, f"({x:g}, {y:g}) m")

    def to_map(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Return the map's (x, y) in metres of a place in degrees.

        Raises:
            OpenDriveError: the place lies outside of the projection.
        """
        east, north = self._projection.transform(longitude, latitude)
        dx, dy = east - self._shift[0], north - self._shift[1]
        x, y = self._cos * dx + self._sin * dy, self._cos * dy - self._sin * dx
        return _finite(x, y, f"({latitude:g}, {longitude:g}) degrees")


def _finite(first: float, second: float, place: str) -> tuple[float, float]:
    if not (math.isfinite(first) and math.isfinite(second)):
        raise OpenDriveError(f"{place} lies outside of the map's projection", element="geoReference")
    return float(first), float(second)


@lru_cache(maxsize=16)
def _transformer(projection: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs("EPSG:4326", pyproj.CRS.from_user_input(projection), always_xy=True)

"""GeoPosition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import pyproj

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Orientation, Placement, position, read_orientation
from scenarios.openscenario.roads import Roads
from scenarios.openscenario.states import Pose

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class GeoPosition:
    """A place on Earth (WGS 84, degrees), put into the map by its ``geoReference`` and the header's ``offset``.

    ``height`` is that above the map's zero; without one the place is on the road.
    """

    latitude: float
    longitude: float
    height: float | None
    orientation: Orientation

    def resolve(self, world: World) -> Placement:
        """Return the pose, aligned with the x axis unless an orientation says otherwise."""
        x, y = to_map(world.roads, self.latitude, self.longitude)
        z = world.roads.height(x, y) if self.height is None else self.height
        return Placement(self.orientation.on(Pose(x, y, z, 0.0)))

    def entities(self) -> tuple[str, ...]:
        """None."""
        return ()


@lru_cache(maxsize=16)
def _transformer(projection: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs("EPSG:4326", pyproj.CRS.from_user_input(projection), always_xy=True)


def to_map(roads: Roads, latitude: float, longitude: float) -> tuple[float, float]:
    """Return the map coordinates (x, y) in metres of a place in degrees.

    OpenDRIVE's ``offset`` turns map coordinates by ``hdg`` and shifts them by (x, y) to get the projected ones, so
    that is undone here.

    Raises:
        ValueError: the map has no geoReference, or one that PROJ does not understand.
    """
    text = roads.network.geo_reference.strip()
    if not text:
        raise ValueError("the road network has no geoReference, so a place on Earth means nothing on it")
    try:
        east, north = _transformer(text).transform(longitude, latitude)
    except pyproj.exceptions.ProjError as error:
        raise ValueError(f"geoReference {text[:80]!r} is not usable: {error}") from error
    header = roads.network.document.header
    offset = getattr(header, "offset", None)
    if offset is not None:
        dx, dy = east - offset.x, north - offset.y
        c, s = math.cos(offset.hdg), math.sin(offset.hdg)
        east, north = c * dx + s * dy, -s * dx + c * dy
    if not (math.isfinite(east) and math.isfinite(north)):
        raise ValueError(f"{latitude:g}, {longitude:g} lies outside the map's projection")
    return float(east), float(north)


@position("GeoPosition")
def read(node: Node, reader: Reader) -> GeoPosition:
    """Read ``GeoPosition``: latitudeDeg and longitudeDeg (1.2), or latitude and longitude in radians before."""
    if node.has("latitudeDeg") or node.has("longitudeDeg"):
        latitude, longitude = node.number("latitudeDeg"), node.number("longitudeDeg")
    else:
        latitude, longitude = math.degrees(node.number("latitude")), math.degrees(node.number("longitude"))
    if not (-90.0 <= latitude <= 90.0 and -360.0 <= longitude <= 360.0):
        raise node.error(f"latitude {latitude:g} and longitude {longitude:g} degrees are not on Earth")
    height = node.maybe_number("altitude")
    old = node.maybe_number("height")
    place = GeoPosition(latitude, longitude, old if height is None else height, read_orientation(node))
    reader.on_network(node, lambda roads: to_map(roads, latitude, longitude))
    return place

"""Positions of the standard, one file each. Importing this package registers them all."""

from scenarios.openscenario.positions import (
    geo,
    lane,
    relative_lane,
    relative_object,
    relative_road,
    relative_world,
    road,
    route,
    trajectory,
    world,
)
from scenarios.openscenario.positions.base import (
    POSITIONS,
    Orientation,
    Placement,
    Position,
    read_orientation,
    read_position,
)

__all__ = [
    "POSITIONS",
    "Orientation",
    "Placement",
    "Position",
    "geo",
    "lane",
    "read_orientation",
    "read_position",
    "relative_lane",
    "relative_object",
    "relative_road",
    "relative_world",
    "road",
    "route",
    "trajectory",
    "world",
]

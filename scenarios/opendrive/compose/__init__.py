"""Own maps, written with scenariogeneration: parameters in, OpenDRIVE 1.7 text out.

    text = town(TownParameters(columns=4, rows=3))

The same parameters give the same bytes on every machine: no clock is read, and numbers are rounded to 1e-8.
"""

from scenarios.opendrive.compose.corridor import CorridorParameters, corridor
from scenarios.opendrive.compose.crossings import (
    JunctionParameters,
    RoundaboutParameters,
    SmallTownParameters,
    junction,
    roundabout,
    small_town,
)
from scenarios.opendrive.compose.motorway import MotorwayParameters, motorway
from scenarios.opendrive.compose.street import StreetParameters, street
from scenarios.opendrive.compose.town import TownParameters, town

__all__ = [
    "CorridorParameters",
    "JunctionParameters",
    "MotorwayParameters",
    "RoundaboutParameters",
    "SmallTownParameters",
    "StreetParameters",
    "TownParameters",
    "corridor",
    "junction",
    "motorway",
    "roundabout",
    "small_town",
    "street",
    "town",
]

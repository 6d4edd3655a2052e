"""The catalogue's maps: names and the parameters that the composer makes them from."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import MappingProxyType


def _crossing() -> str:
    from scenarios.opendrive.compose import JunctionParameters, junction

    return junction(JunctionParameters(control="yield"), "RealityJunction")


def _roundabout() -> str:
    from scenarios.opendrive.compose import roundabout

    return roundabout(name="RealityRoundabout")


def _school() -> str:
    from scenarios.opendrive.compose import CorridorParameters, corridor
    from scenarios.opendrive.compose.corridor import BusStop, SchoolZone, Strip, Zebra

    strips = (
        Strip(kind="driving", width_m=3.5), Strip(kind="parking", width_m=3.0), Strip(kind="sidewalk", width_m=3.0),
    )  # fmt: skip
    features = (
        SchoolZone(kind="school_zone", start_m=50.0, end_m=250.0),
        Zebra(kind="zebra", s_m=130.0, island_m=2.4),
        BusStop(kind="bus_stop", s_m=300.0),
    )
    return corridor(
        CorridorParameters(before_m=200.0, after_m=200.0, strips=strips, features=features), "RealitySchool"
    )


def _rural() -> str:
    from scenarios.opendrive.compose import CorridorParameters, corridor
    from scenarios.opendrive.compose.corridor import Strip

    strips = (Strip(kind="driving", width_m=3.5), Strip(kind="shoulder", width_m=1.0))
    return corridor(
        CorridorParameters(
            before_m=200.0, bend_deg=50.0, bend_radius_m=150.0, after_m=200.0, crest_m=6.0, strips=strips, speed_kmh=100
        ),
        "RealityRural",
    )


def _railway() -> str:
    from scenarios.opendrive.compose import CorridorParameters, corridor
    from scenarios.opendrive.compose.corridor import RailwayCrossing, Strip

    strips = (Strip(kind="driving", width_m=3.5), Strip(kind="shoulder", width_m=1.0))
    features = (RailwayCrossing(kind="railway_crossing", s_m=200.0, angle_deg=75.0),)
    return corridor(
        CorridorParameters(before_m=150.0, after_m=150.0, strips=strips, features=features, speed_kmh=70),
        "RealityRailway",
    )


def _town() -> str:
    from scenarios.opendrive.compose import town

    return town()


def _street() -> str:
    from scenarios.opendrive.compose import street

    return street()


def _motorway() -> str:
    from scenarios.opendrive.compose import motorway

    return motorway()


def _village() -> str:
    from scenarios.opendrive.compose import small_town

    return small_town(name="RealityVillage")


# The composer needs scenariogeneration, which running a scenario does not: it is imported when a map is made.
COMPOSERS: MappingProxyType[str, Callable[[], str]] = MappingProxyType(
    {
        "RealityJunction": _crossing,
        "RealityMotorway": _motorway,
        "RealityRailway": _railway,
        "RealityRoundabout": _roundabout,
        "RealityRural": _rural,
        "RealitySchool": _school,
        "RealityStreet": _street,
        "RealityTown": _town,
        "RealityVillage": _village,
    }
)


@cache
def map_text(name: str) -> str:
    """Return the OpenDRIVE text of a map, made anew from its parameters."""
    return COMPOSERS[name]()

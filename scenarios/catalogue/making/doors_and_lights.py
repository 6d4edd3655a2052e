"""A parked car's door opens before a cyclist; somebody drives over a red light."""

from __future__ import annotations

import itertools
import math

from scenarios.catalogue.making.common import EGO_SPEED, FRONT_M, UTYP, ego_on_street
from scenarios.catalogue.making.recipes import (
    BRAKE_TTC,
    Actor,
    AtTime,
    Door,
    Event,
    Follow,
    Meeting,
    Parameter,
    Recipe,
    Travelled,
    ego_speed,
    on_lane,
    on_road,
)
from scenarios.catalogue.making.vehicles import at_junction
from scenarios.catalogue.making.ways import way

_TOWN = "RealityTown"
_EGO_LIGHTS, _CROSSING_LIGHTS = ("5007", "5009"), ("5008", "5010")
"""Signals of the town's crossing of four streets: along the ego's street, and across it."""


def _dooring() -> Recipe:
    """The door's edge is at ``door_s``; the cyclist swings round it, where the ego's front reaches its rear wheel."""
    door_s, start_s, ride_y, round_y, meet_s = 185.0, 155.0, -3.4, -1.9, 185.5
    line = [(177.5, -3.4), (179.0, -3.15), (180.5, -2.65), (182.0, -2.15), (183.5, round_y), (188.0, round_y)]
    line += [(191.0, -2.3), (195.0, -2.9), (199.0, -3.2), (290.0, -3.2)]
    before = [(start_s, ride_y), *(p for p in line if p[0] < meet_s), (meet_s, round_y)]
    way_m = sum(math.dist(a, b) for a, b in itertools.pairwise(before))
    rear_m, centre_m = 0.2945, 0.46  # of the bicycle
    parked = [
        Actor("Parked", "suv_patrol", on_lane("1", -2, door_s - 2.0, -0.25)),
        Actor("Behind", "car_leon", on_lane("1", -2, door_s - 10.0, -0.25)),
        Actor("Ahead", "car_a2", on_lane("1", -2, door_s + 6.0, -0.25)),
    ]
    return Recipe(
        "dooring",
        "car to cyclist",
        "A door opens before a cyclist",
        f"{UTYP}, type 58",
        "A cyclist rides past parked cars; a driver's door opens, and the cyclist swings round it before the ego.",
        "RealityStreet",
        [
            ego_speed(40, 25, 50),
            Parameter("CyclistSpeedKmh", 16.0, 12.0, 20.0, "km/h", "speed of the cyclist"),
            Parameter("Warning", 8.5, 8.0, 14.0, "m", "between the cyclist and the door's edge when the door opens"),
            BRAKE_TTC,
        ],
        [
            EGO_SPEED,
            ("_CyclistSpeed", "$CyclistSpeedKmh / 3.6"),
            ("_MeetTime", f"{way_m:.3f} / $_CyclistSpeed"),
            ("_EgoStartS", f"{meet_s - rear_m - FRONT_M:g} - $_EgoSpeed * $_MeetTime"),
            ("_Ridden", f"{door_s - start_s - centre_m:g} - $Warning"),
        ],
        [
            ego_on_street("$_EgoStartS"),
            Actor("Cyclist", "bicycle", on_road("1", start_s, ride_y, 0.0), "$_CyclistSpeed"),
            *parked,
        ],
        [
            Event(
                "Ride",
                "Cyclist",
                AtTime(0),
                [Follow([on_road("1", *p) for p in [(start_s, ride_y), *line]])],
            ),
            Event("OpenDoor", "Parked", Travelled("$_Ridden", "Cyclist"), [Door("doorFrontLeft")]),
        ],
        14.0,
        Meeting("Cyclist", "$_MeetTime", meet_s + centre_m, round_y),
    )


def _red_light() -> Recipe:
    return at_junction(
        "red_light_runner",
        "car to car",
        "A car drives over a red light from the right",
        "The ego has a green light; a car comes out of the street on its right although its light is red.",
        source=f"{UTYP}, type 301",
        map_name=_TOWN,
        signals=[*((light, "green") for light in _EGO_LIGHTS), *((light, "red") for light in _CROSSING_LIGHTS)],
        driver=True,
        ego_way=way(_TOWN, ("6", -1, 71.5), ("8", -1, 60.0)),
        other=way(_TOWN, ("4", -1, 61.5), ("9", -1, 50.0)),
        entry="car_leon",
        ego_kmh=(40, 25, 50),
        other_kmh=(45.0, 25.0, 55.0),
    )


def recipes() -> list[Recipe]:
    """Return the scenarios of this module."""
    return [_dooring(), _red_light()]

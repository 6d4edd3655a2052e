"""Motorway cases: those that UN R157 asks of lane keeping systems, and typical accidents at ramps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from scenarios.catalogue.making.common import EGO_SPEED, FRONT_M, HEAD_ON, R157, UTYP, ego
from scenarios.catalogue.making.recipes import (
    BRAKE_TTC,
    FOG,
    Actor,
    AtTime,
    Deed,
    Event,
    LaneChange,
    Light,
    Meeting,
    Number,
    Parameter,
    Recipe,
    Speed,
    ego_speed,
    on_lane,
    on_road,
)
from scenarios.catalogue.making.ways import network

_FAMILY, _MAP = "motorway", "RealityMotorway"
_LEON_REAR, _LEON_CENTRE, _HGV_REAR, _HGV_CENTRE = 0.7765, 1.32, 1.868, 2.1
_LANE_M, _FIRST_LANE_M = 3.75, -1.875
_EDGE_Y = -2.5
"""Of the reference line of road 1, which runs east."""


def _lane_y(lane: int) -> float:
    return _EDGE_Y + _FIRST_LANE_M - _LANE_M * (-lane - 1)


def _actors(ego_lane: int, road: str, start: Number, others: Sequence[Actor]) -> list[Actor]:
    return [ego(on_lane(road, ego_lane, start), driver=True), *others]


def _cutting_in(
    name: str,
    title: str,
    source: str,
    text: str,
    *,
    road: str,
    start_s: float,
    lanes: tuple[int, int],
    change: int,
    ego_kmh: tuple[float, float, float],
    slower: tuple[float, float, float],
    gap: tuple[float, float, float],
    change_s: tuple[float, float, float],
) -> Recipe:
    """A slower car ahead changes into (or across) the ego's lane after one second.

    Args:
        lanes: of the ego and of the other at the beginning.
        change: how many lanes to the left.
    """
    parameters = [
        ego_speed(*ego_kmh),
        Parameter("SlowerKmh", *slower, "km/h", "how much slower the other car is"),
        Parameter("Gap", *gap, "m", "between the bumpers, along the road, when it begins to change lanes"),
        Parameter("ChangeTime", *change_s, "s", "how long it takes"),
        BRAKE_TTC,
    ]
    derived = [
        EGO_SPEED,
        ("_Slower", "$SlowerKmh / 3.6"),
        ("_OtherSpeed", "$_EgoSpeed - $_Slower"),
        ("_OtherStartS", f"{start_s + FRONT_M + _LEON_REAR:g} + $Gap + $_Slower"),
        ("_MeetTime", "1 + $Gap / $_Slower"),
    ]
    lane = network(_MAP).lane_pose(road, lanes[0], 0.0)  # the roads in question are straight
    along = f"($_OtherStartS + {_LEON_CENTRE} + $_OtherSpeed * $_MeetTime)"
    x, y = (
        f"{origin:.4f} + {unit:.6f} * {along}"
        for origin, unit in ((lane.x, math.cos(lane.heading)), (lane.y, math.sin(lane.heading)))
    )
    meeting = Meeting("Other", "$_MeetTime", x, y)
    return Recipe(
        name,
        _FAMILY,
        title,
        source,
        text,
        _MAP,
        parameters,
        derived,
        _actors(
            lanes[0],
            road,
            start_s,
            [Actor("Other", "car_leon", on_lane(road, lanes[1], "$_OtherStartS"), "$_OtherSpeed")],
        ),
        [Event("ChangeLanes", "Other", AtTime(1.0), [LaneChange(change, "$ChangeTime")])],
        10.0,
        meeting,
        least_ttc_s=1.0,
    )


def _ahead(
    name: str,
    title: str,
    source: str,
    text: str,
    others: Sequence[Actor],
    deeds: Sequence[Event],
    parameters: Sequence[Parameter],
    derived: Sequence[tuple[str, str]],
    meeting: Meeting,
    light: Light = Light(),  # noqa: B008
    lane: int = -2,
    family: str = _FAMILY,
) -> Recipe:
    return Recipe(
        name,
        family,
        title,
        source,
        text,
        _MAP,
        [ego_speed(100, 60, 130), *parameters, BRAKE_TTC],
        [EGO_SPEED, *derived],
        _actors(lane, "1", 10.0, others),
        deeds,
        12.0,
        meeting,
        light,
        1.0,
    )


def _blocked(name: str, title: str, source: str, text: str, light: Light = Light(), *, queue: bool = False) -> Recipe:  # noqa: B008
    """A lorry stands in the ego's lane; with ``queue`` there are cars in the other lanes beside it."""
    derived = [
        ("_MeetTime", "8 - 2 * $EgoSpeedKmh / 130"),
        ("_BlockS", f"{10 + FRONT_M + _HGV_REAR:g} + $_EgoSpeed * $_MeetTime"),
    ]
    others = [Actor("Lorry", "truck_hgv", on_lane("1", -2, "$_BlockS"))]
    if queue:
        others += [
            Actor("Left", "car_tt", on_lane("1", -1, "$_BlockS + 3")),
            Actor("Right", "car_mini", on_lane("1", -3, "$_BlockS - 1")),
        ]
    hold: Sequence[Deed] = [Speed(0.0)]
    return _ahead(
        name,
        title,
        source,
        text,
        others,
        [Event("Stand", "Lorry", AtTime(0), hold)],
        [],
        derived,
        Meeting("Lorry", "$_MeetTime", f"$_BlockS + {_HGV_CENTRE}", _lane_y(-2)),
        light,
        family="weather and light" if queue else _FAMILY,
    )


def recipes() -> list[Recipe]:
    """Return the scenarios on the motorway."""
    lead_parameters = [Parameter("Headway", 1.2, 0.8, 2.5, "s", "time gap to the car ahead")]
    lead_derived = [("_LeadStartS", f"{10 + FRONT_M + _LEON_REAR:g} + $Headway * $_EgoSpeed")]
    lead = Actor("Lead", "car_leon", on_lane("1", -2, "$_LeadStartS"), "$_EgoSpeed")
    return [
        _cutting_in(
            "alks_cut_in",
            "A slower car cuts in (ALKS)",
            R157,
            "A car changes from the right into the ego's lane.",
            road="1",
            start_s=10.0,
            lanes=(-2, -3),
            change=1,
            ego_kmh=(100, 60, 130),
            slower=(20.0, 15.0, 40.0),
            gap=(20.0, 15.0, 40.0),
            change_s=(3.0, 2.0, 3.5),
        ),
        _ahead(
            "alks_cut_out",
            "The car ahead cuts out before a standing one (ALKS)",
            R157,
            "The car ahead leaves the lane late; what it hid is a car that stands.",
            [lead, Actor("Standing", "car_tt", on_lane("1", -2, "$_StandingS"))],
            [Event("CutOut", "Lead", AtTime("$_CutOutTime"), [LaneChange(1, "$ChangeTime")])],
            [
                *lead_parameters,
                Parameter("CutOutTtc", 3.6, 3.2, 5.0, "s", "of the car ahead when it leaves the lane"),
                Parameter("ChangeTime", 2.8, 2.0, 3.0, "s", "how long it takes"),
            ],
            [
                *lead_derived,
                ("_MeetTime", "8"),
                ("_StandingS", f"{10 + FRONT_M + 0.8405:g} + $_EgoSpeed * $_MeetTime"),
                ("_CutOutTime", "$_MeetTime - $Headway - $CutOutTtc"),
            ],
            Meeting("Standing", "$_MeetTime", "$_StandingS + 1.25", _lane_y(-2)),
        ),
        _ahead(
            "alks_deceleration",
            "The car ahead brakes hard (ALKS)",
            R157,
            "The car ahead brakes after a second until it stands.",
            [lead],
            [Event("Brake", "Lead", AtTime(1.0), [Speed(0.0, "linear", "rate", "$Deceleration")])],
            [*lead_parameters, Parameter("Deceleration", 6.0, 4.0, 9.0, "m/s^2", "of the car ahead")],
            [*lead_derived, ("_MeetTime", "1 + sqrt(2 * $Headway * $_EgoSpeed / $Deceleration)")],
            Meeting(
                "Lead",
                "$_MeetTime",
                f"$_LeadStartS + {_LEON_CENTRE} + $_EgoSpeed * ($_MeetTime - $Headway)",
                _lane_y(-2),
            ),
        ),
        _blocked("alks_blocked_lane", "A lorry blocks the lane (ALKS)", R157, "A lorry stands in the ego's lane."),
        _cutting_in(
            "motorway_merge",
            "A slow car merges from the acceleration lane",
            UTYP + ", type 64",
            "A car leaves the acceleration lane too slowly.",
            road="3",
            start_s=5.0,
            lanes=(-3, -4),
            change=1,
            ego_kmh=(90, 70, 110),
            slower=(25.0, 18.0, 35.0),
            gap=(18.0, 12.0, 30.0),
            change_s=(2.4, 1.8, 2.8),
        ),
        _cutting_in(
            "motorway_late_exit",
            "A car crosses two lanes to its exit",
            UTYP + ", type 63",
            "A car on the left notices its exit late and crosses the ego's lane to the right.",
            road="1",
            start_s=285.0,
            lanes=(-3, -2),
            change=-2,
            ego_kmh=(100, 80, 120),
            slower=(22.0, 18.0, 30.0),
            gap=(11.0, 8.0, 13.0),
            change_s=(3.8, 3.4, 4.5),
        ),
        replace(
            _ahead(
                "motorway_wrong_way",
                "A car comes towards the ego on its own carriageway",
                UTYP + ", type 68",
                "Somebody has taken the exit for the entry.",
                [Actor("WrongWay", "car_leon", on_road("1", "$_OtherStartS", -1.875, math.pi), "$_OtherSpeed")],
                [Event("GoOn", "WrongWay", AtTime(0), [Speed("$_OtherSpeed")])],
                [Parameter("OtherSpeedKmh", 80.0, 50.0, 100.0, "km/h", "speed of the oncoming car")],
                [
                    ("_OtherSpeed", "$OtherSpeedKmh / 3.6"),
                    ("_MeetTime", "7"),
                    ("_OtherStartS", f"{10 + FRONT_M + 3.4165:g} + ($_EgoSpeed + $_OtherSpeed) * $_MeetTime"),
                ],
                Meeting(
                    "WrongWay", "$_MeetTime", f"$_OtherStartS - {_LEON_CENTRE} - $_OtherSpeed * $_MeetTime", _lane_y(-1)
                ),
                lane=-1,
            ),
            remedy=HEAD_ON.format(closing=180, left=114, place="into the free lane on its right"),
        ),
        _blocked(
            "jam_end_fog",
            "The end of a jam in fog",
            UTYP + ", type 62",
            "All lanes are blocked by standing vehicles; fog hides them.",
            FOG,
            queue=True,
        ),
    ]

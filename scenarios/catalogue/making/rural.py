"""Country roads: an oncoming car cuts a bend, a car stands behind a crest, somebody overtakes."""

from __future__ import annotations

import math

from scenarios.catalogue.making.common import (
    EGO_SPEED,
    FRONT_M,
    HEAD_ON,
    LEON_CENTRE,
    LEON_FRONT,
    LEON_REAR,
    STREET_LANE_Y,
    UTYP,
    ego_on_street,
)
from scenarios.catalogue.making.recipes import (
    BRAKE_TTC,
    Actor,
    AtTime,
    Event,
    Follow,
    Meeting,
    Parameter,
    Recipe,
    Speed,
    ego_speed,
    on_lane,
    on_road,
)
from scenarios.catalogue.making.ways import network

_FAMILY, _MAP = "country road", "RealityRural"
_BEND_S = 200.0 + 0.5 * math.radians(50.0) * 150.0
"""The middle of the bend, s of road 1; it turns left for the ego."""
_OTHER = Parameter("OtherSpeedKmh", 70.0, 50.0, 90.0, "km/h", "speed of the oncoming car")
_OTHER_SPEED = ("_OtherSpeed", "$OtherSpeedKmh / 3.6")


def _cutting() -> Recipe:
    # Before and behind the place where they meet, t of the middle of its rear axle: over the middle line by most of
    # its width where it meets the ego, at home again 45 m later.
    line = [
        (70, 1.75), (60, 1.5), (50, 0.9), (40, 0.1), (30, -0.4), (20, -0.6), (10, -0.6), (0, -0.5), (-5, -0.2),
        (-10, 0.25), (-15, 0.75), (-20, 1.15), (-30, 1.6), (-40, 1.75),
    ]  # fmt: skip
    meets = network(_MAP).road_pose("1", _BEND_S + 2.1, -0.5)
    way = [on_road("1", "$_OtherStartS", 1.75), *(on_road("1", round(_BEND_S + a, 3), t) for a, t in line)]
    return Recipe(
        "bend_cut_corner",
        _FAMILY,
        "An oncoming car cuts a bend",
        f"{UTYP}, type 682",
        "In a bend an oncoming car comes over the middle line into the ego's lane and goes back behind the bend.",
        _MAP,
        [ego_speed(70, 50, 100), _OTHER, BRAKE_TTC],
        [
            EGO_SPEED,
            _OTHER_SPEED,
            ("_MeetTime", "5"),
            ("_EgoStartS", f"{_BEND_S - FRONT_M:.3f} - $_EgoSpeed * $_MeetTime"),
            ("_OtherStartS", f"{_BEND_S + LEON_FRONT:.3f} + $_OtherSpeed * $_MeetTime"),
        ],
        [
            ego_on_street("$_EgoStartS"),
            Actor("Other", "car_leon", on_road("1", "$_OtherStartS", 1.75, math.pi), "$_OtherSpeed"),
        ],
        [Event("CutBend", "Other", AtTime(0), [Follow([*way, on_road("1", 60.0, 1.75)])])],
        10.0,
        Meeting("Other", "$_MeetTime", round(meets.x, 3), round(meets.y, 3)),
    )


def _breakdown() -> Recipe:
    stand_s = _BEND_S + 45.0
    stands = network(_MAP).lane_pose("1", -1, stand_s + LEON_CENTRE)
    return Recipe(
        "crest_breakdown",
        _FAMILY,
        "A broken-down car behind a crest",
        f"{UTYP}, type 592",
        "A car stands in the ego's lane behind the crest, hidden until the ego is on top.",
        _MAP,
        [
            ego_speed(80, 50, 100),
            Parameter("SideOffset", 0.0, -0.8, 0.3, "m", "of the car, left of the lane's middle"),
            BRAKE_TTC,
        ],
        [
            EGO_SPEED,
            ("_MeetTime", "6"),
            ("_EgoStartS", f"{stand_s - LEON_REAR - FRONT_M:.3f} - $_EgoSpeed * $_MeetTime"),
        ],
        [ego_on_street("$_EgoStartS"), Actor("Car", "car_leon", on_lane("1", -1, round(stand_s, 3), "$SideOffset"))],
        [Event("Stand", "Car", AtTime(0), [Speed(0.0)])],
        12.0,
        Meeting("Car", "$_MeetTime", round(stands.x, 3), round(stands.y, 3)),
    )


def _overtaker() -> Recipe:
    over_s = 130.0
    # Seconds after the start, and t: it is in the ego's lane after 1.7 s.
    line = (
        (0.0, 1.75), (0.1, 1.7), (0.3, 1.45), (0.6, 0.8), (0.9, -0.1), (1.2, -1.0), (1.5, -1.6), (1.7, -1.75),
        (5.5, -1.75),
    )  # fmt: skip
    pulls_out = [on_road("1", f"$_OtherStartS - $_OtherSpeed * {a}", t) for a, t in line]
    goes_on = [on_road("1", "$_LorryStartS", 1.75), on_road("1", 5.0, 1.75)]
    return Recipe(
        "rural_overtaker",
        _FAMILY,
        "An oncoming car overtakes a lorry",
        f"{UTYP}, type 661",
        "A lorry comes towards the ego; a car behind it pulls out into the ego's lane.",
        _MAP,
        [
            ego_speed(70, 50, 90),
            _OTHER,
            Parameter("LorrySpeedKmh", 50.0, 40.0, 60.0, "km/h", "speed of the lorry"),
            BRAKE_TTC,
        ],
        [
            EGO_SPEED,
            _OTHER_SPEED,
            ("_LorrySpeed", "$LorrySpeedKmh / 3.6"),
            ("_MeetTime", "5"),
            ("_EgoStartS", f"{over_s - FRONT_M:g} - $_EgoSpeed * $_MeetTime"),
            ("_OtherStartS", f"{over_s + LEON_FRONT:g} + $_OtherSpeed * $_MeetTime"),
            ("_LorryStartS", "$_OtherStartS - 16"),
        ],
        [
            ego_on_street("$_EgoStartS"),
            Actor("Other", "car_leon", on_road("1", "$_OtherStartS", 1.75, math.pi), "$_OtherSpeed"),
            Actor("Lorry", "truck_hgv", on_road("1", "$_LorryStartS", 1.75, math.pi), "$_LorrySpeed"),
        ],
        [
            Event("Overtake", "Other", AtTime(0), [Follow(pulls_out)]),
            Event("GoOn", "Lorry", AtTime(0), [Speed("$_LorrySpeed"), Follow(goes_on)]),
        ],
        10.0,
        Meeting("Other", "$_MeetTime", f"{over_s + LEON_FRONT - LEON_CENTRE:g}", STREET_LANE_Y),
        remedy=HEAD_ON.format(closing=140, left=70, place="over the shoulder onto the verge"),
    )


def recipes() -> list[Recipe]:
    """Return the scenarios on country roads."""
    return [_cutting(), _breakdown(), _overtaker()]

"""Car to pedestrian and car to cyclist: the layouts of Euro NCAP's protocols."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scenarios.catalogue.making.common import (
    EGO_SPEED,
    EURO_NCAP_VRU,
    FRONT_M,
    HALF_WIDTH_M,
    REAR_M,
    STREET_LANE_Y,
    ego,
    ego_on_street,
)
from scenarios.catalogue.making.recipes import (
    BRAKE_TTC,
    Actor,
    AtTime,
    Event,
    Follow,
    Meeting,
    Number,
    Parameter,
    Recipe,
    Speed,
    Travelled,
    When,
    ego_speed,
    on_lane,
    on_road,
)
from scenarios.catalogue.making.ways import Way, way

_PED, _BIKE = "car to pedestrian", "car to cyclist"
_IMPACT_S = 190.0
_JUNCTION = "RealityJunction"


def _overlap(value: float) -> Parameter:
    return Parameter(
        "ImpactLocation", value, 0.1, 0.9, "", "where it is hit: share of the ego's width from the side it comes from"
    )


def _crossing(
    name: str,
    family: str,
    title: str,
    text: str,
    *,
    who: str,
    entry: str,
    speed: tuple[float, float, float],
    side: int,
    start_y: float,
    ego_kmh: tuple[float, float, float],
    impact: float = 0.5,
    parked: Sequence[Actor] = (),
    pedestrian: bool = True,
    back_m: float = 0.0,
) -> Recipe:
    """Somebody crosses the street at right angles; ``side`` is -1 from the right, 1 from the left.

    Args:
        start_y: where it stands at first; its sign follows from the side.
        back_m: from its reference point to the middle of its box.
    """
    parameters = [
        ego_speed(*ego_kmh),
        Parameter(f"{who}SpeedKmh", *speed, "km/h", "speed across the street"),
        _overlap(impact),
        BRAKE_TTC,
    ]
    near = STREET_LANE_Y + side * HALF_WIDTH_M
    derived = [
        EGO_SPEED,
        ("_CrossSpeed", f"${who}SpeedKmh / 3.6"),
        ("_ImpactY", f"{near:g} - {side} * $ImpactLocation * {2 * HALF_WIDTH_M:g}"),
        ("_Way", f"{side} * ({side * start_y:g} - $_ImpactY) - {back_m:g}"),
        ("_MeetTime", "1 + $_Way / $_CrossSpeed"),
        ("_EgoStartS", f"{_IMPACT_S - FRONT_M:g} - $_EgoSpeed * $_MeetTime"),
    ]
    start, end = on_road("1", _IMPACT_S, side * start_y), on_road("1", _IMPACT_S, -side * 8.0)
    turned = on_road("1", _IMPACT_S, side * start_y, -side * math.pi / 2)
    return Recipe(
        name,
        family,
        title,
        EURO_NCAP_VRU,
        text,
        "RealityStreet",
        parameters,
        derived,
        [ego_on_street("$_EgoStartS"), Actor(who, entry, turned, pedestrian=pedestrian), *parked],
        [Event("Cross", who, Travelled("$_EgoSpeed"), [Speed("$_CrossSpeed"), Follow([start, end])])],
        14.0,
        Meeting(who, "$_MeetTime", _IMPACT_S, "$_ImpactY"),
    )


def _parked(*entries: tuple[str, str, float]) -> list[Actor]:
    return [Actor(name, entry, on_lane("1", -2, s)) for name, entry, s in entries]


def _longitudinal(
    name: str,
    family: str,
    title: str,
    text: str,
    *,
    who: str,
    entry: str,
    speed: tuple[float, float, float],
    ego_kmh: tuple[float, float, float],
    back_m: float,
    centre_m: float,
    pedestrian: bool,
) -> Recipe:
    """Somebody moves along ahead of the ego in its lane; ``back_m`` from its reference point to its rear end."""
    offset = Parameter("SideOffset", -0.5, -0.9, 0.4, "m", "of who is ahead, left of the lane's middle")
    parameters = [
        ego_speed(*ego_kmh),
        Parameter(f"{who}SpeedKmh", *speed, "km/h", "speed along the lane"),
        offset,
        BRAKE_TTC,
    ]
    derived = [
        EGO_SPEED,
        ("_AheadSpeed", f"${who}SpeedKmh / 3.6"),
        ("_T", f"{STREET_LANE_Y} + $SideOffset"),
        ("_MeetTime", "4"),
        ("_AheadStartS", "170"),
        ("_EgoStartS", f"$_AheadStartS - {back_m + FRONT_M:g} - ($_EgoSpeed - $_AheadSpeed) * $_MeetTime"),
    ]
    start, end = (on_road("1", s, "$_T") for s in ("$_AheadStartS", 290.0))
    return Recipe(
        name,
        family,
        title,
        EURO_NCAP_VRU,
        text,
        "RealityStreet",
        parameters,
        derived,
        [
            ego_on_street("$_EgoStartS"),
            Actor(who, entry, on_road("1", "$_AheadStartS", "$_T", 0.0), "$_AheadSpeed", pedestrian=pedestrian),
        ],
        [Event("GoAlong", who, AtTime(0), [Follow([start, end])])],
        12.0,
        Meeting(who, "$_MeetTime", f"$_AheadStartS + {centre_m:g} + $_AheadSpeed * $_MeetTime", "$_T"),
    )


def _turning(
    name: str,
    family: str,
    title: str,
    text: str,
    *,
    ego_way: Way,
    other: Way,
    who: str,
    entry: str,
    speed: tuple[float, float, float],
    ego_kmh: tuple[float, float, float],
    pedestrian: bool,
    centre_m: float,
    lead_m: float = FRONT_M,
) -> Recipe:
    """The ego turns at the junction; somebody's way crosses its own.

    Args:
        ego_way: begins at the junction's edge.
        other: begins where the other stands (pedestrians) or at the junction's edge.
        centre_m: from the other's reference point to its middle.
        lead_m: from the ego's reference point to where it hits.
    """
    ego_m, place = ego_way.crossing(other)
    other_m = other.until(place)
    parameters = [ego_speed(*ego_kmh), Parameter(f"{who}SpeedKmh", *speed, "km/h", "its speed")]
    derived = [EGO_SPEED, ("_OtherSpeed", f"${who}SpeedKmh / 3.6")]
    before: Number
    when: When
    speed_at_start: Number
    if pedestrian:
        derived += [("_MeetTime", f"1 + {other_m:.3f} / $_OtherSpeed")]
        start, before, when, speed_at_start = other.start(0.0), 0.0, Travelled("$_EgoSpeed"), 0.0
    else:
        derived += [("_MeetTime", "4"), ("_OtherBefore", f"$_OtherSpeed * $_MeetTime - {other_m - centre_m:.3f}")]
        start, before, when, speed_at_start = other.start("$_OtherBefore"), "$_OtherBefore", AtTime(0), "$_OtherSpeed"
    derived += [("_EgoBefore", f"$_EgoSpeed * $_MeetTime - {ego_m - lead_m:.3f}")]
    begin = [Speed("$_OtherSpeed")] if pedestrian else []
    return Recipe(
        name,
        family,
        title,
        EURO_NCAP_VRU,
        text,
        _JUNCTION,
        parameters,
        derived,
        [ego(ego_way.start("$_EgoBefore")), Actor(who, entry, start, speed_at_start, pedestrian=pedestrian)],
        [
            Event("EgoTurns", "Ego", AtTime(0), [Follow(ego_way.places("$_EgoBefore"))]),
            Event("OtherGoes", who, when, [*begin, Follow(other.places(before))]),
        ],
        12.0,
        Meeting(who, "$_MeetTime", place[0], place[1]),
    )


def left_turn() -> Way:
    """Return the way from the junction's western edge to the north."""
    return way(_JUNCTION, ("3", 1, 0.5), ("2", -1, 60.0))


def right_turn(offset: float = 0.0) -> Way:
    """Return the way from the junction's western edge to the south."""
    return way(_JUNCTION, ("3", 1, 0.5), ("4", -1, 60.0), offset)


def oncoming(offset: float = 0.0) -> Way:
    """Return the way from the junction's eastern edge to the west."""
    return way(_JUNCTION, ("1", 1, 0.5), ("3", -1, 90.0), offset)


def _across(x: float, y: float, to_x: float) -> Way:
    import numpy as np

    return Way(np.array([(x, y), (to_x, y)]))


def recipes() -> list[Recipe]:
    """Return the scenarios with pedestrians and cyclists."""
    adult, child = (5.0, 3.0, 8.0), (5.0, 3.0, 9.0)
    bike_kmh = (15.0, 10.0, 20.0)
    cyclist: dict[str, Any] = {"who": "Cyclist", "entry": "bicycle", "pedestrian": False}
    return [
        _crossing(
            "cpna",
            _PED,
            "Adult crosses from the nearside (CPNA)",
            "An adult walks from the right-hand pavement into the ego's way.",
            who="Adult",
            entry="adult",
            speed=adult,
            side=-1,
            start_y=7.0,
            ego_kmh=(40, 20, 60),
        ),
        _crossing(
            "cpfa",
            _PED,
            "Adult runs from the farside (CPFA)",
            "An adult runs over the whole street from the left, at 8 km/h.",
            who="Adult",
            entry="adult",
            speed=(8.0, 5.0, 11.0),
            side=1,
            start_y=7.0,
            ego_kmh=(40, 20, 60),
        ),
        _crossing(
            "cpnco",
            _PED,
            "Child from behind parked cars, nearside (CPNCO)",
            "A child runs out between a van and a car that are parked on the right.",
            who="Child",
            entry="child",
            speed=child,
            side=-1,
            start_y=6.8,
            ego_kmh=(40, 20, 60),
            parked=_parked(
                ("Van", "van_sprinter", _IMPACT_S - 1.0 - 4.8),
                ("Car", "car_mini", _IMPACT_S - 13.0),
                ("Ahead", "car_a2", _IMPACT_S + 2.0),
            ),
        ),
        _longitudinal(
            "cpla",
            _PED,
            "Adult walks along the lane (CPLA)",
            "An adult walks in the ego's lane with its back to the traffic, at the right-hand side.",
            who="Adult",
            entry="adult",
            speed=(5.0, 3.0, 8.0),
            ego_kmh=(50, 20, 80),
            back_m=0.188,
            centre_m=0.0,
            pedestrian=True,
        ),
        _turning(
            "cpta_left",
            _PED,
            "Ego turns left, adult crosses the street it turns into (CPTA)",
            "The adult walks over the northern arm in the direction the ego came from.",
            ego_way=left_turn(),
            other=_across(-5.0, 14.0, 6.0),
            who="Adult",
            entry="adult",
            speed=adult,
            ego_kmh=(15, 8, 25),
            pedestrian=True,
            centre_m=0.0,
        ),
        _turning(
            "cpta_right",
            _PED,
            "Ego turns right, adult crosses the street it turns into (CPTA)",
            "The adult comes towards the ego over the southern arm.",
            ego_way=right_turn(),
            other=_across(5.0, -14.0, -6.0),
            who="Adult",
            entry="adult",
            speed=adult,
            ego_kmh=(10, 6, 18),
            pedestrian=True,
            centre_m=0.0,
        ),
        *_reversing(),
        _crossing(
            "cbna",
            _BIKE,
            "Cyclist crosses from the nearside (CBNA)",
            "A cyclist rides from the right-hand pavement across the street.",
            speed=bike_kmh,
            side=-1,
            start_y=8.5,
            ego_kmh=(40, 20, 60),
            back_m=0.46,
            **cyclist,
        ),
        replace(
            _crossing(
                "cbnao",
                _BIKE,
                "Cyclist from behind parked vehicles, nearside (CBNAO)",
                "A cyclist rides out between a lorry and a car that are parked on the right.",
                speed=(10.0, 8.0, 15.0),
                side=-1,
                start_y=8.5,
                ego_kmh=(30, 20, 60),
                back_m=0.46,
                parked=_parked(
                    ("Lorry", "truck_carlacola", _IMPACT_S - 1.5 - 4.1), ("Ahead", "car_leon", _IMPACT_S + 2.4)
                ),
                **cyclist,
            ),
            remedy="The lorry shows the cyclist so late that the emergency brake stops 0.5 m before it at speeds "
            "up to 40 km/h; from about 33 km/h on the time to collision falls below the bound all the same.",
        ),
        _crossing(
            "cbfa",
            _BIKE,
            "Cyclist crosses from the farside (CBFA)",
            "A cyclist rides over the whole street from the left.",
            speed=(20.0, 12.0, 25.0),
            side=1,
            start_y=8.5,
            ego_kmh=(40, 20, 60),
            back_m=0.46,
            **cyclist,
        ),
        _longitudinal(
            "cbla",
            _BIKE,
            "Cyclist rides along the lane (CBLA)",
            "The ego closes up to a cyclist who rides at the right-hand side of its lane.",
            speed=(15.0, 8.0, 25.0),
            ego_kmh=(50, 30, 80),
            back_m=0.2945,
            centre_m=0.46,
            **cyclist,
        ),
        _turning(
            "cbta_left",
            _BIKE,
            "Ego turns left across an oncoming cyclist (CBTA)",
            "The cyclist goes straight on and has priority.",
            ego_way=left_turn(),
            other=oncoming(1.2),
            speed=bike_kmh,
            ego_kmh=(20, 10, 30),
            centre_m=0.46,
            **cyclist,
        ),
        _turning(
            "cbta_right",
            _BIKE,
            "Ego turns right across a cyclist beside it (CBTA)",
            "The cyclist rides at the right-hand edge of the ego's lane and goes straight on.",
            ego_way=right_turn(-0.4),
            other=way(_JUNCTION, ("3", 1, 0.5), ("1", -1, 60.0), 1.55),
            speed=bike_kmh,
            ego_kmh=(18, 10, 22),
            centre_m=0.46,
            lead_m=4.8,
            **cyclist,
        ),
    ]


def _reversing() -> list[Recipe]:
    found = []
    behind = STREET_LANE_Y
    for name, title, text, moving in (
        (
            "cpra_moving",
            "Ego reverses, adult crosses behind it (CPRAm)",
            "The ego backs along its lane; an adult walks behind it from the right.",
            True,
        ),
        (
            "cpra_stationary",
            "Ego reverses towards a standing adult (CPRAs)",
            "The ego backs along its lane; an adult stands behind it.",
            False,
        ),
    ):
        parameters = [Parameter("EgoSpeedKmh", 6.0, 3.0, 8.0, "km/h", "speed of the ego, backwards")]
        derived = [EGO_SPEED, ("_Backwards", "0 - $_EgoSpeed")]
        if moving:
            parameters.append(Parameter("AdultSpeedKmh", 5.0, 3.0, 8.0, "km/h", "speed across the street"))
            derived += [("_WalkSpeed", "$AdultSpeedKmh / 3.6"), ("_MeetTime", f"1 + {7.0 + behind:g} / $_WalkSpeed")]
        else:
            derived += [("_MeetTime", "5")]
        derived += [("_EgoStartS", f"{_IMPACT_S + REAR_M:g} + $_EgoSpeed * $_MeetTime")]
        start, end = on_road("1", _IMPACT_S, -7.0), on_road("1", _IMPACT_S, 8.0)
        stands = on_road("1", _IMPACT_S, -7.0 if moving else behind, math.pi / 2)
        events = (
            [Event("Cross", "Adult", AtTime(1.0), [Speed("$_WalkSpeed"), Follow([start, end])])]
            if moving
            else [Event("Back", "Ego", AtTime(0), [Speed("$_Backwards")])]
        )
        found.append(
            Recipe(
                name,
                _PED,
                title,
                EURO_NCAP_VRU,
                text,
                "RealityStreet",
                parameters,
                derived,
                [
                    ego(on_lane("1", -1, "$_EgoStartS"), speed="$_Backwards"),
                    Actor("Adult", "adult", stands, pedestrian=True),
                ],
                events,
                12.0,
                Meeting("Adult", "$_MeetTime", _IMPACT_S, behind),
            )
        )
    return found

"""Streets: roundabout, school, bus stop, parking, turning round, railway; and variations of weather and light."""

from __future__ import annotations

import math

from scenarios.catalogue.making.common import (
    EGO_SPEED,
    FRONT_M,
    HALF_WIDTH_M,
    LEON_CENTRE,
    LEON_FRONT,
    LEON_REAR,
    STREET_LANE_Y,
    UTYP,
    ego,
    ego_on_street,
)
from scenarios.catalogue.making.recipes import (
    BRAKE_TTC,
    LOW_SUN,
    NIGHT,
    RAIN,
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
    ego_speed,
    on_lane,
    on_road,
)
from scenarios.catalogue.making.ways import way

_FAMILY = "town"
_ROUND = "RealityRoundabout"
_ISLAND_LANE_Y = -2.95
"""Middle of the driving lane beside the refuge island of RealitySchool: half of 2.4 m farther out."""


def _roundabout(
    name: str,
    title: str,
    text: str,
    who: str,
    entry: str,
    centre_m: float,
    other: tuple[tuple[str, int, float], tuple[str, int, float]],
    other_kmh: tuple[float, float, float],
    ego_ends: tuple[tuple[str, int, float], tuple[str, int, float]],
    type_: str,
    lead_m: float,
    rolling: bool = True,
) -> Recipe:
    """Two ways join on the ring; the other begins on its arm (``rolling``) or at a fixed place of the ring."""
    mine, theirs = way(_ROUND, *ego_ends), way(_ROUND, *other)
    ego_m, place = mine.crossing(theirs, 1.6)
    other_m = theirs.until(place)
    parameters = [ego_speed(25, 15, 30), Parameter("OtherSpeedKmh", *other_kmh, "km/h", "speed of the other")]
    derived = [
        EGO_SPEED,
        ("_OtherSpeed", "$OtherSpeedKmh / 3.6"),
        ("_MeetTime", "9" if rolling else f"{other_m - centre_m:.3f} / $_OtherSpeed"),
        ("_EgoBefore", f"$_EgoSpeed * $_MeetTime - {ego_m - lead_m:.3f}"),
    ]
    before: Number = "$_OtherBefore" if rolling else 0.0
    if rolling:
        derived.append(("_OtherBefore", f"$_OtherSpeed * $_MeetTime - {other_m - centre_m:.3f}"))
    return Recipe(
        name,
        _FAMILY,
        title,
        f"{UTYP}, {type_}",
        text,
        _ROUND,
        parameters,
        derived,
        [ego(mine.start("$_EgoBefore")), Actor(who, entry, theirs.start(before), "$_OtherSpeed")],
        [
            Event("EgoGoes", "Ego", AtTime(0), [Follow(mine.places("$_EgoBefore"))]),
            Event("OtherGoes", who, AtTime(0), [Follow(theirs.places(before))]),
        ],
        15.0,
        Meeting(who, "$_MeetTime", place[0], place[1]),
    )


def _roundabouts() -> list[Recipe]:
    return [
        _roundabout(
            "roundabout_entry",
            "A car enters the roundabout without giving way",
            "The ego passes the southern arm on the ring; a car enters there.",
            "Car",
            "car_leon",
            LEON_CENTRE,
            (("4", 1, 10.0), ("2", -1, 40.0)),
            (20.0, 12.0, 28.0),
            (("3", 1, 10.0), ("1", -1, 40.0)),
            "type 302",
            FRONT_M,
        ),
        _roundabout(
            "roundabout_cyclist",
            "The ego enters a roundabout in front of a cyclist",
            "A cyclist rides on the ring, coming from the left; the ego enters without giving way.",
            "Cyclist",
            "bicycle",
            0.46,
            (("20001", -1, 0.5), ("4", -1, 40.0)),
            (15.0, 10.0, 20.0),
            (("3", 1, 0.5), ("1", -1, 40.0)),
            "type 304",
            FRONT_M,
            rolling=False,
        ),
    ]


def _walk_across(
    name: str,
    title: str,
    text: str,
    type_: str,
    *,
    s: float,
    ego_y: float,
    from_y: float,
    to_y: float,
    who: str,
    entry: str,
    speed: tuple[float, float, float],
    ego_kmh: tuple[float, float, float],
    extra: tuple[Actor, ...] = (),
    second: str = "",
    start_s: float = 0.0,
) -> Recipe:
    """Somebody walks over RealitySchool's road at ``s`` and is hit by the middle of the ego's front.

    Args:
        start_s: where the ego starts, before the lanes make way for the island; 0 for a second before somebody walks.
    """
    sign = 1 if to_y > from_y else -1
    parameters = [
        ego_speed(*ego_kmh),
        Parameter(f"{who}SpeedKmh", *speed, "km/h", "speed across the street"),
        Parameter("Offset", 0.0, -0.8, 0.8, "m", "of where the ego's front hits, left of its middle"),
        BRAKE_TTC,
    ]
    derived = [
        EGO_SPEED,
        ("_WalkSpeed", f"${who}SpeedKmh / 3.6"),
        ("_ImpactY", f"{ego_y} + $Offset"),
        ("_WalkTime", f"{sign} * ($_ImpactY - {from_y:g}) / $_WalkSpeed".replace("- -", "+ ")),
        ("_MeetTime", f"{s - FRONT_M - start_s:g} / $_EgoSpeed" if start_s else "1 + $_WalkTime"),
        ("_EgoStartS", f"{s - FRONT_M:g} - $_EgoSpeed * $_MeetTime"),
        ("_SetOut", "$_EgoSpeed * ($_MeetTime - $_WalkTime)"),
    ]
    actors = [
        ego_on_street("$_EgoStartS"),
        Actor(who, entry, on_road("1", s, from_y, sign * math.pi / 2), pedestrian=True),
        *extra,
    ]
    start, end = on_road("1", s, from_y), on_road("1", s, to_y)
    events = [Event("Cross", who, Travelled("$_SetOut"), [Speed("$_WalkSpeed"), Follow([start, end])])]
    if second:
        actors.append(
            Actor(
                second, "child_older", on_road("1", s - 0.8, from_y - sign * 1.2, sign * math.pi / 2), pedestrian=True
            )
        )
        events.append(
            Event(
                "Follow",
                second,
                Travelled("$_SetOut + 0.6 * $_EgoSpeed"),
                [
                    Speed("$_WalkSpeed"),
                    Follow([on_road("1", s - 0.8, from_y - sign * 1.2), on_road("1", s - 0.8, to_y)]),
                ],
            )
        )
    return Recipe(
        name,
        _FAMILY,
        title,
        f"{UTYP}, {type_}",
        text,
        "RealitySchool",
        parameters,
        derived,
        actors,
        events,
        14.0,
        Meeting(who, "$_MeetTime", s, "$_ImpactY"),
    )


def _school() -> list[Recipe]:
    return [
        _walk_across(
            "school_zone_children",
            "Two children run over the zebra before a school",
            "Two children, one behind the other, run from the right-hand pavement; the limit is 30 km/h.",
            "type 401",
            s=129.0,
            ego_y=_ISLAND_LANE_Y,
            from_y=-8.8,
            to_y=9.5,
            who="Child",
            entry="child",
            speed=(8.0, 5.0, 11.0),
            ego_kmh=(30, 20, 50),
            second="Friend",
            start_s=70.0,
        ),
        _walk_across(
            "zebra_island",
            "An adult steps off the refuge island",
            "An adult has crossed the first half, does not wait on the island and walks on.",
            "type 423",
            s=131.0,
            ego_y=_ISLAND_LANE_Y,
            from_y=0.0,
            to_y=-9.5,
            who="Adult",
            entry="adult",
            speed=(5.0, 3.0, 8.0),
            ego_kmh=(40, 20, 50),
            start_s=70.0,
        ),
        _walk_across(
            "bus_stop_dash",
            "A passenger runs out in front of a standing bus",
            "A bus stands at its stop; somebody who has got off runs across the street in front of it.",
            "type 422",
            s=306.0,
            ego_y=STREET_LANE_Y,
            from_y=-7.2,
            to_y=8.0,
            who="Adult",
            entry="adult_other",
            speed=(9.0, 5.0, 12.0),
            ego_kmh=(40, 20, 50),
            extra=(Actor("Bus", "bus_fusorosa", on_road("1", 296.0, -5.8)),),
        ),
    ]


def _leaving_parking() -> Recipe:
    speed, s0 = "$_CarSpeed", 190.0
    parameters = [
        ego_speed(45, 25, 60),
        Parameter("CarSpeedKmh", 12.0, 8.0, 18.0, "km/h", "speed at which it pulls out"),
        BRAKE_TTC,
    ]
    # Over 9 m the car moves from the bay into the lane; its rear end is hit when it is in.
    shape = [(0.0, 0.0), (1.5, 0.07), (3.0, 0.25), (4.5, 0.5), (6.0, 0.75), (7.5, 0.93), (9.0, 1.0)]
    y = [-4.7 + share * (STREET_LANE_Y + 4.7) for _, share in shape]
    places = [on_road("1", s0 + forward, round(t, 3)) for (forward, _), t in zip(shape, y)]
    derived = [
        EGO_SPEED,
        ("_CarSpeed", "$CarSpeedKmh / 3.6"),
        ("_MeetTime", "1 + 9.7 / $_CarSpeed"),
        ("_EgoStartS", f"{s0 + 9.2 - LEON_REAR - FRONT_M:g} - $_EgoSpeed * $_MeetTime"),
    ]
    return Recipe(
        "leaving_parking",
        _FAMILY,
        "A parked car pulls out",
        f"{UTYP}, type 541",
        "A car leaves its bay on the right and pulls into the ego's lane.",
        "RealityStreet",
        parameters,
        derived,
        [ego_on_street("$_EgoStartS"), Actor("Car", "car_leon", on_lane("1", -2, s0, 0.0))],
        [
            Event(
                "PullOut",
                "Car",
                Travelled("$_EgoSpeed"),
                [Speed(speed), Follow([*places, on_road("1", 280.0, STREET_LANE_Y)])],
            )
        ],
        12.0,
        Meeting("Car", "$_MeetTime", s0 + 9.3 + LEON_CENTRE, STREET_LANE_Y),
    )


def _u_turn() -> Recipe:
    """A car at the right-hand kerb turns round; its side is in the middle of the ego's lane when the ego arrives."""
    s0, radius, y0 = 185.0, 4.6, -4.5
    parameters = [
        ego_speed(45, 25, 60),
        Parameter("CarSpeedKmh", 12.0, 8.0, 16.0, "km/h", "speed of the turning car"),
        BRAKE_TTC,
    ]
    turn = [math.radians(a) for a in range(0, 181, 6)]
    places = [
        on_road("1", round(s0 + radius * math.sin(a), 3), round(y0 + radius * (1 - math.cos(a)), 3)) for a in turn
    ]
    # A quarter and a bit of the way: its body lies across the lane.
    a_hit = math.radians(60.0)
    derived = [
        EGO_SPEED,
        ("_CarSpeed", "$CarSpeedKmh / 3.6"),
        ("_MeetTime", f"1 + {radius * a_hit:.3f} / $_CarSpeed"),
        ("_EgoStartS", f"{s0 + radius * math.sin(a_hit) - FRONT_M - 0.75:.3f} - $_EgoSpeed * $_MeetTime"),
    ]
    x = s0 + radius * math.sin(a_hit) + LEON_CENTRE * math.cos(a_hit)
    hit_y = y0 + radius * (1 - math.cos(a_hit)) + LEON_CENTRE * math.sin(a_hit)
    return Recipe(
        "u_turn",
        _FAMILY,
        "A car turns round in front of the ego",
        f"{UTYP}, type 721",
        "A car that stands at the right-hand kerb turns round over both lanes.",
        "RealityStreet",
        parameters,
        derived,
        [ego_on_street("$_EgoStartS"), Actor("Car", "car_leon", on_road("1", s0, y0, 0.0))],
        [
            Event(
                "TurnRound",
                "Car",
                Travelled("$_EgoSpeed"),
                [Speed("$_CarSpeed"), Follow([*places, on_road("1", 120.0, round(y0 + 2 * radius, 3))])],
            )
        ],
        12.0,
        Meeting("Car", "$_MeetTime", round(x, 3), round(hit_y, 3)),
    )


def _railway() -> Recipe:
    parameters = [
        ego_speed(60, 40, 70),
        Parameter("Deceleration", 5.0, 3.0, 7.0, "m/s^2", "of the car ahead"),
        Parameter("Gap", 14.0, 10.0, 30.0, "m", "between the bumpers"),
        BRAKE_TTC,
    ]
    derived = [
        EGO_SPEED,
        ("_StopM", "$_EgoSpeed * $_EgoSpeed / (2 * $Deceleration)"),
        ("_BrakeS", f"{195.0 - LEON_FRONT:g} - $_StopM"),
        ("_CarStartS", "$_BrakeS - $_EgoSpeed"),
        ("_EgoStartS", f"$_CarStartS - $Gap - {FRONT_M + LEON_REAR:g}"),
        ("_MeetTime", "1 + sqrt(2 * $Gap / $Deceleration)"),
    ]
    return Recipe(
        "railway_stop",
        _FAMILY,
        "The car ahead stops before a railway crossing",
        f"{UTYP}, type 623",
        "The car ahead brakes late and stops in front of the St Andrew's cross.",
        "RealityRailway",
        parameters,
        derived,
        [ego_on_street("$_EgoStartS"), Actor("Car", "car_leon", on_lane("1", -1, "$_CarStartS"), "$_EgoSpeed")],
        [Event("Brake", "Car", Travelled("$_EgoSpeed", "Car"), [Speed(0.0, "linear", "rate", "$Deceleration")])],
        12.0,
        Meeting("Car", "$_MeetTime", f"$_CarStartS + {LEON_CENTRE} + $_EgoSpeed * $_MeetTime - $Gap", STREET_LANE_Y),
    )


def recipes() -> list[Recipe]:
    """Return the scenarios in town."""
    return [*_roundabouts(), *_school(), _leaving_parking(), _u_turn(), _railway()]


def variations(made: dict[str, Recipe]) -> list[Recipe]:
    """Return variations of weather and light of scenarios that are already there."""
    return [
        made["cpna"].varied(
            "cpna_night",
            "Adult crosses from the nearside at night (CPNA)",
            NIGHT,
            "As cpna, at night; the street's lamps are the only light.",
        ),
        made["cpla"].varied("cpla_night", "Adult walks along the lane at night (CPLA)", NIGHT, "As cpla, at night."),
        made["cpfa"].varied(
            "cpfa_low_sun",
            "Adult runs from the farside against a low sun (CPFA)",
            LOW_SUN,
            "As cpfa; the sun stands low, straight ahead or behind by its azimuth.",
        ),
        made["cbla"].varied(
            "cbla_rain",
            "Cyclist rides along the lane in heavy rain (CBLA)",
            RAIN,
            "As cbla, in rain, with little grip.",
            EgoSpeedKmh=45,
        ),
        made["cccscp"].varied(
            "cccscp_rain", "Car crosses from the right in rain (CCCscp)", RAIN, "As cccscp, in rain."
        ),
    ]


__all__ = ["HALF_WIDTH_M", "recipes", "variations"]

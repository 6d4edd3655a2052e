"""Car to car and car to motorcycle: Euro NCAP's rear, turning, crossing and head-on layouts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scenarios.catalogue.making.common import (
    EGO_SPEED,
    EURO_NCAP_C2C,
    FRONT_M,
    HEAD_ON,
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
    Parameter,
    Recipe,
    Speed,
    ego_speed,
    on_lane,
    on_road,
)
from scenarios.catalogue.making.vulnerable import left_turn, oncoming
from scenarios.catalogue.making.ways import Way, way

_CAR, _MOTORCYCLE = "car to car", "car to motorcycle"
# entry -> metres from its reference point to its rear end, and to the middle of its box
_REAR = {"car_leon": (0.7765, 1.32), "motorcycle": (0.3955, 0.7), "car_tt": (0.8405, 1.25)}
_AHEAD_S = 190.0


def _rear(
    name: str,
    family: str,
    title: str,
    text: str,
    entry: str,
    ego_kmh: tuple[float, float, float],
    target_kmh: tuple[float, float, float] | None,
) -> Recipe:
    """The target stands, or keeps its speed, ahead in the lane."""
    rear, centre = _REAR[entry]
    parameters = [ego_speed(*ego_kmh)]
    derived = [EGO_SPEED]
    if target_kmh is None:
        derived += [("_TargetSpeed", "0"), ("_MeetTime", "4.5")]
    else:
        parameters.append(Parameter("TargetSpeedKmh", *target_kmh, "km/h", "speed of the vehicle ahead"))
        derived += [("_TargetSpeed", "$TargetSpeedKmh / 3.6"), ("_MeetTime", "4.5")]
    start = _AHEAD_S if target_kmh is None else 130.0
    derived.append(
        ("_EgoStartS", f"{start - rear - FRONT_M:g} - ($_EgoSpeed - $_TargetSpeed) * $_MeetTime"),
    )
    parameters += [_offset(), BRAKE_TTC]
    return Recipe(
        name,
        family,
        title,
        EURO_NCAP_C2C,
        text,
        "RealityStreet",
        parameters,
        derived,
        [ego_on_street("$_EgoStartS"), Actor("Target", entry, on_lane("1", -1, start, "$SideOffset"), "$_TargetSpeed")],
        [Event("KeepSpeed", "Target", AtTime(0), [Speed("$_TargetSpeed")])],
        12.0,
        Meeting(
            "Target", "$_MeetTime", f"{start + centre:g} + $_TargetSpeed * $_MeetTime", f"{STREET_LANE_Y} + $SideOffset"
        ),
    )


def _offset() -> Parameter:
    return Parameter("SideOffset", 0.0, -0.5, 0.5, "m", "of the target, left of the lane's middle")


def _braking(name: str, family: str, title: str, text: str, entry: str) -> Recipe:
    """Both drive at the same speed until the target brakes after one second."""
    rear, centre = _REAR[entry]
    parameters = [
        ego_speed(50, 30, 55, "speed of both until the target brakes"),
        Parameter("Gap", 12.0, 8.0, 40.0, "m", "between the bumpers"),
        Parameter("Deceleration", 6.0, 2.0, 8.0, "m/s^2", "of the target"),
        _offset(),
        BRAKE_TTC,
    ]
    derived = [
        EGO_SPEED,
        ("_TargetStartS", f"20 + {rear + FRONT_M:g} + $Gap"),
        ("_MeetTime", "1 + sqrt(2 * $Gap / $Deceleration)"),
    ]
    at = f"$_TargetStartS + {centre:g} + $_EgoSpeed * $_MeetTime - $Gap"
    return Recipe(
        name,
        family,
        title,
        EURO_NCAP_C2C,
        text,
        "RealityStreet",
        parameters,
        derived,
        [ego_on_street(20.0), Actor("Target", entry, on_lane("1", -1, "$_TargetStartS", "$SideOffset"), "$_EgoSpeed")],
        [Event("Brake", "Target", AtTime(1.0), [Speed(0.0, "linear", "rate", "$Deceleration")])],
        12.0,
        Meeting("Target", "$_MeetTime", at, f"{STREET_LANE_Y} + $SideOffset"),
    )


def at_junction(
    name: str,
    family: str,
    title: str,
    text: str,
    *,
    source: str = EURO_NCAP_C2C,
    map_name: str = "RealityJunction",
    signals: Sequence[tuple[str, str]] = (),
    driver: bool = False,
    ego_way: Way,
    other: Way,
    entry: str,
    ego_kmh: tuple[float, float, float],
    other_kmh: tuple[float, float, float],
    lead_m: float = FRONT_M,
    lag_m: float = 0.0,
) -> Recipe:
    """Two vehicles arrive at the crossing of their ways at the same time.

    Args:
        signals: what traffic signals show.
        driver: whether the emergency brake drives the ego; its way must be the straight one then.
        lead_m: the ego's front is this far ahead of its reference point.
        lag_m: how far behind its middle the other is hit; negative: ahead of it.
    """
    centre = _REAR[entry][1]
    ego_m, place = ego_way.crossing(other)
    other_m = other.until(place)
    parameters = [ego_speed(*ego_kmh), Parameter("TargetSpeedKmh", *other_kmh, "km/h", "speed of the other vehicle")]
    parameters += [BRAKE_TTC] if driver else []
    ego_goes = [] if driver else [Event("EgoGoes", "Ego", AtTime(0), [Follow(ego_way.places("$_EgoBefore"))])]
    derived = [
        EGO_SPEED,
        ("_TargetSpeed", "$TargetSpeedKmh / 3.6"),
        ("_MeetTime", "4"),
        ("_EgoBefore", f"$_EgoSpeed * $_MeetTime - {ego_m - lead_m:.3f}"),
        ("_TargetBefore", f"$_TargetSpeed * $_MeetTime - {other_m - centre + lag_m:.3f}"),
    ]
    return Recipe(
        name,
        family,
        title,
        source,
        text,
        map_name,
        parameters,
        derived,
        [
            ego(ego_way.start("$_EgoBefore"), driver=driver),
            Actor("Target", entry, other.start("$_TargetBefore"), "$_TargetSpeed"),
        ],
        [*ego_goes, Event("TargetGoes", "Target", AtTime(0), [Follow(other.places("$_TargetBefore"))])],
        10.0,
        Meeting("Target", "$_MeetTime", place[0], place[1]),
        signals=signals,
    )


def _head_on(name: str, title: str, text: str, drift: bool) -> Recipe:
    """An oncoming car is in the ego's lane from the beginning, or drifts into it."""
    entry = "car_tt"
    centre = _REAR[entry][1]
    front = 2.0905 + centre
    parameters = [
        ego_speed(50, 30, 60),
        Parameter("TargetSpeedKmh", 50.0, 30.0, 60.0, "km/h", "speed of the oncoming car"),
        Parameter("SideOffset", 0.3, -0.6, 0.8, "m", "of the oncoming car, left of the middle of the ego's lane"),
        BRAKE_TTC,
    ]
    derived = [
        EGO_SPEED,
        ("_TargetSpeed", "$TargetSpeedKmh / 3.6"),
        ("_MeetTime", "5"),
        ("_EgoStartS", f"{150 - FRONT_M:g} - $_EgoSpeed * $_MeetTime"),
        ("_TargetStartS", f"{150 + front:g} + $_TargetSpeed * $_MeetTime"),
        ("_T", f"{STREET_LANE_Y} + $SideOffset"),
    ]
    own = -STREET_LANE_Y if drift else "$_T"
    places = [on_road("1", "$_TargetStartS", own)]
    if drift:
        places += [
            on_road("1", f"$_TargetStartS - $_TargetSpeed * {a}", f"{-STREET_LANE_Y} + ($_T - {-STREET_LANE_Y}) * {b}")
            for a, b in ((1.5, 0.0), (2.0, 0.06), (2.5, 0.24), (3.0, 0.5), (3.5, 0.76), (4.0, 0.94), (4.5, 1.0))
        ]
    places.append(on_road("1", 20.0, "$_T"))
    return Recipe(
        name,
        _CAR,
        title,
        EURO_NCAP_C2C,
        text,
        "RealityStreet",
        parameters,
        derived,
        [
            ego_on_street("$_EgoStartS"),
            Actor("Target", entry, on_road("1", "$_TargetStartS", own, math.pi), "$_TargetSpeed"),
        ],
        [Event("Oncoming", "Target", AtTime(0), [Follow(places)])],
        10.0,
        Meeting("Target", "$_MeetTime", 152.09, "$_T"),
        remedy=HEAD_ON.format(closing=100, left=50, place="over the empty bays on its right"),
    )


def recipes() -> list[Recipe]:
    """Return the scenarios with cars and motorcycles."""
    straight = way("RealityJunction", ("3", 1, 0.5), ("1", -1, 60.0))
    from_south = way("RealityJunction", ("4", 1, 0.5), ("2", -1, 60.0))
    return [
        _rear(
            "ccrs",
            _CAR,
            "Car stands ahead (CCRs)",
            "The ego closes up to a car that stands in its lane.",
            "car_leon",
            (50, 20, 80),
            None,
        ),
        _rear(
            "ccrm",
            _CAR,
            "Slower car ahead (CCRm)",
            "The ego closes up to a slower car in its lane.",
            "car_leon",
            (60, 30, 80),
            (20.0, 15.0, 25.0),
        ),
        _braking("ccrb", _CAR, "Car ahead brakes (CCRb)", "The car ahead brakes from the ego's own speed.", "car_leon"),
        at_junction(
            "ccftap",
            _CAR,
            "Ego turns left across an oncoming car (CCFtap)",
            "The oncoming car goes straight on and has priority.",
            ego_way=left_turn(),
            other=oncoming(),
            entry="car_leon",
            lead_m=FRONT_M + 0.5,
            ego_kmh=(20, 10, 25),
            other_kmh=(45.0, 30.0, 60.0),
        ),
        at_junction(
            "cccscp",
            _CAR,
            "Car crosses from the right, straight crossing paths (CCCscp)",
            "A car comes out of the southern street without giving way.",
            ego_way=straight,
            other=from_south,
            entry="car_leon",
            ego_kmh=(40, 20, 60),
            other_kmh=(40.0, 20.0, 60.0),
        ),
        _head_on(
            "ccfhos",
            "Oncoming car in the ego's lane (CCFhos)",
            "An oncoming car drives in the ego's lane from the beginning.",
            drift=False,
        ),
        _head_on(
            "ccfhol",
            "Oncoming car drifts into the ego's lane (CCFhol)",
            "An oncoming car leaves its lane shortly before the ego.",
            drift=True,
        ),
        _rear(
            "cmrs",
            _MOTORCYCLE,
            "Motorcycle stands ahead (CMRs)",
            "The ego closes up to a motorcycle that stands in its lane.",
            "motorcycle",
            (50, 20, 60),
            None,
        ),
        _braking(
            "cmrb",
            _MOTORCYCLE,
            "Motorcycle ahead brakes (CMRb)",
            "The motorcycle ahead brakes from the ego's own speed.",
            "motorcycle",
        ),
        at_junction(
            "cmftap",
            _MOTORCYCLE,
            "Ego turns left across an oncoming motorcycle (CMFtap)",
            "The motorcycle goes straight on and has priority.",
            ego_way=left_turn(),
            other=oncoming(),
            entry="motorcycle",
            ego_kmh=(18, 10, 25),
            other_kmh=(50.0, 30.0, 60.0),
        ),
    ]

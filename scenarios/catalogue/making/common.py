"""What recipes share: sizes of the catalog's entries and the arithmetic of meeting somebody."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from scenarios.catalogue.making.recipes import Actor, Number, Parameter, Place, Recipe, on_lane

FRONT_M, REAR_M, HALF_WIDTH_M = 3.836, 0.956, 1.0815
"""Of the ego, car_model3: from its reference point, the middle of the rear axle, to its ends; half its width."""
STREET_LANE_Y = -1.75
LEON_REAR, LEON_CENTRE, LEON_FRONT = 0.7765, 1.32, 3.4165
"""Of car_leon: from its reference point to its rear end, its middle and its front end."""
EURO_NCAP_VRU = "Euro NCAP AEB/LSS VRU systems test protocol 4.5 (2023)"
EURO_NCAP_C2C = "Euro NCAP AEB Car-to-Car systems test protocol 4.3 (2024)"
R157 = "UN Regulation No. 157 (ALKS), Annex 3 and 4"
UTYP = "accident type catalogue of the GDV (UTYP), as GIDAS uses it"
HEAD_ON = (
    "Braking alone does not avoid it: whoever comes keeps speed and line, and hits an ego that stands all the same. At "
    "the defaults the emergency brake brings the closing speed from {closing} down to {left} km/h; an ego that leaves "
    "its lane in time, {place}, comes away."
)
"""The remedy of scenarios with an oncoming vehicle that does not yield; the speeds are those of the engine."""

EGO_SPEED = ("_EgoSpeed", "$EgoSpeedKmh / 3.6")


def ego(start: Place, *, driver: bool = False, speed: Number = "$_EgoSpeed") -> Actor:
    """Return the ego vehicle."""
    return Actor("Ego", "car_model3", start, speed, driver=driver)


def ego_on_street(s: Number, driver: bool = True) -> Actor:
    """Return the ego on the right lane of road 1, driving along s."""
    return ego(on_lane("1", -1, s), driver=driver)


def nominal(parameters: Sequence[Parameter], derived: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Return the values of all numeric parameters at their defaults."""
    values = {p.name: float(p.value) for p in parameters if p.kind == "double"}
    for name, text in derived:
        values[name] = evaluate(text, values)
    return values


def evaluate(number: Number, values: Mapping[str, float]) -> float:
    """Return what an expression of parameters comes to; only the four rules and brackets are used."""
    if not isinstance(number, str):
        return float(number)
    text = number
    for name in sorted(values, key=len, reverse=True):
        text = text.replace(f"${name}", f"({values[name]!r})")
    return float(eval(text, {"__builtins__": {}, "sqrt": math.sqrt}))


def meeting_values(recipe: Recipe, overrides: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return time_s, x, y and gap_m of a recipe's meeting, with some parameters set to other values."""
    changed = [
        Parameter(p.name, (overrides or {}).get(p.name, p.value), p.low, p.high, p.unit, p.meaning, p.draw, p.kind)
        for p in recipe.parameters
    ]
    values = nominal(changed, recipe.derived)
    meeting = recipe.meeting
    return {
        "time_s": evaluate(meeting.time_s, values), "x": evaluate(meeting.x, values),
        "y": evaluate(meeting.y, values), "gap_m": evaluate(meeting.gap_m, values),
    }  # fmt: skip

"""Agents from the properties of an OpenSCENARIO controller: names to values, checked, with defaults drawn.

The properties are strings, as the file has them; positions are in the file's (ASAM's) frame and are turned by
whoever knows both frames. A name that nobody reads is an error, because a typing mistake would otherwise run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from behavior.drivers import AebSettings, IdmSettings
from behavior.profile import AgeClass, Profile, sample
from foundation.errors import InputError

PEDESTRIAN = "pedestrian_agent"
EGO_AEB = "ego_aeb"

_PROFILE_PROPERTIES = {
    "walkSpeed": "walk_mps",
    "crossingSpeed": "crossing_mps",
    "runSpeed": "run_mps",
    "patience": "patience_s",
    "attention": "attention",
    "compliance": "compliance",
    "impulsiveness": "impulsiveness",
    "reactionTime": "reaction_s",
    "stature": "stature_m",
}
_LIMITS = {
    "walkSpeed": (0.1, 5.0), "crossingSpeed": (0.1, 6.0), "runSpeed": (0.3, 10.0), "patience": (0.0, 600.0),
    "attention": (0.0, 1.0), "compliance": (0.0, 1.0), "impulsiveness": (0.0, 1.0), "reactionTime": (0.0, 5.0),
    "stature": (0.5, 2.3), "haste": (0.0, 1.0),
    "cruiseSpeed": (0.0, 70.0), "brakeTtc": (0.0, 10.0), "latency": (0.0, 3.0), "deceleration": (0.5, 12.0),
    "sensorRange": (1.0, 300.0), "fieldOfView": (10.0, 360.0),
}  # fmt: skip


@dataclass(frozen=True)
class PedestrianOptions:
    """What a ``pedestrian_agent`` controller asks for; ``goal_asam`` is (x, y) in the file's frame."""

    goal_asam: tuple[float, float]
    profile: Profile
    haste: float


@dataclass(frozen=True)
class AebOptions:
    """What an ``ego_aeb`` controller asks for; ``cruise_mps`` None means: the speed the entity has when it starts."""

    cruise_mps: float | None
    aeb: AebSettings

    def idm(self, speed_mps: float) -> IdmSettings:
        """Return the car-following settings for a vehicle that drives ``speed_mps`` when the controller starts."""
        return IdmSettings(desired_mps=speed_mps if self.cruise_mps is None else self.cruise_mps)


def pedestrian_options(properties: Mapping[str, str], rng: np.random.Generator) -> PedestrianOptions:
    """Read ``goalX``, ``goalY`` (required), ``age`` (child, young, adult, senior), ``haste`` and the profile's values.

    ``walkSpeed``, ``crossingSpeed``, ``runSpeed``, ``patience``, ``attention``, ``compliance``, ``impulsiveness``,
    ``reactionTime`` and ``stature`` are drawn for the age class with ``rng`` where the file does not give them.

    Raises:
        InputError: a name that is not known, a value that is not a number or out of its limits, no goal.
    """
    _check_names(properties, {"goalX", "goalY", "age", "haste", *_PROFILE_PROPERTIES}, PEDESTRIAN)
    for name in ("goalX", "goalY"):
        if name not in properties:
            raise InputError(f"controller '{PEDESTRIAN}' needs a property '{name}'", element="Property")
    try:
        age = AgeClass(properties.get("age", "adult"))
    except ValueError:
        choices = ", ".join(choice.value for choice in AgeClass)
        raise InputError(
            f"property 'age' is '{properties['age']}'", element="Property", remedy=f"one of {choices}"
        ) from None
    given = {field: _number(properties, name) for name, field in _PROFILE_PROPERTIES.items() if name in properties}
    goal = _number(properties, "goalX"), _number(properties, "goalY")
    haste = _number(properties, "haste") if "haste" in properties else 0.0
    return PedestrianOptions(goal, sample(age, rng, **given), haste)


def aeb_options(properties: Mapping[str, str]) -> AebOptions:
    """Read ``cruiseSpeed`` (m/s), ``brakeTtc``, ``latency`` (s), ``deceleration``, ``sensorRange``, ``fieldOfView``.

    Raises:
        InputError: a name that is not known, a value that is not a number or out of its limits.
    """
    fields = {
        "brakeTtc": "brake_ttc_s",
        "latency": "latency_s",
        "deceleration": "deceleration_mps2",
        "sensorRange": "range_m",
        "fieldOfView": "field_of_view_deg",
    }
    _check_names(properties, {"cruiseSpeed", *fields}, EGO_AEB)
    given = {field: _number(properties, name) for name, field in fields.items() if name in properties}
    cruise = _number(properties, "cruiseSpeed") if "cruiseSpeed" in properties else None
    return AebOptions(cruise, AebSettings(**given))


def _check_names(properties: Mapping[str, str], known: set[str], controller: str) -> None:
    unknown = sorted(set(properties) - known)
    if unknown:
        raise InputError(
            f"controller '{controller}' has no property '{unknown[0]}'",
            element="Property",
            remedy="known: " + ", ".join(sorted(known)),
        )


def _number(properties: Mapping[str, str], name: str) -> float:
    try:
        value = float(properties[name])
    except ValueError:
        raise InputError(f"property '{name}' is '{properties[name]}', not a number", element="Property") from None
    low, high = _LIMITS.get(name, (-1e6, 1e6))
    if not low <= value <= high:
        raise InputError(f"property '{name}' is {value}, must be within {low}..{high}", element="Property")
    return value

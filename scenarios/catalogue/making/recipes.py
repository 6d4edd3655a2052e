"""What a logical scenario is made of; :mod:`.writing` turns it into files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

Number = float | str
"""A number, or an OpenSCENARIO expression of parameters such as ``$EgoSpeedKmh / 3.6`` (without ``${}``)."""


@dataclass(frozen=True)
class Parameter:
    """A parameter that may be set.

    Attributes:
        name: as declared.
        value: its default: the nominal scenario.
        low, high: its limits; None for a text or a fixed value.
        unit: "" without.
        meaning: one line for people.
        draw: how samples are drawn: uniformly between the limits, from a normal distribution of this standard
            deviation cut at the limits, from texts with weights, or not at all.
        kind: OpenSCENARIO's parameter type.
    """

    name: str
    value: Number
    low: float | None
    high: float | None
    unit: str
    meaning: str
    draw: Literal["uniform", "fixed"] | float | Sequence[tuple[str, float]] = "uniform"
    kind: str = "double"


@dataclass(frozen=True)
class Place:
    """A position: on a lane (``lane`` not 0), on a road's s and t, or in the world when ``road`` is ""."""

    road: str
    lane: int
    a: Number  # s, or x
    b: Number  # offset from the lane's middle, t, or y
    heading: Number | None = None  # relative to the road; absolute in the world


def on_lane(road: str, lane: int, s: Number, offset: Number = 0.0, heading: Number | None = None) -> Place:
    """Return a position on a lane."""
    return Place(road, lane, s, offset, heading)


def on_road(road: str, s: Number, t: Number, heading: Number | None = None) -> Place:
    """Return a position in road coordinates."""
    return Place(road, 0, s, t, heading)


def in_world(x: Number, y: Number, heading: Number | None = None) -> Place:
    """Return a position in the world; the road's height."""
    return Place("", 0, x, y, heading)


@dataclass(frozen=True)
class Speed:
    """Reach a speed, m/s: at once, or by an acceleration or within a time or distance."""

    value: Number
    shape: Literal["step", "linear", "sinusoidal", "cubic"] = "step"
    dimension: Literal["time", "rate", "distance"] = "time"
    amount: Number = 0


@dataclass(frozen=True)
class Follow:
    """Follow a polyline at one's own speed."""

    places: Sequence[Place]


@dataclass(frozen=True)
class LaneChange:
    """Change to the lane ``lanes`` to the left (positive) of one's own."""

    lanes: int
    amount: Number
    dimension: Literal["time", "distance"] = "time"
    of: str = ""  # whose lane the number counts from; oneself by default


@dataclass(frozen=True)
class LaneOffset:
    """Move sideways within the lane, to ``offset`` metres left of its middle."""

    offset: Number
    max_lateral_acceleration: Number


@dataclass(frozen=True)
class Door:
    """Open a door of one's vehicle, named as in the standard."""

    name: Literal["doorFrontLeft", "doorFrontRight", "doorRearLeft", "doorRearRight"]


Deed = Speed | Follow | LaneChange | LaneOffset | Door


@dataclass(frozen=True)
class AtTime:
    """From a time of the simulation on, s."""

    time: Number


@dataclass(frozen=True)
class Travelled:
    """When an entity has driven so far, m."""

    distance: Number
    who: str = "Ego"


@dataclass(frozen=True)
class After:
    """When another event has ended."""

    event: str


@dataclass(frozen=True)
class Closer:
    """When an entity's time headway to ``whom``, bumper to bumper along the road, falls below ``headway`` s."""

    headway: Number
    whom: str
    who: str = "Ego"


When = AtTime | Travelled | After | Closer


@dataclass(frozen=True)
class Event:
    """Something that an actor does when its condition becomes true."""

    name: str
    actor: str
    when: When
    deeds: Sequence[Deed]


@dataclass(frozen=True)
class Actor:
    """An entity: an entry of the shipped catalogs, where it stands and how fast it moves at the beginning."""

    name: str
    entry: str
    start: Place
    speed: Number = 0.0
    pedestrian: bool = False
    driver: bool = False  # ego_aeb, with the parameter BrakeTtc


@dataclass(frozen=True)
class Meeting:
    """What the scenario is about, told from the trace of its nominal values without any reaction of the ego.

    At ``time_s`` the middle of ``actor`` is at ``x``, ``y``, and ``gap_m`` lie between its box and the ego's.

    Attributes:
        kind: "collision" when the boxes meet at that time for the first time, "passing" when they are ``gap_m`` apart.
    """

    actor: str
    time_s: Number
    x: Number
    y: Number
    gap_m: Number = 0.0
    kind: Literal["collision", "passing"] = "collision"


@dataclass(frozen=True)
class Light:
    """Weather and light: defaults of the parameters that every scenario has."""

    time: str = "2026-05-12T11:00:00"
    elevation: float = 0.8
    azimuth: float = 2.6
    clouds: str = "twoOktas"
    rain: float = 0.0
    visibility: float = 20000.0
    varied: bool = True  # whether samples draw clouds, rain and the sun's height


NIGHT = Light("2026-11-12T22:30:00", -0.5, 3.1, "fourOktas", 0.0, 8000.0, varied=False)
RAIN = Light("2026-11-12T15:30:00", 0.25, 3.6, "eightOktas", 8.0, 1500.0, varied=False)
FOG = Light("2026-11-12T08:30:00", 0.2, 2.2, "eightOktas", 0.0, 120.0, varied=False)
LOW_SUN = Light("2026-10-12T17:50:00", 0.06, 4.7, "zeroOktas", 0.0, 20000.0, varied=False)


@dataclass(frozen=True)
class Recipe:
    """A logical scenario.

    Attributes:
        derived: parameters that follow from others, in order; their names begin with ``_``.
        stop_s: end at the latest.
        least_ttc_s: the criterion, s.
        meeting: the scenario's point, checked by tests.
        signals: traffic signals of the map and what they show all the time.
        remedy: what an ego can do about it, where braking at the last moment is not enough.
    """

    name: str
    family: str
    title: str
    source: str
    text: str
    map_name: str
    parameters: Sequence[Parameter]
    derived: Sequence[tuple[str, str]]
    actors: Sequence[Actor]
    events: Sequence[Event]
    stop_s: float
    meeting: Meeting
    light: Light = field(default_factory=Light)
    least_ttc_s: float = 0.5
    signals: Sequence[tuple[str, str]] = ()
    remedy: str = ""

    def varied(self, name: str, title: str, light: Light, text: str, **defaults: float) -> Recipe:
        """Return the same scenario under another light, with other defaults of some parameters."""
        parameters = [replace(p, value=defaults.get(p.name, p.value)) for p in self.parameters]
        return replace(
            self, name=name, family="weather and light", title=title, light=light, text=text, parameters=parameters
        )


def ego_speed(value: float, low: float, high: float, meaning: str = "speed of the ego until it reacts") -> Parameter:
    """Return the parameter that all scenarios have."""
    return Parameter("EgoSpeedKmh", value, low, high, "km/h", meaning)


BRAKE_TTC = Parameter(
    "BrakeTtc", 1.3, 0.8, 2.0, "s", "time to collision at which the ego's emergency brake acts (controller ego_aeb)"
)

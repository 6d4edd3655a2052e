"""The environment as the standard describes it: weather, road condition, time of day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import parse_datetime

OKTAS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# 1.0's cloudState in eighths of the sky; skyOff means the sky is not drawn, which no eighth expresses.
_CLOUD_STATES = {"free": 0, "cloudy": 5, "overcast": 8, "rainy": 8, "skyOff": None}
WETNESS = ("dry", "moist", "wetWithPuddles", "lowFlooded", "highFlooded")


@dataclass(frozen=True, slots=True)
class Environment:
    """Weather and road. None means "as it was": an action changes only what it names.

    Attributes:
        clouds_oktas: eighths of the sky covered; 9 when it cannot be seen (fog).
        sun_azimuth, sun_elevation: radians; azimuth 0 is north, growing clockwise (ASAM).
        sun_illuminance: lx.
        fog_range_m: visual range.
        precipitation, precipitation_mm_h: "dry", "rain" or "snow", and its intensity.
        wind_direction, wind_speed: radians (the direction it blows to, ASAM frame) and m/s.
        temperature_k, pressure_pa: air.
        friction: factor on the road's friction. wetness: one of :data:`WETNESS`.
    """

    clouds_oktas: int | None = None
    sun_azimuth: float | None = None
    sun_elevation: float | None = None
    sun_illuminance: float | None = None
    fog_range_m: float | None = None
    precipitation: str | None = None
    precipitation_mm_h: float | None = None
    wind_direction: float | None = None
    wind_speed: float | None = None
    temperature_k: float | None = None
    pressure_pa: float | None = None
    friction: float | None = None
    wetness: str | None = None
    time_of_day: datetime | None = None
    time_runs: bool = False

    def updated(self, change: Environment) -> Environment:
        """Return this environment with everything that ``change`` names."""
        named = {
            name: value
            for name in self.__dataclass_fields__
            if name != "time_runs" and (value := getattr(change, name)) is not None
        }
        if "time_of_day" in named:
            named["time_runs"] = change.time_runs
        return replace(self, **named)


def read_environment(node: Node) -> Environment:
    """Read ``Environment`` of 1.0 to 1.3."""
    node.label("name")
    environment = Environment()
    if (time := node.maybe("TimeOfDay")) is not None:
        text = time.text("dateTime")
        try:
            moment = parse_datetime(text)
        except ValueError:
            raise time.error(f"dateTime={text!r} is no date and time") from None
        environment = replace(environment, time_of_day=moment, time_runs=time.boolean("animation"))
    if (weather := node.maybe("Weather")) is not None:
        environment = _read_weather(weather, environment)
    if (road := node.maybe("RoadCondition")) is not None:
        if (properties := road.maybe("Properties")) is not None:
            properties.skip()
        environment = replace(
            environment,
            friction=road.number("frictionScaleFactor", minimum=0.0),
            wetness=road.choice("wetness", WETNESS) if road.has("wetness") else None,
        )
    return environment


def _read_weather(node: Node, environment: Environment) -> Environment:
    clouds: int | None = None
    if node.has("fractionalCloudCover"):
        text = node.choice("fractionalCloudCover", tuple(f"{n}Oktas" for n in OKTAS))
        clouds = OKTAS.index(text.removesuffix("Oktas"))
    if node.has("cloudState"):
        state = node.choice("cloudState", _CLOUD_STATES)
        clouds = _CLOUD_STATES[state] if clouds is None else clouds
    environment = replace(
        environment,
        clouds_oktas=clouds,
        temperature_k=node.maybe_number("temperature", minimum=0.0),
        pressure_pa=node.maybe_number("atmosphericPressure", minimum=0.0),
    )
    if (sun := node.maybe("Sun")) is not None:
        light = sun.maybe_number("illuminance", minimum=0.0)
        old = sun.maybe_number("intensity", minimum=0.0)  # 1.0 and 1.1
        environment = replace(
            environment,
            sun_azimuth=sun.number("azimuth"),
            sun_elevation=sun.number("elevation"),
            sun_illuminance=light if light is not None else old,
        )
    if (fog := node.maybe("Fog")) is not None:
        if (box := fog.maybe("BoundingBox")) is not None:
            raise box.error("fog in a box is not supported", remedy="remove the box: the fog then fills the world")
        environment = replace(environment, fog_range_m=fog.number("visualRange", minimum=0.0))
    if (rain := node.maybe("Precipitation")) is not None:
        kind = rain.choice("precipitationType", ("dry", "rain", "snow"))
        amount = rain.maybe_number("precipitationIntensity", minimum=0.0)
        share = rain.maybe_number("intensity", minimum=0.0)  # 1.0: 0 to 1 of an undefined maximum
        if amount is None and share is not None:
            amount = 50.0 * share
        environment = replace(environment, precipitation=kind, precipitation_mm_h=amount or 0.0)
    if (wind := node.maybe("Wind")) is not None:
        environment = replace(
            environment, wind_direction=wind.number("direction"), wind_speed=wind.number("speed", minimum=0.0)
        )
    if (dome := node.maybe("DomeImage")) is not None:
        raise dome.error("a dome image is not supported", remedy="describe the sky by clouds and sun")
    return environment

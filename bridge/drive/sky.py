"""Weather and time of day by key: what falls from the sky and where the sun stands are chosen apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import carla

from scenarios.openscenario.carla_mapping import sun_position

DAY = datetime(2026, 5, 12)
"""The day on which one drives; hours are local mean solar time."""

WEATHERS: tuple[tuple[str, dict[str, float]], ...] = (
    ("clear", {"cloudiness": 5, "fog_density": 2, "fog_distance": 60}),
    ("cloudy", {"cloudiness": 75, "fog_density": 3, "fog_distance": 60}),
    ("wet", {"cloudiness": 20, "precipitation_deposits": 50, "wetness": 60, "fog_density": 3, "fog_distance": 60}),
    ("soft rain", {"cloudiness": 70, "precipitation": 20, "precipitation_deposits": 50, "wetness": 70,
                   "wind_intensity": 20, "fog_density": 4, "fog_distance": 50}),
    ("rain", {"cloudiness": 85, "precipitation": 55, "precipitation_deposits": 70, "wetness": 90,
              "wind_intensity": 50, "fog_density": 7, "fog_distance": 30}),
    ("hard rain", {"cloudiness": 100, "precipitation": 100, "precipitation_deposits": 90, "wetness": 100,
                   "wind_intensity": 100, "fog_density": 12, "fog_distance": 10}),
    ("fog", {"cloudiness": 60, "fog_density": 45, "fog_distance": 0, "fog_falloff": 0.2, "wetness": 20}),
)  # fmt: skip
"""Names, and the fields of ``carla.WeatherParameters`` that differ from the common ones."""
_COMMON = {
    "cloudiness": 0.0, "precipitation": 0.0, "precipitation_deposits": 0.0, "wind_intensity": 10.0, "fog_density": 0.0,
    "fog_distance": 0.75, "fog_falloff": 0.1, "wetness": 0.0, "scattering_intensity": 1.0, "mie_scattering_scale": 0.03,
    "rayleigh_scattering_scale": 0.0331, "dust_storm": 0.0,
}  # fmt: skip
NAMES = tuple(name for name, _ in WEATHERS)


@dataclass(frozen=True)
class Sky:
    """The weather's number in :data:`WEATHERS`, and minutes since midnight."""

    weather: int = 0
    minute: float = 14 * 60.0

    def other_weather(self, by: int) -> Sky:
        """Return the sky with the next or previous weather, round and round."""
        return Sky((self.weather + by) % len(WEATHERS), self.minute)

    def later(self, hours: float) -> Sky:
        """Return the sky at another hour."""
        return Sky(self.weather, (self.minute + 60.0 * hours) % 1440.0)

    @property
    def name(self) -> str:
        """Of the weather."""
        return NAMES[self.weather]

    @property
    def clock(self) -> str:
        """``14:00``."""
        return f"{int(self.minute) // 60:02d}:{int(self.minute) % 60:02d}"

    def sun_deg(self, latitude_deg: float) -> tuple[float, float]:
        """Return the sun's azimuth from north, clockwise, and its altitude, in degrees."""
        azimuth, altitude = sun_position(DAY + timedelta(minutes=self.minute), latitude_deg, 0.0)
        return math.degrees(azimuth), math.degrees(altitude)

    def parameters(self, latitude_deg: float) -> dict[str, float]:
        """Return the fields of ``carla.WeatherParameters``. CARLA counts the azimuth from its +x axis, east."""
        azimuth, altitude = self.sun_deg(latitude_deg)
        fields = {**_COMMON, **WEATHERS[self.weather][1]}
        return {**fields, "sun_azimuth_angle": (azimuth - 90.0) % 360.0, "sun_altitude_angle": altitude}


def apply(world: carla.World, sky: Sky, latitude_deg: float) -> None:
    """Give the world this sky."""
    weather = world.get_weather()
    for name, value in sky.parameters(latitude_deg).items():
        setattr(weather, name, value)
    world.set_weather(weather)


def describe(weather: carla.WeatherParameters) -> str:
    """Return a few words for a weather that somebody else chose (a scenario, another client)."""
    if weather.precipitation > 60:
        words = "hard rain"
    elif weather.precipitation > 25:
        words = "rain"
    elif weather.precipitation > 0:
        words = "soft rain"
    elif weather.fog_density > 25:
        words = "fog"
    else:
        words = "cloudy" if weather.cloudiness > 60 else "wet" if weather.wetness > 40 else "clear"
    time = "night" if weather.sun_altitude_angle < -4 else "low sun" if weather.sun_altitude_angle < 8 else "day"
    return f"{words}, {time}"

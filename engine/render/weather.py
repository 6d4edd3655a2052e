"""From CARLA's weather parameters to light: sun, sky, fog, wetness and the exposure that fits them.

Units: radiance is relative, such that a white wall in the noon sun has 1 after exposure at EV100 8.6 (CARLA's
default manual exposure: f/1.4, 1/200 s, ISO 100). Colours are linear.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DEFAULT_EV100 = math.log2(1.4**2 * 200.0)
_LUMA = np.array([0.2126, 0.7152, 0.0722])


class WeatherParameters(Protocol):
    """The fields of ``carla.WeatherParameters`` that have a visible effect."""

    @property
    def cloudiness(self) -> float: ...  # noqa: D102

    @property
    def precipitation(self) -> float: ...  # noqa: D102

    @property
    def precipitation_deposits(self) -> float: ...  # noqa: D102

    @property
    def wind_intensity(self) -> float: ...  # noqa: D102

    @property
    def sun_azimuth_angle(self) -> float: ...  # noqa: D102

    @property
    def sun_altitude_angle(self) -> float: ...  # noqa: D102

    @property
    def fog_density(self) -> float: ...  # noqa: D102

    @property
    def fog_distance(self) -> float: ...  # noqa: D102

    @property
    def fog_falloff(self) -> float: ...  # noqa: D102

    @property
    def wetness(self) -> float: ...  # noqa: D102

    @property
    def scattering_intensity(self) -> float: ...  # noqa: D102

    @property
    def mie_scattering_scale(self) -> float: ...  # noqa: D102

    @property
    def rayleigh_scattering_scale(self) -> float: ...  # noqa: D102

    @property
    def dust_storm(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class ClearNoon:
    """CARLA's preset, in force until the first ``set_weather``."""

    cloudiness: float = 5.0
    precipitation: float = 0.0
    precipitation_deposits: float = 0.0
    wind_intensity: float = 10.0
    sun_azimuth_angle: float = -1.0
    sun_altitude_angle: float = 45.0
    fog_density: float = 2.0
    fog_distance: float = 0.75
    fog_falloff: float = 0.1
    wetness: float = 0.0
    scattering_intensity: float = 1.0
    mie_scattering_scale: float = 0.03
    rayleigh_scattering_scale: float = 0.0331
    dust_storm: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """What the shaders need to know about the weather. Vectors are (3,), linear RGB or ASAM axes.

    Attributes:
        sun: unit vector to the sun (or, at night, to the moon that stands in for it).
        sun_color: irradiance of a surface facing it. sky_up: from the upper half. bounce: from below.
        horizon, zenith: sky radiance. fog_color: radiance of thick fog.
        exposure: factor before tone mapping when the camera adapts by itself.
        shadows: False when the sun gives none.
        night: 0 by day to 1 when lamps are lit.
        fog_density: extinction at the ground, 1/m; it starts after fog_start_m and thins by exp(-z / fog_height_m).
    """

    sun: Floats
    sun_color: Floats
    sky_up: Floats
    bounce: Floats
    horizon: Floats
    zenith: Floats
    fog_color: Floats
    exposure: float
    shadows: bool
    night: float
    cloudiness: float
    wetness: float
    puddles: float
    rain: float
    wind: float
    fog_density: float
    fog_start_m: float
    fog_height_m: float


def _percent(value: float) -> float:
    return min(max(float(value), 0.0), 100.0) / 100.0


def _mix(a: Floats | float, b: Floats | float, t: float) -> Floats:
    return np.asarray(a) * (1.0 - t) + np.asarray(b) * t


def _ramp(low: float, high: float, x: float) -> float:
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


def light_of(weather: WeatherParameters) -> Light:
    """Return the light of a weather; values outside CARLA's ranges are limited to them."""
    altitude = math.radians(min(max(float(weather.sun_altitude_angle), -90.0), 90.0))
    azimuth = math.radians(float(weather.sun_azimuth_angle))
    cloud, rain, dust = _percent(weather.cloudiness), _percent(weather.precipitation), _percent(weather.dust_storm)
    elevation = math.sin(altitude)
    day = _ramp(-0.10, 0.12, elevation)
    night = 1.0 - _ramp(-0.06, 0.08, elevation)
    # After sunset a weak moon stands where the sun would stand mirrored at the horizon: shapes stay readable.
    high = altitude if elevation > -0.02 else max(-altitude, math.radians(25.0))
    sun = np.array(
        [math.cos(high) * math.cos(azimuth), -math.cos(high) * math.sin(azimuth), math.sin(high)], dtype=np.float64
    )

    # Beer-Lambert through Kasten's air mass; optical depths of a clear sky at 600, 550 and 450 nm.
    air_mass = 1.0 / (max(elevation, 0.0) + 0.15 * (math.degrees(max(altitude, 0.0)) + 3.885) ** -1.253)
    depths = np.array([0.09, 0.13, 0.22]) * max(float(weather.rayleigh_scattering_scale), 0.0) / 0.0331
    depths = depths + max(float(weather.mie_scattering_scale), 0.0) * 0.5
    direct = 3.3 * np.exp(-depths * air_mass) * _ramp(-0.02, 0.05, elevation) * (1.0 - 0.97 * cloud**1.3) * (1 - dust)
    moon = np.array([0.0035, 0.0045, 0.007]) * (1.0 - day) * (1.0 - 0.9 * cloud)
    sun_color = direct + moon

    low_sun = day * (1.0 - _ramp(0.05, 0.45, elevation))
    clear_zenith = _mix(np.array([0.20, 0.42, 0.95]), np.array([0.20, 0.27, 0.50]), low_sun)
    clear_horizon = _mix(np.array([0.90, 1.10, 1.35]), np.array([1.30, 0.80, 0.42]), low_sun)
    grey = np.array([0.95, 1.00, 1.08]) * (0.95 - 0.35 * rain)
    strength = day * (0.25 + 0.75 * _ramp(0.0, 0.5, elevation))
    night_sky = np.array([0.0009, 0.0012, 0.0024]) * (1.0 - 0.3 * cloud)
    zenith = _mix(clear_zenith, grey * 0.9, cloud**1.2) * strength + night_sky * (1.0 - day)
    horizon = _mix(clear_horizon, grey, cloud) * strength + 1.6 * night_sky * (1.0 - day)
    if dust:
        sand = np.array([0.72, 0.50, 0.28]) * max(strength, 0.01)
        zenith, horizon = _mix(zenith, sand * 0.7, dust), _mix(horizon, sand, dust)
    sky_up = 0.62 * zenith + 0.38 * horizon + 0.05 * cloud * strength + np.array([0.0022, 0.0024, 0.003]) * (1.0 - day)
    bounce = 0.16 * (sun_color * max(sun[2], 0.0) + sky_up)

    fog = _percent(weather.fog_density)
    density = 0.02 * fog**1.5 + 0.0022 * rain + 0.02 * dust**1.5
    falloff = max(float(weather.fog_falloff), 0.0)
    # What the sun adds to fog, and to nothing else: the client's WeatherParameters() begin with 0, and have a sky.
    scattered = min(max(float(weather.scattering_intensity), 0.0), 4.0 / 3.0)
    # A brightness in between: eyes and cameras adapt, but night stays darker than day.
    seen = float(_LUMA @ (sun_color * max(sun[2], 0.15) + sky_up))
    exposure = 0.98 / (seen**0.80 + 0.055)
    return Light(
        sun=sun,
        sun_color=sun_color,
        sky_up=sky_up,
        bounce=bounce,
        horizon=horizon,
        zenith=zenith,
        fog_color=_mix(horizon, sky_up, 1.0 - 0.75 * scattered),
        exposure=exposure,
        shadows=float(_LUMA @ sun_color) > 0.08 * float(_LUMA @ sky_up),
        night=night,
        cloudiness=cloud,
        wetness=max(_percent(weather.wetness), 0.9 * _percent(weather.precipitation_deposits), min(1.0, 1.5 * rain)),
        puddles=_percent(weather.precipitation_deposits),
        rain=rain,
        wind=_percent(weather.wind_intensity),
        fog_density=density,
        fog_start_m=max(float(weather.fog_distance), 0.0),
        fog_height_m=20.0 / falloff if falloff > 1e-3 else 20000.0,
    )


def white_balance(temp_k: float, tint: float) -> Floats:
    """Return the (3,) linear gains that render a light of colour temperature ``temp_k`` neutral.

    Planckian locus after Kim et al. (US patent 7024034, the usual cubic fit), converted to linear sRGB and
    normalized to keep luminance. 6500 K and tint 0 give exactly one.
    """

    def white(kelvin: float) -> Floats:
        t = min(max(kelvin, 1667.0), 25000.0)
        if t < 4000.0:
            x = -0.2661239e9 / t**3 - 0.2343589e6 / t**2 + 0.8776956e3 / t + 0.179910
        else:
            x = -3.0258469e9 / t**3 + 2.1070379e6 / t**2 + 0.2226347e3 / t + 0.240390
        if t < 2222.0:
            y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
        elif t < 4000.0:
            y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
        else:
            y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
        xyz = np.array([x / y, 1.0, (1.0 - x - y) / y])
        to_rgb = np.array(
            [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]], dtype=np.float64
        )
        return np.maximum(to_rgb @ xyz, 1e-3)

    # Unreal's convention: a higher temperature of the assumed white makes the picture warmer.
    gain = white(6500.0) / white(temp_k)
    gain[1] *= 1.0 - 0.3 * min(max(tint, -1.0), 1.0)
    return gain / float(_LUMA @ gain)

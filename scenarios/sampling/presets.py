"""Ready parameter spaces to join with others: CARLA's weather, and the mounting of cameras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scenarios.sampling.distributions import Normal
from scenarios.sampling.errors import SpaceError
from scenarios.sampling.parameters import Parameter, Periodic, Real, Value
from scenarios.sampling.space import Space

_CARLA = "range given in CARLA's documentation of WeatherParameters"
_OWN = "CARLA states no upper limit; ours covers what changes a picture visibly"
_SCALE = "CARLA states no limits; from none to several times the default"


def _percent(name: str) -> Real:
    return Real(name, 0.0, 100.0, unit="%", provenance=_CARLA)


_WEATHER: dict[str, Parameter] = {
    p.name: p
    for p in (
        _percent("cloudiness"),
        _percent("precipitation"),
        _percent("precipitation_deposits"),
        _percent("wind_intensity"),
        Periodic("sun_azimuth_angle", 0.0, 360.0, unit="deg", provenance=_CARLA),
        Real("sun_altitude_angle", -90.0, 90.0, unit="deg", provenance=_CARLA),
        _percent("fog_density"),
        Real("fog_distance", 0.0, 100.0, unit="m", provenance=_OWN),
        Real("fog_falloff", 0.0, 5.0, provenance=_OWN),
        _percent("wetness"),
        Real("scattering_intensity", 0.0, 5.0, provenance=_SCALE),
        Real("mie_scattering_scale", 0.0, 0.5, provenance=_SCALE),
        Real("rayleigh_scattering_scale", 0.0, 0.2, provenance=_SCALE),
        _percent("dust_storm"),
    )
}
WEATHER_NAMES = tuple(_WEATHER)
"""All of ``carla.WeatherParameters``, by its field names."""


def weather_space(
    names: Sequence[str] | None = None,
    *,
    limits: Mapping[str, tuple[float, float]] | None = None,
    fixed: Mapping[str, Value] | None = None,
) -> Space:
    """Return the space of CARLA's weather parameters, uniform within their limits.

    Their values make ``carla.WeatherParameters(**values)``. Limits are CARLA's where it states some; each
    parameter's provenance says which. They are independent here, which weather is not: rain without clouds is in it.

    Args:
        names: of the parameters wanted; default all.
        limits: other (low, high) for some; the sun's azimuth then is an interval, no longer periodic.
        fixed: values of parameters that do not vary.

    Raises:
        SpaceError: a name that CARLA's weather does not have, or limits that are wrong.
    """
    chosen = WEATHER_NAMES if names is None else tuple(names)
    narrowed, held = dict(limits or {}), dict(fixed or {})
    for name in (*chosen, *narrowed, *held):
        if name not in _WEATHER:
            raise SpaceError(
                f"CARLA's weather has no parameter {name!r}",
                remedy="it has " + ", ".join(WEATHER_NAMES),
                parameter=name,
            )
    parameters = []
    for name in dict.fromkeys((*chosen, *narrowed, *held)):
        parameter = _WEATHER[name]
        if name in narrowed:
            low, high = narrowed[name]
            parameter = Real(name, low, high, unit=parameter.unit, provenance="limits given by the user")
        parameters.append(parameter)
    space = Space("weather", tuple(parameters))
    return space.fixed(held) if held else space


_OFFSETS = {"x": "m", "y": "m", "z": "m", "pitch": "deg", "yaw": "deg", "roll": "deg"}


def rig_space(
    mounts: Mapping[str, Mapping[str, float]],
    *,
    offset_m: float = 0.05,
    angle_deg: float = 1.0,
    fov_deg: float = 2.0,
) -> Space:
    """Return the space of how cameras are mounted: small errors around their nominal poses and lenses.

    Parameters are named ``MOUNT.x`` ... ``MOUNT.roll`` and ``MOUNT.fov_deg``, absolute values in CARLA's frame.
    Nominal: normal with half the reach as standard deviation, cut off at the reach.

    Args:
        mounts: name -> nominal x, y, z (metres), pitch, yaw, roll (degrees), each 0 when left out, and optionally
            ``fov_deg``.
        offset_m: reach of each location coordinate to either side; 0 holds them constant.
        angle_deg: reach of each angle.
        fov_deg: reach of the field of view, where a mount states one.

    Raises:
        SpaceError: an unknown field of a mount, a negative reach, or a field of view that leaves (1, 170) degrees.
    """
    for name, reach in (("offset_m", offset_m), ("angle_deg", angle_deg), ("fov_deg", fov_deg)):
        if not 0.0 <= reach < float("inf"):
            raise SpaceError(f"{name} is {reach}", remedy="it must be finite and at least 0")
    parameters: list[Parameter] = []
    constants: dict[str, Value] = {}
    for mount, pose in mounts.items():
        for wrong in sorted(set(pose) - set(_OFFSETS) - {"fov_deg"}):
            raise SpaceError(f"mount {mount} has no {wrong!r}", remedy="it has " + ", ".join((*_OFFSETS, "fov_deg")))
        wanted = [(f, u, float(pose.get(f, 0.0)), offset_m if u == "m" else angle_deg) for f, u in _OFFSETS.items()]
        if "fov_deg" in pose:
            middle = float(pose["fov_deg"])
            if not 1.0 < middle - fov_deg <= middle + fov_deg < 170.0:
                raise SpaceError(f"mount {mount}: a field of view of {middle:g} +- {fov_deg:g} degrees is impossible")
            wanted.append(("fov_deg", "deg", middle, fov_deg))
        for field, unit, middle, reach in wanted:
            name = f"{mount}.{field}"
            if reach == 0.0:
                constants[name] = middle
                continue
            law = Normal(middle, 0.5 * reach)
            own = Real(name, middle - reach, middle + reach, law, unit=unit, provenance="mounting tolerance")
            parameters.append(own)
    return Space("rig", tuple(parameters), constants)


def renamed(space: Space, prefix: str) -> Space:
    """Return the space with every parameter's name (and its parents') behind a prefix, to join two of one kind."""

    def new(parameter: Parameter) -> Parameter:
        condition = parameter.condition
        if condition is not None:
            condition = (prefix + condition[0], condition[1])
        return replace(parameter, name=prefix + parameter.name, condition=condition)

    constants = {prefix + name: value for name, value in space.constants.items()}
    return Space(space.name, tuple(new(p) for p in space.parameters), constants)

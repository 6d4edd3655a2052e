"""Sensors: one module a sensor; importing this package fills :data:`SENSORS`.

    sensor = SENSORS["sensor.lidar.ray_cast"](attributes, actor_id, seed=world_seed)
    for body in sensor.captures(context): ...

Every module of this folder is imported, so a new sensor is one file with a ``@register("sensor....")`` class.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from engine.sensors.base import REGISTRY as SENSORS
from engine.sensors.base import Contact, Sensor, SensorContext, SensorFactory, register

for _module in sorted(info.name for info in iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")

__all__ = ["SENSORS", "Contact", "Sensor", "SensorContext", "SensorFactory", "register"]

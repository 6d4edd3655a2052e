"""``sensor.other.gnss``."""

from __future__ import annotations

from collections.abc import Mapping

from engine.sensors.base import Sensor, SensorContext, number, register
from engine.sensors.messages import gnss_body
from sensors.models.gnss import geolocation

PARTS = ("lat", "lon", "alt")


@register("sensor.other.gnss")
class Gnss(Sensor):
    """Latitude, longitude (degrees) and altitude (metres), with bias and white noise in the same units."""

    type_index = 4

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self._stddev = [number(attributes, f"noise_{part}_stddev", 0.0) for part in PARTS]
        self._bias = [number(attributes, f"noise_{part}_bias", 0.0) for part in PARTS]

    def capture(self, context: SensorContext) -> bytes | None:
        """Return this step's position."""
        x, y, z = (float(v) for v in context.table[self.actor_id]["location"])
        noise = self.rng.normal(0.0, 1.0, 3)
        truth = geolocation(x, y, z, *context.origin_lat_lon)
        latitude, longitude, altitude = (
            value + bias + stddev * float(error)
            for value, bias, stddev, error in zip(truth, self._bias, self._stddev, noise)
        )
        return gnss_body(latitude, longitude, altitude)

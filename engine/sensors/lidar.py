"""``sensor.lidar.ray_cast`` and ``sensor.lidar.ray_cast_semantic``.

As in CARLA the world stands still during a step, and the rays start inside the sensor's own vehicle if it is mounted
there: only the sensor itself is passed through, so a lidar sees the parts of its parent that are in its way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.raycast import Hits
from engine.sensors.base import Sensor, SensorContext, integer, number, register
from engine.sensors.messages import LIDAR_POINT, SEMANTIC_POINT, lidar_body
from foundation.frames import rotation_matrices
from sensors.models import lidar

Float32s = npt.NDArray[np.float32]
Index = npt.NDArray[np.intp]


@dataclass(frozen=True)
class _Sweep:
    """The rays of one step that were shot, in channel order.

    Attributes:
        channel: (N,) channel of each ray.
        rays: (N, 3) float32 unit vectors, sensor axes.
        hits: what they met.
    """

    channel: Index
    rays: Float32s
    hits: Hits


class _Lidar(Sensor):
    """What both lidars share: the rotating scan pattern."""

    sees = True

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self.channels = integer(attributes, "channels", 32)
        self.range_m = number(attributes, "range", 10.0)
        self.points_per_second = number(attributes, "points_per_second", 56000)
        self.rotation_frequency_hz = number(attributes, "rotation_frequency", 10.0)
        self.horizontal_fov_deg = number(attributes, "horizontal_fov", 360.0)
        if self.channels < 1:
            raise ValueError(f"attribute channels: {self.channels} is less than 1")
        if not 0.0 < self.horizontal_fov_deg <= 360.0:
            raise ValueError(f"attribute horizontal_fov: {self.horizontal_fov_deg} is not in (0, 360]")
        self._elevation_deg = lidar.vertical_angles_deg(
            self.channels, number(attributes, "upper_fov", 10.0), number(attributes, "lower_fov", -30.0)
        )
        self.angle_deg = 0.0
        self._pattern: tuple[tuple[float, float, int], Float32s] | None = None

    def _own_rays(self, azimuth: npt.NDArray[np.float64], swept_deg: float) -> Float32s:
        """Return the (C * P, 3) rays in sensor axes; a head that turns fully in each step shoots the same again."""
        key = (self.angle_deg, swept_deg, len(azimuth))
        if self._pattern is None or self._pattern[0] != key:
            self._pattern = key, lidar.directions(self._elevation_deg, azimuth).reshape(-1, 3)
        return self._pattern[1]

    def _fires(self, count: int) -> npt.NDArray[np.bool_] | None:
        """Return which rays are shot; None for all of them."""
        return None

    def _sweep(self, context: SensorContext) -> _Sweep:
        """Turn the head by one step and return what its rays met."""
        points = lidar.points_per_channel(self.points_per_second, context.delta_s, self.channels)
        swept_deg = lidar.sweep_deg(self.rotation_frequency_hz, self.horizontal_fov_deg, context.delta_s)
        azimuth = lidar.azimuths_deg(self.angle_deg, swept_deg, max(points, 1), self.horizontal_fov_deg)[:points]
        row = context.table[self.actor_id]
        rays = self._own_rays(azimuth, swept_deg)
        turned = lidar.directions(self._elevation_deg, azimuth, rotation_matrices(row["rotation"])).reshape(-1, 3)
        channel = np.repeat(np.arange(self.channels), points)
        fired = self._fires(len(rays))
        if fired is not None:
            rays, turned, channel = rays[fired], turned[fired], channel[fired]
        self.angle_deg = float(np.fmod(self.angle_deg + swept_deg, self.horizontal_fov_deg))
        return _Sweep(channel, rays, context.rays.cast(row["location"], turned, self.range_m, self.ignored))

    def _body(self, channel: Index, points: npt.NDArray) -> bytes:
        return lidar_body(np.radians(self.angle_deg), np.bincount(channel, minlength=self.channels), points)


@register("sensor.lidar.ray_cast")
class RayCastLidar(_Lidar):
    """Points with an intensity; rays drop out at random, and returns move along their ray."""

    type_index = 11

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self.attenuation_per_m = number(attributes, "atmosphere_attenuation_rate", 0.004)
        self.dropoff_general_rate = number(attributes, "dropoff_general_rate", 0.45)
        self.dropoff_intensity_limit = number(attributes, "dropoff_intensity_limit", 0.8)
        self.dropoff_zero_intensity = number(attributes, "dropoff_zero_intensity", 0.4)
        self.noise_stddev_m = number(attributes, "noise_stddev", 0.0)

    def _fires(self, count: int) -> npt.NDArray[np.bool_] | None:
        if self.dropoff_general_rate <= 0.0:
            return None
        return lidar.fires(count, self.dropoff_general_rate, self.rng)

    def capture(self, context: SensorContext) -> bytes | None:
        """Return this step's points. Intensity follows the true distance; then noise, then drop-off, as in CARLA."""
        sweep = self._sweep(context)
        hit = np.flatnonzero(sweep.hits.hit)
        distance = sweep.hits.distance_m[hit]
        intensity = lidar.intensity(distance, self.attenuation_per_m)
        distance = lidar.add_range_noise(distance, self.noise_stddev_m, self.rng)
        kept = lidar.survives(intensity, self.dropoff_intensity_limit, self.dropoff_zero_intensity, self.rng)
        if not kept.all():
            hit, distance, intensity = hit[kept], distance[kept], intensity[kept]
        points = np.empty((len(hit), 4), dtype=np.float32)
        rays = np.take(sweep.rays, hit, axis=0)
        for axis in range(3):  # column by column: four times as fast as rows of three
            np.multiply(rays[:, axis], distance, out=points[:, axis])
        points[:, 3] = intensity
        return self._body(sweep.channel[hit], points.view(LIDAR_POINT)[:, 0])


@register("sensor.lidar.ray_cast_semantic")
class SemanticLidar(_Lidar):
    """Points with the cosine of incidence, the actor and the tag they lie on; without noise and drop-off."""

    type_index = 10

    def capture(self, context: SensorContext) -> bytes | None:
        """Return this step's points."""
        sweep = self._sweep(context)
        hit = np.flatnonzero(sweep.hits.hit)
        points = np.empty(len(hit), dtype=SEMANTIC_POINT)
        position = sweep.rays[hit] * sweep.hits.distance_m[hit, None]
        points["x"], points["y"], points["z"] = position.T
        rotation = rotation_matrices(context.table[self.actor_id]["rotation"]).astype(np.float32)
        normal = sweep.hits.normal[hit] @ rotation
        points["cos"] = -np.einsum("ij,ij->i", normal, sweep.rays[hit])
        points["object_id"] = sweep.hits.actor_id[hit]
        points["tag"] = sweep.hits.tag[hit]
        return self._body(sweep.channel[hit], points)

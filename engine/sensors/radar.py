"""``sensor.other.radar``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from engine.sensors.base import Sensor, SensorContext, interval_s, number, register
from engine.sensors.messages import RADAR_DETECTION, radar_body
from engine.state import ActorTable
from foundation.frames import rotation_matrices
from sensors.models import radar


@register("sensor.other.radar")
class Radar(Sensor):
    """Random rays in a cone; depth, direction and radial velocity of what each meets. Only hits are reported."""

    type_index = 9
    sees = True

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self.horizontal_fov_deg = number(attributes, "horizontal_fov", 30.0)
        self.vertical_fov_deg = number(attributes, "vertical_fov", 30.0)
        self.range_m = number(attributes, "range", 100.0)
        self.points_per_second = number(attributes, "points_per_second", 1500)
        self._last: tuple[float, npt.NDArray[np.float64]] | None = None

    def capture(self, context: SensorContext) -> bytes | None:
        """Return this step's detections, at most points_per_second * dt of them."""
        row = context.table[self.actor_id]
        location = np.array(row["location"])
        own_mps = self._own_velocity(context, location)
        count = int(self.points_per_second * context.delta_s)
        ends = radar.cone_ends_m(count, self.horizontal_fov_deg, self.vertical_fov_deg, self.range_m, self.rng)
        reach = np.linalg.norm(ends, axis=1)
        rays = ends / np.maximum(reach, 1e-9)[:, None]
        world_rays = rays @ rotation_matrices(row["rotation"]).T
        hits = context.rays.cast(location, world_rays, reach, self.ignored)
        hit = np.flatnonzero(hits.hit)
        detections = np.empty(len(hit), dtype=RADAR_DETECTION)
        targets_mps = _velocities(context.table, hits.actor_id[hit])
        detections["velocity"] = radar.radial_velocity(targets_mps, own_mps, world_rays[hit])
        detections["azimuth"], detections["altitude"] = radar.azimuth_altitude(rays[hit])
        detections["depth"] = hits.distance_m[hit]
        return radar_body(detections)

    def _own_velocity(self, context: SensorContext, location: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the sensor's velocity, m/s: how far it came since the last capture; its parent's at the first."""
        last, self._last = self._last, (context.elapsed_s, location)
        if last is not None and context.elapsed_s > last[0]:
            return (location - last[1]) / interval_s(last[0], context.elapsed_s)
        parent = int(context.table[self.actor_id]["parent"])
        return np.array(context.table[parent]["velocity"]) if parent in context.table else np.zeros(3)


def _velocities(table: ActorTable, actor_ids: npt.NDArray[np.uint32]) -> npt.NDArray[np.float64]:
    """Return (N, 3) linear velocities, zero for the static world (id 0) and for actors that left."""
    velocities = np.zeros((len(actor_ids), 3))
    for actor_id in np.unique(actor_ids):
        if int(actor_id) in table:
            velocities[actor_ids == actor_id] = table[int(actor_id)]["velocity"]
    return velocities

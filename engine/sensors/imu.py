"""``sensor.other.imu``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from engine.sensors.base import Sensor, SensorContext, interval_s, number, register
from engine.sensors.messages import imu_body
from sensors.models import imu

AXES = ("x", "y", "z")


@register("sensor.other.imu")
class Imu(Sensor):
    """Specific force from three successive positions, body rates from the parent, and a compass.

    Two captures must pass before there are three positions: until then the acceleration counts as zero and the
    accelerometer feels gravity only (CARLA's first samples are artefacts of the same kind).
    """

    type_index = 5

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self._accel_stddev = np.array([number(attributes, f"noise_accel_stddev_{a}", 0.0) for a in AXES])
        self._gyro_stddev = np.array([number(attributes, f"noise_gyro_stddev_{a}", 0.0) for a in AXES])
        self._gyro_bias = np.array([number(attributes, f"noise_gyro_bias_{a}", 0.0) for a in AXES])
        self._past: list[tuple[float, npt.NDArray[np.float64]]] = []

    def capture(self, context: SensorContext) -> bytes | None:
        """Return this step's measurement."""
        pose = self.pose(context)
        force = imu.specific_force_mps2(self._acceleration(context.elapsed_s, pose[:3, 3]), context.gravity, pose)
        row = context.table[self.actor_id]
        parent = int(row["parent"])
        spin = context.table[parent]["angular_velocity"] if parent in context.table else row["angular_velocity"]
        rates = imu.angular_rate_radps(spin, pose)
        force = force + self.rng.normal(0.0, 1.0, 3) * self._accel_stddev
        rates = rates + self._gyro_bias + self.rng.normal(0.0, 1.0, 3) * self._gyro_stddev
        return imu_body(list(force), list(rates), imu.compass_rad(pose))

    def _acceleration(self, now_s: float, location: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the sensor's acceleration, (3,) m/s^2, world axes, and keep its position for the next call."""
        if self._past and now_s <= self._past[-1][0]:
            self._past.clear()  # a new episode: its clock starts again
        self._past = [*self._past[-2:], (now_s, location.copy())]
        if len(self._past) < 3:
            return np.zeros(3)
        (t0, oldest), (t1, middle), (t2, newest) = self._past
        return imu.acceleration_mps2(newest, middle, oldest, interval_s(t1, t2), interval_s(t0, t1))

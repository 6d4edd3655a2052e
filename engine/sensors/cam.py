"""Cooperative awareness messages: when a station sends one, and its bytes.

Sources: ETSI EN 302 637-2 for triggers and units; CARLA 0.9.16, ``Sensor/V2X/CaService.cpp`` for what is filled in;
the offsets are those of protocol section 4.4.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from engine.sensors.base import SensorContext, boolean, interval_s, number
from engine.state import Kind
from foundation.frames import pose_matrices
from foundation.ids import Tag
from sensors.models import imu
from sensors.models.gnss import geolocation

RECORD_BYTES = 464
HEADER_BYTES = 8
"""Power and padding, which the receiver fills in."""
LOW_FREQUENCY_S = 0.5
ROADSIDE_S = 0.5
ROADSIDE, PEDESTRIAN, SPECIAL = 15, 1, 10
STATIONS = {
    Tag.PEDESTRIANS: PEDESTRIAN, Tag.BICYCLE: 2, Tag.MOTORCYCLE: 4, Tag.CAR: 5, Tag.BUS: 6, Tag.TRUCK: 7,
    Tag.TRAIN: 11, Tag.TRAFFIC_LIGHT: ROADSIDE, Tag.TRAFFIC_SIGNS: ROADSIDE, Tag.POLES: ROADSIDE,
    Tag.BUILDINGS: ROADSIDE, Tag.WALLS: ROADSIDE, Tag.FENCES: ROADSIDE,
}  # fmt: skip
"""ETSI station types by the tag of the actor that carries the sensor."""
_PUBLIC_TRANSPORT, _EMERGENCY = 1, 6
_ROLES = {6: _PUBLIC_TRANSPORT, 11: _PUBLIC_TRANSPORT, SPECIAL: _EMERGENCY}
_LAMPS = ((2, 0), (4, 1), (32, 2), (16, 3), (64, 5), (128, 6), (1, 7))
"""(VehicleLightState flag, bit of ETSI's exterior lights, counted from the left)."""
_SLACK_S = 1e-6

Floats = npt.NDArray[np.float64]


class CamService:
    """Decides when an actor sends a message and writes it.

    A vehicle sends when it has turned by more than 4 degrees, moved by more than 4 m or changed its speed by more than
    0.5 m/s since the last message, at the latest after the current interval, never more often than ``gen_cam_min``;
    with ``fixed_rate`` every ``gen_cam_min``. Road side units send twice a second.
    """

    def __init__(self, attributes: Mapping[str, str], rng: np.random.Generator) -> None:
        self._rng = rng
        self._least_s = number(attributes, "gen_cam_min", 0.1)
        self._most_s = number(attributes, "gen_cam_max", 1.0)
        self._fixed = boolean(attributes, "fixed_rate", False)
        self._place_noise = [
            (number(attributes, f"noise_{part}_stddev", 0.0), number(attributes, f"noise_{part}_bias", 0.0))
            for part in ("lat", "lon", "alt", "head")
        ]
        self._accel_stddev = np.array([number(attributes, f"noise_accel_stddev_{axis}", 0.0) for axis in "xyz"])
        self._yaw_noise = (
            number(attributes, "noise_yawrate_stddev", 0.0),
            number(attributes, "noise_yawrate_bias", 0.0),
        )
        self._speed_stddev = number(attributes, "noise_vel_stddev_x", 0.0)
        self._interval_s = self._most_s
        self._quiet = 0
        self._sent: tuple[float, Floats, Floats, float] | None = None
        self._low_s: float | None = None
        self._past: list[tuple[float, Floats]] = []

    def message(self, context: SensorContext, carrier: int) -> bytes | None:
        """Return a record without its power when the carrier sends one in this frame."""
        row = context.table[carrier]
        pose = pose_matrices(row["location"], row["rotation"])
        now = context.elapsed_s
        self._past = [*self._past[-2:], (now, pose[:3, 3].copy())]
        speed = float(np.dot(row["velocity"], pose[:3, 0]))
        station = self._station(context, carrier)
        if not self._due(now, pose, speed, station):
            return None
        self._sent = now, pose[:3, 3].copy(), pose[:3, 0].copy(), speed
        record = bytearray(RECORD_BYTES)
        self._write_head(record, context, carrier, station, pose)
        if station == ROADSIDE:
            _put(record, 104, 2)
        elif station != PEDESTRIAN:
            self._write_motion(record, context, carrier, pose, speed)
            if self._low_s is None or interval_s(self._low_s, now) >= LOW_FREQUENCY_S - _SLACK_S:
                self._low_s = now
                _put(record, 408, 1)
                _put(record, 416, _ROLES.get(station, 0))
                lights = int(row["lights"])
                record[424] = sum(0x80 >> bit for flag, bit in _LAMPS if lights & flag)
        return bytes(record[HEADER_BYTES:])

    def _due(self, now: float, pose: Floats, speed: float, station: int) -> bool:
        if self._sent is None or now < self._sent[0]:
            return True
        sent_s, place, ahead, sent_speed = self._sent
        passed = interval_s(sent_s, now) + _SLACK_S
        if station == ROADSIDE:
            return passed >= ROADSIDE_S
        if passed < self._least_s:
            return False
        turned = math.degrees(math.acos(float(np.clip(ahead @ pose[:3, 0], -1.0, 1.0))))
        moved = float(np.linalg.norm(pose[:3, 3] - place))
        if self._fixed:
            return True
        if turned > 4.0 or moved > 4.0 or abs(speed - sent_speed) > 0.5:
            self._interval_s, self._quiet = min(passed, self._most_s), 0
            return True
        if passed >= self._interval_s:
            self._quiet += 1
            if self._quiet >= 3:
                self._interval_s = self._most_s
            return True
        return False

    @staticmethod
    def _station(context: SensorContext, carrier: int) -> int:
        actor = context.actor_struct(carrier)
        if context.table[carrier]["kind"] == Kind.VEHICLE and any(
            attribute.id == "special_type" and attribute.value == "emergency"
            for attribute in actor.description.attributes
        ):
            return SPECIAL
        return next((STATIONS[Tag(tag)] for tag in actor.semantic_tags if tag in STATIONS), 0)

    def _write_head(self, record: bytearray, context: SensorContext, carrier: int, station: int, pose: Floats) -> None:
        x, y, z = pose[:3, 3].tolist()
        truth = geolocation(x, y, z, *context.origin_lat_lon)
        latitude, longitude, altitude = (
            value + bias + stddev * float(error)
            for value, (stddev, bias), error in zip(truth, self._place_noise, self._rng.standard_normal(3))
        )
        _put(record, 8, 2, 2, carrier, round(context.elapsed_s * 1000.0) % 65536, station)
        _put(record, 48, round(latitude * 1e6) * 10, round(longitude * 1e6) * 10, 4095, 4095, 3601)
        _put(record, 88, round(altitude * 100.0), 15)

    def _write_motion(
        self, record: bytearray, context: SensorContext, carrier: int, pose: Floats, speed: float
    ) -> None:
        row, box = context.table[carrier], context.actor_struct(carrier).bounding_box
        stddev, bias = self._place_noise[3]
        heading = math.degrees(imu.compass_rad(pose)) + bias + stddev * float(self._rng.standard_normal())
        measured = max(speed + self._speed_stddev * float(self._rng.standard_normal()), 0.0)
        force = imu.specific_force_mps2(self._acceleration(), context.gravity, pose)
        force = force + self._accel_stddev * self._rng.standard_normal(3)
        stddev, bias = self._yaw_noise
        spin = float(np.radians(row["angular_velocity"][2])) + bias + stddev * float(self._rng.standard_normal())
        yaw_rate = round(math.degrees(spin) * 100.0)
        _put(record, 104, 1, round(heading * 10.0), 10)
        _put(record, 128, min(round(measured * 100.0), 16382), 3, 0 if speed >= 0.0 else 1)
        _put(record, 152, round(box.extent.x * 20.0), 4, round(box.extent.y * 20.0))
        _put(record, 176, _tenths(force[0]), 102, 30001, 7, 0)
        _put(record, 216, yaw_rate if abs(yaw_rate) <= 32766 else 32767, 8)
        record[272] = record[296] = 1
        _put(record, 280, _tenths(force[1]), 102)
        _put(record, 304, _tenths(force[2]), 102)

    def _acceleration(self) -> Floats:
        if len(self._past) < 3:
            return np.zeros(3)
        (t0, oldest), (t1, middle), (t2, newest) = self._past
        return imu.acceleration_mps2(newest, middle, oldest, interval_s(t1, t2), interval_s(t0, t1))


def _put(record: bytearray, offset: int, *values: int) -> None:
    struct.pack_into(f"<{len(values)}q", record, offset, *values)


def _tenths(acceleration_mps2: float) -> int:
    """Return an acceleration in 0.1 m/s^2; 161 is "unavailable"."""
    value = float(acceleration_mps2) * 10.0
    return round(value) if -160.0 <= value <= 161.0 else 161

"""Bodies of the point and scalar sensors' messages: what follows the 48-byte header (protocol section 4.3)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from engine.protocol.structs import Actor, ActorDescription, BoundingBox
from foundation.ids import Tag

LIDAR_POINT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("intensity", "<f4")])
SEMANTIC_POINT = np.dtype(
    [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("cos", "<f4"), ("object_id", "<u4"), ("tag", "<u4")]
)
RADAR_DETECTION = np.dtype([("velocity", "<f4"), ("azimuth", "<f4"), ("altitude", "<f4"), ("depth", "<f4")])

_encode = msgspec.msgpack.Encoder().encode

SCENERY_TYPE_ID = {
    Tag.NONE: "static.unknown",
    Tag.ROADS: "static.road",
    Tag.SIDEWALKS: "static.sidewalk",
    Tag.BUILDINGS: "static.building",
    Tag.WALLS: "static.wall",
    Tag.FENCES: "static.fence",
    Tag.POLES: "static.pole",
    Tag.TRAFFIC_LIGHT: "static.trafficlight",
    Tag.TRAFFIC_SIGNS: "static.trafficsign",
    Tag.VEGETATION: "static.vegetation",
    Tag.TERRAIN: "static.terrain",
    Tag.CAR: "static.car",
    Tag.TRUCK: "static.truck",
    Tag.BUS: "static.bus",
    Tag.STATIC: "static.static",
    Tag.DYNAMIC: "static.dynamic",
    Tag.OTHER: "static.other",
    Tag.WATER: "static.water",
    Tag.ROAD_LINES: "static.roadline",
    Tag.GROUND: "static.ground",
    Tag.BRIDGE: "static.bridge",
    Tag.RAIL_TRACK: "static.railtrack",
    Tag.GUARD_RAIL: "static.guardrail",
}
"""CARLA's name of scenery: ``static.`` + the tag's name in lower case without a final s."""


def lidar_body(horizontal_angle_rad: float, points_per_channel: npt.ArrayLike, points: npt.NDArray) -> bytes:
    """Encode a lidar measurement.

    Args:
        horizontal_angle_rad: where the head stands after the step.
        points_per_channel: (C,) how many of ``points`` each channel contributed, highest channel first.
        points: (N,) :data:`LIDAR_POINT` or :data:`SEMANTIC_POINT`, grouped by channel.
    """
    counts = np.asarray(points_per_channel, dtype="<u4")
    if counts.sum() != len(points):
        raise ValueError(f"{counts.sum()} points counted over the channels, {len(points)} given")
    return struct.pack("<fI", horizontal_angle_rad, len(counts)) + counts.tobytes() + points.tobytes()


def radar_body(detections: npt.NDArray) -> bytes:
    """Encode (N,) :data:`RADAR_DETECTION`: m/s (negative approaching), rad, rad, m."""
    return detections.astype(RADAR_DETECTION, copy=False).tobytes()


def gnss_body(latitude_deg: float, longitude_deg: float, altitude_m: float) -> bytes:
    """Encode a position."""
    return _encode([latitude_deg, longitude_deg, altitude_m])


def imu_body(accelerometer_mps2: Sequence[float], gyroscope_radps: Sequence[float], compass_rad: float) -> bytes:
    """Encode an inertial measurement."""
    return _encode([[float(v) for v in accelerometer_mps2], [float(v) for v in gyroscope_radps], float(compass_rad)])


def collision_body(own: Actor, other: Actor, impulse_ns: Sequence[float]) -> bytes:
    """Encode a collision; the impulse is N s in world axes."""
    return _encode([own, other, [float(v) for v in impulse_ns]])


def obstacle_body(own: Actor, other: Actor, distance_m: float) -> bytes:
    """Encode an obstacle."""
    return _encode([own, other, float(distance_m)])


def scenery(tag: int) -> Actor:
    """Return what CARLA sends for scenery that was touched: actor 0 with a type id after its tag."""
    name = next((name for known, name in SCENERY_TYPE_ID.items() if known == tag), SCENERY_TYPE_ID[Tag.NONE])
    return Actor(
        id=0,
        parent_id=0,
        description=ActorDescription(uid=0, id=name, attributes=()),
        bounding_box=BoundingBox(),
        semantic_tags=bytes([tag]),
        stream_token=b"",
    )

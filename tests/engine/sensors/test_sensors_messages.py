"""Message bodies byte by byte, as section 4.3 of the protocol lays them out."""

from __future__ import annotations

import struct

import msgpack
import numpy as np
import pytest

from engine.protocol.structs import Actor, ActorDescription, BoundingBox, Location, Vector3D
from engine.sensors import messages
from foundation.ids import Tag


def test_lidar_is_angle_channels_counts_and_16_byte_points():
    points = np.array([(1, 2, 3, 0.5), (4, 5, 6, 0.25), (7, 8, 9, 1)], dtype=np.float32).view(messages.LIDAR_POINT)[
        :, 0
    ]
    body = messages.lidar_body(1.5, [2, 0, 1], points)
    assert body == struct.pack("<fI3I12f", 1.5, 3, 2, 0, 1, 1, 2, 3, 0.5, 4, 5, 6, 0.25, 7, 8, 9, 1)


def test_semantic_lidar_points_have_24_bytes():
    points = np.array([(1, 2, 3, 0.5, 4000000000, 14)], dtype=messages.SEMANTIC_POINT)
    assert messages.lidar_body(0.0, [1], points) == struct.pack("<fII4fII", 0, 1, 1, 1, 2, 3, 0.5, 4000000000, 14)


def test_counts_must_add_up():
    with pytest.raises(ValueError, match="2 points counted"):
        messages.lidar_body(0.0, [2], np.zeros(3, dtype=messages.LIDAR_POINT))


def test_radar_is_velocity_azimuth_altitude_depth():
    detections = np.array([(-5, 0.1, 0.2, 30), (1, 2, 3, 4)], dtype=messages.RADAR_DETECTION)
    assert messages.radar_body(detections) == struct.pack("<8f", -5, 0.1, 0.2, 30, 1, 2, 3, 4)
    assert messages.radar_body(detections[:0]) == b""


def test_gnss_and_imu_are_msgpack_arrays():
    assert messages.gnss_body(42.5, 2.25, 10.0) == b"\x93" + b"".join(
        b"\xcb" + struct.pack(">d", value) for value in (42.5, 2.25, 10.0)
    )
    body = messages.imu_body(np.array([1.0, 2, 9.81]), np.array([0.1, 0, 0]), np.float64(1.5))
    assert msgpack.unpackb(body) == [[1.0, 2.0, 9.81], [0.1, 0.0, 0.0], 1.5]


def test_collision_and_obstacle_carry_two_whole_actors():
    own = Actor(
        7, 0, ActorDescription(3, "vehicle.audi.tt"), BoundingBox(Location(0, 0, 1), Vector3D(2, 1, 1)), b"\x0e", b""
    )
    body = msgpack.unpackb(messages.collision_body(own, messages.scenery(Tag.SIDEWALKS), (1, 2, 3)))
    no_rotation, nowhere = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    assert body[0] == [
        7, 0, [3, "vehicle.audi.tt", []], [[0, 0, 1], [2, 1, 1], no_rotation, 0], b"\x0e", b""
    ]  # fmt: skip
    assert body[1] == [0, 0, [0, "static.sidewalk", []], [nowhere, nowhere, no_rotation, 0], b"\x02", b""]
    assert body[2] == [1.0, 2.0, 3.0]
    assert msgpack.unpackb(messages.obstacle_body(own, own, 2.5))[2] == 2.5


@pytest.mark.parametrize(
    ("tag", "name"),
    [(Tag.ROADS, "static.road"), (Tag.SIDEWALKS, "static.sidewalk"), (Tag.BUILDINGS, "static.building"),
     (Tag.POLES, "static.pole"), (Tag.GUARD_RAIL, "static.guardrail"), (Tag.NONE, "static.unknown"),
     (200, "static.unknown")],
)  # fmt: skip
def test_scenery_is_named_as_carla_names_it(tag, name):
    assert messages.scenery(tag).description.id == name
    assert messages.scenery(tag).id == 0

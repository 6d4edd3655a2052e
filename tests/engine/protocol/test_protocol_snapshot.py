"""The snapshot, byte by byte at the offsets that were verified against the genuine client."""

import struct

import numpy as np
import pytest

from engine.protocol.errors import RemoteProtocolError
from engine.protocol.snapshot import LIGHT_DTYPE, RECORD_BYTES, SnapshotEncoder, decode_snapshot
from engine.state import ActorTable, Kind


@pytest.fixture
def table():
    table = ActorTable(2)
    vehicle = table.add(7, Kind.VEHICLE)
    for name, value in {
        "location": (1.5, 2.5, 3.5),
        "rotation": (10.0, 20.0, 30.0),
        "velocity": (4.0, 5.0, 6.0),
        "angular_velocity": (7.0, 8.0, 9.0),
        "acceleration": (0.5, 0.25, 0.125),
        "throttle": 0.5,
        "steer": -0.25,
        "brake": 0.75,
        "hand_brake": 1,
        "reverse": 1,
        "manual": 1,
        "gear": -1,
        "speed_limit": 50.0,
        "light_state": 2,
        "has_light": 1,
        "light_id": 99,
        "failure": 3,
    }.items():
        vehicle[name] = value
    walker = table.add(8, Kind.WALKER)
    walker["walk_direction"], walker["walk_speed"], walker["jump"] = (0.0, 1.0, 0.0), 1.25, 1
    table.add(9, Kind.TRAFFIC_LIGHT)
    table.add(10, Kind.SENSOR)
    return table


@pytest.fixture
def lights():
    lights = np.zeros(1, LIGHT_DTYPE)
    lights[0] = (9, b"signal 12", 10.0, 3.0, 2.0, 4.5, 6, 1, 1)
    return lights


def encode(table, lights, **changes):
    encoder = SnapshotEncoder()
    encoder.arrange(table.rows, lights)
    values = {"frame": 41, "elapsed_s": 2.05, "delta_s": 0.05, "episode": 3, "platform_s": 1.25, "flags": 1} | changes
    return encoder, encoder.encode(rows=table.rows, signals=lights, **values)


def test_head_layout(table, lights):
    _, message = encode(table, lights)
    assert struct.unpack_from("<I", message) == (len(message) - 4,)
    payload = message[4:]
    assert struct.unpack_from("<QQd6f", payload) == (17, 41, 2.05, 0, 0, 0, 0, 0, 0)
    episode, platform, delta, x, y, z, flags = struct.unpack_from("<QdfiiiI", payload, 48)
    assert (episode, platform, x, y, z, flags) == (3, 1.25, 0, 0, 0, 1)
    assert delta == np.float32(0.05)
    assert len(payload) == 48 + 36 + 4 * 119
    assert RECORD_BYTES == 119


def test_vehicle_record_layout(table, lights):
    record = encode(table, lights)[1][4 + 84 :][:119]
    assert struct.unpack_from("<IB", record) == (7, 1)
    assert struct.unpack_from("<15f", record, 5) == (
        1.5, 2.5, 3.5, 10, 20, 30, 4, 5, 6, 7, 8, 9, 0.5, 0.25, 0.125,
    )  # fmt: skip
    union = record[65:]
    assert struct.unpack_from("<3f", union) == (0.5, -0.25, 0.75)
    assert tuple(union[12:15]) == (1, 1, 1)
    assert struct.unpack_from("<if", union, 15) == (-1, 50.0)
    assert struct.unpack_from("<BBIB", union, 23) == (2, 1, 99, 3)
    assert union[30:] == bytes(24)


def test_walker_light_and_sensor_records(table, lights):
    body = encode(table, lights)[1][4 + 84 :]
    walker, light, sensor = (body[119 * n : 119 * (n + 1)] for n in (1, 2, 3))
    assert struct.unpack_from("<4fB", walker, 65) == (0.0, 1.0, 0.0, 1.25, 1)
    assert walker[65 + 17 :] == bytes(37)
    assert light[65:97] == b"signal 12".ljust(32, b"\0")
    assert struct.unpack_from("<4fIBB", light, 97) == (10.0, 3.0, 2.0, 4.5, 6, 1, 1)
    assert sensor[:5] == struct.pack("<IB", 10, 1)
    assert sensor[65:] == bytes(54)


def test_the_buffer_is_reused_but_messages_are_not_shared(table, lights):
    encoder, first = encode(table, lights)
    kept = bytes(first)
    table[7]["location"] = (100.0, 0.0, 0.0)
    lights["elapsed_time"] = 9.0
    second = encoder.encode(
        rows=table.rows, signals=lights, frame=42, elapsed_s=2.1, delta_s=0.05, episode=3, platform_s=1.3
    )
    assert first == kept
    _, records = decode_snapshot(second[4:])
    assert records["location"][0].tolist() == [100.0, 0.0, 0.0]


def test_decoding_gives_back_what_was_encoded(table, lights):
    head, records = decode_snapshot(encode(table, lights, frame=77, flags=3)[1][4:])
    assert (head.episode, head.flags) == (3, 3)
    assert records["id"].tolist() == [7, 8, 9, 10]
    assert records["speed_limit"][0] == 50.0
    with pytest.raises(RemoteProtocolError):
        decode_snapshot(b"x" * 100)


def test_an_empty_world_has_a_snapshot(lights):
    _, message = encode(ActorTable(), lights[:0])
    assert len(message) == 4 + 84

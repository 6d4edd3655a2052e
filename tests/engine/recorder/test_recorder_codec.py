"""The ``.log`` format: byte layouts, round trips, files that were cut off, and rubbish."""

from __future__ import annotations

import struct
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol.structs import (
    GearPhysicsControl,
    Location,
    Vector2D,
    Vector3D,
    VehiclePhysicsControl,
    WheelPhysicsControl,
)
from engine.recorder import codec, records
from engine.recorder.codec import (
    NotARecording,
    RecordingError,
    decode_frame,
    decode_info,
    encode_frame,
    encode_info,
    scan,
)
from engine.recorder.records import (
    Attribute,
    Bone,
    Creation,
    Frame,
    Info,
    PacketId,
    PhysicsControl,
    WalkerBones,
    Wheels,
)

SINGLE = st.floats(width=32, allow_nan=False)
DOUBLE = st.floats(allow_nan=False)
ID = st.integers(0, 2**32 - 1)
TEXT = st.text(max_size=12)
TRIPLE = st.tuples(SINGLE, SINGLE, SINGLE)
CURVE = st.lists(st.builds(Vector2D, SINGLE, SINGLE), max_size=3).map(tuple)


def array(dtype):
    """Arrays of any bytes: whatever a field holds must survive."""
    size = dtype.itemsize
    return st.binary(max_size=3 * size).map(lambda data: np.frombuffer(data[: len(data) // size * size], dtype))


CREATION = st.builds(
    Creation,
    ID,
    st.integers(0, 255),
    TRIPLE,
    TRIPLE,
    ID,
    TEXT,
    st.lists(st.builds(Attribute, st.integers(0, 255), TEXT, TEXT), max_size=3).map(tuple),
)
WHEELS = st.builds(Wheels, ID, st.lists(st.tuples(st.integers(0, 255), SINGLE, SINGLE), max_size=4).map(tuple))
BONES = st.builds(WalkerBones, ID, st.lists(st.builds(Bone, TEXT, TRIPLE, TRIPLE), max_size=3).map(tuple))
TYRE = st.builds(WheelPhysicsControl, *[SINGLE] * 9, position=st.builds(Vector3D, SINGLE, SINGLE, SINGLE))
CONTROL = st.builds(
    VehiclePhysicsControl,
    torque_curve=CURVE,
    max_rpm=SINGLE,
    use_gear_autobox=st.booleans(),
    mass=SINGLE,
    center_of_mass=st.builds(Location, SINGLE, SINGLE, SINGLE),
    damping_rate_full_throttle=SINGLE,
    damping_rate_zero_throttle_clutch_engaged=SINGLE,
    damping_rate_zero_throttle_clutch_disengaged=SINGLE,
    clutch_strength=SINGLE,
    drag_coefficient=SINGLE,
    forward_gears=st.lists(st.builds(GearPhysicsControl, SINGLE, SINGLE, SINGLE), max_size=3).map(tuple),
    steering_curve=CURVE,
    wheels=st.lists(TYRE, max_size=4).map(tuple),
)


@st.composite
def frames(draw):
    additional = draw(st.booleans())
    frame = Frame(draw(st.integers(0, 2**64 - 1)), draw(DOUBLE), draw(DOUBLE), additional=additional)
    frame.visual_time_s = draw(st.none() | DOUBLE)
    frame.frame_counter = draw(st.none() | st.integers(0, 2**64 - 1))
    frame.created = draw(st.lists(CREATION, max_size=2).map(tuple))
    frame.wheels = draw(st.lists(WHEELS, max_size=2).map(tuple))
    for packet, (name, dtype) in codec._ARRAYS.items():
        if additional or packet not in (
            PacketId.KINEMATICS, PacketId.BOUNDING_BOX, PacketId.TRIGGER_VOLUME, PacketId.TRAFFIC_LIGHT_TIME
        ):  # fmt: skip
            setattr(frame, name, draw(array(dtype)))
    if additional:
        frame.platform_time_s = draw(st.none() | DOUBLE)
        frame.bones = draw(st.lists(BONES, max_size=2).map(tuple))
        controls = st.lists(st.builds(PhysicsControl, ID, CONTROL), max_size=2).map(tuple)
        frame.physics_controls = draw(controls)
    return frame


def file_of(*some, name="Town"):
    return encode_info(Info(name, 1_700_000_000)) + b"".join(map(encode_frame, some))


def same(one, two):
    for part in fields(Frame):
        a, b = getattr(one, part.name), getattr(two, part.name)
        if isinstance(a, np.ndarray):
            # Bytes, for the numbers in them may be not-a-number.
            assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes()), part.name
        else:
            assert a == b, part.name


@settings(max_examples=30, deadline=None)
@given(st.lists(frames(), max_size=3), TEXT, st.integers(-(2**63), 2**63 - 1))
def test_round_trip(some, name, date):
    data = encode_info(Info(name, date)) + b"".join(map(encode_frame, some))
    info, at = decode_info(data)
    assert (info.map_name, info.date, info.version) == (name, date, 1)
    spans, end = scan(data, at)
    assert end == len(data)
    assert [span.number for span in spans] == [frame.number for frame in some]
    for span, frame in zip(spans, some):
        found = decode_frame(data, span)
        same(found, frame)
        assert encode_frame(found) == data[span.start : span.end]


@settings(max_examples=25, deadline=None)
@given(st.lists(frames(), min_size=1, max_size=2), st.data())
def test_a_file_that_was_cut_off_gives_its_whole_frames(some, data):
    whole = file_of(*some)
    _, at = decode_info(whole)
    ends = [span.end for span in scan(whole, at)[0]]
    size = data.draw(st.integers(0, len(whole)))
    if size < at:
        with pytest.raises(NotARecording):
            decode_info(whole[:size])
        return
    spans, end = scan(whole[:size], at)
    assert [span.end for span in spans] == [known for known in ends if known <= size]
    assert end == max([at, *(known for known in ends if known <= size)])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_rubbish_is_told_as_such(data):
    with pytest.raises(NotARecording, match="File is not a CARLA recorder"):
        decode_info(data)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_end_in_frames_or_in_a_recording_error(data):
    whole = bytearray(file_of(data.draw(frames()), Frame(2, 0.1)))
    _, at = decode_info(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(at, len(whole) - 1))] = data.draw(st.integers(0, 255))
    spans, end = scan(whole, at)
    assert end <= len(whole)
    for span in spans:
        try:
            decode_frame(whole, span)
        except RecordingError:
            continue


def test_the_head_is_laid_out_as_in_carla():
    expected = struct.pack("<HH", 1, 14) + b"CARLA_RECORDER" + struct.pack("<qH", 1_700_000_000, 6) + b"Town06"
    assert encode_info(Info("Town06", 1_700_000_000)) == expected


def test_a_frame_is_laid_out_as_in_carla():
    frame = Frame(1, 0.0, visual_time_s=2.5)
    frame.deleted = np.array([100, 101], records.DELETION)
    frame.positions = np.array([(7, (1.0, 2.0, 3.0), (4.0, 5.0, 6.0))], records.POSITION)
    frame.states = np.array([(3, 1, 0.5, 2)], records.STATE)
    frame.vehicles = np.array([(7, 0.25, 0.5, 0.75, 1, -1)], records.ANIM_VEHICLE)
    frame.collisions = np.array([(0, 7, 0xFFFFFFFF, 1, 0)], records.COLLISION)
    empty = struct.pack("<IH", 2, 0)
    expected = b"".join(
        [
            struct.pack("<BIQdd", 0, 24, 1, -1.0, 0.0),
            struct.pack("<BId", 20, 8, 2.5),
            b"\x02" + empty,
            struct.pack("<BIHII", 3, 10, 2, 100, 101),
            b"\x04" + empty,
            struct.pack("<BIHIIIBB", 5, 16, 1, 0, 7, 0xFFFFFFFF, 1, 0),
            struct.pack("<BIHI6f", 6, 30, 1, 7, 1, 2, 3, 4, 5, 6),
            struct.pack("<BIHIBfB", 7, 12, 1, 3, 1, 0.5, 2),
            struct.pack("<BIHIfffBi", 8, 23, 1, 7, 0.25, 0.5, 0.75, 1, -1),
            b"\x09" + empty,
            b"\x0a" + empty,
            b"\x16" + empty,
            b"\x17" + empty,
            struct.pack("<BI", 1, 0),
        ]
    )
    assert encode_frame(frame) == expected
    assert expected[codec.DURATION_AT :][:8] == struct.pack("<d", -1.0)


def test_a_creation_is_laid_out_as_in_carla():
    item = Creation(9, 1, (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), 55, "vehicle.x", (Attribute(4, "role_name", "hero"),))
    assert item.is_hero
    data = encode_frame(Frame(1, 0.0, created=(item,)))
    body = struct.pack("<IB6fI", 9, 1, 1, 2, 3, 4, 5, 6, 55) + struct.pack("<H", 9) + b"vehicle.x"
    body += struct.pack("<HBH", 1, 4, 9) + b"role_name" + struct.pack("<H", 4) + b"hero"
    assert struct.pack("<BIH", 2, 2 + len(body), 1) + body in data


def test_packets_of_other_versions_are_skipped():
    head = encode_info(Info("Town", 0))
    strange = struct.pack("<BI", 200, 3) + b"abc"
    plain = encode_frame(Frame(1, 0.0))
    data = head + plain[:-5] + strange + plain[-5:]
    spans, end = scan(data, len(head))
    assert (len(spans), end) == (1, len(data))
    same(decode_frame(data, spans[0]), Frame(1, 0.0))


def test_more_records_than_can_be_counted_are_refused():
    frame = Frame(1, 0.0, positions=np.zeros(70_000, records.POSITION))
    with pytest.raises(RecordingError, match="70000 records in packet position"):
        encode_frame(frame)

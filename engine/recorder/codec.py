"""Bytes to records and back: CARLA's ``.log`` format without any file.

A file is a head and then packets: id (1 byte), size of the data (uint32), data. A frame is everything from a
FRAME_START to its FRAME_END. Readers skip packets they do not know.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine.protocol.structs import (
    GearPhysicsControl,
    Location,
    Vector2D,
    Vector3D,
    VehiclePhysicsControl,
    WheelPhysicsControl,
)
from engine.recorder import records
from engine.recorder.records import (
    MAGIC,
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
from foundation.errors import RealityError

Buffer = bytes | bytearray | memoryview | mmap.mmap

_HEAD = struct.Struct("<BI")
_FRAME = struct.Struct("<Qdd")
_COUNT = struct.Struct("<H")
_LONG_COUNT = struct.Struct("<I")
_DOUBLE = struct.Struct("<d")
_COUNTER = struct.Struct("<Q")
_VECTOR = struct.Struct("<3f")
_CREATION = struct.Struct("<IB3f3fI")
_DATE = struct.Struct("<q")
_WHEEL = struct.Struct("<Bff")
_CONTROL = struct.Struct("<I5f?4f3f")
_PAIR = struct.Struct("<2f")
_TYRE = struct.Struct("<12f")

DURATION_AT = _HEAD.size + 8
"""Where in an encoded frame the duration stands: it is known, and written, only when the next frame comes."""
DURATION = _DOUBLE


class RecordingError(RealityError):
    """Bytes that are no recording, or the rest of one that was cut off."""


class NotARecording(RecordingError):
    """The head is not that of a recording; the text is CARLA's."""

    def __init__(self) -> None:
        super().__init__("File is not a CARLA recorder")


# --- reading ---------------------------------------------------------------------------------------------------


class Reader:
    """Takes values off a buffer, front to back.

    Args:
        data: the buffer.
        at, end: the part of it to read; ``end`` None reads to the end.
    """

    def __init__(self, data: Buffer, at: int = 0, end: int | None = None) -> None:
        self._data = memoryview(data)
        self.at = at
        self.end = len(self._data) if end is None else end

    def take(self, size: int) -> memoryview:
        """Return the next ``size`` bytes.

        Raises:
            RecordingError: there are not so many.
        """
        if size > self.end - self.at:
            raise RecordingError(f"{size} bytes expected at byte {self.at}, {self.end - self.at} are there")
        taken = self._data[self.at : self.at + size]
        self.at += size
        return taken

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        """Return the next values of a form."""
        return form.unpack(self.take(form.size))

    def count(self) -> int:
        """Return the next uint16."""
        return int(self.unpack(_COUNT)[0])

    def text(self) -> str:
        """Return the next text: its length in bytes, then UTF-8."""
        return str(self.take(self.count()), "utf-8", "replace")

    def array(self, dtype: np.dtype) -> npt.NDArray:
        """Return the next records of one size, preceded by their number; a copy, so files may be closed."""
        total = self.count()
        return np.frombuffer(self.take(total * dtype.itemsize), dtype).copy()

    def many(self, form: struct.Struct) -> list[tuple[Any, ...]]:
        """Return the next values of one form, preceded by their number as uint32."""
        (total,) = self.unpack(_LONG_COUNT)
        return list(form.iter_unpack(self.take(total * form.size)))


def decode_info(data: Buffer) -> tuple[Info, int]:
    """Return the head of a file and where its packets begin.

    Raises:
        NotARecording: these bytes are no head of one.
    """
    reader = Reader(data)
    try:
        version = reader.count()
        if reader.count() != len(MAGIC) or reader.take(len(MAGIC)) != MAGIC.encode():
            raise NotARecording
        (date,) = reader.unpack(_DATE)
        return Info(reader.text(), date, version), reader.at
    except NotARecording:
        raise
    except RecordingError as error:
        raise NotARecording from error


@dataclass(frozen=True, slots=True)
class FrameSpan:
    """Where a frame lies in a file: ``start`` of its FRAME_START packet, ``end`` after its FRAME_END."""

    number: int
    elapsed_s: float
    duration_s: float
    start: int
    end: int


def scan(data: Buffer, at: int) -> tuple[list[FrameSpan], int]:
    """Find the whole frames of a file.

    Args:
        at: where its packets begin.

    Returns:
        The frames, and where the last whole one ends: less than the file's size when it was cut off or what
        follows is no recording.
    """
    view, spans = memoryview(data), []
    size, whole = len(view), at
    begun: tuple[int, tuple[int, float, float]] | None = None
    while at + _HEAD.size <= size:
        kind, length = _HEAD.unpack_from(view, at)
        following = at + _HEAD.size + length
        if following > size:
            break
        if kind == PacketId.FRAME_START:
            if begun is not None or length != _FRAME.size:
                break
            begun = at, _FRAME.unpack_from(view, at + _HEAD.size)
        elif begun is None or (kind == PacketId.FRAME_END and length):
            break
        elif kind == PacketId.FRAME_END:
            start, (number, duration, elapsed) = begun
            spans.append(FrameSpan(number, elapsed, duration, start, following))
            begun, whole = None, following
        at = following
    return spans, whole


def packets(data: Buffer, span: FrameSpan) -> Iterator[tuple[int, Reader]]:
    """Yield the packets of a whole frame: id and a reader of the data."""
    view, at = memoryview(data), span.start
    while at < span.end:
        kind, length = _HEAD.unpack_from(view, at)
        at += _HEAD.size
        yield kind, Reader(view, at, at + length)
        at += length


def decode_frame(data: Buffer, span: FrameSpan, only: Collection[PacketId] | None = None) -> Frame:
    """Return a frame.

    Args:
        only: packets to decode; None decodes all that are known.

    Raises:
        RecordingError: a packet's data do not fit its id.
    """
    frame = Frame(span.number, span.elapsed_s, span.duration_s)
    for kind, reader in packets(data, span):
        decode = _DECODE.get(kind)
        if decode is None or (only is not None and kind not in only):
            continue
        name, take = decode
        setattr(frame, name, take(reader))
        if kind == PacketId.KINEMATICS:
            frame.additional = True
        if reader.at != reader.end:
            label = PacketId(kind).name.lower()
            raise RecordingError(f"frame {span.number}: {reader.end - reader.at} bytes too many in packet {label}")
    return frame


def _creations(reader: Reader) -> tuple[Creation, ...]:
    found = []
    for _ in range(reader.count()):
        identity, kind, x, y, z, roll, pitch, yaw, uid = reader.unpack(_CREATION)
        type_id = reader.text()
        attributes = tuple(
            Attribute(int(reader.take(1)[0]), reader.text(), reader.text()) for _ in range(reader.count())
        )
        found.append(Creation(identity, kind, (x, y, z), (roll, pitch, yaw), uid, type_id, attributes))
    return tuple(found)


def _wheels(reader: Reader) -> tuple[Wheels, ...]:
    return tuple(
        Wheels(reader.unpack(_LONG_COUNT)[0], tuple(reader.many(_WHEEL)))  # type: ignore[arg-type]
        for _ in range(reader.count())
    )


def _bones(reader: Reader) -> tuple[WalkerBones, ...]:
    walkers = []
    for _ in range(reader.count()):
        (identity,) = reader.unpack(_LONG_COUNT)
        bones = tuple(
            Bone(reader.text(), reader.unpack(_VECTOR), reader.unpack(_VECTOR))  # type: ignore[arg-type]
            for _ in range(reader.count())
        )
        walkers.append(WalkerBones(identity, bones))
    return tuple(walkers)


def _physics_controls(reader: Reader) -> tuple[PhysicsControl, ...]:
    found = []
    for _ in range(reader.count()):
        identity, max_rpm, moi, full, engaged, free, autobox, clutch, final, mass, drag, x, y, z = reader.unpack(
            _CONTROL
        )
        control = VehiclePhysicsControl(
            torque_curve=tuple(Vector2D(*pair) for pair in reader.many(_PAIR)),
            max_rpm=max_rpm,
            moi=moi,
            damping_rate_full_throttle=full,
            damping_rate_zero_throttle_clutch_engaged=engaged,
            damping_rate_zero_throttle_clutch_disengaged=free,
            use_gear_autobox=autobox,
            clutch_strength=clutch,
            final_ratio=final,
            mass=mass,
            drag_coefficient=drag,
            center_of_mass=Location(x, y, z),
            forward_gears=tuple(GearPhysicsControl(*gear) for gear in reader.many(_VECTOR)),
            steering_curve=tuple(Vector2D(*pair) for pair in reader.many(_PAIR)),
            wheels=tuple(_tyre(tyre) for tyre in reader.many(_TYRE)),
        )
        found.append(PhysicsControl(identity, control))
    return tuple(found)


def _tyre(values: tuple[Any, ...]) -> WheelPhysicsControl:
    *numbers, x, y, z = values
    names = WheelPhysicsControl.__struct_fields__
    return WheelPhysicsControl(**dict(zip(names, [*numbers, Vector3D(x, y, z)])))


def _double(reader: Reader) -> float:
    return float(reader.unpack(_DOUBLE)[0])


def _array(dtype: np.dtype) -> Callable[[Reader], npt.NDArray]:
    return lambda reader: reader.array(dtype)


_ARRAYS: dict[PacketId, tuple[str, np.dtype]] = {
    PacketId.EVENT_DEL: ("deleted", records.DELETION),
    PacketId.EVENT_PARENT: ("parented", records.PARENTING),
    PacketId.COLLISION: ("collisions", records.COLLISION),
    PacketId.VEHICLE_DOOR: ("doors", records.DOOR),
    PacketId.POSITION: ("positions", records.POSITION),
    PacketId.STATE: ("states", records.STATE),
    PacketId.ANIM_VEHICLE: ("vehicles", records.ANIM_VEHICLE),
    PacketId.ANIM_WALKER: ("walkers", records.ANIM_WALKER),
    PacketId.VEHICLE_LIGHT: ("vehicle_lights", records.VEHICLE_LIGHT),
    PacketId.SCENE_LIGHT: ("scene_lights", records.SCENE_LIGHT),
    PacketId.ANIM_BIKER: ("bikers", records.BIKER),
    PacketId.KINEMATICS: ("kinematics", records.KINEMATICS),
    PacketId.BOUNDING_BOX: ("boxes", records.BOX),
    PacketId.TRIGGER_VOLUME: ("triggers", records.BOX),
    PacketId.TRAFFIC_LIGHT_TIME: ("light_times", records.LIGHT_TIME),
}
"""Packets that are an array of records."""

_DECODE: dict[int, tuple[str, Callable[[Reader], Any]]] = {
    PacketId.VISUAL_TIME: ("visual_time_s", _double),
    PacketId.PLATFORM_TIME: ("platform_time_s", _double),
    PacketId.FRAME_COUNTER: ("frame_counter", lambda reader: int(reader.unpack(_COUNTER)[0])),
    PacketId.EVENT_ADD: ("created", _creations),
    PacketId.ANIM_VEHICLE_WHEELS: ("wheels", _wheels),
    PacketId.WALKER_BONES: ("bones", _bones),
    PacketId.PHYSICS_CONTROL: ("physics_controls", _physics_controls),
    **{packet: (name, _array(dtype)) for packet, (name, dtype) in _ARRAYS.items()},
}


# --- writing ---------------------------------------------------------------------------------------------------


def encode_info(info: Info) -> bytes:
    """Return the head of a file."""
    return _COUNT.pack(info.version) + _text(info.magic) + _DATE.pack(info.date) + _text(info.map_name)


def encode_frame(frame: Frame) -> bytes:
    """Return a frame's packets, in CARLA's order.

    As in CARLA, some packets are there even when empty, and some only when they have something to say.

    Raises:
        RecordingError: more records than the format can count (65535 of a kind).
    """
    start = _FRAME.pack(frame.number, frame.duration_s, frame.elapsed_s)
    parts = [_packet(PacketId.FRAME_START, start)]
    if frame.visual_time_s is not None:
        parts.append(_packet(PacketId.VISUAL_TIME, _DOUBLE.pack(frame.visual_time_s)))
    if frame.frame_counter is not None:
        parts.append(_packet(PacketId.FRAME_COUNTER, _COUNTER.pack(frame.frame_counter)))
    parts.append(_counted(PacketId.EVENT_ADD, [_creation(item) for item in frame.created]))
    # CARLA writes an empty door packet, too; readers of the printed text (scenario_runner) stumble over it.
    parts += [
        _records(frame, packet) for packet in _BEFORE_WHEELS if packet != PacketId.VEHICLE_DOOR or len(frame.doors)
    ]
    if len(frame.scene_lights):
        parts.append(_records(frame, PacketId.SCENE_LIGHT))
    parts.append(_counted(PacketId.ANIM_VEHICLE_WHEELS, [_wheels_bytes(item) for item in frame.wheels]))
    parts.append(_records(frame, PacketId.ANIM_BIKER))
    if frame.additional:
        parts += _additional(frame)
    parts.append(_packet(PacketId.FRAME_END, b""))
    return b"".join(parts)


_BEFORE_WHEELS = (
    PacketId.EVENT_DEL,
    PacketId.EVENT_PARENT,
    PacketId.COLLISION,
    PacketId.VEHICLE_DOOR,
    PacketId.POSITION,
    PacketId.STATE,
    PacketId.ANIM_VEHICLE,
    PacketId.ANIM_WALKER,
    PacketId.VEHICLE_LIGHT,
)


def _additional(frame: Frame) -> list[bytes]:
    parts = [_records(frame, PacketId.KINEMATICS), _records(frame, PacketId.BOUNDING_BOX)]
    if len(frame.triggers):
        parts.append(_records(frame, PacketId.TRIGGER_VOLUME))
    if frame.platform_time_s is not None:
        parts.append(_packet(PacketId.PLATFORM_TIME, _DOUBLE.pack(frame.platform_time_s)))
    if frame.physics_controls:
        parts.append(_counted(PacketId.PHYSICS_CONTROL, [_control_bytes(item) for item in frame.physics_controls]))
    if len(frame.light_times):
        parts.append(_records(frame, PacketId.TRAFFIC_LIGHT_TIME))
    parts.append(_counted(PacketId.WALKER_BONES, [_bones_bytes(item) for item in frame.bones]))
    return parts


def _packet(packet: PacketId, data: bytes) -> bytes:
    return _HEAD.pack(packet, len(data)) + data


def _total(packet: PacketId, count: int) -> bytes:
    if count > 0xFFFF:
        raise RecordingError(f"{count} records in packet {packet.name.lower()}; the format can count 65535")
    return _COUNT.pack(count)


def _records(frame: Frame, packet: PacketId) -> bytes:
    name, dtype = _ARRAYS[packet]
    array = np.ascontiguousarray(getattr(frame, name), dtype)
    return _packet(packet, _total(packet, len(array)) + array.tobytes())


def _counted(packet: PacketId, parts: Sequence[bytes]) -> bytes:
    return _packet(packet, _total(packet, len(parts)) + b"".join(parts))


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if len(data) > 0xFFFF:
        raise RecordingError(f"a text of {len(data)} bytes; the format can hold 65535")
    return _COUNT.pack(len(data)) + data


def _creation(item: Creation) -> bytes:
    parts = [_CREATION.pack(item.id, item.kind, *item.location, *item.rotation, item.uid), _text(item.type_id)]
    parts.append(_total(PacketId.EVENT_ADD, len(item.attributes)))
    for attribute in item.attributes:
        parts += [bytes([attribute.type]), _text(attribute.id), _text(attribute.value)]
    return b"".join(parts)


def _wheels_bytes(item: Wheels) -> bytes:
    wheels = b"".join(_WHEEL.pack(*wheel) for wheel in item.wheels)
    return _LONG_COUNT.pack(item.id) + _LONG_COUNT.pack(len(item.wheels)) + wheels


def _bones_bytes(item: WalkerBones) -> bytes:
    parts = [_LONG_COUNT.pack(item.id), _total(PacketId.WALKER_BONES, len(item.bones))]
    for bone in item.bones:
        parts += [_text(bone.name), _VECTOR.pack(*bone.location), _VECTOR.pack(*bone.rotation)]
    return b"".join(parts)


def _control_bytes(item: PhysicsControl) -> bytes:
    c = item.control
    center = msgspec.structs.astuple(c.center_of_mass)
    parts = [
        _CONTROL.pack(
            item.id,
            c.max_rpm,
            c.moi,
            c.damping_rate_full_throttle,
            c.damping_rate_zero_throttle_clutch_engaged,
            c.damping_rate_zero_throttle_clutch_disengaged,
            c.use_gear_autobox,
            c.clutch_strength,
            c.final_ratio,
            c.mass,
            c.drag_coefficient,
            *center,
        ),
        _many(_PAIR, [(point.x, point.y) for point in c.torque_curve]),
        _many(_VECTOR, [msgspec.structs.astuple(gear) for gear in c.forward_gears]),
        _many(_PAIR, [(point.x, point.y) for point in c.steering_curve]),
    ]
    tyres = []
    for wheel in c.wheels:
        *numbers, position = msgspec.structs.astuple(wheel)
        tyres.append((*numbers, position.x, position.y, position.z))
    parts.append(_many(_TYRE, tyres))
    return b"".join(parts)


def _many(form: struct.Struct, values: Sequence[Sequence[float]]) -> bytes:
    return _LONG_COUNT.pack(len(values)) + b"".join(form.pack(*value) for value in values)

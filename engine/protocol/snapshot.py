"""The world snapshot: 119-byte records written straight from the actor table's columns."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.protocol.errors import RemoteProtocolError
from engine.protocol.streams import HEADER_BYTES
from engine.state import ACTOR_DTYPE, Kind

WORLD_OBSERVER = 17
MAP_CHANGE = 1
PENDING_LIGHT_UPDATE = 2
RECORD_BYTES = 119

_COMMON = {
    "id": ("<u4", 0),
    "state": ("u1", 4),
    "location": (("<f4", 3), 5),
    "rotation": (("<f4", 3), 17),
    "velocity": (("<f4", 3), 29),
    "angular_velocity": (("<f4", 3), 41),
    "acceleration": (("<f4", 3), 53),
    "union": ("V54", 65),
}
_VEHICLE = {
    "throttle": ("<f4", 65),
    "steer": ("<f4", 69),
    "brake": ("<f4", 73),
    "hand_brake": ("u1", 77),
    "reverse": ("u1", 78),
    "manual": ("u1", 79),
    "gear": ("<i4", 80),
    "speed_limit": ("<f4", 84),
    "light_state": ("u1", 88),
    "has_light": ("u1", 89),
    "light_id": ("<u4", 90),
    "failure": ("u1", 94),
}
_WALKER = {"walk_direction": (("<f4", 3), 65), "walk_speed": ("<f4", 77), "jump": ("u1", 81)}
_LIGHT = {
    "sign_id": ("S32", 65),
    "green_time": ("<f4", 97),
    "yellow_time": ("<f4", 101),
    "red_time": ("<f4", 105),
    "elapsed_time": ("<f4", 109),
    "pole_index": ("<u4", 113),
    "frozen": ("u1", 117),
    "light_state": ("u1", 118),
}


def _dtype(*groups: Mapping[str, tuple[Any, int]]) -> np.dtype:
    fields = {name: entry for group in groups for name, entry in group.items()}
    return np.dtype(
        {
            "names": list(fields),
            "formats": [entry[0] for entry in fields.values()],
            "offsets": [entry[1] for entry in fields.values()],
            "itemsize": RECORD_BYTES,
        }
    )


VEHICLE_RECORD = _dtype(_COMMON, _VEHICLE)
WALKER_RECORD = _dtype(_COMMON, _WALKER)
LIGHT_RECORD = _dtype(_COMMON, _LIGHT)
"""Packed 119-byte records; the three differ in how they see the last 54 bytes."""


def _vehicle_bytes(size: int, start: int) -> np.dtype:
    """Return the view of a record as a vehicle's 30 bytes, "vehicle", that begin at ``start``."""
    return np.dtype({"names": ["vehicle"], "formats": ["V30"], "offsets": [start], "itemsize": size})


_ROW_FIELDS: Mapping[str, Any] = ACTOR_DTYPE.fields or {}
# The table keeps a vehicle's fields side by side, packed and in the wire's order: they are copied as one.
_RECORD_UNION = _vehicle_bytes(RECORD_BYTES, 65)
_ROW_UNION = _vehicle_bytes(ACTOR_DTYPE.itemsize, _ROW_FIELDS["throttle"][1])
if any(
    _ROW_FIELDS[name] != (np.dtype(form), offset - 65 + _ROW_FIELDS["throttle"][1])
    for name, (form, offset) in _VEHICLE.items()
):
    raise AssertionError("the actor table's columns do not lie as in the wire's vehicle record")

LIGHT_DTYPE = np.dtype(
    [
        ("id", "u4"),
        ("sign_id", "S32"),
        ("green_time", "f4"),
        ("yellow_time", "f4"),
        ("red_time", "f4"),
        ("elapsed_time", "f4"),
        ("pole_index", "u4"),
        ("frozen", "u1"),
        ("light_state", "u1"),
    ]
)
"""What a traffic light's or sign's record holds besides its pose; signs use ``id`` and ``sign_id`` only."""

_HEAD = struct.Struct("<I QQd6f QdfiiiI")
_HEAD_BYTES = 4 + HEADER_BYTES + 36
_BODY = struct.Struct("<QdfiiiI")


class SnapshotEncoder:
    """Encodes frames of one episode into one buffer that is reused while the set of actors stays the same.

    Call :meth:`arrange` whenever rows were added, removed or moved; :meth:`encode` once per frame.
    """

    def __init__(self) -> None:
        self._buffer = bytearray(_HEAD_BYTES)
        self._records: npt.NDArray = np.zeros(0, VEHICLE_RECORD)
        self._walkers = np.zeros(0, np.intp)
        self._vehicle_rows = np.zeros(0, np.intp)

    def arrange(self, rows: npt.NDArray, signals: npt.NDArray) -> None:
        """Lay out the records.

        Args:
            rows: (N,) rows of the actor table (``ACTOR_DTYPE``).
            signals: (M,) ``LIGHT_DTYPE`` records of all lights and signs; others' rows have no entry here.
        """
        self._buffer = bytearray(_HEAD_BYTES + RECORD_BYTES * len(rows))
        raw = np.frombuffer(self._buffer, dtype=np.uint8, offset=_HEAD_BYTES)
        self._records = raw.view(VEHICLE_RECORD)
        self._unions = raw.view(_RECORD_UNION)["vehicle"]
        self._as_walker = raw.view(WALKER_RECORD)
        self._as_light = raw.view(LIGHT_RECORD)
        kinds = rows["kind"]
        self._walkers = np.flatnonzero(kinds == Kind.WALKER)
        self._records["id"] = rows["id"]
        self._records["state"] = 1
        self._signal_rows = np.flatnonzero((kinds == Kind.TRAFFIC_LIGHT) | (kinds == Kind.TRAFFIC_SIGN))
        place = {int(identity): index for index, identity in enumerate(signals["id"])}
        ids = rows["id"][self._signal_rows]
        self._signal_index = np.array([place[int(identity)] for identity in ids], dtype=np.intp)
        self._vehicle_rows = np.flatnonzero(kinds == Kind.VEHICLE)
        self._as_light["sign_id"][self._signal_rows] = signals["sign_id"][self._signal_index]

    def encode(
        self,
        *,
        rows: npt.NDArray,
        signals: npt.NDArray,
        frame: int,
        elapsed_s: float,
        delta_s: float,
        episode: int,
        platform_s: float,
        flags: int = 0,
    ) -> bytes:
        """Return the framed message of one frame. ``rows`` must be in the order given to :meth:`arrange`."""
        records = self._records
        for name in ("location", "rotation", "velocity", "angular_velocity", "acceleration"):
            records[name] = rows[name]
        if len(self._vehicle_rows):
            self._unions[self._vehicle_rows] = rows.view(_ROW_UNION)["vehicle"][self._vehicle_rows]
        if len(self._walkers):
            walkers = rows[self._walkers]
            for name in _WALKER:
                self._as_walker[name][self._walkers] = walkers[name]
        if len(self._signal_rows):
            self._write_signals(signals)
        _HEAD.pack_into(
            self._buffer, 0, len(self._buffer) - 4, WORLD_OBSERVER, frame, elapsed_s, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
            episode, platform_s, delta_s, 0, 0, 0, flags,
        )  # fmt: skip
        return bytes(self._buffer)

    def _write_signals(self, signals: npt.NDArray) -> None:
        chosen = signals[self._signal_index]
        for name in _LIGHT:
            if name != "sign_id":
                self._as_light[name][self._signal_rows] = chosen[name]


class SnapshotHead:
    """The decoded 36-byte body header (tests and tools)."""

    def __init__(self, payload: bytes) -> None:
        if len(payload) < HEADER_BYTES + _BODY.size or (len(payload) - HEADER_BYTES - _BODY.size) % RECORD_BYTES:
            raise RemoteProtocolError(f"{len(payload)} bytes are no snapshot")
        values = _BODY.unpack_from(payload, HEADER_BYTES)
        self.episode, self.platform_s, self.delta_s = values[0], values[1], values[2]
        self.origin, self.flags = values[3:6], values[6]


def decode_snapshot(payload: bytes) -> tuple[SnapshotHead, npt.NDArray]:
    """Return a snapshot message's header and its (N,) records, seen as vehicles (view them as another kind)."""
    head = SnapshotHead(payload)
    return head, np.frombuffer(payload, dtype=VEHICLE_RECORD, offset=HEADER_BYTES + _BODY.size)

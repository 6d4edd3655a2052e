"""Stream transport: tokens, the subscription handshake, message framing and the sensor header."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from typing import NamedTuple

from engine.protocol.errors import LocalProtocolError, RemoteProtocolError

WORLD_STREAM = 1
"""Stream id of the world observer, fixed by CARLA."""

_TOKEN = struct.Struct("<IHBB16s")
_ID = struct.Struct("<I")
_HEADER = struct.Struct("<QQd6f")
HEADER_BYTES = _HEADER.size
TCP = 1
MAX_FRAME_BYTES = 0xFFFFFFFF


class Token(NamedTuple):
    """Where a stream can be fetched. ``address`` None: the host the client was built with."""

    stream_id: int
    port: int
    address: str | None = None


def encode_token(token: Token) -> bytes:
    """Return the 24 bytes of a token."""
    if token.address is None:
        kind, packed = 0, b""
    else:
        ip = ipaddress.ip_address(token.address)
        kind, packed = (1 if ip.version == 4 else 2), ip.packed
    return _TOKEN.pack(token.stream_id, token.port, TCP, kind, packed)


def decode_token(data: bytes) -> Token:
    """Read a token; RemoteProtocolError when it is none."""
    if len(data) != _TOKEN.size:
        raise RemoteProtocolError(f"a token has {_TOKEN.size} bytes, not {len(data)}")
    stream_id, port, protocol, kind, packed = _TOKEN.unpack(data)
    if protocol != TCP or kind not in (0, 1, 2):
        raise RemoteProtocolError(f"token with protocol {protocol} and address type {kind}")
    if kind == 0:
        return Token(stream_id, port)
    return Token(stream_id, port, str(ipaddress.ip_address(packed[:4] if kind == 1 else packed)))


class SubscriptionDecoder:
    """The client's whole side of a stream: four bytes, the stream id, then silence."""

    def __init__(self) -> None:
        self._data = b""
        self.stream_id: int | None = None

    def feed(self, data: bytes) -> int | None:
        """Feed bytes; return the stream id once, when it is complete.

        Raises:
            RemoteProtocolError: the client goes on talking after its subscription.
        """
        self._data += data
        if len(self._data) > _ID.size or (self.stream_id is not None and data):
            raise RemoteProtocolError("a subscriber sends 4 bytes and nothing more")
        if self.stream_id is None and len(self._data) == _ID.size:
            (self.stream_id,) = _ID.unpack(self._data)
            return self.stream_id
        return None


def encode_subscription(stream_id: int) -> bytes:
    """Return what a client sends after connecting."""
    return _ID.pack(stream_id)


def encode_frame(payload: bytes) -> bytes:
    """Return one stream message: length, then payload. An empty one would make the client reconnect."""
    if not 0 < len(payload) <= MAX_FRAME_BYTES:
        raise LocalProtocolError(f"a stream message has 1..{MAX_FRAME_BYTES} bytes, not {len(payload)}")
    return _ID.pack(len(payload)) + payload


class FrameDecoder:
    """Rebuild stream messages from bytes, however the network cut them (the client's side; tests and tools)."""

    def __init__(self, limit: int = 256 * 1024 * 1024) -> None:
        self._buffer = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the payloads that ``data`` completes; RemoteProtocolError above the limit."""
        self._buffer += data
        while len(self._buffer) >= _ID.size:
            (length,) = _ID.unpack_from(self._buffer)
            if length > self._limit:
                raise RemoteProtocolError(f"message of {length} bytes, limit {self._limit}")
            if len(self._buffer) < _ID.size + length:
                return
            payload = bytes(self._buffer[_ID.size : _ID.size + length])
            del self._buffer[: _ID.size + length]
            yield payload


class SensorHeader(NamedTuple):
    """The 48 bytes before every sensor's data. Location in metres, rotation (pitch, yaw, roll) in degrees."""

    type_index: int
    frame: int
    timestamp: float
    location: tuple[float, float, float]
    rotation: tuple[float, float, float]


def encode_header(header: SensorHeader) -> bytes:
    """Return the 48 bytes."""
    return _HEADER.pack(header.type_index, header.frame, header.timestamp, *header.location, *header.rotation)


def decode_header(payload: bytes) -> SensorHeader:
    """Read the first 48 bytes of a message."""
    if len(payload) < HEADER_BYTES:
        raise RemoteProtocolError(f"a sensor message has at least {HEADER_BYTES} bytes, not {len(payload)}")
    index, frame, timestamp, x, y, z, pitch, yaw, roll = _HEADER.unpack_from(payload)
    return SensorHeader(index, frame, timestamp, (x, y, z), (pitch, yaw, roll))


def encode_sensor_message(header: SensorHeader, body: bytes) -> bytes:
    """Return a complete framed message of a sensor."""
    return b"".join((_ID.pack(HEADER_BYTES + len(body)), encode_header(header), body))

"""msgpack-rpc as rpclib speaks it: bare msgpack objects back to back, no length prefix.

A request is ``[0, msgid, method, params]`` with ``params[0]`` the metadata ``[is_async]``; a response is
``[1, msgid, error, result]``. CARLA wraps results once more, see the helpers at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgpack
import msgspec

from engine.protocol.errors import LocalProtocolError, RemoteProtocolError

MAX_MESSAGE_BYTES = 128 * 1024 * 1024
"""Largest request. A 4096 x 4096 texture as float colours is the largest a client sends."""
MAX_ELEMENTS = 1 << 24
MAX_METHOD_CHARS = 256

_REQUEST = 0
_RESPONSE = 1
_encoder = msgspec.msgpack.Encoder()


class Request(NamedTuple):
    """One call. ``arguments`` are the parameters after the metadata, as plain msgpack values."""

    msgid: int
    method: str
    is_async: bool
    arguments: list[Any]


class Reply(NamedTuple):
    """One response, as the client's side reads it."""

    msgid: int
    error: Any
    result: Any


def _unpacker(limit: int) -> msgpack.Unpacker:
    return msgpack.Unpacker(
        raw=False,
        unicode_errors="surrogateescape",
        strict_map_key=False,
        max_buffer_size=limit,
        max_array_len=min(MAX_ELEMENTS, limit),
    )


class _ObjectDecoder:
    """Rebuild msgpack objects from a byte stream, however the network cut it.

    Args:
        limit: largest message in bytes; no more than this is ever buffered.
    """

    def __init__(self, limit: int = MAX_MESSAGE_BYTES) -> None:
        self._unpacker = _unpacker(limit)
        self._idle = True

    def objects(self, data: bytes) -> Iterator[Any]:
        """Feed bytes and yield every object they complete.

        Raises:
            RemoteProtocolError: the bytes are no msgpack, or too much of it.
        """
        try:
            # An rpc message is an array of four; anything else is refused at its first byte, before it can grow.
            if self._idle and data and data[0] != 0x94:
                raise RemoteProtocolError(f"a message starts with byte 0x{data[0]:02x}, an rpc array with 0x94")
            self._unpacker.feed(data)
            self._idle = False
            yield from self._unpacker
        except RemoteProtocolError:
            raise
        except (ValueError, TypeError, RecursionError, MemoryError, OverflowError) as error:
            # msgpack's own errors (format, stack, buffer and length limits) are ValueErrors.
            raise RemoteProtocolError(f"not msgpack-rpc: {error or type(error).__name__}") from error
        except msgpack.exceptions.UnpackException as error:
            raise RemoteProtocolError(f"not msgpack-rpc: {error or type(error).__name__}") from error


class RequestDecoder(_ObjectDecoder):
    """Turns a client's bytes into :class:`Request` values."""

    def feed(self, data: bytes) -> Iterator[Request]:
        """Yield the requests that ``data`` completes.

        Raises:
            RemoteProtocolError: the bytes are not requests; the decoder is of no more use.
        """
        for message in self.objects(data):
            yield _request(message)


class ReplyDecoder(_ObjectDecoder):
    """Turns a server's bytes into :class:`Reply` values (tests and tools)."""

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Yield the replies that ``data`` completes; RemoteProtocolError when they are none."""
        for message in self.objects(data):
            if not isinstance(message, list) or len(message) != 4 or message[0] != _RESPONSE:
                raise RemoteProtocolError(f"not an rpc response: {_shown(message)}")
            yield Reply(message[1], message[2], message[3])


def _request(message: Any) -> Request:
    if type(message) is not list or len(message) != 4 or message[0] != _REQUEST or type(message[0]) is not int:
        raise RemoteProtocolError(f"not an rpc request: {_shown(message)}")
    _, msgid, method, params = message
    if type(msgid) is not int or not 0 <= msgid <= 0xFFFFFFFF:
        raise RemoteProtocolError(f"message id is no u32: {_shown(msgid)}")
    if type(method) is not str or len(method) > MAX_METHOD_CHARS:
        raise RemoteProtocolError(f"method is no name: {_shown(method)}")
    if type(params) is not list or not params or type(params[0]) is not list:
        raise RemoteProtocolError(f"{method}: parameters do not start with metadata: {_shown(params)}")
    metadata = params[0]
    return Request(msgid, method, bool(metadata[0]) if metadata else False, params[1:])


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def encode_request(msgid: int, method: str, *arguments: Any, is_async: bool = False) -> bytes:
    """Return the bytes of a call, as the client sends it."""
    return _pack([_REQUEST, msgid, method, [[is_async], *arguments]])


def encode_plain_request(msgid: int, method: str, *arguments: Any) -> bytes:
    """Return the bytes of a call to the client's traffic manager: its own server expects no metadata."""
    return _pack([_REQUEST, msgid, method, arguments])


def encode_reply(msgid: int, result: Any) -> bytes:
    """Return the bytes of a response. Errors travel inside ``result``: a client loses a filled error slot's text."""
    return _pack((_RESPONSE, msgid, None, result))


def _pack(message: Any) -> bytes:
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:
        # Text that was not UTF-8 when it came in is carried by surrogate escapes and goes out as the same bytes.
        plain = msgspec.to_builtins(message, builtin_types=(bytes,))
        packed: bytes = msgpack.packb(plain, unicode_errors="surrogateescape")
        return packed
    except TypeError as error:
        raise LocalProtocolError(f"cannot be sent: {error}") from error


# --- CARLA's wrapping of results (section 1.3) ---------------------------------------------------------------

VOID_OK = ((False,),)
"""Result of a call that returns nothing."""


def ok(value: Any) -> Any:
    """Wrap a result."""
    return ((1, value),)


def error(message: str) -> Any:
    """Wrap an error of a call that returns something; the client raises RuntimeError(message)."""
    return ((0, (message,)),)


def void_error(message: str) -> Any:
    """Wrap an error of a call that returns nothing."""
    return ((True, (message,)),)

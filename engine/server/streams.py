"""The stream port: who listens to what, and never waiting for ever for a slow one."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import cast

from engine.protocol.errors import RemoteProtocolError
from engine.protocol.streams import SubscriptionDecoder

_log = logging.getLogger(__name__)

HIGH_WATER_BYTES = 8 * 1024 * 1024
"""Synchronous mode: the next tick waits while a subscriber has more than this unsent."""
MAX_BACKLOG_BYTES = 256 * 1024 * 1024
"""A subscriber with more than this unsent is dropped, whatever the mode."""
HANDSHAKE_S = 10.0
MAX_SUBSCRIBERS = 2048
EXPECTED_S = 0.5
"""How long a synchronous tick waits for a subscription that a client has announced by asking for its token."""


class StreamHub:
    """All subscriptions of the stream port.

    Args:
        on_subscribe: called with (hub, connection's stream id) after a subscription; may publish at once.
        on_clear: called whenever a subscriber's buffer has drained or a subscriber has gone.
    """

    def __init__(self) -> None:
        self._subscribers: dict[int, list[StreamConnection]] = {}
        self._connections: set[StreamConnection] = set()
        self._expected: dict[int, list[asyncio.TimerHandle]] = {}
        self.drop_when_busy = True
        self.on_subscribe: Callable[[StreamConnection], None] = lambda connection: None
        self.on_clear: Callable[[], None] = lambda: None
        self.known: Callable[[int], bool] = lambda stream_id: True

    def connection(self) -> StreamConnection:
        """Return the protocol object of a new connection."""
        return StreamConnection(self)

    def listened(self, stream_id: int) -> bool:
        """Whether anyone listens to a stream."""
        return stream_id in self._subscribers

    def addresses(self, stream_id: int) -> list[tuple[str, int]]:
        """Return the subscribers' hosts and ports."""
        return [address(connection.peer) for connection in self._subscribers.get(stream_id, ())]

    def publish(self, stream_id: int, message: bytes) -> None:
        """Send a framed message to all subscribers of a stream.

        In asynchronous mode (``drop_when_busy``) a subscriber that has not taken the previous message yet misses
        this one, as in CARLA.
        """
        for connection in self._subscribers.get(stream_id, ()):
            connection.send(message, droppable=self.drop_when_busy)

    def expect(self, stream_id: int) -> None:
        """Reckon with a subscription that is on its way.

        ``sensor.listen()`` asks for the token and returns; the subscription follows on another socket. A tick that
        came first would leave that sensor's first frame out, which no program can see or wait for.
        """
        loop = asyncio.get_running_loop()
        waiting = self._expected.setdefault(stream_id, [])
        waiting.append(loop.call_later(EXPECTED_S, self._arrived, stream_id))

    def _arrived(self, stream_id: int) -> None:
        """An expected subscription has come, or it will not come any more."""
        waiting = self._expected.get(stream_id)
        if waiting:
            waiting.pop(0).cancel()
            if not waiting:
                del self._expected[stream_id]
            self.on_clear()

    def congested(self) -> bool:
        """Whether a subscriber is so far behind, or so surely on its way, that a synchronous tick shall wait."""
        return bool(self._expected) or any(connection.paused for connection in self._connections)

    def drop_stalled(self) -> None:
        """Cut off the subscribers that are behind: their deadline has passed."""
        for connection in [c for c in self._connections if c.paused]:
            _log.warning("stream %s: subscriber %s does not read; dropped", connection.stream_id, connection.peer)
            connection.abort()

    def close(self) -> None:
        """Cut all connections."""
        for waiting in self._expected.values():
            for timer in waiting:
                timer.cancel()
        self._expected.clear()
        for connection in list(self._connections):
            connection.abort()

    def _opened(self, connection: StreamConnection) -> bool:
        if len(self._connections) >= MAX_SUBSCRIBERS:
            _log.warning("more than %d stream connections; %s refused", MAX_SUBSCRIBERS, connection.peer)
            return False
        self._connections.add(connection)
        return True

    def _subscribed(self, connection: StreamConnection, stream_id: int) -> None:
        self._subscribers.setdefault(stream_id, []).append(connection)
        self.on_subscribe(connection)
        self._arrived(stream_id)

    def _closed(self, connection: StreamConnection) -> None:
        self._connections.discard(connection)
        if connection.stream_id is not None:
            left = self._subscribers.get(connection.stream_id, [])
            if connection in left:
                left.remove(connection)
            if not left:
                self._subscribers.pop(connection.stream_id, None)
        self.on_clear()


class StreamConnection(asyncio.Protocol):
    """One client on one stream."""

    def __init__(self, hub: StreamHub) -> None:
        self._hub = hub
        self._decoder = SubscriptionDecoder()
        self._transport: asyncio.Transport | None = None
        self._handshake: asyncio.TimerHandle | None = None
        self.stream_id: int | None = None
        self.paused = False
        self.peer: object = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the stream id, not for ever."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self.peer = transport.get_extra_info("peername")
        no_delay(transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_BYTES, low=HIGH_WATER_BYTES // 4)
        if not self._hub._opened(self):
            self._transport.abort()
            return
        self._handshake = asyncio.get_running_loop().call_later(HANDSHAKE_S, self.abort)

    def data_received(self, data: bytes) -> None:
        """Take the subscription; anything else is a stranger."""
        try:
            stream_id = self._decoder.feed(data)
        except RemoteProtocolError as error:
            _log.info("stream port: %s from %s", error, self.peer)
            self.abort()
            return
        if stream_id is None:
            return
        if self._handshake is not None:
            self._handshake.cancel()
        if not self._hub.known(stream_id):
            _log.info("stream port: %s asks for stream %d, which never was", self.peer, stream_id)
            self.abort()
            return
        self.stream_id = stream_id
        self._hub._subscribed(self, stream_id)

    def send(self, message: bytes, *, droppable: bool = False) -> None:
        """Send a framed message, or drop it when asked and the previous one is still on its way."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        waiting = transport.get_write_buffer_size()
        if waiting and droppable:
            return
        if waiting + len(message) > MAX_BACKLOG_BYTES:
            _log.warning("stream %s: %s is %d bytes behind; dropped", self.stream_id, self.peer, waiting)
            self.abort()
            return
        transport.write(message)

    def pause_writing(self) -> None:
        """The subscriber is behind."""
        self.paused = True

    def resume_writing(self) -> None:
        """The subscriber has caught up."""
        self.paused = False
        self._hub.on_clear()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the subscriber."""
        if self._handshake is not None:
            self._handshake.cancel()
        self.paused = False
        self._hub._closed(self)


def address(peer: object) -> tuple[str, int]:
    """Return host and port of a connection's other end; ("", 0) when it has gone."""
    match peer:
        case (str(host), int(port), *_):
            return host, port
    return "", 0


def no_delay(transport: asyncio.BaseTransport) -> None:
    """Send small messages at once, and notice peers that vanished without a word."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

"""The server: two ports, one loop, one world.

Requests run in order of arrival. In synchronous mode a tick runs when its cue comes, unless a stream subscriber is
behind: then this cue and everything after it wait, until the subscriber has caught up or its deadline is over and it
is cut off. In asynchronous mode a task ticks at its own pace.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from engine.protocol import rpc
from engine.protocol.errors import LocalProtocolError, RemoteProtocolError
from engine.protocol.rpc import Request, RequestDecoder
from engine.protocol.streams import WORLD_STREAM
from engine.server import methods as _methods  # noqa: F401 - fills the table of methods
from engine.server.managers import OVERSLEPT_S, WAIT_S, ManagerSteps, all_read, wake
from engine.server.registry import call
from engine.server.session import Session
from engine.server.streams import StreamConnection, StreamHub, address, no_delay
from engine.world.world import World
from foundation.errors import RealityError
from foundation.memory import release_free_memory

_log = logging.getLogger(__name__)

STALL_S = 5.0
"""How long a synchronous tick waits for a subscriber that does not read."""
FRAMES_PER_S = 60.0
"""Asynchronous mode with a variable step: frames per second at most."""
FIXED_FRAMES_PER_S = 250.0
"""Asynchronous mode with a fixed step runs as fast as it can, but no faster than this: cores are shared."""
LONGEST_STEP_S = 0.1
"""A variable step is never longer: after a pause the world goes on, it does not jump."""
SHORTEST_STEP_S = 1e-3
CHANGEOVER_S = 0.5
"""How long frames are put off, at most, for a client that has loaded a map and now subscribes to the world anew.

It drops its old subscription as soon as the load is answered. Should a frame on it be in the works just then, the
client's library gives the new subscription up together with the old one: it waits for ever for its next frame, or
crashes. (Its episode is released by whoever held it last; in the thread of the streams that comes after the new
subscription, which is then taken for one that exists already.) So there is no frame until it asks for the new episode,
which it does after dropping the old one.
"""
MAX_CONNECTIONS = 512
REPLY_HIGH_WATER = 64 * 1024 * 1024


class PortBusy(RealityError):
    """A port is taken."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is in use; stop the other server or choose another --port")


def bind_pair(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Return sockets bound to ``port`` and ``port + 1``; port 0 takes any free pair.

    Binding comes before the world is built, so a busy port is told at once.

    Raises:
        PortBusy: a port is taken.
        RealityError: the host or the port cannot be used.
    """
    for attempt in range(20):
        first = _bind(host, port)
        try:
            return first, _bind(host, first.getsockname()[1] + 1)
        except RealityError:
            first.close()
            if port != 0 or attempt == 19:
                raise
    raise AssertionError("unreachable")


def _bind(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise RealityError(f"port {port}: ports run from 0 to 65535, and PORT+1 is used as well")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise RealityError(f"--host {host}: {error.strerror or error}") from error
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        # Bound but deaf sockets may share a port; listening finds out whether it is really ours.
        bound.listen(128)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortBusy(host, port) from error
        raise RealityError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return bound


@dataclass(slots=True)
class _Waiting:
    """A tick that is held up, or a request behind it.

    Attributes:
        held: its connection is not read meanwhile.
        cued: traffic managers were waited for.
    """

    connection: RpcConnection
    request: Request
    held: bool
    cued: bool = False


class Server:
    """Serves one world.

    Args:
        world: made with ``hub`` as its publisher.
        hub: the stream port's subscriptions.
    """

    def __init__(self, world: World, hub: StreamHub) -> None:
        self.world = world
        self.hub = hub
        self.session = Session(world, stream_port=0, expect=hub.expect)
        self._connections: set[RpcConnection] = set()
        self._backlog: deque[_Waiting] = deque()
        self._stall: asyncio.TimerHandle | None = None
        self._managers = ManagerSteps()
        self._cue: asyncio.TimerHandle | None = None
        self._changing: tuple[RpcConnection, asyncio.TimerHandle] | None = None
        self._sockets: list[asyncio.Server] = []
        self._ticked_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        hub.on_subscribe = self._subscribed
        hub.on_clear = self._drain
        hub.known = lambda stream_id: WORLD_STREAM <= stream_id <= world.last_stream_id

    async def start(self, sockets: tuple[socket.socket, socket.socket]) -> int:
        """Serve on a pair of bound sockets (see :func:`bind_pair`). Returns the rpc port."""
        loop = asyncio.get_running_loop()
        rpc_socket, stream_socket = sockets
        self._sockets = [
            await loop.create_server(lambda: RpcConnection(self), sock=rpc_socket, backlog=128),
            await loop.create_server(self.hub.connection, sock=stream_socket, backlog=128),
        ]
        self.session.stream_port = stream_socket.getsockname()[1]
        self._tasks = [loop.create_task(self._pace()), loop.create_task(self._wake_managers())]
        port: int = rpc_socket.getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop at once."""
        for server in self._sockets:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._changed_over()
        for timer in (self._stall, self._cue):
            if timer is not None:
                timer.cancel()
        for connection in list(self._connections):
            connection.abort()
        self.hub.close()

    # --- requests -------------------------------------------------------------------------------------------

    def handle(self, connection: RpcConnection, request: Request) -> None:
        """Run a request now, or later when a tick before it is held up."""
        self._managers.saw(connection, request.method, request.arguments)
        if self._changing is not None and self._changing[0] is connection and request.method == "get_episode_info":
            self._changed_over()
        if self._cue is not None and request.method == "get_episode_settings":
            # What the tick waits for. It may overtake: who asks has had an answer to all that it asked before.
            self._run(connection, request)
            if not self._managers.awaited():
                self._give_cue()
            return
        if not self._backlog and not self._ticks(request):
            self._run(connection, request)
            return
        waiting = _Waiting(connection, request, held=bool(self._backlog) and self._cue is None)
        if waiting.held:
            connection.hold()
        self._backlog.append(waiting)
        self._drain()

    def _ticks(self, request: Request) -> bool:
        if not self.world.settings.synchronous_mode:
            return False
        name = request.method
        return name == "tick_cue" or (name == "apply_batch" and request.arguments[1:2] == [True])

    def _run(self, connection: RpcConnection, request: Request) -> None:
        self.hub.drop_when_busy = not self.world.settings.synchronous_mode
        ticks = self._ticks(request)
        episode = self.world.episode
        answer = call(self.session, request)
        if not ticks:
            if self.world.episode != episode:
                # Before the answer: from then until its next two are answered, the client has no episode at all, and
                # a traffic manager that runs there meanwhile crashes it.
                release_free_memory()
                self._change_over(connection)
            connection.reply(request, answer)
            return
        # The frame comes before the answer: an answer before it would wake the client only to let it spin for the
        # frame, on the very processor that its traffic manager needs. Cameras come after the answer: they may take
        # longer than a client waits for one.
        stepped = self._attempt(self._step)
        connection.reply(request, answer)
        if stepped:
            self._managers.ticked()
            self._attempt(self.world.sense)

    def _step(self) -> None:
        now = time.monotonic()
        delta_s = self.world.settings.fixed_delta
        if delta_s is None:
            delta_s = min(max(now - self._ticked_at, SHORTEST_STEP_S), LONGEST_STEP_S)
        self._ticked_at = now
        self.world.step(delta_s)

    def _attempt(self, part: Callable[[], None]) -> bool:
        """Do part of a tick; whether it worked. No frame may end the server.

        The next frame may well work; a client that waits for this one is told by its own deadline.
        """
        try:
            part()
        except Exception:  # noqa: BLE001 - logged and counted
            self.session.failures += 1
            _log.exception("frame %d failed", self.world.frame)
            return False
        return True

    # --- held up ticks ---------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Run what was held up, as far as subscribers and traffic managers allow."""
        while self._backlog and self._cue is None:
            waiting = self._backlog[0]
            if self._ticks(waiting.request):
                if self.hub.congested() or self._changing is not None:
                    if self._stall is None:
                        self._stall = asyncio.get_running_loop().call_later(STALL_S, self._give_up)
                    return
                if not waiting.cued:
                    waiting.cued = True
                    self._wait_for_managers()
                    return
            self._backlog.popleft()
            if waiting.held:
                waiting.connection.release()
            if not waiting.connection.closed:
                self._run(waiting.connection, waiting.request)
        if self._stall is not None and not self._backlog:
            self._stall.cancel()
            self._stall = None

    def _change_over(self, connection: RpcConnection) -> None:
        """Put frames off until a client has left the old episode."""
        self._changed_over()
        self._changing = connection, asyncio.get_running_loop().call_later(CHANGEOVER_S, self._changed_over)

    def _changed_over(self) -> None:
        if self._changing is not None:
            self._changing[1].cancel()
            self._changing = None
            self._drain()

    def _wait_for_managers(self) -> None:
        if self._managers.awaited():
            self._cue = asyncio.get_running_loop().call_later(WAIT_S, self._give_cue)
        else:
            self._give_cue()

    def _give_cue(self) -> None:
        """Tick in the next round of the event loop, so that all that has come by now is answered first."""
        if self._cue is not None:
            self._cue.cancel()
        self._managers.give_up()
        self._cue = asyncio.get_running_loop().call_later(self._managers.pause_s(), self._cued)

    def _cued(self) -> None:
        self._cue = None
        self._drain()

    def _give_up(self) -> None:
        self._stall = None
        self.hub.drop_stalled()
        self._drain()

    def _subscribed(self, connection: StreamConnection) -> None:
        if connection.stream_id == WORLD_STREAM:
            # A client that has just come need not wait for the next frame to see the world.
            connection.send(self.world.last_message)

    # --- traffic managers that overslept -----------------------------------------------------------------------

    async def _wake_managers(self) -> None:
        """Wake traffic managers whose step does not begin."""
        while True:
            await asyncio.sleep(OVERSLEPT_S / 4)
            if not self.world.settings.synchronous_mode:
                continue
            for sleeper in self._managers.overslept():
                # While another one was being woken, this one may have woken by itself.
                if sleeper in self._managers.overslept():
                    await self._wake_manager(cast(RpcConnection, sleeper[0]), sleeper[1])

    async def _wake_manager(self, connection: RpcConnection, port: int) -> None:
        rpc_port, stream_port = (s.sockets[0].getsockname()[1] for s in self._sockets)
        host, client_port = connection.address
        if not all_read([(client_port, rpc_port), *((p, stream_port) for _, p in self.hub.addresses(WORLD_STREAM))]):
            return
        self._managers.tried(connection)
        connection.hold()
        try:
            await wake(host, port)
        except (OSError, asyncio.TimeoutError, RemoteProtocolError) as error:
            _log.warning("the traffic manager on port %d sleeps and cannot be woken: %s", port, error)
        else:
            _log.info("the traffic manager on port %d had overslept and was woken", port)
        finally:
            connection.release()

    # --- asynchronous mode -----------------------------------------------------------------------------------

    async def _pace(self) -> None:
        """Tick while the mode is asynchronous."""
        next_at = time.monotonic()
        while True:
            settings = self.world.settings
            rate = FRAMES_PER_S if settings.fixed_delta is None else FIXED_FRAMES_PER_S
            next_at = max(next_at + 1.0 / rate, time.monotonic())
            # Even when a frame takes longer than its share, requests get their turn between frames.
            await asyncio.sleep(max(next_at - time.monotonic(), 0.0))
            if not self.world.settings.synchronous_mode and self._changing is None:
                self.hub.drop_when_busy = True
                if self._attempt(self._step):
                    self._attempt(self.world.sense)

    # --- connections -----------------------------------------------------------------------------------------

    def opened(self, connection: RpcConnection) -> bool:
        """Count a connection in; False when there are too many."""
        if len(self._connections) >= MAX_CONNECTIONS:
            return False
        self._connections.add(connection)
        return True

    def closed(self, connection: RpcConnection) -> None:
        """Count a connection out."""
        self._connections.discard(connection)
        self._managers.left(connection)
        if self._changing is not None and self._changing[0] is connection:
            self._changed_over()


class RpcConnection(asyncio.Protocol):
    """One client on the rpc port."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._decoder = RequestDecoder()
        self._transport: asyncio.Transport | None = None
        self._held = 0
        self._full = False
        self.closed = False
        self.peer: object = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, if there are not too many."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self.peer = transport.get_extra_info("peername")
        no_delay(transport)
        self._transport.set_write_buffer_limits(high=REPLY_HIGH_WATER)
        if not self._server.opened(self):
            _log.warning("more than %d clients; %s refused", MAX_CONNECTIONS, self.peer)
            self._transport.abort()

    @property
    def address(self) -> tuple[str, int]:
        """The client's host and port."""
        return address(self.peer)

    def data_received(self, data: bytes) -> None:
        """Run the requests that have come."""
        try:
            for request in self._decoder.feed(data):
                self._server.handle(self, request)
                if self.closed:
                    return
        except RemoteProtocolError as error:
            _log.info("rpc port: %s from %s; connection closed", error, self.peer)
            self.abort()

    def reply(self, request: Request, result: object) -> None:
        """Answer a request."""
        if self._transport is None or self.closed:
            return
        try:
            self._transport.write(rpc.encode_reply(request.msgid, result))
        except LocalProtocolError as error:
            self._server.session.log_failure(request, error)
            text = f"{request.method}: internal error of the embedded engine: {error}"
            self._transport.write(rpc.encode_reply(request.msgid, rpc.error(text)))

    def hold(self) -> None:
        """Read no more: one of this client's requests has to wait."""
        self._held += 1
        self._reading()

    def release(self) -> None:
        """The request that waited has its turn."""
        self._held -= 1
        self._reading()

    def pause_writing(self) -> None:
        """A client that does not read its answers asks nothing more."""
        self._full = True
        self._reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._full = False
        self._reading()

    def _reading(self) -> None:
        if self._transport is None or self.closed:
            return
        if self._held or self._full:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client; the world keeps its actors and its mode."""
        self.closed = True
        self._server.closed(self)

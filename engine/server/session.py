"""What remote procedures work on: the world and what all clients of a server share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from engine.protocol.rpc import Request
from engine.protocol.streams import Token, encode_token
from engine.protocol.structs import Actor
from engine.world.shapes import DebugShapes
from engine.world.world import World

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Session:
    """The server's shared state.

    Attributes:
        stream_port: where streams are served; the world's tokens are completed with it.
        traffic_managers: address by port of the traffic managers that clients run.
        expect: told the stream whose token a client asked for: its subscription follows.
        warned: what has been said once already.
        failures: how many requests ended in an internal error, for tests.
    """

    world: World
    stream_port: int
    traffic_managers: dict[int, str] = field(default_factory=dict)
    expect: Callable[[int], None] = lambda stream_id: None
    failures: int = 0
    warned: set[str] = field(default_factory=set)

    def warn(self, text: str) -> None:
        """Say once that something a client asked for has no effect here: these calls have no way to answer so."""
        if text not in self.warned:
            self.warned.add(text)
            _log.warning("%s", text)

    def token(self, stream_id: int) -> bytes:
        """Return a stream's token; clients use the host they connected to."""
        return encode_token(Token(stream_id, self.stream_port))

    def actor_struct(self, actor_id: int) -> Actor:
        """Return an actor as clients get it: a sensor's token names the stream port."""
        entry = self.world.actors[actor_id]
        if not entry.stream_id:
            return entry.struct
        return msgspec.structs.replace(entry.struct, stream_token=self.token(entry.stream_id))

    @property
    def debug_shapes(self) -> DebugShapes:
        """What clients have drawn."""
        return self.world.shapes

    def log_failure(self, request: Request, error: Exception) -> None:
        """Report a bug of ours that a request uncovered."""
        self.failures += 1
        _log.error("call %s failed: %r", request.method, error, exc_info=error)

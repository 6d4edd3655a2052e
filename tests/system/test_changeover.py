"""After a load no frame comes before the client has left the old episode: its library would not survive one."""

from __future__ import annotations

import contextlib
import socket
import struct
import time

import msgpack
import pytest
from engine_process import engine

from engine.protocol.streams import WORLD_STREAM
from engine.server.app import CHANGEOVER_S

QUIET_S = CHANGEOVER_S / 2
"""Many frames of asynchronous mode."""
ATTEMPTS = 5
"""A busy machine may stop us until the server waits no longer."""


class Frames:
    """A subscription to the world, as bytes."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port + 1), timeout=20.0)
        self._socket.sendall(struct.pack("<I", WORLD_STREAM))

    def forget(self) -> None:
        """Read what has come by now."""
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(1 << 20):
                pass

    def come(self, within_s: float) -> bool:
        self._socket.settimeout(within_s)
        try:
            return bool(self._socket.recv(1))
        except TimeoutError:
            return False


@pytest.fixture(scope="module")
def port():
    with engine("--map", "RealityStreet") as running:
        yield running.port


@pytest.fixture
def call(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=20.0)
    answers = msgpack.Unpacker(strict_map_key=False, unicode_errors="surrogateescape")

    def ask(name, *arguments):
        connection.sendall(msgpack.packb([0, 1, name, [[False], *arguments]]))
        while True:
            for answer in answers:
                return answer
            answers.feed(connection.recv(65536))

    with connection:
        yield ask


def load(call, frames):
    assert frames.come(5.0)
    call("load_new_episode", "", True, 0xFFFF)
    frames.forget()


def test_no_frame_comes_until_the_new_episode_is_asked_for(port, call):
    frames = Frames(port)
    for _ in range(ATTEMPTS):
        began = time.monotonic()
        load(call, frames)
        call("version")
        call("get_episode_settings")
        came = frames.come(QUIET_S)
        if time.monotonic() - began < CHANGEOVER_S:
            break
    assert not came
    call("get_episode_info")
    assert frames.come(5.0)


def test_others_do_not_wait_for_a_client_that_never_asks(port, call):
    frames = Frames(port)
    load(call, frames)
    assert frames.come(5.0)


def test_others_do_not_wait_for_a_client_that_has_gone(port, call):
    frames = Frames(port)
    with socket.create_connection(("127.0.0.1", port), timeout=20.0) as passing:
        assert frames.come(5.0)
        passing.sendall(msgpack.packb([0, 1, "load_new_episode", [[False], "", True, 0xFFFF]]))
        assert passing.recv(4096)
    assert frames.come(5.0)
    assert call("get_episode_info")

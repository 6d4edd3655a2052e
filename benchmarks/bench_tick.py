"""An empty synchronous tick through the genuine client, beside bare msgpack-rpc echo loops.

The limit is what the genuine client reaches when the server does nothing: its calls cost more than a raw socket's. The
raw socket's figure is printed for information; a client of another make could use it.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import carla
import msgpack

from benchmarks.__main__ import INFORMATION, Row
from bridge import simulators

ROUNDS = 5
CALLS = 2000


VERSION = [[1, "0.9.16"]]


class _Echo(asyncio.Protocol):
    """The least a msgpack-rpc server can do: answer every request with a constant."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._unpacker = msgpack.Unpacker()

    def data_received(self, data: bytes) -> None:
        self._unpacker.feed(data)
        for _, number, _, _ in self._unpacker:
            self._transport.write(msgpack.packb([1, number, None, VERSION]))


def _echo_server(pipe: Connection) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Echo, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, pipe.recv)
        server.close()

    asyncio.run(main())


@contextlib.contextmanager
def echo_server() -> Iterator[int]:
    """Run the bare server in a process of its own and yield its port."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_echo_server, args=(theirs,), daemon=True)
    process.start()
    try:
        if not ours.poll(30.0):
            raise TimeoutError("the echo server did not start within 30 s")
        yield ours.recv()
    finally:
        ours.send(None)
        process.join(10.0)
        if process.is_alive():
            process.kill()


def rate(call: Callable[[], object]) -> float:
    """Return the calls per second, median of several rounds."""
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(CALLS):
            call()
        rates.append(CALLS / (time.perf_counter() - began))
    return statistics.median(rates)


def raw_echo_rate(port: int) -> float:
    """Return the round trips per second of a blocking Python socket."""
    with socket.create_connection(("127.0.0.1", port), timeout=10.0) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        unpacker = msgpack.Unpacker()
        request = msgpack.packb([0, 1, "tick_cue", [[False]]])

        def call() -> None:
            connection.sendall(request)
            while True:
                unpacker.feed(connection.recv(65536))
                if any(True for _ in unpacker):
                    return

        return rate(call)


def client_echo_rate(port: int) -> float:
    """Return the round trips per second of the genuine client's cheapest call."""
    client = carla.Client("127.0.0.1", port)
    client.set_timeout(10.0)
    return rate(client.get_server_version)


def tick_rate() -> float:
    """Return the empty synchronous ticks per second of the genuine client on the embedded engine, median."""
    with simulators.start("embedded") as simulator:
        client = simulator.connect()
        world = client.get_world()
        settings = world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
        world.apply_settings(settings)
        ticks = rate(lambda: world.tick(10.0))
        settings.synchronous_mode, settings.fixed_delta_seconds = False, None
        world.apply_settings(settings)
        return ticks


def run() -> list[Row]:
    """Measure all three, one after the other on the same machine."""
    with echo_server() as port:
        raw, limit = raw_echo_rate(port), client_echo_rate(port)
    ours = tick_rate()
    return [
        _row("empty synchronous tick, beside the client's bare call", ours, limit, ">= 0.3"),
        _row("the same, beside a raw Python socket's echo", ours, raw, INFORMATION),
    ]


def _row(name: str, ours: float, limit: float, target: str) -> Row:
    return Row(name=name, value=ours, unit="1/s", limit_value=limit, ratio=ours / limit, target=target)

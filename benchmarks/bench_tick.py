"""An empty synchronous tick through the genuine client, beside a bare msgpack-rpc echo loop."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import statistics
import time
from multiprocessing.connection import Connection
from typing import Any

import msgpack

from benchmarks.__main__ import Row
from bridge import simulators

ROUNDS = 5
CALLS = 2000


class _Echo(asyncio.Protocol):
    """The least a msgpack-rpc server can do: answer every request with its own parameters."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._unpacker = msgpack.Unpacker()

    def data_received(self, data: bytes) -> None:
        self._unpacker.feed(data)
        for _, number, _, parameters in self._unpacker:
            self._transport.write(msgpack.packb([1, number, None, parameters]))


def _echo_server(pipe: Connection) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Echo, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, pipe.recv)
        server.close()

    asyncio.run(main())


def echo_rate() -> float:
    """Return the round trips per second of a blocking client and an asyncio server, median of several rounds."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_echo_server, args=(theirs,), daemon=True)
    process.start()
    try:
        if not ours.poll(30.0):
            raise TimeoutError("the echo server did not start within 30 s")
        with socket.create_connection(("127.0.0.1", ours.recv()), timeout=10.0) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            unpacker = msgpack.Unpacker()
            rates = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                for number in range(CALLS):
                    connection.sendall(msgpack.packb([0, number, "tick_cue", [[False]]]))
                    answered = False
                    while not answered:
                        unpacker.feed(connection.recv(65536))
                        for _ in unpacker:
                            answered = True
                rates.append(CALLS / (time.perf_counter() - began))
        return statistics.median(rates)
    finally:
        ours.send(None)
        process.join(10.0)
        if process.is_alive():
            process.kill()


def tick_rate() -> float:
    """Return the empty synchronous ticks per second of the genuine client on the embedded engine, median."""
    with simulators.start("embedded") as simulator:
        client = simulator.connect()
        world = client.get_world()
        settings = world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
        world.apply_settings(settings)
        rates = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for _ in range(CALLS):
                world.tick(10.0)
            rates.append(CALLS / (time.perf_counter() - began))
        settings.synchronous_mode, settings.fixed_delta_seconds = False, None
        world.apply_settings(settings)
        return statistics.median(rates)


def run() -> list[Row]:
    """Measure both, one after the other on the same machine."""
    limit, ours = echo_rate(), tick_rate()
    return [
        Row(
            name="empty synchronous tick, genuine client",
            value=ours,
            unit="1/s",
            limit_value=limit,
            ratio=ours / limit,
            target=">= 0.3",
        )
    ]

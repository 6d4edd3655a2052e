"""``python -m engine``: serve a world to CARLA 0.9.16 clients."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from foundation.errors import RealityError
from foundation.memory import keep_large_blocks_apart

if TYPE_CHECKING:
    from engine.server import Server
    from engine.world.maps import MapCatalogue

DESCRIPTION = """\
Serve a simulated world to any CARLA 0.9.16 client program: no GPU, no Unreal, no download.

The client connects to PORT; sensor data stream over PORT+1. When the server is ready it prints one line:
    listening on 127.0.0.1:2000
"""
EXAMPLES = """\
examples:
  python -m engine                                   our own town on port 2000
  python -m engine --map RealityMotorway --port 3000
  python -m engine --map roads/my_road.xodr          your own OpenDRIVE file
  python -m engine --maps roads/ --map my_road       a folder of OpenDRIVE files, client.load_world("...") switches
  python -m engine --host 0.0.0.0                    reachable from other machines (there is no password)

In the client:
  client = carla.Client("127.0.0.1", 2000); world = client.get_world()
"""
LEVELS = ("debug", "info", "warning", "error")


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    made = argparse.ArgumentParser(
        prog="python -m engine",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--port", type=int, default=2000, help="rpc port; streams use PORT+1; 0 takes a free pair (2000)")
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine only)")
    made.add_argument("--map", default=None, metavar="NAME|FILE", help="first map: a name or an .xodr file")
    made.add_argument(
        "--maps", action="append", default=[], metavar="DIR", help="folder of .xodr files to serve; may be repeated"
    )
    made.add_argument(
        "--saved", default=None, metavar="DIR", help="folder of recordings with bare names (a folder of the user's)"
    )
    made.add_argument("--seed", type=int, default=0, help="seed of the world around the roads and of noise (0)")
    made.add_argument("--list-maps", action="store_true", help="print the names of all maps and exit")
    made.add_argument(
        "--exit-with-stdin", action="store_true", help="end when standard input closes: for programs that start it"
    )
    made.add_argument("--log-level", choices=LEVELS, default="warning", help="what to report on standard error")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns the exit status: 0 ended as asked, 2 unusable input or a busy port."""
    options = parser().parse_args(arguments)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    try:
        return _serve(options)
    except RealityError as error:
        sys.stderr.write(f"engine: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 0


def _serve(options: argparse.Namespace) -> int:
    from engine.world.maps import DEFAULT_MAP, MapCatalogue, MapNotFound

    folders = [Path(folder) for folder in options.maps]
    for folder in folders:
        if not folder.is_dir():
            raise RealityError(f"--maps {folder}: there is no such folder")
    name, files = options.map or DEFAULT_MAP, []
    if name.lower().endswith(".xodr"):
        path = Path(name)
        if not path.is_file():
            raise RealityError(f"--map {name}: there is no such file")
        name, files = path.stem, [path]
    catalogue = MapCatalogue(folders, files, seed=options.seed)
    if options.list_maps:
        sys.stdout.write("\n".join(catalogue.names()) + "\n")
        return 0
    if name not in catalogue.names():
        known = ", ".join(catalogue.names()) or "none"
        raise RealityError(f"--map {name}: {MapNotFound(name)}; known maps: {known}")
    return _run(options, catalogue, name)


def _run(options: argparse.Namespace, catalogue: MapCatalogue, name: str) -> int:
    from engine.server import Server, StreamHub, bind_pair

    keep_large_blocks_apart()
    sockets = bind_pair(options.host, options.port)
    from engine.recorder import Recorder
    from engine.world.world import World

    hub = StreamHub()
    recorder = Recorder(Path(options.saved).absolute() if options.saved else None)
    server = Server(World(catalogue, name, publisher=hub, seed=options.seed, recorder=recorder), hub)
    # What lives now lives until the end: the collector need not look at it again in the middle of a frame.
    gc.collect()
    gc.freeze()
    loop = _new_loop()
    try:
        loop.run_until_complete(_serve_until_told(server, sockets, options))
    finally:
        loop.close()
    return 0


async def _serve_until_told(
    server: Server, sockets: tuple[socket.socket, socket.socket], options: argparse.Namespace
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on loops
            loop.add_signal_handler(number, stop.set)
    port = await server.start(sockets)
    if options.exit_with_stdin:
        threading.Thread(target=_watch_stdin, args=(loop, stop), daemon=True).start()
    sys.stdout.write(f"listening on {options.host}:{port}\n")
    sys.stdout.flush()
    await stop.wait()
    await server.close()


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Wait for the program that started us to go: the pipe it held closes, however it ended.

    The descriptor itself is read: Python aborts when it ends while a thread holds its buffered reader.
    """
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop is closed already
        loop.call_soon_threadsafe(stop.set)


def _new_loop() -> asyncio.AbstractEventLoop:
    """Return a loop of uvloop where that is installed (the ``fast`` extra), else of asyncio."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


if __name__ == "__main__":
    sys.exit(main())

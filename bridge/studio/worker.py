"""A worker of the studio: its own embedded engine, its own client, scenes in, stills out (or whatever its stage makes).

``python -m bridge.studio.worker FD`` reads a ``Job`` and then scenes from the connection with this file
descriptor, and answers with pickled ``Answer`` records. It ends when the connection closes, and takes its engine
with it; when the engine ends first, so does the worker, at once: the studio starts another one.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import threading
import time
from multiprocessing.connection import Connection

from bridge.studio.messages import Answer, Job
from foundation.errors import DeadlineError, RealityError

log = logging.getLogger(__name__)

ENGINE_ENDED = 3
"""Exit status of a worker whose engine has ended."""
WATCH_PERIOD_S = 0.1


def serve(connection: Connection, job: Job) -> None:
    """Answer scenes until the connection closes."""
    from bridge import simulators

    module, _, name = job.stage.partition(":")
    make = getattr(importlib.import_module(module), name)
    with simulators.start("embedded", seed=job.seed, arguments=("--map", job.map_name), log_path=job.log_path) as sim:
        threading.Thread(target=_watch, args=(sim,), name="watch", daemon=True).start()
        stage = make(sim.connect(), job.camera)
        connection.send(Answer(engine_pid=sim.pid))
        while True:
            try:
                item = connection.recv()
            except EOFError:
                return
            try:
                answer = Answer(stage.shoot(item))
            except DeadlineError:
                raise
            except RealityError as error:
                answer = Answer(error=str(error))
            connection.send(answer)


def _watch(simulator: object) -> None:
    """End this process when its engine has ended: the client would wait for its deadlines, one after another."""
    from bridge.simulators import Simulator, SimulatorError

    assert isinstance(simulator, Simulator)
    while not simulator.closed:
        try:
            simulator.check()
        except SimulatorError as error:
            if not simulator.closed:
                log.error("%s", error)
                logging.shutdown()
                os._exit(ENGINE_ENDED)
        time.sleep(WATCH_PERIOD_S)


def main() -> None:
    """Run a worker; errors go to standard error, which the studio keeps."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    connection = Connection(int(sys.argv[1]))
    status = 1
    try:
        serve(connection, connection.recv())
        status = 0
    except DeadlineError as error:
        log.error("%s", error)  # a machine that was busy for a while, or an engine that hangs: worth another try
    except RealityError as error:
        log.error("%s", error)
        with contextlib.suppress(OSError):
            connection.send(Answer(error=str(error)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        status = 0  # the studio has gone
    except RuntimeError as error:
        # The genuine client reports everything that goes wrong on the wire as RuntimeError.
        log.error("the simulator failed: %s", error)
    logging.shutdown()
    # The client library joins its threads in destructors that run in no particular order at exit; skip that.
    os._exit(status)


if __name__ == "__main__":
    main()

"""A worker of ``reality run``: ``python -m bridge.worker LOG_FOLDER NUMBER`` runs one unit after the other.

It reads jobs as JSON lines from its standard input and answers with JSON lines on standard output: ``{"note": text}``
while it runs, then ``{"done": true}`` or ``{"error": text, "retry": whether another try may help}``. Standard input is
also its lifeline: when it closes, because the run ended or was killed, the worker kills its engine and is gone at once,
whatever it was doing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.egos import EgoError
from bridge.planfile import options_of
from bridge.results import Unit
from bridge.simulators import SimulatorError
from bridge.unit import Job, Stage, run_unit
from foundation.errors import DeadlineError, RealityError

log = logging.getLogger(__name__)


def job_of(message: dict[str, Any]) -> Job:
    """Return the job that a line of :class:`bridge.pool.Worker` describes."""
    rest = {k: message[k] for k in ("scenario", "rig", "folder", "ego_folder")}
    return Job(Unit(**message["unit"]), options_of(message["options"]), **rest)


def main() -> None:
    """Work until standard input closes."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Libraries may print; only reports belong on standard output.
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    # Ctrl-C in the terminal reaches the whole group; the run decides what happens then, and closes the lifeline.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def report(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")

    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    stage = Stage(report, folder / f"engine-{number}.log")
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs, stage), name="lifeline", daemon=True).start()
    while True:
        message = json.loads(jobs.get())
        _log_to(folder / message["log"])
        if not work(job_of(message), stage, report):
            # What an error leaves behind in the client or the engine is nobody's guess: the next unit gets a new one.
            _die(stage, 1)


def work(job: Job, stage: Stage, report: Callable[[dict[str, Any]], None]) -> bool:
    """Run one unit and report how it ended; return whether it was finished."""
    try:
        run_unit(job, stage, report)
    except (SimulatorError, DeadlineError) as error:
        log.error("%s", error)
        report({"error": str(error), "retry": True})
    except EgoError as error:
        log.error("%s", traceback.format_exc())
        report({"error": str(error), "retry": False})
    except RealityError as error:
        log.error("%s", error)
        report({"error": str(error), "retry": False})
    except RuntimeError as error:
        # The genuine client reports everything that goes wrong on the wire as RuntimeError.
        log.error("%s", traceback.format_exc())
        report({"error": stage.explain(error), "retry": True})
    except OSError as error:
        log.error("%s", traceback.format_exc())
        report({"error": f"cannot write its results: {error.strerror}", "retry": False})
    except Exception as error:  # noqa: BLE001 - told to the run; the traceback is in the log
        log.error("%s", traceback.format_exc())
        report({"error": f"a mistake of this program: {type(error).__name__}: {error}", "retry": False})
    else:
        report({"done": True})
        return True
    return False


def _log_to(path: Path) -> None:
    """Let everything written to standard error from now on go to this file."""
    sys.stderr.flush()
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(number, 2)
    os.dup2(number, 1)
    os.close(number)


def _listen(jobs: queue.SimpleQueue[str], stage: Stage) -> None:
    for line in sys.stdin:
        jobs.put(line)
    _die(stage, 0)


def _die(stage: Stage, status: int) -> None:
    """End now. The client's destructors, and an engine in the middle of a tick, could take a long time over it."""
    pid = stage.engine_pid
    if pid is not None:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)  # our engines lead a group of their own
    logging.shutdown()
    os._exit(status)


if __name__ == "__main__":
    main()

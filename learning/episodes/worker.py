"""The process that plays episodes: ``python -m learning.episodes.worker``, started and watched by ``run``.

Standard input: a job (JSON) on the first line, then one ``{"episode": 7}`` a line. Standard output: one JSON object a
line: ``ready`` once, then for each episode ``alive`` from time to time and ``finished``, or ``failed`` when something
broke that may not break again. ``error`` is for what will break again: it ends the process, and the run.
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
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from foundation.errors import InputError, RealityError

log = logging.getLogger(__name__)

ALIVE_PERIOD_S = 1.0


@dataclass(frozen=True)
class Job:
    """What a worker has to know; plain data, sent as JSON."""

    env_spec: str
    policy: str
    seed: int
    folder: str
    videos: str | None = None
    make_arguments: dict[str, Any] = field(default_factory=dict)


class HopelessError(RealityError):
    """What has gone wrong will go wrong again, in every worker."""


class Worker:
    """Plays episodes with one environment and one policy."""

    def __init__(self, job: Job) -> None:
        import gymnasium
        from gymnasium.envs.registration import EnvSpec

        from learning.episodes import policies

        self._job = job
        arguments = dict(job.make_arguments)
        if job.videos is not None:
            arguments["render_mode"] = "rgb_array"
        spec = EnvSpec.from_json(job.env_spec)
        self.env = gymnasium.make(spec, disable_env_checker=True, **arguments)
        try:
            self.policy = policies.make(job.policy, self.env)
        except BaseException:
            self.env.close()
            raise

    def spaces(self) -> dict[str, str]:
        """Return both spaces as Minari writes them."""
        from minari.serialization import serialize_space

        return {
            "observation_space": str(serialize_space(self.env.observation_space)),
            "action_space": str(serialize_space(self.env.action_space)),
        }

    def play(self, number: int, alive: Any) -> dict[str, Any]:
        """Play and save one episode; return its outcome."""
        from learning.episodes.rollout import rollout

        videos = None if self._job.videos is None else Path(self._job.videos)
        episode = rollout(
            self.env, self.policy, number, self._job.seed, name=self._job.policy, videos=videos, alive=alive
        )
        episode.save(Path(self._job.folder))
        return asdict(episode.outcome)


def main() -> None:
    """Serve the job on standard input until it ends."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Libraries may print; only reports belong on standard output.
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, _terminate)
    status = 0
    try:
        _serve(answers)
    except BrokenPipeError:  # whoever started this process has gone
        status = 1
    answers_error = _flush(answers)
    # The client library joins its threads in destructors that run in no particular order at exit; skip that.
    logging.shutdown()
    os._exit(status or answers_error)


def _serve(answers: Any) -> None:
    def report(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")

    from learning.episodes.policies import PolicyError

    lines = _Lines()
    first = lines.get()
    if first is None:
        return
    worker: Worker | None = None
    try:
        worker = _made(Job(**json.loads(first)))
        report({"ready": worker.spaces()})
        while (line := lines.get()) is not None:
            number = int(json.loads(line)["episode"])
            report({"finished": number, "outcome": worker.play(number, _Alive(report, lines.ended))})
    except (HopelessError, PolicyError, InputError) as error:
        log.error("%s", traceback.format_exc())
        report({"error": str(error)})
    except BrokenPipeError:
        raise
    except (RealityError, RuntimeError, OSError) as error:
        # The genuine client reports everything that goes wrong on the wire as RuntimeError.
        log.error("%s", traceback.format_exc())
        report({"failed": str(error)})
    finally:
        if worker is not None:
            with contextlib.suppress(RealityError, RuntimeError):
                worker.env.close()


def _made(job: Job) -> Worker:
    """Return a worker. What fails here fails every time: no simulator has been started yet.

    Raises:
        HopelessError: it failed.
    """
    try:
        return Worker(job)
    except RealityError as error:
        raise HopelessError(str(error)) from error
    except Exception as error:
        # Whatever a constructor makes of an argument it does not know, it is one line for the user.
        what = json.loads(job.env_spec)["id"]
        raise HopelessError(f"{what}: {type(error).__name__}: {error}") from error


class _Alive:
    """Says from time to time that an episode goes on, and ends it when nobody is left to listen."""

    def __init__(self, report: Any, ended: threading.Event) -> None:
        self._report, self._ended, self._last_s = report, ended, time.monotonic()

    def __call__(self, time_s: float) -> None:
        if self._ended.is_set():
            raise BrokenPipeError("standard input has ended")
        now_s = time.monotonic()
        if now_s - self._last_s >= ALIVE_PERIOD_S:
            self._last_s = now_s
            self._report({"alive": round(time_s, 2)})


class _Lines:
    """Standard input, read in a thread: its end must be noticed in the middle of an episode, too."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
        self.ended.set()
        self._lines.put(None)

    def get(self) -> str | None:
        """Return the next line, None at the end."""
        return self._lines.get()


def _flush(answers: Any) -> int:
    try:
        answers.flush()
    except OSError:
        return 1
    return 0


def _terminate(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()

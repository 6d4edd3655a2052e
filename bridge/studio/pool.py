"""Workers that draw side by side, and one iterator that returns what they drew in the order asked for."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing import connection as mp
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from bridge.studio.messages import Answer, Job
from bridge.studio.scenes import Still, StillCamera, StillScene, StudioError

log = logging.getLogger(__name__)

START_DEADLINE_S = 120.0
"""A worker is ready in about 3 s; the margin is for a machine that is busy with other work."""
STILL_DEADLINE_S = 60.0
STOP_DEADLINE_S = 15.0
TRIES = 3
"""How many workers may be lost over one still, or one start, before the studio gives up."""
WATCH_PERIOD_S = 0.5
IN_HAND = 2
"""Scenes a worker is given at a time: the next is there when one is done."""
AHEAD = 16
"""Scenes drawn, for each worker, before the one that is waited for."""


_PROC = Path("/proc")


class _Worker:
    """A worker process and what it has been given."""

    def __init__(self, number: int, job: Job) -> None:
        self.number = number
        self.given: deque[tuple[int, Any]] = deque()
        self.ready = False
        self.engine_pid: int | None = None
        self.log_path = job.log_path.with_name(f"worker-{number}.log")
        ours, theirs = socket.socketpair()
        with ours, theirs, self.log_path.open("ab") as output:
            # A group of its own: Ctrl-C in the terminal reaches us first, and we stop it in order.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bridge.studio.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            self.connection = mp.Connection(ours.detach())
        self.since = time.monotonic()
        with contextlib.suppress(OSError):  # one that has ended already is noticed where answers are read
            self.connection.send(job)

    def give(self, number: int, scene: Any) -> None:
        """Hand over a scene; a worker that has ended is noticed where answers are read."""
        if not self.given:
            self.since = time.monotonic()
        self.given.append((number, scene))
        with contextlib.suppress(OSError):
            self.connection.send(scene)

    @property
    def late(self) -> bool:
        """Whether it has kept us waiting for too long."""
        limit = STILL_DEADLINE_S if self.ready else START_DEADLINE_S
        return (bool(self.given) or not self.ready) and time.monotonic() - self.since > limit

    def engine_gone(self) -> bool:
        """Whether its engine has ended.

        The worker cannot tell while it waits for an answer: the client library lets no other thread run then. Its
        deadline would tell in the end; on Linux the engine's process can be looked at from here.
        """
        if self.engine_pid is None or not _PROC.is_dir():
            return False
        try:
            status = (_PROC / str(self.engine_pid) / "stat").read_text()
        except OSError:
            return True
        return status.rpartition(")")[2].split()[0] in "ZX"

    def last_words(self) -> str:
        """The end of what it wrote."""
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "it wrote nothing"

    def stop(self) -> None:
        """End it: it ends by itself when the connection closes, and its engine with it."""
        self.connection.close()
        try:
            self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            log.warning("studio worker %d did not stop within %.0f s; killing it", self.number, STOP_DEADLINE_S)
            self.kill()

    def kill(self) -> None:
        """End it at once, and its engine, which may not be able to notice that its standard input has closed."""
        self.connection.close()
        self.process.kill()
        self.process.wait()
        if self.engine_pid is not None and not self.engine_gone():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.engine_pid, signal.SIGKILL)


class Keyed(Protocol):
    """What workers are given: it has a name, for messages."""

    @property
    def key(self) -> str: ...  # noqa: D102


Item = TypeVar("Item", bound=Keyed)
Result = TypeVar("Result")
Own = TypeVar("Own", bound="Workers[Any, Any]")


class Workers(Generic[Item, Result]):
    """Draws items in worker processes. A context manager: its workers run from entering to leaving.

    Args:
        map_name: a shipped map's name or an OpenDRIVE file.
        camera: the one camera of all stills.
        workers: processes, each with its own engine; one for each processor core is about right.
        seed: of the engines: what grows beside the roads, and how people are dressed.
    """

    stage: ClassVar[str]
    """What draws an item in a worker, see :class:`Job`."""

    def __init__(
        self, map_name: str = "RealityTown", camera: StillCamera | None = None, *, workers: int = 1, seed: int = 0
    ) -> None:
        if workers < 1:
            raise StudioError(f"a studio with {workers} workers draws nothing; give at least 1")
        self.map_name, self.camera, self.seed = map_name, camera or StillCamera(), seed
        self._count = workers
        self._workers: list[_Worker] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lost = 0
        self._busy = False

    def __enter__(self: Own) -> Own:
        if self._folder is not None:
            raise StudioError("this studio is open already")
        self._folder = tempfile.TemporaryDirectory(prefix="reality-studio-")
        try:
            self._workers = [self._start(number) for number in range(self._count)]
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop all workers and their engines."""
        workers, self._workers = self._workers, []
        for worker in workers:
            with contextlib.suppress(OSError):
                worker.connection.close()  # all of them begin to stop at once
        for worker in workers:
            worker.stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @property
    def engine_pids(self) -> list[int]:
        """Process ids of the engines that are ready."""
        return [worker.engine_pid for worker in self._workers if worker.engine_pid is not None]

    def _start(self, number: int) -> _Worker:
        assert self._folder is not None
        path = Path(self._folder.name) / f"engine-{number}.log"
        return _Worker(number, Job(self.stage, self.map_name, self.camera, self.seed, path))

    # --- drawing ---------------------------------------------------------------------------------------------

    def results(self, items: Iterable[Item]) -> Iterator[Result]:
        """Yield what becomes of the items, in their order. They are taken from the iterable as workers become free.

        Raises:
            StudioError: an item cannot be drawn, or workers were lost over it again and again.
        """
        if self._folder is None:
            raise StudioError("this studio is not open: use it in a with statement")
        if self._busy:
            raise StudioError("this studio is drawing already: finish or close the other iterator first")
        self._busy = True
        try:
            yield from self._results(iter(items))
        finally:
            self._busy = False
            self._recover()

    def _results(self, scenes: Iterator[Any]) -> Iterator[Any]:
        done: dict[int, Any] = {}
        waiting: deque[tuple[int, Any]] = deque()  # scenes of lost workers
        tries: dict[int, int] = {}
        asked = returned = 0
        more = True
        while more or waiting or asked > returned:
            for worker in self._workers:
                while worker.ready and len(worker.given) < IN_HAND:
                    if waiting:
                        worker.give(*waiting.popleft())
                        continue
                    scene = next(scenes, None) if more and asked - returned < AHEAD * self._count else None
                    if scene is None:
                        more = more and asked - returned >= AHEAD * self._count
                        break
                    worker.give(asked, scene)
                    asked += 1
            if returned < asked or not self._any_ready():
                self._collect(done, waiting, tries)
            while returned in done:
                yield done.pop(returned)
                returned += 1

    def _any_ready(self) -> bool:
        return any(worker.ready for worker in self._workers)

    def _collect(self, done: dict[int, Any], waiting: deque[tuple[int, Any]], tries: dict[int, int]) -> None:
        """Wait for answers, and replace workers that have ended or are late."""
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in mp.wait(list(by_connection), timeout=WATCH_PERIOD_S):
            worker = by_connection[connection]  # type: ignore[index]
            try:
                answer: Answer = worker.connection.recv()
            except (EOFError, OSError):
                self._replace(worker, "has ended", waiting, tries)
            else:
                self._take(worker, answer, done)
        for worker in self._workers:
            if worker.engine_gone():
                self._replace(worker, "has lost its engine", waiting, tries)
            elif worker.late:
                self._replace(worker, "did not answer in time", waiting, tries)

    def _take(self, worker: _Worker, answer: Answer, done: dict[int, Any]) -> None:
        worker.since = time.monotonic()
        if answer.error is not None:
            if worker.given:
                worker.given.popleft()
            raise StudioError(answer.error)
        if not worker.ready:
            worker.ready, worker.engine_pid = True, answer.engine_pid
            self._lost = 0
        else:
            number, _ = worker.given.popleft()
            done[number] = answer.result

    def _replace(self, worker: _Worker, what: str, waiting: deque[tuple[int, Any]], tries: dict[int, int]) -> None:
        words = worker.last_words()
        worker.kill()
        self._lost += 1
        log.warning("studio worker %d %s: %s; it starts again", worker.number, what, words)
        if worker.given:
            # Answers come in order, so the first scene is the one that was in hand.
            number, scene = worker.given[0]
            tries[number] = tries.get(number, 0) + 1
            if tries[number] >= TRIES:
                raise StudioError(f"still {scene.key}: {TRIES} workers were lost over it; the last one: {words}")
        elif self._lost >= TRIES * self._count:
            raise StudioError(f"studio workers end again and again as they start; the last one: {words}")
        waiting.extendleft(reversed(worker.given))
        self._workers[self._workers.index(worker)] = self._start(worker.number)

    def _recover(self) -> None:
        """After an iteration that was broken off: nobody must answer scenes of the last one in the next."""
        for number, worker in enumerate(self._workers):
            if worker.given or worker.connection.closed:
                worker.kill()
                self._workers[number] = self._start(worker.number)


class Studio(Workers[StillScene, Still]):
    """Draws labelled stills; see :class:`Workers` for its arguments."""

    stage = "bridge.studio.stage:Stage"

    def stills(self, scenes: Iterable[StillScene]) -> Iterator[Still]:
        """Yield the stills of the scenes, in their order; see :meth:`Workers.results`."""
        return self.results(scenes)


def default_workers() -> int:
    """Return the number of processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

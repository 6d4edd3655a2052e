"""Progress of a run: a bar with the time left on a terminal, a line per finished unit elsewhere."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Note = Callable[[str], None]


def time_left_s(elapsed_s: float, done_now: int, left: int) -> float | None:
    """Return how long the rest takes if it goes on like this; None before the first unit is finished."""
    return elapsed_s / done_now * left if done_now > 0 else None


def told(seconds: float) -> str:
    """Return a duration as a person says it: ``45 s``, ``12 min``, ``3 h 05 min``."""
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60.0)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


class Board:
    """Shows how far a run is; may be told from any thread.

    Args:
        total, before: units of the plan, and how many of them were finished earlier.
        console: standard error by default.
    """

    def __init__(self, total: int, before: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._total, self._done, self._before = total, before, before
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._bar: TaskID | None = None
        if self._console.is_terminal:
            columns = (TextColumn("{task.description:<34}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
            self._progress = Progress(*columns, TextColumn("{task.fields[note]}"), console=self._console)

    def __enter__(self) -> Board:
        if self._progress is not None:
            self._progress.start()
            self._bar = self._progress.add_task("scenarios", total=self._total, completed=self._done, note="")
        elif self._before:
            self.say(f"{self._before} of {self._total} scenarios are finished already")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def done(self) -> None:
        """One more unit has its result."""
        with self._lock:
            self._done += 1
            left = time_left_s(time.monotonic() - self._began, self._done - self._before, self._total - self._done)
            note = f"about {told(left)} left" if left else ""
            if self._progress is not None and self._bar is not None:
                self._progress.update(self._bar, completed=self._done, note=note)
            else:
                self._print(f"{self._done}/{self._total} scenarios" + (f", {note}" if note else ""))

    def say(self, text: str) -> None:
        """Print a line for the user."""
        with self._lock:
            self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(escape(text), highlight=False, soft_wrap=True)

    @contextlib.contextmanager
    def unit(self, name: str) -> Iterator[Note]:
        """Show what one unit is doing while it runs."""
        if self._progress is None:
            yield lambda text: None
            return
        progress = self._progress
        task = progress.add_task(name, total=None, note="")
        try:
            yield lambda text: progress.update(task, note=text)
        finally:
            progress.remove_task(task)

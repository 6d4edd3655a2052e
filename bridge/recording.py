"""Labelling and writing frames beside the simulation: while the next frame is made, this one is compressed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType

from foundation.errors import DeadlineError
from sensors.readings import Frame

QUEUE_FRAMES = 4
"""Frames that may wait; a slow disk then slows the simulation down instead of filling the memory."""
DEADLINE_S = 120.0

Handler = Callable[[float, Frame], None]


class Recorder:
    """Hand frames to ``handle`` on a thread of its own, one after the other, in their order.

    Use as a context manager: leaving it waits for everything that was put, and raises what ``handle`` raised; leaving
    it with an error throws away what still waits.
    """

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._waiting: queue.Queue[tuple[float, Frame] | None] = queue.Queue(QUEUE_FRAMES)
        self._error: BaseException | None = None
        self._discard = False
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def put(self, time_s: float, frame: Frame) -> None:
        """Hand over a frame; waits while too many are waiting.

        Raises:
            DeadlineError: nothing was written for two minutes.
            BaseException: what ``handle`` raised on an earlier frame.
        """
        self._raise()
        try:
            self._waiting.put((time_s, frame), timeout=DEADLINE_S)
        except queue.Full:
            raise DeadlineError(f"the recorder wrote nothing for {DEADLINE_S:.0f} s; is the disk stuck?") from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard = error is not None
        try:
            self._waiting.put(None, timeout=DEADLINE_S)
        except queue.Full:
            self._error = self._error or DeadlineError(f"the recorder did not end within {DEADLINE_S:.0f} s")
        self._thread.join(DEADLINE_S)
        if error is None:
            self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            if self._discard or self._error is not None:
                continue  # keep taking, so that nobody waits for a place in the queue
            try:
                self._handle(*item)
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that puts
                self._error = error

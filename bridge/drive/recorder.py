"""Recordings of a drive: data sets with the rig, films of the window, pictures of the screen.

Every file gets a number that is free, and is complete when it has its name: until then it is a hidden one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import carla
import numpy as np
from PIL import Image

from bridge.drive.state import Pixels
from bridge.recording import Recorder
from foundation.errors import DeadlineError, RealityError
from sensors import capture as captures
from sensors.labels import Labeler
from sensors.readings import Frame
from sensors.rig import Rig
from sensors.writers import DatasetWriter

log = logging.getLogger(__name__)

SENSOR_DEADLINE_S = 20.0
FIRST_S, FIRST_TRIES = 2.0, 5
"""How long, and for how many frames, the first readings are waited for."""
FILM_QUEUE = 8
CLOSE_DEADLINE_S = 60.0


def free_name(folder: Path, stem: str, suffix: str = "") -> Path:
    """Return ``folder/stem-000suffix`` with the first number that nothing has."""
    for number in range(100_000):
        path = folder / f"{stem}-{number:03d}{suffix}"
        if not path.exists():
            return path
    raise RealityError(f"{folder} is full of {stem} files; remove some")


class DatasetRecording:
    """A data set that is being recorded: the rig on the car, and frames on their way to the disk.

    Args:
        world, ego: the genuine client's world, and the car.
        rig, seed: what to mount; the seed of its noise.
        directory: of the data set; must not exist.
    """

    def __init__(self, world: carla.World, ego: carla.Actor, rig: Rig, seed: int, directory: Path) -> None:
        self.directory = directory
        self.frames = 0
        self.start_s: float | None = None
        self.last_s = 0.0
        self._writer = DatasetWriter(directory, rig)
        self._labeler = Labeler()
        self._recorder = Recorder(self._keep)
        self._open = True
        self._patience = FIRST_TRIES
        try:
            self._capture: captures.Capture | None = captures.attach(world, ego, rig, seed)
        except BaseException:
            self._writer.abort()
            raise
        self._recorder.__enter__()

    @property
    def seconds(self) -> float:
        """Simulated seconds recorded so far."""
        return 0.0 if self.start_s is None else self.last_s - self.start_s

    def take(self, frame_id: int) -> None:
        """Record the frame of the tick that just was.

        Raises:
            DeadlineError: a sensor sent nothing.
            RealityError: the disk is full.
        """
        if self._capture is None:
            return
        try:
            frame = self._capture.frame(frame_id, FIRST_S if self._patience else SENSOR_DEADLINE_S)
        except DeadlineError:
            if not self._patience:
                raise
            # A very busy server may not have heard yet that somebody listens; the recording begins a frame later.
            self._patience -= 1
            return
        self._patience = 0
        if self.start_s is None:
            self.start_s = frame.elapsed_s
        self.last_s = frame.elapsed_s
        self._recorder.put(frame.elapsed_s, frame)
        self.frames += 1

    def _keep(self, time_s: float, frame: Frame) -> None:
        self._writer.write(frame, self._labeler.label(frame))

    def stop_capture(self) -> None:
        """Take the rig off the car."""
        if self._capture is not None:
            self._capture.close()
            self._capture = None

    def close(self, manifest: Mapping[str, Any]) -> str:
        """Write what is still on its way, and put the data set in its place. Needs no server.

        Returns what to tell the person; a data set without a frame is thrown away.

        Raises:
            RealityError: a frame could not be written.
        """
        if not self._open:
            return ""
        self._open = False
        try:
            self._recorder.__exit__(None, None, None)
            if not self.frames:
                return "nothing was recorded"
            self._writer.close(manifest)
        finally:
            self._writer.abort()
        return f"data set of {self.frames} frames in {self.directory}"


class Film:
    """An MP4 of the window, encoded on a thread of its own. Its clock is the simulation's.

    Args:
        path: of the file.
        size: width and height in pixels; frames of another size are scaled to it.
        rate_hz: frames per simulated second.
    """

    def __init__(self, path: Path, size: tuple[int, int], rate_hz: float) -> None:
        self.path = path
        self.frames = 0
        # H.264 halves the colour resolution: sizes must be even.
        self._size = (size[0] // 2 * 2, size[1] // 2 * 2)
        self._rate = Fraction(rate_hz).limit_denominator(1000)
        self._scratch = path.with_name(f".{path.stem}.partial-{os.getpid()}.mp4")
        self._waiting: queue.Queue[Pixels | None] = queue.Queue(FILM_QUEUE)
        self._error: Exception | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RealityError(f"{path.parent} cannot be written: {error.strerror}") from None
        self._thread = threading.Thread(target=self._work, name="film", daemon=True)
        self._thread.start()

    def put(self, image: Pixels) -> None:
        """Add a frame, (H, W, 3) uint8; waits while too many wait."""
        if self._error is None:
            self._waiting.put(image, timeout=CLOSE_DEADLINE_S)
            self.frames += 1

    @property
    def failed(self) -> str | None:
        """Why the film cannot go on, None while it can."""
        return None if self._error is None else f"{self.path}: {self._error}"

    def close(self) -> str:
        """Finish the file and return what to tell the person.

        Raises:
            RealityError: it could not be encoded or written; nothing stays behind then.
        """
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=CLOSE_DEADLINE_S)
        self._thread.join(CLOSE_DEADLINE_S)
        if self._error is not None or self._thread.is_alive():
            self._scratch.unlink(missing_ok=True)
            raise RealityError(f"the film could not be finished: {self.failed or 'the encoder does not answer'}")
        if not self.frames:
            self._scratch.unlink(missing_ok=True)
            return "nothing was filmed"
        os.replace(self._scratch, self.path)
        return f"film of {self.frames} frames in {self.path}"

    def _work(self) -> None:
        try:
            self._encode()
        except Exception as error:  # noqa: BLE001 - told to the person by close()
            self._error = error
            while self._waiting.get() is not None:
                pass

    def _encode(self) -> None:
        import av  # not needed by those who never film

        with av.open(str(self._scratch), "w", options={"movflags": "faststart"}) as container:
            stream: Any = container.add_stream("libx264", rate=self._rate)
            stream.width, stream.height = self._size
            stream.pix_fmt = "yuv420p"
            stream.options = {"preset": "veryfast", "crf": "21"}
            while (image := self._waiting.get()) is not None:
                if image.shape[1::-1] != self._size:
                    image = np.asarray(Image.fromarray(image).resize(self._size))
                for packet in stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)

"""Recordings on disk: where they go, writing them frame by frame, reading them without loading them whole."""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from engine.recorder.codec import (
    DURATION,
    DURATION_AT,
    FrameSpan,
    RecordingError,
    decode_frame,
    decode_info,
    encode_frame,
    encode_info,
    scan,
)
from engine.recorder.records import Frame, Info, PacketId

_log = logging.getLogger(__name__)

INCOMPLETE = ".incomplete"
"""What a recording is called that could not be written to its end."""


def saved_folder() -> Path:
    """Return where recordings with bare names go unless the server is told otherwise."""
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "digital-reality" / "saved"


def recording_path(name: str, saved: Path) -> str:
    """Return the path of a recording as CARLA reads names: bare ones lie in ``saved``, others are taken as they are."""
    if any(mark in name for mark in "\\/:"):
        return name
    return str(saved / name)


class RecordingFile:
    """A recording being written. What is on disk is whole frames, up to the last one written.

    Args:
        path: the file; one that is there is replaced.
        map_name: the map's short name.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: str, map_name: str) -> None:
        self.path = path
        self._file: BinaryIO = open(path, "wb", buffering=0)  # noqa: SIM115 - closed by close()
        self._size = 0
        self._duration_at: int | None = None
        try:
            self._append(encode_info(Info(map_name, int(time.time()))))
        except OSError:
            self.close()
            raise

    def _append(self, data: bytes) -> None:
        written = 0
        while written < len(data):
            written += self._file.write(data[written:]) or 0
        self._size += len(data)

    def write(self, frame: Frame, since_last_s: float) -> None:
        """Append a frame; the one before learns that it lasted ``since_last_s``.

        Raises:
            OSError, RecordingError: it cannot be written. The file is closed, holds the frames before and has got
                another name, so nobody takes it for a whole recording.
        """
        whole = self._size
        try:
            data = encode_frame(frame)
            if self._duration_at is not None:
                self._file.seek(self._duration_at)
                self._file.write(DURATION.pack(since_last_s))
                self._file.seek(whole)
            self._append(data)
        except (OSError, RecordingError):
            self._give_up(whole)
            raise
        self._duration_at = whole + DURATION_AT

    def _give_up(self, whole: int) -> None:
        with contextlib.suppress(OSError):
            self._file.truncate(whole)
        self.close()
        with contextlib.suppress(OSError):
            os.replace(self.path, self.path + INCOMPLETE)

    def close(self) -> None:
        """Close the file. An error of the disk is logged: whoever stops a recording is not waiting for an answer."""
        try:
            self._file.close()
        except OSError as error:
            _log.error("recording %s: %s", self.path, error.strerror or error)


class Recording:
    """A recording to read, frame by frame. Use as a context manager or :meth:`close` it.

    Attributes:
        path: as opened.
        info: the head of the file.
        spans: its whole frames.
        lost_bytes: how much follows the last whole frame: 0 unless the file was cut off or is damaged.

    Raises:
        OSError: the file cannot be read.
        NotARecording: it is none.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        with open(path, "rb") as file:
            # An empty file cannot be mapped; it is no recording either.
            empty = not os.fstat(file.fileno()).st_size
            self._data: mmap.mmap | bytes = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self.info, begin = decode_info(self._data)
            self.spans, whole = scan(self._data, begin)
            self.lost_bytes = len(self._data) - whole
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def total_s(self) -> float:
        """When the last frame was recorded, seconds."""
        return self.spans[-1].elapsed_s if self.spans else 0.0

    def frame(self, index: int, only: Collection[PacketId] | None = None) -> Frame:
        """Return a frame by its place in the file, from 0.

        Raises:
            RecordingError: its packets are damaged.
        """
        return decode_frame(self._data, self.spans[index], only)

    def frames(self, only: Collection[PacketId] | None = None) -> Iterator[Frame]:
        """Yield all frames."""
        for index in range(len(self.spans)):
            yield self.frame(index, only)

    def close(self) -> None:
        """Let go of the file."""
        if isinstance(self._data, mmap.mmap):
            with contextlib.suppress(BufferError):  # a traceback may still hold a piece; it goes with the object then
                self._data.close()


__all__ = ["FrameSpan", "Recording", "RecordingFile", "recording_path", "saved_folder"]

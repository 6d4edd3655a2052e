"""MP4 films of what a camera saw: H.264, one thread, so that equal frames give equal bytes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError

QUALITY = {"crf": "28", "preset": "veryfast", "threads": "1"}


class Film:
    """A film that is being written; made with its first frame, so a run without frames leaves no file.

    Args:
        path: of the file.
        step_s: seconds between two frames.
    """

    def __init__(self, path: Path, step_s: float) -> None:
        self._path = path
        self._rate = Fraction(1.0 / step_s).limit_denominator(1000)
        self._container: Any = None
        self._stream: Any = None

    def add(self, rgb: npt.NDArray[np.uint8]) -> None:
        """Append a frame, (H, W, 3); an odd last row or column is left away, as H.264 wants it.

        Raises:
            RealityError: the file cannot be written.
        """
        import av

        height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
        try:
            if self._container is None:
                # Without a moving index at the front a browser would load the whole file before it shows anything.
                self._container = av.open(str(self._path), "w", options={"movflags": "faststart"})
                self._stream = self._container.add_stream("libx264", rate=self._rate, options=QUALITY)
                self._stream.width, self._stream.height = width, height
                self._stream.pix_fmt = "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb[:height, :width]), format="rgb24")
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except (OSError, av.FFmpegError) as error:
            raise RealityError(f"{self._path.name}: the film cannot be written: {error}") from error

    def close(self) -> None:
        """Write what is left and the index."""
        if self._container is None:
            return
        for packet in self._stream.encode():
            self._container.mux(packet)
        self._container.close()
        self._container = None

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""Videos of episodes: MP4 with H.264, below each picture one line of figures."""

from __future__ import annotations

import os
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import ImageFont

LEAST_WIDTH_PX = 640
"""Smaller pictures are enlarged by a whole factor: the line below them must be legible."""
LINE_HEIGHT_PX = 28
TEXT_PX = 15
HOLD_S = 1.0
"""The last picture stays so long: it says how the episode ended."""
_PAPER, _INK, _ALARM = (20, 24, 30), (235, 238, 242), (255, 110, 90)

Image = npt.NDArray[np.uint8]


def annotate(rgb: Image, text: str, alarm: bool = False) -> Image:
    """Return the picture with a line of text below it; both sides of the result are even, as H.264 wants them.

    Args:
        rgb: (H, W, 3).
        text: one line; what does not fit in the width is set smaller.
        alarm: set the line in the colour of a warning.
    """
    from PIL import Image as Images
    from PIL import ImageDraw

    factor = max(1, -(-LEAST_WIDTH_PX // rgb.shape[1]))
    picture = np.kron(rgb, np.ones((factor, factor, 1), dtype=np.uint8)) if factor > 1 else rgb
    height, width = picture.shape[0], picture.shape[1]
    canvas = Images.new("RGB", (width + width % 2, height + LINE_HEIGHT_PX + height % 2), _PAPER)
    canvas.paste(Images.fromarray(np.ascontiguousarray(picture)), (0, 0))
    draw = ImageDraw.Draw(canvas)
    size = TEXT_PX
    while size > 8 and draw.textlength(text, font=_font(size)) > width - 16:
        size -= 1
    draw.text((8, height + LINE_HEIGHT_PX // 2), text, fill=_ALARM if alarm else _INK, font=_font(size), anchor="lm")
    return np.asarray(canvas, dtype=np.uint8)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)


class Video:
    """An MP4 that grows picture by picture; it is at its place only when it is whole.

    Args:
        path: where it will be.
        rate_hz: pictures a second.

    Use it as a context manager: on an exception nothing stays behind.
    """

    def __init__(self, path: Path, rate_hz: float) -> None:
        self.path = path
        self._rate = Fraction(rate_hz).limit_denominator(1000)
        self._partial = path.with_name(f".{path.stem}.partial.mp4")
        self._container: Any = None
        self._stream: Any = None
        self._last: Image | None = None

    def add(self, rgb: Image, text: str, alarm: bool = False) -> None:
        """Append a picture, (H, W, 3), the same size every time."""
        picture = annotate(rgb, text, alarm)
        if self._container is None:
            self._open(picture.shape[1], picture.shape[0])
        self._write(picture)
        self._last = picture

    def _open(self, width: int, height: int) -> None:
        import av

        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(str(self._partial), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = self._container.add_stream("libx264", rate=self._rate)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.options = {"crf": "20", "preset": "veryfast"}
        # One thread: the bytes do not depend on the number of cores, and the cores are busy with engines.
        self._stream.codec_context.thread_count = 1

    def _write(self, picture: Image) -> None:
        import av

        for packet in self._stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
            self._container.mux(packet)

    def close(self) -> None:
        """Hold the last picture, finish the file and move it into place; without a picture there is no file."""
        if self._container is None:
            return
        assert self._last is not None
        for _ in range(round(HOLD_S * self._rate)):
            self._write(self._last)
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()
        self._container = None
        os.replace(self._partial, self.path)

    def discard(self) -> None:
        """Throw away what has been written."""
        if self._container is not None:
            self._container.close()
            self._container = None
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

"""What CARLA draws into its own window only: texts and the ``draw_hud_*`` shapes, over everything.

This engine has no window. Its stand-in is a colour camera that is attached to the spectator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.render.view import View
from foundation.frames import invert, transform_points

_NEAR_M = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Hud:
    """What is drawn over a picture.

    Attributes:
        texts: (place in metres, CARLA's frame; text; sRGB; whether with a shadow).
        segments: lines and points, (N,) of :data:`engine.render.shapes.SEGMENT_DTYPE`; their width is in pixels.
    """

    texts: tuple[tuple[tuple[float, float, float], str, tuple[int, int, int], bool], ...]
    segments: npt.NDArray[np.void]

    def __bool__(self) -> bool:
        return bool(self.texts) or len(self.segments) > 0


def draw_hud(picture: npt.NDArray[np.uint8], view: View, hud: Hud) -> npt.NDArray[np.uint8]:
    """Return a picture, (H, W, 4) BGRA, with the shapes and texts over it."""
    # Only who looks at the window needs the painter.
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(np.ascontiguousarray(picture[..., 2::-1]))
    pen = ImageDraw.Draw(image)
    into = invert(view.world_from_camera())
    for segment in hud.segments:
        ends = _visible(transform_points(into, np.stack([segment["begin"], segment["end"]])))
        if ends is None:
            continue
        (x0, y0), (x1, y1) = (_pixel(view, end) for end in ends)
        color, width = tuple(segment["color"].tolist()), max(1, round(float(segment["width"])))
        if segment["point"]:
            pen.rectangle((x0 - width / 2, y0 - width / 2, x0 + width / 2, y0 + width / 2), fill=color)
        else:
            pen.line((x0, y0, x1, y1), fill=color, width=width)
    font = ImageFont.load_default()
    for place, text, ink, shadow in hud.texts:
        at = transform_points(into, np.array([place]))[0]
        if at[0] > _NEAR_M:
            x, y = _pixel(view, at)
            if shadow:
                pen.text((x + 1, y + 1), text, fill=(0, 0, 0), font=font)
            pen.text((x, y), text, fill=ink, font=font)
    drawn = np.empty_like(picture)
    drawn[..., :3], drawn[..., 3] = np.asarray(image)[..., ::-1], 255
    return drawn


def _visible(ends: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """Return the part of a line, (2, 3) in the camera's axes, that lies ahead of the camera."""
    depth = ends[:, 0]
    if depth.max() <= _NEAR_M:
        return None
    if depth.min() < _NEAR_M:
        share = (_NEAR_M - depth[0]) / (depth[1] - depth[0])
        ends = ends.copy()
        ends[int(depth.argmin())] = ends[0] + share * (ends[1] - ends[0])
    return ends


def _pixel(view: View, at: npt.NDArray[np.float64]) -> tuple[float, float]:
    x = view.width / 2.0 + view.focal_px * at[1] / at[0]
    y = view.height / 2.0 - view.focal_px * at[2] / at[0]
    # Far outside the picture exactness is of no use, and numbers beyond 32 bits would upset the painter.
    return float(np.clip(x, -1e5, 1e5)), float(np.clip(y, -1e5, 1e5))

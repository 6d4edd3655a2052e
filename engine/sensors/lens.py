"""What a lens does to a picture: radial distortion with CARLA's attributes, and coloured fringes.

CARLA's post-process material is not public; its attributes, ranges and defaults are. This is the model used here, in
coordinates from the picture's centre in which its right rim is at 1 and circles are round:

    source = place * (1 + min(m r^f, 1) * s * (k r^2 + kcube r^3))

with k ``lens_k``, kcube ``lens_kcube``, s ``lens_x_size`` for x and ``lens_y_size`` for y, m
``lens_circle_multiplier`` and f ``lens_circle_falloff``. As in CARLA the multiplier decides whether there is any
distortion: at its default of 0 every camera is an exact pinhole camera, whatever the other values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from engine.sensors.base import number

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

FRINGE_SHARE = 0.01
"""An intensity of 1 moves red by this share of its distance from the centre, green by half of it."""


@dataclass(frozen=True, slots=True)
class Lens:
    """A lens for pictures of one size. ``circle``: multiplier and falloff; ``size``: along x and y; ``fringe``:
    intensity of the coloured rims and the radius they begin at."""

    k: float
    kcube: float
    circle: tuple[float, float]
    size: tuple[float, float]
    fringe: tuple[float, float] = (0.0, 0.0)

    @property
    def distorts(self) -> bool:
        """Whether it moves anything."""
        return self.circle[0] != 0.0 and any(self.size) and (self.k != 0.0 or self.kcube != 0.0)

    @property
    def neutral(self) -> bool:
        """Whether it changes nothing."""
        return not self.distorts and self.fringe[0] == 0.0

    def warp(self, picture: npt.NDArray[np.generic], *, smooth: bool) -> npt.NDArray[np.generic]:
        """Return a picture, (H, W, C), as this lens shows it.

        Args:
            smooth: interpolate (colours). Labels, depths, normals and motion are taken from the nearest pixel.
        """
        height, width = picture.shape[:2]
        if not smooth:
            return picture[_nearest(self, width, height)] if self.distorts else picture
        shares = (0.0, 0.5 * FRINGE_SHARE, FRINGE_SHARE) if self.fringe[0] else (0.0,)
        warped = [_sample(picture, _sources(self, width, height, share)) for share in shares]
        if len(shares) == 1:
            return warped[0]
        mixed = warped[0].copy()  # BGRA: blue stays, green and red move outwards
        mixed[..., 1], mixed[..., 2] = warped[1][..., 1], warped[2][..., 2]
        return mixed


def read_lens(attributes: Mapping[str, str]) -> Lens:
    """Return the lens that a camera's attributes describe."""
    return Lens(
        number(attributes, "lens_k", -1.0),
        number(attributes, "lens_kcube", 0.0),
        (number(attributes, "lens_circle_multiplier", 0.0), number(attributes, "lens_circle_falloff", 5.0)),
        (number(attributes, "lens_x_size", 0.08), number(attributes, "lens_y_size", 0.08)),
        (
            number(attributes, "chromatic_aberration_intensity", 0.0),
            number(attributes, "chromatic_aberration_offset", 0.0),
        ),
    )


@lru_cache(maxsize=8)
def _sources(lens: Lens, width: int, height: int, share: float) -> Floats:
    """Return (2, H, W): the row and column, in pixels, that each pixel shows."""
    aspect = height / width
    x = (np.arange(width) + 0.5) / width * 2.0 - 1.0
    y = ((np.arange(height) + 0.5) / height * 2.0 - 1.0) * aspect
    radius = np.hypot(x[None, :], y[:, None])
    circle = np.minimum(lens.circle[0] * radius ** lens.circle[1], 1.0)
    bend = circle * (lens.k * radius**2 + lens.kcube * radius**3)
    shift = share * lens.fringe[0] * np.clip((radius - lens.fringe[1]) / max(1.0 - lens.fringe[1], 1e-6), 0.0, None)
    column = x[None, :] * (1.0 + lens.size[0] * bend - shift)
    row = y[:, None] / aspect * (1.0 + lens.size[1] * bend - shift)
    rows = np.clip((row + 1.0) / 2.0 * height - 0.5, 0.0, height - 1.0)
    columns = np.clip((column + 1.0) / 2.0 * width - 0.5, 0.0, width - 1.0)
    return np.stack([rows, columns]).astype(np.float32)


@lru_cache(maxsize=8)
def _nearest(lens: Lens, width: int, height: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    rows, columns = np.rint(_sources(lens, width, height, 0.0)).astype(np.intp)
    return rows, columns


def _sample(picture: npt.NDArray[np.generic], sources: Floats) -> Pixels:
    """Return the picture at fractional places, linearly interpolated."""
    height, width = picture.shape[:2]
    low = np.minimum(sources.astype(np.intp), [[[height - 2]], [[width - 2]]]) if height > 1 < width else None
    if low is None:
        return np.asarray(picture, dtype=np.uint8)
    part = (sources - low)[..., None]
    row, column = low
    values = picture.astype(np.float32)
    above = values[row, column] * (1 - part[1]) + values[row, column + 1] * part[1]
    below = values[row + 1, column] * (1 - part[1]) + values[row + 1, column + 1] * part[1]
    return np.rint(above * (1 - part[0]) + below * part[0]).astype(np.uint8)

"""The tone curve of colour cameras: what ``slope``, ``toe``, ``shoulder``, ``black_clip`` and ``white_clip`` change.

The renderer writes its own filmic curve. A camera with other numbers than the defaults gets its colours as if the
scene had been seen through Unreal's parametric film curve with these numbers instead of with the defaults: a display
value is taken back to scene light through the default curve and forth again through the other. The default numbers
leave every byte as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from engine.sensors.base import number

Floats = npt.NDArray[np.float64]

MIDDLE_GREY = 0.18
"""Scene light that the curve leaves as it is."""
_STOPS = np.linspace(-6.0, 3.0, 8192)
"""Decimal logarithms of the scene light that the curve is tabulated for."""


@dataclass(frozen=True)
class Film:
    """The five numbers of Unreal's film curve; the defaults are CARLA's."""

    slope: float = 0.88
    toe: float = 0.55
    shoulder: float = 0.26
    black_clip: float = 0.0
    white_clip: float = 0.04

    @classmethod
    def read(cls, attributes: Mapping[str, str]) -> Film:
        """Return the curve of a camera's attributes, held within 0 and 1 as Unreal holds them."""
        names = ("slope", "toe", "shoulder", "black_clip", "white_clip")
        return cls(**{name: min(max(number(attributes, name, getattr(cls, name)), 0.0), 1.0) for name in names})

    def curve(self, log_light: Floats) -> Floats:
        """Return the display's light, 0 to 1, for decimal logarithms of scene light.

        A straight line of ``slope`` through middle grey in the logarithm, between two logistic curves: the toe down to
        ``-black_clip`` and the shoulder up to ``1 + white_clip``.
        """
        slope = max(self.slope, 1e-3)
        toe_scale = max(1.0 + self.black_clip - self.toe, 1e-3)
        shoulder_scale = max(1.0 + self.white_clip - self.shoulder, 1e-3)
        grey = np.log10(MIDDLE_GREY)
        if self.toe > 0.8:
            toe_at = (1.0 - self.toe - MIDDLE_GREY) / slope + grey
        else:
            b = min(max((MIDDLE_GREY + self.black_clip) / toe_scale - 1.0, -0.999), 0.999)
            toe_at = grey - 0.5 * np.log((1.0 + b) / (1.0 - b)) * toe_scale / slope
        line_at = (1.0 - self.toe) / slope - toe_at
        shoulder_at = self.shoulder / slope - line_at
        line = slope * (log_light + line_at)
        low = 2.0 * toe_scale * expit(2.0 * slope / toe_scale * (log_light - toe_at)) - self.black_clip
        falling = expit(-2.0 * slope / shoulder_scale * (log_light - shoulder_at))
        high = 1.0 + self.white_clip - 2.0 * shoulder_scale * falling
        low = np.where(log_light < toe_at, low, line)
        high = np.where(log_light > shoulder_at, high, line)
        width = shoulder_at - toe_at
        t = np.clip((log_light - toe_at) / (width if abs(width) > 1e-9 else 1e-9), 0.0, 1.0)
        t = 1.0 - t if width < 0.0 else t
        t = t * t * (3.0 - 2.0 * t)
        return np.asarray(np.clip(low + (high - low) * t, 0.0, 1.0))

    def table(self) -> npt.NDArray[np.uint8] | None:
        """Return (256,) sRGB values in place of those of the default curve; None for the default itself."""
        if self == Film():
            return None
        shown = np.arange(256) / 255.0
        light = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
        default = np.maximum.accumulate(Film().curve(_STOPS))
        rising = np.concatenate([[True], np.diff(default) > 1e-9])
        scene = np.interp(light, default[rising], _STOPS[rising])
        seen = self.curve(scene)
        value = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1.0 / 2.4) - 0.055)
        return np.rint(255.0 * value).astype(np.uint8)


def toned(picture: npt.NDArray[Any], table: npt.NDArray[np.uint8] | None) -> npt.NDArray[Any]:
    """Return an (H, W, 4) BGRA picture with its colours looked up; alpha stays."""
    if table is None:
        return picture
    found = picture.copy()
    found[..., :3] = table[picture[..., :3]]
    return found

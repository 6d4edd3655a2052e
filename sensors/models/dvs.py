"""CARLA's event camera (dynamic vision sensor): when a pixel's brightness crosses its thresholds.

Source: CARLA 0.9.16, ``Sensor/DVSCamera.cpp``, which follows ESIM (Rebecq et al. 2018). Between two pictures the
brightness of a pixel is taken to change linearly; each time it has moved by the contrast threshold from the level of
the pixel's last event, there is another event, at the moment of the crossing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]

TOLERANCE = 1e-6
LEAST_THRESHOLD = 0.01
"""Thresholds with noise never fall below this."""


class Events(NamedTuple):
    """Events in order of time: columns, rows, nanoseconds, and whether it became brighter; (N,) each."""

    x: npt.NDArray[np.uint16]
    y: npt.NDArray[np.uint16]
    t_ns: npt.NDArray[np.int64]
    positive: npt.NDArray[np.bool_]


def grey(rgb: npt.NDArray[np.uint8]) -> Float32s:
    """Return (H, W) luma 0..255 of (H, W, 3) RGB: 0.2989 R + 0.587 G + 0.114 B."""
    r, g, b = (rgb[..., channel].astype(np.float64) for channel in range(3))
    return (0.2989 * r + 0.587 * g + 0.114 * b).astype(np.float32)


def log_brightness(luma: Float32s, eps: float) -> Float32s:
    """Return log(eps + luma / 255)."""
    return np.log(eps + luma.astype(np.float64) / 255.0).astype(np.float32)


class EventPixels:
    """The pixels of an event camera and what they remember.

    Args:
        thresholds: contrast that makes a positive and a negative event; > 0.
        sigmas: standard deviation of each threshold, drawn anew for every pixel and picture; 0 for none.
        refractory_ns: a pixel that has just sent an event keeps silent for so long.
        rng: source of the noise.
    """

    def __init__(
        self,
        thresholds: tuple[float, float],
        sigmas: tuple[float, float],
        refractory_ns: int,
        rng: np.random.Generator,
    ) -> None:
        if min(thresholds) <= 0.0 or min(sigmas) < 0.0 or refractory_ns < 0:
            raise ValueError("event camera: thresholds must be positive, sigmas and refractory_period_ns not negative")
        self._thresholds, self._sigmas, self._refractory_ns, self._rng = thresholds, sigmas, refractory_ns, rng
        self._last: Float32s | None = None
        self._last_ns = 0
        self._reference = np.zeros(0, dtype=np.float32)
        self._event_ns = np.zeros(0, dtype=np.int64)

    def step(self, brightness: Float32s, now_ns: int) -> Events:
        """Take the next picture, (H, W); return the events since the previous one. The first picture has none."""
        width = brightness.shape[1]
        new = brightness.ravel()
        if self._last is None or self._last.shape != new.shape:
            self._last, self._reference = new.copy(), new.copy()
            self._event_ns = np.zeros(len(new), dtype=np.int64)
            self._last_ns = now_ns
            return _ordered([], width)
        old, then_ns = self._last, self._last_ns
        self._last, self._last_ns = new.copy(), now_ns
        pixel = np.flatnonzero(np.abs(old - new) > TOLERANCE)
        rising = new[pixel] >= old[pixel]
        step = np.where(rising, 1, -1).astype(np.float32) * self._contrast(rising)
        level = self._reference[pixel]
        found: list[tuple[npt.NDArray[np.intp], npt.NDArray[np.int64], npt.NDArray[np.bool_]]] = []
        while len(pixel):
            level = level + step
            a, b = old[pixel], new[pixel]
            crossed = np.where(rising, (level > a) & (level <= b), (level < a) & (level >= b))
            pixel, rising, step, level = pixel[crossed], rising[crossed], step[crossed], level[crossed]
            a, b = a[crossed], b[crossed]
            at_ns = then_ns + ((level - a).astype(np.float64) * (now_ns - then_ns) / (b - a)).astype(np.int64)
            rested = (self._event_ns[pixel] == 0) | (at_ns - self._event_ns[pixel] >= self._refractory_ns)
            self._event_ns[pixel[rested]] = at_ns[rested]
            self._reference[pixel] = level
            found.append((pixel[rested], at_ns[rested], rising[rested]))
        return _ordered(found, width)

    def _contrast(self, rising: npt.NDArray[np.bool_]) -> Float32s:
        """Return the (N,) contrast thresholds of pixels whose brightness rises or falls."""
        contrast = np.where(rising, *map(np.float32, self._thresholds)).astype(np.float32)
        if any(self._sigmas):
            sigma = np.where(rising, *self._sigmas)
            noisy = contrast + sigma * self._rng.standard_normal(len(rising))
            contrast = np.where(sigma > 0.0, np.maximum(noisy, LEAST_THRESHOLD), contrast).astype(np.float32)
        return contrast


def _ordered(
    found: list[tuple[npt.NDArray[np.intp], npt.NDArray[np.int64], npt.NDArray[np.bool_]]], width: int
) -> Events:
    pixel, t_ns, positive = (
        np.concatenate([part[column] for part in found]) if found else np.zeros(0, dtype=kind)
        for column, kind in enumerate((np.intp, np.int64, np.bool_))
    )
    order = np.lexsort((pixel, t_ns))
    pixel = pixel[order]
    return Events(
        (pixel % width).astype(np.uint16), (pixel // width).astype(np.uint16), t_ns[order], positive[order].astype(bool)
    )

"""Distances of pictures: RMSE, MSE and DSSIM. Zero for equal pictures, never negative.

PSNR is not among them: it is a logarithm of MSE and infinite at equality, so it has no slope there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from scenarios.sampling.errors import SpaceError

Floats = npt.NDArray[np.float64]
Image = npt.NDArray[Any]

_SIGMA, _RADIUS = 1.5, 5
_C1, _C2 = 0.01**2, 0.03**2


def as_floats(image: npt.ArrayLike) -> Floats:
    """Return a picture as floats: integers over their type's maximum, so 8 bits become [0, 1]; floats as they are.

    Raises:
        SpaceError: a pixel is not finite, or the picture is empty.
    """
    array = np.asarray(image)
    if array.size == 0:
        raise SpaceError("a rendered picture is empty")
    if array.dtype.kind in "iu":
        return array.astype(np.float64) / float(np.iinfo(array.dtype).max)
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise SpaceError("a rendered picture holds a pixel that is not finite")
    return array


def mse(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return the mean squared difference of two pictures of one shape."""
    return METRICS["mse"].distance(METRICS["mse"].prepare(a), METRICS["mse"].prepare(b))


def rmse(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return the root of :func:`mse`."""
    return METRICS["rmse"].distance(METRICS["rmse"].prepare(a), METRICS["rmse"].prepare(b))


def dssim(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return (1 - SSIM)/2 of two (H, W) or (H, W, C) pictures with values in [0, 1], at least 11 pixels each way.

    SSIM after Wang, Bovik, Sheikh and Simoncelli (2004): Gaussian window of 11 pixels, sigma 1.5, K1 0.01, K2 0.03,
    mean over the windows that lie inside and over the channels.
    """
    return METRICS["dssim"].distance(METRICS["dssim"].prepare(a), METRICS["dssim"].prepare(b))


@dataclass(frozen=True)
class Metric:
    """A distance in two steps, so that a picture compared several times is prepared once.

    Attributes:
        name: for the record.
        prepare: picture -> whatever ``distance`` wants.
        distance: of two prepared pictures.
        squared_noise: whether independent noise adds to the square of the distance (RMSE) or to itself.
    """

    name: str
    prepare: Callable[[Any], Any]
    distance: Callable[[Any, Any], float]
    squared_noise: bool = False

    def without_noise(self, distances: Floats, noise: float) -> Floats:
        """Return distances with the mean distance of repeated pictures taken out, at least 0."""
        if self.squared_noise:
            return np.sqrt(np.maximum(distances**2 - noise**2, 0.0))
        return np.maximum(distances - noise, 0.0)


def _mse(a: Floats, b: Floats) -> float:
    _same_shape(a, b)
    return float(np.mean((a - b) ** 2))


def _same_shape(a: Floats, b: Floats) -> None:
    if a.shape != b.shape:
        raise SpaceError(f"rendered pictures differ in shape, {a.shape} and {b.shape}")


def _blur(channels: Floats) -> Floats:
    """Return Gaussian window means of (H, W, C) where the window lies inside."""
    blurred = ndimage.gaussian_filter(  # type: ignore[attr-defined]
        channels, (_SIGMA, _SIGMA, 0.0), mode="reflect", truncate=_RADIUS / _SIGMA
    )
    return np.asarray(blurred[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS])


def _moments(image: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return (picture, window means, window variances)."""
    channels = as_floats(image)
    channels = channels[..., None] if channels.ndim == 2 else channels
    if channels.ndim != 3 or min(channels.shape[:2]) < 2 * _RADIUS + 1:
        raise SpaceError(
            f"DSSIM needs (H, W) or (H, W, C) pictures of at least 11 x 11 pixels, not {channels.shape}",
            remedy="render larger, or use rmse",
        )
    mean = _blur(channels)
    return channels, mean, _blur(channels * channels) - mean * mean


def _dssim(a: tuple[Floats, Floats, Floats], b: tuple[Floats, Floats, Floats]) -> float:
    (x, mean_x, var_x), (y, mean_y, var_y) = a, b
    _same_shape(x, y)
    if np.array_equal(x, y):
        return 0.0
    cov = _blur(x * y) - mean_x * mean_y
    top = (2.0 * mean_x * mean_y + _C1) * (2.0 * cov + _C2)
    bottom = (mean_x**2 + mean_y**2 + _C1) * (var_x + var_y + _C2)
    return max(0.0, (1.0 - float(np.mean(top / bottom))) / 2.0)


METRICS: dict[str, Metric] = {
    "rmse": Metric("rmse", as_floats, lambda a, b: float(np.sqrt(_mse(a, b))), squared_noise=True),
    "mse": Metric("mse", as_floats, _mse),
    "dssim": Metric("dssim", _moments, _dssim),
}
"""Distances by name."""

"""The first layer's kernels: what they look like, and whether they are smooth detectors or noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import nn

from foundation.errors import RealityError

Floats = npt.NDArray[np.float64]

WHITE_NOISE = 1.0 - np.pi / 16.0
"""High-frequency ratio that white noise has on average: the share of the square of frequencies outside the circle."""


def first_kernels(network: nn.Module) -> Floats:
    """Return (K, C, h, w) the weights of the convolution registered first."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            return module.weight.detach().double().numpy().copy()
    raise RealityError("the network has no nn.Conv2d, so it has no kernels")


def high_frequency_ratio(kernels: npt.ArrayLike, grid: int = 64) -> Floats:
    """Return (K,) which share of each kernel's energy lies above half the Nyquist frequency.

    Args:
        kernels: (K, C, h, w); the energies of the C input channels are added.
        grid: side of the zero-padded Fourier transform.

    "Above" means a radial frequency over 0.25 cycles per pixel; the mean value (frequency zero) counts as low. White
    noise has :data:`WHITE_NOISE` (0.80) on average, whatever the kernel's size; a kernel of zeros has nan.
    """
    weights = np.asarray(kernels, dtype=np.float64)
    if max(weights.shape[-2:]) > grid:
        raise ValueError(f"kernels of {weights.shape[-2]}x{weights.shape[-1]} need a grid larger than {grid}")
    power = (np.abs(np.fft.fft2(weights, s=(grid, grid))) ** 2).sum(axis=1)
    frequency = np.fft.fftfreq(grid)
    high = np.hypot(frequency[:, None], frequency[None, :]) > 0.25
    total = power.sum(axis=(1, 2))
    return np.where(total > 0.0, (power * high).sum(axis=(1, 2)) / np.where(total > 0.0, total, 1.0), np.nan)

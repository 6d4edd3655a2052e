"""The small convolutional network trained in every round: four halvings, then mean and maximum over the picture."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from foundation.errors import InputError
from learning.loop import config
from learning.loop.files import atomic


class SmallNetwork(nn.Module):
    """A classifier of small pictures.

    Attributes:
        features: four layers of convolution, batch norm and ReLU; the first has kernels of 5x5 pixels and stride 2,
            the others 3x3 and a 2x2 maximum behind them; (N, 3, H, W) -> (N, 4 width, H/16, W/16).
        head: linear, on the mean and the maximum of every feature over the picture: a far object is a few pixels,
            which a mean alone would drown.
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        channels = (width, 2 * width, 4 * width, 4 * width)
        blocks: list[nn.Module] = [
            nn.Conv2d(3, width, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        for before, after in itertools.pairwise(channels):
            blocks += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        self.features = nn.Sequential(*blocks)
        self.head = nn.Linear(2 * channels[-1], classes)
        # A third faster on a CPU.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (N, classes) logits of :func:`prepare`-d pictures (N, 3, H, W)."""
        maps = self.features(pictures)
        return self.head(torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1))


def prepare(images: npt.NDArray[np.uint8]) -> torch.Tensor:
    """Return what the network is fed: (N, 3, H, W) float32 from (N, H, W, 3) uint8.

    Every picture is brought to mean 0 and standard deviation 1 over its pixels and channels, as an exposure control
    would: night and noon then use the same range.
    """
    pictures = torch.from_numpy(np.ascontiguousarray(images)).float().div_(255.0)
    # Rows of one picture each, and no copy into another order: both cost as much as a layer of the network.
    deviation, mean = torch.std_mean(pictures.view(len(pictures), -1), 1)
    pictures.sub_(mean[:, None, None, None]).div_((deviation + 0.02)[:, None, None, None])
    return pictures.permute(0, 3, 1, 2)


def deterministic(threads: int) -> None:
    """Make torch give the same bits for the same input, on this many threads."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)


def save(network: SmallNetwork, path: Path, settings: config.Network, classes: Sequence[str]) -> None:
    """Write a network with everything needed to use it (``torch.load(path, weights_only=True)`` reads it)."""
    content = {
        "weights": network.state_dict(),
        "width": settings.width,
        "input_px": list(settings.input_px),
        "classes": list(classes),
    }
    with atomic(path) as scratch, scratch.open("wb") as file:
        torch.save(content, file)


def load(path: Path) -> tuple[SmallNetwork, tuple[str, ...], tuple[int, int]]:
    """Read a network for evaluation; return it with its classes and its input size (width, height).

    Raises:
        InputError: the file is not one of ours.
    """
    try:
        content = torch.load(path, weights_only=True)
        network = SmallNetwork(len(content["classes"]), content["width"])
        network.load_state_dict(content["weights"])
        width, height = content["input_px"]
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"the network cannot be read: {reason}", file=path) from None
    return network.eval(), tuple(content["classes"]), (width, height)


def probabilities(network: SmallNetwork, images: npt.NDArray[np.uint8], batch: int = 256) -> npt.NDArray[np.float64]:
    """Return (N, classes) class probabilities of (N, H, W, 3) uint8 pictures of the network's input size."""
    out = []
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            logits = network(prepare(images[start : start + batch]))
            out.append(torch.softmax(logits.double(), 1).numpy())
    return np.concatenate(out) if out else np.zeros((0, network.head.out_features))

"""Hand-built networks of which it is known what they look at, and labelled pictures for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)

CLASSES = ("lit", "unlit")


@dataclass(frozen=True)
class PlainTrial:
    id: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PlainSample:
    trial: PlainTrial
    image: np.ndarray
    label: str
    mask: np.ndarray | None = None
    valid: bool = True


class Corner(nn.Module):
    """Says "lit" by the brightness of one rectangle of the picture and by nothing else.

    A 1x1 convolution measures brightness, an average pool makes a grid of cells, and a linear layer weighs only the
    cells inside ``rows`` and ``columns``.
    """

    def __init__(self, size: int, cell: int, rows: slice, columns: slice) -> None:
        super().__init__()
        self.measure = nn.Conv2d(3, 1, 1, bias=False)
        self.relu = nn.ReLU()
        self.pool = nn.AvgPool2d(cell)
        grid = size // cell
        weights = torch.zeros(2, 1, grid, grid)
        weights[0, :, rows, columns] = 1.0
        weights[1, :, rows, columns] = -1.0
        self.head = nn.Linear(grid * grid, 2)
        with torch.no_grad():
            self.measure.weight.fill_(1.0 / 3.0)
            self.head.weight.copy_(weights.flatten(1))
            self.head.bias.zero_()

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.head(self.pool(self.relu(self.measure(pictures))).flatten(1))


class Two(nn.Module):
    """Two channels, bright and dark; "lit" is the sum of the first over the picture, "unlit" of the second."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        self.relu = nn.ReLU()
        self.head = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.conv.weight[0].fill_(1.0)
            self.conv.weight[1].fill_(-1.0)
            self.conv.bias.copy_(torch.tensor([-1.5, 1.5]))
            self.head.weight.copy_(torch.eye(2))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.head(self.relu(self.conv(pictures)).mean((2, 3)))


def plain_input(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255.0


def spot_samples(count: int, size: int, place: tuple[slice, slice], seed: int = 0) -> list[PlainSample]:
    """Half of them with a bright spot at ``place`` on a dark, noisy ground; ``gain`` is bound to nothing."""
    rng = np.random.default_rng(seed)
    samples = []
    for i in range(count):
        image = rng.integers(0, 30, (size, size, 3)).astype(np.uint8)
        mask = np.zeros((size, size), dtype=bool)
        mask[place] = True
        lit = i % 2 == 0
        if lit:
            image[mask] = 230
        values = {"lit": lit, "gain": float(rng.random()), "side": ("left", "right")[int(rng.integers(2))]}
        samples.append(PlainSample(PlainTrial(f"s{i}", values), image, CLASSES[0 if lit else 1], mask))
    return samples

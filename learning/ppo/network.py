"""How the state vector enters the network: everybody else through the same small network, then the largest value.

The rows of the others are sorted by distance, so who is in which row changes while one drives. A network that reads
them like any numbers has to learn the child eight times; this one learns it once (Zaheer et al., Deep Sets, 2017).
"""

from __future__ import annotations

import gymnasium
import torch
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from learning.envs.state import EGO_FIELDS, OTHER_FIELDS, ROUTE_FIELDS

OWN = len(EGO_FIELDS) + len(ROUTE_FIELDS)
ROW = len(OTHER_FIELDS)
GAINS = {"speed": 3.0, "ahead": 4.0, "right": 4.0, "velocity_ahead": 3.0, "velocity_right": 4.0}
"""The environment's scales cover everything that may happen; here 25 m, 5 m and 13 m/s are about 1."""


class OthersExtractor(BaseFeaturesExtractor):
    """Features of the observation ``state``.

    Args:
        observation_space: of the environment, with any number of neighbours.
        width: of the layers.
    """

    own_gain: torch.Tensor
    row_gain: torch.Tensor

    def __init__(self, observation_space: gymnasium.spaces.Box, width: int = 32) -> None:
        super().__init__(observation_space, features_dim=2 * width)
        self._rows = (observation_space.shape[0] - OWN) // ROW
        self.own = nn.Sequential(nn.Linear(OWN, width), nn.Tanh())
        self.each = nn.Sequential(nn.Linear(ROW, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        fields = [field.name for field in (*EGO_FIELDS, *ROUTE_FIELDS)]
        self.register_buffer("own_gain", torch.tensor([GAINS.get(name, 1.0) for name in fields]))
        self.register_buffer("row_gain", torch.tensor([GAINS.get(field.name, 1.0) for field in OTHER_FIELDS]))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return (B, 2 * width) features of (B, fields) observations."""
        own = self.own(observations[:, :OWN] * self.own_gain)
        rows = observations[:, OWN:].reshape(len(observations), self._rows, ROW)
        each = self.each(rows * self.row_gain)
        # Empty rows must not be taken for somebody: tanh's lower bound never wins.
        each = torch.where(rows[..., :1] > 0.5, each, torch.full_like(each, -1.0))
        return torch.cat([own, each.max(dim=1).values], dim=1)

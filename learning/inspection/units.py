"""What single filters do over a set of pictures: how often they fire, what excites them, what they follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from foundation.errors import RealityError
from foundation.seeds import generator
from learning.inspection.attribution import RECTIFIERS, evaluating

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Activity:
    """What one layer's channels did over a set of N pictures.

    Attributes:
        name: the layer's name in the network; "#2" is appended when a module is used a second time.
        peak: (N, C) strongest activation of the channel anywhere in the picture.
        place: (N, C, 2) where that was, as (row, column) in [0, 1) of the picture's height and width.
        frequency: (C,) share of all positions of all pictures at which the channel was above zero.
        silent: (C,) True when the output was exactly zero at every position of every picture.
    """

    name: str
    peak: Floats
    place: Floats
    frequency: Floats
    silent: npt.NDArray[np.bool_]


def observed_layers(network: nn.Module) -> dict[str, nn.Module]:
    """Return the modules whose outputs are watched, by name: the rectifiers, or else the convolutions."""
    named = dict(network.named_modules())
    found: dict[str, nn.Module] = {name: module for name, module in named.items() if isinstance(module, RECTIFIERS)}
    return found or {name: module for name, module in named.items() if isinstance(module, nn.Conv2d)}


def activity(network: nn.Module, inputs: Tensor, batch: int = 128) -> list[Activity]:
    """Run the pictures through the network and return what every (N, C, h, w) output of a watched layer did.

    Layers come in the order in which they ran. Outputs without positions (after a flatten) are left out.

    Raises:
        RealityError: no layer with channels was found, or there are no pictures.
    """
    if len(inputs) == 0:
        raise RealityError("no pictures to inspect")
    collected: dict[str, list[tuple[Floats, Floats, Floats, Floats]]] = {}
    calls: dict[str, int] = {}

    def watch(name: str, output: Tensor) -> None:
        calls[name] = calls.get(name, 0) + 1
        key = name if calls[name] == 1 else f"{name}#{calls[name]}"
        if output.dim() == 4:
            collected.setdefault(key, []).append(_measure(output))

    hooks = [
        module.register_forward_hook(lambda _module, _inputs, output, name=name: watch(name, output))
        for name, module in observed_layers(network).items()
    ]
    try:
        with evaluating(network), torch.no_grad():
            for start in range(0, len(inputs), batch):
                calls.clear()
                network(inputs[start : start + batch])
    finally:
        for hook in hooks:
            hook.remove()
    if not collected:
        raise RealityError(
            "the network has no layer with channels (a rectifier or nn.Conv2d with a (N, C, h, w) output)"
        )
    layers = []
    for name, parts in collected.items():
        peak, place, positive, nonzero = (np.concatenate([part[i] for part in parts]) for i in range(4))
        layers.append(Activity(name, peak, place, positive.mean(axis=0), np.asarray(nonzero.max(axis=0) == 0.0)))
    return layers


def _measure(output: Tensor) -> tuple[Floats, Floats, Floats, Floats]:
    """Return peak (N, C), place (N, C, 2), share above zero (N, C) and share not zero (N, C) of (N, C, h, w)."""
    flat = output.flatten(2)
    peak, at = flat.max(dim=2)
    height, width = output.shape[2:]
    rows, columns = (at // width + 0.5) / height, (at % width + 0.5) / width
    place = torch.stack([rows, columns], dim=-1)
    shares = [(flat > 0).double().mean(dim=2), (flat != 0).double().mean(dim=2)]
    return peak.double().numpy(), place.double().numpy(), shares[0].numpy(), shares[1].numpy()


def features(network: nn.Module, inputs: Tensor, batch: int = 256) -> Floats:
    """Return (N, F) the network's own description of pictures: what the last linear layer is given, as it weighs it.

    Every feature is multiplied by the length of its column of weights less the column's mean (a shift of all scores
    changes no decision), so that distances count what decides and ignore what the network has learned to ignore.
    """
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise RealityError("the network has no nn.Linear, so it has no features to compare")
    caught: list[Floats] = []
    hook = linear[-1].register_forward_pre_hook(lambda _m, given: caught.append(given[0].flatten(1).double().numpy()))
    try:
        with evaluating(network), torch.no_grad():
            for start in range(0, len(inputs), batch):
                network(inputs[start : start + batch])
    finally:
        hook.remove()
    weights = linear[-1].weight.detach().double()
    weight = (weights - weights.mean(dim=0)).norm(dim=0).numpy()
    return np.concatenate(caught) * weight if caught else np.zeros((0, len(weight)))


# -- mutual information --------------------------------------------------------------------------------------------


def binned(column: Sequence[object], bins: int = 4) -> Integers:
    """Return a category per entry: numbers by quantile into at most ``bins``, anything else by its own value.

    None (a conditional parameter that does not exist in this sample) is a category of its own.
    """
    categories = np.zeros(len(column), dtype=np.int64)
    present = np.array([value is not None for value in column], dtype=bool)
    values = [value for value in column if value is not None]
    if values and all(isinstance(v, (int, float, np.integer, np.floating)) and not isinstance(v, bool) for v in values):
        numbers = np.array(values, dtype=np.float64)
        distinct = np.unique(numbers)
        if len(distinct) <= bins:
            categories[present] = 1 + np.searchsorted(distinct, numbers)
        else:
            cuts = np.unique(np.quantile(numbers, np.linspace(0, 1, bins + 1)[1:-1]))
            categories[present] = 1 + np.searchsorted(cuts, numbers, side="right")
    elif values:
        names = {name: i for i, name in enumerate(sorted({str(value) for value in values}))}
        categories[present] = [1 + names[str(value)] for value in values]
    return categories


def mutual_information(a: Integers, b: Integers) -> float:
    """Return the mutual information of two categorical columns in bits (plug-in estimate, biased upwards)."""
    return float(_information(_one_hot(a)[None], [_one_hot(b)])[0, 0])


@dataclass(frozen=True, eq=False)
class Dependence:
    """How the columns of ``units`` (U of them) depend on each of P parameters.

    Attributes:
        parameters: (P,) names.
        bits: (U, P) mutual information less what shuffled samples give on average, not below zero.
        share: (U, P) the same as a share of the entropy of the unit's own bins: 1 means fully determined.
        real: (U, P) True where the value exceeds the 95 % quantile of the *largest* value that shuffled samples give
            over all units and parameters (Westfall and Young's max-T: one false alarm in twenty for the whole table).
    """

    parameters: tuple[str, ...]
    bits: Floats
    share: Floats
    real: npt.NDArray[np.bool_]


def dependence(
    units: Floats, parameters: Mapping[str, Sequence[object]], seed: int = 0, shuffles: int = 100, bins: int = 4
) -> Dependence:
    """Return how strongly each unit's activation depends on each parameter, compared with shuffled samples.

    Args:
        units: (N, U) one activation a sample.
        parameters: name -> N values.
        seed: of the shuffles.
        shuffles: how many null samples.
        bins: quantile bins for numbers.
    """
    names = tuple(parameters)
    for name in names:
        if len(parameters[name]) != len(units):
            raise ValueError(f"{name}: {len(parameters[name])} values for {len(units)} samples")
    left_columns = [binned(list(units[:, u]), bins) for u in range(units.shape[1])]
    sides = max((len(np.unique(column)) for column in left_columns), default=1)
    left = np.stack([_one_hot(column, sides) for column in left_columns])
    right = [_one_hot(binned(parameters[name], bins)) for name in names]
    measured = _information(left, right)
    rng = generator(seed, "inspection", "dependence")
    null = np.empty((shuffles, *measured.shape))
    for i in range(shuffles):
        order = rng.permutation(len(units))
        null[i] = _information(left, [table[order] for table in right])
    expected = null.mean(axis=0)
    corrected = np.maximum(measured - expected, 0.0)
    limit = float(np.quantile((null - expected).max(axis=(1, 2)), 0.95)) if measured.size else 0.0
    share_of_bin = left.mean(axis=1)
    entropy = -(share_of_bin * np.log2(np.where(share_of_bin > 0, share_of_bin, 1.0))).sum(axis=1)
    share = corrected / np.where(entropy > 0, entropy, 1.0)[:, None]
    return Dependence(names, corrected, share, (corrected > limit) & (entropy > 0)[:, None])


def _one_hot(categories: Integers, columns: int | None = None) -> Floats:
    present, index = np.unique(categories, return_inverse=True)
    table = np.zeros((len(categories), columns or len(present)))
    table[np.arange(len(categories)), index] = 1.0
    return table


def _information(left: Floats, right: Sequence[Floats]) -> Floats:
    """Return (U, P) bits from one-hot tables: left (U, N, A), right P times (N, B)."""
    samples = left.shape[1]
    first = left.mean(axis=1)
    result = np.zeros((len(left), len(right)))
    for p, table in enumerate(right):
        joint = np.einsum("una,nb->uab", left, table, optimize=True) / samples
        expected = first[:, :, None] * table.mean(axis=0)[None, None, :]
        ratio = np.where(joint > 0, joint / np.where(expected > 0, expected, 1.0), 1.0)
        result[:, p] = (joint * np.log2(ratio)).sum(axis=(1, 2))
    return result

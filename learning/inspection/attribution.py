"""Where in a picture a network finds the evidence for a class: Grad-CAM and occlusion maps, and how much lies inside.

Grad-CAM: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks" (2017), computed by captum's
``LayerGradCam``. Occlusion: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014), computed
by captum's ``Occlusion``. Pointing game: Zhang et al., "Top-down Neural Attention by Excitation Backprop" (2016).

Networks take (N, 3, H, W) float tensors and give (N, classes) scores before the softmax; they are used as they are,
in evaluation mode, and left as they were found.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from captum.attr import LayerAttribution, LayerGradCam, Occlusion
from PIL import Image, ImageFilter
from torch import Tensor, nn

from foundation.errors import RealityError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SiLU, nn.GELU, nn.PReLU, nn.Hardswish)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Switch dropout and batch statistics off for a while; every module gets its own mode back."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def map_layer(network: nn.Module, inputs: Tensor) -> tuple[nn.Module, int]:
    """Return the last module whose output still has positions, among rectifiers and convolutions, and its rows.

    That is where Grad-CAM usually looks: the layer with most meaning that still knows where.

    Raises:
        RealityError: the network has no such module, so there is no map to look at.
    """
    ran: list[tuple[nn.Module, int]] = []
    hooks = [
        module.register_forward_hook(lambda m, _given, out: ran.append((m, out.shape[2])) if out.dim() == 4 else None)
        for module in network.modules()
        if isinstance(module, (*RECTIFIERS, nn.Conv2d))
    ]
    try:
        with evaluating(network), torch.no_grad():
            network(inputs[:1])
    finally:
        for hook in hooks:
            hook.remove()
    if not ran:
        raise RealityError("Grad-CAM needs a network with at least one nn.Conv2d")
    return ran[-1]


def grad_cam(
    network: nn.Module, inputs: Tensor, targets: npt.ArrayLike, layer: nn.Module | None = None, batch: int = 64
) -> Floats:
    """Return (N, H, W) Grad-CAM maps, not negative, of the evidence for one class per picture.

    Args:
        network: the classifier.
        inputs: (N, 3, H, W), as the network takes them.
        targets: (N,) index of the class asked about.
        layer: whose activations are weighted; the one that :func:`map_layer` finds when left out.
        batch: pictures a pass.

    A map is ReLU(sum_k a_k A_k), a_k the mean over positions of d score_target / d A_k, interpolated bilinearly from
    the layer's grid to the picture. A map of zeros means: nothing in the layer speaks for the class.
    """
    wanted = torch.as_tensor(np.asarray(targets, dtype=np.int64))
    method = LayerGradCam(network, layer or map_layer(network, inputs)[0])
    maps = []
    with evaluating(network), torch.enable_grad():
        for start in range(0, len(inputs), batch):
            part = inputs[start : start + batch].detach()
            coarse = method.attribute(part, target=wanted[start : start + batch], relu_attributions=True)
            fine = LayerAttribution.interpolate(coarse, tuple(inputs.shape[2:]), interpolate_mode="bilinear")
            maps.append(fine[:, 0].detach().double().numpy())
    network.zero_grad(set_to_none=True)
    return np.concatenate(maps) if maps else np.zeros((0, *inputs.shape[2:]))


def occlusion(
    network: nn.Module, inputs: Tensor, targets: npt.ArrayLike, window_px: int, stride_px: int, batch: int = 256
) -> Floats:
    """Return (N, H, W) maps of how much p(target) falls when a square over that pixel is painted over.

    Args:
        network: the classifier.
        inputs: (N, 3, H, W).
        targets: (N,) index of the class asked about.
        window_px: side of the square; it is painted with the picture's own mean colour.
        stride_px: how far the square moves; a pixel's value is the mean over all squares that cover it.
        batch: painted pictures a pass.

    Positive: the probability fell, so the place spoke for the class. Negative: it spoke against.
    """
    height, width = inputs.shape[2:]
    if not 1 <= stride_px <= window_px <= min(height, width):
        raise RealityError(
            f"occlusion needs 1 <= stride ({stride_px}) <= window ({window_px}) <= the picture ({width}x{height} px)"
        )
    wanted = torch.as_tensor(np.asarray(targets, dtype=np.int64))
    method = Occlusion(lambda x: torch.softmax(network(x), dim=1))
    maps = np.zeros((len(inputs), height, width))
    with evaluating(network), torch.no_grad():
        for i in range(len(inputs)):
            picture = inputs[i : i + 1]
            fall = method.attribute(
                picture,
                sliding_window_shapes=(inputs.shape[1], window_px, window_px),
                strides=(inputs.shape[1], stride_px, stride_px),
                baselines=picture.mean(dim=(2, 3), keepdim=True).expand_as(picture),
                target=wanted[i : i + 1],
                perturbations_per_eval=batch,
            )
            maps[i] = fall[0, 0].double().numpy()
    return maps


def widened(mask: Bools, radius_px: int) -> Bools:
    """Return the mask grown by a square of that radius.

    Maps are coarser than masks: a square that just touches the object takes its neighbourhood with it. Growing the
    mask by half the map's cell keeps a network that looks at nothing but the object at a share of about one.
    """
    if radius_px <= 0:
        return np.asarray(mask, dtype=bool)
    grown = Image.fromarray(np.asarray(mask, dtype=np.uint8)).filter(ImageFilter.MaxFilter(2 * radius_px + 1))
    return np.asarray(grown, dtype=bool)


def share_inside(evidence: Floats, mask: Bools) -> float:
    """Return which share of the positive evidence lies inside the mask; nan where there is none at all."""
    positive = np.maximum(evidence, 0.0)
    total = float(positive.sum())
    return float(positive[mask].sum()) / total if total > 0.0 else float("nan")


def points_inside(evidence: Floats, mask: Bools) -> bool | None:
    """Play the pointing game: whether the strongest pixel lies inside the mask; None where there is no evidence.

    Of several equally strong pixels (occlusion maps have plateaus) the one nearest to their common centre counts.
    """
    peak = float(evidence.max())
    if peak <= 0.0:
        return None
    rows, columns = np.nonzero(evidence >= peak * (1.0 - 1e-9))
    nearest = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
    return bool(mask[rows[nearest], columns[nearest]])

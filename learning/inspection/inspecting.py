"""``inspect``: look into a trained network with a set of labelled pictures and write down what is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from scipy.spatial.distance import cdist
from torch import Tensor, nn

from foundation.errors import RealityError
from learning.inspection import pictures
from learning.inspection.attribution import (
    Bools,
    Floats,
    evaluating,
    grad_cam,
    map_layer,
    occlusion,
    points_inside,
    share_inside,
    widened,
)
from learning.inspection.findings import Findings, Layer, Reliance, Remote, Unit, plain
from learning.inspection.kernels import first_kernels, high_frequency_ratio
from learning.inspection.units import Activity, activity, dependence, features
from learning.loop.network import prepare

if TYPE_CHECKING:
    from learning.loop.task import Sample

AsInputs = Callable[[npt.NDArray[np.uint8]], Tensor]


@dataclass(frozen=True)
class Effort:
    """How much an inspection looks at.

    Attributes:
        gradcam_per_class: samples of each class for Grad-CAM.
        occlusion_per_class: samples of each class for occlusion maps, which cost hundreds of passes each; 0: none.
        window: side of the occluding square as a share of the picture's shorter side.
        neighbours: k of the feature-space distances.
        top: how many of the most exciting samples a unit shows.
        shuffles: null samples of the test whether a unit follows a parameter.
    """

    gradcam_per_class: int = 24
    occlusion_per_class: int = 8
    window: float = 0.2
    neighbours: int = 5
    top: int = 6
    shuffles: int = 100


def inspect(
    network: nn.Module,
    samples: Sequence[Sample],
    classes: Sequence[str],
    *,
    training: Sequence[Sample] = (),
    input_px: tuple[int, int] | None = None,
    as_inputs: AsInputs = prepare,
    effort: Effort | None = None,
    seed: int = 0,
) -> Findings:
    """Inspect a trained classifier.

    Args:
        network: takes what ``as_inputs`` gives, answers (N, classes) scores before the softmax. Left as it was.
        samples: labelled pictures it was not trained on; those that are not valid are left out.
        classes: names in the order of the scores.
        training: what it was trained on; without it, no feature-space distances.
        input_px: (width, height) the network was trained with; the pictures' own size when left out.
        as_inputs: turns (N, H, W, 3) uint8 into what the network takes; the loop's own normalisation by default.
        effort: how much to look at.
        seed: of the shuffles of the test whether a unit follows a parameter.

    The same arguments give the same findings.

    Raises:
        RealityError: no valid samples, a label that is no class, a network without convolutions or channels.
    """
    effort = effort or Effort()
    valid = _usable(samples, classes)
    if not valid:
        raise RealityError("no valid samples to inspect the network with")
    inputs = as_inputs(_stacked(valid, input_px))
    layers = activity(network, inputs)
    last = layers[-1]
    units = _units(last, valid, effort, seed)
    reliance, evidence = _reliance(network, valid, inputs, classes, effort)
    known = _usable(training, classes)
    remote = []
    if known:
        remote = _remote(network, valid, known, inputs, as_inputs(_stacked(known, input_px)), effort.neighbours)
    kernels = first_kernels(network)
    shown = {"kernels": pictures.kernel_sheet(kernels), "units": pictures.unit_sheet(units, valid)}
    if evidence:
        shown["attribution"] = pictures.attribution_sheet(evidence)
    ratios = high_frequency_ratio(kernels)
    return Findings(
        classes=tuple(classes),
        samples=len(valid),
        reliance=tuple(reliance),
        layers=tuple(_layer(one) for one in layers),
        units=tuple(units),
        kernel_ratios=tuple(None if np.isnan(ratio) else round(float(ratio), 4) for ratio in ratios),
        remote=tuple(remote),
        pictures=shown,
    )


def _usable(samples: Sequence[Sample], classes: Sequence[str]) -> list[Sample]:
    for sample in samples:
        if sample.valid and sample.label not in classes:
            raise RealityError(
                f"sample {sample.trial.id} has the label {sample.label!r}, which is none of {list(classes)}"
            )
    return [sample for sample in samples if sample.valid]


def _stacked(samples: Sequence[Sample], size: tuple[int, int] | None) -> npt.NDArray[np.uint8]:
    """Return (N, H, W, 3) pictures, averaged down to (width, height) as the loop does it."""
    if size is None:
        return np.stack([sample.image for sample in samples])
    resized = [Image.fromarray(sample.image).resize(size, Image.Resampling.BOX) for sample in samples]
    return np.stack([np.asarray(picture) for picture in resized])


def _layer(one: Activity) -> Layer:
    dead = tuple(int(channel) for channel in np.nonzero(one.silent)[0])
    return Layer(one.name, len(one.silent), dead, tuple(round(float(share), 5) for share in one.frequency))


def _units(last: Activity, samples: Sequence[Sample], effort: Effort, seed: int) -> list[Unit]:
    """Return the living channels of a layer with what excites them and which parameters they follow."""
    names = sorted({name for sample in samples for name in sample.trial.values})
    columns = {name: [sample.trial.values.get(name) for sample in samples] for name in names}
    alive = [int(channel) for channel in np.nonzero(~last.silent)[0]]
    if not alive:
        return []
    table = dependence(last.peak[:, alive], columns, seed, effort.shuffles)
    units = []
    for row, channel in enumerate(alive):
        order = np.argsort(-last.peak[:, channel], kind="stable")[: effort.top]
        real = [p for p in np.argsort(-table.bits[row], kind="stable") if table.real[row, p]]
        places = last.place[order, channel].round(4)
        units.append(
            Unit(
                layer=last.name,
                channel=channel,
                top=tuple(str(samples[i].trial.id) for i in order),
                places=tuple((float(place[0]), float(place[1])) for place in places),
                bits={name: round(float(value), 4) for name, value in zip(names, table.bits[row])},
                shares={name: round(float(value), 4) for name, value in zip(names, table.share[row])},
                follows=tuple(names[p] for p in real),
            )
        )
    return units


# -- reliance ------------------------------------------------------------------------------------------------------


def _reliance(
    network: nn.Module, samples: Sequence[Sample], inputs: Tensor, classes: Sequence[str], effort: Effort
) -> tuple[list[Reliance], list[pictures.Evidence]]:
    """Return one record per class with masks, and two samples of each to show."""
    found: list[Reliance] = []
    shown: list[pictures.Evidence] = []
    height, width = inputs.shape[2:]
    window = max(1, round(effort.window * min(height, width)))
    layer, rows = map_layer(network, inputs)
    cell = max(1, round(height / rows))
    for index, label in enumerate(classes):
        masked = [i for i, s in enumerate(samples) if s.label == label and s.mask is not None and s.mask.any()]
        chosen = _spread(masked, effort.gradcam_per_class)
        if not chosen:
            continue
        cams = grad_cam(network, inputs[chosen], [index] * len(chosen), layer)
        cam = _scores(cams, [_mask(samples[i], (width, height), cell // 2) for i in chosen])
        occluded = _spread(chosen, effort.occlusion_per_class)
        maps = occlusion(network, inputs[occluded], [index] * len(occluded), window, max(1, window // 2))
        fall = _scores(maps, [_mask(samples[i], (width, height), window // 2) for i in occluded])
        found.append(Reliance(label, len(chosen), *cam, len(occluded), *fall))
        with evaluating(network), torch.no_grad():
            said = network(inputs[occluded]).argmax(dim=1).tolist() if occluded else []
        for i, answer, map_ in list(zip(occluded, said, maps))[:2]:
            cam_map = cams[chosen.index(i)]
            shown.append(pictures.Evidence(samples[i].image, samples[i].mask, cam_map, map_, label, classes[answer]))
    return found, shown


def _spread(indices: Sequence[int], count: int) -> list[int]:
    """Return at most ``count`` of the indices, evenly spread over them."""
    if len(indices) <= count:
        return list(indices)
    return [indices[int(i * len(indices) / count)] for i in range(count)]


def _mask(sample: Sample, size: tuple[int, int], radius_px: int) -> Bools:
    """Return the sample's mask on the network's input: every pixel that the object touches, widened."""
    assert sample.mask is not None
    coverage = Image.fromarray(sample.mask.astype(np.float32)).resize(size, Image.Resampling.BOX)
    return widened(np.asarray(coverage) > 0.0, radius_px)


def _scores(maps: Floats, masks: Sequence[Bools]) -> tuple[float | None, float, float, int]:
    """Return (mean share inside, pointing game, mean area of the masks, samples without evidence)."""
    if not masks:
        return None, 0.0, 0.0, 0
    shares = np.array([share_inside(map_, mask) for map_, mask in zip(maps, masks)])
    hits = [points_inside(map_, mask) for map_, mask in zip(maps, masks)]
    empty = int(np.isnan(shares).sum())
    inside = None if empty == len(shares) else round(float(np.nanmean(shares)), 4)
    area = float(np.mean([mask.mean() for mask in masks]))
    return inside, round(float(np.mean([hit is True for hit in hits])), 4), round(area, 4), empty


# -- feature space -------------------------------------------------------------------------------------------------


def _remote(
    network: nn.Module, samples: Sequence[Sample], training: Sequence[Sample], inputs: Tensor, known: Tensor, k: int
) -> list[Remote]:
    """Return every sample's place among the training samples in the network's features, the most remote first."""
    theirs = features(network, known)
    ours = features(network, inputs)
    between = cdist(ours, theirs)
    labels = np.array([sample.label for sample in training])
    inner = {label: _typical(theirs[labels == label], k) for label in sorted(set(labels.tolist()))}
    overall = float(np.median([d for d in inner.values() if np.isfinite(d)] or [1.0]))
    found = []
    for sample, row in zip(samples, between):
        own = np.sort(row[labels == sample.label])
        # A class with fewer than k training samples is as far as its last one; one with none, as the farthest of all.
        reach = float(own[min(k, len(own)) - 1]) if len(own) else float(row.max())
        scale = inner.get(sample.label, overall)
        scale = scale if np.isfinite(scale) and scale > 0 else overall
        nearest = labels[np.argsort(row, kind="stable")[:k]]
        foreign = float(np.mean(nearest != sample.label))
        trial = sample.trial
        found.append(
            Remote(str(trial.id), sample.label, round(reach / scale, 4), round(foreign, 4), plain(trial.values))
        )
    return sorted(found, key=lambda one: (-one.foreign, -one.distance, one.sample))


def _typical(points: Floats, k: int) -> float:
    """Return the median distance of points to the k-th nearest of the others; nan for fewer than two points."""
    if len(points) < 2:
        return float("nan")
    distances = np.sort(cdist(points, points), axis=1)
    return float(np.median(distances[:, min(k, len(points) - 1)]))

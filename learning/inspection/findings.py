"""What an inspection found, as records that go to JSON and back, and the pictures that belong to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.errors import InputError

FORMAT = 1
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Reliance:
    """Whether the evidence for a class lies on the object itself, over the samples of the class that have a mask.

    Attributes:
        label: the class; its own samples were asked about it.
        samples: how many were looked at.
        gradcam_inside: mean share of Grad-CAM's energy inside the (widened) mask; None without any evidence.
        gradcam_hits: share of samples whose strongest Grad-CAM pixel lies inside (pointing game); none is a miss.
        gradcam_area: mean share of the picture that this widened mask covers: what a network that looks anywhere gets.
        gradcam_empty: samples without any positive evidence.
        occluded: how many samples the occlusion maps were made for.
        occlusion_inside, occlusion_hits, occlusion_area, occlusion_empty: the same for the fall of the probability.
    """

    label: str
    samples: int
    gradcam_inside: float | None
    gradcam_hits: float
    gradcam_area: float
    gradcam_empty: int
    occluded: int
    occlusion_inside: float | None
    occlusion_hits: float
    occlusion_area: float
    occlusion_empty: int

    @property
    def inside(self) -> float | None:
        """The share that the rule reads: occlusion's, since it is measured on the output; Grad-CAM's without it."""
        return self.occlusion_inside if self.occlusion_inside is not None else self.gradcam_inside


@dataclass(frozen=True)
class Layer:
    """One layer's channels over all pictures.

    Attributes:
        name: in the network.
        channels: how many.
        dead: channels whose output was zero at every position of every picture.
        frequency: per channel, the share of positions at which it fired.
    """

    name: str
    channels: int
    dead: tuple[int, ...]
    frequency: tuple[float, ...]

    @property
    def dead_share(self) -> float:
        """Share of dead channels."""
        return len(self.dead) / self.channels


@dataclass(frozen=True)
class Unit:
    """One channel of the last layer: what excites it most, and which parameters it follows.

    Attributes:
        layer, channel: which one.
        top: ids of the samples with the highest activation, highest first.
        places: (row, column) of that activation in each, as shares of height and width.
        bits: parameter -> mutual information with the activation, bits, corrected for chance.
        shares: parameter -> the same as a share of the unit's own entropy.
        follows: the parameters whose information exceeds what shuffled samples give, strongest first.
    """

    layer: str
    channel: int
    top: tuple[str, ...]
    places: tuple[tuple[float, float], ...]
    bits: Mapping[str, float]
    shares: Mapping[str, float]
    follows: tuple[str, ...]


@dataclass(frozen=True)
class Remote:
    """A sample among whose nearest training samples, in the network's features, few have its own class.

    Attributes:
        sample: its id.
        label: its class.
        distance: to the k-th nearest training sample of its class, in units of the median that training samples have
            among themselves.
        foreign: share of the k nearest training samples of any class that have another class.
        values: its parameters.
    """

    sample: str
    label: str
    distance: float
    foreign: float
    values: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Findings:
    """All findings about one network.

    Attributes:
        classes: names in the order of the network's outputs.
        samples: pictures looked at.
        reliance: one record per class that has masks.
        layers: in the order in which they run.
        units: channels of the last layer that are alive.
        kernel_ratios: per first-layer kernel, the share of its energy at high frequencies; None for one of zeros.
        remote: all samples with their feature-space distances, the most remote first; empty without training samples.
        pictures: name -> (H, W, 3) picture: "kernels", "attribution", "units". Not part of the JSON; kept as PNG.
    """

    classes: tuple[str, ...]
    samples: int
    reliance: tuple[Reliance, ...]
    layers: tuple[Layer, ...]
    units: tuple[Unit, ...]
    kernel_ratios: tuple[float | None, ...]
    remote: tuple[Remote, ...] = ()
    pictures: Mapping[str, Picture] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as what JSON can hold."""
        record = {name: value for name, value in vars(self).items() if name != "pictures"}
        for name in ("reliance", "layers", "units", "remote"):
            record[name] = [asdict(item) for item in record[name]]
        return {"format": FORMAT, **record}

    @staticmethod
    def from_dict(record: Mapping[str, Any], pictures: Mapping[str, Picture] | None = None) -> Findings:
        """Return the findings that :meth:`to_dict` wrote; raises KeyError or TypeError for anything else."""
        return Findings(
            classes=tuple(record["classes"]),
            samples=int(record["samples"]),
            reliance=tuple(Reliance(**item) for item in record["reliance"]),
            layers=tuple(
                Layer(item["name"], item["channels"], tuple(item["dead"]), tuple(item["frequency"]))
                for item in record["layers"]
            ),
            units=tuple(_unit(item) for item in record["units"]),
            kernel_ratios=tuple(record["kernel_ratios"]),
            remote=tuple(Remote(**item) for item in record["remote"]),
            pictures=dict(pictures or {}),
        )

    def save(self, folder: str | Path) -> None:
        """Write findings.json and one PNG a picture into ``folder``."""
        from PIL import Image

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, picture in sorted(self.pictures.items()):
            Image.fromarray(picture).save(folder / f"{name}.png")
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False)
        (folder / "findings.json").write_text(text + "\n", encoding="utf-8")

    @staticmethod
    def load(folder: str | Path) -> Findings:
        """Return what :meth:`save` wrote.

        Raises:
            InputError: findings.json is missing, broken or of another format.
        """
        from PIL import Image

        path = Path(folder) / "findings.json"
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["format"] != FORMAT:
                raise InputError(
                    f"findings of format {record['format']}, this version reads {FORMAT}",
                    file=path,
                    remedy="inspect the network again",
                )
            pictures = {
                file.stem: np.asarray(Image.open(file).convert("RGB")) for file in sorted(path.parent.glob("*.png"))
            }
            return Findings.from_dict(record, pictures)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"not the findings of an inspection: {error}", file=path) from error


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameter values as JSON knows them: numpy's scalars become Python's."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


def _unit(item: Mapping[str, Any]) -> Unit:
    places = tuple((float(row), float(column)) for row, column in item["places"])
    follows = tuple(item["follows"])
    return Unit(item["layer"], item["channel"], tuple(item["top"]), places, item["bits"], item["shares"], follows)

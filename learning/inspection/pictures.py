"""The pictures of an inspection, as (H, W, 3) uint8 arrays: kernels, maps over pictures, what excites a unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from learning.inspection.findings import Unit

if TYPE_CHECKING:
    from learning.loop.task import Sample

Floats = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]

PAPER = 255
TILE_PX = 160
"""Longer side of a shown sample."""
GAP_PX = 6
CAPTION_PX = 16
MARK = (255, 220, 0)


@dataclass(frozen=True, eq=False)
class Evidence:
    """One sample with its two maps.

    Attributes:
        image: (H, W, 3) uint8.
        mask: (H, W) bool, drawn as an outline.
        cam: Grad-CAM for the true class, on the network's input; shown enlarged to the picture.
        fall: fall of the true class's probability under the occluder, the same.
        truth: the class asked about.
        answer: what the network says.
    """

    image: Picture
    mask: npt.NDArray[np.bool_] | None
    cam: Floats
    fall: Floats
    truth: str
    answer: str


def heat(map_: Floats) -> Picture:
    """Return (H, W, 3): black through red and yellow to white for 0 to 1 (values outside are clipped)."""
    value = np.clip(map_, 0.0, 1.0)[..., None] * 3.0 - np.arange(3.0)
    return np.asarray(np.clip(value, 0.0, 1.0) * 255.0).astype(np.uint8)


def overlay(image: Picture, map_: Floats) -> Picture:
    """Return the picture in dimmed grey with the positive part of the map, scaled to its own maximum, glowing in it."""
    grey = image.astype(np.float64).mean(axis=2, keepdims=True).repeat(3, axis=2)
    if map_.shape != image.shape[:2]:
        size = (image.shape[1], image.shape[0])
        map_ = np.asarray(Image.fromarray(map_.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))
    peak = float(map_.max())
    strength = np.clip(map_ / peak, 0.0, 1.0) if peak > 0.0 else np.zeros(map_.shape)
    mixed = grey * (1.0 - 0.75 * strength[..., None]) + heat(strength).astype(np.float64) * 0.75 * strength[..., None]
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _scale(image: Picture) -> int:
    return max(1, TILE_PX // max(image.shape[:2]))


def _enlarged(image: Picture, factor: int) -> Picture:
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def _outlined(image: Picture, mask: npt.NDArray[np.bool_] | None, factor: int) -> Picture:
    """Return the enlarged picture with the mask's border in the mark's colour, one screen pixel wide."""
    big = _enlarged(image, factor).copy()
    if mask is not None:
        large = np.pad(mask.repeat(factor, axis=0).repeat(factor, axis=1), 1)
        inner = large[1:-1, 1:-1]
        whole = inner & large[:-2, 1:-1] & large[2:, 1:-1] & large[1:-1, :-2] & large[1:-1, 2:]
        big[inner & ~whole] = MARK
    return big


def _table(rows: Sequence[Sequence[Picture]], captions: Sequence[str], columns: int = 1) -> Picture:
    """Return rows of equally tall tiles below their captions, in so many columns of rows."""
    strips = []
    for row, caption in zip(rows, captions):
        gap = np.full((row[0].shape[0], GAP_PX, 3), PAPER, dtype=np.uint8)
        parts = [part for tile in row for part in (tile, gap)]
        strip = np.concatenate(parts, axis=1)
        head = Image.new("RGB", (strip.shape[1], CAPTION_PX), (PAPER,) * 3)
        ImageDraw.Draw(head).text((0, 2), caption, fill=(40, 40, 40))
        foot = np.full((GAP_PX, strip.shape[1], 3), PAPER, dtype=np.uint8)
        strips.append(np.concatenate([np.asarray(head), strip, foot]))
    width, height = max(s.shape[1] for s in strips), max(s.shape[0] for s in strips)
    lines = -(-len(strips) // columns)
    sheet = np.full((lines * height, columns * (width + GAP_PX), 3), PAPER, dtype=np.uint8)
    for i, strip in enumerate(strips):
        top, left = (i // columns) * height, (i % columns) * (width + GAP_PX)
        sheet[top : top + strip.shape[0], left : left + strip.shape[1]] = strip
    return sheet


def attribution_sheet(evidence: Sequence[Evidence]) -> Picture:
    """Return, for each sample: the picture with its object outlined, Grad-CAM, the fall under the occluder."""
    rows, captions = [], []
    for one in evidence:
        factor = _scale(one.image)
        maps = [_outlined(overlay(one.image, map_), one.mask, factor) for map_ in (one.cam, one.fall)]
        rows.append([_outlined(one.image, one.mask, factor), *maps])
        captions.append(f"{one.truth}: correct" if one.truth == one.answer else f"{one.truth}: taken for {one.answer}")
    return _table(rows, captions, columns=2 if len(rows) > 1 else 1)


def kernel_sheet(kernels: Floats, tile_px: int = 48, columns: int = 16) -> Picture:
    """Return the kernels side by side: grey is zero; three input channels are shown as colours, others as their sum."""
    tiles = []
    for kernel in kernels:
        shown = kernel.transpose(1, 2, 0) if kernel.shape[0] == 3 else kernel.sum(axis=0)[..., None].repeat(3, axis=2)
        peak = float(np.abs(shown).max()) or 1.0
        small = np.clip(127.5 + 127.5 * shown / peak, 0, 255).astype(np.uint8)
        tiles.append(_enlarged(small, max(1, tile_px // small.shape[0])))
    columns = min(columns, len(tiles))
    height, width = tiles[0].shape[:2]
    lines = -(-len(tiles) // columns)
    sheet = np.full((lines * (height + GAP_PX), columns * (width + GAP_PX), 3), PAPER, dtype=np.uint8)
    for i, tile in enumerate(tiles):
        top, left = (i // columns) * (height + GAP_PX), (i % columns) * (width + GAP_PX)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def unit_sheet(units: Sequence[Unit], samples: Sequence[Sample], count: int = 6) -> Picture:
    """Return the samples that excite some units most; a square marks where.

    The units shown are those whose strongest bond to a single parameter is strongest, each parameter in its turn.
    """
    by_id = {str(sample.trial.id): sample for sample in samples}
    rows, captions = [], []
    for unit in telling(units, count):
        tiles = []
        for name, (row, column) in zip(unit.top, unit.places):
            image = by_id[name].image
            factor = max(1, _scale(image) * 2 // 3)
            shown = Image.fromarray(_enlarged(image, factor))
            x, y, half = column * shown.width, row * shown.height, 0.08 * max(shown.size)
            ImageDraw.Draw(shown).rectangle((x - half, y - half, x + half, y + half), outline=MARK)
            tiles.append(np.asarray(shown))
        rows.append(tiles)
        captions.append(f"filter {unit.channel}: " + bond(unit))
    if not rows:
        return np.full((CAPTION_PX, CAPTION_PX, 3), PAPER, dtype=np.uint8)
    return _table(rows, captions)


def telling(units: Sequence[Unit], count: int) -> list[Unit]:
    """Return the units that follow a parameter most, parameters taking turns so that one cannot fill the page."""
    queues: dict[str, list[Unit]] = {}
    for unit in sorted(units, key=lambda u: -max(u.shares.values(), default=0.0)):
        queues.setdefault(unit.follows[0] if unit.follows else "", []).append(unit)
    silent = queues.pop("", [])
    chosen: list[Unit] = []
    while len(chosen) < count and any(queues.values()):
        chosen += [queue.pop(0) for queue in queues.values() if queue]
    return (chosen + silent)[:count]


def bond(unit: Unit) -> str:
    """Return in words which parameters a unit follows."""
    if not unit.follows:
        return "follows no single parameter"
    named = [f"{name} ({100 * unit.shares[name]:.0f} %)" for name in unit.follows[:3]]
    return "follows " + ", ".join(named)

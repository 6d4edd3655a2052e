"""COCO's instance annotations: run-length masks and the JSON that pycocotools reads.

Masks are column-major run lengths, beginning with a run of zeros, in COCO's compressed text (``maskApi.c``,
``rleToString``): each count, from the third on as the difference to the count two before, in groups of five bits,
lowest first, bit 5 saying that more follow, as the character 48 + group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.ids import ROAD_USERS
from sensors.labels import CLASS_NAMES

Bools = npt.NDArray[np.bool_]


def categories() -> list[dict[str, Any]]:
    """Return COCO's category list; ids are CARLA's semantic tags."""
    return [{"id": int(tag), "name": CLASS_NAMES[tag], "supercategory": "road_user"} for tag in sorted(ROAD_USERS)]


def run_lengths(mask: Bools) -> list[int]:
    """Return the column-major runs of a (H, W) mask; the first counts zeros, and is 0 when a one comes first."""
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    bounds = np.concatenate([[0], changes, [flat.size]])
    runs = np.diff(bounds).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def encode_mask(mask: Bools) -> dict[str, Any]:
    """Return COCO's compressed run-length object of a (H, W) mask."""
    counts = run_lengths(mask)
    text = []
    for index, count in enumerate(counts):
        value = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            group = value & 0x1F
            value >>= 5
            more = value != (-1 if group & 0x10 else 0)
            text.append(chr((group | (0x20 if more else 0)) + 48))
    return {"size": [int(mask.shape[0]), int(mask.shape[1])], "counts": "".join(text)}


def decode_mask(encoded: Mapping[str, Any]) -> Bools:
    """Return the (H, W) mask of a compressed run-length object."""
    height, width = encoded["size"]
    counts: list[int] = []
    value = shift = 0
    for character in encoded["counts"]:
        group = ord(character) - 48
        value |= (group & 0x1F) << shift
        shift += 5
        if not group & 0x20:
            if group & 0x10:
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    values = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return values.reshape((width, height)).T


class CocoFile:
    """The annotations of one camera, collected frame by frame.

    ``bbox`` is the tight box of the visible mask, as COCO has it; our other fields ride along and readers skip them.
    """

    def __init__(self, description: str) -> None:
        self._description = description
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def add_image(self, file_name: str, width: int, height: int, frame_index: int) -> int:
        """Add an image and return its id."""
        image_id = len(self._images) + 1
        self._images.append(
            {"id": image_id, "file_name": file_name, "width": width, "height": height, "frame_index": frame_index}
        )
        return image_id

    def add_object(self, image_id: int, category_id: int, mask: Bools, extra: Mapping[str, Any]) -> None:
        """Add one object by its visible mask, (H, W), which must not be empty."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            raise ValueError("an annotation needs at least one visible pixel")
        left, top = int(columns[0]), int(rows[0])
        self._annotations.append(
            {
                "id": len(self._annotations) + 1,
                "image_id": image_id,
                "category_id": category_id,
                "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
                "area": int(mask.sum()),
                "iscrowd": 0,
                "segmentation": encode_mask(mask),
                **extra,
            }
        )

    def content(self) -> dict[str, Sequence[Any] | Mapping[str, Any]]:
        """Return the whole document."""
        return {
            "info": {"description": self._description, "version": "1"},
            "licenses": [],
            "images": self._images,
            "annotations": self._annotations,
            "categories": categories(),
        }

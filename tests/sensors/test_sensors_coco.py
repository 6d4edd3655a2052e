"""COCO masks and files. The reference strings were worked out with the definition of maskApi.c by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sensors.coco import CocoFile, categories, decode_mask, encode_mask, run_lengths


def test_runs_are_column_major_and_begin_with_zeros():
    mask = np.array([[0, 1, 1], [0, 1, 0]], dtype=bool)
    assert run_lengths(mask) == [2, 3, 1]
    assert run_lengths(~mask) == [0, 2, 3, 1]
    assert run_lengths(np.zeros((2, 2), dtype=bool)) == [4]


def test_known_strings():
    # [2, 3, 1]: each below 16, one group, character 48 + value.
    assert encode_mask(np.array([[0, 1, 1], [0, 1, 0]], dtype=bool)) == {"size": [2, 3], "counts": "231"}
    # [40, 24]: 40 = 8 + 1 * 32 -> (8 | 32) + 48 = "X", 1 + 48 = "1"; 24 has bit 4 set, so a 0 group must follow.
    mask = np.arange(64).reshape(8, 8, order="F") >= 40
    assert encode_mask(mask) == {"size": [8, 8], "counts": "X1h0"}
    # [1, 1, 1, 5]: the fourth is stored as 5 - 1 = 4. [1, 5, 1, 1]: as 1 - 5 = -4 -> (-4 & 31) + 48 = "L".
    assert encode_mask(np.array([[0, 1, 0, 1, 1, 1, 1, 1]], dtype=bool))["counts"] == "1114"
    assert encode_mask(np.array([[0, 1, 1, 1, 1, 1, 0, 1]], dtype=bool))["counts"] == "151L"


@given(arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_masks_come_back(mask):
    assert (decode_mask(encode_mask(mask)) == mask).all()


def test_large_smooth_masks_come_back():
    v, u = np.mgrid[:480, :640]
    mask = (u - 300) ** 2 + (v - 200) ** 2 < 150**2
    encoded = encode_mask(mask)
    assert (decode_mask(encoded) == mask).all()
    assert len(encoded["counts"]) < 2000


def test_pycocotools_reads_it_when_there():
    mask_api = pytest.importorskip("pycocotools.mask")
    mask = np.random.default_rng(0).random((48, 64)) > 0.7
    assert (mask_api.decode(encode_mask(mask)) == mask).all()


def test_a_file_has_what_readers_look_up():
    coco = CocoFile("test")
    image = coco.add_image("front/rgb/000000.png", 64, 48, 0)
    mask = np.zeros((48, 64), dtype=bool)
    mask[10:20, 30:35] = True
    coco.add_object(image, 14, mask, {"track_id": 3})
    with pytest.raises(ValueError, match="visible pixel"):
        coco.add_object(image, 14, np.zeros((48, 64), dtype=bool), {})
    content = coco.content()
    (annotation,) = content["annotations"]
    assert annotation["bbox"] == [30, 10, 5, 10]
    assert annotation["area"] == 50
    assert annotation["iscrowd"] == 0
    assert annotation["track_id"] == 3
    assert annotation["image_id"] == content["images"][0]["id"]
    assert annotation["category_id"] in {c["id"] for c in content["categories"]}
    assert [c["name"] for c in categories()] == [
        "pedestrian", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"
    ]  # fmt: skip

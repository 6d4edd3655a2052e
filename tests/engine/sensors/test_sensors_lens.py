"""Lens distortion and coloured fringes: none by default, and by formula when asked for."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from engine.sensors import SENSORS, base
from engine.sensors.lens import Lens

W, H = 121, 61


def ramp():
    """Blue tells the column, green the row."""
    picture = np.zeros((H, W, 4), dtype=np.uint8)
    picture[..., 0], picture[..., 1], picture[..., 2] = np.arange(W), np.arange(H)[:, None], np.arange(W)
    return picture


def lens(k=-1.0, kcube=0.0, multiplier=0.8, falloff=2.0, size=(0.08, 0.08), fringe=(0.0, 0.0)):
    return Lens(k, kcube, (multiplier, falloff), size, fringe)


@pytest.mark.parametrize("name", ["rgb", "depth", "semantic_segmentation", "optical_flow", "dvs"])
def test_the_default_lens_is_a_pinhole(name):
    assert SENSORS[f"sensor.camera.{name}"]({}, 1).lens.neutral


def test_switched_off_post_processing_leaves_the_picture_alone():
    asked = {"lens_circle_multiplier": "3", "chromatic_aberration_intensity": "1"}
    assert not SENSORS["sensor.camera.rgb"](asked, 1).lens.neutral
    assert SENSORS["sensor.camera.rgb"](asked | {"enable_postprocess_effects": "false"}, 1).lens.neutral


@pytest.mark.parametrize("smooth", [True, False])
def test_pixels_come_from_where_the_formula_says(smooth):
    found = lens(k=-1.0, kcube=0.5, multiplier=3.0).warp(ramp(), smooth=smooth)
    assert found.dtype == np.uint8
    for column, line in ((0, 30), (120, 0), (100, 45), (60, 30)):
        x, y = (column + 0.5) / W * 2 - 1, ((line + 0.5) / H * 2 - 1) * H / W
        r = np.hypot(x, y)
        factor = 1 + min(3.0 * r**2, 1.0) * 0.08 * (-(r**2) + 0.5 * r**3)
        assert found[line, column, 0] == pytest.approx((x * factor + 1) / 2 * W - 0.5, abs=0.51)
        assert found[line, column, 1] == pytest.approx((y * W / H * factor + 1) / 2 * H - 0.5, abs=0.51)


def test_each_value_matters_and_labels_are_never_mixed():
    plain = lens().warp(ramp(), smooth=True)
    for other in (lens(k=-2.0), lens(kcube=1.0), lens(multiplier=0.2), lens(falloff=4.0), lens(size=(0.2, 0.08))):
        assert not np.array_equal(other.warp(ramp(), smooth=True), plain)
    tags = np.where(np.arange(W) % 2, 200, 10).astype(np.uint8) * np.ones((H, 1), np.uint8)
    assert set(np.unique(lens().warp(np.repeat(tags[..., None], 4, 2), smooth=False))) == {10, 200}
    flow = np.random.default_rng(1).normal(size=(H, W, 2)).astype(np.float32)
    assert lens().warp(flow, smooth=False).shape == flow.shape


def test_fringes_move_red_and_green_outwards_from_where_they_begin():
    found = lens(multiplier=0.0, fringe=(5.0, 0.5)).warp(ramp(), smooth=True).astype(int)
    assert (found[30, 40:80] == ramp()[30, 40:80]).all()
    assert found[30, 120, 0] == 120
    assert found[30, 120, 2] < 119
    assert found[30, 0, 2] > 1


def test_what_has_no_effect_is_said_once(caplog, monkeypatch):
    monkeypatch.setattr(base, "_noted", set())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            SENSORS["sensor.camera.rgb"]({"bloom_intensity": "2.0", "motion_blur_intensity": "0.45"}, 1)
    assert [record.getMessage() for record in caplog.records] == [
        "sensor.camera.rgb: attribute bloom_intensity has no effect here"
    ]

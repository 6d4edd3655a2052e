"""Debug shapes: in the colours only, hidden by what stands before them, and gone without a trace."""

from __future__ import annotations

import numpy as np
import pytest
from render_worlds import box_mesh, plate_mesh, thing, world

from engine.render import Optics, View
from engine.render.hud import Hud, draw_hud
from engine.render.shapes import segments
from foundation.ids import Tag

VIEW = View((0.0, 0.0, 1.5), (0.0, 0.0, 0.0), 90.0, 200, 120, Optics(postprocess=False))
ALL = frozenset({"rgb", "depth", "instance", "normals"})
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def scene():
    return world(
        thing(1, Tag.ROADS, plate_mesh(-100, 100, -100, 100, 0.0, Tag.ROADS, (90, 90, 90))),
        thing(2, Tag.WALLS, box_mesh((10, -3, 1.5), (0.2, 2, 1.5), Tag.WALLS)),
    )


def shapes(*rows):
    made = segments(len(rows))
    for n, (begin, end, width, point, color) in enumerate(rows):
        made[n] = (begin, end, width, point, color)
    return made


def pure(picture, color):
    """Where a picture has exactly this RGB."""
    return (picture[..., 2::-1] == color).all(axis=-1)


def test_shapes_are_in_the_colours_only_and_leave_no_trace(renderer_of):
    renderer = renderer_of(scene())
    plain = renderer.render(VIEW, ALL)
    line = shapes(((5, -2, 1), (5, 2, 2), 0.1, False, RED))
    renderer.set_shapes(line)
    drawn, again = renderer.render(VIEW, ALL), renderer.render(VIEW, ALL)
    assert pure(drawn["rgb"], RED).sum() > 100
    for name in ("depth", "instance", "normals"):
        assert np.array_equal(drawn[name], plain[name]), name
    assert np.array_equal(drawn["rgb"], again["rgb"])
    renderer.set_shapes(segments(0))
    assert np.array_equal(renderer.render(VIEW, ALL)["rgb"], plain["rgb"])


def test_the_world_hides_what_is_behind_it(renderer_of):
    renderer = renderer_of(scene())
    renderer.set_shapes(shapes(((14, -8, 1.5), (14, 8, 1.5), 0.3, False, BLUE)))
    seen = pure(renderer.render(VIEW, ALL)["rgb"], BLUE)
    behind = slice(52, 86)  # the wall: y from -5 to -1 at x = 10
    assert not seen[:, behind].any()
    assert seen[:, 102:150].any(axis=0).all()


def test_thickness_is_metres_for_lines_and_pixels_for_points(renderer_of):
    renderer = renderer_of(scene())
    near, far = ((5, 0.5, 1.5), (5, 4, 1.5)), ((20, 2, 3.5), (20, 16, 3.5))
    renderer.set_shapes(shapes((*near, 0.5, False, RED), (*far, 0.5, False, GREEN)))
    rgb = renderer.render(VIEW, ALL)["rgb"]
    height = lambda color: int(pure(rgb, color).sum(axis=0).max())  # noqa: E731
    assert height(RED) == pytest.approx(10, abs=2)  # 0.5 m at 5 m with a focal length of 100 px
    assert height(GREEN) <= 3
    renderer.set_shapes(shapes(((5, 1, 1.5), (5, 1, 1.5), 12, True, RED), ((50, 20, 5), (50, 20, 5), 12, True, BLUE)))
    rgb = renderer.render(VIEW, ALL)["rgb"]
    for color in (RED, BLUE):
        assert int(pure(rgb, color).any(axis=0).sum()) == pytest.approx(12, abs=2)
        assert int(pure(rgb, color).any(axis=1).sum()) == pytest.approx(12, abs=2)


def test_lines_that_begin_behind_the_camera_are_seen_ahead_of_it(renderer_of):
    renderer = renderer_of(scene())
    renderer.set_shapes(shapes(((-5, 1, 0.5), (30, 1, 0.5), 0.1, False, RED), ((-9, 1, 1), (-3, 1, 1), 1, False, BLUE)))
    rgb = renderer.render(VIEW, ALL)["rgb"]
    assert pure(rgb, RED)[118].any()
    assert not pure(rgb, BLUE).any()


def test_a_thin_line_is_a_pixel_wide(renderer_of):
    renderer = renderer_of(scene())
    renderer.set_shapes(shapes(((5, -3, 2.53), (5, 3, 2.53), 0.0, False, RED)))
    red = pure(renderer.render(VIEW, {"rgb"})["rgb"], RED)
    assert red[:, 41:159].sum(axis=0).tolist() == [1] * 118


def test_the_window_shows_texts_and_hud_shapes():
    black = np.zeros((120, 200, 4), dtype=np.uint8)
    lines = shapes(((5, -2, 1.5), (5, 2, 1.5), 3, False, RED), ((-5, 0, 1.5), (-6, 0, 1.5), 3, False, GREEN))
    hud = Hud((((5.0, -1.0, 2.5), "CARLA", BLUE, False), ((-5.0, 0.0, 1.5), "behind", GREEN, False)), lines)
    drawn = draw_hud(black, VIEW, hud)
    assert pure(drawn, RED).any(axis=1).sum() == 3
    assert pure(drawn, RED).any(axis=0).sum() == pytest.approx(80, abs=3)
    blue = np.argwhere(drawn[..., 0] > 128)
    assert len(blue) > 20
    assert blue.min(axis=0) == pytest.approx((40, 80), abs=6)
    assert not pure(drawn, GREEN).any()
    assert not black.any()

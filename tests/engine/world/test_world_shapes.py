"""Debug shapes of an episode: primitives, life times, clearing; and when sensors are due."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.protocol.structs import Color, DebugShape
from engine.world.sensing import Mounted
from engine.world.shapes import DebugShapes
from foundation.errors import RealityError

LINE = (1, ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 0.1))


def drawn(*primitives, life_time=0.0):
    shapes = DebugShapes()
    for primitive in primitives:
        shapes.add(DebugShape(primitive, Color(1, 2, 3), life_time))
    shapes.step(0.05)
    return shapes


def seen_frames(life_time, step_s=0.05, frames=10):
    shapes = DebugShapes()
    shapes.add(DebugShape(LINE, Color(), life_time))
    shapes.add(DebugShape((4, ((0.0, 0.0, 0.0), "text", False)), Color(), life_time))
    seen = []
    for _ in range(frames):
        shapes.step(step_s)
        assert bool(shapes.hud.texts) == (len(shapes.segments) > 0)
        seen.append(len(shapes.segments) > 0)
    return seen.count(True), seen


@pytest.mark.parametrize(("life_time", "count"), [(-1.0, 10), (0.0, 10), (0.01, 1), (0.05, 1), (0.1, 1), (0.2, 3)])
def test_life_times_count_simulated_seconds(life_time, count):
    """As Unreal's line batcher: a shape is drawn while time is left after the step; but at least once."""
    found, seen = seen_frames(life_time)
    assert found == count
    assert seen[0]


def test_primitives_become_lines_and_points():
    shapes = drawn(
        (0, ((1.0, 2.0, 3.0), 0.2)),
        LINE,
        (2, (((0.0, 0.0, 0.0), (0.0, 4.0, 0.0), 0.1), 0.5)),
        (3, (((1.0, 0.0, 1.0), (2.0, 1.0, 0.5), (0.0, 0.0, 0.0), 0), (0.0, 90.0, 0.0), 0.05)),
    )
    found = shapes.segments
    assert len(found) == 1 + 1 + 5 + 12
    assert (found["color"] == (1, 2, 3)).all()
    assert found["point"].tolist() == [True] + [False] * 18
    assert found["width"][:2] == pytest.approx([20.0, 0.1])
    barbs = found[3:7]
    assert np.allclose(barbs["end"], (0.0, 4.0, 0.0))
    assert np.allclose(sorted(map(tuple, np.round(barbs["begin"], 4).tolist())), [
        (-0.5, 3.5, -0.5), (-0.5, 3.5, 0.5), (0.5, 3.5, -0.5), (0.5, 3.5, 0.5),
    ], atol=1e-4)  # fmt: skip
    corners = np.concatenate([found["begin"][7:], found["end"][7:]])
    assert corners.min(axis=0) == pytest.approx((0.0, -2.0, 0.5), abs=1e-5)  # turned by 90 degrees
    assert corners.max(axis=0) == pytest.approx((2.0, 2.0, 1.5), abs=1e-5)


def test_hud_shapes_and_texts_are_not_for_cameras():
    shapes = drawn((5, ((0.0, 0.0, 0.0), 7.0)), (6, LINE[1]), (4, ((0.0, 0.0, 0.0), "hello", True)))
    assert len(shapes.segments) == 0
    assert shapes.hud.segments["width"].tolist() == pytest.approx([7.0, 0.1])
    assert shapes.hud.texts == (((0.0, 0.0, 0.0), "hello", (1, 2, 3), True),)
    shapes.clear_shapes()
    assert shapes.hud.texts
    assert not len(shapes.hud.segments)
    shapes.clear_texts()
    assert not shapes


def test_unchanged_shapes_are_the_same_array():
    shapes = drawn(LINE)
    first = shapes.segments
    shapes.step(0.05)
    assert shapes.segments is first


@pytest.mark.parametrize("primitive", [(9, ()), (1, ((0.0,), 3)), (0, ((math.nan, 0.0, 0.0), 1.0)), ()])
def test_what_is_no_shape_is_refused(primitive):
    with pytest.raises(RealityError, match="draw_debug_shape"):
        DebugShapes().add(DebugShape(primitive))


class Clock:
    def __init__(self, period_s):
        self.period_s = period_s


@pytest.mark.parametrize(("period_s", "step_s"), [(0.1, 0.05), (0.12, 0.05), (0.07, 0.05), (0.05, 0.05), (1 / 3, 0.02)])
def test_sensor_tick_holds_on_average(period_s, step_s):
    mounted, count, frames = Mounted(Clock(period_s), 1), 0, 2000
    for frame in range(frames):
        if mounted.due(frame * step_s):
            mounted.captured(frame * step_s)
            count += 1
    assert count == pytest.approx(frames * step_s / period_s, abs=1.5)


def test_after_a_pause_the_grid_begins_anew():
    mounted = Mounted(Clock(0.1), 1)
    mounted.captured(0.0)
    assert not mounted.due(0.05)
    assert mounted.due(5.03)
    mounted.captured(5.03)
    assert not mounted.due(5.1)
    assert mounted.due(5.13)
    assert Mounted(Clock(0.0), 1, captured_s=1.0).due(1.0)

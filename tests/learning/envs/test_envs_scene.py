"""Geometry of a scene against the metrics of the scenarios, which were tested against published definitions."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learning.envs import scene as scenes
from learning.envs.scene import Ego, Others
from scenarios import metrics

places = st.floats(-30.0, 30.0)
angles = st.floats(-math.pi, math.pi)
speeds = st.floats(-15.0, 15.0)


def an_ego(x=0.0, y=0.0, yaw=0.0, vx=0.0, vy=0.0, length=4.6, width=1.9, **more) -> Ego:
    speed = vx * math.cos(yaw) + vy * math.sin(yaw)
    return Ego(x, y, 0.0, yaw, vx, vy, speed, 0.0, 0.0, 0.0, length, width, 1.5, **more)


def some_others(rows) -> Others:
    """Rows of x, y, yaw, vx, vy, length, width."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 7)
    count = len(table)
    size = np.concatenate([table[:, 5:7], np.full((count, 1), 1.5)], axis=1)
    names = tuple(f"o{i}" for i in range(count))
    kind = np.zeros(count, np.int64)
    return Others(
        names, table[:, :2], table[:, 3:5], np.zeros(count), table[:, 2], size, kind, np.ones(count, np.bool_)
    )


@given(st.lists(st.tuples(places, places, angles, speeds, speeds), min_size=1, max_size=4), angles, speeds, speeds)
def test_times_to_collision_are_those_of_the_scenarios_metrics(rows, yaw, vx, vy):
    ego = an_ego(yaw=yaw, vx=vx, vy=vy)
    others = some_others([(*row, 4.0, 1.8) for row in rows])
    found = scenes.times_to_collision(ego, others)
    for i, (x, y, heading, ox, oy) in enumerate(rows):
        expected = metrics.time_to_collision(
            metrics.Moving(metrics.Rect(0.0, 0.0, yaw, 4.6, 1.9), (vx, vy)),
            metrics.Moving(metrics.Rect(x, y, heading, 4.0, 1.8), (ox, oy)),
        )
        if expected is None:
            # Boxes that just graze may go either way by rounding.
            assert found[i] > 1e3 or _grazes(ego, others, i)
        else:
            assert (
                found[i] == expected
                or math.isclose(found[i], expected, rel_tol=1e-6, abs_tol=1e-6)
                or (_grazes(ego, others, i))
            )


def _grazes(ego: Ego, others: Others, i: int) -> bool:
    """Whether a millimetre more or less of width decides."""
    results = []
    for change in (-1e-3, 1e-3):
        wide = some_others([(*others.xy[i], others.yaw[i], *others.velocity[i], 4.0 + change, 1.8 + change)])
        results.append(math.isinf(scenes.times_to_collision(ego, wide)[0]))
    return results[0] != results[1]


def test_head_on_at_known_distance():
    # 30 m between the middles, two cars of 4 m: 26 m of road between them, closing at 13 m/s: 2 s.
    ego = an_ego(vx=8.0, length=4.0)
    others = some_others([(30.0, 0.0, math.pi, -5.0, 0.0, 4.0, 1.8)])
    assert scenes.times_to_collision(ego, others)[0] == np.float64(2.0)


def test_nobody_and_the_far_away():
    ego = an_ego(vx=30.0)
    assert scenes.times_to_collision(ego, Others.none()).shape == (0,)
    assert np.isinf(scenes.times_to_collision(ego, some_others([(90.0, 0.0, 0.0, 0.0, 0.0, 4.0, 1.8)])))[0]


def test_frame_of_the_ego_has_right_to_the_right():
    # CARLA's frame: at yaw 90 degrees the ego looks along +y, and -x is to its right.
    ego = an_ego(x=10.0, y=5.0, yaw=math.pi / 2)
    found = scenes.in_frame(ego, np.array([[10.0, 8.0], [7.0, 5.0]]))
    np.testing.assert_allclose(found, [[3.0, 0.0], [0.0, 3.0]], atol=1e-12)

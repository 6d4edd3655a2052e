import math

import pytest
from test_envs_scene import an_ego, some_others
from test_envs_state import straight

from foundation.errors import RealityError
from learning.envs import rewards
from learning.envs.rewards import Reward, Step
from learning.envs.scene import Collision, Others, Scene


def step(before=None, after=None, *, reason="", dt_s=0.1, free=10.0, route=None) -> Step:
    before = before or Scene(0.0, an_ego(), Others.none())
    return Step(before, after or before, route or straight(), dt_s, reason, free)


def scene(**more) -> Scene:
    fields = {k: more.pop(k) for k in ("s", "offset", "collision", "off_road") if k in more}
    others = more.pop("others", Others.none())
    accel = more.pop("accel", 0.0)
    ego = an_ego(**more)
    ego.accel = accel
    return Scene(0.0, ego, others, **fields)


def test_each_term_by_hand():
    assert rewards.progress(step(scene(s=3.0), scene(s=4.5))) == pytest.approx(1.5)
    assert rewards.speed(step(after=scene(vx=5.0))) == pytest.approx(0.5 * 0.1)
    assert rewards.speed(step(after=scene(vx=10.0))) == pytest.approx(0.1)
    assert rewards.collision(step(after=scene(collision=Collision("a", 7.5)))) == pytest.approx(-0.75)
    assert rewards.collision(step(after=scene(collision=Collision("a", 99.0)))) == -1.0
    assert rewards.collision(step()) == 0.0
    assert rewards.off_road(step(after=scene(off_road=True))) == -1.0
    # From 0 to 0.5 m/s^2 in 0.1 s: a jerk of 5, half of what counts fully, squared.
    assert rewards.comfort(step(scene(), scene(accel=0.5))) == pytest.approx(-0.25 * 0.1)
    assert rewards.lane(step(after=scene(offset=1.0))) == pytest.approx(-0.25 * 0.1)
    assert rewards.goal(step(reason="goal")) == 1.0
    assert rewards.goal(step(reason="collision")) == 0.0
    assert rewards.time(step()) == -0.1


def test_ttc_counts_from_three_seconds_down():
    # 15 m between the bumpers, closing at 10 m/s: 1.5 s, half way.
    other = some_others([(15.0 + 4.6, 0.0, 0.0, 0.0, 0.0, 4.6, 1.8)])
    close = scene(vx=10.0, others=other)
    assert rewards.min_ttc_s(close) == pytest.approx(1.5)
    assert rewards.ttc(step(after=close)) == pytest.approx(-0.5 * 0.1)
    assert rewards.min_ttc_s(scene(vx=10.0)) == math.inf


def test_rules_are_the_limit_and_the_side_of_the_road():
    assert rewards.rule(step(after=scene(vx=20.0))) == 0.0
    assert rewards.rule(step(after=scene(vx=25.0))) == pytest.approx(-0.25 * 0.1)
    # same_left is 2 m: three metres to the left is an oncoming lane.
    assert rewards.rule(step(after=scene(vx=10.0, offset=-3.0))) == pytest.approx(-0.1)
    assert rewards.rule(step(after=scene(vx=99.0), route=straight(limit=math.nan))) == 0.0


def test_the_sum_is_what_its_parts_add():
    reward = Reward({"progress": 0.5, "time": 2.0, "mine": (3.0, lambda s: s.after.s)})
    value, parts = reward(step(scene(s=1.0), scene(s=2.0)))
    assert parts == {"progress": 0.5, "time": pytest.approx(-0.2), "mine": 6.0}
    assert value == pytest.approx(0.5 - 0.2 + 6.0)


def test_the_default_prefers_a_slow_arrival_to_a_fast_crash():
    reward = Reward()
    arrived, _ = reward(step(scene(s=0.0), scene(s=1.0)))
    crashed, _ = reward(step(scene(s=0.0), scene(s=1.5, collision=Collision("child", 10.0))))
    assert arrived > 0.0 > crashed


@pytest.mark.parametrize("weights", [{"progres": 1.0}, {"progress": math.nan}, {"progress": "much"}])
def test_unusable_weights_are_refused(weights):
    with pytest.raises(RealityError, match="progres"):
        Reward(weights)

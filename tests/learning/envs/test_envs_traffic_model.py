"""The others' models against the closed formulas of Treiber and Kesting."""

import math

import numpy as np
import pytest

from learning.envs.traffic_model import Corridor, DriverModel, Drivers, Traffic, idm

CENTRES = np.array([-3.75, 0.0, 3.75])
CORRIDOR = Corridor(CENTRES, 3.75, 1e6)
FAR_EGO = (-5000.0, 0.0, 0.0, 4.5)


def traffic(rows) -> Traffic:
    """Rows of s, lane, speed, wish."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    count = len(table)
    lane = table[:, 1].astype(np.int64)
    return Traffic(
        table[:, 0].copy(), CENTRES[lane].copy(), table[:, 2].copy(), table[:, 3].copy(), lane, np.zeros(count),
        np.full(count, 4.5), np.ones(count, np.bool_),
    )  # fmt: skip


@pytest.mark.parametrize("speed", [5.0, 15.0, 25.0])
def test_idm_is_in_equilibrium_at_its_equilibrium_gap(speed):
    model = DriverModel()
    # Treiber and Kesting, equation 11.19.
    gap = (model.standstill_m + speed * model.headway_s) / math.sqrt(1.0 - (speed / 30.0) ** 4)
    found = idm(np.array([speed]), np.array([30.0]), np.array([gap]), np.array([speed]), model)
    assert found[0] == pytest.approx(0.0, abs=1e-9)


def test_idm_starts_with_full_acceleration_and_brakes_no_harder_than_it_can():
    model = DriverModel()
    free = idm(np.array([0.0]), np.array([30.0]), np.array([1e4]), np.array([30.0]), model)
    assert free[0] == pytest.approx(model.acceleration, rel=1e-3)
    wall = idm(np.array([30.0]), np.array([30.0]), np.array([1.0]), np.array([0.0]), model)
    assert wall[0] == -model.hardest_braking


def test_a_follower_settles_behind_its_leader():
    # Wide lanes to both sides would be taken, so there is only one lane.
    model = DriverModel()
    corridor = Corridor(np.array([0.0]), 3.75, 1e6)
    others = Traffic(
        np.array([0.0, 60.0]), np.zeros(2), np.array([30.0, 20.0]), np.array([33.0, 20.0]), np.zeros(2, np.int64),
        np.zeros(2), np.full(2, 4.5), np.ones(2, np.bool_),
    )  # fmt: skip
    drivers = Drivers(corridor, model)
    for _ in range(1200):
        drivers.step(others, FAR_EGO, 0.1)
    expected = (model.standstill_m + 20.0 * model.headway_s) / math.sqrt(1.0 - (20.0 / 33.0) ** 4)
    assert others.speed[0] == pytest.approx(others.speed[1], abs=0.05)
    assert others.s[1] - others.s[0] - 4.5 == pytest.approx(expected, abs=0.2)


def test_a_slow_leader_is_overtaken_when_the_lane_beside_is_free():
    others = traffic([(0.0, 1, 30.0, 33.0), (50.0, 1, 15.0, 15.0)])
    drivers = Drivers(CORRIDOR, DriverModel())
    lanes, gaps = set(), []
    for _ in range(250):
        drivers.step(others, FAR_EGO, 0.1)
        lanes.add(int(others.lane[0]))
        beside = abs(others.d[0] - others.d[1])
        gaps.append(abs(others.s[0] - others.s[1]) if beside < 2.0 else 99.0)
    assert others.s[0] > others.s[1] + 50.0
    assert lanes - {1}
    assert min(gaps) > 4.5


def test_nobody_pulls_out_before_somebody_fast():
    # The lane to the left and to the right are taken by cars that come up fast, close behind.
    slow = [(0.0, 1, 15.0, 30.0), (25.0, 1, 14.0, 14.0)]
    fast = [(-12.0, 0, 33.0, 33.0), (-12.0, 2, 33.0, 33.0)]
    others = traffic(slow + fast)
    drivers = Drivers(CORRIDOR, DriverModel())
    for _ in range(4):
        drivers.step(others, FAR_EGO, 0.1)
        assert others.lane[0] == 1


def test_the_ego_is_somebody_to_follow():
    others = traffic([(0.0, 1, 25.0, 30.0)])
    corridor = Corridor(CENTRES[1:2], 3.75, 1e6)
    others.lane[:] = 0
    drivers = Drivers(corridor, DriverModel())
    ego_s = 60.0
    for _ in range(600):
        drivers.step(others, (ego_s, 0.0, 12.0, 4.7), 0.1)
        ego_s += 1.2
    assert others.speed[0] == pytest.approx(12.0, abs=0.1)
    assert others.s[0] < ego_s - 10.0


@pytest.mark.parametrize("seed", range(3))
def test_dense_traffic_drives_two_minutes_without_touching(seed):
    rng = np.random.default_rng(seed)
    rows, last = [], [-50.0, -50.0, -50.0]
    for _ in range(60):
        lane = int(rng.integers(3))
        last[lane] += float(rng.uniform(20.0, 60.0))
        rows.append((last[lane], lane, float(rng.uniform(18.0, 24.0)), float(np.clip(rng.normal(27.0, 5.0), 12, 40))))
    others = traffic(rows)
    drivers = Drivers(CORRIDOR, DriverModel())
    changes = 0
    for _ in range(1200):
        before = others.lane.copy()
        drivers.step(others, FAR_EGO, 0.1)
        changes += int((before != others.lane).sum())
        ahead = np.abs(others.s[:, None] - others.s[None, :]) < 4.5
        beside = np.abs(others.d[:, None] - others.d[None, :]) < 1.9
        np.fill_diagonal(ahead, False)
        assert not (ahead & beside).any()
    assert changes > 5
    assert others.speed.min() >= 0.0


def test_who_reaches_the_end_leaves():
    corridor = Corridor(CENTRES, 3.75, 100.0)
    others = traffic([(90.0, 0, 30.0, 30.0), (10.0, 2, 20.0, 20.0)])
    drivers = Drivers(corridor, DriverModel())
    for _ in range(10):
        drivers.step(others, FAR_EGO, 0.1)
    assert others.active.tolist() == [False, True]
    assert others.speed[0] == 0.0

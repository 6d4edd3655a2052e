"""Drivers on a line: car following, emergency braking and steering, against what a pencil gives."""

from __future__ import annotations

import math

import numpy as np
import pytest

from behavior import AebDriver, AebSettings, DriverPercept, IdmDriver, IdmSettings, Kind, Seen, VehicleShape
from behavior.drivers import along_path, placed, point_ahead

STRAIGHT = [(float(x), 0.0) for x in range(-5, 200)]
SHAPE = VehicleShape(length_m=4.0, width_m=2.0)


def thing(
    x: float, y: float = 0.0, vx: float = 0.0, vy: float = 0.0, *, kind: Kind = Kind.PEDESTRIAN, size: float = 0.5
) -> Seen:
    return Seen(1, kind, x, y, 0.9, vx, vy, 0.0, size, size, 1.7)


def see(
    *seen: Seen, speed: float = 10.0, x: float = 0.0, y: float = 0.0, yaw: float = 0.0, t: float = 0.0
) -> DriverPercept:
    return DriverPercept(t, x, y, yaw, speed, STRAIGHT, seen)


def ttc(*seen: Seen, **own: float) -> float:
    driver = AebDriver(IdmSettings(), AebSettings(margin_m=0.2), SHAPE)
    percept = see(*seen, **own)
    return min(driver.time_to_collision_s(percept, place) for place in placed(percept))


def test_idm_keeps_its_equilibrium() -> None:
    """No acceleration at the desired speed on a free road, nor at the equilibrium gap behind an equally fast leader."""
    idm = IdmSettings(desired_mps=30.0)
    assert idm.acceleration(30.0, math.inf, 0.0) == pytest.approx(0.0)
    assert idm.acceleration(0.0, math.inf, 0.0) == pytest.approx(1.0)
    gap = (idm.standstill_m + 10.0 * idm.headway_s) / math.sqrt(1.0 - (10.0 / 30.0) ** 4)
    assert idm.acceleration(10.0, gap, 0.0) == pytest.approx(0.0, abs=1e-9)


def test_time_to_collision_is_gap_over_speed() -> None:
    """Front to front edge of somebody 22.25 m ahead: 22.25 - 2 - 0.25 = 20 m at 10 m/s."""
    assert ttc(thing(22.25)) == pytest.approx(2.0)


def test_the_path_may_begin_behind_the_vehicle() -> None:
    assert ttc(thing(72.25), x=50.0) == pytest.approx(2.0)


def test_who_will_have_crossed_or_not_arrived_yet_is_no_conflict() -> None:
    """In 2 s the car is there. Way half-width: 1 + 0.2 + 0.25 = 1.45 m."""
    assert ttc(thing(22.25, 3.0, vy=-0.7)) == math.inf  # at 1.6 m: still outside
    assert ttc(thing(22.25, 3.0, vy=-0.9)) == pytest.approx(2.0)  # at 1.2 m: inside
    assert ttc(thing(22.25, 0.0, vy=-1.0)) == math.inf  # at -2 m: through
    assert ttc(thing(22.25, 0.0, vx=10.0)) == math.inf  # runs ahead as fast


def test_nothing_is_seen_outside_range_or_field_of_view() -> None:
    assert ttc(thing(70.0)) == math.inf
    assert ttc(thing(-20.0)) == math.inf


@pytest.mark.parametrize(("distance_m", "hits"), [(30.0, False), (17.0, False), (9.0, True)])
def test_emergency_braking_stops_in_time_or_not(distance_m: float, hits: bool) -> None:
    """From 10 m/s with 1.5 s, 0.2 s and 9 m/s^2: 2 m of latency plus 5.6 m of braking. 9 m leave 6.75 m: too little."""
    driver = AebDriver(IdmSettings(desired_mps=10.0), AebSettings(brake_ttc_s=1.5, latency_s=0.2), SHAPE)
    x, speed, time_s = 0.0, 10.0, 0.0
    target = thing(distance_m)
    while speed > 0.05 and x + 2.0 < distance_m - 0.25 and time_s < 10.0:
        intention = driver.step(see(target, speed=speed, x=x, t=time_s), 0.02)
        if intention.emergency:
            assert intention.brake == 1.0
            assert intention.throttle == 0.0
        acceleration = -9.0 * intention.brake if intention.brake else 2.0 * intention.throttle - 0.6
        speed = max(0.0, min(10.0, speed + acceleration * 0.02))
        x, time_s = x + speed * 0.02, time_s + 0.02
    assert (speed > 0.05) is hits


def test_the_brake_waits_for_its_latency_and_holds_until_the_way_is_clear() -> None:
    driver = AebDriver(IdmSettings(), AebSettings(brake_ttc_s=1.5, latency_s=0.2, release_s=0.5), SHAPE)
    states = []
    for step in range(30):
        near = [thing(12.0)] if step < 10 else []
        states.append(driver.step(see(*near, t=0.1 * step), 0.1).emergency)
    assert states[:2] == [False, False]
    assert all(states[2:15])
    assert not any(states[16:])


def test_a_leader_is_followed_and_a_parked_row_is_not() -> None:
    driver = IdmDriver(IdmSettings(desired_mps=15.0), SHAPE)
    leader = thing(20.0, 0.0, vx=5.0, kind=Kind.VEHICLE, size=2.0)
    beside = thing(20.0, 2.3, kind=Kind.VEHICLE, size=2.0)
    assert driver.step(see(leader), 0.05).brake > 0.0
    assert driver.step(see(beside), 0.05).brake == 0.0


def test_steering_leads_back_to_the_path() -> None:
    """A kinematic bicycle that starts 1.5 m beside the path and 10 degrees off is on it after 80 m."""
    driver = IdmDriver(IdmSettings(desired_mps=10.0), SHAPE)
    x, y, yaw, offsets = 0.0, 1.5, math.radians(10.0), []
    for step in range(160):
        intention = driver.step(see(x=x, y=y, yaw=math.degrees(yaw), t=0.05 * step), 0.05)
        yaw += 10.0 * 0.05 * intention.curvature_per_m
        x, y = x + 10.0 * 0.05 * math.cos(yaw), y + 10.0 * 0.05 * math.sin(yaw)
        offsets.append(y)
    assert abs(offsets[-1]) < 0.05
    assert min(offsets) > -0.3
    # Right of the path (larger y) one steers left: negative in CARLA.
    assert driver.step(see(y=1.0), 0.05).steer < 0.0


def test_places_on_a_bent_path() -> None:
    """A quarter circle of 10 m radius to the right: its length is 15.7 m; its centre lies 10 m to the right of it."""
    angles = np.linspace(0.0, math.pi / 2.0, 200)
    path = [(10.0 * math.sin(a), 10.0 - 10.0 * math.cos(a)) for a in angles]
    ahead, aside, tangent = along_path(path, (10.0, 10.0))
    assert ahead == pytest.approx(5.0 * math.pi, abs=1e-2)
    assert aside == pytest.approx(0.0, abs=1e-9)
    assert tangent == pytest.approx((0.0, 1.0), abs=0.01)
    assert along_path(path, (0.0, 3.0))[1] == pytest.approx(3.0, abs=0.1)
    assert point_ahead(path, (0.0, 0.0), 5.0 * math.pi) == pytest.approx((10.0, 10.0), abs=0.01)
    with pytest.raises(ValueError, match="two different points"):
        along_path([(1.0, 1.0), (1.0, 1.0)], (0.0, 0.0))

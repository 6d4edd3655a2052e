"""Vehicles driven one by one and all together: the same bits."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from physics_worlds import DT, SUBSTEPS, block, world

from engine.blueprints import VEHICLES
from engine.physics import Physics, fleet
from engine.protocol.structs import VehicleControl
from engine.state import ActorTable, Kind
from foundation.ids import Tag
from foundation.seeds import generator

IDS = (
    "vehicle.tesla.model3", "vehicle.seat.leon", "vehicle.carlamotors.carlacola", "vehicle.bh.crossbike",
    "vehicle.kawasaki.ninja", "vehicle.mercedes.sprinter", "vehicle.mitsubishi.fusorosa", "vehicle.micro.microlino",
)  # fmt: skip
COUNT = 20
EVERYBODY, NOBODY = 1, 10_000


def controls(seed: int) -> Iterator[list[VehicleControl]]:
    """Yield the controls of every tick: each driver changes his mind twice a second."""
    rng = generator(seed, "formation")
    now = [VehicleControl() for _ in range(COUNT)]
    while True:
        for i in range(COUNT):
            if rng.random() < 0.1:
                gas, pedal, wheel, kind = rng.random(), rng.random(), rng.normal(0.0, 0.25), rng.random()
                now[i] = VehicleControl(
                    throttle=gas if kind < 0.65 else 0.0,
                    brake=pedal if kind > 0.55 else 0.0,
                    steer=min(max(wheel, -1.0), 1.0) if rng.random() < 0.9 else 0.0,
                    hand_brake=bool(kind > 0.92),
                    reverse=bool(0.5 < kind < 0.56),
                    manual_gear_shift=bool(0.4 < kind < 0.45),
                    gear=int(rng.integers(-1, 4)),
                )
        yield list(now)


def driven(monkeypatch: pytest.MonkeyPatch, first: int, seed: int, ticks: int = 200, switch: int = 0) -> list[bytes]:
    """Return the actor table's bytes after every tick, ``first`` vehicles being enough for a formation.

    Args:
        switch: every so many ticks the other way of driving is taken.
    """
    static = world(block(2, (60.0, 0.0, 0.0), (1.0, 30.0, 2.0), Tag.BUILDINGS), slope=0.03)
    physics, table = Physics(static), ActorTable()
    for i in range(COUNT):
        place = (-40.0 + 12.0 * (i // 4), 9.0 * (i % 4), 0.1 + 0.03 * (-40.0 + 12.0 * (i // 4)))
        physics.add_vehicle(i + 1, VEHICLES[IDS[i % len(IDS)]], None, place, (0.0, 30.0 * i, 0.0))
        table.add(i + 1, Kind.VEHICLE)
    seen = []
    for tick, wishes in zip(range(ticks), controls(seed)):
        together = first if not switch or tick // switch % 2 else EVERYBODY + NOBODY - first
        monkeypatch.setattr(fleet, "FORMATION_FROM", together)
        if switch and tick % switch == 0:
            physics._fleet.changed()
        for i, wish in enumerate(wishes):
            physics.apply_vehicle_control(i + 1, wish)
        _meddle(physics, tick)
        physics.step(DT, SUBSTEPS)
        physics.read(table)
        told = msgspec.msgpack.encode([physics.telemetry(i + 1) for i in range(0, COUNT, 3)]) if tick % 10 == 0 else b""
        seen.append(table.rows.tobytes() + told)
    physics.close()
    return seen


def _meddle(physics: Physics, tick: int) -> None:
    """Do what clients do in between: push, place, take out of physics and put back, change a physics control."""
    if tick == 30:
        physics.set_velocity(3, (12.0, 1.0, 0.0))
        physics.add_impulse(4, (2000.0, 0.0, 500.0))
    if tick == 50:
        physics.set_simulate_physics(5, False)
        control = physics.physics_control(6)
        physics.set_physics_control(6, msgspec.structs.replace(control, mass=control.mass * 1.2, drag_coefficient=0.5))
    if tick == 70:
        physics.set_transform(7, (0.0, -60.0, 2.0), (5.0, 10.0, 0.0))
    if tick == 90:
        physics.set_simulate_physics(5, True)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_formation_drives_as_single_vehicles_do_to_the_last_bit(monkeypatch, seed):
    together, alone = driven(monkeypatch, EVERYBODY, seed), driven(monkeypatch, NOBODY, seed)
    assert together == alone
    # They did move, and shifted.
    assert len(set(together)) == len(together)


def test_changing_over_in_the_middle_of_a_drive_changes_nothing(monkeypatch):
    assert driven(monkeypatch, EVERYBODY, 3, 100, switch=7) == driven(monkeypatch, NOBODY, 3, 100)


def test_a_formation_stands_as_single_vehicles_do(monkeypatch):
    """Hand brakes on a slope: held by the tyres, and the same."""

    def stand(first: int) -> np.ndarray:
        monkeypatch.setattr(fleet, "FORMATION_FROM", first)
        physics = Physics(world(slope=0.1))
        for i in range(4):
            physics.add_vehicle(i + 1, VEHICLES[IDS[0]], None, (0.0, 8.0 * i, 0.05), (5.7, 0.0, 0.0))
            physics.apply_vehicle_control(i + 1, VehicleControl(hand_brake=True))
        for _ in range(60):
            physics.step(DT, SUBSTEPS)
        before = np.array([physics.transform(i + 1)[0] for i in range(4)])
        for _ in range(60):
            physics.step(DT, SUBSTEPS)
        after = np.array([physics.transform(i + 1)[0] for i in range(4)])
        physics.close()
        assert np.abs(after - before).max() < 0.01
        return after

    assert np.array_equal(stand(EVERYBODY), stand(NOBODY))

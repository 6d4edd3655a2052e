"""What driving costs beside rigid bodies alone: our physics, and bare Bullet stepping the same vehicles.

Both run in turns in one process on the same road mesh, with the same chassis and wheels. Ours does what a tick of the
engine does: takes a new control for every vehicle, steps, writes the actor table, gives the contacts. Bare Bullet only
steps; its engine forces are set once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from panda3d.bullet import BulletVehicle, BulletWorld
from panda3d.core import Vec3

from engine.blueprints import VEHICLES
from engine.geometry import Box, Material, Mesh, Model, StaticObject, StaticWorld
from engine.physics import Physics
from engine.physics.bodies import DYNAMIC_MASK, STATIC_MASK, node_transform
from engine.physics.ground import Ground
from engine.physics.vehicles import make_chassis, make_rig, make_wheels, wheels_of
from engine.protocol.structs import VehicleControl
from engine.state import ActorTable, Kind
from foundation.ids import Tag

VEHICLE_COUNT = 50
DT_S, SUBSTEPS = 0.05, 5
ROUNDS, TICKS = 12, 20
SPEC = VEHICLES["vehicle.tesla.model3"]


def road(size_m: float = 2000.0, cells: int = 100) -> StaticWorld:
    """Return a flat square of 20,000 triangles."""
    line = np.linspace(-size_m, size_m, cells + 1)
    x, y = (a.ravel() for a in np.meshgrid(line, line, indexing="ij"))
    first = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)).ravel()
    n = cells + 1
    triangles = np.concatenate(
        [np.stack([first, first + n + 1, first + n], -1), np.stack([first, first + 1, first + n + 1], -1)]
    )
    vertices = np.stack([x, y, np.zeros_like(x)], -1).astype(np.float32)
    mesh = Mesh(
        vertices,
        triangles.astype(np.int32),
        np.tile(np.array([0.0, 0.0, 1.0], np.float32), (len(vertices), 1)),
        np.zeros((len(vertices), 2), np.float32),
        np.full((len(vertices), 3), 128, np.uint8),
        Material("asphalt"),
        Tag.ROADS,
    )
    model = Model("road", (mesh,), Box((0.0, 0.0, 0.0), (size_m, size_m, 0.1)))
    return StaticWorld("road", "", (StaticObject(1, "road", model, np.eye(4), Tag.ROADS),))


def place(number: int) -> tuple[float, float, float]:
    """Return where a vehicle starts: ten lanes of five."""
    return -1500.0 + 30.0 * (number // 10), 8.0 * (number % 10), 0.05


def bare(static: StaticWorld) -> Callable[[], None]:
    """Return the tick of a Bullet world with the vehicles rolling in it."""
    world = BulletWorld()
    world.set_gravity(Vec3(0, 0, -9.81))
    ground = Ground(world, static, STATIC_MASK)
    rig = make_rig(SPEC, SPEC.physics)
    vehicles: list[BulletVehicle] = []
    for number in range(VEHICLE_COUNT):
        node = make_chassis(SPEC, rig)
        node.set_into_collide_mask(DYNAMIC_MASK)
        node.set_transform(node_transform(place(number), (0.0, 0.0, 0.0), rig.center))
        world.attach(node)
        vehicle = make_wheels(world, node, SPEC, rig)
        for wheel in wheels_of(vehicle):
            wheel.set_engine_force(150.0)
        world.attach(vehicle)
        node.set_linear_velocity(Vec3(10.0, 0.0, 0.0))
        vehicles.append(vehicle)

    def tick(_alive: tuple[object, ...] = (ground, vehicles)) -> None:
        world.do_physics(DT_S, SUBSTEPS, DT_S / SUBSTEPS)

    return tick


def ours(static: StaticWorld) -> Callable[[], None]:
    """Return the tick of our physics with the vehicles driven."""
    physics, table = Physics(static), ActorTable()
    for number in range(VEHICLE_COUNT):
        physics.add_vehicle(number + 1, SPEC, None, place(number), (0.0, 0.0, 0.0))
        physics.set_velocity(number + 1, (10.0, 0.0, 0.0))
        table.add(number + 1, Kind.VEHICLE)
    controls = [VehicleControl(throttle=0.3, steer=0.001 * k) for k in range(-5, 6)]
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1
        for actor_id in range(1, VEHICLE_COUNT + 1):
            physics.apply_vehicle_control(actor_id, controls[(actor_id + count) % len(controls)])
        physics.step(DT_S, SUBSTEPS)
        physics.read(table)
        physics.contacts()

    return tick


def timed(tick: Callable[[], None]) -> float:
    """Return the milliseconds of one of ``TICKS`` ticks, in processor time: both are one thread's pure computation."""
    began = time.process_time()
    for _ in range(TICKS):
        tick()
    return (time.process_time() - began) / TICKS * 1e3


def run() -> list[dict[str, object]]:
    """Measure; returns one row for the table of ``make bench``."""
    static = road()
    ticks = ours(static), bare(static)
    for tick in ticks:
        timed(tick)
    rounds = [tuple(timed(tick) for tick in ticks) for _ in range(ROUNDS)]
    # The best round of each: what a busy machine adds is nobody's property.
    mine, limit = (min(column) for column in zip(*rounds))
    return [
        {
            "name": f"physics: {VEHICLE_COUNT} driving vehicles, {SUBSTEPS} substeps, a tick; bare Bullet",
            "value": mine,
            "unit": "ms",
            "limit_value": limit,
            "ratio": mine / limit,
            "target": "<= 2",
        }
    ]


if __name__ == "__main__":
    for row in run():
        print(row)

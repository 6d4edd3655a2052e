"""Small worlds for the physics tests: planes, slopes and boxes, whose answers one knows."""

from __future__ import annotations

import math

import numpy as np

from engine.blueprints import VEHICLES, WALKERS, VehicleSpec, WalkerSpec
from engine.geometry import Box, Material, Mesh, Model, StaticObject, StaticWorld
from engine.physics import Physics
from engine.protocol.structs import VehicleControl
from foundation.frames import rotation_of
from foundation.ids import Tag

CAR = VEHICLES["vehicle.seat.leon"]
ADULT = WALKERS["walker.pedestrian.0001"]
CHILD = WALKERS["walker.pedestrian.0009"]
DT, SUBSTEPS = 0.05, 5

BOX_TRIANGLES = [
    (0, 1, 2), (0, 2, 3), (4, 6, 5), (4, 7, 6), (0, 5, 1), (0, 4, 5),
    (1, 6, 2), (1, 5, 6), (2, 7, 3), (2, 6, 7), (3, 4, 0), (3, 7, 4),
]  # fmt: skip


def mesh(vertices: np.ndarray, triangles: np.ndarray, tag: Tag) -> Mesh:
    """Return a mesh of plain looks; vertices in CARLA's axes."""
    count = len(vertices)
    up = np.tile(np.array([0.0, 0.0, 1.0], np.float32), (count, 1))
    return Mesh(
        np.asarray(vertices, np.float32),
        np.asarray(triangles, np.int32),
        up,
        np.zeros((count, 2), np.float32),
        np.full((count, 3), 128, np.uint8),
        Material("plain"),
        tag,
    )


def placed(number: int, model: Model, tag: Tag, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> StaticObject:
    """Return a static object at a location."""
    pose = np.eye(4)
    pose[:3, 3] = at
    return StaticObject(number, model.name, model, pose, tag)


def floor(slope: float = 0.0, size: float = 2000.0, cells: int = 8, tag: Tag = Tag.ROADS) -> StaticObject:
    """Return a square plane that rises along x by ``slope``."""
    xs = np.linspace(-size, size, cells + 1)
    x, y = (a.ravel() for a in np.meshgrid(xs, xs, indexing="ij"))
    first = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)).ravel()
    n = cells + 1
    triangles = np.concatenate(
        [np.stack([first, first + n + 1, first + n], -1), np.stack([first, first + 1, first + n + 1], -1)]
    )
    model = Model("floor", (mesh(np.stack([x, y, slope * x], -1), triangles, tag),), Box((0, 0, 0), (size, size, 0.1)))
    return placed(1, model, tag)


def block(number: int, at: tuple[float, float, float], half: tuple[float, float, float], tag: Tag) -> StaticObject:
    """Return a box."""
    corners = np.array(
        [(-1, -1, -1), (1, -1, -1), (1, 1, -1), (-1, 1, -1), (-1, -1, 1), (1, -1, 1), (1, 1, 1), (-1, 1, 1)], float
    )
    model = Model("block", (mesh(corners * half, np.array(BOX_TRIANGLES), tag),), Box((0, 0, 0), half))
    return placed(number, model, tag, at)


def world(*objects: StaticObject, slope: float = 0.0) -> StaticWorld:
    """Return a floor with things on it."""
    return StaticWorld("test", "", (floor(slope), *objects))


def on_slope(slope: float, yaw_deg: float) -> tuple[float, float, float]:
    """Return the rotation of a vehicle that stands on ``floor(slope)``, heading ``yaw_deg`` seen from above."""
    yaw = math.radians(yaw_deg)
    up = np.array([-slope, 0.0, 1.0]) / math.hypot(1.0, slope)
    forward = np.array([math.cos(yaw), math.sin(yaw), slope * math.cos(yaw)])
    forward /= np.linalg.norm(forward)
    pitch, turn, roll = rotation_of(np.stack([forward, np.cross(up, forward), up], axis=-1)).tolist()
    return pitch, turn, roll


def run(physics: Physics, seconds: float, dt: float = DT, substeps: int = SUBSTEPS) -> None:
    """Step for a while."""
    for _ in range(round(seconds / dt)):
        physics.step(dt, substeps)


def with_car(
    static: StaticWorld | None = None,
    spec: VehicleSpec = CAR,
    location: tuple[float, float, float] = (0.0, 0.0, 0.0),
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Physics:
    """Return a physics with vehicle 1 in it."""
    physics = Physics(static or world())
    physics.add_vehicle(1, spec, None, location, rotation)
    return physics


def with_walker(
    static: StaticWorld | None = None, spec: WalkerSpec = ADULT, at: tuple[float, float] = (0, 0)
) -> Physics:
    """Return a physics with walker 1 in it, standing on z = 0."""
    physics = Physics(static or world())
    physics.add_walker(1, spec, (0.0, 0.0, spec.height / 2))
    return physics


def drive(physics: Physics, actor_id: int = 1, **control: float | bool | int) -> None:
    """Apply a control given by CARLA's names."""
    physics.apply_vehicle_control(actor_id, VehicleControl(**control))


def speed(physics: Physics, actor_id: int = 1) -> float:
    """Return the speed over ground in m/s."""
    x, y, _ = physics.velocity(actor_id)
    return math.hypot(x, y)

"""Grow the static world around a road network: ground, land, and what stands on it."""

from __future__ import annotations

import logging
import time

from engine.geometry import StaticObject, StaticWorld
from engine.scene import signals
from engine.scene.ground import Ground, ground_objects, paint_objects
from engine.scene.terrain import Terrain
from foundation.frames import carla_rotation
from scenarios.opendrive import RoadNetwork, markings, spawn_points, surfaces

SPAWN_LIFT_M = 0.5

_log = logging.getLogger(__name__)


def build_static_world(network: RoadNetwork, *, seed: int = 0, name: str = "") -> StaticWorld:
    """Return everything that stands still on a map: roads, paint, land, buildings, trees, lamps, rails.

    Args:
        network: the road network.
        seed: decides what the file leaves open; the same seed gives the same bytes.
        name: the world's name, by default the network's.

    Returns:
        Objects in CARLA's frame, spawn points half a metre above the lanes, signals with their trigger boxes.
    """
    world = name or network.name
    started = time.perf_counter()
    ground = Ground(surfaces(network))
    objects: list[StaticObject] = ground_objects(ground, seed=seed, world=world)
    objects += paint_objects(markings(network), seed=seed, world=world)
    terrain = Terrain(ground, seed=seed, world=world, hills_m=0.0)
    objects += terrain.objects()
    placed, specs = signals.signal_specs(network)
    _log.info("static world %s: %d objects in %.2f s", world, len(objects), time.perf_counter() - started)
    return StaticWorld(
        name=world,
        xodr_text=network.text,
        objects=tuple(objects),
        spawn_points=tuple(
            (
                (pose.x, -pose.y, pose.z + SPAWN_LIFT_M),
                carla_rotation(pose.heading, pose.pitch, pose.roll),
            )
            for pose in spawn_points(network)
        ),
        signals=specs,
        origin_lat_lon=network.origin_lat_lon,
    )

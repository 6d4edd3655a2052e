"""Grow the static world around a road network: ground, land, and what stands on it."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

import numpy as np

from engine.geometry import BY_NAME, Generation, StaticObject, StaticWorld
from engine.scene import signals
from engine.scene.furniture import file_objects
from engine.scene.generation import walls, widened
from engine.scene.ground import Ground, ground_objects, paint_objects
from engine.scene.streets import Settlement, kind_of_road
from engine.scene.terrain import Terrain
from engine.scene.tunnels import tunnel_objects
from foundation.frames import carla_rotation, rotation_matrices, rotation_of
from foundation.ids import Tag
from scenarios.opendrive import Marking, RoadNetwork, markings, spawn_points, surfaces

SPAWN_LIFT_M = 0.5

_log = logging.getLogger(__name__)


def build_static_world(
    network: RoadNetwork, *, seed: int = 0, name: str = "", generation: Generation = BY_NAME
) -> StaticWorld:
    """Return everything that stands still on a map: roads, paint, land, buildings, trees, lamps, rails.

    Args:
        network: the road network.
        seed: decides what the file leaves open; the same seed gives the same bytes.
        name: the world's name, by default the network's.
        generation: how roads become meshes.

    Returns:
        Objects in CARLA's frame, spawn points half a metre above the lanes, signals with their trigger boxes.
    """
    world = name or network.name
    started = time.perf_counter()
    found = surfaces(network, generation.vertex_distance_m, resolve_junctions=generation.smooth_junctions)
    ground = Ground(widened(found, generation.additional_width_m))
    objects: list[StaticObject] = ground_objects(ground, seed=seed, world=world, side=generation.max_road_length_m)
    objects += paint_objects(_settled(network, markings(network)), seed=seed, world=world)
    unseen = frozenset(thing.id for thing in objects if not generation.visible)
    objects += walls(network, found, generation, seed=seed, world=world)
    _, specs = signals.signal_specs(network)
    given, left_out = file_objects(network, seed=seed, world=world)
    tunnels, tunnel_walls = tunnel_objects(network, seed=seed, world=world)
    objects += given + tunnels
    if left_out:
        kinds = sorted({f"{thing.type} {thing.name}".strip() for thing in left_out})
        _log.warning(
            "static world %s: %d objects of the file have no shape: %s", world, len(left_out), ", ".join(kinds)
        )
    kinds_of_road = [kind_of_road(network, road) for road in network.roads.values() if not road.junction]
    in_town = sum(kind == "town" for kind in kinds_of_road) * 2 >= len(kinds_of_road)
    terrain = Terrain(ground, seed=seed, world=world, hills_m=4.0 if in_town else 14.0)
    objects += terrain.objects()
    clear = [(x, -y) for x, y, _ in (spec.location for spec in specs)]
    clear += [(float(thing.pose[0, 3]), -float(thing.pose[1, 3])) for thing in given]
    settlement = Settlement(
        network,
        ground,
        terrain,
        np.concatenate([np.array(clear, dtype=np.float64).reshape(-1, 2), tunnel_walls]),
        any(thing.tag in (Tag.GUARD_RAIL, Tag.WALLS) for thing in given),
        seed=seed,
        world=world,
    )
    settlement.settle()
    objects += settlement.objects
    _log.info("static world %s: %d objects in %.2f s", world, len(objects), time.perf_counter() - started)
    return StaticWorld(
        name=world,
        xodr_text=network.text,
        objects=tuple(objects),
        spawn_points=tuple(
            (
                (pose.x, -pose.y, pose.z + SPAWN_LIFT_M),
                _canonical(carla_rotation(pose.heading, pose.pitch, pose.roll)),
            )
            for pose in spawn_points(network)
        ),
        signals=specs,
        origin_lat_lon=network.origin_lat_lon,
        unseen=unseen,
        walkable=generation.walkable,
        extra={"ground": ground},
    )


def _canonical(rotation: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return the name of a rotation under which an actor that stands there reports it."""
    pitch, yaw, roll = rotation_of(rotation_matrices(rotation)).tolist()
    return pitch, yaw, roll


KERB_STEP_M = (0.02, 0.30)


def _settled(network: RoadNetwork, marks: list[Marking]) -> list[Marking]:
    """Return the paint that belongs on the road, lying on it.

    The corners of crosswalks and stop lines that touch a kerb have the pavement's height: they go down to the road's
    plane. Kerb marks within junctions are left out: turning lanes cross them.
    """
    found = []
    for mark in marks:
        road = network.roads[mark.road_id]
        if mark.tag != Tag.ROAD_LINES and road.junction:
            continue
        if mark.object_id and mark.tag == Tag.ROAD_LINES:
            s, t = network.project_many(mark.road_id, mark.vertices[:, :2])
            plane = road.points(road.stations(s), t)[:, 2]
            step = mark.vertices[:, 2] - plane
            raised = (step > KERB_STEP_M[0]) & (step < KERB_STEP_M[1])
            if raised.any():
                vertices = mark.vertices.copy()
                vertices[raised, 2] = plane[raised]
                mark = replace(mark, vertices=vertices)
        found.append(mark)
    return found

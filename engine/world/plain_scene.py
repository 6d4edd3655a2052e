"""TEMPORARY bare static world (dropped once engine.scene.build_static_world is there)."""

from __future__ import annotations

import numpy as np

from engine.geometry import Box, Material, Mesh, Model, SignalSpec, StaticObject, StaticWorld
from foundation.frames import carla_rotation, flip_y
from foundation.ids import Tag
from scenarios.opendrive import signals, spawn_points, surfaces, trigger_boxes

LIGHTS = {"1000001", "1000002", *(str(n) for n in range(1000007, 1000021)), "F", "W", "A"}


def build_static_world(network, *, seed=0, name):
    grey = Material("road", (0.3, 0.3, 0.3))
    objects = []
    low = np.full(3, 1e9)
    high = -low
    for n, s in enumerate(surfaces(network)):
        v = flip_y(s.vertices).astype(np.float32)
        if not len(s.triangles):
            continue
        low, high = np.minimum(low, v.min(0)), np.maximum(high, v.max(0))
        normals = np.zeros_like(v)
        normals[:, 2] = 1
        mesh = Mesh(v, s.triangles, normals, s.uv.astype(np.float32), np.full(v.shape, 255, np.uint8), grey, s.tag)
        a, b = v.min(0), v.max(0)
        box = Box(tuple(((a + b) / 2).tolist()), tuple(((b - a) / 2).tolist()))
        objects.append(StaticObject(n + 1, f"road_{n}", Model(f"road_{n}", (mesh,), box), np.eye(4), s.tag))
    corners = np.array(
        [
            (low[0] - 99, low[1] - 99),
            (high[0] + 99, low[1] - 99),
            (high[0] + 99, high[1] + 99),
            (low[0] - 99, high[1] + 99),
        ]
    )
    v = np.column_stack([corners, np.full(4, low[2] - 0.05)]).astype(np.float32)
    up = np.tile(np.array([0, 0, 1], np.float32), (4, 1))
    tri = np.array([[0, 2, 1], [0, 3, 2]], np.int32)
    ground = Mesh(v, tri, up, v[:, :2], np.full((4, 3), 255, np.uint8), grey, Tag.TERRAIN)
    objects.append(
        StaticObject(999999, "ground", Model("ground", (ground,), Box((0, 0, 0), (1, 1, 1))), np.eye(4), Tag.TERRAIN)
    )
    points = []
    for p in spawn_points(network):
        points.append(((p.x, -p.y, p.z + 0.5), carla_rotation(p.heading, p.pitch, p.roll)))
    specs = []
    for s in signals(network):
        light = s.type in LIGHTS
        if light and not s.controllers and network.roads[s.road_id].junction:
            continue
        boxes = tuple(
            Box(
                (b.pose.x, -b.pose.y, b.pose.z),
                (b.half_length, b.half_width, b.half_height),
                carla_rotation(b.pose.heading),
            )
            for b in trigger_boxes(network, s)
        )
        pitch, yaw, roll = carla_rotation(s.pose.heading)
        limit = s.speed_limit_kmh or 0.0
        kind = (
            "traffic.traffic_light"
            if light
            else {"205": "traffic.yield", "206": "traffic.stop"}.get(s.type, "traffic.unknown")
        )
        if limit:
            kind = f"traffic.speed_limit.{round(limit)}"
        specs.append(
            SignalSpec(
                s.id,
                kind,
                (s.pose.x, -s.pose.y, s.pose.z),
                (0, yaw + 90 if light else yaw, 0),
                boxes,
                s.junction,
                s.controllers[0] if s.controllers else "",
                limit,
            )
        )
    return StaticWorld(name, network.text, tuple(objects), tuple(points), tuple(specs), tuple(network.origin_lat_lon))

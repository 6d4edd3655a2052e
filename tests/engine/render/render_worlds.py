"""Small worlds with known truth for the renderer's tests and benchmark."""

from __future__ import annotations

import numpy as np

from engine.geometry import Box, Material, Mesh, Model, StaticObject, StaticWorld
from foundation.ids import Tag

_FACES = (
    # axis, sign, the two others in an order that makes (u x v) point along axis * sign
    (0, 1, (1, 2)),
    (0, -1, (2, 1)),
    (1, 1, (2, 0)),
    (1, -1, (0, 2)),
    (2, 1, (0, 1)),
    (2, -1, (1, 0)),
)


def box_mesh(center, extent, tag, color=(200, 200, 200), material=None, joint=""):
    """A box, CARLA axes; flat normals."""
    vertices, normals, triangles, uv = [], [], [], []
    for axis, sign, (u, v) in _FACES:
        base = len(vertices)
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            point = np.array(center, dtype=float)
            point[axis] += sign * extent[axis]
            point[u] += a * extent[u]
            point[v] += b * extent[v]
            vertices.append(point)
            normals.append(np.eye(3)[axis] * sign)
            uv.append((a * extent[u], b * extent[v]))
        # Counter-clockwise in the right-handed world is clockwise on CARLA's left-handed numbers.
        triangles += [(base, base + 2, base + 1), (base, base + 3, base + 2)]
    return Mesh(
        np.array(vertices, dtype=np.float32),
        np.array(triangles, dtype=np.int32),
        np.array(normals, dtype=np.float32),
        np.array(uv, dtype=np.float32),
        np.full((len(vertices), 3), color, dtype=np.uint8),
        material or Material("plain"),
        tag,
        joint,
    )


def plate_mesh(x0, x1, y0, y1, z, tag, color=(128, 128, 128), material=None, step=None):
    """A horizontal rectangle that looks up; cut into squares of ``step`` metres when given."""
    nx = max(1, round((x1 - x0) / step)) if step else 1
    ny = max(1, round((y1 - y0) / step)) if step else 1
    xs, ys = np.linspace(x0, x1, nx + 1), np.linspace(y0, y1, ny + 1)
    gx, gy = np.meshgrid(xs, ys, indexing="ij")
    vertices = np.stack([gx.ravel(), gy.ravel(), np.full(gx.size, z)], axis=1).astype(np.float32)
    i, j = np.meshgrid(np.arange(nx), np.arange(ny), indexing="ij")
    a = (i * (ny + 1) + j).ravel()
    b, c, d = a + ny + 1, a + ny + 2, a + 1
    # x east, y south: (a, d, c) runs counter-clockwise seen from above in the real world.
    triangles = np.concatenate([np.stack([a, d, c], 1), np.stack([a, c, b], 1)]).astype(np.int32)
    return Mesh(
        vertices,
        triangles,
        np.tile(np.array([0, 0, 1], np.float32), (len(vertices), 1)),
        vertices[:, :2].copy(),
        np.full((len(vertices), 3), color, dtype=np.uint8),
        material or Material("plain"),
        tag,
    )


def model(*meshes, name="model", joints=()):
    points = np.concatenate([m.vertices for m in meshes])
    low, high = points.min(axis=0), points.max(axis=0)
    box = Box(tuple((low + high) / 2), tuple((high - low) / 2))
    return Model(name, tuple(meshes), box, tuple(joints))


def thing(number, tag, *meshes, pose=None):
    return StaticObject(number, f"thing {number}", model(*meshes), np.eye(4) if pose is None else pose, tag)


def world(*objects):
    return StaticWorld("test", "", tuple(objects))


def town(seed=1, blocks=6):
    """A grid of streets with pavements, paint, houses and trees: as heavy as a real one, made of boxes."""
    rng = np.random.Generator(np.random.PCG64(seed))
    asphalt, pavement = Material("asphalt", gloss=0.05, texture="asphalt"), Material("pavement", texture="pavement")
    grass, facade = Material("grass", texture="grass"), Material("facade", texture="facade")
    leaves, window = Material("leaves", texture="leaves"), Material("window", gloss=0.85)
    objects, pitch, half = [], 60.0, blocks * 30.0
    add = lambda tag, *meshes: objects.append(thing(len(objects) + 1, tag, *meshes))  # noqa: E731
    add(Tag.TERRAIN, plate_mesh(-600, 600, -600, 600, -0.2, Tag.TERRAIN, (110, 130, 70), grass, 40.0))
    for k in range(blocks + 1):
        at = -half + k * pitch
        add(Tag.ROADS, plate_mesh(-half, half, at - 4, at + 4, 0.0, Tag.ROADS, (95, 95, 98), asphalt, 4.0))
        add(Tag.ROADS, plate_mesh(at - 4, at + 4, -half, half, 0.001, Tag.ROADS, (95, 95, 98), asphalt, 4.0))
        for dash in np.arange(-half + 6, half, 9.0):
            paint = Material("road_paint", gloss=0.1)
            add(
                Tag.ROAD_LINES,
                plate_mesh(dash, dash + 3, at - 0.06, at + 0.06, 0.006, Tag.ROAD_LINES, (235, 235, 230), paint),
            )
            add(
                Tag.ROAD_LINES,
                plate_mesh(at - 0.06, at + 0.06, dash, dash + 3, 0.006, Tag.ROAD_LINES, (235, 235, 230), paint),
            )
    for i in range(blocks):
        for j in range(blocks):
            x, y = -half + (i + 0.5) * pitch, -half + (j + 0.5) * pitch
            add(Tag.SIDEWALKS, box_mesh((x, y, 0.0), (26, 26, 0.15), Tag.SIDEWALKS, (170, 168, 160), pavement))
            height = rng.uniform(4, 12)
            add(
                Tag.BUILDINGS,
                box_mesh((x, y, height), (16, 16, height), Tag.BUILDINGS, rng.integers(140, 230, 3), facade),
                *(
                    box_mesh(
                        (x + s * 16 * (k == 0) + (k == 1) * o, y + s * 16 * (k == 1) + (k == 0) * o, z),
                        (0.05 if k == 0 else 0.7, 0.05 if k == 1 else 0.7, 0.9),
                        Tag.BUILDINGS,
                        (60, 70, 80),
                        window,
                    )
                    for k in (0, 1)
                    for s in (-1, 1)
                    for o in np.arange(-13, 14, 3.2)
                    for z in np.arange(2, 2 * height - 1, 3.0)
                ),
            )
            for o in np.arange(-20, 21, 10.0):
                for s in (-1, 1):
                    parts = [box_mesh((x + o, y + s * 23, 2), (0.15, 0.15, 2), Tag.VEGETATION, (90, 70, 50))]
                    for _ in range(30):
                        c = np.array([x + o, y + s * 23, 5]) + rng.normal(0, 0.9, 3)
                        parts.append(box_mesh(c, rng.uniform(0.3, 0.7, 3), Tag.VEGETATION, (70, 110, 50), leaves))
                    add(Tag.VEGETATION, *parts)
    return world(*objects)


def car_model(color=(180, 30, 30)):
    paint = Material("paint", gloss=0.6)
    lamp = Material("headlamp", gloss=0.8, emission=(1.0, 0.97, 0.86), light="low_beam")
    return model(
        box_mesh((0, 0, 0.7), (2.2, 0.9, 0.35), Tag.CAR, color, paint),
        box_mesh((-0.2, 0, 1.25), (1.2, 0.8, 0.25), Tag.CAR, (40, 45, 50), Material("glass", gloss=0.9)),
        box_mesh((2.2, 0.6, 0.7), (0.03, 0.15, 0.1), Tag.CAR, (240, 240, 240), lamp),
        box_mesh((2.2, -0.6, 0.7), (0.03, 0.15, 0.1), Tag.CAR, (240, 240, 240), lamp),
        name="car",
    )

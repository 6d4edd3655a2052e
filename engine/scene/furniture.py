"""What lines streets: lamps, rails, hedges, fences, delineators; and the objects that the OpenDRIVE file places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from engine.geometry import Model, StaticObject
from engine.scene import materials as m
from engine.scene import trees
from engine.scene.builder import Color, MeshBuilder
from engine.scene.ground import (
    LAYER_BUILDINGS,
    LAYER_FOLIAGE,
    LAYER_PROPS,
    LAYER_WALLS,
    Floats,
    Patch,
    flat_shaded,
    joined,
    object_id,
    static_object,
)
from engine.scene.shapes import box, grid, lathe, prism, tube
from foundation.frames import carla_rotation, pose_matrices
from foundation.ids import Tag
from foundation.seeds import generator
from scenarios.opendrive import PlacedObject, RoadNetwork, objects

POLE_GREY: Color = (92.0, 97.0, 100.0)
RAIL_GREY: Color = (166.0, 170.0, 173.0)
RAIL_PROFILE = np.array(
    [(0.0, 0.44), (-0.07, 0.50), (-0.07, 0.56), (0.0, 0.595), (-0.07, 0.63), (-0.07, 0.69), (0.0, 0.75)]
)
"""Cross-section of a steel guard rail: (towards the back, height), metres; 31 cm high, top edge at 75 cm."""


def placed(
    name: str,
    model: Model,
    at: Sequence[float] | Floats,
    heading: float,
    *,
    tag: Tag,
    layer: int,
    seed: int,
    world: str,
    collides: bool = True,
) -> StaticObject:
    """Return a model standing upright at a place (x, y, z) of ASAM's frame, turned to a heading in radians."""
    pose = pose_matrices((at[0], -at[1], at[2]), carla_rotation(heading))
    return StaticObject(object_id(seed, world, name), name, model, pose, tag, collides, layer)


@lru_cache(maxsize=8)
def lamp_model(height: float, reach: float) -> Model:
    """Return a street lamp whose arm reaches ``reach`` metres along +x; its light is a mesh of its own."""
    b = MeshBuilder(Tag.POLES)
    b.add(
        lathe([(0.09, -0.4), (0.09, 0.9), (0.06, 1.0), (0.045, height - 0.4)], 7), m.METAL, POLE_GREY, crease_deg=50.0
    )
    bend = [
        (0.0, 0.0, height - 0.45),
        (0.06 * reach, 0.0, height - 0.1),
        (0.35 * reach, 0.0, height),
        (reach, 0.0, height + 0.04),
    ]
    b.add(tube(bend, [0.045, 0.042, 0.036, 0.03], 6), m.METAL, POLE_GREY, crease_deg=50.0)
    b.add(box((reach + 0.2, 0.0, height + 0.04), (0.62, 0.24, 0.10), (0.86, 0.7)), m.METAL, POLE_GREY)
    b.add(box((reach + 0.2, 0.0, height - 0.02), (0.5, 0.19, 0.03)), m.STREET_LAMP, (246.0, 240.0, 224.0))
    return b.model(f"street_lamp_{height:.0f}")


@lru_cache(maxsize=1)
def delineator_model() -> Model:
    """Return a roadside post with reflectors."""
    b = MeshBuilder(Tag.POLES)
    for low, high, color in (
        (-0.2, 0.72, (228.0, 228.0, 224.0)),
        (0.72, 0.94, (30.0, 30.0, 32.0)),
        (0.94, 1.0, (228.0, 228.0, 224.0)),
    ):
        b.add(prism([(-0.05, -0.06), (0.05, -0.06), (0.05, 0.06), (-0.05, 0.06)], low, high), m.PLASTIC, color)
    for x in (-0.052, 0.052):
        b.add(box((x, 0.0, 0.83), (0.004, 0.05, 0.16)), m.SIGN, (220.0, 222.0, 216.0))
    return b.model("delineator")


@lru_cache(maxsize=16)
def pole_model(height: float, radius: float) -> Model:
    """Return a plain pole."""
    b = MeshBuilder(Tag.POLES)
    b.add(lathe([(radius, -0.3), (radius, height), (0.0, height)], 8), m.METAL, POLE_GREY, crease_deg=50.0)
    return b.model(f"pole_{height:.1f}")


@lru_cache(maxsize=64)
def tree_model(species: str, size: int) -> Model:
    """Return a tree; ``size`` 0, 1 or 2 is young, grown or old."""
    rng = generator(0, "tree", species, size)
    tall = {"linden": 9.0, "maple": 8.5, "birch": 10.0, "poplar": 14.0, "pine": 12.0, "spruce": 13.0}[species]
    b = MeshBuilder(Tag.VEGETATION)
    trees.add_tree(b, species, tall * (0.62, 0.85, 1.12)[size], rng)
    return b.model(f"tree_{species}_{size}")


def rail_patch(line: Floats, side: float, posts: bool = True) -> Patch:
    """Return a guard rail along (N, 3) ground points, facing the road, which lies on ``side`` (1 left, -1 right)."""
    along = np.gradient(line[:, :2], axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    to_road = side * np.column_stack([-along[:, 1], along[:, 0]])
    shape = np.empty((len(RAIL_PROFILE), len(line), 3))
    shape[..., :2] = line[None, :, :2] + RAIL_PROFILE[:, 0, None, None] * -to_road[None]
    shape[..., 2] = line[None, :, 2] + RAIL_PROFILE[:, 1, None]
    face = grid(shape)
    if side < 0.0:
        face = face[:, ::-1]
    parts = [face, face[:, ::-1] - np.append(0.0 * to_road[0], 0.0)]
    if posts:
        for point, inward, direction in zip(line, to_road, along):
            center = np.array([*(point[:2] - inward * 0.13), point[2]])
            turn = np.array([[direction[0], -direction[1], 0.0], [direction[1], direction[0], 0.0], [0.0, 0.0, 1.0]])
            parts.append(
                prism([(-0.03, -0.06), (0.03, -0.06), (0.03, 0.06), (-0.03, 0.06)], -0.4, 0.72, bottom=False) @ turn.T
                + center
            )
    return soup(np.concatenate(parts), RAIL_GREY)


def soup(corners: Floats, color: Color) -> Patch:
    """Return loose (T, 3, 3) triangles as a patch with flat normals."""
    edge = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    corners = corners[np.linalg.norm(edge, axis=1) > 1e-9]
    flat = corners.reshape(-1, 3)
    uv = np.column_stack([flat[:, 0] + flat[:, 1], flat[:, 2]])
    index = np.arange(len(flat), dtype=np.int32).reshape(-1, 3)
    return flat_shaded(flat, index, uv, color)


def wall_patch(line: Floats, widths: Floats, heights: Floats, color: Color, sink: float = 0.3) -> Patch:
    """Return a wall of rectangular section drawn along (N, 3) foot points, reaching ``sink`` into the ground."""
    along = np.gradient(line[:, :2], axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    left = np.column_stack([-along[:, 1], along[:, 0]]) * (widths / 2.0)[:, None]
    ring = np.empty((4, len(line), 3))
    for row, (sign, share) in enumerate(((-1.0, 0.0), (-1.0, 1.0), (1.0, 1.0), (1.0, 0.0))):
        ring[row, :, :2] = line[:, :2] + sign * left
        ring[row, :, 2] = line[:, 2] + np.where(share > 0.0, heights, -sink)
    faces = [grid(ring)]
    for end, turned in ((ring[:, 0], False), (ring[:, -1], True)):
        cap = np.stack([end[[0, 1, 2]], end[[0, 2, 3]]])
        faces.append(cap[:, ::-1] if not turned else cap)
    return soup(np.concatenate(faces), color)


def hedge_patch(line: Floats, width: float, height: float, rng: np.random.Generator) -> Patch:
    """Return a hedge with an uneven top along (N, 3) foot points."""
    heights = height * rng.uniform(0.9, 1.1, len(line))
    green = np.array([78.0, 108.0, 52.0]) * rng.uniform(0.85, 1.1)
    return wall_patch(line, np.full(len(line), width), heights, (green[0], green[1], green[2]))


def fence_patch(line: Floats, height: float, color: Color) -> Patch:
    """Return a fence of posts and two rails with boards along (N, 3) foot points."""
    count = len(line)
    parts = [
        wall_patch(line + np.array([0.0, 0.0, z]), np.full(count, 0.05), np.full(count, 0.10), color, sink=0.0)
        for z in (height * 0.35, height * 0.85)
    ]
    posts = [
        box((x, y, z + height / 2.0 - 0.15), (0.1, 0.1, height + 0.3))
        for x, y, z in line
    ]  # fmt: skip
    parts.append(soup(np.concatenate(posts), color))
    return joined(parts)


# Objects of the file

_SWEEP_LOOKS: dict[str, tuple[Tag, Color, int]] = {
    "rail": (Tag.GUARD_RAIL, RAIL_GREY, LAYER_WALLS),
    "fence": (Tag.FENCES, (150.0, 128.0, 98.0), LAYER_WALLS),
    "hedge": (Tag.VEGETATION, (78.0, 108.0, 52.0), LAYER_FOLIAGE),
    "vegetation": (Tag.VEGETATION, (78.0, 108.0, 52.0), LAYER_FOLIAGE),
    "building": (Tag.BUILDINGS, (196.0, 190.0, 178.0), LAYER_BUILDINGS),
    "": (Tag.WALLS, (158.0, 156.0, 152.0), LAYER_WALLS),
}


def _look(thing: PlacedObject) -> tuple[str, Tag, Color, int]:
    words = f"{thing.type} {thing.name} {thing.record.subtype}".lower()
    for word, look in _SWEEP_LOOKS.items():
        if word and word in words:
            return (word, *look)
    return ("", *_SWEEP_LOOKS[""])


def file_objects(network: RoadNetwork, *, seed: int, world: str) -> tuple[list[StaticObject], list[PlacedObject]]:
    """Return the objects that the file places, and those that stand for nothing we could draw.

    Paint (crosswalks, stop lines, parking bays) is made with the markings and appears in neither list.
    """
    found, left_out = [], []
    for number, thing in enumerate(objects(network)):
        name = f"Object_{thing.road_id}_{thing.id}_{thing.repetition}_{number}"
        made = _one(thing, name, seed, world)
        if made is not None:
            found.append(made)
        elif not thing.outlines and thing.type not in ("crosswalk", "parkingSpace", "roadMark", "-1"):
            left_out.append(thing)
    return found, left_out


def _one(thing: PlacedObject, name: str, seed: int, world: str) -> StaticObject | None:
    word, tag, color, layer = _look(thing)
    if thing.sweep is not None:
        return _swept(thing, word, tag, color, layer, name, seed, world)
    solid = [o for o in thing.outlines if o.closed and o.outer and len(o.points) > 2 and float(o.heights.max()) > 0.3]
    if solid:
        parts = []
        for outline in solid:
            low = float(outline.points[:, 2].min())
            parts.append(prism(outline.points[:, :2], low - 0.5, low + float(outline.heights.max())))
        tall = max(float(o.heights.max()) for o in solid)
        if tag == Tag.WALLS and tall > 5.0:
            tag, layer = Tag.BUILDINGS, LAYER_BUILDINGS
        shade: Color = (196.0, 186.0, 168.0) if tag == Tag.BUILDINGS else color
        material = m.FACADE if tag == Tag.BUILDINGS else m.PLASTER
        return static_object(
            name, [(soup(np.concatenate(parts), shade), material, tag)], tag=tag, seed=seed, world=world, layer=layer
        )
    at = (thing.pose.x, thing.pose.y, thing.pose.z)
    text = f"{thing.type} {thing.name}".lower()
    if "guide-post" in text or "delineator" in text:
        return placed(
            name, delineator_model(), at, thing.pose.heading, tag=Tag.POLES, layer=LAYER_PROPS, seed=seed, world=world
        )
    if "pole" in text or "post" in text:
        radius = thing.radius or thing.width / 2.0 or (0.03 if "rail" in text else 0.045)
        model = pole_model(round(thing.height or 1.5, 2), round(max(radius, 0.02), 3))
        return placed(name, model, at, thing.pose.heading, tag=Tag.POLES, layer=LAYER_PROPS, seed=seed, world=world)
    if "tree" in text or ("vegetation" in text and thing.height > 4.0):
        species = trees.SPECIES[int(generator(seed, "file-tree", world, name).integers(len(trees.SPECIES)))]
        return placed(
            name,
            tree_model(species, 1),
            at,
            thing.pose.heading,
            tag=Tag.VEGETATION,
            layer=LAYER_FOLIAGE,
            seed=seed,
            world=world,
        )
    if "cone" in text:
        return placed(
            name, _cone_model(), at, thing.pose.heading, tag=Tag.STATIC, layer=LAYER_PROPS, seed=seed, world=world
        )
    if thing.height > 0.2 and max(thing.length, thing.width, thing.radius) > 0.05:
        return _block(thing, tag, color, layer, name, seed, world)
    return None


@lru_cache(maxsize=1)
def _cone_model() -> Model:
    from engine.scene.props import MAKERS

    b = MeshBuilder(Tag.STATIC)
    MAKERS["trafficcone"](b, 0.4, 0.4, 0.75, generator(0, "cone"))
    return b.model("cone")


def _block(thing: PlacedObject, tag: Tag, color: Color, layer: int, name: str, seed: int, world: str) -> StaticObject:
    """Return an object of which only the size is known as a block (or a drum) of that size."""
    length = thing.length or 2.0 * thing.radius
    width = thing.width or 2.0 * thing.radius or 0.3
    if tag == Tag.VEGETATION:
        rng = generator(seed, "file-bush", world, name)
        center = (0.0, 0.0, thing.height / 2.0)
        part = trees.lumpy(center, (length / 2.0, width / 2.0, thing.height / 2.0), rng, 12, 6, 0.1)
        part[..., 2] = part[..., 2].clip(-0.1)
        material = m.LEAVES
    else:
        part, material = box((0.0, 0.0, thing.height / 2.0 - 0.1), (length, width, thing.height + 0.2)), m.PLASTER
        if thing.type == "obstacle":
            tag, layer = Tag.STATIC, LAYER_PROPS
    cos, sin = math.cos(thing.pose.heading), math.sin(thing.pose.heading)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    part = part @ turn.T + np.array([thing.pose.x, thing.pose.y, thing.pose.z])
    return static_object(name, [(soup(part, color), material, tag)], tag=tag, seed=seed, world=world, layer=layer)


def _swept(
    thing: PlacedObject, word: str, tag: Tag, color: Color, layer: int, name: str, seed: int, world: str
) -> StaticObject | None:
    sweep = thing.sweep
    assert sweep is not None
    if len(sweep.points) < 2:
        return None
    heights = np.where(sweep.height > 0.01, sweep.height, 1.0)
    if word == "rail" and float(heights.max()) > 0.5:
        line = sweep.points[:: max(1, round(4.0 / _step(sweep.points)))]
        patch = rail_patch(line if len(line) > 1 else sweep.points, 1.0 if thing.t < 0.0 else -1.0)
        material = m.METAL
    elif word == "rail":  # a bare rail on posts that the file places one by one
        patch = wall_patch(sweep.points, np.full(len(sweep.points), 0.06), heights, color, sink=0.0)
        material = m.METAL
    elif word == "fence":
        patch, material = fence_patch(sweep.points, float(heights.max()), color), m.TIMBER
    else:
        widths = np.maximum(sweep.width, 0.25 if word != "hedge" else 0.6)
        patch, material = (
            wall_patch(sweep.points, widths, heights, color),
            m.LEAVES if tag == Tag.VEGETATION else m.CONCRETE,
        )
    return static_object(name, [(patch, material, tag)], tag=tag, seed=seed, world=world, layer=layer)


def _step(points: Floats) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).mean())

"""Roads, pavements, kerbs and paint as static objects; and what later generators must know of them.

The network's surfaces are in ASAM's frame; meshes are finished in CARLA's. Everything is cut into pieces of about
100 m, each an object of its own, so that bounding boxes mean something and renderers can cull.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from engine.geometry import Box, Material, Mesh, Model, StaticObject
from engine.scene import materials as m
from engine.scene.builder import Color
from foundation.frames import flip_y
from foundation.ids import Tag
from foundation.seeds import derive
from scenarios.opendrive import Marking, Surface

Floats = npt.NDArray[np.float64]
Triangles = npt.NDArray[np.int32]

PIECE_M = 100.0
PAINT_LIFT_M = 0.004
"""How far paint lies above the road."""
SKIRT_M = 0.5
"""How far the rim of the ground goes down where it borders on terrain, so that no light shines through."""
DECK_M = 0.7
"""Thickness of bridge decks."""

LAYER_GROUND, LAYER_DECALS, LAYER_BUILDINGS, LAYER_FOLIAGE = 8, 2, 1, 4
LAYER_PROPS, LAYER_LIGHTS, LAYER_WALLS = 64, 128, 256

ASPHALT_GREY: Color = (104.0, 104.0, 106.0)
LANE_COLORS: dict[str, Color] = {
    "shoulder": (112.0, 111.0, 110.0),
    "stop": (112.0, 111.0, 110.0),
    "border": (114.0, 112.0, 108.0),
    "parking": (96.0, 95.0, 96.0),
    "biking": (146.0, 92.0, 80.0),
    "bus": (118.0, 98.0, 94.0),
}
PAVING: Color = (176.0, 171.0, 164.0)
KERB: Color = (186.0, 184.0, 178.0)
MEADOW: Color = (101.0, 114.0, 76.0)
BALLAST: Color = (128.0, 120.0, 112.0)


@dataclass(frozen=True, eq=False)
class Patch:
    """Triangles in ASAM world coordinates that look alike: raw material for static objects."""

    vertices: Floats
    triangles: Triangles
    normals: Floats
    uv: Floats
    colors: Floats


def object_id(seed: int, world: str, name: str) -> int:
    """Return an object's 63-bit id: the same for the same map, seed and name."""
    return derive(seed, "static-object", world, name)


def vertex_normals(vertices: Floats, triangles: Triangles) -> Floats:
    """Return (V, 3) area-weighted unit normals; vertices without area point up."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(triangles[:, corner], face[:, axis], minlength=len(vertices))
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 1e-12, normals / np.maximum(length, 1e-12), np.array([0.0, 0.0, 1.0]))


def flat_shaded(vertices: Floats, triangles: Triangles, uv: Floats, color: Color) -> Patch:
    """Return a patch whose faces do not share normals: kerbs, skirts, walls."""
    corners = vertices[triangles].reshape(-1, 3)
    index = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    face = np.cross(corners[1::3] - corners[0::3], corners[2::3] - corners[0::3])
    face /= np.maximum(np.linalg.norm(face, axis=1, keepdims=True), 1e-12)
    shade = np.broadcast_to(np.asarray(color), corners.shape)
    return Patch(corners, index, np.repeat(face, 3, axis=0), uv[triangles].reshape(-1, 2), shade)


def smooth_shaded(vertices: Floats, triangles: Triangles, uv: Floats, color: Color | Floats) -> Patch:
    """Return a patch with vertex normals averaged over its faces."""
    shade = np.broadcast_to(np.asarray(color, dtype=np.float64), vertices.shape)
    return Patch(vertices, triangles, vertex_normals(vertices, triangles), uv, shade)


def joined(patches: Sequence[Patch]) -> Patch:
    """Return several patches as one."""
    offset = np.cumsum([0, *(len(p.vertices) for p in patches[:-1])])
    return Patch(
        np.concatenate([p.vertices for p in patches]),
        np.concatenate([p.triangles + o for p, o in zip(patches, offset)]).astype(np.int32),
        np.concatenate([p.normals for p in patches]),
        np.concatenate([p.uv for p in patches]),
        np.concatenate([p.colors for p in patches]),
    )


def pieces(patch: Patch, side: float = PIECE_M) -> list[Patch]:
    """Return a patch cut along a square grid by its triangles' centres, or whole if it is small."""
    flat = patch.vertices[:, :2]
    if np.all(np.ptp(flat, axis=0) < 1.5 * side):
        return [patch]
    cell = np.floor(flat[patch.triangles].mean(axis=1) / side).astype(np.int64)
    _, group = np.unique(cell, axis=0, return_inverse=True)
    group = group.reshape(-1)
    found = []
    for number in range(int(group.max()) + 1):
        used, index = np.unique(patch.triangles[group == number], return_inverse=True)
        found.append(
            Patch(
                patch.vertices[used],
                index.reshape(-1, 3).astype(np.int32),
                patch.normals[used],
                patch.uv[used],
                patch.colors[used],
            )
        )
    return found


def static_object(
    name: str,
    meshes: Iterable[tuple[Patch, Material, Tag]],
    *,
    tag: Tag,
    seed: int,
    world: str,
    collides: bool = True,
    layer: int = LAYER_GROUND,
) -> StaticObject:
    """Return patches as one object: vertices relative to the middle of its foot, which is its pose's location."""
    parts = list(meshes)
    points = np.concatenate([patch.vertices for patch, _, _ in parts])
    low, high = flip_y(points.min(axis=0)), flip_y(points.max(axis=0))
    low, high = np.minimum(low, high), np.maximum(low, high)
    origin = np.array([(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0, low[2]])
    finished = tuple(
        Mesh(
            vertices=(flip_y(patch.vertices) - origin).astype(np.float32),
            triangles=patch.triangles.astype(np.int32),
            normals=flip_y(patch.normals).astype(np.float32),
            uv=patch.uv.astype(np.float32),
            colors=np.round(patch.colors).clip(0, 255).astype(np.uint8),
            material=material,
            tag=mesh_tag,
        )
        for patch, material, mesh_tag in parts
    )
    center, extent = (low + high) / 2.0 - origin, (high - low) / 2.0
    shape = Box(
        (float(center[0]), float(center[1]), float(center[2])), (float(extent[0]), float(extent[1]), float(extent[2]))
    )
    pose = np.eye(4)
    pose[:3, 3] = origin
    return StaticObject(object_id(seed, world, name), name, Model(name, finished, shape), pose, tag, collides, layer)


def look_of(surface: Surface) -> tuple[Material, Color]:
    """Return material and colour of a surface."""
    if surface.tag == Tag.SIDEWALKS:
        return m.PAVEMENT, KERB if surface.kind == "kerb" else PAVING
    if surface.tag == Tag.ROADS:
        return m.ASPHALT, LANE_COLORS.get(surface.lane_type, ASPHALT_GREY)
    if surface.tag == Tag.RAIL_TRACK:
        return m.GRAVEL, BALLAST
    return m.GRASS, MEADOW


def rim_edges(surface: Surface) -> npt.NDArray[np.int64]:
    """Return (E, 2) vertex numbers of the edges that only one triangle has; the mesh lies on their left."""
    t = surface.triangles
    edges = np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]]).astype(np.int64)
    count = len(surface.vertices)
    there, back = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    return edges[~np.isin(there, back)]


def drop(vertices: Floats, edges: npt.NDArray[np.int64], depth: float, color: Color) -> Patch:
    """Return upright faces below rim edges, seen from outside the mesh."""
    a, b = vertices[edges[:, 0]], vertices[edges[:, 1]]
    down = np.array([0.0, 0.0, depth])
    points = np.stack([a, b, b - down, a - down], axis=1).reshape(-1, 3)
    first = 4 * np.arange(len(edges))[:, None]
    faces = np.concatenate([first + np.array([0, 3, 2]), first + np.array([0, 2, 1])])
    length = np.linalg.norm(b - a, axis=1)
    uv = np.zeros((len(edges), 4, 2))
    uv[:, 1:3, 0] = length[:, None]
    uv[:, :2, 1] = depth
    return flat_shaded(points, faces.astype(np.int32), uv.reshape(-1, 2), color)


def surface_outline(surface: Surface) -> shapely.Geometry:
    """Return the area a surface covers, seen from above."""
    corners = surface.vertices[surface.triangles][:, :, :2]
    shapes = shapely.polygons(np.concatenate([corners, corners[:, :1]], axis=1))
    try:  # ten times faster than the general union, but only for triangles that share whole edges
        whole = shapely.coverage_union_all(shapes)
    except shapely.GEOSException:
        return shapely.union_all(shapes, grid_size=0.001)
    return whole if shapely.is_valid(whole) else shapely.union_all(shapes, grid_size=0.001)


class Ground:
    """The network's surfaces with what placing and terrain need: the area, its rim, and which parts are bridges.

    Attributes:
        surfaces: lanes and junction fill that lie on the ground. kerbs: their upright faces.
        bridges: surfaces (or the parts of them) that pass over others, with what lies below kept free.
        area: the plan area of ``surfaces``. deck_area: that of ``bridges``.
    """

    def __init__(self, found: Sequence[Surface]) -> None:
        flat = [surface for surface in found if surface.kind != "kerb"]
        self.kerbs = [surface for surface in found if surface.kind == "kerb"]
        elevated = _elevated(flat)
        self.surfaces: list[Surface] = []
        self.bridges: list[Surface] = []
        for surface, marks in zip(flat, elevated):
            for part, chosen in ((self.surfaces, ~marks), (self.bridges, marks)):
                if chosen.any():
                    part.append(_part(surface, chosen))
        self.area = shapely.union_all([surface_outline(s) for s in self.surfaces], grid_size=0.001)
        self.deck_area = (
            shapely.union_all([surface_outline(s) for s in self.bridges], grid_size=0.001)
            if self.bridges
            else shapely.Polygon()
        )
        starts, ends = [], []
        for surface in self.surfaces:
            edges = rim_edges(surface)
            starts.append(surface.vertices[edges[:, 0]])
            ends.append(surface.vertices[edges[:, 1]])
        self.rim = np.stack([np.concatenate(starts), np.concatenate(ends)], axis=1)
        """(E, 2, 3) edges of the surfaces' rims; those between two surfaces are among them."""

    def outer_rim(self) -> shapely.Geometry:
        """Return the line where the ground borders on open land."""
        return shapely.boundary(self.area)


def _part(surface: Surface, chosen: npt.NDArray[np.bool_]) -> Surface:
    """Return a surface reduced to some of its triangles."""
    if chosen.all():
        return surface
    used, index = np.unique(surface.triangles[chosen], return_inverse=True)
    return Surface(
        surface.kind,
        surface.tag,
        surface.lane_type,
        surface.road_id,
        surface.section,
        surface.lane_id,
        surface.junction,
        surface.vertices[used],
        index.reshape(-1, 3).astype(np.int32),
        surface.uv[used],
    )


BRIDGE_CLEARANCE_M = 2.8
BRIDGE_MARGIN_M = 9.0


def _elevated(flat: Sequence[Surface]) -> list[npt.NDArray[np.bool_]]:
    """Return for each surface which triangles pass over another surface, or lie close to one that does."""
    counts = [len(s.triangles) for s in flat]
    none = [np.zeros(count, dtype=bool) for count in counts]
    corners = np.concatenate([s.vertices[s.triangles] for s in flat])
    if np.ptp(corners[..., 2]) < BRIDGE_CLEARANCE_M:
        return none
    centre = corners.mean(axis=1)
    shapes = shapely.polygons(np.concatenate([corners[..., :2], corners[:, :1, :2]], axis=1))
    tree = shapely.STRtree(shapes)
    # Long triangles may overlap without either holding the other's centre, so whole triangles are compared.
    upper, lower = tree.query(shapes, predicate="overlaps")
    more_upper, more_lower = tree.query(shapely.points(centre[:, :2]), predicate="within")
    upper, lower = np.concatenate([upper, more_upper]), np.concatenate([lower, more_lower])
    gap = corners[upper][..., 2].min(axis=1) - corners[lower][..., 2].max(axis=1)
    over = np.zeros(len(corners), dtype=bool)
    over[upper[gap > BRIDGE_CLEARANCE_M]] = True
    if not over.any():
        return none
    base = shapely.union_all(shapes[over])
    near = shapely.dwithin(shapes, base, BRIDGE_MARGIN_M)
    # Neighbours of a bridge belong to it when they are as high as it is, not when they lie below it.
    at = shapely.STRtree(shapes[over]).query_nearest(shapes, all_matches=False)[1]
    level = np.abs(centre[:, 2] - centre[over][at][:, 2]) < 1.5
    marks = over | (near & level)
    return list(np.split(marks, np.cumsum(counts)[:-1]))


def ground_objects(ground: Ground, *, seed: int, world: str, side: float = PIECE_M) -> list[StaticObject]:
    """Return roads, pavements, verges and bridges as objects of about ``side`` metres."""
    groups: dict[tuple[str, Tag, Material], list[Patch]] = {}
    rim = ground.outer_rim()
    shapely.prepare(rim)
    for surface in [*ground.surfaces, *ground.kerbs]:
        material, color = look_of(surface)
        key = (_place_name(surface), surface.tag, material)
        if surface.kind == "kerb":
            groups.setdefault(key, []).append(flat_shaded(surface.vertices, surface.triangles, surface.uv, color))
            continue
        groups.setdefault(key, []).append(smooth_shaded(surface.vertices, surface.triangles, surface.uv, color))
        edges = rim_edges(surface)
        middle = surface.vertices[edges][:, :, :2].mean(axis=1)
        outside = shapely.dwithin(shapely.points(middle), rim, 0.005)
        if outside.any():
            shade: Color = (color[0] * 0.7, color[1] * 0.7, color[2] * 0.7)
            groups[key].append(drop(surface.vertices, edges[outside], SKIRT_M, shade))
    for surface in ground.bridges:
        material, color = look_of(surface)
        key = (_place_name(surface), surface.tag, material)
        groups.setdefault(key, []).append(smooth_shaded(surface.vertices, surface.triangles, surface.uv, color))
        groups.setdefault((key[0], Tag.BRIDGE, m.CONCRETE), []).extend(_deck(surface))
    found = []
    for (place, tag, material), patches in groups.items():
        word = {Tag.ROADS: "Road", Tag.SIDEWALKS: "SideWalk", Tag.BRIDGE: "Bridge", Tag.RAIL_TRACK: "RailTrack"}
        for number, piece in enumerate(pieces(joined(patches), side)):
            name = f"{word.get(tag, 'Verge')}_{place}_{number}"
            found.append(static_object(name, [(piece, material, tag)], tag=tag, seed=seed, world=world))
    return found


def _place_name(surface: Surface) -> str:
    return f"Junction{surface.junction}" if surface.junction else f"Road{surface.road_id}"


def _deck(surface: Surface) -> list[Patch]:
    """Return the underside and the faces of a bridge deck."""
    grey: Color = (150.0, 148.0, 144.0)
    below = surface.vertices - np.array([0.0, 0.0, DECK_M])
    soffit = smooth_shaded(below, surface.triangles[:, ::-1], surface.uv, grey)
    return [soffit, drop(surface.vertices, rim_edges(surface), DECK_M, grey)]


def paint_objects(marks: Sequence[Marking], *, seed: int, world: str) -> list[StaticObject]:
    """Return road paint as objects without substance, lifted a little over the road."""
    groups: dict[tuple[str, Tag], list[Patch]] = {}
    for mark in marks:
        if not len(mark.triangles):
            continue
        lifted = mark.vertices + np.array([0.0, 0.0, PAINT_LIFT_M])
        color = (mark.rgb[0] * 255.0, mark.rgb[1] * 255.0, mark.rgb[2] * 255.0)
        patch = smooth_shaded(lifted, mark.triangles, mark.uv, color)
        groups.setdefault((mark.road_id, mark.tag), []).append(patch)
    found = []
    for (road, tag), patches in groups.items():
        for number, piece in enumerate(pieces(joined(patches))):
            name = f"Paint_Road{road}_{tag.name}_{number}"
            found.append(
                static_object(
                    name,
                    [(piece, m.ROAD_PAINT, tag)],
                    tag=tag,
                    seed=seed,
                    world=world,
                    collides=False,
                    layer=LAYER_DECALS,
                )
            )
    return found

"""Makes the navigation mesh of a map and its file."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from engine.geometry import StaticObject, StaticWorld
from engine.navigation.detour import Area, Detail, NavMesh, Tile, encode
from engine.navigation.levels import Heights, levels
from engine.navigation.partition import GRID_M, Plan, partition
from engine.navigation.regions import ORDER, Regions, regions
from engine.scene.ground import Ground
from foundation.frames import flip_y, transform_points
from foundation.ids import Tag
from scenarios.opendrive import RoadNetwork, surfaces

Floats = npt.NDArray[np.float64]

_log = logging.getLogger(__name__)

LEAST_ISLAND_M2 = 10.0
"""Connected pavements smaller than this are no places to walk to."""
FLAT_M = 0.03
"""Polygons that miss the ground by more than this get a detail mesh."""
SAMPLE_M = 2.0
"""Distance of the points of detail meshes."""
MOST_SAMPLES = 60
"""Points of one polygon's detail mesh, at most; they are numbered with eight bits."""


class NavigationFile:
    """What the client downloads: its name below the game's content folder, and its bytes.

    Clients keep files by name for ever, so the name follows from all that decides the content: the road network, what
    stands beside the roads, and this program. It is known at once; the mesh is made when its bytes are asked for.

    Args:
        network: the road network.
        static: the world grown around it.
    """

    def __init__(self, network: RoadNetwork, static: StaticWorld) -> None:
        self._network, self._static = network, static
        seen = hashlib.sha256(network.text.encode("utf-8", "surrogateescape"))
        for thing in static.objects:
            seen.update(f"{thing.id} {thing.collides} {thing.model.box}".encode())
            seen.update(np.ascontiguousarray(thing.pose).tobytes())
        seen.update(_program())
        self.name = f"Carla/Maps/Nav/{static.name}-{seen.hexdigest()[:16]}.bin"

    @cached_property
    def data(self) -> bytes:
        """The file's bytes."""
        started = time.perf_counter()
        mesh = navigation_mesh(self._network, self._static)
        data = encode([Tile(mesh)], *_frame(mesh))
        _log.info(
            "navigation mesh of %s: %d polygons, %d bytes, %.2f s",
            self._static.name, len(mesh.polygons), len(data), time.perf_counter() - started,
        )  # fmt: skip
        return data


@lru_cache(maxsize=1)
def _program() -> bytes:
    """Return a digest of everything else that decides how a mesh comes out: our sources and the libraries' versions."""
    seen = hashlib.sha256(f"{np.__version__} {shapely.__version__} {shapely.geos_version}".encode())
    root = Path(__file__).resolve().parents[2]
    for package in ("engine/navigation", "engine/scene", "scenarios/opendrive", "foundation"):
        for source in sorted((root / package).rglob("*.py")):
            seen.update(source.read_bytes())
    return seen.digest()


def _frame(mesh: NavMesh) -> tuple[tuple[float, float, float], float]:
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    return (float(low[0]), float(low[1]), float(low[2])), float((high - low)[:2].max()) + 1.0


def navigation_mesh(network: RoadNetwork, static: StaticWorld) -> NavMesh:
    """Return the polygons people can walk on, CARLA's frame."""
    ground = static.extra.get("ground")
    found = levels(ground if isinstance(ground, Ground) else Ground(surfaces(network)))
    land = _land(static)
    parts = []
    for number, part in enumerate(regions(network, static, found)):
        parts.append(_level_mesh(part, land if number == 0 else []))
    return _with_goals(_joined([part for part in parts if len(part.polygons)]))


def _with_goals(mesh: NavMesh) -> NavMesh:
    """Return a mesh whose pavements are places to walk to: each connected one large enough, and at least one.

    The client draws its random goals from pavement. Without any it looks for one for ever, and from a crumb of it
    there is nowhere to go.
    """
    areas, sizes, beside = mesh.areas.copy(), mesh.sizes(), mesh.neighbours()
    walked = (areas != Area.ROAD) & (areas != Area.BLOCK)
    seen = np.zeros(len(areas), dtype=bool)
    for start in np.flatnonzero(areas == Area.SIDEWALK).tolist():
        if seen[start]:
            continue
        members, seen[start] = [start], True
        for number in members:
            for other in beside[number]:
                if other >= 0 and walked[other] and not seen[other]:
                    seen[other] = True
                    members.append(other)
        paved = [number for number in members if areas[number] == Area.SIDEWALK]
        if sizes[paved].sum() < LEAST_ISLAND_M2:
            areas[paved] = Area.GRASS
    for substitute in (Area.GRASS, Area.ROAD):
        if not (areas == Area.SIDEWALK).any():
            areas[areas == substitute] = Area.SIDEWALK
    return replace(mesh, areas=areas)


def _land(static: StaticWorld) -> list[Floats]:
    """Return the triangles of the land beside the roads, ASAM's frame."""
    things = [thing for thing in static.objects if thing.tag == Tag.TERRAIN and thing.name.startswith("Terrain")]
    return [_corners(thing) for thing in things]


def _corners(thing: StaticObject) -> Floats:
    return np.concatenate(
        [flip_y(transform_points(thing.pose, mesh.vertices))[mesh.triangles] for mesh in thing.model.meshes]
    )


def _level_mesh(part: Regions, land: Sequence[Floats]) -> NavMesh:
    """Return one level's polygons with heights; still in ASAM's frame."""
    plan = partition(part.shapes)
    if not plan.polygons:
        return NavMesh(np.zeros((0, 3)), (), np.zeros(0, np.uint8), {})
    ground = Heights([*(s.vertices[s.triangles] for s in part.level.surfaces), *land])
    heights = ground.at(plan.places)
    vertices = np.column_stack([plan.places, heights])
    areas = np.array([int(area) for area in ORDER], dtype=np.uint8)[plan.classes]
    return NavMesh(vertices, tuple(plan.polygons), areas, _details(plan, vertices, ground))


def _details(plan: Plan, vertices: Floats, ground: Heights) -> dict[int, Detail]:
    """Return detail meshes of the polygons that miss the ground."""
    samples: list[Floats] = [_samples(plan.places[list(polygon)]) for polygon in plan.polygons]
    counts = [len(points) for points in samples]
    every = np.concatenate(samples)
    true = np.split(ground.at(every), np.cumsum(counts)[:-1])
    found = {}
    for number, (polygon, points, heights) in enumerate(zip(plan.polygons, samples, true)):
        corners = vertices[list(polygon)]
        if not len(points) or np.abs(_fan_heights(corners, points) - heights).max() < FLAT_M:
            continue
        found[number] = _detail(corners, np.column_stack([points, heights]))
    return found


def _samples(corners: Floats) -> Floats:
    """Return points along the edges and inside of a convex polygon, about every :data:`SAMPLE_M`."""
    following = np.roll(corners, -1, axis=0)
    length = np.linalg.norm(following - corners, axis=1)
    step = max(SAMPLE_M, float(length.sum()) / (MOST_SAMPLES / 2))
    points = []
    for a, b, run in zip(corners, following, length):
        count = int(run / step)
        if count:
            share = np.arange(1, count + 1)[:, None] / (count + 1)
            # From the lesser end on, so that neighbours sample a common edge at the same points.
            first, last = (a, b) if tuple(a) < tuple(b) else (b, a)
            points.append(first + share * (last - first))
    low, high = corners.min(axis=0), corners.max(axis=0)
    spread = max(step, float(np.sqrt((high - low).prod() / (MOST_SAMPLES / 2))))
    grid = np.stack(
        np.meshgrid(np.arange(low[0] + spread / 2, high[0], spread), np.arange(low[1] + spread / 2, high[1], spread)),
        axis=-1,
    ).reshape(-1, 2)
    edge = following - corners
    side = edge[:, 0] * (grid[:, None, 1] - corners[:, 1]) - edge[:, 1] * (grid[:, None, 0] - corners[:, 0])
    inside = (side / np.maximum(length, 1e-9) > 0.3 * step).all(axis=1)
    return np.concatenate([*points, grid[inside]]) if points or inside.any() else np.zeros((0, 2))


def _fan_heights(corners: Floats, points: Floats) -> Floats:
    """Return the heights at (N, 2) points of a polygon cut into a fan from its first corner."""
    return _on_triangles(corners[np.array([(0, k, k + 1) for k in range(1, len(corners) - 1)])], points)


def _on_triangles(triangles: Floats, points: Floats) -> Floats:
    a, u, v = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    det = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    det = np.where(np.abs(det) < 1e-12, np.inf, det)
    d = points[:, None] - a[None, :, :2]
    p = (d[..., 0] * v[:, 1] - d[..., 1] * v[:, 0]) / det
    q = (u[:, 0] * d[..., 1] - u[:, 1] * d[..., 0]) / det
    outside = np.maximum.reduce([-p, -q, p + q - 1.0])
    best = outside.argmin(axis=1)
    rows = np.arange(len(points))
    return np.asarray(a[best, 2] + p[rows, best] * u[best, 2] + q[rows, best] * v[best, 2])


def _detail(corners: Floats, points: Floats) -> Detail:
    """Return a polygon's surface through its corners and (N, 3) points: their Delaunay triangulation."""
    every = np.concatenate([corners, points])
    parts = shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(every[:, :2])))
    flat = shapely.get_coordinates(parts).reshape(-1, 4, 2)[:, :3]
    index = shapely.STRtree(shapely.points(every[:, :2])).query_nearest(
        shapely.points(flat.reshape(-1, 2)), all_matches=False
    )[1].reshape(-1, 3)  # fmt: skip
    u, v = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    turn = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    index[turn < 0.0] = index[turn < 0.0][:, ::-1]
    return Detail(points, index[np.abs(turn) > 1e-4])


def _joined(parts: Sequence[NavMesh]) -> NavMesh:
    """Return the levels' meshes as one, in CARLA's frame; where levels meet, their corners become one."""
    vertices = np.concatenate([part.vertices for part in parts])
    offsets = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    # On the grid that the levels' plans are on: any coarser one would move corners, and polygons would not stay convex.
    cell = np.round(vertices / np.array([GRID_M, GRID_M, 0.5])).astype(np.int64)
    _, first, index = np.unique(cell, axis=0, return_index=True, return_inverse=True)
    index = index.reshape(-1)
    polygons: list[tuple[int, ...]] = []
    details: dict[int, Detail] = {}
    for part, offset in zip(parts, offsets):
        for number, detail in part.details.items():
            # The mirrored frame turns polygons round: corner k becomes the last but k.
            n = len(part.polygons[number])
            faces = np.where(detail.triangles < n, n - 1 - detail.triangles, detail.triangles)[:, ::-1]
            details[len(polygons) + number] = Detail(flip_y(detail.vertices), faces)
        polygons += [tuple(int(index[v + offset]) for v in polygon[::-1]) for polygon in part.polygons]
    return NavMesh(flip_y(vertices[first]), tuple(polygons), np.concatenate([part.areas for part in parts]), details)

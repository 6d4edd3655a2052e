"""The land around a road network: it meets the roads' rims exactly, covers no road and leaves no gap.

A square grid of cells is cut by the area of the roads. Corners on the rim take the rim's height; all others a
smooth mean of the nearest rims' heights, with gentle hills far away from the roads. Roads on bridges do not count
as rims: the land goes through below them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import KDTree

from engine.geometry import StaticObject
from engine.scene import materials as m
from engine.scene.ground import DECK_M, Ground, Patch, pieces, smooth_shaded, static_object
from foundation.ids import Tag
from foundation.seeds import generator

Floats = npt.NDArray[np.float64]

CELL_M = 25.0
MOST_CELLS = 5000
MARGIN_M = 120.0
HORIZON_M = 1500.0
ON_RIM_M = 0.02
TEXTURE_SCALE = 0.45


@dataclass(frozen=True)
class Relief:
    """How the land rolls away from the roads: (wave vectors, phases) of a few long waves, and their height."""

    waves: Floats
    phases: Floats
    height_m: float

    @classmethod
    def draw(cls, seed: int, world: str, height_m: float) -> Relief:
        """Return waves of 150 to 700 m length in random directions."""
        rng = generator(seed, "relief", world)
        angle, length = rng.uniform(0.0, 2.0 * np.pi, 6), np.geomspace(150.0, 700.0, 6)
        vector = np.column_stack([np.cos(angle), np.sin(angle)]) * (2.0 * np.pi / length)[:, None]
        return cls(vector, rng.uniform(0.0, 2.0 * np.pi, 6), height_m)

    def at(self, places: Floats, distance: Floats) -> Floats:
        """Return heights at (N, 2) places that are ``distance`` (N,) away from the nearest road."""
        if self.height_m == 0.0:
            return np.zeros(len(places))
        waves = np.sin(places @ self.waves.T + self.phases)
        weight = np.linspace(0.4, 1.0, 6)
        share = np.clip((distance - 30.0) / 220.0, 0.0, 1.0)
        return self.height_m * share * share * (3.0 - 2.0 * share) * (0.35 + (waves @ weight) / weight.sum() * 1.6)


class Terrain:
    """The land as one mesh, in ASAM's frame.

    Args:
        ground: the roads.
        seed: of the relief.
        world: the map's name.
        hills_m: how high the hills far from roads are.
    """

    def __init__(self, ground: Ground, *, seed: int, world: str, hills_m: float) -> None:
        self._seed, self._world = seed, world
        self._ground = ground
        self._relief = Relief.draw(seed, world, hills_m)
        anchors = ground.rim.reshape(-1, 3)
        # One anchor per 8 m is enough for the far field and keeps dense kerbs from outvoting sparse ones.
        cell = np.round(anchors / np.array([8.0, 8.0, 1e9])).astype(np.int64)
        _, first = np.unique(cell[:, :2], axis=0, return_index=True)
        self._anchors = anchors[np.sort(first)]
        self._tree = KDTree(self._anchors[:, :2])
        self._segments = shapely.linestrings(ground.rim[:, :, :2])
        self._segment_tree = shapely.STRtree(self._segments)
        corners = self._land_triangles()
        flat, index = _welded(corners)
        heights = self._heights(flat)
        self.vertices = np.column_stack([flat, heights])
        self.triangles = index
        shapes = shapely.polygons(np.concatenate([flat[index], flat[index][:, :1]], axis=1))
        self._shape_tree = shapely.STRtree(shapes)

    # Shape

    def _land_triangles(self) -> Floats:
        """Return (T, 3, 2) triangles of everything within the margin that is not road."""
        area = self._ground.area
        west, south, east, north = shapely.bounds(shapely.union(area, self._ground.deck_area))
        west, south, east, north = west - MARGIN_M, south - MARGIN_M, east + MARGIN_M, north + MARGIN_M
        side = max(CELL_M, float(np.sqrt((east - west) * (north - south) / MOST_CELLS)))
        columns, rows = int(np.ceil((east - west) / side)), int(np.ceil((north - south) / side))
        x, y = west + side * np.arange(columns + 1), south + side * np.arange(rows + 1)
        self._frame = (x, y)
        found: list[Floats] = []
        self._cut(area, x, y, found)
        return np.concatenate([*found, self._horizon(x, y)])

    def _cut(self, area: shapely.Geometry, x: Floats, y: Floats, found: list[Floats]) -> None:
        """Collect the land of the cells between the grid lines ``x`` and ``y``, halving until one cell is left."""
        if area.is_empty:
            found.append(_grid_triangles(x, y))
            return
        if len(x) == 2 and len(y) == 2:
            land = shapely.difference(shapely.box(x[0], y[0], x[1], y[1]), area)
            for polygon in shapely.get_parts(land):
                if polygon.geom_type == "Polygon" and polygon.area > 1e-4:
                    found.append(_triangulated(polygon))
            return
        if len(x) >= len(y):
            half = len(x) // 2
            halves = [(x[: half + 1], y), (x[half:], y)]
        else:
            half = len(y) // 2
            halves = [(x, y[: half + 1]), (x, y[half:])]
        for part_x, part_y in halves:
            window = shapely.box(part_x[0], part_y[0], part_x[-1], part_y[-1])
            self._cut(_areas_only(shapely.intersection(area, window)), part_x, part_y, found)

    @staticmethod
    def _horizon(x: Floats, y: Floats) -> Floats:
        """Return triangles from the grid's outer corners out to the horizon, without T-junctions."""
        ring = np.concatenate(
            [
                np.column_stack([x[:-1], np.full(len(x) - 1, y[0])]),
                np.column_stack([np.full(len(y) - 1, x[-1]), y[:-1]]),
                np.column_stack([x[:0:-1], np.full(len(x) - 1, y[-1])]),
                np.column_stack([np.full(len(y) - 1, x[0]), y[:0:-1]]),
            ]
        )
        middle = np.array([(x[0] + x[-1]) / 2.0, (y[0] + y[-1]) / 2.0])
        half = np.array([(x[-1] - x[0]) / 2.0, (y[-1] - y[0]) / 2.0])
        triangles = []
        for near, far in ((0.0, 0.25), (0.25, 1.0)):
            scale_near, scale_far = 1.0 + near * HORIZON_M / half, 1.0 + far * HORIZON_M / half
            a, b = middle + (ring - middle) * scale_near, middle + (ring - middle) * scale_far
            a2, b2 = np.roll(a, -1, axis=0), np.roll(b, -1, axis=0)
            triangles += [np.stack([a, b, b2], axis=1), np.stack([a, b2, a2], axis=1)]
        return np.concatenate(triangles)

    # Height

    def _heights(self, places: Floats) -> Floats:
        """Return the land's heights at (N, 2) mesh corners."""
        count = min(16, len(self._anchors))
        distance, near = self._tree.query(places, k=count)
        distance, near = distance.reshape(len(places), -1), near.reshape(len(places), -1)
        weight = 1.0 / (distance**2 + 1.0)
        level = (weight * self._anchors[near, 2]).sum(axis=1) / weight.sum(axis=1)
        height = level + self._relief.at(places, distance[:, 0])
        height = self._below_decks(places, height)
        at, which = self._segment_tree.query(shapely.points(places), predicate="dwithin", distance=ON_RIM_M)
        if len(at):
            start, end = self._ground.rim[which, 0], self._ground.rim[which, 1]
            along = end - start
            length = np.maximum((along[:, :2] ** 2).sum(axis=1), 1e-12)
            share = ((places[at] - start[:, :2]) * along[:, :2]).sum(axis=1) / length
            z = start[:, 2] + np.clip(share, 0.0, 1.0) * along[:, 2]
            lowest = np.full(len(places), np.inf)
            np.minimum.at(lowest, at, z)
            height = np.where(np.isfinite(lowest), lowest, height)
        return height

    def _below_decks(self, places: Floats, height: Floats) -> Floats:
        """Return heights held under bridge decks."""
        if not self._ground.bridges:
            return height
        vertices = np.concatenate([s.vertices for s in self._ground.bridges])
        tree = KDTree(vertices[:, :2])
        near = shapely.dwithin(shapely.points(places), self._ground.deck_area, 3.0)
        _, at = tree.query(places[near])
        height = height.copy()
        height[near] = np.minimum(height[near], vertices[at, 2] - DECK_M - 0.3)
        return height

    def height_at(self, places: npt.ArrayLike) -> Floats:
        """Return the land's heights at (N, 2) places; NaN on roads and beyond the horizon."""
        where = np.asarray(places, dtype=np.float64).reshape(-1, 2)
        at, which = self._shape_tree.query(shapely.points(where), predicate="intersects")
        corners = self.vertices[self.triangles[which]]
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        normal = np.cross(b - a, c - a)
        offset = where[at] - a[:, :2]
        z = a[:, 2] - (offset * normal[:, :2]).sum(axis=1) / normal[:, 2]
        heights = np.full(len(where), np.nan)
        heights[at] = z
        return heights

    # Objects

    def objects(self) -> list[StaticObject]:
        """Return the land as static objects of about 100 m, in meadow colours that vary softly."""
        rng = generator(self._seed, "meadow", self._world)
        flat = self.vertices[:, :2]
        angle, length = rng.uniform(0.0, 2.0 * np.pi, 4), np.array([37.0, 83.0, 170.0, 410.0])
        waves = np.column_stack([np.cos(angle), np.sin(angle)]) * (2.0 * np.pi / length)[:, None]
        tone = np.sin(flat @ waves.T + rng.uniform(0, 6.28, 4)).mean(axis=1)
        # Far triangles are too large to carry the pattern; there it would turn into streaks.
        x, y = self._frame
        beyond = np.maximum.reduce([x[0] - flat[:, 0], flat[:, 0] - x[-1], y[0] - flat[:, 1], flat[:, 1] - y[-1]])
        tone *= beyond < 1.0
        colors = np.array([105.0, 114.0, 80.0]) + tone[:, None] * np.array([10.0, 6.0, 6.0])
        turn = np.radians(31.0)
        # Turned and stretched, so that the texture's repetition does not line up with streets.
        uv = TEXTURE_SCALE * flat @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        whole = smooth_shaded(self.vertices, self.triangles, uv, colors)
        far = (beyond[self.triangles] > 1.0).any(axis=1)
        parts = [(p, "Terrain") for p in pieces(_chosen(whole, ~far), 150.0)]
        parts += [(p, "Horizon") for p in pieces(_chosen(whole, far), 2.0 * HORIZON_M)]
        return [
            static_object(
                f"{word}_{number}",
                [(patch, m.GRASS, Tag.TERRAIN)],
                tag=Tag.TERRAIN,
                seed=self._seed,
                world=self._world,
            )
            for number, (patch, word) in enumerate(parts)
        ]


def _chosen(patch: Patch, mask: npt.NDArray[np.bool_]) -> Patch:
    """Return some triangles of a patch."""
    used, index = np.unique(patch.triangles[mask], return_inverse=True)
    return Patch(
        patch.vertices[used],
        index.reshape(-1, 3).astype(np.int32),
        patch.normals[used],
        patch.uv[used],
        patch.colors[used],
    )


def _areas_only(shape: shapely.Geometry) -> shapely.Geometry:
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    areas = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return shapely.multipolygons(areas) if areas else shapely.Polygon()


def _grid_triangles(x: Floats, y: Floats) -> Floats:
    """Return (T, 3, 2) triangles of whole cells."""
    west, south = np.meshgrid(x[:-1], y[:-1])
    east, north = np.meshgrid(x[1:], y[1:])
    a = np.stack([west, south], axis=-1).reshape(-1, 2)
    b = np.stack([east, south], axis=-1).reshape(-1, 2)
    c = np.stack([east, north], axis=-1).reshape(-1, 2)
    d = np.stack([west, north], axis=-1).reshape(-1, 2)
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])


def _triangulated(polygon: shapely.Geometry) -> Floats:
    """Return (T, 3, 2) counter-clockwise triangles of a polygon."""
    parts = shapely.get_parts(shapely.constrained_delaunay_triangles(polygon))
    corners = shapely.get_coordinates(parts).reshape(-1, 4, 2)[:, :3]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    turn = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    corners[turn < 0.0] = corners[turn < 0.0][:, ::-1]
    return corners[np.abs(turn) > 1e-7]


def _welded(corners: Floats) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Return (V, 2) points and (T, 3) numbers; corners within half a millimetre are one point."""
    flat = corners.reshape(-1, 2)
    cell = np.round(flat * 1000.0).astype(np.int64)
    cell -= cell.min(axis=0)
    key = cell[:, 0] * (int(cell[:, 1].max()) + 1) + cell[:, 1]
    _, first, index = np.unique(key, return_index=True, return_inverse=True)
    index = index.reshape(-1, 3).astype(np.int32)
    whole = (index[:, 0] != index[:, 1]) & (index[:, 1] != index[:, 2]) & (index[:, 2] != index[:, 0])
    return flat[first], index[whole]

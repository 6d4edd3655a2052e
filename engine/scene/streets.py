"""What stands along the roads: buildings in rows, trees, lamps, hedges, rails; chosen by what kind of road it is.

A *frontage* is one side of one road outside junctions. Nothing is placed on a road, a pavement or another thing: a
plan of occupied ground is kept. Every frontage draws from a random stream of its own.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from engine.geometry import StaticObject
from engine.scene import furniture
from engine.scene import materials as m
from engine.scene.buildings import Plan, building_model, draw_plan, footprint
from engine.scene.ground import (
    LAYER_BUILDINGS,
    LAYER_FOLIAGE,
    LAYER_LIGHTS,
    LAYER_PROPS,
    LAYER_WALLS,
    Ground,
    static_object,
)
from engine.scene.terrain import Terrain
from foundation.ids import Tag
from foundation.seeds import generator
from scenarios.opendrive import DRIVING_TYPES, RoadGeometry, RoadNetwork, Section

Floats = npt.NDArray[np.float64]

STEP_M = 2.0
MOODS = ("row", "centre", "garden", "park", "trade")
MOOD_SHARES = (0.34, 0.26, 0.30, 0.05, 0.05)
SETBACK_M = {"row": 1.25, "centre": 2.2, "garden": 6.0, "trade": 7.0}
LAMP_SPACING_M = 28.0
MOST_TREES = 420
PLANS_PER_MOOD = 12


@dataclass(frozen=True, eq=False)
class Frontage:
    """One side of a road.

    Attributes:
        road_id: the road. side: 1 left of its reference line, -1 right.
        kind: "town", "motorway" or "rural".
        edge: (N, 3) the ground's outer rim, about every 2 m. outward: (N, 2) unit vectors away from the road.
        kerb: (N, 3) where lamps stand: just behind the kerb, on the pavement if there is one.
        paved: whether there is a pavement.
    """

    road_id: str
    side: float
    kind: str
    edge: Floats
    outward: Floats
    kerb: Floats
    paved: bool

    @property
    def run(self) -> Floats:
        """(N,) metres along the edge."""
        return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.edge[:, :2], axis=0), axis=1))])


def kind_of_road(network: RoadNetwork, road: RoadGeometry) -> str:
    """Return "town", "motorway" or "rural": by the road's type, else by pavements, lanes and speed."""
    words = [record.type_ for record in road.record.types]
    lanes = [lane.type for section in road.sections for lane in section.lanes]
    paved = any(kind in ("sidewalk", "walking") for kind in lanes)
    if (
        words
        and words[0] in ("motorway", "rural", "town", "lowSpeed", "pedestrian")
        and not (words[0] == "motorway" and paved)
    ):
        return {"motorway": "motorway", "rural": "rural"}.get(words[0], "town")
    if paved:
        return "town"
    limit = network.speed_limit_kmh(road.id, 0.0) or 0.0
    driving = max(sum(lane.type in DRIVING_TYPES for lane in section.lanes) for section in road.sections)
    if limit >= 90.0 or "stop" in lanes or driving >= 4:
        return "motorway"
    return "rural"


def frontages(network: RoadNetwork) -> list[Frontage]:
    """Return both sides of every road outside junctions that is at least 6 m long."""
    found = []
    for road in network.roads.values():
        if road.junction or road.length < 6.0:
            continue
        kind = kind_of_road(network, road)
        for side in (1.0, -1.0):
            sides = (_side_of(road, section, side) for section in road.sections if section.lanes)
            parts = [part for part in sides if part is not None]
            if not parts:
                continue
            edge = np.concatenate([part[0] for part in parts])
            kerb = np.concatenate([part[1] for part in parts])
            outward = np.concatenate([part[2] for part in parts])
            if len(edge) > 2:
                found.append(Frontage(road.id, side, kind, edge, outward, kerb, any(part[3] for part in parts)))
    return found


def _side_of(road: RoadGeometry, section: Section, side: float) -> tuple[Floats, Floats, Floats, bool] | None:
    """Return edge, lamp line, outward directions and whether there is a pavement, for one section's side."""
    length = section.end - section.start
    if length < 0.5:
        return None
    s = np.linspace(section.start, section.end, max(2, math.ceil(length / STEP_M) + 1))[:-1]
    at = road.stations(s)
    edges = section.boundaries(s, road.lane_offset(s))
    lanes = list(section.lanes)
    outer = edges[-1] if side > 0.0 else edges[0]
    last = lanes[-1] if side > 0.0 else lanes[0]
    edge = road.points(at, outer, road.surface_height(s, outer, section, last.id))
    pavements = [n for n, lane in enumerate(lanes) if lane.type in ("sidewalk", "walking") and lane.id * side > 0]
    if pavements:
        rank = min(pavements) if side > 0.0 else max(pavements)
        inner, beyond = (edges[rank], edges[rank + 1]) if side > 0.0 else (edges[rank + 1], edges[rank])
        t = np.where(np.abs(beyond - inner) > 1.0, inner + side * 0.45, (inner + beyond) / 2.0)
        kerb = road.points(at, t, road.surface_height(s, t, section, lanes[rank].id))
    else:
        kerb = road.points(at, outer + side * 0.6)
    beyond_edge = road.points(at, outer + side)[:, :2] - road.points(at, outer)[:, :2]
    outward = beyond_edge / np.maximum(np.linalg.norm(beyond_edge, axis=1, keepdims=True), 1e-9)
    return edge, kerb, outward, bool(pavements)


class Occupied:
    """Ground that is taken: the roads, and whatever has been placed so far. Shapes are shapely's, ASAM's plane."""

    def __init__(self, ground: Ground) -> None:
        self._roads = shapely.union(ground.area, ground.deck_area)
        shapely.prepare(self._roads)
        self._cells: dict[tuple[int, int], list[shapely.Geometry]] = defaultdict(list)

    def is_free(self, shape: shapely.Geometry, road_gap: float, other_gap: float = 0.0) -> bool:
        """Say whether a shape keeps its distance from roads and from everything placed."""
        if shapely.dwithin(self._roads, shape, road_gap):
            return False
        near = {id(other): other for cell in self._around(shape, other_gap) for other in self._cells.get(cell, ())}
        return not any(shapely.dwithin(shape, other, other_gap) for other in near.values())

    def add(self, shape: shapely.Geometry) -> None:
        """Take a shape's ground."""
        for cell in self._around(shape, 0.0):
            self._cells[cell].append(shape)

    @staticmethod
    def _around(shape: shapely.Geometry, gap: float) -> Iterable[tuple[int, int]]:
        west, south, east, north = shapely.bounds(shape)
        for i in range(math.floor((west - gap) / 25.0), math.floor((east + gap) / 25.0) + 1):
            for j in range(math.floor((south - gap) / 25.0), math.floor((north + gap) / 25.0) + 1):
                yield i, j


class Settlement:
    """Places things along frontages.

    Args:
        network, ground, terrain: what is there.
        keep_clear: (N, 2) places, such as signals, that nothing may stand close to.
        has_rails: whether the file brings rails of its own.
        seed, world: of the random streams and ids.
    """

    def __init__(
        self, network: RoadNetwork, ground: Ground, terrain: Terrain, keep_clear: Floats, has_rails: bool,
        *, seed: int, world: str,
    ) -> None:  # fmt: skip
        self._network, self._ground, self._terrain = network, ground, terrain
        self._has_rails, self._seed, self._world = has_rails, seed, world
        self._occupied = Occupied(ground)
        for x, y in keep_clear:
            self._occupied.add(shapely.Point(x, y).buffer(1.5, quad_segs=2))
        self._count: dict[str, int] = defaultdict(int)
        self._tree_count = 0
        self.objects: list[StaticObject] = []
        rng = generator(seed, "plans", world)
        self._plans = {mood: [draw_plan(rng, mood) for _ in range(PLANS_PER_MOOD)] for mood in MOODS if mood != "park"}

    def settle(self) -> None:
        """Fill all frontages: first buildings everywhere, then what must give way to them."""
        fronts = frontages(self._network)
        parks = sum(front.kind == "town" for front in fronts) >= 8
        moods = [self._mood(front, parks) for front in fronts]
        yards: list[list[tuple[float, float]]] = []
        for front, mood in zip(fronts, moods):
            yards.append(self._buildings(front, mood) if mood in SETBACK_M else [])
        for front, mood, built in zip(fronts, moods, yards):
            if front.kind == "town":
                self._lamps(front)
                self._hedges(front, mood, built)
            else:
                self._roadside(front)
        for front, mood in zip(fronts, moods):
            self._trees(front, mood)

    def _mood(self, front: Frontage, parks: bool) -> str:
        """Return what a frontage is like; a place of a few streets is built up, larger ones have parks."""
        if front.kind != "town":
            return front.kind
        mood = str(self._stream("mood", front).choice(MOODS, p=MOOD_SHARES))
        return "garden" if mood == "park" and not parks else mood

    def _name(self, word: str) -> str:
        self._count[word] += 1
        return f"{word}_{self._count[word]}"

    def _stream(self, word: str, front: Frontage) -> np.random.Generator:
        return generator(self._seed, word, self._world, front.road_id, int(front.side))

    # Buildings

    def _buildings(self, front: Frontage, mood: str) -> list[tuple[float, float]]:
        """Place a row of buildings; return the stretches of the edge before them."""
        rng, run = self._stream("buildings", front), front.run
        gap = {"row": (0.02, 0.02), "centre": (1.0, 3.0), "garden": (3.0, 6.0), "trade": (4.0, 9.0)}[mood]
        smallest = min(self._plans[mood], key=lambda plan: plan.width)
        filler = min(self._plans["garden"], key=lambda plan: plan.width)
        at, built = 3.0 + rng.uniform(0.0, 4.0), []
        while at < run[-1] - 6.0:
            setback = SETBACK_M[mood] + (rng.uniform(0.0, 2.0) if mood == "garden" else 0.0)
            drawn = self._plans[mood][int(rng.integers(PLANS_PER_MOOD))]
            space = rng.uniform(*gap) + (4.0 if mood == "row" and rng.random() < 0.15 else 0.0)
            # What does not fit gives way to something smaller, before the ground is left empty.
            for plan in (drawn, smallest, filler):
                if at + plan.width <= run[-1] - 2.0 and self._building(front, plan, at + plan.width / 2.0, setback):
                    built.append((at, at + plan.width))
                    at += plan.width + space
                    break
            else:
                at += 4.0
        return built

    def _building(self, front: Frontage, plan: Plan, middle: float, setback: float) -> bool:
        """Place one building with the middle of its front at ``middle`` along the edge; say whether it fits."""
        run = front.run
        # The chord between the front's ends, not the tangent, or bends would push corners into the pavement.
        ends = [
            np.array([np.interp(u, run, front.edge[:, k]) for k in (0, 1)])
            for u in (middle - plan.width / 2.0, middle + plan.width / 2.0)
        ]
        outward = np.array([np.interp(middle, run, front.outward[:, k]) for k in (0, 1)])
        chord = ends[1] - ends[0]
        if np.linalg.norm(chord) < plan.width * 0.7:
            return False
        normal = np.array([-chord[1], chord[0]]) / np.linalg.norm(chord)
        normal = normal if normal @ outward > 0.0 else -normal
        origin = np.array([np.interp(middle, run, front.edge[:, k]) for k in (0, 1)])
        bulge = max(0.0, float(((ends[0] + ends[1]) / 2.0 - origin) @ normal))
        origin = origin + normal * (setback + bulge)
        across = np.array([normal[1], -normal[0]])
        west, east, south, north = footprint(plan)
        corners = np.array(
            [origin + across * x + normal * y for x, y in ((west, south), (east, south), (east, north), (west, north))]
        )
        shape = shapely.polygons(corners)
        if not self._occupied.is_free(shape, 0.25):
            return False
        heights = self._terrain.height_at(np.vstack([corners, origin - normal * 0.5, corners.mean(axis=0)]))
        if not np.isfinite(heights).all():
            return False
        floor = float(max(heights[0], heights[1], heights[4])) - 0.03
        if heights.max() > floor + 0.8 or heights.min() < floor - 1.3:
            return False
        self._occupied.add(shape)
        heading = math.atan2(across[1], across[0])
        self.objects.append(
            furniture.placed(
                self._name("Building"),
                building_model(plan),
                (origin[0], origin[1], floor),
                heading,
                tag=Tag.BUILDINGS,
                layer=LAYER_BUILDINGS,
                seed=self._seed,
                world=self._world,
            )
        )
        return True

    # Lamps, hedges, rails

    def _lamps(self, front: Frontage) -> None:
        run = front.run
        start = 6.0 if front.side > 0.0 else 6.0 + LAMP_SPACING_M / 2.0
        model = furniture.lamp_model(7.0, 1.6)
        for at in np.arange(start, run[-1] - 2.0, LAMP_SPACING_M):
            place = np.array([np.interp(at, run, front.kerb[:, k]) for k in range(3)])
            inward = -np.array([np.interp(at, run, front.outward[:, k]) for k in (0, 1)])
            if not front.paved:
                place[2] = self._ground_height(place)
            spot = shapely.Point(place[0], place[1]).buffer(0.3, quad_segs=2)
            if not np.isfinite(place[2]) or (not front.paved and not self._occupied.is_free(spot, 0.0)):
                continue
            self._occupied.add(spot)
            self.objects.append(
                furniture.placed(
                    self._name("StreetLamp"),
                    model,
                    place,
                    math.atan2(inward[1], inward[0]),
                    tag=Tag.POLES,
                    layer=LAYER_LIGHTS,
                    seed=self._seed,
                    world=self._world,
                )
            )

    def _ground_height(self, place: Floats) -> float:
        return float(self._terrain.height_at(place[None, :2])[0])

    def _hedges(self, front: Frontage, mood: str, built: list[tuple[float, float]]) -> None:
        """Line the gardens of houses with hedges or fences that leave the way to the door open."""
        if mood not in ("garden", "trade"):
            return
        rng, run = self._stream("hedges", front), front.run
        for start, end in built:
            fence = mood == "trade" or rng.random() < 0.3
            door = (start + end) / 2.0 + rng.uniform(-1.0, 1.0)
            for low, high in ((start - 1.0, door - 0.9), (door + 0.9, end + 1.0)):
                u = np.linspace(max(low, 1.0), min(high, run[-1] - 1.0), max(2, int((high - low) / 2.0) + 1))
                if u[-1] - u[0] < 1.5:
                    continue
                flat = np.stack(
                    [np.interp(u, run, front.edge[:, k] + 0.55 * front.outward[:, k]) for k in (0, 1)], axis=1
                )
                height = self._terrain.height_at(flat)
                shape = shapely.LineString(flat).buffer(0.32, quad_segs=1)
                if not np.isfinite(height).all() or not self._occupied.is_free(shape, 0.05):
                    continue
                self._occupied.add(shape)
                line = np.column_stack([flat, height])
                if fence:
                    patch, material, tag, layer = (
                        furniture.fence_patch(line, 1.2, (120.0, 96.0, 72.0)),
                        m.TIMBER,
                        Tag.FENCES,
                        LAYER_WALLS,
                    )
                else:
                    patch, material, tag, layer = (
                        furniture.hedge_patch(line, 0.55, 1.05, rng),
                        m.LEAVES,
                        Tag.VEGETATION,
                        LAYER_FOLIAGE,
                    )
                name = self._name("Fence" if fence else "Hedge")
                self.objects.append(
                    static_object(
                        name, [(patch, material, tag)], tag=tag, seed=self._seed, world=self._world, layer=layer
                    )
                )

    def _roadside(self, front: Frontage) -> None:
        """Add guard rails along motorways and delineators along other roads outside towns."""
        run = front.run
        if front.kind == "motorway" and not self._has_rails:
            u = np.linspace(0.0, run[-1], max(2, int(run[-1] / 4.0) + 1))
            points = np.stack([np.interp(u, run, front.edge[:, k]) for k in range(3)], axis=1)
            away = np.stack([np.interp(u, run, front.outward[:, k]) for k in (0, 1)], axis=1)
            points[:, :2] += 0.55 * away
            on_land = self._terrain.height_at(points[:, :2])
            points[:, 2] = np.where(np.isfinite(on_land), on_land, points[:, 2])
            free = np.array(
                [self._occupied.is_free(shapely.Point(x, y).buffer(0.2, quad_segs=1), 0.1) for x, y, _ in points]
            )
            for first, last in _runs(free):
                for begin in range(first, last, 25):
                    part = points[begin : min(begin + 26, last + 1)]
                    if len(part) < 2:
                        continue
                    patch = furniture.rail_patch(part, -front.side)
                    self.objects.append(
                        static_object(
                            self._name("GuardRail"),
                            [(patch, m.METAL, Tag.GUARD_RAIL)],
                            tag=Tag.GUARD_RAIL,
                            seed=self._seed,
                            world=self._world,
                            layer=LAYER_WALLS,
                        )
                    )
            return
        if self._has_rails:
            return
        for at in np.arange(10.0, run[-1] - 5.0, 50.0):
            place = np.array([np.interp(at, run, front.edge[:, k]) for k in range(3)])
            away = np.array([np.interp(at, run, front.outward[:, k]) for k in (0, 1)])
            place[:2] += 0.5 * away
            place[2] = self._ground_height(place)
            spot = shapely.Point(place[0], place[1]).buffer(0.1, quad_segs=1)
            if np.isfinite(place[2]) and self._occupied.is_free(spot, 0.1):
                self.objects.append(
                    furniture.placed(
                        self._name("Delineator"),
                        furniture.delineator_model(),
                        place,
                        math.atan2(away[1], away[0]) - math.pi / 2,
                        tag=Tag.POLES,
                        layer=LAYER_PROPS,
                        seed=self._seed,
                        world=self._world,
                    )
                )

    # Trees

    def _trees(self, front: Frontage, mood: str) -> None:
        rng, run = self._stream("trees", front), front.run
        spacing, low, high = {
            "row": (26.0, 14.0, 24.0), "centre": (16.0, 1.6, 2.4), "garden": (9.0, 1.8, 18.0), "park": (5.0, 2.0, 26.0),
            "trade": (14.0, 2.0, 12.0), "motorway": (14.0, 9.0, 60.0), "rural": (11.0, 4.0, 45.0),
        }[mood]  # fmt: skip
        choice = {
            "centre": ("linden", "maple"), "row": ("linden", "birch"), "garden": ("birch", "maple", "spruce", "linden"),
            "park": ("linden", "maple", "birch", "pine"), "trade": ("poplar", "birch"),
            "motorway": ("pine", "spruce", "birch", "maple"), "rural": ("maple", "birch", "linden", "spruce", "poplar"),
        }[mood]  # fmt: skip
        at = rng.uniform(2.0, spacing)
        while at < run[-1]:
            # Woods outside towns come in groups; in towns trees are spaced evenly.
            group = 1 if front.kind == "town" else int(rng.integers(1, 5))
            for _ in range(group):
                u = at + (rng.uniform(-8.0, 8.0) if group > 1 else rng.uniform(-1.5, 1.5))
                self._tree(
                    front,
                    u,
                    rng.uniform(low, high),
                    str(rng.choice(choice)),
                    int(rng.integers(3)),
                    rng.uniform(0.0, 6.28),
                )
            at += spacing * (rng.uniform(0.8, 1.2) if front.kind == "town" else rng.uniform(0.6, 2.4))

    def _tree(self, front: Frontage, at: float, off: float, species: str, size: int, heading: float) -> None:
        run = front.run
        if self._tree_count >= MOST_TREES or not 0.0 < at < run[-1]:
            return
        place = np.array(
            [np.interp(at, run, front.edge[:, k]) + off * np.interp(at, run, front.outward[:, k]) for k in (0, 1)]
        )
        model = furniture.tree_model(species, size)
        reach = max(model.box.extent[0], model.box.extent[1])
        crown = min(reach, 2.6)
        # Branches of firs start low; other crowns start above head height and may reach over the pavement.
        to_road = reach + 0.4 if species in ("spruce", "poplar") else max(0.9, reach - 1.2)
        spot = shapely.Point(place[0], place[1])
        if not self._occupied.is_free(
            spot.buffer(0.5, quad_segs=2),
            to_road - 0.5 if front.kind != "town" else min(to_road, 0.9),
            crown if off > 3.0 else 0.8,
        ):
            return
        height = self._ground_height(place)
        if not np.isfinite(height):
            return
        self._tree_count += 1
        self._occupied.add(spot.buffer(0.6, quad_segs=2))
        self.objects.append(
            furniture.placed(
                self._name("Tree"),
                model,
                (place[0], place[1], height - 0.05),
                heading,
                tag=Tag.VEGETATION,
                layer=LAYER_FOLIAGE,
                seed=self._seed,
                world=self._world,
            )
        )


def _runs(free: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, last) of each run of true values that is at least two long."""
    padded = np.concatenate([[False], free, [False]]).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1) - 1
    return [(int(a), int(b)) for a, b in zip(starts, ends) if b > a]

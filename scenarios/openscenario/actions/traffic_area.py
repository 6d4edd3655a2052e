"""TrafficArea: polygons and ranges of roads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from scenarios.opendrive import DRIVING_TYPES
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.objects import EntityEntry
from scenarios.openscenario.positions import Position, read_position
from scenarios.openscenario.roads import Roads, Track
from scenarios.openscenario.states import Floats
from scenarios.openscenario.traffic import WALK_TYPES, spots

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World

Draw = Callable[[EntityEntry, np.random.Generator], Track | None]
Inside = Callable[["Entity"], bool]


class AreaOfTraffic(Protocol):
    """Where traffic is."""

    def at(self, world: World) -> tuple[Draw, Inside]:
        """Return how to draw a place in it, and how to tell whether an entity is in it; positions are resolved now."""
        ...


@dataclass(frozen=True, slots=True)
class PolygonArea:
    """The lanes inside a polygon."""

    corners: tuple[Position, ...]

    def at(self, world: World) -> tuple[Draw, Inside]:
        """See :class:`AreaOfTraffic`."""
        poses = [corner.resolve(world).pose for corner in self.corners]
        xs, ys = np.array([p.x for p in poses]), np.array([p.y for p in poses])
        x2, y2 = np.roll(xs, -1), np.roll(ys, -1)
        rise = np.where(y2 == ys, 1.0, y2 - ys)

        def within(x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
            # Even-odd rule: edges that a ray to the right crosses.
            x, y = np.atleast_1d(x)[:, None], np.atleast_1d(y)[:, None]
            crosses = ((ys > y) != (y2 > y)) & (x < xs + (y - ys) * (x2 - xs) / rise)
            return np.asarray(np.count_nonzero(crosses, axis=1) % 2 == 1)

        def draw(entry: EntityEntry, rng: np.random.Generator) -> Track | None:
            there = spots(world, entry)
            return there.draw(within(there.x, there.y), rng)

        def inside(entity: Entity) -> bool:
            at = entity.motion.pose
            return bool(within(np.array([at.x]), np.array([at.y]))[0])

        return draw, inside


@dataclass(frozen=True, slots=True)
class Cursor:
    """``RoadCursor``: a place on a road (None: where the range enters or leaves it), and lanes (empty: all)."""

    road_id: str
    s: float | None
    lanes: frozenset[int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a road, and which of its lanes count (empty: all)."""

    road_id: str
    s_from: float
    s_to: float
    lanes: frozenset[int]


@dataclass(frozen=True, slots=True)
class RangeArea:
    """Stretches of roads from cursor to cursor, at most ``length`` metres of each range."""

    ranges: tuple[tuple[tuple[Cursor, ...], float | None], ...]

    def at(self, world: World) -> tuple[Draw, Inside]:
        """See :class:`AreaOfTraffic`."""
        parts = [part for cursors, length in self.ranges for part in stretches(world.roads, cursors, length)]
        lengths = np.array([abs(p.s_to - p.s_from) for p in parts])
        if lengths.sum() <= 0.0:
            raise ValueError("the road ranges of the traffic area are empty")

        def draw(entry: EntityEntry, rng: np.random.Generator) -> Track | None:
            part = parts[int(rng.choice(len(parts), p=lengths / lengths.sum()))]
            s = float(rng.uniform(min(part.s_from, part.s_to), max(part.s_from, part.s_to)))
            network = world.roads.network
            wanted = WALK_TYPES if entry.record.kind == "pedestrian" else tuple(DRIVING_TYPES)
            ids = [
                i
                for i in network.lanes_at(part.road_id, s)
                if (not part.lanes or i in part.lanes) and network.lane_type(part.road_id, i, s) in wanted
            ]
            return Track(part.road_id, int(ids[int(rng.integers(len(ids)))]), s) if ids else None

        def inside(entity: Entity) -> bool:
            track = entity.track or world.roads.locate(entity.motion.pose)
            return track is not None and any(
                part.road_id == track.road_id
                and min(part.s_from, part.s_to) - 1e-6 <= track.s <= max(part.s_from, part.s_to) + 1e-6
                and (not part.lanes or track.lane_id in part.lanes)
                for part in parts
            )

        return draw, inside


def stretches(roads: Roads, cursors: tuple[Cursor, ...], length: float | None) -> list[Stretch]:
    """Return the stretches from the first cursor over the others to the last, cut after ``length`` metres.

    Raises:
        ValueError: two cursors are not joined by roads.
    """
    found: list[Stretch] = []
    for here, there in pairwise(cursors):
        for stretch in _between(roads, here, there):
            left = None if length is None else length - sum(abs(p.s_to - p.s_from) for p in found)
            if left is not None and left <= 0.0:
                return found
            size = stretch.s_to - stretch.s_from
            if left is not None and abs(size) > left:
                stretch = replace(stretch, s_to=stretch.s_from + (left if size > 0.0 else -left))
            found.append(stretch)
    return found


def _between(roads: Roads, here: Cursor, there: Cursor) -> list[Stretch]:
    if here.road_id == there.road_id:
        end = roads.network.road(here.road_id).length
        start = 0.0 if here.s is None else here.s
        return [Stretch(here.road_id, start, end if there.s is None else there.s, here.lanes)]
    way = roads.links.way(here.road_id, there.road_id)
    if not way:
        raise ValueError(f"no way over the roads leads from road {here.road_id} to road {there.road_id}")
    found = []
    for i, (road_id, direction) in enumerate(way):
        size = roads.network.road(road_id).length
        first, last = (0.0, size) if direction > 0 else (size, 0.0)
        lanes: frozenset[int] = frozenset()
        if i == 0:
            first, lanes = first if here.s is None else here.s, here.lanes
        if i == len(way) - 1:
            last, lanes = last if there.s is None else there.s, there.lanes
        found.append(Stretch(road_id, first, last, lanes))
    return found


def read_area(node: Node, reader: Reader) -> AreaOfTraffic:
    """Read ``TrafficArea``."""
    polygon, ranges = node.maybe("Polygon"), node.many("RoadRange")
    if (polygon is None) == (not ranges):
        raise node.error("either a Polygon or RoadRanges are needed")
    if polygon is not None:
        corners = tuple(read_position(p, reader) for p in polygon.many("Position"))
        if len(corners) < 3:
            raise polygon.error("a polygon needs at least three positions")
        return PolygonArea(corners)
    found = []
    for item in ranges:
        cursors = tuple(_read_cursor(c, reader) for c in item.many("RoadCursor"))
        if len(cursors) < 2:
            raise item.error("a road range needs at least two cursors")
        found.append((cursors, item.maybe_number("length", minimum=0.0)))
    return RangeArea(tuple(found))


def _read_cursor(node: Node, reader: Reader) -> Cursor:
    cursor = Cursor(
        node.text("roadId"), node.maybe_number("s", minimum=0.0),
        frozenset(lane.integer("id") for lane in node.many("Lane")),
    )  # fmt: skip

    def check(roads: Roads) -> None:
        length = roads.network.road(cursor.road_id).length
        if cursor.s is not None and cursor.s > length + 1e-3:
            raise ValueError(f"road {cursor.road_id} is {length:.3f} m long, s={cursor.s:g} is not on it")

    reader.on_network(node, check)
    return cursor

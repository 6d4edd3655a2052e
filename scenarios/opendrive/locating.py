"""From a place in the world to a place on a road: a tree of road quads, then Newton on the reference line."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import KDTree

from scenarios.opendrive.road import RoadGeometry
from scenarios.opendrive.values import LanePosition

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

_STEP_M = 4.0
_EXACT_M = 1e-5
"""How near the foot point must come to a place's cross-section."""
_SLACK_M = 0.25
_FOREIGN_TYPE_COST_M = 5.0
_LEVEL_SLACK_M = 0.5
_MAX_QUADS = 400_000


class LanePositions(NamedTuple):
    """Places on lanes, as arrays: what :class:`LanePosition` says of one.

    Attributes:
        road_ids: the network's roads; ``road`` is an index into it, -1 where no lane was found.
        road, section, lane_id: (N,) integers.
        s, t, offset: (N,) metres, NaN where no lane was found.
    """

    road_ids: list[str]
    road: Ints
    section: Ints
    lane_id: Ints
    s: Floats
    t: Floats
    offset: Floats

    @classmethod
    def nothing(cls, road_ids: list[str], count: int) -> LanePositions:
        """Return ``count`` places on no lane."""
        road, section, lane_id = (np.full(count, value, dtype=np.intp) for value in (-1, -1, 0))
        s, t, offset = (np.full(count, np.nan) for _ in range(3))
        return cls(road_ids, road, section, lane_id, s, t, offset)

    def positions(self) -> list[LanePosition | None]:
        """Return one value for each place, None where no lane was found."""
        columns = (column.tolist() for column in self[1:])
        return [
            None if road < 0 else LanePosition(self.road_ids[road], section, lane_id, s, t, offset)
            for road, section, lane_id, s, t, offset in zip(*columns)
        ]


class Locator:
    """Find lanes by place. Built once for a network.

    Args:
        roads: all roads; among equals the earlier one wins.
    """

    def __init__(self, roads: list[RoadGeometry]) -> None:
        self._roads = roads
        self._number = {road.id: i for i, road in enumerate(roads)}
        total = sum(road.length for road in roads)
        step = max(_STEP_M, total / _MAX_QUADS)
        owners, lows, highs, quads = [], [], [], []
        for number, road in enumerate(roads):
            s = self._rows(road, step)
            corners = self._outline(road, s)
            quads.append(corners)
            owners.append(np.full(len(s) - 1, number))
            lows.append(s[:-1])
            highs.append(s[1:])
        self._owner: Ints = np.concatenate(owners).astype(np.intp)
        self._low, self._high = np.concatenate(lows), np.concatenate(highs)
        shapes = shapely.convex_hull(shapely.multipoints(np.concatenate(quads)))
        self._tree = shapely.STRtree(shapes)

    @staticmethod
    def _rows(road: RoadGeometry, step: float) -> Floats:
        """Return s of rows: at records, at most ``step`` apart, closer in bends."""
        places = [road.breaks()]
        for low, high in zip(places[0][:-1], places[0][1:]):
            bend = float(np.max(np.abs(road.plan.at(np.array([low, 0.5 * (low + high)])).curvature)))
            count = int(np.ceil((high - low) * max(1.0 / step, min(bend, 10.0) / 0.5)))
            places.append(np.linspace(low, high, min(max(count, 1), 10_000) + 1))
        return np.unique(np.concatenate(places))

    @staticmethod
    def _outline(road: RoadGeometry, s: Floats) -> Floats:
        """Return (rows - 1, 6, 2) points whose hulls cover the road between the rows."""
        numbers = road.section_numbers(np.concatenate([0.5 * (s[:-1] + s[1:])]))
        low, high = np.zeros(len(s) - 1), np.zeros(len(s) - 1)
        offset = road.lane_offset(s)
        for number in np.unique(numbers):
            rows = np.flatnonzero(numbers == number)
            for side in (rows, rows + 1):
                edges = road.sections[number].boundaries(s[side], offset[side])
                low[rows] = np.minimum(low[rows], edges.min(axis=0))
                high[rows] = np.maximum(high[rows], edges.max(axis=0))
        at = road.stations(s)
        corners = np.empty((len(s) - 1, 6, 2))
        sine, cosine = np.sin(at.plan.heading), np.cos(at.plan.heading)
        places = (low - _SLACK_M, np.zeros_like(low), high + _SLACK_M)
        for column in range(6):
            row = slice(0, -1) if column < 3 else slice(1, None)
            corners[:, column, 0] = at.plan.x[row] - sine[row] * places[column % 3]
            corners[:, column, 1] = at.plan.y[row] + cosine[row] * places[column % 3]
        return corners

    def project(self, road_id: str, places: Floats) -> tuple[Floats, Floats]:
        """Return (N,) s and t of the cross-sections of one road nearest to (N, 2) places."""
        number = self._number[road_id]
        road = self._roads[number]
        own = np.flatnonzero(self._owner == number)
        rows = np.concatenate([self._low[own], self._high[own[-1:]]])
        plan = road.plan.at(rows)
        _, near = KDTree(np.column_stack([plan.x, plan.y])).query(places)
        low, high = rows[np.maximum(near - 1, 0)], rows[np.minimum(near + 1, len(rows) - 1)]
        s, t, beyond = _project(road, places[:, 0], places[:, 1], low, high)
        # About as far from the reference line as its radius, the nearest row says little: there all of them are tried.
        doubtful = np.flatnonzero((beyond > _EXACT_M) & (np.abs(t) * np.max(np.abs(plan.curvature)) > 0.5))
        if len(doubtful):
            count = len(rows) - 1
            x, y = (np.repeat(places[doubtful, column], count) for column in (0, 1))
            tried = _project(road, x, y, np.tile(rows[:-1], len(doubtful)), np.tile(rows[1:], len(doubtful)))
            tried_s, tried_t, missed = (values.reshape(len(doubtful), count) for values in tried)
            best = np.lexsort((np.abs(tried_t), np.round(missed / _EXACT_M)), axis=1)[:, 0]
            pick = np.arange(len(doubtful)), best
            better = missed[pick] < beyond[doubtful]
            s[doubtful[better]], t[doubtful[better]] = tried_s[pick][better], tried_t[pick][better]
        return s, t

    def locate(
        self,
        x: float,
        y: float,
        z: float | None,
        heading: float | None,
        types: frozenset[str] | None,
        max_distance_m: float,
    ) -> LanePosition | None:
        """See ``RoadNetwork.locate``."""
        points = np.array([[x, y]]) if z is None else np.array([[x, y, z]])
        headings = None if heading is None else np.array([heading])
        return self._find(points, headings, types, max_distance_m).positions()[0]

    def locate_many(
        self, points: Floats, headings: Floats | None, types: frozenset[str] | None
    ) -> list[LanePosition | None]:
        """See ``RoadNetwork.locate_many``."""
        return self._find(points, headings, types, np.inf).positions()

    def locate_arrays(self, points: Floats, headings: Floats | None, types: frozenset[str] | None) -> LanePositions:
        """See ``RoadNetwork.locate_arrays``."""
        return self._find(points, headings, types, np.inf)

    def _find(
        self, points: Floats, headings: Floats | None, types: frozenset[str] | None, max_distance_m: float
    ) -> LanePositions:
        found = LanePositions.nothing([road.id for road in self._roads], len(points))
        best = np.full(len(points), np.inf)
        usable = np.flatnonzero(np.isfinite(points).all(axis=1))
        if not len(usable):
            return found
        which, quad = self._candidates(points[usable, :2])
        which = usable[which]
        for number, mine in groups(self._owner[quad]):
            rows = which[mine]
            road = self._roads[number]
            low, high = self._low[quad[mine]], self._high[quad[mine]]
            s, t, beyond = _project(road, points[rows, 0], points[rows, 1], low, high)
            extra = beyond + self._extra_cost(road, points[rows], None if headings is None else headings[rows], s, t)
            self._judge(number, rows, s, t, extra, types, max_distance_m, best, found)
        return found

    def _candidates(self, places: Floats) -> tuple[Ints, Ints]:
        """Return (point, quad) pairs: the quads at each point, or else those about as near as the nearest."""
        shapes = shapely.points(places)
        which, quad = self._tree.query(shapes, predicate="intersects")
        hit = np.zeros(len(places), dtype=bool)
        hit[which] = True
        lonely = np.flatnonzero(~hit)
        if len(lonely):
            (near, _), distance = self._tree.query_nearest(shapes[lonely], return_distance=True, all_matches=False)
            lonely = lonely[near]  # nothing is near where all quads are empty
            more, quads = self._tree.query(
                shapes[lonely], predicate="dwithin", distance=distance + _FOREIGN_TYPE_COST_M
            )
            which, quad = np.concatenate([which, lonely[more]]), np.concatenate([quad, quads])
        return which, quad

    @staticmethod
    def _extra_cost(road: RoadGeometry, points: Floats, headings: Floats | None, s: Floats, t: Floats) -> Floats:
        """Return (2, N) costs in metres of a wrong level and, for traffic (along, against) s, a wrong heading."""
        cost = np.zeros((2, len(s)))
        if points.shape[1] < 3 and headings is None:
            return cost
        at = road.stations(s)
        if points.shape[1] >= 3:
            surface = road.points(at, t)
            cost += np.maximum(np.abs(points[:, 2] - surface[:, 2]) - _LEVEL_SLACK_M, 0.0)
        if headings is not None:
            alike = np.cos(headings - at.plan.heading)
            cost += 0.15 * np.stack([1.0 - alike, 1.0 + alike])
        return cost

    def _judge(
        self,
        road_number: int,
        rows: Ints,
        s: Floats,
        t: Floats,
        extra: Floats,
        types: frozenset[str] | None,
        max_distance_m: float,
        best: Floats,
        found: LanePositions,
    ) -> None:
        """Compare the lanes of one road at projected places with the best found so far.

        A place may come several times, once for each quad it lies in; the cheapest, among equals the first, wins.
        """
        road = self._roads[road_number]
        numbers = road.section_numbers(s)
        offset = road.lane_offset(s)
        for number, mine in groups(numbers):
            section = road.sections[number]
            if not section.lanes:
                continue
            edges = section.boundaries(s[mine], offset[mine])
            low, high = edges[:-1], edges[1:]
            here = t[mine]
            gap = np.maximum(np.maximum(low - here, here - high), 0.0)
            middle = 0.5 * (low + high)
            foreign = np.array(
                [0.0 if types is None or lane.type in types else _FOREIGN_TYPE_COST_M for lane in section.lanes]
            )
            against = np.array([0 if road.drives_forward(lane.id, section.index) else 1 for lane in section.lanes])
            # A lane of no width is no place to be; it only wins where there is nothing else.
            cost = gap + foreign[:, None] + extra[against][:, mine] + np.where(high - low < 1e-3, 1.0, 0.0)
            cost = np.where(gap > max_distance_m, np.inf, cost + 1e-3 * np.abs(here - middle))
            rank = np.argmin(cost, axis=0)
            value = np.take_along_axis(cost, rank[None], axis=0)[0]
            # Written from the dearest to the cheapest, so that of several for one place the cheapest stays.
            order = np.argsort(-value[::-1], kind="stable")
            order = len(value) - 1 - order
            order = order[value[order] < best[rows[mine[order]]]]
            row, pick, lane = rows[mine[order]], mine[order], rank[order]
            best[row] = value[order]
            ids = np.array(section.lane_ids, dtype=np.int64)
            found.road[row], found.section[row], found.lane_id[row] = road_number, section.index, ids[lane]
            found.s[row], found.t[row] = s[pick], t[pick]
            found.offset[row] = t[pick] - middle[lane, order]


def groups(numbers: Ints) -> list[tuple[int, Ints]]:
    """Return (number, where it stands) for every number of an array, in ascending order."""
    if len(numbers) and (len(numbers) == 1 or bool((numbers == numbers[0]).all())):
        return [(int(numbers[0]), np.arange(len(numbers)))]
    return [(int(number), np.flatnonzero(numbers == number)) for number in np.unique(numbers)]


def _project(road: RoadGeometry, x: Floats, y: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats, Floats]:
    """Return (s, t, distance beyond the road's end) of (N,) places near the stretches [low, high] of a road.

    Newton's method on the foot point: first with slopes held away from 0, which suits nearly all places; then, where
    that has not arrived (around and beyond the centre of a bend), with the slopes as they are.
    """
    start, end = road.plan.at(low), road.plan.at(high)
    dx, dy = end.x - start.x, end.y - start.y
    chord = np.maximum(dx * dx + dy * dy, 1e-12)
    part = np.clip(((x - start.x) * dx + (y - start.y) * dy) / chord, 0.0, 1.0)
    s = low + part * (high - low)
    reach = 0.5 * (high - low) + 0.5
    least, most = np.maximum(low - reach, 0.0), np.minimum(high + reach, road.length)
    for _ in range(4):
        along, across, curvature = _seen(road, x, y, s)
        step = along / np.maximum(1.0 - curvature * across, 0.2)
        s = np.clip(s + step, least, most)
        if np.max(np.abs(step)) < 1e-7:
            break
    along, t, _ = _seen(road, x, y, s)
    late = np.flatnonzero((np.abs(along) > _EXACT_M) & (s > least) & (s < most))
    if len(late):
        s[late] = _refined(road, x[late], y[late], s[late], least[late], most[late])
        along[late], t[late], _ = _seen(road, x[late], y[late], s[late])
    if road.superelevation.is_constant and road.cross_section.is_flat:
        return s, t, np.abs(along)
    return _on_the_bank(road, x, y, s, t)


def _seen(road: RoadGeometry, x: Floats, y: Floats, s: Floats) -> tuple[Floats, Floats, Floats]:
    """Return places as (along, across) the reference line at ``s``, and the line's curvature there."""
    plan = road.plan.at(s)
    cosine, sine = np.cos(plan.heading), np.sin(plan.heading)
    dx, dy = x - plan.x, y - plan.y
    return dx * cosine + dy * sine, dy * cosine - dx * sine, plan.curvature


def _refined(road: RoadGeometry, x: Floats, y: Floats, s: Floats, least: Floats, most: Floats) -> Floats:
    """Return the best of some more steps towards the foot points, with true slopes and steps of at most 0.5 m."""
    best, missed = s, np.full(len(s), np.inf)
    for _ in range(24):
        along, across, curvature = _seen(road, x, y, s)
        better = np.abs(along) < missed
        best, missed = np.where(better, s, best), np.where(better, np.abs(along), missed)
        if np.max(missed) < 0.01 * _EXACT_M:
            break
        slope = 1.0 - curvature * across
        slope = np.where(np.abs(slope) < 1e-4, np.copysign(1e-4, slope), slope)
        s = np.clip(s + np.clip(along / slope, -0.5, 0.5), least, most)
    return best


def _on_the_bank(road: RoadGeometry, x: Floats, y: Floats, s: Floats, t: Floats) -> tuple[Floats, Floats, Floats]:
    """Return what :func:`_project` does, where bank, shape and slope shift the surface sideways and along the road."""
    for last in (False,) * 8 + (True,):
        at = road.stations(s)
        surface = road.points(at, t)
        cosine, sine = np.cos(at.plan.heading), np.sin(at.plan.heading)
        dx, dy = x - surface[:, 0], y - surface[:, 1]
        along, across = dx * cosine + dy * sine, dy * cosine - dx * sine
        if last or max(np.max(np.abs(along), initial=0.0), np.max(np.abs(across), initial=0.0)) < 1e-7:
            break
        t = t + across / np.maximum(np.cos(at.roll.value), 0.1)
        s = np.clip(s + along / np.maximum(1.0 - at.plan.curvature * t, 0.2), 0.0, road.length)
    return s, t, np.abs(along)

"""Ways along lanes of the catalogue's maps, as polylines with lengths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops

import scenarios.opendrive as opendrive
from foundation.errors import RealityError
from scenarios.catalogue.making.maps import map_text
from scenarios.catalogue.making.recipes import Number, Place, in_world
from scenarios.opendrive import LanePosition, RoadNetwork

Floats = npt.NDArray[np.float64]
_STEP_M, _STRAIGHT = 1.0, 1e-4


@cache
def network(name: str) -> RoadNetwork:
    """Return a map of the catalogue as the composer makes it."""
    return opendrive.parse(map_text(name), name=name)


@dataclass(frozen=True)
class Way:
    """A polyline that begins on a straight stretch of road."""

    points: Floats  # (N, 2)

    @property
    def heading(self) -> float:
        """Its first direction, radians."""
        step = self.points[1] - self.points[0]
        return float(math.atan2(step[1], step[0]))

    @property
    def length(self) -> float:
        """Metres."""
        return float(shapely.LineString(self.points).length)

    def crossing(self, other: Way, reach_m: float = 0.0) -> tuple[float, tuple[float, float]]:
        """Return how far along it first meets another way, and where on the other.

        Args:
            other: the other way.
            reach_m: ways that join without a crossing meet where they are as close as this.
        """
        line, across = shapely.LineString(self.points), shapely.LineString(other.points)
        if reach_m:
            near = shapely.intersection(line, shapely.buffer(across, reach_m))
            if near.is_empty:
                raise RealityError("the ways do not come close to each other")
            first = min((shapely.Point(part.coords[0]) for part in shapely.get_parts(near)), key=line.project)
            place = across.interpolate(across.project(first))
            return float(line.project(first)), (place.x, place.y)
        common = shapely.intersection(line, across)
        if common.is_empty:
            raise RealityError("the ways do not cross")
        place = min(
            (shapely.Point(c) for part in shapely.get_parts(common) for c in part.coords), key=lambda p: line.project(p)
        )
        return float(line.project(place)), (place.x, place.y)

    def until(self, place: tuple[float, float]) -> float:
        """Return how far along it passes a place."""
        return float(shapely.LineString(self.points).project(shapely.Point(place)))

    def start(self, before: Number) -> Place:
        """Return the place ``before`` metres (a number or an expression) ahead of its first point."""
        x, y = self._back(before)
        return in_world(x, y, round(self.heading, 6))

    def _back(self, before: Number) -> tuple[Number, Number]:
        out: list[Number] = []
        for origin, unit in zip(self.points[0], (math.cos(self.heading), math.sin(self.heading))):
            if abs(unit) < 1e-9:
                out.append(round(float(origin), 4))
            elif isinstance(before, str):
                out.append(f"{origin:.4f} - {unit:.6f} * ({before})".replace("- -", "+ "))
            else:
                out.append(round(float(origin - unit * before), 4))
        return out[0], out[1]

    def places(self, before: Number) -> list[Place]:
        """Return the vertices of a trajectory that begins ``before`` metres ahead of its first point."""
        x, y = self._back(before)
        return [in_world(x, y), *(in_world(round(float(a), 3), round(float(b), 3)) for a, b in self.points)]


def way(name: str, start: tuple[str, int, float], end: tuple[str, int, float], offset: float = 0.0) -> Way:
    """Return the way along lane centres from one place to another.

    Args:
        name: of the map.
        start, end: road, lane, s.
        offset: metres to the right of the lane's middle, seen in the direction of travel.
    """
    roads = network(name)
    first, last = (_position(roads, place) for place in (start, end))
    points: list[Floats] = []
    for key in roads.route(first, last):
        centre = roads.lane_centre(key, _STEP_M)[0][:, :2]
        if not roads.lane_drives_forward(key.road_id, key.lane_id, key.section):
            centre = centre[::-1]
        points += list(centre)
    line = shapely.LineString(_distinct(points))
    if offset:
        line = _moved(_distinct(points), offset)
    from_, to = (line.project(shapely.Point(roads.lane_pose(*place)[:2])) for place in (start, end))
    cut = shapely.ops.substring(line, from_, to)
    return Way(_thinned(np.array(cut.coords)))


def _moved(points: Floats, right_m: float) -> shapely.LineString:
    along = np.gradient(points, axis=0)
    along /= np.hypot(along[:, 0], along[:, 1])[:, None]
    return shapely.LineString(points + right_m * np.column_stack([along[:, 1], -along[:, 0]]))


def _position(roads: RoadNetwork, place: tuple[str, int, float]) -> LanePosition:
    pose = roads.lane_pose(*place)
    found = roads.locate(pose.x, pose.y)
    if found is None or (found.road_id, found.lane_id) != place[:2]:
        raise RealityError(f"no lane {place[1]} of road {place[0]} at s={place[2]}")
    return found


def _distinct(points: Sequence[Floats]) -> Floats:
    kept = [points[0]]
    for point in points[1:]:
        if float(np.hypot(*(point - kept[-1]))) > 0.05:
            kept.append(point)
    return np.array(kept)


def _thinned(points: Floats) -> Floats:
    """Leave out points that lie on the straight line between their neighbours."""
    kept = [points[0]]
    for before, here, after in zip(points, points[1:], points[2:]):
        one, other = here - before, after - here
        turn = abs(one[0] * other[1] - one[1] * other[0]) / (np.hypot(*one) * np.hypot(*other))
        if turn > _STRAIGHT:
            kept.append(here)
    return np.array([*kept, points[-1]])

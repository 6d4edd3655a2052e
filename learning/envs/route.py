"""The ego's way: the centre of its lane and of those it leads to, with what is beside it. CARLA's frame.

A place on the route is found by walking on from the last one, so it costs microseconds; the road network is asked only
when the route is laid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scenarios.opendrive import LaneKey, RoadNetwork

Floats = npt.NDArray[np.float64]

STEP_M = 1.0
ROAD_TYPES = frozenset(
    {
        "driving", "entry", "exit", "onRamp", "offRamp", "connectingRamp", "slipLane", "bidirectional", "parking",
        "shoulder", "stop", "biking", "bus", "taxi", "HOV", "special1", "special2", "special3", "roadWorks",
    }
)  # fmt: skip
"""Lanes a car can be on without having left the carriageway."""
STANDING_TYPES = frozenset({"parking", "shoulder", "stop", "roadWorks"})
"""Those of them on which there is no moving traffic."""
JUNCTION_HALF_WIDTH_M = 15.0
"""In junctions the carriageway is wider than the connecting road; beside its lane this much counts as road."""
LOST_M = 30.0
"""Farther than this from its route the ego is off the road whatever is there."""


@dataclass(frozen=True, eq=False)
class Route:
    """A way, in points one metre apart.

    Attributes:
        points: (P, 2). heading: (P,) radians, unwrapped. curvature: (P,) 1/m, positive to the right.
        width: (P,) of the lane. left, right: (P,) metres from the lane's centre to the carriageway's edges.
        limit: (P,) speed limit in m/s, nan where there is none.
        same_left, same_right: (P,) metres from the lane's centre within which nobody comes towards the ego.
    """

    points: Floats
    heading: Floats
    curvature: Floats
    width: Floats
    left: Floats
    right: Floats
    limit: Floats
    same_left: Floats
    same_right: Floats

    @property
    def length(self) -> float:
        """Metres."""
        return STEP_M * (len(self.points) - 1)

    def index(self, s: float) -> int:
        """Return the point at or before ``s``, clipped to the route."""
        return min(max(int(s / STEP_M), 0), self._last)

    @cached_property
    def _last(self) -> int:
        return len(self.points) - 1


class Follower:
    """Where somebody is on a route, followed from step to step."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self._x = route.points[:, 0].tolist()
        self._y = route.points[:, 1].tolist()
        self._i = 0

    def restart(self, x: float, y: float) -> None:
        """Look for the nearest place anywhere on the route."""
        squares = (self.route.points[:, 0] - x) ** 2 + (self.route.points[:, 1] - y) ** 2
        self._i = min(int(np.argmin(squares)), len(self._x) - 2)

    def place(self, x: float, y: float) -> tuple[float, float, float]:
        """Return (s, offset to the right, heading of the route there); before and after its ends it goes on straight.

        It looks on from the last place, so successive calls must be for places near one another.
        """
        xs, ys, last = self._x, self._y, len(self._x) - 2
        moved = 0
        while True:
            i = self._i
            dx, dy = xs[i + 1] - xs[i], ys[i + 1] - ys[i]
            length = math.hypot(dx, dy)
            ux, uy = dx / length, dy / length
            rx, ry = x - xs[i], y - ys[i]
            along = rx * ux + ry * uy
            # Each direction once only: at a corner both neighbours may claim the place.
            if along > length and i < last and moved >= 0:
                self._i, moved = i + 1, 1
            elif along < 0.0 and i > 0 and moved <= 0:
                self._i, moved = i - 1, -1
            else:
                return (i + along / length) * STEP_M, ry * ux - rx * uy, math.atan2(dy, dx)


class RouteMaker:
    """Lays routes over a road network and keeps what it has asked of each lane."""

    def __init__(self, network: RoadNetwork) -> None:
        self._network = network
        self._known: dict[LaneKey, Floats] = {}

    def from_place(self, x: float, y: float, yaw: float, length_m: float) -> Route:
        """Return the route from beside a place, going as straight as the lanes let.

        Args:
            x, y, yaw: CARLA's frame, radians.
            length_m: about how long it shall be; shorter where the road ends.

        Raises:
            ValueError: there is no driving lane within 30 m.
        """
        here = self._network.locate(x, -y, heading=-yaw, max_distance_m=LOST_M)
        if here is None:
            raise ValueError(f"there is no driving lane near x={x:.1f}, y={y:.1f}")
        return self.from_lane(here.key, length_m, (x, y))

    def from_lane(self, key: LaneKey, length_m: float, origin: tuple[float, float] | None = None) -> Route:
        """Return the route that begins with a lane (beside ``origin`` on it, if given)."""
        rows = self._lane(key)
        if origin is not None:
            start = int(np.argmin(np.hypot(rows[:, 0] - origin[0], rows[:, 1] - origin[1])))
            rows = rows[min(start, len(rows) - 2) :]
        visited = {key}
        while len(rows) * STEP_M < length_m + 2.0 * STEP_M:
            following = [k for k in self._network.successors(key) if k not in visited]
            if not following:
                break
            key = min(following, key=lambda k: (_turn(rows, self._lane(k)), k))
            visited.add(key)
            rows = np.concatenate([rows, self._lane(key)])
        return _route(rows, length_m)

    def _lane(self, key: LaneKey) -> Floats:
        """Return (N, 8) rows in driving order: x, y, width, left, right, limit, same_left, same_right."""
        if key not in self._known:
            self._known[key] = self._ask(key)
        return self._known[key]

    def _ask(self, key: LaneKey) -> Floats:
        network = self._network
        begin, end = network.lane_range(key)
        s = np.linspace(begin, end, max(2, math.ceil((end - begin) / STEP_M) + 1))
        poses = network.lane_poses(key, s)
        width = network.lane_widths(key, s)
        forward = network.lane_drives_forward(key.road_id, key.lane_id, key.section)
        one, same_one = self._beside(key, s, 0, forward)  # left as seen along s
        two, same_two = self._beside(key, s, 1, forward)
        if not forward:
            one, two, same_one, same_two = two, one, same_two, same_one
        if network.road(key.road_id).junction:
            one, two = np.maximum(one, JUNCTION_HALF_WIDTH_M), np.maximum(two, JUNCTION_HALF_WIDTH_M)
        limit = network.speed_limit_kmh(key.road_id, 0.5 * (begin + end), key.lane_id)
        limits = np.full(len(s), np.nan if limit is None else limit / 3.6)
        half = 0.5 * width
        columns = (poses.x, -poses.y, width, one + half, two + half, limits, same_one + half, same_two + half)
        rows = np.stack(columns, axis=-1)
        return rows if forward else rows[::-1]

    def _beside(self, key: LaneKey, s: Floats, side: int, forward: bool) -> tuple[Floats, Floats]:
        """Return the widths of the carriageway, and of its part that goes the same way, on one side of a lane."""
        network, total, same = self._network, np.zeros(len(s)), np.zeros(len(s))
        other = network.neighbours(key)[side]
        together = True
        while other is not None:
            kind = network.lane_type(other.road_id, other.lane_id, float(0.5 * (s[0] + s[-1])))
            if kind not in ROAD_TYPES:
                break
            width = network.lane_widths(other, s)
            total += width
            onward = network.lane_drives_forward(other.road_id, other.lane_id, other.section) == forward
            # A shoulder on the left is on the other side of the reference line, yet nobody comes towards one on it.
            together &= onward or kind in STANDING_TYPES
            same += width * together
            other = network.neighbours(other)[side]
        return total, same


def _turn(before: Floats, after: Floats) -> float:
    """How far the end of ``after`` lies off the direction in which ``before`` ends, radians."""
    arrive, leave = before[-1, :2] - before[-2, :2], after[-1, :2] - after[0, :2]
    turn = math.atan2(leave[1], leave[0]) - math.atan2(arrive[1], arrive[0])
    return abs((turn + math.pi) % (2.0 * math.pi) - math.pi)


def _route(rows: Floats, length_m: float) -> Route:
    steps = np.hypot(*np.diff(rows[:, :2], axis=0).T)
    real = np.concatenate([[True], steps > 1e-3])
    rows = rows[real]
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(rows[:, :2], axis=0).T))])
    count = max(2, int(min(along[-1], length_m) / STEP_M) + 1)
    at = np.arange(count) * STEP_M
    even = np.stack([np.interp(at, along, rows[:, i]) for i in range(5)], axis=-1)
    # Limits change at once, and nan must not spread to its neighbours.
    nearest = np.clip(np.searchsorted(along, at + 1e-9, side="right") - 1, 0, len(rows) - 1)
    points = np.ascontiguousarray(even[:, :2])
    delta = np.diff(points, axis=0)
    heading = np.unwrap(np.arctan2(delta[:, 1], delta[:, 0]))
    heading = np.concatenate([heading, heading[-1:]])
    return Route(
        points, heading, np.gradient(heading, STEP_M), even[:, 2], even[:, 3], even[:, 4],
        rows[nearest, 5], np.interp(at, along, rows[:, 6]), np.interp(at, along, rows[:, 7]),
    )  # fmt: skip


__all__ = ["LOST_M", "STEP_M", "Follower", "Route", "RouteMaker"]

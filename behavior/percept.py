"""What a mind gets and what it gives: percepts in, intentions out. CARLA's frame: x forward, y right, z up.

Positions are metres, velocities m/s, yaw degrees (positive from x to y). Everything here is a value: a percept
is a snapshot that the agent may keep, and nothing in it reaches back into a simulator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

Vec2 = tuple[float, float]
Vec3 = tuple[float, float, float]


class Kind(Enum):
    """What a perceived thing is, as far as a road user can tell."""

    VEHICLE = "vehicle"
    CYCLIST = "cyclist"
    PEDESTRIAN = "pedestrian"
    OBSTACLE = "obstacle"


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing in sight.

    Attributes:
        id: stays the same while the thing exists (the actor id will do).
        x, y, z: centre of its box.
        vx, vy: velocity over ground.
        yaw_deg: where its front points.
        length, width, height: full sizes of its box.
    """

    id: int
    kind: Kind
    x: float
    y: float
    z: float
    vx: float
    vy: float
    yaw_deg: float
    length: float
    width: float
    height: float

    @property
    def speed_mps(self) -> float:
        """Speed over ground."""
        return math.hypot(self.vx, self.vy)


@dataclass(frozen=True, slots=True)
class LaneSample:
    """One lane where a road is cut across: its centre, the direction of its traffic, its width and type."""

    x: float
    y: float
    yaw_deg: float
    width_m: float
    kind: str  # "driving", "parking", "shoulder", "sidewalk", ... as OpenDRIVE names them


@dataclass(frozen=True, slots=True)
class TrafficLane:
    """A driving lane of a carriageway: where it lies across it, and which way along it its traffic goes (+1, -1)."""

    near_m: float
    far_m: float
    flow: int


@dataclass(frozen=True, slots=True)
class Carriageway:
    """The road a pedestrian may have to cross, locally straight, seen from one of its sides.

    Two coordinates describe a point: *along* it and *across* it. Across is 0 where moving traffic begins (the
    kerb, or the edge of the row of parked cars), negative on the near side, ``width_m`` where traffic ends.

    Attributes:
        origin: a point at across 0, along 0.
        along, across: unit vectors.
        near_kerb_m: across coordinate of the near pavement's edge: 0, or negative behind a parking lane.
        far_kerb_m: the same beyond the traffic: ``width_m`` or more.
        crosswalks: (along coordinate of the middle, half width) of the zebra crossings in reach.
    """

    origin: Vec2
    along: Vec2
    across: Vec2
    width_m: float
    lanes: tuple[TrafficLane, ...]
    near_kerb_m: float
    far_kerb_m: float
    crosswalks: tuple[tuple[float, float], ...] = ()

    def locate(self, x: float, y: float) -> tuple[float, float]:
        """Return (along, across) of a point."""
        dx, dy = x - self.origin[0], y - self.origin[1]
        return dx * self.along[0] + dy * self.along[1], dx * self.across[0] + dy * self.across[1]

    def point(self, along: float, across: float) -> Vec2:
        """Return (x, y) of coordinates: the inverse of :meth:`locate`."""
        return (
            self.origin[0] + along * self.along[0] + across * self.across[0],
            self.origin[1] + along * self.along[1] + across * self.across[1],
        )

    def turned(self) -> Carriageway:
        """Return the same road seen from its other side."""
        width = self.width_m
        lanes = tuple(TrafficLane(width - lane.far_m, width - lane.near_m, -lane.flow) for lane in reversed(self.lanes))
        return Carriageway(
            origin=self.point(0.0, width),
            along=(-self.along[0], -self.along[1]),
            across=(-self.across[0], -self.across[1]),
            width_m=width,
            lanes=lanes,
            near_kerb_m=width - self.far_kerb_m,
            far_kerb_m=width - self.near_kerb_m,
            crosswalks=tuple(sorted((-middle, half) for middle, half in self.crosswalks)),
        )

    @staticmethod
    def from_lanes(
        x: float, y: float, lanes: Sequence[LaneSample], crosswalks: Sequence[tuple[Vec2, float]] = ()
    ) -> Carriageway | None:
        """Return the carriageway seen from (x, y), or None when no lane carries traffic.

        Args:
            lanes: all lanes of the road in a cut across it, in any order.
            crosswalks: (centre, half width along the road) of zebra crossings of this road.
        """
        driving = [lane for lane in lanes if lane.kind in _TRAFFIC]
        if not driving:
            return None
        yaw = math.radians(driving[0].yaw_deg)
        along = (math.cos(yaw), math.sin(yaw))
        across = (-along[1], along[0])

        def offset(lane: LaneSample) -> float:
            return (lane.x - x) * across[0] + (lane.y - y) * across[1]

        edges = sorted((offset(lane) - 0.5 * lane.width_m, offset(lane) + 0.5 * lane.width_m) for lane in driving)
        paved = sorted(
            (offset(lane) - 0.5 * lane.width_m, offset(lane) + 0.5 * lane.width_m)
            for lane in lanes
            if lane.kind in _TRAFFIC or lane.kind in _ROADSIDE
        )
        first, last, near, far = edges[0][0], edges[-1][1], paved[0][0], max(edge[1] for edge in paved)
        # The near side is the one the observer stands on (or is closer to, on the road).
        if abs(last) < abs(first):
            across = (-across[0], -across[1])
            first, last, near, far = -last, -first, -far, -near
        origin = (x + first * across[0], y + first * across[1])
        strips = []
        for lane in driving:
            middle = (lane.x - origin[0]) * across[0] + (lane.y - origin[1]) * across[1]
            heading = math.radians(lane.yaw_deg)
            forward = math.cos(heading) * along[0] + math.sin(heading) * along[1] > 0.0
            strips.append(TrafficLane(middle - 0.5 * lane.width_m, middle + 0.5 * lane.width_m, 1 if forward else -1))
        made = Carriageway(
            origin,
            along,
            across,
            last - first,
            tuple(sorted(strips, key=lambda s: s.near_m)),
            near - first,
            far - first,
        )
        zebras = tuple(sorted((made.locate(*centre)[0], half) for centre, half in crosswalks))
        return replace(made, crosswalks=zebras)


_TRAFFIC = frozenset({"driving", "bus", "taxi", "entry", "exit", "onRamp", "offRamp", "bidirectional", "biking"})
_ROADSIDE = frozenset({"parking", "shoulder", "stop", "border"})


@dataclass(frozen=True, slots=True)
class Percept:
    """What an agent perceives at one moment.

    Attributes:
        time_s: simulated time.
        x, y, z: the agent's reference point (CARLA's walker origin: the middle of its body).
        yaw_deg: where it faces.
        speed_mps: its speed over ground.
        seen: everything in line of sight, or None when nobody looked this tick (beliefs are then extrapolated).
        carriageway: the road beside or under the agent, None where there is none.
        light: "red" or "green" of the pedestrian light at the crossing, None where there is none.
        blocked: the body was commanded to move and did not.
    """

    time_s: float
    x: float
    y: float
    z: float = 0.0
    yaw_deg: float = 0.0
    speed_mps: float = 0.0
    seen: tuple[Seen, ...] | None = ()
    carriageway: Carriageway | None = None
    light: str | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Intention:
    """What the body shall do until the next step.

    Attributes:
        direction: unit vector, world; zero when standing.
        speed_mps: along it.
        look_at: the point the head turns to, None for straight ahead.
        label: the skill that asked for it, for traces and debugging views.
    """

    direction: Vec3 = (0.0, 0.0, 0.0)
    speed_mps: float = 0.0
    look_at: Vec3 | None = None
    label: str = "stand"

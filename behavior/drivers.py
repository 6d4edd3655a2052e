"""Drivers as pure agents: they follow a lane path, keep a distance, and brake for what they can see.

``AebDriver`` is the catalogue's ego: a cruise with an emergency brake. ``IdmDriver`` is a plain lane follower.
Both take a :class:`DriverPercept` and return a :class:`DriverIntention` whose pedals and steering fit CARLA's
``VehicleControl``; whoever moves vehicles without physics uses its acceleration and curvature instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from behavior.percept import Kind, Seen, Vec2


@dataclass(frozen=True, slots=True)
class DriverPercept:
    """What a driver (or its sensors) perceives. CARLA's frame, metres, m/s, degrees.

    Attributes:
        x, y, yaw_deg, speed_mps: of the own vehicle; the point is the middle of its box.
        path: the lane centre, from beside or behind the vehicle on, in driving order; two points or more.
        seen: what is in line of sight.
    """

    time_s: float
    x: float
    y: float
    yaw_deg: float
    speed_mps: float
    path: Sequence[Vec2]
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class DriverIntention:
    """What the vehicle shall do.

    Attributes:
        throttle, brake: 0..1. steer: -1..1, positive to the right.
        acceleration_mps2: the demand behind the pedals.
        curvature_per_m: the demand behind the steering, positive to the right.
        emergency: whether the emergency brake is on.
        ttc_s: the smallest time to collision seen in this step, ``inf`` without a conflict.
    """

    throttle: float
    brake: float
    steer: float
    acceleration_mps2: float
    curvature_per_m: float
    emergency: bool = False
    ttc_s: float = math.inf


@dataclass(frozen=True)
class VehicleShape:
    """What a driver knows of its vehicle: full sizes, wheelbase, steering lock."""

    length_m: float = 4.7
    width_m: float = 1.9
    wheelbase_m: float = 2.8
    max_steer_deg: float = 70.0


@dataclass(frozen=True)
class IdmSettings:
    """Intelligent driver model, values for city traffic (Treiber and Kesting 2013, table 11.2)."""

    desired_mps: float = 13.9
    headway_s: float = 1.0
    standstill_m: float = 2.0
    acceleration_mps2: float = 1.0
    deceleration_mps2: float = 1.5

    def acceleration(self, speed_mps: float, gap_m: float, closing_mps: float) -> float:
        """Return the acceleration for a gap (``inf`` for a free road) and the speed at which it shrinks."""
        free = 1.0 - (speed_mps / max(self.desired_mps, 0.1)) ** 4
        if math.isinf(gap_m):
            return self.acceleration_mps2 * free
        dynamic = speed_mps * closing_mps / (2.0 * math.sqrt(self.acceleration_mps2 * self.deceleration_mps2))
        wished = self.standstill_m + max(0.0, speed_mps * self.headway_s + dynamic)
        return self.acceleration_mps2 * (free - (wished / max(gap_m, 0.1)) ** 2)


@dataclass(frozen=True)
class AebSettings:
    """The emergency brake.

    Attributes:
        brake_ttc_s: it brakes when the time to collision falls below this.
        latency_s: from the first such moment to the brake (sensing, tracking, pressure build-up).
        deceleration_mps2: demanded; what the tyres give decides the rest.
        range_m, field_of_view_deg: what its sensors cover, full angle.
        margin_m: added to both sides of the vehicle's path.
        release_s: how long the path must be clear before it lets go.
    """

    brake_ttc_s: float = 1.4
    latency_s: float = 0.2
    deceleration_mps2: float = 9.0
    range_m: float = 60.0
    field_of_view_deg: float = 110.0
    margin_m: float = 0.2
    release_s: float = 0.5


_PREVIEW_S, _LEAST_PREVIEW_M = 0.6, 3.5
_SPEED_GAIN, _INTEGRAL_GAIN, _CRUISING_THROTTLE = 0.4, 0.2, 0.3
_FULL_BRAKE_MPS2 = 8.0


@dataclass(frozen=True, slots=True)
class Placed:
    """Something in sight, placed on the driver's path: metres ahead of the own middle, metres right of the path."""

    thing: Seen
    ahead_m: float
    aside_m: float
    tangent: Vec2


def placed(percept: DriverPercept) -> list[Placed]:
    """Return everything in sight with its place on the path, in the order of the percept."""
    if not percept.seen:
        return []
    points = [(percept.x, percept.y), *((thing.x, thing.y) for thing in percept.seen)]
    ahead, aside, tangent = _project(percept.path, np.array(points, dtype=np.float64))
    return [
        Placed(thing, float(a - ahead[0]), float(b), (float(t[0]), float(t[1])))
        for thing, a, b, t in zip(percept.seen, ahead[1:], aside[1:], tangent[1:])
    ]


class IdmDriver:
    """Follows its path and the vehicle ahead of it on that path."""

    def __init__(self, idm: IdmSettings, shape: VehicleShape) -> None:
        self.idm = idm
        self.shape = shape
        self._integral = _CRUISING_THROTTLE  # a driver who takes over a moving car holds the pedal

    def step(self, percept: DriverPercept, dt_s: float) -> DriverIntention:
        """Return what to do until the next step, ``dt_s`` later."""
        gap, closing = self._leader(percept.speed_mps, placed(percept))
        demand = self.idm.acceleration(percept.speed_mps, gap, closing)
        return self._pedals(percept, demand, dt_s, free=math.isinf(gap))

    def _leader(self, speed_mps: float, things: Sequence[Placed]) -> tuple[float, float]:
        """Return (gap, closing speed) to the nearest vehicle on the path ahead, (inf, 0) without one."""
        nearest, closing = math.inf, 0.0
        for place in things:
            thing = place.thing
            if thing.kind not in (Kind.VEHICLE, Kind.CYCLIST) or place.ahead_m <= 0.0:
                continue
            if abs(place.aside_m) > 0.5 * (self.shape.width_m + thing.width):
                continue
            gap = max(place.ahead_m - 0.5 * (self.shape.length_m + thing.length), 0.1)
            if gap < nearest:
                nearest = gap
                closing = speed_mps - (thing.vx * place.tangent[0] + thing.vy * place.tangent[1])
        return nearest, closing

    def _pedals(
        self,
        percept: DriverPercept,
        demand_mps2: float,
        dt_s: float,
        *,
        free: bool = False,
        emergency: bool = False,
        ttc_s: float = math.inf,
    ) -> DriverIntention:
        curvature = self._curvature(percept)
        angle = math.degrees(math.atan(curvature * self.shape.wheelbase_m))
        steer = max(-1.0, min(1.0, angle / self.shape.max_steer_deg))
        throttle = brake = 0.0
        if demand_mps2 < -0.3:
            brake = 1.0 if emergency else min(1.0, -demand_mps2 / _FULL_BRAKE_MPS2)
            self._integral = 0.0
        else:
            # What a pedal does to the speed depends on vehicle, gear and slope, so the speed is controlled, not
            # the force. On a free road that is the desired speed itself: the model's free term vanishes near it
            # and would let drag win.
            desired = self.idm.desired_mps
            wanted = desired if free else min(percept.speed_mps + demand_mps2 * 1.0, desired)
            error = min(wanted - percept.speed_mps, self.idm.acceleration_mps2)
            self._integral = max(0.0, min(0.8, self._integral + _INTEGRAL_GAIN * error * dt_s))
            throttle = max(0.0, min(1.0, _SPEED_GAIN * error + self._integral))
        return DriverIntention(throttle, brake, steer, demand_mps2, curvature, emergency, ttc_s)

    def _curvature(self, percept: DriverPercept) -> float:
        """Pure pursuit: the arc from the rear axle to a point of the path ahead, tangent to the vehicle."""
        preview = max(_LEAST_PREVIEW_M, _PREVIEW_S * percept.speed_mps) + 0.5 * self.shape.wheelbase_m
        yaw = math.radians(percept.yaw_deg)
        forward = (math.cos(yaw), math.sin(yaw))
        rear = (
            percept.x - 0.5 * self.shape.wheelbase_m * forward[0],
            percept.y - 0.5 * self.shape.wheelbase_m * forward[1],
        )
        target = point_ahead(percept.path, (percept.x, percept.y), preview)
        dx, dy = target[0] - rear[0], target[1] - rear[1]
        ahead, right = dx * forward[0] + dy * forward[1], -dx * forward[1] + dy * forward[0]
        return 2.0 * right / max(ahead * ahead + right * right, 1e-6)


class AebDriver(IdmDriver):
    """A cruise control that brakes hard when something it sees is about to be in its way."""

    def __init__(self, idm: IdmSettings, aeb: AebSettings, shape: VehicleShape) -> None:
        super().__init__(idm, shape)
        self.aeb = aeb
        self._due_s: float | None = None
        self._clear_since: float | None = None
        self.braking = False

    def step(self, percept: DriverPercept, dt_s: float) -> DriverIntention:
        """Return what to do until the next step, ``dt_s`` later."""
        things = placed(percept)
        ttc = min((self.time_to_collision_s(percept, thing) for thing in things), default=math.inf)
        self._decide(percept.time_s, ttc)
        if self.braking:
            return self._pedals(percept, -self.aeb.deceleration_mps2, dt_s, emergency=True, ttc_s=ttc)
        gap, closing = self._leader(percept.speed_mps, things)
        demand = self.idm.acceleration(percept.speed_mps, gap, closing)
        return self._pedals(percept, demand, dt_s, free=math.isinf(gap), ttc_s=ttc)

    def _decide(self, time_s: float, ttc_s: float) -> None:
        if ttc_s < self.aeb.brake_ttc_s:
            self._clear_since = None
            if self._due_s is None:
                self._due_s = time_s + self.aeb.latency_s
            self.braking = self.braking or time_s >= self._due_s - 1e-9
            return
        if not self.braking:
            self._due_s = None
            return
        if self._clear_since is None:
            self._clear_since = time_s
        if time_s - self._clear_since >= self.aeb.release_s:
            self.braking, self._due_s, self._clear_since = False, None, None

    def time_to_collision_s(self, percept: DriverPercept, place: Placed) -> float:
        """Return when the front reaches a thing, both going on as now; ``inf`` if it will not be in the way then.

        The thing must be inside the field of view, and its box on the swept path at that time or on the way there.
        """
        thing, ahead, aside, tangent = place.thing, place.ahead_m, place.aside_m, place.tangent
        dx, dy = thing.x - percept.x, thing.y - percept.y
        bearing = (math.degrees(math.atan2(dy, dx)) - percept.yaw_deg + 180.0) % 360.0 - 180.0
        if math.hypot(dx, dy) > self.aeb.range_m or abs(bearing) > 0.5 * self.aeb.field_of_view_deg:
            return math.inf
        relative_yaw = math.radians(thing.yaw_deg) - math.atan2(tangent[1], tangent[0])
        cos, sin = abs(math.cos(relative_yaw)), abs(math.sin(relative_yaw))
        half_long = 0.5 * (thing.length * cos + thing.width * sin)
        half_wide = 0.5 * (thing.length * sin + thing.width * cos)
        gap = ahead - 0.5 * self.shape.length_m - half_long
        closing = percept.speed_mps - (thing.vx * tangent[0] + thing.vy * tangent[1])
        if ahead <= 0.0 or closing <= 0.1:
            return math.inf
        lateral_mps = -thing.vx * tangent[1] + thing.vy * tangent[0]
        arrival = max(gap, 0.0) / closing
        passed = (max(gap, 0.0) + 2.0 * half_long) / closing
        reach = 0.5 * self.shape.width_m + self.aeb.margin_m + half_wide
        at_arrival, at_passing = aside + lateral_mps * arrival, aside + lateral_mps * passed
        if min(at_arrival, at_passing) < reach and max(at_arrival, at_passing) > -reach:
            return arrival
        return math.inf


def along_path(path: Sequence[Vec2], point: Vec2) -> tuple[float, float, Vec2]:
    """Return (distance along the path from its first point, offset to the right of it, tangent) of the nearest spot.

    Beyond its ends the path goes on straight.
    """
    ahead, aside, tangent = _project(path, np.array([point], dtype=np.float64))
    return float(ahead[0]), float(aside[0]), (float(tangent[0, 0]), float(tangent[0, 1]))


def point_ahead(path: Sequence[Vec2], origin: Vec2, distance_m: float) -> Vec2:
    """Return the point of the path ``distance_m`` beyond the spot nearest to ``origin``."""
    remaining = along_path(path, origin)[0] + distance_m
    start, tangent, length = _segments(path)
    ends = np.cumsum(length)
    index = min(int(np.searchsorted(ends, remaining)), len(length) - 1)
    into = remaining - (ends[index] - length[index])
    x, y = start[index] + tangent[index] * into
    return float(x), float(y)


Floats = npt.NDArray[np.float64]


def _segments(path: Sequence[Vec2]) -> tuple[Floats, Floats, Floats]:
    """Return start points (S, 2), unit tangents (S, 2) and lengths (S,) of a path's segments."""
    points = np.asarray(path, dtype=np.float64)
    steps = np.diff(points, axis=0)
    length = np.hypot(steps[:, 0], steps[:, 1])
    real = length > 1e-9
    if not real.any():
        raise ValueError("a path needs two different points")
    return points[:-1][real], steps[real] / length[real, None], length[real]


def _project(path: Sequence[Vec2], points: Floats) -> tuple[Floats, Floats, Floats]:
    """Return for (N, 2) points: distance along the path (N,), offset to its right (N,) and tangent (N, 2) there."""
    start, tangent, length = _segments(path)
    before = np.concatenate([[0.0], np.cumsum(length)[:-1]])
    relative = points[:, None, :] - start[None, :, :]  # (N, S, 2)
    along = relative[..., 0] * tangent[:, 0] + relative[..., 1] * tangent[:, 1]
    aside = relative[..., 1] * tangent[:, 0] - relative[..., 0] * tangent[:, 1]
    low, high = np.zeros(len(length)), length.copy()
    low[0], high[-1] = -np.inf, np.inf
    clamped = np.clip(along, low, high)
    nearest = np.argmin(np.hypot(along - clamped, aside), axis=1)
    rows = np.arange(len(points))
    return before[nearest] + clamped[rows, nearest], aside[rows, nearest], tangent[nearest]

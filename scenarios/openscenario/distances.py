"""Distances between entities as conditions and actions measure them: coordinate system, dimension, free space.

Distances are never negative. Without ``freespace`` they are between reference points, with it between the nearest
points of the boxes (0 when these overlap in the dimension).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios import metrics
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Placement
from scenarios.openscenario.roads import Track
from scenarios.openscenario.states import Pose

if TYPE_CHECKING:
    from scenarios.openscenario.world import Entity, World

Vector = tuple[float, float, float]
LEVEL_M = 1e-6
"""Who is level with an entity counts as ahead of it, also when rounding puts him this much behind."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A distance in metres, whether the other is ahead of the measuring entity, and how fast it shrinks, m/s."""

    distance: float
    ahead: bool
    closing: float


@dataclass(frozen=True, slots=True)
class _Body:
    """One end of a distance."""

    pose: Pose
    velocity: Vector
    rect: metrics.Rect
    track: Track | None


def _body(world: World, entity: Entity, on_roads: bool) -> _Body:
    track = world.lane(entity) if on_roads else None
    return _Body(entity.motion.pose, entity.motion.velocity, entity.rect(), track)


def _place(world: World, placement: Placement) -> _Body:
    pose = placement.pose
    track = placement.track or world.roads.locate(pose, reach_m=5.0)
    return _Body(pose, (0.0, 0.0, 0.0), metrics.Rect(pose.x, pose.y, pose.heading, 0.0, 0.0), track)


def _interval(body: _Body, ax: float, ay: float) -> tuple[float, float]:
    """Return how far the box reaches along an axis, measured from the reference point."""
    along = (body.rect.corners() - (body.pose.x, body.pose.y)) @ (ax, ay)
    return float(along.min()), float(along.max())


def _line(gap: float, a: _Body, b: _Body, axes: list[tuple[float, float]], freespace: bool) -> float:
    """Return the distance along one axis of a (at 0) and b (at ``gap``), with their extents if ``freespace``."""
    if not freespace:
        return abs(gap)
    (a_low, a_high), (b_low, b_high) = _interval(a, *axes[0]), _interval(b, *axes[1])
    return max(0.0, gap + b_low - a_high, -gap + a_low - b_high)


@dataclass(frozen=True, slots=True)
class Measure:
    """How to measure: ``system`` entity, lane, road or world; ``kind`` longitudinal, lateral or euclidian."""

    system: str
    kind: str
    freespace: bool

    def between(self, world: World, a: Entity, b: Entity) -> Gap | None:
        """Return the distance from ``a`` to ``b``; None when it does not exist (not on connected roads)."""
        return self._gap(world, *(_body(world, entity, self._on_roads) for entity in (a, b)))

    def to_position(self, world: World, a: Entity, place: Placement) -> Gap | None:
        """Return the distance from ``a`` to a position."""
        return self._gap(world, _body(world, a, self._on_roads), _place(world, place))

    @property
    def _on_roads(self) -> bool:
        return self.kind != "euclidian" and self.system in ("lane", "road")

    def _gap(self, world: World, a: _Body, b: _Body) -> Gap | None:
        if self.kind == "euclidian":
            return self._euclidian(a, b)
        if self.system in ("lane", "road"):
            return self._along_road(world, a, b)
        heading = a.pose.heading if self.system == "entity" else 0.0
        c, s = math.cos(heading), math.sin(heading)
        ax, ay = (c, s) if self.kind == "longitudinal" else (-s, c)
        gap = (b.pose.x - a.pose.x) * ax + (b.pose.y - a.pose.y) * ay
        rate = (b.velocity[0] - a.velocity[0]) * ax + (b.velocity[1] - a.velocity[1]) * ay
        distance = _line(gap, a, b, [(ax, ay), (ax, ay)], self.freespace)
        return Gap(distance, gap > -LEVEL_M, -math.copysign(1.0, gap) * rate)

    def _euclidian(self, a: _Body, b: _Body) -> Gap:
        delta = (b.pose.x - a.pose.x, b.pose.y - a.pose.y, b.pose.z - a.pose.z)
        ahead = delta[0] * math.cos(a.pose.heading) + delta[1] * math.sin(a.pose.heading) > -LEVEL_M
        rate = tuple(vb - va for va, vb in zip(a.velocity, b.velocity))
        if not self.freespace:
            length = math.sqrt(sum(d * d for d in delta))
            closing = -sum(d * r for d, r in zip(delta, rate)) / length if length > 1e-9 else 0.0
            return Gap(length, ahead, closing)
        distance, h = metrics.distance(a.rect, b.rect), 1e-3
        later = metrics.distance(a.rect, b.rect._replace(x=b.rect.x + h * rate[0], y=b.rect.y + h * rate[1]))
        return Gap(distance, ahead, (distance - later) / h)

    def _along_road(self, world: World, a: _Body, b: _Body) -> Gap | None:
        if a.track is None or b.track is None:
            return None
        found = world.roads.along(a.track, b.track)
        if found is None:
            return None
        gap, side, way = found
        if self.system == "lane" and self.kind == "longitudinal" and a.track.road_id == b.track.road_id:
            gap = world.roads.lane_length(a.track, b.track.s)
        headings = []
        for body, sign in (
            (a, a.track.direction),
            (b, way if b.track.road_id != a.track.road_id else a.track.direction),
        ):
            assert body.track is not None
            along = world.roads.heading(body.track.road_id, body.track.s)
            headings.append(along + (math.pi if sign < 0 else 0.0))
        axes = [(math.cos(h), math.sin(h)) for h in headings]
        if self.kind == "lateral":
            axes, gap = [(-y, x) for x, y in axes], side
        speeds = [v[0] * ax + v[1] * ay for (ax, ay), v in zip(axes, (a.velocity, b.velocity))]
        distance = _line(gap, a, b, axes, self.freespace)
        return Gap(distance, gap > -LEVEL_M, math.copysign(1.0, gap) * (speeds[0] - speeds[1]))


def read_measure(node: Node) -> Measure:
    """Read the attributes that say how a distance is measured, old spellings included.

    1.0's ``alongRoute`` true is longitudinal on the road, false the straight line; ``cartesianDistance`` is 1.0's
    name of
    ``euclidianDistance``, which is also the default since 1.1. Routing algorithms other than the shortest are refused.
    """
    system = node.choice("coordinateSystem", ("entity", "lane", "road", "world"), "entity")
    node.choice("routingAlgorithm", ("undefined", "shortest"), "undefined")
    kinds = ("longitudinal", "lateral", "euclidianDistance", "cartesianDistance")
    kind = node.choice("relativeDistanceType", kinds, "euclidianDistance")
    if node.has("alongRoute"):
        along = node.boolean("alongRoute")
        if along and not node.has("relativeDistanceType"):
            kind = "longitudinal"
            system = "road" if not node.has("coordinateSystem") else system
    kind = "euclidian" if kind.endswith("Distance") else kind
    return Measure(system, kind, node.boolean("freespace"))

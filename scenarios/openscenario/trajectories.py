"""Trajectories and their shapes as written: polyline, clothoid, clothoid spline, NURBS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from scenarios.openscenario.curves import Curve, clothoids, nurbs, polyline
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions import Position, read_position

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


class Shape(Protocol):
    """A trajectory's shape as written."""

    @property
    def timed(self) -> bool:
        """Whether its points carry times."""
        ...

    def curve(self, world: World, closed: bool) -> Curve:
        """Return the curve, its positions resolved now."""
        ...

    def positions(self) -> tuple[Position, ...]:
        """Return the positions it is made from."""
        ...


@dataclass(frozen=True, slots=True)
class Trajectory:
    """``Trajectory``."""

    name: str
    closed: bool
    shape: Shape
    place: str

    def curve(self, world: World) -> Curve:
        """Return its curve now; OpenScenarioError when a point of it does not exist."""
        return self.shape.curve(world, self.closed)

    def entities(self) -> tuple[str, ...]:
        """Return the entities its points are relative to."""
        return tuple(name for position in self.shape.positions() for name in position.entities())


@dataclass(frozen=True, slots=True)
class Polyline:
    """``Polyline``."""

    vertices: tuple[Position, ...]
    times: tuple[float, ...] | None

    @property
    def timed(self) -> bool:
        """Whether its vertices carry times that grow."""
        return self.times is not None

    def curve(self, world: World, closed: bool) -> Curve:
        """Return the curve."""
        points = np.array([v.resolve(world).pose.location for v in self.vertices])
        return polyline(points, self.times, world.roads.height, closed)

    def positions(self) -> tuple[Position, ...]:
        """Return its vertices."""
        return self.vertices


@dataclass(frozen=True, slots=True)
class ClothoidChain:
    """``Clothoid`` and ``ClothoidSpline``: (curvature at start, at end, length, heading offset, start) per segment."""

    start: Position
    segments: tuple[tuple[float, float, float], ...]
    times: tuple[float, float] | None

    @property
    def timed(self) -> bool:
        """Whether start and end carry times."""
        return self.times is not None

    def curve(self, world: World, closed: bool) -> Curve:
        """Return the curve."""
        pose = self.start.resolve(world).pose
        return clothoids(pose, self.segments, self.times, world.roads.height)

    def positions(self) -> tuple[Position, ...]:
        """Return its start."""
        return (self.start,)


@dataclass(frozen=True, slots=True)
class Nurbs:
    """``Nurbs``."""

    order: int
    points: tuple[Position, ...]
    weights: tuple[float, ...]
    knots: tuple[float, ...]
    times: tuple[float, ...] | None

    @property
    def timed(self) -> bool:
        """Whether its control points carry times."""
        return self.times is not None

    def curve(self, world: World, closed: bool) -> Curve:
        """Return the curve."""
        points = np.array([p.resolve(world).pose.location for p in self.points])
        return nurbs(self.order, points, self.weights, self.knots, self.times, world.roads.height)

    def positions(self) -> tuple[Position, ...]:
        """Return its control points."""
        return self.points


def _times(nodes: list[Node]) -> tuple[float, ...] | None:
    """Return the times of vertices; None when there are none or all are 0, which exporters write for "no time"."""
    if not any(node.has("time") for node in nodes):
        return None
    times = tuple(node.number("time", minimum=0.0) for node in nodes)
    if all(t == 0.0 for t in times):
        return None
    for before, after, node in zip(times, times[1:], nodes[1:]):
        if after <= before:
            raise node.error(f"time {after:g} does not come after {before:g}")
    return times


def _polyline(node: Node, reader: Reader) -> Shape:
    vertices = node.many("Vertex")
    if len(vertices) < 2:
        raise node.error("a polyline needs at least two vertices")
    return Polyline(tuple(read_position(v.one("Position"), reader) for v in vertices), _times(vertices))


def _clothoid(node: Node, reader: Reader) -> Shape:
    curvature, length = node.number("curvature"), node.number("length", minimum=1e-3)
    # curvatureDot is 1.0's name of curvaturePrime.
    prime = node.number("curvaturePrime") if node.has("curvaturePrime") else node.number("curvatureDot", 0.0)
    start, stop = node.maybe_number("startTime"), node.maybe_number("stopTime")
    if (start is None) != (stop is None):
        raise node.error("startTime and stopTime belong together")
    times = None if start is None or stop is None else (start, stop)
    if times and times[1] <= times[0]:
        raise node.error("stopTime must come after startTime")
    first = read_position(node.one("Position"), reader)
    return ClothoidChain(first, ((curvature, curvature + prime * length, length),), times)


def _spline(node: Node, reader: Reader) -> Shape:
    parts = node.many("ClothoidSplineSegment")
    if not parts:
        raise node.error("a clothoid spline needs segments")
    first = parts[0].maybe("PositionStart")
    if first is None:
        raise parts[0].error("the first segment needs a PositionStart")
    start = read_position(first, reader)
    segments = []
    for i, part in enumerate(parts):
        if i and part.maybe("PositionStart") is not None:
            raise part.error("PositionStart is supported at the first segment only: later ones continue the one before")
        if part.number("hOffset", 0.0) != 0.0:
            raise part.error("hOffset is not supported", remedy="leave it 0")
        segments.append(
            (part.number("curvatureStart"), part.number("curvatureEnd"), part.number("length", minimum=1e-3))
        )
    end, begin = node.maybe_number("timeEnd"), parts[0].maybe_number("timeStart")
    if any(part.has("timeStart") for part in parts[1:]):
        raise node.error("timeStart inside a clothoid spline is not supported", remedy="use a polyline for timed paths")
    times = None if end is None else (begin or 0.0, end)
    return ClothoidChain(start, tuple(segments), times)


def _nurbs(node: Node, reader: Reader) -> Shape:
    order = node.integer("order", minimum=2)
    controls, knots = node.many("ControlPoint"), tuple(k.number("value") for k in node.many("Knot"))
    if len(controls) < order or len(knots) != len(controls) + order:
        raise node.error(f"needs at least order={order} control points and exactly control points + order knots")
    if any(b < a for a, b in pairwise(knots)):
        raise node.error("knots must not decrease")
    weights = tuple(c.number("weight", 1.0, minimum=1e-9) for c in controls)
    points = tuple(read_position(c.one("Position"), reader) for c in controls)
    return Nurbs(order, points, weights, knots, _times(controls))


SHAPES: dict[str, Callable[[Node, Reader], Shape]] = {
    "Polyline": _polyline,
    "Clothoid": _clothoid,
    "ClothoidSpline": _spline,
    "Nurbs": _nurbs,
}


def read_trajectory(node: Node, reader: Reader) -> Trajectory:
    """Read ``Trajectory``."""
    with_parameters = reader.declare(node)
    child, read = with_parameters.one("Shape").pick(SHAPES, "trajectory shape")
    place = f"{node.file}:{node.line}"
    return Trajectory(node.text("name"), node.boolean("closed"), read(child, reader), place)

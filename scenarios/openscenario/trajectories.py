"""Trajectories and their shapes as written: polyline, clothoid, clothoid spline, NURBS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from scenarios.openscenario.curves import Curve, clothoids, nurbs, polyline
from scenarios.openscenario.looks import Written
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions import Position, read_position
from scenarios.openscenario.states import Pose

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


class Shape(Protocol):
    """A trajectory's shape as written."""

    @property
    def timed(self) -> bool:
        """Whether its points carry times."""
        ...

    def curve(self, world: World, closed: bool, start: Pose | None) -> Curve:
        """Return the curve, its positions resolved now; ``start`` is where one begins that does not say where."""
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

    def curve(self, world: World, start: Pose | None = None) -> Curve:
        """Return its curve now; OpenScenarioError when a point of it does not exist.

        Args:
            world: where its positions are resolved.
            start: where a shape begins that gives no position of its own: that of the entity that follows it.
        """
        return self.shape.curve(world, self.closed, start)

    def entities(self) -> tuple[str, ...]:
        """Return the entities its points are relative to."""
        return tuple(name for position in self.shape.positions() for name in position.entities())


@dataclass(frozen=True, slots=True)
class Vertex:
    """``Vertex``: a place, and which of its heading, pitch and roll the file writes."""

    position: Position
    written: tuple[bool, bool, bool] = (False, False, False)

    def looks(self, pose: Pose) -> Written:
        """Return what is written, from the vertex's pose in the world."""
        heading, pitch, roll = self.written
        return Written(pose.heading if heading else None, pose.pitch if pitch else None, pose.roll if roll else None)


@dataclass(frozen=True, slots=True)
class Polyline:
    """``Polyline``."""

    vertices: tuple[Vertex, ...]
    times: tuple[float, ...] | None

    @property
    def timed(self) -> bool:
        """Whether its vertices carry times that grow."""
        return self.times is not None

    def curve(self, world: World, closed: bool, start: Pose | None) -> Curve:
        """Return the curve."""
        poses = [v.position.resolve(world).pose for v in self.vertices]
        written = [v.looks(pose) for v, pose in zip(self.vertices, poses)]
        return polyline(np.array([p.location for p in poses]), self.times, world.roads.height, closed, written)

    def positions(self) -> tuple[Position, ...]:
        """Return its vertices' places."""
        return tuple(vertex.position for vertex in self.vertices)


@dataclass(frozen=True, slots=True)
class Segment:
    """A clothoid: curvatures (1/m) at its start and end, length (m), and how it joins the one before.

    ``turn`` radians are added to the heading it starts with; ``position`` is where it starts instead of the end of the
    one before; ``time`` is when (seconds).
    """

    begin: float
    end: float
    length: float
    turn: float = 0.0
    position: Position | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True)
class ClothoidChain:
    """``Clothoid`` and ``ClothoidSpline``; ``stop`` is the time at the end of the last segment."""

    segments: tuple[Segment, ...]
    stop: float | None

    @property
    def timed(self) -> bool:
        """Whether start and end carry times."""
        return self.stop is not None

    def curve(self, world: World, closed: bool, start: Pose | None) -> Curve:
        """Return the curve; one whose first segment has no position starts where the entity is."""
        parts: list[tuple[Pose | None, float, float, float]] = []
        for i, segment in enumerate(self.segments):
            pose = segment.position.resolve(world).pose if segment.position is not None else None
            if pose is None and i == 0:
                if start is None:
                    raise ValueError("a clothoid without a start position needs an entity that follows it")
                pose = start
            if pose is not None:
                pose = replace(pose, heading=pose.heading + segment.turn)
            parts.append((pose, segment.turn, segment.begin, segment.end))
        lengths = [segment.length for segment in self.segments]
        return clothoids(parts, lengths, self._knots(lengths), world.roads.height)

    def _knots(self, lengths: list[float]) -> tuple[list[float], list[float]] | None:
        """Return the times that are given, and the metres along the chain at which they hold."""
        if self.stop is None:
            return None
        times, at, done = [], [], 0.0
        for segment, length in zip(self.segments, lengths):
            time = segment.time if done or segment.time is not None else 0.0
            if time is not None:
                times.append(time)
                at.append(done)
            done += length
        return [*times, self.stop], [*at, done]

    def positions(self) -> tuple[Position, ...]:
        """Return the starts that are given."""
        return tuple(s.position for s in self.segments if s.position is not None)


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

    def curve(self, world: World, closed: bool, start: Pose | None) -> Curve:
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
    return Polyline(tuple(_vertex(v.one("Position"), reader) for v in vertices), _times(vertices))


def _vertex(node: Node, reader: Reader) -> Vertex:
    position = read_position(node, reader)
    inner = node.only()
    holder = inner if inner.tag == "WorldPosition" else inner.maybe("Orientation")
    if holder is None:
        return Vertex(position)
    return Vertex(position, (holder.has("h"), holder.has("p"), holder.has("r")))


def _clothoid(node: Node, reader: Reader) -> Shape:
    curvature, length = node.number("curvature"), node.number("length", minimum=1e-3)
    # curvatureDot is 1.0's name of curvaturePrime.
    prime = node.number("curvaturePrime") if node.has("curvaturePrime") else node.number("curvatureDot", 0.0)
    start, stop = node.maybe_number("startTime"), node.maybe_number("stopTime")
    if (start is None) != (stop is None):
        raise node.error("startTime and stopTime belong together")
    if start is not None and stop is not None and stop <= start:
        raise node.error("stopTime must come after startTime")
    position = node.maybe("Position")
    first = None if position is None else read_position(position, reader)
    return ClothoidChain((Segment(curvature, curvature + prime * length, length, 0.0, first, start),), stop)


def _spline(node: Node, reader: Reader) -> Shape:
    parts = node.many("ClothoidSplineSegment")
    if not parts:
        raise node.error("a clothoid spline needs segments")
    segments = []
    for part in parts:
        position = part.maybe("PositionStart")
        segments.append(Segment(
            part.number("curvatureStart"), part.number("curvatureEnd"), part.number("length", minimum=1e-3),
            part.number("hOffset", 0.0), None if position is None else read_position(position, reader),
            part.maybe_number("timeStart", minimum=0.0),
        ))  # fmt: skip
    end = node.maybe_number("timeEnd")
    times = [segment.time for segment in segments if segment.time is not None] + ([] if end is None else [end])
    if end is None and times:
        raise node.error("timeStart of segments needs the spline's timeEnd")
    if any(b <= a for a, b in pairwise(times)):
        raise node.error("the times of a clothoid spline must grow")
    return ClothoidChain(tuple(segments), end)


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
    return Trajectory(node.label("name"), node.boolean("closed"), read(child, reader), place)

"""What a position is, and the registry of all kinds of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.roads import Roads, Track
from scenarios.openscenario.states import Pose

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class Placement:
    """A resolved position: a pose, and the lane it was given on, if any."""

    pose: Pose
    track: Track | None = None


class Position(Protocol):
    """A position as written; it is resolved against the world at the moment it is used."""

    def resolve(self, world: World) -> Placement:
        """Return where it is now; OpenScenarioError when the place does not exist."""
        ...

    def entities(self) -> tuple[str, ...]:
        """Return the entities it is relative to."""
        ...


@dataclass(frozen=True, slots=True)
class Orientation:
    """``Orientation``: angles in radians, absolute or relative to the reference of the position."""

    heading: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    relative: bool = True

    def on(self, pose: Pose) -> Pose:
        """Return ``pose`` (whose angles are the reference's) with this orientation."""
        if not self.relative:
            return Pose(pose.x, pose.y, pose.z, self.heading, self.pitch, self.roll)
        return Pose(pose.x, pose.y, pose.z, pose.heading + self.heading, pose.pitch + self.pitch, pose.roll + self.roll)


def read_orientation(node: Node, default: Orientation | None = None) -> Orientation:
    """Read the optional ``Orientation`` child; without one the entity is aligned with the position's reference.

    The default type is absolute, as the standard says. Absent angles of an absolute orientation are 0.
    """
    child = node.maybe("Orientation")
    if child is None:
        return default or Orientation()
    kind = child.choice("type", ("absolute", "relative"), "absolute")
    angles = (child.number("h", 0.0), child.number("p", 0.0), child.number("r", 0.0))
    if any(math.isinf(a) for a in angles):
        raise child.error("angles must be finite")
    return Orientation(*angles, relative=kind == "relative")


PositionReader = Callable[[Node, "Reader"], Position]
POSITIONS: dict[str, PositionReader] = {}


def position(tag: str) -> Callable[[PositionReader], PositionReader]:
    """Register the reader of a kind of position; two of one name are an error at import."""

    def add(reader: PositionReader) -> PositionReader:
        if tag in POSITIONS:
            raise ValueError(f"position {tag} is registered twice")
        POSITIONS[tag] = reader
        return reader

    return add


def check_on_road(node: Node, reader: Reader, road_id: str, s: float, check: Callable[[Roads], object]) -> None:
    """Have a place on a road checked against the network.

    Nobody is put beyond the end of a road; elsewhere (places to reach, waypoints) an s beyond it is noted and means it.
    """
    placing = any(outer.tag in ("TeleportAction", "AddEntityAction") for outer in node.element.iterancestors())

    def look(roads: Roads) -> None:
        length = roads.network.road(road_id).length
        if s > length + 1e-3:
            if placing:
                raise ValueError(f"road {road_id} is {length:.3f} m long, s={s:g} is not on it")
            reader.note(node, f"s={s:g} is beyond the end of road {road_id} and is taken as its end")
        check(roads)

    reader.on_network(node, look)


def read_position(parent: Node, reader: Reader) -> Position:
    """Read an element of type Position (``Position``, ``TargetPosition``, ...)."""
    child, read = parent.pick(POSITIONS, "position")
    return read(child, reader)

"""RelativeWorldPosition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Orientation, Placement, position, read_orientation

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class RelativeWorldPosition:
    """An entity's place, shifted along the world's axes."""

    entity: str
    dx: float
    dy: float
    dz: float
    orientation: Orientation

    def resolve(self, world: World) -> Placement:
        """Return the pose, whose orientation is relative to the entity's."""
        pose = world.pose(self.entity)
        shifted = pose.moved(pose.x + self.dx, pose.y + self.dy, pose.z + self.dz)
        return Placement(self.orientation.on(shifted))

    def entities(self) -> tuple[str, ...]:
        """The entity it is relative to."""
        return (self.entity,)


@position("RelativeWorldPosition")
def read(node: Node, reader: Reader) -> RelativeWorldPosition:
    """Read ``RelativeWorldPosition``."""
    return RelativeWorldPosition(
        reader.entity(node), node.number("dx"), node.number("dy"), node.number("dz", 0.0), read_orientation(node)
    )

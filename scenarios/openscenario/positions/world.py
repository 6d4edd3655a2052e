"""WorldPosition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Placement, position
from scenarios.openscenario.states import Pose

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class WorldPosition:
    """A pose in the world's frame; an absent z (None) means on the road below or above."""

    x: float
    y: float
    z: float | None
    heading: float
    pitch: float
    roll: float

    def resolve(self, world: World) -> Placement:
        """Return the pose; its z is the road's where none is given."""
        z = world.roads.height(self.x, self.y) if self.z is None else self.z
        return Placement(Pose(self.x, self.y, z, self.heading, self.pitch, self.roll))

    def entities(self) -> tuple[str, ...]:
        """None."""
        return ()


@position("WorldPosition")
def read(node: Node, reader: Reader) -> WorldPosition:
    """Read ``WorldPosition``."""
    return WorldPosition(
        node.number("x"), node.number("y"), node.maybe_number("z"),
        node.number("h", 0.0), node.number("p", 0.0), node.number("r", 0.0),
    )  # fmt: skip

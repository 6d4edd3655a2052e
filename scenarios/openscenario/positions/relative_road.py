"""RelativeRoadPosition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Orientation, Placement, position, read_orientation

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class RelativeRoadPosition:
    """An entity's place, shifted along the road's s and t. Its orientation is relative to the direction of s."""

    entity: str
    ds: float
    dt: float
    orientation: Orientation

    def resolve(self, world: World) -> Placement:
        """Return the pose; a shift beyond the end of the road goes on along the roads connected to it."""
        road_id, s, t = world.roads.shifted(world.track(self.entity), self.ds, self.dt)
        pose = self.orientation.on(world.roads.road_pose(road_id, s, t))
        return Placement(pose, world.roads.track_at(road_id, s, t, pose.heading))

    def entities(self) -> tuple[str, ...]:
        """The entity it is relative to."""
        return (self.entity,)


@position("RelativeRoadPosition")
def read(node: Node, reader: Reader) -> RelativeRoadPosition:
    """Read ``RelativeRoadPosition``."""
    return RelativeRoadPosition(reader.entity(node), node.number("ds"), node.number("dt"), read_orientation(node))

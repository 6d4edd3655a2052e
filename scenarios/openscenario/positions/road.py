"""RoadPosition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Orientation, Placement, check_on_road, position, read_orientation
from scenarios.openscenario.roads import Roads
from scenarios.openscenario.states import Pose

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class RoadPosition:
    """A place in a road's (s, t). Its orientation is relative to the direction of s."""

    road_id: str
    s: float
    t: float
    orientation: Orientation

    def resolve(self, world: World) -> Placement:
        """Return the pose on the road."""
        pose = self.orientation.on(self._pose(world.roads))
        s = world.roads.fitted(self.road_id, self.s)
        return Placement(pose, world.roads.track_at(self.road_id, s, self.t, pose.heading))

    def _pose(self, roads: Roads) -> Pose:
        return roads.road_pose(self.road_id, roads.fitted(self.road_id, self.s), self.t)

    def entities(self) -> tuple[str, ...]:
        """None."""
        return ()


@position("RoadPosition")
def read(node: Node, reader: Reader) -> RoadPosition:
    """Read ``RoadPosition``."""
    placed = RoadPosition(node.text("roadId"), node.number("s"), node.number("t"), read_orientation(node))
    check_on_road(node, reader, placed.road_id, placed.s, placed._pose)
    return placed

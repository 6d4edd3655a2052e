"""LanePosition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Orientation, Placement, position, read_orientation

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class LanePosition:
    """A place on a lane. Its orientation is relative to the lane's driving direction; ``offset`` is positive to the
    left of s."""

    road_id: str
    lane_id: int
    s: float
    offset: float
    orientation: Orientation

    def resolve(self, world: World) -> Placement:
        """Return the pose on the lane."""
        track = world.roads.lane_track(self.road_id, self.lane_id, self.s, self.offset)
        pose = self.orientation.on(world.roads.pose(track))
        return Placement(pose, world.roads.aligned(track, pose.heading))

    def entities(self) -> tuple[str, ...]:
        """None."""
        return ()


@position("LanePosition")
def read(node: Node, reader: Reader) -> LanePosition:
    """Read ``LanePosition``."""
    placed = LanePosition(
        node.text("roadId"),
        node.integer("laneId"),
        node.number("s"),
        node.number("offset", 0.0),
        read_orientation(node),
    )
    reader.on_network(node, lambda roads: roads.lane_track(placed.road_id, placed.lane_id, placed.s, placed.offset))
    return placed

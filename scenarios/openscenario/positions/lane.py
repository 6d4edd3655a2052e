"""LanePosition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Orientation, Placement, check_on_road, position, read_orientation
from scenarios.openscenario.roads import Roads, Track

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
        track = self._track(world.roads)
        pose = self.orientation.on(world.roads.pose(track))
        return Placement(pose, world.roads.aligned(track, pose.heading))

    def _track(self, roads: Roads) -> Track:
        return roads.lane_track(self.road_id, self.lane_id, roads.fitted(self.road_id, self.s), self.offset)

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
    check_on_road(node, reader, placed.road_id, placed.s, placed._track)
    return placed

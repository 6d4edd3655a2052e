"""RelativeLanePosition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Orientation, Placement, position, read_orientation

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class RelativeLanePosition:
    """A place on a lane counted from an entity's lane.

    ``lanes`` and ``distance`` are seen from the entity: lanes to its left and metres ahead of it are positive.
    ``along`` says whether the metres are measured along the reference line (``ds``) or along the lane (``dsLane``).
    """

    entity: str
    lanes: int
    distance: float
    along: str
    offset: float
    orientation: Orientation

    def resolve(self, world: World) -> Placement:
        """Return the pose on that lane, aligned with the lane's driving direction."""
        roads = world.roads
        start = world.track(self.entity)
        lane_id = roads.relative_lane(start, self.lanes)
        if self.along == "ds":
            road_id, s, _ = roads.shifted(start, self.distance * start.direction, 0.0)
            if road_id == start.road_id:
                track = roads.lane_track(road_id, lane_id, s, self.offset)
                pose = self.orientation.on(roads.pose(track))
                return Placement(pose, roads.aligned(track, pose.heading))
        beside = roads.with_lane(start, lane_id, 0.0)
        moved, done = roads.advance(beside, self.distance)
        if abs(done - self.distance) > 0.01:
            raise ValueError(f"the lane ends {abs(self.distance - done):.1f} m before the position")
        track = roads.lane_track(moved.road_id, moved.lane_id, moved.s, self.offset)
        pose = self.orientation.on(roads.pose(track))
        return Placement(pose, roads.aligned(track, pose.heading))

    def entities(self) -> tuple[str, ...]:
        """The entity it is relative to."""
        return (self.entity,)


@position("RelativeLanePosition")
def read(node: Node, reader: Reader) -> RelativeLanePosition:
    """Read ``RelativeLanePosition``."""
    if node.has("ds") and node.has("dsLane"):
        raise node.error("ds and dsLane exclude each other")
    along = "dsLane" if node.has("dsLane") else "ds"
    return RelativeLanePosition(
        reader.entity(node), node.integer("dLane"), node.number(along, 0.0), along,
        node.number("offset", 0.0), read_orientation(node),
    )  # fmt: skip

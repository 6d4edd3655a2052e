"""RelativeLanePosition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Orientation, Placement, position, read_orientation

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.roads import Roads
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class RelativeLanePosition:
    """A place on a lane counted from an entity's lane.

    ``along`` says how. ``ds`` is told in the road's terms: metres along the reference line with growing s, lanes and
    offset to the left of s, headings counted from the direction of s, whichever way the entity goes. ``dsLane`` is told
    in the lane's: metres along its centre in the direction in which its traffic drives, lanes and offset to the left of
    that.
    """

    entity: str
    lanes: int
    distance: float
    along: str
    offset: float
    orientation: Orientation

    def resolve(self, world: World) -> Placement:
        """Return the pose on that lane, headed along s (``ds``) or with the lane's traffic (``dsLane``)."""
        roads = world.roads
        here = world.track(self.entity)
        start = roads.along_road(here) if self.along == "ds" or here.lane_id == 0 else roads.along_lane(here)
        lane_id = roads.relative_lane(start, self.lanes)
        offset = self.offset * start.direction
        if self.along == "ds":
            road_id, s, _ = roads.shifted(start, self.distance, 0.0)
            if road_id == start.road_id:
                return self._on(roads, road_id, lane_id, s, offset)
        beside = roads.with_lane(start, lane_id, 0.0)
        moved, done = roads.advance(beside, self.distance)
        if abs(done - self.distance) > 0.01:
            raise ValueError(f"the lane ends {abs(self.distance - done):.1f} m before the position")
        flip = moved.direction * start.direction
        return self._on(roads, moved.road_id, moved.lane_id, moved.s, offset * flip)

    def _on(self, roads: Roads, road_id: str, lane_id: int, s: float, offset: float) -> Placement:
        track = roads.lane_track(road_id, lane_id, s, offset)
        track = roads.along_road(track) if self.along == "ds" else track
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

"""RoutePosition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Orientation, Placement, position, read_orientation

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.routes import RouteRecord
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class RoutePosition:
    """A place along a route: ``path_s`` metres from its start, on a lane or at a lateral distance, or where an entity
    is."""

    route: RouteRecord
    orientation: Orientation
    path_s: float = 0.0
    lane_id: int | None = None
    offset: float = 0.0
    t: float | None = None
    entity: str | None = None

    def resolve(self, world: World) -> Placement:
        """Return the pose, aligned with the route's direction (road coordinates) or the lane's driving direction."""
        roads = world.roads
        if self.entity is not None:
            track = world.track(self.entity)
            pose = self.orientation.on(roads.pose(track))
            return Placement(pose, roads.aligned(track, pose.heading))
        at = self.route.path(world).at(self.path_s)
        if self.lane_id is not None:
            track = roads.lane_track(at.road_id, self.lane_id, at.s, self.offset)
            pose = self.orientation.on(roads.pose(track))
            return Placement(pose, roads.aligned(track, pose.heading))
        # t grows to the left of the reference line, whichever way the route runs along it.
        pose = roads.road_pose(at.road_id, at.s, self.t or 0.0)
        if at.direction < 0:
            pose = roads.turned(pose)
        pose = self.orientation.on(pose)
        return Placement(pose, roads.track_at(at.road_id, at.s, self.t or 0.0, pose.heading))

    def entities(self) -> tuple[str, ...]:
        """The entity whose place it is, if any."""
        return () if self.entity is None else (self.entity,)


@position("RoutePosition")
def read(node: Node, reader: Reader) -> RoutePosition:
    """Read ``RoutePosition``."""
    route = reader.route(node.one("RouteRef"))
    orientation = read_orientation(node)
    place = node.one("InRoutePosition").only()
    if place.tag == "FromCurrentEntity":
        return RoutePosition(route, orientation, entity=reader.entity(place))
    if place.tag == "FromRoadCoordinates":
        return RoutePosition(route, orientation, place.number("pathS", minimum=0.0), t=place.number("t"))
    if place.tag == "FromLaneCoordinates":
        return RoutePosition(
            route, orientation, place.number("pathS", minimum=0.0), place.integer("laneId"),
            place.number("laneOffset", 0.0),
        )  # fmt: skip
    raise place.error("unknown kind of route position")

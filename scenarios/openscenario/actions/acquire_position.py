"""AcquirePositionAction."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import LATERAL, Activity, private_action
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions import Position, read_position
from scenarios.openscenario.roads import Track
from scenarios.openscenario.states import Pose

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class AcquirePosition:
    """Sends the entity to a position: along the shortest way on the roads, or straight where either is off them.

    The route is given up when the entity arrives. Its speed stays with the longitudinal domain.
    """

    position: Position
    domains: ClassVar[frozenset[str]] = LATERAL

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        goal = self.position.resolve(world)
        track = goal.track or world.roads.locate(goal.pose, reach_m=3.0)
        if entity.track is not None and track is not None and entity.is_vehicle:
            entity.route = world.roads.route([entity.track, track])
            return _Drive(track)
        return _Straight(goal.pose)


class _Drive(Activity):
    """Keeps the lane and the route until the goal is reached."""

    def __init__(self, goal: Track) -> None:
        super().__init__()
        self._goal = goal

    def shift(self, entity: Entity, world: World, dt_s: float, distance: float) -> float:
        """See :class:`Activity`."""
        assert entity.track is not None
        if entity.track.road_id == self._goal.road_id:
            left = (self._goal.s - entity.track.s) * entity.track.direction
            if left <= distance + 1e-9:
                self.done = True
                entity.route = None
        return entity.track.offset


class _Straight(Activity):
    leaves_lanes: ClassVar[bool] = True

    def __init__(self, goal: Pose) -> None:
        super().__init__()
        self._goal = goal

    def follow(self, entity: Entity, world: World, dt_s: float, distance: float) -> tuple[Pose, float]:
        """See :class:`Activity`."""
        pose = entity.motion.pose
        dx, dy = self._goal.x - pose.x, self._goal.y - pose.y
        left = math.hypot(dx, dy)
        if left <= distance + 1e-9:
            self.done = True
            return replace(pose, x=self._goal.x, y=self._goal.y, z=self._goal.z), left
        x, y = pose.x + dx / left * distance, pose.y + dy / left * distance
        return Pose(x, y, world.roads.height(x, y), math.atan2(dy, dx)), distance


@private_action("RoutingAction/AcquirePositionAction")
def read(node: Node, reader: Reader) -> AcquirePosition:
    """Read ``AcquirePositionAction``."""
    return AcquirePosition(read_position(node.one("Position"), reader))

"""LongitudinalDistanceAction."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import LONGITUDINAL, Activity, private_action
from scenarios.openscenario.distances import Measure
from scenarios.openscenario.limits import Limits, read_limits
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Placement
from scenarios.openscenario.states import wrap

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


CLOSE_M = 0.1
STIFFNESS = 0.4


@dataclass(frozen=True, slots=True)
class LongitudinalDistance:
    """Reaches a distance (or time gap) to an entity, and keeps it if ``continuous``.

    The standard leaves the way there to the simulator. Without limits the entity is at that distance at once. With
    limits it goes there like a critically damped spring, a = k e - 2 sqrt(k) dv, as stiff as its limits allow:
    k = 0.4 of the acceleration (braking: deceleration) that is permitted, in 1/s^2. A time gap counts at the speed of
    the other, towards which the own speed goes. Not continuous, it ends when the distance is reached.
    """

    entity: str
    distance: float | None
    time_gap: float | None
    measure: Measure
    displacement: str
    continuous: bool
    limits: Limits
    domains: ClassVar[frozenset[str]] = LONGITUDINAL

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        keep = _Keep(self, entity, world)
        if self.limits.unlimited:
            keep.jump(entity, world)
        return None if keep.done else keep


class _Keep(Activity):
    def __init__(self, action: LongitudinalDistance, entity: Entity, world: World) -> None:
        super().__init__()
        self._action = action
        self._acceleration = 0.0
        gap = action.measure.between(world, entity, world.entity(action.entity))
        behind = {"trailingReferencedEntity": True, "leadingReferencedEntity": False}
        self._trailing = behind.get(action.displacement, gap is None or gap.ahead)

    def _error(self, entity: Entity, world: World) -> float | None:
        """Return the metres by which the entity is too far back (positive) or ahead; None when there is no way."""
        action, other = self._action, world.entities[self._action.entity]
        gap = action.measure.between(world, entity, other) if other.present else None
        if gap is None:
            return None
        wanted = action.distance if action.distance is not None else (action.time_gap or 0.0) * abs(other.motion.speed)
        signed = gap.distance if gap.ahead else -gap.distance
        return signed - wanted if self._trailing else signed + wanted

    def jump(self, entity: Entity, world: World) -> None:
        """Be there at once, with the other's speed: nothing limits the way."""
        error = self._error(entity, world)
        if error is None or entity.track is None:
            return
        track, _ = world.roads.advance(entity.track, error, entity.route)
        turned = wrap(entity.motion.pose.heading - world.roads.pose(entity.track).heading)
        pose = world.roads.pose(track)
        lift = entity.motion.pose.z - world.roads.pose(entity.track).z
        old = entity.motion.pose
        pose = replace(pose, z=pose.z + lift, heading=wrap(pose.heading + turned), pitch=old.pitch, roll=old.roll)
        world.place(entity, Placement(pose, track))
        entity.set_speed(world.entities[self._action.entity].motion.speed)
        self.done = not self._action.continuous

    def travel(self, entity: Entity, world: World, dt_s: float) -> tuple[float, float]:
        """See :class:`Activity`."""
        limits, speed = self._action.limits, entity.motion.speed
        error = self._error(entity, world)
        if error is None:
            return speed * dt_s, speed
        reference = world.entities[self._action.entity].motion.speed
        if limits.unlimited:
            # Places are one step apart: the other's at the end of this step is not known yet, so its speed is used.
            return error + reference * dt_s, reference
        if not self._action.continuous and abs(error) < CLOSE_M:
            self.done = True
        stiffness = STIFFNESS * (limits.acceleration if error < 0.0 else limits.deceleration)
        if math.isinf(stiffness):
            stiffness = STIFFNESS * min(limits.acceleration, limits.deceleration)
        wanted = stiffness * error - 2.0 * math.sqrt(stiffness) * (speed - reference)
        self._acceleration = limits.eased(self._acceleration, wanted, dt_s)
        new = min(max(speed + self._acceleration * dt_s, -limits.speed), limits.speed)
        return 0.5 * (speed + new) * dt_s, new


@private_action("LongitudinalAction/LongitudinalDistanceAction")
def read(node: Node, reader: Reader) -> LongitudinalDistance:
    """Read ``LongitudinalDistanceAction``."""
    distance, gap = node.maybe_number("distance", minimum=0.0), node.maybe_number("timeGap", minimum=0.0)
    if (distance is None) == (gap is None):
        raise node.error("exactly one of distance and timeGap is needed")
    system = node.choice("coordinateSystem", ("entity", "lane", "road"), "entity")
    displacements = ("any", "trailingReferencedEntity", "leadingReferencedEntity")
    return LongitudinalDistance(
        reader.entity(node), distance, gap, Measure(system, "longitudinal", node.boolean("freespace")),
        node.choice("displacement", displacements, "trailingReferencedEntity"),
        node.boolean("continuous"), read_limits(node.maybe("DynamicConstraints")),
    )  # fmt: skip

"""LongitudinalDistanceAction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import LONGITUDINAL, Activity, private_action
from scenarios.openscenario.distances import Measure
from scenarios.openscenario.limits import Limits, read_limits
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


CLOSE_M = 0.05
CLOSE_MPS = 0.05


@dataclass(frozen=True, slots=True)
class LongitudinalDistance:
    """Reaches a distance (or time gap) to an entity, and keeps it if ``continuous``.

    The standard leaves the way there to the simulator. Without limits the distance is reached within one step. With
    limits the entity closes the gap with the speed from which it can still brake: v = v_ref + sqrt(2 b |e|).
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
        return _Keep(self, entity, world)


class _Keep(Activity):
    def __init__(self, action: LongitudinalDistance, entity: Entity, world: World) -> None:
        super().__init__()
        self._action = action
        self._acceleration = 0.0
        gap = action.measure.between(world, entity, world.entity(action.entity))
        behind = {"trailingReferencedEntity": True, "leadingReferencedEntity": False}
        self._trailing = behind.get(action.displacement, gap is None or gap.ahead)

    def travel(self, entity: Entity, world: World, dt_s: float) -> tuple[float, float]:
        """See :class:`Activity`."""
        action, limits, speed = self._action, self._action.limits, entity.motion.speed
        other = world.entities[action.entity]
        gap = action.measure.between(world, entity, other) if other.present else None
        if gap is None:
            return speed * dt_s, speed
        # Places are one step apart: the other's place at the end of this step is not known yet, so its speed is used.
        wanted = action.distance if action.distance is not None else (action.time_gap or 0.0) * speed
        signed = gap.distance if gap.ahead else -gap.distance
        goal = signed - wanted if self._trailing else signed + wanted
        reference = other.motion.speed
        if limits.unlimited:
            distance = max(0.0, goal + reference * dt_s)
            settled = action.time_gap is None
            new = reference if settled else max(0.0, reference + goal / max(action.time_gap or 1.0, dt_s))
            self._finish(abs(goal), abs(speed - reference))
            return (distance if settled else 0.5 * (speed + new) * dt_s), new
        brake = min(limits.deceleration, limits.acceleration) * 0.7
        approach = math.copysign(min(math.sqrt(2.0 * brake * abs(goal)), abs(goal) * 1.2), goal)
        aim = min(max(reference + approach, 0.0), limits.speed)
        self._acceleration = limits.step(self._acceleration, (aim - speed) / dt_s, dt_s)
        new = max(0.0, speed + self._acceleration * dt_s)
        self._finish(abs(goal), abs(new - reference))
        return 0.5 * (speed + new) * dt_s, new

    def _finish(self, error: float, difference: float) -> None:
        if not self._action.continuous and error < CLOSE_M and difference < CLOSE_MPS:
            self.done = True


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

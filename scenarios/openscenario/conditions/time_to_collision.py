"""TimeToCollisionCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition, read_rule
from scenarios.openscenario.distances import Measure, read_measure
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import compare
from scenarios.openscenario.positions import Position, read_position

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class TimeToCollision:
    """Compares the distance to an entity or position, divided by the speed at which it shrinks.

    Speeds are taken in the same coordinate system and dimension as the distance, accelerations are ignored. While the
    distance does not shrink there is no time to collision and the condition is false.
    """

    entity: str | None
    position: Position | None
    measure: Measure
    value: float
    rule: str

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        if self.entity is not None:
            other = world.entities[self.entity]
            gap = self.measure.between(world, entity, other) if other.present else None
        else:
            assert self.position is not None
            gap = self.measure.to_position(world, entity, self.position.resolve(world))
        if gap is None or gap.closing <= 1e-6:
            return False
        return compare(self.rule, gap.distance / gap.closing, self.value)


@entity_condition("TimeToCollisionCondition")
def read(node: Node, reader: Reader) -> TimeToCollision:
    """Read ``TimeToCollisionCondition``."""
    target = node.one("TimeToCollisionConditionTarget").only()
    entity = position = None
    if target.tag == "EntityRef":
        entity = reader.entity(target)
    elif target.tag == "Position":
        position = read_position(target, reader)
    else:
        raise target.error("unknown kind of target")
    return TimeToCollision(entity, position, read_measure(node), node.number("value", minimum=0.0), read_rule(node))

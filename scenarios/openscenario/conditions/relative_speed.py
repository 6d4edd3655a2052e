"""RelativeSpeedCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition, read_direction, read_rule
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import compare

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class RelativeSpeed:
    """Compares speed of the triggering entity minus speed of the reference entity; components in the triggering
    entity's frame."""

    entity: str
    value: float
    rule: str
    direction: str

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        other = world.entities[self.entity]
        if not other.present:
            return False
        if not self.direction:
            return compare(self.rule, entity.motion.speed - other.motion.speed, self.value)
        own, its = entity.speed_in(self.direction), entity.component(other.motion.velocity, self.direction)
        return compare(self.rule, own - its, self.value)


@entity_condition("RelativeSpeedCondition")
def read(node: Node, reader: Reader) -> RelativeSpeed:
    """Read ``RelativeSpeedCondition``."""
    return RelativeSpeed(reader.entity(node), node.number("value"), read_rule(node), read_direction(node))

"""AccelerationCondition."""

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
class Acceleration:
    """Compares the entity's acceleration: its magnitude, or one signed component in the entity's own frame."""

    value: float
    rule: str
    direction: str

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        return compare(self.rule, entity.acceleration_in(self.direction), self.value)


@entity_condition("AccelerationCondition")
def read(node: Node, reader: Reader) -> Acceleration:
    """Read ``AccelerationCondition``."""
    return Acceleration(node.number("value"), read_rule(node), read_direction(node))

"""SpeedCondition."""

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
class Speed:
    """Compares the entity's speed: its magnitude, or one signed component in the entity's own frame."""

    value: float
    rule: str
    direction: str

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        return compare(self.rule, entity.speed_in(self.direction), self.value)


@entity_condition("SpeedCondition")
def read(node: Node, reader: Reader) -> Speed:
    """Read ``SpeedCondition``."""
    return Speed(node.number("value"), read_rule(node), read_direction(node))

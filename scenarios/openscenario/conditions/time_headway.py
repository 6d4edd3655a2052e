"""TimeHeadwayCondition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition, read_rule
from scenarios.openscenario.distances import Measure, read_measure
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import compare

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World

STANDSTILL_MPS = 1e-6


@dataclass(frozen=True, slots=True)
class TimeHeadway:
    """Compares the distance to a reference entity ahead, divided by the triggering entity's own speed.

    It has no value, and the condition is false, while the reference is not ahead. While the triggering entity stands it
    is infinite: there is no edge when the entity starts to move with a headway above the value.
    """

    entity: str
    measure: Measure
    value: float
    rule: str

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        other = world.entities[self.entity]
        if not other.present:
            return False
        gap = self.measure.between(world, entity, other)
        if gap is None or not gap.ahead:
            return False
        speed = entity.motion.speed
        return compare(self.rule, gap.distance / speed if speed > STANDSTILL_MPS else math.inf, self.value)


@entity_condition("TimeHeadwayCondition")
def read(node: Node, reader: Reader) -> TimeHeadway:
    """Read ``TimeHeadwayCondition``."""
    return TimeHeadway(reader.entity(node), read_measure(node), node.number("value", minimum=0.0), read_rule(node))

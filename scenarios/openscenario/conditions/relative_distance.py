"""RelativeDistanceCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition, read_rule
from scenarios.openscenario.distances import Measure, read_measure
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import compare

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class RelativeDistance:
    """Compares the distance (never negative) to another entity."""

    entity: str
    measure: Measure
    value: float
    rule: str

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`; a distance that does not exist (no road between) satisfies nothing."""
        other = world.entities[self.entity]
        gap = self.measure.between(world, entity, other) if other.present else None
        return gap is not None and compare(self.rule, gap.distance, self.value)


@entity_condition("RelativeDistanceCondition")
def read(node: Node, reader: Reader) -> RelativeDistance:
    """Read ``RelativeDistanceCondition``."""
    return RelativeDistance(reader.entity(node), read_measure(node), node.number("value", minimum=0.0), read_rule(node))

"""TraveledDistanceCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class TraveledDistance:
    """True when the entity has moved ``value`` metres since this condition was first evaluated."""

    value: float

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        start = memory.setdefault(entity.name, entity.traveled_m)
        return bool(entity.traveled_m - start >= self.value - 1e-9)


@entity_condition("TraveledDistanceCondition")
def read(node: Node, reader: Reader) -> TraveledDistance:
    """Read ``TraveledDistanceCondition``."""
    return TraveledDistance(node.number("value", minimum=0.0))

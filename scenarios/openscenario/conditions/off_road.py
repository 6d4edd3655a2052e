"""OffroadCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class OffRoad:
    """True when the entity's reference point has been outside every road for ``duration`` seconds."""

    duration: float

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        return entity.is_off_road and entity.off_road_s >= self.duration - 1e-9


@entity_condition("OffroadCondition")
def read(node: Node, reader: Reader) -> OffRoad:
    """Read ``OffroadCondition``."""
    return OffRoad(node.number("duration", minimum=0.0))

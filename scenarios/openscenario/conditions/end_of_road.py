"""EndOfRoadCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class EndOfRoad:
    """True when the entity has been at the end of a road without continuation for ``duration`` seconds."""

    duration: float

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        return entity.at_end_of_road and entity.at_end_s >= self.duration - 1e-9


@entity_condition("EndOfRoadCondition")
def read(node: Node, reader: Reader) -> EndOfRoad:
    """Read ``EndOfRoadCondition``."""
    return EndOfRoad(node.number("duration", minimum=0.0))

"""StandStillCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class StandStill:
    """True when the entity has stood for ``duration`` seconds."""

    duration: float

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        return entity.standing_s >= self.duration - 1e-9 and entity.is_standing


@entity_condition("StandStillCondition")
def read(node: Node, reader: Reader) -> StandStill:
    """Read ``StandStillCondition``."""
    return StandStill(node.number("duration", minimum=0.0))

"""CollisionCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class Collision:
    """True while the entity touches the named entity, or any entity of a type."""

    entity: str | None
    type: str | None

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        for other in world.touching(entity.name):
            if other == self.entity or (self.type is not None and world.entities[other].record.kind == self.type):
                return True
        return False


@entity_condition("CollisionCondition")
def read(node: Node, reader: Reader) -> Collision:
    """Read ``CollisionCondition``."""
    child = node.only()
    if child.tag == "EntityRef":
        return Collision(reader.entity(child), None)
    if child.tag == "ByType":
        return Collision(None, child.choice("type", ("vehicle", "pedestrian", "miscellaneous")))
    raise child.error("unknown kind of collision partner")

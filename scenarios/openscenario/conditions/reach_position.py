"""ReachPositionCondition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions import Position, read_position

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class ReachPosition:
    """True within ``tolerance`` metres of a position (deprecated since 1.2 in favour of DistanceCondition)."""

    position: Position
    tolerance: float

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        target = self.position.resolve(world).pose
        pose = entity.motion.pose
        # In the plane: a position without z, and one on a road of another height model, mean the same place.
        return math.hypot(target.x - pose.x, target.y - pose.y) <= self.tolerance + 1e-9


@entity_condition("ReachPositionCondition")
def read(node: Node, reader: Reader) -> ReachPosition:
    """Read ``ReachPositionCondition``."""
    return ReachPosition(read_position(node.one("Position"), reader), node.number("tolerance", minimum=0.0))

"""RelativeAngleCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.states import wrap

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class RelativeAngle:
    """Compares an angle between two entities with a wanted one, within a tolerance; radians."""

    entity: str
    kind: str
    angle: float
    tolerance: float
    system: str

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        pose = entity.motion.pose
        value = float(getattr(pose, self.kind))
        other = world.entities[self.entity]
        if not other.present:
            return False
        value = float(getattr(other.motion.pose, self.kind)) - value
        return abs(wrap(value - self.angle)) <= self.tolerance + 1e-9


@entity_condition("RelativeAngleCondition")
def read(node: Node, reader: Reader) -> RelativeAngle:
    """Read ``RelativeAngleCondition``."""
    return RelativeAngle(
        reader.entity(node), node.choice("angleType", ("heading", "pitch", "roll")), node.number("angle"),
        node.number("angleTolerance", minimum=0.0), node.choice("coordinateSystem", ("entity",), "entity"),
    )  # fmt: skip

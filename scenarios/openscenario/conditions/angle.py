"""AngleCondition."""

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
class Angle:
    """Compares an angle of the entity, to its lane, its road, the trajectory it follows or in the world, with a wanted
    one, within a tolerance; radians. To a trajectory nobody has an angle who follows none: then it is false."""

    kind: str
    angle: float
    tolerance: float
    system: str

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        pose = entity.motion.pose
        value = float(getattr(pose, self.kind))
        if self.system in ("lane", "road"):
            # Who follows a trajectory keeps to no lane, but is on one all the same.
            here = world.lane(entity)
            if here is None:
                return False
            track = world.roads.along_lane(here) if self.system == "lane" else world.roads.along_road(here)
            value -= float(getattr(world.roads.pose(track), self.kind))
        elif self.system == "trajectory":
            along = None if entity.lateral is None else entity.lateral.tangent()
            if along is None:
                return False
            value -= float(getattr(along, self.kind))
        return abs(wrap(value - self.angle)) <= self.tolerance + 1e-9


@entity_condition("AngleCondition")
def read(node: Node, reader: Reader) -> Angle:
    """Read ``AngleCondition``."""
    return Angle(
        node.choice("angleType", ("heading", "pitch", "roll")), node.number("angle"),
        node.number("angleTolerance", minimum=0.0),
        node.choice("coordinateSystem", ("lane", "road", "trajectory", "world"), "world"),
    )  # fmt: skip

"""DistanceCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition, read_rule
from scenarios.openscenario.distances import Measure, read_measure
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import compare
from scenarios.openscenario.positions import Position, read_position

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class Distance:
    """Compares the distance (never negative) to a position."""

    position: Position
    measure: Measure
    value: float
    rule: str

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        gap = self.measure.to_position(world, entity, self.position.resolve(world))
        return gap is not None and compare(self.rule, gap.distance, self.value)


@entity_condition("DistanceCondition")
def read(node: Node, reader: Reader) -> Distance:
    """Read ``DistanceCondition``."""
    return Distance(
        read_position(node.one("Position"), reader), read_measure(node), node.number("value", minimum=0.0),
        read_rule(node),
    )  # fmt: skip

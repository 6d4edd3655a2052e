"""SimulationTimeCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, read_rule, value_condition
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import compare

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class SimulationTime:
    """Compares the seconds since the start of the storyboard."""

    value: float
    rule: str

    def holds(self, world: World, memory: Memory) -> bool:
        """See :class:`ValueCondition`."""
        return compare(self.rule, world.time_s, self.value)


@value_condition("SimulationTimeCondition")
def read(node: Node, reader: Reader) -> SimulationTime:
    """Read ``SimulationTimeCondition``."""
    return SimulationTime(node.number("value"), read_rule(node))

"""TrafficSignalCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, value_condition
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class TrafficSignal:
    """True while a signal of the road network shows a state that the scenario has set."""

    name: str
    state: str

    def holds(self, world: World, memory: Memory) -> bool:
        """See :class:`ValueCondition`."""
        return world.signal_state(self.name) == self.state


@value_condition("TrafficSignalCondition")
def read(node: Node, reader: Reader) -> TrafficSignal:
    """Read ``TrafficSignalCondition``."""
    return TrafficSignal(reader.signal(node), node.text("state"))

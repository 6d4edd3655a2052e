"""TrafficSignalControllerCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, value_condition
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class TrafficSignalController:
    """True while a signal controller is in a phase."""

    name: str
    phase: str

    def holds(self, world: World, memory: Memory) -> bool:
        """See :class:`ValueCondition`."""
        return world.signals.phase(self.name) == self.phase


@value_condition("TrafficSignalControllerCondition")
def read(node: Node, reader: Reader) -> TrafficSignalController:
    """Read ``TrafficSignalControllerCondition``."""
    return TrafficSignalController(*reader.signal_phase(node))

"""TrafficSignalAction: TrafficSignalStateAction and TrafficSignalControllerAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.actions.base import Activity, global_action
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.signals import color_of

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class SetSignal:
    """Sets a traffic signal."""

    name: str
    state: str

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        world.signals.set_state(self.name, self.state)
        world.port.set_signals({self.name: self.state})
        return None


@dataclass(frozen=True, slots=True)
class SetPhase:
    """Puts a signal controller at the start of a phase."""

    name: str
    phase: str

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        world.signals.set_phase(self.name, self.phase)
        world.port.set_signals(world.signals.states)
        return None


@global_action("InfrastructureAction/TrafficSignalAction")
def read(node: Node, reader: Reader) -> SetSignal | SetPhase:
    """Read ``TrafficSignalAction``."""
    child = node.only()
    if child.tag == "TrafficSignalStateAction":
        state = child.text("state")
        try:
            color_of(state)
        except ValueError as error:
            raise child.error(str(error), remedy="use red, yellow, green, off, or a list like on;off;off") from None
        return SetSignal(reader.signal(child), state)
    if child.tag == "TrafficSignalControllerAction":
        return SetPhase(*reader.signal_phase(child))
    raise child.error("unknown kind of signal action")

"""SetMonitorAction: sets a truth value of the scenario's own, for whoever evaluates the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.actions.base import Activity, global_action
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class SetMonitor:
    """Sets a monitor; :attr:`Execution.monitors` shows it."""

    name: str
    value: bool

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        world.monitors[self.name] = self.value
        return None


@global_action("SetMonitorAction")
def read(node: Node, reader: Reader) -> SetMonitor:
    """Read ``SetMonitorAction``."""
    name = node.text("monitorRef")
    if name not in reader.monitors:
        raise node.error(f"monitor {name!r} is not declared", remedy="add it to MonitorDeclarations")
    return SetMonitor(name, node.boolean("value"))

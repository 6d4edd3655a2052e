"""EnvironmentAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.actions.base import Activity, global_action
from scenarios.openscenario.environment import Environment, read_environment
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class EnvironmentAction:
    """Sets weather, road condition and time of day, as far as the environment names them."""

    environment: Environment

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        change = self.environment
        world.environment = world.environment.updated(change)
        if change.time_of_day is not None:
            world.set_clock(change.time_of_day, change.time_runs)
        world.port.set_environment(world.environment)
        return None


@global_action("EnvironmentAction")
def read(node: Node, reader: Reader) -> EnvironmentAction:
    """Read ``EnvironmentAction``."""
    child = node.only()
    if child.tag == "CatalogReference":
        return EnvironmentAction(read_environment(reader.catalogs.open(child, "Environment")))
    if child.tag == "Environment":
        return EnvironmentAction(read_environment(reader.declare(child)))
    raise child.error("unknown kind of environment")

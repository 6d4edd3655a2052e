"""VisibilityAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import NO_DOMAIN, Activity, private_action
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class Visibility:
    """Shows or hides the entity to cameras, to other traffic and to sensors."""

    graphics: bool
    traffic: bool
    sensors: bool
    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        world.port.set_visibility(entity.name, self.graphics, self.traffic, self.sensors)
        return None


@private_action("VisibilityAction")
def read(node: Node, reader: Reader) -> Visibility:
    """Read ``VisibilityAction``."""
    if (sensors := node.maybe("SensorReferenceSet")) is not None:
        raise sensors.error("visibility for single sensors is not supported", remedy="leave it out")
    return Visibility(node.boolean("graphics"), node.boolean("traffic"), node.boolean("sensors"))

"""TeleportAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import NO_DOMAIN, Activity, private_action
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions import Position, read_position

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class Teleport:
    """Puts the entity at a position at once; running actions of its domains go on from there."""

    position: Position
    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        world.place(entity, self.position.resolve(world))
        return None


@private_action("TeleportAction")
def read(node: Node, reader: Reader) -> Teleport:
    """Read ``TeleportAction``."""
    return Teleport(read_position(node.one("Position"), reader))

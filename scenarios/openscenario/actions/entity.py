"""EntityAction: AddEntityAction and DeleteEntityAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.actions.base import Activity, global_action
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions import Position, read_position

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class AddEntity:
    """Brings an entity into the world at a position; has no effect on one that is there already."""

    entity: str
    position: Position

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        entity = world.entities[self.entity]
        if entity.present:
            world.notes.append(f"{world.time_s:.3f} s: {self.entity} is in the world already, adding it has no effect")
        else:
            world.place(entity, self.position.resolve(world))
        return None


@dataclass(frozen=True, slots=True)
class DeleteEntity:
    """Takes an entity out of the world."""

    entity: str

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        world.remove(world.entities[self.entity])
        return None


@global_action("EntityAction")
def read(node: Node, reader: Reader) -> AddEntity | DeleteEntity:
    """Read ``EntityAction``."""
    name = reader.entity(node)
    child = node.only()
    if child.tag == "AddEntityAction":
        return AddEntity(name, read_position(child.one("Position"), reader))
    if child.tag == "DeleteEntityAction":
        return DeleteEntity(name)
    raise child.error("unknown kind of entity action")

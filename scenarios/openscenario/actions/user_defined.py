"""UserDefinedAction: CustomCommandAction, a command that belongs to whoever runs the scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.actions.base import Activity
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World

USER_ACTIONS = ("CustomCommandAction",)


@dataclass(frozen=True, slots=True)
class CustomCommand:
    """Hands a command to the handler of its type; one that nobody handles is noted and ends at once.

    Handlers are given to :class:`Execution` by type. They get the world and the command's text, and return an
    :class:`Activity` when the command takes time.
    """

    type: str
    content: str

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        handler = world.commands.get(self.type)
        if handler is None:
            world.notes.append(f"{world.time_s:.3f} s: nobody handles commands of type {self.type!r}")
            return None
        return handler(world, self.content)


class Nothing:
    """An action that does nothing: ``<Action>`` without content, which files use as a mark in time."""

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        return None


def read_user_defined(node: Node, reader: Reader) -> CustomCommand:
    """Read ``UserDefinedAction``."""
    child = node.one("CustomCommandAction")
    return CustomCommand(child.text("type"), child.content())

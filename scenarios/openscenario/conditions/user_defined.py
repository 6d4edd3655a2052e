"""UserDefinedValueCondition: a value that whoever runs the scenario sets from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, read_rule, value_condition
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import compare_texts

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class UserDefinedValue:
    """Compares the value set by :meth:`Execution.set_user_value`, as numbers where both are; false before it is set."""

    name: str
    value: str
    rule: str

    def holds(self, world: World, memory: Memory) -> bool:
        """See :class:`ValueCondition`."""
        current = world.user_values.get(self.name)
        return current is not None and compare_texts(self.rule, "string", current, self.value)


@value_condition("UserDefinedValueCondition")
def read(node: Node, reader: Reader) -> UserDefinedValue:
    """Read ``UserDefinedValueCondition``."""
    reader.note(node, "is false until Execution.set_user_value gives the value")
    return UserDefinedValue(node.text("name"), node.text("value"), read_rule(node))

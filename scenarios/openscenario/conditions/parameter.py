"""ParameterCondition and VariableCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, read_rule, value_condition
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import compare_texts, type_problem

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class NamedValue:
    """Compares the present value of a parameter or variable, by its declared type."""

    name: str
    value: str
    rule: str
    where: str

    def holds(self, world: World, memory: Memory) -> bool:
        """See :class:`ValueCondition`."""
        current = (world.parameters if self.where == "parameter" else world.variables)[self.name]
        return compare_texts(self.rule, current.type, current.text, self.value)


def _read(node: Node, reader: Reader, where: str) -> NamedValue:
    declared = reader.parameter(node) if where == "parameter" else reader.variable(node)
    condition = NamedValue(declared.name, node.text("value"), read_rule(node), where)
    if problem := type_problem(declared.type, condition.value):
        raise node.error(f"value {condition.value!r} {problem}")
    return condition


@value_condition("ParameterCondition")
def read_parameter(node: Node, reader: Reader) -> NamedValue:
    """Read ``ParameterCondition``."""
    return _read(node, reader, "parameter")


@value_condition("VariableCondition")
def read_variable(node: Node, reader: Reader) -> NamedValue:
    """Read ``VariableCondition``."""
    return _read(node, reader, "variable")

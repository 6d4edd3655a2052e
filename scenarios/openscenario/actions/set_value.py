"""ParameterAction and VariableAction: set, add, multiply."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scenarios.openscenario.actions.base import Activity, global_action
from scenarios.openscenario.expressions import text_of
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import NUMERIC, type_problem

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class SetValue:
    """Changes a variable, or (until 1.1) a parameter as conditions see it."""

    name: str
    where: str
    operation: str
    value: str

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        values = world.parameters if self.where == "parameter" else world.variables
        old = values[self.name]
        if self.operation == "set":
            text = self.value
        else:
            number, change = float(old.text), float(self.value)
            text = text_of(number + change if self.operation == "add" else number * change)
        if problem := type_problem(old.type, text):
            raise ValueError(f"{self.where} {self.name}: {text} {problem}")
        values[self.name] = replace(old, text=text)
        return None


def _read(node: Node, reader: Reader, where: str) -> SetValue:
    declared = reader.parameter(node) if where == "parameter" else reader.variable(node)
    child = node.only()
    if child.tag == "SetAction":
        text = child.text("value")
        if problem := type_problem(declared.type, text):
            raise child.error(f"value {text!r} {problem}")
        return SetValue(declared.name, where, "set", text)
    if child.tag != "ModifyAction":
        raise child.error("unknown kind of change")
    rule = child.one("Rule").only()
    operations = {"AddValue": "add", "MultiplyByValue": "multiply"}
    if rule.tag not in operations:
        raise rule.error("unknown kind of change")
    if declared.type not in NUMERIC:
        raise rule.error(f"{declared.name} is a {declared.type}, nothing can be added to it")
    return SetValue(declared.name, where, operations[rule.tag], text_of(rule.number("value")))


@global_action("ParameterAction")
def read_parameter(node: Node, reader: Reader) -> SetValue:
    """Read ``ParameterAction`` (deprecated since 1.2)."""
    return _read(node, reader, "parameter")


@global_action("VariableAction")
def read_variable(node: Node, reader: Reader) -> SetValue:
    """Read ``VariableAction``."""
    return _read(node, reader, "variable")

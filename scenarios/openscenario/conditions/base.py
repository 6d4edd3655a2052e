"""What a condition is, and the two registries: by entity and by value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import RULES

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World

Memory = dict[str, Any]
"""What a condition remembers between its evaluations; emptied whenever its owner enters standby again."""


class EntityCondition(Protocol):
    """A condition on one entity. Entities that are not in the world never satisfy one."""

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """Return whether it is true for ``entity`` now; called once a step for each triggering entity."""
        ...


class ValueCondition(Protocol):
    """A condition on time, storyboard, parameters or variables."""

    def holds(self, world: World, memory: Memory) -> bool:
        """Return whether it is true now; called once a step."""
        ...


EntityReader = Callable[[Node, "Reader"], EntityCondition]
ValueReader = Callable[[Node, "Reader"], ValueCondition]
ENTITY_CONDITIONS: dict[str, EntityReader] = {}
VALUE_CONDITIONS: dict[str, ValueReader] = {}


def entity_condition(tag: str) -> Callable[[EntityReader], EntityReader]:
    """Register the reader of a condition on entities; two of one name are an error at import."""

    def add(reader: EntityReader) -> EntityReader:
        if tag in ENTITY_CONDITIONS:
            raise ValueError(f"condition {tag} is registered twice")
        ENTITY_CONDITIONS[tag] = reader
        return reader

    return add


def value_condition(tag: str) -> Callable[[ValueReader], ValueReader]:
    """Register the reader of a condition on values; two of one name are an error at import."""

    def add(reader: ValueReader) -> ValueReader:
        if tag in VALUE_CONDITIONS:
            raise ValueError(f"condition {tag} is registered twice")
        VALUE_CONDITIONS[tag] = reader
        return reader

    return add


def read_rule(node: Node) -> str:
    """Read the ``rule`` attribute."""
    return node.choice("rule", RULES)


def read_direction(node: Node) -> str:
    """Read the optional ``direction``; "" stands for the magnitude over all directions."""
    return node.choice("direction", ("longitudinal", "lateral", "vertical")) if node.has("direction") else ""

"""Triggers: condition groups, edges, delays and triggering entities, exactly as the standard says.

A trigger is true if one of its groups is; a group is true if all of its conditions are. Every condition is evaluated in
every step, because edges and delays need an unbroken history. At its first evaluation there is no step before: rising,
falling and risingOrFalling are then false. A delay acts on the value after the edge: value(t) = edge(t - delay), false
before. Conditions are evaluated from the moment their owner is in standby, and start afresh when it enters it again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions import (
    ENTITY_CONDITIONS,
    VALUE_CONDITIONS,
    EntityCondition,
    Memory,
    ValueCondition,
)
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World

EDGES = ("none", "rising", "falling", "risingOrFalling")


@dataclass(frozen=True, slots=True)
class Condition:
    """``Condition``: by entity (with the entities it is asked of, and whether any or all must satisfy it) or by
    value."""

    name: str
    edge: str
    delay: float
    by_value: ValueCondition | None
    by_entity: EntityCondition | None
    entities: tuple[str, ...] = ()
    all_of: bool = False


@dataclass(frozen=True, slots=True)
class Trigger:
    """``Trigger``: groups of conditions."""

    groups: tuple[tuple[Condition, ...], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a trigger is true, and which entities satisfied the conditions that made it so."""

    true: bool
    entities: tuple[str, ...] = ()


class _Running:
    """One condition with its history."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._memory: Memory = {}
        self._before: bool | None = None
        self._history: deque[tuple[float, Verdict]] = deque()
        self._delayed = Verdict(False)

    def evaluate(self, world: World) -> Verdict:
        raw = self._raw(world)
        before, self._before = self._before, raw.true
        edge = self._condition.edge
        if edge == "none":
            value = raw
        elif before is None:
            value = Verdict(False)
        else:
            rising, falling = raw.true and not before, before and not raw.true
            hit = {"rising": rising, "falling": falling, "risingOrFalling": rising or falling}[edge]
            value = Verdict(hit, raw.entities if hit else ())
        return self._after_delay(value, world.time_s)

    def _raw(self, world: World) -> Verdict:
        condition = self._condition
        if condition.by_value is not None:
            return Verdict(condition.by_value.holds(world, self._memory))
        assert condition.by_entity is not None
        held = []
        for name in condition.entities:
            entity = world.entities[name]
            memory = self._memory.setdefault(name, {})
            if entity.present and condition.by_entity.holds(entity, world, memory):
                held.append(name)
        true = len(held) == len(condition.entities) if condition.all_of else bool(held)
        return Verdict(true, tuple(held) if true else ())

    def _after_delay(self, value: Verdict, time_s: float) -> Verdict:
        if self._condition.delay <= 0.0:
            return value
        self._history.append((time_s, value))
        due = []
        while self._history and self._history[0][0] <= time_s - self._condition.delay + 1e-9:
            due.append(self._history.popleft()[1])
        if self._condition.edge == "none":
            self._delayed = due[-1] if due else self._delayed
            return self._delayed
        # Pulses: none may be lost or doubled when steps differ in length.
        return next((verdict for verdict in due if verdict.true), Verdict(False))


class RunningTrigger:
    """A trigger with the history of its conditions, from standby on.

    Args:
        trigger: the trigger, or None when there is none.
        empty: its value when it has no groups: an empty start trigger is true, an empty stop trigger false.
    """

    def __init__(self, trigger: Trigger | None, *, empty: bool) -> None:
        self._trigger, self._empty = trigger, empty
        self.reset()

    def reset(self) -> None:
        """Forget the history: the owner enters standby again."""
        groups = self._trigger.groups if self._trigger is not None else ()
        self._groups = [[_Running(condition) for condition in group] for group in groups]

    def evaluate(self, world: World) -> Verdict:
        """Evaluate every condition once and return the trigger's value."""
        if not self._groups:
            return Verdict(self._empty)
        results = [[condition.evaluate(world) for condition in group] for group in self._groups]
        true = [group for group in results if all(verdict.true for verdict in group)]
        names = dict.fromkeys(name for group in true for verdict in group for name in verdict.entities)
        return Verdict(bool(true), tuple(names))


def read_trigger(node: Node | None, reader: Reader) -> Trigger | None:
    """Read a start or stop trigger; None when the element is absent."""
    if node is None:
        return None
    groups = []
    for group in node.many("ConditionGroup"):
        conditions = tuple(read_condition(c, reader) for c in group.many("Condition") if not reader.criterion(c))
        if conditions:
            groups.append(conditions)
        elif not group.many("Condition"):
            raise group.error("a condition group needs conditions")
    return Trigger(tuple(groups))


def read_condition(node: Node, reader: Reader) -> Condition:
    """Read ``Condition``."""
    name, delay = node.label("name"), node.number("delay", 0.0, minimum=0.0)
    edge = node.choice("conditionEdge", EDGES)
    child = node.only()
    if child.tag == "ByValueCondition":
        inner, read = child.pick(VALUE_CONDITIONS, "condition")
        return Condition(name, edge, delay, read(inner, reader), None)
    if child.tag != "ByEntityCondition":
        raise child.error("unknown kind of condition")
    who = child.one("TriggeringEntities")
    entities = tuple(e for ref in who.many("EntityRef") for e in reader.entity_or_selection(ref))
    if not entities:
        raise who.error("at least one EntityRef is needed")
    all_of = who.choice("triggeringEntitiesRule", ("any", "all")) == "all"
    inner, read_entity = child.one("EntityCondition").pick(ENTITY_CONDITIONS, "condition")
    if inner.tag == "OffroadCondition":
        reader.watch_off_road.update(entities)
    return Condition(name, edge, delay, None, read_entity(inner, reader), entities, all_of)

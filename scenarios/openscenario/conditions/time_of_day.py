"""TimeOfDayCondition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, read_rule, value_condition
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import compare, parse_datetime

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """Compares the simulated date and time; false while the scenario has set none."""

    moment: datetime
    rule: str

    def holds(self, world: World, memory: Memory) -> bool:
        """See :class:`ValueCondition`."""
        now = world.date_time
        if now is None:
            return False
        if (now.tzinfo is None) != (self.moment.tzinfo is None):
            return compare(self.rule, now.replace(tzinfo=None), self.moment.replace(tzinfo=None))
        return compare(self.rule, now, self.moment)


@value_condition("TimeOfDayCondition")
def read(node: Node, reader: Reader) -> TimeOfDay:
    """Read ``TimeOfDayCondition``."""
    text = node.text("dateTime")
    try:
        moment = parse_datetime(text)
    except ValueError:
        raise node.error(f"dateTime={text!r} is no date and time") from None
    return TimeOfDay(moment, read_rule(node))

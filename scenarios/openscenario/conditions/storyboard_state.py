"""StoryboardElementStateCondition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, value_condition
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


TYPES = ("act", "action", "event", "maneuver", "maneuverGroup", "story")
STATES = (
    "completeState", "endTransition", "runningState", "skipTransition", "standbyState", "startTransition",
    "stopTransition",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoryboardState:
    """True while an element is in a state, or when a transition has happened since the last evaluation.

    A transition lasts no time. "Since the last evaluation" makes each of them seen exactly once, whatever the order in
    which elements are visited; the first evaluation sees those of its own step.
    """

    kind: str
    reference: str
    state: str
    scope: tuple[str, ...]

    def holds(self, world: World, memory: Memory) -> bool:
        """See :class:`ValueCondition`."""
        board = world.board
        elements = board.find(self.kind, self.reference, self.scope)
        if self.state.endswith("State"):
            return any(element.state == self.state for element in elements)
        since = memory.get("seen", board.step_mark)
        memory["seen"] = len(board.log)
        return any(change.element in elements and change.transition == self.state for change in board.log[since:])


@value_condition("StoryboardElementStateCondition")
def read(node: Node, reader: Reader) -> StoryboardState:
    """Read ``StoryboardElementStateCondition``; the reference is checked once the whole storyboard is known."""
    condition = StoryboardState(
        node.choice("storyboardElementType", TYPES), node.label("storyboardElementRef"), node.choice("state", STATES),
        reader.path,
    )  # fmt: skip
    reader.storyboard_reference(node, condition.kind, condition.reference)
    return condition

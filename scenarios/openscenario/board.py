"""The board: which state every storyboard element is in, and the log of its transitions."""

from __future__ import annotations

from dataclasses import dataclass, field

STANDBY, RUNNING, COMPLETE = "standbyState", "runningState", "completeState"
START, END, STOP, SKIP = "startTransition", "endTransition", "stopTransition", "skipTransition"


@dataclass(slots=True, eq=False)
class Element:
    """One element of the storyboard: its kind, its name with all names above it, and its state ("" before standby)."""

    kind: str
    path: tuple[str, ...]
    state: str = ""

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path[-1]


@dataclass(frozen=True, slots=True)
class Change:
    """One transition. ``transition`` is "" for entering standby, which has no name in the standard."""

    time_s: float
    element: Element
    transition: str
    state: str

    @property
    def name(self) -> str:
        """The element's own name."""
        return self.element.name

    @property
    def kind(self) -> str:
        """The element's kind: storyboard, story, act, maneuverGroup, maneuver, event, action, or init."""
        return self.element.kind


@dataclass(slots=True)
class Board:
    """All elements and what happened to them. ``step_mark`` is the length of the log when the present step began."""

    elements: list[Element] = field(default_factory=list)
    log: list[Change] = field(default_factory=list)
    step_mark: int = 0
    time_s: float = 0.0
    _found: dict[tuple[str, str, tuple[str, ...]], tuple[Element, ...]] = field(default_factory=dict)

    def add(self, kind: str, path: tuple[str, ...]) -> Element:
        """Register an element."""
        element = Element(kind, path)
        self.elements.append(element)
        return element

    def change(self, element: Element, transition: str, state: str) -> None:
        """Move an element to a state and log it."""
        element.state = state
        self.log.append(Change(self.time_s, element, transition, state))

    def begin_step(self, time_s: float) -> None:
        """Mark the start of a step."""
        self.time_s = time_s
        self.step_mark = len(self.log)

    def find(self, kind: str, reference: str, scope: tuple[str, ...]) -> tuple[Element, ...]:
        """Return the elements that a reference means.

        A reference is a name, or a path with ``::``. Of several elements of one name those nearest to the place of the
        reference are meant: the ones that share the longest path with it.
        """
        key = (kind, reference, scope)
        if key not in self._found:
            wanted = tuple(reference.split("::"))
            matching = [e for e in self.elements if e.kind == kind and e.path[-len(wanted) :] == wanted]
            shared = [_shared(e.path, scope) for e in matching]
            self._found[key] = tuple(e for e, n in zip(matching, shared) if n == max(shared))
        return self._found[key]


def _shared(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    count = 0
    for x, y in zip(a, b):
        if x != y:
            break
        count += 1
    return count

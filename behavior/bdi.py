"""A small BDI kernel: beliefs with events, desires with utilities, plans as data, intentions as stacks.

It follows the cycle of AgentSpeak (Rao 1996): belief changes are events; a goal that is adopted looks for plans
whose context holds *now*; a plan's body is a generator that yields skills to do and sub-goals to achieve; when a
step fails, the next applicable plan that was not tried yet is taken, and when none is left the failure climbs.
Commitment is open-minded (Rao and Georgeff 1991): an intention is kept until its goal is achieved, impossible or
no longer desired; another desire takes over only when it is clearly better (``hysteresis``), and what it
interrupted is suspended, not forgotten. Everything that happens is written to :attr:`Mind.trace`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol


class Status(Enum):
    """How an action stands, as Singh, Padgham and Logan 2016 report it between mind and body."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    DROPPED = "dropped"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Do:
    """A step of a plan's body: run a skill of the body until it ends."""

    skill: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Goal:
    """Something to achieve: as a step of a plan's body, a sub-goal."""

    name: str
    parameters: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(str(p) for p in self.parameters)})"


Steps = Generator["Do | Goal", None, None]


class Skills(Protocol):
    """What a mind needs of a body: start, tick and halt skills by name."""

    def start(self, skill: str, parameters: dict[str, Any]) -> None:
        """Begin a skill from its beginning."""

    def tick(self) -> Status:
        """Let the current skill act for one step."""

    def halt(self) -> None:
        """Stop the current skill and let it release what it holds."""


@dataclass(frozen=True)
class Plan:
    """One way to achieve a goal.

    Attributes:
        name: for the trace.
        goal: name of the goal it is for.
        context: whether it is applicable now; reads beliefs only.
        body: the steps, made when the plan is chosen.
        preference: among applicable plans the highest is taken, ties in the order of the library.
    """

    name: str
    goal: str
    context: Callable[[Goal], bool]
    body: Callable[[Goal], Steps]
    preference: Callable[[Goal], float] = lambda goal: 0.0


@dataclass(frozen=True)
class Desire:
    """Something wished for, as strongly as ``utility`` says at the moment; 0 or less: not at all."""

    goal: Goal
    utility: Callable[[], float]
    achieved: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """One thing that happened in a mind."""

    time_s: float
    event: (
        str  # "+b", "-b", "+!", "-!", "plan", "do", "passed", "failed", "suspended", "resumed", "dropped", "achieved"
    )
    subject: str
    detail: str = ""


class Beliefs:
    """Named beliefs; a change is an event, and so wakes the mind before its next regular cycle."""

    def __init__(self, on_change: Callable[[str, Any, Any], None]) -> None:
        self._values: dict[str, Any] = {}
        self._on_change = on_change

    def __getitem__(self, name: str) -> Any:
        return self._values.get(name)

    def set(self, name: str, value: Any) -> None:
        """Hold a belief; None or False gives it up."""
        old = self._values.get(name)
        if old == value or (old is None and value is False):
            return
        if value is None or value is False:
            self._values.pop(name, None)
        else:
            self._values[name] = value
        self._on_change(name, old, value)

    def names(self, prefix: str) -> list[str]:
        """Return the beliefs held whose names begin with ``prefix``, in the order they were formed."""
        return [name for name, value in self._values.items() if value and name.startswith(prefix)]

    def note(self, name: str, value: Any) -> None:
        """Hold a belief that changes all the time (a distance, a clock) without raising an event."""
        self._values[name] = value


@dataclass
class _Frame:
    """A goal on an intention's stack and the plan that is being followed for it."""

    goal: Goal
    tried: set[str] = field(default_factory=set)
    plan: Plan | None = None
    steps: Steps | None = None


@dataclass
class _Intention:
    desire: Desire
    stack: list[_Frame]
    doing: Do | None = None
    suspended: bool = False


class Mind:
    """Beliefs, desires and intentions of one agent.

    Args:
        plans: the library.
        desires: in the order in which ties are broken.
        skills: the body.
        hysteresis: another desire must be this many times stronger to take over (cautious 1, bold more).
        max_steps: plan steps taken in one cycle at most; a plan that never acts is a bug, and is failed.
    """

    def __init__(
        self,
        plans: Iterable[Plan],
        desires: Sequence[Desire],
        skills: Skills,
        *,
        hysteresis: float = 1.2,
        max_steps: int = 32,
    ) -> None:
        self._library: dict[str, list[Plan]] = {}
        for plan in plans:
            self._library.setdefault(plan.goal, []).append(plan)
        self._desires = list(desires)
        self._skills = skills
        self._hysteresis = hysteresis
        self._max_steps = max_steps
        self._intentions: list[_Intention] = []  # the last one is active, those below are suspended
        self._impossible: set[str] = set()
        self.woken = True
        self.time_s = 0.0
        self.beliefs = Beliefs(self._believed)
        self.trace: deque[TraceEntry] = deque(maxlen=2000)

    # --- what others may ask -----------------------------------------------------------------------------

    @property
    def intention(self) -> str:
        """The goals of the active intention, outermost first, and the skill in hand."""
        if not self._intentions:
            return ""
        active = self._intentions[-1]
        parts = [frame.plan.name if frame.plan else frame.goal.name for frame in active.stack]
        return " > ".join([*parts, *([active.doing.skill] if active.doing else [])])

    def is_impossible(self, goal: str) -> bool:
        """Return whether all plans for a desired goal have failed."""
        return goal in self._impossible

    def reconsider(self) -> None:
        """Let goals that had failed be tried again: the world has changed."""
        self._impossible.clear()
        self.woken = True

    # --- the cycle ---------------------------------------------------------------------------------------

    def deliberate(self, time_s: float) -> None:
        """Choose what to intend: adopt, suspend, resume or drop intentions, and find plans for their goals."""
        self.time_s, self.woken = time_s, False
        self._drop_the_pointless()
        wanted = self._strongest()
        if wanted is not None and (not self._intentions or self._intentions[-1].desire is not wanted):
            self._take_over(wanted)
        self._advance()

    def act(self, time_s: float) -> Status | None:
        """Let the body act on the active intention; returns the skill's status, None when nothing is intended."""
        self.time_s = time_s
        if not self._intentions or self._intentions[-1].doing is None:
            return None
        status = self._skills.tick()
        if status in (Status.PASSED, Status.FAILED):
            active = self._intentions[-1]
            assert active.doing is not None
            self._note(status.value, active.doing.skill)
            active.doing = None
            if status is Status.FAILED:
                self._fail_plan(active)
            self.woken = True
        return status

    def _believed(self, name: str, old: Any, new: Any) -> None:
        self._note("+b" if new else "-b", name, str(new) if new else "")
        self.woken = True

    def _note(self, event: str, subject: str, detail: str = "") -> None:
        self.trace.append(TraceEntry(self.time_s, event, subject, detail))

    def _drop_the_pointless(self) -> None:
        for intention in list(self._intentions):
            desire = intention.desire
            if desire.achieved():
                self._remove(intention, "achieved")
            elif desire.utility() <= 0.0:
                self._remove(intention, "dropped")

    def _strongest(self) -> Desire | None:
        best: Desire | None = None
        best_utility = 0.0
        active = self._intentions[-1].desire if self._intentions else None
        for desire in self._desires:
            if desire.goal.name in self._impossible or desire.achieved():
                continue
            utility = desire.utility() * (self._hysteresis if desire is active else 1.0)
            if utility > best_utility:
                best, best_utility = desire, utility
        return best

    def _take_over(self, desire: Desire) -> None:
        if self._intentions:
            active = self._intentions[-1]
            self._skills.halt()
            active.suspended = True
            self._note("suspended", str(active.desire.goal), active.doing.skill if active.doing else "")
        for position, intention in enumerate(self._intentions):
            if intention.desire is desire:
                self._intentions.append(self._intentions.pop(position))
                self._resume()
                return
        self._intentions.append(_Intention(desire, [_Frame(desire.goal)]))
        self._note("+!", str(desire.goal))

    def _resume(self) -> None:
        """Go on with the topmost intention: its skill starts anew, so its preconditions are checked again."""
        active = self._intentions[-1]
        if not active.suspended:
            return
        active.suspended = False
        self._note("resumed", str(active.desire.goal))
        if active.doing is not None:
            self._skills.start(active.doing.skill, active.doing.parameters)

    def _remove(self, intention: _Intention, why: str) -> None:
        if intention is self._intentions[-1] and intention.doing is not None:
            self._skills.halt()
        self._intentions.remove(intention)
        self._note(why, str(intention.desire.goal))
        if self._intentions:
            self._resume()

    def _advance(self) -> None:
        """Take steps of the active intention until it waits for a skill, or is gone."""
        for _ in range(self._max_steps):
            if not self._intentions or self._intentions[-1].doing is not None:
                return
            active = self._intentions[-1]
            frame = active.stack[-1]
            if frame.steps is None:
                if not self._choose_plan(frame):
                    self._fail_goal(active)
                continue
            try:
                step = next(frame.steps)
            except StopIteration:
                self._note("achieved", str(frame.goal), frame.plan.name if frame.plan else "")
                active.stack.pop()
                if not active.stack:
                    self._remove(active, "achieved")
                continue
            if isinstance(step, Goal):
                active.stack.append(_Frame(step))
                self._note("+!", str(step))
            else:
                active.doing = step
                self._note("do", step.skill, " ".join(f"{k}={v}" for k, v in step.parameters.items()))
                self._skills.start(step.skill, step.parameters)
        if self._intentions and self._intentions[-1].doing is None:
            self._note("failed", self.intention, f"no action within {self._max_steps} steps")
            self._fail_plan(self._intentions[-1])

    def _choose_plan(self, frame: _Frame) -> bool:
        options = [p for p in self._library.get(frame.goal.name, ()) if p.name not in frame.tried]
        applicable = [p for p in options if p.context(frame.goal)]
        if not applicable:
            return False
        chosen = max(applicable, key=lambda p: p.preference(frame.goal))
        frame.tried.add(chosen.name)
        frame.plan, frame.steps = chosen, chosen.body(frame.goal)
        others = ", ".join(p.name for p in options if p is not chosen)
        self._note("plan", chosen.name, f"for {frame.goal}" + (f", not {others}" if others else ""))
        return True

    def _fail_plan(self, active: _Intention) -> None:
        """The plan on top has failed: forget it, so that the next applicable untried one is looked for."""
        frame = active.stack[-1]
        self._note("-!", str(frame.goal), frame.plan.name if frame.plan else "")
        if frame.steps is not None:
            frame.steps.close()
        frame.plan, frame.steps = None, None

    def _fail_goal(self, active: _Intention) -> None:
        """No plan is left for the goal on top: its parent's plan fails, or the whole intention."""
        frame = active.stack.pop()
        self._note("failed", str(frame.goal), "no applicable plan left")
        if active.stack:
            self._fail_plan(active)
            return
        self._impossible.add(frame.goal.name)
        self._remove(active, "dropped")

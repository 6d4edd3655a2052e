"""The storyboard's state machines: stories, acts, maneuver groups, maneuvers, events and actions.

Each element is in standby, running or complete. Every step visits the tree once from the top, so what starts
a parent starts its children in the same step. Rules (ASAM OpenSCENARIO XML, "Runtime behaviour"):

* Entering running puts children with a start trigger into standby and starts the others.
* An event executes again while its count (starts and skips) is below its maximum; its conditions then begin afresh.
* Priority override ends every other running event of the same maneuver for good; skip lets the event pass while another
  one runs, which uses up one execution; parallel runs beside.
* A stop trigger ends everything below with stop transitions.
* An action that loses its domain to another one is stopped; its event then ends as if it had been done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foundation.errors import InputError
from scenarios.openscenario import board as states
from scenarios.openscenario import control, storyboard
from scenarios.openscenario.actions import Activity, PrivateAction
from scenarios.openscenario.board import COMPLETE, RUNNING, STANDBY
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.triggers import RunningTrigger

if TYPE_CHECKING:
    from scenarios.openscenario.world import Entity, World


class _Machine:
    """What all elements share."""

    def __init__(self, world: World, kind: str, path: tuple[str, ...]) -> None:
        self.element = world.board.add(kind, path)

    @property
    def state(self) -> str:
        return self.element.state

    def enter(self, world: World, transition: str, state: str) -> None:
        world.board.change(self.element, transition, state)


def begin_private(action: PrivateAction, entity: Entity, world: World, place: Node) -> Activity | bool | None:
    """Start a private action on an entity.

    Returns:
        its activity, None when it was done at once (or a controller took it over), False when it was refused.

    Raises:
        OpenScenarioError: the action cannot be done; says where it stands in the file.
    """
    try:
        if action.domains:
            over = control.takes_over(world, entity, action, action.domains)
            if over is not None:
                if not over:
                    world.notes.append(
                        f"{world.time_s:.3f} s: {entity.name}: {type(action).__name__} refused by its controller"
                    )
                return None if over else False
        before = {d: getattr(entity, d) for d in ("longitudinal", "lateral")}
        for domain in action.domains:
            if before[domain] is not None:
                before[domain].let_go()
        activity = action.begin(entity, world)
        for domain in action.domains:
            old = before[domain]
            if old is not None and old is not activity:
                old.stop()
                if getattr(entity, domain) is old:
                    setattr(entity, domain, None)
        if activity is not None:
            world.take_over(
                entity,
                activity,
                longitudinal="longitudinal" in action.domains,
                lateral="lateral" in action.domains,
            )
    except InputError as error:
        raise place.error(f"{entity.name} at {world.time_s:.3f} s: {error.message}") from error
    except ValueError as error:
        raise place.error(f"{entity.name} at {world.time_s:.3f} s: {error}") from error
    return activity


class Action(_Machine):
    """An action on its actors, or on the world."""

    def __init__(self, world: World, record: storyboard.Action, path: tuple[str, ...]) -> None:
        super().__init__(world, "action", (*path, record.name))
        self.record = record
        self._activities: list[Activity] = []

    def start(self, world: World, actors: Sequence[str]) -> None:
        """Begin; actions that take no time are complete at once."""
        self.enter(world, states.START, RUNNING)
        self._activities = []
        refused = False
        if self.record.globally is not None:
            try:
                activity = self.record.globally.begin(world)
            except ValueError as error:
                if isinstance(error, InputError):
                    raise
                raise self.record.place.error(f"at {world.time_s:.3f} s: {error}") from error
            if activity is not None:
                self._activities.append(activity)
        else:
            assert self.record.private is not None
            for name in actors:
                result = begin_private(self.record.private, world.entities[name], world, self.record.place)
                if result is False:
                    refused = True
                elif isinstance(result, Activity):
                    self._activities.append(result)
        if refused and not self._activities:
            self.enter(world, states.STOP, COMPLETE)
        else:
            self.update(world)

    def update(self, world: World) -> None:
        """End when every activity has ended."""
        for activity in self._activities:
            activity.poll()
        if self.state == RUNNING and all(a.done or a.stopped for a in self._activities):
            stopped = any(a.stopped for a in self._activities)
            self.enter(world, states.STOP if stopped else states.END, COMPLETE)

    def stop(self, world: World) -> None:
        """Be stopped from above."""
        for activity in self._activities:
            activity.stop()
            for entity in world.entities.values():
                if entity.longitudinal is activity:
                    entity.longitudinal = None
                if entity.lateral is activity:
                    entity.lateral = None
        if self.state != COMPLETE:
            self.enter(world, states.STOP, COMPLETE)


class Event(_Machine):
    """An event: actions that start together."""

    def __init__(self, world: World, record: storyboard.Event, path: tuple[str, ...]) -> None:
        super().__init__(world, "event", (*path, record.name))
        self.record = record
        self.actions = [Action(world, action, self.element.path) for action in record.actions]
        self._trigger = RunningTrigger(record.start, empty=True)
        self._count = 0

    def standby(self, world: World) -> None:
        """Wait for the start trigger."""
        self._trigger.reset()
        self.enter(world, "", STANDBY)

    def begin(self, world: World) -> None:
        """Be ready for a new execution of the maneuver group: the count starts afresh."""
        self._count = 0
        self.standby(world)

    def update(self, world: World, maneuver: Maneuver) -> None:
        """Evaluate the start trigger, or follow the running actions."""
        if self.state == STANDBY:
            verdict = self._trigger.evaluate(world)
            if verdict.true:
                self._try_start(world, maneuver, verdict.entities)
        elif self.state == RUNNING:
            for action in self.actions:
                action.update(world)
            self._end_if_done(world)

    def _try_start(self, world: World, maneuver: Maneuver, triggering: tuple[str, ...]) -> None:
        others = [e for e in maneuver.events if e is not self and e.state == RUNNING]
        self._count += 1
        if others and self.record.priority == "skip":
            done = self._count >= self.record.maximum
            self.enter(world, states.SKIP, COMPLETE if done else STANDBY)
            if not done:
                self._trigger.reset()
            return
        if self.record.priority == "override":
            for other in others:
                other.stop(world)
        self.enter(world, states.START, RUNNING)
        actors = maneuver.actors(triggering)
        for action in self.actions:
            action.start(world, actors)
        self._end_if_done(world)

    def _end_if_done(self, world: World) -> None:
        if all(action.state == COMPLETE for action in self.actions):
            if self._count < self.record.maximum:
                self.enter(world, states.END, STANDBY)
                self._trigger.reset()
            else:
                self.enter(world, states.END, COMPLETE)

    def stop(self, world: World) -> None:
        """Be stopped from above, or overridden."""
        if self.state == COMPLETE or not self.state:
            return
        if self.state == RUNNING:
            for action in self.actions:
                if action.state == RUNNING:
                    action.stop(world)
        self.enter(world, states.STOP, COMPLETE)


class Maneuver(_Machine):
    """A maneuver: events that share priorities."""

    def __init__(self, world: World, record: storyboard.Maneuver, path: tuple[str, ...], group: Group) -> None:
        super().__init__(world, "maneuver", (*path, record.name))
        self.events = [Event(world, event, self.element.path) for event in record.events]
        self._group = group

    def actors(self, triggering: tuple[str, ...]) -> tuple[str, ...]:
        """Return the entities an event of this maneuver acts on."""
        fixed = self._group.record.actors
        if not self._group.record.select_triggering:
            return fixed
        return tuple(dict.fromkeys((*fixed, *triggering)))

    def start(self, world: World) -> None:
        """Begin: all events wait for their triggers (an event without one is triggered at once)."""
        self.enter(world, states.START, RUNNING)
        for event in self.events:
            event.begin(world)

    def update(self, world: World) -> None:
        """Visit the events; end when all are complete."""
        for event in self.events:
            event.update(world, self)
        if all(event.state == COMPLETE for event in self.events):
            self.enter(world, states.END, COMPLETE)

    def stop(self, world: World) -> None:
        """Be stopped from above."""
        if self.state == RUNNING:
            for event in self.events:
                event.stop(world)
            self.enter(world, states.STOP, COMPLETE)


class Group(_Machine):
    """A maneuver group: maneuvers and their actors."""

    def __init__(self, world: World, record: storyboard.ManeuverGroup, path: tuple[str, ...]) -> None:
        super().__init__(world, "maneuverGroup", (*path, record.name))
        self.record = record
        self.maneuvers = [Maneuver(world, m, self.element.path, self) for m in record.maneuvers]
        self._count = 0

    def start(self, world: World) -> None:
        """Begin an execution."""
        self._count += 1
        self.enter(world, states.START, RUNNING)
        for maneuver in self.maneuvers:
            maneuver.start(world)

    def update(self, world: World) -> None:
        """Visit the maneuvers; when all are complete, end, or execute once more."""
        if self.state != RUNNING:
            return
        for maneuver in self.maneuvers:
            if maneuver.state == RUNNING:
                maneuver.update(world)
        # A group without maneuvers has nothing that could end it: it runs until it is stopped.
        if self.maneuvers and all(maneuver.state == COMPLETE for maneuver in self.maneuvers):
            if self._count < self.record.maximum:
                self.enter(world, states.END, STANDBY)
                self.start(world)
            else:
                self.enter(world, states.END, COMPLETE)

    def stop(self, world: World) -> None:
        """Be stopped from above."""
        if self.state == RUNNING:
            for maneuver in self.maneuvers:
                maneuver.stop(world)
            self.enter(world, states.STOP, COMPLETE)


class Act(_Machine):
    """An act, with its start and stop triggers."""

    def __init__(self, world: World, record: storyboard.Act, path: tuple[str, ...]) -> None:
        super().__init__(world, "act", (*path, record.name))
        self.groups = [Group(world, group, self.element.path) for group in record.groups]
        self._start = RunningTrigger(record.start, empty=True)
        self._stop = RunningTrigger(record.stop, empty=False)

    def standby(self, world: World) -> None:
        """Wait for the start trigger."""
        self.enter(world, "", STANDBY)

    def update(self, world: World) -> None:
        """Evaluate triggers, then visit the groups; end when all are complete."""
        if self.state not in (STANDBY, RUNNING):
            return
        if self._stop.evaluate(world).true:
            self.stop(world)
            return
        if self.state == STANDBY:
            if not self._start.evaluate(world).true:
                return
            self.enter(world, states.START, RUNNING)
            for group in self.groups:
                group.start(world)
        for group in self.groups:
            group.update(world)
        if all(group.state == COMPLETE for group in self.groups):
            self.enter(world, states.END, COMPLETE)

    def stop(self, world: World) -> None:
        """Be stopped by the own stop trigger or from above."""
        if self.state in (STANDBY, RUNNING):
            for group in self.groups:
                group.stop(world)
            self.enter(world, states.STOP, COMPLETE)


class Story(_Machine):
    """A story: acts."""

    def __init__(self, world: World, record: storyboard.Story, path: tuple[str, ...]) -> None:
        super().__init__(world, "story", (*path, record.name))
        self.acts = [Act(world, act, self.element.path) for act in record.acts]

    def start(self, world: World) -> None:
        """Begin: all acts wait for their triggers."""
        self.enter(world, states.START, RUNNING)
        for act in self.acts:
            act.standby(world)

    def update(self, world: World) -> None:
        """Visit the acts; end when all are complete."""
        if self.state != RUNNING:
            return
        for act in self.acts:
            act.update(world)
        if all(act.state == COMPLETE for act in self.acts):
            self.enter(world, states.END, COMPLETE)

    def stop(self, world: World) -> None:
        """Be stopped from above."""
        if self.state == RUNNING:
            for act in self.acts:
                act.stop(world)
            self.enter(world, states.STOP, COMPLETE)


class Storyboard(_Machine):
    """The whole storyboard. It ends by its stop trigger only; one without a stop trigger ends with its stories."""

    def __init__(self, world: World, record: storyboard.Storyboard) -> None:
        super().__init__(world, "storyboard", ("storyboard",))
        self.stories = [Story(world, story, ()) for story in record.stories]
        self._stop = RunningTrigger(record.stop, empty=False)
        self._endless = record.stop is not None and bool(record.stop.groups)

    def start(self, world: World) -> None:
        """Begin."""
        self.enter(world, states.START, RUNNING)
        for story in self.stories:
            story.start(world)

    def update(self, world: World) -> None:
        """Evaluate the stop trigger, then visit the stories."""
        if self.state != RUNNING:
            return
        if self._stop.evaluate(world).true:
            for story in self.stories:
                story.stop(world)
            self.enter(world, states.STOP, COMPLETE)
            return
        for story in self.stories:
            story.update(world)
        if not self._endless and self.stories and all(story.state == COMPLETE for story in self.stories):
            self.enter(world, states.END, COMPLETE)

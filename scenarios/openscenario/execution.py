"""Running a scenario in a world, one step at a time.

A step is split in two so that whoever owns the simulator's clock can tick it in between::

    execution.start()
    while not execution.finished:
        execution.before_tick()      # kinematic entities to the end of the step, wishes of controllers to physics
        world.tick()                 # and capture of sensors
        execution.after_tick()       # physics read back, triggers evaluated, actions started

:meth:`Execution.step` does all three, with the port's own tick. States at an evaluation all belong to one instant.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from scenarios.opendrive import RoadNetwork
from scenarios.openscenario import control, motion
from scenarios.openscenario.actions import Activity
from scenarios.openscenario.actions.teleport import Teleport
from scenarios.openscenario.board import COMPLETE, END, RUNNING, START, Board, Change, Element
from scenarios.openscenario.controllers import CONTROLLERS, ControllerFactory
from scenarios.openscenario.errors import OpenScenarioError
from scenarios.openscenario.machine import Storyboard, begin_private
from scenarios.openscenario.open_space import OpenSpace
from scenarios.openscenario.outcomes import Collision, Outcome, Tracker
from scenarios.openscenario.ports import WorldPort
from scenarios.openscenario.roads import Roads
from scenarios.openscenario.scenario import Scenario
from scenarios.openscenario.signals import Signals
from scenarios.openscenario.states import Motion
from scenarios.openscenario.storyboard import InitAction
from scenarios.openscenario.world import Entity, World

logger = logging.getLogger(__name__)


class Execution:
    """One run of a scenario.

    Attributes:
        scenario, world: what runs, and its state.
        time_s: simulated seconds since the start.
    """

    def __init__(
        self,
        scenario: Scenario,
        network: RoadNetwork | None,
        port: WorldPort,
        dt_s: float,
        seed: int = 0,
        controllers: Mapping[str, ControllerFactory] | None = None,
        *,
        default_motion: bool = False,
        commands: Mapping[str, Callable[[World, str], Activity | None]] | None = None,
    ) -> None:
        """Prepare a run; nothing is put into the world before :meth:`start`.

        Args:
            scenario: what to run.
            network: its road network; None takes the one the scenario was loaded with.
            port: the world.
            dt_s: length of a step in seconds.
            seed: for the controllers' random streams.
            controllers: by name; default is the registry :data:`CONTROLLERS`.
            default_motion: let default motion (and a note) stand in for controllers that are not there, also those
                that actions assign; else the latter are refused.
            commands: handlers of the scenario's CustomCommandActions by their type.

        Raises:
            OpenScenarioError: there is no road network, or an action assigns a controller nobody registered.
        """
        if dt_s <= 0.0:
            raise ValueError(f"a step must be longer than 0 s, not {dt_s}")
        network = network or scenario.network
        registry = CONTROLLERS if controllers is None else controllers
        for node, record in scenario.assigned:
            if record.name not in registry and not default_motion:
                raise node.error(
                    f"controller {record.name!r} is unknown",
                    remedy="known are " + (", ".join(sorted(registry)) or "none"),
                )
        entities = {
            name: Entity(name, entry.record, towed_by=entry.towed_by) for name, entry in scenario.entities.items()
        }
        self.scenario = scenario
        roads = Roads(network) if network is not None else OpenSpace()
        self.world = World(
            roads, entities, dict(scenario.parameters), dict(scenario.variables), Signals(scenario.signals),
            Board(), port, dt_s, seed, registry,
        )  # fmt: skip
        self.world.notes += scenario.notes
        self.world.commands = commands or {}
        self.world.monitors = dict(scenario.monitors)
        # Looking for the road under somebody costs; only those are watched whom a condition or criterion asks about.
        self.world.watch_off_road = scenario.watch_off_road | ({scenario.ego} if scenario.criteria else set())
        self._root = Storyboard(self.world, scenario.storyboard)
        self._tracker = Tracker(scenario, self.world)
        self._init_running: list[tuple[Activity, Element]] = []
        self._steps = 0
        self._started = False

    # ---- driving it

    def start(self) -> None:
        """Put the entities into the world, do the init actions and evaluate the storyboard at time 0.

        Raises:
            OpenScenarioError: an init action cannot be done.
        """
        if self._started:
            raise RuntimeError("an execution can be started once")
        self._started = True
        world = self.world
        world.board.begin_step(0.0)
        world.signals.start()
        for name, entity in world.entities.items():
            records = self.scenario.entities[name].controllers
            for record in records:
                control.assign(world, entity, record)
        self._run_init()
        for name in world.entities:
            if not world.entities[name].present:
                world.notes.append(f"{name}: has no position in Init; it enters the world when an action places it")
        if world.signals.states:
            world.port.set_signals(world.signals.states)
        self._root.start(world)
        self._root.update(world)
        self._push()
        self._tracker.record()

    def _run_init(self) -> None:
        """Do teleports first, each after those it refers to; then the rest in the order of the file."""
        world = self.world
        actions = list(self.scenario.storyboard.init)
        elements = [
            world.board.add("init", (f"Init {action.entity} {action.tag}" if action.entity else f"Init {action.tag}",))
            for action in actions
        ]
        order = _teleports_first(actions)
        for index in order:
            action, element = actions[index], elements[index]
            world.board.change(element, START, RUNNING)
            result: Activity | bool | None = None
            if action.globally is not None:
                try:
                    result = action.globally.begin(world)
                except ValueError as error:
                    raise action.place.error(str(error)) from error
            elif action.private is not None and action.entity is not None:
                result = begin_private(action.private, world.entities[action.entity], world, action.place)
            if isinstance(result, Activity):
                self._init_running.append((result, element))
            else:
                world.board.change(element, END, COMPLETE)

    def step(self) -> None:
        """Do one step with the port's own tick."""
        self.before_tick()
        self.world.port.tick(self.world.dt_s)
        self.after_tick()

    def before_tick(self) -> None:
        """Move kinematic entities to the end of the step and hand controllers' wishes to physics."""
        if not self._started:
            raise RuntimeError("start the execution first")
        world = self.world
        try:
            wishes = motion.advance(world)
        except ValueError as error:
            if isinstance(error, OpenScenarioError):
                raise
            raise OpenScenarioError(f"at {world.time_s:.3f} s: {error}", file=self.scenario.path) from error
        self._push()
        if wishes:
            world.port.drive(wishes)

    def after_tick(self) -> None:
        """Read back what physics moved, evaluate triggers and start actions: all at the end of the step."""
        world = self.world
        self._steps += 1
        # Counted, not summed: adding 0.01 a thousand times is not 10.
        world.time_s = self._steps * world.dt_s
        self._observe()
        motion.clocks(world)
        world.signals.update(world.time_s)
        if world.signals.controllers:
            world.port.set_signals(world.signals.states)
        world.board.begin_step(world.time_s)
        self._end_init()
        self._root.update(world)
        self._tracker.record()

    def _observe(self) -> None:
        world = self.world
        driven = [name for name, e in world.entities.items() if e.present and e.driven]
        if driven:
            for name, seen in world.port.observe(driven).items():
                self._take(world.entities[name], seen)
        world.contacts = world.port.contacts()
        world.moved()

    def _take(self, entity: Entity, seen: Motion) -> None:
        old = entity.motion.pose
        moved = ((seen.pose.x - old.x) ** 2 + (seen.pose.y - old.y) ** 2 + (seen.pose.z - old.z) ** 2) ** 0.5
        entity.traveled_m += moved
        entity.motion = seen
        entity.track = self.world.roads.locate(seen.pose)

    def _push(self) -> None:
        world = self.world
        present = {n: e for n, e in world.entities.items() if e.present and not e.driven}
        world.port.move({n: e.motion for n, e in present.items()}, {n: e.record for n, e in present.items()})

    def _end_init(self) -> None:
        for item in list(self._init_running):
            activity, element = item
            activity.poll()
            if activity.done or activity.stopped:
                self.world.board.change(element, "stopTransition" if activity.stopped else END, COMPLETE)
                self._init_running.remove(item)

    def close(self) -> None:
        """Stop the controllers. Entities stay in the world; whoever owns it destroys them."""
        for entity in self.world.entities.values():
            if entity.binding is not None and entity.binding.started:
                entity.binding.controller.stop()
                entity.binding.started = False

    # ---- looking at it

    @property
    def time_s(self) -> float:
        """Simulated seconds since the start."""
        return self.world.time_s

    @property
    def finished(self) -> bool:
        """Whether the storyboard is complete."""
        return self._started and self._root.state == COMPLETE

    @property
    def events(self) -> list[Change]:
        """The log of all transitions so far."""
        return self.world.board.log

    def set_user_value(self, name: str, value: str) -> None:
        """Set what UserDefinedValueConditions of this name compare; before that they are false."""
        self.world.user_values[name] = value

    @property
    def monitors(self) -> Mapping[str, bool]:
        """The values of the scenario's monitors."""
        return dict(self.world.monitors)

    @property
    def motions(self) -> dict[str, Motion]:
        """The states of all entities that are in the world."""
        return {n: e.motion for n, e in self.world.entities.items() if e.present}

    @property
    def collisions(self) -> tuple[Collision, ...]:
        """The first touches of all pairs so far, in the order in which they happened; cheap, unlike :attr:`outcome`."""
        return self._tracker.collisions

    @property
    def outcome(self) -> Outcome:
        """What happened so far: collisions, metrics, criteria and the verdict."""
        return self._tracker.outcome(self.finished)


def _teleports_first(actions: list[InitAction]) -> list[int]:
    """Return the order of init actions: what places entities before what needs them placed."""
    placed: set[str] = set()
    waiting = [i for i, a in enumerate(actions) if isinstance(a.private, Teleport)]
    order = []
    while waiting:
        ready = [i for i in waiting if set(_needs(actions[i])) <= placed]
        if not ready:
            place = actions[waiting[0]].place
            raise place.error("positions refer to each other in a circle, or to an entity that is placed nowhere")
        index = ready[0]
        waiting.remove(index)
        order.append(index)
        placed.add(str(actions[index].entity))
    teleports = set(order)
    # World actions come first of all: the weather is there before anybody is.
    first = [i for i, a in enumerate(actions) if a.globally is not None]
    rest = [i for i, a in enumerate(actions) if i not in teleports and a.globally is None]
    return [*first, *order, *rest]


def _needs(action: InitAction) -> tuple[str, ...]:
    return tuple(n for n in action.private.position.entities() if n) if isinstance(action.private, Teleport) else ()

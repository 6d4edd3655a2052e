"""The plug-in in the executor: it becomes the ego's controller, and the storyboard gives it no orders."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import carla
import numpy as np

from bridge import agents
from bridge.ego_switch import EgoSwitch, Factories, replacing
from bridge.egos import loading
from bridge.egos.api import Actor, EgoContext, EgoError, Observation
from foundation.frames import carla_rotation, flip_y
from scenarios.openscenario import Execution, View
from scenarios.openscenario.control import activate, assign
from scenarios.openscenario.controllers import Answer, VehicleDrive
from scenarios.openscenario.entities import ControllerRecord, VehicleRecord
from scenarios.openscenario.world import Entity
from sensors.readings import Frame

PLUGIN = "ego plug-in"
TWO_WHEELERS = ("bicycle", "motorbike")
PATH_STEP_M = 1.0


class EgoDriver:
    """Lets a plug-in drive the ego of one unit. Use as a context manager.

    Args:
        text: see :func:`bridge.egos.loading.split`.
        deadline_s: wall time for its ``setup`` and for each step.
        folder: searched for its module.

    Raises:
        EgoError: there is no such plug-in, or it cannot be made.
    """

    def __init__(self, text: str, deadline_s: float, folder: str = "") -> None:
        self._name = text
        self._deadline_s = deadline_s
        self._patience = _Patience(text)
        self._agent = self._patience.call(lambda: loading.make(text, folder), deadline_s, "importing it")
        self._frame: Frame | None = None
        self._control: carla.VehicleControl | None = None
        self._vehicle: carla.Vehicle | None = None
        self._world: carla.World | None = None
        self._eyes: agents.Eyes | None = None
        self._ready = False
        self._path: list[tuple[float, float]] = []

    def __enter__(self) -> EgoDriver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        close = getattr(self._agent, "close", None)
        if close is not None and not isinstance(error, EgoError):
            self._patience.call(close, self._deadline_s, "close()")

    def replacing(self, controllers: Factories, ego: str) -> Factories:
        """Return the controllers with this driver in the place of each that is given to the ego."""
        found = replacing(controllers, ego, lambda: _Seat(self))
        found[PLUGIN] = lambda: _Seat(self)
        return found

    def begin(self, world: carla.World, vehicle: carla.Actor, execution: Execution, seed: int) -> None:
        """Set the plug-in up and give it the wheel, whatever the scenario has switched.

        Raises:
            EgoError: the ego is no vehicle, or ``setup`` failed.
        """
        if not isinstance(vehicle, carla.Vehicle):
            raise EgoError(f"ego {self._name}: drives vehicles only, the ego is a {vehicle.type_id}")
        self._vehicle, self._world = vehicle, world
        self._eyes = agents.Eyes.of_world(world)
        inner = execution.world
        context = EgoContext(
            world,
            vehicle,
            inner.roads.network,
            inner.dt_s,
            seed,
            {name: parameter.text for name, parameter in inner.parameters.items()},
        )
        setup = getattr(self._agent, "setup", None)
        if setup is not None:
            self._patience.call(lambda: setup(context), self._deadline_s, "setup()")
        self._ready = True
        self.take_wheel(execution)

    def take_wheel(self, execution: Execution) -> None:
        """See to it that the ego is the plug-in's; the storyboard may have given it to somebody else."""
        world = execution.world
        ego = world.entities[execution.scenario.ego]
        if not ego.present:
            return
        driver = None if ego.binding is None else ego.binding.controller
        ours = isinstance(driver, _Seat) or (isinstance(driver, EgoSwitch) and driver.is_ego)
        if not ours:
            assign(world, ego, ControllerRecord(PLUGIN, {}))
        if ego.binding is not None and not (ego.binding.longitudinal and ego.binding.lateral):
            activate(world, ego, True, True)

    def see(self, frame: Frame) -> None:
        """Keep the newest frame of the rig for the next decision."""
        self._frame = frame

    def apply(self) -> None:
        """Give gears that the plug-in shifts itself to the vehicle: the storyboard's pedals know none."""
        control = self._control
        if control is not None and control.manual_gear_shift and self._vehicle is not None:
            self._vehicle.apply_control(control)

    def drive(self, view: View) -> VehicleDrive:
        """Ask the plug-in; OpenSCENARIO's frame steers positive to the left."""
        if not self._ready:
            return VehicleDrive()  # assigned in Init: the world does not run yet
        seen = self._observe(view)
        before = self._frame_number()
        control = self._patience.call(
            lambda: self._agent.run_step(seen), self._deadline_s, f"run_step() at {view.time_s:.2f} s"
        )
        if self._frame_number() != before:
            raise EgoError(f"ego {self._name}: run_step() at {view.time_s:.2f} s ticked the world; only the runner may")
        self._control = checked(control, self._name, view.time_s)
        c = self._control
        return VehicleDrive(c.throttle, -c.steer, c.brake, c.hand_brake, c.reverse)

    def _frame_number(self) -> int:
        assert self._world is not None
        return int(self._world.get_snapshot().frame)

    def _observe(self, view: View) -> Observation:
        assert self._eyes is not None
        me = view.entities[view.me]
        ego = _actor(me, view, True)
        ahead = flip_y(view.motions[view.me].pose.point(me.record.box.center[0] + 0.25 * me.record.box.length, 0.0))
        eye = (float(ahead[0]), float(ahead[1]), float(ahead[2]) + max(1.2, 0.7 * me.record.box.height))
        visible = {seen.id for seen in self._eyes.look(view, eye)}
        others = tuple(
            _actor(entity, view, self._eyes.id_of(name) in visible)
            for name, entity in view.entities.items()
            if name != view.me and entity.present
        )
        return Observation(view.time_s, ego, others, tuple(self._ahead(view, ego)), _limit_mps(view, ego), self._frame)

    def _ahead(self, view: View, ego: Actor) -> list[tuple[float, float]]:
        """The lane's middle; laid once, cut behind the ego, and laid on when it gets short."""
        if self._path:
            gaps = np.hypot(*(np.array(self._path) - (ego.x, ego.y)).T)
            nearest = int(np.argmin(gaps))
            self._path = self._path[max(0, nearest - 3) :]
            if gaps[nearest] > 5.0:
                self._path = []  # pushed off its way: it looks for the lane it is on now
        if len(self._path) * PATH_STEP_M < 75.0:
            self._path = agents.lane_path(view.network, ego.x, ego.y, view.motions[view.me].pose.heading)
        return self._path


def checked(control: Any, name: str, time_s: float) -> carla.VehicleControl:
    """Return the control if it is one that a vehicle can follow.

    Raises:
        EgoError: it is of another type, or holds a number that is not finite or out of its limits.
    """
    if not isinstance(control, carla.VehicleControl):
        raise EgoError(f"ego {name}: run_step() at {time_s:.2f} s returned {control!r:.60}, not a carla.VehicleControl")
    for field_name, low in (("throttle", 0.0), ("brake", 0.0), ("steer", -1.0)):
        value = float(getattr(control, field_name))
        if not (math.isfinite(value) and low - 1e-6 <= value <= 1.0 + 1e-6):
            raise EgoError(
                f"ego {name}: run_step() at {time_s:.2f} s returned {field_name}={value:g}, expected {low:g} to 1"
            )
    return control


class _Patience:
    """Calls the plug-in on a thread of its own, so that one that hangs does not hang the run.

    One thread serves all calls: programs keep what belongs to a thread (device contexts, event loops).
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="ego", daemon=True).start()

    def call(self, function: Any, deadline_s: float, what: str) -> Any:
        """Return what the function returns.

        Raises:
            EgoError: it raised, or did not return in time.
        """
        self._asked.put(function)
        try:
            answer, error = self._answers.get(timeout=deadline_s)
        except queue.Empty:
            raise EgoError(f"ego {self._name}: {what} did not return within {deadline_s:g} s") from None
        if isinstance(error, EgoError):
            raise error
        if error is not None:
            words = " ".join(str(error).split())
            raise EgoError(f"ego {self._name}: {what} raised {type(error).__name__}: {words:.200}") from error
        return answer

    def _work(self) -> None:
        while True:
            function = self._asked.get()
            try:
                self._answers.put((function(), None))
            except BaseException as error:  # noqa: BLE001 - also SystemExit of a program that is used to being alone
                self._answers.put((None, error))


@dataclass
class _Seat:
    """The plug-in as a controller of the executor."""

    driver: EgoDriver
    physical: bool = field(default=True, init=False)

    def start(self, entity: Entity, properties: Mapping[str, str], rng: np.random.Generator) -> None:
        """Nothing to prepare: the plug-in is set up when the world runs."""

    def step(self, view: View, dt_s: float) -> Answer:
        """Ask the plug-in."""
        return self.driver.drive(view)

    def request(self, action: object, view: View) -> bool:
        """Refuse: the log and the outcome show that the ego did not do it."""
        return False

    def stop(self) -> None:
        """The plug-in is closed with the unit."""


def _actor(entity: Entity, view: View, visible: bool) -> Actor:
    motion, box = view.motions[entity.name], entity.record.box
    x, y, z = (float(v) for v in flip_y(motion.pose.point(*box.center)))
    spin = motion.yaw_rate
    # The middle of the box moves as the reference point does, and turns about it.
    dx, dy = x - motion.pose.x, -y - motion.pose.y
    velocity = (motion.velocity[0] - spin * dy, motion.velocity[1] + spin * dx, motion.velocity[2])
    vx, vy, vz = (float(v) for v in flip_y(velocity))
    ax, ay, az = (float(v) for v in flip_y(motion.acceleration))
    kind = "pedestrian" if entity.record.kind == "pedestrian" else "object"
    if isinstance(entity.record, VehicleRecord):
        kind = "cyclist" if entity.record.category in TWO_WHEELERS else "vehicle"
    yaw = carla_rotation(motion.pose.heading)[1]
    sizes = (box.length, box.width, box.height)
    return Actor(entity.name, kind, x, y, z, yaw, (vx, vy, vz), motion.speed, *sizes, visible, (ax, ay, az), -spin)


def _limit_mps(view: View, ego: Actor) -> float | None:
    place = view.network.locate(ego.x, -ego.y, heading=view.motions[view.me].pose.heading)
    if place is None:
        return None
    limit = view.network.speed_limit_kmh(place.road_id, place.s, place.lane_id)
    return None if limit is None else limit / 3.6

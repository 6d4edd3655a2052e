"""Controllers: programs that drive an entity instead of the default controller.

A controller is made by a factory registered under the name that a scenario's ``Controller`` element carries. It is
asked
once a step and answers in one of four ways: a kinematic state, a speed (steering stays with the scenario), pedals and
steering for a physical vehicle, or a walking direction and speed for a physical walker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from scenarios.openscenario.entities import ControllerRecord
from scenarios.openscenario.states import Motion, Pose

if TYPE_CHECKING:
    from scenarios.opendrive import RoadNetwork
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class Kinematic:
    """The entity is put exactly here at the end of the step."""

    pose: Pose
    speed: float


@dataclass(frozen=True, slots=True)
class Speed:
    """The entity's speed at the end of the step; its path stays with the default controller and lateral actions."""

    speed: float


@dataclass(frozen=True, slots=True)
class VehicleDrive:
    """Pedals and steering of a physical vehicle: throttle and brake 0..1, steer -1 (right) .. 1 (left): ASAM's left."""

    throttle: float = 0.0
    steer: float = 0.0
    brake: float = 0.0
    hand_brake: bool = False
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a physical walker goes: a direction in ASAM's frame and a speed in m/s."""

    direction: tuple[float, float, float]
    speed: float
    jump: bool = False


@dataclass(frozen=True, slots=True)
class Autopilot:
    """The simulator's own driver takes the vehicle (CARLA's traffic manager)."""


Answer = Kinematic | Speed | VehicleDrive | Walk | Autopilot


@dataclass(frozen=True, slots=True)
class View:
    """What a controller sees of the world at the start of a step."""

    time_s: float
    me: str
    motions: Mapping[str, Motion]
    entities: Mapping[str, Entity]
    world: World

    @property
    def network(self) -> RoadNetwork:
        """The road network; ValueError in a scenario that names none."""
        return self.world.roads.network


class Controller(Protocol):
    """Drives one entity.

    ``physical`` says whether it answers with :class:`VehicleDrive`, :class:`Walk` or :class:`Autopilot`: then physics
    moves
    the entity while the controller is active, and its state is only observed.
    """

    physical: bool

    def start(self, entity: Entity, properties: Mapping[str, str], rng: np.random.Generator) -> None:
        """Begin; called when the controller is first activated. ``rng`` belongs to this controller alone."""
        ...

    def step(self, view: View, dt_s: float) -> Answer:
        """Return what to do during the next ``dt_s`` seconds."""
        ...

    def request(self, action: object, view: View) -> bool:
        """Take over a longitudinal or lateral action of the scenario for this entity; False refuses it.

        A refused action ends at once with a stop transition, which the log and the outcome show.
        """
        ...

    def stop(self) -> None:
        """End; nothing is asked afterwards."""
        ...


ControllerFactory = Callable[[], Controller]
CONTROLLERS: dict[str, ControllerFactory] = {}


def controller(name: str) -> Callable[[ControllerFactory], ControllerFactory]:
    """Register a controller under a name; two of one name are an error at import."""

    def add(factory: ControllerFactory) -> ControllerFactory:
        if name in CONTROLLERS:
            raise ValueError(f"controller {name} is registered twice")
        CONTROLLERS[name] = factory
        return factory

    return add


@dataclass(slots=True, eq=False)
class Binding:
    """The controller an entity has, and the domains it is active in."""

    record: ControllerRecord
    controller: Controller
    longitudinal: bool = False
    lateral: bool = False
    started: bool = False

    @property
    def active(self) -> bool:
        """Whether it controls anything."""
        return self.longitudinal or self.lateral


@controller("autopilot")
@dataclass(slots=True)
class AutopilotController:
    """Hands the vehicle to the simulator's own driver."""

    physical: bool = field(default=True, init=False)

    def start(self, entity: Entity, properties: Mapping[str, str], rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def step(self, view: View, dt_s: float) -> Answer:
        """The simulator drives."""
        return Autopilot()

    def request(self, action: object, view: View) -> bool:
        """The simulator's driver takes no orders."""
        return False

    def stop(self) -> None:
        """Nothing to clean up."""

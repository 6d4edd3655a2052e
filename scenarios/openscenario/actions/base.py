"""What an action is, and the registries: private, global and user-defined."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.states import Pose

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


class Activity:
    """An action that takes time, on one entity (or on the world). Ends by being done, or is stopped from outside."""

    def __init__(self) -> None:
        self.done = False
        self.stopped = False

    def let_go(self) -> None:
        """Leave the entity as it is, for another action is about to take the domain."""

    def stop(self) -> None:
        """Be stopped: another action took the domain, the event was stopped, the entity is gone."""
        if not self.done:
            self.stopped = True

    def poll(self) -> None:
        """Look whether it is done: called once a step for actions that control no domain."""

    def travel(self, entity: Entity, world: World, dt_s: float) -> tuple[float, float]:
        """Longitudinal: return the metres to go in this step and the speed at its end."""
        raise NotImplementedError

    def shift(self, entity: Entity, world: World, dt_s: float, distance: float) -> float:
        """Lateral, along lanes: return the offset from the lane's centre at the end of this step."""
        raise NotImplementedError

    def drift(self, speed: float) -> float | None:
        """Lateral: return the speed to the left of s at the end of the step, m/s; None for "as the step went"."""
        return None

    def follow(self, entity: Entity, world: World, dt_s: float, distance: float) -> tuple[Pose, float]:
        """Lateral, across lanes: return the pose at the end of this step and the metres really gone."""
        raise NotImplementedError

    def tangent(self) -> Pose | None:
        """Lateral: return the place and direction of the trajectory that is followed; None when none is."""
        return None

    def forward(self) -> float | None:
        """Lateral, across lanes: return the heading in which a positive speed moves it; None for where it looks."""
        return None

    on_top: bool = False
    """Whether its sideways motion is added to the entity's speed, which is then the one along the lane."""
    ends_way: ClassVar[bool] = False
    """Whether an entity stands when this is done and there is neither a road to go on along nor a speed asked for."""
    leaves_lanes: ClassVar[bool] = False
    """Whether :meth:`follow` moves the entity instead of :meth:`shift`."""


class Lasting(Activity):
    """An action that changed something already and is done some seconds after its start."""

    def __init__(self, world: World, seconds: float) -> None:
        super().__init__()
        self._world, self._end_s = world, world.time_s + seconds

    def poll(self) -> None:
        """See :class:`Activity`."""
        self.done = self.done or self._world.time_s >= self._end_s - 1e-9


class PrivateAction(Protocol):
    """An action on an entity. ``domains`` are those it controls: "longitudinal", "lateral"."""

    @property
    def domains(self) -> frozenset[str]:
        """The domains it controls while it runs."""
        ...

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """Start; None when it is finished at once. ValueError when it cannot be done (no such lane, no way)."""
        ...


class GlobalAction(Protocol):
    """An action on the world; all of the standard's end at once, or run by themselves."""

    def begin(self, world: World) -> Activity | None:
        """Start; None when it is finished at once."""
        ...


NO_DOMAIN: frozenset[str] = frozenset()
LONGITUDINAL = frozenset({"longitudinal"})
LATERAL = frozenset({"lateral"})
BOTH = LONGITUDINAL | LATERAL

PrivateReader = Callable[[Node, "Reader"], PrivateAction]
P = TypeVar("P", bound=PrivateReader)
GlobalReader = Callable[[Node, "Reader"], GlobalAction]

# Keys are paths below PrivateAction or GlobalAction, for instance "LongitudinalAction/SpeedAction".
PRIVATE_ACTIONS: dict[str, PrivateReader] = {}
GLOBAL_ACTIONS: dict[str, GlobalReader] = {}
PRIVATE_GROUPS = frozenset(
    {"LongitudinalAction", "LateralAction", "RoutingAction", "AppearanceAction", "ControllerAction", "TrailerAction"}
)
GLOBAL_GROUPS = frozenset({"InfrastructureAction", "EntityAction", "TrafficAction"})


def private_action(path: str) -> Callable[[P], P]:
    """Register the reader of a private action; two of one path are an error at import."""

    def add(reader: P) -> P:
        if path in PRIVATE_ACTIONS:
            raise ValueError(f"action {path} is registered twice")
        PRIVATE_ACTIONS[path] = reader
        return reader

    return add


def global_action(path: str) -> Callable[[GlobalReader], GlobalReader]:
    """Register the reader of a global action; two of one path are an error at import."""

    def add(reader: GlobalReader) -> GlobalReader:
        if path in GLOBAL_ACTIONS:
            raise ValueError(f"action {path} is registered twice")
        GLOBAL_ACTIONS[path] = reader
        return reader

    return add


def _unsupported(node: Node, path: str, known: dict[str, PrivateReader] | dict[str, GlobalReader]) -> Exception:
    return node.error(f"action {path} is not supported", remedy="supported are " + ", ".join(sorted(known)))


def read_private(node: Node, reader: Reader) -> PrivateAction:
    """Read ``PrivateAction``."""
    child = node.only()
    path = child.tag
    if path in PRIVATE_GROUPS and path not in PRIVATE_ACTIONS:
        inner = child.only()
        path, child = f"{path}/{inner.tag}", inner
    if path not in PRIVATE_ACTIONS:
        raise _unsupported(child, path, PRIVATE_ACTIONS)
    return PRIVATE_ACTIONS[path](child, reader)


def read_global(node: Node, reader: Reader) -> GlobalAction:
    """Read ``GlobalAction``."""
    child = node.only()
    path = child.tag
    if path in GLOBAL_GROUPS and path not in GLOBAL_ACTIONS:
        inner = child.only()
        if path == "TrafficAction":
            child.text("trafficName", "")  # read by the actions themselves
        path, child = f"{path}/{inner.tag}", inner
    if path not in GLOBAL_ACTIONS:
        raise _unsupported(child, path, GLOBAL_ACTIONS)
    return GLOBAL_ACTIONS[path](child, reader)

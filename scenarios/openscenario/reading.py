"""What readers share while one scenario is read: catalogs, names, checks that must wait, and notes."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foundation.errors import InputError
from scenarios.opendrive import RoadNetwork
from scenarios.openscenario.catalogs import Catalogs
from scenarios.openscenario.criteria import Criterion, read_criterion
from scenarios.openscenario.entities import ControllerRecord, read_controller
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import Parameter, Scope, read_declarations
from scenarios.openscenario.roads import Roads
from scenarios.openscenario.routes import RouteRecord, read_route
from scenarios.openscenario.signals import SignalController
from scenarios.openscenario.trajectories import Trajectory, read_trajectory

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Reader:
    """The state of reading one scenario."""

    file: Path
    scope: Scope
    catalogs: Catalogs
    entities: tuple[str, ...] = ()
    selections: dict[str, tuple[str, ...]] = field(default_factory=dict)
    variables: dict[str, Parameter] = field(default_factory=dict)
    signals: dict[str, SignalController] = field(default_factory=dict)
    monitors: dict[str, bool] = field(default_factory=dict)
    network: RoadNetwork | None = None
    criteria: list[Criterion] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    assigned: list[tuple[Node, ControllerRecord]] = field(default_factory=list)
    references: list[tuple[Node, str, str, tuple[str, ...]]] = field(default_factory=list)
    path: tuple[str, ...] = ()
    watch_off_road: set[str] = field(default_factory=set)
    _checks: list[tuple[Node, Callable[[Roads], Any]]] = field(default_factory=list)
    _in_stop: bool = False

    # ---- names

    def entity(self, node: Node, attribute: str = "entityRef") -> str:
        """Return the entity an attribute names, which must be declared."""
        name = node.text(attribute)
        if name not in self.entities:
            raise node.error(f"there is no entity {name!r}", remedy="entities are " + ", ".join(self.entities))
        return name

    def entity_or_selection(self, node: Node) -> tuple[str, ...]:
        """Return the entities that an ``entityRef`` means: one, or the members of a selection."""
        name = node.text("entityRef")
        return self.selections[name] if name in self.selections else (self.entity(node),)

    def parameter(self, node: Node) -> Parameter:
        """Return the scenario's parameter that ``parameterRef`` names."""
        name = str(node.raw("parameterRef")).lstrip("$")
        if name not in self.scope.parameters:
            raise node.error(f"parameter {name!r} is not declared")
        return self.scope.parameters[name]

    def variable(self, node: Node) -> Parameter:
        """Return the variable that ``variableRef`` names."""
        name = str(node.raw("variableRef")).lstrip("$")
        if name not in self.variables:
            raise node.error(f"variable {name!r} is not declared", remedy="add it to VariableDeclarations")
        return self.variables[name]

    def signal(self, node: Node) -> str:
        """Return the OpenDRIVE signal that ``name`` names, which must exist in the road network."""
        name = node.text("name")
        self._checks.append((node, lambda roads: _check_signal(roads, name)))
        return name

    def signal_phase(self, node: Node) -> tuple[str, str]:
        """Return the signal controller and phase an element names."""
        name, phase = node.text("trafficSignalControllerRef"), node.text("phase")
        if name not in self.signals:
            raise node.error(f"signal controller {name!r} is not declared in TrafficSignals")
        if phase not in [p.name for p in self.signals[name].phases]:
            raise node.error(f"signal controller {name} has no phase {phase!r}")
        return name, phase

    # ---- things that may come from catalogs

    def declare(self, node: Node) -> Node:
        """Put an element's own ParameterDeclarations in force and return it; catalog entries have that done already."""
        if node.maybe("ParameterDeclarations") is not None and not any(node is n for n in self.catalogs.opened):
            node.with_scope(read_declarations(node, node.scope, {}, lenient=True))
        return node

    def route(self, node: Node) -> RouteRecord:
        """Read the route inside ``AssignRouteAction`` or ``RouteRef``, or the one its catalog reference names."""
        child = node.only()
        if child.tag == "CatalogReference":
            return read_route(self.catalogs.open(child, "Route"), self)
        if child.tag == "Route":
            return read_route(child, self)
        raise child.error("a Route or a CatalogReference is needed")

    def trajectory(self, node: Node) -> Trajectory:
        """Read the trajectory inside an element, or the one its catalog reference names."""
        for child in node.children():
            if child.tag == "CatalogReference":
                return read_trajectory(self.catalogs.open(child, "Trajectory"), self)
            if child.tag == "Trajectory":
                return read_trajectory(child, self)
        raise node.error("a Trajectory or a CatalogReference is needed")

    def controller(self, node: Node) -> ControllerRecord:
        """Read the controller inside an element, or the one its catalog reference names."""
        child = node.only()
        if child.tag == "CatalogReference":
            return read_controller(self.catalogs.open(child, "Controller"))
        if child.tag == "Controller":
            return read_controller(self.declare(child))
        raise child.error("a Controller or a CatalogReference is needed")

    def assigned_controller(self, node: Node, record: ControllerRecord) -> None:
        """Remember a controller that an action assigns; its name is checked against the registry before the start."""
        self.assigned.append((node, record))

    # ---- checks that wait

    def on_network(self, node: Node, check: Callable[[Roads], Any]) -> None:
        """Check something against the road network, once it is read."""
        self._checks.append((node, check))

    def run_checks(self) -> None:
        """Run the checks that waited; their errors name the element that asked for them."""
        if self.network is None:
            return
        roads = Roads(self.network)
        for node, check in self._checks:
            try:
                check(roads)
            except InputError as error:
                raise node.error(error.message) from error
            except ValueError as error:
                raise node.error(str(error)) from error

    def storyboard_reference(self, node: Node, kind: str, reference: str) -> None:
        """Check later that a storyboard element of that name exists."""
        self.references.append((node, kind, reference, self.path))

    # ---- criteria, notes

    def criterion(self, node: Node) -> bool:
        """Keep a condition of the storyboard's stop trigger that is a criterion by its name; say whether it was one."""
        if not self._in_stop or not str(node.raw("name")).startswith("criteria_"):
            return False
        self.criteria.append(read_criterion(node))
        return True

    def note(self, node: Node, message: str) -> None:
        """Record something that is allowed but has no or another effect than one may think."""
        text = f"{node.file}:{node.line}: <{node.tag}>: {message}"
        self.notes.append(text)
        logger.warning("%s", text)

    # ---- where we are

    @contextlib.contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Read below a storyboard element."""
        before, self.path = self.path, (*self.path, name)
        try:
            yield
        finally:
            self.path = before

    @contextlib.contextmanager
    def reading_storyboard_stop(self) -> Iterator[None]:
        """Read the storyboard's own stop trigger, which may hold criteria."""
        self._in_stop = True
        try:
            yield
        finally:
            self._in_stop = False


def _check_signal(roads: Roads, name: str) -> None:
    ids = sorted({s.id for road in roads.network.roads.values() for s in road.record.signals})
    if name not in ids:
        raise ValueError(f"the road network has no signal {name!r} (it has {', '.join(ids[:12]) or 'none'})")

"""TrafficAction: sources, sinks, swarms and areas of traffic, and stopping them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scenarios.openscenario import traffic
from scenarios.openscenario.actions.base import Activity, global_action
from scenarios.openscenario.actions.traffic_area import AreaOfTraffic, read_area
from scenarios.openscenario.actions.traffic_mix import read_definition, read_mix
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions import Position, read_position
from scenarios.openscenario.reading import Reader
from scenarios.openscenario.traffic import Ellipse, Mix
from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class TrafficSource:
    """Brings in traffic around a position, ``rate`` entities a second."""

    name: str
    mix: Mix
    position: Position
    radius: float
    rate: float
    speed: float | None

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        place = self.position.resolve(world)
        return traffic.Source(world, self.name, self.mix, place, self.radius, self.rate, self.speed)


@dataclass(frozen=True, slots=True)
class TrafficSink:
    """Takes out traffic that comes within a radius of a position."""

    name: str
    kinds: frozenset[str] | None
    position: Position
    radius: float
    rate: float | None

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        return traffic.Sink(world, self.name, self.kinds, self.position.resolve(world), self.radius, self.rate)


@dataclass(frozen=True, slots=True)
class TrafficSwarm:
    """Surrounds an entity with traffic. ``same`` is the share that drives in its direction."""

    name: str
    mix: Mix
    central: str
    ellipse: Ellipse
    number: int
    speeds: tuple[float, float] | None
    same: float

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        return traffic.Swarm(
            world, self.name, self.mix, self.central, self.ellipse, self.number, self.speeds, self.same
        )


@dataclass(frozen=True, slots=True)
class TrafficArea:
    """Fills an area with traffic."""

    name: str
    mix: Mix
    area: AreaOfTraffic
    number: int
    continuous: bool

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        draw, inside = self.area.at(world)
        return traffic.Area(world, self.name, self.mix, self.number, self.continuous, draw, inside)


@dataclass(frozen=True, slots=True)
class TrafficStop:
    """Stops the traffic actions of a name, or all of them when it has none. What they brought in goes on."""

    name: str

    def begin(self, world: World) -> Activity | None:
        """See :class:`GlobalAction`."""
        running = [p for p in world.traffic if self.name in ("", p.name) and not (p.done or p.stopped)]
        for process in running:
            process.stop()
        if not running:
            world.notes.append(f"{world.time_s:.3f} s: no traffic {self.name!r} runs that could be stopped")
        return None


def _name(node: Node) -> str:
    """Return the ``trafficName`` of the action around an element, "" for none."""
    outer = node.element.getparent()
    name = None if outer is None else outer.get("trafficName")
    return node.resolve(str(name), "trafficName") if name else ""


def _positive(node: Node, name: str) -> float:
    value = node.number(name)
    if not 0.0 < value < math.inf:
        raise node.error(f"attribute {name}={value:g} must be above 0 and finite")
    return value


def _speed(node: Node, *names: str) -> float | None:
    for name in names:
        if node.has(name):
            return node.number(name, minimum=0.0)
    return None


@global_action("TrafficAction/TrafficSourceAction")
def read_source(node: Node, reader: Reader) -> TrafficSource:
    """Read ``TrafficSourceAction``; ``velocity`` is 1.0's name of ``speed``."""
    speed = _speed(node, "speed", "velocity")
    return TrafficSource(
        _name(node), read_mix(node, reader), read_position(node.one("Position"), reader),
        node.number("radius", minimum=0.0), _positive(node, "rate"), speed,
    )  # fmt: skip


@global_action("TrafficAction/TrafficSinkAction")
def read_sink(node: Node, reader: Reader) -> TrafficSink:
    """Read ``TrafficSinkAction``."""
    definition = node.maybe("TrafficDefinition")
    kinds = None if definition is None else read_definition(definition, reader).kinds()
    return TrafficSink(
        _name(node), kinds, read_position(node.one("Position"), reader),
        node.number("radius", minimum=0.0), _positive(node, "rate") if node.has("rate") else None,
    )  # fmt: skip


@global_action("TrafficAction/TrafficSwarmAction")
def read_swarm(node: Node, reader: Reader) -> TrafficSwarm:
    """Read ``TrafficSwarmAction``; ``CentralObject`` is 1.1's name of 1.0's ``CentralSwarmObject``."""
    central = node.maybe("CentralObject") or node.one("CentralSwarmObject")
    ellipse = Ellipse(
        _positive(node, "semiMajorAxis"), _positive(node, "semiMinorAxis"),
        node.number("innerRadius", minimum=0.0), node.number("offset"),
    )  # fmt: skip
    speeds = None
    if (fixed := _speed(node, "velocity")) is not None:
        speeds = (fixed, fixed)
    if (limits := node.maybe("InitialSpeedRange")) is not None:
        speeds = (limits.number("lowerLimit", minimum=0.0), limits.number("upperLimit", minimum=0.0))
        if speeds[1] < speeds[0]:
            raise limits.error(f"upperLimit={speeds[1]:g} is below lowerLimit={speeds[0]:g}")
    same = 0.5
    if (ways := node.maybe("DirectionOfTravelDistribution")) is not None:
        weights = (ways.number("same", minimum=0.0), ways.number("opposite", minimum=0.0))
        if not 0.0 < sum(weights) < math.inf:
            raise ways.error("one of same and opposite must be above 0")
        same = weights[0] / sum(weights)
    return TrafficSwarm(
        _name(node), read_mix(node, reader), reader.entity(central), ellipse,
        node.integer("numberOfVehicles", minimum=0), speeds, same,
    )  # fmt: skip


@global_action("TrafficAction/TrafficAreaAction")
def read_area_action(node: Node, reader: Reader) -> TrafficArea:
    """Read ``TrafficAreaAction``."""
    return TrafficArea(
        _name(node), read_mix(node, reader), read_area(node.one("TrafficArea"), reader),
        node.integer("numberOfEntities", minimum=0), node.boolean("continuous"),
    )  # fmt: skip


@global_action("TrafficAction/TrafficStopAction")
def read_stop(node: Node, reader: Reader) -> TrafficStop:
    """Read ``TrafficStopAction``."""
    return TrafficStop(_name(node))

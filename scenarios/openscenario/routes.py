"""Routes: waypoints as written, and the path over the roads that joins them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foundation.seeds import generator
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions import Position, read_position
from scenarios.openscenario.roads import RoutePath
from scenarios.openscenario.routing import STRATEGIES

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """``Route``: where it passes, and by which strategy each waypoint is reached from the one before."""

    name: str
    closed: bool
    waypoints: tuple[Position, ...]
    strategies: tuple[str, ...]
    place: str

    def path(self, world: World) -> RoutePath:
        """Return the way over the roads through all waypoints; ValueError when two are not connected."""
        tracks = []
        for waypoint in self.waypoints:
            placed = waypoint.resolve(world)
            track = placed.track or world.roads.locate(placed.pose, reach_m=3.0)
            if track is None:
                raise ValueError(f"{self.place}: a waypoint of route {self.name} is not on a road")
            tracks.append(track)
        if self.closed:
            tracks.append(tracks[0])
        strategies = [*self.strategies[1:], *([self.strategies[0]] if self.closed else [])]
        return world.roads.route(tracks, strategies, generator(world.seed, "route", self.name))


def read_route(node: Node, reader: Reader) -> RouteRecord:
    """Read ``Route``."""
    declared = reader.declare(node)
    waypoints = declared.many("Waypoint")
    if len(waypoints) < 2:
        raise node.error("a route needs at least two waypoints")
    strategies = tuple(w.choice("routeStrategy", STRATEGIES) for w in waypoints)
    positions = tuple(read_position(w.one("Position"), reader) for w in waypoints)
    return RouteRecord(node.text("name"), node.boolean("closed"), positions, strategies, f"{node.file}:{node.line}")

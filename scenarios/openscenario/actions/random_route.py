"""RandomRouteAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from foundation.seeds import generator
from scenarios.openscenario.actions.base import NO_DOMAIN, Activity, private_action
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World

LENGTH_M = 5000.0


@dataclass(frozen=True, slots=True)
class RandomRoute:
    """Decides by lot which way the entity takes where roads part, for the next 5 km; it ends at once."""

    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        rng = generator(world.seed, "random route", entity.name, f"{world.time_s:.6f}")
        entity.route = world.roads.random_route(world.track(entity.name), LENGTH_M, rng)
        return None


@private_action("RoutingAction/RandomRouteAction")
def read(node: Node, reader: Reader) -> RandomRoute:
    """Read ``RandomRouteAction``, which has no content."""
    return RandomRoute()

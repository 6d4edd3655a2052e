"""AssignRouteAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import NO_DOMAIN, Activity, private_action
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.routes import RouteRecord

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class AssignRoute:
    """Tells the entity which way to take where roads part. It does not move the entity onto the route."""

    route: RouteRecord
    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        entity.route = self.route.path(world)
        return None


@private_action("RoutingAction/AssignRouteAction")
def read(node: Node, reader: Reader) -> AssignRoute:
    """Read ``AssignRouteAction``."""
    return AssignRoute(reader.route(node))

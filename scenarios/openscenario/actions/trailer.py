"""TrailerAction: ConnectTrailerAction and DisconnectTrailerAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import NO_DOMAIN, Activity, private_action
from scenarios.openscenario.entities import VehicleRecord
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class ConnectTrailer:
    """Hangs a trailer on the entity's hitch: from then on it is towed, from where it stands. It ends at once."""

    trailer: str
    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`; ValueError where one of them has no coupling or they form a circle."""
        trailer = world.entity(self.trailer)
        if not isinstance(trailer.record, VehicleRecord) or trailer.record.coupler_x is None:
            raise ValueError(f"{trailer.name} has no TrailerCoupler")
        if not isinstance(entity.record, VehicleRecord) or entity.record.hitch_x is None:
            raise ValueError(f"{entity.name} has no TrailerHitch")
        front = entity
        while front.towed_by:
            front = world.entities[front.towed_by]
        if front is trailer or trailer is entity:
            raise ValueError(f"{trailer.name} would tow itself")
        if trailer.towed_by and trailer.towed_by != entity.name:
            raise ValueError(f"{trailer.name} is towed by {trailer.towed_by} already")
        for activity in (trailer.longitudinal, trailer.lateral):
            if activity is not None:
                activity.stop()
        trailer.longitudinal = trailer.lateral = None
        trailer.towed_by = entity.name
        return None


@dataclass(frozen=True, slots=True)
class DisconnectTrailer:
    """Unhangs the entity's trailer, which stands from then on. It ends at once."""

    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        towed = [e for e in world.entities.values() if e.towed_by == entity.name]
        if not towed:
            world.notes.append(f"{world.time_s:.3f} s: {entity.name} tows nothing that could be disconnected")
        for trailer in towed:
            trailer.towed_by = ""
            trailer.set_speed(0.0)
            if trailer.track is None:
                trailer.track = world.roads.locate(trailer.motion.pose)
        return None


@private_action("TrailerAction/ConnectTrailerAction")
def read_connect(node: Node, reader: Reader) -> ConnectTrailer:
    """Read ``ConnectTrailerAction``."""
    return ConnectTrailer(reader.entity(node, "trailerRef"))


@private_action("TrailerAction/DisconnectTrailerAction")
def read_disconnect(node: Node, reader: Reader) -> DisconnectTrailer:
    """Read ``DisconnectTrailerAction``, which has no content."""
    return DisconnectTrailer()

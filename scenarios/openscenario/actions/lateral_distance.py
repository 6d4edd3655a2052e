"""LateralDistanceAction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import LATERAL, Activity, private_action
from scenarios.openscenario.limits import Limits, read_limits
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World

STIFFNESS = 0.4
CLOSE_M = 0.01
SIDEWAYS = 0.999
"""The share of the speed that may go sideways: the rest keeps the way forward defined."""


@dataclass(frozen=True, slots=True)
class LateralDistance:
    """Reaches a lateral distance to an entity, and keeps it if ``continuous``; on the side it is on, or a given one.

    Without limits it is there in the first step; with a top speed alone it goes there at that speed; else like a
    critically damped spring whose stiffness is 0.4 of the permitted acceleration. Not continuous, it ends there.
    """

    entity: str
    distance: float
    freespace: bool
    displacement: str
    continuous: bool
    limits: Limits
    domains: ClassVar[frozenset[str]] = LATERAL

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        if entity.track is None:
            entity.track = world.track(entity.name)
        return _KeepLateral(self, entity, world)


class _KeepLateral(Activity):
    def __init__(self, action: LateralDistance, entity: Entity, world: World) -> None:
        super().__init__()
        self._action = action
        self._speed = self._acceleration = 0.0
        side = {"leftToReferencedEntity": 1.0, "rightToReferencedEntity": -1.0}.get(action.displacement)
        if side is None:
            side = 1.0 if self._left_of_reference(entity, world)[0] >= 0.0 else -1.0
        self._side = side
        self._rigid = action.limits.unlimited and math.isinf(action.limits.speed)
        self.on_top = self._rigid  # being there at once takes nothing from the way forward

    def _left_of_reference(self, entity: Entity, world: World) -> tuple[float, float]:
        """Return how far the entity is to the reference's left, and which way its road runs (+1: like the
        reference)."""
        assert entity.track is not None
        found = world.roads.along(world.track(self._action.entity), entity.track)
        if found is None:
            raise ValueError(f"no road joins {entity.name} and {self._action.entity}")
        return found[1], found[2]

    def shift(self, entity: Entity, world: World, dt_s: float, distance: float) -> float:
        """See :class:`Activity`."""
        assert entity.track is not None
        action, limits = self._action, self._action.limits
        wanted = action.distance
        if action.freespace:
            wanted += 0.5 * (entity.record.box.width + world.entity(action.entity).record.box.width)
        left, way = self._left_of_reference(entity, world)
        error = (self._side * wanted - left) * way  # offsets count to the left of s
        if self._rigid:
            self.done = not action.continuous
            return entity.track.offset + error
        # Sideways it cannot be faster than it drives.
        top = min(limits.speed, abs(entity.motion.speed) * SIDEWAYS)
        if math.isinf(min(limits.acceleration, limits.deceleration)):
            step = min(max(error, -top * dt_s), top * dt_s)
            self.done = not action.continuous and step == error
            return entity.track.offset + step
        before = self._speed
        stiffness = STIFFNESS * min(limits.acceleration, limits.deceleration)
        wanted = stiffness * error - 2.0 * math.sqrt(stiffness) * before
        self._acceleration = limits.step(self._acceleration, wanted, dt_s)
        self._speed = min(max(before + self._acceleration * dt_s, -top), top)
        if not action.continuous and abs(error) < CLOSE_M:
            self.done = True
        return entity.track.offset + 0.5 * (before + self._speed) * dt_s


@private_action("LateralAction/LateralDistanceAction")
def read(node: Node, reader: Reader) -> LateralDistance:
    """Read ``LateralDistanceAction``; distances are measured across the road (coordinate systems lane and road)."""
    node.choice("coordinateSystem", ("lane", "road", "entity"), "entity")
    sides = ("any", "leftToReferencedEntity", "rightToReferencedEntity")
    return LateralDistance(
        reader.entity(node), node.number("distance", 0.0, minimum=0.0), node.boolean("freespace"),
        node.choice("displacement", sides, "any"), node.boolean("continuous"),
        read_limits(node.maybe("DynamicConstraints")),
    )  # fmt: skip

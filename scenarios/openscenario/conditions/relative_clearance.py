"""RelativeClearanceCondition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.conditions.base import Memory, entity_condition
from scenarios.openscenario.distances import Measure
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.roads import Track
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class RelativeClearance:
    """True when no other entity is in the given lanes within the given distances along them.

    ``lanes`` are (from, to) counted from the entity's lane, to its left positive; empty means every lane. Without
    ``opposite`` only lanes driven in the entity's direction count. Bodies reach into the range with ``free_space``.
    Where none of the lanes is there, nothing is clear: there is no room to have.
    """

    opposite: bool
    forward: float
    backward: float
    free_space: bool
    lanes: tuple[tuple[float, float], ...]
    entities: tuple[str, ...]

    def holds(self, entity: Entity, world: World, memory: Memory) -> bool:
        """See :class:`EntityCondition`."""
        here = world.lane(entity)
        if here is None:
            return True
        if self.lanes and not any(self._exists(here, low, high, world) for low, high in self.lanes):
            return False
        names = self.entities or tuple(name for name in world.entities if name != entity.name)
        for name in names:
            other = world.entities[name]
            there = world.lane(other) if other.present else None
            if there is None or not self._in_lanes(here, there, world):
                continue
            gap = Measure("lane", "longitudinal", self.free_space).between(world, entity, other)
            if gap is not None and gap.distance <= (self.forward if gap.ahead else self.backward) + 1e-6:
                return False
        return True

    def _exists(self, track: Track, low: float, high: float, world: World) -> bool:
        network = world.roads.network
        ids = list(network.lanes_at(track.road_id, track.s))
        if track.lane_id not in ids:
            return True
        section = network.roads[track.road_id].section_at(track.s).index
        forward = network.lane_drives_forward(track.road_id, track.lane_id, section)
        own = ids.index(track.lane_id)
        for rank, lane_id in enumerate(ids):
            same = network.lane_drives_forward(track.road_id, lane_id, section) == forward
            if low <= (rank - own) * track.direction <= high and (self.opposite or same):
                return True
        return False

    def _in_lanes(self, here: Track, there: Track, world: World) -> bool:
        found = world.roads.lanes_between(here, there)
        if found is None or (not self.opposite and not found.same_direction):
            return False
        return not self.lanes or any(low <= found.lanes <= high for low, high in self.lanes)


@entity_condition("RelativeClearanceCondition")
def read(node: Node, reader: Reader) -> RelativeClearance:
    """Read ``RelativeClearanceCondition``; an absent end of a lane range is open, absent distances are 0."""
    ranges = tuple((n.number("from", -math.inf), n.number("to", math.inf)) for n in node.many("RelativeLaneRange"))
    return RelativeClearance(
        node.boolean("oppositeLanes"), node.number("distanceForward", 0.0, minimum=0.0),
        node.number("distanceBackward", 0.0, minimum=0.0), node.boolean("freeSpace"), ranges,
        tuple(reader.entity(n) for n in node.many("EntityRef")),
    )  # fmt: skip

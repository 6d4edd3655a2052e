"""LaneOffsetAction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import LATERAL, Activity, private_action
from scenarios.openscenario.actions.lane_change import OffsetChange
from scenarios.openscenario.dynamics import SHAPES, Transition
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class LaneOffset:
    """Moves sideways within the lane system to an offset from the centre of the present lane, or from where another
    entity is (positive: to the left of that one).

    The present lane is the one the entity follows, also while an offset has it drive beside that: an offset of 0 always
    leads back.

    The duration follows from the largest lateral acceleration: f'' of the shape is at most c / T^2, so T is
    sqrt(c |change| / a). A linear shape has no finite acceleration; it takes as long as the cubic one.
    """

    shape: str
    acceleration: float
    offset: float
    entity: str | None
    continuous: bool
    domains: ClassVar[frozenset[str]] = LATERAL

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        if entity.track is None:
            entity.track = world.track(entity.name)
        start, end = entity.track.offset, self.offset
        if self.entity is not None:
            end = start + self._beside(entity, world) * entity.track.direction
        curvature = SHAPES["cubic" if self.shape == "linear" else self.shape].peak_curvature
        if self.shape == "step" or math.isinf(self.acceleration):
            length = 0.0
        else:
            length = math.sqrt(curvature * abs(end - start) / self.acceleration)
        return _Sideways(Transition(SHAPES[self.shape], start, end, length), False, hold=self.continuous)

    def _beside(self, entity: Entity, world: World) -> float:
        """Return how far to its own left the entity has to go to be at the offset from the other entity's place."""
        assert self.entity is not None
        assert entity.track is not None
        if self.entity == entity.name:
            return self.offset
        other = world.track(self.entity)
        found = world.roads.along(entity.track, other)
        if found is None:
            raise ValueError(f"no road joins {entity.name} and {self.entity}")
        # Positive is to the left of the other, which may come the other way.
        return found[1] + self.offset * found[2] * other.direction


class _Sideways(OffsetChange):
    """Within the lane system the speed is that along the lane; what goes sideways comes on top."""

    on_top: bool = True


@private_action("LateralAction/LaneOffsetAction")
def read(node: Node, reader: Reader) -> LaneOffset:
    """Read ``LaneOffsetAction``."""
    dynamics = node.one("LaneOffsetActionDynamics")
    shape = dynamics.choice("dynamicsShape", SHAPES)
    acceleration = dynamics.number("maxLateralAcc", math.inf)
    if acceleration <= 0.0:
        raise dynamics.error("maxLateralAcc must be above 0")
    child = node.one("LaneOffsetTarget").only()
    if child.tag == "AbsoluteTargetLaneOffset":
        entity = None
    elif child.tag == "RelativeTargetLaneOffset":
        entity = reader.entity(child)
    else:
        raise child.error("unknown kind of target offset")
    return LaneOffset(shape, acceleration, child.number("value"), entity, node.boolean("continuous"))

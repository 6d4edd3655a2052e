"""LaneChangeAction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import LATERAL, Activity, private_action
from scenarios.openscenario.dynamics import SHAPES, Transition, TransitionDynamics, read_dynamics
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.roads import Roads
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class LaneChange:
    """Moves to the centre (plus an offset) of another lane, counted from an entity's lane or by its id."""

    dynamics: TransitionDynamics
    lane_id: int | None
    entity: str | None
    lanes: int
    offset: float
    domains: ClassVar[frozenset[str]] = LATERAL

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        roads = world.roads
        if entity.track is None:
            entity.track = world.track(entity.name)
        here = entity.track
        if self.lane_id is not None:
            lane_id = self.lane_id
        else:
            assert self.entity is not None
            other = world.track(self.entity)
            lane_id = roads.relative_lane(other, self.lanes)
            if other.road_id != here.road_id:
                # Lane ids belong to a road: told from the other entity's road, the lane is found by its place.
                found = roads.along(here, roads.with_lane(other, lane_id, 0.0))
                if found is None:
                    raise ValueError(f"no road joins {entity.name} and {self.entity}")
                t = roads.t(here) + found[1] * here.direction
                lane_id = roads.track_at(here.road_id, here.s, t, 0.0).lane_id
        entity.track = roads.with_lane(here, lane_id)
        change = OffsetChange.between(self.dynamics, entity, self.offset)
        if change is not None:
            change.on_stop = lambda: self._stay(entity, roads)
        return change

    @staticmethod
    def _stay(entity: Entity, roads: Roads) -> None:
        """Who is stopped on the way to a lane keeps the one they are on."""
        if entity.track is not None:
            entity.track = roads.nearest_lane(entity.track)


class OffsetChange(Activity):
    """An offset from the lane's centre that changes along a shape, over time or over metres."""

    def __init__(self, change: Transition, over_distance: bool, hold: bool = False) -> None:
        super().__init__()
        self._change, self._over_distance, self._hold = change, over_distance, hold
        self._direction: int | None = None
        self._sign = 1
        self._x = 0.0
        self.on_stop: Callable[[], None] | None = None
        if change.length <= 0.0:  # a jump sideways takes nothing from the way forward
            self.on_top = True

    def let_go(self) -> None:
        """See :class:`Activity`."""
        if not self.done and not self.stopped and self.on_stop is not None:
            self.on_stop()
        self.on_stop = None

    def stop(self) -> None:
        """See :class:`Activity`."""
        self.let_go()
        super().stop()

    @classmethod
    def between(cls, dynamics: TransitionDynamics, entity: Entity, end: float) -> OffsetChange | None:
        """Return the change from the entity's offset to ``end``; None when it is done at once."""
        assert entity.track is not None
        start = entity.track.offset
        # Who is there already has nothing to do; a change of speed takes its time all the same.
        length = dynamics.length(end - start) if abs(end - start) > 1e-6 else 0.0
        return cls(Transition(SHAPES[dynamics.shape], start, end, length), dynamics.dimension == "distance")

    def shift(self, entity: Entity, world: World, dt_s: float, distance: float) -> float:
        """See :class:`Activity`."""
        self._x += distance if self._over_distance else dt_s
        if not self._over_distance and entity.at_end_of_road:
            self._x -= dt_s  # at the end of the road nothing moves, sideways neither
        if self._x >= self._change.length - 1e-9 and not self._hold:
            self.done = True
        self._sign = self._side(entity)
        return self._change.value(self._x + 1e-9) * self._sign

    def _side(self, entity: Entity) -> int:
        """Return -1 where the road counts s, and so its left, the other way round than where the change began."""
        assert entity.track is not None
        if self._direction is None:
            self._direction = entity.track.direction
        return entity.track.direction * self._direction

    def drift(self, speed: float) -> float | None:
        """See :class:`Activity`."""
        slope = self._change.slope(self._x) if self._x < self._change.length - 1e-9 else 0.0
        return self._sign * (slope * speed if self._over_distance else slope)


@private_action("LateralAction/LaneChangeAction")
def read(node: Node, reader: Reader) -> LaneChange:
    """Read ``LaneChangeAction``."""
    dynamics = read_dynamics(node.one("LaneChangeActionDynamics"))
    offset = node.number("targetLaneOffset", 0.0)
    child = node.one("LaneChangeTarget").only()
    if child.tag == "AbsoluteTargetLane":
        lane_id = child.integer("value")
        if lane_id == 0:
            raise child.error("lane 0 is the centre line, nothing can drive on it")
        return LaneChange(dynamics, lane_id, None, 0, offset)
    if child.tag == "RelativeTargetLane":
        return LaneChange(dynamics, None, reader.entity(child), child.integer("value"), offset)
    raise child.error("unknown kind of target lane")

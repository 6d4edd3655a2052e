"""SynchronizeAction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import LONGITUDINAL, Activity, private_action
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions import Placement, Position, read_position

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class FinalSpeed:
    """The speed at the target: m/s, or relative to the master's; and from where or when on it is to be held."""

    value: float
    relative: bool = False
    factor: bool = False
    steady_m: float = 0.0
    steady_s: float = 0.0

    def speed(self, master: float) -> float:
        """Return it, given the master's speed."""
        if not self.relative:
            return self.value
        return max(0.0, master * self.value if self.factor else master + self.value)


@dataclass(frozen=True, slots=True)
class Synchronize:
    """Makes the entity reach its target at the moment the master reaches its own.

    The master is taken to keep its speed, so the time left is known each step. With a final speed the entity follows
    the way of the least peak acceleration: a constant acceleration and then its opposite, planned anew each step.
    Without one it drives d / T. The standard asks for the meeting only and leaves the way there free; esmini goes so.
    """

    master: str
    master_target: Position
    target: Position
    final: FinalSpeed | None
    master_tolerance: float
    tolerance: float
    domains: ClassVar[frozenset[str]] = LONGITUDINAL

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        return _Synchronize(self, world)


class _Synchronize(Activity):
    def __init__(self, action: Synchronize, world: World) -> None:
        super().__init__()
        self._action = action
        self._goal = action.target.resolve(world)
        self._master_goal = action.master_target.resolve(world)

    def travel(self, entity: Entity, world: World, dt_s: float) -> tuple[float, float]:
        """See :class:`Activity`."""
        action, speed = self._action, entity.motion.speed
        master = world.entity(action.master)
        ahead = distance_to(world, entity, self._goal)
        master_ahead = distance_to(world, master, self._master_goal)
        if ahead is None or master_ahead is None:
            raise ValueError(f"{entity.name} or {action.master} has no way to its target")
        end = None if action.final is None else action.final.speed(master.motion.speed)
        reached = ahead <= max(action.tolerance, speed * dt_s)
        master_there = master_ahead <= max(action.master_tolerance, 0.5 * master.motion.speed * dt_s)
        if reached or master_there:
            # Whoever is late is late: the standard's tolerances say what still counts as met.
            self.done = master_there
            new = speed if end is None else end
            return 0.5 * (speed + new) * dt_s, new
        if master.motion.speed < 1e-6:
            return 0.0, 0.0  # the master never arrives: wait
        left = master_ahead / master.motion.speed
        new = self._next_speed(speed, end, ahead, left, dt_s)
        return 0.5 * (speed + new) * dt_s, new

    def _next_speed(self, speed: float, end: float | None, ahead: float, left: float, dt_s: float) -> float:
        if end is None:
            return max(0.0, ahead / max(left, dt_s))
        final = self._action.final
        assert final is not None
        if end > 0.0 and (final.steady_m or final.steady_s):
            steady = max(final.steady_m, final.steady_s * end)
            ahead, left = ahead - steady, left - steady / end
            if ahead <= 0.0 or left <= dt_s:
                return end
        if left <= dt_s:
            return end
        rate, lasts = least_peak(speed, end, ahead, left)
        return max(0.0, speed + rate * (min(lasts, dt_s) - max(dt_s - lasts, 0.0)))


def least_peak(speed: float, end: float, metres: float, seconds: float) -> tuple[float, float]:
    """Return the acceleration k that is held first, and for how long; -k is held for the rest.

    With e = d - (v0 + v1) T / 2, what constant acceleration would miss, and D = v1 - v0 the two phases give
    k^2 T^2 - 4 e k - D^2 = 0; its root with the sign of e needs times that are not negative: t1 = (T + D / k) / 2.

    Args:
        speed: now, m/s.
        end: at the end, m/s.
        metres: to go.
        seconds: until then, above 0.
    """
    missed, change = metres - 0.5 * (speed + end) * seconds, end - speed
    root = math.sqrt(4.0 * missed * missed + (seconds * change) ** 2)
    rate = (2.0 * missed + math.copysign(root, missed)) / seconds**2
    if abs(rate) < 1e-12:
        return 0.0, seconds
    return rate, min(max(0.5 * (seconds + change / rate), 0.0), seconds)


def distance_to(world: World, entity: Entity, goal: Placement) -> float | None:
    """Return the metres an entity still has to go to a place: along its trajectory, the roads, or straight; <= 0 past
    it."""
    path = getattr(entity.lateral, "distance_to", None)
    if path is not None:
        return float(path(goal.pose))
    track = goal.track or world.roads.locate(goal.pose, reach_m=3.0)
    if entity.track is not None and track is not None:
        found = world.roads.along(entity.track, track)
        if found is not None:
            if entity.track.road_id == track.road_id:
                return world.roads.lane_length(entity.track, track.s)
            return found[0]
    pose, at = goal.pose, entity.motion.pose
    length = math.hypot(pose.x - at.x, pose.y - at.y)
    facing = (pose.x - at.x) * math.cos(at.heading) + (pose.y - at.y) * math.sin(at.heading)
    return math.copysign(length, facing)


def _read_final(node: Node | None) -> FinalSpeed | None:
    if node is None:
        return None
    child = node.only()
    metres = seconds = 0.0
    if (steady := child.maybe("TargetDistanceSteadyState")) is not None:
        metres = steady.number("distance", minimum=0.0)
    if (steady := child.maybe("TargetTimeSteadyState")) is not None:
        seconds = steady.number("time", minimum=0.0)
    if child.tag == "AbsoluteSpeed":
        return FinalSpeed(child.number("value", minimum=0.0), steady_m=metres, steady_s=seconds)
    if child.tag == "RelativeSpeedToMaster":
        factor = child.choice("speedTargetValueType", ("delta", "factor")) == "factor"
        return FinalSpeed(child.number("value"), True, factor, metres, seconds)
    raise child.error("unknown kind of final speed")


@private_action("SynchronizeAction")
def read(node: Node, reader: Reader) -> Synchronize:
    """Read ``SynchronizeAction``."""
    return Synchronize(
        reader.entity(node, "masterEntityRef"), read_position(node.one("TargetPositionMaster"), reader),
        read_position(node.one("TargetPosition"), reader), _read_final(node.maybe("FinalSpeed")),
        node.number("targetToleranceMaster", 0.0, minimum=0.0), node.number("targetTolerance", 0.0, minimum=0.0),
    )  # fmt: skip

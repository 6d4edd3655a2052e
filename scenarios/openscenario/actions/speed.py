"""SpeedAction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import LONGITUDINAL, Activity, private_action
from scenarios.openscenario.dynamics import SHAPES, Transition, TransitionDynamics, read_dynamics
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class Target:
    """The speed to reach: ``value`` m/s, or relative to an entity's by difference or factor."""

    value: float
    entity: str | None = None
    factor: bool = False
    continuous: bool = False

    def speed(self, world: World) -> float:
        """Return the target speed now; a relative one is never negative."""
        if self.entity is None:
            return self.value
        other = world.entity(self.entity).motion.speed
        return max(0.0, other * self.value if self.factor else other + self.value)


@dataclass(frozen=True, slots=True)
class SpeedAction:
    """Changes the speed along a shape over time, distance or rate.

    A distance is covered exactly by the whole change: all shapes have the mean speed (v0 + v1) / 2, so the change takes
    2 X / (v0 + v1) seconds; where the sign changes, both parts take 2 x / v. (Taking the shape over metres instead
    would never leave a standstill.) The standard forbids more acceleration than the entity's performance section has:
    a change that would need more is stretched until its peak is at that limit, and no target is above the top speed.
    """

    dynamics: TransitionDynamics
    target: Target
    domains: ClassVar[frozenset[str]] = LONGITUDINAL

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        start, end = entity.motion.speed, entity.attainable(self.target.speed(world))
        length = self.dynamics.length(end - start)
        if self.dynamics.dimension == "distance" and length > 0.0:
            length = _seconds(start, end, length)
        if length > 0.0:
            peak = SHAPES[self.dynamics.shape].peak_slope * abs(end - start)
            length = max(length, peak / entity.hardest(end - start))
        if length <= 0.0:
            entity.set_speed(end)
            return _Speed(self, entity, end, 0.0) if self.target.continuous else None
        return _Speed(self, entity, end, length)


def _seconds(start: float, end: float, metres: float) -> float:
    """Return how long a change of speed takes that covers so many metres."""
    if start * end >= 0.0:
        return 2.0 * metres / abs(start + end) if start + end != 0.0 else 0.0
    # Through zero: the metres are shared as constant acceleration would share them, by the squares of the speeds.
    first = metres * start * start / (start * start + end * end)
    return 2.0 * first / abs(start) + 2.0 * (metres - first) / abs(end)


class _Speed(Activity):
    def __init__(self, action: SpeedAction, entity: Entity, end: float, length: float) -> None:
        super().__init__()
        self._target, self._dynamics = action.target, action.dynamics
        self._change = Transition(SHAPES[action.dynamics.shape], entity.motion.speed, end, length)
        self._elapsed = 0.0

    def travel(self, entity: Entity, world: World, dt_s: float) -> tuple[float, float]:
        """See :class:`Activity`."""
        before, self._elapsed = self._elapsed, self._elapsed + dt_s
        if self._target.entity is not None:
            # The goal moves: the shape goes from the start to wherever the goal is now.
            start, goal = self._change.start, entity.attainable(self._target.speed(world))
            length = self._change.length
            if self._dynamics.dimension == "rate" and length > 0.0:
                length = max(self._dynamics.length(goal - start), 1e-9)
            self._change = Transition(self._change.shape, start, goal, length)
            distance, new = self._chase(entity, before, dt_s)
            reached = self._elapsed >= length - 1e-9 and abs(new - goal) < 1e-6
            self.done = reached and not self._target.continuous
            return distance, new
        if self._elapsed >= self._change.length - 1e-9:
            self.done = True
        return self._change.integral(before, self._elapsed), self._change.value(self._elapsed + 1e-9)

    def _chase(self, entity: Entity, before: float, dt_s: float) -> tuple[float, float]:
        """Return the step towards a goal that may have jumped: never harder than the entity can."""
        old, wanted = entity.motion.speed, self._change.value(self._elapsed + 1e-9)
        reach = entity.hardest(wanted - old) * dt_s
        if abs(wanted - old) <= reach + 1e-9:
            return self._change.integral(before, self._elapsed), wanted
        new = old + math.copysign(reach, wanted - old)
        return 0.5 * (old + new) * dt_s, new


@private_action("LongitudinalAction/SpeedAction")
def read(node: Node, reader: Reader) -> SpeedAction:
    """Read ``SpeedAction``."""
    dynamics = read_dynamics(node.one("SpeedActionDynamics"))
    child = node.one("SpeedActionTarget").only()
    if child.tag == "AbsoluteTargetSpeed":
        # Negative speeds drive backwards.
        return SpeedAction(dynamics, Target(child.number("value")))
    if child.tag == "RelativeTargetSpeed":
        target = Target(
            child.number("value"), reader.entity(child),
            child.choice("speedTargetValueType", ("delta", "factor")) == "factor", child.boolean("continuous"),
        )  # fmt: skip
        if target.continuous and dynamics.dimension == "distance":
            raise child.error("a continuous target cannot be reached over a distance", remedy="use time or rate")
        return SpeedAction(dynamics, target)
    raise child.error("unknown kind of target speed")

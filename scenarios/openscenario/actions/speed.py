"""SpeedAction."""

from __future__ import annotations

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
    2 X / (v0 + v1) seconds. (Taking the shape over metres instead, as one engine does, never leaves a standstill.)
    """

    dynamics: TransitionDynamics
    target: Target
    domains: ClassVar[frozenset[str]] = LONGITUDINAL

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        start, end = entity.motion.speed, self.target.speed(world)
        length = self.dynamics.length(end - start)
        if self.dynamics.dimension == "distance" and length > 0.0:
            length = 2.0 * length / abs(start + end) if start + end != 0.0 else 0.0
        if length <= 0.0:
            entity.set_speed(end)
            return _Speed(self, entity, end, 0.0) if self.target.continuous else None
        return _Speed(self, entity, end, length)


class _Speed(Activity):
    def __init__(self, action: SpeedAction, entity: Entity, end: float, length: float) -> None:
        super().__init__()
        self._target = action.target
        self._change = Transition(SHAPES[action.dynamics.shape], entity.motion.speed, end, length)
        self._elapsed = 0.0

    def travel(self, entity: Entity, world: World, dt_s: float) -> tuple[float, float]:
        """See :class:`Activity`."""
        before, self._elapsed = self._elapsed, self._elapsed + dt_s
        if self._target.continuous:
            # The goal moves: the shape goes from the start to wherever the goal is now.
            self._change = Transition(
                self._change.shape, self._change.start, self._target.speed(world), self._change.length
            )
        elif self._elapsed >= self._change.length - 1e-9:
            self.done = True
        return self._change.integral(before, self._elapsed), self._change.value(self._elapsed + 1e-9)


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

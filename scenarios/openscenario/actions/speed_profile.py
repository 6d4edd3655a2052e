"""SpeedProfileAction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from scenarios.openscenario.actions.base import LONGITUDINAL, Activity, private_action
from scenarios.openscenario.limits import read_limits
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class SpeedProfile:
    """Runs through speeds, linearly between them.

    Each entry is (speed, seconds since the entry before); without a time it is reached as fast as ``limits`` allow.
    With an
    entity the speeds are relative to its speed at the start.
    """

    entries: tuple[tuple[float, float | None], ...]
    acceleration: float
    deceleration: float
    entity: str | None
    domains: ClassVar[frozenset[str]] = LONGITUDINAL

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        base = 0.0 if self.entity is None else world.entity(self.entity).motion.speed
        times, speeds = [0.0], [entity.motion.speed]
        for speed, seconds in self.entries:
            goal = max(0.0, speed + base)
            if seconds is None:
                limit = self.acceleration if goal > speeds[-1] else self.deceleration
                seconds = abs(goal - speeds[-1]) / limit
            times.append(times[-1] + seconds)
            speeds.append(goal)
        if times[-1] <= 0.0:
            entity.set_speed(speeds[-1])
            return None
        first = next(i for i, t in enumerate(times) if t > 0.0) - 1
        entity.set_speed(speeds[first])
        return _Profile(times, speeds)


class _Profile(Activity):
    def __init__(self, times: list[float], speeds: list[float]) -> None:
        super().__init__()
        self._times, self._speeds = times, speeds
        self._elapsed = 0.0

    def _value(self, time: float) -> float:
        return float(np.interp(time, self._times, self._speeds))

    def travel(self, entity: Entity, world: World, dt_s: float) -> tuple[float, float]:
        """See :class:`Activity`."""
        begin, end = self._elapsed, self._elapsed + dt_s
        inner = [t for t in self._times if begin < t < end]
        points = [begin, *inner, end]
        distance = sum(0.5 * (self._value(a + 1e-12) + self._value(b - 1e-12)) * (b - a) for a, b in pairwise(points))
        self._elapsed = end
        self.done = end >= self._times[-1] - 1e-9
        return distance, self._value(end)


@private_action("LongitudinalAction/SpeedProfileAction")
def read(node: Node, reader: Reader) -> SpeedProfile:
    """Read ``SpeedProfileAction``. Following mode ``follow`` needs jerk limits, which only real controllers have."""
    if node.choice("followingMode", ("position", "follow")) == "follow":
        limits = node.maybe("DynamicConstraints")
        if limits is not None and (limits.has("maxAccelerationRate") or limits.has("maxDecelerationRate")):
            raise limits.error(
                "jerk limits (followingMode follow) are not supported", remedy="use followingMode position"
            )
    limits = node.maybe("DynamicConstraints")
    bounds = read_limits(limits)
    entries = tuple((e.number("speed"), e.maybe_number("time", minimum=0.0)) for e in node.many("SpeedProfileEntry"))
    if not entries:
        raise node.error("a speed profile needs entries")
    if any(seconds is None for _, seconds in entries) and (
        math.isinf(bounds.acceleration) or math.isinf(bounds.deceleration)
    ):
        raise node.error(
            "an entry without time needs acceleration limits", remedy="give DynamicConstraints or a time to every entry"
        )
    return SpeedProfile(
        entries, bounds.acceleration, bounds.deceleration, reader.entity(node) if node.has("entityRef") else None
    )

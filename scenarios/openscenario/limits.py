"""DynamicConstraints: how strongly an action may accelerate and brake."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scenarios.openscenario.nodes import Node


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest acceleration, deceleration (m/s^2), their rates (m/s^3) and speed (m/s); infinite where none is given."""

    acceleration: float = math.inf
    deceleration: float = math.inf
    acceleration_rate: float = math.inf
    deceleration_rate: float = math.inf
    speed: float = math.inf

    @property
    def unlimited(self) -> bool:
        """Whether nothing but the top speed is limited."""
        return math.isinf(self.acceleration) and math.isinf(self.deceleration)

    def eased(self, current: float, wanted: float, dt_s: float) -> float:
        """Return the acceleration of the next step as :meth:`step`, but let go of an acceleration at once.

        The rates bound how fast acceleration and braking build up, not how fast they end.
        """
        wanted = min(max(wanted, -self.deceleration), self.acceleration)
        if wanted < 0.0 and wanted < current:
            return max(current - self.deceleration_rate * dt_s, wanted)
        if wanted >= 0.0 and wanted > current:
            return min(current + self.acceleration_rate * dt_s, wanted)
        return wanted

    def step(self, current: float, wanted: float, dt_s: float) -> float:
        """Return the acceleration of the next step: as wanted, within the limits and their rates of change."""
        wanted = min(max(wanted, -self.deceleration), self.acceleration)
        return min(max(wanted, current - self.deceleration_rate * dt_s), current + self.acceleration_rate * dt_s)


def read_limits(node: Node | None) -> Limits:
    """Read ``DynamicConstraints``; what is absent is not limited."""
    if node is None:
        return Limits()
    limits = Limits(
        node.number("maxAcceleration", math.inf),
        node.number("maxDeceleration", math.inf),
        node.number("maxAccelerationRate", math.inf),
        node.number("maxDecelerationRate", math.inf),
        node.number("maxSpeed", math.inf, minimum=0.0),
    )
    for value in (limits.acceleration, limits.deceleration, limits.acceleration_rate, limits.deceleration_rate):
        if value <= 0.0:
            raise node.error("limits must be above 0")
    return limits

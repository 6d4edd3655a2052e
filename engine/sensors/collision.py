"""``sensor.other.collision``."""

from __future__ import annotations

import numpy as np

from engine.sensors.base import Sensor, SensorContext, register
from engine.sensors.messages import collision_body, scenery


@register("sensor.other.collision")
class Collision(Sensor):
    """One event per frame and thing that the parent touched, with the impulse that acted on the parent."""

    type_index = 0

    def capture(self, context: SensorContext) -> bytes | None:
        """Return the first event of the frame; :meth:`captures` returns them all."""
        bodies = self.captures(context)
        return bodies[0] if bodies else None

    def captures(self, context: SensorContext) -> list[bytes]:
        """Return one event for each actor, and for each kind of scenery, that touched the parent in this frame."""
        parent = int(context.table[self.actor_id]["parent"])
        impulses: dict[tuple[int, int], np.ndarray] = {}
        for contact in context.contacts:
            impulse = np.asarray(contact.impulse, dtype=np.float64)
            if contact.actor_a == parent:
                key = (contact.actor_b, 0 if contact.actor_b else contact.tag_b)
            elif contact.actor_b == parent:
                key, impulse = (contact.actor_a, 0), -impulse
            else:
                continue
            impulses[key] = impulses.get(key, np.zeros(3)) + impulse
        if not impulses or parent not in context.table:
            return []
        own = context.actor_struct(parent)
        return [
            collision_body(own, context.actor_struct(other) if other else scenery(tag), list(impulse))
            for (other, tag), impulse in sorted(impulses.items(), key=lambda item: item[0])
        ]

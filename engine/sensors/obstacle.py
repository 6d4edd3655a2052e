"""``sensor.other.obstacle``."""

from __future__ import annotations

from collections.abc import Mapping

from engine.sensors.base import Sensor, SensorContext, boolean, note_without_effect, number, register
from engine.sensors.messages import obstacle_body, scenery
from engine.state import Kind


@register("sensor.other.obstacle")
class Obstacle(Sensor):
    """A sphere of ``hit_radius`` moved ahead by up to ``distance``; tells what it touches first and how far off.

    The parent is passed through, as in CARLA. Without ``only_dynamics`` everything stops the sphere, the road too:
    a sensor mounted lower than its radius reports the ground at distance 0, on CARLA's server as well.
    ``debug_linetrace`` draws in the server's window only; a headless server has none, so it changes nothing.
    """

    type_index = 7

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self.distance_m = number(attributes, "distance", 5.0)
        self.hit_radius_m = number(attributes, "hit_radius", 0.5)
        self.only_dynamics = boolean(attributes, "only_dynamics", False)
        boolean(attributes, "debug_linetrace", False)
        note_without_effect("sensor.other.obstacle", attributes, ("debug_linetrace",))
        if self.hit_radius_m <= 0.0 or self.distance_m < 0.0:
            raise ValueError("attributes hit_radius and distance must be positive")

    def capture(self, context: SensorContext) -> bytes | None:
        """Return this frame's obstacle, or None when the way is free."""
        pose = self.pose(context)
        parent = int(context.table[self.actor_id]["parent"])
        ignore = {self.actor_id, parent, *self.ignored}
        if self.only_dynamics:
            rows = context.table.rows
            fixed = (rows["kind"] == Kind.TRAFFIC_LIGHT) | (rows["kind"] == Kind.TRAFFIC_SIGN)
            ignore |= {int(i) for i in rows["id"][fixed]}
        found = context.rays.sweep(
            pose[:3, 3], pose[:3, 0], self.hit_radius_m, self.distance_m, ignore, static=not self.only_dynamics
        )
        if found is None:
            return None
        own = context.actor_struct(parent if parent in context.table else self.actor_id)
        other = context.actor_struct(found.actor_id) if found.actor_id else scenery(found.tag)
        return obstacle_body(own, other, found.distance_m)

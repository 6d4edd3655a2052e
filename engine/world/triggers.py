"""Traffic lights and speed signs act on vehicles through trigger boxes: see protocol section 2.11."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt

from engine.geometry import SignalSpec
from engine.protocol.structs import TrafficLightState
from engine.traffic_lights import TrafficLights
from engine.world.regions import Regions

DEFAULT_SPEED_LIMIT_KMH = 30.0
"""A vehicle's limit until it passes a sign, whatever the road says: CARLA's, and its traffic manager counts on it."""
_GREEN = int(TrafficLightState.GREEN)


class Triggers:
    """Keeps the light and speed limit fields of vehicles' rows.

    Entering a light's box puts the light into the vehicle's record, leaving clears it (state back to green);
    entering a speed sign's box sets the limit, which stays.

    Args:
        signals: (actor id, signal) of all lights and signs.
        lights: their states.
    """

    def __init__(self, signals: Sequence[tuple[int, SignalSpec]], lights: TrafficLights) -> None:
        self._lights = lights
        light_boxes = [(i, box) for i, s in signals if s.kind == "traffic.traffic_light" for box in s.trigger_boxes]
        signs = [(i, s) for i, s in signals if s.value > 0.0 and s.trigger_boxes]
        # Together, those of lights first: looking costs per call, not per box.
        self._regions = Regions(light_boxes + [(i, box) for i, s in signs for box in s.trigger_boxes])
        self._of_lights = len(light_boxes)
        self._limit_kmh = {i: s.value for i, s in signs}
        self._inside: dict[int, list[int]] = {}

    def forget(self, actor_id: int) -> None:
        """Drop a vehicle."""
        self._inside.pop(actor_id, None)

    @property
    def active(self) -> bool:
        """Whether there is any trigger box."""
        return bool(len(self._regions))

    def clearance(self, places: npt.NDArray, reach: npt.NDArray) -> npt.NDArray:
        """Return (V,) metres that vehicles may travel before they can touch a trigger box; negative near one."""
        return self._regions.clearance(places, reach)

    def update(
        self, rows: npt.NDArray, index: npt.NDArray, centers: npt.NDArray, extents: npt.NDArray, yaw_deg: npt.NDArray
    ) -> None:
        """Update the rows of vehicles: of all of them, or at least of those that are near a box or were in one.

        Args:
            rows: the actor table's rows.
            index: (V,) row numbers of the vehicles.
            centers, extents, yaw_deg: their boxes in the world, as :meth:`Regions.overlaps` takes them.
        """
        vehicle, region = self._regions.overlaps(centers, extents, yaw_deg)
        owner, light = self._regions.owner[region], region < self._of_lights
        self._update_lights(rows, index, vehicle[light], owner[light])
        if not light.all():
            for v, sign in zip(vehicle[~light], owner[~light]):
                rows[index[v]]["speed_limit"] = self._limit_kmh[int(sign)]

    def _update_lights(self, rows: npt.NDArray, index: npt.NDArray, vehicle: npt.NDArray, light: npt.NDArray) -> None:
        # Plain lists and columns: a row of a structured array as an object of its own costs ten times as much.
        ids = rows["id"][index].tolist()
        now: dict[int, list[int]] = {}
        for v, owner in zip(vehicle.tolist(), light.tolist()):
            now.setdefault(ids[v], []).append(owner)
        if not (now or self._inside):
            return
        row_of = dict(zip(ids, index.tolist()))
        has_light, light_id, light_state = rows["has_light"], rows["light_id"], rows["light_state"]
        for actor_id in sorted(self._inside.keys() - now.keys()):
            if actor_id in row_of:
                at = row_of[actor_id]
                has_light[at], light_id[at], light_state[at] = 0, 0, _GREEN
        for actor_id, lights in now.items():
            # Boxes entered first stay first, so the newest one is the last.
            before = [known for known in self._inside.get(actor_id, ()) if known in lights]
            order = before + sorted(set(lights) - set(before))
            now[actor_id] = order
            at = row_of[actor_id]
            has_light[at], light_id[at] = 1, order[-1]
            light_state[at] = self._lights.light_state(order[-1])
        self._inside = now

"""The light manager's lamps: the street lamps of the map, switchable by clients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.geometry import StaticWorld
from engine.protocol.structs import Color, LightState, Location, MapLayer
from foundation.frames import transform_points

STREET_GROUP = 2
DEFAULT_INTENSITY = 5000.0


class SceneLights:
    """Lamps by id. Clients change them; what they set is what every client reads.

    A lamp is an object of the street light layer; its id is its number in the map, from 0.
    """

    def __init__(self, static: StaticWorld) -> None:
        lamps = [thing for thing in static.objects if thing.layer & MapLayer.STREET_LIGHTS]
        self.object_ids = {number: thing.id for number, thing in enumerate(lamps)}
        self._states: dict[int, LightState] = {}
        self.day_night_cycle = True
        self._changed: dict[int, None] = {}
        for number, thing in enumerate(lamps):
            box = thing.model.box
            top = np.add(box.center, (0.0, 0.0, box.extent[2]))
            at = transform_points(thing.pose, top[None])[0]
            self._states[number] = LightState(
                number, Location(*at.tolist()), DEFAULT_INTENSITY, STREET_GROUP, Color(255, 244, 214), False
            )

    def states(self) -> list[LightState]:
        """Return all lamps."""
        return list(self._states.values())

    def update(self, changes: Sequence[LightState]) -> None:
        """Take over what a client set; lamps that do not exist are ignored, places cannot be moved."""
        for change in changes:
            known = self._states.get(change.id)
            if known is not None:
                self._states[change.id] = LightState(
                    change.id, known.location, change.intensity, change.group, change.color, change.active
                )
                self._changed[change.id] = None

    def take_changes(self) -> list[LightState]:
        """Return the lamps that were changed since the last call (the recorder's)."""
        changed = [self._states[number] for number in self._changed]
        self._changed.clear()
        return changed

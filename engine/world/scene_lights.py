"""The light manager's lamps: the street lamps of the map, switched by clients, by the sun and by replays."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.geometry import Model, StaticWorld
from engine.protocol.structs import Color, LightState, Location, MapLayer
from foundation.frames import transform_points

STREET_GROUP = 2
DEFAULT_INTENSITY = 5000.0
DEFAULT_COLOR = Color(255, 217, 160)
"""Warm white, like the lamps of our streets."""
DUSK = 0.01
"""Sine of the sun's altitude below which it is night; the renderer lights windows from there on, too."""
TOLD_FRAMES = 5
"""In so many snapshots clients are told that lamps have changed: a slow one may miss some."""
LAMP_MATERIAL = "street_lamp"


class SceneLights:
    """Lamps by id. Clients change them; what they set is what every client reads.

    A lamp is an object of the street light layer; its id is its number in the map, from 0. While the day and night
    cycle is on, dusk switches all street lamps on and dawn off; in between they stay as clients set them, as in CARLA.

    Args:
        static: the map.
        altitude_deg: the sun's altitude at the beginning.

    Attributes:
        version: grows with every change of a lamp.
    """

    def __init__(self, static: StaticWorld, altitude_deg: float = 90.0) -> None:
        lamps = [thing for thing in static.objects if thing.layer & MapLayer.STREET_LIGHTS]
        self.object_ids = {number: thing.id for number, thing in enumerate(lamps)}
        self.version = 0
        self._day_night_cycle = True
        self._night = _is_night(altitude_deg)
        self._changed: dict[int, None] = {}
        self._told = 0
        self._states: dict[int, LightState] = {}
        for number, thing in enumerate(lamps):
            at = transform_points(thing.pose, _lamp_of(thing.model)[None])[0]
            self._states[number] = LightState(
                number, Location(*at.tolist()), DEFAULT_INTENSITY, STREET_GROUP, DEFAULT_COLOR, self._night
            )

    def states(self) -> list[LightState]:
        """Return all lamps."""
        return list(self._states.values())

    # --- clients -------------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether clients have lamps to query again: what the snapshot tells.

        All clients are told, also the one that made the change: they name themselves by the server's address, so
        they cannot be told apart.
        """
        return self._told > 0

    def published(self) -> None:
        """Count a snapshot."""
        self._told = max(self._told - 1, 0)

    def update(self, changes: Sequence[LightState]) -> None:
        """Take over what a client (or a replay) set; all clients are told.

        Lamps that do not exist are ignored, places cannot be moved, and an intensity that is no number is none.
        """
        for change in changes:
            known = self._states.get(change.id)
            if known is None:
                continue
            intensity = change.intensity if math.isfinite(change.intensity) else 0.0
            self._set(LightState(known.id, known.location, intensity, change.group, change.color, change.active))

    def _set(self, lamp: LightState) -> None:
        if lamp == self._states[lamp.id]:
            return
        self._states[lamp.id] = lamp
        self._changed[lamp.id] = None
        self.version += 1
        self._told = TOLD_FRAMES

    # --- day and night -------------------------------------------------------------------------------------------

    @property
    def day_night_cycle(self) -> bool:
        """Whether lamps follow the sun."""
        return self._day_night_cycle

    @day_night_cycle.setter
    def day_night_cycle(self, active: bool) -> None:
        if active and not self._day_night_cycle:
            self._switch_street_lamps()
        self._day_night_cycle = active

    def follow_sun(self, altitude_deg: float) -> None:
        """Switch street lamps at dusk and dawn."""
        night = _is_night(altitude_deg)
        if night != self._night:
            self._night = night
            if self._day_night_cycle:
                self._switch_street_lamps()

    def _switch_street_lamps(self) -> None:
        for lamp in self.states():
            if lamp.group == STREET_GROUP:
                self._set(LightState(lamp.id, lamp.location, lamp.intensity, lamp.group, lamp.color, self._night))

    # --- who looks at them ---------------------------------------------------------------------------------------

    def shining(self) -> dict[int, tuple[float, float, float, float]]:
        """Return what the renderer draws, by object id: colour (sRGB, 0..1) and brightness, 1 for a lamp as it was.

        Lamps that are off are black and dark.
        """
        found = {}
        for number, lamp in self._states.items():
            brightness = max(lamp.intensity, 0.0) / DEFAULT_INTENSITY if lamp.active else 0.0
            color = (lamp.color.r / 255.0, lamp.color.g / 255.0, lamp.color.b / 255.0)
            found[self.object_ids[number]] = (*color, brightness)
        return found

    def take_changes(self) -> list[LightState]:
        """Return the lamps that were changed since the last call (the recorder's)."""
        changed = [self._states[number] for number in self._changed]
        self._changed.clear()
        return changed


def _is_night(altitude_deg: float) -> bool:
    return math.sin(math.radians(altitude_deg)) < DUSK


def _lamp_of(model: Model) -> np.ndarray:
    """Return the middle of a street lamp's light, or the top of a model that has none, in the model's frame."""
    shades = [mesh.vertices for mesh in model.meshes if mesh.material.name == LAMP_MATERIAL and len(mesh.vertices)]
    if shades:
        points = np.concatenate(shades)
        return np.asarray((points.min(axis=0) + points.max(axis=0)) / 2.0, dtype=np.float64)
    return np.add(model.box.center, (0.0, 0.0, model.box.extent[2]))

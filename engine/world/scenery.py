"""What of a map's static world is there: layers that are loaded, objects that are enabled.

As in CARLA only maps whose names end in ``_Opt`` have layers; roads, pavements, lights and signs always stay. What
is hidden is hidden from cameras, rays and bodies alike.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.geometry import StaticObject, StaticWorld
from engine.protocol.structs import MapLayer
from foundation.ids import Tag

ALL_LAYERS = int(MapLayer.ALL)
LAYERED_SUFFIX = "_Opt"
_ALWAYS = (Tag.ROADS, Tag.SIDEWALKS)
_SIGNAL = 0x5159 << 48
"""Marks the object ids of lights and signs; the actor id is in the low half."""


def signal_object_id(actor_id: int) -> int:
    """Return the id under which a light or sign is an object of the level."""
    return _SIGNAL | actor_id


def is_layered(map_name: str) -> bool:
    """Whether a map has layers that can be taken out."""
    return map_name.endswith(LAYERED_SUFFIX)


class Scenery:
    """The static objects of an episode. Lights and signs are actors, but count as objects of the level, too.

    Args:
        static: the map's world.
        signals: actor ids of its lights and signs.
        layers: bits of ``MapLayer`` that are loaded at first.

    Attributes:
        hidden: ids of static objects that are not there.
        hidden_signals: actor ids of lights and signs that are not there.
    """

    def __init__(self, static: StaticWorld, signals: Iterable[int] = (), layers: int = ALL_LAYERS) -> None:
        self._objects = static.objects
        self._known = {thing.id for thing in static.objects} | {signal_object_id(actor_id) for actor_id in signals}
        self._layers = layers & ALL_LAYERS
        self._disabled: set[int] = set()
        self._refresh()

    def load(self, layers: int) -> None:
        """Bring layers in; objects that were disabled one by one stay so."""
        self._layers |= layers & ALL_LAYERS
        self._refresh()

    def unload(self, layers: int) -> None:
        """Take layers out."""
        self._layers &= ~layers
        self._refresh()

    def enable(self, object_ids: Iterable[int], enabled: bool) -> None:
        """Show or hide single objects; unknown ids are left out, as in CARLA."""
        ids = self._known.intersection(object_ids)
        self._disabled = self._disabled - ids if enabled else self._disabled | ids
        self._refresh()

    def loaded(self) -> list[StaticObject]:
        """Return the objects of loaded layers, the disabled ones included."""
        return [thing for thing in self._objects if self._in_loaded_layer(thing)]

    def _refresh(self) -> None:
        self.hidden = frozenset(
            thing.id for thing in self._objects if thing.id in self._disabled or not self._in_loaded_layer(thing)
        )
        self.hidden_signals = frozenset(
            number & ~_SIGNAL for number in self._disabled if number & _SIGNAL == _SIGNAL and number & ~_SIGNAL < 2**32
        )

    def _in_loaded_layer(self, thing: StaticObject) -> bool:
        if thing.layer == MapLayer.GROUND and thing.tag in _ALWAYS:
            return True
        return self._layers == ALL_LAYERS or bool(thing.layer & self._layers)

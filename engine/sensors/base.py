"""What a sensor is: made from blueprint attributes, asked once per frame for message bodies.

The world owns sockets, headers and time; a sensor turns one frame's state into bytes. A module registers what it
provides with :func:`register`; ``engine.sensors.SENSORS`` is the table the world looks blueprints up in.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from engine.protocol.structs import Actor
from engine.state import ActorTable
from foundation.frames import pose_matrices
from foundation.seeds import generator

if TYPE_CHECKING:
    from engine.raycast import RayCaster
    from engine.sensors.radio import Air

_log = logging.getLogger(__name__)

Matrix = npt.NDArray[np.float64]


class Contact(Protocol):
    """One touching pair of bodies in a frame. ``actor_b`` is 0 for the static world."""

    @property
    def actor_a(self) -> int:
        """Actor id of the first body."""

    @property
    def actor_b(self) -> int:
        """Actor id of the second body, 0 for scenery."""

    @property
    def tag_b(self) -> int:
        """Semantic tag of the scenery that was touched; of no meaning when ``actor_b`` is not 0."""

    @property
    def impulse(self) -> Sequence[float]:
        """(3,) N s, world axes: the impulse that acted on ``actor_a``; on ``actor_b`` acts its opposite."""


class SensorContext(Protocol):
    """The frame a sensor looks at. The world implements it; everything is of the frame just simulated."""

    frame: int
    """Frame number."""
    elapsed_s: float
    """Simulation seconds since the episode began."""
    delta_s: float
    """Length of this frame, seconds."""
    table: ActorTable
    """All actors, the sensors themselves included, with world poses."""
    rays: RayCaster
    """Ray caster, updated to this frame."""
    contacts: Sequence[Contact]
    """Contacts of this frame."""
    weather: object
    """The ``WeatherParameters`` in force."""
    origin_lat_lon: tuple[float, float]
    """Geographic origin of the map, degrees."""
    gravity: float
    """What the IMU adds on world z, m/s^2 (``set_imui_gravity``)."""
    air: Air
    """What V2X sensors sent in this frame."""
    spectator: int
    """Actor id of the spectator: cameras on it show what CARLA's window shows."""

    def actor_struct(self, actor_id: int) -> Actor:
        """Return the wire struct of a live actor; KeyError for an id that is not there."""


class Sensor(ABC):
    """One sensor actor.

    Attributes:
        type_index: number of the message type in the stream header (protocol section 4).
        actor_id: the sensor's own actor id; its row of the table holds its world pose.
        period_s: the blueprint's ``sensor_tick``: least simulated time between captures, 0 for every frame.
            The world keeps the clock: it calls :meth:`captures` only when a capture is due and someone listens.
        rng: this sensor's own random stream. A ``noise_seed`` other than 0 fixes it alone, as in CARLA, whatever
            id the actor got; otherwise it comes from the world's seed and the actor id.
    """

    type_index: int
    is_camera = False
    sees = False
    """Whether shapes of other actors matter to it, down to their feet."""
    ignored: frozenset[int] = frozenset()
    """Actors that this sensor does not meet (``set_ignored_vehicles``)."""
    transmits = False
    """Whether :meth:`transmit` is called in every frame."""

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        self.attributes = dict(attributes)
        self.actor_id = actor_id
        self.period_s = number(attributes, "sensor_tick", 0.0)
        noise_seed = integer(attributes, "noise_seed", 0)
        self.rng = generator(noise_seed, "noise_seed") if noise_seed else generator(seed, "sensor", actor_id)

    @property
    def enabled(self) -> bool:
        """Whether it captures at all."""
        return True

    @abstractmethod
    def capture(self, context: SensorContext) -> bytes | None:
        """Return the body of this frame's message (without the 48-byte header), or None for no message."""

    def transmit(self, context: SensorContext) -> None:  # noqa: B027 - most sensors send nothing out
        """Act on the world before anyone measures, whether someone listens or not; only if ``transmits``."""

    def captures(self, context: SensorContext) -> list[bytes]:
        """Return the bodies of all messages of this frame. Most sensors send one; collision one per pair."""
        body = self.capture(context)
        return [] if body is None else [body]

    def pose(self, context: SensorContext) -> Matrix:
        """Return (4, 4) world-from-sensor."""
        row = context.table[self.actor_id]
        return pose_matrices(row["location"], row["rotation"])


SensorFactory = Callable[..., Sensor]
"""``factory(attributes, actor_id, seed=0) -> Sensor``; attributes are CARLA's texts by name."""

REGISTRY: dict[str, SensorFactory] = {}
Registered = TypeVar("Registered", bound=SensorFactory)


def register(*blueprint_ids: str) -> Callable[[Registered], Registered]:
    """Class decorator: this factory makes the sensors of these blueprints. Registering one twice is an error."""

    def keep(factory: Registered) -> Registered:
        for blueprint_id in blueprint_ids:
            if blueprint_id in REGISTRY:
                raise ValueError(f"{blueprint_id} has two sensor classes: {REGISTRY[blueprint_id]} and {factory}")
            REGISTRY[blueprint_id] = factory
        return factory

    return keep


def number(attributes: Mapping[str, str], name: str, default: float) -> float:
    """Return a float attribute. CARLA writes some with an f suffix (``3.5f``).

    Raises:
        ValueError: the text is not a finite number; the message names the attribute.
    """
    text = attributes.get(name)
    if text is None or text == "":
        return default
    try:
        value = float(text.rstrip("fF"))
    except ValueError:
        raise ValueError(f"attribute {name}: {text!r} is not a number") from None
    if not np.isfinite(value):
        raise ValueError(f"attribute {name}: {text!r} is not a finite number")
    return value


def integer(attributes: Mapping[str, str], name: str, default: int) -> int:
    """Return an integer attribute; ``64.0`` is 64, as to CARLA. ValueError names it when the text is not one."""
    text = attributes.get(name)
    if text is None or text == "":
        return default
    try:
        return int(text.removesuffix(".0"))
    except ValueError:
        raise ValueError(f"attribute {name}: {text!r} is not an integer") from None


def boolean(attributes: Mapping[str, str], name: str, default: bool) -> bool:
    """Return a boolean attribute (``true``/``false`` in any case, or 1/0)."""
    text = attributes.get(name)
    if text is None or text == "":
        return default
    lowered = text.lower()
    if lowered not in ("true", "false", "1", "0"):
        raise ValueError(f"attribute {name}: {text!r} is not a boolean")
    return lowered in ("true", "1")


_noted: set[tuple[str, str]] = set()


def note_without_effect(blueprint_id: str, attributes: Mapping[str, str], names: Collection[str]) -> None:
    """Log, once for each, attributes that a client sets to other values than CARLA's but that change nothing here."""
    from engine.blueprints import SENSORS as SPECS

    defaults = SPECS[blueprint_id].defaults
    for name in sorted(set(names) & set(attributes)):
        if attributes[name] in ("", defaults[name]) or (blueprint_id, name) in _noted:
            continue
        with suppress(ValueError):
            if number(attributes, name, 0.0) == float(defaults[name]):
                continue
        _noted.add((blueprint_id, name))
        _log.warning("%s: attribute %s has no effect here", blueprint_id, name)


def interval_s(earlier_s: float, later_s: float) -> float:
    """Return the time between two clock readings, rounded to nanoseconds.

    The clock is a running sum: the same step comes out with other last bits when the episode is older, and a sensor's
    bytes must not depend on how long a server has run.
    """
    return round(later_s - earlier_s, 9)

"""What the V2X sensors share: messages in the air, and which of them arrive."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.sensors.base import SensorContext, boolean, number
from engine.state import Kind
from sensors.models import v2x
from sensors.models.v2x import Path

ANTENNA_OVER_ROOF_M = 0.02
FARTHEST_M = 1e5


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way. ``sender``: the actor that carries the antenna; ``record``: what follows the power."""

    sender: int
    power_dbm: float
    record: bytes


@dataclass(slots=True)
class Air:
    """Everything sent in a frame, by the sender's V2X sensor. Nothing lasts longer than a frame."""

    cam: dict[int, list[Letter]] = field(default_factory=dict)
    custom: dict[int, list[Letter]] = field(default_factory=dict)

    def clear(self) -> None:
        """Begin a frame."""
        self.cam.clear()
        self.custom.clear()


class Radio:
    """An antenna and the path loss model of its blueprint.

    Raises:
        ValueError: an attribute is of no use.
    """

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self.power_dbm = number(attributes, "transmit_power", 21.5)
        self._sensitivity_dbm = number(attributes, "receiver_sensitivity", -99.0)
        self._gain_db = number(attributes, "combined_antenna_gain", 10.0)
        self._frequency_ghz = number(attributes, "frequency_ghz", 5.9)
        self._exponent = number(attributes, "path_loss_exponent", 2.7)
        self._reference_m = number(attributes, "d_ref", 1.0)
        self._filter_m = number(attributes, "filter_distance", 500.0)
        self._etsi_fading = boolean(attributes, "use_etsi_fading", True)
        self._fading_db = number(attributes, "custom_fading_stddev", 0.0)
        self._scenario = attributes.get("scenario") or "highway"
        self._model = attributes.get("path_loss_model") or "winner"
        if self._scenario not in v2x.FADING_DB:
            raise ValueError(f"attribute scenario: {self._scenario!r} is none of {sorted(v2x.FADING_DB)}")
        if self._model not in ("winner", "geometric"):
            raise ValueError(f"attribute path_loss_model: {self._model!r} is neither winner nor geometric")
        if self._frequency_ghz <= 0.0 or self._reference_m <= 0.0:
            raise ValueError("attributes frequency_ghz and d_ref must be positive")

    def received(
        self, letters: list[Letter], receiver: int, context: SensorContext, rng: np.random.Generator
    ) -> list[tuple[float, bytes]]:
        """Return (power in dBm, record) of the letters that arrive at an actor."""
        arrived = []
        power: dict[tuple[int, float], float | None] = {}
        for letter in letters:
            key = letter.sender, letter.power_dbm
            if key not in power:
                power[key] = self._power(letter, receiver, context, rng)
            strength = power[key]
            if strength is not None:
                arrived.append((strength, letter.record))
        return arrived

    def _power(self, letter: Letter, receiver: int, context: SensorContext, rng: np.random.Generator) -> float | None:
        """Return the power that arrives; None when it is too far or too weak."""
        if letter.sender not in context.table or receiver not in context.table or letter.sender == receiver:
            return None
        own, other = _antenna(context, receiver), _antenna(context, letter.sender)
        distance = float(np.linalg.norm(own - other))
        if not distance < self._filter_m:
            return None
        distance = max(distance, 1e-3)
        # Heights count from the lower one of the two actors.
        ground = min(float(context.table[i]["location"][2]) for i in (receiver, letter.sender))
        path, edges = _between(context, own, other, {receiver, letter.sender}, ground)
        loss = self._loss_db(path, distance, own, other, edges, ground)
        sigma = v2x.FADING_DB[self._scenario][path] if self._etsi_fading else self._fading_db
        loss += sigma * float(rng.standard_normal())
        power = letter.power_dbm + self._gain_db - loss
        return power if power >= self._sensitivity_dbm else None

    def _loss_db(
        self,
        path: Path,
        distance: float,
        own: npt.NDArray[np.float64],
        other: npt.NDArray[np.float64],
        edges: list[npt.NDArray[np.float64]],
        ground: float,
    ) -> float:
        frequency = self._frequency_ghz
        if self._model == "winner":
            loss = v2x.winner_db(path, self._scenario, distance, frequency)
        elif path is Path.FREE:
            loss = v2x.two_ray_db(distance, float(own[2]) - ground, float(other[2]) - ground, frequency)
        elif path is Path.BUILDINGS:
            loss = v2x.log_distance_db(distance, self._reference_m, self._exponent, frequency)
        else:
            loss = v2x.free_space_db(distance, frequency)
        if path is Path.VEHICLES:
            loss += max(
                v2x.knife_edge_db(
                    math.dist(own[:2], edge[:2]), math.dist(other[:2], edge[:2]), float(edge[2]), frequency
                )
                for edge in edges
            )
        return loss


def _antenna(context: SensorContext, actor_id: int) -> npt.NDArray[np.float64]:
    """Return the (3,) place of an actor's antenna, just above its roof."""
    place = np.array(context.table[actor_id]["location"], dtype=np.float64)
    place[2] += 2.0 * context.actor_struct(actor_id).bounding_box.extent.z + ANTENNA_OVER_ROOF_M
    return place


def _between(
    context: SensorContext,
    start: npt.NDArray[np.float64],
    end: npt.NDArray[np.float64],
    carriers: set[int],
    ground: float,
) -> tuple[Path, list[npt.NDArray[np.float64]]]:
    """Return what lies between two antennas, and x, y and height over ``ground`` of the vehicles among it."""
    length = float(np.linalg.norm(end - start))
    if not 0.0 < length < FARTHEST_M:
        return Path.FREE, []
    hits = context.rays.cast_all(start, (end - start) / length, length, carriers)
    path, edges = Path.FREE, []
    for actor_id in hits.actor_id.tolist():
        if not actor_id or context.table[actor_id]["kind"] != Kind.VEHICLE:
            return Path.BUILDINGS, []
        edge = _antenna(context, actor_id)
        edge[2] -= ground
        path = Path.VEHICLES
        edges.append(edge)
    return path, edges

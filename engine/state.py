"""State is arrays: one structured row per actor, read by the encoder, the renderer and the ray caster.

No per-actor Python objects on the hot path: physics writes rows, everybody else reads columns.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Kind(IntEnum):
    """What an actor is; it decides the union in its snapshot record."""

    OTHER = 0
    VEHICLE = 1
    WALKER = 2
    PROP = 3
    TRAFFIC_LIGHT = 4
    TRAFFIC_SIGN = 5
    SENSOR = 6


ACTOR_DTYPE = np.dtype(
    [
        ("id", "u4"),
        ("kind", "u1"),
        ("parent", "u4"),
        ("location", "f8", 3),  # m, world, CARLA frame
        ("rotation", "f8", 3),  # pitch, yaw, roll, degrees
        ("velocity", "f8", 3),  # m/s, world
        ("angular_velocity", "f8", 3),  # deg/s, world
        ("acceleration", "f8", 3),  # m/s^2, world: velocity difference over the frame
        ("throttle", "f4"),
        ("steer", "f4"),
        ("brake", "f4"),
        ("hand_brake", "u1"),
        ("reverse", "u1"),
        ("manual", "u1"),
        ("gear", "i4"),
        ("speed_limit", "f4"),  # km/h
        ("light_state", "u1"),  # of the traffic light that affects the vehicle: 0 red .. 4 unknown
        ("has_light", "u1"),
        ("light_id", "u4"),
        ("failure", "u1"),
        ("walk_direction", "f4", 3),
        ("walk_speed", "f4"),
        ("jump", "u1"),
        ("gait_phase", "f8"),  # cycles walked: grows with distance, so feet do not skate
        ("gait_speed", "f4"),  # m/s over ground, decides the stride
        ("feet", "f4", (2, 5)),  # left, right: x, y, turn, lift from the gait's place (m, rad), share of standing
        ("wheel_steer", "f4", 4),  # degrees, FL FR RL RR
        ("wheel_spin", "f8"),  # radians rolled by the wheels
        ("lights", "u4"),  # VehicleLightState flags
        ("doors", "u1"),  # open doors, bit by VehicleDoor number: FL FR RL RR hood trunk
        ("pose", "u4"),  # changes whenever a walker's custom pose does (engine.world.poses)
    ]
)


class ActorTable:
    """Rows of :data:`ACTOR_DTYPE`, dense, found by actor id.

    Removing a row moves the last one into its place, so hold ids, never row numbers, across a removal.
    ``rows`` is a view of the live rows; write through it.

    Attributes:
        layout: grows whenever a row is added or moved, for those who keep row numbers.
    """

    def __init__(self, capacity: int = 64) -> None:
        self._row_of: dict[int, int] = {}
        self.layout = 0
        self._hold(np.zeros(capacity, dtype=ACTOR_DTYPE))

    def _hold(self, data: np.ndarray) -> None:
        self._data = data
        # Looking a column up by name takes longer than writing to it.
        self._locations, self._rotations = data["location"], data["rotation"]

    @property
    def rows(self) -> np.ndarray:
        """(N,) structured view of the live rows."""
        return self._data[: len(self._row_of)]

    def __len__(self) -> int:
        return len(self._row_of)

    def __contains__(self, actor_id: int) -> bool:
        return actor_id in self._row_of

    def index(self, actor_id: int) -> int:
        """Return the row number of ``actor_id``; KeyError when it is not there."""
        return self._row_of[actor_id]

    def indices(self, actor_ids: list[int]) -> np.ndarray:
        """Return the row numbers of several actors, (len,) intp."""
        return np.fromiter((self._row_of[i] for i in actor_ids), dtype=np.intp, count=len(actor_ids))

    def add(self, actor_id: int, kind: Kind, parent: int = 0) -> np.void:
        """Append a zeroed row and return it (a writable view)."""
        if actor_id in self._row_of:
            raise ValueError(f"actor {actor_id} already has a row")
        row = len(self._row_of)
        if row == len(self._data):
            self._hold(np.concatenate([self._data, np.zeros_like(self._data)]))
        self._row_of[actor_id] = row
        self.layout += 1
        self._data[row] = np.zeros((), dtype=ACTOR_DTYPE)
        self._data[row]["id"], self._data[row]["kind"], self._data[row]["parent"] = actor_id, kind, parent
        return self._data[row]

    def place(self, actor_id: int, location: tuple[float, float, float], rotation: tuple[float, float, float]) -> None:
        """Write one actor's pose: metres, degrees."""
        row = self._row_of[actor_id]
        self._locations[row], self._rotations[row] = location, rotation

    def __getitem__(self, actor_id: int) -> np.void:
        return self._data[self._row_of[actor_id]]

    def remove(self, actor_id: int) -> None:
        """Drop a row; the last row takes its place."""
        row = self._row_of.pop(actor_id)
        self.layout += 1
        last = len(self._row_of)
        if row != last:
            self._data[row] = self._data[last]
            self._row_of[int(self._data[row]["id"])] = row

"""What a recording holds: the packets of CARLA's ``.log`` format and the records in them.

Little-endian and packed. Lengths are centimetres, angles degrees, rotations Unreal's Euler order (roll, pitch, yaw);
velocities are m/s and deg/s. Source: ``Recorder/CarlaRecorder*.h`` and ``.cpp`` of CARLA's public repository.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from engine.protocol.structs import VehiclePhysicsControl

MAGIC = "CARLA_RECORDER"
VERSION = 1
NO_ACTOR = 0xFFFFFFFF
"""Id of what is no actor, in collisions: a part of the map."""


class PacketId(IntEnum):
    """First byte of a packet."""

    FRAME_START = 0
    FRAME_END = 1
    EVENT_ADD = 2
    EVENT_DEL = 3
    EVENT_PARENT = 4
    COLLISION = 5
    POSITION = 6
    STATE = 7
    ANIM_VEHICLE = 8
    ANIM_WALKER = 9
    VEHICLE_LIGHT = 10
    SCENE_LIGHT = 11
    KINEMATICS = 12
    BOUNDING_BOX = 13
    PLATFORM_TIME = 14
    PHYSICS_CONTROL = 15
    TRAFFIC_LIGHT_TIME = 16
    TRIGGER_VOLUME = 17
    FRAME_COUNTER = 18
    WALKER_BONES = 19
    VISUAL_TIME = 20
    VEHICLE_DOOR = 21
    ANIM_VEHICLE_WHEELS = 22
    ANIM_BIKER = 23


class RecordedKind(IntEnum):
    """Kind of an actor, as its creation says."""

    OTHER = 0
    VEHICLE = 1
    WALKER = 2
    TRAFFIC_LIGHT = 3
    TRAFFIC_SIGN = 4
    SENSOR = 5


PARENTING = np.dtype([("child", "<u4"), ("parent", "<u4")])
COLLISION = np.dtype(
    [("id", "<u4"), ("actor_1", "<u4"), ("actor_2", "<u4"), ("hero_1", "u1"), ("hero_2", "u1")],
)
DOOR = np.dtype([("id", "<u4"), ("door", "u1"), ("open", "u1")])
POSITION = np.dtype([("id", "<u4"), ("location", "<f4", 3), ("rotation", "<f4", 3)])
STATE = np.dtype([("id", "<u4"), ("frozen", "u1"), ("elapsed", "<f4"), ("state", "u1")])
ANIM_VEHICLE = np.dtype(
    [("id", "<u4"), ("steer", "<f4"), ("throttle", "<f4"), ("brake", "<f4"), ("hand_brake", "u1"), ("gear", "<i4")]
)
ANIM_WALKER = np.dtype([("id", "<u4"), ("speed", "<f4")])
VEHICLE_LIGHT = np.dtype([("id", "<u4"), ("flags", "<u4")])
SCENE_LIGHT = np.dtype([("id", "<i4"), ("intensity", "<f4"), ("color", "<f4", 4), ("on", "u1"), ("group", "u1")])
BIKER = np.dtype([("id", "<u4"), ("speed", "<f4"), ("engine", "<f4")])
KINEMATICS = np.dtype([("id", "<u4"), ("velocity", "<f4", 3), ("angular_velocity", "<f4", 3)])
BOX = np.dtype([("id", "<u4"), ("origin", "<f4", 3), ("extent", "<f4", 3)])
LIGHT_TIME = np.dtype([("id", "<u4"), ("green", "<f4"), ("yellow", "<f4"), ("red", "<f4")])
DELETION = np.dtype("<u4")


@dataclass(frozen=True, slots=True)
class Info:
    """The head of a file.

    Attributes:
        date: seconds since 1970.
        map_name: the map's short name.
    """

    map_name: str
    date: int
    version: int = VERSION
    magic: str = MAGIC


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a created actor, as text; ``type`` as in the protocol (1 bool .. 5 colour)."""

    type: int
    id: str
    value: str


@dataclass(frozen=True, slots=True)
class Creation:
    """An actor that is there from this frame on.

    Attributes:
        kind: a :class:`RecordedKind`, kept as a number: files may hold others.
        location, rotation: cm and (roll, pitch, yaw) degrees, single precision; relative to the parent for an
            actor that is attached in the same frame, as CARLA writes it.
        uid, type_id: of the blueprint.
    """

    id: int
    kind: int
    location: tuple[float, float, float]
    rotation: tuple[float, float, float]
    uid: int
    type_id: str
    attributes: tuple[Attribute, ...] = ()

    @property
    def is_hero(self) -> bool:
        """Whether its ``role_name`` is "hero"."""
        return any(a.id == "role_name" and a.value == "hero" for a in self.attributes)


@dataclass(frozen=True, slots=True)
class Wheels:
    """How a vehicle's wheels stand: per wheel its number, steering angle and rolled angle, degrees."""

    id: int
    wheels: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True, slots=True)
class Bone:
    """A bone's pose in its parent bone: cm and (roll, pitch, yaw) degrees."""

    name: str
    location: tuple[float, float, float]
    rotation: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class WalkerBones:
    """The pose of a walker."""

    id: int
    bones: tuple[Bone, ...]


@dataclass(frozen=True, slots=True)
class PhysicsControl:
    """A vehicle's physics control; the format leaves out ``gear_switch_time`` and ``use_sweep_wheel_collision``."""

    id: int
    control: VehiclePhysicsControl


def _none(dtype: np.dtype) -> npt.NDArray:
    return np.zeros(0, dtype)


@dataclass(slots=True)
class Frame:
    """One recorded frame. Arrays hold the records of the dtypes above.

    Attributes:
        number: from 1.
        elapsed_s: since the recording began; 0 for its first frame.
        duration_s: until the next frame; -1 for the last, whose end is not known.
        visual_time_s: the simulation's clock, None when the file does not tell.
        additional: whether the packets of ``additional_data`` are there (kinematics and what follows it here).
    """

    number: int
    elapsed_s: float
    duration_s: float = -1.0
    visual_time_s: float | None = None
    created: tuple[Creation, ...] = ()
    deleted: npt.NDArray = field(default_factory=lambda: _none(DELETION))
    parented: npt.NDArray = field(default_factory=lambda: _none(PARENTING))
    collisions: npt.NDArray = field(default_factory=lambda: _none(COLLISION))
    doors: npt.NDArray = field(default_factory=lambda: _none(DOOR))
    positions: npt.NDArray = field(default_factory=lambda: _none(POSITION))
    states: npt.NDArray = field(default_factory=lambda: _none(STATE))
    vehicles: npt.NDArray = field(default_factory=lambda: _none(ANIM_VEHICLE))
    walkers: npt.NDArray = field(default_factory=lambda: _none(ANIM_WALKER))
    vehicle_lights: npt.NDArray = field(default_factory=lambda: _none(VEHICLE_LIGHT))
    scene_lights: npt.NDArray = field(default_factory=lambda: _none(SCENE_LIGHT))
    wheels: tuple[Wheels, ...] = ()
    bikers: npt.NDArray = field(default_factory=lambda: _none(BIKER))
    additional: bool = False
    kinematics: npt.NDArray = field(default_factory=lambda: _none(KINEMATICS))
    boxes: npt.NDArray = field(default_factory=lambda: _none(BOX))
    triggers: npt.NDArray = field(default_factory=lambda: _none(BOX))
    platform_time_s: float | None = None
    physics_controls: tuple[PhysicsControl, ...] = ()
    light_times: npt.NDArray = field(default_factory=lambda: _none(LIGHT_TIME))
    bones: tuple[WalkerBones, ...] = ()
    frame_counter: int | None = None

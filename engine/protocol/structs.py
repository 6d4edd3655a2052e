"""Every struct of CARLA 0.9.16's protocol, as immutable values with CARLA's own names and field order.

On the wire a struct is a msgpack array of its fields (``array_like``). Reading is lenient as the original is:
a short array leaves the remaining fields at their defaults, surplus elements are ignored. ``optional<X>`` is
``[false]`` or ``[true, x]``; a variant is ``[index, value]``. Units are CARLA's: metres, degrees, km/h, and
centimetres where a field says so. Axes: x forward, y right, z up (left-handed).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import msgspec


def convert(value: Any, kind: Any) -> Any:
    """Return ``value`` (plain msgpack values) as ``kind``.

    Raises:
        msgspec.ValidationError: it is none. Also for text that is not UTF-8 where a number or a struct belongs, over
            which msgspec stumbles with an error of its own.
    """
    try:
        return msgspec.convert(value, kind)
    except UnicodeEncodeError as error:
        raise msgspec.ValidationError("text that is not UTF-8 where something else belongs") from error


class ActorAttributeType(IntEnum):
    """Type of an attribute's value; the value itself always travels as text."""

    BOOL = 1
    INT = 2
    FLOAT = 3
    STRING = 4
    RGB_COLOR = 5


class TrafficLightState(IntEnum):
    """``carla.TrafficLightState``."""

    RED = 0
    YELLOW = 1
    GREEN = 2
    OFF = 3
    UNKNOWN = 4


class ActorState(IntEnum):
    """State byte of a snapshot record."""

    INVALID = 0
    ACTIVE = 1
    DORMANT = 2
    PENDING_KILL = 3


class VehicleFailureState(IntEnum):
    """Failure byte of a vehicle's snapshot record."""

    NONE = 0
    ROLLOVER = 1
    ENGINE = 2
    TIRE_PUNCTURE = 3


class AttachmentType(IntEnum):
    """How a child hangs on its parent."""

    RIGID = 0
    SPRING_ARM = 1
    SPRING_ARM_GHOST = 2


class MapLayer(IntEnum):
    """Bits of the layers of a map."""

    BUILDINGS = 1
    DECALS = 2
    FOLIAGE = 4
    GROUND = 8
    PARKED_VEHICLES = 16
    PARTICLES = 32
    PROPS = 64
    STREET_LIGHTS = 128
    WALLS = 256
    ALL = 0xFFFF


class Wire(msgspec.Struct, array_like=True, frozen=True):
    """Base of all wire structs: a msgpack array in field order."""


# --- geometry and identity (section 3.1) ---------------------------------------------------------------------


class Vector2D(Wire, frozen=True):
    """A pair of numbers."""

    x: float = 0.0
    y: float = 0.0


class Vector3D(Wire, frozen=True):
    """A vector; the unit depends on where it stands."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0


class Location(Vector3D, frozen=True):
    """A point in metres."""


class Rotation(Wire, frozen=True):
    """Pitch, yaw, roll in degrees, in this order."""

    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0


class Transform(Wire, frozen=True):
    """A pose."""

    location: Location = Location()
    rotation: Rotation = Rotation()


class BoundingBox(Wire, frozen=True):
    """Centre and half sizes in metres. ``actor_id`` is new in 0.9.16; boxes without it are accepted."""

    location: Location = Location()
    extent: Vector3D = Vector3D()
    rotation: Rotation = Rotation()
    actor_id: int = 0


class GeoLocation(Wire, frozen=True):
    """Degrees and metres."""

    latitude: float = 0.0
    longitude: float = 0.0
    altitude: float = 0.0


class TokenBox(Wire, frozen=True):
    """A stream token where the protocol wants the struct form, ``[bin24]``."""

    data: bytes = b""


class EpisodeInfo(Wire, frozen=True):
    """Episode id and the token of the world observer."""

    id: int
    token: TokenBox


class MapInfo(Wire, frozen=True):
    """Map name (path below Content) and spawn points."""

    name: str
    recommended_spawn_points: tuple[Transform, ...] = ()


class ActorAttributeValue(Wire, frozen=True):
    """One attribute as given when spawning."""

    id: str = ""
    type: int = ActorAttributeType.STRING
    value: str = ""


class ActorDescription(Wire, frozen=True):
    """What to spawn: a blueprint with its attributes' values."""

    uid: int = 0
    id: str = ""
    attributes: tuple[ActorAttributeValue, ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """Return the text of attribute ``name``, or ``default`` when it is absent."""
        for attribute in self.attributes:
            if attribute.id == name:
                return attribute.value
        return default


class ActorAttribute(Wire, frozen=True):
    """One attribute of a blueprint; the default of a modifiable one is its first recommended value."""

    id: str
    type: int
    value: str
    recommended_values: tuple[str, ...] = ()
    is_modifiable: bool = True
    restrict_to_recommended: bool = False


class ActorDefinition(Wire, frozen=True):
    """A blueprint. ``tags`` is comma separated."""

    uid: int
    id: str
    tags: str
    attributes: tuple[ActorAttribute, ...] = ()


class Actor(Wire, frozen=True):
    """What a client learns about an actor once; it may not change for an id."""

    id: int
    parent_id: int
    description: ActorDescription
    bounding_box: BoundingBox = BoundingBox()
    semantic_tags: bytes = b""
    stream_token: bytes = b""


# --- settings, weather, map generation (3.2) -----------------------------------------------------------------


class EpisodeSettings(Wire, frozen=True):
    """``carla.WorldSettings``. Use :attr:`fixed_delta` to read the optional step."""

    synchronous_mode: bool = False
    no_rendering_mode: bool = False
    fixed_delta_seconds: tuple[bool | float, ...] = (False,)
    substepping: bool = True
    max_substep_delta_time: float = 0.01
    max_substeps: int = 10
    max_culling_distance: float = 0.0
    deterministic_ragdolls: bool = True
    tile_stream_distance: float = 3000.0
    actor_active_distance: float = 2000.0
    spectator_as_ego: bool = True

    @property
    def fixed_delta(self) -> float | None:
        """The fixed step in seconds; None when the step is variable (absent, zero or negative)."""
        field = self.fixed_delta_seconds
        if len(field) < 2 or not field[0] or not float(field[1]) > 0.0:
            return None
        return float(field[1])


class WeatherParameters(Wire, frozen=True):
    """``carla.WeatherParameters``: percentages, degrees and metres."""

    cloudiness: float = 0.0
    precipitation: float = 0.0
    precipitation_deposits: float = 0.0
    wind_intensity: float = 0.0
    sun_azimuth_angle: float = 0.0
    sun_altitude_angle: float = 0.0
    fog_density: float = 0.0
    fog_distance: float = 0.0
    fog_falloff: float = 0.0
    wetness: float = 0.0
    scattering_intensity: float = 0.0
    mie_scattering_scale: float = 0.0
    rayleigh_scattering_scale: float = 0.0331
    dust_storm: float = 0.0


class OpendriveGenerationParameters(Wire, frozen=True):
    """How ``generate_opendrive_world`` builds a mesh."""

    vertex_distance: float = 2.0
    max_road_length: float = 50.0
    wall_height: float = 1.0
    additional_width: float = 0.6
    smooth_junctions: bool = True
    enable_mesh_visibility: bool = True
    enable_pedestrian_navigation: bool = True


# --- vehicles and walkers (3.3) ------------------------------------------------------------------------------


class VehicleControl(Wire, frozen=True):
    """Throttle and brake 0..1, steer -1..1."""

    throttle: float = 0.0
    steer: float = 0.0
    brake: float = 0.0
    hand_brake: bool = False
    reverse: bool = False
    manual_gear_shift: bool = False
    gear: int = 0


class VehicleAckermannControl(Wire, frozen=True):
    """Targets of the PID controller: rad, rad/s, m/s, m/s^2, m/s^3."""

    steer: float = 0.0
    steer_speed: float = 0.0
    speed: float = 0.0
    acceleration: float = 0.0
    jerk: float = 0.0


class AckermannControllerSettings(Wire, frozen=True):
    """Gains of the PID controller; the defaults are the original server's."""

    speed_kp: float = 0.15
    speed_ki: float = 0.0
    speed_kd: float = 0.25
    accel_kp: float = 0.01
    accel_ki: float = 0.0
    accel_kd: float = 0.01


class VehicleLightState(Wire, frozen=True):
    """Light flags in a one-element array."""

    light_state: int = 0


class GearPhysicsControl(Wire, frozen=True):
    """A forward gear: its ratio and the fractions of max_rpm at which the automatic shifts."""

    ratio: float = 1.0
    down_ratio: float = 0.5
    up_ratio: float = 0.65


class WheelPhysicsControl(Wire, frozen=True):
    """One wheel. ``radius`` in **centimetres**, ``position`` in **centimetres, world frame**; angles in degrees."""

    tire_friction: float = 2.0
    damping_rate: float = 0.25
    max_steer_angle: float = 70.0
    radius: float = 30.0
    max_brake_torque: float = 1500.0
    max_handbrake_torque: float = 3000.0
    lat_stiff_max_load: float = 2.0
    lat_stiff_value: float = 17.0
    long_stiff_value: float = 1000.0
    position: Vector3D = Vector3D()


class VehiclePhysicsControl(Wire, frozen=True):
    """Everything about a vehicle's drive that a client can read and set.

    ``torque_curve``: (rpm, Nm); ``steering_curve``: (km/h, factor 0..1); ``wheels``: FL, FR, RL, RR (two-wheelers
    front, back); ``center_of_mass``: metres, offset relative to the default centre; ``drag_coefficient`` in the
    source's unit-free form.
    """

    torque_curve: tuple[Vector2D, ...] = (Vector2D(0.0, 500.0), Vector2D(5000.0, 500.0))
    max_rpm: float = 5000.0
    moi: float = 1.0
    damping_rate_full_throttle: float = 0.15
    damping_rate_zero_throttle_clutch_engaged: float = 2.0
    damping_rate_zero_throttle_clutch_disengaged: float = 0.35
    use_gear_autobox: bool = True
    gear_switch_time: float = 0.5
    clutch_strength: float = 10.0
    final_ratio: float = 4.0
    forward_gears: tuple[GearPhysicsControl, ...] = ()
    mass: float = 1000.0
    drag_coefficient: float = 0.3
    center_of_mass: Location = Location()
    steering_curve: tuple[Vector2D, ...] = (Vector2D(0.0, 1.0), Vector2D(10.0, 0.5))
    wheels: tuple[WheelPhysicsControl, ...] = ()
    use_sweep_wheel_collision: bool = False


class WheelTelemetryData(Wire, frozen=True):
    """One wheel's state."""

    tire_friction: float = 0.0
    lat_slip: float = 0.0
    long_slip: float = 0.0
    omega: float = 0.0
    tire_load: float = 0.0
    normalized_tire_load: float = 0.0
    torque: float = 0.0
    long_force: float = 0.0
    lat_force: float = 0.0
    normalized_long_force: float = 0.0
    normalized_lat_force: float = 0.0


class VehicleTelemetryData(Wire, frozen=True):
    """A vehicle's state: m/s, rpm."""

    speed: float = 0.0
    steer: float = 0.0
    throttle: float = 0.0
    brake: float = 0.0
    engine_rpm: float = 0.0
    gear: int = 0
    drag: float = 0.0
    wheels: tuple[WheelTelemetryData, ...] = ()


class WalkerControl(Wire, frozen=True):
    """Unit direction in the world frame and speed in m/s."""

    direction: Vector3D = Vector3D(1.0, 0.0, 0.0)
    speed: float = 0.0
    jump: bool = False


class BoneIn(Wire, frozen=True):
    """Pose of one bone, as a client sets it."""

    bone_name: str
    relative: Transform


class WalkerBoneControlIn(Wire, frozen=True):
    """Bones to set."""

    bone_transforms: tuple[BoneIn, ...] = ()


class BoneOut(Wire, frozen=True):
    """Pose of one bone in three frames."""

    bone_name: str
    world: Transform
    component: Transform
    relative: Transform


class WalkerBoneControlOut(Wire, frozen=True):
    """All bones of a walker."""

    bone_transforms: tuple[BoneOut, ...] = ()


# --- commands (3.4) ------------------------------------------------------------------------------------------


class SpawnActor(Wire, frozen=True):
    """Command 0. ``attachment_type`` is uninitialised memory unless a parent is given; ignore it then."""

    description: ActorDescription
    transform: Transform = Transform()
    parent: tuple[bool | int, ...] = (False,)
    attachment_type: int = 0
    socket_name: str = ""
    do_after: tuple[Any, ...] = ()

    @property
    def parent_id(self) -> int:
        """The parent's id, 0 for none."""
        return int(self.parent[1]) if len(self.parent) > 1 and self.parent[0] else 0


class DestroyActor(Wire, frozen=True):
    """Command 1."""

    actor: int


class ApplyVehicleControl(Wire, frozen=True):
    """Command 2."""

    actor: int
    control: VehicleControl = VehicleControl()


class ApplyVehicleAckermannControl(Wire, frozen=True):
    """Command 3."""

    actor: int
    control: VehicleAckermannControl = VehicleAckermannControl()


class ApplyWalkerControl(Wire, frozen=True):
    """Command 4."""

    actor: int
    control: WalkerControl = WalkerControl()


class ApplyVehiclePhysicsControl(Wire, frozen=True):
    """Command 5."""

    actor: int
    physics_control: VehiclePhysicsControl = VehiclePhysicsControl()


class ApplyTransform(Wire, frozen=True):
    """Command 6."""

    actor: int
    transform: Transform = Transform()


class ApplyWalkerState(Wire, frozen=True):
    """Command 7: teleport to a pose whose z is the **ground's**, walking at ``speed``."""

    actor: int
    transform: Transform = Transform()
    speed: float = 0.0


class ApplyTargetVelocity(Wire, frozen=True):
    """Command 8, m/s, world frame."""

    actor: int
    velocity: Vector3D = Vector3D()


class ApplyTargetAngularVelocity(Wire, frozen=True):
    """Command 9, deg/s."""

    actor: int
    angular_velocity: Vector3D = Vector3D()


class ApplyImpulse(Wire, frozen=True):
    """Command 10, N s."""

    actor: int
    impulse: Vector3D = Vector3D()


class ApplyForce(Wire, frozen=True):
    """Command 11, N, for one step."""

    actor: int
    force: Vector3D = Vector3D()


class ApplyAngularImpulse(Wire, frozen=True):
    """Command 12."""

    actor: int
    impulse: Vector3D = Vector3D()


class ApplyTorque(Wire, frozen=True):
    """Command 13, for one step."""

    actor: int
    torque: Vector3D = Vector3D()


class SetSimulatePhysics(Wire, frozen=True):
    """Command 14."""

    actor: int
    enabled: bool = True


class SetEnableGravity(Wire, frozen=True):
    """Command 15."""

    actor: int
    enabled: bool = True


class SetAutopilot(Wire, frozen=True):
    """Command 16: the client's traffic manager does the driving; the server has nothing to do."""

    actor: int
    enabled: bool = True


class ShowDebugTelemetry(Wire, frozen=True):
    """Command 17."""

    actor: int
    enabled: bool = True


class SetVehicleLightState(Wire, frozen=True):
    """Command 18: the flags are a **plain** integer here."""

    actor: int
    light_state: int = 0


class ApplyLocation(Wire, frozen=True):
    """Command 19."""

    actor: int
    location: Location = Location()


class ConsoleCommand(Wire, frozen=True):
    """Command 20."""

    command: str = ""


class SetTrafficLightState(Wire, frozen=True):
    """Command 21."""

    actor: int
    state: int = 0


Command = (
    SpawnActor
    | DestroyActor
    | ApplyVehicleControl
    | ApplyVehicleAckermannControl
    | ApplyWalkerControl
    | ApplyVehiclePhysicsControl
    | ApplyTransform
    | ApplyWalkerState
    | ApplyTargetVelocity
    | ApplyTargetAngularVelocity
    | ApplyImpulse
    | ApplyForce
    | ApplyAngularImpulse
    | ApplyTorque
    | SetSimulatePhysics
    | SetEnableGravity
    | SetAutopilot
    | ShowDebugTelemetry
    | SetVehicleLightState
    | ApplyLocation
    | ConsoleCommand
    | SetTrafficLightState
)

COMMANDS: tuple[type[Wire], ...] = (
    SpawnActor,
    DestroyActor,
    ApplyVehicleControl,
    ApplyVehicleAckermannControl,
    ApplyWalkerControl,
    ApplyVehiclePhysicsControl,
    ApplyTransform,
    ApplyWalkerState,
    ApplyTargetVelocity,
    ApplyTargetAngularVelocity,
    ApplyImpulse,
    ApplyForce,
    ApplyAngularImpulse,
    ApplyTorque,
    SetSimulatePhysics,
    SetEnableGravity,
    SetAutopilot,
    ShowDebugTelemetry,
    SetVehicleLightState,
    ApplyLocation,
    ConsoleCommand,
    SetTrafficLightState,
)
"""Command classes by their index in the variant."""


# --- debug shapes (3.5) --------------------------------------------------------------------------------------


class Color(Wire, frozen=True):
    """8-bit RGB."""

    r: int = 0
    g: int = 0
    b: int = 0


class DebugPoint(Wire, frozen=True):
    """Primitive 0 and 5."""

    location: Location = Location()
    size: float = 0.1


class DebugLine(Wire, frozen=True):
    """Primitive 1 and 6."""

    begin: Location = Location()
    end: Location = Location()
    thickness: float = 0.1


class DebugArrow(Wire, frozen=True):
    """Primitive 2 and 7."""

    line: DebugLine = DebugLine()
    arrow_size: float = 0.1


class DebugBox(Wire, frozen=True):
    """Primitive 3 and 8."""

    box: BoundingBox = BoundingBox()
    rotation: Rotation = Rotation()
    thickness: float = 0.1


class DebugString(Wire, frozen=True):
    """Primitive 4."""

    location: Location = Location()
    text: str = ""
    draw_shadow: bool = False


class DebugShape(Wire, frozen=True):
    """A shape to draw; ``primitive`` is the raw variant ``[index, body]``, see :data:`DEBUG_PRIMITIVES`."""

    primitive: tuple[Any, ...]
    color: Color = Color()
    life_time: float = -1.0
    persistent_lines: bool = True


DEBUG_PRIMITIVES: tuple[type[Wire], ...] = (
    DebugPoint,
    DebugLine,
    DebugArrow,
    DebugBox,
    DebugString,
    DebugPoint,
    DebugLine,
    DebugArrow,
    DebugBox,
)
"""Primitive classes by their index in the variant."""


# --- scene (3.6) ---------------------------------------------------------------------------------------------


class EnvironmentObject(Wire, frozen=True):
    """A thing of the static world. ``type`` is a semantic tag."""

    transform: Transform
    bounding_box: BoundingBox
    id: int
    name: str
    type: int


class LabelledPoint(Wire, frozen=True):
    """Where a ray met a surface, and its tag."""

    location: Location
    label: int


class LightState(Wire, frozen=True):
    """A lamp of the light manager."""

    id: int
    location: Location = Location()
    intensity: float = 0.0
    group: int = 0
    color: Color = Color()
    active: bool = False


class TextureColor(Wire, frozen=True):
    """8-bit RGBA texture, row-major."""

    width: int = 0
    height: int = 0
    pixels: tuple[tuple[int, int, int, int], ...] = ()


class TextureFloatColor(Wire, frozen=True):
    """Float RGBA texture, row-major."""

    width: int = 0
    height: int = 0
    pixels: tuple[tuple[float, float, float, float], ...] = ()

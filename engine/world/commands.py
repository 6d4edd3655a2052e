"""What clients ask actors to do, one function a wish; calls and batch commands share them.

Each raises :class:`ActorError` when the actor is unknown or of the wrong kind, and ignores nothing silently: the
callers decide what becomes of an error (asynchronous calls have no channel for one).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from engine.protocol import structs as wire
from engine.protocol.structs import Location, Rotation, Transform, Vector3D, VehicleControl, WalkerControl
from engine.state import Kind
from engine.world.attachments import matrix_of
from engine.world.entries import ActorEntry
from engine.world.spawning import spawn
from foundation.errors import RealityError
from foundation.frames import rotation_of

if TYPE_CHECKING:
    from engine.world.world import World

MAX_COORDINATE = 1e6
"""Metres, m/s and so on: anything beyond is refused before it can harm the physics."""
MAX_FORCE = 1e9
BODIES = (Kind.VEHICLE, Kind.WALKER, Kind.PROP)


class ActorError(RealityError):
    """A call about an actor failed; the text is CARLA's, without its head."""


def find(world: World, actor_id: int, *kinds: Kind) -> ActorEntry:
    """Return an actor of one of the kinds; ActorError otherwise."""
    entry = world.actors.get(actor_id)
    if entry is None:
        raise ActorError(f"Actor could not be found in the registry.  Actor Id: {actor_id}")
    if kinds and entry.kind not in kinds:
        wanted = {Kind.VEHICLE: "a Vehicle", Kind.WALKER: "a Walker", Kind.TRAFFIC_LIGHT: "a traffic light"}
        if len(kinds) == 1 and kinds[0] in wanted:
            raise ActorError(f"Actor is not {wanted[kinds[0]]}.  Actor Id: {actor_id}")
        raise ActorError(f"Actor does not match the expected type.  Actor Id: {actor_id}")
    return entry


def vector(value: Vector3D, limit: float = MAX_COORDINATE) -> tuple[float, float, float]:
    """Return a vector's numbers; ActorError when one is not finite or beyond ``limit``."""
    x, y, z = value.x, value.y, value.z
    if not (-limit <= x <= limit and -limit <= y <= limit and -limit <= z <= limit):
        raise ActorError(f"vector {(x, y, z)} is not finite or beyond {limit:g}")
    return x, y, z


def angles(value: Rotation) -> tuple[float, float, float]:
    """Return pitch, yaw, roll as Unreal gives any rotation back: pitch within 90 degrees, the others within 180.

    Clients do send others: the traffic manager hands on the pitch of 360 degrees that its map has.

    Raises:
        ActorError: one is not finite.
    """
    pitch, yaw, roll = value.pitch, value.yaw, value.roll
    if -90.0 <= pitch <= 90.0 and -180.0 < yaw <= 180.0 and -180.0 < roll <= 180.0:
        return pitch, yaw, roll
    limit = MAX_COORDINATE
    if not (-limit <= pitch <= limit and -limit <= yaw <= limit and -limit <= roll <= limit):
        raise ActorError(f"rotation {(pitch, yaw, roll)} is not finite or beyond {limit:g}")
    pitch = _half_turn(pitch)
    if abs(pitch) > 90.0:
        # Over the top: the same attitude, turned round and on its head.
        pitch, yaw, roll = math.copysign(180.0, pitch) - pitch, yaw + 180.0, roll + 180.0
    return pitch, _half_turn(yaw), _half_turn(roll)


def _half_turn(degrees: float) -> float:
    """Return the same angle within -180 (exclusive) and 180 degrees."""
    return 180.0 - (180.0 - degrees) % 360.0


def clamp(value: float, low: float, high: float) -> float:
    """Return a control value within its range; not-a-number becomes 0."""
    return value if low <= value <= high else (high if value > high else (low if value < low else 0.0))


# --- poses ---------------------------------------------------------------------------------------------------


def set_transform(world: World, actor_id: int, transform: Transform) -> None:
    """Teleport an actor, velocity kept. For an attached child the transform is relative to its parent."""
    entry = find(world, actor_id)
    location, rotation = vector(transform.location), angles(transform.rotation)
    if actor_id in world.attachments:
        world.attachments.set_relative(actor_id, transform)
        return
    world.table.place(actor_id, location, rotation)
    if entry.kind in BODIES:
        world.physics.set_transform(actor_id, location, rotation)


def set_location(world: World, actor_id: int, location: Location) -> None:
    """Teleport an actor, keeping its rotation."""
    find(world, actor_id)
    if actor_id in world.attachments:
        rotation = rotation_of(world.attachments.relative(actor_id)).tolist()
    else:
        rotation = world.table[actor_id]["rotation"].tolist()
    set_transform(world, actor_id, Transform(location, Rotation(*rotation)))


# --- velocities and forces -----------------------------------------------------------------------------------


def set_target_velocity(world: World, actor_id: int, velocity: Vector3D) -> None:
    """Set the linear velocity once, m/s, world frame."""
    find(world, actor_id, *BODIES)
    world.physics.set_velocity(actor_id, vector(velocity))


def set_target_angular_velocity(world: World, actor_id: int, velocity: Vector3D) -> None:
    """Set the angular velocity once, deg/s, world frame."""
    find(world, actor_id, *BODIES)
    world.physics.set_angular_velocity(actor_id, vector(velocity))


def enable_constant_velocity(world: World, actor_id: int, velocity: Vector3D) -> None:
    """Hold a velocity every step, m/s in the actor's own frame."""
    find(world, actor_id, *BODIES)
    world.physics.enable_constant_velocity(actor_id, vector(velocity))


def disable_constant_velocity(world: World, actor_id: int) -> None:
    """Let go of a held velocity."""
    find(world, actor_id, *BODIES)
    world.physics.disable_constant_velocity(actor_id)


def add_impulse(world: World, actor_id: int, impulse: Vector3D, at: Location | None = None) -> None:
    """Push once, N s, world frame, at the centre of mass or at a world point."""
    find(world, actor_id, *BODIES)
    world.physics.add_impulse(actor_id, vector(impulse, MAX_FORCE), None if at is None else vector(at))


def add_force(world: World, actor_id: int, force: Vector3D, at: Location | None = None) -> None:
    """Push for one frame, N, world frame, at the centre of mass or at a world point."""
    find(world, actor_id, *BODIES)
    world.physics.add_force(actor_id, vector(force, MAX_FORCE), None if at is None else vector(at))


def add_angular_impulse(world: World, actor_id: int, impulse: Vector3D) -> None:
    """Twist once."""
    find(world, actor_id, *BODIES)
    world.physics.add_angular_impulse(actor_id, vector(impulse, MAX_FORCE))


def add_torque(world: World, actor_id: int, torque: Vector3D) -> None:
    """Twist for one frame, N m."""
    find(world, actor_id, *BODIES)
    world.physics.add_torque(actor_id, vector(torque, MAX_FORCE))


def set_simulate_physics(world: World, actor_id: int, enabled: bool) -> None:
    """Hand an actor to physics or take it out: then it stays where it is put."""
    entry = find(world, actor_id)
    entry.simulates_physics = enabled
    if entry.kind in BODIES:
        world.physics.set_simulate_physics(actor_id, enabled)


def set_collisions(world: World, actor_id: int, enabled: bool) -> None:
    """Let an actor touch others or pass through them."""
    if find(world, actor_id).kind in BODIES:
        world.physics.set_collisions(actor_id, enabled)


def set_autopilot(world: World, actor_id: int, enabled: bool) -> None:
    """Accept: the traffic manager is in the client."""
    find(world, actor_id, Kind.VEHICLE)


def set_dead(world: World, actor_id: int) -> None:
    """Let a walker fall and lie where it is: it takes no more controls and vanishes after a while."""
    world.casualties.kill(world, find(world, actor_id, Kind.WALKER))


def set_enable_gravity(world: World, actor_id: int, enabled: bool) -> None:
    """Switch gravity for one actor."""
    if find(world, actor_id).kind in BODIES:
        world.physics.set_enable_gravity(actor_id, enabled)


# --- vehicles ------------------------------------------------------------------------------------------------


def control_vehicle(world: World, actor_id: int, control: VehicleControl) -> None:
    """Apply a control; it stays in force, unless the vehicle's ``sticky_control`` is off."""
    entry = find(world, actor_id, Kind.VEHICLE)
    fits = 0.0 <= control.throttle <= 1.0 and -1.0 <= control.steer <= 1.0 and 0.0 <= control.brake <= 1.0
    # What is in range, as nearly all are, is taken as it is: hundreds of vehicles are steered in every tick.
    if not (fits and -1 <= control.gear <= 100):
        control = VehicleControl(
            clamp(control.throttle, 0.0, 1.0),
            clamp(control.steer, -1.0, 1.0),
            clamp(control.brake, 0.0, 1.0),
            control.hand_brake,
            control.reverse,
            control.manual_gear_shift,
            int(clamp(control.gear, -1, 100)),
        )
    world.ackermann.release(actor_id)
    world.physics.apply_vehicle_control(actor_id, control)
    if not entry.sticky:
        world.unsticky.add(actor_id)


def control_vehicle_ackermann(world: World, actor_id: int, control: wire.VehicleAckermannControl) -> None:
    """Let the PID controller drive towards targets until the next plain control."""
    find(world, actor_id, Kind.VEHICLE)
    if not all(map(math.isfinite, msgspec.structs.astuple(control))):
        raise ActorError(f"Ackermann control {control} is not finite")
    world.ackermann.drive(actor_id, control)


def set_physics_control(world: World, actor_id: int, control: wire.VehiclePhysicsControl) -> None:
    """Replace a vehicle's physics control."""
    find(world, actor_id, Kind.VEHICLE)
    require_finite(control)
    world.physics.set_physics_control(actor_id, control)
    world.recorder.note_physics_control(actor_id)


def require_finite(value: Any) -> None:
    """Refuse structs that carry not-a-number or infinity anywhere."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ActorError("a number is not finite")
    elif isinstance(value, msgspec.Struct):
        for part in msgspec.structs.astuple(value):
            require_finite(part)
    elif isinstance(value, tuple):
        for part in value:
            require_finite(part)


def set_light_state(world: World, actor_id: int, flags: int) -> None:
    """Switch a vehicle's lights."""
    find(world, actor_id, Kind.VEHICLE)
    world.table[actor_id]["lights"] = flags & 0xFFFFFFFF


DOORS = 6
"""``carla.VehicleDoor.All``; below it: front left, front right, rear left, rear right, hood, trunk."""


def set_door(world: World, actor_id: int, door: int, is_open: bool) -> None:
    """Open or close a door of a vehicle, or all; what a vehicle does not have stays shut, as in CARLA."""
    entry = find(world, actor_id, Kind.VEHICLE)
    if not 0 <= door <= DOORS:
        raise ActorError(f"{door} is no vehicle door.  Actor Id: {actor_id}")
    if not getattr(entry.spec, "has_dynamic_doors", False):
        raise ActorError(f"{entry.type_id} has no doors that move (has_dynamic_doors).  Actor Id: {actor_id}")
    row, bits = world.table[actor_id], 0b1111 if door == DOORS else 1 << door
    row["doors"] = int(row["doors"]) | bits if is_open else int(row["doors"]) & ~bits


# --- walkers -------------------------------------------------------------------------------------------------


def control_walker(world: World, actor_id: int, control: WalkerControl) -> None:
    """Let a walker walk."""
    entry = find(world, actor_id, Kind.WALKER)
    if entry.dead:
        raise ActorError(f"Walker is already dead.  Actor Id: {actor_id}")
    direction = vector(control.direction)
    length = math.hypot(*direction)
    unit = Vector3D(*(part / length for part in direction)) if length > 1e-9 else Vector3D()
    world.physics.apply_walker_control(actor_id, WalkerControl(unit, clamp(control.speed, 0.0, 50.0), control.jump))


def set_walker_state(world: World, actor_id: int, transform: Transform, speed: float) -> None:
    """Put a walker on the ground at a pose whose z is the ground's, walking at ``speed`` (the client's crowd)."""
    entry = find(world, actor_id, Kind.WALKER)
    if entry.dead:
        raise ActorError(f"Walker is already dead.  Actor Id: {actor_id}")
    x, y, z = vector(transform.location)
    _, yaw, _ = angles(transform.rotation)
    location = (x, y, z + entry.box.extent[2])
    world.physics.set_walker_state(actor_id, location, yaw, clamp(speed, 0.0, 50.0))


def set_bones(world: World, actor_id: int, bones: wire.WalkerBoneControlIn) -> None:
    """Set bones of a walker's custom pose, each relative to its parent; ``blend_pose`` shows them."""
    find(world, actor_id, Kind.WALKER)
    given = []
    for bone in bones.bone_transforms:
        vector(bone.relative.location), angles(bone.relative.rotation)
        given.append((bone.bone_name, matrix_of(bone.relative)))
    world.poses.set_bones(world.views.model(actor_id), world.table[actor_id], given)


def blend_pose(world: World, actor_id: int, share: float) -> None:
    """Show a walker's custom pose: 0 is the animation alone, 1 the custom pose alone."""
    find(world, actor_id, Kind.WALKER)
    world.poses.blend(world.views.model(actor_id), world.table[actor_id], clamp(share, 0.0, 1.0))


def take_pose_from_animation(world: World, actor_id: int) -> None:
    """Make the present moment of a walker's animation its custom pose."""
    find(world, actor_id, Kind.WALKER)
    world.poses.take_from_animation(world.views.model(actor_id), world.table[actor_id])


# --- traffic lights ------------------------------------------------------------------------------------------


def set_traffic_light_state(world: World, actor_id: int, state: int) -> None:
    """Make a light's controller show a state."""
    find(world, actor_id, Kind.TRAFFIC_LIGHT)
    if not 0 <= state <= 4:
        raise ActorError(f"{state} is no traffic light state")
    world.traffic_lights.set_state(actor_id, state)


# --- batches -------------------------------------------------------------------------------------------------


def _destroy(world: World, command: wire.DestroyActor) -> None:
    if not world.destroy(command.actor):
        raise ActorError("unable to destroy actor: not found")


def _show_telemetry(world: World, command: Any) -> None:
    find(world, command.actor, Kind.VEHICLE)
    raise RealityError("not supported by the embedded engine: ShowDebugTelemetry (there is no window to show it in)")


_RUN: dict[type, Callable[[World, Any], None]] = {
    wire.DestroyActor: _destroy,
    wire.ApplyVehicleControl: lambda w, c: control_vehicle(w, c.actor, c.control),
    wire.ApplyVehicleAckermannControl: lambda w, c: control_vehicle_ackermann(w, c.actor, c.control),
    wire.ApplyWalkerControl: lambda w, c: control_walker(w, c.actor, c.control),
    wire.ApplyVehiclePhysicsControl: lambda w, c: set_physics_control(w, c.actor, c.physics_control),
    wire.ApplyTransform: lambda w, c: set_transform(w, c.actor, c.transform),
    wire.ApplyWalkerState: lambda w, c: set_walker_state(w, c.actor, c.transform, c.speed),
    wire.ApplyTargetVelocity: lambda w, c: set_target_velocity(w, c.actor, c.velocity),
    wire.ApplyTargetAngularVelocity: lambda w, c: set_target_angular_velocity(w, c.actor, c.angular_velocity),
    wire.ApplyImpulse: lambda w, c: add_impulse(w, c.actor, c.impulse),
    wire.ApplyForce: lambda w, c: add_force(w, c.actor, c.force),
    wire.ApplyAngularImpulse: lambda w, c: add_angular_impulse(w, c.actor, c.impulse),
    wire.ApplyTorque: lambda w, c: add_torque(w, c.actor, c.torque),
    wire.SetSimulatePhysics: lambda w, c: set_simulate_physics(w, c.actor, c.enabled),
    wire.SetEnableGravity: lambda w, c: set_enable_gravity(w, c.actor, c.enabled),
    wire.SetAutopilot: lambda w, c: set_autopilot(w, c.actor, c.enabled),
    wire.ShowDebugTelemetry: _show_telemetry,
    wire.SetVehicleLightState: lambda w, c: set_light_state(w, c.actor, c.light_state),
    wire.ApplyLocation: lambda w, c: set_location(w, c.actor, c.location),
    wire.SetTrafficLightState: lambda w, c: set_traffic_light_state(w, c.actor, c.state),
}


def decode_command(raw: Any) -> Any:
    """Return the command of ``[[index, body]]``.

    Raises:
        msgspec.ValidationError: it is none.
    """
    if not (type(raw) is list and raw and type(raw[0]) is list and len(raw[0]) == 2):
        raise msgspec.ValidationError("a command is [[index, body]]")
    index, body = raw[0]
    if type(index) is not int or not 0 <= index < len(wire.COMMANDS):
        raise msgspec.ValidationError(f"there is no command {index!r}")
    return wire.convert(body, wire.COMMANDS[index])


def run_command(world: World, raw: Any, future_actor: int = 0) -> int:
    """Run one command of a batch and return the actor id it was about.

    Args:
        raw: the command as it came.
        future_actor: what actor id 0 stands for (in a ``then`` command: the actor just spawned).

    Raises:
        RealityError, msgspec.ValidationError: it failed.
    """
    command = decode_command(raw)
    run = _RUN.get(type(command))
    if run is not None:
        if future_actor and command.actor == 0:
            command = msgspec.structs.replace(command, actor=future_actor)
        run(world, command)
        return int(command.actor)
    if isinstance(command, wire.SpawnActor):
        entry = spawn(
            world,
            command.description,
            command.transform,
            command.parent_id or (future_actor if command.parent[:1] == (True,) else 0),
            # Batch children hang rigidly, as in the original; without a parent the byte is garbage.
            wire.AttachmentType.RIGID,
        )
        for follow_up in command.do_after:
            run_after(world, follow_up, entry.id)
        return entry.id
    raise RealityError("not supported by the embedded engine: ConsoleCommand (there is no Unreal console)")


def run_after(world: World, raw: Any, actor_id: int) -> None:
    """Run a follow-up command; its result is not reported, as in the original."""
    with contextlib.suppress(RealityError, msgspec.ValidationError):
        run_command(world, raw, actor_id)

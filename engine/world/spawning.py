"""Making actors: blueprint and pose to entry, body, sensor and mount."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.blueprints import PROPS, SENSORS, VEHICLES, WALKERS, PropSpec, VehicleSpec, WalkerSpec, parked_vehicle_prop
from engine.geometry import Box, SignalSpec
from engine.protocol.streams import Token, encode_token
from engine.protocol.structs import Actor, ActorDescription, AttachmentType, Transform
from engine.sensors.base import boolean, number
from engine.state import Kind
from engine.world.attachments import Attachment, matrix_of
from engine.world.entries import COLLISION, INVALID, NO_PARENT, ActorEntry, SpawnError, checked_attributes, wire_box
from engine.world.triggers import DEFAULT_SPEED_LIMIT_KMH
from foundation.errors import RealityError
from foundation.frames import invert, pose_matrices, rotation_of, transform_points
from foundation.ids import Tag

if TYPE_CHECKING:
    from engine.world.world import World

STREAM_PORT_UNSET = 0
_POINT = Box((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
_GREEN = 2


def make_entry(
    actor_id: int,
    kind: Kind,
    description: ActorDescription,
    spec: Any,
    parent: int,
    attributes: dict[str, str],
    stream_id: int,
) -> ActorEntry:
    """Return the entry of a new actor. The stream token names no address: clients use the host they know."""
    box = spec.box if isinstance(spec, (VehicleSpec, WalkerSpec, PropSpec)) else _POINT
    tags: Sequence[Tag] = getattr(spec, "tags", ())
    if isinstance(spec, SignalSpec):
        box = combined_box(spec)
        tags = (Tag.TRAFFIC_LIGHT if kind == Kind.TRAFFIC_LIGHT else Tag.TRAFFIC_SIGNS,)
    token = encode_token(Token(stream_id, STREAM_PORT_UNSET)) if stream_id else b""
    struct = Actor(actor_id, parent, description, wire_box(box, actor_id), bytes(int(tag) for tag in tags), token)
    return ActorEntry(actor_id, kind, struct, spec, box, attributes, stream_id)


def combined_box(signal: SignalSpec) -> Box:
    """Return the box around a signal's trigger boxes in the signal's own frame: the client's ``trigger_volume``."""
    if not signal.trigger_boxes:
        return _POINT
    into = invert(pose_matrices(signal.location, signal.rotation))
    corners = np.concatenate([transform_points(into, box_corners(box)) for box in signal.trigger_boxes])
    low, high = corners.min(axis=0), corners.max(axis=0)
    return Box(tuple(((low + high) / 2).tolist()), tuple(((high - low) / 2).tolist()))


def box_corners(box: Box) -> np.ndarray:
    """Return the (8, 3) corners of a box, in the frame the box is given in."""
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
    return transform_points(pose_matrices(box.center, box.rotation), signs * box.extent)


def spawn(
    world: World,
    description: ActorDescription,
    transform: Transform,
    parent: int = 0,
    attachment: int = AttachmentType.RIGID,
) -> ActorEntry:
    """Spawn an actor.

    Args:
        transform: world pose, or relative to the parent when there is one.
        parent: actor id, 0 for none.
        attachment: :class:`AttachmentType`; of no meaning without a parent.

    Raises:
        SpawnError: with CARLA's text.
    """
    attributes = checked_attributes(description)
    if parent and parent not in world.actors:
        raise SpawnError(NO_PARENT)
    if parent and attachment not in (0, 1, 2):
        raise SpawnError(INVALID)
    pose = matrix_of(transform)
    if not np.isfinite(pose).all() or np.abs(pose[:3, 3]).max() > 1e6:
        raise SpawnError(INVALID)
    relative = pose
    if parent:
        row = world.table[parent]
        pose = pose_matrices(row["location"], row["rotation"]) @ relative
    entry = _create(world, description, attributes, pose, parent)
    row = world.table[entry.id]
    row["location"], row["rotation"] = pose[:3, 3], rotation_of(pose)
    if parent:
        mount = Attachment(entry.id, parent, AttachmentType(attachment), relative)
        world.attachments.add(mount)
        world.attachments.update(world.table, 0.0)
    return entry


def _create(
    world: World, description: ActorDescription, attributes: dict[str, str], pose: np.ndarray, parent: int
) -> ActorEntry:
    blueprint = description.id
    location, rotation = pose[:3, 3].copy(), rotation_of(pose)
    if blueprint in VEHICLES:
        return _vehicle(world, description, attributes, location, rotation)
    if blueprint in WALKERS:
        spec = WALKERS[blueprint]
        location = _place_for(world, spec, location, rotation)
        entry = world.add_entry(Kind.WALKER, description, spec=spec, attributes=attributes)
        phase = number(attributes, "gait_phase", 0.0)
        world.physics.add_walker(entry.id, spec, location, rotation, gait_phase=phase)
        world.casualties.watch(entry)
        pose[:3, 3] = location
        return entry
    if blueprint in SENSORS:
        return _sensor(world, description, attributes, parent)
    # A mesh blueprint without a mesh is a placeholder that nobody sees or touches, as in CARLA.
    if blueprint.startswith("static.prop.") and (blueprint != "static.prop.mesh" or attributes.get("mesh_path")):
        prop = PROPS.get(blueprint) or parked_vehicle_prop(attributes.get("mesh_path", ""))
        if prop is None:
            raise SpawnError(INVALID)
        if attributes.get("person", "") and attributes["person"] not in WALKERS:
            raise SpawnError(INVALID)
        entry = world.add_entry(Kind.PROP, description, spec=prop, attributes=attributes)
        world.physics.add_prop(entry.id, prop, location, rotation)
        world.physics.set_simulate_physics(entry.id, False)
        entry.simulates_physics = False
        return entry
    entry = world.add_entry(Kind.OTHER, description, parent=parent, attributes=attributes)
    if blueprint == "static.trigger.friction":
        x, y, z = (number(attributes, f"extent_{axis}", 1.0) / 100.0 for axis in "xyz")
        world.frictions.add(entry.id, location, rotation, (x, y, z), number(attributes, "friction", 3.5))
    return entry


def _vehicle(
    world: World,
    description: ActorDescription,
    attributes: dict[str, str],
    location: np.ndarray,
    rotation: np.ndarray,
) -> ActorEntry:
    spec = VEHICLES[description.id]
    _refuse_collision(world, spec, location, rotation)
    entry = world.add_entry(Kind.VEHICLE, description, spec=spec, attributes=attributes)
    world.physics.add_vehicle(entry.id, spec, spec.physics, location, rotation)
    entry.sticky = boolean(attributes, "sticky_control", True)
    row = world.table[entry.id]
    row["speed_limit"] = DEFAULT_SPEED_LIMIT_KMH
    row["light_state"] = _GREEN
    return entry


def _sensor(world: World, description: ActorDescription, attributes: dict[str, str], parent: int) -> ActorEntry:
    from engine.sensors import SENSORS as FACTORIES

    spec = SENSORS[description.id]
    factory = FACTORIES.get(description.id) if spec.streamed else None
    if spec.streamed and factory is None:
        raise SpawnError(f"not supported by the embedded engine: {description.id}")
    entry = world.add_entry(
        Kind.SENSOR, description, spec=spec, parent=parent, attributes=attributes, streamed=spec.streamed
    )
    if factory is not None:
        try:
            sensor = factory(attributes, entry.id, seed=world.seed)
        except (ValueError, RealityError) as error:
            world.destroy(entry.id)
            raise SpawnError(f"{INVALID}: {error}") from error
        world.sensing.add(entry.id, sensor, entry.stream_id)
    return entry


def _place_for(world: World, spec: WalkerSpec, location: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Return where a walker can stand: the place given, or the place with its feet there instead of its middle.

    Scripts spawn walkers at points of the ground; Unreal pushes the capsule up until it fits.
    """
    if not world.physics.overlaps(spec, location, rotation):
        return location
    lifted = np.add(location, (0.0, 0.0, spec.height / 2))
    _refuse_collision(world, spec, lifted, rotation)
    return lifted


def _refuse_collision(world: World, spec: VehicleSpec | WalkerSpec, location: np.ndarray, rotation: np.ndarray) -> None:
    if world.physics.overlaps(spec, location, rotation):
        raise SpawnError(COLLISION)

"""What a level holds, as clients ask for it: environment objects, boxes by semantic tag, names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.geometry import Box, Model, SignalSpec
from engine.protocol.structs import BoundingBox, EnvironmentObject, Location, Rotation, Transform, Vector3D
from engine.state import Kind
from engine.world.scenery import signal_object_id
from foundation.frames import pose_matrices, rotation_of, transform_points
from foundation.ids import ANY_TAG, Tag

if TYPE_CHECKING:
    from engine.world.world import World

Floats = npt.NDArray[np.float64]


def environment_objects(world: World, tag: int) -> list[EnvironmentObject]:
    """Return the objects of the level with a tag (255: all): those of loaded layers, then lights and signs."""
    found = []
    for thing in world.scenery.loaded():
        if tag in (ANY_TAG, int(thing.tag)):
            box = _placed(thing.model.box, thing.pose)
            found.append(EnvironmentObject(_transform(thing.pose), box, thing.id, thing.name, int(thing.tag)))
    for actor_id, signal in world.signals:
        own = _signal_tag(signal)
        if tag in (ANY_TAG, own):
            pose = pose_matrices(signal.location, signal.rotation)
            box = _placed(world.views.model(actor_id).box, pose)
            found.append(EnvironmentObject(_transform(pose), box, signal_object_id(actor_id), signal_name(signal), own))
    return found


def level_boxes(world: World, tag: int) -> list[BoundingBox]:
    """Return the world boxes of everything that carries a tag (255: of everything).

    An object whose parts have different tags answers with a box around the parts asked for: a traffic light's heads
    are one box, its pole is another. Vehicles and walkers that are there count, as in CARLA.
    """
    if not 0 <= tag <= ANY_TAG:
        return []
    found = []
    for thing in world.scenery.loaded():
        part = thing.model.box if tag in (ANY_TAG, int(thing.tag)) else tagged_box(thing.model, tag)
        if part is not None:
            found.append(_placed(part, thing.pose))
    for actor_id, signal in world.signals:
        model = world.views.model(actor_id)
        part = model.box if tag == ANY_TAG else tagged_box(model, tag)
        if part is not None:
            found.append(_placed(part, pose_matrices(signal.location, signal.rotation), actor_id))
    for actor_id, entry in world.actors.items():
        if entry.kind in (Kind.VEHICLE, Kind.WALKER, Kind.PROP) and (
            tag == ANY_TAG or tag in entry.struct.semantic_tags
        ):
            row = world.table[actor_id]
            found.append(_placed(entry.box, pose_matrices(row["location"], row["rotation"]), actor_id))
    return found


def object_names(world: World) -> list[str]:
    """Return the names of all objects of the level, sorted."""
    names = {thing.name for thing in world.scenery.loaded()}
    return sorted(names | {signal_name(signal) for _, signal in world.signals})


def signal_name(signal: SignalSpec) -> str:
    """Return the name of a light or sign as an object of the level."""
    kind = signal.kind.removeprefix("traffic.").replace(".", "_")
    return f"{kind}_{signal.signal_id}"


def tagged_box(model: Model, tag: int) -> Box | None:
    """Return the box around a model's meshes of one tag, at rest; None where it has none."""
    from engine.scene import rest_matrices

    joints = dict(zip((joint.name for joint in model.joints), rest_matrices(model.joints))) | {"": np.eye(4)}
    parts = [
        transform_points(joints[mesh.joint], mesh.vertices)
        for mesh in model.meshes
        if int(mesh.tag) == tag and len(mesh.vertices)
    ]
    if not parts:
        return None
    points = np.concatenate(parts)
    low, high = points.min(axis=0), points.max(axis=0)
    return Box(tuple(((low + high) / 2).tolist()), tuple(((high - low) / 2).tolist()))


def _signal_tag(signal: SignalSpec) -> int:
    return int(Tag.TRAFFIC_LIGHT if signal.kind == "traffic.traffic_light" else Tag.TRAFFIC_SIGNS)


def _transform(pose: Floats) -> Transform:
    return Transform(Location(*pose[:3, 3].tolist()), Rotation(*rotation_of(pose).tolist()))


def _placed(box: Box, pose: Floats, actor_id: int = 0) -> BoundingBox:
    center = transform_points(pose, np.array(box.center)[None])[0].tolist()
    turned = pose @ pose_matrices(np.zeros(3), box.rotation)
    rotation = Rotation(*rotation_of(turned).tolist())
    return BoundingBox(Location(*center), Vector3D(*box.extent), rotation, actor_id)

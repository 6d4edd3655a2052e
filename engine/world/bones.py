"""The bones of an actor, as clients read them: CARLA's skeleton for walkers, the model's joints for all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.protocol.structs import BoneOut, Location, Rotation, Transform
from engine.world.skeleton import skeleton_of
from foundation.frames import invert, pose_matrices, rotation_of

if TYPE_CHECKING:
    from engine.world.world import World


def bone_names(world: World, actor_id: int) -> list[str]:
    """Return the names of an actor's bones."""
    model = world.views.model(actor_id)
    skeleton = skeleton_of(model)
    return list(skeleton.names) if skeleton else [joint.name for joint in model.joints]


def bone_transforms(world: World, actor_id: int) -> list[BoneOut]:
    """Return every bone's pose in the world, in the actor and in its parent bone, in the order of the names."""
    world.bones_asked_s = world.elapsed_s
    model = world.views.model(actor_id)
    row = world.table[actor_id]
    skeleton = skeleton_of(model)
    if skeleton is not None:
        own = world.poses.bones(model, row)
        relative = skeleton.relative(own)
        names: list[str] = list(skeleton.names)
    else:
        own = world.poses.matrices(model, row)
        places = {joint.name: pose for joint, pose in zip(model.joints, own)} | {"": np.eye(4)}
        relative = np.array([invert(places[joint.parent]) @ places[joint.name] for joint in model.joints])
        names = [joint.name for joint in model.joints]
    in_world = pose_matrices(row["location"], row["rotation"]) @ own
    return [
        BoneOut(name, _transform(a), _transform(b), _transform(c))
        for name, a, b, c in zip(names, in_world, own, relative)
    ]


def _transform(matrix: npt.NDArray[np.float64]) -> Transform:
    return Transform(Location(*matrix[:3, 3].tolist()), Rotation(*rotation_of(matrix).tolist()))

"""The joints of an actor's model, as clients read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.protocol.structs import BoneOut, Location, Rotation, Transform
from foundation.frames import invert, pose_matrices, rotation_of

if TYPE_CHECKING:
    from engine.world.world import World


def _transform(matrix: npt.NDArray[np.float64]) -> Transform:
    return Transform(Location(*matrix[:3, 3].tolist()), Rotation(*rotation_of(matrix).tolist()))


def bone_transforms(world: World, actor_id: int) -> list[BoneOut]:
    """Return every joint's pose in the world, in the actor and in its parent joint, in the model's order."""
    from engine.scene import joint_matrices

    model = world.views.model(actor_id)
    row = world.table[actor_id]
    actor = pose_matrices(row["location"], row["rotation"])
    matrices = {joint.name: matrix for joint, matrix in zip(model.joints, joint_matrices(model, row))}
    bones = []
    for joint in model.joints:
        own = matrices[joint.name]
        parent = matrices.get(joint.parent, np.eye(4))
        bones.append(BoneOut(joint.name, _transform(actor @ own), _transform(own), _transform(invert(parent) @ own)))
    return bones

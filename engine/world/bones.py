"""The joints of an actor's model, as clients read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.protocol.structs import BoneOut, Location, Rotation, Transform
from foundation.frames import invert, pose_matrices, rotation_of

if TYPE_CHECKING:
    from engine.world.world import World

CARLA_NAMES = {
    "pelvis": "crl_hips__C",
    "spine": "crl_spine__C",
    "neck": "crl_neck__C",
    "shoulder_l": "crl_arm__L",
    "elbow_l": "crl_foreArm__L",
    "shoulder_r": "crl_arm__R",
    "elbow_r": "crl_foreArm__R",
    "hip_l": "crl_thigh__L",
    "knee_l": "crl_leg__L",
    "ankle_l": "crl_foot__L",
    "hip_r": "crl_thigh__R",
    "knee_r": "crl_leg__R",
    "ankle_r": "crl_foot__R",
}
"""Names of CARLA's walker bones by the names of our models' joints; other joints keep their own names."""


def bone_name(joint: str) -> str:
    """Return the name under which clients know a joint."""
    return CARLA_NAMES.get(joint, joint)


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
        bones.append(
            BoneOut(bone_name(joint.name), _transform(actor @ own), _transform(own), _transform(invert(parent) @ own))
        )
    return bones

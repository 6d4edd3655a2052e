"""Custom poses of walkers: bones that a client has set, blended with the gait (``set_bones``, ``blend_pose``).

As in CARLA, setting bones alone shows nothing: the custom pose, which begins as the neutral one, is seen as far as
the blend says: 0 is the animation, 1 the custom pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation as Turn

from engine.geometry import Model
from engine.scene import joint_matrices
from engine.world.skeleton import Skeleton, skeleton_of

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class _Pose:
    relative: Floats
    blend: float = 0.0


class Poses:
    """The custom poses of an episode, by walker."""

    def __init__(self) -> None:
        self._of: dict[int, _Pose] = {}

    def __contains__(self, actor_id: int) -> bool:
        return actor_id in self._of and self._of[actor_id].blend > 0.0

    def shown(self) -> list[int]:
        """Return the walkers whose custom pose is seen, ascending."""
        return sorted(actor_id for actor_id in self._of if actor_id in self)

    def forget(self, actor_id: int) -> None:
        """Drop a walker's pose."""
        self._of.pop(actor_id, None)

    def _get(self, actor_id: int, skeleton: Skeleton) -> _Pose:
        if actor_id not in self._of:
            self._of[actor_id] = _Pose(skeleton.rest.copy())
        return self._of[actor_id]

    def set_bones(self, model: Model, row: np.void, bones: Sequence[tuple[str, Floats]]) -> None:
        """Set (4, 4) parent-from-bone matrices of some bones; unknown names are left out, as in CARLA."""
        skeleton = _skeleton(model)
        pose = self._get(int(row["id"]), skeleton)
        for name, matrix in bones:
            if name in skeleton.names:
                pose.relative[skeleton.names.index(name)] = matrix
        row["pose"] += 1

    def blend(self, model: Model, row: np.void, share: float) -> None:
        """Say how much of the custom pose is seen, 0 to 1."""
        self._get(int(row["id"]), _skeleton(model)).blend = share
        row["pose"] += 1

    def take_from_animation(self, model: Model, row: np.void) -> None:
        """Make the present moment of the gait the custom pose."""
        skeleton = _skeleton(model)
        moment = skeleton.from_joints(joint_matrices(model, row))
        self._get(int(row["id"]), skeleton).relative = skeleton.relative(moment)
        row["pose"] += 1

    def bones(self, model: Model, row: np.void) -> Floats:
        """Return (B, 4, 4) actor-from-bone of a walker as it is seen, in the order of its skeleton's names."""
        skeleton = _skeleton(model)
        moving = skeleton.from_joints(joint_matrices(model, row))
        pose = self._of.get(int(row["id"]))
        if pose is None or pose.blend <= 0.0:
            return moving
        return skeleton.compose(_between(skeleton.relative(moving), pose.relative, pose.blend))

    def matrices(self, model: Model, row: np.void) -> Floats:
        """Return (J, 4, 4) actor-from-joint of any actor: what renderer and ray caster draw."""
        if int(row["id"]) not in self:
            return joint_matrices(model, row)
        return _skeleton(model).to_joints(self.bones(model, row))


def _skeleton(model: Model) -> Skeleton:
    found = skeleton_of(model)
    assert found is not None, f"{model.name} is no walker"
    return found


def _between(a: Floats, b: Floats, share: float) -> Floats:
    """Return (B, 4, 4) poses between two: places along the line, turns along the shortest arc."""
    if share >= 1.0:
        return b
    found = a.copy()
    found[:, :3, 3] += share * (b[:, :3, 3] - a[:, :3, 3])
    start = Turn.from_matrix(a[:, :3, :3])
    arc = (start.inv() * Turn.from_matrix(b[:, :3, :3])).as_rotvec()
    found[:, :3, :3] = (start * Turn.from_rotvec(share * arc)).as_matrix()
    return found

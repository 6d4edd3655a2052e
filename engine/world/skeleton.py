"""CARLA's walker skeleton on our thirteen joints: names, parents and places of its 67 bones.

A bone rides on one of our joints at a fixed offset; its axes are the body's (x forward, y right, z up, standing), not
those of CARLA's rig, so an angle set on a bone turns about another axis than in Unreal. Names and parents are those
of CARLA's public documentation of pedestrian bones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.geometry import Model
from engine.scene import rest_matrices
from engine.scene.rigs import ActorModel, WalkerRig

Floats = npt.NDArray[np.float64]
Offset = tuple[float, float, float]

_FINGERS = (("Thumb", 0.016, 0.012), ("Index", 0.012, 0.0), ("Middle", 0.004, 0.0), ("Ring", -0.004, 0.0),
            ("Pinky", -0.012, 0.0))  # fmt: skip
"""Name, how far in front of the hand's middle, and how much higher up it begins, as shares of the body's height."""
_KNUCKLES = (("", -0.190), ("01", -0.212), ("02", -0.224), ("End", -0.236))
_HAND_Z = -0.150


@dataclass(frozen=True)
class _Bone:
    """A bone: its parent's name, the joint it rides on, and its place there as shares of the body's height."""

    name: str
    parent: str
    joint: str
    offset: Offset = (0.0, 0.0, 0.0)


def _arm(side: str, joint: str) -> list[_Bone]:
    hand = f"crl_hand__{side}"
    # The collar bone begins beside the spine; `skeleton_of` puts it level with the shoulder joint.
    bones = [
        _Bone(f"crl_shoulder__{side}", "crl_spine01__C", "spine"),
        _Bone(f"crl_arm__{side}", f"crl_shoulder__{side}", f"shoulder_{joint}"),
        _Bone(f"crl_foreArm__{side}", f"crl_arm__{side}", f"elbow_{joint}"),
        _Bone(hand, f"crl_foreArm__{side}", f"elbow_{joint}", (0.0, 0.0, _HAND_Z)),
    ]
    for finger, ahead, up in _FINGERS:
        parent = hand
        for knuckle, z in _KNUCKLES:
            name = f"crl_hand{finger}{knuckle}__{side}"
            bones.append(_Bone(name, parent, f"elbow_{joint}", (ahead, 0.0, z + up)))
            parent = name
    return bones


def _leg(side: str, joint: str) -> list[_Bone]:
    return [
        _Bone(f"crl_thigh__{side}", "crl_hips__C", f"hip_{joint}"),
        _Bone(f"crl_leg__{side}", f"crl_thigh__{side}", f"knee_{joint}"),
        _Bone(f"crl_foot__{side}", f"crl_leg__{side}", f"ankle_{joint}"),
        _Bone(f"crl_toe__{side}", f"crl_foot__{side}", f"ankle_{joint}", (0.075, 0.0, -0.030)),
        _Bone(f"crl_toeEnd__{side}", f"crl_toe__{side}", f"ankle_{joint}", (0.110, 0.0, -0.032)),
    ]


_BONES: tuple[_Bone, ...] = (
    _Bone("crl_root", "", "", (0.0, 0.0, -0.5)),
    _Bone("crl_hips__C", "crl_root", "pelvis"),
    _Bone("crl_spine__C", "crl_hips__C", "spine"),
    _Bone("crl_spine01__C", "crl_spine__C", "spine", (0.0, 0.0, 0.09)),
    *_arm("L", "l"),
    _Bone("crl_neck__C", "crl_spine01__C", "neck"),
    _Bone("crl_Head__C", "crl_neck__C", "neck", (0.0, 0.0, 0.05)),
    _Bone("crl_eye__L", "crl_Head__C", "neck", (0.045, -0.017, 0.095)),
    _Bone("crl_eye__R", "crl_Head__C", "neck", (0.045, 0.017, 0.095)),
    *_arm("R", "r"),
    *_leg("R", "r"),
    *_leg("L", "l"),
)

_DRIVERS = {"neck": "crl_Head__C", "spine": "crl_spine01__C"}
"""Joints whose shapes follow a bone further out than the one at the joint itself."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A walker model's bones as columns, parents before children.

    Attributes:
        names: (B,) CARLA's names.
        parents: (B,) index of the parent, -1 for the root.
        joints: (B,) index of the model's joint the bone rides on, -1 for the model's root.
        offsets: (B, 3) metres in the joint's frame.
        drivers: (J,) index of the bone that each of the model's joints follows when the bones lead.
        rest: (B, 4, 4) parent-from-bone of the standing body: CARLA's neutral pose.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    joints: npt.NDArray[np.intp]
    offsets: Floats
    drivers: tuple[int, ...]
    rest: Floats

    def from_joints(self, joints: Floats) -> Floats:
        """Return (B, 4, 4) actor-from-bone for (J, 4, 4) actor-from-joint."""
        with_root = np.concatenate([joints, np.eye(4)[None]])
        poses = with_root[self.joints]
        poses[:, :3, 3] += np.einsum("bij,bj->bi", poses[:, :3, :3], self.offsets)
        return poses

    def to_joints(self, bones: Floats) -> Floats:
        """Return (J, 4, 4) actor-from-joint that follow (B, 4, 4) actor-from-bone."""
        drivers = np.array(self.drivers)
        joints = bones[drivers].copy()
        joints[:, :3, 3] -= np.einsum("jab,jb->ja", joints[:, :3, :3], self.offsets[drivers])
        return joints

    def relative(self, bones: Floats) -> Floats:
        """Return (B, 4, 4) parent-from-bone for (B, 4, 4) actor-from-bone; the root's is its own pose."""
        inverse = np.linalg.inv(bones)
        return np.stack([bones[b] if p < 0 else inverse[p] @ bones[b] for b, p in enumerate(self.parents)])

    def compose(self, relative: Floats) -> Floats:
        """Return (B, 4, 4) actor-from-bone for (B, 4, 4) parent-from-bone."""
        bones = np.empty_like(relative)
        for b, p in enumerate(self.parents):
            bones[b] = relative[b] if p < 0 else bones[p] @ relative[b]
        return bones


_known: dict[int, tuple[Model, Skeleton]] = {}
_MOST = 256


def skeleton_of(model: Model) -> Skeleton | None:
    """Return the skeleton of a walker's model; None for a model of anything else."""
    if id(model) in _known and _known[id(model)][0] is model:
        return _known[id(model)][1]
    if not (isinstance(model, ActorModel) and isinstance(model.rig, WalkerRig)):
        return None
    index = {joint.name: number for number, joint in enumerate(model.joints)}
    height = 2.0 * model.box.extent[2]
    place = {bone.name: number for number, bone in enumerate(_BONES)}
    offsets = np.array([bone.offset for bone in _BONES]) * height
    for side, joint in (("L", "l"), ("R", "r")):
        shoulder = model.joints[index[f"shoulder_{joint}"]].rest[:3, 3]
        offsets[place[f"crl_shoulder__{side}"]] = shoulder * (1.0, 0.2, 1.0)
    at_joint = {bone.joint: bone.name for bone in reversed(_BONES) if bone.offset == (0.0, 0.0, 0.0)} | _DRIVERS
    made = Skeleton(
        names=tuple(bone.name for bone in _BONES),
        parents=tuple(place.get(bone.parent, -1) for bone in _BONES),
        joints=np.array([index.get(bone.joint, -1) for bone in _BONES]),
        offsets=offsets,
        drivers=tuple(place[at_joint[joint.name]] for joint in model.joints),
        rest=np.zeros((len(_BONES), 4, 4)),
    )
    made.rest[:] = made.relative(made.from_joints(rest_matrices(model.joints)))
    while len(_known) >= _MOST:
        del _known[next(iter(_known))]
    _known[id(model)] = (model, made)
    return made

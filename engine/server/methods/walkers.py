"""Walkers (protocol section 2.5)."""

from __future__ import annotations

from engine.protocol.structs import WalkerBoneControlIn, WalkerBoneControlOut, WalkerControl
from engine.server.methods.actors import about_actor, sends
from engine.server.session import Session
from engine.state import Kind
from engine.world import commands
from engine.world.bones import bone_transforms

sends("apply_control_to_walker", commands.control_walker, int, WalkerControl)
sends("set_bones_transform", commands.set_bones, int, WalkerBoneControlIn)
sends("blend_pose", commands.blend_pose, int, float)
sends("get_pose_from_animation", commands.take_pose_from_animation, int)


@about_actor("get_bones_transform", int)
def get_bones_transform(session: Session, actor_id: int) -> WalkerBoneControlOut:
    """Return a walker's bones in three frames."""
    commands.find(session.world, actor_id, Kind.WALKER)
    return WalkerBoneControlOut(tuple(bone_transforms(session.world, actor_id)))

"""Actors of every kind (protocol section 2.3)."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from engine.protocol.structs import Actor, ActorDescription, BoundingBox, Location, Rotation, Transform, Vector3D
from engine.server.registry import CallError, method
from engine.server.session import Session
from engine.state import Kind
from engine.world import commands
from engine.world.bones import bone_names, bone_transforms
from engine.world.commands import ActorError
from engine.world.components import components
from engine.world.entries import SpawnError, wire_box
from engine.world.spawning import spawn
from foundation.frames import pose_matrices, transform_points


def about_actor(name: str, *arguments: Any, returns: bool = True) -> Any:
    """Register a method whose actor may be missing: the error gets CARLA's head."""

    def keep(function: Any) -> Any:
        @functools.wraps(function)
        def guarded(session: Session, *given: Any) -> Any:
            try:
                return function(session, *given)
            except ActorError as error:
                raise CallError(f"Responding error from function {name}: {error}") from error

        method(name, *arguments, returns=returns)(guarded)
        return function

    return keep


def sends(name: str, function: Any, *arguments: Any) -> None:
    """Register a method that hands its arguments to a function of :mod:`engine.world.commands`."""

    @functools.wraps(function)
    def run(session: Session, *given: Any) -> None:
        function(session.world, *given)

    about_actor(name, *arguments, returns=False)(run)


@method("get_spectator")
def get_spectator(session: Session) -> Actor:
    """Return the spectator."""
    return session.actor_struct(session.world.spectator)


@method("get_actors_by_id", list[int])
def get_actors_by_id(session: Session, ids: list[int]) -> list[Actor]:
    """Return the actors that exist; unknown ids are left out."""
    return [session.actor_struct(i) for i in ids if i in session.world.actors]


@method("spawn_actor", ActorDescription, Transform)
def spawn_actor(session: Session, description: ActorDescription, transform: Transform) -> Actor:
    """Spawn at a world pose."""
    return _spawned(session, description, transform, 0, 0)


@method("spawn_actor_with_parent", ActorDescription, Transform, int, int, str)
def spawn_actor_with_parent(
    session: Session, description: ActorDescription, transform: Transform, parent: int, attachment: int, socket: str
) -> Actor:
    """Spawn at a pose relative to a parent. Sockets do not exist here: the actor's own frame is the only one."""
    if parent not in session.world.actors:
        raise CallError("unable to attach actor: parent actor not found")
    if socket:
        raise CallError(f"not supported by the embedded engine: attaching to socket '{socket}'")
    return _spawned(session, description, transform, parent, attachment)


def _spawned(
    session: Session, description: ActorDescription, transform: Transform, parent: int, attachment: int
) -> Actor:
    try:
        entry = spawn(session.world, description, transform, parent, attachment)
    except SpawnError as error:
        raise CallError(str(error)) from error
    return session.actor_struct(entry.id)


@method("destroy_actor", int)
def destroy_actor(session: Session, actor_id: int) -> bool:
    """Destroy; children stay."""
    if not session.world.destroy(actor_id):
        raise CallError("unable to destroy actor: not found")
    return True


sends("set_actor_location", commands.set_location, int, Location)
sends("set_actor_transform", commands.set_transform, int, Transform)
sends("set_actor_target_velocity", commands.set_target_velocity, int, Vector3D)
sends("set_actor_target_angular_velocity", commands.set_target_angular_velocity, int, Vector3D)
sends("enable_actor_constant_velocity", commands.enable_constant_velocity, int, Vector3D)
sends("disable_actor_constant_velocity", commands.disable_constant_velocity, int)
sends("add_actor_impulse", commands.add_impulse, int, Vector3D)
sends("add_actor_force", commands.add_force, int, Vector3D)
sends("add_actor_impulse_at_location", commands.add_impulse, int, Vector3D, Location)
sends("add_actor_force_at_location", commands.add_force, int, Vector3D, Location)
sends("add_actor_angular_impulse", commands.add_angular_impulse, int, Vector3D)
sends("add_actor_torque", commands.add_torque, int, Vector3D)
sends("set_actor_simulate_physics", commands.set_simulate_physics, int, bool)
sends("set_actor_collisions", commands.set_collisions, int, bool)
sends("set_actor_enable_gravity", commands.set_enable_gravity, int, bool)
sends("set_actor_dead", commands.set_dead, int)
sends("set_actor_autopilot", commands.set_autopilot, int, bool)


@method("get_actor_bounding_box", int)
def get_actor_bounding_box(session: Session, actor_id: int) -> BoundingBox:
    """Return the box in the actor's frame; an empty one for an unknown id."""
    entry = session.world.actors.get(actor_id)
    return BoundingBox() if entry is None else wire_box(entry.box, actor_id)


@about_actor("get_actor_component_names", int)
def get_actor_component_names(session: Session, actor_id: int) -> list[str]:
    """Return an actor's components: its root, and a vehicle's lamps."""
    commands.find(session.world, actor_id)
    return list(components(session.world, actor_id))


@about_actor("get_actor_component_world_transform", int, str)
def get_actor_component_world_transform(session: Session, actor_id: int, name: str) -> Transform:
    """Return a component's pose."""
    place = _component(session, actor_id, name)
    row = session.world.table[actor_id]
    at = transform_points(pose_matrices(row["location"], row["rotation"]), place[None])[0]
    return Transform(Location(*at.tolist()), Rotation(*row["rotation"].tolist()))


@about_actor("get_actor_component_relative_transform", int, str)
def get_actor_component_relative_transform(session: Session, actor_id: int, name: str) -> Transform:
    """Return a component's pose in the actor."""
    return Transform(Location(*_component(session, actor_id, name).tolist()), Rotation())


def _component(session: Session, actor_id: int, name: str) -> np.ndarray:
    commands.find(session.world, actor_id)
    found = components(session.world, actor_id)
    if name not in found:
        raise ActorError(f"Component could not be found in this actor.  Actor Id: {actor_id}")
    return found[name]


@about_actor("get_actor_bone_names", int)
def get_actor_bone_names(session: Session, actor_id: int) -> list[str]:
    """Return the bones of the actor: CARLA's skeleton for walkers, the model's joints otherwise."""
    commands.find(session.world, actor_id, Kind.VEHICLE, Kind.WALKER, Kind.PROP)
    return bone_names(session.world, actor_id)


@about_actor("get_actor_socket_names", int)
def get_actor_socket_names(session: Session, actor_id: int) -> list[str]:
    """Return no sockets: models have none."""
    commands.find(session.world, actor_id)
    return []


def _bones(session: Session, actor_id: int, *, world: bool) -> list[Transform]:
    commands.find(session.world, actor_id, Kind.VEHICLE, Kind.WALKER, Kind.PROP)
    return [bone.world if world else bone.relative for bone in bone_transforms(session.world, actor_id)]


@about_actor("get_actor_bone_world_transforms", int)
def get_actor_bone_world_transforms(session: Session, actor_id: int) -> list[Transform]:
    """Return the joints' world poses, in the order of their names."""
    return _bones(session, actor_id, world=True)


@about_actor("get_vehicle_bone_world_transforms", int)
def get_vehicle_bone_world_transforms(session: Session, actor_id: int) -> list[Transform]:
    """Return the same for a vehicle."""
    return _bones(session, actor_id, world=True)


@about_actor("get_actor_bone_relative_transforms", int)
def get_actor_bone_relative_transforms(session: Session, actor_id: int) -> list[Transform]:
    """Return the joints' poses in their parents."""
    return _bones(session, actor_id, world=False)


@about_actor("get_actor_socket_world_transforms", int)
def get_actor_socket_world_transforms(session: Session, actor_id: int) -> list[Transform]:
    """Return none: models have no sockets."""
    commands.find(session.world, actor_id)
    return []


@about_actor("get_actor_socket_relative_transforms", int)
def get_actor_socket_relative_transforms(session: Session, actor_id: int) -> list[Transform]:
    """Return none: models have no sockets."""
    commands.find(session.world, actor_id)
    return []

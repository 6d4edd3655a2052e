"""Vehicles (protocol section 2.4)."""

from __future__ import annotations

import math

from engine.protocol.structs import (
    AckermannControllerSettings,
    VehicleAckermannControl,
    VehicleControl,
    VehicleLightState,
    VehiclePhysicsControl,
    VehicleTelemetryData,
)
from engine.server.methods.actors import about_actor, sends
from engine.server.registry import method
from engine.server.session import Session
from engine.state import Kind
from engine.world import commands
from engine.world.commands import ActorError

sends("apply_control_to_vehicle", commands.control_vehicle, int, VehicleControl)
sends("apply_ackermann_control_to_vehicle", commands.control_vehicle_ackermann, int, VehicleAckermannControl)
sends("apply_physics_control", commands.set_physics_control, int, VehiclePhysicsControl)


@about_actor("open_vehicle_door", int, int, returns=False)
def open_vehicle_door(session: Session, actor_id: int, door: int) -> None:
    """Open a door, or all (6), of a vehicle that has doors that move; cameras and rays see it."""
    commands.set_door(session.world, actor_id, door, True)


@about_actor("close_vehicle_door", int, int, returns=False)
def close_vehicle_door(session: Session, actor_id: int, door: int) -> None:
    """Close a door, or all (6)."""
    commands.set_door(session.world, actor_id, door, False)


@about_actor("get_physics_control", int)
def get_physics_control(session: Session, actor_id: int) -> VehiclePhysicsControl:
    """Return the physics control in force, wheels in the world."""
    commands.find(session.world, actor_id, Kind.VEHICLE)
    return session.world.physics.physics_control(actor_id)


@about_actor("get_ackermann_controller_settings", int)
def get_ackermann_controller_settings(session: Session, actor_id: int) -> AckermannControllerSettings:
    """Return the gains of the Ackermann controller."""
    commands.find(session.world, actor_id, Kind.VEHICLE)
    return session.world.ackermann.settings(actor_id)


@about_actor("apply_ackermann_controller_settings", int, AckermannControllerSettings, returns=False)
def apply_ackermann_controller_settings(session: Session, actor_id: int, settings: AckermannControllerSettings) -> None:
    """Change the gains of the Ackermann controller."""
    commands.find(session.world, actor_id, Kind.VEHICLE)
    commands.require_finite(settings)
    session.world.ackermann.set_settings(actor_id, settings)


@about_actor("get_vehicle_light_state", int)
def get_vehicle_light_state(session: Session, actor_id: int) -> VehicleLightState:
    """Return a vehicle's lights."""
    commands.find(session.world, actor_id, Kind.VEHICLE)
    return VehicleLightState(int(session.world.table[actor_id]["lights"]))


@about_actor("set_vehicle_light_state", int, VehicleLightState, returns=False)
def set_vehicle_light_state(session: Session, actor_id: int, state: VehicleLightState) -> None:
    """Switch a vehicle's lights."""
    commands.set_light_state(session.world, actor_id, state.light_state)


@method("get_vehicle_light_states")
def get_vehicle_light_states(session: Session) -> list[tuple[int, int]]:
    """Return all vehicles' lights."""
    rows = session.world.table.rows
    vehicles = rows["kind"] == Kind.VEHICLE
    return list(zip(rows["id"][vehicles].tolist(), rows["lights"][vehicles].tolist()))


def _wheel(session: Session, actor_id: int, wheel: int) -> int:
    commands.find(session.world, actor_id, Kind.VEHICLE)
    if not 0 <= wheel < 4:
        raise ActorError(f"there is no wheel {wheel}.  Actor Id: {actor_id}")
    return wheel


@about_actor("set_wheel_steer_direction", int, int, float, returns=False)
def set_wheel_steer_direction(session: Session, actor_id: int, wheel: int, degrees: float) -> None:
    """Turn a wheel for the eye only, until the next frame of physics."""
    number = _wheel(session, actor_id, wheel)
    session.world.table[actor_id]["wheel_steer"][number] = commands.clamp(degrees, -90.0, 90.0)


@about_actor("get_wheel_steer_angle", int, int)
def get_wheel_steer_angle(session: Session, actor_id: int, wheel: int) -> float:
    """Return a wheel's steering angle, degrees."""
    number = _wheel(session, actor_id, wheel)
    return float(session.world.table[actor_id]["wheel_steer"][number])


@about_actor("set_wheel_pitch_angle", int, int, float, returns=False)
def set_wheel_pitch_angle(session: Session, actor_id: int, wheel: int, degrees: float) -> None:
    """Roll the wheels for the eye only. All wheels of a vehicle share one rolling angle here."""
    _wheel(session, actor_id, wheel)
    commands.require_finite(degrees)
    session.world.table[actor_id]["wheel_spin"] = math.radians(degrees)


@about_actor("get_wheel_pitch_angle", int, int)
def get_wheel_pitch_angle(session: Session, actor_id: int, wheel: int) -> float:
    """Return how far a wheel has rolled, degrees within a turn."""
    _wheel(session, actor_id, wheel)
    return math.degrees(session.world.table[actor_id]["wheel_spin"]) % 360.0


@about_actor("get_telemetry_data", int)
def get_telemetry_data(session: Session, actor_id: int) -> VehicleTelemetryData:
    """Return speeds, forces and slips."""
    commands.find(session.world, actor_id, Kind.VEHICLE)
    return session.world.physics.telemetry(actor_id)


@about_actor("restore_physx_physics", int, returns=False)
def restore_physx_physics(session: Session, actor_id: int) -> None:
    """Accept: the one physics is always in force."""
    commands.find(session.world, actor_id, Kind.VEHICLE)

"""Sensor streams (protocol section 2.7)."""

from __future__ import annotations

from engine.protocol.streams import WORLD_STREAM
from engine.protocol.structs import TokenBox
from engine.server.methods.actors import about_actor
from engine.server.registry import CallError, method
from engine.server.session import Session
from engine.state import Kind
from engine.world import commands


@method("get_sensor_token", int)
def get_sensor_token(session: Session, stream_id: int) -> TokenBox:
    """Return where a stream is served."""
    if not WORLD_STREAM <= stream_id <= session.world.last_stream_id:
        raise CallError(f"there is no stream {stream_id}")
    session.expect(stream_id)
    return TokenBox(session.token(stream_id))


@method("enable_sensor_for_ros", int, returns=False)
def enable_sensor_for_ros(session: Session, stream_id: int) -> None:
    """Remember the wish; the embedded engine has no ROS bridge of its own."""
    session.ros_streams.add(stream_id)
    session.warn("enable_for_ros has no effect: the embedded engine has no ROS bridge")


@method("disable_sensor_for_ros", int, returns=False)
def disable_sensor_for_ros(session: Session, stream_id: int) -> None:
    """Forget the wish."""
    session.ros_streams.discard(stream_id)


@method("is_sensor_enabled_for_ros", int)
def is_sensor_enabled_for_ros(session: Session, stream_id: int) -> bool:
    """Whether a client asked for ROS."""
    return stream_id in session.ros_streams


@about_actor("are_gbuffers_enabled", int)
def are_gbuffers_enabled(session: Session, actor_id: int) -> bool:
    """Return False: there are no G-buffers."""
    commands.find(session.world, actor_id, Kind.SENSOR)
    return False

"""Sensor streams (protocol section 2.7)."""

from __future__ import annotations

from typing import TypeVar

from engine.protocol.streams import WORLD_STREAM
from engine.protocol.structs import TokenBox
from engine.sensors.base import Sensor
from engine.sensors.camera import RgbCamera
from engine.sensors.gbuffers import GBuffer
from engine.sensors.v2x import CustomV2x
from engine.server.methods.actors import about_actor
from engine.server.registry import CallError, method
from engine.server.session import Session
from engine.state import Kind
from engine.world import commands
from engine.world.commands import ActorError


@method("get_sensor_token", int)
def get_sensor_token(session: Session, stream_id: int) -> TokenBox:
    """Return where a stream is served."""
    if not WORLD_STREAM <= stream_id <= session.world.last_stream_id:
        raise CallError(f"there is no stream {stream_id}")
    session.expect(stream_id)
    return TokenBox(session.token(stream_id))


@method("disable_sensor_for_ros", int, returns=False)
def disable_sensor_for_ros(session: Session, stream_id: int) -> None:
    """Nothing to switch off: no sensor sends to ROS."""


@method("is_sensor_enabled_for_ros", int)
def is_sensor_enabled_for_ros(session: Session, stream_id: int) -> bool:
    """Return False: no sensor sends to ROS."""
    return False


@about_actor("enable_gbuffers", int, bool, returns=False)
def enable_gbuffers(session: Session, actor_id: int, enabled: bool) -> None:
    """Let a camera send G-buffers to those who listen, or not. They are sent until a client switches them off."""
    camera = _sensor(session, actor_id, RgbCamera)
    camera.gbuffers_enabled = enabled


@about_actor("are_gbuffers_enabled", int)
def are_gbuffers_enabled(session: Session, actor_id: int) -> bool:
    """Whether a camera sends G-buffers."""
    return _sensor(session, actor_id, RgbCamera).gbuffers_enabled


@about_actor("get_gbuffer_token", int, int)
def get_gbuffer_token(session: Session, actor_id: int, number: int) -> bytes:
    """Return where a G-buffer of a camera is served; its stream is made when it is first asked for."""
    camera = _sensor(session, actor_id, RgbCamera)
    sensing = session.world.sensing
    stream_id = sensing.gbuffer_stream(actor_id, number)
    if stream_id is None:
        try:
            buffer = GBuffer(camera, number)
        except ValueError as error:
            raise CallError(str(error)) from error
        stream_id = session.world.open_stream()
        sensing.add_gbuffer(buffer, stream_id)
    # The client asks again when it stops listening; then nobody is on the way.
    if not session.world.publisher.listened(stream_id):
        session.expect(stream_id)
    return session.token(stream_id)


@about_actor("send", int, str)
def send(session: Session, actor_id: int, text: str) -> None:
    """Send a text by radio, in the next frame."""
    _sensor(session, actor_id, CustomV2x).send(text)


@about_actor("set_ignored_vehicles", int, list[int], returns=False)
def set_ignored_vehicles(session: Session, actor_id: int, vehicles: list[int]) -> None:
    """Hide vehicles from one sensor: its rays pass through them, its pictures leave them out."""
    commands.find(session.world, actor_id, Kind.SENSOR)
    sensor = session.world.sensing.find(actor_id)
    if sensor is None:
        raise ActorError(f"Actor does not match the expected type.  Actor Id: {actor_id}")
    sensor.ignored = frozenset(vehicles)


Wanted = TypeVar("Wanted", bound=Sensor)


def _sensor(session: Session, actor_id: int, kind: type[Wanted]) -> Wanted:
    commands.find(session.world, actor_id, Kind.SENSOR)
    found = session.world.sensing.find(actor_id)
    if not isinstance(found, kind):
        raise ActorError(f"Actor does not match the expected type.  Actor Id: {actor_id}")
    return found

"""Recorder and replayer (protocol section 2.8)."""

from __future__ import annotations

from engine.protocol.structs import Transform
from engine.recorder import Order
from engine.server.registry import method
from engine.server.session import Session
from engine.world.commands import angles, vector
from foundation.errors import RealityError


@method("start_recorder", str, bool)
def start_recorder(session: Session, name: str, additional_data: bool) -> str:
    """Begin to record; the file's path, "" when it cannot be written."""
    return session.world.recorder.start(session.world, name, additional=additional_data)


@method("stop_recorder", returns=False)
def stop_recorder(session: Session) -> None:
    """End the recording."""
    session.world.recorder.stop()


@method("show_recorder_file_info", str, bool)
def show_recorder_file_info(session: Session, name: str, show_all: bool) -> str:
    """Return what is in a recording."""
    return session.world.recorder.file_info(name, show_all=show_all)


def _category(code: int) -> str:
    return chr(code) if 0 <= code < 128 else ""


@method("show_recorder_collisions", str, int, int)
def show_recorder_collisions(session: Session, name: str, type_1: int, type_2: int) -> str:
    """Return the collisions between two categories of actors; the categories come as character codes."""
    return session.world.recorder.collisions(name, _category(type_1), _category(type_2))


@method("show_recorder_actors_blocked", str, float, float)
def show_recorder_actors_blocked(session: Session, name: str, min_time: float, min_distance: float) -> str:
    """Return who stood for ``min_time`` seconds, moving less than ``min_distance`` centimetres."""
    return session.world.recorder.actors_blocked(name, min_time, min_distance)


@method("replay_file", str, float, float, int, bool, Transform)
def replay_file(
    session: Session, name: str, start: float, duration: float, follow: int, sensors: bool, offset: Transform
) -> str:
    """Begin a replay and tell about it."""
    vector(offset.location)
    angles(offset.rotation)
    episode = session.world.episode
    told = session.world.recorder.start_replay(session.world, name, Order(start, duration, follow, sensors, offset))
    if session.world.episode != episode:
        session.debug_shapes.clear()
    return told


@method("stop_replayer", bool, returns=False)
def stop_replayer(session: Session, keep_actors: bool) -> None:
    """End the replay."""
    session.world.recorder.stop_replay(session.world, keep_actors=keep_actors)


@method("set_replayer_time_factor", float, returns=False)
def set_replayer_time_factor(session: Session, factor: float) -> None:
    """Play faster or slower; a factor that cannot be played changes nothing and is named in the log."""
    try:
        session.world.recorder.set_time_factor(factor)
    except RealityError as error:
        session.warn(f"set_replayer_time_factor: {error}")
        raise


@method("set_replayer_ignore_hero", bool, returns=False)
def set_replayer_ignore_hero(session: Session, ignore: bool) -> None:
    """Leave heroes out of replays to come."""
    session.world.recorder.ignore_hero = ignore


@method("set_replayer_ignore_spectator", bool, returns=False)
def set_replayer_ignore_spectator(session: Session, ignore: bool) -> None:
    """Let the spectator stay where it is in replays to come, or move as recorded."""
    session.world.recorder.ignore_spectator = ignore

"""Traffic lights (protocol section 2.6)."""

from __future__ import annotations

import math

from engine.geometry import SignalSpec
from engine.protocol.structs import BoundingBox
from engine.server.methods.actors import about_actor, sends
from engine.server.registry import CallError, method
from engine.server.session import Session
from engine.state import Kind
from engine.world import commands

MAX_SECONDS = 1e6

sends("set_traffic_light_state", commands.set_traffic_light_state, int, int)


def _time(name: str, which: str) -> None:
    def set_time(session: Session, actor_id: int, seconds: float) -> None:
        commands.find(session.world, actor_id, Kind.TRAFFIC_LIGHT)
        if not (math.isfinite(seconds) and 0.0 <= seconds <= MAX_SECONDS):
            raise CallError(f"{name}: {seconds} s is no duration")
        session.world.traffic_lights.set_time(actor_id, which, seconds)

    set_time.__doc__ = f"Set how long a light's {which.replace('_time', '')} lasts, s."
    about_actor(name, int, float, returns=False)(set_time)


_time("set_traffic_light_green_time", "green_time")
_time("set_traffic_light_yellow_time", "yellow_time")
_time("set_traffic_light_red_time", "red_time")


@about_actor("freeze_traffic_light", int, bool, returns=False)
def freeze_traffic_light(session: Session, actor_id: int, frozen: bool) -> None:
    """Stop or start one junction's cycle."""
    commands.find(session.world, actor_id, Kind.TRAFFIC_LIGHT)
    session.world.traffic_lights.freeze_group(actor_id, frozen)


@method("freeze_all_traffic_lights", bool, returns=False)
def freeze_all_traffic_lights(session: Session, frozen: bool) -> None:
    """Stop or start all cycles."""
    session.world.traffic_lights.freeze(frozen)


@about_actor("reset_traffic_light_group", int, returns=False)
def reset_traffic_light_group(session: Session, actor_id: int) -> None:
    """Restart one junction's cycle."""
    commands.find(session.world, actor_id, Kind.TRAFFIC_LIGHT)
    session.world.traffic_lights.reset_group(actor_id)


@method("reset_all_traffic_lights", returns=False)
def reset_all_traffic_lights(session: Session) -> None:
    """Restart all cycles."""
    session.world.traffic_lights.reset_all()


@about_actor("get_group_traffic_lights", int)
def get_group_traffic_lights(session: Session, actor_id: int) -> list[int]:
    """Return the lights of the same junction."""
    commands.find(session.world, actor_id, Kind.TRAFFIC_LIGHT)
    return session.world.traffic_lights.group_ids(actor_id)


@about_actor("get_light_boxes", int)
def get_light_boxes(session: Session, actor_id: int) -> list[BoundingBox]:
    """Return the boxes of a light's lamp heads, in the world."""
    entry = commands.find(session.world, actor_id, Kind.TRAFFIC_LIGHT)
    assert isinstance(entry.spec, SignalSpec)
    return session.world.light_boxes(actor_id)

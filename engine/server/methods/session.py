"""Connecting, maps, settings, blueprints (protocol section 2.1) and the traffic manager registry (2.9)."""

from __future__ import annotations

import math
from typing import Any

from engine.blueprints import LIBRARY
from engine.geometry import Generation
from engine.protocol.streams import WORLD_STREAM
from engine.protocol.structs import (
    ActorDefinition,
    EpisodeInfo,
    EpisodeSettings,
    Location,
    MapInfo,
    OpendriveGenerationParameters,
    Rotation,
    TokenBox,
    Transform,
)
from engine.server.registry import CallError, method
from engine.server.session import Session
from engine.world.maps import MapNotFound
from engine.world.scenery import ALL_LAYERS, LAYERED_SUFFIX, is_layered
from foundation.errors import InputError

VERSION = "0.9.16"
MIN_ROW_M, MIN_PIECE_M, MAX_PIECE_M, MAX_WALL_M, MAX_WIDENING_M = 0.25, 5.0, 1000.0, 100.0, 20.0
"""Limits of what a generated world is made of: beyond them there would be no end of triangles, or no use."""


@method("version")
def version(session: Session) -> str:
    """Return CARLA's version."""
    return VERSION


@method("get_episode_info")
def get_episode_info(session: Session) -> EpisodeInfo:
    """Return the episode and where its snapshots stream."""
    return EpisodeInfo(session.world.episode, TokenBox(session.token(WORLD_STREAM)))


@method("get_map_info")
def get_map_info(session: Session) -> MapInfo:
    """Return the map's name and spawn points."""
    loaded = session.world.map
    points = tuple(Transform(Location(*at), Rotation(*turn)) for at, turn in loaded.static.spawn_points)
    return MapInfo(f"Carla/Maps/{loaded.name}", points)


@method("get_map_data")
def get_map_data(session: Session) -> str:
    """Return the OpenDRIVE text."""
    return session.world.map.client_text


@method("get_required_files", str)
def get_required_files(session: Session, folder: str) -> list[str]:
    """Return the map's navigation mesh when asked for "Nav"; the road network itself comes with get_map_data."""
    loaded = session.world.map
    return [loaded.navigation.name] if folder.strip("/").lower() == "nav" and loaded.static.walkable else []


@method("request_file", str)
def request_file(session: Session, name: str) -> bytes:
    """Return the navigation mesh; its name is the only one that was offered."""
    loaded = session.world.map
    navigation = loaded.navigation
    if not loaded.static.walkable:
        raise CallError(f"no file '{name}' is served: {loaded.name} was generated without pedestrian navigation")
    if name.lstrip("/") != navigation.name:
        raise CallError(f"no file '{name}' is served: the map's only file is '{navigation.name}'")
    return navigation.data


@method("get_navigation_mesh")
def get_navigation_mesh(session: Session) -> bytes:
    """Return the navigation mesh itself."""
    loaded = session.world.map
    return loaded.navigation.data if loaded.static.walkable else b""


@method("get_available_maps")
def get_available_maps(session: Session) -> list[str]:
    """Return all maps by full name."""
    return session.world.catalogue.full_names()


@method("load_new_episode", str, bool, int, returns=False)
def load_new_episode(session: Session, name: str, reset_settings: bool, layers: int) -> None:
    """Begin a new episode. Maps whose names end in _Opt come with the layers asked for, all others whole."""
    try:
        session.world.load(name, reset_settings=reset_settings, layers=layers & ALL_LAYERS)
    except MapNotFound as error:
        raise CallError(str(error)) from error
    session.debug_shapes.clear()


@method("load_map_layer", int, returns=False)
def load_map_layer(session: Session, layers: int) -> None:
    """Bring layers of an _Opt map in; on other maps nothing happens, as in CARLA."""
    if _layered(session):
        session.world.scenery.load(layers & ALL_LAYERS)
        session.world.scenery_changed()


@method("unload_map_layer", int, returns=False)
def unload_map_layer(session: Session, layers: int) -> None:
    """Take layers of an _Opt map out; on other maps nothing happens, as in CARLA."""
    if _layered(session):
        session.world.scenery.unload(layers & ALL_LAYERS)
        session.world.scenery_changed()


def _layered(session: Session) -> bool:
    name = session.world.map.name
    if not is_layered(name):
        session.warn(f"map layers: {name} has none; load {name}{LAYERED_SUFFIX} to take layers out")
        return False
    return True


@method("copy_opendrive_to_file", str, OpendriveGenerationParameters, returns=False)
def copy_opendrive_to_file(session: Session, text: str, parameters: OpendriveGenerationParameters) -> None:
    """Keep an OpenDRIVE text as the map OpenDriveMap; a text that cannot be used is refused now."""
    numbers = (
        parameters.vertex_distance, parameters.max_road_length, parameters.wall_height, parameters.additional_width,
    )  # fmt: skip
    if not all(math.isfinite(value) for value in numbers):
        raise CallError("opendrive could not be generated: a generation parameter is not finite")
    generation = Generation(
        vertex_distance_m=min(max(parameters.vertex_distance, MIN_ROW_M), MAX_PIECE_M),
        max_road_length_m=min(max(parameters.max_road_length, MIN_PIECE_M), MAX_PIECE_M),
        wall_height_m=min(max(parameters.wall_height, 0.0), MAX_WALL_M),
        additional_width_m=min(max(parameters.additional_width, 0.0), MAX_WIDENING_M),
        smooth_junctions=parameters.smooth_junctions,
        visible=parameters.enable_mesh_visibility,
        walkable=parameters.enable_pedestrian_navigation,
    )
    try:
        session.world.catalogue.store_opendrive(text, generation)
    except InputError as error:
        raise CallError(f"opendrive could not be correctly parsed: {error}") from error


@method("get_actor_definitions")
def get_actor_definitions(session: Session) -> list[ActorDefinition]:
    """Return the blueprint library."""
    return list(LIBRARY.values())


@method("get_episode_settings")
def get_episode_settings(session: Session) -> EpisodeSettings:
    """Return the settings."""
    return session.world.settings


@method("set_episode_settings", EpisodeSettings)
def set_episode_settings(session: Session, settings: EpisodeSettings) -> int:
    """Change the settings and return the newest frame's number: one that clients have seen already."""
    session.world.change_settings(settings)
    return session.world.frame


# --- traffic manager registry --------------------------------------------------------------------------------


@method("is_traffic_manager_running", int)
def is_traffic_manager_running(session: Session, port: int) -> bool:
    """Whether a client runs a traffic manager on that port."""
    return port in session.traffic_managers


@method("get_traffic_manager_running", int)
def get_traffic_manager_running(session: Session, port: int) -> tuple[str, int]:
    """Return a traffic manager's address, ("", 0) if there is none."""
    host = session.traffic_managers.get(port)
    return ("", 0) if host is None else (host, port)


@method("add_traffic_manager_running", tuple[str, int])
def add_traffic_manager_running(session: Session, address: tuple[str, int]) -> bool:
    """Register a traffic manager; False when its port is taken."""
    host, port = address
    if port in session.traffic_managers:
        return False
    session.traffic_managers[port] = host
    return True


@method("destroy_traffic_manager", int)
def destroy_traffic_manager(session: Session, port: int) -> Any:
    """Forget a traffic manager; whether there was one."""
    return session.traffic_managers.pop(port, None) is not None

"""Weather, scene objects, rays and debug shapes (protocol section 2.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.protocol.structs import (
    BoundingBox,
    DebugShape,
    EnvironmentObject,
    LabelledPoint,
    LightState,
    Location,
    TextureColor,
    TextureFloatColor,
    Vector3D,
    WeatherParameters,
)
from engine.server.registry import CallError, method
from engine.server.session import Session
from engine.world import level
from engine.world.commands import require_finite, vector
from engine.world.textures import apply_texture
from foundation.errors import RealityError

MAX_RAY_M = 1e5


@method("get_weather_parameters")
def get_weather_parameters(session: Session) -> WeatherParameters:
    """Return the weather."""
    return session.world.weather


@method("set_weather_parameters", WeatherParameters, returns=False)
def set_weather_parameters(session: Session, weather: WeatherParameters) -> None:
    """Change the weather. The preset "Default", all -1, means the map's own."""
    require_finite(weather)
    session.world.set_weather(weather)


@method("get_imui_gravity")
def get_imui_gravity(session: Session) -> float:
    """Return what the IMUs feel at rest, m/s^2."""
    return session.world.imu_gravity


@method("set_imui_gravity", float, returns=False)
def set_imui_gravity(session: Session, gravity: float) -> None:
    """Change what the IMUs feel at rest; the world's own gravity stays."""
    if not math.isfinite(gravity):
        raise CallError("gravity is not finite")
    session.world.imu_gravity = gravity


@method("get_all_level_BBs", int)
def get_all_level_bbs(session: Session, tag: int) -> list[BoundingBox]:
    """Return the world boxes of everything with a tag: scene objects, lights, signs, vehicles, walkers, props."""
    return level.level_boxes(session.world, tag)


@method("get_environment_objects", int)
def get_environment_objects(session: Session, tag: int) -> list[EnvironmentObject]:
    """Return the scene objects with a tag, lights and signs included."""
    return level.environment_objects(session.world, tag)


@method("enable_environment_objects", list[int], bool, returns=False)
def enable_environment_objects(session: Session, ids: list[int], enable: bool) -> None:
    """Show or hide scene objects, to cameras, rays and bodies."""
    session.world.scenery.enable(ids, enable)
    session.world.scenery_changed()


@method("get_names_of_all_objects")
def get_names_of_all_objects(session: Session) -> list[str]:
    """Return the names of the level's objects, sorted."""
    return level.object_names(session.world)


@method("apply_color_texture_to_objects", list[str], int, TextureColor, returns=False)
def apply_color_texture_to_objects(session: Session, names: list[str], parameter: int, texture: TextureColor) -> None:
    """Show a picture on every side of objects, until the map is loaded again. Only colours can be replaced."""
    size = texture.width, texture.height
    _apply_texture(session, names, parameter, size, texture.pixels, linear=False)


@method("apply_float_color_texture_to_objects", list[str], int, TextureFloatColor, returns=False)
def apply_float_color_texture_to_objects(
    session: Session, names: list[str], parameter: int, texture: TextureFloatColor
) -> None:
    """Do the same with a texture in linear light."""
    size = texture.width, texture.height
    _apply_texture(session, names, parameter, size, texture.pixels, linear=True)


def _apply_texture(
    session: Session,
    names: list[str],
    parameter: int,
    size: tuple[int, int],
    pixels: Sequence[Sequence[float]],
    *,
    linear: bool,
) -> None:
    try:
        apply_texture(session.world, names, parameter, size, pixels, linear=linear)
    except RealityError as error:
        raise CallError(str(error)) from None


@method("set_annotations_traverse_translucency", bool, returns=False)
def set_annotations_traverse_translucency(session: Session, enable: bool) -> None:
    """Let labels ignore glass: off, as it is, or refused, since panes of these models are opaque."""
    if enable:
        text = "set_annotations_traverse_translucency: panes of this engine's models are opaque to labels"
        session.warn(text)
        raise CallError(text)


@method("project_point", Location, Vector3D, float)
def project_point(
    session: Session, start: Location, direction: Vector3D, distance: float
) -> tuple[bool, LabelledPoint]:
    """Return the first surface from a point in a direction; (False, nothing) for none."""
    toward = np.array(vector(direction))
    length = float(np.linalg.norm(toward))
    if not (length > 0.0 and 0.0 < distance <= MAX_RAY_M):
        return False, LabelledPoint(Location(), 0)
    found = session.world.views.rays().project_point(vector(start), toward / length, distance)
    if found is None:
        return False, LabelledPoint(Location(), 0)
    point, tag = found
    return True, LabelledPoint(Location(*point.tolist()), tag)


@method("cast_ray", Location, Location)
def cast_ray(session: Session, start: Location, end: Location) -> list[LabelledPoint]:
    """Return everything between two points, in order."""
    origin = np.array(vector(start))
    between = np.array(vector(end)) - origin
    length = float(np.linalg.norm(between))
    if not 0.0 < length <= MAX_RAY_M:
        return []
    direction = between / length
    hits = session.world.views.rays().cast_all(origin, direction, length)
    return [
        LabelledPoint(Location(*(origin + direction * float(at)).tolist()), int(tag))
        for at, tag in zip(hits.distance_m, hits.tag)
    ]


@method("draw_debug_shape", DebugShape, returns=False)
def draw_debug_shape(session: Session, shape: DebugShape) -> None:
    """Draw a shape into the colour cameras, texts and HUD shapes into those attached to the spectator."""
    session.world.shapes.add(shape)


@method("clear_debug_shape", returns=False)
def clear_debug_shape(session: Session) -> None:
    """Take all shapes away; texts stay."""
    session.world.shapes.clear_shapes()


@method("clear_debug_string", returns=False)
def clear_debug_string(session: Session) -> None:
    """Take all texts away."""
    session.world.shapes.clear_texts()


# --- light manager -------------------------------------------------------------------------------------------


@method("query_lights_state", str)
def query_lights_state(session: Session, client: str) -> list[LightState]:
    """Return all street lamps."""
    return session.world.scene_lights.states()


@method("update_lights_state", str, list[LightState], bool, returns=False)
def update_lights_state(session: Session, client: str, lights: list[LightState], discard: bool) -> None:
    """Switch street lamps; the next snapshots tell all clients. ``discard`` says that the client is leaving."""
    session.world.scene_lights.update(lights)


@method("update_day_night_cycle", str, bool, returns=False)
def update_day_night_cycle(session: Session, client: str, active: bool) -> None:
    """Whether lamps follow the sun."""
    session.world.scene_lights.day_night_cycle = active

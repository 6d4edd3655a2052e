"""Shadow maps of the sun: two of the static world around the camera, kept while it stays near, one of the actors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.render import shaders
from engine.render.context import Context
from engine.render.static_scene import StaticScene
from engine.render.targets import SUN_CAMERAS

_BACK_M = 300.0  # the sun's camera stands this far up-sun, and sees twice as deep
_BIAS_M = 0.05  # along the sun's rays; together with the offset along the normal it keeps surfaces from striping
_SIZE_PX = 1536
_ACTORS_PX = 1024
SMALL_FOCAL_PX = 220.0
"""Views of a shorter focal length show less than the full maps hold: theirs have half as many texels a side, and are
smaller."""
Vector = npt.NDArray[np.float64]


@dataclass(slots=True, eq=False)
class _Map:
    """One orthographic depth picture: half its side, texels a side, and the grid its centre snaps to."""

    half_m: float
    size_px: int
    grid_m: float
    row: int
    region: core.DisplayRegion
    camera: core.NodePath
    drawn: tuple[object, ...] | None = None
    rows: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((3, 4)))


class Shadows:
    """Draws what is needed and fills the shadow rows of the frame constants.

    The near and the far map of the static world share one texture, side by side: a pixel looks into one of them.
    """

    def __init__(self, context: Context, static: StaticScene, actors: core.NodePath, *, small: bool = False) -> None:
        self._context = context
        size, moving = (_SIZE_PX // 2, _ACTORS_PX // 2) if small else (_SIZE_PX, _ACTORS_PX)
        self._static_buffer, self._static_texture = self._buffer("shadow_static", 2 * size, size)
        self._actors_buffer, self._actors_texture = self._buffer("shadow_actors", moving, moving)
        left, right, whole = (0.0, 0.5, 0.0, 1.0), (0.5, 1.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0)
        buffer = self._static_buffer
        near_m, far_m = (40.0, 240.0) if small else (56.0, 320.0)
        # Casters are about as coarse as the map's texels, finer where edges lie close to the camera.
        near, far = (static.casters(grid_m) for grid_m in ((0.08, 0.6) if small else (0.02, 0.5)))
        self._near = _make_map(buffer, left, near_m, size, 16.0, shaders.SHADOW_NEAR, near)
        self._far = _make_map(buffer, right, far_m, size, 80.0, shaders.SHADOW_FAR, far)
        self._moving = _make_map(self._actors_buffer, whole, 48.0, moving, 8.0, shaders.SHADOW_ACTORS, actors)
        # How far along its normal a surface looks for light, near and far, so that it does not shade itself.
        self.offsets_m = (0.17, 0.70) if small else (0.13, 0.50)

    def _buffer(self, name: str, width: int, height: int) -> tuple[core.GraphicsOutput, core.Texture]:
        properties = core.FrameBufferProperties()
        properties.set_depth_bits(24)
        buffer = self._context.make_buffer(name, width, height, properties, sort=0)
        texture = core.Texture(name)
        texture.set_format(core.Texture.F_depth_component)
        texture.set_minfilter(core.SamplerState.FT_shadow)
        texture.set_magfilter(core.SamplerState.FT_shadow)
        texture.set_wrap_u(core.SamplerState.WM_clamp)
        texture.set_wrap_v(core.SamplerState.WM_clamp)
        buffer.add_render_texture(texture, core.GraphicsOutput.RTM_bind_or_copy, core.GraphicsOutput.RTP_depth)
        return buffer, texture

    def textures(self) -> dict[str, core.Texture]:
        """Return the maps by their shader names."""
        return {"shadow_static": self._static_texture, "shadow_actors": self._actors_texture}

    def prepare(
        self, constants: shaders.FrameConstants, camera: Vector, sun: Vector, actors_version: int | None
    ) -> None:
        """Activate the maps that must be drawn anew for this camera.

        Args:
            camera, sun: (3,) ASAM frame. actors_version: changes when any actor moved; None for no actors.
        """
        near = self._stale(constants, self._near, camera, sun, 0)
        far = self._stale(constants, self._far, camera, sun, 0)
        self._static_buffer.set_active(near or far)
        if actors_version is not None:
            self._actors_buffer.set_active(self._stale(constants, self._moving, camera, sun, actors_version))

    def rest(self) -> None:
        """Draw no map."""
        self._static_buffer.set_active(False)
        self._actors_buffer.set_active(False)

    def close(self) -> None:
        """Give the buffers back."""
        self._context.engine.remove_window(self._static_buffer)
        self._context.engine.remove_window(self._actors_buffer)

    @staticmethod
    def _stale(constants: shaders.FrameConstants, shadow: _Map, camera: Vector, sun: Vector, version: int) -> bool:
        place = tuple(np.round(camera / shadow.grid_m).tolist())
        key = (place, tuple(sun.tolist()), version)
        stale = key != shadow.drawn
        shadow.region.set_active(stale)
        if stale:
            shadow.drawn = key
            _aim(shadow, np.array(place) * shadow.grid_m, sun)
        constants.rows[shadow.row : shadow.row + 3] = shadow.rows
        return stale


def _make_map(
    buffer: core.GraphicsOutput,
    place: tuple[float, float, float, float],
    half_m: float,
    size_px: int,
    grid_m: float,
    row: int,
    scene: core.NodePath,
) -> _Map:
    lens = core.OrthographicLens()
    lens.set_film_size(2.0 * half_m, 2.0 * half_m)
    lens.set_near_far(1.0, 2.0 * _BACK_M)
    node = core.Camera("sun", lens)
    node.set_scene(scene)
    node.set_tag_state_key("kind")
    node.set_camera_mask(SUN_CAMERAS)
    for kind, defines in (("static", ()), ("actor", (("SKINNED", 1),))):
        state = shaders.shader_state("shadow", "shadow", defines)
        # Bodies are open below: light must not shine through their far side.
        state = state.add_attrib(core.CullFaceAttrib.make(core.CullFaceAttrib.M_cull_none), 100)
        node.set_tag_state(kind, state.add_attrib(core.ColorWriteAttrib.make(core.ColorWriteAttrib.C_off), 100))
    camera = core.NodePath(node)
    region = buffer.make_display_region(*place)
    region.set_camera(camera)
    region.set_clear_depth_active(True)
    return _Map(half_m, size_px, grid_m, row, region, camera)


def _aim(shadow: _Map, centre: Vector, sun: Vector) -> None:
    """Turn the sun's camera to ``centre`` and work out the rows that lead from the world into its map."""
    up = np.array([0.0, 0.0, 1.0]) if abs(sun[2]) < 0.95 else np.array([0.0, 1.0, 0.0])
    right = np.cross(-sun, up)
    right /= np.linalg.norm(right)
    top = np.cross(right, -sun)
    texel = 2.0 * shadow.half_m / shadow.size_px
    # Whole texels in the sun's own axes: shadow edges stand still while the window travels.
    across, along = (np.floor(np.dot(axis, centre) / texel) * texel for axis in (right, top))
    eye = right * across + top * along + sun * (np.dot(sun, centre) + _BACK_M)
    world = np.eye(4)
    world[:3, 0], world[:3, 1], world[:3, 2], world[:3, 3] = right, -sun, top, eye
    shadow.camera.set_mat(core.LMatrix4f(*world.T.ravel()))
    rows = shadow.rows
    scale = 0.5 / shadow.half_m
    rows[0, :3], rows[0, 3] = right * scale, 0.5 - np.dot(right, eye) * scale
    rows[1, :3], rows[1, 3] = top * scale, 0.5 - np.dot(top, eye) * scale
    span = 2.0 * _BACK_M - 1.0
    bias = _BIAS_M / span
    rows[2, :3], rows[2, 3] = -sun / span, (np.dot(sun, eye) - 1.0) / span - bias

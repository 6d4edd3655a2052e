"""Shadow maps of the sun: two of the static world around the camera, kept while it stays near, one of the actors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.render import shaders
from engine.render.context import Context

_BACK_M = 300.0  # the sun's camera stands this far up-sun, and sees twice as deep


@dataclass(slots=True, eq=False)
class _Map:
    """One orthographic depth picture: half its side, texels a side, and the grid its centre snaps to."""

    name: str
    half_m: float
    size_px: int
    grid_m: float
    row: int
    texture: core.Texture
    buffer: core.GraphicsOutput
    camera: core.NodePath
    lens: core.OrthographicLens
    drawn: tuple[object, ...] | None = None


class Shadows:
    """Draws what is needed and fills the shadow rows of the frame constants."""

    def __init__(self, context: Context, static: core.NodePath, actors: core.NodePath) -> None:
        self._context = context
        self.near = self._make("shadow_near", 72.0, 2048, 16.0, shaders.SHADOW_NEAR, static)
        self.far = self._make("shadow_far", 400.0, 2048, 96.0, shaders.SHADOW_FAR, static)
        self.actors = self._make("shadow_actors", 56.0, 1024, 8.0, shaders.SHADOW_ACTORS, actors)

    def _make(self, name: str, half_m: float, size_px: int, grid_m: float, row: int, scene: core.NodePath) -> _Map:
        properties = core.FrameBufferProperties()
        properties.set_depth_bits(24)
        buffer = self._context.make_buffer(name, size_px, size_px, properties, sort=0)
        texture = core.Texture(name)
        texture.set_format(core.Texture.F_depth_component)
        texture.set_minfilter(core.SamplerState.FT_shadow)
        texture.set_magfilter(core.SamplerState.FT_shadow)
        texture.set_wrap_u(core.SamplerState.WM_clamp)
        texture.set_wrap_v(core.SamplerState.WM_clamp)
        buffer.add_render_texture(texture, core.GraphicsOutput.RTM_bind_or_copy, core.GraphicsOutput.RTP_depth)
        buffer.set_clear_depth_active(True)
        lens = core.OrthographicLens()
        lens.set_film_size(2.0 * half_m, 2.0 * half_m)
        lens.set_near_far(1.0, 2.0 * _BACK_M)
        node = core.Camera(name, lens)
        node.set_scene(scene)
        node.set_tag_state_key("kind")
        for kind, defines in (("static", ()), ("actor", (("SKINNED", 1),))):
            state = shaders.shader_state("shadow", defines)
            node.set_tag_state(kind, state.add_attrib(core.ColorWriteAttrib.make(core.ColorWriteAttrib.C_off), 100))
        camera = core.NodePath(node)
        buffer.make_display_region().set_camera(camera)
        return _Map(name, half_m, size_px, grid_m, row, texture, buffer, camera, lens)

    def textures(self) -> dict[str, core.Texture]:
        """Return the maps by their shader names."""
        return {m.name: m.texture for m in (self.near, self.far, self.actors)}

    def prepare(
        self,
        constants: shaders.FrameConstants,
        camera: npt.NDArray[np.float64],
        sun: npt.NDArray[np.float64],
        actors_version: int | None,
    ) -> None:
        """Activate the maps that must be drawn anew for this camera.

        Args:
            camera, sun: (3,) ASAM frame. actors_version: changes when any actor moved; None for no actors.
        """
        for shadow, centre, version in (
            (self.near, camera, 0),
            (self.far, camera, 0),
            (self.actors, camera, actors_version),
        ):
            if version is None:
                shadow.buffer.set_active(False)
                shadow.drawn = None
                continue
            place = tuple(np.round(centre / shadow.grid_m).tolist())
            key = (place, tuple(sun.tolist()), version)
            stale = key != shadow.drawn
            shadow.buffer.set_active(stale)
            if stale:
                shadow.drawn = key
                self._aim(constants, shadow, np.array(place) * shadow.grid_m, sun)

    def forget(self) -> None:
        """Draw every map anew next time: the static scene has changed."""
        for shadow in (self.near, self.far, self.actors):
            shadow.drawn = None

    def rest(self) -> None:
        """Draw no map."""
        for shadow in (self.near, self.far, self.actors):
            shadow.buffer.set_active(False)

    def close(self) -> None:
        """Give the buffers back."""
        for shadow in (self.near, self.far, self.actors):
            self._context.engine.remove_window(shadow.buffer)

    @staticmethod
    def _aim(
        constants: shaders.FrameConstants,
        shadow: _Map,
        centre: npt.NDArray[np.float64],
        sun: npt.NDArray[np.float64],
    ) -> None:
        up = np.array([0.0, 0.0, 1.0]) if abs(sun[2]) < 0.95 else np.array([0.0, 1.0, 0.0])
        right = np.cross(-sun, up)
        right /= np.linalg.norm(right)
        top = np.cross(right, -sun)
        texel = 2.0 * shadow.half_m / shadow.size_px
        # Whole texels in the sun's own axes: shadow edges stand still while the window travels.
        across, along = (np.floor(np.dot(axis, centre) / texel) * texel for axis in (right, top))
        middle = right * across + top * along + sun * np.dot(sun, centre)
        eye = middle + sun * _BACK_M
        world = np.eye(4)
        world[:3, 0], world[:3, 1], world[:3, 2], world[:3, 3] = right, -sun, top, eye
        shadow.camera.set_mat(core.LMatrix4f(*world.T.ravel()))
        rows = np.zeros((3, 4))
        scale = 0.5 / shadow.half_m
        rows[0, :3], rows[0, 3] = right * scale, 0.5 - np.dot(right, eye) * scale
        rows[1, :3], rows[1, 3] = top * scale, 0.5 - np.dot(top, eye) * scale
        span = 2.0 * _BACK_M - 1.0
        bias = 0.02 / span
        rows[2, :3], rows[2, 3] = -sun / span, (np.dot(sun, eye) - 1.0) / span - bias
        constants.rows[shadow.row : shadow.row + 3] = rows

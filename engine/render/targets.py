"""The off-screen buffers a picture is drawn into, and how their pixels come back as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.render import shaders
from engine.render.context import Context
from engine.render.view import View

Pixels = npt.NDArray[np.uint8]

# Plain ints in Panda3D's stubs, where the methods ask for literals.
_COLOR: Any = core.GraphicsOutput.RTP_color
_AUX: tuple[Any, ...] = (
    core.GraphicsOutput.RTP_aux_rgba_0,
    core.GraphicsOutput.RTP_aux_rgba_1,
    core.GraphicsOutput.RTP_aux_rgba_2,
    core.GraphicsOutput.RTP_aux_rgba_3,
)
Defines = tuple[tuple[str, int], ...]

COLOR_CAMERAS = core.BitMask32.bit(0)
LABEL_CAMERAS = core.BitMask32.bit(1)
"""Cameras that draw no colours see no widened road paint."""

_TO_RAM: Any = core.GraphicsOutput.RTM_copy_ram
_TO_TEXTURE: Any = core.GraphicsOutput.RTM_bind_or_copy


class Targets:
    """Buffers of one size for one set of outputs, all drawn by one pass over the scene.

    Colours take two more passes over the pixels (not over the scene): light, then the filter that smooths edges.

    Args:
        outputs: of "albedo", "depth", "label", "normal"; each is one 8-bit BGRA render target of the surface pass.
            With "albedo" come "depth" and "label": light needs them.
        delivered: of these and "rgb": what :meth:`read` will be asked for.
    """

    def __init__(
        self,
        context: Context,
        scene: core.NodePath,
        width: int,
        height: int,
        outputs: tuple[str, ...],
        delivered: frozenset[str],
    ) -> None:
        self._context = context
        self.width, self.height, self.outputs = width, height, outputs
        self._read: dict[str, core.Texture] = {}
        self._buffers: list[core.GraphicsOutput] = []
        properties = core.FrameBufferProperties()
        properties.set_rgba_bits(8, 8, 8, 8)
        properties.set_depth_bits(24)
        properties.set_aux_rgba(len(outputs) - 1)
        buffer = self._add_buffer("surfaces", properties, 10)
        buffer.set_clear_depth_active(True)
        seen: dict[str, core.Texture] = {}
        for place, name in enumerate(outputs):
            plane = _COLOR if place == 0 else _AUX[place - 1]
            if "albedo" in outputs:
                seen[name] = _pixel_texture(name)
                buffer.add_render_texture(seen[name], _TO_TEXTURE, plane)
            if name in delivered:
                self._read[name] = core.Texture(name)
                buffer.add_render_texture(self._read[name], _TO_RAM, plane)
        self.lens = core.PerspectiveLens()
        node = core.Camera("view", self.lens)
        node.set_scene(scene)
        node.set_tag_state_key("kind")
        node.set_camera_mask(COLOR_CAMERAS if "albedo" in outputs else LABEL_CAMERAS)
        self.camera = core.NodePath(node)
        self._camera_node = node
        buffer.make_display_region().set_camera(self.camera)
        self._light: _Pass | None = None
        self._post: _Pass | None = None
        self._variants: tuple[Defines, Defines] | None = None
        if "albedo" in outputs:
            self._make_passes(seen)

    def _add_buffer(self, name: str, properties: core.FrameBufferProperties, sort: int) -> core.GraphicsOutput:
        buffer = self._context.make_buffer(name, self.width, self.height, properties, sort)
        self._buffers.append(buffer)
        return buffer

    def _make_passes(self, seen: dict[str, core.Texture]) -> None:
        properties = core.FrameBufferProperties()
        properties.set_rgba_bits(8, 8, 8, 8)
        lit = _pixel_texture("lit")
        buffer = self._add_buffer("light", properties, 15)
        buffer.add_render_texture(lit, _TO_TEXTURE, _COLOR)
        self._light = _Pass(buffer)
        for name, texture in seen.items():
            self._light.root.set_shader_input(name, texture)
        buffer = self._add_buffer("post", properties, 20)
        self._read["rgb"] = core.Texture("rgb")
        buffer.add_render_texture(self._read["rgb"], _TO_RAM, _COLOR)
        self._post = _Pass(buffer)
        smooth = core.SamplerState(lit.get_default_sampler())
        smooth.set_minfilter(core.SamplerState.FT_linear)
        smooth.set_magfilter(core.SamplerState.FT_linear)
        self._post.root.set_shader_input("colors_exact", lit)
        self._post.root.set_shader_input("colors", lit, smooth)

    def aim(self, view: View, matrix: core.LMatrix4f, near_m: float, far_m: float) -> None:
        """Place the camera; the picture's centre is the optical axis and pixels are square."""
        self.lens.set_film_size(view.width, view.height)
        self.lens.set_focal_length(view.focal_px)
        self.lens.set_near_far(near_m, far_m)
        self.camera.set_mat(matrix)

    def use(self, light: Defines, post: Defines, inputs: dict[str, Any]) -> None:
        """Choose the shader variants of the two colour passes, and give them what they read."""
        if self._variants is None:
            places = shaders.output_defines(self.outputs)
            node, state = self._camera_node, shaders.shader_state
            node.set_tag_state("static", state("surface", "surface", places))
            node.set_tag_state("actor", state("surface", "surface", (*places, ("SKINNED", 1))))
            node.set_tag_state("actor glass", state("surface", "surface", (*places, ("SKINNED", 1), ("GLASS", 1))))
            node.set_tag_state("glass", state("surface", "surface", (*places, ("GLASS", 1))))
            node.set_tag_state("overlay", state("surface", "surface", (*places, ("OVERLAY", 1))))
            node.set_tag_state("coverage", state("surface", "surface", (*places, ("COVERAGE", 1))))
            node.set_tag_state("sky", state("screen", "sky", places))
        if self._light is not None and self._post is not None and (light, post) != self._variants:
            for stage, name, defines in ((self._light, "light", light), (self._post, "post", post)):
                stage.node.set_initial_state(shaders.shader_state("screen", name, defines))
                for key, value in inputs.items():
                    stage.root.set_shader_input(key, value)
        self._variants = (light, post)

    def set_active(self, active: bool) -> None:
        """Draw in the next frame, or not."""
        for buffer in self._buffers:
            buffer.set_active(active)

    def read(self, name: str) -> Pixels:
        """Return a copy of one output: (H, W, 4) uint8 BGRA, top row first, alpha 255."""
        image: Any = self._read[name].get_ram_image()
        if not len(image):
            raise RuntimeError(f"the driver delivered no pixels for {name}")
        words = np.frombuffer(memoryview(image), dtype="<u4").reshape(self.height, self.width)
        pixels = np.empty((self.height, self.width), dtype="<u4")
        # OpenGL's first row is the lowest. The alpha bytes served the light pass.
        np.bitwise_or(words[::-1], np.uint32(0xFF000000), out=pixels)
        return pixels.view(np.uint8).reshape(self.height, self.width, 4)

    def close(self) -> None:
        """Give the buffers back."""
        for buffer in self._buffers:
            self._context.engine.remove_window(buffer)
        self._buffers.clear()
        self._read.clear()


class _Pass:
    """One triangle over the whole picture, with textures for input."""

    def __init__(self, buffer: core.GraphicsOutput) -> None:
        self.root = core.NodePath("pass")
        self.root.attach_new_node(screen_triangle())
        self.root.set_depth_test(False)
        self.root.set_depth_write(False)
        self.node = core.Camera("pass", core.OrthographicLens())
        self.node.set_scene(self.root)
        self._camera = core.NodePath(self.node)
        buffer.make_display_region().set_camera(self._camera)


def _pixel_texture(name: str) -> core.Texture:
    """Return a texture that is read pixel by pixel."""
    texture = core.Texture(name)
    texture.set_minfilter(core.SamplerState.FT_nearest)
    texture.set_magfilter(core.SamplerState.FT_nearest)
    texture.set_wrap_u(core.SamplerState.WM_clamp)
    texture.set_wrap_v(core.SamplerState.WM_clamp)
    return texture


def screen_triangle() -> core.GeomNode:
    """Return one triangle that covers the screen; its x and z are screen coordinates."""
    data = core.GeomVertexData("screen", core.GeomVertexFormat.get_v3(), core.Geom.UH_static)
    writer = core.GeomVertexWriter(data, "vertex")
    for x, z in ((-1.0, -1.0), (3.0, -1.0), (-1.0, 3.0)):
        writer.add_data3(x, 0.0, z)
    triangle = core.GeomTriangles(core.Geom.UH_static)
    triangle.add_vertices(0, 1, 2)
    geom = core.Geom(data)
    geom.add_primitive(triangle)
    node = core.GeomNode("screen")
    node.add_geom(geom)
    node.set_bounds(core.OmniBoundingVolume())
    node.set_final(True)
    return node

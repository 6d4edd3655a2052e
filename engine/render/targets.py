"""The off-screen buffers a picture is drawn into, and how their pixels come back as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.render import shaders
from engine.render.context import Context, RenderError
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

_SURFACES: dict[str, Defines] = {
    "static": (),
    "actor": (("SKINNED", 1),),
    "actor glass": (("SKINNED", 1), ("GLASS", 1)),
    "glass": (("GLASS", 1),),
    "overlay": (("OVERLAY", 1),),
    "coverage": (("COVERAGE", 1),),
}
"""Variants of the surface shader by the "kind" that nodes are tagged with."""

COLOR_CAMERAS = core.BitMask32.bit(0)
LABEL_CAMERAS = core.BitMask32.bit(1)
SUN_CAMERAS = core.BitMask32.bit(2)
"""Cameras that draw no colours see no widened road paint; the sun sees coarse bodies instead of the actors."""

_TO_RAM: Any = core.GraphicsOutput.RTM_copy_ram
_TO_TEXTURE: Any = core.GraphicsOutput.RTM_bind_or_copy


class Targets:
    """Buffers of one size for one set of outputs, all drawn by one pass over the scene.

    Colours take two more passes over the pixels (not over the scene): light, then the filter that smooths edges.

    Args:
        outputs: of "albedo", "depth", "label", "normal", "flow_x", "flow_y"; each is one 8-bit BGRA render target of
            the surface pass.
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
        self._passes: dict[str, core.NodePath] = {}
        self._variants: dict[str, Defines] = {}
        self._inputs: dict[str, Any] = {}
        self._prepared = False
        self._light_buffer: core.GraphicsOutput | None = None
        self._shapes: tuple[core.NodePath, core.DisplayRegion] | None = None
        if "albedo" in outputs:
            self._make_passes(seen)

    def _add_buffer(self, name: str, properties: core.FrameBufferProperties, sort: int) -> core.GraphicsOutput:
        buffer = self._context.make_buffer(name, self.width, self.height, properties, sort)
        self._buffers.append(buffer)
        return buffer

    def _make_passes(self, seen: dict[str, core.Texture]) -> None:
        properties = core.FrameBufferProperties()
        properties.set_rgba_bits(8, 8, 8, 8)
        properties.set_depth_bits(24)
        lit = _pixel_texture("lit")
        buffer = self._add_buffer("light", properties, 15)
        buffer.add_render_texture(lit, _TO_TEXTURE, _COLOR)
        # With the surfaces' depth at hand, light falls only where there is one, and sky only where there is none.
        if not buffer.share_depth_buffer(self._buffers[0]):
            raise RenderError(f"the graphics driver {self._context.driver} cannot share a depth buffer")
        self._light_buffer = buffer
        stage = _Pass(buffer)
        self._passes["skylight"] = stage.add(core.RenderAttrib.M_less_equal)
        self._passes["light"] = stage.add(core.RenderAttrib.M_greater)
        for name, texture in seen.items():
            self._passes["light"].set_shader_input(name, texture)
        properties.set_depth_bits(0)
        buffer = self._add_buffer("post", properties, 20)
        self._read["rgb"] = core.Texture("rgb")
        buffer.add_render_texture(self._read["rgb"], _TO_RAM, _COLOR)
        self._passes["post"] = _Pass(buffer).add(core.RenderAttrib.M_none)
        self._passes["post"].set_shader_input("colors", lit)

    def aim(self, view: View, matrix: core.LMatrix4f, near_m: float, far_m: float) -> None:
        """Place the camera; the picture's centre is the optical axis and pixels are square."""
        self.lens.set_film_size(view.width, view.height)
        self.lens.set_focal_length(view.focal_px)
        self.lens.set_near_far(near_m, far_m)
        self.camera.set_mat(matrix)
        if self._shapes is not None:
            self._shapes[0].set_mat(matrix)

    def show_shapes(self, root: core.NodePath | None) -> None:
        """Draw a scene over the lit picture, tested against the surfaces' depth; None: nothing. Before :meth:`aim`."""
        if self._shapes is not None:
            self._shapes[1].set_active(root is not None)
        elif root is not None and self._light_buffer is not None:
            node = core.Camera("shapes", self.lens)
            node.set_scene(root)
            region = self._light_buffer.make_display_region()
            region.set_sort(10)
            self._shapes = core.NodePath(node), region
            region.set_camera(self._shapes[0])

    def use(self, variants: dict[str, Defines], inputs: dict[str, Any]) -> None:
        """Choose the shader variants of the colour passes "skylight", "light" and "post", and what they read."""
        if not self._prepared:
            self._prepared = True
            places = shaders.output_defines(self.outputs)
            node, state = self._camera_node, shaders.shader_state
            for kind, defines in _SURFACES.items():
                node.set_tag_state(kind, state("surface", "surface", places + defines))
            node.set_tag_state("sky", state("screen", "sky", places))
        same_inputs = len(inputs) == len(self._inputs) and all(inputs[key] is self._inputs.get(key) for key in inputs)
        if variants == self._variants and same_inputs:
            return
        self._variants, self._inputs = variants, dict(inputs)
        for name, triangle in self._passes.items():
            triangle.set_shader(shaders.load("screen", name, variants[name]))
            for key, value in inputs.items():
                triangle.set_shader_input(key, value)

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
    """Triangles on the far plane over the whole picture, each with a shader and textures of its own."""

    def __init__(self, buffer: core.GraphicsOutput) -> None:
        self._root = core.NodePath("pass")
        self._root.set_depth_write(False)
        node = core.Camera("pass", core.OrthographicLens())
        node.set_scene(self._root)
        buffer.make_display_region().set_camera(core.NodePath(node))

    def add(self, test: int) -> core.NodePath:
        """Add a triangle, drawn where the far plane compares so with the depth buffer."""
        triangle = self._root.attach_new_node(screen_triangle())
        compare: Any = test
        triangle.set_attrib(core.DepthTestAttrib.make(compare))
        return triangle


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

"""The off-screen buffers a picture is drawn into, and how their pixels come back as arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.render import shaders
from engine.render.context import Context
from engine.render.view import View

Pixels = npt.NDArray[np.uint8]

_COLOR = core.GraphicsOutput.RTP_color
_AUX = (
    core.GraphicsOutput.RTP_aux_rgba_0,
    core.GraphicsOutput.RTP_aux_rgba_1,
    core.GraphicsOutput.RTP_aux_rgba_2,
    core.GraphicsOutput.RTP_aux_rgba_3,
)
_TO_RAM = core.GraphicsOutput.RTM_copy_ram
_TO_TEXTURE = core.GraphicsOutput.RTM_bind_or_copy


class Targets:
    """Buffers of one size for one set of outputs: all drawn by one pass over the scene.

    Args:
        outputs: of "rgb", "depth", "label", "normal"; each is one 8-bit BGRA render target.
    """

    def __init__(
        self, context: Context, scene: core.NodePath, width: int, height: int, outputs: tuple[str, ...]
    ) -> None:
        self._context = context
        self.width, self.height, self.outputs = width, height, outputs
        properties = core.FrameBufferProperties()
        properties.set_rgba_bits(8, 8, 8, 8)
        properties.set_depth_bits(24)
        properties.set_aux_rgba(len(outputs) - 1)
        self.buffer = context.make_buffer("view", width, height, properties, sort=10)
        self.buffer.set_clear_depth_active(True)
        self._textures: dict[str, core.Texture] = {}
        for place, name in enumerate(outputs):
            texture = core.Texture(name)
            # The rgb picture still passes through the post filter; everything else is final.
            mode = _TO_TEXTURE if name == "rgb" else _TO_RAM
            self.buffer.add_render_texture(texture, mode, _COLOR if place == 0 else _AUX[place - 1])
            self._textures[name] = texture
        self.lens = core.PerspectiveLens()
        node = core.Camera("view", self.lens)
        node.set_scene(scene)
        node.set_tag_state_key("kind")
        self.camera = core.NodePath(node)
        self.camera_node = node
        self.buffer.make_display_region().set_camera(self.camera)
        self.variant: tuple[tuple[str, int], ...] | None = None
        self.post: core.GraphicsOutput | None = None
        if "rgb" in outputs:
            self._make_post(context, self._textures["rgb"])

    def _make_post(self, context: Context, colors: core.Texture) -> None:
        colors.set_minfilter(core.SamplerState.FT_linear)
        colors.set_magfilter(core.SamplerState.FT_linear)
        colors.set_wrap_u(core.SamplerState.WM_clamp)
        colors.set_wrap_v(core.SamplerState.WM_clamp)
        properties = core.FrameBufferProperties()
        properties.set_rgba_bits(8, 8, 8, 8)
        self.post = context.make_buffer("post", self.width, self.height, properties, sort=20)
        self._textures["rgb"] = core.Texture("rgb")
        self.post.add_render_texture(self._textures["rgb"], _TO_RAM, _COLOR)
        self._post_root = core.NodePath("post")
        self._post_root.attach_new_node(screen_triangle())
        self._post_root.set_shader_input("colors", colors)
        self._post_root.set_depth_test(False)
        self._post_root.set_depth_write(False)
        node = core.Camera("post", core.OrthographicLens())
        node.set_scene(self._post_root)
        self._post_node = node
        self._post_camera = core.NodePath(node)
        self.post.make_display_region().set_camera(self._post_camera)
        self._post_variant: tuple[tuple[str, int], ...] | None = None

    def aim(self, view: View, matrix: core.LMatrix4f, near_m: float, far_m: float) -> None:
        """Place the camera; the picture's centre is the optical axis and pixels are square."""
        self.lens.set_film_size(view.width, view.height)
        self.lens.set_focal_length(view.focal_px)
        self.lens.set_near_far(near_m, far_m)
        self.camera.set_mat(matrix)

    def use(
        self,
        lit: tuple[tuple[str, int], ...],
        post: tuple[tuple[str, int], ...],
        constants: core.PTA_LVecBase4f,
    ) -> None:
        """Choose the shader variants: ``lit`` for surfaces, ``post`` for the filter."""
        places = shaders.output_defines(self.outputs)
        variant = places + lit
        if variant != self.variant:
            self.variant = variant
            load = shaders.shader_state
            node = self.camera_node
            node.set_tag_state("static", load("surface", variant))
            node.set_tag_state("actor", load("surface", (*variant, ("SKINNED", 1))))
            node.set_tag_state("sky", load("sky", places))
            node.set_tag_state("overlay", load("surface", (*variant, ("OVERLAY", 1))))
            node.set_tag_state("coverage", load("surface", (*variant, ("COVERAGE", 1))))
        if self.post is not None and post != self._post_variant:
            self._post_variant = post
            self._post_node.set_initial_state(shaders.shader_state("post", post))
            self._post_root.set_shader_input("frame", constants)

    def set_active(self, active: bool) -> None:
        """Draw in the next frame, or not."""
        self.buffer.set_active(active)
        if self.post is not None:
            self.post.set_active(active)

    def read(self, name: str) -> Pixels:
        """Return a copy of one output: (H, W, 4) uint8 BGRA, top row first."""
        image = self._textures[name].get_ram_image()
        if not len(image):
            raise RuntimeError(f"the driver delivered no pixels for {name}")
        pixels = np.frombuffer(memoryview(image), dtype=np.uint8).reshape(self.height, self.width, 4)
        return np.ascontiguousarray(pixels[::-1])

    def close(self) -> None:
        """Give the buffers back."""
        if self.post is not None:
            self._context.engine.remove_window(self.post)
        self._context.engine.remove_window(self.buffer)
        self._textures.clear()


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

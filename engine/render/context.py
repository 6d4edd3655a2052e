"""The one OpenGL context of the process: created when the first picture is asked for, never before.

Panda3D draws through ``p3headlessgl``, an EGL context without a window: a GPU where there is one, Mesa's
llvmpipe where there is none. Panda keeps one graphics engine per process, so this module does too; all
renderers share it, and all of them must be used from the thread that made the first.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from panda3d import core

from foundation.errors import RealityError

_log = logging.getLogger(__name__)

_CONFIG = """
load-display p3headlessgl
window-type none
audio-library-name null
notify-level-egldisplay error
notify-level-gobj error
textures-power-2 none
gl-version 3 2
gl-coordinate-system default
sync-video false
support-threads false
"""


class RenderError(RealityError):
    """Pictures cannot be made here; everything that needs none goes on."""


class Context:
    """The EGL context: pipe, graphics engine and the 1 x 1 host buffer every other buffer shares it with.

    Raises:
        RenderError: no usable EGL or OpenGL 3.3 on this machine.
    """

    def __init__(self) -> None:
        started = time.perf_counter()
        core.load_prc_file_data("engine.render", _CONFIG)
        self.engine = core.GraphicsEngine.get_global_ptr()
        selection = core.GraphicsPipeSelection.get_global_ptr()
        pipe: Any = selection.make_module_pipe("p3headlessgl")
        self.pipe = pipe
        if self.pipe is None or not self.pipe.is_valid():
            raise RenderError(_no_gl("EGL gives no display"))
        properties = core.FrameBufferProperties()
        properties.set_rgba_bits(8, 8, 8, 8)
        properties.set_depth_bits(24)
        self.host = self.engine.make_output(
            self.pipe, "host", 0, properties, _size(1, 1), core.GraphicsPipe.BF_refuse_window
        )
        if self.host is None or self.host.get_gsg() is None:
            raise RenderError(_no_gl("no off-screen buffer could be made"))
        self.host.set_active(False)
        self.gsg = self.host.get_gsg()
        version = (self.gsg.get_driver_shader_version_major(), self.gsg.get_driver_shader_version_minor())
        if version < (3, 30):
            raise RenderError(_no_gl(f"GLSL {version[0]}.{version[1]} found, 3.30 needed"))
        self.driver = str(self.gsg.get_driver_renderer())
        _log.info("OpenGL context on %s in %.2f s", self.driver, time.perf_counter() - started)

    def make_buffer(
        self, name: str, width: int, height: int, properties: core.FrameBufferProperties, sort: int
    ) -> core.GraphicsOutput:
        """Return a new inactive off-screen buffer sharing this context."""
        buffer = self.engine.make_output(
            self.pipe,
            name,
            sort,
            properties,
            _size(width, height),
            core.GraphicsPipe.BF_refuse_window | core.GraphicsPipe.BF_resizeable,
            self.gsg,
            self.host,
        )
        if buffer is None:
            raise RenderError(f"the graphics driver {self.driver} refuses a {width} x {height} buffer ({name})")
        buffer.set_active(False)
        buffer.set_clear_color_active(False)
        buffer.set_clear_depth_active(False)
        return buffer


def _size(width: int, height: int) -> core.WindowProperties:
    properties = core.WindowProperties()
    properties.set_size(width, height)
    return properties


def _no_gl(reason: str) -> str:
    return (
        f"cameras need OpenGL 3.3 without a window, and this machine offers none: {reason}. Install libegl1 and libgl1 "
        "(Mesa brings a software driver), or run with no_rendering_mode and no cameras"
    )


_shared: Context | None = None


def shared_context() -> Context:
    """Return the process's context, made at the first call (about 0.5 s)."""
    global _shared
    if _shared is None:
        _shared = Context()
    return _shared

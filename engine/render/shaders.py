"""Shader variants, and the layout of the one array of numbers they read.

Everything that changes from picture to picture sits in ``frame``, an array of vec4 that is shared with Panda3D by
reference: writing to it changes no render state, so nothing is sorted, composed or cached anew.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.render.textures import ASPHALT_LAYER, CLOUD_LAYER
from foundation.ids import Tag

MAX_LAMPS = 8
"""Lamps that light a picture at night: the nearest headlights and street lamps."""
MAX_JOINTS = 32
"""Joints of a model, its root included."""

# Rows of ``frame``. What the four numbers of a row are is written where the renderer fills them.
CAMERA, SUN, SUN_COLOR, SKY_UP, BOUNCE, HORIZON, ZENITH, FOG, FOG_COLOR = range(9)
FORWARD, RIGHT, UP, PIXEL, MISC, SHADOW_NEAR, SHADOW_FAR, SHADOW_ACTORS = 9, 10, 11, 12, 13, 14, 17, 20
OFFSETS, POST, LAMPS = 23, 24, 26
FRAME_SIZE = LAMPS + 3 * MAX_LAMPS

DEPTH_FAR_M = 1000.0
DEPTH_UNITS_PER_M = (2**24 - 1) / DEPTH_FAR_M

_FOLDER = Path(__file__).with_name("glsl")


class FrameConstants:
    """The ``frame`` array: rows of four floats, written from numpy, read by every shader."""

    def __init__(self) -> None:
        self.rows: npt.NDArray[np.float32] = np.zeros((FRAME_SIZE, 4), dtype=np.float32)
        self.shared = core.PTA_LVecBase4f.empty_array(FRAME_SIZE)

    def upload(self) -> None:
        """Hand the rows to the shaders."""
        self.shared.set_data(self.rows.tobytes())


def _text(name: str) -> str:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return re.sub(r"^#include (\S+)$", lambda match: _text(match[1]), text, flags=re.MULTILINE)


def _hand_over(vertex: str, fragment: str) -> tuple[str, str]:
    """Let the rows of ``frame`` that a full-screen pass names by number reach its pixels as flat inputs.

    llvmpipe checks the bounds of a uniform's every component at every 4 x 4 pixels; that was 40 % of the light pass.
    """
    rows = sorted({int(row) for row in re.findall(r"\bframe\[(\d+)\]", fragment)})
    out = "".join(f"flat out vec4 row_{row};\n" for row in rows)
    # The triangle's y is 0. Without it the compiler would see a mere uniform, and hand over that.
    copies = "".join(f"    row_{row} = frame[{row}] + p3d_Vertex.y;\n" for row in rows)
    vertex = vertex.replace("void main() {\n", f"{out}\nvoid main() {{\n{copies}", 1)
    fragment = re.sub(r"\bframe\[(\d+)\]", r"row_\1", fragment)
    return vertex, "".join(f"flat in vec4 row_{row};\n" for row in rows) + fragment


@lru_cache(maxsize=128)
def load(vertex: str, fragment: str, defines: tuple[tuple[str, int], ...] = ()) -> core.Shader:
    """Return a compiled-on-first-use shader of ``glsl/VERTEX.vert`` and ``FRAGMENT.frag`` under these #defines."""
    lines = [
        "#version 330",
        f"#define FRAME_SIZE {FRAME_SIZE}",
        f"#define LAMPS_AT {LAMPS}",
        f"#define POST_AT {POST}",
        f"#define MAX_JOINTS {MAX_JOINTS}",
        f"#define DEPTH_UNITS_PER_M {DEPTH_UNITS_PER_M!r}",
        f"#define CLOUD_LAYER {CLOUD_LAYER}.0",
        f"#define ASPHALT_LAYER {ASPHALT_LAYER}.0",
        f"#define SKY_TAG {int(Tag.SKY)}.0",
        *(f"#define {key} {value}" for key, value in defines),
        "",
    ]
    head = "\n".join(lines)
    texts = _text(f"{vertex}.vert"), _text(f"{fragment}.frag")
    if vertex == "screen":
        texts = _hand_over(*texts)
    shader = core.Shader.make(core.Shader.SL_GLSL, head + texts[0], head + texts[1])
    if shader is None:
        raise RuntimeError(f"shader {vertex}, {fragment} does not compile under {dict(defines)}")
    return shader


def output_defines(outputs: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """Return the #defines that place the outputs ("albedo", "depth", ...) on render targets 0, 1, ..."""
    return tuple((f"OUT_{name.upper()}", place) for place, name in enumerate(outputs))


def shader_state(vertex: str, fragment: str, defines: tuple[tuple[str, int], ...]) -> core.RenderState:
    """Return a render state that sets nothing but this shader, overriding what nodes say."""
    return core.RenderState.make(core.ShaderAttrib.make(load(vertex, fragment, defines), 100))

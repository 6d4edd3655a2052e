"""Procedural detail: a stack of small tiling patterns, made with numpy, that all surfaces share.

Each layer multiplies the surface's colour (128 leaves it as it is); alpha is a mask: how glossy the spot is
(windows in a facade, wet-looking joints). One texture array keeps the whole static world in one render state.
Mipmaps of a tiling pattern tend to its mean, so nothing flickers at a distance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from panda3d import core

from foundation.seeds import generator

SIZE_PX = 256
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layer:
    """A pattern's place in the stack and the length it repeats after, metres."""

    number: int
    period_m: float
    paint: Callable[[np.random.Generator], tuple[Floats, Floats]]


def _noise(rng: np.random.Generator, cells: int, octaves: int = 4, stretch: int = 1) -> Floats:
    """Return (S, S) tiling value noise with mean 0 and deviation 1; ``stretch`` elongates it along v."""
    total = np.zeros((SIZE_PX, SIZE_PX))
    for octave in range(octaves):
        n_u = min(cells << octave, SIZE_PX)
        n_v = max(1, n_u // stretch)
        total += _smooth_resize(rng.standard_normal((n_v, n_u))) * 0.5**octave
    return (total - total.mean()) / total.std()


def _smooth_resize(grid: Floats) -> Floats:
    """Return the periodic grid blown up to the texture's size with smoothstep interpolation."""
    for axis in (0, 1):
        n = grid.shape[axis]
        position = np.arange(SIZE_PX) * n / SIZE_PX
        low = position.astype(int)
        t = position - low
        t = t * t * (3 - 2 * t)
        t = t[:, None] if axis == 0 else t[None, :]
        grid = np.take(grid, low % n, axis) * (1 - t) + np.take(grid, (low + 1) % n, axis) * t
    return grid


def _grid() -> tuple[Floats, Floats]:
    line = (np.arange(SIZE_PX) + 0.5) / SIZE_PX
    v, u = np.meshgrid(line, line, indexing="ij")
    return u, v


def _grey(values: Floats) -> Floats:
    return np.repeat(values[..., None], 3, axis=2)


def _plain(rng: np.random.Generator) -> tuple[Floats, Floats]:
    return np.ones((SIZE_PX, SIZE_PX, 3)), np.zeros((SIZE_PX, SIZE_PX))


def _asphalt(rng: np.random.Generator) -> tuple[Floats, Floats]:
    grain = rng.standard_normal((SIZE_PX, SIZE_PX))
    worn = _noise(rng, 3, 5)
    # The mask is where water stands: the low places of the slow noise.
    return _grey(1.0 + 0.08 * grain + 0.035 * worn), np.clip(0.5 - 0.45 * _noise(rng, 2, 3), 0, 1)


def _concrete(rng: np.random.Generator) -> tuple[Floats, Floats]:
    speckle = 0.025 * rng.standard_normal((SIZE_PX, SIZE_PX))
    return _grey(1.0 + 0.016 * _noise(rng, 4, 5) + speckle), np.zeros((SIZE_PX, SIZE_PX))


def _pavement(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Slabs of 0.5 m in running bond."""
    u, v = _grid()
    rows = 4
    shifted = (u * rows + 0.5 * (np.floor(v * rows) % 2)) % rows
    edge_u = np.abs(shifted % 1.0 - 0.5)
    edge_v = np.abs((v * rows) % 1.0 - 0.5)
    joint = np.maximum(edge_u, edge_v) > 0.475
    tone = rng.normal(0.0, 0.06, (rows, rows))
    slab = tone[np.floor(v * rows).astype(int), np.floor(shifted).astype(int) % rows]
    values = 1.0 + slab + 0.04 * _noise(rng, 8, 4)
    return _grey(np.where(joint, 0.72, values)), np.zeros((SIZE_PX, SIZE_PX))


def _grass(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Short grass: fine and even, so that it neither streaks at a grazing angle nor shows where it repeats."""
    tufts = _noise(rng, 64, 2)
    patches = _noise(rng, 7, 3)
    grain = rng.standard_normal((SIZE_PX, SIZE_PX))
    values = 1.0 + 0.055 * tufts + 0.035 * patches + 0.05 * grain
    hue = 0.018 * _noise(rng, 9, 3)
    return np.stack([values + hue, values, values - hue], axis=-1), np.zeros((SIZE_PX, SIZE_PX))


def _leaves(rng: np.random.Generator) -> tuple[Floats, Floats]:
    clumps = _noise(rng, 12, 3)
    fine = _noise(rng, 48, 2)
    values = 1.0 + 0.15 * clumps + 0.12 * fine
    return np.stack([values + 0.05 * fine, values, values], axis=-1), np.zeros((SIZE_PX, SIZE_PX))


def _bark(rng: np.random.Generator) -> tuple[Floats, Floats]:
    return _grey(1.0 + 0.2 * _noise(rng, 24, 3, stretch=6)), np.zeros((SIZE_PX, SIZE_PX))


def _facade(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Plaster, weathered a little from the top; windows are geometry."""
    u, v = _grid()
    streaks = _noise(rng, 16, 3, stretch=8)
    values = 1.0 + 0.012 * _noise(rng, 4, 5) + 0.012 * streaks + 0.018 * rng.standard_normal(u.shape)
    return _grey(values), np.zeros_like(v)


def _brick(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Bricks of 0.25 x 0.0833 m in running bond; 1 m repeats."""
    u, v = _grid()
    row = np.floor(v * 12).astype(int)
    shifted = u * 4 + 0.5 * (row % 2)
    column = np.floor(shifted).astype(int) % 4
    mortar = (np.abs((v * 12) % 1 - 0.5) > 0.42) | (np.abs(shifted % 1 - 0.5) > 0.46)
    tone = rng.normal(0.0, 0.055, (12, 4))[row, column]
    values = np.where(mortar, 1.10, 0.98 + tone + 0.03 * rng.standard_normal(u.shape))
    return _grey(values), np.zeros_like(v)


def _roof(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Tiles of 0.25 x 0.33 m."""
    u, v = _grid()
    row = np.floor(v * 6).astype(int)
    shifted = u * 8 + 0.5 * (row % 2)
    fall = (v * 6) % 1.0
    tone = rng.normal(0.0, 0.045, (6, 8))[row, np.floor(shifted).astype(int) % 8]
    values = 0.95 + 0.12 * fall + tone - 0.13 * (np.abs(shifted % 1 - 0.5) > 0.45)
    return _grey(values), np.zeros_like(v)


def _wood(rng: np.random.Generator) -> tuple[Floats, Floats]:
    u, _ = _grid()
    board = np.floor(u * 8).astype(int)
    gap = np.abs((u * 8) % 1 - 0.5) > 0.46
    values = 1.0 + rng.normal(0.0, 0.08, 8)[board] + 0.08 * _noise(rng, 32, 3, stretch=16)
    return _grey(np.where(gap, 0.5, values)), np.zeros_like(u)


def _gravel(rng: np.random.Generator) -> tuple[Floats, Floats]:
    return _grey(1.0 + 0.2 * _noise(rng, 40, 2)), np.zeros((SIZE_PX, SIZE_PX))


def _clouds(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Density of clouds over the sky, 0..2 around 1."""
    return _grey(1.0 + 0.33 * _noise(rng, 3, 6)), np.zeros((SIZE_PX, SIZE_PX))


_PATTERNS: tuple[tuple[str, float, Callable[[np.random.Generator], tuple[Floats, Floats]]], ...] = (
    ("", 1.0, _plain),
    ("asphalt", 4.0, _asphalt),
    ("concrete", 3.0, _concrete),
    ("pavement", 2.0, _pavement),
    ("grass", 5.0, _grass),
    ("leaves", 2.5, _leaves),
    ("bark", 1.5, _bark),
    ("facade", 6.0, _facade),
    ("brick", 1.0, _brick),
    ("roof", 2.0, _roof),
    ("wood", 1.0, _wood),
    ("gravel", 2.0, _gravel),
    ("clouds", 1.0, _clouds),
)

LAYERS: dict[str, Layer] = {name: Layer(n, period, paint) for n, (name, period, paint) in enumerate(_PATTERNS)}
"""Every texture a :class:`~engine.geometry.Material` may name; "" is plain."""

CLOUD_LAYER = LAYERS["clouds"].number
ASPHALT_LAYER = LAYERS["asphalt"].number


def paint_layers() -> npt.NDArray[np.uint8]:
    """Return (L, S, S, 4) uint8 BGRA: all patterns, the same bytes every time."""
    stack = np.zeros((len(LAYERS), SIZE_PX, SIZE_PX, 4), dtype=np.uint8)
    for name, layer in LAYERS.items():
        color, mask = layer.paint(generator(0, "texture", name))
        stack[layer.number, ..., :3] = np.rint(color[..., ::-1] * 128.0).clip(0, 255)
        stack[layer.number, ..., 3] = np.rint(mask * 255.0).clip(0, 255)
    return stack


def make_texture(anisotropy: int) -> core.Texture:
    """Return the stack as a mipmapped, repeating texture array."""
    texture = core.Texture("detail")
    texture.setup_2d_texture_array(SIZE_PX, SIZE_PX, len(LAYERS), core.Texture.T_unsigned_byte, core.Texture.F_rgba)
    texture.set_ram_image(paint_layers().tobytes())
    texture.set_wrap_u(core.SamplerState.WM_repeat)
    texture.set_wrap_v(core.SamplerState.WM_repeat)
    texture.set_minfilter(
        core.SamplerState.FT_linear_mipmap_nearest if anisotropy < 2 else core.SamplerState.FT_linear_mipmap_linear
    )
    texture.set_magfilter(core.SamplerState.FT_linear)
    texture.set_anisotropic_degree(anisotropy)
    texture.set_keep_ram_image(False)
    return texture

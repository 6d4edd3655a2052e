"""Pictures that clients put on objects of the level (``apply_color_texture_to_object``): each side shows it once.

Our shapes have no unwrapped coordinates of their own, so a picture is laid onto an object's bounding box from all
six sides: upright and unmirrored as seen from outside, from edge to edge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.geometry import Box, Mesh
from engine.render.geometry import is_overlay, is_transparent

_PANE_GLOSS = 0.8
"""Surfaces glossier than this are panes of windows."""
_NEUTRAL = 128.0
"""The shader doubles what it reads from a pattern: 128 of 255 leaves a colour as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What an object shows: (H, W, 4) uint8 sRGB and alpha, the lowest row first."""

    pixels: npt.NDArray[np.uint8]


def takes_picture(mesh: Mesh) -> bool:
    """Whether a mesh has a colour of its own to replace: not panes, lamps and road paint."""
    material = mesh.material
    if not len(mesh.triangles) or material.gloss > _PANE_GLOSS or any(material.emission):
        return False
    return not (is_transparent(mesh) or is_overlay(mesh))


def unfolded(mesh: Mesh, box: Box) -> Mesh:
    """Return the mesh in plain white, its uv those of a picture that covers each side of ``box`` once."""
    corners = np.asarray(mesh.vertices, dtype=np.float64)[mesh.triangles]
    # CARLA's axes are left-handed, triangles counter-clockwise in the mirrored frame: this points outwards.
    normal = -np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outward = np.asarray(mesh.normals)[mesh.triangles].sum(axis=1)
    normal = np.where((np.einsum("ij,ij->i", normal, outward) < 0.0)[:, None], -normal, normal)
    low = np.asarray(box.center) - box.extent
    share = (corners - low) / np.maximum(2.0 * np.asarray(box.extent), 1e-6)
    side = np.abs(normal).argmax(axis=1)
    ahead = np.take_along_axis(normal, side[:, None], axis=1) > 0.0
    x, y, z = np.moveaxis(share, -1, 0)
    # Who looks at the front has -y to the right, at the right side +x.
    across = np.where(side[:, None] == 0, np.where(ahead, 1.0 - y, y), np.where(ahead, x, 1.0 - x))
    across = np.where(side[:, None] == 2, y, across)
    up = np.where(side[:, None] == 2, x, z)
    count = 3 * len(corners)
    return replace(
        mesh,
        vertices=corners.reshape(-1, 3).astype(np.float32),
        triangles=np.arange(count, dtype=np.int32).reshape(-1, 3),
        normals=np.asarray(mesh.normals)[mesh.triangles.ravel()],
        uv=np.stack([across, up], axis=-1).reshape(-1, 2).astype(np.float32),
        colors=np.full((count, 3), 255, dtype=np.uint8),
        material=replace(mesh.material, color=(1.0, 1.0, 1.0), texture=""),
    )


def picture_texture(picture: Picture) -> core.Texture:
    """Return the picture as a stack of one layer, to be read in place of the patterns."""
    height, width = picture.pixels.shape[:2]
    stack = np.zeros((height, width, 4), dtype=np.uint8)
    stack[..., :3] = np.rint(picture.pixels[..., 2::-1] * (_NEUTRAL / 255.0))
    texture = core.Texture("picture")
    texture.setup_2d_texture_array(width, height, 1, core.Texture.T_unsigned_byte, core.Texture.F_rgba)
    texture.set_ram_image(stack.tobytes())
    texture.set_wrap_u(core.SamplerState.WM_clamp)
    texture.set_wrap_v(core.SamplerState.WM_clamp)
    texture.set_minfilter(core.SamplerState.FT_linear_mipmap_linear)
    texture.set_magfilter(core.SamplerState.FT_linear)
    texture.set_keep_ram_image(False)
    return texture

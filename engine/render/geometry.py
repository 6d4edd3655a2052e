"""From our meshes to Panda3D's vertex buffers: one packed vertex format for everything that is drawn.

36 bytes a vertex:

    vertex      3 x float32   ASAM frame (right-handed, z up): metres
    paint       4 x u8        sRGB colour times the material's, opacity
    surface     4 x u8        normal (128 is 0, 255 is 1), gloss
    label       4 x u8        tag, instance id low byte, high byte, texture layer
    emission    4 x u8        sRGB emission, number of the switch that turns it on
    uv          2 x float32   texture periods

Label and switch ride along in every vertex, so a whole neighbourhood is one draw call.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.geometry import Material, Mesh
from engine.render.textures import LAYERS
from foundation.ids import Tag

VERTEX_DTYPE = np.dtype(
    [
        ("vertex", "f4", 3),
        ("paint", "u1", 4),
        ("surface", "u1", 4),
        ("label", "u1", 4),
        ("emission", "u1", 4),
        ("uv", "f4", 2),
    ]
)

SWITCHES = (
    "",
    "night",
    "low_beam",
    "brake",
    "reverse",
    "left_blinker",
    "right_blinker",
    "position",
    "fog",
    "red",
    "yellow",
    "green",
    "high_beam",
    "interior",
    "special1",
    "special2",
)
"""``Material.light`` by number: bit n of an actor's lamp mask lights everything with switch n."""

_BLEND = core.ColorBlendAttrib
BLENDED = _BLEND.make(
    _BLEND.M_add, _BLEND.O_incoming_alpha, _BLEND.O_one_minus_incoming_alpha, _BLEND.M_add, _BLEND.O_zero, _BLEND.O_one
)
"""Each render target blends by the alpha written to it and keeps the alpha it has: that is half a normal, or gloss."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Triangles:
    """Packed vertices (V,) of :data:`VERTEX_DTYPE` and (T, 3) uint32 triangles, counter-clockwise from outside."""

    vertices: npt.NDArray[np.void]
    triangles: npt.NDArray[np.uint32]


def layer_of(material: Material) -> int:
    """Return the texture layer of a material; a texture that does not exist is an error, not a plain surface."""
    try:
        return LAYERS[material.texture].number
    except KeyError:
        known = ", ".join(sorted(name for name in LAYERS if name))
        raise ValueError(
            f"material {material.name}: no texture {material.texture!r}; the renderer has {known}"
        ) from None


def switch_of(material: Material) -> int:
    """Return the number of the switch of a material's emission."""
    try:
        return SWITCHES.index(material.light)
    except ValueError:
        raise ValueError(f"material {material.name}: no light switch {material.light!r}; known: {SWITCHES}") from None


def pack(mesh: Mesh, world: Matrix | None = None, instance_id: int = 0) -> Triangles:
    """Pack one mesh.

    Args:
        mesh: CARLA's frame.
        world: (4, 4) rigid world-from-mesh, CARLA's frame; None leaves the mesh in its own frame.
        instance_id: 16 bit, written to every vertex.
    """
    material = mesh.material
    points = np.asarray(mesh.vertices, dtype=np.float64)
    normals = np.asarray(mesh.normals, dtype=np.float64)
    if world is not None:
        points = points @ world[:3, :3].T + world[:3, 3]
        normals = normals @ world[:3, :3].T
    packed = np.zeros(len(points), dtype=VERTEX_DTYPE)
    # CARLA to ASAM: y changes its sign; triangles are already counter-clockwise there.
    packed["vertex"] = points * (1.0, -1.0, 1.0)
    packed["paint"][:, :3] = np.rint(mesh.colors * np.asarray(material.color, dtype=np.float64)).clip(0, 255)
    packed["paint"][:, 3] = round(255 * min(max(material.opacity, 0.0), 1.0))
    packed["surface"][:, :3] = np.rint(normals * (127.0, -127.0, 127.0) + 128.0).clip(1, 255)
    packed["surface"][:, 3] = round(255 * min(max(material.gloss, 0.0), 1.0))
    packed["label"] = (int(mesh.tag), instance_id & 0xFF, instance_id >> 8 & 0xFF, layer_of(material))
    packed["emission"][:, :3] = np.rint(np.clip(material.emission, 0.0, 1.0) * np.float64(255))
    packed["emission"][:, 3] = switch_of(material)
    packed["uv"] = np.asarray(mesh.uv) / LAYERS[material.texture].period_m
    return Triangles(packed, np.asarray(mesh.triangles, dtype=np.uint32))


def merge(parts: Iterable[Triangles]) -> Triangles:
    """Join several into one."""
    parts = list(parts)
    if not parts:
        return Triangles(np.zeros(0, VERTEX_DTYPE), np.zeros((0, 3), np.uint32))
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    triangles = np.concatenate([part.triangles + np.uint32(start) for part, start in zip(parts, starts)])
    return Triangles(np.concatenate([part.vertices for part in parts]), triangles)


def caster(part: Triangles, grid_m: float) -> Triangles:
    """Return a coarser body that throws the same shadow but for ``grid_m``: corners in one grid cube become their mean.

    Vertices of different joints (the label's second byte) stay apart. Triangles that collapse or coincide go; the
    others are wound either way.
    """
    if not len(part.triangles):
        return part
    points, joints = part.vertices["vertex"].astype(np.float64), part.vertices["label"][:, 1]
    cells = np.floor(points / grid_m).astype(np.int64)
    # One number a cube and joint: rows are slow to compare.
    key = np.ravel_multi_index(tuple((cells - cells.min(axis=0)).T), tuple(np.ptp(cells, axis=0) + 1)) * 256 + joints
    _, first, cluster = np.unique(key, return_index=True, return_inverse=True)
    vertices = part.vertices[first].copy()
    count = np.bincount(cluster)
    for axis in range(3):
        vertices["vertex"][:, axis] = np.bincount(cluster, points[:, axis]) / count
    corners = np.sort(cluster[part.triangles], axis=1)
    corners = corners[(corners[:, 0] < corners[:, 1]) & (corners[:, 1] < corners[:, 2])]
    size = len(vertices)
    number = np.unique((corners[:, 0] * size + corners[:, 1]) * size + corners[:, 2])
    return Triangles(
        vertices,
        np.stack([number // size**2, number // size % size, number % size], -1, dtype=np.uint32, casting="unsafe"),
    )


def is_transparent(mesh: Mesh) -> bool:
    """Say whether one can look through it; such meshes are drawn last, blended."""
    return mesh.material.opacity < 1.0


def is_overlay(mesh: Mesh) -> bool:
    """Say whether it lies on another surface and must win against it: road paint."""
    return mesh.tag == Tag.ROAD_LINES


@lru_cache(maxsize=4)
def _vertex_format(extra: tuple[tuple[str, int], ...] = ()) -> core.GeomVertexFormat:
    geom = core.Geom
    array = core.GeomVertexArrayFormat()
    array.add_column(core.InternalName.get_vertex(), 3, geom.NT_float32, geom.C_point)
    for name in ("paint", "surface", "label", "emission"):
        # C_color is the one content that reaches the shader normalized to 0..1.
        array.add_column(core.InternalName.make(name), 4, geom.NT_uint8, geom.C_color)
    array.add_column(core.InternalName.make("uv"), 2, geom.NT_float32, geom.C_other)
    for name, width in extra:
        array.add_column(core.InternalName.make(name), width, geom.NT_float32, geom.C_other)
    vertex_format = core.GeomVertexFormat()
    vertex_format.add_array(array)
    return core.GeomVertexFormat.register_format(vertex_format)


def to_geom(part: Triangles) -> core.Geom:
    """Return a Panda3D geom; the arrays are copied. Columns after :data:`VERTEX_DTYPE`'s must be float32."""
    dtype = part.vertices.dtype
    extra = tuple((name, dtype[name].shape[0]) for name in (dtype.names or ())[len(VERTEX_DTYPE.names or ()) :])
    data = core.GeomVertexData("mesh", _vertex_format(extra), core.Geom.UH_static)
    data.unclean_set_num_rows(len(part.vertices))
    array = data.modify_array(0)
    if array.get_array_format().get_stride() != dtype.itemsize:
        raise AssertionError("Panda3D lays the vertex format out differently")
    array.modify_handle().copy_data_from(np.ascontiguousarray(part.vertices))
    return _indexed(data, part)


def position_geom(part: Triangles) -> core.Geom:
    """Return a Panda3D geom that has positions only: all that a shadow is made of."""
    data = core.GeomVertexData("caster", core.GeomVertexFormat.get_v3(), core.Geom.UH_static)
    data.unclean_set_num_rows(len(part.vertices))
    data.modify_array(0).modify_handle().copy_data_from(np.ascontiguousarray(part.vertices["vertex"]))
    return _indexed(data, part)


def _indexed(data: core.GeomVertexData, part: Triangles) -> core.Geom:
    primitive = core.GeomTriangles(core.Geom.UH_static)
    small = len(part.vertices) <= 0xFFFF
    primitive.set_index_type(core.Geom.NT_uint16 if small else core.Geom.NT_uint32)
    indices = np.ascontiguousarray(part.triangles, dtype=np.uint16 if small else np.uint32)
    target = primitive.modify_vertices()
    target.unclean_set_num_rows(indices.size)
    target.modify_handle().copy_data_from(indices)
    geom = core.Geom(data)
    geom.add_primitive(primitive)
    return geom


def panda_matrix(carla: Matrix) -> core.LMatrix4f:
    """Return a Panda3D matrix (row vectors) of a (4, 4) CARLA matrix (column vectors): flipped and transposed."""
    flipped = carla.copy()
    flipped[1, :] *= -1.0
    flipped[:, 1] *= -1.0
    return core.LMatrix4f(*flipped.T.ravel())

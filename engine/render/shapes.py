"""Debug shapes in the colour pictures: lines and points, depth tested, without light, fog or shadow.

They are drawn between light and the filter that smooths edges, into the colours only: depth and labels are done by
then and never see them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.render import shaders

SEGMENT_DTYPE = np.dtype(
    [("begin", "f4", 3), ("end", "f4", 3), ("width", "f4"), ("point", "?"), ("color", "u1", 3)],
)
"""One line or point: ends in metres, CARLA's frame (a point's are the same); thickness in metres, a point's size in
pixels at a field of view of 90 degrees; sRGB."""

_VERTEX = np.dtype([("vertex", "f4", 3), ("other", "f4", 3), ("corner", "f4", 3), ("paint", "u1", 4)])
_FLIP = np.array([1.0, -1.0, 1.0], dtype=np.float32)


def segments(count: int) -> npt.NDArray[np.void]:
    """Return ``count`` empty segments of :data:`SEGMENT_DTYPE`."""
    return np.zeros(count, dtype=SEGMENT_DTYPE)


class ShapeScene:
    """The scene that the cameras of colour pictures draw after light.

    Args:
        inputs: shader inputs of the whole renderer ("frame").
    """

    def __init__(self, frame: core.PTA_LVecBase4f) -> None:
        self.root = core.NodePath("shapes")
        self.root.set_depth_write(False)
        self.root.set_two_sided(True)
        self.root.set_shader(shaders.load("shape", "shape"))
        self.root.set_shader_input("frame", frame)
        self._shown: npt.NDArray[np.void] | None = None

    def __bool__(self) -> bool:
        return self._shown is not None and len(self._shown) > 0

    def show(self, shown: npt.NDArray[np.void]) -> None:
        """Draw these segments from now on; nothing happens when they are those drawn already."""
        if shown is self._shown:
            return
        self._shown = shown
        self.root.get_children().detach()
        if len(shown):
            node = core.GeomNode("shapes")
            node.add_geom(_geom(shown))
            node.set_bounds(core.OmniBoundingVolume())
            node.set_final(True)
            self.root.attach_new_node(node)


def _geom(shown: npt.NDArray[np.void]) -> core.Geom:
    vertices = np.zeros((len(shown), 4), dtype=_VERTEX)
    for place, (own, other) in enumerate((("begin", "end"), ("begin", "end"), ("end", "begin"), ("end", "begin"))):
        vertices["vertex"][:, place] = shown[own] * _FLIP
        vertices["other"][:, place] = shown[other] * _FLIP
        # Seen from the other end, left is right. A side of 2 marks the second end of a point.
        side = (-1.0, 1.0, -2.0, 2.0)[place]
        vertices["corner"][:, place, 0] = np.where(shown["point"], side, np.sign(side))
    vertices["corner"][..., 1] = shown["width"][:, None]
    vertices["corner"][..., 2] = shown["point"][:, None]
    vertices["paint"][..., :3] = shown["color"][:, None]
    array = core.GeomVertexArrayFormat()
    array.add_column(core.InternalName.get_vertex(), 3, core.Geom.NT_float32, core.Geom.C_point)
    for name in ("other", "corner"):
        array.add_column(core.InternalName.make(name), 3, core.Geom.NT_float32, core.Geom.C_other)
    array.add_column(core.InternalName.make("paint"), 4, core.Geom.NT_uint8, core.Geom.C_color)
    layout = core.GeomVertexFormat()
    layout.add_array(array)
    data = core.GeomVertexData("shapes", core.GeomVertexFormat.register_format(layout), core.Geom.UH_static)
    data.unclean_set_num_rows(vertices.size)
    target = data.modify_array(0)
    if target.get_array_format().get_stride() != _VERTEX.itemsize:
        raise AssertionError("Panda3D lays the vertex format of shapes out differently")
    target.modify_handle().copy_data_from(np.ascontiguousarray(vertices))
    first = np.arange(len(shown), dtype=np.uint32)[:, None] * 4
    corners = np.ascontiguousarray(first + np.array([0, 1, 2, 0, 2, 3], dtype=np.uint32))
    primitive = core.GeomTriangles(core.Geom.UH_static)
    primitive.set_index_type(core.Geom.NT_uint32)
    indices = primitive.modify_vertices()
    indices.unclean_set_num_rows(corners.size)
    indices.modify_handle().copy_data_from(corners)
    geom = core.Geom(data)
    geom.add_primitive(primitive)
    return geom

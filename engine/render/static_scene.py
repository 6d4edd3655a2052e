"""The static world as a few big meshes: cut into square cells for culling, one draw call a cell and kind."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.geometry import StaticWorld
from engine.render.geometry import (
    BLENDED,
    SWITCHES,
    VERTEX_DTYPE,
    Triangles,
    caster,
    is_overlay,
    is_transparent,
    merge,
    pack,
    position_geom,
    switch_of,
    to_geom,
)
from engine.render.overlay import paint_strips
from engine.render.pictures import Picture, picture_texture, takes_picture, unfolded
from engine.render.street_lamps import STREET_LAMP, Lamps, StreetLamps
from engine.render.targets import LABEL_CAMERAS
from foundation.ids import Tag

_GROUND = frozenset({int(Tag.ROADS), int(Tag.SIDEWALKS), int(Tag.TERRAIN), int(Tag.GROUND), int(Tag.ROAD_LINES)})
LOW_M = 1.2
"""Ground that rises less than this above the lowest around throws no shadow: kerbs, the sides of roads, gentle land."""
NO_PICTURES: Mapping[int, Picture] = {}
CELL_M = 64.0
"""Side of a cell. Smaller ones cull better and cost more draw calls."""


def static_instance_id(index: int) -> int:
    """Return the 16-bit instance id of the static world's object number ``index``."""
    return 0x8000 | (index & 0x7FFF)


def _cells(part: Triangles) -> Iterator[tuple[tuple[int, int], Triangles]]:
    """Cut by the cell that each triangle's centre lies in."""
    centre = part.vertices["vertex"][part.triangles].mean(axis=1)[:, :2]
    cell = np.floor(centre / CELL_M).astype(np.int64)
    low, high = cell.min(axis=0), cell.max(axis=0)
    if (low == high).all():
        yield (int(low[0]), int(low[1])), part
        return
    key = (cell[:, 0] - low[0]) * (high[1] - low[1] + 1) + cell[:, 1] - low[1]
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(key[order]) != 0])
    for start, end in zip(starts, [*starts[1:], len(order)]):
        triangles = part.triangles[order[start:end]]
        used, local = np.unique(triangles, return_inverse=True)
        at = cell[order[start]]
        yield (
            (int(at[0]), int(at[1])),
            Triangles(part.vertices[used], local.reshape(-1, 3).astype(np.uint32)),
        )


class StaticScene:
    """Scene graph of the static world.

    Attributes:
        root: parent of everything, tagged for the cameras.
        ground_z: height that fog lies on, metres.

    Args:
        hidden: ids of objects to leave out.
        lamps: see :meth:`set_lamps`.
        pictures: what objects show in place of their colours, by id.
    """

    def __init__(
        self,
        static: StaticWorld,
        hidden: frozenset[int] = frozenset(),
        lamps: Lamps = None,
        pictures: Mapping[int, Picture] = NO_PICTURES,
    ) -> None:
        parts: dict[tuple[str, int, int], list[Triangles]] = defaultdict(list)
        self._street_lamps = StreetLamps()
        road_heights: list[float] = []
        painted: dict[int, list[Triangles]] = defaultdict(list)
        for index, thing in enumerate(static.objects):
            if thing.id in hidden:
                continue
            for mesh in thing.model.meshes:
                if not len(mesh.triangles):
                    continue
                if thing.id in pictures and takes_picture(mesh):
                    piece = pack(unfolded(mesh, thing.model.box), thing.pose, static_instance_id(index))
                    painted[thing.id].append(piece)
                    continue
                part = pack(mesh, thing.pose, static_instance_id(index))
                if mesh.material.name == STREET_LAMP and SWITCHES[switch_of(mesh.material)] == "night":
                    for cell, piece in _cells(part):
                        self._street_lamps.add(thing.id, cell, piece)
                    continue
                kind = "overlay" if is_overlay(mesh) else "transparent" if is_transparent(mesh) else "opaque"
                for cell, piece in _cells(part):
                    parts[(kind, *cell)].append(piece)
                if kind == "overlay":
                    for cell, piece in _cells(paint_strips(mesh, part)):
                        parts[("coverage", *cell)].append(piece)
                if mesh.tag == Tag.ROADS:
                    road_heights.append(float(np.median(part.vertices["vertex"][:, 2])))
        self.ground_z = float(np.median(road_heights)) if road_heights else 0.0
        self._solid = _throwing(parts) + [
            (cell, piece) for pieces in painted.values() for whole in pieces for cell, piece in _cells(whole)
        ]
        self._casters: dict[float, core.NodePath] = {}
        self.root = core.NodePath("static")
        self.triangle_count = 0
        branches = {kind: self.root.attach_new_node(kind) for kind in ("opaque", "overlay", "coverage", "transparent")}
        for (kind, column, row), pieces in sorted(parts.items()):
            whole = merge(pieces)
            self.triangle_count += len(whole.triangles)
            node = core.GeomNode(f"{kind} {column} {row}")
            node.add_geom(to_geom(whole))
            branches[kind].attach_new_node(node)
        textures = {id(picture): picture_texture(picture) for picture in pictures.values()}
        for number, pieces in sorted(painted.items()):
            whole = merge(pieces)
            self.triangle_count += len(whole.triangles)
            node = core.GeomNode(f"picture {number}")
            node.add_geom(to_geom(whole))
            path = branches["opaque"].attach_new_node(node)
            path.set_shader_input("detail", textures[id(pictures[number])])
        self.triangle_count += self._street_lamps.attach(branches["opaque"])
        self.set_lamps(lamps)
        _order(branches)

    def set_lamps(self, lamps: Lamps) -> None:
        """Say how street lamps shine, by object id: colour (sRGB, 0..1) and brightness; None: as built, at night."""
        self._street_lamps.show(lamps)

    def street_lights(self, night: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the (L, 3) ASAM positions and (L, 3) linear RGB of the street lamps that shine.

        Args:
            night: 0 by day to 1 when lamps are lit.
        """
        return self._street_lamps.lights(night)

    def casters(self, grid_m: float) -> core.NodePath:
        """Return what throws shadows, for the sun's cameras only: corners within ``grid_m`` are merged."""
        if grid_m not in self._casters:
            self._casters[grid_m] = _casters(self._solid, grid_m)
        return self._casters[grid_m]

    def bytes_per_vertex(self) -> int:
        """Return the size of a vertex in the buffers."""
        return VERTEX_DTYPE.itemsize


_Placed = list[tuple[tuple[int, int], Triangles]]


def _throwing(parts: dict[tuple[str, int, int], list[Triangles]]) -> _Placed:
    """Return what throws shadows, by cell: solid things, but for the ground where nothing lies much lower."""
    solid = [
        ((key[1], key[2]), piece) for key, pieces in sorted(parts.items()) if key[0] == "opaque" for piece in pieces
    ]
    lowest: dict[tuple[int, int], float] = {}
    for (column, row), piece in solid:
        if _is_ground(piece):
            bottom = float(piece.vertices["vertex"][:, 2].min())
            for cell in itertools.product(range(column - 1, column + 2), range(row - 1, row + 2)):
                lowest[cell] = min(bottom, lowest.get(cell, np.inf))

    def throws(cell: tuple[int, int], piece: Triangles) -> bool:
        return not _is_ground(piece) or float(piece.vertices["vertex"][:, 2].max()) > lowest[cell] + LOW_M

    return [(cell, piece) for cell, piece in solid if throws(cell, piece)]


def _casters(solid: _Placed, grid_m: float) -> core.NodePath:
    """Return a scene of positions only: what is seen from afar in larger cells, as it is drawn whole anyway."""
    side = 1 if grid_m < 0.2 else 4
    cells: dict[tuple[int, int], list[Triangles]] = defaultdict(list)
    for (column, row), piece in solid:
        cells[(column // side, row // side)].append(piece)
    root = core.NodePath("casters")
    root.set_tag("kind", "static")
    for (column, row), pieces in sorted(cells.items()):
        body = caster(merge(pieces), grid_m)
        if len(body.triangles):
            node = core.GeomNode(f"casters {column} {row}")
            node.add_geom(position_geom(body))
            root.attach_new_node(node)
    return root


def _is_ground(piece: Triangles) -> bool:
    return int(piece.vertices["label"][0, 0]) in _GROUND


def _order(branches: dict[str, core.NodePath]) -> None:
    """Set how each kind is drawn: solid things near to far, then paint on them, then glass."""
    branches["opaque"].set_tag("kind", "static")
    branches["opaque"].set_bin("solid", 0)
    # Paint lies millimetres above the road; the offset keeps it in front at any distance. It writes its label
    # and depth from its true outline, its colour, drawn before that, from the widened, smoothed one.
    for sort, kind in enumerate(("coverage", "overlay")):
        branches[kind].set_tag("kind", kind)
        branches[kind].set_bin("paint", sort)
        branches[kind].set_depth_offset(1)
        branches[kind].set_attrib(BLENDED)
        branches[kind].set_depth_write(kind == "overlay")
    branches["coverage"].set_two_sided(True)
    branches["coverage"].hide(LABEL_CAMERAS)
    branches["transparent"].set_tag("kind", "glass")
    branches["transparent"].set_bin("glass", 0)
    branches["transparent"].set_attrib(BLENDED)

"""Street lamps that can be switched one by one: the glow of their shades, and where they shine from."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.render.geometry import Triangles, merge, to_geom
from engine.render.lamps import STREET_COLOR

Floats = npt.NDArray[np.float64]
Lamps = dict[int, tuple[float, float, float, float]] | None
"""How lamps shine, by object id: sRGB colour (0..1) and brightness (1 as usual, 0 off); None: as built, at night."""

STREET_LAMP = "street_lamp"
"""Name of the material of a lamp's shade."""
ALWAYS = 0
"""Switch of what shines whenever it has a colour."""
COLOR_POWER = 1.4
"""From the colour of a shade, sRGB, to that of its light: a shade looks whiter than what it lights."""
BRIGHTEST = 8.0
"""A lamp shines at most so many times as bright as usual: pictures have no more room."""
DAY = 0.15
"""Share of a street lamp's light that is left of it by day, when cameras adapt to the sun."""


class StreetLamps:
    """All street lamps of a static scene, in cells like everything else, rebuilt when one of a cell changes."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[tuple[int, Triangles]]] = defaultdict(list)
        self._nodes: dict[tuple[int, int], core.GeomNode] = {}
        self._shown: dict[tuple[int, int], object] = {}
        self._places: dict[int, list[Floats]] = defaultdict(list)
        self._middles: dict[int, Floats] = {}
        self._lamps: Lamps = None
        self._lights: tuple[float, Floats, Floats] | None = None

    def add(self, object_id: int, cell: tuple[int, int], piece: Triangles) -> None:
        """Take a piece of a lamp's shade in."""
        self._cells[cell].append((object_id, piece))
        self._places[object_id].append(piece.vertices["vertex"].astype(np.float64))

    def attach(self, parent: core.NodePath) -> int:
        """Attach a node for every cell; returns the number of triangles. :meth:`show` fills the nodes."""
        for column, row in sorted(self._cells):
            node = self._nodes[column, row] = core.GeomNode(f"lamps {column} {row}")
            parent.attach_new_node(node)
        self._middles = {key: np.concatenate(points).mean(axis=0) for key, points in self._places.items()}
        return sum(len(piece.triangles) for pieces in self._cells.values() for _, piece in pieces)

    def show(self, lamps: Lamps) -> None:
        """Let the shades glow; what is off has its own colour."""
        self._lamps, self._lights = lamps, None
        for cell, pieces in self._cells.items():
            looks = None if lamps is None else tuple(lamps.get(object_id) for object_id, _ in pieces)
            if cell in self._shown and self._shown[cell] == looks:
                continue
            self._shown[cell] = looks
            node = self._nodes[cell]
            node.remove_all_geoms()
            node.add_geom(to_geom(merge([_glowing(piece, lamps, object_id) for object_id, piece in pieces])))

    def lights(self, night: float) -> tuple[Floats, Floats]:
        """Return the (L, 3) ASAM positions and (L, 3) linear RGB of lamps that shine.

        Args:
            night: 0 by day to 1.
        """
        if self._lights is None or self._lights[0] != night:
            found = [(middle, self._color(object_id, night)) for object_id, middle in self._middles.items()]
            lit = [pair for pair in found if pair[1].any()]
            places, colors = (np.array([pair[n] for pair in lit]).reshape(-1, 3) for n in (0, 1))
            self._lights = night, places, colors
        return self._lights[1:]

    def _color(self, object_id: int, night: float) -> Floats:
        if self._lamps is None or object_id not in self._lamps:
            return STREET_COLOR * (night if night > 0.5 else 0.0)
        *shade, brightness = self._lamps[object_id]
        strength = min(brightness, BRIGHTEST) * max(night, DAY)
        return np.asarray(np.array(shade) ** COLOR_POWER * STREET_COLOR[0] * strength)


def _glowing(piece: Triangles, lamps: Lamps, object_id: int) -> Triangles:
    if lamps is None or object_id not in lamps:
        return piece
    *color, brightness = lamps[object_id]
    # sRGB of a darker or brighter lamp; black shows the shade as it is by day.
    glow = np.array(color) * min(brightness, 1.0) ** (1.0 / 2.2)
    vertices = piece.vertices.copy()
    vertices["emission"][:, :3] = np.round(np.clip(glow, 0.0, 1.0) * 255.0)
    vertices["emission"][:, 3] = ALWAYS
    return Triangles(vertices, piece.triangles)

"""Many small shapes in a few Embree scenes, so that all rays near actors are cast in one or two calls."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.raycast.triangles import Float32s, Triangles

Index = npt.NDArray[np.intp]
GAP_M = 0.1
"""Between the spheres of neighbours: rays start a millimetre before theirs."""


class _Sheet:
    """Shapes side by side in one scene: each in its own cell of a cubic grid, so their spheres never touch."""

    def __init__(self, shapes: Sequence[Triangles]) -> None:
        self.shapes = list(shapes)
        side = int(np.ceil(len(shapes) ** (1 / 3) - 1e-9))
        cell = 2.0 * max(shape.radius for shape in shapes) + GAP_M
        number = np.arange(len(shapes))
        grid = np.stack([number % side, number // side % side, number // side**2], axis=1)
        self.offset = np.multiply(grid - (side - 1) / 2, cell)
        counts = np.array([len(shape) for shape in shapes])
        self.last = np.cumsum(counts)
        self.first = self.last - counts
        self.triangles = Triangles.placed(shapes, self.offset)

    def cast(self, which: Index, rays: Float32s) -> tuple[Float32s, npt.NDArray[np.uint8], Float32s]:
        """Return distance, tag and normal of each ray's first hit on the shape ``which`` (by position in the sheet).

        ``rays`` start where they enter their shape's sphere; what they meet after leaving it is another shape's
        and counts as a miss.
        """
        rays = rays.copy()
        rays[:, :3] += self.offset[which] - self.triangles.center
        distance, number, normal = self.triangles.first(rays)
        foreign = (number < self.first[which]) | (number >= self.last[which])
        distance[foreign] = np.inf
        return distance, self.triangles.tag[number], normal


KEEP_SHEETS = 32
"""Sheets are kept for the next time the same shapes come in the same order; the longest unused ones go first."""


class Atlas:
    """Finds first hits on shapes, many at a time.

    New shapes go into a sheet of their own; sheets are merged like the runs of a merge sort, so that adding n shapes
    one by one builds each of them log n times, and there are never more than log n scenes to ask.
    """

    def __init__(self) -> None:
        self._sheets: list[_Sheet] = []
        self._place: dict[int, tuple[int, int]] = {}
        self._made: OrderedDict[tuple[int, ...], _Sheet] = OrderedDict()

    def clear(self) -> None:
        """Begin again with no shape. Where shapes will lie, and so how distances round, depends on what comes now."""
        self._sheets, self._place = [], {}

    def _sheet(self, shapes: Sequence[Triangles]) -> _Sheet:
        # Sheets hold their shapes, so no number is given to another shape while it is a key.
        key = tuple(map(id, shapes))
        sheet = self._made.pop(key, None) or _Sheet(shapes)
        self._made[key] = sheet
        if len(self._made) > KEEP_SHEETS:
            self._made.popitem(last=False)
        return sheet

    def add(self, shapes: Sequence[Triangles]) -> None:
        """Take in the shapes that are not there yet."""
        new = [shape for shape in shapes if id(shape) not in self._place]
        if not new:
            return
        while self._sheets and len(self._sheets[-1].shapes) <= 2 * len(new):
            new = self._sheets.pop().shapes + new
        self._sheets.append(self._sheet(new))
        self._place = {id(s): (i, j) for i, sheet in enumerate(self._sheets) for j, s in enumerate(sheet.shapes)}

    def positions(self, shapes: Sequence[Triangles]) -> tuple[Index, Index]:
        """Return the sheet and the position in it of each shape."""
        places = np.array([self._place[id(shape)] for shape in shapes], dtype=np.intp).reshape(-1, 2)
        return places[:, 0], places[:, 1]

    def cast(self, sheet: Index, which: Index, rays: Float32s) -> tuple[Float32s, npt.NDArray[np.uint8], Float32s]:
        """Return (N,) distance, (N,) tag and (N, 3) normal of rays against one shape each.

        Args:
            sheet, which: (N,) the shape, as :meth:`positions` gives it.
            rays: (N, 6) in the shape's frame, origin at its centre, starting where they enter its sphere.
        """
        distance = np.full(len(rays), np.inf, dtype=np.float32)
        tag = np.zeros(len(rays), dtype=np.uint8)
        normal = np.zeros((len(rays), 3), dtype=np.float32)
        for number, page in enumerate(self._sheets):
            part = np.flatnonzero(sheet == number) if len(self._sheets) > 1 else slice(None)
            distance[part], tag[part], normal[part] = page.cast(which[part], rays[part])
        return distance, tag, normal

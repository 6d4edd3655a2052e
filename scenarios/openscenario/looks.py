"""Which way somebody looks who goes along a polyline: along it, or as the orientations written at its vertices say.

The standard lets a vertex carry heading, pitch and roll ("six total dimensions") and does not say how one becomes the
next. In following mode ``follow`` angles go linearly from vertex to vertex; in mode ``position`` they belong to the
segment that begins at the vertex and turn within two metres (or half a segment) of the next, so that nobody jumps
round. esmini reads it so too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.openscenario.states import wrap

Floats = npt.NDArray[np.float64]
CORNER_M = 2.0


@dataclass(frozen=True, slots=True)
class Written:
    """Angles written at a vertex, radians in the world's frame; None where nothing is written."""

    heading: float | None = None
    pitch: float | None = None
    roll: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Orientations along a polyline.

    Attributes:
        s: (N,) metres from the start, strictly increasing.
        angles: (N, 3) heading, pitch, roll at the vertices. Where nothing is written: the path's heading, the pitch
            with which it leaves the ground (0 for one that follows it), and 0.
        written: (N,) whether a heading is written there: it holds on the segment that begins there.
    """

    s: Floats
    angles: Floats
    written: npt.NDArray[np.bool_]

    def segment(self, s: float) -> int:
        """Return the segment a place belongs to: a vertex to the one that ends there, the end to the last vertex."""
        if s >= self.s[-1] - 1e-6:
            return len(self.s) - 1
        return max(int(np.searchsorted(self.s, s, side="left")) - 1, 0)

    def is_written(self, s: float) -> bool:
        """Return whether a heading is written for the segment at ``s``."""
        return bool(self.written[self.segment(s)])

    def at(self, s: float, evenly: bool) -> tuple[float, float, float]:
        """Return heading, pitch and roll at ``s``: turning evenly along each segment, or at its corners only."""
        i = self.segment(s)
        if i == len(self.s) - 1:
            return self._blend(i, i, 0.0)
        length = float(self.s[i + 1] - self.s[i])
        local = min(max(s - float(self.s[i]), 0.0), length)
        if evenly:
            return self._blend(i, i + 1, local / length)
        near = min(CORNER_M, 0.5 * length)
        if local < near and i > 0:
            return self._blend(i - 1, i, 0.5 + 0.5 * local / near)
        if local > length - near:
            into = (local - length + near) / near
            # The last vertex has no segment of its own: its orientation is reached at it, not half way round it.
            return self._blend(i, i + 1, into if i == len(self.s) - 2 else 0.5 * into)
        return self._blend(i, i, 0.0)

    def _blend(self, i: int, j: int, part: float) -> tuple[float, float, float]:
        a, b = self.angles[i], self.angles[j]
        mixed = [wrap(float(a[k]) + part * wrap(float(b[k] - a[k]))) for k in range(3)]
        return mixed[0], mixed[1], mixed[2]

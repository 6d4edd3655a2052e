"""The ground of a map on its levels: what lies on the land, and bridges over it. ASAM's frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from engine.scene.ground import Ground, surface_outline
from foundation.ids import Tag
from scenarios.opendrive import Surface

Floats = npt.NDArray[np.float64]

HEADROOM_M = 2.0
"""Surfaces with less height between them lie on the same level."""
_SNAP_M = 0.001


class Level:
    """Surfaces none of which passes over another.

    Attributes:
        surfaces: lanes and junction fill.
    """

    def __init__(self, surfaces: Sequence[Surface]) -> None:
        self.surfaces = list(surfaces)

    def outline(self, *tags: Tag, without: frozenset[str] = frozenset()) -> shapely.Geometry:
        """Return the area of the surfaces that have one of the tags, but not of those lane types."""
        found = [surface_outline(s) for s in self.surfaces if s.tag in tags and s.lane_type not in without]
        return shapely.union_all(found, grid_size=_SNAP_M) if found else shapely.Polygon()

    @cached_property
    def pavement(self) -> shapely.Geometry:
        """Where people walk."""
        return self.outline(Tag.SIDEWALKS)

    @cached_property
    def carriageway(self) -> shapely.Geometry:
        """Where vehicles drive, shoulders, parking bays, cycle lanes and rails included."""
        return self.outline(Tag.ROADS, Tag.RAIL_TRACK)

    @cached_property
    def area(self) -> shapely.Geometry:
        """All of it."""
        return shapely.union_all([surface_outline(s) for s in self.surfaces], grid_size=_SNAP_M)

    @cached_property
    def heights(self) -> Heights:
        """Heights of its surfaces."""
        return Heights([s.vertices[s.triangles] for s in self.surfaces])


class Heights:
    """Heights of a set of triangles, none above another.

    Args:
        corners: (T, 3, 3) triangles, any number of arrays.
    """

    def __init__(self, corners: Sequence[Floats]) -> None:
        self._corners = np.concatenate([part.astype(np.float64) for part in corners])
        flat = self._corners[:, :, :2]
        self._tree = shapely.STRtree(shapely.polygons(np.concatenate([flat, flat[:, :1]], axis=1)))

    def at(self, places: Floats) -> Floats:
        """Return heights at (N, 2) places: on the highest triangle there, beside all of them on the nearest's plane."""
        points = shapely.points(places)
        heights = np.full(len(places), -np.inf)
        which, row = self._tree.query(points, predicate="intersects")
        if len(which):
            np.maximum.at(heights, which, self._planes(row, places[which]))
        beside = np.flatnonzero(~np.isfinite(heights))
        if len(beside):
            which, row = self._tree.query_nearest(points[beside], all_matches=False)
            heights[beside[which]] = self._planes(row, places[beside[which]])
        return heights

    def _planes(self, rows: npt.NDArray[np.intp], places: Floats) -> Floats:
        """Return heights of triangles' planes, held within the triangles' own heights."""
        a, b, c = (self._corners[rows, k] for k in range(3))
        u, v = b - a, c - a
        det = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
        det = np.where(np.abs(det) < 1e-12, np.inf, det)
        dx, dy = places[:, 0] - a[:, 0], places[:, 1] - a[:, 1]
        p, q = (dx * v[:, 1] - dy * v[:, 0]) / det, (u[:, 0] * dy - u[:, 1] * dx) / det
        z = self._corners[rows, :, 2]
        return np.clip(a[:, 2] + p * u[:, 2] + q * v[:, 2], z.min(axis=1), z.max(axis=1))


def levels(ground: Ground) -> list[Level]:
    """Return the level on the land and as many above it as bridges need to pass over each other."""
    found: list[list[Surface]] = []
    taken: list[list[shapely.Geometry]] = []
    for surface in ground.bridges:
        outline = surface_outline(surface)
        for members, outlines in zip(found, taken):
            near = [k for k, other in enumerate(outlines) if shapely.area(shapely.intersection(outline, other)) > 0.5]
            if not any(_apart(surface, members[k]) for k in near):
                members.append(surface)
                outlines.append(outline)
                break
        else:
            found.append([surface])
            taken.append([outline])
    return [Level(ground.surfaces), *(Level(members) for members in found)]


def _apart(one: Surface, other: Surface) -> bool:
    gap = abs(float(np.median(one.vertices[:, 2])) - float(np.median(other.vertices[:, 2])))
    return gap > HEADROOM_M

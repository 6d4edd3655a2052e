"""Roads that lie on each other outside of junctions, at one height: mostly a wrong coordinate or a missing junction."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import shapely

from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive.check.findings import Report
from scenarios.opendrive.road import RoadGeometry
from scenarios.opendrive.values import DRIVING_TYPES

Floats = npt.NDArray[np.float64]

LEAST_M2 = 2.0
CLEARANCE_M = 2.5
"""Roads at least this far apart in height pass over each other."""
_STEP_M = 5.0
_MOST_CELLS = 200_000


def check_overlaps(document: furniture.Document, roads: Mapping[str, RoadGeometry], report: Report) -> None:
    """Report pairs of roads, neither in a junction, whose driving lanes cover the same ground."""
    virtual = {junction.main_road for junction in document.junctions if junction.type_ in ("virtual", "direct")}
    plain = [road for road in roads.values() if not road.junction and road.id not in virtual]
    if sum(road.length for road in plain) / _STEP_M > _MOST_CELLS:
        report.add("note", "overlap", None, "OpenDRIVE", "too large to look for roads that overlap")
        return
    cells: list[shapely.Geometry] = []
    owner: list[int] = []
    places: list[tuple[float, float]] = []  # s and height of each cell
    for number, road in enumerate(plain):
        for s, z, cell in _cells(road):
            cells.append(cell)
            owner.append(number)
            places.append((s, z))
    if len(plain) < 2 or not cells:
        return
    tree = shapely.STRtree(cells)
    one, other = tree.query(cells, predicate="intersects")
    of = np.array(owner)
    height = np.array([z for _, z in places])
    keep = (of[one] < of[other]) & (np.abs(height[one] - height[other]) < CLEARANCE_M)
    one, other = one[keep], other[keep]
    if not len(one):
        return
    shapes = np.array(cells, dtype=object)
    areas = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    totals: dict[tuple[int, int], float] = {}
    first: dict[tuple[int, int], float] = {}
    for i, k, area in zip(one, other, areas):
        pair = (int(of[i]), int(of[k]))
        totals[pair] = totals.get(pair, 0.0) + float(area)
        if area > 0.0:
            first[pair] = min(first.get(pair, np.inf), places[i][0])
    for pair, total in sorted(totals.items()):
        if total > LEAST_M2:
            road, partner = plain[pair[0]], plain[pair[1]]
            text = f"its driving lanes lie on those of road '{partner.id}' over {total:.1f} m2, outside of a junction"
            report.add("warning", "overlap", road.record.line, "road", text, road.id, first[pair])


def _cells(road: RoadGeometry) -> list[tuple[float, float, shapely.Geometry]]:
    """Return (s, height, polygon) of the ground between the outermost driving lanes, piece by piece."""
    found = []
    for section in road.sections:
        ranks = [rank for rank, lane in enumerate(section.lanes) if lane.type in DRIVING_TYPES]
        if not ranks or section.end - section.start < 1e-3:
            continue
        count = max(int(np.ceil((section.end - section.start) / _STEP_M)), 1)
        s = np.linspace(section.start, section.end, count + 1)
        edges = road.boundaries(s, section)
        at = road.stations(s)
        # Each lane's own strip: between two carriageways of one road there may be ground of others.
        for low, high in _runs(ranks):
            right, left = road.points(at, edges[low]), road.points(at, edges[high + 1])
            quads = np.stack([right[:-1, :2], right[1:, :2], left[1:, :2], left[:-1, :2]], axis=1)
            shapes = shapely.convex_hull(shapely.multipoints(quads))
            heights = 0.5 * (right[:-1, 2] + left[:-1, 2])
            found += [(float(a), float(z), cell) for a, z, cell in zip(s, heights, shapes) if cell.area > 0.0]
    return found


def _runs(ranks: list[int]) -> list[tuple[int, int]]:
    """Return (first, last) of every run of consecutive numbers."""
    runs: list[tuple[int, int]] = []
    for rank in ranks:
        if runs and rank == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], rank)
        else:
            runs.append((rank, rank))
    return runs

"""One ground where the connecting roads of a junction disagree about its height.

A file gives every connecting road its own height and bank. On level ground they agree; on a slope a turning road with
a level cross-section may lie decimetres above or below the road it crosses. Where they agree to ``AGREEMENT_M`` each
lane is left exactly as the file says. Elsewhere the ground is the mean of the roads lying there, weighted by how
far inside each of them a place lies. A road's influence fades out over the metre beyond its edge, so that no step
is left anywhere (fading out at the edge itself leaves one where several edges meet: tried and rejected).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from scenarios.opendrive.road import RoadGeometry
from scenarios.opendrive.values import DRIVING_TYPES

if TYPE_CHECKING:
    from scenarios.opendrive.network import RoadNetwork

Floats = npt.NDArray[np.float64]

AGREEMENT_M = 0.02
_FINEST_M = 0.5
_FADE_M = 1.0
_MAX_TRIANGLES = 40_000
_SAMPLE_M, _MAX_SAMPLES = 1.0, 2_000

_log = logging.getLogger(__name__)


class JunctionGround:
    """The height of a junction's driving area, where its connecting roads overlap.

    Args:
        network: the road network.
        junction_id: the junction.
    """

    def __init__(self, network: RoadNetwork, junction_id: str) -> None:
        self._network = network
        self._roads = [road for road in network.roads.values() if road.junction == junction_id]

    def heights(self, places: Floats, own: Floats) -> tuple[Floats, Floats]:
        """Return (N,) blended heights at (N, 2) places, and how far the roads there differ.

        Args:
            places: metres.
            own: (N,) heights to return where no connecting road has a driving lane.
        """
        total, weights = np.zeros(len(places)), np.zeros(len(places))
        low, high = np.full(len(places), np.inf), np.full(len(places), -np.inf)
        for road in self._roads:
            rows, z, inside = self._on(road, places)
            part = np.clip(0.5 * (inside / _FADE_M + 1.0), 0.0, 1.0)
            weight = part * part * (3.0 - 2.0 * part)
            total[rows] += weight * z
            weights[rows] += weight
            on = inside > -1e-6
            low[rows[on]], high[rows[on]] = np.minimum(low[rows[on]], z[on]), np.maximum(high[rows[on]], z[on])
        covered = low <= high
        blended = np.where(covered, total / np.where(covered, weights, 1.0), own)
        return blended, np.where(covered, high - low, 0.0)

    def samples(self) -> Floats:
        """Return (N, 3) places all over the driving lanes of the connecting roads."""
        found = [np.zeros((0, 3))]
        for road in self._roads:
            for section in road.sections:
                ranks = [i for i, lane in enumerate(section.lanes) if lane.type in DRIVING_TYPES]
                if not ranks or section.end - section.start < 1e-6:
                    continue
                count = min(int((section.end - section.start) / _SAMPLE_M) + 3, _MAX_SAMPLES)
                s = np.linspace(section.start, section.end, count)
                edges = road.boundaries(s, section)
                right, left = edges[ranks[0]], edges[ranks[-1] + 1]
                t = right + (left - right) * np.linspace(0.0, 1.0, 5)[:, None]
                found.append(road.points(road.stations(s), t).reshape(-1, 3))
        return np.concatenate(found)

    def drape(self, points: Floats, faces: npt.NDArray[np.int32]) -> tuple[Floats, npt.NDArray[np.int32]]:
        """Return a mesh laid on this ground: refined, and every vertex at the ground's height."""
        points, faces = refine(points, faces)
        points[:, 2], _ = self.heights(points[:, :2], points[:, 2])
        return points, faces

    def _on(self, road: RoadGeometry, places: Floats) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
        """Return (rows of the places near a road's driving lanes, its heights there, distances into the lanes)."""
        s, t = self._network.project_many(road.id, places)
        at = road.stations(s)
        dx, dy = places[:, 0] - at.plan.x, places[:, 1] - at.plan.y
        beyond = np.abs(dx * np.cos(at.plan.heading) + dy * np.sin(at.plan.heading))
        right, left = np.full(len(s), np.inf), np.full(len(s), -np.inf)
        numbers = road.section_numbers(s)
        for number in np.unique(numbers):
            rows = np.flatnonzero(numbers == number)
            section = road.sections[number]
            ranks = [i for i, lane in enumerate(section.lanes) if lane.type in DRIVING_TYPES]
            if not ranks:
                continue
            edges = road.boundaries(s[rows], section)
            right[rows], left[rows] = edges[ranks[0]], edges[ranks[-1] + 1]
        inside = np.minimum(t - right, left - t)
        rows = np.flatnonzero((inside > -_FADE_M) & (beyond < 1e-3))
        return rows, road.points(road.stations(s[rows]), t[rows])[:, 2], inside[rows]


def ground_where_roads_disagree(network: RoadNetwork, junction_id: str) -> JunctionGround | None:
    """Return the blended ground of a junction, or None if its connecting roads agree to ``AGREEMENT_M``."""
    ground = JunctionGround(network, junction_id)
    places = ground.samples()
    if not len(places) or places[:, 2].max() - places[:, 2].min() < AGREEMENT_M:
        return None
    spread = float(ground.heights(places[:, :2], places[:, 2])[1].max())
    if spread < AGREEMENT_M:
        return None
    _log.warning("junction %s: its connecting roads differ by up to %.3f m in height; blended", junction_id, spread)
    return ground


def refine(points: Floats, faces: npt.NDArray[np.int32]) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Return the mesh with edges of at most 0.5 m: long edges are halved, on both sides alike."""
    while len(faces) < _MAX_TRIANGLES:
        ends = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1)  # (T, 3, 2): edge i from corner i
        length = np.linalg.norm(points[ends[..., 0], :2] - points[ends[..., 1], :2], axis=-1)
        longest = np.argmax(length, axis=1)
        if length.max() <= _FINEST_M:
            break
        # Halve every edge that is some triangle's longest and too long; both its triangles split there.
        rows = np.flatnonzero(length[np.arange(len(faces)), longest] > _FINEST_M)
        wanted = np.unique(np.sort(ends[rows, longest[rows]], axis=-1), axis=0)
        key = np.sort(ends, axis=-1)
        code = key[..., 0].astype(np.int64) * len(points) + key[..., 1]
        wanted_code = wanted[:, 0].astype(np.int64) * len(points) + wanted[:, 1]
        place = np.searchsorted(wanted_code, code)
        hit = wanted_code[np.minimum(place, len(wanted_code) - 1)] == code
        middle = np.where(hit, place + len(points), -1)
        points = np.concatenate([points, 0.5 * (points[wanted[:, 0]] + points[wanted[:, 1]])])
        # One split a round: of the edges to be halved each triangle takes the longest; the rest follows next round.
        faces = _split(faces, middle, np.where(hit, length, -1.0))
    return points, faces


def _split(faces: npt.NDArray[np.int32], middle: npt.NDArray[np.int64], length: Floats) -> npt.NDArray[np.int32]:
    """Return the triangles with each edge that has a middle vertex halved (up to three per triangle)."""
    marked = (middle >= 0).any(axis=1)
    order = (np.argmax(length[marked], axis=1)[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(faces[marked], order, axis=1).T
    m_ab, m_bc, m_ca = np.take_along_axis(middle[marked], order, axis=1).T
    done = [faces[~marked]]
    # Two halves (a, m_ab, c) and (m_ab, b, c); each is halved again if its outer edge has a middle, too.
    for whole, pieces in (
        (m_ca < 0, ((a, m_ab, c),)),
        (m_ca >= 0, ((a, m_ab, m_ca), (m_ab, c, m_ca))),
        (m_bc < 0, ((m_ab, b, c),)),
        (m_bc >= 0, ((m_ab, b, m_bc), (m_ab, m_bc, c))),
    ):
        done += [np.stack(piece, axis=-1)[whole] for piece in pieces]
    return np.concatenate(done).astype(np.int32)

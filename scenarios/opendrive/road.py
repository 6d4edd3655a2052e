"""One road as geometry: reference line, elevation, cross-section, lane sections and lanes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive import records
from scenarios.opendrive.cubics import Jet, PiecewiseCubic
from scenarios.opendrive.curves import PlanPoint, PlanView
from scenarios.opendrive.lateral import CrossSection

Floats = npt.NDArray[np.float64]

RAISED_TYPES = frozenset({"sidewalk", "walking", "curb"})
"""Lane types that stand on a kerb where the file gives no lane height."""


class Stations(NamedTuple):
    """A road's cross-sections at (N,) places s: what does not depend on t."""

    s: Floats
    plan: PlanPoint
    elevation: Jet
    roll: Jet


class Poses(NamedTuple):
    """Poses in ASAM's frame, arrays of one shape: metres and radians (pitch positive nose down)."""

    x: Floats
    y: Floats
    z: Floats
    heading: Floats
    pitch: Floats
    roll: Floats


class RoadLane:
    """A lane within one section. ``origin`` is the s its offsets count from."""

    __slots__ = ("_heights", "border", "id", "kerb_height_m", "origin", "record", "type", "width")

    def __init__(self, record: records.Lane, origin: float, kerb_height_m: float) -> None:
        self.record, self.origin, self.id, self.type = record, origin, record.id, record.type_
        self.width = PiecewiseCubic((r.s_offset, r.a, r.b, r.c, r.d) for r in record.widths)
        self.border = PiecewiseCubic((r.s_offset, r.a, r.b, r.c, r.d) for r in record.borders)
        self.kerb_height_m = kerb_height_m if record.type_ in RAISED_TYPES and not record.heights else 0.0
        ordered = sorted(record.heights, key=lambda r: r.s_offset)
        self._heights: Floats = np.array([(r.s_offset, r.inner, r.outer) for r in ordered], dtype=np.float64)

    @property
    def is_raised(self) -> bool:
        """True if the lane lies above the road's plane."""
        return self.kerb_height_m != 0.0 or bool(len(self._heights) and np.any(self._heights[:, 1:]))

    def heights(self, s: Floats) -> tuple[Floats, Floats]:
        """Return the heights of the (inner, outer) edge above the road's plane; a record holds until the next."""
        if not len(self._heights):
            level = np.full(np.shape(s), self.kerb_height_m)
            return level, level
        row = np.clip(np.searchsorted(self._heights[:, 0], s - self.origin, side="right") - 1, 0, None)
        given = s - self.origin >= self._heights[0, 0] - 1e-9
        return np.where(given, self._heights[row, 1], 0.0), np.where(given, self._heights[row, 2], 0.0)

    def height_breaks(self) -> Floats:
        """Return the s at which a height record begins."""
        return self.origin + self._heights[:, 0] if len(self._heights) else np.zeros(0)

    def breaks(self) -> list[float]:
        """Return the s at which a width, border or height record begins."""
        starts = [self.origin + start for start in (*self.width.starts, *self.border.starts)]
        return [float(start) for start in (*starts, *self.height_breaks())]


class Section:
    """A lane section: its lanes from the rightmost to the leftmost, the centre lane left out.

    Boundaries are numbered from right to left: 0 is the outer edge of the rightmost lane, ``right_count`` the
    centre lane, the last one the outer edge of the leftmost lane.
    """

    __slots__ = ("_by_id", "center", "end", "index", "lanes", "right_count", "start")

    def __init__(self, index: int, start: float, end: float, lanes: Iterable[RoadLane], center: records.Lane | None):
        ordered = sorted(lanes, key=lambda lane: lane.id)
        self.index, self.start, self.end, self.center = index, start, end, center
        self.lanes = tuple(ordered)
        self.right_count = sum(lane.id < 0 for lane in ordered)
        self._by_id = {lane.id: i for i, lane in enumerate(ordered)}

    @property
    def lane_ids(self) -> tuple[int, ...]:
        """Ids from right to left, without the centre lane."""
        return tuple(lane.id for lane in self.lanes)

    def lane(self, lane_id: int) -> RoadLane:
        """Return a lane; KeyError if the section has none of that id."""
        return self.lanes[self._by_id[lane_id]]

    def has(self, lane_id: int) -> bool:
        """Return whether the section has this lane (the centre lane does not count)."""
        return lane_id in self._by_id

    def level_counts(self) -> tuple[int, int]:
        """Return how many of the outermost lanes on the (right, left) side are level, without a gap between them."""
        right, left = self.lanes[: self.right_count], self.lanes[self.right_count :]
        counts = []
        for side in (right, left[::-1]):
            level = [lane.record.level for lane in side]
            counts.append(level.index(False) if False in level else len(level))
        return counts[0], counts[1]

    def edge_numbers(self, lane_id: int) -> tuple[int, int]:
        """Return the boundary numbers of a lane's (inner, outer) edge; the centre lane's are both the centre."""
        if lane_id == 0:
            return self.right_count, self.right_count
        rank = self._by_id[lane_id]
        return (rank + 1, rank) if lane_id < 0 else (rank, rank + 1)

    def boundaries(self, s: Floats, offset: Floats) -> Floats:
        """Return (boundaries, N) t coordinates at ``s``.

        Args:
            s: (N,) within the section.
            offset: (N,) lane offset there.
        """
        edges = np.empty((len(self.lanes) + 1, len(s)))
        edges[self.right_count] = offset
        for rank in range(self.right_count - 1, -1, -1):
            edges[rank] = self._outer_edge(rank, s, offset, edges[rank + 1])
        for rank in range(self.right_count, len(self.lanes)):
            edges[rank + 1] = self._outer_edge(rank, s, offset, edges[rank])
        return edges

    def lane_edges(self, lane_id: int, s: Floats, offset: Floats) -> tuple[Floats, Floats]:
        """Return the (N,) t coordinates of one lane's inner and outer edge: two rows of :meth:`boundaries`.

        Only the lanes between the centre and this one are looked at, which is what makes it cheaper.
        """
        inner: Floats = offset
        outer: Floats = offset
        if lane_id != 0:
            rank = self._by_id[lane_id]
            between = range(self.right_count - 1, rank - 1, -1) if lane_id < 0 else range(self.right_count, rank + 1)
            for number in between:
                inner, outer = outer, self._outer_edge(number, s, offset, outer)
        return inner, outer

    def _outer_edge(self, rank: int, s: Floats, offset: Floats, inner: Floats) -> Floats:
        lane = self.lanes[rank]
        right = rank < self.right_count
        ds = s - lane.origin
        if len(lane.width) or not len(lane.border):
            width = np.maximum(lane.width(ds), 0.0)
            return np.subtract(inner, width) if right else np.add(inner, width)
        # A border is given from the centre lane; it may not cross the inner neighbour.
        reach = offset + lane.border(ds)
        return np.minimum(reach, inner) if right else np.maximum(reach, inner)


class RoadGeometry:
    """A road: its record, and the pure geometry made of it. All angles radians, lengths metres, ASAM's frame."""

    __slots__ = (
        "_has_level_lanes",
        "cross_section",
        "elevation",
        "id",
        "junction",
        "lane_offset",
        "left_hand_traffic",
        "length",
        "name",
        "plan",
        "record",
        "section_starts",
        "sections",
        "superelevation",
    )

    def __init__(self, record: furniture.Road, plan: PlanView, sections: list[Section]) -> None:
        lateral = record.lateral or records.LateralProfile()
        self.record, self.plan, self.sections = record, plan, tuple(sections)
        self.id, self.name, self.length = record.id, record.name, plan.length
        self.junction = "" if record.junction in ("-1", "") else record.junction
        self.left_hand_traffic = record.rule == "LHT"
        self.elevation = _cubic(record.elevations)
        self.superelevation = _cubic(lateral.superelevations)
        self.cross_section = CrossSection(lateral.crossfalls, lateral.shapes)
        self.lane_offset = _cubic(record.lanes.offsets if record.lanes else ())
        self.section_starts: Floats = np.array([section.start for section in sections])
        bent = not (self.superelevation.is_constant and self.cross_section.is_flat)
        self._has_level_lanes = bent and any(any(section.level_counts()) for section in sections)

    def section_at(self, s: float) -> Section:
        """Return the section that holds at ``s``."""
        index = int(np.searchsorted(self.section_starts, s, side="right")) - 1
        return self.sections[min(max(index, 0), len(self.sections) - 1)]

    def section_numbers(self, s: Floats) -> npt.NDArray[np.intp]:
        """Return the section numbers that hold at (N,) ``s``."""
        return np.clip(np.searchsorted(self.section_starts, s, side="right") - 1, 0, len(self.sections) - 1)

    def drives_forward(self, lane_id: int, section: int | None = None) -> bool:
        """Return whether traffic in the lane goes with s: right lanes in right-hand traffic, else left ones."""
        forward = (lane_id > 0) if self.left_hand_traffic else (lane_id < 0)
        if section is not None and self.sections[section].has(lane_id):
            forward ^= self.sections[section].lane(lane_id).record.direction == "reversed"
        return forward

    def stations(self, s: Floats) -> Stations:
        """Return the cross-sections at (N,) ``s``, held within the road."""
        s = np.clip(np.asarray(s, dtype=np.float64), 0.0, self.length)
        return Stations(s, self.plan.at(s), self.elevation.jet(s), self.superelevation.jet(s))

    def points(self, at: Stations, t: Floats, height: Floats | float = 0.0) -> Floats:
        """Return (..., N, 3) points at lateral ``t`` (..., N), ``height`` straight above the road's surface.

        The cross-section is turned about the reference line's tangent by the superelevation (ASAM OpenDRIVE 1.8,
        section 10.5: t and h axes are rotated); t and the shape's height are measured in it. Lane heights and the
        z offsets of objects go upwards, so that kerbs stand upright.
        """
        t = np.asarray(t, dtype=np.float64)
        cosine, sine = np.cos(at.plan.heading), np.sin(at.plan.heading)
        if self.superelevation.is_constant and self.cross_section.is_flat:
            x, y, z = at.plan.x - sine * t, at.plan.y + cosine * t, at.elevation.value + height
            return np.stack(np.broadcast_arrays(x, y, z), -1)
        beside: Floats | float = 0.0
        if self._has_level_lanes:
            wanted, t = t, np.clip(t, *self._level_bounds(at.s))
            beside = wanted - t
        h = self.cross_section.height(at.s, t)[0]
        slope = np.arctan(at.elevation.slope)
        side = t * np.cos(at.roll.value) - h * np.sin(at.roll.value) + beside
        up = t * np.sin(at.roll.value) + h * np.cos(at.roll.value)
        back = up * np.sin(slope)
        x = at.plan.x - sine * side - cosine * back
        y = at.plan.y + cosine * side - sine * back
        return np.stack(np.broadcast_arrays(x, y, at.elevation.value + up * np.cos(slope) + height), -1)

    def poses(self, at: Stations, t: Floats, t_slope: Floats | float = 0.0, height: Floats | float = 0.0) -> Poses:
        """Return poses on the surface at (N,) ``t``, headed along the line whose t grows by ``t_slope`` per s.

        Position is that of :meth:`points`. Orientation is that of the tangent plane: forward along the line,
        left across it.
        """
        if self.superelevation.is_constant and self.cross_section.is_flat:
            return self._poses_level_across(at, t, t_slope, height)
        heading, kappa = at.plan.heading, at.plan.curvature
        cosine, sine, zero = np.cos(heading), np.sin(heading), np.zeros_like(heading)
        slope = np.arctan(at.elevation.slope)
        slope_s = at.elevation.bend / (1.0 + at.elevation.slope**2)
        cp, sp = np.cos(slope), np.sin(slope)
        cr, sr = np.cos(at.roll.value), np.sin(at.roll.value)
        along = np.stack([cosine * cp, sine * cp, sp])
        left = np.stack([-sine, cosine, zero])
        up = np.stack([-cosine * sp, -sine * sp, cp])
        left_s = -kappa * np.stack([cosine, sine, zero])
        up_s = kappa * np.stack([sine * sp, -cosine * sp, zero]) - slope_s * along
        t, beside = np.broadcast_to(np.asarray(t, dtype=np.float64), heading.shape), zero
        if self._has_level_lanes:
            wanted, t = t, np.clip(t, *self._level_bounds(at.s))
            beside = wanted - t
        e_t, e_h = cr * left + sr * up, -sr * left + cr * up
        e_t_s = cr * left_s + sr * up_s + at.roll.slope * e_h
        e_h_s = -sr * left_s + cr * up_s - at.roll.slope * e_t
        h, h_s, h_t = self.cross_section.height(at.s, t)
        base = np.stack([at.plan.x, at.plan.y, at.elevation.value])
        point = base + t * e_t + h * e_h + beside * left
        point[2] += height
        across = np.where(beside != 0.0, left, e_t + h_t * e_h)
        forward = np.stack([cosine, sine, at.elevation.slope]) + t * e_t_s + h * e_h_s + h_s * e_h
        forward = forward + beside * left_s + t_slope * across
        turned, pitch, roll = _orientation(forward, across)
        # Inside of a curve's centre the surface is folded over and the derivative points backwards.
        return Poses(point[0], point[1], point[2], turned, pitch, roll)

    def _poses_level_across(self, at: Stations, t: Floats, t_slope: Floats | float, height: Floats | float) -> Poses:
        """Return what :meth:`poses` does for roads without bank and shape, in closed form: queries are many."""
        cosine, sine = np.cos(at.plan.heading), np.sin(at.plan.heading)
        # A step of s moves a point at t by 1 - curvature * t; less than nothing only where the strip is folded.
        pace = np.maximum(1.0 - at.plan.curvature * t, 1e-6)
        rise = at.elevation.slope
        dx, dy = pace * cosine - t_slope * sine, pace * sine + t_slope * cosine
        run = np.hypot(dx, dy)
        return Poses(
            at.plan.x - sine * t,
            at.plan.y + cosine * t,
            at.elevation.value + height,
            np.arctan2(dy, dx),
            -np.arctan2(rise, run),
            np.arctan2(-rise * t_slope / np.hypot(run, rise), pace),
        )

    def _level_bounds(self, s: Floats) -> tuple[Floats, Floats]:
        """Return the (least, greatest) t at (N,) ``s`` that take part in bank and shape.

        Lanes with ``level="true"`` do not: from there to the road's edge the cross-section is horizontal (ASAM
        OpenDRIVE 1.8, section 11.6: keeping a lane out of superelevation).
        """
        least, greatest = np.full(len(s), -np.inf), np.full(len(s), np.inf)
        numbers = self.section_numbers(s)
        for number in np.unique(numbers):
            rows, section = np.flatnonzero(numbers == number), self.sections[number]
            edges = self.boundaries(s[rows], section)
            right, left = section.level_counts()
            if right:
                least[rows] = edges[right]
            if left:
                greatest[rows] = edges[len(section.lanes) - left]
        return least, greatest

    def boundaries(self, s: Floats, section: Section) -> Floats:
        """Return (boundaries, N) t coordinates of a section's lane edges, rightmost first."""
        return section.boundaries(s, self.lane_offset(s))

    def lane_middle(self, s: Floats, section: Section, lane_id: int) -> tuple[Floats, Floats, Floats]:
        """Return the lane centre's (t, dt/ds, width) at (N,) ``s``; for lane 0 the centre lane itself."""
        step = 0.01
        low, high = np.maximum(s - step, section.start), np.minimum(s + step, section.end)
        high = np.maximum(high, low)
        every = np.concatenate([low, s, high])
        inner, outer = section.lane_edges(lane_id, every, self.lane_offset(every))
        before, middle, after = (0.5 * (inner + outer)).reshape(3, -1)
        gap = high - low
        slope = np.divide(after - before, gap, out=np.zeros_like(s), where=gap > 1e-9)
        width = np.abs(outer - inner).reshape(3, -1)[1]
        return middle, slope, width

    def surface_height(self, s: Floats, t: Floats, section: Section, lane_id: int) -> Floats:
        """Return how high (N,) places of a lane lie above the road's plane (kerb or lane height)."""
        if lane_id == 0 or not section.lane(lane_id).is_raised:
            return np.zeros(np.shape(s))
        inner, outer = section.lane_edges(lane_id, s, self.lane_offset(s))
        low, high = section.lane(lane_id).heights(s)
        width = outer - inner
        part = np.divide(t - inner, width, out=np.zeros_like(width), where=np.abs(width) > 1e-9)
        return low + np.clip(part, 0.0, 1.0) * (high - low)

    def breaks(self) -> Floats:
        """Return the sorted places s in [0, length] where a record begins: a mesh needs a row at each."""
        starts = [0.0, self.length, *self.plan.starts, *self.elevation.starts, *self.superelevation.starts]
        starts += [*self.lane_offset.starts, *self.cross_section.starts, *self.section_starts]
        for section in self.sections:
            starts += [s for lane in section.lanes for s in lane.breaks() if section.start < s < section.end]
        places = np.unique(np.clip(np.array(starts, dtype=np.float64), 0.0, self.length))
        keep = np.concatenate([[True], np.diff(places) > 1e-6])
        places = places[keep]
        places[-1] = self.length
        return places


def _cubic(pieces: Iterable[records.Cubic]) -> PiecewiseCubic:
    return PiecewiseCubic((r.s, r.a, r.b, r.c, r.d) for r in pieces)


def _orientation(forward: Floats, across: Floats) -> tuple[Floats, Floats, Floats]:
    """Return (heading, pitch, roll) of frames given by (3, N) forward and left vectors, ASAM's signs."""
    forward = forward / np.maximum(np.linalg.norm(forward, axis=0), 1e-12)
    normal = np.cross(forward, across, axis=0)
    normal = normal / np.maximum(np.linalg.norm(normal, axis=0), 1e-12)
    left = np.cross(normal, forward, axis=0)
    heading = np.arctan2(forward[1], forward[0])
    pitch = -np.arcsin(np.clip(forward[2], -1.0, 1.0))
    return heading, pitch, np.arctan2(left[2], normal[2])

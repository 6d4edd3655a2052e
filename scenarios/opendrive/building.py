"""From records to road geometry: what must be right for a road to be a road, and what is only odd."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np

from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive import records
from scenarios.opendrive.curves import ArcCurve, CubicPath, Curve, LineCurve, PlacedCurve, PlanView, SpiralCurve
from scenarios.opendrive.errors import Diagnostic, OpenDriveError
from scenarios.opendrive.road import RoadGeometry, RoadLane, Section

GAP_REPORTED_M, GAP_REFUSED_M = 0.02, 2.0
"""Gaps between two geometries of a road from which on they are reported, or the file is refused."""
KINK_REPORTED_RAD = 0.1
LENGTH_TOLERANCE_M = 0.05
NEGATIVE_WIDTH_REPORTED_M, NEGATIVE_WIDTH_REFUSED_M = -0.01, -0.5
MAX_TURN_RAD = 200.0
"""How far one geometry may turn: about 32 full circles; more is a broken curvature."""
MAX_CURVATURE = 1e4
"""Largest curvature in 1/m: a radius of 0.1 mm."""


class RoadBuilder:
    """Make road geometry of records.

    Args:
        file: name for messages.
        diagnostics: gets what is odd but usable.
        kerb_height_m: height of sidewalks for which the file gives none.
    """

    def __init__(self, file: str, diagnostics: list[Diagnostic], kerb_height_m: float) -> None:
        self._file, self._diagnostics, self._kerb_height_m = file, diagnostics, kerb_height_m

    def build(self, record: furniture.Road) -> RoadGeometry:
        """Return one road.

        Raises:
            OpenDriveError: the road cannot be used.
        """
        if record.length <= 0.0:
            raise self._refuse(record, "road", f"road '{record.id}' has length {record.length:g}", "give its length")
        plan = self._plan(record)
        if record.lanes is None or not record.lanes.sections:
            raise self._refuse(record, "lanes", f"road '{record.id}' has no <laneSection>", "add one at s=0")
        self._check_order(record)
        road = RoadGeometry(record, plan, self._sections(record, record.lanes.sections))
        if road.junction == "" and record.link is None:
            self._note(record.line, "road", f"road '{record.id}' has no <link>")
        self._check_level(road)
        return road

    def _plan(self, record: furniture.Road) -> PlanView:
        if not record.geometries:
            raise self._refuse(record, "planView", f"road '{record.id}' has no <geometry>", "add one at s=0")
        ordered = sorted(record.geometries, key=lambda g: g.s)
        if list(record.geometries) != ordered:
            self._note(record.line, "planView", f"geometries of road '{record.id}' are not in order of s; sorted")
        pieces = [self._piece(record, g) for g in ordered if g.length > 0.0 or len(ordered) == 1]
        if not pieces:
            raise self._refuse(record, "planView", f"all geometries of road '{record.id}' have length 0", "")
        if abs(pieces[0].s) > LENGTH_TOLERANCE_M:
            self._note(ordered[0].line, "geometry", f"the first geometry starts at s={pieces[0].s:g}, not at 0")
        end = pieces[-1].s + pieces[-1].length
        if abs(end - record.length) > max(LENGTH_TOLERANCE_M, 1e-6 * record.length):
            text = f"road '{record.id}' has length {record.length:g}, its geometries end at {end:g}"
            self._note(record.line, "road", f"{text}; the road's length holds")
        for before, after, geometry in zip(pieces, pieces[1:], [g for g in ordered if g.length > 0.0][1:]):
            self._check_joint(record, before, after, geometry)
        return PlanView(pieces, record.length)

    def _check_joint(
        self, record: furniture.Road, before: PlacedCurve, after: PlacedCurve, geometry: records.Geometry
    ) -> None:
        """Compare the end of one geometry with the start of the next."""
        end = before.at(np.array([after.s - before.s]))
        gap = math.hypot(after.x - float(end.x[0]), after.y - float(end.y[0]))
        if not gap <= GAP_REFUSED_M:
            raise OpenDriveError(
                f"road '{record.id}' has a gap of {gap:.3f} m in its plan view at s={geometry.s:g}",
                file=self._file,
                line=geometry.line,
                element="geometry",
                remedy="make x, y, hdg and length of the geometries meet",
            )
        if gap > GAP_REPORTED_M:
            self._note(geometry.line, "geometry", f"gap of {gap:.3f} m at s={geometry.s:g} of road '{record.id}'")
        kink = abs(math.remainder(after.heading - float(end.heading[0]), 2.0 * math.pi))
        if kink > KINK_REPORTED_RAD:
            text = f"kink of {math.degrees(kink):.1f} degrees at s={geometry.s:g} of road '{record.id}'"
            self._note(geometry.line, "geometry", text)

    def _piece(self, road: furniture.Road, record: records.Geometry) -> PlacedCurve:
        shapes = record.shapes
        if len(shapes) != 1:
            names = ", ".join(f"<{foreign.tag}>" for foreign in record.unknown)
            problem = f"has {len(shapes)} shapes" if shapes else f"has no shape this reader knows ({names or 'empty'})"
            raise OpenDriveError(
                f"geometry at s={record.s:g} of road '{road.id}' {problem}",
                file=self._file,
                line=record.line,
                element="geometry",
                remedy="give exactly one of <line>, <spiral>, <arc>, <poly3>, <paramPoly3>",
            )
        curve = _curve(shapes[0], record.length)
        sharpest = max(
            (abs(value) for value in (getattr(shapes[0], n, 0.0) for n in ("curvature", "curv_start", "curv_end"))),
        )
        if curve.turn_rad > MAX_TURN_RAD or sharpest > MAX_CURVATURE:
            turns = curve.turn_rad / (2.0 * math.pi)
            raise self._refuse(
                record, "geometry", f"geometry of road '{road.id}' turns round {turns:.3g} times", "check its curvature"
            )
        return PlacedCurve(record.s, record.x, record.y, record.hdg, record.length, curve)

    def _sections(self, road: furniture.Road, given: tuple[records.LaneSection, ...]) -> list[Section]:
        ordered = sorted(given, key=lambda r: r.s)
        if list(given) != ordered:
            self._note(road.line, "lanes", f"lane sections of road '{road.id}' are not in order of s; sorted")
        kept = [r for i, r in enumerate(ordered) if i == 0 or r.s < road.length - 1e-9]
        for record in ordered:
            if record not in kept:
                self._note(record.line, "laneSection", f"starts at s={record.s:g}, behind the road's end; left out")
        if kept[0].s > LENGTH_TOLERANCE_M:
            self._note(kept[0].line, "laneSection", f"the first one starts at s={kept[0].s:g}; taken to start at 0")
        sections: list[Section] = []
        for index, record in enumerate(kept):
            start = 0.0 if index == 0 else record.s
            end = kept[index + 1].s if index + 1 < len(kept) else road.length
            lanes = [*self._lanes(record.left, 1, start), *self._lanes(record.right, -1, start)]
            center = record.center[0] if record.center else None
            if center is not None and center.id != 0:
                self._note(center.line, "lane", f"lane id {center.id} stands in <center>; taken as 0")
                center = replace(center, id=0)
            if record.single_sided and sections:
                # The side that is not given goes on as it was before.
                missing = [lane for lane in sections[-1].lanes if not (record.left if lane.id > 0 else record.right)]
                lanes += missing
                center = center or sections[-1].center
            if center is None:
                self._note(record.line, "laneSection", f"no centre lane in a lane section of road '{road.id}'")
            section = Section(index, start, end, lanes, center)
            for lane in section.lanes:
                self._check_width(road, section, lane)
            sections.append(section)
        return sections

    def _lanes(self, given: tuple[records.Lane, ...], sign: int, start: float) -> list[RoadLane]:
        lanes = [RoadLane(record, start, self._kerb_height_m) for record in given]
        seen: set[int] = set()
        for lane in lanes:
            if lane.id in seen:
                raise self._refuse(lane.record, "lane", f"lane id {lane.id} appears twice", "give each lane its own id")
            if lane.id * sign <= 0:
                side = "left" if sign > 0 else "right"
                want = "positive" if sign > 0 else "negative"
                raise self._refuse(
                    lane.record, "lane", f"lane id {lane.id} stands in <{side}>", f"{side} lanes have {want} ids"
                )
            seen.add(lane.id)
        if seen and max(abs(i) for i in seen) != len(seen):
            line = given[0].line
            self._note(line, "lane", f"lane ids {sorted(seen)} leave out a number; taken one beside the other")
        return lanes

    def _check_width(self, road: furniture.Road, section: Section, lane: RoadLane) -> None:
        """Refuse widths that are clearly negative, report small ones; both count as 0 in the geometry."""
        if not len(lane.width):
            if not len(lane.border):
                self._note(lane.record.line, "lane", f"lane {lane.id} of road '{road.id}' has no width; taken as 0")
            return
        least, where = lane.width.lowest(section.end - lane.origin)
        if least < NEGATIVE_WIDTH_REFUSED_M:
            raise self._refuse(
                lane.record,
                "width",
                f"lane {lane.id} of road '{road.id}' is {least:.3f} m wide at s={lane.origin + where:.2f}",
                "widths are never negative",
            )
        if least < NEGATIVE_WIDTH_REPORTED_M:
            text = (
                f"lane {lane.id} of road '{road.id}' is {least:.3f} m wide at s={lane.origin + where:.2f}; taken as 0"
            )
            self._note(lane.record.line, "width", text)

    def _check_order(self, record: furniture.Road) -> None:
        """Report profiles whose records are not in ascending order (they are sorted)."""
        lateral = record.lateral
        groups = {
            "elevation": record.elevations,
            "superelevation": lateral.superelevations if lateral else (),
            "laneOffset": record.lanes.offsets if record.lanes else (),
        }
        for name, group in groups.items():
            starts = [r.s for r in group]
            if any(b <= a for a, b in itertools.pairwise(starts)):
                self._note(
                    group[0].line, name, f"records of road '{record.id}' are not in ascending order of s; sorted"
                )

    def _check_level(self, road: RoadGeometry) -> None:
        if road.superelevation.is_constant and road.cross_section.is_flat:
            return
        for section in road.sections:
            right, left = section.level_counts()
            for rank, lane in enumerate(section.lanes):
                if lane.record.level and right <= rank < len(section.lanes) - left:
                    text = (
                        f"level='true' of lane {lane.id} of road '{road.id}' has no effect: a lane outside is not level"
                    )
                    self._note(lane.record.line, "lane", text)

    def _refuse(self, record: records.Record, element: str, problem: str, remedy: str) -> OpenDriveError:
        return OpenDriveError(problem, file=self._file, line=record.line, element=element, remedy=remedy or None)

    def _note(self, line: int, element: str, message: str) -> None:
        self._diagnostics.append(Diagnostic(line, element, message))


def _curve(shape: records.Record, length: float) -> Curve:
    """Return the geometry of a shape record."""
    if isinstance(shape, records.Spiral):
        return SpiralCurve(shape.curv_start, shape.curv_end, length)
    if isinstance(shape, records.Arc):
        return ArcCurve(shape.curvature, length)
    if isinstance(shape, records.Poly3):
        u, v = np.array([0.0, 1.0, 0.0, 0.0]), np.array([shape.a, shape.b, shape.c, shape.d])
        return CubicPath(u, v, length, None)
    if isinstance(shape, records.ParamPoly3):
        u = np.array([shape.a_u, shape.b_u, shape.c_u, shape.d_u])
        v = np.array([shape.a_v, shape.b_v, shape.c_v, shape.d_v])
        by_length = shape.p_range == "arcLength"
        return CubicPath(u, v, length, length if by_length else 1.0, p_is_arc_length=by_length)
    return LineCurve()

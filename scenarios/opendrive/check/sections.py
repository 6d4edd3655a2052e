"""Lanes within one road: ids, widths, and how the lanes of one section go on in the next."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from scenarios.opendrive import records
from scenarios.opendrive.check.findings import Report
from scenarios.opendrive.check.touching import linked_ids, report_meeting
from scenarios.opendrive.cubics import PiecewiseCubic
from scenarios.opendrive.road import RoadGeometry, RoadLane, Section

STEP_M = 0.05
NEGATIVE_M = -1e-3
_FULL_M = 0.5
"""A lane wider than this at its first place comes from somewhere."""


def check_sections(road: RoadGeometry, report: Report) -> None:
    """Look at lane sections of one road and at the links between them."""
    for section in road.sections:
        _section(road, section, report)
        for lane in section.lanes:
            _lane(road, section, lane, report)
    for before, after in itertools.pairwise(road.sections):
        _between(road, before, after, report)


def _section(road: RoadGeometry, section: Section, report: Report) -> None:
    if not section.lanes:
        line = section.center.line if section.center else road.record.line
        report.add("warning", "no-lane", line, "laneSection", "has no lane but the centre", road.id, section.start)
    if section.end - section.start < 1e-3:
        line = section.center.line if section.center else road.record.line
        report.add("warning", "s-order", line, "laneSection", "is shorter than 1 mm", road.id, section.start)


def _lane(road: RoadGeometry, section: Section, lane: RoadLane, report: Report) -> None:
    record = lane.record
    groups: tuple[tuple[str, Sequence[records.Record]], ...] = (
        ("width", record.widths), ("border", record.borders), ("roadMark", record.road_marks),
        ("height", record.heights), ("speed", record.speeds), ("material", record.materials),
    )  # fmt: skip
    for element, group in groups:
        starts = [float(getattr(item, "s_offset", 0.0)) for item in group]
        for (low, _), (high, item) in itertools.pairwise(zip(starts, group)):
            if high < low or (high == low and element in ("width", "border")):
                text = f"of lane {lane.id} starts at sOffset={high:g}, the one before at {low:g}"
                report.add("error", "s-order", item.line, element, text, road.id, lane.origin + high)
        for start, item in zip(starts, group):
            if start > section.end - lane.origin + 1e-3:
                text = f"of lane {lane.id} starts behind the end of its section"
                report.add("warning", "s-range", item.line, element, text, road.id, lane.origin + start)
    for element, given, function in (
        ("width", record.widths, lane.width),
        ("border", record.borders, lane.border),
    ):
        if given and min(item.s_offset for item in given) > 1e-6:
            first = min(given, key=lambda item: item.s_offset)
            text = f"of lane {lane.id} begins at sOffset={first.s_offset:g}, not at 0; the lane is 0 m wide before"
            report.add("warning", "width-start", first.line, element, text, road.id, lane.origin)
        _steps(road, section, lane, element, given, report)
        if element == "width" and given:
            _negative(road, section, lane, function, report)


def _steps(
    road: RoadGeometry, section: Section, lane: RoadLane, element: str, given: Sequence[records.OffsetCubic],
    report: Report,
) -> None:  # fmt: skip
    for before, after in itertools.pairwise(sorted(given, key=lambda item: item.s_offset)):
        ds = after.s_offset - before.s_offset
        if ds <= 0.0 or after.s_offset >= section.end - lane.origin:
            continue
        step = abs(after.a - (before.a + ds * (before.b + ds * (before.c + ds * before.d))))
        if step > STEP_M:
            text = f"{element} of lane {lane.id} jumps by {step:.3f} m"
            report.add("warning", "width-step", after.line, element, text, road.id, lane.origin + after.s_offset)


def _negative(road: RoadGeometry, section: Section, lane: RoadLane, width: PiecewiseCubic, report: Report) -> None:
    least, where = width.lowest(section.end - lane.origin)
    if least < NEGATIVE_M:
        text = f"lane {lane.id} is {least:.3f} m wide"
        line = lane.record.widths[0].line
        report.add("error" if least < -0.01 else "warning", "negative-width", line, "width", text, road.id,
                   lane.origin + where)  # fmt: skip


def _between(road: RoadGeometry, before: Section, after: Section, report: Report) -> None:
    """Look at how the lanes of one section go on in the next."""
    sides = ((before, after, True), (after, before, False))
    named: dict[bool, set[tuple[int, int]]] = {}
    for section, other, at_end in sides:
        named[at_end] = set()
        for lane in section.lanes:
            for lane_id in linked_ids(lane.record, successor=at_end):
                if not other.has(lane_id):
                    where = "successor" if at_end else "predecessor"
                    text = (
                        f"{where} {lane_id} of lane {lane.id} is no lane of the {'next' if at_end else 'last'} section"
                    )
                    report.add("error", "lane-link", lane.record.line, "link", text, road.id, after.start)
                    continue
                named[at_end].add((lane.id, lane_id) if at_end else (lane_id, lane.id))
                if lane.id * lane_id < 0:
                    text = f"lane {lane.id} is linked to lane {lane_id} on the road's other side"
                    report.add("error", "lane-link", lane.record.line, "link", text, road.id, after.start)
    for one, other_id in sorted(named[True] | named[False]):
        report_meeting(road, before, one, True, road, after, other_id, False, report)
    for one, other_id in sorted(named[True] ^ named[False]):
        forward = (one, other_id) in named[True]
        record = (before.lane(one) if forward else after.lane(other_id)).record
        text = f"lane {one} and lane {other_id} of the next section are linked from one side only"
        report.add("note", "one-sided-link", record.line, "link", text, road.id, after.start)
    for section, at_end, used in (
        (before, True, {one for one, _ in named[True] | named[False]}),
        (after, False, {other for _, other in named[True] | named[False]}),
    ):
        _comes_from_nowhere(road, section, at_end, used, report)


def _comes_from_nowhere(road: RoadGeometry, section: Section, at_end: bool, used: set[int], report: Report) -> None:
    s = section.end if at_end else section.start
    edges = road.boundaries(np.array([s]), section)[:, 0]
    for lane in section.lanes:
        inner, outer = section.edge_numbers(lane.id)
        width = abs(float(edges[outer] - edges[inner]))
        if lane.id not in used and width > _FULL_M and lane.type not in ("none", "sidewalk", "border", "median"):
            what = "ends" if at_end else "begins"
            text = f"lane {lane.id} ({lane.type}) {what} {width:.2f} m wide without a link to the other section"
            report.add("note", "lane-without-link", lane.record.line, "lane", text, road.id, s)

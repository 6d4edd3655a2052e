"""Links between roads: unknown ids, one-sided links, gaps and kinks between linked roads, lanes that lead nowhere."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive import records
from scenarios.opendrive.check.findings import Report
from scenarios.opendrive.check.touching import linked_ids, report_meeting
from scenarios.opendrive.road import RoadGeometry
from scenarios.opendrive.values import DRIVING_TYPES

NEAR_M = 0.05
FAR_M = 5.0
"""Linked road ends farther apart than this are linked to the wrong end or road."""


def road_end(road: RoadGeometry, at_end: bool) -> tuple[float, float, float]:
    """Return x, y, z of a road's reference line at one of its ends."""
    at = road.stations(np.array([road.length if at_end else 0.0]))
    x, y, z = road.points(at, np.zeros(1))[0]
    return float(x), float(y), float(z)


def ends(road: furniture.Road) -> list[tuple[records.RoadEnd, bool]]:
    """Return the given links of a road, each with True for the successor."""
    link = road.link
    pairs = ((link.predecessor, False), (link.successor, True)) if link else ()
    return [(end, at_end) for end, at_end in pairs if end is not None]


def check_links(document: furniture.Document, roads: Mapping[str, RoadGeometry], report: Report) -> None:
    """Look at what every road is linked to."""
    records_by_id = {record.id: record for record in reversed(document.roads)}
    junctions = {junction.id for junction in document.junctions}
    for record in document.roads:
        if record.junction not in ("-1", "") and record.junction not in junctions:
            text = f"belongs to junction '{record.junction}', which does not exist"
            report.add("error", "unknown-junction", record.line, "road", text, record.id)
        for end, at_end in ends(record):
            element = "successor" if at_end else "predecessor"
            known = records_by_id if end.element_type == "road" else junctions
            s = record.length if at_end else 0.0
            if end.element_id not in known:
                text = f"{end.element_type} '{end.element_id}' does not exist"
                report.add("error", f"unknown-{end.element_type}", end.line, element, text, record.id, s)
                continue
            if end.element_type == "road":
                _answered(record, end, at_end, records_by_id[end.element_id], report)
                road, other = roads.get(record.id), roads.get(end.element_id)
                if road is not None and other is not None and end.element_s is None:
                    _meet(road, end, at_end, other, report)


def _answered(
    record: furniture.Road, end: records.RoadEnd, at_end: bool, other: furniture.Road, report: Report
) -> None:
    """Report a link that the other road does not give back."""
    element = "successor" if at_end else "predecessor"
    s = record.length if at_end else 0.0
    if not end.contact_point and end.element_s is None:
        text = f"link to road '{other.id}' has no contactPoint; the nearer end is taken"
        report.add("warning", "contact-point", end.line, element, text, record.id, s)
        return
    if end.element_s is not None:
        return
    answers = [answer for answer, other_end in ends(other) if other_end == (end.contact_point == "end")]
    if record.junction not in ("-1", ""):
        if not answers:
            text = f"road '{other.id}' has no link at its {end.contact_point}, where this connecting road meets it"
            report.add("warning", "one-sided-link", end.line, element, text, record.id, s)
        return
    mine = "end" if at_end else "start"
    if not any(answer.element_type == "junction" or answer.element_id == record.id for answer in answers):
        text = f"road '{other.id}' does not name this road at its {end.contact_point}"
        report.add("warning", "one-sided-link", end.line, element, text, record.id, s)
    elif any(a.element_id == record.id and a.contact_point not in ("", mine) for a in answers):
        text = f"road '{other.id}' names the other end of this road"
        report.add("error", "contact-point", end.line, element, text, record.id, s)


def _meet(road: RoadGeometry, end: records.RoadEnd, at_end: bool, other: RoadGeometry, report: Report) -> None:
    """Report linked roads whose lanes do not meet."""
    element = "successor" if at_end else "predecessor"
    s = road.length if at_end else 0.0
    here = road_end(road, at_end)
    distances = [math.dist(here, road_end(other, which)) for which in (False, True)]
    other_end = end.contact_point == "end" if end.contact_point else distances[1] < distances[0]
    section = road.sections[-1 if at_end else 0]
    other_section = other.sections[-1 if other_end else 0]
    linked = False
    for lane in section.lanes:
        for lane_id in linked_ids(lane.record, successor=at_end):
            if not other_section.has(lane_id):
                text = f"lane {lane.id} is linked to lane {lane_id} of road '{other.id}', which has no such lane there"
                report.add("error", "lane-link", lane.record.line, "link", text, road.id, s)
                continue
            linked = True
            report_meeting(road, section, lane.id, at_end, other, other_section, lane_id, other_end, report)
            back = linked_ids(other_section.lane(lane_id).record, successor=other_end)
            if road.junction == "" and other.junction == "" and lane.id not in back:
                text = f"lane {lane_id} of road '{other.id}' does not name lane {lane.id}"
                report.add("note", "one-sided-link", lane.record.line, "link", text, road.id, s)
    gap = distances[int(other_end)]
    # Where lanes are linked they tell more exactly; ramps leave from the side of a carriageway.
    if gap > NEAR_M and not linked:
        hint = "; its other end is nearer" if distances[int(not other_end)] < gap else ""
        severity = "error" if gap > FAR_M else "warning"
        text = f"ends {gap:.3f} m from the {'end' if other_end else 'start'} of road '{other.id}'{hint}"
        report.add(severity, "road-gap", end.line, element, text, road.id, s)
    drives = any(lane.type in DRIVING_TYPES for lane in section.lanes)
    if not linked and drives and any(lane.type in DRIVING_TYPES for lane in other_section.lanes):
        text = f"no lane is linked to a lane of road '{other.id}'"
        report.add("warning", "no-lane-link", end.line, element, text, road.id, s)

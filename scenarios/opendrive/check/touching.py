"""Where lane ends that are linked lie: do they meet, and does traffic flow through?"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from scenarios.opendrive import records
from scenarios.opendrive.check.findings import Report
from scenarios.opendrive.road import RoadGeometry, Section
from scenarios.opendrive.values import DRIVING_TYPES

Floats = npt.NDArray[np.float64]

EDGE_ODD_M, EDGE_WRONG_M = 0.1, 1.0
HEIGHT_ODD_M, HEIGHT_WRONG_M = 0.05, 0.5
KINK_ODD_RAD, KINK_WRONG_RAD = 0.05, 0.35


def linked_ids(lane: records.Lane, *, successor: bool) -> list[int]:
    """Return the lane ids a lane names beyond one of its ends, without 0."""
    if lane.link is None:
        return []
    links = lane.link.successors if successor else lane.link.predecessors
    return [link.id for link in links if link.id != 0]


def lane_end(road: RoadGeometry, section: Section, lane_id: int, at_end: bool) -> tuple[Floats, float]:
    """Return ((2, 3) inner and outer edge in the world, the heading along s) at one end of a lane."""
    s = np.array([section.end if at_end else section.start])
    inner, outer = section.edge_numbers(lane_id)
    edges = section.boundaries(s, road.lane_offset(s))
    at = road.stations(s)
    points = np.concatenate([road.points(at, edges[number]) for number in (inner, outer)])
    _, slope, _ = road.lane_middle(s, section, lane_id)
    pose = road.poses(at, 0.5 * (edges[inner] + edges[outer]), slope)
    return points, float(pose.heading[0])


def report_meeting(
    road: RoadGeometry, section: Section, lane_id: int, at_end: bool,
    other: RoadGeometry, other_section: Section, other_id: int, other_end: bool,
    report: Report, line: int | None = None, element: str = "lane",
) -> None:  # fmt: skip
    """Report gaps, steps and kinks between two linked lane ends, and lanes whose traffic runs into each other."""
    one, heading = lane_end(road, section, lane_id, at_end)
    two, heading_other = lane_end(other, other_section, other_id, other_end)
    lane, other_lane = section.lane(lane_id), other_section.lane(other_id)
    line = lane.record.line if line is None else line
    s = section.end if at_end else section.start
    pair = f"lane {lane_id} and lane {other_id}" + ("" if other is road else f" of road '{other.id}'")
    # Inner and outer edge change places where a lane's traffic goes against the rule; take the better fit.
    apart = min(np.linalg.norm(one[:, :2] - two[order][:, :2], axis=1).max() for order in ([0, 1], [1, 0]))
    if apart > EDGE_ODD_M:
        severity = "error" if apart > EDGE_WRONG_M and _drives(lane.type) and _drives(other_lane.type) else "warning"
        if not (_drives(lane.type) or _drives(other_lane.type)):
            severity = "note"
        text = f"{pair} are linked, but their edges lie {apart:.3f} m apart"
        report.add(severity, "lane-gap", line, element, text, road.id, s)
    step = abs(float(one[:, 2].mean() - two[:, 2].mean()))
    if step > HEIGHT_ODD_M and apart <= EDGE_WRONG_M:
        severity = "error" if step > HEIGHT_WRONG_M else "warning"
        text = f"step of {step:.3f} m in height between {pair}"
        report.add(severity, "height-step", line, element, text, road.id, s)
    turned = 0.0 if at_end != other_end else math.pi
    kink = abs(math.remainder(heading - heading_other + turned, 2.0 * math.pi))
    if kink > KINK_ODD_RAD and (_drives(lane.type) and _drives(other_lane.type)):
        severity = "error" if kink > KINK_WRONG_RAD else "warning"
        text = f"kink of {math.degrees(kink):.1f} degrees between {pair}"
        report.add(severity, "lane-kink", line, element, text, road.id, s)
    _directions(road, section, lane_id, at_end, other, other_section, other_id, other_end, report, line, element)
    if _drives(lane.type) != _drives(other_lane.type):
        text = f"{pair} are linked, one is '{lane.type}', the other '{other_lane.type}'"
        report.add("note", "lane-types", line, element, text, road.id, s)


def _directions(
    road: RoadGeometry, section: Section, lane_id: int, at_end: bool,
    other: RoadGeometry, other_section: Section, other_id: int, other_end: bool,
    report: Report, line: int, element: str,
) -> None:  # fmt: skip
    """Report linked driving lanes whose traffic would meet head-on; on pavements and shoulders nobody cares."""
    for where, number in ((section, lane_id), (other_section, other_id)):
        record = where.lane(number).record
        if not _drives(record.type_) or record.type_ == "bidirectional" or record.direction == "both":
            return
    leaves = road.drives_forward(lane_id, section.index) == at_end
    enters = other.drives_forward(other_id, other_section.index) != other_end
    if leaves != enters:
        what = "both lead there" if leaves else "both lead away from there"
        text = f"lane {lane_id} is linked to lane {other_id} of road '{other.id}', but {what}"
        report.add("error", "wrong-way-link", line, element, text, road.id, section.end if at_end else section.start)


def _drives(kind: str) -> bool:
    return kind in DRIVING_TYPES

"""A road's lines along s: plan view, elevation, superelevation, lane offset: gaps, kinks, order, folds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from scenarios.opendrive import records
from scenarios.opendrive.check.findings import Report
from scenarios.opendrive.cubics import PiecewiseCubic
from scenarios.opendrive.road import RoadGeometry
from scenarios.opendrive.values import DRIVING_TYPES

GAP_M, GAP_WRONG_M = 0.01, 0.1
KINK_RAD, KINK_WRONG_RAD = 0.01, 0.1
STEP_M, STEP_WRONG_M = 0.01, 0.1
STEP_RAD = 0.01
SLOPE_KINK = 0.03
"""Change of slope at one place that a car feels as a bump: 3 %."""
STEEPEST = 0.3
JERK_STEP_M_S2 = 3.0
"""A jump of lateral acceleration beyond comfort: curvature jump times the square of the speed limit."""
_S_SLACK_M = 1e-6


def check_profiles(road: RoadGeometry, report: Report) -> None:
    """Look at the functions of s of one road."""
    _order(road, report)
    _plan(road, report)
    _heights(road, report)
    _folds(road, report)


def _order(road: RoadGeometry, report: Report) -> None:
    record, lateral = road.record, road.record.lateral
    lanes = record.lanes
    groups: tuple[tuple[str, Sequence[records.Geometry | records.Cubic | records.LaneSection]], ...] = (
        ("geometry", record.geometries),
        ("elevation", record.elevations),
        ("superelevation", lateral.superelevations if lateral else ()),
        ("laneOffset", lanes.offsets if lanes else ()),
        ("laneSection", lanes.sections if lanes else ()),
    )
    for element, group in groups:
        if not group:
            continue
        if abs(group[0].s) > _S_SLACK_M and element in ("geometry", "laneSection"):
            text = f"the first one starts at s={group[0].s:g}, not at 0"
            report.add("error" if group[0].s > 0.05 else "warning", "s-start", group[0].line, element, text, road.id,
                       group[0].s)  # fmt: skip
        for before, after in itertools.pairwise(group):
            if after.s <= before.s:
                kind = (
                    "overlaps the one before: both start" if after.s == before.s else f"starts before s={before.s:g},"
                )
                text = f"{kind} at s={after.s:g}"
                report.add("error", "s-order", after.line, element, text, road.id, after.s)
        for item in group:
            if item.s > road.length + 1e-3:
                text = f"starts {item.s - road.length:.3f} m behind the road's end at s={road.length:g}"
                report.add("warning", "s-range", item.line, element, text, road.id, item.s)


def _plan(road: RoadGeometry, report: Report) -> None:
    lines = {geometry.s: geometry.line for geometry in road.record.geometries}
    limit = _speed_m_s(road)
    for before, after in itertools.pairwise(road.plan.pieces):
        line, s = lines.get(after.s), after.s
        over = before.s + before.length - after.s
        if abs(over) > GAP_M:
            what = f"overlaps the one before by {over:.3f} m" if over > 0 else f"starts {-over:.3f} m after its end"
            report.add("warning", "s-order", line, "geometry", f"{what} in s", road.id, s)
        end = before.at(np.array([before.length]))
        start = after.at(np.array([0.0]))
        gap = math.hypot(float(start.x[0] - end.x[0]), float(start.y[0] - end.y[0]))
        if gap > GAP_M:
            severity = "error" if gap > GAP_WRONG_M else "warning"
            report.add(severity, "plan-gap", line, "geometry", f"gap of {gap:.3f} m in the plan view", road.id, s)
        kink = abs(math.remainder(float(start.heading[0] - end.heading[0]), 2.0 * math.pi))
        if kink > KINK_RAD:
            severity = "error" if kink > KINK_WRONG_RAD else "warning"
            text = f"kink of {math.degrees(kink):.2f} degrees in the plan view"
            report.add(severity, "plan-kink", line, "geometry", text, road.id, s)
        jump = abs(float(start.curvature[0] - end.curvature[0]))
        if limit is not None and jump * limit**2 > JERK_STEP_M_S2:
            text = f"curvature jumps by {jump:.4f} 1/m: {jump * limit**2:.1f} m/s^2 at {limit * 3.6:.0f} km/h"
            report.add("note", "curvature-jump", line, "geometry", text, road.id, s)


def _speed_m_s(road: RoadGeometry) -> float | None:
    """Return the highest speed limit of the road's types."""
    factors = {"m/s": 1.0, "km/h": 1.0 / 3.6, "mph": 0.44704, "": 1.0}
    found = []
    for kind in road.record.types:
        if kind.speed is not None:
            try:
                found.append(float(kind.speed.max_) * factors.get(kind.speed.unit, 1.0))
            except ValueError:  # "no limit", "undefined"
                continue
    return max((speed for speed in found if math.isfinite(speed)), default=None)


def _heights(road: RoadGeometry, report: Report) -> None:
    lateral = road.record.lateral
    _steps(road, "elevation", road.record.elevations, road.elevation, STEP_M, STEP_WRONG_M, SLOPE_KINK, report)
    if lateral:
        given = lateral.superelevations
        _steps(road, "superelevation", given, road.superelevation, STEP_RAD, 0.1, math.inf, report)
    offsets = road.record.lanes.offsets if road.record.lanes else ()
    _steps(road, "laneOffset", offsets, road.lane_offset, STEP_M, 1.0, 0.2, report)
    s = np.unique(np.concatenate([road.breaks(), np.linspace(0.0, road.length, 25)]))
    slope = road.elevation.jet(s).slope
    worst = int(np.argmax(np.abs(slope)))
    if abs(slope[worst]) > STEEPEST:
        line = road.record.elevations[0].line if road.record.elevations else road.record.line
        text = f"the road is {abs(slope[worst]) * 100:.0f} % steep"
        report.add("warning", "steep", line, "elevation", text, road.id, float(s[worst]))


def _steps(
    road: RoadGeometry,
    element: str,
    given: Sequence[records.Cubic],
    function: PiecewiseCubic,
    odd: float,
    wrong: float,
    kink: float,
    report: Report,
) -> None:
    """Compare the end of each record of a function of s with the start of the next."""
    unit = "rad" if element == "superelevation" else "m"
    ordered = sorted(given, key=lambda r: r.s)
    for before, after in itertools.pairwise(ordered):
        ds = after.s - before.s
        if ds <= 0.0 or after.s >= road.length:
            continue
        end = before.a + ds * (before.b + ds * (before.c + ds * before.d))
        step = abs(after.a - end)
        if step > odd:
            severity = "error" if step > wrong else "warning"
            text = f"step of {step:.3f} {unit} in {element}"
            report.add(severity, f"{element}-step", after.line, element, text, road.id, after.s)
        bend = abs(after.b - (before.b + ds * (2.0 * before.c + 3.0 * ds * before.d)))
        if bend > kink:
            text = f"slope changes by {bend * 100:.1f} % at one place"
            report.add("warning", f"{element}-kink", after.line, element, text, road.id, after.s)
    if len(function) and function.starts[0] > _S_SLACK_M and abs(ordered[0].a) > odd:
        text = f"nothing holds before s={ordered[0].s:g}; then it jumps to {ordered[0].a:g} {unit}"
        report.add("warning", f"{element}-step", ordered[0].line, element, text, road.id, ordered[0].s)


def _folds(road: RoadGeometry, report: Report) -> None:
    """Report where a lane lies beyond the centre of curvature: its surface is folded over."""
    for section in road.sections:
        if not section.lanes or section.end <= section.start:
            continue
        count = min(max(int((section.end - section.start) / 2.0), 2), 500)
        s = np.linspace(section.start, section.end, count + 1)
        edges = road.boundaries(s, section)
        curvature = road.plan.at(s).curvature
        reach = np.where(curvature > 0.0, edges[-1], edges[0]) * curvature
        worst = int(np.argmax(reach))
        if reach[worst] > 1.001:
            radius = 1.0 / abs(float(curvature[worst]))
            record = section.lanes[-1 if curvature[worst] > 0 else 0].record
            text = (
                f"lane {record.id} reaches over the centre of the bend (radius {radius:.2f} m): its surface is folded"
            )
            severity = "warning" if record.type_ in DRIVING_TYPES else "note"
            report.add(severity, "fold", record.line, "lane", text, road.id, float(s[worst]))

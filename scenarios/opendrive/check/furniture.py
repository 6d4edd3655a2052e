"""Signals, objects and controllers: places on their roads, references, validities, dependencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive.check.findings import Report
from scenarios.opendrive.fields import Record
from scenarios.opendrive.road import RoadGeometry

_SLACK_M = 0.01


def check_furniture(document: furniture.Document, roads: Mapping[str, RoadGeometry], report: Report) -> None:
    """Look at what stands beside and hangs over the roads."""
    signals = {signal.id for road in document.roads for signal in road.signals}
    objects = {item.id for road in document.roads for item in road.objects}
    controllers = {controller.id for controller in document.controllers}
    for record in document.roads:
        road = roads.get(record.id)
        for signal in record.signals:
            _place(record, "signal", signal.id, signal, signal.s, report)
            _validities(road, signal.id, "signal", signal.validities, signal.s, report)
            for dependency in signal.dependencies:
                if dependency.id not in signals | controllers:
                    text = f"signal '{signal.id}' depends on signal '{dependency.id}', which does not exist"
                    report.add("error", "unknown-signal", dependency.line, "dependency", text, record.id, signal.s)
            for link in signal.references:
                known = {"signal": signals, "object": objects}.get(link.element_type)
                if known is not None and link.element_id not in known:
                    text = f"{link.element_type} '{link.element_id}' does not exist"
                    report.add("error", f"unknown-{link.element_type}", link.line, "reference", text, record.id)
            where = signal.position_road
            if where is not None and where.road_id not in {other.id for other in document.roads}:
                text = f"road '{where.road_id}' does not exist"
                report.add("error", "unknown-road", where.line, "positionRoad", text, record.id)
        for reference in record.signal_references:
            _place(record, "signalReference", reference.id, reference, reference.s, report)
            _validities(road, reference.id, "signalReference", reference.validities, reference.s, report)
            if reference.id not in signals:
                text = f"signal '{reference.id}' does not exist"
                report.add("error", "unknown-signal", reference.line, "signalReference", text, record.id, reference.s)
        for item in record.objects:
            _object(record, road, item, report)
        for item_reference in record.object_references:
            if item_reference.id not in objects:
                text = f"object '{item_reference.id}' does not exist"
                report.add("error", "unknown-object", item_reference.line, "objectReference", text, record.id)
        for element, stretches in (("tunnel", record.tunnels), ("bridge", record.bridges)):
            for stretch in stretches:
                _place(record, element, stretch.id, stretch, stretch.s, report)
                if stretch.s + stretch.length > record.length + _SLACK_M:
                    text = (
                        f"'{stretch.id}' ends {stretch.s + stretch.length - record.length:.2f} m behind the road's end"
                    )
                    report.add("warning", "s-range", stretch.line, element, text, record.id, stretch.s)
    for controller in document.controllers:
        if not controller.controls:
            text = f"controller '{controller.id}' controls nothing"
            report.add("warning", "no-control", controller.line, "controller", text)
        for control in controller.controls:
            if control.signal_id not in signals:
                text = f"signal '{control.signal_id}' does not exist"
                report.add("error", "unknown-signal", control.line, "control", text)


def _object(record: furniture.Road, road: RoadGeometry | None, item: furniture.RoadObject, report: Report) -> None:
    _place(record, "object", item.id, item, item.s, report)
    _validities(road, item.id, "object", item.validities, item.s, report)
    for repeat in item.repeats:
        if repeat.s + repeat.length > record.length + 1.0:
            text = f"of object '{item.id}' ends {repeat.s + repeat.length - record.length:.2f} m behind the road's end"
            report.add("warning", "s-range", repeat.line, "repeat", text, record.id, repeat.s)
    outlines = [*item.outlines, *([item.outline] if item.outline else [])]
    corners = {corner.id for outline in outlines for corner in outline.corners_road}
    corners |= {corner.id for outline in outlines for corner in outline.corners_local}
    for outline in outlines:
        count = len(outline.corners_road) + len(outline.corners_local)
        if count < 2:
            text = f"of object '{item.id}' has {count} corners"
            report.add("warning", "outline", outline.line, "outline", text, record.id, item.s)
        if outline.corners_road and outline.corners_local:
            text = f"of object '{item.id}' mixes cornerRoad and cornerLocal"
            report.add("warning", "outline", outline.line, "outline", text, record.id, item.s)
    for marking in item.markings:
        for corner in marking.corners:
            if corner.id not in corners:
                text = f"object '{item.id}' has no corner '{corner.id}'"
                report.add("error", "unknown-corner", corner.line, "cornerReference", text, record.id, item.s)


def _place(road: furniture.Road, element: str, name: str, item: Record, s: float, report: Report) -> None:
    if not -_SLACK_M <= s <= road.length + _SLACK_M:
        text = f"'{name}' lies at s={s:g}, outside of the road's 0 to {road.length:g}"
        report.add("warning", "s-range", item.line, element, text, road.id, s)


def _validities(
    road: RoadGeometry | None, name: str, element: str, validities: Sequence[furniture.Validity], s: float,
    report: Report,
) -> None:  # fmt: skip
    """Report validities that fit no lane at ``s``."""
    if road is None:
        return
    section = road.section_at(float(np.clip(s, 0.0, road.length)))
    ids = {*section.lane_ids, 0}
    for validity in validities:
        low, high = sorted((validity.from_lane, validity.to_lane))
        if validity.from_lane > validity.to_lane:
            text = f"of {element} '{name}': fromLane {validity.from_lane} is greater than toLane {validity.to_lane}"
            report.add("note", "validity", validity.line, "validity", text, road.id, s)
        if not any(low <= lane <= high for lane in ids):
            text = f"{element} '{name}' is valid for lanes {low} to {high}; there is none of them"
            report.add("warning", "validity", validity.line, "validity", text, road.id, s)

"""Junctions: connections, their lane links and where they lead, priorities, controllers, groups."""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive.check.findings import Report
from scenarios.opendrive.check.links import ends
from scenarios.opendrive.check.touching import report_meeting
from scenarios.opendrive.road import RoadGeometry
from scenarios.opendrive.values import DRIVING_TYPES


def check_junctions(document: furniture.Document, roads: Mapping[str, RoadGeometry], report: Report) -> None:
    """Look at all junctions of a file."""
    records = {record.id: record for record in reversed(document.roads)}
    controllers = {controller.id for controller in document.controllers}
    for junction in document.junctions:
        if not junction.connections and junction.type_ != "crossing":
            report.add(
                "warning", "no-connection", junction.line, "junction", f"junction '{junction.id}' connects nothing"
            )
        for connection in junction.connections:
            _connection(junction, connection, records, roads, report)
        for priority in junction.priorities:
            for name in (priority.high, priority.low):
                if name and name not in records:
                    report.add("error", "unknown-road", priority.line, "priority", f"road '{name}' does not exist")
        for controller in junction.controllers:
            if controller.id not in controllers:
                text = f"controller '{controller.id}' does not exist"
                report.add("error", "unknown-controller", controller.line, "controller", text)
        if junction.type_ in ("default", "") and junction.connections:
            _dead_ends(junction, document, roads, report)
    known = {junction.id for junction in document.junctions}
    for group in document.junction_groups:
        for reference in group.references:
            if reference.junction not in known:
                text = f"junction '{reference.junction}' does not exist"
                report.add("error", "unknown-junction", reference.line, "junctionReference", text)
    _unused(document, report)


def _connection(
    junction: furniture.Junction, connection: furniture.Connection, records: Mapping[str, furniture.Road],
    roads: Mapping[str, RoadGeometry], report: Report,
) -> None:  # fmt: skip
    name = f"connection '{connection.id}' of junction '{junction.id}'"
    virtual = junction.type_ == "virtual"
    if virtual and not connection.incoming_road:
        return
    target_id = connection.linked_road or connection.connecting_road
    missing = False
    for attribute, road_id in (
        ("incomingRoad", connection.incoming_road),
        ("linkedRoad" if connection.linked_road else "connectingRoad", target_id),
    ):
        if road_id not in records:
            missing = True
            text = f"{name}: {attribute} '{road_id}' does not exist"
            report.add("error", "unknown-road", connection.line, "connection", text)
    if missing:
        return
    target = records[target_id]
    if junction.type_ == "default" and target.junction != junction.id:
        text = f"{name}: connecting road '{target_id}' says it belongs to junction '{target.junction}'"
        report.add("error", "connection", connection.line, "connection", text, target_id)
    if not connection.lane_links:
        report.add("warning", "no-lane-link", connection.line, "connection", f"{name} has no <laneLink>", target_id)
    at = [at_end for end, at_end in ends(records[connection.incoming_road])
          if end.element_type == "junction" and end.element_id == junction.id]  # fmt: skip
    if not at and not (virtual and connection.incoming_road == junction.main_road):
        text = f"{name}: incoming road '{connection.incoming_road}' is not linked to the junction"
        report.add("warning", "one-sided-link", connection.line, "connection", text, connection.incoming_road)
    if junction.type_ == "default":
        far = connection.contact_point == "start"
        if not any(at_end == far for _, at_end in ends(target)):
            text = f"{name} leads nowhere: road '{target_id}' has no {'successor' if far else 'predecessor'}"
            report.add("error", "leads-nowhere", connection.line, "connection", text, target_id)
    incoming, geometry = roads.get(connection.incoming_road), roads.get(target_id)
    if incoming is None or geometry is None or len(at) != 1 or not connection.contact_point:
        if not connection.contact_point and not virtual:
            report.add("warning", "contact-point", connection.line, "connection", f"{name} has no contactPoint")
        return
    _lane_links(connection, name, incoming, at[0], geometry, report)


def _lane_links(
    connection: furniture.Connection, name: str, incoming: RoadGeometry, at_end: bool, target: RoadGeometry,
    report: Report,
) -> None:  # fmt: skip
    target_end = connection.contact_point == "end"
    section, other = incoming.sections[-1 if at_end else 0], target.sections[-1 if target_end else 0]
    for link in connection.lane_links:
        if link.from_ == 0 or link.to == 0:
            continue
        wrong = False
        for road, where, lane_id, attribute in (
            (incoming, section, link.from_, "from"), (target, other, link.to, "to"),
        ):  # fmt: skip
            if not where.has(lane_id):
                wrong = True
                text = f"{name}: {attribute}='{lane_id}', but road '{road.id}' has no such lane there"
                report.add("error", "lane-link", link.line, "laneLink", text, target.id)
        if wrong:
            continue
        report_meeting(incoming, section, link.from_, at_end, target, other, link.to, target_end, report,
                       link.line, "laneLink")  # fmt: skip
        lane = other.lane(link.to)
        # The other end of the connecting lane must lead on; only a one-section road tells from this lane's links.
        if len(target.sections) == 1 and lane.type in DRIVING_TYPES and target.junction:
            onward = lane.record.link
            found = () if onward is None else (onward.predecessors if target_end else onward.successors)
            if not found:
                text = f"{name} leads nowhere: lane {link.to} of road '{target.id}' has no lane to go on to"
                report.add("warning", "leads-nowhere", link.line, "laneLink", text, target.id)


def _dead_ends(
    junction: furniture.Junction, document: furniture.Document, roads: Mapping[str, RoadGeometry], report: Report
) -> None:
    """Report driving lanes that lead into a junction and are in none of its connections."""
    taken: set[tuple[str, int]] = set()
    for connection in junction.connections:
        taken |= {(connection.incoming_road, link.from_) for link in connection.lane_links}
    for record in document.roads:
        road = roads.get(record.id)
        at = [at_end for end, at_end in ends(record)
              if end.element_type == "junction" and end.element_id == junction.id]  # fmt: skip
        if road is None or len(at) != 1 or road.junction == junction.id:
            continue
        section = road.sections[-1 if at[0] else 0]
        for lane in section.lanes:
            leads_in = road.drives_forward(lane.id, section.index) == at[0]
            if lane.type in DRIVING_TYPES and leads_in and (road.id, lane.id) not in taken:
                text = f"lane {lane.id} leads into junction '{junction.id}' and no connection takes it on"
                report.add("warning", "leads-nowhere", lane.record.line, "lane", text, road.id,
                           road.length if at[0] else 0.0)  # fmt: skip


def _unused(document: furniture.Document, report: Report) -> None:
    """Report connecting roads that no connection of their junction names."""
    named = {
        (junction.id, road_id)
        for junction in document.junctions
        for connection in junction.connections
        for road_id in (connection.connecting_road, connection.linked_road)
    }
    kinds = {junction.id: junction.type_ for junction in document.junctions}
    for record in document.roads:
        if kinds.get(record.junction) == "default" and (record.junction, record.id) not in named:
            text = f"belongs to junction '{record.junction}', of which no connection names it"
            report.add("warning", "connection", record.line, "road", text, record.id)

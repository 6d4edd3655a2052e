"""Which lane touches which: lane links, road links and junction connections put together."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping

import numpy as np

from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive import records
from scenarios.opendrive.errors import Diagnostic, OpenDriveError
from scenarios.opendrive.road import RoadGeometry
from scenarios.opendrive.values import DRIVING_TYPES, LaneKey, LanePosition

LANE_CHANGE_COST_M = 10.0
"""What a lane change costs a route, in metres of detour."""

_End = tuple[LaneKey, bool]  # a lane's end: True at its greatest s, False at its least


class LaneGraph:
    """The contacts of lane ends, and routes over them.

    A contact has no direction; which way it is driven follows from the lanes' directions of traffic. So files
    that name a link from one side only are understood as well.

    Raises:
        OpenDriveError: a link names a road or junction that does not exist.
    """

    def __init__(
        self,
        roads: Mapping[str, RoadGeometry],
        junctions: Mapping[str, furniture.Junction],
        file: str,
        diagnostics: list[Diagnostic],
    ) -> None:
        self._roads, self._junctions, self._file, self._diagnostics = roads, junctions, file, diagnostics
        self._contacts: dict[_End, dict[_End, None]] = {}
        self._branches: dict[LaneKey, dict[LaneKey, None]] = {}
        self._merges: dict[LaneKey, dict[LaneKey, None]] = {}
        for road in roads.values():
            self._within(road)
            self._check_link(road)
            self._between(road)
        for junction in junctions.values():
            for connection in junction.connections:
                self._connect(junction, connection)

    def successors(self, key: LaneKey) -> list[LaneKey]:
        """Return the lanes traffic goes on to from ``key``, in a stable order."""
        found = dict.fromkeys(self._next(key))
        found.update(self._branches.get(key, {}))
        return list(found)

    def predecessors(self, key: LaneKey) -> list[LaneKey]:
        """Return the lanes traffic comes from into ``key``, in a stable order."""
        found: dict[LaneKey, None] = {}
        for exit_end in self._exits(key):
            for other, other_end in self._contacts.get((key, not exit_end), ()):
                if other_end in self._exits(other):
                    found[other] = None
        found.update(self._merges.get(key, {}))
        return list(found)

    def route(self, start: LanePosition, end: LanePosition) -> list[LaneKey]:
        """Return the cheapest chain of lanes; see ``RoadNetwork.route``."""
        forward = self._forward(start.key)
        ahead = end.s >= start.s if forward else end.s <= start.s
        if start.key == end.key and ahead:
            return [start.key]
        tickets = 0
        queue: list[tuple[float, int, LaneKey, tuple[LaneKey, ...]]] = [(0.0, tickets, start.key, ())]
        settled: set[LaneKey] = set()
        while queue:
            cost, _, key, before = heapq.heappop(queue)
            if key in settled:
                continue
            first = key == start.key and not before
            if not first:
                settled.add(key)
                if key == end.key:
                    return [*before, key]
            chain = (*before, key)
            section = self._roads[key.road_id].sections[key.section]
            length = section.end - section.start
            if first:
                length = section.end - start.s if forward else start.s - section.start
            steps = [(other, max(length, 0.0)) for other in self.successors(key)]
            steps += [(other, LANE_CHANGE_COST_M) for other in self._side_by_side(key)]
            for other, price in steps:
                if other not in settled:
                    tickets += 1
                    heapq.heappush(queue, (cost + price, tickets, other, chain))
        raise OpenDriveError(
            f"no way from lane {start.lane_id} of road '{start.road_id}' to lane {end.lane_id} of road '{end.road_id}'",
            file=self._file,
            remedy="is the target against the direction of traffic, or are lane links missing?",
        )

    def _next(self, key: LaneKey) -> Iterator[LaneKey]:
        for exit_end in self._exits(key):
            for other, other_end in self._contacts.get((key, exit_end), ()):
                if (not other_end) in self._exits(other):
                    yield other

    def _exits(self, key: LaneKey) -> tuple[bool, ...]:
        """Return the ends at which traffic leaves a lane: one, or both if it goes both ways."""
        lane = self._roads[key.road_id].sections[key.section].lane(key.lane_id)
        if lane.type == "bidirectional" or lane.record.direction == "both":
            return (True, False)
        return (self._forward(key),)

    def _forward(self, key: LaneKey) -> bool:
        return self._roads[key.road_id].drives_forward(key.lane_id, key.section)

    def _side_by_side(self, key: LaneKey) -> Iterator[LaneKey]:
        """Yield the neighbouring driving lanes with the same direction of traffic."""
        section = self._roads[key.road_id].sections[key.section]
        rank = section.lane_ids.index(key.lane_id)
        for other in section.lanes[max(rank - 1, 0) : rank] + section.lanes[rank + 1 : rank + 2]:
            candidate = LaneKey(key.road_id, key.section, other.id)
            if other.type in DRIVING_TYPES and self._forward(candidate) == self._forward(key):
                yield candidate

    def _touch(self, one: _End, other: _End) -> None:
        self._contacts.setdefault(one, {})[other] = None
        self._contacts.setdefault(other, {})[one] = None

    def _within(self, road: RoadGeometry) -> None:
        """Join the lanes of consecutive sections."""
        for before, after in zip(road.sections, road.sections[1:]):
            for lane in before.lanes:
                for target in _ids(lane.record, successor=True):
                    self._join(road, before.index, lane.record, True, road, after.index, target, False)
            for lane in after.lanes:
                for target in _ids(lane.record, successor=False):
                    self._join(road, after.index, lane.record, False, road, before.index, target, True)

    def _check_link(self, road: RoadGeometry) -> None:
        link = road.record.link
        for end in (link.predecessor, link.successor) if link else ():
            if end is None:
                continue
            known: Mapping[str, object] = self._roads if end.element_type == "road" else self._junctions
            if end.element_id not in known:
                # Maps cut out of larger ones have such links; the road ends here for whoever drives on it.
                text = f"road '{road.id}' is linked to {end.element_type} '{end.element_id}', which does not exist"
                self._diagnostics.append(Diagnostic(end.line, "link", text + "; the road ends there"))
        if road.junction and road.junction not in self._junctions:
            text = f"road '{road.id}' belongs to junction '{road.junction}', which does not exist"
            self._diagnostics.append(Diagnostic(road.record.line, "road", text))

    def _between(self, road: RoadGeometry) -> None:
        """Join the lanes of linked roads, by both roads' lane links."""
        link = road.record.link
        if link is None:
            return
        for end, at_end in ((link.predecessor, False), (link.successor, True)):
            if end is None or end.element_type != "road" or end.element_id not in self._roads:
                continue
            other = self._roads[end.element_id]
            section = road.sections[-1 if at_end else 0]
            if end.element_s is not None:
                self._join_virtual(road, section.index, at_end, other, end)
                continue
            other_end = self._contact_end(end.contact_point, road, at_end, other)
            target = other.sections[-1 if other_end else 0]
            for lane in section.lanes:
                for lane_id in _ids(lane.record, successor=at_end):
                    self._join(road, section.index, lane.record, at_end, other, target.index, lane_id, other_end)

    def _join_virtual(
        self, road: RoadGeometry, section: int, at_end: bool, main: RoadGeometry, end: records.RoadEnd
    ) -> None:
        """Join a connecting road of a virtual junction to the middle of the main road."""
        target = main.section_at(float(end.element_s or 0.0))
        for lane in road.sections[section].lanes:
            for lane_id in _ids(lane.record, successor=at_end):
                if not target.has(lane_id):
                    self._missing(lane.record, road, lane_id, main)
                    continue
                here, there = LaneKey(road.id, section, lane.id), LaneKey(main.id, target.index, lane_id)
                source, sink = (here, there) if at_end == self._forward(here) else (there, here)
                self._branches.setdefault(source, {})[sink] = None
                self._merges.setdefault(sink, {})[source] = None

    def _connect(self, junction: furniture.Junction, connection: furniture.Connection) -> None:
        """Join the lanes of a junction's connection."""
        if junction.type_ == "virtual" and not connection.incoming_road:
            return
        target_id = connection.linked_road or connection.connecting_road
        for attribute, road_id in (("incomingRoad", connection.incoming_road), ("connectingRoad", target_id)):
            if road_id not in self._roads:
                raise OpenDriveError(
                    f"connection '{connection.id}' of junction '{junction.id}': {attribute} '{road_id}' does not exist",
                    file=self._file,
                    line=connection.line,
                    element="connection",
                    remedy="correct the road id or remove the connection",
                )
        incoming, target = self._roads[connection.incoming_road], self._roads[target_id]
        if junction.type_ == "virtual" and incoming.id == junction.main_road:
            return  # the connecting road's own link says where it leaves the main road
        in_end = self._end_at_junction(incoming, junction.id, target)
        target_end = self._contact_end(connection.contact_point, incoming, in_end, target)
        section, other = incoming.sections[-1 if in_end else 0], target.sections[-1 if target_end else 0]
        for lane_link in connection.lane_links:
            if lane_link.from_ == 0 or lane_link.to == 0:
                continue
            if not section.has(lane_link.from_):
                self._missing(lane_link, target, lane_link.from_, incoming)
                continue
            record = section.lane(lane_link.from_).record
            self._join(incoming, section.index, record, in_end, target, other.index, lane_link.to, target_end)

    def _join(
        self,
        road: RoadGeometry,
        section: int,
        record: records.Lane,
        at_end: bool,
        other: RoadGeometry,
        other_section: int,
        lane_id: int,
        other_end: bool,
    ) -> None:
        """Note that two lane ends touch, unless the linked lane does not exist."""
        if lane_id == 0 or record.id == 0:
            return
        if not other.sections[other_section].has(lane_id):
            self._missing(record, road, lane_id, other)
            return
        self._touch(
            (LaneKey(road.id, section, record.id), at_end), (LaneKey(other.id, other_section, lane_id), other_end)
        )

    def _missing(self, record: records.Record, road: RoadGeometry, lane_id: int, other: RoadGeometry) -> None:
        text = f"road '{road.id}' is linked to lane {lane_id} of road '{other.id}', which has no such lane there"
        self._diagnostics.append(Diagnostic(record.line, "link", f"{text}; left out"))

    def _end_at_junction(self, road: RoadGeometry, junction_id: str, target: RoadGeometry) -> bool:
        """Return the end of an incoming road (True: greatest s) that lies at a junction."""
        link = road.record.link
        at = [
            end is not None and end.element_type == "junction" and end.element_id == junction_id
            for end in ((link.predecessor, link.successor) if link else (None, None))
        ]
        if at[0] != at[1]:
            return at[1]
        return _nearest_ends(road, target)[0]

    def _contact_end(self, contact: str, road: RoadGeometry, at_end: bool, other: RoadGeometry) -> bool:
        """Return the end of ``other`` that is touched: as the file says, else the nearest."""
        if contact:
            return contact == "end"
        here = _end_points(road)[int(at_end)]
        start, end = (math.dist(here, point) for point in _end_points(other))
        return end < start


def _ids(lane: records.Lane, *, successor: bool) -> list[int]:
    if lane.link is None:
        return []
    return [link.id for link in (lane.link.successors if successor else lane.link.predecessors)]


def _end_points(road: RoadGeometry) -> list[tuple[float, float]]:
    plan = road.plan.at(np.array([0.0, road.length]))
    return [(float(x), float(y)) for x, y in zip(plan.x, plan.y)]


def _nearest_ends(road: RoadGeometry, other: RoadGeometry) -> tuple[bool, bool]:
    """Return which ends (True: greatest s) of two roads are nearest to each other."""
    pairs = [
        (math.dist(a, b), bool(i), bool(k))
        for i, a in enumerate(_end_points(road))
        for k, b in enumerate(_end_points(other))
    ]
    return min(pairs)[1:]

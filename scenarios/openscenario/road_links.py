"""Which roads lead to which, lanes aside: ways and distances over whole roads."""

from __future__ import annotations

import heapq
from functools import lru_cache

from scenarios.opendrive import LaneKey, RoadNetwork

SEARCH_M = 5000.0
"""How far along the roads a distance is looked for."""


class RoadLinks:
    """Roads and how they are joined. Pure: holds nothing but the network and what follows from it.

    Attributes:
        exits: of a road and a direction (+1 with s), the (road, direction) some lane leads to, with or against its
            traffic.
        gap: of a road, a direction and a target road, (metres of the roads in between, direction on the target road) of
            the shortest way, None when there is none of at most 5 km.
    """

    def __init__(self, network: RoadNetwork) -> None:
        self.network = network
        self.exits = lru_cache(maxsize=None)(self._find_exits)
        self.gap = lru_cache(maxsize=256)(self._find_gap)

    def way(self, start: str, end: str) -> list[tuple[str, int]]:
        """Return the shortest way over roads, lanes aside, as (road, direction) each; empty when there is none."""
        queue: list[tuple[float, tuple[tuple[str, int], ...]]] = [(0.0, ((start, way),)) for way in (1, -1)]
        done: set[tuple[str, int]] = set()
        while queue:
            metres, way = heapq.heappop(queue)
            if way[-1][0] == end and len(way) > 1:
                return list(way)
            if way[-1] in done:
                continue
            done.add(way[-1])
            for exit_ in self.exits(*way[-1]):
                heapq.heappush(queue, (metres + self.network.roads[exit_[0]].length, (*way, exit_)))
        return []

    def _find_gap(self, road_id: str, direction: int, target: str) -> tuple[float, int] | None:
        """Return (metres of the roads in between, direction on the target road) of the shortest way to a road."""
        queue: list[tuple[float, str, int]] = [(0.0, road_id, direction)]
        done: set[tuple[str, int]] = set()
        while queue:
            gap, here, way = heapq.heappop(queue)
            if (here, way) in done or gap > SEARCH_M:
                continue
            done.add((here, way))
            for after, its_way in self.exits(here, way):
                if after == target:
                    return gap, its_way
                heapq.heappush(queue, (gap + self.network.roads[after].length, after, its_way))
        return None

    def _find_exits(self, road_id: str, direction: int) -> tuple[tuple[str, int], ...]:
        """Return the (road, direction) that some lane leads to at one end of a road, with or against its traffic."""
        road = self.network.roads[road_id]
        section = road.sections[-1 if direction > 0 else 0]
        found = set()
        for lane in section.lanes:
            key = LaneKey(road_id, section.index, lane.id)
            with_traffic = self.network.lane_drives_forward(road_id, lane.id, section.index) == (direction > 0)
            for k in self.network.successors(key) if with_traffic else self.network.predecessors(key):
                forward = self.network.lane_drives_forward(k.road_id, k.lane_id, k.section)
                if k.road_id != road_id:
                    found.add((k.road_id, 1 if forward == with_traffic else -1))
        return tuple(sorted(found))

"""Ways over the lanes: the standard's route strategies, and ways drawn at random."""

from __future__ import annotations

import heapq

import numpy as np

from scenarios.opendrive import DRIVING_TYPES, LaneKey, LanePosition, OpenDriveError, RoadNetwork

STRATEGIES = ("fastest", "leastIntersections", "random", "shortest")
LANE_CHANGE_M = 2.0
"""What a change of lane costs, so that it is not done for nothing."""
INTERSECTION_M = 1e5
"""What a junction costs when intersections are avoided: more than any way round it."""
DEFAULT_LIMIT_KMH = 50.0
FASTEST_KMH = 130.0


def find_way(
    network: RoadNetwork, start: LanePosition, end: LanePosition, strategy: str, rng: np.random.Generator | None = None
) -> list[LaneKey]:
    """Return the lanes from start to end, by one of :data:`STRATEGIES`.

    ``fastest`` counts time at the speed limits (50 km/h where none is given), ``leastIntersections`` junction roads
    first and metres second, ``random`` metres times a weight in [0.1, 10] drawn for each road from ``rng``.

    Raises:
        OpenDriveError: there is no way.
    """
    if strategy == "shortest":
        return network.route(start, end)
    weights: dict[str, float] = {}

    def price(key: LaneKey) -> float:
        length = network.lane_length(key)
        road = network.roads[key.road_id]
        if strategy == "fastest":
            limit = network.speed_limit_kmh(key.road_id, network.lane_range(key)[0], key.lane_id) or DEFAULT_LIMIT_KMH
            return length * FASTEST_KMH / min(limit, FASTEST_KMH)
        if strategy == "leastIntersections":
            return length + (INTERSECTION_M if in_junction(network, road.id) and key.section == 0 else 0.0)
        if rng is None:
            raise ValueError("a random way needs a generator")
        if road.id not in weights:
            weights[road.id] = float(10.0 ** rng.uniform(-1.0, 1.0))
        return length * weights[road.id]

    forward = network.lane_drives_forward(start.road_id, start.lane_id, start.key.section)
    if start.key == end.key and (end.s >= start.s if forward else end.s <= start.s):
        return [start.key]
    queue: list[tuple[float, int, LaneKey, tuple[LaneKey, ...]]] = [(0.0, 0, start.key, ())]
    settled: set[LaneKey] = set()
    tickets = 0
    while queue:
        cost, _, key, before = heapq.heappop(queue)
        if key in settled:
            continue
        if before or key != start.key:
            settled.add(key)
            if key == end.key:
                return [*before, key]
        steps = [(other, price(key)) for other in network.successors(key)]
        steps += [(other, LANE_CHANGE_M) for other in beside(network, key)]
        for other, extra in steps:
            if other not in settled:
                tickets += 1
                heapq.heappush(queue, (cost + extra, tickets, other, (*before, key)))
    raise OpenDriveError(f"no way from road '{start.road_id}' to road '{end.road_id}'", file=network.file)


def beside(network: RoadNetwork, key: LaneKey) -> list[LaneKey]:
    """Return the neighbouring lanes on which traffic goes the same way."""
    forward = network.lane_drives_forward(key.road_id, key.lane_id, key.section)
    s = network.lane_range(key)[0] + 1e-6
    return [
        k
        for k in network.neighbours(key)
        if k is not None
        and network.lane_drives_forward(k.road_id, k.lane_id, k.section) == forward
        and network.lane_type(k.road_id, k.lane_id, s) in DRIVING_TYPES
    ]


def in_junction(network: RoadNetwork, road_id: str) -> bool:
    """Return whether a road is a connecting road of a junction."""
    return str(network.roads[road_id].record.junction) not in ("-1", "", "None")


def wander(network: RoadNetwork, start: LaneKey, length_m: float, rng: np.random.Generator) -> list[LaneKey]:
    """Return lanes from ``start`` on, at least ``length_m`` metres of them, every fork decided by lot.

    It ends sooner where the roads do.
    """
    chain, done = [start], 0.0
    while done < length_m:
        exits = sorted(network.successors(chain[-1]), key=lambda k: (k.road_id, k.section, k.lane_id))
        if not exits:
            break
        chain.append(exits[int(rng.integers(len(exits)))])
        done += network.lane_length(chain[-1])
    return chain

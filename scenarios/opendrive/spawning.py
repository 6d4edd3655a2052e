"""Places where vehicles can be put: on driving lanes outside junctions."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial import KDTree

from scenarios.opendrive.network import RoadNetwork
from scenarios.opendrive.road import RoadGeometry
from scenarios.opendrive.values import LaneKey, Pose

END_CLEARANCE_M = 5.0
SPACING_M = 25.0
CLOSEST_M = 10.0
NARROWEST_M = 2.2
"""Lanes narrower than this have no room for a car."""
_TYPES = frozenset({"driving", "entry", "exit", "onRamp", "offRamp", "slipLane", "connectingRamp", "bidirectional"})


def spawn_points(network: RoadNetwork) -> list[Pose]:
    """Return poses on lane centres, headed with the traffic, on the surface (the consumer lifts them).

    On each driving lane outside junctions: 5 m after its start, then every 25 m, never nearer than 5 m to its end
    and 10 m to another on the same lane. A lane runs through all sections of a road that its links join. Roads
    shorter than 10 m, and places where the lane is narrower than 2.2 m, get none.
    """
    found: list[Pose] = []
    for road in network.roads.values():
        if road.junction:
            continue
        for chain in _chains(network, road):
            found += _along(network, road, chain)
    return _apart(found)


def _apart(poses: list[Pose]) -> list[Pose]:
    """Return the poses without those that lie within another's car: roads may run into one another."""
    if len(poses) < 2:
        return poses
    tree = KDTree(np.array([pose[:3] for pose in poses]))
    dropped: set[int] = set()
    for first, second in sorted(tree.query_pairs(NARROWEST_M)):
        if first not in dropped:
            dropped.add(second)
    return [pose for i, pose in enumerate(poses) if i not in dropped]


def _chains(network: RoadNetwork, road: RoadGeometry) -> list[list[LaneKey]]:
    """Return the road's driving lanes, sections joined, each in the direction of traffic."""
    keys = [
        LaneKey(road.id, section.index, lane.id)
        for section in road.sections
        for lane in section.lanes
        if lane.type in _TYPES
    ]
    free = dict.fromkeys(keys)
    starts = [key for key in keys if not any(before in free for before in network.predecessors(key))]
    chains = []
    for start in [*starts, *keys]:
        chain = []
        key: LaneKey | None = start
        while key is not None and key in free:
            del free[key]
            chain.append(key)
            key = next((k for k in network.successors(key) if k in free and k.road_id == road.id), None)
        if chain:
            chains.append(chain)
    return chains


def _along(network: RoadNetwork, road: RoadGeometry, chain: list[LaneKey]) -> list[Pose]:
    """Return the poses on one chain of lane sections."""
    ends = [network.lane_range(key) for key in chain]
    lengths = [end - start for start, end in ends]
    total = sum(lengths)
    if total < 2.0 * END_CLEARANCE_M:
        return []
    free = total - 2.0 * END_CLEARANCE_M
    count = int(free // SPACING_M) + 1
    places = END_CLEARANCE_M + SPACING_M * np.arange(count)
    if total - END_CLEARANCE_M - places[-1] >= CLOSEST_M + 5.0:
        places = np.append(places, total - END_CLEARANCE_M)
    found = []
    for place in places:
        rest = float(place)
        for key, (start, end), length in zip(chain, ends, lengths):
            if rest <= length or key == chain[-1]:
                forward = network.lane_drives_forward(key.road_id, key.lane_id, key.section)
                s = np.array([start + rest if forward else end - rest])
                if float(network.lane_widths(key, s)[0]) >= NARROWEST_M:
                    found.append(_pose(network, key, s, forward=forward))
                break
            rest -= length
    return found


def _pose(network: RoadNetwork, key: LaneKey, s: np.ndarray, *, forward: bool) -> Pose:
    x, y, z, heading, pitch, roll = (float(column[0]) for column in network.lane_poses(key, s))
    if forward:
        return Pose(x, y, z, heading, pitch, roll)
    return Pose(x, y, z, math.remainder(heading + math.pi, 2.0 * math.pi), -pitch, -roll)

"""Real files: our poses, surfaces and lane graph against the genuine client's (``carla.Map`` needs no server)."""

from __future__ import annotations

import collections
import math
from functools import cache

import numpy as np
import opendrive_samples as samples
import pytest
import shapely

import scenarios.opendrive as opendrive
from foundation.frames import asam_orientation, flip_y
from foundation.ids import Tag

carla = pytest.importorskip("carla")

pytestmark = pytest.mark.skipif(not samples.REAL_FILES, reason="the shared data folder is not here")
files = pytest.mark.parametrize("path", samples.REAL_FILES, ids=lambda p: p.stem)

HEIGHT_M, LATERAL_M = 0.02, 0.01


@cache
def both(path):
    network = opendrive.read(path)
    client = carla.Map(network.name, network.text)
    return network, client, client.generate_waypoints(2.0)


def asam(waypoints):
    """Return (N, 3) locations and (N,) headings of waypoints in ASAM's frame."""
    places = [(w.transform.location.x, w.transform.location.y, w.transform.location.z) for w in waypoints]
    headings = [asam_orientation(0.0, w.transform.rotation.yaw, 0.0)[0] for w in waypoints]
    return flip_y(places), np.array(headings)


def by_lane(network, waypoints):
    """Group waypoints by our lane key."""
    found = collections.defaultdict(list)
    for waypoint in waypoints:
        road = network.roads[str(waypoint.road_id)]
        section = road.section_at(waypoint.s)
        if section.has(waypoint.lane_id):
            found[opendrive.LaneKey(road.id, section.index, waypoint.lane_id)].append(waypoint)
    return found


@files
def test_lane_centres_agree_with_waypoints(path):
    network, _, waypoints = both(path)
    groups = by_lane(network, waypoints)
    assert sum(len(group) for group in groups.values()) == len(waypoints) > 0
    for key, group in groups.items():
        places, headings = asam(group)
        pose = network.lane_poses(key, np.array([w.s for w in group]))
        dx, dy = places[:, 0] - pose.x, places[:, 1] - pose.y
        lateral = -dx * np.sin(pose.heading) + dy * np.cos(pose.heading)
        assert np.abs(places[:, 2] - pose.z).max() < HEIGHT_M, key
        assert np.abs(lateral).max() < LATERAL_M, key
        # Along the lane: paramPoly3 by arc length is taken by s here, by its own length there.
        assert np.abs(dx * np.cos(pose.heading) + dy * np.sin(pose.heading)).max() < 0.05, key
        turn = 0.0 if network.lane_drives_forward(key.road_id, key.lane_id) else math.pi
        assert np.cos(headings - pose.heading - turn).min() > math.cos(math.radians(0.5)), key
        widths = network.lane_widths(key, np.array([w.s for w in group]))
        assert widths == pytest.approx([w.lane_width for w in group], abs=1e-3)


@files
def test_road_surface_carries_every_waypoint(path):
    """The topmost ground at each waypoint is road, at the waypoint's height."""
    network, _, waypoints = both(path)
    ground = [surface for surface in opendrive.surfaces(network) if surface.kind != "kerb"]
    corners = np.concatenate([surface.vertices[surface.triangles] for surface in ground])
    tags = np.concatenate([np.full(len(surface.triangles), surface.tag) for surface in ground])
    places, _ = asam(waypoints)
    tree = shapely.STRtree(shapely.polygons(np.concatenate([corners, corners[:, :1]], axis=1)[:, :, :2]))
    which, triangle = tree.query(shapely.points(places[:, :2]), predicate="dwithin", distance=1e-3)
    assert len(np.unique(which)) == len(places)
    a, b, c = (corners[triangle, i] for i in range(3))
    normal = np.cross(b - a, c - a)
    z = a[:, 2] - ((places[which] - a)[:, :2] * normal[:, :2]).sum(axis=1) / normal[:, 2]
    top = np.full(len(places), -np.inf)
    np.maximum.at(top, which, z)
    assert np.abs(top - places[:, 2]).max() < HEIGHT_M
    # What lies right there, and not a millimetre beside, is road alone.
    _, here = tree.query(shapely.points(places[:, :2]), predicate="intersects")
    assert (tags[here] == Tag.ROADS).all()


@files
def test_client_topology_is_in_the_lane_graph(path):
    network, client, _ = both(path)
    groups = {}
    for start, end in client.get_topology():
        a, b = (str(start.road_id), start.lane_id, start.s), (str(end.road_id), end.lane_id, end.s)
        if a[:2] == b[:2] and path.stem != "circle_300m":
            continue  # a lane that ends: the client gives its own last waypoint
        groups[a, b] = None
    for (road_a, lane_a, s_a), (road_b, lane_b, s_b) in groups:
        starts = [k for k in network.lane_keys() if k[::2] == (road_a, lane_a) and _covers(network, k, s_a)]
        ends = [k for k in network.lane_keys() if k[::2] == (road_b, lane_b) and _covers(network, k, s_b)]
        two_steps = {n for k in starts for m in network.successors(k) for n in (m, *network.successors(m))}
        assert two_steps & set(ends), (road_a, lane_a, road_b, lane_b)


def _covers(network, key, s):
    start, end = network.lane_range(key)
    return start - 1e-3 <= s <= end + 1e-3


@files
def test_linked_lanes_touch(path):
    network, _, _ = both(path)
    if path.stem == "soderleden":
        pytest.skip("its lane -3 is linked to lane -2 beside it")
    for key in network.lane_keys(opendrive.DRIVING_TYPES):
        for other in network.successors(key):
            (start, end), (first, last) = network.lane_range(key), network.lane_range(other)
            leave = end if network.lane_drives_forward(key.road_id, key.lane_id) else start
            enter = first if network.lane_drives_forward(other.road_id, other.lane_id) else last
            a, b = network.lane_poses(key, np.array([leave])), network.lane_poses(other, np.array([enter]))
            assert math.dist((a.x[0], a.y[0], a.z[0]), (b.x[0], b.y[0], b.z[0])) < 0.01
            assert key in network.predecessors(other)


@files
def test_locate_finds_the_waypoints_lane(path):
    network, _, waypoints = both(path)
    # Where roads meet, and in junctions, several lanes are right.
    chosen = [w for w in waypoints if not w.is_junction and 0.1 < w.s < network.roads[str(w.road_id)].length - 0.1]
    chosen = chosen[:: max(1, len(chosen) // 300)]
    if not chosen:
        pytest.skip("the client sees only junctions")
    places, headings = asam(chosen)
    found = network.locate_many(places, headings)
    for waypoint, position in zip(chosen, found):
        assert position is not None
        if waypoint.lane_width < 0.5:
            continue  # lanes that just begin
        assert (position.road_id, position.lane_id) == (str(waypoint.road_id), waypoint.lane_id)
        assert position.s == pytest.approx(waypoint.s, abs=0.05)
        assert position.offset == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("name", ["carla/Town01", "carla/Town10HD", "esmini/xodr/straight_500m_signs"])
def test_signals_stand_where_the_client_has_its_landmarks(name):
    path = samples.SHARED / f"{name}.xodr"
    network, client, _ = both(path)
    landmarks = {landmark.id: landmark for landmark in client.get_all_landmarks()}
    placed = opendrive.signals(network)
    ids = collections.Counter(signal.id for signal in placed)
    compared = 0
    for signal in placed:
        if ids[signal.id] > 1 or signal.id not in landmarks:
            continue
        pose = landmarks[signal.id].transform
        location = flip_y([pose.location.x, pose.location.y, pose.location.z])
        assert signal.client_location == pytest.approx(tuple(location), abs=2e-3)
        heading = asam_orientation(0.0, pose.rotation.yaw, 0.0)[0]
        assert math.cos(signal.client_heading - heading) == pytest.approx(1.0, abs=1e-6)
        compared += 1
    assert compared >= 15


@pytest.mark.parametrize("name", ["Town01", "Town02", "Town10HD"])
def test_lights_of_the_towns_rule_their_lanes(name):
    network, _, _ = both(samples.SHARED / f"carla/{name}.xodr")
    lights = 0
    for signal in opendrive.signals(network):
        if not signal.is_light:
            continue
        if not signal.controllers:
            continue  # Town10HD has two of these
        lights += 1
        assert signal.junction in network.junctions
        for box in opendrive.trigger_boxes(network, signal):
            # The light is red for traffic about to enter the junction.
            assert not network.roads[box.lane.road_id].junction
            onward = [network.roads[key.road_id].junction for key in network.successors(box.lane)]
            assert onward
            assert set(onward) == {signal.junction}
    assert lights >= 15


@pytest.mark.parametrize("name", ["Town01", "Town02", "Town10HD"])
def test_crosswalks_are_the_clients(name):
    network, client, _ = both(samples.SHARED / f"carla/{name}.xodr")
    # The client gives closed polygons one after the other.
    theirs, polygons = [], client.get_crosswalks()
    while polygons:
        first = polygons[0]
        end = next(i for i in range(1, len(polygons)) if polygons[i].distance(first) < 1e-3)
        theirs.append(flip_y([(p.x, p.y) for p in polygons[:end]]))
        polygons = polygons[end + 1 :]
    ours = [o.outlines[0].points[:, :2] for o in opendrive.objects(network) if o.type == "crosswalk"]
    assert len(ours) == len(theirs) > 0 or name != "Town10HD"
    for mine, other in zip(
        sorted(ours, key=lambda p: tuple(np.round(p.mean(axis=0), 1))),
        sorted(theirs, key=lambda p: tuple(np.round(p.mean(axis=0), 1))),
    ):
        assert shapely.Polygon(mine).symmetric_difference(shapely.Polygon(other)).area < 0.05


@files
def test_client_accepts_the_client_text(path):
    network, _, _ = both(path)
    text = opendrive.client_text(network.text)
    again = opendrive.parse(text)
    for road in again.roads.values():
        for section in road.sections:
            records = [lane.record for lane in section.lanes] + ([section.center] if section.center else [])
            assert all(record.road_marks for record in records)
    assert carla.Map("client", text).generate_waypoints(5.0)

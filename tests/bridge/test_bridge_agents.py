"""Where minds meet scenarios: what they perceive of our own maps, and the ways they are given."""

import math

import numpy as np
import pytest

from bridge import agents
from foundation.frames import flip_y
from scenarios import catalogue, opendrive


@pytest.fixture(scope="module")
def town():
    return opendrive.read(catalogue.MAPS["RealityTown"])


@pytest.fixture(scope="module")
def street():
    return opendrive.read(catalogue.MAPS["RealityStreet"])


def test_a_street_is_cut_across_where_one_stands(street):
    road_id = next(iter(street.roads))
    kerb = street.lane_pose(road_id, min(street.lanes_at(road_id, 100.0)), 100.0)
    x, y = flip_y((kerb.x, kerb.y))
    road = agents.carriageway(street, float(x), float(y))
    assert road is not None
    flows = [lane.flow for lane in road.lanes]
    assert sorted(flows) == [-1, 1]
    widths = [lane.far_m - lane.near_m for lane in road.lanes]
    expected = [
        street.lane_width(road_id, lane, 100.0)
        for lane in street.lanes_at(road_id, 100.0)
        if street.lane_type(road_id, lane, 100.0) == "driving"
    ]
    assert sum(widths) == pytest.approx(sum(expected), abs=1e-6)
    assert road.locate(float(x), float(y))[1] < 0.0, "the pavement is on the near side"


def test_nobody_reckons_with_a_road_that_is_far_away(street):
    assert agents.carriageway(street, 0.0, 500.0) is None


def test_zebra_crossings_are_known_on_their_road(town):
    zebras = agents.crosswalks(town)
    assert zebras, "the town has crosswalks"
    for road_id, items in zebras.items():
        for (x, y), half_m in items:
            assert 1.0 < half_m < 4.0
            road = agents.carriageway(town, x, y)
            place = town.locate(x, -y)
            assert place is not None
            if place.road_id == road_id:  # a crosswalk near a corner may lie closer to the crossing road
                assert road is not None
                assert any(abs(road.locate(x, y)[0] - along) < 0.5 for along, _ in road.crosswalks)


@pytest.mark.parametrize("name", sorted(catalogue.MAPS))
def test_a_lane_path_runs_on_without_kinks(name):
    network = opendrive.read(catalogue.MAPS[name])
    for pose in opendrive.spawn_points(network)[::7]:
        x, y = flip_y((pose.x, pose.y))
        path = np.array(agents.lane_path(network, float(x), float(y), pose.heading, 120.0))
        steps = np.diff(path, axis=0)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        assert lengths.max() < 1.6
        steps = steps[lengths > 0.05]
        headings = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        assert np.abs(np.diff(headings)).max() < 0.25, "a metre of road turns by less than that"
        first = np.arctan2(steps[2, 1], steps[2, 0])
        turned = (first + pose.heading + math.pi) % (2 * math.pi) - math.pi  # CARLA's yaw is ASAM's with the other sign
        assert abs(turned) < 0.2, "it starts in the direction of traffic"

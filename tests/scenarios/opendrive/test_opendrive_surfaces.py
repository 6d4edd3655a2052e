# ruff: noqa: E501  XML samples read better on one line
"""Surfaces: true to the road within their tolerance, without cracks or holes, the right way up."""

from __future__ import annotations

import math
import time

import numpy as np
import opendrive_samples as samples
import pytest
import shapely

import scenarios.opendrive as opendrive
from foundation.ids import Tag

ARC = '<arc curvature="0.02"/>'
HILL = '<elevation s="0" a="5" b="0.05" c="-0.002" d="0.00002"/>'
BANK = '<superelevation s="0" a="0" b="0.002" c="0" d="0"/>'
CROWN = (
    '<shape s="0" t="-4" a="-0.4" b="0.1" c="0" d="0"/><shape s="0" t="0" a="0" b="-0.1" c="0" d="0"/>'
    '<shape s="80" t="-4" a="-0.2" b="0.05" c="0" d="0"/><shape s="80" t="0" a="0" b="-0.05" c="-0.01" d="0"/>'
)
FALL = '<crossfall side="left" s="0" a="0.03" b="0" c="0" d="0"/><crossfall side="right" s="0" a="0.05" b="0" c="0" d="0"/>'
PARTS = {
    "flat": {},
    "hill": {"elevation": HILL},
    "banked hill": {"elevation": HILL, "lateral": BANK},
    "crowned": {"elevation": HILL, "lateral": CROWN},
    "falling": {"lateral": FALL},
}


def curved(**parts) -> opendrive.RoadNetwork:
    plan = samples.geometry(0, 10, -5, 0.4, 80, ARC)
    return opendrive.parse(samples.network(samples.road("1", 80.0, plan, **parts)))


def heights(surfaces, places):
    """Return the heights of all triangles over (N, 2) places: (place, height) pairs."""
    corners = np.concatenate([s.vertices[s.triangles] for s in surfaces if s.kind != "kerb"])
    tree = shapely.STRtree(shapely.polygons(np.concatenate([corners, corners[:, :1]], axis=1)[:, :, :2]))
    which, triangle = tree.query(shapely.points(places), predicate="dwithin", distance=1e-6)
    a, b, c = (corners[triangle, i] for i in range(3))
    normal = np.cross(b - a, c - a)
    return which, a[:, 2] - ((places[which] - a[:, :2]) * normal[:, :2]).sum(axis=1) / normal[:, 2]


@pytest.mark.parametrize("name", PARTS)
def test_mesh_lies_within_its_tolerance(name):
    network = curved(**PARTS[name])
    surfaces = opendrive.surfaces(network, tolerance_m=0.005)
    s, t = np.meshgrid(np.linspace(0.1, 79.9, 300), np.linspace(-3.4, 3.4, 41))
    poses = network.road_poses("1", s.ravel(), t.ravel())
    which, z = heights(surfaces, np.stack([poses.x, poses.y], axis=-1))
    assert len(np.unique(which)) == s.size
    assert np.abs(z - poses.z[which]).max() < 0.006


@pytest.mark.parametrize("name", PARTS)
def test_neighbouring_lanes_share_their_edge(name):
    left, right = opendrive.surfaces(curved(**PARTS[name]))
    rims = [{tuple(v) for v in s.vertices[np.abs(s.uv[:, 1]) < 1e-9]} for s in (left, right)]
    assert rims[0] == rims[1]
    assert len(rims[0]) >= 5


@pytest.mark.parametrize("name", PARTS)
def test_triangles_are_counter_clockwise_from_above(name):
    for surface in opendrive.surfaces(curved(**PARTS[name])):
        a, b, c = (surface.vertices[surface.triangles[:, i]] for i in range(3))
        assert (np.cross(b - a, c - a)[:, 2] > 0.0).all()


def test_crossfall_falls_outwards():
    network = curved(**PARTS["falling"])
    assert network.road_pose("1", 40.0, 3.0).z == pytest.approx(-3.0 * math.tan(0.03))
    assert network.road_pose("1", 40.0, -3.0).z == pytest.approx(-3.0 * math.tan(0.05))


def test_superelevation_lifts_the_left_and_turns_the_pose():
    lateral = '<superelevation s="0" a="0.1" b="0" c="0" d="0"/>'
    network = opendrive.parse(samples.network(samples.road(lateral=lateral)))
    pose = network.road_pose("1", 50.0, 2.0)
    # t is measured in the rolled plane: 2 m along it.
    assert pose[:3] == pytest.approx((50.0, 2.0 * math.cos(0.1), 2.0 * math.sin(0.1)))
    # The left side is up: the right side is down, which is positive roll.
    assert pose.roll == pytest.approx(0.1)
    assert pose.pitch == pytest.approx(0.0)


def test_a_slope_upwards_is_negative_pitch():
    network = opendrive.parse(samples.network(samples.road(elevation='<elevation s="0" a="1" b="0.1" c="0" d="0"/>')))
    pose = network.lane_pose("1", -1, 30.0)
    assert pose.z == pytest.approx(4.0)
    assert pose.pitch == pytest.approx(-math.atan(0.1))


def test_shape_is_linear_between_its_places():
    network = curved(lateral=CROWN)
    assert network.road_pose("1", 40.0, -4.0).z == pytest.approx(-0.3)
    assert network.road_pose("1", 40.0, 2.0).z == pytest.approx(0.5 * -0.2 + 0.5 * (-0.1 - 0.04))


@pytest.mark.parametrize("name", PARTS)
def test_pose_is_the_tangent_of_the_surface(name):
    """Heading, pitch and roll agree with differences of positions, in whatever bend and bank."""
    network = curved(**PARTS[name])
    e = 1e-4
    for s, t in ((20.0, 2.0), (55.0, -3.0), (70.0, 1.5)):
        pose = network.road_pose("1", s, t)
        ahead, behind = (np.array(network.road_pose("1", s + d, t)[:3]) for d in (e, -e))
        left, right = (np.array(network.road_pose("1", s, t + d)[:3]) for d in (e, -e))
        forward = (ahead - behind) / np.linalg.norm(ahead - behind)
        assert math.atan2(forward[1], forward[0]) == pytest.approx(pose.heading, abs=1e-6)
        assert -math.asin(forward[2]) == pytest.approx(pose.pitch, abs=1e-6)
        normal = np.cross(forward, left - right)
        normal /= np.linalg.norm(normal)
        side = np.cross(normal, forward)
        assert math.atan2(side[2], normal[2]) == pytest.approx(pose.roll, abs=1e-6)


def pavement(height: str = "") -> opendrive.RoadNetwork:
    lanes = samples.section(right=samples.lane(-1) + samples.lane(-2, "sidewalk", 2.0, extra=height))
    return opendrive.parse(samples.network(samples.road(lanes=lanes)))


@pytest.mark.parametrize(
    ("height", "inner", "outer"),
    [
        ("", 0.12, 0.12),
        ('<height sOffset="0" inner="0.2" outer="0.3"/>', 0.2, 0.3),
        ('<height sOffset="0" inner="0" outer="0"/>', 0.0, 0.0),
    ],
)
def test_pavements_stand_on_a_kerb(height, inner, outer):
    network = pavement(height)
    surfaces = {(s.kind, s.lane_id): s for s in opendrive.surfaces(network)}
    walk = surfaces["lane", -2]
    assert walk.tag == Tag.SIDEWALKS
    assert walk.vertices[np.isclose(walk.uv[:, 1], -3.5), 2] == pytest.approx(inner)
    assert walk.vertices[np.isclose(walk.uv[:, 1], -5.5), 2] == pytest.approx(outer)
    assert network.lane_pose("1", -2, 50.0).z == pytest.approx(0.5 * (inner + outer))
    assert (("kerb", -2) in surfaces) == (outer > 0)
    if outer > 0:
        kerb = surfaces["kerb", -2]
        # The face towards the road looks at the road (+y here) and reaches below its plane.
        corners = kerb.vertices[kerb.triangles]
        front = np.isclose(corners[:, :, 1], -3.5).all(axis=1)
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[front]
        assert (normals[:, 1] > 0.0).all()
        assert corners[front, :, 2].min() < 0.0 < corners[front, :, 2].max() == pytest.approx(inner)


def test_kerb_height_is_a_parameter():
    lanes = samples.section(right=samples.lane(-1) + samples.lane(-2, "sidewalk", 2.0))
    text = samples.network(samples.road(lanes=lanes))
    assert opendrive.parse(text, kerb_height_m=0.2).lane_pose("1", -2, 5.0).z == pytest.approx(0.2)


def test_a_lowered_kerb_begins_where_its_record_says():
    network = pavement('<height sOffset="0" inner="0.1" outer="0.1"/><height sOffset="40" inner="0.02" outer="0.02"/>')
    assert network.lane_pose("1", -2, 39.9).z == pytest.approx(0.1)
    assert network.lane_pose("1", -2, 40.1).z == pytest.approx(0.02)
    walks = [s for s in opendrive.surfaces(network) if s.lane_id == -2 and s.kind == "lane"]
    assert sorted((s.uv[:, 0].min(), s.uv[:, 0].max(), round(float(s.vertices[0, 2]), 3)) for s in walks) == [
        (0.0, 40.0, 0.1),
        (40.0, 100.0, 0.02),
    ]


def in_the_junction() -> np.ndarray:
    """Return (N, 2) places on the roads and inside the round corners of the sample crossing."""
    x, y = np.meshgrid(np.linspace(-16.0, 16.0, 81), np.linspace(-16.0, 16.0, 81))
    inside = (np.abs(x) < 3.4) | (np.abs(y) < 3.4)
    for cx in (-15.0, 15.0):
        for cy in (-15.0, 15.0):
            quarter = (np.abs(x) <= 15.0) & (np.abs(y) <= 15.0) & (x * cx >= 0.0) & (y * cy >= 0.0)
            inside |= quarter & (np.hypot(x - cx, y - cy) > 11.7)
    return np.stack([x[inside], y[inside]], axis=-1)


@pytest.mark.parametrize("slope", [0.0, 0.06])
def test_a_junction_has_no_holes_and_no_steps(slope):
    """On the slope the turning roads, level across, differ by 36 cm from those they cross."""
    network = opendrive.parse(samples.crossing(slope))
    surfaces = [s for s in opendrive.surfaces(network) if s.tag == Tag.ROADS]
    places = in_the_junction()
    which, z = heights(surfaces, places)
    assert len(np.unique(which)) == len(places)
    low, high = np.full(len(places), np.inf), np.full(len(places), -np.inf)
    np.minimum.at(low, which, z)
    np.maximum.at(high, which, z)
    assert (high - low).max() < 0.04
    # Where roads and junction meet nobody feels a step.
    y = np.linspace(-3.4, 3.4, 15)
    for before, after in ((-15.02, -14.98), (14.98, 15.02)):
        for order in (1, -1):
            rows = [heights(surfaces, np.stack([np.full(15, x), y], axis=-1)[:, ::order]) for x in (before, after)]
            assert rows[0][1].min() == pytest.approx(rows[1][1].min(), abs=0.02)
            assert rows[0][1].max() == pytest.approx(rows[1][1].max(), abs=0.02)


def test_a_pavement_never_lies_on_a_junctions_lanes():
    network = opendrive.parse(samples.crossing())
    surfaces = [s for s in opendrive.surfaces(network) if s.junction]
    area = {
        tag: shapely.union_all(
            [shapely.polygons(c[:, :2]) for s in surfaces if s.tag == tag and s.kind == "lane" for c in s.vertices[s.triangles]]
        )
        for tag in (Tag.ROADS, Tag.SIDEWALKS)
    }  # fmt: skip
    assert area[Tag.SIDEWALKS].area > 50.0
    assert area[Tag.ROADS].intersection(area[Tag.SIDEWALKS]).area < 1e-3


@pytest.mark.parametrize("name", ["carla/Town01", "esmini/xodr/multi_intersections"])
def test_reading_and_meshing_is_fast(name):
    path = samples.SHARED / f"{name}.xodr"
    if not path.exists():
        pytest.skip("the shared data folder is not here")
    times = []
    for _ in range(2):
        # Processor time: other programs on the machine do not count.
        start = time.process_time()
        opendrive.surfaces(opendrive.read(path))
        times.append(time.process_time() - start)
    assert min(times) < 2.0


def test_surfaces_are_the_same_every_time():
    text = samples.crossing(0.03)
    first, second = (opendrive.surfaces(opendrive.parse(text)) for _ in range(2))
    assert len(first) == len(second)
    for a, b in zip(first, second):
        assert a.vertices.tobytes() == b.vertices.tobytes()
        assert a.triangles.tobytes() == b.triangles.tobytes()


def test_level_lanes_stay_out_of_the_bank():
    walk = samples.lane(-2, "sidewalk", 2.0, extra='<height sOffset="0" inner="0" outer="0"/>').replace(
        '"false"', '"true"'
    )
    lanes = samples.section(left=samples.lane(1), right=samples.lane(-1) + walk)
    network = curved(lanes=lanes, lateral='<superelevation s="0" a="0.1" b="0.001" c="0" d="0"/>', elevation=HILL)
    assert not network.diagnostics
    at = np.array([5.0, 40.0, 75.0])
    edge = network.road_poses("1", at, np.full(3, -3.5))
    far = network.road_poses("1", at, np.full(3, -5.5))
    assert far.z == pytest.approx(edge.z)
    assert np.hypot(far.x - edge.x, far.y - edge.y) == pytest.approx(2.0)
    pose = network.lane_pose("1", -2, 40.0)
    assert pose.z == pytest.approx(edge.z[1])
    assert abs(pose.roll) < abs(network.lane_pose("1", -1, 40.0).roll)
    for surface in opendrive.surfaces(network):
        if surface.lane_id == -2:
            inner, outer = (np.abs(surface.uv[:, 1] - t) < 1e-9 for t in (-3.5, -5.5))
            assert surface.vertices[outer, 2] == pytest.approx(surface.vertices[inner, 2])


def test_a_level_lane_inside_of_others_is_reported():
    inside = samples.lane(-1).replace('"false"', '"true"')
    lanes = samples.section(right=inside + samples.lane(-2))
    network = curved(lanes=lanes, lateral=BANK)
    assert ["has no effect" in str(d) for d in network.diagnostics] == [True]


def test_a_junction_across_the_country_is_refused():
    text = samples.crossing().replace('length="30.0"', 'length="90000"')
    with pytest.raises(
        opendrive.OpenDriveError, match=r"<junction>: a connecting road of junction '7' reaches over 90000 m"
    ):
        opendrive.surfaces(opendrive.parse(text))

"""The static world, asked with rays: what a car would drive on, and what it would drive into."""

import time
from pathlib import Path

import numpy as np
import open3d as o3d
import pytest

from engine.scene import build_static_world
from engine.scene.streets import kind_of_road
from foundation.ids import Tag
from scenarios.opendrive import DRIVING_TYPES, parse, read, signals, trigger_boxes

ROOT = Path(__file__).resolve().parents[3]
OURS = ROOT / "scenarios" / "catalogue" / "maps"
SHARED = ROOT.parent / "shared" / "data"

MAPS = {
    "RealityStreet": OURS / "RealityStreet.xodr",
    "RealityTown": OURS / "RealityTown.xodr",
    "RealityMotorway": OURS / "RealityMotorway.xodr",
    "Town01": SHARED / "carla" / "Town01.xodr",
    "e6mini": SHARED / "esmini" / "xodr" / "e6mini.xodr",
    "soderleden": SHARED / "esmini" / "xodr" / "soderleden.xodr",
    "curves_elevation": SHARED / "esmini" / "xodr" / "curves_elevation.xodr",
    "fabriksgatan": SHARED / "esmini" / "xodr" / "fabriksgatan_traffic_lights.xodr",
}
PLANTED = {Tag.VEGETATION, Tag.BUILDINGS, Tag.POLES, Tag.FENCES, Tag.GUARD_RAIL, Tag.WALLS, Tag.STATIC}


UP = np.array([0.0, 0.0, 1.0])


class Rays:
    """A static world (or some of its objects) as one Embree scene; ASAM's frame."""

    def __init__(self, world, keep=lambda thing: True):
        vertices, triangles, tags, count = [], [], [], 0
        for thing in world.objects:
            if not keep(thing):
                continue
            for mesh in thing.model.meshes:
                placed = mesh.vertices @ thing.pose[:3, :3].T + thing.pose[:3, 3]
                placed[:, 1] *= -1.0
                vertices.append(placed)
                triangles.append(mesh.triangles + count)
                tags.append(np.full(len(mesh.triangles), int(mesh.tag)))
                count += len(placed)
        self.tags = np.concatenate(tags)
        self.scene = o3d.t.geometry.RaycastingScene()
        self.scene.add_triangles(
            np.concatenate(vertices).astype(np.float32), np.concatenate(triangles).astype(np.uint32)
        )

    def cast(self, origins, direction):
        """Return hit distances (inf for none) and tags (0 for none)."""
        rays = np.concatenate([origins, np.broadcast_to(direction, origins.shape)], axis=1).astype(np.float32)
        answer = self.scene.cast_rays(o3d.core.Tensor(rays))
        hit = answer["primitive_ids"].numpy()
        known = hit != np.iinfo(np.uint32).max
        return answer["t_hit"].numpy(), np.where(known, self.tags[np.where(known, hit, 0)], 0)


@pytest.fixture(scope="module")
def built():
    made = {}

    def build(name):
        if name not in made:
            if not MAPS[name].exists():
                pytest.skip(f"{MAPS[name]} is not here")
            network = read(MAPS[name])
            made[name] = network, build_static_world(network, seed=3)
        return made[name]

    return build


def lane_points(network, rng, count=1500):
    """Random points (x, y, z) on driving lanes, up to 40 % of the width from the centre."""
    keys = [key for key in network.lane_keys(DRIVING_TYPES) if network.lane_length(key) > 1.0]
    found = []
    for index in rng.integers(len(keys), size=count // 10):
        key = keys[index]
        low, high = network.lane_range(key)
        s = rng.uniform(low, high, 10)
        offset = rng.uniform(-0.4, 0.4, 10) * network.lane_widths(key, s)
        at = network.lane_poses(key, s, offset)
        found.append(np.stack([at.x, at.y, at.z], axis=-1))
    return np.concatenate(found)


@pytest.mark.parametrize("name", MAPS)
def test_lanes_are_road_at_their_height_and_nothing_covers_them(built, name):
    network, world = built(name)
    points = lane_points(network, np.random.default_rng(1))
    rays = Rays(world)
    distance, tag = rays.cast(points + UP, [0.0, 0.0, -1.0])
    # 1 cm of tessellation, 4 mm of paint.
    assert np.abs(distance - 1.0).max() < 0.02
    assert set(tag) <= {int(Tag.ROADS), int(Tag.ROAD_LINES)}
    upwards, _ = rays.cast(points + 0.05 * UP, [0.0, 0.0, 1.0])
    assert upwards.min() > 3.2, "something hangs low over a lane"


@pytest.mark.parametrize("name", MAPS)
def test_the_ground_has_no_gaps(built, name):
    network, world = built(name)
    rng = np.random.default_rng(2)
    points = lane_points(network, rng, 400)
    spots = np.repeat(points, 12, axis=0)
    spots[:, :2] += rng.uniform(-40.0, 40.0, (len(spots), 2))
    rays = Rays(world, lambda thing: thing.tag not in PLANTED)
    distance, tag = rays.cast(spots + 300.0 * UP, [0.0, 0.0, -1.0])
    assert np.isfinite(distance).all()
    assert {int(Tag.ROADS), int(Tag.TERRAIN)} <= set(tag)
    # Seen from 3 m aside at a low angle: no ray slips through between road and land.
    low = points + 1.5 * UP
    angle = rng.uniform(0.0, 2.0 * np.pi, len(low))
    toward = np.column_stack([np.cos(angle) * 4.0, np.sin(angle) * 4.0, np.full(len(low), -1.5)])
    slanting, _ = rays.cast(low, toward / np.linalg.norm(toward, axis=1, keepdims=True))
    assert np.isfinite(slanting).all()


@pytest.mark.parametrize("name", ["RealityTown", "Town01", "soderleden", "curves_elevation"])
def test_land_meets_the_rim_of_the_road(built, name):
    network, world = built(name)
    rays = Rays(world, lambda thing: thing.tag not in PLANTED)
    steps = []
    for road in network.roads.values():
        if road.junction:
            continue
        for section in road.sections:
            s = np.linspace(section.start, section.end, 12)[1:-1]
            edges = section.boundaries(s, road.lane_offset(s))
            for outer, side in ((edges[0], -1.0), (edges[-1], 1.0)):
                at = road.stations(s)
                inside = road.points(at, outer - side * 0.03)
                outside = road.points(at, outer + side * 0.03)
                up = np.array([0.0, 0.0, 2.0])
                d_in, _ = rays.cast(inside + up, [0.0, 0.0, -1.0])
                d_out, tag = rays.cast(outside + up, [0.0, 0.0, -1.0])
                land = tag == int(Tag.TERRAIN)
                steps.append(((outside[:, 2] - d_out) - (inside[:, 2] - d_in))[land])
    steps = np.concatenate(steps)
    assert len(steps) >= 20
    assert np.abs(steps).max() < 0.06


@pytest.mark.parametrize("name", ["RealityStreet", "RealityTown", "Town01", "soderleden", "fabriksgatan"])
def test_towns_have_buildings_that_stand_on_the_ground(built, name):
    _, world = built(name)
    buildings = [thing for thing in world.objects if thing.tag == Tag.BUILDINGS]
    assert len(buildings) >= 5
    ground = Rays(world, lambda thing: thing.tag not in PLANTED)
    for thing in buildings:
        box = thing.model.box
        corners = np.array([[x, y, 0.0] for x in (-1, 1) for y in (-1, 1)]) * box.extent * 0.9 + box.center
        corners[:, 2] = 0.0
        door = np.array([[0.0, 0.5, 0.0]])  # half a metre before the front, which looks to +y in CARLA's frame
        spots = np.concatenate([corners, door]) @ thing.pose[:3, :3].T + thing.pose[:3, 3]
        floor = thing.pose[2, 3]
        spots[:, 1] *= -1.0
        distance, _ = ground.cast(spots * [1, 1, 0] + [0, 0, floor + 30.0], [0.0, 0.0, -1.0])
        height = 30.0 - distance
        assert height.min() > -1.5, "the foundation hangs in the air"
        assert height.max() < 0.85, "windows are below the ground"
        assert height[4] < 0.25, "the door is below the ground"


@pytest.mark.parametrize("name", ["RealityTown", "Town01"])
def test_lamps_stand_beside_the_road_and_reach_over_it(built, name):
    network, world = built(name)
    lamps = [thing for thing in world.objects if thing.layer == 128]
    assert len(lamps) > 8
    ground = Rays(world, lambda thing: thing.tag not in PLANTED)
    feet = np.array([thing.pose[:3, 3] for thing in lamps]) * [1, -1, 1]
    distance, tag = ground.cast(feet + 2.0 * UP, [0.0, 0.0, -1.0])
    assert set(tag) <= {int(Tag.SIDEWALKS), int(Tag.TERRAIN)}
    assert np.abs(distance - 2.0).max() < 0.05
    heads = np.array([(thing.pose @ [2.2, 0.0, 6.0, 1.0])[:3] for thing in lamps]) * [1, -1, 1]
    to_road = [network.locate(x, y) for x, y, _ in heads]
    before = [network.locate(x, y) for x, y, _ in feet]
    pairs = [(a, b) for a, b in zip(to_road, before) if a is not None and b is not None]
    nearer = [abs(a.offset) < abs(b.offset) or a.key != b.key for a, b in pairs]
    assert np.mean(nearer) > 0.95


def test_trees_and_buildings_keep_off_pavements_and_each_other(built):
    _, world = built("RealityTown")
    trunks = np.array([thing.pose[:2, 3] for thing in world.objects if thing.name.startswith("Tree_")])
    assert len(trunks) > 10
    gaps = np.linalg.norm(trunks[:, None] - trunks[None], axis=-1) + 1e9 * np.eye(len(trunks))
    assert gaps.min() > 1.0
    ground = Rays(world, lambda thing: thing.tag not in PLANTED)
    spots = np.column_stack([trunks * [1, -1], np.full(len(trunks), 100.0)])
    _, tag = ground.cast(spots, [0.0, 0.0, -1.0])
    assert set(tag) == {int(Tag.TERRAIN)}


def test_motorways_have_rails_and_no_houses(built):
    network, world = built("RealityMotorway")
    assert {kind_of_road(network, road) for road in network.roads.values() if not road.junction} == {"motorway"}
    tags = {thing.tag for thing in world.objects}
    assert Tag.GUARD_RAIL in tags
    assert Tag.BUILDINGS not in tags


def test_spawn_points_float_half_a_metre_over_their_lane(built):
    network, world = built("RealityTown")
    assert len(world.spawn_points) > 10
    for (x, y, z), (_, yaw, _) in world.spawn_points:
        at = network.locate(x, -y)
        assert at is not None
        pose = network.lane_pose(at.road_id, at.lane_id, at.s)
        assert z == pytest.approx(pose.z + 0.5, abs=0.01)
        heading = pose.heading + (0.0 if network.lane_drives_forward(at.road_id, at.lane_id) else np.pi)
        assert np.cos(np.radians(-yaw) - heading) > 0.99
    assert world.origin_lat_lon == network.origin_lat_lon
    assert world.xodr_text == network.text


@pytest.mark.parametrize("name", ["RealityTown", "Town01", "fabriksgatan"])
def test_lights_face_the_traffic_they_rule(built, name):
    network, world = built(name)
    by_id = {spec.signal_id: spec for spec in world.signals}
    checked = 0
    for signal in signals(network):
        boxes = trigger_boxes(network, signal)
        if signal.id not in by_id or not boxes or signal.type != "1000001":
            continue
        spec = by_id[signal.id]
        assert spec.kind == "traffic.traffic_light"
        yaw = np.radians(spec.rotation[1])
        face = np.array([-np.sin(yaw), np.cos(yaw)])  # the model's +y in the world, CARLA's frame
        traffic = -boxes[0].pose.heading
        assert face @ [np.cos(traffic), np.sin(traffic)] < -0.7
        assert len(spec.trigger_boxes) == len(boxes)
        box = spec.trigger_boxes[0]
        assert box.extent[0] == pytest.approx(1.5)
        assert box.center[1] == pytest.approx(-boxes[0].pose.y)
        checked += 1
    assert checked >= 1


def world_bytes(world):
    parts = []
    for thing in world.objects:
        parts += [str(thing.id).encode(), thing.name.encode(), thing.pose.tobytes()]
        for mesh in thing.model.meshes:
            parts += [mesh.vertices.tobytes(), mesh.triangles.tobytes(), mesh.colors.tobytes(), mesh.uv.tobytes()]
    return b"".join(parts)


def test_the_same_seed_grows_the_same_world_and_another_seed_another(built):
    network, world = built("RealityStreet")
    assert world_bytes(build_static_world(network, seed=3)) == world_bytes(world)
    assert world_bytes(build_static_world(network, seed=4)) != world_bytes(world)


@pytest.mark.parametrize("name", MAPS)
def test_objects_are_well_formed(built, name):
    _, world = built(name)
    ids = [thing.id for thing in world.objects]
    assert len(set(ids)) == len(ids)
    assert all(0 < i < 2**63 for i in ids)
    assert len({thing.name for thing in world.objects}) == len(ids)
    total = 0
    for thing in world.objects:
        low = np.array(thing.model.box.center) - thing.model.box.extent
        high = np.array(thing.model.box.center) + thing.model.box.extent
        for mesh in thing.model.meshes:
            total += len(mesh.triangles)
            assert np.isfinite(mesh.vertices).all()
            assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1.0, atol=1e-3)
            assert (mesh.vertices >= low - 1e-3).all()
            assert (mesh.vertices <= high + 1e-3).all()
            if thing.name.startswith(("Terrain", "Horizon", "Paint")):
                assert mesh.normals[:, 2].min() > 0.0
    assert total < 250_000
    assert not any(thing.collides for thing in world.objects if thing.tag == Tag.ROAD_LINES)


CROSSING = """<?xml version="1.0"?>
<OpenDRIVE><header revMajor="1" revMinor="7"/>
<road id="1" length="200" junction="-1"><planView><geometry s="0" x="-100" y="0" hdg="0" length="200"><line/></geometry>
</planView><elevationProfile><elevation s="0" a="0" b="0" c="0" d="0"/></elevationProfile>{lanes}</road>
<road id="2" length="200" junction="-1"><planView><geometry s="0" x="0" y="-100" hdg="1.5707963267948966" length="200">
<line/></geometry></planView><elevationProfile><elevation s="0" a="6" b="0" c="0" d="0"/></elevationProfile>
{lanes}</road>
</OpenDRIVE>""".format(
    lanes="""<lanes><laneSection s="0"><left><lane id="1" type="driving"><width sOffset="0" a="3.5" b="0" c="0" d="0"/>
<roadMark sOffset="0" type="solid" color="white" width="0.12"/></lane></left><center><lane id="0" type="none">
<roadMark sOffset="0" type="broken" color="white" width="0.12"/></lane></center><right><lane id="-1" type="driving">
<width sOffset="0" a="3.5" b="0" c="0" d="0"/><roadMark sOffset="0" type="solid" color="white" width="0.12"/></lane>
</right></laneSection></lanes>"""
)


def test_a_road_over_a_road_is_a_bridge_and_buries_nothing():
    network = parse(CROSSING, "crossing")
    world = build_static_world(network)
    assert Tag.BRIDGE in {thing.tag for thing in world.objects}
    rays = Rays(world)
    x = np.linspace(-90.0, 90.0, 181)
    below = np.column_stack([x, np.full_like(x, 1.75), np.full_like(x, 2.5)])
    distance, tag = rays.cast(below, [0.0, 0.0, -1.0])
    assert np.abs(distance - 2.5).max() < 0.02, "the lower road is buried"
    assert set(tag) <= {int(Tag.ROADS), int(Tag.ROAD_LINES)}
    headroom, _ = rays.cast(below, [0.0, 0.0, 1.0])
    assert headroom.min() > 2.0
    above = np.column_stack([np.full_like(x, 1.75), x, np.full_like(x, 8.0)])
    distance, tag = rays.cast(above, [0.0, 0.0, -1.0])
    assert np.abs(distance - 2.0).max() < 0.02
    assert set(tag) <= {int(Tag.ROADS), int(Tag.ROAD_LINES)}


@pytest.mark.slow
def test_town01_is_grown_in_a_few_seconds(built):
    network, _ = built("Town01")
    start = time.process_time()
    build_static_world(network, seed=9)
    duration = time.process_time() - start
    print(f"Town01 grown in {duration:.2f} s of processor time")
    assert duration < 8.0  # 3 s on an idle core; crowded caches and turns cost more


@pytest.mark.parametrize("mood", ["row", "centre", "garden", "trade"])
def test_every_kind_of_street_gets_buildings(mood, monkeypatch):
    from engine.scene import streets

    monkeypatch.setattr(streets, "MOOD_SHARES", [float(other == mood) for other in streets.MOODS])
    world = build_static_world(read(MAPS["RealityStreet"]), seed=1)
    fronts = sum(thing.model.box.extent[0] * 2.0 for thing in world.objects if thing.tag == Tag.BUILDINGS)
    assert fronts > 250.0, "of 2 x 300 m"


EVERY = sorted([*(SHARED / "esmini" / "xodr").glob("*.xodr"), *(SHARED / "carla").glob("*.xodr"), *OURS.glob("*.xodr")])


@pytest.mark.slow
@pytest.mark.parametrize("path", EVERY, ids=[path.stem for path in EVERY])
def test_every_network_grows_a_world_within_its_budget(path):
    world = build_static_world(read(path), seed=1)
    assert sum(len(mesh.triangles) for thing in world.objects for mesh in thing.model.meshes) < 250_000
    assert {Tag.ROADS, Tag.TERRAIN, Tag.ROAD_LINES} <= {thing.tag for thing in world.objects}
    assert len(world.objects) < 0x8000, "instance ids of static objects have 15 bits"


def test_a_tunnel_has_walls_and_a_ceiling_and_leaves_the_road_free():
    tunnel = '<objects><tunnel s="50" length="100" id="7" name="Hill" type="standard"/></objects>'
    first_road = CROSSING[: CROSSING.index('<road id="2"')]
    text = first_road.replace("</lanes></road>", f"</lanes>{tunnel}</road>") + "</OpenDRIVE>"
    network = parse(text, "tunnel")
    world = build_static_world(network)
    rays = Rays(world)
    x = np.linspace(-45.0, 45.0, 91)
    places = np.column_stack([x, np.full_like(x, -1.75), np.full_like(x, 1.5)])
    down, tag = rays.cast(places, -UP)
    assert np.abs(down - 1.5).max() < 0.02
    assert set(tag) <= {int(Tag.ROADS), int(Tag.ROAD_LINES)}
    up, tag = rays.cast(places, UP)
    assert ((up > 3.3) & (up < 3.6)).all()
    assert int(Tag.WALLS) in set(tag)
    for side in (-1.0, 1.0):
        across, tag = rays.cast(places, np.array([0.0, side, 0.0]))
        assert set(tag) == {int(Tag.WALLS)}
        assert np.abs(across - (3.8 + side * 1.75)).max() < 0.05
    along, _ = rays.cast(np.array([[-60.0, -1.75, 1.5]]), np.array([1.0, 0.0, 0.0]))
    assert along[0] > 110.0, "the portals are open"

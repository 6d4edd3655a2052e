"""Pictures of worlds whose every pixel is known from geometry alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from render_worlds import box_mesh, car_model, model, plate_mesh, thing, world

from engine.geometry import Joint, Material
from engine.render import View
from engine.render.static_scene import static_instance_id
from engine.state import ActorTable, Kind
from foundation.frames import invert, pose_matrices
from foundation.ids import Tag

ALL = frozenset({"rgb", "depth", "semantic", "instance"})
SKY_DEPTH_M = 1000.0


def metres(depth):
    """CARLA's decoding, as written in its documentation."""
    b, g, r = (depth[..., k].astype(np.float64) for k in (0, 1, 2))
    return 1000.0 * (r + 256.0 * g + 65536.0 * b) / (2**24 - 1)


def instance_ids(picture):
    """CARLA's encoding: low byte in G, high byte in B."""
    return picture[..., 1].astype(int) + 256 * picture[..., 0].astype(int)


def radiance(byte):
    """Invert the tone curve (Hejl and Burgess-Dawson): y = (6.2 x^2 + 0.5 x) / (6.2 x^2 + 1.7 x + 0.06)."""
    y = np.minimum(byte / 255.0, 0.999)
    a, b, c = 6.2 * (1.0 - y), 0.5 - 1.7 * y, -0.06 * y
    return (-b + np.sqrt(b * b - 4.0 * a * c)) / (2.0 * a)


def rays(view):
    """(H, W, 3) directions with unit planar depth, world axes (CARLA), through the pixels' centres."""
    focal = view.width / (2.0 * math.tan(math.radians(view.fov) / 2.0))
    u = (np.arange(view.width) + 0.5 - view.width / 2.0) / focal
    v = (np.arange(view.height) + 0.5 - view.height / 2.0) / focal
    right, down = np.meshgrid(u, v)
    camera = np.stack([np.ones_like(right), right, -down], axis=-1)
    return camera @ pose_matrices(view.location, view.rotation)[:3, :3].T


def ground():
    return thing(1, Tag.ROADS, plate_mesh(-400, 400, -400, 400, 0.0, Tag.ROADS))


@pytest.mark.parametrize("distance", [0.5, 3.0, 20.0, 250.0, 900.0])
def test_a_wall_has_its_distance_everywhere(renderer_of, distance):
    """Planar depth of a wall across the axis is the same in every pixel, corners included."""
    wall = thing(1, Tag.WALLS, box_mesh((distance + 0.5, 0, 0), (0.5, 3000, 3000), Tag.WALLS))
    view = View((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 90.0, 160, 120)
    depth = metres(renderer_of(world(wall)).render(view, frozenset({"depth"}))["depth"])
    assert np.abs(depth - distance).max() < max(2e-4, 1e-5 * distance)


@pytest.mark.parametrize("rotation", [(-10.0, 0.0, 0.0), (-5.0, 37.0, 0.0), (-12.0, -120.0, 8.0)])
def test_road_depth_equals_geometry(renderer_of, rotation):
    """1 cm at 20 m is promised; a plane through every pixel is known in closed form."""
    view = View((12.5, -7.25, 1.6), rotation, 90.0, 400, 300)
    depth = metres(renderer_of(world(ground())).render(view, frozenset({"depth"}))["depth"])
    direction = rays(view)
    with np.errstate(divide="ignore"):
        expected = np.where(direction[..., 2] < -1e-9, -1.6 / direction[..., 2], np.inf)
    near = expected < 25.0
    assert near.sum() > 10_000
    assert np.abs(depth - expected)[near].max() < 0.002
    middle = (expected > 25.0) & (expected < 150.0)
    assert (np.abs(depth - expected)[middle] / expected[middle]).max() < 1e-4


def test_precision_far_from_the_origin(renderer_of):
    shift = np.eye(4)
    shift[:3, 3] = 3000.0, -5000.0, 40.0
    road = thing(1, Tag.ROADS, plate_mesh(-200, 200, -200, 200, 0.0, Tag.ROADS), pose=shift)
    view = View((3000.0, -5000.0, 41.6), (-10.0, 90.0, 0.0), 90.0, 200, 150)
    depth = metres(renderer_of(world(road)).render(view, frozenset({"depth"}))["depth"])
    direction = rays(view)
    expected = np.where(direction[..., 2] < -0.06, -1.6 / np.minimum(direction[..., 2], -1e-9), np.nan)
    assert np.nanmax(np.abs(depth - expected)) < 0.01


def test_box_mask_is_the_projection_of_its_corners(renderer_of):
    """A face-on box: its mask's rows and columns are those whose centres lie between its projected edges."""
    box = thing(1, Tag.BUILDINGS, box_mesh((20.0, 1.3, 0.4), (1.0, 2.1, 1.7), Tag.BUILDINGS))
    view = View((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 90.0, 800, 600)
    tag = renderer_of(world(box)).render(view, frozenset({"semantic"}))["semantic"][..., 2]
    rows, columns = np.nonzero(tag == Tag.BUILDINGS)
    # Near face at x = 19; f = 400, centre (400, 300); a pixel counts when its centre is inside.
    left, right = 400 + 400 * (1.3 - 2.1) / 19, 400 + 400 * (1.3 + 2.1) / 19
    top, bottom = 300 - 400 * (0.4 + 1.7) / 19, 300 - 400 * (0.4 - 1.7) / 19
    inside = lambda low, high: (math.ceil(low - 0.5), math.ceil(high - 0.5) - 1)  # noqa: E731
    assert (columns.min(), columns.max()) == inside(left, right)
    assert (rows.min(), rows.max()) == inside(top, bottom)
    assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


def test_mirroring_and_yaw_follow_carla(renderer_of):
    """+y is right at yaw 0; yaw 90 looks along +y; pitch is positive nose up; roll lowers the right side."""
    things = world(
        thing(1, Tag.CAR, box_mesh((10, 4, 0), (0.5, 0.5, 0.5), Tag.CAR)),
        thing(2, Tag.BUS, box_mesh((10, 0, 4), (0.5, 0.5, 0.5), Tag.BUS)),
        thing(3, Tag.TRUCK, box_mesh((0, 10, 0), (0.5, 0.5, 0.5), Tag.TRUCK)),
    )
    renderer = renderer_of(things)

    def place(rotation, tag):
        view = View((0.0, 0.0, 0.0), rotation, 90.0, 200, 200)
        seen = renderer.render(view, frozenset({"semantic"}))["semantic"][..., 2]
        rows, columns = np.nonzero(seen == tag)
        return (rows.mean() - 99.5, columns.mean() - 99.5) if len(rows) else None

    assert place((0, 0, 0), Tag.CAR)[1] > 30
    assert place((0, 0, 0), Tag.BUS)[0] < -30
    assert place((0, 0, 0), Tag.TRUCK) is None
    assert abs(place((0, 90, 0), Tag.TRUCK)[1]) < 1
    assert abs(place((math.degrees(math.atan(0.4)), 0, 0), Tag.BUS)[0]) < 1
    # Rolled by 90 degrees to the right, what was on the right lies above.
    assert place((0, 0, 90), Tag.CAR)[0] < -30


def test_back_faces_are_not_drawn(renderer_of):
    renderer = renderer_of(world(thing(1, Tag.CAR, box_mesh((0, 0, 0), (5, 5, 5), Tag.CAR))))
    tag = renderer.render(View((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 90.0, 64, 64), frozenset({"semantic"}))["semantic"]
    assert (tag[..., 2] == Tag.SKY).all()


def test_sky_is_far_and_tagged(renderer_of):
    pictures = renderer_of(world(ground())).render(View((0.0, 0.0, 2.0), (60.0, 0.0, 0.0), 90.0, 64, 48), ALL)
    assert (pictures["depth"] == 255).all()
    assert (pictures["semantic"] == (0, 0, Tag.SKY, 255)).all()
    assert (pictures["instance"] == (0, 0, Tag.SKY, 255)).all()
    assert (pictures["rgb"][..., 3] == 255).all()
    assert (pictures["rgb"][..., 0] >= pictures["rgb"][..., 2]).all()


def test_all_pictures_show_the_same_pixels(renderer_of):
    """Depth, tags and ids come from one rasterization: wherever the tag changes to sky, so does depth."""
    things = [thing(n, Tag.POLES, box_mesh((8 + n, 0.9 * n - 5, 1), (0.05, 0.03, 2), Tag.POLES)) for n in range(12)]
    pictures = renderer_of(world(ground(), *things)).render(View((0.0, 0.0, 1.5), (0.0, 3.0, 2.0), 90.0, 320, 240), ALL)
    sky = pictures["semantic"][..., 2] == Tag.SKY
    assert ((metres(pictures["depth"]) == SKY_DEPTH_M) == sky).all()
    assert (pictures["instance"][..., 2] == pictures["semantic"][..., 2]).all()
    ids = instance_ids(pictures["instance"])
    poles = pictures["semantic"][..., 2] == Tag.POLES
    assert set(np.unique(ids[poles])) <= {static_instance_id(n) for n in range(1, 13)}
    assert set(np.unique(ids[sky])) == {0}


def test_one_picture_alone_equals_the_same_picture_among_all(renderer_of):
    static = world(ground(), thing(2, Tag.WALLS, box_mesh((9, 1, 1), (1, 1, 1), Tag.WALLS)))
    renderer, view = renderer_of(static), View((0.0, 0.0, 1.5), (-3.0, 4.0, 1.0), 80.0, 200, 150)
    everything = renderer.render(view, ALL)
    for name in sorted(ALL):
        assert np.array_equal(renderer.render(view, frozenset({name}))[name], everything[name]), name


def test_two_actors_have_their_own_ids_and_places(renderer_of):
    renderer, table, shape = renderer_of(world(ground())), ActorTable(), car_model()
    for actor_id, location in ((300, (15, -4, 0)), (513, (15, 4, 0))):
        renderer.add_actor(actor_id, shape, actor_id & 0x7FFF)
        table.add(actor_id, Kind.VEHICLE)["location"] = location
    renderer.update(table, 0.0)
    view = View((0.0, 0.0, 1.5), (0.0, 0.0, 0.0), 90.0, 400, 300)
    seen = renderer.render(view, ALL)["instance"]
    cars = seen[..., 2] == Tag.CAR
    ids = instance_ids(seen)
    assert set(np.unique(ids[cars])) == {300, 513}
    assert np.nonzero(ids == 300)[1].max() < 200 <= np.nonzero(ids == 513)[1].min()

    table[300]["location"] = (15, 9, 0)
    table[300]["rotation"] = (0, 90, 0)
    renderer.update(table, 0.05)
    seen = renderer.render(view, frozenset({"instance"}))["instance"]
    ids = instance_ids(seen)
    assert np.nonzero(ids == 300)[1].min() > np.nonzero(ids == 513)[1].max()

    renderer.remove_actor(300)
    table.remove(300)
    renderer.update(table, 0.1)
    seen = renderer.render(view, frozenset({"instance"}))["instance"]
    assert not ((seen[..., 1] == 300 & 0xFF) & (seen[..., 0] == 300 >> 8)).any()
    assert (seen[..., 2] == Tag.CAR).any()


def test_joints_move_their_meshes(renderer_of):
    raised = np.eye(4)
    raised[2, 3] = 1.0
    arm = box_mesh((0, 0, 0), (0.2, 0.2, 0.2), Tag.PEDESTRIANS, joint="arm")
    figure = model(arm, joints=[Joint("arm", "", np.eye(4))])
    renderer, table = renderer_of(world(ground()), joint_matrices=lambda model, row: raised[None]), ActorTable()
    renderer.add_actor(7, figure, 7)
    table.add(7, Kind.WALKER)["location"] = (10, 0, 1.0)
    renderer.update(table, 0.0)
    view = View((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), 90.0, 200, 200)
    rows, _ = np.nonzero(renderer.render(view, frozenset({"semantic"}))["semantic"][..., 2] == Tag.PEDESTRIANS)
    # Front face at x = 9.8, z from 0.8 to 1.2 above the axis, f = 100.
    assert rows.min() == pytest.approx(100 - 100 * 1.2 / 9.8, abs=1)
    assert rows.max() == pytest.approx(100 - 100 * 0.8 / 9.8, abs=1)


def test_actor_without_a_row_is_not_drawn(renderer_of):
    renderer = renderer_of(world(ground()))
    renderer.add_actor(9, car_model(), 9)
    renderer.update(ActorTable(), 0.0)
    view = View((-10.0, 0.0, 1.5), (0.0, 0.0, 0.0), 90.0, 64, 64)
    assert not (renderer.render(view, frozenset({"semantic"}))["semantic"][..., 2] == Tag.CAR).any()


def test_road_paint_wins_over_the_road_and_keeps_its_depth(renderer_of):
    """5 mm above the road, seen from afar: every pixel of the line is tagged, none of it fights with the road."""
    paint = plate_mesh(5, 205, -1.5, 1.5, 0.005, Tag.ROAD_LINES, (240, 240, 240), Material("road_paint"))
    renderer = renderer_of(world(ground(), thing(2, Tag.ROAD_LINES, paint)))
    view = View((0.0, 0.0, 1.5), (-2.0, 0.0, 0.0), 60.0, 400, 300)
    pictures = renderer.render(view, ALL)
    direction = rays(view)
    with np.errstate(divide="ignore"):
        reach = np.where(direction[..., 2] < -1e-6, -1.495 / np.minimum(direction[..., 2], -1e-9), np.nan)
    x, y = reach * direction[..., 0], reach * direction[..., 1]
    margin = 2.0 * reach / view.focal_px  # more than a pixel away from every edge
    ahead = reach**2 / 1.5 / view.focal_px * 2.0
    inside = (x > 5 + ahead) & (x < 205 - ahead) & (np.abs(y) < 1.5 - margin)
    outside = (np.abs(y) > 1.5 + margin) & (reach < 300)
    tag = pictures["semantic"][..., 2]
    assert inside.sum() > 3000
    assert (tag[inside] == Tag.ROAD_LINES).all()
    assert (tag[outside] == Tag.ROADS).all()
    close = inside & (reach < 25)
    assert np.abs(metres(pictures["depth"]) - reach)[close].max() < 0.002
    assert pictures["rgb"][inside][:, :3].min() > pictures["rgb"][outside][:, :3].mean() + 20


def test_thin_lines_fade_by_coverage_instead_of_breaking(renderer_of):
    """A 12 cm line from 50 to 150 m is thinner than a pixel; no row of it may be empty, and the light it adds to a
    row is its width in pixels, to within a quarter."""
    black = plate_mesh(-400, 400, -400, 400, 0.0, Tag.ROADS, (40, 40, 40))
    line = plate_mesh(5, 195, 1.94, 2.06, 0.005, Tag.ROAD_LINES, (240, 240, 240), Material("road_paint"), step=None)
    from engine.render import Optics

    view = View((0.0, 0.0, 6.0), (0.0, 0.0, 0.0), 60.0, 640, 480, Optics(postprocess=False))
    with_line = renderer_of(world(thing(1, Tag.ROADS, black), thing(2, Tag.ROAD_LINES, line))).render(view, ALL)["rgb"]
    wide = plate_mesh(5, 195, -30, 30, 0.005, Tag.ROAD_LINES, (240, 240, 240), Material("road_paint"))
    solid = renderer_of(world(thing(1, Tag.ROADS, black), thing(2, Tag.ROAD_LINES, wide))).render(view, ALL)["rgb"]
    bare = renderer_of(world(thing(1, Tag.ROADS, black))).render(view, ALL)["rgb"]
    focal = view.focal_px
    for distance in (60, 80, 100, 120, 140):
        row = int(240 + focal * 6.0 / distance)
        column = int(320 + focal * 2.0 / distance)
        reach = focal * 5.995 / (row + 0.5 - 240)
        window = slice(column - 6, column + 7)
        lined, painted, plain = (radiance(picture[row, window, 1]) for picture in (with_line, solid, bare))
        share = (lined - plain).sum() / (painted - plain).mean()
        assert share == pytest.approx(0.12 * focal / reach, rel=0.25), distance


def test_normals_are_world_axes(renderer_of):
    box = thing(1, Tag.WALLS, box_mesh((10, 0, 0), (1, 20, 20), Tag.WALLS))
    picture = renderer_of(world(box)).render(
        View((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 60.0, 32, 32), frozenset({"normals"})
    )
    normal = picture["normals"][16, 16, 2::-1].astype(float) / 255.0 * 2.0 - 1.0
    assert np.abs(normal - (-1, 0, 0)).max() < 0.01


def test_hidden_objects_are_left_out(renderer_of):
    renderer = renderer_of(world(ground(), thing(77, Tag.WALLS, box_mesh((9, 0, 1), (1, 1, 1), Tag.WALLS))))
    view = View((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), 90.0, 64, 64)
    see = lambda: (renderer.render(view, ALL)["semantic"][..., 2] == Tag.WALLS).any()  # noqa: E731
    assert see()
    renderer.set_hidden(frozenset({77}))
    assert not see()
    renderer.set_hidden(frozenset())
    assert see()


def test_same_scene_same_bytes_whatever_came_before(renderer_of):
    static, shape = world(ground(), thing(2, Tag.WALLS, box_mesh((25, 5, 2), (2, 2, 2), Tag.WALLS))), car_model()

    def picture(detour):
        renderer, table = renderer_of(static), ActorTable()
        renderer.add_actor(5, shape, 5)
        table.add(5, Kind.VEHICLE)["location"] = (12, 2, 0)
        view = View((0.0, 0.0, 1.6), (-4.0, 2.0, 0.0), 90.0, 320, 240)
        if detour:
            for x in (0.0, 200.0, 30.0):
                table[5]["location"] = (x, -3, 0)
                renderer.update(table, x)
                renderer.render(View((x, 40.0, 9.0), (-30.0, x, 0.0), 70.0, 64, 64), ALL)
            table[5]["location"] = (12, 2, 0)
        renderer.update(table, 1.0)
        return renderer.render(view, ALL)

    first, second = picture(detour=False), picture(detour=True)
    for name in sorted(ALL):
        assert np.array_equal(first[name], second[name]), name


def test_projection_agrees_with_pose_matrices(renderer_of):
    """A small box anywhere appears where the pinhole formula puts its centre."""
    rng = np.random.Generator(np.random.PCG64(4))
    renderer = renderer_of(world(thing(1, Tag.STATIC, box_mesh((0, 0, 0), (0.1, 0.1, 0.1), Tag.STATIC))))
    for _ in range(8):
        rotation = tuple(rng.uniform((-50, -180, -40), (50, 180, 40)))
        offset = rng.uniform((6, -2, -1.5), (12, 2, 1.5))
        location = tuple(-(pose_matrices((0, 0, 0), rotation) @ np.r_[offset, 1.0])[:3])
        view = View(location, rotation, 75.0, 480, 360)
        camera = invert(pose_matrices(location, rotation))[:3, 3]
        rows, columns = np.nonzero(renderer.render(view, frozenset({"semantic"}))["semantic"][..., 2] == Tag.STATIC)
        u, v = 240 + view.focal_px * camera[1] / camera[0], 180 - view.focal_px * camera[2] / camera[0]
        assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((u, v), abs=0.8)


def test_refusals(renderer_of):
    renderer = renderer_of(world(ground()))
    with pytest.raises(ValueError, match="sonar"):
        renderer.render(View((0.0, 0.0, 1.0), (0.0, 0.0, 0.0)), frozenset({"sonar"}))
    shape = car_model()
    renderer.add_actor(3, shape, 3)
    with pytest.raises(ValueError, match="already"):
        renderer.add_actor(3, shape, 3)
    with pytest.raises(KeyError):
        renderer.remove_actor(4)
    strange = thing(5, Tag.WALLS, box_mesh((9, 0, 1), (1, 1, 1), Tag.WALLS, material=Material("x", texture="velvet")))
    with pytest.raises(ValueError, match="velvet"):
        renderer_of(world(strange)).render(View((0.0, 0.0, 1.0), (0.0, 0.0, 0.0)), ALL)


def test_sizes_may_change_from_picture_to_picture(renderer_of):
    """Buffers come and go; each picture has the size that was asked for, odd ones included."""
    renderer = renderer_of(world(ground()))
    for width, height in ((1, 1), (7, 3), (1920, 1080), (641, 479), (2048, 1024), (1600, 1200), (7, 3)):
        pictures = renderer.render(View((0.0, 0.0, 1.5), (0.0, 0.0, 0.0), 90.0, width, height), ALL)
        assert all(picture.shape == (height, width, 4) for picture in pictures.values())
        assert pictures["semantic"][-1, 0, 2] == (Tag.ROADS if height > 1 else pictures["semantic"][-1, 0, 2])
    assert len(renderer._stage._targets) <= 4


def test_a_closed_renderer_can_start_again(renderer_of):
    renderer, view = renderer_of(world(ground())), View((0.0, 0.0, 1.5), (0.0, 0.0, 0.0), 90.0, 32, 24)
    renderer.add_actor(3, car_model(), 3)
    before = renderer.render(view, ALL)
    renderer.close()
    after = renderer.render(view, ALL)
    assert all(np.array_equal(before[name], after[name]) for name in sorted(ALL))

"""Motion of pixels against a reprojection by depth and poses; hidden actors; base colour."""

from __future__ import annotations

import numpy as np
from render_worlds import box_mesh, car_model, model, plate_mesh, thing, world

from engine.geometry import Joint
from engine.render import Past, View
from engine.state import ActorTable, Kind
from foundation.frames import invert, pose_matrices, transform_points
from foundation.ids import Tag

CAR = 5
W, H = 320, 180


def scene():
    return world(
        thing(1, Tag.ROADS, plate_mesh(-100, 100, -100, 100, 0.0, Tag.ROADS, (90, 90, 90))),
        thing(2, Tag.BUILDINGS, box_mesh((30, -12, 4), (6, 4, 4), Tag.BUILDINGS, (200, 30, 30))),
        thing(3, Tag.FENCES, box_mesh((8, 6, 0.5), (3, 0.1, 0.5), Tag.FENCES)),
    )


def table_of(location, rotation):
    table = ActorTable()
    row = table.add(CAR, Kind.VEHICLE)
    row["location"], row["rotation"] = location, rotation
    return table


def metres(picture):
    b, g, r = (picture[..., channel].astype(np.float64) for channel in range(3))
    return (r + 256.0 * g + 65536.0 * b) / (2**24 - 1) * 1000.0


def seen_points(view, depth):
    """(H, W, 3) world points of the pixels' centres."""
    column, line = np.meshgrid(np.arange(W) + 0.5, np.arange(H) + 0.5)
    camera = np.stack(
        [depth, (column - W / 2) / view.focal_px * depth, -(line - H / 2) / view.focal_px * depth], axis=-1
    )
    return transform_points(view.world_from_camera(), camera.reshape(-1, 3)).reshape(H, W, 3)


def test_motion_is_that_of_the_camera_and_of_the_actors(renderer_of):
    renderer = renderer_of(scene())
    renderer.add_actor(CAR, car_model(), CAR)
    old = table_of((12.0, 1.0, 0.0), (0.0, 30.0, 0.0))
    new = table_of((12.5, 1.3, 0.05), (1.0, 33.0, 0.0))
    past_pose = pose_matrices((0.0, 0.0, 2.0), (0.0, 0.0, 0.0))
    renderer.update(new, 0.05)
    view = View((0.4, 0.1, 2.05), (-2.0, 2.0, 0.5), 90.0, W, H, before=Past(past_pose, old.rows.copy()))
    pictures = renderer.render(view, frozenset({"flow", "depth", "instance"}))
    depth = metres(pictures["depth"])
    points = seen_points(view, depth)
    car = pictures["instance"][..., 1] == CAR
    assert 300 < car.sum() < W * H / 4
    moved = pose_matrices(old[CAR]["location"], old[CAR]["rotation"]) @ invert(
        pose_matrices(new[CAR]["location"], new[CAR]["rotation"])
    )
    points[car] = transform_points(moved, points[car])
    before = transform_points(invert(past_pose), points.reshape(-1, 3)).reshape(H, W, 3)
    column, line = np.meshgrid(np.arange(W) + 0.5, np.arange(H) + 0.5)
    dx = column - (W / 2 + view.focal_px * before[..., 1] / before[..., 0])
    dy = line - (H / 2 - view.focal_px * before[..., 2] / before[..., 0])
    flow = pictures["flow"]
    near = (depth < 999.0) & (before[..., 0] > 0.2)
    error = np.hypot(flow[..., 0] * W / 2 - dx, -flow[..., 1] * H / 2 - dy)
    assert np.hypot(dx, dy)[near].max() > 10.0
    assert error[near & ~car].max() < 0.1
    assert error[car].max() < 0.1
    # The sky is infinitely far: only the turn of 2 degrees to the right moves it, to the left.
    sky = depth > 999.9
    assert (flow[..., 0][sky] * W / 2 < -4.0).all()


def test_what_rests_has_no_motion_at_all(renderer_of):
    renderer = renderer_of(scene())
    renderer.add_actor(CAR, car_model(), CAR)
    table = table_of((12.0, 1.0, 0.0), (0.0, 30.0, 0.0))
    renderer.update(table, 0.0)
    view = View((0.1, 0.2, 2.0), (-3.0, 7.0, 1.0), 90.0, W, H)
    before = Past(view.world_from_camera(), table.rows.copy())
    for past in (None, before, Past(view.world_from_camera(), ActorTable().rows.copy())):
        assert not renderer.render(View(view.location, view.rotation, 90.0, W, H, before=past), {"flow"})["flow"].any()


def test_turning_joints_move_while_the_body_rests(renderer_of):
    def spun(_, row):
        return pose_matrices((0.0, 0.0, 1.0), (0.0, float(np.degrees(row["wheel_spin"])), 0.0))[None]

    wheel = model(
        box_mesh((0, 0, 0), (1.0, 0.2, 0.2), Tag.CAR, joint="arm"),
        box_mesh((0, 0, 2.0), (0.2, 0.2, 0.2), Tag.CAR),
        joints=(Joint("arm", "", pose_matrices((0.0, 0.0, 1.0), (0.0, 0.0, 0.0))),),
    )
    renderer = renderer_of(scene(), joint_matrices=spun)
    renderer.add_actor(CAR, wheel, CAR)
    table = table_of((4.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    old = table.rows.copy()
    table[CAR]["wheel_spin"] = 0.1
    renderer.update(table, 0.05)
    view = View((0.0, 0.0, 1.5), (0.0, 0.0, 0.0), 90.0, W, H)
    past = Past(view.world_from_camera(), old)
    pictures = renderer.render(View(view.location, view.rotation, 90.0, W, H, before=past), {"flow", "instance"})
    moving = np.abs(pictures["flow"]).max(axis=-1) > 1e-4
    car = pictures["instance"][..., 1] == CAR
    assert moving[car].any()
    assert not moving[~car].any()
    assert not moving[: H // 2 - 5].any()  # the block above the arm rests


def test_hidden_actors_are_left_out_of_one_view_only(renderer_of):
    renderer = renderer_of(scene())
    renderer.add_actor(CAR, car_model(), CAR)
    renderer.update(table_of((8.0, 0.0, 0.0), (0.0, 0.0, 0.0)), 0.0)

    def pixels(hidden):
        view = View((0.0, 0.0, 2.0), (0.0, 0.0, 0.0), 90.0, W, H, hidden=hidden)
        return int((renderer.render(view, {"instance"})["instance"][..., 1] == CAR).sum())

    assert pixels(frozenset()) > 500
    assert pixels(frozenset({CAR, 99})) == 0
    assert pixels(frozenset()) > 500


def test_base_colour_knows_no_light(renderer_of):
    renderer = renderer_of(scene())
    view = View((20.0, -12.0, 4.0), (0.0, 0.0, 0.0), 60.0, 64, 48)
    albedo = renderer.render(view, {"albedo"})["albedo"]
    assert np.ptp(albedo.reshape(-1, 4), axis=0).max() <= 2  # the wall fills the picture
    assert abs(albedo[0, 0].astype(int) - (30, 30, 200, 255)).max() <= 3

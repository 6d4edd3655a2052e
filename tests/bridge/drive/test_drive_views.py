"""Cameras: where they are, and that they follow smoothly."""

import math

import pytest

from bridge.drive.views import (
    Body,
    Follower,
    View,
    fit_inside,
    hood_pose,
    views_of,
    wide_fov_deg,
)
from foundation.errors import RealityError
from sensors import rig

STEP_S = 0.05


def settle(follower, body, steps=200):
    for _ in range(steps):
        placed = follower.step(body, STEP_S)
    return placed


@pytest.mark.parametrize("yaw", [0.0, 90.0, -135.0, 179.0])
def test_the_chase_camera_is_behind_and_above_and_looks_at_the_car(yaw):
    body = Body(100.0, 50.0, 2.0, yaw)
    placed = settle(Follower("chase"), body)
    ahead = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    back = (placed.x - body.x) * ahead[0] + (placed.y - body.y) * ahead[1]
    side = (placed.x - body.x) * -ahead[1] + (placed.y - body.y) * ahead[0]
    assert -14.0 < back < -5.0
    assert side == pytest.approx(0.0, abs=1e-6)
    assert 2.0 < placed.z - body.z < 5.0
    assert placed.yaw == pytest.approx(yaw)
    # The car's middle lies within the picture: less than half of the vertical field of view below the axis.
    down = math.degrees(math.atan2(placed.z - body.z - 0.75, -back))
    assert abs(down + placed.pitch) < 20.0


def test_the_chase_camera_turns_after_the_car_without_jumps_and_across_the_seam():
    follower = Follower("chase")
    settle(follower, Body(0, 0, 0, 170.0))
    yaws = [follower.step(Body(0, 0, 0, -170.0), STEP_S).yaw for _ in range(60)]
    steps = [abs((b - a + 180.0) % 360.0 - 180.0) for a, b in zip([170.0, *yaws], yaws)]
    assert max(steps) < 5.0  # 20 degrees to go, a sixth of it at most in a step
    assert yaws[-1] == pytest.approx(-170.0, abs=0.1)
    assert all(abs(y) > 169.0 for y in yaws)  # the short way round


def test_the_distance_to_a_car_that_drives_straight_never_trembles():
    follower = Follower("chase")
    body = Body(0, 0, 0, 0, vx=20.0)
    settle(follower, body)
    gaps = []
    for _ in range(20):
        body = body.after(STEP_S)
        gaps.append(body.x - follower.step(body, STEP_S).x)
    assert max(gaps) - min(gaps) < 1e-3


def test_walls_bring_the_chase_camera_nearer_but_not_into_the_car():
    follower, body = Follower("chase"), Body(0, 0, 0, 0)
    settle(follower, body)
    assert -follower.step(body, STEP_S, free_m=5.0).x == pytest.approx(4.6)
    assert -follower.step(body, STEP_S, free_m=1.0).x >= body.extent[0]


def test_the_sight_line_starts_outside_the_car():
    follower, body = Follower("chase"), Body(0, 0, 0, 0)
    settle(follower, body)
    near, far = follower.sight_line(body)
    assert near[0] < -body.extent[0]
    assert far[0] < near[0]
    assert near[2] > 2 * body.extent[2]


def test_the_bird_looks_down_with_the_heading_up():
    placed = settle(Follower("bird"), Body(10.0, 20.0, 1.0, 90.0))
    assert placed.pitch == -90.0
    assert placed.yaw == pytest.approx(90.0)
    assert placed.z > 40.0
    assert placed.x == pytest.approx(10.0)
    assert placed.y > 20.0  # more is seen ahead than behind


def test_a_wide_window_sees_more_at_the_sides_and_as_much_above():
    def vertical(fov, width, height):
        return 2 * math.atan(math.tan(math.radians(fov) / 2) * height / width)

    assert wide_fov_deg(80.0, 640, 480) == pytest.approx(80.0)
    wide = wide_fov_deg(80.0, 1280, 720)
    assert wide > 80.0
    assert vertical(wide, 1280, 720) == pytest.approx(vertical(80.0, 640, 480))


def test_rig_cameras_keep_their_shape_and_never_grow():
    assert fit_inside(800, 600, 1280, 720) == (800, 600)
    assert fit_inside(800, 600, 400, 400) == (400, 300)
    assert fit_inside(100, 10, 50, 50) == (50, 8)


def test_all_cameras_of_the_rig_are_views():
    surround = rig.load("surround")
    views = views_of(surround)
    assert [view.name for view in views][:3] == ["chase", "hood", "bird"]
    assert [view.name for view in views][3:] == [camera.name for camera in surround.cameras]
    mount = views[3].camera(1280, 720, ["depth"], Body(0, 0, 0, 0))
    assert (mount.outputs, mount.pose, mount.fov_deg) == (("depth",), surround.cameras[0].pose, 70)
    assert not views[3].free


def test_a_rig_camera_called_like_one_of_ours_keeps_a_name_of_its_own():
    text = "name: r\nsensors: [{name: hood, type: camera}]"
    assert [view.name for view in views_of(rig.parse(text))][-1] == "rig hood"


def test_an_unknown_view_is_refused_with_those_that_there_are():
    from bridge.drive.shown import Shown

    with pytest.raises(RealityError, match="chase, hood, bird, front"):
        Shown(rig.load("demo"), (640, 480)).choose("cockpit")
    assert View("hood", "Hood", 90.0).free is False


@pytest.mark.parametrize(
    ("extent", "before_the_box"),
    [((5.1, 1.3, 1.7), True), ((2.4, 1.0, 0.75), False), ((1.1, 0.4, 0.8), False)],
    ids=["bus", "car", "motorcycle"],
)
def test_the_hood_view_is_not_inside_the_body(extent, before_the_box):
    body = Body(0, 0, 0, 0, center=(0.0, 0.0, extent[2]), extent=extent)
    pose = hood_pose(body)
    assert (pose.x > extent[0]) == before_the_box
    assert 0.8 < pose.z <= 2.2
    assert pose.x > 0.2 * extent[0]

"""Labels of synthetic scenes whose truth is known pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from sensors_scenes import frame_of, lidar_of, radar_of, render, thing

from foundation.frames import pose_matrices
from foundation.ids import Tag
from sensors.labels import Labeler, category_of, label

CARS = (
    thing(11, (12, -3, 0), (2.2, 0.9, 0.75), rotation=(0, 30, 0)),
    thing(12, (18, 4, 0), (2.2, 0.9, 0.75), rotation=(0, -70, 0), velocity=(3, 4, 0)),
    thing(13, (9, 2.5, 0), (0.25, 0.25, 0.9), tags=(Tag.PEDESTRIANS,)),
    thing(14, (9.6, 3.1, 0), (0.25, 0.25, 0.9), tags=(Tag.PEDESTRIANS,)),
    thing(15, (30, 0, 0), (4, 1.25, 1.6), tags=(Tag.TRUCK,)),
)


def views(labels, name="front"):
    return {view.track_id: view for view in labels.cameras[name].objects}


@pytest.mark.parametrize("pose", [None, pose_matrices((-3, 2, 2.5), (-5, -12, 4))])
def test_every_pixel_gets_the_track_of_its_object(pose):
    reading, owner = render(CARS, pose=pose)
    labels = label(frame_of(CARS, {"front": reading}))
    track_of = {obj.state.actor_id: obj.track_id for obj in labels.objects}
    expected = np.array([track_of[s.actor_id] for s in CARS] + [0])[owner]
    assert (labels.cameras["front"].tracks == expected).all()
    assert labels.cameras["front"].unmatched == ()
    assert (owner >= 0).sum() > 1500


def test_the_visible_box_is_the_tight_box_of_the_mask():
    reading, owner = render(CARS)
    labels = label(frame_of(CARS, {"front": reading}))
    for obj in labels.objects:
        index = next(i for i, s in enumerate(CARS) if s.actor_id == obj.state.actor_id)
        rows, columns = np.nonzero(owner == index)
        view = views(labels)[obj.track_id]
        assert view.box_visible == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert view.visible_px == len(rows)


def test_boxes_sit_on_their_objects_to_the_pixel():
    """A box-shaped object alone: the projected box and the box of its pixels may differ by a pixel's rounding only."""
    for state in CARS:
        reading, owner = render([state], width=640, height=480)
        view = views(label(frame_of([state], {"front": reading})))[1]
        np.testing.assert_allclose(view.box_visible, view.box_amodal, atol=1.01)
        assert view.occlusion == 0.0
        assert view.truncation == 0.0
        assert (owner >= 0).any()


def test_the_mask_lies_inside_the_projected_box_and_depth_lies_in_the_3d_box():
    reading, _ = render(CARS, shape="ball")
    labels = label(frame_of(CARS, {"front": reading}))
    for view in labels.cameras["front"].objects:
        if view.box_visible:
            left, top, right, bottom = view.box_visible
            assert left >= view.box_amodal[0] - 1
            assert top >= view.box_amodal[1] - 1
            assert right <= view.box_amodal[2] + 1
            assert bottom <= view.box_amodal[3] + 1


def test_objects_partly_outside_the_image_are_truncated():
    half_out = thing(11, (10, 10, 0), (1, 1.0, 1))  # straddles the right edge: u = 160 + 160 y / x
    reading, _ = render([half_out])
    view = views(label(frame_of([half_out], {"front": reading})))[1]
    left, _, right, _ = view.box_amodal_unclipped
    assert left == pytest.approx(160 + 160 * 9 / 11, abs=0.01)
    assert right == pytest.approx(160 + 160 * 11 / 9, abs=0.01)
    assert view.box_amodal[2] == 320
    whole, inside = right - left, 320 - left
    assert view.truncation == pytest.approx(1 - inside / whole, abs=0.08)  # the outline is a hexagon, not a rectangle


@pytest.mark.parametrize("shape", ["box", "ball"])
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 0.9])
def test_occlusion_is_the_hidden_share_of_the_object(shape, share):
    """A wall hides the left part of the object; the truth is counted by rendering it without the wall.

    A ball fills the corners of its box worst of all shapes, and shows how far the estimate may be off.
    """
    extent, near_m = ((0.2, 2.0, 2.0), 14.8) if shape == "box" else ((2.0, 2.0, 2.0), 15.0)
    target, width_m = thing(11, (15, 0, 0), extent), 20.0
    edge = (-2.0 + 4.0 * share) * 10.0 / near_m  # where the wall at x = 10 ends
    occluders = [((10.0, edge - width_m, 2.0), (0.05, width_m, 4.0))] if share else []
    _, whole = render([target], width=640, height=480, shape=shape)
    reading, seen = render([target], width=640, height=480, shape=shape, occluders=occluders)
    truth = 1 - (seen == 0).sum() / (whole == 0).sum()
    view = views(label(frame_of([target], {"front": reading})))[1]
    assert truth == pytest.approx(share, abs=0.1)
    assert view.occlusion == pytest.approx(truth, abs=0.02 if shape == "box" else 0.10)
    assert view.visibility == pytest.approx(1 - view.occlusion)


def test_a_hidden_object_keeps_its_3d_label_with_visibility_0():
    hidden = thing(11, (20, 0, 0), (2, 1, 0.7))
    reading, owner = render([hidden], occluders=[((8, 0, 2), (0.1, 5, 3))])
    assert not (owner == 0).any()
    labels = label(frame_of([hidden], {"front": reading}))
    view = views(labels)[1]
    assert (view.box_visible, view.visible_px, view.visibility, view.occlusion) == (None, 0, 0.0, 1.0)
    assert labels.objects[0].distance_m == pytest.approx(np.hypot(20, 0.7))


def test_objects_behind_the_camera_have_a_3d_label_and_no_view():
    behind = thing(11, (-20, 0, 0), (2, 1, 0.7))
    reading, _ = render([behind])
    labels = label(frame_of([behind], {"front": reading}))
    assert [obj.state.actor_id for obj in labels.objects] == [11]
    assert labels.cameras["front"].objects == ()


def test_3d_boxes_are_given_in_camera_axes():
    pose = pose_matrices((5, 1, 2), (0, 90, 0))  # looks along world +y
    car = thing(11, (5, 21, 0), (2, 1, 0.7), rotation=(0, 90, 0))
    reading, _ = render([car], pose=pose)
    view = views(label(frame_of([car], {"front": reading})))[1]
    np.testing.assert_allclose(view.camera_from_box[:3, 3], (20, 0, 0.7 - 2), atol=1e-9)
    np.testing.assert_allclose(view.camera_from_box[:3, :3], np.eye(3), atol=1e-9)


def test_the_ego_and_far_things_get_no_label():
    far = thing(12, (300, 0, 0), (2, 1, 0.7))
    reading, _ = render(CARS)
    labels = label(frame_of((*CARS, far), {"front": reading}))
    assert [obj.state.actor_id for obj in labels.objects] == [11, 12, 13, 14, 15][:5]
    assert far.key not in [obj.state.key for obj in labels.objects if obj.distance_m > 250]


def test_pixels_of_unknown_road_users_are_reported():
    reading, owner = render(CARS)
    labels = label(frame_of(CARS[1:], {"front": reading}))
    assert labels.cameras["front"].unmatched == ((14, 31337, int((owner == 0).sum())),)
    assert (labels.cameras["front"].tracks[owner == 0] == 0).all()


def test_scenery_is_labelled_like_actors():
    parked = thing(2**63 + 5, (12, -3, 0), (2.2, 0.9, 0.75), scenery=True)
    reading, owner = render([parked])
    labels = label(frame_of([parked], {"front": reading}))
    assert (labels.cameras["front"].tracks == (owner == 0)).all()
    assert labels.objects[0].state.key == ("scenery", 2**63 + 5)


def test_track_ids_stay_with_their_object_and_count_from_1():
    labeler = Labeler()
    first = labeler.label(frame_of(CARS[2:4], {}, number=1))
    assert {obj.state.actor_id: obj.track_id for obj in first.objects} == {13: 1, 14: 2}
    second = labeler.label(frame_of(CARS, {}, number=2))
    assert {obj.state.actor_id: obj.track_id for obj in second.objects} == {13: 1, 14: 2, 11: 3, 12: 4, 15: 5}
    assert [obj.track_id for obj in second.objects] == [1, 2, 3, 4, 5]


def test_classes_follow_the_vehicle_not_its_rider():
    assert category_of((Tag.RIDER, Tag.BICYCLE)) is Tag.BICYCLE
    assert category_of((Tag.RIDER,)) is Tag.RIDER
    assert category_of((Tag.POLES, Tag.BUS)) is Tag.BUS
    with pytest.raises(ValueError, match="no road user"):
        category_of((Tag.POLES,))


@pytest.mark.parametrize("semantic", [True, False])
def test_lidar_points_carry_their_object(semantic):
    reading, owner = lidar_of(CARS, np.random.default_rng(1), semantic=semantic)
    labels = label(frame_of(CARS, {"roof": reading}))
    track_of = {obj.state.actor_id: obj.track_id for obj in labels.objects}
    expected = np.array([track_of[s.actor_id] for s in CARS] + [0])[owner]
    found = labels.lidars["roof"]
    # 13 and 14 stand 0.35 m apart: widened boxes overlap, but the nearer centre decides.
    assert (found.track_id == expected).mean() > 0.995
    tags = np.array([s.tags[0] for s in CARS] + [int(Tag.ROADS) if semantic else 0])[owner]
    assert (found.tag == tags).mean() > 0.995
    for obj in labels.objects:
        assert obj.lidar_points["roof"] == pytest.approx(200, abs=8)


def test_radar_detections_are_counted_in_their_box():
    labels = label(frame_of(CARS, {"nose": radar_of((12, -3, 0.7))}))
    assert [obj.radar_points["nose"] for obj in labels.objects] == [1, 0, 0, 0, 0]


def test_a_camera_without_label_channels_has_no_labels():
    reading, _ = render(CARS)
    bare = type(reading)(reading.width, reading.height, reading.fov_deg, reading.world_from_camera, reading.rgb)
    assert label(frame_of(CARS, {"front": bare})).cameras == {}

"""The parametric model of a road user, without an engine: where things are put follows from the values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.studio import road_users as ru
from scenarios.sampling import SpaceError

DIMENSION = ru.SPACE.dimension
units = st.lists(st.floats(0.0, 1.0), min_size=DIMENSION, max_size=DIMENSION)


def street_frame(values, pose):
    """(metres along, metres right) of a pose in its street."""
    street = ru.streets()[values["place"]]
    yaw = math.radians(street.yaw)
    dx, dy = pose.x - street.x, pose.y - street.y
    return dx * math.cos(yaw) + dy * math.sin(yaw), -dx * math.sin(yaw) + dy * math.cos(yaw)


def corners(pose, body):
    yaw = math.radians(pose.yaw)
    forward, right = np.array([math.cos(yaw), math.sin(yaw)]), np.array([-math.sin(yaw), math.cos(yaw)])
    signs = [(1, 1), (1, -1), (-1, -1), (-1, 1)]
    return [np.array(pose[:2]) + a * body.length / 2 * forward + b * body.width / 2 * right for a, b in signs]


def test_the_town_has_the_streets_that_the_space_counts():
    assert len(ru.streets()) == len(ru.SPACE.classes("place"))
    assert min(street.length for street in ru.streets()) - 2.0 > ru.REACH_M


@settings(max_examples=300, deadline=None)
@given(units)
def test_target_and_camera_stand_on_their_street(unit):
    values = ru.SPACE.values(unit)
    scene = ru.scene(values, 1)
    street = ru.streets()[values["place"]]
    target = scene.actors[0]
    assert target.name == ru.TARGET
    along, right = street_frame(values, target.pose)
    camera_along, camera_right = street_frame(values, scene.camera_transform)
    assert camera_right == pytest.approx(ru.CAMERA_LANE_M)
    assert 0.0 < camera_along < along < street.length
    assert abs(right) < ru.PAVED_M
    # On the pavement behind the kerb, or on the road before it; never on the edge.
    assert target.pose.z == (ru.KERB_M if abs(right) > ru.ROAD_M else 0.0)
    assert not ru.ROAD_M - 0.1 < abs(right) < ru.ROAD_M + 0.3


@settings(max_examples=300, deadline=None)
@given(units)
def test_distance_and_bearing_are_what_the_camera_sees(unit):
    values = ru.SPACE.values(unit)
    scene = ru.scene(values, 1)
    camera, target = scene.camera_transform, scene.actors[0].pose
    sight = math.degrees(math.atan2(target.y - camera.y, target.x - camera.x))
    angle = (sight - camera.yaw + 180.0) % 360.0 - 180.0
    half = math.tan(math.radians(ru.CAMERA.fov / 2))
    assert math.tan(math.radians(angle)) / half == pytest.approx(values["bearing"], abs=1e-6)
    # The near side is about as far as asked for: a class says nothing about the distance.
    body = ru.body_of(values)
    length = math.hypot(target.x - camera.x, target.y - camera.y)
    reach = math.hypot(body.length, body.width) / 2
    assert values["distance"] - 0.01 <= length <= values["distance"] + max(reach, 0.6) + 0.01


@settings(max_examples=200, deadline=None)
@given(units)
def test_what_hides_the_target_stands_free_before_it(unit):
    values = ru.SPACE.values(unit)
    scene = ru.scene(values, 1)
    by_name = {actor.name: actor for actor in scene.actors}
    if "occluder" not in by_name:
        assert values["occluder"] == "none"
        return
    occluder, target, camera = by_name["occluder"].pose, by_name["target"].pose, scene.camera_transform
    assert math.dist(occluder[:2], camera[:2]) > 2.0
    assert math.dist(occluder[:2], camera[:2]) < math.dist(target[:2], camera[:2])
    shapely = pytest.importorskip("shapely")
    own = ru._PROPS[str(values["occluder"])]
    assert not shapely.Polygon(corners(occluder, own)).intersects(shapely.Polygon(corners(target, ru.body_of(values))))


@settings(max_examples=100, deadline=None)
@given(units)
def test_a_pair_differs_in_its_target_alone(unit):
    unit = [(ru.CLASSES.index("pedestrian") + 0.5) / len(ru.CLASSES), *unit[1:]]
    person = ru.SPACE.values(unit)
    board = person | {"class": "advertising_board"}
    ru.SPACE.points_of([board])
    first, second = ru.scene(person, 4), ru.scene(board, 4)
    assert first.camera_transform == second.camera_transform
    assert first.weather == second.weather
    assert [a for a in first.actors if a.name == "clutter"] == [a for a in second.actors if a.name == "clutter"]
    a, b = first.actors[0], second.actors[0]
    assert a.pose[:3] == pytest.approx(b.pose[:3])
    shown = dict(b.attributes)
    assert shown["person?"] == a.blueprint
    assert float(shown["gait_phase?"]) == a.gait_phase


def test_values_that_are_no_point_are_refused():
    values = ru.SPACE.values(np.full(DIMENSION, 0.5))
    with pytest.raises(SpaceError, match="distance"):
        ru.scene(values | {"distance": 300.0}, 1)
    with pytest.raises(SpaceError, match="colour"):
        ru.scene(values | {"colour": "red"}, 1)


def test_every_class_and_variant_is_reached():
    seen = {name: set() for name in ru.CLASSES}
    for name in ru.CLASSES:
        for variant in ru.VARIANTS:
            seen[name].add(ru.body_of({"class": name, "variant": variant}).blueprint)
    assert {name: len(found) for name, found in seen.items()} == {
        "car": 12, "truck": 4, "bus": 1, "motorcyclist": 4, "cyclist": 3, "pedestrian": 12, "advertising_board": 1,
        "food_cart": 1, "warning_trailer": 1, "waste_container": 2, "bus_shelter": 2, "direction_sign": 1,
    }  # fmt: skip

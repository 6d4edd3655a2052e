"""``generate_opendrive_world``: what each of its parameters does, seen by the genuine client."""

from __future__ import annotations

import math
import queue

import carla
import numpy as np
import pytest
from engine_process import engine

from scenarios.catalogue import MAPS

STEP_S = 0.05


@pytest.fixture(scope="module")
def client():
    with engine("--map", "RealityStreet") as server:
        client = carla.Client("127.0.0.1", server.port)
        client.set_timeout(60.0)
        yield client


@pytest.fixture(scope="module")
def text():
    return MAPS["RealityJunction"].read_text(encoding="utf-8")


def generated(client, text, **changed):
    values = {
        "vertex_distance": 2.0, "max_road_length": 50.0, "wall_height": 0.0, "additional_width": 0.0,
        "smooth_junctions": True, "enable_mesh_visibility": True, "enable_pedestrian_navigation": True,
    } | changed  # fmt: skip
    world = client.generate_opendrive_world(text, carla.OpendriveGenerationParameters(**values))
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, STEP_S
    world.apply_settings(settings)
    return world


def edge_of_road(world):
    """A spawn point and the (outermost lane's) point beside it, both at the road's surface."""
    for start in world.get_map().get_spawn_points():
        lane = world.get_map().get_waypoint(start.location)
        while not lane.is_junction and (beside := lane.get_right_lane()) is not None:
            lane = beside
        if not lane.is_junction and not any(near.is_junction for near in lane.next(25.0)):
            return start, lane
    raise AssertionError("no spawn point on a free road")


def test_walls_stand_beside_roads_and_stop_cars(client, text):
    world = generated(client, text, wall_height=1.5)
    start, outermost = edge_of_road(world)
    right = start.get_right_vector()
    eye = start.location + carla.Location(z=0.3)
    found = world.project_point(eye, right, 30.0)
    assert found is not None
    assert found.label == carla.CityObjectLabel.Walls
    reach = outermost.transform.location.distance(start.location) + outermost.lane_width / 2.0
    assert found.location.distance(eye) == pytest.approx(reach, abs=0.6)
    above = world.project_point(eye + carla.Location(z=1.8), right, reach + 1.0)
    assert above is None or above.label != carla.CityObjectLabel.Walls
    car = world.spawn_actor(
        world.get_blueprint_library().find("vehicle.tesla.model3"),
        carla.Transform(start.location, carla.Rotation(yaw=start.rotation.yaw + 90.0)),
    )
    sensor = world.spawn_actor(
        world.get_blueprint_library().find("sensor.other.collision"), carla.Transform(), attach_to=car
    )
    hits = queue.Queue()
    sensor.listen(hits.put)
    for _ in range(100):
        car.set_target_velocity(right * 4.0)
        world.tick()
    assert start.location.distance(car.get_location()) < reach
    assert hits.get(timeout=20.0).other_actor is not None
    assert {thing.type for thing in world.get_environment_objects(carla.CityObjectLabel.Walls)}


def test_without_height_there_are_no_walls(client, text):
    world = generated(client, text)
    assert not [n for n in world.get_names_of_all_objects() if n.startswith("Wall_Road")]


def test_roads_come_in_pieces_of_the_length_asked_for(client, text):
    def largest(length):
        world = generated(client, text, max_road_length=length)
        roads = world.get_environment_objects(carla.CityObjectLabel.Roads)
        return max(max(thing.bounding_box.extent.x, thing.bounding_box.extent.y) for thing in roads), len(roads)

    (short, many), (long, few) = largest(20.0), largest(400.0)
    assert short < 25.0 < long
    assert many > few


def test_junctions_reach_beyond_their_lanes_by_the_additional_width(client, text):
    def paved(width):
        world = generated(client, text, additional_width=width)
        roads = [
            thing.bounding_box
            for thing in world.get_environment_objects(carla.CityObjectLabel.Roads)
            if "Junction" in thing.name
        ]
        low = min(box.location.x - box.extent.x for box in roads), min(box.location.y - box.extent.y for box in roads)
        high = max(box.location.x + box.extent.x for box in roads), max(box.location.y + box.extent.y for box in roads)
        return (high[0] - low[0]) * (high[1] - low[1])

    assert paved(3.0) > paved(0.0) + 1.0


def test_invisible_roads_are_solid(client, text):
    def below(visible):
        world = generated(client, text, enable_mesh_visibility=visible)
        start = edge_of_road(world)[0]
        blueprint = world.get_blueprint_library().find("sensor.camera.semantic_segmentation")
        for name in ("image_size_x", "image_size_y"):
            blueprint.set_attribute(name, "32")
        at = carla.Transform(start.location + carla.Location(z=3.0), carla.Rotation(pitch=-90.0))
        camera, pictures = world.spawn_actor(blueprint, at), queue.Queue()
        camera.listen(pictures.put)
        car = world.spawn_actor(
            world.get_blueprint_library().find("vehicle.tesla.model3"), world.get_map().get_spawn_points()[-1]
        )
        for _ in range(20):
            world.tick()
        picture = pictures.get(timeout=20.0)
        tags = np.frombuffer(picture.raw_data, np.uint8).reshape(32, 32, 4)[..., 2]
        ground = world.ground_projection(start.location, 5.0)
        camera.destroy()
        return (tags == int(carla.CityObjectLabel.Roads)).mean(), ground, abs(car.get_velocity().z)

    seen, _, _ = below(True)
    unseen, ground, falling = below(False)
    assert seen > 0.5
    assert unseen == 0.0
    assert ground is not None
    assert ground.label in (carla.CityObjectLabel.Roads, carla.CityObjectLabel.RoadLines)
    assert falling < 0.1


def test_without_pedestrian_navigation_nobody_finds_a_place_to_walk(client, text):
    assert generated(client, text).get_random_location_from_navigation() is not None
    assert generated(client, text, enable_pedestrian_navigation=False).get_random_location_from_navigation() is None


def test_rough_junctions_are_their_lanes_alone(client, text):
    paved = (carla.CityObjectLabel.Roads, carla.CityObjectLabel.Sidewalks, carla.CityObjectLabel.RoadLines)

    def covered(smooth):
        world = generated(client, text, smooth_junctions=smooth)
        box = (
            next(point for point, _ in world.get_map().get_topology() if point.is_junction).get_junction().bounding_box
        )
        lanes = [point.transform.location for point in world.get_map().generate_waypoints(4.0) if point.is_junction]
        grid = [
            carla.Location(box.location.x + u * box.extent.x, box.location.y + v * box.extent.y, box.location.z)
            for u in np.linspace(-0.9, 0.9, 25)
            for v in np.linspace(-0.9, 0.9, 25)
        ]

        def on_road(at):
            hit = world.ground_projection(carla.Location(at.x, at.y, at.z + 3.0), 8.0)
            return hit is not None and hit.label in paved

        return all(on_road(at) for at in lanes), sum(on_road(at) for at in grid)

    (rough_lanes, rough), (smooth_lanes, smooth) = covered(False), covered(True)
    assert rough_lanes
    assert smooth_lanes
    assert rough < smooth, "what no lane covers is open"


def test_numbers_without_end_are_refused(client, text):
    with pytest.raises(RuntimeError, match="not finite"):
        generated(client, text, vertex_distance=math.nan)

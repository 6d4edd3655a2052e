"""What other people's client programs take for granted: habits found by running them against the engine."""

from __future__ import annotations

import queue

import carla
import pytest
from engine_process import engine

STEP_S = 0.05


@pytest.fixture(scope="module")
def client():
    with engine("--map", "RealityTown") as server:
        client = carla.Client("127.0.0.1", server.port)
        client.set_timeout(60.0)
        yield client


@pytest.fixture
def world(client):
    world = client.reload_world()
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, STEP_S
    world.apply_settings(settings)
    return world


def spawned(world, blueprint_id, at, parent=None, kind=carla.AttachmentType.Rigid, **attributes):
    blueprint = world.get_blueprint_library().find(blueprint_id)
    for name, value in attributes.items():
        blueprint.set_attribute(name, value)
    return world.spawn_actor(blueprint, at, parent, kind)


@pytest.mark.parametrize("blueprint_id", ["vehicle.vespa.zx125", "vehicle.diamondback.century"])
def test_two_wheelers_have_four_wheels_to_programs(world, blueprint_id):
    bike = spawned(world, blueprint_id, world.get_map().get_spawn_points()[0])
    world.tick()
    control = bike.get_physics_control()
    assert len(control.wheels) == 4
    assert [wheel.max_steer_angle > 0.0 for wheel in control.wheels] == [True, True, False, False]
    wheels = control.wheels
    for number, wheel in enumerate(wheels):
        wheel.tire_friction = 2.0 + 0.1 * number
    control.wheels = wheels
    bike.apply_physics_control(control)
    world.tick()
    again = bike.get_physics_control()
    assert [wheel.tire_friction for wheel in again.wheels] == pytest.approx([2.0, 2.1, 2.2, 2.3])
    bike.apply_control(carla.VehicleControl(throttle=0.7))
    for _ in range(40):
        world.tick()
    assert bike.get_velocity().length() > 1.0
    assert len(bike.get_telemetry_data().wheels) == 4
    assert bike.get_wheel_steer_angle(carla.VehicleWheelLocation.BR_Wheel) == 0.0


def test_who_stands_at_180_degrees_reports_the_spawn_point_s_own_number(world):
    points = world.get_map().get_spawn_points()
    assert all(-180.0 < point.rotation.yaw <= 180.0 for point in points)
    at = points[0]
    at.rotation.yaw = 180.0
    car = spawned(world, "vehicle.seat.leon", at)
    for _ in range(20):
        world.tick()
        assert car.get_transform().rotation.yaw == pytest.approx(180.0, abs=0.2)


def test_every_prop_of_the_library_spawns_even_a_mesh_without_a_mesh(client, world):
    props = world.get_blueprint_library().filter("static.prop.*")
    batch = [
        carla.command.SpawnActor(prop, carla.Transform(carla.Location(z=100.0 + 10.0 * number)))
        for number, prop in enumerate(props)
    ]
    answers = client.apply_batch_sync(batch, True)
    assert not [answer.error for answer in answers if answer.error]
    found = world.get_actors().filter("static.prop.mesh")
    assert len(found) == 1
    assert found[0].destroy()


def test_whole_numbers_may_be_written_with_a_point(world):
    at = world.get_map().get_spawn_points()[0]
    lidar = spawned(world, "sensor.lidar.ray_cast", at, channels="16.0", points_per_second="20000")
    readings = queue.Queue()
    lidar.listen(readings.put)
    world.tick()
    assert readings.get(timeout=10.0).channels == 16
    with pytest.raises(RuntimeError, match="invalid actor description"):
        spawned(world, "sensor.lidar.ray_cast", at, channels="sixteen")


def test_frames_of_three_seconds(world):
    settings = world.get_settings()
    settings.fixed_delta_seconds = 3.0
    world.apply_settings(settings)
    car = spawned(world, "vehicle.tesla.model3", world.get_map().get_spawn_points()[0])
    before = world.get_snapshot().timestamp.elapsed_seconds
    for _ in range(3):
        world.tick()
    assert world.get_snapshot().timestamp.elapsed_seconds == pytest.approx(before + 9.0)
    assert abs(car.get_transform().rotation.roll) < 5.0
    assert car.get_velocity().length() < 0.5


@pytest.mark.parametrize(
    ("kind", "reach"), [(carla.AttachmentType.SpringArm, 3.0), (carla.AttachmentType.SpringArmGhost, 8.0)]
)
def test_a_spring_arm_is_as_long_as_the_way_is_free(world, kind, reach):
    at = world.get_map().get_spawn_points()[0]
    car = spawned(world, "vehicle.mini.cooper_s", at)
    behind = carla.Transform(at.location - 6.0 * at.get_forward_vector(), at.rotation)
    spawned(world, "vehicle.mercedes.sprinter", behind)
    boom = carla.Transform(carla.Location(x=-8.0, z=0.8))
    child = spawned(world, "sensor.other.gnss", boom, car, kind)
    for _ in range(3):
        world.tick()
    assert child.get_location().distance(car.get_location()) == pytest.approx(reach, abs=0.3)


def test_lamps_of_a_car_are_components(world):
    at = world.get_map().get_spawn_points()[0]
    car = spawned(world, "vehicle.audi.tt", at)
    world.tick()
    names = car.get_component_names()
    assert "front-blinker-r-1" in names
    pose = car.get_transform()
    for name, ahead, right in (("front-blinker-r-1", True, True), ("back-blinker-l-1", False, False)):
        here = car.get_component_relative_transform(name).location
        assert (here.x > 1.0) == ahead
        assert (here.y > 0.3) == right
        assert car.get_component_world_transform(name).location.distance(pose.transform(here)) < 0.02
    with pytest.raises(RuntimeError, match="Component could not be found"):
        car.get_component_world_transform("flux-capacitor")


def test_without_friction_and_drag_a_car_keeps_its_speed(world):
    at = world.get_map().get_spawn_points()[0]
    car = spawned(world, "vehicle.dodge.charger_2020", at)
    for _ in range(10):
        world.tick()
    control = car.get_physics_control()
    wheels = control.wheels
    for wheel in wheels:
        wheel.tire_friction = 0.0
    control.wheels, control.drag_coefficient = wheels, 0.0
    car.apply_physics_control(control)
    world.tick()
    car.set_target_velocity(13.889 * at.get_forward_vector())
    for _ in range(4):
        world.tick()
    speed = car.get_velocity()
    assert (speed.x**2 + speed.y**2) ** 0.5 == pytest.approx(13.889, abs=2e-3)

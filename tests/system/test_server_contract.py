"""What every CARLA 0.9.16 server promises the genuine client; the embedded engine must, a real one may be asked.

``REALITY_CARLA=host:port`` runs the same contract against a CARLA server.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import queue
import time

import carla
import pytest
from engine_process import engine

STEP_S = 0.05


@contextlib.contextmanager
def listening(world, blueprint, transform=None, parent=None, **attributes):
    """Spawn a sensor and yield the queue of its readings."""
    definition = world.get_blueprint_library().find(blueprint)
    for name, value in attributes.items():
        definition.set_attribute(name, str(value))
    sensor = world.spawn_actor(definition, transform or carla.Transform(), attach_to=parent)
    readings = queue.Queue()
    sensor.listen(readings.put)
    time.sleep(0.2)  # the client subscribes on a connection of its own; nothing tells when the server knows
    try:
        yield readings
    finally:
        sensor.stop()
        sensor.destroy()


def tick_until(world, condition, limit=400):
    """Tick until a condition holds; fails after ``limit`` ticks."""
    for _ in range(limit):
        world.tick()
        if condition():
            return
    pytest.fail(f"did not happen within {limit} ticks")


class ServerContract:
    """Subclass it and provide a ``client`` fixture."""

    @pytest.fixture
    def world(self, client):
        world = client.get_world()
        settings = carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S)
        world.apply_settings(settings)
        yield world
        world.tick()
        for actor in world.get_actors():
            if actor.type_id.split(".")[0] in ("vehicle", "walker", "sensor", "static", "controller", "util"):
                actor.destroy()
        world.tick()

    @pytest.fixture
    def car(self, world):
        blueprint = world.get_blueprint_library().find("vehicle.tesla.model3")
        car = world.spawn_actor(blueprint, world.get_map().get_spawn_points()[0])
        for _ in range(30):
            world.tick()
        return car

    # --- time -----------------------------------------------------------------------------------------------

    def test_a_tick_is_exactly_one_step(self, world):
        before, frame, after = world.get_snapshot(), world.tick(), world.get_snapshot()
        assert after.frame == frame == before.frame + 1
        elapsed = after.timestamp.elapsed_seconds - before.timestamp.elapsed_seconds
        assert elapsed == pytest.approx(STEP_S)
        assert after.timestamp.delta_seconds == pytest.approx(STEP_S)

    def test_settings_take_effect_at_once(self, world):
        for step in (0.02, 0.1, STEP_S):
            world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=step))
            world.tick()
            assert world.get_snapshot().timestamp.delta_seconds == pytest.approx(step)
        settings = world.get_settings()
        settings.max_substeps, settings.max_substep_delta_time = 5, 0.02
        world.apply_settings(settings)
        assert world.get_settings().max_substeps == 5
        assert world.get_settings().max_substep_delta_time == pytest.approx(0.02)

    def test_asynchronous_mode_keeps_real_time(self, world):
        world.apply_settings(carla.WorldSettings(synchronous_mode=False))
        for _ in range(5):  # a machine that stands still for a moment makes the world wait, as it should
            first, began = world.wait_for_tick(20.0), time.monotonic()
            while time.monotonic() - began < 1.0:
                last = world.wait_for_tick(20.0)
            spent = time.monotonic() - began
            simulated = last.timestamp.elapsed_seconds - first.timestamp.elapsed_seconds
            if last.frame - first.frame > 10 and simulated == pytest.approx(spent, rel=0.25):
                break
        assert last.frame - first.frame > 10
        assert simulated == pytest.approx(spent, rel=0.25)

    def test_a_reading_carries_the_frame_of_the_tick_that_made_it(self, world, car):
        with (
            listening(world, "sensor.other.imu", parent=car) as imu,
            listening(
                world, "sensor.lidar.ray_cast", carla.Transform(carla.Location(z=2.0)), car, rotation_frequency=20
            ) as lidar,
        ):
            for _ in range(3):
                frame = world.tick()
                assert imu.get(timeout=20.0).frame == frame
                reading = lidar.get(timeout=20.0)
                assert reading.frame == frame
                assert reading.timestamp == pytest.approx(world.get_snapshot().timestamp.elapsed_seconds)

    def test_listening_then_ticking_misses_no_frame(self, world, car):
        """The subscription travels on a socket of its own; a tick that overtook it would lose the first frame."""
        blueprint = world.get_blueprint_library().find("sensor.other.gnss")
        for _ in range(10):
            readings: queue.Queue = queue.Queue()
            sensor = world.spawn_actor(blueprint, carla.Transform(), attach_to=car)
            try:
                sensor.listen(readings.put)
                frame = world.tick()
                assert readings.get(timeout=20.0).frame == frame
            finally:
                sensor.stop()
                sensor.destroy()

    def test_sensor_tick_is_the_time_between_readings(self, world, car):
        with listening(world, "sensor.other.gnss", parent=car, sensor_tick=0.2) as readings:
            for _ in range(20):
                world.tick()
            frames = [readings.get(timeout=20.0).frame for _ in range(4)]
        assert [b - a for a, b in itertools.pairwise(frames)] == [4, 4, 4]

    # --- maps -----------------------------------------------------------------------------------------------

    def test_spawn_points_lie_above_driving_lanes(self, world):
        carla_map = world.get_map()
        points = carla_map.get_spawn_points()
        assert len(points) >= 10
        for point in points:
            waypoint = carla_map.get_waypoint(point.location)
            assert waypoint.lane_type == carla.LaneType.Driving
            center = waypoint.transform.location
            assert math.hypot(center.x - point.location.x, center.y - point.location.y) < 0.3
            assert 0.0 <= point.location.z - center.z < 1.0
            turn = (point.rotation.yaw - waypoint.transform.rotation.yaw + 180.0) % 360.0 - 180.0
            assert abs(turn) < 5.0

    def test_blueprints_have_what_scripts_ask_for(self, world):
        library = world.get_blueprint_library()
        cars = [b for b in library.filter("vehicle.*") if int(b.get_attribute("number_of_wheels")) == 4]
        assert len(cars) >= 6
        assert {b.get_attribute("base_type").as_str() for b in library.filter("vehicle.*")} >= {
            "car", "van", "truck", "bus", "motorcycle", "bicycle",
        }  # fmt: skip
        walkers = library.filter("walker.pedestrian.*")
        assert len(walkers) >= 8
        assert {w.get_attribute("age").as_str() for w in walkers} >= {"child", "adult"}
        assert all(len(w.get_attribute("speed").recommended_values) >= 3 for w in walkers)
        assert library.find("sensor.camera.rgb").get_attribute("image_size_x").as_int() == 800
        assert not library.find("vehicle.tesla.model3").get_attribute("base_type").is_modifiable

    def test_scene_objects_and_rays(self, world, car):
        roads = world.get_level_bbs(carla.CityObjectLabel.Roads)
        assert roads
        assert len(world.get_environment_objects(carla.CityObjectLabel.Any)) >= len(roads)
        start = car.get_location() + carla.Location(z=5.0)
        hit = world.ground_projection(start, 20.0)
        assert hit.label in (carla.CityObjectLabel.Car, carla.CityObjectLabel.Roads)
        labels = [p.label for p in world.cast_ray(start, start - carla.Location(z=20.0))]
        assert carla.CityObjectLabel.Car in labels
        assert carla.CityObjectLabel.Roads in labels
        ahead = start + 30.0 * car.get_transform().get_forward_vector() + carla.Location()
        road = world.project_point(ahead, carla.Vector3D(0, 0, -1), 20.0)
        waypoint = world.get_map().get_waypoint(ahead)
        assert road.location.z == pytest.approx(waypoint.transform.location.z, abs=0.02)
        assert world.project_point(start, carla.Vector3D(0, 0, 1), 50.0) is None

    # --- actors ---------------------------------------------------------------------------------------------

    def test_spawned_actors_are_listed_until_destroyed(self, world, car):
        assert car.id in [a.id for a in world.get_actors().filter("vehicle.*")]
        assert world.get_actor(car.id).type_id == "vehicle.tesla.model3"
        assert car.destroy()
        world.tick()
        assert car.id not in [a.id for a in world.get_actors()]

    def test_a_car_comes_to_rest_on_the_road(self, world, car):
        road = world.get_map().get_waypoint(car.get_location()).transform.location
        assert car.get_location().z == pytest.approx(road.z, abs=0.06)
        assert car.get_velocity().length() < 0.05
        assert abs(car.get_transform().rotation.roll) < 1.0

    def test_a_blocked_place_is_refused(self, world, car):
        blueprint = world.get_blueprint_library().find("vehicle.audi.a2")
        with pytest.raises(RuntimeError, match=r"^Spawn failed because of collision at spawn position$"):
            world.spawn_actor(blueprint, car.get_transform())
        assert world.try_spawn_actor(blueprint, car.get_transform()) is None

    def test_a_control_drives_the_car_and_is_read_back(self, world, car):
        forward, start = car.get_transform().get_forward_vector(), car.get_location()
        car.apply_control(carla.VehicleControl(throttle=0.5, steer=0.0))
        for _ in range(40):
            world.tick()
        moved = car.get_location() - start
        assert moved.x * forward.x + moved.y * forward.y > 2.0
        assert car.get_control().throttle == pytest.approx(0.5)
        car.apply_control(carla.VehicleControl(brake=1.0))
        tick_until(world, lambda: car.get_velocity().length() < 0.1)

    def test_steering_right_turns_to_the_right(self, world, car):
        before = car.get_transform().rotation.yaw
        car.apply_control(carla.VehicleControl(throttle=0.4, steer=0.4))
        for _ in range(40):
            world.tick()
        turn = (car.get_transform().rotation.yaw - before + 180.0) % 360.0 - 180.0
        assert turn > 5.0
        assert car.get_angular_velocity().z > 1.0

    def test_poses_and_velocities_can_be_set(self, world, car):
        target = world.get_map().get_spawn_points()[3]
        car.set_transform(target)
        world.tick()
        assert car.get_location().distance(target.location) < 0.3
        car.set_target_velocity(carla.Vector3D(3.0, 0.0, 0.0))
        world.tick()
        assert car.get_velocity().x > 1.5
        car.set_target_velocity(carla.Vector3D())
        car.set_simulate_physics(False)
        high = carla.Transform(target.location + carla.Location(z=10.0), target.rotation)
        car.set_transform(high)
        for _ in range(5):
            world.tick()
        assert car.get_location().distance(high.location) < 0.01
        car.set_simulate_physics(True)
        tick_until(world, lambda: car.get_location().z < high.location.z - 2.0)

    def test_impulses_change_velocity_by_impulse_over_mass(self, world, car):
        mass = car.get_physics_control().mass
        car.set_transform(carla.Transform(car.get_location() + carla.Location(z=20.0), car.get_transform().rotation))
        world.tick()
        before = car.get_velocity()
        car.add_impulse(carla.Vector3D(0.0, 0.0, 5.0 * mass))
        world.tick()
        assert car.get_velocity().z - before.z == pytest.approx(5.0 - 9.81 * STEP_S, abs=0.15)

    def test_a_held_velocity_is_in_the_cars_frame(self, world, car):
        car.enable_constant_velocity(carla.Vector3D(4.0, 0.0, 0.0))
        for _ in range(20):
            world.tick()
        forward, velocity = car.get_transform().get_forward_vector(), car.get_velocity()
        assert forward.x * velocity.x + forward.y * velocity.y == pytest.approx(4.0, abs=0.3)
        car.disable_constant_velocity()

    def test_physics_control_can_be_read_and_set(self, world, car):
        control = car.get_physics_control()
        assert len(control.wheels) == 4
        assert control.wheels[0].max_steer_angle > 30.0
        assert control.wheels[2].max_steer_angle == 0.0
        place = control.wheels[0].position
        assert math.hypot(place.x / 100.0 - car.get_location().x, place.y / 100.0 - car.get_location().y) < 3.0
        control.mass = 2345.0
        control.max_rpm = 7000.0
        car.apply_physics_control(control)
        world.tick()
        assert car.get_physics_control().mass == 2345.0
        assert car.get_physics_control().max_rpm == 7000.0

    def test_bounding_boxes(self, world, car):
        box = car.bounding_box
        assert box.extent.x == pytest.approx(2.396, abs=0.15)
        assert box.extent.y == pytest.approx(1.08, abs=0.2)
        assert box.location.z == pytest.approx(box.extent.z, abs=0.1)

    def test_vehicle_lights(self, client, world, car):
        state = carla.VehicleLightState(carla.VehicleLightState.LowBeam | carla.VehicleLightState.Brake)
        car.set_light_state(state)
        world.tick()
        assert car.get_light_state() == state
        command = carla.command.SetVehicleLightState(car.id, carla.VehicleLightState.NONE)
        client.apply_batch_sync([command], True)
        assert world.get_vehicles_light_states()[car.id] == carla.VehicleLightState.NONE

    def test_walkers_walk(self, world):
        blueprint = world.get_blueprint_library().find("walker.pedestrian.0001")
        point = world.get_map().get_spawn_points()[1]
        walker = world.spawn_actor(blueprint, carla.Transform(point.location + carla.Location(z=0.6)))
        for _ in range(20):
            world.tick()
        ground = world.get_map().get_waypoint(point.location).transform.location.z
        assert walker.get_location().z == pytest.approx(ground + walker.bounding_box.extent.z, abs=0.1)
        start = walker.get_location()
        walker.apply_control(carla.WalkerControl(direction=carla.Vector3D(1.0, 0.0, 0.0), speed=1.5))
        for _ in range(40):
            world.tick()
        assert walker.get_location().x - start.x == pytest.approx(3.0, abs=0.4)
        assert walker.get_velocity().x == pytest.approx(1.5, abs=0.1)
        assert walker.get_control().speed == pytest.approx(1.5)

    def test_rigid_children_follow(self, world, car):
        mount = carla.Transform(carla.Location(1.0, 0.5, 2.0), carla.Rotation(yaw=90.0))
        with listening(world, "sensor.other.imu", mount, car) as readings:
            car.apply_control(carla.VehicleControl(throttle=0.5, steer=0.2))
            for _ in range(30):
                frame = world.tick()
                reading = readings.get(timeout=20.0)
                assert reading.frame == frame
                expected = car.get_transform().transform(carla.Location(1.0, 0.5, 2.0))
                assert reading.transform.location.distance(expected) < 0.01
                turn = reading.transform.rotation.yaw - car.get_transform().rotation.yaw - 90.0
                assert abs((turn + 180.0) % 360.0 - 180.0) < 0.5

    def test_a_spring_arm_looks_at_its_parent(self, world, car):
        blueprint = world.get_blueprint_library().find("sensor.other.gnss")
        boom = carla.Transform(carla.Location(x=-6.0, z=3.0))
        child = world.spawn_actor(blueprint, boom, car, carla.AttachmentType.SpringArmGhost)
        for _ in range(5):
            world.tick()
        assert child.parent.id == car.id
        offset = car.get_location() - child.get_location()
        assert offset.length() == pytest.approx(math.hypot(6.0, 3.0), abs=0.5)
        look = child.get_transform().get_forward_vector()
        dot = (look.x * offset.x + look.y * offset.y + look.z * offset.z) / offset.length()
        assert dot > 0.99

    def test_collisions_are_reported_to_both(self, world, car):
        ahead = car.get_transform()
        ahead.location += 8.0 * ahead.get_forward_vector() + carla.Location(z=0.3)
        other = world.spawn_actor(world.get_blueprint_library().find("vehicle.nissan.micra"), ahead)
        for _ in range(20):
            world.tick()
        with listening(world, "sensor.other.collision", parent=car) as readings:
            car.set_target_velocity(6.0 * car.get_transform().get_forward_vector())
            for _ in range(40):
                world.tick()
            events = []
            with contextlib.suppress(queue.Empty):
                while True:
                    events.append(readings.get(timeout=0.5))
        others = {event.other_actor.id for event in events}
        assert other.id in others
        event = next(event for event in events if event.other_actor.id == other.id)
        assert event.actor.id == car.id
        assert event.normal_impulse.length() > 100.0

    # --- batches --------------------------------------------------------------------------------------------

    def test_batches_spawn_follow_up_and_destroy(self, client, world):
        blueprint = world.get_blueprint_library().find("vehicle.seat.leon")
        point = world.get_map().get_spawn_points()[2]
        spawn = (
            carla.command.SpawnActor(blueprint, point)
            .then(carla.command.ApplyVehicleControl(carla.command.FutureActor, carla.VehicleControl(hand_brake=True)))
            .then(carla.command.SetVehicleLightState(carla.command.FutureActor, carla.VehicleLightState.Fog))
        )
        good, blocked = client.apply_batch_sync([spawn, carla.command.SpawnActor(blueprint, point)], True)
        assert not good.has_error()
        assert blocked.has_error()
        assert blocked.error == "Spawn failed because of collision at spawn position"
        car = world.get_actor(good.actor_id)
        world.tick()
        assert car.get_control().hand_brake
        assert car.get_light_state() == carla.VehicleLightState.Fog
        (answer,) = client.apply_batch_sync([carla.command.DestroyActor(car)], True)
        assert answer.actor_id == good.actor_id
        world.tick()
        assert world.get_actor(good.actor_id) is None or good.actor_id not in [a.id for a in world.get_actors()]

    # --- weather, lights, episodes, clients -----------------------------------------------------------------

    def test_weather_is_kept(self, world):
        world.set_weather(carla.WeatherParameters.HardRainNoon)
        world.tick()
        assert world.get_weather() == carla.WeatherParameters.HardRainNoon
        world.set_weather(carla.WeatherParameters.ClearNoon)

    def test_traffic_lights_cycle_and_obey(self, world):
        lights = world.get_actors().filter("traffic.traffic_light")
        assert lights
        light = lights[0]
        group = light.get_group_traffic_lights()
        assert light.id in [member.id for member in group]
        light.set_state(carla.TrafficLightState.Green)
        light.set_green_time(7.0)
        world.tick()
        assert light.get_state() == carla.TrafficLightState.Green
        assert light.get_green_time() == 7.0
        light.freeze(True)
        world.tick()
        assert light.is_frozen()
        before = [member.get_state() for member in group]
        for _ in range(400):
            world.tick()
        assert [member.get_state() for member in group] == before
        light.freeze(False)
        seen = set()
        for _ in range(900):
            world.tick()
            states = [member.get_state() for member in group]
            seen.update(states)
        assert seen == {carla.TrafficLightState.Red, carla.TrafficLightState.Yellow, carla.TrafficLightState.Green}
        assert world.get_traffic_light_from_opendrive_id(light.get_opendrive_id()).id == light.id

    def test_a_car_at_a_light_knows_it(self, world):
        for light in world.get_actors().filter("traffic.traffic_light"):
            stops = light.get_stop_waypoints()
            if stops:
                break
        pose = stops[0].transform
        pose.location.z += 0.3
        car = world.spawn_actor(world.get_blueprint_library().find("vehicle.tesla.model3"), pose)
        light.set_state(carla.TrafficLightState.Red)
        light.freeze(True)
        world.tick()
        world.tick()
        assert car.is_at_traffic_light()
        assert car.get_traffic_light_state() == carla.TrafficLightState.Red
        assert car.get_traffic_light().id == light.id
        light.set_state(carla.TrafficLightState.Green)
        world.tick()
        world.tick()
        assert car.get_traffic_light_state() == carla.TrafficLightState.Green
        light.freeze(False)
        car.set_transform(world.get_map().get_spawn_points()[0])
        world.tick()
        world.tick()
        assert not car.is_at_traffic_light()

    def test_two_clients_see_one_world(self, client, world, car):
        host, port = self.address()
        second = carla.Client(host, port)
        second.set_timeout(20.0)
        other = second.get_world()
        world.tick()
        time.sleep(0.3)
        frame = world.tick()
        assert car.id in [actor.id for actor in other.get_actors()]
        assert other.get_actor(car.id).get_location().distance(car.get_location()) < 0.5
        assert other.get_settings().synchronous_mode
        assert frame == world.get_snapshot().frame

    def test_reloading_gives_a_fresh_episode(self, client, world, car):
        old = world.id
        fresh = client.reload_world(False)
        assert fresh.id != old
        assert not fresh.get_actors().filter("vehicle.*")
        assert fresh.get_settings().synchronous_mode
        frame = fresh.tick()
        assert frame > 0
        assert fresh.get_spectator().type_id == "spectator"


class TestEmbeddedServer(ServerContract):
    """The embedded engine keeps the contract, on our own town."""

    @pytest.fixture(scope="class")
    def server(self):
        with engine("--map", "RealityTown") as server:
            yield server
            assert "Traceback" not in server.log_text()

    @pytest.fixture(scope="class", autouse=True)
    def _remember(self, request, server):
        request.cls.server_port = server.port

    def address(self):
        return "127.0.0.1", self.server_port

    @pytest.fixture
    def client(self, server):
        client = carla.Client("127.0.0.1", server.port)
        client.set_timeout(20.0)
        return client

    def test_maps_can_be_switched(self, client, world):
        assert {name.rsplit("/", 1)[1] for name in client.get_available_maps()} >= {"RealityStreet", "RealityTown"}
        street = client.load_world("RealityStreet", False)
        assert street.get_map().name == "Carla/Maps/RealityStreet"
        with pytest.raises(RuntimeError, match=r"^Map 'Nowhere' not found$"):
            client.load_world("Nowhere")
        town = client.load_world("/Game/Carla/Maps/RealityTown", True)
        assert town.get_map().name == "Carla/Maps/RealityTown"
        assert not town.get_settings().synchronous_mode

    def test_an_opendrive_text_becomes_a_world(self, client, world):
        text = world.get_map().to_opendrive()
        made = client.generate_opendrive_world(text, carla.OpendriveGenerationParameters(), False)
        assert made.get_map().name == "Carla/Maps/OpenDriveMap"
        assert len(made.get_map().get_topology()) == len(carla.Map("x", text).get_topology())
        with pytest.raises(RuntimeError, match="opendrive could not be correctly parsed"):
            client.generate_opendrive_world("<OpenDRIVE><road/></OpenDRIVE>", carla.OpendriveGenerationParameters())
        client.load_world("RealityTown", False)

    def test_errors_have_carlas_texts(self, client, world, car):
        blueprint = world.get_blueprint_library().find("sensor.other.imu")
        ghost = world.spawn_actor(world.get_blueprint_library().find("util.actor.empty"), carla.Transform())
        world.tick()
        assert ghost.destroy()
        with pytest.raises(RuntimeError, match=r"^unable to attach actor: parent actor not found$"):
            world.spawn_actor(blueprint, carla.Transform(), attach_to=ghost)
        commands = [carla.command.DestroyActor(99999), carla.command.ApplyTransform(99999, carla.Transform())]
        errors = [answer.error for answer in client.apply_batch_sync(commands, True)]
        assert errors == [
            "unable to destroy actor: not found",
            "Actor could not be found in the registry.  Actor Id: 99999",
        ]

    def test_cameras_share_a_frame(self, world, car):
        mount = carla.Transform(carla.Location(x=1.5, z=2.0))
        size = {"image_size_x": 160, "image_size_y": 120}
        with contextlib.ExitStack() as stack:
            queues = [
                stack.enter_context(listening(world, f"sensor.camera.{name}", mount, car, **size))
                for name in ("rgb", "depth", "semantic_segmentation", "instance_segmentation")
            ]
            frame = world.tick()
            images = [readings.get(timeout=20.0) for readings in queues]
        assert {image.frame for image in images} == {frame}
        assert {(image.width, image.height, image.fov) for image in images} == {(160, 120, 90.0)}
        tags = set(bytes(images[2].raw_data)[2::4])
        assert int(carla.CityObjectLabel.Roads) in tags
        assert bytes(images[2].raw_data)[2::4] == bytes(images[3].raw_data)[2::4]

    def test_no_rendering_mode_silences_cameras_only(self, world, car):
        world.apply_settings(
            carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S, no_rendering_mode=True)
        )
        with (
            listening(world, "sensor.camera.rgb", parent=car, image_size_x=64, image_size_y=48) as images,
            listening(world, "sensor.other.imu", parent=car) as readings,
        ):
            frame = world.tick()
            assert readings.get(timeout=20.0).frame == frame
            with pytest.raises(queue.Empty):
                images.get(timeout=0.5)

    def test_ackermann_control_reaches_its_speed(self, world, car):
        car.apply_ackermann_control(carla.VehicleAckermannControl(speed=5.0, acceleration=3.0))
        for _ in range(200):
            world.tick()
        assert car.get_velocity().length() == pytest.approx(5.0, abs=0.5)
        car.apply_ackermann_control(carla.VehicleAckermannControl(speed=0.0))
        tick_until(world, lambda: car.get_velocity().length() < 0.2)

    def test_lane_invasions_are_seen_by_the_client(self, world, car):
        with listening(world, "sensor.other.lane_invasion", parent=car) as readings:
            right = car.get_transform().get_right_vector()
            car.set_simulate_physics(False)
            for _ in range(30):
                car.set_location(car.get_location() - 0.2 * right)
                world.tick()
            assert readings.get(timeout=20.0).crossed_lane_markings

    def test_lamp_heads_and_bones_are_where_they_are_seen(self, world, car):
        light = world.get_actors().filter("traffic.traffic_light")[0]
        (head,) = light.get_light_boxes()
        offset = head.location - light.get_location()
        assert 2.0 < offset.z < 4.0
        assert math.hypot(offset.x, offset.y) < 1.0
        blueprint = world.get_blueprint_library().find("walker.pedestrian.0004")
        walker = world.spawn_actor(blueprint, world.get_map().get_spawn_points()[5])
        for _ in range(20):
            world.tick()
        bones = {bone.name: bone for bone in walker.get_bones().bone_transforms}
        assert {"crl_hips__C", "crl_foreArm__L", "crl_foot__R"} <= bones.keys()
        assert (
            bones["crl_neck__C"].world.location.z
            > bones["crl_hips__C"].world.location.z
            > walker.get_location().z - 0.3
        )
        foot = bones["crl_foot__R"].world.location
        assert foot.z < walker.get_location().z - 0.5

    def test_friction_triggers_change_the_grip_inside(self, world, car):
        blueprint = world.get_blueprint_library().find("static.trigger.friction")
        blueprint.set_attribute("friction", "0.3")
        for axis in "xyz":
            blueprint.set_attribute(f"extent_{axis}", "500.0")
        trigger = world.spawn_actor(blueprint, car.get_transform())
        world.tick()
        assert car.get_physics_control().wheels[0].tire_friction == pytest.approx(0.3)
        trigger.destroy()
        world.tick()
        world.tick()
        assert car.get_physics_control().wheels[0].tire_friction == pytest.approx(3.5)


if "REALITY_CARLA" in os.environ:

    class TestCarlaServer(ServerContract):
        """The contract itself, kept honest by a CARLA server."""

        def address(self):
            host, port = os.environ["REALITY_CARLA"].rsplit(":", 1)
            return host, int(port)

        @pytest.fixture
        def client(self):
            client = carla.Client(*self.address())
            client.set_timeout(60.0)
            return client

"""Programs on sensors and their readings."""

from __future__ import annotations

import queue
from typing import Any

import carla

from tools.api.run import WAIT_S, Run, program

_SMALL = {"image_size_x": 40, "image_size_y": 30}
_MOUNT = carla.Transform(carla.Location(x=1.0, z=2.2))


def _next(run: Run, readings: Any) -> Any:
    """Tick and return the first reading that comes."""
    for _ in range(20):
        run.world.tick()
        try:
            return readings.get(timeout=0.5)
        except queue.Empty:
            continue
    return readings.get(timeout=WAIT_S)


def _read_all(value: Any) -> None:
    """Read every property of a value, its text included."""
    for name, found in vars(type(value)).items():
        if isinstance(found, property):
            getattr(value, name)
    str(value)


def _common(run: Run, reading: Any) -> None:
    now = run.world.get_snapshot()
    assert reading.frame == reading.frame_number <= now.frame
    late = (now.frame - reading.frame) * now.timestamp.delta_seconds
    assert abs(reading.timestamp + late - now.timestamp.elapsed_seconds) < 1e-4
    assert reading.transform.location.length() >= 0.0


@program
def listening(run: Run) -> None:
    """A sensor listens, stops and listens again; it tells which and whether."""
    car = run.car(0, settle=2)
    with run.reading("sensor.camera.rgb", car, _MOUNT, **_SMALL) as (camera, readings):
        assert camera.is_listening()
        _common(run, _next(run, readings))
        camera.stop()
        assert not camera.is_listening()
        camera.listen(readings.put)
        _next(run, readings)
        camera.enable_for_ros()
        assert not camera.is_enabled_for_ros()
        camera.disable_for_ros()
        camera.set_ignored_vehicles([car.id])
        run.attempt(camera.get_ignored_vehicles)
        run.attempt(lambda: camera.send("hello"))
        buffers: queue.Queue = queue.Queue()
        camera.enable_gbuffers(True)
        camera.listen_to_gbuffer(carla.GBufferTextureID.SceneDepth, buffers.put)
        assert camera.is_listening_gbuffer(carla.GBufferTextureID.SceneDepth)
        assert len(_next(run, buffers).raw_data) == 40 * 30 * 4
        camera.stop_gbuffer(carla.GBufferTextureID.SceneDepth)
        assert camera.type_id in str(camera)


@program
def images(run: Run) -> None:
    """Pictures of every camera are read, converted, changed and saved."""
    car = run.car(0, settle=2)
    for name in ("rgb", "depth", "semantic_segmentation"):
        with run.reading(f"sensor.camera.{name}", car, _MOUNT, **_SMALL) as (_, readings):
            image = _next(run, readings)
            assert (image.width, image.height, image.fov, len(image)) == (40, 30, 90.0, 1200)
            assert len(image.raw_data) == 4800
            image[0] = carla.Color(1, 2, 3, 4)
            assert image[0] == carla.Color(1, 2, 3, 4)
            assert len(list(image)) == 1200
            assert str(image.width) in str(image)
            if name == "depth":
                image.convert(carla.ColorConverter.LogarithmicDepth)
            image.save_to_disk(str(run.folder / f"{name}.png"))
            assert (run.folder / f"{name}.png").stat().st_size > 50
    with run.reading("sensor.camera.optical_flow", car, _MOUNT, **_SMALL) as (_, readings):
        flow = _next(run, readings)
        assert (flow.width, flow.height, flow.fov, len(flow)) == (40, 30, 90.0, 1200)
        flow[0] = carla.OpticalFlowPixel(0.5, 0.25)
        assert flow[0] == carla.OpticalFlowPixel(0.5, 0.25)
        assert len(list(flow)) == 1200
        assert len(flow.raw_data) > 0
        str(flow)
        colored = flow.get_color_coded_flow()
        assert (colored.width, colored.height, colored.fov) == (40, 30, 90.0)
        _list_like(run, colored)


def _list_like(run: Run, image: Any) -> None:
    """Try what the wheel names for a colour-coded flow: it lacks the converters for all of it."""
    for use in (
        lambda: len(image.raw_data),
        lambda: len(image),
        lambda: image[0],
        lambda: image.__setitem__(0, 1),
        lambda: 0 in image,
        lambda: list(image),
        lambda: image.append(0),
        lambda: image.extend([0]),
        lambda: image.__delitem__(0),
    ):
        run.attempt(use)


@program
def events_of_light(run: Run) -> None:
    """A DVS camera beside a moving car sends events with place, time and sign."""
    car = run.car(0, settle=5)
    with run.reading("sensor.camera.dvs", car, _MOUNT, **_SMALL) as (_, readings):
        car.set_target_velocity(8.0 * car.get_transform().get_forward_vector())
        events = _next(run, readings)
        assert (events.width, events.height, events.fov) == (40, 30, 90.0)
        assert len(events) == len(list(events)) >= 1
        _read_all(events[0])
        events[0] = events[0]
        assert len(events.raw_data) >= 13
        assert len(events.to_array_x()) == len(events.to_array_y()) == len(events)
        assert len(events.to_array_t()) == len(events.to_array_pol()) == len(events)
        events.to_image()
        run.attempt(events.to_array)
        str(events)


@program
def ranges(run: Run) -> None:
    """Lidar, semantic lidar and radar send points."""
    car = run.car(0, settle=2)
    for name in ("ray_cast", "ray_cast_semantic"):
        with run.reading(f"sensor.lidar.{name}", car, _MOUNT, channels=4, range=40) as (_, readings):
            scan = _next(run, readings)
            count = sum(scan.get_point_count(channel) for channel in range(scan.channels))
            assert scan.channels == 4
            assert count == len(scan) == len(list(scan)) >= 1
            assert scan.horizontal_angle >= 0.0
            assert len(scan.raw_data) == count * (16 if name == "ray_cast" else 24)
            scan[0] = scan[0]
            _read_and_write(scan[0], carla.Location())
            scan.save_to_disk(str(run.folder / f"{name}.ply"))
            str(scan)
    with run.reading("sensor.other.radar", car, _MOUNT) as (_, readings):
        scan = _next(run, readings)
        assert scan.get_detection_count() == len(scan) == len(list(scan)) >= 1
        assert len(scan.raw_data) == 16 * len(scan)
        scan[0] = scan[0]
        _read_and_write(scan[0], None)
        str(scan)


def _read_and_write(detection: Any, place: Any) -> None:
    for name, found in vars(type(detection)).items():
        if isinstance(found, property):
            value = getattr(detection, name)
            if found.fset is not None:
                setattr(detection, name, place if name == "point" else value)
    str(detection)


@program
def readings_of_one_s_own(run: Run) -> None:
    """Single detections can be made empty; every kind of sensor prints itself."""
    for kind in (carla.LidarDetection, carla.SemanticLidarDetection, carla.RadarDetection, carla.DVSEvent):
        run.attempt(kind)
    for kind in (carla.CAMMessage, carla.CustomV2XData):
        run.attempt(kind)
    car = run.car(0, settle=1)
    for name in ("sensor.other.gnss", "sensor.other.lane_invasion"):
        with run.reading(name, car) as (sensor, _):
            for kind in type(sensor).__mro__[:-2]:
                assert name in run.attempt(lambda kind=kind, sensor=sensor: kind.__str__(sensor))
            assert carla.Sensor.is_listening(sensor)


@program
def small_sensors(run: Run) -> None:
    """GNSS, IMU, obstacle, collision and lane invasion tell what happens to a car."""
    world, car = run.world, run.car(0, settle=10)
    for name in ("gnss", "imu"):
        with run.reading(f"sensor.other.{name}", car) as (_, readings):
            reading = _next(run, readings)
            _read_all(reading)
            _common(run, reading)
    ahead = car.get_transform()
    ahead.location += 8.0 * ahead.get_forward_vector() + carla.Location(z=0.3)
    other = world.spawn_actor(run.blueprint("vehicle.nissan.micra"), ahead)
    run.ticks(10)
    with run.reading("sensor.other.obstacle", car, carla.Transform(carla.Location(x=2.5, z=1.0)), distance=15) as (
        _,
        readings,
    ):
        seen = _next(run, readings)
        assert seen.actor.id == car.id
        assert seen.other_actor.id == other.id
        assert 1.0 < seen.distance < 8.0
        str(seen)
    with run.reading("sensor.other.collision", car) as (_, readings):
        car.set_target_velocity(8.0 * car.get_transform().get_forward_vector())
        hit = _next(run, readings)
        assert (hit.actor.id, hit.other_actor.id) == (car.id, other.id)
        assert hit.normal_impulse.length() > 10.0
        str(hit)
    other.destroy()
    with run.reading("sensor.other.lane_invasion", car) as (sensor, readings):
        str(sensor)
        assert sensor.is_listening()
        car.set_simulate_physics(False)
        right = car.get_transform().get_right_vector()
        for _ in range(30):
            car.set_location(car.get_location() - 0.2 * right)
            world.tick()
        event = readings.get(timeout=WAIT_S)
        assert len(event.crossed_lane_markings) >= 1
        run.attempt(lambda: event.actor)
        run.attempt(lambda: str(event))


@program
def radio(run: Run) -> None:
    """Two cars tell each other of themselves by CAM and by messages of their own."""
    cars = [run.car(0, settle=2), run.car(1, settle=2)]
    with (
        run.reading("sensor.other.v2x", cars[0], carla.Transform(), path_loss_model="geometric") as (_, heard),
        run.reading("sensor.other.v2x", cars[1], carla.Transform(), path_loss_model="geometric"),
    ):
        event = _next(run, heard)
        assert event.get_message_count() == len(event) == len(list(event)) >= 1
        _message(event[0])
    with (
        run.reading("sensor.other.v2x_custom", cars[0]) as (_, heard),
        run.reading("sensor.other.v2x_custom", cars[1]) as (sender, _),
    ):
        run.ticks(2)
        sender.send("hello")
        event = _next(run, heard)
        assert event.get_message_count() == len(event) == len(list(event)) == 1
        assert "hello" in str(event[0].get())
        _message(event[0])


def _message(message: Any) -> None:
    assert isinstance(message.get(), dict)
    assert message.power < 100.0
    str(message)

"""Programs on the client object: connecting, maps, files, batches, recorder."""

from __future__ import annotations

from typing import Any

import carla

from tools.api.run import STEP_S, Run, program

command = carla.command


@program
def versions_and_files(run: Run) -> None:
    """A client tells versions, lists maps and files, and fetches what is offered."""
    client = carla.Client("127.0.0.1", run.port, worker_threads=1)
    client.set_timeout(60.0)
    assert client.get_client_version() == client.get_server_version() == "0.9.16"
    assert any(name.endswith("/RealityTown_Opt") for name in client.get_available_maps())
    client.set_files_base_folder(str(run.folder))
    files = client.get_required_files("Nav", False)
    for name in files:
        client.request_file(name)
        assert any(found.name == name.rsplit("/", 1)[-1] for found in run.folder.rglob("*"))


@program
def maps_and_layers(run: Run) -> None:
    """Maps are loaded, reloaded and kept; layers of an _Opt map go and come."""
    client = run.client
    world = client.load_world("RealityStreet_Opt", False, carla.MapLayer.All)
    everything = world.get_environment_objects(carla.CityObjectLabel.Any)
    world.unload_map_layer(carla.MapLayer.Buildings)
    assert not world.get_environment_objects(carla.CityObjectLabel.Buildings)
    assert world.get_environment_objects(carla.CityObjectLabel.Roads)
    world.load_map_layer(carla.MapLayer.Buildings)
    assert len(world.get_environment_objects(carla.CityObjectLabel.Any)) == len(everything)
    before = world.id
    assert client.reload_world(False).id != before
    client.load_world_if_different("RealityStreet_Opt", False, carla.MapLayer.All)
    assert client.get_world().get_map().name.endswith("RealityStreet_Opt")
    text = client.get_world().get_map().to_opendrive()
    made = client.generate_opendrive_world(text, carla.OpendriveGenerationParameters(wall_height=0.0), False)
    assert made.get_map().name.endswith("OpenDriveMap")
    run.world = client.load_world("RealityTown", False)
    run.settle()


@program
def recordings(run: Run) -> None:
    """A drive is recorded, looked into, and replayed."""
    client, car = run.client, run.car(0, settle=2, role_name="hero")
    path = client.start_recorder(str(run.folder / "drive.log"), True)
    car.apply_control(carla.VehicleControl(throttle=0.6))
    run.ticks(20)
    client.stop_recorder()
    run.world.tick()
    assert "Frames: " in client.show_recorder_file_info(path, False)
    assert "Frames: " in client.show_recorder_collisions(path, "a", "a")
    assert "Frames: " in client.show_recorder_actors_blocked(path, 60.0, 100.0)
    client.set_replayer_time_factor(1.0)
    client.set_replayer_ignore_hero(False)
    client.set_replayer_ignore_spectator(True)
    assert path in client.replay_file(path, 0.0, 0.5, 0, False)
    run.ticks(5)
    client.stop_replayer(False)
    run.world.tick()


@program
def batches(run: Run) -> None:
    """Every command of a batch is made, read back and obeyed."""
    client, world = run.client, run.world
    car, walker = run.car(0, settle=5), run.walker(3)
    spawned = command.SpawnActor(run.blueprint("vehicle.audi.a2"), run.point(1)).then(
        command.SetSimulatePhysics(command.FutureActor, False)
    )
    attached = command.SpawnActor(run.blueprint("sensor.other.imu"), carla.Transform(), car)
    batch = [spawned, attached, *_all_commands(car.id, walker.id)]
    answers = client.apply_batch_sync(batch, True)
    assert [answer.error for answer in answers if answer.has_error()] == []
    assert world.get_actor(answers[0].actor_id).type_id == "vehicle.audi.a2"
    assert world.get_actor(answers[1].actor_id).parent.id == car.id
    assert car.get_light_state() == carla.VehicleLightState.Fog
    assert car.get_physics_control().mass == 1999.0
    client.apply_batch([command.DestroyActor(answers[0].actor_id), command.DestroyActor(answers[1].actor_id)])
    world.tick()
    world.tick()
    assert answers[0].actor_id not in [actor.id for actor in world.get_actors()]
    wrong = client.apply_batch_sync([command.DestroyActor(987654)], False)[0]
    assert wrong.has_error()
    assert wrong.error == "unable to destroy actor: not found"
    for made in batch:
        _read_fields(run, made)


def _all_commands(car: int, walker: int) -> list[Any]:
    control = carla.VehiclePhysicsControl()
    vector = carla.Vector3D(0.0, 0.0, 1.0)
    at = carla.Transform(carla.Location(0.0, 0.0, 0.0))
    commands = [
        command.ApplyVehicleControl(car, carla.VehicleControl(brake=1.0)),
        command.ApplyVehicleAckermannControl(car, carla.VehicleAckermannControl(speed=0.0)),
        command.ApplyWalkerControl(walker, carla.WalkerControl()),
        command.ApplyTargetVelocity(car, carla.Vector3D()),
        command.ApplyTargetAngularVelocity(car, carla.Vector3D()),
        command.ApplyImpulse(car, vector),
        command.ApplyForce(car, vector),
        command.ApplyAngularImpulse(car, vector),
        command.ApplyTorque(car, vector),
        command.SetSimulatePhysics(car, True),
        command.SetEnableGravity(car, True),
        command.SetAutopilot(car, False),
        command.SetVehicleLightState(car, carla.VehicleLightState.Fog),
        command.ApplyWalkerState(walker, at, 1.0),
        command.ApplyTransform(walker, at),
        command.DestroyActor(walker),
    ]
    control.mass = 1999.0
    control.wheels = [carla.WheelPhysicsControl(radius=35.0, max_steer_angle=70.0 if n < 2 else 0.0) for n in range(4)]
    control.forward_gears = [carla.GearPhysicsControl(3.0, 0.5, 0.75)]
    return [*commands, command.ApplyVehiclePhysicsControl(car, control)]


def _read_fields(run: Run, made: Any) -> None:
    for name, found in vars(type(made)).items():
        if isinstance(found, property):
            value = run.attempt(lambda name=name: getattr(made, name))
            if not isinstance(value, Exception) and found.fset is not None:
                run.attempt(lambda name=name, value=value: setattr(made, name, value))


@program
def commands_on_their_own(run: Run) -> None:
    """Commands can be made empty, and the one that Python cannot send says so."""
    for name, kind in vars(command).items():
        if isinstance(kind, type) and name not in ("Response", "SpawnActor", "FutureActor"):
            run.attempt(kind)
    empty = run.attempt(command.SpawnActor)
    _read_fields(run, empty)
    shown = run.attempt(lambda: command.ShowDebugTelemetry(1, True))
    _read_fields(run, shown)
    run.attempt(lambda: run.client.apply_batch_sync([shown], False))


@program
def settings(run: Run) -> None:
    """Settings come back as they were sent."""
    world = run.world
    wanted = carla.WorldSettings(
        synchronous_mode=True,
        no_rendering_mode=True,
        fixed_delta_seconds=0.04,
        max_culling_distance=120.0,
        deterministic_ragdolls=False,
        tile_stream_distance=1500.0,
        actor_active_distance=900.0,
        spectator_as_ego=False,
    )
    world.apply_settings(wanted)
    assert world.get_settings() == wanted
    assert world.get_settings() != carla.WorldSettings()
    world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))

"""Programs on actors of all kinds, vehicles and walkers."""

from __future__ import annotations

import math

import carla

from tools.api.run import Run, program


@program
def what_every_actor_has(run: Run) -> None:
    """Identity, pose, forces and parts of an actor."""
    world, car = run.world, run.car(0)
    assert car.attributes["number_of_wheels"] == "4"
    assert car.type_id == "vehicle.tesla.model3"
    assert car.is_alive
    assert car.is_active
    assert not car.is_dormant
    assert car.actor_state == carla.ActorState.Active
    assert car.parent is None
    assert list(car.semantic_tags) == [14]
    assert car.bounding_box.extent.x > 2.0
    assert car.get_world().id == world.id
    assert str(car.id) in str(car)
    mass, start = car.get_physics_control().mass, car.get_location()
    car.set_location(start + carla.Location(z=15.0))
    world.tick()
    before = car.get_velocity().z
    car.add_impulse(carla.Vector3D(0.0, 0.0, 3.0 * mass))
    world.tick()
    assert car.get_velocity().z - before > 2.0
    car.add_force(carla.Vector3D(0.0, 0.0, 9.81 * mass))
    car.add_angular_impulse(carla.Vector3D(0.0, 0.0, 100.0))
    car.add_torque(carla.Vector3D(0.0, 0.0, 100.0))
    car.set_enable_gravity(False)
    world.tick()
    level = car.get_velocity().z
    run.ticks(5)
    assert abs(car.get_velocity().z - level) < 0.2
    car.set_enable_gravity(True)
    car.set_target_velocity(carla.Vector3D(2.0, 0.0, 0.0))
    car.set_target_angular_velocity(carla.Vector3D(0.0, 0.0, 10.0))
    world.tick()
    assert car.get_velocity().x > 1.0
    assert car.get_angular_velocity().z > 3.0
    assert car.get_acceleration().length() >= 0.0
    car.set_transform(run.point(0))
    car.enable_constant_velocity(carla.Vector3D(3.0, 0.0, 0.0))
    run.ticks(10)
    assert math.isclose(car.get_velocity().length(), 3.0, abs_tol=0.3)
    car.disable_constant_velocity()
    car.set_simulate_physics(False)
    car.set_collisions(False)
    world.tick()
    car.set_collisions(True)
    car.set_simulate_physics(True)
    assert car.destroy()
    assert not car.is_alive


@program
def parts_of_an_actor(run: Run) -> None:
    """Components, bones and sockets are named and placed."""
    car = run.car(0)
    names = car.get_component_names()
    for name in names:
        assert car.get_component_world_transform(name).location.distance(car.get_location()) < 10.0
        car.get_component_relative_transform(name)
    bones = car.get_bone_names()
    assert len(bones) == len(car.get_bone_world_transforms()) == len(car.get_bone_relative_transforms())
    assert len(car.get_vehicle_bone_world_transforms()) == len(bones)
    sockets = car.get_socket_names()
    assert len(sockets) == len(car.get_socket_world_transforms()) == len(car.get_socket_relative_transforms())


@program
def a_vehicle_in_full(run: Run) -> None:
    """Controls, gains, physics, doors, lights and wheels of a car."""
    world, car = run.world, run.car(0)
    car.apply_control(carla.VehicleControl(throttle=0.4, steer=0.2))
    run.ticks(10)
    assert math.isclose(car.get_control().steer, 0.2, abs_tol=1e-6)
    assert car.get_wheel_steer_angle(carla.VehicleWheelLocation.FL_Wheel) > 5.0
    telemetry = car.get_telemetry_data()
    assert telemetry.speed > 0.1
    assert len(telemetry.wheels) == 4
    assert telemetry.wheels[0].tire_load > 1000.0
    gains = car.get_ackermann_controller_settings()
    gains.speed_kp = 0.33
    car.apply_ackermann_controller_settings(gains)
    car.apply_ackermann_control(carla.VehicleAckermannControl(speed=2.0))
    world.tick()
    assert math.isclose(car.get_ackermann_controller_settings().speed_kp, 0.33, abs_tol=1e-6)
    control = car.get_physics_control()
    control.mass += 100.0
    car.apply_physics_control(control)
    world.tick()
    assert car.get_physics_control() != control or car.get_physics_control().mass == control.mass
    assert math.isclose(car.get_physics_control().mass, control.mass)
    car.set_light_state(carla.VehicleLightState(carla.VehicleLightState.HighBeam))
    world.tick()
    assert car.get_light_state() == carla.VehicleLightState.HighBeam
    assert world.get_vehicles_light_states()[car.id] == carla.VehicleLightState.HighBeam
    car.open_door(carla.VehicleDoor.FL)
    world.tick()
    car.close_door(carla.VehicleDoor.All)
    car.set_wheel_steer_direction(carla.VehicleWheelLocation.FR_Wheel, 15.0)
    car.set_wheel_pitch_angle(carla.VehicleWheelLocation.FR_Wheel, 20.0)
    car.get_wheel_pitch_angle(carla.VehicleWheelLocation.FR_Wheel)
    assert car.get_failure_state() == carla.VehicleFailureState.NONE
    assert car.get_speed_limit() > 0.0
    assert not car.is_at_traffic_light()
    assert car.get_traffic_light() is None
    assert car.get_traffic_light_state() in list(carla.TrafficLightState.values.values())
    car.show_debug_telemetry(False)
    car.enable_carsim("nothing.sim")
    car.use_carsim_road(True)
    car.enable_chrono_physics(5000, 0.002, "", "", "", "")
    car.restore_physx_physics()
    world.tick()
    assert car.type_id in str(car)


@program
def a_walker_in_full(run: Run) -> None:
    """A walker walks, and its bones are read, set and blended."""
    world, walker = run.world, run.walker(3)
    walker.apply_control(carla.WalkerControl(carla.Vector3D(1.0, 0.0, 0.0), 1.0, False))
    run.ticks(5)
    assert math.isclose(walker.get_control().speed, 1.0, abs_tol=1e-6)
    assert walker.type_id in str(walker)
    walker.apply_control(carla.WalkerControl())
    run.ticks(5)
    bones = walker.get_bones()
    assert len(bones.bone_transforms) == 66
    str(bones)
    by_name = {bone.name: bone for bone in bones.bone_transforms}
    arm = by_name["crl_arm__L"]
    raised = carla.Transform(arm.relative.location, carla.Rotation(roll=arm.relative.rotation.roll + 90.0))
    pose = carla.WalkerBoneControlIn([("crl_arm__L", raised)])
    walker.get_pose_from_animation()
    walker.set_bones(pose)
    walker.blend_pose(0.5)
    world.tick()
    half = {bone.name: bone for bone in walker.get_bones().bone_transforms}["crl_hand__L"].world.location.z
    walker.show_pose()
    world.tick()
    up = {bone.name: bone for bone in walker.get_bones().bone_transforms}["crl_hand__L"].world.location.z
    down = by_name["crl_hand__L"].world.location.z
    assert up - down > 0.3
    assert down < half < up
    walker.hide_pose()


@program
def walker_controllers(run: Run) -> None:
    """The client's crowd walks a person over the navigation mesh."""
    world = run.world
    world.set_pedestrians_seed(7)
    world.set_pedestrians_cross_factor(0.1)
    start = world.get_random_location_from_navigation()
    assert start is not None
    walker = world.spawn_actor(run.blueprint("walker.pedestrian.0001"), carla.Transform(start + carla.Location(z=1.0)))
    controller = world.spawn_actor(run.blueprint("controller.ai.walker"), carla.Transform(), walker)
    world.tick()
    controller.start()
    controller.go_to_location(world.get_random_location_from_navigation())
    controller.set_max_speed(1.4)
    assert "controller" in str(controller)
    before = walker.get_location()
    run.ticks(60)
    assert walker.get_location().distance(before) > 0.5
    controller.stop()
    world.tick()

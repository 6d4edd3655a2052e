"""Programs on the world: snapshots, callbacks, rays, scene objects, debug shapes, weather."""

from __future__ import annotations

import carla

from tools.api.run import STEP_S, Run, program

Label = carla.CityObjectLabel


@program
def snapshots(run: Run) -> None:
    """Snapshots list the actors as they are; callbacks hear of every frame."""
    world, car = run.world, run.car(0)
    heard: list[int] = []
    number = world.on_tick(lambda snapshot: heard.append(snapshot.frame))
    frame = world.tick()
    run.until(lambda: frame in heard, "the callback")
    world.remove_on_tick(number)
    snapshot = world.get_snapshot()
    assert snapshot.frame == snapshot.frame_count == frame
    assert snapshot.timestamp.frame == snapshot.timestamp.frame_count == frame
    assert abs(snapshot.delta_seconds - STEP_S) < 1e-6
    assert abs(snapshot.timestamp.delta_seconds - STEP_S) < 1e-6
    assert snapshot.elapsed_seconds == snapshot.timestamp.elapsed_seconds
    assert snapshot.platform_timestamp == snapshot.timestamp.platform_timestamp
    assert snapshot.timestamp == world.get_snapshot().timestamp
    assert not snapshot.timestamp != world.get_snapshot().timestamp  # noqa: SIM202
    str(snapshot.timestamp), str(snapshot)
    assert snapshot == world.get_snapshot()
    assert snapshot.has_actor(car.id)
    assert len(snapshot) == len(world.get_actors()) == len(list(snapshot))
    own = snapshot.find(car.id)
    assert own.id == car.id
    assert own.get_transform() == car.get_transform()
    assert own.get_velocity() == car.get_velocity()
    assert own.get_angular_velocity() == car.get_angular_velocity()
    assert own.get_acceleration() == car.get_acceleration()
    str(own)
    world.tick()
    assert snapshot != world.get_snapshot()
    assert snapshot.id == world.get_snapshot().id == world.id
    str(world)
    world.apply_settings(carla.WorldSettings(synchronous_mode=False))
    assert world.wait_for_tick(10.0).frame > frame
    run.settle()


@program
def actor_lists(run: Run) -> None:
    """Lists of actors are filtered, searched and walked through."""
    world, car, walker = run.world, run.car(0, settle=1), run.walker(3)
    actors = world.get_actors()
    assert len(actors.filter("vehicle.*")) == 1
    assert actors.find(walker.id).type_id == walker.type_id
    assert len(list(actors)) == len(actors)
    assert actors[0].id in [actor.id for actor in actors]
    str(actors)
    assert world.get_actors([car.id])[0].id == car.id
    assert world.get_actor(walker.id).id == walker.id
    assert world.get_spectator().type_id == "spectator"
    assert "spectator" in str(world.get_spectator())
    assert world.try_spawn_actor(run.blueprint("vehicle.audi.a2"), run.point(0)) is None
    assert world.try_spawn_actor(run.blueprint("vehicle.audi.a2"), run.point(4)) is not None


@program
def blueprints(run: Run) -> None:
    """The library is searched; attributes are typed, restricted and checked."""
    library = run.world.get_blueprint_library()
    assert len(library) == len(list(library))
    assert library[0].id in [found.id for found in library]
    str(library)
    assert len(library.filter("vehicle.*")) > 30
    assert len(library.filter_by_attribute("base_type", "truck")) >= 1
    car = library.find("vehicle.tesla.model3")
    assert car.has_tag("model3")
    assert "vehicle" in car.tags
    assert car.match_tags("*tesla*")
    assert len(car) == len(list(car))
    assert car.id in str(car)
    assert car.has_attribute("color")
    car.set_attribute("color", "1,2,3")
    color = car.get_attribute("color")
    assert color.as_color() == carla.Color(1, 2, 3)
    assert (color.id, color.type) == ("color", carla.ActorAttributeType.RGBColor)
    assert color.is_modifiable
    assert len(color.recommended_values) >= 1
    assert color == carla.Color(1, 2, 3)
    assert color != carla.Color(3, 2, 1)
    str(color)
    wheels, sticky = car.get_attribute("number_of_wheels"), car.get_attribute("sticky_control")
    assert wheels.as_int() == int(wheels) == 4
    assert sticky.as_bool()
    assert bool(sticky)
    assert sticky.__nonzero__()
    fov = library.find("sensor.camera.rgb").get_attribute("fov")
    assert fov.as_float() == float(fov) == 90.0
    assert car.get_attribute("role_name").as_str()
    for name, value in (("nothing", "1"), ("number_of_wheels", "3"), ("sticky_control", "maybe")):
        assert isinstance(run.attempt(lambda name=name, value=value: car.set_attribute(name, value)), Exception)


@program
def rays_and_objects(run: Run) -> None:
    """Rays find surfaces; scene objects have boxes and can be hidden."""
    world, car = run.world, run.car(0)
    above = car.get_location() + carla.Location(z=8.0)
    point = world.project_point(above, carla.Vector3D(0.0, 0.0, -1.0), 20.0)
    assert point.label == Label.Car
    assert abs(point.location.z - car.get_location().z) < 2.0
    assert world.ground_projection(above, 20.0).label == Label.Car
    labels = [hit.label for hit in world.cast_ray(above, above - carla.Location(z=20.0))]
    assert Label.Car in labels
    assert Label.Roads in labels
    assert all(box.extent.x > 0.0 for box in world.get_level_bbs(Label.Roads))
    assert len(world.get_level_bbs(Label.Car)) >= 1
    buildings = world.get_environment_objects(Label.Buildings)
    house = buildings[0]
    assert house.type == Label.Buildings
    assert house.bounding_box.extent.z > 1.0
    assert house.transform.location.distance(house.bounding_box.location) < 60.0
    assert house.name in world.get_names_of_all_objects()
    assert house.name in str(house)
    top = house.bounding_box.location + carla.Location(z=house.bounding_box.extent.z + 5.0)
    assert world.ground_projection(top, 200.0).label == Label.Buildings
    world.enable_environment_objects({house.id}, False)
    assert world.ground_projection(top, 200.0).label != Label.Buildings
    world.enable_environment_objects({house.id}, True)
    assert world.ground_projection(top, 200.0).label == Label.Buildings
    world.set_annotations_traverse_translucency(False)


@program
def weather_and_gravity(run: Run) -> None:
    """Weather and the IMU's gravity come back as they were set."""
    world, before = run.world, run.world.get_weather()
    world.set_weather(carla.WeatherParameters.MidRainSunset)
    world.tick()
    assert world.get_weather() == carla.WeatherParameters.MidRainSunset
    assert world.get_weather() != before
    world.set_weather(before)
    world.set_imui_sensor_gravity(1.62)
    world.tick()
    assert abs(world.get_imui_sensor_gravity() - 1.62) < 1e-6
    world.set_imui_sensor_gravity(9.81)


@program
def debug_shapes(run: Run) -> None:
    """Every debug shape is drawn, then cleared."""
    debug, a, b = run.world.debug, run.point(0).location, run.point(1).location
    red, box = carla.Color(255, 0, 0), carla.BoundingBox(a, carla.Vector3D(1.0, 1.0, 1.0))
    debug.draw_point(a, 0.1, red, 1.0, False)
    debug.draw_line(a, b, 0.1, red, 1.0, False)
    debug.draw_arrow(a, b, 0.1, 0.2, red, 1.0, False)
    debug.draw_box(box, carla.Rotation(), 0.1, red, 1.0, False)
    debug.draw_string(a, "here", False, red, 1.0, False)
    debug.draw_hud_point(a, 0.1, red, 1.0, False)
    debug.draw_hud_line(a, b, 0.1, red, 1.0, False)
    debug.draw_hud_arrow(a, b, 0.1, 0.2, red, 1.0, False)
    debug.draw_hud_box(box, carla.Rotation(), 0.1, red, 1.0, False)
    run.world.tick()
    debug.clear_debug_shape()
    debug.clear_debug_string()
    run.world.tick()


@program
def texture_calls(run: Run) -> None:
    """Textures: colours are replaced, all else is refused."""
    world, name = run.world, run.world.get_environment_objects(carla.CityObjectLabel.Buildings)[0].name
    plain, exact = carla.TextureColor(2, 2), carla.TextureFloatColor(2, 2)
    diffuse = carla.MaterialParameter.Diffuse
    world.apply_color_texture_to_object(name, diffuse, plain)
    world.apply_color_texture_to_objects([name], diffuse, plain)
    world.apply_float_color_texture_to_object(name, diffuse, exact)
    world.apply_float_color_texture_to_objects([name], diffuse, exact)
    run.attempt(lambda: world.apply_textures_to_object(name, plain, exact, exact, exact))
    run.attempt(lambda: world.apply_textures_to_objects([name], plain, exact, exact, exact))

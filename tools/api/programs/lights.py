"""Programs on traffic lights, signs and street lamps."""

from __future__ import annotations

import math

import carla

from tools.api.run import Run, program

State = carla.TrafficLightState


@program
def traffic_lights(run: Run) -> None:
    """A light is switched, timed, frozen, reset and found."""
    world = run.world
    lights = world.get_actors().filter("traffic.traffic_light")
    light = lights[0]
    light.set_state(State.Yellow)
    light.set_green_time(4.0)
    light.set_yellow_time(2.0)
    light.set_red_time(3.0)
    world.tick()
    assert light.state == light.get_state() == State.Yellow
    assert (light.get_green_time(), light.get_yellow_time(), light.get_red_time()) == (4.0, 2.0, 3.0)
    assert light.get_elapsed_time() >= 0.0
    light.freeze(True)
    world.tick()
    assert light.is_frozen()
    light.freeze(False)
    world.freeze_all_traffic_lights(True)
    world.tick()
    assert all(each.is_frozen() for each in lights)
    world.freeze_all_traffic_lights(False)
    light.reset_group()
    world.reset_all_traffic_lights()
    world.tick()
    assert not light.is_frozen()
    assert light.get_pole_index() >= 0
    assert light.id in [each.id for each in light.get_group_traffic_lights()]
    assert light.get_affected_lane_waypoints()
    assert light.get_stop_waypoints()
    assert light.get_light_boxes()[0].extent.z > 0.05
    assert light.trigger_volume.extent.x > 0.0
    assert world.get_traffic_light_from_opendrive_id(light.get_opendrive_id()).id == light.id
    stop = light.get_stop_waypoints()[0]
    assert light.id in [each.id for each in world.get_traffic_lights_from_waypoint(stop, 50.0)]
    junctions = {w.junction_id for w in world.get_map().generate_waypoints(5.0) if w.is_junction}
    assert any(world.get_traffic_lights_in_junction(junction) for junction in sorted(junctions))
    assert light.type_id in str(light)


@program
def street_lamps(run: Run) -> None:
    """The light manager reads and switches the lamps of the street."""
    world, manager = run.world, run.world.get_lightmanager()
    manager.set_day_night_cycle(False)
    world.tick()
    lamps = manager.get_all_lights(carla.LightGroup.Street)
    assert lamps
    lamp, two, red = lamps[0], lamps[:2], carla.Color(255, 0, 0)
    manager.turn_on(two)
    run.ticks(2)
    assert manager.is_active(two) == [True, True]
    assert lamp.is_on
    assert lamp.id in [each.id for each in manager.get_turned_on_lights(carla.LightGroup.Street)]
    manager.turn_off(two)
    run.ticks(2)
    assert lamp.id in [each.id for each in manager.get_turned_off_lights(carla.LightGroup.Street)]
    manager.set_active(two, [True, False])
    manager.set_color(two, red)
    manager.set_colors(two, [red, red])
    manager.set_intensity(two, 90.0)
    manager.set_intensities(two, [90.0, 80.0])
    manager.set_light_group(two, carla.LightGroup.Building)
    manager.set_light_groups(two, [carla.LightGroup.Street, carla.LightGroup.Street])
    run.ticks(2)
    assert manager.get_color(two)[0] == red
    assert math.isclose(manager.get_intensity(two)[1], 80.0)
    assert manager.get_light_group(two)[0] == carla.LightGroup.Street
    states = manager.get_light_state(two)
    manager.set_light_state(two, states[0])
    manager.set_light_states(two, states)
    lamp.turn_on()
    lamp.set_color(red)
    lamp.set_intensity(70.0)
    lamp.set_light_group(carla.LightGroup.Street)
    run.ticks(2)
    assert math.isclose(lamp.intensity, 70.0)
    assert lamp.color == red
    assert lamp.light_group == carla.LightGroup.Street
    assert lamp.location.z > 1.0
    lamp.set_light_state(lamp.light_state)
    lamp.turn_off()
    run.ticks(2)
    assert not lamp.is_on

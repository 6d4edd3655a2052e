"""A program on the traffic manager: the client's, fed by this server."""

from __future__ import annotations

import contextlib
import socket

from tools.api.run import Run, program


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@program
def traffic_manager(run: Run) -> None:
    """Every switch of the traffic manager, and cars that drive."""
    client, cars = run.client, [run.car(0, settle=2), run.car(1, settle=2)]
    manager = client.get_trafficmanager(_free_port())
    try:
        manager.set_synchronous_mode(True)
        manager.set_random_device_seed(3)
        for car in cars:
            car.set_autopilot(True, manager.get_port())
        car = cars[0]
        manager.auto_lane_change(car, True)
        manager.collision_detection(car, cars[1], True)
        manager.distance_to_leading_vehicle(car, 3.0)
        manager.force_lane_change(car, False)
        manager.global_lane_offset(0.0)
        manager.global_percentage_speed_difference(10.0)
        manager.set_global_distance_to_leading_vehicle(2.5)
        for share in (
            manager.ignore_lights_percentage,
            manager.ignore_signs_percentage,
            manager.ignore_vehicles_percentage,
            manager.ignore_walkers_percentage,
            manager.keep_slow_lane_rule_percentage,
            manager.random_left_lanechange_percentage,
            manager.random_right_lanechange_percentage,
        ):
            share(car, 10.0)
        manager.update_vehicle_lights(car, True)
        manager.vehicle_lane_offset(car, 0.1)
        manager.vehicle_percentage_speed_difference(car, -5.0)
        manager.set_desired_speed(car, 25.0)
        manager.set_hybrid_physics_mode(False)
        manager.set_hybrid_physics_radius(60.0)
        manager.set_osm_mode(True)
        manager.set_respawn_dormant_vehicles(False)
        manager.set_boundaries_respawn_dormant_vehicles(25.0, 300.0)
        ahead = run.world.get_map().get_waypoint(car.get_location()).next(15.0)[0].transform.location
        manager.set_path(cars[1], [ahead])
        manager.set_route(cars[1], ["Straight"])
        start = car.get_location()
        run.ticks(80)
        manager.get_next_action(car)
        manager.get_all_actions(car)
        assert car.get_location().distance(start) > 2.0
        for each in cars:
            each.set_autopilot(False, manager.get_port())
    finally:
        manager.shut_down()
    run.ticks(2)

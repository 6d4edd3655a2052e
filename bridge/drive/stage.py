"""Where one drives: freely on a map, or as the ego of a scenario. A stage owns the car and everybody else."""

from __future__ import annotations

import logging
from typing import Protocol

import carla

from bridge.drive import sky as skies
from bridge.drive.pedals import Controls
from bridge.drive.state import Verdict
from bridge.drive.traffic import Manager, Traffic
from foundation.errors import RealityError

log = logging.getLogger(__name__)

SPAWN_LIFTS_M = (0.3, 1.0, 3.0)
DEFAULT_VEHICLE = "vehicle.tesla.model3"


class Stage(Protocol):
    """What the session asks of a stage. ``epoch`` counts up when the car is another one or was put elsewhere."""

    epoch: int

    @property
    def ego(self) -> carla.Actor:
        """The car that the person drives."""
        ...

    def before_tick(self, controls: Controls) -> list[object]:
        """Return the commands for the coming tick."""
        ...

    def after_tick(self) -> None:
        """Look at the world after the tick."""
        ...

    @property
    def over(self) -> bool:
        """Whether nothing goes on any more."""
        ...

    @property
    def verdict(self) -> Verdict | None:
        """How it ended."""
        ...

    @property
    def title(self) -> str:
        """Of the scenario; empty on a free drive."""
        ...

    def close(self) -> None:
        """Take everybody out of the world."""
        ...


def vehicle_control(controls: Controls) -> carla.VehicleControl:
    """Return CARLA's control."""
    return carla.VehicleControl(
        throttle=controls.throttle,
        steer=controls.steer,
        brake=controls.brake,
        hand_brake=controls.hand_brake,
        reverse=controls.reverse,
        manual_gear_shift=controls.manual,
        gear=controls.gear,
    )


class FreeDrive:
    """A car on a map, with traffic, people, weather and an autopilot at the person's wish.

    Args:
        client, world: the genuine client, in synchronous mode.
        manager: the traffic manager.
        vehicle: blueprint id (or its end) of the first car.
        spawn: number of the first spawn point.
        seed: of the traffic.
        sky: the first weather.
    """

    title = ""
    over = False
    verdict: Verdict | None = None

    def __init__(
        self,
        client: carla.Client,
        world: carla.World,
        manager: Manager,
        vehicle: str,
        spawn: int,
        seed: int,
        sky: skies.Sky,
    ) -> None:
        self._client, self._world, self._manager = client, world, manager
        self.map = world.get_map()
        self.epoch = 0
        self.autopilot = False
        self._places = self.map.get_spawn_points()
        if not self._places:
            raise RealityError(f"the map {self.map.name} has no place to start from")
        self._choices = sorted(blueprint.id for blueprint in world.get_blueprint_library().filter("vehicle.*"))
        self._choice = self._choices.index(find_vehicle(vehicle, self._choices))
        self._place = spawn % len(self._places)
        self.latitude_deg = float(self.map.transform_to_geolocation(carla.Location()).latitude)
        self._weather = world.get_weather()
        self.sky = sky
        skies.apply(world, sky, self.latitude_deg)
        self.ego: carla.Vehicle = self._spawn_somewhere()
        self.traffic = Traffic(client, world, self.map, manager, seed)

    # --- ticks

    def before_tick(self, controls: Controls) -> list[object]:
        """Return the person's control, unless the autopilot drives, and the steps of the people."""
        commands = self.traffic.step(self._world.get_snapshot())
        if not self.autopilot:
            commands.append(carla.command.ApplyVehicleControl(self.ego, vehicle_control(controls)))
        return commands

    def after_tick(self) -> None:
        """Nothing is to be looked at."""

    # --- wishes of the person; each returns what to tell

    def toggle_autopilot(self) -> str:
        """Give the car to the traffic manager, or take it back."""
        self.autopilot = not self.autopilot
        self._manager.start()
        self.ego.set_autopilot(self.autopilot, self._manager.port)
        return "the traffic manager drives" if self.autopilot else "you drive"

    def change_sky(self, sky: skies.Sky) -> str:
        """Give the world another sky."""
        self.sky = sky
        skies.apply(self._world, sky, self.latitude_deg)
        return f"{sky.name}, {sky.clock}"

    def respawn(self, by: int = 1) -> str:
        """Begin again at the next free place of the map."""
        self._take_back()
        self.ego.destroy()
        self._place = (self._place + by) % len(self._places)
        self.ego = self._spawn_somewhere()
        return f"start {self._place}"

    def change_vehicle(self, by: int) -> str:
        """Put the next vehicle of the library where the car is."""
        at = self.ego.get_transform()
        self._take_back()
        self.ego.destroy()
        for _ in range(len(self._choices)):
            self._choice = (self._choice + by) % len(self._choices)
            car = self._spawn(at)
            if car is not None:
                self.ego = car
                self.epoch += 1
                return car.type_id.partition(".")[2].replace(".", " ").replace("_", " ").title()
        self.ego = self._spawn_somewhere()
        return f"no room for another vehicle; {self.ego.type_id} at start {self._place}"

    def _take_back(self) -> None:
        if self.autopilot:
            self.toggle_autopilot()

    def _spawn(self, at: carla.Transform) -> carla.Vehicle | None:
        blueprint = self._world.get_blueprint_library().find(self._choices[self._choice])
        blueprint.set_attribute("role_name", "hero")
        for lift in SPAWN_LIFTS_M:
            above = carla.Location(at.location.x, at.location.y, at.location.z + lift)
            level = carla.Rotation(yaw=at.rotation.yaw)
            car = self._world.try_spawn_actor(blueprint, carla.Transform(above, level))
            if car is not None:
                return car  # type: ignore[return-value]
        return None

    def _spawn_somewhere(self) -> carla.Vehicle:
        """Spawn at the place that was chosen, or at the next free one.

        Raises:
            RealityError: none is free.
        """
        for offset in range(len(self._places)):
            number = (self._place + offset) % len(self._places)
            car = self._spawn(self._places[number])
            if car is not None:
                self._place = number
                self.epoch += 1
                return car
        raise RealityError(f"no free place on {self.map.name} for {self._choices[self._choice]}")

    def close(self) -> None:
        """Take everybody out of the world, and give it its weather back."""
        self._take_back()
        self.traffic.close()
        self.ego.destroy()
        self._world.set_weather(self._weather)


def find_vehicle(name: str, choices: list[str]) -> str:
    """Return the blueprint id that is meant by its name or the end of it.

    Raises:
        RealityError: none, or more than one, is called so.
    """
    if name in choices:
        return name
    found = [choice for choice in choices if name.lower() in choice]
    if len(found) != 1:
        what = f"{len(found)} vehicles are called so" if found else "no vehicle is called so"
        raise RealityError(f"--vehicle {name}: {what}; there are {', '.join(found or choices)}")
    return found[0]


__all__ = ["DEFAULT_VEHICLE", "FreeDrive", "Stage", "find_vehicle", "vehicle_control"]

"""Other road users of a free drive: cars under CARLA's traffic manager, people who walk along the pavement.

People are moved by ``WalkerControl`` along the pavement lanes of the OpenDRIVE map, there and on, on any server: the
embedded engine has no navigation mesh for CARLA's own walker controller.
"""

from __future__ import annotations

import contextlib
import logging
import math
import socket
from dataclasses import dataclass, field

import carla

from foundation.errors import RealityError
from foundation.seeds import generator

log = logging.getLogger(__name__)

NEAR_M, FAR_M = 12.0, 140.0
"""New cars appear no nearer to the driver than this, and rather not farther."""
PEOPLE_NEAR_M, PEOPLE_FAR_M = 8.0, 90.0
PAVEMENT_STEP_M = 8.0
LOOK_AHEAD_M = 2.5
DECIDE_EVERY = 4
"""Walkers choose their direction every so many frames."""
STUCK_DECISIONS = 8


class Manager:
    """The client's traffic manager, made when it is first needed.

    ``TrafficManagerLocal`` of 0.9.16 sets its flags without the lock that its threads wait under, so now and then a
    wake-up is lost and ``world.tick()`` waits for ever. :meth:`wake` gets it going again: leaving synchronous mode
    signals the sleeping thread.
    """

    def __init__(self, client: carla.Client, seed: int) -> None:
        self._client, self._seed = client, seed
        self._manager: carla.TrafficManager | None = None
        self.port = 0

    @property
    def running(self) -> bool:
        """Whether it has been made."""
        return self._manager is not None

    def start(self) -> carla.TrafficManager:
        """Return the manager; the first call builds its map, which takes a second."""
        if self._manager is None:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            manager = self._client.get_trafficmanager(self.port)
            manager.set_synchronous_mode(True)
            manager.set_random_device_seed(self._seed % 2**31)
            manager.set_global_distance_to_leading_vehicle(2.5)
            self._manager = manager
        return self._manager

    def wake(self) -> None:
        """Wake the manager's threads when a wake-up was lost; may be called from any thread, and at any time."""
        if self._manager is not None:
            self._manager.set_synchronous_mode(False)
            self._manager.set_synchronous_mode(True)

    def stop(self) -> None:
        """Leave synchronous mode, so that no thread waits for a tick that will not come."""
        if self._manager is not None:
            with contextlib.suppress(RuntimeError):
                self._manager.set_synchronous_mode(False)
            self._manager = None


@dataclass
class Stroller:
    """Somebody who walks along the pavement: where to, how fast, and how far from its middle."""

    actor: carla.Actor
    waypoint: carla.Waypoint
    forward: bool
    speed_mps: float
    side: float
    stuck: int = 0
    last: tuple[float, float] = field(default=(math.inf, math.inf))

    def decide(self, at: carla.Location) -> carla.WalkerControl:
        """Return the control for the next frames; turns round at the end of the pavement and where nothing moves."""
        moved = math.hypot(at.x - self.last[0], at.y - self.last[1])
        self.last = (at.x, at.y)
        self.stuck = self.stuck + 1 if moved < 0.02 else 0
        if self.stuck >= STUCK_DECISIONS:
            self.forward, self.stuck = not self.forward, 0
            # The goal lay ahead: it must come to lie behind, which is ahead from now on.
            self.waypoint = next(iter(self._ways(3.0 * LOOK_AHEAD_M)), self.waypoint)
        for _ in range(4):
            goal = self._goal()
            if math.hypot(goal.x - at.x, goal.y - at.y) > LOOK_AHEAD_M:
                break
            ways = self._ways(LOOK_AHEAD_M)
            if not ways:
                self.forward = not self.forward
                continue
            self.waypoint = ways[0]
        goal = self._goal()
        dx, dy = goal.x - at.x, goal.y - at.y
        length = math.hypot(dx, dy) or 1.0
        return carla.WalkerControl(carla.Vector3D(dx / length, dy / length, 0.0), self.speed_mps, False)

    def _ways(self, distance_m: float) -> list[carla.Waypoint]:
        """Return where the pavement leads in the walker's direction."""
        ways = self.waypoint.next(distance_m) if self.forward else self.waypoint.previous(distance_m)
        return sorted(ways, key=lambda way: (way.road_id, way.lane_id))

    def _goal(self) -> carla.Location:
        """A place on the pavement, to one side of its middle."""
        transform = self.waypoint.transform
        right, middle = transform.get_right_vector(), transform.location
        off = self.side * 0.35 * self.waypoint.lane_width
        return carla.Location(middle.x + off * right.x, middle.y + off * right.y, middle.z)


class Traffic:
    """Spawns, moves and clears the others.

    Args:
        client, world: the genuine client.
        carla_map: of the world.
        manager: drives the cars.
        seed: same seed, same choices.
    """

    def __init__(
        self, client: carla.Client, world: carla.World, carla_map: carla.Map, manager: Manager, seed: int
    ) -> None:
        self._client, self._world, self._map, self._manager = client, world, carla_map, manager
        self._rng = generator(seed, "drive", "traffic")
        self._cars: list[carla.Actor] = []
        self._people: list[Stroller] = []
        self._frames = 0
        self._pavement: list[carla.Waypoint] | None = None

    @property
    def cars(self) -> int:
        """How many cars there are."""
        return len(self._cars)

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self._people)

    def add_cars(self, count: int, near: carla.Location) -> str:
        """Put cars on free places of the map, the near ones first, and hand them to the traffic manager."""
        library = self._world.get_blueprint_library().filter("vehicle.*")
        choices = sorted((b for b in library if _four_wheels(b)), key=lambda b: b.id)
        places = self._map.get_spawn_points()
        distance = [place.location.distance(near) for place in places]
        order = sorted(
            (i for i in range(len(places)) if distance[i] > NEAR_M),
            key=lambda i: (distance[i] > FAR_M, self._rng.random()),
        )
        self._manager.start()
        added: list[carla.Actor] = []
        for index in order:
            if len(added) == count:
                break
            blueprint = choices[int(self._rng.integers(len(choices)))]
            self._dress(blueprint)
            place = places[index]
            place.location.z += 0.3
            car = self._world.try_spawn_actor(blueprint, place)
            if car is not None:
                added.append(car)
        self._batch([carla.command.SetAutopilot(car, True, self._manager.port) for car in added])
        self._cars += added
        if len(added) < count:
            return f"{len(added)} more cars; the map has no free place for others"
        return f"{len(added)} more cars"

    def add_people(self, count: int, near: carla.Location) -> str:
        """Put people on the pavement around the driver."""
        pavement = [w for w in self.pavement() if PEOPLE_NEAR_M < w.transform.location.distance(near) < PEOPLE_FAR_M]
        if not pavement:
            return "there is no pavement around here"
        choices = sorted(self._world.get_blueprint_library().filter("walker.pedestrian.*"), key=lambda b: b.id)
        added = 0
        for _ in range(6 * count):
            if added == count:
                break
            added += self._add_person(pavement[int(self._rng.integers(len(pavement)))], choices)
        return f"{added} more people" if added == count else f"{added} more people; the pavement is full"

    def _add_person(self, waypoint: carla.Waypoint, choices: list[carla.ActorBlueprint]) -> bool:
        blueprint = choices[int(self._rng.integers(len(choices)))]
        if blueprint.has_attribute("is_invincible"):
            blueprint.set_attribute("is_invincible", "false")
        side, forward = float(self._rng.uniform(-1.0, 1.0)), bool(self._rng.integers(2))
        child = blueprint.has_attribute("age") and blueprint.get_attribute("age").as_str() == "child"
        speed = float(self._rng.uniform(0.9, 1.7)) * (0.85 if child else 1.0)
        transform = waypoint.transform
        right = transform.get_right_vector()
        off = side * 0.35 * waypoint.lane_width
        place = carla.Location(
            transform.location.x + off * right.x, transform.location.y + off * right.y, transform.location.z + 1.1
        )
        yaw = transform.rotation.yaw + (0.0 if forward else 180.0)
        actor = self._world.try_spawn_actor(blueprint, carla.Transform(place, carla.Rotation(yaw=yaw)))
        if actor is None:
            return False
        self._people.append(Stroller(actor, waypoint, forward, speed, side))
        return True

    def pavement(self) -> list[carla.Waypoint]:
        """Return places on the pavements of the map, worked out once."""
        if self._pavement is None:
            found: dict[tuple[int, int, int], carla.Waypoint] = {}
            for start in self._map.generate_waypoints(PAVEMENT_STEP_M):
                lane: carla.Waypoint | None = start
                for _ in range(8):
                    if lane is None or lane.lane_type == carla.LaneType.Sidewalk:
                        break
                    lane = lane.get_right_lane()
                if lane is not None and lane.lane_type == carla.LaneType.Sidewalk:
                    found.setdefault((lane.road_id, lane.lane_id, round(lane.s / PAVEMENT_STEP_M)), lane)
            self._pavement = [found[key] for key in sorted(found)]
        return self._pavement

    def step(self, snapshot: carla.WorldSnapshot) -> list[object]:
        """Return the commands that keep people walking, for the coming frame; forgets who is gone."""
        self._frames += 1
        commands: list[object] = []
        for number, stroller in enumerate(self._people):
            if (self._frames + number) % DECIDE_EVERY:
                continue
            state = snapshot.find(stroller.actor.id)
            if state is not None:
                control = stroller.decide(state.get_transform().location)
                commands.append(carla.command.ApplyWalkerControl(stroller.actor, control))  # type: ignore[arg-type]
        return commands

    def clear_cars(self) -> str:
        """Take all cars away."""
        cars, self._cars = self._cars, []
        self._batch([carla.command.SetAutopilot(car, False, self._manager.port) for car in cars])
        self._destroy(cars)
        return f"{len(cars)} cars taken away"

    def clear_people(self) -> str:
        """Take all people away."""
        people, self._people = self._people, []
        self._destroy([stroller.actor for stroller in people])
        return f"{len(people)} people taken away"

    def close(self) -> None:
        """Take everybody away."""
        self.clear_cars()
        self.clear_people()

    def _dress(self, blueprint: carla.ActorBlueprint) -> None:
        if blueprint.has_attribute("color"):
            colors = blueprint.get_attribute("color").recommended_values
            if colors:
                blueprint.set_attribute("color", colors[int(self._rng.integers(len(colors)))])
        blueprint.set_attribute("role_name", "autopilot")

    def _destroy(self, actors: list[carla.Actor]) -> None:
        if actors:
            self._client.apply_batch_sync([carla.command.DestroyActor(actor) for actor in actors], False)

    def _batch(self, commands: list[object]) -> None:
        for response in self._client.apply_batch_sync(commands, False) if commands else ():
            if response.has_error():
                raise RealityError(f"the simulator refused a command: {response.error}")


def _four_wheels(blueprint: carla.ActorBlueprint) -> bool:
    return (
        blueprint.has_attribute("number_of_wheels")
        and blueprint.get_attribute("number_of_wheels").as_int() == 4
        and (
            not blueprint.has_attribute("base_type") or blueprint.get_attribute("base_type").as_str() in ("car", "van")
        )
    )

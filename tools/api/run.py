"""What a program of the contract gets to work with, and the list of programs."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import carla

from tools.api.touch import Recorder

STEP_S = 0.05
WAIT_S = 20.0


class Run:
    """A connected client in synchronous mode, and helpers that programs share.

    Args:
        port: of the engine.
        folder: where programs may write.
    """

    def __init__(self, port: int, folder: Path, recorder: Recorder) -> None:
        self.port, self.folder, self.recorder = port, folder, recorder
        self.client = carla.Client("127.0.0.1", port)
        self.client.set_timeout(60.0)
        self.world = self.client.get_world()
        self.settle()

    def settle(self) -> None:
        """Go to synchronous mode with the usual step, and clear away what programs spawned."""
        self.world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
        self.world.tick()
        ids = [
            actor.id for actor in self.world.get_actors() if actor.type_id.split(".")[0] not in ("traffic", "spectator")
        ]
        self.client.apply_batch_sync([carla.command.DestroyActor(actor_id) for actor_id in ids], True)

    def ticks(self, count: int) -> None:
        """Tick a few times."""
        for _ in range(count):
            self.world.tick()

    def blueprint(self, name: str, **attributes: object) -> Any:
        """Return a blueprint with attributes set."""
        found = self.world.get_blueprint_library().find(name)
        for key, value in attributes.items():
            found.set_attribute(key, str(value))
        return found

    def point(self, number: int = 0) -> Any:
        """Return a spawn point."""
        return self.world.get_map().get_spawn_points()[number]

    def car(self, number: int = 0, name: str = "vehicle.tesla.model3", settle: int = 20, **attributes: object) -> Any:
        """Spawn a car and let it come to rest."""
        found = self.world.spawn_actor(self.blueprint(name, **attributes), self.point(number))
        self.ticks(settle)
        return found

    def walker(self, number: int = 3, name: str = "walker.pedestrian.0004") -> Any:
        """Spawn a walker and let it come to rest."""
        at = self.point(number)
        at.location.z += 0.6
        found = self.world.spawn_actor(self.blueprint(name), at)
        self.ticks(15)
        return found

    @contextlib.contextmanager
    def reading(self, name: str, parent: Any = None, at: Any = None, **attributes: object) -> Iterator[Any]:
        """Spawn a sensor and yield it with the queue of its readings."""
        sensor = self.world.spawn_actor(self.blueprint(name, **attributes), at or carla.Transform(), attach_to=parent)
        readings: queue.Queue = queue.Queue()
        sensor.listen(readings.put)
        try:
            yield sensor, readings
        finally:
            sensor.stop()
            sensor.destroy()

    def attempt(self, action: Callable[[], Any]) -> Any:
        """Return what an action returns, or the error it raises: the recorder has noted which."""
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - what the client raises is the finding
            return error

    @staticmethod
    def until(condition: Callable[[], bool], what: str) -> None:
        """Wait for something that other threads of the client do."""
        ends = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > ends:
                raise AssertionError(f"{what} did not happen within {WAIT_S} s")
            time.sleep(0.01)


Program = Callable[[Run], None]
PROGRAMS: dict[str, Program] = {}


def program(function: Program) -> Program:
    """Register a program of the contract."""
    PROGRAMS[function.__name__] = function
    return function

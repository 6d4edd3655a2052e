"""The simulator behind one environment: started once, its episodes begun anew in milliseconds."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator
from typing import Any

import carla

from bridge import simulators
from foundation.errors import RealityError
from scenarios import opendrive

log = logging.getLogger(__name__)

CALL_DEADLINE_S = 20.0
"""A call of the client that takes longer is an error; loading a map gets more."""
LOAD_DEADLINE_S = 120.0
SETTLED_TICKS = 10
"""Episodes begin at this tick of the simulator's episode: the client itself ticks once or twice while it begins one."""
RESTARTS = 5
REMEDY = "reset() starts a new engine"


class EngineError(RealityError):
    """The simulator has gone away, or does not answer, in the middle of an episode."""


class Engine:
    """One simulator with one map, in synchronous mode.

    The embedded engine begins every episode anew on the map at hand: clock, traffic lights, weather and physics are
    those of a freshly started engine, so an episode does not depend on what ran before it. Another CARLA server keeps
    its episode (loading takes it seconds): actors are removed, the lights' cycles and the weather are set back, and the
    clock runs on, so there episodes repeat only as exactly as that server does.

    Args:
        simulator: ``embedded`` or what :func:`bridge.simulators.start` takes.
        network: the road network to drive on.
        step_s: simulated seconds of a tick.
        substep_s: longest step of the physics within a tick.

    Raises:
        RealityError: the simulator did not start, or could not load the map.
    """

    def __init__(self, simulator: str, network: opendrive.RoadNetwork, step_s: float, substep_s: float) -> None:
        self._substep_s = substep_s
        self._resources = contextlib.ExitStack()
        self._embedded = simulator == "embedded"
        self._step_s = step_s
        self._fresh = True
        self._actors = 0
        try:
            self.simulator = self._resources.enter_context(simulators.start(simulator))
            self.client = self.simulator.connect(timeout_s=LOAD_DEADLINE_S)
            self._set_synchronous(True)
            parameters = carla.OpendriveGenerationParameters(
                vertex_distance=2.0, max_road_length=500.0, wall_height=0.0, additional_width=0.6, smooth_junctions=True
            )
            text = opendrive.client_text(network.text)
            with self.guard():
                self.world = self.client.generate_opendrive_world(text, parameters, reset_settings=False)
                self.library = self.world.get_blueprint_library()
                self._weather = self.world.get_weather()
            self.client.set_timeout(CALL_DEADLINE_S)
        except BaseException:
            self._resources.close()
            raise

    @property
    def pid(self) -> int | None:
        """Process id of an engine of ours."""
        return self.simulator.pid

    @property
    def begins_empty(self) -> bool:
        """Whether :meth:`begin_episode` removes the actors of the episode before."""
        return self._embedded

    def _set_synchronous(self, on: bool) -> None:
        world = self.client.get_world()
        settings = world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = on, self._step_s if on else None
        if on:
            settings.substepping, settings.max_substep_delta_time = True, self._substep_s
            # CARLA takes up to 16 substeps.
            settings.max_substeps = min(16, max(1, math.ceil(self._step_s / self._substep_s - 1e-6)))
        world.apply_settings(settings)

    def begin_episode(self) -> carla.World:
        """Return the world at the start of an episode, empty of actors."""
        with self.guard():
            if not self._embedded:
                self.world.reset_all_traffic_lights()
                self.world.set_weather(self._weather)
                self.world.tick(CALL_DEADLINE_S)
                return self.world
            self._actors = 0
            for _ in range(RESTARTS):
                if not self._fresh:
                    self.world = self.client.reload_world(False)
                self._fresh = False
                if self._settle():
                    return self.world
        raise EngineError(f"the engine did not begin an episode within {SETTLED_TICKS} ticks; {REMEDY}")

    def _settle(self) -> bool:
        """Tick to the same moment of every episode; False when the client has ticked past it already."""
        target_s = SETTLED_TICKS * self._step_s
        elapsed_s = self.world.get_snapshot().timestamp.elapsed_seconds
        while elapsed_s < target_s - 1e-6:
            self.world.tick(CALL_DEADLINE_S)
            elapsed_s = self.world.get_snapshot().timestamp.elapsed_seconds
        return elapsed_s < target_s + 1e-6

    def tick(self) -> int:
        """Simulate one step and return the frame's number."""
        return int(self.world.tick(CALL_DEADLINE_S))

    def step(self, commands: list[Any]) -> int:
        """Give commands to actors and simulate one step; return the frame's number.

        The batch is sent without waiting for its answer, which halves the cost of a step. What an answer could tell,
        that an actor is gone, the snapshot tells as well.

        Raises:
            EngineError: an actor is gone.
        """
        if commands:
            self.client.apply_batch(commands)
        frame = self.tick()
        count = len(self.world.get_snapshot())
        if count < self._actors:
            raise EngineError(f"{self._actors - count} actors have vanished from the simulator; reset() begins anew")
        self._actors = count
        return frame

    @contextlib.contextmanager
    def guard(self) -> Iterator[None]:
        """Turn what the client reports when the simulator has gone into an EngineError."""
        try:
            self.simulator.check()
            yield
        except simulators.SimulatorError as error:
            raise EngineError(f"{error}; {REMEDY}") from error
        except RuntimeError as error:
            # The genuine client reports everything that goes wrong on the wire as RuntimeError.
            try:
                self.simulator.check(simulators.CRASH_GRACE_S)
            except simulators.SimulatorError as ended:
                raise EngineError(f"{ended}; {REMEDY}") from error
            raise EngineError(f"{self.simulator.name} does not answer: {error}; {REMEDY}") from error

    def close(self) -> None:
        """Stop the engine if it is ours, else give the server back as it was. May be called twice."""
        if not self._embedded and not self.simulator.closed:
            try:
                self._set_synchronous(False)
            except RuntimeError as error:
                log.warning("the simulator's settings could not be restored: %s", error)
        self._resources.close()


__all__ = ["Engine", "EngineError"]

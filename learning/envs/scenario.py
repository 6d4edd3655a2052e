"""A scenario of the catalogue, or any OpenSCENARIO file with an ego vehicle, as an environment.

The ego is the agent: whatever controller the storyboard gives it, the agent's decisions take its place. Everybody else
does what the storyboard says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bridge import agents
from foundation.errors import RealityError
from learning.envs import scene as scenes
from learning.envs.actions import Pedals
from learning.envs.base import DrivingEnv, Ends, Timing
from learning.envs.engine import Engine
from learning.envs.observations import ObservationSpec
from learning.envs.parameters import Draw, ParameterSource
from learning.envs.rewards import Term
from learning.envs.scene import Collision, Ego, Others, Scene
from scenarios import catalogue
from scenarios.openscenario import Execution, load
from scenarios.openscenario import control as controls
from scenarios.openscenario.carla_port import CarlaPort
from scenarios.openscenario.controllers import Controller, ControllerFactory, VehicleDrive, View
from scenarios.openscenario.entities import ControllerRecord, VehicleRecord
from scenarios.openscenario.world import Entity

AGENT = "agent"
"""The controller that stands for the agent, for an ego to whom the storyboard gives none."""
TWO_WHEELERS = ("bicycle", "motorbike")
ENTRY_TICKS = 2


class ScenarioEnv(DrivingEnv):
    """A scenario as an environment.

    Args:
        scenario: a name of the catalogue, or the path of an ``.xosc`` file: a scenario, or a parameter value
            distribution of one.
        sampler: where parameters come from when ``reset`` is not told: None draws them from the distribution by the
            episode's seed; a name of ``scenarios.sampling.SAMPLERS`` or a sampler is asked for trials and told their
            outcomes.
        parameters: values that are fixed in all episodes.
        route_m: length of the ego's route.
        options: see :class:`learning.envs.base.DrivingEnv`; ``sight`` is ``only`` by default.

    Raises:
        RealityError: the scenario cannot be used; the message names the file and the place.
    """

    def __init__(
        self,
        scenario: str | Path = "child_runs_out",
        *,
        simulator: str = "embedded",
        sampler: Any = None,
        parameters: Mapping[str, Any] | None = None,
        route_m: float = 400.0,
        observation: ObservationSpec = "state",
        action: str = "continuous",
        reward: Mapping[str, float | tuple[float, Term]] | None = None,
        step_s: float = 0.05,
        decision_s: float = 0.1,
        ends: Ends | None = None,
        sight: str = "only",
        render_mode: str | None = None,
        render_view: str = "chase",
        render_size: tuple[int, int] = (640, 360),
    ) -> None:
        self._source = ParameterSource(_file(scenario), sampler, parameters or {})
        first = load(self._source.scenario)
        if first.network is None:
            raise RealityError(f"{self._source.scenario}: names no road network, so there is nothing to drive on")
        if not isinstance(first.entities[first.ego].record if first.ego else None, VehicleRecord):
            raise RealityError(f"{self._source.scenario}: has no vehicle to be the agent's; call one entity Ego")
        super().__init__(
            first.network, simulator=simulator, observation=observation, action=action, reward=reward,
            timing=Timing(step_s, decision_s), ends=ends, sight=sight, render_mode=render_mode,
            render_view=render_view, render_size=render_size,
        )  # fmt: skip
        self._ego_name = first.ego
        self._route_m = route_m
        self._pedals = Pedals(0.0, 0.0, 0.0)
        self._scenery: Any = None
        self._scenery_of: Engine | None = None
        self._execution: Execution | None = None
        self._port: CarlaPort | None = None
        self._eyes = agents.Eyes()
        self._draw: Draw | None = None
        self._order: tuple[str, ...] = ()

    # --- episodes ----------------------------------------------------------------------------------------------

    def _begin(self, engine: Engine, seed: int, options: Mapping[str, Any], *, seeded: bool) -> dict[str, Any]:
        draw = self._source.draw(seed, options.get("parameters") or {}, seeded=seeded)
        scenario = load(self._source.scenario, draw.parameters, network=self.network)
        if self._scenery_of is not engine:
            self._scenery, self._scenery_of = agents.scenery(engine.world), engine
        self._eyes = agents.Eyes(self._scenery)
        port = CarlaPort(engine.client, engine.world, self.network, seed=draw.seed, library=engine.library)
        self._port = port
        execution = Execution(scenario, self.network, port, self.timing.step_s, draw.seed, self._controllers())
        self._execution, self._draw, self._pedals = execution, draw, Pedals(0.0, 0.0, 0.0)
        execution.start()
        self._give_ego_to_agent()
        self._enter(engine, port, execution, draw.seed)
        self._order = tuple(name for name in execution.world.entities if name != self._ego_name)
        ego = self._ego(self._ego_entity())
        try:
            route = self.routes.from_place(ego.x, ego.y, ego.yaw, self._route_m)
        except ValueError as error:
            raise RealityError(f"{scenario.path}: the ego begins on no road: {error}") from error
        self._start_route(Scene(0.0, ego, Others.none()), route)
        self._see()
        return {"parameters": dict(draw.parameters), "scenario": scenario.name, "scenario_seed": draw.seed}

    def _controllers(self) -> dict[str, ControllerFactory]:
        """Return the storyboard's controllers, in which the ego's are the agent's."""
        ours = {name: _casting(factory, self) for name, factory in agents.controllers(self._eyes).items()}
        return {**ours, AGENT: lambda: _AgentController(self)}

    def _give_ego_to_agent(self) -> None:
        """See that the agent drives, also when the storyboard has just taken its controller away or switched it off."""
        assert self._execution is not None
        world, entity = self._execution.world, self._ego_entity()
        binding = entity.binding
        if binding is not None and binding.active:
            return
        if binding is None:
            controls.assign(world, entity, ControllerRecord(AGENT, {}))
        controls.activate(world, entity, True, True)

    def _enter(self, engine: Engine, port: CarlaPort, execution: Execution, seed: int) -> None:
        """Let everybody come to rest where the scenario starts, as ``bridge.unit`` does, with the sensors on."""
        start = execution.motions
        records = {name: entity.record for name, entity in execution.world.entities.items()}
        frame = 0
        for tick in range(ENTRY_TICKS):
            if tick == ENTRY_TICKS - 1:
                ego = port.actor(self._ego_name)
                assert ego is not None
                self._mount(engine, ego, seed)
            frame = engine.tick()
            port.hold(start, records)
        port.keeps_commands = True
        if self._watch is not None:
            self._watch.take(frame)

    def _advance(self, engine: Engine, pedals: Pedals) -> int:
        execution, port = self._execution, self._port
        assert execution is not None
        assert port is not None
        self._pedals = pedals
        self._give_ego_to_agent()
        execution.before_tick()
        frame = engine.step(port.kept())
        execution.after_tick()
        before = self.scene
        scene = Scene(execution.time_s, self._ego(self._ego_entity()), before.others, collision=before.collision)
        if scene.collision is None:
            scene.collision = self._collision()
        self._take(scene)
        return frame

    def _collision(self) -> Collision | None:
        assert self._execution is not None
        for hit in self._execution.collisions:
            if self._ego_name in (hit.first, hit.second):
                other = hit.second if hit.first == self._ego_name else hit.first
                return Collision(other, hit.impact_speed)
        return None

    def _story_over(self) -> bool:
        assert self._execution is not None
        return self._execution.finished

    def _finish(self, reason: str) -> dict[str, Any]:
        assert self._execution is not None
        assert self._draw is not None
        outcome = self._execution.outcome.as_dict()
        collided = self.scene.collision is not None
        self._source.record(self._draw, reason, collided)
        return outcome

    def _abandon(self) -> None:
        execution, port = self._execution, self._port
        self._execution = self._port = None
        if execution is not None:
            execution.close()
        if port is not None and self._engine is not None and not self._engine.begins_empty:
            port.close()

    # --- looking -------------------------------------------------------------------------------------------------

    def _ego_entity(self) -> Entity:
        assert self._execution is not None
        return self._execution.world.entity(self._ego_name)

    def _ego(self, entity: Entity) -> Ego:
        motion, record = entity.motion, entity.record
        assert isinstance(record, VehicleRecord)
        box, pose = record.box, motion.pose
        x, y, z = pose.point(*box.center)
        c, s = math.cos(pose.heading), math.sin(pose.heading)
        (vx, vy, _), (ax, ay, _) = motion.velocity, motion.acceleration
        # The middle of the box moves as the rear axle does, and turns about it.
        vx, vy = vx - motion.yaw_rate * (y - pose.y), vy + motion.yaw_rate * (x - pose.x)
        wheelbase = record.front_axle.x if record.front_axle is not None else 0.6 * box.length
        given = self._pedals
        return Ego(
            x, -y, z - 0.5 * box.height, -pose.heading, vx, -vy, vx * c + vy * s, ax * c + ay * s,
            ax * s - ay * c, -motion.yaw_rate, box.length, box.width, box.height, wheelbase,
            given.throttle, given.brake, given.steer,
        )  # fmt: skip

    def _see(self) -> None:
        assert self._execution is not None
        entities = self._execution.world.entities
        present = [entities[name] for name in self._order if entities[name].present]
        if not present:
            self.scene.others = Others.none()
            return
        rows = np.array([_row(entity) for entity in present])
        names = tuple(entity.name for entity in present)
        visible = np.ones(len(names), np.bool_)
        if self.sight != "all":
            seen = self._seen()
            visible = np.array([self._eyes.id_of(name) in seen for name in names])
        self.scene.others = Others(
            names,
            rows[:, 0:2],
            rows[:, 2:4],
            rows[:, 4],
            rows[:, 5],
            rows[:, 6:9],
            rows[:, 9].astype(np.int64),
            visible,
        )

    def _seen(self) -> set[int]:
        """Return the numbers of those whom a driver behind the windscreen sees."""
        assert self._execution is not None
        entity = self._ego_entity()
        box = entity.record.box
        x, y, z = entity.motion.pose.point(box.center[0] + 0.25 * box.length, 0.0, 0.0)
        eye = (x, -y, z + max(agents.DRIVER_EYE_HEIGHT_M, 0.7 * box.height))
        return {thing.id for thing in self._eyes.look(controls.view(self._execution.world, entity), eye)}


def _row(entity: Entity) -> tuple[float, ...]:
    """Return x, y, vx, vy, z, yaw, length, width, height, kind: CARLA's frame, the middle of the box on the ground."""
    motion, record = entity.motion, entity.record
    box, pose = record.box, motion.pose
    x, y, z = pose.point(*box.center)
    vx, vy, _ = motion.velocity
    kind = scenes.THING
    if record.kind == "pedestrian":
        kind = scenes.PEDESTRIAN
    elif isinstance(record, VehicleRecord):
        kind = scenes.TWO_WHEELER if record.category in TWO_WHEELERS else scenes.CAR
    return (x, -y, vx, -vy, z - 0.5 * box.height, -pose.heading, box.length, box.width, box.height, float(kind))


class _AgentController:
    """The ego's controller: what the agent decided."""

    physical = True

    def __init__(self, env: ScenarioEnv) -> None:
        self._env = env

    def start(self, entity: Entity, properties: Mapping[str, str], rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def step(self, view: View, dt_s: float) -> VehicleDrive:
        """Return the pedals. CARLA steers positive to the right, OpenSCENARIO's frame to the left."""
        pedals = self._env._pedals
        return VehicleDrive(pedals.throttle, -pedals.steer, pedals.brake)

    def request(self, action: object, view: View) -> bool:
        """The agent takes no orders from the storyboard; the action is refused and the log shows it."""
        return False

    def stop(self) -> None:
        """Nothing to clean up."""


class _Cast:
    """A controller of the storyboard: the one that was written, or the agent if it was given to the ego."""

    def __init__(self, written: ControllerFactory, env: ScenarioEnv) -> None:
        self._written, self._env = written, env
        self._player: Controller | None = None
        self.physical = False  # known from the start on, and asked for only then

    def start(self, entity: Entity, properties: Mapping[str, str], rng: np.random.Generator) -> None:
        mine = entity.name == self._env._ego_name
        self._player = _AgentController(self._env) if mine else self._written()
        self.physical = self._player.physical
        self._player.start(entity, properties, rng)

    def step(self, view: View, dt_s: float) -> Any:
        assert self._player is not None
        return self._player.step(view, dt_s)

    def request(self, action: object, view: View) -> bool:
        assert self._player is not None
        return self._player.request(action, view)

    def stop(self) -> None:
        if self._player is not None:
            self._player.stop()


def _casting(written: ControllerFactory, env: ScenarioEnv) -> ControllerFactory:
    return lambda: _Cast(written, env)


def _file(scenario: str | Path) -> Path:
    """Return the file of a scenario, its distribution for one of the catalogue."""
    if str(scenario) in catalogue.SCENARIOS:
        return catalogue.SCENARIOS[str(scenario)].distribution
    path = Path(scenario)
    if not path.is_file():
        known = ", ".join(catalogue.SCENARIOS)
        raise RealityError(f"{scenario}: neither a file nor a scenario of the catalogue, which has {known}")
    return path


__all__ = ["AGENT", "ScenarioEnv"]

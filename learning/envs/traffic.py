"""Plain motorway traffic: ``reality/traffic-v0``, the counterpart of highway-env's ``highway-v0``.

The ego drives on a three-lane motorway among cars that follow and change lanes. Physics moves the ego; the others are
moved by :mod:`learning.envs.traffic_model`, all in one batch a tick.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import carla
import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError
from foundation.seeds import generator
from learning.envs import scene as scenes
from learning.envs.actions import Pedals
from learning.envs.base import DrivingEnv, Ends, Timing
from learning.envs.engine import Engine, EngineError
from learning.envs.observations import ObservationSpec
from learning.envs.rewards import Term
from learning.envs.route import Route
from learning.envs.scene import Collision, Ego, Others, Scene
from learning.envs.traffic_model import Corridor, DriverModel, Drivers, Traffic
from scenarios import catalogue, opendrive
from scenarios.opendrive import LaneKey

MAP = "RealityMotorway"
FIRST_LANES = (LaneKey("1", 0, -1), LaneKey("1", 0, -2), LaneKey("1", 0, -3))
"""The carriageway's lanes at its begin, from left to right."""
REFERENCE = 1
LONGEST_M = 2000.0
EGO = "vehicle.tesla.model3"
CARS = (
    "vehicle.audi.a2", "vehicle.audi.tt", "vehicle.bmw.grandtourer", "vehicle.chevrolet.impala",
    "vehicle.lincoln.mkz_2020", "vehicle.mercedes.coupe_2020", "vehicle.mini.cooper_s", "vehicle.nissan.micra",
    "vehicle.nissan.patrol_2021", "vehicle.seat.leon", "vehicle.toyota.prius", "vehicle.mercedes.sprinter",
)  # fmt: skip
START_S = 60.0
BEHIND = 0.25
"""Share of the others that begin behind the ego."""
ENTRY_TICKS = 2
GONE_Z = -200.0
"""Where those are put who have left the motorway at its end."""
SUBSTEP_S = 1.0 / 60.0
"""Longest step of the physics; the engine takes no longer ones than 0.02 s."""


@dataclass(frozen=True)
class TrafficParameters:
    """What can be fixed by ``reset(options={"parameters": ...})`` and is otherwise as the environment was made.

    Attributes:
        vehicles: how many others.
        density: vehicles per kilometre and lane.
        speed_mean, speed_sd: of the others' wished speeds, m/s; drawn from a normal distribution cut at two sd.
        ego_speed: what the ego begins with, m/s.
        ego_lane: 0 left .. 2 right; -1 draws it.
    """

    vehicles: int = 40
    density: float = 20.0
    speed_mean: float = 27.0
    speed_sd: float = 4.0
    ego_speed: float = 25.0
    ego_lane: int = -1

    def __post_init__(self) -> None:
        for name, low, high in (
            ("vehicles", 0, 200), ("density", 1.0, 80.0), ("speed_mean", 5.0, 45.0), ("speed_sd", 0.0, 15.0),
            ("ego_speed", 0.0, 45.0), ("ego_lane", -1, 2),
        ):  # fmt: skip
            value = getattr(self, name)
            if not (isinstance(value, int | float) and math.isfinite(value) and low <= value <= high):
                raise RealityError(f"traffic: {name} is {value!r}; it must be from {low} to {high}")
            if name in ("vehicles", "ego_lane") and value != int(value):
                raise RealityError(f"traffic: {name} is {value!r}; it must be a whole number")

    def changed(self, values: Mapping[str, Any]) -> TrafficParameters:
        """Return these with some values replaced; RealityError for an unknown name or a bad value."""
        known = [f.name for f in fields(self)]
        for name in values:
            if name not in known:
                raise RealityError(f"traffic: there is no parameter {name!r}; there are {', '.join(known)}")
        return replace(self, **values)


class TrafficEnv(DrivingEnv):
    """A motorway with N others.

    Args:
        vehicles, density, speed_mean, speed_sd, ego_speed, ego_lane: see :class:`TrafficParameters`.
        drivers: how the others drive.
        options: see :class:`learning.envs.base.DrivingEnv`. A decision is one tick of 0.1 s by default.

    Raises:
        RealityError: an argument cannot be used.
    """

    def __init__(
        self,
        *,
        vehicles: int = 40,
        density: float = 20.0,
        speed_mean: float = 27.0,
        speed_sd: float = 4.0,
        ego_speed: float = 25.0,
        ego_lane: int = -1,
        drivers: DriverModel | None = None,
        simulator: str = "embedded",
        observation: ObservationSpec = "state",
        action: str = "continuous",
        reward: Mapping[str, float | tuple[float, Term]] | None = None,
        step_s: float = 0.1,
        decision_s: float = 0.1,
        ends: Ends | None = None,
        sight: str = "all",
        render_mode: str | None = None,
        render_view: str = "chase",
        render_size: tuple[int, int] = (640, 360),
    ) -> None:
        self.parameters = TrafficParameters(vehicles, density, speed_mean, speed_sd, ego_speed, ego_lane)
        if sight != "all":
            raise RealityError("traffic: sight is 'all'; line of sight is worked out in scenarios only")
        super().__init__(
            opendrive.read(catalogue.MAPS[MAP]), simulator=simulator, observation=observation, action=action,
            reward=reward, timing=Timing(step_s, decision_s), ends=ends or Ends(time_limit_s=40.0), sight=sight,
            render_mode=render_mode, render_view=render_view, render_size=render_size,
        )  # fmt: skip
        self.substep_s = SUBSTEP_S
        self._reference = self.routes.from_lane(FIRST_LANES[REFERENCE], LONGEST_M)
        self._lanes = tuple(self.routes.from_lane(key, LONGEST_M) for key in FIRST_LANES)
        centres = _centres(self._reference, self._lanes)
        self.corridor = Corridor(centres, float(self._reference.width[0]), self._reference.length - 5.0)
        self._drivers = Drivers(self.corridor, drivers or DriverModel())
        self._traffic = _nobody()
        self._ids: list[int] = []
        self._places = np.zeros((0, 3))
        self._names: tuple[str, ...] = ()
        self._size = np.zeros((0, 3))
        self._box_ahead = np.zeros(0)
        self._kinds = np.zeros(0, np.int64)
        self._visible = np.zeros(0, np.bool_)
        self._ego_actor: Any = None
        self._ego_box: Any = None
        self._lane_shift = 0.0
        self._impact = 0.0
        self._sizes: dict[str, tuple[float, float, float, float]] = {}

    # --- episodes ----------------------------------------------------------------------------------------------

    def _begin(self, engine: Engine, seed: int, options: Mapping[str, Any], *, seeded: bool) -> dict[str, Any]:
        chosen = self.parameters.changed(options.get("parameters") or {})
        rng = generator(seed, "traffic")
        lane = int(chosen.ego_lane) if chosen.ego_lane >= 0 else int(rng.integers(len(self._lanes)))
        ego_s, self._traffic = _placed(chosen, lane, self.corridor, rng)
        self._drivers.restart()
        models = [str(m) for m in rng.choice(CARS, size=len(self._traffic))]
        self._spawn(engine, models, lane, ego_s, chosen.ego_speed, rng)
        self._enter(engine, lane, ego_s, chosen.ego_speed, seed)
        route = self._lanes[lane]
        self._lane_shift = float(self.corridor.centres[lane])
        ego = self._read_ego(engine, Pedals(0.0, 0.0, 0.0))
        # The first instant is what was asked for; bodies that were put in place just now report no speed yet.
        ego.speed, ego.vx = chosen.ego_speed, chosen.ego_speed * math.cos(ego.yaw)
        ego.vy, ego.accel, ego.lateral_accel, ego.yaw_rate = chosen.ego_speed * math.sin(ego.yaw), 0.0, 0.0, 0.0
        self._start_route(Scene(0.0, ego, Others.none()), route)
        self._look()
        values = {f.name: getattr(chosen, f.name) for f in fields(chosen)}
        return {"parameters": {**values, "ego_lane": lane}, "scenario": "traffic"}

    def _spawn(
        self, engine: Engine, models: list[str], lane: int, ego_s: float, speed: float, rng: np.random.Generator
    ) -> None:
        """Make all actors in one batch, with physics for the ego only."""
        future: Any = carla.command.FutureActor
        x, y, yaw = _on(self._lanes[lane], ego_s)
        at = carla.Transform(carla.Location(x, y, 0.5), carla.Rotation(0.0, math.degrees(yaw), 0.0))
        blueprint = engine.library.find(EGO)
        blueprint.set_attribute("role_name", "hero")
        commands: list[Any] = [carla.command.SpawnActor(blueprint, at)]
        places = self._poses(self._traffic)
        for model, (px, py, pyaw) in zip(models, places.tolist()):
            blueprint = engine.library.find(model)
            blueprint.set_attribute("role_name", "traffic")
            if blueprint.has_attribute("color"):
                paints = list(blueprint.get_attribute("color").recommended_values)
                blueprint.set_attribute("color", paints[int(rng.integers(len(paints)))])
            at = carla.Transform(carla.Location(px, py, 0.5), carla.Rotation(0.0, math.degrees(pyaw), 0.0))
            off = carla.command.SetSimulatePhysics(future, False)
            commands.append(carla.command.SpawnActor(blueprint, at).then(off))
        ids = []
        for response in engine.client.apply_batch_sync(commands, False):
            if response.has_error():
                raise RealityError(f"traffic: the simulator refuses to spawn a vehicle: {response.error}")
            ids.append(int(response.actor_id))
        self._ego_actor = engine.world.get_actor(ids[0])
        self._ids = ids[1:]
        self._measure(engine, models)

    def _measure(self, engine: Engine, models: list[str]) -> None:
        """Look up the boxes of the actors, once for each model."""
        missing = [actor_id for actor_id, model in zip(self._ids, models) if model not in self._sizes]
        listed: Any = engine.world.get_actors(missing) if missing else ()
        for actor in listed:
            box = actor.bounding_box
            self._sizes[actor.type_id] = (
                2.0 * box.extent.x, 2.0 * box.extent.y, 2.0 * box.extent.z, float(box.location.x)
            )  # fmt: skip
        rows = np.array([self._sizes[model] for model in models]).reshape(-1, 4)
        self._size, self._box_ahead = rows[:, :3], rows[:, 3]
        self._traffic.length[:] = self._size[:, 0]
        self._names = tuple(f"car_{i}" for i in range(len(models)))
        self._kinds = np.full(len(models), scenes.CAR, np.int64)
        self._visible = np.ones(len(models), np.bool_)
        self._ego_box = self._ego_actor.bounding_box

    def _enter(self, engine: Engine, lane: int, ego_s: float, speed: float, seed: int) -> None:
        """Let everybody come to rest where they start; then the ego gets its speed."""
        x, y, yaw = _on(self._lanes[lane], ego_s)
        at = carla.Transform(carla.Location(x, y, 0.02), carla.Rotation(0.0, math.degrees(yaw), 0.0))
        going = carla.Vector3D(speed * math.cos(yaw), speed * math.sin(yaw), 0.0)
        place = [
            carla.command.ApplyTransform(self._ego_actor.id, at),
            carla.command.ApplyTargetVelocity(self._ego_actor.id, going),
            carla.command.ApplyTargetAngularVelocity(self._ego_actor.id, carla.Vector3D(0.0, 0.0, 0.0)),
        ]
        frame = 0
        for tick in range(ENTRY_TICKS):
            if tick == ENTRY_TICKS - 1:
                self._mount(engine, self._ego_actor, seed)
            engine.client.apply_batch_sync([*place, *self._moves()], False)
            frame = engine.tick()
        engine.client.apply_batch_sync(place, False)
        if self._watch is not None:
            self._watch.take(frame)

    def _advance(self, engine: Engine, pedals: Pedals) -> int:
        before, dt_s = self.scene, self.timing.step_s
        ego = before.ego
        along = ego.speed * math.cos(before.heading_error)
        self._drivers.step(
            self._traffic, (before.s, self._lane_shift + before.offset, along, ego.length), dt_s
        )  # fmt: skip
        control = carla.VehicleControl(throttle=pedals.throttle, steer=pedals.steer, brake=pedals.brake)
        commands = [carla.command.ApplyVehicleControl(self._ego_actor.id, control), *self._moves()]
        frame = engine.step(commands)
        scene = Scene(before.time_s + dt_s, self._read_ego(engine, pedals), before.others, collision=before.collision)
        scene.time_s = round(scene.time_s / dt_s) * dt_s
        self._take(scene)
        self._look()
        if scene.collision is None:
            scene.collision = self._collision(before)
        return frame

    def _moves(self) -> list[Any]:
        """Return the commands that put the others in their places."""
        apply, transform, location, rotation = (
            carla.command.ApplyTransform, carla.Transform, carla.Location, carla.Rotation
        )  # fmt: skip
        if not self._ids:
            return []
        self._places = self._poses(self._traffic)
        degrees = np.degrees(self._places[:, 2]).tolist()
        heights = np.where(self._traffic.active, 0.0, GONE_Z).tolist()
        return [
            apply(i, transform(location(x, y, z), rotation(0.0, yaw, 0.0)))
            for i, (x, y, _), yaw, z in zip(self._ids, self._places.tolist(), degrees, heights)
        ]

    def _poses(self, traffic: Traffic) -> npt.NDArray[np.float64]:
        """Return (N, 3) x, y, yaw (radians) of the others."""
        route = self._reference
        index = np.clip(traffic.s.astype(np.int64), 0, len(route.points) - 1)
        heading = route.heading[index]
        along = traffic.s - index
        c, s = np.cos(heading), np.sin(heading)
        x = route.points[index, 0] + c * along - s * traffic.d
        y = route.points[index, 1] + s * along + c * traffic.d
        return np.stack([x, y, heading + np.arctan2(traffic.sideways, np.maximum(traffic.speed, 1.0))], axis=-1)

    # --- looking -------------------------------------------------------------------------------------------------

    def _see(self) -> None:
        """Nothing is left to do: collisions need the others at every tick."""

    def _look(self) -> None:
        """Work out the others' boxes; they are where they were put."""
        traffic = self._traffic
        if not len(traffic):
            return
        places = self._places
        yaw = places[:, 2]
        facing = np.stack([np.cos(yaw), np.sin(yaw)], axis=-1)
        velocity = facing * np.hypot(traffic.speed, traffic.sideways)[:, None]
        self.scene.others = Others(
            self._names, places[:, :2] + facing * self._box_ahead[:, None], velocity,
            np.where(traffic.active, 0.0, GONE_Z), yaw, self._size, self._kinds, self._visible & traffic.active,
        )  # fmt: skip
        if not traffic.active.all():
            self.scene.others = _only(self.scene.others, traffic.active)

    def _read_ego(self, engine: Engine, pedals: Pedals) -> Ego:
        state = engine.world.get_snapshot().find(self._ego_actor.id)
        if state is None:
            raise EngineError("the ego has vanished from the simulator; reset() puts it back")
        at, velocity, push = state.get_transform(), state.get_velocity(), state.get_acceleration()
        spin, box = state.get_angular_velocity(), self._ego_box
        yaw = math.radians(at.rotation.yaw)
        c, s = math.cos(yaw), math.sin(yaw)
        return Ego(
            at.location.x + c * box.location.x, at.location.y + s * box.location.x, at.location.z, yaw,
            velocity.x, velocity.y, velocity.x * c + velocity.y * s, push.x * c + push.y * s,
            push.y * c - push.x * s, math.radians(spin.z), 2.0 * box.extent.x, 2.0 * box.extent.y,
            2.0 * box.extent.z, 2.85, pedals.throttle, pedals.brake, pedals.steer,
        )  # fmt: skip

    def _collision(self, before: Scene) -> Collision | None:
        """Return the touch of boxes, with the relative velocity of the step before."""
        scene = self.scene
        if not len(scene.others):
            return None
        touched = np.flatnonzero(scene.times_to_collision() == 0.0)
        if not touched.size:
            return None
        name = scene.others.names[int(touched[0])]
        was = before.others.names.index(name)
        vx, vy = before.others.velocity[was]
        return Collision(name, math.hypot(before.ego.vx - vx, before.ego.vy - vy))

    def _finish(self, reason: str) -> dict[str, Any]:
        scene = self.scene
        return {
            "verdict": "fail" if reason in ("collision", "off_road") else "pass",
            "duration_s": scene.time_s,
            "distance_m": scene.s,
            "others_left": int((~self._traffic.active).sum()),
        }

    def _abandon(self) -> None:
        engine, actors = self._engine, [self._ego_actor.id] if self._ego_actor is not None else []
        ids, self._ids, self._ego_actor = [*actors, *self._ids], [], None
        if ids and engine is not None and not engine.begins_empty:
            engine.client.apply_batch_sync([carla.command.DestroyActor(i) for i in ids], False)


def _only(others: Others, kept: npt.NDArray[np.bool_]) -> Others:
    names = tuple(name for name, there in zip(others.names, kept) if there)
    return Others(
        names, others.xy[kept], others.velocity[kept], others.z[kept], others.yaw[kept], others.size[kept],
        others.kind[kept], others.visible[kept],
    )  # fmt: skip


def _nobody() -> Traffic:
    flat = np.zeros(0)
    return Traffic(flat, flat, flat, flat, np.zeros(0, np.int64), flat, flat, np.zeros(0, np.bool_))


def _centres(reference: Route, lanes: tuple[Route, ...]) -> npt.NDArray[np.float64]:
    """Return how far to the right of the reference line each lane's centre begins."""
    c, s = math.cos(float(reference.heading[0])), math.sin(float(reference.heading[0]))
    starts = np.array([lane.points[0] for lane in lanes]) - reference.points[0]
    return starts[:, 1] * c - starts[:, 0] * s


def _on(route: Route, s: float) -> tuple[float, float, float]:
    i = route.index(s)
    heading, along = float(route.heading[i]), s - i
    x, y = float(route.points[i, 0]), float(route.points[i, 1])
    return x + math.cos(heading) * along, y + math.sin(heading) * along, heading


def _placed(
    chosen: TrafficParameters, ego_lane: int, corridor: Corridor, rng: np.random.Generator
) -> tuple[float, Traffic]:
    """Return where the ego begins, and the others around it, as dense as asked for.

    Places are handed out along the road at random distances around the mean, each in a random lane; in its lane
    everybody keeps two car lengths from whom they follow, so very dense traffic is stretched.
    """
    count, lanes = int(chosen.vehicles), len(corridor.centres)
    spacing = 1000.0 / (chosen.density * lanes)
    behind = round(BEHIND * count)
    last = np.full(lanes, -np.inf)
    places: list[tuple[float, int]] = []
    at, ego_s = START_S, START_S
    for i in range(count + 1):
        mine = i == behind
        lane = ego_lane if mine else int(rng.integers(lanes))
        at += spacing * float(rng.uniform(0.5, 1.5)) if i else 0.0
        at_here = max(at, float(last[lane]) + 14.0)
        last[lane] = at_here
        if mine:
            ego_s = at_here
        else:
            places.append((at_here, lane))
    if places and max(s for s, _ in places) > corridor.length - 50.0:
        raise RealityError(
            f"traffic: {count} vehicles at {chosen.density:g} per kilometre and lane need more than the "
            f"{corridor.length:.0f} m of the motorway; take fewer, or a higher density"
        )
    s = np.array([place for place, _ in places])
    lane_of = np.array([lane for _, lane in places], dtype=np.int64)
    wish = chosen.speed_mean + chosen.speed_sd * np.clip(rng.standard_normal(count), -2.0, 2.0)
    wish = np.maximum(wish, 3.0)
    speed = np.minimum(wish, max(chosen.speed_mean, 3.0))
    flat = np.zeros(count)
    return ego_s, Traffic(
        s, corridor.centres[lane_of].copy(), speed, wish, lane_of, flat, flat.copy(), np.ones(count, np.bool_)
    )


__all__ = ["TrafficEnv", "TrafficParameters"]

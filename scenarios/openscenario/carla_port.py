"""A CARLA world as the world of a scenario, through the genuine client.

Kinematic entities have their physics switched off and are put in place once a step, in one batch, with the velocity
they
move with, so that sensors measure it. Walkers are put by ``ApplyWalkerState``, which also makes them walk.

The standard's reference point of a vehicle is the middle of its rear axle on the ground, CARLA's the middle of the
vehicle.
The two differ for every model, and the models' sizes differ from those in the file. What decides gaps and collisions is
where the bodies are, so the box of the actor is centred on the box that the file gives relative to the rear axle.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import carla

from foundation.errors import RealityError
from foundation.frames import asam_orientation, carla_rotation
from foundation.seeds import derive
from scenarios import metrics
from scenarios.opendrive import RoadNetwork
from scenarios.openscenario import carla_mapping as mapping
from scenarios.openscenario.controllers import Autopilot, VehicleDrive, Walk
from scenarios.openscenario.entities import EntityRecord
from scenarios.openscenario.environment import Environment
from scenarios.openscenario.signals import color_of
from scenarios.openscenario.states import Motion, Pose, rotate

logger = logging.getLogger(__name__)

SPAWN_LIFTS_M = (0.0, 0.5, 2.0, 10.0, 50.0)
"""Heights above its place at which an actor is tried to be spawned: a server refuses places that touch something."""
CONTACT_MARGIN_M = 0.05
PUSH_MPS2 = 25.0
"""A change of velocity that no tyre brings about: what did it was a blow."""
MAX_YAW_RATE = 3.0
"""rad/s; a car on a kerb stone's radius at walking speed."""
HIDDEN_DEPTH_M = 500.0
_TRAFFIC_LIGHT_STATES = {
    "red": carla.TrafficLightState.Red,
    "yellow": carla.TrafficLightState.Yellow,
    "green": carla.TrafficLightState.Green,
    "off": carla.TrafficLightState.Off,
    "unknown": carla.TrafficLightState.Unknown,
}
_DOORS: dict[str, Any] = {
    "doorFrontLeft": carla.VehicleDoor.FL,
    "doorFrontRight": carla.VehicleDoor.FR,
    "doorRearLeft": carla.VehicleDoor.RL,
    "doorRearRight": carla.VehicleDoor.RR,
}


class _Body:
    """One entity's actor and how it sits around the reference point, in ASAM's axes of the entity."""

    def __init__(self, actor: carla.Actor, record: EntityRecord) -> None:
        self.actor, self.record = actor, record
        box = actor.bounding_box
        self.is_walker = record.kind == "pedestrian"
        self.is_vehicle = actor.type_id.startswith("vehicle.")
        self.forward = record.box.center[0] - box.location.x
        self.left = record.box.center[1] + box.location.y
        # Vehicles and props have their origin on the ground, walkers in the middle of their capsule.
        self.up = box.extent.z if self.is_walker else 0.0
        self.extent = box.extent
        self.driven = False
        self.hidden = False
        self.autopilot = False
        self.last: tuple[object, ...] = ()

    def transform(self, pose: Pose, *, on_ground: bool = False) -> carla.Transform:
        """Return the actor's transform for a pose of the reference point (``on_ground``: z stays the ground's)."""
        x, y, z = pose.point(self.forward, self.left, 0.0 if on_ground else self.up)
        pitch, yaw, roll = carla_rotation(pose.heading, pose.pitch, pose.roll)
        if self.is_walker and not on_ground:
            z += self.extent.y * abs(math.sin(pose.roll))  # somebody who lies lies on the ground, not in it
        if self.hidden:
            z -= HIDDEN_DEPTH_M
        return carla.Transform(carla.Location(x, -y, z), carla.Rotation(pitch, yaw, roll))

    def velocity(self, motion: Motion) -> carla.Vector3D:
        """Return the velocity of the actor's origin: that of the reference point plus what turning adds."""
        dx, dy, _ = rotate(self.forward, self.left, 0.0, motion.pose.heading)
        # Default motion may turn at once (a corner of a polyline); no body turns faster than this.
        spin = min(max(motion.yaw_rate, -MAX_YAW_RATE), MAX_YAW_RATE)
        vx, vy, vz = motion.velocity
        return carla.Vector3D(vx - spin * dy, -(vy + spin * dx), vz)

    def motion(self, snapshot: carla.ActorSnapshot) -> Motion:
        """Return the state of the reference point from a snapshot of the actor."""
        transform = snapshot.get_transform()
        rotation, at = transform.rotation, transform.location
        heading, pitch, roll = asam_orientation(rotation.pitch, rotation.yaw, rotation.roll)
        dx, dy, dz = rotate(-self.forward, -self.left, -self.up, heading, pitch, roll)
        if self.is_walker:
            dx, dy, dz = rotate(-self.forward, -self.left, 0.0, heading)
            dz, pitch, roll = -self.up, 0.0, 0.0
        velocity, spin = snapshot.get_velocity(), snapshot.get_angular_velocity()
        push = snapshot.get_acceleration()
        yaw_rate = -math.radians(spin.z)
        vx, vy = velocity.x - yaw_rate * dy, -velocity.y + yaw_rate * dx
        speed = math.hypot(vx, vy)
        return Motion(
            Pose(at.x + dx, -at.y + dy, at.z + dz, heading, pitch, roll),
            speed,
            (vx, vy, velocity.z),
            (push.x, -push.y, push.z),
            yaw_rate,
        )

    def moving(self, motion: Motion) -> metrics.Moving:
        """Return the actor's own box (not the file's) around a state, for contacts."""
        center = self.record.box.center
        x, y, _ = motion.pose.point(center[0], center[1])
        margin = 2.0 * CONTACT_MARGIN_M
        rect = metrics.Rect(x, y, motion.pose.heading, 2 * self.extent.x + margin, 2 * self.extent.y + margin)
        return metrics.Moving(rect, motion.velocity[:2], motion.pose.z, motion.pose.z + 2 * self.extent.z)


def _unhindered(before: Motion, now: Motion, dt_s: float) -> Motion | None:
    """Return where a vehicle would be now had nothing hit it; None when tyres alone explain how it moves."""
    (vx, vy, vz), (nx, ny, _) = before.velocity, now.velocity
    if math.hypot(nx - vx, ny - vy) <= PUSH_MPS2 * dt_s:
        return None
    at = before.pose
    return replace(before, pose=replace(at, x=at.x + vx * dt_s, y=at.y + vy * dt_s, z=at.z + vz * dt_s))


def _spawning(blueprint: carla.ActorBlueprint, pose: Pose, lift_m: float) -> Any:
    """Return the command that makes an actor above its place, with its physics off.

    Walkers too: a car that hits one would push it away from where the scenario says it is.
    """
    pitch, yaw, roll = carla_rotation(pose.heading, pose.pitch, pose.roll)
    at = carla.Transform(carla.Location(pose.x, -pose.y, pose.z + 1.0 + lift_m), carla.Rotation(pitch, yaw, roll))
    future: Any = carla.command.FutureActor
    return carla.command.SpawnActor(blueprint, at).then(carla.command.SetSimulatePhysics(future, False))


class CarlaPort:
    """A :class:`WorldPort` on a CARLA server (embedded or Unreal).

    The map must be loaded and synchronous mode be set by the caller, who may also tick the world between
    ``Execution.before_tick`` and ``after_tick``; :meth:`tick` does it for ``Execution.step``.

    Attributes:
        keeps_commands: whether moves and wishes wait for :meth:`kept`, so that whoever ticks sends them in one batch.

    Args:
        client, world: the genuine client.
        network: the road network that is loaded, for the place of the sun.
        tick_timeout_s: how long :meth:`tick` waits.
        seed: decides what the scenario leaves open, such as the paint of vehicles.
        library: the world's blueprints, when the caller has asked for them already.
    """

    def __init__(
        self,
        client: carla.Client,
        world: carla.World,
        network: RoadNetwork,
        tick_timeout_s: float = 60.0,
        seed: int = 0,
        library: carla.BlueprintLibrary | None = None,
    ) -> None:
        self._seed = seed
        self._client, self._world, self._network = client, world, network
        self._tick_timeout_s = tick_timeout_s
        self._library = library or world.get_blueprint_library()
        self._ids = [blueprint.id for blueprint in self._library]
        self._waiting: dict[str, tuple[Any, EntityRecord, Motion]] = {}
        self.keeps_commands = False
        self._kept: list[object] = []
        self._bodies: dict[str, _Body] = {}
        self._motions: dict[str, Motion] = {}
        self._pushed: dict[str, Motion] = {}
        self._friction = 1.0
        self._signals: dict[str, str] = {}

    def actor(self, name: str) -> carla.Actor | None:
        """Return the actor of an entity, None when it is not in the world."""
        self._spawn_waiting()
        body = self._bodies.get(name)
        return None if body is None else body.actor

    # ---- entities

    def spawn(self, name: str, record: EntityRecord, motion: Motion) -> None:
        """See :class:`WorldPort`. The actor is made by the next call that needs one: all that enter the world together
        do so in one batch.

        Raises:
            RealityError: no blueprint fits, or (from that later call) the server finds no free place for it.
        """
        self._waiting[name] = (self._blueprint(name, record), record, motion)

    def _blueprint(self, name: str, record: EntityRecord) -> carla.ActorBlueprint:
        choice = mapping.choose(name, record, self._ids)
        blueprint = self._library.find(choice.blueprint)
        if blueprint.has_attribute("role_name"):
            blueprint.set_attribute("role_name", name)
        for attribute, value in choice.attributes.items():
            if blueprint.has_attribute(attribute) and blueprint.get_attribute(attribute).is_modifiable:
                blueprint.set_attribute(attribute, value)
        if blueprint.has_attribute("color") and "color" not in choice.attributes:
            # A row of parked cars is not of one colour; the scenario's seed decides who wears which.
            paints = list(blueprint.get_attribute("color").recommended_values)
            if paints:
                blueprint.set_attribute("color", paints[derive(self._seed, "paint", name) % len(paints)])
        if blueprint.has_attribute("is_invincible"):
            blueprint.set_attribute("is_invincible", "true")
        return blueprint

    def _spawn_waiting(self) -> None:
        """Make the actors of everybody who waits for one, put them in their places and switch their physics off."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, {}
        made: dict[str, int] = {}
        for lift in SPAWN_LIFTS_M:
            missing = [name for name in waiting if name not in made]
            commands: list[object] = [_spawning(waiting[name][0], waiting[name][2].pose, lift) for name in missing]
            for name, response in zip(missing, self._client.apply_batch_sync(commands, False) if commands else ()):
                if not response.has_error():
                    made[name] = response.actor_id
        listed: Any = self._world.get_actors(list(made.values())) if made else ()
        actors = {actor.id: actor for actor in listed}
        for name, (_, record, _) in waiting.items():
            if name in made:
                self._bodies[name] = _Body(actors[made[name]], record)
        for name, (blueprint, _, _) in waiting.items():
            if name not in made:
                raise RealityError(
                    f"entity {name}: the simulator refuses to spawn {blueprint.id} anywhere above its place"
                )
        self.move({name: w[2] for name, w in waiting.items()}, {name: w[1] for name, w in waiting.items()})

    def remove(self, name: str) -> None:
        """See :class:`WorldPort`."""
        self._spawn_waiting()
        body = self._bodies.pop(name)
        self._motions.pop(name, None)
        self._batch([carla.command.DestroyActor(body.actor)])

    def move(self, motions: Mapping[str, Motion], records: Mapping[str, EntityRecord]) -> None:
        """See :class:`WorldPort`. What has not changed since the last step is not sent again."""
        self._spawn_waiting()
        commands: list[object] = []
        for name, motion in motions.items():
            body = self._bodies[name]
            self._motions[name] = motion
            state = (motion.pose, motion.velocity, body.hidden)
            if state == body.last:
                continue
            body.last = state
            if body.is_walker and motion.pose.roll == 0.0 and motion.pose.pitch == 0.0:
                transform = body.transform(motion.pose, on_ground=True)
                commands.append(carla.command.ApplyWalkerState(body.actor, transform, abs(motion.speed)))
                commands.append(carla.command.ApplyTargetVelocity(body.actor, body.velocity(motion)))
                continue
            commands.append(carla.command.ApplyTransform(body.actor, body.transform(motion.pose)))
            commands.append(carla.command.ApplyTargetVelocity(body.actor, body.velocity(motion)))
            if body.is_vehicle:
                spin = carla.Vector3D(0.0, 0.0, -math.degrees(motion.yaw_rate))
                commands.append(carla.command.ApplyTargetAngularVelocity(body.actor, spin))
        self._later(commands)

    def hold(self, motions: Mapping[str, Motion], records: Mapping[str, EntityRecord]) -> None:
        """Put entities, physics-driven ones too, to a place and speed again, whatever the simulator did since."""
        self._spawn_waiting()
        for name in motions:
            self._bodies[name].last = ()
        self.move(motions, records)

    def set_driven(self, name: str, driven: bool, motion: Motion) -> None:
        """See :class:`WorldPort`."""
        self._spawn_waiting()
        body = self._bodies[name]
        body.driven = driven
        body.last = ()
        commands: list[object] = [carla.command.SetSimulatePhysics(body.actor, driven)]
        if body.is_walker:
            still = carla.WalkerControl(carla.Vector3D(), 0.0, False)
            commands.append(carla.command.ApplyWalkerControl(body.actor, cast(Any, still)))
        elif driven:
            commands.append(carla.command.ApplyTargetVelocity(body.actor, body.velocity(motion)))
        self._batch(commands)
        if driven and body.is_vehicle and self._friction != 1.0:
            self._apply_friction(body, self._friction)
        if not driven and body.autopilot:
            cast(Any, body.actor).set_autopilot(False)
            body.autopilot = False

    def drive(self, wishes: Mapping[str, VehicleDrive | Walk | Autopilot]) -> None:
        """See :class:`WorldPort`."""
        commands: list[object] = []
        for name, wish in wishes.items():
            body = self._bodies[name]
            if isinstance(wish, VehicleDrive):
                control = carla.VehicleControl(
                    throttle=wish.throttle,
                    steer=-wish.steer,  # CARLA steers positive to the right
                    brake=wish.brake,
                    hand_brake=wish.hand_brake,
                    reverse=wish.reverse,
                )
                commands.append(carla.command.ApplyVehicleControl(body.actor, control))
            elif isinstance(wish, Walk):
                dx, dy, dz = wish.direction
                walk = carla.WalkerControl(carla.Vector3D(dx, -dy, dz), wish.speed, wish.jump)
                commands.append(carla.command.ApplyWalkerControl(body.actor, cast(Any, walk)))
            elif not body.autopilot:
                cast(Any, body.actor).set_autopilot(True)
                body.autopilot = True
        self._later(commands)

    def kept(self) -> list[object]:
        """Return the commands that wait to be sent before the next tick; they are the caller's then."""
        commands, self._kept = self._kept, []
        return commands

    def send(self) -> None:
        """Send what waits, in one batch, for those who let commands wait and tick the world themselves."""
        self._batch([])

    def _later(self, commands: list[object]) -> None:
        if self.keeps_commands:
            self._kept += commands
        else:
            self._batch(commands)

    def tick(self, dt_s: float) -> None:
        """Tick the world (:class:`WorldPort`); its step must be ``dt_s``, which the caller has set."""
        self._batch([])
        self._world.tick(self._tick_timeout_s)

    def observe(self, names: list[str]) -> Mapping[str, Motion]:
        """See :class:`WorldPort`."""
        snapshot = self._world.get_snapshot()
        found = {}
        self._pushed = {}
        for name in names:
            state = snapshot.find(self._bodies[name].actor.id)
            if state is None:
                raise RealityError(f"entity {name} has vanished from the simulator at frame {snapshot.frame}")
            found[name] = self._bodies[name].motion(state)
            before = self._motions.get(name)
            if before is not None and self._bodies[name].is_vehicle:
                unhindered = _unhindered(before, found[name], snapshot.timestamp.delta_seconds)
                if unhindered is not None:
                    self._pushed[name] = unhindered
            self._motions[name] = found[name]
        return found

    def contacts(self) -> frozenset[frozenset[str]]:
        """Return pairs of which one is driven by physics and whose actors' own boxes touch, or did during the step.

        Boxes rather than collision sensors, because the sensors' events come after an unknown delay: a run would not
        repeat exactly. A vehicle that is hit by one that follows its path whatever happens is thrown off it within the
        step, so that boxes never overlap at its end: one whose velocity has changed as no tyre can change it has been
        hit by whoever is where it would be now.
        """
        names = [n for n in self._bodies if n in self._motions]
        moving = {n: self._bodies[n].moving(self._motions[n]) for n in names}
        hit = {n: self._bodies[n].moving(motion) for n, motion in self._pushed.items() if n in self._bodies}
        return frozenset(
            frozenset((a, b))
            for i, a in enumerate(names)
            for b in names[i + 1 :]
            if (self._bodies[a].driven or self._bodies[b].driven)
            and (
                metrics.collide(moving[a], moving[b])
                or (a in hit and metrics.collide(hit[a], hit.get(b, moving[b])))
                or (b in hit and metrics.collide(hit.get(a, moving[a]), hit[b]))
            )
        )

    # ---- the world

    def set_environment(self, environment: Environment) -> None:
        """See :class:`WorldPort`. Friction acts on the tyres of vehicles that physics drives."""
        weather = self._world.get_weather()
        fields = mapping.weather(environment, self._network.origin_lat_lon, environment.time_of_day)
        for field, value in fields.items():
            setattr(weather, field, value)
        self._world.set_weather(weather)
        if environment.friction is not None and environment.friction != self._friction:
            for body in self._bodies.values():
                if body.driven and body.is_vehicle:
                    self._apply_friction(body, environment.friction / self._friction)
            self._friction = environment.friction

    @staticmethod
    def _apply_friction(body: _Body, factor: float) -> None:
        vehicle = cast(Any, body.actor)
        control = vehicle.get_physics_control()
        wheels = control.wheels
        for wheel in wheels:
            wheel.tire_friction *= factor
        control.wheels = wheels
        vehicle.apply_physics_control(control)

    def set_lights(self, name: str, lights: Mapping[str, str]) -> None:
        """See :class:`WorldPort`."""
        self._spawn_waiting()
        body = self._bodies[name]
        if not body.is_vehicle:
            raise RealityError(f"entity {name} is no vehicle and has no lights")
        flags = carla.VehicleLightState(mapping.light_flags(lights))
        self._batch([carla.command.SetVehicleLightState(body.actor, flags)])

    def set_door(self, name: str, door: str, is_open: bool) -> None:
        """See :class:`WorldPort`.

        Raises:
            RealityError: it is no vehicle, or one whose doors do not move in CARLA.
        """
        self._spawn_waiting()
        actor: Any = self._bodies[name].actor
        if actor.attributes.get("has_dynamic_doors") != "true":
            raise RealityError(f"entity {name}: the doors of {actor.type_id} do not move (has_dynamic_doors)")
        (actor.open_door if is_open else actor.close_door)(_DOORS[door])

    def set_visibility(self, name: str, graphics: bool, traffic: bool, sensors: bool) -> None:
        """See :class:`WorldPort`. An actor is hidden from everything by putting it deep below the ground.

        Raises:
            RealityError: it should be hidden from cameras only, or from other sensors only, which CARLA cannot do.
        """
        if graphics != sensors:
            raise RealityError(
                f"entity {name}: CARLA hides an actor from cameras and other sensors alike, or not at all"
            )
        self._spawn_waiting()
        body = self._bodies[name]
        if body.driven and not graphics:
            raise RealityError(f"entity {name} is driven by physics and cannot be hidden")
        body.hidden = not graphics
        body.last = ()
        self.move({name: self._motions[name]}, {name: body.record})

    def set_signals(self, states: Mapping[str, str]) -> None:
        """See :class:`WorldPort`. A light that the scenario sets is frozen: its own cycle stops."""
        for name, state in states.items():
            if self._signals.get(name) == state:
                continue
            light = self._world.get_traffic_light_from_opendrive_id(name)
            if light is None:
                raise RealityError(f"the simulator has no traffic light for OpenDRIVE signal {name!r}")
            light.set_state(_TRAFFIC_LIGHT_STATES[color_of(state)])
            light.freeze(True)
            self._signals[name] = state

    def signal_state(self, name: str) -> str | None:
        """See :class:`WorldPort`."""
        light = self._world.get_traffic_light_from_opendrive_id(name)
        return None if light is None else str(light.get_state()).rsplit(".", maxsplit=1)[-1].lower()

    def close(self) -> None:
        """Destroy every actor this port has spawned."""
        actors = [body.actor for body in self._bodies.values()]
        self._waiting.clear()
        self._kept.clear()
        self._bodies.clear()
        self._motions.clear()
        if actors:
            self._client.apply_batch_sync([carla.command.DestroyActor(actor) for actor in actors], False)

    def _batch(self, commands: list[object]) -> None:
        """Send commands, those that wait first, and fail loudly if the server refused one."""
        commands = [*self.kept(), *commands]
        if not commands:
            return
        for response in self._client.apply_batch_sync(commands, False):
            if response.has_error():
                raise RealityError(f"the simulator refused a command: {response.error}")

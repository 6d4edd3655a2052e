"""The physics of a world: the facade the engine's world uses. Everything in and out is in CARLA's frame and units."""

from __future__ import annotations

import math
from collections.abc import Collection

import msgspec
import numpy as np
import numpy.typing as npt
from panda3d.bullet import BulletBoxShape, BulletRigidBodyNode, BulletShape, BulletWorld
from panda3d.core import Point3, PythonCallbackObject, Vec3

from engine.blueprints import PropSpec, VehicleSpec, WalkerSpec
from engine.geometry import Box, Model, StaticWorld
from engine.physics.bodies import (
    DYNAMIC_MASK,
    STATIC_MASK,
    Body,
    Vector,
    key_of,
    local_to_body,
    node_transform,
    spin_to_bullet,
    to_bullet,
)
from engine.physics.contacts import Contact, ContactLog
from engine.physics.fleet import Fleet, VehicleState
from engine.physics.ground import Ground
from engine.physics.stepping import Stepper
from engine.physics.store import BodyStore
from engine.physics.telemetry import telemetry
from engine.physics.vehicles import chassis_box, chassis_shape, inertia, make_chassis, make_rig, make_wheels
from engine.physics.walkers import Walkers, WalkerState, capsule_shape, make_walker
from engine.protocol.structs import (
    Vector3D,
    VehicleControl,
    VehiclePhysicsControl,
    VehicleTelemetryData,
    WalkerControl,
)
from engine.state import ActorTable, Kind
from foundation.errors import RealityError
from foundation.frames import pose_matrices, rotation_matrices, transform_points

Floats = npt.NDArray[np.float64]
Triple = tuple[float, float, float]

LONGEST_SUBSTEP_S = 0.02
"""Bullet never takes longer substeps, whatever is asked: the suspension would ring."""
CONTROL_S = 0.05
"""Engine, brakes and walkers are updated at least this often."""
JUMP_M = 5.0
"""A body without physics that is placed farther away than this was teleported, not moved."""
OVERLAP_M = 0.03
"""Penetration from which a spawn counts as blocked."""

NOWHERE = (0.0, 0.0, 0.0)


def _triple(vector: Vector) -> Triple:
    return float(vector[0]), float(vector[1]), float(vector[2])


class Physics:
    """Bullet behind CARLA's notions.

    Actors are known by id: KeyError for an unknown one, RealityError for one of the wrong kind. Locations are
    metres, rotations (pitch, yaw, roll) degrees, angular velocities degrees per second, all in CARLA's frame.

    Args:
        static: the world that does not move.
        gravity: m/s^2 downwards.
    """

    def __init__(self, static: StaticWorld, gravity: float = 9.81) -> None:
        self._world = BulletWorld()
        self._world.set_gravity(Vec3(0, 0, -gravity))
        self._gravity = gravity
        self._ground = Ground(self._world, static, STATIC_MASK)
        self._stepper = Stepper(self._world)
        self._store = BodyStore()
        self._fleet = Fleet()
        self._walkers = Walkers()
        self._log = ContactLog(self._world, self._ground, self._store)
        self._world.set_tick_callback(PythonCallbackObject(self._log.look), False)
        self._forces: list[tuple[Body, Triple, Triple | None]] = []
        self._torques: list[tuple[Body, Triple]] = []

    def close(self) -> None:
        """Take everything out of Bullet and break the reference from Bullet's world back to this object."""
        for actor_id in list(self._store.by_id):
            self.remove(actor_id)
        self._world.clear_tick_callback()
        for node in self._ground.nodes:
            self._world.remove(node)

    def __contains__(self, actor_id: int) -> bool:
        return actor_id in self._store.by_id

    def __len__(self) -> int:
        return len(self._store.by_id)

    # --- actors ----------------------------------------------------------------------------------------------

    def add_vehicle(
        self,
        actor_id: int,
        spec: VehicleSpec,
        physics_control: VehiclePhysicsControl | None = None,
        location: Vector = NOWHERE,
        rotation: Vector = NOWHERE,
    ) -> None:
        """Put a vehicle into the world at rest. ``physics_control`` None takes the spec's.

        Raises:
            RealityError: the physics control does not fit the vehicle.
        """
        control = physics_control or spec.physics
        rig = make_rig(spec, control)
        body = Body(actor_id, Kind.VEHICLE, make_chassis(spec, rig), rig.mass, rig.center)
        self._add(body, location, rotation)
        vehicle = make_wheels(self._world, body.node, spec, rig)
        self._world.attach(vehicle)
        self._fleet.add(VehicleState(body, spec, control, rig, vehicle))

    def add_walker(
        self, actor_id: int, spec: WalkerSpec, location: Vector = NOWHERE, rotation: Vector = NOWHERE
    ) -> None:
        """Put a walker into the world; its location is its centre, half its height above the ground."""
        body = Body(actor_id, Kind.WALKER, make_walker(spec), spec.mass, NOWHERE)
        body.responds = False
        self._add(body, location, (0.0, float(rotation[1]), 0.0))
        self._walkers.members[actor_id] = WalkerState(body, spec)

    def add_prop(
        self,
        actor_id: int,
        what: PropSpec | Model | Box,
        location: Vector = NOWHERE,
        rotation: Vector = NOWHERE,
        mass: float | None = None,
    ) -> None:
        """Put a box-shaped prop into the world.

        Args:
            mass: kg; a positive one makes it loose from the start, 0 fixes it for ever. None: it stands fixed until
                ``set_simulate_physics``, and has its spec's mass then.
        """
        box = _box(what)
        weight = mass if mass is not None else (what.mass if isinstance(what, PropSpec) else 0.0)
        node = BulletRigidBodyNode("prop")
        node.add_shape(BulletBoxShape(Vec3(*local_to_body(np.maximum(box.extent, 0.01)))))
        node.set_mass(weight)
        node.set_friction(0.7)
        body = Body(actor_id, Kind.PROP, node, weight, box.center)
        body.simulate = bool(mass)
        self._add(body, location, rotation)

    def _add(self, body: Body, location: Vector, rotation: Vector) -> None:
        self._store.add(body, _triple(location), _triple(rotation))
        body.node.set_transform(node_transform(_triple(location), _triple(rotation), body.offset))
        self._attach(body)
        self._fleet.changed()

    def _attach(self, body: Body) -> None:
        """Attach a body to Bullet's world as its switches say, detaching it first.

        Bullet sorts bodies into moving and resting ones when they are added, so a switch means adding anew.
        """
        node = body.node
        if body.attached:
            self._world.remove(node)
        body.attached = body.simulate or body.collides
        mass = body.mass if body.simulate else 0.0
        node.set_kinematic(body.movable and not body.simulate)
        node.set_collision_response(body.simulate or body.responds)
        node.set_into_collide_mask(body.mask)
        if (node.get_mass() > 0.0) != (mass > 0.0):
            node.set_mass(mass)
            state = self._fleet.members.get(body.actor_id)
            if state is not None and mass > 0.0:
                node.set_inertia(inertia(state.spec, mass))
        # Without physics and without collisions, Bullet need not know of it.
        if body.attached:
            self._world.attach(node)
            self._set_gravity(body)

    def _set_gravity(self, body: Body) -> None:
        falls = body.gravity and body.kind is not Kind.WALKER  # walkers fall by their own rule
        body.node.set_gravity(Vec3(0, 0, -self._gravity if falls else 0.0))

    def remove(self, actor_id: int) -> None:
        """Take an actor out."""
        body = self._store.remove(actor_id)
        if actor_id in self._fleet.members:
            state = self._fleet.remove(actor_id)
            if body.simulate:
                self._world.remove(state.vehicle)
        self._walkers.members.pop(actor_id, None)
        if body.attached:
            self._world.remove(body.node)
        self._forces = [item for item in self._forces if item[0] is not body]
        self._torques = [item for item in self._torques if item[0] is not body]
        self._fleet.changed()

    def overlaps(
        self,
        spec: VehicleSpec | WalkerSpec | PropSpec | Model | Box,
        location: Vector,
        rotation: Vector = NOWHERE,
        ignore: Collection[int] = (),
    ) -> bool:
        """Return whether a new actor would stand in something: CARLA's "collision at spawn position".

        A vehicle is tested without its ground clearance, a walker without the height of a step and a box without a
        quarter of its height (0.25 m at most) at its foot, so neither the road nor a kerb is in their way.
        """
        shape, center = _probe(spec)
        node = BulletRigidBodyNode("probe")
        node.add_shape(shape)
        node.set_into_collide_mask(DYNAMIC_MASK)
        node.set_transform(node_transform(_triple(location), _triple(rotation), center))
        for contact in self._world.contact_test(node, False).get_contacts():
            if contact.get_manifold_point().get_distance() > -OVERLAP_M:
                continue
            for other in (contact.get_node0(), contact.get_node1()):
                body = self._store.by_node.get(key_of(other))
                known = body is not None or key_of(other) in self._ground
                if known and (body is None or body.actor_id not in ignore):
                    return True
        return False

    # --- poses, velocities, forces ---------------------------------------------------------------------------

    def set_transform(self, actor_id: int, location: Vector, rotation: Vector | None = None) -> None:
        """Teleport; velocities are kept. ``rotation`` None keeps the orientation."""
        body = self._store.by_id[actor_id]
        place = _triple(location)
        turn = _triple(self._store.rotation[body.index] if rotation is None else rotation)
        placed = body.movable and not body.simulate
        if placed and math.dist(place, self._store.location[body.index].tolist()) > JUMP_M:
            # Not a motion: Bullet must not read a velocity from it.
            body.node.set_kinematic(False)
            body.node.set_transform(node_transform(place, turn, body.offset))
            body.node.set_kinematic(True)
        self._store.location[body.index], self._store.rotation[body.index] = place, turn
        body.node.set_transform(node_transform(place, turn, body.offset))
        if actor_id in self._walkers.members:
            self._walkers.members[actor_id].placed = True
        self._wake(body)

    def _wake(self, body: Body) -> None:
        self._store.touched()
        if body.simulate:
            body.node.set_active(True, True)

    def transform(self, actor_id: int) -> tuple[Triple, Triple]:
        """Return (location, rotation): of the last step, or as placed since."""
        index = self._store.by_id[actor_id].index
        return _triple(self._store.location[index]), _triple(self._store.rotation[index])

    def velocity(self, actor_id: int) -> Triple:
        """Return the velocity of the actor's origin in the last frame, m/s, world."""
        return _triple(self._store.velocity[self._store.by_id[actor_id].index])

    def angular_velocity(self, actor_id: int) -> Triple:
        """Return the angular velocity in the last frame, deg/s, world."""
        return _triple(self._store.spin[self._store.by_id[actor_id].index])

    def set_velocity(self, actor_id: int, velocity: Vector) -> None:
        """Set the velocity once, m/s, world. Without physics: the velocity to report for the coming frame."""
        body = self._store.by_id[actor_id]
        if body.simulate:
            body.node.set_linear_velocity(to_bullet(velocity))
            self._wake(body)
        else:
            self._store.told_velocity[actor_id] = _triple(velocity)

    def set_angular_velocity(self, actor_id: int, spin: Vector) -> None:
        """Set the angular velocity once, deg/s, world. Without physics: the one to report for the coming frame."""
        body = self._store.by_id[actor_id]
        if body.simulate:
            body.node.set_angular_velocity(spin_to_bullet(spin))
            self._wake(body)
        else:
            self._store.told_spin[actor_id] = _triple(spin)

    def enable_constant_velocity(self, actor_id: int, velocity: Vector) -> None:
        """Hold a velocity in every step from now on, m/s in the actor's own frame."""
        self._store.by_id[actor_id].held_velocity = _triple(velocity)

    def disable_constant_velocity(self, actor_id: int) -> None:
        """Let go of a held velocity."""
        self._store.by_id[actor_id].held_velocity = None

    def add_impulse(self, actor_id: int, impulse: Vector, at: Vector | None = None) -> None:
        """Apply an impulse, N s, world, at the centre of mass or at a world point. Nothing without physics."""
        body = self._store.by_id[actor_id]
        if not body.simulate:
            return
        if at is None:
            body.node.apply_central_impulse(to_bullet(impulse))
        else:
            body.node.apply_impulse(to_bullet(impulse), _arm(body, at))
        self._wake(body)

    def add_force(self, actor_id: int, force: Vector, at: Vector | None = None) -> None:
        """Apply a force, N, world, during the next step. Nothing without physics."""
        body = self._store.by_id[actor_id]
        if body.simulate:
            self._forces.append((body, _triple(force), None if at is None else _triple(at)))

    def add_angular_impulse(self, actor_id: int, impulse: Vector) -> None:
        """Apply an angular impulse, kg m^2 deg/s, world (in degrees, as CARLA's call is). Nothing without physics."""
        body = self._store.by_id[actor_id]
        if body.simulate:
            body.node.apply_torque_impulse(spin_to_bullet(impulse))
            self._wake(body)

    def add_torque(self, actor_id: int, torque: Vector) -> None:
        """Apply a torque, kg m^2 deg/s^2, world, during the next step. Nothing without physics."""
        body = self._store.by_id[actor_id]
        if body.simulate:
            self._torques.append((body, _triple(torque)))

    # --- switches --------------------------------------------------------------------------------------------

    def set_simulate_physics(self, actor_id: int, enabled: bool) -> None:
        """Let Bullet move the actor, or only whoever places it. Props without mass stay fixed."""
        body = self._store.by_id[actor_id]
        if not body.movable or body.simulate == enabled:
            return
        state = self._fleet.members.get(actor_id)
        velocity, spin = self.velocity(actor_id), self.angular_velocity(actor_id)
        if state is not None and not enabled:
            self._world.remove(state.vehicle)
        body.simulate = enabled
        self._attach(body)
        if enabled:
            if state is not None:
                state.vehicle.reset_suspension()
                self._world.attach(state.vehicle)
            body.node.set_linear_velocity(to_bullet(velocity))
            body.node.set_angular_velocity(spin_to_bullet(spin))
            if actor_id in self._walkers.members:
                self._walkers.members[actor_id].led = None
        self._store.switched()
        self._fleet.changed()
        self._wake(body)

    def set_collisions(self, actor_id: int, enabled: bool) -> None:
        """Let the actor touch others or not. A vehicle's wheels stay on the road either way."""
        body = self._store.by_id[actor_id]
        if body.collides == enabled:
            return
        velocity, spin = body.node.get_linear_velocity(), body.node.get_angular_velocity()
        body.collides = enabled
        self._attach(body)
        if body.simulate:
            body.node.set_linear_velocity(velocity)
            body.node.set_angular_velocity(spin)
        self._wake(body)

    def set_enable_gravity(self, actor_id: int, enabled: bool) -> None:
        """Let gravity act on the actor or not."""
        body = self._store.by_id[actor_id]
        body.gravity = enabled
        self._set_gravity(body)
        self._wake(body)

    # --- vehicles --------------------------------------------------------------------------------------------

    def _vehicle(self, actor_id: int) -> VehicleState:
        if self._store.by_id[actor_id].kind is not Kind.VEHICLE:
            raise RealityError(f"actor {actor_id} is not a vehicle")
        return self._fleet.members[actor_id]

    def apply_vehicle_control(self, actor_id: int, control: VehicleControl) -> None:
        """Set pedals and wheel; in force until replaced."""
        self._vehicle(actor_id)
        self._fleet.set_control(actor_id, control)

    def vehicle_control(self, actor_id: int) -> VehicleControl:
        """Return the control in force."""
        return self._vehicle(actor_id).control

    def physics_control(self, actor_id: int) -> VehiclePhysicsControl:
        """Return the physics control in force; wheel positions in centimetres of the world, as of now."""
        state = self._vehicle(actor_id)
        matrix = pose_matrices(*self.transform(actor_id))
        places = (transform_points(matrix, state.spec.wheel_positions) * 100.0).tolist()
        wheels = tuple(
            msgspec.structs.replace(wheel, position=Vector3D(*place))
            for wheel, place in zip(state.physics_control.wheels, places)
        )
        return msgspec.structs.replace(state.physics_control, wheels=wheels)

    def set_physics_control(self, actor_id: int, control: VehiclePhysicsControl) -> None:
        """Give a vehicle another drive, mass and tyres; its motion goes on. Wheel positions are not taken over.

        Raises:
            RealityError: the control does not fit the vehicle; nothing has changed then.
        """
        state = self._vehicle(actor_id)
        body, old = state.body, state.body.node
        rig = make_rig(state.spec, control)
        place, turn = self.transform(actor_id)
        linear, angular = old.get_linear_velocity(), old.get_angular_velocity()
        old_key = key_of(old)
        if body.simulate:
            self._world.remove(state.vehicle)
        if body.attached:
            self._world.remove(old)
            body.attached = False
        body.node, body.mass, body.offset = make_chassis(state.spec, rig), rig.mass, rig.center
        body.node.set_transform(node_transform(place, turn, body.offset))
        self._attach(body)
        vehicle = make_wheels(self._world, body.node, state.spec, rig)
        if body.simulate:
            self._world.attach(vehicle)
            body.node.set_linear_velocity(linear)
            body.node.set_angular_velocity(angular)
        state.change(control, rig, vehicle)
        self._store.replace_node(body, old_key)
        self._fleet.changed()

    def wheel_steer_angle(self, actor_id: int, wheel: int) -> float:
        """Return the steering angle of a wheel in degrees, to the right positive.

        Raises:
            RealityError: no such wheel.
        """
        state = self._vehicle(actor_id)
        if not 0 <= wheel < len(state.physics_control.wheels):
            raise RealityError(f"actor {actor_id} has no wheel {wheel}")
        return float(self._fleet.steer_angles(state)[wheel])

    def telemetry(self, actor_id: int) -> VehicleTelemetryData:
        """Return the vehicle's telemetry as of the last step."""
        state = self._vehicle(actor_id)
        return telemetry(self._fleet, state, self._store.motion())

    # --- walkers ---------------------------------------------------------------------------------------------

    def _walker(self, actor_id: int) -> WalkerState:
        if self._store.by_id[actor_id].kind is not Kind.WALKER:
            raise RealityError(f"actor {actor_id} is not a walker")
        return self._walkers.members[actor_id]

    def apply_walker_control(self, actor_id: int, control: WalkerControl) -> None:
        """Set direction, speed and jump; in force until replaced."""
        state = self._walker(actor_id)
        state.control, state.led = control, None

    def set_walker_state(self, actor_id: int, location: Vector, yaw: float, speed: float) -> None:
        """Put a walker's centre at ``location``, facing ``yaw`` degrees, its legs walking at ``speed`` m/s."""
        state = self._walker(actor_id)
        self.set_transform(actor_id, location, (0.0, yaw, 0.0))
        state.led = speed

    # --- time ------------------------------------------------------------------------------------------------

    def step(self, dt: float, substeps: int = 1) -> None:
        """Simulate one frame.

        Args:
            dt: length, seconds. Nothing happens when it is not positive.
            substeps: at least so many equal Bullet steps; more when they would be longer than 0.02 s.
        """
        if not dt > 0.0:
            return
        count = max(1, substeps, math.ceil(dt / LONGEST_SUBSTEP_S - 1e-6))
        substep = dt / count
        together = max(1, int(CONTROL_S / substep + 1e-6))
        self._log.begin()
        self._store.begin_frame()
        while count > 0:
            taken = min(together, count)
            self._drive(taken * substep, substep)
            self._stepper.advance(taken, substep)
            self._store.touched()
            self._fleet.settle(self._store.motion(), substep)
            count -= taken
        self._log.end(self._estimate)
        self._forces.clear()
        self._torques.clear()
        self._store.end_frame(dt)
        self._walkers.finish(self._store.velocity, self._log.touching(), dt)

    def _drive(self, span: float, substep: float) -> None:
        """Set everything that acts during the next ``span`` seconds."""
        if not len(self._store.by_id):
            return
        motion = self._store.motion()
        self._fleet.apply(motion, span, substep)
        self._walkers.apply(self._world, motion, span)
        for body in self._store.order:
            if body.held_velocity is not None and body.simulate:
                turn = rotation_matrices(motion.rotation[body.index])
                body.node.set_linear_velocity(to_bullet((turn @ body.held_velocity).tolist()))
                body.node.set_active(True, True)
        for body, force, at in self._forces:
            body.node.set_active(True, True)
            if at is None:
                body.node.apply_central_force(to_bullet(force))
            else:
                body.node.apply_force(to_bullet(force), _arm(body, at))
        for body, torque in self._torques:
            body.node.set_active(True, True)
            body.node.apply_torque(spin_to_bullet(torque))

    def _estimate(self, a: Body, b: Body, normal: Triple) -> Triple:
        """Return the impulse on ``a`` of a plastic impact that Bullet did not solve, and pass it to moving bodies.

        One of the two is without physics: a pair of those, or a walker led by somebody else. ``normal`` points from
        ``b`` to ``a``.
        """
        n = np.asarray(normal)
        closing = float(-(self._store.velocity[a.index] - self._store.velocity[b.index]) @ n)
        if closing <= 0.0:
            return NOWHERE
        weights = [1.0 / body.mass if body.mass > 0.0 else 0.0 for body in (a, b)]
        if not sum(weights):
            return NOWHERE
        impulse = n * closing / sum(weights)
        for body, sign in ((a, 1.0), (b, -1.0)):
            if body.simulate:
                body.node.apply_central_impulse(to_bullet((sign * impulse).tolist()))
        return _triple(impulse)

    def contacts(self) -> list[Contact]:
        """Return what touched what during the last frame, sorted by actor ids."""
        return self._log.contacts()

    def read(self, table: ActorTable) -> None:
        """Write the last frame's state of all bodies into their rows of ``table``; every body must have one."""
        store = self._store
        if not store.ids:
            return
        rows, at = table.rows, table.indices(store.ids)
        rows["location"][at], rows["rotation"][at] = store.location, store.rotation
        rows["velocity"][at], rows["angular_velocity"][at] = store.velocity, store.spin
        rows["acceleration"][at] = store.acceleration
        self._fleet.read(rows, at)
        self._walkers.read(rows, at)


def _box(what: PropSpec | Model | Box) -> Box:
    return what if isinstance(what, Box) else what.box


def _arm(body: Body, at: Vector) -> Point3:
    return Point3(Point3(to_bullet(at)) - body.node.get_transform().get_pos())


def _probe(spec: VehicleSpec | WalkerSpec | PropSpec | Model | Box) -> tuple[BulletShape, Triple]:
    if isinstance(spec, VehicleSpec):
        return chassis_shape(spec), chassis_box(spec)[0]
    if isinstance(spec, WalkerSpec):
        shape, lift = capsule_shape(spec)
        return shape, (0.0, 0.0, lift)
    box = _box(spec)
    x, y, z = box.extent
    foot = min(0.25, z / 2.0)
    center = (box.center[0], box.center[1], box.center[2] + foot / 2.0)
    return BulletBoxShape(Vec3(*local_to_body(np.maximum((x, y, z - foot / 2.0), 0.01)))), center

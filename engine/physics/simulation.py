"""The physics of a world: the facade the engine's world uses. Everything in and out is in CARLA's frame and units."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection
from typing import Any

import msgspec
import numpy as np
from panda3d.bullet import BulletBoxShape, BulletRigidBodyNode, BulletShape
from panda3d.core import PythonCallbackObject, Vec3

from engine.blueprints import PropSpec, VehicleSpec, WalkerSpec
from engine.geometry import Box, Model, StaticWorld
from engine.physics.bodies import (
    DYNAMIC_MASK,
    SHORTEST_FRAME_S,
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
from engine.physics.driving import VehicleState
from engine.physics.ground import Ground, GroundShapes
from engine.physics.handling import Bodies, Triple, arm, triple
from engine.physics.stepping import Stepper
from engine.physics.telemetry import telemetry
from engine.physics.vehicles import (
    Rig,
    changed_without_effect,
    chassis_box,
    chassis_shape,
    make_chassis,
    make_rig,
    make_wheels,
)
from engine.physics.walkers import WalkerState, capsule_shape, make_walker
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

_log = logging.getLogger(__name__)

LONGEST_SUBSTEP_S = 0.02
"""Bullet never takes longer substeps, whatever is asked: the suspension would ring."""
CONTROL_S = 0.05
"""Engine, brakes and walkers are updated at least this often."""
OVERLAP_M = 0.03
"""Penetration from which a spawn counts as blocked."""

NOWHERE = (0.0, 0.0, 0.0)


class Physics(Bodies):
    """Bullet behind CARLA's notions.

    Actors are known by id: KeyError for an unknown one, RealityError for one of the wrong kind. Locations are
    metres, rotations (pitch, yaw, roll) degrees, angular velocities degrees per second, all in CARLA's frame.

    Args:
        static: the world that does not move, or its shapes for those who make many physics of it.
        gravity: m/s^2 downwards.
    """

    def __init__(self, static: StaticWorld | GroundShapes, gravity: float = 9.81) -> None:
        super().__init__(gravity)
        self._ground = Ground(self._world, static, STATIC_MASK)
        self._stepper = Stepper(self._world)
        self._said: set[str] = set()
        # Table, its layout and the bodies' numbering for which the rows of all bodies are known, and these rows.
        self._rows_for: tuple[ActorTable | None, int, int, Any] = (None, 0, 0, None)
        self._log = ContactLog(self._world, self._ground, self._store)
        self._world.set_tick_callback(PythonCallbackObject(self._log.look), False)

    def close(self) -> None:
        """Take everything out of Bullet and break the reference from Bullet's world back to this object."""
        for body in self._store.order:
            if body.simulate and body.actor_id in self._fleet.members:
                self._detach_vehicle(self._fleet.members[body.actor_id])
            if body.attached:
                self._world.remove(body.node)
        self._world.clear_tick_callback()
        for node in self._ground.nodes:
            self._world.remove(node)

    def replace_ground(self, shapes: GroundShapes) -> None:
        """Let bodies meet another static world: objects of the map have been hidden or shown. Sleepers wake."""
        self._ground.replace(shapes)
        for body in self._store.order:
            if body.attached and body.simulate:
                body.node.set_active(True, True)

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
        self,
        actor_id: int,
        spec: WalkerSpec,
        location: Vector = NOWHERE,
        rotation: Vector = NOWHERE,
        *,
        gait_phase: float = 0.0,
    ) -> None:
        """Put a walker into the world; its location is its centre, half its height above the ground."""
        body = Body(actor_id, Kind.WALKER, make_walker(spec), spec.mass, NOWHERE)
        body.responds = False
        self._add(body, location, (0.0, float(rotation[1]), 0.0))
        self._walkers.members[actor_id] = WalkerState(body, spec)
        self._walkers.members[actor_id].gait_phase = gait_phase

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
        node.notify_collisions(True)
        node.add_shape(BulletBoxShape(Vec3(*local_to_body(np.maximum(box.extent, 0.01)))))
        node.set_mass(weight)
        node.set_friction(0.7)
        body = Body(actor_id, Kind.PROP, node, weight, box.center)
        body.simulate = bool(mass)
        self._add(body, location, rotation)

    def _add(self, body: Body, location: Vector, rotation: Vector) -> None:
        self._store.add(body, triple(location), triple(rotation))
        body.node.set_transform(node_transform(triple(location), triple(rotation), body.offset))
        self._attach(body)
        self._fleet.changed()

    def remove(self, actor_id: int) -> None:
        """Take an actor out."""
        body = self._store.remove(actor_id)
        if actor_id in self._fleet.members:
            state = self._fleet.remove(actor_id)
            if body.simulate:
                self._detach_vehicle(state)
        self._walkers.members.pop(actor_id, None)
        self._held.pop(actor_id, None)
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
        self._store.settle()
        shape, center = _probe(spec)
        node = BulletRigidBodyNode("probe")
        node.add_shape(shape)
        node.set_into_collide_mask(DYNAMIC_MASK)
        node.set_transform(node_transform(triple(location), triple(rotation), center))
        for contact in self._world.contact_test(node, False).get_contacts():
            if contact.get_manifold_point().get_distance() > -OVERLAP_M:
                continue
            for other in (contact.get_node0(), contact.get_node1()):
                body = self._store.by_node.get(key_of(other))
                known = body is not None or key_of(other) in self._ground
                if known and (body is None or body.actor_id not in ignore):
                    return True
        return False

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
        rig = make_rig(state.spec, control)
        for name in changed_without_effect(state.physics_control, control):
            if name not in self._said:
                self._said.add(name)
                _log.warning("VehiclePhysicsControl.%s is kept, but has no effect in the embedded engine", name)
        self._store.settle(everybody=True)
        self._fleet.changed()
        if rig.same_body(state.rig):
            state.change(control, rig, state.vehicle)
        else:
            self._rebuild(state, control, rig)
        self._fleet.changed()

    def _rebuild(self, state: VehicleState, control: VehiclePhysicsControl, rig: Rig) -> None:
        """Give a vehicle a new body for a new mass, centre of mass or wheel size."""
        body, old, actor_id = state.body, state.body.node, state.body.actor_id
        place, turn = self.transform(actor_id)
        linear, angular = old.get_linear_velocity(), old.get_angular_velocity()
        old_key = key_of(old)
        if body.simulate:
            self._detach_vehicle(state)
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
        self._fleet.store()
        return telemetry(state, self._store.motion())

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
        """Put a walker's centre at ``location``, facing ``yaw`` degrees, its legs walking at ``speed`` m/s.

        It stands on the ground if there is any within ``walkers.FOLLOW_M`` of its feet.
        """
        state = self._walker(actor_id)
        place = self._walkers.stand(self._world, state, self._store.location[state.body.index], triple(location))
        self.set_transform(actor_id, place, (0.0, yaw, 0.0))
        self._walkers.lead(state, yaw, speed)

    def watch_feet(self, seen: bool) -> None:
        """Let walkers' feet keep their places on the ground from now on, or, as nobody sees them, follow the gait."""
        if seen == self._walkers.seen:
            return
        self._walkers.seen = seen
        for state in self._walkers.members.values():
            state.footing.lift_all()

    def fell_walker(self, actor_id: int) -> None:
        """Let a walker drop dead: it takes no more part in walking, and other bodies meet it."""
        state = self._walker(actor_id)
        self.set_collisions(actor_id, True)
        self.set_simulate_physics(actor_id, True)
        self._walkers.fell(state, self._gravity)

    # --- time ------------------------------------------------------------------------------------------------

    def step(self, dt: float, substeps: int = 1) -> None:
        """Simulate one frame.

        Args:
            dt: length, seconds. Nothing happens when it is not positive; below a microsecond nothing moves but what
                is placed by hand.
            substeps: at least so many equal Bullet steps; more when they would be longer than 0.02 s.
        """
        if not dt > 0.0:
            return
        count = max(1, substeps, math.ceil(dt / LONGEST_SUBSTEP_S - 1e-6))
        substep = dt / count
        together = max(1, int(CONTROL_S / substep + 1e-6))
        self._log.begin()
        self._store.begin_frame()
        if dt < SHORTEST_FRAME_S:
            count = 0
            self._store.settle()
        while count > 0:
            taken = min(together, count)
            self._drive(taken * substep, substep)
            self._stepper.advance(taken, substep)
            self._store.touched()
            self._fleet.feel()
            count -= taken
        self._fleet.settle(self._store.motion(), dt, substep)
        self._log.end(self._estimate)
        self._forces.clear()
        self._torques.clear()
        motion = self._store.end_frame(dt)
        self._fleet.finish(motion, self._store.velocity, dt)
        store = self._store
        self._walkers.finish(store.location, store.rotation, store.velocity, self._log.touching(), dt)

    def _drive(self, span: float, substep: float) -> None:
        """Set everything that acts during the next ``span`` seconds."""
        if not len(self._store.by_id):
            return
        self._store.settle()
        self._fleet.apply(self._store.raw(), span, substep)
        if self._walkers.members or self._held:
            motion = self._store.motion()
            self._walkers.apply(self._world, motion, span)
            for body in self._held.values():
                if body.held_velocity is not None and body.simulate:
                    turn = rotation_matrices(motion.rotation[body.index])
                    body.node.set_linear_velocity(to_bullet((turn @ body.held_velocity).tolist()))
                    body.node.set_active(True, True)
        for body, force, at in self._forces:
            body.node.set_active(True, True)
            if at is None:
                body.node.apply_central_force(to_bullet(force))
            else:
                body.node.apply_force(to_bullet(force), arm(body, at))
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
                self._store.nudged()
        return triple(impulse)

    def contacts(self) -> list[Contact]:
        """Return what touched what during the last frame, sorted by actor ids."""
        return self._log.contacts()

    def read(self, table: ActorTable) -> None:
        """Write the last frame's state of all bodies into their rows of ``table``; every body must have one."""
        store = self._store
        if not store.ids:
            return
        if self._rows_for[0] is not table or self._rows_for[1:3] != (table.layout, store.layout):
            self._rows_for = (table, table.layout, store.layout, table.indices(store.ids))
        rows, at = table.rows, self._rows_for[3]
        rows["location"][at], rows["rotation"][at] = store.location, store.rotation
        rows["velocity"][at], rows["angular_velocity"][at] = store.velocity, store.spin
        rows["acceleration"][at] = store.acceleration
        self._fleet.read(rows, at)
        self._walkers.read(rows, at)


def _box(what: PropSpec | Model | Box) -> Box:
    return what if isinstance(what, Box) else what.box


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

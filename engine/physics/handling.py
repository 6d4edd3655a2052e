"""Bodies in Bullet's world: attaching, placing, pushing and switching them. Vehicles and walkers build on it."""

from __future__ import annotations

from panda3d.bullet import BulletWorld
from panda3d.core import ConfigVariableBool, Point3, TransformState, Vec3

from engine.physics.bodies import Body, Vector, node_transform, spin_to_bullet, to_bullet
from engine.physics.driving import VehicleState
from engine.physics.fleet import Fleet
from engine.physics.store import BodyStore
from engine.physics.vehicles import inertia
from engine.physics.walkers import Walkers
from engine.state import Kind

Triple = tuple[float, float, float]


def triple(vector: Vector) -> Triple:
    """Return a vector as three floats."""
    return float(vector[0]), float(vector[1]), float(vector[2])


def arm(body: Body, at: Vector) -> Point3:
    """Return where a world point of CARLA's frame lies from a body's centre of mass, in Bullet's axes."""
    return Point3(Point3(to_bullet(at)) - body.node.get_transform().get_pos())


class Bodies:
    """The part of the physics that knows actors as bodies; see :class:`engine.physics.simulation.Physics`."""

    def __init__(self, gravity: float) -> None:
        # Bodies that got into one another are parted without gaining speed by it; off by default in Panda.
        ConfigVariableBool("bullet-split-impulse").set_value(True)
        self._world = BulletWorld()
        self._world.set_gravity(Vec3(0, 0, -gravity))
        self._gravity = gravity
        self._store = BodyStore()
        self._fleet = Fleet()
        self._walkers = Walkers()
        self._forces: list[tuple[Body, Triple, Triple | None]] = []
        self._torques: list[tuple[Body, Triple]] = []
        self._held: dict[int, Body] = {}  # those with a held velocity

    def __contains__(self, actor_id: int) -> bool:
        return actor_id in self._store.by_id

    def __len__(self) -> int:
        return len(self._store.by_id)

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

    def _detach_vehicle(self, state: VehicleState) -> None:
        """Take a raycast vehicle out of Bullet; Panda takes its chassis out with it."""
        self._world.remove(state.vehicle)
        state.body.attached = False

    def _set_gravity(self, body: Body) -> None:
        falls = body.gravity and body.kind is not Kind.WALKER  # walkers fall by their own rule
        body.node.set_gravity(Vec3(0, 0, -self._gravity if falls else 0.0))

    # --- poses, velocities, forces ---------------------------------------------------------------------------

    def set_transform(self, actor_id: int, location: Vector, rotation: Vector | None = None) -> None:
        """Teleport; velocities are kept. ``rotation`` None keeps the orientation."""
        body = self._store.by_id[actor_id]
        place = location if type(location) is tuple else triple(location)
        if rotation is None:
            rotation = self._store.rotation[body.index]
        turn = rotation if type(rotation) is tuple else triple(rotation)
        if body.movable and not body.simulate:
            self._store.place(body, place, turn)
        else:
            self._store.location[body.index], self._store.rotation[body.index] = place, turn
            body.node.set_transform(node_transform(place, turn, body.offset))
            self._wake(body)
        walker = self._walkers.members.get(actor_id)
        if walker is not None:
            walker.placed = True

    def _wake(self, body: Body) -> None:
        self._store.touched()
        if body.simulate:
            body.node.set_active(True, True)

    def transform(self, actor_id: int) -> tuple[Triple, Triple]:
        """Return (location, rotation): of the last step, or as placed since."""
        index = self._store.by_id[actor_id].index
        return triple(self._store.location[index]), triple(self._store.rotation[index])

    def velocity(self, actor_id: int) -> Triple:
        """Return the velocity of the actor's origin in the last frame, m/s, world."""
        return triple(self._store.velocity[self._store.by_id[actor_id].index])

    def angular_velocity(self, actor_id: int) -> Triple:
        """Return the angular velocity in the last frame, deg/s, world."""
        return triple(self._store.spin[self._store.by_id[actor_id].index])

    def set_velocity(self, actor_id: int, velocity: Vector) -> None:
        """Set the velocity once, m/s, world. Without physics: the velocity to report for the coming frame."""
        body = self._store.by_id[actor_id]
        if body.simulate:
            body.node.set_linear_velocity(to_bullet(velocity))
            self._fleet.set_in_motion(actor_id)
            self._wake(body)
        else:
            self._store.told_velocity[actor_id] = triple(velocity)

    def set_angular_velocity(self, actor_id: int, spin: Vector) -> None:
        """Set the angular velocity once, deg/s, world. Without physics: the one to report for the coming frame."""
        body = self._store.by_id[actor_id]
        if body.simulate:
            body.node.set_angular_velocity(spin_to_bullet(spin))
            self._wake(body)
        else:
            self._store.told_spin[actor_id] = triple(spin)

    def enable_constant_velocity(self, actor_id: int, velocity: Vector) -> None:
        """Hold a velocity in every step from now on, m/s in the actor's own frame."""
        body = self._store.by_id[actor_id]
        body.held_velocity = triple(velocity)
        self._held[actor_id] = body

    def disable_constant_velocity(self, actor_id: int) -> None:
        """Let go of a held velocity."""
        self._store.by_id[actor_id].held_velocity = None
        self._held.pop(actor_id, None)

    def add_impulse(self, actor_id: int, impulse: Vector, at: Vector | None = None) -> None:
        """Apply an impulse, N s, world, at the centre of mass or at a world point. Nothing without physics."""
        body = self._store.by_id[actor_id]
        if not body.simulate:
            return
        if at is None:
            body.node.apply_central_impulse(to_bullet(impulse))
        else:
            body.node.apply_impulse(to_bullet(impulse), arm(body, at))
        self._wake(body)

    def add_force(self, actor_id: int, force: Vector, at: Vector | None = None) -> None:
        """Apply a force, N, world, during the next step. Nothing without physics."""
        body = self._store.by_id[actor_id]
        if body.simulate:
            self._forces.append((body, triple(force), None if at is None else triple(at)))

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
            self._torques.append((body, triple(torque)))

    # --- switches --------------------------------------------------------------------------------------------

    def set_simulate_physics(self, actor_id: int, enabled: bool) -> None:
        """Let Bullet move the actor, or only whoever places it. Props without mass stay fixed."""
        body = self._store.by_id[actor_id]
        if not body.movable or body.simulate == enabled:
            return
        self._store.settle(everybody=True)
        state = self._fleet.members.get(actor_id)
        # What was asked for since the last step comes before what was then.
        velocity = self._store.told_velocity.pop(actor_id, None) or self.velocity(actor_id)
        spin = self._store.told_spin.pop(actor_id, None) or self.angular_velocity(actor_id)
        if state is not None and not enabled:
            self._detach_vehicle(state)
        body.simulate = enabled
        self._attach(body)
        if enabled:
            # Bullet takes a kinematic body's place only when it steps; one that was placed since stands elsewhere.
            # Panda hands on a transform only when it is another one than before.
            place, turn = self.transform(actor_id)
            body.node.set_transform(TransformState.make_identity())
            body.node.set_transform(node_transform(place, turn, body.offset))
            if state is not None:
                state.vehicle.reset_suspension()
                self._world.attach(state.vehicle)
                self._fleet.set_in_motion(actor_id)
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
        self._store.settle(everybody=True)
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

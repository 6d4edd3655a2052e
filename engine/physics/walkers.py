"""Walkers: upright capsules that float above the ground at step height and follow CARLA's WalkerControl.

The capsule begins at kerb height, so kerbs and stairs are climbed and walls are not; a ray keeps the feet on the
ground. The body has its true mass, so a car that hits it feels a person, not a post.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from panda3d.bullet import BulletCapsuleShape, BulletRigidBodyNode, BulletWorld, Z_up
from panda3d.core import Point3, TransformState, Vec3

from engine.blueprints import WalkerSpec
from engine.physics.bodies import SHORTEST_FRAME_S, SUPPORT_MASK, Body, Motion
from engine.physics.footing import Footing
from engine.protocol.structs import Vector3D, WalkerControl
from engine.scene.gait import cycle_length_m

Floats = npt.NDArray[np.float64]

STEP_M = 0.28
"""Height of the capsule's lower end above the soles: kerbs up to 0.25 m are walked over."""
JUMP_MPS = 5.0
"""Take-off speed of a jump: that of CARLA's walkers."""
START_MPS2 = 10.0
"""How fast a walker takes up a new speed."""
PUSH_MPS2 = 1.5
"""The same while something is in the way: nobody pushes a parked car along."""
PUSH_S = 0.3
CLIMB_MPS = 3.0
"""Greatest vertical speed of following the ground."""
CLIMB_MPS2 = 12.0
"""Greatest vertical acceleration of following the ground: a kerb of 0.12 m takes 0.2 s."""

FOLLOW_M = 0.4
"""Who leads a walker gives the height of a navigation mesh: the true ground is looked for this far from it."""
FOLLOW_MPS = 0.8
"""Greatest vertical speed of a led walker on its way up or down a kerb; on slopes it is as fast as it walks."""
STRIDE_S = 0.3
"""How slowly strides follow small changes of speed: feet on the ground would slide with every one."""
STRIDE_JUMP_MPS = 0.3
"""Strides follow greater changes at once."""


@lru_cache(maxsize=4096)
def _stride_m(height_m: float, speed_cmps: int) -> float:
    """Return the gait's cycle length; remembered, for it is asked for every walker in every frame."""
    return cycle_length_m(height_m, speed_cmps / 100.0)


class WalkerState:
    """One walker."""

    __slots__ = (
        "airborne",
        "body",
        "control",
        "dead",
        "footing",
        "gait_phase",
        "gait_speed",
        "led",
        "placed",
        "push_s",
        "spec",
    )

    def __init__(self, body: Body, spec: WalkerSpec) -> None:
        self.body = body
        self.spec = spec
        self.control = WalkerControl()
        self.airborne = False
        self.placed = True  # put somewhere since the last step: may be lifted out of the ground
        self.push_s = 0.0  # for how long it goes on pushing gently: contacts come and go between steps
        self.led: float | None = None  # walking speed given by set_walker_state, m/s
        self.gait_phase = 0.0
        self.gait_speed = 0.0
        self.footing = Footing(spec.height)
        self.dead = False


def capsule_shape(spec: WalkerSpec) -> tuple[BulletCapsuleShape, float]:
    """Return the shape and the height of its centre above the actor's origin."""
    length = spec.height - STEP_M
    return BulletCapsuleShape(spec.radius, max(length - 2.0 * spec.radius, 0.05), Z_up), STEP_M / 2.0


def make_walker(spec: WalkerSpec) -> BulletRigidBodyNode:
    """Return the body, not yet attached."""
    node = BulletRigidBodyNode("walker")
    node.notify_collisions(True)
    shape, lift = capsule_shape(spec)
    node.add_shape(shape, TransformState.make_pos(Point3(0, 0, lift)))
    node.set_mass(spec.mass)
    node.set_angular_factor(Vec3(0, 0, 1))
    node.set_friction(0.0)
    node.set_restitution(0.0)
    node.set_deactivation_enabled(False)
    return node


def ground_below(world: BulletWorld, x: float, y: float, top: float, bottom: float) -> float | None:
    """Return the height of what one can stand on under a point of Bullet's frame, None when there is nothing."""
    hit = world.ray_test_closest(Point3(x, y, top), Point3(x, y, bottom), SUPPORT_MASK)
    return float(hit.get_hit_pos()[2]) if hit.has_hit() else None


class Walkers:
    """All walkers, by actor id, in the order they came."""

    def __init__(self) -> None:
        self.members: dict[int, WalkerState] = {}
        self._frame_s = 0.05
        self.seen = True
        """Whether anyone looks at their feet; else these are where the gait has them, which costs half as much."""

    def stand(
        self, world: BulletWorld, state: WalkerState, before: Floats, place: tuple[float, float, float]
    ) -> tuple[float, float, float]:
        """Return where a led walker's centre is: on the ground near the height that its leader gives.

        Args:
            before: its centre in the last frame.
            place: the centre that its leader wants.
        """
        x, y, z = place
        half = state.spec.height / 2.0
        ground = ground_below(world, x, -y, z - half + FOLLOW_M, z - half - FOLLOW_M)
        if ground is None:
            return place
        wanted, last = ground + half, float(before[2])
        step = math.hypot(x - float(before[0]), y - float(before[1]))
        if step > 2.0 * max(state.led or 0.0, 1.0) * self._frame_s or abs(wanted - last) > FOLLOW_M:
            return x, y, wanted  # put somewhere else
        most = max(FOLLOW_MPS * self._frame_s, step)
        return x, y, min(max(wanted, last - most), last + most)

    @staticmethod
    def lead(state: WalkerState, yaw_deg: float, speed: float) -> None:
        """Note that somebody moves a walker; its control says so, as in CARLA."""
        yaw = math.radians(yaw_deg)
        state.led = speed
        state.control = WalkerControl(Vector3D(math.cos(yaw), math.sin(yaw), 0.0), speed, False)

    @staticmethod
    def fell(state: WalkerState, gravity: float) -> None:
        """Let a walker drop: from now on it is a body like any other."""
        state.dead, state.led, state.control = True, None, WalkerControl()
        node = state.body.node
        node.set_angular_factor(Vec3(1, 1, 1))
        node.set_friction(0.8)
        node.set_angular_damping(0.5)
        node.set_linear_damping(0.1)
        node.set_gravity(Vec3(0, 0, -gravity))
        x, y, z = node.get_angular_velocity()
        # Nobody falls like a post that stands balanced on its end.
        yaw = -math.radians(float(state.body.actor_id * 137 % 360))
        node.set_angular_velocity(Vec3(x + math.cos(yaw), y + math.sin(yaw), z))
        node.set_active(True, True)

    def apply(self, world: BulletWorld, motion: Motion, dt: float) -> None:
        """Set the velocities that walk every simulated walker for the next ``dt`` seconds."""
        for state in self.members.values():
            if state.body.simulate and state.body.held_velocity is None and not state.dead:
                self._walk(world, state, motion, dt)

    def _walk(self, world: BulletWorld, state: WalkerState, motion: Motion, dt: float) -> None:
        body, control, half = state.body, state.control, state.spec.height / 2.0
        x, y, z = motion.location[body.index].tolist()
        vx, vy, vz = motion.velocity[body.index].tolist()
        dx, dy = control.direction.x, control.direction.y
        length = math.hypot(dx, dy)
        speed = max(control.speed, 0.0) / length if length > 1e-6 else 0.0
        ax, ay = dx * speed - vx, dy * speed - vy
        change = math.hypot(ax, ay)
        most = (PUSH_MPS2 if state.push_s > 0.0 else START_MPS2) * dt
        if change > most:
            ax, ay = ax * most / change, ay * most / change
        if not state.airborne:
            vx, vy = vx + ax, vy + ay
            spin = self._turn(state, math.degrees(math.atan2(dy, dx)), motion, dt) if speed > 0.0 else 0.0
            body.node.set_angular_velocity(Vec3(0, 0, spin))
        if body.gravity:
            vz = self._vertical(world, state, (x, y, z), vz, half, dt)
        body.node.set_linear_velocity(Vec3(vx, -vy, vz))

    def _vertical(
        self,
        world: BulletWorld,
        state: WalkerState,
        place: tuple[float, float, float],
        vz: float,
        half: float,
        dt: float,
    ) -> float:
        x, y, z = place
        reach = half + STEP_M + max(-vz, 0.0) * dt
        ground = ground_below(world, x, -y, z + (half if state.placed else 0.3 * half), z - reach - 0.02)
        feet = z - half
        placed, state.placed = state.placed, False
        rising = state.airborne and vz > 0.0
        if ground is None or rising or (state.airborne and feet + vz * dt > ground + 0.02):
            state.airborne = True
            return vz + world.get_gravity()[2] * dt
        if placed and ground > feet + STEP_M:
            # Spawned with the origin on the ground: lift at once, as the original's spawn adjustment does.
            transform = state.body.node.get_transform()
            pos = transform.get_pos()
            state.body.node.set_transform(transform.set_pos(Point3(pos[0], pos[1], ground + half)))
            return 0.0
        state.airborne = False
        if state.control.jump:
            state.airborne = True
            return JUMP_MPS + 0.5 * world.get_gravity()[2] * dt  # the mean of the span
        # As fast as one may be to come to rest at the ground's height, taken up as legs and a hip do it, not in a jerk.
        gap = ground - feet
        wanted = math.copysign(min(abs(gap) / dt, math.sqrt(2.0 * CLIMB_MPS2 * abs(gap)), CLIMB_MPS), gap)
        change = CLIMB_MPS2 * dt
        return min(max(wanted, vz - change), vz + change)

    @staticmethod
    def _turn(state: WalkerState, yaw: float, motion: Motion, dt: float) -> float:
        """Return the spin in rad/s of Bullet's frame that lets a walker face where he goes, within about 0.3 s."""
        now = float(motion.rotation[state.body.index, 1])
        error = (yaw - now + 180.0) % 360.0 - 180.0
        return -math.radians(error) * min(10.0, 1.0 / dt)

    def finish(self, location: Floats, rotation: Floats, velocity: Floats, touching: set[int], dt: float) -> None:
        """Advance the gait by the ground covered in a frame.

        Args:
            location, rotation, velocity: (B, 3) of all bodies, rows by ``Body.index``.
            touching: ids of the actors that were in contact.
            dt: length of the frame, seconds; one below a microsecond only shows what was placed.
        """
        self._frame_s = dt
        if not self.members:
            return
        mine = [state.body.index for state in self.members.values()]
        ways, places, yaws = velocity[mine].tolist(), location[mine].tolist(), rotation[mine, 1].tolist()
        for (actor_id, state), (vx, vy, _), (x, y, _), yaw in zip(self.members.items(), ways, places, yaws):
            speed = math.hypot(vx, vy) if not state.dead else 0.0
            if state.led is not None:
                # A body without physics has no speed of its own: its leader's is all there is. Others stride as they
                # move; a leader may also put them somewhere else.
                speed = min(speed, 1.2 * state.led + 0.2) if state.body.simulate else state.led
            state.push_s = PUSH_S if actor_id in touching else max(state.push_s - dt, 0.0)
            change = speed - state.gait_speed
            if abs(change) < STRIDE_JUMP_MPS or speed < 0.02:
                change *= min(dt / STRIDE_S, 1.0)
            state.gait_speed += change
            if state.gait_speed < 0.02:
                state.gait_speed = speed
            height, pace = state.spec.height, max(state.gait_speed, speed)
            if speed > 0.02 and not state.airborne:
                if self.seen and state.footing.still == 1.0:
                    state.gait_phase = state.footing.first_phase(height, pace, state.gait_phase)
                state.gait_phase += speed * dt / _stride_m(height, round(pace * 100.0))
            if not self.seen:
                continue
            if dt < SHORTEST_FRAME_S or state.airborne or state.dead:
                state.footing.lift_all()
            else:
                state.footing.follow(x, y, yaw, height, state.gait_speed, state.gait_phase, speed, dt)

    def read(self, rows: np.ndarray, at: npt.NDArray[np.intp]) -> None:
        """Write gait and control into a table's rows; ``at`` gives the row of every ``Body.index``."""
        states = list(self.members.values())
        if not states:
            return
        mine, controls = at[[s.body.index for s in states]], [s.control for s in states]
        rows["gait_phase"][mine] = [s.gait_phase for s in states]
        rows["gait_speed"][mine] = [s.gait_speed for s in states]
        rows["feet"][mine] = [s.footing.told() for s in states]
        rows["walk_direction"][mine] = [(c.direction.x, c.direction.y, c.direction.z) for c in controls]
        rows["walk_speed"][mine] = [c.speed for c in controls]
        rows["jump"][mine] = [c.jump for c in controls]

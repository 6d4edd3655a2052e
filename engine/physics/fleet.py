"""All simulated vehicles at once: pedals and wheel become engine, brake and steering forces of Bullet's wheels.

Bullet is told forces once per control step (at most 50 ms, several substeps). Everything in between is arrays over
vehicles (N,) or over all their wheels (M,), ``owner`` saying whose a wheel is.

Bullet's raycast wheel holds sideways by a velocity constraint up to ``friction slip`` x load, takes drive as a
force, and brake as the largest impulse per substep; drive and brake exclude one another, so what a wheel gets is
their balance.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt
from panda3d.bullet import BulletVehicle, BulletWheel
from panda3d.core import Vec3

from engine.blueprints import VehicleSpec
from engine.physics.bodies import Body, Motion
from engine.physics.powertrain import TABLE_POINTS, Drive, DriveState, advance, bounded, choose_gears, set_in_motion
from engine.physics.vehicles import GRAVITY, STEER_TABLE_KMH, Rig, wheels_of
from engine.protocol.structs import VehicleControl, VehiclePhysicsControl

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

STEER_RISE, STEER_FALL = 5.0, 10.0
THROTTLE_RISE, BRAKE_RISE, PEDAL_FALL = 6.0, 12.0, 12.0
"""How fast the vehicle's inputs follow the commanded ones, 1/s: Unreal's defaults for wheeled vehicles, brakes with
the 0.1 s of build-up of a brake system."""
SLIP_RAD = 0.14
"""Slip angle beyond which a front wheel does not gain side force: 8 degrees."""
CRAWL_MPS = 0.6
"""Below this speed braking lies on one axle: four braked wheels at once would overshoot zero speed."""
LEAN_DEG, LEAN_RATE = 45.0, 90.0
"""Greatest lean of a two-wheeler in degrees, and how fast it leans, deg/s."""
STAND_MPS = 0.3
"""Below this speed a braked vehicle is held on a slope by the tyres' static friction."""


class VehicleState:
    """One vehicle as the fleet holds it between rebuilds of its arrays."""

    __slots__ = ("body", "control", "index", "physics_control", "rig", "spec", "vehicle", "wheels")

    def __init__(
        self, body: Body, spec: VehicleSpec, physics: VehiclePhysicsControl, rig: Rig, vehicle: BulletVehicle
    ) -> None:
        self.body = body
        self.spec = spec
        self.physics_control = physics
        self.rig = rig
        self.vehicle = vehicle
        self.wheels: list[BulletWheel] = wheels_of(vehicle)
        self.control = VehicleControl()
        self.index = -1

    def change(self, physics: VehiclePhysicsControl, rig: Rig, vehicle: BulletVehicle) -> None:
        """Take over a new physics control and what was built from it."""
        self.physics_control, self.rig, self.vehicle = physics, rig, vehicle
        self.wheels = wheels_of(vehicle)


STATES = ("rolled", "lean")
"""What the fleet keeps of every vehicle from step to step, besides its inputs and its drive."""
RISE = np.array([[THROTTLE_RISE], [BRAKE_RISE], [STEER_RISE]])
FALL = np.array([[PEDAL_FALL], [PEDAL_FALL], [STEER_FALL]])


def approach(value: Floats, target: Floats, rise: Floats | float, fall: Floats | float, dt: float) -> Floats:
    """Move ``value`` towards ``target``: away from zero by at most ``rise`` x dt, towards it by ``fall`` x dt."""
    rate = np.where(np.abs(target) > np.abs(value), rise, fall) * dt
    return value + bounded(target - value, -rate, rate)


def _in_range(control: VehicleControl) -> VehicleControl:
    """Return a control with pedals and wheel in range; what is not a number counts as zero."""
    throttle, steer, brake = (
        value if math.isfinite(value) else 0.0 for value in (control.throttle, control.steer, control.brake)
    )
    return msgspec.structs.replace(
        control,
        throttle=min(max(throttle, 0.0), 1.0),
        steer=min(max(steer, -1.0), 1.0),
        brake=min(max(brake, 0.0), 1.0),
    )


class Fleet:
    """Vehicles and their drive, as arrays. Order is that of joining; members leave without disturbing it."""

    def __init__(self) -> None:
        self.members: dict[int, VehicleState] = {}
        self._stale = True
        # Per vehicle, kept over rebuilds: smoothed throttle, brake and steering, drive state, wheel roll, lean.
        self.inputs = np.zeros((3, 0))
        self.rolled = self.lean = np.zeros(0)
        self.drive_state = DriveState.at_rest(0)
        self._pushed: set[int] = set()
        self._controlled = False

    def add(self, state: VehicleState) -> None:
        """Take a vehicle in, at rest, in first gear."""
        state.index = len(self.members)
        self.members[state.body.actor_id] = state
        self.inputs = np.concatenate([self.inputs, np.zeros((3, 1))], axis=1)
        for name in STATES:
            setattr(self, name, np.append(getattr(self, name), 0.0))
        fresh, old = DriveState.at_rest(1), self.drive_state
        self.drive_state = DriveState(
            np.append(old.omega, fresh.omega),
            np.append(old.gear, fresh.gear),
            np.append(old.shift_left_s, fresh.shift_left_s),
            np.append(old.since_shift_s, fresh.since_shift_s),
        )
        self._stale = True

    def remove(self, actor_id: int) -> VehicleState:
        """Let a vehicle go."""
        state = self.members.pop(actor_id)
        self.inputs = np.delete(self.inputs, state.index, axis=1)
        for name in STATES:
            setattr(self, name, np.delete(getattr(self, name), state.index))
        old = self.drive_state
        gone = state.index
        self.drive_state = DriveState(
            np.delete(old.omega, gone),
            np.delete(old.gear, gone),
            np.delete(old.shift_left_s, gone),
            np.delete(old.since_shift_s, gone),
        )
        for index, member in enumerate(self.members.values()):
            member.index = index
        self._stale = True
        return state

    def set_in_motion(self, actor_id: int) -> None:
        """Say that a vehicle's velocity was set from outside: its drive will fit it at the next step."""
        self._pushed.add(actor_id)

    def changed(self) -> None:
        """Say that a member's rig, node or control is another one now."""
        self._stale = True

    def _rebuild(self) -> None:
        """Stack the members' numbers. Cold: runs after a vehicle came, went or was changed."""
        states = list(self.members.values())
        rigs = [s.rig for s in states]
        self._states = states

        def column(name: str) -> Floats:
            return np.array([getattr(r, name) for r in rigs], dtype=np.float64)

        def flat(name: str) -> Floats:
            return np.concatenate([getattr(r, name) for r in rigs])

        self.mass, self.radius, self.wheelbase = column("mass"), column("radius"), column("wheelbase")
        self._half_track, self._drag, self._rolling = column("half_track"), column("drag"), column("rolling")
        self._leans = np.array([s.spec.two_wheeler for s in states], dtype=bool)
        self._front_x = np.array([r.wheel_x.max() for r in rigs])
        self._understeer, self._curve = column("understeer"), np.array([r.steering_curve for r in rigs])
        self._drive = Drive.stack([r.drive for r in rigs])
        self.owner = np.repeat(np.arange(len(rigs)), [len(r.wheel_x) for r in rigs])
        self.first_wheel = np.concatenate([[0], np.cumsum([len(r.wheel_x) for r in rigs])[:-1]])
        self._wheel_y, self._max_steer = flat("wheel_y"), flat("max_steer_rad")
        self._brake_n, self._hand_n, self._damping = flat("brake_n"), flat("hand_n"), flat("damping")
        self.grip_long, self._grip_lat = flat("grip_long"), flat("grip_lat")
        self._slow_grip, self._hold = flat("slow_grip"), flat("hold")
        self.wheels = [w for s in states for w in s.wheels]
        self._steerable = np.flatnonzero(self._max_steer != 0.0)
        self._steer_wheels = [self.wheels[i] for i in self._steerable]
        self.bodies = np.array([s.body.index for s in states], dtype=np.int64)
        self._numbers = np.arange(len(states))
        # (N, 4) Bullet wheel behind each of the table's four; two-wheelers have a front and a back wheel only.
        counts = [int(r.wheel_of.max()) + 1 for r in rigs]
        self._shows = np.array([[k < c for k in range(4)] for c in counts])
        self._shown = np.array(
            [
                [first + int(np.argmax(r.wheel_of == k)) if k < c else 0 for k in range(4)]
                for first, r, c in zip(self.first_wheel.tolist(), rigs, counts)
            ]
        )
        self._axle_max = np.zeros(len(rigs))
        np.maximum.at(self._axle_max, self.owner, np.abs(self._max_steer))
        self._part = np.divide(
            self._max_steer,
            self._axle_max[self.owner],
            out=np.zeros(len(self.owner)),
            where=self._axle_max[self.owner] > 0.0,
        )
        self._wheel_base, self._wheel_half_track = self.wheelbase[self.owner], self._half_track[self.owner]
        self._leaning = bool(self._leans.any())
        running = [s.body.simulate for s in states]
        self._rolling_wheels = np.flatnonzero(np.repeat(running, [len(r.wheel_x) for r in rigs]))
        self._felt_wheels = [self.wheels[i] for i in self._rolling_wheels]
        self.loads = np.array([w.get_wheels_suspension_force() for w in self.wheels])
        self.wheel_angle = np.zeros(len(self.owner))
        self.wheel_force = np.zeros(len(self.owner))
        self._set_angle = np.full(len(self._steerable), np.nan)
        self._set_grips = np.full(len(self.owner), np.nan)
        self._set_engine = self._set_brake = self._set_grips
        self._read_controls()
        self._stale = False

    def _read_controls(self) -> None:
        self._controlled = False
        controls = [s.control for s in self._states]
        # Rows: throttle, brake, steer, hand brake, reverse, manual, gear.
        self._asked = (
            np.array(
                [
                    (c.throttle, c.brake, c.steer, c.hand_brake, c.reverse, c.manual_gear_shift, c.gear)
                    for c in controls
                ],
                dtype=np.float64,
            )
            .reshape(len(controls), 7)
            .T.copy()
        )
        self._reverse, self._manual = self._asked[4] > 0.0, self._asked[5] > 0.0
        self._wanted_gear = self._asked[6].astype(np.int64)
        self._handbraked = bool(self._asked[3].any())
        self._running = np.array([s.body.simulate for s in self._states], dtype=bool)

    def set_control(self, actor_id: int, control: VehicleControl) -> None:
        """Take over what the driver asks for from the next step on; pedals and wheel are held to their ranges."""
        in_range = 0.0 <= control.throttle <= 1.0 and 0.0 <= control.brake <= 1.0 and -1.0 <= control.steer <= 1.0
        self.members[actor_id].control = control if in_range else _in_range(control)
        self._controlled = True

    def refresh(self) -> None:
        """Bring the arrays up to date with the members."""
        if not self.members:
            return
        if self._stale:
            self._rebuild()
        elif self._controlled:
            self._read_controls()

    def apply(self, motion: Motion, dt: float, substep: float) -> None:
        """Set every wheel for the next ``dt`` seconds, made of substeps of ``substep`` seconds.

        Args:
            motion: of all bodies, rows by ``Body.index``.
        """
        if not self.members:
            return
        self.refresh()
        rows = self.bodies
        forward, velocity = motion.forward[rows], motion.velocity[rows]
        speed = np.einsum("ij,ij->i", velocity, forward)
        for actor_id in sorted(self._pushed & self.members.keys()):
            i = self.members[actor_id].index
            set_in_motion(self._drive, self.drive_state, i, float(speed[i]), float(self.radius[i]))
        self._pushed.clear()
        self.rolled = self.rolled + speed * dt / self.radius
        self.inputs = approach(self.inputs, self._asked[:3], RISE, FALL, dt)
        spin = np.radians(np.einsum("ij,ij->i", motion.angular_velocity[rows], motion.up[rows]))
        right = motion.right[rows]
        sideways = np.einsum("ij,ij->i", velocity, right)
        pace = np.abs(speed)
        self._set_steering(speed, pace, sideways + spin * self._front_x)
        self._set_grip(pace)
        drive, resist = self._forces(speed, pace, dt)
        brake = self._set_forces(drive, resist, speed, pace, substep)
        self._hold_on_slopes(forward, right, speed, sideways, brake)

    def settle(self, motion: Motion, span: float, substep: float) -> None:
        """Read the wheels' loads after ``span`` seconds of Bullet's steps, and put right what ``motion`` shows.

        The suspension pushes after a substep's positions are final: velocities already hold an impulse that the next
        substep's gravity takes back, 0.1 m/s upwards for a car at rest. Two-wheelers, upright in Bullet, are shown
        leaning into the curve.
        """
        if not self.members:
            return
        self.refresh()
        # Wheels of vehicles that are led by hand touch nothing.
        self.loads[self._rolling_wheels] = [w.get_wheels_suspension_force() for w in self._felt_wheels]
        begun = np.bincount(self.owner, self.loads, len(self.mass)) / self.mass * (substep * self._running)
        rows = self.bodies
        motion.velocity[rows] -= motion.up[rows] * begun[:, None]
        if self._leaning:
            speed = np.einsum("ij,ij->i", motion.velocity[rows], motion.forward[rows])
            turning = np.radians(motion.angular_velocity[rows, 2])
            wanted = bounded(np.degrees(np.arctan(speed * turning / GRAVITY)), -LEAN_DEG, LEAN_DEG) * self._leans
            self.lean = self.lean + bounded(wanted - self.lean, -LEAN_RATE * span, LEAN_RATE * span)
            motion.rotation[rows, 2] += self.lean

    def _set_steering(self, speed: Floats, pace: Floats, across: Floats) -> None:
        """Turn the wheels; ``pace`` is (N,) speed without its sign, ``across`` the rightward one of the front axle."""
        kmh = pace * 3.6
        place = np.minimum(kmh / STEER_TABLE_KMH, 1.0) * (TABLE_POINTS - 1)
        left = np.minimum(place.astype(np.int64), TABLE_POINTS - 2)
        share = place - left
        row = self._numbers
        factor = self._curve[row, left] * (1.0 - share) + self._curve[row, left + 1] * share
        # The inner wheel turns by the commanded angle, the outer by Ackermann's; understeer takes its part of both.
        angles = np.empty((2, len(speed)))
        command = bounded(self.inputs[2] * factor * self._axle_max, -1.55, 1.55)
        lag = self.wheelbase / (self.wheelbase + self._understeer * np.square(speed))
        # A wheel turned away from its way by more than the slip of greatest grip would only brake.
        slip = SLIP_RAD + np.maximum(5.0 - pace, 0.0) * 0.35
        way = np.arctan(across / np.where(pace > 2.0, speed, 2.0))
        angles[0] = command
        angles[1] = bounded(command * lag, np.maximum(way - slip, -1.55), np.minimum(way + slip, 1.55))
        self.wheel_angle, felt = self._wheel_angles(np.tan(angles))
        felt = felt[self._steerable]
        moved = ~(np.abs(felt - self._set_angle) < 1e-5)
        if moved.any():
            # Bullet turns to the left with positive angles, CARLA to the right.
            for i in np.flatnonzero(moved).tolist():
                self._steer_wheels[i].set_steering(-float(felt[i]))
            self._set_angle = np.where(moved, felt, self._set_angle)

    def _wheel_angles(self, tangent: Floats) -> Floats:
        """Return the (K, M) angles of all wheels for (K, N) tangents of their vehicles' steering angles."""
        t = tangent[:, self.owner]
        wide = self._wheel_half_track - np.sign(t) * self._wheel_y
        base = self._wheel_base
        return np.asarray(np.arctan(base * t / (base + np.abs(t) * wide)) * self._part)

    def _forces(self, speed: Floats, pace: Floats, dt: float) -> tuple[Floats, Floats]:
        """Return (N,) drive forces and (M,) resisting forces at the wheels, N."""
        owner, count = self.owner, len(speed)
        asked = self._asked
        state = self.drive_state
        gear = choose_gears(
            self._drive,
            state,
            speed,
            self._reverse,
            self._manual,
            self._wanted_gear,
            self.radius,
        )
        drive = advance(self._drive, state, self.inputs[0], gear, speed, self.mass, self.radius, dt)
        limit = self.grip_long * self.loads
        wanted = np.maximum(self.inputs[1, owner] * self._brake_n, asked[3, owner] * self._hand_n)
        braked = np.minimum(wanted, limit)
        # What one wheel cannot hold goes to the others that are braked too (brake-force distribution).
        spare = np.where(wanted > 0.0, limit - braked, 0.0)
        missing = np.bincount(owner, wanted - braked, count)
        room = np.bincount(owner, spare, count)
        braked += spare * np.minimum(missing / np.maximum(room, 1e-9), 1.0)[owner]
        weight = np.bincount(owner, self.loads, count)
        share = self.loads / np.maximum(weight, 1e-9)[owner]
        drag = self._drag * np.square(speed)
        resist = braked + share * (drag + self._rolling * weight)[owner] + self._damping * pace[owner]
        self._share, self._limit = share, limit
        return drive, np.where(self.loads > 0.0, resist, 0.0)

    def _set_forces(self, drive: Floats, resist: Floats, speed: Floats, pace: Floats, substep: float) -> Floats:
        """Drive or brake every wheel; return the (N,) braking forces."""
        owner, count = self.owner, len(speed)
        # Near standstill a driven wheel goes where the engine pushes; an idle engine only drags.
        starting = (pace <= 0.1) & (self.inputs[0] > 0.01) & (drive != 0.0)
        way = np.where(starting, np.sign(drive), np.where(speed < 0.0, -1.0, 1.0))
        ways = way[owner]
        pull = bounded((drive * way)[owner] * self._share, -self._limit, self._limit)
        net = pull - resist
        engine = np.where(net > 0.0, net * ways, 0.0)
        brake = np.where(net < 0.0, np.minimum(-net, self._limit), 0.0)
        total = np.bincount(owner, brake, count).astype(np.float64)
        crawl = (pace < CRAWL_MPS) & (total > 0.0)
        if crawl.any():
            brake = np.where(crawl[owner], np.where(engine != 0.0, 0.0, total[owner] * self._hold), brake)
        self.wheel_force = engine - brake * ways
        # A wheel is driven or braked, so one of the two stays as it was.
        wheels, impulses = self.wheels, brake * substep
        pushes, stops = engine.tolist(), impulses.tolist()
        for i in np.flatnonzero(engine != self._set_engine).tolist():
            wheels[i].set_engine_force(pushes[i])
        for i in np.flatnonzero(impulses != self._set_brake).tolist():
            wheels[i].set_brake(stops[i])
        self._set_engine, self._set_brake = engine, impulses
        return total

    def _hold_on_slopes(self, forward: Floats, right: Floats, speed: Floats, sideways: Floats, brake: Floats) -> None:
        """Take the slope's pull off standing vehicles, as far as their brakes and tyres can.

        Bullet's wheels oppose velocity only, so without this a parked car creeps at g sin(slope) x substep.
        """
        standing = (np.hypot(speed, sideways) < STAND_MPS) & self._running
        if not standing.any():
            return
        grounded = np.bincount(self.owner, self.loads > 0.0, len(speed)) >= 3
        standing &= grounded & (forward[:, 2] ** 2 + right[:, 2] ** 2 > 1e-8)
        for i in np.flatnonzero(standing).tolist():
            state = self._states[i]
            pull = state.body.node.get_gravity()[2] * self.mass[i]
            along, across = forward[i, 2] * pull, right[i, 2] * pull
            force = -across * right[i]
            if brake[i] > abs(along):
                force = force - along * forward[i]
            state.body.node.apply_central_force(Vec3(force[0], -force[1], force[2]))

    def _set_grip(self, pace: Floats) -> None:
        """Set the side grip: more than the class's in slow, tight curves, less where the handbrake locks a wheel.

        CARLA's traffic manager takes every curve at 0.6 g, lorries too; the class figures hold from 15 m/s on.
        """
        slow = bounded((15.0 - pace) / 6.0, 0.0, 1.0)[self.owner]
        grip = self._grip_lat + slow * np.maximum(self._slow_grip - self._grip_lat, 0.0)
        if self._handbraked:
            locked = ((self._asked[3] > 0.0) & (pace > 3.0))[self.owner] & (self._hand_n > 0.0)
            grip = np.where(locked, 0.6 * grip, grip)
        stale = ~(np.abs(grip - self._set_grips) <= 0.03 * self._set_grips)
        if stale.any():
            for i in np.flatnonzero(stale).tolist():
                self.wheels[i].set_friction_slip(float(grip[i]))
            self._set_grips = np.where(stale, grip, self._set_grips)

    def steer_angles(self, state: VehicleState) -> Floats:
        """Return the steering angles of a vehicle's CARLA wheels, degrees, to the right positive."""
        self.refresh()
        first, rig = int(self.first_wheel[state.index]), state.rig
        angles = self.wheel_angle[first : first + len(rig.wheel_of)]
        _, places = np.unique(rig.wheel_of, return_index=True)
        return np.asarray(np.degrees(angles[places]))

    def read(self, rows: np.ndarray, at: Indices) -> None:
        """Write controls, gear and wheels into a table's rows; ``at`` gives the row of every ``Body.index``."""
        if not self.members:
            return
        self.refresh()
        mine = at[self.bodies]
        for column, name in enumerate(("throttle", "brake", "steer", "hand_brake", "reverse", "manual")):
            rows[name][mine] = self._asked[column]
        rows["gear"][mine] = self.drive_state.gear
        rows["wheel_spin"][mine] = self.rolled
        rows["wheel_steer"][mine] = np.degrees(self.wheel_angle[self._shown]) * self._shows

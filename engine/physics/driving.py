"""One vehicle: pedals and wheel become engine, brake and steering forces of its Bullet wheels.

Bullet's raycast wheel holds sideways by a velocity constraint up to ``friction slip`` x load, takes drive as a
force, and brake as the largest impulse per substep; drive and brake exclude one another, so what a wheel gets is
their balance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from panda3d.bullet import BulletVehicle, BulletWheel
from panda3d.core import Vec3

from engine.blueprints import VehicleSpec
from engine.physics.bodies import Body
from engine.physics.powertrain import TABLE_POINTS, DriveState, advance, choose_gear, set_in_motion
from engine.physics.vehicles import STEER_TABLE_KMH, Rig, wheels_of
from engine.protocol.structs import VehicleControl, VehiclePhysicsControl

STEER_RISE, STEER_FALL = 5.0, 10.0
THROTTLE_RISE, PEDAL_FALL = 6.0, 12.0
"""How fast the vehicle's inputs follow the commanded ones, 1/s: Unreal's defaults for wheeled vehicles."""
SLIP_RAD = 0.14
"""Slip angle beyond which a front wheel does not gain side force: 8 degrees."""
CRAWL_MPS = 0.6
"""Below this speed braking lies on one axle: four braked wheels at once would overshoot zero speed."""
STAND_MPS = 0.3
"""Below this speed a braked vehicle is held on a slope by the tyres' static friction."""
MOST_STEER_RAD = 1.55
LEAST_LAG = 0.4
"""An oversteering vehicle turns at most by the inverse of this more than its wheels ask for."""


def approach(value: float, target: float, rise: float, fall: float) -> tuple[float, float]:
    """Move ``value`` evenly towards ``target``: away from zero by at most ``rise``, towards it by at most ``fall``.

    Returns:
        The value at the end of the span, and its mean during it: what acts. Were that the value at the end, a car
        would brake half a span too early.
    """
    most = rise if abs(target) > abs(value) else fall
    moved = min(max(target - value, -most), most)
    return value + moved, value + moved * (1.0 - 0.5 * abs(moved) / most)


def added(values: Sequence[float]) -> float:
    """Return the sum, rounded after each addition on every version of Python (``sum`` compensates from 3.12 on)."""
    total = 0.0
    for value in values:
        total += value
    return total


def in_range(control: VehicleControl) -> VehicleControl:
    """Return a control with pedals and wheel in range; what is not a number counts as zero."""
    if 0.0 <= control.throttle <= 1.0 and 0.0 <= control.brake <= 1.0 and -1.0 <= control.steer <= 1.0:
        return control
    throttle, steer, brake = (
        value if math.isfinite(value) else 0.0 for value in (control.throttle, control.steer, control.brake)
    )
    return msgspec.structs.replace(
        control,
        throttle=min(max(throttle, 0.0), 1.0),
        steer=min(max(steer, -1.0), 1.0),
        brake=min(max(brake, 0.0), 1.0),
    )


class VehicleState:
    """One vehicle: what it is made of, what its driver asks for, and what its wheels do.

    Attributes:
        throttle, brake, steer: its inputs, which follow the control's.
        loads: (W,) of its Bullet wheels, N, as of the last substep.
        angles: (W,) steering angles as shown, rad, to the right positive.
        forces: (W,) forces along the wheels, N, forward positive.
        lean: degrees a two-wheeler leans to the right.
        told_felt, told_pushes, told_stops: steering angle, and (W,) engine forces and brake impulses, that Bullet was
            told last; nan: nothing yet.
        told_turned: steering angle that ``angles`` shows.
        gripped: share of the slow grip and whether the handbrake locks wheels, as Bullet was told last.
        front_x: forward offset of the front axle, metres.
    """

    __slots__ = (
        "_curve",
        "_grips",
        "_offset",
        "_steered",
        "_wheel_numbers",
        "angles",
        "body",
        "brake",
        "control",
        "drive_state",
        "forces",
        "front_x",
        "gripped",
        "index",
        "lean",
        "loads",
        "physics_control",
        "pushed",
        "rig",
        "shown",
        "spec",
        "steer",
        "throttle",
        "told_felt",
        "told_pushes",
        "told_stops",
        "told_turned",
        "vehicle",
        "wheels",
    )  # fmt: skip

    def __init__(
        self, body: Body, spec: VehicleSpec, physics: VehiclePhysicsControl, rig: Rig, vehicle: BulletVehicle
    ) -> None:
        self.body = body
        self.spec = spec
        self.control = VehicleControl()
        self.drive_state = DriveState()
        self.throttle = self.brake = self.steer = self.lean = 0.0
        self.pushed = False
        self.index = -1
        self.change(physics, rig, vehicle)

    def change(self, physics: VehiclePhysicsControl, rig: Rig, vehicle: BulletVehicle) -> None:
        """Take over a new physics control and what was built from it."""
        self.physics_control, self.rig, self.vehicle = physics, rig, vehicle
        self.wheels: list[BulletWheel] = wheels_of(vehicle)
        count = len(self.wheels)
        self.loads: list[float] = [wheel.get_wheels_suspension_force() for wheel in self.wheels]
        self.angles, self.forces = [0.0] * count, [0.0] * count
        self.shown = (0.0, 0.0, 0.0, 0.0)
        # What Bullet was told last; nan: nothing yet.
        self.told_pushes, self.told_stops, self._grips = [math.nan] * count, [math.nan] * count, [math.nan] * count
        self.told_felt = math.nan
        self.told_turned, self.gripped = 0.0, (math.nan, False)
        self._curve: list[float] = rig.steering_curve.tolist()
        self.front_x = float(rig.wheel_x.max())
        self._offset = rig.center
        most = float(np.abs(rig.max_steer_rad).max())
        # Number, share of the axle's angle, and place to the right of the wheels that steer.
        self._steered = [
            (i, angle / most, y)
            for i, (angle, y) in enumerate(zip(rig.max_steer_rad.tolist(), rig.wheel_y.tolist()))
            if angle != 0.0
        ]
        numbers = (
            rig.brake_n, rig.hand_n, rig.damping, rig.grip_long, rig.grip_lat, rig.slow_grip, rig.hold,
        )  # fmt: skip
        self._wheel_numbers: list[tuple[float, ...]] = list(zip(*(array.tolist() for array in numbers)))

    def apply(self, row: Sequence[float], dt: float, substep: float) -> None:
        """Set every wheel for the next ``dt`` seconds, made of substeps of ``substep`` seconds.

        Args:
            row: what Bullet says of the body, see :func:`engine.physics.bodies.read_nodes`.
        """
        rx, ry, rz, _, fx, fy, fz, _, ux, uy, uz = row[:11]
        vx, vy, vz, wx, wy, wz = row[16:22]
        # Spin about the body's own axes; velocities are those of the actor's origin, as everywhere: v - w x offset.
        ahead, right, up = self._offset
        spin_right, spin_ahead = wx * rx + wy * ry + wz * rz, wx * fx + wy * fy + wz * fz
        spin_up = wx * ux + wy * uy + wz * uz
        speed = vx * fx + vy * fy + vz * fz - (spin_up * right - spin_right * up)
        sideways = vx * rx + vy * ry + vz * rz - (spin_ahead * up - spin_up * ahead)
        rig, control, state = self.rig, self.control, self.drive_state
        if self.pushed:
            set_in_motion(rig.drive, state, speed, rig.radius)
            self.pushed = False
        throttle, brake, steer = self._follow(dt)
        pace = abs(speed)
        # To the right is positive for CARLA: against Bullet's spin.
        self._turn(speed, pace, sideways - spin_up * self.front_x, steer)
        self._grip(pace)
        gear = choose_gear(
            rig.drive, state, speed, control.reverse, control.manual_gear_shift, control.gear, rig.radius
        )
        drive = advance(rig.drive, state, throttle, gear, speed, rig.mass, rig.radius, dt)
        held = self._push(drive, speed, pace, brake, substep)
        if speed * speed + sideways * sideways < STAND_MPS * STAND_MPS and rz * rz + fz * fz > 1e-8:
            self.hold_on_slope((rx, ry, rz), (fx, fy, fz), held)

    def _follow(self, dt: float) -> tuple[float, float, float]:
        """Let the inputs follow what the driver asks for; return throttle, brake and steering in the mean."""
        control = self.control
        throttle, brake, steer = self.throttle, self.brake, self.steer
        if throttle != control.throttle:
            self.throttle, throttle = approach(throttle, control.throttle, THROTTLE_RISE * dt, PEDAL_FALL * dt)
        if brake != control.brake:
            self.brake, brake = approach(brake, control.brake, self.rig.brake_rise * dt, PEDAL_FALL * dt)
        if steer != control.steer:
            self.steer, steer = approach(steer, control.steer, STEER_RISE * dt, STEER_FALL * dt)
        return throttle, brake, steer

    def lead(self, speed: float, dt: float) -> None:
        """Let the wheels turn with the driver's wish while somebody else moves the vehicle at ``speed`` m/s."""
        if self.steer or self.throttle or self.brake or self.control != VehicleControl():
            self._follow(dt)
            self._show(self._command(abs(speed), self.steer))

    def _command(self, pace: float, steer: float) -> float:
        """Return the angle that a place of the steering wheel asks for at a speed, rad."""
        place = min(pace * 3.6 / STEER_TABLE_KMH, 1.0) * (TABLE_POINTS - 1)
        left = min(int(place), TABLE_POINTS - 2)
        low = self._curve[left]
        factor = low + (self._curve[left + 1] - low) * (place - left)
        return min(max(steer * factor * self.rig.most_steer, -MOST_STEER_RAD), MOST_STEER_RAD)

    def _turn(self, speed: float, pace: float, across: float, steer: float) -> None:
        """Turn the wheels; ``pace`` is the speed without its sign, ``across`` the rightward one of the front axle.

        The inner wheel turns by the commanded angle, the outer by Ackermann's; understeer takes its part of both.
        """
        command = self._command(pace, steer) if steer else 0.0
        base = self.rig.wheelbase
        # Beyond its critical speed an oversteering car would turn by any angle; its driver does not let it.
        felt = command * base / max(base + self.rig.understeer * speed * speed, LEAST_LAG * base)
        # A wheel turned away from its way by more than the slip of greatest grip would only brake.
        slip = SLIP_RAD + max(5.0 - pace, 0.0) * 0.35
        way = math.atan(across / (speed if pace > 2.0 else 2.0))
        felt = min(max(felt, max(way - slip, -MOST_STEER_RAD)), min(way + slip, MOST_STEER_RAD))
        self._show(command)
        if abs(felt - self.told_felt) < 1e-5:
            return
        self.told_felt = felt
        for (i, *_), angle in zip(self._steered, self._wheel_angles(math.tan(felt))):
            # Bullet turns to the left with positive angles, CARLA to the right.
            self.wheels[i].set_steering(-angle)

    def _wheel_angles(self, tangent: float) -> list[float]:
        """Return the angles of the wheels that steer, for the tangent of the vehicle's steering angle."""
        base, half = self.rig.wheelbase, self.rig.half_track
        side = math.copysign(1.0, tangent)
        above, width = base * tangent, abs(tangent)
        return [math.atan(above / (base + width * (half - side * y))) * part for _, part, y in self._steered]

    def _show(self, command: float) -> None:
        """Keep the angles that are shown, of all Bullet wheels and of CARLA's four, within 0.006 degrees."""
        if command == self.told_turned or (command and abs(command - self.told_turned) < 1e-4):
            return
        self.told_turned = command
        for (i, *_), angle in zip(self._steered, self._wheel_angles(math.tan(command))):
            self.angles[i] = angle
        degrees = [math.degrees(angle) for angle in self.angles]
        self.shown = (degrees[0], degrees[1], degrees[2], degrees[3])

    def _grip(self, pace: float) -> None:
        """Set the side grip: more than the class's in slow, tight curves, less where the handbrake locks a wheel.

        CARLA's traffic manager takes every curve at 0.6 g, lorries too; the class figures hold from 15 m/s on.
        """
        slow = min(max((15.0 - pace) / 6.0, 0.0), 1.0)
        locked = self.control.hand_brake and pace > 3.0
        before, was_locked = self.gripped
        if abs(slow - before) < 0.02 and locked == was_locked:
            return
        self.set_grips(slow, locked)

    def set_grips(self, slow: float, locked: bool) -> None:
        """Set the side grip of all wheels: ``slow`` is the share of the slow grip in it, 0..1."""
        self.gripped = slow, locked
        for i, (_, hand_n, _, _, grip, slow_grip, _) in enumerate(self._wheel_numbers):
            if slow_grip > grip:
                grip += slow * (slow_grip - grip)
            if locked and hand_n > 0.0:
                grip *= 0.6
            if grip != self._grips[i]:
                self.wheels[i].set_friction_slip(grip)
                self._grips[i] = grip

    def _resistances(self, speed: float, pace: float, pedal: float) -> list[float]:
        """Return the forces that resist at the wheels: brakes, air, rolling, bearings; N."""
        loads, numbers, rig = self.loads, self._wheel_numbers, self.rig
        weight = added(loads)
        common = (rig.drag * speed * speed + rig.rolling * weight) / max(weight, 1e-9)
        hand = 1.0 if self.control.hand_brake else 0.0
        if not (pedal or hand):
            return [load * common + wheel[2] * pace if load > 0.0 else 0.0 for load, wheel in zip(loads, numbers)]
        braked, spares = [], []
        missing = room = 0.0
        for load, (brake_n, hand_n, _, grip, _, _, _) in zip(loads, numbers):
            wanted, limit = max(pedal * brake_n, hand * hand_n), grip * load
            held = min(wanted, limit)
            spare = limit - held if wanted > 0.0 else 0.0
            missing, room = missing + wanted - held, room + spare
            braked.append(held)
            spares.append(spare)
        # What one wheel cannot hold goes to the others that are braked too (brake-force distribution).
        part = min(missing / max(room, 1e-9), 1.0)
        return [
            held + spare * part + load * common + wheel[2] * pace if load > 0.0 else 0.0
            for held, spare, load, wheel in zip(braked, spares, loads, numbers)
        ]

    def _push(self, drive: float, speed: float, pace: float, pedal: float, substep: float) -> float:
        """Drive or brake every wheel, ``pedal`` is the brake's; return the braking force of all together."""
        loads, numbers = self.loads, self._wheel_numbers
        resists = self._resistances(speed, pace, pedal)
        # Near standstill a driven wheel goes where the engine pushes; an idle engine only drags.
        if pace <= 0.1 and self.throttle > 0.01 and drive != 0.0:
            way = math.copysign(1.0, drive)
        else:
            way = -1.0 if speed < 0.0 else 1.0
        pull = drive * way / max(added(loads), 1e-9)
        engines, brakes = [], []
        for load, resist, wheel in zip(loads, resists, numbers):
            limit = wheel[3] * load
            net = min(max(pull * load, -limit), limit) - resist
            engines.append(net * way if net > 0.0 else 0.0)
            brakes.append(min(-net, limit) if net < 0.0 else 0.0)
        total = added(brakes)
        if pace < CRAWL_MPS and total > 0.0:
            brakes = [0.0 if engine else total * wheel[6] for engine, wheel in zip(engines, numbers)]
        pushes, stops, wheels = self.told_pushes, self.told_stops, self.wheels
        for i, (engine, brake) in enumerate(zip(engines, brakes)):
            self.forces[i] = engine - brake * way
            # A wheel is driven or braked, so one of the two stays as it was.
            if engine != pushes[i]:
                wheels[i].set_engine_force(engine)
                pushes[i] = engine
            stop = brake * substep
            if stop != stops[i]:
                wheels[i].set_brake(stop)
                stops[i] = stop
        return total

    def hold_on_slope(self, right: Sequence[float], forward: Sequence[float], brake: float) -> None:
        """Take the slope's pull off the standing vehicle, as far as its brakes and tyres can; axes are Bullet's.

        Bullet's wheels oppose velocity only, so without this a parked car creeps at g sin(slope) x substep.
        """
        if sum(load > 0.0 for load in self.loads) < 3:
            return
        pull = self.body.node.get_gravity()[2] * self.rig.mass
        along, across = forward[2] * pull, right[2] * pull
        if brake <= abs(along):
            along = 0.0
        self.body.node.apply_central_force(Vec3(*(-across * r - along * f for r, f in zip(right, forward))))

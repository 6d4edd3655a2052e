"""Many vehicles at once: what :mod:`engine.physics.driving` does to one, as arrays over all of them.

Plain floats are the faster ones for a few vehicles, arrays for many. The formulas are the same and in the same order
of operations, and what is rare (a shift, a change of grip, a hold on a slope) is handed to the scalar functions
themselves, so both ways give the same bits: which of them is taken changes nothing but the time it takes. Arrays per
vehicle are (N,), arrays per wheel (4, N).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from engine.physics.driving import (
    CRAWL_MPS,
    LEAST_LAG,
    MOST_STEER_RAD,
    PEDAL_FALL,
    SLIP_RAD,
    STAND_MPS,
    STEER_FALL,
    STEER_RISE,
    THROTTLE_RISE,
    VehicleState,
)
from engine.physics.powertrain import TABLE_POINTS, Drives
from engine.physics.vehicles import STEER_TABLE_KMH

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

WHEELS = 4
"""Wheels of every vehicle: cars have four, two-wheelers two pairs."""
DEGREES = 180.0 / math.pi


def fits(state: VehicleState) -> bool:
    """Return whether a vehicle can be driven in a formation."""
    return len(state.wheels) == WHEELS


def bounded(value: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """Return ``min(max(value, low), high)``; ``np.clip`` takes five times as long on a hundred numbers."""
    return np.minimum(np.maximum(value, low), high)


def through(function: object, values: Floats) -> Floats:
    """Return a function of :mod:`math` of every value: numpy's own differ from it in the last bit."""
    return np.array(list(map(function, values.ravel().tolist())), dtype=np.float64).reshape(values.shape)  # type: ignore[call-overload]


def approach(value: Floats, target: Floats, rise: Floats | float, fall: float) -> tuple[Floats, Floats]:
    """See :func:`engine.physics.driving.approach`."""
    most = np.where(np.abs(target) > np.abs(value), rise, fall)
    moved = bounded(target - value, -most, most)
    return value + moved, value + moved * (1.0 - 0.5 * np.abs(moved) / most)


def summed(wheels: Floats) -> Floats:
    """Return the (N,) sums over (4, N) wheels, added up one after the other as the scalar way does."""
    return np.asarray(wheels[0] + wheels[1] + wheels[2] + wheels[3])


class Formation:
    """Vehicles that are driven together, from :meth:`__init__` until :meth:`store`.

    In between, what changes lives in the arrays here; the vehicles' own fields are old until the next :meth:`store`.
    """

    def __init__(self, states: Sequence[VehicleState]) -> None:
        self.states = list(states)
        rigs = [s.rig for s in self.states]

        def column(name: str) -> Floats:
            return np.array([getattr(r, name) for r in rigs], dtype=np.float64)

        def per_wheel(name: str) -> Floats:
            return np.array([getattr(r, name) for r in rigs], dtype=np.float64).T.copy()

        self.rows = np.array([s.body.index for s in self.states], dtype=np.intp)
        self.mass, self._radius, self._base = column("mass"), column("radius"), column("wheelbase")
        self._half, self._drag, self._rolling = column("half_track"), column("drag"), column("rolling")
        self._understeer, self._most_steer = column("understeer"), column("most_steer")
        self._brake_rise = column("brake_rise")
        self._ahead, self._right, self._up = column("center").T.copy()
        self._front_x = np.array([s.front_x for s in self.states])
        self._curve = np.array([r.steering_curve for r in rigs]).ravel()
        self._curve_start = np.arange(len(rigs)) * TABLE_POINTS
        self._wheel_y, self._max_steer = per_wheel("wheel_y"), per_wheel("max_steer_rad")
        self._part = self._max_steer / np.where(self._most_steer > 0.0, self._most_steer, 1.0)
        self._steers = (self._max_steer != 0.0).T.tolist()
        self._brake_n, self._hand_n, self._damping = per_wheel("brake_n"), per_wheel("hand_n"), per_wheel("damping")
        self._grip, self._hold = per_wheel("grip_long"), per_wheel("hold")
        self._wheels = [wheel for s in self.states for wheel in s.wheels]
        self._drives = Drives([r.drive for r in rigs], [s.drive_state for s in self.states])
        self._load()
        self.controls_changed = True
        self.take_controls()

    # --- the vehicles' own fields ----------------------------------------------------------------------------

    def _load(self) -> None:
        states = self.states
        self.throttle, self.brake, self.steer = np.array([(s.throttle, s.brake, s.steer) for s in states]).T.copy()
        self.loads = np.array([s.loads for s in states], dtype=np.float64).T.copy()
        self.angles = np.array([s.angles for s in states], dtype=np.float64).T.copy()
        self.forces = np.array([s.forces for s in states], dtype=np.float64).T.copy()
        self.shown = np.array([s.shown for s in states])
        self._felt, self._turned = np.array([(s.told_felt, s.told_turned) for s in states]).T.copy()
        self._slow = np.array([s.gripped[0] for s in states])
        self._locked = np.array([s.gripped[1] for s in states], dtype=bool)
        self._pushes = np.array([s.told_pushes for s in states], dtype=np.float64).ravel()
        self._stops = np.array([s.told_stops for s in states], dtype=np.float64).ravel()
        self._stored = True

    def store(self) -> None:
        """Write everything into the vehicles' own fields, which are then as if each had been driven alone."""
        if self._stored:
            return
        self._stored = True
        self._drives.store()
        inputs = zip(self.throttle.tolist(), self.brake.tolist(), self.steer.tolist())
        wheels = zip(self.loads.T.tolist(), self.angles.T.tolist(), self.forces.T.tolist(), self.shown.tolist())
        told = zip(
            self._felt.tolist(),
            self._turned.tolist(),
            self._pushes.reshape(-1, WHEELS).tolist(),
            self._stops.reshape(-1, WHEELS).tolist(),
        )
        for state, values, ofwheels, saying in zip(self.states, inputs, wheels, told):
            state.throttle, state.brake, state.steer = values
            state.loads, state.angles, state.forces = ofwheels[:3]
            state.shown = (ofwheels[3][0], ofwheels[3][1], ofwheels[3][2], ofwheels[3][3])
            state.told_felt, state.told_turned, state.told_pushes, state.told_stops = saying

    def take_controls(self) -> None:
        """Take over what the drivers ask for."""
        if not self.controls_changed:
            return
        self.controls_changed = False
        asked = np.array([msgspec.structs.astuple(s.control) for s in self.states], dtype=np.float64).T
        self.asked_throttle, self.asked_steer, self.asked_brake = asked[0].copy(), asked[1].copy(), asked[2].copy()
        self.hand_brake, self.reverse, self.manual = asked[3] > 0.0, asked[4] > 0.0, asked[5] > 0.0
        self._hand, self.wanted_gear = asked[3].copy(), asked[6].astype(np.int64)
        self._some_hand = bool(self.hand_brake.any())

    @property
    def gear(self) -> npt.NDArray[np.int64]:
        """(N,) gears the vehicles are in."""
        return self._drives.gear

    # --- one control step ------------------------------------------------------------------------------------

    def apply(self, raw: npt.NDArray[np.float32], dt: float, substep: float) -> None:
        """Set all wheels for the next ``dt`` seconds; ``raw`` are the (N, 22) rows of the vehicles' nodes."""
        self._stored = False
        self.take_controls()
        values = raw.T.astype(np.float64)
        rx, ry, rz, _, fx, fy, fz, _, ux, uy, uz = values[:11]
        vx, vy, vz, wx, wy, wz = values[16:22]
        spin_right, spin_ahead = wx * rx + wy * ry + wz * rz, wx * fx + wy * fy + wz * fz
        spin_up = wx * ux + wy * uy + wz * uz
        speed = vx * fx + vy * fy + vz * fz - (spin_up * self._right - spin_right * self._up)
        sideways = vx * rx + vy * ry + vz * rz - (spin_ahead * self._up - spin_up * self._ahead)
        self._put_in_motion(speed)
        self.throttle, throttle = approach(self.throttle, self.asked_throttle, THROTTLE_RISE * dt, PEDAL_FALL * dt)
        self.brake, brake = approach(self.brake, self.asked_brake, self._brake_rise * dt, PEDAL_FALL * dt)
        self.steer, steer = approach(self.steer, self.asked_steer, STEER_RISE * dt, STEER_FALL * dt)
        pace = np.abs(speed)
        self._turn(speed, pace, sideways - spin_up * self._front_x, steer)
        self._grips(pace)
        drives = self._drives
        gear = drives.choose_gears(speed, self.reverse, self.manual, self.wanted_gear, self._radius)
        drive = drives.advance(throttle, gear, speed, self.mass, self._radius, dt)
        held = self._push(drive, speed, pace, brake, substep)
        standing = (speed * speed + sideways * sideways < STAND_MPS * STAND_MPS) & (rz * rz + fz * fz > 1e-8)
        for i in np.flatnonzero(standing).tolist():
            state = self.states[i]
            state.loads = self.loads[:, i].tolist()
            numbers = values[:8, i].tolist()
            state.hold_on_slope(numbers[0:3], numbers[4:7], float(held[i]))

    def _put_in_motion(self, speed: Floats) -> None:
        for i, state in enumerate(self.states):
            if state.pushed:
                self._drives.set_in_motion(i, float(speed[i]), state.rig.radius)
                state.pushed = False

    def _turn(self, speed: Floats, pace: Floats, across: Floats, steer: Floats) -> None:
        """See :meth:`engine.physics.driving.VehicleState.apply`: the angles the vehicles feel and those they show."""
        place = np.minimum(pace * 3.6 / STEER_TABLE_KMH, 1.0) * (TABLE_POINTS - 1)
        left = np.minimum(place.astype(np.intp), TABLE_POINTS - 2)
        at = self._curve_start + left
        low = self._curve[at]
        factor = low + (self._curve[at + 1] - low) * (place - left)
        # Zero is added so that no steering at all has no sign.
        command = bounded(steer * factor * self._most_steer, -MOST_STEER_RAD, MOST_STEER_RAD) + 0.0
        base = self._base
        felt = command * base / np.maximum(base + self._understeer * speed * speed, LEAST_LAG * base)
        slip = SLIP_RAD + np.maximum(5.0 - pace, 0.0) * 0.35
        way = through(math.atan, across / np.where(pace > 2.0, speed, 2.0))
        low, high = np.maximum(way - slip, -MOST_STEER_RAD), np.minimum(way + slip, MOST_STEER_RAD)
        felt = bounded(felt, low, high)
        self._show(command)
        moved = np.flatnonzero(~(np.abs(felt - self._felt) < 1e-5))
        if not len(moved):
            return
        self._felt[moved] = felt[moved]
        wheels, steers = self._wheels, self._steers
        for i, angles in zip(moved.tolist(), self._wheel_angles(felt[moved], moved).T.tolist()):
            for k, (angle, turns) in enumerate(zip(angles, steers[i]), start=WHEELS * i):
                if turns:
                    wheels[k].set_steering(-angle)

    def _wheel_angles(self, angle: Floats, which: Indices) -> Floats:
        """Return the (4, n) angles of all wheels of some vehicles for their (n,) steering angles."""
        tangent = through(math.tan, angle)
        base, half = self._base[which], self._half[which]
        side = np.copysign(1.0, tangent)
        bend = base * tangent / (base + np.abs(tangent) * (half - side * self._wheel_y[:, which]))
        # Zero is added so that a wheel that does not turn has an angle without a sign.
        return np.asarray(through(math.atan, bend) * self._part[:, which] + 0.0)

    def _show(self, command: Floats) -> None:
        turned = self._turned
        same = (command == turned) | ((command != 0.0) & (np.abs(command - turned) < 1e-4))
        stale = np.flatnonzero(~same)
        if not len(stale):
            return
        turned[stale] = command[stale]
        angles = self._wheel_angles(command[stale], stale)
        self.angles[:, stale] = angles
        self.shown[stale] = angles.T * DEGREES + 0.0

    def _grips(self, pace: Floats) -> None:
        slow = bounded((15.0 - pace) / 6.0, 0.0, 1.0)
        locked = self.hand_brake & (pace > 3.0)
        same = (np.abs(slow - self._slow) < 0.02) & (locked == self._locked)
        for i in np.flatnonzero(~same).tolist():
            self._slow[i], self._locked[i] = slow[i], locked[i]
            self.states[i].set_grips(float(slow[i]), bool(locked[i]))

    def _resistances(self, speed: Floats, pace: Floats, weight: Floats, pedal: Floats) -> Floats:
        """Return the (4, N) forces that resist at the wheels."""
        loads, grip = self.loads, self._grip
        common = (self._drag * speed * speed + self._rolling * weight) / np.maximum(weight, 1e-9)
        wanted = np.maximum(pedal * self._brake_n, self._hand * self._hand_n)
        limit = grip * loads
        braked = np.minimum(wanted, limit)
        spare = np.where(wanted > 0.0, limit - braked, 0.0)
        missing = np.zeros(len(speed))
        for k in range(WHEELS):
            missing = missing + wanted[k] - braked[k]
        part = np.minimum(missing / np.maximum(summed(spare), 1e-9), 1.0)
        return np.where(loads > 0.0, braked + spare * part + loads * common + self._damping * pace, 0.0)

    def _push(self, drive: Floats, speed: Floats, pace: Floats, pedal: Floats, substep: float) -> Floats:
        """Drive or brake every wheel; return the (N,) braking forces."""
        loads = self.loads
        weight = summed(loads)
        resists = self._resistances(speed, pace, weight, pedal)
        starting = (pace <= 0.1) & (self.throttle > 0.01) & (drive != 0.0)
        way = np.where(starting, np.copysign(1.0, drive), np.where(speed < 0.0, -1.0, 1.0))
        limit = self._grip * loads
        net = bounded(drive * way / np.maximum(weight, 1e-9) * loads, -limit, limit) - resists
        engines = np.where(net > 0.0, net * way, 0.0)
        brakes = np.where(net < 0.0, np.minimum(-net, limit), 0.0)
        total = summed(brakes)
        crawl = (pace < CRAWL_MPS) & (total > 0.0)
        if crawl.any():
            brakes = np.where(crawl, np.where(engines != 0.0, 0.0, total * self._hold), brakes)
        self.forces = engines - brakes * way
        wheels = self._wheels
        pushes, stops = engines.T.ravel(), (brakes * substep).T.ravel()
        changed = np.flatnonzero(pushes != self._pushes)
        for i, value in zip(changed.tolist(), pushes[changed].tolist()):
            wheels[i].set_engine_force(value)
        changed = np.flatnonzero(stops != self._stops)
        for i, value in zip(changed.tolist(), stops[changed].tolist()):
            wheels[i].set_brake(value)
        self._pushes, self._stops = pushes, stops
        return total

    def feel(self) -> None:
        """Read the wheels' loads, after Bullet has stepped."""
        self._stored = False
        felt = [wheel.get_wheels_suspension_force() for wheel in self._wheels]
        self.loads = np.array(felt).reshape(-1, WHEELS).T.copy()

    def weight(self) -> Floats:
        """Return the (N,) sums of the wheels' loads, N."""
        return summed(self.loads)

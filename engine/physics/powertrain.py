"""Engine, clutch and gearbox of a vehicle: functions on plain floats, driven by CARLA's physics control.

The model is that of PhysX's vehicle drive: an engine with inertia and damping, a viscous clutch, an automatic box
that shifts at fractions of the maximum engine speed and opens the clutch while it does. Engine and vehicle are
solved together, implicitly, so any step length is stable.

Plain floats for one vehicle: most worlds hold a few vehicles, for which numpy's calls cost ten times the arithmetic.
:class:`Drives` holds many as arrays; the formulas are those of the functions above it, to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.protocol.structs import Vector2D, VehiclePhysicsControl

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

RPM = math.pi / 30.0
TABLE_POINTS = 65
MAX_GEARS = 16
REVERSE = 0
"""Place of the reverse gear in the gear tables; gear g is at g + 1, neutral at 1."""

EFFICIENCY = 0.92
"""Share of the gearbox's power that reaches the wheels."""
SLIP_AT_PEAK = 0.4
"""Slip of the clutch at peak torque over the greatest engine speed, times ``clutch_strength``: 4 % at the usual 10."""
ENGINE_BRAKE_SHARE = 0.12
"""Engine friction is at most this share of peak torque at zero throttle, and a quarter of it at full throttle, for
CARLA's own damping rates; with others the limit changes as they do.

CARLA's damping rates alone (2 kg m^2/s, 600 Nm at 3000 rpm) would brake a coasting car like an emergency stop; in
PhysX the solver's clutch eats most of it.
"""
ROTATING_SHARE = 0.1
"""A coupled engine adds at most this share to the vehicle's inertia (rotating mass factors are 1.04 to 1.1).

CARLA's default of 1 kg m^2 would add half of a car's mass in first gear, and push against the brakes.
"""
USUAL_FULL, USUAL_ENGAGED, USUAL_FREE = 0.15, 2.0, 0.35
"""CARLA's damping rates: at full throttle; at none, with the clutch engaged and disengaged."""
SHIFT_PAUSE_S = 0.3
"""Shortest time between the end of one automatic shift and the next."""


def sample_curve(points: Sequence[Vector2D], last: float, count: int = TABLE_POINTS) -> Floats:
    """Return a piecewise linear curve at ``count`` even steps from 0 to ``last``; flat beyond its ends."""
    if not points:
        return np.ones(count)
    ordered = sorted((float(p.x), float(p.y)) for p in points)
    x, y = zip(*ordered)
    return np.interp(np.linspace(0.0, last, count), x, y)


@dataclass(frozen=True, slots=True)
class Drive:
    """Parameters of a drive.

    Attributes:
        torque: 65 values in Nm at even steps from 0 to ``max_omega``.
        max_omega: rad/s.
        ratios: 18 gear ratios times the final ratio, place gear + 1; zero where there is no such gear.
        up, down: 18 engine speeds at which the automatic shifts, rad/s.
        clutch: Nm s/rad.
    """

    torque: tuple[float, ...]
    peak: float
    max_omega: float
    moi: float
    damping_full: float
    damping_engaged: float
    damping_free: float
    autobox: bool
    switch_s: float
    clutch: float
    ratios: tuple[float, ...]
    up: tuple[float, ...]
    down: tuple[float, ...]
    top_gear: int

    @classmethod
    def of(cls, control: VehiclePhysicsControl) -> Drive:
        """Return the drive that a physics control describes."""
        max_omega = max(control.max_rpm, 1.0) * RPM
        torque = sample_curve(control.torque_curve, max_omega / RPM)
        peak = max(float(torque.max()), 1e-3)
        gears = control.forward_gears[:MAX_GEARS]
        ratios = [0.0] * (MAX_GEARS + 2)
        up, down = [math.inf] * (MAX_GEARS + 2), [0.0] * (MAX_GEARS + 2)
        for number, gear in enumerate(gears, start=2):
            ratios[number] = gear.ratio * control.final_ratio
            up[number], down[number] = gear.up_ratio * max_omega, gear.down_ratio * max_omega
        # The wire has no reverse ratio: first gear's, turned round.
        ratios[REVERSE] = -ratios[2] if gears else -control.final_ratio
        if not gears:
            ratios[2] = control.final_ratio
        return cls(
            torque=tuple(torque.tolist()),
            peak=peak,
            max_omega=max_omega,
            moi=max(control.moi, 1e-3),
            damping_full=control.damping_rate_full_throttle,
            damping_engaged=control.damping_rate_zero_throttle_clutch_engaged,
            damping_free=control.damping_rate_zero_throttle_clutch_disengaged,
            autobox=control.use_gear_autobox,
            switch_s=max(control.gear_switch_time, 0.0),
            clutch=max(control.clutch_strength, 1e-3) * peak / (SLIP_AT_PEAK * max_omega),
            ratios=tuple(ratios),
            up=tuple(up),
            down=tuple(down),
            top_gear=max(len(gears), 1),
        )


@dataclass(slots=True)
class DriveState:
    """What changes: engine speed rad/s, gear, seconds left of a shift, seconds since the last one."""

    omega: float = 0.0
    gear: int = 1
    shift_left_s: float = 0.0
    since_shift_s: float = 10.0


def choose_gear(
    drive: Drive, state: DriveState, speed: float, reverse: bool, manual: bool, wanted: int, radius: float
) -> int:
    """Return the gear to be in now: the automatic's choice, or the driver's.

    Args:
        speed: forward speed, m/s.
        wanted: gear asked for when ``manual``.
        radius: wheel radius, m.
    """
    if reverse and not (manual and wanted > 0):
        return -1
    if manual:
        return min(max(wanted, -1), drive.top_gear)
    gear = max(state.gear, 1)
    if not drive.autobox:
        return gear
    wheel = abs(speed) / radius
    if wheel * radius < 0.5:
        return 1
    omega = wheel * drive.ratios[gear + 1]
    up, down = omega > drive.up[gear + 1] and gear < drive.top_gear, omega < drive.down[gear + 1] and gear > 1
    if not (up or down) or state.shift_left_s > 0.0 or state.since_shift_s < drive.switch_s + SHIFT_PAUSE_S:
        return gear
    # A shift must not ask for its own undoing, or badly spaced gears would hunt for ever.
    if up and (wheel * drive.ratios[gear + 2] >= drive.down[gear + 2] or omega > 0.95 * drive.max_omega):
        return gear + 1
    if down and wheel * drive.ratios[gear] < 0.97 * drive.up[gear]:
        return gear - 1
    return gear


def set_in_motion(drive: Drive, state: DriveState, speed: float, radius: float) -> None:
    """Give a drive the gear and engine speed of a vehicle that was put at ``speed`` (m/s) from outside.

    Without it an engine at rest would take its spin from the vehicle's momentum.
    """
    ratios, wheel = drive.ratios, speed / radius
    gear = 1
    if speed < -0.5:
        gear = -1
    else:
        while gear < drive.top_gear and wheel * ratios[gear + 1] > drive.up[gear + 1]:
            gear += 1
    state.gear, state.shift_left_s = gear, 0.0
    state.omega = min(max(wheel * ratios[gear + 1], 0.0), drive.max_omega)


def advance(
    drive: Drive, state: DriveState, throttle: float, gear: int, speed: float, mass: float, radius: float, dt: float
) -> float:
    """Advance engine and clutch by ``dt`` seconds, in place; return the drive force at the tyres in N.

    Positive forces push forward. ``throttle`` 0..1, ``speed`` m/s (forward positive), ``mass`` kg, ``radius`` m.
    Implicit Euler for engine speed w and gearbox speed g with clutch torque K (w - g):
    I w' = T(w) throttle - D w - K (w - g),  J g' = K (w - g),  J = m r^2 / n^2.
    """
    state.since_shift_s += dt
    if gear != state.gear:
        state.shift_left_s, state.since_shift_s, state.gear = drive.switch_s, 0.0, gear
    closed = min(max((dt - state.shift_left_s) / dt, 0.0), 1.0)
    state.shift_left_s = max(state.shift_left_s - dt, 0.0)

    ratio, omega = drive.ratios[gear + 1], state.omega
    torque = 0.0
    if omega < drive.max_omega:
        place = max(omega / drive.max_omega, 0.0) * (TABLE_POINTS - 1)
        left = min(int(place), TABLE_POINTS - 2)
        low = drive.torque[left]
        torque = (low + (drive.torque[left + 1] - low) * (place - left)) * throttle

    if ratio != 0.0 and closed > 0.5:
        idle, usual = drive.damping_engaged, USUAL_ENGAGED
    else:
        idle, usual = drive.damping_free, USUAL_FREE
    shares = (1.0 - throttle) * idle / usual + 0.25 * throttle * drive.damping_full / USUAL_FULL
    limit = drive.peak * ENGINE_BRAKE_SHARE * shares
    damping = min(drive.damping_full + (idle - drive.damping_full) * (1.0 - throttle), limit / max(omega, 1.0))

    stiff = drive.clutch * closed
    if ratio == 0.0 or stiff == 0.0:
        omega = (drive.moi * omega + dt * torque) / (drive.moi + dt * damping)
        state.omega = min(max(omega, 0.0), drive.max_omega)
        return 0.0
    shaft, arm = speed / radius * ratio, radius / ratio
    inertia = mass * arm * arm
    a = stiff * dt
    held = inertia + a
    moi = min(drive.moi, ROTATING_SHARE * inertia)
    omega = (moi * omega + dt * torque + a * inertia * shaft / held) / (moi + dt * damping + a * inertia / held)
    shaft = (inertia * shaft + a * omega) / held
    through = stiff * (omega - shaft)
    # Rolling against the gear, the converter slips: the engine does not turn backwards, nor hold a car on a slope.
    if shaft < 0.0:
        through = min(through, torque + 0.25 * limit)
    state.omega = min(max(omega, 0.0), drive.max_omega)
    power = through * ratio
    return power * (EFFICIENCY if power * speed >= 0.0 else 1.0) / radius


class Drives:
    """The drives of many vehicles as arrays (N,), from here until :meth:`store` writes their states back.

    Every line is that of :func:`choose_gear` or :func:`advance`, in the same order of operations.
    """

    def __init__(self, drives: Sequence[Drive], states: Sequence[DriveState]) -> None:
        self._drives, self._states = list(drives), list(states)

        def column(name: str) -> Floats:
            return np.array([getattr(d, name) for d in drives], dtype=np.float64)

        self._max_omega, self._peak, self._moi = column("max_omega"), column("peak"), column("moi")
        self._full, self._engaged, self._free = (column(f"damping_{n}") for n in ("full", "engaged", "free"))
        self._switch_s, self._clutch = column("switch_s"), column("clutch")
        self._autobox = np.array([d.autobox for d in drives], dtype=bool)
        self._top = np.array([d.top_gear for d in drives], dtype=np.int64)
        self._torque, self._ratios = column("torque").ravel(), column("ratios").ravel()
        self._up, self._down = column("up").ravel(), column("down").ravel()
        self._torque_start = np.arange(len(drives)) * TABLE_POINTS
        # Gear g is at g + 1.
        self._gear_start = np.arange(len(drives)) * (MAX_GEARS + 2) + 1
        self.omega = np.array([s.omega for s in states], dtype=np.float64)
        self.gear = np.array([s.gear for s in states], dtype=np.int64)
        self.shift_left_s = np.array([s.shift_left_s for s in states], dtype=np.float64)
        self.since_shift_s = np.array([s.since_shift_s for s in states], dtype=np.float64)

    def store(self) -> None:
        """Write the arrays into the vehicles' states."""
        columns = (self.omega, self.gear, self.shift_left_s, self.since_shift_s)
        for state, values in zip(self._states, zip(*(column.tolist() for column in columns))):
            state.omega, state.gear, state.shift_left_s, state.since_shift_s = values

    def _state(self, i: int) -> DriveState:
        return DriveState(
            float(self.omega[i]), int(self.gear[i]), float(self.shift_left_s[i]), float(self.since_shift_s[i])
        )

    def set_in_motion(self, i: int, speed: float, radius: float) -> None:
        """See :func:`set_in_motion`."""
        state = self._state(i)
        set_in_motion(self._drives[i], state, speed, radius)
        self.omega[i], self.gear[i], self.shift_left_s[i] = state.omega, state.gear, state.shift_left_s

    def choose_gears(
        self, speed: Floats, reverse: Bools, manual: Bools, wanted: npt.NDArray[np.int64], radius: Floats
    ) -> npt.NDArray[np.int64]:
        """Return the gears to be in now, as :func:`choose_gear` does, which is asked about every possible shift."""
        gear = np.maximum(self.gear, 1)
        wheel = np.abs(speed) / radius
        slow = wheel * radius < 0.5
        at = self._gear_start + gear
        omega = wheel * self._ratios[at]
        up, down = (omega > self._up[at]) & (gear < self._top), (omega < self._down[at]) & (gear > 1)
        plain = ~(reverse | manual)
        shifts = plain & self._autobox & ~slow & (up | down)
        gear = np.where(self._autobox & slow, 1, gear)
        gear = np.where(manual, np.minimum(np.maximum(wanted, -1), self._top), gear)
        gear = np.where(reverse & ~(manual & (wanted > 0)), -1, gear)
        for i in np.flatnonzero(shifts).tolist():
            chosen = choose_gear(
                self._drives[i], self._state(i), float(speed[i]), False, False, int(wanted[i]), float(radius[i])
            )
            gear[i] = chosen
        return gear

    def advance(
        self,
        throttle: Floats,
        gear: npt.NDArray[np.int64],
        speed: Floats,
        mass: Floats,
        radius: Floats,
        dt: float,
    ) -> Floats:
        """Advance engines and clutches by ``dt`` seconds; return the (N,) drive forces in N. See :func:`advance`."""
        shifted = gear != self.gear
        self.since_shift_s = np.where(shifted, 0.0, self.since_shift_s + dt)
        shift_left_s = np.where(shifted, self._switch_s, self.shift_left_s)
        self.gear = gear
        closed = np.minimum(np.maximum((dt - shift_left_s) / dt, 0.0), 1.0)
        self.shift_left_s = np.maximum(shift_left_s - dt, 0.0)

        ratio, omega = self._ratios[self._gear_start + gear], self.omega
        place = np.maximum(omega / self._max_omega, 0.0) * (TABLE_POINTS - 1)
        left = np.minimum(place.astype(np.intp), TABLE_POINTS - 2)
        at = self._torque_start + left
        low = self._torque[at]
        torque = np.where(
            omega < self._max_omega, (low + (self._torque[at + 1] - low) * (place - left)) * throttle, 0.0
        )

        engaged = (ratio != 0.0) & (closed > 0.5)
        idle, usual = np.where(engaged, self._engaged, self._free), np.where(engaged, USUAL_ENGAGED, USUAL_FREE)
        full = self._full
        shares = (1.0 - throttle) * idle / usual + 0.25 * throttle * full / USUAL_FULL
        limit = self._peak * ENGINE_BRAKE_SHARE * shares
        damping = np.minimum(full + (idle - full) * (1.0 - throttle), limit / np.maximum(omega, 1.0))

        stiff = self._clutch * closed
        apart = (ratio == 0.0) | (stiff == 0.0)
        alone = (self._moi * omega + dt * torque) / (self._moi + dt * damping)
        geared = np.where(ratio == 0.0, 1.0, ratio)
        shaft, arm = speed / radius * geared, radius / geared
        inertia = mass * arm * arm
        a = stiff * dt
        held = inertia + a
        moi = np.minimum(self._moi, ROTATING_SHARE * inertia)
        omega = (moi * omega + dt * torque + a * inertia * shaft / held) / (moi + dt * damping + a * inertia / held)
        shaft = (inertia * shaft + a * omega) / held
        through = stiff * (omega - shaft)
        through = np.where(shaft < 0.0, np.minimum(through, torque + 0.25 * limit), through)
        self.omega = np.minimum(np.maximum(np.where(apart, alone, omega), 0.0), self._max_omega)
        power = through * ratio
        return np.where(apart, 0.0, power * np.where(power * speed >= 0.0, EFFICIENCY, 1.0) / radius)

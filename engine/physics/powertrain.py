"""Engine, clutch and gearbox of many vehicles at once: pure functions on arrays, driven by CARLA's physics control.

The model is that of PhysX's vehicle drive: an engine with inertia and damping, a viscous clutch, an automatic box
that shifts at fractions of the maximum engine speed and opens the clutch while it does. Engine and vehicle are
solved together, implicitly, so any step length is stable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from engine.protocol.structs import Vector2D, VehiclePhysicsControl

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RPM = np.pi / 30.0
TABLE_POINTS = 65
MAX_GEARS = 16
REVERSE = 0
"""Column of the reverse gear in the gear tables; gear g is column g + 1, neutral is 1."""

EFFICIENCY = 0.92
"""Share of the gearbox's power that reaches the wheels."""
SLIP_AT_PEAK = 0.4
"""Slip of the clutch at peak torque over the greatest engine speed, times ``clutch_strength``: 4 % at the usual 10."""
ENGINE_BRAKE_SHARE = 0.12
"""Engine friction is at most this share of peak torque at zero throttle, and a quarter of it at full throttle.

CARLA's damping rates alone (2 kg m^2/s, 600 Nm at 3000 rpm) would brake a coasting car like an emergency stop; in
PhysX the solver's clutch eats most of it.
"""
ROTATING_SHARE = 0.1
"""A coupled engine adds at most this share to the vehicle's inertia (rotating mass factors are 1.04 to 1.1).

CARLA's default of 1 kg m^2 would add half of a car's mass in first gear, and push against the brakes.
"""
SHIFT_PAUSE_S = 0.3
"""Shortest time between the end of one automatic shift and the next."""


def bounded(value: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """Return ``value`` within limits: ``numpy.clip``, at a fifth of its overhead on short arrays."""
    return np.minimum(np.maximum(value, low), high)


def sample_curve(points: Sequence[Vector2D], last: float, count: int = TABLE_POINTS) -> Floats:
    """Return a piecewise linear curve at ``count`` even steps from 0 to ``last``; flat beyond its ends."""
    if not points:
        return np.ones(count)
    ordered = sorted((float(p.x), float(p.y)) for p in points)
    x, y = zip(*ordered)
    return np.interp(np.linspace(0.0, last, count), x, y)


@dataclass(slots=True)
class Drive:
    """Parameters of N drives.

    Attributes:
        torque: (N, 65) Nm at even steps from 0 to ``max_omega``.
        max_omega: (N,) rad/s.
        ratios: (N, 18) gear ratios times the final ratio, column gear + 1; zero where there is no such gear.
        up, down: (N, 18) engine speeds at which the automatic shifts, rad/s.
        clutch: (N,) Nm s/rad.
    """

    torque: Floats
    peak: Floats
    max_omega: Floats
    moi: Floats
    damping_full: Floats
    damping_engaged: Floats
    damping_free: Floats
    autobox: Bools
    switch_s: Floats
    clutch: Floats
    ratios: Floats
    up: Floats
    down: Floats
    top_gear: Ints

    @classmethod
    def of(cls, control: VehiclePhysicsControl) -> Drive:
        """Return one drive, as rows of length 1."""
        max_omega = max(control.max_rpm, 1.0) * RPM
        torque = sample_curve(control.torque_curve, max_omega / RPM)
        peak = max(float(torque.max()), 1e-3)
        gears = control.forward_gears[:MAX_GEARS]
        ratios = np.zeros(MAX_GEARS + 2)
        up, down = np.full(MAX_GEARS + 2, np.inf), np.zeros(MAX_GEARS + 2)
        for number, gear in enumerate(gears, start=2):
            ratios[number] = gear.ratio * control.final_ratio
            up[number], down[number] = gear.up_ratio * max_omega, gear.down_ratio * max_omega
        # The wire has no reverse ratio: first gear's, turned round.
        ratios[REVERSE] = -ratios[2] if gears else -control.final_ratio
        if not gears:
            ratios[2] = control.final_ratio

        def one(value: float) -> Floats:
            return np.array([value], dtype=np.float64)

        return cls(
            torque=torque[None],
            peak=one(peak),
            max_omega=one(max_omega),
            moi=one(max(control.moi, 1e-3)),
            damping_full=one(control.damping_rate_full_throttle),
            damping_engaged=one(control.damping_rate_zero_throttle_clutch_engaged),
            damping_free=one(control.damping_rate_zero_throttle_clutch_disengaged),
            autobox=np.array([control.use_gear_autobox]),
            switch_s=one(max(control.gear_switch_time, 0.0)),
            clutch=one(max(control.clutch_strength, 1e-3) * peak / (SLIP_AT_PEAK * max_omega)),
            ratios=ratios[None],
            up=up[None],
            down=down[None],
            top_gear=np.array([max(len(gears), 1)]),
        )

    @classmethod
    def stack(cls, drives: Sequence[Drive]) -> Drive:
        """Return the drives as one table."""
        return cls(**{f.name: np.concatenate([getattr(d, f.name) for d in drives]) for f in fields(cls)})


@dataclass(slots=True)
class DriveState:
    """What changes: (N,) engine speed rad/s, gear, seconds left of a shift, seconds since the last one."""

    omega: Floats
    gear: Ints
    shift_left_s: Floats
    since_shift_s: Floats

    @classmethod
    def at_rest(cls, count: int) -> DriveState:
        """Return engines standing still in first gear."""
        return cls(np.zeros(count), np.ones(count, np.int64), np.zeros(count), np.full(count, 10.0))


def choose_gears(
    drive: Drive, state: DriveState, speed: Floats, reverse: Bools, manual: Bools, wanted: Ints, radius: Floats
) -> Ints:
    """Return the (N,) gears to be in now: the automatic's choice, or the driver's.

    Args:
        speed: (N,) forward speed, m/s.
        wanted: (N,) gear asked for where ``manual``.
        radius: (N,) wheel radius, m.
    """
    rows = np.arange(len(speed))
    gear = np.maximum(state.gear, 1)
    column = gear + 1
    wheel = np.abs(speed) / radius
    omega = wheel * drive.ratios[rows, column]
    up, down = (
        (omega > drive.up[rows, column]) & (gear < drive.top_gear),
        (omega < drive.down[rows, column]) & (gear > 1),
    )
    automatic = gear
    if up.any() or down.any():
        higher = np.minimum(column + 1, drive.top_gear + 1)
        lower = np.maximum(column - 1, 2)
        omega_higher, omega_lower = wheel * drive.ratios[rows, higher], wheel * drive.ratios[rows, lower]
        ready = (state.shift_left_s <= 0.0) & (state.since_shift_s >= drive.switch_s + SHIFT_PAUSE_S)
        # A shift must not ask for its own undoing, or badly spaced gears would hunt for ever.
        settles = (omega_higher >= drive.down[rows, higher]) | (omega > 0.95 * drive.max_omega)
        automatic = gear + (up & ready & settles) - (down & ready & (omega_lower < 0.97 * drive.up[rows, lower]))
    automatic = np.where(drive.autobox, np.where(wheel * radius < 0.5, 1, automatic), gear)
    if manual.any():
        automatic = np.where(manual, np.minimum(np.maximum(wanted, -1), drive.top_gear), automatic)
    if reverse.any():
        automatic = np.where(reverse & ~(manual & (wanted > 0)), -1, automatic)
    return automatic.astype(np.int64)


def set_in_motion(drive: Drive, state: DriveState, row: int, speed: float, radius: float) -> None:
    """Give one drive the gear and engine speed of a vehicle that was put at ``speed`` (m/s) from outside.

    Without it an engine at rest would take its spin from the vehicle's momentum.
    """
    ratios = drive.ratios[row]
    gear = 1
    if speed < -0.5:
        gear = -1
    else:
        while gear < drive.top_gear[row] and speed / radius * ratios[gear + 1] > drive.up[row, gear + 1]:
            gear += 1
    state.gear[row], state.shift_left_s[row] = gear, 0.0
    state.omega[row] = min(max(speed / radius * ratios[gear + 1], 0.0), drive.max_omega[row])


def advance(
    drive: Drive,
    state: DriveState,
    throttle: Floats,
    gear: Ints,
    speed: Floats,
    mass: Floats,
    radius: Floats,
    dt: float,
) -> Floats:
    """Advance engines and clutches by ``dt`` seconds, in place; return (N,) drive forces at the tyres in N.

    Positive forces push forward. ``throttle`` (0..1), ``speed`` (m/s, forward positive), ``mass`` (kg) and ``radius``
    (m) are (N,). Implicit Euler for engine speed w and gearbox speed g with clutch torque K (w - g):
    I w' = T(w) throttle - D w - K (w - g),  J g' = K (w - g),  J = m r^2 / n^2.
    """
    rows = np.arange(len(speed))
    changed = gear != state.gear
    state.since_shift_s = state.since_shift_s + dt
    if changed.any():
        state.shift_left_s = np.where(changed, drive.switch_s, state.shift_left_s)
        state.since_shift_s[changed] = 0.0
    state.gear = gear
    closed = bounded((dt - state.shift_left_s) / dt, 0.0, 1.0)
    state.shift_left_s = np.maximum(state.shift_left_s - dt, 0.0)

    ratio = drive.ratios[rows, gear + 1]
    coupled = ratio != 0.0
    safe_ratio = np.where(coupled, ratio, 1.0)
    shaft = speed / radius * ratio
    place = bounded(state.omega / drive.max_omega, 0.0, 1.0) * (TABLE_POINTS - 1)
    left = np.minimum(place.astype(np.int64), TABLE_POINTS - 2)
    share = place - left
    torque = drive.torque[rows, left] * (1.0 - share) + drive.torque[rows, left + 1] * share
    torque = np.where(state.omega >= drive.max_omega, 0.0, torque * throttle)

    idle = np.where(coupled & (closed > 0.5), drive.damping_engaged, drive.damping_free)
    damping = drive.damping_full + (idle - drive.damping_full) * (1.0 - throttle)
    limit = drive.peak * ENGINE_BRAKE_SHARE * (1.0 - 0.75 * throttle)
    damping = np.minimum(damping, limit / np.maximum(state.omega, 1.0))

    stiff = drive.clutch * np.where(coupled, closed, 0.0)
    inertia = mass * np.square(radius / safe_ratio)
    a = stiff * dt
    held = inertia + a
    moi = np.where(stiff > 0.0, np.minimum(drive.moi, ROTATING_SHARE * inertia), drive.moi)
    omega = (moi * state.omega + dt * torque + a * inertia * shaft / held) / (moi + dt * damping + a * inertia / held)
    shaft = (inertia * shaft + a * omega) / held
    through = stiff * (omega - shaft)
    # Rolling against the gear, the converter slips: the engine does not turn backwards, nor hold a car on a slope.
    through = np.where(shaft < 0.0, np.minimum(through, torque + 0.25 * limit), through)
    state.omega = bounded(omega, 0.0, drive.max_omega)
    return np.where(coupled, through * ratio * np.where(through * ratio * speed >= 0.0, EFFICIENCY, 1.0) / radius, 0.0)

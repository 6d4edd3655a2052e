"""The PID controller behind ``apply_ackermann_control``: from speed and steering angle to pedals and wheel.

Two loops in series, as in CARLA: the speed error moves a target acceleration, the acceleration error moves a pedal
(positive: throttle, negative: brake). The steering angle is approached at the asked rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.protocol.structs import AckermannControllerSettings, VehicleAckermannControl, VehicleControl

if TYPE_CHECKING:
    from engine.world.world import World

STANDSTILL_MPS = 0.1
DEFAULT_ACCEL_MPS2 = 3.0
"""Limit of the target acceleration when the client asks for none (0)."""
SMOOTHING = 0.4
"""Share of a new acceleration measurement: velocity differences over one frame are noisy."""


@dataclass(slots=True)
class Pid:
    """A PID controller that keeps its last error. Its output is a change, so ``kp`` acts like an integral gain."""

    kp: float
    ki: float
    kd: float
    integral: float = 0.0
    last: float | None = None

    def step(self, error: float, dt_s: float) -> float:
        """Return the control for an error."""
        self.integral += error * dt_s
        change = 0.0 if self.last is None else error - self.last
        self.last = error
        return self.kp * error + self.ki * self.integral + self.kd * change


@dataclass(slots=True)
class Driver:
    """The state of one vehicle's controller."""

    target: VehicleAckermannControl
    speed: Pid
    accel: Pid
    steer_rad: float = 0.0
    accel_target: float = 0.0
    pedal: float = 0.0
    last_speed: float | None = None
    measured_mps2: float = 0.0

    def step(self, speed_mps: float, max_steer_rad: float, dt_s: float) -> VehicleControl:
        """Return the control for the next frame.

        Args:
            speed_mps: signed speed along the vehicle's axis.
            max_steer_rad: steering angle of a full steer.
            dt_s: time since the last step.
        """
        target = self.target
        step = target.steer_speed * dt_s if target.steer_speed > 0.0 else math.inf
        self.steer_rad += max(-step, min(step, target.steer - self.steer_rad))
        steer = max(-1.0, min(1.0, self.steer_rad / max_steer_rad if max_steer_rad > 0.0 else 0.0))
        backwards = target.speed < 0.0
        sign = -1.0 if backwards else 1.0
        standing = abs(speed_mps) < STANDSTILL_MPS
        if abs(target.speed) < STANDSTILL_MPS and standing:
            self._rest(speed_mps)
            return VehicleControl(steer=steer, brake=1.0, hand_brake=True)
        if not standing and sign * speed_mps < 0.0:
            # Rolling the wrong way: stop first, then change direction.
            self._rest(speed_mps)
            return VehicleControl(steer=steer, brake=1.0, reverse=speed_mps < 0.0)
        self._press(sign * speed_mps, abs(target.speed), dt_s)
        return VehicleControl(
            throttle=max(0.0, self.pedal), steer=steer, brake=max(0.0, -self.pedal), reverse=backwards
        )

    def _rest(self, speed_mps: float) -> None:
        self.pedal = self.accel_target = self.measured_mps2 = 0.0
        self.last_speed = abs(speed_mps)

    def _press(self, speed: float, wanted: float, dt_s: float) -> None:
        if self.last_speed is not None and dt_s > 0.0:
            self.measured_mps2 += SMOOTHING * ((speed - self.last_speed) / dt_s - self.measured_mps2)
        self.last_speed = speed
        limit = abs(self.target.acceleration) or DEFAULT_ACCEL_MPS2
        gap = wanted - speed
        self.accel_target = max(-limit, min(limit, self.accel_target + self.speed.step(gap, dt_s)))
        # The accumulated target must not outlast its cause: near the wanted speed it fades with the gap.
        self.accel_target = max(min(self.accel_target, max(gap, 0.0) * 2.0), min(gap, 0.0) * 2.0)
        self.pedal = max(-1.0, min(1.0, self.pedal + self.accel.step(self.accel_target - self.measured_mps2, dt_s)))


class Ackermann:
    """The vehicles that drive by Ackermann control, and every vehicle's gains."""

    def __init__(self) -> None:
        self._drivers: dict[int, Driver] = {}
        self._settings: dict[int, AckermannControllerSettings] = {}

    def __len__(self) -> int:
        return len(self._drivers)

    def drive(self, actor_id: int, control: VehicleAckermannControl) -> None:
        """Set a vehicle's targets; the controller's state is kept while it drives."""
        driver = self._drivers.get(actor_id)
        if driver is None:
            self._drivers[actor_id] = Driver(control, *self._gains(self.settings(actor_id)))
        else:
            driver.target = control

    @staticmethod
    def _gains(settings: AckermannControllerSettings) -> tuple[Pid, Pid]:
        return (
            Pid(settings.speed_kp, settings.speed_ki, settings.speed_kd),
            Pid(settings.accel_kp, settings.accel_ki, settings.accel_kd),
        )

    def settings(self, actor_id: int) -> AckermannControllerSettings:
        """Return a vehicle's gains."""
        return self._settings.get(actor_id, AckermannControllerSettings())

    def set_settings(self, actor_id: int, settings: AckermannControllerSettings) -> None:
        """Change a vehicle's gains, also while it drives."""
        self._settings[actor_id] = settings
        driver = self._drivers.get(actor_id)
        if driver is not None:
            driver.speed, driver.accel = self._gains(settings)

    def release(self, actor_id: int) -> None:
        """Give the pedals back to plain controls."""
        self._drivers.pop(actor_id, None)

    def forget(self, actor_id: int) -> None:
        """Drop a vehicle."""
        self.release(actor_id)
        self._settings.pop(actor_id, None)

    def step(self, world: World, dt_s: float) -> None:
        """Control all its vehicles for the next frame."""
        for actor_id, driver in self._drivers.items():
            row = world.table[actor_id]
            yaw = np.radians(row["rotation"][1])
            speed = float(row["velocity"][0] * np.cos(yaw) + row["velocity"][1] * np.sin(yaw))
            wheels = world.physics.physics_control(actor_id).wheels
            max_steer = math.radians(max((wheel.max_steer_angle for wheel in wheels), default=70.0))
            world.physics.apply_vehicle_control(actor_id, driver.step(speed, max_steer, dt_s))

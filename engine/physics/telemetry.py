"""A vehicle's telemetry, from what the fleet set and Bullet measured in the last step."""

from __future__ import annotations

import numpy as np

from engine.physics.bodies import Motion
from engine.physics.driving import VehicleState
from engine.physics.powertrain import RPM
from engine.protocol.structs import VehicleTelemetryData, WheelTelemetryData


def telemetry(state: VehicleState, motion: Motion) -> VehicleTelemetryData:
    """Return the telemetry of one vehicle.

    Bullet's wheels have no slip of their own: ``omega`` is that of rolling, ``long_slip`` what PhysX's tyre would
    have at that force, force over stiffness per unit of gravity, ``lat_slip`` the angle between a wheel's heading and
    its way over ground in radians, and lateral force the load's share of what keeps the vehicle on its curve,
    mass x yaw rate x speed.
    """
    rig, row = state.rig, state.body.index
    forward, right = motion.forward[row], motion.right[row]
    velocity = motion.velocity[row]
    along, across = float(velocity @ forward), float(velocity @ right)
    spin = float(np.radians(motion.angular_velocity[row] @ motion.up[row]))
    loads, angles, forces = np.array(state.loads), np.array(state.angles), np.array(state.forces)
    total = float(loads.sum())
    wheels = []
    for number, control in enumerate(state.physics_control.wheels):
        load, force = float(loads[number]), float(forces[number])
        x, y = float(rig.wheel_x[number]), float(rig.wheel_y[number])
        angle, radius = float(angles[number]), float(rig.wheel_radius[number])
        vx, vy = along - spin * y, across + spin * x
        slip = float(np.arctan2(vy, abs(vx)) - np.sign(vx or 1.0) * angle) if np.hypot(vx, vy) > 0.1 else 0.0
        side = rig.mass * spin * along * load / total if total > 0.0 else 0.0
        rest = rig.mass * 9.81 / len(state.physics_control.wheels)
        wheels.append(
            WheelTelemetryData(
                tire_friction=control.tire_friction,
                lat_slip=slip,
                long_slip=force / max(control.long_stiff_value * 9.81, 1.0),
                omega=vx / radius,
                tire_load=load,
                normalized_tire_load=load / rest,
                torque=force * radius,
                long_force=force,
                lat_force=side,
                normalized_long_force=force / rest,
                normalized_lat_force=side / rest,
            )
        )
    return VehicleTelemetryData(
        speed=along,
        steer=state.steer,
        throttle=state.throttle,
        brake=state.brake,
        engine_rpm=state.drive_state.omega / RPM,
        gear=state.drive_state.gear,
        drag=rig.drag * along * along,
        wheels=tuple(wheels),
    )

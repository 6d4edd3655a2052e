"""One vehicle in Bullet: chassis, wheels and suspension made from a spec and CARLA's physics control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from panda3d.bullet import BulletBoxShape, BulletRigidBodyNode, BulletVehicle, BulletWheel, BulletWorld, Z_up
from panda3d.core import Point3, TransformState, Vec3

from engine.blueprints import VehicleSpec
from engine.physics.bodies import local_to_body
from engine.physics.powertrain import Drive, sample_curve
from engine.protocol.structs import VehiclePhysicsControl, WheelPhysicsControl
from foundation.errors import RealityError

Floats = npt.NDArray[np.float64]

GRAVITY = 9.81
HEAVE_HZ = 2.0
"""Natural frequency of the body on its springs; 6 cm of static deflection."""
DAMPING_RATIO = 0.7
REST_LENGTH_M = 0.4
"""Suspension rest length; Panda's tuning does not let it change."""
TRAVEL_CM = 30.0
NOMINAL_TIRE_FRICTION = 3.5
"""``tire_friction`` of dry asphalt in CARLA; grips below scale with it."""
OUTRIGGER_M = 0.25
"""Half the width between the wheel pairs that stand for one wheel of a two-wheeler: the rider's balance."""
STEER_TABLE_KMH = 250.0
SLOW_GRIP = 2.0
"""Side grip of every class up to 9 m/s; see :meth:`engine.physics.driving.VehicleState.apply`."""


@dataclass(frozen=True, slots=True)
class Grip:
    """Tyres and body of a vehicle class on dry asphalt (the project's vehicle reference classes).

    Attributes:
        longitudinal, lateral: greatest force over load.
        understeer_deg_g: steering needed beyond geometry, degrees at the road wheel per g of lateral acceleration.
        roll: share of the lateral tyre forces' true moment about the roll axis that is felt.
        rolling: rolling resistance coefficient.
        brake_rise: how fast the brakes follow the pedal, 1/s: 0.08 s of build-up, 0.4 s for a rider's hand.
    """

    longitudinal: float
    lateral: float
    understeer_deg_g: float
    roll: float = 0.5
    rolling: float = 0.012
    brake_rise: float = 12.0


GRIPS = {
    "hatchback": Grip(1.10, 0.90, 2.5),
    "sedan": Grip(1.10, 0.90, 2.5),
    "sports": Grip(1.15, 0.98, 1.5),
    "suv": Grip(1.06, 0.80, 3.0),
    "pickup": Grip(1.04, 0.78, 3.0),
    "microcar": Grip(0.95, 0.75, 2.5),
    "van": Grip(0.97, 0.68, 3.5),
    "truck": Grip(0.70, 0.42, 4.5, rolling=0.007),
    "bus": Grip(0.66, 0.54, 4.5, rolling=0.008),
    "motorcycle": Grip(0.95, 0.92, 3.0, roll=0.0, rolling=0.015),
    "bicycle": Grip(0.58, 0.52, 5.0, roll=0.0, rolling=0.006, brake_rise=2.5),
}


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """Numbers of one vehicle that the fleet stacks. Wheel arrays are (W,), in Bullet's wheel order.

    Attributes:
        most_steer: greatest steering angle of any wheel, rad.
        wheel_x, wheel_y: forward and right offset from the actor's origin, metres.
        brake_n, hand_n: greatest braking forces at the contact patch, N.
        damping: drag per forward speed, N s/m.
        hold: shares by which braking is laid on wheels near standstill; they sum to 1.
        center: centre of mass in the actor's frame, metres.
        drag: aerodynamic force over speed squared, N s^2/m^2.
        understeer: K of yaw rate = v delta / (L + K v^2), rad s^2/m.
    """

    mass: float
    radius: float
    wheelbase: float
    half_track: float
    center: tuple[float, float, float]
    drag: float
    rolling: float
    brake_rise: float
    understeer: float
    steering_curve: Floats
    drive: Drive
    most_steer: float
    wheel_x: Floats
    wheel_y: Floats
    wheel_radius: Floats
    max_steer_rad: Floats
    brake_n: Floats
    hand_n: Floats
    damping: Floats
    grip_long: Floats
    grip_lat: Floats
    slow_grip: Floats
    hold: Floats

    def same_body(self, other: Rig) -> bool:
        """Return whether Bullet's body and wheels can stay as they are when one replaces the other."""
        return (
            self.mass == other.mass
            and self.center == other.center
            and np.array_equal(self.wheel_radius, other.wheel_radius)
        )


def center_of_mass(spec: VehicleSpec, control: VehiclePhysicsControl) -> tuple[float, float, float]:
    """Return the centre of mass in the actor's frame: mid-axle at the spec's height, moved by the control's offset.

    A two-wheeler's rider balances pitch by shifting weight; the rigid body gets half the height instead.
    """
    offset = control.center_of_mass
    height = spec.cg_height * (0.5 if spec.two_wheeler else 1.0)
    return (spec.center_x + spec.axle_shift + offset.x, offset.y, max(height + offset.z, 0.1))


def make_rig(spec: VehicleSpec, control: VehiclePhysicsControl) -> Rig:
    """Return the numbers of a vehicle.

    Raises:
        RealityError: the control's wheels do not match the vehicle, or its mass is not positive.
    """
    places = spec.wheel_positions
    if len(control.wheels) != len(places):
        raise RealityError(f"{spec.id}: physics control has {len(control.wheels)} wheels, the vehicle {len(places)}")
    if not control.mass > 0.0:
        raise RealityError(f"{spec.id}: mass must be positive, not {control.mass}")
    if not all(wheel.radius > 0.0 for wheel in control.wheels):
        raise RealityError(f"{spec.id}: wheel radius must be positive")
    sides = (-OUTRIGGER_M, OUTRIGGER_M) if spec.two_wheeler else (0.0, 0.0)
    wheels = control.wheels
    radius = np.array([w.radius / 100.0 for w in wheels])
    friction = np.array([w.tire_friction / NOMINAL_TIRE_FRICTION for w in wheels])
    wheel_x = np.array([x for x, _, _ in places])
    wheel_y = np.array([y + sides[i % 2] for i, (_, y, _) in enumerate(places)])
    rear = wheel_x <= wheel_x.min() + 1e-6
    max_steer = np.radians([w.max_steer_angle for w in wheels])
    grip = GRIPS[spec.body]
    # A little more grip at the back: at the limit a road car's front goes first.
    balance = np.where(rear, 1.03, 0.97)
    return Rig(
        mass=control.mass,
        radius=float(radius.mean()),
        wheelbase=float(wheel_x.max() - wheel_x.min()),
        half_track=float(np.abs(wheel_y).max()) if not spec.two_wheeler else 0.0,
        center=center_of_mass(spec, control),
        drag=0.5 * 1.2 * control.drag_coefficient * spec.width * spec.height,
        rolling=grip.rolling,
        brake_rise=grip.brake_rise,
        understeer=(float(np.radians(grip.understeer_deg_g)) + _stiffness_balance(control, places)) / GRAVITY,
        steering_curve=sample_curve(control.steering_curve, STEER_TABLE_KMH),
        drive=Drive.of(control),
        most_steer=float(np.abs(max_steer).max()),
        wheel_x=wheel_x,
        wheel_y=wheel_y,
        wheel_radius=radius,
        max_steer_rad=max_steer,
        brake_n=np.array([w.max_brake_torque for w in wheels]) / radius,
        hand_n=np.array([w.max_handbrake_torque for w in wheels]) / radius,
        # The bearing of a two-wheeler's wheel is there once.
        damping=np.array([w.damping_rate for w in wheels]) / radius**2 * (0.5 if spec.two_wheeler else 1.0),
        grip_long=grip.longitudinal * friction,
        grip_lat=grip.lateral * friction * balance,
        slow_grip=np.full(len(wheels), SLOW_GRIP) * friction * balance,
        hold=rear / rear.sum(),
    )


def lateral_stiffness(wheel: WheelPhysicsControl) -> float:
    """Return a tyre's side force over load and slip angle, 1/rad, at its load at rest.

    PhysX lets it saturate with the load: ``lat_stiff_value`` x s(3 / ``lat_stiff_max_load``) with
    s(x) = x - x^2/3 + x^3/27 up to x = 3, and 1 beyond.
    """
    x = min(3.0 / max(wheel.lat_stiff_max_load, 1e-3), 3.0)
    return max(wheel.lat_stiff_value, 1e-3) * (x - x * x / 3.0 + x**3 / 27.0)


def _stiffness_balance(control: VehiclePhysicsControl, places: Sequence[Sequence[float]]) -> float:
    """Return what the front tyres' slip angle exceeds the rear ones' by, rad per g, for what their stiffnesses say.

    Of the steady single track: a_y/g = C alpha on each axle. Equal stiffnesses, as all vehicles have them at first,
    leave the class its own understeer.
    """
    middle = sum(place[0] for place in places) / len(places)
    axles = [
        [lateral_stiffness(wheel) for wheel, place in zip(control.wheels, places) if (place[0] > middle) == front]
        for front in (True, False)
    ]
    front, rear = (sum(axle) / len(axle) for axle in axles)
    return 1.0 / front - 1.0 / rear


WITHOUT_EFFECT = ("use_sweep_wheel_collision",)
WHEEL_WITHOUT_EFFECT = ("long_stiff_value",)
"""Fields of the physics control that change nothing here; wheels' positions are told, never taken over."""


def changed_without_effect(old: VehiclePhysicsControl, new: VehiclePhysicsControl) -> list[str]:
    """Return the names of the fields that a client has changed in vain."""
    found = [name for name in WITHOUT_EFFECT if getattr(old, name) != getattr(new, name)]
    found += [
        f"wheels.{name}"
        for name in WHEEL_WITHOUT_EFFECT
        if any(getattr(a, name) != getattr(b, name) for a, b in zip(old.wheels, new.wheels))
    ]
    return found


def load_shares(rig: Rig) -> Floats:
    """Return the (W,) shares of the weight on the wheels at rest on level ground; they sum to 1."""
    front, rear = rig.wheel_x.max(), rig.wheel_x.min()
    ahead = np.clip((rig.center[0] - rear) / (front - rear), 0.05, 0.95)
    along = np.where(rig.wheel_x > (front + rear) / 2, ahead, 1.0 - ahead)
    half = np.abs(rig.wheel_y).max()
    lean = float(np.clip(rig.center[1] / half, -0.9, 0.9))
    across = 0.5 * (1.0 + np.sign(rig.wheel_y) * lean)
    shares = along * across
    return np.asarray(shares / shares.sum())


def chassis_box(spec: VehicleSpec) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Return centre (actor's frame) and half sizes of the collision box.

    It is the bounding box without ground clearance and without the mirrors, which count in CARLA's widths: a body
    reaches 0.25 m beyond the middle of its tyres.
    """
    clearance = min(0.6 * spec.wheel_radius, 0.25 * spec.height)
    width = spec.width if spec.two_wheeler else min(spec.width, spec.track + 0.5)
    half = (spec.length / 2, width / 2, (spec.height - clearance) / 2)
    return (spec.center_x, 0.0, clearance + half[2]), half


def chassis_shape(spec: VehicleSpec) -> BulletBoxShape:
    """Return the collision shape of the body."""
    return BulletBoxShape(Vec3(*local_to_body(chassis_box(spec)[1])))


def inertia(spec: VehicleSpec, mass: float) -> Vec3:
    """Return the moments about right, forward and up axes: a box's, with the mass drawn to the middle as in cars."""
    x, y, z = spec.length**2, spec.width**2, spec.height**2
    return Vec3(0.8 * mass / 12.0 * (x + z), 0.75 * mass / 12.0 * (y + z), 0.8 * mass / 12.0 * (x + y))


def make_chassis(spec: VehicleSpec, rig: Rig) -> BulletRigidBodyNode:
    """Return the chassis body, not yet attached."""
    node = BulletRigidBodyNode("vehicle")
    node.notify_collisions(True)
    middle = np.subtract(chassis_box(spec)[0], rig.center)
    node.add_shape(chassis_shape(spec), TransformState.make_pos(local_to_body(middle)))
    node.set_mass(rig.mass)
    node.set_inertia(inertia(spec, rig.mass))
    node.set_friction(0.4)
    node.set_restitution(0.0)
    node.set_deactivation_enabled(False)
    return node


def make_wheels(world: BulletWorld, node: BulletRigidBodyNode, spec: VehicleSpec, rig: Rig) -> BulletVehicle:
    """Return the raycast vehicle on ``node``, wheels set up, not yet attached to the world."""
    vehicle = BulletVehicle(world, node)
    vehicle.set_coordinate_system(Z_up)
    for _ in rig.wheel_x:
        vehicle.create_wheel()
    # Wheels are fetched only now: creating one moves those before it in memory.
    heave, shares = 2.0 * np.pi * HEAVE_HZ, load_shares(rig)
    stiffness, damping = heave**2 * shares, 2.0 * DAMPING_RATIO * heave * shares
    deflection = -world.get_gravity()[2] / heave**2
    for i, wheel in enumerate(wheels_of(vehicle)):
        radius = float(rig.wheel_radius[i])
        top = (float(rig.wheel_x[i]), float(rig.wheel_y[i]), radius + REST_LENGTH_M - deflection)
        wheel.set_chassis_connection_point_cs(Point3(local_to_body(np.subtract(top, rig.center))))
        wheel.set_wheel_direction_cs(Vec3(0, 0, -1))
        wheel.set_wheel_axle_cs(Vec3(1, 0, 0))
        wheel.set_wheel_radius(radius)
        wheel.set_front_wheel(bool(rig.max_steer_rad[i] > 0.0))
        wheel.set_max_suspension_travel_cm(TRAVEL_CM)
        wheel.set_max_suspension_force(1e7)
        wheel.set_suspension_stiffness(float(stiffness[i]))
        wheel.set_wheels_damping_compression(float(damping[i]))
        wheel.set_wheels_damping_relaxation(float(damping[i]))
        wheel.set_friction_slip(float(rig.grip_lat[i]))
        wheel.set_roll_influence(GRIPS[spec.body].roll)
    return vehicle


def wheels_of(vehicle: BulletVehicle) -> list[BulletWheel]:
    """Return the wheels of a finished vehicle; they die with it."""
    return [vehicle.get_wheel(i) for i in range(vehicle.get_num_wheels())]

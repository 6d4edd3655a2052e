"""The vehicles: one line each in a table, and a drive made from a few class figures.

Sizes are the public ones of CARLA 0.9.16; masses, wheelbases and powers are those of the real models they resemble,
rounded. Class figures follow the project's vehicle reference (0-100 km/h, full braking, Cd): see ``CLASSES``.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.blueprints.specs import VehicleSpec
from engine.protocol.structs import GearPhysicsControl, Vector2D, VehiclePhysicsControl, WheelPhysicsControl
from foundation.ids import Tag

NOMINAL_TIRE_FRICTION = 3.5
"""``tire_friction`` of every wheel at rest, as in CARLA (its friction trigger's default, too): dry asphalt."""


@dataclass(frozen=True, slots=True)
class DriveClass:
    """What the vehicles of one body style have in common.

    Attributes:
        gears: forward gear ratios.
        rated_rpm: engine speed of peak power; ``max_rpm`` lies 15 % above.
        flat_from: fraction of rated_rpm from which torque is at its peak.
        top_speed_kmh: the final ratio puts 95 % of max_rpm there in the last gear (the first of a single-speed drive).
        brake_mps2: deceleration at full brake, dry.
        cd: drag coefficient, with the frontal area ``fill`` x box width x box height.
        cg_height: metres.
    """

    gears: tuple[float, ...]
    rated_rpm: float
    flat_from: float
    top_speed_kmh: float
    brake_mps2: float
    cd: float
    cg_height: float
    front_brake_share: float = 0.6
    fill: float = 0.83


SIX_SPEED = (3.62, 2.05, 1.38, 1.03, 0.84, 0.68)

CLASSES = {
    "hatchback": DriveClass(SIX_SPEED, 5500.0, 0.35, 215.0, 10.2, 0.29, 0.54),
    "sedan": DriveClass(SIX_SPEED, 5500.0, 0.35, 235.0, 10.2, 0.28, 0.55),
    "sports": DriveClass(SIX_SPEED, 6500.0, 0.40, 260.0, 10.6, 0.32, 0.50),
    "suv": DriveClass(SIX_SPEED, 5000.0, 0.35, 205.0, 9.9, 0.33, 0.68),
    "pickup": DriveClass(SIX_SPEED, 5000.0, 0.35, 190.0, 9.6, 0.36, 0.72),
    "microcar": DriveClass((1.0,), 8000.0, 0.10, 92.0, 8.5, 0.40, 0.52),
    "electric": DriveClass((1.0,), 9000.0, 0.02, 210.0, 10.2, 0.25, 0.50),
    "van": DriveClass((4.2, 2.3, 1.45, 1.0, 0.79, 0.64), 3800.0, 0.42, 165.0, 8.8, 0.36, 0.85),
    "truck": DriveClass((6.7, 3.8, 2.3, 1.5, 1.0, 0.75), 2300.0, 0.5, 115.0, 6.4, 0.55, 1.20),
    "bus": DriveClass((5.2, 3.0, 1.9, 1.35, 1.0, 0.74), 2300.0, 0.5, 100.0, 6.4, 0.60, 1.20),
    "motorcycle": DriveClass((2.8, 1.95, 1.55, 1.3, 1.1, 1.0), 9000.0, 0.45, 190.0, 8.8, 0.60, 0.65, 0.65, 0.48),
    "bicycle": DriveClass((2.4, 1.6, 1.1, 0.8), 95.0, 0.30, 36.0, 5.4, 0.90, 1.00, 0.6, 0.45),
}

# id | base | body | gen | special | lights doors | length width height cx | wheelbase track wheel_r | kg kW wheels
TABLE = """
audi.a2                    car        hatchback  1 -         n n 3.705 1.789 1.549  0.00 2.405 1.460 0.295  1150   66 4
audi.etron                 car        suv        1 electric  n n 4.856 2.033 1.649  0.00 2.928 1.655 0.370  2560  265 4
audi.tt                    car        sports     1 -         n n 4.181 1.994 1.385  0.00 2.468 1.572 0.320  1410  155 4
bh.crossbike               bicycle    bicycle    1 -         n n 1.509 0.866 1.612  0.00 0.920 0.000 0.300    90 0.40 2
bmw.grandtourer            car        suv        1 -         n n 4.611 2.242 1.667  0.00 2.780 1.560 0.325  1540  110 4
carlamotors.carlacola      truck      truck      1 -         n n 5.204 2.627 2.467  0.00 3.200 1.900 0.440  5500  130 4
carlamotors.european_hgv   truck      truck      2 -         n n 7.936 2.891 3.462  0.01 4.300 2.050 0.510 18000  330 6
carlamotors.firetruck      truck      truck      2 emergency y y 8.468 2.891 3.827 -0.25 4.600 2.050 0.510 14500  260 4
chevrolet.impala           car        sedan      1 -         n n 5.357 2.033 1.411  0.00 3.020 1.590 0.335  1790  190 4
citroen.c3                 car        hatchback  1 -         n n 3.988 1.851 1.617  0.00 2.540 1.480 0.310  1180   81 4
diamondback.century        bicycle    bicycle    1 -         n n 1.656 0.582 1.620  0.00 1.000 0.000 0.340    85 0.40 2
dodge.charger_2020         car        sedan      2 -         y y 5.008 1.882 1.535 -0.01 3.052 1.610 0.350  1880  218 4
dodge.charger_police       car        sedan      1 emergency n n 4.974 2.038 1.542  0.02 3.048 1.605 0.350  1950  276 4
dodge.charger_police_2020  car        sedan      2 emergency y y 5.238 1.930 1.638  0.11 3.052 1.610 0.350  1950  276 4
ford.ambulance             van        van        2 emergency y y 6.366 2.351 2.431 -0.29 3.750 1.730 0.370  3500  130 4
ford.crown                 car        sedan      2 taxi      y y 5.366 1.801 1.575  0.19 2.910 1.590 0.345  1870  178 4
ford.mustang               car        sports     1 -         n n 4.718 1.895 1.301  0.03 2.740 1.480 0.330  1450  200 4
gazelle.omafiets           bicycle    bicycle    1 -         n n 1.843 0.659 1.776  0.00 1.140 0.000 0.350    92 0.35 2
harley-davidson.low_rider  motorcycle motorcycle 1 -         n n 2.350 0.766 1.649  0.00 1.610 0.000 0.320   380   65 2
jeep.wrangler_rubicon      car        suv        1 -         n n 3.866 1.905 1.878  0.00 2.424 1.570 0.400  1850  147 4
kawasaki.ninja             motorcycle motorcycle 1 -         n n 2.044 0.797 1.523  0.00 1.410 0.000 0.300   270  100 2
lincoln.mkz_2017           car        sedan      1 -         n n 4.902 2.128 1.511  0.00 2.850 1.585 0.335  1720  183 4
lincoln.mkz_2020           car        sedan      2 -         y y 4.892 1.837 1.490 -0.01 2.850 1.585 0.335  1720  183 4
mercedes.coupe             car        sports     1 -         n n 5.027 2.152 1.651  0.00 2.945 1.600 0.340  1850  220 4
mercedes.coupe_2020        car        sports     2 -         y y 4.674 1.812 1.442  0.00 2.840 1.560 0.330  1685  180 4
mercedes.sprinter          van        van        2 -         y y 5.915 1.988 2.561 -0.01 3.665 1.710 0.350  2800  110 4
micro.microlino            car        microcar   1 electric  n n 2.207 1.481 1.376  0.00 1.565 1.250 0.270   610   19 4
mini.cooper_s              car        hatchback  1 -         n n 3.806 1.970 1.475  0.00 2.467 1.460 0.300  1215  128 4
mini.cooper_s_2021         car        hatchback  2 -         y y 4.553 2.097 1.767 -0.03 2.960 1.620 0.350  1350  141 4
mitsubishi.fusorosa        bus        bus        2 -         y n 10.273 3.944 4.253 -0.45 5.900 2.700 0.480 13000  210 4
nissan.micra               car        hatchback  1 -         n n 3.633 1.845 1.501  0.00 2.430 1.475 0.290  1080   72 4
nissan.patrol              car        suv        1 -         n n 4.605 1.932 1.855 -0.06 2.800 1.600 0.380  2200  170 4
nissan.patrol_2021         car        suv        2 -         y y 5.566 2.150 2.045  0.03 3.250 1.760 0.420  2400  240 4
seat.leon                  car        hatchback  1 -         n n 4.193 1.816 1.474  0.00 2.620 1.540 0.315  1320  110 4
tesla.cybertruck           truck      pickup     2 electric  n n 6.274 2.390 2.098  0.00 3.635 1.830 0.440  3000  280 4
tesla.model3               car        sedan      1 electric  n n 4.792 2.163 1.488  0.03 2.875 1.580 0.335  1750  190 4
toyota.prius               car        hatchback  1 electric  n n 4.514 2.007 1.525  0.00 2.700 1.530 0.315  1400  100 4
vespa.zx125                motorcycle motorcycle 1 -         n n 1.817 0.866 1.590  0.00 1.280 0.000 0.230   200   12 2
volkswagen.t2              van        van        1 -         n n 4.480 2.069 2.038  0.00 2.400 1.450 0.320  1450   65 4
volkswagen.t2_2021         van        van        2 -         y y 4.442 1.775 1.987  0.12 2.400 1.450 0.330  1800   85 4
yamaha.yzf                 motorcycle motorcycle 1 -         n n 2.191 0.866 1.530  0.00 1.400 0.000 0.300   275  110 2
"""

PAINTS = (
    "230,231,233",
    "17,18,20",
    "86,91,97",
    "158,163,168",
    "24,52,104",
    "137,17,22",
    "61,72,60",
    "120,94,70",
    "45,112,150",
    "193,163,70",
)
FIXED_PAINTS = {
    "carlamotors.firetruck": ("178,20,16",),
    "ford.ambulance": ("236,236,230",),
    "carlamotors.carlacola": ("200,25,25", "235,235,235"),
    "ford.crown": ("222,168,30",),
    "dodge.charger_police": ("25,27,32", "235,235,235"),
    "dodge.charger_police_2020": ("25,27,32", "235,235,235"),
}

TAGS = {
    "car": (Tag.CAR,),
    "van": (Tag.TRUCK,),
    "truck": (Tag.TRUCK,),
    "bus": (Tag.BUS,),
    "motorcycle": (Tag.MOTORCYCLE, Tag.RIDER),
    "bicycle": (Tag.BICYCLE, Tag.RIDER),
}

STEERING_CURVE = tuple(
    Vector2D(kmh, share) for kmh, share in ((0.0, 1.0), (20.0, 0.88), (40.0, 0.79), (60.0, 0.74), (120.0, 0.65))
)
"""A little less than CARLA's (0.9 at 20, 0.8 at 60 km/h): its traffic manager cuts corners less with it."""
MAX_STEER_DEG = 70.0


def torque_curve(power_kw: float, shape: DriveClass) -> tuple[Vector2D, ...]:
    """Return (rpm, Nm) points: rising to a flat peak, then constant power around the rated speed, then falling.

    The flat part ends at 75 % of the rated speed (for single-speed electric drives at 45 %), where power peaks.
    """
    single = len(shape.gears) == 1
    knee = shape.rated_rpm * (0.45 if single else 0.75)
    peak = power_kw * 1000.0 / (knee * 0.10472)
    start = peak * (1.0 if single else 0.6)
    rated = power_kw * 1000.0 / (shape.rated_rpm * 0.10472)
    return (
        Vector2D(0.0, start),
        Vector2D(shape.flat_from * shape.rated_rpm, peak),
        Vector2D(knee, peak),
        Vector2D((knee + shape.rated_rpm) / 2, power_kw * 1000.0 / ((knee + shape.rated_rpm) / 2 * 0.10472)),
        Vector2D(shape.rated_rpm, rated),
        Vector2D(shape.rated_rpm * 1.15, rated * 0.75),
    )


WHEELS_PER_AXLE = 2
"""Of every vehicle: each wheel of a two-wheeler is a pair to clients."""


def default_physics(
    body: str, *, mass: float, power_kw: float, wheel_radius: float, electric: bool
) -> VehiclePhysicsControl:
    """Return the default physics control of a vehicle of style ``body``; wheel positions are left at zero."""
    shape = CLASSES["electric" if electric and body != "microcar" else body]
    max_rpm = shape.rated_rpm * 1.15
    top_rpm = 0.95 * max_rpm
    wheel_rpm = shape.top_speed_kmh / 3.6 / wheel_radius / 0.10472
    final = top_rpm / (wheel_rpm * shape.gears[-1])
    chassis = CLASSES[body]
    brake_nm = chassis.brake_mps2 * mass * wheel_radius
    front, rear = brake_nm * chassis.front_brake_share, brake_nm * (1.0 - chassis.front_brake_share)
    hand_nm = 0.45 * 9.81 * mass * wheel_radius / WHEELS_PER_AXLE
    front_wheel = WheelPhysicsControl(
        tire_friction=NOMINAL_TIRE_FRICTION,
        max_steer_angle=MAX_STEER_DEG,
        radius=wheel_radius * 100.0,
        max_brake_torque=round(front / WHEELS_PER_AXLE, 1),
        max_handbrake_torque=0.0,
    )
    rear_wheel = WheelPhysicsControl(
        tire_friction=NOMINAL_TIRE_FRICTION,
        max_steer_angle=0.0,
        radius=wheel_radius * 100.0,
        max_brake_torque=round(rear / WHEELS_PER_AXLE, 1),
        max_handbrake_torque=round(hand_nm, 1),
    )
    return VehiclePhysicsControl(
        torque_curve=torque_curve(power_kw, shape),
        max_rpm=max_rpm,
        gear_switch_time=0.0 if len(shape.gears) == 1 else (0.15 if body in ("motorcycle", "bicycle") else 0.3),
        final_ratio=round(final, 4),
        forward_gears=tuple(GearPhysicsControl(ratio, 0.35, 0.82) for ratio in shape.gears),
        mass=mass,
        # The client's figure has no area beside it: physics multiplies by the box's width x height.
        drag_coefficient=round(shape.cd * shape.fill, 4),
        steering_curve=STEERING_CURVE,
        wheels=(front_wheel,) * WHEELS_PER_AXLE + (rear_wheel,) * WHEELS_PER_AXLE,
    )


def _parse(line: str) -> VehicleSpec:
    name, base, body, generation, special, lights, doors, *numbers, wheels = line.split()
    length, width, height, cx, wheelbase, track, radius, mass, power = map(float, numbers)
    electric = special == "electric"
    count = int(wheels)
    paints = () if name == "tesla.cybertruck" else FIXED_PAINTS.get(name, PAINTS)
    return VehicleSpec(
        id=f"vehicle.{name}",
        base_type=base,
        body=body,
        length=length,
        width=width,
        height=height,
        center_x=cx,
        wheelbase=wheelbase,
        track=track,
        wheel_radius=radius,
        mass=mass,
        cg_height=CLASSES[body].cg_height,
        power_kw=power,
        generation=int(generation),
        special_type="" if special == "-" else special,
        has_lights=lights == "y",
        has_dynamic_doors=doors == "y",
        number_of_wheels=count,
        tags=TAGS[base],
        colors=paints,
        physics=default_physics(body, mass=mass, power_kw=power, wheel_radius=radius, electric=electric),
    )


VEHICLES: dict[str, VehicleSpec] = {
    spec.id: spec for spec in (_parse(line) for line in TABLE.strip().splitlines() if line.strip())
}
"""Vehicle specs by blueprint id."""

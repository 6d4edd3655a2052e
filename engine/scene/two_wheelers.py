"""Bicycles, motorcycles and scooters with their riders.

The machine is built in a right-handed frame and tagged BICYCLE or MOTORCYCLE, the rider RIDER. The rider's size is
solved so that the top of the helmet is the blueprint's height.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from engine.blueprints.specs import VehicleSpec, WalkerSpec
from engine.geometry import Box, Joint, Mesh
from engine.scene import materials as m
from engine.scene import people
from engine.scene.builder import Color, MeshBuilder
from engine.scene.gait import BALL_SHARE, HEEL_SHARE, WALKER_JOINTS, make_rig
from engine.scene.riders import STEERING_STOP_DEG, Machine, Seat, TwoWheelerRig
from engine.scene.rigs import ActorModel
from engine.scene.shapes import Floats, both_sides, box, ellipsoid, lathe, side_panel, tube, two_faced
from engine.scene.vehicles import paint_of
from engine.scene.wheels import TYRE, add_wheel
from foundation.ids import Tag
from foundation.seeds import generator

BLACK: Color = (26.0, 26.0, 28.0)
STEEL: Color = (150.0, 153.0, 158.0)
LEATHER: Color = (46.0, 38.0, 34.0)
STILL_JOINTS = ("wheel_rl", "crank", "pedal_l", "pedal_r")
"""Joints that steering does not move."""
MACHINE_JOINTS = ("fork", "wheel_fl", "wheel_rl", "crank", "pedal_l", "pedal_r")


BAR_TUCK_M = {"crossbike": 0.0, "omafiets": 0.004, "century": 0.012}
"""So much less than half the box's width bars reach to the side: their ends, which lie behind or before the steering
axis, come farther out when they turn. Others: 0.010."""
STEERED_DEG = tuple(share * STEERING_STOP_DEG for share in np.linspace(-1.0, 1.0, 19).tolist())


@dataclass(frozen=True)
class Frame:
    """Main points of a machine as (x, z), metres, right-handed frame centred on the box."""

    front: tuple[float, float]
    rear: tuple[float, float]
    radius: float
    head: tuple[float, float]
    bar: tuple[float, float]
    bracket: tuple[float, float]
    saddle: tuple[float, float]
    bar_half: float


def _frame(spec: VehicleSpec) -> Frame:
    """Return the points of a machine; wheels shrink where the blueprint's do not fit its own length."""
    fit = min(1.0, spec.length / (spec.wheelbase + 2.0 * spec.wheel_radius))
    r, half_base = spec.wheel_radius * fit, spec.wheelbase * fit / 2.0
    front_x = min(spec.axle_shift + half_base, spec.length / 2.0 - r)
    rear_x = max(front_x - 2.0 * half_base, -spec.length / 2.0 + r)
    upright = "omafiets" in spec.id
    bicycle = spec.base_type == "bicycle"
    if not bicycle:  # the mudguard over the front wheel is the foremost point of a motorcycle
        front_x = spec.length / 2.0 - r - (0.036 if "vespa" in spec.id else 0.031)
    elif upright:  # mudguards on both wheels
        half_base = min(half_base, spec.length / 2.0 - r - 0.026)
        front_x, rear_x = half_base, -half_base
    bar_z = spec.height * ((0.62 if upright else 0.575) if bicycle else 0.62)
    if spec.base_type == "motorcycle" and "vespa" not in spec.id:
        bar_z = spec.height * (0.62 if "harley" in spec.id else 0.60)
    back = 0.36 if bicycle else 0.42  # the fork leans back by about 20 to 25 degrees
    head_z = bar_z - (0.10 if bicycle else 0.12)
    head_x = front_x - (head_z - r) * back
    # Bars reach back as far as their ends, turned, stay within the box.
    reach = -0.04 if upright else -0.02 if bicycle else -0.12
    saddle_z = spec.height * ((0.484 if upright else 0.496) if bicycle else 0.50)
    middle = (front_x + rear_x) / 2.0
    return Frame(
        front=(front_x, r),
        rear=(rear_x, r),
        radius=r,
        head=(head_x, head_z),
        bar=(head_x + reach, bar_z),
        bracket=(middle - (0.06 if bicycle else 0.02), 0.28 if bicycle else r * 1.02),
        saddle=(rear_x + (0.27 if bicycle else 0.40), saddle_z),
        bar_half=spec.width / 2.0 - next((tuck for part, tuck in BAR_TUCK_M.items() if part in spec.id), 0.010),
    )


def two_wheeler_model(spec: VehicleSpec, color: tuple[int, int, int] | None, seed: int) -> ActorModel:
    """Return a bicycle or motorcycle with a rider on joints: fork, wheels, crank, pedals and the rider's thirteen."""
    paint, frame = paint_of(spec, color, seed), _frame(spec)
    machine = MeshBuilder(spec.tags[0])
    bicycle = spec.base_type == "bicycle"
    steering = np.array([frame.head[0] - frame.front[0], 0.0, frame.head[1] - frame.front[1]])
    steering /= np.linalg.norm(steering)
    machine.joint("fork", (frame.head[0], 0.0, frame.head[1]))
    machine.joint("wheel_fl", (frame.front[0], 0.0, frame.front[1]))
    machine.joint("wheel_rl", (frame.rear[0], 0.0, frame.rear[1]))
    machine.joint("crank", (frame.bracket[0], 0.0, frame.bracket[1]))
    pedal_y = 0.13
    for name, side in (("pedal_l", 1.0), ("pedal_r", -1.0)):
        machine.joint(name, (frame.bracket[0], side * pedal_y, frame.bracket[1]))
    if bicycle:
        _add_bicycle(machine, spec, frame, paint)
    elif "vespa" in spec.id:
        _add_scooter(machine, spec, frame, paint)
    else:
        _add_motorcycle(machine, spec, frame, paint)
    upright = "omafiets" in spec.id or "vespa" in spec.id
    lean = (0.16 if upright else 0.50) if bicycle else 0.12 if upright else 0.18 if "harley" in spec.id else 0.52
    grip_half = max(0.16, frame.bar_half - 0.05)
    seat = Seat(
        hips=(frame.saddle[0] + 0.03, frame.saddle[1] + 0.085),
        lean=lean,
        grips=((frame.bar[0], -grip_half, frame.bar[1] + 0.02), (frame.bar[0], grip_half, frame.bar[1] + 0.02)),
        crank=frame.bracket if bicycle else (frame.bracket[0] + (0.30 if upright else -0.12), frame.radius * 0.95),
        crank_m=0.16 if bicycle else 0.0,
    )
    parts = Machine(
        head=(frame.head[0], 0.0, frame.head[1]),
        axis=(float(steering[0]), 0.0, float(steering[2])),
        front=(frame.front[0], 0.0, frame.front[1]),
        rear=(frame.rear[0], 0.0, frame.rear[1]),
    )
    female = bool(generator(seed, "rider", spec.id, "gender").random() < 0.4)
    height = (spec.height - seat.hips[1]) / (0.49 * math.cos(lean * 0.8))
    for _ in range(12):
        # Two wishes at once: the helmet's top is the blueprint's height, and the hands reach the bar.
        rig = _seated(height, female, parts, seat)
        top, short = _helmet_top(rig, height, female, bicycle), _arm_gap(rig)
        if abs(top - spec.height) < 0.001 and short < 0.01:
            break
        height += (spec.height - top) / 0.47
        if short >= 0.01:
            seat = replace(seat, lean=min(seat.lean + short / (0.42 * height), 1.0))
    meshes = _rider_meshes(spec, seed, height, female)
    return _assembled(spec, machine, meshes, rig)


HELMETS: dict[bool, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    True: ((-0.02, 0.0, 0.78), (0.53, 0.43, 0.34)),
    False: ((-0.01, 0.0, 0.52), (0.60, 0.53, 0.62)),
}
"""Centre above the chin and radii of helmets, in heads; for bicycles (True) and motorcycles."""


def _seated(height: float, female: bool, parts: Machine, seat: Seat) -> TwoWheelerRig:
    """Return the rig of a rider of a height, without meshes."""
    bones = MeshBuilder(Tag.RIDER)
    figure = people.Figure.of(height, female)
    people.add_person_joints(bones, figure, 0.0)
    rig = make_rig(bones.joints, 0.0, BALL_SHARE * height, HEEL_SHARE * height)
    return TwoWheelerRig(parts, seat, replace(rig, height=height, ankle_z=figure.ankle), figure.forearm + 0.03 * height)


def _helmet_top(rig: TwoWheelerRig, height: float, female: bool, bicycle: bool) -> float:
    """Return the height of a seated rider's helmet, whose neck leans."""
    figure = people.Figure.of(height, female)
    center, radii = (np.array(values) * figure.head for values in HELMETS[bicycle])
    neck = rig.pose(0.0, 0.0)[len(MACHINE_JOINTS) + WALKER_JOINTS.index("neck")]
    above = center + np.array([0.004 * height, 0.0, 0.03 * height])  # from the neck joint, see add_person_joints
    return float((neck[:3, :3] @ above)[2] + neck[2, 3] + math.sqrt(((neck[2, :3] * radii) ** 2).sum()))


def _rider_meshes(spec: VehicleSpec, seed: int, height: float, female: bool) -> tuple[Mesh, ...]:
    """Return a rider's meshes, in their joints' frames."""
    bicycle = spec.base_type == "bicycle"
    walker = WalkerSpec(spec.id, height, 0.2, "adult", "female" if female else "male", 1, (0.0, 1.3, 2.6), 70.0)
    outfit = replace(
        people.outfit_of(walker, seed), skirt=False, backpack=None, cap=None, vest=None, jacket=not bicycle
    )
    builder = MeshBuilder(Tag.RIDER)
    figure = people.Figure.of(height, female)
    people.add_person_joints(builder, figure, 0.0)
    people.add_person(builder, figure, outfit, 0.0, Tag.RIDER)
    d, base = figure.head, np.array([0.0, 0.0, figure.chin])
    center, radii = (np.array(values) * d for values in HELMETS[bicycle])
    shade = people.TOPS[int(generator(seed, "helmet", spec.id).integers(len(people.TOPS)))]
    builder.add(ellipsoid(base + center, radii, 12, 8), m.CLOTH, shade, joint="neck", crease_deg=60.0)
    if not bicycle:
        visor = ellipsoid((0.22 * d, 0.0, figure.chin + 0.55 * d), (0.40 * d, 0.45 * d, 0.20 * d), 10, 4)
        builder.add(visor, m.CLOTH, BLACK, joint="neck", crease_deg=60.0)
    return builder.meshes()


def _arm_gap(rig: TwoWheelerRig) -> float:
    """Return by how many metres the arms are too short to reach the grips with slightly bent elbows."""
    body, seat = rig.body, rig.seat
    pose = rig.pose(0.0, 0.0)[len(MACHINE_JOINTS) :]
    shoulder = pose[WALKER_JOINTS.index("shoulder_l")][:3, 3]
    arm = float(-body.rest[WALKER_JOINTS.index("elbow_l")][2]) + rig.forearm
    return float(np.linalg.norm(np.array(seat.grips[0]) - shoulder)) - 0.97 * arm


def _moved(pose: Floats, points: npt.ArrayLike) -> Floats:
    return np.asarray(points, dtype=np.float64) @ pose[:3, :3].T + pose[:3, 3]


def _assembled(spec: VehicleSpec, machine: MeshBuilder, rider: tuple[Mesh, ...], rig: TwoWheelerRig) -> ActorModel:
    """Return machine and rider as one model whose joints rest in the riding pose."""
    shift = spec.center_x
    if shift:
        raise ValueError(f"{spec.id}: two-wheelers have their origin in the middle of the box")
    pose = rig.pose(0.0, 0.0)
    names = (*MACHINE_JOINTS, *WALKER_JOINTS)
    joints = tuple(Joint(name, "", pose[index]) for index, name in enumerate(names))
    meshes = (*machine.meshes(), *rider)
    index_of = {name: index for index, name in enumerate(names)}
    points = np.concatenate(
        [mesh.vertices if not mesh.joint else _moved(pose[index_of[mesh.joint]], mesh.vertices) for mesh in meshes]
    )
    low, high = points.min(axis=0), points.max(axis=0)
    # Bars and arms that turn stay inside the box.
    for angle in STEERED_DEG:
        turned = rig.pose(0.0, math.radians(angle))
        for mesh in meshes:
            if mesh.joint and mesh.joint not in STILL_JOINTS:
                points = _moved(turned[index_of[mesh.joint]], mesh.vertices)
                low, high = np.minimum(low, points.min(axis=0)), np.maximum(high, points.max(axis=0))
    center, extent = (low + high) / 2.0, (high - low) / 2.0
    enclosing = Box(
        (float(center[0]), float(center[1]), float(center[2])), (float(extent[0]), float(extent[1]), float(extent[2]))
    )
    return ActorModel(spec.id, meshes, enclosing, joints, rig)


def _pipe(points: list[tuple[float, float, float]], radius: float, sides: int = 6) -> Floats:
    return tube(points, [radius] * len(points), sides)


def _xz(point: tuple[float, float], y: float = 0.0) -> tuple[float, float, float]:
    return point[0], y, point[1]


def _add_bicycle(b: MeshBuilder, spec: VehicleSpec, f: Frame, paint: Color) -> None:
    upright = "omafiets" in spec.id
    rear, bracket, saddle, head = _xz(f.rear), _xz(f.bracket), _xz(f.saddle), _xz(f.head)
    seat_top = (saddle[0] + 0.03, 0.0, saddle[2] - 0.10)
    low_head = (head[0] + 0.05, 0.0, head[2] - 0.12)
    top_start = (bracket[0] - 0.04, 0.0, bracket[2] + 0.22) if upright else seat_top
    for line, thick in (
        ([bracket, seat_top], 0.019),
        ([low_head, bracket], 0.022),
        ([head, top_start], 0.018),
        ([head, low_head], 0.022),
    ):
        b.add(_pipe(line, thick), m.PAINT, paint, crease_deg=60.0)
    for y in (0.05, -0.05):
        wheel_side = (rear[0], y, rear[2])
        b.add(_pipe([(bracket[0], y * 0.6, bracket[2]), wheel_side], 0.011), m.PAINT, paint, crease_deg=60.0)
        b.add(_pipe([(seat_top[0], y * 0.4, seat_top[2]), wheel_side], 0.010), m.PAINT, paint, crease_deg=60.0)
    b.add(_pipe([seat_top, saddle], 0.014), m.METAL, STEEL)
    seat = tube(
        [
            (saddle[0] - 0.13, 0, saddle[2] + 0.01),
            (saddle[0] - 0.06, 0, saddle[2] + 0.015),
            (saddle[0] + 0.15, 0, saddle[2]),
        ],
        [(0.075, 0.022), (0.08, 0.026), (0.02, 0.014)],
    )
    b.add(seat, m.PLASTIC, LEATHER if upright else BLACK, crease_deg=60.0)
    _add_cranks(b, f)
    _add_fork(b, f, paint, 0.05)
    _add_bicycle_bar(b, spec, f)
    for name, center in (("wheel_fl", f.front), ("wheel_rl", f.rear)):
        _add_spoked_wheel(b, name, center, f.radius, 0.022 if not upright else 0.026)
    if upright:  # mudguards and a carrier
        b.add(_guard(f.front, f.radius + 0.02, -10.0, 170.0), m.PAINT, paint, joint="fork")
        b.add(_guard(f.rear, f.radius + 0.02, 10.0, 190.0), m.PAINT, paint)
        b.add(box((f.rear[0] - 0.02, 0.0, f.rear[1] * 2.0 + 0.08), (0.38, 0.14, 0.015)), m.METAL, BLACK)
    lamp = box((f.head[0] + 0.08, 0.0, f.head[1] - 0.02), (0.06, 0.06, 0.06))
    b.add(lamp, m.HEADLAMP, (230.0, 232.0, 235.0), joint="fork")
    b.add(box((f.saddle[0] - 0.07, 0.0, f.saddle[1] - 0.12), (0.03, 0.05, 0.06)), m.TAIL_LAMP, (160.0, 16.0, 16.0))


def _add_cranks(b: MeshBuilder, f: Frame) -> None:
    x, z = f.bracket
    b.add(
        lathe([(0, -0.01), (0.09, -0.01), (0.09, 0.0), (0, 0.0)], 14, (x, -0.055, z), axis="y"),
        m.METAL,
        STEEL,
        joint="crank",
    )
    for side in (1.0, -1.0):
        arm = box((x + side * 0.08, side * 0.075, z), (0.18, 0.02, 0.028))
        b.add(arm, m.METAL, STEEL, joint="crank")
        pedal = box((x, side * 0.13, z), (0.09, 0.09, 0.022))
        b.add(pedal, m.PLASTIC, BLACK, joint="pedal_l" if side > 0 else "pedal_r")
    chain_y = -0.05
    for dz in (0.085, -0.085):
        chain = _pipe([(x, chain_y, z + dz), (f.rear[0], chain_y, f.rear[1] + dz * 0.4)], 0.006, 4)
        b.add(chain, m.METAL, (70.0, 70.0, 72.0))


def _add_fork(b: MeshBuilder, f: Frame, paint: Color, half: float, thick: float = 0.013) -> None:
    crown = (f.front[0] * 0.42 + f.head[0] * 0.58, f.front[1] * 0.42 + f.head[1] * 0.58)
    over = f.front[1] + f.radius + 0.05
    if crown[1] < over:  # keep the crown above the tyre
        share = (over - f.front[1]) / (f.head[1] - f.front[1])
        crown = (f.front[0] + (f.head[0] - f.front[0]) * share, over)
    b.add(_pipe([_xz(crown), _xz(f.head)], thick * 1.6), m.PAINT, paint, joint="fork", crease_deg=60.0)
    for side in (1.0, -1.0):
        leg = [(crown[0], side * half, crown[1]), (f.front[0], side * half, f.front[1])]
        b.add(_pipe(leg, thick), m.PAINT, paint, joint="fork", crease_deg=60.0)
    b.add(box((crown[0], 0.0, crown[1]), (0.04, 2.0 * half + 0.02, 0.03)), m.PAINT, paint, joint="fork")


def _add_bicycle_bar(b: MeshBuilder, spec: VehicleSpec, f: Frame) -> None:
    (hx, hz), (x, z), half = f.head, f.bar, f.bar_half
    b.add(_pipe([(hx, 0, hz), (hx - 0.01, 0, z - 0.03), (x + 0.02, 0, z)], 0.014), m.METAL, STEEL, joint="fork")
    if "century" in spec.id:  # racing bar
        for s in (1.0, -1.0):
            out = s * (half - 0.013)
            hook = [
                (x, 0, z),
                (x, out * 0.9, z),
                (x + 0.07, out, z),
                (x + 0.09, out, z - 0.07),
                (x + 0.02, out, z - 0.12),
            ]
            b.add(_pipe(hook, 0.013), m.PLASTIC, BLACK, joint="fork", crease_deg=60.0)
        return
    back = -0.07 if "omafiets" in spec.id else -0.03
    for s in (1.0, -1.0):
        bar = [(x + 0.02, 0, z), (x, s * half * 0.55, z + 0.02), (x + back * 0.6, s * half * 0.8, z + 0.02)]
        b.add(_pipe(bar, 0.012), m.METAL, STEEL, joint="fork", crease_deg=60.0)
        grip = [(x + back * 0.5, s * (half - 0.12), z + 0.02), (x + back * 0.7, s * half, z + 0.02)]
        b.add(_pipe(grip, 0.018), m.PLASTIC, BLACK, joint="fork", crease_deg=60.0)


def _add_spoked_wheel(b: MeshBuilder, joint: str, center: tuple[float, float], radius: float, half: float) -> None:
    angle = np.linspace(-np.pi, np.pi, 7)[:-1]
    tyre = [(radius - half + half * math.cos(a), half * math.sin(a)) for a in angle]
    ring = lathe([*tyre, tyre[0]], 22, _xz(center), axis="y")
    b.add(ring, m.PLASTIC, TYRE, joint=joint, crease_deg=70.0)
    rim = radius - 2.0 * half
    for y in (0.012, -0.012):
        flat = lathe(
            [(rim - 0.015, y), (rim + 0.01, y)] if y > 0 else [(rim + 0.01, y), (rim - 0.015, y)],
            22,
            _xz(center),
            axis="y",
        )
        b.add(two_faced(flat), m.METAL, STEEL, joint=joint)
    spokes = []
    for k in range(14):
        a = 2.0 * math.pi * k / 14.0
        along = np.array([math.cos(a), 0.0, math.sin(a)])
        across = np.array([-math.sin(a), 0.0, math.cos(a)]) * 0.0035
        hub = np.array([0.0, 0.025 if k % 2 else -0.025, 0.0])
        spokes.append(np.stack([hub - across, along * rim, hub + across]))
    b.add(two_faced(np.stack(spokes) + np.array(_xz(center))), m.METAL, STEEL, joint=joint)
    hub_shape = lathe([(0, -0.035), (0.028, -0.035), (0.028, 0.035), (0, 0.035)], 8, _xz(center), axis="y")
    b.add(hub_shape, m.METAL, STEEL, joint=joint)


def _guard(center: tuple[float, float], radius: float, start_deg: float, end_deg: float, half: float = 0.028) -> Floats:
    angle = np.radians(np.linspace(start_deg, end_deg, 10))
    path = np.column_stack([center[0] + radius * np.cos(angle), np.zeros(10), center[1] + radius * np.sin(angle)])
    return tube(path, [(half, 0.006)] * 10, 6)


def _add_motorcycle(b: MeshBuilder, spec: VehicleSpec, f: Frame, paint: Color) -> None:
    cruiser = "harley" in spec.id
    (sx, sz), (hx, hz), (fx, _fz), (rx, rz) = f.saddle, f.head, f.front, f.rear
    for name, at in (("wheel_fl", f.front), ("wheel_rl", f.rear)):
        add_wheel(
            b,
            name,
            _xz(at),
            f.radius,
            0.13 if name == "wheel_fl" else 0.18,
            rim_share=0.62,
            spokes=5,
            rim_color=(120.0, 122.0, 126.0),
        )
    engine = box(((fx + rx) / 2.0 + 0.02, 0.0, rz + 0.06), (0.46, 0.30, 0.34), (0.8, 0.8))
    b.add(engine, m.METAL, (84.0, 86.0, 90.0))
    for k in range(4):
        b.add(
            box(((fx + rx) / 2 + 0.06, 0.0, rz + 0.14 + 0.04 * k), (0.34, 0.34, 0.014)), m.METAL, (110.0, 112.0, 116.0)
        )
    tank_x = (hx + sx) / 2.0 + 0.10
    b.add(ellipsoid((tank_x, 0.0, sz + 0.085), (0.30, 0.155, 0.125), 12, 7), m.PAINT, paint, crease_deg=60.0)
    seat = tube(
        [
            (sx + 0.26, 0, sz + 0.00),
            (sx + 0.05, 0, sz - 0.015),
            (sx - 0.18, 0, sz + 0.01),
            (rx - 0.06, 0, sz + (0.02 if cruiser else 0.08)),
        ],
        [(0.09, 0.05), (0.15, 0.06), (0.13, 0.055), (0.06, 0.03)],
        8,
    )
    b.add(seat, m.PLASTIC, LEATHER if cruiser else BLACK, crease_deg=60.0)
    b.add(
        _pipe(
            [(hx, 0, hz - 0.04), (tank_x, 0, sz - 0.02), (sx - 0.05, 0, sz - 0.10), (rx - 0.02, 0, sz - 0.03)], 0.035
        ),
        m.MATT,
        BLACK,
        crease_deg=60.0,
    )
    for side in (1.0, -1.0):
        b.add(_pipe([((fx + rx) / 2 - 0.1, side * 0.10, rz + 0.02), (rx, side * 0.11, rz)], 0.03), m.METAL, STEEL)
        b.add(_pipe([(sx - 0.10, side * 0.11, sz - 0.06), (rx, side * 0.12, rz)], 0.022), m.METAL, STEEL)
        b.add(box(((fx + rx) / 2 - 0.14, side * 0.20, f.radius * 0.86), (0.06, 0.12, 0.03)), m.PLASTIC, BLACK)
    pipe = [
        ((fx + rx) / 2 + 0.2, -0.15, rz),
        ((fx + rx) / 2, -0.17, rz * 0.55),
        (rx - 0.1, -0.19, rz * (0.6 if cruiser else 1.1)),
    ]
    b.add(tube(pipe, [0.03, 0.04, 0.055], 8), m.METAL, STEEL, crease_deg=60.0)
    _add_fork(b, f, STEEL, 0.10, 0.024)
    b.add(_guard(f.front, f.radius + 0.025, 15.0, 165.0, 0.075), m.PAINT, paint, joint="fork", crease_deg=60.0)
    b.add(_guard(f.rear, f.radius + 0.03, 40.0, 175.0, 0.09), m.PAINT, paint, crease_deg=60.0)
    _add_motor_bar(b, spec, f)
    lamp_at = (hx + (0.14 if cruiser else 0.22), hz - 0.02)
    if not cruiser:  # fairing and wind shield
        outline = [
            (hx + 0.27, hz - 0.05),
            (hx + 0.16, hz + 0.10),
            (hx - 0.02, hz + 0.05),
            (hx - 0.16, hz - 0.22),
            (tank_x + 0.02, rz + 0.20),
            (fx - 0.26, rz + 0.12),
            (fx - 0.14, hz - 0.25),
        ]
        for y_low, y_high in ((0.10, 0.17), (-0.17, -0.10)):
            b.add(side_panel(outline, y_low, y_high), m.PAINT, paint, crease_deg=40.0)
        b.add(
            ellipsoid((hx + 0.12, 0.0, hz - 0.04), (0.19, 0.165, 0.12), 10, 6),
            m.PAINT,
            paint,
            joint="",
            crease_deg=60.0,
        )
        shield = tube([(hx + 0.14, 0, hz + 0.02), (hx + 0.04, 0, hz + 0.16)], [(0.13, 0.06), (0.09, 0.02)], 8)
        b.add(shield, m.GLASS, (60.0, 70.0, 78.0), crease_deg=60.0)
        b.add(ellipsoid((rx + 0.02, 0.0, sz + 0.06), (0.22, 0.10, 0.07), 8, 5), m.PAINT, paint, crease_deg=60.0)
    b.add(
        ellipsoid(_xz(lamp_at), (0.09, 0.10, 0.09), 10, 6),
        m.HEADLAMP,
        (230.0, 232.0, 236.0),
        joint="fork" if cruiser else "",
        crease_deg=60.0,
    )
    tail_x = -spec.length / 2.0 + 0.025
    tail_z = sz - (0.06 if cruiser else -0.02)
    b.add(_pipe([(rx + 0.05, 0, sz - 0.02), (tail_x, 0, tail_z - 0.02)], 0.03), m.MATT, BLACK, crease_deg=60.0)
    _add_tail(b, tail_x, tail_z)


def _add_motor_bar(b: MeshBuilder, spec: VehicleSpec, f: Frame) -> None:
    (hx, hz), (x, z), half = f.head, f.bar, f.bar_half
    for s in (1.0, -1.0):
        bar = [(hx, s * 0.06, hz), (x + 0.02, s * half * 0.45, z), (x, s * (half - 0.12), z + 0.02)]
        b.add(_pipe(bar, 0.014), m.METAL, STEEL, joint="fork", crease_deg=60.0)
        b.add(
            _pipe([(x, s * (half - 0.13), z + 0.02), (x - 0.03, s * half, z + 0.01)], 0.02),
            m.PLASTIC,
            BLACK,
            joint="fork",
        )
        stalk = [(x + 0.02, s * half * 0.62, z + 0.02), (x + 0.05, s * half * 0.74, z + 0.12)]
        b.add(_pipe(stalk, 0.008, 4), m.METAL, BLACK, joint="fork")
        glass = ellipsoid((x + 0.05, s * half * 0.76, z + 0.15), (0.02, 0.06, 0.04), 8, 4)
        b.add(glass, m.PLASTIC, BLACK, joint="fork")
        blink = m.LEFT_BLINKER if s > 0 else m.RIGHT_BLINKER
        b.add(
            ellipsoid((hx + 0.08, s * 0.17, hz - 0.06), (0.035, 0.03, 0.03), 6, 4),
            blink,
            (230.0, 130.0, 20.0),
            joint="fork",
        )


def _add_tail(b: MeshBuilder, x: float, z: float) -> None:
    b.add(box((x, 0.0, z), (0.05, 0.16, 0.05)), m.TAIL_LAMP, (120.0, 12.0, 14.0))
    b.add(box((x, 0.0, z - 0.05), (0.05, 0.16, 0.04)), m.BRAKE_LAMP, (160.0, 16.0, 16.0))
    b.add(box((x - 0.01, 0.0, z - 0.16), (0.012, 0.20, 0.14)), m.MATT, (235.0, 235.0, 228.0))
    for s, blink in ((1.0, m.LEFT_BLINKER), (-1.0, m.RIGHT_BLINKER)):
        b.add(ellipsoid((x, s * 0.13, z - 0.04), (0.03, 0.03, 0.025), 6, 4), blink, (230.0, 130.0, 20.0))


def _add_scooter(b: MeshBuilder, spec: VehicleSpec, f: Frame, paint: Color) -> None:
    (sx, sz), (hx, hz), (_fx, _fz), (rx, rz) = f.saddle, f.head, f.front, f.rear
    for name, at in (("wheel_fl", f.front), ("wheel_rl", f.rear)):
        add_wheel(b, name, _xz(at), f.radius, 0.11, rim_share=0.55, spokes=5)
    rear = [
        (rx - 0.24, rz + 0.10),
        (rx - 0.20, sz - 0.12),
        (rx - 0.05, sz - 0.02),
        (sx + 0.30, sz - 0.02),
        (sx + 0.36, rz + 0.02),
        (rx + 0.30, rz - 0.02),
    ]
    b.add(side_panel(rear, -0.17, 0.17), m.PAINT, paint, crease_deg=40.0)
    cheek = ellipsoid((rx + 0.06, 0.17, rz + 0.16), (0.32, 0.10, 0.20), 10, 6)
    b.add(both_sides(cheek), m.PAINT, paint, crease_deg=60.0)
    floor_z = rz + 0.02
    b.add(box(((hx + sx) / 2 + 0.16, 0.0, floor_z), (0.62, 0.34, 0.06)), m.PLASTIC, BLACK)
    shield = tube(
        [(hx + 0.16, 0, floor_z), (hx + 0.10, 0, floor_z + 0.2), (hx + 0.03, 0, hz - 0.06)],
        [(0.20, 0.04), (0.21, 0.05), (0.12, 0.05)],
        10,
    )
    b.add(shield, m.PAINT, paint, crease_deg=60.0)
    seat = tube(
        [(sx + 0.26, 0, sz), (sx + 0.02, 0, sz + 0.0), (rx - 0.10, 0, sz + 0.01), (rx - 0.18, 0, sz)],
        [(0.08, 0.04), (0.15, 0.06), (0.13, 0.055), (0.05, 0.03)],
    )
    b.add(seat, m.PLASTIC, LEATHER, crease_deg=60.0)
    _add_fork(b, f, paint, 0.07, 0.02)
    b.add(_guard(f.front, f.radius + 0.03, 10.0, 170.0, 0.09), m.PAINT, paint, joint="fork", crease_deg=60.0)
    _add_motor_bar(b, spec, f)
    b.add(
        ellipsoid((hx + 0.02, 0.0, hz + 0.04), (0.12, 0.11, 0.09), 10, 6), m.PAINT, paint, joint="fork", crease_deg=60.0
    )
    b.add(
        ellipsoid((hx + 0.11, 0.0, hz + 0.04), (0.06, 0.07, 0.07), 8, 6),
        m.HEADLAMP,
        (230.0, 232.0, 236.0),
        joint="fork",
    )
    _add_tail(b, -spec.length / 2.0 + 0.03, sz - 0.10)

"""Lorries, fire engines and ambulances: a lofted cab and a body behind it; and the extras of service vehicles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.blueprints.specs import VehicleSpec
from engine.scene import cars
from engine.scene import materials as m
from engine.scene.builder import Color, MeshBuilder, shade
from engine.scene.car_styles import CAB, CREW_CAB, VAN, style_of
from engine.scene.shapes import box, grid, polygon, tube
from engine.scene.wheels import add_wheel

WHITE: Color = (232.0, 233.0, 233.0)
ALUMINIUM: Color = (158.0, 162.0, 166.0)
FRAME: Color = (34.0, 35.0, 38.0)
ORANGE: Color = (222.0, 98.0, 22.0)
BEACON_BLUE: Color = (40.0, 90.0, 220.0)


def add_heavy(builder: MeshBuilder, spec: VehicleSpec, paint: Color) -> None:
    """Add a lorry, a fire engine (crew cab, shutters, ladder) or an ambulance (van cab and box)."""
    emergency = spec.special_type == "emergency"
    van_cab = spec.base_type == "van"
    front_axle = spec.axle_shift + spec.wheelbase / 2.0
    rear_axle = spec.axle_shift - spec.wheelbase / 2.0
    if van_cab:
        style, cab, height = (
            replace(VAN, bonnet=0.24, screen=0.24, blind=((0.05, 0.30),), doors=(0.32, 0.94)),
            2.45,
            0.86,
        )
    elif emergency:
        style, cab, height = CREW_CAB, 2.75, 0.80
    else:
        style, cab, height = CAB, min(2.1, spec.length * 0.34), 0.92
    style = replace(style, clearance=min(style.clearance, spec.wheel_radius * 0.85))
    tail = spec.length / 2.0 - cab
    shell = cars.make_shell(spec, style, tail=tail, height=spec.height * height, axles=(front_axle,))
    cars.add_lower_body(builder, shell, paint)
    cars.add_greenhouse(builder, shell, paint, paint)
    cars.add_fittings(builder, shell, paint)
    cars.add_wheels(builder, shell, twin_rear=not van_cab)
    load = paint if emergency else _load_paint(spec, paint)
    _add_chassis(builder, spec, shell, tail, rear_axle)
    _add_box(builder, spec, shell, tail, load)
    if emergency and not van_cab:
        _add_fire_gear(builder, spec, shell, tail)
    elif van_cab:
        _add_stripes(builder, spec, shell, tail, ORANGE)
    elif spec.number_of_wheels > 4:
        _add_third_axle(builder, spec, shell, rear_axle)


def _load_paint(spec: VehicleSpec, paint: Color) -> Color:
    """Return the body's colour: drinks lorries are all one colour, others carry a white box."""
    return paint if "cola" in spec.id else WHITE


def _deck(spec: VehicleSpec) -> float:
    """Return the height of the load floor: above the wheels."""
    return spec.wheel_radius * 2.0 + 0.08


def _add_chassis(builder: MeshBuilder, spec: VehicleSpec, shell: cars.Shell, tail: float, rear_axle: float) -> None:
    rear = -spec.length / 2.0
    deck = _deck(spec)
    length = tail - rear
    middle = (tail + rear) / 2.0
    builder.add(box((middle, 0.0, deck - 0.12), (length - 0.02, 0.9, 0.22)), m.MATT, FRAME)
    # Mudguards above the rear wheels and a bumper bar low at the tail, with the lamps on it.
    bar = spec.wheel_radius + 0.05
    builder.add(box((rear + 0.06, 0.0, bar), (0.10, shell.half * 1.9, 0.14)), m.PLASTIC, FRAME)
    builder.add(box((rear + 0.3, 0.0, (bar + deck) / 2.0), (0.1, 0.5, deck - bar)), m.MATT, FRAME)
    for side, blinker in ((1.0, m.LEFT_BLINKER), (-1.0, m.RIGHT_BLINKER)):
        y = side * shell.half
        for offset, material, color in (
            (0.12, blinker, cars.LAMP_AMBER),
            (0.27, m.BRAKE_LAMP, cars.LAMP_RED),
            (0.42, m.TAIL_LAMP, cars.LAMP_DARK_RED),
            (0.56, m.REVERSE_LAMP, cars.LAMP_WHITE),
        ):
            builder.add(box((rear + 0.025, y - side * offset, bar + 0.01), (0.05, 0.14, 0.12)), material, color)
        low, high = spec.wheel_radius * 0.9, deck - 0.12
        first, last = rear_axle + spec.wheel_radius + 0.15, tail - 0.12
        if last - first > 0.5:  # side guard between the axles
            for z in (low + 0.1, high - 0.12):
                builder.add(box(((first + last) / 2, y - side * 0.08, z), (last - first, 0.04, 0.13)), m.PLASTIC, FRAME)
            tank = tube(
                [(first + 0.1, y - side * 0.42, low + 0.22), (last - 0.1, y - side * 0.42, low + 0.22)],
                [0.27, 0.27],
                10,
            )
            builder.add(tank, m.METAL, ALUMINIUM, crease_deg=50.0)
    builder.add(box((rear + 0.003, 0.0, bar + 0.13), (0.006, 0.52, 0.115)), m.MATT, cars.PLATE)


def _add_box(builder: MeshBuilder, spec: VehicleSpec, shell: cars.Shell, tail: float, color: Color) -> None:
    rear, deck, half = -spec.length / 2.0, _deck(spec), shell.half
    fire = spec.special_type == "emergency" and spec.base_type == "truck"
    top = spec.height * (0.90 if fire else 0.985 if spec.base_type == "van" else 1.0)
    size = (tail - rear - 0.10, 2.0 * half, top - deck)
    center = ((tail + rear) / 2.0 - 0.05, 0.0, (top + deck) / 2.0)
    # A body with softened long edges: a tube of eight corners along x.
    edge = 0.05
    outline = [
        (half, -1, 0),
        (half, 1, 0),
        (half - edge, 1, edge),
        (-(half - edge), 1, edge),
        (-half, 1, 0),
        (-half, -1, 0),
    ]
    section = np.array([(y, center[2] + s * (size[2] / 2.0 - edge) + e) for y, s, e in outline])
    back = np.column_stack([np.full(len(section), center[0] - size[0] / 2.0), section])
    front = np.column_stack([np.full(len(section), center[0] + size[0] / 2.0), section])

    builder.add(grid(np.stack([back, front]), closed=True), m.PAINT, color, crease_deg=50.0)
    builder.add(np.concatenate([polygon(back[::-1]), polygon(front)]), m.PAINT, color)
    trim = shade(color, 0.6)
    x = center[0] - size[0] / 2.0 - 0.004
    for y in (0.0, half * 0.93, -half * 0.93):
        builder.add(box((x, y, center[2]), (0.014, 0.03, size[2] * 0.94)), m.PLASTIC, trim)
    for y in (0.3, -0.3):
        builder.add(box((x, y, center[2]), (0.03, 0.03, size[2] * 0.9)), m.METAL, ALUMINIUM)
    for z in (deck - 0.01, top - 0.10):
        rail = box((center[0], 0.0, z + 0.02), (size[0] + 0.004, 2.0 * half + 0.012, 0.07))
        builder.add(rail, m.METAL, ALUMINIUM if not fire else WHITE)


def _add_third_axle(builder: MeshBuilder, spec: VehicleSpec, shell: cars.Shell, rear_axle: float) -> None:
    """Add the six-wheeler's second rear axle behind the first."""
    x = max(rear_axle - 2.0 * spec.wheel_radius - 0.12, -spec.length / 2.0 + spec.wheel_radius + 0.1)
    for name, side in (("wheel_xl", 1.0), ("wheel_xr", -1.0)):
        width = shell.style.tyre_width * 2.0
        at = (x, side * (shell.half * 0.985 - width / 2.0), spec.wheel_radius)
        builder.joint(name, at)
        add_wheel(builder, name, at, spec.wheel_radius, width, rim_share=shell.style.rim)


def _add_fire_gear(builder: MeshBuilder, spec: VehicleSpec, shell: cars.Shell, tail: float) -> None:
    rear, deck, half = -spec.length / 2.0, _deck(spec), shell.half
    top = spec.height * 0.90
    step = (tail - rear - 0.3) / 4.0
    for index in range(4):
        x = rear + 0.2 + step * (index + 0.5)
        for side in (1.0, -1.0):
            panel = box((x, side * half, (deck + top) / 2.0), (step - 0.12, 0.02, (top - deck) * 0.76))
            builder.add(panel, m.METAL, ALUMINIUM)
            for row in range(5):
                z = deck + (top - deck) * (0.18 + 0.15 * row)
                builder.add(
                    box((x, side * (half + 0.006), z), (step - 0.13, 0.016, 0.012)), m.METAL, (110.0, 113.0, 117.0)
                )
    length, height = tail - rear + 1.6, spec.height * 0.985
    for y in (-0.42, 0.42):
        builder.add(box((rear + 0.1 + length / 2.0, y, height), (length, 0.07, 0.10)), m.METAL, ALUMINIUM)
    for x in np.arange(rear + 0.3, rear + length, 0.36):
        builder.add(box((float(x), 0.0, height), (0.05, 0.84, 0.05)), m.METAL, ALUMINIUM)
    for x in (rear + 0.5, tail - 0.4):
        builder.add(box((x, 0.0, (top + height) / 2.0), (0.12, 0.7, height - top)), m.MATT, FRAME)
    _add_stripes(builder, spec, shell, tail, WHITE)


def _add_stripes(builder: MeshBuilder, spec: VehicleSpec, shell: cars.Shell, tail: float, color: Color) -> None:
    rear, z = -spec.length / 2.0, _deck(spec) + 0.42
    for side in (1.0, -1.0):
        stripe = box(((tail + rear) / 2.0 - 0.05, side * (shell.half + 0.002), z), (tail - rear - 0.12, 0.012, 0.20))
        builder.add(stripe, m.PAINT, color)


def add_bus_fittings(builder: MeshBuilder, spec: VehicleSpec, shell: cars.Shell) -> None:
    """Add two glazed double doors on the kerb side and lit destination displays in front and on the side."""
    style, half = shell.style, shell.half
    low, high = style.clearance + 0.12, spec.height * 0.76
    front_axle = max(shell.axles)
    front = (front_axle + shell.arch + 0.12, shell.nose - 0.42)
    middle = (0.1, 0.1 + 1.7)
    for start, end in (front, middle):
        center, wide = (start + end) / 2.0, end - start
        # Right-handed frame: the kerb side of right-hand traffic is -y.
        builder.add(box((center, -half, (low + high) / 2.0), (wide, 0.05, high - low)), m.PLASTIC, FRAME)
        for leaf in (-1.0, 1.0):
            pane = box(
                (center + leaf * wide * 0.245, -half - 0.012, (low + high) / 2.0),
                (wide * 0.42, 0.05, (high - low) * 0.88),
            )
            builder.add(pane, m.GLASS, cars.TINTED)
    top = spec.height * 0.86
    builder.add(box((shell.nose - 0.10, 0.0, top), (0.22, half * 1.3, 0.34)), m.PLASTIC, FRAME)
    for row in range(6):  # lit characters, as far as one can read them from across the street
        y = half * (0.5 - 0.2 * row)
        letter = box((shell.nose + 0.006, y, top), (0.012, half * 0.11, 0.2))
        builder.add(letter, m.LIT_SIGN, (250.0, 180.0, 60.0))


def roof_height(spec: VehicleSpec) -> float:
    """Return the height of the roof: the blueprint's, less what a police car or taxi carries on it."""
    if spec.base_type != "car":
        return spec.height
    return spec.height - {"emergency": 0.10, "taxi": 0.12}.get(spec.special_type, 0.0)


def add_service(builder: MeshBuilder, spec: VehicleSpec) -> None:
    """Add blue lights, police livery and taxi signs where the blueprint is a service vehicle's."""
    if spec.special_type == "emergency":
        heavy = spec.base_type != "car"
        roof = spec.height * (0.80 if spec.base_type == "truck" else 0.86 if heavy else 1.0) - 0.05
        x = spec.length / 2.0 - (1.0 if spec.base_type == "truck" else 1.75 if heavy else 0.50 * spec.length)
        width = spec.width * (0.55 if heavy else 0.52)
        height = 0.16 if heavy else 0.0
        base = roof + 0.03
        if not heavy:  # the blueprint's height includes the light bar
            base, height = spec.height - 0.115, 0.115
        builder.add(box((x, 0.0, base + height * 0.15), (0.26, width, height * 0.3)), m.PLASTIC, FRAME)
        for y in (-0.36, 0.36):
            lamp = box((x, y * width, base + height * 0.65), (0.24, width * 0.26, height * 0.7), (0.7, 0.9))
            builder.add(lamp, m.BEACON, BEACON_BLUE)
        builder.add(box((x, 0.0, base + height * 0.6), (0.2, width * 0.4, height * 0.6)), m.PLASTIC, WHITE)
        if not heavy:
            _add_livery(builder, spec)
    if spec.special_type == "taxi":
        sign = box((-0.05 * spec.length, 0.0, spec.height - 0.065), (0.22, 0.62, 0.13), (0.6, 0.92))
        builder.add(sign, m.LIT_SIGN, (250.0, 236.0, 170.0))
        for end in (-1.0, 1.0):
            face = box((-0.05 * spec.length + end * 0.085, 0.0, spec.height - 0.07), (0.05, 0.4, 0.035))
            builder.add(face, m.PLASTIC, FRAME)


def _add_livery(builder: MeshBuilder, spec: VehicleSpec) -> None:
    """Add white door panels to a police car, following the widest line of the body."""
    style = cars.make_shell(spec, style_of(spec))
    half = style.half
    for side in (1.0, -1.0):
        x = (style.cowl + style.rear_foot) / 2.0 + 0.1
        panel = box((x, side * (half + 0.001), spec.height * 0.40), (1.75, 0.012, spec.height * 0.20))
        builder.add(panel, m.PAINT, WHITE)
        builder.add(
            box((x, side * (half + 0.006), spec.height * 0.40), (1.0, 0.012, 0.09)), m.PAINT, (30.0, 50.0, 120.0)
        )

"""Closed vehicles (cars, vans, buses, lorry cabs) lofted from a side profile and cross-sections.

The lower body is a stack of horizontal rings. Ring ``k`` runs around the vehicle at a share of the local deck
height (bonnet, belt line, boot), drawn in by a width factor and a nose and tail inset; wheel arches push the rings
up. The greenhouse is a second stack from the belt line to the roof, whose quads become glass or pillar. Only the
left half is modelled; the right half is its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from engine.blueprints.specs import VehicleSpec
from engine.geometry import Material
from engine.scene import doors
from engine.scene import materials as m
from engine.scene.builder import Color, MeshBuilder
from engine.scene.car_styles import RING_NOSE, RING_TAIL, BodyStyle
from engine.scene.shapes import Floats, box, grid, mirrored
from engine.scene.wheels import WHEEL_JOINTS, add_wheel

DARK: Color = (20.0, 20.0, 22.0)
TINTED: Color = (30.0, 38.0, 45.0)
CHROME: Color = (190.0, 193.0, 198.0)
LAMP_WHITE: Color = (225.0, 232.0, 238.0)
LAMP_RED: Color = (150.0, 14.0, 16.0)
LAMP_DARK_RED: Color = (105.0, 10.0, 14.0)
LAMP_AMBER: Color = (222.0, 120.0, 20.0)
PLATE: Color = (235.0, 235.0, 228.0)

BODY, GREENHOUSE, ROOF_GROUP = 1, 2, 3
NOSE_COLUMNS = 8
LINE_M = 0.008
"""Half width of a door gap."""


@dataclass
class Shell:
    """The measures that the parts of one vehicle share. Metres, right-handed, x from the box's centre.

    Attributes:
        height: of the roof.
        nose, tail: x of the two ends.
        half: half width of the body without mirrors.
        cowl, rear_foot: x where windscreen and rear window start.
        axles: x of the axles under this body.
        arch: radius of the wheel arch.
        columns: (C,) x of the side columns, rear to front.
    """

    style: BodyStyle
    spec: VehicleSpec
    height: float
    nose: float
    tail: float
    half: float
    cowl: float
    rear_foot: float
    axles: tuple[float, ...]
    arch: float
    columns: Floats
    gaps: tuple[float, ...]

    def __post_init__(self) -> None:
        style, height = self.style, self.height
        points = [
            (self.tail, style.tail_height * height),
            (self.rear_foot, style.rear_belt * height),
            (self.cowl, style.cowl_height * height),
            (
                self.cowl * 0.35 + self.nose * 0.65,
                (0.35 * style.cowl_height + 0.65 * style.nose_height) * height + 0.03,
            ),
            (self.nose, style.nose_height * height),
        ]
        # Where there is no bonnet or no boot, the feet coincide with the ends: keep abscissas apart.
        x = np.array([p[0] for p in points])
        for i in range(1, len(x)):
            x[i] = max(x[i], x[i - 1] + 0.02)
        self._deck = PchipInterpolator(x, [p[1] for p in points])

    def deck(self, x: Floats) -> Floats:
        """Return the height of bonnet, belt line or boot at x."""
        low, high = self._deck.x[0], self._deck.x[-1]
        return np.asarray(self._deck(np.clip(x, low, high)))

    def floor(self, x: Floats) -> Floats:
        """Return the height of sills and underside at x: they rise behind and before the axles, as bumpers do."""
        front, rear = self.style.overhang_rise
        ahead = (x - max(self.axles)) / max(self.nose - max(self.axles), 0.1)
        behind = (min(self.axles) - x) / max(min(self.axles) - self.tail, 0.1)
        return self.style.clearance + front * ahead.clip(0.0, 1.0) ** 0.7 + rear * behind.clip(0.0, 1.0) ** 0.7

    def arch_height(self, x: Floats) -> Floats:
        """Return how high the wheel arches reach at x, zero elsewhere."""
        height = np.zeros_like(x)
        for axle in self.axles:
            inside = self.arch**2 - (x - axle) ** 2
            height = np.maximum(height, np.where(inside > -1e-9, self.spec.wheel_radius + np.sqrt(inside.clip(0)), 0))
        return height


def make_shell(
    spec: VehicleSpec,
    style: BodyStyle,
    *,
    tail: float | None = None,
    height: float | None = None,
    axles: tuple[float, ...] | None = None,
) -> Shell:
    """Return the common measures of a vehicle of this style, or of its cab alone.

    Args:
        spec: the blueprint.
        style: its proportions; shares of length and height are of the part that is lofted.
        tail, height, axles: of a cab that ends before the vehicle does; by default the whole vehicle's.
    """
    nose, tail = spec.length / 2.0, -spec.length / 2.0 if tail is None else tail
    height = spec.height if height is None else height
    length = nose - tail
    mirror = 0.0 if style.mirrors == 0.0 else min(max((spec.width - 1.76) / 2.0, 0.06), style.mirrors)
    half = spec.width / 2.0 - mirror
    if axles is None:
        axles = (spec.axle_shift - spec.wheelbase / 2.0, spec.axle_shift + spec.wheelbase / 2.0)
    arch = spec.wheel_radius + style.arch_gap
    corner_front = min(nose - 0.10, max(max(axles) + arch + 0.03, nose - style.nose_depth))
    corner_rear = max(tail + 0.08, min(min(axles) - arch - 0.03, tail + style.tail_depth))
    cowl, rear_foot = nose - style.bonnet * length, tail + style.boot * length
    gaps = tuple(rear_foot + (cowl - rear_foot) * share for share in style.doors)
    columns = [corner_rear, corner_front, cowl - 0.02, rear_foot + 0.02]
    for axle in axles:
        columns += list(axle + arch * np.cos(np.linspace(0.0, np.pi, 11)))
    for gap in gaps:
        columns += [gap - LINE_M, gap + LINE_M]
    columns = sorted(c for c in columns if corner_rear <= c <= corner_front)
    kept = [columns[0]]
    for column in columns[1:]:
        if column - kept[-1] < 0.004:
            continue
        steps = int((column - kept[-1]) / 0.45)
        kept += list(np.linspace(kept[-1], column, steps + 2)[1:-1])
        kept.append(column)
    return Shell(style, spec, height, nose, tail, half, cowl, rear_foot, axles, arch, np.array(kept), gaps)


def ring_outline(shell: Shell, half: float, nose_inset: float, tail_inset: float) -> Floats:
    """Return (C, 2) x and y of the left half of a ring, from the tail's centre to the nose's centre.

    The corners are superellipses, so that a ring is blunt at the ends and parallel along the sides.
    """
    style = shell.style
    angle = np.linspace(0.0, np.pi / 2.0, NOSE_COLUMNS + 1)[1:]
    cos, sin = np.cos(angle).clip(0.0), np.sin(angle)

    def corner(start: float, end: float, power: float) -> Floats:
        return np.column_stack([start + (end - start) * sin ** (2.0 / power), half * cos ** (2.0 / power)])

    front = corner(shell.columns[-1], shell.nose - nose_inset, style.nose_power)
    rear = corner(shell.columns[0], shell.tail + tail_inset, style.tail_power)[::-1]
    side = np.column_stack([shell.columns, np.full(len(shell.columns), half)])
    return np.concatenate([rear, side, front])


def body_rings(shell: Shell) -> Floats:
    """Return (K, C, 3) points of the lower body's left half, bottom ring first."""
    style = shell.style
    rings = []
    for share, width, nose, tail in zip(style.ring_share, style.ring_width, RING_NOSE, RING_TAIL):
        flat = ring_outline(shell, shell.half * width, nose * style.nose_slant, tail * style.tail_slant)
        deck = shell.deck(flat[:, 0])
        floor = shell.floor(flat[:, 0])
        z = floor + share * (deck - floor)
        z = np.maximum(z, np.minimum(shell.arch_height(flat[:, 0]), deck - 0.04 * (1.0 - share)))
        rings.append(np.column_stack([flat, z]))
    return np.stack(rings)


def add_lower_body(builder: MeshBuilder, shell: Shell, paint: Color) -> None:
    """Add sides, bumpers, lamps, bonnet, boot lid, floor and wheel wells."""
    rings = body_rings(shell)
    style, count = shell.style, rings.shape[1]
    x = (rings[-3, 1:, 0] + rings[-3, :-1, 0]) / 2.0
    y_share = (rings[2, 1:, 1] + rings[2, :-1, 1]) / 2.0 / shell.half
    rear = np.arange(count - 1) < NOSE_COLUMNS
    front = np.arange(count - 1) >= count - 1 - NOSE_COLUMNS
    kind = np.zeros((len(rings) - 1, count - 1), dtype=np.int64)  # 0 paint
    gap = np.zeros(count - 1, dtype=bool)
    for line in shell.gaps:
        gap |= np.abs(x - line) < LINE_M * 0.9
    kind[1:, gap] = 1
    kind[0] = 1  # sill and the lower edge of the bumpers
    kind[1, front & (y_share < style.intake)] = 1
    kind[1, rear & (y_share < style.diffuser)] = 1
    kind[2:4, front & (y_share < style.grille)] = 1
    lamp = front & (y_share > style.lamp_from)
    for row in style.lamp_rows:
        kind[row, lamp] = 2
        kind[row, front & (y_share > 0.985)] = 3
    tail = rear & (y_share > style.tail_lamp_from)
    rows = style.tail_lamp_rows
    for place, row in enumerate(rows):
        kind[row, tail] = 5 if place == 0 else 4
    kind[rows[0], rear & (y_share > style.tail_lamp_from - 0.14) & ~tail] = 6
    kind[rows[-1], rear & (y_share > 0.985)] = 7
    looks: list[tuple[Material, Material, Color]] = [
        (m.PAINT, m.PAINT, paint),
        (m.PLASTIC, m.PLASTIC, DARK),
        (m.HEADLAMP, m.HEADLAMP, LAMP_WHITE),
        (m.LEFT_BLINKER, m.RIGHT_BLINKER, LAMP_AMBER),
        (m.TAIL_LAMP, m.TAIL_LAMP, LAMP_DARK_RED),
        (m.BRAKE_LAMP, m.BRAKE_LAMP, LAMP_RED),
        (m.REVERSE_LAMP, m.REVERSE_LAMP, LAMP_WHITE),
        (m.LEFT_BLINKER, m.RIGHT_BLINKER, LAMP_AMBER),
    ]
    doors.add_hinges(builder, shell)
    sides = ~(front | rear)
    above_sill = np.arange(len(kind)) > 0
    cells = [(door, np.outer(above_sill, sides & door.columns(x))) for door in doors.doors_of(shell)]
    for index, (left, right, color) in enumerate(looks):
        _add_panels(builder, rings, kind == index, cells, (left, right), color, BODY, 45.0)
    doors.add_cabin(builder, shell)
    _add_deck(builder, shell, rings[-1], paint)
    _add_floor(builder, shell, rings[0])
    for axle in shell.axles:
        _add_well(builder, shell, axle)


def _add_panels(
    builder: MeshBuilder,
    points: Floats,
    mask: npt.NDArray[np.bool_],
    cells: list[tuple[doors.Door, npt.NDArray[np.bool_]]],
    materials: tuple[Material, Material],
    color: Color,
    group: int,
    crease_deg: float,
) -> None:
    """Add the cells of a left half and their mirror image, those of doors on the doors' joints.

    Columns run rear to front on the +y side, rows upwards; (forward) x (up) points to -y, so reverse.
    """
    left, right = materials
    rest = mask.copy()
    for door, belongs in cells:
        part = grid(points, mask=mask & belongs)[:, ::-1]
        rest &= ~belongs
        for panel, material, is_left in ((part, left, True), (mirrored(part), right, False)):
            joint = doors.joint_of(door, is_left)
            builder.add(panel, material, color, group=group, crease_deg=crease_deg, joint=joint)
            builder.add(doors.lining(panel, is_left), m.PLASTIC, doors.LINING, crease_deg=crease_deg, joint=joint)
    half = grid(points, mask=rest)[:, ::-1]
    builder.add(half, left, color, group=group, crease_deg=crease_deg)
    builder.add(mirrored(half), right, color, group=group, crease_deg=crease_deg)


def _add_deck(builder: MeshBuilder, shell: Shell, edge: Floats, paint: Color) -> None:
    """Add bonnet and boot lid inside the top ring, slightly crowned."""
    share = np.array([1.0, 0.8, 0.4, 0.0])
    lids = []
    if shell.nose - shell.cowl > 0.1:
        lids.append(edge[edge[:, 0] > shell.cowl - 0.06])
    if shell.rear_foot - shell.tail > 0.1:
        lids.append(edge[edge[:, 0] < shell.rear_foot + 0.06])
    for lid in lids:
        crown = shell.style.crown * np.minimum(1.0, lid[:, 1] / shell.half)
        rows = [np.column_stack([lid[:, 0], lid[:, 1] * s, lid[:, 2] + crown * (1.0 - s**2)]) for s in share]
        half = grid(np.stack(rows))[:, ::-1]
        builder.add(half, m.PAINT, paint, group=BODY, crease_deg=45.0)
        builder.add(mirrored(half), m.PAINT, paint, group=BODY, crease_deg=45.0)


def _add_floor(builder: MeshBuilder, shell: Shell, edge: Floats) -> None:
    """Add the dark underside, narrower where the wheels are."""
    inner = np.where(shell.arch_height(edge[:, 0]) > 0.0, np.minimum(edge[:, 1], _inner(shell)), edge[:, 1])
    height = shell.floor(edge[:, 0])
    rows = np.stack(
        [np.column_stack([edge[:, 0], inner, height]), np.column_stack([edge[:, 0], np.zeros(len(edge)), height])]
    )
    half = grid(rows)
    builder.add(half, m.MATT, DARK)
    builder.add(mirrored(half), m.MATT, DARK)


def _inner(shell: Shell) -> float:
    """Return the half distance between the inner walls of the wheel wells."""
    return max(0.15, shell.spec.track / 2.0 - shell.style.tyre_width * 0.8)


def _add_well(builder: MeshBuilder, shell: Shell, axle: float) -> None:
    """Add the dark hollow around a wheel."""
    angle = np.linspace(0.0, np.pi, 11)
    x, z = axle + shell.arch * np.cos(angle), shell.spec.wheel_radius + shell.arch * np.sin(angle)
    outer, inner = shell.half * 0.955, _inner(shell)
    z = np.minimum(z, shell.deck(x) - 0.03)
    rim = np.column_stack([x, np.full(len(x), outer), z])
    deep = np.column_stack([x, np.full(len(x), inner), z])
    foot = np.column_stack([x, np.full(len(x), inner), shell.floor(x)])
    liner = grid(np.stack([rim, deep]))[:, ::-1]
    wall = grid(np.stack([foot, deep]))
    for part in (liner, wall):
        builder.add(part, m.MATT, (12.0, 12.0, 13.0), crease_deg=10.0)
        builder.add(mirrored(part), m.MATT, (12.0, 12.0, 13.0), crease_deg=10.0)


def greenhouse_columns(shell: Shell) -> tuple[Floats, list[str]]:
    """Return the side columns of the greenhouse as shares from its rear (0) to its front (1), and what lies between.

    Between two columns lies "glass", "pillar" (painted) or "post" (black).
    """
    spans: list[tuple[float, float, str]] = [(0.0, shell.style.rear_pillar, "pillar")]
    length = max(shell.cowl - shell.rear_foot, 0.5)
    width = shell.style.post_width / length / 2.0
    for share in shell.style.posts:
        spans.append((share - width, share + width, shell.style.post_kind))
    for low, high in shell.style.blind:
        spans.append((low, high, "pillar"))
    spans.sort()
    edges, kinds = [0.0], []
    for low, high, kind in spans:
        if low > edges[-1] + 1e-6:
            edges.append(low)
            kinds.append("glass")
        if high > edges[-1] + 1e-6:
            edges.append(high)
            kinds.append(kind)
    if edges[-1] < 1.0 - 1e-6:
        edges.append(1.0)
        kinds.append("glass")
    return np.array(edges), kinds


def add_greenhouse(builder: MeshBuilder, shell: Shell, paint: Color, roof_paint: Color) -> None:
    """Add windows, pillars and roof."""
    style = shell.style
    top, length = shell.height * style.roof_top, shell.nose - shell.tail
    shares, kinds = greenhouse_columns(shell)
    front_x = (shell.cowl, shell.cowl - style.screen * length)
    rear_x = (shell.rear_foot, shell.rear_foot + style.rear_screen * length)
    belt_half, roof_half = shell.half * style.ring_width[-1], shell.half * style.roof_width
    window = style.window_top
    levels = np.array([0.0, style.window_bottom, 0.5 * window, window, window + 0.5 * (1.0 - window), 1.0])
    angle = np.linspace(0.0, np.pi / 2.0, 6)[1:]
    rows = []
    for level in levels:
        front, rear = (np.interp(level, [0, 1], pair) for pair in (front_x, rear_x))
        bulge = 1.0 + style.barrel * level * (1.0 - level)
        half = np.interp(level, [0, 1], [belt_half, roof_half]) * bulge
        if level > 0.95:
            half, front, rear = half - 0.035, front - 0.05, rear + 0.03
        depth_front, depth_rear = (np.interp(level, [0, 1], pair) for pair in (style.screen_bow, style.rear_bow))
        side_x = rear + depth_rear + shares * (front - depth_front - rear - depth_rear)
        cos, sin = np.cos(angle).clip(0.0) ** 0.8, np.sin(angle) ** 0.8
        flat = np.concatenate(
            [
                np.column_stack([rear + depth_rear - depth_rear * sin, half * cos])[::-1],
                np.column_stack([side_x, np.full(len(side_x), half)]),
                np.column_stack([front - depth_front + depth_front * sin, half * cos]),
            ]
        )
        base = shell.deck(flat[:, 0]) - 0.012
        rim = top - style.roof_edge
        rows.append(np.column_stack([flat, base + (rim - base) * level]))
    points = np.stack(rows)
    last = len(angle)
    column_kinds = [style.rear_glass] * (last - 1) + ["pillar"] + kinds + ["pillar"] + ["glass"] * (last - 1)
    kind = np.zeros((len(levels) - 1, points.shape[1] - 1), dtype=np.int64)
    for column, name in enumerate(column_kinds):
        if name == "glass":
            kind[1:3, column] = 1
        elif name == "post":
            kind[1:3, column] = 2
    looks: list[tuple[Material, Color, int]] = [
        (m.PAINT, paint, GREENHOUSE),
        (m.GLASS, TINTED, GREENHOUSE),
        (m.PLASTIC, DARK, GREENHOUSE),
    ]
    columns = points[0, :, 0]
    below_roof = np.arange(len(kind)) < 3
    sides = np.array([name == "glass" for name in column_kinds])
    sides[:last], sides[-last:] = False, False
    middle = (columns[1:] + columns[:-1]) / 2.0
    cells = [(door, np.outer(below_roof, sides & door.columns(middle))) for door in doors.doors_of(shell)]
    for index, (material, color, group) in enumerate(looks):
        shade = roof_paint if index == 0 and roof_paint != paint else color
        _add_panels(builder, points, kind == index, cells, (material, material), shade, group, 40.0)
    _add_roof(builder, points[-1], top, roof_paint)


def _add_roof(builder: MeshBuilder, edge: Floats, top: float, paint: Color) -> None:
    """Add the crowned roof inside the greenhouse's top ring."""
    middle = (edge[:, 0].min() + edge[:, 0].max()) / 2.0
    rows = []
    for share in (1.0, 0.86, 0.5, 0.0):
        z = edge[:, 2] + (top - edge[:, 2]) * (1.0 - share**2)
        rows.append(np.column_stack([middle + (edge[:, 0] - middle) * share, edge[:, 1] * share, z]))
    half = grid(np.stack(rows))[:, ::-1]
    builder.add(half, m.PAINT, paint, group=GREENHOUSE, crease_deg=40.0)
    builder.add(mirrored(half), m.PAINT, paint, group=GREENHOUSE, crease_deg=40.0)


def add_fittings(builder: MeshBuilder, shell: Shell, paint: Color) -> None:
    """Add mirrors, number plates, door handles and wipers' shadow line."""
    spec, style = shell.spec, shell.style
    if style.mirrors > 0.0:
        x, z = (
            min(shell.cowl - style.mirror_back, shell.nose - 0.055),
            float(shell.deck(np.array([shell.cowl]))[0]) + style.mirror_up,
        )
        inner = shell.half * style.ring_width[-1] - 0.03
        outer = spec.width / 2.0
        size = (0.10, min(0.20, max(outer - shell.half + 0.05, 0.10)), style.mirror_height)
        for side, color in ((1.0, paint), (-1.0, paint)):
            builder.add(box((x, side * (outer - size[1] / 2.0), z), size, (0.8, 0.9)), m.PAINT, color)
            glass_at = (x - 0.052, side * (outer - size[1] / 2.0), z)
            builder.add(box(glass_at, (0.006, size[1] * 0.8, size[2] * 0.7)), m.GLASS, (120.0, 130.0, 140.0))
            arm = (x + 0.01, side * (inner + outer - size[1]) / 2.0, z - size[2] * 0.3)
            builder.add(box(arm, (0.04, max(outer - size[1] - inner, 0.02) + 0.04, 0.03)), m.PLASTIC, DARK)
    for end, edge, level in ((1.0, shell.nose, style.plate_height), (-1.0, shell.tail, style.rear_plate)):
        if edge == shell.tail and shell.tail > -spec.length / 2.0:
            continue  # a cab: the plate is on the body behind it
        lowest = float(shell.floor(np.array([edge]))[0]) + 0.17
        at = (edge - end * 0.011, 0.0, max(level * shell.height, lowest))
        builder.add(box(at, (0.022, 0.52, 0.115)), m.MATT, PLATE)
        builder.add(box((at[0] + end * 0.0005, 0.0, at[2]), (0.022, 0.40, 0.06)), m.MATT, (35.0, 38.0, 50.0))
    for gap in shell.gaps:
        x = gap + style.handle_ahead
        if any(abs(x - axle) < shell.arch for axle in shell.axles) or not shell.rear_foot < x < shell.cowl:
            continue
        z = float(shell.deck(np.array([x]))[0]) - 0.14 * (shell.height - style.clearance) ** 0.5
        on = next((door for door in doors.doors_of(shell) if door.rear < x < door.front), None)
        for side in (1.0, -1.0):
            joint = doors.joint_of(on, side > 0.0) if on else ""
            builder.add(box((x, side * shell.half * 0.992, z), (0.17, 0.035, 0.03)), m.METAL, CHROME, joint=joint)


def add_wheels(builder: MeshBuilder, shell: Shell, twin_rear: bool = False) -> None:
    """Add four wheels on joints ``wheel_fl`` ... ``wheel_rr`` where the blueprint puts them."""
    spec = shell.spec
    for name, (x, y, z) in zip(WHEEL_JOINTS, spec.wheel_positions):
        left = -y
        # The tyre's outer face stays just inside the arch lip, also on bodies wider than the track suggests.
        width = shell.style.tyre_width * (2.0 if twin_rear and name.startswith("wheel_r") else 1.0)
        outer = min(abs(left) + width / 2.0 + 0.05, shell.half * 0.985)
        at = (x - spec.center_x, float(np.sign(left)) * (outer - width / 2.0), z)
        builder.joint(name, at)
        add_wheel(builder, name, at, spec.wheel_radius, width, rim_share=shell.style.rim, spokes=shell.style.spokes)

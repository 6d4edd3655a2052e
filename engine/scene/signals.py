"""Traffic lights and signs: where they stand, what they rule, and what they look like.

Lights and signs are actors; their models face +y of their own frame (right of forward), because CARLA turns them by
90 degrees: an actor's yaw is the direction of the traffic it rules, plus 90.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from engine.geometry import Box, Model, SignalSpec
from engine.scene import materials as m
from engine.scene.builder import Color, MeshBuilder
from engine.scene.shapes import Floats, box, grid, lathe, polygon, two_faced
from foundation.frames import carla_rotation
from foundation.ids import Tag
from scenarios.opendrive import PlacedSignal, RoadNetwork, TriggerBox, trigger_boxes
from scenarios.opendrive import signals as placed_signals

LIGHT_TYPES = frozenset({"1000001", "1000002", *(str(n) for n in range(1000007, 1000021)), "F", "W", "A"})
"""Signal types that CARLA's traffic light manager takes for traffic lights."""

GREY: Color = (96.0, 100.0, 104.0)
BLACK: Color = (24.0, 25.0, 27.0)
WHITE: Color = (238.0, 238.0, 234.0)
RED: Color = (196.0, 22.0, 26.0)
YELLOW: Color = (236.0, 188.0, 30.0)
BLUE: Color = (22.0, 74.0, 156.0)
GREEN: Color = (20.0, 108.0, 62.0)


def kind_of(signal: PlacedSignal) -> str | None:
    """Return the actor type of a signal, or None where CARLA's server makes none.

    Lights count when a controller switches them, or on roads outside junctions; upright signs of other types are
    ``traffic.unknown``; marks on the road are none.
    """
    if signal.type in LIGHT_TYPES:
        return "traffic.traffic_light" if signal.controllers or not signal.junction else None
    if signal.type == "206":
        return "traffic.stop"
    if signal.type == "205":
        return "traffic.yield"
    limit = signal.speed_limit_kmh
    if limit is not None:
        return f"traffic.speed_limit.{round(limit)}"
    upright = signal.record.z_offset > 0.5 or signal.record.height > 0.3
    return "traffic.unknown" if upright else None


def signal_specs(network: RoadNetwork) -> tuple[tuple[PlacedSignal, ...], tuple[SignalSpec, ...]]:
    """Return the signals that become actors, and their specs, in file order."""
    kept, specs = [], []
    for signal in placed_signals(network):
        kind = kind_of(signal)
        if kind is None:
            continue
        boxes = trigger_boxes(network, signal)
        _, yaw, _ = carla_rotation(_facing(signal, boxes))
        x, y, z = _foot(network, signal)
        kept.append(signal)
        specs.append(
            SignalSpec(
                signal_id=signal.id,
                kind=kind,
                location=(x, -y, z),
                rotation=(0.0, (yaw + 90.0 + 180.0) % 360.0 - 180.0, 0.0),
                trigger_boxes=tuple(_carla_box(b, kind) for b in boxes),
                group=signal.junction,
                controller=signal.controllers[0] if signal.controllers else "",
                value=float(signal.speed_limit_kmh or 0.0),
                face=_face(signal, kind),
            )
        )
    return tuple(kept), tuple(specs)


def _face(signal: PlacedSignal, kind: str) -> str:
    german = signal.record.country.upper() in ("DE", "OPENDRIVE", "")
    return signal.type if kind == "traffic.unknown" and german and signal.type.isdigit() else ""


def _facing(signal: PlacedSignal, boxes: list[TriggerBox]) -> float:
    """Return the direction of the traffic that a signal is meant for, radians.

    Files disagree on whether hOffset already contains the half turn of orientation "-": of both readings, the one
    closer to the traffic in the signal's own lanes counts; without lanes, the standard's.
    """
    if not boxes:
        return signal.pose.heading
    traffic = boxes[0].pose.heading
    return min(
        (signal.pose.heading, signal.client_heading), key=lambda h: abs(math.remainder(h - traffic, 2.0 * math.pi))
    )


def _foot(network: RoadNetwork, signal: PlacedSignal) -> tuple[float, float, float]:
    """Return where a signal's pole stands on the ground."""
    x, y = signal.pose.x, signal.pose.y
    height = float(network.heights_at(np.array([[x, y]]))[0])
    # On networks with several levels the nearest lane may be another road's: stay with the signal's own.
    own = network.road_pose(signal.road_id, signal.s, signal.t).z
    return x, y, height if abs(height - own) < 1.0 else own


def _carla_box(trigger: TriggerBox, kind: str) -> Box:
    pose = trigger.pose
    half_width = trigger.half_width if kind == "traffic.traffic_light" else trigger.half_width / 0.25 * 0.35
    return Box(
        (pose.x, -pose.y, pose.z),
        (trigger.half_length, half_width, trigger.half_height),
        carla_rotation(pose.heading, pose.pitch, pose.roll),
    )


@lru_cache(maxsize=64)
def signal_model(kind: str, value: float = 0.0, face: str = "") -> Model:
    """Return the model of a traffic light or sign actor, its pole's foot at the origin.

    Args:
        kind: ``SignalSpec.kind``.
        value: the speed limit in km/h; read from ``kind`` where that names it.
        face: of a ``traffic.unknown``, see :class:`engine.geometry.SignalSpec`.

    Raises:
        ValueError: the kind is none of the traffic actors.
    """
    builder = MeshBuilder(Tag.TRAFFIC_SIGNS)
    if kind == "traffic.traffic_light":
        builder.tag = Tag.TRAFFIC_LIGHT
        _traffic_light(builder)
    elif kind == "traffic.stop":
        _pole(builder, 2.9)
        _plate(builder, _regular(8, 0.46), 2.45, [(1.0, WHITE), (0.93, RED)])
        _text(builder, "STOP", 2.45, 0.24, WHITE)
    elif kind == "traffic.yield":
        _pole(builder, 2.85)
        down = np.array([[-0.52, 0.30], [0.0, -0.60], [0.52, 0.30]])
        _plate(builder, down, 2.45, [(1.0, RED), (0.66, WHITE)])
    elif kind.startswith("traffic.speed_limit."):
        _pole(builder, 2.85)
        _plate(builder, _regular(24, 0.40), 2.45, [(1.0, RED), (0.78, WHITE)])
        digits = str(round(float(kind.rsplit(".", 1)[1])))
        _text(builder, digits, 2.45, 0.34 if len(digits) < 3 else 0.24, BLACK)
    elif kind == "traffic.unknown":
        _pole(builder, 2.8)
        _plain_sign(builder, face)
    else:
        raise ValueError(f"{kind!r} is no traffic light or sign")
    del value
    return builder.model(kind)


def _plain_sign(b: MeshBuilder, face: str) -> None:
    """Add a sign without an actor type of its own: shape and colours of its group in the German catalogue (VzKat).

    Warnings (1xx) are red triangles, St Andrew's cross (201) is a cross, orders (202 to 249) are blue discs, bans (250
    to 299) red rings, other directions (3xx) blue squares but for priority (301, 306); what is drawn on them is left
    out. All else is a yellow diamond.
    """
    number = int(face) if face else 0
    if 100 <= number < 200 or number == 301:
        up = np.array([[-0.52, -0.30], [0.52, -0.30], [0.0, 0.60]])
        _plate(b, up, 2.35, [(1.0, RED), (0.70, WHITE)])
        bar = np.array([[-0.035, 0.0], [0.035, 0.0], [0.035, 0.26], [-0.035, 0.26]])
        b.add(_standing(bar, 2.27, -0.062), m.SIGN, BLACK)
    elif number == 201:
        for turn in (math.radians(45.0), math.radians(-45.0)):
            along, across = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
            for half, color, y in ((0.60, RED, -0.052), (0.36, WHITE, -0.054)):
                bar = np.stack([u * half * along + v * 0.075 * across for u, v in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
                front = _standing(bar, 2.5, y)
                b.add(front, m.SIGN, color)
                if half > 0.5:
                    b.add(front[:, ::-1] + np.array([0.0, 0.02, 0.0]), m.SIGN, GREY)
    elif number == 224:
        _plate(b, _regular(24, 0.30), 2.5, [(1.0, GREEN), (0.86, YELLOW), (0.62, GREEN), (0.46, YELLOW)])
    elif 202 <= number < 250:
        _plate(b, _regular(24, 0.40), 2.45, [(1.0, WHITE), (0.95, BLUE)])
        b.add(_standing(_regular(3, 0.14), 2.45, -0.062), m.SIGN, WHITE)
    elif 250 <= number < 300:
        _plate(b, _regular(24, 0.40), 2.45, [(1.0, RED), (0.78, WHITE)])
    elif 300 <= number < 400 and number not in (306, 307):
        square = 0.42 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        _plate(b, square, 2.4, [(1.0, WHITE), (0.94, BLUE)])
    else:
        diamond = np.array([[0.0, -0.45], [0.45, 0.0], [0.0, 0.45], [-0.45, 0.0]])
        _plate(b, diamond, 2.4, [(1.0, WHITE), (0.86, YELLOW)])


def _pole(b: MeshBuilder, top: float, radius: float = 0.035) -> None:
    b.add(lathe([(radius, -0.3), (radius, top), (0.0, top)], 10), m.METAL, GREY, tag=Tag.POLES, crease_deg=50.0)


def _regular(sides: int, radius: float) -> Floats:
    angle = 2.0 * np.pi * (np.arange(sides) + 0.5) / sides
    return radius * np.column_stack([np.cos(angle), np.sin(angle)])


def _standing(flat: Floats, z: float, y: float) -> Floats:
    """Return a face that looks to the actor's +y in CARLA's frame, that is to -y here; u runs to the reader's right."""
    points = np.column_stack([flat[:, 0], np.full(len(flat), y), z + flat[:, 1]])
    face = polygon(points)
    normal = np.cross(face[0, 1] - face[0, 0], face[0, 2] - face[0, 0])
    return face if normal[1] < 0.0 else face[:, ::-1]


def _plate(b: MeshBuilder, outline: Floats, z: float, rings: list[tuple[float, Color]]) -> None:
    """Add a sign plate in front of the pole; each ring (share of the size, colour) lies 2 mm before the last."""
    front = -0.05
    face = _standing(outline, z, front)
    back = face[:, ::-1] + np.array([0.0, 0.02, 0.0])
    b.add(back, m.SIGN, GREY)
    rim = np.column_stack([outline[:, 0], np.full(len(outline), front), z + outline[:, 1]])
    edge = np.stack([rim, rim + np.array([0.0, 0.02, 0.0])])
    side = grid(edge, closed=True)
    outward = (side.mean(axis=1) - np.array([0.0, front, z])) * np.array([1.0, 0.0, 1.0])
    normal = np.cross(side[:, 1] - side[:, 0], side[:, 2] - side[:, 0])
    if (normal * outward).sum() < 0.0:
        side = side[:, ::-1]
    b.add(side, m.SIGN, GREY, crease_deg=20.0)
    for number, (share, color) in enumerate(rings):
        middle = outline.mean(axis=0)
        b.add(_standing(middle + (outline - middle) * share, z, front - 0.003 * number - 0.001), m.SIGN, color)


# Seven segments and a few more strokes on a 2 x 4 grid: enough to read numbers and "STOP" from a car.
_STROKES: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "0": ((0, 0, 0, 2), (0, 2, 1, 2), (1, 2, 1, 0), (1, 0, 0, 0)),
    "1": ((0.6, 0, 0.6, 2), (0.6, 2, 0.2, 1.6)),
    "2": ((0, 2, 1, 2), (1, 2, 1, 1), (1, 1, 0, 1), (0, 1, 0, 0), (0, 0, 1, 0)),
    "3": ((0, 2, 1, 2), (1, 2, 1, 0), (0.2, 1, 1, 1), (0, 0, 1, 0)),
    "4": ((0, 2, 0, 1), (0, 1, 1, 1), (1, 2, 1, 0)),
    "5": ((1, 2, 0, 2), (0, 2, 0, 1), (0, 1, 1, 1), (1, 1, 1, 0), (1, 0, 0, 0)),
    "6": ((1, 2, 0, 2), (0, 2, 0, 0), (0, 0, 1, 0), (1, 0, 1, 1), (1, 1, 0, 1)),
    "7": ((0, 2, 1, 2), (1, 2, 0.4, 0)),
    "8": ((0, 0, 0, 2), (0, 2, 1, 2), (1, 2, 1, 0), (1, 0, 0, 0), (0, 1, 1, 1)),
    "9": ((0, 0, 1, 0), (1, 0, 1, 2), (1, 2, 0, 2), (0, 2, 0, 1), (0, 1, 1, 1)),
    "S": ((1, 2, 0, 2), (0, 2, 0, 1), (0, 1, 1, 1), (1, 1, 1, 0), (1, 0, 0, 0)),
    "T": ((0, 2, 1, 2), (0.5, 2, 0.5, 0)),
    "O": ((0, 0, 0, 2), (0, 2, 1, 2), (1, 2, 1, 0), (1, 0, 0, 0)),
    "P": ((0, 0, 0, 2), (0, 2, 1, 2), (1, 2, 1, 1), (1, 1, 0, 1)),
}


def _text(b: MeshBuilder, text: str, z: float, height: float, color: Color) -> None:
    """Add characters as strokes, 1 cm before the plate, centred, reading left to right for the driver."""
    unit = height / 2.0
    step = unit * 1.55
    thick = height * 0.085
    left = -step * (len(text) - 1) / 2.0 - unit / 2.0
    faces = []
    for number, letter in enumerate(text):
        for x0, y0, x1, y1 in _STROKES[letter]:
            a = np.array([left + number * step + x0 * unit, (y0 - 1.0) * unit])
            c = np.array([left + number * step + x1 * unit, (y1 - 1.0) * unit])
            along = (c - a) / np.linalg.norm(c - a)
            across = np.array([-along[1], along[0]]) * thick
            a, c = a - along * thick, c + along * thick
            faces.append(_standing(np.stack([a - across, c - across, c + across, a + across]), z, -0.064))
    b.add(np.concatenate(faces), m.SIGN, color)


LIGHT_TOP_M = 3.55


def _traffic_light(b: MeshBuilder) -> None:
    """Add pole, housing with visors and three lamps; the driver looks along -y (towards +y here) at them."""
    _pole(b, LIGHT_TOP_M + 0.1, 0.06)
    b.add(lathe([(0.11, -0.3), (0.11, 0.5), (0.06, 0.6)], 10), m.METAL, GREY, tag=Tag.POLES, crease_deg=50.0)
    height, width, depth = 1.02, 0.36, 0.20
    middle = LIGHT_TOP_M - height / 2.0
    b.add(box((0.0, -0.16, middle), (width, depth, height)), m.PLASTIC, BLACK)
    shield = box((0.0, -0.10, middle), (width + 0.24, 0.015, height + 0.22))
    b.add(shield, m.PLASTIC, BLACK)
    for z in (middle + 0.36, middle - 0.36):
        b.add(box((0.0, -0.05, z), (0.06, 0.12, 0.05)), m.METAL, GREY)
    lamps = ((0.33, m.RED_LAMP, (52, 12, 11)), (0.0, m.YELLOW_LAMP, (54, 42, 12)), (-0.33, m.GREEN_LAMP, (10, 44, 26)))
    for dz, material, color in lamps:
        z = middle + dz
        face = _standing(_regular(14, 0.125), z, -0.268)
        b.add(face, material, (float(color[0]), float(color[1]), float(color[2])))
        angle = np.radians(np.linspace(-20.0, 200.0, 9))
        path = [(0.145 * np.cos(a), -0.26, z + 0.145 * np.sin(a)) for a in angle]
        reach = np.array([0.0, -0.17, -0.02])
        inner = np.array(path)
        hood = np.stack([inner, inner + reach])
        b.add(two_faced(grid(hood)), m.PLASTIC, BLACK, crease_deg=40.0)

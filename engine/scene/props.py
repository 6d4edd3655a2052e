"""Static props: cones, benches, bins, signs, pots, toys ... each stretched to its blueprint's exact size.

A maker builds a shape of about the right size at the origin; :func:`prop_model` then fits it. Makers are found by the
blueprint's ``shape`` word (the id without its number) through ``MAKERS``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.blueprints.specs import PropSpec
from engine.scene import materials as m
from engine.scene import trees
from engine.scene.builder import Color, MeshBuilder
from engine.scene.rigs import ActorModel
from engine.scene.shapes import box, ellipsoid, lathe, moved, prism, side_panel, tube, two_faced
from foundation.ids import Tag
from foundation.seeds import generator

Maker = Callable[[MeshBuilder, float, float, float, np.random.Generator], None]

WHITE: Color = (232.0, 232.0, 230.0)
GREY: Color = (132.0, 134.0, 136.0)
DARK: Color = (52.0, 54.0, 57.0)
WOOD: Color = (140.0, 102.0, 66.0)
CARDBOARD: Color = (176.0, 138.0, 92.0)
ORANGE: Color = (228.0, 92.0, 22.0)
RED: Color = (186.0, 32.0, 30.0)
GREEN: Color = (58.0, 104.0, 62.0)
BLUE: Color = (46.0, 84.0, 140.0)
YELLOW: Color = (224.0, 180.0, 36.0)
TERRACOTTA: Color = (168.0, 92.0, 62.0)
STEEL: Color = (162.0, 165.0, 168.0)


def prop_model(spec: PropSpec, color: tuple[int, int, int] | None, seed: int) -> ActorModel:
    """Return a prop's model, of the blueprint's exact size and standing on z = 0.

    Raises:
        KeyError: there is no maker for the spec's shape.
    """
    if spec.vehicle:
        from engine.blueprints import VEHICLES
        from engine.scene.vehicles import vehicle_model

        car = vehicle_model(VEHICLES[spec.vehicle], color, seed)
        return ActorModel(spec.id, car.meshes, car.box, car.joints, car.rig)
    builder = MeshBuilder(spec.tags[0] if spec.tags else Tag.STATIC)
    rng = generator(seed, "prop", spec.id)
    MAKERS[spec.shape](builder, spec.length, spec.width, spec.height, rng)
    builder.fit((-spec.length / 2, -spec.width / 2, 0.0), (spec.length / 2, spec.width / 2, spec.height))
    return ActorModel(spec.id, builder.meshes(), builder.box(), (), still_rig())


def still_rig():  # type: ignore[no-untyped-def]
    """Return the rig of a model without joints."""
    from engine.scene.rigs import StillRig

    return StillRig()


def _legs(b: MeshBuilder, l: float, w: float, top: float, color: Color, thick: float = 0.05) -> None:  # noqa: E741
    for x in (-1.0, 1.0):
        for y in (-1.0, 1.0):
            b.add(box((x * (l - thick) / 2, y * (w - thick) / 2, top / 2), (thick, thick, top)), m.PLASTIC, color)


def _rod(b: MeshBuilder, points: list[tuple[float, float, float]], radius: float, color: Color = STEEL) -> None:
    b.add(tube(points, [radius] * len(points), 7), m.METAL, color, crease_deg=60.0)


def _cone(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    r = min(l, w) * 0.36
    b.add(box((0, 0, h * 0.025), (l, w, h * 0.05)), m.PLASTIC, DARK)
    levels = [0.05, 0.34, 0.50, 0.66, 0.80, 1.0]
    for k, (low, high) in enumerate(zip(levels, levels[1:])):
        ring = [(r * (1.0 - 0.86 * low), h * low), (r * (1.0 - 0.86 * high), h * high)]
        b.add(lathe(ring, 14), m.PLASTIC, WHITE if k in (1, 3) else ORANGE, group=1, crease_deg=60.0)
    b.add(lathe([(r * 0.14, h), (0.0, h)], 14), m.PLASTIC, ORANGE)


def _drum(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    r = l / 2
    for low, high, color in (
        (0, 0.25, ORANGE),
        (0.25, 0.42, WHITE),
        (0.42, 0.62, ORANGE),
        (0.62, 0.78, WHITE),
        (0.78, 0.94, ORANGE),
    ):
        ring = [(r * (1.0 - 0.35 * low), h * low), (r * (1.0 - 0.35 * high), h * high)]
        b.add(lathe(ring, 16), m.PLASTIC, color, group=1, crease_deg=50.0)
    b.add(lathe([(r * 0.67, h * 0.94), (r * 0.3, h), (0, h)], 16), m.PLASTIC, ORANGE, crease_deg=60.0)


def _barrel(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    r = l / 2
    profile = [(0, 0), (r * 0.94, 0), (r, 0.03 * h)]
    for k in (0.33, 0.66):
        profile += [(r * 0.95, h * (k - 0.03)), (r, h * k), (r * 0.95, h * (k + 0.03))]
    b.add(
        lathe([*profile, (r, h * 0.97), (r * 0.94, h), (r * 0.94, h * 0.97), (0, h * 0.97)], 16),
        m.METAL,
        BLUE,
        crease_deg=40.0,
    )


def _bench(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    seat = 0.45 if h > 0.6 else h - 0.04
    for k in range(4):
        b.add(box((0, -w / 2 + w * (0.16 + 0.22 * k) * 0.9, seat), (l, w * 0.16, 0.04)), m.MATT, WOOD)
    if h > 0.6:
        for k in range(3):
            b.add(box((0, -w / 2 + 0.03, seat + 0.12 + (h - seat - 0.15) * k / 2), (l, 0.035, 0.10)), m.MATT, WOOD)
    for x in (-0.4, 0.4):
        b.add(box((x * l, 0, seat * 0.48), (0.05, w * 0.9, 0.05)), m.METAL, DARK)
        for y in (-0.42, 0.42):
            top = h if (h > 0.6 and y < 0) else seat
            b.add(box((x * l, y * w, top / 2), (0.05, 0.05, top)), m.METAL, DARK)


def _bin(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    color = (GREEN, BLUE, DARK)[int(rng.integers(3))]
    b.add(box((0, 0, h * 0.48), (l * 0.86, w * 0.84, h * 0.84), (1.12, 1.12)), m.PLASTIC, color)
    b.add(box((0, 0, h * 0.94), (l, w, h * 0.10), (0.92, 0.8)), m.PLASTIC, tuple(c * 0.8 for c in color))  # type: ignore[arg-type]
    for y in (-1.0, 1.0):
        wheel = lathe(
            [(0, -0.02), (0.09, -0.02), (0.09, 0.02), (0, 0.02)], 10, (-l * 0.34, y * w * 0.36, 0.09), axis="y"
        )
        b.add(wheel, m.PLASTIC, DARK)


def _trashcan(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    r = l / 2
    b.add(lathe([(0, 0), (r * 0.8, 0), (r, h * 0.75), (r, h * 0.8)], 14), m.METAL, (84, 94, 88), crease_deg=40.0)
    b.add(lathe([(r * 0.96, h * 0.84), (r * 0.8, h * 0.95), (r * 0.4, h), (0, h)], 14), m.METAL, DARK, crease_deg=60.0)
    b.add(lathe([(r * 0.9, h * 0.79), (r * 0.9, h * 0.86)], 14), m.PLASTIC, (16, 16, 18))


def _container(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    color = (GREEN, BLUE, (150, 120, 40), GREY)[int(rng.integers(4))]
    b.add(box((0, 0, h * 0.50), (l * 0.90, w * 0.88, h * 0.76), (1.1, 1.1)), m.PLASTIC, color)
    lid = side_panel([(-w / 2, h * 0.88), (w / 2, h * 0.88), (w * 0.40, h * 0.98), (-w * 0.3, h)], -l / 2, l / 2)
    b.add(lid[..., [1, 0, 2]][:, ::-1], m.PLASTIC, tuple(c * 0.75 for c in color))  # type: ignore[arg-type]
    for x in (-0.4, 0.4):
        for y in (-0.35, 0.35):
            b.add(ellipsoid((x * l, y * w, 0.08), (0.08, 0.04, 0.08), 8, 6), m.PLASTIC, DARK)
    for k in range(5):
        b.add(
            box((l * (-0.38 + 0.19 * k), 0, h * 0.5), (0.04, w * 0.95, h * 0.6)),
            m.PLASTIC,
            tuple(c * 0.9 for c in color),
        )  # type: ignore[arg-type]


def _crate(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    b.add(box((0, 0, h / 2), (l, w, h)), m.MATT, CARDBOARD)
    b.add(box((0, 0, h / 2), (l * 1.002, w * 0.12, h * 1.002)), m.PLASTIC, (196, 168, 120))


def _flat_box(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    b.add(box((0, 0, h / 2), (l, w, h), (0.94, 0.94)), m.MATT, CARDBOARD)
    b.add(box((l * 0.1, 0, h * 0.95), (l * 0.5, w * 0.06, h * 0.1)), m.MATT, (150, 116, 76))


def _suitcase(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    color = ((40, 44, 52), (120, 40, 44), (50, 84, 110))[int(rng.integers(3))]
    body = h * 0.84
    b.add(box((0, 0, body / 2 + 0.02), (l, w, body - 0.04), (0.96, 0.9)), m.PLASTIC, color)
    b.add(box((0, 0, body / 2), (l * 1.01, w * 0.1, body * 0.98)), m.PLASTIC, DARK)
    _rod(b, [(-l * 0.15, 0, body), (-l * 0.15, 0, h - 0.01), (l * 0.15, 0, h - 0.01), (l * 0.15, 0, body)], 0.012, DARK)


def _bag(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    color = ((30, 32, 34), (210, 212, 214), (90, 110, 80))[int(rng.integers(3))]
    part = trees.lumpy((0, 0, h * 0.42), (l / 2, w / 2, h * 0.42), rng, 9, 6, 0.10)
    part[..., 2] = np.maximum(part[..., 2], 0.0)
    b.add(part, m.PLASTIC, color, crease_deg=40.0)
    b.add(
        lathe([(l * 0.06, h * 0.78), (l * 0.05, h * 0.88), (l * 0.14, h), (0, h * 0.95)], 8),
        m.PLASTIC,
        color,
        crease_deg=60.0,
    )


def _handbag(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    color = ((120, 70, 40), (40, 40, 44), (150, 36, 44), (220, 214, 196))[int(rng.integers(4))]
    b.add(box((0, 0, h * 0.3), (l, w, h * 0.6), (0.7, 0.88)), m.PLASTIC, color)
    angle = np.linspace(0, np.pi, 9)
    path = [(0.0, w * 0.28 * np.cos(a), h * 0.58 + h * 0.41 * np.sin(a)) for a in angle]
    b.add(tube(path, [0.012] * 9, 6, side_hint=(1, 0, 0)), m.PLASTIC, color, crease_deg=60.0)


def _barrier(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    for x in (-0.42, 0.42):
        b.add(box((x * l, 0, 0.03), (0.08, w, 0.06)), m.PLASTIC, DARK)
        b.add(box((x * l, 0, h * 0.48), (0.05, 0.05, h * 0.92)), m.METAL, GREY)
    for z in (0.82, 0.46):
        count = 6
        for k in range(count):
            x = -l / 2 + l * (k + 0.5) / count
            b.add(box((x, 0, h * z), (l / count, 0.03, h * 0.22)), m.SIGN, RED if k % 2 == 0 else WHITE)
    for x in (-0.42, 0.42):
        lamp = lathe([(0, -0.03), (0.07, -0.02), (0.07, 0.02), (0, 0.03)], 10, (x * l, 0, h * 0.96), axis="y")
        b.add(lamp, m.PLASTIC, YELLOW, crease_deg=60.0)


def _chain_barrier(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    posts = (-1.0, 1.0) if l > 0.5 else (0.0,)
    for side in posts:
        x = side * (l / 2 - 0.12)
        b.add(
            lathe(
                [(0, 0), (0.12, 0), (0.12, 0.04), (0.04, 0.07), (0.035, h * 0.9), (0.055, h * 0.95), (0, h)],
                12,
                (x, 0, 0),
            ),
            m.METAL,
            DARK,
            crease_deg=40.0,
        )
    if len(posts) == 2:
        s = np.linspace(-1, 1, 9)
        path = [(v * (l / 2 - 0.12), 0.0, h * 0.62 + 0.22 * h * v * v) for v in s]
        b.add(tube(path, [0.016] * 9, 6), m.METAL, GREY, crease_deg=60.0)


def _sign_board(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    _rod(b, [(0, 0, 0), (0, 0, h * 0.98)], min(0.04, w * 0.3), STEEL)
    b.add(box((0, w * 0.2, h * 0.80), (l, w * 0.5, h * 0.40)), m.SIGN, BLUE)
    b.add(box((0, w * 0.22, h * 0.80), (l * 0.94, w * 0.52, h * 0.36)), m.SIGN, WHITE)
    b.add(box((0, w * 0.235, h * 0.80), (l * 0.91, w * 0.52, h * 0.34)), m.SIGN, BLUE)
    for k, z in enumerate((0.88, 0.80, 0.72)):
        b.add(box((-l * 0.08 + 0.05 * k, w * 0.25, h * z), (l * (0.55 - 0.1 * k), w * 0.53, h * 0.035)), m.SIGN, WHITE)


def _warning_sign(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    r = l * 0.5
    tri = [(-r, h - r * 1.74), (r, h - r * 1.74), (0.0, h)]
    small = [(-r * 0.72, h - r * 1.60), (r * 0.72, h - r * 1.60), (0.0, h - r * 0.32)]
    b.add(side_panel(tri, -0.02, 0.02), m.SIGN, RED)
    b.add(side_panel(small, -0.025, 0.025), m.SIGN, WHITE)
    b.add(box((0, 0, h - r * 1.05), (0.09, 0.056, r * 0.5)), m.SIGN, (24, 24, 26))
    b.add(box((0, 0, h - r * 1.45), (0.09, 0.056, 0.09)), m.SIGN, (24, 24, 26))
    for x in (-0.3, 0.3):
        for y in (-1.0, 1.0):
            _rod(b, [(x * l, 0, h - r * 1.7), (x * l * 1.2, y * (w / 2 - 0.03), 0.02)], 0.02, DARK)


def _advert(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    b.add(box((0, 0, h * 0.06), (l * 0.5, w, h * 0.12)), m.METAL, DARK)
    b.add(box((0, 0, h * 0.56), (l, w * 0.8, h * 0.88)), m.METAL, DARK)
    hue = [(206, 92, 60), (60, 130, 170), (230, 200, 90)][int(rng.integers(3))]
    b.add(box((0, 0, h * 0.57), (l * 0.86, w * 0.84, h * 0.76)), m.STREET_LAMP, tuple(float(c) for c in hue))  # type: ignore[arg-type]
    b.add(box((0, 0, h * 0.42), (l * 0.6, w * 0.86, h * 0.12)), m.SIGN, WHITE)
    b.add(box((0.1, 0, h * 0.68), (l * 0.4, w * 0.86, h * 0.3)), m.SIGN, (40, 44, 60))


def _machine(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    color = ((170, 34, 38), (40, 80, 140), (60, 62, 66))[int(rng.integers(3))]
    b.add(box((0, 0, h / 2), (l * 0.96, w, h)), m.PLASTIC, color)
    b.add(box((l * 0.47, -w * 0.1, h * 0.62), (l * 0.06, w * 0.62, h * 0.56)), m.STREET_LAMP, (210, 226, 232))
    for k in range(4):
        b.add(box((l * 0.49, -w * 0.1, h * (0.42 + 0.13 * k)), (l * 0.02, w * 0.58, 0.02)), m.PLASTIC, DARK)
    b.add(box((l * 0.48, w * 0.34, h * 0.55), (l * 0.04, w * 0.14, h * 0.2)), m.PLASTIC, DARK)
    b.add(box((l * 0.48, 0, h * 0.16), (l * 0.04, w * 0.6, h * 0.1)), m.PLASTIC, DARK)


def _mailbox(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    b.add(box((0, 0, h * 0.2), (0.08, 0.08, h * 0.4)), m.METAL, DARK)
    b.add(box((0, 0, h * 0.62), (l, w, h * 0.5)), m.PLASTIC, (222, 180, 30))
    angle = np.linspace(0, np.pi, 8)
    arch = [(w / 2 * np.cos(a), h * 0.87 + h * 0.13 * np.sin(a)) for a in angle]
    b.add(side_panel(arch, -l / 2, l / 2)[..., [1, 0, 2]][:, ::-1], m.PLASTIC, (222, 180, 30), crease_deg=40.0)
    b.add(box((l * 0.49, 0, h * 0.78), (0.03, w * 0.7, 0.04)), m.PLASTIC, DARK)


def _bus_stop(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    across = w > l
    long, deep = max(l, w), min(l, w)

    def put(part: np.ndarray, material, color) -> None:  # type: ignore[no-untyped-def]
        b.add(moved(part, yaw_deg=90.0) if across else part, material, color)

    put(box((0, 0, h - 0.06), (long, deep, 0.12)), m.METAL, DARK)
    for x in (-0.47, 0.0, 0.47):
        put(box((x * long, -deep * 0.42, h / 2), (0.08, 0.08, h)), m.METAL, STEEL)
    for x in (-0.25, 0.25):
        put(box((x * long, -deep * 0.42, h * 0.55), (long * 0.42, 0.02, h * 0.62)), m.GLASS, (120, 138, 146))
    for x in (-0.485, 0.485):
        put(box((x * long, 0.0, h * 0.55), (0.02, deep * 0.8, h * 0.62)), m.GLASS, (120, 138, 146))
    put(box((0, -deep * 0.2, 0.46), (long * 0.7, 0.36, 0.05)), m.MATT, WOOD)
    for x in (-0.3, 0.3):
        put(box((x * long, -deep * 0.2, 0.22), (0.06, 0.3, 0.44)), m.METAL, DARK)
    put(box((long * 0.35, deep * 0.38, h * 0.94), (0.5, 0.06, 0.3)), m.SIGN, YELLOW)


def _kiosk(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    r = l * 0.44
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False) + np.pi / 8
    b.add(prism(np.column_stack([r * np.cos(angle), r * np.sin(angle)]), 0, h * 0.72), m.PAINT, (36, 74, 62))
    b.add(box((r * 0.75, 0, h * 0.42), (r * 0.5, r * 0.7, h * 0.26)), m.GLASS, (64, 76, 84))
    b.add(
        lathe(
            [(0, h * 0.70), (l / 2, h * 0.70), (l / 2, h * 0.76), (l * 0.2, h * 0.92), (0.05, h * 0.94), (0.0, h)], 8
        ),
        m.METAL,
        (60, 104, 92),
        crease_deg=30.0,
    )


def _food_cart(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    b.add(box((0, 0, h * 0.34), (l * 0.8, w * 0.78, h * 0.42)), m.PAINT, (196, 60, 48))
    b.add(box((0, 0, h * 0.56), (l * 0.86, w * 0.82, 0.06)), m.METAL, STEEL)
    for x in (-0.38, 0.38):
        for y in (-0.38, 0.38):
            _rod(b, [(x * l, y * w, h * 0.55), (x * l, y * w, h * 0.86)], 0.03)
    for k in range(8):
        y = -w / 2 + w * (k + 0.5) / 8
        b.add(box((0, y, h * 0.92), (l, w / 8, h * 0.16), (0.3, 1.0)), m.CLOTH, RED if k % 2 else WHITE)
    for y in (-0.3, 0.3):
        for x in (-1.0, 1.0):
            r = h * 0.12
            b.add(
                lathe([(0, -0.05), (r, -0.05), (r, 0.05), (0, 0.05)], 12, (x * l * 0.3, y * w, r), axis="y"),
                m.PLASTIC,
                DARK,
            )


def _fountain(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    r = l / 2
    stone: Color = (176, 170, 160)
    b.add(
        lathe([(r, 0), (r, h * 0.10), (r * 0.93, h * 0.10), (r * 0.93, h * 0.04)], 24),
        m.CONCRETE,
        stone,
        crease_deg=40.0,
    )
    b.add(lathe([(r * 0.94, h * 0.075), (0, h * 0.075)], 24), m.GLASS, (92, 130, 150), tag=Tag.WATER)
    profile = [(r * 0.16, h * 0.05), (r * 0.1, h * 0.25), (r * 0.08, h * 0.4), (r * 0.42, h * 0.48), (r * 0.42, h * 0.5), (r * 0.06, h * 0.49),
               (r * 0.05, h * 0.7), (r * 0.24, h * 0.76), (r * 0.22, h * 0.78), (r * 0.04, h * 0.77), (r * 0.06, h * 0.92), (0, h)]  # fmt: skip
    b.add(lathe(profile, 18), m.CONCRETE, stone, crease_deg=40.0)


def _street_fountain(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    b.add(box((-l * 0.2, 0, h / 2), (l * 0.6, w * 0.5, h), (0.8, 0.8)), m.METAL, (60, 78, 66))
    b.add(
        lathe([(0, 0), (w * 0.4, 0), (w * 0.5, h * 0.12), (w * 0.44, h * 0.12), (0, h * 0.08)], 14),
        m.METAL,
        (60, 78, 66),
        crease_deg=40.0,
    )
    _rod(b, [(0, 0, h * 0.7), (l * 0.3, 0, h * 0.7), (l * 0.34, 0, h * 0.62)], 0.02)


def _pot(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    long = max(l, w) / min(l, w) > 1.5
    bowl = h * 0.55
    if long:
        b.add(box((0, 0, bowl / 2), (l * 0.92, w * 0.86, bowl), (1.08, 1.14)), m.MATT, TERRACOTTA)
        count = max(2, int(l / max(w, 0.2)))
        for k in range(count):
            x = -l / 2 + l * (k + 0.5) / count
            part = trees.lumpy(
                (x, 0, bowl + (h - bowl) * 0.45), (l / count * 0.55, w * 0.46, (h - bowl) * 0.6), rng, 7, 4
            )
            b.add(part, m.LEAVES, trees.shaded(part, (84, 118, 56)), tag=Tag.VEGETATION, crease_deg=50.0)
        return
    r = l / 2
    b.add(
        lathe([(0, 0), (r * 0.62, 0), (r * 0.9, bowl * 0.9), (r, bowl * 0.9), (r, bowl), (0, bowl * 0.96)], 14),
        m.MATT,
        TERRACOTTA,
        crease_deg=40.0,
    )
    part = trees.lumpy((0, 0, bowl + (h - bowl) * 0.42), (r * 0.85, r * 0.85, (h - bowl) * 0.6), rng, 9, 5)
    b.add(part, m.LEAVES, trees.shaded(part, (78, 116, 54)), tag=Tag.VEGETATION, crease_deg=50.0)


def _table(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    top = min(h, 0.78)
    b.add(box((0, 0, top - 0.03), (l * 0.5 if h < 1 else l * 0.5, w * 0.5, 0.06)), m.MATT, WOOD)
    _legs(b, l * 0.46, w * 0.46, top - 0.05, WOOD, 0.06)
    for side in (-1.0, 1.0):
        b.add(box((side * l * 0.41, 0, 0.45), (l * 0.18, w * 0.8, 0.05)), m.MATT, WOOD)
        for y in (-0.3, 0.3):
            b.add(box((side * l * 0.41, y * w, 0.22), (0.08, 0.08, 0.44)), m.MATT, WOOD)
    b.add(box((0, 0, 0.42), (0.08, w, 0.06)), m.MATT, WOOD)
    if h > 1.5:  # with a parasol
        _rod(b, [(0, 0, 0), (0, 0, h)], 0.025, WHITE)
        b.add(two_faced(lathe([(l / 2, h * 0.84), (0, h * 0.99)], 8)), m.CLOTH, (206, 80, 60), crease_deg=20.0)


def _map_table(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    _legs(b, l * 0.8, w * 0.5, h * 0.8, DARK, 0.07)
    board = side_panel([(-w / 2, h * 0.78), (w / 2, h * 0.94), (w / 2, h), (-w / 2, h * 0.84)], -l / 2, l / 2)
    b.add(board[..., [1, 0, 2]][:, ::-1], m.SIGN, (200, 210, 180))


def _chair(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    seat = h * 0.38
    b.add(box((0, 0, seat), (l * 0.9, w * 0.9, 0.05)), m.PLASTIC, WHITE)
    _legs(b, l * 0.95, w * 0.95, seat, WHITE, 0.045)
    b.add(box((-l * 0.45, 0, (seat + h) / 2), (0.05, w * 0.8, h - seat), (1.0, 0.8)), m.PLASTIC, WHITE)
    for y in (-0.47, 0.47):
        b.add(box((0, y * w, seat + 0.22), (l * 0.9, 0.05, 0.04)), m.PLASTIC, WHITE)
        b.add(box((l * 0.4, y * w, seat + 0.1), (0.04, 0.05, 0.24)), m.PLASTIC, WHITE)


def _swing_frame(b: MeshBuilder, l: float, w: float, h: float, seats: int) -> None:  # noqa: E741
    for x in (-0.47, 0.47):
        for y in (-0.47, 0.47):
            _rod(b, [(x * l, y * w, 0), (x * l * 0.94, 0, h * 0.97)], 0.045, RED)
    _rod(b, [(-l * 0.47, 0, h * 0.97), (l * 0.47, 0, h * 0.97)], 0.045, RED)
    for k in range(seats):
        x = l * (-0.2 + 0.4 * k) if seats > 1 else 0.0
        for dx in (-0.2, 0.2):
            _rod(b, [(x + dx, 0, h * 0.95), (x + dx, 0.02, 0.5)], 0.01, GREY)
        b.add(box((x, 0, 0.5), (0.46, 0.2, 0.04)), m.PLASTIC, DARK)


def _swing(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    _swing_frame(b, l, w, h, 2)


def _swing_couch(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    for y in (-0.48, 0.48):
        for x in (-0.47, 0.47):
            _rod(b, [(x * l, y * w, 0), (0, y * w, h * 0.94)], 0.03, DARK)
    b.add(box((0, 0, h * 0.97), (l, w, h * 0.06), (0.8, 0.9)), m.CLOTH, GREEN)
    b.add(box((0, 0, 0.5), (l * 0.42, w * 0.8, 0.14)), m.CLOTH, (196, 184, 150))
    b.add(box((-l * 0.2, 0, 0.78), (0.12, w * 0.8, 0.5)), m.CLOTH, (196, 184, 150))


def _slide(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    deck = h * 0.7
    for x in (-0.4, 0.4):
        for y in (-0.48, -0.30):
            _rod(b, [(x * l, y * w, 0), (x * l, y * w, h)], 0.035, BLUE)
    b.add(box((0, -w * 0.39, deck), (l * 0.9, w * 0.2, 0.05)), m.PLASTIC, YELLOW)
    chute = [
        (-w * 0.29, deck),
        (w * 0.35, 0.3),
        (w * 0.5, 0.26),
        (w * 0.5, 0.20),
        (w * 0.34, 0.22),
        (-w * 0.29, deck - 0.08),
    ]
    for low, high, color in ((-l * 0.3, l * 0.3, RED), (-l * 0.34, -l * 0.3, YELLOW), (l * 0.3, l * 0.34, YELLOW)):
        lift = 0.0 if color == RED else 0.12
        part = side_panel([(y, z + lift * (i < 3)) for i, (y, z) in enumerate(chute)], low, high)
        b.add(part[..., [1, 0, 2]][:, ::-1], m.PLASTIC, color)
    for k in range(5):
        b.add(box((0, -w * 0.485, deck * (k + 0.6) / 5), (l * 0.8, 0.04, 0.04)), m.METAL, STEEL)


def _trampoline(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    r = l / 2
    b.add(two_faced(lathe([(r * 0.9, 0.8), (0, 0.8)], 20)), m.CLOTH, (30, 30, 34))
    b.add(lathe([(r * 0.88, 0.78), (r, 0.78), (r, 0.84), (r * 0.88, 0.84)], 20), m.CLOTH, BLUE, crease_deg=40.0)
    for k in range(8):
        a = 2 * np.pi * k / 8
        _rod(b, [(r * np.cos(a), r * np.sin(a), 0), (r * np.cos(a), r * np.sin(a), h)], 0.03)
    b.add(two_faced(lathe([(r * 0.97, h - 0.06), (r * 0.97, h)], 20)), m.CLOTH, BLUE)


def _pergola(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    _legs(b, l * 0.92, w * 0.92, h, WOOD, 0.16)
    for y in (-0.44, 0.44):
        b.add(box((0, y * w, h - 0.22), (l, 0.10, 0.2)), m.MATT, WOOD)
    for k in range(12):
        b.add(box((l * (-0.46 + 0.92 * k / 11), 0, h - 0.06), (0.07, w, 0.12)), m.MATT, WOOD)


def _clothesline(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    for x in (-0.49, 0.49):
        _rod(b, [(x * l, 0, 0), (x * l, 0, h)], 0.04)
        _rod(b, [(x * l, -w / 2, h * 0.97), (x * l, w / 2, h * 0.97)], 0.03)
    for y in (-0.4, 0.4):
        _rod(b, [(-l * 0.49, y * w, h * 0.97), (l * 0.49, y * w, h * 0.97)], 0.006, WHITE)
        for k in range(4):
            cloth = box((l * (-0.34 + 0.22 * k), y * w, h * 0.72), (0.62, 0.015, h * 0.46))
            b.add(cloth, m.CLOTH, [WHITE, (120, 150, 190), (200, 120, 110), (220, 206, 150)][(k + (y > 0)) % 4])  # type: ignore[arg-type]


def _dog_house(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    b.add(box((0, 0, h * 0.33), (l * 0.9, w * 0.84, h * 0.66)), m.MATT, WOOD)
    roof = side_panel(
        [(-w / 2, h * 0.58), (0, h * 0.94), (w / 2, h * 0.58), (w / 2, h * 0.66), (0, h), (-w / 2, h * 0.66)],
        -l / 2,
        l / 2,
    )
    b.add(roof[..., [1, 0, 2]][:, ::-1], m.MATT, (128, 56, 44))
    gable = side_panel([(-w * 0.42, h * 0.6), (w * 0.42, h * 0.6), (0, h * 0.92)], -l * 0.45, l * 0.45)
    b.add(gable[..., [1, 0, 2]][:, ::-1], m.MATT, WOOD)
    b.add(box((l * 0.45, 0, h * 0.28), (0.02, w * 0.4, h * 0.5)), m.MATT, (24, 20, 18))


def _hay(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    r = h / 2
    b.add(
        lathe(
            [(0, -w / 2), (r * 0.9, -w / 2), (r, -w * 0.4), (r, w * 0.4), (r * 0.9, w / 2), (0, w / 2)],
            16,
            (0, 0, r),
            axis="y",
        ),
        m.MATT,
        (196, 164, 84),
        crease_deg=40.0,
    )


def _gnome(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    b.add(
        lathe([(0, 0), (l * 0.5, 0), (l * 0.46, h * 0.3), (l * 0.28, h * 0.5), (0, h * 0.5)], 12),
        m.MATT,
        BLUE,
        crease_deg=50.0,
    )
    b.add(ellipsoid((0, 0, h * 0.57), (l * 0.3, w * 0.3, h * 0.12), 10, 6), m.SKIN, (226, 180, 150), crease_deg=60.0)
    b.add(ellipsoid((l * 0.12, 0, h * 0.47), (l * 0.24, w * 0.28, h * 0.13), 8, 5), m.MATT, WHITE, crease_deg=60.0)
    b.add(lathe([(0, h * 0.62), (l * 0.34, h * 0.62), (l * 0.2, h * 0.8), (0, h)], 12), m.MATT, RED, crease_deg=50.0)


def _garden_lamp(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    _rod(b, [(0, 0, 0), (0, 0, h * 0.6)], 0.03, DARK)
    b.add(
        lathe([(0, h * 0.58), (l * 0.3, h * 0.6), (l * 0.4, h * 0.86), (0, h * 0.86)], 10),
        m.STREET_LAMP,
        (250, 240, 200),
        crease_deg=50.0,
    )
    b.add(lathe([(l * 0.5, h * 0.86), (l * 0.3, h * 0.94), (0, h)], 10), m.METAL, DARK, crease_deg=50.0)


def _barbecue(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    _legs(b, l * 0.6, w * 0.8, h * 0.6, DARK, 0.04)
    b.add(box((0, 0, h * 0.66), (l * 0.66, w * 0.96, h * 0.16)), m.METAL, DARK)
    b.add(ellipsoid((0, 0, h * 0.74), (l * 0.33, w * 0.48, h * 0.25), 12, 6), m.METAL, (150, 36, 34), crease_deg=60.0)
    for x in (-0.42, 0.42):
        b.add(box((x * l, 0, h * 0.68), (l * 0.16, w * 0.8, 0.03)), m.MATT, WOOD)


def _shopping_cart(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    corners = [(-0.40, -0.42), (0.40, -0.42), (0.46, 0.36), (-0.46, 0.36)]
    for z, size in ((0.46, 0.86), (0.66, 0.93), (0.86, 1.0)):
        ring = [(x * l * size, y * w * size, h * z) for x, y in [*corners, corners[0]]]
        for a, c in zip(ring, ring[1:]):
            _rod(b, [a, c], 0.012)
    for x, y in corners:
        _rod(b, [(x * l * 0.86, y * w * 0.86, h * 0.46), (x * l, y * w, h * 0.86)], 0.012)
        _rod(b, [(x * l * 0.8, y * w * 0.8, h * 0.46), (x * l * 0.9, y * w, 0.1)], 0.014)
        b.add(ellipsoid((x * l * 0.9, y * w, 0.06), (0.02, 0.06, 0.06), 8, 5), m.PLASTIC, DARK)
    b.add(two_faced(box((0, -0.02, h * 0.47), (l * 0.7, w * 0.66, 0.01))), m.METAL, GREY)
    _rod(b, [(-l * 0.5, w * 0.48, h * 0.98), (l * 0.5, w * 0.48, h * 0.98)], 0.02, RED)
    for x in (-0.46, 0.46):
        _rod(b, [(x * l, w * 0.36, h * 0.86), (x * l, w * 0.48, h * 0.98)], 0.014)


def _trolley(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    b.add(box((0.03, 0, h * 0.36), (l * 0.72, w * 0.95, h * 0.62), (0.9, 0.94)), m.CLOTH, (60, 84, 120))
    for y in (-0.35, 0.35):
        _rod(b, [(-l * 0.42, y * w, 0.1), (-l * 0.45, y * w, h * 0.97)], 0.014)
        b.add(
            lathe([(0, -0.02), (0.09, -0.02), (0.09, 0.02), (0, 0.02)], 10, (-l * 0.3, y * w * 1.3, 0.09), axis="y"),
            m.PLASTIC,
            DARK,
        )
    _rod(b, [(-l * 0.46, -w * 0.36, h * 0.98), (-l * 0.46, w * 0.36, h * 0.98)], 0.016, DARK)


def _helmet(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    part = ellipsoid((0, 0, 0), (l / 2, w / 2, h), 12, 8)
    part[..., 2] = np.maximum(part[..., 2], 0.0)
    b.add(part, m.PAINT, (190, 40, 44), crease_deg=60.0)
    b.add(
        ellipsoid((l * 0.2, 0, h * 0.4), (l * 0.32, w * 0.45, h * 0.16), 10, 4), m.GLASS, (30, 34, 38), crease_deg=60.0
    )


def _guitar_case(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    lobes = [(-0.27, 0.5, 0.23), (0.02, 0.36, 0.16), (0.3, 0.13, 0.22)]
    for x, tall, half in lobes:
        part = lathe([(0, -w / 2), (1, -w / 2), (1, w / 2), (0, w / 2)], 16, axis="y") * np.array(
            [half * l, 1.0, tall * h]
        )
        b.add(part + np.array([x * l, 0, h / 2]), m.PLASTIC, (34, 32, 32), crease_deg=30.0)


def _can(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    r = l / 2
    b.add(
        lathe([(0, 0), (r * 0.8, 0), (r, h * 0.08), (r, h * 0.9), (r * 0.8, h), (0, h)], 12),
        m.METAL,
        (190, 28, 34),
        crease_deg=40.0,
    )


def _watering_can(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    r = l / 2
    b.add(lathe([(0, 0), (r, 0), (r * 0.9, h * 0.8), (0, h * 0.8)], 12), m.METAL, GREEN, crease_deg=40.0)
    _rod(b, [(0, r * 0.8, h * 0.2), (0, w * 0.7, h * 0.9)], 0.008, GREEN)
    _rod(b, [(0, -r * 0.9, h * 0.3), (0, -w * 0.3, h * 0.7), (0, 0, h)], 0.006, GREEN)


def _slab(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    b.add(box((0, 0, h / 2), (l, w, h), (0.98, 0.98)), m.PLASTIC, GREY)


def _phone(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    b.add(box((0, 0, h / 2), (l, w, h)), m.PLASTIC, (24, 24, 28))
    b.add(box((0, w * 0.05, h * 0.53), (l * 0.9, w, h * 0.84)), m.GLASS, (50, 60, 74))


def _tile(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    angle = np.sort(rng.uniform(0.0, 2.0 * np.pi, 3)) * 0.3 + np.array([0.0, 2.1, 4.2])
    b.add(prism(np.column_stack([l / 2 * np.cos(angle), w / 2 * np.sin(angle)]), 0.0, h), m.MATT, TERRACOTTA)


def _heap(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    part = trees.lumpy((0, 0, 0), (l / 2, w / 2, h), rng, 12, 6, 0.25)
    part[..., 2] = np.maximum(part[..., 2], 0.0)
    b.add(part, m.CONCRETE, (124, 104, 80), crease_deg=30.0)


def _garbage(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    if h < 0.02:
        _slab(b, l, w, h, rng)
        return
    part = trees.lumpy((0, 0, h / 2), (l / 2, w / 2, h / 2), rng, 7, 5, 0.2)
    b.add(part, m.PLASTIC, ((206, 204, 196), (150, 40, 40), (60, 100, 70))[int(rng.integers(3))], crease_deg=20.0)


def _garbage_platform(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    for k in range(16):
        size = rng.uniform(0.15, 0.45, 3) * np.array([1.0, 1.0, h])
        at = ((rng.random() - 0.5) * (l - size[0]), (rng.random() - 0.5) * (w - size[1]), size[2] / 2)
        color = (CARDBOARD, (60, 62, 66), WHITE, (90, 120, 90))[k % 4]
        b.add(box(at, tuple(size), (0.8, 0.8)), m.MATT, color)


def _traffic_warning(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    """A trailer with an arrow board, as road works use them."""
    b.add(box((0, 0, 0.5), (l * 0.8, w * 0.5, 0.14)), m.METAL, YELLOW)
    for y in (-1.0, 1.0):
        wheel = lathe([(0, -0.09), (0.3, -0.09), (0.3, 0.09), (0, 0.09)], 14, (0, y * w * 0.32, 0.3), axis="y")
        b.add(wheel, m.PLASTIC, DARK)
    _rod(b, [(0, 0, 0.5), (0, 0, h * 0.6)], 0.06, DARK)
    b.add(box((0, 0, h * 0.72), (0.1, w, h * 0.56)), m.SIGN, DARK)
    for k in range(-4, 5):
        for z in (0.0, 1.0, -1.0):
            if z and abs(k) not in (2, 3):
                continue
            lamp = ellipsoid((0.06, k * w * 0.1, h * 0.72 + z * h * 0.1), (0.03, 0.08, 0.08), 8, 4)
            b.add(lamp, m.STREET_LAMP, (250, 190, 60))
    _rod(b, [(0, 0, 0.5), (l * 0.5, 0, 0.5)], 0.05, DARK)


def _palm(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    trees.add_palm(b, h, min(l, w), rng)


def _cypress(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    trees.add_cypress(b, h, min(l, w), rng)


def _broadleaf(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    trees.add_tree(b, "maple", h, rng)


def _calibrator(b: MeshBuilder, l: float, w: float, h: float, rng: np.random.Generator) -> None:  # noqa: E741
    for i in range(8):
        for k in range(4):
            at = (l * (-0.5 + (i + 0.5) / 8), w * (-0.5 + (k + 0.5) / 4), h / 2)
            b.add(box(at, (l / 8, w / 4, h)), m.SIGN, WHITE if (i + k) % 2 else (20, 20, 20))


MAKERS: dict[str, Maker] = {
    "advertisement": _advert, "aporosatree": _broadleaf, "atm": _machine, "barbeque": _barbecue, "barrel": _barrel,
    "bench": _bench, "bike helmet": _helmet, "bin": _bin, "box": _crate, "briefcase": _suitcase, "brokentile": _tile,
    "busstop": _bus_stop, "busstoplb": _bus_stop, "calibrator": _calibrator, "chainbarrier": _chain_barrier,
    "chainbarrierend": _chain_barrier, "clothcontainer": _container, "clothesline": _clothesline, "coconutpalm": _palm,
    "colacan": _can, "constructioncone": _cone, "container": _container, "creasedbox": _flat_box,
    "cypresstree": _cypress, "dirtdebris": _heap, "doghouse": _dog_house, "foodcart": _food_cart,
    "fountain": _fountain, "garbage": _garbage, "gardenlamp": _garden_lamp, "glasscontainer": _container,
    "gnome": _gnome, "guitarcase": _guitar_case, "haybale": _hay, "haybalelb": _hay, "ironplank": _slab, "kiosk": _kiosk,
    "mailbox": _mailbox, "maptable": _map_table, "mobile": _phone, "motorhelmet": _helmet, "pergola": _pergola,
    "plantpot": _pot, "plasticbag": _bag, "plasticchair": _chair, "plastictable": _table,
    "platformgarbage": _garbage_platform, "purse": _handbag, "shoppingbag": _handbag, "shoppingcart": _shopping_cart,
    "shoppingtrolley": _trolley, "slide": _slide, "streetbarrier": _barrier, "streetfountain": _street_fountain,
    "streetsign": _sign_board, "swing": _swing, "swingcouch": _swing_couch, "table": _table, "trafficcone": _cone,
    "trafficwarning": _traffic_warning, "trampoline": _trampoline, "trashbag": _bag, "trashcan": _trashcan,
    "travelcase": _suitcase, "vendingmachine": _machine, "warningaccident": _warning_sign,
    "warningconstruction": _warning_sign, "wateringcan": _watering_can,
}  # fmt: skip
"""The maker of each shape word."""

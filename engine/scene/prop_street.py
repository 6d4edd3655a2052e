"""Props of the street: cones, barriers, signs, bins, benches, machines, stalls, fountains."""

from __future__ import annotations

import itertools

import numpy as np

from engine.scene import materials as m
from engine.scene.builder import Color, MeshBuilder, shade
from engine.scene.prop_parts import BLUE, DARK, GREEN, GREY, ORANGE, RED, STEEL, WHITE, WOOD, YELLOW, add_rod
from engine.scene.shapes import box, ellipsoid, lathe, moved, prism, side_panel, tube
from foundation.ids import Tag


def add_cone(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a cone."""
    r = min(length, width) * 0.36
    b.add(box((0, 0, height * 0.025), (length, width, height * 0.05)), m.PLASTIC, DARK)
    levels = [0.05, 0.34, 0.50, 0.66, 0.80, 1.0]
    for k, (low, high) in enumerate(itertools.pairwise(levels)):
        ring = [(r * (1.0 - 0.86 * low), height * low), (r * (1.0 - 0.86 * high), height * high)]
        b.add(lathe(ring, 14), m.PLASTIC, WHITE if k in (1, 3) else ORANGE, group=1, crease_deg=60.0)
    b.add(lathe([(r * 0.14, height), (0.0, height)], 14), m.PLASTIC, ORANGE)


def add_drum(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a drum."""
    r = length / 2
    for low, high, color in (
        (0, 0.25, ORANGE),
        (0.25, 0.42, WHITE),
        (0.42, 0.62, ORANGE),
        (0.62, 0.78, WHITE),
        (0.78, 0.94, ORANGE),
    ):
        ring = [(r * (1.0 - 0.35 * low), height * low), (r * (1.0 - 0.35 * high), height * high)]
        b.add(lathe(ring, 16), m.PLASTIC, color, group=1, crease_deg=50.0)
    b.add(lathe([(r * 0.67, height * 0.94), (r * 0.3, height), (0, height)], 16), m.PLASTIC, ORANGE, crease_deg=60.0)


def add_bench(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a bench."""
    seat = 0.45 if height > 0.6 else height - 0.04
    for k in range(4):
        b.add(box((0, -width / 2 + width * (0.16 + 0.22 * k) * 0.9, seat), (length, width * 0.16, 0.04)), m.MATT, WOOD)
    if height > 0.6:
        for k in range(3):
            b.add(
                box((0, -width / 2 + 0.03, seat + 0.12 + (height - seat - 0.15) * k / 2), (length, 0.035, 0.10)),
                m.MATT,
                WOOD,
            )
    for x in (-0.4, 0.4):
        b.add(box((x * length, 0, seat * 0.48), (0.05, width * 0.9, 0.05)), m.METAL, DARK)
        for y in (-0.42, 0.42):
            top = height if (height > 0.6 and y < 0) else seat
            b.add(box((x * length, y * width, top / 2), (0.05, 0.05, top)), m.METAL, DARK)


def add_bin(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a bin."""
    color = (GREEN, BLUE, DARK)[int(rng.integers(3))]
    b.add(box((0, 0, height * 0.48), (length * 0.86, width * 0.84, height * 0.84), (1.12, 1.12)), m.PLASTIC, color)
    b.add(
        box((0, 0, height * 0.94), (length, width, height * 0.10), (0.92, 0.8)),
        m.PLASTIC,
        shade(color, 0.8),
    )
    for y in (-1.0, 1.0):
        wheel = lathe(
            [(0, -0.02), (0.09, -0.02), (0.09, 0.02), (0, 0.02)], 10, (-length * 0.34, y * width * 0.36, 0.09), axis="y"
        )
        b.add(wheel, m.PLASTIC, DARK)


def add_trashcan(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a trashcan."""
    r = length / 2
    b.add(
        lathe([(0, 0), (r * 0.8, 0), (r, height * 0.75), (r, height * 0.8)], 14), m.METAL, (84, 94, 88), crease_deg=40.0
    )
    b.add(
        lathe([(r * 0.96, height * 0.84), (r * 0.8, height * 0.95), (r * 0.4, height), (0, height)], 14),
        m.METAL,
        DARK,
        crease_deg=60.0,
    )
    b.add(lathe([(r * 0.9, height * 0.79), (r * 0.9, height * 0.86)], 14), m.PLASTIC, (16, 16, 18))


def add_container(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a container."""
    color = (GREEN, BLUE, (150, 120, 40), GREY)[int(rng.integers(4))]
    b.add(box((0, 0, height * 0.50), (length * 0.90, width * 0.88, height * 0.76), (1.1, 1.1)), m.PLASTIC, color)
    lid = side_panel(
        [
            (-width / 2, height * 0.88),
            (width / 2, height * 0.88),
            (width * 0.40, height * 0.98),
            (-width * 0.3, height),
        ],
        -length / 2,
        length / 2,
    )
    b.add(lid[..., [1, 0, 2]][:, ::-1], m.PLASTIC, shade(color, 0.75))
    for x in (-0.4, 0.4):
        for y in (-0.35, 0.35):
            b.add(ellipsoid((x * length, y * width, 0.08), (0.08, 0.04, 0.08), 8, 6), m.PLASTIC, DARK)
    for k in range(5):
        b.add(
            box((length * (-0.38 + 0.19 * k), 0, height * 0.5), (0.04, width * 0.95, height * 0.6)),
            m.PLASTIC,
            shade(color, 0.9),
        )


def add_barrier(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a barrier."""
    for x in (-0.42, 0.42):
        b.add(box((x * length, 0, 0.03), (0.08, width, 0.06)), m.PLASTIC, DARK)
        b.add(box((x * length, 0, height * 0.48), (0.05, 0.05, height * 0.92)), m.METAL, GREY)
    for z in (0.82, 0.46):
        count = 6
        for k in range(count):
            x = -length / 2 + length * (k + 0.5) / count
            b.add(box((x, 0, height * z), (length / count, 0.03, height * 0.22)), m.SIGN, RED if k % 2 == 0 else WHITE)
    for x in (-0.42, 0.42):
        lamp = lathe([(0, -0.03), (0.07, -0.02), (0.07, 0.02), (0, 0.03)], 10, (x * length, 0, height * 0.96), axis="y")
        b.add(lamp, m.PLASTIC, YELLOW, crease_deg=60.0)


def add_chain_barrier(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a chain barrier."""
    posts = (-1.0, 1.0) if length > 0.5 else (0.0,)
    for side in posts:
        x = side * (length / 2 - 0.12)
        b.add(
            lathe(
                [
                    (0, 0),
                    (0.12, 0),
                    (0.12, 0.04),
                    (0.04, 0.07),
                    (0.035, height * 0.9),
                    (0.055, height * 0.95),
                    (0, height),
                ],
                12,
                (x, 0, 0),
            ),
            m.METAL,
            DARK,
            crease_deg=40.0,
        )
    if len(posts) == 2:
        s = np.linspace(-1, 1, 9)
        path = [(v * (length / 2 - 0.12), 0.0, height * 0.62 + 0.22 * height * v * v) for v in s]
        b.add(tube(path, [0.016] * 9, 6), m.METAL, GREY, crease_deg=60.0)


def add_sign_board(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a sign board."""
    add_rod(b, [(0, 0, 0), (0, 0, height * 0.98)], min(0.04, width * 0.3), STEEL)
    b.add(box((0, width * 0.2, height * 0.80), (length, width * 0.5, height * 0.40)), m.SIGN, BLUE)
    b.add(box((0, width * 0.22, height * 0.80), (length * 0.94, width * 0.52, height * 0.36)), m.SIGN, WHITE)
    b.add(box((0, width * 0.235, height * 0.80), (length * 0.91, width * 0.52, height * 0.34)), m.SIGN, BLUE)
    for k, z in enumerate((0.88, 0.80, 0.72)):
        b.add(
            box(
                (-length * 0.08 + 0.05 * k, width * 0.25, height * z),
                (length * (0.55 - 0.1 * k), width * 0.53, height * 0.035),
            ),
            m.SIGN,
            WHITE,
        )


def add_warning_sign(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a warning sign."""
    r = length * 0.5
    tri = [(-r, height - r * 1.74), (r, height - r * 1.74), (0.0, height)]
    small = [(-r * 0.72, height - r * 1.60), (r * 0.72, height - r * 1.60), (0.0, height - r * 0.32)]
    b.add(side_panel(tri, -0.02, 0.02), m.SIGN, RED)
    b.add(side_panel(small, -0.025, 0.025), m.SIGN, WHITE)
    b.add(box((0, 0, height - r * 1.05), (0.09, 0.056, r * 0.5)), m.SIGN, (24, 24, 26))
    b.add(box((0, 0, height - r * 1.45), (0.09, 0.056, 0.09)), m.SIGN, (24, 24, 26))
    for x in (-0.3, 0.3):
        for y in (-1.0, 1.0):
            add_rod(
                b, [(x * length, 0, height - r * 1.7), (x * length * 1.2, y * (width / 2 - 0.03), 0.02)], 0.02, DARK
            )


PAPER_DEEP, PAPER_WIDE, PAPER_FROM, PAPER_TO = 0.90, 0.94, 0.07, 0.975
"""An advertisement's paper: its distance between both faces, its width and its heights, as shares of the board."""


def add_advert(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a city-light board without its picture: foot and a thin frame around what carries the paper."""
    b.add(box((0, 0, height * 0.03), (length * 0.62, width, height * 0.06)), m.METAL, DARK)
    b.add(box((0, 0, height * 0.53), (length, width * 0.84, height * 0.94)), m.METAL, STEEL)
    middle, tall = height * (PAPER_FROM + PAPER_TO) / 2, height * (PAPER_TO - PAPER_FROM)
    b.add(box((0, 0, middle), (length * PAPER_WIDE, width * PAPER_DEEP, tall)), m.SIGN, (206, 206, 202))


def add_machine(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a machine."""
    color = ((170, 34, 38), (40, 80, 140), (60, 62, 66))[int(rng.integers(3))]
    b.add(box((0, 0, height / 2), (length * 0.96, width, height)), m.PLASTIC, color)
    b.add(
        box((length * 0.47, -width * 0.1, height * 0.62), (length * 0.06, width * 0.62, height * 0.56)),
        m.LIT_SIGN,
        (210, 226, 232),
    )
    for k in range(4):
        b.add(
            box((length * 0.49, -width * 0.1, height * (0.42 + 0.13 * k)), (length * 0.02, width * 0.58, 0.02)),
            m.PLASTIC,
            DARK,
        )
    b.add(
        box((length * 0.48, width * 0.34, height * 0.55), (length * 0.04, width * 0.14, height * 0.2)), m.PLASTIC, DARK
    )
    b.add(box((length * 0.48, 0, height * 0.16), (length * 0.04, width * 0.6, height * 0.1)), m.PLASTIC, DARK)


def add_mailbox(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a mailbox."""
    b.add(box((0, 0, height * 0.2), (0.08, 0.08, height * 0.4)), m.METAL, DARK)
    b.add(box((0, 0, height * 0.62), (length, width, height * 0.5)), m.PLASTIC, (222, 180, 30))
    angle = np.linspace(0, np.pi, 8)
    arch = [(width / 2 * np.cos(a), height * 0.87 + height * 0.13 * np.sin(a)) for a in angle]
    b.add(
        side_panel(arch, -length / 2, length / 2)[..., [1, 0, 2]][:, ::-1], m.PLASTIC, (222, 180, 30), crease_deg=40.0
    )
    b.add(box((length * 0.49, 0, height * 0.78), (0.03, width * 0.7, 0.04)), m.PLASTIC, DARK)


def add_bus_stop(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a bus stop."""
    across = width > length
    long, deep = max(length, width), min(length, width)

    def put(part: np.ndarray, material, color) -> None:  # type: ignore[no-untyped-def]
        b.add(moved(part, yaw_deg=90.0) if across else part, material, color)

    put(box((0, 0, height - 0.06), (long, deep, 0.12)), m.METAL, DARK)
    for x in (-0.47, 0.0, 0.47):
        put(box((x * long, -deep * 0.42, height / 2), (0.08, 0.08, height)), m.METAL, STEEL)
    for x in (-0.25, 0.25):
        put(box((x * long, -deep * 0.42, height * 0.55), (long * 0.42, 0.02, height * 0.62)), m.GLASS, (120, 138, 146))
    for x in (-0.485, 0.485):
        put(box((x * long, 0.0, height * 0.55), (0.02, deep * 0.8, height * 0.62)), m.GLASS, (120, 138, 146))
    put(box((0, -deep * 0.2, 0.46), (long * 0.7, 0.36, 0.05)), m.MATT, WOOD)
    for x in (-0.3, 0.3):
        put(box((x * long, -deep * 0.2, 0.22), (0.06, 0.3, 0.44)), m.METAL, DARK)
    put(box((long * 0.35, deep * 0.38, height * 0.94), (0.5, 0.06, 0.3)), m.SIGN, YELLOW)


def add_kiosk(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a kiosk."""
    r = length * 0.44
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False) + np.pi / 8
    b.add(prism(np.column_stack([r * np.cos(angle), r * np.sin(angle)]), 0, height * 0.72), m.PAINT, (36, 74, 62))
    b.add(box((r * 0.75, 0, height * 0.42), (r * 0.5, r * 0.7, height * 0.26)), m.GLASS, (64, 76, 84))
    b.add(
        lathe(
            [
                (0, height * 0.70),
                (length / 2, height * 0.70),
                (length / 2, height * 0.76),
                (length * 0.2, height * 0.92),
                (0.05, height * 0.94),
                (0.0, height),
            ],
            8,
        ),
        m.METAL,
        (60, 104, 92),
        crease_deg=30.0,
    )


def add_food_cart(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a food cart."""
    b.add(box((0, 0, height * 0.34), (length * 0.8, width * 0.78, height * 0.42)), m.PAINT, (196, 60, 48))
    b.add(box((0, 0, height * 0.56), (length * 0.86, width * 0.82, 0.06)), m.METAL, STEEL)
    for x in (-0.38, 0.38):
        for y in (-0.38, 0.38):
            add_rod(b, [(x * length, y * width, height * 0.55), (x * length, y * width, height * 0.86)], 0.03)
    for k in range(8):
        y = -width / 2 + width * (k + 0.5) / 8
        b.add(
            box((0, y, height * 0.92), (length, width / 8, height * 0.16), (0.3, 1.0)), m.CLOTH, RED if k % 2 else WHITE
        )
    for y in (-0.3, 0.3):
        for x in (-1.0, 1.0):
            r = height * 0.12
            b.add(
                lathe([(0, -0.05), (r, -0.05), (r, 0.05), (0, 0.05)], 12, (x * length * 0.3, y * width, r), axis="y"),
                m.PLASTIC,
                DARK,
            )


def add_traffic_warning(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """A trailer with an arrow board, as road works use them."""
    b.add(box((0, 0, 0.5), (length * 0.8, width * 0.5, 0.14)), m.METAL, YELLOW)
    for y in (-1.0, 1.0):
        wheel = lathe([(0, -0.09), (0.3, -0.09), (0.3, 0.09), (0, 0.09)], 14, (0, y * width * 0.32, 0.3), axis="y")
        b.add(wheel, m.PLASTIC, DARK)
    add_rod(b, [(0, 0, 0.5), (0, 0, height * 0.6)], 0.06, DARK)
    b.add(box((0, 0, height * 0.72), (0.1, width, height * 0.56)), m.SIGN, DARK)
    for k in range(-4, 5):
        for z in (0.0, 1.0, -1.0):
            if z and abs(k) not in (2, 3):
                continue
            lamp = ellipsoid((0.06, k * width * 0.1, height * 0.72 + z * height * 0.1), (0.03, 0.08, 0.08), 8, 4)
            b.add(lamp, m.LIT_SIGN, (250, 190, 60))
    add_rod(b, [(0, 0, 0.5), (length * 0.5, 0, 0.5)], 0.05, DARK)


def add_street_fountain(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a street fountain."""
    b.add(box((-length * 0.2, 0, height / 2), (length * 0.6, width * 0.5, height), (0.8, 0.8)), m.METAL, (60, 78, 66))
    b.add(
        lathe(
            [(0, 0), (width * 0.4, 0), (width * 0.5, height * 0.12), (width * 0.44, height * 0.12), (0, height * 0.08)],
            14,
        ),
        m.METAL,
        (60, 78, 66),
        crease_deg=40.0,
    )
    add_rod(b, [(0, 0, height * 0.7), (length * 0.3, 0, height * 0.7), (length * 0.34, 0, height * 0.62)], 0.02)


def add_fountain(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a fountain."""
    r = length / 2
    stone: Color = (176, 170, 160)
    b.add(
        lathe([(r, 0), (r, height * 0.10), (r * 0.93, height * 0.10), (r * 0.93, height * 0.04)], 24),
        m.CONCRETE,
        stone,
        crease_deg=40.0,
    )
    b.add(lathe([(r * 0.94, height * 0.075), (0, height * 0.075)], 24), m.GLASS, (92, 130, 150), tag=Tag.WATER)
    shares = [
        (0.16, 0.05),
        (0.10, 0.25),
        (0.08, 0.40),
        (0.42, 0.48),
        (0.42, 0.50),
        (0.06, 0.49),
        (0.05, 0.70),
        (0.24, 0.76),
        (0.22, 0.78),
        (0.04, 0.77),
        (0.06, 0.92),
        (0.0, 1.0),
    ]
    profile = [(r * wide, height * tall) for wide, tall in shares]
    b.add(lathe(profile, 18), m.CONCRETE, stone, crease_deg=40.0)


def add_calibrator(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a calibrator."""
    for i in range(8):
        for k in range(4):
            at = (length * (-0.5 + (i + 0.5) / 8), width * (-0.5 + (k + 0.5) / 4), height / 2)
            b.add(box(at, (length / 8, width / 4, height)), m.SIGN, WHITE if (i + k) % 2 else (20, 20, 20))

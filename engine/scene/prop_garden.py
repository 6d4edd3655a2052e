"""Props of gardens and parks: pots, tables, toys, trees."""

from __future__ import annotations

import numpy as np

from engine.scene import materials as m
from engine.scene import trees
from engine.scene.builder import MeshBuilder
from engine.scene.prop_parts import (
    BLUE,
    DARK,
    GREEN,
    GREY,
    RED,
    STEEL,
    TERRACOTTA,
    WHITE,
    WOOD,
    YELLOW,
    add_legs,
    add_rod,
)
from engine.scene.shapes import box, ellipsoid, lathe, side_panel, two_faced
from foundation.ids import Tag


def add_pot(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a pot."""
    long = max(length, width) / min(length, width) > 1.5
    bowl = height * 0.55
    if long:
        b.add(box((0, 0, bowl / 2), (length * 0.92, width * 0.86, bowl), (1.08, 1.14)), m.MATT, TERRACOTTA)
        count = max(2, int(length / max(width, 0.2)))
        for k in range(count):
            x = -length / 2 + length * (k + 0.5) / count
            part = trees.lumpy(
                (x, 0, bowl + (height - bowl) * 0.45),
                (length / count * 0.55, width * 0.46, (height - bowl) * 0.6),
                rng,
                7,
                4,
            )
            b.add(part, m.LEAVES, trees.shaded(part, (84, 118, 56)), tag=Tag.VEGETATION, crease_deg=50.0)
        return
    r = length / 2
    b.add(
        lathe([(0, 0), (r * 0.62, 0), (r * 0.9, bowl * 0.9), (r, bowl * 0.9), (r, bowl), (0, bowl * 0.96)], 14),
        m.MATT,
        TERRACOTTA,
        crease_deg=40.0,
    )
    part = trees.lumpy((0, 0, bowl + (height - bowl) * 0.42), (r * 0.85, r * 0.85, (height - bowl) * 0.6), rng, 9, 5)
    b.add(part, m.LEAVES, trees.shaded(part, (78, 116, 54)), tag=Tag.VEGETATION, crease_deg=50.0)


def add_table(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a table."""
    top = min(height, 0.78)
    b.add(box((0, 0, top - 0.03), (length * 0.5, width * 0.5, 0.06)), m.MATT, WOOD)
    add_legs(b, length * 0.46, width * 0.46, top - 0.05, WOOD, 0.06)
    for side in (-1.0, 1.0):
        b.add(box((side * length * 0.41, 0, 0.45), (length * 0.18, width * 0.8, 0.05)), m.MATT, WOOD)
        for y in (-0.3, 0.3):
            b.add(box((side * length * 0.41, y * width, 0.22), (0.08, 0.08, 0.44)), m.MATT, WOOD)
    b.add(box((0, 0, 0.42), (0.08, width, 0.06)), m.MATT, WOOD)
    if height > 1.5:  # with a parasol
        add_rod(b, [(0, 0, 0), (0, 0, height)], 0.025, WHITE)
        b.add(
            two_faced(lathe([(length / 2, height * 0.84), (0, height * 0.99)], 8)),
            m.CLOTH,
            (206, 80, 60),
            crease_deg=20.0,
        )


def add_map_table(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a map table."""
    add_legs(b, length * 0.8, width * 0.5, height * 0.8, DARK, 0.07)
    board = side_panel(
        [(-width / 2, height * 0.78), (width / 2, height * 0.94), (width / 2, height), (-width / 2, height * 0.84)],
        -length / 2,
        length / 2,
    )
    b.add(board[..., [1, 0, 2]][:, ::-1], m.SIGN, (200, 210, 180))


def add_chair(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a chair."""
    seat = height * 0.38
    b.add(box((0, 0, seat), (length * 0.9, width * 0.9, 0.05)), m.PLASTIC, WHITE)
    add_legs(b, length * 0.95, width * 0.95, seat, WHITE, 0.045)
    b.add(
        box((-length * 0.45, 0, (seat + height) / 2), (0.05, width * 0.8, height - seat), (1.0, 0.8)), m.PLASTIC, WHITE
    )
    for y in (-0.47, 0.47):
        b.add(box((0, y * width, seat + 0.22), (length * 0.9, 0.05, 0.04)), m.PLASTIC, WHITE)
        b.add(box((length * 0.4, y * width, seat + 0.1), (0.04, 0.05, 0.24)), m.PLASTIC, WHITE)


def add_swing_frame(b: MeshBuilder, length: float, width: float, height: float, seats: int) -> None:
    """Add a swing frame."""
    for x in (-0.47, 0.47):
        for y in (-0.47, 0.47):
            add_rod(b, [(x * length, y * width, 0), (x * length * 0.94, 0, height * 0.97)], 0.045, RED)
    add_rod(b, [(-length * 0.47, 0, height * 0.97), (length * 0.47, 0, height * 0.97)], 0.045, RED)
    for k in range(seats):
        x = length * (-0.2 + 0.4 * k) if seats > 1 else 0.0
        for dx in (-0.2, 0.2):
            add_rod(b, [(x + dx, 0, height * 0.95), (x + dx, 0.02, 0.5)], 0.01, GREY)
        b.add(box((x, 0, 0.5), (0.46, 0.2, 0.04)), m.PLASTIC, DARK)


def add_swing(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a swing."""
    add_swing_frame(b, length, width, height, 2)


def add_swing_couch(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a swing couch."""
    for y in (-0.48, 0.48):
        for x in (-0.47, 0.47):
            add_rod(b, [(x * length, y * width, 0), (0, y * width, height * 0.94)], 0.03, DARK)
    b.add(box((0, 0, height * 0.97), (length, width, height * 0.06), (0.8, 0.9)), m.CLOTH, GREEN)
    b.add(box((0, 0, 0.5), (length * 0.42, width * 0.8, 0.14)), m.CLOTH, (196, 184, 150))
    b.add(box((-length * 0.2, 0, 0.78), (0.12, width * 0.8, 0.5)), m.CLOTH, (196, 184, 150))


def add_slide(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a slide."""
    deck = height * 0.7
    for x in (-0.4, 0.4):
        for y in (-0.48, -0.30):
            add_rod(b, [(x * length, y * width, 0), (x * length, y * width, height)], 0.035, BLUE)
    b.add(box((0, -width * 0.39, deck), (length * 0.9, width * 0.2, 0.05)), m.PLASTIC, YELLOW)
    chute = [
        (-width * 0.29, deck),
        (width * 0.35, 0.3),
        (width * 0.5, 0.26),
        (width * 0.5, 0.20),
        (width * 0.34, 0.22),
        (-width * 0.29, deck - 0.08),
    ]
    for low, high, color in (
        (-length * 0.3, length * 0.3, RED),
        (-length * 0.34, -length * 0.3, YELLOW),
        (length * 0.3, length * 0.34, YELLOW),
    ):
        lift = 0.0 if color == RED else 0.12
        part = side_panel([(y, z + lift * (i < 3)) for i, (y, z) in enumerate(chute)], low, high)
        b.add(part[..., [1, 0, 2]][:, ::-1], m.PLASTIC, color)
    for k in range(5):
        b.add(box((0, -width * 0.485, deck * (k + 0.6) / 5), (length * 0.8, 0.04, 0.04)), m.METAL, STEEL)


def add_trampoline(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a trampoline."""
    r = length / 2
    b.add(two_faced(lathe([(r * 0.9, 0.8), (0, 0.8)], 20)), m.CLOTH, (30, 30, 34))
    b.add(lathe([(r * 0.88, 0.78), (r, 0.78), (r, 0.84), (r * 0.88, 0.84)], 20), m.CLOTH, BLUE, crease_deg=40.0)
    for k in range(8):
        a = 2 * np.pi * k / 8
        add_rod(b, [(r * np.cos(a), r * np.sin(a), 0), (r * np.cos(a), r * np.sin(a), height)], 0.03)
    b.add(two_faced(lathe([(r * 0.97, height - 0.06), (r * 0.97, height)], 20)), m.CLOTH, BLUE)


def add_pergola(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a pergola."""
    add_legs(b, length * 0.92, width * 0.92, height, WOOD, 0.16)
    for y in (-0.44, 0.44):
        b.add(box((0, y * width, height - 0.22), (length, 0.10, 0.2)), m.MATT, WOOD)
    for k in range(12):
        b.add(box((length * (-0.46 + 0.92 * k / 11), 0, height - 0.06), (0.07, width, 0.12)), m.MATT, WOOD)


def add_clothesline(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a clothesline."""
    for x in (-0.49, 0.49):
        add_rod(b, [(x * length, 0, 0), (x * length, 0, height)], 0.04)
        add_rod(b, [(x * length, -width / 2, height * 0.97), (x * length, width / 2, height * 0.97)], 0.03)
    for y in (-0.4, 0.4):
        add_rod(
            b, [(-length * 0.49, y * width, height * 0.97), (length * 0.49, y * width, height * 0.97)], 0.006, WHITE
        )
        for k in range(4):
            cloth = box((length * (-0.34 + 0.22 * k), y * width, height * 0.72), (0.62, 0.015, height * 0.46))
            b.add(cloth, m.CLOTH, [WHITE, (120, 150, 190), (200, 120, 110), (220, 206, 150)][(k + (y > 0)) % 4])


def add_dog_house(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a dog house."""
    b.add(box((0, 0, height * 0.33), (length * 0.9, width * 0.84, height * 0.66)), m.MATT, WOOD)
    roof = side_panel(
        [
            (-width / 2, height * 0.58),
            (0, height * 0.94),
            (width / 2, height * 0.58),
            (width / 2, height * 0.66),
            (0, height),
            (-width / 2, height * 0.66),
        ],
        -length / 2,
        length / 2,
    )
    b.add(roof[..., [1, 0, 2]][:, ::-1], m.MATT, (128, 56, 44))
    gable = side_panel(
        [(-width * 0.42, height * 0.6), (width * 0.42, height * 0.6), (0, height * 0.92)], -length * 0.45, length * 0.45
    )
    b.add(gable[..., [1, 0, 2]][:, ::-1], m.MATT, WOOD)
    b.add(box((length * 0.45, 0, height * 0.28), (0.02, width * 0.4, height * 0.5)), m.MATT, (24, 20, 18))


def add_hay(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a hay."""
    r = height / 2
    b.add(
        lathe(
            [
                (0, -width / 2),
                (r * 0.9, -width / 2),
                (r, -width * 0.4),
                (r, width * 0.4),
                (r * 0.9, width / 2),
                (0, width / 2),
            ],
            16,
            (0, 0, r),
            axis="y",
        ),
        m.MATT,
        (196, 164, 84),
        crease_deg=40.0,
    )


def add_gnome(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a gnome."""
    b.add(
        lathe(
            [
                (0, 0),
                (length * 0.5, 0),
                (length * 0.46, height * 0.3),
                (length * 0.28, height * 0.5),
                (0, height * 0.5),
            ],
            12,
        ),
        m.MATT,
        BLUE,
        crease_deg=50.0,
    )
    b.add(
        ellipsoid((0, 0, height * 0.57), (length * 0.3, width * 0.3, height * 0.12), 10, 6),
        m.SKIN,
        (226, 180, 150),
        crease_deg=60.0,
    )
    b.add(
        ellipsoid((length * 0.12, 0, height * 0.47), (length * 0.24, width * 0.28, height * 0.13), 8, 5),
        m.MATT,
        WHITE,
        crease_deg=60.0,
    )
    b.add(
        lathe([(0, height * 0.62), (length * 0.34, height * 0.62), (length * 0.2, height * 0.8), (0, height)], 12),
        m.MATT,
        RED,
        crease_deg=50.0,
    )


def add_garden_lamp(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a garden lamp."""
    add_rod(b, [(0, 0, 0), (0, 0, height * 0.6)], 0.03, DARK)
    b.add(
        lathe(
            [(0, height * 0.58), (length * 0.3, height * 0.6), (length * 0.4, height * 0.86), (0, height * 0.86)], 10
        ),
        m.STREET_LAMP,
        (250, 240, 200),
        crease_deg=50.0,
    )
    b.add(
        lathe([(length * 0.5, height * 0.86), (length * 0.3, height * 0.94), (0, height)], 10),
        m.METAL,
        DARK,
        crease_deg=50.0,
    )


def add_barbecue(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a barbecue."""
    add_legs(b, length * 0.6, width * 0.8, height * 0.6, DARK, 0.04)
    b.add(box((0, 0, height * 0.66), (length * 0.66, width * 0.96, height * 0.16)), m.METAL, DARK)
    b.add(
        ellipsoid((0, 0, height * 0.74), (length * 0.33, width * 0.48, height * 0.25), 12, 6),
        m.METAL,
        (150, 36, 34),
        crease_deg=60.0,
    )
    for x in (-0.42, 0.42):
        b.add(box((x * length, 0, height * 0.68), (length * 0.16, width * 0.8, 0.03)), m.MATT, WOOD)


def add_palm(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a palm."""
    trees.add_palm(b, height, min(length, width), rng)


def add_cypress(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a cypress."""
    trees.add_cypress(b, height, min(length, width), rng)


def add_broadleaf(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a broadleaf."""
    trees.add_tree(b, "maple", height, rng)

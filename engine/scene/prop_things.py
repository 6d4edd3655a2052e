"""Things that lie about: boxes, bags, cases, rubbish."""

from __future__ import annotations

import itertools

import numpy as np

from engine.scene import materials as m
from engine.scene import trees
from engine.scene.builder import MeshBuilder
from engine.scene.prop_parts import BLUE, CARDBOARD, DARK, GREEN, GREY, RED, TERRACOTTA, WHITE, add_rod
from engine.scene.shapes import box, ellipsoid, lathe, prism, tube, two_faced


def add_barrel(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a barrel."""
    r = length / 2
    profile = [(0, 0), (r * 0.94, 0), (r, 0.03 * height)]
    for k in (0.33, 0.66):
        profile += [(r * 0.95, height * (k - 0.03)), (r, height * k), (r * 0.95, height * (k + 0.03))]
    b.add(
        lathe([*profile, (r, height * 0.97), (r * 0.94, height), (r * 0.94, height * 0.97), (0, height * 0.97)], 16),
        m.METAL,
        BLUE,
        crease_deg=40.0,
    )


def add_crate(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a crate."""
    b.add(box((0, 0, height / 2), (length, width, height)), m.MATT, CARDBOARD)
    b.add(box((0, 0, height / 2), (length * 1.002, width * 0.12, height * 1.002)), m.PLASTIC, (196, 168, 120))


def add_flat_box(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a flat box."""
    b.add(box((0, 0, height / 2), (length, width, height), (0.94, 0.94)), m.MATT, CARDBOARD)
    b.add(box((length * 0.1, 0, height * 0.95), (length * 0.5, width * 0.06, height * 0.1)), m.MATT, (150, 116, 76))


def add_suitcase(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a suitcase."""
    color = ((40, 44, 52), (120, 40, 44), (50, 84, 110))[int(rng.integers(3))]
    body = height * 0.84
    b.add(box((0, 0, body / 2 + 0.02), (length, width, body - 0.04), (0.96, 0.9)), m.PLASTIC, color)
    b.add(box((0, 0, body / 2), (length * 1.01, width * 0.1, body * 0.98)), m.PLASTIC, DARK)
    add_rod(
        b,
        [
            (-length * 0.15, 0, body),
            (-length * 0.15, 0, height - 0.01),
            (length * 0.15, 0, height - 0.01),
            (length * 0.15, 0, body),
        ],
        0.012,
        DARK,
    )


def add_bag(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a bag."""
    color = ((30, 32, 34), (210, 212, 214), (90, 110, 80))[int(rng.integers(3))]
    part = trees.lumpy((0, 0, height * 0.42), (length / 2, width / 2, height * 0.42), rng, 9, 6, 0.10)
    part[..., 2] = np.maximum(part[..., 2], 0.0)
    b.add(part, m.PLASTIC, color, crease_deg=40.0)
    b.add(
        lathe(
            [
                (length * 0.06, height * 0.78),
                (length * 0.05, height * 0.88),
                (length * 0.14, height),
                (0, height * 0.95),
            ],
            8,
        ),
        m.PLASTIC,
        color,
        crease_deg=60.0,
    )


def add_handbag(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a handbag."""
    color = ((120, 70, 40), (40, 40, 44), (150, 36, 44), (220, 214, 196))[int(rng.integers(4))]
    b.add(box((0, 0, height * 0.3), (length, width, height * 0.6), (0.7, 0.88)), m.PLASTIC, color)
    angle = np.linspace(0, np.pi, 9)
    path = [(0.0, width * 0.28 * np.cos(a), height * 0.58 + height * 0.41 * np.sin(a)) for a in angle]
    b.add(tube(path, [0.012] * 9, 6, side_hint=(1, 0, 0)), m.PLASTIC, color, crease_deg=60.0)


def add_shopping_cart(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a shopping cart."""
    corners = [(-0.40, -0.42), (0.40, -0.42), (0.46, 0.36), (-0.46, 0.36)]
    for z, size in ((0.46, 0.86), (0.66, 0.93), (0.86, 1.0)):
        ring = [(x * length * size, y * width * size, height * z) for x, y in [*corners, corners[0]]]
        for a, c in itertools.pairwise(ring):
            add_rod(b, [a, c], 0.012)
    for x, y in corners:
        add_rod(
            b, [(x * length * 0.86, y * width * 0.86, height * 0.46), (x * length, y * width, height * 0.86)], 0.012
        )
        add_rod(b, [(x * length * 0.8, y * width * 0.8, height * 0.46), (x * length * 0.9, y * width, 0.1)], 0.014)
        b.add(ellipsoid((x * length * 0.9, y * width, 0.06), (0.02, 0.06, 0.06), 8, 5), m.PLASTIC, DARK)
    b.add(two_faced(box((0, -0.02, height * 0.47), (length * 0.7, width * 0.66, 0.01))), m.METAL, GREY)
    add_rod(b, [(-length * 0.5, width * 0.48, height * 0.98), (length * 0.5, width * 0.48, height * 0.98)], 0.02, RED)
    for x in (-0.46, 0.46):
        add_rod(b, [(x * length, width * 0.36, height * 0.86), (x * length, width * 0.48, height * 0.98)], 0.014)


def add_trolley(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a trolley."""
    b.add(
        box((0.03, 0, height * 0.36), (length * 0.72, width * 0.95, height * 0.62), (0.9, 0.94)), m.CLOTH, (60, 84, 120)
    )
    for y in (-0.35, 0.35):
        add_rod(b, [(-length * 0.42, y * width, 0.1), (-length * 0.45, y * width, height * 0.97)], 0.014)
        b.add(
            lathe(
                [(0, -0.02), (0.09, -0.02), (0.09, 0.02), (0, 0.02)],
                10,
                (-length * 0.3, y * width * 1.3, 0.09),
                axis="y",
            ),
            m.PLASTIC,
            DARK,
        )
    add_rod(
        b, [(-length * 0.46, -width * 0.36, height * 0.98), (-length * 0.46, width * 0.36, height * 0.98)], 0.016, DARK
    )


def add_helmet(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a helmet."""
    part = ellipsoid((0, 0, 0), (length / 2, width / 2, height), 12, 8)
    part[..., 2] = np.maximum(part[..., 2], 0.0)
    b.add(part, m.PAINT, (190, 40, 44), crease_deg=60.0)
    b.add(
        ellipsoid((length * 0.2, 0, height * 0.4), (length * 0.32, width * 0.45, height * 0.16), 10, 4),
        m.GLASS,
        (30, 34, 38),
        crease_deg=60.0,
    )


def add_guitar_case(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a guitar case."""
    lobes = [(-0.27, 0.5, 0.23), (0.02, 0.36, 0.16), (0.3, 0.13, 0.22)]
    for x, tall, half in lobes:
        part = lathe([(0, -width / 2), (1, -width / 2), (1, width / 2), (0, width / 2)], 16, axis="y") * np.array(
            [half * length, 1.0, tall * height]
        )
        b.add(part + np.array([x * length, 0, height / 2]), m.PLASTIC, (34, 32, 32), crease_deg=30.0)


def add_can(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a can."""
    r = length / 2
    b.add(
        lathe([(0, 0), (r * 0.8, 0), (r, height * 0.08), (r, height * 0.9), (r * 0.8, height), (0, height)], 12),
        m.METAL,
        (190, 28, 34),
        crease_deg=40.0,
    )


def add_watering_can(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a watering can."""
    r = length / 2
    b.add(lathe([(0, 0), (r, 0), (r * 0.9, height * 0.8), (0, height * 0.8)], 12), m.METAL, GREEN, crease_deg=40.0)
    add_rod(b, [(0, r * 0.8, height * 0.2), (0, width * 0.7, height * 0.9)], 0.008, GREEN)
    add_rod(b, [(0, -r * 0.9, height * 0.3), (0, -width * 0.3, height * 0.7), (0, 0, height)], 0.006, GREEN)


def add_slab(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a slab."""
    b.add(box((0, 0, height / 2), (length, width, height), (0.98, 0.98)), m.PLASTIC, GREY)


def add_phone(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a phone."""
    b.add(box((0, 0, height / 2), (length, width, height)), m.PLASTIC, (24, 24, 28))
    b.add(box((0, width * 0.05, height * 0.53), (length * 0.9, width, height * 0.84)), m.GLASS, (50, 60, 74))


def add_tile(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a tile."""
    angle = np.sort(rng.uniform(0.0, 2.0 * np.pi, 3)) * 0.3 + np.array([0.0, 2.1, 4.2])
    b.add(
        prism(np.column_stack([length / 2 * np.cos(angle), width / 2 * np.sin(angle)]), 0.0, height), m.MATT, TERRACOTTA
    )


def add_heap(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a heap."""
    part = trees.lumpy((0, 0, 0), (length / 2, width / 2, height), rng, 12, 6, 0.25)
    part[..., 2] = np.maximum(part[..., 2], 0.0)
    b.add(part, m.CONCRETE, (124, 104, 80), crease_deg=30.0)


def add_garbage(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a garbage."""
    if height < 0.02:
        add_slab(b, length, width, height, rng)
        return
    part = trees.lumpy((0, 0, height / 2), (length / 2, width / 2, height / 2), rng, 7, 5, 0.2)
    b.add(part, m.PLASTIC, ((206, 204, 196), (150, 40, 40), (60, 100, 70))[int(rng.integers(3))], crease_deg=20.0)


def add_garbage_platform(b: MeshBuilder, length: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Add a garbage platform."""
    for k in range(16):
        size = rng.uniform(0.15, 0.45, 3) * np.array([1.0, 1.0, height])
        at = ((rng.random() - 0.5) * (length - size[0]), (rng.random() - 0.5) * (width - size[1]), size[2] / 2)
        color = (CARDBOARD, (60, 62, 66), WHITE, (90, 120, 90))[k % 4]
        b.add(box(at, tuple(size), (0.8, 0.8)), m.MATT, color)

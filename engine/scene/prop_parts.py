"""Colours and small parts that props share, and the form of their makers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.scene import materials as m
from engine.scene.builder import Color, MeshBuilder
from engine.scene.shapes import box, tube

Maker = Callable[[MeshBuilder, float, float, float, np.random.Generator], None]
"""Builds a prop of about (length, width, height) metres at the origin, standing on z = 0."""

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


def add_legs(b: MeshBuilder, length: float, width: float, top: float, color: Color, thick: float = 0.05) -> None:
    """Add four square legs below a top of length x width at height ``top``."""
    for x in (-1.0, 1.0):
        for y in (-1.0, 1.0):
            b.add(
                box((x * (length - thick) / 2, y * (width - thick) / 2, top / 2), (thick, thick, top)), m.PLASTIC, color
            )


def add_rod(b: MeshBuilder, points: list[tuple[float, float, float]], radius: float, color: Color = STEEL) -> None:
    """Add a round rod along points."""
    b.add(tube(points, [radius] * len(points), 7), m.METAL, color, crease_deg=60.0)

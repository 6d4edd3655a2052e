"""Wheels: tyre, rim and spokes on a spinning joint, front ones steered."""

from __future__ import annotations

import numpy as np

from engine.scene.builder import Color, MeshBuilder
from engine.scene.materials import METAL, PLASTIC
from engine.scene.shapes import lathe, mirrored
from foundation.ids import Tag

TYRE: Color = (22.0, 22.0, 23.0)
RIM: Color = (176.0, 179.0, 184.0)
WELL: Color = (40.0, 41.0, 43.0)

WHEEL_JOINTS = ("wheel_fl", "wheel_fr", "wheel_rl", "wheel_rr")


def add_wheel(
    builder: MeshBuilder,
    joint: str,
    center: tuple[float, float, float],
    radius: float,
    width: float,
    *,
    rim_share: float = 0.64,
    spokes: int = 5,
    rim_color: Color = RIM,
    tag: Tag | None = None,
) -> None:
    """Add a wheel of ``width`` on ``joint``, its axis along y, its outer face away from the middle plane.

    The spokes are painted sectors of the dished rim, so that one can see the wheel turn.
    """
    half, rim = width / 2.0, radius * rim_share
    sides = spokes * 4
    tyre = [
        (0.0, -half * 0.8),
        (rim, -half * 0.9),
        (radius * 0.93, -half),
        (radius, -half * 0.72),
        (radius, half * 0.72),
        (radius * 0.93, half),
        (rim, half * 0.92),
    ]
    dish = [(rim, half * 0.92), (rim * 0.9, half * 0.72), (rim * 0.24, half * 0.84), (0.0, half * 0.84)]
    outward = 1.0 if center[1] >= 0.0 else -1.0

    def placed(profile: list[tuple[float, float]]) -> np.ndarray:
        surface = lathe(profile, sides, axis="y")
        if outward < 0.0:
            surface = mirrored(surface)
        return surface + np.asarray(center)

    builder.add(placed(tyre), PLASTIC, TYRE, joint=joint, tag=tag, crease_deg=50.0)
    sector = np.arange(sides) % 4 < 2
    shade = np.where(sector[None, :, None], rim_color, WELL)
    bands = np.broadcast_to(shade, (3, sides, 3)).copy()
    bands[0], bands[2] = rim_color, rim_color
    builder.add(
        placed(dish),
        METAL,
        np.repeat(bands.reshape(-1, 3), 2, axis=0),
        joint=joint,
        tag=tag,
        crease_deg=50.0,
    )

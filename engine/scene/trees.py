"""Low-poly trees of several species; also the tree props. Right-handed frame, standing on z = 0."""

from __future__ import annotations

import numpy as np

from engine.scene.builder import Color, MeshBuilder
from engine.scene.materials import BARK, LEAVES
from engine.scene.shapes import Floats, ellipsoid, lathe, tube, two_faced
from foundation.ids import Tag

TRUNK: Color = (96.0, 78.0, 60.0)
BIRCH: Color = (206.0, 204.0, 196.0)

SPECIES = ("linden", "maple", "birch", "poplar", "pine", "spruce")
"""Species that streets and woods are planted with."""

GREENS: dict[str, tuple[Color, ...]] = {
    "linden": ((88, 114, 61), (102, 126, 70), (78, 102, 57)),
    "maple": ((73, 94, 54), (105, 119, 65), (124, 115, 62)),
    "birch": ((115, 138, 81), (126, 146, 89), (105, 128, 74)),
    "poplar": ((80, 106, 62), (90, 114, 67), (74, 96, 57)),
    "pine": ((61, 79, 52), (69, 87, 57), (55, 73, 49)),
    "spruce": ((46, 67, 48), (54, 75, 53), (42, 60, 45)),
}


def lumpy(center: tuple[float, float, float], radii: tuple[float, float, float], rng: np.random.Generator,
          sides: int = 8, rings: int = 5, rough: float = 0.16) -> Floats:  # fmt: skip
    """Return an ellipsoid whose surface swells and dents: a clump of leaves."""
    shape = ellipsoid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), sides, rings)
    flat = shape.reshape(-1, 3)
    keys, place = np.unique(np.round(flat, 5), axis=0, return_inverse=True)
    swell = 1.0 + rng.uniform(-rough, rough, len(keys))
    return (flat * swell[place.reshape(-1)][:, None]).reshape(-1, 3, 3) * np.array(radii) + np.array(center)


def shaded(part: Floats, color: Color) -> Floats:
    """Return (T, 3, 3) corner colours: darker below, lighter above, as a crown shades itself."""
    z = part[..., 2]
    share = (z - z.min()) / max(float(np.ptp(z)), 1e-6)
    return np.asarray(color, dtype=np.float64) * (0.62 + 0.48 * share)[..., None]


def add_tree(builder: MeshBuilder, species: str, height: float, rng: np.random.Generator) -> None:
    """Add a tree of ``SPECIES`` with a crown of 100 to 200 triangles, its trunk at the origin."""
    greens = GREENS[species]
    green = greens[int(rng.integers(len(greens)))]
    if species in ("pine", "spruce"):
        _conifer(builder, species, height, green, rng)
        return
    slim = {"linden": 0.30, "maple": 0.36, "birch": 0.22, "poplar": 0.13}[species]
    bole = height * {"linden": 0.24, "maple": 0.22, "birch": 0.28, "poplar": 0.12}[species]
    radius = 0.016 * height + 0.05
    lean = rng.uniform(-0.02, 0.02, 2) * height
    top = (float(lean[0]), float(lean[1]), bole + 0.35 * height)
    trunk = tube([(0, 0, 0), (top[0] * 0.3, top[1] * 0.3, bole * 0.6), top], [radius * 1.35, radius, radius * 0.4], 7)
    builder.add(trunk, BARK, BIRCH if species == "birch" else TRUNK, crease_deg=60.0)
    crown = height - bole
    middle = bole + crown * 0.5
    clumps = [((top[0] * 0.5, top[1] * 0.5, middle), (slim * height, slim * height, crown * 0.5))]
    for k in range(0 if species == "poplar" else 2):
        angle = rng.uniform(0.0, 2.0 * np.pi) + np.pi * k
        off = slim * height * 0.55
        center = (off * np.cos(angle), off * np.sin(angle), bole + crown * rng.uniform(0.32, 0.50))
        clumps.append((center, (slim * height * 0.62, slim * height * 0.62, crown * 0.27)))
    for index, (center, radii) in enumerate(clumps):
        sides, rings = (9, 6) if index == 0 else (7, 4)
        part = lumpy(center, radii, rng, sides, rings)
        builder.add(part, LEAVES, shaded(part, green), crease_deg=50.0)


def _conifer(builder: MeshBuilder, species: str, height: float, green: Color, rng: np.random.Generator) -> None:
    radius = 0.012 * height + 0.05
    trunk = tube([(0, 0, 0), (0, 0, height * 0.5), (0, 0, height * 0.9)], [radius * 1.3, radius, radius * 0.3], 7)
    builder.add(trunk, BARK, (112.0, 80.0, 58.0), crease_deg=60.0)
    if species == "pine":
        for k in range(3):
            angle = rng.uniform(0.0, 2.0 * np.pi)
            off = 0.07 * height
            center = (off * np.cos(angle), off * np.sin(angle), height * (0.62 + 0.13 * k))
            part = lumpy(center, (0.19 * height * (1.1 - 0.2 * k),) * 2 + (0.13 * height,), rng, 8, 4)
            builder.add(part, LEAVES, shaded(part, green), crease_deg=50.0)
        return
    low, tiers = height * 0.10, 4
    for k in range(tiers):
        z0 = low + (height - low) * 0.78 * k / tiers
        z1 = z0 + (height - low) * (0.42 - 0.03 * k)
        wide = 0.21 * height * (1.0 - 0.21 * k)
        part = lathe([(0.0, z0 + 0.04 * height), (wide, z0), (wide * 0.45, (z0 + z1) / 2.0), (0.0, min(z1, height))], 9)
        builder.add(part, LEAVES, shaded(part, green), crease_deg=40.0)


def add_palm(builder: MeshBuilder, height: float, spread: float, rng: np.random.Generator) -> None:
    """Add a coconut palm: a leaning ringed trunk and drooping fronds."""
    top = height * 0.84
    bend = 0.05 * height
    path = [(bend * s * s - bend * 0.4, 0.0, top * s) for s in np.linspace(0.0, 1.0, 7)]
    builder.add(tube(path, np.linspace(0.30, 0.17, 7), 8), BARK, (128.0, 112.0, 92.0), crease_deg=60.0)
    crown = np.array(path[-1])
    for k in range(13):
        angle = 2.0 * np.pi * k / 13.0 + rng.uniform(-0.1, 0.1)
        rise = height - top if k % 3 == 0 else (height - top) * 0.55
        out = np.array([np.cos(angle), np.sin(angle), 0.0])
        side = np.array([-np.sin(angle), np.cos(angle), 0.0])
        reach = spread / 2.0
        line = [
            crown + out * reach * s + np.array([0, 0, rise * np.sin(np.pi * min(s * 1.15, 1.0)) - 0.14 * height * s**3])
            for s in np.linspace(0.0, 1.0, 6)
        ]
        half = np.array([0.12, 0.5, 0.62, 0.55, 0.36, 0.04]) * spread * 0.085
        left = np.array([p + side * h - np.array([0, 0, h * 0.5]) for p, h in zip(line, half)])
        right = np.array([p - side * h - np.array([0, 0, h * 0.5]) for p, h in zip(line, half)])
        spine = np.array(line)
        blade = []
        for one, other in ((right, spine), (spine, left)):
            for i in range(5):
                blade += [[one[i], one[i + 1], other[i + 1]], [one[i], other[i + 1], other[i]]]
        builder.add(two_faced(np.array(blade)), LEAVES, (88.0, 124.0, 52.0), crease_deg=60.0)
    for k in range(4):
        angle = np.pi / 2.0 * k
        nut = ellipsoid(tuple(crown + np.array([0.28 * np.cos(angle), 0.28 * np.sin(angle), -0.2])), (0.16,) * 3, 6, 4)
        builder.add(nut, BARK, (96.0, 70.0, 44.0), crease_deg=60.0)


def add_cypress(builder: MeshBuilder, height: float, spread: float, rng: np.random.Generator) -> None:
    """Add a cypress: a slender flame of dark green."""
    builder.add(tube([(0, 0, 0), (0, 0, height * 0.12)], [0.22, 0.18], 7), BARK, TRUNK, crease_deg=60.0)
    part = lumpy((0.0, 0.0, height * 0.53), (spread / 2.0, spread / 2.0, height * 0.47), rng, 10, 9, 0.10)
    builder.add(part, LEAVES, shaded(part, (46.0, 74.0, 44.0)), crease_deg=50.0)


def tree_builder() -> MeshBuilder:
    """Return an empty builder for a tree."""
    return MeshBuilder(Tag.VEGETATION)

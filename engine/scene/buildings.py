"""Buildings: houses, town houses, blocks of flats, offices, halls. Walls with windows and doors, roofs, chimneys.

A building's origin is the middle of its front at ground level; x runs along the street, y away from it (right-handed
frame), so the front looks to -y. Foundations reach 1.5 m into the ground, for slopes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.geometry import Material, Model
from engine.scene import materials as m
from engine.scene.builder import Color, MeshBuilder, shade
from engine.scene.shapes import Floats, box, grid, polygon, prism
from foundation.ids import Tag
from foundation.seeds import generator

FOUNDATION_M = 1.5

WALLS: tuple[Color, ...] = (
    (222, 212, 190), (206, 186, 150), (196, 160, 124), (172, 120, 100), (152, 98, 84), (214, 214, 208), (184, 190, 192),
    (170, 178, 160), (218, 196, 146), (150, 154, 160), (198, 160, 144), (188, 198, 208),
)  # fmt: skip
TRIMS: tuple[Color, ...] = ((236, 234, 228), (92, 74, 58), (70, 78, 84), (224, 220, 208))
ROOFS: tuple[Color, ...] = ((134, 84, 70), (112, 72, 62), (86, 78, 76), (104, 92, 84), (70, 74, 80))
DOORS: tuple[Color, ...] = ((96, 54, 38), (44, 70, 60), (52, 62, 92), (120, 36, 34), (70, 70, 72))
AWNINGS: tuple[Color, ...] = ((150, 40, 40), (40, 90, 70), (46, 70, 120), (190, 150, 60), (90, 60, 90))
GLASS: Color = (58.0, 70.0, 80.0)
LIT: Color = (74.0, 78.0, 78.0)


@dataclass(frozen=True)
class Plan:
    """What a building is like; equal plans share one model.

    Attributes:
        kind: "house", "townhouse", "flats", "office", "hall".
        width, depth: of the main body, metres, along and away from the street.
        storeys: number of floors.
        look: number that colours, roof and details are drawn from.
    """

    kind: str
    width: float
    depth: float
    storeys: int
    look: int

    @property
    def storey_m(self) -> float:
        """Height of a floor."""
        return {"house": 2.8, "townhouse": 3.1, "flats": 2.9, "office": 3.5, "hall": 6.0}[self.kind]


def draw_plan(rng: np.random.Generator, mood: str) -> Plan:
    """Return a random plan for a street's mood: "centre", "row", "garden" or "trade"."""
    share = rng.random()
    if mood == "garden":
        kind = "house"
    elif mood == "trade":
        kind = "hall" if share < 0.6 else "office"
    elif mood == "centre":
        kind = "office" if share < 0.35 else "flats" if share < 0.7 else "townhouse"
    else:
        kind = "townhouse" if share < 0.6 else "flats"
    sizes: dict[str, tuple[tuple[float, ...], tuple[float, ...], tuple[int, int]]] = {
        "house": ((9.0, 11.0, 13.0), (8.5, 10.0), (1, 2)),
        "townhouse": ((8.0, 10.0, 12.0, 15.0), (11.0,), (2, 4)),
        "flats": ((16.0, 20.0, 25.0), (12.0, 14.0), (4, 6)),
        "office": ((18.0, 24.0), (15.0,), (4, 8)),
        "hall": ((24.0, 32.0), (18.0,), (1, 1)),
    }
    widths, depths, (low, high) = sizes[kind]
    return Plan(
        kind,
        float(rng.choice(widths)),
        float(rng.choice(depths)),
        int(rng.integers(low, high + 1)),
        int(rng.integers(12)),
    )


@lru_cache(maxsize=1024)
def building_model(plan: Plan) -> Model:
    """Return the model of a plan; the same plan always looks the same."""
    rng = generator(0, "building", plan.kind, str(plan.width), str(plan.depth), plan.storeys, plan.look)
    builder = MeshBuilder(Tag.BUILDINGS)
    _Works(builder, plan, rng).build()
    return builder.model(f"building_{plan.kind}_{plan.width:.0f}x{plan.depth:.0f}x{plan.storeys}_{plan.look}")


def footprint(plan: Plan) -> tuple[float, float, float, float]:
    """Return (x low, x high, y low, y high) of everything that touches the ground, steps and wings included."""
    wing = 5.0 if _has_wing(plan) else 0.0
    return -plan.width / 2.0, plan.width / 2.0, -0.9, plan.depth + wing


def _has_wing(plan: Plan) -> bool:
    """Say whether a building is L-shaped: a wing at the back."""
    return plan.kind in ("house", "flats") and plan.look % 3 == 0


class _Works:
    """Builds one plan into a builder."""

    def __init__(self, builder: MeshBuilder, plan: Plan, rng: np.random.Generator) -> None:
        self.builder, self.plan, self.rng = builder, plan, rng
        self.wall = WALLS[plan.look % len(WALLS)]
        self.trim = self._pick(TRIMS)
        self.roof = self._pick(ROOFS)
        brick = sum(self.wall) < 440 and plan.kind in ("house", "townhouse", "flats")
        self.wall_material = m.BRICK if brick else m.PLASTER
        self.eaves = plan.storeys * plan.storey_m + 0.35

    def _pick(self, choices: tuple[Color, ...]) -> Color:
        return choices[int(self.rng.integers(len(choices)))]

    def put(self, part: Floats, material: Material, color: Color) -> None:
        self.builder.add(part, material, color, crease_deg=0.0)

    def build(self) -> None:
        """Add everything."""
        plan = self.plan
        half, depth, top = plan.width / 2.0, plan.depth, self.eaves
        outline = [(-half, 0.0), (half, 0.0), (half, depth), (-half, depth)]
        if _has_wing(plan):
            outline = [(-half, 0.0), (half, 0.0), (half, depth), (half * 0.1, depth), (half * 0.1, depth + 5.0),
                       (-half, depth + 5.0)]  # fmt: skip
        self._walls(outline, top)
        self._plinth(outline)
        pitched = plan.kind in ("house", "townhouse") or (plan.kind == "flats" and plan.look % 2 == 0)
        if pitched:
            self._gable(-half, half, 0.0, depth, top, chimney=True)
            if _has_wing(plan):
                self._gable_along(-half, half * 0.1, depth - 0.5, depth + 5.0, top)
        else:
            self._flat_roof(outline, top)
        for number, (a, b) in enumerate(zip(outline, [*outline[1:], outline[0]])):
            self._facade(np.array(a), np.array(b), front=number == 0)

    def _walls(self, outline: list[tuple[float, float]], top: float) -> None:
        ring = np.array(outline)
        foot = np.column_stack([ring, np.full(len(ring), -FOUNDATION_M)])
        head = np.column_stack([ring, np.full(len(ring), top)])
        self.put(grid(np.stack([foot, head]), closed=True), self.wall_material, self.wall)

    def _plinth(self, outline: list[tuple[float, float]]) -> None:
        ring = np.array(outline)
        middle = ring.mean(axis=0)
        wide = middle + (ring - middle) * (1.0 + 0.05 / np.abs(ring - middle).max())
        shade: Color = (118.0, 114.0, 108.0)
        foot = np.column_stack([wide, np.full(len(wide), -FOUNDATION_M)])
        head = np.column_stack([wide, np.full(len(wide), 0.35)])
        self.put(grid(np.stack([foot, head]), closed=True), m.CONCRETE, shade)

    def _gable(self, west: float, east: float, south: float, north: float, top: float, chimney: bool) -> None:
        """Add a saddle roof with its ridge along the street."""
        rise = (north - south) * 0.5 * (0.62 + 0.16 * (self.plan.look % 3))
        over, ridge, middle = 0.45, top + rise, (south + north) / 2.0
        slope = rise / (middle - south)
        low = top - over * slope
        reach = (west - 0.3, east + 0.3)
        for y, inner in ((south - over, middle), (north + over, middle)):
            a, b = (reach[0], y, low), (reach[1], y, low)
            c, d = (reach[1], inner, ridge), (reach[0], inner, ridge)
            face = polygon([a, b, c, d]) if y < inner else polygon([b, a, d, c])
            self.put(face + np.array([0.0, 0.0, 0.12]), m.ROOF, self.roof)
            self.put(face[:, ::-1], m.MATT, self.trim)
            edge = polygon([a, b, (reach[1], y, low + 0.12), (reach[0], y, low + 0.12)])
            self.put(edge if y < inner else edge[:, ::-1], m.MATT, self.trim)
        for end, at in ((-1.0, west), (1.0, east)):
            gable = polygon([(at, north, top), (at, south, top), (at, middle, ridge)])
            self.put(gable if end < 0.0 else gable[:, ::-1], self.wall_material, self.wall)
            x, thick = at + end * 0.3, 0.12
            peak, peak_top = (x, middle, ridge), (x, middle, ridge + thick)
            far, far_top = (x, north + over, low), (x, north + over, low + thick)
            near, near_top = (x, south - over, low), (x, south - over, low + thick)
            verge = polygon([far, peak, peak_top, far_top])
            other = polygon([peak, near, near_top, peak_top])
            for piece in (verge, other):
                self.put(piece if end < 0.0 else piece[:, ::-1], m.MATT, self.trim)
        if chimney:
            at_x = west + (east - west) * (0.25 if self.plan.look % 2 else 0.72)
            stack = box((at_x, middle + 0.8, ridge - 0.1), (0.7, 0.6, 1.9))
            self.put(stack, m.BRICK, (146.0, 94.0, 80.0))
            self.put(box((at_x, middle + 0.8, ridge + 0.9), (0.8, 0.7, 0.12)), m.CONCRETE, (120.0, 116.0, 112.0))

    def _gable_along(self, west: float, east: float, south: float, north: float, top: float) -> None:
        """Add a saddle roof whose ridge runs away from the street, over a wing."""
        rise = (east - west) * 0.5 * 0.62
        middle, ridge, over = (west + east) / 2.0, top + rise, 0.35
        low = top - over * 0.62
        for x, sign in ((west - over, 1.0), (east + over, -1.0)):
            face = polygon(
                [(x, north + 0.3, low), (x, south, low), (middle, south, ridge), (middle, north + 0.3, ridge)]
            )
            face = face if sign > 0.0 else face[:, ::-1]
            self.put(face + np.array([0.0, 0.0, 0.1]), m.ROOF, self.roof)
            self.put(face[:, ::-1], m.MATT, self.trim)
        self.put(
            polygon([(east, north, top), (west, north, top), (middle, north, ridge)]), self.wall_material, self.wall
        )

    def _flat_roof(self, outline: list[tuple[float, float]], top: float) -> None:
        ring = np.array(outline)
        self.put(prism(ring, top - 0.05, top + 0.02, bottom=False), m.GRAVEL, (140.0, 138.0, 134.0))
        for a, b in zip(ring, np.roll(ring, -1, axis=0)):
            self.put(_bar(a, b, top - 0.1, top + 0.55, 0.28), m.CONCRETE, self.trim)
        half, depth = self.plan.width / 2.0, self.plan.depth
        for _ in range(2 if self.plan.kind != "house" else 0):
            size = self.rng.uniform(1.4, 3.2, 3)
            at = (
                self.rng.uniform(-half * 0.6, half * 0.6),
                self.rng.uniform(depth * 0.3, depth * 0.7),
                top + size[2] * 0.3,
            )
            self.put(box(at, (size[0], size[1], size[2] * 0.6)), m.METAL, (150.0, 152.0, 154.0))

    # Facades

    def _facade(self, a: Floats, b: Floats, front: bool) -> None:
        """Add windows, and on the front doors or shops, to the wall from ``a`` to ``b`` (outside on the right)."""
        along = b - a
        length = float(np.linalg.norm(along))
        along /= length
        if length < 3.0:
            return
        plan = self.plan
        # Narrow sides of houses in rows have few windows; the front has a door in one of its columns.
        pitch = {"house": 2.9, "townhouse": 2.5, "flats": 2.7, "office": 3.0, "hall": 4.5}[plan.kind]
        columns = max(1, int((length - 1.2) / pitch))
        if not front and plan.kind == "townhouse":
            columns = max(1, columns // 2)
        centers = length * (np.arange(columns) + 0.5) / columns
        shop = front and plan.kind in ("townhouse", "office") and plan.look % 2 == 0
        door_column = columns // 2 if plan.look % 2 else 0
        width, height, sill = {
            "house": (1.35, 1.35, 0.95),
            "townhouse": (1.15, 1.65, 0.85),
            "flats": (1.6, 1.4, 0.95),
            "office": (length / columns * 0.94, 1.75, 0.85),
            "hall": (2.6, 1.1, 3.6),
        }[plan.kind]
        frames, panes = [], []
        for storey in range(plan.storeys):
            base = 0.35 + storey * plan.storey_m
            for number, center in enumerate(centers):
                ground_door = front and storey == 0 and (shop or number == door_column)
                if ground_door:
                    continue
                frames.append(
                    (
                        center - width / 2 - 0.09,
                        center + width / 2 + 0.09,
                        base + sill - 0.09,
                        base + sill + height + 0.09,
                    )
                )
                panes.append((center - width / 2, center + width / 2, base + sill, base + sill + height))
        self._panels(a, along, frames, 0.03, m.PLASTIC, self.trim)
        if panes:
            lit = self.rng.random(len(panes)) < 0.3
            chosen = np.array(panes)
            self._panels(a, along, chosen[~lit], 0.06, m.WINDOW, GLASS)
            self._panels(a, along, chosen[lit], 0.06, m.LIT_WINDOW, LIT)
        if shop:
            self._shop(a, along, length)
        elif front:
            self._door(a, along, float(centers[door_column]))
        if front and plan.kind == "flats":
            self._balconies(a, along, centers)

    def _panels(self, a: Floats, along: Floats, areas: object, out: float, material: Material, color: Color) -> None:
        """Add upright rectangles (from, to, low, high) on a wall, ``out`` metres before it."""
        rows = np.asarray(areas, dtype=np.float64).reshape(-1, 4)
        if not len(rows):
            return
        normal = np.array([along[1], -along[0]])

        def corner(u: Floats, z: Floats) -> Floats:
            flat = a + u[:, None] * along + out * normal
            return np.column_stack([flat, z])

        p = corner(rows[:, 0], rows[:, 2])
        q = corner(rows[:, 1], rows[:, 2])
        r = corner(rows[:, 1], rows[:, 3])
        s = corner(rows[:, 0], rows[:, 3])
        self.put(np.concatenate([np.stack([p, q, r], axis=1), np.stack([p, r, s], axis=1)]), material, color)

    def _slab(self, a: Floats, along: Floats, u: tuple[float, float], z: tuple[float, float], depth: float,
              material: Material, color: Color) -> None:  # fmt: skip
        """Add a box standing out of the wall by ``depth``."""
        normal = np.array([along[1], -along[0]])
        start, end = a + along * u[0] + normal * depth / 2.0, a + along * u[1] + normal * depth / 2.0
        self.put(_bar(start, end, z[0], z[1], depth), material, color)

    def _door(self, a: Floats, along: Floats, center: float) -> None:
        wide = {"house": 1.0, "townhouse": 1.1, "flats": 1.8, "office": 2.6, "hall": 4.0}[self.plan.kind]
        tall = 3.6 if self.plan.kind == "hall" else 2.15
        color = self._pick(DOORS)
        self._panels(
            a,
            along,
            [(center - wide / 2 - 0.12, center + wide / 2 + 0.12, 0.0, 0.3 + tall + 0.12)],
            0.06,
            m.PLASTIC,
            self.trim,
        )
        self._panels(a, along, [(center - wide / 2, center + wide / 2, 0.3, 0.3 + tall)], 0.09, m.PLASTIC, color)
        self._panels(
            a,
            along,
            [(center - wide * 0.28, center + wide * 0.28, 0.3 + tall * 0.55, 0.3 + tall * 0.9)],
            0.12,
            m.WINDOW,
            GLASS,
        )
        self._slab(
            a,
            along,
            (center - wide / 2 - 0.3, center + wide / 2 + 0.3),
            (-0.6, 0.30),
            0.55,
            m.CONCRETE,
            (150.0, 146.0, 140.0),
        )
        self._slab(
            a,
            along,
            (center - wide / 2 - 0.3, center + wide / 2 + 0.3),
            (-0.6, 0.15),
            0.85,
            m.CONCRETE,
            (150.0, 146.0, 140.0),
        )
        if self.plan.kind != "hall":
            self._slab(
                a,
                along,
                (center - wide / 2 - 0.35, center + wide / 2 + 0.35),
                (0.42 + tall, 0.52 + tall),
                0.8,
                m.PLASTIC,
                self.trim,
            )

    def _shop(self, a: Floats, along: Floats, length: float) -> None:
        door = (0.6, 1.7)
        self._panels(a, along, [(0.35, length - 0.35, 0.1, 2.85)], 0.03, m.PLASTIC, (66.0, 68.0, 70.0))
        panes = [(2.0 + (length - 2.6) * k / 3, 2.0 + (length - 2.6) * (k + 0.94) / 3, 0.5, 2.7) for k in range(3)]
        self._panels(a, along, panes, 0.06, m.LIT_WINDOW, (88.0, 96.0, 100.0))
        self._panels(a, along, [(*door, 0.1, 2.5)], 0.06, m.WINDOW, GLASS)
        color = self._pick(AWNINGS)
        self._slab(a, along, (0.3, length - 0.3), (2.9, 3.3), 0.14, m.PLASTIC, color)
        normal = np.array([along[1], -along[0]])
        u0, u1 = a + along * 1.8, a + along * (length - 0.4)
        inner0, inner1 = np.array([*u0, 2.9]), np.array([*u1, 2.9])
        outer0, outer1 = np.array([*(u0 + normal * 1.1), 2.5]), np.array([*(u1 + normal * 1.1), 2.5])
        sheet = polygon([outer0, outer1, inner1, inner0])
        self.put(sheet, m.CLOTH, color)
        self.put(sheet[:, ::-1], m.CLOTH, shade(color, 0.7))
        self._slab(a, along, (0.3, length - 0.3), (-0.6, 0.1), 0.35, m.CONCRETE, (150.0, 146.0, 140.0))

    def _balconies(self, a: Floats, along: Floats, centers: Floats) -> None:
        for storey in range(1, self.plan.storeys):
            base = 0.35 + storey * self.plan.storey_m
            for center in centers[1::3]:
                u = (float(center) - 1.35, float(center) + 1.35)
                self._slab(a, along, u, (base - 0.14, base), 1.25, m.CONCRETE, (196.0, 192.0, 186.0))
                normal = np.array([along[1], -along[0]])
                start, end = a + along * u[0] + normal * 1.22, a + along * u[1] + normal * 1.22
                self.put(_bar(start, end, base + 0.05, base + 1.0, 0.05), m.PLASTIC, self.trim)


def _bar(a: Floats, b: Floats, low: float, high: float, thick: float) -> Floats:
    """Return a box whose middle line runs from ``a`` to ``b`` in plan."""
    along = (b - a) / np.linalg.norm(b - a)
    side = np.array([-along[1], along[0]]) * thick / 2.0
    return prism(np.stack([a - side, b - side, b + side, a + side]), low, high)

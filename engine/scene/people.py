"""People: bodies of smooth tubes on thirteen joints, with hair and clothes drawn from the seed.

Right-handed frame, origin at half height, feet on z = -height / 2. One material for everything, so that a person is
one mesh per joint; skin, hair and clothes differ by vertex colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.blueprints.specs import WalkerSpec
from engine.geometry import Material
from engine.scene.builder import Color, MeshBuilder, shade
from engine.scene.gait import HIP_HALF_SHARE, hip_share
from engine.scene.materials import CLOTH
from engine.scene.shapes import Floats, box, ellipsoid, mirrored, moved, tube
from foundation.ids import Tag
from foundation.seeds import generator

SKINS: tuple[Color, ...] = (
    (236, 196, 168),
    (222, 176, 143),
    (196, 144, 108),
    (150, 104, 74),
    (104, 70, 50),
    (82, 55, 41),
)
HAIRS: tuple[Color, ...] = ((28, 22, 20), (58, 40, 28), (96, 66, 40), (150, 112, 64), (196, 160, 100), (120, 52, 30))
GREY_HAIR: Color = (188, 188, 186)
TOPS: tuple[Color, ...] = (
    (176, 40, 44), (38, 66, 120), (60, 112, 78), (214, 214, 210), (40, 42, 48), (206, 152, 50), (112, 74, 120),
    (74, 128, 158), (150, 96, 66), (110, 114, 116), (196, 98, 110), (52, 84, 60),
)  # fmt: skip
BOTTOMS: tuple[Color, ...] = ((42, 54, 84), (34, 34, 40), (92, 86, 78), (128, 112, 88), (60, 74, 98), (72, 60, 52))
SHOES: tuple[Color, ...] = ((28, 26, 26), (84, 56, 38), (210, 208, 204), (120, 40, 40), (50, 60, 80))
POLICE_BLUE: Color = (30, 38, 66)
HIGH_VISIBILITY: Color = (206, 222, 40)


@dataclass(frozen=True)
class Outfit:
    """What somebody wears: colours, and which garments."""

    skin: Color
    hair: Color
    top: Color
    bottom: Color
    shoe: Color
    skirt: bool = False
    shorts: bool = False
    long_sleeves: bool = True
    jacket: bool = False
    long_hair: bool = False
    cap: Color | None = None
    backpack: Color | None = None
    vest: Color | None = None


def outfit_of(spec: WalkerSpec, seed: int, top: Color | None = None) -> Outfit:
    """Return the clothes of a walker; the same blueprint and seed always wear the same."""
    rng = generator(seed, "outfit", spec.id)
    child, female = spec.age == "child", spec.gender == "female"

    def pick(choices: tuple[Color, ...]) -> Color:
        return choices[int(rng.integers(len(choices)))]

    skin, hair, shirt, bottom, shoe = pick(SKINS), pick(HAIRS), pick(TOPS), pick(BOTTOMS), pick(SHOES)
    skirt_draw, shorts_draw, sleeve_draw, jacket_draw, hair_draw, cap_draw, pack_draw = rng.random(7)
    cap_color, pack_color = pick(TOPS), pick(TOPS)
    if getattr(spec, "police", False):
        return Outfit(
            skin, hair, POLICE_BLUE, POLICE_BLUE, SHOES[0], cap=POLICE_BLUE, vest=HIGH_VISIBILITY, jacket=True
        )
    skirt = female and skirt_draw < 0.35
    return Outfit(
        skin=skin,
        hair=GREY_HAIR if spec.age == "elderly" else hair,
        top=shirt if top is None else top,
        bottom=shirt if skirt and skirt_draw < 0.12 else bottom,
        shoe=shoe,
        skirt=skirt,
        shorts=not skirt and shorts_draw < (0.45 if child else 0.15),
        long_sleeves=bool(sleeve_draw < 0.62),
        jacket=bool(jacket_draw < 0.4),
        long_hair=female and bool(hair_draw < 0.7),
        cap=cap_color if cap_draw < (0.25 if child else 0.10) else None,
        backpack=pack_color if pack_draw < (0.5 if child else 0.18) else None,
    )


@dataclass(frozen=True)
class Figure:
    """Measures of a body, metres above the ground unless named otherwise."""

    height: float
    head: float
    hip: float
    knee: float
    ankle: float
    waist: float
    shoulder: float
    chin: float
    hip_half: float
    shoulder_half: float
    upper_arm: float
    forearm: float
    girth: float
    female: bool

    @classmethod
    def of(cls, height: float, female: bool) -> Figure:
        """Return adult or child proportions by height: heads grow less than legs do.

        Head heights follow the drawing canon of 7.5 heads for adults and about 5.5 for a child of 1.1 m.
        """
        head = height * float(np.interp(height, [0.9, 1.1, 1.3, 1.7], [0.205, 0.182, 0.160, 0.131]))
        hip = hip_share(height) * height
        chin = height - head
        shoulder = chin - 0.048 * height
        arm = shoulder - 0.455 * hip_share(height) / 0.52 * height
        return cls(
            height=height,
            head=head,
            hip=hip,
            knee=hip * 0.535,
            ankle=0.043 * height,
            waist=hip + 0.085 * height,
            shoulder=shoulder,
            chin=chin,
            hip_half=HIP_HALF_SHARE * height,
            shoulder_half=(0.079 if female else 0.084) * height,
            upper_arm=arm * 0.50,
            forearm=arm * 0.42,
            girth=float(np.interp(height, [1.0, 1.7], [1.12, 1.0])),
            female=female,
        )


def add_person_joints(builder: MeshBuilder, figure: Figure, base: float) -> None:
    """Add the thirteen joints of a standing body whose soles are at z = ``base``."""
    f = figure
    builder.joint("pelvis", (0.0, 0.0, base + f.hip + 0.02 * f.height))
    builder.joint("spine", (0.0, 0.0, base + f.waist), "pelvis")
    builder.joint("neck", (-0.004 * f.height, 0.0, base + f.chin - 0.03 * f.height), "spine")
    for side, sign in (("l", 1.0), ("r", -1.0)):
        shoulder = (0.0, sign * f.shoulder_half, base + f.shoulder)
        builder.joint(f"shoulder_{side}", shoulder, "spine")
        builder.joint(f"elbow_{side}", (0.0, shoulder[1], shoulder[2] - f.upper_arm), f"shoulder_{side}")
    for side, sign in (("l", 1.0), ("r", -1.0)):
        y = sign * f.hip_half
        builder.joint(f"hip_{side}", (0.0, y, base + f.hip), "pelvis")
        builder.joint(f"knee_{side}", (0.0, y, base + f.knee), f"hip_{side}")
        builder.joint(f"ankle_{side}", (0.0, y, base + f.ankle), f"knee_{side}")


class _Body:
    """Adds body parts to a builder; keeps what every part needs."""

    def __init__(self, builder: MeshBuilder, figure: Figure, outfit: Outfit, base: float, tag: Tag) -> None:
        self.builder, self.figure, self.outfit, self.base, self.tag = builder, figure, outfit, base, tag
        self.material: Material = CLOTH

    def put(self, part: Floats, color: Color, joint: str) -> None:
        self.builder.add(
            part + np.array([0.0, 0.0, self.base]), self.material, color, joint=joint, tag=self.tag, crease_deg=75.0
        )

    def column(self, sections: list[tuple[float, float, float, float]], sides: int = 10) -> Floats:
        """Return a tube upwards through (z, half width, half depth, x) sections, in metres."""
        path = [(x, 0.0, z) for z, _, _, x in sections]
        return tube(path, [(width, depth) for _, width, depth, _ in sections], sides)

    def torso(self) -> None:
        f, o, h = self.figure, self.outfit, self.figure.height
        g = f.girth * h
        hips = 0.093 if f.female else 0.087
        waist = 0.068 if f.female else 0.078
        crotch = f.hip - 0.055 * h
        trousers = [
            (crotch, 0.055 * g, 0.050 * g, 0.0),
            (f.hip - 0.01 * h, hips * g, 0.064 * g, -0.004 * h),
            (f.hip + 0.035 * h, (hips - 0.004) * g, 0.062 * g, -0.003 * h),
            (f.waist, (waist - 0.008) * g, 0.046 * g, 0.0),
        ]
        self.put(self.column(trousers), o.bottom, "pelvis")
        chest = 0.5 * (f.waist + f.shoulder)
        rows = [
            (f.waist - 0.02 * h, waist * g * 1.02, 0.056 * g, 0.0),
            (f.waist + 0.035 * h, waist * g * 1.04, 0.057 * g, 0.001 * h),
            (chest + 0.01 * h, 0.086 * g, (0.068 if f.female else 0.064) * g, 0.005 * h),
            (chest + 0.05 * h, 0.090 * g, 0.063 * g, 0.002 * h),
            (f.shoulder + 0.002 * h, 0.086 * g, 0.050 * g, -0.004 * h),
            (f.shoulder + 0.026 * h, 0.052 * g, 0.038 * g, -0.006 * h),
            (f.shoulder + 0.036 * h, 0.030 * g, 0.029 * g, -0.006 * h),
        ]
        if o.jacket or not o.skirt:
            hem = f.hip - (0.035 * h if o.jacket else -0.012 * h)
            rows.insert(0, (f.hip + 0.04 * h, (hips + 0.004) * g, 0.068 * g, -0.003 * h))
            rows.insert(0, (hem, (hips + 0.009) * g, 0.071 * g, -0.003 * h))
        self.put(self.column(rows), o.top, "spine")
        if o.vest is not None:
            vest = [(z, w * 1.04, d * 1.06, x) for z, w, d, x in rows[-6:-2]]
            self.put(self.column(vest), o.vest, "spine")
            belt = [(chest - 0.03 * h + dz, 0.094 * g, 0.072 * g, 0.003 * h) for dz in (0.0, 0.022 * h)]
            self.put(self.column(belt), (220.0, 222.0, 224.0), "spine")
        if o.backpack is not None:
            pack = [(-0.098 * g, 0.0, chest + dz * h) for dz in (-0.085, -0.075, 0.045, 0.075, 0.085)]
            size = np.array([(0.055, 0.035), (0.070, 0.048), (0.068, 0.045), (0.050, 0.034), (0.020, 0.016)]) * g
            self.put(tube(pack, size, 8), o.backpack, "spine")
            pocket = box((-0.145 * g, 0.0, chest - 0.035 * h), (0.03 * g, 0.095 * g, 0.065 * h))
            self.put(pocket, shade(o.backpack, 0.8), "spine")
        if o.skirt:
            skirt = [
                (f.knee + 0.045 * h, 0.114 * g, 0.150 * g, 0.012 * h),
                (f.knee + 0.125 * h, 0.105 * g, 0.122 * g, 0.010 * h),
                (f.hip, (hips + 0.006) * g, 0.072 * g, 0.0),
                (f.waist + 0.012 * h, waist * g * 1.03, 0.057 * g, 0.0),
            ]
            self.put(self.column(skirt, 12), o.bottom, "pelvis")

    def head(self) -> None:
        f, o = self.figure, self.outfit
        d = f.head
        bottom = f.chin
        self.put(
            tube(
                [(-0.01 * d, 0, bottom - 0.42 * d), (0.0, 0, bottom + 0.25 * d)],
                [(0.235 * d, 0.235 * d), (0.225 * d, 0.235 * d)],
                8,
            ),
            o.skin,
            "neck",
        )
        # Face: a tube from chin to crown, narrower at the chin; a cap of hair around its back and top.
        face = [
            (bottom, 0.13 * d, 0.12 * d, 0.16 * d),
            (bottom + 0.07 * d, 0.235 * d, 0.26 * d, 0.09 * d),
            (bottom + 0.25 * d, 0.315 * d, 0.365 * d, 0.04 * d),
            (bottom + 0.48 * d, 0.355 * d, 0.415 * d, 0.015 * d),
            (bottom + 0.70 * d, 0.345 * d, 0.41 * d, 0.0),
            (bottom + 0.88 * d, 0.25 * d, 0.30 * d, 0.0),
            (bottom + 0.965 * d, 0.11 * d, 0.14 * d, 0.0),
        ]
        self.put(self.column(face, 10), o.skin, "neck")
        nose = box((0.43 * d, 0.0, bottom + 0.42 * d), (0.10 * d, 0.10 * d, 0.15 * d), (0.4, 0.5))
        self.put(nose, shade(o.skin, 0.93), "neck")
        for sign in (1.0, -1.0):
            # Turned with the cheek, so that lids and brows lie level on the curved face.
            def on_face(size: tuple[float, float, float], z: float, out: float, sign: float = sign) -> Floats:
                flat = box((0.0, 0.0, 0.0), (size[0] * d, size[1] * d, size[2] * d))
                return moved(flat, ((0.362 + out) * d, sign * 0.15 * d, bottom + z * d), sign * 24.0)

            self.put(on_face((0.06, 0.10, 0.05), 0.53, 0.0), (214.0, 208.0, 200.0), "neck")
            self.put(on_face((0.06, 0.05, 0.05), 0.53, 0.004), (52.0, 40.0, 34.0), "neck")
            self.put(on_face((0.05, 0.13, 0.02), 0.61, 0.006), shade(o.hair, 0.8), "neck")
            ear = ellipsoid((-0.02 * d, sign * 0.355 * d, bottom + 0.46 * d), (0.06 * d, 0.035 * d, 0.10 * d), 6, 4)
            self.put(ear, o.skin, "neck")
        mouth = box((0.375 * d, 0.0, bottom + 0.225 * d), (0.05 * d, 0.13 * d, 0.022 * d))
        lips = (0.75 * o.skin[0] + 20.0, 0.58 * o.skin[1], 0.6 * o.skin[2])
        self.put(mouth, lips, "neck")
        self.hair(bottom, d)

    def hair(self, bottom: float, d: float) -> None:
        o = self.outfit
        crown = (-0.055 * d, 0.0, bottom + 0.655 * d)
        if o.cap is not None:
            self.put(
                ellipsoid((-0.01 * d, 0, bottom + 0.68 * d), (0.455 * d, 0.40 * d, 0.33 * d), 10, 6), o.cap, "neck"
            )
            brim = tube(
                [(0.20 * d, 0, bottom + 0.72 * d), (0.48 * d, 0, bottom + 0.70 * d), (0.66 * d, 0, bottom + 0.665 * d)],
                [(0.33 * d, 0.02 * d), (0.30 * d, 0.02 * d), (0.18 * d, 0.015 * d)],
                8,
            )
            self.put(brim, shade(o.cap, 0.8), "neck")
        # The shell is turned back, so that its front edge is the hair line and its back reaches the neck.
        shell = ellipsoid((0.0, 0.0, 0.0), (0.445 * d, 0.395 * d, 0.36 * d), 10, 7)
        turn = np.radians(18.0)
        cos, sin = np.cos(turn), np.sin(turn)
        rotation = np.array([[cos, 0.0, -sin], [0.0, 1.0, 0.0], [sin, 0.0, cos]])
        if o.cap is None:
            self.put(shell @ rotation.T + np.array([crown[0] - 0.02 * d, 0.0, crown[2]]), o.hair, "neck")
        back = ellipsoid((-0.17 * d, 0.0, bottom + 0.42 * d), (0.30 * d, 0.36 * d, 0.34 * d), 10, 6)
        self.put(back, o.hair, "neck")
        if o.long_hair:
            fall = [
                (bottom - 0.42 * d, 0.24 * d, 0.10 * d, -0.31 * d),
                (bottom - 0.05 * d, 0.37 * d, 0.19 * d, -0.27 * d),
                (bottom + 0.45 * d, 0.40 * d, 0.26 * d, -0.20 * d),
                (bottom + 0.80 * d, 0.28 * d, 0.20 * d, -0.12 * d),
            ]
            self.put(self.column(fall), o.hair, "neck")

    def arm(self, side: str) -> None:
        f, o, h = self.figure, self.outfit, self.figure.height
        g, y = f.girth * h, f.shoulder_half
        elbow, wrist = f.shoulder - f.upper_arm, f.shoulder - f.upper_arm - f.forearm
        upper = tube(
            [(0, y - 0.024 * h, f.shoulder + 0.017 * h), (0, y - 0.010 * h, f.shoulder + 0.009 * h),
             (0, y - 0.001 * h, f.shoulder - 0.010 * h), (0, y, f.shoulder - 0.05 * h),
             (0, y, elbow + 0.01 * h), (0, y, elbow - 0.012 * h)],
            np.array([0.013, 0.0235, 0.0275, 0.0265, 0.0215, 0.014]) * g,
        )  # fmt: skip
        sleeve = 0.0018 if o.long_sleeves else 0.0
        lower = tube(
            [(0, y, elbow + 0.014 * h), (0, y, elbow), (0, y, elbow - 0.04 * h), (0, y, wrist)],
            (np.array([0.015, 0.021, 0.0215, 0.0150]) + sleeve) * g,
        )
        hand = ellipsoid((0.006 * h, y - 0.002 * h, wrist - 0.042 * h), (0.020 * g, 0.0115 * g, 0.050 * h), 7, 5)
        flip = (lambda t: t) if side == "l" else mirrored
        self.put(flip(upper), o.top, f"shoulder_{side}")
        self.put(flip(lower), o.top if o.long_sleeves else o.skin, f"elbow_{side}")
        self.put(flip(hand), o.skin, f"elbow_{side}")

    def leg(self, side: str) -> None:
        f, o, h = self.figure, self.outfit, self.figure.height
        g, y = f.girth * h, f.hip_half
        bare = o.skirt or o.shorts
        thigh = tube(
            [(0, y, f.hip + 0.03 * h), (0, y, f.hip - 0.03 * h), (0, y, 0.5 * (f.hip + f.knee)),
             (0.003 * h, y, f.knee + 0.01 * h), (0, y, f.knee - 0.02 * h)],
            np.array([0.040, 0.0475, 0.0425, 0.0335, 0.022]) * g,
        )  # fmt: skip
        loose = 0.0 if bare else 0.0055
        shin = tube(
            [(0, y, f.knee + 0.024 * h), (0, y, f.knee), (-0.006 * h, y, f.knee - 0.07 * h),
             (0, y, f.ankle + 0.05 * h), (0, y, f.ankle - 0.004 * h)],
            (np.array([0.020, 0.0315, 0.0315, 0.0205, 0.0195]) + loose * np.array([0, 0.2, 0.3, 1.0, 1.3])) * g,
        )  # fmt: skip
        flip = (lambda t: t) if side == "l" else mirrored
        self.put(flip(thigh), o.skin if o.skirt else o.bottom, f"hip_{side}")
        self.put(flip(shin), o.skin if bare else o.bottom, f"knee_{side}")
        heel, toe, a = -0.038 * h, 0.105 * h, f.ankle
        shoe = tube(
            [(heel, y, 0.46 * a), (heel * 0.72, y, 0.62 * a), (0.0, y, 0.62 * a), (0.045 * h, y, 0.45 * a),
             (0.085 * h, y, 0.34 * a), (toe, y, 0.28 * a)],
            np.column_stack([
                np.array([0.014, 0.0215, 0.0225, 0.0255, 0.025, 0.012]) * g,
                np.array([0.46, 0.62, 0.62, 0.45, 0.34, 0.26]) * a,
            ]),
            8,
        )  # fmt: skip
        shoe[..., 2] = np.maximum(shoe[..., 2], 0.004 * h)
        sole = tube(
            [(heel, y, 0.005 * h), (heel * 0.7, y, 0.005 * h), (0.045 * h, y, 0.005 * h), (toe, y, 0.005 * h)],
            np.column_stack([np.array([0.015, 0.023, 0.027, 0.014]) * g, np.full(4, 0.005 * h)]),
            6,
        )
        self.put(flip(shoe), o.shoe, f"ankle_{side}")
        self.put(flip(sole), shade(o.shoe, 0.55), f"ankle_{side}")


def add_person(builder: MeshBuilder, figure: Figure, outfit: Outfit, base: float, tag: Tag) -> None:
    """Add the meshes of a standing person on joints added before; soles at z = ``base``."""
    body = _Body(builder, figure, outfit, base, tag)
    body.torso()
    body.head()
    for side in ("l", "r"):
        body.arm(side)
        body.leg(side)

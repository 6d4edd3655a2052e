"""Body styles as data: what makes a hatchback a hatchback. Lengths in metres, or in shares where said so."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.blueprints.specs import VehicleSpec

RING_SHARE = (0.0, 0.14, 0.36, 0.62, 0.80, 0.93, 1.0)
RING_WIDTH = (0.93, 0.985, 1.0, 1.0, 0.985, 0.955, 0.905)
RING_NOSE = (0.13, 0.03, 0.0, 0.012, 0.05, 0.11, 0.21)
RING_TAIL = (0.13, 0.04, 0.0, 0.01, 0.03, 0.06, 0.12)


@dataclass(frozen=True)
class BodyStyle:
    """Proportions of a lofted body.

    Attributes:
        clearance: height of the floor between the axles, m; ``overhang_rise``: how much higher the lower edges of
            the front and rear bumpers are, so that the tyres show below them.
        nose_height, cowl_height, rear_belt, tail_height: deck heights as shares of the full height: at the nose,
            at the foot of the windscreen, at the foot of the rear window, at the tail.
        bonnet, boot, screen, rear_screen: lengths as shares of the full length; screens as seen from above.
        doors: gaps between panels, as shares of the greenhouse from its rear foot to the windscreen's foot.
        posts: pillars between side windows, same shares; ``blind`` are spans without windows.
        nose_depth, tail_depth: m over which the ends round off; nose_power, tail_power their bluntness.
        nose_slant, tail_slant: scale of the profile's insets; 0 is a flat face.
        lamp_from, grille, intake, diffuser: shares of the half width where lamps begin, and where grille, intake and
            the dark part of the rear bumper end.
        mirrors: furthest a mirror may stick out, m; 0 for none.
    """

    clearance: float = 0.19
    overhang_rise: tuple[float, float] = (0.05, 0.12)
    nose_height: float = 0.47
    cowl_height: float = 0.63
    rear_belt: float = 0.66
    tail_height: float = 0.65
    bonnet: float = 0.25
    boot: float = 0.13
    screen: float = 0.15
    rear_screen: float = 0.15
    roof_width: float = 0.70
    roof_top: float = 1.0
    roof_edge: float = 0.075
    window_bottom: float = 0.08
    window_top: float = 0.84
    barrel: float = 0.14
    screen_bow: tuple[float, float] = (0.26, 0.16)
    rear_bow: tuple[float, float] = (0.20, 0.12)
    rear_pillar: float = 0.10
    rear_glass: str = "glass"
    posts: tuple[float, ...] = (0.50,)
    post_kind: str = "post"
    post_width: float = 0.09
    blind: tuple[tuple[float, float], ...] = ()
    doors: tuple[float, ...] = (0.12, 0.52, 0.94)
    handle_ahead: float = 0.16
    nose_depth: float = 0.55
    tail_depth: float = 0.45
    nose_power: float = 2.9
    tail_power: float = 3.4
    nose_slant: float = 1.0
    tail_slant: float = 1.0
    ring_share: tuple[float, ...] = RING_SHARE
    ring_width: tuple[float, ...] = RING_WIDTH
    crown: float = 0.045
    lamp_from: float = 0.56
    lamp_rows: tuple[int, ...] = (3,)
    grille: float = 0.50
    intake: float = 0.66
    diffuser: float = 0.62
    tail_lamp_from: float = 0.58
    tail_lamp_rows: tuple[int, ...] = (3, 4)
    plate_height: float = 0.28
    rear_plate: float = 0.42
    mirrors: float = 0.19
    mirror_back: float = 0.16
    mirror_up: float = 0.09
    mirror_height: float = 0.13
    arch_gap: float = 0.055
    tyre_width: float = 0.215
    rim: float = 0.66
    spokes: int = 5


SEDAN = BodyStyle()
HATCHBACK = BodyStyle(
    nose_height=0.46,
    cowl_height=0.61,
    rear_belt=0.64,
    tail_height=0.63,
    bonnet=0.225,
    boot=0.035,
    screen=0.165,
    rear_screen=0.10,
    rear_pillar=0.14,
    posts=(0.50,),
    doors=(0.16, 0.52, 0.95),
    nose_depth=0.5,
    tail_slant=0.55,
    tail_lamp_rows=(4, 5),
    rear_plate=0.42,
)
SUV = BodyStyle(
    clearance=0.24,
    nose_height=0.53,
    cowl_height=0.625,
    rear_belt=0.64,
    tail_height=0.63,
    bonnet=0.235,
    boot=0.025,
    screen=0.125,
    rear_screen=0.055,
    roof_width=0.76,
    roof_edge=0.06,
    rear_pillar=0.06,
    posts=(0.28, 0.60),
    doors=(0.28, 0.62, 0.95),
    nose_depth=0.45,
    nose_power=3.4,
    tail_power=4.0,
    nose_slant=0.7,
    tail_slant=0.4,
    tail_lamp_rows=(3, 4, 5),
    tail_lamp_from=0.72,
    rear_plate=0.44,
    arch_gap=0.075,
    tyre_width=0.25,
)
SPORTS = replace(
    SEDAN,
    clearance=0.16,
    nose_height=0.50,
    cowl_height=0.645,
    rear_belt=0.70,
    tail_height=0.68,
    bonnet=0.31,
    boot=0.07,
    screen=0.15,
    rear_screen=0.24,
    roof_width=0.66,
    posts=(0.36,),
    doors=(0.38, 0.93),
    nose_slant=1.25,
    tyre_width=0.245,
    rim=0.70,
    lamp_from=0.62,
)
MICRO = replace(
    HATCHBACK,
    nose_height=0.55,
    cowl_height=0.58,
    rear_belt=0.60,
    tail_height=0.55,
    bonnet=0.10,
    boot=0.10,
    screen=0.24,
    rear_screen=0.18,
    roof_width=0.66,
    posts=(),
    doors=(),
    nose_depth=0.35,
    tail_depth=0.35,
    nose_power=2.2,
    tail_power=2.3,
    tyre_width=0.15,
    grille=0.0,
    mirrors=0.12,
)
BUS_VAN = BodyStyle(  # the classic one-box van
    clearance=0.22,
    nose_height=0.50,
    cowl_height=0.515,
    rear_belt=0.52,
    tail_height=0.52,
    bonnet=0.012,
    boot=0.01,
    screen=0.055,
    rear_screen=0.02,
    roof_width=0.86,
    roof_edge=0.10,
    window_top=0.74,
    window_bottom=0.06,
    rear_pillar=0.05,
    posts=(0.28, 0.54, 0.80),
    post_kind="pillar",
    post_width=0.12,
    doors=(0.56, 0.80, 0.985),
    nose_depth=0.42,
    nose_power=3.2,
    tail_power=3.4,
    nose_slant=0.45,
    tail_slant=0.3,
    diffuser=0.0,
    ring_width=(0.93, 0.985, 1.0, 1.0, 0.995, 0.985, 0.965),
    grille=0.0,
    lamp_rows=(2,),
    lamp_from=0.66,
    tail_lamp_rows=(2, 3),
    tail_lamp_from=0.80,
    rear_plate=0.30,
    plate_height=0.24,
    mirror_height=0.22,
    mirror_up=0.2,
)
VAN = BodyStyle(  # panel van with a short bonnet
    clearance=0.22,
    nose_height=0.40,
    cowl_height=0.475,
    rear_belt=0.48,
    tail_height=0.48,
    bonnet=0.105,
    boot=0.006,
    screen=0.105,
    rear_screen=0.012,
    roof_width=0.84,
    roof_edge=0.10,
    window_top=0.70,
    window_bottom=0.05,
    rear_pillar=0.05,
    posts=(),
    post_kind="pillar",
    blind=((0.05, 0.70),),
    doors=(0.45, 0.71, 0.97),
    nose_depth=0.40,
    nose_power=3.2,
    tail_power=4.5,
    nose_slant=0.8,
    tail_slant=0.2,
    ring_width=(0.93, 0.985, 1.0, 1.0, 0.995, 0.985, 0.965),
    tail_lamp_rows=(3, 4, 5),
    tail_lamp_from=0.86,
    plate_height=0.20,
    rear_plate=0.30,
    mirror_height=0.28,
    mirror_up=0.16,
    mirror_back=0.05,
    tyre_width=0.235,
)
BUS = BodyStyle(
    clearance=0.30,
    overhang_rise=(0.05, 0.08),
    nose_height=0.36,
    cowl_height=0.36,
    rear_belt=0.40,
    tail_height=0.40,
    bonnet=0.004,
    boot=0.004,
    screen=0.018,
    rear_screen=0.008,
    roof_width=0.90,
    roof_edge=0.16,
    window_top=0.66,
    window_bottom=0.03,
    barrel=0.05,
    screen_bow=(0.5, 0.35),
    rear_bow=(0.3, 0.25),
    rear_pillar=0.03,
    posts=(0.17, 0.31, 0.45, 0.59, 0.73, 0.87),
    post_width=0.12,
    doors=(0.74, 0.86, 0.885, 0.99),
    nose_depth=0.55,
    nose_power=4.2,
    tail_power=5.0,
    nose_slant=0.35,
    tail_slant=0.3,
    diffuser=0.0,
    ring_width=(0.95, 0.99, 1.0, 1.0, 1.0, 0.998, 0.99),
    grille=0.55,
    intake=0.0,
    lamp_rows=(2,),
    lamp_from=0.74,
    tail_lamp_rows=(2, 3),
    tail_lamp_from=0.84,
    plate_height=0.13,
    rear_plate=0.16,
    mirrors=0.30,
    mirror_height=0.45,
    mirror_up=0.75,
    mirror_back=-0.12,
    tyre_width=0.28,
    rim=0.6,
    spokes=5,
    handle_ahead=99.0,
)

CAB = replace(  # of a lorry; shares of the cab's own length and height
    BUS,
    clearance=0.42,
    overhang_rise=(0.0, 0.0),
    cowl_height=0.47,
    nose_height=0.46,
    rear_belt=0.48,
    tail_height=0.48,
    bonnet=0.02,
    boot=0.01,
    screen=0.08,
    rear_screen=0.01,
    roof_width=0.86,
    window_top=0.72,
    screen_bow=(0.25, 0.18),
    rear_bow=(0.1, 0.1),
    rear_pillar=0.06,
    rear_glass="pillar",
    posts=(),
    blind=((0.06, 0.34),),
    doors=(0.34, 0.97),
    nose_depth=0.30,
    tail_depth=0.15,
    grille=0.62,
    lamp_rows=(1,),
    lamp_from=0.68,
    tail_lamp_rows=(1,),
    tail_lamp_from=9.0,
    plate_height=0.16,
    mirrors=0.22,
    mirror_height=0.50,
    mirror_up=0.42,
    mirror_back=-0.06,
    tyre_width=0.30,
    arch_gap=0.08,
    handle_ahead=0.10,
)
CREW_CAB = replace(CAB, blind=(), posts=(0.50,), doors=(0.05, 0.50, 0.97), handle_ahead=0.2)
PICKUP = replace(
    SUV,
    clearance=0.30,
    nose_height=0.53,
    cowl_height=0.60,
    rear_belt=0.66,
    tail_height=0.67,
    bonnet=0.16,
    boot=0.03,
    screen=0.30,
    rear_screen=0.48,
    roof_width=0.66,
    roof_edge=0.05,
    barrel=0.0,
    screen_bow=(0.12, 0.06),
    rear_bow=(0.08, 0.05),
    rear_pillar=0.42,
    rear_glass="post",
    posts=(0.62,),
    doors=(0.40, 0.64, 0.90),
    grille=0.0,
    nose_power=5.0,
    tail_power=6.0,
    nose_slant=0.6,
    tail_slant=0.5,
    crown=0.01,
    lamp_rows=(4,),
    lamp_from=-1.0,
    tail_lamp_rows=(4, 5),
    tail_lamp_from=0.36,
    arch_gap=0.11,
    tyre_width=0.28,
)

STYLES = {
    "truck": CAB,
    "pickup": PICKUP,
    "sedan": SEDAN,
    "hatchback": HATCHBACK,
    "suv": SUV,
    "sports": SPORTS,
    "microcar": MICRO,
    "van": VAN,
    "bus": BUS,
}


def style_of(spec: VehicleSpec) -> BodyStyle:
    """Return the proportions for a lofted vehicle; the classic one-box vans have no bonnet."""
    if spec.body == "van" and spec.length < 5.0:
        return BUS_VAN
    return STYLES[spec.body]

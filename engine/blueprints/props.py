"""The static props: name, length x width x height in metres, and what follows from them."""

from __future__ import annotations

import re

from engine.blueprints.specs import PropSpec
from engine.blueprints.vehicles import VEHICLES
from foundation.ids import Tag

TABLE = """
advertisement 1.55x.29x2.44, aporosatree 12.96x12.58x15.63, atm .71x.87x2.28, barbeque .95x.50x1.26, barrel .46x.47x.81,
bench01 1.54x.74x.97, bench02 1.56x.54x.51, bench03 1.58x.51x.51, bike helmet .19x.28x.17, bin .55x.64x1.06,
box01 .65x.65x.69, box02 .65x.65x.65, box03 .66x.67x.65, briefcase .54x.18x.43, brokentile01 .15x.15x.01,
brokentile02 .15x.15x.01, brokentile03 .15x.15x.01, brokentile04 .15x.15x.01, busstop 3.88x1.89x2.74,
busstoplb 1.89x3.88x2.74, calibrator 1.55x.69x.20, chainbarrier 1.49x.24x.89, chainbarrierend .24x.24x.89,
clothcontainer 1.24x1.89x1.81, clothesline 6.65x1.12x2.06, coconutpalm 8.60x8.89x20.31, colacan .07x.07x.11,
constructioncone .34x.34x.59, container 1.93x1.01x1.71, creasedbox01 .81x.71x.12, creasedbox02 1.63x.71x.21,
creasedbox03 1.67x.71x.02, cypresstree 4.61x4.63x15.68, dirtdebris01 1.86x1.51x.15, dirtdebris02 1.86x1.51x.15,
dirtdebris03 1.86x1.51x.15, doghouse 1.08x1.27x1.09, foodcart 2.28x4.64x3.57, fountain 8.40x8.40x6.92,
garbage01 .05x.05x.09, garbage02 .05x.05x.01, garbage03 .06x.06x.08, garbage04 .06x.06x.07, garbage05 .23x.23x.06,
garbage06 .37x.21x.08, gardenlamp .30x.28x.65, glasscontainer 1.95x2.01x1.79, gnome .37x.38x.88,
guitarcase 1.24x.13x.49, haybale 1.25x1.19x1.19, haybalelb 1.25x1.19x1.19, ironplank 1.45x1.17x.02,
kiosk_01 1.63x1.65x3.25, mailbox .53x.44x1.16, maptable 1.57x.62x1.18, mobile .08x.01x.17, motorhelmet .20x.26x.26,
pergola 5.03x5.09x3.54, plantpot01 1.09x.48x.56, plantpot02 1.05x.43x.49, plantpot03 1.05x.43x.49,
plantpot04 4.97x.74x.12, plantpot05 .40x.40x.28, plantpot06 1.59x1.59x.85, plantpot07 .49x.48x.56,
plantpot08 .53x.53x.49, plasticbag .31x.40x.55, plasticchair .73x.75x1.27, plastictable 2.48x2.48x2.48,
platformgarbage01 3.63x1.71x.33, purse .16x.33x.59, shoppingbag .47x.24x.60, shoppingcart .67x1.21x1.08,
shoppingtrolley .51x.33x1.09, slide .94x4.12x1.98, streetbarrier 1.21x.37x1.07, streetfountain .29x.67x1.26,
streetsign 1.06x.13x2.15, streetsign01 2.47x.30x3.88, streetsign04 1.17x.12x2.77, swing 4.11x1.58x2.57,
swingcouch 1.36x2.36x2.25, table 2.16x2.15x.85, trafficcone01 .88x.88x1.13, trafficcone02 .46x.39x1.18,
trafficwarning 2.37x2.87x3.57, trampoline 4.13x4.13x2.80, trashbag .38x.43x.70, trashcan01 .64x.57x.85,
trashcan02 .52x.51x1.05, trashcan03 .63x.55x.93, trashcan04 .79x.58x1.02, trashcan05 .79x.58x1.02,
travelcase .57x.33x1.26, vendingmachine .87x1.10x2.11, warningaccident 1.31x1.06x1.86,
warningconstruction 1.31x1.06x1.86, wateringcan .07x.19x.13
"""

MASSES = {
    "trafficcone": 6.0, "constructioncone": 3.0, "box": 12.0, "creasedbox": 1.0, "streetbarrier": 28.0,
    "chainbarrier": 12.0, "chainbarrierend": 8.0, "barrel": 25.0, "bin": 18.0, "trashcan": 18.0, "trashbag": 8.0,
    "plasticbag": 0.5, "plasticchair": 3.0, "shoppingcart": 20.0, "shoppingtrolley": 6.0, "mailbox": 40.0,
    "haybale": 90.0, "bench": 60.0, "warningaccident": 25.0, "warningconstruction": 25.0, "container": 350.0,
    "vendingmachine": 280.0, "ironplank": 90.0, "gnome": 12.0,
}  # fmt: skip
"""kg by shape; the rest is a tenth of the box's volume at water's density (things are mostly air)."""

TAGS = {
    "aporosatree": Tag.VEGETATION, "coconutpalm": Tag.VEGETATION, "cypresstree": Tag.VEGETATION,
    "plantpot": Tag.VEGETATION, "streetsign": Tag.TRAFFIC_SIGNS, "trafficwarning": Tag.TRAFFIC_SIGNS,
    "warningaccident": Tag.TRAFFIC_SIGNS, "warningconstruction": Tag.TRAFFIC_SIGNS,
    "chainbarrier": Tag.FENCES, "chainbarrierend": Tag.FENCES, "gardenlamp": Tag.POLES,
    "trafficcone": Tag.DYNAMIC, "constructioncone": Tag.DYNAMIC, "box": Tag.DYNAMIC, "creasedbox": Tag.DYNAMIC,
    "streetbarrier": Tag.DYNAMIC, "barrel": Tag.DYNAMIC, "bin": Tag.DYNAMIC, "trashcan": Tag.DYNAMIC,
    "trashbag": Tag.DYNAMIC, "plasticbag": Tag.DYNAMIC, "plasticchair": Tag.DYNAMIC, "shoppingcart": Tag.DYNAMIC,
    "shoppingbag": Tag.DYNAMIC, "shoppingtrolley": Tag.DYNAMIC, "travelcase": Tag.DYNAMIC, "briefcase": Tag.DYNAMIC,
    "guitarcase": Tag.DYNAMIC, "colacan": Tag.DYNAMIC, "garbage": Tag.DYNAMIC, "purse": Tag.DYNAMIC,
}  # fmt: skip
"""Main tag by shape; STATIC for the rest."""

PARKED_MESHES = {
    "charger": "vehicle.dodge.charger_2020",
    "teslam3": "vehicle.tesla.model3",
    "fordcrown": "vehicle.ford.crown",
    "lincolnmkz2020": "vehicle.lincoln.mkz_2020",
    "mkz2020": "vehicle.lincoln.mkz_2020",
    "mercedesccc": "vehicle.mercedes.coupe_2020",
    "mercedescoupe": "vehicle.mercedes.coupe_2020",
    "mini2021": "vehicle.mini.cooper_s_2021",
    "minicooper": "vehicle.mini.cooper_s",
    "nissanpatrol2021": "vehicle.nissan.patrol_2021",
    "nissanpatrol": "vehicle.nissan.patrol",
    "volkswagent2": "vehicle.volkswagen.t2",
    "volkswagent2_2021": "vehicle.volkswagen.t2_2021",
    "vwt2": "vehicle.volkswagen.t2",
    "sprinter": "vehicle.mercedes.sprinter",
    "leon": "vehicle.seat.leon",
    "etron": "vehicle.audi.etron",
    "jeep": "vehicle.jeep.wrangler_rubicon",
}
"""Vehicle whose shape a parked-car mesh of CARLA's content has, by the mesh's name in lower case."""


def parked_vehicle(mesh_path: str) -> str | None:
    """Return the vehicle blueprint that ``static.prop.mesh``'s ``mesh_path`` looks like, or None.

    A path ends in names such as ``SM_ChargerParked.SM_ChargerParked``; a vehicle's blueprint id is taken as well, so
    that ``mesh_path=vehicle.seat.leon`` gives a parked car on the embedded engine.
    """
    if mesh_path in VEHICLES:
        return mesh_path
    name = re.split(r"[/.]", mesh_path.strip())[-1].lower()
    name = re.sub(r"^sm_|_?parked.*$", "", name)
    return PARKED_MESHES.get(name)


def _size(longest: float) -> str:
    for word, limit in (("tiny", 0.25), ("small", 0.8), ("medium", 1.6), ("big", 3.5)):
        if longest <= limit:
            return word
    return "huge"


def _parse(entry: str) -> PropSpec:
    name, sizes = entry.strip().rsplit(" ", 1)
    length, width, height = map(float, sizes.split("x"))
    shape = re.sub(r"_?\d+$", "", name)
    mass = MASSES.get(shape, max(0.1, round(100.0 * length * width * height, 1)))
    return PropSpec(
        id=f"static.prop.{name}",
        length=length,
        width=width,
        height=height,
        size=_size(max(length, width, height)),
        mass=mass,
        shape=shape,
        tags=(TAGS.get(shape, Tag.STATIC),),
    )


PROPS: dict[str, PropSpec] = {
    spec.id: spec for spec in (_parse(entry) for entry in TABLE.replace("\n", " ").split(",") if entry.strip())
}
"""Prop specs by blueprint id; ``static.prop.mesh`` is not among them, see :func:`parked_vehicle_prop`."""


def parked_vehicle_prop(mesh_path: str) -> PropSpec | None:
    """Return the spec of ``static.prop.mesh`` for a parked-car mesh path, None when the mesh is unknown."""
    vehicle = parked_vehicle(mesh_path)
    if vehicle is None:
        return None
    spec = VEHICLES[vehicle]
    return PropSpec(
        id="static.prop.mesh",
        length=spec.length,
        width=spec.width,
        height=spec.height,
        size="huge",
        mass=spec.mass,
        shape="parkedcar",
        tags=spec.tags[:1],
        vehicle=vehicle,
    )

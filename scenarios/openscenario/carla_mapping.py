"""From the standard's vocabulary to CARLA's: which blueprint stands for an entity, weather, lights, signal colours.

Pure tables and functions; the client itself is touched in ``carla_port`` only. Sizes are those of CARLA 0.9.16.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from foundation.errors import RealityError
from foundation.seeds import derive
from scenarios.openscenario.entities import EntityRecord, MiscRecord, PedestrianRecord, VehicleRecord
from scenarios.openscenario.environment import Environment

# id (without "vehicle."), base type, length, width, height in metres, special type.
_VEHICLES = """
audi.a2 car 3.705 1.789 1.549, audi.etron car 4.856 2.033 1.649, audi.tt car 4.181 1.994 1.385,
bh.crossbike bicycle 1.509 0.866 1.612, bmw.grandtourer car 4.611 2.242 1.667,
carlamotors.carlacola truck 5.204 2.627 2.467, carlamotors.european_hgv truck 7.936 2.891 3.462,
carlamotors.firetruck truck 8.468 2.891 3.827 fire, chevrolet.impala car 5.357 2.033 1.411,
citroen.c3 car 3.988 1.851 1.617, diamondback.century bicycle 1.656 0.582 1.620,
dodge.charger_2020 car 5.008 1.882 1.535, dodge.charger_police car 4.974 2.038 1.542 police,
dodge.charger_police_2020 car 5.238 1.930 1.638 police, ford.ambulance van 6.366 2.351 2.431 ambulance,
ford.crown car 5.366 1.801 1.575 taxi, ford.mustang car 4.718 1.895 1.301, gazelle.omafiets bicycle 1.843 0.659 1.776,
harley-davidson.low_rider motorcycle 2.350 0.766 1.649, jeep.wrangler_rubicon car 3.866 1.905 1.878,
kawasaki.ninja motorcycle 2.044 0.797 1.523, lincoln.mkz_2017 car 4.902 2.128 1.511,
lincoln.mkz_2020 car 4.892 1.837 1.490, mercedes.coupe car 5.027 2.152 1.651,
mercedes.coupe_2020 car 4.674 1.812 1.442, mercedes.sprinter van 5.915 1.988 2.561,
micro.microlino car 2.207 1.481 1.376, mini.cooper_s car 3.806 1.970 1.475, mini.cooper_s_2021 car 4.553 2.097 1.767,
mitsubishi.fusorosa bus 10.273 3.944 4.253, nissan.micra car 3.633 1.845 1.501, nissan.patrol car 4.605 1.932 1.855,
nissan.patrol_2021 car 5.566 2.150 2.045, seat.leon car 4.193 1.816 1.474, tesla.cybertruck pickup 6.274 2.390 2.098,
tesla.model3 car 4.792 2.163 1.488, toyota.prius car 4.514 2.007 1.525, vespa.zx125 motorcycle 1.817 0.866 1.590,
volkswagen.t2 van 4.480 2.069 2.038, volkswagen.t2_2021 van 4.442 1.775 1.987, yamaha.yzf motorcycle 2.191 0.866 1.530
"""
# Things that may stand for a MiscObject: name, length, width, height.
_PROPS = """
advertisement 1.55 .29 2.44, barrel .46 .47 .81, bench01 1.54 .74 .97, bin .55 .64 1.06, box01 .65 .65 .69,
busstop 3.88 1.89 2.74, chainbarrier 1.49 .24 .89, clothcontainer 1.24 1.89 1.81, coconutpalm 8.60 8.89 20.31,
constructioncone .34 .34 .59, container 1.93 1.01 1.71, creasedbox01 .81 .71 .12, creasedbox02 1.63 .71 .21,
cypresstree 4.61 4.63 15.68, foodcart 2.28 4.64 3.57, fountain 8.40 8.40 6.92, glasscontainer 1.95 2.01 1.79,
haybale 1.25 1.19 1.19, kiosk_01 1.63 1.65 3.25, mailbox .53 .44 1.16, plantpot04 4.97 .74 .12,
plasticbag .31 .40 .55, shoppingcart .67 1.21 1.08, streetbarrier 1.21 .37 1.07, streetsign 1.06 .13 2.15,
streetsign01 2.47 .30 3.88, trafficcone01 .88 .88 1.13, trafficcone02 .46 .39 1.18, trafficwarning 2.37 2.87 3.57,
trashbag .38 .43 .70, trashcan01 .64 .57 .85, travelcase .57 .33 1.26, vendingmachine .87 1.10 2.11,
warningaccident 1.31 1.06 1.86, warningconstruction 1.31 1.06 1.86
"""
_BASE_TYPES = {
    "car": ("car", "pickup"), "van": ("van",), "truck": ("truck",), "bus": ("bus",), "motorbike": ("motorcycle",),
    "bicycle": ("bicycle",), "trailer": ("truck", "van"), "semitrailer": ("truck",), "tram": ("bus",), "train":
    ("bus",),
}  # fmt: skip
_PROP_CHOICES = {
    "barrier": ("streetbarrier", "chainbarrier"),
    "pole": ("streetsign",),
    "tree": ("cypresstree", "coconutpalm"),
    "vegetation": ("cypresstree", "coconutpalm", "plantpot04", "haybale"),
    "streetLamp": ("streetsign01",),
}
_FLAT = ("crosswalk", "parkingSpace", "patch", "roadMark")
CHILD_HEIGHT_M = 1.4


@dataclass(frozen=True, slots=True)
class Choice:
    """A blueprint and the attributes to set on it."""

    blueprint: str
    attributes: Mapping[str, str]


def _table(text: str) -> dict[str, list[str]]:
    return {row.split()[0]: row.split()[1:] for row in text.replace("\n", " ").split(",")}


def choose(name: str, record: EntityRecord, library: Sequence[str]) -> Choice:
    """Return the blueprint that fits an entity best.

    A blueprint's id written as the entity's name, model or property ``blueprint`` is taken as it is. Else vehicles are
    chosen by category, role and size; pedestrians by height (below 1.4 m, or "child" in name or model: a child);
    things by
    category and size. Where several fit, the entity's name decides, so that a file always looks the same.

    Args:
        name: the entity's name.
        record: what it is.
        library: ids that the server offers.

    Raises:
        RealityError: nothing in the library fits.
    """
    available = set(library)
    wanted = record.properties.get("blueprint", "")
    for exact in (wanted, record.name, record.model):
        if exact in available:
            return Choice(exact, _color(record))
    if wanted:
        raise RealityError(f"entity {name}: the simulator has no blueprint {wanted!r}")
    if isinstance(record, VehicleRecord):
        return Choice(_vehicle(name, record, available), _color(record))
    if isinstance(record, PedestrianRecord):
        return _pedestrian(name, record, available)
    return _misc(name, record, available)


def _color(record: EntityRecord) -> dict[str, str]:
    """Return the paint as CARLA writes it, from a property ``color`` that says #RRGGBB or r,g,b."""
    text = record.properties.get("color", "").strip()
    if text.startswith("#") and len(text) == 7:
        try:
            return {"color": ",".join(str(int(text[i : i + 2], 16)) for i in (1, 3, 5))}
        except ValueError:
            return {}
    parts = text.split(",")
    if len(parts) == 3 and all(p.strip().isdigit() and int(p) <= 255 for p in parts):
        return {"color": ",".join(p.strip() for p in parts)}
    return {}


def _misfit(size: Sequence[float], record: EntityRecord) -> float:
    """Return how badly a size fits: the sum of squared log ratios, which weighs length, width and height alike."""
    box = record.box
    pairs = zip(size, (box.length, box.width, box.height))
    return round(sum(math.log(max(a, 0.01) / max(b, 0.01)) ** 2 for a, b in pairs), 6)


def _vehicle(name: str, record: VehicleRecord, available: set[str]) -> str:
    types = _BASE_TYPES[record.category]
    special = {"police": "police", "ambulance": "ambulance", "fire": "fire"}.get(record.role, "")
    rows = []
    for key, row in _table(_VEHICLES).items():
        row_special = row[4] if len(row) > 4 else ""
        fits = row_special == special if special else (row[0] in types and row_special in ("", "taxi"))
        if fits and f"vehicle.{key}" in available:
            rows.append((_misfit([float(v) for v in row[1:4]], record), f"vehicle.{key}"))
    if not rows and special:
        return _vehicle(name, _without_role(record), available)
    if not rows:
        raise RealityError(f"entity {name}: the simulator has no vehicle for category {record.category}")
    return min(rows)[1]


def _without_role(record: VehicleRecord) -> VehicleRecord:
    from dataclasses import replace

    return replace(record, role="none")


_CHILDREN = tuple(f"walker.pedestrian.{n:04d}" for n in (9, 10, 11, 12, 13, 14, 48, 49))
_POLICE = tuple(f"walker.pedestrian.{n:04d}" for n in (30, 32))


def _pedestrian(name: str, record: PedestrianRecord, available: set[str]) -> Choice:
    if record.category == "animal":
        raise RealityError(f"entity {name}: CARLA's library has no animals; give a blueprint in a property 'blueprint'")
    walkers = sorted(b for b in available if b.startswith("walker.pedestrian."))
    text = f"{record.name} {record.model}".lower()
    if record.box.height < CHILD_HEIGHT_M or "child" in text:
        candidates = [w for w in walkers if w in _CHILDREN]
        tall = [w for w in candidates if w[-2:] in ("12", "13", "14")]
        # 0012-0014 are 1.30 m high, the others 1.10 m.
        candidates = (tall if record.box.height >= 1.2 else [w for w in candidates if w not in tall]) or candidates
    elif record.role == "police":
        candidates = [w for w in walkers if w in _POLICE]
    else:
        candidates = [w for w in walkers if w not in _CHILDREN and w not in _POLICE]
    candidates = candidates or walkers
    if not candidates:
        raise RealityError(f"entity {name}: the simulator has no walkers")
    attributes = {"use_wheelchair": "true"} if record.category == "wheelchair" else {}
    return Choice(candidates[derive(0, "walker", name, record.name) % len(candidates)], attributes)


def _misc(name: str, record: MiscRecord, available: set[str]) -> Choice:
    if record.category in _FLAT:
        raise RealityError(f"entity {name}: a {record.category} is part of the road; put it into the OpenDRIVE file")
    text = f"{record.name} {record.model}".lower()
    rows = _table(_PROPS)
    vehicles = _table(_VEHICLES)
    if "cone" in text:
        names: Sequence[str] = ("constructioncone", "trafficcone01", "trafficcone02")
    elif "car" in text.replace("card", "").replace("cart", "") or "vehicle" in text:
        sizes = {
            f"vehicle.{k}": [float(v) for v in row[1:4]] for k, row in vehicles.items() if row[0] in ("car", "van")
        }
        fitting = sorted((_misfit(size, record), k) for k, size in sizes.items() if k in available)
        if fitting:
            return Choice(fitting[0][1], _color(record))
        names = tuple(rows)
    else:
        names = _PROP_CHOICES.get(record.category, tuple(rows))
    fitting = sorted(
        (_misfit([float(v) for v in rows[n]], record), f"static.prop.{n}")
        for n in names
        if f"static.prop.{n}" in available
    )
    if not fitting:
        raise RealityError(f"entity {name}: the simulator has nothing for category {record.category}")
    return Choice(fitting[0][1], {})


# ---- weather

KOSCHMIEDER = 3.912
"""Visual range times extinction: contrast falls to 2 percent (Koschmieder 1924, with the usual threshold)."""
_WETNESS = {"dry": (0.0, 0.0), "moist": (40.0, 0.0), "wetWithPuddles": (100.0, 50.0), "lowFlooded": (100.0, 80.0),
            "highFlooded": (100.0, 100.0)}  # fmt: skip


def weather(environment: Environment, origin_lat_lon: tuple[float, float], now: datetime | None) -> dict[str, float]:
    """Return the fields of ``carla.WeatherParameters`` that an environment determines.

    Percentages are CARLA's: 100 is eight oktas of cloud, 50 mm/h of rain (violent, by the UK Met Office's scale), 30
    m/s of
    wind. Fog is given the density whose extinction has the visual range asked for (in the embedded engine, extinction
    is
    0.02 (density / 100)^1.5 per metre). Without a sun but with a time of day, the sun stands where it did at the origin
    of the map. Snow is shown as rain of half its intensity: CARLA has none.
    """
    fields: dict[str, float] = {}
    if environment.clouds_oktas is not None:
        fields["cloudiness"] = min(100.0, environment.clouds_oktas * 12.5)
    if environment.sun_azimuth is not None and environment.sun_elevation is not None:
        fields["sun_azimuth_angle"] = (math.degrees(environment.sun_azimuth) - 90.0) % 360.0
        fields["sun_altitude_angle"] = min(max(math.degrees(environment.sun_elevation), -90.0), 90.0)
    elif now is not None:
        azimuth, elevation = sun_position(now, *origin_lat_lon)
        fields["sun_azimuth_angle"] = (math.degrees(azimuth) - 90.0) % 360.0
        fields["sun_altitude_angle"] = math.degrees(elevation)
    if environment.fog_range_m is not None:
        extinction = KOSCHMIEDER / max(environment.fog_range_m, 1.0)
        density = min(100.0, 100.0 * (extinction / 0.02) ** (2.0 / 3.0))
        fields.update(fog_density=density if density > 0.5 else 0.0, fog_distance=0.0, fog_falloff=0.1)
    if environment.precipitation is not None:
        amount = 0.0 if environment.precipitation == "dry" else environment.precipitation_mm_h or 0.0
        share = min(100.0, amount * 2.0 * (0.5 if environment.precipitation == "snow" else 1.0))
        fields["precipitation"] = share
        if environment.wetness is None:
            fields["wetness"] = min(100.0, 2.0 * share)
            fields["precipitation_deposits"] = 0.6 * share
    if environment.wetness is not None:
        fields["wetness"], fields["precipitation_deposits"] = _WETNESS[environment.wetness]
    if environment.wind_speed is not None:
        fields["wind_intensity"] = min(100.0, environment.wind_speed / 0.3)
    return fields


def sun_position(moment: datetime, latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
    """Return the sun's (azimuth from north, clockwise; elevation) in radians.

    Low-precision formulas of the Astronomical Almanac (0.01 degrees between 1950 and 2050), without refraction. A time
    without zone is local mean solar time.
    """
    if moment.tzinfo is None:
        utc = moment.replace(tzinfo=timezone.utc)
        shift = -longitude_deg / 15.0
    else:
        utc, shift = moment.astimezone(timezone.utc), 0.0
    days = (utc - datetime(2000, 1, 1, 12, tzinfo=timezone.utc)).total_seconds() / 86400.0 + shift / 24.0
    mean_longitude = math.radians((280.460 + 0.9856474 * days) % 360.0)
    anomaly = math.radians((357.528 + 0.9856003 * days) % 360.0)
    ecliptic = mean_longitude + math.radians(1.915 * math.sin(anomaly) + 0.020 * math.sin(2.0 * anomaly))
    tilt = math.radians(23.439 - 4e-7 * days)
    right_ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    sidereal = math.radians((280.46061837 + 360.98564736629 * days) % 360.0) + math.radians(longitude_deg)
    hour = sidereal - right_ascension
    latitude = math.radians(latitude_deg)
    elevation = math.asin(
        math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(hour)
    )
    azimuth = math.atan2(
        -math.sin(hour), math.tan(declination) * math.cos(latitude) - math.sin(latitude) * math.cos(hour)
    )
    return azimuth % (2.0 * math.pi), elevation


# ---- lights

LIGHT_FLAGS = {
    "daytimeRunningLights": 0x1, "lowBeam": 0x2, "highBeam": 0x4, "brakeLights": 0x8, "indicatorRight": 0x10,
    "indicatorLeft": 0x20, "reversingLights": 0x40, "fogLights": 0x80, "fogLightsFront": 0x80, "fogLightsRear": 0x80,
    "licensePlateIllumination": 0x1, "warningLights": 0x30, "specialPurposeLights": 0x200,
}  # fmt: skip
"""``carla.VehicleLightState`` bits; special1 stands for special purpose lights."""


def light_flags(lights: Mapping[str, str]) -> int:
    """Return the light state of a vehicle from its lights' modes. CARLA's blinkers flash by themselves; others are
    lit."""
    flags = 0
    for light, mode in lights.items():
        if mode in ("on", "flashing"):
            flags |= LIGHT_FLAGS[light]
    return flags

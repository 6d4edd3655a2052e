"""The shipped parametric model: one road user, or one thing in its way, in the town, seen by the ego's camera.

:data:`SPACE` holds its parameters with limits and nominal distributions, :func:`scene` makes a concrete point of it a
scene for the studio, and :func:`label` says what became of it: whether enough of the road user is visible to be a fair
question at all.

Every class is put by the same rules, in the same streets, at the same distances: where something stands shall not tell
what it is. A pedestrian and an advertising board of equal values are the hard pair: the board shows that very person,
life-size, in that moment of the stride, seen from that side.

Everything is in CARLA's frame: metres, degrees, y to the right.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from bridge.studio.scenes import Pose, Still, StillActor, StillCamera, StillScene, StudioError
from foundation.seeds import derive, generator
from scenarios.sampling import Enum, Periodic, Real, Space, Value

MAP_NAME = "RealityTown"
CAMERA = StillCamera(160, 120, 40.0)
PAINTED = ("car", "truck", "bus", "motorcyclist", "cyclist")
FURNITURE = ("food_cart", "warning_trailer", "waste_container", "bus_shelter", "direction_sign")
CLASSES = (*PAINTED, "pedestrian", "advertising_board", *FURNITURE)
TARGET = "target"
"""Name of the road user in every scene."""
MIN_PIXELS = 24
"""With fewer visible pixels nobody could say what it is: the sample is not valid."""

VARIANTS = tuple(range(12))
PAINTS = ("230,231,233", "17,18,20", "120,124,128", "24,52,104", "137,17,22", "193,163,70")
OCCLUDERS = ("none", "streetbarrier", "bin", "plantpot01", "mailbox", "barrel")
CLUTTER = ("none", "vendingmachine", "kiosk_01", "container", "bench01")


@dataclass(frozen=True)
class Body:
    """A blueprint and the ground it covers: full length along its heading, full width across, metres."""

    blueprint: str
    length: float
    width: float


_BODIES = {
    "car": (
        Body("vehicle.audi.a2", 3.71, 1.79),
        Body("vehicle.audi.etron", 4.86, 2.03),
        Body("vehicle.audi.tt", 4.18, 1.99),
        Body("vehicle.chevrolet.impala", 5.36, 2.03),
        Body("vehicle.dodge.charger_2020", 5.01, 1.88),
        Body("vehicle.ford.crown", 5.37, 1.80),
        Body("vehicle.jeep.wrangler_rubicon", 3.87, 1.91),
        Body("vehicle.lincoln.mkz_2020", 4.89, 1.84),
        Body("vehicle.mercedes.coupe_2020", 4.67, 1.81),
        Body("vehicle.mini.cooper_s_2021", 4.55, 2.10),
        Body("vehicle.nissan.patrol_2021", 5.57, 2.15),
        Body("vehicle.tesla.model3", 4.79, 2.16),
    ),
    "truck": (
        Body("vehicle.carlamotors.european_hgv", 7.94, 2.89),
        Body("vehicle.carlamotors.carlacola", 5.20, 2.63),
        Body("vehicle.carlamotors.firetruck", 8.47, 2.89),
        Body("vehicle.ford.ambulance", 6.37, 2.35),
    ),
    "bus": (Body("vehicle.mitsubishi.fusorosa", 10.27, 3.94),),
    "motorcyclist": (
        Body("vehicle.harley-davidson.low_rider", 2.35, 0.77),
        Body("vehicle.kawasaki.ninja", 2.04, 0.80),
        Body("vehicle.vespa.zx125", 1.82, 0.87),
        Body("vehicle.yamaha.yzf", 2.19, 0.87),
    ),
    "cyclist": (
        Body("vehicle.bh.crossbike", 1.51, 0.87),
        Body("vehicle.diamondback.century", 1.66, 0.58),
        Body("vehicle.gazelle.omafiets", 1.84, 0.66),
    ),
    "food_cart": (Body("static.prop.foodcart", 2.28, 4.64),),
    "warning_trailer": (Body("static.prop.trafficwarning", 2.37, 2.87),),
    "waste_container": (
        Body("static.prop.glasscontainer", 1.95, 2.01),
        Body("static.prop.clothcontainer", 1.24, 1.89),
    ),
    "bus_shelter": (
        Body("static.prop.busstop", 3.88, 1.89),
        Body("static.prop.busstoplb", 1.89, 3.88),
    ),
    "direction_sign": (Body("static.prop.streetsign01", 2.47, 0.30),),
}
_PEOPLE = tuple(
    f"walker.pedestrian.{number:04d}" for number in (1, 3, 4, 5, 9, 12, 15, 17, 21, 25, 30, 48)
)  # men and women of several builds; 9, 12 and 48 are children
_PERSON = ("pedestrian", "advertising_board")
_BOARD = Body("static.prop.advertisement", 0.29, 1.55)  # it stands across its heading, the direction it faces
_PERSON_SIZE = (0.6, 0.6)
_PROPS = {
    "streetbarrier": Body("static.prop.streetbarrier", 0.37, 1.21),
    "bin": Body("static.prop.bin", 0.64, 0.55),
    "plantpot01": Body("static.prop.plantpot01", 0.48, 1.09),
    "mailbox": Body("static.prop.mailbox", 0.53, 0.44),
    "barrel": Body("static.prop.barrel", 0.46, 0.47),
    "vendingmachine": Body("static.prop.vendingmachine", 0.87, 1.10),
    "kiosk_01": Body("static.prop.kiosk_01", 1.63, 1.65),
    "container": Body("static.prop.container", 1.93, 1.01),
    "bench01": Body("static.prop.bench01", 1.54, 0.74),
}

WALK_MPS = 1.3
HEADING_STEPS = 8
"""Printed people are seen from so many sides."""

# The town's streets: two lanes of 4 m and pavements of 3 m behind a kerb of 0.12 m; lamp posts stand 0.45 m behind the
# kerb, walls begin 1.25 m behind the pavement.
ROAD_M, KERB_M, POSTS_M, PAVED_M = 4.0, 0.12, 4.75, 7.0
MARGIN_M = 0.15
CAMERA_LANE_M = 2.0
REACH_M = 41.0
"""A bus at the farthest distance, with all its length, ends so far before the camera."""
STEEPEST = 0.62
"""Sine of the angle between street and line of sight at most: further to the side only walls are behind."""
LAMPS_BELOW_DEG = 4.0
LAMPS = 1 | 2
"""Position lamps and low beam, which drivers switch on at dusk."""
BOARD_TURN_DEG = 40.0

_OWN = "digital reality, chosen so that every class can be told at 160x120"


def _real(name: str, low: float, high: float, unit: str, why: str = _OWN) -> Real:
    return Real(name, low, high, unit=unit, provenance=why)


SPACE = Space(
    "road_users",
    (
        Enum("class", CLASSES, provenance=_OWN),
        Enum("variant", VARIANTS, provenance="CARLA's blueprints of the class, taken round and round"),
        Enum(
            "paint",
            PAINTS,
            provenance="frequent car colours",
            condition=("class", PAINTED),
        ),
        Periodic("gait", 0.0, 1.0, unit="strides", provenance="a stride", condition=("class", _PERSON)),
        _real("distance", 6.0, 30.0, "m"),
        _real("bearing", -0.7, 0.7, "half picture widths"),
        _real("across", -1.0, 1.0, "share of the street"),
        Periodic("heading", 0.0, 360.0, unit="deg", provenance="any direction"),
        Enum("place", tuple(range(24)), provenance="the town's twelve straight streets, both ways"),
        _real("along", 0.0, 1.0, "share of the street"),
        _real("camera_height", 1.2, 1.9, "m", "windscreens of cars and vans"),
        _real("camera_pitch", -5.0, 3.0, "deg", "braking and accelerating, and how it is mounted"),
        Enum("occluder", OCCLUDERS, weights=(10.0, 2.0, 2.0, 2.0, 2.0, 2.0), provenance=_OWN),
        Real(
            "occluder_shift",
            -1.0,
            1.0,
            unit="half widths",
            provenance=_OWN,
            condition=("occluder", OCCLUDERS[1:]),
        ),
        Enum("clutter", CLUTTER, weights=(4.0, 1.0, 1.0, 1.0, 1.0), provenance=_OWN),
        _real("sun_altitude", -8.0, 70.0, "deg", "from dusk to a summer's noon"),
        Periodic("sun_azimuth", 0.0, 360.0, unit="deg", provenance="any direction"),
        _real("cloudiness", 0.0, 100.0, "%", "CARLA's limits"),
        _real("wind", 0.0, 100.0, "%", "CARLA's limits; which clouds there are, and how rain falls"),
        _real("fog", 0.0, 40.0, "%", "up to where the farthest are barely seen"),
        _real("precipitation", 0.0, 80.0, "%", "up to heavy rain"),
        _real("wetness", 0.0, 100.0, "%", "CARLA's limits"),
    ),
)
"""The parametric model. Vary ``class`` alone between pedestrian and advertising_board for the hard pair."""


@dataclass(frozen=True)
class Street:
    """A straight piece of road, one way along it: where it begins, where it goes, how long it is."""

    x: float
    y: float
    yaw: float
    length: float

    def at(self, s: float, t: float, z: float, yaw: float = 0.0, pitch: float = 0.0) -> Pose:
        """Return the pose at ``s`` metres along and ``t`` to the right, ``yaw`` relative to the street."""
        cos, sin = math.cos(math.radians(self.yaw)), math.sin(math.radians(self.yaw))
        return Pose(self.x + s * cos - t * sin, self.y + s * sin + t * cos, z, pitch, self.yaw + yaw)


@functools.cache
def streets() -> tuple[Street, ...]:
    """Return the streets by their place number: the town's straight roads outside junctions, both ways."""
    from scenarios import catalogue, opendrive

    network = opendrive.read(catalogue.MAPS[MAP_NAME])
    found = []
    for name in sorted(network.roads):
        road = network.roads[name]
        a, b = network.road_pose(name, 0.0), network.road_pose(name, road.length)
        straight = math.isclose(math.hypot(b.x - a.x, b.y - a.y), road.length, abs_tol=1e-3)
        if road.junction not in (None, "", "-1") or not straight:
            continue
        for first, second in ((a, b), (b, a)):
            yaw = -math.degrees(math.atan2(second.y - first.y, second.x - first.x))
            found.append(Street(first.x, -first.y, yaw, road.length))
    return tuple(found)


def body_of(values: Mapping[str, Value]) -> Body:
    """Return the blueprint of a point's road user and the ground it covers."""
    name, variant = str(values["class"]), cast(int, values["variant"])
    if name == "pedestrian":
        return Body(_PEOPLE[variant % len(_PEOPLE)], *_PERSON_SIZE)
    if name == "advertising_board":
        return _BOARD
    kinds = _BODIES[name]
    return kinds[variant % len(kinds)]


def scene(values: Mapping[str, Value], seed: int, key: str = "") -> StillScene:
    """Return the scene of a point of the space.

    Args:
        values: as :meth:`Space.values` returns them.
        seed: of what the parameters leave open: where the clutter stands.
        key: the scene's; "" makes one of the seed.

    Raises:
        SpaceError: the values are no point of the space.
    """
    SPACE.points_of([values])
    number = {name: float(value) for name, value in values.items() if not isinstance(value, str)}
    street = streets()[int(number["place"])]
    body = body_of(values)
    place = _place(body, str(values["class"]), number)
    # Room for anything at any distance: the camera's place shall not depend on what it looks at.
    s_camera = 1.0 + number["along"] * (street.length - 2.0 - REACH_M)
    yaw = math.degrees(math.atan2(place.right - CAMERA_LANE_M, place.ahead))
    half = math.tan(math.radians(CAMERA.fov / 2.0))
    aim = yaw - math.degrees(math.atan(number["bearing"] * half))
    camera = street.at(s_camera, CAMERA_LANE_M, number["camera_height"], aim, number["camera_pitch"])
    actors = [_target(values, number, body, street.at(s_camera + place.ahead, place.right, place.z, place.yaw))]
    if values["occluder"] != "none":
        actors.append(_occluder(str(values["occluder"]), number, street, s_camera, place))
    if values["clutter"] != "none":
        actors.append(_clutter(str(values["clutter"]), street, s_camera, place, seed))
    return StillScene(key or f"road-user-{seed}", tuple(actors), camera, _weather(number))


@dataclass(frozen=True)
class _Place:
    """Where the target stands, from the camera's place on the lane: metres ahead, metres right of the street's middle.

    ``yaw`` is relative to the street. ``half_across`` and ``half_along`` are half its extents across and
    along the line of sight.
    """

    ahead: float
    right: float
    z: float
    yaw: float
    distance: float
    half_across: float
    half_along: float


def _extent(body: Body, angle_deg: float) -> float:
    """Half the extent of a body in the direction ``angle_deg`` from its heading."""
    cos, sin = abs(math.cos(math.radians(angle_deg))), abs(math.sin(math.radians(angle_deg)))
    return (body.length * cos + body.width * sin) / 2.0


def _place(body: Body, name: str, number: Mapping[str, float]) -> _Place:
    heading = number["heading"]
    if name == "advertising_board":
        heading = BOARD_TURN_DEG * math.sin(math.radians(heading))
    # Three classes of ground: what is small enough stands on pavements, too. All small classes count as equally wide,
    # so that a pair of them stands in the same place.
    small = max(body.length, body.width) < 2.5
    sight = right = 0.0
    # Heading and extents depend on the line of sight, and that on the place: three rounds are closer than a centimetre.
    for _ in range(3):
        yaw = sight + 180.0 + heading
        along_sight = 0.6 if small else _extent(body, heading)
        centre = number["distance"] + along_sight
        across_street = 1.2 if small else _extent(body, 90.0 - yaw)
        right = _across(number["across"], across_street, STEEPEST * centre, pavements=small)
        sight = math.degrees(math.asin((right - CAMERA_LANE_M) / centre))
    return _Place(
        centre * math.cos(math.radians(sight)),
        right,
        KERB_M if abs(right) > ROAD_M else 0.0,
        sight + 180.0 + heading,
        number["distance"],
        _extent(body, 90.0 - heading),
        along_sight,
    )


def _across(share: float, half: float, reach: float, *, pavements: bool) -> float:
    """Return a place across the street, metres right of its middle, for something ``half`` wide to either side.

    The places where it can stand, and that can be seen from the lane within ``reach`` to either side, lie one behind
    the other; ``share`` from -1 to 1 runs through all of them.
    """
    room = max(ROAD_M - MARGIN_M - half, 0.0)
    parts = [(-room, room)]
    if pavements:
        inner, outer = POSTS_M + half * 0.6, PAVED_M - half * 0.6
        parts = [(-outer, -inner), *parts, (inner, outer)]
    low, high = CAMERA_LANE_M - reach, CAMERA_LANE_M + reach
    seen = [(max(a, low), min(b, high)) for a, b in parts if min(b, high) > max(a, low)]
    if not seen:  # something as wide as the street stands in its middle
        return min(max(0.0, low), high)
    rest = (share + 1.0) / 2.0 * sum(b - a for a, b in seen)
    for a, b in seen:
        if rest <= b - a:
            return a + rest
        rest -= b - a
    return seen[-1][1]


def _target(values: Mapping[str, Value], number: Mapping[str, float], body: Body, pose: Pose) -> StillActor:
    name = str(values["class"])
    if name in _PERSON:
        person = _PEOPLE[int(number["variant"]) % len(_PEOPLE)]
        gait = round(number["gait"], 3) % 1.0
        if name == "pedestrian":
            return StillActor(TARGET, body.blueprint, pose, walk_speed=WALK_MPS, gait_phase=gait)
        step = 360.0 / HEADING_STEPS
        heading = round(number["heading"] / step) % HEADING_STEPS * step
        shown = (("person?", person), ("gait_phase?", str(gait)), ("person_heading?", str(heading)))
        # The prop's faces look to its sides: its own x axis lies across the direction it faces.
        return StillActor(TARGET, body.blueprint, pose._replace(yaw=pose.yaw - 90.0), shown)
    if name in FURNITURE:
        return StillActor(TARGET, body.blueprint, pose)
    lights = LAMPS if number["sun_altitude"] < LAMPS_BELOW_DEG and name != "cyclist" else 0
    return StillActor(TARGET, body.blueprint, pose, (("color?", str(values["paint"])),), lights)


def _occluder(name: str, number: Mapping[str, float], street: Street, s_camera: float, target: _Place) -> StillActor:
    """Something low or narrow that stands before the target and hides a part of it."""
    body = _PROPS[name]
    share = 0.6
    # Half widths as they are seen: the target's shrinks with its distance, the occluder's counts full.
    reach = share * target.half_across + body.width / 2.0
    right = CAMERA_LANE_M + share * (target.right - CAMERA_LANE_M) + number["occluder_shift"] * reach
    right, z = _stand(right, body.width / 2.0)
    ahead = share * (target.ahead - target.half_along)
    yaw = math.degrees(math.atan2(right - CAMERA_LANE_M, ahead))
    return StillActor("occluder", body.blueprint, street.at(s_camera + ahead, right, z, yaw + 180.0))


def _clutter(name: str, street: Street, s_camera: float, target: _Place, seed: int) -> StillActor:
    """Street furniture on the pavement that the target does not stand on, somewhere about as far away."""
    rng = generator(seed, "clutter")
    side = -1.0 if target.right > ROAD_M else 1.0 if target.right < -ROAD_M else float(rng.choice((-1.0, 1.0)))
    body = _PROPS[name]
    ahead = min(target.ahead * float(rng.uniform(0.8, 1.5)), street.length - s_camera - 1.0)
    right = side * (PAVED_M - body.length / 2.0)
    # Its front looks across the street.
    pose = street.at(s_camera + ahead, right, KERB_M, -90.0 * side)
    return StillActor("clutter", body.blueprint, pose)


def _stand(right: float, half: float) -> tuple[float, float]:
    """Return the nearest place across the street that is not on the kerb's edge, and its height."""
    if abs(right) > PAVED_M - half:
        right = math.copysign(PAVED_M - half, right)
    if ROAD_M - half < abs(right) < ROAD_M + half:
        inner, outer = ROAD_M - half - 0.02, ROAD_M + half + 0.02
        right = math.copysign(inner if abs(right) < ROAD_M else outer, right)
    return right, KERB_M if abs(right) > ROAD_M else 0.0


def _weather(number: Mapping[str, float]) -> dict[str, float]:
    return {
        "sun_altitude_angle": number["sun_altitude"],
        "sun_azimuth_angle": number["sun_azimuth"],
        "cloudiness": number["cloudiness"],
        "wind_intensity": number["wind"],
        "fog_density": number["fog"],
        "precipitation": number["precipitation"],
        "precipitation_deposits": number["wetness"],
        "wetness": number["wetness"],
    }


@dataclass(frozen=True)
class Label:
    """What a still of this model shows.

    Attributes:
        valid: enough of the road user is visible.
        pixels: how many pixels show it. box: (left, top, right, bottom) around them, right and bottom exclusive.
    """

    valid: bool
    pixels: int
    box: tuple[int, int, int, int] | None


def label(still: Still) -> Label:
    """Return what became of the road user in a still of this model.

    Raises:
        StudioError: the still is of another model.
    """
    try:
        target = still.object(TARGET)
    except KeyError as error:
        raise StudioError(f"still {still.key} shows no {TARGET}: it is not of the model road_users") from error
    return Label(target.pixels >= MIN_PIXELS, target.pixels, target.box)


def still_seed(seed: int, *address: str | int) -> int:
    """Return the seed of one scene of a run: equal addresses give equal scenes."""
    return derive(seed, "road_users", *address)

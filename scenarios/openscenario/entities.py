"""What takes part in a scenario: vehicles, pedestrians and things, as written in the file or a catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scenarios.openscenario.nodes import Node

VEHICLE_CATEGORIES = ("bicycle", "bus", "car", "motorbike", "semitrailer", "trailer", "train", "tram", "truck", "van")
PEDESTRIAN_CATEGORIES = ("animal", "pedestrian", "wheelchair")
MISC_CATEGORIES = (
    "barrier", "building", "crosswalk", "gantry", "none", "obstacle", "parkingSpace", "patch", "pole", "railing",
    "roadMark", "soundBarrier", "streetLamp", "trafficIsland", "tree", "vegetation", "wind",
)  # fmt: skip
ROLES = ("none", "ambulance", "civil", "fire", "military", "police", "publicTransport", "roadAssistance")


@dataclass(frozen=True, slots=True)
class Box:
    """A bounding box in the entity's frame: x forward, y left, z up, metres.

    ``center`` is measured from the reference point, which for vehicles is the middle of the rear axle on the ground.
    """

    center: tuple[float, float, float]
    length: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Performance:
    """What a vehicle can do at most: m/s, m/s^2 and, since 1.2, m/s^3."""

    max_speed: float
    max_acceleration: float
    max_deceleration: float
    max_acceleration_rate: float | None = None
    max_deceleration_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Axle:
    """An axle: steering angle in radians, the rest in metres; ``x`` is measured from the reference point."""

    max_steering: float
    wheel_diameter: float
    track_width: float
    x: float
    z: float


@dataclass(frozen=True, slots=True)
class ControllerRecord:
    """A controller named in the file, with its properties."""

    name: str
    properties: Mapping[str, str]
    type: str = "movement"
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VehicleRecord:
    """``Vehicle``."""

    name: str
    category: str
    box: Box
    performance: Performance
    front_axle: Axle | None
    rear_axle: Axle
    additional_axles: tuple[Axle, ...] = ()
    role: str = "none"
    mass: float | None = None
    model: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    hitch_x: float | None = None
    coupler_x: float | None = None
    trailer: VehicleRecord | None = None
    trailer_ref: str = ""
    kind: str = "vehicle"


@dataclass(frozen=True, slots=True)
class PedestrianRecord:
    """``Pedestrian``."""

    name: str
    category: str
    box: Box
    mass: float
    role: str = "none"
    model: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    kind: str = "pedestrian"


@dataclass(frozen=True, slots=True)
class MiscRecord:
    """``MiscObject``."""

    name: str
    category: str
    box: Box
    mass: float
    model: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    kind: str = "miscellaneous"


EntityRecord = VehicleRecord | PedestrianRecord | MiscRecord


def read_properties(node: Node | None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the name-value pairs and the file paths of a ``Properties`` element; custom content is kept out of
    runs."""
    if node is None:
        return {}, ()
    pairs = {p.text("name"): p.text("value") for p in node.many("Property")}
    files = tuple(f.text("filepath") for f in node.many("File"))
    for custom in node.many("CustomContent"):
        custom.skip()
    return pairs, files


def read_box(node: Node) -> Box:
    """Read ``BoundingBox``."""
    center, size = node.one("Center"), node.one("Dimensions")
    return Box(
        (center.number("x"), center.number("y"), center.number("z")),
        size.number("length", minimum=0.0),
        size.number("width", minimum=0.0),
        size.number("height", minimum=0.0),
    )


def read_performance(node: Node) -> Performance:
    """Read ``Performance``."""
    return Performance(
        node.number("maxSpeed", minimum=0.0),
        node.number("maxAcceleration", minimum=0.0),
        node.number("maxDeceleration", minimum=0.0),
        node.maybe_number("maxAccelerationRate", minimum=0.0),
        node.maybe_number("maxDecelerationRate", minimum=0.0),
    )


def _read_axle(node: Node) -> Axle:
    return Axle(
        node.number("maxSteering"),
        node.number("wheelDiameter", minimum=0.0),
        node.number("trackWidth", minimum=0.0),
        node.number("positionX"),
        node.number("positionZ"),
    )


def read_vehicle(node: Node) -> VehicleRecord:
    """Read ``Vehicle``; catalog references of trailers are resolved by :mod:`catalogs`, which calls this."""
    axles = node.one("Axles")
    front = axles.maybe("FrontAxle")
    hitch, coupler = node.maybe("TrailerHitch"), node.maybe("TrailerCoupler")
    for part in (hitch, coupler):
        if part is not None:
            part.number("dz", 0.0)  # hitch heights do not move a trailer on the ground
    properties, files = read_properties(node.maybe("Properties"))
    if files:
        properties["files"] = ";".join(files)
    return VehicleRecord(
        name=node.text("name"),
        category=node.choice("vehicleCategory", VEHICLE_CATEGORIES),
        box=read_box(node.one("BoundingBox")),
        performance=read_performance(node.one("Performance")),
        front_axle=None if front is None else _read_axle(front),
        rear_axle=_read_axle(axles.one("RearAxle")),
        additional_axles=tuple(_read_axle(a) for a in axles.many("AdditionalAxle")),
        role=node.choice("role", ROLES, "none"),
        mass=node.maybe_number("mass", minimum=0.0),
        model=node.text("model3d", ""),
        properties=properties,
        hitch_x=None if hitch is None else hitch.number("dx"),
        coupler_x=None if coupler is None else coupler.number("dx"),
    )


def read_pedestrian(node: Node) -> PedestrianRecord:
    """Read ``Pedestrian``; ``model`` is 1.0's name of ``model3d``."""
    properties, files = read_properties(node.maybe("Properties"))
    if files:
        properties["files"] = ";".join(files)
    old_model = node.text("model", "")
    return PedestrianRecord(
        name=node.text("name"),
        category=node.choice("pedestrianCategory", PEDESTRIAN_CATEGORIES),
        box=read_box(node.one("BoundingBox")),
        mass=node.number("mass", minimum=0.0),
        role=node.choice("role", ROLES, "none"),
        model=node.text("model3d", "") or old_model,
        properties=properties,
    )


def read_misc(node: Node) -> MiscRecord:
    """Read ``MiscObject``."""
    properties, files = read_properties(node.maybe("Properties"))
    if files:
        properties["files"] = ";".join(files)
    return MiscRecord(
        name=node.text("name"),
        category=node.choice("miscObjectCategory", MISC_CATEGORIES),
        box=read_box(node.one("BoundingBox")),
        mass=node.number("mass", minimum=0.0),
        model=node.text("model3d", ""),
        properties=properties,
    )


def read_controller(node: Node) -> ControllerRecord:
    """Read ``Controller``."""
    properties, files = read_properties(node.maybe("Properties"))
    kind = node.choice(
        "controllerType",
        ("lateral", "longitudinal", "lighting", "animation", "movement", "appearance", "all"),
        "movement",
    )
    return ControllerRecord(node.text("name"), properties, kind, files)

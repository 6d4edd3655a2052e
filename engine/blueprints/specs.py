"""What the engine needs to know of a blueprint beyond its attributes: sizes, masses, drives, body styles."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.geometry import Box
from engine.protocol.structs import VehiclePhysicsControl
from foundation.ids import Tag


@dataclass(frozen=True, slots=True)
class VehicleSpec:
    """One vehicle. Lengths in metres, mass in kg; the origin lies on the ground between the wheels, x forward.

    Attributes:
        body: body style for the mesh generator: hatchback, sedan, suv, sports, pickup, microcar, van, truck, bus,
            motorcycle, bicycle.
        center_x: forward offset of the bounding box's centre from the origin.
        axle_shift: forward offset of the middle between the axles from the box's centre.
        cg_height: height of the centre of gravity above ground.
        power_kw: peak engine power (two-wheelers: rider's or motor's).
        tags: semantic tags of its parts, the main one first.
        colors: recommended paints, "r,g,b".
        physics: default physics control; the wheels' positions in it are zero: the world fills them in.
    """

    id: str
    base_type: str
    body: str
    length: float
    width: float
    height: float
    center_x: float
    wheelbase: float
    track: float
    wheel_radius: float
    mass: float
    cg_height: float
    power_kw: float
    generation: int
    special_type: str
    has_lights: bool
    has_dynamic_doors: bool
    number_of_wheels: int
    tags: tuple[Tag, ...]
    colors: tuple[str, ...]
    physics: VehiclePhysicsControl
    axle_shift: float = 0.0

    @property
    def box(self) -> Box:
        """The bounding box in the vehicle's frame, resting on the ground."""
        return Box((self.center_x, 0.0, self.height / 2), (self.length / 2, self.width / 2, self.height / 2))

    @property
    def two_wheeler(self) -> bool:
        """Whether it has one front and one rear wheel."""
        return self.number_of_wheels == 2

    @property
    def wheel_positions(self) -> tuple[tuple[float, float, float], ...]:
        """Wheel centres in the vehicle's frame, metres: FL, FR, RL, RR.

        Clients see four wheels on two-wheelers, too, as in the original: two in the place of each. The six-wheel
        lorry's third axle is drawn, not simulated: four wheels carry it, as in the original.
        """
        middle = self.center_x + self.axle_shift
        front, rear, half = middle + self.wheelbase / 2, middle - self.wheelbase / 2, self.track / 2
        r = self.wheel_radius
        if self.two_wheeler:
            return (front, 0.0, r), (front, 0.0, r), (rear, 0.0, r), (rear, 0.0, r)
        return (front, -half, r), (front, half, r), (rear, -half, r), (rear, half, r)


@dataclass(frozen=True, slots=True)
class WalkerSpec:
    """One walker: a capsule centred on the actor's origin. Metres, m/s.

    Attributes:
        height: full height of the body.
        radius: of the capsule.
        speeds: standing, walking, running.
    """

    id: str
    height: float
    radius: float
    age: str
    gender: str
    generation: int
    speeds: tuple[float, float, float]
    mass: float
    police: bool = False

    @property
    def box(self) -> Box:
        """The bounding box in the walker's frame."""
        return Box((0.0, 0.0, 0.0), (self.radius, self.radius, self.height / 2))

    @property
    def tags(self) -> tuple[Tag, ...]:
        """Pedestrian."""
        return (Tag.PEDESTRIANS,)


@dataclass(frozen=True, slots=True)
class PropSpec:
    """One static prop standing on its origin. Metres, kg.

    ``shape`` is the word for the mesh generator (the id's last part without its number); ``vehicle`` names the
    vehicle blueprint whose shape a parked-car prop has, "" otherwise.
    """

    id: str
    length: float
    width: float
    height: float
    size: str
    mass: float
    shape: str
    tags: tuple[Tag, ...]
    vehicle: str = ""

    @property
    def box(self) -> Box:
        """The bounding box in the prop's frame, resting on the ground."""
        return Box((0.0, 0.0, self.height / 2), (self.length / 2, self.width / 2, self.height / 2))


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """One sensor blueprint.

    Attributes:
        type_index: index in the stream header (registry order of 0.9.16).
        streamed: whether it has a stream; lane invasion and rss do not.
        attributes: (name, type letter of "bifs", default, restricted values) in order.
    """

    id: str
    type_index: int
    streamed: bool
    attributes: tuple[tuple[str, str, str, tuple[str, ...]], ...] = field(default=())

    @property
    def defaults(self) -> dict[str, str]:
        """Attribute defaults by name, as text."""
        return {name: value for name, _, value, _ in self.attributes}

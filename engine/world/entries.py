"""What the world remembers of an actor beside its table row, and reading blueprints' attributes."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.blueprints import LIBRARY, PropSpec, SensorSpec, VehicleSpec, WalkerSpec
from engine.geometry import Box, SignalSpec
from engine.protocol.structs import (
    Actor,
    ActorAttributeType,
    ActorDescription,
    BoundingBox,
    Location,
    Rotation,
    Vector3D,
)
from engine.state import Kind
from foundation.errors import RealityError

Spec = VehicleSpec | WalkerSpec | PropSpec | SensorSpec | SignalSpec | None


class SpawnError(RealityError):
    """An actor cannot be spawned; the text is CARLA's."""


COLLISION = "Spawn failed because of collision at spawn position"
INVALID = "Spawn failed because of invalid actor description"
NO_PARENT = "unable to attach actor: parent actor not found"


@dataclass(slots=True)
class ActorEntry:
    """One actor.

    Attributes:
        struct: what clients learn once; never changes.
        box: bounding box in the actor's frame.
        attributes: attribute texts by name, defaults filled in.
        stream_id: the sensor's stream, 0 for none.
        dead: a walker that takes no more controls.
        sticky: whether a vehicle's control stays in force after one frame.
    """

    id: int
    kind: Kind
    struct: Actor
    spec: Spec
    box: Box
    attributes: dict[str, str] = field(default_factory=dict)
    stream_id: int = 0
    simulates_physics: bool = True
    dead: bool = False
    sticky: bool = True

    @property
    def type_id(self) -> str:
        """Blueprint id."""
        return self.struct.description.id

    @property
    def color(self) -> tuple[int, int, int] | None:
        """Paint, sRGB 0..255; None where the blueprint has none."""
        parts = self.attributes.get("color", "").split(",")
        if len(parts) != 3:
            return None
        red, green, blue = map(int, parts)
        return red, green, blue


def wire_box(box: Box, actor_id: int = 0) -> BoundingBox:
    """Return a box as the protocol carries it."""
    return BoundingBox(Location(*box.center), Vector3D(*box.extent), Rotation(*box.rotation), actor_id)


def checked_attributes(description: ActorDescription) -> dict[str, str]:
    """Return all attributes of a blueprint's instance as text, defaults filled in.

    Raises:
        SpawnError: unknown blueprint, unknown attribute, or a value that is not of its type.
    """
    definition = LIBRARY.get(description.id)
    if definition is None:
        raise SpawnError(INVALID)
    types = {attribute.id: attribute.type for attribute in definition.attributes}
    values = {attribute.id: attribute.value for attribute in definition.attributes}
    for given in description.attributes:
        if given.id not in types or not _parses(given.value, types[given.id]):
            raise SpawnError(INVALID)
        values[given.id] = given.value
    return values


def _parses(text: str, kind: int) -> bool:
    try:
        if kind == ActorAttributeType.BOOL:
            return text.lower() in ("true", "false", "1", "0")
        if kind == ActorAttributeType.INT:
            int(text.removesuffix(".0"))
        elif kind == ActorAttributeType.FLOAT:
            value = float(text.rstrip("fF")) if text else 0.0
            return abs(value) < float("inf")
        elif kind == ActorAttributeType.RGB_COLOR:
            parts = [int(part) for part in text.split(",")]
            return len(parts) == 3 and all(0 <= part <= 255 for part in parts)
    except ValueError:
        return False
    return True

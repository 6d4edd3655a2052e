"""AnimationAction: doors of vehicles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import NO_DOMAIN, Activity, Lasting, private_action
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World

DOORS = ("doorFrontLeft", "doorFrontRight", "doorRearLeft", "doorRearRight")
COMPONENTS = (
    "hood", "trunk", *DOORS, "windowFrontRight", "windowFrontLeft", "windowRearRight", "windowRearLeft",
    "sideMirrors", "sideMirrorRight", "sideMirrorLeft",
)  # fmt: skip
OPEN_FROM = 0.5


@dataclass(frozen=True, slots=True)
class AnimateDoor:
    """Opens or shuts a door of a vehicle. It moves at once; the action lasts as long as the animation should."""

    door: str
    is_open: bool
    duration_s: float = 0.0
    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        world.port.set_door(entity.name, self.door, self.is_open)
        return Lasting(world, self.duration_s) if self.duration_s > 0.0 else None


@private_action("AppearanceAction/AnimationAction")
def read(node: Node, reader: Reader) -> AnimateDoor:
    """Read ``AnimationAction``; what is not about a door is refused."""
    duration_s = node.number("animationDuration", 0.0, minimum=0.0)
    if node.boolean("loop", False):
        raise node.error("a door that swings for ever is not supported", remedy="leave out loop")
    kind = node.one("AnimationType").only()
    if kind.tag != "ComponentAnimation":
        raise kind.error("only doors of vehicles are animated", remedy="use ComponentAnimation with a VehicleComponent")
    part = kind.only()
    if part.tag != "VehicleComponent":
        raise part.error("user-defined components are not supported", remedy="use VehicleComponent")
    door = part.choice("vehicleComponentType", COMPONENTS)
    if door not in DOORS:
        raise part.error(f"{door} does not move in CARLA", remedy=f"one of {', '.join(DOORS)}")
    state = 1.0
    if (goal := node.maybe("AnimationState")) is not None:
        state = goal.number("state", minimum=0.0)
        if state > 1.0:
            raise goal.error(f"state {state:g} is more than 1", remedy="0 for shut, 1 for open")
    if duration_s > 0.0 or state not in (0.0, 1.0):
        reader.note(node, "the door is open or shut at once; animationDuration is how long the action lasts")
    return AnimateDoor(door, state >= OPEN_FROM, duration_s)

"""LightStateAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import NO_DOMAIN, Activity, Lasting, private_action
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


TYPES = (
    "daytimeRunningLights", "lowBeam", "highBeam", "fogLights", "fogLightsFront", "fogLightsRear", "brakeLights",
    "warningLights", "indicatorLeft", "indicatorRight", "reversingLights", "licensePlateIllumination",
    "specialPurposeLights",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LightState:
    """Switches a light of a vehicle. Intensity, colour and the times of flashing are the simulator's own.

    The light switches at once; the action lasts as long as its transition. One that lets a light flash goes on until
    another action takes that light.
    """

    light: str
    mode: str
    transition_s: float = 0.0
    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        entity.lights[self.light] = self.mode
        world.port.set_lights(entity.name, dict(entity.lights))
        if (before := entity.flashing.pop(self.light, None)) is not None:
            before.done = True
        if self.mode == "flashing":
            entity.flashing[self.light] = Activity()
            return entity.flashing[self.light]
        return Lasting(world, self.transition_s) if self.transition_s > 0.0 else None


@private_action("AppearanceAction/LightStateAction")
def read(node: Node, reader: Reader) -> LightState:
    """Read ``LightStateAction``."""
    transition_s = node.number("transitionTime", 0.0, minimum=0.0)
    if transition_s > 0.0:
        reader.note(node, "the light switches at once; transitionTime is how long the action lasts")
    child = node.one("LightType").only()
    if child.tag != "VehicleLight":
        raise child.error("user-defined lights are not supported", remedy="use VehicleLight")
    state = node.one("LightState")
    for name in ("luminousIntensity", "flashingOnDuration", "flashingOffDuration"):
        if state.maybe_number(name) is not None:
            reader.note(state, f"{name} has no effect")
    if (color := state.maybe("Color")) is not None:
        color.skip()
        reader.note(color, "the colour of a vehicle's light has no effect")
    return LightState(
        child.choice("vehicleLightType", TYPES), state.choice("mode", ("on", "off", "flashing")), transition_s
    )

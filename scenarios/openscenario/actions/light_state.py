"""LightStateAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario.actions.base import NO_DOMAIN, Activity, private_action
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
    """Switches a light of a vehicle. Intensity, colour and the times of flashing are the simulator's own."""

    light: str
    mode: str
    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        entity.lights[self.light] = self.mode
        world.port.set_lights(entity.name, dict(entity.lights))
        return None


@private_action("AppearanceAction/LightStateAction")
def read(node: Node, reader: Reader) -> LightState:
    """Read ``LightStateAction``."""
    if node.number("transitionTime", 0.0) > 0.0:
        reader.note(node, "lights switch at once, transitionTime has no effect")
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
    return LightState(child.choice("vehicleLightType", TYPES), state.choice("mode", ("on", "off", "flashing")))

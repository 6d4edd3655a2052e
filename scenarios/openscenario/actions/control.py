"""ControllerAction: AssignControllerAction, ActivateControllerAction and OverrideControllerValueAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario import control
from scenarios.openscenario.actions.base import NO_DOMAIN, Activity, private_action
from scenarios.openscenario.entities import ControllerRecord
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


_AUTOMATIC = {"p": 0.0, "n": 0.0, "d": 1.0, "r": -1.0}


@dataclass(frozen=True, slots=True)
class Control:
    """Gives the entity a controller and switches its domains on or off; None leaves a domain as it is."""

    assign: ControllerRecord | None
    longitudinal: bool | None
    lateral: bool | None
    overrides: tuple[tuple[str, float | None], ...] = ()
    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        control.assign(world, entity, self.assign)
        control.activate(world, entity, self.longitudinal, self.lateral)
        for part, value in self.overrides:
            if value is None:
                entity.overrides.pop(part, None)
            else:
                entity.overrides[part] = value
        return None


def _read_assign(node: Node, reader: Reader) -> Control:
    if (wrapped := node.maybe("ObjectController")) is not None:
        record = reader.controller(wrapped)
        wrapped.label("name", "")
    else:
        record = reader.controller(node)
    reader.assigned_controller(node, record)
    for domain in ("activateAnimation", "activateLighting"):
        if node.boolean(domain, False):
            raise node.error(f"{domain} is not supported", remedy="leave it out")
    longitudinal = node.boolean("activateLongitudinal") if node.has("activateLongitudinal") else None
    lateral = node.boolean("activateLateral") if node.has("activateLateral") else None
    return Control(record, longitudinal, lateral)


@private_action("ActivateControllerAction")
def read_activate(node: Node, reader: Reader) -> Control:
    """Read ``ActivateControllerAction``; entities have one controller here, so references to it need no looking up."""
    node.label("controllerRef", "")
    node.label("objectControllerRef", "")
    for domain in ("animation", "lighting"):
        if node.boolean(domain, False):
            raise node.error(f"{domain} is not supported", remedy="leave it out")
    longitudinal = node.boolean("longitudinal") if node.has("longitudinal") else None
    return Control(None, longitudinal, node.boolean("lateral") if node.has("lateral") else None)


_PEDALS = {
    "Throttle": "value", "Brake": "value", "Clutch": "value", "ParkingBrake": "value", "SteeringWheel": "value",
    "Gear": "number",
}  # fmt: skip


def _read_override(node: Node, reader: Reader) -> tuple[tuple[str, float | None], ...]:
    """Read ``OverrideControllerValueAction``: part -> value, or None where the override ends."""
    found: list[tuple[str, float | None]] = []
    for part in node.children():
        if part.tag not in _PEDALS:
            raise part.error("unknown part to override", remedy="use " + ", ".join(sorted(_PEDALS)))
        attribute, active = _PEDALS[part.tag], part.boolean("active")
        limits = [part.maybe_number("maxRate", minimum=0.0)]
        if part.tag == "SteeringWheel":
            limits.append(part.maybe_number("maxTorque", minimum=0.0))
        value = part.number(attribute, 0.0)
        for child in part.children():  # 1.2: BrakePercent, BrakeForce, ManualGear, AutomaticGear
            if child.tag not in ("BrakePercent", "BrakeForce", "ManualGear", "AutomaticGear"):
                raise child.error("unknown kind of value")
            value = _AUTOMATIC[child.choice("gear", _AUTOMATIC)] if child.tag == "AutomaticGear" else (
                child.number("number" if child.tag == "ManualGear" else "value"))  # fmt: skip
            limits.append(child.maybe_number("maxRate"))
        if any(limit is not None for limit in limits):
            reader.note(part, "the value is set at once: maxRate and maxTorque have no effect")
        found.append((part.tag, value if active else None))
    if any(value is not None for _, value in found):
        reader.note(node, "acts on controllers that drive with pedals; default motion has none")
    return tuple(found)


@private_action("ControllerAction")
def read(node: Node, reader: Reader) -> Control:
    """Read ``ControllerAction``: one of its three parts, or 1.0's assignment with an (inactive) override."""
    assign = longitudinal = lateral = None
    overrides: tuple[tuple[str, float | None], ...] = ()
    for child in node.children():
        part: Control
        if child.tag == "AssignControllerAction":
            part = _read_assign(child, reader)
            assign = part.assign
        elif child.tag == "ActivateControllerAction":
            part = read_activate(child, reader)
        elif child.tag == "OverrideControllerValueAction":
            overrides = _read_override(child, reader)
            continue
        else:
            raise child.error("unknown kind of controller action")
        longitudinal = part.longitudinal if part.longitudinal is not None else longitudinal
        lateral = part.lateral if part.lateral is not None else lateral
    return Control(assign, longitudinal, lateral, overrides)

"""ControllerAction: AssignControllerAction, ActivateControllerAction and OverrideControllerValueAction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scenarios.openscenario import control
from scenarios.openscenario.actions.base import NO_DOMAIN, Activity, private_action
from scenarios.openscenario.entities import ControllerRecord, VehicleRecord
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


_AUTOMATIC = {"p": 0.0, "n": 0.0, "d": 1.0, "r": -1.0}
CAR_KG = 1500.0
"""Mass of a vehicle whose file does not say it, for brake forces."""


@dataclass(frozen=True, slots=True)
class Override:
    """A part's value as written, None where the override ends; ``force`` says that it is newtons, not a share."""

    part: str
    value: float | None
    force: bool = False

    def share(self, entity: Entity) -> float:
        """Return the value as pedals have it.

        A brake force is that on the vehicle: full braking, a share of 1, is mass times the largest deceleration of its
        Performance.
        """
        assert self.value is not None
        if not self.force or not isinstance(entity.record, VehicleRecord):
            return self.value
        most = (entity.record.mass or CAR_KG) * entity.record.performance.max_deceleration
        return min(self.value / most, 1.0) if most > 0.0 else float(self.value > 0.0)


@dataclass(frozen=True, slots=True)
class Control:
    """Gives the entity a controller and switches its domains on or off; None leaves a domain as it is."""

    assign: ControllerRecord | None
    longitudinal: bool | None
    lateral: bool | None
    overrides: tuple[Override, ...] = ()
    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        control.assign(world, entity, self.assign)
        control.activate(world, entity, self.longitudinal, self.lateral)
        for override in self.overrides:
            if override.value is None:
                entity.overrides.pop(override.part, None)
            else:
                entity.overrides[override.part] = override.share(entity)
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


def _read_override(node: Node, reader: Reader) -> tuple[Override, ...]:
    """Read ``OverrideControllerValueAction``.

    Pedals are shares from 0 to 1: also the ``value`` of 1.0's and 1.1's Brake and ParkingBrake, and BrakePercent. A
    BrakeForce (1.2) is in newtons.
    """
    found: list[Override] = []
    for part in node.children():
        if part.tag not in _PEDALS:
            raise part.error("unknown part to override", remedy="use " + ", ".join(sorted(_PEDALS)))
        attribute, active = _PEDALS[part.tag], part.boolean("active")
        limits = [part.maybe_number("maxRate", minimum=0.0)]
        if part.tag == "SteeringWheel":
            limits.append(part.maybe_number("maxTorque", minimum=0.0))
        value, force = part.number(attribute, 0.0), False
        for child in part.children():  # 1.2: BrakePercent, BrakeForce, ManualGear, AutomaticGear
            if child.tag not in ("BrakePercent", "BrakeForce", "ManualGear", "AutomaticGear"):
                raise child.error("unknown kind of value")
            value = _AUTOMATIC[child.choice("gear", _AUTOMATIC)] if child.tag == "AutomaticGear" else (
                child.number("number" if child.tag == "ManualGear" else "value"))  # fmt: skip
            limits.append(child.maybe_number("maxRate"))
            force = force or child.tag == "BrakeForce"
        if any(limit is not None for limit in limits):
            reader.note(part, "the value is set at once: maxRate and maxTorque have no effect")
        if value < 0.0 and part.tag in ("Throttle", "Brake", "Clutch", "ParkingBrake"):
            raise part.error(f"a value of {value:g} is below 0")
        found.append(Override(part.tag, value if active else None, force))
    if any(override.value is not None for override in found):
        reader.note(node, "acts on controllers that drive with pedals; default motion has none")
    return tuple(found)


@private_action("ControllerAction")
def read(node: Node, reader: Reader) -> Control:
    """Read ``ControllerAction``: one of its three parts, or 1.0's assignment with an (inactive) override."""
    assign = longitudinal = lateral = None
    overrides: tuple[Override, ...] = ()
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

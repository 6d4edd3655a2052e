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


@dataclass(frozen=True, slots=True)
class Control:
    """Gives the entity a controller and switches its domains on or off; None leaves a domain as it is."""

    assign: ControllerRecord | None
    longitudinal: bool | None
    lateral: bool | None
    domains: ClassVar[frozenset[str]] = NO_DOMAIN

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        control.assign(world, entity, self.assign)
        control.activate(world, entity, self.longitudinal, self.lateral)
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


def _refuse_override(node: Node) -> None:
    for part in node.children():
        if part.boolean("active"):
            raise part.error("overriding pedals and steering is not supported", remedy="set active to false")
        part.skip()


@private_action("ControllerAction")
def read(node: Node, reader: Reader) -> Control:
    """Read ``ControllerAction``: one of its three parts, or 1.0's assignment with an (inactive) override."""
    assign = longitudinal = lateral = None
    for child in node.children():
        part: Control
        if child.tag == "AssignControllerAction":
            part = _read_assign(child, reader)
            assign = part.assign
        elif child.tag == "ActivateControllerAction":
            part = read_activate(child, reader)
        elif child.tag == "OverrideControllerValueAction":
            _refuse_override(child)
            continue
        else:
            raise child.error("unknown kind of controller action")
        longitudinal = part.longitudinal if part.longitudinal is not None else longitudinal
        lateral = part.lateral if part.lateral is not None else lateral
    return Control(assign, longitudinal, lateral)

"""Entities as a file describes them: in the Entities section, or as templates of traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scenarios.openscenario import entities as records
from scenarios.openscenario.entities import ControllerRecord, EntityRecord, VehicleRecord
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader


@dataclass(frozen=True, slots=True)
class EntityEntry:
    """One entity of the scenario: what it is, the controllers written with it, and what tows it ("" for nothing)."""

    record: EntityRecord
    controllers: tuple[ControllerRecord, ...] = ()
    towed_by: str = ""


def read_object(node: Node, reader: Reader) -> EntityEntry:
    """Read ``ScenarioObject`` or ``ScenarioObjectTemplate``: an entity (or a reference to one) and controllers."""
    readers: dict[str, Callable[[Node], EntityRecord]] = {
        "Vehicle": lambda n: _read_vehicle(n, reader),
        "Pedestrian": records.read_pedestrian,
        "MiscObject": records.read_misc,
    }
    found: list[EntityRecord] = []
    controllers: list[ControllerRecord] = []
    for child in node.children():
        if child.tag == "CatalogReference":
            entry = reader.catalogs.open(child, *readers)
            found.append(readers[entry.tag](entry))
        elif child.tag in readers:
            found.append(readers[child.tag](reader.declare(child)))
        elif child.tag == "ObjectController":
            child.label("name", "")
            controllers.append(reader.controller(child))
        else:
            raise child.error("this kind of entity is not supported")
    if len(found) != 1:
        raise node.error(f"exactly one vehicle, pedestrian or misc object is needed, {len(found)} found")
    return EntityEntry(found[0], tuple(controllers))


def _read_vehicle(node: Node, reader: Reader) -> VehicleRecord:
    record = records.read_vehicle(node)
    trailer = node.maybe("Trailer")
    if trailer is None:
        return record
    child = trailer.only()
    if child.tag == "TrailerRef":
        return replace(record, trailer_ref=child.text("entityRef"))
    # 1.3: <Trailer><Trailer name=...> holds the trailer as a scenario object or a catalog reference.
    child.label("name", "")
    inner = child.only()
    entry = reader.catalogs.open(inner, "Vehicle") if inner.tag == "CatalogReference" else reader.declare(inner)
    if entry.tag != "Vehicle":
        raise inner.error("a trailer must be a Vehicle")
    return replace(record, trailer=_read_vehicle(entry, reader))

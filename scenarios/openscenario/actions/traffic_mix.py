"""What traffic is made of: TrafficDistribution (1.3) and TrafficDefinition (1.0 to 1.2)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from scenarios.openscenario.entities import (
    ROLES,
    VEHICLE_CATEGORIES,
    Axle,
    Box,
    ControllerRecord,
    Performance,
    VehicleRecord,
    read_properties,
)
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.objects import EntityEntry, read_object
from scenarios.openscenario.traffic import Mix

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader

USUAL = (("car", 0.8), ("van", 0.1), ("truck", 0.1))
"""Traffic about which nothing is said."""
DEFAULT_CONTROLLERS = ("", "default", "DefaultController")
SIZES: Mapping[str, tuple[float, float, float, float]] = {
    # Length, width, height and wheelbase of usual vehicles, metres.
    "bicycle": (1.8, 0.6, 1.7, 1.1), "bus": (12.0, 2.55, 3.2, 6.0), "car": (4.5, 1.85, 1.5, 2.7),
    "motorbike": (2.2, 0.8, 1.5, 1.4), "semitrailer": (13.6, 2.55, 4.0, 8.0), "trailer": (6.0, 2.3, 2.5, 3.0),
    "train": (25.0, 2.9, 3.9, 17.0), "tram": (30.0, 2.4, 3.5, 20.0), "truck": (8.5, 2.5, 3.4, 4.5),
    "van": (5.6, 2.0, 2.4, 3.4),
}  # fmt: skip


def _vehicle(category: str, role: str) -> VehicleRecord:
    """Return a usual vehicle of a category: TrafficDefinition names nothing but that."""
    length, width, height, base = SIZES[category]
    wheel = 0.35 * min(height, 2.0)
    slow = category == "bicycle"
    return VehicleRecord(
        name=category,
        category=category,
        box=Box((0.5 * base, 0.0, 0.5 * height), length, width, height),
        performance=Performance(8.0 if slow else 50.0, 2.0 if slow else 5.0, 4.0 if slow else 9.0),
        front_axle=Axle(0.6, wheel, 0.85 * width, base, 0.5 * wheel),
        rear_axle=Axle(0.0, wheel, 0.85 * width, 0.0, 0.5 * wheel),
        role=role,
    )


def _weight(node: Node) -> float:
    weight = node.number("weight", minimum=0.0)
    if math.isinf(weight):
        raise node.error("attribute weight must be finite")
    return weight


def _mix(node: Node, weighted: list[tuple[EntityEntry, float]]) -> Mix:
    if not weighted or sum(weight for _, weight in weighted) <= 0.0:
        raise node.error("one weight must be above 0")
    entries, weights = zip(*weighted)
    return Mix(tuple(entries), tuple(weights))


def read_mix(node: Node, reader: Reader) -> Mix:
    """Read the TrafficDistribution or the TrafficDefinition of an action; without either it is :data:`USUAL`."""
    distribution, definition = node.maybe("TrafficDistribution"), node.maybe("TrafficDefinition")
    if distribution is not None and definition is not None:
        raise node.error("TrafficDistribution and TrafficDefinition exclude each other")
    if definition is not None:
        return read_definition(definition, reader)
    if distribution is None:
        return Mix(tuple(EntityEntry(_vehicle(category, "none")) for category, _ in USUAL), tuple(w for _, w in USUAL))
    found: list[tuple[EntityEntry, float]] = []
    for entry in distribution.many("TrafficDistributionEntry"):
        outer = _weight(entry)
        properties, files = read_properties(entry.maybe("Properties"))
        if properties or files:
            reader.note(entry, "Properties of a traffic distribution have no effect")
        inner = entry.one("EntityDistribution").many("EntityDistributionEntry")
        weights = [_weight(item) for item in inner]
        if not inner or sum(weights) <= 0.0:
            raise entry.error("one weight of the EntityDistribution must be above 0")
        for item, weight in zip(inner, weights):
            found.append((read_object(item.one("ScenarioObjectTemplate"), reader), outer * weight / sum(weights)))
    return _mix(distribution, found)


def read_definition(node: Node, reader: Reader) -> Mix:
    """Read ``TrafficDefinition``: categories, roles and controllers, each with weights, drawn independently."""
    node.text("name")
    categories = [
        (e.choice("category", VEHICLE_CATEGORIES), _weight(e))
        for e in node.one("VehicleCategoryDistribution").many("VehicleCategoryDistributionEntry")
    ]
    roles = [("none", 1.0)]
    if (chosen := node.maybe("VehicleRoleDistribution")) is not None:
        roles = [(e.choice("role", ROLES), _weight(e)) for e in chosen.many("VehicleRoleDistributionEntry")]
    controllers = [
        (_controller(e, reader), _weight(e))
        for e in node.one("ControllerDistribution").many("ControllerDistributionEntry")
    ]
    if sum(w for _, w in roles) <= 0.0 or sum(w for _, w in controllers) <= 0.0:
        raise node.error("one weight of every distribution must be above 0")
    found = []
    for category, w1 in categories:
        plain = _vehicle(category, "none")
        for role, w2 in roles:
            for record, w3 in controllers:
                vehicle = replace(plain, role=role)
                found.append((EntityEntry(vehicle, () if record is None else (record,)), w1 * w2 * w3))
    return _mix(node, found)


def _controller(node: Node, reader: Reader) -> ControllerRecord | None:
    record = reader.controller(node)
    return None if record.name in DEFAULT_CONTROLLERS else record

"""Who controls an entity: assigning controllers and switching their domains on and off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foundation.seeds import generator
from scenarios.openscenario.controllers import Binding, View
from scenarios.openscenario.entities import ControllerRecord

if TYPE_CHECKING:
    from scenarios.openscenario.world import Entity, World


def assign(world: World, entity: Entity, record: ControllerRecord | None) -> None:
    """Give an entity a controller; the one it had is stopped. A name without a controller behind it means the
    default."""
    if record is None:
        return
    old = entity.binding
    if old is not None:
        activate(world, entity, False, False)
        if old.started:
            old.controller.stop()
        entity.binding = None
    factory = world.controllers.get(record.name)
    if factory is None:
        # Only controllers of Entities get here unknown: actions that assign one were refused before the start.
        world.notes.append(f"{entity.name}: no controller {record.name!r} here, default motion is used instead")
        return
    entity.binding = Binding(record, factory())


def activate(world: World, entity: Entity, longitudinal: bool | None, lateral: bool | None) -> None:
    """Switch domains of the entity's controller; None leaves a domain as it is. Without a controller nothing
    changes."""
    binding = entity.binding
    if binding is None:
        return
    binding.longitudinal = binding.longitudinal if longitudinal is None else longitudinal
    binding.lateral = binding.lateral if lateral is None else lateral
    if binding.active and not binding.started:
        rng = generator(world.seed, "controller", entity.name, binding.record.name)
        binding.controller.start(entity, binding.record.properties, rng)
        binding.started = True
    for domain, on in (("longitudinal", binding.longitudinal), ("lateral", binding.lateral)):
        running = getattr(entity, domain)
        if on and running is not None:
            running.stop()
            setattr(entity, domain, None)
    wanted = binding.active and binding.controller.physical
    if wanted and not (binding.longitudinal and binding.lateral):
        raise ValueError(
            f"{entity.name}: controller {binding.record.name} drives through physics and needs both domains"
        )
    if wanted != entity.driven and entity.present:
        world.port.set_driven(entity.name, wanted, entity.motion)
        if not wanted:
            entity.track = world.roads.locate(entity.motion.pose)
    entity.driven = wanted


def takes_over(world: World, entity: Entity, action: object, domains: frozenset[str]) -> bool | None:
    """Ask an entity's controller about an action: True it does it, False it refuses, None it does not control these
    domains."""
    binding = entity.binding
    if binding is None:
        return None
    if not any(getattr(binding, domain) for domain in domains):
        return None
    return binding.controller.request(action, view(world, entity))


def view(world: World, entity: Entity) -> View:
    """Return what the entity's controller sees."""
    motions = {name: e.motion for name, e in world.entities.items() if e.present}
    return View(world.time_s, entity.name, motions, world.entities, world)

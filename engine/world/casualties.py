"""Walkers that are run over: they fall, lie for a while and vanish, unless they are invincible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.blueprints import WalkerSpec
from engine.sensors.base import boolean
from engine.state import Kind
from engine.world.entries import ActorEntry

if TYPE_CHECKING:
    from engine.world.world import World

LIES_S = 10.0
"""How long a dead walker stays, CARLA's ``LifeSpanAfterDeath``."""
KNOCKED_MPS = 2.0
"""A walker whom a vehicle gives this speed at once does not keep standing; a car that rolls against it only pushes."""


class Casualties:
    """Who may die, and who is dead until when."""

    def __init__(self) -> None:
        self._mortal: set[int] = set()
        self._until: dict[int, float] = {}

    def watch(self, entry: ActorEntry) -> None:
        """Take note of a new walker."""
        if not boolean(entry.attributes, "is_invincible", True):
            self._mortal.add(entry.id)

    def forget(self, actor_id: int) -> None:
        """An actor is gone."""
        self._mortal.discard(actor_id)
        self._until.pop(actor_id, None)

    def kill(self, world: World, entry: ActorEntry) -> None:
        """Let a walker fall; it vanishes after :data:`LIES_S` of the simulation."""
        if entry.dead:
            return
        entry.dead = True
        world.physics.fell_walker(entry.id)
        self._mortal.discard(entry.id)
        self._until[entry.id] = world.elapsed_s + LIES_S

    def step(self, world: World) -> None:
        """After the physics of a frame: who was hit falls, whose time is over goes."""
        if self._mortal:
            for contact in world.physics.contacts():
                for walker, other in ((contact.actor_a, contact.actor_b), (contact.actor_b, contact.actor_a)):
                    if walker in self._mortal and self._knocked(world, walker, other, contact.impulse):
                        self.kill(world, world.actors[walker])
        if self._until:
            for actor_id in sorted(i for i, until in self._until.items() if world.elapsed_s >= until - 1e-9):
                world.destroy(actor_id)

    @staticmethod
    def _knocked(world: World, walker: int, other: int, impulse: tuple[float, float, float]) -> bool:
        spec = world.actors[walker].spec
        hit_by = world.actors.get(other)
        if hit_by is None or hit_by.kind is not Kind.VEHICLE or not isinstance(spec, WalkerSpec):
            return False
        return sum(part * part for part in impulse) >= (KNOCKED_MPS * spec.mass) ** 2

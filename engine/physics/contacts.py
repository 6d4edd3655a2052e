"""What touched what in a frame: read from Bullet after every substep, summed over the frame."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from panda3d.bullet import BulletPersistentManifold, BulletWorld
from panda3d.core import PythonCallbackObject

from engine.physics.bodies import Body, key_of
from engine.physics.ground import Ground
from engine.physics.store import BodyStore
from engine.state import Kind
from foundation.ids import Tag


@dataclass(frozen=True, slots=True)
class Contact:
    """One touching pair of bodies in a frame.

    Attributes:
        actor_a: id of the first actor.
        actor_b: id of the second, 0 for the static world.
        tag_b: tag of the scenery that was touched; ``Tag.NONE`` when ``actor_b`` is not 0.
        impulse: N s in CARLA's world axes, what acted on ``actor_a`` over the frame; on ``actor_b`` its opposite.
    """

    actor_a: int
    actor_b: int
    tag_b: Tag
    impulse: tuple[float, float, float]


class _News:
    """Whether Bullet has found points of contact since the last look; it knows one callback for all its worlds."""

    def __init__(self) -> None:
        self.fresh = False
        world = BulletWorld()
        world.set_contact_added_callback(PythonCallbackObject(self.found))
        # Bullet's library outlives the interpreter, which the callback must not.
        atexit.register(world.clear_contact_added_callback)

    def found(self, data: Any) -> None:
        """Callback of Bullet, for every point between bodies of which one asks for it."""
        self.fresh = True


_news = _News()


class ContactLog:
    """Collects contacts substep by substep.

    Bullet keeps the impulses of its last substep only, and a crash may be over within one, so the log looks after
    every substep in which something may touch. Not after every one: Panda never frees what it hands out of a pair of
    bodies, 32 bytes each. Pairs of an immovable thing and the ground, and of a loose prop and the ground, are left out.
    """

    def __init__(self, world: BulletWorld, ground: Ground, store: BodyStore) -> None:
        self._world = world
        self._ground = ground
        self._bodies = store.by_node
        self._sums: dict[tuple[int, int], list[float]] = {}
        self._unsolved: dict[tuple[int, int], tuple[Body, Body, tuple[float, float, float]]] = {}
        self.previous: set[tuple[int, int]] = set()
        self._lasting = False

    def begin(self) -> None:
        """Start a frame."""
        self.previous = set(self._sums) | set(self._unsolved)
        self._sums = {}
        self._unsolved = {}

    def look(self, data: Any) -> None:
        """Tick callback of Bullet's world, after each substep."""
        if not (_news.fresh or self._lasting):
            return
        # Points stay until their bodies part, also while both sleep and Bullet finds nothing anew.
        _news.fresh = self._lasting = False
        world = self._world
        for index in range(world.get_num_manifolds()):
            manifold = world.get_manifold(index)
            if manifold.get_num_manifold_points():
                self._lasting = True
                self._note(manifold)

    def _note(self, manifold: BulletPersistentManifold) -> None:
        key_a, key_b = key_of(manifold.get_node0()), key_of(manifold.get_node1())
        a, b = self._bodies.get(key_a), self._bodies.get(key_b)
        if a is None and b is None:
            return
        points = [p for p in manifold.get_manifold_points() if p.get_distance() <= 0.0]
        if not points:
            return
        sign = 1.0
        if a is None:
            a, b, key_a, key_b, sign = b, a, key_b, key_a, -1.0
        assert a is not None
        if b is None:
            if a.kind is Kind.PROP:
                return
            first = points[0]
            triangle = first.get_index1() if sign > 0.0 else first.get_index0()
            pair = (a.actor_id, -1 - int(self._ground.tag(key_b, triangle)))
        elif a.actor_id > b.actor_id:
            a, b, sign = b, a, -sign
            pair = (a.actor_id, b.actor_id)
        else:
            pair = (a.actor_id, b.actor_id)
        x = y = z = 0.0
        for point in points:
            strength = point.get_applied_impulse() * sign
            normal = point.get_normal_world_on_b()
            x, y, z = x + normal[0] * strength, y - normal[1] * strength, z + normal[2] * strength
        if b is not None and not (a.simulate and b.simulate) and not self._solved(a, b):
            normal = points[0].get_normal_world_on_b()
            self._unsolved[pair] = (a, b, (normal[0] * sign, -normal[1] * sign, normal[2] * sign))
            return
        total = self._sums.setdefault(pair, [0.0, 0.0, 0.0])
        total[0] += x
        total[1] += y
        total[2] += z

    @staticmethod
    def _solved(a: Body, b: Body) -> bool:
        """Whether Bullet's solver pushed the pair apart: one must be simulated, and both must respond."""
        return (a.simulate or b.simulate) and (a.simulate or a.responds) and (b.simulate or b.responds)

    def end(self, estimate: Callable[[Body, Body, tuple[float, float, float]], tuple[float, float, float]]) -> None:
        """Close the frame: pairs the solver left alone get an estimated impulse when they begin to touch."""
        for pair, (a, b, normal) in self._unsolved.items():
            fresh = pair not in self.previous
            self._sums[pair] = list(estimate(a, b, normal)) if fresh else [0.0, 0.0, 0.0]

    def touching(self) -> set[int]:
        """Return the ids of the actors that touched anything in the frame."""
        return {actor for pair in self._sums for actor in pair if actor > 0}

    def contacts(self) -> list[Contact]:
        """Return the frame's contacts, sorted by actors."""
        result = []
        for (a, b), (x, y, z) in sorted(self._sums.items()):
            tag = Tag(-1 - b) if b < 0 else Tag.NONE
            result.append(Contact(a, max(b, 0), tag, (x, y, z)))
        return result

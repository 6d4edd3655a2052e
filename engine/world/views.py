"""The ray caster and the renderer of an episode: built when first asked for, fed with the actors' models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine.blueprints import PropSpec, VehicleSpec, WalkerSpec
from engine.geometry import Box, Model, SignalSpec, StaticObject, StaticWorld
from engine.state import Kind
from foundation.errors import RealityError
from foundation.frames import pose_matrices
from foundation.ids import Tag

if TYPE_CHECKING:
    from engine.raycast import RayCaster
    from engine.render.pictures import Picture
    from engine.world.world import World

_SHAPED = (Kind.VEHICLE, Kind.WALKER, Kind.PROP, Kind.TRAFFIC_LIGHT, Kind.TRAFFIC_SIGN)
"""Kinds of actors that have a model."""


def with_posts(static: StaticWorld) -> StaticWorld:
    """Return the static world that bodies meet: with the posts of lights and signs, which are actors to clients."""
    from engine.scene import signal_model

    posts = []
    for number, signal in enumerate(static.signals):
        model = signal_model(signal.kind, signal.value, signal.face)
        pose = pose_matrices(signal.location, signal.rotation)
        posts.append(StaticObject(-1 - number, f"post {signal.signal_id}", model, pose, Tag.POLES))
    return replace(static, objects=(*static.objects, *posts))


def lamp_boxes(model: Model) -> list[Box]:
    """Return the boxes around a traffic light's lamps, in the model's frame: one per meshes' joint that has lamps."""
    corners: dict[str, list[npt.NDArray]] = {}
    for mesh in model.meshes:
        if mesh.material.light in ("red", "yellow", "green") and len(mesh.vertices):
            corners.setdefault(mesh.joint, []).append(mesh.vertices)
    boxes = []
    for parts in corners.values():
        points = np.concatenate(parts)
        low, high = points.min(axis=0), points.max(axis=0)
        boxes.append(Box(tuple(((low + high) / 2).tolist()), tuple(((high - low) / 2).tolist())))
    return boxes


class Views:
    """What sees the world. An episode without ray sensors or cameras builds neither."""

    def __init__(self, static: StaticWorld, world: World) -> None:
        self._static = static
        self._world = world
        self._rays: RayCaster | None = None
        self._renderer: Any = None
        self._in_rays: set[int] = set()
        self._in_renderer: set[int] = set()
        self._weather: Any = None
        self._lamps: tuple[int, int] | None = None
        self._hidden: frozenset[int] = frozenset()
        # Objects that cameras never see, though rays and bodies meet them.
        self._unseen = static.unseen
        self._hidden_actors: frozenset[int] = frozenset()
        self._pictures: Mapping[int, Picture] = {}

    def begin(self, signals: set[int], hidden: frozenset[int] = frozenset()) -> None:
        """Begin an episode: forget all actors but the map's signals.

        Args:
            signals: ids of lights and signs. They are the same in every episode of a map.
            hidden: ids of the static objects that are not to be seen.
        """
        for actor_id in sorted((self._in_rays | self._in_renderer) - signals):
            self.remove(actor_id)
        self.set_hidden(hidden)
        self.set_pictures({})
        if self._rays is not None:
            self._rays.begin()

    def rays(self) -> RayCaster:
        """Return the ray caster, updated to the world's frame."""
        if self._rays is None:
            from engine.raycast import RayCaster

            self._rays = RayCaster(self._static, self._joints)
            self._rays.set_static_visibility(self._hidden, False)
        for actor_id in self._missing(self._in_rays):
            self._rays.add_actor(actor_id, self.model(actor_id))
            self._in_rays.add(actor_id)
        posed = [i for i in self._world.poses.shown() if i in self._in_rays]
        given = {i: self._joints(self.model(i), self._world.table[i]) for i in posed}
        self._rays.update(self._world.table, given)
        return self._rays

    def _joints(self, model: Model, row: np.void) -> npt.NDArray[np.float64]:
        return self._world.poses.matrices(model, row)

    def renderer(self) -> Any:
        """Return the renderer, updated to the world's frame."""
        if self._renderer is None:
            from engine.render import Renderer

            self._renderer = Renderer(self._static, self._joints)
            self._renderer.set_hidden(self._hidden | self._unseen)
            self._renderer.set_pictures(self._pictures)
        for actor_id in self._missing(self._in_renderer):
            self._renderer.add_actor(actor_id, self.model(actor_id), actor_id & 0x7FFF)
            self._in_renderer.add(actor_id)
        if self._weather is not self._world.weather:
            self._weather = self._world.weather
            self._renderer.set_weather(self._weather)
        lamps = self._world.episode, self._world.scene_lights.version
        if lamps != self._lamps:
            self._lamps = lamps
            self._renderer.set_street_lamps(self._world.scene_lights.shining())
        self._renderer.set_shapes(self._world.shapes.segments)
        self._renderer.update(self._world.table, self._world.elapsed_s)
        return self._renderer

    def _missing(self, known: set[int]) -> list[int]:
        gone = known | self._hidden_actors if self._hidden_actors else known
        return [i for i, entry in self._world.actors.items() if i not in gone and entry.kind in _SHAPED]

    def model(self, actor_id: int) -> Model:
        """Return an actor's model; actors of the same blueprint and paint share one.

        Raises:
            RealityError: it is of a kind that has none.
        """
        from engine.scene import actor_model, signal_model
        from engine.scene.poster import Poster
        from engine.sensors.base import number

        entry = self._world.actors[actor_id]
        if isinstance(entry.spec, SignalSpec):
            return signal_model(entry.spec.kind, entry.spec.value, entry.spec.face)
        if not isinstance(entry.spec, (VehicleSpec, WalkerSpec, PropSpec)):
            raise RealityError(f"actor {actor_id} ({entry.type_id}) has no model")
        poster = None
        if "person" in entry.attributes:
            phase, heading = (number(entry.attributes, name, 0.0) for name in ("gait_phase", "person_heading"))
            poster = Poster(entry.attributes["person"], phase, heading)
        return actor_model(entry.spec, color=entry.color, seed=self._world.seed, poster=poster)

    def remove(self, actor_id: int) -> None:
        """Forget an actor."""
        if actor_id in self._in_rays and self._rays is not None:
            self._in_rays.discard(actor_id)
            self._rays.remove(actor_id)
        if actor_id in self._in_renderer:
            self._in_renderer.discard(actor_id)
            self._renderer.remove_actor(actor_id)

    def set_hidden(self, object_ids: frozenset[int], actor_ids: frozenset[int] = frozenset()) -> None:
        """Say which static objects and which actors rays and cameras do not see."""
        for actor_id in sorted(actor_ids - self._hidden_actors):
            self.remove(actor_id)
        self._hidden_actors = actor_ids
        shown, hidden = self._hidden - object_ids, object_ids - self._hidden
        self._hidden = object_ids
        if self._rays is not None:
            self._rays.set_static_visibility(shown, True)
            self._rays.set_static_visibility(hidden, False)
        if self._renderer is not None:
            self._renderer.set_hidden(object_ids | self._unseen)

    def set_pictures(self, pictures: Mapping[int, Picture]) -> None:
        """Say which static objects, by id, show a picture."""
        self._pictures = pictures
        if self._renderer is not None:
            self._renderer.set_pictures(pictures)

    def close(self) -> None:
        """Give back what the renderer holds."""
        if self._renderer is not None:
            self._renderer.close()
        self._rays = self._renderer = None

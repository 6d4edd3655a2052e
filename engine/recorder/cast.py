"""Who plays whom: recorded actors and the live ones that stand for them."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from engine.blueprints import LIBRARY
from engine.protocol.structs import (
    ActorAttributeValue,
    ActorDescription,
    AttachmentType,
    Location,
    Rotation,
    Transform,
    Vector3D,
    VehicleControl,
    WalkerControl,
)
from engine.recorder.capture import CM
from engine.recorder.records import Creation, Frame
from engine.state import Kind
from foundation.errors import RealityError

if TYPE_CHECKING:
    from engine.world.world import World

_log = logging.getLogger(__name__)

SPAWN_HEIGHT_M = 1000.0
"""Actors are made up here, where nothing is in their way, and put in their place afterwards."""
BODIES = (Kind.VEHICLE, Kind.WALKER, Kind.PROP)
FARTHEST_ID = 1_000_000
"""Recorded ids are kept when they are no farther than this from those in use; a damaged file may hold any number."""


@dataclass(slots=True)
class Cast:
    """The actors of one replay.

    Attributes:
        live: live id by recorded id.
        led: vehicles and walkers taken out of physics, with whether physics moved them before.
        posed: walkers that were given recorded poses.
    """

    ignore_hero: bool
    ignore_spectator: bool
    sensors: bool
    live: dict[int, int] = field(default_factory=dict)
    led: dict[int, bool] = field(default_factory=dict)
    posed: set[int] = field(default_factory=set)

    def follow(self, world: World, frame: Frame) -> None:
        """Let actors come, go and hang on one another as they did in a recorded frame."""
        parents = dict(frame.parented.tolist())
        for creation in frame.created:
            try:
                self._come(world, creation, self.live.get(parents.pop(creation.id, 0), 0))
            except RealityError as error:
                _log.warning("replay: actor %d (%s): %s", creation.id, creation.type_id, error)
        for child, parent in parents.items():
            self._hang(world, child, parent)
        for recorded in frame.deleted.tolist():
            gone = self.live.pop(recorded, None)
            self.led.pop(gone or 0, None)
            if gone is not None and gone in world.actors:
                with contextlib.suppress(RealityError):  # lights, signs and the spectator stay
                    world.destroy(gone)

    def _come(self, world: World, creation: Creation, parent: int) -> None:
        if (self.ignore_hero and creation.is_hero) or creation.id in self.live:
            return
        if creation.type_id == "spectator":
            if not self.ignore_spectator:
                self.live[creation.id] = world.spectator
            return
        if creation.type_id.startswith("traffic."):
            found = _signal_at(world, creation)
        elif creation.type_id.startswith("sensor.") and not self.sensors:
            return
        else:
            entry = world.actors.get(creation.id)
            same = entry is not None and entry.type_id == creation.type_id
            found = creation.id if same else _make(world, creation, parent)
        if found is None:
            return
        self.live[creation.id] = found
        entry = world.actors[found]
        if entry.kind in (Kind.VEHICLE, Kind.WALKER) and found not in self.led:
            self.led[found] = entry.simulates_physics
            world.physics.set_simulate_physics(found, False)
            world.physics.set_collisions(found, False)
            entry.simulates_physics = False

    def _hang(self, world: World, child: int, parent: int) -> None:
        """Attach an actor where it is: what was written of it is where it is relative to its parent."""
        from engine.world.attachments import Attachment
        from foundation.frames import pose_matrices

        ours, theirs = self.live.get(child, 0), self.live.get(parent, 0)
        if ours not in world.actors or theirs not in world.actors or ours in world.attachments or ours == theirs:
            return
        row = world.table[ours]
        relative = pose_matrices(row["location"], row["rotation"])
        world.attachments.add(Attachment(ours, theirs, AttachmentType.RIGID, relative))

    def release(self, world: World) -> None:
        """Give actors back to physics: vehicles stand still there, walkers stop."""
        for identity, simulated in self.led.items():
            entry = world.actors.get(identity)
            if entry is None:
                continue
            world.physics.set_velocity(identity, (0.0, 0.0, 0.0))
            world.physics.set_angular_velocity(identity, (0.0, 0.0, 0.0))
            if entry.kind == Kind.VEHICLE:
                world.physics.apply_vehicle_control(identity, VehicleControl(gear=1))
            else:
                world.physics.apply_walker_control(identity, WalkerControl(Vector3D(), 0.0, False))
            # A walker that its client led before is led by it again.
            if entry.kind == Kind.VEHICLE or simulated:
                world.physics.set_collisions(identity, True)
                world.physics.set_simulate_physics(identity, True)
                entry.simulates_physics = True
        for identity in sorted(self.posed):
            if identity in world.actors:
                world.poses.blend(world.views.model(identity), world.table[identity], 0.0)
        self.led.clear()
        self.posed.clear()


def _signal_at(world: World, creation: Creation) -> int | None:
    """Return the light or sign at a recorded place: the one with the recorded id, if several are there."""
    wanted = np.trunc(np.asarray(creation.location, np.float32)).tolist()
    found = []
    for identity, signal in world.signals:
        place = np.trunc((np.asarray(signal.location) * CM).astype(np.float32)).tolist()
        if place == wanted and signal.kind == creation.type_id:
            found.append(identity)
    return creation.id if creation.id in found else (found[0] if found else None)


def _make(world: World, creation: Creation, parent: int) -> int:
    """Spawn an actor under its recorded id, if that is free."""
    from engine.world.spawning import spawn

    definition = LIBRARY.get(creation.type_id)
    known = {attribute.id for attribute in definition.attributes} if definition else set()
    attributes = tuple(ActorAttributeValue(a.id, a.type, a.value) for a in creation.attributes if a.id in known)
    description = ActorDescription(definition.uid if definition else 0, creation.type_id, attributes)
    x, y, z = (value / CM for value in creation.location)
    roll, pitch, yaw = creation.rotation
    place = Transform(Location(x, y, z), Rotation(pitch, yaw, roll))
    body = not creation.type_id.startswith(("sensor.", "controller."))
    high = msgspec.structs.replace(place, location=Location(x, y, SPAWN_HEIGHT_M)) if body and not parent else place
    # A client that knows a sensor's id knows its stream as well: a new sensor must not have an old one's id.
    used = not body and creation.id < world.next_actor_id
    world.wanted_id = 0 if used or creation.id > world.next_actor_id + FARTHEST_ID else creation.id
    try:
        entry = spawn(world, description, high, parent, AttachmentType.RIGID)
    finally:
        world.wanted_id = 0
    if high is not place:
        put(world, entry.id, (x, y, z), (pitch, yaw, roll))
    return entry.id


def put(
    world: World, identity: int, location: tuple[float, float, float], rotation: tuple[float, float, float]
) -> None:
    """Place a live actor, metres and (pitch, yaw, roll); one that hangs on another stays with it."""
    if identity in world.attachments:
        return
    world.table.place(identity, location, rotation)
    if identity in world.physics:
        world.physics.set_transform(identity, location, rotation)

"""What a frame of the world leaves in a recording."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.blueprints import VehicleSpec
from engine.geometry import Box, SignalSpec
from engine.recorder import records
from engine.recorder.records import (
    NO_ACTOR,
    Attribute,
    Bone,
    Creation,
    Frame,
    PhysicsControl,
    RecordedKind,
    WalkerBones,
    Wheels,
)
from engine.state import Kind
from foundation.frames import rotation_of

if TYPE_CHECKING:
    from engine.world.entries import ActorEntry
    from engine.world.world import World

CM = 100.0
EULER = [2, 0, 1]
"""(roll, pitch, yaw), the order of recordings, out of our (pitch, yaw, roll)."""

KINDS = {
    Kind.OTHER: RecordedKind.OTHER,
    Kind.PROP: RecordedKind.OTHER,
    Kind.VEHICLE: RecordedKind.VEHICLE,
    Kind.WALKER: RecordedKind.WALKER,
    Kind.TRAFFIC_LIGHT: RecordedKind.TRAFFIC_LIGHT,
    Kind.TRAFFIC_SIGN: RecordedKind.TRAFFIC_SIGN,
    Kind.SENSOR: RecordedKind.SENSOR,
}
_POSED = (Kind.OTHER, Kind.PROP, Kind.VEHICLE, Kind.WALKER)
"""Kinds whose position is recorded in every frame."""

Indices = npt.NDArray[np.intp]


def _table(dtype: np.dtype, **columns: npt.ArrayLike) -> npt.NDArray:
    size = len(next(iter(columns.values())))  # type: ignore[arg-type]
    made = np.zeros(size, dtype)
    for name, values in columns.items():
        made[name] = values
    return made


class Capture:
    """Makes frames of one world, one after the other; actors that come and go are found by comparing.

    Args:
        additional: whether to record what ``additional_data`` asks for.
    """

    def __init__(self, *, additional: bool) -> None:
        self._additional = additional
        self._number = 0
        self._elapsed_s = 0.0
        self._began = time.monotonic()
        self._collisions = 0
        self._ids = np.zeros(0, np.uint32)
        self._doors: dict[int, int] = {}
        self._light_times = np.zeros(0, records.LIGHT_TIME)
        self._controls: dict[int, None] = {}
        self._watched: set[int] = set()
        self._two_wheelers: list[int] = []

    def note_physics_control(self, actor_id: int) -> None:
        """Take up in the next frame that a vehicle has got another physics control."""
        self._controls[actor_id] = None

    def frame(self, world: World, delta_s: float) -> Frame:
        """Return the world's frame as a recorded one, ``delta_s`` after the one before."""
        self._number += 1
        self._elapsed_s += delta_s if self._number > 1 else 0.0
        frame = Frame(self._number, self._elapsed_s, visual_time_s=world.elapsed_s, additional=self._additional)
        self._events(world, frame)
        frame.collisions = self._collided(world)
        self._poses(world, frame)
        self._signals(world, frame)
        if self._additional:
            self._more(world, frame)
        return frame

    # --- who comes and goes ------------------------------------------------------------------------------------

    def _events(self, world: World, frame: Frame) -> None:
        ids = world.table.rows["id"]
        if not np.array_equal(ids, self._ids):
            came = np.setdiff1d(ids, self._ids).tolist()
            frame.deleted = np.setdiff1d(self._ids, ids).astype(records.DELETION)
            frame.created = tuple(self._creation(world, world.actors[identity]) for identity in came)
            parents = [(child, world.actors[child].struct.parent_id) for child in came if child in world.attachments]
            frame.parented = np.array(parents, records.PARENTING) if parents else frame.parented
            self._sort(world)
            if self._additional:
                self._new(world, came, frame)
        self._opened(world, frame)
        frame.scene_lights = _scene_lights(world, everything=self._number == 1)

    def _sort(self, world: World) -> None:
        """Find the rows of every kind, ordered by id."""
        rows = world.table.rows
        self._ids = rows["id"].copy()
        order = np.argsort(self._ids, kind="stable")
        kinds = rows["kind"][order]
        self._posed: Indices = order[np.isin(kinds, _POSED)]
        self._vehicles: Indices = order[kinds == Kind.VEHICLE]
        self._walkers: Indices = order[kinds == Kind.WALKER]
        entries = world.actors.values()
        self._watched = {entry.struct.parent_id for entry in entries if entry.type_id == "sensor.other.collision"}
        self._two_wheelers = [
            entry.id for entry in entries if isinstance(entry.spec, VehicleSpec) and entry.spec.two_wheeler
        ]

    @staticmethod
    def _creation(world: World, entry: ActorEntry) -> Creation:
        row = world.table[entry.id]
        place, turn = row["location"], row["rotation"]
        if entry.id in world.attachments:
            relative = world.attachments.relative(entry.id)
            place, turn = relative[:3, 3], rotation_of(relative)
        x, y, z = (place * CM).tolist()
        pitch, yaw, roll = turn.tolist()
        description = entry.struct.description
        attributes = tuple(Attribute(a.type, a.id, a.value) for a in description.attributes if a.id)
        kind = int(KINDS[entry.kind])
        return Creation(entry.id, kind, (x, y, z), (roll, pitch, yaw), description.uid, description.id, attributes)

    def _opened(self, world: World, frame: Frame) -> None:
        rows = world.table.rows
        doors = rows["doors"][self._vehicles]
        if not doors.any() and not self._doors:
            return
        events = []
        for identity, now in zip(rows["id"][self._vehicles].tolist(), doors.tolist()):
            before = self._doors.get(identity, 0)
            changed = before ^ now
            events += [(identity, door, now >> door & 1) for door in range(8) if changed >> door & 1]
            if now:
                self._doors[identity] = now
            else:
                self._doors.pop(identity, None)
        if events:
            frame.doors = np.array(events, records.DOOR)

    def _collided(self, world: World) -> npt.NDArray:
        """Return what the collision sensors felt: nobody's touch is recorded without one, as in CARLA."""
        found: dict[tuple[int, int], None] = {}
        for contact in world.physics.contacts() if self._watched else ():
            pair = (contact.actor_a, contact.actor_b or NO_ACTOR)
            for i in (0, 1):
                if pair[i] in self._watched:
                    found[pair[i], pair[1 - i]] = None
        made = np.zeros(len(found), records.COLLISION)
        for number, (one, two) in enumerate(found):
            heroes = (_hero(world.actors.get(one)), _hero(world.actors.get(two)))
            made[number] = (self._collisions, one, two, *heroes)
            self._collisions += 1
        return made

    # --- where everything is -----------------------------------------------------------------------------------

    def _poses(self, world: World, frame: Frame) -> None:
        rows = world.table.rows
        posed = rows[self._posed]
        frame.positions = _table(
            records.POSITION, id=posed["id"], location=posed["location"] * CM, rotation=posed["rotation"][:, EULER]
        )
        vehicles, walkers = rows[self._vehicles], rows[self._walkers]
        frame.vehicles = _table(
            records.ANIM_VEHICLE,
            **{name: vehicles[name] for name in ("id", "steer", "throttle", "brake", "hand_brake", "gear")},
        )
        frame.walkers = _table(records.ANIM_WALKER, id=walkers["id"], speed=_speeds(walkers))
        frame.vehicle_lights = _table(records.VEHICLE_LIGHT, id=vehicles["id"], flags=vehicles["lights"])
        two = set(self._two_wheelers)
        # Rolled angles are kept within a turn: single precision would lose them over a long drive.
        rolled = np.degrees(vehicles["wheel_spin"] % math.tau).tolist()
        frame.wheels = tuple(
            Wheels(identity, tuple((i, steer[i], spin) for i in range(2 if identity in two else 4)))
            for identity, steer, spin in zip(vehicles["id"].tolist(), vehicles["wheel_steer"].tolist(), rolled)
        )
        if two:
            frame.bikers = self._riders(world)

    def _riders(self, world: World) -> npt.NDArray:
        made = np.zeros(len(self._two_wheelers), records.BIKER)
        for record, identity in zip(made, self._two_wheelers):
            telemetry = world.physics.telemetry(identity)
            limit = world.physics.physics_control(identity).max_rpm
            record["id"], record["speed"] = identity, telemetry.speed * CM
            record["engine"] = telemetry.engine_rpm / limit if limit > 0.0 else 0.0
        return made

    @staticmethod
    def _signals(world: World, frame: Frame) -> None:
        state = world.traffic_lights.state
        lights = state[[int(identity) in world.traffic_lights for identity in state["id"]]]
        frame.states = _table(
            records.STATE,
            id=lights["id"],
            frozen=lights["frozen"],
            elapsed=lights["elapsed_time"],
            state=lights["light_state"],
        )

    # --- additional data ---------------------------------------------------------------------------------------

    def _more(self, world: World, frame: Frame) -> None:
        rows = world.table.rows
        moving = rows[np.concatenate([self._vehicles, self._walkers])]
        frame.kinematics = _table(
            records.KINEMATICS,
            id=moving["id"],
            velocity=moving["velocity"],
            angular_velocity=moving["angular_velocity"],
        )
        frame.platform_time_s = time.monotonic() - self._began
        frame.physics_controls = tuple(
            PhysicsControl(identity, world.physics.physics_control(identity))
            for identity in self._controls
            if identity in world.physics
        )
        self._controls.clear()
        state = world.traffic_lights.state
        lights = state[[int(identity) in world.traffic_lights for identity in state["id"]]]
        times = _table(
            records.LIGHT_TIME,
            id=lights["id"],
            green=lights["green_time"],
            yellow=lights["yellow_time"],
            red=lights["red_time"],
        )
        same = len(times) == len(self._light_times)
        frame.light_times = times[times != self._light_times] if same else times
        self._light_times = times
        frame.bones = tuple(_bones(world, identity) for identity in rows["id"][self._walkers].tolist())

    def _new(self, world: World, came: list[int], frame: Frame) -> None:
        """What is told once of new actors: boxes (own frame) or trigger volumes (world), physics controls."""
        boxes, triggers = [], []
        for identity in came:
            entry = world.actors[identity]
            if isinstance(entry.spec, SignalSpec):
                if entry.spec.trigger_boxes:
                    triggers.append(_box(identity, entry.spec.trigger_boxes[-1]))
                continue
            boxes.append(_box(identity, entry.box))
            if entry.kind == Kind.VEHICLE:
                self._controls[identity] = None
        frame.boxes = np.array(boxes, records.BOX) if boxes else frame.boxes
        frame.triggers = np.array(triggers, records.BOX) if triggers else frame.triggers


def _speeds(walkers: npt.NDArray) -> npt.NDArray:
    """Return the speeds that walkers' animations show: as told, or over ground for those that are led."""
    told = walkers["walk_speed"]
    return np.asarray(np.where(told > 0.0, told, walkers["gait_speed"]))


def _scene_lights(world: World, *, everything: bool) -> npt.NDArray:
    changed = world.scene_lights.take_changes()
    lamps = world.scene_lights.states() if everything else changed
    made = np.zeros(len(lamps), records.SCENE_LIGHT)
    for record, lamp in zip(made, lamps):
        color = (lamp.color.r / 255.0, lamp.color.g / 255.0, lamp.color.b / 255.0, 1.0)
        record["id"], record["intensity"], record["color"] = lamp.id, lamp.intensity, color
        record["on"], record["group"] = lamp.active, lamp.group
    return made


def _box(identity: int, box: Box) -> tuple[int, list[float], list[float]]:
    return identity, [v * CM for v in box.center], [v * CM for v in box.extent]


def _hero(entry: ActorEntry | None) -> bool:
    return entry is not None and entry.attributes.get("role_name") == "hero"


def _bones(world: World, actor_id: int) -> WalkerBones:
    from engine.world.bones import bone_transforms

    bones = []
    for bone in bone_transforms(world, actor_id):
        place, turn = bone.relative.location, bone.relative.rotation
        cm = (place.x * CM, place.y * CM, place.z * CM)
        bones.append(Bone(bone.bone_name, cm, (turn.roll, turn.pitch, turn.yaw)))
    return WalkerBones(actor_id, tuple(bones))

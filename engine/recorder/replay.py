"""Playing a recording back into the world, frame by frame.

A replay has a time of its own that begins at the start asked for and grows by the world's step times the time
factor. A frame of the world shows the recording at the replay's time before that growth, so that at factor 1 and with
the recording's own step the n-th frame after ``replay_file`` shows the n-th frame recorded, as in CARLA. In between,
places are interpolated; from factor 2 on they are not, as in CARLA.
"""

from __future__ import annotations

import bisect
import logging
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from engine.protocol.structs import Color, TrafficLightState, Transform, Vector3D, VehicleControl, WalkerControl
from engine.recorder.capture import CM
from engine.recorder.cast import Cast, put
from engine.recorder.codec import RecordingError
from engine.recorder.log_file import Recording
from engine.recorder.records import Frame, PacketId, WalkerBones
from foundation.frames import pose_matrices, rotation_of

if TYPE_CHECKING:
    from engine.world.world import World

_log = logging.getLogger(__name__)

TIME_SLACK_S = 1e-6
"""Sums of steps that should meet a recorded time miss it by less than this."""
SNAP_FACTOR = 2.0
"""From this time factor on, recorded frames are shown as they are."""

_EVENTS = frozenset(
    {
        PacketId.EVENT_ADD,
        PacketId.EVENT_DEL,
        PacketId.EVENT_PARENT,
        PacketId.VEHICLE_DOOR,
        PacketId.SCENE_LIGHT,
    }
)
"""What must not be missed when frames are passed over."""
_STATE = frozenset(
    {
        PacketId.POSITION,
        PacketId.STATE,
        PacketId.ANIM_VEHICLE,
        PacketId.ANIM_WALKER,
        PacketId.VEHICLE_LIGHT,
        PacketId.ANIM_VEHICLE_WHEELS,
        PacketId.WALKER_BONES,
    }
)
_PLACES = frozenset({PacketId.POSITION})


@dataclass(frozen=True, slots=True)
class Order:
    """What a client asks for.

    Attributes:
        start_s, duration_s: as given: a negative start counts from the end, a duration of 0 means to the end.
        follow: recorded id of the actor that the spectator follows, 0 for none.
        offset: of the spectator in that actor's frame.
    """

    start_s: float = 0.0
    duration_s: float = 0.0
    follow: int = 0
    sensors: bool = False
    offset: Transform = field(default_factory=Transform)

    def times(self, total_s: float) -> tuple[float, float]:
        """Return when a replay of a recording begins and ends, recording time."""
        start = self.start_s if math.isfinite(self.start_s) else 0.0
        if start < 0.0:
            start = max(total_s + start, 0.0)
        lasts = self.duration_s if math.isfinite(self.duration_s) else 0.0
        return start, start + lasts if lasts > 0.0 else total_s


class Replay:
    """One replay, from its start to its end.

    Args:
        recording: closed with the replay.
        factor: time factor, may be changed any time.
    """

    def __init__(self, recording: Recording, order: Order, cast: Cast, factor: float) -> None:
        self.factor = factor
        self.cast = cast
        self._recording = recording
        self._order = order
        self._now_s, self._stop_s = order.times(recording.total_s)
        self._times = [span.elapsed_s for span in recording.spans]
        self._followed = -1  # index of the last frame whose events have happened
        self._places: dict[int, npt.NDArray] = {}
        self._shown: Frame | None = None
        self._over = False

    def begin(self, world: World) -> None:
        """Bring in whoever is there at the start, in their places."""
        if self._times:
            index = self._index(self._now_s)
            self._follow(world, index)
            self._place(world, self._now_s)

    def before_physics(self, world: World, delta_s: float) -> None:
        """Show the replay's time, and let it grow by a frame of ``delta_s``.

        Raises:
            RecordingError: the file is damaged.
        """
        now = self._now_s
        if not self._times or now > self._stop_s + TIME_SLACK_S:
            self._over = True
            return
        index = self._index(now)
        self._follow(world, index)
        self._place(world, now)
        self._shown = self._recording.frame(index, _STATE)
        self._animate(world, self._shown)
        self._now_s = now + delta_s * self.factor
        self._over = now >= self._stop_s - TIME_SLACK_S

    def after_physics(self, world: World) -> bool:
        """Show what physics has no say in. Returns whether this was the last frame."""
        if self._shown is not None:
            self._turn_wheels(world, self._shown)
        if self._order.follow:
            self._film(world)
        return self._over

    def finish(self, world: World, *, to_the_end: bool) -> None:
        """End the replay and give the actors back.

        Args:
            to_the_end: whether everybody comes and goes first who did so in the rest of the recording.
        """
        try:
            if to_the_end and self._times:
                self._follow(world, len(self._times) - 1)
        except RecordingError as error:
            _log.error("replay of %s: %s", self._recording.path, error)
        self.cast.release(world)
        self.close()

    def close(self) -> None:
        """Let go of the file; the actors' world is gone."""
        self._recording.close()

    # --- time --------------------------------------------------------------------------------------------------

    def _index(self, time_s: float) -> int:
        """Return the frame that a time falls into."""
        return max(bisect.bisect_right(self._times, time_s + TIME_SLACK_S) - 1, 0)

    def _follow(self, world: World, index: int) -> None:
        for number in range(self._followed + 1, index + 1):
            frame = self._recording.frame(number, _EVENTS)
            self._followed = number
            self.cast.follow(world, frame)
            _switch_scene(world, frame)
            self._open_doors(world, frame)

    # --- places ------------------------------------------------------------------------------------------------

    def _positions(self, index: int) -> npt.NDArray:
        """Return a frame's positions, ordered by id; the last two asked for are kept."""
        found = self._places.get(index)
        if found is None:
            found = self._recording.frame(index, _PLACES).positions
            found = found[np.argsort(found["id"], kind="stable")]
            self._places = {key: self._places[key] for key in (index - 1, index + 1) if key in self._places}
            self._places[index] = found
        return found

    def _place(self, world: World, time_s: float) -> None:
        index = self._index(time_s)
        here = self._positions(index)
        location, rotation = here["location"] / CM, here["rotation"].astype(np.float64)
        share = self._share(index, time_s)
        if share > 0.0:
            there = self._positions(index + 1)
            at = np.minimum(np.searchsorted(there["id"], here["id"]), max(len(there) - 1, 0))
            both = np.flatnonzero(there["id"][at] == here["id"]) if len(there) else np.zeros(0, np.intp)
            at = at[both]
            location = location.astype(np.float64)
            location[both] += (there["location"][at] / CM - location[both]) * share
            turn = (there["rotation"][at] - rotation[both] + 180.0) % 360.0 - 180.0
            rotation[both] += turn * share
        live = self.cast.live
        for recorded, place, turned in zip(here["id"].tolist(), location.tolist(), rotation.tolist()):
            identity = live.get(recorded)
            if identity is not None and identity in world.actors:
                roll, pitch, yaw = turned
                put(world, identity, tuple(place), (pitch, yaw, roll))

    def _share(self, index: int, time_s: float) -> float:
        """Return how far between a frame and the next a time lies, 0..1."""
        if self.factor >= SNAP_FACTOR or index + 1 >= len(self._times):
            return 0.0
        span = self._times[index + 1] - self._times[index]
        gone = time_s - self._times[index]
        return min(gone / span, 1.0) if span > 0.0 and gone > TIME_SLACK_S else 0.0

    def _film(self, world: World) -> None:
        identity = self.cast.live.get(self._order.follow)
        if identity is None or identity not in world.actors:
            return
        from engine.world.attachments import matrix_of

        row = world.table[identity]
        pose = pose_matrices(row["location"], row["rotation"]) @ matrix_of(self._order.offset)
        put(world, world.spectator, tuple(pose[:3, 3].tolist()), tuple(rotation_of(pose).tolist()))

    # --- what else is to be seen ---------------------------------------------------------------------------------

    def _led(self, world: World, recorded: int) -> int:
        """Return the live actor that is led for a recorded one; 0 when there is none (any longer)."""
        identity = self.cast.live.get(recorded, 0)
        return identity if identity in self.cast.led and identity in world.actors else 0

    def _animate(self, world: World, frame: Frame) -> None:
        for recorded, frozen, elapsed, state in frame.states.tolist():
            light = self.cast.live.get(recorded, 0)
            if light in world.traffic_lights and state <= TrafficLightState.UNKNOWN:
                world.traffic_lights.restore(light, state, elapsed, bool(frozen))
        for recorded, steer, throttle, brake, hand, gear in frame.vehicles.tolist():
            if identity := self._led(world, recorded):
                control = VehicleControl(throttle, steer, brake, bool(hand), gear < 0, False, gear)
                world.physics.apply_vehicle_control(identity, control)
        for recorded, flags in frame.vehicle_lights.tolist():
            if identity := self._led(world, recorded):
                world.table[identity]["lights"] = flags
        for recorded, speed in frame.walkers.tolist():
            if identity := self._led(world, recorded):
                yaw = math.radians(float(world.table[identity]["rotation"][1]))
                ahead = Vector3D(math.cos(yaw), math.sin(yaw), 0.0)
                world.physics.apply_walker_control(identity, WalkerControl(ahead, speed, False))
        for walker in frame.bones:
            if identity := self._led(world, walker.id):
                _pose(world, identity, walker)
                self.cast.posed.add(identity)

    def _turn_wheels(self, world: World, frame: Frame) -> None:
        for recorded, *_, gear in frame.vehicles.tolist():
            if identity := self._led(world, recorded):
                world.table[identity]["gear"] = gear
        for item in frame.wheels:
            identity = self._led(world, item.id)
            if not identity:
                continue
            row = world.table[identity]
            for wheel, steer, rolled in item.wheels:
                if wheel < len(row["wheel_steer"]):
                    row["wheel_steer"][wheel] = steer
                    row["wheel_spin"] = math.radians(rolled)

    def _open_doors(self, world: World, frame: Frame) -> None:
        for recorded, door, opened in frame.doors.tolist():
            identity = self.cast.live.get(recorded)
            if identity is None or identity not in world.table:
                continue
            bits = 0x3F if door == 6 else 1 << door & 0x3F
            row = world.table[identity]
            row["doors"] = row["doors"] | bits if opened else row["doors"] & ~bits & 0xFF


def _pose(world: World, identity: int, walker: WalkerBones) -> None:
    """Give a walker the recorded pose, whole."""
    places = np.array([bone.location for bone in walker.bones]).reshape(-1, 3) / CM
    turns = np.array([bone.rotation for bone in walker.bones]).reshape(-1, 3)[:, [1, 2, 0]]
    poses = pose_matrices(places, turns)
    model, row = world.views.model(identity), world.table[identity]
    world.poses.set_bones(model, row, [(bone.name, pose) for bone, pose in zip(walker.bones, poses)])
    world.poses.blend(model, row, 1.0)


def _switch_scene(world: World, frame: Frame) -> None:
    if not len(frame.scene_lights):
        return
    known = {lamp.id: lamp for lamp in world.scene_lights.states()}
    changes = []
    for identity, intensity, color, on, group in frame.scene_lights.tolist():
        if identity in known:
            red, green, blue = (round(min(max(part, 0.0), 1.0) * 255.0) for part in color[:3])
            changes.append(
                msgspec.structs.replace(
                    known[identity],
                    intensity=intensity,
                    color=Color(red, green, blue),
                    active=bool(on),
                    group=group,
                )
            )
    world.scene_lights.update(changes)

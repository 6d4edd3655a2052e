"""The world: one episode after another, frame by frame."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.geometry import Box, SignalSpec, StaticWorld
from engine.protocol.snapshot import MAP_CHANGE, PENDING_LIGHT_UPDATE, SnapshotEncoder
from engine.protocol.streams import WORLD_STREAM
from engine.protocol.structs import (
    Actor,
    ActorDescription,
    BoundingBox,
    EpisodeSettings,
    VehicleControl,
    WeatherParameters,
)
from engine.recorder import Recorder
from engine.state import ActorTable, Kind
from engine.traffic_lights import TrafficLights
from engine.world.ackermann import Ackermann
from engine.world.attachments import PROBE_RADIUS_M, Attachments
from engine.world.casualties import Casualties
from engine.world.entries import ActorEntry, wire_box
from engine.world.frictions import Frictions
from engine.world.maps import LoadedMap, MapCatalogue
from engine.world.poses import Poses
from engine.world.scene_lights import SceneLights
from engine.world.scenery import ALL_LAYERS, Scenery, is_layered
from engine.world.sensing import Context, Publisher, Sensing
from engine.world.shapes import DebugShapes
from engine.world.steps import MAX_FRAME_S, substeps
from engine.world.triggers import Triggers
from engine.world.views import Views, lamp_boxes
from foundation.errors import RealityError
from foundation.frames import pose_matrices, rotation_matrices, transform_points

if TYPE_CHECKING:
    from engine.render.pictures import Picture

_log = logging.getLogger(__name__)

BONES_S = 2.0
"""Who has asked for bones will ask again: so long walkers' feet are watched as if a camera were there."""
CLEAR_NOON = WeatherParameters(5.0, 0.0, 0.0, 10.0, -1.0, 45.0, 2.0, 0.75, 0.1, 0.0, 1.0, 0.03, 0.0331, 0.0)
"""The weather of our maps until a client sets another."""


class World:
    """All simulation state of a server.

    Args:
        catalogue: where maps come from.
        map_name: the first map.
        publisher: takes snapshots and sensor messages.
        seed: of everything random in the engine.
        recorder: records and replays this world; None makes one that saves in the user's folder.

    Attributes:
        frame: number of the frame last simulated; grows for ever, across episodes.
        elapsed_s: simulation seconds of the episode.
        delta_s: length of the last frame.
        table: a row for every actor.
        actors: what else is known of them, by id.
        next_actor_id: ids from here on have not been given to anybody in this episode.
        wanted_id: the id that the next actor gets if nobody has it; 0 for the next in the row.
    """

    def __init__(
        self,
        catalogue: MapCatalogue,
        map_name: str,
        *,
        publisher: Publisher,
        seed: int = 0,
        recorder: Recorder | None = None,
    ) -> None:
        self.recorder = recorder or Recorder()
        self.catalogue = catalogue
        self.publisher = publisher
        self.seed = seed
        self.settings = EpisodeSettings()
        self.weather = CLEAR_NOON
        self.imu_gravity = 9.81
        self.frame = 0
        self.episode = 0
        self._stream_ids = itertools.count(WORLD_STREAM + 1)
        self.last_stream_id = WORLD_STREAM
        self._began = time.monotonic()
        self._start_episode(catalogue.load(map_name))

    # --- episodes -------------------------------------------------------------------------------------------

    def load(self, name: str, *, reset_settings: bool, layers: int = ALL_LAYERS) -> None:
        """Begin a new episode on map ``name``; "" is the map at hand. Only maps with layers heed ``layers``.

        Raises:
            MapNotFound, InputError: the old episode goes on.
        """
        new = self.map if name == "" else self.catalogue.load(name)
        if reset_settings:
            self.settings = EpisodeSettings()
        self._start_episode(new, layers if is_layered(new.name) else ALL_LAYERS)

    def _start_episode(self, loaded: LoadedMap, layers: int = ALL_LAYERS) -> None:
        from engine.physics import Physics

        views: Views | None = None
        if self.episode:
            self.recorder.episode_ended()
            self.physics.close()
            if loaded is self.map:
                views = self.views  # what sees a map is kept for its next episode
            else:
                self.views.close()
        self.map: LoadedMap = loaded
        # Any id differs from the last one; numbers from a hash would, too, but these can be read.
        self.episode += 1
        # What follows must not depend on episodes before: actors are numbered anew, for their ids seed noise and
        # show in instance pictures. Clients tell actors of two episodes apart by the episode.
        self.next_actor_id = 1
        self.wanted_id = 0
        self.elapsed_s = 0.0
        self.delta_s = 0.0
        self.bones_asked_s = -BONES_S
        self.weather = CLEAR_NOON
        self._map_changed = self.episode > 1
        self.table = ActorTable()
        self.actors: dict[int, ActorEntry] = {}
        self.attachments = Attachments(self._free_length)
        self.sensing = Sensing(self.publisher)
        self.shapes = DebugShapes()
        self.frictions = Frictions()
        self.ackermann = Ackermann()
        self.casualties = Casualties()
        self.poses = Poses()
        self.unsticky: set[int] = set()
        self.physics: Physics = Physics(loaded.ground)
        self._ground_without: frozenset[int] = frozenset()
        self.scene_lights = SceneLights(loaded.static, self.weather.sun_altitude_angle)
        self._snapshot = SnapshotEncoder()
        self._arranged = False
        self._last_message = b""
        self.spectator = self._add_spectator()
        self._add_signals(loaded.static)
        self.pictures: Mapping[int, Picture] = {}
        self.views: Views = views or Views(loaded.static, self)
        signals = {actor_id for actor_id, _ in self.signals}
        self.scenery = Scenery(loaded.static, sorted(signals), layers)
        self.views.begin(signals, self.scenery.hidden)
        self._vehicle_boxes = np.zeros((0, 6))
        self._last_message = self._encode_snapshot()

    def _add_spectator(self) -> int:
        entry = self.add_entry(Kind.OTHER, ActorDescription(0, "spectator", ()))
        row = self.table[entry.id]
        points = self.map.static.spawn_points
        if points:
            location, rotation = points[0]
            row["location"] = np.add(location, (0.0, 0.0, 8.0))
            row["rotation"] = (-15.0, rotation[1], 0.0)
        return entry.id

    def _add_signals(self, static: StaticWorld) -> None:
        placed: list[tuple[int, SignalSpec]] = []
        for signal in static.signals:
            light = signal.kind == "traffic.traffic_light"
            kind = Kind.TRAFFIC_LIGHT if light else Kind.TRAFFIC_SIGN
            entry = self.add_entry(kind, ActorDescription(0, signal.kind, ()), spec=signal)
            row = self.table[entry.id]
            row["location"], row["rotation"] = signal.location, signal.rotation
            placed.append((entry.id, signal))
        self.signals: list[tuple[int, SignalSpec]] = placed
        self.traffic_lights = TrafficLights(placed)
        self.triggers = Triggers(placed, self.traffic_lights)

    # --- actors ---------------------------------------------------------------------------------------------

    def add_entry(
        self,
        kind: Kind,
        description: ActorDescription,
        *,
        spec: Any = None,
        parent: int = 0,
        attributes: dict[str, str] | None = None,
        streamed: bool = False,
    ) -> ActorEntry:
        """Give an actor its id, its row and its struct; nothing else knows of it yet."""
        from engine.world.spawning import make_entry

        actor_id = self._take_id()
        stream_id = next(self._stream_ids) if streamed else 0
        self.last_stream_id = max(self.last_stream_id, stream_id)
        entry = make_entry(actor_id, kind, description, spec, parent, attributes or {}, stream_id)
        self.table.add(actor_id, kind, parent)
        self.actors[actor_id] = entry
        self.rearrange()
        return entry

    def _take_id(self) -> int:
        wanted, self.wanted_id = self.wanted_id, 0
        if not wanted or wanted in self.actors:
            wanted = self.next_actor_id
        self.next_actor_id = max(self.next_actor_id, wanted + 1)
        return wanted

    def open_stream(self) -> int:
        """Return the id of a new stream: a sensor may have more than its own."""
        self.last_stream_id = next(self._stream_ids)
        return self.last_stream_id

    def rearrange(self) -> None:
        """The set of actors has changed: snapshots get a new layout."""
        self._arranged = False

    def actor_struct(self, actor_id: int) -> Actor:
        """Return the wire struct of a live actor; KeyError for an unknown id."""
        return self.actors[actor_id].struct

    def destroy(self, actor_id: int) -> bool:
        """Remove an actor; its children stay where they are. False when there is none.

        Raises:
            RealityError: it is a light, a sign or the spectator: they belong to the map.
        """
        known = self.actors.get(actor_id)
        if known is not None and (isinstance(known.spec, SignalSpec) or actor_id == self.spectator):
            raise RealityError(f"unable to destroy actor: {known.type_id} {actor_id} belongs to the map")
        entry = self.actors.pop(actor_id, None)
        if entry is None:
            return False
        if entry.kind in (Kind.VEHICLE, Kind.WALKER, Kind.PROP):
            self.physics.remove(actor_id)
        self.views.remove(actor_id)
        self.sensing.remove(actor_id)
        self.attachments.drop(actor_id)
        self.triggers.forget(actor_id)
        self.frictions.remove(actor_id)
        self.ackermann.forget(actor_id)
        self.casualties.forget(actor_id)
        self.poses.forget(actor_id)
        self.unsticky.discard(actor_id)
        self.table.remove(actor_id)
        self.rearrange()
        return True

    # --- frames ---------------------------------------------------------------------------------------------

    def tick(self, delta_s: float) -> int:
        """Simulate one frame of ``delta_s`` seconds, publish it and its sensors' data, and return its number."""
        self.step(delta_s)
        self.sense()
        return self.frame

    def step(self, delta_s: float) -> None:
        """Simulate one frame of ``delta_s`` seconds and publish its snapshot."""
        self.frame += 1
        self.elapsed_s += delta_s
        self.delta_s = delta_s
        self.traffic_lights.step(delta_s)
        self.recorder.before_physics(self, delta_s)
        if len(self.physics):
            self.physics.watch_feet(self.sensing.seeing or self.elapsed_s < self.bones_asked_s + BONES_S)
            self._move_bodies(delta_s)
            self.casualties.step(self)
        self.recorder.after_physics(self)
        if len(self.attachments):
            self.attachments.update(self.table, delta_s)
        self._arrange()
        # The renderer switches lamps by the table; the snapshot has lights' records of its own.
        self.table.rows["light_state"][self._signal_rows] = self.traffic_lights.state["light_state"]
        self._apply_triggers()
        self.recorder.record(self, delta_s)
        self._last_message = self._encode_snapshot()
        self.publisher.publish(WORLD_STREAM, self._last_message)
        self._map_changed = False
        self.scene_lights.published()
        if self.shapes:
            self.shapes.step(delta_s)

    def sense(self) -> None:
        """Run the sensors that are due in the frame that was stepped to last, and publish what they saw."""
        if len(self.sensing):
            self._sense()

    def _free_length(self, start: np.ndarray, direction: np.ndarray, length: float, parent: int) -> float:
        """Return how far a spring arm reaches from its parent, metres; lights and signs are no obstacles."""
        passed = {parent, *self.attachments.children(parent), *(actor_id for actor_id, _ in self.signals)}
        met = self.views.rays().sweep(start, direction, PROBE_RADIUS_M, length, passed)
        return length if met is None else met.distance_m

    def scenery_changed(self) -> None:
        """Let cameras and rays see which static objects are there; bodies feel it from the next frame on."""
        self.views.set_hidden(self.scenery.hidden, self.scenery.hidden_signals)

    def set_pictures(self, pictures: Mapping[int, Picture]) -> None:
        """Let static objects, by id, show pictures in place of their colours."""
        self.pictures = pictures
        self.views.set_pictures(pictures)

    def _move_bodies(self, delta_s: float) -> None:
        hidden = self.scenery.hidden
        if hidden != self._ground_without:
            self._ground_without = hidden
            self.physics.replace_ground(self.map.ground_without(hidden) if hidden else self.map.ground)
        if len(self.ackermann):
            self.ackermann.step(self, delta_s)
        self.physics.step(delta_s, substeps(self.settings, delta_s))
        self.physics.read(self.table)
        for actor_id in sorted(self.unsticky):
            self.physics.apply_vehicle_control(actor_id, VehicleControl())
        self.unsticky.clear()

    def change_settings(self, settings: EpisodeSettings) -> None:
        """Take over settings.

        Raises:
            RealityError: the fixed step is longer than a second or the numbers are not finite.
        """
        delta_s = settings.fixed_delta
        if delta_s is not None and not delta_s <= MAX_FRAME_S:
            raise RealityError(f"fixed_delta_seconds is {delta_s} s; at most {MAX_FRAME_S} s can be simulated at once")
        self.settings = settings

    def set_weather(self, weather: WeatherParameters) -> None:
        """Change the weather; the preset "Default" (all -1) means the map's own."""
        self.weather = CLEAR_NOON if weather.cloudiness < 0.0 and weather.sun_altitude_angle == -1.0 else weather
        self.scene_lights.follow_sun(self.weather.sun_altitude_angle)

    def light_boxes(self, actor_id: int) -> list[BoundingBox]:
        """Return the boxes of a traffic light's lamp heads, in the world."""
        row = self.table[actor_id]
        pose = pose_matrices(row["location"], row["rotation"])
        boxes = []
        for box in lamp_boxes(self.views.model(actor_id)):
            center = transform_points(pose, np.array([box.center]))[0].tolist()
            boxes.append(wire_box(Box(tuple(center), box.extent, tuple(row["rotation"].tolist())), actor_id))
        return boxes

    def _arrange(self) -> None:
        if self._arranged:
            return
        rows = self.table.rows
        self._snapshot.arrange(rows, self.traffic_lights.state)
        self._vehicle_rows = np.flatnonzero(rows["kind"] == Kind.VEHICLE)
        vehicles = [self.actors[int(i)].box for i in rows["id"][self._vehicle_rows]]
        self._signal_rows = self.table.indices([actor_id for actor_id, _ in self.signals])
        self._vehicle_boxes = np.array([(*box.center, *box.extent) for box in vehicles]).reshape(-1, 6)
        boxes = self._vehicle_boxes
        self._vehicle_reach = np.hypot(boxes[:, 3], boxes[:, 4]) + np.hypot(boxes[:, 0], boxes[:, 1])
        # Where the trigger boxes were last looked for, and how far a vehicle may go from there before they must be.
        self._tested_at = np.zeros((len(boxes), 3))
        self._clearance = np.full(len(boxes), -np.inf)
        self._arranged = True

    def _encode_snapshot(self) -> bytes:
        self._arrange()
        return self._snapshot.encode(
            rows=self.table.rows,
            signals=self.traffic_lights.state,
            frame=self.frame,
            elapsed_s=self.elapsed_s,
            delta_s=self.delta_s or (self.settings.fixed_delta or 0.0),
            episode=self.episode,
            platform_s=time.monotonic() - self._began,
            flags=(MAP_CHANGE if self._map_changed else 0) | (PENDING_LIGHT_UPDATE if self.scene_lights.pending else 0),
        )

    @property
    def last_message(self) -> bytes:
        """The newest snapshot, framed: what a new subscriber gets at once."""
        return self._last_message

    def _apply_triggers(self) -> None:
        """Let lights, speed signs and friction boxes act on the vehicles inside them."""
        boxes = self._vehicle_boxes
        if not len(boxes) or not (self.triggers.active or self.frictions.active):
            return
        rows = self.table.rows
        locations = rows["location"][self._vehicle_rows]
        if self.frictions.active:
            near = np.arange(len(boxes))
        else:
            moved = locations - self._tested_at
            # A negative clearance is always exceeded.
            near = np.flatnonzero(np.einsum("ij,ij->i", moved, moved) >= self._clearance * np.abs(self._clearance))
            if not len(near):
                return
        index, boxes, locations = self._vehicle_rows[near], boxes[near], locations[near]
        rotation = rows["rotation"][index]
        centers = locations + np.einsum("nij,nj->ni", rotation_matrices(rotation), boxes[:, :3])
        if self.triggers.active:
            self.triggers.update(rows, index, centers, boxes[:, 3:], rotation[:, 1])
            self._tested_at[near] = locations
            self._clearance[near] = self.triggers.clearance(locations, self._vehicle_reach[near])
        if self.frictions.active:
            self.frictions.update(self, centers, boxes[:, 3:], rotation[:, 1])

    def _sense(self) -> None:
        due = self.sensing.due(self.elapsed_s)
        if not due and not self.sensing.sending:
            return
        cameras = not self.settings.no_rendering_mode
        drawing = cameras and any(mounted.sensor.is_camera for mounted in due)
        context = Context(
            frame=self.frame,
            elapsed_s=self.elapsed_s,
            delta_s=self.delta_s,
            table=self.table,
            contacts=self.physics.contacts(),
            weather=self.weather,
            origin_lat_lon=self.map.static.origin_lat_lon,
            gravity=self.imu_gravity,
            actors=self,
            scene=self.views,
            spectator=self.spectator,
            hud=self.shapes.hud if self.shapes else None,
        )
        self.sensing.run(due, context, self.views.renderer() if drawing else None, cameras=cameras)


__all__ = ["World", "wire_box"]

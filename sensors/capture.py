"""Synchronized capture: mount a rig on a vehicle and get whole frames.

    with attach(world, ego, rig.load("default"), seed=7) as capture:
        frame = capture.frame(world.tick(), timeout_s=10.0)

A frame holds one reading of every sensor that was due in that frame, all of the same frame number, and the ground truth
of the same world snapshot. Either it is complete, or an error says who is missing.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Any

import carla
import numpy as np
import psutil

from foundation.errors import DeadlineError, InputError, RealityError
from foundation.frames import Floats, pose_matrices
from foundation.ids import ROAD_USERS
from foundation.seeds import derive
from sensors.readings import (
    CameraReading,
    Frame,
    GnssReading,
    ImuReading,
    LidarReading,
    ObjectState,
    RadarReading,
    Reading,
    decode_depth_m,
    decode_instance,
)
from sensors.rig import Camera, Gnss, Imu, Lidar, Mount, Radar, Rig

_log = logging.getLogger(__name__)

PERIOD_SLACK_S = 1e-6
"""A period counts as over this much early, because sums of steps are not exact. The engine's rule is the same."""
SUBSCRIBE_DEADLINE_S = 3.0
SEMANTIC_POINT = np.dtype([("xyz", "<f4", 3), ("cos", "<f4"), ("actor_id", "<u4"), ("tag", "<u4")])


def matrix_of(transform: carla.Transform) -> Floats:
    """Return the (4, 4) matrix of a CARLA transform, in float64 from its angles."""
    at, turn = transform.location, transform.rotation
    return pose_matrices((at.x, at.y, at.z), (turn.pitch, turn.yaw, turn.roll))


def _vector(v: carla.Vector3D) -> Floats:
    return np.array([v.x, v.y, v.z], dtype=np.float64)


class _Channel:
    """One CARLA sensor: its readings queue up in the client's threads, ``frame`` takes them out."""

    def __init__(self, name: str, mount: Mount, actor: Any) -> None:
        self.name, self.mount, self.actor = name, mount, actor
        self.readings: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.listening = False
        self.last_due_s: float | None = None
        self.last_frame: int | None = None

    def due(self, elapsed_s: float) -> bool:
        """Whether a reading must come in the frame at this time."""
        if self.mount.period_s <= 0.0 or self.last_due_s is None or elapsed_s < self.last_due_s:
            return True
        return elapsed_s - self.last_due_s >= self.mount.period_s - PERIOD_SLACK_S

    def take(self, frame: int, deadline: float) -> Any | None:
        """Return the reading of a frame, dropping older ones; None when the deadline passes first."""
        while True:
            try:
                reading = self.readings.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                return None
            self.last_frame = reading.frame
            if reading.frame == frame:
                return reading
            if reading.frame > frame:
                raise RealityError(
                    f"{self.name}: frame {frame} is gone, the sensor is at {reading.frame} already; ask for each "
                    "frame right after its tick"
                )


class Capture:
    """A mounted rig. Made by :func:`attach`; use it as a context manager, or call :meth:`close`.

    Attributes:
        rig: the rig.
        ego_id: the vehicle that carries it.
    """

    def __init__(self, world: carla.World, ego: carla.Actor, rig: Rig) -> None:
        self.rig, self.ego_id = rig, int(ego.id)
        self._world = world
        self._channels: list[_Channel] = []
        self._actors: dict[int, _Static | None] = {}
        self._scenery: tuple[ObjectState, ...] | None = None

    # --- life cycle ------------------------------------------------------------------------------------------

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and destroy the sensors. Never raises: what cannot be destroyed any more is logged."""
        channels, self._channels = self._channels, []
        for channel in channels:
            try:
                if channel.listening:
                    channel.actor.stop()
            except RuntimeError as error:
                _log.warning("%s could not be stopped: %s", channel.name, error)
        for channel in channels:
            try:
                if not channel.actor.destroy():
                    _log.warning("%s was gone already", channel.name)
            except RuntimeError as error:
                _log.warning("%s could not be destroyed: %s", channel.name, error)

    def actors(self, name: str) -> list[carla.Actor]:
        """Return the CARLA sensors of a mount, to move those that hang on nothing (``free`` of :func:`attach`)."""
        return [channel.actor for channel in self._channels if channel.mount.name == name]

    def _mount(self, ego: carla.Actor, seed: int, free: Collection[str]) -> None:
        library = self._world.get_blueprint_library()
        box = ego.bounding_box
        center = (box.location.x, box.location.y, box.location.z)
        extent = (box.extent.x, box.extent.y, box.extent.z)
        for index, mount in enumerate(self.rig.sensors):
            for name, blueprint_id in mount.channels():
                blueprint = _blueprint(library, blueprint_id, self.rig, index, mount, seed)
                pose = mount.pose
                transform = carla.Transform(
                    carla.Location(*mount.offset(center, extent)),
                    carla.Rotation(pitch=pose.pitch, yaw=pose.yaw, roll=pose.roll),
                )
                try:
                    if mount.name in free:
                        actor = self._world.spawn_actor(blueprint, ego.get_transform())
                    else:
                        actor = self._world.spawn_actor(blueprint, transform, attach_to=ego)
                except RuntimeError as error:
                    raise RealityError(f"{name}: {blueprint_id} could not be mounted: {error}") from None
                self._channels.append(_Channel(name, mount, actor))

    def _listen(self) -> None:
        """Subscribe to every sensor, and wait until the streams are open.

        ``listen`` returns before the stream is connected, and a tick that comes first finds no listener. The client
        tells nobody when it is connected, but its sockets can be counted.
        """
        before = _connections()
        for channel in self._channels:
            channel.actor.listen(channel.readings.put)
            channel.listening = True
        deadline = time.monotonic() + SUBSCRIBE_DEADLINE_S
        while _connections() < before + len(self._channels) and time.monotonic() < deadline:
            time.sleep(0.002)
        if _connections() < before + len(self._channels):
            _log.warning(
                "not every sensor stream connected within %.1f s; the first frame may miss", SUBSCRIBE_DEADLINE_S
            )
        # The server reads a new socket's stream id between two requests: let it come round a few times.
        for _ in range(5):
            self._world.get_settings()
            time.sleep(0.002)

    # --- frames ----------------------------------------------------------------------------------------------

    def frame(self, frame_id: int, timeout_s: float = 10.0) -> Frame:
        """Return the complete frame that ``world.tick()`` just gave the number of.

        Args:
            frame_id: the simulator's frame number.
            timeout_s: how long to wait for all its sensors together.

        Raises:
            DeadlineError: a sensor that was due sent nothing in time; the message names it, and who answered.
            RealityError: the world has gone on already, or the ego has left it.
        """
        snapshot = self._world.get_snapshot()
        if snapshot.frame != frame_id:
            raise RealityError(
                f"frame {frame_id} was asked for, the world shows {snapshot.frame}; ask for each frame right after "
                "its tick"
            )
        elapsed_s, delta_s = snapshot.timestamp.elapsed_seconds, snapshot.timestamp.delta_seconds
        deadline = time.monotonic() + timeout_s
        raw: dict[str, Any] = {}
        missing: list[_Channel] = []
        for channel in self._channels:
            if not channel.due(elapsed_s):
                continue
            reading = channel.take(frame_id, deadline)
            if reading is None:
                missing.append(channel)
            else:
                raw[channel.name] = reading
                channel.last_due_s = elapsed_s
        if missing:
            raise DeadlineError(_missing(missing[0], missing[1:], sorted(raw), frame_id, timeout_s, delta_s))
        readings = {
            mount.name: _reading(mount, [raw[name] for name, _ in mount.channels()])
            for mount in self.rig.sensors
            if all(name in raw for name, _ in mount.channels())
        }
        objects = self._objects(snapshot)
        ego = next((state for state in objects if state.key == ("actor", self.ego_id)), None)
        if ego is None:
            raise RealityError(f"the ego vehicle {self.ego_id} is not in frame {frame_id} any more")
        return Frame(frame_id, elapsed_s, delta_s, readings, objects, self.ego_id, ego)

    def _objects(self, snapshot: carla.WorldSnapshot) -> tuple[ObjectState, ...]:
        """Return the road users of a snapshot, the ego, and the road users that belong to the map's scenery."""
        unknown = [state.id for state in snapshot if state.id not in self._actors]
        if unknown:
            self._learn(unknown)
        states = []
        for state in snapshot:
            known = self._actors[state.id]
            if known is not None:
                states.append(
                    ObjectState(
                        actor_id=state.id,
                        key=("actor", state.id),
                        type_id=known.type_id,
                        tags=known.tags,
                        world_from_object=matrix_of(state.get_transform()),
                        box_center=known.center,
                        box_extent=known.extent,
                        box_rotation_deg=known.rotation,
                        velocity_mps=_vector(state.get_velocity()),
                        angular_velocity_degps=_vector(state.get_angular_velocity()),
                        acceleration_mps2=_vector(state.get_acceleration()),
                    )
                )
        if self._scenery is None:
            self._scenery = _scenery(self._world)
        return tuple(sorted((*states, *self._scenery), key=lambda state: state.key))

    def _learn(self, actor_ids: Sequence[int]) -> None:
        """Ask once for what never changes of new actors. Those that carry no road user's tag are remembered as such."""
        for actor_id in actor_ids:
            self._actors[actor_id] = None
        actor: Any
        for actor in self._world.get_actors(list(actor_ids)):
            tags = tuple(int(tag) for tag in actor.semantic_tags)
            if any(tag in ROAD_USERS for tag in tags) or actor.id == self.ego_id:
                box = actor.bounding_box
                self._actors[actor.id] = _Static(actor.type_id, tags, box)


class _Static:
    """What never changes of an actor."""

    def __init__(self, type_id: str, tags: tuple[int, ...], box: carla.BoundingBox) -> None:
        self.type_id, self.tags = type_id, tags
        self.center, self.extent = _vector(box.location), _vector(box.extent)
        self.rotation = np.array([box.rotation.pitch, box.rotation.yaw, box.rotation.roll], dtype=np.float64)


def attach(world: carla.World, ego: carla.Actor, rig: Rig, seed: int = 0, free: Collection[str] = ()) -> Capture:
    """Mount a rig on a vehicle and start listening.

    Args:
        world: the genuine client's world, in synchronous mode.
        ego: the vehicle that carries the rig.
        rig: what to mount.
        seed: gives every sensor with noise its own ``noise_seed``, unless the rig sets one.
        free: names of mounts that hang on nothing: they begin at the vehicle, and whoever mounts them moves their
            :meth:`Capture.actors` (a camera that follows smoothly).

    Returns:
        the capture; closing it destroys the sensors.

    Raises:
        InputError: the rig names an attribute that the server's blueprint does not have, or a value it refuses.
        RealityError: the server would not mount a sensor. Nothing stays mounted then.
    """
    capture = Capture(world, ego, rig)
    try:
        capture._mount(ego, seed, free)
        capture._listen()
    except BaseException:
        capture.close()
        raise
    return capture


def _connections() -> int:
    """Return how many TCP connections this process has open."""
    found = psutil.Process().net_connections(kind="tcp")
    return sum(connection.status == psutil.CONN_ESTABLISHED for connection in found)


def _blueprint(
    library: carla.BlueprintLibrary, blueprint_id: str, rig: Rig, index: int, mount: Mount, seed: int
) -> carla.ActorBlueprint:
    """Return the blueprint with the mount's settings; InputError for what it does not take."""
    element = f"sensors[{index}].attributes"
    try:
        blueprint = library.find(blueprint_id)
    except (IndexError, RuntimeError):
        raise InputError(
            f"{mount.name}: this server has no {blueprint_id}", file=rig.source, element=f"sensors[{index}]"
        ) from None
    for name, value in mount.settings().items():
        if not blueprint.has_attribute(name):
            if name in mount.attributes and _another_output_has(library, mount, name):
                continue  # e.g. gamma: of the rgb output, not of depth
            known = ", ".join(sorted(a.id for a in blueprint))
            raise InputError(
                f"{mount.name}: {blueprint_id} has no attribute {name!r}",
                file=rig.source,
                element=f"{element}.{name}",
                remedy=f"it has {known}",
            )
        try:
            _check_type(blueprint.get_attribute(name), value)
            blueprint.set_attribute(name, value)
        except (RuntimeError, ValueError) as error:
            raise InputError(
                f"{mount.name}: {blueprint_id} refuses {name} = {value!r}: {error}",
                file=rig.source,
                element=f"{element}.{name}",
            ) from None
    if blueprint.has_attribute("noise_seed") and "noise_seed" not in mount.attributes:
        blueprint.set_attribute("noise_seed", str(derive(seed, "sensor", mount.name) % (2**31 - 1) + 1))
    if blueprint.has_attribute("role_name") and "role_name" not in mount.attributes:
        blueprint.set_attribute("role_name", mount.name)
    return blueprint


def _check_type(attribute: carla.ActorAttribute, text: str) -> None:
    """Raise ValueError for text that is not of the attribute's type; the client lets it through to the server."""
    if attribute.type == carla.ActorAttributeType.Float:
        float(text)
    elif attribute.type == carla.ActorAttributeType.Int:
        int(text)
    elif attribute.type == carla.ActorAttributeType.Bool and text.lower() not in ("true", "false"):
        raise ValueError("it takes true or false")


def _another_output_has(library: carla.BlueprintLibrary, mount: Mount, attribute: str) -> bool:
    return any(library.find(other).has_attribute(attribute) for _, other in mount.channels())


def _missing(
    first: _Channel, others: Sequence[_Channel], answered: Sequence[str], frame: int, timeout_s: float, delta_s: float
) -> str:
    """Say who did not come, what its last reading was, who answered, and what to look at."""
    last = "it never sent one" if first.last_frame is None else f"last was {first.last_frame}"
    text = f"{first.name}: no reading for frame {frame} within {timeout_s:.1f} s ({last}; "
    text += f"{', '.join(answered)} answered)." if answered else "no sensor answered)."
    if others:
        text += f" Also missing: {', '.join(channel.name for channel in others)}."
    if first.mount.period_s > 0.0:
        text += f" Is its period, {first.mount.period_s:g} s, a multiple of the world step, {delta_s:g} s?"
    return text


def _scenery(world: carla.World) -> tuple[ObjectState, ...]:
    """Return the road users that belong to the map (parked cars): they show in images, but are no actors."""
    found: dict[int, ObjectState] = {}
    names: dict[str, Any] = getattr(carla.CityObjectLabel, "names")  # noqa: B009 (unknown to the stubs)
    for label in sorted({label for label in names.values() if int(label) in ROAD_USERS}, key=int):
        for thing in world.get_environment_objects(label):
            box = thing.bounding_box
            state = ObjectState(
                actor_id=0,
                key=("scenery", int(thing.id)),
                type_id=thing.name,
                tags=(int(label),),
                # Boxes of environment objects are given in world coordinates.
                world_from_object=np.eye(4),
                box_center=_vector(box.location),
                box_extent=_vector(box.extent),
                box_rotation_deg=np.array([box.rotation.pitch, box.rotation.yaw, box.rotation.roll]),
            )
            found.setdefault(int(thing.id), state)
    return tuple(found[key] for key in sorted(found))


# --- conversion ----------------------------------------------------------------------------------------------


def _reading(mount: Mount, raw: Sequence[Any]) -> Reading:
    """Turn CARLA's sensor data into arrays of our own."""
    pose = matrix_of(raw[0].transform)
    if isinstance(mount, Camera):
        images = dict(zip(mount.outputs, raw))
        return _camera(images, raw[0], pose)
    convert = next(convert for kind, convert in _CONVERT if isinstance(mount, kind))
    return convert(raw[0], pose)


def _bgra(image: carla.Image) -> np.ndarray:
    return np.frombuffer(image.raw_data, dtype=np.uint8).reshape(image.height, image.width, 4)


def _camera(images: Mapping[str, carla.Image], first: carla.Image, pose: Floats) -> CameraReading:
    rgb = depth = tag = instance = None
    if "rgb" in images:
        rgb = np.ascontiguousarray(_bgra(images["rgb"])[..., 2::-1])
    if "depth" in images:
        depth = decode_depth_m(_bgra(images["depth"]))
    if "instance" in images:
        tag, instance = decode_instance(_bgra(images["instance"]))
    if "semantic" in images:
        tag = _bgra(images["semantic"])[..., 2].copy()
    return CameraReading(first.width, first.height, float(first.fov), pose, rgb, depth, tag, instance)


def _lidar(data: Any, pose: Floats) -> LidarReading:
    counts = np.array([data.get_point_count(channel) for channel in range(data.channels)], dtype=np.int64)
    if isinstance(data, carla.SemanticLidarMeasurement):
        rows = np.frombuffer(data.raw_data, dtype=SEMANTIC_POINT)
        return LidarReading(
            pose, rows["xyz"].copy(), counts, float(data.horizontal_angle),
            cos_incidence=rows["cos"].copy(), actor_id=rows["actor_id"].copy(), tag=rows["tag"].astype(np.uint8),
        )  # fmt: skip
    points = np.frombuffer(data.raw_data, dtype="<f4").reshape(-1, 4)
    return LidarReading(pose, points[:, :3].copy(), counts, float(data.horizontal_angle), intensity=points[:, 3].copy())


def _radar(data: carla.RadarMeasurement, pose: Floats) -> RadarReading:
    velocity, azimuth, altitude, depth = np.frombuffer(data.raw_data, dtype="<f4").reshape(-1, 4).T.copy()
    return RadarReading(pose, velocity, azimuth, altitude, depth)


def _imu(data: carla.IMUMeasurement, pose: Floats) -> ImuReading:
    a, g = data.accelerometer, data.gyroscope
    return ImuReading(pose, (a.x, a.y, a.z), (g.x, g.y, g.z), float(data.compass))


def _gnss(data: carla.GnssMeasurement, pose: Floats) -> GnssReading:
    return GnssReading(pose, data.latitude, data.longitude, data.altitude)


_CONVERT: tuple[tuple[type[Mount], Callable[[Any, Floats], Reading]], ...] = (
    (Lidar, _lidar),
    (Radar, _radar),
    (Imu, _imu),
    (Gnss, _gnss),
)

"""Running the sensors of a frame: who is due, the context they see, one render per view, headers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

from engine.protocol.streams import SensorHeader, encode_sensor_message
from engine.protocol.structs import Actor, WeatherParameters
from engine.sensors.radio import Air
from engine.state import ActorTable

if TYPE_CHECKING:
    from engine.raycast import RayCaster
    from engine.render.hud import Hud
    from engine.render.view import View
    from engine.sensors import Contact, Sensor, SensorContext
    from engine.sensors.camera import Camera
    from engine.sensors.gbuffers import GBuffer

_log = logging.getLogger(__name__)

PERIOD_SLACK_S = 1e-6
"""A period counts as over this much early: 20 steps of 0.05 s do not sum to exactly 1 s."""
MAIN = -1
"""The sensor's own stream; G-buffers count from 0."""


class Publisher(Protocol):
    """Where messages go: the stream hub, or a list in a test."""

    def listened(self, stream_id: int) -> bool:
        """Whether anyone listens to a stream."""

    def publish(self, stream_id: int, message: bytes) -> None:
        """Send a framed message to all who do."""


class ActorStructs(Protocol):
    """What the context asks the world for."""

    def actor_struct(self, actor_id: int) -> Actor:
        """Return a live actor's struct; KeyError for an unknown id."""


class Scene(Protocol):
    """What the context asks the views for."""

    def rays(self) -> RayCaster:
        """Return the ray caster, updated to this frame."""


@dataclass(slots=True)
class Context:
    """The frame that sensors look at (``engine.sensors.SensorContext``)."""

    frame: int
    elapsed_s: float
    delta_s: float
    table: ActorTable
    contacts: Sequence[Contact]
    weather: WeatherParameters
    origin_lat_lon: tuple[float, float]
    gravity: float
    actors: ActorStructs
    scene: Scene
    spectator: int = 0
    hud: Hud | None = None
    air: Air = field(default_factory=Air)

    @property
    def rays(self) -> RayCaster:
        """The ray caster; built by the first sensor that casts a ray."""
        return self.scene.rays()

    def actor_struct(self, actor_id: int) -> Actor:
        """Return the wire struct of a live actor; KeyError for an id that is not there."""
        return self.actors.actor_struct(actor_id)


@dataclass(slots=True)
class Mounted:
    """A sensor in the world: its stream and when it captures next.

    The moments of capture lie on a grid of periods: a frame that comes late for one does not move the next, as in
    Unreal, so that a ``sensor_tick`` that is no multiple of the step still holds on average.
    """

    sensor: Sensor
    stream_id: int
    captured_s: float | None = None
    next_s: float = 0.0
    broken: bool = False

    @property
    def camera(self) -> Camera:
        """The sensor as the camera it is."""
        return cast("Camera", self.sensor)

    def due(self, elapsed_s: float) -> bool:
        """Whether the period since the last capture is over."""
        if self.broken:
            return False
        period = self.sensor.period_s
        if self.captured_s is None or period <= 0.0 or elapsed_s < self.captured_s:
            return True
        return elapsed_s >= self.next_s - PERIOD_SLACK_S

    def captured(self, elapsed_s: float) -> None:
        """Remember a capture."""
        period, fresh = self.sensor.period_s, self.captured_s is None or elapsed_s < self.captured_s
        self.captured_s = elapsed_s
        # After a pause, or with steps longer than the period, the grid begins anew.
        late = fresh or elapsed_s - self.next_s >= period
        self.next_s = (elapsed_s if late else self.next_s) + period


class Sensing:
    """All sensors of an episode.

    Args:
        publisher: takes the framed messages and knows who listens. Sensors without listeners are not run.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._mounted: dict[tuple[int, int], Mounted] = {}
        self._senders: list[int] = []
        self._air = Air()

    def __len__(self) -> int:
        return len(self._mounted)

    def add(self, actor_id: int, sensor: Sensor, stream_id: int) -> None:
        """Mount a sensor."""
        self._mounted[actor_id, MAIN] = Mounted(sensor, stream_id)
        if sensor.transmits:
            self._senders.append(actor_id)

    def add_gbuffer(self, buffer: GBuffer, stream_id: int) -> None:
        """Mount a G-buffer of a camera."""
        self._mounted[buffer.actor_id, buffer.number] = Mounted(buffer, stream_id)

    def gbuffer_stream(self, actor_id: int, number: int) -> int | None:
        """Return the stream of a camera's G-buffer; None when nobody has asked for it yet."""
        mounted = self._mounted.get((actor_id, number))
        return None if mounted is None else mounted.stream_id

    def find(self, actor_id: int) -> Sensor | None:
        """Return a sensor by its actor id; None for client-side sensors and other actors."""
        mounted = self._mounted.get((actor_id, MAIN))
        return None if mounted is None else mounted.sensor

    def remove(self, actor_id: int) -> None:
        """Forget a sensor with its G-buffers; nothing happens for other actors."""
        for key in [key for key in self._mounted if key[0] == actor_id]:
            del self._mounted[key]
        if actor_id in self._senders:
            self._senders.remove(actor_id)

    @property
    def seeing(self) -> bool:
        """Whether there are sensors that shapes of actors matter to, listened to or not."""
        return any(mounted.sensor.sees for mounted in self._mounted.values())

    @property
    def sending(self) -> bool:
        """Whether there are sensors that act in every frame, listened to or not."""
        return bool(self._senders)

    def due(self, elapsed_s: float) -> list[Mounted]:
        """Return the sensors that capture in this frame, by actor id."""
        return [
            mounted
            for _, mounted in sorted(self._mounted.items())
            if self._publisher.listened(mounted.stream_id) and mounted.due(elapsed_s) and mounted.sensor.enabled
        ]

    def run(self, due: Sequence[Mounted], context: Context, renderer: Any, *, cameras: bool) -> None:
        """Capture and publish.

        A sensor that fails is reported once and stays silent: the world goes on.

        Args:
            due: what :meth:`due` returned.
            context: the frame.
            renderer: the renderer; None when no camera is due.
            cameras: False in no-rendering mode: cameras deliver nothing.
        """
        context.air = self._air
        self._air.clear()
        for actor_id in list(self._senders):
            mounted = self._mounted[actor_id, MAIN]
            if not mounted.broken:
                self._transmit(mounted, context)
        views = [mounted for mounted in due if mounted.sensor.is_camera]
        for mounted in due:
            if not mounted.sensor.is_camera:
                self._guarded(mounted, context, lambda m=mounted: m.sensor.captures(context))
        if cameras and views:
            # Loads the renderer's modules, which worlds without cameras do without.
            from engine.sensors.camera import group_views

            frame = cast("SensorContext", context)
            cameras_of = [(mounted, mounted.camera.view(frame), mounted.camera.wants) for mounted in views]
            for view, wants, group in group_views(cameras_of):
                self._render(view, wants, group, context, renderer)

    def _transmit(self, mounted: Mounted, context: Context) -> None:
        try:
            mounted.sensor.transmit(cast("SensorContext", context))
        except Exception:  # noqa: BLE001 - logged; a broken sensor does not stop the world
            _log.exception("sensor %d failed in frame %d; it falls silent", mounted.sensor.actor_id, context.frame)
            mounted.broken = True

    def _render(
        self, view: View, wants: frozenset[str], group: Sequence[Mounted], context: Context, renderer: Any
    ) -> None:
        try:
            pictures = renderer.render(view, wants)
        except Exception:  # noqa: BLE001 - logged; a broken camera does not stop the world
            names = ", ".join(str(mounted.sensor.actor_id) for mounted in group)
            _log.exception("rendering for sensors %s failed; they fall silent", names)
            for mounted in group:
                mounted.broken = True
            return
        for mounted in group:
            self._guarded(mounted, context, lambda m=mounted: _bodies(m.camera.encode(pictures, context)))

    def _guarded(self, mounted: Mounted, context: Context, capture: Any) -> None:
        mounted.captured(context.elapsed_s)
        try:
            bodies = capture()
        except Exception:  # noqa: BLE001 - logged; a broken sensor does not stop the world
            _log.exception("sensor %d failed in frame %d; it falls silent", mounted.sensor.actor_id, context.frame)
            mounted.broken = True
            return
        if not bodies:
            return
        row = context.table[mounted.sensor.actor_id]
        header = SensorHeader(
            mounted.sensor.type_index,
            context.frame,
            context.elapsed_s,
            tuple(row["location"].tolist()),
            tuple(row["rotation"].tolist()),
        )
        for body in bodies:
            self._publisher.publish(mounted.stream_id, encode_sensor_message(header, body))


def _bodies(body: bytes | None) -> list[bytes]:
    return [] if body is None else [body]

"""The stage: one simulator with one camera, on which scene after scene is set up and photographed.

A still costs one tick: a batch of commands puts everybody and the camera into place, the tick draws the colours and
the labels.

A still must not depend on those before it. So every actor's whole state is set, and the episode's clock stands still
while pictures are taken: clouds, rain and blinkers go by it.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Mapping
from typing import Any

import carla
import numpy as np
import numpy.typing as npt

from bridge.studio.cast import ID_MASK, Cast, Member
from bridge.studio.scenes import Still, StillCamera, StillObject, StillScene, StudioError
from foundation.errors import DeadlineError

CLOCK_S = 500
"""Stills are taken at this second of the episode. By then the clouds have drifted by wind_intensity / 100 of their
pattern, so the wind chooses the clouds."""
FROZEN_S = 2.0**-60
"""The step of a still's tick. Added to CLOCK_S it is lost in rounding: the episode's clock stands still exactly."""
CALL_DEADLINE_S = 20.0
SIGNAL_IDS, STATIC_IDS = 0x4000, 0x8000
SENSORS = ("sensor.camera.rgb", "sensor.camera.instance_segmentation")

Pixels = npt.NDArray[np.uint8]

CLEAR_NOON = {
    "cloudiness": 5.0,
    "wind_intensity": 10.0,
    "sun_azimuth_angle": -1.0,
    "sun_altitude_angle": 45.0,
    "fog_density": 2.0,
    "fog_distance": 0.75,
    "fog_falloff": 0.1,
    "scattering_intensity": 1.0,
    "mie_scattering_scale": 0.03,
    "rayleigh_scattering_scale": 0.0331,
}
"""CARLA's weather for what a scene does not name; other fields are 0."""


class Stage:
    """A simulator's world, made into a studio.

    Args:
        client: the genuine client of a running simulator with the map loaded; nobody else may be connected.
        camera: the studio's camera.
    """

    def __init__(self, client: carla.Client, camera: StillCamera) -> None:
        self._client, self._camera = client, camera
        # Whole seconds sum exactly, however many ticks loading takes.
        _set_step(client.get_world(), 1.0)
        self._world = client.reload_world(False)
        while self._world.get_snapshot().timestamp.elapsed_seconds < CLOCK_S:
            self._world.tick(CALL_DEADLINE_S)
        _set_step(self._world, FROZEN_S)
        self._readings: queue.Queue[tuple[int, int, Pixels]] = queue.Queue()
        self._library = self._world.get_blueprint_library()
        self._sensors = [self._mount(number, name) for number, name in enumerate(SENSORS)]
        actors: Any = self._world.get_actors().filter("traffic.*")
        signals = sorted(actor.id & ID_MASK for actor in actors)
        self._cast = Cast(client, self._library, signals)
        self._weather: dict[str, float] | None = None
        # Instance values of the map's lights and signs depend on how many actors there were before; ours do not.
        self._table = np.zeros(0x10000, dtype=np.uint16)
        self._table[STATIC_IDS:] = np.arange(STATIC_IDS, 0x10000)
        self._table[signals] = SIGNAL_IDS + np.arange(len(signals))

    def _mount(self, number: int, name: str) -> Any:
        blueprint = self._library.find(name)
        values = (self._camera.width, self._camera.height, self._camera.fov)
        for attribute, value in zip(("image_size_x", "image_size_y", "fov"), values):
            blueprint.set_attribute(attribute, str(value))
        sensor: Any = self._world.spawn_actor(blueprint, carla.Transform())
        readings = self._readings

        def keep(image: carla.Image) -> None:
            # The buffer belongs to the client library and ends with this call.
            pixels = np.frombuffer(image.raw_data, np.uint8).reshape(image.height, image.width, 4)
            readings.put((number, image.frame, pixels.copy()))

        sensor.listen(keep)
        return sensor

    def close(self) -> None:
        """Stop the cameras, which the client library insists on."""
        for sensor in self._sensors:
            sensor.stop()
            sensor.destroy()

    def shoot(self, scene: StillScene) -> Still:
        """Set a scene up and take its picture and labels.

        Raises:
            StudioError: the scene asks for what there is not.
            DeadlineError: a picture did not come.
            RuntimeError: the simulator is gone (the genuine client's way of saying so).
        """
        scene.check()
        self._set_weather(scene.weather)
        x, y, z, pitch, yaw, roll = scene.camera_transform
        camera = carla.Transform(carla.Location(x, y, z), carla.Rotation(pitch, yaw, roll))
        try:
            members = self._cast.enter(
                scene.actors, [carla.command.ApplyTransform(sensor.id, camera) for sensor in self._sensors]
            )
        except StudioError as error:
            raise StudioError(f"still {scene.key}: {error}") from error
        colors, labels = self._pictures(self._world.tick(CALL_DEADLINE_S), scene.key)
        return self._still(scene, members, colors, labels)

    def _set_weather(self, weather: Mapping[str, float]) -> None:
        values = CLEAR_NOON | dict(weather)
        if values != self._weather:
            self._world.set_weather(carla.WeatherParameters(**{k: float(v) for k, v in values.items()}))
            self._weather = values

    def _pictures(self, frame: int, key: str) -> tuple[Pixels, Pixels]:
        """Return the colours and the labels of a frame, (H, W, 4) BGRA each."""
        found: dict[int, Pixels] = {}
        end = time.monotonic() + CALL_DEADLINE_S
        while len(found) < len(SENSORS):
            try:
                number, of_frame, pixels = self._readings.get(timeout=max(end - time.monotonic(), 0.0))
            except queue.Empty:
                missing = ", ".join(name for n, name in enumerate(SENSORS) if n not in found)
                raise DeadlineError(f"still {key}: no {missing} within {CALL_DEADLINE_S:.0f} s") from None
            if of_frame == frame:
                found[number] = pixels
        return found[0], found[1]

    def _still(self, scene: StillScene, members: list[Member], colors: Pixels, labels: Pixels) -> Still:
        raw = labels[..., 1].astype(np.uint16) | (labels[..., 0].astype(np.uint16) << 8)
        table = self._table.copy()
        table[[member.instance for member in members]] = np.arange(1, len(members) + 1)
        instances = table[raw]
        objects = []
        for number, actor in enumerate(scene.actors, start=1):
            rows, columns = np.nonzero(instances == number)
            box = None
            if len(rows):
                box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
            objects.append(StillObject(actor.name, actor.blueprint, number, len(rows), box))
        return Still(
            scene.key,
            np.ascontiguousarray(colors[..., 2::-1]),
            np.ascontiguousarray(labels[..., 2]),
            instances,
            tuple(objects),
        )


def _set_step(world: Any, step_s: float) -> None:
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, step_s
    settings.substepping = False
    world.apply_settings(settings)

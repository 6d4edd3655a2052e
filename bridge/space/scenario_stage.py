"""A stage that shows a moment of a concrete scenario: what the ego's camera sees after so many seconds of it.

The storyboard runs without a camera until that moment; then the clock is stopped and the picture taken. Pictures that
differ only in weather or mounting show the same moment, so the run is not repeated for them.
"""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import carla
import numpy as np
import numpy.typing as npt

from bridge import agents
from bridge.studio.pool import Workers
from bridge.studio.scenes import Pose, StillCamera, StudioError
from bridge.studio.stage import CALL_DEADLINE_S, FROZEN_S
from foundation.errors import DeadlineError
from scenarios.opendrive import RoadNetwork
from scenarios.openscenario import Execution, load
from scenarios.openscenario.carla_port import CarlaPort

STEP_S = 0.05
START_S = 2.0
"""Scenarios start at this time of the episode, as in catalogue runs."""

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Shot:
    """A picture of a moment.

    Attributes:
        key: for messages. scenario: the OpenSCENARIO file. parameters: its values as text.
        time_s: the moment, in scenario time; a run that ends earlier shows its end.
        seed: of the run.
        mount: where the camera is, from the middle of the ego's front at ground level: x ahead, y right, z up.
        weather: fields of ``carla.WeatherParameters`` that replace the scenario's own.
        repeat: another number runs an equal scenario again from its start: does it come to the same?
    """

    key: str
    scenario: str
    parameters: tuple[tuple[str, str], ...]
    time_s: float
    seed: int
    mount: Pose
    weather: Mapping[str, float] = field(default_factory=dict)
    repeat: int = 0

    @property
    def moment(self) -> tuple[Any, ...]:
        """What decides how the world stands: equal for pictures of the same moment."""
        return self.scenario, self.parameters, self.time_s, self.seed, self.repeat


class ScenarioStage:
    """Runs concrete scenarios to a moment and photographs it.

    Args:
        client: of a simulator with the scenario's map loaded; nobody else may be connected.
        camera: size and field of view.
    """

    def __init__(self, client: carla.Client, camera: StillCamera) -> None:
        self._client, self._camera = client, camera
        self._world = client.get_world()
        self._library = self._world.get_blueprint_library()
        self._scenery = agents.scenery(self._world)
        # All shots of a stage are on the one map that the simulator has loaded.
        self._networks: dict[str, RoadNetwork] = {}
        self._moment: tuple[Any, ...] | None = None
        self._sensor: Any = None
        self._port: CarlaPort | None = None
        self._pictures: queue.Queue[tuple[int, Picture]] = queue.Queue()

    def shoot(self, shot: Shot) -> Picture:
        """Return (H, W, 3) uint8 sRGB.

        Raises:
            RealityError: the scenario cannot be run.
            DeadlineError: no picture came.
        """
        if shot.moment != self._moment:
            self._moment = None
            self._run(shot)
            self._moment = shot.moment
        weather = carla.WeatherParameters(**{name: getattr(self._weather, name) for name in _FIELDS})
        for name, value in shot.weather.items():
            setattr(weather, name, float(value))
        self._world.set_weather(weather)
        mount = shot.mount
        at = carla.Location(self._front_m + mount.x, mount.y, mount.z)
        place = self._ego.transform(at)
        base = self._ego.rotation
        turned = carla.Rotation(base.pitch + mount.pitch, base.yaw + mount.yaw, base.roll + mount.roll)
        self._sensor.set_transform(carla.Transform(carla.Location(place.x, place.y, place.z), turned))
        return self._picture(self._world.tick(CALL_DEADLINE_S), shot.key)

    def _run(self, shot: Shot) -> None:
        """Let the storyboard run to the shot's moment, in a fresh episode, and stop the clock."""
        self.close()
        self._step(STEP_S)
        self._world = world = self._client.reload_world(False)
        while world.get_snapshot().timestamp.elapsed_seconds < START_S - 1e-6:
            world.tick(CALL_DEADLINE_S)
        scenario = load(shot.scenario, dict(shot.parameters), network=self._networks.get(shot.scenario))
        if scenario.network is None or not scenario.ego:
            raise StudioError(f"{shot.scenario}: names no road network or no ego, so there is nothing to photograph")
        self._networks[shot.scenario] = scenario.network
        controllers = agents.controllers(agents.Eyes(self._scenery))
        self._port = port = CarlaPort(self._client, world, scenario.network, seed=shot.seed, library=self._library)
        execution = Execution(scenario, scenario.network, port, STEP_S, shot.seed, controllers)
        execution.start()
        self._enter(execution, port)
        while not execution.finished and execution.time_s < shot.time_s - 1e-9:
            execution.step()
        ego: Any = port.actor(scenario.ego)
        if ego is None:
            raise StudioError(f"{shot.scenario}: the ego is not in the world after {execution.time_s:.2f} s")
        self._ego = ego.get_transform()
        self._front_m = ego.bounding_box.location.x + ego.bounding_box.extent.x
        self._weather = world.get_weather()
        # Nobody moves any more: not by the storyboard, and not by physics either.
        present = [port.actor(name) for name in sorted(execution.world.entities)]
        still = [carla.command.SetSimulatePhysics(actor, False) for actor in present if actor is not None]
        self._client.apply_batch_sync(still, False)
        self._step(FROZEN_S)
        self._mount()

    def _enter(self, execution: Execution, port: CarlaPort) -> None:
        """Two frames in which everybody is placed and comes to rest, as in catalogue runs."""
        start = execution.motions
        records = {name: entity.record for name, entity in execution.world.entities.items()}
        for _ in range(2):
            self._world.tick(CALL_DEADLINE_S)
            port.hold(start, records)

    def _step(self, step_s: float) -> None:
        settings = self._world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = True, step_s
        # Substeps as in catalogue runs; a frozen clock has none (the client would wait for ever).
        settings.substepping, settings.max_substep_delta_time, settings.max_substeps = step_s == STEP_S, 0.01, 10
        self._world.apply_settings(settings)

    def _mount(self) -> None:
        blueprint = self._library.find("sensor.camera.rgb")
        values = (self._camera.width, self._camera.height, self._camera.fov)
        for attribute, value in zip(("image_size_x", "image_size_y", "fov"), values):
            blueprint.set_attribute(attribute, str(value))
        self._sensor = self._world.spawn_actor(blueprint, self._ego)
        pictures = self._pictures = queue.Queue()

        def keep(image: carla.Image) -> None:
            # The buffer belongs to the client library and ends with this call.
            pixels = np.frombuffer(image.raw_data, np.uint8).reshape(image.height, image.width, 4)
            pictures.put((image.frame, np.ascontiguousarray(pixels[..., 2::-1])))

        self._sensor.listen(keep)

    def _picture(self, frame: int, key: str) -> Picture:
        while True:
            try:
                of_frame, picture = self._pictures.get(timeout=CALL_DEADLINE_S)
            except queue.Empty:
                raise DeadlineError(f"{key}: no picture within {CALL_DEADLINE_S:.0f} s") from None
            if of_frame == frame:
                return picture

    def close(self) -> None:
        """Stop the camera and take the scenario's actors out."""
        if self._sensor is not None:
            self._sensor.stop()
            self._sensor.destroy()
            self._sensor = None
        if self._port is not None:
            with contextlib.suppress(RuntimeError):
                self._port.close()
            self._port = None


_FIELDS = (
    "cloudiness", "precipitation", "precipitation_deposits", "wind_intensity", "sun_azimuth_angle",
    "sun_altitude_angle", "fog_density", "fog_distance", "wetness", "fog_falloff", "scattering_intensity",
    "mie_scattering_scale", "rayleigh_scattering_scale", "dust_storm",
)  # fmt: skip


class ScenarioWorkers(Workers[Shot, Picture]):
    """Photographs moments of concrete scenarios; ``map_name`` is their OpenDRIVE file. See :class:`Workers`."""

    stage = "bridge.space.scenario_stage:ScenarioStage"

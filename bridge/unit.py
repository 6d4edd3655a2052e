"""One concrete scenario from start to end: simulator, storyboard, sensors, labels, metrics, outcome.

It runs in a worker process (:mod:`bridge.worker`). Its folder holds the same bytes whichever worker runs it, whatever
that ran before, and wherever the folder lies.
"""

from __future__ import annotations

import contextlib
import csv
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import carla
import numpy as np
import numpy.typing as npt
from PIL import Image

from bridge import agents, simulators
from bridge.egos import EgoDriver, EgoError
from bridge.film import Film
from bridge.planfile import NO_RIG, RunOptions
from bridge.recording import Recorder
from bridge.results import Result, Track, Unit, write_tracks
from foundation.errors import RealityError
from scenarios import opendrive
from scenarios.evaluation import Evaluation, Evaluator, write_series
from scenarios.openscenario import Execution, Scenario, load
from scenarios.openscenario.carla_port import CarlaPort
from scenarios.openscenario.outcomes import Extreme, Outcome
from sensors import capture as captures
from sensors import overlay, readings
from sensors import rig as rigs
from sensors.labels import FrameLabels, Labeler
from sensors.writers import DatasetWriter

log = logging.getLogger(__name__)

LOAD_DEADLINE_S = 60.0
SENSOR_DEADLINE_S = 30.0
WATCH_PERIOD_S = 0.2
START_S = 2.0
"""Scenarios start at this time of the episode; loading takes far fewer ticks."""
PREVIEW_PERIOD_S = 0.25
PREVIEW_OFFSETS_S = (-1.5, -0.5, 0.25)
"""Pictures for the report are taken so long before and after the moment that mattered."""

Report = Callable[[dict[str, Any]], None]


@dataclass
class Preview:
    """Labelled pictures kept while a scenario runs, because only its end tells which of them matter."""

    camera: str | None
    frames: dict[float, npt.NDArray[np.uint8]] = field(default_factory=dict)
    _next_s: float = 0.0

    def offer(self, time_s: float, frame: readings.Frame, labels: FrameLabels) -> None:
        """Keep a picture of this frame if it is time for one."""
        if self.camera is None or time_s < self._next_s - 1e-9:
            return
        reading = frame.readings.get(self.camera)
        if not isinstance(reading, readings.CameraReading):
            return
        self._next_s = time_s + PREVIEW_PERIOD_S
        objects = {label.track_id: label for label in labels.objects}
        self.frames[time_s] = overlay.draw(reading, labels.cameras[self.camera], objects)

    def save(self, folder: Path, key_s: float | None) -> list[dict[str, Any]]:
        """Write the pictures around the key moment and return their records for the result."""
        if not self.frames:
            return []
        times = np.array(sorted(self.frames))
        moment = float(times[-1]) / 2 if key_s is None else key_s
        chosen = sorted({float(times[np.argmin(np.abs(times - (moment + offset)))]) for offset in PREVIEW_OFFSETS_S})
        (folder / "previews").mkdir()
        records = []
        for time_s in chosen:
            name = f"previews/{time_s:07.3f}s.png"
            Image.fromarray(self.frames[time_s]).save(folder / name)
            records.append({"file": name, "caption": f"{self.camera}, {time_s:.2f} s", "time_s": time_s})
        return records


@dataclass(frozen=True)
class Job:
    """A unit with everything it needs on this machine.

    Attributes:
        scenario, rig: where to load them from; rig "none" for no sensors.
        ego_folder: searched for the module of the ego's driver, besides the usual places.
        folder: what to write into; it exists and is empty.
    """

    unit: Unit
    options: RunOptions
    scenario: str
    rig: str
    folder: str
    ego_folder: str = ""


class Stage:
    """The simulator of one worker, kept from unit to unit where that cannot be seen in the results.

    The world around the roads and the noise of some sensors hang on the engine's seed. Units with sensors get an engine
    of their own with the unit's seed, so that no two of them see the same houses; without sensors one engine serves
    all units, each in an episode of its own. Servers that are not ours load the map anew for every unit.

    Args:
        report: where messages go; see :mod:`bridge.worker`.
        log_path: of the engine.
    """

    def __init__(self, report: Report, log_path: Path) -> None:
        self._report, self._log_path = report, log_path
        self._resources = contextlib.ExitStack()
        self._engine: tuple[str, int] | None = None
        self._simulator: simulators.Simulator | None = None
        self._client: carla.Client | None = None
        self._map: str | None = None

    @property
    def engine_pid(self) -> int | None:
        """Process of an engine of ours that runs now."""
        return None if self._simulator is None else self._simulator.pid

    @contextlib.contextmanager
    def world(
        self, options: RunOptions, seed: int, network: opendrive.RoadNetwork
    ) -> Iterator[tuple[carla.Client, carla.World]]:
        """Give the client and the world of a fresh, settled episode on this road network, in synchronous mode.

        Raises:
            RealityError: the simulator did not start or could not load the map.
        """
        client = self._connected(options, seed)
        with _synchronous(client, options.step_s):
            if self._map == network.text and options.simulator == "embedded":
                world = client.reload_world(False)
            else:
                self._map = None
                world = _load_map(client, network, self._report)
                self._map = network.text
            _settle(world)
            yield client, world

    def _connected(self, options: RunOptions, seed: int) -> carla.Client:
        wanted = (options.simulator, seed)
        if self._engine == wanted and self._client is not None:
            return self._client
        self.close()
        self._report({"note": "starting the simulator"})
        log_path = self._log_path if options.simulator == "embedded" else None
        simulator = self._resources.enter_context(
            simulators.start(options.simulator, seed=seed % 2**31, log_path=log_path)
        )
        threading.Thread(target=_watch, args=(simulator, self._report), name="watch", daemon=True).start()
        self._simulator, self._client = simulator, simulator.connect(timeout_s=LOAD_DEADLINE_S)
        self._engine = wanted
        return self._client

    def explain(self, error: RuntimeError) -> str:
        """Say what is behind an error of the client: often a simulator that has ended."""
        try:
            if self._simulator is not None:
                self._simulator.check(simulators.CRASH_GRACE_S)
        except simulators.SimulatorError as gone:
            return str(gone)
        return f"the simulator failed: {error}"

    def close(self) -> None:
        """Stop an engine of ours."""
        self._engine = self._client = self._simulator = self._map = None
        self._resources.close()


def run_unit(job: Job, stage: Stage, report: Report) -> Result:
    """Run one unit into its folder and return its result, which is also written there.

    Raises:
        RealityError: an input cannot be used, or the simulator failed; the folder is then not complete.
    """
    unit = job.unit
    scenario = load(job.scenario, unit.parameters)
    network = scenario.network
    if network is None:
        raise RealityError(f"{unit.scenario}: names no road network, so there is nothing to drive on")
    rig = None if job.rig == NO_RIG else rigs.load(job.rig)
    folder = Path(job.folder)
    seed = 0 if rig is None else unit.seed
    with stage.world(job.options, seed, network) as (client, world):
        result = _Run(job, scenario, network, rig, client, world, report).play()
    if rig is not None:
        stage.close()
    result.write(folder / "result.json")
    return result


def _watch(simulator: simulators.Simulator, report: Report) -> None:
    """End this process at once when the simulator's has ended.

    The client would wait for each answer until its deadline, once for every sensor that is to be destroyed; there is
    nothing left to clean up, and whoever supervises this process removes its half-written folder.
    """
    while not simulator.closed:
        try:
            simulator.check()
        except simulators.SimulatorError as error:
            if not simulator.closed:
                log.error("%s", error)
                report({"error": str(error), "retry": True})
                os._exit(1)
        time.sleep(WATCH_PERIOD_S)


def _load_map(client: carla.Client, network: opendrive.RoadNetwork, report: Report) -> carla.World:
    """Give the server the scenario's road network, always freshly loaded: nothing of an earlier scenario is left."""
    report({"note": "loading the map"})
    parameters = carla.OpendriveGenerationParameters(
        vertex_distance=2.0, max_road_length=500.0, wall_height=0.0, additional_width=0.6, smooth_junctions=True
    )
    try:
        return client.generate_opendrive_world(opendrive.client_text(network.text), parameters, reset_settings=False)
    except RuntimeError as error:
        raise RealityError(f"the simulator could not load {network.name}: {error}") from error


def _settle(world: carla.World) -> None:
    """Tick to a fixed moment of the episode.

    How often the client ticks while it loads a map depends on the machine; clouds, blinkers and traffic lights go by
    the episode's clock, so scenarios must start at the same time of it to be the same.
    """
    while world.get_snapshot().timestamp.elapsed_seconds < START_S - 1e-6:
        world.tick(LOAD_DEADLINE_S)


class _synchronous:  # noqa: N801 - used like a function
    """Hold a server in synchronous mode with a fixed step, also across maps, and give it back as it was."""

    def __init__(self, client: carla.Client, step_s: float) -> None:
        self._client, self._step_s = client, step_s

    def __enter__(self) -> None:
        self._world = self._client.get_world()
        settings = self._world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = True, self._step_s
        # Physics in steps of 10 ms at most, as CARLA recommends.
        settings.substepping, settings.max_substep_delta_time, settings.max_substeps = True, 0.01, 10
        self._world.apply_settings(settings)

    def __exit__(self, *_: object) -> None:
        try:
            world = self._client.get_world()
            settings = world.get_settings()
            settings.synchronous_mode, settings.fixed_delta_seconds = False, None
            world.apply_settings(settings)
        except RuntimeError as error:  # the server is gone; the error that matters is already on its way
            log.warning("the simulator's settings could not be restored: %s", error)


class _Run:
    """One unit in the world that is there for it."""

    def __init__(
        self,
        job: Job,
        scenario: Scenario,
        network: opendrive.RoadNetwork,
        rig: rigs.Rig | None,
        client: carla.Client,
        world: carla.World,
        report: Report,
    ) -> None:
        self.job, self.unit, self.options = job, job.unit, job.options
        self.scenario, self.network, self.rig = scenario, network, rig
        self.client, self.world, self.report = client, world, report
        self.folder = Path(job.folder)
        self.tracks: dict[str, Track] = {}
        self.frames = 0
        cameras = () if rig is None else rig.cameras
        self.preview = Preview(next((c.name for c in cameras if len(c.outputs) == 4), None))
        self.film_camera = next((c.name for c in cameras if "rgb" in c.outputs), None) if job.options.video else None

    def play(self) -> Result:
        """Run it and write its files, all but the result's."""
        unit, options, scenario = self.unit, self.options, self.scenario
        controllers = agents.controllers(agents.Eyes.of_world(self.world))
        port = CarlaPort(self.client, self.world, self.network, seed=unit.seed)
        try:
            with contextlib.ExitStack() as stack:
                driver = None
                if options.ego:
                    driver = stack.enter_context(EgoDriver(options.ego, options.ego_deadline_s, self.job.ego_folder))
                    controllers = driver.replacing(controllers, scenario.ego)
                execution = Execution(scenario, self.network, port, options.step_s, unit.seed, controllers)
                execution.start()
                _enter(self.world, port, execution)
                port.keeps_commands = True  # one message a step instead of one for each kind of command
                ego = port.actor(scenario.ego) if scenario.ego else None
                if ego is None:
                    raise RealityError(
                        f"{unit.scenario}: no vehicle to carry the sensors; one entity must be called Ego"
                    )
                if driver is not None:
                    driver.begin(self.world, ego, execution, unit.seed)
                evaluator = Evaluator(scenario.ego, execution.world)
                if self.rig is None:
                    self._loop(execution, port, evaluator, driver, None, None)
                    execution.close()
                else:
                    self._recorded(execution, port, evaluator, driver, ego)
                outcome = execution.outcome
                evaluation = evaluator.finish(outcome)
        finally:
            port.close()
        (self.folder / "map.xodr").write_text(self.network.text, encoding="utf-8")
        write_tracks(self.folder / "trajectories.csv", self.tracks)
        write_series(self.folder / "measures.csv", evaluation.series)
        _write_events(self.folder / "events.csv", execution)
        return self._result(execution, outcome, evaluation)

    def _recorded(
        self,
        execution: Execution,
        port: CarlaPort,
        evaluator: Evaluator,
        driver: EgoDriver | None,
        ego: carla.Actor,
    ) -> None:
        """Run the loop with the rig on the ego, every frame labelled and written."""
        rig = self.rig
        assert rig is not None
        with contextlib.ExitStack() as stack:
            capture = stack.enter_context(captures.attach(self.world, ego, rig, self.unit.seed))
            writer = stack.enter_context(DatasetWriter(self.folder / "data", rig))
            film = stack.enter_context(Film(self.folder / "video.mp4", self.options.step_s))
            labeler = Labeler()

            def keep(time_s: float, frame: readings.Frame) -> None:
                labels = labeler.label(frame)
                writer.write(frame, labels)
                self.preview.offer(time_s, frame, labels)
                reading = frame.readings.get(self.film_camera) if self.film_camera else None
                if isinstance(reading, readings.CameraReading) and reading.rgb is not None:
                    film.add(reading.rgb)

            with Recorder(keep) as recorder:
                self._loop(execution, port, evaluator, driver, capture, recorder)
            execution.close()
            writer.close(_manifest(self.unit, self.options, self.scenario, execution.outcome))

    def _loop(
        self,
        execution: Execution,
        port: CarlaPort,
        evaluator: Evaluator,
        driver: EgoDriver | None,
        capture: captures.Capture | None,
        recorder: Recorder | None,
    ) -> None:
        _record(self.tracks, execution)
        evaluator.record()
        while not execution.finished and execution.time_s < self.options.max_time_s - 1e-9:
            execution.before_tick()
            port.send()
            if driver is not None:
                driver.apply()
            frame_id = self.world.tick(SENSOR_DEADLINE_S)
            execution.after_tick()
            if capture is not None and recorder is not None:
                frame = capture.frame(frame_id, SENSOR_DEADLINE_S)
                recorder.put(execution.time_s, frame)
                if driver is not None:
                    driver.see(frame)
            if driver is not None:
                driver.take_wheel(execution)
            _record(self.tracks, execution)
            evaluator.record()
            self.frames += 1
            if self.frames % 5 == 0:
                self.report({"note": f"{execution.time_s:5.1f} s simulated, {self.frames} frames"})

    def _result(self, execution: Execution, outcome: Outcome, evaluation: Evaluation) -> Result:
        verdict, reasons = outcome.verdict, list(outcome.reasons)
        if verdict == "incomplete":
            verdict = "inconclusive"
            reasons.append(f"the storyboard was still running after {self.options.max_time_s:g} s")
        moments = (_first(c.time_s for c in outcome.collisions), _when(outcome.min_ttc), _when(outcome.min_distance))
        key_s = next((moment for moment in moments if moment is not None), None)
        distance = outcome.min_distance
        return Result(
            unit=self.unit,
            verdict=verdict,
            reasons=reasons,
            ego=outcome.ego,
            duration_s=outcome.duration_s,
            frames=self.frames,
            end="stop trigger" if execution.finished else "time limit",
            collisions=evaluation.collisions,
            min_ttc_s=_value(outcome.min_ttc),
            min_ttc_time_s=_when(outcome.min_ttc),
            min_distance_m=_value(distance),
            min_distance_time_s=_when(distance),
            min_distance_to=None if distance is None else distance.other,
            pet_s=_value(outcome.pet),
            criteria=[{"name": c.test, "passed": c.passed, "detail": c.reason} for c in outcome.criteria],
            previews=self.preview.save(self.folder, key_s),
            entities={name: _size(entry.record) for name, entry in self.scenario.entities.items()},
            map_file="map.xodr",
            metrics=dict(evaluation.metrics),
        )


def _enter(world: carla.World, port: CarlaPort, execution: Execution) -> None:
    """Let everybody enter the world before the storyboard's clock runs.

    A body that is placed, and gets its first speed, within a frame has been accelerated enormously as far as any sensor
    can tell. So two frames pass first, one to be placed and one to rest from it, and after each everybody is put back
    to where, and how fast, the scenario starts.
    """
    start = execution.motions
    records = {name: entity.record for name, entity in execution.world.entities.items()}
    for _ in range(2):
        world.tick(LOAD_DEADLINE_S)
        port.hold(start, records)


def _record(tracks: dict[str, Track], execution: Execution) -> None:
    for name, motion in execution.motions.items():
        track = tracks.setdefault(name, Track())
        pose = motion.pose
        values = (execution.time_s, pose.x, pose.y, pose.z, pose.heading, motion.speed)
        columns = (track.time, track.x, track.y, track.z, track.heading, track.speed)
        for column, value in zip(columns, values, strict=True):
            column.append(float(value))


def _write_events(path: Path, execution: Execution) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("time", "kind", "element", "transition", "to", "path"))
        for e in execution.events:
            writer.writerow((f"{e.time_s:.3f}", e.kind, e.name, e.transition, e.state, "::".join(e.element.path)))


def _manifest(unit: Unit, options: RunOptions, scenario: Scenario, outcome: Outcome) -> dict[str, Any]:
    return {
        "scenario": unit.scenario,
        "parameters": dict(sorted(unit.parameters.items())),
        "all_parameters": {name: p.text for name, p in sorted(scenario.parameters.items())},
        "seed": unit.seed,
        "step_s": options.step_s,
        "rig": unit.rig,
        "simulator": "embedded" if options.simulator == "embedded" else "CARLA server",
        "outcome": outcome.as_dict(),
    }


def _first(times: Iterable[float]) -> float | None:
    return min(times, default=None)


def _when(extreme: Extreme | None) -> float | None:
    return None if extreme is None else extreme.time_s


def _value(extreme: Extreme | None) -> float | None:
    return None if extreme is None else extreme.value


def _size(record: Any) -> dict[str, Any]:
    box = record.box
    return {
        "kind": record.kind,
        "category": record.category,
        "length_m": box.length,
        "width_m": box.width,
        "height_m": box.height,
        "center_x_m": box.center[0],
        "center_y_m": box.center[1],
    }


__all__ = ["EgoError", "Job", "Report", "Stage", "run_unit"]

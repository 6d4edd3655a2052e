"""One concrete scenario from start to end: simulator, storyboard, sensors, labels, outcome.

``python -m bridge.unit`` reads one job (a JSON line) on standard input and answers with JSON lines on standard output:
progress while it runs, then ``{"done": true}`` or ``{"error": text}``. It ends when its standard input closes, so it
never outlives the run that started it.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import carla
import numpy as np
import numpy.typing as npt
from PIL import Image

from bridge import agents, simulators
from bridge.recording import Recorder
from bridge.results import Result, Track, Unit, write_tracks
from bridge.run import RunOptions
from foundation.errors import RealityError
from scenarios import opendrive
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


def run_unit(unit: Unit, options: RunOptions, folder: Path, report: Report) -> Result:
    """Run one unit into ``folder`` (which exists and is empty) and return its result, which is also written there.

    Raises:
        RealityError: an input cannot be used, or the simulator failed; the folder is then not complete.
    """
    scenario = load(unit.scenario, unit.parameters)
    network = scenario.network
    if network is None:
        raise RealityError(f"{unit.scenario}: names no road network, so there is nothing to drive on")
    rig = rigs.load(options.rig)
    report({"note": "starting the simulator"})
    with simulators.start(options.simulator, seed=unit.seed % 2**31) as simulator:
        threading.Thread(target=_watch, args=(simulator, report), name="watch", daemon=True).start()
        client = simulator.connect(timeout_s=LOAD_DEADLINE_S)
        with _synchronous(client, options.step_s):
            world = _load_map(client, network, report)
            _settle(world)
            result = _run_scenario(unit, options, scenario, network, rig, client, world, folder, report)
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
                report({"error": str(error)})
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


def _run_scenario(
    unit: Unit,
    options: RunOptions,
    scenario: Scenario,
    network: opendrive.RoadNetwork,
    rig: rigs.Rig,
    client: carla.Client,
    world: carla.World,
    folder: Path,
    report: Report,
) -> Result:
    controllers = agents.controllers(agents.Eyes.of_world(world))
    port = CarlaPort(client, world, network, seed=unit.seed)
    preview = Preview(next((c.name for c in rig.cameras if len(c.outputs) == 4), None))
    tracks: dict[str, Track] = {}
    frames = 0
    try:
        execution = Execution(scenario, network, port, options.step_s, unit.seed, controllers)
        execution.start()
        _enter(world, port, execution)
        _record(tracks, execution)
        ego = port.actor(scenario.ego) if scenario.ego else None
        if ego is None:
            raise RealityError(f"{unit.scenario}: no vehicle to carry the sensors; one entity must be called Ego")
        with captures.attach(world, ego, rig, unit.seed) as capture, DatasetWriter(folder / "data", rig) as writer:
            labeler = Labeler()

            def keep(time_s: float, frame: readings.Frame) -> None:
                labels = labeler.label(frame)
                writer.write(frame, labels)
                preview.offer(time_s, frame, labels)

            with Recorder(keep) as recorder:
                while not execution.finished and execution.time_s < options.max_time_s - 1e-9:
                    execution.before_tick()
                    frame_id = world.tick(SENSOR_DEADLINE_S)
                    execution.after_tick()
                    recorder.put(execution.time_s, capture.frame(frame_id, SENSOR_DEADLINE_S))
                    _record(tracks, execution)
                    frames += 1
                    if frames % 5 == 0:
                        report({"note": f"{execution.time_s:5.1f} s simulated, {frames} frames"})
            execution.close()
            outcome = execution.outcome
            writer.close(_manifest(unit, options, scenario, outcome))
    finally:
        port.close()
    (folder / "map.xodr").write_text(network.text, encoding="utf-8")
    write_tracks(folder / "trajectories.csv", tracks)
    _write_events(folder / "events.csv", execution)
    return _result(unit, options, scenario, execution, outcome, preview, folder, frames)


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
    rows = [f"{e.time_s:.3f},{e.kind},{e.name},{e.transition},{e.state}" for e in execution.events]
    path.write_text("time,kind,element,transition,to\n" + "\n".join(rows) + "\n", encoding="utf-8")


def _manifest(unit: Unit, options: RunOptions, scenario: Scenario, outcome: Outcome) -> dict[str, Any]:
    return {
        "scenario": Path(unit.scenario).name,
        "parameters": dict(sorted(unit.parameters.items())),
        "all_parameters": {name: p.text for name, p in sorted(scenario.parameters.items())},
        "seed": unit.seed,
        "step_s": options.step_s,
        "rig": options.rig,
        "simulator": "embedded" if options.simulator == "embedded" else "CARLA server",
        "outcome": outcome.as_dict(),
    }


def _result(
    unit: Unit,
    options: RunOptions,
    scenario: Scenario,
    execution: Execution,
    outcome: Outcome,
    preview: Preview,
    folder: Path,
    frames: int,
) -> Result:
    verdict, reasons = outcome.verdict, list(outcome.reasons)
    if verdict == "incomplete":
        verdict = "inconclusive"
        reasons.append(f"the storyboard was still running after {options.max_time_s:g} s")
    collisions = [
        {"time_s": c.time_s, "first": c.first, "second": c.second, "impact_speed_mps": c.impact_speed}
        for c in outcome.collisions
    ]
    moments = (_first(c.time_s for c in outcome.collisions), _when(outcome.min_ttc), _when(outcome.min_distance))
    key_s = next((moment for moment in moments if moment is not None), None)
    distance = outcome.min_distance
    return Result(
        unit=unit,
        verdict=verdict,
        reasons=reasons,
        ego=outcome.ego,
        duration_s=outcome.duration_s,
        frames=frames,
        end="stop trigger" if execution.finished else "time limit",
        collisions=collisions,
        min_ttc_s=_value(outcome.min_ttc),
        min_ttc_time_s=_when(outcome.min_ttc),
        min_distance_m=_value(distance),
        min_distance_time_s=_when(distance),
        min_distance_to=None if distance is None else distance.other,
        pet_s=_value(outcome.pet),
        criteria=[{"name": c.test, "passed": c.passed, "detail": c.reason} for c in outcome.criteria],
        previews=preview.save(folder, key_s),
        entities={name: _size(entry.record) for name, entry in scenario.entities.items()},
        map_file="map.xodr",
    )


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


def main() -> None:
    """Run the job on standard input."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Libraries may print; only reports belong on standard output.
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)

    def report(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")

    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    signal.signal(signal.SIGTERM, _terminate)
    unit, options = Unit(**job["unit"]), RunOptions(**{**job["options"], "targets": tuple(job["options"]["targets"])})
    try:
        run_unit(unit, options, Path(job["directory"]), report)
        report({"done": True})
    except RealityError as error:
        log.error("%s", error)
        report({"error": str(error)})
    except RuntimeError as error:
        # The genuine client reports everything that goes wrong on the wire as RuntimeError.
        log.error("%s", traceback.format_exc())
        report({"error": f"the simulator failed: {error}"})
    answers.flush()
    # The client library joins its threads in destructors that run in no particular order at exit; skip that.
    logging.shutdown()
    os._exit(0)


def _terminate(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _end_with_stdin() -> None:
    while sys.stdin.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()

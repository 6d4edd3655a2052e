"""One session of driving: the simulator's world, the stage, what is shown, what is recorded. Owned by the worker.

Every call of the client is made here, on one thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import carla

from bridge.drive import measure
from bridge.drive import sky as skies
from bridge.drive.keys import Action
from bridge.drive.lights import Lights
from bridge.drive.pedals import Driver, Inputs, gear_name
from bridge.drive.recorder import DatasetRecording, free_name
from bridge.drive.scenario import Course, ScenarioDrive, choose
from bridge.drive.shown import Shown, body_of
from bridge.drive.stage import DEFAULT_VEHICLE, FreeDrive, Stage
from bridge.drive.state import Instruments, Notice, Picture, Shot
from bridge.drive.traffic import Manager
from bridge.drive.views import Body
from foundation.errors import DeadlineError, RealityError
from sensors.readings import Frame
from sensors.rig import Rig

log = logging.getLogger(__name__)

TICK_DEADLINE_S = 20.0
SENSOR_DEADLINE_S = 10.0
FIRST_S, FIRST_TRIES = 2.0, 5
"""How long, and for how many frames, the first reading of a sensor is waited for."""
NOT_IN_A_SCENARIO = {
    Action.WEATHER, Action.WEATHER_BACK, Action.LATER, Action.EARLIER, Action.CARS, Action.NO_CARS, Action.PEOPLE,
    Action.NO_PEOPLE, Action.RESPAWN, Action.NEXT_VEHICLE, Action.PREVIOUS_VEHICLE, Action.AUTOPILOT,
}  # fmt: skip
GROUND = ("static.road", "static.ground", "static.terrain", "static.sidewalk")
"""Wheels and bumpers brush these; that is no accident."""
SAME_HIT_S = 1.0
"""Touches of the same thing within this time are one notice."""


@dataclass(frozen=True)
class Plan:
    """What a session begins with.

    Attributes:
        scenario: a catalogue scenario or a file; None for a free drive.
        step_s: of the simulation.
        size: of the camera's picture in pixels.
        cars, people: spawned at the start.
    """

    rig: Rig
    out: Path
    step_s: float
    size: tuple[int, int]
    scenario: str | None = None
    sample: int = 0
    seed: int = 0
    vehicle: str = DEFAULT_VEHICLE
    spawn: int = 0
    cars: int = 0
    people: int = 0
    view: str = "chase"
    sky: skies.Sky = field(default_factory=skies.Sky)
    rig_name: str = "demo"


class Session:
    """See the module.

    Args:
        client: the genuine client; its world is in synchronous mode.
        simulator: its name, for the instruments.
        plan: what to begin with.
        tell: takes notices for the person; may be called from any thread.
    """

    def __init__(self, client: carla.Client, simulator: str, plan: Plan, tell: Callable[[Notice], None]) -> None:
        self.plan = plan
        self._client, self._simulator, self._tell = client, simulator, tell
        self._world = client.get_world()
        self._map = self._world.get_map()
        self._step_s = plan.step_s
        self.manager = Manager(client, plan.seed)
        self.driver = Driver()
        self.shown = Shown(plan.rig, plan.size)
        self.shown.choose(plan.view)
        self.recording: DatasetRecording | None = None
        self.stage: Stage | None = None
        self.sample = plan.sample
        self._body = Body(0.0, 0.0, 0.0, 0.0)
        self._attached: tuple[object, ...] = ()
        self._watchers: list[carla.Actor] = []
        self._hits: dict[str, float] = {}
        self.lights = Lights()
        self._number = 0
        self._server_ms = 0.0
        self._held_start = False

    # --- beginning and end -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Put the car, and everybody else, into the world."""
        self._begin()
        if isinstance(self.stage, FreeDrive):
            near = self.stage.ego.get_transform().location
            if self.plan.cars:
                self.tell(self.stage.traffic.add_cars(self.plan.cars, near))
            if self.plan.people:
                self.tell(self.stage.traffic.add_people(self.plan.people, near))

    def _begin(self) -> None:
        plan = self.plan
        if plan.scenario is None:
            self.stage = FreeDrive(
                self._client, self._world, self.manager, plan.vehicle, plan.spawn, plan.seed, plan.sky
            )
        else:
            self.stage = ScenarioDrive(self._client, self._world, self._course(), self._step_s)
        self._held_start = plan.scenario is not None
        self.driver.reset()

    def _course(self) -> Course:
        assert self.plan.scenario is not None
        return choose(self.plan.scenario, self.sample, self.plan.seed)

    def close(self) -> None:
        """Take everything out of the world that this session has put there. Never raises: what fails is logged."""
        for what, close in (
            ("the recording", self._stop_recording),
            ("the sensors", self._detach),
            ("the road users", self._leave),
            ("the traffic manager", self.manager.stop),
        ):
            try:
                close()
            except (RealityError, RuntimeError) as error:
                log.warning("%s could not be ended in order: %s", what, error)
                if what == "the recording":
                    self.tell(str(error), "alarm")

    def abandon(self) -> None:
        """Finish what needs no server, which is gone: the recording."""
        self.shown.abandon()
        if self.recording is not None:
            recording, self.recording = self.recording, None
            self.tell(recording.close(self._manifest()), "saved")

    def _leave(self) -> None:
        stage, self.stage = self.stage, None
        if stage is not None:
            stage.close()

    def _detach(self) -> None:
        self._attached = ()
        self.shown.close()
        watchers, self._watchers = self._watchers, []
        for sensor in watchers:
            sensor.stop()  # type: ignore[attr-defined]
            sensor.destroy()

    def tell(self, text: str, level: str = "info") -> None:
        """Tell the person something."""
        if text:
            self._tell(Notice(text, level))

    # --- frames ----------------------------------------------------------------------------------------------

    @property
    def needs_start(self) -> bool:
        """Whether a scenario waits for the person to begin."""
        return self._held_start

    @property
    def over(self) -> bool:
        """Whether nothing goes on any more."""
        return self.stage is not None and self.stage.over

    def frame(self, inputs: Inputs) -> Picture:
        """Do one step and return what is to be seen.

        A server that is very busy may not have heard yet, when it ticks, that somebody listens to a sensor that was
        just mounted. Then another step is done.

        Raises:
            DeadlineError: a sensor sends nothing.
        """
        stage = self.stage
        assert stage is not None, "the session was not started"
        fresh = self._mount(stage)
        for patience in range(FIRST_TRIES if fresh else 1, 0, -1):
            begun = time.perf_counter()
            frame_id, waiting = self._step(stage, inputs)
            try:
                frame, main, inset, labels = self.shown.take(frame_id, SENSOR_DEADLINE_S if patience == 1 else FIRST_S)
            except DeadlineError:
                if patience == 1:
                    raise
                continue
            break
        self._server_ms += 0.2 * (1000.0 * (time.perf_counter() - begun) - self._server_ms)
        self._body = body_of(frame.ego)
        if self.recording is not None and not waiting:
            self._record(frame_id)
        self._number += 1
        instruments = self._instruments(stage, frame, main, labels, waiting)
        return Picture(self._number, main, inset, instruments, stage.verdict)

    def _step(self, stage: Stage, inputs: Inputs) -> tuple[int, bool]:
        """Move everybody, tick, and return the frame and whether a scenario waits for the person to begin."""
        if self._held_start and inputs.any:
            self._held_start = False
        waiting = self._held_start
        controls = self.driver.step(inputs if not waiting else Inputs(), self._body.speed_mps, self._step_s)
        commands: list[object] = []
        if waiting and isinstance(stage, ScenarioDrive):
            stage.hold()
        else:
            commands += stage.before_tick(controls)
        body = replace(self._body, vx=0.0, vy=0.0, vz=0.0) if waiting else self._body
        commands += self.shown.follow(self._world, body, self._step_s)
        if commands:
            self._client.apply_batch_sync(commands, False)
        frame_id = self._world.tick(TICK_DEADLINE_S)
        if waiting and isinstance(stage, ScenarioDrive):
            stage.hold()
        else:
            stage.after_tick()
        return frame_id, waiting

    def _mount(self, stage: Stage) -> bool:
        """Mount the sensors again when what is shown, or the car, has changed; returns whether that was so."""
        shown = self.shown
        wanted = (stage.epoch, stage.ego.id, shown.view.name, shown.sensor, shown.inset, shown.labels, shown.size)
        if wanted == self._attached:
            return False
        if (stage.epoch, stage.ego.id) != self._attached[:2]:
            self._new_car(stage)
        shown.attach(self._world, stage.ego, self._body, self._step_s, self.plan.seed)
        self._attached = wanted
        return True

    def _new_car(self, stage: Stage) -> None:
        self._detach()
        at, box = stage.ego.get_transform(), stage.ego.bounding_box
        if at.location.x == at.location.y == at.location.z == 0.0:
            self._world.tick(TICK_DEADLINE_S)  # an actor is known to the client from the next snapshot on
            at = stage.ego.get_transform()
        self._body = Body(
            at.location.x, at.location.y, at.location.z, at.rotation.yaw,
            center=(box.location.x, box.location.y, box.location.z),
            extent=(box.extent.x, box.extent.y, box.extent.z),
        )  # fmt: skip
        self.shown.jump()
        self.driver.reset()
        physics = stage.ego.get_physics_control()  # type: ignore[attr-defined]
        self.driver.max_gear = max(1, len(physics.forward_gears))
        library = self._world.get_blueprint_library()
        for kind, hear in (("sensor.other.collision", self._hit), ("sensor.other.lane_invasion", self._crossed)):
            sensor = self._world.spawn_actor(library.find(kind), carla.Transform(), attach_to=stage.ego)
            sensor.listen(hear)  # type: ignore[attr-defined]
            self._watchers.append(sensor)
        self._apply_lights(stage)
        if self.recording is not None:
            self._stop_recording()
            self.tell("the recording has ended with its car", "warning")

    def _hit(self, event: Any) -> None:
        """Collision sensor, in a thread of the client's."""
        name = event.other_actor.type_id
        if name.startswith(GROUND):
            return
        impulse = event.normal_impulse
        strength = (impulse.x**2 + impulse.y**2 + impulse.z**2) ** 0.5
        last = self._hits.get(name)
        self._hits[name] = event.timestamp
        if strength > 0.0 and (last is None or event.timestamp - last > SAME_HIT_S):
            self.tell(f"Collision with {pretty_actor(name)}", "alarm")

    def _crossed(self, event: Any) -> None:
        """Lane invasion sensor, in a thread of the client's."""
        kinds = sorted({str(m.type).rsplit(".", maxsplit=1)[-1] for m in event.crossed_lane_markings})
        solid = any("Solid" in kind for kind in kinds)
        words = " and ".join(_words(kind) for kind in kinds) or "unknown"
        self.tell(f"Crossed a {words} line", "warning" if solid else "info")

    def _instruments(self, stage: Stage, frame: Frame, main: Shot, labels: int | None, waiting: bool) -> Instruments:
        ego, controls = frame.ego, self.driver.controls
        threat, gap = measure.threats(ego, frame.objects)
        lane = measure.lane_of(self._map, ego)
        vehicle: Any = stage.ego
        applied = vehicle.get_control()
        free = stage if isinstance(stage, FreeDrive) else None
        autopilot = free is not None and free.autopilot
        if autopilot:
            controls = replace(
                controls, throttle=applied.throttle, brake=applied.brake, steer=applied.steer,
                reverse=applied.reverse, hand_brake=applied.hand_brake,
            )  # fmt: skip
        telemetry = vehicle.get_telemetry_data()
        scenario = stage if isinstance(stage, ScenarioDrive) else None
        limit = float(vehicle.get_speed_limit())
        return Instruments(
            frame=frame.frame,
            time_s=scenario.time_s if scenario else frame.elapsed_s,
            speed_kmh=3.6 * self._body.speed_mps,
            limit_kmh=limit if limit > 0.0 else None,
            gear=gear_name(telemetry.gear),
            rpm=telemetry.engine_rpm,
            controls=controls,
            autopilot=autopilot,
            heading_deg=measure.compass(self._body.yaw_deg),
            ttc_s=None if threat is None else threat.ttc_s,
            ttc_with="" if threat is None else threat.name,
            gap_m=None if gap is None else gap.gap_m,
            lane="off the road" if lane is None else lane.text,
            lane_offset_m=None if lane is None else lane.offset_m,
            lane_width_m=None if lane is None else lane.width_m,
            place=f"x {self._body.x:.1f}  y {self._body.y:.1f}",
            vehicle=pretty_actor(vehicle.type_id),
            map_name=self._map.name.rsplit("/", maxsplit=1)[-1],
            weather=free.sky.name if free else skies.describe(self._world.get_weather()),
            clock=free.sky.clock if free else "",
            lights=self.lights.names,
            cars=free.traffic.cars if free else 0,
            people=free.traffic.people if free else 0,
            server_ms=self._server_ms,
            simulator=self._simulator,
            view=self.shown.title,
            sensor=self.shown.sensor,
            detail=_detail(main),
            labels=labels,
            rec_s=None if self.recording is None else self.recording.seconds,
            rec_frames=0 if self.recording is None else self.recording.frames,
            scenario=stage.title,
            sample=self.sample + 1,
            waiting=waiting,
        )

    # --- recording -------------------------------------------------------------------------------------------

    def toggle_recording(self) -> None:
        """Begin a data set with the rig, or end it."""
        if self.recording is not None:
            self._stop_recording()
            return
        assert self.stage is not None
        directory = free_name(self.plan.out, "drive")
        self.recording = DatasetRecording(self._world, self.stage.ego, self.plan.rig, self.plan.seed, directory)
        self.tell(f"recording with rig {self.plan.rig.name}")

    def _record(self, frame_id: int) -> None:
        assert self.recording is not None
        try:
            self.recording.take(frame_id)
        except RealityError as error:
            self.tell(str(error), "alarm")
            self._stop_recording()

    def _stop_recording(self) -> None:
        if self.recording is None:
            return
        recording, self.recording = self.recording, None
        recording.stop_capture()
        self.tell(recording.close(self._manifest()), "saved")

    def _manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = {
            "driver": "a person, with reality drive",
            "map": self._map.name,
            "step_s": self._step_s,
            "rig": self.plan.rig_name,
            "seed": self.plan.seed,
        }
        if isinstance(self.stage, ScenarioDrive):
            unit = self.stage.course.unit
            content |= {"scenario": Path(unit.scenario).name, "parameters": dict(sorted(unit.parameters.items())),
                        "sample": self.sample, "outcome": self.stage.outcome.as_dict()}  # fmt: skip
        elif isinstance(self.stage, FreeDrive):
            content |= {"weather": {"name": self.stage.sky.name, "clock": self.stage.sky.clock}}
        return content

    # --- the person's keys -----------------------------------------------------------------------------------

    def act(self, action: Action) -> None:
        """Do what a key asks for; RealityError is told to the person by the worker."""
        stage = self.stage
        assert stage is not None
        if isinstance(stage, ScenarioDrive):
            if action in NOT_IN_A_SCENARIO:
                self.tell("not in a scenario: there the storyboard decides, and you drive", "warning")
                return
            if action in (Action.RESTART, Action.NEXT_SAMPLE):
                self._again(action is Action.NEXT_SAMPLE)
                return
        elif action in (Action.RESTART, Action.NEXT_SAMPLE):
            action = Action.RESPAWN
        if not (self._drive_key(action) or self._look_key(action)):
            assert isinstance(stage, FreeDrive)
            self._world_key(action, stage)

    def _again(self, next_sample: bool) -> None:
        """Drive the same sample again, or the next one."""
        if self.recording is not None:
            self._stop_recording()
        self._detach()
        self._leave()
        if next_sample:
            self.sample += 1
        self._begin()
        self._attached = ()
        self._hits.clear()
        self.tell(f"sample {self.sample + 1}" if next_sample else "once more")

    def _drive_key(self, action: Action) -> bool:
        if action is Action.REVERSE:
            self.tell(self.driver.toggle_reverse())
        elif action is Action.MANUAL:
            assert self.stage is not None
            gear: int = self.stage.ego.get_control().gear  # type: ignore[attr-defined]
            self.tell(self.driver.toggle_manual(gear))
        elif action in (Action.GEAR_UP, Action.GEAR_DOWN):
            self.tell(self.driver.shift(1 if action is Action.GEAR_UP else -1))
        elif self.lights.press(action):
            assert self.stage is not None
            self._apply_lights(self.stage)
        elif action is Action.RECORD:
            self.toggle_recording()
        else:
            return False
        return True

    def _apply_lights(self, stage: Stage) -> None:
        if isinstance(stage, ScenarioDrive) and not self.lights.flags:
            return  # the scenario may have lit the ego's lamps
        stage.ego.set_light_state(carla.VehicleLightState(self.lights.flags))  # type: ignore[attr-defined]

    def _look_key(self, action: Action) -> bool:
        shown = self.shown
        if action in (Action.NEXT_VIEW, Action.PREVIOUS_VIEW):
            shown.turn_view(1 if action is Action.NEXT_VIEW else -1)
            self.tell(f"view: {shown.view.title}")
        elif action in (Action.NEXT_SENSOR, Action.PREVIOUS_SENSOR):
            shown.turn_sensor(1 if action is Action.NEXT_SENSOR else -1)
        elif action in (Action.RGB, Action.DEPTH, Action.SEMANTIC, Action.INSTANCE, Action.LIDAR):
            shown.sensor = action.value
        elif action is Action.LABELS:
            shown.labels = not shown.labels
            self.tell("label overlay on" if shown.labels else "label overlay off")
        elif action is Action.INSET:
            shown.turn_inset()
        else:
            return False
        return True

    def _world_key(self, action: Action, stage: FreeDrive) -> None:
        sky, near = stage.sky, stage.ego.get_transform().location
        does: dict[Action, Callable[[], str]] = {
            Action.AUTOPILOT: stage.toggle_autopilot,
            Action.WEATHER: lambda: stage.change_sky(sky.other_weather(1)),
            Action.WEATHER_BACK: lambda: stage.change_sky(sky.other_weather(-1)),
            Action.LATER: lambda: stage.change_sky(sky.later(1.0)),
            Action.EARLIER: lambda: stage.change_sky(sky.later(-1.0)),
            Action.CARS: lambda: stage.traffic.add_cars(10, near),
            Action.NO_CARS: stage.traffic.clear_cars,
            Action.PEOPLE: lambda: stage.traffic.add_people(10, near),
            Action.NO_PEOPLE: stage.traffic.clear_people,
            Action.RESPAWN: stage.respawn,
            Action.NEXT_VEHICLE: lambda: stage.change_vehicle(1),
            Action.PREVIOUS_VEHICLE: lambda: stage.change_vehicle(-1),
        }
        if action in does:
            self.tell(does[action]())

    def resize(self, size: tuple[int, int]) -> None:
        """Show pictures of another size from the next frame on."""
        self.shown.size = size


def _detail(shot: Shot) -> str:
    """Return the size of what is shown: pixels, or points."""
    if shot.image is not None:
        return f"{shot.image.shape[1]}×{shot.image.shape[0]}"
    return "" if shot.points is None else f"{len(shot.points)} points"


def pretty_actor(type_id: str) -> str:
    """Return ``Tesla Model3`` for ``vehicle.tesla.model3``, ``pedestrian`` and the like for others."""
    kind, _, rest = type_id.partition(".")
    if kind == "vehicle":
        return rest.replace(".", " ").replace("_", " ").title()
    if kind == "walker":
        return "a pedestrian"
    return rest.split(".")[-1].replace("_", " ") or kind


def _words(kind: str) -> str:
    """Return ``solid solid`` for ``SolidSolid``."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()

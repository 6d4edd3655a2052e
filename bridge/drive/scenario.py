"""Driving a scenario: the person is the ego, everybody else follows the storyboard, and the criteria judge.

The executor runs as in ``reality run``; only the ego's controller, whichever the file or the storyboard assigns, is
replaced by the person's hands. Sample N with a seed has the parameters of the N-th unit of ``reality run --samples``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import carla
import numpy as np

from bridge import agents
from bridge.drive.pedals import Controls
from bridge.drive.stage import vehicle_control
from bridge.drive.state import Verdict
from bridge.ego_switch import EgoSwitch, replacing
from bridge.plan import plan
from bridge.results import Unit
from foundation.errors import RealityError
from scenarios import opendrive
from scenarios.openscenario import Execution, Scenario, View, load
from scenarios.openscenario.carla_port import CarlaPort
from scenarios.openscenario.control import activate, assign
from scenarios.openscenario.controllers import Answer, VehicleDrive
from scenarios.openscenario.entities import ControllerRecord
from scenarios.openscenario.outcomes import Extreme, Outcome
from scenarios.openscenario.world import Entity

HUMAN = "human"
TICK_DEADLINE_S = 20.0
MAX_TIME_S = 120.0
"""A scenario that has not ended by then is over without a verdict."""


@dataclass
class Hands:
    """What the person does now; shared by the session, which sets it, and the controller, which hands it on."""

    controls: Controls = field(default_factory=Controls)


@dataclass
class HumanController:
    """The person as a controller of the ego: takes no orders of the storyboard."""

    hands: Hands
    physical: bool = field(default=True, init=False)

    def start(self, entity: Entity, properties: Mapping[str, str], rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def step(self, view: View, dt_s: float) -> Answer:
        """Return the person's pedals; OpenSCENARIO's frame steers positive to the left."""
        c = self.hands.controls
        return VehicleDrive(c.throttle, -c.steer, c.brake, c.hand_brake, c.reverse)

    def request(self, action: object, view: View) -> bool:
        """Refuse: the log and the outcome show that the ego did not do it."""
        return False

    def stop(self) -> None:
        """Nothing to clean up."""


@dataclass(frozen=True)
class Course:
    """A concrete scenario to drive.

    Attributes:
        unit: scenario file, parameters and seed.
        scenario: loaded; names a road network and an ego.
    """

    unit: Unit
    scenario: Scenario
    network: opendrive.RoadNetwork


def choose(target: str, sample: int, seed: int) -> Course:
    """Return the concrete scenario of a target.

    Args:
        target: a catalogue scenario, a scenario file, or a parameter value distribution.
        sample: from 0; which draw of the distribution.
        seed: of the draws.

    Raises:
        RealityError: the file cannot be used, or has no road network or no ego.
    """
    if Path(target).is_dir() or target == "catalogue":
        raise RealityError(f"{target}: one drives one scenario at a time; name it")
    unit = plan([target], samples=sample + 1, seed=seed)[-1]
    scenario = load(unit.scenario, unit.parameters)
    if scenario.network is None:
        raise RealityError(f"{unit.scenario}: names no road network, so there is nothing to drive on")
    if not scenario.ego or scenario.ego not in scenario.entities:
        raise RealityError(f"{unit.scenario}: no vehicle to drive; one entity must be called Ego")
    return Course(unit, scenario, scenario.network)


class ScenarioDrive:
    """A run of a scenario with the person as its ego.

    Args:
        client, world: the genuine client, in synchronous mode with steps of ``step_s``; the map is loaded.
        course: what to drive.
    """

    def __init__(self, client: carla.Client, world: carla.World, course: Course, step_s: float) -> None:
        self.course = course
        self._world, self._step_s = world, step_s
        self._hands = Hands()
        self._port = CarlaPort(client, world, course.network, seed=course.unit.seed)
        self._outcome: Outcome | None = None
        self.epoch = 1
        try:
            self._execution = self._start()
        except BaseException:
            self._port.close()
            raise
        ego = self._port.actor(course.scenario.ego)
        if ego is None:
            self.close()
            raise RealityError(f"{course.unit.scenario}: {course.scenario.ego} has no place in Init")
        self.ego: carla.Actor = ego

    def _start(self) -> Execution:
        course = self.course
        originals = agents.controllers(agents.Eyes.of_world(self._world))
        switches = replacing(originals, course.scenario.ego, lambda: HumanController(self._hands))
        switches[HUMAN] = lambda: HumanController(self._hands)
        execution = Execution(course.scenario, course.network, self._port, self._step_s, course.unit.seed, switches)
        execution.start()
        self._take_wheel(execution)
        self._start_motions = execution.motions
        # A body that is placed, and gets its first speed, within a frame has been accelerated enormously as far as
        # any sensor can tell: two frames pass, and everybody begins again from where the scenario puts them.
        for _ in range(2):
            self._world.tick(TICK_DEADLINE_S)
            self.hold(execution)
        return execution

    def hold(self, execution: Execution | None = None) -> None:
        """Put everybody to where, and how fast, the scenario starts."""
        execution = execution or self._execution
        records = {name: entity.record for name, entity in execution.world.entities.items()}
        self._port.hold(self._start_motions, records)

    def _take_wheel(self, execution: Execution) -> None:
        """See to it that the ego is the person's, whatever the storyboard has switched."""
        world = execution.world
        ego = world.entities[self.course.scenario.ego]
        if not ego.present:
            return
        binding = ego.binding
        driver = None if binding is None else binding.controller
        human = isinstance(driver, HumanController) or (isinstance(driver, EgoSwitch) and driver.is_ego)
        if not human:
            assign(world, ego, ControllerRecord(HUMAN, {}))
        if ego.binding is not None and not (ego.binding.longitudinal and ego.binding.lateral):
            activate(world, ego, True, True)

    # --- ticks

    def before_tick(self, controls: Controls) -> list[object]:
        """Move the others, and return the ego's full control: the storyboard's pedals know no gears."""
        self._hands.controls = controls
        self._execution.before_tick()
        return [carla.command.ApplyVehicleControl(self.ego, vehicle_control(controls))]  # type: ignore[arg-type]

    def after_tick(self) -> None:
        """Let the storyboard go on."""
        self._execution.after_tick()
        self._take_wheel(self._execution)
        if self._outcome is None and (self._execution.finished or self.time_s >= MAX_TIME_S - 1e-9):
            self._outcome = self._execution.outcome

    @property
    def time_s(self) -> float:
        """Seconds since the scenario began."""
        return self._execution.time_s

    @property
    def over(self) -> bool:
        """Whether the storyboard is complete, or the time is up."""
        return self._outcome is not None

    @property
    def verdict(self) -> Verdict | None:
        """How it ended; None while it runs."""
        return None if self._outcome is None else verdict_of(self._outcome, self.title)

    @property
    def outcome(self) -> Outcome:
        """What happened so far, for the manifest of a recording."""
        return self._outcome or self._execution.outcome

    @property
    def title(self) -> str:
        """What a person calls the scenario, without the number of the sample."""
        return self.course.unit.title.partition(", sample")[0]

    def close(self) -> None:
        """End the controllers and take everybody out of the world."""
        if hasattr(self, "_execution"):
            self._execution.close()
        self._port.close()


def verdict_of(outcome: Outcome, title: str) -> Verdict:
    """Return an outcome as it is shown to the person."""
    figures = [("Duration", f"{outcome.duration_s:.1f} s")]
    for name, extreme, unit in (
        ("Smallest TTC", outcome.min_ttc, "s"),
        ("Smallest distance", outcome.min_distance, "m"),
        ("Post-encroachment time", outcome.pet, "s"),
        ("Hardest braking needed", outcome.max_drac, "m/s²"),
    ):
        if extreme is not None:
            figures.append((name, _figure(extreme, unit)))
    reasons = []
    if outcome.verdict == "incomplete":
        reasons.append(f"the storyboard was still running after {MAX_TIME_S:g} s")
    for collision in outcome.collisions:
        if outcome.ego in (collision.first, collision.second):
            other = collision.second if collision.first == outcome.ego else collision.first
            reasons.append(
                f"You touched {other} at {collision.time_s:.1f} s, {3.6 * collision.impact_speed:.0f} km/h fast."
            )
    criteria = tuple(
        (c.passed, f"{_spaced(c.test)}: {c.reason}" + ("" if c.passed else f"; demanded: {c.demand}"))
        for c in outcome.criteria
    )
    return Verdict(outcome.verdict, title, tuple(reasons), criteria, tuple(figures))


def _figure(extreme: Extreme, unit: str) -> str:
    value = f"{extreme.value:.2f} {unit}" if math.isfinite(extreme.value) else "none"
    return f"{value}  ({extreme.other}, at {extreme.time_s:.1f} s)"


def _spaced(name: str) -> str:
    """Return ``Minimum time to collision`` for ``MinimumTimeToCollisionTest``."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name.removesuffix("Test"))
    return words.strip().capitalize()

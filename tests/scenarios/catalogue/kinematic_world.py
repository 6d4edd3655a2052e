"""A world without a simulator for the catalogue's tests: flat ground, a bicycle model, walkers that obey.

It is a :class:`WorldPort`, so the scenarios run through the real executor with the real agents; what is left out is
what a simulator adds: tyres, gears, contacts. Collisions are the executor's own, from the boxes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from bridge.agents import Eyes, controllers
from scenarios.openscenario import Execution, Motion, Outcome, VehicleDrive, Walk, load
from scenarios.openscenario.controllers import Autopilot
from scenarios.openscenario.entities import EntityRecord
from scenarios.openscenario.environment import Environment

QUICK = frozenset(
    {
        "cpna", "cpta_left", "cbla", "ccrs", "ccftap", "alks_cut_in", "roundabout_entry", "zebra_island",
        "cpfa_low_sun", "adult_jaywalks_night", "child_runs_out", "motorway_cut_in_rain",
    }
)  # fmt: skip
"""One scenario of each kind and map; the others are looked at by the slow tests."""


def diverse(names: Iterable[str]) -> list[ParameterSet]:
    """Return test parameters: all names, those that are not in :data:`QUICK` marked slow."""
    return [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in names]


FULL_THROTTLE_MPS2, FULL_BRAKE_MPS2, MAX_STEER = 4.0, 8.5, math.radians(70.0)


class KinematicWorld:
    """Moves what controllers drive; remembers the rest."""

    def __init__(self) -> None:
        self.records: dict[str, EntityRecord] = {}
        self.motions: dict[str, Motion] = {}
        self.wishes: Mapping[str, VehicleDrive | Walk | Autopilot] = {}
        self.driven: set[str] = set()
        self.environment = Environment()

    def spawn(self, name: str, record: EntityRecord, motion: Motion) -> None:
        self.records[name], self.motions[name] = record, motion

    def remove(self, name: str) -> None:
        del self.motions[name]

    def move(self, motions: Mapping[str, Motion], records: Mapping[str, EntityRecord]) -> None:
        self.motions.update(motions)

    def set_driven(self, name: str, driven: bool, motion: Motion) -> None:
        self.motions[name] = motion
        (self.driven.add if driven else self.driven.discard)(name)

    def drive(self, wishes: Mapping[str, VehicleDrive | Walk | Autopilot]) -> None:
        self.wishes = wishes

    def tick(self, dt_s: float) -> None:
        for name in sorted(self.driven):
            wish = self.wishes.get(name)
            if isinstance(wish, VehicleDrive):
                self.motions[name] = self._driven(name, wish, dt_s)
            elif isinstance(wish, Walk):
                self.motions[name] = self._walked(name, wish, dt_s)

    def observe(self, names: list[str]) -> Mapping[str, Motion]:
        return {name: self.motions[name] for name in names}

    def contacts(self) -> frozenset[frozenset[str]]:
        return frozenset()

    def set_environment(self, environment: Environment) -> None:
        self.environment = self.environment.updated(environment)

    def set_lights(self, name: str, lights: Mapping[str, str]) -> None:
        raise AssertionError("the catalogue sets no lights")

    def set_door(self, name: str, door: str, is_open: bool) -> None:
        """Nobody looks; what the door makes others do is in the scenario."""

    def set_visibility(self, name: str, graphics: bool, traffic: bool, sensors: bool) -> None:
        raise AssertionError("the catalogue hides nobody")

    def set_signals(self, states: Mapping[str, str]) -> None:
        raise AssertionError("the catalogue sets no signals")

    def signal_state(self, name: str) -> str | None:
        return None

    def _driven(self, name: str, wish: VehicleDrive, dt_s: float) -> Motion:
        old, record = self.motions[name], self.records[name]
        wheelbase = record.front_axle.x  # type: ignore[union-attr]
        friction = self.environment.friction or 1.0
        acceleration = FULL_THROTTLE_MPS2 * wish.throttle - FULL_BRAKE_MPS2 * friction * wish.brake
        speed = max(0.0, old.speed + acceleration * dt_s)
        heading = old.pose.heading + speed * math.tan(wish.steer * MAX_STEER) / wheelbase * dt_s
        vx, vy = speed * math.cos(heading), speed * math.sin(heading)
        pose = replace(old.pose, x=old.pose.x + vx * dt_s, y=old.pose.y + vy * dt_s, heading=heading)
        return Motion(pose, speed, (vx, vy, 0.0))

    def _walked(self, name: str, wish: Walk, dt_s: float) -> Motion:
        old = self.motions[name]
        vx, vy = wish.direction[0] * wish.speed, wish.direction[1] * wish.speed
        heading = math.atan2(vy, vx) if wish.speed > 0.0 else old.pose.heading
        pose = replace(old.pose, x=old.pose.x + vx * dt_s, y=old.pose.y + vy * dt_s, heading=heading)
        return Motion(pose, wish.speed, (vx, vy, 0.0))


def run(
    path: Path, parameters: Mapping[str, str] | None = None, seed: int = 0, dt_s: float = 0.05
) -> tuple[Outcome, Execution]:
    """Run a scenario to its end (30 s at most) and return what happened."""
    scenario = load(path, parameters or {})
    execution = Execution(scenario, None, KinematicWorld(), dt_s, seed, controllers(Eyes()))
    execution.start()
    while not execution.finished and execution.time_s < 30.0:
        execution.step()
    execution.close()
    return execution.outcome, execution

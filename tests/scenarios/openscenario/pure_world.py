"""A world without a simulator: entities are exactly where the scenario puts them. A helper of tests."""

from __future__ import annotations

import math
from collections.abc import Mapping

from scenarios.openscenario import Autopilot, Motion, Pose, VehicleDrive, Walk
from scenarios.openscenario.entities import EntityRecord
from scenarios.openscenario.environment import Environment


class PurePort:
    """Remembers what it is told; walkers that are driven go exactly as their controllers wish."""

    def __init__(self) -> None:
        self.motions: dict[str, Motion] = {}
        self.records: dict[str, EntityRecord] = {}
        self.driven: set[str] = set()
        self.removed: list[str] = []
        self.environments: list[Environment] = []
        self.lights: dict[str, Mapping[str, str]] = {}
        self.doors: dict[tuple[str, str], bool] = {}
        self.visibility: dict[str, tuple[bool, bool, bool]] = {}
        self.signals: dict[str, str] = {}
        self.wishes: Mapping[str, VehicleDrive | Walk | Autopilot] = {}
        self.touching: frozenset[frozenset[str]] = frozenset()
        self.ticks = 0

    def spawn(self, name: str, record: EntityRecord, motion: Motion) -> None:
        assert name not in self.motions, f"{name} spawned twice"
        self.motions[name], self.records[name] = motion, record

    def remove(self, name: str) -> None:
        del self.motions[name]
        self.removed.append(name)

    def move(self, motions: Mapping[str, Motion], records: Mapping[str, EntityRecord]) -> None:
        assert set(motions) <= set(self.motions)
        self.motions.update(motions)

    def set_driven(self, name: str, driven: bool, motion: Motion) -> None:
        (self.driven.add if driven else self.driven.discard)(name)
        self.motions[name] = motion

    def drive(self, wishes: Mapping[str, VehicleDrive | Walk | Autopilot]) -> None:
        assert set(wishes) <= self.driven
        self.wishes = wishes

    def tick(self, dt_s: float) -> None:
        self.ticks += 1
        for name, wish in self.wishes.items():
            if isinstance(wish, Walk):
                pose, (dx, dy, _) = self.motions[name].pose, wish.direction
                velocity = (dx * wish.speed, dy * wish.speed, 0.0)
                moved = Pose(pose.x + velocity[0] * dt_s, pose.y + velocity[1] * dt_s, pose.z, math.atan2(dy, dx))
                self.motions[name] = Motion(moved, wish.speed, velocity)

    def observe(self, names: list[str]) -> Mapping[str, Motion]:
        return {name: self.motions[name] for name in names}

    def contacts(self) -> frozenset[frozenset[str]]:
        return self.touching

    def set_environment(self, environment: Environment) -> None:
        self.environments.append(environment)

    def set_lights(self, name: str, lights: Mapping[str, str]) -> None:
        self.lights[name] = lights

    def set_door(self, name: str, door: str, is_open: bool) -> None:
        self.doors[name, door] = is_open

    def set_visibility(self, name: str, graphics: bool, traffic: bool, sensors: bool) -> None:
        self.visibility[name] = (graphics, traffic, sensors)

    def set_signals(self, states: Mapping[str, str]) -> None:
        self.signals.update(states)

    def signal_state(self, name: str) -> str | None:
        return self.signals.get(name)

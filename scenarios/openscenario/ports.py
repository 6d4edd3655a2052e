"""What the executor asks of a world: the only door between a scenario and a simulator.

A step of the executor is: move kinematic entities to the end of the step, give controllers' wishes to physics, let the
world make one step (``tick``), read back what physics moved, then evaluate triggers on states of one and the same
instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from scenarios.openscenario.controllers import Autopilot, VehicleDrive, Walk
from scenarios.openscenario.entities import EntityRecord
from scenarios.openscenario.environment import Environment
from scenarios.openscenario.states import Motion


class WorldPort(Protocol):
    """A world to run a scenario in. Poses are of the standard's reference point, in ASAM's frame."""

    def spawn(self, name: str, record: EntityRecord, motion: Motion) -> None:
        """Bring an entity in. It is kinematic until :meth:`set_driven` says otherwise."""
        ...

    def remove(self, name: str) -> None:
        """Take an entity out."""
        ...

    def move(self, motions: Mapping[str, Motion], records: Mapping[str, EntityRecord]) -> None:
        """Put kinematic entities where they are at the end of this step, with their velocities."""
        ...

    def set_driven(self, name: str, driven: bool, motion: Motion) -> None:
        """Give an entity to physics, starting from ``motion``, or take it back."""
        ...

    def drive(self, wishes: Mapping[str, VehicleDrive | Walk | Autopilot]) -> None:
        """Hand what controllers want to the bodies that physics moves."""
        ...

    def tick(self, dt_s: float) -> None:
        """Make one step of the world. Ports whose world is stepped by someone else do nothing."""
        ...

    def observe(self, names: list[str]) -> Mapping[str, Motion]:
        """Return the state of physics-driven entities after the step."""
        ...

    def contacts(self) -> frozenset[frozenset[str]]:
        """Return the pairs of entities that the simulator saw touch during the step."""
        ...

    def set_environment(self, environment: Environment) -> None:
        """Set weather, light and road condition."""
        ...

    def set_lights(self, name: str, lights: Mapping[str, str]) -> None:
        """Set lights of a vehicle: light type -> on, off, flashing."""
        ...

    def set_door(self, name: str, door: str, is_open: bool) -> None:
        """Open or shut a door of a vehicle, named as in the standard: doorFrontLeft and so on."""
        ...

    def set_visibility(self, name: str, graphics: bool, traffic: bool, sensors: bool) -> None:
        """Show or hide an entity."""
        ...

    def set_signals(self, states: Mapping[str, str]) -> None:
        """Set traffic signals: OpenDRIVE signal id -> state as written in the scenario."""
        ...

    def signal_state(self, name: str) -> str | None:
        """Return the colour a signal shows, None when there is no such signal."""
        ...

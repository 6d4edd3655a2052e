"""A world without a simulator: entities are exactly where the scenario puts them, nothing is drawn and nothing sensed.

The executor alone runs on this port (``reality scenario trace``). There is no physics, so controllers that drive
through it cannot run here; :func:`kinematic_controllers` leaves them out, and default motion takes their entities.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from scenarios.openscenario.controllers import (
    CONTROLLERS,
    Answer,
    Autopilot,
    ControllerFactory,
    Speed,
    VehicleDrive,
    View,
    Walk,
)
from scenarios.openscenario.entities import EntityRecord
from scenarios.openscenario.environment import Environment
from scenarios.openscenario.errors import OpenScenarioError
from scenarios.openscenario.states import Motion

if TYPE_CHECKING:
    from scenarios.openscenario.world import Entity

KEYBOARDS = ("interactiveDriver", "InteractiveController")
"""Names under which scenario files ask for a person at the keyboard."""


class HandsOff:
    """A person at the keyboard who touches nothing: the vehicle stands."""

    physical = False

    def start(self, entity: Entity, properties: Mapping[str, str], rng: np.random.Generator) -> None:
        """See :class:`Controller`."""

    def step(self, view: View, dt_s: float) -> Answer:
        """See :class:`Controller`."""
        return Speed(0.0)

    def request(self, action: object, view: View) -> bool:
        """See :class:`Controller`: nobody is told anything."""
        return False

    def stop(self) -> None:
        """See :class:`Controller`."""


def kinematic_controllers() -> dict[str, ControllerFactory]:
    """Return the registered controllers that need no physics, and the keyboard that nobody touches here."""
    found = {name: factory for name, factory in CONTROLLERS.items() if not factory().physical}
    return {**dict.fromkeys(KEYBOARDS, HandsOff), **found}


class BarePort:
    """Keeps what it is told; whatever is a matter of pictures or physics has nowhere to go."""

    def __init__(self) -> None:
        self.motions: dict[str, Motion] = {}
        self.signals: dict[str, str] = {}

    def spawn(self, name: str, record: EntityRecord, motion: Motion) -> None:
        """See :class:`WorldPort`."""
        self.motions[name] = motion

    def remove(self, name: str) -> None:
        """See :class:`WorldPort`."""
        del self.motions[name]

    def move(self, motions: Mapping[str, Motion], records: Mapping[str, EntityRecord]) -> None:
        """See :class:`WorldPort`."""
        self.motions.update(motions)

    def set_driven(self, name: str, driven: bool, motion: Motion) -> None:
        """See :class:`WorldPort`; nothing can be driven here."""
        if driven:
            raise OpenScenarioError(f"{name} is driven through physics, and there is none", remedy="run in a simulator")

    def drive(self, wishes: Mapping[str, VehicleDrive | Walk | Autopilot]) -> None:
        """See :class:`WorldPort`; nothing can be driven here."""
        if wishes:
            names = ", ".join(sorted(wishes))
            raise OpenScenarioError(f"{names}: driven through physics, and there is none", remedy="run in a simulator")

    def tick(self, dt_s: float) -> None:
        """See :class:`WorldPort`; time is the executor's."""

    def observe(self, names: list[str]) -> Mapping[str, Motion]:
        """See :class:`WorldPort`."""
        return {name: self.motions[name] for name in names}

    def contacts(self) -> frozenset[frozenset[str]]:
        """See :class:`WorldPort`; boxes that overlap are seen by the executor itself."""
        return frozenset()

    def set_environment(self, environment: Environment) -> None:
        """See :class:`WorldPort`; nobody looks."""

    def set_lights(self, name: str, lights: Mapping[str, str]) -> None:
        """See :class:`WorldPort`; nobody looks."""

    def set_door(self, name: str, door: str, is_open: bool) -> None:
        """See :class:`WorldPort`; nobody looks."""

    def set_visibility(self, name: str, graphics: bool, traffic: bool, sensors: bool) -> None:
        """See :class:`WorldPort`; nobody looks."""

    def set_signals(self, states: Mapping[str, str]) -> None:
        """See :class:`WorldPort`."""
        self.signals.update(states)

    def signal_state(self, name: str) -> str | None:
        """See :class:`WorldPort`."""
        return self.signals.get(name)

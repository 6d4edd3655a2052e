"""A world without a simulator: entities are exactly where the scenario puts them, nothing is drawn and nothing sensed.

The executor alone runs on this port (``reality scenario trace``). There is no physics, so controllers that drive
through it cannot run here; :func:`kinematic_controllers` leaves them out, and default motion takes their entities.
"""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.openscenario.controllers import CONTROLLERS, Autopilot, ControllerFactory, VehicleDrive, Walk
from scenarios.openscenario.entities import EntityRecord
from scenarios.openscenario.environment import Environment
from scenarios.openscenario.errors import OpenScenarioError
from scenarios.openscenario.states import Motion


def kinematic_controllers() -> dict[str, ControllerFactory]:
    """Return the registered controllers that need no physics."""
    return {name: factory for name, factory in CONTROLLERS.items() if not factory().physical}


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

    def set_visibility(self, name: str, graphics: bool, traffic: bool, sensors: bool) -> None:
        """See :class:`WorldPort`; nobody looks."""

    def set_signals(self, states: Mapping[str, str]) -> None:
        """See :class:`WorldPort`."""
        self.signals.update(states)

    def signal_state(self, name: str) -> str | None:
        """See :class:`WorldPort`."""
        return self.signals.get(name)

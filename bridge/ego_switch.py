"""Somebody else in the ego's seat: a person (:mod:`bridge.drive`) or a plug-in (:mod:`bridge.egos`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from scenarios.openscenario import View
from scenarios.openscenario.controllers import Answer, Controller, ControllerFactory
from scenarios.openscenario.world import Entity

Factories = dict[str, ControllerFactory]


@dataclass
class EgoSwitch:
    """A controller that turns out to be another one when it is given to the ego, and the original for all others.

    Attributes:
        original: of the scenario.
        ego: the ego's name.
        driver: makes the ego's controller.
    """

    original: ControllerFactory
    ego: str
    driver: ControllerFactory
    _active: Controller | None = field(default=None, init=False)
    is_ego: bool = field(default=False, init=False)

    @property
    def physical(self) -> bool:
        """As the one behind it."""
        return self._active is not None and self._active.physical

    def start(self, entity: Entity, properties: Mapping[str, str], rng: np.random.Generator) -> None:
        """Choose who drives."""
        self.is_ego = entity.name == self.ego
        self._active = self.driver() if self.is_ego else self.original()
        self._active.start(entity, properties, rng)

    def step(self, view: View, dt_s: float) -> Answer:
        """Ask the one behind it."""
        assert self._active is not None, "the controller was not started"
        return self._active.step(view, dt_s)

    def request(self, action: object, view: View) -> bool:
        """Ask the one behind it."""
        return self._active is not None and self._active.request(action, view)

    def stop(self) -> None:
        """End the one behind it."""
        if self._active is not None:
            self._active.stop()


def replacing(originals: Mapping[str, ControllerFactory], ego: str, driver: ControllerFactory) -> Factories:
    """Return the controllers with ``driver`` in the place of each that is given to the ego."""
    # `physical` is only read; the protocol's plain attribute could be written, which a property is not.
    return {name: partial(EgoSwitch, factory, ego, driver) for name, factory in originals.items()}  # type: ignore[misc]

"""Friction triggers: boxes in which tyres have another grip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from engine.geometry import Box
from engine.state import Kind
from engine.world.regions import Regions

if TYPE_CHECKING:
    from engine.world.world import World


class Frictions:
    """All ``static.trigger.friction`` actors. A vehicle gets its own grip back when it leaves."""

    def __init__(self) -> None:
        self._boxes: dict[int, tuple[Box, float]] = {}
        self._regions = Regions([])
        self._inside: dict[int, tuple[float, ...]] = {}

    @property
    def active(self) -> bool:
        """Whether there is a trigger, or a vehicle that has to get its own grip back."""
        return bool(self._boxes or self._inside)

    def add(
        self,
        actor_id: int,
        location: npt.NDArray[np.float64],
        rotation: npt.NDArray[np.float64],
        extent: tuple[float, float, float],
        friction: float,
    ) -> None:
        """Place a trigger; metres and degrees."""
        box = Box(tuple(location.tolist()), extent, tuple(rotation.tolist()))
        self._boxes[actor_id] = (box, friction)
        self._rebuild()

    def remove(self, actor_id: int) -> None:
        """Take a trigger away; nothing happens for other actors. Vehicles forget a grip they had of a trigger."""
        self._inside.pop(actor_id, None)
        if self._boxes.pop(actor_id, None) is not None:
            self._rebuild()

    def _rebuild(self) -> None:
        self._regions = Regions([(actor_id, box) for actor_id, (box, _) in self._boxes.items()])

    def update(self, world: World, centers: npt.NDArray, extents: npt.NDArray, yaw_deg: npt.NDArray) -> None:
        """Change the grip of vehicles that entered or left a trigger.

        Args:
            centers, extents, yaw_deg: the vehicles' boxes in row order, as :meth:`Regions.overlaps` takes them.
        """
        rows = world.table.rows
        ids = rows["id"][rows["kind"] == Kind.VEHICLE]
        vehicle, region = self._regions.overlaps(centers, extents, yaw_deg)
        now = {int(ids[v]): self._boxes[int(owner)][1] for v, owner in zip(vehicle, self._regions.owner[region])}
        for actor_id in sorted(self._inside.keys() - now.keys()):
            _set_friction(world, actor_id, self._inside.pop(actor_id))
        for actor_id in sorted(now.keys() - self._inside.keys()):
            wheels = world.physics.physics_control(actor_id).wheels
            self._inside[actor_id] = tuple(wheel.tire_friction for wheel in wheels)
            _set_friction(world, actor_id, (now[actor_id],) * len(wheels))


def _set_friction(world: World, actor_id: int, frictions: tuple[float, ...]) -> None:
    if actor_id not in world.actors:
        return
    control = world.physics.physics_control(actor_id)
    wheels = tuple(
        msgspec.structs.replace(wheel, tire_friction=friction) for wheel, friction in zip(control.wheels, frictions)
    )
    world.physics.set_physics_control(actor_id, msgspec.structs.replace(control, wheels=wheels))

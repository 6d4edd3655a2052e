"""What an ego plug-in gets to see. CARLA's frame: x forward, y right, z up, degrees, metres, m/s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import carla

from foundation.errors import RealityError
from scenarios.opendrive import RoadNetwork
from sensors.readings import Frame, Reading


class EgoError(RealityError):
    """The plug-in failed: it raised, was too slow, or returned something that is no control."""


@dataclass(frozen=True)
class Actor:
    """One road user or thing as it is now.

    Attributes:
        name: the scenario's name of it.
        kind: "vehicle", "cyclist", "pedestrian" or "object".
        x, y, z: the middle of its box, m.
        yaw_deg: positive to the right.
        velocity: of its middle, in the world, m/s.
        speed_mps: along its way; negative when it drives backwards.
        acceleration: in the world, m/s^2. yaw_rate: rad/s, positive to the right.
        length, width, height: full sizes, m.
        visible: whether it is in line of sight from the ego's windscreen (True for the ego itself).
    """

    name: str
    kind: str
    x: float
    y: float
    z: float
    yaw_deg: float
    velocity: tuple[float, float, float]
    speed_mps: float
    length: float
    width: float
    height: float
    visible: bool = True
    acceleration: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw_rate: float = 0.0


@dataclass(frozen=True)
class EgoContext:
    """What stays the same through a unit.

    Attributes:
        world, vehicle: of the genuine client, for programs that ask CARLA themselves. They must not tick.
        network: the road network (ASAM's frame, radians; see :mod:`foundation.frames`).
        step_s: simulated seconds between two calls of ``run_step``.
        seed: the unit's: draw everything random from it.
        parameters: the scenario's, as text.
    """

    world: carla.World
    vehicle: carla.Actor
    network: RoadNetwork
    step_s: float
    seed: int
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Observation:
    """One moment.

    Attributes:
        time_s: since the scenario began.
        ego: itself.
        others: everybody else in the world, in the scenario's order.
        path: the middle of the lane ahead, (x, y) about a metre apart, from just behind the ego on, as straight as the
            road lets.
        speed_limit_mps: where the ego is; None where the map gives none.
        frame: everything the rig's sensors gave at the end of the last step, with ground truth; None before the first
            and without a rig.
    """

    time_s: float
    ego: Actor
    others: tuple[Actor, ...]
    path: tuple[tuple[float, float], ...]
    speed_limit_mps: float | None
    frame: Frame | None

    @property
    def readings(self) -> Mapping[str, Reading]:
        """The sensors' readings of ``frame`` by the rig's names; empty without one."""
        return {} if self.frame is None else self.frame.readings


class EgoAgent(Protocol):
    """The one method a plug-in needs; ``setup(context)`` and ``close()`` are called if they are there."""

    def run_step(self, seen: Observation) -> carla.VehicleControl:
        """Return what to do during the next step."""
        ...

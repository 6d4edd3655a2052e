"""Three ego plug-ins to use and to copy from: constant speed, emergency brake by time to collision, lane keeper."""

from __future__ import annotations

import carla

from behavior import (
    AebDriver,
    AebSettings,
    DriverIntention,
    DriverPercept,
    IdmDriver,
    IdmSettings,
    Kind,
    Seen,
    VehicleShape,
)
from bridge.egos.api import EgoContext, Observation

KINDS = {"vehicle": Kind.VEHICLE, "cyclist": Kind.CYCLIST, "pedestrian": Kind.PEDESTRIAN}
WHEELBASE_SHARE = 0.6
TOWN_MPS = 13.9


class _Driver:
    """What the three share: they hold a speed in their lane and see what is in line of sight."""

    _made: IdmDriver | None = None
    _step_s = 0.05

    def __init__(self, speed_kmh: str | float | None = None) -> None:
        self._wished_mps = None if speed_kmh is None else float(speed_kmh) / 3.6

    def setup(self, context: EgoContext) -> None:
        """Remember the length of a step."""
        self._step_s = context.step_s

    def run_step(self, seen: Observation) -> carla.VehicleControl:
        """Return the pedals and the steering."""
        ego = seen.ego
        if self._made is None:
            shape = VehicleShape(ego.length, ego.width, WHEELBASE_SHARE * ego.length)
            self._made = self._make(self._wish(seen), shape)
        things = tuple(
            Seen(
                index + 1, KINDS.get(o.kind, Kind.OBSTACLE), o.x, o.y, o.z, o.velocity[0], o.velocity[1], o.yaw_deg,
                o.length, o.width, o.height,
            )
            for index, o in enumerate(seen.others)
            if o.visible
        )  # fmt: skip
        percept = DriverPercept(seen.time_s, ego.x, ego.y, ego.yaw_deg, ego.speed_mps, seen.path, self._minded(things))
        return _control(self._made.step(percept, self._step_s))

    def _wish(self, seen: Observation) -> float:
        """The speed asked for, else the one the scenario begins with, else the limit, else that of a town."""
        if self._wished_mps is not None:
            return self._wished_mps
        return seen.ego.speed_mps if seen.ego.speed_mps > 1.0 else seen.speed_limit_mps or TOWN_MPS

    def _minded(self, things: tuple[Seen, ...]) -> tuple[Seen, ...]:
        return things

    def _make(self, wished_mps: float, shape: VehicleShape) -> IdmDriver:
        return IdmDriver(IdmSettings(desired_mps=wished_mps), shape)


class ConstantSpeed(_Driver):
    """``constant``: holds its speed in its lane and minds nobody. Option: ``speed_kmh``."""

    def _minded(self, things: tuple[Seen, ...]) -> tuple[Seen, ...]:
        return ()


class LaneKeeper(_Driver):
    """``lane_keeper``: keeps its lane and follows the vehicle ahead by the intelligent driver model.

    It has no emergency brake and no eye for pedestrians. Option: ``speed_kmh``.
    """


class AebByTtc(_Driver):
    """``aeb``: the lane keeper with an emergency brake for anything it sees with a small time to collision.

    Options: ``speed_kmh``; ``brake_ttc_s`` and ``latency_s``, see :class:`behavior.AebSettings`.
    """

    def __init__(
        self,
        speed_kmh: str | float | None = None,
        brake_ttc_s: str | float = AebSettings.brake_ttc_s,
        latency_s: str | float = AebSettings.latency_s,
    ) -> None:
        super().__init__(speed_kmh)
        self._aeb = AebSettings(brake_ttc_s=float(brake_ttc_s), latency_s=float(latency_s))

    def _make(self, wished_mps: float, shape: VehicleShape) -> IdmDriver:
        return AebDriver(IdmSettings(desired_mps=wished_mps), self._aeb, shape)


def _control(wish: DriverIntention) -> carla.VehicleControl:
    return carla.VehicleControl(throttle=wish.throttle, steer=wish.steer, brake=wish.brake)

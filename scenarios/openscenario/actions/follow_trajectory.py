"""FollowTrajectoryAction."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from scenarios.openscenario.actions.base import BOTH, LATERAL, Activity, private_action
from scenarios.openscenario.curves import steady
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions import Placement
from scenarios.openscenario.states import Pose, wrap
from scenarios.openscenario.trajectories import Polyline, Trajectory

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World


@dataclass(frozen=True, slots=True)
class Timing:
    """How the trajectory's times become simulation time: time = scale * t + offset, absolute or since the start."""

    absolute: bool
    scale: float
    offset: float


@dataclass(frozen=True, slots=True)
class FollowTrajectory:
    """Moves the entity exactly along a trajectory, which it is put on at the start.

    Without timing only the path is given and the speed stays with the longitudinal domain; with timing the
    trajectory's times give both. Following mode ``follow`` wants what the entity's dynamics allow: the path is kept
    exactly, but on a timed polyline the speed does not jump at vertices (constant acceleration between them). The
    entity looks along the path; one that starts with a negative speed goes the same way backwards. When the speed
    changes its sign on the way, it comes back.
    """

    trajectory: Trajectory
    timing: Timing | None
    start_m: float
    mode: str = "position"

    @property
    def domains(self) -> frozenset[str]:
        """Lateral, and longitudinal too when it is timed."""
        return LATERAL if self.timing is None else BOTH

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        smooth = self.mode == "follow" and isinstance(self.trajectory.shape, Polyline)
        follower = _Follow(self, world, entity, smooth)
        world.place(entity, Placement(follower.pose()))
        return follower


class _Follow(Activity):
    leaves_lanes: ClassVar[bool] = True

    def __init__(self, action: FollowTrajectory, world: World, entity: Entity, smooth: bool) -> None:
        super().__init__()
        speed = entity.motion.speed
        timing = action.timing
        self._curve, self._timing = action.trajectory.curve(world, entity.motion.pose), timing
        self._origin = 0.0 if timing is not None and timing.absolute else world.time_s
        self._backwards = timing is None and speed < 0.0
        self._profile: Callable[[float], float] = self._curve.s_at
        if timing is not None and smooth and self._curve.knots is not None:
            times, s = self._curve.knots
            self._profile = steady(times, s, max(speed, 0.0) * timing.scale)
        self._s = action.start_m if timing is None else max(action.start_m, self._timed_s(world.time_s))

    def _timed_s(self, time_s: float) -> float:
        assert self._timing is not None
        return self._profile((time_s - self._origin - self._timing.offset) / self._timing.scale)

    def pose(self) -> Pose:
        """Return where the entity is on the trajectory: it looks along it, or, driving backwards, against it."""
        pose = self._curve.pose(self._s)
        return replace(pose, heading=wrap(pose.heading + math.pi)) if self._backwards else pose

    def tangent(self) -> Pose | None:
        """See :class:`Activity`."""
        return self._curve.pose(self._s)

    def distance_to(self, pose: Pose) -> float:
        """Return the metres along the trajectory to the point nearest to a place; negative when it is behind."""
        segment = np.diff(self._curve.xy, axis=0)
        square = np.maximum((segment**2).sum(axis=1), 1e-12)
        to = np.array([pose.x, pose.y]) - self._curve.xy[:-1]
        part = np.clip((to * segment).sum(axis=1) / square, 0.0, 1.0)
        off = ((to - part[:, None] * segment) ** 2).sum(axis=1)
        i = int(np.argmin(off))
        return float(self._curve.s[i] + part[i] * (self._curve.s[i + 1] - self._curve.s[i])) - self._s

    def travel(self, entity: Entity, world: World, dt_s: float) -> tuple[float, float]:
        """See :class:`Activity`; only asked when the trajectory is timed."""
        after = self._timed_s(world.time_s + dt_s)
        distance = max(0.0, after - self._s)
        return distance, distance / dt_s

    def follow(self, entity: Entity, world: World, dt_s: float, distance: float) -> tuple[Pose, float]:
        """See :class:`Activity`."""
        before = self._s
        wanted = before + (-distance if self._backwards else distance)
        self._s = min(max(wanted, 0.0), self._curve.length)
        if self._timing is None:
            self.done = self._s >= self._curve.length - 1e-9 or wanted < 0.0
        else:
            assert self._curve.knots is not None
            last = self._origin + self._timing.offset + self._timing.scale * float(self._curve.knots[0][-1])
            self.done = world.time_s + dt_s >= last - 1e-9
        return self.pose(), abs(self._s - before)


@private_action("RoutingAction/FollowTrajectoryAction")
def read(node: Node, reader: Reader) -> FollowTrajectory:
    """Read ``FollowTrajectoryAction`` of 1.0 (trajectory inside) to 1.3 (TrajectoryRef)."""
    reference = node.maybe("TrajectoryRef")
    trajectory = reader.trajectory(reference if reference is not None else node)
    child = node.one("TimeReference").only()
    timing = None
    if child.tag == "Timing":
        timing = Timing(
            child.choice("domainAbsoluteRelative", ("absolute", "relative")) == "absolute",
            child.number("scale", minimum=1e-9), child.number("offset"),
        )  # fmt: skip
        if not trajectory.shape.timed:
            reader.note(child, "the trajectory has no times: only its path is taken, as with None")
            timing = None
    elif child.tag != "None":
        raise child.error("unknown kind of time reference")
    mode = node.one("TrajectoryFollowingMode").choice("followingMode", ("position", "follow"))
    return FollowTrajectory(trajectory, timing, node.number("initialDistanceOffset", 0.0, minimum=0.0), mode)

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
from scenarios.openscenario.roads import Roads
from scenarios.openscenario.states import Pose, wrap
from scenarios.openscenario.trajectories import Polyline, Trajectory

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World

FREE_HEADING = "ignoreHeadingForTrajMotion"


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
    exactly, but on a timed polyline the speed does not jump at vertices (constant acceleration between them).

    The entity looks where the vertices' headings say, else along the path. A speed counts in the direction it looks:
    one that looks along the path goes along it with a positive speed, one that looks against it with a negative speed.
    Without a heading at the start, a negative speed there means looking back while going along. When the speed changes
    its sign on the way, the entity comes back.
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
        follower = _Follow(self, world, entity)
        world.place(entity, Placement(follower.pose()))
        return follower


class _Follow(Activity):
    leaves_lanes: ClassVar[bool] = True
    ends_way: ClassVar[bool] = True

    def __init__(self, action: FollowTrajectory, world: World, entity: Entity) -> None:
        super().__init__()
        speed = entity.motion.speed
        timing = action.timing
        self._curve, self._timing = action.trajectory.curve(world, entity.motion.pose), timing
        self._endless = action.trajectory.closed and timing is None
        self._evenly = action.mode == "follow"
        self._profile: Callable[[float], float] = self._curve.s_at
        if timing is not None and self._curve.knots is not None:
            times, s = self._curve.knots
            if self._evenly and isinstance(action.trajectory.shape, Polyline):
                self._profile = steady(times, s, abs(speed) * timing.scale)
            self._origin = timing.offset + (0.0 if timing.absolute else world.time_s)
            # Who starts further on saves the time up to there.
            self._origin -= timing.scale * float(np.interp(action.start_m, s, times) - times[0])
        self._s = action.start_m if timing is None else max(action.start_m, self._timed_s(world.time_s))
        self._facing = 1
        # esmini's property for files made from recordings, whose speeds are positive whichever way somebody looks.
        self._free = entity.record.properties.get(FREE_HEADING) == "true" and self._is_written()
        if self._looks_back() or (timing is None and speed < 0.0 and not self._is_written()):
            self._facing = -1

    def _timed_s(self, time_s: float) -> float:
        assert self._timing is not None
        return self._profile((time_s - self._origin) / self._timing.scale)

    def _is_written(self) -> bool:
        return self._curve.looks is not None and self._curve.looks.is_written(self._s)

    def _looks_back(self) -> bool:
        """Return whether the heading written here points back along the path."""
        looks = self._curve.looks
        if self._free or looks is None or not looks.is_written(self._s):
            return False
        along = self._curve.along(self._s)
        return abs(wrap(looks.at(self._s, self._evenly)[0] - along)) > 0.5 * math.pi + 1e-6

    def pose(self) -> Pose:
        """Return where the entity is on the trajectory and which way it looks."""
        pose, looks = self._curve.pose(self._s), self._curve.looks
        if looks is not None:
            heading, pitch, roll = looks.at(self._s, self._evenly)
            pose = replace(pose, heading=heading, pitch=pitch, roll=roll)
            if looks.is_written(self._s):
                return pose
        return Roads.turned(pose) if self._facing < 0 else pose

    def tangent(self) -> Pose | None:
        """See :class:`Activity`."""
        return self._curve.pose(self._s)

    def forward(self) -> float | None:
        """See :class:`Activity`."""
        return self._curve.along(self._s) + (0.0 if self._facing > 0 else math.pi)

    def distance_to(self, pose: Pose) -> float:
        """Return the metres along the trajectory to the point nearest to a place; negative when it is behind."""
        segment = np.diff(self._curve.xy, axis=0)
        square = np.maximum((segment**2).sum(axis=1), 1e-12)
        to = np.array([pose.x, pose.y]) - self._curve.xy[:-1]
        part = np.clip((to * segment).sum(axis=1) / square, 0.0, 1.0)
        off = ((to - part[:, None] * segment) ** 2).sum(axis=1)
        i = int(np.argmin(off))
        return float(self._curve.s[i] + part[i] * (self._curve.s[i + 1] - self._curve.s[i])) - self._s

    def _end_s(self) -> float:
        """Return the simulation time at which a timed trajectory ends."""
        assert self._curve.knots is not None
        assert self._timing is not None
        return self._origin + self._timing.scale * float(self._curve.knots[0][-1])

    def travel(self, entity: Entity, world: World, dt_s: float) -> tuple[float, float]:
        """See :class:`Activity`; only asked when the trajectory is timed. What is left of its last step goes straight
        on."""
        distance = max(0.0, self._timed_s(world.time_s + dt_s) - self._s)
        on_it = min(max(self._end_s() - world.time_s, 0.0), dt_s)
        speed = distance / on_it if on_it > 1e-6 else abs(entity.motion.speed)
        self._facing = -1 if self._looks_back() else 1
        return self._facing * (distance + speed * (dt_s - on_it)), self._facing * speed

    def follow(self, entity: Entity, world: World, dt_s: float, distance: float) -> tuple[Pose, float]:
        """See :class:`Activity`."""
        length = self._curve.length
        wanted = self._s + self._facing * distance
        if self._endless:
            self._s = wanted % length
            return self.pose(), abs(distance)
        self._s = min(max(wanted, 0.0), length)
        if self._timing is None:
            self.done = self._s >= length - 1e-9 or wanted < 0.0
        else:
            self.done = world.time_s + dt_s >= self._end_s() - 1e-9
        pose = self.pose()
        if self.done and wanted != self._s:
            along, rest = self._curve.along(self._s), wanted - self._s
            pose = replace(pose, x=pose.x + rest * math.cos(along), y=pose.y + rest * math.sin(along))
        return pose, abs(distance)


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

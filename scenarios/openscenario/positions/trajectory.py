"""TrajectoryPosition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.nodes import Node
from scenarios.openscenario.positions.base import Orientation, Placement, position, read_orientation

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.trajectories import Trajectory
    from scenarios.openscenario.world import World


@dataclass(frozen=True, slots=True)
class TrajectoryPosition:
    """A place ``s`` metres along a trajectory and ``t`` metres to its left, aligned with its tangent."""

    trajectory: Trajectory
    s: float
    t: float
    orientation: Orientation

    def resolve(self, world: World) -> Placement:
        """Return the pose."""
        pose = self.trajectory.curve(world).pose(self.s)
        return Placement(self.orientation.on(pose.moved(*pose.point(0.0, self.t))))

    def entities(self) -> tuple[str, ...]:
        """The entities its points are relative to."""
        return self.trajectory.entities()


@position("TrajectoryPosition")
def read(node: Node, reader: Reader) -> TrajectoryPosition:
    """Read ``TrajectoryPosition``."""
    trajectory = reader.trajectory(node.one("TrajectoryRef"))
    return TrajectoryPosition(trajectory, node.number("s"), node.number("t", 0.0), read_orientation(node))

"""A world without roads: a level plane, for scenarios that name no road network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.openscenario.roads import Roads, Track
from scenarios.openscenario.states import Pose

if TYPE_CHECKING:
    from scenarios.opendrive import RoadNetwork


class OpenSpace(Roads):
    """Roads where there are none: nobody is on a lane, the ground is at height 0, and whoever asks for a lane errs."""

    paved = False

    def __init__(self) -> None:
        """There is nothing to prepare."""

    @property
    def network(self) -> RoadNetwork:  # type: ignore[override]
        """Raise ValueError: there is no road network."""
        raise ValueError("the scenario names no road network, and this needs one")

    def locate(self, pose: Pose, reach_m: float = 0.0) -> Track | None:
        """Return None: nobody is on a lane."""
        return None

    def nearest(self, pose: Pose) -> Track | None:
        """Return None: no lane is near."""
        return None

    def height(self, x: float, y: float) -> float:
        """Return 0: the ground is level."""
        return 0.0

"""The values that queries take and return."""

from __future__ import annotations

from typing import NamedTuple


class LaneKey(NamedTuple):
    """A lane within one lane section. ``section`` counts from 0 in the direction of s."""

    road_id: str
    section: int
    lane_id: int


class Pose(NamedTuple):
    """A pose in ASAM's frame: metres; heading, pitch (positive nose down) and roll in radians."""

    x: float
    y: float
    z: float
    heading: float
    pitch: float
    roll: float


class LanePosition(NamedTuple):
    """A place on a lane.

    Attributes:
        road_id, section, lane_id: the lane.
        s, t: road coordinates in metres.
        offset: lateral distance from the lane's centre line in metres, positive to the left of the s direction.
    """

    road_id: str
    section: int
    lane_id: int
    s: float
    t: float
    offset: float

    @property
    def key(self) -> LaneKey:
        """The lane."""
        return LaneKey(self.road_id, self.section, self.lane_id)


DRIVING_TYPES = frozenset(
    {
        "driving", "entry", "exit", "offRamp", "onRamp", "connectingRamp", "slipLane", "bidirectional", "bus", "taxi",
        "HOV", "mwyEntry", "mwyExit", "special1", "special2", "special3",
    }
)  # fmt: skip
"""Lane types that cars drive on in the course of traffic."""

PAVED_TYPES = DRIVING_TYPES | frozenset(
    {"stop", "shoulder", "biking", "parking", "border", "restricted", "roadWorks", "shared"}
)
"""Lane types with a road's surface."""

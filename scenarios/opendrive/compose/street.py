"""A straight two-lane street with parking bays and pavements on both sides."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator
from scenariogeneration import xodr

from scenarios.opendrive.compose.parts import (
    KERB_HEIGHT_M,
    SPEED_TYPE,
    LaneSpec,
    Network,
    Piece,
    Pose2,
    RoadObject,
    SectionSpec,
    crosswalk,
    rectangle,
    signal,
)

ROAD_ID = 1


class StreetParameters(BaseModel):
    """What a street may vary in. Lengths in metres.

    Lanes, from the centre outwards on both sides: driving (1), parking (2), sidewalk (3); s runs west to east.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    length_m: float = Field(default=300.0, ge=60.0, le=5000.0)
    lane_width_m: float = Field(default=3.5, ge=2.75, le=4.5)
    parking_width_m: float = Field(default=2.4, ge=1.8, le=3.0)
    sidewalk_width_m: float = Field(default=3.0, ge=1.5, le=8.0)
    bay_length_m: float = Field(default=6.5, ge=5.0, le=12.0)
    crosswalk_s_m: float | None = Field(default=60.0, description="s of a zebra crossing; None for none")
    speed_kmh: int = Field(default=50, ge=10, le=70)

    @model_validator(mode="after")
    def _crosswalk_lies_on_the_street(self) -> StreetParameters:
        if self.crosswalk_s_m is not None and not 5.0 <= self.crosswalk_s_m <= self.length_m - 5.0:
            raise ValueError(f"crosswalk_s_m {self.crosswalk_s_m} lies outside 5 m .. length - 5 m")
        return self


def street(parameters: StreetParameters = StreetParameters(), name: str = "RealityStreet") -> str:  # noqa: B008
    """Return the OpenDRIVE text of a straight street that starts at the origin and runs east."""
    p = parameters
    network = Network(name)
    side = (
        LaneSpec(xodr.LaneType.driving, (p.lane_width_m, 0, 0, 0), xodr.RoadMarkType.broken),
        LaneSpec(xodr.LaneType.parking, (p.parking_width_m, 0, 0, 0), xodr.RoadMarkType.curb, 0.15),
        LaneSpec(xodr.LaneType.sidewalk, (p.sidewalk_width_m, 0, 0, 0), height_m=KERB_HEIGHT_M),
    )
    section = SectionSpec(0.0, side, side, ((0.0, xodr.RoadMarkType.broken),))
    road = network.road(
        ROAD_ID, Pose2(0.0, 0.0, 0.0), [Piece(p.length_m)], [section],
        kind=xodr.RoadType.town, speed_kmh=p.speed_kmh, name="street",
    )  # fmt: skip
    half = p.lane_width_m + p.parking_width_m
    if p.crosswalk_s_m is not None:
        crosswalk(network, road, p.crosswalk_s_m, 4.0, 2.0 * half)
    _add_bays(network, road, p)
    pole_t = half + 0.5
    signal(road, 1, SPEED_TYPE, 5.0, -pole_t, forward=True, lanes=(-1, -1), value=p.speed_kmh)
    signal(road, 2, SPEED_TYPE, p.length_m - 5.0, pole_t, forward=False, lanes=(1, 1), value=p.speed_kmh)
    return network.text()


def bays(parameters: StreetParameters) -> list[float]:
    """Return the s of the middle of every parking bay, the same on both sides; none within 8 m of the zebra."""
    p = parameters
    first = 10.0 + 0.5 * p.bay_length_m
    count = int((p.length_m - 20.0) / p.bay_length_m)
    middles = [first + i * p.bay_length_m for i in range(count)]
    if p.crosswalk_s_m is None:
        return middles
    # No parking within 5 m of a zebra crossing (StVO section 12), plus half the zebra and half a line.
    clear = 5.0 + 2.0 + 0.5 * p.bay_length_m + 1.0
    return [s for s in middles if abs(s - p.crosswalk_s_m) >= clear]


def _add_bays(network: Network, road: xodr.Road, p: StreetParameters) -> None:
    t = p.lane_width_m + 0.5 * p.parking_width_m
    for side in (-1.0, 1.0):
        for s in bays(p):
            bay = RoadObject(
                s, side * t, xodr.ObjectType.parkingSpace, id=network.object_id(), name="parking bay",
                length=p.bay_length_m, width=p.parking_width_m, height=0.0,
            )  # fmt: skip
            bay.add_outline(rectangle(p.bay_length_m, p.parking_width_m))
            road.add_object(bay)

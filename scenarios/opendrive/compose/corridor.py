"""One road, straight or bent, level or over a crest, with strips on both sides and what stands along it.

Parking, cycle lanes, pavements and shoulders are strips; zebras, bus stops and school zones are features.
"""

from __future__ import annotations

import itertools
import math
from typing import Annotated, Literal

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
    arc,
    crosswalk,
    rectangle,
    signal,
)

CHILDREN_TYPE, BUS_STOP_TYPE = "136", "224"
LEAST_BEND_DEG = 0.1
"""Smaller bends would be arcs shorter than what coordinates in the file can tell."""
_CLEAR_M = 5.0


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Strip(_Strict):
    """A lane, counted from the middle of the road outwards; the same on both sides."""

    kind: Literal["driving", "biking", "parking", "shoulder", "sidewalk"]
    width_m: float = Field(gt=0.5, le=8.0)


class Zebra(_Strict):
    """A zebra from kerb to kerb."""

    kind: Literal["zebra"]
    s_m: float
    width_m: float = Field(default=4.0, ge=3.0, le=8.0)


class BusStop(_Strict):
    """A sign 224 and a shelter on the pavement; ``side`` as seen along s."""

    kind: Literal["bus_stop"]
    s_m: float
    side: Literal["left", "right"] = "right"


class SchoolZone(_Strict):
    """A stretch with a lower limit: sign 136 and 274 in both directions, the limit in the road's type records."""

    kind: Literal["school_zone"]
    start_m: float
    end_m: float
    speed_kmh: int = Field(default=30, ge=5, le=50)


Feature = Annotated[Zebra | BusStop | SchoolZone, Field(discriminator="kind")]


class CorridorParameters(_Strict):
    """What a corridor may vary in. Lengths in metres."""

    before_m: float = Field(default=100.0, ge=20.0, le=5000.0, description="straight before the bend")
    bend_radius_m: float = Field(default=100.0, ge=20.0, le=5000.0)
    bend_deg: float = Field(default=0.0, ge=-170.0, le=170.0, description="left positive; 0 for a straight road")
    after_m: float = Field(default=100.0, ge=20.0, le=5000.0)
    crest_m: float = Field(default=0.0, ge=-20.0, le=20.0, description="height in the middle; negative for a sag")
    strips: tuple[Strip, ...] = (
        Strip(kind="driving", width_m=3.5), Strip(kind="parking", width_m=2.2), Strip(kind="biking", width_m=1.8),
        Strip(kind="sidewalk", width_m=2.5),
    )  # fmt: skip
    features: tuple[Feature, ...] = ()
    speed_kmh: int = Field(default=50, ge=10, le=130)

    @property
    def length_m(self) -> float:
        """Length of the road."""
        return self.before_m + abs(math.radians(self.bend_deg)) * self.bend_radius_m + self.after_m

    @property
    def roadway_m(self) -> float:
        """Distance from the middle to the kerb: up to the first pavement."""
        width = 0.0
        for strip in self.strips:
            if strip.kind == "sidewalk":
                break
            width += strip.width_m
        return width

    @model_validator(mode="after")
    def _fits(self) -> CorridorParameters:
        if not self.strips or self.strips[0].kind != "driving":
            raise ValueError("the first strip must be 'driving'")
        if 0.0 < abs(self.bend_deg) < LEAST_BEND_DEG:
            raise ValueError(f"bend_deg {self.bend_deg} is neither 0 nor at least {LEAST_BEND_DEG} degrees")
        whole = sum(strip.width_m for strip in self.strips)
        if self.bend_deg and whole + 2.0 > self.bend_radius_m:
            raise ValueError(f"bend_radius_m {self.bend_radius_m} is too tight for {whole:.1f} m of lanes a side")
        # The cubics of the crest are steepest half way up: 3 h / l.
        if abs(self.crest_m) * 3.0 / self.length_m > 0.12:
            raise ValueError(f"crest_m {self.crest_m} makes {self.length_m:.0f} m of road steeper than 12 %")
        for feature in self.features:
            if isinstance(feature, SchoolZone):
                places = (feature.start_m, feature.end_m)
                if feature.start_m + 2.0 * _CLEAR_M > feature.end_m:
                    raise ValueError(f"the school zone from {feature.start_m} to {feature.end_m} m is too short")
            else:
                places = (feature.s_m, feature.s_m)
            if places[0] < _CLEAR_M or places[1] > self.length_m - _CLEAR_M:
                raise ValueError(f"{feature.kind} at {places} lies outside 5 m .. {self.length_m - _CLEAR_M:.1f} m")
        zones = sorted((f.start_m, f.end_m) for f in self.features if isinstance(f, SchoolZone))
        if any(after[0] <= before[1] for before, after in itertools.pairwise(zones)):
            raise ValueError("school zones overlap")
        return self


def corridor(parameters: CorridorParameters = CorridorParameters(), name: str = "RealityCorridor") -> str:  # noqa: B008
    """Return the OpenDRIVE text of a corridor that starts at the origin and runs east."""
    p = parameters
    network = Network(name)
    kinds, marks = xodr.LaneType, xodr.RoadMarkType
    side = []
    for strip, beyond in zip(p.strips, (*p.strips[1:], None)):
        kerb = beyond is not None and beyond.kind == "sidewalk"
        dashed = strip.kind == "driving" and beyond is not None and beyond.kind in ("driving", "parking")
        mark = marks.curb if kerb else marks.broken if dashed else marks.solid
        raised = strip.kind == "sidewalk"
        side.append(
            LaneSpec(
                kinds[strip.kind], (strip.width_m, 0, 0, 0), marks.none if raised else mark,
                height_m=KERB_HEIGHT_M if raised else 0.0,
            )
        )  # fmt: skip
    bend = [arc(p.bend_radius_m, math.radians(p.bend_deg))] if p.bend_deg else []
    road = network.road(
        1, Pose2(0.0, 0.0, 0.0), [Piece(p.before_m), *bend, Piece(p.after_m)],
        [SectionSpec(0.0, side, side, ((0.0, marks.broken),))], kind=xodr.RoadType.town, speed_kmh=p.speed_kmh,
        name="corridor", elevations=_crest(p),
    )  # fmt: skip
    next_signal = 1
    for feature in sorted(p.features, key=lambda f: f.start_m if isinstance(f, SchoolZone) else f.s_m):
        if isinstance(feature, Zebra):
            crosswalk(network, road, feature.s_m, feature.width_m, 2.0 * p.roadway_m)
        elif isinstance(feature, BusStop):
            next_signal = _bus_stop(network, road, p, feature, next_signal)
        else:
            next_signal = _school_zone(road, p, feature, next_signal)
    return network.text()


def _crest(p: CorridorParameters) -> list[tuple[float, float, float, float, float]]:
    """Return two cubics with level ends that meet in the middle at the crest's height."""
    if p.crest_m == 0.0:
        return [(0.0, 0.0, 0.0, 0.0, 0.0)]
    half, h = 0.5 * p.length_m, p.crest_m
    up, down = (3.0 * h / half**2, -2.0 * h / half**3), (-3.0 * h / half**2, 2.0 * h / half**3)
    return [(0.0, 0.0, 0.0, *up), (half, h, 0.0, *down)]


def _bus_stop(network: Network, road: xodr.Road, p: CorridorParameters, stop: BusStop, number: int) -> int:
    sign = 1.0 if stop.side == "left" else -1.0
    lane = int(sign)
    signal(road, number, BUS_STOP_TYPE, stop.s_m, sign * (p.roadway_m + 0.5), forward=sign < 0, lanes=(lane, lane))
    shelter = RoadObject(
        stop.s_m, sign * (p.roadway_m + 2.2), xodr.ObjectType.building, subtype="busStop", id=network.object_id(),
        name="bus shelter", length=4.0, width=1.4, height=2.5,
    )  # fmt: skip
    shelter.add_outline(rectangle(4.0, 1.4))
    road.add_object(shelter)
    return number + 1


def _school_zone(road: xodr.Road, p: CorridorParameters, zone: SchoolZone, number: int) -> int:
    country = "DE"
    road.add_type(xodr.RoadType.town, zone.start_m, country=country, speed=zone.speed_kmh, speed_unit="km/h")
    road.add_type(xodr.RoadType.town, zone.end_m, country=country, speed=p.speed_kmh, speed_unit="km/h")
    t = p.roadway_m + 0.5
    for forward, enter, leave in ((True, zone.start_m, zone.end_m), (False, zone.end_m, zone.start_m)):
        lane, side = (-1, -t) if forward else (1, t)
        for kind, s, value in (
            (CHILDREN_TYPE, enter, None), (SPEED_TYPE, enter, zone.speed_kmh), (SPEED_TYPE, leave, p.speed_kmh),
        ):  # fmt: skip
            signal(road, number, kind, s, side, forward=forward, lanes=(lane, lane), value=value)
            number += 1
    return number

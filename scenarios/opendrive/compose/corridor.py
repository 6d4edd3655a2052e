"""One road, straight or bent, level or over a crest, with strips on both sides and what stands along it.

Parking, cycle lanes, pavements and shoulders are strips; zebras, bus stops, school zones and railway crossings are
features. A refuge island moves all lanes outwards: over its length a median takes lane ids 1 and -1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
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
    taper,
)

CHILDREN_TYPE, BUS_STOP_TYPE = "136", "224"
RAILWAY_AHEAD_TYPE, ST_ANDREW_TYPE = "151", "201"
LEAST_BEND_DEG = 0.1
"""Smaller bends would be arcs shorter than what coordinates in the file can tell."""
TOWN_KMH = 60.0
"""Faster roads are country roads."""
_CLEAR_M = 5.0
_ISLAND_OPENING_M, _ISLAND_HALF_M = 30.0, 12.0
_TRACK_BASE, _TRACK_HALF_WIDTH_M, _TRACK_SPACING_M, _TRACK_RISE_M, _WARNING_M = 100, 1.6, 4.0, 0.015, 80.0


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Strip(_Strict):
    """A lane, counted from the middle of the road outwards; the same on both sides."""

    kind: Literal["driving", "biking", "parking", "shoulder", "sidewalk"]
    width_m: float = Field(gt=0.5, le=8.0)


class Zebra(_Strict):
    """A zebra from kerb to kerb; with an island the lanes make room for a refuge of that width in the middle."""

    kind: Literal["zebra"]
    s_m: float
    width_m: float = Field(default=4.0, ge=3.0, le=8.0)
    island_m: float = Field(default=0.0, ge=0.0, le=4.0)

    @model_validator(mode="after")
    def _wide_enough(self) -> Zebra:
        if 0.0 < self.island_m < 1.6:
            raise ValueError(f"island_m {self.island_m} is too narrow to wait on; 1.6 m is the least, 0 for none")
        return self


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


class RailwayCrossing(_Strict):
    """A level crossing: tracks on a road of their own, St Andrew's crosses, posts of half barriers, warning signs."""

    kind: Literal["railway_crossing"]
    s_m: float
    angle_deg: float = Field(default=90.0, ge=45.0, le=135.0, description="of the track, from the road's direction")
    tracks: Literal[1, 2] = 1
    length_m: float = Field(default=200.0, ge=60.0, le=5000.0)
    barriers: bool = True


Feature = Annotated[Zebra | BusStop | SchoolZone | RailwayCrossing, Field(discriminator="kind")]


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
            places = _places(feature)
            if isinstance(feature, SchoolZone) and feature.start_m + 2.0 * _CLEAR_M > feature.end_m:
                raise ValueError(f"the school zone from {feature.start_m} to {feature.end_m} m is too short")
            if places[0] < _CLEAR_M or places[1] > self.length_m - _CLEAR_M:
                raise ValueError(f"{feature.kind} at {places} lies outside 5 m .. {self.length_m - _CLEAR_M:.1f} m")
            if isinstance(feature, RailwayCrossing) and self.crest_m:
                raise ValueError("railway_crossing needs a level road; crest_m must be 0")
        self._islands_have_room()
        zones = sorted((f.start_m, f.end_m) for f in self.features if isinstance(f, SchoolZone))
        if any(after[0] <= before[1] for before, after in itertools.pairwise(zones)):
            raise ValueError("school zones overlap")
        return self

    def _islands_have_room(self) -> None:
        reach = _ISLAND_OPENING_M + _ISLAND_HALF_M
        for island in self.islands:
            low, high = island.s_m - reach, island.s_m + reach
            if low < 1.0 or high > self.length_m - 1.0:
                raise ValueError(f"the island at {island.s_m} needs {reach + 1.0:.0f} m of road on both sides")
            for other in self.features:
                if other is island:
                    continue
                inside = [s for s in _places(other) if low < s < high]
                # A zone's signs would stand in the lanes that make way; a zone around the whole island is fine.
                if inside or (
                    isinstance(other, Zebra) and other.island_m and abs(other.s_m - island.s_m) < 2.0 * reach
                ):
                    raise ValueError(f"{other.kind} lies where the lanes make way for the island at {island.s_m}")

    @property
    def islands(self) -> list[Zebra]:
        """The zebras with a refuge, along s."""
        return sorted((f for f in self.features if isinstance(f, Zebra) and f.island_m), key=lambda f: f.s_m)


def _places(feature: Feature) -> tuple[float, float]:
    return (feature.start_m, feature.end_m) if isinstance(feature, SchoolZone) else (feature.s_m, feature.s_m)


def corridor(parameters: CorridorParameters = CorridorParameters(), name: str = "RealityCorridor") -> str:  # noqa: B008
    """Return the OpenDRIVE text of a corridor that starts at the origin and runs east."""
    p = parameters
    network = Network(name)
    kinds, marks = xodr.LaneType, xodr.RoadMarkType
    side: list[LaneSpec] = []
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
    # Without a bend there is one line: two in a row would say the same with more.
    pieces = [Piece(p.before_m), *bend, Piece(p.after_m)] if bend else [Piece(p.before_m + p.after_m)]
    road = network.road(
        1, Pose2(0.0, 0.0, 0.0), pieces, _sections(p, side), kind=_kind(p), speed_kmh=p.speed_kmh,
        name="corridor", elevations=_crest(p),
    )  # fmt: skip
    next_signal = 1
    for feature in sorted(p.features, key=_places):
        if isinstance(feature, Zebra):
            crosswalk(network, road, feature.s_m, feature.width_m, 2.0 * p.roadway_m + feature.island_m)
            if feature.island_m:
                _refuge(network, road, feature)
        elif isinstance(feature, RailwayCrossing):
            next_signal = _railway(network, road, p, feature, _at(pieces, feature.s_m), next_signal)
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


def _at(pieces: Sequence[Piece], s: float) -> Pose2:
    """Return the pose of the reference line, which starts at the origin, at ``s``."""
    pose = Pose2(0.0, 0.0, 0.0)
    for piece in pieces:
        if s <= piece.length_m:
            return Piece(s, piece.curvature).end(pose)
        pose, s = piece.end(pose), s - piece.length_m
    return pose


def _sections(p: CorridorParameters, side: Sequence[LaneSpec]) -> list[SectionSpec]:
    """Return the lane sections: one, and three more for each island, where a median lies inside of the other lanes."""
    marks = xodr.RoadMarkType
    # (start, widths of half the median or None where there is none)
    stretches: list[tuple[float, tuple[float, float, float, float] | None]] = [(0.0, None)]
    for island in p.islands:
        half, s, opening = 0.5 * island.island_m, island.s_m, _ISLAND_OPENING_M
        stretches += [
            (s - _ISLAND_HALF_M - opening, taper(opening, 0.0, half)), (s - _ISLAND_HALF_M, (half, 0.0, 0.0, 0.0)),
            (s + _ISLAND_HALF_M, taper(opening, half, 0.0)), (s + _ISLAND_HALF_M + opening, None),
        ]  # fmt: skip
    sections = []
    for index, (start, median) in enumerate(stretches):
        before = None if index == 0 else stretches[index - 1][1] is not None
        after = None if index + 1 == len(stretches) else stretches[index + 1][1] is not None
        sides = [_side(sign, side, median, before, after) for sign in (1, -1)]
        centre = marks.broken if median is None else marks.none
        sections.append(SectionSpec(start, sides[0], sides[1], ((0.0, centre),)))
    return sections


def _side(
    sign: int, side: Sequence[LaneSpec], median: tuple[float, float, float, float] | None, before: bool | None,
    after: bool | None,
) -> list[LaneSpec]:  # fmt: skip
    """Return one side's lanes; ``before`` and ``after`` say whether the next section has a median, None for no next."""

    def link(number: int, beyond: bool | None) -> int | None:
        """Return the id beyond of the lane that is the ``number``-th of the strips; 0 is the median."""
        if beyond is None or (number == 0 and not beyond):
            return None
        return sign * (number + beyond)

    lanes = []
    if median is not None:
        lanes.append(
            LaneSpec(xodr.LaneType.median, median, xodr.RoadMarkType.solid, 0.15,
                     predecessor=link(0, before), successor=link(0, after))
        )  # fmt: skip
    for number, lane in enumerate(side, 1):
        lanes.append(replace(lane, predecessor=link(number, before), successor=link(number, after)))
    return lanes


def _refuge(network: Network, road: xodr.Road, zebra: Zebra) -> None:
    """Put a raised island before and behind the zebra."""
    length = _ISLAND_HALF_M - 0.5 * zebra.width_m - 2.0
    for side in (-1.0, 1.0):
        island = RoadObject(
            zebra.s_m + side * 0.5 * (zebra.width_m + length), 0.0, xodr.ObjectType.trafficIsland,
            id=network.object_id(), name="refuge island", length=length, width=zebra.island_m - 0.4,
            height=KERB_HEIGHT_M,
        )  # fmt: skip
        island.add_outline(rectangle(length, zebra.island_m - 0.4))
        road.add_object(island)


def _railway(
    network: Network, road: xodr.Road, p: CorridorParameters, crossing: RailwayCrossing, at: Pose2, number: int
) -> int:
    """Lay the tracks, each a road with two rail lanes, and put up what stands before them."""
    angle = math.radians(crossing.angle_deg)
    bed = (_TRACK_HALF_WIDTH_M, 0.0, 0.0, 0.0)
    lane = LaneSpec(xodr.LaneType.rail, bed)
    first = _TRACK_BASE + 2 * sum(isinstance(f, RailwayCrossing) and f.s_m < crossing.s_m for f in p.features)
    for track in range(crossing.tracks):
        aside = (track - 0.5 * (crossing.tracks - 1)) * _TRACK_SPACING_M
        start = Pose2(at.x, at.y, at.heading + angle).moved(-0.5 * crossing.length_m, aside)
        network.road(
            first + track, start, [Piece(crossing.length_m)], [SectionSpec(0.0, (lane,), (lane,))],
            kind=xodr.RoadType.unknown, speed_kmh=80, name=f"railway track {track + 1}",
            # A finger's breadth above the roadway, or the two surfaces would lie in one plane.
            elevations=[(0.0, _TRACK_RISE_M, 0.0, 0.0, 0.0)],
        )  # fmt: skip
    # The nearest edge of the track bed, seen along the road at the roadway's edge.
    half_bed = 0.5 * (crossing.tracks - 1) * _TRACK_SPACING_M + _TRACK_HALF_WIDTH_M
    clear = (half_bed + abs(math.cos(angle)) * p.roadway_m) / math.sin(angle) + 2.5
    t = p.roadway_m + 0.5
    for forward in (True, False):
        lanes, side, back = ((-1, -1), -t, -1.0) if forward else ((1, 1), t, 1.0)
        for kind, away in ((ST_ANDREW_TYPE, clear), (RAILWAY_AHEAD_TYPE, _WARNING_M)):
            s = crossing.s_m + back * away
            if 0.0 < s < p.length_m:
                signal(road, number, kind, s, side, forward=forward, lanes=lanes)
                number += 1
        s = crossing.s_m + back * (clear + 1.0)
        if crossing.barriers and 0.0 < s < p.length_m:
            post = RoadObject(
                s, math.copysign(t + 0.4, side), xodr.ObjectType.pole, subtype="halfBarrier", id=network.object_id(),
                name="raised half barrier", radius=0.12, height=3.5,
            )  # fmt: skip
            road.add_object(post)
    return number


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


def _kind(p: CorridorParameters) -> xodr.RoadType:
    """Return what the road is, which decides what stands beside it: in towns nobody drives 70 km/h."""
    return xodr.RoadType.rural if p.speed_kmh > TOWN_KMH else xodr.RoadType.town


def _school_zone(road: xodr.Road, p: CorridorParameters, zone: SchoolZone, number: int) -> int:
    country = "DE"
    road.add_type(xodr.RoadType.town, zone.start_m, country=country, speed=zone.speed_kmh, speed_unit="km/h")
    road.add_type(_kind(p), zone.end_m, country=country, speed=p.speed_kmh, speed_unit="km/h")
    t = p.roadway_m + 0.5
    for forward, enter, leave in ((True, zone.start_m, zone.end_m), (False, zone.end_m, zone.start_m)):
        lane, side = (-1, -t) if forward else (1, t)
        for kind, s, value in (
            (CHILDREN_TYPE, enter, None), (SPEED_TYPE, enter, zone.speed_kmh), (SPEED_TYPE, leave, p.speed_kmh),
        ):  # fmt: skip
            signal(road, number, kind, s, side, forward=forward, lanes=(lane, lane), value=value)
            number += 1
    return number
